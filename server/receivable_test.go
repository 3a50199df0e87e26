package server_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/party"
	"github.com/furrowcredit/furrow/chain/receivable"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/server/officer"
	"github.com/furrowcredit/furrow/server/route"
	"github.com/furrowcredit/furrow/server/view"
)

// creditCode is a valid code of no place.
func creditCode(n int) string {
	org := fmt.Sprintf("MA%06d", n)
	body := "91990000" + org + string(party.OrgCheckChar(org))
	return body + string(party.CheckChar(body))
}

// TestReceivableJourney takes a receivable of foodco from a file to the last fen: wang's
// mill takes it, passes part of it to li's farm and has part of it financed.
func TestReceivableJourney(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	var firms []chain.Party
	for i, f := range []chain.Party{{ID: "wangmill", Name: "王家磨坊", OwnerID: h.users["wang"].ID}, {ID: "lifarm", Name: "李家农场", OwnerID: h.users["li.na"].ID}} {
		f.Tenant, f.NameKey, f.USCC, f.CreatedAt = "bank", party.Normalise(f.Name), creditCode(i+1), time.Now()
		firms = append(firms, f)
	}
	if err := h.firms.SaveFirms(t.Context(), firms); err != nil {
		t.Fatal(err)
	}
	day := time.Now().Format(time.DateOnly)
	invoices := fmt.Sprintf("发票号码,销售方名称,销售方税号,购买方名称,价税合计,开票日期\n2637200001,王家磨坊,%s,丰禾食品有限公司,1000.00,%s\n", creditCode(1), day)
	checked := decode[chain.Upload](h, h.upload("foodco", "/anchor/uploads", "发票.csv", []byte(invoices), map[string]string{"kind": "invoices"}))
	if u := decode[chain.Upload](h, h.post("foodco", "/anchor/uploads/"+checked.ID+"/commit", map[string]bool{})); u.Good != 1 {
		t.Fatalf("%+v", u)
	}

	file := []byte("统一社会信用代码,发票号码,金额\n" + creditCode(1) + ",2637200001,800\n")
	dry := decode[receivable.Batch](h, h.upload("foodco", "/anchor/receivable-files", "a.csv", file, map[string]string{"dry_run": "true"}))
	if dry.Written || dry.Bad != 0 || dry.Amount != 800_00 {
		t.Fatalf("dry run: %+v", dry)
	}
	batch := decode[receivable.Batch](h, h.upload("foodco", "/anchor/receivable-files", "a.csv", file, nil))
	if again := decode[receivable.Batch](h, h.upload("foodco", "/anchor/receivable-files", "a.csv", file, nil)); again.ID != batch.ID {
		t.Errorf("the same file again: %+v", again)
	}
	bad := decode[receivable.Batch](h, h.upload("foodco", "/anchor/receivable-files", "b.csv", []byte("供应商,发票号码,金额\n王家磨坊,2637200001,201\n"), nil))
	if bad.Written || bad.Bad != 1 || bad.Errors[0].Cell != "C2" || bad.Errors[0].Msg != "单据 2637200001 只能再支持 200.00 元，不够 201.00 元" {
		t.Errorf("more than the invoice: %+v", bad)
	}
	key := func(s string) []string { return []string{"Idempotency-Key", s} }
	post := func(login, path, k string, body map[string]any) reply { return h.post(login, path, body, key(k)...) }
	if r := post("millco", "/anchor/receivable-files/"+batch.ID+"/confirm", "confirm-other", nil); r.status != 404 {
		t.Errorf("another anchor confirms it: %d %s", r.status, r.body)
	}
	decode[receivable.Batch](h, post("foodco", "/anchor/receivable-files/"+batch.ID+"/confirm", "confirm-file-1", nil))
	list := decode[route.List[view.ReceivableLine]](h, h.get("foodco", "/anchor/receivables?state=confirmed"))
	if len(list.Items) != 1 || list.Items[0].Outstanding != 800_00 || list.Items[0].Names["wangmill"] != "王家磨坊" {
		t.Fatalf("%+v", list)
	}
	id := list.Items[0].Receivable.ID
	mine, owed, bank := "/farmer/receivables/"+id, "/anchor/receivables/"+id, "/officer/receivables/"+id

	// Before it is accepted nobody moves it, and strangers do not find it.
	if r := post("wang", mine+"/transfer", "transfer-early", map[string]any{"to": "lifarm"}); r.status != 409 || r.problem(t).Code != "receivable.state" {
		t.Errorf("moved before it was accepted: %d %s", r.status, r.body)
	}
	for login, path := range map[string]string{"li.na": mine, "millco": owed, "officer2": bank} {
		if r := h.get(login, path); r.status != 404 {
			t.Errorf("%s GET %s: %d", login, path, r.status)
		}
	}
	if r := post("wang", mine+"/accept", "short", nil); r.status != 422 {
		t.Errorf("a short key: %d", r.status)
	}
	decode[view.ReceivableLine](h, post("wang", mine+"/accept", "accept-1", map[string]any{}))
	moved := decode[view.ReceivableLine](h, post("wang", mine+"/transfer", "transfer-1", map[string]any{"to": creditCode(2), "amount": 300_00}))
	if again := post("wang", mine+"/transfer", "transfer-1", map[string]any{"to": creditCode(2), "amount": 300_00}); !strings.Contains(string(again.body), moved.Receivable.Head) {
		t.Errorf("the same transfer again: %s", again.body)
	}
	for want, body := range map[string]map[string]any{
		"receivable.own_debt": {"to": "foodco"}, "receivable.self": {"to": "wangmill"}, "receivable.unverified": {"to": "millco"}, "firm.not_found": {"to": "nobody"},
		"receivable.too_much": {"to": "lifarm", "amount": 500_01}, "request.invalid": {"to": "lifarm", "amount": -1},
	} {
		if r := post("wang", mine+"/transfer", "transfer-"+want, body); r.problem(t).Code != want {
			t.Errorf("%v: %s, want %s", body, r.body, want)
		}
	}
	asked := decode[view.ReceivableLine](h, post("wang", mine+"/ask", "ask-1-of-wang", map[string]any{"amount": 400_00}))
	part := asked.Receivable.Parts[len(asked.Receivable.Parts)-1].ID
	open := decode[route.List[view.ReceivableLine]](h, h.get("officer", "/officer/receivables?hold=asked"))
	if len(open.Items) != 1 {
		t.Errorf("asked for: %+v", open)
	}
	decode[view.ReceivableLine](h, post("officer", bank+"/pledge", "pledge-1", map[string]any{"part_id": part, "funder": "青穗银行", "ref": "loan-1", "owed": 350_00}))
	if r := post("officer", bank+"/pledge", "pledge-2", map[string]any{"part_id": part, "funder": "青穗银行", "ref": "loan-2", "owed": 1}); r.problem(t).Code != "receivable.held" {
		t.Errorf("a second pledge: %s", r.body)
	}
	decode[view.ReceivableLine](h, post("officer", bank+"/file", "file-0001", map[string]any{"part_id": part, "registration": "04712345000987654321"}))
	seen := decode[view.ReceivableLine](h, h.get("li.na", mine))
	if len(seen.Receivable.Parts) != 2 || strings.Contains(string(h.get("li.na", mine).body), "04712345") {
		t.Errorf("the farm sees %+v", seen.Receivable.Parts)
	}

	base := decode[receivable.BorrowingBase](h, h.get("officer", "/officer/firms/wangmill/borrowing-base"))
	if base.Open != 500_00 || base.Obligors[0].Held != 400_00 || base.Eligible != 50_00 {
		t.Errorf("borrowing base %+v", base)
	}
	limits := decode[route.List[officer.ExposureLine]](h, h.post("officer", "/officer/exposures/foodco/limit", map[string]any{"limit": 900_00}))
	if len(limits.Items) != 1 || *limits.Items[0].Exposure.Limit != 900_00 || limits.Items[0].Exposure.Financed != 350_00 || limits.Items[0].Name != "丰禾食品有限公司" {
		t.Errorf("exposures %+v", limits)
	}

	paid := decode[view.ReceivableLine](h, post("foodco", owed+"/pay", "pay-00001", map[string]any{"amount": 800_00, "ref": "wire-1"}))
	if paid.Receivable.State != receivable.Redeemed || paid.Outstanding != 0 {
		t.Errorf("paid: %+v", paid)
	}
	got := map[string]money.Fen{}
	for _, e := range decode[route.List[receivable.Event]](h, h.get("auditor", bank+"/events")).Items {
		if e.Payment != nil {
			for _, s := range e.Payment.Shares {
				got[s.HolderID] += s.ToHolder
				got[s.Funder] += s.ToFunder
			}
		}
	}
	if got["wangmill"] != 150_00 || got["lifarm"] != 300_00 || got["青穗银行"] != 350_00 {
		t.Errorf("who got what: %v", got)
	}
	if r := h.get("foodco", "/anchor/receivable-files/template.xlsx"); r.status != 200 || string(r.body[:2]) != "PK" {
		t.Errorf("template: %d", r.status)
	}
	if trail := string(h.get("auditor", "/officer/audit?limit=1000").body); !strings.Contains(trail, "farmer-holding-transfer") || !strings.Contains(trail, `"object":"`+id) {
		t.Errorf("the trail does not tell: %s", trail)
	}
}
