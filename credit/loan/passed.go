package loan

import (
	"context"
	"slices"
	"strings"

	"github.com/furrowcredit/furrow/credit/loan/cost"
	"github.com/furrowcredit/furrow/credit/loan/servicing"
	"github.com/furrowcredit/furrow/money"
)

// Passed is what the fees of a loan for another than the bank came to.
type Passed struct {
	LoanID   string    `json:"loan_id"`
	Borrower string    `json:"borrower"`
	Product  string    `json:"product"`
	To       string    `json:"to,omitempty"` // who, as the contract names it
	Charged  money.Fen `json:"charged"`      // and not let off, as things stand
	// Paid by the borrower up to the day. What was undone since does not count.
	Paid money.Fen `json:"paid"`
}

// Passed tells of some loans what was charged and paid for a payee up to the end of a day.
// Loans that are not there are left out.
func (s *Service) Passed(ctx context.Context, tenant string, payee cost.Payee, through money.Date, ids []string) ([]Passed, error) {
	out := make([]Passed, 0, len(ids))
	for part := range slices.Chunk(ids, 500) {
		loans, err := s.cfg.Store.Some(ctx, tenant, part)
		if err != nil {
			return nil, err
		}
		past, err := s.cfg.Store.Happenings(ctx, tenant, part...)
		if err != nil {
			return nil, err
		}
		for i := range loans {
			b := s.open(loans[i], past[loans[i].ID])
			x, err := b.passed(payee, through)
			if err != nil {
				return nil, err
			}
			out = append(out, x)
		}
	}
	slices.SortFunc(out, func(a, b Passed) int { return strings.Compare(a.LoanID, b.LoanID) })
	return out, nil
}

func (b *book) passed(payee cost.Payee, through money.Date) (Passed, error) {
	out := Passed{LoanID: b.ID, Borrower: b.UserName, Product: b.Product}
	if i := slices.IndexFunc(b.Fees, func(f cost.Fee) bool { return f.Payee == payee }); i >= 0 {
		out.To = b.Fees[i].To
	}
	if len(b.events) == 0 {
		return out, nil
	}
	now, err := b.passedOn(payee, b.DayEnd)
	if err != nil {
		return out, err
	}
	out.Charged, out.Paid = now.Charged-now.Waived, now.Paid
	if through < b.DrawnOn {
		out.Paid = 0
	} else if through < b.DayEnd {
		then, err := b.passedOn(payee, through)
		if err != nil {
			return out, err
		}
		out.Paid = min(out.Paid, then.Paid)
	}
	return out, nil
}

func (b *book) passedOn(payee cost.Payee, day money.Date) (servicing.PassedOn, error) {
	st, err := servicing.Replay(b.terms(), b.events, day)
	if err != nil {
		return servicing.PassedOn{}, err
	}
	for _, x := range st.PassedOn {
		if x.Payee == string(payee) {
			return x, nil
		}
	}
	return servicing.PassedOn{}, nil
}
