// Package farmer is the face of those who borrow: farmers, herders and owners of
// small firms. Everything here is their own and nobody else's: what belongs to
// another is not found.
package farmer

import (
	"context"
	"errors"
	"net/http"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/credit/consent"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/boundary"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/report"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/server/route"
	"github.com/furrowcredit/furrow/server/view"
)

// Desk takes applications from the first word to the last repayment, and shows a
// borrower only their own; apply.Service is one.
type Desk interface {
	Submit(ctx context.Context, who access.Actor, req apply.Request, key string) (apply.Application, error)
	Applications(ctx context.Context, who access.Actor, f apply.Filter) ([]apply.Application, error)
	// DetailIn gives the reasons in the words of lang.
	DetailIn(ctx context.Context, who access.Actor, id, lang string) (apply.Detail, error)
	Sign(ctx context.Context, who access.Actor, id string, by apply.Signing) (apply.Application, error)
	Applying
	Draw(ctx context.Context, who access.Actor, id string, amount money.Fen, key string) (loan.Loan, error)
	Withdraw(ctx context.Context, who access.Actor, id string) (apply.Application, error)
	Loan(ctx context.Context, who access.Actor, id string) (loan.Loan, error)
	Repay(ctx context.Context, who access.Actor, loanID string, amount money.Fen, key string) (loan.Loan, error)
	StepBack(ctx context.Context, who access.Actor, loanID string, amount money.Fen, key string) (loan.Loan, error)
	Tranches
	AskReview(ctx context.Context, who access.Actor, id, reason string) (apply.Review, error)
}

// Book shows what was lent; loan.Service is one.
type Book interface {
	Loans(ctx context.Context, tenant string, f loan.Filter) ([]loan.Loan, error)
	Servicing
}

// Plots registers plots; geo.Plots is one.
type Plots interface {
	Check(ctx context.Context, tenant string, poly orb.Polygon) (geo.PlotCheck, error)
	Add(ctx context.Context, tenant string, p geo.Plot) (geo.Plot, error)
	AddOnce(ctx context.Context, tenant string, p geo.Plot, key string) (geo.Plot, error)
}

// HerdReports tells how a herd is now; iot/report.Maker is one.
type HerdReports interface {
	Report(ctx context.Context, tenant, herdID string) (iot.HerdReport, error)
	Evidence(ctx context.Context, tenant, herdID string) (report.Evidence, error)
}

// Standings tells where a firm stands in the chain.
type Standings interface {
	Standing(ctx context.Context, tenant, firmID string) (chain.Standing, error)
}

// Config is what the face shows.
type Config struct {
	Desk      Desk
	Consents  Consents
	Book      Book
	Plots     Plots
	PlotStore geo.Store
	Herds     iot.Registry
	Herders   Herders
	// Watch is told of a herd that changed.
	Watch       func(ctx context.Context, tenant, herdID string) error
	HerdReports HerdReports
	Firms       chain.Store
	Standings   Standings
	Receivables Receivables
	Collateral  Collateral
	// Purchases is what directed money buys.
	Purchases Purchases
	// Words gives the text of a fault in a language.
	Words  func(lang, code, english string, args map[string]string) string
	Scenes func() []view.Scene // newest first
	// Suggest outlines the field at a place by the images of the season.
	Suggest func(ctx context.Context, at orb.Point) (boundary.Suggestion, error)
	// Report has the satellite report of a new plot made soon, in the background.
	Report func(ctx context.Context, tenant, plotID string) error
}

type face struct{ Config }

// Register adds the operations of the face.
func Register(a *route.API, cfg Config) {
	f := face{cfg}
	op := func(id, method, path, summary string) route.Op {
		return route.Op{ID: "farmer-" + id, Method: method, Path: "/farmer" + path, Summary: summary, Tag: "farmer"}
	}
	route.Register(a, op("home", http.MethodGet, "/home", "All that is mine"), f.home)
	route.Register(a, op("plot-check", http.MethodPost, "/plots/check", "Measure a drawing and say whether it can be registered"), f.checkPlot)
	route.Register(a, op("plot-suggest", http.MethodPost, "/plots/suggest", "The boundary of the field at a place, as the images show it"), f.suggestPlot)
	route.Register(a, op("plot-add", http.MethodPost, "/plots", "Register a plot"), f.addPlot)
	route.Register(a, op("plot", http.MethodGet, "/plots/{id}", "A plot with its report"), f.plot)
	route.Register(a, op("apply", http.MethodPost, "/applications", "Apply for a loan"), f.apply)
	route.Register(a, op("application", http.MethodGet, "/applications/{id}", "An application and its answer"), f.application)
	route.Register(a, op("contract", http.MethodGet, "/applications/{id}/contract", "The contract to sign"), f.contract)
	route.Register(a, op("sign", http.MethodPost, "/applications/{id}/sign", "Sign the contract that was shown"), f.sign)
	route.Register(a, op("draw", http.MethodPost, "/applications/{id}/draw", "Draw money"), f.draw)
	route.Register(a, op("withdraw", http.MethodPost, "/applications/{id}/withdraw", "Withdraw an application"), f.withdraw)
	route.Register(a, op("scene", http.MethodGet, "/scene", "The latest clear image for the map"), f.scene)
	f.registerRights(a, op)
	f.registerApplying(a, op)
	f.registerLoans(a, op)
	f.registerHerds(a, op)
	f.registerReceivables(a, op)
	f.registerCollateral(a, op)
	f.registerPurchases(a, op)
}

// PlotLine is a plot with the gist of its report.
type PlotLine struct {
	Plot          geo.Plot            `json:"plot"`
	Mu            float64             `json:"mu"`
	ReportSummary *view.ReportSummary `json:"report_summary,omitempty"` // absent until the first report
}

// FirmLine is a firm with its standing.
type FirmLine struct {
	Firm     chain.Party    `json:"firm"`
	Standing chain.Standing `json:"standing"`
}

// Home is all that belongs to the borrower.
type Home struct {
	Plots        []PlotLine          `json:"plots"`
	Herds        []view.HerdLine     `json:"herds"`
	Firms        []FirmLine          `json:"firms"`
	Applications []apply.Application `json:"applications"`
	Loans        []loan.Loan         `json:"loans"`
}

func (f face) home(ctx context.Context, who access.Actor, _ *struct{}) (*route.Body[Home], error) {
	var h Home
	var err error
	if h.Plots, err = f.plots(ctx, who); err != nil {
		return nil, err
	}
	herds, err := f.Herds.Herds(ctx, who.Tenant, who.UserID)
	if err != nil {
		return nil, err
	}
	for _, herd := range herds {
		report, err := f.HerdReports.Report(ctx, who.Tenant, herd.ID)
		if err != nil {
			return nil, err
		}
		h.Herds = append(h.Herds, view.HerdLine{Herd: herd, Report: report})
	}
	firms, err := f.Firms.Firms(ctx, who.Tenant, chain.PartyFilter{OwnerID: who.UserID})
	if err != nil {
		return nil, err
	}
	for _, firm := range firms {
		standing, err := f.Standings.Standing(ctx, who.Tenant, firm.ID)
		if err != nil {
			return nil, err
		}
		h.Firms = append(h.Firms, FirmLine{firm, standing})
	}
	if h.Applications, err = f.Desk.Applications(ctx, who, apply.Filter{}); err != nil {
		return nil, err
	}
	h.Loans, err = f.Book.Loans(ctx, who.Tenant, loan.Filter{UserID: who.UserID})
	return route.Answer(h, err)
}

func (f face) plots(ctx context.Context, who access.Actor) ([]PlotLine, error) {
	plots, err := f.PlotStore.Plots(ctx, who.Tenant, geo.PlotFilter{OwnerID: who.UserID})
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(plots))
	for i, p := range plots {
		ids[i] = p.ID
	}
	reports, err := f.PlotStore.LatestReports(ctx, who.Tenant, ids)
	if err != nil {
		return nil, err
	}
	lines := make([]PlotLine, len(plots))
	for i, p := range plots {
		lines[i] = PlotLine{Plot: p, Mu: p.Mu()}
		if r, ok := reports[p.ID]; ok {
			lines[i].ReportSummary = view.Summary(r)
		}
	}
	return lines, nil
}

type checkIn struct {
	Body struct {
		Polygon orb.Polygon `json:"polygon" maxItems:"20" doc:"coordinates of a GeoJSON polygon, WGS84"`
	}
}

func (f face) checkPlot(ctx context.Context, who access.Actor, in *checkIn) (*route.Body[geo.PlotCheck], error) {
	return route.Answer(f.Plots.Check(ctx, who.Tenant, in.Body.Polygon))
}

type suggestIn struct {
	Body struct {
		Lon float64 `json:"lon" minimum:"-180" maximum:"180" doc:"degrees, WGS84"`
		Lat float64 `json:"lat" minimum:"-90" maximum:"90" doc:"degrees, WGS84"`
	}
}

func (f face) suggestPlot(ctx context.Context, _ access.Actor, in *suggestIn) (*route.Body[boundary.Suggestion], error) {
	return route.Answer(f.Suggest(ctx, orb.Point{in.Body.Lon, in.Body.Lat}))
}

type addPlotIn struct {
	Key  string `header:"Idempotency-Key" minLength:"8" maxLength:"128" doc:"a new one for each plot, the same one for each retry"`
	Body struct {
		Name      string      `json:"name" minLength:"1" maxLength:"100"`
		Crop      string      `json:"crop,omitempty" maxLength:"50" doc:"crop code of the catalogue"`
		Polygon   orb.Polygon `json:"polygon" maxItems:"20" doc:"coordinates of a GeoJSON polygon, WGS84"`
		SourceCRS string      `json:"source_crs,omitempty" maxLength:"50" doc:"system of the device that drew it, when it was converted"`
		ClaimedM2 float64     `json:"claimed_m2,omitempty" minimum:"0" maximum:"100000000" doc:"as the holder states it; absent when they did not"`
	}
}

func (f face) addPlot(ctx context.Context, who access.Actor, in *addPlotIn) (*route.Body[geo.Plot], error) {
	b := in.Body
	if b.SourceCRS == "" {
		b.SourceCRS = "EPSG:4326"
	}
	p := geo.Plot{
		OwnerID: who.UserID, OwnerName: who.Name, Name: b.Name, Crop: b.Crop,
		Polygon: b.Polygon, SourceCRS: b.SourceCRS, Source: "drawn", ClaimedM2: b.ClaimedM2,
	}
	var err error
	if in.Key == "" {
		p, err = f.Plots.Add(ctx, who.Tenant, p)
	} else {
		p, err = f.Plots.AddOnce(ctx, who.Tenant, p, in.Key)
	}
	if err != nil {
		return nil, err
	}
	route.Touch(ctx, p.ID)
	return route.Answer(p, f.Report(ctx, who.Tenant, p.ID))
}

// PlotPage is a plot with its report.
type PlotPage struct {
	Plot   geo.Plot        `json:"plot"`
	Mu     float64         `json:"mu"`
	Report *geo.CropReport `json:"report,omitempty"` // absent until the first one is made
}

// ByID is the path of one thing. It is exported because the framework passes over
// unexported embedded fields.
type ByID struct {
	ID string `path:"id" maxLength:"64"`
}

func (f face) plot(ctx context.Context, who access.Actor, in *ByID) (*route.Body[PlotPage], error) {
	p, err := f.PlotStore.Plot(ctx, who.Tenant, in.ID)
	if err != nil {
		return nil, err
	}
	if p.OwnerID != who.UserID {
		return nil, geo.ErrPlotNotFound
	}
	report, err := f.PlotStore.LatestReport(ctx, who.Tenant, in.ID)
	if errors.Is(err, geo.ErrReportAbsent) {
		return route.Answer(PlotPage{Plot: p, Mu: p.Mu()}, nil)
	}
	return route.Answer(PlotPage{Plot: p, Mu: p.Mu(), Report: &report}, err)
}

// Ask is an application as the borrower words it.
type Ask struct {
	Subject    credit.Subject `json:"subject"`
	Product    string         `json:"product" minLength:"1" maxLength:"50" doc:"product code of the catalogue"`
	Asked      money.Fen      `json:"asked" minimum:"1" doc:"fen"`
	TermMonths int            `json:"term_months" minimum:"1" maximum:"360"`
	Purpose    string         `json:"purpose,omitempty" maxLength:"500"`
	// Consents are needed for what the borrower has not agreed to before.
	Consents []consent.Agreement `json:"consents,omitempty" maxItems:"20" doc:"what the borrower agrees to with it; the texts are in the catalogue"`
}

// Request is what the domain takes.
func (a Ask) Request() apply.Request {
	return apply.Request{Subject: a.Subject, Product: a.Product, Asked: a.Asked, TermMonths: a.TermMonths, Purpose: a.Purpose, Consents: a.Consents}
}

type applyIn struct {
	Key    string `header:"Idempotency-Key" required:"true" minLength:"8" maxLength:"128" doc:"a new one for each application, the same one for each retry"`
	Device string `header:"User-Agent"`
	Body   Ask
}

func (f face) apply(ctx context.Context, who access.Actor, in *applyIn) (*route.Body[apply.Application], error) {
	req := in.Body.Request()
	req.Channel, req.Device = product.Phone, in.Device
	app, err := f.Desk.Submit(ctx, who, req, in.Key)
	route.Touch(ctx, app.ID)
	return route.Answer(app, err)
}

func (f face) application(ctx context.Context, who access.Actor, in *ByID) (*route.Body[apply.Detail], error) {
	return route.Answer(f.Desk.DetailIn(ctx, who, in.ID, route.Lang(ctx)))
}

type amountIn struct {
	ByID
	Key  string `header:"Idempotency-Key" required:"true" minLength:"8" maxLength:"128" doc:"a new one for each payment, the same one for each retry"`
	Body struct {
		Amount money.Fen `json:"amount" minimum:"1" doc:"fen"`
	}
}

func (f face) draw(ctx context.Context, who access.Actor, in *amountIn) (*route.Body[loan.Loan], error) {
	return route.Answer(f.Desk.Draw(ctx, who, in.ID, in.Body.Amount, in.Key))
}

func (f face) withdraw(ctx context.Context, who access.Actor, in *ByID) (*route.Body[apply.Application], error) {
	return route.Answer(f.Desk.Withdraw(ctx, who, in.ID))
}

// MapScene is the image behind the map.
type MapScene struct {
	Item *view.Scene `json:"item,omitempty"` // absent when no image is there
	BBox [4]float64  `json:"bbox"`           // west, south, east, north
}

// fair is the share of cloud up to which an image serves as a map.
const fair = 0.05

func (f face) scene(context.Context, access.Actor, *struct{}) (*route.Body[MapScene], error) {
	var best *view.Scene
	for _, s := range f.Scenes() {
		if s.CloudShare <= fair {
			best = &s
			break
		}
		if best == nil || s.CloudShare < best.CloudShare {
			best = &s
		}
	}
	if best == nil {
		return route.Answer(MapScene{}, nil)
	}
	return route.Answer(MapScene{best, best.BBox}, nil)
}
