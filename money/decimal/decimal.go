// Package decimal reckons with positive decimals of 18 significant digits, in integers
// alone: where a float would be quick and different on another machine.
package decimal

import (
	"cmp"
	"math/bits"

	"github.com/furrowcredit/furrow/money"
)

// Digits are the significant digits of every result.
const Digits = 18

// pow10 holds the powers of ten that fit 64 bits.
var pow10 = [20]uint64{
	1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
}

// Decimal is m × 10^e: zero, or m has exactly 18 digits. Every operation rounds HALF_EVEN,
// so that all machines get the same figure.
type Decimal struct {
	m uint64
	e int
}

// digits64 counts the decimal digits of v; 0 has none.
func digits64(v uint64) int {
	n := bits.Len64(v) * 1233 >> 12 // log10(2)
	if n < len(pow10) && v >= pow10[n] {
		n++
	}
	return n
}

// roundUp says whether a quotient whose division by d leaves rest is nearer to the next
// integer; more says that something lies below rest.
func roundUp(q, rest, d uint64, more bool) bool {
	switch half := d - rest; {
	case rest > half:
		return true
	case rest < half:
		return false
	}
	return more || q&1 == 1
}

// reduce rounds hi:lo × 10^e to at most n digits, HALF_EVEN; more says that something lies
// below. n is at most 18.
func reduce(hi, lo uint64, e, n int, more bool) Decimal {
	if hi >= pow10[19] {
		var rest uint64
		q := hi / 10
		lo, rest = bits.Div64(hi%10, lo, 10)
		hi, e, more = q, e+1, more || rest != 0
	}
	if hi > 0 {
		k := digits64(hi) // leaves 19 or 20 digits in 64 bits
		q, rest := bits.Div64(hi, lo, pow10[k])
		lo, e, more = q, e+k, more || rest != 0
	}
	if k := digits64(lo) - n; k > 0 {
		q, rest := lo/pow10[k], lo%pow10[k]
		if roundUp(q, rest, pow10[k], more) {
			q++
		}
		lo, e = q, e+k
	}
	return normal(lo, e)
}

// normal is v × 10^e; v is at most 10^18.
func normal(v uint64, e int) Decimal {
	if v == 0 {
		return Decimal{}
	}
	k := Digits - digits64(v)
	if k < 0 {
		return Decimal{v / 10, e + 1}
	}
	return Decimal{v * pow10[k], e - k}
}

// Of is the decimal of a count.
func Of(v uint64) Decimal { return reduce(0, v, 0, Digits, false) }

// Scaled is v × 10^e.
func Scaled(v uint64, e int) Decimal { return reduce(0, v, e, Digits, false) }

// Product is a × b × 10^e.
func Product(a, b uint64, e int) Decimal {
	hi, lo := bits.Mul64(a, b)
	return reduce(hi, lo, e, Digits, false)
}

// Div is a / b to n digits, at most 18; b is not zero.
func (a Decimal) Div(b Decimal, n int) Decimal {
	hi, lo := bits.Mul64(a.m, pow10[19])
	qhi, r := bits.Div64(0, hi, b.m)
	qlo, rest := bits.Div64(r, lo, b.m)
	return reduce(qhi, qlo, a.e-19-b.e, n, rest != 0)
}

// Mul is a × b.
func (a Decimal) Mul(b Decimal) Decimal {
	hi, lo := bits.Mul64(a.m, b.m)
	return reduce(hi, lo, a.e+b.e, Digits, false)
}

// Add is a + b.
func (a Decimal) Add(b Decimal) Decimal {
	if a.e < b.e {
		a, b = b, a
	}
	switch k := a.e - b.e; {
	case b.m == 0:
		return a
	case a.m == 0:
		return b
	case k > Digits:
		return a // b is under half of the last digit
	default:
		q, rest := b.m/pow10[k], b.m%pow10[k]
		if roundUp(a.m+q, rest, pow10[k], false) {
			q++
		}
		return reduce(0, a.m+q, a.e, Digits, false)
	}
}

// Cmp is -1, 0 or 1 as a is less than, equal to or more than b.
func (a Decimal) Cmp(b Decimal) int {
	if a.m == 0 || b.m == 0 || a.e == b.e {
		return cmp.Compare(a.m, b.m)
	}
	return cmp.Compare(a.e, b.e) // both have 18 digits
}

// Sub is a - b, or zero when b is more.
func (a Decimal) Sub(b Decimal) Decimal {
	if b.m == 0 {
		return a
	}
	if a.m == 0 || a.e < b.e {
		return Decimal{} // both have 18 digits: a is less
	}
	k := a.e - b.e
	if k > Digits {
		return a
	}
	q, rest := b.m/pow10[k], b.m%pow10[k]
	if roundUp(q, rest, pow10[k], false) && k > 0 {
		q++
	}
	if q >= a.m {
		return Decimal{}
	}
	return normal(a.m-q, a.e)
}

// Times is balance × a in whole units, HALF_EVEN; it returns [money.ErrOverflow].
func (a Decimal) Times(balance money.Fen) (money.Fen, error) {
	if balance < 0 {
		f, err := a.Times(-balance)
		return -f, err
	}
	if a.m == 0 {
		return 0, nil
	}
	m, e := a.m, a.e
	for m%1000 == 0 { // a factor has 12 digits: the zeros would only make the product longer
		m, e = m/1000, e+3
	}
	hi, lo := bits.Mul64(uint64(balance), m)
	return toFen(hi, lo, e)
}

// toFen is hi:lo × 10^e in whole units, HALF_EVEN.
func toFen(hi, lo uint64, e int) (money.Fen, error) {
	more := false
	for ; e > 0; e-- {
		if hi > 0 || lo > 1<<63/10 {
			return 0, money.ErrOverflow
		}
		lo *= 10
	}
	for e < -19 {
		qhi, r := bits.Div64(0, hi, pow10[19])
		qlo, rest := bits.Div64(r, lo, pow10[19])
		hi, lo, e, more = qhi, qlo, e+19, more || rest != 0
	}
	d := pow10[-e]
	if hi >= d {
		return 0, money.ErrOverflow
	}
	q, rest := bits.Div64(hi, lo, d)
	if e < 0 && roundUp(q, rest, d, more) && q < 1<<63 {
		q++
	}
	if q >= 1<<63 {
		return 0, money.ErrOverflow
	}
	return money.Fen(q), nil
}
