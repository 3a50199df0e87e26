package bank_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/credit/pay"
	"github.com/furrowcredit/furrow/sim/bank"
)

func now() time.Time { return time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC) }

func TestOrdersSurviveARestart(t *testing.T) {
	t.Parallel()
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "bank.jsonl")
	b, err := bank.Open(path, now)
	if err != nil {
		t.Fatal(err)
	}
	first, err := b.Send(ctx, pay.Order{ID: "o-1", Direction: pay.Out, Amount: 5})
	if err != nil || first.Outcome != pay.Settled || first.Ref != "SBO1" {
		t.Fatalf("%+v %v", first, err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	// The machine died while the next line was being written.
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = f.WriteString(`{"order_id":"o-2","outco`)
	_ = f.Close()
	for range 2 {
		b, err = bank.Open(path, now)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := b.Query(ctx, "o-1"); err != nil || again != first {
			t.Errorf("%+v %v", again, err)
		}
		if _, err := b.Send(ctx, pay.Order{ID: "o-3"}); err != nil {
			t.Error(err)
		}
		if _, err := b.Query(ctx, "o-2"); !errors.Is(err, pay.ErrUnseen) {
			t.Errorf("a torn order: %v", err)
		}
		if _, err := b.Query(ctx, "o-3"); err != nil {
			t.Errorf("an order after a torn line: %v", err)
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	ctx, b := context.Background(), bank.New(now)
	b.Answer = func(o pay.Order) (pay.Receipt, bool) {
		switch o.ID {
		case "refused":
			return pay.Receipt{Outcome: pay.Failed, Reason: "account closed"}, false
		case "lost":
			return pay.Receipt{Outcome: pay.Settled}, true
		}
		return pay.Receipt{Outcome: pay.Settled}, false
	}
	if r := pay.Do(ctx, b, pay.Order{ID: "refused"}); r.Outcome != pay.Failed || r.Reason == "" {
		t.Errorf("%+v", r)
	}
	if r := pay.Do(ctx, b, pay.Order{ID: "lost"}); r.Outcome != pay.Settled {
		t.Errorf("a lost answer is asked for: %+v", r)
	}
	if r := pay.Settle(ctx, b, pay.Order{ID: "never sent"}); r.Outcome != pay.Settled {
		t.Errorf("an order that never arrived is sent: %+v", r)
	}
	stopped, cancel := context.WithCancel(ctx)
	cancel()
	if r := pay.Do(stopped, b, pay.Order{ID: "late"}); r.Outcome != pay.Unknown {
		t.Errorf("nobody can tell: %+v", r)
	}
	if _, err := b.Query(ctx, "late"); !errors.Is(err, pay.ErrUnseen) {
		t.Error("an order was carried out after its context ended")
	}
}
