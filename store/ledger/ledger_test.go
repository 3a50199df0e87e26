package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/store"
	ledgerstore "github.com/furrowcredit/furrow/store/ledger"
	"github.com/furrowcredit/furrow/store/storetest"
)

var noon = time.Date(2026, 7, 1, 4, 0, 0, 0, time.UTC)

// chart has an account of each kind of rule.
var chart = ledger.Chart{
	{Code: "assets", Class: ledger.Asset, Heading: true},
	{Code: "cash", Class: ledger.Asset, Parent: "assets"},
	{Code: "loan_principal", Class: ledger.Asset, Parent: "assets", Limit: ledger.CreditsLimited},
	{Code: "borrower_credit", Class: ledger.Liability, Limit: ledger.DebitsLimited},
	{Code: "interest_income", Class: ledger.Income},
	{Code: "pledged", Class: ledger.Memo},
	{Code: "pledged_contra", Class: ledger.Memo},
}

func open(tb testing.TB, db *store.DB) *ledger.Service {
	tb.Helper()
	return ledger.New(ledgerstore.New(db), chart, func() time.Time { return noon })
}

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func timed(tb testing.TB, db *store.DB) (*ledger.Service, *clock) {
	tb.Helper()
	c := &clock{t: noon}
	return ledger.New(ledgerstore.New(db), chart, c.now), c
}

func lend(tenant, key string, amount money.Fen) ledger.Entry {
	return ledger.Entry{
		Tenant: tenant, Key: key, Kind: "draw", Item: "loan", Date: money.DateOf(noon),
		Postings: []ledger.Posting{{Account: "loan_principal", Item: "loan", Amount: amount}, {Account: "cash", Item: "loan", Amount: -amount}},
	}
}

func TestPostIsIdempotent(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		book, ctx := open(t, db), context.Background()
		first, err := book.Post(ctx, lend("a", "k", 100))
		if err != nil || first.Seq != 1 || first.Hash == "" || first.Prev != "" {
			t.Fatalf("%+v %v", first, err)
		}
		again, err := book.Post(ctx, lend("a", "k", 100))
		if err != nil || again.Hash != first.Hash || again.Seq != 1 {
			t.Errorf("again: %+v %v", again, err)
		}
		if _, err := book.Post(ctx, lend("a", "k", 101)); !errors.Is(err, ledger.ErrKeyReused) {
			t.Errorf("another body: %v", err)
		}
		if other, err := book.Post(ctx, lend("b", "k", 101)); err != nil || other.Seq != 1 {
			t.Errorf("another tenant's book: %+v %v", other, err)
		}
		if got, _ := book.Balance(ctx, "a", "loan_principal", "loan"); got != 100 {
			t.Errorf("balance %s", got)
		}
	})
}

func TestPostRefuses(t *testing.T) {
	t.Parallel()
	book, ctx := open(t, storetest.Open(t, "sqlite:"+filepath.Join(t.TempDir(), "f.db"))), context.Background()
	for name, c := range map[string]struct {
		change func(*ledger.Entry)
		want   error
	}{
		"no key":     {func(e *ledger.Entry) { e.Key = "" }, ledger.ErrEmpty},
		"no tenant":  {func(e *ledger.Entry) { e.Tenant = "" }, ledger.ErrEmpty},
		"one side":   {func(e *ledger.Entry) { e.Postings = e.Postings[:1] }, ledger.ErrEmpty},
		"zero":       {func(e *ledger.Entry) { e.Postings[0].Amount, e.Postings[1].Amount = 0, 0 }, ledger.ErrEmpty},
		"unbalanced": {func(e *ledger.Entry) { e.Postings[0].Amount++ }, ledger.ErrUnbalanced},
		"account":    {func(e *ledger.Entry) { e.Postings[0].Account = "petty" }, ledger.ErrAccount},
		"too large":  {func(e *ledger.Entry) { e.Postings[0].Amount, e.Postings[1].Amount = 1<<62, -1<<62 }, ledger.ErrAmount},
	} {
		t.Run(name, func(t *testing.T) {
			e := lend("a", "k", 5)
			c.change(&e)
			if _, err := book.Post(ctx, e); !errors.Is(err, c.want) {
				t.Errorf("got %v", err)
			}
		})
	}
	if list, _ := book.Entries(ctx, "a", ledger.Filter{}); len(list) != 0 {
		t.Errorf("%d entries were written", len(list))
	}
}

func TestReverse(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		book, ctx := open(t, db), context.Background()
		if _, err := book.Post(ctx, lend("a", "k", 100)); err != nil {
			t.Fatal(err)
		}
		if _, err := book.Reverse(ctx, "a", "k", "posted twice", money.DateOf(noon)); err != nil {
			t.Fatal(err)
		}
		if got, _ := book.Balance(ctx, "a", "loan_principal", ""); got != 0 {
			t.Errorf("balance %s", got)
		}
		if _, err := book.Reverse(ctx, "a", "k", "again", money.DateOf(noon)); !errors.Is(err, ledger.ErrReversed) {
			t.Errorf("a second reversal: %v", err)
		}
		if _, err := book.Reverse(ctx, "a", "x", "", money.DateOf(noon)); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("nothing to reverse: %v", err)
		}
	})
}

// Rivals that post at once leave one unbroken chain.
func TestConcurrentPosts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		book, ctx := open(t, db), context.Background()
		const rivals, each = 6, 10
		var wg sync.WaitGroup
		for r := range rivals {
			wg.Go(func() {
				for i := range each {
					// Every key is posted by two rivals.
					if _, err := book.Post(ctx, lend("a", fmt.Sprint(r/2, "-", i), 7)); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		audit, err := book.Verify(ctx, "a")
		if err != nil || !audit.OK() || audit.Entries != rivals/2*each || audit.Debits != 7*rivals/2*each {
			t.Errorf("%+v %v", audit, err)
		}
	})
}

func BenchmarkPost(b *testing.B) {
	book, ctx := open(b, storetest.Open(b, "sqlite:"+filepath.Join(b.TempDir(), "f.db"))), context.Background()
	n := 0
	for b.Loop() {
		n++
		if _, err := book.Post(ctx, lend("a", fmt.Sprint(n), 5)); err != nil {
			b.Fatal(err)
		}
	}
}
