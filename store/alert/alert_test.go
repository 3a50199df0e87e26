package alert_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/credit/watch"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/alert"
	"github.com/furrowcredit/furrow/store/storetest"
)

type listener struct {
	mu   sync.Mutex
	seen []watch.Alert
}

func (l *listener) AlertChanged(a watch.Alert) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen = append(l.seen, a)
}

var (
	noon    = time.Date(2026, 7, 1, 4, 0, 0, 0, time.UTC)
	officer = access.Actor{UserID: "o", Tenant: "a", Role: access.Officer}
)

func open(db *store.DB) (*watch.Desk, *listener) {
	l := &listener{}
	return &watch.Desk{
		Store: alert.New(db), Notify: l, Now: func() time.Time { return noon },
		LoanOf: func(_ context.Context, _, subject string) (string, error) {
			if subject == "h1" {
				return "loan-1", nil
			}
			return "", nil
		},
	}, l
}

func exit(herd, animal string, minute int) iot.Event {
	return iot.Event{
		Tenant: "a", Kind: iot.FenceExit, HerdID: herd, Subject: animal, Label: "cow 7", Severity: "critical",
		At: noon.Add(time.Duration(minute) * time.Minute), Evidence: map[string]string{"metres": "40"},
	}
}

// One matter is one alert, however often it is seen; closed, it may open anew.
func TestRaiseOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		desk, heard := open(db)
		ctx := context.Background()
		var wg sync.WaitGroup
		for i := range 6 {
			wg.Go(func() {
				if err := desk.Herd(ctx, exit("h1", "cow", i)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if err := desk.Herd(ctx, exit("h1", "calf", 0)); err != nil {
			t.Fatal(err)
		}
		list, err := desk.List(ctx, "a", watch.Filter{Open: true, SubjectID: "h1"})
		if err != nil || len(list) != 2 {
			t.Fatalf("%+v %v", list, err)
		}
		cow := list[1]
		if cow.Item != "cow" {
			cow = list[0]
		}
		if cow.Count != 6 || cow.LoanID != "loan-1" || cow.Label != "cow 7" || cow.Evidence["metres"] != "40" {
			t.Errorf("%+v", cow)
		}
		if len(heard.seen) != 7 {
			t.Errorf("%d changes were told", len(heard.seen))
		}
		back := exit("h1", "cow", 9)
		back.Cleared = true
		for range 2 { // the second has nothing to clear
			if err := desk.Herd(ctx, back); err != nil {
				t.Fatal(err)
			}
		}
		if len(heard.seen) != 8 || heard.seen[7].ClosedBy != watch.System || heard.seen[7].ClosedAt == nil {
			t.Errorf("%+v", heard.seen[len(heard.seen)-1])
		}
		if err := desk.Herd(ctx, exit("h1", "cow", 20)); err != nil {
			t.Fatal(err)
		}
		if all, _ := desk.List(ctx, "a", watch.Filter{Kind: "fence_exit"}); len(all) != 3 {
			t.Errorf("%d alerts in all", len(all))
		}
		if n, _ := desk.CountOpen(ctx, "a"); n["critical"] != 2 {
			t.Errorf("%v", n)
		}
		if other, _ := desk.List(ctx, "b", watch.Filter{}); len(other) != 0 {
			t.Error("another tenant sees them")
		}
	})
}

func TestCloseByAPerson(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		desk, _ := open(db)
		ctx := context.Background()
		if err := desk.Herd(ctx, exit("h1", "cow", 0)); err != nil {
			t.Fatal(err)
		}
		list, _ := desk.List(ctx, "a", watch.Filter{})
		if _, err := desk.Close(ctx, officer, list[0].ID, "  "); !errors.Is(err, watch.ErrCause) {
			t.Errorf("no cause: %v", err)
		}
		if _, err := desk.Close(ctx, access.Actor{Tenant: "b"}, list[0].ID, "x"); !errors.Is(err, watch.ErrNotFound) {
			t.Errorf("another tenant: %v", err)
		}
		a, err := desk.Close(ctx, officer, list[0].ID, "the fence was mended")
		if err != nil || a.ClosedBy != "o" || a.Cause != "the fence was mended" || a.ClosedAt == nil {
			t.Errorf("%+v %v", a, err)
		}
		if _, err := desk.Close(ctx, officer, a.ID, "again"); !errors.Is(err, watch.ErrClosed) {
			t.Errorf("twice: %v", err)
		}
	})
}

// A newer report clears what it no longer shows, but a blind one clears nothing.
func TestPlotHazards(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		desk, _ := open(db)
		ctx, plot := context.Background(), geo.Plot{ID: "p", Tenant: "a", Name: "East field"}
		count := func(r geo.CropReport) int {
			t.Helper()
			if err := desk.Plot(ctx, plot, r); err != nil {
				t.Fatal(err)
			}
			list, err := desk.List(ctx, "a", watch.Filter{Open: true, SubjectID: "p"})
			if err != nil {
				t.Fatal(err)
			}
			return len(list)
		}
		wet := geo.CropReport{Status: geo.Known, Hazards: []geo.Hazard{
			{Kind: geo.Flood, Share: 0.6, Start: noon, Evidence: map[string]string{"vv_db": "-19"}}, {Kind: geo.Drought, Share: 0.2, Start: noon},
		}}
		if n := count(wet); n != 2 {
			t.Errorf("%d open", n)
		}
		if n := count(geo.CropReport{Status: geo.Unknown, Reason: "cloud"}); n != 2 {
			t.Errorf("a blind report leaves %d open", n)
		}
		wet.Hazards = wet.Hazards[:1]
		if n := count(wet); n != 1 {
			t.Errorf("%d open", n)
		}
		if list, _ := desk.List(ctx, "a", watch.Filter{Open: true}); list[0].Severity != "critical" || list[0].Evidence["vv_db"] != "-19" {
			t.Errorf("%+v", list[0])
		}
	})
}

func TestFindings(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		desk, _ := open(db)
		ctx := context.Background()
		found := []chain.Finding{{
			Kind: chain.CircularTrade, Severity: "critical", FirmIDs: []string{"f1", "f2"},
			Documents: []chain.Document{{ID: "d2", Number: "N2", Date: "2026-05-02"}, {ID: "d1", Number: "N1", Date: "2026-05-01"}},
		}}
		desk.FirmNames = func(_ context.Context, tenant string, ids []string) (map[string]string, error) {
			if tenant != "a" || len(ids) != 2 {
				t.Errorf("asked for %v of %s", ids, tenant)
			}
			return map[string]string{"f1": "丰岭厂"}, nil
		}
		for range 2 { // a second scan finds the same
			if err := desk.Findings(ctx, "a", found); err != nil {
				t.Fatal(err)
			}
		}
		list, err := desk.List(ctx, "a", watch.Filter{Open: true})
		if err != nil || len(list) != 2 || list[0].Count != 2 || list[0].Evidence["documents"] != "N1, N2" || list[0].EventAt.Format(time.DateOnly) != "2026-05-02" {
			t.Errorf("%+v %v", list, err)
		}
		for _, a := range list {
			if want := map[string]string{"f1": "丰岭厂", "f2": "N1, N2"}[a.SubjectID]; a.Label != want {
				t.Errorf("the alert on %s is labelled %q, want %q", a.SubjectID, a.Label, want)
			}
		}
	})
}

func TestRaiseRefusesWhatIsIncomplete(t *testing.T) {
	t.Parallel()
	desk, heard := open(storetest.Open(t, "sqlite:"+t.TempDir()+"/f.db"))
	if err := desk.Raise(context.Background(), watch.Alert{Kind: "flood"}); err == nil || len(heard.seen) != 0 {
		t.Errorf("%v, %d told", err, len(heard.seen))
	}
}
