package policy

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/feature"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
)

// ErrCases says what is wrong with a file of cases.
var ErrCases = fault.New(fault.Invalid, "policy.cases", "the cases {file} are wrong: {why}")

// Case is one row of a test bench: facts, and what a policy is to make of them.
type Case struct {
	Name    string         `yaml:"name" json:"name"`
	Product string         `yaml:"product" json:"product,omitempty"` // code; without one nothing bounds the limit
	Facts   map[string]any `yaml:"facts" json:"facts"`               // by name; what is not named is missing
	Want    Want           `yaml:"want" json:"want"`

	facts feature.Facts
}

// Want is what is expected; what is not given is not looked at.
type Want struct {
	Outcome credit.Outcome `yaml:"outcome" json:"outcome,omitempty"`
	Limit   *money.Fen     `yaml:"limit_fen" json:"limit_fen,omitempty"`
	AtLeast *money.Fen     `yaml:"limit_at_least" json:"limit_at_least,omitempty"`
	AtMost  *money.Fen     `yaml:"limit_at_most" json:"limit_at_most,omitempty"`
	RateBP  *int64         `yaml:"rate_bp" json:"rate_bp,omitempty"`
	Reasons []string       `yaml:"reasons" json:"reasons,omitempty"` // codes that must be there
	Without []string       `yaml:"without" json:"without,omitempty"` // and that must not
}

// CaseResult is what became of a case.
type CaseResult struct {
	Name     string          `json:"name"`
	Decision credit.Decision `json:"decision"`
	Wrong    []string        `json:"wrong"` // empty: as expected
}

// ReadCases reads a YAML file with a list of cases; ErrCases with the line.
func ReadCases(file string, source []byte) ([]Case, error) {
	bad := func(why string) ([]Case, error) {
		return nil, ErrCases.At("%s", file).With("file", file).With("why", why)
	}
	var f struct {
		Cases []Case `yaml:"cases"`
	}
	dec := yaml.NewDecoder(bytes.NewReader(source))
	dec.KnownFields(true)
	if err := dec.Decode(&f); err != nil {
		return bad(strings.TrimPrefix(err.Error(), "yaml: "))
	}
	var places struct {
		Cases []yaml.Node `yaml:"cases"`
	}
	if err := yaml.Unmarshal(source, &places); err != nil || len(places.Cases) != len(f.Cases) {
		return bad("cases are a list")
	}
	if len(f.Cases) == 0 {
		return bad("there are no cases")
	}
	out := f.Cases
	for i := range out {
		c, n := &out[i], &places.Cases[i]
		if c.Name == "" {
			return bad(fmt.Sprintf("line %d: name the case", n.Line))
		}
		if err := c.fill(); err != nil {
			return bad(fmt.Sprintf("line %d: %s: %v", n.Line, c.Name, err))
		}
	}
	return out, nil
}

// fill lays the named facts out; a fact of a part says that the part is there.
func (c *Case) fill() error {
	c.facts = feature.Gather(credit.Evidence{}, feature.Terms{})
	names := make([]string, 0, len(c.Facts))
	for name := range c.Facts {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		f, ok := feature.Find(name)
		if !ok {
			return fmt.Errorf("there is no fact %s", name)
		}
		if !strings.HasSuffix(name, "_missing") && !strings.HasSuffix(name, "_reason") {
			feature.SetThere(&c.facts, f.Source)
		}
	}
	for _, name := range names { // has_... last, as it is said
		f, _ := feature.Find(name)
		if err := f.Set(&c.facts, c.Facts[name]); err != nil {
			return err
		}
		f.MarkKnown(&c.facts)
	}
	if _, said := c.Facts["has_worth"]; !said && c.facts.WorthLow > 0 {
		c.facts.HasWorth = true
	}
	c.facts.AlertCount = max(c.facts.AlertCount, len(c.facts.Alerts))
	return nil
}

// Run decides the cases. products finds a product by its code; its formula, which reads
// evidence and not facts, is left out.
func (p *Policy) Run(cases []Case, products func(code string) (product.Product, error), models Models) ([]CaseResult, error) {
	out := make([]CaseResult, 0, len(cases))
	for i := range cases {
		c := &cases[i]
		prod := product.Product{MaxFen: 1 << 60, BaseRateBP: 0, MaxRateBP: 1 << 30}
		if c.Product != "" {
			var err error
			if prod, err = products(c.Product); err != nil {
				return nil, err
			}
			prod.Formula = nil
		}
		f := c.facts
		f.Product = c.Product
		if c.Facts["max_limit"] == nil {
			f.MinLimit, f.MaxLimit = int(prod.MinFen), int(prod.MaxFen)
		}
		ev := credit.Evidence{Product: c.Product, TermMonths: f.TermMonths, Asked: money.Fen(f.Asked), Applicant: credit.Applicant{
			Kind: f.ApplicantKind, Age: f.Age, Region: f.Region, Industry: f.Industry,
		}}
		d, err := p.DecideOn(f, ev, prod, models, time.Time{})
		if err != nil {
			return nil, err
		}
		out = append(out, CaseResult{Name: c.Name, Decision: d, Wrong: c.Want.compare(d)})
	}
	return out, nil
}

func (w *Want) compare(d credit.Decision) (wrong []string) {
	bad := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	if w.Outcome != "" && w.Outcome != d.Outcome {
		bad("outcome %s, not %s", d.Outcome, w.Outcome)
	}
	if w.Limit != nil && *w.Limit != d.Limit {
		bad("limit %s, not %s", d.Limit, *w.Limit)
	}
	if w.AtLeast != nil && d.Limit < *w.AtLeast {
		bad("limit %s, less than %s", d.Limit, *w.AtLeast)
	}
	if w.AtMost != nil && d.Limit > *w.AtMost {
		bad("limit %s, more than %s", d.Limit, *w.AtMost)
	}
	if w.RateBP != nil && d.Rate.BP() != *w.RateBP {
		bad("rate %s, not %s", d.Rate, money.BP(*w.RateBP))
	}
	has := func(code string) bool {
		return slices.ContainsFunc(d.Reasons, func(r credit.Reason) bool { return r.Code == code })
	}
	for _, code := range w.Reasons {
		if !has(code) {
			bad("no reason %s", code)
		}
	}
	for _, code := range w.Without {
		if has(code) {
			bad("a reason %s", code)
		}
	}
	return wrong
}
