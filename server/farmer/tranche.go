package farmer

import (
	"context"
	"net/http"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/server/route"
	"github.com/furrowcredit/furrow/server/view"
)

// Tranches are the parts in which a loan goes out; apply.Service has them.
type Tranches interface {
	Tranches(ctx context.Context, who access.Actor, loanID string) ([]apply.TrancheView, error)
	DrawTranche(ctx context.Context, who access.Actor, loanID string, nr int, amount money.Fen, key string) (loan.Loan, error)
	CancelTranches(ctx context.Context, who access.Actor, loanID string) (loan.Loan, error)
}

func (f face) registerTranches(a *route.API, op func(id, method, path, summary string) route.Op) {
	const all = "/loans/{id}/tranches"
	route.Register(a, op("tranches", http.MethodGet, all, "The parts in which a loan goes out, and why one does not yet"), f.tranches)
	route.Register(a, op("tranche-draw", http.MethodPost, all+"/{nr}/draw", "Have the next part of a loan paid out"), f.drawTranche)
	route.Register(a, op("tranches-cancel", http.MethodPost, all+"/cancel", "Give up what has not gone out of a loan"), f.cancelTranches)
}

func (f face) tranches(ctx context.Context, who access.Actor, in *ByID) (*route.Body[view.TranchePage], error) {
	list, err := f.Desk.Tranches(ctx, who, in.ID)
	return route.Answer(view.Plan(view.Tranches(list, route.Lang(ctx), f.Words)), err)
}

func (f face) drawTranche(ctx context.Context, who access.Actor, in *view.TrancheDraw) (*route.Body[loan.Loan], error) {
	return route.Answer(f.Desk.DrawTranche(ctx, who, in.ID, in.Nr, 0, in.Key)) // all of it
}

func (f face) cancelTranches(ctx context.Context, who access.Actor, in *ByID) (*route.Body[loan.Loan], error) {
	return route.Answer(f.Desk.CancelTranches(ctx, who, in.ID))
}
