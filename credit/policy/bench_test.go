package policy_test

import (
	"os"
	"strings"
	"testing"

	"github.com/furrowcredit/furrow/credit/policy"
)

func TestCasesOfTheFarmerStrategy(t *testing.T) {
	t.Parallel()
	set, products := load(t)
	b, err := os.ReadFile("testdata/plot.cases.yaml")
	if err != nil {
		t.Fatal(err)
	}
	cases, err := policy.ReadCases("plot.cases.yaml", b)
	if err != nil {
		t.Fatal(err)
	}
	p, _ := set.Policy("plot")
	results, err := p.Run(cases, products.Product, nil)
	if err != nil || len(results) != 7 {
		t.Fatal(len(results), err)
	}
	for _, r := range results {
		if len(r.Wrong) > 0 {
			t.Errorf("%s: %v\n%+v", r.Name, r.Wrong, r.Decision.Reasons)
		}
	}
	cases[0].Want.Outcome, cases[0].Want.Reasons = "refuse", []string{"plot.drowned"}
	results, _ = p.Run(cases, products.Product, nil)
	if w := results[0].Wrong; len(w) != 2 {
		t.Errorf("a case that is not met: %v", w)
	}
}

func TestCasesAreChecked(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"cases: []": "there are no cases",
		"cases:\n  - {name: a, facts: {wealth: 1}}":                 "line 2: a: there is no fact wealth",
		"cases:\n  - {name: a, facts: {crop: 1}}":                   "line 2: a: crop is a text",
		"cases:\n  - {name: a, facts: {queries_6m: 1.5}}":           "queries_6m is a whole number",
		"cases:\n  - {name: a, facts: {alerts: flood}}":             "alerts is a list of texts",
		"cases:\n  - {name: a, want: {limits: 4}}":                  "line 2",
		"cases:\n  - {facts: {}}":                                   "name the case",
		"cases:\n  - {name: a, facts: {pledged: 1}}":                "pledged is true or false",
		"cases:\n  - {name: a, facts: {confidence: a}}\nmore: true": "more",
	} {
		if _, err := policy.ReadCases("c.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

func FuzzReadCases(f *testing.F) {
	f.Add([]byte("cases:\n  - {name: a, facts: {crop: rice}, want: {outcome: offer}}"))
	set, products := builtin()
	p, _ := set.Policy("plot")
	f.Fuzz(func(t *testing.T, b []byte) {
		cases, err := policy.ReadCases("c", b)
		if err != nil {
			return
		}
		for i := range cases {
			cases[i].Product = ""
		}
		if _, err := p.Run(cases, products.Product, nil); err != nil {
			t.Error(err)
		}
	})
}
