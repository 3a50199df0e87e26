package job_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/scene"
	"github.com/furrowcredit/furrow/job"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/pass"
	"github.com/furrowcredit/furrow/store/plot"
	"github.com/furrowcredit/furrow/store/queue"
	"github.com/furrowcredit/furrow/store/storetest"
)

// rooms records what the workers ask of the domains.
type rooms struct {
	apply.Store // only Application is called
	mu          sync.Mutex
	did         []string
	said        chan string
	fail        int // how many times the next assessments fail
}

func (r *rooms) note(format string, args ...any) {
	s := fmt.Sprintf(format, args...)
	r.mu.Lock()
	r.did = append(r.did, s)
	r.mu.Unlock()
	r.said <- s
}

func (r *rooms) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.did)
}

func (r *rooms) Application(_ context.Context, _, id string) (apply.Application, error) {
	if id == "absent" {
		return apply.Application{}, apply.ErrNotFound
	}
	return apply.Application{ID: id, Subject: credit.Subject{Kind: credit.PlotSubject, ID: "field"}}, nil
}

var errBusy = errors.New("busy")

func (r *rooms) Assess(_ context.Context, tenant, id string) (apply.Application, error) {
	r.mu.Lock()
	fail := r.fail > 0
	r.fail--
	r.mu.Unlock()
	if fail {
		return apply.Application{}, errBusy
	}
	r.note("assess %s/%s", tenant, id)
	return apply.Application{}, nil
}

func (r *rooms) Reconsider(_ context.Context, tenant, id string, cause apply.Cause) (apply.Application, error) {
	r.note("reconsider %s/%s for %s", tenant, id, cause)
	return apply.Application{}, nil
}

func (r *rooms) Make(_ context.Context, plots []geo.Plot, _ geo.Season) ([]geo.CropReport, error) {
	reports := make([]geo.CropReport, len(plots))
	for i, p := range plots {
		reports[i] = geo.CropReport{PlotID: p.ID, Status: geo.Known, MadeAt: time.Now()}
	}
	r.note("make %d", len(plots))
	return reports, nil
}

func (r *rooms) Suggest(_ context.Context, tenant string) (int, error) {
	r.note("twins of %s", tenant)
	return 0, nil
}

func (r *rooms) Findings(context.Context, string) ([]chain.Finding, error) {
	return []chain.Finding{{Kind: chain.CircularTrade}}, nil
}

func (r *rooms) ExpireDue(context.Context) (int, error) {
	r.note("expire")
	return 0, nil
}

func (r *rooms) DayEnd(_ context.Context, tenant string, d money.Date) (loan.DayEndReport, error) {
	r.note("day end %s/%s", tenant, d)
	return loan.DayEndReport{}, nil
}

// TestNewScenes follows scenes from the catalogue to the plots beneath them.
func TestNewScenes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
		defer cancel()
		driver, err := queue.Driver(ctx, db)
		if err != nil {
			t.Fatal(err)
		}
		plots, passes := plot.New(db), pass.New(db)
		for _, p := range []geo.Plot{field("old", 114.300), field("beside", 114.400), field("new", 114.302), field("unreported", 114.301)} {
			if err := plots.AddPlot(ctx, p); err != nil {
				t.Fatal(err)
			}
		}
		came := time.Now().Add(-time.Hour)
		for id, scenes := range map[string][]string{"old": nil, "beside": {"s1"}, "new": {"s1"}} {
			if err := plots.SaveReport(ctx, "bank", geo.CropReport{PlotID: id, MadeAt: came, Scenes: scenes}); err != nil {
				t.Fatal(err)
			}
		}
		scenes := func(n int) *[]scene.Item {
			all := []scene.Item{
				{ID: "s1", Time: came, Footprint: orb.Bound{Min: orb.Point{114.29, 34.9}, Max: orb.Point{114.35, 35.1}}.ToPolygon()},
				{ID: "s2", Time: came, Footprint: orb.Bound{Min: orb.Point{114.39, 34.9}, Max: orb.Point{114.45, 35.1}}.ToPolygon()},
				{ID: "ahead", Time: time.Now().Add(time.Hour), Footprint: orb.Bound{Min: orb.Point{114.29, 34.9}, Max: orb.Point{114.45, 35.1}}.ToPolygon()},
			}[:n]
			return &all
		}
		var items atomic.Pointer[[]scene.Item]
		items.Store(scenes(1))
		r := &rooms{said: make(chan string, 100)}
		work := job.Work{
			Applications: r, Asked: r, Plots: plots, Reports: r, Chain: r, Twins: r, Alerts: alerts{r}, Loans: r, Passes: passes,
			Scenes:      func(context.Context) ([]scene.Item, error) { return *items.Load(), nil },
			PlotChanged: func(_, id string) { r.note("changed %s", id) },
			Season:      func() geo.Season { return geo.Season{Start: time.Now().AddDate(-1, 0, 0), End: time.Now()} },
		}
		// Two processes see the catalogue change; both ask, twice.
		var runners []*job.Runner[*sql.Tx]
		for range 2 {
			runner, err := job.New(driver, work, job.Options{Work: true, Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			runners = append(runners, runner)
		}
		change := func(since time.Time) {
			t.Helper()
			for _, runner := range append(runners, runners...) {
				if err := runner.Scenes(ctx, passes, since); err != nil {
					t.Fatal(err)
				}
			}
		}
		idle := func() {
			t.Helper()
			for counts := map[string]int{"available": 1}; counts["available"]+counts["running"]+counts["retryable"]+counts["pending"] > 0; {
				if counts, err = runners[0].Counts(ctx); err != nil {
					t.Fatal(err)
				}
			}
		}
		changed := func() (ids []string) {
			for _, s := range r.all() {
				if id, ok := strings.CutPrefix(s, "changed "); ok {
					ids = append(ids, id)
				}
			}
			slices.Sort(ids)
			return ids
		}
		change(came)
		for _, runner := range runners {
			if err := runner.Start(ctx); err != nil {
				t.Fatal(err)
			}
		}
		idle()
		if got := changed(); !slices.Equal(got, []string{"old"}) {
			t.Errorf("plots judged again: %q, want only the one beneath the scene whose report does not know it", got)
		}
		change(came)
		idle()
		items.Store(scenes(2))
		change(time.Now())
		idle()
		if got := changed(); !slices.Equal(got, []string{"beside", "old"}) {
			t.Errorf("plots judged after a second scene: %q", got)
		}
		items.Store(scenes(3))
		change(time.Now())
		idle()
		if got := changed(); len(got) != 2 {
			t.Errorf("plots judged by a scene whose day has not come: %q", got)
		}
		if left, err := passes.NewScenes(ctx, "bank", []string{"s1", "s2", "ahead"}); err != nil || !slices.Equal(left, []string{"ahead"}) {
			t.Errorf("scenes not passed on: %q, %v, want the one whose day has not come", left, err)
		}
		for _, runner := range runners {
			if err := runner.Stop(ctx); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// alerts is the desk's side, which shares the record.
type alerts struct{ *rooms }

func (a alerts) Plot(_ context.Context, p geo.Plot, _ geo.CropReport) error {
	a.note("alerts of %s", p.ID)
	return nil
}

func (a alerts) Findings(_ context.Context, tenant string, found []chain.Finding) error {
	a.note("findings %s %d", tenant, len(found))
	return nil
}

func field(id string, lon float64) geo.Plot {
	ring := orb.Ring{{lon, 35}, {lon + 0.001, 35}, {lon + 0.001, 35.001}, {lon, 35.001}, {lon, 35}}
	return geo.Plot{ID: id, Tenant: "bank", OwnerID: "w", Name: id, Polygon: orb.Polygon{ring}, AreaM2: 1e4, CreatedAt: time.Now()}
}

func TestRunner(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
		defer cancel()
		driver, err := queue.Driver(ctx, db)
		if err != nil {
			t.Fatal(err)
		}
		plots := plot.New(db)
		cotton := func(p geo.Plot) geo.Plot { p.Region, p.Crop = "410725", "cotton"; return p }
		for _, p := range []geo.Plot{cotton(field("field", 114.300)), field("near", 114.302), field("far", 115.3), cotton(field("peer", 114.7))} {
			if err := plots.AddPlot(ctx, p); err != nil {
				t.Fatal(err)
			}
		}
		r := &rooms{said: make(chan string, 100), fail: 1}
		runner, err := job.New(driver, job.Work{
			Applications: r, Asked: r, Plots: plots, Reports: r, Chain: r, Twins: r, Alerts: alerts{r}, Loans: r, Holds: r,
			PlotChanged: func(_, id string) { r.note("changed %s", id) },
			Season:      func() geo.Season { return geo.Season{Start: time.Now().AddDate(-1, 0, 0), End: time.Now()} },
		}, job.Options{Work: true, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		if err := runner.Start(ctx); err != nil {
			t.Fatal(err)
		}
		wait := func(want string) {
			t.Helper()
			for {
				select {
				case s := <-r.said:
					if s == want {
						return
					}
				case <-ctx.Done():
					t.Fatalf("%q did not happen; what did: %q", want, r.all())
				}
			}
		}

		// The plot has no report yet: it is made beside its neighbour and a plot of the
		// county with the same crop, the far plot left out, and saved alone; an assessment
		// that failed is tried again.
		if err := runner.Assess(ctx, "bank", "a1"); err != nil {
			t.Fatal(err)
		}
		wait("assess bank/a1")
		if did := r.all(); !slices.Contains(did, "make 3") || !slices.Contains(did, "changed field") || slices.Contains(did, "changed near") {
			t.Errorf("the report before the assessment: %q", did)
		}
		if _, err := plots.LatestReport(ctx, "bank", "field"); err != nil {
			t.Error(err)
		}

		// Every plot of the tenant.
		if err := runner.Report(ctx, "bank", time.Now().AddDate(-1, 0, 0), time.Now(), nil); err != nil {
			t.Fatal(err)
		}
		wait("make 4")
		wait("changed near")
		if err := runner.Scan(ctx, "bank"); err != nil {
			t.Fatal(err)
		}
		wait("findings bank 1")
		wait("twins of bank")
		if err := runner.Twins(ctx, "branch"); err != nil {
			t.Fatal(err)
		}
		wait("twins of branch")
		if err := runner.DayEnd(ctx, "bank", "2026-05-31"); err != nil {
			t.Fatal(err)
		}
		wait("day end bank/2026-05-31")

		// Evidence that comes at once is looked at once, and what comes later again.
		for range 5 {
			if err := runner.Reconsider(ctx, "bank", []string{"a1"}, apply.NewReport); err != nil {
				t.Fatal(err)
			}
		}
		asked := time.Now()
		wait("reconsider bank/a1 for report")
		if took := time.Since(asked); took > 30*time.Second {
			t.Errorf("looked at after %s", took)
		}
		if err := runner.Reconsider(ctx, "bank", []string{"a1"}, apply.NewAlert); err != nil {
			t.Fatal(err)
		}
		wait("reconsider bank/a1 for alert")
		var looks int
		for _, s := range r.all() {
			if strings.HasPrefix(s, "reconsider") {
				looks++
			}
		}
		if looks > 3 { // two, or three when the first five fell on both sides of a bound
			t.Errorf("looked at %d times", looks)
		}

		if !slices.Contains(r.all(), "expire") { // it comes by itself
			wait("expire")
		}

		// What no retry can mend ends at once.
		if err := runner.Assess(ctx, "bank", "absent"); err != nil {
			t.Fatal(err)
		}
		if err := runner.DayEnd(ctx, "bank", "30 February"); err != nil {
			t.Fatal(err)
		}
		for counts := map[string]int{}; counts["cancelled"] < 2; {
			if counts, err = runner.Counts(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if err := runner.Stop(ctx); err != nil {
			t.Fatal(err)
		}
	})
}
