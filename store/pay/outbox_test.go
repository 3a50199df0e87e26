package pay_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/credit/pay"
	"github.com/furrowcredit/furrow/credit/watch"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/sim/bank"
	"github.com/furrowcredit/furrow/store"
	paystore "github.com/furrowcredit/furrow/store/pay"
	"github.com/furrowcredit/furrow/store/storetest"
)

var noon = time.Date(2026, 7, 1, 4, 0, 0, 0, time.UTC)

// clock is moved by the test.
type clock struct{ ms atomic.Int64 }

func newClock() *clock { c := &clock{}; c.ms.Store(noon.UnixMilli()); return c }

func (c *clock) now() time.Time       { return time.UnixMilli(c.ms.Load()).UTC() }
func (c *clock) pass(d time.Duration) { c.ms.Add(d.Milliseconds()) }
func (c *clock) day() money.Date      { return money.DateOf(c.now()) }
func order(id string, a money.Fen) pay.Order {
	return pay.Order{ID: id, Tenant: "bank", Direction: pay.Out, Amount: a, PartyID: "p", PartyName: "王五", Purpose: "loan"}
}

// alerts remembers which are open.
type alerts struct {
	mu   sync.Mutex
	open map[string]int
}

func (a *alerts) Raise(_ context.Context, x watch.Alert) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.open == nil {
		a.open = map[string]int{}
	}
	a.open[x.Kind+" "+x.Item]++
	return nil
}

func (a *alerts) Clear(_ context.Context, _, kind, _, item, _ string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.open, kind+" "+item)
	return nil
}

func (a *alerts) has(kind, item string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.open[kind+" "+item] > 0
}

// books are what the giver of orders knows: each outcome once.
type books struct {
	mu    sync.Mutex
	known map[string]pay.Outcome
	sum   money.Fen
	other []string // a second, different outcome
}

func (b *books) told(_ context.Context, i pay.Instruction) error { return b.book(i.Order, i.Outcome) }

func (b *books) book(o pay.Order, outcome pay.Outcome) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.known == nil {
		b.known = map[string]pay.Outcome{}
	}
	if was, ok := b.known[o.ID]; ok {
		if was != outcome {
			b.other = append(b.other, o.ID)
		}
		return nil
	}
	b.known[o.ID] = outcome
	if outcome == pay.Settled {
		b.sum += o.Amount
	}
	return nil
}

var errCrash = errors.New("the machine stopped")

// crashing stops before or after a write, at times: the caller does not know which.
type crashing struct {
	pay.OutboxStore
	n, every atomic.Int64
}

func (c *crashing) Record(ctx context.Context, id string, f func(*pay.Instruction) []pay.Note) (pay.Instruction, error) {
	n, every := c.n.Add(1), c.every.Load()
	if every > 0 && n%every == 0 {
		return pay.Instruction{}, errCrash
	}
	i, err := c.OutboxStore.Record(ctx, id, f)
	if every > 0 && n%every == 1 {
		return i, errCrash
	}
	return i, err
}

// TestMoneyMovesOnce: a bank that loses messages and answers, answers late and twice, a
// process that stops in the middle of any write and starts again, callers that ask again at
// once. In the end every order has one outcome, the bank moved what the books say, once.
func TestMoneyMovesOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		var round atomic.Int64
		rapid.Check(t, func(rt *rapid.T) {
			name := fmt.Sprint(round.Add(1))
			seed := rapid.Uint64().Draw(rt, "seed")
			c, b, known := newClock(), bank.New(noonNow), &books{}
			b.Conduct = bank.Random(seed, 900)
			kept := &crashing{OutboxStore: paystore.New(db)}
			kept.every.Store(rapid.Int64Range(0, 7).Draw(rt, "crash every"))
			start := func() *pay.Outbox {
				box := &pay.Outbox{Store: kept, Rail: b, Now: c.now}
				box.OnFinal(known.told)
				return box
			}
			box := start()
			var orders []pay.Order
			for i := range rapid.IntRange(1, 6).Draw(rt, "orders") {
				orders = append(orders, order(fmt.Sprintf("%s-%d", name, i), money.Fen(rapid.Int64Range(1, 1e9).Draw(rt, "amount"))))
			}
			var wait sync.WaitGroup
			for _, o := range orders {
				for range 1 + seed%2 { // twins
					wait.Go(func() {
						if r := pay.Do(t.Context(), box, o); r.Outcome != pay.Unknown {
							_ = known.book(o, r.Outcome)
						}
					})
				}
			}
			wait.Wait()
			if rapid.Bool().Draw(rt, "restart") {
				box = start()
			}
			settleAll(rt, c, box, kept, orders)
			out, _ := b.Moved()
			if out != known.sum || len(known.other) > 0 || len(known.known) != len(orders) {
				rt.Fatalf("the bank moved %s, the books say %s; %d of %d known, two outcomes: %v", out, known.sum, len(known.known), len(orders), known.other)
			}
		})
	})
}

func noonNow() time.Time { return noon }

// settleAll lets time pass until every order is known and told.
func settleAll(t *rapid.T, c *clock, box *pay.Outbox, kept *crashing, orders []pay.Order) {
	for round := range 40 {
		c.pass(20 * time.Minute)
		if round == 8 {
			kept.every.Store(0)
		}
		_, _ = box.Work(context.Background()) // a crash is met again in the next round
		for _, o := range orders {            // those whose order never got written are given again
			if _, err := kept.Order(context.Background(), o.ID); errors.Is(err, pay.ErrNotFound) {
				_, _ = box.Send(context.Background(), o)
			}
		}
		done := true
		for _, o := range orders {
			i, err := kept.Order(context.Background(), o.ID)
			done = done && err == nil && i.Told
		}
		if done {
			return
		}
	}
	t.Fatal("an order is open after 40 rounds")
}

func TestOutbox(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		setup := func(conduct func(pay.Order) bank.Conduct) (*pay.Outbox, *bank.Bank, *clock, *books, *alerts) {
			c, b, known, told := newClock(), bank.New(noonNow), &books{}, &alerts{}
			b.Conduct = conduct
			box := &pay.Outbox{Store: paystore.New(db), Rail: b, Alerts: told, Now: c.now}
			box.OnFinal(known.told)
			return box, b, c, known, told
		}
		t.Run("an order is written down before it is sent", func(t *testing.T) {
			box, _, _, _, _ := setup(nil)
			seen := 0
			box.Rail = railFunc(func(o pay.Order) (pay.Receipt, error) {
				i, notes, err := box.Find(ctx, "bank", o.ID)
				if err != nil || i.Attempts != 1 || len(notes) != 1 || notes[0].Kind != "sent" {
					t.Errorf("%+v %+v %v", i, notes, err)
				}
				seen++
				return pay.Receipt{OrderID: o.ID, Outcome: pay.Settled, Ref: "r"}, nil
			})
			for range 2 {
				if r, err := box.Send(ctx, order("written", 5)); err != nil || r.Outcome != pay.Settled || r.Ref != "r" {
					t.Errorf("%+v %v", r, err)
				}
			}
			if seen != 1 {
				t.Errorf("sent %d times", seen)
			}
		})
		t.Run("a number with other content is refused", func(t *testing.T) {
			box, b, _, _, _ := setup(nil)
			if _, err := box.Send(ctx, order("reused", 5)); err != nil {
				t.Fatal(err)
			}
			if _, err := box.Send(ctx, order("reused", 6)); !errors.Is(err, pay.ErrReused) {
				t.Errorf("%v", err)
			}
			if out, _ := b.Moved(); out != 5 {
				t.Errorf("moved %s", out)
			}
		})
		t.Run("incomplete orders are refused", func(t *testing.T) {
			box, _, _, _, _ := setup(nil)
			for _, o := range []pay.Order{order("", 5), order("zero", 0), order("minus", -5), {ID: "x", Direction: "sideways", Amount: 5, PartyID: "p"}, {ID: "y", Direction: pay.Out, Amount: 5}} {
				if _, err := box.Send(ctx, o); !errors.Is(err, pay.ErrOrder) {
					t.Errorf("%+v: %v", o, err)
				}
			}
		})
		t.Run("a receipt of another order is no answer", func(t *testing.T) {
			box, _, _, _, _ := setup(nil)
			box.Rail = railFunc(func(pay.Order) (pay.Receipt, error) {
				return pay.Receipt{OrderID: "somebody else's", Outcome: pay.Settled}, nil
			})
			if r, err := box.Send(ctx, order("mixed", 5)); err != nil || r.Outcome != pay.Unknown {
				t.Errorf("%+v %v", r, err)
			}
		})
		t.Run("an unknown outcome is asked for with growing waits, and told to a person", func(t *testing.T) {
			box, _, c, known, told := setup(func(pay.Order) bank.Conduct { return bank.Conduct{Hold: 11} })
			if r, err := box.Send(ctx, order("held", 5)); err != nil || r.Outcome != pay.Unknown {
				t.Fatalf("%+v %v", r, err)
			}
			if w, err := box.Work(ctx); err != nil || w.Looked != 0 {
				t.Errorf("looked before its time: %+v %v", w, err)
			}
			var before time.Duration
			for range 10 {
				i, err := box.Store.Order(ctx, "held")
				if err != nil || i.Outcome != pay.Unknown {
					t.Fatalf("%+v %v", i, err)
				}
				wait := i.NextAt.Sub(c.now())
				if wait < before || wait > 15*time.Minute {
					t.Errorf("waits %s after %s", wait, before)
				}
				before = wait
				c.pass(wait)
				if _, err := box.Work(ctx); err != nil {
					t.Fatal(err)
				}
			}
			if !told.has(pay.UnknownAlert, "held") {
				t.Error("nobody was told")
			}
			c.pass(15 * time.Minute)
			if _, err := box.Work(ctx); err != nil || known.known["held"] != pay.Settled {
				t.Errorf("%v %v", known.known, err)
			}
			if told.has(pay.UnknownAlert, "held") {
				t.Error("the alert stays")
			}
		})
		t.Run("a late answer after a timeout counts once", func(t *testing.T) {
			box, b, _, known, _ := setup(nil)
			box.Rail = railFunc(func(o pay.Order) (pay.Receipt, error) {
				_, _ = b.Send(ctx, o)
				return pay.Receipt{}, context.DeadlineExceeded
			})
			if r, err := box.Send(ctx, order("slow", 5)); err != nil || r.Outcome != pay.Unknown {
				t.Fatalf("%+v %v", r, err)
			}
			late := b.Tellings("slow")[0]
			for range 3 {
				if err := box.Receive(ctx, late); err != nil {
					t.Fatal(err)
				}
			}
			_, notes, err := box.Find(ctx, "bank", "slow")
			if known.sum != 5 || err != nil || len(notes) != 5 { // nothing else settled in this book
				t.Errorf("%s %+v %v", known.sum, notes, err)
			}
		})
		t.Run("the first outcome stands and a second one is an alert", func(t *testing.T) {
			box, b, _, known, told := setup(func(pay.Order) bank.Conduct { return bank.Conduct{Twice: true, Contradict: true} })
			if _, err := box.Send(ctx, order("twice", 5)); err != nil {
				t.Fatal(err)
			}
			for _, r := range b.Tellings("twice") {
				if err := box.Receive(ctx, r); err != nil {
					t.Fatal(err)
				}
			}
			i, _, err := box.Find(ctx, "bank", "twice")
			if err != nil || i.Outcome != pay.Settled || !i.Disputed || known.known["twice"] != pay.Settled || !told.has(pay.DisputeAlert, "twice") {
				t.Errorf("%+v %v %v", i, known.known, err)
			}
			if list, err := box.Orders(ctx, "bank", pay.OrderFilter{Disputed: true}); err != nil || len(list) != 1 {
				t.Errorf("%+v %v", list, err)
			}
		})
		t.Run("what could not be told is told again", func(t *testing.T) {
			box, b, c, known, _ := setup(nil)
			fails := 2
			box.OnFinal(func(context.Context, pay.Instruction) error {
				if fails--; fails >= 0 {
					return errCrash
				}
				return nil
			})
			if _, err := box.Send(ctx, order("untold", 5)); err != nil {
				t.Fatal(err)
			}
			if err := box.Receive(ctx, b.Tellings("untold")[0]); !errors.Is(err, errCrash) {
				t.Error(err)
			}
			for range 2 {
				c.pass(time.Hour)
				_, _ = box.Work(ctx)
			}
			if i, _, err := box.Find(ctx, "bank", "untold"); err != nil || !i.Told || known.known["untold"] != pay.Settled {
				t.Errorf("%+v %v", i, err)
			}
		})
		t.Run("another bank's orders are not found", func(t *testing.T) {
			box, _, _, _, _ := setup(nil)
			if _, err := box.Send(ctx, order("mine", 5)); err != nil {
				t.Fatal(err)
			}
			if _, _, err := box.Find(ctx, "other", "mine"); !errors.Is(err, pay.ErrNotFound) {
				t.Error(err)
			}
			if _, err := box.Ask(ctx, "other", "mine"); !errors.Is(err, pay.ErrNotFound) {
				t.Error(err)
			}
			if _, err := box.Query(ctx, "nobody's"); !errors.Is(err, pay.ErrUnseen) {
				t.Error(err)
			}
		})
		t.Run("a nonce is taken once", func(t *testing.T) {
			s := paystore.New(db)
			if err := s.Once(ctx, "n1", noon, noon.Add(-time.Minute)); err != nil {
				t.Fatal(err)
			}
			if err := s.Once(ctx, "n1", noon, noon.Add(-time.Minute)); !errors.Is(err, pay.ErrReplayed) {
				t.Error(err)
			}
			if err := s.Once(ctx, "n1", noon.Add(time.Hour), noon.Add(time.Minute)); err != nil {
				t.Errorf("what is too old is forgotten: %v", err)
			}
		})
	})
}

// railFunc is a bank that sends as a function does, and has seen nothing.
type railFunc func(o pay.Order) (pay.Receipt, error)

func (f railFunc) Send(_ context.Context, o pay.Order) (pay.Receipt, error) { return f(o) }
func (railFunc) Query(context.Context, string) (pay.Receipt, error) {
	return pay.Receipt{}, pay.ErrUnseen
}
