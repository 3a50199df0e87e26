// Package schedule lays out what a loan contract promises: due dates, principal and
// interest of every instalment. Every amount is integer fen; the same terms give the
// same rows on every machine.
package schedule

import (
	"math"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
)

// ErrTerms is returned for terms that make no schedule.
var ErrTerms = fault.New(fault.Invalid, "loan.terms", "these terms make no schedule: {why}")

// Method says how principal comes back.
type Method string

// Methods.
const (
	EqualInstalments Method = "equal_instalments" // the same amount each time
	EqualPrincipal   Method = "equal_principal"   // the same principal, falling interest
	InterestFirst    Method = "interest_first"    // interest each time, principal with the last
	Bullet           Method = "bullet"            // everything at once, after the harvest
)

// Known says whether m is one of the methods above.
func (m Method) Known() bool {
	return m == EqualInstalments || m == EqualPrincipal || m == InterestFirst || m == Bullet
}

// Unit of the time between two instalments.
type Unit string

// Units; "" means months.
const (
	Months Unit = "months"
	Weeks  Unit = "weeks"
	Days   Unit = "days"
	Years  Unit = "years"
)

// Row is one instalment of a schedule.
type Row struct {
	Nr        int        `json:"nr"`
	From      money.Date `json:"from"`
	DueOn     money.Date `json:"due_on"`
	Days      int        `json:"days"`
	Principal money.Fen  `json:"principal"`
	Interest  money.Fen  `json:"interest"`
	Fee       money.Fen  `json:"fee"`
	Due       money.Fen  `json:"due"`     // principal, interest and fee
	Balance   money.Fen  `json:"balance"` // principal left after it
}

// Terms make a schedule.
type Terms struct {
	Principal money.Fen      `json:"principal"`
	Rate      money.Rate     `json:"rate"` // a year
	Method    Method         `json:"method"`
	DayCount  money.DayCount `json:"day_count"`
	Start     money.Date     `json:"start"`           // the day the money goes out
	N         int            `json:"n"`               // instalments; a Bullet has one row over N periods
	Every     int            `json:"every,omitempty"` // units between instalments; 0 means 1
	Unit      Unit           `json:"unit,omitempty"`
	Grace     int            `json:"grace,omitempty"` // first instalments that pay interest only (EqualInstalments, EqualPrincipal)
}

// maxRows bounds a schedule: 100 years by the month.
const maxRows = 1200

// Make lays out the instalments of t. Due dates count from Start, so that the
// 31st clamps to a shorter month and comes back. Each row's interest is balance ×
// rate × its part of a year, rounded HALF_EVEN; the last row takes what principal
// is left, so the principals add up exactly. It returns ErrTerms.
//
// EqualInstalments is the annuity P·∏(1+rₖ)/fₙ with f₁ = 1, fₖ = 1 + fₖ₋₁(1+rₖ), which
// allows for periods of unequal length; when the last row would differ from the
// others by more than half a fen a row, the amount moves by the mean of the
// difference if that brings them closer.
func Make(t Terms) ([]Row, error) {
	if t.Every == 0 {
		t.Every = 1
	}
	if t.Unit == "" {
		t.Unit = Months
	}
	if why := t.check(); why != "" {
		return nil, ErrTerms.With("why", why)
	}
	rows := t.dates()
	var err error
	switch t.Method {
	case EqualInstalments:
		err = t.annuity(rows)
	case EqualPrincipal:
		err = t.level(rows)
	default:
		err = t.fill(rows, func(int, money.Fen, money.Fen) money.Fen { return 0 })
	}
	return rows, err
}

func (t Terms) check() string {
	switch {
	case t.Principal <= 0:
		return "the principal must be above zero"
	case t.Rate < 0 || t.Rate > 100*money.RateOne:
		return "the rate is out of bounds"
	case !t.Method.Known():
		return "unknown repayment method"
	case !t.DayCount.Known():
		return "unknown day count"
	case t.N < 1 || t.Every < 1 || t.N > maxRows || t.Every > maxRows:
		return "the number of instalments must be between 1 and 1200"
	case t.Grace < 0 || t.Grace >= t.N:
		return "grace must leave at least one instalment that pays principal"
	case !t.Unit.Known():
		return "unknown time unit"
	}
	return ""
}

func (t Terms) due(n int) money.Date {
	return Calendar{Start: t.Start, Every: t.Every, Unit: t.Unit}.Due(n)
}

func (t Terms) dates() []Row {
	if t.Method == Bullet {
		due := t.due(t.N)
		return []Row{{Nr: 1, From: t.Start, DueOn: due, Days: int(due - t.Start)}}
	}
	rows := make([]Row, t.N)
	from := t.Start
	for i := range rows {
		due := t.due(i + 1)
		rows[i] = Row{Nr: i + 1, From: from, DueOn: due, Days: int(due - from)}
		from = due
	}
	return rows
}

// factor is what a row earns.
func (t Terms) factor(r Row) Factor {
	every := t.Every
	if t.Method == Bullet {
		every *= t.N
	}
	num, den := Fraction(t.DayCount, t.Unit, every, r.From, r.DueOn)
	return NewFactor(t.Rate, num, den)
}

// fill walks the rows with the principal that pay gives for a row (given its number,
// the balance before and the interest) and puts the rest into the last one.
func (t Terms) fill(rows []Row, pay func(i int, balance, interest money.Fen) money.Fen) error {
	balance := t.Principal
	for i := range rows {
		interest, err := t.factor(rows[i]).Of(balance)
		if err != nil {
			return err
		}
		principal := balance
		if i < len(rows)-1 {
			principal = min(max(pay(i, balance, interest), 0), balance)
		}
		balance -= principal
		if interest > math.MaxInt64-principal {
			return money.ErrOverflow
		}
		rows[i].Principal, rows[i].Interest = principal, interest
		rows[i].Due, rows[i].Balance = principal+interest, balance
	}
	return nil
}

// level is equal principal: P/n each, HALF_EVEN, the last takes the rest.
func (t Terms) level(rows []Row) error {
	each, err := money.Mul(t.Principal, 1, int64(t.N-t.Grace))
	if err != nil {
		return err
	}
	return t.fill(rows, func(i int, _, _ money.Fen) money.Fen {
		if i < t.Grace {
			return 0
		}
		return each
	})
}

func (t Terms) annuity(rows []Row) error {
	paying := rows[t.Grace:]
	factors := make([]Factor, len(paying))
	for i := range paying {
		factors[i] = t.factor(paying[i])
	}
	emi, err := EMI(t.Principal, factors)
	if err != nil {
		return err
	}
	_, err = Smooth(emi, len(paying), 0, func(emi money.Fen) (money.Fen, error) {
		err := t.fill(rows, func(i int, _, interest money.Fen) money.Fen {
			if i < t.Grace {
				return 0
			}
			return emi - interest
		})
		return rows[len(rows)-1].Due, err
	})
	return err
}
