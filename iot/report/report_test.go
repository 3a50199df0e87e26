package report_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/count"
	"github.com/furrowcredit/furrow/iot/iottest"
	"github.com/furrowcredit/furrow/iot/report"
	"github.com/furrowcredit/furrow/iot/series"
	"github.com/furrowcredit/furrow/iot/series/seriestest"
	"github.com/furrowcredit/furrow/iot/species"
	"github.com/furrowcredit/furrow/iot/watch"
)

var now = time.Date(2026, 11, 10, 4, 0, 0, 0, time.UTC)

func ptr[T any](v T) *T { return &v }

// counts is a count.Store that forgets.
type counts []iot.Headcount

func (c *counts) AddHeadcounts(_ context.Context, add []iot.Headcount) error {
	*c = append(*c, add...)
	return nil
}

func (c *counts) Headcounts(_ context.Context, tenant, herd string, kind iot.CountKind, from, to time.Time) ([]iot.Headcount, error) {
	out := []iot.Headcount{}
	for _, h := range *c {
		if h.Tenant == tenant && h.HerdID == herd && (kind == "" || h.Kind == kind) && !h.To.Before(from) && h.To.Before(to) {
			out = append(out, h)
		}
	}
	return out, nil
}

// weighings are worth.Weighings by animal.
type weighings map[string][]iot.Weighing

func (w weighings) AddWeighings(context.Context, string, []iot.Weighing) error { return nil }

func (w weighings) Weighings(_ context.Context, _ string, animals []string) (map[string][]iot.Weighing, error) {
	out := map[string][]iot.Weighing{}
	for _, id := range animals {
		if len(w[id]) > 0 {
			out[id] = slices.Clone(w[id])
		}
	}
	return out, nil
}

// reads counts how many days of weights were asked for.
type reads struct {
	*seriestest.Memory
	days int
}

func (r *reads) Windows(ctx context.Context, tenant string, tags []string, m series.Measure, from, to time.Time, step time.Duration) (map[string][]series.Window, error) {
	if m == series.Weight {
		r.days += len(tags) * int((to.Sub(from)+step-1)/step)
	}
	return r.Memory.Windows(ctx, tenant, tags, m, from, to, step)
}

// house is one herd h of tenant x with everything that its report is made of.
type house struct {
	t      *testing.T
	now    time.Time
	store  *iottest.Store
	series *reads
	counts *counts
	kilos  weighings
	maker  *report.Maker
}

func fence() orb.Polygon {
	return orb.Polygon{{{113, 31}, {113.02, 31}, {113.02, 31.02}, {113, 31.02}, {113, 31}}}
}

// newHouse registers n animals a1.. of a species with tags t1..; change may alter each.
func newHouse(t *testing.T, n int, kind string, change func(i int, a *iot.Animal)) *house {
	t.Helper()
	files, err := catalog.Open("")
	if err != nil {
		t.Fatal(err)
	}
	kinds, err := species.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, now: now, store: &iottest.Store{}, series: &reads{Memory: &seriestest.Memory{}}, counts: &counts{}, kilos: weighings{}}
	var animals []iot.Animal
	for i := range n {
		a := iot.Animal{ID: fmt.Sprint("a", i+1), HerdID: "h", Species: kind, Sex: "f", Born: now.AddDate(-3, 0, 0), TagID: fmt.Sprint("t", i+1)}
		if change != nil {
			change(i+1, &a)
		}
		animals = append(animals, a)
	}
	herd := iot.Herd{ID: "h", Tenant: "x", Species: kind, Fence: fence(), CreatedAt: now.AddDate(-1, 0, 0)}
	if err := h.store.AddHerd(t.Context(), herd, animals, nil); err != nil {
		t.Fatal(err)
	}
	clock := func() time.Time { return h.now }
	engine := watch.New(watch.Config{Herds: h.store, Series: h.series, Species: kinds, Now: clock})
	if err := engine.Reload(t.Context(), "x", "h"); err != nil {
		t.Fatal(err)
	}
	h.maker = &report.Maker{Herds: h.store, Watch: engine, Weighings: h.kilos, Series: h.series, Species: kinds, Now: clock,
		Counts: &count.Service{Store: h.counts, Lives: h.store.Lives, Readings: h.series, Now: clock}}
	return h
}

// hear has a tag tell now, in the fence, and what change adds.
func (h *house) hear(tag string, change ...func(r *iot.Reading)) {
	h.t.Helper()
	r := iot.Reading{Tenant: "x", Tag: tag, At: h.now, Received: h.now, Lon: ptr(113.01), Lat: ptr(31.01), Accuracy: ptr(5.0)}
	for _, f := range change {
		f(&r)
	}
	if err := h.series.Write(h.t.Context(), []iot.Reading{r}); err != nil {
		h.t.Fatal(err)
	}
	h.maker.Watch.Observe([]iot.Reading{r})
}

func (h *house) report() iot.HerdReport {
	h.t.Helper()
	r, err := h.maker.Report(h.t.Context(), "x", "h")
	if err != nil {
		h.t.Fatal(err)
	}
	if sum := r.Tagged + r.Outside + r.Silent + r.Unverified + r.NoData; sum != r.Registered {
		h.t.Errorf("the statuses add up to %d of %d: %+v", sum, r.Registered, r)
	}
	if r.Verified > r.Tagged || r.ValueLow > r.Value || r.Value > r.ValueHigh {
		h.t.Errorf("%d verified of %d, value %d, %d to %d", r.Verified, r.Tagged, r.Value, r.ValueLow, r.ValueHigh)
	}
	return r
}

func (h *house) person(seen int) {
	h.t.Helper()
	at := h.now.Add(-time.Hour)
	if err := h.maker.Counts.AddHeadcounts(h.t.Context(), []iot.Headcount{{Tenant: "x", HerdID: "h", Device: "vet", Kind: iot.ByPerson, From: at, To: at, Seen: seen}}); err != nil {
		h.t.Fatal(err)
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	all := func(h *house) {
		for i := range 20 {
			h.hear(fmt.Sprint("t", i+1))
		}
	}
	for name, c := range map[string]struct {
		tell           func(h *house)
		status, reason string
		verified       [2]int // between
		tagged         int
	}{
		"nothing heard": {func(*house) {}, "unknown", "nothing_heard", [2]int{0, 0}, 0},
		"all heard":     {all, "known", "", [2]int{20, 20}, 20},
		"half heard": {func(h *house) {
			for i := range 10 {
				h.hear(fmt.Sprint("t", i+1))
			}
		}, "low_confidence", "tags_silent", [2]int{10, 10}, 10},
		"as many counted": {func(h *house) { all(h); h.person(20) }, "known", "", [2]int{20, 20}, 20},
		"fewer counted":   {func(h *house) { all(h); h.person(12) }, "low_confidence", "counts_short", [2]int{12, 14}, 20},
		"more counted":    {func(h *house) { all(h); h.person(40) }, "known", "", [2]int{20, 20}, 20},
		"none counted":    {func(h *house) { all(h); h.person(0) }, "low_confidence", "counts_short", [2]int{0, 2}, 20},
		"counted, and five registered dead since": {func(h *house) {
			all(h)
			h.person(20)
			for i := range 5 {
				e := iot.LifeEvent{ID: fmt.Sprint("d", i), AnimalID: fmt.Sprint("a", i+1), Kind: iot.Death, At: h.now.Add(-time.Minute)}
				if _, err := h.store.Record(h.t.Context(), "x", iot.Change{Events: []iot.LifeEvent{e}}); err != nil {
					h.t.Fatal(err)
				}
			}
			if err := h.maker.Watch.Reload(h.t.Context(), "x", "h"); err != nil {
				h.t.Fatal(err)
			}
		}, "known", "", [2]int{15, 15}, 15},
		"cut and outside": {func(h *house) {
			all(h)
			h.now = h.now.Add(time.Minute)
			h.hear("t1", func(r *iot.Reading) { r.Attached = ptr(false) })
			for range 4 {
				h.now = h.now.Add(time.Minute)
				h.hear("t2", func(r *iot.Reading) { r.Lon = ptr(113.0205) })
			}
		}, "known", "", [2]int{18, 18}, 18},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, 20, "cattle", nil)
			c.tell(h)
			r := h.report()
			if r.Status != c.status || r.Reason != c.reason || r.Verified < c.verified[0] || r.Verified > c.verified[1] || r.Tagged != c.tagged {
				t.Errorf("%s %q, %d verified of %d tagged; want %s %q, %v of %d", r.Status, r.Reason, r.Verified, r.Tagged, c.status, c.reason, c.verified, c.tagged)
			}
			if (r.Value > 0) != (r.Verified > 0) {
				t.Errorf("%d verified are worth %d", r.Verified, r.Value)
			}
		})
	}
}

// Two tags on one body are one animal, however many other bodies there are.
func TestTwoTagsOnABodyCountOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 3, "cattle", nil)
	// a1 and a2 go the same ways for two days, a3 its own.
	for k := range 48 * 6 {
		h.now = now.Add(time.Duration(k) * 10 * time.Minute)
		east, north := 113.01+0.004*float64(k*7%11)/11, 31.01+0.004*float64(k*5%13)/13
		for i, tag := range []string{"t1", "t2", "t3"} {
			h.hear(tag, func(r *iot.Reading) {
				r.Accuracy = ptr(1.0)
				r.Lon, r.Lat = ptr(east), ptr(north)
				if i == 2 {
					r.Lon, r.Lat = ptr(113.002+0.003*float64(k*3%17)/17), ptr(31.002+0.003*float64(k*4%19)/19)
				}
			})
		}
	}
	r := h.report()
	if r.Integrity.TwoTags != 1 || r.Verified != 2 || r.Unverified != 1 || r.Reason != "tags_doubtful" {
		t.Errorf("%d verified, %d unverified, %q, %+v", r.Verified, r.Unverified, r.Reason, r.Integrity)
	}
}

func TestWeightsOfScales(t *testing.T) {
	t.Parallel()
	grams := func(h *house) int64 {
		r := h.report()
		return r.Terms[0].Kg
	}
	h := newHouse(t, 2, "cattle", nil)
	h.hear("t1")
	h.hear("t2")
	plain := grams(h)
	for d := range 30 {
		h.now = now.AddDate(0, 0, d-30)
		for _, tag := range []string{"t1", "t2"} {
			h.hear(tag, func(r *iot.Reading) { r.Weight = ptr(300.0 + float64(d)/10) })
		}
	}
	h.now = now.Add(7 * time.Hour) // what is remembered of the days before is asked again
	h.hear("t1")
	h.hear("t2")
	weighed := grams(h)
	if r := h.report(); weighed >= plain || r.Terms[0].Weighed != 2 {
		t.Errorf("%d kg by the curve, %d kg with scales that say 303 each: %+v", plain, weighed, r.Terms)
	}
	h.series.days = 0
	h.report()
	if h.series.days > 4 {
		t.Errorf("a second page read %d days of weights again", h.series.days)
	}
	// The tag of a1 goes to a2, which was never weighed: what it told is of a1.
	at := h.now.Add(-time.Minute)
	_, err := h.store.Record(t.Context(), "x", iot.Change{Events: []iot.LifeEvent{
		{ID: "1", AnimalID: "a1", Kind: iot.TagLost, At: at}, {ID: "2", AnimalID: "a2", Kind: iot.TagOn, TagID: "t1", At: at}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.maker.Watch.Reload(t.Context(), "x", "h"); err != nil {
		t.Fatal(err)
	}
	h.hear("t1")
	if r := h.report(); r.Verified != 1 || r.Terms[0].Weighed != 0 {
		t.Errorf("an animal is weighed by another's scale: %+v", r.Terms)
	}
}

// A house of birds is one tag; its heads are the last that were counted, though most
// readings have none.
func TestHouseOfPoultry(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 1, "broiler", func(_ int, a *iot.Animal) { a.Heads, a.Born, a.Sex = 20_000, now.AddDate(0, 0, -21), "" })
	h.hear("t1", func(r *iot.Reading) { r.Lon, r.Lat = nil, nil })
	full := h.report()
	h.now = now.Add(time.Hour)
	h.hear("t1", func(r *iot.Reading) { r.Lon, r.Lat, r.Heads, r.Weight = nil, nil, ptr(int64(12_000)), ptr(0.9) })
	h.now = now.Add(2 * time.Hour)
	h.hear("t1", func(r *iot.Reading) { r.Lon, r.Lat, r.Temp = nil, nil, ptr(27.0) })
	r := h.report()
	if full.Status != "known" || full.Verified != 1 || full.Terms[0].Heads < 19_000 || full.Terms[0].Heads > 20_000 {
		t.Errorf("of 20,000 put in three weeks ago: %+v", full)
	}
	if r.Terms[0].Heads < 11_990 || r.Terms[0].Heads > 12_000 || r.Terms[0].Weighed != 1 || r.Value >= full.Value || r.Value == 0 {
		t.Errorf("of 12,000 counted an hour ago: %+v", r)
	}
}

func TestOthersSeeNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 1, "cattle", nil)
	h.hear("t1")
	h.report()
	for _, ask := range []func(context.Context, string, string) (iot.HerdReport, error){h.maker.Report, h.maker.Recent} {
		if r, err := ask(t.Context(), "y", "h"); !errors.Is(err, iot.ErrHerdNotFound) {
			t.Errorf("another tenant is told %+v, %v", r, err)
		}
	}
}

func TestRecentReportIsSecondsOld(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 1, "cattle", nil)
	before := h.report()
	h.hear("t1")
	if r, err := h.maker.Recent(t.Context(), "x", "h"); err != nil || r.MadeAt != before.MadeAt {
		t.Errorf("made again at once: %v", err)
	}
	h.now = now.Add(11 * time.Second)
	if r, err := h.maker.Recent(t.Context(), "x", "h"); err != nil || r.Verified != 1 {
		t.Errorf("after eleven seconds: %d verified, %v", r.Verified, err)
	}
}
