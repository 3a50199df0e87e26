package schedule

import (
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/money/decimal"
)

// factorDigits are the significant digits of a rate factor.
const factorDigits = 12

// Factor is what one unit of balance earns in a period: the yearly rate times the part of
// a year, at 12 significant digits HALF_EVEN. The zero Factor earns nothing.
type Factor struct{ d decimal.Decimal }

// NewFactor is rate × num / den; den is above zero, the others are not below.
func NewFactor(rate money.Rate, num, den int64) Factor {
	if rate <= 0 || num <= 0 {
		return Factor{}
	}
	f := decimal.Product(uint64(rate), uint64(num), -8) // money.Rate counts 1e-8
	return Factor{f.Div(decimal.Of(uint64(den)), factorDigits)}
}

// Add is the factor of two parts of a period.
func (f Factor) Add(g Factor) Factor { return Factor{f.d.Add(g.d)} }

// Of is the interest of a balance, HALF_EVEN; it returns [money.ErrOverflow].
func (f Factor) Of(balance money.Fen) (money.Fen, error) { return f.d.Times(balance) }

// Accrual adds up interest before it is rounded, as of a period in which the balance or the
// rate changes. The zero Accrual is nothing.
type Accrual struct{ d decimal.Decimal }

// Plus adds what a balance earns; a balance below zero earns nothing.
func (a Accrual) Plus(balance money.Fen, f Factor) Accrual {
	if balance <= 0 {
		return a
	}
	return Accrual{a.d.Add(f.d.Mul(decimal.Of(uint64(balance))))}
}

// Fen is the sum, HALF_EVEN; it returns [money.ErrOverflow].
func (a Accrual) Fen() (money.Fen, error) { return a.d.Times(1) }

// EMI is the equal instalment that pays a balance back over periods with the given
// factors, P·∏(1+rₖ)/fₙ with f₁ = 1 and fₖ = 1 + fₖ₋₁(1+rₖ), HALF_EVEN. It returns
// [money.ErrOverflow].
func EMI(balance money.Fen, factors []Factor) (money.Fen, error) { return annuity(balance, 0, factors) }

// annuity is the EMI that leaves a part of the balance to the last day, (P·∏(1+rₖ) - B)/fₙ.
func annuity(balance, left money.Fen, factors []Factor) (money.Fen, error) {
	one := decimal.Of(1)
	growth, f := one, decimal.Decimal{}
	for i := range factors {
		r := factors[i].d.Add(one)
		growth = growth.Mul(r)
		f = f.Mul(r).Add(one)
	}
	if left > 0 {
		growth = growth.Mul(decimal.Of(uint64(balance))).Sub(decimal.Of(uint64(left)))
		balance = 1
	}
	return growth.Div(f, decimal.Digits).Times(balance)
}

// Smooth moves an equal instalment by the mean of what the last of n instalments differs
// from it, when that is more than half a fen a row, up to three times while the difference
// falls. lay lays out the rows for an instalment and returns the last one; the rows are
// left laid out for the instalment that is returned. unit is the multiple that instalments
// are rounded to, 0 for none.
func Smooth(emi money.Fen, n int, unit money.Fen, lay func(money.Fen) (money.Fen, error)) (money.Fen, error) {
	last, err := lay(emi)
	if err != nil || n < 2 {
		return emi, err
	}
	for range 3 {
		diff := last - emi
		if abs(diff) <= money.Fen(n/2) {
			break
		}
		step, err := money.Mul(diff, 1, int64(n))
		if err != nil {
			return 0, err
		}
		other := Multiple(emi+step, unit)
		if other == emi {
			break
		}
		end, err := lay(other)
		if err != nil {
			return 0, err
		}
		if abs(end-other) >= abs(diff) {
			_, err = lay(emi)
			return emi, err
		}
		emi, last = other, end
	}
	return emi, nil
}

// Multiple rounds an amount to the nearest multiple of unit, HALF_EVEN; 0 leaves it.
func Multiple(amount, unit money.Fen) money.Fen {
	if unit <= 1 {
		return amount
	}
	q, err := money.Mul(amount, 1, int64(unit))
	if err != nil {
		return amount
	}
	return q * unit
}

func abs(f money.Fen) money.Fen {
	if f < 0 {
		return -f
	}
	return f
}
