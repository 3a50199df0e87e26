package server_test

import (
	"testing"

	"github.com/furrowcredit/furrow/chain/extract"
	"github.com/furrowcredit/furrow/chain/extract/intake"
	"github.com/furrowcredit/furrow/chain/network"
	"github.com/furrowcredit/furrow/server/officer"
	"github.com/furrowcredit/furrow/server/route"
)

// TestDocumentJourney takes a document from the file to links of the graph: one fact
// stands by itself, another waits for an officer, who says which firm is meant.
func TestDocumentJourney(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	text := []byte("丰禾食品有限公司向金穗面粉有限公司采购面粉。丰禾食品有限公司向远山麦业有限公司采购小麦。")
	h.firm("bank", "mill2", "远山磨坊厂", false)
	for login, status := range map[string]int{"auditor": 403, "foodco": 403, "wang": 403} {
		if r := h.upload(login, "/officer/documents", "采购公告.txt", text, nil); r.status != status {
			t.Error(login, r.status)
		}
	}
	taken := decode[intake.Taken](h, h.upload("officer", "/officer/documents", "采购公告.txt", text, nil))
	if taken.Accepted != 1 || taken.Waiting != 1 || taken.Kind != "text" || taken.Document != "采购公告.txt" {
		t.Fatalf("%+v", taken)
	}
	if r := h.upload("officer", "/officer/documents", "x.zip", []byte("PK\x03\x04 no archive"), nil); r.status != 422 {
		t.Error(r.status, string(r.body))
	}
	if empty := decode[intake.Taken](h, h.upload("officer", "/officer/documents", "天气.txt", []byte("明天有雨。"), nil)); empty.Outcome.Empty == "" || empty.Claims == nil {
		t.Errorf("nothing found is not said: %+v", empty)
	}
	facts := func(login, query string) []officer.FactLine {
		t.Helper()
		return decode[route.List[officer.FactLine]](h, h.get(login, "/officer/facts"+query)).Items
	}
	suppliers := func() (names []string) {
		t.Helper()
		for _, f := range decode[network.SMEPage](h, h.get("officer", "/officer/anchors/foodco/suppliers")).Firms {
			names = append(names, f.Name)
		}
		return names
	}
	if got := facts("officer2", ""); len(got) != 0 {
		t.Error("another bank sees", got)
	}
	if got := suppliers(); len(got) != 0 { // millco is an anchor itself
		t.Error(got)
	}
	waiting := facts("auditor", "?state=pending")
	if len(waiting) != 1 || waiting[0].Head != nil || waiting[0].Tail.ID != "foodco" || waiting[0].Claim.Reason != "head_new" {
		t.Fatalf("%+v", waiting)
	}
	decide := "/officer/facts/" + waiting[0].Claim.ID + "/decide"
	for _, c := range []struct {
		login  string
		body   map[string]string
		status int
	}{
		{"auditor", map[string]string{"state": "accepted"}, 403},
		{"officer2", map[string]string{"state": "accepted"}, 404},
		{"officer", map[string]string{"state": "accepted"}, 422},
		{"officer", map[string]string{"state": "maybe"}, 422},
		{"officer", map[string]string{"state": "accepted", "head_id": "foodco2"}, 404}, // of another bank
		{"officer", map[string]string{"state": "pending"}, 409},
	} {
		if r := h.post(c.login, decide, c.body); r.status != c.status {
			t.Errorf("%s %v: %d %s", c.login, c.body, r.status, r.body)
		}
	}
	line := decode[officer.FactLine](h, h.post("officer", decide, map[string]string{"state": "accepted", "head_id": "mill2", "reason": "同一家"}))
	if line.Claim.State != extract.Accepted || line.Head == nil || line.Head.ID != "mill2" || line.Claim.DecidedBy != h.users["officer"].ID {
		t.Errorf("%+v", line)
	}
	if got := suppliers(); len(got) != 1 || got[0] != "远山磨坊厂" {
		t.Error(got)
	}
	if got := facts("officer", "?firm_id=mill2"); len(got) != 1 {
		t.Error(got)
	}
	decode[officer.FactLine](h, h.post("officer", decide, map[string]string{"state": "pending"}))
	if got := suppliers(); len(got) != 0 {
		t.Error("a decision was taken back, yet", got)
	}
}
