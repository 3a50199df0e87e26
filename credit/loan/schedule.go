package loan

import (
	"math"
	"math/big"

	"github.com/furrowcredit/furrow/money"
)

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
)

// Terms make a schedule.
type Terms struct {
	Principal money.Fen
	Rate      money.Rate // a year
	Method    Method
	DayCount  money.DayCount
	Start     money.Date // the day the money goes out
	N         int        // instalments; a Bullet has one row over N periods
	Every     int        // units between instalments; 0 means 1
	Unit      Unit
	Grace     int // first instalments that pay interest only (EqualInstalments, EqualPrincipal)
}

// maxRows bounds a schedule: 100 years by the month.
const maxRows = 1200

// Schedule lays out the instalments of t. Due dates count from Start, so that the
// 31st clamps to a shorter month and comes back. Each row's interest is balance ×
// rate × its part of a year, rounded HALF_EVEN; the last row takes what principal
// is left, so the principals add up exactly. It returns ErrTerms.
//
// EqualInstalments is the annuity P·∏(1+rₖ)/fₙ with f₁ = 1, fₖ = 1 + fₖ₋₁(1+rₖ), which
// allows for periods of unequal length; when the last row would differ from the
// others by more than half a fen a row, the amount moves by the mean of the
// difference if that brings them closer.
func Schedule(t Terms) ([]Instalment, error) {
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
	case t.Unit != Months && t.Unit != Weeks && t.Unit != Days:
		return "unknown time unit"
	}
	return ""
}

func (t Terms) due(n int) money.Date {
	switch n *= t.Every; t.Unit {
	case Weeks:
		return t.Start + money.Date(7*n)
	case Days:
		return t.Start + money.Date(n)
	default:
		return t.Start.AddMonths(n)
	}
}

func (t Terms) dates() []Instalment {
	if t.Method == Bullet {
		due := t.due(t.N)
		return []Instalment{{Nr: 1, From: t.Start, DueOn: due, Days: int(due - t.Start)}}
	}
	rows := make([]Instalment, t.N)
	from := t.Start
	for i := range rows {
		due := t.due(i + 1)
		rows[i] = Instalment{Nr: i + 1, From: from, DueOn: due, Days: int(due - from)}
		from = due
	}
	return rows
}

// fraction is the part of a year of a row. By the month, 30/360 is exactly 1/12 a
// month, whichever way the due date was clamped.
func (t Terms) fraction(r Instalment) (num, den int64) {
	if t.DayCount == money.Thirty360 && t.Unit == Months {
		if t.Method == Bullet {
			return int64(t.N * t.Every), 12
		}
		return int64(t.Every), 12
	}
	return t.DayCount.Fraction(r.From, r.DueOn)
}

// fill walks the rows with the principal that pay gives for a row (given its number,
// the balance before and the interest) and puts the rest into the last one.
func (t Terms) fill(rows []Instalment, pay func(i int, balance, interest money.Fen) money.Fen) error {
	balance := t.Principal
	for i := range rows {
		num, den := t.fraction(rows[i])
		interest, err := money.Portion(balance, t.Rate, num, den)
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
		rows[i].Status = "future"
	}
	return nil
}

// level is equal principal: P/n each, HALF_EVEN, the last takes the rest.
func (t Terms) level(rows []Instalment) error {
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

func (t Terms) annuity(rows []Instalment) error {
	paying := rows[t.Grace:]
	emi, err := t.emi(paying)
	if err != nil {
		return err
	}
	with := func(emi money.Fen) (money.Fen, error) {
		err := t.fill(rows, func(i int, _, interest money.Fen) money.Fen {
			if i < t.Grace {
				return 0
			}
			return emi - interest
		})
		return rows[len(rows)-1].Due - emi, err
	}
	diff, err := with(emi)
	if err != nil {
		return err
	}
	n := int64(len(paying))
	if abs(diff) <= money.Fen(n/2) {
		return nil
	}
	step, err := money.Mul(diff, 1, n)
	if err != nil {
		return err
	}
	better, err := with(emi + step)
	if err != nil {
		return err
	}
	if abs(better) >= abs(diff) {
		_, err = with(emi)
	}
	return err
}

func abs(f money.Fen) money.Fen {
	if f < 0 {
		return -f
	}
	return f
}

// emi is the annuity of the rows in fen, HALF_EVEN. The factors carry 256 bits in
// software, so every machine gets the same fen.
func (t Terms) emi(rows []Instalment) (money.Fen, error) {
	float := func() *big.Float { return new(big.Float).SetPrec(256) }
	one := float().SetInt64(1)
	growth, f := float().SetInt64(1), float()
	for i := range rows {
		num, den := t.fraction(rows[i])
		r := float().SetInt64(int64(t.Rate))
		r.Mul(r, float().SetInt64(num))
		r.Quo(r, float().SetInt64(int64(money.RateOne)))
		r.Quo(r, float().SetInt64(den))
		r.Add(r, one)
		growth.Mul(growth, r)
		f.Mul(f, r)
		f.Add(f, one)
	}
	emi := float().SetInt64(int64(t.Principal))
	emi.Mul(emi, growth)
	emi.Quo(emi, f)
	whole, _ := emi.Int(nil)
	frac := float().Sub(emi, float().SetInt(whole))
	switch frac.Cmp(float().SetFloat64(0.5)) {
	case 1:
		whole.Add(whole, big.NewInt(1))
	case 0:
		if whole.Bit(0) == 1 {
			whole.Add(whole, big.NewInt(1))
		}
	}
	if !whole.IsInt64() {
		return 0, money.ErrOverflow
	}
	return money.Fen(whole.Int64()), nil
}
