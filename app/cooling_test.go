package app_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/app"
	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/server/farmer"
	"github.com/furrowcredit/furrow/store/storetest"
)

// TestStepBack lends with three and with fees, and has the borrower think better of it: the
// loan ends with the interest of the days alone, everybody has back what was given, and when
// the days are over nobody can.
func TestStepBack(t *testing.T) {
	t.Parallel()
	run := func(t *testing.T, dsn string) {
		v := newVillage(t, dsn, func(cfg *app.Config) { cfg.Catalog = feesOnCrops(t) })
		v.register(access.Borrower, "wang", "")
		p := v.field("wang")
		d := v.offered("wang", "crop", credit.Subject{Kind: credit.PlotSubject, ID: p.ID}, 2_000_000, 6)
		id := d.Application.ID
		v.must("officer", "/officer/applications/"+id+"/agreement", map[string]string{"agreement": "syndicate"})
		var seen apply.Preview
		v.as("wang").Get("/farmer/applications/"+id+"/preview", &seen)
		if seen.Cost.Fees != 12_000 || len(seen.Cost.Charges) != 2 || seen.Rows[0].Fee != 12_000 || seen.Cost.SimpleRate <= d.Application.Rate || d.Schedule[0].Fee != 12_000 {
			t.Errorf("the preview %+v, the calendar %+v", seen, d.Schedule)
		}
		a := v.sign("wang", id)
		var l loan.Loan
		v.as("wang").Post("/farmer/applications/"+id+"/draw", map[string]money.Fen{"amount": a.Limit}, &l)
		if l.Fee != 12_000 {
			t.Errorf("%s of fees are owed", l.Fee)
		}
		v.shared(l.ID)

		v.travel(sowing.AddDate(0, 0, 7)) // the last day
		v.dayEnd("2026-09-21")
		var page farmer.LoanPage
		v.as("wang").Get("/farmer/loans/"+l.ID, &page)
		if page.StepBack == nil || page.StepBack.Quote.Fee != 0 || page.StepBack.Fees != 12_000 || page.Payoff.Fee != 12_000 ||
			page.StepBack.Quote.Total != l.Principal+page.StepBack.Quote.Interest {
			t.Fatalf("%+v beside %+v", page.StepBack, page.Payoff)
		}
		total := page.StepBack.Quote.Total
		path := "/farmer/loans/" + l.ID + "/step-back"
		if r := v.as("wang").Try(path, map[string]money.Fen{"amount": total - 1}, "Idempotency-Key", "another-sum"); r.Status != 409 {
			t.Errorf("another sum: %d %s", r.Status, r.Body)
		}
		for range 2 { // the answer may be lost
			v.must("wang", path, map[string]money.Fen{"amount": total}, "Idempotency-Key", "give-it-back")
		}
		if l = v.loan(l.ID).Loan; l.State != loan.Closed || l.Credit != 0 || l.Fee != 0 {
			t.Errorf("given back: %+v", l)
		}
		v.shared(l.ID)
		v.clean()
		var trial ledger.Trial
		v.as("officer").Get("/officer/ledger/trial", &trial)
		for _, line := range trial.Lines {
			switch line.Code {
			case "loan_principal", "fee_receivable", "fee_income", "insurer_payable", "funder_principal", "own_funds":
				if line.Debits != line.Credits {
					t.Errorf("%s: %s against %s", line.Code, line.Debits, line.Credits)
				}
			}
		}
		v.as("wang").Get("/farmer/applications/"+id, &d)
		if d.Application.State != apply.Closed {
			t.Errorf("the application is %s", d.Application.State)
		}

		p = v.field("wang")
		id = v.offered("wang", "crop", credit.Subject{Kind: credit.PlotSubject, ID: p.ID}, 1_000_000, 6).Application.ID
		a = v.sign("wang", id)
		v.as("wang").Post("/farmer/applications/"+id+"/draw", map[string]money.Fen{"amount": a.Limit}, &l)
		v.travel(v.clock.Now().Add(8 * 24 * time.Hour))
		page = farmer.LoanPage{}
		if v.as("wang").Get("/farmer/loans/"+l.ID, &page); page.StepBack != nil {
			t.Errorf("a day late: %+v", page.StepBack)
		}
		if r := v.as("wang").Try("/farmer/loans/"+l.ID+"/step-back", map[string]money.Fen{"amount": a.Limit}, "Idempotency-Key", "a-day-too-late"); r.Status != 409 || !strings.Contains(string(r.Body), "loan.cooled") {
			t.Errorf("a day late: %d %s", r.Status, r.Body)
		}
		v.clean()
	}
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		run(t, "sqlite:"+filepath.Join(t.TempDir(), "furrow.db"))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		run(t, storetest.Postgres(t))
	})
}

// feesOnCrops is a catalogue in which a crop loan has a premium of 0.5 % and 20 yuan of the bank.
func feesOnCrops(t *testing.T) string {
	t.Helper()
	const at = "    policy: plot\n"
	return ownProducts(t, at, at+`    fees:
      - {code: premium, name: {zh-CN: 种植保险费, en: Crop insurance}, payee: insurer, when: drawdown, share_bp: 50}
      - {code: service, name: {zh-CN: 服务费, en: Service}, payee: bank, when: signing, fen: 2000}
`, "min_fen: 100000 ", "min_fen: 500000 ") // 20 yuan weigh too much on less
}

// ownProducts is a catalogue in which words of the products, each where it comes first, are
// replaced by others: pairs of old and new.
func ownProducts(t *testing.T, pairs ...string) string {
	t.Helper()
	files, err := catalog.Open("")
	if err != nil {
		t.Fatal(err)
	}
	b, err := fs.ReadFile(files, product.File)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("the products do not say %q", pairs[i])
		}
		text = strings.Replace(text, pairs[i], pairs[i+1], 1)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, product.File), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}
