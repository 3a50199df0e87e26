package product_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/loan/schedule"
	"github.com/furrowcredit/furrow/credit/loan/servicing"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/money"
)

func shipped(tb testing.TB) *product.Catalogue {
	tb.Helper()
	fsys, err := catalog.Open("")
	if err != nil {
		tb.Fatal(err)
	}
	c, err := product.Load(fsys)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func date(tb testing.TB, s string) money.Date {
	tb.Helper()
	d, err := money.ParseDate(s)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

// The shipped products lay out what they promise.
func TestShippedRepayments(t *testing.T) {
	t.Parallel()
	c := shipped(t)
	rows := func(code string, method schedule.Method, months int, start string) []schedule.Row {
		t.Helper()
		p, err := c.Product(code)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := schedule.Make(c.ScheduleTerms(p, product.Drawing{
			Principal: 1_000_000, Rate: money.BP(p.BaseRateBP), Months: months, Start: date(t, start), Method: method,
		}))
		if err != nil {
			t.Fatal(err)
		}
		return rows
	}
	dues := func(rows []schedule.Row) (out []string) {
		for _, r := range rows {
			out = append(out, r.DueOn.String())
		}
		return out
	}
	// Wheat on 10 July and the autumn crops on 31 October, a Saturday.
	sold := rows("inputs", schedule.Harvest, 9, "2026-03-02")
	if got := dues(sold); !slices.Equal(got, []string{"2026-07-10", "2026-11-02"}) || sold[0].Principal != 400_000 {
		t.Errorf("inputs: %v, %s with the first", got, sold[0].Principal)
	}
	// Drawn after the wheat only the autumn is left, and all of it falls due then.
	if got := rows("inputs", schedule.Harvest, 9, "2026-07-01"); len(got) != 1 || got[0].DueOn.String() != "2026-11-02" || got[0].Principal != 1_000_000 {
		t.Errorf("inputs in July: %+v", got)
	}
	// No sale within the term: all at its end.
	if got := rows("inputs", schedule.Harvest, 6, "2026-11-03"); len(got) != 1 || got[0].DueOn.String() != "2027-05-03" {
		t.Errorf("inputs in November: %v", dues(got))
	}
	if m := rows("machinery", "", 12, "2026-03-02"); len(m) != 12 || m[11].Principal < 200_000 || m[10].Due > m[11].Due-199_990 {
		t.Errorf("machinery: the last row is %+v", m[len(m)-1])
	}
	g := rows("greenhouse", "", 24, "2026-03-02")
	if len(g) != 8 || g[1].Principal != 0 || g[2].Principal == 0 || g[0].DueOn.String() != "2026-06-02" || g[7].DueOn.String() != "2028-03-02" {
		t.Errorf("greenhouse: %v", dues(g))
	}
	if got := rows("order", "", 3, "2026-03-02"); len(got) != 3 {
		t.Errorf("order: %v", dues(got))
	}
}

// Every product gives a schedule for each of its terms and ways on any day, also for what
// is left of a revolving line, and it ends when the term does.
func TestEveryProductHasASchedule(t *testing.T) {
	t.Parallel()
	c := shipped(t)
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(c.All()).Draw(t, "product")
		months := rapid.SampledFrom(p.Terms).Draw(t, "months")
		if p.Revolving {
			months = rapid.IntRange(1, months).Draw(t, "left")
		}
		d := product.Drawing{
			Principal: money.Fen(rapid.Int64Range(1000, int64(p.MaxFen)).Draw(t, "principal")), Rate: money.BP(p.BaseRateBP), Months: months,
			Start:  money.Date(rapid.IntRange(20000, 21500).Draw(t, "start")),
			Method: rapid.SampledFrom(append([]schedule.Method{""}, p.Ways...)).Draw(t, "method"),
		}
		rows, err := schedule.Make(c.ScheduleTerms(p, d))
		if err != nil {
			t.Fatal(err)
		}
		end := d.Start.AddMonths(months)
		last := rows[len(rows)-1].DueOn
		harvest := d.Method == schedule.Harvest
		if last > end+12 || last < end && !harvest {
			t.Fatalf("%s %d months from %s end on %s", p.Code, months, d.Start, last)
		}
	})
}

// A loan is due as its preview said.
func TestLoanFollowsPreview(t *testing.T) {
	t.Parallel()
	c := shipped(t)
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(c.All()).Draw(t, "product")
		d := product.Drawing{
			Principal: money.Fen(rapid.Int64Range(1000, int64(p.MaxFen)).Draw(t, "principal")), Rate: money.BP(p.BaseRateBP),
			Months: rapid.SampledFrom(p.Terms).Draw(t, "months"), Start: money.Date(rapid.IntRange(20000, 21500).Draw(t, "start")),
			Method: rapid.SampledFrom(append([]schedule.Method{p.Method}, p.Ways...)).Draw(t, "method"),
		}
		if !p.Revolving && len(p.Fees) == 0 && (p.Repayment == nil || p.Repayment.BalloonBP == 0) && rapid.Bool().Draw(t, "in parts") {
			p.Tranches = plan(t)
		}
		rows, err := schedule.Make(c.ScheduleTerms(p, d))
		if err != nil {
			t.Fatal(err)
		}
		terms := loan.Contract(&loan.Loan{Principal: d.Principal, Rate: d.Rate, DayCount: p.DayCount, Method: d.Method, TermMonths: d.Months})
		terms.Schedule = c.ScheduleTerms(p, d)
		events := []servicing.Event{{ID: "draw", Kind: servicing.Disburse, Date: d.Start, Amount: terms.Schedule.Principal}}
		to := d.Start
		for i, x := range terms.Schedule.Tranches {
			events = append(events, servicing.Event{ID: fmt.Sprint("draw", i), Kind: servicing.Disburse, Date: x.On, Amount: x.Amount})
			to = x.On
		}
		// What falls due before the last of them is paid, so that it is no arrears.
		terms.Penalty = servicing.PenaltyTerms{}
		state, err := servicing.Replay(terms, events, to)
		if err != nil {
			t.Fatal(err)
		}
		if len(state.Rows) != len(rows) {
			t.Fatalf("%s by %s: %d rows in the preview, %d of the loan", p.Code, d.Method, len(rows), len(state.Rows))
		}
		for i, r := range state.Rows {
			if r.DueOn != rows[i].DueOn || r.Due.Principal != rows[i].Principal || r.Due.Interest != rows[i].Interest {
				t.Fatalf("%s by %s: the loan has %+v, the preview %+v", p.Code, d.Method, r, rows[i])
			}
		}
	})
}

// plan draws a plan of tranches as a product may have.
func plan(t *rapid.T) []product.Tranche {
	n := rapid.IntRange(2, 4).Draw(t, "tranches")
	out := make([]product.Tranche, n)
	left, day := int64(10_000), 0
	for i := range out {
		share := left
		if i < n-1 {
			share = rapid.Int64Range(1, left-int64(n-i)).Draw(t, "share")
		}
		left -= share
		out[i] = product.Tranche{Name: map[string]string{"en": fmt.Sprint(i)}, ShareBP: share}
		switch day += rapid.IntRange(7, 60).Draw(t, "day"); {
		case i == 0:
		case rapid.Bool().Draw(t, "on a day of the year"):
			out[i].On = rapid.SampledFrom([]string{"03-01", "06-20", "10-05"}).Draw(t, "on")
		default:
			out[i].AfterDays = day
		}
	}
	return out
}

// Tranches are exactly the loan, in order, within its life.
func TestTranchesArePlanned(t *testing.T) {
	t.Parallel()
	c := shipped(t)
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(c.All()).Draw(t, "product")
		p.Tranches = plan(t)
		d := product.Drawing{
			Principal: money.Fen(rapid.Int64Range(1, int64(p.MaxFen)).Draw(t, "principal")), Months: rapid.SampledFrom(p.Terms).Draw(t, "months"),
			Start: money.Date(rapid.IntRange(20000, 21500).Draw(t, "start")), Method: p.Method,
		}
		list := c.Tranches(p, d)
		if len(list) == 0 {
			return // all at once
		}
		var sum money.Fen
		for i, x := range list {
			sum += x.Amount
			if x.Amount <= 0 || x.Nr != i+1 || x.Until < x.On || i > 0 && x.On < list[i-1].On+7 || x.Until >= d.Start.AddMonths(d.Months) {
				t.Fatalf("%+v", list)
			}
		}
		if sum != d.Principal || list[0].On != d.Start || len(list) > len(p.Tranches) {
			t.Fatalf("%s of %s: %+v", sum, d.Principal, list)
		}
	})
}

// A day of the season that does not come within the loan goes out with the tranche before.
func TestTrancheOfTheSeason(t *testing.T) {
	t.Parallel()
	p := product.Product{Method: schedule.Bullet, DayCount: money.Act360, Tranches: []product.Tranche{{ShareBP: 6000}, {ShareBP: 4000, On: "03-01", OpenDays: 45}}}
	for _, x := range []struct {
		start  money.Date
		months int
		want   string
	}{
		{money.NewDate(2025, 10, 12), 9, "[600.00 2025-10-12 2025-10-12] [400.00 2026-03-01 2026-04-15]"},
		{money.NewDate(2026, 2, 23), 9, ""}, // nearer than a week: at once
		{money.NewDate(2026, 4, 2), 9, ""},  // next spring is too late
		{money.NewDate(2026, 4, 2), 12, "[600.00 2026-04-02 2026-04-02] [400.00 2027-03-01 2027-04-01]"},
	} {
		var c product.Catalogue
		got := ""
		for _, y := range c.Tranches(p, product.Drawing{Principal: 100_000, Months: x.months, Start: x.start}) {
			got += fmt.Sprintf(" [%s %s %s]", y.Amount, y.On, y.Until)
		}
		if strings.TrimSpace(got) != x.want {
			t.Errorf("from %s for %d months: %s, want %s", x.start, x.months, got, x.want)
		}
	}
}

func TestTranchesRefuse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"one":              {"[{name: {zh-CN: 一, en: A}, share_bp: 10000}]", "2 to 6"},
		"sum":              {"[{name: {zh-CN: 一, en: A}, share_bp: 6000}, {name: {zh-CN: 二, en: B}, share_bp: 3999, after_days: 30}]", "sum to 9999"},
		"share":            {"[{name: {zh-CN: 一, en: A}, share_bp: 10000}, {name: {zh-CN: 二, en: B}, share_bp: 0, after_days: 30}]", "above zero"},
		"name":             {"[{name: {zh-CN: 一}, share_bp: 6000}, {name: {zh-CN: 二, en: B}, share_bp: 4000, after_days: 30}]", "zh-CN and en"},
		"first waits":      {"[{name: {zh-CN: 一, en: A}, share_bp: 6000, after_days: 3}, {name: {zh-CN: 二, en: B}, share_bp: 4000, after_days: 30}]", "the first tranche"},
		"no day":           {"[{name: {zh-CN: 一, en: A}, share_bp: 6000}, {name: {zh-CN: 二, en: B}, share_bp: 4000}]", "either after_days or on"},
		"two days":         {"[{name: {zh-CN: 一, en: A}, share_bp: 6000}, {name: {zh-CN: 二, en: B}, share_bp: 4000, on: 03-01, after_days: 9}]", "either after_days or on"},
		"leap day":         {"[{name: {zh-CN: 一, en: A}, share_bp: 6000}, {name: {zh-CN: 二, en: B}, share_bp: 4000, on: 02-29}]", "like 03-01"},
		"too soon":         {"[{name: {zh-CN: 一, en: A}, share_bp: 6000}, {name: {zh-CN: 二, en: B}, share_bp: 4000, after_days: 6}]", "7 days after"},
		"too late":         {"[{name: {zh-CN: 一, en: A}, share_bp: 6000}, {name: {zh-CN: 二, en: B}, share_bp: 4000, after_days: 151}]", "end of the shortest term"},
		"condition":        {"[{name: {zh-CN: 一, en: A}, share_bp: 6000}, {name: {zh-CN: 二, en: B}, share_bp: 4000, after_days: 30, condition: rain}]", "condition must be crop"},
		"open":             {"[{name: {zh-CN: 一, en: A}, share_bp: 6000}, {name: {zh-CN: 二, en: B}, share_bp: 4000, after_days: 30, open_days: 181}]", "open_days"},
		"revolving":        {"[{name: {zh-CN: 一, en: A}, share_bp: 6000}, {name: {zh-CN: 二, en: B}, share_bp: 4000, after_days: 30}]\n    revolving: true", "drawn as needed"},
		"fees":             {"[{name: {zh-CN: 一, en: A}, share_bp: 6000}, {name: {zh-CN: 二, en: B}, share_bp: 4000, after_days: 30}]\n    fees: [{code: f, name: {zh-CN: 费, en: F}, payee: bank, when: drawdown, fen: 100}]", "has no fees"},
		"a field too many": {"[{name: {zh-CN: 一, en: A}, share_bp: 6000, percent: 60}, {name: {zh-CN: 二, en: B}, share_bp: 4000, after_days: 30}]", "no field percent"},
	} {
		text := strings.Replace(whole, "    directed: true", "    directed: true\n    tranches: "+c.text, 1)
		_, err := product.Parse([]byte(text))
		line := strings.Count(strings.SplitN(text, "tranches:", 2)[0], "\n") + 1
		if !errors.Is(err, product.ErrFile) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), fmt.Sprintf("products.yaml:%d: ", line)) {
			t.Errorf("%s: %v, want %q in line %d", name, err, c.want, line)
		}
	}
}

func TestRepaymentRefuses(t *testing.T) {
	t.Parallel()
	base := strings.Replace(whole, "    method: bullet\n    ways: [bullet, interest_first]\n", "    method: equal_principal\n@", 1)
	for name, c := range map[string]struct{ text, want string }{
		"no days of sale":   {"    ways: [equal_principal, harvest]\n", "days of sale"},
		"days without":      {"    repayment: {harvests: [{on: 07-10, share_bp: 10000}]}\n", "go with the method"},
		"shares":            {"    ways: [equal_principal, harvest]\n    repayment: {harvests: [{on: 07-10, share_bp: 9000}]}\n", "sum to 10000"},
		"no day":            {"    ways: [equal_principal, harvest]\n    repayment: {harvests: [{on: 02-29, share_bp: 10000}]}\n", "like 07-10"},
		"disorder":          {"    ways: [equal_principal, harvest]\n    repayment: {harvests: [{on: 07-10, share_bp: 9000}, {on: 05-10, share_bp: 1000}]}\n", "order of the year"},
		"no share":          {"    ways: [equal_principal, harvest]\n    repayment: {harvests: [{on: 07-10}]}\n", "above zero"},
		"unit":              {"    repayment: {unit: moons}\n", "unit must be"},
		"grace":             {"    repayment: {grace: 6}\n", "grace must leave"},
		"grace by quarters": {"    repayment: {every: 3, grace: 2}\n", "shortest term has 2"},
		"balloon":           {"    repayment: {balloon_bp: 9900}\n", "balloon_bp"},
		"multiple":          {"    repayment: {multiple_fen: -1}\n", "multiple_fen"},
		"month end":         {"    repayment: {month_end: never}\n", "month_end must be"},
		"shift":             {"    repayment: {shift: sideways}\n", "shift must be"},
		"unknown":           {"    repayment: {balloon: 3}\n", "no field balloon"},
		"irregular":         {"    ways: [equal_principal, irregular]\n", "ways lists"},
	} {
		_, err := product.Parse([]byte(strings.Replace(base, "@", c.text, 1)))
		if !errors.Is(err, product.ErrFile) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := product.Parse([]byte(strings.Replace(base, "@", "    repayment: {every: 3, grace: 1, balloon_bp: 3000, multiple_fen: 100, month_end: end_of_month, shift: none}\n", 1))); err != nil {
		t.Error(err)
	}
}
