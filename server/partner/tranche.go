package partner

import (
	"context"
	"net/http"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/server/route"
	"github.com/furrowcredit/furrow/server/view"
)

func (f face) registerTranches(a *route.API) {
	op := func(id, method, path, summary string) route.Op {
		return route.Op{ID: "partner-" + id, Method: method, Path: "/partner/loans/{id}/tranches" + path, Summary: summary, Tag: "partner"}
	}
	route.Register(a, op("tranches", http.MethodGet, "", "The parts in which a loan goes out that the partner brought, and why one does not yet"), f.tranches)
	route.Register(a, op("tranche-draw", http.MethodPost, "/{nr}/draw", "Have the next part of a loan paid out to its borrower"), f.drawTranche)
	route.Register(a, op("tranches-cancel", http.MethodPost, "/cancel", "Give up what has not gone out of a loan"), f.cancelTranches)
}

func (f face) tranches(ctx context.Context, who access.Actor, in *byID) (*route.Body[view.TranchePage], error) {
	list, err := f.Desk.Tranches(ctx, who, in.ID)
	return route.Answer(view.Plan(view.Tranches(list, route.Lang(ctx), f.Words)), err)
}

type trancheIn struct {
	view.TrancheDraw
	Body struct {
		Amount money.Fen `json:"amount" minimum:"1" doc:"fen; at most the part, and what is left of it is given up"`
	}
}

func (f face) drawTranche(ctx context.Context, who access.Actor, in *trancheIn) (*route.Body[loan.Loan], error) {
	return route.Answer(f.Desk.DrawTranche(ctx, who, in.ID, in.Nr, in.Body.Amount, in.Key))
}

func (f face) cancelTranches(ctx context.Context, who access.Actor, in *byID) (*route.Body[loan.Loan], error) {
	return route.Answer(f.Desk.CancelTranches(ctx, who, in.ID))
}
