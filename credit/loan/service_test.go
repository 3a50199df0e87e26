package loan_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/loan/servicing"
	"github.com/furrowcredit/furrow/credit/pay"
	"github.com/furrowcredit/furrow/credit/watch"
	"github.com/furrowcredit/furrow/money"
)

func (m *memory) balance(account string) (sum money.Fen) {
	for k, x := range m.sums {
		if k[0] == account {
			sum += x
		}
	}
	return sum
}

// rail settles everything, and can lose its answers.
type rail struct {
	done  map[string]pay.Order
	moved money.Fen
	lose  bool
	// refuse the next orders
	refuse bool
}

func (r *rail) Send(_ context.Context, o pay.Order) (pay.Receipt, error) {
	if r.refuse {
		return refused(o)
	}
	if _, again := r.done[o.ID]; !again {
		r.done[o.ID] = o
		if o.Direction == pay.Out {
			r.moved += o.Amount
		} else {
			r.moved -= o.Amount
		}
	}
	if r.lose {
		return pay.Receipt{}, errors.New("lost")
	}
	return pay.Receipt{OrderID: o.ID, Outcome: pay.Settled}, nil
}

func (r *rail) Query(_ context.Context, id string) (pay.Receipt, error) {
	if r.lose {
		return pay.Receipt{}, errors.New("lost")
	}
	if _, ok := r.done[id]; !ok {
		return pay.Receipt{}, pay.ErrUnseen
	}
	return pay.Receipt{OrderID: id, Outcome: pay.Settled}, nil
}

type alerts struct{ open map[string]watch.Alert }

func (a *alerts) RaiseAll(_ context.Context, list []watch.Alert) error {
	for _, x := range list {
		a.open[x.SubjectID] = x
	}
	return nil
}
func (a *alerts) Clear(_ context.Context, _, _, id, _, _ string) error {
	delete(a.open, id)
	return nil
}

// desk is a loan service on a clock that a test moves.
type desk struct {
	*loan.Service
	store  *memory
	rail   *rail
	alerts *alerts
	now    time.Time
}

type fataler interface{ Fatal(...any) }

func newDesk(t fataler) *desk {
	fsys, err := catalog.Open("")
	if err != nil {
		t.Fatal(err)
	}
	chart, err := ledger.LoadChart(fsys)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := loan.LoadRules(fsys)
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{
		store: newMemory(),
		rail:  &rail{done: map[string]pay.Order{}}, alerts: &alerts{open: map[string]watch.Alert{}},
		now: time.Date(2026, 1, 31, 4, 0, 0, 0, time.UTC),
	}
	clock := func() time.Time { return d.now }
	n := 0
	d.Service = loan.New(loan.Config{
		Store: d.store, Book: ledger.New(nil, chart, clock), Rail: d.rail, Alerts: d.alerts, Now: clock, Rules: rules,
		// Those who share a loan keep what they were told.
		Share: func(_ context.Context, l loan.Loan, moves []loan.Movement) ([]ledger.Entry, error) {
			n++
			e := ledger.Entry{Tenant: l.Tenant, Key: fmt.Sprint("share", n), Kind: "share", Date: l.DayEnd}
			for _, m := range moves {
				for part, x := range parts(m.Amount, m.Principal, m.Interest, m.Fee, m.Penalty, m.Excess) {
					item := fmt.Sprint(l.ID, " ", m.Event, " ", m.Kind, " ", part)
					e.Postings = append(e.Postings, ledger.Posting{Account: "concession", Item: item, Amount: x}, ledger.Posting{Account: "fee_income", Item: item, Amount: -x})
				}
			}
			if len(e.Postings) == 0 {
				return nil, nil
			}
			return []ledger.Entry{e}, nil
		},
	})
	return d
}

// parts are amounts by place, without those that are zero.
func parts(amounts ...money.Fen) map[int]money.Fen {
	out := map[int]money.Fen{}
	for i, x := range amounts {
		if x != 0 {
			out[i] = x
		}
	}
	return out
}

// shared compares what those who share a loan were told in all with its transactions.
func (d *desk) shared(t fataler, id string) {
	txs, err := d.Transactions(context.Background(), "t", id)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]money.Fen{}
	for _, x := range txs {
		if x.Reversed {
			continue
		}
		if x.Kind == servicing.Disburse {
			x.Principal = x.Amount
		}
		for part, amount := range parts(x.Amount, x.Principal, x.Interest, x.Fee, x.Penalty, x.Excess) {
			want[fmt.Sprint(id, " ", x.Event, " ", x.Kind, " ", part)] += amount
		}
	}
	maps.DeleteFunc(want, func(_ string, x money.Fen) bool { return x == 0 })
	got := map[string]money.Fen{}
	for k, x := range d.store.sums {
		if k[0] == "concession" && strings.HasPrefix(k[1], id+" ") && x != 0 {
			got[k[1]] = x
		}
	}
	if !maps.Equal(got, want) {
		t.Fatal(fmt.Sprintf("those who share %s were told %v\nits transactions say %v", id, got, want))
	}
}

func (d *desk) on(tb testing.TB, date string) { d.now = day(tb, date).Start().Add(12 * time.Hour) }

func (d *desk) lend(t fataler, method loan.Method, principal money.Fen, months int) loan.Loan {
	l, err := d.Draw(context.Background(), loan.DrawRequest{Key: "draw", Loan: loan.Loan{
		Tenant: "t", ApplicationID: "a", UserID: "u", Principal: principal, Rate: money.BP(720), PenaltyRate: money.BP(1080),
		Method: method, DayCount: money.Act360, TermMonths: months,
	}})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func (d *desk) rows(t fataler, id string) []loan.Instalment {
	rows, err := d.Schedule(context.Background(), "t", id)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// check compares a loan with its rows and its accounts.
func (d *desk) check(t fataler, id string) loan.Loan {
	l := d.store.loans[id]
	var principal, paid, penalty money.Fen
	for _, r := range d.rows(t, id) {
		principal += r.Principal
		paid += r.PaidPrincipal
		penalty += r.Penalty - r.PaidPenalty
		if r.PaidPrincipal > r.Principal || r.PaidInterest > r.Interest || r.PaidPenalty > r.Penalty || r.PaidPrincipal < 0 || r.PaidInterest < 0 || r.PaidPenalty < 0 {
			t.Fatal(fmt.Sprintf("row %+v", r))
		}
	}
	for account, want := range map[string]money.Fen{
		loan.PrincipalAccount: l.Outstanding, loan.InterestReceivable: l.Accrued, loan.PenaltyReceivable: l.Penalty,
		loan.BorrowerCredit: -l.Credit, loan.Cash: -d.rail.moved,
	} {
		if got := d.store.balance(account); got != want {
			t.Fatal(fmt.Sprintf("%s is %s in the ledger, want %s: %+v", account, got, want, l))
		}
	}
	if principal != l.Principal || l.Outstanding != principal-paid || penalty != l.Penalty || l.Accrued < 0 || l.Credit < 0 {
		t.Fatal(fmt.Sprintf("%+v", l))
	}
	if (l.State == loan.Overdue) != (l.OverdueDays > 0) || l.Class != loan.Classify(l.OverdueDays) {
		t.Fatal(fmt.Sprintf("%s with %d days", l.State, l.OverdueDays))
	}
	if _, told := d.alerts.open[id]; told != (l.State == loan.Overdue) {
		t.Fatal(fmt.Sprintf("%s but alert %v", l.State, told))
	}
	return l
}

func TestRepayAllocates(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), context.Background()
	l := d.lend(t, loan.InterestFirst, 1_000_000, 3) // 7.2 %: 28 days cost 5600, 31 days 6200
	// 20 days after the second due date, nothing paid yet.
	d.on(t, "2026-04-20")
	quote, err := d.Payoff(ctx, "t", l.ID)
	if err != nil {
		t.Fatal(err)
	}
	// Penalty at 10.8 % a day: 5600 → 1.68, for 51 days 2 fen each; 6200 → 1.86, 20 days 2 each.
	if quote.Penalty != 51*2+20*2 || quote.Interest != 5600+6200+4000 {
		t.Errorf("quote %+v", quote)
	}
	l, err = d.Repay(ctx, "t", l.ID, 142+5600+1000, "r1")
	if err != nil {
		t.Fatal(err)
	}
	rows := d.rows(t, l.ID)
	if rows[0].PaidPenalty != 102 || rows[0].PaidInterest != 5600 || rows[1].PaidPenalty != 40 || rows[1].PaidInterest != 1000 {
		t.Errorf("penalty before interest, oldest first: %+v", rows)
	}
	d.check(t, l.ID)
	if l.OverdueDays != 20 || l.State != loan.Overdue {
		t.Errorf("%s %d days", l.State, l.OverdueDays)
	}
	// More than is due and less than ends the loan is held and used on the due date.
	if l, err = d.Repay(ctx, "t", l.ID, 5200+300_000, "r2"); err != nil || l.Credit != 300_000 || l.State != loan.Active {
		t.Fatalf("%+v %v", l, err)
	}
	if _, err := d.DayEnd(ctx, "t", day(t, "2026-04-30")); err != nil {
		t.Fatal(err)
	}
	if l = d.check(t, l.ID); l.Credit != 0 || l.Outstanding != 1_000_000-(300_000-6000) {
		t.Errorf("%+v", l)
	}
}

func TestEarlyPayoffStopsInterest(t *testing.T) {
	t.Parallel()
	for _, method := range []loan.Method{loan.Bullet, loan.InterestFirst, loan.EqualInstalments, loan.EqualPrincipal} {
		d, ctx := newDesk(t), context.Background()
		l := d.lend(t, method, 3_000_000, 6)
		d.on(t, "2026-02-10") // 10 days: 7.2 % of 30,000 yuan for 10 days is 60 yuan
		quote, err := d.Payoff(ctx, "t", l.ID)
		if err != nil || quote.Interest < 5_990 || quote.Interest > 6_010 {
			t.Fatalf("%s: %+v %v", method, quote, err)
		}
		if l, err = d.Repay(ctx, "t", l.ID, quote.Total, "r"); err != nil || l.State != loan.Closed || l.Credit != 0 {
			t.Errorf("%s: %+v %v", method, l, err)
		}
		d.check(t, l.ID)
		if _, err := d.Repay(ctx, "t", l.ID, 1, "r2"); !errors.Is(err, loan.ErrState) {
			t.Errorf("%s: repaid twice: %v", method, err)
		}
		if again, err := d.Repay(ctx, "t", l.ID, quote.Total, "r"); err != nil || again.State != loan.Closed {
			t.Errorf("%s: the same repayment again: %v", method, err)
		}
	}
}

// On the day of the draw the loan can be given back for nothing.
func TestPayoffOnTheFirstDay(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	l := d.lend(t, loan.EqualInstalments, 3_000_000, 6)
	l, err := d.Repay(context.Background(), "t", l.ID, 3_000_000, "r")
	if err != nil || l.State != loan.Closed {
		t.Errorf("%+v %v", l, err)
	}
	d.check(t, l.ID)
}

// Missed days give what daily runs give, tier by tier.
func TestDayEndCatchesUp(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	daily, once := newDesk(t), newDesk(t)
	a := daily.lend(t, loan.EqualInstalments, 5_000_000, 6)
	b := once.lend(t, loan.EqualInstalments, 5_000_000, 6)
	due := daily.rows(t, a.ID)[0].DueOn
	tiers := map[int]loan.Class{
		0: loan.Normal, 1: loan.SpecialMention, 90: loan.SpecialMention, 91: loan.Substandard,
		270: loan.Substandard, 271: loan.Doubtful, 360: loan.Doubtful, 361: loan.Loss,
	}
	for n := -20; n <= 365; n++ {
		if _, err := daily.DayEnd(ctx, "t", due+money.Date(n)); err != nil {
			t.Fatal(err)
		}
		l := daily.check(t, a.ID)
		if want, ok := tiers[n]; ok && (l.Class != want || l.OverdueDays != n) {
			t.Errorf("%d days overdue: %s, %d", n, l.Class, l.OverdueDays)
		}
	}
	if _, err := once.DayEnd(ctx, "t", due+365); err != nil {
		t.Fatal(err)
	}
	x, y := daily.check(t, a.ID), once.check(t, b.ID)
	if x.Penalty == 0 || x.Penalty != y.Penalty || x.Accrued != y.Accrued || x.Class != y.Class {
		t.Errorf("daily %+v\nonce %+v", x, y)
	}
	if got, want := once.store.named(b.ID), daily.store.named(a.ID); !maps.Equal(got, want) || len(got) < 5 {
		t.Errorf("balances when missed days are caught up %v\nand when each is done %v", got, want)
	}
	if daily.alerts.open[a.ID].Severity != "critical" {
		t.Errorf("%+v", daily.alerts.open[a.ID])
	}
	if _, err := once.DayEnd(ctx, "t", due+5000); !errors.Is(err, loan.ErrDayEnd) {
		t.Errorf("far ahead: %v", err)
	}
}

// Random life of a loan: repayments of any size, days that pass or are missed, answers
// of the bank that are lost, crashes before a save, and everything sent again. Whatever
// happens, ledger, loan, rows and bank agree.
func TestRandomLife(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d, ctx := newDesk(t), context.Background()
		l := d.lend(t, rapid.SampledFrom([]loan.Method{loan.Bullet, loan.InterestFirst, loan.EqualInstalments, loan.EqualPrincipal}).Draw(t, "method"),
			money.Fen(rapid.Int64Range(100, 1e9).Draw(t, "principal")), rapid.IntRange(1, 12).Draw(t, "months"))
		type call struct {
			amount money.Fen
			key    string
		}
		var sent []call
		for i := range rapid.IntRange(1, 15).Draw(t, "steps") {
			d.rail.lose = rapid.IntRange(0, 3).Draw(t, "lose") == 0
			crashes := rapid.IntRange(0, 4).Draw(t, "crash") == 0
			d.store.fail = func() mishap {
				if crashes {
					crashes = false
					return crash
				}
				return none
			}
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0:
				d.now = d.now.AddDate(0, 0, rapid.IntRange(0, 40).Draw(t, "days"))
			case 1:
				_, err := d.DayEnd(ctx, "t", money.DateOf(d.now))
				if err != nil && !errors.Is(err, errCrash) {
					t.Fatal(err)
				}
			case 2:
				c := call{money.Fen(rapid.Int64Range(1, int64(l.Principal)+1000).Draw(t, "amount")), fmt.Sprint("r", i)}
				sent = append(sent, c)
				if _, err := d.Repay(ctx, "t", l.ID, c.amount, c.key); err != nil && !errors.Is(err, errCrash) && !errors.Is(err, loan.ErrState) {
					t.Fatal(err)
				}
			case 3:
				if len(sent) == 0 {
					continue
				}
				c := rapid.SampledFrom(sent).Draw(t, "again")
				if _, err := d.Repay(ctx, "t", l.ID, c.amount, c.key); err != nil && !errors.Is(err, errCrash) && !errors.Is(err, loan.ErrState) {
					t.Fatal(err)
				}
			}
		}
		// The bank answers again, and the day end settles what is open.
		d.rail.lose, d.store.fail = false, nil
		if _, err := d.DayEnd(ctx, "t", money.DateOf(d.now)); err != nil {
			t.Fatal(err)
		}
		if open, _ := d.store.Unsettled(ctx, "t"); len(open) != 0 {
			t.Fatalf("unsettled: %+v", open)
		}
		d.check(t, l.ID)
	})
}

// What a seller refunds makes the principal smaller on the same day, and interest from then
// on; money of the borrower waits for the due date.
func TestRefundOfASellerLowersThePrincipal(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for _, method := range []loan.Method{loan.Bullet, loan.InterestFirst, loan.EqualInstalments, loan.EqualPrincipal} {
		d := newDesk(t)
		l := d.lend(t, method, 3_000_000, 3)
		before := d.rows(t, l.ID)
		d.on(t, "2026-02-10")
		if _, err := d.DayEnd(ctx, "t", day(t, "2026-02-10")); err != nil {
			t.Fatal(err)
		}
		accrued := d.store.loans[l.ID].Accrued
		l, err := d.Apply(ctx, house, l.ID, servicing.Event{Kind: servicing.MerchantRefund, Amount: 1_000_000}, "back")
		if err != nil || l.Outstanding != 2_000_000 || l.Credit != 0 || l.Accrued != accrued {
			t.Fatalf("%s: %+v %v", method, l, err)
		}
		// Ten days on 30,000 yuan are earned; the last row falls due for what is left.
		after := d.rows(t, l.ID)
		for i := range after {
			if after[i].Interest >= before[i].Interest || after[i].Principal != before[i].Principal {
				t.Errorf("%s: row %d was %+v, is %+v", method, i, before[i], after[i])
			}
		}
		if method == loan.InterestFirst { // 7.2 %: 28 days cost 168 yuan; 10 of them in full, 18 for two thirds
			if after[0].Interest != 6_000+7_200 {
				t.Errorf("interest of the running row is %s", after[0].Interest)
			}
		}
		for on := day(t, "2026-02-11"); on <= day(t, "2026-02-20"); on++ { // by the day as by replay
			if _, err := d.DayEnd(ctx, "t", on); err != nil {
				t.Fatal(err)
			}
		}
		if proof, err := d.Prove(ctx, "t"); err != nil || !proof.OK() {
			t.Errorf("%s: %+v %v", method, proof, err)
		}
		d.on(t, "2026-02-20")
		quote, err := d.Payoff(ctx, "t", l.ID)
		if err != nil || quote.Principal != 2_000_000 {
			t.Fatalf("%s: %+v %v", method, quote, err)
		}
		// All the goods go back: the loan ends, and what is over is the borrower's.
		l, err = d.Apply(ctx, house, l.ID, servicing.Event{Kind: servicing.MerchantRefund, Amount: quote.Total + 70}, "all")
		if err != nil || l.Outstanding != 0 || l.State != loan.Closed || l.Credit != 70 {
			t.Errorf("%s: %+v %v", method, l, err)
		}
		d.shared(t, l.ID)
		if _, err := d.Apply(ctx, house, l.ID, servicing.Event{Kind: servicing.CreditRefund, Amount: 71}, "more"); !errors.Is(err, loan.ErrCredit) {
			t.Errorf("%s: more than is held went back: %v", method, err)
		}
		if l, err = d.Apply(ctx, house, l.ID, servicing.Event{Kind: servicing.CreditRefund, Amount: 70}, "rest"); err != nil || l.Credit != 0 {
			t.Errorf("%s: %+v %v", method, l, err)
		}
	}
}
