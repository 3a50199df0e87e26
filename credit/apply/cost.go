package apply

import (
	"github.com/furrowcredit/furrow/credit/loan/cost"
	"github.com/furrowcredit/furrow/credit/loan/schedule"
)

// costOf lays out terms and reckons what they cost.
func costOf(t schedule.Terms) ([]schedule.Row, LoanCost, error) {
	rows, err := schedule.Make(t)
	if err != nil {
		return nil, LoanCost{}, err
	}
	c := LoanCost{Total: t.Principal}
	for _, r := range rows {
		c.Interest += r.Interest
		c.Fees += r.Fee
	}
	c.Total += c.Interest + c.Fees
	a, err := cost.Of(t, rows, nil)
	c.SimpleRate, c.IRR = a.Simple, a.Effective
	return rows, c, err
}
