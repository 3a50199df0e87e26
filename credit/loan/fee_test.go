package loan_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/loan/cost"
	"github.com/furrowcredit/furrow/credit/loan/schedule"
	"github.com/furrowcredit/furrow/credit/loan/servicing"
	"github.com/furrowcredit/furrow/money"
)

// costly is a loan of 18,000 yuan by 18 equal parts of principal with a guarantee of 1 % a
// year, a premium of 20 yuan and a fee of the bank of 1 yuan a month.
func (d *desk) costly(t fataler) loan.Loan {
	l, err := d.Draw(context.Background(), loan.DrawRequest{Key: "draw", Loan: loan.Loan{
		Tenant: "t", ApplicationID: "a", UserID: "u", Principal: 1_800_000, Rate: money.BP(480), PenaltyRate: money.BP(720),
		Method: loan.EqualPrincipal, DayCount: money.Act360, TermMonths: 18, CoolingDays: 7,
		Fees: []cost.Fee{
			{Code: "guarantee", Name: map[string]string{"zh-CN": "担保费"}, Payee: cost.Guarantor, When: cost.Yearly, YearBP: 100},
			{Code: "premium", Name: map[string]string{"zh-CN": "保险费"}, Payee: cost.Insurer, When: cost.Drawdown, Fen: 2_000},
			{Code: "service", Name: map[string]string{"zh-CN": "服务费"}, Payee: cost.Bank, When: cost.Instalment, Fen: 100},
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// holds compares balances of the loan in the ledger, credits above zero.
func (d *desk) holds(t *testing.T, when, id string, want map[string]money.Fen) {
	t.Helper()
	for account, x := range want {
		if got := -d.store.sums[[2]string{account, id}] - d.store.sums[[2]string{account, ""}]; got != x { // by loan or by product
			t.Errorf("%s: %s is %s, want %s", when, account, got, x)
		}
	}
}

func (d *desk) proven(t fataler) {
	p, err := d.Prove(context.Background(), "t")
	if err != nil || !p.OK() {
		t.Fatal(p.Faults, err)
	}
}

func TestFeesFallDueOnTheirDays(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), context.Background()
	d.on(t, "2026-03-10")
	l := d.costly(t)
	// Year one of the guarantee is 180 yuan, year two 0.5 % of the 6,000 yuan that are out then.
	if l.Fee != 18_000+2_000+100 || l.NextAmount != 100_000+7_440+20_100 {
		t.Errorf("on the first day %s of fees, %s next", l.Fee, l.NextAmount)
	}
	var all money.Fen
	rows := d.rows(t, l.ID)
	for _, r := range rows {
		all += r.Fee
	}
	if all != 18_000+3_000+2_000+18*100 || rows[0].Fee != 20_100 || rows[12].Fee != 3_100 || rows[17].Fee != 100 {
		t.Errorf("the calendar has %s of fees: %+v", all, rows[12])
	}
	d.holds(t, "drawn", l.ID, map[string]money.Fen{loan.GuarantorPayable: 18_000, loan.InsurerPayable: 2_000, loan.FeeIncome: 100, loan.FeeReceivable: -20_100})
	if d.rail.moved != 1_800_000 {
		t.Errorf("%s went out: nothing may be deducted", d.rail.moved)
	}
	for i := range rows {
		d.now = rows[i].DueOn.Start().Add(12 * time.Hour)
		if _, err := d.DayEnd(ctx, "t", rows[i].DueOn-1); err != nil {
			t.Fatal(err)
		}
		now := d.store.loans[l.ID]
		if now.NextAmount != rows[i].Due {
			t.Fatalf("row %d asks for %s, the calendar said %s", i+1, now.NextAmount, rows[i].Due)
		}
		var err error
		if l, err = d.Repay(ctx, "t", l.ID, rows[i].Due, string(rune('a'+i))); err != nil {
			t.Fatal(err)
		}
		d.proven(t)
	}
	d.holds(t, "repaid", l.ID, map[string]money.Fen{loan.GuarantorPayable: 21_000, loan.InsurerPayable: 2_000, loan.FeeIncome: 1_800, loan.FeeReceivable: 0})
	if l.State != loan.Closed || l.Credit != 0 {
		t.Errorf("%+v", l)
	}
}

// Periods that have not begun when the loan ends cost nothing, and what is charged by the
// principal follows it when goods are returned.
func TestFeesEndWithTheLoan(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		do   servicing.Event
		want map[string]money.Fen
	}{
		"paid off": {servicing.Event{Kind: servicing.Payoff}, map[string]money.Fen{loan.GuarantorPayable: 18_000, loan.FeeIncome: 200, loan.FeeReceivable: 0}},
		// What others lose of their fees is no loss of the bank, whose own two fees are.
		"written off": {servicing.Event{Kind: servicing.WriteOff}, map[string]money.Fen{loan.GuarantorPayable: 0, loan.InsurerPayable: 0, loan.FeeReceivable: 0}},
		"charged off": {servicing.Event{Kind: servicing.ChargeOff}, map[string]money.Fen{loan.GuarantorPayable: 0, loan.InsurerPayable: 0, loan.FeeReceivable: 0}},
		// 15,000 of 18,000 yuan come back and pay what is overdue too; of the 3,278 that are out
		// after a year half a percent is charged, not of the 6,000 that were planned.
		"goods returned": {servicing.Event{Kind: servicing.MerchantRefund, Amount: 1_500_000}, map[string]money.Fen{loan.GuarantorPayable: 18_000 + 1_639}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, ctx := newDesk(t), context.Background()
			d.on(t, "2026-03-10")
			l := d.costly(t)
			d.on(t, "2026-04-20")
			house := loan.System
			house.Tenant = "t"
			if _, err := d.Apply(ctx, house, l.ID, c.do, "k"); err != nil {
				t.Fatal(err)
			}
			d.proven(t)
			d.on(t, "2027-12-01")
			if _, err := d.DayEnd(ctx, "t", day(t, "2027-11-30")); err != nil {
				t.Fatal(err)
			}
			d.holds(t, name, l.ID, c.want)
			d.proven(t)
		})
	}
}

func TestWaivedFeeOfAnotherCostsTheBankNothing(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), context.Background()
	d.on(t, "2026-03-10")
	l := d.costly(t)
	list, err := d.Happenings(ctx, "t", l.ID)
	if err != nil {
		t.Fatal(err)
	}
	house := loan.System
	house.Tenant = "t"
	if _, err := d.Apply(ctx, house, l.ID, servicing.Event{Kind: servicing.Waive, Target: list[1].Event.ID}, "k"); err != nil {
		t.Fatal(err)
	}
	d.holds(t, "waived", l.ID, map[string]money.Fen{loan.GuarantorPayable: 0, loan.InsurerPayable: 2_000, loan.Concession: 0, loan.FeeReceivable: -2_100})
}

func TestStepBack(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), context.Background()
	d.on(t, "2026-03-10")
	l := d.costly(t)
	d.on(t, "2026-03-17") // the last day; a day of interest is 240 fen by ACT/360
	q, err := d.Cooling(ctx, "t", l.ID)
	if err != nil || q.Quote.Total != 1_800_000+7*240 || q.Quote.Fee != 0 || q.Fees != 20_100 || q.Last != day(t, "2026-03-17") {
		t.Fatalf("%+v %v", q, err)
	}
	if _, err := d.StepBack(ctx, "t", l.ID, q.Quote.Total+1, "other"); !errors.Is(err, loan.ErrBackSum) {
		t.Errorf("another sum: %v", err)
	}
	// The answer of the bank is lost, and comes when the days are over.
	d.rail.lose = true
	if l, err = d.StepBack(ctx, "t", l.ID, q.Quote.Total, "back"); err != nil || l.State != loan.Active {
		t.Fatalf("%+v %v", l, err)
	}
	d.rail.lose = false
	d.on(t, "2026-03-20")
	if _, err := d.DayEnd(ctx, "t", day(t, "2026-03-19")); err != nil {
		t.Fatal(err)
	}
	l, err = d.StepBack(ctx, "t", l.ID, q.Quote.Total, "back")
	if err != nil || l.State != loan.Closed || l.Credit != 0 || l.Fee != 0 {
		t.Fatalf("%+v %v", l, err)
	}
	d.holds(t, "given back", l.ID, map[string]money.Fen{
		loan.GuarantorPayable: 0, loan.InsurerPayable: 0, loan.FeeIncome: 0, loan.FeeReceivable: 0, loan.PrincipalAccount: 0,
		loan.InterestIncome: 7 * 240, loan.Cash: -7 * 240,
	})
	d.proven(t)
	d.on(t, "2027-12-01") // no fee comes later
	if _, err := d.DayEnd(ctx, "t", day(t, "2027-11-30")); err != nil {
		t.Fatal(err)
	}
	d.holds(t, "later", l.ID, map[string]money.Fen{loan.GuarantorPayable: 0, loan.FeeIncome: 0})
	d.shared(t, l.ID)
}

func TestStepBackRefuses(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), context.Background()
	d.on(t, "2026-03-10")
	l := d.costly(t)
	d.on(t, "2026-03-18")
	if _, err := d.Cooling(ctx, "t", l.ID); !errors.Is(err, loan.ErrCooled) {
		t.Errorf("a day late: %v", err)
	}
	if _, err := d.StepBack(ctx, "t", l.ID, 1_801_920, "k"); !errors.Is(err, loan.ErrCooled) {
		t.Errorf("a day late: %v", err)
	}
	if _, err := d.Cooling(ctx, "t", "none"); !errors.Is(err, loan.ErrNotFound) {
		t.Errorf("no loan: %v", err)
	}
	other := newDesk(t)
	l = other.lend(t, loan.Bullet, 1_000_000, 6)
	if _, err := other.Cooling(ctx, "t", l.ID); !errors.Is(err, loan.ErrNoCooling) {
		t.Errorf("no term for it: %v", err)
	}
	if _, err := other.Repay(ctx, "t", l.ID, 1_000_000, "r"); err != nil {
		t.Fatal(err)
	}
	if _, err := other.Cooling(ctx, "t", l.ID); !errors.Is(err, loan.ErrState) {
		t.Errorf("repaid: %v", err)
	}
}

// Whatever the fees, what is charged over the life of a loan that is paid as agreed is what
// was disclosed, the books hold, and the third parties get theirs to the fen.
func TestChargesAreThoseDisclosed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d, ctx := newDesk(t), context.Background()
		l := loan.Loan{
			Tenant: "t", ApplicationID: "a", UserID: "u", Rate: money.BP(600), PenaltyRate: money.BP(900), DayCount: money.Act360,
			Principal:  money.Fen(rapid.Int64Range(1e5, 1e8).Draw(t, "principal")),
			TermMonths: rapid.IntRange(1, 15).Draw(t, "months"),
			Method:     rapid.SampledFrom([]loan.Method{loan.EqualInstalments, loan.EqualPrincipal, loan.InterestFirst, loan.Bullet}).Draw(t, "method"),
		}
		for i := range rapid.IntRange(1, 3).Draw(t, "fees") {
			f := cost.Fee{
				Code:  string(rune('a' + i)),
				Payee: rapid.SampledFrom([]cost.Payee{cost.Bank, cost.Guarantor, cost.Insurer, cost.Agency}).Draw(t, "payee"),
				When:  rapid.SampledFrom([]cost.Moment{cost.Signing, cost.Drawdown, cost.Yearly, cost.Instalment}).Draw(t, "when"),
			}
			if rapid.Bool().Draw(t, "fixed") {
				f.Fen = money.Fen(rapid.Int64Range(1, 500).Draw(t, "fen"))
			} else {
				f.YearBP = rapid.Int64Range(1, 200).Draw(t, "bp")
			}
			l.Fees = append(l.Fees, f)
		}
		terms := loan.Contract(&l).Schedule
		terms.Start = money.DateOf(d.now)
		planned, err := schedule.Make(terms)
		if err != nil {
			t.Fatal(err)
		}
		charges, err := cost.Charges(l.Fees, terms, planned)
		if err != nil {
			t.Fatal(err)
		}
		disclosed := cost.Charged(planned, charges)
		drawn, err := d.Draw(ctx, loan.DrawRequest{Key: "draw", Loan: l})
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range d.rows(t, drawn.ID) {
			if r.Fee != disclosed[i].Fee || r.Due != disclosed[i].Due {
				t.Fatalf("row %d: %+v, disclosed were %+v", i+1, r, disclosed[i])
			}
		}
		for i, r := range disclosed {
			d.now = r.DueOn.Start().Add(12 * time.Hour)
			if drawn, err = d.Repay(ctx, "t", drawn.ID, r.Due, string(rune('a'+i))); err != nil {
				t.Fatal(err)
			}
		}
		want := map[cost.Payee]money.Fen{}
		for _, c := range charges {
			want[c.Payee] += c.Amount
		}
		for payee, account := range map[cost.Payee]string{
			cost.Bank: loan.FeeIncome, cost.Guarantor: loan.GuarantorPayable, cost.Insurer: loan.InsurerPayable, cost.Agency: loan.AgencyPayable,
		} {
			got := -d.store.sums[[2]string{account, drawn.ID}] - d.store.sums[[2]string{account, ""}]
			if got != want[payee] {
				t.Fatalf("%s has %s, disclosed were %s", account, got, want[payee])
			}
		}
		if drawn.State != loan.Closed || drawn.Credit != 0 || drawn.Fee != 0 {
			t.Fatalf("%+v", drawn)
		}
		d.proven(t)
	})
}
