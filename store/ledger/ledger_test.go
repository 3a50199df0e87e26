package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/store"
	ledgerstore "github.com/furrowcredit/furrow/store/ledger"
	"github.com/furrowcredit/furrow/store/storetest"
)

var noon = time.Date(2026, 7, 1, 4, 0, 0, 0, time.UTC)

func open(tb testing.TB, db *store.DB) *ledger.Service {
	tb.Helper()
	fsys, err := catalog.Open("")
	if err != nil {
		tb.Fatal(err)
	}
	chart, err := ledger.LoadChart(fsys)
	if err != nil {
		tb.Fatal(err)
	}
	return ledger.New(ledgerstore.New(db), chart, func() time.Time { return noon })
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

// Random postings, some repeated, some wrong: every account agrees with a plain sum,
// the whole sums to zero, and the chain holds.
func TestRandomPostings(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		book, ctx := open(t, db), context.Background()
		var accounts []string
		for _, a := range book.Chart() {
			accounts = append(accounts, a.Code)
		}
		rapid.Check(t, func(t *rapid.T) {
			tenant := ident.New()
			sums := map[string]money.Fen{}
			seen := map[string]bool{}
			for range rapid.IntRange(1, 6).Draw(t, "entries") {
				e := ledger.Entry{
					Tenant: tenant, Key: rapid.StringMatching(`[a-c]`).Draw(t, "key"), Kind: "test", Memo: rapid.String().Draw(t, "memo"),
					Date: money.DateOf(noon) + money.Date(rapid.IntRange(0, 400).Draw(t, "day")),
				}
				for i := range len(e.Memo) {
					if e.Memo[i] == 0 { // PostgreSQL text holds no NUL
						e.Memo = ""
						break
					}
				}
				var sum money.Fen
				for range rapid.IntRange(1, 4).Draw(t, "postings") {
					amount := money.Fen(rapid.Int64Range(-1e9, 1e9).Filter(func(v int64) bool { return v != 0 }).Draw(t, "amount"))
					e.Postings = append(e.Postings, ledger.Posting{
						Account: rapid.SampledFrom(accounts).Draw(t, "account"), Item: rapid.SampledFrom([]string{"", "l1", "l2"}).Draw(t, "item"), Amount: amount,
					})
					sum += amount
				}
				if sum != 0 && rapid.IntRange(0, 9).Draw(t, "balanced") > 0 {
					e.Postings = append(e.Postings, ledger.Posting{Account: "cash", Amount: -sum})
					sum = 0
				}
				_, err := book.Post(ctx, e)
				switch {
				case seen[e.Key] && sum == 0 && len(e.Postings) > 1:
					if err != nil && !errors.Is(err, ledger.ErrKeyReused) {
						t.Fatal(err)
					}
				case sum != 0 || len(e.Postings) < 2:
					if err == nil {
						t.Fatal("an entry that does not balance was posted")
					}
				case err != nil:
					t.Fatal(err)
				default:
					seen[e.Key] = true
					for _, p := range e.Postings {
						sums[p.Account] += p.Amount
					}
				}
			}
			var all money.Fen
			for _, a := range accounts {
				got, err := book.Balance(ctx, tenant, a, "")
				if err != nil || got != sums[a] {
					t.Fatalf("%s is %s, want %s, %v", a, got, sums[a], err)
				}
				all += got
			}
			audit, err := book.Verify(ctx, tenant)
			if err != nil || !audit.OK() || all != 0 || audit.Entries != int64(len(seen)) {
				t.Fatalf("sum %s, %+v %v", all, audit, err)
			}
		})
	})
}

// Whatever somebody changes behind the book's back is found.
func TestVerifyFindsTampering(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]string{
		"amount":        `update ledger_entries set postings = replace(postings, '-300', '-301') where seq = 3`,
		"both sides":    `update ledger_entries set postings = replace(postings, '300', '400') where seq = 3`,
		"memo":          `update ledger_entries set memo = 'x' where seq = 2`,
		"time":          `update ledger_entries set at = at + 1 where seq = 2`,
		"dropped":       `delete from ledger_entries where seq = 3`,
		"last dropped":  `delete from ledger_entries where seq = 5`,
		"order":         `update ledger_entries set seq = 9 where seq = 2`,
		"balance":       `update ledger_balances set amount = amount + 1 where account = 'cash'`,
		"balance gone":  `delete from ledger_balances where account = 'cash'`,
		"invented sum":  `insert into ledger_balances (tenant, account, item, amount) values ('a', 'cash', 'ghost', 5)`,
		"hash replaced": `update ledger_entries set hash = prev where seq = 4`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := storetest.Open(t, "sqlite:"+filepath.Join(t.TempDir(), "f.db"))
			book, ctx := open(t, db), context.Background()
			for i := range 5 {
				if _, err := book.Post(ctx, lend("a", fmt.Sprint(i), money.Fen(100*(i+1)))); err != nil {
					t.Fatal(err)
				}
			}
			if audit, err := book.Verify(ctx, "a"); err != nil || !audit.OK() {
				t.Fatalf("before: %+v %v", audit, err)
			}
			if _, err := db.Exec(ctx, change); err != nil {
				t.Fatal(err)
			}
			audit, err := book.Verify(ctx, "a")
			if err != nil || audit.OK() {
				t.Errorf("not found: %+v %v", audit, err)
			}
		})
	}
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
