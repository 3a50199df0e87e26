package fund

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/money"
)

// CheckFault is one thing that Check found wrong.
type CheckFault struct {
	LoanID  string `json:"loan_id,omitempty"`
	Party   string `json:"party,omitempty"`
	Key     string `json:"key,omitempty"`
	Problem string `json:"problem"`
}

// CheckReport is what Check found in the books of a tenant.
type CheckReport struct {
	Tenant  string       `json:"tenant"`
	Entries int          `json:"entries"` // of shared loans in the ledger
	Lines   int          `json:"lines"`
	Loans   int          `json:"loans"`
	Faults  []CheckFault `json:"faults"`
}

// OK says that shares, positions and pools follow from the ledger.
func (r CheckReport) OK() bool { return len(r.Faults) == 0 }

// Check makes every line again from the entries of the ledger and compares: lines, what
// each party holds of each loan, what pools have used; and divides the sums of each loan
// again by its frozen terms. It asks for a house at rest: an operation under way between
// two reads would look like a fault.
func (s *Service) Check(ctx context.Context, tenant string) (CheckReport, error) {
	c := checker{report: CheckReport{Tenant: tenant, Faults: []CheckFault{}}, held: map[[2]string]money.Fen{}, used: map[string]money.Fen{}, loans: map[string][]ShareLine{}}
	kept, err := s.cfg.Store.Lines(ctx, tenant, LineFilter{})
	if err != nil {
		return c.report, err
	}
	c.kept = map[string][]ShareLine{}
	for _, l := range kept {
		c.kept[l.Key] = append(c.kept[l.Key], l)
	}
	c.report.Lines = len(kept)
	var after int64
	for {
		entries, err := s.cfg.Book.Entries(ctx, tenant, ledger.Filter{After: after, Limit: 1000})
		if err != nil {
			return c.report, err
		}
		if len(entries) == 0 {
			break
		}
		for _, e := range entries {
			c.entry(e)
		}
		after = entries[len(entries)-1].Seq
	}
	for key, lines := range c.kept {
		c.fault(CheckFault{Key: key, LoanID: lines[0].LoanID, Problem: "is kept, but not in the ledger"})
	}
	if err := c.sums(ctx, s, tenant); err != nil {
		return c.report, err
	}
	slices.SortFunc(c.report.Faults, func(a, b CheckFault) int {
		return cmp.Or(cmp.Compare(a.LoanID, b.LoanID), cmp.Compare(a.Party, b.Party), cmp.Compare(a.Key, b.Key), cmp.Compare(a.Problem, b.Problem))
	})
	return c.report, nil
}

type checker struct {
	report CheckReport
	kept   map[string][]ShareLine // by entry key, that no entry has claimed yet
	held   map[[2]string]money.Fen
	used   map[string]money.Fen
	loans  map[string][]ShareLine
}

func (c *checker) fault(f CheckFault) { c.report.Faults = append(c.report.Faults, f) }

func (c *checker) entry(e ledger.Entry) {
	lines := Lines(e)
	if lines == nil {
		return
	}
	c.report.Entries++
	kept := c.kept[e.Key]
	delete(c.kept, e.Key)
	if !slices.Equal(kept, lines) {
		c.fault(CheckFault{LoanID: e.Item, Key: e.Key, Problem: fmt.Sprintf("has %d postings in the ledger, and other lines are kept (%d)", len(lines), len(kept))})
	}
	for _, l := range lines {
		switch {
		case l.Account == Principal:
			c.held[[2]string{l.LoanID, l.Party}] -= l.Amount
		case l.Account == PoolMoney && l.Kind != Settle:
			c.used[l.Party] += l.Amount
		}
		if l.LoanID != "" {
			c.loans[l.LoanID] = append(c.loans[l.LoanID], l)
		}
	}
}

// sums compares positions and pools, and every loan with its terms.
func (c *checker) sums(ctx context.Context, s *Service, tenant string) error {
	positions, err := s.cfg.Store.Positions(ctx, tenant, "")
	if err != nil {
		return err
	}
	for _, p := range positions {
		key := [2]string{p.LoanID, p.Party}
		if want := c.held[key]; want != p.Held {
			c.fault(CheckFault{LoanID: p.LoanID, Party: p.Party, Problem: fmt.Sprintf("%s is kept as held, the ledger gives %s", p.Held, want)})
		}
		delete(c.held, key)
	}
	for key, v := range c.held {
		if v != 0 {
			c.fault(CheckFault{LoanID: key[0], Party: key[1], Problem: "holds " + v.String() + " by the ledger, and nothing is kept"})
		}
	}
	buckets, err := s.cfg.Store.Buckets(ctx, tenant)
	if err != nil {
		return err
	}
	for _, b := range buckets {
		p, err := s.cfg.Store.Pool(ctx, tenant, b)
		if err != nil {
			return err
		}
		if p.Used != c.used[b] {
			c.fault(CheckFault{Party: b, Problem: fmt.Sprintf("%s is kept as used, the ledger gives %s", p.Used, c.used[b])})
		}
	}
	for after := ""; ; {
		list, err := s.cfg.Store.FrozenAfter(ctx, tenant, after, 500)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, f := range list {
			c.report.Loans++
			c.shares(f)
		}
		after = list[len(list)-1].LoanID
	}
}

// shares divides the sums of a loan again.
func (c *checker) shares(f SharedLoan) {
	s := sheet{terms: f.Terms, lines: c.loans[f.LoanID], m: Movement{LoanID: f.LoanID}}
	compare := func(what string, weights []int64, of func(string) money.Fen) {
		had, sum := s.each(s.lenders(), of)
		for i, want := range Allocate(weights, sum) {
			if had[i] != want {
				c.fault(CheckFault{LoanID: f.LoanID, Party: s.lenders()[i], Problem: fmt.Sprintf("has %s of the %s of %s, its share is %s", had[i], what, sum, want)})
			}
		}
	}
	compare("drawn principal", f.Terms.weights(byPrincipal), func(p string) money.Fen { return -s.sum(Principal, p, Draw, "") })
	compare("fees", f.Terms.weights(func(x LenderShares) int64 { return x.Fee }), func(p string) money.Fen { return s.sum(Fee, p, "", "") })
	compare("penalties", f.Terms.weights(func(x LenderShares) int64 { return x.Penalty }), func(p string) money.Fen { return s.sum(Penalty, p, "", "") })
	made := s.made
	if s.settleInterest(Repay, 0); s.made != made {
		c.fault(CheckFault{LoanID: f.LoanID, Problem: "its interest is not divided by its terms"})
	}
}
