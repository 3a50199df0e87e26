package money_test

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/money"
)

func ExampleParseFen() {
	f, _ := money.ParseFen("1234.5")
	fmt.Println(int64(f), f)
	// Output: 123450 1234.50
}

func ExampleInterest() {
	// 10,000 yuan at 4.35 % for 90 days, ACT/360.
	i, _ := money.Interest(1_000_000, money.BP(435), 90, 360)
	fmt.Println(i)
	// Output: 108.75
}

func TestParseFen(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]money.Fen{"0": 0, "1": 100, "-0.01": -1, "1.2": 120, "92233720368547758.07": math.MaxInt64} {
		if got, err := money.ParseFen(s); err != nil || got != want {
			t.Errorf("%q: %d %v", s, got, err)
		}
	}
	for _, s := range []string{"", ".", "1.", ".5", "1.234", "1,000", "+1", "1e3", "--1", "- 1", "１", "¥1", " 1"} {
		if got, err := money.ParseFen(s); !errors.Is(err, money.ErrAmount) {
			t.Errorf("%q is read as %d, %v", s, got, err)
		}
	}
	if _, err := money.ParseFen("92233720368547758.08"); !errors.Is(err, money.ErrOverflow) {
		t.Errorf("overflow: %v", err)
	}
}

func TestMulRoundsHalfEven(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		amount   money.Fen
		num, den int64
		want     money.Fen
	}{
		{5, 1, 2, 2}, {7, 1, 2, 4}, {-5, 1, 2, -2}, {-7, 1, 2, -4}, {5, -1, 2, -2}, {5, 1, -2, -2}, {1, 1, 3, 0}, {2, 1, 3, 1}, {math.MaxInt64, 2, 2, math.MaxInt64},
	} {
		if got, err := money.Mul(c.amount, c.num, c.den); err != nil || got != c.want {
			t.Errorf("%d × %d/%d = %d %v, want %d", c.amount, c.num, c.den, got, err, c.want)
		}
	}
	if _, err := money.Mul(math.MaxInt64, 3, 2); !errors.Is(err, money.ErrOverflow) {
		t.Errorf("overflow: %v", err)
	}
}

// Mul is never more than half a fen from the exact value.
func TestMulIsNearest(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, n := rapid.Int64().Draw(t, "amount"), rapid.Int64Range(-1e9, 1e9).Draw(t, "num")
		d := rapid.Int64Range(-1e9, 1e9).Filter(func(v int64) bool { return v != 0 }).Draw(t, "den")
		exact := new(big.Rat).Mul(new(big.Rat).SetInt64(a), big.NewRat(n, d))
		got, err := money.Mul(money.Fen(a), n, d)
		if err != nil {
			if limit := new(big.Rat).SetInt64(math.MaxInt64); new(big.Rat).Abs(exact).Cmp(limit) < 0 {
				t.Fatalf("%s fits but: %v", exact, err)
			}
			return
		}
		diff := new(big.Rat).Sub(exact, new(big.Rat).SetInt64(int64(got)))
		if new(big.Rat).Abs(diff).Cmp(big.NewRat(1, 2)) > 0 {
			t.Fatalf("%s became %d", exact, got)
		}
	})
}

func TestTextReadsBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := money.Fen(rapid.Int64Range(-math.MaxInt64, math.MaxInt64).Draw(t, "fen"))
		if back, err := money.ParseFen(f.String()); err != nil || back != f {
			t.Fatalf("%d became %q and %d, %v", f, f, back, err)
		}
	})
	if s := money.Fen(math.MinInt64).String(); s != "-92233720368547758.08" {
		t.Errorf("got %s", s)
	}
}

func TestRate(t *testing.T) {
	t.Parallel()
	for r, want := range map[money.Rate]string{money.BP(435): "4.35%", money.BP(0): "0%", money.RateOne: "100%", money.BP(-10): "-0.1%", 1: "0.000001%"} {
		if got := r.String(); got != want {
			t.Errorf("%d is %s, want %s", r, got, want)
		}
	}
	if money.BP(435).BP() != 435 {
		t.Error("basis points do not read back")
	}
}

func FuzzParseFen(f *testing.F) {
	f.Add("12.34")
	f.Add("-0.1")
	f.Fuzz(func(t *testing.T, s string) {
		if v, err := money.ParseFen(s); err == nil {
			if back, err := money.ParseFen(v.String()); err != nil || back != v {
				t.Errorf("%q reads as %d, which prints as %s", s, v, v)
			}
		}
	})
}
