package application_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/credit/consent"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/profile"
	"github.com/furrowcredit/furrow/credit/watch"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/storetest"
)

// fataler is a test, of the library or of rapid.
type fataler interface {
	Helper()
	Fatal(args ...any)
}

// see changes the report of p1 and has what stands on it looked at again.
func (b *bench) see(tb fataler, change func(*geo.CropReport)) {
	tb.Helper()
	b.rooms.mu.Lock()
	r := b.rooms.reports["p1"]
	change(&r)
	b.rooms.reports["p1"] = r
	b.rooms.mu.Unlock()
	if err := b.apply.Touch(context.Background(), tenant, apply.Filter{Subject: plotRequest("p1").Subject}, apply.NewReport); err != nil {
		tb.Fatal(err)
	}
}

func worth(low money.Fen) func(*geo.CropReport) {
	return func(r *geo.CropReport) { r.Worth = &geo.Worth{Low: low} }
}

func (b *bench) detail(tb fataler, id string) apply.Detail {
	tb.Helper()
	d, err := b.apply.Detail(context.Background(), farmer, id)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

// TestLimitFollowsEvidence: a report moves a signed limit down at once and up again to
// what was signed, each with its reasons, and the customer is told; every decision on the
// way replays.
func TestLimitFollowsEvidence(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b, ctx := open(t, db), context.Background()
		a := b.signed(t, farmer, plotRequest("p1"), "k")
		signed := a.Limit
		told := len(b.notify.states)
		b.see(t, worth(900_000))
		d := b.detail(t, a.ID)
		if d.Application.Limit >= signed || d.Available != d.Application.Limit || len(b.notify.states) != told+1 {
			t.Fatalf("after a worse report: limit %s of %s, available %s, told %d times", d.Application.Limit, signed, d.Available, len(b.notify.states)-told)
		}
		if c := d.LimitChanges; len(c) != 1 || c[0].From != signed || c[0].To != d.Application.Limit || c[0].Cause != apply.NewReport ||
			len(c[0].Reasons) == 0 || c[0].DecisionID != d.Decision.ID || c[0].At.IsZero() {
			t.Fatalf("changes: %+v", c)
		}
		if _, err := b.apply.Draw(ctx, farmer, a.ID, signed, "all"); !errors.Is(err, apply.ErrAboveLimit) {
			t.Errorf("drawing what was signed: %v", err)
		}
		b.see(t, worth(900_000))
		if again := b.detail(t, a.ID); len(again.LimitChanges) != 1 {
			t.Errorf("the same evidence moved the limit: %+v", again.LimitChanges)
		}
		b.see(t, worth(9_000_000))
		if d = b.detail(t, a.ID); d.Application.Limit != signed || len(d.LimitChanges) != 2 {
			t.Errorf("better evidence gives %s, signed were %s; %+v", d.Application.Limit, signed, d.LimitChanges)
		}
		for _, c := range d.LimitChanges {
			if r, err := b.apply.Replay(ctx, auditor, c.DecisionID); err != nil || !r.Same {
				t.Errorf("replay of the decision for %+v: %v", c, err)
			}
		}

		// A critical alert keeps the limit from rising.
		b.see(t, worth(900_000))
		alert := watch.Alert{Tenant: tenant, Kind: "neighbour", Severity: "critical", SubjectKind: "plot", SubjectID: "p1", Label: "p1"}
		if err := b.desk.Raise(ctx, alert); err != nil {
			t.Fatal(err)
		}
		b.see(t, worth(9_000_000))
		if d = b.detail(t, a.ID); d.Application.Limit >= signed {
			t.Errorf("it rose to %s under a critical alert", d.Application.Limit)
		}
		if err := b.desk.Clear(ctx, tenant, "neighbour", "p1", "", "over"); err != nil {
			t.Fatal(err)
		}
		b.see(t, worth(9_000_000))
		if d = b.detail(t, a.ID); d.Application.Limit != signed {
			t.Errorf("after the alert: %s", d.Application.Limit)
		}
	})
}

// TestOfferFollowsEvidence: an offer that fell is another contract, and one that the
// evidence does not carry is taken back.
func TestOfferFollowsEvidence(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b, ctx := open(t, db), context.Background()
		a, err := b.apply.Submit(ctx, farmer, plotRequest("p1"), "k")
		if err != nil {
			t.Fatal(err)
		}
		c, err := b.apply.Contract(ctx, farmer, a.ID, "en")
		if err != nil {
			t.Fatal(err)
		}
		b.see(t, func(*geo.CropReport) {})
		if same, _ := b.apply.Contract(ctx, farmer, a.ID, "en"); same.Hash != c.Hash {
			t.Error("the contract changed although the limit did not")
		}
		b.see(t, worth(900_000))
		if _, err := b.apply.Sign(ctx, farmer, a.ID, apply.Signing{Hash: c.Hash}); !errors.Is(err, apply.ErrContract) {
			t.Errorf("signing the contract of before: %v", err)
		}
		b.see(t, func(r *geo.CropReport) { r.Worth = &geo.Worth{} })
		d := b.detail(t, a.ID)
		if d.Application.State != apply.Refused && d.Application.State != apply.Referred || len(d.LimitChanges) != 2 || d.LimitChanges[1].To != d.Application.Limit {
			t.Errorf("an offer on nothing is %s: %+v", d.Application.State, d.LimitChanges)
		}
	})
}

// TestLimitWithoutConsent: nothing more is lent while the borrower does not agree.
func TestLimitWithoutConsent(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b, ctx := open(t, db), context.Background()
		a := b.signed(t, farmer, plotRequest("p1"), "k")
		if err := b.consents.Withdraw(ctx, tenant, farmer.UserID, consent.CreditDecision, consent.Decision, consent.How{Channel: "phone", By: farmer.UserID}); err != nil {
			t.Fatal(err)
		}
		if _, err := b.apply.Draw(ctx, farmer, a.ID, 100, "d"); !errors.Is(err, loan.ErrLimit) {
			t.Errorf("drawn before the limit was looked at: %v", err)
		}
		if err := b.apply.Touch(ctx, tenant, apply.Filter{UserID: farmer.UserID}, apply.NewConsent); err != nil {
			t.Fatal(err)
		}
		d := b.detail(t, a.ID)
		if d.Application.Limit != 0 || d.Available != 0 || len(d.LimitChanges) != 1 || d.LimitChanges[0].DecisionID != "" {
			t.Errorf("%+v", d.LimitChanges)
		}
	})
}

// withLine is the catalogue with a crop loan that is drawn again and again.
type withLine struct{ fs.FS }

func (f withLine) ReadFile(name string) ([]byte, error) {
	b, err := fs.ReadFile(f.FS, name)
	if name == "products.yaml" {
		b = append(b, "\n  - code: line\n    based_on: crop\n    name: {zh-CN: 循环贷, en: Line}\n    revolving: true\n"+
			"\n  - code: portfolio\n    based_on: line\n    name: {zh-CN: 组合贷, en: Portfolio}\n    caps: [{on: product, max_fen: 2500000}]\n"+
			"\n  - code: family\n    based_on: line\n    name: {zh-CN: 家庭贷, en: Family}\n    caps: [{on: household, max_fen: 2500000}]\n"...)
	}
	return b, err
}

// revolve brings a revolving limit to a signed contract.
func (b *bench) revolve(tb testing.TB) apply.Application {
	tb.Helper()
	req := plotRequest("p1")
	req.Product, req.TermMonths = "line", 12
	return b.signed(tb, farmer, req, "line")
}

// lines are signed limits of two members of a household on one product, farmer's first.
func (b *bench) lines(t *testing.T, code string) (a, o apply.Application) {
	t.Helper()
	b.rooms.overlaps = nil
	for _, who := range []access.Actor{farmer, other} {
		p := profile.Borrower{UserID: who.UserID, Kind: "person", Region: "510105", Household: "h"}
		if _, err := b.profiles.Set(context.Background(), tenant, "officer", p); err != nil {
			t.Fatal(err)
		}
	}
	mine, others := plotRequest("p1"), plotRequest("p2")
	mine.Product, mine.TermMonths, others.Product, others.TermMonths = code, 12, code, 12
	return b.signed(t, farmer, mine, "a"), b.signed(t, other, others, "o")
}

// A bound on credit granted counts a limit whole that nobody has drawn.
func TestGrantedLimitsBound(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		if a, o := open(t, db).lines(t, "family"); a.Limit != 2_000_000 || o.Limit != 500_000 {
			t.Errorf("limits %s and %s of a household that may have 25,000 yuan", a.Limit, o.Limit)
		}
	})
}

// A bound on loans outstanding counts of others' limits what is drawn, and holds again when
// money is drawn.
func TestDrawnLimitsBound(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b, ctx := open(t, db), context.Background()
		a, o := b.lines(t, "portfolio")
		if a.Limit != 2_000_000 || o.Limit != 2_000_000 {
			t.Fatalf("limits %s and %s beside one that nobody draws", a.Limit, o.Limit)
		}
		left := func(step string, mine, others money.Fen) {
			t.Helper()
			ad, err1 := b.apply.Detail(ctx, farmer, a.ID)
			od, err2 := b.apply.Detail(ctx, other, o.ID)
			if err1 != nil || err2 != nil || ad.Available != mine || od.Available != others {
				t.Errorf("%s: left %s and %s, %v %v", step, ad.Available, od.Available, err1, err2)
			}
		}
		l, err := b.apply.Draw(ctx, farmer, a.ID, 1_500_000, "a1")
		if err != nil {
			t.Fatal(err)
		}
		left("drawn", 500_000, 1_000_000)
		if _, err := b.apply.Draw(ctx, other, o.ID, 1_200_000, "o1"); !errors.Is(err, loan.ErrLimit) {
			t.Errorf("drawn beyond what the product may lend: %v", err)
		}
		if _, err := b.apply.Draw(ctx, other, o.ID, 1_000_000, "o2"); err != nil {
			t.Error(err)
		}
		left("the product is lent out", 0, 0)
		q, err := b.loans.Payoff(ctx, tenant, l.ID)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.apply.Repay(ctx, farmer, l.ID, q.Total, "r1"); err != nil {
			t.Error(err)
		}
		left("repaid", 1_500_000, 1_000_000)
		// The payment had the limit looked at again: it is what the product leaves.
		x, err := b.profiles.Exposure(ctx, tenant, profile.Around{Household: "h", Product: "portfolio"})
		if err != nil || x.Household != 1_000_000 || x.Granted.Household != 3_500_000 || x.Product != 1_000_000 || x.Granted.Product != 3_500_000 {
			t.Errorf("sums %+v, %v", x, err)
		}
	})
}

// TestRevolvingLine: drawn and repaid freely within the limit, also by many at once, and
// over when its time is and nothing is owed.
func TestRevolvingLine(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b, ctx := open(t, db), context.Background()
		a := b.revolve(t)
		part := a.Limit / 4
		var wg sync.WaitGroup
		var mu sync.Mutex
		var loans []loan.Loan
		for i := range 8 {
			wg.Go(func() {
				l, err := b.apply.Draw(ctx, farmer, a.ID, part, fmt.Sprint("d", i))
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					loans = append(loans, l)
				case !errors.Is(err, loan.ErrLimit):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		d := b.detail(t, a.ID)
		if len(loans) != 4 || d.Drawn != 4*part || d.Available != a.Limit-4*part || len(d.Loans) != 4 || b.rail.moved != 4*part {
			t.Fatalf("%d draws, %s drawn of %s, the bank moved %s", len(loans), d.Drawn, a.Limit, b.rail.moved)
		}
		if again, err := b.apply.Draw(ctx, farmer, a.ID, part, "d0"); err == nil && !slices.ContainsFunc(loans, func(l loan.Loan) bool { return l.ID == again.ID }) {
			t.Error("the same key drew again")
		}
		repay := func(l loan.Loan, key string) {
			t.Helper()
			q, err := b.loans.Payoff(ctx, tenant, l.ID)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := b.apply.Repay(ctx, farmer, l.ID, q.Total, key); err != nil {
				t.Fatal(err)
			}
		}
		repay(loans[0], "r0")
		if d = b.detail(t, a.ID); d.Application.State != apply.Active || d.Drawn != 3*part || d.Available != a.Limit-3*part {
			t.Fatalf("repaid: %s, drawn %s, available %s of %s; %+v", d.Application.State, d.Drawn, d.Available, a.Limit, d.LimitChanges)
		}
		// The evidence carries less than what is out: no more is drawn, and what is repaid
		// does not come back.
		b.see(t, worth(100_000))
		if d = b.detail(t, a.ID); d.Application.Limit != 3*part || d.Available != 0 {
			t.Errorf("limit %s with %s drawn, available %s", d.Application.Limit, d.Drawn, d.Available)
		}
		repay(loans[1], "r1")
		if _, err := b.apply.Draw(ctx, farmer, a.ID, part, "back"); !errors.Is(err, loan.ErrLimit) {
			t.Errorf("drawn again beyond the evidence: %v", err)
		}
		if _, err := b.apply.Withdraw(ctx, farmer, a.ID); !errors.Is(err, apply.ErrState) {
			t.Errorf("ended with money out: %v", err)
		}
		repay(loans[2], "r2")
		repay(loans[3], "r3")
		if d = b.detail(t, a.ID); d.Application.State != apply.Active || d.Drawn != 0 {
			t.Errorf("all repaid: %s", d.Application.State)
		}
		b.clock.t = b.clock.now().AddDate(1, 0, 1)
		if _, err := b.apply.Draw(ctx, farmer, a.ID, 100, "late"); !errors.Is(err, apply.ErrEnded) {
			t.Errorf("drawn after the end: %v", err)
		}
		if n, err := b.apply.Expire(ctx, tenant); err != nil || n != 1 {
			t.Errorf("ended %d, %v", n, err)
		}
		if holder, _ := b.apply.PledgeOf(ctx, tenant, a.Subject); holder != "" || b.detail(t, a.ID).Application.State != apply.Closed {
			t.Error("the line is not closed")
		}
		b.sound(t)
	})
}

// Whatever comes, the limit covers what is drawn, stays within what was signed, and worse
// evidence never raises it.
func TestLimitProperties(t *testing.T) {
	t.Parallel()
	b, ctx := open(t, storetest.Open(t, "sqlite:"+t.TempDir()+"/f.db")), context.Background()
	a := b.revolve(t)
	key := 0
	rapid.Check(t, func(rt *rapid.T) {
		for range rapid.IntRange(1, 6).Draw(rt, "steps") {
			before := b.detail(rt, a.ID)
			key++
			switch rapid.IntRange(0, 2).Draw(rt, "what") {
			case 0:
				low := money.Fen(rapid.IntRange(0, 60).Draw(rt, "worth")) * 100_000
				worse := low <= b.rooms.reports["p1"].Worth.Low
				b.see(rt, worth(low))
				if after := b.detail(rt, a.ID); worse && after.Application.Limit > before.Application.Limit {
					rt.Fatalf("worse evidence raised %s to %s", before.Application.Limit, after.Application.Limit)
				}
			case 1:
				amount := money.Fen(rapid.IntRange(1, 20).Draw(rt, "amount")) * 100_000
				_, err := b.apply.Draw(ctx, farmer, a.ID, amount, fmt.Sprint("p", key))
				if (err == nil) != (amount <= before.Available) {
					rt.Fatalf("drawing %s of %s: %v", amount, before.Available, err)
				}
			case 2:
				for _, l := range before.Loans {
					if l.State == loan.Active {
						if _, err := b.apply.Repay(ctx, farmer, l.ID, min(l.Outstanding, 300_000), fmt.Sprint("p", key)); err != nil {
							rt.Fatal(err)
						}
						break
					}
				}
			}
			d := b.detail(rt, a.ID)
			if d.Drawn > d.Application.Limit || d.Application.Limit > d.Contract.Limit || d.Available < 0 || d.Drawn+d.Available > d.Application.Limit {
				rt.Fatalf("drawn %s, limit %s, signed %s, available %s", d.Drawn, d.Application.Limit, d.Contract.Limit, d.Available)
			}
		}
	})
}
