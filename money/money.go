// Package money holds amounts, rates and day counts. No float ever holds money.
//
// Rounding is HALF_EVEN (banker's rounding) unless a contract says otherwise.
package money

import (
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"strings"

	"github.com/furrowcredit/furrow/fault"
)

// Fen is an amount of Chinese yuan in hundredths.
type Fen int64

// ErrAmount is returned for text that is not an amount of yuan.
var ErrAmount = fault.New(fault.Invalid, "money.amount",
	"write the amount in yuan with at most two decimals, such as 1234.56")

// ErrOverflow is returned when a result does not fit 64 bits.
var ErrOverflow = fault.New(fault.Invalid, "money.overflow", "the amount is too large")

// ParseFen reads yuan with at most two decimals ("1234.5", "-0.01").
// Thousands separators and currency signs belong to the upload parser.
func ParseFen(s string) (Fen, error) {
	t, neg := strings.CutPrefix(s, "-")
	whole, frac, dot := strings.Cut(t, ".")
	if whole == "" || len(frac) > 2 || (dot && frac == "") {
		return 0, ErrAmount.With("text", s)
	}
	frac += strings.Repeat("0", 2-len(frac))
	var v int64
	for _, c := range whole + frac {
		if c < '0' || c > '9' {
			return 0, ErrAmount.With("text", s)
		}
		d := int64(c - '0')
		if v > (math.MaxInt64-d)/10 {
			return 0, ErrOverflow
		}
		v = v*10 + d
	}
	if neg {
		v = -v
	}
	return Fen(v), nil
}

// String gives yuan with two decimals.
func (f Fen) String() string {
	sign, u := "", uint64(f)
	if f < 0 {
		sign, u = "-", uint64(-f)
	}
	return fmt.Sprintf("%s%d.%02d", sign, u/100, u%100)
}

// Rate is an exact decimal fraction in units of 1e-8: 4.35 % a year is 4_350_000.
// One basis point is 10_000.
type Rate int64

// RateOne is the rate 1 (100 %); BasisPoint is 0.01 %.
const (
	RateOne    Rate = 100_000_000
	BasisPoint Rate = 10_000
)

// BP returns n basis points.
func BP(n int64) Rate { return Rate(n) * BasisPoint }

// BP gives the rate in basis points, rounded toward zero.
func (r Rate) BP() int64 { return int64(r / BasisPoint) }

// String gives per cent with as many decimals as needed.
func (r Rate) String() string {
	s := new(big.Rat).SetFrac64(int64(r)*100, int64(RateOne)).FloatString(6)
	return strings.TrimRight(strings.TrimRight(s, "0"), ".") + "%"
}

// Mul returns amount × num / den rounded HALF_EVEN. It panics when den is zero
// and returns ErrOverflow when the result does not fit.
func Mul(amount Fen, num, den int64) (Fen, error) {
	a, neg := magnitude(int64(amount), false)
	n, neg := magnitude(num, neg)
	d, neg := magnitude(den, neg)
	hi, lo := bits.Mul64(a, n)
	return quotient(hi, lo, 0, d, neg)
}

// Portion returns amount × rate × num / den rounded HALF_EVEN: the simple interest of
// a fraction of a year (see [DayCount.Fraction]). It panics when den is zero.
func Portion(amount Fen, rate Rate, num, den int64) (Fen, error) {
	a, neg := magnitude(int64(amount), false)
	r, neg := magnitude(int64(rate), neg)
	n, neg := magnitude(num, neg)
	d, neg := magnitude(den, neg)
	rhi, rn := bits.Mul64(r, n)
	dhi, dlo := bits.Mul64(d, uint64(RateOne))
	if rhi != 0 {
		return portionWide(amount, rate, num, den)
	}
	hi, lo := bits.Mul64(a, rn)
	return quotient(hi, lo, dhi, dlo, neg)
}

// magnitude is |v|, and neg turned round when v is below zero.
func magnitude(v int64, neg bool) (uint64, bool) {
	if v < 0 {
		return -uint64(v), !neg
	}
	return uint64(v), neg
}

// quotient is ±(hi:lo) / (dhi:dlo) rounded HALF_EVEN.
func quotient(hi, lo, dhi, dlo uint64, neg bool) (Fen, error) {
	switch {
	case dhi > 0:
		return quotientWide(hi, lo, dhi, dlo, neg)
	case hi >= dlo && dlo > 0:
		return 0, ErrOverflow
	}
	q, rest := bits.Div64(hi, lo, dlo) // panics when dlo is zero
	half := dlo - rest
	if rest > half || rest == half && q&1 == 1 {
		if q == math.MaxUint64 {
			return 0, ErrOverflow
		}
		q++
	}
	return signed(q, neg)
}

func signed(q uint64, neg bool) (Fen, error) {
	switch {
	case neg && q <= 1<<63:
		return Fen(-q), nil
	case neg || q > math.MaxInt64:
		return 0, ErrOverflow
	}
	return Fen(q), nil
}

// quotientWide is quotient for a divisor over 64 bits.
func quotientWide(hi, lo, dhi, dlo uint64, neg bool) (Fen, error) {
	big128 := func(hi, lo uint64) *big.Int {
		v := new(big.Int).SetUint64(hi)
		return v.Lsh(v, 64).Or(v, new(big.Int).SetUint64(lo))
	}
	p := big128(hi, lo)
	if neg {
		p.Neg(p)
	}
	return fen(divHalfEven(p, big128(dhi, dlo)))
}

// portionWide is Portion for numbers over 128 bits.
func portionWide(amount Fen, rate Rate, num, den int64) (Fen, error) {
	p := new(big.Int).Mul(big.NewInt(int64(amount)), big.NewInt(int64(rate)))
	p.Mul(p, big.NewInt(num))
	return fen(divHalfEven(p, new(big.Int).Mul(big.NewInt(int64(RateOne)), big.NewInt(den))))
}

func fen(q *big.Int) (Fen, error) {
	if !q.IsInt64() {
		return 0, ErrOverflow
	}
	return Fen(q.Int64()), nil
}

// Interest returns principal × rate × days / basis rounded HALF_EVEN, the simple
// interest of ACT/basis day counts (basis 360 or 365).
func Interest(principal Fen, rate Rate, days, basis int) (Fen, error) {
	return Portion(principal, rate, int64(days), int64(basis))
}

// divHalfEven rounds num / den HALF_EVEN.
func divHalfEven(num, den *big.Int) *big.Int {
	if den.Sign() < 0 {
		num, den = new(big.Int).Neg(num), new(big.Int).Neg(den)
	}
	q, r := new(big.Int).DivMod(num, den, new(big.Int)) // Euclidean: 0 <= r < den
	switch new(big.Int).Lsh(r, 1).Cmp(den) {
	case 1:
		q.Add(q, big.NewInt(1))
	case 0:
		if q.Bit(0) == 1 {
			q.Add(q, big.NewInt(1))
		}
	}
	return q
}
