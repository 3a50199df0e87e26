package loan_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/pay"
	"github.com/furrowcredit/furrow/money"
)

// memory is a loan.Store and the entries of its ledger, without a database.
type memory struct {
	loans    map[string]loan.Loan
	events   map[string][]loan.Happening
	payments map[string]loan.Payment
	actions  map[string]loan.Action
	runs     map[money.Date]loan.DayRun
	entries  []ledger.Entry
	keys     map[string]bool
	sums     map[[2]string]money.Fen // by account and item
	// statements by loan and month, version by version
	statements map[string][]loan.Monthly
	fail       func() mishap // what happens to the next write; nil is nothing
}

// mishap of a write.
type mishap int

const (
	none  mishap = iota
	crash        // nothing is written
	lost         // everything is written, and the answer is an error
)

var errCrash = errors.New("crash")

func newMemory() *memory {
	return &memory{
		loans: map[string]loan.Loan{}, events: map[string][]loan.Happening{}, payments: map[string]loan.Payment{}, actions: map[string]loan.Action{},
		statements: map[string][]loan.Monthly{}, runs: map[money.Date]loan.DayRun{}, keys: map[string]bool{}, sums: map[[2]string]money.Fen{},
	}
}

// write does f as a transaction of a database would that can fail before and after.
func (m *memory) write(f func()) error {
	what := none
	if m.fail != nil {
		what = m.fail()
	}
	if what != crash {
		f()
	}
	if what != none {
		return errCrash
	}
	return nil
}

func (m *memory) stale(l *loan.Loan, isNew bool) bool {
	old, ok := m.loans[l.ID]
	return ok == isNew || ok && old.Version != l.Version
}

func (m *memory) put(c loan.Change) loan.Loan {
	c.Loan.Version++
	m.loans[c.Loan.ID] = c.Loan
	if c.Payment != nil {
		m.payments[c.Payment.ID] = *c.Payment
	}
	if c.Action != nil {
		m.actions[c.Action.ID] = *c.Action
	}
	m.events[c.Loan.ID] = append(m.events[c.Loan.ID], c.Happenings...)
	return c.Loan
}

func (m *memory) post(entries []ledger.Entry) {
	for _, e := range entries {
		m.keys[e.Key] = true
		m.entries = append(m.entries, e)
		for _, p := range e.Postings {
			m.sums[[2]string{p.Account, p.Item}] += p.Amount
		}
	}
}

func (m *memory) known(entries []ledger.Entry) bool {
	return slices.ContainsFunc(entries, func(e ledger.Entry) bool { return m.keys[e.Key] })
}

func (m *memory) Save(_ context.Context, c loan.Change) (loan.Loan, error) {
	if m.stale(&c.Loan, c.New) {
		return loan.Loan{}, loan.ErrStale
	}
	for _, h := range c.Happenings {
		if _, err := m.HappeningByKey(context.Background(), "", h.Key); err == nil {
			return loan.Loan{}, loan.ErrStale
		}
	}
	if a := c.Action; a != nil && m.actions[a.ID].State != loan.Proposed {
		return loan.Loan{}, loan.ErrActionState
	}
	if m.known(c.Entries) {
		return loan.Loan{}, ledger.ErrKeyReused
	}
	var after loan.Loan
	err := m.write(func() {
		after = m.put(c)
		m.post(c.Entries)
	})
	return after, err
}

func (m *memory) SaveBatch(_ context.Context, b loan.Batch) error {
	for i := range b.Days {
		if m.loans[b.Days[i].LoanID].Version != b.Days[i].Version {
			return loan.ErrStale
		}
	}
	for i := range b.Changes {
		if m.stale(&b.Changes[i].Loan, false) {
			return loan.ErrStale
		}
	}
	if m.known(b.Entries) {
		return ledger.ErrKeyReused
	}
	return m.write(func() {
		for _, d := range b.Days {
			l := m.loans[d.LoanID]
			l.Version++
			l.DayEnd, l.Accrued, l.Position.Earned = d.DayEnd, d.Accrued, d.Earned
			m.loans[d.LoanID] = l
		}
		for _, c := range b.Changes {
			m.put(c)
		}
		m.post(b.Entries)
		m.runs[b.Run.Date] = b.Run
	})
}

func (m *memory) Loan(_ context.Context, _, id string) (loan.Loan, error) {
	if l, ok := m.loans[id]; ok {
		return l, nil
	}
	return loan.Loan{}, loan.ErrNotFound
}

func (m *memory) Statement(_ context.Context, _, id, month string, version int) (loan.Monthly, error) {
	list := m.statements[id+month]
	if len(list) == 0 || version > len(list) {
		return loan.Monthly{}, loan.ErrNotFound
	}
	if version == 0 {
		version = len(list)
	}
	return list[version-1], nil
}

func (m *memory) SaveStatement(_ context.Context, _, month string, x loan.Monthly) error {
	if x.Version != len(m.statements[x.LoanID+month])+1 {
		return loan.ErrStale
	}
	m.statements[x.LoanID+month] = append(m.statements[x.LoanID+month], x)
	return nil
}

func (m *memory) SaveStatements(_ context.Context, run loan.DayRun, month string, list []loan.Monthly) error {
	return m.write(func() {
		for _, x := range list {
			if len(m.statements[x.LoanID+month]) == 0 {
				m.statements[x.LoanID+month] = []loan.Monthly{x}
			}
		}
		m.runs[run.Date] = run
	})
}

func (m *memory) Drawn(_ context.Context, _ string, _ money.Date, after string, limit int) (out []loan.Loan, _ error) {
	for _, id := range slices.Sorted(maps.Keys(m.loans)) {
		if id > after && len(out) < limit && m.loans[id].DrawnOn != 0 {
			out = append(out, m.loans[id])
		}
	}
	return out, nil
}

func (m *memory) TierMoves(context.Context, string, loan.MoveFilter) ([]loan.TierMove, error) {
	return nil, nil
}

func (m *memory) Migrations(context.Context, string, money.Date, money.Date) ([]loan.Migration, error) {
	return nil, nil
}

// named are the balances that are not zero, with the loan under one name.
func (m *memory) named(id string) map[[2]string]money.Fen {
	out := map[[2]string]money.Fen{}
	for k, x := range m.sums {
		if k[1] == id {
			k[1] = "loan"
		}
		if x != 0 && !strings.HasPrefix(k[1], id+" ") {
			out[k] = x
		}
	}
	return out
}

func (m *memory) Booked(_ context.Context, _ string, items ...string) (map[string]map[string]money.Fen, error) {
	out := map[string]map[string]money.Fen{}
	for k, x := range m.sums {
		if slices.Contains(items, k[1]) {
			if out[k[1]] == nil {
				out[k[1]] = map[string]money.Fen{}
			}
			out[k[1]][k[0]] = x
		}
	}
	return out, nil
}

func (m *memory) Some(_ context.Context, _ string, ids []string) (out []loan.Loan, _ error) {
	for _, id := range ids {
		out = append(out, m.loans[id])
	}
	return out, nil
}

func (m *memory) Happenings(_ context.Context, _ string, ids ...string) (map[string][]loan.Happening, error) {
	out := map[string][]loan.Happening{}
	for _, id := range ids {
		out[id] = slices.Clone(m.events[id])
	}
	return out, nil
}

func (m *memory) Undrawn(_ context.Context, _, after string, limit int) (out []loan.Loan, _ error) {
	for _, id := range slices.Sorted(maps.Keys(m.loans)) {
		if l := m.loans[id]; l.Undrawn > 0 && id > after && len(out) < limit {
			out = append(out, l)
		}
	}
	return out, nil
}

func (m *memory) HappeningByKey(_ context.Context, _, key string) (loan.Happening, error) {
	for _, list := range m.events {
		for _, h := range list {
			if h.Key == key {
				return h, nil
			}
		}
	}
	return loan.Happening{}, loan.ErrNotFound
}

func (m *memory) PaymentByKey(_ context.Context, _, key string) (loan.Payment, error) {
	for _, p := range m.payments {
		if p.Key == key {
			return p, nil
		}
	}
	return loan.Payment{}, loan.ErrNotFound
}

func (m *memory) Unsettled(context.Context, string) (out []loan.Payment, _ error) {
	for _, id := range slices.Sorted(maps.Keys(m.payments)) {
		if p := m.payments[id]; p.Outcome == pay.Unknown {
			out = append(out, p)
		}
	}
	return out, nil
}

func running(l loan.Loan) bool { return l.State == loan.Active || l.State == loan.Overdue }

func (m *memory) Behind(context.Context, string) (first money.Date, _ error) {
	for _, l := range m.loans {
		if running(l) && (first == 0 || l.DayEnd < first) {
			first = l.DayEnd
		}
	}
	return first, nil
}

func (m *memory) Days(_ context.Context, _ string, before money.Date, after string, limit int) (out []loan.Day, _ error) {
	for _, id := range slices.Sorted(maps.Keys(m.loans)) {
		if l := m.loans[id]; id > after && running(l) && l.DayEnd < before && len(out) < limit {
			out = append(out, loan.Day{
				LoanID: id, Product: l.Product, Version: l.Version, DayEnd: l.DayEnd, Accrued: l.Accrued, Earned: l.Position.Earned, Segment: l.Position.Segment,
			})
		}
	}
	return out, nil
}

func (m *memory) Debtors(context.Context, string) ([]loan.Debtor, error) {
	at := map[string]int{}
	var all []loan.Debtor
	for _, id := range slices.Sorted(maps.Keys(m.loans)) {
		l := m.loans[id]
		if !running(l) || l.Retail() {
			continue
		}
		i, ok := at[l.UserID]
		if !ok {
			i = len(all)
			at[l.UserID] = i
			all = append(all, loan.Debtor{UserID: l.UserID})
		}
		all[i].Debts = append(all[i].Debts, loan.Debt{LoanID: id, Own: loan.Classify(l.OverdueDays), Balance: l.Outstanding, Floor: l.Position.Floor})
	}
	return all, nil
}

func (m *memory) Run(_ context.Context, _ string, d money.Date) (loan.DayRun, error) {
	if r, ok := m.runs[d]; ok {
		return r, nil
	}
	return loan.DayRun{}, loan.ErrNotFound
}

func (m *memory) SaveRun(_ context.Context, r loan.DayRun) error {
	return m.write(func() { m.runs[r.Date] = r })
}

func (m *memory) Action(_ context.Context, _, id string) (loan.Action, error) {
	if a, ok := m.actions[id]; ok {
		return a, nil
	}
	return loan.Action{}, loan.ErrActionNotFound
}

func (m *memory) ActionByKey(_ context.Context, _, key string) (loan.Action, error) {
	for _, a := range m.actions {
		if a.Key == key {
			return a, nil
		}
	}
	return loan.Action{}, loan.ErrActionNotFound
}

func (m *memory) SaveAction(_ context.Context, a loan.Action) error {
	if old, ok := m.actions[a.ID]; ok && old.State != loan.Proposed {
		return loan.ErrActionState
	}
	return m.write(func() { m.actions[a.ID] = a })
}

func (m *memory) Loans(_ context.Context, _ string, f loan.Filter) (out []loan.Loan, _ error) {
	for _, id := range slices.Backward(slices.Sorted(maps.Keys(m.loans))) {
		l := m.loans[id]
		if (f.Before == "" || id < f.Before) && (f.UserID == "" || f.UserID == l.UserID) && (len(f.States) == 0 || slices.Contains(f.States, l.State)) {
			out = append(out, l)
		}
	}
	return out, nil
}

func (m *memory) Owed(context.Context, string, string) (money.Fen, error) { return 0, nil }
func (m *memory) ByApplication(context.Context, string, string) (loan.Loan, error) {
	return loan.Loan{}, loan.ErrNotFound
}
func (m *memory) Payments(context.Context, string, string) ([]loan.Payment, error) { return nil, nil }
func (m *memory) Actions(context.Context, string, loan.ActionFilter) ([]loan.Action, error) {
	return nil, nil
}
func (m *memory) Runs(context.Context, string, int) ([]loan.DayRun, error) { return nil, nil }
func (m *memory) Classes(context.Context, string) ([]loan.ClassSum, error) { return nil, nil }
func (m *memory) Totals(context.Context, string) (loan.Totals, error)      { return loan.Totals{}, nil }
func (m *memory) Debts(context.Context, string, string, time.Time) (money.Fen, int, error) {
	return 0, 0, nil
}
