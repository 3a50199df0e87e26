package ledger

import (
	"context"
	"slices"

	"github.com/furrowcredit/furrow/money"
)

// TrialLine is an account, or a heading with the sum of what stands beneath it, over a
// time. Debits are positive in Opening and Closing, credits negative.
type TrialLine struct {
	Code    string            `json:"code"`
	Name    map[string]string `json:"name"` // by language; empty for an account that left the chart
	Class   Class             `json:"class"`
	Heading bool              `json:"heading,omitempty"`
	Depth   int               `json:"depth"` // headings above it
	Opening money.Fen         `json:"opening"`
	Debits  money.Fen         `json:"debits"`
	Credits money.Fen         `json:"credits"`
	Closing money.Fen         `json:"closing"`
}

// Trial is the trial balance of a book: by bank date, back-dated entries included.
type Trial struct {
	Tenant  string      `json:"tenant"`
	From    money.Date  `json:"from,omitzero"` // zero: since the first entry
	To      money.Date  `json:"to,omitzero"`   // zero: to the last
	Lines   []TrialLine `json:"lines"`         // in the order of the chart; accounts that never moved are left out
	Opening money.Fen   `json:"opening"`       // sums over the accounts: zero in a sound book
	Closing money.Fen   `json:"closing"`
	Debits  money.Fen   `json:"debits"` // equal to Credits in a sound book
	Credits money.Fen   `json:"credits"`
}

// OK says that debits and credits are equal.
func (t Trial) OK() bool { return t.Opening == 0 && t.Closing == 0 && t.Debits == t.Credits }

// Trial adds up every account over bank dates, both included; zero dates do not bound.
func (s *Service) Trial(ctx context.Context, tenant string, from, to money.Date) (Trial, error) {
	t := Trial{Tenant: tenant, From: from, To: to, Lines: []TrialLine{}}
	lines := map[string]*TrialLine{}
	line := func(code string) *TrialLine {
		if lines[code] == nil {
			lines[code] = s.line(code)
		}
		return lines[code]
	}
	if from != 0 {
		before, err := s.store.Turnovers(ctx, tenant, 0, from-1)
		if err != nil {
			return t, err
		}
		for _, b := range before {
			line(b.Account).Opening = b.Debits - b.Credits
		}
	}
	within, err := s.store.Turnovers(ctx, tenant, from, to)
	if err != nil {
		return t, err
	}
	for _, b := range within {
		l := line(b.Account)
		l.Debits, l.Credits = b.Debits, b.Credits
	}
	for _, l := range lines {
		l.Closing = l.Opening + l.Debits - l.Credits
		t.Opening += l.Opening
		t.Closing += l.Closing
		t.Debits += l.Debits
		t.Credits += l.Credits
	}
	t.Lines = s.ordered(lines)
	return t, nil
}

func (s *Service) line(code string) *TrialLine {
	a := s.accounts[code]
	l := &TrialLine{Code: code, Name: a.Name, Class: a.Class, Heading: a.Heading}
	if l.Name == nil {
		l.Name = map[string]string{}
	}
	for range s.chart { // a chart that was not read from the catalogue may run in a circle
		if a.Parent == "" {
			break
		}
		l.Depth++
		a = s.accounts[a.Parent]
	}
	return l
}

// ordered puts the lines in the order of the chart, each below its headings, which sum
// them, and those that are in no chart at the end.
func (s *Service) ordered(lines map[string]*TrialLine) []TrialLine {
	all := map[string]*TrialLine{}
	for code, l := range lines {
		all[code] = l
		at := s.accounts[code]
		for range l.Depth {
			up := all[at.Parent]
			if up == nil {
				up = s.line(at.Parent)
				all[at.Parent] = up
			}
			up.Opening += l.Opening
			up.Debits += l.Debits
			up.Credits += l.Credits
			up.Closing += l.Closing
			at = s.accounts[at.Parent]
		}
	}
	out := make([]TrialLine, 0, len(all))
	var below func(parent string)
	below = func(parent string) {
		for _, a := range s.chart {
			if l := all[a.Code]; l != nil && a.Parent == parent {
				out = append(out, *l)
				delete(all, a.Code)
				below(a.Code)
			}
		}
	}
	below("")
	rest := make([]string, 0, len(all))
	for code := range all {
		rest = append(rest, code)
	}
	slices.Sort(rest)
	for _, code := range rest {
		out = append(out, *all[code])
	}
	return out
}
