package app_test

import (
	"strings"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/app"
	"github.com/furrowcredit/furrow/app/apptest"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/money"
)

// TestAnimalIsPledgedOnce lends on a herd and drives one of its animals to another: a
// loan on that other herd is refused, and says where the animal is pledged, until the
// first loan is repaid.
func TestAnimalIsPledgedOnce(t *testing.T) {
	t.Parallel()
	w := newTown(t, app.Config{Data: t.TempDir(), MQTT: "127.0.0.1:0"})
	w.register(access.Officer, "officer", "")
	first, _ := w.herd("herder")
	lent := w.borrow("herder", credit.HerdSubject, first.ID, "herd", 12)

	second, _ := w.ranch(first.OwnerID, 1)
	var page struct{ States []iot.AnimalState }
	w.as("officer").Get("/officer/herds/"+first.ID, &page)
	if len(page.States) != heads {
		t.Fatalf("%d animals", len(page.States))
	}
	driven := page.States[3]
	w.as(apptest.Operator).Post("/operator/animals/"+driven.AnimalID+"/events", map[string]any{
		"kind": iot.Move, "at": w.clock.Now(), "herd_id": second.ID,
	}, nil)
	if p := w.pledge(driven.AnimalID); p.Ref != lent.ApplicationID || p.Until != nil {
		t.Fatalf("the animal is pledged as %+v, not under %s", p, lent.ApplicationID)
	}

	var a apply.Application
	who := w.as("herder")
	who.Post("/farmer/applications", apply.Request{
		Subject: credit.Subject{Kind: credit.HerdSubject, ID: second.ID}, Product: "herd", Asked: 3_000_000, TermMonths: 12, Purpose: "购买饲料",
		Consents: agreed(t, "decision", "herd"),
	}, &a)
	path := "/farmer/applications/" + a.ID
	apptest.Poll(t, 60*time.Second, "decision on the second herd", func() bool {
		who.Get(path, &struct{ Application *apply.Application }{&a})
		return a.State != apply.Submitted && a.State != apply.Deciding
	})
	var c apply.Contract
	who.Get(path+"/contract", &c)
	sign := map[string]string{"hash": c.Hash}
	var refused apptest.Problem
	if r := who.Try(path+"/sign", sign); r.Status != 409 {
		t.Fatalf("an animal is pledged twice: %d %s", r.Status, r.Body)
	} else if r.Read(t, &refused); refused.Code != "animal.pledged" || !strings.Contains(refused.Text(), lent.ApplicationID) || !strings.Contains(refused.Text(), driven.Code) {
		t.Errorf("refused with %s", r.Body)
	}

	var book struct{ Payoff struct{ Total money.Fen } }
	who.Get("/farmer/loans/"+lent.ID, &book)
	who.Post("/farmer/loans/"+lent.ID+"/repay", map[string]money.Fen{"amount": book.Payoff.Total}, nil)
	if p := w.pledge(driven.AnimalID); p.Until == nil {
		t.Errorf("the loan is repaid and the animal still pledged: %+v", p)
	}
	who.Post(path+"/sign", sign, &a)
	if p := w.pledge(driven.AnimalID); a.State != apply.Signed || p.Ref != a.ID || p.Until != nil {
		t.Errorf("signed %s, pledged as %+v", a.State, p)
	}
}

// pledge is the last pledge of an animal.
func (w *town) pledge(animal string) iot.Pledge {
	w.Helper()
	var page struct{ Pledges []iot.Pledge }
	w.as("officer").Get("/officer/animals/"+animal, &page)
	if len(page.Pledges) == 0 {
		w.Fatal("the animal was never pledged")
	}
	return page.Pledges[len(page.Pledges)-1]
}
