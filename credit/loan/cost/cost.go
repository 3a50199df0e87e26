// Package cost is what a loan costs a year with all its fees: as a simple rate on the
// principal in use, and as the internal rate of return. PBOC Announcement 2021 No. 3 asks
// for an annualised rate on real cash flows, with the method named. Amounts are integer
// fen and the rates are found in integers: the same rates on every machine.
package cost

import (
	"cmp"
	"slices"

	"github.com/furrowcredit/furrow/credit/loan/schedule"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/money/decimal"
)

// ErrNoRate is returned for flows that have no rate, or more than one.
var ErrNoRate = fault.New(fault.Invalid, "cost.no_rate", "these payments have no yearly cost: {why}")

// Flow is money on a day, as the borrower sees it: above zero is received, below zero paid.
type Flow struct {
	On     money.Date `json:"on"`
	Amount money.Fen  `json:"amount"`
}

// Annual is the yearly cost of a loan.
type Annual struct {
	// Simple is all that is paid beyond the principal over principal × time in use, in years
	// of 365 days.
	Simple money.Rate `json:"simple"`
	// Nominal is 12 times the monthly internal rate of return.
	Nominal money.Rate `json:"nominal"`
	// Effective is the monthly internal rate of return compounded over a year.
	Effective money.Rate `json:"effective"`
	Interest  money.Fen  `json:"interest"`
	Fees      money.Fen  `json:"fees"`
}

// Of is the yearly cost of rows that were made from t, with fees that the borrower pays
// beside them: each day and amount above zero, from the day of drawing on. It returns
// ErrNoRate.
func Of(t schedule.Terms, rows []schedule.Row, fees []Flow) (Annual, error) {
	if len(rows) == 0 {
		return Annual{}, noRate("there are no payments")
	}
	flows := make([]Flow, 0, 1+len(t.Tranches)+len(rows)+len(fees))
	flows = append(flows, Flow{t.Start, t.Principal})
	for _, x := range t.Tranches {
		flows = append(flows, Flow(x))
	}
	principal := slices.Clone(flows) // in use: what went out less what came back
	var a Annual
	for i := range rows {
		r := &rows[i]
		flows = append(flows, Flow{r.DueOn, -r.Due})
		principal = append(principal, Flow{r.DueOn, -r.Principal})
		a.Interest += r.Interest
		a.Fees += r.Fee
	}
	for _, f := range fees {
		if f.Amount < 0 || f.On < t.Start {
			return Annual{}, noRate("a fee is not below zero and not before the loan")
		}
		flows = append(flows, Flow{f.On, -f.Amount})
		a.Fees += f.Amount
	}
	if a.Interest < 0 || a.Fees < 0 || a.Interest+a.Fees < 0 {
		return Annual{}, money.ErrOverflow
	}
	var err error
	if a.Simple, err = simple(principal, a.Interest+a.Fees); err != nil {
		return Annual{}, err
	}
	a.Nominal, a.Effective, err = IRR(flows)
	return a, err
}

func noRate(why string) error { return ErrNoRate.With("why", why) }

// simple is cost / Σ balance × days, times 365.
func simple(principal []Flow, cost money.Fen) (money.Rate, error) {
	inOrder(principal)
	var used decimal.Decimal // fen × days
	var balance money.Fen
	for i, f := range principal {
		if i > 0 {
			used = used.Add(decimal.Product(uint64(max(balance, 0)), uint64(f.On-principal[i-1].On), 0))
		}
		balance += f.Amount
	}
	if used == (decimal.Decimal{}) {
		return 0, noRate("the principal is not in use for a day")
	}
	year := decimal.Product(uint64(cost), 365, 8) // money.Rate counts 1e-8
	return rate(year.Div(used, decimal.Digits))
}

func rate(d decimal.Decimal) (money.Rate, error) {
	r, err := d.Times(1)
	return money.Rate(r), err
}

// inOrder sorts by day; of one day what is received comes first.
func inOrder(flows []Flow) {
	slices.SortStableFunc(flows, func(a, b Flow) int {
		if c := cmp.Compare(a.On, b.On); c != 0 {
			return c
		}
		return cmp.Compare(b.Amount, a.Amount)
	})
}

// step is the finest difference of the monthly rate that is searched, 1e-12; most is
// 12,800 % a month.
const (
	step = 1_000_000_000_000
	most = 128 * step
	// largest amount of a flow, 10 trillion yuan, so that sums stay far from the end of 64 bits.
	largest = 1_000_000_000_000_000
)

// IRR is the internal rate of return of flows, as 12 times the monthly rate and compounded
// over a year. Time counts in whole months from the first flow, with simple interest for
// the days left over, d of the month's D: a flow after k months and d days is worth its
// amount / ((1+r)^k × (1 + r·d/D)). So the rate of equal monthly instalments without fees is
// that of the contract, however long the months are.
//
// ErrNoRate: nothing is received first, less is paid than received, the rate is over
// 12,800 % a month, or the debt at the rate turns into a credit on the way, so that another rate
// may fit as well.
func IRR(flows []Flow) (nominal, effective money.Rate, err error) {
	points, err := timed(flows)
	if err != nil {
		return 0, 0, err
	}
	switch points.worth(0) {
	case 0:
		return 0, 0, nil
	case -1:
		return 0, 0, noRate("less is paid than was received")
	}
	lo, hi := uint64(0), uint64(step/128) // at lo the payments are worth more than the money received
	for ; points.worth(hi) > 0; lo, hi = hi, 2*hi {
		if hi >= most {
			return 0, 0, noRate("it is above 12,800 % a month")
		}
	}
	for hi-lo > 1 {
		if mid := lo + (hi-lo)/2; points.worth(mid) > 0 {
			lo = mid
		} else {
			hi = mid
		}
	}
	if !points.owes(lo) {
		return 0, 0, noRate("the borrower would lend to the bank on the way, and more than one rate may fit")
	}
	monthly := decimal.Scaled(lo+hi, 0).Div(decimal.Scaled(2*step, 0), decimal.Digits)
	if nominal, err = rate(monthly.Mul(decimal.Scaled(12, 8))); err != nil {
		return 0, 0, err
	}
	one := decimal.Of(1)
	year := one
	for range 12 {
		year = year.Mul(one.Add(monthly))
	}
	effective, err = rate(year.Sub(one).Mul(decimal.Scaled(1, 8)))
	return nominal, effective, err
}

// point is a flow months and day/of of a month after the first.
type point struct {
	months  int
	day, of uint64
	amount  money.Fen
}

type points []point

// timed counts the time of flows from the first, those of one day as one.
func timed(flows []Flow) (points, error) {
	flows = slices.Clone(flows)
	inOrder(flows)
	var out points
	for i, f := range flows {
		if f.Amount > largest || f.Amount < -largest {
			return nil, money.ErrOverflow
		}
		if i > 0 && flows[i-1].On == f.On {
			out[len(out)-1].amount += f.Amount
			continue
		}
		months, day, of := between(flows[0].On, f.On)
		out = append(out, point{months, day, of, f.Amount})
	}
	if len(out) < 2 || out[0].amount <= 0 {
		return nil, noRate("money must be received first and paid afterwards")
	}
	return out, nil
}

// between counts whole months, and the days left over in the month that follows them.
func between(a, b money.Date) (months int, day, of uint64) {
	ay, am, _ := a.Civil()
	by, bm, _ := b.Civil()
	months = 12*(by-ay) + int(bm-am)
	if a.AddMonths(months) > b {
		months--
	}
	from := a.AddMonths(months)
	return months, uint64(b - from), uint64(a.AddMonths(months+1) - from)
}

// walk goes through the flows with what is received and paid so far, worth on the first
// day at a monthly rate in steps, until do says no.
func (p points) walk(r uint64, do func(received, paid decimal.Decimal) bool) {
	discount := decimal.Of(1).Div(decimal.Scaled(step+r, -12), decimal.Digits)
	power, at := decimal.Of(1), 0 // of the discount
	var received, paid decimal.Decimal
	for i := range p {
		x := &p[i]
		for ; at < x.months; at++ {
			power = power.Mul(discount)
		}
		d := power
		if x.day > 0 {
			d = d.Mul(decimal.Of(x.of)).Div(decimal.Scaled(x.of*step+x.day*r, -12), decimal.Digits)
		}
		if x.amount >= 0 {
			received = received.Add(decimal.Of(uint64(x.amount)).Mul(d))
		} else {
			paid = paid.Add(decimal.Of(uint64(-x.amount)).Mul(d))
		}
		if !do(received, paid) {
			return
		}
	}
}

// worth is -1, 0 or 1 as the payments are worth less than, as much as or more than the
// money received.
func (p points) worth(r uint64) (sign int) {
	p.walk(r, func(received, paid decimal.Decimal) bool {
		sign = paid.Cmp(received)
		return true
	})
	return sign
}

// owes says whether at a rate the borrower owes from the first flow to the last but one:
// then no other rate fits.
func (p points) owes(r uint64) bool {
	owes, left := true, len(p)-1
	p.walk(r, func(received, paid decimal.Decimal) bool {
		if left--; left < 0 {
			return false
		}
		owes = paid.Cmp(received) <= 0
		return owes
	})
	return owes
}
