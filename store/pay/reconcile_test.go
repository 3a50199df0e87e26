package pay_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/credit/pay"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/sim/bank"
	"github.com/furrowcredit/furrow/store"
	paystore "github.com/furrowcredit/furrow/store/pay"
	"github.com/furrowcredit/furrow/store/storetest"
)

// journal remembers what was booked, by key.
type journal map[string]ledger.Entry

func (j journal) Post(_ context.Context, e ledger.Entry) (ledger.Entry, error) {
	j[e.Key] = e
	return e, nil
}

func TestReconciliation(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, c, told := t.Context(), newClock(), &alerts{}
		b := bank.New(c.now)
		s := paystore.New(db)
		box := &pay.Outbox{Store: s, Rail: b, Alerts: told, Now: c.now}
		cash, booked := money.Fen(0), journal{}
		r := &pay.Reconciler{
			Orders: s, Store: s, Ledger: booked, Alerts: told, Now: c.now,
			Cash: func(context.Context, string, money.Date) (money.Fen, error) { return cash, nil },
		}
		today := c.day()
		for i := range 5 {
			if _, err := box.Send(ctx, order(fmt.Sprint("o-", i), money.Fen(100+i))); err != nil {
				t.Fatal(err)
			}
			cash -= money.Fen(100 + i)
		}
		b.Conduct = func(pay.Order) bank.Conduct { return bank.Conduct{Hold: 100} }
		if _, err := box.Send(ctx, order("held", 1000)); err != nil {
			t.Fatal(err)
		}
		file, err := b.Statement(ctx, today)
		if err != nil {
			t.Fatal(err)
		}
		run := func(text string, day money.Date) pay.Report {
			t.Helper()
			if _, err := r.Run(ctx, "bank", "o1", pay.Statement{Name: "s.csv", Body: []byte(text), Day: day}); err != nil {
				t.Fatal(err)
			}
			got, err := r.Report(ctx, "bank", day)
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		kinds := func(x pay.Report) string {
			var list []string
			for _, d := range x.Differences {
				list = append(list, fmt.Sprintf("%s %s %s %s", d.Kind, d.OrderID, d.Bank, d.State))
			}
			return strings.Join(list, "; ")
		}
		x := run(string(file), today)
		if x.Matched != 5 || x.BankOut != 1510 || x.OursOut != 510 || kinds(x) != "outcome_differs held -10.00 open" || !told.has(pay.StatementGap, today.String()) {
			t.Errorf("%+v", x)
		}
		lines := strings.Split(strings.TrimSpace(string(file)), "\n")
		var keep []string
		for _, l := range lines {
			switch {
			case strings.Contains(l, "o-1"): // missing with the bank
			case strings.Contains(l, "o-2"):
				keep = append(keep, strings.Replace(l, "1.02", "1.20", 1))
			case strings.Contains(l, "o-3"):
				keep = append(keep, l, l)
			case strings.Contains(l, "held"):
			default:
				keep = append(keep, l)
			}
		}
		keep = append(keep, today.String()+",in,7.00,CNY,,theirs,unknown,")
		bad := strings.Join(keep, "\n") + "\n"
		x = run(bad, today)
		want := []string{"ours_only o-1 0.00 open", "amount_differs o-2 -1.20 open", "twice o-3 -1.03 open", "theirs_only  7.00 open"}
		for _, w := range want {
			if !strings.Contains(kinds(x), w) {
				t.Errorf("%q is not among %s", w, kinds(x))
			}
		}
		if x.Matched != 3 || x.Open() != 4 {
			t.Errorf("%+v", x)
		}
		first, second := access.Actor{Tenant: "bank", UserID: "a", Role: access.Officer}, access.Actor{Tenant: "bank", UserID: "b", Role: access.Officer}
		id := func(kind pay.DiffKind) string {
			for _, d := range x.Differences {
				if d.Kind == kind {
					return d.ID
				}
			}
			t.Fatalf("no %s", kind)
			return ""
		}
		if _, err := r.Resolve(ctx, first, today, id(pay.Twice), "explain", " "); !errors.Is(err, pay.ErrNote) {
			t.Error(err)
		}
		if _, err := r.Resolve(ctx, first, today, "none", "explain", "x"); !errors.Is(err, pay.ErrNoDifference) {
			t.Error(err)
		}
		if _, err := r.Resolve(ctx, first, today, id(pay.Twice), "explain", "银行重复打印"); err != nil {
			t.Error(err)
		}
		if _, err := r.Resolve(ctx, first, today, id(pay.TheirsOnly), "book", "待查来账"); err != nil {
			t.Error(err)
		}
		if _, err := r.Confirm(ctx, first, today, id(pay.TheirsOnly)); !errors.Is(err, pay.ErrSecond) {
			t.Error(err)
		}
		if _, err := r.Confirm(ctx, second, today, id(pay.TheirsOnly)); err != nil || len(booked) != 1 {
			t.Errorf("%v %v", booked, err)
		}
		for _, e := range booked {
			if e.Postings[0].Amount != 700 || e.Postings[0].Account != pay.CashAccount || e.Postings[1].Amount != -700 {
				t.Errorf("%+v", e)
			}
		}
		if _, err := r.Confirm(ctx, second, today, id(pay.TheirsOnly)); !errors.Is(err, pay.ErrResolved) || len(booked) != 1 {
			t.Error(err)
		}
		if x = run(bad, today); x.Open() != 2 {
			t.Errorf("what was resolved is open again: %s", kinds(x))
		}
		// The bank booked the missing one a day later.
		cash = 0
		c.pass(24 * time.Hour)
		next := run("date,direction,amount,currency,order_id,ref\n"+(today+1).String()+",out,1.01,CNY,o-1,r\n", today+1)
		if next.Open() != 0 || kinds(next) != "late o-1 -1.01 resolved" {
			t.Errorf("%s", kinds(next))
		}
		if x, err = r.Report(ctx, "bank", today); err != nil || x.Open() != 1 || !strings.Contains(kinds(x), "late o-1") {
			t.Errorf("%s %v", kinds(x), err)
		}
		if list, err := r.Reports(ctx, "bank", "", 10); err != nil || len(list) != 2 || list[0].Day != today+1 {
			t.Errorf("%+v %v", list, err)
		}
		if _, err := r.Report(ctx, "other", today); !errors.Is(err, pay.ErrNoStatement) {
			t.Error(err)
		}
		empty := run("date,direction,amount,currency,order_id,ref\n2026-07-03,in,1,CNY,x,r\n", money.NewDate(2026, 7, 3))
		if empty.Open() != 1 {
			t.Errorf("%s", kinds(empty))
		}
	})
}
