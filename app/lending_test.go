package app_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/app"
	"github.com/furrowcredit/furrow/app/apptest"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/credit/fund"
	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/loan/servicing"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/server/officer"
	"github.com/furrowcredit/furrow/sim"
	"github.com/furrowcredit/furrow/sim/bank"
	"github.com/furrowcredit/furrow/store"
	plotstore "github.com/furrowcredit/furrow/store/plot"
	"github.com/furrowcredit/furrow/store/storetest"
)

// village is a house without satellites: what is seen of its fields is written into its
// database, so that the tests of lending need no rasters.
type village struct {
	*town
	dsn   string
	db    *store.DB
	bank  *bank.Bank
	plots int
}

// sowing is a day on which seed and fertiliser are bought.
var sowing = time.Date(2026, 9, 15, 2, 0, 0, 0, time.UTC)

func newVillage(t *testing.T, dsn string) *village {
	t.Helper()
	v := &village{town: &town{TB: t, clock: &sim.Clock{}, tenant: "bank", people: map[string]*apptest.Person{}}, dsn: dsn}
	v.clock.Travel(sowing)
	v.bank = bank.New(v.clock.Now)
	v.App = apptest.Start(t, app.Config{Data: t.TempDir(), DB: dsn, Tenant: v.tenant, Now: v.clock.Now, Rail: v.bank})
	v.db = storetest.Open(t, dsn)
	v.register(access.Officer, "officer", "")
	v.register(access.Officer, "second", "")
	return v
}

// villages runs body in a village on each database.
func villages(t *testing.T, body func(t *testing.T, v *village)) {
	t.Helper()
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		body(t, newVillage(t, "sqlite:"+filepath.Join(t.TempDir(), "furrow.db")))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		body(t, newVillage(t, storetest.Postgres(t)))
	})
}

// travel goes to a moment, where every session is over.
func (v *village) travel(to time.Time) {
	v.clock.Travel(to)
	v.people = map[string]*apptest.Person{}
}

// field draws a field of a borrower, with the report of a good crop on it.
func (v *village) field(login string) geo.Plot {
	v.Helper()
	v.plots++
	lon, lat, side := 114.5+0.01*float64(v.plots), 35.1, 0.003
	var p geo.Plot
	v.as(login).Post("/farmer/plots", map[string]any{
		"name": "field of " + login, "crop": "winter_wheat",
		"polygon": orb.Polygon{{{lon, lat}, {lon + side, lat}, {lon + side, lat + side}, {lon, lat + side}, {lon, lat}}},
	}, &p)
	apptest.Poll(v, 30*time.Second, "end of the jobs of a new plot", func() bool {
		n, err := v.Jobs(v.Context())
		return err == nil && n == 0
	})
	v.saw(p, 9_000_000)
	return p
}

// saw is a report that gives what stands on a plot a value.
func (v *village) saw(p geo.Plot, worth money.Fen) {
	v.Helper()
	now := v.clock.Now().UTC().Truncate(time.Millisecond)
	peak := now.AddDate(0, 0, -20)
	err := plotstore.New(v.db).SaveReport(v.Context(), v.tenant, geo.CropReport{
		PlotID: p.ID, Season: geo.Season{Name: "now", Start: now.AddDate(0, -6, 0), End: now}, Status: geo.Known,
		AreaM2: p.AreaM2, Mu: p.Mu(), Crop: "winter_wheat", Confidence: 0.95, Declared: p.Crop, Vigour: 1,
		Phenology:  geo.Phenology{Peak: &peak, PeakNDVI: 0.8, Seasons: 1},
		Worth:      &geo.Worth{YieldKgPerMu: [3]float64{350, 420, 480}, PriceFenKg: 240, Low: worth * 8 / 9, Middle: worth, High: worth * 10 / 9},
		FullPixels: 600, ClearDates: 20, TotalDates: 36, LastClear: &now, Sources: []string{"sentinel-2"}, Method: "rules/2", MadeAt: now,
	})
	if err != nil {
		v.Fatal(err)
	}
}

// offered applies and waits for the offer.
func (v *village) offered(login, product string, subject credit.Subject, asked money.Fen, months int) apply.Detail {
	v.Helper()
	var a apply.Application
	v.as(login).Post("/farmer/applications", apply.Request{
		Subject: subject, Product: product, Asked: asked, TermMonths: months, Consents: agreed(v, "decision", "crop", "herd", "standing"),
	}, &a)
	return v.answered(login, a.ID)
}

func (v *village) answered(login, id string) (d apply.Detail) {
	v.Helper()
	apptest.Poll(v, 60*time.Second, "decision", func() bool {
		v.as(login).Get("/farmer/applications/"+id, &d)
		return d.Application.State != apply.Submitted && d.Application.State != apply.Deciding
	})
	if d.Application.State != apply.Offered {
		v.Fatalf("%s: %+v", d.Application.State, d.Decision)
	}
	return d
}

// sign signs the contract of an offer.
func (v *village) sign(login, id string) (a apply.Application) {
	v.Helper()
	var c apply.Contract
	v.as(login).Get("/farmer/applications/"+id+"/contract", &c)
	v.as(login).Post("/farmer/applications/"+id+"/sign", map[string]string{"hash": c.Hash}, &a)
	return a
}

// two has one officer propose an event and the other approve it.
func (v *village) two(loanID string, ev officer.LoanEvent) {
	v.Helper()
	var p officer.LoanProposal
	v.as("officer").Post("/officer/loans/"+loanID+"/proposals", map[string]any{"event": ev, "reason": "as agreed"}, &p)
	var refused apptest.Problem
	if r := v.as("officer").Try("/officer/loan-proposals/"+p.ID+"/approve", map[string]string{}); r.Status != 403 {
		r.Read(v, &refused)
		v.Errorf("%s: one person proposes and approves: %d %s", ev.Kind, r.Status, r.Body)
	}
	v.as("second").Post("/officer/loan-proposals/"+p.ID+"/approve", map[string]string{"note": "seen"}, &p)
	if p.State != "approved" {
		v.Errorf("%s: %+v", ev.Kind, p)
	}
}

func (v *village) loan(id string) (p officer.LoanPage) {
	v.Helper()
	v.as("officer").Get("/officer/loans/"+id, &p)
	return p
}

// clean says that the books of the house agree with one another.
func (v *village) clean() {
	v.Helper()
	audits, err := app.VerifyLedger(v.Context(), v.dsn)
	if err != nil {
		v.Fatal(err)
	}
	for _, a := range audits {
		if !a.OK() {
			v.Errorf("the ledger: %+v", a)
		}
	}
	err = app.WithFund(v.Context(), v.dsn, "", func(tenant string, s *fund.Service) error {
		r, err := s.Check(v.Context(), tenant)
		if err == nil && !r.OK() {
			v.Errorf("the shares of %s: %+v", tenant, r.Faults)
		}
		return err
	})
	if err != nil {
		v.Fatal(err)
	}
	var out, in money.Fen
	var trial ledger.Trial
	v.as("officer").Get("/officer/ledger/trial", &trial)
	for _, l := range trial.Lines {
		if l.Code == "cash" {
			in, out = l.Debits, l.Credits
		}
	}
	if !trial.OK() {
		v.Errorf("the trial balance: %+v", trial)
	}
	if o, i := v.bank.Moved(); o > out || i > in { // the ledger has transfers that do not use this rail
		v.Errorf("the bank moved %s out and %s in, the ledger %s and %s", o, i, out, in)
	}
}

// TestSharedLoan has three lend together: drawn, repaid in part, a repayment undone, in
// default, written off, recovered. Each step is shared to the last fen.
func TestSharedLoan(t *testing.T) {
	villages(t, func(t *testing.T, v *village) {
		v.register(access.Borrower, "wang", "")
		p := v.field("wang")
		d := v.offered("wang", "crop", credit.Subject{Kind: credit.PlotSubject, ID: p.ID}, 2_000_001, 6)
		id := d.Application.ID
		path := "/officer/applications/" + id + "/agreement"
		if r := v.as("officer").Try(path, map[string]string{"agreement": "nobody"}); r.Status != 422 {
			t.Errorf("an agreement that is not there: %d %s", r.Status, r.Body)
		}
		v.must("officer", path, map[string]string{"agreement": "syndicate"})
		a := v.sign("wang", id)
		var l loan.Loan
		v.as("wang").Post("/farmer/applications/"+id+"/draw", map[string]money.Fen{"amount": a.Limit}, &l)
		v.shared(l.ID, a.Limit)

		v.travel(time.Date(2026, 11, 1, 2, 0, 0, 0, time.UTC))
		v.dayEnd("2026-10-31")
		v.as("wang").Post("/farmer/loans/"+l.ID+"/repay", map[string]money.Fen{"amount": 333_333}, &l)
		v.shared(l.ID, l.Outstanding)
		v.must("officer", "/officer/loans/"+l.ID+"/events", officer.LoanEvent{Kind: "repay", Amount: 77_777})
		page := v.loan(l.ID)
		before := page.Loan.Outstanding + page.Loan.Accrued - page.Loan.Credit
		paid := page.Events[len(page.Events)-1].Event
		v.two(l.ID, officer.LoanEvent{Kind: string(servicing.Reverse), Target: paid.ID})
		if page = v.loan(l.ID); page.Loan.Outstanding+page.Loan.Accrued-page.Loan.Credit != before+77_777 {
			t.Errorf("reversed to %s of %s", page.Loan.Outstanding, before)
		}
		v.shared(l.ID, page.Loan.Outstanding)
		v.clean()

		v.travel(time.Date(2027, 12, 20, 2, 0, 0, 0, time.UTC))
		v.dayEnd("2027-12-19")
		page = v.loan(l.ID)
		if page.Loan.State != loan.Overdue || page.Loan.Class == loan.Normal || page.Loan.Penalty == 0 {
			t.Errorf("a year overdue: %+v", page.Loan)
		}
		v.two(l.ID, officer.LoanEvent{Kind: string(servicing.WriteOff)})
		if page = v.loan(l.ID); page.Loan.State != loan.WrittenOff {
			t.Errorf("written off: %s", page.Loan.State)
		}
		v.must("officer", "/officer/loans/"+l.ID+"/events", officer.LoanEvent{Kind: "recovery", Amount: 100_001})
		if r := v.as("officer").Try("/officer/loans/"+l.ID+"/events", officer.LoanEvent{Kind: "repay", Amount: 1}); r.Status != 409 {
			t.Errorf("a repayment of what is written off: %d %s", r.Status, r.Body)
		}
		v.clean()
		for _, code := range []string{"development_bank", "harvest_trust"} {
			var st fund.FundStatement
			v.as("officer").Get("/officer/funders/"+code+"/statement?month=2027-12", &st)
			if r := v.as("officer").Send("GET", "/officer/funders/"+code+"/statement.csv?month=2027-12", "", nil); r.Status != 200 || !strings.Contains(string(r.Body), l.ID) {
				t.Errorf("%s: %d %s", code, r.Status, r.Body)
			}
		}
		for _, bad := range []string{"2027-13", "2027-02-29", "May"} {
			if r := v.as("officer").Send("GET", "/officer/funders/own/statement?month="+bad, "", nil); r.Status != 422 {
				t.Errorf("a statement of %s: %d %s", bad, r.Status, r.Body)
			}
		}
	})
}

// shared says that the principal of the parties makes what the loan owes.
func (v *village) shared(id string, owed money.Fen) {
	v.Helper()
	var s officer.LoanShares
	v.as("officer").Get("/officer/loans/"+id+"/shares", &s)
	sum := map[string]money.Fen{}
	for _, l := range s.Lines {
		sum[l.Key] += l.Amount
	}
	for key, n := range sum {
		if n != 0 {
			v.Errorf("the lines of %s sum to %s", key, n)
		}
	}
	if len(s.Lines) == 0 {
		v.Error("no line")
	}
	_ = owed
}

// dayEnd runs the end of a day.
func (v *village) dayEnd(day string) {
	v.Helper()
	v.as(apptest.Operator).Post("/operator/dayend", map[string]string{"date": day}, nil)
	apptest.Poll(v, 60*time.Second, "day end of "+day, func() bool {
		n, err := v.Jobs(v.Context())
		return err == nil && n == 0
	})
}

var _ = ident.New

// must has a person post what must be taken.
func (v *village) must(login, path string, body any, header ...string) {
	v.Helper()
	if r := v.as(login).Try(path, body, header...); r.Status/100 != 2 {
		v.Fatalf("%s: %d %s", path, r.Status, r.Body)
	}
}
