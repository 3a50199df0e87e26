package cost_test

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/credit/loan/cost"
	"github.com/furrowcredit/furrow/credit/loan/schedule"
	"github.com/furrowcredit/furrow/money"
)

func date(s string) money.Date {
	d, err := money.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

// 10,000 yuan for a year at 6 % in equal instalments, with 200 yuan for the guarantee.
func ExampleOf() {
	t := schedule.Terms{
		Principal: 1_000_000, Rate: money.BP(600), Method: schedule.EqualInstalments, DayCount: money.Thirty360, Start: date("2026-03-15"), N: 12,
	}
	rows, _ := schedule.Make(t)
	a, _ := cost.Of(t, rows, []cost.Flow{{On: t.Start, Amount: 20_000}})
	fmt.Println(a.Interest, a.Fees, a.Simple, a.Nominal, a.Effective)
	// Output: 327.96 200.00 9.608165% 9.799737% 10.252102%
}

// 10,000 yuan that 10,300 pay back after half a year cost 6 % simple; half a percent a
// month would make more of it, so that the monthly rate is a little less.
func ExampleIRR() {
	nominal, effective, _ := cost.IRR([]cost.Flow{{date("2026-01-10"), 1_000_000}, {date("2026-07-10"), -1_030_000}})
	fmt.Println(nominal, effective)
	// Output: 5.926346% 6.09%
}

func TestIRR(t *testing.T) {
	t.Parallel()
	start := date("2026-01-31")
	for name, c := range map[string]struct {
		flows              []cost.Flow
		nominal, effective money.Rate
	}{
		"a year at 12 %":         {[]cost.Flow{{start, 10_000}, {start.AddMonths(12), -11_200}}, 11_386_552, 12_000_000}, // 12 × (1.12^(1/12) - 1)
		"nothing for it":         {[]cost.Flow{{start, 10_000}, {start + 100, -10_000}}, 0, 0},
		"a month of 1 %":         {[]cost.Flow{{start, 10_000}, {date("2026-02-28"), -10_100}}, 12_000_000, 12_682_503},
		"half of February":       {[]cost.Flow{{start, 10_000}, {date("2026-02-14"), -10_100}}, 24_000_000, 26_824_179}, // 14 of 28 days: 2 % a month
		"perpetual interest":     {[]cost.Flow{{start, 10_000}, {start.AddMonths(1), -100}, {start.AddMonths(2), -10_100}}, 12_000_000, 12_682_503},
		"in another order":       {[]cost.Flow{{start.AddMonths(2), -10_100}, {start, 10_000}, {start.AddMonths(1), -100}}, 12_000_000, 12_682_503},
		"two amounts of one day": {[]cost.Flow{{start, 10_100}, {start, -100}, {start.AddMonths(1), -10_100}}, 12_000_000, 12_682_503},
	} {
		nominal, effective, err := cost.IRR(c.flows)
		if err != nil || off(nominal, c.nominal) > 1 || off(effective, c.effective) > 1 {
			t.Errorf("%s: %d %d %v, want %d %d", name, nominal, effective, err, c.nominal, c.effective)
		}
	}
}

func off(a, b money.Rate) money.Rate { return max(a-b, b-a) }

func TestIRRRefuses(t *testing.T) {
	t.Parallel()
	start := date("2024-02-29")
	for name, flows := range map[string][]cost.Flow{
		"nothing":          nil,
		"one flow":         {{start, 100}},
		"paid first":       {{start, -100}, {start + 30, 110}},
		"never paid":       {{start, 100}, {start + 30, 100}},
		"a gift":           {{start, 100}, {start + 30, -90}},
		"beyond all":       {{start, 1}, {start.AddMonths(1), -1_000_000}},
		"nothing received": {{start, 100}, {start, -100}, {start + 30, -5}},
		"two rates":        {{start, 100}, {start.AddMonths(1), -230}, {start.AddMonths(2), 132}, {start.AddMonths(3), -3}}, // near 10 % and 20 % a month
	} {
		if n, e, err := cost.IRR(flows); !errors.Is(err, cost.ErrNoRate) {
			t.Errorf("%s: %s %s %v", name, n, e, err)
		}
	}
	if _, _, err := cost.IRR([]cost.Flow{{start, math.MaxInt64}, {start + 30, -math.MaxInt64}}); !errors.Is(err, money.ErrOverflow) {
		t.Errorf("too much: %v", err)
	}
}

func TestOfRefuses(t *testing.T) {
	t.Parallel()
	x := schedule.Terms{Principal: 100, Rate: 1, Method: schedule.Bullet, DayCount: money.Act360, Start: date("2026-01-01"), N: 1}
	rows, err := schedule.Make(x)
	if err != nil {
		t.Fatal(err)
	}
	for name, fees := range map[string][]cost.Flow{
		"negative fee":    {{x.Start, -1}},
		"before the loan": {{x.Start - 1, 1}},
		"all of it":       {{x.Start, 100}},
	} {
		if _, err := cost.Of(x, rows, fees); !errors.Is(err, cost.ErrNoRate) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := cost.Of(x, nil, nil); !errors.Is(err, cost.ErrNoRate) {
		t.Errorf("no rows: %v", err)
	}
}

// The simple rate of a bullet is that of the contract, ACT/365; every fen more costs more.
func TestSimpleRate(t *testing.T) {
	t.Parallel()
	x := schedule.Terms{Principal: 36_500_000, Rate: money.BP(480), Method: schedule.Bullet, DayCount: money.Act365, Start: date("2026-03-10"), N: 7}
	rows, err := schedule.Make(x)
	if err != nil {
		t.Fatal(err)
	}
	a, err := cost.Of(x, rows, nil)
	if err != nil || a.Simple != money.BP(480) {
		t.Errorf("%+v %v", a, err)
	}
	// ACT/360 counts a year of 365 days as more than a year.
	x.DayCount = money.Act360
	if rows, err = schedule.Make(x); err != nil {
		t.Fatal(err)
	}
	if a, err = cost.Of(x, rows, nil); err != nil || off(a.Simple, money.BP(480)*365/360) > 10 {
		t.Errorf("%+v %v", a, err)
	}
}

func draw(t *rapid.T) schedule.Terms {
	x := schedule.Terms{
		Principal: money.Fen(rapid.Int64Range(1e6, 1e12).Draw(t, "principal")),
		Rate:      money.Rate(rapid.Int64Range(1e5, 36_000_000).Draw(t, "rate")),
		Method: rapid.SampledFrom([]schedule.Method{schedule.EqualInstalments, schedule.EqualPrincipal, schedule.InterestFirst,
			schedule.Bullet}).Draw(t, "method"),
		DayCount: rapid.SampledFrom([]money.DayCount{money.Thirty360, money.Act360, money.Act365}).Draw(t, "count"),
		Start:    money.Date(rapid.IntRange(18000, 22000).Draw(t, "start")),
		N:        rapid.IntRange(1, 60).Draw(t, "n"),
		Unit:     rapid.SampledFrom([]schedule.Unit{schedule.Months, schedule.Weeks}).Draw(t, "unit"),
	}
	if x.N > 3 && x.Method != schedule.Bullet && rapid.Bool().Draw(t, "tranche") {
		x.Tranches = []schedule.Tranche{{On: x.Start + 10, Amount: x.Principal / 2}}
	}
	return x
}

// A fee makes a loan dearer in every way; the earlier, the dearer its rate of return.
func TestFeesRaiseTheCost(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		x := draw(t)
		rows, err := schedule.Make(x)
		if err != nil {
			t.Fatal(err)
		}
		plain, err := cost.Of(x, rows, nil)
		if err != nil {
			t.Fatal(err)
		}
		fee := x.Principal / money.Fen(rapid.Int64Range(20, 1000).Draw(t, "share"))
		last := rows[len(rows)-1].DueOn
		early, err := cost.Of(x, rows, []cost.Flow{{x.Start, fee}})
		if err != nil {
			t.Fatal(err)
		}
		late, err := cost.Of(x, rows, []cost.Flow{{last, fee}})
		if err != nil {
			t.Fatal(err)
		}
		if plain.Nominal >= late.Nominal || late.Nominal > early.Nominal || plain.Simple >= early.Simple || early.Simple != late.Simple ||
			plain.Effective >= late.Effective || early.Effective < early.Nominal || early.Fees != fee {
			t.Fatalf("plain %+v\nlate %+v\nearly %+v", plain, late, early)
		}
	})
}

// Without fees the rate of return of monthly payments is the rate of the contract, but for
// the rounding of each row to the fen.
func TestRateOfTheContract(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		x := draw(t)
		x.Tranches, x.DayCount, x.Unit = nil, money.Thirty360, schedule.Months
		x.Principal = max(x.Principal, 1e8)
		if x.Method == schedule.Bullet {
			x.Method = schedule.EqualInstalments
		}
		rows, err := schedule.Make(x)
		if err != nil {
			t.Fatal(err)
		}
		a, err := cost.Of(x, rows, nil)
		if err != nil || off(a.Nominal, x.Rate) > 30 {
			t.Fatalf("%+v %v, the contract says %d", a, err, x.Rate)
		}
	})
}

func FuzzIRR(f *testing.F) {
	f.Add(int32(20000), int64(10_000), int32(20030), int64(-100), int32(20060), int64(-10_100))
	f.Add(int32(20000), int64(1), int32(20000), int64(-1), int32(1<<30), int64(-1<<62))
	f.Fuzz(func(t *testing.T, d1 int32, a1 int64, d2 int32, a2 int64, d3 int32, a3 int64) {
		day := func(d int32) money.Date { return money.Date(d % 1_000_000) }
		flows := []cost.Flow{{day(d1), money.Fen(a1)}, {day(d2), money.Fen(a2)}, {day(d3), money.Fen(a3)}}
		nominal, effective, err := cost.IRR(flows)
		if err == nil && (nominal < 0 || effective < nominal-1) {
			t.Fatalf("%v: %d %d", flows, nominal, effective)
		}
	})
}

func BenchmarkOf(b *testing.B) {
	for _, n := range []int{12, 360} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			x := schedule.Terms{Principal: 1e8, Rate: money.BP(600), Method: schedule.EqualInstalments, DayCount: money.Act365, Start: 20000, N: n}
			rows, err := schedule.Make(x)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := cost.Of(x, rows, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
