package loan_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/internal/realdata"
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

func ExampleSchedule() {
	start, _ := money.ParseDate("2025-01-31")
	rows, _ := loan.Schedule(loan.Terms{
		Principal: 1_000_000, Rate: money.BP(1200), Method: loan.EqualInstalments, DayCount: money.Thirty360, Start: start, N: 3,
	})
	for _, r := range rows {
		fmt.Println(r.DueOn, r.Principal, r.Interest, r.Due)
	}
	// Output:
	// 2025-02-28 3300.22 100.00 3400.22
	// 2025-03-31 3333.22 67.00 3400.22
	// 2025-04-30 3366.56 33.67 3400.23
}

func TestScheduleMethods(t *testing.T) {
	t.Parallel()
	terms := loan.Terms{Principal: 1_200_000, Rate: money.BP(480), DayCount: money.Act360, Start: day(t, "2026-03-15"), N: 6}
	for method, want := range map[loan.Method][3]money.Fen{ // first due, last due, all interest
		loan.Bullet:         {1_229_440, 1_229_440, 29_440}, // 184 days
		loan.InterestFirst:  {4_960, 1_204_960, 29_440},     // 31 days, last 31 days
		loan.EqualPrincipal: {204_960, 200_827, 17_147},
	} {
		terms.Method = method
		rows, err := loan.Schedule(terms)
		if err != nil {
			t.Fatal(err)
		}
		var interest money.Fen
		for _, r := range rows {
			interest += r.Interest
		}
		got := [3]money.Fen{rows[0].Due, rows[len(rows)-1].Due, interest}
		if got != want {
			t.Errorf("%s: %v, want %v", method, got, want)
		}
	}
}

func TestScheduleRefuses(t *testing.T) {
	t.Parallel()
	good := loan.Terms{Principal: 100, Rate: money.BP(500), Method: loan.Bullet, DayCount: money.Act360, Start: day(t, "2026-01-01"), N: 6}
	for name, change := range map[string]func(*loan.Terms){
		"principal": func(t *loan.Terms) { t.Principal = 0 },
		"rate":      func(t *loan.Terms) { t.Rate = -1 },
		"method":    func(t *loan.Terms) { t.Method = "gift" },
		"count":     func(t *loan.Terms) { t.DayCount = "30/361" },
		"none":      func(t *loan.Terms) { t.N = 0 },
		"many":      func(t *loan.Terms) { t.N = 100_000 },
		"grace":     func(t *loan.Terms) { t.Grace = 6 },
		"unit":      func(t *loan.Terms) { t.Unit = "moons" },
	} {
		terms := good
		change(&terms)
		if _, err := loan.Schedule(terms); !errors.Is(err, loan.ErrTerms) {
			t.Errorf("%s: %v", name, err)
		}
	}
	good.Principal, good.Rate, good.N, good.DayCount = math.MaxInt64, 100*money.RateOne, 1200, money.Thirty360
	for _, m := range []loan.Method{loan.Bullet, loan.EqualInstalments, loan.EqualPrincipal, loan.InterestFirst} {
		good.Method = m
		if _, err := loan.Schedule(good); !errors.Is(err, money.ErrOverflow) {
			t.Errorf("%s of everything: %v", m, err)
		}
	}
}

// Whatever the terms: the principals add up, no row is negative, balances fall to zero,
// dates rise, and equal instalments are equal but for the last.
func TestScheduleHolds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		terms := loan.Terms{
			Principal: money.Fen(rapid.Int64Range(1, 1e12).Draw(t, "principal")),
			Rate:      money.Rate(rapid.Int64Range(0, 36_000_000).Draw(t, "rate")),
			Method:    rapid.SampledFrom([]loan.Method{loan.EqualInstalments, loan.EqualPrincipal, loan.InterestFirst, loan.Bullet}).Draw(t, "method"),
			DayCount:  rapid.SampledFrom([]money.DayCount{money.Thirty360, money.Act360, money.Act365, money.ActAct}).Draw(t, "count"),
			Start:     money.Date(rapid.IntRange(18000, 30000).Draw(t, "start")),
			N:         rapid.IntRange(1, 60).Draw(t, "n"),
			Unit:      rapid.SampledFrom([]loan.Unit{loan.Months, loan.Weeks, loan.Days}).Draw(t, "unit"),
			Every:     rapid.IntRange(1, 6).Draw(t, "every"),
		}
		terms.Grace = rapid.IntRange(0, terms.N-1).Draw(t, "grace")
		rows, err := loan.Schedule(terms)
		if err != nil {
			t.Fatal(err)
		}
		var sum money.Fen
		from, balance := terms.Start, terms.Principal
		for i, r := range rows {
			sum += r.Principal
			balance -= r.Principal
			if r.Principal < 0 || r.Interest < 0 || r.Due != r.Principal+r.Interest || r.Balance != balance || r.From != from || r.DueOn <= from || r.Nr != i+1 {
				t.Fatalf("row %+v", r)
			}
			from = r.DueOn
		}
		if sum != terms.Principal || balance != 0 {
			t.Fatalf("the principals are %s of %s", sum, terms.Principal)
		}
		if terms.Method != loan.EqualInstalments || terms.Principal < 1e6 {
			return
		}
		paying := rows[terms.Grace:]
		for _, r := range paying[:len(paying)-1] {
			if r.Due != paying[0].Due {
				t.Fatalf("instalments differ: %s and %s", r.Due, paying[0].Due)
			}
		}
		// Every row rounds its instalment and its interest by half a fen; the last row
		// takes what that has grown to with the interest of the rows after it.
		grown := 0.0
		for _, r := range paying {
			grown = grown*(1+float64(r.Interest)/float64(r.Balance+r.Principal)) + 1
		}
		if last := paying[len(paying)-1].Due - paying[0].Due; math.Abs(float64(last)) > grown+1 {
			t.Fatalf("the last instalment differs by %s, more than %.0f fen", last, grown+1)
		}
	})
}

// The published rows of another lending system's own tests, to the fen: the progressive
// cases whose rules this package has.
func TestPublishedSchedules(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(filepath.Join(realdata.Dir(t, "credit"), "schedules.json"))
	if err != nil {
		t.Fatal(err)
	}
	type row struct {
		Nr        int     `json:"nr"`
		Period    int     `json:"period"`
		DueDate   string  `json:"due_date"`
		Principal float64 `json:"principal"`
		Interest  float64 `json:"interest"`
	}
	var file struct {
		Cases []struct {
			ID     string `json:"id"`
			Kind   string `json:"kind"`
			Params struct {
				Rate         float64 `json:"annual_rate_pct"`
				InterestType string  `json:"interest_type"`
				N            int     `json:"number_of_repayments"`
				Every        int     `json:"repay_every"`
				Unit         string  `json:"repay_unit"`
				Grace        int     `json:"grace_on_principal_periods"`
				Year         string  `json:"days_in_year"`
				Month        string  `json:"days_in_month"`
				Periods      []struct {
					DueDate string `json:"due_date"`
				} `json:"periods"`
				Terms struct {
					Type     string `json:"schedule_type"`
					Year     string `json:"day_count_days_in_year"`
					Month    string `json:"day_count_days_in_month"`
					MonthEnd string `json:"month_end_due_date_strategy"`
				} `json:"product_terms"`
			} `json:"params"`
			Events []struct {
				Type   string  `json:"type"`
				Date   string  `json:"date"`
				Amount float64 `json:"amount"`
				Rows   []row   `json:"rows"`
			} `json:"events"`
		} `json:"cases"`
	}
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	counts := map[string]money.DayCount{
		"360/30": money.Thirty360, "DAYS_360/DAYS_30": money.Thirty360, "ACTUAL/ACTUAL": money.ActAct,
		"DAYS_365/ACTUAL": money.Act365, "DAYS_364/ACTUAL": money.Act364, "DAYS_360/INVALID": money.Act360,
	}
	fen := func(yuan float64) money.Fen { return money.Fen(math.Round(yuan * 100)) }
	matched, cases := 0, 0
	for _, c := range file.Cases {
		p := c.Params
		moved := p.Terms.MonthEnd == "FIRST_DAY_OF_NEXT_MONTH" || c.ID[len(c.ID)-1:] == "e" // rescheduled due dates
		if c.Kind != "pure_schedule" || p.Terms.Type == "CUMULATIVE" || moved {
			continue
		}
		n := max(p.N, len(p.Periods))
		count := counts[p.Year+p.Terms.Year+"/"+p.Month+p.Terms.Month]
		rows, err := loan.Schedule(loan.Terms{
			Principal: fen(c.Events[0].Amount), Rate: money.Rate(math.Round(p.Rate * 1e6)), Method: loan.EqualInstalments,
			DayCount: count, Start: day(t, c.Events[0].Date), N: n, Every: p.Every, Grace: p.Grace,
			Unit: map[string]loan.Unit{"MONTHS": loan.Months, "WEEKS": loan.Weeks, "DAYS": loan.Days}[p.Unit],
		})
		if err != nil {
			t.Errorf("%s: %v", c.ID, err)
			continue
		}
		cases++
		for _, want := range c.Events[1].Rows {
			i := max(want.Nr, want.Period) - 1
			got := rows[i]
			if got.Principal != fen(want.Principal) || got.Interest != fen(want.Interest) || (want.DueDate != "" && got.DueOn.String() != want.DueDate) {
				t.Errorf("%s row %d: %s %s + %s, want %s %v + %v", c.ID, i+1, got.DueOn, got.Principal, got.Interest, want.DueDate, want.Principal, want.Interest)
				continue
			}
			matched++
		}
	}
	if cases < 8 || matched < 40 {
		t.Errorf("only %d cases and %d rows were compared", cases, matched)
	}
	t.Logf("%d cases, %d rows", cases, matched)
}

func TestClassifyBounds(t *testing.T) {
	t.Parallel()
	for days, want := range map[int]loan.Class{
		-1: loan.Normal, 0: loan.Normal, 1: loan.SpecialMention, 90: loan.SpecialMention, 91: loan.Substandard,
		270: loan.Substandard, 271: loan.Doubtful, 360: loan.Doubtful, 361: loan.Loss, 5000: loan.Loss,
	} {
		if got := loan.Classify(days); got != want {
			t.Errorf("%d days: %s, want %s", days, got, want)
		}
	}
}

func BenchmarkSchedule(b *testing.B) {
	terms := loan.Terms{Principal: 1e8, Rate: money.BP(500), Method: loan.EqualInstalments, DayCount: money.Act365, Start: 20000, N: 36}
	for b.Loop() {
		if _, err := loan.Schedule(terms); err != nil {
			b.Fatal(err)
		}
	}
}
