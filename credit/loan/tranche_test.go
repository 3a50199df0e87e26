package loan_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/loan/schedule"
	"github.com/furrowcredit/furrow/credit/loan/servicing"
	"github.com/furrowcredit/furrow/credit/pay"
	"github.com/furrowcredit/furrow/money"
)

// inTranches plans later tranches of a loan, the first 20 days after a day, each 30 days
// after the one before and open for 25.
func inTranches(l *loan.Loan, day money.Date, later ...money.Fen) {
	terms := loan.Contract(l)
	l.Tranches = []loan.Tranche{{Nr: 1, Amount: l.Principal, On: day, Until: day, State: loan.TranchePlanned}}
	for i, amount := range later {
		on := day + 20 + money.Date(30*i)
		l.Tranches = append(l.Tranches, loan.Tranche{Nr: i + 2, Amount: amount, On: on, Until: on + 25, State: loan.TranchePlanned})
		terms.Schedule.Tranches = append(terms.Schedule.Tranches, schedule.Tranche{On: on, Amount: amount})
	}
	l.Position.Terms = &terms
}

// season lends 6,000 yuan at 7.2 %, and plans 3,000 and 1,000 more; all is due at once on
// 31 October.
func (d *desk) season(t fataler) loan.Loan {
	l := loan.Loan{
		Tenant: "t", ApplicationID: "a", UserID: "u", Principal: 600_000, Rate: money.BP(720), PenaltyRate: money.BP(1080),
		Method: loan.Bullet, DayCount: money.Act360, TermMonths: 9,
	}
	inTranches(&l, money.NewDate(2026, 1, 31), 300_000, 100_000)
	l, err := d.Draw(context.Background(), loan.DrawRequest{Key: "draw", Loan: l})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func (d *desk) tranche(id string, nr int, key string) (loan.Loan, error) {
	return d.DrawTranche(context.Background(), loan.TrancheRequest{Tenant: "t", LoanID: id, Nr: nr, Key: key, Most: 1e12})
}

// states of the plan of a loan.
func states(l loan.Loan) (out string) {
	for _, x := range l.Tranches {
		out += fmt.Sprintf("%s %s, ", x.State, x.Drawn)
	}
	return out
}

// Interest runs on each tranche from the day on which it went out, however late, and on
// nothing that did not.
func TestInterestRunsOnWhatWentOut(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), context.Background()
	l := d.season(t)
	if l.Principal != 600_000 || l.Undrawn != 400_000 || l.Outstanding != 600_000 {
		t.Fatalf("%+v", l)
	}
	d.on(t, "2026-03-02") // ten days after it could be
	l, err := d.tranche(l.ID, 2, "two")
	if err != nil || l.Principal != 900_000 || l.Undrawn != 100_000 || l.Outstanding != 900_000 {
		t.Fatalf("%+v %v", l, err)
	}
	if l.Accrued != 3600 { // 30 days of 6,000 at 7.2 %: none on what went out today
		t.Errorf("accrued %s", l.Accrued)
	}
	d.check(t, l.ID)
	if _, err := d.DayEnd(ctx, "t", day(t, "2026-03-12")); err != nil {
		t.Fatal(err)
	}
	if l = d.check(t, l.ID); l.Accrued != 3600+1800 { // ten days of 9,000
		t.Errorf("accrued %s", l.Accrued)
	}
	if l, err = d.CancelTranches(ctx, house, l.ID); err != nil || l.Undrawn != 0 || states(l) != "drawn 6000.00, drawn 3000.00, cancelled 0.00, " {
		t.Fatalf("%s %v", states(l), err)
	}
	// The one row of the loan is that of 6,000 from 31 January and 3,000 from 2 March.
	rows := d.rows(t, l.ID)
	if len(rows) != 1 || rows[0].Principal != 900_000 || rows[0].Interest != 600_000*273*72/360_000+300_000*243*72/360_000 {
		t.Errorf("%+v", rows)
	}
	// Repaid on 12 March: exactly what the days cost.
	q, err := d.Payoff(ctx, "t", l.ID)
	if err != nil || q.Total != 900_000+5400 {
		t.Errorf("%+v %v", q, err)
	}
	if l, err = d.Repay(ctx, "t", l.ID, q.Total, "all"); err != nil || l.State != loan.Closed {
		t.Fatalf("%+v %v", l, err)
	}
	d.check(t, l.ID)
}

func TestTrancheWaits(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		on   string
		nr   int
		do   func(t *testing.T, d *desk, id string)
		want error
	}{
		"before its day":        {on: "2026-02-19", nr: 2, want: loan.ErrTrancheEarly},
		"on its day":            {on: "2026-02-20", nr: 2},
		"on its last day":       {on: "2026-03-17", nr: 2},
		"after its last day":    {on: "2026-03-18", nr: 2, want: loan.ErrTrancheOver},
		"before the one before": {on: "2026-03-22", nr: 3, want: loan.ErrTrancheOrder},
		"the first again":       {on: "2026-02-20", nr: 1, want: loan.ErrTrancheState},
		"none":                  {on: "2026-02-20", nr: 4, want: loan.ErrTrancheUnknown},
		"given up": {on: "2026-02-20", nr: 2, want: loan.ErrTrancheState, do: func(t *testing.T, d *desk, id string) {
			if _, err := d.CancelTranches(context.Background(), house, id); err != nil {
				t.Fatal(err)
			}
		}},
		"lapsed with the day end": {on: "2026-04-13", nr: 3, want: nil, do: func(t *testing.T, d *desk, id string) {
			if _, err := d.DayEnd(context.Background(), "t", day(t, "2026-03-17")); err != nil {
				t.Fatal(err)
			}
			if l := d.store.loans[id]; states(l) != "drawn 6000.00, lapsed 0.00, planned 0.00, " || l.Undrawn != 100_000 {
				t.Errorf("%s, %s left", states(l), l.Undrawn)
			}
		}},
		"repaid": {on: "2026-02-20", nr: 2, want: loan.ErrTrancheState, do: func(t *testing.T, d *desk, id string) {
			q, err := d.Payoff(context.Background(), "t", id)
			if err != nil {
				t.Fatal(err)
			}
			if l, err := d.Repay(context.Background(), "t", id, q.Total, "all"); err != nil || l.Undrawn != 0 || l.State != loan.Closed {
				t.Fatalf("%+v %v", l, err)
			}
		}},
		"in arrears": {on: "2026-02-20", nr: 2, want: loan.ErrTrancheOverdue, do: func(t *testing.T, d *desk, id string) {
			ev := servicing.Event{Kind: servicing.Charged, Amount: 500, Charge: &servicing.Charge{Name: "letter", DueOn: day(t, "2026-02-10")}}
			ev.Date = day(t, "2026-02-10")
			if _, err := d.Apply(context.Background(), house, id, ev, "fee"); err != nil {
				t.Fatal(err)
			}
			ev = servicing.Event{Kind: servicing.ReAge, Change: &servicing.Change{From: day(t, "2026-02-12"), N: 2}}
			ev.Date = day(t, "2026-02-11")
			if _, err := d.Apply(context.Background(), house, id, ev, "re-age"); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			l := d.season(t)
			d.on(t, c.on)
			if c.do != nil {
				c.do(t, d, l.ID)
			}
			moved := d.rail.moved
			l, err := d.tranche(l.ID, c.nr, "next")
			if !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if c.want != nil && d.rail.moved != moved {
				t.Errorf("%s moved", d.rail.moved-moved)
			}
			if c.want == nil && l.Tranches[c.nr-1].State != loan.TrancheDrawn {
				t.Errorf("%+v", l)
			}
		})
	}
}

// Nobody knows whether the bank has paid: the loan keeps its part on the way, is not
// closed under it, and asks.
func TestTrancheOnItsWay(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), context.Background()
	l := d.season(t)
	d.on(t, "2026-02-20")
	d.rail.lose = true
	l, err := d.tranche(l.ID, 2, "two")
	if err != nil || states(l) != "drawn 6000.00, paying 3000.00, planned 0.00, " || l.Paying() != 300_000 || l.Outstanding != 600_000 {
		t.Fatalf("%s %+v %v", states(l), l, err)
	}
	if _, err := d.tranche(l.ID, 2, "other"); !errors.Is(err, loan.ErrTrancheState) {
		t.Errorf("with another key: %v", err)
	}
	if _, err := d.Apply(ctx, house, l.ID, servicing.Event{Kind: servicing.WriteOff}, "off"); !errors.Is(err, loan.ErrTranchePaying) {
		t.Errorf("written off under it: %v", err)
	}
	d.rail.lose = false
	if l, err = d.tranche(l.ID, 2, "two"); err != nil || l.Outstanding != 900_000 || d.rail.moved != 900_000 {
		t.Fatalf("asked again: %+v %v", l, err)
	}
	if l, err = d.tranche(l.ID, 2, "two"); err != nil || d.rail.moved != 900_000 {
		t.Errorf("twice: %s %v", d.rail.moved, err)
	}
	if _, err := d.DrawTranche(ctx, loan.TrancheRequest{Tenant: "t", LoanID: l.ID, Nr: 2, Amount: 5, Key: "two", Most: 1e12}); !errors.Is(err, loan.ErrKeyReused) {
		t.Errorf("another amount: %v", err)
	}
	d.check(t, l.ID)
}

// A tranche that the bank refuses can be asked for again.
func TestTrancheRefused(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	l := d.season(t)
	d.on(t, "2026-02-20")
	d.rail.refuse = true
	if _, err := d.tranche(l.ID, 2, "two"); !errors.Is(err, loan.ErrPayment) {
		t.Fatal(err)
	}
	if l = d.store.loans[l.ID]; states(l) != "drawn 6000.00, planned 0.00, planned 0.00, " || l.State != loan.Active || l.Undrawn != 400_000 {
		t.Fatalf("%s %+v", states(l), l)
	}
	d.rail.refuse = false
	part := loan.TrancheRequest{Tenant: "t", LoanID: l.ID, Nr: 2, Amount: 120_000, Key: "less", Most: 1e12}
	l, err := d.DrawTranche(context.Background(), part)
	if err != nil || l.Principal != 720_000 || l.Undrawn != 100_000 { // the rest of it is given up
		t.Fatalf("%+v %v", l, err)
	}
	d.check(t, l.ID)
}

// An inspection counts when a second person stands for it, and the last that counts holds.
func TestInspection(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), context.Background()
	l := d.season(t)
	stored := d.store.loans[l.ID]
	stored.Tranches[1].Condition = loan.CropGrows
	d.store.loans[l.ID] = stored
	seen := func(want bool) {
		t.Helper()
		if x := d.store.loans[l.ID].Tranches[1]; x.Inspected() != want {
			t.Errorf("%+v", x.Inspections)
		}
	}
	if _, err := d.Confirm(ctx, he, l.ID, 2); !errors.Is(err, loan.ErrUninspected) {
		t.Error(err)
	}
	if _, err := d.Inspect(ctx, li, l.ID, 3, true, "tall"); !errors.Is(err, loan.ErrTrancheUnasked) {
		t.Error(err)
	}
	if _, err := d.Inspect(ctx, li, l.ID, 2, true, "  "); !errors.Is(err, loan.ErrReason) {
		t.Error(err)
	}
	for range 2 { // the answer was lost
		if _, err := d.Inspect(ctx, li, l.ID, 2, true, "knee high, all of it"); err != nil {
			t.Fatal(err)
		}
	}
	seen(false)
	if _, err := d.Confirm(ctx, li, l.ID, 2); !errors.Is(err, loan.ErrSamePerson) {
		t.Error(err)
	}
	for range 2 {
		if l, err := d.Confirm(ctx, he, l.ID, 2); err != nil || len(l.Tranches[1].Inspections) != 1 {
			t.Fatalf("%+v %v", l, err)
		}
	}
	seen(true)
	if _, err := d.Inspect(ctx, he, l.ID, 2, false, "hail"); err != nil {
		t.Fatal(err)
	}
	seen(true) // nobody stands for it yet
	if _, err := d.Confirm(ctx, li, l.ID, 2); err != nil {
		t.Fatal(err)
	}
	seen(false)
}

// refused answers as a bank that refuses.
func refused(o pay.Order) (pay.Receipt, error) {
	return pay.Receipt{OrderID: o.ID, Outcome: pay.Failed, Reason: "closed"}, nil
}
