package loan_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/loan/servicing"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
)

// operations is how many the simulation does in all; FURROW_OPERATIONS sets it.
func operations(t *testing.T) int {
	text := os.Getenv("FURROW_OPERATIONS")
	if text == "" {
		return 5000
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 100 {
		t.Fatalf("FURROW_OPERATIONS=%s: give a number from 100 on", text)
	}
	return n
}

// Anything that can happen to a few loans, in any order, while writes fail before and after
// they are done, the bank loses answers, requests come twice and day ends are cut off. In the
// end the books of each loan agree with its replay, and no fen was made or lost.
func TestRandomOperations(t *testing.T) {
	t.Parallel()
	each := operations(t) / 100 // rapid tries a hundred times
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		for range each {
			w.step(t)
			w.sound(t)
		}
		w.settle(t)
	})
}

type world struct {
	*desk
	ids  []string
	sent []func() error // requests that may come again
	n    int
}

var (
	house = access.Actor{UserID: loan.System.UserID, Name: loan.System.Name, Tenant: "t"}
	li    = access.Actor{UserID: "li", Name: "Li", Tenant: "t", Role: access.Officer}
	he    = access.Actor{UserID: "he", Name: "He", Tenant: "t", Role: access.Officer}
)

func newWorld(t *rapid.T) *world {
	w := &world{desk: newDesk(t)}
	for i := range rapid.IntRange(1, 3).Draw(t, "loans") {
		l := loan.Loan{
			Tenant: "t", ApplicationID: "a", UserID: "u", Subject: credit.Subject{Kind: credit.FirmSubject}, Product: "crop",
			Principal: money.Fen(rapid.Int64Range(100, 1e9).Draw(t, "principal")), Rate: money.BP(rapid.Int64Range(0, 2400).Draw(t, "bp")),
			PenaltyRate: money.BP(1080), DayCount: money.Act360, TermMonths: rapid.IntRange(1, 12).Draw(t, "months"),
			Method: rapid.SampledFrom([]loan.Method{loan.Bullet, loan.InterestFirst, loan.EqualInstalments, loan.EqualPrincipal}).Draw(t, "method"),
		}
		if rapid.Bool().Draw(t, "in tranches") {
			inTranches(&l, money.DateOf(w.now), l.Principal/3+1, l.Principal/4+1)
		}
		l, err := w.Draw(context.Background(), loan.DrawRequest{Key: fmt.Sprint("draw", i), Loan: l})
		if err != nil {
			t.Fatal(err)
		}
		w.ids = append(w.ids, l.ID)
	}
	return w
}

// do sends a request, which may be refused for a reason or hit a fault, and keeps it.
func (w *world) do(t *rapid.T, f func() error) {
	w.sent = append(w.sent, f)
	w.try(t, f)
}

func (w *world) try(t *rapid.T, f func() error) {
	err := f()
	if err != nil && !errors.Is(err, errCrash) && !errors.Is(err, context.Canceled) && fault.Kind(err) == nil {
		t.Fatal(err)
	}
}

func (w *world) step(t *rapid.T) {
	ctx := context.Background()
	w.n++
	key := fmt.Sprint("k", w.n)
	left := rapid.IntRange(-6, 3).Draw(t, "fault") // after how many writes; below zero: never
	kind := rapid.SampledFrom([]mishap{crash, lost}).Draw(t, "kind")
	w.store.fail = func() mishap {
		left--
		if left == -1 {
			return kind
		}
		return none
	}
	w.rail.lose = rapid.IntRange(0, 4).Draw(t, "lose") == 0
	id := rapid.SampledFrom(w.ids).Draw(t, "loan")
	l := w.store.loans[id]
	amount := money.Fen(rapid.Int64Range(1, int64(l.Principal)/2+100).Draw(t, "amount"))
	today := max(money.DateOf(w.now), l.DayEnd)
	back := today - money.Date(rapid.IntRange(0, 100).Draw(t, "back"))
	hand := func(ev servicing.Event) {
		w.do(t, func() error {
			_, err := w.Apply(ctx, house, id, ev, key)
			return err
		})
	}
	switch rapid.IntRange(0, 16).Draw(t, "what") {
	case 0, 1:
		w.now = w.now.AddDate(0, 0, rapid.IntRange(0, 40).Draw(t, "days"))
	case 2, 3:
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		if rapid.Bool().Draw(t, "cut") { // off at some loan
			writes, fail := rapid.IntRange(0, 4).Draw(t, "after"), w.store.fail
			w.store.fail = func() mishap {
				if writes--; writes < 0 {
					cancel()
				}
				return fail()
			}
		}
		w.try(t, func() error {
			_, err := w.DayEnd(ctx, "t", money.DateOf(w.now))
			return err
		})
	case 4, 5:
		w.do(t, func() error { _, err := w.Repay(ctx, "t", id, amount, key); return err })
	case 6:
		kind := rapid.SampledFrom([]servicing.Kind{servicing.Repay, servicing.MerchantRefund, servicing.PayoutRefund}).Draw(t, "in")
		hand(servicing.Event{Kind: kind, Date: back, Amount: amount})
	case 7:
		hand(servicing.Event{Kind: servicing.Charged, Date: today, Amount: amount/10 + 1, Charge: &servicing.Charge{Name: "letter", DueOn: today}})
	case 8:
		kind := rapid.SampledFrom([]servicing.Kind{servicing.Waive, servicing.WaiveInterest, servicing.Goodwill}).Draw(t, "give")
		hand(servicing.Event{Kind: kind, Date: today, Amount: amount/10 + 1})
	case 9: // undo something that was booked by hand
		var mine []loan.Happening
		for _, h := range w.store.events[id] {
			if !strings.HasPrefix(h.Key, "payment:") && h.Event.Kind != servicing.Reverse {
				mine = append(mine, h)
			}
		}
		if len(mine) > 0 {
			hand(servicing.Event{Kind: servicing.Reverse, Date: today, Target: rapid.SampledFrom(mine).Draw(t, "undo").Event.ID})
		}
	case 10:
		w.do(t, func() error { _, err := w.Refund(ctx, li, id, amount, key); return err })
	case 11: // two persons
		w.do(t, func() error {
			ev := servicing.Event{Kind: servicing.PausePenalty, Date: today, Change: &servicing.Change{To: today + 20}}
			a, err := w.Propose(ctx, li, id, ev, "hail", key)
			if err == nil {
				_, err = w.Approve(ctx, he, a.ID, "seen")
			}
			return err
		})
	case 12:
		switch rapid.IntRange(0, 9).Draw(t, "rare") {
		case 0:
			hand(servicing.Event{Kind: servicing.WriteOff, Date: today})
		case 1, 2:
			hand(servicing.Event{Kind: servicing.ChargeOff, Date: today})
		default:
			hand(servicing.Event{Kind: servicing.Recovery, Date: today, Amount: amount})
		}
	case 13, 14:
		nr := rapid.IntRange(1, 3).Draw(t, "tranche")
		if rapid.Bool().Draw(t, "all of it") {
			amount = 0
		}
		w.do(t, func() error {
			_, err := w.DrawTranche(ctx, loan.TrancheRequest{Tenant: "t", LoanID: id, Nr: nr, Amount: amount, Key: key, Most: 1e12})
			return err
		})
	case 15:
		if rapid.IntRange(0, 4).Draw(t, "give up") == 0 {
			w.do(t, func() error { _, err := w.CancelTranches(ctx, house, id); return err })
		}
	case 16:
		if len(w.sent) > 0 {
			w.try(t, rapid.SampledFrom(w.sent).Draw(t, "again"))
		}
	}
}

// incoming are the kinds of money that came in.
var incoming = []servicing.Kind{servicing.Repay, servicing.Payoff, servicing.Recovery, servicing.MerchantRefund, servicing.PayoutRefund}

// sound compares the books of each loan with its replay.
func (w *world) sound(t *rapid.T) {
	ctx := context.Background()
	fail := w.store.fail
	w.store.fail = nil
	defer func() { w.store.fail = fail }()
	var all money.Fen
	for _, x := range w.store.sums {
		all += x
	}
	if all != 0 {
		t.Fatalf("the books differ by %s", all)
	}
	if proof, err := w.Prove(ctx, "t"); err != nil || !proof.OK() || proof.Loans != len(w.ids) {
		t.Fatalf("%+v %v", proof, err)
	}
	for _, id := range w.ids {
		w.shared(t, id)
		l := w.store.loans[id]
		for account, want := range map[string]money.Fen{
			loan.PrincipalAccount: l.Outstanding, loan.PenaltyReceivable: l.Penalty, loan.FeeReceivable: l.Fee, loan.BorrowerCredit: -l.Credit,
		} {
			if l.ChargedOff != 0 && account != loan.BorrowerCredit {
				want = 0 // no asset any more
			}
			if got := w.store.sums[[2]string{account, id}]; got != want {
				t.Fatalf("%s of %s is %s in the ledger, want %s: %+v", account, id, got, want, l)
			}
		}
		rows, err := w.Schedule(ctx, "t", id)
		if err != nil {
			t.Fatal(err)
		}
		var principal money.Fen
		for _, r := range rows {
			principal += r.Principal
		}
		var cash money.Fen
		txs, err := w.Transactions(ctx, "t", id)
		if err != nil {
			t.Fatal(err)
		}
		// A refund whose money turns out later to be missing, because what was overpaid is undone
		// or dated otherwise, is owed again: as a whole, and what there still is of it pays it.
		var again money.Fen
		for _, x := range txs {
			if x.Kind == servicing.CreditRefund && !x.Reversed && x.Principal > 0 {
				again += x.Amount
			}
			switch {
			case x.Reversed:
			case slices.Contains(incoming, x.Kind):
				cash += x.Amount
			case slices.Contains([]servicing.Kind{servicing.Disburse, servicing.CreditRefund}, x.Kind):
				cash -= x.Amount
			}
		}
		if len(rows) > 0 && principal != l.Principal+again {
			t.Fatalf("the rows sum to %s of %s with %s refunded that is owed again", principal, l.Principal, again)
		}
		w.planned(t, &l)
		if got := w.store.sums[[2]string{loan.Cash, id}]; got != cash {
			t.Fatalf("cash of %s is %s, its transactions say %s", id, got, cash)
		}
	}
}

// planned compares the plan of a loan with what went out of it.
func (w *world) planned(t *rapid.T, l *loan.Loan) {
	var out, undrawn, promised money.Fen
	for _, h := range w.store.events[l.ID] {
		if h.Event.Kind == servicing.Disburse {
			out += h.Event.Amount
		}
	}
	for i, x := range l.Tranches {
		promised += x.Amount
		switch {
		case x.State == loan.TrancheDrawn:
			out -= x.Drawn
		case x.State == loan.TranchePlanned && i > 0:
			undrawn += x.Amount
		}
		if x.Drawn > x.Amount {
			t.Fatalf("more than planned: %+v", x)
		}
	}
	if len(l.Tranches) > 0 && (out != 0 || undrawn != l.Undrawn || l.Committed() > promised || undrawn > 0 && !running(*l) && l.State != loan.Drawing) {
		t.Fatalf("%s went out beside the plan, %s are planned: %+v", out, undrawn, *l)
	}
}

// settle lets the bank answer and the day end finish, and counts the money at the bank.
func (w *world) settle(t *rapid.T) {
	ctx := context.Background()
	w.rail.lose, w.store.fail = false, nil
	if _, err := w.DayEnd(ctx, "t", money.DateOf(w.now)); err != nil {
		t.Fatal(err)
	}
	if open, _ := w.store.Unsettled(ctx, "t"); len(open) != 0 {
		t.Fatalf("unsettled: %+v", open)
	}
	w.sound(t)
	var byHand money.Fen
	for _, list := range w.store.events {
		undone := map[string]bool{}
		for _, h := range list {
			undone[h.Event.Target] = undone[h.Event.Target] || h.Event.Kind == servicing.Reverse
		}
		for _, h := range list {
			if !strings.HasPrefix(h.Key, "payment:") && !undone[h.Event.ID] && slices.Contains(incoming, h.Event.Kind) {
				byHand += h.Event.Amount
			}
		}
	}
	if got := w.store.balance(loan.Cash); got != byHand-w.rail.moved {
		t.Fatalf("cash is %s, the bank moved %s and %s came by hand", got, -w.rail.moved, byHand)
	}
}
