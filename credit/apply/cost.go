package apply

import (
	"math"

	"github.com/furrowcredit/furrow/credit/loan/schedule"
	"github.com/furrowcredit/furrow/money"
)

// costOf lays out terms and reckons what they cost.
func costOf(t schedule.Terms) ([]schedule.Row, LoanCost, error) {
	rows, err := schedule.Make(t)
	if err != nil {
		return nil, LoanCost{}, err
	}
	c := LoanCost{Total: t.Principal}
	used := 0.0 // principal times days
	for _, r := range rows {
		c.Interest += r.Interest
		c.Fees += r.Fee
		used += float64(r.Balance+r.Principal) * float64(r.Days)
	}
	c.Total += c.Interest + c.Fees
	if used > 0 {
		c.SimpleRate = rate(float64(c.Interest+c.Fees) * 365 / used)
	}
	c.IRR = irr(t, rows)
	return rows, c, nil
}

// irr solves Σ due/(1+r)^(days/365) = principal by halving.
func irr(t schedule.Terms, rows []schedule.Row) money.Rate {
	worth := func(r float64) float64 {
		sum := -float64(t.Principal)
		for _, x := range rows {
			sum += float64(x.Due) * math.Pow(1+r, -float64(x.DueOn-t.Start)/365)
		}
		return sum
	}
	lo, hi := 0.0, 1.0
	for worth(hi) > 0 && hi < 1e6 {
		hi *= 2
	}
	for range 100 {
		if mid := (lo + hi) / 2; worth(mid) > 0 {
			lo = mid
		} else {
			hi = mid
		}
	}
	return rate(hi)
}

// rate rounds to a basis point, as rates are shown.
func rate(x float64) money.Rate { return money.BP(int64(math.Round(x * 10_000))) }
