package money_test

import (
	"encoding/json"
	"errors"
	"math/big"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/money"
)

func date(tb testing.TB, s string) money.Date {
	tb.Helper()
	d, err := money.ParseDate(s)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

func TestParseDate(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"2026-02-30", "2026-13-01", "2025-02-29", "", "today", "2026-1-1", "0001-01-01", "2026-01-01T00:00:00Z"} {
		if d, err := money.ParseDate(s); !errors.Is(err, money.ErrDate) {
			t.Errorf("%q is read as %s, %v", s, d, err)
		}
	}
	if d := date(t, "2024-02-29"); d.String() != "2024-02-29" {
		t.Errorf("got %s", d)
	}
}

// Bank dates turn at midnight in China, which is 16:00 UTC.
func TestDateOf(t *testing.T) {
	t.Parallel()
	before := time.Date(2026, 5, 31, 15, 59, 59, 0, time.UTC)
	if d := money.DateOf(before); d.String() != "2026-05-31" {
		t.Errorf("got %s", d)
	}
	if d := money.DateOf(before.Add(time.Second)); d.String() != "2026-06-01" || !d.Start().Equal(before.Add(time.Second)) {
		t.Errorf("got %s from %s", d, d.Start())
	}
}

func TestAddMonths(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from string
		n    int
		want string
	}{
		{"2025-01-31", 1, "2025-02-28"}, {"2024-01-31", 1, "2024-02-29"}, {"2025-01-31", 2, "2025-03-31"},
		{"2025-12-31", 2, "2026-02-28"}, {"2025-03-31", -1, "2025-02-28"}, {"2024-02-29", 12, "2025-02-28"}, {"2025-05-15", 0, "2025-05-15"},
	} {
		if got := date(t, c.from).AddMonths(c.n); got.String() != c.want {
			t.Errorf("%s + %d months = %s, want %s", c.from, c.n, got, c.want)
		}
	}
}

func TestDateJSON(t *testing.T) {
	t.Parallel()
	b, err := json.Marshal(map[string]money.Date{"a": date(t, "2026-05-31"), "b": 0})
	if err != nil || string(b) != `{"a":"2026-05-31","b":""}` {
		t.Errorf("%s %v", b, err)
	}
	var back map[string]money.Date
	if err := json.Unmarshal(b, &back); err != nil || back["a"] != date(t, "2026-05-31") || back["b"] != 0 {
		t.Errorf("%v %v", back, err)
	}
}

func TestFraction(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		count    money.DayCount
		a, b     string
		num, den int64
	}{
		{money.Act360, "2024-01-01", "2024-02-01", 31, 360},
		{money.Act365, "2024-01-01", "2025-01-01", 366, 365},
		{money.Act364, "2024-01-01", "2024-01-08", 7, 364},
		{money.ActAct, "2023-12-12", "2024-01-12", 20*366 + 11*365, 365 * 366},
		{money.ActAct, "2024-01-12", "2024-02-12", 31, 366},
		{money.ActAct, "2025-01-01", "2026-01-01", 365, 365},
		{money.Thirty360, "2025-01-31", "2025-02-28", 30, 360},
		{money.Thirty360, "2025-02-28", "2025-03-31", 30, 360},
		{money.Thirty360, "2025-01-15", "2026-01-15", 360, 360},
	} {
		num, den := c.count.Fraction(date(t, c.a), date(t, c.b))
		if big.NewRat(num, den).Cmp(big.NewRat(c.num, c.den)) != 0 {
			t.Errorf("%s from %s to %s: %d/%d, want %d/%d", c.count, c.a, c.b, num, den, c.num, c.den)
		}
	}
}

// A span may be cut anywhere: its parts add up.
func TestFractionAdds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := rapid.SampledFrom([]money.DayCount{money.Thirty360, money.Act360, money.Act364, money.Act365, money.ActAct}).Draw(t, "count")
		d := func(name string) money.Date { return money.Date(rapid.IntRange(10000, 30000).Draw(t, name)) }
		x, y, z := d("x"), d("y"), d("z")
		x, y, z = min(x, y, z), x+y+z-min(x, y, z)-max(x, y, z), max(x, y, z)
		f := func(a, b money.Date) *big.Rat { return big.NewRat(c.Fraction(a, b)) }
		if whole := f(x, z); whole.Cmp(new(big.Rat).Add(f(x, y), f(y, z))) != 0 {
			t.Fatalf("%s: %s + %s is not %s", c, f(x, y), f(y, z), whole)
		}
	})
}

func FuzzParseDate(f *testing.F) {
	f.Add("2026-05-31")
	f.Fuzz(func(t *testing.T, s string) {
		if d, err := money.ParseDate(s); err == nil && d.String() != s && d != 0 {
			t.Errorf("%q reads as %s", s, d)
		}
	})
}
