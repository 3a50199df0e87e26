package app_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/app"
	"github.com/furrowcredit/furrow/app/apptest"
	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/credit/collateral"
	"github.com/furrowcredit/furrow/credit/contract"
	"github.com/furrowcredit/furrow/credit/fund"
	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/loan/servicing"
	"github.com/furrowcredit/furrow/credit/pay"
	"github.com/furrowcredit/furrow/credit/pay/purchase"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/server/anchor"
	"github.com/furrowcredit/furrow/server/officer"
	"github.com/furrowcredit/furrow/server/route"
	"github.com/furrowcredit/furrow/sim"
	"github.com/furrowcredit/furrow/sim/bank"
	"github.com/furrowcredit/furrow/store"
	collateralstore "github.com/furrowcredit/furrow/store/collateral"
	ledgerstore "github.com/furrowcredit/furrow/store/ledger"
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

func newVillage(t *testing.T, dsn string, change ...func(*app.Config)) *village {
	t.Helper()
	v := &village{town: &town{TB: t, clock: &sim.Clock{}, tenant: "bank", people: map[string]*apptest.Person{}}, dsn: dsn}
	v.clock.Travel(sowing)
	v.bank = bank.New(v.clock.Now)
	cfg := app.Config{Data: t.TempDir(), DB: dsn, Tenant: v.tenant, Now: v.clock.Now, Rail: v.bank}
	for _, f := range change {
		f(&cfg)
	}
	v.App = apptest.Start(t, cfg)
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
	if r := v.as("officer").Try("/officer/loan-proposals/"+p.ID+"/approve", map[string]string{}); r.Status != 403 {
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
		v.shared(l.ID)

		v.travel(time.Date(2026, 11, 1, 2, 0, 0, 0, time.UTC))
		v.dayEnd("2026-10-31")
		v.as("wang").Post("/farmer/loans/"+l.ID+"/repay", map[string]money.Fen{"amount": 333_333}, &l)
		v.shared(l.ID)
		v.must("officer", "/officer/loans/"+l.ID+"/events", officer.LoanEvent{Kind: "repay", Amount: 77_777})
		page := v.loan(l.ID)
		before := page.Loan.Outstanding + page.Loan.Accrued - page.Loan.Credit
		paid := page.Events[len(page.Events)-1].Event
		v.two(l.ID, officer.LoanEvent{Kind: string(servicing.Reverse), Target: paid.ID})
		if page = v.loan(l.ID); page.Loan.Outstanding+page.Loan.Accrued-page.Loan.Credit != before+77_777 {
			t.Errorf("reversed to %s of %s", page.Loan.Outstanding, before)
		}
		v.shared(l.ID)
		v.clean()

		v.travel(time.Date(2027, 12, 20, 2, 0, 0, 0, time.UTC))
		v.dayEnd("2027-12-19")
		page = v.loan(l.ID)
		if page.Loan.State != loan.Overdue || page.Loan.Class == loan.Normal || page.Loan.Penalty == 0 {
			t.Errorf("a year overdue: %+v", page.Loan)
		}
		var moves route.List[loan.TierMove]
		v.as("officer").Get("/officer/tier-moves?limit=1&loan_id="+l.ID, &moves)
		if len(moves.Items) != 1 || moves.Next == "" || moves.Items[0].To != page.Loan.Class || moves.Items[0].Why != loan.ByDays || moves.Items[0].Borrower != "name of wang" {
			t.Errorf("the last movement: %+v", moves)
		}
		var matrix officer.TierMatrix
		v.as("officer").Get("/officer/tier-matrix?from=2026-09-01", &matrix)
		if len(matrix.Cells) != 1 || matrix.Cells[0].From != loan.Normal || matrix.Cells[0].To != page.Loan.Class || matrix.Cells[0].Loans != 1 {
			t.Errorf("the migration: %+v", matrix)
		}
		for _, bad := range []string{"tier-moves?from=2027-02-29", "tier-matrix?from=2027-02-02&to=2027-02-01", "tier-moves?limit=501"} {
			if r := v.as("officer").Send("GET", "/officer/"+bad, "", nil); r.Status != 422 {
				t.Errorf("%s: %d %s", bad, r.Status, r.Body)
			}
		}
		if r := v.as("wang").Send("GET", "/officer/tier-moves", "", nil); r.Status != 403 {
			t.Errorf("a borrower reads the tiers: %d", r.Status)
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

// shared says that a loan has shares, and that each of their entries is balanced.
func (v *village) shared(id string) {
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

// must has a person post what must be taken.
func (v *village) must(login, path string, body any, header ...string) {
	v.Helper()
	if r := v.as(login).Try(path, body, header...); r.Status/100 != 2 {
		v.Fatalf("%s: %d %s", path, r.Status, r.Body)
	}
}

// TestDirectedPayment follows directed money from the enrolment of a seller to the refund
// of a part of the goods.
func TestDirectedPayment(t *testing.T) {
	villages(t, func(t *testing.T, v *village) {
		v.register(access.Borrower, "wang", "")
		var shop chain.Party
		v.as(apptest.Operator).Post("/operator/firms", map[string]any{"uscc": creditCode(3), "name": "青穗县惠农农资有限公司", "anchor": true}, &shop)
		v.register(access.Anchor, "shop", shop.ID)
		terms := map[string]any{"firm_id": shop.ID, "categories": []string{"seed", "fertiliser"}, "account": "6222 0000 1234 5678", "bank": "青穗银行", "from": "2026-01-01", "to": "2027-12-31"}
		var seller purchase.Seller
		v.as("officer").Post("/officer/sellers", terms, &seller)
		if r := v.as("officer").Try("/officer/sellers/"+seller.ID+"/approve", nil); r.Status != 403 {
			t.Errorf("one person proposes and enrols: %d %s", r.Status, r.Body)
		}
		p := v.field("wang")
		d := v.offered("wang", "inputs", credit.Subject{Kind: credit.PlotSubject, ID: p.ID}, 3_000_000, 9)
		id := d.Application.ID
		v.sign("wang", id)
		order := map[string]any{
			"application_id": id, "seller_id": seller.ID,
			"lines": []map[string]any{{"goods": "wheat_seed", "quantity": "1000", "price": 500}, {"goods": "urea", "quantity": "500.5", "price": 250}},
		}
		if r := v.as("wang").Try("/farmer/purchases", order); r.Status != 422 || !placed(t, r, "body.seller_id") {
			t.Errorf("a seller whom nobody approved: %d %s", r.Status, r.Body)
		}
		v.must("second", "/officer/sellers/"+seller.ID+"/approve", nil)
		if r := v.as("wang").Try("/farmer/applications/"+id+"/draw", map[string]int{"amount": 100_000}); r.Status/100 != 4 {
			t.Errorf("directed money to the borrower: %d %s", r.Status, r.Body)
		}
		var shelf purchase.Shelf
		v.as("wang").Get("/farmer/applications/"+id+"/shelf", &shelf)
		for place, line := range map[string]map[string]any{
			"body.lines[1].goods":    {"goods": "poems", "quantity": "1", "price": 500},
			"body.lines[1].quantity": {"goods": "wheat_seed", "quantity": "-1", "price": 500},
			"body.lines[1].price":    {"goods": "wheat_seed", "quantity": "1", "price": 5000},
			"body.lines[1].unit":     {"goods": "wheat_seed", "quantity": "1", "price": 500, "unit": "lb"},
		} {
			bad := map[string]any{"application_id": id, "seller_id": seller.ID, "lines": []any{order["lines"].([]map[string]any)[0], line}}
			if r := v.as("wang").Try("/farmer/purchases", bad); r.Status != 422 || !placed(t, r, place) {
				t.Errorf("%v: %d %s", line, r.Status, r.Body)
			}
		}
		for place, change := range map[string]any{"body.currency": "USD", "body.amount": 1} {
			bad := map[string]any{strings.TrimPrefix(place, "body."): change}
			for k, x := range order {
				bad[k] = x
			}
			if r := v.as("wang").Try("/farmer/purchases", bad); r.Status != 422 || !placed(t, r, place) {
				t.Errorf("%v: %d %s", bad, r.Status, r.Body)
			}
		}
		var orders route.List[purchase.Order]
		if v.as("wang").Get("/farmer/purchases", &orders); len(orders.Items) != 0 {
			t.Errorf("refused orders are kept: %+v", orders)
		}

		const key = "order-of-wang"
		var o purchase.Order
		r := v.as("wang").Try("/farmer/purchases", order, "Idempotency-Key", key)
		if r.Read(t, &o); r.Status != 200 || o.State != purchase.Submitted || o.Amount != 625_125 {
			t.Fatalf("%d %s", r.Status, r.Body)
		}
		order["lines"] = order["lines"].([]map[string]any)[:1]
		if r := v.as("wang").Try("/farmer/purchases", order, "Idempotency-Key", key); r.Status != 409 {
			t.Errorf("another order under the same key: %d %s", r.Status, r.Body)
		}
		sale := "/anchor/sales/" + o.ID
		v.as("shop").Post(sale+"/confirm", nil, &o)
		if o.State != purchase.Confirmed {
			t.Errorf("the shop is paid before the delivery: %s", o.State)
		}
		if r := v.as("shop").Try(sale+"/deliver", map[string]string{"receipt_hash": "none"}); r.Status != 422 {
			t.Errorf("a receipt without a hash: %d %s", r.Status, r.Body)
		}
		v.as("shop").Post(sale+"/deliver", map[string]string{"receipt_hash": strings.Repeat("ab", 32)}, &o)
		if o.State != purchase.Paid || o.LoanID == "" {
			t.Fatalf("delivered: %+v", o)
		}
		if out, _ := v.bank.Moved(); out != o.Amount {
			t.Errorf("the bank paid %s", out)
		}
		page := v.loan(o.LoanID)
		if page.Loan.Outstanding != o.Amount || page.Payments[0].Payee == nil || page.Payments[0].Payee.Account != "6222000012345678" {
			t.Errorf("the loan %+v, paid %+v", page.Loan, page.Payments)
		}

		// The shop sees the loan that paid it, and no more of it than it may; another firm nothing.
		var other chain.Party
		v.as(apptest.Operator).Post("/operator/firms", map[string]any{"uscc": creditCode(4), "name": "远山县丰收农资有限公司", "anchor": true}, &other)
		v.register(access.Anchor, "other", other.ID)
		var seen route.List[anchor.FinancedLoan]
		v.as("shop").Get("/anchor/loans", &seen)
		want := anchor.FinancedLoan{
			Basis: "sale", Ref: o.ID, Name: "name of wang", Product: "inputs", Amount: o.Amount, State: loan.Active, DrawnOn: page.Loan.DrawnOn, DueOn: page.Loan.DueOn,
		}
		if len(seen.Items) != 1 || seen.Items[0] != want {
			t.Errorf("the shop sees %+v, want %+v", seen.Items, want)
		}
		if v.as("other").Get("/anchor/loans", &seen); len(seen.Items) != 0 {
			t.Errorf("another firm sees %+v", seen.Items)
		}

		back := map[string]any{"lines": []map[string]int{{"nr": 2, "amount": 25_000}}, "reason": "returned"}
		r = v.as("shop").Try(sale+"/refund", back, "Idempotency-Key", "refund-of-shop")
		if r.Read(t, &o); r.Status != 200 || o.State != purchase.Paid || o.Refunded != 25_000 {
			t.Fatalf("refund: %d %s", r.Status, r.Body)
		}
		back["reason"] = "another"
		if r := v.as("shop").Try(sale+"/refund", back, "Idempotency-Key", "refund-of-shop"); r.Status != 409 {
			t.Errorf("another refund under the same key: %d %s", r.Status, r.Body)
		}
		back["lines"] = []map[string]int{{"nr": 2, "amount": 625_125}}
		if r := v.as("shop").Try(sale+"/refund", back); r.Status != 422 {
			t.Errorf("more back than was paid: %d %s", r.Status, r.Body)
		}
		if page = v.loan(o.LoanID); page.Loan.Outstanding-page.Loan.Credit != o.Amount-25_000 {
			t.Errorf("after the refund: %+v", page.Loan)
		}
		var trace purchase.Trace
		v.as("wang").Get("/farmer/loans/"+o.LoanID+"/trace", &trace)
		if trace.Drawn != o.Amount || trace.Traced != o.Amount || trace.Delivered != o.Amount || trace.Untraced != 0 || trace.Refunded != 25_000 || len(trace.Parts) != 1 || len(trace.Parts[0].Gaps) != 0 {
			t.Errorf("%+v", trace)
		}

		day := money.DateOf(v.clock.Now())
		body, err := v.bank.Statement(t.Context(), day)
		if err != nil {
			t.Fatal(err)
		}
		v.travel(sowing.AddDate(0, 0, 1))
		compare := func(name string, file []byte) apptest.Reply {
			return v.as("officer").Upload("/officer/statements", map[string]string{"day": day.String()}, name, file)
		}
		if r := compare("dollars.csv", []byte(strings.ReplaceAll(string(body), "CNY", "USD"))); r.Status != 422 || !strings.Contains(string(r.Body), "dollars.csv:") {
			t.Errorf("a statement in dollars: %d %s", r.Status, r.Body)
		}
		var report pay.Report
		r = compare("s.csv", body)
		if r.Read(t, &report); r.Status != 200 || report.Open() != 0 || report.Matched != 2 || report.BankOut != o.Amount || report.BankIn != 25_000 {
			t.Errorf("compared: %d %s", r.Status, r.Body)
		}
		again, err := app.ReconcileStatement(t.Context(), v.dsn, v.tenant, pay.Statement{Name: "s.csv", Body: body, Day: day})
		if err != nil || again.Open() != 0 || again.Matched != 2 {
			t.Errorf("by the command: %+v, %v", again, err)
		}
		v.clean()
	})
}

// placed says whether a refusal names a place of the request.
func placed(t testing.TB, r apptest.Reply, place string) bool {
	t.Helper()
	var p apptest.Problem
	r.Read(t, &p)
	for _, e := range p.Errors {
		if e.Location == place && e.Message != "" {
			return true
		}
	}
	return false
}

// TestCollateral pledges with a signature, releases a part as the loan is repaid, calls
// when a field is worth less, and takes the proceeds of a sale. It ends with the loan.
func TestCollateral(t *testing.T) {
	t.Parallel()
	files, err := catalog.Open("")
	if err != nil {
		t.Fatal(err)
	}
	products, err := fs.ReadFile(files, "products.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const harvest = "    method: bullet           # after the harvest\n"
	dir := t.TempDir()
	changed := strings.Replace(string(products), harvest, harvest+"    release: {cover_bp: 12000, replace: true, proof_days: 90, by: officer}\n", 1)
	if err := os.WriteFile(filepath.Join(dir, "products.yaml"), []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	v := newVillage(t, "sqlite:"+filepath.Join(t.TempDir(), "furrow.db"), func(c *app.Config) { c.Catalog = dir })
	v.register(access.Borrower, "wang", "")
	first := v.field("wang")
	second := v.field("wang")
	d := v.offered("wang", "crop", credit.Subject{Kind: credit.PlotSubject, ID: first.ID}, 2_000_000, 6)
	id := d.Application.ID
	v.sign("wang", id)
	pool := "/officer/applications/" + id + "/collateral"
	held := func() (x collateral.Picture) {
		t.Helper()
		v.as("officer").Get(pool, &x)
		return x
	}
	if x := held(); len(x.Pool.Assets) != 1 || x.Pool.Assets[0].Ref != first.ID || x.Cover.Owed != 0 {
		t.Fatalf("signed: %+v", x)
	}
	var l loan.Loan
	v.as("wang").Post("/farmer/applications/"+id+"/draw", map[string]int{"amount": 2_000_000}, &l)
	v.must("officer", pool+"/pledge", map[string]any{"take": []collateral.Named{{Kind: collateral.Crop, Ref: second.ID}}, "note": "more"})
	if x := held(); len(x.Pool.Assets) != 2 || x.Cover.Owed != 2_000_000 || x.Cover.Assets != 2 {
		t.Fatalf("drawn: %+v", x)
	}
	v.as("wang").Post("/farmer/loans/"+l.ID+"/repay", map[string]int{"amount": 200_000}, nil)
	act := func(kind string, body any) {
		t.Helper()
		var a collateral.Answer
		v.as("officer").Post(pool+"/"+kind, body, &a)
		if a.Proposal == nil {
			t.Fatalf("%s by one person: %+v", kind, a)
		}
		path := "/officer/collateral-proposals/" + a.Proposal.ID + "/agree"
		if r := v.as("officer").Try(path, nil); r.Status != 403 {
			t.Errorf("%s: one person proposes and agrees: %d %s", kind, r.Status, r.Body)
		}
		v.must("second", path, nil)
	}
	assets := held().Pool.Assets
	act("release", map[string]any{"assets": []string{assets[1].ID}, "note": "repaid in part"})
	if r := v.as("officer").Try(pool+"/release", map[string]any{"assets": []string{assets[0].ID}}); r.Status != 409 {
		t.Errorf("the last cover is released: %d %s", r.Status, r.Body)
	}

	v.travel(sowing.AddDate(0, 0, 20))
	v.saw(first, 1_800_000)
	v.dayEnd(money.DateOf(sowing.AddDate(0, 0, 19)).String())
	x := held()
	if x.Pool.Call == nil || x.Pool.Call.Repay <= 0 || x.Cover.Shortfall <= 0 {
		t.Fatalf("a field of less worth calls for nothing: %+v", x)
	}
	var called route.List[collateral.Answer]
	if v.as("officer").Get("/officer/collateral?called=true", &called); len(called.Items) != 1 {
		t.Errorf("called: %+v", called)
	}
	owed := v.loan(l.ID).Payoff.Total
	act("sale", map[string]any{"assets": []string{assets[0].ID}, "gross": 1_500_000, "payer": "青穗县面粉厂"})
	if left := v.loan(l.ID).Payoff.Total; left > owed-1_500_000+1000 || left < owed-1_500_000-1000 {
		t.Errorf("the sale left %s of %s", left, owed)
	}
	v.as("wang").Post("/farmer/loans/"+l.ID+"/repay", map[string]money.Fen{"amount": v.loan(l.ID).Payoff.Total}, &l)
	if l.State != loan.Closed {
		t.Errorf("repaid: %+v", l)
	}
	if x := held(); !x.Pool.Closed || x.Cover.Owed != 0 {
		t.Errorf("the loan is repaid and the pool %+v", x)
	}
	v.clean()
	chart, err := ledger.LoadChart(files)
	if err != nil {
		t.Fatal(err)
	}
	pools := collateral.New(collateral.Config{Store: collateralstore.New(v.db), Book: ledger.New(ledgerstore.New(v.db), chart, v.clock.Now), Now: v.clock.Now})
	if n, doubts, err := pools.Verify(t.Context(), v.tenant); err != nil || n != 1 || len(doubts) != 0 {
		t.Errorf("%d pools, %+v, %v", n, doubts, err)
	}
}

// TestContract goes from a draft to a contract that is signed, and finds a byte that
// somebody changed; the farmer's and the officer's copy are the same.
func TestContract(t *testing.T) {
	villages(t, func(t *testing.T, v *village) {
		v.register(access.Borrower, "wang", "")
		v.register(access.Borrower, "li.na", "")
		p := v.field("wang")
		part := apply.Partial{Subject: credit.Subject{Kind: credit.PlotSubject, ID: p.ID}}
		var a apply.Application
		r := v.as("wang").Try("/farmer/drafts", part, "Idempotency-Key", "draft-of-wang")
		if r.Read(t, &a); r.Status != 200 || a.State != apply.Draft {
			t.Fatalf("%d %s", r.Status, r.Body)
		}
		consents := map[string]any{"consents": agreed(t, "decision", "crop")}
		if r := v.as("wang").Try("/farmer/drafts/"+a.ID+"/send", consents); r.Status != 422 {
			t.Errorf("a draft of nothing is sent: %d %s", r.Status, r.Body)
		}
		part.Product, part.Asked, part.TermMonths, part.Purpose = "crop", 1_000_000, 6, "买种子"
		body, err := json.Marshal(part)
		if err != nil {
			t.Fatal(err)
		}
		if r := v.as("li.na").Send("PUT", "/farmer/drafts/"+a.ID, "application/json", bytes.NewReader(body)); r.Status != 404 {
			t.Errorf("another's draft: %d %s", r.Status, r.Body)
		}
		if r := v.as("wang").Send("PUT", "/farmer/drafts/"+a.ID, "application/json", bytes.NewReader(body)); r.Status != 200 {
			t.Fatalf("%d %s", r.Status, r.Body)
		}
		v.must("wang", "/farmer/drafts/"+a.ID+"/send", consents)
		id := v.answered("wang", a.ID).Application.ID
		own, house := "/farmer/applications/"+id, "/officer/applications/"+id
		var preview apply.Preview
		v.as("wang").Get(own+"/preview?amount=500000", &preview)
		for _, bad := range []string{"?amount=-1", "?amount=999999999999", "?method=poem", "?term_months=400"} {
			if r := v.as("wang").Send("GET", own+"/preview"+bad, "", nil); r.Status != 422 {
				t.Errorf("a preview of %s: %d %s", bad, r.Status, r.Body)
			}
		}
		if r := v.as("officer").Try(house+"/guarantors", map[string]any{"guarantors": []map[string]string{{"name": "somebody"}}}); r.Status != 422 || !placed(t, r, "body.guarantors") {
			t.Errorf("a guarantor of a product that takes none: %d %s", r.Status, r.Body)
		}
		v.must("wang", own+"/accept", nil)
		offer := v.as("wang").Send("GET", own+"/contract.pdf", "", nil)
		if offer.Status != 200 || !strings.HasPrefix(string(offer.Body), "%PDF") {
			t.Fatalf("%d %.200s", offer.Status, offer.Body)
		}
		if r := v.as("li.na").Send("GET", own+"/contract.pdf", "", nil); r.Status != 404 {
			t.Errorf("another's contract: %d", r.Status)
		}
		v.as("wang").Post(own+"/sign", map[string]string{"hash": offer.Header.Get("Content-SHA256")}, &a)
		if a.State != apply.Signed {
			t.Errorf("%+v", a)
		}
		for login, path := range map[string]string{"wang": own, "officer": house} {
			if r := v.as(login).Send("GET", path+"/contract.pdf", "", nil); r.Status != 200 || !bytes.Equal(r.Body, offer.Body) {
				t.Errorf("the copy of %s: %d, %d of %d bytes", login, r.Status, len(r.Body), len(offer.Body))
			}
			var marks route.List[contract.Signature]
			if v.as(login).Get(path+"/signatures", &marks); len(marks.Items) == 0 {
				t.Errorf("%s sees no signature", login)
			}
		}
		verify := func(file []byte) (c apply.ContractCheck) {
			t.Helper()
			v.as("officer").Upload("/officer/contracts/verify", map[string]string{"application_id": id}, "c.pdf", file).Read(t, &c)
			return c
		}
		if c := verify(offer.Body); !c.Genuine || c.ApplicationID != id || len(c.Signatures) == 0 {
			t.Errorf("%+v", c)
		}
		other := bytes.Clone(offer.Body)
		other[len(other)/2] ^= 1
		if c := verify(other); c.Genuine {
			t.Errorf("a byte was changed: %+v", c)
		}
		v.intake()
	})
}

// intake brings a table of applications: tried, entered, and sent again.
func (v *village) intake() {
	v.Helper()
	p := v.field("wang")
	row := func(amount, currency string) string {
		return strings.Join([]string{"wang", "地块", p.ID, "种植贷", amount, currency, "6", "买种子", "决策、作物", "纸质-1", "2026-09-10", "", ""}, ",")
	}
	const head = "借款人,依据类型,依据,产品,申请金额,币种,期限,用途,授权项目,授权书编号,授权日期,申请日期,补录原因"
	send := func(login string, dry bool, rows ...string) (r apply.ImportReport) {
		v.Helper()
		got := v.as(login).Upload("/officer/intake", map[string]string{"dry_run": fmt.Sprint(dry)}, "a.csv", []byte(head+"\n"+strings.Join(rows, "\n")+"\n"))
		if got.Status != 200 {
			v.Fatalf("%d %s", got.Status, got.Body)
		}
		got.Read(v, &r)
		return r
	}
	if r := send("officer", true, row("8000.00", "CNY"), row("9000", "USD"), row("-5", "CNY")); r.Rows != 3 || r.Good != 1 || r.Created != 0 || len(r.Remarks) != 2 || r.Remarks[0].Why == "" {
		v.Errorf("tried: %+v", r)
	}
	good := row("8000.00", "CNY")
	if r := send("officer", false, good, row("9000", "USD")); r.Created != 0 {
		v.Errorf("half of a bad table is entered: %+v", r)
	}
	if r := send("officer", false, good); r.Created != 1 || len(r.Remarks) != 0 {
		v.Errorf("entered: %+v", r)
	}
	if r := send("officer", false, good); r.Created != 0 || r.Known != 1 {
		v.Errorf("the same file again: %+v", r)
	}
	back := strings.Replace(row("7000.00", "CNY"), "2026-09-10,,", "2026-09-10,2026-09-10,来晚了", 1)
	if r := send("officer", false, back); r.Created != 0 || len(r.Remarks) != 1 {
		v.Errorf("an officer dates back: %+v", r)
	}
}

// TestRefusedMoney sends what must be refused with its place, and leaves nothing behind;
// then it reads the loan in every way that an officer has.
func TestRefusedMoney(t *testing.T) {
	villages(t, func(t *testing.T, v *village) {
		wang := v.register(access.Borrower, "wang", "")
		p := v.field("wang")
		for place, x := range map[string]any{
			"body.asked": -1, "body.term_months": 0, "body.currency": "USD", "body.product": "",
		} {
			ask := map[string]any{"subject": credit.Subject{Kind: credit.PlotSubject, ID: p.ID}, "product": "crop", "asked": 1_000_000, "term_months": 6}
			ask[strings.TrimPrefix(place, "body.")] = x
			if r := v.as("wang").Try("/farmer/applications", ask); r.Status != 422 || !placed(t, r, place) && place != "body.currency" {
				t.Errorf("%s: %d %s", place, r.Status, r.Body)
			}
		}
		id := v.offered("wang", "crop", credit.Subject{Kind: credit.PlotSubject, ID: p.ID}, 1_000_000, 6).Application.ID
		draw := "/farmer/applications/" + id + "/draw"
		if r := v.as("wang").Try(draw, map[string]int{"amount": 100}); r.Status != 409 {
			t.Errorf("drawn before the signature: %d %s", r.Status, r.Body)
		}
		limit := v.sign("wang", id).Limit
		for _, body := range []any{
			map[string]int{"amount": 0}, map[string]int{"amount": -5}, map[string]any{"amount": limit + 1}, map[string]any{"amount": "1"},
			map[string]any{"amount": 1.5}, map[string]any{"amount": 100, "currency": "USD"}, map[string]any{"amount": json.Number("99999999999999999999")},
		} {
			if r := v.as("wang").Try(draw, body); r.Status/100 != 4 {
				t.Errorf("drawn %v: %d %s", body, r.Status, r.Body)
			}
		}
		if out, _ := v.bank.Moved(); out != 0 {
			t.Errorf("refused drawdowns moved %s", out)
		}

		// Both ask for the last fen at once, each under a key of its own.
		replies := make([]apptest.Reply, 2)
		who := v.as("wang")
		var both sync.WaitGroup
		for i := range replies {
			both.Go(func() {
				replies[i] = who.Try(draw, map[string]money.Fen{"amount": limit}, "Idempotency-Key", fmt.Sprint("all-of-it-", i))
			})
		}
		both.Wait()
		first := 0
		if replies[0].Status != 200 {
			first = 1
		}
		if a, b := replies[first].Status, replies[1-first].Status; a != 200 || b != 409 {
			t.Fatalf("two drawdowns of all: %d %s, %d %s", a, replies[first].Body, b, replies[1-first].Body)
		}
		var l loan.Loan
		replies[first].Read(t, &l)
		if out, _ := v.bank.Moved(); out != limit {
			t.Errorf("the bank paid %s of %s", out, limit)
		}
		if r := who.Try(draw, map[string]int{"amount": 100}, "Idempotency-Key", fmt.Sprint("all-of-it-", first)); r.Status != 409 {
			t.Errorf("another amount under the same key: %d %s", r.Status, r.Body)
		}

		repay, one := "/farmer/loans/"+l.ID+"/repay", "/officer/loans/"+l.ID
		for _, body := range []any{map[string]int{"amount": 0}, map[string]int{"amount": -1}, map[string]any{"amount": 100, "currency": "USD"}} {
			if r := who.Try(repay, body); r.Status != 422 {
				t.Errorf("repaid %v: %d %s", body, r.Status, r.Body)
			}
		}
		before := string(v.as("officer").Send("GET", one, "", nil).Body)
		bp := func(n int64) *officer.LoanChange { return &officer.LoanChange{From: "2026-12-15", RateBP: n} }
		for place, ev := range map[string]officer.LoanEvent{
			"body.date":                {Kind: "repay", Amount: 100, Date: "2027-02-29"},
			"body.date before":         {Kind: "repay", Amount: 100, Date: "2026-09-01"},
			"body.date ahead":          {Kind: "repay", Amount: 100, Date: "2027-09-01"},
			"body.amount":              {Kind: "repay"},
			"body.amount minus":        {Kind: "repay", Amount: -100},
			"body.kind":                {Kind: "poem", Amount: 100},
			"body.kind disburse":       {Kind: "disburse", Amount: 100},
			"body.target":              {Kind: "reverse", Target: "nothing"},
			"body.change.rate_bp 1000": {Kind: "rate_change", Change: bp(100_000)},
			"body.charge":              {Kind: "charge", Amount: 100},
			"body.charge.due_on":       {Kind: "charge", Amount: 100, Charge: &officer.LoanCharge{DueOn: "2027-02-29"}},
		} {
			for path, body := range map[string]any{"/events": ev, "/preview": ev, "/proposals": map[string]any{"event": ev, "reason": "x"}} {
				if r := v.as("officer").Try(one+path, body); r.Status/100 != 4 {
					t.Errorf("%s to %s: %d %s", place, path, r.Status, r.Body)
				}
			}
		}
		if after := string(v.as("officer").Send("GET", one, "", nil).Body); after != before {
			t.Errorf("refused events left %s, before %s", after, before)
		}
		if r := v.as(apptest.Operator).Try("/operator/dayend", map[string]string{"date": "2027-02-29"}); r.Status != 422 {
			t.Errorf("the end of 29 February 2027: %d %s", r.Status, r.Body)
		}

		const key = "charge-of-officer"
		v.must("officer", one+"/events", officer.LoanEvent{Kind: "charge", Amount: 1000, Charge: &officer.LoanCharge{Name: "letter", DueOn: "2026-12-15"}}, "Idempotency-Key", key)
		if r := v.as("officer").Try(one+"/events", officer.LoanEvent{Kind: "charge", Amount: 1001, Charge: &officer.LoanCharge{Name: "letter", DueOn: "2026-12-15"}}, "Idempotency-Key", key); r.Status != 409 {
			t.Errorf("another charge under the same key: %d %s", r.Status, r.Body)
		}
		var seen officer.LoanPreview
		v.as("officer").Post(one+"/preview", officer.LoanEvent{Kind: "repay", Amount: 5000}, &seen)
		if len(seen.Movements) == 0 || len(seen.Entries) == 0 || seen.Second {
			t.Errorf("preview: %+v", seen)
		}
		v.travel(time.Date(2026, 10, 2, 2, 0, 0, 0, time.UTC))
		v.dayEnd("2026-10-01")
		for path, want := range map[string]string{
			one + "/payoff?date=2026-10-02": "total", one + "/statement?month=2026-09": l.ID,
			"/officer/borrowers/" + wang + "/statements?month=2026-09": l.ID, "/officer/borrowers/" + wang + "/statements.csv?month=2026-09": "2026-09",
			"/officer/dayends": "2026-10-01", "/officer/loan-classes": "normal", "/officer/loan-proposals": "items", "/officer/payments": "settled",
			"/officer/collateral": id, "/officer/fund/bounds": "items", "/officer/fund/pools": "items", "/officer/funders": "own",
		} {
			if r := v.as("officer").Send("GET", path, "", nil); r.Status != 200 || !strings.Contains(string(r.Body), want) {
				t.Errorf("%s: %d %s", path, r.Status, r.Body)
			}
		}
		for _, path := range []string{one + "/payoff?date=2026-02-29", one + "/statement?month=2026-13", "/officer/borrowers/" + wang + "/statements?month=x"} {
			if r := v.as("officer").Send("GET", path, "", nil); r.Status != 422 {
				t.Errorf("%s: %d %s", path, r.Status, r.Body)
			}
		}
		v.clean()
	})
}

// A product with a rate of 1,000 % does not let the house start.
func TestUsury(t *testing.T) {
	t.Parallel()
	files, err := catalog.Open("")
	if err != nil {
		t.Fatal(err)
	}
	products, err := fs.ReadFile(files, "products.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"base_rate_bp: 100000", "base_rate_bp: -1"} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "products.yaml"), []byte(strings.Replace(string(products), "base_rate_bp: 435", bad, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		a, err := app.New(t.Context(), app.Config{Data: t.TempDir(), Catalog: dir, Tenant: "bank", Now: time.Now})
		if !errors.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "crop") {
			t.Errorf("%s: %v", bad, err)
		}
		if err == nil {
			_ = a.Close()
		}
	}
}
