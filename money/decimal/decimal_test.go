package decimal_test

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/money/decimal"
)

func Example() {
	// 10,000 yuan over seven years of 4.35 %, compound.
	year, growth := decimal.Scaled(10435, -4), decimal.Of(1)
	for range 7 {
		growth = growth.Mul(year)
	}
	fmt.Println(growth.Times(1_000_000))
	// Output: 13472.47 <nil>
}

// number is a decimal and what it stands for.
type number struct {
	d     decimal.Decimal
	exact *big.Rat
}

func draw(t *rapid.T, name string) number {
	m := rapid.OneOf(rapid.Uint64(), rapid.Uint64Range(0, 1000), rapid.SampledFrom([]uint64{math.MaxUint64, 1e18, 1e18 - 1, 5e17})).Draw(t, name)
	e := rapid.IntRange(-30, 30).Draw(t, name+" exponent")
	exact := new(big.Rat).SetInt(new(big.Int).SetUint64(m))
	return number{decimal.Scaled(m, e), exact.Mul(exact, pow(e))}
}

func pow(e int) *big.Rat {
	p := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(e, -e))), nil))
	if e < 0 {
		p.Inv(p)
	}
	return p
}

// near says whether the decimal is within some units of the 18th digit of the exact value,
// by asking for its first digits.
func near(t *rapid.T, what string, got decimal.Decimal, exact *big.Rat, units int64) {
	if exact.Sign() == 0 {
		if got != (decimal.Decimal{}) {
			t.Fatalf("%s is not zero", what)
		}
		return
	}
	e := 0
	for ten := big.NewRat(10, 1); exact.Cmp(new(big.Rat).Mul(pow(e), ten)) >= 0; e++ {
	}
	for ; exact.Cmp(pow(e)) < 0; e-- {
	}
	// Shift the number so that its 18 digits are an integer.
	want := new(big.Rat).Mul(exact, pow(17-e))
	one, err := got.Mul(decimal.Scaled(1, 17-e)).Times(1)
	if err != nil {
		t.Fatal(err)
	}
	diff := want.Sub(want, new(big.Rat).SetInt64(int64(one)))
	if diff.Abs(diff).Cmp(big.NewRat(units*2+1, 2)) > 0 {
		t.Fatalf("%s is %d × 10^%d, off by %s units", what, one, e-17, diff.FloatString(3))
	}
}

// Every operation is right to half a unit of the last digit of its arguments.
func TestExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := draw(t, "a"), draw(t, "b")
		near(t, "a", a.d, a.exact, 0)
		near(t, "a × b", a.d.Mul(b.d), new(big.Rat).Mul(a.exact, b.exact), 20) // both were rounded before
		near(t, "a + b", a.d.Add(b.d), new(big.Rat).Add(a.exact, b.exact), 2)
		if b.exact.Sign() > 0 {
			near(t, "a / b", a.d.Div(b.d, decimal.Digits), new(big.Rat).Quo(a.exact, b.exact), 20)
		}
		if diff := new(big.Rat).Sub(a.exact, b.exact); diff.Cmp(new(big.Rat).Mul(a.exact, big.NewRat(1, 10))) > 0 {
			near(t, "a - b", a.d.Sub(b.d), diff, 20)
		}
		if a.d.Cmp(b.d) != b.d.Cmp(a.d)*-1 || (a.d.Cmp(b.d) != 0 && a.d.Cmp(b.d) != a.exact.Cmp(b.exact)) {
			t.Fatal("the order is wrong")
		}
	})
}

// Integers under 10^18 are kept exactly.
func TestTimes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Int64Range(-1e9, 1e9).Draw(t, "v")
		n := rapid.Uint64Range(0, 1e9-1).Draw(t, "n")
		got, err := decimal.Of(n).Times(money.Fen(v))
		if err != nil || int64(got) != v*int64(n) {
			t.Fatalf("%d × %d = %d %v", v, n, got, err)
		}
		half, err := decimal.Scaled(n, -1).Times(money.Fen(v))
		want, _ := money.Mul(money.Fen(v), int64(n), 10)
		if err != nil || half != want {
			t.Fatalf("%d × %d / 10 = %d %v, want %d", v, n, half, err, want)
		}
	})
	if _, err := decimal.Of(10).Times(math.MaxInt64); !errors.Is(err, money.ErrOverflow) {
		t.Errorf("overflow: %v", err)
	}
	if _, err := decimal.Scaled(1, 40).Times(1); !errors.Is(err, money.ErrOverflow) {
		t.Errorf("overflow: %v", err)
	}
	if got, err := decimal.Scaled(1, -60).Times(math.MaxInt64); err != nil || got != 0 {
		t.Errorf("next to nothing: %d %v", got, err)
	}
}

func BenchmarkMul(b *testing.B) {
	x, y := decimal.Scaled(1234567, -6), decimal.Scaled(998877, -6)
	for b.Loop() {
		if x.Mul(y) == (decimal.Decimal{}) {
			b.Fatal()
		}
	}
}
