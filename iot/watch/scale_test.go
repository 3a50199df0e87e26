package watch_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/iottest"
	"github.com/furrowcredit/furrow/iot/series/seriestest"
	"github.com/furrowcredit/furrow/iot/watch"
)

// big registers herds of a thousand animals each.
func big(tb testing.TB, herds int, now *time.Time) *watch.Engine {
	tb.Helper()
	store := &iottest.Store{}
	e := watch.New(watch.Config{Species: kinds, Series: &seriestest.Memory{}, Herds: store, Now: func() time.Time { return *now }})
	for h := range herds {
		animals := make([]iot.Animal, 1000)
		for i := range animals {
			animals[i] = iot.Animal{ID: fmt.Sprintf("h%d-a%d", h, i), Species: "cattle", Sex: "f", Born: start.AddDate(-3, 0, 0), TagID: fmt.Sprintf("h%d-t%d", h, i)}
		}
		id := fmt.Sprint("h", h)
		if err := store.AddHerd(context.Background(), iot.Herd{ID: id, Tenant: "x", Species: "cattle", Fence: pasture(2000), CreatedAt: start}, animals, nil); err != nil {
			tb.Fatal(err)
		}
		if err := e.Reload(context.Background(), "x", id); err != nil {
			tb.Fatal(err)
		}
	}
	return e
}

// round is one full reading of each of the first n tags of every herd.
func round(herds, n int, at time.Time, rng *rand.Rand) []iot.Reading {
	out := make([]iot.Reading, 0, herds*n)
	b := &bench{now: at}
	for h := range herds {
		for i := range n {
			r := b.at(fmt.Sprintf("h%d-t%d", h, i), float64(i%100)*20+5*rng.NormFloat64(), float64(i/100)*20+5*rng.NormFloat64())
			r.Tenant, r.Received, r.Gateway = "x", at, "g1"
			r.Temp, r.Ambient, r.Activity, r.Attached = ptr(29+rng.NormFloat64()), ptr(15.0), ptr(rng.ExpFloat64()), ptr(true)
			r.Grazing = ptr(100.0)
			out = append(out, r)
		}
	}
	return out
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestMemoryPerAnimal says what a registered and what a reporting animal cost. The
// store of the test holds the animals' texts, so only what the watch adds is counted,
// the 216 bytes of each iot.Animal itself among it.
func TestMemoryPerAnimal(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a second")
	}
	const herds = 40
	now := start
	runtime.GC()
	store := heap()
	e := big(t, herds, &now)
	other := big(t, 0, &now)
	registered := heap()
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range 100 { // a day of a moving, grazing herd: baselines, rhythms and neighbours
		now = start.Add(time.Duration(i) * 15 * time.Minute)
		e.Observe(round(herds, 100, now, rng))
	}
	reporting := heap()
	const animals = herds * 1000
	// The store's own copy of the animals and their texts is in the first figure.
	perAnimal := float64(registered-store)/animals - 216 - 64
	perTrack := float64(reporting-registered) / (herds * 100)
	t.Logf("registered: about %.0f bytes beyond two iot.Animal and their texts; reporting: %.0f bytes more", perAnimal-216, perTrack)
	if perAnimal-216 > 250 || perTrack > 1600 {
		t.Errorf("a registered animal costs %.0f bytes, a reporting one %.0f more", perAnimal-216, perTrack)
	}
	runtime.KeepAlive(e)
	runtime.KeepAlive(other)
}

// BenchmarkObserve is the cost of one reading on the ingest path.
func BenchmarkObserve(b *testing.B) {
	now := start
	e := big(b, 10, &now)
	rng := rand.New(rand.NewPCG(1, 1))
	rounds := make([][]iot.Reading, 8)
	for i := range rounds {
		rounds[i] = round(10, 1000, start, rng)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i, n := 0, 0; n < b.N; i++ {
		batch := rounds[i%len(rounds)]
		b.StopTimer()
		now = start.Add(time.Duration(i) * 5 * time.Minute)
		for j := range batch {
			batch[j].At, batch[j].Received = now, now
		}
		b.StartTimer()
		for from := 0; from < len(batch) && n < b.N; from += 500 {
			part := batch[from:min(len(batch), from+min(500, b.N-n))]
			e.Observe(part)
			n += len(part)
		}
	}
}

// BenchmarkTick looks over a million registered animals of which 100,000 report.
func BenchmarkTick(b *testing.B) {
	now := start
	e := big(b, 1000, &now)
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range 3 {
		now = start.Add(time.Duration(i) * 5 * time.Minute)
		e.Observe(round(1000, 100, now, rng))
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		e.Tick(context.Background(), now.Add(time.Duration(i)*5*time.Second%(4*time.Minute)))
	}
}
