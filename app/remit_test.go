package app_test

import (
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/app"
	"github.com/furrowcredit/furrow/app/apptest"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/loan/servicing"
	"github.com/furrowcredit/furrow/credit/pay"
	"github.com/furrowcredit/furrow/credit/remit"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/server/officer"
	"github.com/furrowcredit/furrow/server/route"
	"github.com/furrowcredit/furrow/sim/bank"
	"github.com/furrowcredit/furrow/store/storetest"
)

// TestRemittance collects premiums with loans and pays them out: never before the borrower
// has paid, by two persons, once whatever the bank answers, and what is given back to a
// borrower afterwards is set off.
func TestRemittance(t *testing.T) {
	t.Parallel()
	run := func(t *testing.T, dsn string) {
		var mood atomic.Pointer[bank.Conduct]
		mood.Store(&bank.Conduct{})
		v := newVillage(t, dsn, func(cfg *app.Config) { cfg.Catalog = feesOnCrops(t) })
		v.bank.Conduct = func(o pay.Order) bank.Conduct {
			if o.PartyID == "harvest_insurance" {
				return *mood.Load()
			}
			return bank.Conduct{}
		}
		const payee = "/officer/payees/harvest_insurance"
		owed := func() (st remit.PayeeStatement) {
			t.Helper()
			v.as("officer").Get(payee+"/statement", &st)
			return st
		}
		propose := func(through, key string) func(lang ...string) apptest.Reply {
			return func(lang ...string) apptest.Reply {
				return v.as("officer").Try(payee+"/remittances", map[string]string{"through": through}, append(lang, "Idempotency-Key", key)...)
			}
		}
		agree := func(who, id string) (r remit.Remittance) {
			t.Helper()
			v.as(who).Post("/officer/remittances/"+id+"/agree", nil, &r)
			return r
		}
		read := func(r apptest.Reply) (out remit.Remittance) {
			t.Helper()
			r.Read(t, &out)
			if out.State != remit.Asked {
				t.Fatalf("%d %s", r.Status, r.Body)
			}
			return out
		}
		lend := func(login string, amount money.Fen) (l loan.Loan) {
			v.register(access.Borrower, login, "")
			p := v.field(login)
			id := v.offered(login, "crop", credit.Subject{Kind: credit.PlotSubject, ID: p.ID}, amount, 6).Application.ID
			v.sign(login, id)
			v.as(login).Post("/farmer/applications/"+id+"/draw", map[string]money.Fen{"amount": amount}, &l)
			return l
		}

		first := lend("wang", 2_000_000)
		if st := owed(); st.Due != 0 || st.Open != 0 || len(st.Loans) != 0 {
			t.Errorf("charged and not yet paid: %+v", st)
		}
		refused(t, "nothing collected", 409, "remit.nothing", propose("2026-09-15", "not-yet-paid"))
		refused(t, "a day to come", 422, "remit.ahead", propose("2026-09-16", "a-day-to-come"))
		v.repay("wang", first)
		if st := owed(); st.Due != 10_000 || st.Loans[0].LoanID != first.ID || st.Loans[0].Borrower != "name of wang" || st.Loans[0].Collected != 10_000 {
			t.Fatalf("collected: %+v", st)
		}

		// The bank refuses: what was held is free again.
		mood.Store(&bank.Conduct{Refuse: "the payee's account is closed"})
		r := read(propose("2026-09-15", "first-payout")())
		if again := read(propose("2026-09-15", "first-payout")()); again.ID != r.ID || r.Amount != 10_000 || r.Loans != 1 {
			t.Errorf("the answer was lost: %+v and %+v", r, again)
		}
		refused(t, "the key again", 409, "remit.key", propose("2026-09-14", "first-payout"))
		refused(t, "two at once", 409, "remit.open", propose("2026-09-15", "second-payout"))
		refused(t, "one person", 403, "remit.second", func(lang ...string) apptest.Reply {
			return v.as("officer").Try("/officer/remittances/"+r.ID+"/agree", nil, lang...)
		})
		if r = agree("second", r.ID); r.State != remit.Failed || r.Reason == "" {
			t.Errorf("refused by the bank: %+v", r)
		}
		if st := owed(); st.Due != 10_000 || st.Pending != 0 {
			t.Errorf("given back: %+v", st)
		}
		v.clean()

		// It pays, and nobody hears of it at first.
		mood.Store(&bank.Conduct{Hold: 3, Twice: true})
		r = read(propose("2026-09-15", "third-payout")())
		if r = agree("second", r.ID); r.State != remit.Sending {
			t.Fatalf("while nobody knows: %+v", r)
		}
		var held officer.LedgerAccount
		v.as("officer").Get("/officer/ledger/accounts/insurer_remitted?item="+first.ID, &held)
		if held.Balance != 0 || held.HeldDebits != 10_000 {
			t.Errorf("while nobody knows %+v", held)
		}
		for range 3 { // who agreed may ask again
			r = agree("second", r.ID)
		}
		if r.State != remit.Paid || r.Ref == "" || r.PaidOn.String() != "2026-09-15" {
			t.Errorf("paid: %+v", r)
		}
		for _, told := range v.bank.Tellings(r.ID) {
			if err := v.Told(v.Context(), told); err != nil {
				t.Error(err)
			}
		}
		var page officer.RemittanceDetail
		v.as("officer").Get("/officer/remittances/"+r.ID, &page)
		if len(page.Parts) != 1 || page.Parts[0] != (remit.RemittancePart{LoanID: first.ID, Borrower: "name of wang", Product: "crop", Amount: 10_000}) {
			t.Errorf("%+v", page)
		}
		var journal route.List[ledger.Entry]
		v.as("officer").Get("/officer/ledger/journal?item="+r.ID, &journal)
		if n := len(journal.Items); n != 2 || journal.Items[1].Op != ledger.Settle || journal.Items[1].Hold != journal.Items[0].Key || journal.Items[1].Memo != r.Ref {
			t.Errorf("the journal: %+v", journal.Items)
		}
		refused(t, "paid already", 409, "remit.nothing", propose("2026-09-15", "fourth-payout"))
		v.clean()

		// The premium is given back to the borrower: a claim, set off against the next payout.
		for _, ev := range v.loan(first.ID).Events {
			if ev.Event.Kind == string(servicing.Charged) && ev.Event.Charge.Name == "种植保险费" {
				v.two(first.ID, officer.LoanEvent{Kind: string(servicing.Reverse), Target: ev.Event.ID})
			}
		}
		if st := owed(); st.Claim != 10_000 || st.Due != 0 || st.Loans[0].Open != -10_000 {
			t.Errorf("given back to the borrower: %+v", st)
		}
		refused(t, "a claim only", 409, "remit.nothing", propose("2026-09-15", "a-claim-only"))
		second := lend("zhao", 3_000_000)
		v.repay("zhao", second)
		if st := owed(); st.Open != 15_000 || st.Claim != 10_000 || st.Due != 5_000 || len(st.Loans) != 2 {
			t.Errorf("beside a new premium: %+v", st)
		}
		mood.Store(&bank.Conduct{Lost: true})
		r = read(propose("2026-09-15", "set-off-first")())
		v.as("second").Post("/officer/remittances/"+r.ID+"/refuse", map[string]string{"note": "later"}, &r)
		refused(t, "refused before", 409, "remit.state", func(lang ...string) apptest.Reply {
			return v.as("second").Try("/officer/remittances/"+r.ID+"/agree", nil, lang...)
		})
		r = read(propose("2026-09-15", "set-off-again")())
		if r = agree("second", r.ID); r.State != remit.Paid || r.Amount != 5_000 || r.Loans != 2 {
			t.Errorf("set off: %+v", r)
		}
		if st := owed(); st.Open != 0 || st.Claim != 0 || len(st.Loans) != 0 {
			t.Errorf("after all: %+v", st)
		}
		var list route.List[remit.Remittance]
		v.as("officer").Get("/officer/remittances?payee=harvest_insurance&limit=2", &list)
		if len(list.Items) != 2 || list.Items[0].ID != r.ID || list.Next == "" {
			t.Errorf("%+v", list)
		}
		var trial ledger.Trial
		v.as("officer").Get("/officer/ledger/trial", &trial)
		for _, line := range trial.Lines {
			if line.Code == "insurer_remitted" && line.Closing != 15_000 || line.Code == "insurer_payable" && line.Closing != -15_000 {
				t.Errorf("%+v", line)
			}
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
