package server_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/credit/consent"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/credit/profile"
	"github.com/furrowcredit/furrow/server"
	"github.com/furrowcredit/furrow/server/officer"
	"github.com/furrowcredit/furrow/server/route"
)

// What an officer states and uploads of a borrower stands in the evidence of the next
// decision.
func TestBorrowerPage(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	path := "/officer/borrowers/" + h.users["wang"].ID
	if p := decode[officer.BorrowerPage](h, h.get("officer", path)); p.Profile != nil || len(p.Histories) != 0 || p.Name == "" {
		t.Errorf("before anything: %+v", p)
	}
	who := map[string]any{"kind": "person", "birth_year": 1980, "region": "130535", "household": "h7"}
	put := func(login string, body any) reply {
		return h.do(call{Method: http.MethodPut, Path: "/api/v1" + path, Login: login, Body: body})
	}
	if r := put("officer", who); r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	who["region"] = "13"
	if r := put("officer", who); r.status != 422 || r.problem(t).Code != "borrower.field" {
		t.Errorf("half a county: %d %s", r.status, r.body)
	}
	plot := h.plot("wang", 115.61)
	h.report("bank", plot)
	first := h.plot("wang", 115.63)
	h.report("bank", first)
	if r := h.post("officer", path+"/bureau", map[string]any{"at": "2026-06-30T00:00:00Z", "lenders": 1, "open_loans": 1, "balance": 100000,
		"monthly_due": 0, "card_limit": 0, "card_used": 0, "guaranteed": 0, "overdue_now": 0, "worst_overdue_days": 3, "overdue_months": 1,
		"queries_6m": 0, "oldest_months": 20, "judgments": 0}); r.status != 403 || r.problem(t).Code != "borrower.no_consent" {
		t.Errorf("before any consent: %d %s", r.status, r.body)
	}
	before := decode[apply.Application](h, h.post("wang", "/farmer/applications",
		ask{subject{"plot", first.ID}, "crop", 1000000, 6, h.agreed("decision", "crop", "bureau", "bank")}, "Idempotency-Key", "with-consents"))
	if r := h.post("wang", "/farmer/applications/"+before.ID+"/withdraw", nil); r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if r := h.post("officer", path+"/bureau", map[string]any{"at": "2026-06-30T00:00:00Z", "lenders": 1, "open_loans": 1, "balance": 100000,
		"monthly_due": 0, "card_limit": 0, "card_used": 0, "guaranteed": 0, "overdue_now": 0, "worst_overdue_days": 3, "overdue_months": 1,
		"queries_6m": 0, "oldest_months": 20, "judgments": 0}); r.status != 200 {
		t.Errorf("%d %s", r.status, r.body)
	}
	up := func(text string) profile.UploadReport {
		return decode[profile.UploadReport](h, h.upload("officer", "/officer/histories", "accounts.csv", []byte(text), map[string]string{"kind": "bank"}))
	}
	if r := up("客户,月份,收入,支出\nwang,2026-05,x,1\n"); r.Saved != 0 || len(r.Remarks) != 1 || r.Remarks[0].Cell != "C2" {
		t.Errorf("a wrong cell: %+v", r)
	}
	if r := up("客户,月份,收入,支出\nwang,2026-05,9000,7000\n"); r.Saved != 1 {
		t.Errorf("good: %+v", r)
	}
	for _, foreign := range []string{"zhao", "officer"} {
		if r := h.get("officer", "/officer/borrowers/"+h.users[foreign].ID); r.status != 404 {
			t.Errorf("%s: %d", foreign, r.status)
		}
	}

	if r := h.post("wang", "/farmer/consents/bureau/withdraw", nil); r.status != 200 {
		t.Errorf("%d %s", r.status, r.body)
	}
	app := decode[apply.Application](h, h.post("wang", "/farmer/applications",
		ask{subject{"plot", plot.ID}, "crop", 1000000, 6, h.agreed("decision", "crop", "bank")}, "Idempotency-Key", "with-a-history"))
	ev := decode[apply.Detail](h, h.get("wang", "/farmer/applications/"+app.ID)).Evidence
	if ev.Bank == nil || ev.Bank.Months[0].In != 900_000 || ev.Bureau != nil || ev.Applicant.Household != "h7" {
		t.Errorf("evidence %+v", ev)
	}
	page := decode[officer.BorrowerPage](h, h.get("auditor", path))
	if len(page.Histories) != 2 || !page.Histories[0].Closed || page.Histories[1].Closed || len(page.Consents) != 5 || page.Consents[0].Channel != "phone" || page.Profile.Household != "h7" || page.Exposure.Household != app.Limit {
		t.Errorf("got %+v beside a limit of %s", page, app.Limit)
	}

	acts := decode[route.List[consent.Act]](h, h.post("wang", "/farmer/consents/bank/withdraw", nil))
	if n := len(acts.Items); n != 6 || acts.Items[5].Kind != consent.Withdrawn {
		t.Errorf("got %+v", acts)
	}
	list := decode[route.List[officer.UploadsLine]](h, h.get("auditor", "/officer/histories"))
	if len(list.Items) != 1 || list.Items[0].UserID != h.users["wang"].ID || len(list.Items[0].Kinds) != 2 || len(list.Items[0].Closed) != 2 {
		t.Errorf("uploads %+v", list)
	}
	if one := decode[route.List[officer.UploadsLine]](h, h.get("officer", "/officer/histories?q=wang")); len(one.Items) != 1 {
		t.Errorf("by login: %+v", one)
	}
	if none := decode[route.List[officer.UploadsLine]](h, h.get("officer", "/officer/histories?q=officer")); len(none.Items) != 0 {
		t.Errorf("of one who is no borrower: %+v", none)
	}
	for _, x := range decode[officer.BorrowerPage](h, h.get("officer", path)).Histories {
		if x.WithdrawnAt == nil || !x.Closed {
			t.Errorf("of %s: withdrawn %v, closed %v", x.Kind, x.WithdrawnAt, x.Closed)
		}
	}
	d := decode[apply.Detail](h, h.get("officer", "/officer/applications/"+app.ID))
	for _, c := range d.Evidence.Consents {
		if _, gone := d.Withdrawn[c.ID]; gone != (c.Part == "bank") {
			t.Errorf("the decision's consent on %s: %v", c.Part, d.Withdrawn)
		}
	}
	if r := h.post("wang", "/farmer/consents/bank/withdraw", nil); r.status != 404 || r.problem(t).Code != "consent.none" {
		t.Errorf("twice: %d %s", r.status, r.body)
	}
}

// People see the products of their channel, and the names of the others.
func TestCatalogueByChannel(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	all := decode[server.Catalogue](h, h.get("officer", "/catalogue"))
	mine := decode[server.Catalogue](h, h.get("wang", "/catalogue"))
	if len(all.Others) != 0 || len(mine.Products)+len(mine.Others) != len(all.Products) || len(mine.Others) == 0 || len(mine.Consents) == 0 {
		t.Errorf("%d of %d products, %d others", len(mine.Products), len(all.Products), len(mine.Others))
	}
	if slices.ContainsFunc(mine.Products, func(p product.Product) bool { return !p.Offered(product.Phone) }) {
		t.Error("the phone offers what is not for it")
	}
}

// A borrower's request for a person opens a task, and its end is told.
func TestReviewJourney(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	plot := h.plot("wang", 115.62)
	plot.Crop = "cotton"
	h.report("bank", plot)
	app := decode[apply.Application](h, h.post("wang", "/farmer/applications",
		ask{subject{"plot", plot.ID}, "crop", 1000000, 6, h.agreed("decision", "crop")}, "Idempotency-Key", "to-be-refused"))
	if r := h.post("officer", "/officer/applications/"+app.ID+"/refuse", map[string]string{"note": "not as declared"}); r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	review := "/farmer/applications/" + app.ID + "/review"
	if r := h.post("li.na", review, map[string]string{"reason": "x"}); r.status != 404 {
		t.Errorf("a stranger asks: %d %s", r.status, r.body)
	}
	if r := h.post("wang", review, map[string]string{"reason": "我种的是小麦"}); r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if r := h.post("wang", review, map[string]string{"reason": "我种的是小麦"}); r.status != 409 || !strings.Contains(string(r.body), "已经申请过") {
		t.Errorf("twice: %d %s", r.status, r.body)
	}
	queue := decode[route.List[apply.Review]](h, h.get("officer", "/officer/reviews"))
	if len(queue.Items) != 1 || queue.Items[0].ApplicationID != app.ID || queue.Items[0].Reason != "我种的是小麦" {
		t.Fatalf("queue %+v", queue)
	}
	if r := h.post("officer", "/officer/reviews/"+queue.Items[0].ID+"/close", map[string]string{"answer": "已核实"}); r.status != 200 {
		t.Errorf("%d %s", r.status, r.body)
	}
	if left := decode[route.List[apply.Review]](h, h.get("auditor", "/officer/reviews")); len(left.Items) != 0 {
		t.Errorf("left %+v", left)
	}
	if d := decode[apply.Detail](h, h.get("wang", "/farmer/applications/"+app.ID)); d.Review == nil || d.Review.Answer != "已核实" || d.Application.State != apply.Referred {
		t.Errorf("got %+v", d.Review)
	}
}
