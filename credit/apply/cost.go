package apply

import (
	"context"
	"errors"
	"slices"

	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/loan/cost"
	"github.com/furrowcredit/furrow/credit/loan/schedule"
	"github.com/furrowcredit/furrow/money"
)

// FeeSum is what one fee comes to over a loan.
type FeeSum struct {
	Code   string            `json:"code"`
	Name   map[string]string `json:"name"` // by language
	Payee  cost.Payee        `json:"payee"`
	When   cost.Moment       `json:"when"`
	Amount money.Fen         `json:"amount"`
}

// costOf lays out terms with fees and reckons what they cost.
func costOf(t schedule.Terms, fees []cost.Fee) ([]schedule.Row, LoanCost, error) {
	rows, err := schedule.Make(t)
	if err != nil {
		return nil, LoanCost{}, err
	}
	charges, err := cost.Charges(fees, t, rows)
	if err != nil {
		return nil, LoanCost{}, err
	}
	rows = cost.Charged(rows, charges)
	a, err := cost.Of(t, rows, nil)
	if err != nil {
		return nil, LoanCost{}, err
	}
	lent, err := t.Lent()
	c := LoanCost{Interest: a.Interest, Fees: a.Fees, Total: lent + a.Interest + a.Fees, SimpleRate: a.Simple, IRR: a.Effective}
	for _, f := range fees {
		x := FeeSum{Code: f.Code, Name: f.Name, Payee: f.Payee, When: f.When}
		for _, charge := range charges {
			if charge.Fee == f.Code {
				x.Amount += charge.Amount
			}
		}
		c.Charges = append(c.Charges, x)
	}
	return rows, c, err
}

// feesOf are those that the next loan under an application costs: what is charged at the
// signing comes with the first one.
func (s *Service) feesOf(ctx context.Context, a Application, fees []cost.Fee) ([]cost.Fee, error) {
	once := func(f cost.Fee) bool { return f.When == cost.Signing }
	if !slices.ContainsFunc(fees, once) {
		return fees, nil
	}
	_, err := s.cfg.Loans.ByApplication(ctx, a.Tenant, a.ID)
	if errors.Is(err, loan.ErrNotFound) {
		return fees, nil
	}
	return slices.DeleteFunc(slices.Clone(fees), once), err
}
