package cases

import "slices"

// Expectations are what rows can be of.
var Expectations = []string{"schedule", "periods", "transactions", "totals", "status", "amount"}

// Report is what a file came to. The headline counts the rows of schedules, periods,
// transactions and totals.
type Report struct {
	Matched  int               `json:"rows_matched"`
	Expected int               `json:"rows_expected"`
	Passed   int               `json:"cases_passed"` // see [Result.Passed]
	Kinds    map[string]*Count `json:"kinds"`        // by kind of case
	Of       map[string]*Count `json:"of"`           // by what the rows are of
	Cases    []Result          `json:"cases"`
}

// RunAll replays cases; id selects one of them, "" all.
func RunAll(list []Case, id string) Report {
	r := Report{Kinds: map[string]*Count{}, Of: map[string]*Count{}, Cases: []Result{}}
	add := func(m map[string]*Count, key string, matched, expected int) {
		if m[key] == nil {
			m[key] = &Count{}
		}
		m[key].Matched += matched
		m[key].Expected += expected
	}
	for i := range list {
		if id != "" && list[i].ID != id {
			continue
		}
		c := Run(&list[i])
		r.Matched += c.Matched
		r.Expected += c.Expected
		if c.Passed {
			r.Passed++
		}
		add(r.Kinds, c.Kind, c.Matched, c.Expected)
		for of, n := range c.Of {
			add(r.Of, of, n.Matched, n.Expected)
		}
		r.Cases = append(r.Cases, c)
	}
	return r
}

// Order is the kinds of cases by name.
func (r *Report) Order() []string {
	var out []string
	for k := range r.Kinds {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
