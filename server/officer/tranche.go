package officer

import (
	"context"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/server/route"
	"github.com/furrowcredit/furrow/server/view"
)

// Tranches tells of the parts in which a loan goes out; apply.Service does.
type Tranches interface {
	Tranches(ctx context.Context, who access.Actor, loanID string) ([]apply.TrancheView, error)
}

// Inspections are what officers see on the ground for a tranche; loan.Service keeps them.
type Inspections interface {
	Inspect(ctx context.Context, actor access.Actor, loanID string, nr int, found bool, note string) (loan.Loan, error)
	Confirm(ctx context.Context, actor access.Actor, loanID string, nr int) (loan.Loan, error)
}

func (f face) registerTranches(a *route.API, get, post func(id, path, summary string) route.Op) {
	const all = "/loans/{id}/tranches"
	route.Register(a, get("tranches", all, "The parts in which a loan goes out, and why one does not yet"), f.tranches)
	route.Register(a, post("tranche-inspect", all+"/{nr}/inspections", "Write down what an inspection for a part found"), f.inspectTranche)
	route.Register(a, post("tranche-confirm", all+"/{nr}/confirm", "Stand for a colleague's inspection"), f.confirmTranche)
}

func (f face) tranches(ctx context.Context, who access.Actor, in *ByID) (*route.Body[route.List[view.Tranche]], error) {
	list, err := f.Desk.Tranches(ctx, who, in.ID)
	return route.Page(view.Tranches(list, route.Lang(ctx), f.Words), err, 0, func(view.Tranche) string { return "" })
}

type inspectIn struct {
	view.TrancheNr
	Body struct {
		Found bool   `json:"found" doc:"what the part waits for is there"`
		Note  string `json:"note" minLength:"1" maxLength:"500" doc:"what was seen, where and when"`
	}
}

func (f face) inspectTranche(ctx context.Context, who access.Actor, in *inspectIn) (*route.Body[loan.Loan], error) {
	return route.Answer(f.Book.Inspect(ctx, who, in.ID, in.Nr, in.Body.Found, in.Body.Note))
}

func (f face) confirmTranche(ctx context.Context, who access.Actor, in *view.TrancheNr) (*route.Body[loan.Loan], error) {
	return route.Answer(f.Book.Confirm(ctx, who, in.ID, in.Nr))
}
