package policy_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/policy"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/credit/score"
	"github.com/furrowcredit/furrow/money"
)

const head = `name: t
version: "1"
format: 2
subject: firm
`

const tail = `
limit:
  base: {code: b, fen: %s, en: "{yuan}", zh: "{yuan}"}
  round_fen: 1
`

var wide = product.Product{MinFen: 1, MaxFen: 1 << 50, BaseRateBP: 400, MaxRateBP: 2400}

// limitOf decides by a policy of the parts and the formula, and gives the limit.
func limitOf(t *testing.T, parts, formula string, ev credit.Evidence) money.Fen {
	t.Helper()
	d := decideBy(t, parts, formula, ev, nil)
	return d.Limit
}

func decideBy(t *testing.T, parts, formula string, ev credit.Evidence, models policy.Models) credit.Decision {
	t.Helper()
	p, err := policy.Parse("t.yaml", []byte(head+parts+fmt.Sprintf(tail, formula)))
	if err != nil {
		t.Fatal(err)
	}
	d, err := p.Decide(ev, wide, models, taken)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func bureau(overdue, queries int) credit.Evidence {
	return credit.Evidence{TakenAt: taken, Bureau: &credit.Bureau{At: taken, WorstOverdueDays: overdue, Queries6m: queries}}
}

func TestHitPolicies(t *testing.T) {
	t.Parallel()
	const rows = `
    inputs: [bureau_overdue, queries_6m]
    outputs: {bp: int}
    rows:
      - ["0", "< 3", 10]
      - ["<= 30", "-", 20]
      - ["-", ">= 3", 30]
    default: [7]
`
	for name, c := range map[string]struct {
		hit  string
		want [4]money.Fen // of (0,0), (0,5), (90,5), (90,0)
	}{
		"first":    {"first", [4]money.Fen{10, 20, 30, 7}},
		"priority": {"priority\n    priorities: [30, 20, 10]", [4]money.Fen{20, 30, 30, 7}},
		"sum":      {"collect\n    collect: sum", [4]money.Fen{30, 50, 30, 7}},
		"min":      {"collect\n    collect: min", [4]money.Fen{10, 20, 30, 7}},
		"max":      {"collect\n    collect: max", [4]money.Fen{20, 30, 30, 7}},
		"count":    {"collect\n    collect: count", [4]money.Fen{2, 2, 1, 7}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			parts := "tables:\n  - name: x\n    hit: " + c.hit + rows
			for i, ev := range []credit.Evidence{bureau(0, 0), bureau(0, 5), bureau(90, 5), bureau(90, 0)} {
				if got := limitOf(t, parts, "x", ev); got != c.want[i] {
					t.Errorf("evidence %d gives %d, want %d", i, got, c.want[i])
				}
			}
		})
	}
}

// A test is false of what is missing unless the cell says missing, negations too.
func TestMissingInCells(t *testing.T) {
	t.Parallel()
	for cell, want := range map[string][2]money.Fen{ // without a bureau report, with 5 queries
		"< 9": {2, 1}, "not(< 3)": {2, 1}, "missing": {1, 2}, "-": {1, 1}, "not(missing)": {2, 1}, "missing, < 9": {1, 1},
		"5": {2, 1}, "[5..6)": {2, 1}, "(5..6]": {2, 2}, "!= 5": {2, 2}, "1, 5": {2, 1}, "not(1, 5)": {2, 2}, "not(missing, 5)": {2, 2},
	} {
		t.Run(cell, func(t *testing.T) {
			t.Parallel()
			parts := fmt.Sprintf("tables:\n  - {name: x, hit: first, inputs: [queries_6m], outputs: {n: int}, rows: [['%s', 1]], default: [2]}", cell)
			if got := limitOf(t, parts, "x", credit.Evidence{TakenAt: taken}); got != want[0] {
				t.Errorf("missing gives %d", got)
			}
			if got := limitOf(t, parts, "x", bureau(0, 5)); got != want[1] {
				t.Errorf("5 gives %d", got)
			}
		})
	}
}

func TestTextAndFlagCells(t *testing.T) {
	t.Parallel()
	parts := `
tables:
  - name: x
    hit: unique
    inputs: [region, has_bureau]
    outputs: {n: fen, why: text}
    rows:
      - ['"410927", "410928"', true, 1, a]
      - ['"410927", 410928', false, 2, b]
      - ['not("410927", "410928")', -, 3, c]
      - [missing, -, 4, d]
`
	for want, ev := range map[money.Fen]credit.Evidence{
		1: {TakenAt: taken, Applicant: credit.Applicant{Region: "410928"}, Bureau: &credit.Bureau{At: taken}},
		2: {TakenAt: taken, Applicant: credit.Applicant{Region: "410927"}},
		3: {TakenAt: taken, Applicant: credit.Applicant{Region: "110101"}},
		4: {TakenAt: taken},
	} {
		if got := limitOf(t, parts, "x.n", ev); got != want {
			t.Errorf("got %d, want %d", got, want)
		}
	}
}

func TestThresholds(t *testing.T) {
	t.Parallel()
	parts := `
thresholds:
  - name: most
    type: fen
    rows:
      - {value: 1}
      - {product: p, value: 2}
      - {region: "41", value: 3}
      - {region: "4109", value: 4}
      - {industry: A01, value: 5}
      - {region: "41", industry: A01, value: 6}
      - {product: p, region: "41", industry: A01, value: 7}
`
	for _, c := range []struct {
		product, region, industry string
		want                      money.Fen
	}{
		{"", "", "", 1}, {"p", "", "", 2}, {"p", "410927", "", 2}, {"", "419999", "", 3}, {"", "410927", "", 4},
		{"", "110000", "A0111", 5}, {"", "410927", "A0111", 6}, {"p", "410927", "A0111", 7}, {"q", "11", "C13", 1},
	} {
		ev := credit.Evidence{TakenAt: taken, Product: c.product, Applicant: credit.Applicant{Region: c.region, Industry: c.industry}}
		if got := limitOf(t, parts, "most", ev); got != c.want {
			t.Errorf("%+v gives %d", c, got)
		}
	}
}

// What is wrong with a policy is told with its place.
func TestProblemsHavePlaces(t *testing.T) {
	t.Parallel()
	table := func(rows string) string {
		return "tables:\n  - name: x\n    hit: unique\n    inputs: [queries_6m]\n    outputs: {n: int}\n    rows:\n" + rows
	}
	const all = "      - [missing, 0]\n"
	for name, c := range map[string]struct{ parts, formula, want string }{
		"overlap":        {table(all + "      - [\"< 5\", 1]\n      - [\">= 4\", 2]\n"), "x", "t.yaml:13:11: x: rows 2 and 3 overlap (line 12)"},
		"a bound shared": {table(all + "      - [\"<= 5\", 1]\n      - [\"[5..9]\", 2]\n      - [\"> 9\", 2]\n"), "x", "rows 2 and 3 overlap"},
		"gap":            {table(all + "      - [\"< 5\", 1]\n      - [\"> 5\", 2]\n"), "x", "t.yaml:6:11: x: no row fits queries_6m 5"},
		"gap of missing": {table("      - [\"< 5\", 1]\n      - [\">= 5\", 2]\n"), "x", "no row fits queries_6m missing"},
		"any":            {strings.Replace(table("      - [-, 1]\n      - [\">= 5\", 2]\n"), "unique", "any", 1), "x", "say different things"},
		"cell type":      {table("      - [\"low\", 1]\n"), "x", "t.yaml:11:11: x: low is no number; the column queries_6m is a whole number"},
		"output type":    {table("      - [-, region]\n"), "x", "x: region is a text, not a whole number"},
		"short row":      {table("      - [-]\n"), "x", "a row needs 2 cells"},
		"never missing":  {strings.Replace(table(all+"      - [-, 1]\n"), "queries_6m", "debts", 1), "x", "debts is never missing"},
		"cycle":          {"values: {a: b + 1, b: c * 2, c: a}\n", "a", "in a circle: a → b → c → a"},
		"limit in limit": {"values: {a: limit / 2.0}\n", "limit", "in a circle: limit → limit"},
		"limit by table": {strings.Replace(table(all+"      - [-, 1]\n"), "queries_6m", "limit", 1), "x", "in a circle: limit → x → limit"},
		"unknown":        {"values: {a: wealth + 1}\n", "a", "t.yaml:5:13: a: unknown name wealth"},
		"a fact's name":  {"values: {debts: 1}\n", "debts", "debts is the name of a fact"},
		"divides":        {"values: {a: asked / queries_6m}\n", "asked", "division by zero on evidence that is empty"},
		"divides at 5":   {"values: {a: 'queries_6m > 5 ? 1.0 : 1.0 / (queries_6m - 5)'}\n", "asked", "division by zero on queries_6m = 5"},
		"divides hidden": {"values: {a: 'filter(alerts, len(#) / 2 > 1)'}\n", "asked", "cannot divide safely"},
		"threshold":      {"thresholds: [{name: a, type: fen, rows: [{product: p, value: 1}]}]\n", "a", "one row must stand without"},
		"two thresholds": {"thresholds: [{name: a, type: fen, rows: [{value: 1}, {value: 2}]}]\n", "a", "the same product, region and industry"},
		"bands apart":    {"scores: [{name: a, model: m, bands: [{test: '< 5', band: x}, {test: '> 5', band: y}]}]\n", "asked", "no row fits the score 5"},
		"bands overlap":  {"scores: [{name: a, model: m, bands: [{test: '<= 5', band: x}, {test: '>= 5', band: y}]}]\n", "asked", "rows 1 and 2 overlap"},
		"slots":          {"values: {a: 'ints_[0]'}\n", "a", "unknown name ints_"},
		"no such output": {table(all + "      - [not(missing), 1]\n"), "x.m", "x has no m"},
		"future format":  {"", "asked", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source := head + c.parts + fmt.Sprintf(tail, c.formula)
			if name == "future format" {
				source, c.want = strings.Replace(source, "format: 2", "format: 9", 1), "format 9 is not known"
			}
			_, err := policy.Parse("t.yaml", []byte(source))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v\nwant %s", err, c.want)
			}
		})
	}
}

// Rows that nothing reaches, and gaps that a file allows, are warnings.
func TestWarnings(t *testing.T) {
	t.Parallel()
	source := head + `
tables:
  - name: x
    hit: first
    gaps: warn
    inputs: [queries_6m, bureau_overdue]
    outputs: {n: int}
    rows:
      - ["< 5", "-", 1]
      - [">= 5", "0", 2]
      - ["7", "0", 2]
` + fmt.Sprintf(tail, "x")
	problems := policy.Check("t.yaml", []byte(source))
	if len(problems) != 2 || problems[0].Line != 15 || !strings.Contains(problems[0].Message, "row 3 is never reached") ||
		!strings.Contains(problems[1].Message, "no row fits") || problems[1].Level != policy.LevelWarning {
		t.Errorf("got %v", problems)
	}
}

// A policy that fails on evidence that nobody thought of refers to a person; it neither
// crashes nor offers.
func TestRunTimeErrorsRefer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		parts, formula string
		ev             credit.Evidence
	}{
		"division": {"values: {a: '1 / (debts + 7.0 - asked) > 1 ? 1 : 2'}\n", "a", credit.Evidence{TakenAt: taken, Asked: 7}},
		"overflow": {"", "'part(asked, 20000)'", credit.Evidence{TakenAt: taken, Asked: 1 << 62}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := decideBy(t, c.parts, c.formula, c.ev, nil)
			if d.Outcome != credit.Refer || d.Limit != 0 || len(d.Reasons) != 1 || d.Reasons[0].Code != "policy.error" {
				t.Errorf("got %+v", d)
			}
		})
	}
}

func TestLaterEvidenceIsRefused(t *testing.T) {
	t.Parallel()
	ev := plot()
	later := taken.Add(time.Hour)
	ev.Crop.LastClear = &later
	set, products := load(t)
	p, _ := products.Product(ev.Product)
	if _, err := set.Decide(ev, p, nil, taken); err == nil || !strings.Contains(err.Error(), "crop") {
		t.Errorf("got %v", err)
	}
}

// model scores a firm by its queries: 700 points with none, 640 to 5, 500 above; 600 unknown.
func model(t *testing.T) *score.Model {
	t.Helper()
	one, six := 1.0, 6.0
	m, err := score.New(score.File{
		Format: score.Format, Name: "queries", Version: "1", Dimension: "owner", Method: "scorecard", Target: "bad", Bad: "1",
		Scale: score.Scale{PDO: 20, BasePoints: 600, BaseOdds: 30}, Base: 600,
		Inputs: []score.Input{{Name: "queries_6m", Kind: score.Number, Bins: []score.Bin{
			{Below: &one, Points: 100}, {Below: &six, Points: 40}, {Points: -100}, {Missing: true, Points: 0},
		}}},
		Calibration: []score.Knot{{Points: 500, PD: 0.4}, {Points: 700, PD: 0.01}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

const scored = `
scores:
  - name: risk
    model: queries
    bands:
      - {test: ">= 640", band: A}
      - {test: "[600..640)", band: B}
      - {test: "< 600", band: C}
tables:
  - name: most
    hit: unique
    inputs: [risk.band]
    outputs: {fen: fen}
    rows: [[A, 900], [B, 500], [C, 100], [missing, 50], ['not(A, B, C)', 0]]
rules:
  - {code: r, effect: refer, when: 'risk.band == "C"', en: "PD {pd}", zh: "{pd}", args: {pd: percent(risk.pd)}}
`

// A score that equals a threshold has an answer, and a missing model has one too.
func TestScoreBands(t *testing.T) {
	t.Parallel()
	models := policy.ModelSet{"queries": model(t)}
	for _, c := range []struct {
		ev     credit.Evidence
		points int
		limit  money.Fen
		out    credit.Outcome
	}{
		{bureau(0, 0), 700, 900, credit.Offer}, {bureau(0, 5), 640, 900, credit.Offer},
		{credit.Evidence{TakenAt: taken}, 600, 500, credit.Offer}, {bureau(0, 6), 500, 100, credit.Refer},
	} {
		d := decideBy(t, scored, "most", c.ev, models)
		if d.Limit != c.limit || d.Outcome != c.out || len(d.Scores) != 1 || d.Scores[0].Points != c.points || d.Scores[0].Dimension != "owner" {
			t.Errorf("got %+v, want %+v", d, c)
		}
	}
	worst := decideBy(t, scored, "most", bureau(0, 9), models)
	if why := worst.Scores[0].Reasons; len(why) != 1 || why[0].Feature != "queries_6m" || why[0].Points != 200 || worst.Reasons[0].Args["pd"] != "40%" {
		t.Errorf("got %+v, %+v", why, worst.Reasons)
	}
	if d := decideBy(t, scored, "most", bureau(0, 0), nil); d.Limit != 50 || len(d.Scores) != 0 || d.Outcome != credit.Offer {
		t.Errorf("without the model: %+v", d)
	}
	other := *model(t).File()
	other.Inputs[0].Name = "wealth"
	strange, err := score.New(other)
	if err != nil {
		t.Fatal(err)
	}
	if d := decideBy(t, scored, "most", bureau(0, 0), policy.ModelSet{"queries": strange}); d.Outcome != credit.Refer || d.Reasons[0].Code != "policy.error" {
		t.Errorf("a model of unknown inputs: %+v", d)
	}
}

// The limit is the smallest of all allowances, and all are told.
func TestAllowances(t *testing.T) {
	t.Parallel()
	source := head + `
limit:
  base: {code: b, fen: asked, en: "{yuan}", zh: "{yuan}"}
  allowances:
    - {code: few, fen: 100 * 7, when: has_bureau, en: "few {yuan}", zh: "{yuan}"}
    - {code: many, fen: "1000 - debts", args: {debts: yuan(debts)}, en: "many {yuan} {debts}", zh: "{yuan}"}
  round_fen: 10
`
	p, err := policy.Parse("t.yaml", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	prod := wide
	prod.Caps = []product.Cap{{On: "region", MaxFen: 5_000}}
	prod.Regulation = product.Consumer
	ev := bureau(0, 0)
	ev.Asked, ev.Exposure = 2_005, &credit.Exposures{Region: 4_345, Household: 199_999_00}
	d, err := p.Decide(ev, prod, nil, taken)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]money.Fen{}
	for _, a := range d.Allowances {
		got[a.Code] = a.Amount
		if a.Binding != (a.Code == "limit.law") || strings.Contains(a.Msg, "{") {
			t.Errorf("%+v", a)
		}
	}
	want := map[string]money.Fen{"limit.evidence": 2_005, "few": 700, "many": 1_000, "limit.region": 655, "limit.law": 100}
	if fmt.Sprint(got) != fmt.Sprint(want) || d.Limit != 100 {
		t.Errorf("got %v, limit %d", got, d.Limit)
	}
	// What is granted and not drawn counts against credit granted, and not against what is
	// out: the county's cap stays, the household's is used up.
	ev.Exposure.Granted = credit.Granted{Household: 199_999_50, Region: 4_999}
	if d, _ = p.Decide(ev, prod, nil, taken); d.Limit != 50 {
		t.Errorf("beside a granted limit: %+v", d)
	}
	prod.Regulation = product.PovertyRelief
	ev.Exposure.Household, ev.Exposure.Granted.Household = 49_995_00, 50_000_00
	if d, _ = p.Decide(ev, prod, nil, taken); d.Limit != 500 {
		t.Errorf("a form that bounds what is out: %+v", d)
	}
	prod.Caps = []product.Cap{{On: "region", MaxFen: 5_000, Counts: product.CreditGranted}}
	ev.Exposure.Granted.Region = 4_900
	if d, _ = p.Decide(ev, prod, nil, taken); d.Limit != 100 {
		t.Errorf("a portfolio counted by credit granted: %+v", d)
	}
	ev.Exposure = nil
	if d, _ = p.Decide(ev, prod, nil, taken); d.Outcome != credit.Refer || !has(d, "evidence.missing") {
		t.Errorf("a cap on what nobody knows: %+v", d)
	}
}

func TestProductTerms(t *testing.T) {
	t.Parallel()
	p, err := policy.Parse("t.yaml", []byte(head+fmt.Sprintf(tail, "asked")))
	if err != nil {
		t.Fatal(err)
	}
	old := taken.AddDate(0, 0, -40)
	for name, c := range map[string]struct {
		change func(*product.Product, *credit.Evidence)
		code   string
		out    credit.Outcome
	}{
		"who":         {func(p *product.Product, _ *credit.Evidence) { p.Who.Kinds = []string{"firm"} }, "product.who", credit.Refuse},
		"who unknown": {func(p *product.Product, _ *credit.Evidence) { p.Who.Industries = []string{"A"} }, "product.who_unknown", credit.Refer},
		"need":        {func(p *product.Product, _ *credit.Evidence) { p.Evidence = []product.Need{{Part: "bank"}} }, "evidence.missing", credit.Refer},
		"old need": {func(p *product.Product, e *credit.Evidence) {
			e.Bureau.At = old
			p.Evidence = []product.Need{{Part: "bureau", MaxAgeDays: 30}}
		}, "evidence.old", credit.Refer},
		"law's months": {func(p *product.Product, e *credit.Evidence) { p.Regulation, e.TermMonths = product.PovertyRelief, 37 }, "limit.term_law", credit.Refuse},
		"formula": {func(p *product.Product, _ *credit.Evidence) {
			p.Formula = &product.Formula{Name: "bank_inflow", Params: map[string]int64{"advance_bp": 3000, "months": 6}}
		}, "evidence.missing", credit.Refer},
		"nothing": {func(*product.Product, *credit.Evidence) {}, "b", credit.Offer},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ev, prod := bureau(0, 0), wide
			ev.Asked, ev.Applicant.Kind, ev.Exposure = 1_000, "person", &credit.Exposures{}
			c.change(&prod, &ev)
			d, err := p.Decide(ev, prod, nil, taken)
			if err != nil || d.Outcome != c.out || !has(d, c.code) {
				t.Errorf("got %+v, %v", d, err)
			}
		})
	}
}

// An overlay replaces items by their names, adds and takes away; its hash covers all.
func TestExtends(t *testing.T) {
	t.Parallel()
	general := policy.NewFile("general.yaml", []byte(head+`
values: {a: 5, b: a * 2}
rules:
  - {code: r1, effect: refuse, when: "asked > 100", en: a, zh: a}
  - {code: r2, effect: refuse, when: "asked > 200", en: a, zh: a}
`+fmt.Sprintf(tail, "b")))
	over := policy.NewFile("over.yaml", []byte(`name: tea
version: "2"
extends: t
industries: [A0164]
without: [r1]
values: {a: 50}
rules:
  - {code: r2, effect: refer, when: "asked > 90", en: a, zh: a}
`))
	files := policy.FileSet{general, over}
	p, problems := files.Check(over)
	if p == nil {
		t.Fatal(problems)
	}
	d, err := p.Decide(credit.Evidence{TakenAt: taken, Asked: 150}, wide, nil, taken)
	if err != nil || d.Limit != 100 || d.Outcome != credit.Refer || p.Extends != "t" {
		t.Errorf("got %+v of %s, %v", d, p.Extends, err)
	}
	again, err := policy.Parse("kept", p.Source)
	if err != nil || again.ID() != p.ID() {
		t.Errorf("the resolved source is another policy: %v", err)
	}
	before := p.Hash
	general.Source = []byte(strings.Replace(string(general.Source), "a * 2", "a * 3", 1))
	if p, _ = (policy.FileSet{general, over}).Check(over); p.Hash == before {
		t.Error("the general policy changed, the hash did not")
	}
	over.Source = append(over.Source, "  - {code: r3, effect: refer, when: wealth, en: a, zh: a}\n"...)
	if _, problems = (policy.FileSet{general, over}).Check(over); len(problems) != 1 || problems[0].File != "over.yaml" || problems[0].Line != 9 {
		t.Errorf("got %v", problems)
	}
	over.Source = []byte("name: tea\nversion: '2'\nextends: tea2\n")
	loop := policy.NewFile("loop.yaml", []byte("name: tea2\nversion: '2'\nextends: tea\n"))
	if _, problems = (policy.FileSet{over, loop}).Check(over); len(problems) != 1 || !strings.Contains(problems[0].Message, "tea → tea2 → tea") {
		t.Errorf("got %v", problems)
	}
	if _, err := policy.Parse("over.yaml", over.Source); err == nil {
		t.Error("a policy without what it extends can be read")
	}
}

// What the engine says by itself is said in both languages, with words for its codes.
func TestEngineSpeaksChinese(t *testing.T) {
	t.Parallel()
	set, products := load(t)
	ev := plot()
	ev.Exposure, ev.Crop, ev.Applicant.Kind = nil, nil, "firm"
	prod, _ := products.Product(ev.Product)
	d, err := set.Decide(ev, prod, nil, taken)
	if err != nil {
		t.Fatal(err)
	}
	zh := set.Localise(d, "zh-CN")
	for i, r := range zh.Reasons {
		if r.Msg == d.Reasons[i].Msg || strings.ContainsAny(r.Msg, "{}") {
			t.Errorf("%s reads %s", r.Code, r.Msg)
		}
	}
	for i, a := range zh.Allowances {
		if a.Msg == d.Allowances[i].Msg || strings.ContainsAny(a.Msg, "{}") {
			t.Errorf("%s reads %s", a.Code, a.Msg)
		}
	}
	if got := set.Text("evidence.missing", "zh-CN", map[string]string{"part": "crop", "why": "not_uploaded"}); got != "缺少本产品需要的证据：卫星报告（未上传），由客户经理核实。" {
		t.Error(got)
	}
	article := product.Consumer.Bound().Article
	if got := set.Text("limit.law", "zh-CN", map[string]string{"article": article["en"], "most": "1", "yuan": "1"}); !strings.Contains(got, article["zh-CN"]) {
		t.Error(got)
	}
}
