package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/app/apptest"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/server/officer"
)

// TestRefusals sends the bad input of lending through the public API: each has a status, a
// code and a sentence in both languages, and moves no money.
func TestRefusals(t *testing.T) {
	villages(t, func(t *testing.T, v *village) {
		v.register(access.Borrower, "wang", "")
		v.register(access.Operator, "clerk", "")
		p := v.field("wang")
		subject := credit.Subject{Kind: credit.PlotSubject, ID: p.ID}
		post := func(login, path string, body any, header ...string) func(lang ...string) apptest.Reply {
			return func(lang ...string) apptest.Reply { return v.as(login).Try(path, body, append(lang, header...)...) }
		}
		ask := map[string]any{"subject": subject, "product": "crop", "asked": 1_000_000, "term_months": 6, "consents": agreed(t, "decision", "crop")}
		with := func(field string, x any) map[string]any {
			m := maps.Clone(ask)
			m[field] = x
			return m
		}
		for _, x := range []struct {
			name, code string
			body       any
		}{
			{"a negative amount", "request.invalid", with("asked", -1)},
			{"no amount", "request.invalid", with("asked", 0)},
			{"an amount in words", "request.invalid", with("asked", "many")},
			{"half a fen", "request.invalid", with("asked", 1.5)},
			{"an amount of 20 digits", "request.invalid", with("asked", json.Number("99999999999999999999"))},
			{"dollars", "request.invalid", with("currency", "USD")},
			{"a term that the product has not", "product.term", with("term_months", 7)},
			{"a product that is not there", "product.unknown", with("product", "poems")},
		} {
			refused(t, x.name, 422, x.code, post("wang", "/farmer/applications", x.body))
		}
		const key = "application-of-wang"
		var a apply.Application
		r := v.as("wang").Try("/farmer/applications", ask, "Idempotency-Key", key)
		if r.Read(t, &a); r.Status != 200 {
			t.Fatalf("%d %s", r.Status, r.Body)
		}
		refused(t, "another application under the same key", 409, "idempotency.reused", post("wang", "/farmer/applications", with("asked", 2_000_000), "Idempotency-Key", key))
		v.backDate(ask)

		id := v.answered("wang", a.ID).Application.ID
		own := "/farmer/applications/" + id
		refused(t, "drawn before the signature", 409, "application.state", post("wang", own+"/draw", map[string]int{"amount": 100}))
		limit := v.sign("wang", id).Limit
		v.drawings(own, limit)
		l := v.repayments(own, limit)
		v.servicing(l)
		v.expiry()
		v.clean()
	})
}

// backDate enters a paper of an earlier day: an operator may, an officer may not.
func (v *village) backDate(ask map[string]any) {
	v.Helper()
	paper := maps.Clone(ask)
	at := v.clock.Now().AddDate(0, 0, -3)
	consents := agreed(v, "decision", "crop")
	for i := range consents {
		consents[i].Proof, consents[i].At = "paper-7", &at
	}
	paper["consents"], paper["stated_on"], paper["reason"] = consents, money.DateOf(at).String(), "雨天路断，来晚了"
	enter := func(login string, body any) func(lang ...string) apptest.Reply {
		return func(lang ...string) apptest.Reply { return v.as(login).Try("/officer/applications", body, lang...) }
	}
	refused(v, "dated back by an officer", 403, "application.back_date", enter("officer", paper))
	for name, day := range map[string]string{"tomorrow": "2026-09-16", "too long ago": "2026-01-01"} {
		paper["stated_on"] = day
		refused(v, name, 422, "application.stated_on", enter("clerk", paper))
	}
	paper["stated_on"] = "2026-02-29"
	refused(v, "29 February", 422, "request.invalid", enter("clerk", paper))
	paper["stated_on"] = money.DateOf(at).String()
	var a apply.Application
	v.as("clerk").Post("/officer/applications", paper, &a)
	if a.StatedOn != money.DateOf(at) || a.StatedWhy == "" || a.BroughtBy == "" {
		v.Errorf("dated back by right: %+v", a)
	}
	var d apply.Detail
	if v.as("officer").Get("/officer/applications/"+a.ID, &d); d.Application.State == apply.Draft {
		v.Errorf("not sent: %+v", d.Application)
	}
}

// drawings are all that cannot be drawn.
func (v *village) drawings(own string, limit money.Fen) {
	v.Helper()
	for _, x := range []struct {
		name, code string
		body       any
	}{
		{"nothing", "request.invalid", map[string]int{"amount": 0}},
		{"less than nothing", "request.invalid", map[string]int{"amount": -5}},
		{"a fen too much", "application.above_limit", map[string]money.Fen{"amount": limit + 1}},
		{"words", "request.invalid", map[string]string{"amount": "1"}},
		{"half a fen", "request.invalid", map[string]float64{"amount": 1.5}},
		{"dollars", "request.invalid", map[string]any{"amount": 100, "currency": "USD"}},
		{"20 digits", "request.invalid", map[string]any{"amount": json.Number("99999999999999999999")}},
	} {
		refused(v, "drawn: "+x.name, 422, x.code, func(lang ...string) apptest.Reply { return v.as("wang").Try(own+"/draw", x.body, lang...) })
	}
	refused(v, "drawn with a short key", 422, "request.invalid", func(lang ...string) apptest.Reply {
		return v.as("wang").Try(own+"/draw", map[string]int{"amount": 100}, append(lang, "Idempotency-Key", "x")...)
	})
	if out, in := v.bank.Moved(); out != 0 || in != 0 {
		v.Errorf("refused drawdowns moved %s out and %s in", out, in)
	}
}

// repayments draws the last fen twice at once, and repays what cannot be repaid.
func (v *village) repayments(own string, limit money.Fen) (l loan.Loan) {
	v.Helper()
	who := v.as("wang")
	refused(v, "repaid before it is drawn", 404, "loan.not_found", func(lang ...string) apptest.Reply {
		return who.Try("/farmer/loans/"+own[len(own)-36:]+"/repay", map[string]int{"amount": 100}, lang...)
	})
	replies := make([]apptest.Reply, 2)
	var both sync.WaitGroup
	for i := range replies {
		both.Go(func() {
			replies[i] = who.Try(own+"/draw", map[string]money.Fen{"amount": limit}, "Idempotency-Key", fmt.Sprint("the-last-fen-", i))
		})
	}
	both.Wait()
	won := 0
	if replies[0].Status != 200 {
		won = 1
	}
	if replies[won].Status != 200 || replies[1-won].Status != 409 {
		v.Fatalf("both draw all: %d %s, %d %s", replies[0].Status, replies[0].Body, replies[1].Status, replies[1].Body)
	}
	replies[won].Read(v, &l)
	if out, _ := v.bank.Moved(); out != limit {
		v.Errorf("the bank paid %s of %s", out, limit)
	}
	lost := fmt.Sprint("the-last-fen-", 1-won)
	refused(v, "the last fen again", 409, "loan.drawn", func(lang ...string) apptest.Reply {
		return who.Try(own+"/draw", map[string]money.Fen{"amount": limit}, append(lang, "Idempotency-Key", lost)...)
	})
	refused(v, "another amount under the key", 409, "idempotency.reused", func(lang ...string) apptest.Reply {
		return who.Try(own+"/draw", map[string]money.Fen{"amount": limit - 1}, append(lang, "Idempotency-Key", fmt.Sprint("the-last-fen-", won))...)
	})
	repay := "/farmer/loans/" + l.ID + "/repay"
	for _, x := range []struct {
		name, code string
		body       any
	}{
		{"nothing", "request.invalid", map[string]int{"amount": 0}},
		{"less than nothing", "request.invalid", map[string]int{"amount": -1}},
		{"dollars", "request.invalid", map[string]any{"amount": 100, "currency": "USD"}},
	} {
		refused(v, "repaid: "+x.name, 422, x.code, func(lang ...string) apptest.Reply { return who.Try(repay, x.body, lang...) })
	}
	const key = "repaid-by-wang"
	if r := who.Try(repay, map[string]int{"amount": 100}, "Idempotency-Key", key); r.Status != 200 {
		v.Fatalf("%d %s", r.Status, r.Body)
	}
	refused(v, "another repayment under the key", 409, "idempotency.reused", func(lang ...string) apptest.Reply {
		return who.Try(repay, map[string]int{"amount": 101}, append(lang, "Idempotency-Key", key)...)
	})
	return l
}

// servicing proposes what no officer may do to a loan.
func (v *village) servicing(l loan.Loan) {
	v.Helper()
	one := "/officer/loans/" + l.ID
	before := v.as("officer").Send("GET", one, "", nil).Body
	for _, x := range []struct {
		name, code string
		ev         officer.LoanEvent
	}{
		{"29 February of a common year", "request.invalid", officer.LoanEvent{Kind: "repay", Amount: 100, Date: "2027-02-29"}},
		{"in a year", "loan.ahead", officer.LoanEvent{Kind: "repay", Amount: 100, Date: "2027-09-01"}},
		{"nothing", "servicing.amount", officer.LoanEvent{Kind: "repay"}},
		{"less than nothing", "request.invalid", officer.LoanEvent{Kind: "repay", Amount: -100}},
		{"1,000 %", "loan.rate", officer.LoanEvent{Kind: "rate_change", Change: &officer.LoanChange{From: "2026-12-15", RateBP: 100_000}}},
		{"an event that is not there", "servicing.target", officer.LoanEvent{Kind: "reverse", Target: "nothing"}},
	} {
		refused(v, x.name, 422, x.code, func(lang ...string) apptest.Reply { return v.as("officer").Try(one+"/preview", x.ev, lang...) })
	}
	refused(v, "before the loan", 409, "servicing.not_drawn", func(lang ...string) apptest.Reply {
		return v.as("officer").Try(one+"/preview", officer.LoanEvent{Kind: "repay", Amount: 100, Date: "2026-09-01"}, lang...)
	})
	if after := v.as("officer").Send("GET", one, "", nil).Body; !bytes.Equal(before, after) {
		v.Errorf("refused events left %s, before %s", after, before)
	}
}

// expiry offers what nobody takes: after its days it can no longer be signed, and a draft
// that nobody went on with is gone too.
func (v *village) expiry() {
	v.Helper()
	v.register(access.Borrower, "sun", "")
	p := v.field("sun")
	subject := credit.Subject{Kind: credit.PlotSubject, ID: p.ID}
	var draft apply.Application
	r := v.as("sun").Try("/farmer/drafts", apply.Partial{Subject: subject}, "Idempotency-Key", "draft-of-sun")
	if r.Read(v, &draft); r.Status != 200 {
		v.Fatalf("%d %s", r.Status, r.Body)
	}
	d := v.offered("sun", "crop", subject, 1_000_000, 6)
	own := "/farmer/applications/" + d.Application.ID
	var c apply.Contract
	v.as("sun").Get(own+"/contract", &c)
	if d.ExpiresAt == nil {
		v.Fatal("an offer without an end")
	}
	v.travel(d.ExpiresAt.Add(time.Hour))
	v.dayEnd(money.DateOf(*d.ExpiresAt).String())
	v.as("sun").Get(own, &d)
	if d.Application.State != apply.Expired {
		v.Errorf("after its days an offer is %s", d.Application.State)
	}
	refused(v, "signed too late", 409, "application.state", func(lang ...string) apptest.Reply {
		return v.as("sun").Try(own+"/sign", map[string]string{"hash": c.Hash}, lang...)
	})
	refused(v, "drawn too late", 409, "application.state", func(lang ...string) apptest.Reply {
		return v.as("sun").Try(own+"/draw", map[string]int{"amount": 100}, lang...)
	})
	var mine apply.Detail
	v.as("sun").Get("/farmer/applications/"+draft.ID, &mine)
	if until := mine.Application.UpdatedAt.AddDate(0, 0, apply.DraftDays); v.clock.Now().Before(until) {
		v.travel(until.Add(time.Hour))
		v.dayEnd(money.DateOf(until).String())
		v.as("sun").Get("/farmer/applications/"+draft.ID, &mine)
	}
	if mine.Application.State != apply.Expired {
		v.Errorf("a draft of %d days is %s", apply.DraftDays, mine.Application.State)
	}
}
