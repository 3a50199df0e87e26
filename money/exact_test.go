package money_test

import (
	"errors"
	"math"
	"math/big"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/money"
)

// halfEven is num / den in numbers of any length; ok says whether it fits 64 bits.
func halfEven(num, den *big.Int) (int64, bool) {
	if den.Sign() < 0 {
		num, den = new(big.Int).Neg(num), new(big.Int).Neg(den)
	}
	q, r := new(big.Int).DivMod(num, den, new(big.Int))
	switch r.Lsh(r, 1).Cmp(den) {
	case 1:
		q.Add(q, big.NewInt(1))
	case 0:
		q.Add(q, big.NewInt(int64(q.Bit(0))))
	}
	return q.Int64(), q.IsInt64()
}

// edge draws numbers of all sizes, and the ends of the range more often.
func edge(t *rapid.T, name string) int64 {
	return rapid.OneOf(rapid.Int64(), rapid.Int64Range(-1000, 1000), rapid.Int64Range(-1e12, 1e12),
		rapid.SampledFrom([]int64{math.MinInt64, math.MinInt64 + 1, -1, 0, 1, math.MaxInt64 - 1, math.MaxInt64})).Draw(t, name)
}

// The arithmetic in machine words gives what numbers of any length give.
func TestExact(t *testing.T) {
	t.Parallel()
	same := func(t *rapid.T, got money.Fen, err error, num, den *big.Int) {
		want, fits := halfEven(num, den)
		if fits != (err == nil) || (fits && int64(got) != want) || (!fits && !errors.Is(err, money.ErrOverflow)) {
			t.Fatalf("%s / %s: %d %v, want %d %v", num, den, got, err, want, fits)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		a, n, r := edge(t, "amount"), edge(t, "num"), edge(t, "rate")
		d := edge(t, "den")
		if d == 0 {
			d = 1
		}
		p := new(big.Int).Mul(big.NewInt(a), big.NewInt(n))
		got, err := money.Mul(money.Fen(a), n, d)
		same(t, got, err, p, big.NewInt(d))
		got, err = money.Portion(money.Fen(a), money.Rate(r), n, d)
		same(t, got, err, p.Mul(p, big.NewInt(r)), new(big.Int).Mul(big.NewInt(d), big.NewInt(int64(money.RateOne))))
	})
}

func TestDivisionByZeroPanics(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]func(){
		"mul":     func() { _, _ = money.Mul(5, 1, 0) },
		"portion": func() { _, _ = money.Portion(5, 1, 1, 0) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s by zero gives a result", name)
				}
			}()
			f()
		}()
	}
}

// Calendar arithmetic agrees with the time package over 4,000 years.
func TestCivil(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := money.Date(rapid.Int32Range(-700_000, 800_000).Draw(t, "date"))
		n := rapid.IntRange(-30_000, 30_000).Draw(t, "months")
		at := time.Unix(int64(d)*86400, 0).UTC()
		if y, m, day := d.Civil(); y != at.Year() || m != at.Month() || day != at.Day() || d.Weekday() != at.Weekday() {
			t.Fatalf("%d is %d-%d-%d %s, want %s", d, y, m, day, d.Weekday(), at)
		}
		first := time.Date(at.Year(), at.Month()+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
		want := first.AddDate(0, 0, min(at.Day(), first.AddDate(0, 1, -1).Day())-1)
		if got := d.AddMonths(n); int64(got)*86400 != want.Unix() {
			t.Fatalf("%s and %d months: %s, want %s", at, n, got, want)
		}
		end := d.MonthEnd()
		y, m, _ := end.Civil()
		if _, _, next := (end + 1).Civil(); y != at.Year() || m != at.Month() || next != 1 {
			t.Fatalf("the month of %s ends on %s", d, end)
		}
	})
}

func BenchmarkMul(b *testing.B) {
	for b.Loop() {
		if _, err := money.Mul(123_456_789, 31, 360); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPortion(b *testing.B) {
	for b.Loop() {
		if _, err := money.Portion(123_456_789, money.BP(435), 31, 360); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAddMonths(b *testing.B) {
	for b.Loop() {
		if money.Date(20_000).AddMonths(7) == 0 {
			b.Fatal()
		}
	}
}
