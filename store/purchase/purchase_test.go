package purchase_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/pay"
	"github.com/furrowcredit/furrow/credit/pay/purchase"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/sim/bank"
	"github.com/furrowcredit/furrow/store"
	paystore "github.com/furrowcredit/furrow/store/pay"
	purchasestore "github.com/furrowcredit/furrow/store/purchase"
	"github.com/furrowcredit/furrow/store/storetest"
)

// house is the service on a real store, beside applications and loans that are played.
type house struct {
	*purchase.Service
	store *purchasestore.Store
	bank  *bank.Bank
	box   *pay.Outbox
	apps  *apps
	now   time.Time
	mu    sync.Mutex
}

func (h *house) clock() time.Time { h.mu.Lock(); defer h.mu.Unlock(); return h.now }
func (h *house) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

// apps plays the applications and the loan book: a drawdown is a payment by the outbox.
type apps struct {
	h        *house
	mu       sync.Mutex
	detail   apply.Detail
	payments map[string]loan.Payment // by key
	refunds  map[string]money.Fen
	broken   bool // the loan book does not answer
}

func (a *apps) Detail(_ context.Context, who access.Actor, id string) (apply.Detail, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if id != a.detail.Application.ID || !a.detail.Application.VisibleTo(who) {
		return apply.Detail{}, apply.ErrNotFound
	}
	return a.detail, nil
}

func (a *apps) Application(ctx context.Context, who access.Actor, id string) (apply.Application, error) {
	d, err := a.Detail(ctx, who, id)
	return d.Application, err
}

func (a *apps) DrawTo(ctx context.Context, _ access.Actor, _ string, amount money.Fen, key string, payee pay.Payee, id string) (loan.Loan, error) {
	a.mu.Lock()
	p, known := a.payments["farmer:"+key]
	if !known {
		if amount > a.detail.Available {
			a.mu.Unlock()
			return loan.Loan{}, loan.ErrLimit.With("left", a.detail.Available)
		}
		a.detail.Available -= amount
		p = loan.Payment{
			ID: ident.New(), Tenant: "bank", LoanID: ident.New(), Direction: pay.Out, Amount: amount, Outcome: pay.Unknown,
			Payee: &payee, Purchase: id, Key: "farmer:" + key,
		}
		a.payments[p.Key] = p
	}
	a.mu.Unlock()
	r := pay.Settle(ctx, a.h.box, pay.Order{ID: p.ID, Tenant: "bank", Direction: pay.Out, Amount: amount, Purpose: p.LoanID}.With(payee))
	a.book(p, r)
	if r.Outcome == pay.Failed {
		return loan.Loan{}, loan.ErrPayment.With("reason", r.Reason)
	}
	return loan.Loan{ID: p.LoanID}, nil
}

func (a *apps) book(p loan.Payment, r pay.Receipt) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if p = a.payments[p.Key]; p.Outcome == pay.Unknown && r.Outcome != pay.Unknown {
		p.Outcome, p.Ref, p.Reason = r.Outcome, r.Ref, r.Reason
		if r.Outcome == pay.Failed {
			a.detail.Available += p.Amount
		}
		a.payments[p.Key] = p
	}
}

func (a *apps) told(_ context.Context, i pay.Instruction) error {
	for _, p := range a.all() {
		if p.ID == i.Order.ID {
			a.book(p, pay.Receipt{Outcome: i.Outcome, Ref: i.Ref, Reason: i.Reason})
		}
	}
	return nil
}

func (a *apps) all() (list []loan.Payment) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, p := range a.payments {
		list = append(list, p)
	}
	return list
}

func (a *apps) PaymentByKey(_ context.Context, _, key string) (loan.Payment, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if p, ok := a.payments[key]; ok {
		return p, nil
	}
	return loan.Payment{}, loan.ErrNotFound
}

func (a *apps) Loan(_ context.Context, _, id string) (loan.Loan, error) {
	return loan.Loan{ID: id, UserID: "farmer", UserName: "王五"}, nil
}

func (a *apps) Payments(_ context.Context, _, id string) ([]loan.Payment, error) {
	return slices.DeleteFunc(a.all(), func(p loan.Payment) bool { return p.LoanID != id }), nil
}

func (a *apps) Refund(_ context.Context, _, _ string, amount money.Fen, _ money.Date, key string) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.broken {
		return "", errors.New("the loan book does not answer")
	}
	a.refunds[key] = amount // the same key books once
	return "event-" + key, nil
}

// firms is the register.
type firms map[string]chain.Party

func (f firms) Firm(_ context.Context, _, id string) (chain.Party, error) {
	if p, ok := f[id]; ok {
		return p, nil
	}
	return chain.Party{}, chain.ErrFirmNotFound
}

var (
	farmer = access.Actor{UserID: "farmer", Name: "王五", Tenant: "bank", Role: access.Borrower}
	shop   = access.Actor{UserID: "clerk", Tenant: "bank", Role: access.Anchor, FirmID: "shop"}
	first  = access.Actor{UserID: "o1", Tenant: "bank", Role: access.Officer}
	second = access.Actor{UserID: "o2", Tenant: "bank", Role: access.Officer}
)

func inputs(rule product.Delivery) product.Product {
	return product.Product{Code: "inputs", Directed: true, Delivery: rule, Purposes: []product.Purpose{{Code: "a", Goods: []string{"seed", "fertiliser", "vaccine"}}}}
}

func open(tb testing.TB, db *store.DB, rule product.Delivery) *house {
	tb.Helper()
	fsys, err := catalog.Open("")
	if err != nil {
		tb.Fatal(err)
	}
	goods, err := purchase.Load(fsys)
	if err != nil {
		tb.Fatal(err)
	}
	h := &house{store: purchasestore.New(db), now: time.Date(2026, 5, 1, 0, 30, 0, 0, money.China)}
	h.bank = bank.New(h.clock)
	h.box = &pay.Outbox{Store: paystore.New(db), Rail: h.bank, Now: h.clock}
	h.apps = &apps{h: h, payments: map[string]loan.Payment{}, refunds: map[string]money.Fen{}}
	h.apps.detail = apply.Detail{
		Application: apply.Application{ID: "app-" + ident.New(), Tenant: "bank", UserID: "farmer", UserName: "王五", State: apply.Signed, Subject: credit.Subject{Kind: credit.PlotSubject, ID: "plot"}},
		Product:     inputs(rule), Available: 1_000_000,
		Evidence: &credit.Evidence{Applicant: credit.Applicant{Region: "410101"}, AreaM2: 20000.0 / 3, Crop: &geo.CropReport{Status: geo.Known, Crop: "summer_maize"}},
	}
	register := firms{
		"shop":    {ID: "shop", USCC: "91410000000000001A", Name: "惠农农资", LegalRep: "赵六", OwnerID: "boss"},
		"own":     {ID: "own", USCC: "91410000000000002B", Name: "王五农资", LegalRep: "王 五"},
		"unknown": {ID: "unknown", Name: "无照"},
	}
	h.Service = purchase.New(purchase.Config{
		Store: h.store, Goods: goods, Applications: h.apps, Loans: h.apps, Firms: register, Rail: h.box, Now: h.clock,
	})
	h.box.OnFinal(h.apps.told)
	h.box.OnFinal(h.OnPayment)
	return h
}

var terms = purchase.Enrolment{
	FirmID: "shop", Regions: []string{"41"}, Categories: []string{"seed", "fertiliser"}, Account: "6222 0000 0000 0001", Bank: "县联社",
	From: money.NewDate(2026, 1, 1), To: money.NewDate(2026, 12, 31),
}

func (h *house) enrolled(tb testing.TB) purchase.Seller {
	tb.Helper()
	x, err := h.Enrol(tb.Context(), first, terms)
	if err == nil {
		x, err = h.Approve(tb.Context(), second, x.ID)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return x
}

func (h *house) request(seller string, lines ...purchase.Wanted) purchase.Request {
	if lines == nil {
		lines = []purchase.Wanted{{Goods: "maize_seed", Quantity: "20.5", Unit: "kg", Price: 3000}, {Goods: "urea", Quantity: "300", Price: 201}}
	}
	return purchase.Request{ApplicationID: h.apps.detail.Application.ID, SellerID: seller, Lines: lines, Lang: "en"}
}

// key is a fresh one for each call.
func key() string { return ident.New() }

func TestSellerNeedsTwoOfficers(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h, ctx := open(t, db, ""), t.Context()
		for name, change := range map[string]func(*purchase.Enrolment){
			"account":    func(e *purchase.Enrolment) { e.Account = "12x" },
			"bank":       func(e *purchase.Enrolment) { e.Bank = " " },
			"category":   func(e *purchase.Enrolment) { e.Categories = []string{"gold"} },
			"categories": func(e *purchase.Enrolment) { e.Categories = nil },
			"dates":      func(e *purchase.Enrolment) { e.To = e.From - 1 },
			"region":     func(e *purchase.Enrolment) { e.Regions = []string{"4x"} },
		} {
			e := terms
			change(&e)
			if _, err := h.Enrol(ctx, first, e); !errors.Is(err, purchase.ErrSellerFields) {
				t.Errorf("%s: %v", name, err)
			}
		}
		e := terms
		e.FirmID = "unknown"
		if _, err := h.Enrol(ctx, first, e); !errors.Is(err, purchase.ErrSellerFirm) {
			t.Error(err)
		}
		x, err := h.Enrol(ctx, first, terms)
		if err != nil || x.State != purchase.Proposed || x.Account != "6222000000000001" {
			t.Fatalf("%+v %v", x, err)
		}
		if _, err := h.Enrol(ctx, first, terms); !errors.Is(err, purchase.ErrSellerKnown) {
			t.Error(err)
		}
		if _, err := h.Approve(ctx, first, x.ID); !errors.Is(err, purchase.ErrSecond) {
			t.Error(err)
		}
		if x, err = h.Approve(ctx, second, x.ID); err != nil || x.State != purchase.Enrolled {
			t.Fatalf("%+v %v", x, err)
		}
		other := terms
		other.Account = "6222000000009999"
		if x, err = h.Amend(ctx, second, x.ID, other); err != nil || x.State != purchase.Proposed || x.ApprovedBy != "" {
			t.Errorf("a changed account waits for a second officer: %+v %v", x, err)
		}
		if _, err := h.Approve(ctx, second, x.ID); !errors.Is(err, purchase.ErrSecond) {
			t.Error(err)
		}
		if _, err := h.Suspend(ctx, first, x.ID, " "); !errors.Is(err, purchase.ErrReason) {
			t.Error(err)
		}
		if x, err = h.Suspend(ctx, first, x.ID, "假种子"); err != nil || x.State != purchase.Suspended {
			t.Error(err)
		}
		if _, err := h.Approve(ctx, second, x.ID); !errors.Is(err, purchase.ErrSellerState) {
			t.Error(err)
		}
		if x, err = h.Reinstate(ctx, first, x.ID); err != nil || x.State != purchase.Proposed {
			t.Error(err)
		}
		if _, err := h.Store().Seller(ctx, "other", x.ID); !errors.Is(err, purchase.ErrSellerNotFound) {
			t.Error(err)
		}
	})
}

func (h *house) Store() *purchasestore.Store { return h.store }

func TestRefusalsExplain(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h, ctx := open(t, db, ""), t.Context()
		x := h.enrolled(t)
		own := terms
		own.FirmID = "own"
		mine, err := h.Enrol(ctx, first, own)
		if err == nil {
			mine, err = h.Approve(ctx, second, mine.ID)
		}
		if err != nil {
			t.Fatal(err)
		}
		one := func(goods, quantity, unit string, price money.Fen) []purchase.Wanted {
			return []purchase.Wanted{{Goods: goods, Quantity: quantity, Unit: unit, Price: price}}
		}
		good := one("maize_seed", "10", "kg", 3000)
		for name, tt := range map[string]struct {
			lines  []purchase.Wanted
			change func(*purchase.Request, *apply.Detail)
			want   []string // codes with places
		}{
			"nothing wrong":              {lines: good},
			"no lines":                   {lines: []purchase.Wanted{}, want: []string{"purchase.empty body.lines"}},
			"unknown goods":              {lines: one("gold", "1", "", 1), want: []string{"purchase.goods_unknown body.lines[0].goods"}},
			"three decimals":             {lines: one("maize_seed", "1.005", "", 3000), want: []string{"purchase.quantity body.lines[0].quantity"}},
			"zero":                       {lines: one("maize_seed", "0", "", 3000), want: []string{"purchase.quantity body.lines[0].quantity"}},
			"negative":                   {lines: one("maize_seed", "-2", "", 3000), want: []string{"purchase.quantity body.lines[0].quantity"}},
			"a quantity that is huge":    {lines: one("maize_seed", "99999999999999999", "", 3000), want: []string{"purchase.quantity body.lines[0].quantity"}},
			"another unit":               {lines: one("maize_seed", "10", "litre", 3000), want: []string{"purchase.unit body.lines[0].unit"}},
			"no price":                   {lines: one("maize_seed", "10", "", 0), want: []string{"purchase.price body.lines[0].price"}},
			"negative price":             {lines: one("maize_seed", "10", "", -3000), want: []string{"purchase.price body.lines[0].price"}},
			"too dear":                   {lines: one("maize_seed", "10", "", 8001), want: []string{"purchase.price_high body.lines[0].price"}},
			"too cheap":                  {lines: one("maize_seed", "10", "", 799), want: []string{"purchase.price_low body.lines[0].price"}},
			"out of season":              {lines: one("wheat_seed", "10", "", 500), want: []string{"purchase.season body.lines[0].goods"}},
			"more than the ground takes": {lines: one("maize_seed", "40.01", "", 3000), want: []string{"purchase.quantity_high body.lines[0].quantity"}},
			"more by two lines":          {lines: append(one("maize_seed", "30", "", 3000), one("maize_seed", "11", "", 3000)...), want: []string{"purchase.quantity_high body.lines[1].quantity"}},
			"all that the ground takes":  {lines: one("maize_seed", "40", "", 3000)},
			"not for this product":       {lines: one("cattle_feed", "1", "", 300), want: []string{"purchase.purpose body.lines[0].goods", "purchase.seller_category body.lines[0].goods", "purchase.no_evidence body.lines[0].quantity"}},
			"the seller sells none":      {lines: one("fmd_vaccine", "1", "", 300), want: []string{"purchase.seller_category body.lines[0].goods", "purchase.no_evidence body.lines[0].quantity"}},
			"half a dose": {lines: one("fmd_vaccine", "1.5", "", 300), change: func(_ *purchase.Request, d *apply.Detail) {
				d.Evidence.Herd = &iot.HerdReport{Status: "known", Verified: 10}
			}, want: []string{"purchase.seller_category body.lines[0].goods", "purchase.whole body.lines[0].quantity"}},
			"no seller":          {lines: good, change: func(r *purchase.Request, _ *apply.Detail) { r.SellerID = "nobody" }, want: []string{"purchase.seller_unknown body.seller_id"}},
			"the buyer's own":    {lines: good, change: func(r *purchase.Request, _ *apply.Detail) { r.SellerID = mine.ID }, want: []string{"purchase.related body.seller_id"}},
			"another county":     {lines: good, change: func(_ *purchase.Request, d *apply.Detail) { d.Evidence.Applicant.Region = "370101" }, want: []string{"purchase.seller_region body.seller_id"}},
			"no county":          {lines: good, change: func(_ *purchase.Request, d *apply.Detail) { d.Evidence.Applicant.Region = "" }, want: []string{"purchase.no_region body.seller_id"}},
			"no ground":          {lines: good, change: func(_ *purchase.Request, d *apply.Detail) { d.Evidence.AreaM2 = 0 }, want: []string{"purchase.no_evidence body.lines[0].quantity"}},
			"above the limit":    {lines: good, change: func(_ *purchase.Request, d *apply.Detail) { d.Available = 29_999 }, want: []string{"purchase.limit body.lines"}},
			"the whole limit":    {lines: good, change: func(_ *purchase.Request, d *apply.Detail) { d.Available = 30_000 }},
			"dollars":            {lines: good, change: func(r *purchase.Request, _ *apply.Detail) { r.Currency = "USD" }, want: []string{"purchase.currency body.currency"}},
			"another sum":        {lines: good, change: func(r *purchase.Request, _ *apply.Detail) { r.Amount = 1 }, want: []string{"purchase.total body.amount"}},
			"money of one's own": {lines: good, change: func(_ *purchase.Request, d *apply.Detail) { d.Product.Directed = false }, want: []string{"purchase.not_directed body.application_id"}},
			"all at once": {lines: []purchase.Wanted{{Goods: "wheat_seed", Quantity: "1.234", Price: 1}, {Goods: "urea", Quantity: "10", Price: 9999}}, want: []string{
				"purchase.price_high body.lines[1].price", "purchase.price_low body.lines[0].price", "purchase.quantity body.lines[0].quantity", "purchase.season body.lines[0].goods"}},
		} {
			whole := h.apps.detail
			evidence := *whole.Evidence
			h.apps.detail.Evidence = &evidence
			r := h.request(x.ID, tt.lines...)
			r.Lines = tt.lines
			if tt.change != nil {
				tt.change(&r, &h.apps.detail)
			}
			_, _, no, err := h.Check(ctx, farmer, r)
			got := codes(no)
			slices.Sort(tt.want)
			if err != nil || !slices.Equal(got, tt.want) {
				t.Errorf("%s: %v %v, want %v", name, got, err, tt.want)
			}
			for _, f := range no {
				if strings.Contains(f.Msg, "{") {
					t.Errorf("%s: %s", name, f.Msg)
				}
			}
			_, err = h.Place(ctx, farmer, r, key())
			var all *purchase.Refused
			if len(tt.want) == 0 && err != nil || len(tt.want) > 0 && (!errors.As(err, &all) || len(all.Faults) != len(tt.want) || !errors.Is(err, fault.Invalid)) {
				t.Errorf("%s: %v", name, err)
			}
			h.apps.detail = whole
			h.apps.detail.Application.ID = "app-" + ident.New() // what was ordered does not count for the next
			h.apps.detail.Application.Subject.ID = ident.New()
		}
	})
}

func codes(no []*fault.Error) []string {
	list := []string{}
	for _, f := range no {
		list = append(list, f.Code+" "+f.Place)
	}
	slices.Sort(list)
	return slices.Clip(list)
}

func TestWayOfAnOrder(t *testing.T) {
	t.Parallel()
	const amount = 20.5*3000 + 300*201
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		t.Run("paid on the seller's word", func(t *testing.T) {
			h, ctx := open(t, freshTenant(t, db), ""), t.Context()
			x := h.enrolled(t)
			k := key()
			o, err := h.Place(ctx, farmer, h.request(x.ID), k)
			if err != nil || o.State != purchase.Submitted || o.Amount != amount {
				t.Fatalf("%+v %v", o, err)
			}
			if again, err := h.Place(ctx, farmer, h.request(x.ID), k); err != nil || again.ID != o.ID {
				t.Errorf("%+v %v", again, err)
			}
			if _, err := h.Place(ctx, farmer, h.request(x.ID, purchase.Wanted{Goods: "urea", Quantity: "1", Price: 200}), k); !errors.Is(err, purchase.ErrKeyReused) {
				t.Errorf("a key with another body: %v", err)
			}
			other := shop
			other.FirmID = "own"
			if _, err := h.Confirm(ctx, other, o.ID); !errors.Is(err, purchase.ErrNotFound) {
				t.Errorf("another firm: %v", err)
			}
			if o, err = h.Confirm(ctx, shop, o.ID); err != nil || o.State != purchase.Paid || o.LoanID == "" {
				t.Fatalf("%+v %v", o, err)
			}
			if again, err := h.Confirm(ctx, shop, o.ID); err != nil || again.State != purchase.Paid {
				t.Errorf("%+v %v", again, err)
			}
			if out, _ := h.bank.Moved(); out != amount {
				t.Errorf("moved %s", out)
			}
			if o, err = h.Deliver(ctx, shop, o.ID, strings.Repeat("a", 64)); err != nil || o.Delivery.By != "seller" || o.State != purchase.Paid {
				t.Errorf("%+v %v", o, err)
			}
			tr, err := h.Trace(ctx, farmer, o.LoanID)
			if err != nil || tr.Drawn != amount || tr.Traced != amount || tr.Untraced != 0 || tr.Delivered != amount || len(tr.Parts[0].Gaps) != 0 {
				t.Errorf("%+v %v", tr, err)
			}
			if _, err := h.Trace(ctx, access.Actor{UserID: "nosy", Tenant: "bank", Role: access.Borrower}, o.LoanID); !errors.Is(err, loan.ErrNotFound) {
				t.Error(err)
			}
			if _, err := h.Cancel(ctx, farmer, o.ID, "too late"); !errors.Is(err, purchase.ErrState) {
				t.Error(err)
			}
		})
		t.Run("paid after delivery", func(t *testing.T) {
			h, ctx := open(t, freshTenant(t, db), product.BuyerDelivery), t.Context()
			x := h.enrolled(t)
			o, err := h.Place(ctx, farmer, h.request(x.ID), key())
			if err == nil {
				o, err = h.Confirm(ctx, shop, o.ID)
			}
			if err != nil || o.State != purchase.Confirmed {
				t.Fatalf("%+v %v", o, err)
			}
			if out, _ := h.bank.Moved(); out != 0 {
				t.Errorf("%s moved before the delivery", out)
			}
			if _, err := h.Pay(ctx, farmer, o.ID); !errors.Is(err, purchase.ErrState) {
				t.Error(err)
			}
			if _, err := h.Deliver(ctx, shop, o.ID, strings.Repeat("a", 64)); !errors.Is(err, purchase.ErrBuyerOnly) {
				t.Error(err)
			}
			if o, err = h.Deliver(ctx, farmer, o.ID, ""); err != nil || o.State != purchase.Paid || o.Delivery.By != "buyer" {
				t.Errorf("%+v %v", o, err)
			}
			_, events, err := h.Order(ctx, farmer, o.ID)
			var kinds []string
			for _, e := range events {
				kinds = append(kinds, e.Kind)
			}
			if want := []string{"submit", "confirm", "deliver", "pay", "paid"}; err != nil || !slices.Equal(kinds, want) {
				t.Errorf("%v %v", kinds, err)
			}
		})
		t.Run("a receipt of the seller where the product takes it", func(t *testing.T) {
			h, ctx := open(t, freshTenant(t, db), product.ReceiptDelivery), t.Context()
			o, err := h.Place(ctx, farmer, h.request(h.enrolled(t).ID), key())
			if err == nil {
				o, err = h.Confirm(ctx, shop, o.ID)
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err := h.Deliver(ctx, shop, o.ID, "no hash"); !errors.Is(err, purchase.ErrReceipt) {
				t.Error(err)
			}
			if o, err = h.Deliver(ctx, shop, o.ID, strings.Repeat("Ab", 32)); err != nil || o.State != purchase.Paid || o.Delivery.ReceiptHash != strings.Repeat("ab", 32) {
				t.Errorf("%+v %v", o, err)
			}
		})
		t.Run("a suspended seller is not paid", func(t *testing.T) {
			h, ctx := open(t, freshTenant(t, db), ""), t.Context()
			x := h.enrolled(t)
			o, err := h.Place(ctx, farmer, h.request(x.ID), key())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := h.Suspend(ctx, first, x.ID, "查处"); err != nil {
				t.Fatal(err)
			}
			if _, err := h.Confirm(ctx, shop, o.ID); !errors.Is(err, purchase.ErrSellerState) {
				t.Error(err)
			}
			if _, err := h.Place(ctx, farmer, h.request(x.ID), key()); !errors.Is(err, purchase.ErrSellerSuspend) {
				t.Error(err)
			}
		})
		t.Run("a refused payment goes back and may be tried again", func(t *testing.T) {
			h, ctx := open(t, freshTenant(t, db), ""), t.Context()
			refuse := true
			h.bank.Conduct = func(pay.Order) bank.Conduct {
				if refuse {
					return bank.Conduct{Refuse: "closed"}
				}
				return bank.Conduct{}
			}
			o, err := h.Place(ctx, farmer, h.request(h.enrolled(t).ID), key())
			if err == nil {
				o, err = h.Confirm(ctx, shop, o.ID)
			}
			if err != nil || o.State != purchase.Confirmed || o.Reason != "closed" || o.LoanID != "" {
				t.Fatalf("%+v %v", o, err)
			}
			refuse = false
			if o, err = h.Pay(ctx, farmer, o.ID); err != nil || o.State != purchase.Paid || o.Attempt != 2 {
				t.Errorf("%+v %v", o, err)
			}
			if out, _ := h.bank.Moved(); out != amount {
				t.Errorf("moved %s", out)
			}
		})
		t.Run("an unknown payment is waited for, not paid again", func(t *testing.T) {
			h, ctx := open(t, freshTenant(t, db), ""), t.Context()
			h.bank.Conduct = func(pay.Order) bank.Conduct { return bank.Conduct{Hold: 6} }
			o, err := h.Place(ctx, farmer, h.request(h.enrolled(t).ID), key())
			if err == nil {
				o, err = h.Confirm(ctx, shop, o.ID)
			}
			if err != nil || o.State != purchase.Paying {
				t.Fatalf("%+v %v", o, err)
			}
			for range 12 {
				h.pass(20 * time.Minute)
				if _, err := h.box.Work(ctx); err != nil {
					t.Fatal(err)
				}
				if _, err := h.Work(ctx); err != nil {
					t.Fatal(err)
				}
			}
			o, _, err = h.Order(ctx, farmer, o.ID)
			if out, _ := h.bank.Moved(); err != nil || o.State != purchase.Paid || out != amount || o.Attempt != 1 {
				t.Errorf("%+v %v, moved %s", o, err, out)
			}
		})
		t.Run("drafts, cancelling, expiry", func(t *testing.T) {
			h, ctx := open(t, freshTenant(t, db), ""), t.Context()
			x := h.enrolled(t)
			r := h.request(x.ID)
			r.Draft = true
			o, err := h.Place(ctx, farmer, r, key())
			if err != nil || o.State != purchase.Draft {
				t.Fatalf("%+v %v", o, err)
			}
			if _, _, err := h.Order(ctx, shop, o.ID); !errors.Is(err, purchase.ErrNotFound) {
				t.Errorf("a seller sees a draft: %v", err)
			}
			if o, err = h.Submit(ctx, farmer, o.ID, "en"); err != nil || o.State != purchase.Submitted {
				t.Errorf("%+v %v", o, err)
			}
			if o, err = h.Cancel(ctx, shop, o.ID, "没货"); err != nil || o.State != purchase.Cancelled {
				t.Errorf("%+v %v", o, err)
			}
			o, err = h.Place(ctx, farmer, h.request(x.ID), key())
			if err != nil {
				t.Fatal(err)
			}
			h.pass(8 * 24 * time.Hour)
			if w, err := h.Work(ctx); err != nil || w.Expired != 1 {
				t.Errorf("%+v %v", w, err)
			}
			if _, err := h.Confirm(ctx, shop, o.ID); !errors.Is(err, purchase.ErrState) {
				t.Error(err)
			}
		})
		t.Run("two orders of the last fen", func(t *testing.T) {
			h, ctx := open(t, freshTenant(t, db), ""), t.Context()
			x := h.enrolled(t)
			h.apps.detail.Available = 15_000
			var wait sync.WaitGroup
			var mu sync.Mutex
			placed := 0
			for range 4 {
				wait.Go(func() {
					_, err := h.Place(ctx, farmer, h.request(x.ID, purchase.Wanted{Goods: "urea", Quantity: "50", Price: 200}), key())
					mu.Lock()
					defer mu.Unlock()
					if err == nil {
						placed++
					} else if !errors.Is(err, purchase.ErrLimit) {
						t.Error(err)
					}
				})
			}
			wait.Wait()
			if placed != 1 {
				t.Errorf("%d orders of 100 yuan under 150", placed)
			}
		})
	})
}

// freshTenant empties the tables, so that the one tenant of the tests starts anew.
func freshTenant(t *testing.T, db *store.DB) *store.DB {
	t.Helper()
	for _, table := range []string{"purchase_seller", "purchase_order", "purchase_event", "pay_order", "pay_note"} {
		if _, err := db.Exec(t.Context(), `delete from `+table); err != nil {
			t.Fatal(err)
		}
	}
	return db
}

// TestRefundsSum: refunds of any lines, with a bank in trouble and a loan book that fails at
// times. What came back equals what the loan was given, line by line, and is never more than
// was paid.
func TestRefundsSum(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		rapid.Check(t, func(rt *rapid.T) {
			h, ctx := open(t, freshTenant(t, db), ""), context.Background()
			x := h.enrolled(t)
			o, err := h.Place(ctx, farmer, h.request(x.ID), key())
			if err == nil {
				o, err = h.Confirm(ctx, shop, o.ID)
			}
			if err != nil || o.State != purchase.Paid {
				rt.Fatalf("%+v %v", o, err)
			}
			h.bank.Conduct = bank.Random(rapid.Uint64().Draw(rt, "seed"), 800)
			for n := range rapid.IntRange(1, 5).Draw(rt, "refunds") {
				var lines []purchase.RefundLine
				for _, nr := range rapid.SliceOfN(rapid.IntRange(1, 2), 1, 3).Draw(rt, "lines") {
					lines = append(lines, purchase.RefundLine{Nr: nr, Amount: money.Fen(rapid.Int64Range(1, 40000).Draw(rt, "amount"))})
				}
				h.apps.broken = rapid.Bool().Draw(rt, "broken")
				_, err := h.Refund(ctx, shop, o.ID, lines, "退货", fmt.Sprintf("refund-%06d", n))
				if err != nil && fault.Kind(err) == nil && !h.apps.broken {
					rt.Fatal(err)
				}
				h.apps.broken = false
				for range 20 {
					h.pass(20 * time.Minute)
					_, _ = h.box.Work(ctx)
					_, _ = h.Work(ctx)
				}
			}
			o, _, err = h.Order(ctx, farmer, o.ID)
			if err != nil {
				rt.Fatal(err)
			}
			var booked, byLine money.Fen
			for _, a := range h.apps.refunds {
				booked += a
			}
			for _, l := range o.Lines {
				if l.Refunded > l.Amount {
					rt.Fatalf("%+v", l)
				}
				byLine += l.Refunded
			}
			_, in := h.bank.Moved()
			tr, err := h.Trace(ctx, farmer, o.LoanID)
			if err != nil || booked != o.Refunded || byLine != o.Refunded || in != o.Refunded || tr.Refunded != o.Refunded || tr.Traced != o.Amount {
				rt.Fatalf("the bank %s, the loan %s, the lines %s, the order %s, the trace %+v %v", in, booked, byLine, o.Refunded, tr, err)
			}
			if (o.State == purchase.Refunded) != (o.Refunded == o.Amount) {
				rt.Fatalf("%s with %s of %s", o.State, o.Refunded, o.Amount)
			}
		})
	})
}
