package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/store"
	ledgerstore "github.com/furrowcredit/furrow/store/ledger"
	"github.com/furrowcredit/furrow/store/storetest"
)

// A hold counts against limits and in no balance; settled in part, its rest is free again.
func TestHolds(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		book, clock := timed(t, db)
		ctx := context.Background()
		do := func(_ ledger.Entry, err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		is := func(amount, held money.Fen) {
			t.Helper()
			if b, err := book.Held(ctx, "a", "borrower_credit", "x"); err != nil || b.Amount != amount || b.HeldDebits != held || b.HeldCredits != 0 {
				t.Errorf("%+v %v, want %s and %s held", b, err, amount, held)
			}
		}
		do(book.Post(ctx, two("saved", "cash", "borrower_credit", 100)))
		do(book.Hold(ctx, two("h1", "borrower_credit", "cash", 60), noon.Add(time.Hour)))
		do(book.Hold(ctx, two("h2", "borrower_credit", "cash", 40), noon.Add(time.Hour)))
		is(-100, 100)
		if _, err := book.Post(ctx, two("p", "borrower_credit", "cash", 1)); !errors.Is(err, ledger.ErrDebitLimit) {
			t.Errorf("what is held can be spent: %v", err)
		}
		part := end("s1", "h1")
		part.Postings = []ledger.Posting{p("borrower_credit", 25), p("cash", -25)}
		do(book.Settle(ctx, part))
		is(-75, 40)
		if again, err := book.Settle(ctx, part); err != nil || !again.Existed {
			t.Errorf("the same settlement again: %+v %v", again, err)
		}
		is(-75, 40)
		do(book.Post(ctx, two("p", "borrower_credit", "cash", 35))) // refused before: a refusal leaves the key free
		clock.pass(time.Hour)
		do(book.Post(ctx, two("q", "borrower_credit", "cash", 40))) // the second hold is over by itself
		is(0, 0)
		audit, err := book.Verify(ctx, "a")
		if err != nil || !audit.OK() || audit.Holds != 0 {
			t.Errorf("%+v %v", audit, err)
		}
	})
}

func TestExpireWithoutPosting(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		book, clock := timed(t, db)
		ctx := context.Background()
		if _, err := book.Post(ctx, two("saved", "cash", "borrower_credit", 1000)); err != nil {
			t.Fatal(err)
		}
		for i := range 7 {
			if _, err := book.Hold(ctx, two(fmt.Sprint("h", i), "borrower_credit", "cash", 10), noon.Add(time.Duration(i+1)*time.Minute)); err != nil {
				t.Fatal(err)
			}
		}
		clock.pass(4 * time.Minute)
		for _, want := range []int{4, 0} {
			if n, err := book.ExpireDue(ctx); err != nil || n != want {
				t.Errorf("%d expired, want %d, %v", n, want, err)
			}
		}
		if b, err := book.Held(ctx, "a", "borrower_credit", "x"); err != nil || b.HeldDebits != 30 {
			t.Errorf("%+v %v", b, err)
		}
		clock.pass(time.Hour)
		// Two due at the same time as somebody settles one of them.
		if _, err := book.Settle(ctx, end("late", "h6")); !errors.Is(err, ledger.ErrExpired) {
			t.Errorf("a settlement after the time: %v", err)
		}
		if audit, err := book.Verify(ctx, "a"); err != nil || !audit.OK() || audit.Holds != 0 {
			t.Errorf("%+v %v", audit, err)
		}
	})
}

// Many callers, in two processes, want the last of the money, and a hold ends once.
func TestRivals(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		books := []*ledger.Service{open(t, db), open(t, db)}
		if _, err := books[0].Post(ctx, two("saved", "cash", "borrower_credit", 100)); err != nil {
			t.Fatal(err)
		}
		if _, err := books[0].Hold(ctx, two("held", "borrower_credit", "cash", 30), time.Time{}); err != nil {
			t.Fatal(err)
		}
		var spent, ended, reversed atomic.Int64
		var wg sync.WaitGroup
		for i := range 30 {
			book := books[i%2]
			wg.Go(func() {
				switch _, err := book.Post(ctx, two(fmt.Sprint("p", i), "borrower_credit", "cash", 7)); {
				case err == nil:
					spent.Add(1)
				case !errors.Is(err, ledger.ErrDebitLimit):
					t.Error(err)
				}
			})
			if i > 9 {
				continue
			}
			wg.Go(func() {
				finish := book.Settle
				if i%4 < 2 {
					finish = book.Void
				}
				switch _, err := finish(ctx, end(fmt.Sprint("s", i), "held")); {
				case err == nil:
					ended.Add(1)
				case !errors.Is(err, ledger.ErrSettled) && !errors.Is(err, ledger.ErrVoided):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for i := range 10 {
			wg.Go(func() {
				switch _, err := books[i%2].Reverse(ctx, "a", "p0", "twice", money.DateOf(noon)); {
				case err == nil:
					reversed.Add(1)
				case !errors.Is(err, ledger.ErrReversed) && !errors.Is(err, ledger.ErrNotFound):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		_, err := books[0].Entry(ctx, "a", "p0")
		if posted := err == nil; posted && reversed.Load() != 1 || !posted && reversed.Load() != 0 {
			t.Errorf("reversed %d times", reversed.Load())
		}
		if ended.Load() != 1 {
			t.Errorf("the hold ended %d times", ended.Load())
		}
		b, err := books[0].Held(ctx, "a", "borrower_credit", "x")
		if err != nil || b.Amount > 0 || b.HeldDebits != 0 || spent.Load() < 10 {
			t.Errorf("%+v %v, %d spent", b, err, spent.Load())
		}
		if audit, err := books[0].Verify(ctx, "a"); err != nil || !audit.OK() {
			t.Errorf("%+v %v", audit, err)
		}
	})
}

// Entries that go together see each other: money that comes in with the first pays the
// second, and when the last is refused nothing of them stays.
func TestPostAll(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		book, ctx := open(t, db), context.Background()
		group := []ledger.Entry{two("out", "borrower_credit", "cash", 5), two("in", "cash", "borrower_credit", 5)}
		out, err := book.PostAll(ctx, group)
		if err != nil || len(out) != 2 || out[1].Prev != out[0].Hash {
			t.Fatalf("%+v %v", out, err)
		}
		again, err := book.PostAll(ctx, group)
		if err != nil || !again[0].Existed || !again[1].Existed || again[1].Hash != out[1].Hash {
			t.Errorf("again: %+v %v", again, err)
		}
		// One key twice in a group is one entry.
		same, err := book.PostAll(ctx, []ledger.Entry{two("x", "cash", "borrower_credit", 1), two("x", "cash", "borrower_credit", 1)})
		if err != nil || same[0].Seq != 3 || same[1].Seq != 3 || same[0].Existed || !same[1].Existed {
			t.Errorf("%+v %v", same, err)
		}
		// A hold and its settlement go together too.
		hold := two("h", "borrower_credit", "cash", 1)
		hold.Op = ledger.Held
		settle := two("hs", "borrower_credit", "cash", 1)
		settle.Op, settle.Hold = ledger.Settle, "h"
		if _, err := book.PostAll(ctx, []ledger.Entry{hold, settle}); err != nil {
			t.Error(err)
		}
		_, err = book.PostAll(ctx, []ledger.Entry{two("y", "cash", "borrower_credit", 1), two("z", "borrower_credit", "cash", 9)})
		if !errors.Is(err, ledger.ErrDebitLimit) {
			t.Error(err)
		}
		if _, err := book.Entry(ctx, "a", "y"); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("half of a group stayed: %v", err)
		}
		if audit, err := book.Verify(ctx, "a"); err != nil || !audit.OK() || audit.Entries != 5 {
			t.Errorf("%+v %v", audit, err)
		}
	})
}

// A closed period takes nothing but by right, and the right shows in the entry.
func TestClosedPeriod(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		book, ctx := open(t, db), context.Background()
		today := money.DateOf(noon)
		if _, err := book.Post(ctx, two("a", "cash", "borrower_credit", 5)); err != nil {
			t.Fatal(err)
		}
		if _, err := book.Close(ctx, ledger.Closing{Tenant: "a", Key: "june", Through: today, Memo: "month end"}); err != nil {
			t.Fatal(err)
		}
		late := two("late", "cash", "borrower_credit", 5)
		if _, err := book.Post(ctx, late); !errors.Is(err, ledger.ErrClosed) {
			t.Error(err)
		}
		if again, err := book.Post(ctx, two("a", "cash", "borrower_credit", 5)); err != nil || !again.Existed {
			t.Errorf("what was posted before has its answer: %+v %v", again, err)
		}
		late.Override = true
		if e, err := book.Post(ctx, late); err != nil || !e.Override {
			t.Error(err)
		}
		late.Key, late.Override, late.Date = "next", false, today+1
		if _, err := book.Post(ctx, late); err != nil {
			t.Error(err)
		}
		if _, err := book.Close(ctx, ledger.Closing{Tenant: "a", Key: "open", Through: today - 1, Override: true}); err != nil {
			t.Error(err)
		}
		late.Key, late.Date = "again", today
		if _, err := book.Post(ctx, late); err != nil {
			t.Error(err)
		}
		if audit, err := book.Verify(ctx, "a"); err != nil || !audit.OK() {
			t.Errorf("%+v %v", audit, err)
		}
	})
}

// One person proposes to close a period and another closes it; what stands against it is said
// to both.
func TestPeriodIsClosedByTwo(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		book, ctx := open(t, db), context.Background()
		today := money.DateOf(noon)
		behind := today - 40
		periods := &ledger.Periods{
			Book: book, Store: ledgerstore.New(db), Now: func() time.Time { return noon },
			Behind: func(context.Context, string) (money.Date, error) { return behind, nil },
		}
		li, he := access.Actor{UserID: "li", Name: "Li", Tenant: "a"}, access.Actor{UserID: "he", Name: "He", Tenant: "a"}
		last := today - 20
		refused := func(what string, err, want error) {
			t.Helper()
			if !errors.Is(err, want) {
				t.Errorf("%s: got %v, want %v", what, err, want)
			}
		}
		_, err := periods.Propose(ctx, li, today, "")
		refused("a day that runs", err, ledger.ErrPeriodRuns)
		_, err = periods.Propose(ctx, li, last, "")
		refused("before the day end", err, ledger.ErrPeriodBehind)
		behind = last
		p, err := periods.Propose(ctx, li, last, "month end")
		if err != nil {
			t.Fatal(err)
		}
		_, err = periods.Agree(ctx, li, p.ID)
		refused("by who proposed", err, ledger.ErrPeriodSecond)
		_, err = periods.Agree(ctx, he, "other")
		refused("an unknown one", err, ledger.ErrPeriod)
		_, err = periods.Agree(ctx, access.Actor{UserID: "he", Tenant: "b"}, p.ID)
		refused("of another bank", err, ledger.ErrPeriod)
		late := two("late", "cash", "borrower_credit", 5)
		late.Date = last
		if _, err := book.Post(ctx, late); err != nil {
			t.Errorf("what is only proposed closes nothing: %v", err)
		}
		if p, err = periods.Agree(ctx, he, p.ID); err != nil || p.State != ledger.PeriodClosed || p.DecidedBy != "he" {
			t.Fatalf("%+v %v", p, err)
		}
		late.Key = "later"
		_, err = book.Post(ctx, late)
		refused("an entry of a closed day", err, ledger.ErrClosed)
		_, err = periods.Agree(ctx, he, p.ID)
		refused("twice", err, ledger.ErrPeriodState)
		_, err = periods.Propose(ctx, li, last-1, "")
		refused("a day that is closed", err, ledger.ErrPeriodClosed)
		behind = today - 1
		next, err := periods.Propose(ctx, li, today-1, "")
		if err != nil {
			t.Fatal(err)
		}
		if next, err = periods.Refuse(ctx, he, next.ID, "wait for the statement"); err != nil || next.State != ledger.PeriodRefused {
			t.Errorf("%+v %v", next, err)
		}
		closed, list, err := periods.List(ctx, "a")
		if err != nil || closed != last || len(list) != 2 || list[0].ID != next.ID {
			t.Errorf("%s %+v %v", closed, list, err)
		}
		if audit, err := book.Verify(ctx, "a"); err != nil || !audit.OK() {
			t.Errorf("%+v %v", audit, err)
		}
	})
}

// The book as of a bank date, and as it was known at a time: a back-dated entry changes
// the first of a day long past and not the second.
func TestAsOf(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		book, clock := timed(t, db)
		ctx, day := context.Background(), money.DateOf(noon)
		for i, e := range []struct {
			amount money.Fen
			date   money.Date
		}{{100, day}, {20, day + 2}, {3, day + 1}} { // the last is back-dated
			x := two(fmt.Sprint(i), "cash", "borrower_credit", e.amount)
			x.Date = e.date
			if _, err := book.Post(ctx, x); err != nil {
				t.Fatal(err)
			}
			clock.pass(time.Hour)
		}
		item := "x"
		for _, c := range []struct {
			date  money.Date
			known time.Duration
			want  money.Fen
		}{
			{0, 0, 123}, {day, 0, 100}, {day + 1, 0, 103}, {day + 2, 0, 123}, {day - 1, 0, 0},
			{0, 30 * time.Minute, 100}, {0, 90 * time.Minute, 120}, {day + 1, 90 * time.Minute, 100}, {day + 1, 150 * time.Minute, 103}, {0, -time.Minute, 0},
		} {
			m := ledger.Moment{Date: c.date}
			if c.known != 0 {
				m.Known = noon.Add(c.known)
			}
			for _, i := range []*string{nil, &item} {
				if got, err := book.AsOf(ctx, "a", "cash", i, m); err != nil || got != c.want {
					t.Errorf("on %s, known %v, item %v: %s, want %s, %v", c.date, c.known, i, got, c.want, err)
				}
			}
		}
		other := "y"
		if got, err := book.AsOf(ctx, "a", "cash", &other, ledger.Moment{Date: day}); err != nil || got != 0 {
			t.Errorf("%s %v", got, err)
		}
	})
}

// Time that runs backwards in a process does not do so in the book.
func TestTimeNeverRunsBack(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		book, clock := timed(t, db)
		ctx := context.Background()
		first, err := book.Post(ctx, two("1", "cash", "borrower_credit", 1))
		if err != nil {
			t.Fatal(err)
		}
		clock.pass(-time.Hour)
		second, err := book.Post(ctx, two("2", "cash", "borrower_credit", 1))
		if err != nil || second.At.Before(first.At) {
			t.Errorf("%v after %v, %v", second.At, first.At, err)
		}
		if audit, err := book.Verify(ctx, "a"); err != nil || !audit.OK() {
			t.Errorf("%+v %v", audit, err)
		}
	})
}

// A book that was kept before postings were saved by account is completed.
func TestComplete(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		book, books, ctx := open(t, db), ledgerstore.New(db), context.Background()
		for i := range 5 {
			if _, err := book.Post(ctx, two(fmt.Sprint(i), "cash", "borrower_credit", 1)); err != nil {
				t.Fatal(err)
			}
		}
		for _, stmt := range []string{`delete from ledger_postings`, `delete from ledger_days`, `update ledger_heads set bare = seq`} {
			if _, err := db.Exec(ctx, stmt); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := book.Post(ctx, two("new", "cash", "borrower_credit", 1)); err != nil {
			t.Fatal(err)
		}
		if audit, err := book.Verify(ctx, "a"); err != nil || !audit.OK() {
			t.Errorf("before: %+v %v", audit, err)
		}
		if err := books.Complete(ctx); err != nil {
			t.Fatal(err)
		}
		if err := books.Complete(ctx); err != nil {
			t.Fatal(err)
		}
		item := "x"
		if got, err := book.AsOf(ctx, "a", "cash", &item, ledger.Moment{Date: money.DateOf(noon)}); err != nil || got != 6 {
			t.Errorf("%s %v", got, err)
		}
		if audit, err := book.Verify(ctx, "a"); err != nil || !audit.OK() {
			t.Errorf("after: %+v %v", audit, err)
		}
	})
}
