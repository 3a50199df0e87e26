package quote_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/policy"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/credit/quote"
	"github.com/furrowcredit/furrow/credit/strategy"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/people"
	quotestore "github.com/furrowcredit/furrow/store/quote"
	"github.com/furrowcredit/furrow/store/storetest"
	strategystore "github.com/furrowcredit/furrow/store/strategy"
)

const tenant = "county"

var asker = access.Actor{UserID: "p", Name: "Officer", Tenant: tenant, Role: access.Officer}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

var now = time.UnixMilli(1_780_000_000_000).UTC()

// evidence of the n-th borrower, whose plot grows the better the larger n is.
func evidence(n int) credit.Evidence {
	clear := now.AddDate(0, 0, -2)
	return credit.Evidence{
		Applicant: credit.Applicant{UserID: fmt.Sprint("u", n), Name: "Wang"}, Subject: credit.Subject{Kind: credit.PlotSubject, ID: fmt.Sprint("plot", n)},
		Product: "crop", Asked: 2_000_000, TermMonths: 12, AreaM2: 20_000, TakenAt: now, Overlaps: []geo.Overlap{}, Alerts: []string{},
		Consents: []credit.Consent{{ID: "c", Purpose: "credit_decision", Part: "decision", GivenAt: now}},
		Crop: &geo.CropReport{
			Status: geo.Known, Crop: "wheat", Declared: "wheat", Confidence: 0.97, AreaM2: 20_000, Mu: 30, Vigour: 0.4 + 0.1*float64(n%8), ClearDates: 20, TotalDates: 24,
			LastClear: &clear, Worth: &geo.Worth{Low: 4_000_000, Middle: 5_000_000, High: 6_000_000}, MadeAt: now,
		},
	}
}

func snapshots(t testing.TB, n int) []quote.Snapshot {
	t.Helper()
	out := make([]quote.Snapshot, n)
	for i := range out {
		out[i] = must[quote.Snapshot](t)(quote.Freeze(tenant, evidence(i)))
	}
	return out
}

func service(t testing.TB, db *store.DB) (*quote.Service, *quotestore.Store) {
	t.Helper()
	s := quotestore.New(db)
	return serviceOn(t, db, s), s
}

func serviceOn(t testing.TB, db *store.DB, s quote.Store) *quote.Service {
	t.Helper()
	files := must[fs.FS](t)(catalog.Open(""))
	clock := func() time.Time { return now.Add(time.Minute) }
	return quote.New(quote.Config{
		Store: s, Products: must[*product.Catalogue](t)(product.Load(files)), Now: clock,
		Agreed: func(ev credit.Evidence) bool { return len(ev.Consents) > 0 },
		Strategies: strategy.New(strategy.Config{
			Store: strategystore.New(db), Shipped: must[*policy.Set](t)(policy.Load(files)), Now: clock,
		}),
	})
}

func TestQuotesAreKeptAndCanBeReplayed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s, kept := service(t, db)
		ctx := t.Context()
		snaps := snapshots(t, 40)
		if err := kept.Put(ctx, snaps); err != nil {
			t.Fatal(err)
		}
		trail := people.New(db)
		var lines sync.Map // how often the trail names a quote
		var wait sync.WaitGroup
		for i, snap := range snaps {
			wait.Go(func() { // others write to the trail meanwhile
				if _, err := trail.Append(ctx, access.Entry{Tenant: tenant, Actor: "o", Action: "else", Result: "done", At: now}); err != nil {
					t.Error(err)
				}
			})
			wait.Go(func() {
				d, err := s.Quote(ctx, asker, quote.Request{SnapshotID: snap.ID, Asked: money.Fen(1_000_000 + 10_000*i), Action: "ask"})
				if err != nil {
					t.Error(err)
					return
				}
				lines.Store(d.ID, 0)
				stored, frozen, err := kept.Quote(ctx, tenant, d.ID)
				if err != nil || !reflect.DeepEqual(stored, d) {
					t.Errorf("%d: stored %+v (%v), told %+v", i, stored, err, d)
					return
				}
				again, err := strategy.Replay(stored, frozen)
				if err != nil || !reflect.DeepEqual(again, stored) {
					t.Errorf("%d: replayed %+v (%v), stored %+v", i, again, err, stored)
				}
			})
		}
		wait.Wait()
		entries := must[[]access.Entry](t)(trail.Entries(ctx, tenant, 0, 1000))
		for _, e := range entries {
			if n, ok := lines.Load(e.Object); ok && e.Actor == asker.UserID && e.Action == "ask" && e.Result == "done" {
				lines.Store(e.Object, n.(int)+1)
			}
		}
		lines.Range(func(id, n any) bool {
			if n != 1 {
				t.Errorf("the trail names quote %s %d times", id, n)
			}
			return true
		})
		if n, err := access.Verify(ctx, trail, tenant); err != nil || int(n) != 2*len(snaps) {
			t.Errorf("the trail has %d entries: %v", n, err)
		}
		ask := func(who access.Actor, r quote.Request) error { _, err := s.Quote(ctx, who, r); return err }
		stranger := asker
		stranger.Tenant = "other"
		if err := ask(stranger, quote.Request{SnapshotID: snaps[0].ID}); !errors.Is(err, quote.ErrNotFound) {
			t.Errorf("another house: %v", err)
		}
		if err := ask(asker, quote.Request{SnapshotID: "none"}); !errors.Is(err, quote.ErrNotFound) {
			t.Errorf("no such: %v", err)
		}
		if err := ask(asker, quote.Request{SnapshotID: snaps[0].ID, Asked: 1}); !errors.Is(err, product.ErrAmount) {
			t.Errorf("a fen: %v", err)
		}
		silent := evidence(99)
		silent.Consents = nil
		unasked := must[quote.Snapshot](t)(quote.Freeze(tenant, silent))
		if err := kept.Put(ctx, []quote.Snapshot{unasked}); err != nil {
			t.Fatal(err)
		}
		if err := ask(asker, quote.Request{SnapshotID: unasked.ID}); !errors.Is(err, quote.ErrNoConsent) {
			t.Errorf("without consent: %v", err)
		}
		if err := kept.Drop(ctx, tenant, "u0"); err != nil {
			t.Fatal(err)
		}
		if err := ask(asker, quote.Request{SnapshotID: snaps[0].ID}); !errors.Is(err, quote.ErrNotFound) {
			t.Errorf("after it was dropped: %v", err)
		}
	})
}

// Who asks is told what would raise the limit, and the replay tells the same.
func TestQuotesTellWhatRaisesTheLimit(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s, kept := service(t, db)
		ctx := t.Context()
		ev := evidence(7)
		ev.Subject, ev.Product, ev.Crop = credit.Subject{Kind: credit.HerdSubject, ID: "h"}, "herd", nil
		ev.Herd = &iot.HerdReport{
			HerdID: "h", Status: "known", Registered: 100, Verified: 80, Tagged: 80, Value: 60_000_000, ValueLow: 50_000_000, LastHeard: &now,
			Count: iot.HerdCount{Status: "known", Tags: 80, Estimate: 80, Low: 78, High: 82, LastAt: &now},
		}
		poor := must[quote.Snapshot](t)(quote.Freeze(tenant, ev))
		if err := kept.Put(ctx, []quote.Snapshot{poor}); err != nil {
			t.Fatal(err)
		}
		req := quote.Request{SnapshotID: poor.ID, Asked: 50_000_000}
		if d := must[credit.Decision](t)(s.Quote(ctx, asker, req)); len(d.Raises) > 0 {
			t.Errorf("nobody asked for %+v", d.Raises)
		}
		req.Raises = true
		d := must[credit.Decision](t)(s.Quote(ctx, asker, req))
		if len(d.Raises) == 0 || !slices.IsSortedFunc(d.Raises, func(a, b credit.Reason) int { return cmp.Compare(b.Amount, a.Amount) }) || d.Raises[0].Amount <= 0 {
			t.Fatalf("what raises %s: %+v", d.Limit, d.Raises)
		}
		stored, frozen, err := kept.Quote(ctx, tenant, d.ID)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := strategy.Replay(stored, frozen); err != nil || !reflect.DeepEqual(again, d) {
			t.Errorf("replayed %+v (%v), told %+v", again, err, d)
		}
	})
}

func TestQuotesOutliveTheirSnapshots(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s, kept := service(t, db)
		ctx := t.Context()
		first := snapshots(t, 1)[0]
		ev := evidence(0)
		ev.TakenAt, ev.AreaM2 = now.Add(time.Hour), 10_000
		newer := must[quote.Snapshot](t)(quote.Freeze(tenant, ev))
		var made []credit.Decision
		replayed := func(after string) {
			t.Helper()
			for i, d := range made {
				stored, frozen, err := kept.Quote(ctx, tenant, d.ID)
				if err != nil || credit.Hash(frozen.Evidence) != d.EvidenceHash {
					t.Fatalf("%s, quote %d: evidence %.60s of hash %s: %v", after, i, frozen.Evidence, d.EvidenceHash, err)
				}
				if again, err := strategy.Replay(stored, frozen); err != nil || !reflect.DeepEqual(again, d) {
					t.Errorf("%s, quote %d: replayed %+v (%v), told %+v", after, i, again, err, d)
				}
			}
		}
		for _, snap := range []quote.Snapshot{first, newer} {
			if err := kept.Put(ctx, []quote.Snapshot{snap}); err != nil {
				t.Fatal(err)
			}
			replayed("newer evidence")
			for _, asked := range []money.Fen{0, 1_500_000} {
				made = append(made, must[credit.Decision](t)(s.Quote(ctx, asker, quote.Request{SnapshotID: first.ID, Asked: asked})))
			}
		}
		replayed("asking")
		if err := kept.Drop(ctx, tenant, "u0"); err != nil {
			t.Fatal(err)
		}
		replayed("dropping")
	})
}

func TestNewestEvidenceStands(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		_, kept := service(t, db)
		ctx := t.Context()
		first := snapshots(t, 1)[0]
		ev := evidence(0)
		ev.TakenAt, ev.Asked = now.Add(time.Hour), 3_000_000
		newer := must[quote.Snapshot](t)(quote.Freeze(tenant, ev))
		for _, s := range []quote.Snapshot{first, newer, first} {
			if err := kept.Put(ctx, []quote.Snapshot{s}); err != nil {
				t.Fatal(err)
			}
		}
		got := must[quote.Snapshot](t)(kept.Of(ctx, tenant, "u0", first.Subject, "crop"))
		if got.Hash != newer.Hash || got.ID != first.ID {
			t.Errorf("stands %+v", got)
		}
	})
}

// slow stops a run after some steps, as a crash would.
type slow struct {
	quote.Store
	left atomic.Int32
}

var errCrash = errors.New("the machine stopped")

func (s *slow) Advance(ctx context.Context, r quote.Run, from string, v []quote.Verdict) (quote.Run, error) {
	if s.left.Add(-1) < 0 {
		return r, errCrash
	}
	return s.Store.Advance(ctx, r, from, v)
}

func TestRunGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s, kept := service(t, db)
		ctx := t.Context()
		const n = 9000 // three steps
		snaps := snapshots(t, n)
		broken := evidence(n)
		broken.Consents = nil
		snaps = append(snaps, must[quote.Snapshot](t)(quote.Freeze(tenant, broken)))
		if err := kept.Put(ctx, snaps); err != nil {
			t.Fatal(err)
		}
		begun := must[quote.Run](t)(s.Start(ctx, asker, ""))
		crashing := &slow{Store: kept}
		crashing.left.Store(1)
		half, err := serviceOn(t, db, crashing).Go(ctx, tenant, begun.ID, 2, func(quote.Run) {})
		if !errors.Is(err, errCrash) {
			t.Fatalf("%+v, %v", half, err)
		}
		steps := 0
		end := must[quote.Run](t)(s.Go(ctx, tenant, begun.ID, 2, func(quote.Run) { steps++ }))
		if end.Done != n+1 || end.Failed != 1 || end.Offers+end.Referrals+end.Refusals != n || end.EndedAt == nil || steps != 3 {
			t.Errorf("ended as %+v after %d steps", end, steps)
		}
		for _, i := range []int{0, 4095, 4096, n - 1} {
			v := must[quote.Verdict](t)(kept.Verdict(ctx, tenant, snaps[i].ID))
			d := must[credit.Decision](t)(s.Quote(ctx, asker, quote.Request{SnapshotID: snaps[i].ID}))
			if v.Outcome != d.Outcome || v.Limit != d.Limit || v.Rate != d.Rate || v.Policy != d.Policy || v.RunID != begun.ID {
				t.Errorf("%d: the run says %+v, a quote %+v", i, v, d)
			}
		}
		// Once more: nothing differs. And an ended run stays ended.
		again := must[quote.Run](t)(s.Go(ctx, tenant, must[quote.Run](t)(s.Start(ctx, asker, "crop")).ID, 3, func(quote.Run) {}))
		if again.Raised != 0 || again.Lowered != 0 || again.Done != n+1 {
			t.Errorf("the second run: %+v", again)
		}
		if same := must[quote.Run](t)(s.Go(ctx, tenant, begun.ID, 2, func(quote.Run) { t.Error("it ran on") })); !reflect.DeepEqual(same, end) {
			t.Errorf("the ended run became %+v", same)
		}
		if _, err := kept.Advance(ctx, end, "elsewhere", nil); !errors.Is(err, quote.ErrRun) {
			t.Errorf("two processes at one run: %v", err)
		}
	})
}
