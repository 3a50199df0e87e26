package partner

import (
	"context"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/credit/contract"
	"github.com/furrowcredit/furrow/credit/loan/schedule"
	"github.com/furrowcredit/furrow/server/farmer"
	"github.com/furrowcredit/furrow/server/route"
	"github.com/furrowcredit/furrow/sheet"
)

// Applying is what of the desk contracts and tables need; apply.Service has it.
type Applying interface {
	Import(ctx context.Context, who access.Actor, r apply.ImportRequest) (apply.ImportReport, error)
	ContractBy(ctx context.Context, who access.Actor, id, lang string, way schedule.Method) (apply.Contract, error)
	Document(ctx context.Context, who access.Actor, id, lang string, way schedule.Method) ([]byte, apply.Contract, error)
	Signatures(ctx context.Context, who access.Actor, id string) ([]contract.Signature, error)
}

func (f face) registerApplying(a *route.API) {
	op := func(id, method, path, summary string) route.Op {
		return route.Op{ID: "partner-" + id, Method: method, Path: "/partner" + path, Summary: summary, Tag: "partner"}
	}
	intake := op("intake", http.MethodPost, "/intake", "Upload a table of applications: what is wrong by cell, or all of them entered")
	intake.MaxBytes = sheet.MaxBytes + route.MaxJSON
	route.Register(a, intake, f.intake)
	route.Register(a, op("contract", http.MethodGet, "/applications/{id}/contract", "The contract: what was signed, or what is to be"), f.contract)
	route.Register(a, op("contract-file", http.MethodGet, "/applications/{id}/contract.pdf", "The contract as PDF"), f.contractFile)
	route.Register(a, op("signatures", http.MethodGet, "/applications/{id}/signatures", "The evidence of the signatures"), f.signatures)
}

type intakeIn struct {
	RawBody huma.MultipartFormFiles[struct {
		File    huma.FormFile `form:"file" required:"true" contentType:"application/octet-stream" doc:"XLSX or CSV (UTF-8, GBK)"`
		DryRun  bool          `form:"dry_run" required:"false" doc:"only say what would happen"`
		SkipBad bool          `form:"skip_bad" required:"false" doc:"enter the good rows although others are wrong"`
	}]
}

func (f face) intake(ctx context.Context, who access.Actor, in *intakeIn) (*route.Body[apply.ImportReport], error) {
	form := in.RawBody.Data()
	defer func() { _ = form.File.Close() }()
	body, err := io.ReadAll(io.LimitReader(form.File, sheet.MaxBytes+1))
	if err != nil {
		return nil, err
	}
	report, err := f.Desk.Import(ctx, who, apply.ImportRequest{Body: body, DryRun: form.DryRun, SkipBad: form.SkipBad})
	for i, r := range report.Remarks {
		report.Remarks[i].Why = f.Words(route.Lang(ctx), r.Code, r.Why, r.Args)
	}
	return route.Answer(report, err)
}

func (f face) contract(ctx context.Context, who access.Actor, in *farmer.ContractIn) (*route.Body[apply.Contract], error) {
	return route.Answer(f.Desk.ContractBy(ctx, who, in.ID, route.Lang(ctx), in.Method))
}

func (f face) contractFile(ctx context.Context, who access.Actor, in *farmer.ContractIn) (*farmer.File, error) {
	return farmer.PDF(f.Desk.Document(ctx, who, in.ID, route.Lang(ctx), in.Method))
}

func (f face) signatures(ctx context.Context, who access.Actor, in *byID) (*route.Body[route.List[contract.Signature]], error) {
	items, err := f.Desk.Signatures(ctx, who, in.ID)
	return route.Page(items, err, 0, nil)
}
