package herd_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/broker"
	"github.com/furrowcredit/furrow/iot/ingest"
	"github.com/furrowcredit/furrow/iot/iottest"
	"github.com/furrowcredit/furrow/iot/series/seriestest"
	"github.com/furrowcredit/furrow/iot/species"
	"github.com/furrowcredit/furrow/iot/watch"
	"github.com/furrowcredit/furrow/sim/herd"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var epoch = time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC)

// house is the watch of all ranches, with its clock.
type house struct {
	t       *testing.T
	county  *herd.County
	herds   *iottest.Store
	series  *seriestest.Memory
	species *species.Catalogue
	engine  *watch.Engine
	keys    map[string]iot.Credential
	ids     []string // of herds, by ranch

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
	h := &house{t: t, county: herd.New(cfg), herds: &iottest.Store{}, series: &seriestest.Memory{}, species: kinds, now: cfg.Epoch,
		open: make(map[string]bool), ever: make(map[string]bool)}
	h.engine = watch.New(watch.Config{Herds: h.herds, Series: h.series, Species: kinds, Now: h.clock, Raise: func(_ context.Context, e iot.Event) error {
		h.mu.Lock()
		defer h.mu.Unlock()
		name := fmt.Sprint(e.Kind, " ", e.Label)
		if e.Cleared {
			delete(h.open, name)
		} else {
			h.open[name], h.ever[name] = true, true
		}
		return nil
	}})
	register := iot.Herds{Store: h.herds, Known: kinds.Known, Now: h.clock}
	var lists [][]iot.Credential
	for _, r := range h.county.Ranches {
		r.Herd.OwnerID = "u"
		saved, creds, err := register.Register(t.Context(), "x", r.Herd, r.Animals, r.Gateways)
		if err != nil {
			t.Fatal(err)
		}
		lists = append(lists, creds)
		h.ids = append(h.ids, saved.ID)
		if err := h.engine.Reload(t.Context(), "x", saved.ID); err != nil {
			t.Fatal(err)
		}
	}
	h.keys = herd.Keys(lists...)
	return h
}

// truth is what should be open, as the events name it.
func (h *house) truth() []string {
	var want []string
	for _, i := range h.county.Incidents {
		label := i.Code
		if label == "" {
			label = i.Subject
		}
		want = append(want, fmt.Sprint(i.Kind, " ", label))
	}
	slices.Sort(want)
	return want
}

func (h *house) check(when string) {
	h.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if d := cmp.Diff(h.truth(), slices.Sorted(maps.Keys(h.open))); d != "" {
		h.t.Errorf("%s, open matters (-truth +open): %s", when, d)
	}
	if d := cmp.Diff(h.truth(), slices.Sorted(maps.Keys(h.ever))); d != "" {
		h.t.Errorf("%s, matters ever told (-truth +told): %s", when, d)
	}
}

func TestHeads(t *testing.T) {
	t.Parallel()
	c := herd.New(herd.Config{Seed: 1, Epoch: epoch})
	heads := 0
	for _, r := range c.Ranches {
		heads += len(r.Animals)
	}
	if len(c.Ranches) != 3 || heads != 300 || len(c.Incidents) != 4 {
		t.Errorf("%d ranches, %d animals, %d incidents", len(c.Ranches), heads, len(c.Incidents))
	}
	again := herd.New(herd.Config{Seed: 1, Epoch: epoch})
	a, _, _ := c.Reading("A-001", epoch)
	b, _, _ := again.Reading("A-001", epoch)
	if d := cmp.Diff(a, b); d != "" {
		t.Error("the same seed and time gave two readings:", d)
	}
}

// TestTruth lets two days of past and one of future go by: the four incidents must
// be found, and nothing else.
func TestTruth(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			h := settle(t, herd.Config{Seed: seed, Epoch: epoch})
			feed := func(at time.Time) {
				var batch []iot.Reading
				for _, r := range h.county.Ranches {
					for _, a := range r.Animals {
						if reading, gateway, ok := h.county.Reading(a.TagID, at); ok {
							reading.Tenant, reading.Received, reading.Gateway = "x", h.clock(), gateway
							batch = append(batch, reading)
						}
					}
				}
				h.engine.Observe(batch)
			}
			for at := epoch.Add(-herd.History); at.Before(epoch); at = at.Add(10 * time.Minute) {
				if !at.Before(epoch.Add(-2 * time.Hour)) {
					for i := range 5 {
						feed(at.Add(time.Duration(i) * 2 * time.Minute))
					}
					continue
				}
				feed(at)
			}
			for i := range 26 * 60 / 2 {
				now := epoch.Add(time.Duration(i) * 2 * time.Minute)
				h.set(now)
				feed(now)
				h.engine.Tick(t.Context(), now)
				if i == 3 {
					h.check("six minutes after the start")
				}
			}
			h.check("after another day")
			var registered, verified, value int64
			for _, id := range h.ids {
				r, err := h.engine.Report(t.Context(), "x", id)
				if err != nil {
					t.Fatal(err)
				}
				registered, verified, value = registered+int64(r.Registered), verified+int64(r.Verified), value+int64(r.Value)
			}
			if registered != 300 || verified != 300-3-50 {
				t.Errorf("%d of %d verified, want 247", verified, registered)
			}
			t.Logf("%d verified of %d, worth %d fen", verified, registered, value)
		})
	}
}

// TestOverMQTT sends the past and some of the present through a real connection.
func TestOverMQTT(t *testing.T) {
	t.Parallel()
	start := time.Now()
	h := settle(t, herd.Config{Seed: 7, Epoch: start})
	p := ingest.New(ingest.Config{Herds: h.herds, Series: h.series, Observe: h.engine.Observe, Now: h.clock})
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
	if last != 0 || n < 90_000 || p.Counters.Quarantined.Load() != 0 || p.Counters.Impostors.Load() != 0 {
		t.Errorf("%d steps left, %d readings, %d quarantined, %d impostors", last, n, p.Counters.Quarantined.Load(), p.Counters.Impostors.Load())
	}
	h.set(start.Add(3 * time.Minute))
	h.engine.Tick(t.Context(), h.clock())
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
