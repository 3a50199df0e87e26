package server_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/server/officer"
	"github.com/furrowcredit/furrow/server/route"
	ledgerstore "github.com/furrowcredit/furrow/store/ledger"
)

// TestLedgerPages reads a book of seven entries in every way that the officer has.
func TestLedgerPages(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	name := map[string]string{"zh-CN": "x", "en": "x"}
	book := ledger.New(ledgerstore.New(h.db), ledger.Chart{{Code: "cash", Class: ledger.Asset, Name: name}, {Code: "loan_principal", Class: ledger.Asset, Name: name}}, time.Now)
	today := money.DateOf(time.Now())
	for i := range 7 {
		_, err := book.Post(t.Context(), ledger.Entry{
			Tenant: "bank", Key: fmt.Sprint("k", i), Kind: "draw", Item: fmt.Sprint("l", i%2), Date: today - money.Date(i), Memo: "麦子",
			Postings: []ledger.Posting{{Account: "loan_principal", Item: fmt.Sprint("l", i%2), Amount: 100}, {Account: "cash", Amount: -100}},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	const who = "officer"
	trial := decode[ledger.Trial](h, h.get(who, "/officer/ledger/trial?from="+(today-2).String()))
	if !trial.OK() || trial.Debits != 300 || trial.Lines[0].Code != "cash" || trial.Lines[0].Opening != -400 || trial.Lines[0].Closing != -700 {
		t.Errorf("%+v", trial)
	}
	seen, next := 0, ""
	for page := 0; page == 0 || next != ""; page++ {
		list := decode[route.List[ledger.Entry]](h, h.get(who, "/officer/ledger/journal?limit=3&after="+next))
		seen, next = seen+len(list.Items), list.Next
	}
	if seen != 7 {
		t.Errorf("%d entries on the pages", seen)
	}
	if list := decode[route.List[ledger.Entry]](h, h.get(who, "/officer/ledger/journal?item=l1&to="+(today-2).String())); len(list.Items) != 2 {
		t.Errorf("%+v", list)
	}
	if r := h.get(who, "/officer/ledger/journal.csv"); r.status != 200 || strings.Count(string(r.body), "麦子") != 14 || !strings.HasPrefix(string(r.body), "\ufeff") {
		t.Errorf("%d %s", r.status, r.body)
	}
	moves, next := 0, ""
	for page := 0; page == 0 || next != ""; page++ {
		a := decode[officer.LedgerAccount](h, h.get(who, "/officer/ledger/accounts/cash?limit=3&before="+next))
		if a.Balance != -700 {
			t.Errorf("%+v", a)
		}
		moves, next = moves+len(a.Moves), a.Next
	}
	if moves != 7 {
		t.Errorf("%d postings on the pages", moves)
	}
	if a := decode[officer.LedgerAccount](h, h.get(who, "/officer/ledger/accounts/loan_principal?item=l0&on="+(today-2).String())); a.Balance != 300 || len(a.Moves) != 4 {
		t.Errorf("%+v", a)
	}
	if a := decode[ledger.Audit](h, h.post(who, "/officer/ledger/verify", nil)); !a.OK() || a.Entries != 7 {
		t.Errorf("%+v", a)
	}
	for path, status := range map[string]int{
		"trial?from=soon": 422, "trial?from=2026-02-29": 422, "trial?from=2026-02-02&to=2026-02-01": 422, "journal?after=x": 422, "accounts/petty": 404,
		"accounts/cash?before=x": 422, "accounts/cash?known=x": 422, "journal?limit=0": 422,
	} {
		if r := h.get(who, "/officer/ledger/"+path); r.status != status {
			t.Errorf("%s gives %d %s", path, r.status, r.body)
		}
	}
}

// TestLedgerPeriods closes a period by two persons, and says why it does not.
func TestLedgerPeriods(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	third, err := h.gate.AddUser(t.Context(), access.Actor{Tenant: "bank"}, access.NewUser{Login: "second", Password: password, Name: "the second", Role: access.Officer})
	if err != nil {
		t.Fatal(err)
	}
	token, _, err := h.gate.SignIn(t.Context(), "second", password)
	if err != nil {
		t.Fatal(err)
	}
	h.users["second"], h.tokens["second"] = third, token
	const periods = "/officer/ledger/periods"
	today := money.DateOf(time.Now())
	body := func(day money.Date) map[string]string {
		return map[string]string{"through": day.String(), "memo": "月结"}
	}
	fails := func(what string, r reply, status int, code string) {
		t.Helper()
		if p := r.problem(t); r.status != status || p.Code != code || p.Detail == "" {
			t.Errorf("%s: %d %s", what, r.status, r.body)
		}
	}
	if list := decode[officer.LedgerPeriods](h, h.get("auditor", periods)); list.Closed != 0 || len(list.Periods) != 0 {
		t.Errorf("a new house: %+v", list)
	}
	fails("a day that runs", h.post("officer", periods, body(today)), 422, "ledger.period_runs")
	fails("no day", h.post("officer", periods, map[string]string{"through": ""}), 422, "ledger.period_runs")
	asked := decode[ledger.Period](h, h.post("officer", periods, body(today-2)))
	if asked.State != ledger.PeriodAsked || asked.Through != today-2 || asked.AskedName != "name of officer" || asked.Memo != "月结" {
		t.Errorf("%+v", asked)
	}
	fails("one person", h.post("officer", periods+"/"+asked.ID+"/agree", nil), 403, "ledger.period_second")
	fails("another bank", h.post("officer2", periods+"/"+asked.ID+"/agree", nil), 404, "ledger.period")
	fails("an auditor", h.post("auditor", periods+"/"+asked.ID+"/agree", nil), 403, "session.role")
	fails("an auditor proposes", h.post("auditor", periods, body(today-3)), 403, "session.role")
	if p := decode[ledger.Period](h, h.post("second", periods+"/"+asked.ID+"/agree", nil)); p.State != ledger.PeriodClosed || p.DecidedName != "the second" {
		t.Errorf("%+v", p)
	}
	fails("again", h.post("second", periods+"/"+asked.ID+"/agree", nil), 409, "ledger.period_state")
	fails("closed already", h.post("officer", periods, body(today-2)), 409, "ledger.period_closed")
	next := decode[ledger.Period](h, h.post("officer", periods, body(today-1)))
	fails("no reason", h.post("second", periods+"/"+next.ID+"/refuse", map[string]string{"note": ""}), 422, "request.invalid")
	if p := decode[ledger.Period](h, h.post("second", periods+"/"+next.ID+"/refuse", map[string]string{"note": "还有凭证"})); p.State != ledger.PeriodRefused || p.Note != "还有凭证" {
		t.Errorf("%+v", p)
	}
	list := decode[officer.LedgerPeriods](h, h.get("officer", periods))
	if list.Closed != today-2 || len(list.Periods) != 2 || list.Periods[0].ID != next.ID {
		t.Errorf("%+v", list)
	}
	if other := decode[officer.LedgerPeriods](h, h.get("officer2", periods)); other.Closed != 0 || len(other.Periods) != 0 {
		t.Errorf("another bank sees %+v", other)
	}
}
