package creditbench

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"
	"github.com/google/cel-go/cel"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/policy"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/credit/score"
	"github.com/furrowcredit/furrow/money"
)

const (
	want       = 6500
	mostTime   = 5 * time.Microsecond
	mostAllocs = 20
)

var taken = time.Date(2026, 7, 20, 4, 0, 0, 0, time.UTC)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// BenchmarkDecision measures every engine in turn; b.N is not used.
func BenchmarkDecision(b *testing.B) {
	native(b)
	ours(b)
	byExpr(b)
	byCEL(b)
	byZEN(b)
	house(b)
}

func report(b *testing.B, what string, got int, f figures, target string, missed bool) {
	b.Helper()
	if got != want {
		b.Errorf("%s makes %d of 5000, not %d", what, got, want)
	}
	add(b, row{what: what, values: f.values(fmt.Sprint(got)), target: target, missed: missed})
}

type facts struct {
	OnTime    int  `expr:"on_time"`
	Late      int  `expr:"late"`
	UseNow    int  `expr:"use_now"`
	UseMean   int  `expr:"use_mean"`
	Inquiries int  `expr:"inquiries"`
	Years     int  `expr:"years"`
	Verified  bool `expr:"verified"`
	Now       int  `expr:"now"`
	Total     int  `expr:"total"`
}

var theCase = facts{OnTime: 98, UseNow: 25, UseMean: 40, Years: 4, Verified: true, Now: 5000}

// native is the least that there is to do: the rules as Go code.
func native(b *testing.B) {
	b.Helper()
	var got int
	f := measure(func() { got = adjust(&theCase) })
	report(b, "the rules as Go code", got, f, "", false)
}

//go:noinline
func adjust(f *facts) int {
	total := 0
	switch {
	case f.OnTime >= 95 && f.Late <= 0:
		total += 30
	case f.OnTime >= 90 && f.Late <= 1:
		total += 20
	case f.OnTime >= 80 && f.Late <= 2:
	case f.OnTime >= 70 && f.Late <= 3:
		total -= 10
	default:
		total -= 30
	}
	switch {
	case f.UseNow < 30 && f.UseMean < 50:
		total += 25
	case f.UseNow >= 30 && f.UseNow < 50 && f.UseMean >= 50 && f.UseMean < 70:
		total += 15
	case f.UseNow >= 50 && f.UseNow < 70 && f.UseMean >= 70 && f.UseMean < 85:
	case f.UseNow >= 70 && f.UseNow < 85 && f.UseMean >= 85 && f.UseMean < 95:
		total -= 15
	default:
		total -= 25
	}
	switch {
	case f.Inquiries < 1 && f.Years >= 3 && f.Verified:
		total += 25
	case f.Inquiries < 2 && f.Years >= 2 && f.Verified:
		total += 15
	case f.Inquiries < 3 && f.Years >= 1:
		total += 5
	case f.Inquiries < 4 && f.Years < 1 && !f.Verified:
		total -= 10
	default:
		total -= 20
	}
	change := -20
	for i, above := range [...]int{50, 40, 30, 20, 10, 0, -10, -20, -30, -40} {
		if total > above {
			change = 30 - 5*i
			break
		}
	}
	return f.Now + f.Now*change/100
}

// ours is a whole decision: evidence laid out, the tables, limit, reasons, allowances.
func ours(b *testing.B) {
	b.Helper()
	p := must(policy.Parse("adjust.yaml", policyFile()))
	ev := credit.Evidence{Asked: 500_000, TakenAt: taken, Bureau: &credit.Bureau{
		At: taken, OldestMonths: 98, OpenLoans: 25, Lenders: 40, Judgments: 4,
	}}
	prod := product.Product{MinFen: 1, MaxFen: 1e9, BaseRateBP: 400, MaxRateBP: 2400}
	var d credit.Decision
	f := measure(func() { d = must(p.Decide(ev, prod, nil, taken)) })
	report(b, "furrow, whole decision", int(d.Limit/100), f, "5 µs, 20 allocations", f.clock > mostTime || f.allocs > mostAllocs)
}

func byExpr(b *testing.B) {
	b.Helper()
	programs := make([][]*vm.Program, len(tables))
	for i := range tables {
		for r := range tables[i].tests {
			text := tables[i].condition(r, "and")
			if text == "" {
				text = "true"
			}
			programs[i] = append(programs[i], must(expr.Compile(text, expr.Env(facts{}), expr.AsBool())))
		}
	}
	var machine vm.VM
	var got int
	f := measure(func() {
		in := theCase
		got = walk(&in, func(t, r int) bool { return must(machine.Run(programs[t][r], &in)).(bool) })
	})
	report(b, "expr, conditions one by one", got, f, "", false)
}

// walk works the tables out with an engine for conditions.
func walk(in *facts, holds func(table, row int) bool) int {
	change := 0
	for t := range tables {
		for r, points := range tables[t].gives {
			if !holds(t, r) {
				continue
			}
			if t < 3 {
				in.Total += points
			} else {
				change = points
			}
			break
		}
	}
	return in.Now + in.Now*change/100
}

func byCEL(b *testing.B) {
	b.Helper()
	var options []cel.EnvOption
	for name := range example {
		if name == "verified" {
			options = append(options, cel.Variable(name, cel.BoolType))
		} else {
			options = append(options, cel.Variable(name, cel.IntType))
		}
	}
	env := must(cel.NewEnv(append(options, cel.Variable("total", cel.IntType))...))
	programs := make([][]cel.Program, len(tables))
	for i := range tables {
		for r := range tables[i].tests {
			text := tables[i].condition(r, "&&")
			if text == "" {
				text = "true"
			}
			tree, issues := env.Compile(text)
			if issues.Err() != nil {
				b.Fatal(issues.Err())
			}
			programs[i] = append(programs[i], must(env.Program(tree, cel.EvalOptions(cel.OptOptimize))))
		}
	}
	var got int
	f := measure(func() {
		in := theCase
		bindings := map[string]any{
			"on_time": in.OnTime, "late": in.Late, "use_now": in.UseNow, "use_mean": in.UseMean,
			"inquiries": in.Inquiries, "years": in.Years, "verified": in.Verified,
		}
		got = walk(&in, func(t, r int) bool {
			if t == 3 && r == 0 {
				bindings["total"] = in.Total
			}
			out, _, err := programs[t][r].Eval(bindings)
			if err != nil {
				panic(err)
			}
			return out.Value().(bool)
		})
	})
	report(b, "cel-go, conditions one by one", got, f, "", false)
}

// byZEN runs the engine through Node, as its users from other languages do.
func byZEN(b *testing.B) {
	b.Helper()
	folder := must(filepath.Abs("../../.cache/zen"))
	if _, err := os.Stat(filepath.Join(folder, "node_modules")); err != nil {
		b.Log("ZEN is not installed: scripts/install bench")
		return
	}
	dir := b.TempDir()
	for name, content := range map[string][]byte{"graph.json": graph(), "input.json": must(json.Marshal(example)), "package.json": []byte("{}")} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	cmd := exec.CommandContext(b.Context(), "node", "zen.mjs", filepath.Join(dir, "graph.json"), filepath.Join(dir, "input.json"), folder)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		b.Fatal(err)
	}
	type took struct{ Clock, CPU float64 }
	var x struct {
		Limit        int
		One, Hundred took
	}
	if err := json.Unmarshal(out, &x); err != nil {
		b.Fatal(err)
	}
	if x.Limit != want {
		b.Errorf("ZEN makes %d of 5000", x.Limit)
	}
	for _, r := range []struct {
		what string
		took took
	}{{"ZEN through Node, one after another", x.One}, {"ZEN through Node, a hundred at once", x.Hundred}} {
		add(b, row{what: r.what, values: []string{
			short(time.Duration(r.took.Clock)), short(time.Duration(r.took.CPU)), "-", fmt.Sprint(x.Limit),
		}})
	}
}

// BenchmarkHouse is the decision of the house alone, for profiles.
func BenchmarkHouse(b *testing.B) {
	decide := houseDecision()
	b.ReportAllocs()
	for b.Loop() {
		decide()
	}
}

// house is a decision as the house makes it: a small firm with bureau, bank, forecast and
// exposures, a score of twelve features, the shipped strategy, and every reason told.
func house(b *testing.B) {
	b.Helper()
	decide := houseDecision()
	var d credit.Decision
	f := measure(func() { d = decide() })
	if d.Outcome == credit.Refuse || len(d.Scores) != 1 || len(d.Allowances) < 4 || d.Limit == 0 {
		b.Errorf("the house decides %+v", d)
	}
	add(b, row{
		what:   fmt.Sprintf("furrow, a firm's order loan: %d reasons, %d allowances, a score", len(d.Reasons), len(d.Allowances)),
		values: f.values(d.Limit.String()), target: "5 µs, 20 allocations", missed: f.clock > mostTime || f.allocs > mostAllocs,
	})
}

func houseDecision() func() credit.Decision {
	files := must(catalog.Open(""))
	set, products := must(policy.Load(files)), must(product.Load(files))
	prod := must(products.Product("order"))
	models := policy.ModelSet{"firm": firmModel()}
	ev := firmEvidence()
	return func() credit.Decision { return must(set.Decide(ev, prod, models, taken)) }
}

func firmEvidence() credit.Evidence {
	monthly := make([]money.Fen, 12)
	bank := make([]credit.BankMonth, 12)
	ahead := make([]credit.TurnoverMonth, 12)
	for i := range monthly {
		monthly[i] = 20_000_000
		bank[i] = credit.BankMonth{Month: taken.AddDate(0, i-12, 0).Format("2006-01"), In: 21_000_000, Out: 19_000_000, Low: 900_000}
		ahead[i] = credit.TurnoverMonth{Month: taken.AddDate(0, i, 0).Format("2006-01"), Middle: 20_000_000, Low: 14_000_000, High: 26_000_000}
	}
	return credit.Evidence{
		Applicant: credit.Applicant{UserID: "u", Name: "f", Kind: "firm", Region: "410927", Industry: "C1310"},
		Subject:   credit.Subject{Kind: credit.FirmSubject, ID: "f"}, Product: "order", Asked: 40_000_000, TermMonths: 6, TakenAt: taken,
		Standing: &chain.Standing{
			FirmID: "f", Status: "known", Invoiced12m: 240_000_000, Monthly: monthly, Proven: 0.8, Counterparties: 5,
			Confidence: 0.9, MadeAt: taken, Anchors: []chain.AnchorShare{{AnchorID: "a", Tier: 1, Share: 0.8, Months: 24}},
		},
		Bureau: &credit.Bureau{At: taken, Lenders: 2, OpenLoans: 2, MonthlyDue: 200_000, Queries6m: 3, OldestMonths: 40},
		Bank:   &credit.Bank{At: taken, Months: bank}, Turnover: &credit.Turnover{Status: "known", History: 30, Months: ahead},
		Exposure: &credit.Exposures{Household: 1_000_000, Anchor: 90_000_000, Product: 1e9, Region: 2e9, Total: 9e9},
	}
}

// firmModel has twelve inputs of six bins.
func firmModel() *score.Model {
	file := score.File{
		Format: score.Format, Name: "firm", Version: "1", Method: "scorecard", Target: "bad", Bad: "1",
		Scale: score.Scale{PDO: 20, BasePoints: 600, BaseOdds: 30}, Base: 500,
		Calibration: []score.Knot{{Points: 500, PD: 0.2}, {Points: 800, PD: 0.01}},
	}
	for _, name := range []string{
		"proven", "counterparties", "anchor_months", "active_months", "recent", "lenders", "open_loans", "queries_6m",
		"oldest_months", "inflow_variation", "returned", "forecast_history",
	} {
		in := score.Input{Name: name, Kind: score.Number}
		for i := range 5 {
			below := []float64{0.5, 1, 3, 12, 24}[i]
			in.Bins = append(in.Bins, score.Bin{Below: &below, Points: 4 * i, SE: 0.1})
		}
		in.Bins = append(in.Bins, score.Bin{Points: 20, SE: 0.1}, score.Bin{Missing: true, SE: 0.2})
		file.Inputs = append(file.Inputs, in)
	}
	return must(score.New(file))
}
