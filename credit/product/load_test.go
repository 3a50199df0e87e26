package product_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/money"
)

// whole is a product that has everything, one field a line.
const whole = `products:
  - code: a
    name: {zh-CN: 甲, en: A}
    class: pledge
    regulation: productive
    subject_kind: plot
    who: {kinds: [person], regions: ["51"], industries: [A01], min_age: 18, max_age: 60}
    evidence:
      - {part: crop, max_age_days: 30, min_confidence: 0.5}
      - {part: bank, optional: true}
    formula: {name: crop_worth, params: {advance_bp: 7000}}
    min_fen: 100000
    max_fen: 5000000
    caps:
      - {on: household, max_fen: 5000000}
    terms: [6, 12]
    base_rate_bp: 400
    max_rate_bp: 900
    penalty_factor: 150
    method: bullet
    ways: [bullet, interest_first]
    day_count: act/360
    policy: p
    directed: true
    channels: [phone]
    release: {cover_bp: 12000, proof_days: 3, by: officer}
    pricing:
      bands: [{name: A, from: 700}, {name: B, from: 0}]
      rows:
        - {band: A, from_months: 1, to_months: 12, bp: 400}
        - {band: B, from_months: 1, to_months: 6, bp: 500}
        - {band: B, from_months: 7, to_months: 12, bp: 550}
        - {band: B, from_months: 7, to_months: 12, bp: 600, regions: ["5101"]}
    funders:
      - {code: own, kind: own, share_bp: 7000}
      - {code: other, kind: partner, share_bp: 3000}
    purposes:
      - {code: seed, name: {zh-CN: 种子, en: Seed}, goods: [seed]}
`

func TestMistakesHaveTheirLine(t *testing.T) {
	t.Parallel()
	if _, err := product.Parse([]byte(whole)); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		old, new, why string
	}{
		"unknown field":      {"    class: pledge", "    klass: pledge", "no field klass"},
		"field inside":       {"kinds: [person]", "kind: [person]", "no field kind"},
		"twice":              {"    policy: p", "    policy: p\n    policy: q", "policy stands twice"},
		"type":               {"max_fen: 5000000\n    caps", "max_fen: much\n    caps", "cannot unmarshal"},
		"class":              {"class: pledge", "class: gift", "class must be"},
		"who":                {`regions: ["51"]`, `regions: [Sichuan]`, "GB/T 2260"},
		"ages":               {"max_age: 60", "max_age: 10", "max_age"},
		"part":               {"{part: crop", "{part: herd", "a plot has no herd"},
		"part twice":         {"{part: bank", "{part: crop", "stands twice"},
		"confidence":         {"min_confidence: 0.5", "min_confidence: 50", "between 0 and 1"},
		"not a number":       {"min_confidence: 0.5", "min_confidence: .nan", "between 0 and 1"},
		"formula":            {"name: crop_worth", "name: by_feeling", "the formula must be one of"},
		"formula's part":     {"name: crop_worth, params: {advance_bp: 7000}", "name: turnover, params: {advance_bp: 7000, months: 3}", "needs the part turnover"},
		"parameter":          {"advance_bp: 7000", "advance: 7000", "takes advance_bp"},
		"cap":                {"on: household", "on: village", "on must be"},
		"ways":               {"ways: [bullet", "ways: [equal_principal", "must contain the method"},
		"channel":            {"channels: [phone]", "channels: [door]", "channels lists"},
		"cover":              {"cover_bp: 12000", "cover_bp: 9000", "cover_bp"},
		"band":               {"{name: B, from: 0}", "{name: B, from: 10}", "start at 0"},
		"band order":         {"{name: A, from: 700}", "{name: A, from: 0}", "best first"},
		"hole":               {"{band: B, from_months: 1, to_months: 6", "{band: B, from_months: 1, to_months: 5", "no row gives the price of band B at 6 months"},
		"overlap":            {"{band: B, from_months: 7, to_months: 12, bp: 550}", "{band: B, from_months: 6, to_months: 12, bp: 550}", "row 3 overlaps row 2"},
		"regional hole":      {"to_months: 12, bp: 550}", `to_months: 12, bp: 550, regions: ["11"]}`, "no row gives the price of band B at 12 months"},
		"shares":             {"share_bp: 7000", "share_bp: 6999", "sum to 9999"},
		"partner's share":    {"share_bp: 7000}\n      - {code: other, kind: partner, share_bp: 3000", "share_bp: 8000}\n      - {code: other, kind: partner, share_bp: 2000", "at least 3000"},
		"goods":              {", goods: [seed]", "", "needs the goods"},
		"consumer cap":       {"regulation: productive", "regulation: consumer\n    max_fen: 20000001", "stands twice"},
		"micro is unsecured": {"regulation: productive", "regulation: farmer_micro", "397"},
		"unknown base":       {"    class: pledge", "    based_on: b", "no product b"},
		"own base":           {"    class: pledge", "    based_on: a", "a -> a"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := strings.Replace(whole, c.old, c.new, 1)
			if text == whole {
				t.Fatal("the case changes nothing")
			}
			_, err := product.Parse([]byte(text))
			if !errors.Is(err, product.ErrFile) || !strings.Contains(err.Error(), c.why) {
				t.Fatalf("got %v, want %q", err, c.why)
			}
			before, _, _ := strings.Cut(text, c.new)
			changed := strings.Count(before, "\n") + 1
			if c.new == "" || strings.Contains(c.new, "\n") || strings.Contains(name, "hole") || name == "micro is unsecured" || name == "ways" || name == "part twice" {
				return // the mistake shows elsewhere
			}
			if want := fmt.Sprintf("products.yaml:%d: ", changed); !strings.Contains(err.Error(), want) {
				t.Errorf("%v is not at %s", err, want)
			}
		})
	}
}

func TestAllMistakesAtOnce(t *testing.T) {
	t.Parallel()
	text := strings.NewReplacer("base_rate_bp: 400", "base_rate_bp: 0", "penalty_factor: 150", "penalty_factor: 1", "on: household", "on: nothing").Replace(whole)
	text += strings.Replace(strings.TrimPrefix(whole, "products:\n"), "code: a", "code: b", 1)
	text = strings.TrimSuffix(text, "      - {code: seed, name: {zh-CN: 种子, en: Seed}, goods: [seed]}\n") + "      - {code: Seed, name: {en: Seed}, goods: [seed]}\n"
	_, err := product.Parse([]byte(text))
	if err == nil {
		t.Fatal("read")
	}
	for _, want := range []string{"products.yaml:15: ", "products.yaml:17: ", "products.yaml:19: ", "products.yaml:75: ", "the product b", "zh-CN"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in:\n%v", want, err)
		}
	}
}

func TestRegulationBounds(t *testing.T) {
	t.Parallel()
	set := func(pairs ...string) string {
		text := strings.NewReplacer(pairs...).Replace(whole)
		if text == whole {
			t.Fatalf("%v changes nothing", pairs)
		}
		return text
	}
	for name, c := range map[string]struct{ text, why string }{
		"consumer above 200,000":       {set("regulation: productive", "regulation: consumer", "max_fen: 5000000\n    caps", "max_fen: 20000100\n    caps"), "第六条"},
		"consumer bullet over a year":  {set("regulation: productive", "regulation: consumer", "terms: [6, 12]", "terms: [6, 13]", "to_months: 12", "to_months: 13"), "at most 12 months"},
		"consumer at the bounds":       {set("regulation: productive", "regulation: consumer", "max_fen: 5000000\n    caps", "max_fen: 20000000\n    caps"), ""},
		"relief with a pledge":         {set("regulation: productive", "regulation: poverty_relief"), "nothing may be pledged"},
		"guarantee without surety":     {set("class: pledge", "class: guarantee", "    release: {cover_bp: 12000, proof_days: 3, by: officer}\n", ""), "needs a surety"},
		"surety too small":             {set("    directed: true", "    directed: true\n    surety: {kind: company, name: {zh-CN: 甲, en: A}, share_bp: 10000, net_assets_fen: 49990000}"), "第十六条"},
		"surety large enough":          {set("    directed: true", "    directed: true\n    surety: {kind: company, name: {zh-CN: 甲, en: A}, share_bp: 10000, net_assets_fen: 50000000}"), ""},
		"more borne than there can be": {set("    directed: true", "    directed: true\n    surety: {kind: person, share_bp: 8000}\n    risk_pool: {code: p, name: {zh-CN: 池, en: P}, share_bp: 2001, cap_fen: 1}"), "more than the whole loss"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := product.Parse([]byte(c.text))
			switch {
			case c.why == "" && err != nil:
				t.Error(err)
			case c.why != "" && (err == nil || !strings.Contains(err.Error(), c.why)):
				t.Errorf("got %v, want %q", err, c.why)
			}
		})
	}
}

func TestBasedOn(t *testing.T) {
	t.Parallel()
	c, err := product.Parse([]byte(whole + `  - {code: b, based_on: a, name: {zh-CN: 乙, en: B}, max_fen: 4000000}
  - {code: c, based_on: b, policy: q}
`))
	if err != nil {
		t.Fatal(err)
	}
	p, err := c.Product("c")
	if err != nil || p.MaxFen != 4_000_000 || p.Name["en"] != "B" || p.Policy != "q" || p.BaseRateBP != 400 || len(p.Funders) != 2 {
		t.Errorf("got %+v, %v", p, err)
	}
	_, err = product.Parse([]byte(whole + `  - {code: b, based_on: d}
  - {code: c, based_on: b}
  - {code: d, based_on: c}
`))
	if err == nil || !strings.Contains(err.Error(), "b -> d -> c -> b") || strings.Count(err.Error(), "->") != 3 {
		t.Errorf("a circle: %v", err)
	}
}

func TestPrice(t *testing.T) {
	t.Parallel()
	c, err := product.Parse([]byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	p := c.All()[0]
	for _, x := range []struct {
		score, months int
		region        string
		want          int64
	}{
		{1000, 12, "", 400}, {700, 6, "510105", 400}, {699, 6, "", 500}, {699, 12, "", 550}, {0, 12, "510105", 600}, {0, 12, "511702", 550},
	} {
		if got := p.PriceBP(x.score, x.months, x.region); got != x.want {
			t.Errorf("score %d, %d months in %q: %d, want %d", x.score, x.months, x.region, got, x.want)
		}
	}
}

func TestWho(t *testing.T) {
	t.Parallel()
	c, err := product.Parse([]byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	who := c.All()[0].Who
	good := credit.Applicant{Kind: "person", Age: 30, Region: "510105", Industry: "A0111"}
	for name, x := range map[string]struct {
		change func(*credit.Applicant)
		fit    product.Fit
		at     string
	}{
		"fits":          {func(*credit.Applicant) {}, product.Fits, ""},
		"region":        {func(a *credit.Applicant) { a.Region = "110101" }, product.FitsNot, "region"},
		"industry":      {func(a *credit.Applicant) { a.Industry = "C13" }, product.FitsNot, "industry"},
		"age":           {func(a *credit.Applicant) { a.Age = 17 }, product.FitsNot, "age"},
		"oldest":        {func(a *credit.Applicant) { a.Age = 60 }, product.Fits, ""},
		"firm":          {func(a *credit.Applicant) { a.Kind = "firm" }, product.FitsNot, "kind"},
		"age not known": {func(a *credit.Applicant) { a.Age = 0 }, product.FitUnknown, "age"},
		"no beats that": {func(a *credit.Applicant) { a.Age, a.Region = 0, "11" }, product.FitsNot, "region"},
	} {
		a := good
		x.change(&a)
		if fit, at := who.Fit(a); fit != x.fit || at != x.at {
			t.Errorf("%s: %d at %q", name, fit, at)
		}
	}
}

func TestFormulas(t *testing.T) {
	t.Parallel()
	ev := credit.Evidence{
		Crop:     &geo.CropReport{Mu: 12.5, Worth: &geo.Worth{Low: 1_000_000}},
		Standing: &chain.Standing{Status: "known", Invoiced12m: 10_000_000, Proven: 0.5},
		Turnover: &credit.Turnover{Status: "known", Months: []credit.TurnoverMonth{{Low: 100}, {Low: 200}, {Low: 400}}},
		Bank:     &credit.Bank{Months: []credit.BankMonth{{In: 900, Out: 100}, {In: 500, Out: 200}, {In: 500, Out: 300}}},
	}
	for _, x := range []struct {
		f    product.Formula
		want money.Fen
	}{
		{product.Formula{Name: "fixed", Params: map[string]int64{"fen": 7}}, 7},
		{product.Formula{Name: "crop_worth", Params: map[string]int64{"advance_bp": 7000}}, 700_000},
		{product.Formula{Name: "crop_area", Params: map[string]int64{"fen_per_mu": 100}}, 1250},
		{product.Formula{Name: "proven_sales", Params: map[string]int64{"advance_bp": 2000}}, 1_000_000},
		{product.Formula{Name: "turnover", Params: map[string]int64{"advance_bp": 10_000, "months": 2}}, 300},
		{product.Formula{Name: "bank_inflow", Params: map[string]int64{"advance_bp": 5000, "months": 2}}, 500},
		{product.Formula{Name: "bank_surplus", Params: map[string]int64{"advance_bp": 10_000, "months": 9}}, 1300},
	} {
		if got, known := x.f.Allow(ev); !known || got != x.want {
			t.Errorf("%s: %d %v, want %d", x.f.Name, got, known, x.want)
		}
		if x.f.Part() == "" {
			continue
		}
		if got, known := x.f.Allow(credit.Evidence{}); known || got != 0 {
			t.Errorf("%s of nothing: %d %v", x.f.Name, got, known)
		}
	}
	if got, known := (product.Formula{Name: "herd_value", Params: map[string]int64{"advance_bp": 1}}).Allow(ev); known || got != 0 {
		t.Errorf("no herd: %d %v", got, known)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		whole, "products: [{code: a, based_on: b}, {code: b, based_on: a}]", "products: &x [*x]", "a: &a [b]\nproducts: *a",
		"products: [{code: a, pricing: {bands: [{from: 1e9}], rows: [{}]}}]", "products: [1]", "[]", "\x00",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := product.Parse(text)
		if (c == nil) == (err == nil) {
			t.Fatalf("neither a catalogue nor an error: %v", err)
		}
		if err != nil {
			if !errors.Is(err, product.ErrFile) {
				t.Fatalf("an error without a place: %v", err)
			}
			return
		}
		for _, p := range c.All() {
			for _, term := range p.Terms {
				if bp := p.PriceBP(500, term, "51"); bp <= 0 || bp > p.MaxRateBP {
					t.Fatalf("%s costs %d at %d months", p.Code, bp, term)
				}
			}
		}
	})
}
