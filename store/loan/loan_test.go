package loan_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/loan/provision"
	"github.com/furrowcredit/furrow/credit/loan/servicing"
	"github.com/furrowcredit/furrow/credit/pay"
	"github.com/furrowcredit/furrow/credit/watch"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/store"
	ledgerstore "github.com/furrowcredit/furrow/store/ledger"
	loanstore "github.com/furrowcredit/furrow/store/loan"
	"github.com/furrowcredit/furrow/store/storetest"
)

type rail struct{}

func (rail) Send(_ context.Context, o pay.Order) (pay.Receipt, error) {
	return pay.Receipt{OrderID: o.ID, Outcome: pay.Settled}, nil
}

func (rail) Query(_ context.Context, id string) (pay.Receipt, error) {
	return pay.Receipt{OrderID: id, Outcome: pay.Settled}, nil
}

type alerts struct{}

func (alerts) RaiseAll(context.Context, []watch.Alert) error                       { return nil }
func (alerts) Clear(context.Context, string, string, string, string, string) error { return nil }

var (
	li = access.Actor{UserID: "li", Name: "Li", Tenant: "t", Role: access.Officer}
	he = access.Actor{UserID: "he", Name: "He", Tenant: "t", Role: access.Officer}
)

type desk struct {
	*loan.Service
	db   *store.DB
	book *ledger.Service
	mu   sync.Mutex
	now  time.Time
}

func (d *desk) clock() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now
}

func open(t *testing.T, db *store.DB) *desk {
	t.Helper()
	files, err := catalog.Open("")
	must(t, err)
	chart, err := ledger.LoadChart(files)
	must(t, err)
	rules, err := loan.LoadRules(files)
	must(t, err)
	table, err := provision.Load(files)
	must(t, err)
	d := &desk{db: db, now: time.Date(2026, 1, 10, 4, 0, 0, 0, time.UTC)}
	d.book = ledger.New(ledgerstore.New(db), chart, d.clock)
	d.Service = loan.New(loan.Config{Store: loanstore.New(db), Book: d.book, Rail: rail{}, Alerts: alerts{}, Now: d.clock, Rules: rules, Provision: table, Batch: 5})
	return d
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// application adds a signed one with a limit.
func (d *desk) application(t *testing.T, id string, limit money.Fen) {
	t.Helper()
	_, err := d.db.Exec(context.Background(), `insert into applications (id, tenant, user_id, user_name, subject_kind, subject_id, subject_name, product,
		asked, term_months, purpose, state, decision_id, loan_id, credit_limit, rate, idem_key, key_hash, created_at, updated_at)
		values ($1, 't', 'u', 'n', 'plot', $1, 's', 'crop', 1, 12, '', 'signed', '', '', $2, 0, $1, '', 0, 0)`, id, int64(limit))
	must(t, err)
}

func request(app, key string, amount money.Fen) loan.DrawRequest {
	return loan.DrawRequest{Key: key, Most: 1e9, Revolving: true, Loan: loan.Loan{
		Tenant: "t", ApplicationID: app, UserID: "u", UserName: "n", Subject: credit.Subject{Kind: credit.FirmSubject, ID: app}, Product: "crop",
		Principal: amount, Rate: money.BP(720), PenaltyRate: money.BP(1080), Method: loan.EqualInstalments, DayCount: money.Act360, TermMonths: 6,
	}}
}

// sound verifies the ledger and compares it with each loan.
func (d *desk) sound(t *testing.T) {
	t.Helper()
	ctx := context.Background()
	audit, err := d.book.Verify(ctx, "t")
	if err != nil || !audit.OK() {
		t.Fatalf("%+v %v", audit, err)
	}
	if proof, err := d.Prove(ctx, "t"); err != nil || !proof.OK() || proof.Loans == 0 {
		t.Errorf("%+v %v", proof, err)
	}
	all, err := d.Loans(ctx, "t", loan.Filter{Limit: 500})
	must(t, err)
	for _, l := range all {
		for account, want := range map[string]money.Fen{
			loan.PrincipalAccount: l.Outstanding, loan.PenaltyReceivable: l.Penalty,
			loan.FeeReceivable: l.Fee, loan.BorrowerCredit: -l.Credit, loan.LossAllowance: -l.ExpectedLoss,
		} {
			if got, err := d.book.Balance(ctx, "t", account, l.ID); err != nil || got != want {
				t.Errorf("%s of %s is %s, want %s %v", account, l.ID, got, want, err)
			}
		}
	}
}

// Two drawdowns of the last fen at once: one gets it.
func TestLastFenIsDrawnOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		d := open(t, db)
		d.application(t, "a", 100_000)
		if _, err := d.Draw(context.Background(), request("a", "first", 99_999)); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		errs := make([]error, 4)
		for i := range errs {
			wg.Go(func() { _, errs[i] = d.Draw(context.Background(), request("a", fmt.Sprint("k", i), 1)) })
		}
		wg.Wait()
		drawn := 0
		for _, err := range errs {
			if err == nil {
				drawn++
			} else if !errors.Is(err, loan.ErrLimit) {
				t.Errorf("refused with %v", err)
			}
		}
		if owed, err := d.Owed(context.Background(), "t", "a"); drawn != 1 || owed != 100_000 || err != nil {
			t.Errorf("%d drawn, %s owed, %v", drawn, owed, err)
		}
		d.sound(t)
	})
}

// Customers pay while a day end runs, which is cut off and goes on; days are missed. In the
// end every loan stands on the date and the books agree.
func TestDayEndBesideCustomers(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		d, ctx := open(t, db), context.Background()
		var ids []string
		for i := range 12 {
			app := fmt.Sprint("a", i)
			d.application(t, app, 10_000_000)
			l, err := d.Draw(ctx, request(app, "d"+app, 1_200_000))
			must(t, err)
			ids = append(ids, l.ID)
		}
		date := money.NewDate(2026, 3, 2) // two months on
		d.mu.Lock()
		d.now = date.Start().Add(12 * time.Hour)
		d.mu.Unlock()
		short, cancel := context.WithTimeout(ctx, 150*time.Millisecond)
		defer cancel()
		if _, err := d.DayEnd(short, "t", date); err == nil {
			t.Log("it was done before it was cut off")
		}
		var wg sync.WaitGroup
		for i, id := range ids[:6] {
			wg.Go(func() {
				if _, err := d.Repay(ctx, "t", id, 300_000, fmt.Sprint("r", i)); err != nil {
					t.Errorf("a customer could not pay: %v", err)
				}
			})
		}
		if _, err := d.DayEnd(ctx, "t", date); err != nil {
			t.Error(err)
		}
		wg.Wait()
		report, err := d.DayEnd(ctx, "t", date+1)
		if err != nil || report.Loans != 12 || report.Overdue == 0 {
			t.Errorf("%+v %v", report, err)
		}
		runs, err := d.Runs(ctx, "t", 1)
		if err != nil || runs[0].Phase != loan.Ended || runs[0].Date != date+1 || runs[0].Loans != 12 {
			t.Errorf("%+v %v", runs, err)
		}
		sums, err := d.Classes(ctx, "t")
		n := 0
		for _, c := range sums {
			n += c.Loans
		}
		if err != nil || n != 12 {
			t.Errorf("%+v %v", sums, err)
		}
		d.sound(t)
	})
}

// A loan goes down the tiers by its days, up again when it is paid, and another firm's loan
// goes with it; each movement is kept with its reason.
func TestTierMovesAreKept(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		d, ctx := open(t, db), context.Background()
		draw := func(app string, amount money.Fen) loan.Loan {
			d.application(t, app, 10_000_000)
			l, err := d.Draw(ctx, request(app, "d"+app, amount))
			must(t, err)
			return l
		}
		bad, good := draw("a", 1_200_000), draw("b", 600_000)
		day := bad.DrawnOn
		for range 4 { // half a year: the first instalment is more than 90 days late
			day = day.AddMonths(1)
			d.set(day)
			if _, err := d.DayEnd(ctx, "t", day); err != nil {
				t.Fatal(err)
			}
			l, err := d.Loan(ctx, "t", good.ID)
			must(t, err)
			if _, err := d.Repay(ctx, "t", good.ID, l.NextAmount, "g"+day.String()); err != nil {
				t.Fatal(err)
			}
		}
		for range 5 {
			day += 7
			d.set(day)
			if _, err := d.DayEnd(ctx, "t", day); err != nil {
				t.Fatal(err)
			}
		}
		q, err := d.PayoffOn(ctx, "t", bad.ID, day)
		must(t, err)
		if _, err := d.Repay(ctx, "t", bad.ID, q.Total, "all"); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			loan loan.Loan
			want []string
		}{
			{bad, []string{"normal special_mention days", "special_mention substandard days", "substandard normal ended"}},
			{good, []string{"normal substandard debtor"}},
		} {
			moves, err := d.TierMoves(ctx, "t", loan.MoveFilter{LoanID: c.loan.ID})
			must(t, err)
			var got []string
			for _, m := range slices.Backward(moves) {
				got = append(got, fmt.Sprint(m.From, " ", m.To, " ", m.Why))
				if m.Amount <= 0 || m.Borrower != "n" || m.Date < bad.DrawnOn {
					t.Errorf("%+v", m)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%s moved %q, want %q", c.loan.ID, got, c.want)
			}
		}
		sums, err := d.Migrations(ctx, "t", bad.DrawnOn, day)
		must(t, err)
		n := 0
		for _, m := range sums {
			n += m.Loans
		}
		if n != 2 {
			t.Errorf("%d loans moved: %+v", n, sums)
		}
		if sums, err := d.Migrations(ctx, "t", day+1, day+9); err != nil || len(sums) != 0 {
			t.Errorf("%+v %v", sums, err)
		}
	})
}

func TestTwoPersons(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		d, ctx := open(t, db), context.Background()
		d.application(t, "a", 10_000_000)
		l, err := d.Draw(ctx, request("a", "d", 1_000_000))
		must(t, err)
		off := servicing.Event{Kind: servicing.WriteOff}
		if _, err := d.Apply(ctx, li, l.ID, off, "w"); !errors.Is(err, loan.ErrSecond) {
			t.Errorf("alone: %v", err)
		}
		a, err := d.Propose(ctx, li, l.ID, off, "gone", "p")
		must(t, err)
		if again, err := d.Propose(ctx, li, l.ID, off, "gone", "p"); err != nil || again.ID != a.ID {
			t.Errorf("proposed twice: %v", err)
		}
		if _, err := d.Propose(ctx, li, l.ID, off, "other", "p"); !errors.Is(err, loan.ErrKeyReused) {
			t.Errorf("the key with another body: %v", err)
		}
		if _, err := d.Approve(ctx, li, a.ID, ""); !errors.Is(err, loan.ErrSamePerson) {
			t.Errorf("approved by who proposed: %v", err)
		}
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if _, err := d.Approve(ctx, he, a.ID, "seen"); err != nil {
					t.Errorf("approve: %v", err)
				}
			})
		}
		wg.Wait()
		if l, err = d.Loan(ctx, "t", l.ID); err != nil || l.State != loan.WrittenOff || l.Outstanding != 0 || l.Class != loan.Loss {
			t.Errorf("%+v %v", l, err)
		}
		past, err := d.Happenings(ctx, "t", l.ID)
		if err != nil || len(past) != 2 || past[1].By != "li" || past[1].Second != "he" || past[1].Note != "gone" {
			t.Errorf("%+v %v", past, err)
		}
		if _, err := d.Apply(ctx, li, l.ID, servicing.Event{Kind: servicing.Recovery, Amount: 5000}, "rec"); err != nil {
			t.Error(err)
		}
		d.sound(t)
	})
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		d, ctx := open(t, db), context.Background()
		d.application(t, "a", 10_000_000)
		l, err := d.Draw(ctx, request("a", "d", 1_000_000))
		must(t, err)
		farmer := access.Actor{UserID: "u", Tenant: "t", Role: access.Borrower}
		if _, err := d.Apply(ctx, li, l.ID, servicing.Event{Kind: servicing.Repay, Amount: 100}, "same"); err != nil {
			t.Fatal(err)
		}
		for name, c := range map[string]struct {
			who  access.Actor
			ev   servicing.Event
			key  string
			want error
		}{
			"zero":                 {li, servicing.Event{Kind: servicing.Repay}, "1", servicing.ErrAmount},
			"negative":             {li, servicing.Event{Kind: servicing.Repay, Amount: -5}, "2", servicing.ErrAmount},
			"before the drawdown":  {li, servicing.Event{Kind: servicing.Repay, Amount: 5, Date: l.DrawnOn - 1}, "3", servicing.ErrNotDrawn},
			"too far back":         {li, servicing.Event{Kind: servicing.Repay, Amount: 5, Date: l.DrawnOn - 400}, "4", loan.ErrBackDate},
			"tomorrow":             {li, servicing.Event{Kind: servicing.Repay, Amount: 5, Date: l.DrawnOn + 1}, "5", loan.ErrAhead},
			"unknown kind":         {li, servicing.Event{Kind: "gift", Amount: 5}, "6", access.ErrRole},
			"a drawdown":           {li, servicing.Event{Kind: servicing.Disburse, Amount: 5}, "7", access.ErrRole},
			"a borrower":           {farmer, servicing.Event{Kind: servicing.Repay, Amount: 5}, "8", access.ErrRole},
			"no key":               {li, servicing.Event{Kind: servicing.Repay, Amount: 5}, "", loan.ErrKey},
			"key with other body":  {li, servicing.Event{Kind: servicing.Repay, Amount: 5}, "same", loan.ErrKeyReused},
			"unknown target":       {loan.System, servicing.Event{Kind: servicing.Reverse, Target: "nothing"}, "9", servicing.ErrTarget},
			"more than is held":    {loan.System, servicing.Event{Kind: servicing.CreditRefund, Amount: 101}, "11", loan.ErrCredit},
			"undoing the drawdown": {loan.System, servicing.Event{Kind: servicing.Reverse, Target: "draw"}, "10", loan.ErrDrawdown},
		} {
			c.who.Tenant = "t"
			if c.ev.Target == "draw" {
				past, err := d.Happenings(ctx, "t", l.ID)
				must(t, err)
				c.ev.Target = past[0].Event.ID
			}
			if _, err := d.Apply(ctx, c.who, l.ID, c.ev, c.key); !errors.Is(err, c.want) {
				t.Errorf("%s: got %v, want %v", name, err, c.want)
			}
		}
		if _, err := d.Refund(ctx, li, l.ID, 101, "refund"); !errors.Is(err, loan.ErrCredit) {
			t.Errorf("refund of more than is held: %v", err)
		}
		if after, err := d.Refund(ctx, li, l.ID, 100, "refund2"); err != nil || after.Credit != 0 {
			t.Errorf("refund: %+v %v", after, err)
		}
		if after, err := d.Loan(ctx, "t", l.ID); err != nil || after.Outstanding != 1_000_000 {
			t.Errorf("%+v %v", after, err)
		}
		d.sound(t)
	})
}

// A loan from before there were events is carried forward: its payments become events, and
// its books agree after the next day end.
func TestOldLoansAreCarriedForward(t *testing.T) {
	t.Parallel()
	for _, dsn := range []string{"sqlite:" + t.TempDir() + "/f.db", ""} {
		if dsn == "" {
			dsn = storetest.Postgres(t)
		}
		db := storetest.Open(t, dsn)
		d, ctx := open(t, db), context.Background()
		d.application(t, "a", 10_000_000)
		l, err := d.Draw(ctx, request("a", "d", 1_000_000))
		must(t, err)
		if l, err = d.Repay(ctx, "t", l.ID, 5000, "r"); err != nil || l.Credit != 5000 {
			t.Fatalf("%+v %v", l, err)
		}
		for _, stmt := range []string{
			`drop index loans_class`, `drop index loans_debtor`, `drop table loan_days`, `drop table loan_events`, `drop table loan_actions`,
			`drop table day_end_runs`, `create table instalments (loan_id text, nr bigint, body text)`,
			`delete from schema_version where name like '%0029_loan_event.sql'`,
		} {
			_, err := db.Exec(ctx, stmt)
			must(t, err)
		}
		for _, column := range []string{"terms", "product", "class", "overdue_days", "stage", "expected_loss", "retail", "floor", "posted", "events"} {
			_, err := db.Exec(ctx, `alter table loans drop column `+column)
			must(t, err)
		}
		old := open(t, storetest.Open(t, dsn))
		after, err := old.Loan(ctx, "t", l.ID)
		if err != nil || after.Outstanding != 1_000_000 || after.Credit != 5000 || after.Product != "crop" || after.Position.Events != 2 {
			t.Fatalf("%+v %v", after, err)
		}
		if report, err := old.DayEnd(ctx, "t", l.DrawnOn+40); err != nil || report.Loans != 1 {
			t.Errorf("%+v %v", report, err)
		}
		old.sound(t)
	}
}
