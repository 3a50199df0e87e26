package application_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/credit/consent"
	"github.com/furrowcredit/furrow/credit/contract"
	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/pay"
	"github.com/furrowcredit/furrow/credit/policy"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/credit/profile"
	"github.com/furrowcredit/furrow/credit/strategy"
	"github.com/furrowcredit/furrow/credit/watch"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/store"
	alertstore "github.com/furrowcredit/furrow/store/alert"
	"github.com/furrowcredit/furrow/store/application"
	consentstore "github.com/furrowcredit/furrow/store/consent"
	"github.com/furrowcredit/furrow/store/herd"
	ledgerstore "github.com/furrowcredit/furrow/store/ledger"
	loanstore "github.com/furrowcredit/furrow/store/loan"
	profilestore "github.com/furrowcredit/furrow/store/profile"
	"github.com/furrowcredit/furrow/store/storetest"
	strategystore "github.com/furrowcredit/furrow/store/strategy"
)

const tenant = "county"

var (
	farmer  = access.Actor{UserID: "farmer", Name: "Wang", Tenant: tenant, Role: access.Borrower}
	other   = access.Actor{UserID: "other", Name: "Li", Tenant: tenant, Role: access.Borrower}
	officer = access.Actor{UserID: "officer", Name: "Zhao", Tenant: tenant, Role: access.Officer}
	auditor = access.Actor{UserID: "auditor", Name: "Sun", Tenant: tenant, Role: access.Auditor}
)

// bench is the credit rooms on a real database, with evidence and a bank made up.
type bench struct {
	apply  *apply.Service
	loans  *loan.Service
	book   *ledger.Service
	desk   *watch.Desk
	rail   *rail
	rooms  *rooms
	clock  *clock
	notify *notify

	consents *consent.Book
	profiles *profile.Book
}

type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.t }
func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// rooms stands for geo, iot and chain.
type rooms struct {
	mu       sync.Mutex
	plots    map[string]geo.Plot
	reports  map[string]geo.CropReport
	overlaps map[string][]geo.Overlap
	herds    *herd.Store
}

func (r *rooms) Plot(_ context.Context, _, id string) (geo.Plot, error) {
	if p, ok := r.plots[id]; ok {
		return p, nil
	}
	return geo.Plot{}, geo.ErrPlotNotFound
}

func (r *rooms) LatestReport(_ context.Context, _, id string) (geo.CropReport, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c, ok := r.reports[id]; ok {
		return c, nil
	}
	return geo.CropReport{}, geo.ErrReportAbsent
}

func (r *rooms) Overlaps(_ context.Context, _ string, _ orb.Polygon, except string) ([]geo.Overlap, error) {
	return r.overlaps[except], nil
}

func (r *rooms) Herd(_ context.Context, _, id string) (iot.Herd, error) {
	if id != "herd" && id != "herd2" {
		return iot.Herd{}, iot.ErrHerdNotFound
	}
	return iot.Herd{ID: id, OwnerID: farmer.UserID, Name: "North ranch"}, nil
}

func (r *rooms) Animals(ctx context.Context, tenant, herdID string) ([]iot.Animal, error) {
	return r.herds.Animals(ctx, tenant, herdID)
}

func (r *rooms) Report(_ context.Context, _, id string) (iot.HerdReport, error) {
	heard := start
	return iot.HerdReport{HerdID: id, Status: "known", Registered: 100, Verified: 98, Tagged: 98, ValueLow: 40_000_000, Value: 50_000_000, LastHeard: &heard,
		Count: iot.HerdCount{Status: "known", Estimate: 98, Low: 96, High: 100, LastAt: &heard}}, nil
}

func (r *rooms) Firm(_ context.Context, _, id string) (chain.Party, error) {
	if id != "firm" {
		return chain.Party{}, chain.ErrFirmNotFound
	}
	return chain.Party{ID: id, Name: "Green Mill", OwnerID: farmer.UserID}, nil
}

func (r *rooms) Surroundings(_ context.Context, _ string, s chain.Standing) (chain.Surroundings, error) {
	return chain.Surroundings{FirmID: s.FirmID, Reason: "no_node", Anchors: []chain.AnchorLevel{}}, nil
}

func (r *rooms) Standing(_ context.Context, _, id string) (chain.Standing, error) {
	monthly := make([]money.Fen, 12)
	for i := range monthly {
		monthly[i] = 20_000_000
	}
	return chain.Standing{
		FirmID: id, Status: "known", Invoiced12m: 240_000_000, Monthly: monthly, Proven: 0.95, Confidence: 0.9,
		Anchors: []chain.AnchorShare{{AnchorID: "a", Tier: 1, Share: 0.6, Months: 20}},
	}, nil
}

// rail is a bank whose answers a test can lose.
type rail struct {
	mu     sync.Mutex
	done   map[string]pay.Receipt
	moved  money.Fen // out minus in
	lose   bool      // carry out, then lose the answer, and do not answer queries
	refuse string
}

func (r *rail) Send(_ context.Context, o pay.Order) (pay.Receipt, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.done[o.ID]; !known {
		if r.refuse != "" {
			r.done[o.ID] = pay.Receipt{OrderID: o.ID, Outcome: pay.Failed, Reason: r.refuse}
		} else {
			r.done[o.ID] = pay.Receipt{OrderID: o.ID, Outcome: pay.Settled, Ref: "R"}
			if o.Direction == pay.Out {
				r.moved += o.Amount
			} else {
				r.moved -= o.Amount
			}
		}
	}
	if r.lose {
		return pay.Receipt{}, errors.New("lost")
	}
	return r.done[o.ID], nil
}

func (r *rail) Query(_ context.Context, id string) (pay.Receipt, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lose {
		return pay.Receipt{}, errors.New("lost")
	}
	if got, ok := r.done[id]; ok {
		return got, nil
	}
	return pay.Receipt{}, pay.ErrUnseen
}

func (r *rail) set(lose bool, refuse string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lose, r.refuse = lose, refuse
}

type notify struct {
	mu     sync.Mutex
	states []apply.State
	alerts []watch.Alert
}

func (n *notify) ApplicationChanged(a apply.Application) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.states = append(n.states, a.State)
}

func (n *notify) AlertChanged(a watch.Alert) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.alerts = append(n.alerts, a)
}

var start = time.Date(2026, 7, 20, 4, 0, 0, 0, time.UTC)

func open(t testing.TB, db *store.DB) *bench {
	t.Helper()
	return openWith(t, db, func(*bench, *apply.Config) {})
}

// openWith is open with other rooms.
func openWith(t testing.TB, db *store.DB, change func(*bench, *apply.Config)) *bench {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	fsys, err := catalog.Open("")
	must(err)
	products, err := product.Load(withLine{fsys})
	must(err)
	policies, err := policy.Load(fsys)
	must(err)
	wordings, err := consent.Load(fsys)
	must(err)
	words, err := contract.LoadWords(fsys)
	must(err)
	chart, err := ledger.LoadChart(fsys)
	must(err)

	clear := start.AddDate(0, 0, -3)
	sound := geo.CropReport{
		Status: geo.Known, AreaM2: 20_000, Crop: "summer_maize", Declared: "summer_maize", Confidence: 0.95, Vigour: 1,
		ClearDates: 15, TotalDates: 20, LastClear: &clear, Worth: &geo.Worth{Low: 3_000_000},
	}
	plot := func(id, owner string) geo.Plot {
		return geo.Plot{ID: id, Tenant: tenant, OwnerID: owner, OwnerName: owner, Name: "Plot " + id, AreaM2: 20_000}
	}
	b := &bench{
		rail: &rail{done: map[string]pay.Receipt{}}, clock: &clock{t: start}, notify: &notify{},
		rooms: &rooms{
			plots: map[string]geo.Plot{
				"p1": plot("p1", farmer.UserID), "p2": plot("p2", other.UserID), "new": plot("new", farmer.UserID), "unsure": plot("unsure", farmer.UserID),
			},
			herds:   herd.New(db),
			reports: map[string]geo.CropReport{"p1": sound, "p2": sound},
			overlaps: map[string][]geo.Overlap{
				"p1": {{PlotID: "p2", Share: 0.4, M2: 8000}}, "p2": {{PlotID: "p1", Share: 0.4, M2: 8000}},
			},
		},
	}
	unsure := sound
	unsure.Status, unsure.Confidence = geo.LowConfidence, 0.55
	b.rooms.reports["unsure"] = unsure
	b.desk = &watch.Desk{Store: alertstore.New(db), Notify: b.notify, Now: b.clock.now}
	b.book = ledger.New(ledgerstore.New(db), chart, b.clock.now)
	b.loans = loan.New(loan.Config{Store: loanstore.New(db), Book: b.book, Rail: b.rail, Alerts: b.desk, Now: b.clock.now})
	b.consents = &consent.Book{Store: consentstore.New(db), Wordings: wordings, Now: b.clock.now}
	b.profiles = &profile.Book{Store: profilestore.New(db), Consents: b.consents, Now: b.clock.now}
	house, err := contract.OpenHouse(filepath.Join(t.TempDir(), "house.pem"))
	must(err)
	cfg := apply.Config{
		House: house,
		Store: application.New(db), Plots: b.rooms, Overlaps: b.rooms, PlotReports: b.rooms, Herds: b.rooms, HerdReports: b.rooms,
		Firms: b.rooms, Standings: b.rooms, Alerts: b.desk, Products: products, Policies: strategy.New(strategy.Config{Store: strategystore.New(db), Shipped: policies, Now: b.clock.now}), Words: words,
		Consents: b.consents, Profiles: b.profiles, Loans: b.loans, Notify: b.notify, Now: b.clock.now,
	}
	change(b, &cfg)
	b.apply = apply.New(cfg)
	for _, who := range []access.Actor{farmer, other} {
		must(b.consents.Give(context.Background(), who.Tenant, who.UserID, wordings.Answers("zh-CN", "decision", "crop", "herd", "standing", "bureau", "bank"),
			consent.How{Channel: "phone", Device: "test phone", By: who.UserID}))
	}
	return b
}

func plotRequest(id string) apply.Request {
	return apply.Request{Subject: credit.Subject{Kind: credit.PlotSubject, ID: id}, Product: "crop", Asked: 2_000_000, TermMonths: 6}
}

var requests = map[string]apply.Request{
	"plot": plotRequest("p1"),
	"herd": {Subject: credit.Subject{Kind: credit.HerdSubject, ID: "herd"}, Product: "herd", Asked: 20_000_000, TermMonths: 12},
	"firm": {Subject: credit.Subject{Kind: credit.FirmSubject, ID: "firm"}, Product: "order", Asked: 30_000_000, TermMonths: 6, Purpose: "备货"},
}

// signed brings a request to a signed contract.
func (b *bench) signed(t testing.TB, actor access.Actor, req apply.Request, key string) apply.Application {
	t.Helper()
	ctx := context.Background()
	a, err := b.apply.Submit(ctx, actor, req, key)
	if err != nil {
		t.Fatal(err)
	}
	if a.State != apply.Offered {
		d, _ := b.apply.Detail(ctx, actor, a.ID)
		t.Fatalf("not offered but %s: %+v", a.State, d.Decision)
	}
	c, err := b.apply.Contract(ctx, actor, a.ID, "zh-CN")
	if err != nil {
		t.Fatal(err)
	}
	a, err = b.apply.Sign(ctx, actor, a.ID, apply.Signing{Hash: c.Hash, Device: "test phone"})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (b *bench) sound(t *testing.T) {
	t.Helper()
	audit, err := b.book.Verify(context.Background(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	if !audit.OK() {
		t.Fatalf("the ledger is not sound: %+v", audit.Faults)
	}
}

// A plot, a herd and a firm go the whole way: request, evidence, decision, contract,
// money, schedule, postings, arrears with an alert, repayment, and an exact replay.
func TestWholeWay(t *testing.T) {
	t.Parallel()
	for name, req := range requests {
		t.Run(name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, db *store.DB) { wholeWay(t, open(t, db), req, "key-"+name) })
		})
	}
}

func wholeWay(t *testing.T, b *bench, req apply.Request, key string) {
	ctx := context.Background()
	a := b.signed(t, farmer, req, key)
	l, err := b.apply.Draw(ctx, farmer, a.ID, a.Limit, key)
	if err != nil {
		t.Fatal(err)
	}
	if l.State != loan.Active || l.Outstanding != a.Limit {
		t.Fatalf("drawn: %+v", l)
	}
	again, err := b.apply.Draw(ctx, farmer, a.ID, a.Limit, key)
	if err != nil || again.ID != l.ID {
		t.Fatalf("the same draw again: %v %v", again.ID, err)
	}
	if _, err := b.apply.Draw(ctx, farmer, a.ID, a.Limit, key+"2"); !errors.Is(err, loan.ErrDrawn) {
		t.Errorf("a second draw: %v", err)
	}
	if _, err := b.apply.Draw(ctx, farmer, a.ID, a.Limit-1, key); !errors.Is(err, loan.ErrKeyReused) {
		t.Errorf("the key with another amount: %v", err)
	}
	d, err := b.apply.Detail(ctx, farmer, a.ID)
	if err != nil {
		t.Fatal(err)
	}
	if d.Application.State != apply.Active || d.Contract == nil || d.Contract.Device != "test phone" || d.Decision == nil || d.Evidence == nil || d.Loan == nil {
		t.Fatalf("detail: %+v", d)
	}
	if len(d.Steps) != 4 { // submitted, offered, signed, active
		t.Errorf("steps: %+v", d.Steps)
	}
	var principal, due money.Fen
	for _, r := range d.Schedule {
		principal += r.Principal
		due += r.Due
	}
	if principal != l.Principal {
		t.Errorf("the schedule's principal is %s of %s", principal, l.Principal)
	}
	replay, err := b.apply.Replay(ctx, auditor, d.Decision.ID)
	if err != nil || !replay.Same {
		t.Errorf("replay: %v\n%+v\n%+v", err, replay.Stored, replay.Replayed)
	}

	// Ten days after the first due date.
	late := d.Schedule[0].DueOn + 10
	report, err := b.loans.DayEnd(ctx, tenant, late)
	if err != nil || report.Loans != 1 || report.Overdue != 1 {
		t.Fatalf("day end: %+v %v", report, err)
	}
	if report, err = b.loans.DayEnd(ctx, tenant, late); err != nil || report.Loans != 0 {
		t.Errorf("the same day end again: %+v %v", report, err)
	}
	alerts, err := b.desk.List(ctx, tenant, watch.Filter{Open: true, SubjectID: l.ID})
	if err != nil || len(alerts) != 1 || alerts[0].Evidence["days"] != "10" || alerts[0].Severity != "warning" {
		t.Fatalf("alerts: %+v %v", alerts, err)
	}
	b.reconcile(t, l.ID)

	// Money that ends the loan, with something over.
	quote, err := b.loans.Payoff(ctx, tenant, l.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.apply.Repay(ctx, other, l.ID, quote.Total, "r"+key); !errors.Is(err, loan.ErrNotFound) {
		t.Errorf("somebody else repays: %v", err)
	}
	l, err = b.apply.Repay(ctx, farmer, l.ID, quote.Total+123, "r"+key)
	if err != nil {
		t.Fatal(err)
	}
	if l.State != loan.Closed || l.Credit != 123 || l.Outstanding != 0 || l.Accrued != 0 || l.Penalty != 0 || l.ClosedAt == nil {
		t.Errorf("paid off: %+v", l)
	}
	b.reconcile(t, l.ID)
	if alerts, _ := b.desk.List(ctx, tenant, watch.Filter{Open: true, SubjectID: l.ID}); len(alerts) != 0 {
		t.Errorf("the alert stays open: %+v", alerts)
	}
	if a, err = b.apply.Application(ctx, farmer, a.ID); err != nil || a.State != apply.Closed {
		t.Errorf("the application is %s, %v", a.State, err)
	}
	if holder, _ := b.apply.PledgeOf(ctx, tenant, req.Subject); holder != "" {
		t.Errorf("the pledge is still held by %s", holder)
	}
	if b.rail.moved != l.Principal-(quote.Total+123) {
		t.Errorf("the bank moved %s", b.rail.moved)
	}
	b.sound(t)
}

// reconcile compares a loan with its accounts.
func (b *bench) reconcile(t *testing.T, id string) {
	t.Helper()
	ctx := context.Background()
	l, err := b.loans.Loan(ctx, tenant, id)
	if err != nil {
		t.Fatal(err)
	}
	for account, want := range map[string]money.Fen{
		loan.PrincipalAccount: l.Outstanding, loan.PenaltyReceivable: l.Penalty, loan.BorrowerCredit: -l.Credit,
	} {
		if got, err := b.book.Balance(ctx, tenant, account, id); err != nil || got != want {
			t.Errorf("%s is %s in the ledger and %s on the loan, %v", account, got, want, err)
		}
	}
}

func TestSubmitIsIdempotent(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b, ctx := open(t, db), context.Background()
		first, err := b.apply.Submit(ctx, farmer, plotRequest("p1"), "k")
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				again, err := b.apply.Submit(ctx, farmer, plotRequest("p1"), "k")
				if err != nil || again.ID != first.ID {
					t.Errorf("again: %s %v", again.ID, err)
				}
			})
		}
		wg.Wait()
		changed := plotRequest("p1")
		changed.Asked++
		if _, err := b.apply.Submit(ctx, farmer, changed, "k"); !errors.Is(err, apply.ErrKeyReused) {
			t.Errorf("another body: %v", err)
		}
		if list, err := b.apply.Applications(ctx, farmer, apply.Filter{}); err != nil || len(list) != 1 {
			t.Errorf("%d applications, %v", len(list), err)
		}
	})
}

func TestSubmitRefuses(t *testing.T) {
	t.Parallel()
	b, ctx := open(t, storetest.Open(t, "sqlite:"+t.TempDir()+"/f.db")), context.Background()
	for name, c := range map[string]struct {
		change func(*apply.Request)
		key    string
		want   error
	}{
		"no key":      {func(*apply.Request) {}, "", apply.ErrKey},
		"not mine":    {func(r *apply.Request) { r.Subject.ID = "p2" }, "k", apply.ErrSubject},
		"nowhere":     {func(r *apply.Request) { r.Subject.ID = "x" }, "k", apply.ErrSubject},
		"product":     {func(r *apply.Request) { r.Product = "x" }, "k", product.ErrUnknown},
		"kind":        {func(r *apply.Request) { r.Product = "herd" }, "k", product.ErrSubject},
		"too little":  {func(r *apply.Request) { r.Asked = 1 }, "k", product.ErrAmount},
		"too much":    {func(r *apply.Request) { r.Asked = 1 << 60 }, "k", product.ErrAmount},
		"negative":    {func(r *apply.Request) { r.Asked = -5 }, "k", product.ErrAmount},
		"term":        {func(r *apply.Request) { r.TermMonths = 7 }, "k", product.ErrTerm},
		"long reason": {func(r *apply.Request) { r.Purpose = strings.Repeat("字", 201) }, "k", apply.ErrPurposeLong},
	} {
		t.Run(name, func(t *testing.T) {
			req := plotRequest("p1")
			c.change(&req)
			if _, err := b.apply.Submit(ctx, farmer, req, c.key); !errors.Is(err, c.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// Two plots that overlap cannot both be pledged, whichever way they come.
func TestOverlappingPlotsArePledgedOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b, ctx := open(t, db), context.Background()
		// Both are offered before either is signed.
		second, err := b.apply.Submit(ctx, other, plotRequest("p2"), "b")
		if err != nil || second.State != apply.Offered {
			t.Fatalf("%s %v", second.State, err)
		}
		first := b.signed(t, farmer, plotRequest("p1"), "a")
		c, err := b.apply.Contract(ctx, other, second.ID, "en")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.apply.Sign(ctx, other, second.ID, apply.Signing{Hash: c.Hash}); !errors.Is(err, apply.ErrPledged) {
			t.Errorf("the overlapping plot is signed too: %v", err)
		}
		// The next one is refused by rule.
		third, err := b.apply.Submit(ctx, other, plotRequest("p2"), "c")
		if err != nil || third.State != apply.Refused {
			t.Errorf("%s %v", third.State, err)
		}
		fourth, err := b.apply.Submit(ctx, farmer, plotRequest("p1"), "d")
		if err != nil || fourth.State != apply.Refused {
			t.Errorf("the same plot again: %s %v", fourth.State, err)
		}
		// Taken back, the ground is free again.
		if _, err := b.apply.Withdraw(ctx, farmer, first.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := b.apply.Sign(ctx, other, second.ID, apply.Signing{Hash: c.Hash}); err != nil {
			t.Errorf("after the withdrawal: %v", err)
		}
	})
}

// An animal stands behind one loan, whatever herd it is driven to and whatever code it
// goes by then; when the loan ends it is free.
func TestAnimalsArePledgedOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b, ctx := open(t, db), context.Background()
		code := func(n int) iot.AnimalID {
			return iot.AnimalID{Scheme: iot.SchemeCN67, Code: fmt.Sprintf("2152526%08d", n)}
		}
		for i, id := range []string{"herd", "herd2"} {
			h := iot.Herd{ID: id, Tenant: tenant, OwnerID: farmer.UserID, Name: id, Species: "cattle", CreatedAt: start}
			animals := []iot.Animal{
				{ID: id + "-1", HerdID: id, Identity: code(10*i + 1), Species: "cattle"},
				{ID: id + "-dead", HerdID: id, Identity: code(10*i + 2), Species: "cattle", Status: iot.Dead},
			}
			if err := b.rooms.herds.AddHerd(ctx, h, animals, nil); err != nil {
				t.Fatal(err)
			}
		}
		second := requests["herd"]
		second.Subject.ID = "herd2"
		first := b.signed(t, farmer, requests["herd"], "a")
		pledges, err := b.rooms.herds.Pledges(ctx, tenant, []string{"herd-1", "herd-dead", "herd2-1"})
		if err != nil || len(pledges) != 1 || pledges[0].AnimalID != "herd-1" || pledges[0].Ref != first.ID || pledges[0].Until != nil {
			t.Fatalf("%+v %v", pledges, err)
		}
		// Driven to the other herd and given a new ear tag, it is still the same animal.
		b.clock.add(time.Hour)
		renamed := code(99)
		_, err = b.rooms.herds.Record(ctx, tenant, iot.Change{Events: []iot.LifeEvent{
			{ID: "e1", AnimalID: "herd-1", Kind: iot.Move, HerdID: "herd2", At: b.clock.now()},
			{ID: "e2", AnimalID: "herd-1", Kind: iot.Identified, Identity: &renamed, Reason: "lost", At: b.clock.now()},
		}})
		if err != nil {
			t.Fatal(err)
		}
		offered, err := b.apply.Submit(ctx, farmer, second, "b")
		if err != nil || offered.State != apply.Offered {
			t.Fatalf("%s %v", offered.State, err)
		}
		c, err := b.apply.Contract(ctx, farmer, offered.ID, "en")
		if err != nil {
			t.Fatal(err)
		}
		_, err = b.apply.Sign(ctx, farmer, offered.ID, apply.Signing{Hash: c.Hash})
		var f *fault.Error
		if !errors.Is(err, iot.ErrPledged) || !errors.As(err, &f) || f.Args["application"] != first.ID || f.Args["herd"] != "herd2" || f.Args["code"] != renamed.Code {
			t.Fatalf("the animal is pledged twice: %v", err)
		}
		if pledges, _ := b.rooms.herds.Pledges(ctx, tenant, []string{"herd2-1"}); len(pledges) != 0 {
			t.Errorf("half of the herd is pledged: %+v", pledges)
		}
		if _, err := b.apply.Withdraw(ctx, farmer, first.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := b.apply.Sign(ctx, farmer, offered.ID, apply.Signing{Hash: c.Hash}); err != nil {
			t.Errorf("after the withdrawal: %v", err)
		}
		pledges, err = b.rooms.herds.Pledges(ctx, tenant, []string{"herd-1"})
		if err != nil || len(pledges) != 2 || pledges[0].Until == nil || pledges[1].Until != nil || pledges[1].Ref != offered.ID {
			t.Errorf("%+v %v", pledges, err)
		}
	})
}

// Signed at the same moment, one of two overlapping plots wins, on either database.
func TestOverlappingPlotsRace(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b, ctx := open(t, db), context.Background()
		drafts := map[access.Actor]apply.Contract{}
		for actor, plot := range map[access.Actor]string{farmer: "p1", other: "p2"} {
			a, err := b.apply.Submit(ctx, actor, plotRequest(plot), "k")
			if err != nil {
				t.Fatal(err)
			}
			if drafts[actor], err = b.apply.Contract(ctx, actor, a.ID, "en"); err != nil {
				t.Fatal(err)
			}
		}
		results := make(chan error, len(drafts))
		for actor, c := range drafts {
			go func() {
				_, err := b.apply.Sign(ctx, actor, c.ApplicationID, apply.Signing{Hash: c.Hash})
				results <- err
			}()
		}
		one, two := <-results, <-results
		if (one == nil) == (two == nil) || !errors.Is(errors.Join(one, two), apply.ErrPledged) {
			t.Errorf("%v and %v", one, two)
		}
	})
}

func TestOneSubjectIsSignedOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b, ctx := open(t, db), context.Background()
		var won, lost int
		var mu sync.Mutex
		var wg sync.WaitGroup
		var drafts []apply.Contract
		for _, key := range []string{"a", "b", "c", "d"} {
			a, err := b.apply.Submit(ctx, farmer, requests["herd"], key)
			if err != nil {
				t.Fatal(err)
			}
			c, err := b.apply.Contract(ctx, farmer, a.ID, "zh-CN")
			if err != nil {
				t.Fatal(err)
			}
			drafts = append(drafts, c)
		}
		for _, c := range drafts {
			wg.Go(func() {
				_, err := b.apply.Sign(ctx, farmer, c.ApplicationID, apply.Signing{Hash: c.Hash})
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					won++
				case errors.Is(err, apply.ErrPledged):
					lost++
				default:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if won != 1 || lost != 3 {
			t.Errorf("%d won, %d lost", won, lost)
		}
	})
}

func TestRolesAndStates(t *testing.T) {
	t.Parallel()
	b, ctx := open(t, storetest.Open(t, "sqlite:"+t.TempDir()+"/f.db")), context.Background()
	a, err := b.apply.Submit(ctx, farmer, plotRequest("unsure"), "k")
	if err != nil || a.State != apply.Referred || a.Limit <= 0 {
		t.Fatalf("%+v %v", a, err)
	}
	check := func(name string, err, want error) {
		t.Helper()
		if !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", name, err, want)
		}
	}
	_, err = b.apply.Application(ctx, other, a.ID)
	check("another farmer reads", err, apply.ErrNotFound)
	_, err = b.apply.Application(ctx, access.Actor{UserID: "x", Tenant: "elsewhere", Role: access.Officer}, a.ID)
	check("another tenant reads", err, apply.ErrNotFound)
	_, err = b.apply.Approve(ctx, farmer, a.ID, "please")
	check("farmer approves", err, access.ErrRole)
	_, err = b.apply.Approve(ctx, auditor, a.ID, "fine")
	check("auditor approves", err, access.ErrRole)
	_, err = b.apply.Approve(ctx, officer, a.ID, "  ")
	check("no note", err, apply.ErrNote)
	_, err = b.apply.Contract(ctx, farmer, a.ID, "en")
	check("contract before an offer", err, apply.ErrNoContract)
	_, err = b.apply.Draw(ctx, farmer, a.ID, 1, "k")
	check("draw before signing", err, apply.ErrState)
	a, err = b.apply.Approve(ctx, officer, a.ID, "seen on the ground")
	check("approve", err, nil)
	_, err = b.apply.Refuse(ctx, officer, a.ID, "second thoughts")
	check("refuse an offer", err, apply.ErrState)
	zh, err := b.apply.Contract(ctx, farmer, a.ID, "zh-CN")
	check("contract", err, nil)
	en, _ := b.apply.Contract(ctx, farmer, a.ID, "en")
	b.clock.add(48 * time.Hour)
	if later, _ := b.apply.Contract(ctx, farmer, a.ID, "zh-CN"); later.Hash != zh.Hash || en.Hash == zh.Hash {
		t.Error("the contract's hash must stand from day to day, and differ by language")
	}
	if !strings.Contains(zh.Text, a.Limit.String()) || !strings.Contains(zh.Text, "年化利率") || strings.Contains(zh.Text, "{{") {
		t.Errorf("contract:\n%s", zh.Text)
	}
	_, err = b.apply.Sign(ctx, farmer, a.ID, apply.Signing{Hash: strings.Repeat("0", 64)})
	check("another text", err, apply.ErrContract)
	_, err = b.apply.Sign(ctx, officer, a.ID, apply.Signing{Hash: zh.Hash})
	check("officer signs", err, access.ErrRole)
	_, err = b.apply.Sign(ctx, farmer, a.ID, apply.Signing{Hash: en.Hash})
	check("sign", err, nil)
	_, err = b.apply.Sign(ctx, farmer, a.ID, apply.Signing{Hash: en.Hash})
	check("sign again", err, nil)
	_, err = b.apply.Draw(ctx, farmer, a.ID, a.Limit+1, "k")
	check("above the limit", err, apply.ErrAboveLimit)
	_, err = b.apply.Draw(ctx, farmer, a.ID, 0, "k")
	check("nothing", err, loan.ErrAmount)
	_, err = b.apply.Draw(ctx, officer, a.ID, 1, "k")
	check("officer draws", err, access.ErrRole)
	b.clock.add((apply.OfferDays + 1) * 24 * time.Hour)
	if n, err := b.apply.Expire(ctx, tenant); err != nil || n != 1 {
		t.Errorf("%d expired, %v", n, err)
	}
	if holder, _ := b.apply.PledgeOf(ctx, tenant, a.Subject); holder != "" {
		t.Error("an expired contract holds its pledge")
	}
}

// A plot whose report is being made waits, and is decided by an officer if none comes.
func TestPatience(t *testing.T) {
	t.Parallel()
	b, ctx := open(t, storetest.Open(t, "sqlite:"+t.TempDir()+"/f.db")), context.Background()
	a, err := b.apply.Submit(ctx, farmer, plotRequest("new"), "k")
	if err != nil || a.State != apply.Deciding {
		t.Fatalf("%s %v", a.State, err)
	}
	if _, err := b.apply.Assess(ctx, tenant, a.ID); !errors.Is(err, apply.ErrPending) {
		t.Errorf("too early: %v", err)
	}
	b.clock.add(3 * time.Minute)
	if a, err = b.apply.Assess(ctx, tenant, a.ID); err != nil || a.State != apply.Referred {
		t.Fatalf("%s %v", a.State, err)
	}
	if _, err := b.apply.Approve(ctx, officer, a.ID, "looks fine"); !errors.Is(err, apply.ErrNoLimit) {
		t.Errorf("approved without a limit: %v", err)
	}
	b.rooms.mu.Lock()
	b.rooms.reports["new"] = b.rooms.reports["p1"]
	b.rooms.mu.Unlock()
	if a, err = b.apply.Reassess(ctx, officer, a.ID); err != nil || a.State != apply.Offered {
		t.Errorf("reassessed: %s %v", a.State, err)
	}
	if again, err := b.apply.Assess(ctx, tenant, a.ID); err != nil || again.DecisionID != a.DecisionID {
		t.Errorf("assessing again must change nothing: %v", err)
	}
}

// A lost answer of the bank is asked for, and money moves once.
func TestUnknownOutcome(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b, ctx := open(t, db), context.Background()
		a := b.signed(t, farmer, requests["firm"], "k")
		b.rail.set(true, "")
		l, err := b.apply.Draw(ctx, farmer, a.ID, a.Limit, "d")
		if err != nil || l.State != loan.Drawing {
			t.Fatalf("%s %v", l.State, err)
		}
		if _, err := b.apply.Withdraw(ctx, farmer, a.ID); !errors.Is(err, apply.ErrState) {
			t.Errorf("withdrawn while money is under way: %v", err)
		}
		b.rail.set(false, "")
		if l, err = b.apply.Draw(ctx, farmer, a.ID, a.Limit, "d"); err != nil || l.State != loan.Active {
			t.Fatalf("asked again: %s %v", l.State, err)
		}
		if b.rail.moved != a.Limit {
			t.Errorf("the bank moved %s", b.rail.moved)
		}
		// The same for money that comes in; here the day end asks.
		b.rail.set(true, "")
		if l, err = b.apply.Repay(ctx, farmer, l.ID, 500_000, "r"); err != nil || l.Credit != 0 {
			t.Fatalf("%+v %v", l, err)
		}
		b.rail.set(false, "")
		if report, err := b.loans.DayEnd(ctx, tenant, l.DrawnOn+1); err != nil || report.Settled != 1 {
			t.Fatalf("%+v %v", report, err)
		}
		if l, _ = b.loans.Loan(ctx, tenant, l.ID); l.Credit != 500_000 {
			t.Errorf("the repayment is not booked: %+v", l)
		}
		b.reconcile(t, l.ID)
		b.sound(t)
	})
}

func TestRefusedPayment(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b, ctx := open(t, db), context.Background()
		a := b.signed(t, farmer, requests["herd"], "k")
		b.rail.set(false, "account closed")
		for range 2 { // the same key keeps its answer
			if _, err := b.apply.Draw(ctx, farmer, a.ID, a.Limit, "d"); !errors.Is(err, loan.ErrPayment) {
				t.Errorf("got %v", err)
			}
		}
		b.rail.set(false, "")
		l, err := b.apply.Draw(ctx, farmer, a.ID, a.Limit, "e")
		if err != nil || l.State != loan.Active {
			t.Errorf("a new key: %s %v", l.State, err)
		}
		totals, err := b.loans.Totals(ctx, tenant)
		if want := (map[loan.State]int{loan.Failed: 1, loan.Active: 1}); err != nil || !maps.Equal(totals.ByState, want) || totals.Outstanding != a.Limit {
			t.Errorf("%+v %v", totals, err)
		}
		b.sound(t)
	})
}

// Many repayments at once are all booked.
func TestConcurrentRepayments(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b, ctx := open(t, db), context.Background()
		a := b.signed(t, farmer, requests["firm"], "k")
		l, err := b.apply.Draw(ctx, farmer, a.ID, a.Limit, "d")
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for _, key := range []string{"1", "2", "3", "4", "1", "2"} {
			wg.Go(func() {
				if _, err := b.apply.Repay(ctx, farmer, l.ID, 1000, key); err != nil {
					t.Errorf("repay %s: %v", key, err)
				}
			})
		}
		wg.Wait()
		if l, err = b.loans.Loan(ctx, tenant, l.ID); err != nil || l.Credit != 4000 {
			t.Errorf("%+v %v", l, err)
		}
		if payments, _ := b.loans.Payments(ctx, tenant, l.ID); len(payments) != 5 {
			t.Errorf("%d payments", len(payments))
		}
		b.reconcile(t, l.ID)
		b.sound(t)
	})
}

func TestTimeFromRequestToFunds(t *testing.T) {
	t.Parallel()
	b := open(t, storetest.Open(t, "sqlite:"+t.TempDir()+"/f.db"))
	begin := time.Now()
	a := b.signed(t, farmer, requests["herd"], "k")
	if _, err := b.apply.Draw(context.Background(), farmer, a.ID, a.Limit, "d"); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begin); took > time.Second {
		t.Errorf("application to funds took %s", took)
	} else {
		t.Logf("application to funds: %s", took)
	}
}

func TestStoreSentinels(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s, ctx := application.New(db), context.Background()
		_, err := s.Application(ctx, tenant, "x")
		_, err2 := s.Decision(ctx, tenant, "x")
		_, err3 := s.Frozen(ctx, tenant, "x")
		_, err4 := s.Contract(ctx, tenant, "x")
		err5 := s.Move(ctx, apply.Submitted, apply.Application{ID: "x", Tenant: tenant, State: apply.Offered}, apply.Step{}, apply.Record{})
		for i, err := range []error{err, err2, err3, err4, err5} {
			if !errors.Is(err, fault.NotFound) {
				t.Errorf("%d: %v", i, err)
			}
		}
	})
}

// BenchmarkDecisionPersisted is a request that is saved, assessed and decided, with all
// that it saw, on SQLite with every commit on disk.
func BenchmarkDecisionPersisted(b *testing.B) {
	house := open(b, storetest.Open(b, "sqlite:"+b.TempDir()+"/f.db"))
	ctx, n := context.Background(), 0
	for b.Loop() {
		n++
		if _, err := house.apply.Submit(ctx, farmer, requests["herd"], strconv.Itoa(n)); err != nil {
			b.Fatal(err)
		}
	}
}
