package schedule_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/credit/loan/schedule"
	"github.com/furrowcredit/furrow/money"
)

func day(tb testing.TB, s string) money.Date {
	tb.Helper()
	d, err := money.ParseDate(s)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

func ExampleMake() {
	start, _ := money.ParseDate("2025-01-31")
	rows, _ := schedule.Make(schedule.Terms{
		Principal: 1_000_000, Rate: money.BP(1200), Method: schedule.EqualInstalments, DayCount: money.Thirty360, Start: start, N: 3,
	})
	for _, r := range rows {
		fmt.Println(r.DueOn, r.Principal, r.Interest, r.Due)
	}
	// Output:
	// 2025-02-28 3300.22 100.00 3400.22
	// 2025-03-31 3333.22 67.00 3400.22
	// 2025-04-30 3366.56 33.67 3400.23
}

// Wheat is sold in July and maize in October.
func ExampleMake_harvest() {
	date := func(s string) money.Date { d, _ := money.ParseDate(s); return d }
	rows, _ := schedule.Make(schedule.Terms{
		Principal: 3_000_000, Rate: money.BP(435), Method: schedule.Harvest, DayCount: money.Act360, Start: date("2026-03-10"),
		Payments: []schedule.Payment{
			{On: date("2026-07-10"), Share: money.RateOne * 40 / 100},
			{On: date("2026-10-31"), Share: money.RateOne * 60 / 100},
		},
	})
	for _, r := range rows {
		fmt.Println(r.DueOn, r.Days, r.Principal, r.Interest, r.Balance)
	}
	// Output:
	// 2026-07-10 122 12000.00 442.25 18000.00
	// 2026-10-31 113 18000.00 245.78 0.00
}

func ExampleEMI() {
	// 12 months of 30/360 at 6 %.
	factors := make([]schedule.Factor, 12)
	for i := range factors {
		factors[i] = schedule.NewFactor(money.BP(600), 1, 12)
	}
	emi, _ := schedule.EMI(10_000_000, factors)
	fmt.Println(emi)
	// Output: 8606.64
}

// terms of 12,000 yuan at 4.8 % from 15 March 2026 in six months.
func terms(tb testing.TB) schedule.Terms {
	return schedule.Terms{Principal: 1_200_000, Rate: money.BP(480), Method: schedule.EqualInstalments, DayCount: money.Act360, Start: day(tb, "2026-03-15"), N: 6}
}

// lines writes rows as "date principal interest balance".
func lines(rows []schedule.Row) string {
	var b strings.Builder
	for _, r := range rows {
		fmt.Fprintln(&b, r.DueOn, r.Principal, r.Interest, r.Balance)
	}
	return strings.TrimSpace(b.String())
}

// Each method against a hand reckoning (see docs/formats/schedule.md).
func TestMethods(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*schedule.Terms)
		want   string
	}{
		{"bullet", func(x *schedule.Terms) { x.Method = schedule.Bullet },
			"2026-09-15 12000.00 294.40 0.00"}, // 184 days
		{"interest first", func(x *schedule.Terms) { x.Method, x.N = schedule.InterestFirst, 3 },
			"2026-04-15 0.00 49.60 12000.00\n2026-05-15 0.00 48.00 12000.00\n2026-06-15 12000.00 49.60 0.00"},
		{"equal principal", func(x *schedule.Terms) { x.Method, x.N = schedule.EqualPrincipal, 3 },
			"2026-04-15 4000.00 49.60 8000.00\n2026-05-15 4000.00 32.00 4000.00\n2026-06-15 4000.00 16.53 0.00"},
		{"equal principal with grace and balloon", func(x *schedule.Terms) {
			x.Method, x.N, x.Grace, x.Balloon = schedule.EqualPrincipal, 3, 1, 600_000
		}, "2026-04-15 0.00 49.60 12000.00\n2026-05-15 3000.00 48.00 9000.00\n2026-06-15 9000.00 37.20 0.00"},
		{"no interest", func(x *schedule.Terms) { x.Rate, x.N = 0, 3 },
			"2026-04-15 4000.00 0.00 8000.00\n2026-05-15 4000.00 0.00 4000.00\n2026-06-15 4000.00 0.00 0.00"},
		{"fixed length", func(x *schedule.Terms) { x.Method, x.N, x.Length = schedule.EqualPrincipal, 3, 4 }, // 61 days: 32.53
			"2026-04-15 4000.00 49.60 8000.00\n2026-05-15 4000.00 32.00 4000.00\n2026-07-15 4000.00 32.53 0.00"},
		{"balloon", func(x *schedule.Terms) { x.DayCount, x.N, x.Balloon = money.Thirty360, 2, 600_000 },
			// (12000 × 1.004² - 6000) / 2.004 = 3042.01, and 6000 more with the last
			"2026-04-15 2994.01 48.00 9005.99\n2026-05-15 9005.99 36.02 0.00"},
		{"interest put off", func(x *schedule.Terms) {
			x.Method, x.DayCount, x.N, x.GraceInterest = schedule.EqualPrincipal, money.Thirty360, 3, 2
		}, "2026-04-15 4000.00 0.00 8000.00\n2026-05-15 4000.00 0.00 4000.00\n2026-06-15 4000.00 96.00 0.00"}, // 48 + 32 + 16
		{"all interest put off", func(x *schedule.Terms) {
			x.DayCount, x.N, x.GraceInterest = money.Thirty360, 2, 1
		}, // the instalment is the same as without: 6036.02
			"2026-04-15 5988.02 0.00 6011.98\n2026-05-15 6011.98 72.05 0.00"},
		{"interest free", func(x *schedule.Terms) {
			x.Method, x.DayCount, x.N, x.InterestFree = schedule.EqualPrincipal, money.Thirty360, 3, 1
		}, "2026-04-15 4000.00 0.00 8000.00\n2026-05-15 4000.00 32.00 4000.00\n2026-06-15 4000.00 16.00 0.00"},
		{"given instalment", func(x *schedule.Terms) { x.DayCount, x.N, x.Instalment = money.Thirty360, 0, 500_000 },
			"2026-04-15 4952.00 48.00 7048.00\n2026-05-15 4971.81 28.19 2076.19\n2026-06-15 2076.19 8.30 0.00"},
		{"multiples", func(x *schedule.Terms) {
			x.DayCount, x.N, x.Multiple, x.Cumulative = money.Thirty360, 3, 10_000, true
		}, // 4032.04 becomes 4000
			"2026-04-15 3952.00 48.00 8048.00\n2026-05-15 3967.81 32.19 4080.19\n2026-06-15 4080.19 16.32 0.00"},
		{"flat", func(x *schedule.Terms) {
			x.Interest, x.Period, x.N = schedule.Flat, schedule.Repayment, 3
		}, "2026-04-15 4000.00 48.00 8000.00\n2026-05-15 4000.00 48.00 4000.00\n2026-06-15 4000.00 48.00 0.00"},
		{"down payment", func(x *schedule.Terms) {
			x.Method, x.DayCount, x.N, x.DownPayment = schedule.EqualPrincipal, money.Thirty360, 2, money.RateOne/4
		}, "2026-03-15 3000.00 0.00 9000.00\n2026-04-15 4500.00 36.00 4500.00\n2026-05-15 4500.00 18.00 0.00"},
		{"irregular", func(x *schedule.Terms) {
			x.Method, x.N = schedule.Irregular, 0
			x.Payments = []schedule.Payment{{On: x.Start + 30, Amount: 3_000}, {On: x.Start + 60, Amount: 512_640}, {On: x.Start + 90}}
		}, // 18 of the first 48 are put off
			"2026-04-14 0.00 30.00 12000.00\n2026-05-14 5060.40 66.00 6939.60\n2026-06-13 6939.60 27.76 0.00"},
		{"tranche", func(x *schedule.Terms) {
			x.Method, x.N = schedule.InterestFirst, 2
			x.Tranches = []schedule.Tranche{{On: x.Start + 10, Amount: 600_000}}
		}, // 10 days of 12000 and 21 of 18000
			"2026-04-15 0.00 66.40 18000.00\n2026-05-15 18000.00 72.00 0.00"},
		{"change of the rate", func(x *schedule.Terms) {
			x.Method, x.N = schedule.InterestFirst, 2
			x.Rates = []schedule.RateChange{{On: x.Start + 10, Rate: money.BP(360)}}
		}, // 10 days at 4.8 % and 21 at 3.6 %
			"2026-04-15 0.00 41.20 12000.00\n2026-05-15 12000.00 36.00 0.00"},
		{"broken first period", func(x *schedule.Terms) {
			x.Method, x.DayCount, x.N, x.FirstDue = schedule.InterestFirst, money.Thirty360, 2, day(t, "2026-04-30")
		}, // a month and 15 of 30 days
			"2026-04-30 0.00 72.00 12000.00\n2026-05-30 12000.00 48.00 0.00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := terms(t)
			c.change(&x)
			rows, err := schedule.Make(x)
			if err != nil {
				t.Fatal(err)
			}
			if got := lines(rows); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// Equal instalments are reckoned again from the period of a tranche or a change of the rate.
func TestInstalmentsFollowChanges(t *testing.T) {
	t.Parallel()
	x := terms(t)
	x.DayCount, x.N = money.Thirty360, 12
	x.Tranches = []schedule.Tranche{{On: day(t, "2026-06-15"), Amount: 900_000}} // a due date: from the fourth row on
	x.Rates = []schedule.RateChange{{On: day(t, "2026-10-15"), Rate: money.BP(360)}}
	rows, err := schedule.Make(x)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range rows[:len(rows)-1] {
		if same := r.Due == rows[i+1].Due; i < 10 && same != (i != 2 && i != 6) {
			t.Errorf("row %d pays %s, the next %s", r.Nr, r.Due, rows[i+1].Due)
		}
	}
	// The fourth row earns 0.4 % of the balance of the third and of the tranche.
	if want := (rows[2].Balance + 900_000) * 4 / 1000; rows[3].Interest-want > 1 || want-rows[3].Interest > 1 {
		t.Errorf("row 4 bears %s, want %s", rows[3].Interest, want)
	}
}

func TestMonthEnds(t *testing.T) {
	t.Parallel()
	for rule, want := range map[schedule.MonthEnd][]string{
		"":                  {"2024-02-29", "2024-03-30", "2024-04-30", "2024-05-30"},
		schedule.Clamp:      {"2024-02-29", "2024-03-30", "2024-04-30", "2024-05-30"},
		schedule.NextMonth:  {"2024-03-01", "2024-03-30", "2024-04-30", "2024-05-30"},
		schedule.EndOfMonth: {"2024-02-29", "2024-03-31", "2024-04-30", "2024-05-31"},
	} {
		c := schedule.Calendar{Start: day(t, "2024-01-30"), Every: 1, Unit: schedule.Months, MonthEnd: rule}
		for i, s := range want {
			if got := c.Due(i + 1); got.String() != s {
				t.Errorf("%q: %s, want %s", rule, got, s)
			}
		}
	}
	leap := schedule.Calendar{Start: day(t, "2024-02-29"), Every: 1, Unit: schedule.Years}
	if a, b := leap.Due(1), leap.Due(4); a.String() != "2025-02-28" || b.String() != "2028-02-29" {
		t.Errorf("29 February and a year: %s; four: %s", a, b)
	}
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	start := day(t, "2026-03-15")
	pay := func(p ...schedule.Payment) func(*schedule.Terms) {
		return func(x *schedule.Terms) { x.Method, x.N, x.Payments = schedule.Harvest, 0, p }
	}
	for name, change := range map[string]func(*schedule.Terms){
		"no principal":       func(x *schedule.Terms) { x.Principal = 0 },
		"negative principal": func(x *schedule.Terms) { x.Principal = -1 },
		"negative rate":      func(x *schedule.Terms) { x.Rate = -1 },
		"rate":               func(x *schedule.Terms) { x.Rate = schedule.MaxRate + 1 },
		"method":             func(x *schedule.Terms) { x.Method = "gift" },
		"count":              func(x *schedule.Terms) { x.DayCount = "30/361" },
		"none":               func(x *schedule.Terms) { x.N = 0 },
		"a fixed length":     func(x *schedule.Terms) { x.N, x.Length = 3, 2 },
		"many":               func(x *schedule.Terms) { x.N = 100_000 },
		"unit":               func(x *schedule.Terms) { x.Unit = "moons" },
		"grace":              func(x *schedule.Terms) { x.Grace = 6 },
		"grace of a bullet":  func(x *schedule.Terms) { x.Method, x.Grace = schedule.Bullet, 1 },
		"grace on interest":  func(x *schedule.Terms) { x.GraceInterest, x.InterestFree = 3, 3 },
		"balloon":            func(x *schedule.Terms) { x.Balloon = x.Principal },
		"small instalment":   func(x *schedule.Terms) { x.N, x.Instalment = 0, 4_000 },
		"down payment":       func(x *schedule.Terms) { x.DownPayment = money.RateOne },
		"first due":          func(x *schedule.Terms) { x.FirstDue = x.Start },
		"late tranche":       func(x *schedule.Terms) { x.Tranches = []schedule.Tranche{{On: start + 400, Amount: 1}} },
		"tranches disorder": func(x *schedule.Terms) {
			x.Tranches = []schedule.Tranche{{On: start + 9, Amount: 1}, {On: start + 8, Amount: 1}}
		},
		"empty tranche":     func(x *schedule.Terms) { x.Tranches = []schedule.Tranche{{On: start + 9}} },
		"rate before start": func(x *schedule.Terms) { x.Rates = []schedule.RateChange{{On: start, Rate: 1}} },
		"shares":            pay(schedule.Payment{On: start + 9, Share: 60_000_000}, schedule.Payment{On: start + 10, Share: 41_000_000}),
		"amounts":           pay(schedule.Payment{On: start + 9, Amount: 1_000_000}, schedule.Payment{On: start + 10, Amount: 1}),
		"share and amount":  pay(schedule.Payment{On: start + 9, Share: 100_000_000, Amount: 1}),
		"dates disorder":    pay(schedule.Payment{On: start + 9, Share: 50_000_000}, schedule.Payment{On: start + 9, Share: 50_000_000}),
		"no dates":          pay(),
		"date at start":     pay(schedule.Payment{On: start, Share: 100_000_000}),
		"dates of others":   func(x *schedule.Terms) { x.Payments = []schedule.Payment{{On: start + 9}} },
		"shift":             func(x *schedule.Terms) { x.Shift = "sideways" },
		"shifted together":  func(x *schedule.Terms) { x.Shift, x.Unit, x.N = schedule.Following, schedule.Days, 9 },
	} {
		x := terms(t)
		change(&x)
		if rows, err := schedule.Make(x); !errors.Is(err, schedule.ErrTerms) {
			t.Errorf("%s: %v %v", name, rows, err)
		}
	}
	x := terms(t)
	x.Principal, x.Rate, x.N, x.DayCount = math.MaxInt64, schedule.MaxRate, 1200, money.Thirty360
	for _, x.Method = range []schedule.Method{schedule.Bullet, schedule.EqualInstalments, schedule.EqualPrincipal, schedule.InterestFirst} {
		if _, err := schedule.Make(x); !errors.Is(err, money.ErrOverflow) {
			t.Errorf("%s of everything: %v", x.Method, err)
		}
	}
}

// A rate of 1,000 % a year is dear, but it is reckoned.
func TestThousandPerCent(t *testing.T) {
	t.Parallel()
	x := terms(t)
	x.Rate, x.DayCount = 10*money.RateOne, money.Thirty360
	rows, err := schedule.Make(x)
	if err != nil {
		t.Fatal(err)
	}
	if first, last := rows[0], rows[5]; first.Interest != 1_000_000 || last.Balance != 0 || last.Due-first.Due > 100 || first.Due-last.Due > 100 {
		t.Errorf("first %+v, last %+v", first, last)
	}
}

// draw makes terms of all kinds that are in order.
func draw(t *rapid.T) schedule.Terms {
	x := schedule.Terms{
		Principal: money.Fen(rapid.Int64Range(1, 1e12).Draw(t, "principal")),
		Rate:      money.Rate(rapid.Int64Range(0, 36_000_000).Draw(t, "rate")),
		Method: rapid.SampledFrom([]schedule.Method{schedule.EqualInstalments, schedule.EqualPrincipal, schedule.InterestFirst,
			schedule.Bullet, schedule.Harvest, schedule.Irregular}).Draw(t, "method"),
		DayCount: rapid.SampledFrom([]money.DayCount{money.Thirty360, money.Act360, money.Act365, money.ActAct, money.ActActEnd,
			money.Act364, money.Thirty365}).Draw(t, "count"),
		Start:      money.Date(rapid.IntRange(18000, 30000).Draw(t, "start")),
		N:          rapid.IntRange(1, 60).Draw(t, "n"),
		Unit:       rapid.SampledFrom([]schedule.Unit{"", schedule.Months, schedule.Weeks, schedule.Days, schedule.Years}).Draw(t, "unit"),
		Every:      rapid.IntRange(1, 6).Draw(t, "every"),
		MonthEnd:   rapid.SampledFrom([]schedule.MonthEnd{"", schedule.Clamp, schedule.NextMonth, schedule.EndOfMonth}).Draw(t, "month end"),
		Period:     rapid.SampledFrom([]schedule.Period{"", schedule.Daily, schedule.Repayment}).Draw(t, "period"),
		Cumulative: rapid.Bool().Draw(t, "cumulative"),
	}
	if x.MonthEnd == schedule.EndOfMonth {
		x.Start = x.Start.MonthEnd()
	}
	if rapid.Bool().Draw(t, "plain") {
		return dated(t, x)
	}
	if x.Unit != schedule.Days {
		x.Shift = rapid.SampledFrom([]schedule.Shift{"", schedule.Following, schedule.ModifiedFollowing}).Draw(t, "shift")
	}
	x.DownPayment = money.Rate(rapid.Int64Range(0, 50_000_000).Draw(t, "down"))
	if x.Method != schedule.Bullet {
		x.GraceInterest = rapid.IntRange(0, x.N-1).Draw(t, "grace interest")
		x.InterestFree = rapid.IntRange(0, x.N-1-x.GraceInterest).Draw(t, "free")
	}
	if x.Method == schedule.EqualInstalments || x.Method == schedule.EqualPrincipal {
		x.Grace = rapid.IntRange(0, x.N-1).Draw(t, "grace")
		x.Balloon = money.Fen(rapid.Int64Range(0, int64(x.Principal)/4).Draw(t, "balloon"))
		x.Multiple = money.Fen(rapid.SampledFrom([]int64{0, 10, 100, 10_000}).Draw(t, "multiple"))
	}
	if rapid.Bool().Draw(t, "flat") {
		x.Interest = schedule.Flat
	} else if x.N > 3 && x.Method != schedule.Bullet {
		at := x.Start + 1
		for range rapid.IntRange(0, 2).Draw(t, "tranches") {
			x.Tranches = append(x.Tranches, schedule.Tranche{On: at, Amount: money.Fen(rapid.Int64Range(1, 1e11).Draw(t, "more"))})
			at++
		}
		if rapid.Bool().Draw(t, "changes") {
			x.Rates = []schedule.RateChange{{On: x.Start + 2, Rate: money.Rate(rapid.Int64Range(0, 36_000_000).Draw(t, "new rate"))}}
		}
	}
	return dated(t, x)
}

// dated gives terms of the dated methods their days.
func dated(t *rapid.T, x schedule.Terms) schedule.Terms {
	if !x.Method.Dated() {
		return x
	}
	at, left := x.Start+3, money.RateOne
	for i := range x.N {
		at += money.Date(rapid.IntRange(4, 200).Draw(t, "days"))
		p := schedule.Payment{On: at}
		switch {
		case x.Method == schedule.Irregular:
			p.Amount = money.Fen(rapid.Int64Range(1, 1e11).Draw(t, "amount"))
		case i == x.N-1:
			p.Share = left
		default:
			p.Share = money.Rate(rapid.Int64Range(0, int64(left)).Draw(t, "share"))
		}
		left -= p.Share
		x.Payments = append(x.Payments, p)
	}
	return x
}

// Whatever the terms: the principals add up to what was lent, no row is negative, the
// balance falls to zero, dates rise, and terms read back from JSON give the same rows.
func TestHolds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		x := draw(t)
		rows, err := schedule.Make(x)
		if err != nil {
			t.Fatal(err)
		}
		lent, _ := x.Lent()
		var sum money.Fen
		from, at := x.Start, x.Start
		for i, r := range rows {
			sum += r.Principal
			if r.Principal < 0 || r.Interest < 0 || r.Balance < 0 || r.Due != r.Principal+r.Interest || r.DueOn < at || r.Nr != i+1 || r.Days != int(r.DueOn-r.From) {
				t.Fatalf("row %+v", r)
			}
			if at = r.DueOn; r.Days > 0 {
				if r.From != from {
					t.Fatalf("row %+v does not follow %s", r, from)
				}
				from = r.DueOn
			} else if x.DownPayment == 0 {
				t.Fatalf("row %+v has no days", r)
			}
		}
		if sum != lent || rows[len(rows)-1].Balance != 0 {
			t.Fatalf("the principals are %s of %s", sum, lent)
		}
		b, err := json.Marshal(x)
		if err != nil {
			t.Fatal(err)
		}
		var back schedule.Terms
		if err := json.Unmarshal(b, &back); err != nil {
			t.Fatal(err)
		}
		if again, err := schedule.Make(back); err != nil || !reflect.DeepEqual(rows, again) {
			t.Fatalf("%s gives other rows: %v", b, err)
		}
	})
}

// Equal instalments are equal but for the last, which differs by what rounding leaves.
func TestInstalmentsAreEqual(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		x := schedule.Terms{
			Principal: money.Fen(rapid.Int64Range(1e6, 1e12).Draw(t, "principal")),
			Rate:      money.Rate(rapid.Int64Range(0, 36_000_000).Draw(t, "rate")),
			Method:    schedule.EqualInstalments,
			DayCount:  rapid.SampledFrom([]money.DayCount{money.Thirty360, money.Act360, money.Act365, money.ActAct}).Draw(t, "count"),
			Start:     money.Date(rapid.IntRange(18000, 30000).Draw(t, "start")),
			N:         rapid.IntRange(1, 60).Draw(t, "n"),
			Unit:      rapid.SampledFrom([]schedule.Unit{schedule.Months, schedule.Weeks, schedule.Days}).Draw(t, "unit"),
			Every:     rapid.IntRange(1, 6).Draw(t, "every"),
		}
		x.Grace = rapid.IntRange(0, x.N-1).Draw(t, "grace")
		rows, err := schedule.Make(x)
		if err != nil {
			t.Fatal(err)
		}
		paying := rows[x.Grace:]
		emi := paying[0].Due
		for _, r := range paying[:len(paying)-1] {
			if r.Principal == 0 { // at a high rate the interest of a long period may be more
				return
			}
			emi = min(emi, r.Due)
		}
		for _, r := range paying[:len(paying)-1] {
			if r.Due != emi {
				t.Fatalf("instalments differ: %s and %s", r.Due, emi)
			}
		}
		// Every row rounds its instalment and its interest by half a fen; the last row
		// takes what that has grown to with the interest of the rows after it.
		grown := 0.0
		for _, r := range paying {
			grown = grown*(1+float64(r.Interest)/float64(r.Balance+r.Principal)) + 1
		}
		if last := paying[len(paying)-1].Due - emi; math.Abs(float64(last)) > 1.1*grown+1 {
			t.Fatalf("the last instalment differs by %s, more than %.0f fen", last, 1.1*grown+1)
		}
	})
}

// A factor is the exact fraction to 12 significant digits.
func TestFactor(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rate := money.Rate(rapid.Int64Range(1, int64(schedule.MaxRate)).Draw(t, "rate"))
		num, den := rapid.Int64Range(1, 40_000*366).Draw(t, "num"), rapid.SampledFrom([]int64{12, 52, 360, 364, 365, 366, 365 * 366}).Draw(t, "den")
		balance := money.Fen(rapid.Int64Range(0, 1e9).Draw(t, "balance"))
		exact, err := money.Portion(balance, rate, num, den)
		if err != nil {
			return
		}
		got, err := schedule.NewFactor(rate, num, den).Of(balance)
		if err != nil {
			t.Fatal(err)
		}
		if off := math.Abs(float64(got - exact)); off > 1+1e-11*float64(exact) {
			t.Fatalf("%s, exactly %s", got, exact)
		}
	})
}

func FuzzTerms(f *testing.F) {
	b, _ := json.Marshal(schedule.Terms{Principal: 100, Rate: 1, Method: schedule.EqualInstalments, DayCount: money.ActAct, Start: 20000, N: 3})
	f.Add(string(b))
	f.Add(`{"principal":1000,"rate":99,"method":"harvest","day_count":"30/act","start":"2024-02-29","payments":[{"on":"2024-03-01","share":100000000}],"shift":"following"}`)
	f.Add(`{"principal":9223372036854775807,"rate":10000000000,"method":"equal_instalments","day_count":"30/360","start":"2024-02-29","n":1200,"interest":"flat","multiple":9223372036854775807}`)
	f.Fuzz(func(t *testing.T, s string) {
		var x schedule.Terms
		if json.Unmarshal([]byte(s), &x) != nil {
			return
		}
		rows, err := schedule.Make(x)
		if err != nil {
			return
		}
		var sum money.Fen
		for _, r := range rows {
			if sum += r.Principal; r.Principal < 0 || r.Interest < 0 || r.Due < 0 || r.Balance < 0 {
				t.Fatalf("%s: row %+v", s, r)
			}
		}
		if lent, _ := x.Lent(); sum != lent {
			t.Fatalf("%s: %s of %s", s, sum, lent)
		}
	})
}

func BenchmarkMake(b *testing.B) {
	for _, n := range []int{12, 360} {
		for _, m := range []schedule.Method{schedule.EqualInstalments, schedule.EqualPrincipal} {
			b.Run(fmt.Sprintf("%s/%d", m, n), func(b *testing.B) {
				x := schedule.Terms{Principal: 1e8, Rate: money.BP(435), Method: m, DayCount: money.Act365, Start: 20000, N: n}
				b.ReportAllocs()
				for b.Loop() {
					if _, err := schedule.Make(x); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
