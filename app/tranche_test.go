package app_test

import (
	"bytes"
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
	"github.com/furrowcredit/furrow/credit/contract"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/pay/purchase"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/server"
	"github.com/furrowcredit/furrow/server/route"
	"github.com/furrowcredit/furrow/server/view"
	"github.com/furrowcredit/furrow/store/storetest"
)

// TestTranches borrows for a season: the contract tells the plan, the first part goes out when
// the loan is drawn, and the second when its day has come and two officers stand for the crop
// that the satellites have not seen.
func TestTranches(t *testing.T) {
	villages(t, func(t *testing.T, v *village) {
		v.register(access.Borrower, "wang", "")
		id := v.offered("wang", "crop_season", credit.Subject{Kind: credit.PlotSubject, ID: v.field("wang").ID}, 2_000_000, 9).Application.ID
		var seen apply.Preview
		v.as("wang").Get("/farmer/applications/"+id+"/preview", &seen)
		if len(seen.Tranches) != 2 || seen.Tranches[0].Amount != 1_200_000 || seen.Tranches[1].Amount != 800_000 ||
			seen.Cost.Total != 2_000_000+seen.Cost.Interest || seen.Rows[len(seen.Rows)-1].Principal != 2_000_000 {
			t.Errorf("the preview %+v", seen)
		}
		var c apply.Contract
		v.as("wang").Get("/farmer/applications/"+id+"/contract", &c)
		if !strings.Contains(c.Text, "8000.00") || !strings.Contains(c.Text, seen.Tranches[1].On.String()) || len(c.Tranches) != 2 {
			t.Errorf("the contract says\n%s", c.Text)
		}
		a := v.sign("wang", id)
		var l loan.Loan
		v.as("wang").Post("/farmer/applications/"+id+"/draw", map[string]money.Fen{"amount": a.Limit}, &l)
		if l.Principal != 1_200_000 || l.Undrawn != 800_000 || l.Outstanding != 1_200_000 {
			t.Errorf("drawn: %+v", l)
		}
		path := "/farmer/loans/" + l.ID + "/tranches"
		waits := func(want string) {
			t.Helper()
			var page view.TranchePage
			v.as("wang").Get(path, &page)
			got := ""
			for _, w := range page.Tranches[1].Why {
				got += w.Code + " "
			}
			if strings.TrimSpace(got) != want || page.Tranches[1].Ready != (want == "") {
				t.Errorf("it waits for %q, want %q", got, want)
			}
		}
		draw := func(want int) {
			t.Helper()
			if r := v.as("wang").Try(path+"/2/draw", nil, "Idempotency-Key", "top-dressing"); r.Status != want {
				t.Errorf("%d %s, want %d", r.Status, r.Body, want)
			}
		}
		waits("loan.tranche_early")
		draw(409)
		v.travel(sowing.Add(50 * 24 * time.Hour))
		waits("application.crop_unseen")
		draw(409)
		v.must("officer", "/officer/loans/"+l.ID+"/tranches/2/inspections", map[string]any{"found": true, "note": "knee high, all of it"})
		waits("application.crop_unseen")
		v.must("second", "/officer/loans/"+l.ID+"/tranches/2/confirm", nil)
		waits("")
		draw(200)
		draw(200) // the answer was lost
		if l = v.loan(l.ID).Loan; l.Principal != 2_000_000 || l.Outstanding != 2_000_000 || l.Undrawn != 0 {
			t.Errorf("the second part: %+v", l)
		}
		v.register(access.Partner, "shop", "")
		if r := v.as("shop").Send("GET", "/partner/loans/"+l.ID+"/tranches", "", nil); r.Status != 404 {
			t.Errorf("a partner sees what was asked for on the phone: %d %s", r.Status, r.Body)
		}
		v.clean()
	})
}

// TestPartnerTranches has a partner act on the loan that it brought: it sees the plan and why
// a part waits, has less than a part paid out, once, and gives up the rest. To another
// partner the loan does not exist.
func TestPartnerTranches(t *testing.T) {
	t.Parallel()
	run := func(t *testing.T, dsn string) {
		v := newVillage(t, dsn, func(cfg *app.Config) { cfg.Catalog = inThreeParts(t) })
		v.register(access.Borrower, "wang", "")
		var firms [2]chain.Party
		for i, name := range []string{"青穗县惠农农资有限公司", "青穗县丰牧饲料有限公司"} {
			v.as(apptest.Operator).Post("/operator/firms", map[string]any{"uscc": creditCode(i + 5), "name": name, "anchor": true}, &firms[i])
		}
		v.register(access.Partner, "shop", firms[0].ID)
		v.register(access.Partner, "clerk", firms[0].ID) // of the same shop
		v.register(access.Partner, "rival", firms[1].ID)
		var user server.Myself
		v.as("wang").Get("/session", &user)
		field := v.field("wang")
		consents, at := agreed(t, "decision", "crop"), v.clock.Now().Add(-time.Hour)
		for i := range consents {
			consents[i].Proof, consents[i].At = "SQ-1", &at
		}
		bring := func(login string) (a apply.Application) {
			t.Helper()
			r := v.as(login).Try("/partner/applications", map[string]any{
				"user_id": user.User.ID, "subject": credit.Subject{Kind: credit.PlotSubject, ID: field.ID}, "product": "crop_season",
				"asked": 2_000_000, "term_months": 9, "consents": consents,
			}, "Idempotency-Key", "application-000001")
			if r.Read(t, &a); r.Status != 200 {
				t.Fatalf("%d %s", r.Status, r.Body)
			}
			return a
		}
		a := bring("shop")
		if again := bring("shop"); again.ID != a.ID {
			t.Errorf("the same application again: %+v", again)
		}
		v.answered("wang", a.ID)
		a = v.sign("wang", a.ID)
		var copies [][]byte
		for login, face := range map[string]string{"wang": "farmer", "shop": "partner"} {
			r := v.as(login).Send("GET", "/"+face+"/applications/"+a.ID+"/contract.pdf", "", nil)
			var marks route.List[contract.Signature]
			if v.as(login).Get("/"+face+"/applications/"+a.ID+"/signatures", &marks); r.Status != 200 || len(marks.Items) == 0 {
				t.Errorf("the copy of %s: %d, with signatures %+v", login, r.Status, marks)
			}
			copies = append(copies, r.Body)
		}
		if !bytes.Equal(copies[0], copies[1]) {
			t.Error("the partner's copy of the contract is another than the farmer's")
		}
		if other := bring("rival"); other.ID == a.ID {
			t.Error("under the same key another partner finds what the shop brought")
		}
		var l loan.Loan
		v.as("wang").Post("/farmer/applications/"+a.ID+"/draw", map[string]money.Fen{"amount": a.Limit}, &l)
		path := "/partner/loans/" + l.ID + "/tranches"
		plan := func() (page view.TranchePage) {
			t.Helper()
			v.as("shop").Get(path, &page)
			return page
		}
		var seen view.TranchePage
		if v.as("clerk").Get(path, &seen); len(seen.Tranches) != len(plan().Tranches) {
			t.Errorf("a colleague sees %+v", seen)
		}
		draw := func(login string, amount money.Fen, key string) func(lang ...string) apptest.Reply {
			return func(lang ...string) apptest.Reply {
				return v.as(login).Try(path+"/2/draw", map[string]money.Fen{"amount": amount}, append(lang, "Idempotency-Key", key)...)
			}
		}
		if p := plan(); len(p.Tranches) != 3 || p.Undrawn != 1_000_000 || len(p.Tranches[1].Why) != 1 ||
			p.Tranches[1].Why[0].Code != "loan.tranche_early" || p.Tranches[1].Why[0].Message == "" {
			t.Errorf("the plan: %+v", p)
		}
		refused(t, "too early", 409, "loan.tranche_early", draw("shop", 400_000, "top-dressing"))
		v.travel(sowing.Add(50 * 24 * time.Hour))
		if p := plan(); !p.Tranches[1].Ready || p.Tranches[2].Ready || p.Tranches[2].Why[0].Code != "loan.tranche_order" {
			t.Errorf("when its day has come: %+v", p)
		}
		refused(t, "drawn by another partner", 404, "loan.not_found", draw("rival", 400_000, "top-dressing"))
		refused(t, "seen by another partner", 404, "loan.not_found", func(lang ...string) apptest.Reply { return v.as("rival").Send("GET", path, "", nil, lang...) })
		refused(t, "given up by another partner", 404, "loan.not_found", func(lang ...string) apptest.Reply { return v.as("rival").Try(path+"/cancel", nil, lang...) })
		refused(t, "nothing", 422, "request.invalid", draw("shop", 0, "top-dressing-of-nothing"))
		refused(t, "a fen too much", 422, "loan.tranche_amount", draw("shop", 600_001, "top-dressing-and-more"))
		for range 2 { // the answer was lost
			if r := draw("shop", 400_000, "top-dressing")(); r.Status != 200 {
				t.Errorf("%d %s", r.Status, r.Body)
			}
		}
		refused(t, "another amount under the same key", 409, "idempotency.reused", draw("shop", 400_001, "top-dressing"))
		if drawn := v.loan(l.ID).Loan; drawn.Principal != 1_400_000 || drawn.Undrawn != 400_000 {
			t.Errorf("a part of the second part: %+v", drawn)
		}
		for range 2 { // doing it again changes nothing
			var after loan.Loan
			v.as("shop").Post(path+"/cancel", nil, &after)
			if after.Principal != 1_400_000 || after.Undrawn != 0 || after.Tranches[2].State != loan.TrancheCancelled {
				t.Errorf("the rest is given up: %+v", after)
			}
		}
		v.clean()
	}
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); run(t, "sqlite:"+filepath.Join(t.TempDir(), "f.db")) })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); run(t, storetest.Postgres(t)) })
}

// TestDirectedTranches buys with a directed loan that goes out in parts: each part goes to the
// seller of an order and none to the borrower, and every yuan is traced to goods.
func TestDirectedTranches(t *testing.T) {
	t.Parallel()
	run := func(t *testing.T, dsn string) {
		v := newVillage(t, dsn, func(cfg *app.Config) {
			cfg.Catalog = ownProducts(t, "    directed: true\n", `    directed: true
    tranches:
      - {name: {zh-CN: 播种, en: Sowing}, share_bp: 6000}
      - {name: {zh-CN: 追肥, en: Top dressing}, share_bp: 4000, after_days: 40, open_days: 120}
`)
		})
		v.register(access.Borrower, "wang", "")
		var firm chain.Party
		v.as(apptest.Operator).Post("/operator/firms", map[string]any{"uscc": creditCode(8), "name": "青穗县惠农农资有限公司", "anchor": true}, &firm)
		v.register(access.Anchor, "seller", firm.ID)
		var seller purchase.Seller
		v.as("officer").Post("/officer/sellers", map[string]any{
			"firm_id": firm.ID, "categories": []string{"fertiliser"}, "account": "6222000012345678", "bank": "青穗银行", "from": "2026-01-01", "to": "2027-12-31",
		}, &seller)
		v.must("second", "/officer/sellers/"+seller.ID+"/approve", nil)
		id := v.offered("wang", "inputs", credit.Subject{Kind: credit.PlotSubject, ID: v.field("wang").ID}, 2_000_000, 9).Application.ID
		v.sign("wang", id)
		buy := func() (o purchase.Order) {
			t.Helper()
			v.as("wang").Post("/farmer/purchases", map[string]any{
				"application_id": id, "seller_id": seller.ID, "lines": []any{map[string]any{"goods": "urea", "quantity": "1000", "price": 250}},
			}, &o)
			v.as("seller").Post("/anchor/sales/"+o.ID+"/confirm", nil, &o)
			if o.State == purchase.Confirmed {
				v.as("wang").Post("/farmer/purchases/"+o.ID+"/deliver", map[string]string{}, &o)
			}
			if o.State != purchase.Paid {
				t.Fatalf("an order is not paid: %+v", o)
			}
			return o
		}
		first := buy()
		toBorrower := func(name string) {
			t.Helper()
			for _, path := range []string{"/farmer/applications/" + id + "/draw", "/farmer/loans/" + first.LoanID + "/tranches/2/draw"} {
				refused(t, name+" at "+path, 409, "application.directed", func(lang ...string) apptest.Reply {
					return v.as("wang").Try(path, map[string]money.Fen{"amount": 100_000}, lang...)
				})
			}
		}
		toBorrower("the second part before its day")
		v.travel(sowing.Add(50 * 24 * time.Hour))
		toBorrower("the second part on its day")
		second := buy()
		l := v.loan(first.LoanID).Loan
		if second.LoanID != l.ID || l.Principal != first.Amount+second.Amount || l.Tranches[1].State != loan.TrancheDrawn {
			t.Errorf("the second order is paid otherwise than from the second part: %+v", l)
		}
		var trace purchase.Trace
		if v.as("wang").Get("/farmer/loans/"+l.ID+"/trace", &trace); trace.Drawn != l.Principal || trace.Untraced != 0 || len(trace.Parts) != 2 {
			t.Errorf("traced: %+v", trace)
		}
		v.clean()
	}
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); run(t, "sqlite:"+filepath.Join(t.TempDir(), "f.db")) })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); run(t, storetest.Postgres(t)) })
}

// inThreeParts is a catalogue in which partners may bring the loan by season, and it goes out
// in halves and fifths that wait for their day alone.
func inThreeParts(t *testing.T) string {
	t.Helper()
	return ownProducts(t,
		`[bullet, interest_first]
    channels: [phone, counter]`, `[bullet, interest_first]
    channels: [phone, counter, api]`,
		"share_bp: 6000}", "share_bp: 5000}",
		"share_bp: 4000, after_days: 40, open_days: 120, condition: crop}", `share_bp: 3000, after_days: 40, open_days: 120}
      - {name: {zh-CN: 收割, en: Harvest}, share_bp: 2000, after_days: 80, open_days: 120}`)
}
