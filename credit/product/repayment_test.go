package product_test

import (
	"errors"
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
		rows, err := schedule.Make(c.ScheduleTerms(p, d))
		if err != nil {
			t.Fatal(err)
		}
		terms := loan.Contract(&loan.Loan{Principal: d.Principal, Rate: d.Rate, DayCount: p.DayCount, Method: d.Method, TermMonths: d.Months})
		terms.Schedule = c.ScheduleTerms(p, d)
		state, err := servicing.Replay(terms, []servicing.Event{{ID: "draw", Kind: servicing.Disburse, Date: d.Start, Amount: d.Principal}}, d.Start)
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
