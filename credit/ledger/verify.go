package ledger

import (
	"cmp"
	"context"
	"fmt"
	"hash/maphash"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/furrowcredit/furrow/money"
)

// Fault is one thing that Verify found wrong.
type Fault struct {
	Seq     int64  `json:"seq,omitempty"`
	Account string `json:"account,omitempty"`
	Item    string `json:"item,omitempty"`
	Problem string `json:"problem"`
}

// Audit is what Verify found.
type Audit struct {
	Tenant   string    `json:"tenant"`
	Entries  int64     `json:"entries"`
	Accounts int       `json:"accounts"` // pairs of account and item
	Holds    int       `json:"holds"`    // that are open
	Debits   money.Fen `json:"debits"`   // sum of all debits, equal to all credits
	Head     string    `json:"head"`     // hash of the last entry
	Wrong    int       `json:"wrong"`    // how many faults there are; the first of them follow
	Faults   []Fault   `json:"faults"`
}

// OK says that the book is sound.
func (a Audit) OK() bool { return a.Wrong == 0 }

// mostFaults are told one by one; who changes a whole book makes more.
const mostFaults = 1000

// Verify rebuilds every balance, turnover, hold and closed period from the entries and
// compares it with the saved ones, and checks that no entry was changed, dropped or put in
// between. It may run while entries are being posted, and takes the memory of a sum for
// each thousand entries and of the holds that are open.
func (s *Service) Verify(ctx context.Context, tenant string) (Audit, error) {
	v := verifier{
		audit: Audit{Tenant: tenant, Faults: []Fault{}}, seed: maphash.MakeSeed(), open: map[string]Entry{},
		held: map[Sub]Balance{}, days: map[Day]Turnover{}, closed: map[string]money.Date{},
	}
	err := s.store.Read(ctx, tenant, func(r Reader) error { return v.run(ctx, r) })
	if err != nil {
		return Audit{}, err
	}
	slices.SortStableFunc(v.audit.Faults, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Seq, b.Seq), strings.Compare(a.Account, b.Account), strings.Compare(a.Item, b.Item))
	})
	return v.audit, nil
}

type verifier struct {
	audit  Audit
	seed   maphash.Seed
	head   Head
	seq    int64
	open   map[string]Entry // holds by key
	held   map[Sub]Balance  // what they promise
	days   map[Day]Turnover
	closed map[string]money.Date

	// Sums of what the entries say and of what is saved, by block of their numbers.
	moves, indexed blocks
	holds, kept    blocks
}

// blocks add hashes of records by blocks of numbers, in whatever order they come.
type blocks []uint64

const blockBits = 10

func (b *blocks) add(seq int64, hash uint64) {
	i := int(max(seq, 0) >> blockBits)
	if i > 1<<30 {
		i = 1 << 30 // a number that was tampered with; no book is that long
	}
	if i >= len(*b) {
		if i > len(*b)+1<<20 {
			i = len(*b)
		}
		*b = append(*b, make([]uint64, i+1-len(*b))...)
	}
	(*b)[i] += hash
}

func (b blocks) at(i int) uint64 {
	if i < len(b) {
		return b[i]
	}
	return 0
}

func (v *verifier) fault(f Fault) {
	if v.audit.Wrong++; len(v.audit.Faults) < mostFaults {
		v.audit.Faults = append(v.audit.Faults, f)
	}
}

func (v *verifier) run(ctx context.Context, r Reader) error {
	var err error
	if v.head, err = r.Head(ctx); err != nil {
		return err
	}
	if err := r.EachEntry(ctx, func(e Entry) error { v.entry(e); return nil }); err != nil {
		return err
	}
	v.checkHead()
	v.audit.Holds = len(v.open)
	v.promise()
	if err := v.saved(ctx, r); err != nil {
		return err
	}
	if err := r.EachTurnover(ctx, func(t Turnover) error { v.turnover(t); return nil }); err != nil {
		return err
	}
	for day, t := range v.days {
		v.fault(Fault{Account: day.Account, Problem: fmt.Sprintf("the turnover of %s is not saved: debits %s, credits %s", day.Date, t.Debits, t.Credits)})
	}
	if err := r.EachHold(ctx, func(h Hold) error { v.hold(h); return nil }); err != nil {
		return err
	}
	for key, e := range v.open {
		v.fault(Fault{Seq: e.Seq, Item: e.Item, Problem: "the hold " + key + " is not saved"})
	}
	for i := range max(len(v.holds), len(v.kept)) {
		if v.holds.at(i) != v.kept.at(i) {
			v.fault(Fault{Seq: int64(i)<<blockBits + 1, Problem: fmt.Sprintf("what became of holds among the entries %d to %d differs from what is saved",
				i<<blockBits, (i+1)<<blockBits-1)})
		}
	}
	return v.indexFaults(ctx, r)
}

func (v *verifier) entry(e Entry) {
	if e.Seq != v.seq+1 {
		v.fault(Fault{Seq: v.seq + 1, Problem: fmt.Sprintf("entries %d to %d are missing", v.seq+1, e.Seq-1)})
	}
	if e.Prev != v.audit.Head {
		v.fault(Fault{Seq: e.Seq, Problem: "does not follow the entry before it"})
	}
	e.Tenant = v.audit.Tenant
	if e.InputHash != inputHash(e) || Seal(e, e.Seq, e.Prev).Hash != e.Hash {
		v.fault(Fault{Seq: e.Seq, Item: e.Item, Problem: "was changed after it was posted"})
	}
	v.state(e)
	var sum money.Fen
	for nr, p := range e.Postings {
		sum += p.Amount
		if e.Booked() {
			v.move(e, nr, p)
		}
	}
	if sum != 0 {
		v.fault(Fault{Seq: e.Seq, Item: e.Item, Problem: "debits and credits differ by " + sum.String()})
	}
	v.seq, v.audit.Head = e.Seq, e.Hash
	v.audit.Entries++
}

func (v *verifier) move(e Entry, nr int, p Posting) {
	if e.Seq > v.head.Bare {
		v.moves.add(e.Seq, v.hashMove(Move{Seq: e.Seq, Nr: nr, Date: e.Date, Posting: p}))
		day := Day{p.Account, e.Date}
		t := v.days[day]
		t.Debits, t.Credits = t.Debits+max(p.Amount, 0), t.Credits+max(-p.Amount, 0)
		v.days[day] = t
	}
	if p.Amount > 0 && v.audit.Debits <= math.MaxInt64-p.Amount {
		v.audit.Debits += p.Amount
	}
}

func (v *verifier) hashMove(m Move) uint64 {
	return maphash.Comparable(v.seed, m)
}

// state follows holds and closed periods.
func (v *verifier) state(e Entry) {
	switch e.Op {
	case Held:
		v.open[e.Key] = e
	case Settle, Void, Expire:
		held, ok := v.open[e.Hold]
		if !ok {
			v.fault(Fault{Seq: e.Seq, Item: e.Item, Problem: "ends the hold " + e.Hold + ", which is not open"})
			return
		}
		if within(held.Postings, e.Postings) != nil {
			v.fault(Fault{Seq: e.Seq, Item: e.Item, Problem: "posts more than the hold " + e.Hold + " promised"})
		}
		delete(v.open, e.Hold)
		v.holds.add(held.Seq, v.hashHold(Hold{Key: e.Hold, Seq: held.Seq, State: endState(e.Op), Until: held.Until, By: e.Key}))
	case Close:
		v.closed[e.Item] = e.Date
	case Post:
	}
}

func (v *verifier) hashHold(h Hold) uint64 {
	return maphash.Comparable(v.seed, struct {
		Key, By string
		State   State
		Seq     int64
		Until   int64
	}{h.Key, h.By, h.State, h.Seq, h.Until.UnixMilli()})
}

func (v *verifier) checkHead() {
	if v.head.Seq != v.seq || v.head.Hash != v.audit.Head {
		v.fault(Fault{Seq: v.seq, Problem: fmt.Sprintf("the book ends at entry %d, and was said to end at %d with hash %.16s", v.seq, v.head.Seq, v.head.Hash)})
	}
	if !maps.Equal(v.head.Closed, v.closed) {
		v.fault(Fault{Problem: fmt.Sprintf("closed periods are saved as %v, the entries give %v", v.head.Closed, v.closed)})
	}
}

// promise sums what open holds promise.
func (v *verifier) promise() {
	for _, e := range v.open {
		for _, p := range e.Postings {
			s := Sub{p.Account, p.Item}
			v.held[s] = promise(v.held[s], p.Amount, 1)
		}
	}
}

// saved compares each saved balance with the postings of its sub-account.
func (v *verifier) saved(ctx context.Context, r Reader) error {
	var now Sub
	var saved *Balance
	var sum money.Fen
	var begun, over bool
	flush := func() {
		if begun {
			v.balance(now, saved, sum, over)
		}
	}
	err := r.EachSaved(ctx, func(s Saved) error {
		sub := Sub{s.Move.Account, s.Move.Item}
		if s.Balance != nil {
			sub = Sub{s.Balance.Account, s.Balance.Item}
		}
		if !begun || sub != now {
			flush()
			now, saved, sum, begun, over = sub, nil, 0, true, false
		}
		if s.Balance != nil {
			saved = s.Balance
			return nil
		}
		if next := sum + s.Move.Amount; (next > sum) == (s.Move.Amount > 0) {
			sum = next
		} else {
			over = true
		}
		v.indexed.add(s.Move.Seq, v.hashMove(s.Move))
		return nil
	})
	if err != nil {
		return err
	}
	flush()
	for sub := range v.held {
		v.fault(Fault{Account: sub.Account, Item: sub.Item, Problem: "what is held is not saved"})
	}
	return nil
}

func (v *verifier) balance(s Sub, saved *Balance, sum money.Fen, over bool) {
	v.audit.Accounts++
	held := v.held[s]
	delete(v.held, s)
	fault := func(format string, args ...any) {
		v.fault(Fault{Account: s.Account, Item: s.Item, Problem: fmt.Sprintf(format, args...)})
	}
	switch {
	case saved == nil:
		fault("the balance of %s is not saved", sum)
	case v.head.Bare > 0: // part of its postings are not in the index yet
	case over || saved.Amount != sum:
		fault("the saved balance is %s, the entries give %s", saved.Amount, sum)
	}
	if saved != nil && (saved.HeldDebits != held.HeldDebits || saved.HeldCredits != held.HeldCredits) {
		fault("held are %s debit and %s credit, the entries give %s and %s", saved.HeldDebits, saved.HeldCredits, held.HeldDebits, held.HeldCredits)
	}
}

func (v *verifier) turnover(t Turnover) {
	day := Day{t.Account, t.Date}
	if want := v.days[day]; want.Debits != t.Debits || want.Credits != t.Credits {
		v.fault(Fault{Account: t.Account, Problem: fmt.Sprintf("the turnover of %s is saved as debits %s, credits %s; the entries give %s and %s",
			t.Date, t.Debits, t.Credits, want.Debits, want.Credits)})
	}
	delete(v.days, day)
}

func (v *verifier) hold(h Hold) {
	if h.State != Open {
		v.kept.add(h.Seq, v.hashHold(h))
		return
	}
	e, ok := v.open[h.Key]
	if !ok || e.Seq != h.Seq || !e.Until.Equal(h.Until) || h.By != "" {
		v.fault(Fault{Seq: h.Seq, Problem: "the hold " + h.Key + " is saved as open, the entries say otherwise"})
	}
	delete(v.open, h.Key)
}

// indexFaults finds the entries whose postings are not in the index of accounts as they are.
func (v *verifier) indexFaults(ctx context.Context, r Reader) error {
	var wrong []int
	for i := range max(len(v.moves), len(v.indexed)) {
		if v.moves.at(i) != v.indexed.at(i) {
			wrong = append(wrong, i)
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	entries := map[int64]Entry{} // of the first wrong block; the others are only named
	from, to := int64(wrong[0])<<blockBits, int64(wrong[0]+1)<<blockBits-1
	err := r.EachEntry(ctx, func(e Entry) error {
		if e.Seq >= from && e.Seq <= to && e.Seq > v.head.Bare && e.Booked() {
			entries[e.Seq] = e
		}
		return nil
	})
	if err != nil {
		return err
	}
	indexed, err := r.Indexed(ctx, from, to)
	if err != nil {
		return err
	}
	for _, m := range indexed {
		e := entries[m.Seq]
		known := m.Nr >= 0 && m.Nr < len(e.Postings)
		if !known || e.Date != m.Date || e.Postings[m.Nr] != m.Posting {
			v.fault(Fault{Seq: m.Seq, Account: m.Account, Item: m.Item, Problem: "the posting is saved otherwise than the entry has it"})
		}
		if !known {
			continue
		}
		e.Postings = slices.Clone(e.Postings)
		e.Postings[m.Nr] = Posting{}
		entries[m.Seq] = e
	}
	for _, e := range entries {
		for _, p := range e.Postings {
			if p != (Posting{}) {
				v.fault(Fault{Seq: e.Seq, Account: p.Account, Item: p.Item, Problem: "the posting is not saved by account"})
			}
		}
	}
	for _, i := range wrong[1:] {
		v.fault(Fault{Seq: int64(i) << blockBits, Problem: fmt.Sprintf("postings of the entries %d to %d are saved otherwise by account", i<<blockBits, (i+1)<<blockBits-1)})
	}
	return nil
}
