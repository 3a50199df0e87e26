package ingest_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/codec"
	"github.com/furrowcredit/furrow/iot/ingest"
	"github.com/furrowcredit/furrow/iot/iottest"
	"github.com/furrowcredit/furrow/iot/series"
	"github.com/furrowcredit/furrow/iot/series/seriestest"
	"github.com/furrowcredit/furrow/iot/species"
	"github.com/furrowcredit/furrow/iot/watch"
)

// tally keeps counts by id, as a store does.
type tally struct {
	mu   sync.Mutex
	by   map[string]iot.Headcount
	fail atomic.Int64 // so many times unavailable
}

func (c *tally) AddHeadcounts(_ context.Context, counts []iot.Headcount) error {
	if c.fail.Add(-1) >= 0 {
		return series.ErrUnavailable
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.by == nil {
		c.by = make(map[string]iot.Headcount)
	}
	for _, h := range counts {
		c.by[h.ID] = h
	}
	return nil
}

func submit(t *testing.T, p *ingest.Pipeline, topic string, d iot.Device, payload string) {
	t.Helper()
	if err := p.Submit(t.Context(), topic, d, []byte(payload), now); err != nil {
		t.Fatal(err)
	}
}

func TestCounts(t *testing.T) {
	t.Parallel()
	counts := &tally{}
	counts.fail.Store(2)
	herds := register(t)
	p := ingest.New(ingest.Config{Herds: herds, Series: &seriestest.Memory{}, Counts: counts, Now: func() time.Time { return now }})
	camera := iot.Device{ID: "c1", Tenant: "x", Kind: iot.Camera, HerdID: "h", PenID: "p"}
	topic := codec.CountTopicOf("x", "c1")
	window := func(from, to time.Time) string {
		return `{"from":` + ms(from) + `,"to":` + ms(to) + `,"seen":12,"picture":"` + strings.Repeat("ab", 32) + `"}`
	}
	submit(t, p, topic, camera, window(now.Add(-time.Minute), now))
	submit(t, p, topic, camera, window(now.Add(-time.Minute), now)) // a replay
	submit(t, p, topic, camera, window(now, now.Add(time.Hour)))
	submit(t, p, topic, camera, window(now.AddDate(0, 0, -40), now.AddDate(0, 0, -40)))
	submit(t, p, codec.TopicOf("x", "c1"), camera, `{"ts":`+ms(now)+`}`)
	submit(t, p, codec.CountTopicOf("x", "t1"), iot.Device{ID: "t1", Tenant: "x", Kind: iot.TagDevice, HerdID: "h"}, window(now, now))
	if len(counts.by) != 1 || p.Counters.Headcounts.Load() != 2 || p.Counters.Retries.Load() != 2 {
		t.Errorf("%d counts kept of %d, %d retries", len(counts.by), p.Counters.Headcounts.Load(), p.Counters.Retries.Load())
	}
	for _, h := range counts.by {
		if h.HerdID != "h" || h.PenID != "p" || h.Device != "c1" || h.Kind != iot.ByCamera || h.Seen != 12 || h.Tenant != "x" || !h.Received.Equal(now) {
			t.Errorf("kept as %+v", h)
		}
	}
	r := p.Counters.Reasons()
	if r["reading.future"] != 1 || r["reading.too_old"] != 1 || r["reading.counts_only"] != 1 || r["count.device"] != 1 || len(r) != 4 {
		t.Errorf("refused %v", r)
	}
	p.Drain()
}

func TestJudge(t *testing.T) {
	t.Parallel()
	store := &seriestest.Memory{}
	var judged atomic.Int64
	p := ingest.New(ingest.Config{Herds: register(t), Series: store, Now: func() time.Time { return now },
		Judge: func(r *iot.Reading) { judged.Add(int64(len(r.Motion.XYZ))); s := 12.5; r.Grazing = &s }})
	d := iot.Device{ID: "t1", Tenant: "x", Kind: iot.TagDevice, HerdID: "h"}
	submit(t, p, codec.TopicOf("x", "t1"), d, `{"ts":`+ms(now)+`,"motion":{"hz":10,"xyz":[[0,0,9.8],[0,1,9.8]]}}`)
	submit(t, p, codec.TopicOf("x", "t1"), d, `{"ts":`+ms(now.Add(time.Second))+`}`)
	got, err := store.Range(t.Context(), "x", "t1", now, now.Add(time.Hour), 0)
	if err != nil || len(got) != 2 {
		t.Fatal(got, err)
	}
	if judged.Load() != 2 || got[0].Grazing == nil || *got[0].Grazing != 12.5 || got[0].Motion != nil || got[1].Grazing != nil {
		t.Errorf("%d judged: %+v", judged.Load(), got)
	}
	p.Drain()
}

// TestImpossibleReading wants a reading that no store can hold refused alone.
func TestImpossibleReading(t *testing.T) {
	t.Parallel()
	herds, store := register(t), &seriestest.Memory{}
	p := ingest.New(ingest.Config{Herds: herds, Series: store, Now: func() time.Time { return now },
		Judge: func(r *iot.Reading) { s := math.NaN(); r.Grazing = &s }})
	g := iot.Device{ID: "g1", Tenant: "x", Kind: iot.Gateway, HerdID: "h"}
	submit(t, p, codec.TopicOf("x", "g1"), g, `[{"tag":"t1","ts":`+ms(now)+`,"motion":{"hz":10,"xyz":[[0,0,9.8]]}},{"tag":"t2","ts":`+ms(now)+`}]`)
	if n, _ := store.Count(t.Context(), "x", ""); n != 1 || p.Counters.Quarantined.Load() != 1 {
		t.Errorf("%d saved, refused %v", n, p.Counters.Reasons())
	}
	p.Drain()
}

// TestNetworkServer speaks for any tag of its tenant, and the gateway that heard the
// tag is kept.
func TestNetworkServer(t *testing.T) {
	t.Parallel()
	herds, store := register(t), &seriestest.Memory{}
	eui := "0102030405060708"
	if err := herds.AddHerd(t.Context(), iot.Herd{ID: "h3", Tenant: "x"}, nil, []iot.Device{
		{ID: eui, Tenant: "x", Kind: iot.TagDevice, HerdID: "h3"}, {ID: "cut", Tenant: "x", Kind: iot.TagDevice, HerdID: "h3", Revoked: true}}); err != nil {
		t.Fatal(err)
	}
	p := ingest.New(ingest.Config{Herds: herds, Series: store, Now: func() time.Time { return now }})
	network := iot.Device{ID: "lns", Tenant: "x", Kind: iot.Network}
	submit(t, p, codec.TopicOf("x", "lns"), network, `[{"tag":"t1","ts":`+ms(now)+`},{"tag":"other","ts":`+ms(now)+`},{"tag":"g1","ts":`+ms(now)+`},{"tag":"cut","ts":`+ms(now)+`},{"ts":`+ms(now)+`}]`)
	if n, _ := store.Count(t.Context(), "x", ""); n != 2 {
		t.Errorf("%d saved, want the tags of two herds", n)
	}
	r := p.Counters.Reasons()
	if r["reading.foreign_tag"] != 1 || r["reading.unknown_tag"] != 1 || r["reading.no_tag"] != 1 {
		t.Errorf("refused %v", r)
	}
	p.Drain()
}

// TestClockSteps sets the house's clock while readings come: right tags are taken by
// either clock, wrong ones by none.
func TestClockSteps(t *testing.T) {
	t.Parallel()
	for name, step := range map[string]time.Duration{"two hours back": -2 * time.Hour, "a year ahead": 365 * 24 * time.Hour, "40 days back": -40 * 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var clock atomic.Pointer[time.Time]
			clock.Store(&now)
			store := &seriestest.Memory{}
			p := ingest.New(ingest.Config{Herds: register(t), Series: store, Now: func() time.Time { return *clock.Load() }})
			d := iot.Device{ID: "t1", Tenant: "x", Kind: iot.TagDevice, HerdID: "h"}
			send := func(at time.Time) {
				t.Helper()
				if err := p.Submit(t.Context(), codec.TopicOf("x", "t1"), d, []byte(`{"ts":`+ms(at)+`}`), *clock.Load()); err != nil {
					t.Fatal(err)
				}
			}
			send(now)
			after := now.Add(step)
			clock.Store(&after)
			for i := range 10 {
				send(now.Add(time.Duration(i+1) * time.Second))   // the tags' clocks go on
				send(after.Add(time.Duration(i+1) * time.Second)) // or follow the house's
			}
			clock.Store(&now)
			send(now.Add(time.Minute))
			if n, _ := store.Count(t.Context(), "x", ""); n != 22 || len(p.Counters.Reasons()) != 0 {
				t.Errorf("%d saved, refused %v", n, p.Counters.Reasons())
			}
			send(now.AddDate(20, 0, 0))
			send(now.AddDate(-20, 0, 0))
			if r := p.Counters.Reasons(); r["reading.future"] != 1 || r["reading.too_old"] != 1 {
				t.Errorf("refused %v", r)
			}
			p.Drain()
		})
	}
}

// TestLateAndDoubled gives the watch an animal's day in a shuffled order and twice,
// after its newest readings: the history is complete, the latest is the newest by the
// tag's clock, and nobody is alarmed by what was over long ago.
func TestLateAndDoubled(t *testing.T) {
	t.Parallel()
	files, err := catalog.Open("")
	if err != nil {
		t.Fatal(err)
	}
	kinds, err := species.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	herds, store := &iottest.Store{}, &seriestest.Memory{}
	square := orb.Polygon{{{113.19, 31.49}, {113.21, 31.49}, {113.21, 31.51}, {113.19, 31.51}, {113.19, 31.49}}}
	if err := herds.AddHerd(t.Context(), iot.Herd{ID: "h", Tenant: "x", Species: "cattle", Fence: square}, []iot.Animal{
		{ID: "a1", HerdID: "h", Species: "cattle", Identity: iot.AnimalID{Scheme: "cn-67", Code: "242062300000001"}, TagID: "t1"}},
		[]iot.Device{{ID: "t1", Tenant: "x", Kind: iot.TagDevice, HerdID: "h"}}); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var raised []iot.Event
	raise := func(_ context.Context, e iot.Event) error {
		mu.Lock()
		defer mu.Unlock()
		raised = append(raised, e)
		return nil
	}
	engine := watch.New(watch.Config{Herds: herds, Series: store, Species: kinds, Raise: raise, Now: func() time.Time { return now }})
	if err := engine.Restore(t.Context()); err != nil {
		t.Fatal(err)
	}
	p := ingest.New(ingest.Config{Herds: herds, Series: store, Observe: engine.Observe, Raise: raise, Now: func() time.Time { return now }})
	d := iot.Device{ID: "t1", Tenant: "x", Kind: iot.TagDevice, HerdID: "h"}
	payload := func(minutes int, lon float64) string {
		return fmt.Sprintf(`{"ts":%s,"lon":%v,"lat":31.5,"temp_c":30,"activity":1.1}`, ms(now.Add(-time.Duration(minutes)*time.Minute)), lon)
	}
	var late []string
	for m := 60; m < 360; m += 5 {
		lon := 113.2
		if m > 120 && m < 240 {
			lon = 113.25 // it was out, and is back
		}
		late = append(late, payload(m, lon), payload(m, lon))
	}
	for m := 20; m >= 0; m -= 5 {
		submit(t, p, codec.TopicOf("x", "t1"), d, payload(m, 113.2))
	}
	r := rand.New(rand.NewPCG(1, 2))
	r.Shuffle(len(late), func(i, j int) { late[i], late[j] = late[j], late[i] })
	for _, s := range late {
		submit(t, p, codec.TopicOf("x", "t1"), d, s)
	}
	p.Drain()
	if n, _ := store.Count(t.Context(), "x", "t1"); n != 65 {
		t.Errorf("%d readings in the history, want 65", n)
	}
	latest, err := store.Latest(t.Context(), "x", []string{"t1"})
	if err != nil || !latest["t1"].At.Equal(now) {
		t.Errorf("the latest is of %v", latest["t1"].At)
	}
	mu.Lock()
	defer mu.Unlock()
	for _, e := range raised {
		if !e.Cleared { // at its start the watch ends what may be open of an earlier run
			t.Errorf("raised %+v", e)
		}
	}
}

// TestStrangersAreForgotten sends numbers that nobody registered: the devices that
// are registered stay known, at one question each.
func TestStrangersAreForgotten(t *testing.T) {
	t.Parallel()
	asked := &asking{Store: register(t)}
	p := ingest.New(ingest.Config{Herds: asked, Series: &seriestest.Memory{}, Now: func() time.Time { return now }})
	for range 3 {
		for i := range 300 {
			if _, err := p.Device(t.Context(), "x", fmt.Sprint("t", i)); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 60_000 {
			if _, err := p.Device(t.Context(), "x", fmt.Sprint("stranger", i)); err == nil {
				t.Fatal("a stranger is known")
			}
		}
	}
	if n := asked.known.Load(); n != 300 {
		t.Errorf("%d questions about 300 devices", n)
	}
	p.Drain()
}

type asking struct {
	*iottest.Store
	known atomic.Int64
}

func (s *asking) Device(ctx context.Context, tenant, id string) (iot.Device, error) {
	if id[0] == 's' {
		return iot.Device{}, iot.ErrDeviceNotFound
	}
	s.known.Add(1)
	return s.Store.Device(ctx, tenant, id)
}

// BenchmarkMillionDevices fills the memory of devices with a million tags and asks
// for them: bytes for each, and time for a hit.
func BenchmarkMillionDevices(b *testing.B) {
	const n = 1_000_000
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("tag-%07d", i)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	p := ingest.New(ingest.Config{Herds: endless{}, Series: &seriestest.Memory{}, Now: func() time.Time { return now }})
	for _, id := range ids {
		if _, err := p.Device(b.Context(), "x", id); err != nil {
			b.Fatal(err)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ResetTimer()
	for i := range b.N {
		if _, err := p.Device(b.Context(), "x", ids[i*7919%n]); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/n, "B/device")
}

// endless knows every number.
type endless struct{ *iottest.Store }

func (endless) Device(_ context.Context, tenant, id string) (iot.Device, error) {
	return iot.Device{ID: id, Tenant: tenant, Kind: iot.TagDevice, HerdID: "herd-" + id[len(id)-4:]}, nil
}
