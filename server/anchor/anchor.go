// Package anchor is the portal of anchor enterprises: they upload who supplies them
// and what was traded, see what is wrong cell by cell, and commit or undo it. An
// anchor sees its own firm only.
package anchor

import (
	"context"
	"io"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/upload"
	"github.com/furrowcredit/furrow/server/route"
	"github.com/furrowcredit/furrow/sheet"
)

// Uploads takes files of an anchor; chain/upload.Service is one.
type Uploads interface {
	CheckFile(ctx context.Context, who upload.Who, kind chain.DocKind, fileName string, file io.Reader) (chain.Upload, error)
	Commit(ctx context.Context, who upload.Who, uploadID string, skipBad bool) (chain.Upload, error)
	Undo(ctx context.Context, who upload.Who, uploadID string) (chain.Upload, error)
	List(ctx context.Context, who upload.Who, before string, limit int) ([]chain.Upload, error)
	Get(ctx context.Context, who upload.Who, uploadID string) (chain.Upload, error)
	WriteErrors(ctx context.Context, who upload.Who, uploadID string, w io.Writer, title string, words func(chain.RowError) string) error
	Template(kind chain.DocKind) ([]byte, error)
}

// Standings tells where a firm stands in the chain.
type Standings interface {
	Standing(ctx context.Context, tenant, firmID string) (chain.Standing, error)
}

// Config is what the face shows.
type Config struct {
	Desk      Desk
	Uploads   Uploads
	Firms     chain.Store
	Partners  chain.Partners
	Standings Standings
	// Receivables is what the anchor owes and holds.
	Receivables Receivables
	Collateral  Collateral
	// Sales are the orders of directed money that the firm is to deliver.
	Sales Sales
	Loans Loans
	// Words gives the text of a cell's mistake in a language.
	Words func(lang, code, english string, args map[string]string) string
}

type face struct{ Config }

// maxFile is what chain/upload takes, and the form around it.
const maxFile = 257 << 20

// Register adds the operations of the face.
func Register(a *route.API, cfg Config) {
	f := face{cfg}
	op := func(id, method, path, summary string) route.Op {
		return route.Op{ID: "anchor-" + id, Method: method, Path: "/anchor" + path, Summary: summary, Tag: "anchor"}
	}
	upload := op("upload", http.MethodPost, "/uploads", "Check a file: nothing is written yet. A large one comes back as checking: ask for it again")
	upload.MaxBytes = maxFile
	route.Register(a, op("template", http.MethodGet, "/templates/{file}", "A template to fill in, such as suppliers.xlsx"), f.template)
	route.Register(a, upload, f.upload)
	route.Register(a, op("uploads", http.MethodGet, "/uploads", "What was uploaded, newest first"), f.uploads)
	route.Register(a, op("upload-get", http.MethodGet, "/uploads/{id}", "An upload with its mistakes, and how far the work on it is"), f.get)
	route.Register(a, op("upload-errors", http.MethodGet, "/uploads/{id}/errors", "The rows with mistakes as XLSX, to mend and send again"), f.errors)
	route.Register(a, op("upload-commit", http.MethodPost, "/uploads/{id}/commit", "Write the rows of a checked upload"), f.commit)
	route.Register(a, op("upload-undo", http.MethodPost, "/uploads/{id}/undo", "Take a committed upload back"), f.undo)
	route.Register(a, op("suppliers", http.MethodGet, "/suppliers", "Firms that sell to the anchor, page by page"), f.suppliers)
	route.Register(a, op("supplier-names", http.MethodGet, "/supplier-names", "Suppliers by a part of their name, to choose one"), f.supplierNames)
	route.Register(a, op("apply", http.MethodPost, "/applications", "Bring a supplier or dealer who wants to borrow"), f.apply)
	intake := op("intake", http.MethodPost, "/intake", "Upload a table of suppliers and dealers who want to borrow: what is wrong by cell, or all of them entered")
	intake.MaxBytes = sheet.MaxBytes + route.MaxJSON
	route.Register(a, op("intake-template", http.MethodGet, "/intake/template.xlsx", "A table of applications to fill in"), f.intakeTemplate)
	route.Register(a, intake, f.intake)
	f.registerReceivables(a, op)
	f.registerSales(a, op)
	route.Register(a, op("pledge-notices", http.MethodGet, "/pledge-notices", "What we owe that suppliers pledged: it is to be paid to the funder"), f.pledgeNotices)
	route.Register(a, op("loans", http.MethodGet, "/loans", "Loans that stand on receivables that we owe or goods that we sold"), f.financed)
}

func of(who access.Actor) upload.Who {
	return upload.Who{Tenant: who.Tenant, AnchorID: who.FirmID, UserID: who.UserID, UserName: who.Name}
}

const xlsx = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

type templateIn struct {
	File string `path:"file" doc:"suppliers.xlsx, contracts.xlsx, orders.xlsx, deliveries.xlsx, invoices.xlsx, payments.xlsx or confirmations.xlsx"`
}

type fileOut struct {
	Type        string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Body        []byte
}

func (f face) template(_ context.Context, _ access.Actor, in *templateIn) (*fileOut, error) {
	kind := strings.TrimSuffix(in.File, ".xlsx")
	b, err := f.Uploads.Template(chain.DocKind(kind))
	if err != nil {
		return nil, err
	}
	return &fileOut{
		Type:        xlsx,
		Disposition: `attachment; filename="` + kind + `.xlsx"`,
		Body:        b,
	}, nil
}

type uploadIn struct {
	RawBody huma.MultipartFormFiles[struct {
		Kind string        `form:"kind" required:"true" enum:"suppliers,contracts,orders,deliveries,invoices,payments,confirmations"`
		File huma.FormFile `form:"file" required:"true" contentType:"application/octet-stream" doc:"CSV (UTF-8, GBK) of at most 256 MiB or XLSX of at most 128 MiB, a million rows"`
	}]
}

func (f face) upload(ctx context.Context, who access.Actor, in *uploadIn) (*route.Body[chain.Upload], error) {
	form := in.RawBody.Data()
	defer func() { _ = form.File.Close() }()
	u, err := f.Uploads.CheckFile(ctx, of(who), chain.DocKind(form.Kind), form.File.Filename, form.File)
	route.Touch(ctx, u.ID)
	return route.Answer(f.worded(ctx, u), err)
}

// worded puts the mistakes of u into the reader's language.
func (f face) worded(ctx context.Context, u chain.Upload) chain.Upload {
	errs := make([]chain.RowError, len(u.Errors))
	for i, e := range u.Errors {
		e.Msg = f.Words(route.Lang(ctx), e.Code, e.Msg, e.Args)
		errs[i] = e
	}
	u.Errors = errs
	if u.Failure != nil {
		why := *u.Failure
		why.Msg = f.Words(route.Lang(ctx), why.Code, why.Msg, why.Args)
		u.Failure = &why
	}
	return u
}

type uploadsIn struct {
	Before string `query:"before" maxLength:"64" doc:"next of the page before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
}

func (f face) uploads(ctx context.Context, who access.Actor, in *uploadsIn) (*route.Body[route.List[chain.Upload]], error) {
	items, err := f.Uploads.List(ctx, of(who), in.Before, in.Limit)
	for i, u := range items {
		items[i] = f.worded(ctx, u)
	}
	return route.Page(items, err, in.Limit, func(u chain.Upload) string { return u.ID })
}

// errors streams the file of bad rows: it may be as large as what came.
func (f face) errors(ctx context.Context, who access.Actor, in *ByID) (*huma.StreamResponse, error) {
	u, err := f.Uploads.Get(ctx, of(who), in.ID)
	switch {
	case err != nil:
		return nil, err
	case u.AnchorID != who.FirmID:
		return nil, chain.ErrUploadNotFound
	case u.Bad == 0:
		return nil, upload.ErrNoErrors
	}
	lang := route.Lang(ctx)
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		hc.SetHeader("Content-Type", xlsx)
		hc.SetHeader("Content-Disposition", `attachment; filename="errors.xlsx"`)
		title := f.Words(lang, "upload.remark_title", "what is wrong", nil)
		// Who reads it sees a broken file if this fails; the headers are gone.
		_ = f.Uploads.WriteErrors(ctx, of(who), in.ID, hc.BodyWriter(), title, func(e chain.RowError) string { return f.Words(lang, e.Code, e.Msg, e.Args) })
	}}, nil
}

// ByID is the path of one thing. It is exported because the framework passes over
// unexported embedded fields.
type ByID struct {
	ID string `path:"id" maxLength:"64"`
}

func (f face) get(ctx context.Context, who access.Actor, in *ByID) (*route.Body[chain.Upload], error) {
	u, err := f.Uploads.Get(ctx, of(who), in.ID)
	if err == nil && u.AnchorID != who.FirmID {
		return nil, chain.ErrUploadNotFound
	}
	return route.Answer(f.worded(ctx, u), err)
}

type commitIn struct {
	ByID
	Body struct {
		SkipBad bool `json:"skip_bad,omitempty" doc:"write the good rows although others are wrong"`
	}
}

func (f face) commit(ctx context.Context, who access.Actor, in *commitIn) (*route.Body[chain.Upload], error) {
	if _, err := f.get(ctx, who, &in.ByID); err != nil {
		return nil, err
	}
	u, err := f.Uploads.Commit(ctx, of(who), in.ID, in.Body.SkipBad)
	return route.Answer(f.worded(ctx, u), err)
}

func (f face) undo(ctx context.Context, who access.Actor, in *ByID) (*route.Body[chain.Upload], error) {
	if _, err := f.get(ctx, who, in); err != nil {
		return nil, err
	}
	u, err := f.Uploads.Undo(ctx, of(who), in.ID)
	return route.Answer(f.worded(ctx, u), err)
}
