package receivable_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/chain/receivable"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/storetest"
)

var errCrash = errors.New("the machine stopped")

// crashing stops before or after a write: the caller does not know which.
type crashing struct {
	receivable.Store
	next atomic.Int32 // 1: before, 2: after
}

func (c *crashing) Append(ctx context.Context, changes []receivable.Change) error {
	n := c.next.Swap(0)
	if n == 1 {
		return errCrash
	}
	err := c.Store.Append(ctx, changes)
	if err == nil && n == 2 {
		return errCrash
	}
	return err
}

type act struct {
	who     receivable.Who
	propose *receivable.Proposal
	id, key string
	c       receivable.Command
	crash   int32
	answer  string
	err     error
}

// TestAnyHistoryKept: acts of anybody, several at once, with crashes and retries. At
// the end the books are what their events make, and nobody got a fen that was not paid.
func TestAnyHistoryKept(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := open(t, db)
		var round atomic.Int64
		rapid.Check(t, func(rt *rapid.T) {
			n := round.Add(1)
			unreliable := &crashing{Store: h.store}
			svc := receivable.New(receivable.Config{Store: unreliable, Firms: h.books, Papers: h.books, Now: h.now})
			p := receivable.Proposal{CreditorID: "mill", Amount: money.Fen(rapid.Int64Range(1, 2000).Draw(rt, "amount")), Documents: []receivable.Basis{{Number: "QR1"}}}
			first := &act{who: of("anchor"), propose: &p, key: fmt.Sprintf("propose-%06d", n), crash: rapid.Int32Range(0, 2).Draw(rt, "crash")}
			run(rt, svc, unreliable, first)
			if first.err != nil {
				rt.Fatalf("proposal: %v", first.err)
			}
			id := first.id
			for _, c := range []*act{
				{who: of("anchor"), id: id, key: "confirm-" + id, c: receivable.Command{Kind: receivable.Confirm}},
				{who: of("mill"), id: id, key: "accept-" + id, c: receivable.Command{Kind: receivable.Accept}},
			} {
				if run(rt, svc, unreliable, c); c.err != nil {
					rt.Fatal(c.err)
				}
			}
			for step := range rapid.IntRange(1, 8).Draw(rt, "steps") {
				before := h.whole(id)
				acts := make([]*act, rapid.IntRange(1, 3).Draw(rt, "at once"))
				for i := range acts {
					acts[i] = draw(rt, before, fmt.Sprintf("%s-%d-%d", id, step, i))
				}
				if len(acts) > 1 && rapid.Bool().Draw(rt, "twins") {
					twin := *acts[0]
					acts[1] = &twin
				}
				var wait sync.WaitGroup
				for _, a := range acts {
					wait.Go(func() { run(rt, svc, unreliable, a) })
				}
				wait.Wait()
				for _, a := range acts {
					if a.err != nil && fault.Kind(a.err) == nil {
						rt.Fatalf("%s: %v", a.c.Kind, a.err)
					}
				}
				if len(acts) > 1 && acts[0].key == acts[1].key && (acts[0].answer != acts[1].answer || (acts[0].err == nil) != (acts[1].err == nil)) {
					rt.Fatalf("twins got %s %v and %s %v", acts[0].answer, acts[0].err, acts[1].answer, acts[1].err)
				}
				settled(rt, h, id, before)
			}
		})
		h.sound()
	})
}

// run retries a crash as a client does: with the same key.
func run(t *rapid.T, svc *receivable.Service, store *crashing, a *act) {
	store.next.Store(a.crash)
	for range 5 {
		var r receivable.Receivable
		if a.propose != nil {
			r, a.err = svc.Propose(context.Background(), a.who, "anchor", a.key, *a.propose)
		} else {
			r, a.err = svc.Do(context.Background(), a.who, a.id, a.key, a.c)
		}
		if a.err == nil {
			a.id, a.answer = r.ID, r.Head+fmt.Sprint(len(r.Parts))
		}
		if !errors.Is(a.err, errCrash) {
			return
		}
	}
	t.Fatalf("crashed for ever")
}

func draw(t *rapid.T, r receivable.Receivable, key string) *act {
	part := r.Parts[rapid.IntRange(0, len(r.Parts)-1).Draw(t, "part")]
	kind := rapid.SampledFrom([]receivable.Kind{
		receivable.Split, receivable.Transfer, receivable.Transfer, receivable.SetOff, receivable.Ask, receivable.Unask, receivable.Pledge, receivable.Pledge,
		receivable.Owe, receivable.Freeze, receivable.Release, receivable.Pay,
	}).Draw(t, "kind")
	open := int64(part.Open()) + 1
	a := &act{id: r.ID, key: key, crash: rapid.Int32Range(0, 2).Draw(t, "crash"), who: of(part.HolderID), c: receivable.Command{
		Kind: kind, PartID: part.ID, Amount: money.Fen(rapid.Int64Range(0, open).Draw(t, "amount")), To: rapid.SampledFrom([]string{"mill", "farm", "smith"}).Draw(t, "to"),
		Funder: "bank", Ref: key, Owed: money.Fen(rapid.Int64Range(1, open).Draw(t, "owed")), Note: "why",
	}}
	switch kind {
	case receivable.Split:
		a.c.Amounts = []money.Fen{a.c.Amount, 1}
	case receivable.Pledge, receivable.Owe, receivable.Freeze, receivable.Release:
		a.who = officer
	case receivable.Pay:
		a.who, a.c.Amount = of("anchor"), money.Fen(rapid.Int64Range(1, int64(r.Outstanding())+1).Draw(t, "pay"))
	default:
	}
	return a
}

// settled holds one receivable to its history and to what it was before.
func settled(t *rapid.T, h *house, id string, before receivable.Receivable) {
	r, err := h.store.Receivable(context.Background(), "bank", id)
	if err != nil {
		t.Fatal(err)
	}
	events, err := h.store.Events(context.Background(), "bank", id, 0)
	if err != nil {
		t.Fatal(err)
	}
	made, err := receivable.Replay("bank", events)
	if err != nil || text(h.T, made) != text(h.T, r) {
		t.Fatalf("kept %s, events make %s (%v)", text(h.T, r), text(h.T, made), err)
	}
	var got, children, remaining money.Fen
	for _, e := range events {
		if e.Payment != nil {
			for _, s := range e.Payment.Shares {
				got += s.ToFunder + s.ToHolder
			}
		}
	}
	for _, p := range r.Parts {
		remaining += p.Remaining
		if p.ParentID == r.ID {
			children += p.Amount
		}
	}
	if got != r.Paid || remaining != r.Amount || children+r.Parts[0].Remaining != r.Amount || r.Paid+r.SetOff > r.Amount {
		t.Fatalf("%s paid, %s received; %s issued, %s in parts", r.Paid, got, r.Amount, remaining)
	}
	if r.Due != before.Due || r.ObligorID != before.ObligorID {
		t.Fatalf("terms changed: %+v", r)
	}
}

// TestFileOfProposals takes many rows in one piece.
func TestFileOfProposals(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := open(t, db)
		const rows = 2000
		file := []byte("供应商名称,统一社会信用代码,发票号码,金额（元）,到期日,备注\n")
		for i := range rows {
			file = fmt.Appendf(file, "mill,%s,QR1,%d.%02d,2026-10-31,第%d笔\n", code(2), 10+i%70, i%100, i)
		}
		ctx, who := t.Context(), of("anchor")
		h.books.docs[4].Amount = 1_000_000_000
		dry, err := h.svc.ProposeFile(ctx, who, "anchor", "", file, true)
		if err != nil || dry.Bad != 0 || dry.Written || dry.Rows != rows {
			t.Fatalf("%+v %v", dry, err)
		}
		b, err := h.svc.ProposeFile(ctx, who, "anchor", "", file, false)
		if err != nil || !b.Written || b.Amount != dry.Amount {
			t.Fatalf("%+v %v", b, err)
		}
		again, err := h.svc.ProposeFile(ctx, who, "anchor", "", file, false)
		if err != nil || text(t, again) != text(t, b) {
			t.Errorf("the same file again: %+v %v", again, err)
		}
		done, err := h.svc.ConfirmBatch(ctx, who, b.ID, "confirm-the-file")
		if err != nil || done.Rows != rows || done.Amount != b.Amount {
			t.Fatalf("%+v %v", done, err)
		}
		twice, err := h.svc.ConfirmBatch(ctx, who, b.ID, "confirm-the-file")
		if err != nil || text(t, twice) != text(t, done) {
			t.Errorf("confirmed again: %+v %v", twice, err)
		}
		if _, err := h.svc.ConfirmBatch(ctx, of("mill"), b.ID, "confirm-the-file"); !errors.Is(err, receivable.ErrNotFound) {
			t.Errorf("confirmed by another: %v", err)
		}
		x, err := h.svc.Exposures(ctx, "bank")
		if err != nil || x[0].Count != rows || x[0].Outstanding != b.Amount {
			t.Errorf("%+v %v", x, err)
		}
		h.sound()
	})
}

// TestBadFile says what is wrong cell by cell, and writes nothing.
func TestBadFile(t *testing.T) {
	t.Parallel()
	h := open(t, storetest.Open(t, "sqlite:"+filepath.Join(t.TempDir(), "furrow.db")))
	file := "应收账款登记表,,,,\n供应商名称,发票号码,金额,到期日,备注\n" +
		"mill,0001,\"1,000.00\",2026-11-01,\n" + // good
		"mill,0001,-5,,\n" + // D: amount
		"mill,0001,abc,,\n" +
		"mill,0001,999.01,,\n" + // only 0.00 more
		"mill,0001,1,2026-02-30,\n" +
		"mill,0001,1,2026-05-01,\n" + // before today
		"mill,0001,1,2027-06-01,x\n" + // over a year
		"mill,0001,1,2027-05-01,\n" + // long without a reason
		"nobody,0001,1,,\n" +
		"stall,0001,1,,\n" +
		",0001,1,,\n" +
		"anchor,0001,1,,\n" +
		"mill,0003,1,,\n" +
		"mill,9999,1,,\n" +
		"mill,,1,,\n" +
		"mill,0002,1,2026-09-01,\n"
	b, err := h.svc.ProposeFile(t.Context(), of("anchor"), "anchor", "", []byte(file), false)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range b.Errors {
		got = append(got, e.Cell+" "+e.Code)
	}
	want := []string{
		"C4 receivable.amount", "C5 receivable.yuan", "C6 receivable.unsupported", "D7 receivable.day", "D8 receivable.due", "D9 receivable.term", "E10 receivable.reason",
		"A11 receivable.supplier", "A12 receivable.unverified", "A13 receivable.nameless", "A14 receivable.own_debt", "B15 receivable.void", "B16 receivable.document",
		"B17 receivable.no_document", "D18 receivable.stretched",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) || b.Bad != len(want) || b.Written {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if list, err := h.svc.Owed(t.Context(), of("anchor"), receivable.Filter{}); err != nil || len(list) != 0 {
		t.Errorf("%d written, %v", len(list), err)
	}
	for name, tt := range map[string]struct {
		file string
		want error
	}{
		"no header": {"a,b\n1,2\n", receivable.ErrColumns}, "no rows": {"供应商名称,发票号码,金额\n", fault.Invalid}, "nothing": {"", fault.Invalid},
		"a zip": {"PK\x03\x04nonsense", fault.Invalid},
	} {
		if _, err := h.svc.ProposeFile(t.Context(), of("anchor"), "anchor", "", []byte(tt.file), false); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	h.sound()
}

func FuzzProposeFile(f *testing.F) {
	f.Add([]byte("供应商名称,发票号码,金额,到期日\nmill,0001,12.5,2026-08-01\n"))
	f.Add([]byte("uscc,number,amount,due\n91,1 2,1e5,46081\n"))
	svc := receivable.New(receivable.Config{Store: empty{}, Firms: nobody{}, Now: func() time.Time { return start }})
	f.Fuzz(func(t *testing.T, body []byte) {
		b, err := svc.ProposeFile(t.Context(), of("anchor"), "anchor", "", body, true)
		if err != nil && fault.Kind(err) == nil {
			t.Error(err)
		}
		if err == nil && b.Bad != b.Rows {
			t.Errorf("a row of nobody is good: %+v", b)
		}
	})
}
