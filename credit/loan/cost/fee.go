package cost

import (
	"slices"

	"github.com/furrowcredit/furrow/credit/loan/schedule"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
)

// ErrFee is returned for a fee that cannot be reckoned.
var ErrFee = fault.New(fault.Invalid, "cost.fee", "the fee {code} cannot be reckoned: {why}")

// Payee is who gets a fee.
type Payee string

// Payees.
const (
	Bank      Payee = "bank"
	Guarantor Payee = "guarantor" // the company that answers for the loan
	Insurer   Payee = "insurer"   // of what is grown, kept or pledged
	Agency    Payee = "agency"    // who values or registers what is pledged
)

// Known says whether p is one of the payees above.
func (p Payee) Known() bool { return slices.Contains([]Payee{Bank, Guarantor, Insurer, Agency}, p) }

// Moment is when a fee is charged.
type Moment string

// Moments.
const (
	Signing    Moment = "signing"    // once a contract: with the first loan under it
	Drawdown   Moment = "drawdown"   // once a loan
	Yearly     Moment = "yearly"     // at the begin of each year of a loan
	Instalment Moment = "instalment" // for each period
)

// Known says whether m is one of the moments above.
func (m Moment) Known() bool {
	return slices.Contains([]Moment{Signing, Drawdown, Yearly, Instalment}, m)
}

// Fee is what a borrower pays beside the interest. One of Fen, ShareBP and YearBP says how
// much. None of it is taken out of the money that is lent: what is charged falls due with
// the first instalment after its day.
type Fee struct {
	Code  string            `json:"code" yaml:"code"`
	Name  map[string]string `json:"name" yaml:"name"` // by language
	Payee Payee             `json:"payee" yaml:"payee" enum:"bank,guarantor,insurer,agency"`
	// To is the code of who it is by payees.yaml; "" is the first of its kind there.
	To      string    `json:"to,omitempty" yaml:"to"`
	When    Moment    `json:"when" yaml:"when" enum:"signing,drawdown,yearly,instalment"`
	Fen     money.Fen `json:"fen,omitempty" yaml:"fen"`           // each time
	ShareBP int64     `json:"share_bp,omitempty" yaml:"share_bp"` // of the principal that was drawn, each time
	// YearBP a year of the principal that is out: for a year its months of 12, for a period
	// its days of 365; at the signing and the drawdown for the whole term.
	YearBP int64 `json:"year_bp,omitempty" yaml:"year_bp"`
	// Deducted fees are taken out of the money before the borrower has it, which no lender
	// may do; a product with one is refused.
	Deducted bool `json:"-" yaml:"deducted"`
}

// Charge is a fee of a loan on a day.
type Charge struct {
	Fee    string     `json:"fee"` // code
	Payee  Payee      `json:"payee"`
	On     money.Date `json:"on"`     // it is owed from then on, if the loan still runs
	DueOn  money.Date `json:"due_on"` // of the row with which it is paid
	Amount money.Fen  `json:"amount"`
	// Of is the principal that Amount is reckoned on, as planned: where less is out on the
	// day, the charge is that much smaller. 1 asks only that something is out, 0 for nothing.
	Of money.Fen `json:"of,omitempty"`
}

// whole marks a charge that does not follow the balance, but ends with the loan.
const whole = 1

// Charges are the fees of rows that were made from t, in the order of their days, HALF_EVEN
// each. Charges of the day of drawing are owed from it on, those of later periods and years
// from the day after the one before has ended. It returns ErrFee.
func Charges(fees []Fee, t schedule.Terms, rows []schedule.Row) ([]Charge, error) {
	if len(rows) == 0 || len(fees) == 0 {
		return nil, nil
	}
	l := layout{t.Start, t.Principal, rows}
	var out []Charge
	for i := range fees {
		f := &fees[i]
		list, err := l.charges(f)
		if err != nil {
			return nil, ErrFee.With("code", f.Code).With("why", err)
		}
		for _, c := range list {
			if c.Amount > 0 { // less than half a fen is nothing
				c.Fee, c.Payee = f.Code, f.Payee
				out = append(out, c)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Charge) int { return int(a.On - b.On) })
	return out, nil
}

// layout is a schedule as fees see it.
type layout struct {
	start     money.Date
	principal money.Fen
	rows      []schedule.Row
}

func (l layout) charges(f *Fee) ([]Charge, error) {
	switch f.When {
	case Signing, Drawdown:
		x, err := f.of(l.principal, l.principal, int64(l.months()), 12)
		return []Charge{{On: l.start, DueOn: l.row(l.start).DueOn, Amount: x}}, err
	case Yearly:
		return l.yearly(f)
	case Instalment:
		return l.periods(f)
	default:
		return nil, ErrFee.With("code", f.Code).With("why", "it has no moment")
	}
}

// of is the fee for a part num/den of a year in which balance is out.
func (f *Fee) of(principal, balance money.Fen, num, den int64) (money.Fen, error) {
	switch {
	case f.Fen > 0:
		return f.Fen, nil
	case f.ShareBP > 0:
		return money.Mul(principal, f.ShareBP, 10_000)
	default:
		return money.Mul(balance, f.YearBP*num, 10_000*den)
	}
}

// basis is what a later charge is reckoned on.
func (f *Fee) basis(balance money.Fen) money.Fen {
	if f.YearBP > 0 {
		return balance
	}
	return whole
}

// yearly charges the years that have begun. The last may be shorter.
func (l layout) yearly(f *Fee) (out []Charge, _ error) {
	months := l.months()
	for past := 0; past < months; past += 12 {
		c := Charge{On: l.start, Of: whole}
		balance := l.principal
		if past > 0 {
			begin := l.start.AddMonths(past)
			balance = l.balance(begin)
			c.On, c.Of = begin+1, f.basis(balance)
		}
		if balance <= 0 {
			break
		}
		var err error
		if c.Amount, err = f.of(l.principal, balance, int64(min(12, months-past)), 12); err != nil {
			return nil, err
		}
		c.DueOn = l.row(c.On).DueOn
		out = append(out, c)
	}
	return out, nil
}

// periods charges every row.
func (l layout) periods(f *Fee) (out []Charge, _ error) {
	balance := l.principal
	for i := range l.rows {
		r := &l.rows[i]
		c := Charge{On: l.start, DueOn: r.DueOn, Of: whole}
		if i > 0 {
			c.On, c.Of = r.From+1, f.basis(balance)
		}
		if balance <= 0 {
			break
		}
		var err error
		if c.Amount, err = f.of(l.principal, balance, int64(r.DueOn-r.From), 365); err != nil {
			return nil, err
		}
		balance -= r.Principal
		out = append(out, c)
	}
	return out, nil
}

// months that the loan runs, to the nearest; a shifted last day does not make another.
func (l layout) months() int {
	n, day, of := between(l.start, l.rows[len(l.rows)-1].DueOn)
	if 2*day >= of {
		n++
	}
	return max(n, 1)
}

// row is the one in whose period a day lies, the last for a day after it.
func (l layout) row(on money.Date) *schedule.Row {
	for i := range l.rows {
		if r := &l.rows[i]; on <= r.DueOn && r.DueOn > l.start {
			return r
		}
	}
	return &l.rows[len(l.rows)-1]
}

// balance is what is out at the end of a day, when all is paid as agreed.
func (l layout) balance(on money.Date) money.Fen {
	left := l.principal
	for i := range l.rows {
		if l.rows[i].DueOn <= on {
			left -= l.rows[i].Principal
		}
	}
	return left
}

// Charged adds charges to the rows with which they fall due, and gives new rows.
func Charged(rows []schedule.Row, charges []Charge) []schedule.Row {
	if len(charges) == 0 {
		return rows
	}
	rows = slices.Clone(rows)
	for _, c := range charges {
		i := slices.IndexFunc(rows, func(r schedule.Row) bool { return r.DueOn == c.DueOn })
		rows[i].Fee += c.Amount
		rows[i].Due += c.Amount
	}
	return rows
}
