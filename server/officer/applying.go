package officer

import (
	"context"
	"io"

	"github.com/danielgtaylor/huma/v2"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/credit/apply/intake"
	"github.com/furrowcredit/furrow/credit/contract"
	"github.com/furrowcredit/furrow/credit/loan/schedule"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/server/farmer"
	"github.com/furrowcredit/furrow/server/route"
	"github.com/furrowcredit/furrow/server/view"
	"github.com/furrowcredit/furrow/sheet"
)

// Applying is what of the desk the counter needs; apply.Service has it.
type Applying interface {
	Submit(ctx context.Context, who access.Actor, req apply.Request, key string) (apply.Application, error)
	Import(ctx context.Context, who access.Actor, r apply.ImportRequest) (apply.ImportReport, error)
	Document(ctx context.Context, who access.Actor, id, lang string, way schedule.Method) ([]byte, apply.Contract, error)
	Signatures(ctx context.Context, who access.Actor, id string) ([]contract.Signature, error)
	Verify(ctx context.Context, tenant string, q apply.Question) (apply.ContractCheck, error)
	SetSureties(ctx context.Context, who access.Actor, id string, list []apply.Guarantor) ([]apply.Guarantor, error)
	SignSurety(ctx context.Context, who access.Actor, id string, nr int, by apply.Signing) (apply.Application, error)
}

func (f face) registerApplying(a *route.API, get, post func(id, path, summary string) route.Op) {
	upload := func(op route.Op) route.Op { op.MaxBytes = sheet.MaxBytes + route.MaxJSON; return op }
	route.Register(a, post("apply", "/applications", "Enter an application of a borrower, from a paper"), f.apply)
	route.Register(a, get("intake-template", "/intake/template.xlsx", "A table of applications to fill in"), f.intakeTemplate)
	route.Register(a, upload(post("intake", "/intake", "Upload a table of applications: what is wrong by cell, or all of them entered")), f.intake)
	route.Register(a, get("contract-file", "/applications/{id}/contract.pdf", "The contract as PDF: what was signed, or what is to be"), f.contractFile)
	route.Register(a, get("signatures", "/applications/{id}/signatures", "The evidence of the signatures"), f.signatures)
	route.Register(a, upload(post("contract-verify", "/contracts/verify", "Say whether a PDF is the contract that was signed, and who signed it")), f.verify)
	route.Register(a, post("guarantors", "/applications/{id}/guarantors", "Name who answers for a loan besides its borrower"), f.setGuarantors)
	route.Register(a, post("guarantor-sign", "/applications/{id}/guarantors/{nr}/sign", "Enter the letter of one who answers for a loan"), f.signGuarantor)
}

type counterIn struct {
	Key    string `header:"Idempotency-Key" required:"true" minLength:"8" maxLength:"128" doc:"a new one for each application, the same one for each retry"`
	Device string `header:"User-Agent"`
	Body   struct {
		farmer.Ask
		StatedOn money.Date `json:"stated_on,omitzero" doc:"day of the paper; an earlier one than today is an operator's right"`
		Why      string     `json:"reason,omitempty" maxLength:"1000" doc:"why it was not entered on that day"`
	}
}

func (f face) apply(ctx context.Context, who access.Actor, in *counterIn) (*route.Body[apply.Application], error) {
	req := in.Body.Request()
	req.Channel, req.Device, req.StatedOn, req.Why = product.Counter, in.Device, in.Body.StatedOn, in.Body.Why
	app, err := f.Desk.Submit(ctx, who, req, in.Key)
	route.Touch(ctx, app.ID)
	return route.Answer(app, err)
}

const xlsx = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

func (f face) intakeTemplate(context.Context, access.Actor, *struct{}) (*farmer.File, error) {
	body, err := intake.Template()
	return &farmer.File{Type: xlsx, Disposition: `attachment; filename="applications.xlsx"`, Body: body}, err
}

func (f face) intake(ctx context.Context, who access.Actor, in *view.IntakeForm) (*route.Body[apply.ImportReport], error) {
	return view.Intake(ctx, in, func(ctx context.Context, req apply.ImportRequest) (apply.ImportReport, error) {
		return f.Desk.Import(ctx, who, req)
	}, f.Words)
}

func (f face) contractFile(ctx context.Context, who access.Actor, in *farmer.ContractIn) (*farmer.File, error) {
	return farmer.PDF(f.Desk.Document(ctx, who, in.ID, route.Lang(ctx), in.Method))
}

func (f face) signatures(ctx context.Context, who access.Actor, in *ByID) (*route.Body[route.List[contract.Signature]], error) {
	items, err := f.Desk.Signatures(ctx, who, in.ID)
	return route.Page(items, err, 0, nil)
}

type verifyIn struct {
	RawBody huma.MultipartFormFiles[struct {
		File          huma.FormFile `form:"file" required:"false" contentType:"application/octet-stream" doc:"the PDF; without it the stored one is checked"`
		ApplicationID string        `form:"application_id" required:"false" maxLength:"64"`
	}]
}

func (f face) verify(ctx context.Context, who access.Actor, in *verifyIn) (*route.Body[apply.ContractCheck], error) {
	form := in.RawBody.Data()
	q := apply.Question{ApplicationID: form.ApplicationID}
	if form.File.IsSet {
		defer func() { _ = form.File.Close() }()
		body, err := io.ReadAll(io.LimitReader(form.File, sheet.MaxBytes+1))
		if err != nil {
			return nil, err
		}
		q.File = body
	}
	return route.Answer(f.Desk.Verify(ctx, who.Tenant, q))
}

// GuarantorAsk is one who shall answer for a loan.
type GuarantorAsk struct {
	UserID string `json:"user_id,omitempty" maxLength:"64" doc:"id or login of a person of the house, whose name is taken; they sign on their phone"`
	Name   string `json:"name,omitempty" maxLength:"100"`
	Code   string `json:"code,omitempty" maxLength:"18" doc:"credit code of a firm"`
}

type guarantorsIn struct {
	ByID
	Body struct {
		Guarantors []GuarantorAsk `json:"guarantors" maxItems:"10"`
	}
}

func (f face) setGuarantors(ctx context.Context, who access.Actor, in *guarantorsIn) (*route.Body[route.List[apply.Guarantor]], error) {
	list := make([]apply.Guarantor, len(in.Body.Guarantors))
	for i, g := range in.Body.Guarantors {
		list[i] = apply.Guarantor{UserID: g.UserID, Name: g.Name, Code: g.Code}
		if g.UserID == "" {
			continue
		}
		u, err := f.People.Find(ctx, who.Tenant, g.UserID)
		if err == nil && u.Role != access.Borrower {
			err = access.ErrUserNotFound
		}
		if err != nil {
			return nil, err
		}
		list[i].UserID, list[i].Name = u.ID, u.Name
	}
	items, err := f.Desk.SetSureties(ctx, who, in.ID, list)
	return route.Page(items, err, 0, nil)
}

type signGuarantorIn struct {
	farmer.BySurety
	farmer.Signature
}

func (f face) signGuarantor(ctx context.Context, who access.Actor, in *signGuarantorIn) (*route.Body[apply.Application], error) {
	return route.Answer(f.Desk.SignSurety(ctx, who, in.ID, in.Nr, in.Signing()))
}
