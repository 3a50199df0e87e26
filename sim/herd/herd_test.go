package herd_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/broker"
	"github.com/furrowcredit/furrow/iot/count"
	"github.com/furrowcredit/furrow/iot/ingest"
	"github.com/furrowcredit/furrow/iot/iottest"
	"github.com/furrowcredit/furrow/iot/report"
	"github.com/furrowcredit/furrow/iot/series/seriestest"
	"github.com/furrowcredit/furrow/iot/species"
	"github.com/furrowcredit/furrow/iot/watch"
	"github.com/furrowcredit/furrow/sim/herd"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var epoch = time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC)

// ledger keeps counts and weighings in memory.
type ledger struct {
	mu     sync.Mutex
	counts []iot.Headcount
}

func (l *ledger) AddHeadcounts(_ context.Context, counts []iot.Headcount) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range counts {
		same := func(o iot.Headcount) bool {
			return o.Device == c.Device && o.From.Equal(c.From) && o.To.Equal(c.To) && o.Picture == c.Picture
		}
		if !slices.ContainsFunc(l.counts, same) {
			l.counts = append(l.counts, c)
		}
	}
	slices.SortStableFunc(l.counts, func(a, b iot.Headcount) int { return a.To.Compare(b.To) })
	return nil
}

func (l *ledger) Headcounts(_ context.Context, _, herd string, kind iot.CountKind, from, to time.Time) (out []iot.Headcount, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, h := range l.counts {
		if h.HerdID == herd && (kind == "" || h.Kind == kind) && !h.To.Before(from) && h.To.Before(to) {
			out = append(out, h)
		}
	}
	return out, nil
}

func (l *ledger) AddWeighings(context.Context, string, []iot.Weighing) error { return nil }

func (l *ledger) Weighings(context.Context, string, []string) (map[string][]iot.Weighing, error) {
	return map[string][]iot.Weighing{}, nil
}

// house is the watch of all ranches, with its clock.
type house struct {
	t      *testing.T
	county *herd.County
	herds  *iottest.Store
	series *seriestest.Memory
	engine *watch.Engine
	ledger *ledger
	report *report.Maker
	keys   map[string]iot.Credential
	saved  []iot.Herd // by ranch

	mu   sync.Mutex
	now  time.Time
	open map[string]bool // "kind label"
	ever map[string]bool
}

func (h *house) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *house) set(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = now
}

func (h *house) raise(_ context.Context, e iot.Event) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	name := fmt.Sprint(e.Kind, " ", e.Label)
	if e.Cleared {
		delete(h.open, name)
	} else {
		h.open[name], h.ever[name] = true, true
	}
	return nil
}

func settle(t *testing.T, cfg herd.Config) *house {
	t.Helper()
	files, err := catalog.Open("")
	if err != nil {
		t.Fatal(err)
	}
	kinds, err := species.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, county: herd.New(cfg), herds: &iottest.Store{}, series: &seriestest.Memory{}, ledger: &ledger{}, now: cfg.Epoch,
		open: make(map[string]bool), ever: make(map[string]bool)}
	h.engine = watch.New(watch.Config{Herds: h.herds, Series: h.series, Species: kinds, Now: h.clock, Raise: h.raise})
	counts := &count.Service{Store: h.ledger, Now: h.clock, Raise: h.raise}
	h.report = &report.Maker{Herds: h.herds, Watch: h.engine, Counts: counts, Weighings: h.ledger, Series: h.series, Species: kinds, Now: h.clock}
	register := iot.Herds{Store: h.herds, Known: kinds.Known, Now: h.clock}
	var lists [][]iot.Credential
	for _, r := range h.county.Ranches {
		r.Herd.OwnerID = "u"
		saved, creds, err := register.Register(t.Context(), "x", r.Herd, r.Animals, r.Gateways)
		if err != nil {
			t.Fatal(err)
		}
		var devices []iot.Device
		for _, k := range r.Counters {
			devices = append(devices, iot.Device{ID: k.ID, Kind: k.Kind, PenID: penOf(saved, k.Pen)})
		}
		if len(devices) > 0 {
			more, err := register.Enrol(t.Context(), "x", saved.ID, cfg.Epoch, "u", "test", nil, devices)
			if err != nil {
				t.Fatal(err)
			}
			creds = append(creds, more.Credentials...)
		}
		lists = append(lists, creds)
		h.saved = append(h.saved, saved)
		if err := h.engine.Reload(t.Context(), "x", saved.ID); err != nil {
			t.Fatal(err)
		}
	}
	h.keys = herd.Keys(lists...)
	return h
}

func penOf(h iot.Herd, i int) string {
	if i < 0 {
		return ""
	}
	return h.Pens[i].ID
}

// counted takes a count of a ranch as the house would.
func (h *house) counted(ranch, pen int, c iot.Headcount) {
	c.Tenant, c.HerdID, c.PenID = "x", h.saved[ranch].ID, penOf(h.saved[ranch], pen)
	_ = h.ledger.AddHeadcounts(h.t.Context(), []iot.Headcount{c})
}

// walk lets the officer count all pens.
func (h *house) walk() {
	for i := range h.county.Ranches {
		for _, w := range h.county.Walks(i) {
			h.counted(i, w.Pen, iot.Headcount{Device: "officer", Kind: iot.ByPerson, From: w.At, To: w.At, Seen: w.Seen})
		}
	}
}

// past feeds everything before the epoch.
func (h *house) past(epoch time.Time) {
	h.county.Each(func(at time.Time, readings []iot.Reading) {
		for i := range readings {
			readings[i].Tenant, readings[i].Received = "x", h.clock()
		}
		h.engine.Observe(readings)
	})
	for i := range h.county.Ranches {
		r := &h.county.Ranches[i]
		for _, k := range r.Counters {
			r.Pictures(epoch, k, func(c iot.Headcount) { h.counted(i, k.Pen, c) })
		}
	}
	h.walk()
}

// live lets one step of the present go by.
func (h *house) live(now time.Time, step time.Duration) {
	h.set(now)
	var batch []iot.Reading
	for _, r := range h.county.Ranches {
		for _, a := range r.Animals {
			if reading, gateway, ok := h.county.Reading(a.TagID, now, step); ok {
				reading.Tenant, reading.Received, reading.Gateway = "x", now, gateway
				batch = append(batch, reading)
			}
		}
	}
	h.engine.Observe(batch)
	h.engine.Tick(h.t.Context(), now)
}

// review counts and sets the counts against the tags.
func (h *house) review(now time.Time) {
	h.t.Helper()
	for i := range h.county.Ranches {
		r := &h.county.Ranches[i]
		for _, k := range r.Counters {
			if c, ok := r.Count(k, now); ok {
				h.counted(i, k.Pen, c)
			}
		}
		if err := h.report.Review(h.t.Context(), "x", h.saved[i].ID); err != nil {
			h.t.Fatal(err)
		}
	}
}

// fading is how long after its end a matter may still be open: means of hours decay.
const fading = 8 * time.Hour

// truth is what should be open at a time, as the events name it; zero: ever. What
// ended a moment before may be open or not, and is not among open afterwards.
func (h *house) truth(at time.Time, open map[string]bool) []string {
	var want []string
	for _, i := range h.county.Incidents {
		label := i.Code
		if label == "" {
			label = i.Subject
		}
		name := fmt.Sprint(i.Kind, " ", label)
		switch {
		case at.IsZero() || i.Until == nil || at.Before(*i.Until):
			want = append(want, name)
		case at.Before(i.Until.Add(fading)):
			delete(open, name)
		}
	}
	slices.Sort(want)
	return want
}

func (h *house) check(when string) {
	h.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	open := maps.Clone(h.open)
	if d := cmp.Diff(h.truth(h.now, open), slices.Sorted(maps.Keys(open))); d != "" {
		h.t.Errorf("%s, open matters (-truth +open): %s", when, d)
	}
	if d := cmp.Diff(h.truth(time.Time{}, nil), slices.Sorted(maps.Keys(h.ever))); d != "" {
		h.t.Errorf("%s, matters ever told (-truth +told): %s", when, d)
	}
}

func TestHeads(t *testing.T) {
	t.Parallel()
	c := herd.New(herd.Config{Seed: 1, Epoch: epoch})
	heads, bodies := 0, 0
	kinds := map[iot.EventKind]bool{}
	for i := range c.Ranches {
		r := &c.Ranches[i]
		heads += len(r.Animals)
		bodies += r.Bodies(-1, epoch)
	}
	for _, i := range c.Incidents {
		kinds[i.Kind] = true
	}
	// One left, twenty tags lie in a bucket, two hang on one animal.
	if len(c.Ranches) != 4 || heads != 303 || bodies != 303-1-20-1 || len(c.Incidents) != 9 || len(kinds) != 9 {
		t.Errorf("%d ranches, %d animals, %d bodies, %d incidents", len(c.Ranches), heads, bodies, len(c.Incidents))
	}
	again := herd.New(herd.Config{Seed: 1, Epoch: epoch})
	a, _, _ := c.Reading("A-001", epoch, time.Minute)
	b, _, _ := again.Reading("A-001", epoch, time.Minute)
	if d := cmp.Diff(a, b); d != "" {
		t.Error("the same seed and time gave two readings:", d)
	}
	weighings := c.Ranches[0].Weighings(epoch)
	if len(weighings) < 60 || strings.TrimSpace(weighings[0].Code) == "" || weighings[0].Kg < 50 || weighings[0].Kg > 900 {
		t.Errorf("%d weighings, the first %+v", len(weighings), weighings[0])
	}
}

// TestTruth lets nine days of past and two of future go by, from different hours of the
// day: all incidents must be found, and nothing else, ever.
func TestTruth(t *testing.T) {
	t.Parallel()
	hours, seeds := 48, uint64(5)
	if testing.Short() {
		hours, seeds = 14, 1
	}
	for seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			start := epoch.Add(time.Duration(seed) * 5 * time.Hour)
			h := settle(t, herd.Config{Seed: seed, Epoch: start})
			h.past(start)
			const step = 4 * time.Minute
			for now := start; now.Before(start.Add(time.Duration(hours) * time.Hour)); now = now.Add(step) {
				h.live(now, step)
				switch since := now.Sub(start); {
				case since == 2*step:
					h.review(now)
					h.check("eight minutes after the start")
					h.reports()
				case since%(6*time.Hour) == 0 && since > 0:
					h.review(now)
				}
			}
			h.check("at the end")
		})
	}
}

// reports looks at what credit sees just after the start.
func (h *house) reports() {
	h.t.Helper()
	for i, want := range []struct {
		status, reason      string
		tagged, least, most int // least and most verified
		health              iot.HerdHealth
		integrity           iot.Integrity
	}{
		// One left, one is dead.
		{"known", "", 108, 100, 108, iot.HerdHealth{Judged: 110, Fever: 1, Oestrus: 1, Still: 1}, iot.Integrity{}},
		// One tag is cut, one on a dog, two on one body; of 87 tags inside, 20 have no animal.
		{"low_confidence", "counts_short", 87, 60, 82, iot.HerdHealth{Judged: 90}, iot.Integrity{TagOff: 1, Carrier: 1, TwoTags: 1}},
		{"low_confidence", "tags_silent", 50, 50, 50, iot.HerdHealth{Judged: 100}, iot.Integrity{Silent: 50}},
		{"known", "", 3, 3, 3, iot.HerdHealth{}, iot.Integrity{}},
	} {
		r, err := h.report.Report(h.t.Context(), "x", h.saved[i].ID)
		if err != nil {
			h.t.Fatal(err)
		}
		name := h.saved[i].Name
		if r.Status != want.status || r.Reason != want.reason || r.Tagged != want.tagged || r.Verified < want.least || r.Verified > want.most {
			h.t.Errorf("%s: %s %s, %d tagged, %d verified, count %+v", name, r.Status, r.Reason, r.Tagged, r.Verified, r.Count)
		}
		if d := cmp.Diff(want.health, r.Health); d != "" {
			h.t.Errorf("%s, health (-want +got): %s", name, d)
		}
		if d := cmp.Diff(want.integrity, r.Integrity); d != "" {
			h.t.Errorf("%s, integrity (-want +got): %s", name, d)
		}
		if r.ValueLow <= 0 || r.ValueLow >= r.Value {
			h.t.Errorf("%s: worth %s, at least %s", name, r.Value, r.ValueLow)
		}
	}
}

// TestOverMQTT sends the past and some of the present through a real connection.
func TestOverMQTT(t *testing.T) {
	t.Parallel()
	start := time.Now()
	h := settle(t, herd.Config{Seed: 7, Epoch: start})
	p := ingest.New(ingest.Config{Herds: h.herds, Series: h.series, Counts: h.ledger, Observe: h.engine.Observe, Now: h.clock})
	b := broker.New(broker.Config{Addr: "127.0.0.1:0", Herds: h.herds, Pipeline: p, Now: h.clock})
	if err := b.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := b.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	defer func() { cancel(); wg.Wait(); p.Drain() }()

	link := herd.Link{URL: "tcp://" + b.Addr(), Credentials: h.keys}
	last := 0
	link.Progress = func(done, total int) { last = total - done }
	began := time.Now()
	if err := h.county.Backfill(t.Context(), link); err != nil {
		t.Fatal(err)
	}
	p.Drain()
	n := p.Counters.Readings.Load()
	t.Logf("%d readings of the past in %v", n, time.Since(began))
	if last != 0 || n < 140_000 || len(h.ledger.counts) < 6*70 || p.Counters.Quarantined.Load() != 0 || p.Counters.Impostors.Load() != 0 {
		t.Errorf("%d steps left, %d readings, %d quarantined, %d impostors", last, n, p.Counters.Quarantined.Load(), p.Counters.Impostors.Load())
	}
	h.walk()
	h.set(start.Add(3 * time.Minute))
	h.engine.Tick(t.Context(), h.clock())
	h.review(h.clock())
	h.check("after the past")

	live, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- h.county.Live(live, link, time.Second, h.clock) }()
	for p.Counters.Readings.Load() < n+500 {
		h.set(h.clock().Add(time.Second))
		time.Sleep(5 * time.Millisecond)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
