package collateral_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/collateral"
	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/credit/watch"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/store"
	alertstore "github.com/furrowcredit/furrow/store/alert"
	collateralstore "github.com/furrowcredit/furrow/store/collateral"
	"github.com/furrowcredit/furrow/store/herd"
	ledgerstore "github.com/furrowcredit/furrow/store/ledger"
	"github.com/furrowcredit/furrow/store/storetest"
)

// world is the register on a real database, with loans and evidence made up.
type world struct {
	t      fataler
	db     *store.DB
	svc    *collateral.Service
	store  *collateralstore.Store
	book   *ledger.Service
	desk   *watch.Desk
	tenant string

	mu    sync.Mutex
	at    time.Time
	debts map[string][]collateral.Debt // by application
	got   map[string]money.Fen         // by key: what loans received
	sent  map[string]money.Fen         // by key: what borrowers were paid
	fails int                          // how many of the next receipts fail
	found map[string]collateral.Asset  // by ref
	holds map[string]string            // parts: who holds them
}

type fataler interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

var (
	zhao   = access.Actor{UserID: "zhao", Name: "Zhao", Role: access.Officer}
	qian   = access.Actor{UserID: "qian", Name: "Qian", Role: access.Officer}
	farmer = access.Actor{UserID: "wang", Name: "Wang", Role: access.Borrower}
)

func newWorld(t fataler, db *store.DB, tenant string) *world {
	files, err := catalog.Open("")
	if err != nil {
		t.Fatal(err)
	}
	chart, err := ledger.LoadChart(files)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := collateral.LoadRules(files)
	if err != nil {
		t.Fatal(err)
	}
	products, err := product.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		t: t, db: db, tenant: tenant, at: time.Date(2026, 6, 1, 4, 0, 0, 0, time.UTC), debts: map[string][]collateral.Debt{},
		got: map[string]money.Fen{}, sent: map[string]money.Fen{}, found: map[string]collateral.Asset{}, holds: map[string]string{},
	}
	w.store, w.book = collateralstore.New(db), ledger.New(ledgerstore.New(db), chart, w.now)
	w.desk = &watch.Desk{Store: alertstore.New(db), Now: w.now}
	w.svc = collateral.New(collateral.Config{
		Store: w.store, Book: w.book, Loans: w, Evidence: w, Desk: w, Alerts: w.desk, Rules: rules, Products: products, Now: w.now,
	})
	return w
}

func (w *world) now() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.at }

func (w *world) as(who access.Actor) access.Actor { who.Tenant = w.tenant; return who }

func (w *world) Debts(_ context.Context, _, application string) ([]collateral.Debt, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(w.debts[application]), func(d collateral.Debt) bool { return d.Owed == 0 }), nil
}

var errLine = fault.New(fault.Unavailable, "test.line", "the line is down")

func (w *world) Receive(_ context.Context, _, loanID string, amount money.Fen, _ money.Date, key string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fails > 0 {
		w.fails--
		return errLine
	}
	if _, ok := w.got[key]; ok {
		return nil
	}
	for _, list := range w.debts {
		for i := range list {
			if list[i].LoanID != loanID {
				continue
			}
			if list[i].Owed < amount {
				return fault.New(fault.Conflict, "test.closed", "repaid")
			}
			list[i].Owed -= amount
			w.got[key] = amount
		}
	}
	return nil
}

func (w *world) Remit(_ context.Context, _ collateral.Pool, amount money.Fen, key string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent[key] = amount
	return nil
}

func (w *world) Find(_ context.Context, _ string, named []collateral.Named) ([]collateral.Asset, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := make([]collateral.Asset, len(named))
	for i, n := range named {
		a, ok := w.found[n.Ref]
		if !ok {
			return nil, iot.ErrAnimalNotFound
		}
		out[i] = a
	}
	return out, nil
}

func (w *world) Owned(_ context.Context, _, userID string, k collateral.Kind) (out []collateral.Named, _ error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, ref := range slices.Sorted(maps.Keys(w.found)) {
		if a := w.found[ref]; a.Kind == k && a.OwnerID == userID {
			out = append(out, collateral.Named{Kind: k, Ref: a.Ref, Parent: a.Parent, Label: a.Label})
		}
	}
	return out, nil
}

func (w *world) Hold(_ context.Context, _, application string, a collateral.Asset, _ money.Fen) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if by := w.holds[a.Ref]; by != "" && by != application {
		return fault.New(fault.Conflict, "test.held", "held")
	}
	w.holds[a.Ref] = application
	return nil
}

func (w *world) Free(_ context.Context, _, application string, a collateral.Asset) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.holds[a.Ref] == application {
		delete(w.holds, a.Ref)
	}
	return nil
}

// worth says what a thing is worth from now on.
func (w *world) worth(ref string, low money.Fen) {
	w.mu.Lock()
	defer w.mu.Unlock()
	a := w.found[ref]
	a.Value = collateral.Valuation{Known: true, Low: low, Middle: low * 5 / 4, High: low * 3 / 2, On: money.DateOf(w.at), Source: "herd_report"}
	w.found[ref] = a
}

func (w *world) reason(ref, reason string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	a := w.found[ref]
	a.Value = collateral.Valuation{Known: true, Reason: reason, On: money.DateOf(w.at), Source: "herd_report"}
	w.found[ref] = a
}

func (w *world) day(n int) { w.mu.Lock(); defer w.mu.Unlock(); w.at = w.at.AddDate(0, 0, n) }

func (w *world) owes(application string, amount money.Fen) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.debts[application] = []collateral.Debt{{LoanID: "loan-" + application, Owed: amount}}
}

// herd registers animals of wang and makes them worth something each.
func (w *world) herd(id string, n int, low money.Fen) []string {
	w.t.Helper()
	var animals []iot.Animal
	var ids []string
	for i := range n {
		a := iot.Animal{ID: fmt.Sprintf("%s-%02d", id, i), HerdID: id, Species: "cattle", Sex: "f", Identity: iot.AnimalID{Scheme: "cn-67", Code: fmt.Sprintf("%s%02d", id, i)}}
		animals, ids = append(animals, a), append(ids, a.ID)
	}
	err := herd.New(w.db).AddHerd(context.Background(), iot.Herd{
		ID: id, Tenant: w.tenant, OwnerID: "wang", Name: id, Species: "cattle", Fence: square(0, 0), CreatedAt: w.now(),
	}, animals, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, a := range animals {
		w.found[a.ID] = collateral.Asset{Kind: collateral.Animal, Ref: a.ID, Parent: id, Label: a.Identity.Code, OwnerID: "wang", Mark: "animal/" + w.tenant + a.ID}
		w.worth(a.ID, low)
	}
	return ids
}

func square(x, y float64) orb.Polygon {
	const d = 0.001
	return orb.Polygon{{{x, y}, {x + d, y}, {x + d, y + d}, {x, y + d}, {x, y}}}
}

func (w *world) plot(id string, ground orb.Polygon, low money.Fen) {
	w.found[id] = collateral.Asset{Kind: collateral.Crop, Ref: id, Label: id, OwnerID: "wang", Mark: "plot/" + w.tenant + "/" + id, Ground: ground}
	w.worth(id, low)
}

// sign opens the pool of a new application.
func (w *world) sign(productCode string, subject credit.Subject, animals []string, owed money.Fen) string {
	w.t.Helper()
	id, err := w.trySign(productCode, subject, animals)
	if err != nil {
		w.t.Fatal(err)
	}
	w.owes(id, owed)
	return id
}

func (w *world) trySign(productCode string, subject credit.Subject, animals []string) (string, error) {
	ctx, id := context.Background(), ident.New()
	if _, err := w.db.Exec(ctx, `insert into applications (id, tenant, user_id, user_name, subject_kind, subject_id, subject_name, product, asked, term_months,
		purpose, state, decision_id, loan_id, credit_limit, rate, idem_key, key_hash, created_at, updated_at)
		values ($1, $2, 'wang', 'Wang', $3, $4, '', $5, 0, 12, '', 'signed', '', '', 0, 0, $1, '', 0, 0)`,
		id, w.tenant, string(subject.Kind), subject.ID, productCode); err != nil {
		return "", err
	}
	c, err := w.svc.Open(ctx, collateral.Opening{
		Tenant: w.tenant, ApplicationID: id, UserID: "wang", UserName: "Wang", Product: productCode, Subject: subject, Animals: animals, By: w.as(farmer),
	})
	if err != nil {
		return "", err
	}
	return id, w.store.Append(ctx, *c)
}

func (w *world) pool(id string) collateral.Pool {
	w.t.Helper()
	p, err := w.store.Pool(context.Background(), w.tenant, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// assets are the ids of the assets with those refs.
func (w *world) assets(id string, refs ...string) []string {
	w.t.Helper()
	var out []string
	for _, r := range refs {
		for _, a := range w.pool(id).Assets {
			if a.Ref == r {
				out = append(out, a.ID)
			}
		}
	}
	return out
}

// do has zhao do something, and qian agree when a second person is asked for.
func (w *world) do(id string, a collateral.PoolAct) (collateral.Answer, error) {
	ans, err := w.svc.Do(context.Background(), w.as(zhao), id, ident.New(), a)
	if err != nil || ans.Proposal == nil {
		return ans, err
	}
	return w.svc.Agree(context.Background(), w.as(qian), ans.Proposal.ID)
}

func (w *world) sound() {
	w.t.Helper()
	_, doubts, err := w.svc.Verify(context.Background(), w.tenant)
	if err != nil {
		w.t.Fatal(err)
	}
	if len(doubts) > 0 {
		w.t.Fatalf("the register is not sound: %+v", doubts)
	}
	audit, err := w.book.Verify(context.Background(), w.tenant)
	if err != nil || !audit.OK() {
		w.t.Fatalf("the ledger is not sound: %v %+v", err, audit.Faults)
	}
}

func want(t *testing.T, what string, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Errorf("%s: %v, want %v", what, err, target)
	}
}

func herdSubject(id string) credit.Subject { return credit.Subject{Kind: credit.HerdSubject, ID: id} }
func plotSubject(id string) credit.Subject { return credit.Subject{Kind: credit.PlotSubject, ID: id} }

func TestReleaseOneByOneAsItIsRepaid(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, w := t.Context(), newWorld(t, db, "bank")
		refs := w.herd("h1", 10, 2_000_000) // 20,000 yuan each: 200,000
		app := w.sign("herd_release", herdSubject("h1"), refs, 14_000_000)
		two := w.assets(app, refs[0], refs[1])
		// 160,000 stay; at 140 % they cover 114,285.71: so 25,714.29 first. At 80 % of the
		// call level they would cover 140,000, which does not bind.
		_, err := w.svc.Do(ctx, w.as(zhao), app, "release-1", collateral.PoolAct{Kind: collateral.Release, Assets: two})
		var f *fault.Error
		if !errors.As(err, &f) || !errors.Is(err, collateral.ErrCover) || f.Args["amount"] != "25714.29" {
			t.Fatalf("released too early: %v", err)
		}
		plan, err := w.svc.Plan(ctx, w.as(farmer), app, 2_571_429, two)
		if err != nil || *plan.First != 2_571_429 || len(plan.Free) != 2 {
			t.Errorf("plan %+v %v", plan, err)
		}
		if plan, _ = w.svc.Plan(ctx, w.as(farmer), app, 2_571_428, nil); len(plan.Free) != 1 {
			t.Errorf("a fen less frees %d", len(plan.Free))
		}
		w.owes(app, 14_000_000-2_571_429)

		// The borrower asks, an officer agrees: the product says so.
		asked, err := w.svc.Do(ctx, w.as(farmer), app, "release-2", collateral.PoolAct{Kind: collateral.Release, Assets: two})
		if err != nil || asked.Proposal == nil || !asked.Proposal.ByBorrower {
			t.Fatalf("%+v %v", asked, err)
		}
		again, err := w.svc.Do(ctx, w.as(farmer), app, "release-2", collateral.PoolAct{Kind: collateral.Release, Assets: two})
		if err != nil || again.Proposal.ID != asked.Proposal.ID {
			t.Errorf("the same request again: %+v %v", again.Proposal, err)
		}
		_, err = w.svc.Do(ctx, w.as(farmer), app, "release-2", collateral.PoolAct{Kind: collateral.Release, Assets: two[:1]})
		want(t, "the key with another body", err, collateral.ErrKeyReused)
		done, err := w.svc.Agree(ctx, w.as(zhao), asked.Proposal.ID)
		if err != nil || done.Cover.Assets != 8 {
			t.Fatalf("%+v %v", done.Cover, err)
		}
		if again, err := w.svc.Agree(ctx, w.as(zhao), asked.Proposal.ID); err != nil || again.Pool.Version != done.Pool.Version {
			t.Errorf("agreed twice: %+v %v", again.Pool.Version, err)
		}
		events, err := w.store.Events(ctx, w.tenant, app, 0)
		if last := events[len(events)-1]; err != nil || last.UserID != "wang" || last.SecondID != "zhao" || last.Delta != -4_000_000 || last.Entry == "" {
			t.Errorf("the event %+v %v", last, err)
		}
		pledges, err := herd.New(db).Pledges(ctx, w.tenant, refs)
		if err != nil || pledges[0].Until == nil || pledges[2].Until != nil {
			t.Errorf("single pledges %+v %v", pledges, err)
		}

		// What the officer proposes another one agrees to; not the same.
		mine, err := w.svc.Do(ctx, w.as(zhao), app, "loss-0001", collateral.PoolAct{Kind: collateral.Loss, Assets: w.assets(app, refs[2]), Note: "lightning"})
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.svc.Agree(ctx, w.as(zhao), mine.Proposal.ID)
		want(t, "agreed to the own proposal", err, collateral.ErrSecond)
		if _, err := w.svc.Decline(ctx, w.as(qian), mine.Proposal.ID, "it lives"); err != nil {
			t.Error(err)
		}
		_, err = w.svc.Agree(ctx, w.as(qian), mine.Proposal.ID)
		want(t, "agreed to what was declined", err, collateral.ErrDecided)

		// Old values prove nothing.
		w.day(4)
		w.owes(app, 1_000_000)
		_, err = w.do(app, collateral.PoolAct{Kind: collateral.Release, Assets: w.assets(app, refs[3])})
		want(t, "released on an old count", err, collateral.ErrProof)
		for _, r := range refs {
			w.worth(r, 2_000_000)
		}
		if err := w.svc.HerdChanged(ctx, w.tenant, "h1"); err != nil {
			t.Fatal(err)
		}
		if _, err := w.do(app, collateral.PoolAct{Kind: collateral.Release, Assets: w.assets(app, refs[3])}); err != nil {
			t.Error(err)
		}
		w.sound()

		// The end of the loan frees all.
		c, err := w.svc.End(ctx, collateral.System, w.tenant, app)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.store.Append(ctx, *c); err != nil {
			t.Fatal(err)
		}
		if held, _ := w.book.Balance(ctx, w.tenant, collateral.HeldAccount, app); held != 0 || len(w.pool(app).Holds()) != 0 {
			t.Errorf("%s is held after the end", held)
		}
		_, err = w.do(app, collateral.PoolAct{Kind: collateral.Revalue})
		want(t, "acted after the end", err, collateral.ErrClosed)
		w.sound()
	})
}

func TestOffersAreWhatStandsNowhere(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db, "bank"), context.Background()
		refs := w.herd("h1", 3, 1_000_000)
		app := w.sign("herd_release", herdSubject("h1"), refs[:1], 500_000)
		offers := func() (out []string) {
			list, err := w.svc.Offers(ctx, w.as(zhao), app, collateral.Animal)
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range list {
				out = append(out, n.Ref)
			}
			return out
		}
		if got := offers(); !slices.Equal(got, refs[1:]) {
			t.Errorf("offered %v, want %v", got, refs[1:])
		}
		if _, err := w.do(app, collateral.PoolAct{Kind: collateral.Pledge, Take: []collateral.Named{{Kind: collateral.Animal, Ref: refs[1], Parent: "h1"}}}); err != nil {
			t.Fatal(err)
		}
		if got := offers(); !slices.Equal(got, refs[2:]) {
			t.Errorf("offered %v after the pledge, want %v", got, refs[2:])
		}
		stranger := w.as(access.Actor{UserID: "other", Role: access.Borrower})
		_, err := w.svc.Offers(ctx, stranger, app, collateral.Animal)
		want(t, "a stranger", err, collateral.ErrNotFound)
	})
}

func TestSubstituteIsNotWorse(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, "bank")
		refs := w.herd("h1", 3, 1_000_000)
		more := w.herd("h2", 3, 600_000)
		app := w.sign("herd_release", herdSubject("h1"), refs, 2_000_000)
		take := func(refs ...string) (out []collateral.Named) {
			for _, r := range refs {
				out = append(out, collateral.Named{Kind: collateral.Animal, Ref: r, Parent: "h2"})
			}
			return out
		}
		leave := w.assets(app, refs[0])
		_, err := w.do(app, collateral.PoolAct{Kind: collateral.Substitute, Assets: leave, Take: take(more[0])})
		want(t, "a poorer one", err, collateral.ErrWorse)
		if p := w.pool(app); p.Version != 1 || len(p.Holds()) != 3 {
			t.Errorf("a refusal changed the pool: %+v", p)
		}
		if _, err := w.do(app, collateral.PoolAct{Kind: collateral.Substitute, Assets: leave, Take: take(more[0], more[1])}); err != nil {
			t.Fatal(err)
		}
		if c := collateral.Measure(w.pool(app), 0); c.Value != 3_200_000 || c.Assets != 4 {
			t.Errorf("%+v", c)
		}
		other := w.sign("crop", plotSubjectOf(w), nil, 0)
		_, err = w.do(other, collateral.PoolAct{Kind: collateral.Substitute, Assets: w.assets(other, "p"), Take: take(more[2])})
		want(t, "a product without replacement", err, collateral.ErrNoReplace)
		w.sound()
	})
}

func plotSubjectOf(w *world) credit.Subject {
	w.plot("p", square(10, 10), 1_000_000)
	return plotSubject("p")
}

func TestNothingIsPledgedTwice(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, "bank")
		refs := w.herd("h1", 2, 1_000_000)
		first := w.sign("herd_release", herdSubject("h1"), refs[:1], 100_000)
		w.plot("p1", square(10, 10), 1_000_000)
		field := w.sign("crop", plotSubject("p1"), nil, 100_000)
		second := w.sign("herd_release", herdSubject("h2"), nil, 0)
		named := func(err error, holder string) {
			t.Helper()
			var f *fault.Error
			if !errors.As(err, &f) || !errors.Is(f.Kind, fault.Conflict) || f.Args["holder"] != holder {
				t.Errorf("%v does not name %s", err, holder)
			}
		}
		_, err := w.do(second, collateral.PoolAct{Kind: collateral.Pledge, Take: []collateral.Named{{Kind: collateral.Animal, Ref: refs[0]}}})
		named(err, first)
		_, err = w.do(first, collateral.PoolAct{Kind: collateral.Pledge, Take: []collateral.Named{{Kind: collateral.Animal, Ref: refs[1]}, {Kind: collateral.Animal, Ref: refs[1]}}})
		want(t, "twice in one act", err, collateral.ErrPledged)
		_, err = w.do(second, collateral.PoolAct{Kind: collateral.Pledge, Take: []collateral.Named{{Kind: collateral.Crop, Ref: "p1"}}})
		named(err, field)
		w.plot("p2", square(10.0005, 10), 1_000_000) // half of p1
		_, err = w.do(second, collateral.PoolAct{Kind: collateral.Pledge, Take: []collateral.Named{{Kind: collateral.Crop, Ref: "p2"}}})
		named(err, field)
		w.plot("p3", square(10.00095, 10), 1_000_000) // a twentieth
		if _, err = w.do(second, collateral.PoolAct{Kind: collateral.Pledge, Take: []collateral.Named{{Kind: collateral.Crop, Ref: "p3"}}}); err != nil {
			t.Error(err)
		}

		// Another bank of the same house learns that, but not of whom.
		b := newWorld(t, db, "bank-b")
		b.plot("x", square(10.0003, 10), 1_000_000)
		_, err = b.trySign("crop", plotSubject("x"), nil)
		named(err, "bank")
		want(t, "the same ground in another tenant", err, collateral.ErrOverlap)
		twin := w.found[refs[0]]
		twin.Ref = "other-id"
		b.found["other-id"] = twin
		_, err = b.trySign("herd_release", herdSubject("h9"), []string{"other-id"})
		named(err, "bank")

		// A stranger's cow, an unknown one and one without a value are not taken.
		for ref, target := range map[string]error{"stranger": collateral.ErrOwner, "dark": collateral.ErrUnvalued, "nobody": iot.ErrAnimalNotFound} {
			switch a := w.found[refs[1]]; ref {
			case "stranger":
				a.Ref, a.OwnerID, a.Mark = ref, "li", "s"
				w.found[ref] = a
			case "dark":
				a.Ref, a.Mark, a.Value = ref, "d", collateral.Valuation{Reason: "nothing_heard"}
				w.found[ref] = a
			}
			_, err := w.do(second, collateral.PoolAct{Kind: collateral.Pledge, Take: []collateral.Named{{Kind: collateral.Animal, Ref: ref}}})
			want(t, ref, err, target)
		}
		w.sound()
	})
}

func TestMarginCall(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, w := t.Context(), newWorld(t, db, "bank")
		w.plot("p1", square(10, 10), 10_000_000)
		app := w.sign("crop", plotSubject("p1"), nil, 7_000_000)
		alerts := func(kind string) []watch.Alert {
			t.Helper()
			list, err := w.desk.List(ctx, w.tenant, watch.Filter{Open: true, Kind: kind})
			if err != nil {
				t.Fatal(err)
			}
			return list
		}
		next := func(days int) {
			t.Helper()
			w.day(days)
			if err := w.svc.DayEnd(ctx, w.tenant); err != nil {
				t.Fatal(err)
			}
		}
		next(0)
		if w.pool(app).Call != nil {
			t.Fatal("called while the cover is whole")
		}
		// Hail: 70 % of 7.8 million is 5.46 million, 78 % of 7 million: below 80 %.
		w.worth("p1", 7_800_000)
		if err := w.svc.PlotChanged(ctx, w.tenant, "p1"); err != nil {
			t.Fatal(err)
		}
		call := w.pool(app).Call
		if call == nil || call.Repay != 933_334 || call.Add != 840_000 || call.Cover != 7800 || call.Due != call.On+10 {
			t.Fatalf("the call %+v", call)
		}
		if a := alerts(collateral.CallAlert); len(a) != 1 || a[0].Severity != "warning" || a[0].LoanID != "loan-"+app || a[0].Evidence["amount"] != "9333.34" {
			t.Errorf("alerts %+v", a)
		}
		w.owes(app, 6_900_000) // above the call level again, but the call is not met
		next(10)
		if c := w.pool(app).Call; c == nil || c.Stage != 0 {
			t.Errorf("on its day: %+v", c)
		}
		_, err := w.do(app, collateral.PoolAct{Kind: collateral.Realise, Assets: w.assets(app, "p1"), Gross: 1, Payer: "mill"})
		want(t, "enforced before the day is past", err, collateral.ErrEnforce)
		for i, days := range []int{1, 4, 10} {
			next(days)
			if c := w.pool(app).Call; c.Stage != i+1 {
				t.Errorf("stage %d, want %d", c.Stage, i+1)
			}
		}
		if a := alerts(collateral.CallAlert); len(a) != 1 || a[0].Severity != "critical" {
			t.Errorf("alerts %+v", a)
		}
		// Met by pledging more.
		w.plot("p2", square(11, 11), 1_500_000)
		if _, err := w.do(app, collateral.PoolAct{Kind: collateral.Pledge, Take: []collateral.Named{{Kind: collateral.Crop, Ref: "p2"}}}); err != nil {
			t.Fatal(err)
		}
		if w.pool(app).Call != nil || len(alerts(collateral.CallAlert)) != 0 {
			t.Error("the call is not met")
		}
		// Cut before its time: nothing is left there.
		w.reason("p1", collateral.CutEarly)
		next(1)
		if c := w.pool(app).Call; c == nil || len(alerts(collateral.GoneAlert)) != 1 {
			t.Errorf("after an early harvest: %+v", c)
		}
		// Met by repaying.
		w.owes(app, 1_000_000)
		if err := w.svc.LoanChanged(ctx, w.tenant, app); err != nil {
			t.Fatal(err)
		}
		if p := w.pool(app); p.Call != nil || p.Calls != 2 {
			t.Errorf("after repaying %+v, %d calls", p.Call, p.Calls)
		}
		pic, err := w.svc.Picture(ctx, w.as(farmer), app)
		if err != nil || len(pic.Days) != 6 || *pic.Days[len(pic.Days)-1].Cover.CoverBP != 10_500 {
			t.Errorf("days %+v %v", pic.Days, err)
		}
		if _, err := w.svc.Picture(ctx, access.Actor{UserID: "li", Tenant: w.tenant, Role: access.Borrower}, app); !errors.Is(err, collateral.ErrNotFound) {
			t.Errorf("a stranger looks: %v", err)
		}
		w.sound()
	})
}

func TestProceedsReachTheLoanOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, w := t.Context(), newWorld(t, db, "bank")
		refs := w.herd("h1", 4, 1_000_000)
		app := w.sign("herd", herdSubject("h1"), refs, 1_500_000)
		w.fails = 1 // the first try to book it fails after the sale is kept
		act := collateral.PoolAct{Kind: collateral.Sale, Assets: w.assets(app, refs[0]), Gross: 1_200_000, Payer: "市场"}
		asked, err := w.svc.Do(ctx, w.as(zhao), app, "sale-0001", act)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.svc.Agree(ctx, w.as(qian), asked.Proposal.ID); !errors.Is(err, errLine) {
			t.Fatalf("%v", err)
		}
		if p := w.pool(app); len(p.Proceeds) != 1 || p.Proceeds[0].Routed {
			t.Fatalf("%+v", p.Proceeds)
		}
		for range 2 {
			if err := w.svc.DayEnd(ctx, w.tenant); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := w.svc.Agree(ctx, w.as(qian), asked.Proposal.ID); err != nil {
			t.Error(err)
		}
		if d, _ := w.Debts(ctx, "", app); len(d) != 1 || d[0].Owed != 300_000 || len(w.got) != 1 {
			t.Errorf("owed %+v after %v", d, w.got)
		}
		// The next pays the rest, and what is left is the borrower's.
		if _, err := w.do(app, collateral.PoolAct{Kind: collateral.Sale, Assets: w.assets(app, refs[1]), Gross: 1_000_000, Payer: "市场"}); err != nil {
			t.Fatal(err)
		}
		if d, _ := w.Debts(ctx, "", app); len(d) != 0 || len(w.sent) != 1 {
			t.Errorf("owed %+v, sent %v", d, w.sent)
		}
		for _, x := range w.sent {
			if x != 700_000 {
				t.Errorf("%s to the borrower", x)
			}
		}
		if b, err := w.book.Balance(ctx, w.tenant, "borrower_credit", app); err != nil || b != 0 {
			t.Errorf("%s waits for the borrower (%v)", b, err)
		}
		// An animal that died leaves by itself.
		w.reason(refs[2], collateral.Died)
		if err := w.svc.HerdChanged(ctx, w.tenant, "h1"); err != nil {
			t.Fatal(err)
		}
		if a, _ := w.pool(app).Asset(w.assets(app, refs[2])[0]); a.Status != collateral.Lost {
			t.Errorf("the dead one is %s", a.Status)
		}
		w.sound()
	})
}

func TestReceivableIsPaidToTheLoan(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, w := t.Context(), newWorld(t, db, "bank")
		w.found["part"] = collateral.Asset{Kind: collateral.Receivable, Ref: "part", Parent: "r", Label: "R-1", ObligorID: "anchor", Mark: "receivable/part"}
		w.worth("part", 1_000_000)
		app := w.sign("receivable", credit.Subject{Kind: credit.FirmSubject, ID: "firm"}, nil, 800_000)
		other := w.sign("receivable", credit.Subject{Kind: credit.FirmSubject, ID: "firm"}, nil, 0)
		pledge := collateral.PoolAct{Kind: collateral.Pledge, Take: []collateral.Named{{Kind: collateral.Receivable, Ref: "part", Parent: "r"}}}
		if _, err := w.do(app, pledge); err != nil {
			t.Fatal(err)
		}
		if _, err := w.do(other, pledge); !errors.Is(err, fault.Conflict) {
			t.Errorf("pledged twice: %v", err)
		}
		notes, err := w.svc.Notices(ctx, w.tenant, "anchor")
		if err != nil || len(notes) != 1 || notes[0].Status != collateral.Held || notes[0].ReceivableID != "r" {
			t.Errorf("the anchor is told %+v %v", notes, err)
		}
		w.worth("part", 600_000)
		for range 2 { // the bank tells it twice
			if err := w.svc.Paid(ctx, w.tenant, "part", 400_000, w.svc.Today(), "anchor", "pay-1"); err != nil {
				t.Fatal(err)
			}
		}
		if d, _ := w.Debts(ctx, "", app); d[0].Owed != 400_000 || collateral.Measure(w.pool(app), 0).Value != 600_000 {
			t.Errorf("%+v", d)
		}
		w.reason("part", collateral.NotOwed)
		if err := w.svc.Paid(ctx, w.tenant, "part", 600_000, w.svc.Today(), "anchor", "pay-2"); err != nil {
			t.Fatal(err)
		}
		if d, _ := w.Debts(ctx, "", app); len(d) != 0 || w.holds["part"] != "" {
			t.Errorf("%+v, held by %q", d, w.holds["part"])
		}
		if notes, _ := w.svc.Notices(ctx, w.tenant, "anchor"); notes[0].Status != collateral.Settled || notes[0].EndedAt == nil {
			t.Errorf("%+v", notes)
		}
		w.sound()
	})
}

func TestFilingsEndWithAWarning(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, w := t.Context(), newWorld(t, db, "bank")
		app := w.sign("crop", plotSubjectOf(w), nil, 100)
		today := w.svc.Today()
		for name, f := range map[string]*collateral.Filing{
			"absent": nil, "short": {Number: "123", On: today, Until: today + 400}, "no end": {Number: "04712345000987654321", On: today},
			"tomorrow": {Number: "04712345000987654321", On: today + 1, Until: today + 400}, "reversed": {Number: "04712345000987654321", On: today, Until: today - 1},
			"words": {Number: "number 12345678", On: today, Until: today + 400},
		} {
			_, err := w.do(app, collateral.PoolAct{Kind: collateral.Filed, Filing: f})
			want(t, name, err, collateral.ErrFiling)
		}
		f := collateral.PoolAct{Kind: collateral.Filed, Filing: &collateral.Filing{Number: "0471 2345", On: today, Until: today + 40}}
		f.Filing.Number = "04712345000987654321"
		if _, err := w.do(app, f); err != nil {
			t.Fatal(err)
		}
		_, err := w.do(app, f)
		want(t, "entered twice", err, collateral.ErrFiled)
		w.day(10)
		if err := w.svc.DayEnd(ctx, w.tenant); err != nil {
			t.Fatal(err)
		}
		list, err := w.desk.List(ctx, w.tenant, watch.Filter{Open: true, Kind: collateral.FilingAlert})
		if err != nil || len(list) != 1 || list[0].Severity != "warning" || list[0].Evidence["until"] == "" {
			t.Errorf("%+v %v", list, err)
		}
		w.day(31)
		if err := w.svc.DayEnd(ctx, w.tenant); err != nil {
			t.Fatal(err)
		}
		if list, _ := w.desk.List(ctx, w.tenant, watch.Filter{Open: true, Kind: collateral.FilingAlert}); len(list) != 1 || list[0].Severity != "critical" {
			t.Errorf("%+v", list)
		}
	})
}

func TestBadActsAreRefused(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, "sqlite:"+t.TempDir()+"/furrow.db")
	ctx, w := t.Context(), newWorld(t, db, "bank")
	refs := w.herd("h1", 2, 1_000_000)
	app := w.sign("herd_release", herdSubject("h1"), refs, 1_000_000)
	a := w.assets(app, refs...)
	for name, c := range map[string]struct {
		act  collateral.PoolAct
		want error
	}{
		"no kind":            {collateral.PoolAct{}, collateral.ErrKind},
		"a call by hand":     {collateral.PoolAct{Kind: collateral.Called}, collateral.ErrKind},
		"nothing released":   {collateral.PoolAct{Kind: collateral.Release}, collateral.ErrNothing},
		"released twice":     {collateral.PoolAct{Kind: collateral.Release, Assets: []string{a[0], a[0]}}, collateral.ErrNothing},
		"unknown asset":      {collateral.PoolAct{Kind: collateral.Release, Assets: []string{"x"}}, collateral.ErrAsset},
		"sold for nothing":   {collateral.PoolAct{Kind: collateral.Sale, Assets: a[:1], Payer: "x"}, collateral.ErrMoney},
		"sold below nothing": {collateral.PoolAct{Kind: collateral.Sale, Assets: a[:1], Gross: -1, Payer: "x"}, collateral.ErrMoney},
		"sold to nobody":     {collateral.PoolAct{Kind: collateral.Sale, Assets: a[:1], Gross: 1}, collateral.ErrBuyer},
		"sold tomorrow":      {collateral.PoolAct{Kind: collateral.Sale, Assets: a[:1], Gross: 1, Payer: "x", On: w.svc.Today() + 1}, collateral.ErrDate},
		"costs of a sale":    {collateral.PoolAct{Kind: collateral.Sale, Assets: a[:1], Gross: 1, Costs: 1, Payer: "x"}, collateral.ErrMoney},
		"lost without why":   {collateral.PoolAct{Kind: collateral.Loss, Assets: a[:1]}, collateral.ErrWhy},
		"valued at nothing":  {collateral.PoolAct{Kind: collateral.Revalue, Values: []collateral.GivenValue{{AssetID: a[0], Source: "x"}}}, collateral.ErrValue},
		"valued upside down": {collateral.PoolAct{Kind: collateral.Revalue, Values: []collateral.GivenValue{{AssetID: a[0], Low: 3, Middle: 2, High: 1, Source: "x"}}}, collateral.ErrValue},
		"valued too high": {collateral.PoolAct{Kind: collateral.Revalue, Values: []collateral.GivenValue{
			{AssetID: a[0], Low: 1, Middle: 1, High: collateral.MaxValue + 1, Source: "x"}}}, collateral.ErrValue},
		"no source":       {collateral.PoolAct{Kind: collateral.Revalue, Values: []collateral.GivenValue{{AssetID: a[0], Low: 1, Middle: 1, High: 1}}}, collateral.ErrSource},
		"pledge of air":   {collateral.PoolAct{Kind: collateral.Pledge}, collateral.ErrNothing},
		"an unknown kind": {collateral.PoolAct{Kind: collateral.Pledge, Take: []collateral.Named{{Kind: "moon", Ref: "x"}}}, collateral.ErrKind},
		"second without": {collateral.PoolAct{Kind: collateral.Pledge, Take: []collateral.Named{{Kind: collateral.Surety, Ref: "x", Amount: 5, Rank: 2}}},
			collateral.ErrRank},
		"a surety for nothing": {collateral.PoolAct{Kind: collateral.Pledge, Take: []collateral.Named{{Kind: collateral.Surety, Ref: "x"}}}, collateral.ErrUnvalued},
	} {
		_, err := w.svc.Do(ctx, w.as(zhao), app, ident.New(), c.act)
		want(t, name, err, c.want)
	}
	_, err := w.svc.Do(ctx, w.as(zhao), app, "short", collateral.PoolAct{Kind: collateral.Revalue})
	want(t, "a short key", err, collateral.ErrKey)
	_, err = w.svc.Do(ctx, w.as(farmer), app, "pledge-by-farmer", collateral.PoolAct{Kind: collateral.Sale})
	want(t, "the borrower sells", err, access.ErrRole)
	_, err = w.svc.Do(ctx, w.as(zhao), "nowhere", ident.New(), collateral.PoolAct{Kind: collateral.Revalue})
	want(t, "an unknown application", err, collateral.ErrNotFound)
	if p := w.pool(app); p.Version != 1 {
		t.Errorf("refused acts changed the pool to version %d", p.Version)
	}
	w.sound()
}

// Two tellers release the last thing that may leave, at once: one of them is refused.
func TestOnlyOneOfTwoReleases(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, "bank")
		refs := w.herd("h1", 4, 1_000_000)
		app := w.sign("herd_release", herdSubject("h1"), refs, 2_100_000) // three must stay
		errs := make([]error, 4)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() {
				_, errs[i] = w.do(app, collateral.PoolAct{Kind: collateral.Release, Assets: w.assets(app, refs[i])})
			})
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else {
				want(t, "the slower", err, collateral.ErrCover)
			}
		}
		if won != 1 || len(w.pool(app).Holds()) != 3 {
			t.Errorf("%d were released, %d stay", won, len(w.pool(app).Holds()))
		}
		w.sound()
	})
}
