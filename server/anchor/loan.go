package anchor

import (
	"cmp"
	"context"
	"slices"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/pay/purchase"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/server/route"
)

// Loans are what was lent; loan.Service has them.
type Loans interface {
	Loan(ctx context.Context, tenant, id string) (loan.Loan, error)
	Loans(ctx context.Context, tenant string, f loan.Filter) ([]loan.Loan, error)
}

// FinancedLoan is what an anchor may know of a loan that stands on what it confirmed:
// nothing of prices, arrears in yuan or what else the borrower owes.
type FinancedLoan struct {
	Basis   string     `json:"basis" enum:"receivable,sale" doc:"a receivable that we owe, or goods that we sold"`
	Ref     string     `json:"ref" doc:"of the receivable or the order"`
	Name    string     `json:"name" doc:"the firm, or the buyer"`
	Product string     `json:"product"`
	Amount  money.Fen  `json:"amount" doc:"that was lent"`
	State   loan.State `json:"state" enum:"active,overdue,closed"`
	DrawnOn money.Date `json:"drawn_on"`
	DueOn   money.Date `json:"due_on" doc:"of the last instalment"`
}

// mostLoans is how many receivables and orders are looked at, the newest first.
const mostLoans = 500

// financed are the loans of the anchor's own chain: those for which a receivable that it
// confirmed is or was held, and those that paid its sales.
func (f face) financed(ctx context.Context, who access.Actor, _ *struct{}) (*route.Body[route.List[FinancedLoan]], error) {
	out := []FinancedLoan{}
	if who.FirmID == "" {
		return route.Page(out, nil, 0, func(FinancedLoan) string { return "" })
	}
	notices, err := f.Collateral.Notices(ctx, who.Tenant, who.FirmID)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, n := range notices {
		if seen[n.ApplicationID] {
			continue
		}
		seen[n.ApplicationID] = true
		list, err := f.Loans.Loans(ctx, who.Tenant, loan.Filter{ApplicationID: n.ApplicationID, Limit: mostLoans})
		if err != nil {
			return nil, err
		}
		for i := range list {
			out = show(out, &list[i], "receivable", n.ReceivableID)
		}
	}
	sales, err := f.Sales.Orders(ctx, who, purchase.Filter{States: []purchase.State{purchase.Paid, purchase.Refunding, purchase.Refunded}, Limit: mostLoans})
	if err != nil {
		return nil, err
	}
	for i := range sales {
		if sales[i].LoanID == "" {
			continue
		}
		l, err := f.Loans.Loan(ctx, who.Tenant, sales[i].LoanID)
		if err != nil {
			return nil, err
		}
		out = show(out, &l, "sale", sales[i].ID)
	}
	slices.SortStableFunc(out, func(a, b FinancedLoan) int { return cmp.Compare(b.DrawnOn, a.DrawnOn) })
	return route.Page(out, nil, 0, func(FinancedLoan) string { return "" })
}

// show adds a loan whose money went out. That the bank has given one up is its own affair.
func show(out []FinancedLoan, l *loan.Loan, basis, ref string) []FinancedLoan {
	state := l.State
	switch state {
	case loan.Drawing, loan.Failed:
		return out
	case loan.WrittenOff:
		state = loan.Overdue
	default: // as it is
	}
	name := l.UserName
	if l.Subject.Kind == credit.FirmSubject {
		name = l.SubjectName
	}
	return append(out, FinancedLoan{basis, ref, name, l.Product, l.Principal, state, l.DrawnOn, l.DueOn})
}
