package servicing_test

import (
	"fmt"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/credit/loan/schedule"
	"github.com/furrowcredit/furrow/credit/loan/servicing"
	"github.com/furrowcredit/furrow/money"
)

var start = money.NewDate(2024, 1, 31)

// anyTerms draws the terms of a contract.
func anyTerms(t *rapid.T) servicing.Terms {
	parts := rapid.Permutation([]servicing.Part{servicing.Penalty, servicing.Fee, servicing.Interest, servicing.Principal})
	tt := servicing.Terms{
		Schedule: schedule.Terms{
			Rate:     money.BP(rapid.Int64Range(0, 3600).Draw(t, "rate")),
			Method:   rapid.SampledFrom([]schedule.Method{schedule.EqualInstalments, schedule.EqualPrincipal, schedule.InterestFirst, schedule.Bullet}).Draw(t, "method"),
			DayCount: rapid.SampledFrom([]money.DayCount{money.Act360, money.Act365, money.Thirty360}).Draw(t, "days"),
			N:        rapid.IntRange(1, 8).Draw(t, "n"),
		},
		Allocation: servicing.Allocation{
			Vertical: rapid.Bool().Draw(t, "vertical"),
			Future:   rapid.SampledFrom([]servicing.Future{servicing.Next, servicing.Last, servicing.Reamortised}).Draw(t, "future"),
		},
	}
	if rapid.Bool().Draw(t, "own order") {
		tt.Allocation.Order = servicing.Order(parts.Draw(t, "past"), parts.Draw(t, "due"), parts.Draw(t, "ahead"))
	}
	if rapid.Bool().Draw(t, "in parts") { // what goes out when, the events say
		tt.Schedule.Tranches = []schedule.Tranche{{On: start + 30, Amount: 1}}
	}
	switch rapid.IntRange(0, 3).Draw(t, "way") {
	case 1:
		tt.Prepayment = servicing.Hold
		tt.Penalty = servicing.PenaltyTerms{Rate: money.BP(1800), Grace: rapid.IntRange(0, 5).Draw(t, "grace"), OnInterest: rapid.Bool().Draw(t, "on interest")}
	case 2:
		tt.Schedule.Method = schedule.EqualInstalments
		tt.Recalculation = &servicing.Recalculation{}
		tt.Prepayment = rapid.SampledFrom([]servicing.Prepayment{servicing.Lower, servicing.Shorten, servicing.Move}).Draw(t, "prepayment")
	case 3:
		tt.Chargeback = []servicing.Part{servicing.Penalty, servicing.Fee, servicing.Interest, servicing.Principal}
	}
	return tt
}

// anyEvents draws a life: a drawdown and then money and charges on later days.
func anyEvents(t *rapid.T, tt servicing.Terms) []servicing.Event {
	events := []servicing.Event{{ID: "draw", Kind: servicing.Disburse, Date: start, Amount: money.Fen(rapid.Int64Range(100, 1e8).Draw(t, "drawn"))}}
	on := start
	for i := range rapid.IntRange(0, 12).Draw(t, "events") {
		on += money.Date(rapid.IntRange(0, 40).Draw(t, "gap"))
		e := servicing.Event{ID: fmt.Sprint(i), Date: on, Amount: money.Fen(rapid.Int64Range(1, 4e7).Draw(t, "amount"))}
		kinds := []servicing.Kind{servicing.Repay, servicing.Repay, servicing.Repay, servicing.Goodwill, servicing.Charged, servicing.MerchantRefund, servicing.Disburse}
		if tt.Recalculation == nil {
			kinds = append(kinds, servicing.Chargeback, servicing.Waive)
		}
		e.Kind = rapid.SampledFrom(kinds).Draw(t, "kind")
		switch e.Kind {
		case servicing.Charged:
			e.Amount %= 100000
			e.Amount++
			e.Charge = &servicing.Charge{DueOn: on + money.Date(rapid.IntRange(-10, 60).Draw(t, "due")), Penalty: rapid.Bool().Draw(t, "penalty")}
			e.Charge.DueOn = max(e.Charge.DueOn, start)
		case servicing.Chargeback, servicing.Waive:
			e.Target = ""
			for k := len(events) - 1; k >= 0; k-- {
				was := events[k].Kind
				if e.Kind == servicing.Waive && was == servicing.Charged || e.Kind == servicing.Chargeback && was == servicing.Repay {
					e.Target, e.Amount = events[k].ID, min(e.Amount, events[k].Amount)
					break
				}
			}
			if e.Target == "" {
				e.Kind, e.Amount = servicing.Repay, 1
			}
		default:
		}
		events = append(events, e)
	}
	return events
}

func must(t *rapid.T, tt servicing.Terms, events []servicing.Event, to money.Date) *servicing.State {
	s, err := servicing.Replay(tt, events, to)
	if err != nil {
		t.Fatalf("%v\n%+v\n%+v", err, tt, events)
	}
	return s
}

// TestNoMoneyIsMadeOrLost: what came in is split or kept, and principal that went out is
// paid, open or written off.
func TestNoMoneyIsMadeOrLost(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		tt := anyTerms(t)
		events := anyEvents(t, tt)
		s := must(t, tt, events, start+700)
		var split, owed, credited, dueP, kept money.Fen
		var rows servicing.Parts
		for _, tx := range s.Transactions {
			switch tx.Kind {
			case servicing.Disburse:
				owed += tx.Amount
				if tx.Total()+tx.Excess != 0 {
					t.Fatalf("%+v paid with what was not kept", tx)
				}
				split += tx.Total()
				kept += tx.Excess
			case servicing.Repay, servicing.Goodwill, servicing.MerchantRefund:
				if tx.Total()+tx.Excess != tx.Amount || tx.Excess < 0 {
					t.Fatalf("%+v does not add up", tx)
				}
				split += tx.Total()
				kept += tx.Excess
			case servicing.Chargeback:
				kept -= tx.Excess
				if tx.Amount > tx.Excess || len(tt.Chargeback) > 0 { // owed again, and paid with what was kept
					split += tx.Excess
				}
			default:
			}
		}
		for i := range s.Rows {
			r := &s.Rows[i]
			rows = rows.Plus(r.Paid)
			dueP += r.Due.Principal
			credited += r.Credited
			open := r.Open()
			if open.Principal < 0 || open.Interest < 0 || open.Fee < 0 || open.Penalty < 0 {
				t.Fatalf("row %d is paid more than it asks: %+v", i, r)
			}
		}
		if kept != s.Overpaid {
			t.Fatalf("%s is kept for the borrower, the state says %s", kept, s.Overpaid)
		}
		if rows.Total() != split {
			t.Fatalf("payments were split into %s, rows got %s", split, rows.Total())
		}
		if dueP-credited != owed || dueP != rows.Principal+s.Outstanding.Principal {
			t.Fatalf("%s went out, rows ask for %s of which %s came back; %s paid, %s open", owed, dueP, credited, rows.Principal, s.Outstanding.Principal)
		}
	})
}

// TestOrderOfBookingDoesNotMatter: events of different days may arrive in any order.
func TestOrderOfBookingDoesNotMatter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		tt := anyTerms(t)
		events := anyEvents(t, tt)
		want := must(t, tt, events, start+700)
		// Stable by day, and targets stay before what refers to them.
		late := make([]servicing.Event, 0, len(events))
		held := []servicing.Event{}
		for _, e := range events {
			if e.Kind == servicing.Repay && len(held) == 0 && rapid.Bool().Draw(t, "late") && !targeted(events, e) && alone(events, e) {
				held = append(held, e)
				continue
			}
			late = append(late, e)
		}
		got := must(t, tt, append(late, held...), start+700)
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("booked in another order:\n%+v\nwant\n%+v", got, want)
		}
	})
}

func targeted(events []servicing.Event, e servicing.Event) bool {
	for i := range events {
		if events[i].Target == e.ID {
			return true
		}
	}
	return false
}

// alone says whether no other event counts on the day of e.
func alone(events []servicing.Event, e servicing.Event) bool {
	for i := range events {
		o := &events[i]
		if o.ID != e.ID && (o.Date == e.Date || o.Charge != nil && o.Charge.DueOn == e.Date) {
			return false
		}
	}
	return true
}

// TestFutureDoesNotCount: the state of a day is the same whether later events are known
// or not.
func TestFutureDoesNotCount(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		tt := anyTerms(t)
		events := anyEvents(t, tt)
		day := start + money.Date(rapid.IntRange(0, 400).Draw(t, "day"))
		known := []servicing.Event{}
		for _, e := range events {
			if e.Date <= day {
				known = append(known, e)
			}
		}
		if got, want := must(t, tt, events, day), must(t, tt, known, day); !reflect.DeepEqual(got, want) {
			t.Fatalf("with the future known:\n%+v\nwant\n%+v", got, want)
		}
	})
}

// TestUndoneIsAsIfItNeverWas apart from its record.
func TestUndoneIsAsIfItNeverWas(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		tt := anyTerms(t)
		events := anyEvents(t, tt)
		var can []int
		for i, e := range events {
			if e.Kind == servicing.Repay && !targeted(events, e) {
				can = append(can, i)
			}
		}
		if len(can) == 0 {
			return
		}
		gone := rapid.SampledFrom(can).Draw(t, "undone")
		without := append(append([]servicing.Event{}, events[:gone]...), events[gone+1:]...)
		undone := append(append([]servicing.Event{}, events...), servicing.Event{ID: "undo", Kind: servicing.Reverse, Date: events[len(events)-1].Date, Target: events[gone].ID})
		want := must(t, tt, without, start+700)
		got := must(t, tt, undone, start+700)
		kept := got.Transactions[:0]
		for _, tx := range got.Transactions {
			if !tx.Reversed {
				kept = append(kept, tx)
			}
		}
		got.Transactions = kept
		if len(want.Transactions) == 0 {
			want.Transactions = kept
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("undone:\n%+v\nwant\n%+v", got, want)
		}
	})
}
