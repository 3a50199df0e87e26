// Package operator is the face of those who run the house: people, herds and their
// devices, firms, imports, and the work in the background.
package operator

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/party"
	"github.com/furrowcredit/furrow/chain/reference"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/server/route"
)

// What can be wrong with what an operator enters.
var (
	ErrUSCC   = fault.New(fault.Invalid, "firm.uscc", "{code} is not a credit code: {why}")
	ErrSeason = fault.New(fault.Invalid, "season.order", "the season must end after it starts and last at most two years")
)

// People registers who may sign in; access.Gate is one.
type People interface {
	AddUser(ctx context.Context, who access.Actor, n access.NewUser) (access.User, error)
	Users(ctx context.Context, tenant string) ([]access.User, error)
	// User returns access.ErrUserNotFound for a person of another tenant.
	User(ctx context.Context, tenant, id string) (access.User, error)
}

// Plots registers plots; geo.Plots is one.
type Plots interface {
	Add(ctx context.Context, tenant string, p geo.Plot) (geo.Plot, error)
	Import(ctx context.Context, tenant string, plots []geo.Plot) ([]geo.Plot, []geo.Refused, error)
}

// Jobs puts work into the background; job.Runner is one.
type Jobs interface {
	Report(ctx context.Context, tenant string, from, to time.Time, plotIDs []string) error
	Scan(ctx context.Context, tenant string) error
	DayEnd(ctx context.Context, tenant, date string) error
	Counts(ctx context.Context) (map[string]int, error)
}

// Refusal names something in a file that was not taken, and why.
type Refusal struct {
	Place  string `json:"place"` // row, feature or line
	Code   string `json:"code"`
	Reason string `json:"reason"` // in the reader's language
}

// Refused is a Refusal before it is put into words.
type Refused struct {
	Place string
	Err   error
}

// Config is what the face works with.
type Config struct {
	People  People
	Herds   Herds
	Devices Devices
	Import  Importer // of animals; nil when it is not there
	// Forget deletes all readings of a device.
	Forget func(ctx context.Context, tenant, device string) error
	// Watch is told of a herd that changed.
	Watch func(ctx context.Context, tenant, herdID string) error
	Firms chain.Store
	Plots Plots
	Jobs  Jobs
	// ReadPlots reads a land-register file; the plots are not saved yet.
	ReadPlots func(r io.Reader, name string) ([]geo.Plot, []Refused, error)
	// ImportChain takes the files of a reference chain, by file name.
	ImportChain func(ctx context.Context, tenant string, files map[string]io.Reader) (reference.Report, error)
	// Words gives the text of an error in a language.
	Words func(lang string, err error) string
	Now   func() time.Time
}

type face struct{ Config }

// Register adds the operations of the face.
func Register(a *route.API, cfg Config) {
	f := face{cfg}
	op := func(id, method, path, summary string) route.Op {
		return route.Op{ID: "operator-" + id, Method: method, Path: "/operator" + path, Summary: summary, Tag: "operator"}
	}
	file := func(id, path, summary string) route.Op {
		o := op(id, http.MethodPost, path, summary)
		o.MaxBytes = route.MaxUpload
		return o
	}
	route.Register(a, op("user-add", http.MethodPost, "/users", "Register a person"), f.addUser)
	route.Register(a, op("users", http.MethodGet, "/users", "People of the tenant"), f.users)
	f.registerHerds(a, op, file)
	route.Register(a, op("firm-add", http.MethodPost, "/firms", "Register a firm, or complete the one with this credit code"), f.addFirm)
	route.Register(a, op("plot-add", http.MethodPost, "/plots", "Register a plot for its holder; its report is made by /operator/reports, or with its first application"), f.addPlot)
	route.Register(a, file("plot-import", "/plots/import", "Register the plots of a land-register file for their holder; reports as for a single plot"), f.importPlots)
	route.Register(a, op("report", http.MethodPost, "/reports", "Make crop reports again, in the background"), f.report)
	route.Register(a, op("scan", http.MethodPost, "/scan", "Look for fraud in the chain, in the background"), f.scan)
	route.Register(a, op("dayend", http.MethodPost, "/dayend", "Run the day end of a date, in the background"), f.dayEnd)
	route.Register(a, op("jobs", http.MethodGet, "/jobs", "How many jobs are in each state"), f.jobs)
	route.Register(a, file("reference", "/reference", "Import a reference chain"), f.reference)
}

type userIn struct {
	Body struct {
		Login    string      `json:"login" maxLength:"64"`
		Password string      `json:"password" maxLength:"1024"`
		Name     string      `json:"name" maxLength:"100"`
		Role     access.Role `json:"role" enum:"officer,borrower,anchor,partner,auditor,operator"`
		FirmID   string      `json:"firm_id,omitempty" maxLength:"64" doc:"the firm an anchor speaks for, or a partner: its people see what any of them brought"`
	}
}

func (f face) addUser(ctx context.Context, who access.Actor, in *userIn) (*route.Body[access.User], error) {
	b := in.Body
	if b.FirmID != "" {
		if _, err := f.Firms.Firm(ctx, who.Tenant, b.FirmID); err != nil {
			return nil, err
		}
	}
	u, err := f.People.AddUser(ctx, who, access.NewUser{
		Login: b.Login, Password: b.Password, Name: b.Name, Role: b.Role, FirmID: b.FirmID,
	})
	route.Touch(ctx, u.ID)
	return route.Answer(u, err)
}

func (f face) users(ctx context.Context, who access.Actor, _ *struct{}) (*route.Body[route.List[access.User]], error) {
	items, err := f.People.Users(ctx, who.Tenant)
	return route.Page(items, err, 0, func(u access.User) string { return u.ID })
}

type firmIn struct {
	Body struct {
		USCC     string `json:"uscc,omitempty" maxLength:"40" doc:"unified social credit code"`
		Name     string `json:"name" minLength:"1" maxLength:"200"`
		Anchor   bool   `json:"anchor,omitempty"`
		OwnerID  string `json:"owner_id,omitempty" maxLength:"64" doc:"the person who speaks for it"`
		Industry string `json:"industry,omitempty" maxLength:"100"`
		Region   string `json:"region,omitempty" maxLength:"100"`
		Phone    string `json:"phone,omitempty" maxLength:"40"`
		LegalRep string `json:"legal_rep,omitempty" maxLength:"100"`
	}
}

func (f face) addFirm(ctx context.Context, who access.Actor, in *firmIn) (*route.Body[chain.Party], error) {
	b := in.Body
	if b.OwnerID != "" {
		if _, err := f.People.User(ctx, who.Tenant, b.OwnerID); err != nil {
			return nil, err
		}
	}
	p := chain.Party{ID: ident.New(), Tenant: who.Tenant, CreatedAt: f.Now().UTC()}
	if b.USCC != "" {
		v := party.Check(b.USCC)
		if v.Status == party.Bad {
			return nil, ErrUSCC.With("code", b.USCC).With("why", v.Detail).At("body.uscc")
		}
		// An upload may have named the firm already: it is completed, not doubled.
		known, err := f.Firms.FirmByUSCC(ctx, who.Tenant, v.Code)
		switch {
		case err == nil:
			p = known
		case !errors.Is(err, fault.NotFound):
			return nil, err
		}
		p.USCC = v.Code
	}
	p.Name, p.NameKey = b.Name, party.Normalise(b.Name)
	p.AnchorOf, p.OwnerID = b.Anchor, b.OwnerID
	p.Industry, p.Region, p.Phone, p.LegalRep = b.Industry, b.Region, b.Phone, b.LegalRep
	route.Touch(ctx, p.ID)
	return route.Answer(p, f.Firms.SaveFirms(ctx, []chain.Party{p}))
}

type plotIn struct {
	Body struct {
		OwnerID   string      `json:"owner_id" maxLength:"64"`
		Name      string      `json:"name" minLength:"1" maxLength:"100"`
		Region    string      `json:"region,omitempty" maxLength:"20" doc:"GB/T 2260 county code"`
		Crop      string      `json:"crop,omitempty" maxLength:"50"`
		Polygon   orb.Polygon `json:"polygon" maxItems:"20" doc:"coordinates of a GeoJSON polygon, WGS84"`
		SourceCRS string      `json:"source_crs,omitempty" maxLength:"50"`
	}
}

func (f face) addPlot(ctx context.Context, who access.Actor, in *plotIn) (*route.Body[geo.Plot], error) {
	b := in.Body
	owner, err := f.People.User(ctx, who.Tenant, b.OwnerID)
	if err != nil {
		return nil, err
	}
	if b.SourceCRS == "" {
		b.SourceCRS = "EPSG:4326"
	}
	p, err := f.Plots.Add(ctx, who.Tenant, geo.Plot{
		OwnerID: owner.ID, OwnerName: owner.Name, Name: b.Name, Region: b.Region, Crop: b.Crop,
		Polygon: b.Polygon, SourceCRS: b.SourceCRS, Source: "operator",
	})
	if err != nil {
		return nil, err
	}
	route.Touch(ctx, p.ID)
	return route.Answer(p, nil)
}

type importIn struct {
	RawBody huma.MultipartFormFiles[struct {
		OwnerID string        `form:"owner_id" required:"true"`
		File    huma.FormFile `form:"file" required:"true" contentType:"application/octet-stream" doc:"GeoJSON, GeoPackage or zipped Shapefile"`
	}]
}

// PlotImport says what became of a file: Read is always Saved plus the refusals.
type PlotImport struct {
	Read     int        `json:"read"`
	Saved    int        `json:"saved"`
	Plots    []geo.Plot `json:"plots"`
	Refusals []Refusal  `json:"refusals"`
}

func (f face) importPlots(ctx context.Context, who access.Actor, in *importIn) (*route.Body[PlotImport], error) {
	form := in.RawBody.Data()
	defer func() { _ = form.File.Close() }()
	owner, err := f.People.User(ctx, who.Tenant, form.OwnerID)
	if err != nil {
		return nil, err
	}
	plots, refusals, err := f.ReadPlots(form.File, form.File.Filename)
	if err != nil {
		return nil, err
	}
	out := PlotImport{Read: len(plots) + len(refusals)}
	for _, r := range refusals {
		out.Refusals = append(out.Refusals, f.refusal(ctx, r.Place, r.Err))
	}
	for i := range plots {
		plots[i].OwnerID, plots[i].OwnerName = owner.ID, owner.Name
	}
	saved, refused, err := f.Plots.Import(ctx, who.Tenant, plots)
	if err != nil {
		return nil, err
	}
	for _, r := range refused {
		out.Refusals = append(out.Refusals, f.refusal(ctx, plots[r.Index].Name, r.Err))
	}
	out.Plots = append(out.Plots, saved...)
	out.Saved = len(out.Plots)
	route.Touch(ctx, form.File.Filename)
	return route.Answer(out, nil)
}

func (f face) refusal(ctx context.Context, place string, err error) Refusal {
	r := Refusal{Place: place, Reason: f.Words(route.Lang(ctx), err)}
	var e *fault.Error
	if errors.As(err, &e) {
		r.Code = e.Code
	}
	return r
}

type reportIn struct {
	Body struct {
		Start   string   `json:"season_start" format:"date"`
		End     string   `json:"season_end" format:"date"`
		PlotIDs []string `json:"plot_ids,omitempty" doc:"none means every plot"`
	}
}

// Queued says that work was put into the background.
type Queued struct {
	Queued bool `json:"queued"`
}

func queued(err error) (*route.Body[Queued], error) { return route.Answer(Queued{true}, err) }

func (f face) report(ctx context.Context, who access.Actor, in *reportIn) (*route.Body[Queued], error) {
	from, err := date(in.Body.Start, "body.season_start")
	if err != nil {
		return nil, err
	}
	to, err := date(in.Body.End, "body.season_end")
	if err != nil {
		return nil, err
	}
	if to <= from || to-from > 731 {
		return nil, ErrSeason.At("body.season_end")
	}
	return queued(f.Jobs.Report(ctx, who.Tenant, from.Start(), to.Start(), in.Body.PlotIDs))
}

func (f face) scan(ctx context.Context, who access.Actor, _ *struct{}) (*route.Body[Queued], error) {
	return queued(f.Jobs.Scan(ctx, who.Tenant))
}

type dayEndIn struct {
	Body struct {
		Date string `json:"date" format:"date"`
	}
}

func (f face) dayEnd(ctx context.Context, who access.Actor, in *dayEndIn) (*route.Body[Queued], error) {
	d, err := date(in.Body.Date, "body.date")
	if err != nil {
		return nil, err
	}
	route.Touch(ctx, d.String())
	return queued(f.Jobs.DayEnd(ctx, who.Tenant, d.String()))
}

func date(s, place string) (money.Date, error) {
	d, err := money.ParseDate(s)
	if err != nil {
		return 0, money.ErrDate.With("text", s).At("%s", place)
	}
	return d, nil
}

// JobCounts is how many jobs are in each state.
type JobCounts struct {
	States map[string]int `json:"states"`
}

func (f face) jobs(ctx context.Context, _ access.Actor, _ *struct{}) (*route.Body[JobCounts], error) {
	n, err := f.Jobs.Counts(ctx)
	return route.Answer(JobCounts{n}, err)
}

type referenceIn struct {
	RawBody huma.MultipartFormFiles[struct {
		Files []huma.FormFile `form:"files" required:"true" contentType:"application/octet-stream" doc:"the JSON-lines files of the chain"`
	}]
}

func (f face) reference(ctx context.Context, who access.Actor, in *referenceIn) (*route.Body[reference.Report], error) {
	files := map[string]io.Reader{}
	for _, file := range in.RawBody.Data().Files {
		defer func() { _ = file.Close() }()
		files[file.Filename] = file
	}
	return route.Answer(f.ImportChain(ctx, who.Tenant, files))
}
