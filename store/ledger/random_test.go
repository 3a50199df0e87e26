package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/store"
	ledgerstore "github.com/furrowcredit/furrow/store/ledger"
	"github.com/furrowcredit/furrow/store/storetest"
)

// model is the book as a plain list of what was accepted, from which everything is
// counted anew each time.
type model struct {
	entries []ledger.Entry
}

func (m *model) has(key string) bool {
	return slices.ContainsFunc(m.entries, func(e ledger.Entry) bool { return e.Key == key })
}

func (m *model) sums() (booked, debits, credits map[ledger.Sub]money.Fen) {
	booked, debits, credits = map[ledger.Sub]money.Fen{}, map[ledger.Sub]money.Fen{}, map[ledger.Sub]money.Fen{}
	open := map[string]ledger.Entry{}
	for _, e := range m.entries {
		if e.Op == ledger.Held {
			open[e.Key] = e
		}
		delete(open, e.Hold)
		for _, p := range e.Postings {
			if e.Booked() {
				booked[ledger.Sub{Account: p.Account, Item: p.Item}] += p.Amount
			}
		}
	}
	for _, e := range open {
		for _, p := range e.Postings {
			debits[ledger.Sub{Account: p.Account, Item: p.Item}] += max(p.Amount, 0)
			credits[ledger.Sub{Account: p.Account, Item: p.Item}] += max(-p.Amount, 0)
		}
	}
	return booked, debits, credits
}

// Random postings, groups, holds and their ends, reversals, duplicates, other bodies under
// known keys, time that passes and transactions that are cut off: what is accepted is what
// stays, every entry sums to zero, no limit is broken, and the book verifies at every step.
func TestRandomOperations(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		rapid.Check(t, func(rt *rapid.T) {
			w := &world{t: rt, db: db, ctx: context.Background(), tenant: ident.New(), clock: &clock{t: noon}}
			w.book = ledger.New(ledgerstore.New(db), chart, w.clock.now)
			for range rapid.IntRange(5, 25).Draw(rt, "steps") {
				w.step()
			}
			w.check()
		})
	})
}

type world struct {
	t      *rapid.T
	db     *store.DB
	ctx    context.Context //nolint:containedctx // of the one test
	tenant string
	clock  *clock
	book   *ledger.Service
	model  model
	n      int
}

func (w *world) key() string {
	w.n++
	return fmt.Sprint("k", w.n)
}

func (w *world) entry() ledger.Entry {
	pairs := [][2]string{{"loan_principal", "cash"}, {"cash", "loan_principal"}, {"borrower_credit", "cash"}, {"cash", "borrower_credit"}, {"cash", "interest_income"}, {"pledged", "pledged_contra"}}
	pair := rapid.SampledFrom(pairs).Draw(w.t, "accounts")
	item := rapid.SampledFrom([]string{"", "x", "y"}).Draw(w.t, "item")
	amount := money.Fen(rapid.Int64Range(1, 50).Draw(w.t, "amount"))
	e := ledger.Entry{
		Tenant: w.tenant, Key: w.key(), Kind: "test", Item: item, Date: money.DateOf(noon) + money.Date(rapid.IntRange(-3, 3).Draw(w.t, "day")),
		Memo:     rapid.StringOf(rapid.RuneFrom([]rune("a麦'\"\\\n,"))).Draw(w.t, "memo"),
		Postings: []ledger.Posting{{Account: pair[0], Item: item, Amount: amount}, {Account: pair[1], Item: item, Amount: -amount}},
	}
	if rapid.Bool().Draw(w.t, "split") && amount > 1 {
		e.Postings[0].Amount--
		e.Postings = append(e.Postings, ledger.Posting{Account: pair[0], Item: item, Amount: 1})
	}
	return e
}

// accept keeps in the model what the book took, or checks that it had a reason not to.
func (w *world) accept(out []ledger.Entry, err error) {
	if err != nil {
		if fault.Kind(err) == nil {
			w.t.Fatal(err)
		}
		return
	}
	for _, e := range out {
		if e.Existed != w.model.has(e.Key) {
			w.t.Fatalf("%s: existed is %v", e.Key, e.Existed)
		}
		if !e.Existed {
			w.model.entries = append(w.model.entries, e)
		}
	}
}

func (w *world) one(e ledger.Entry, err error) { w.accept([]ledger.Entry{e}, err) }

// any is a key that was given out.
func (w *world) any() string {
	return fmt.Sprint("k", rapid.IntRange(1, max(w.n, 1)).Draw(w.t, "known"))
}

func (w *world) step() {
	date := money.DateOf(noon)
	switch rapid.SampledFrom([]string{"post", "post", "all", "hold", "hold", "settle", "part", "void", "reverse", "again", "other", "cut", "pass", "expire"}).Draw(w.t, "op") {
	case "post":
		w.one(w.book.Post(w.ctx, w.entry()))
	case "all":
		w.accept(w.book.PostAll(w.ctx, []ledger.Entry{w.entry(), w.entry(), w.entry()}))
	case "hold":
		until := time.Time{}
		if rapid.Bool().Draw(w.t, "ends") {
			until = w.clock.now().Add(time.Duration(rapid.IntRange(1, 100).Draw(w.t, "minutes")) * time.Minute)
		}
		w.one(w.book.Hold(w.ctx, w.entry(), until))
	case "settle":
		w.one(w.book.Settle(w.ctx, ledger.End{Tenant: w.tenant, Key: w.key(), Hold: w.any(), Date: date}))
	case "part":
		e := w.entry()
		w.one(w.book.Settle(w.ctx, ledger.End{Tenant: w.tenant, Key: e.Key, Hold: w.any(), Date: date, Postings: e.Postings}))
	case "void":
		w.one(w.book.Void(w.ctx, ledger.End{Tenant: w.tenant, Key: w.key(), Hold: w.any(), Date: date}))
	case "reverse":
		w.one(w.book.Reverse(w.ctx, w.tenant, w.any(), "", date))
	case "again":
		if len(w.model.entries) > 0 {
			old := rapid.SampledFrom(w.model.entries).Draw(w.t, "old")
			if old.Op != ledger.Expire {
				e, err := w.book.Post(w.ctx, old)
				if err != nil || !e.Existed || e.Hash != old.Hash {
					w.t.Fatalf("the same again: %+v %v", e, err)
				}
			}
		}
	case "other":
		if len(w.model.entries) > 0 {
			old := rapid.SampledFrom(w.model.entries).Draw(w.t, "old")
			old.Memo += "!"
			if _, err := w.book.Post(w.ctx, old); old.Op != ledger.Expire && !errors.Is(err, ledger.ErrKeyReused) {
				w.t.Fatalf("another body: %v", err)
			}
		}
	case "cut":
		cut := errors.New("cut off")
		e, err := w.book.Prepare(w.entry())
		if err == nil {
			err = w.db.Tx(w.ctx, func(tx *store.Tx) error {
				_, err := ledgerstore.Append(w.ctx, tx, []ledger.Entry{e})
				return errors.Join(err, cut)
			})
		}
		if !errors.Is(err, cut) {
			w.t.Fatal(err)
		}
	case "pass":
		w.clock.pass(time.Duration(rapid.IntRange(1, 60).Draw(w.t, "minutes")) * time.Minute)
	case "expire":
		if _, err := w.book.Expire(w.ctx, w.tenant); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) check() {
	all, err := w.book.Entries(w.ctx, w.tenant, ledger.Filter{Limit: 1000})
	if err != nil {
		w.t.Fatal(err)
	}
	var accepted []ledger.Entry // those that the book made by itself are not in the model
	for _, e := range all {
		var sum money.Fen
		for _, p := range e.Postings {
			sum += p.Amount
		}
		if sum != 0 {
			w.t.Fatalf("entry %d sums to %s", e.Seq, sum)
		}
		if e.Op != ledger.Expire {
			accepted = append(accepted, e)
		}
	}
	if !slices.EqualFunc(accepted, w.model.entries, func(a, b ledger.Entry) bool { return a.Hash == b.Hash }) {
		w.t.Fatalf("the book has %d entries, %d were accepted", len(accepted), len(w.model.entries))
	}
	w.model.entries = all
	booked, debits, credits := w.model.sums()
	saved, err := ledgerstore.New(w.db).Balances(w.ctx, w.tenant, "", "", 0)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, b := range saved {
		s := ledger.Sub{Account: b.Account, Item: b.Item}
		if b.Amount != booked[s] || b.HeldDebits != debits[s] || b.HeldCredits != credits[s] {
			w.t.Fatalf("%+v, want %s, held %s and %s", b, booked[s], debits[s], credits[s])
		}
		if b.Account == "borrower_credit" && b.Amount+b.HeldDebits > 0 || b.Account == "loan_principal" && b.HeldCredits > b.Amount {
			w.t.Fatalf("a limit is broken: %+v", b)
		}
		delete(booked, s)
	}
	if len(booked) != 0 {
		w.t.Fatalf("no balance is saved of %v", slices.Collect(maps.Keys(booked)))
	}
	audit, err := w.book.Verify(w.ctx, w.tenant)
	if err != nil || !audit.OK() || audit.Entries != int64(len(all)) {
		w.t.Fatalf("%+v %v", audit, err)
	}
}
