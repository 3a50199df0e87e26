package app_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/app"
	"github.com/furrowcredit/furrow/app/apptest"
	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/credit/pay/purchase"
)

// TestHerdInputs lends to a herder for feed: the shop confirms, the herder has the feed and
// a photo of the receipt, and only then is the shop paid.
func TestHerdInputs(t *testing.T) {
	t.Parallel()
	v := newVillage(t, "sqlite:"+filepath.Join(t.TempDir(), "furrow.db"), func(c *app.Config) { c.MQTT = "127.0.0.1:0" })
	v.broker = v.MQTT()
	herd, _ := v.herd("herder")
	var shop chain.Party
	v.as(apptest.Operator).Post("/operator/firms", map[string]any{"uscc": creditCode(4), "name": "青穗县丰牧饲料有限公司", "anchor": true}, &shop)
	v.register(access.Anchor, "shop", shop.ID)
	var seller purchase.Seller
	v.as("officer").Post("/officer/sellers", map[string]any{
		"firm_id": shop.ID, "categories": []string{"feed"}, "account": "6222000012345679", "bank": "青穗银行", "from": "2026-01-01", "to": "2027-12-31",
	}, &seller)
	v.must("second", "/officer/sellers/"+seller.ID+"/approve", nil)
	var a apply.Application
	v.as("herder").Post("/farmer/applications", apply.Request{
		Subject: credit.Subject{Kind: credit.HerdSubject, ID: herd.ID}, Product: "herd_inputs", Asked: 1_000_000, TermMonths: 6,
		Consents: agreed(t, "decision", "herd"),
	}, &a)
	id := a.ID
	apptest.Poll(t, 30*time.Second, "decision", func() bool {
		v.as("officer").Get("/officer/applications/"+id, &struct{ Application *apply.Application }{&a})
		return a.State != apply.Submitted && a.State != apply.Deciding
	})
	if a.State == apply.Referred { // prices of the market are old by then: a person looks
		v.must("officer", "/officer/applications/"+id+"/approve", map[string]string{"note": "看过牛"})
	}
	v.sign("herder", id)
	var shelf purchase.Shelf
	v.as("herder").Get("/farmer/applications/"+id+"/shelf", &shelf)
	line := map[string]any{}
	for _, o := range shelf.Offers {
		if o.Goods.Category == "feed" && o.InSeason && o.High > 0 {
			line = map[string]any{"goods": o.Goods.Code, "quantity": "10", "price": (o.Low + o.High) / 2}
			break
		}
	}
	order := map[string]any{"application_id": id, "seller_id": seller.ID, "lines": []any{line}}
	seed := map[string]any{"application_id": id, "seller_id": seller.ID, "lines": []any{map[string]any{"goods": "wheat_seed", "quantity": "1", "price": 500}}}
	if r := v.as("herder").Try("/farmer/purchases", seed); r.Status != 422 || !placed(t, r, "body.lines[0].goods") {
		t.Errorf("seed for a herd: %d %s", r.Status, r.Body)
	}
	var o purchase.Order
	v.as("herder").Post("/farmer/purchases", order, &o)
	v.as("shop").Post("/anchor/sales/"+o.ID+"/confirm", nil, &o)
	if out, _ := v.bank.Moved(); o.State != purchase.Confirmed || out != 0 {
		t.Fatalf("%s, %s is paid before the feed is there", o.State, out)
	}
	deliver := "/farmer/purchases/" + o.ID + "/deliver"
	refused(t, "half a fingerprint", 422, "purchase.receipt", func(lang ...string) apptest.Reply {
		return v.as("herder").Try(deliver, map[string]string{"receipt_hash": "abc"}, lang...)
	})
	photo := strings.Repeat("0f", 32)
	v.as("herder").Post(deliver, map[string]string{"receipt_hash": photo}, &o)
	if out, _ := v.bank.Moved(); o.State != purchase.Paid || out != o.Amount {
		t.Fatalf("%s, %s of %s is paid", o.State, out, o.Amount)
	}
	var seen struct{ Order purchase.Order }
	v.as("officer").Get("/officer/purchases/"+o.ID, &seen)
	if d := seen.Order.Delivery; d == nil || d.ReceiptHash != photo || d.By != "buyer" {
		t.Errorf("the officer sees %+v", d)
	}
	v.clean()
}
