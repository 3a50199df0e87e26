package partner

import (
	"context"
	"net/http"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/credit/contract"
	"github.com/furrowcredit/furrow/credit/loan/schedule"
	"github.com/furrowcredit/furrow/server/farmer"
	"github.com/furrowcredit/furrow/server/route"
	"github.com/furrowcredit/furrow/server/view"
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

func (f face) intake(ctx context.Context, who access.Actor, in *view.IntakeForm) (*route.Body[apply.ImportReport], error) {
	return view.Intake(ctx, in, func(ctx context.Context, req apply.ImportRequest) (apply.ImportReport, error) {
		return f.Desk.Import(ctx, who, req)
	}, f.Words)
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
