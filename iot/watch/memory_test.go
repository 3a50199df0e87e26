package watch_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/iottest"
	"github.com/furrowcredit/furrow/iot/series"
	"github.com/furrowcredit/furrow/iot/series/seriestest"
	"github.com/furrowcredit/furrow/iot/watch"
)

// remembered is a watch.Memory that forgets.
type remembered struct {
	mu    sync.Mutex
	fail  bool
	state map[string][]byte
}

func (m *remembered) SaveWatch(_ context.Context, tenant, herdID string, _ time.Time, state []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail {
		return errors.New("the disk is full")
	}
	if m.state == nil {
		m.state = make(map[string][]byte)
	}
	m.state[tenant+"/"+herdID] = slices.Clone(state)
	return nil
}

func (m *remembered) LoadWatch(_ context.Context, tenant, herdID string) (time.Time, []byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return time.Time{}, m.state[tenant+"/"+herdID], nil
}

// life is what befalls a small herd over a day, as readings in the order they come.
func life(seed uint64) []iot.Reading {
	rng := rand.New(rand.NewPCG(seed, 7))
	b := &bench{}
	var out []iot.Reading
	type beast struct{ x, y, leaves, dies, cut float64 }
	var herd []beast
	for range 4 {
		when := func() float64 { return 24 * rng.Float64() * 2 } // half of them never
		herd = append(herd, beast{rng.Float64() * 300, rng.Float64() * 300, when(), when(), when()})
	}
	for minute := 0; minute < 24*60; minute += 15 {
		for i, a := range herd {
			if rng.IntN(20) == 0 {
				continue
			}
			h := float64(minute) / 60
			b.now = start.Add(time.Duration(minute)*time.Minute + time.Duration(i)*time.Second)
			x, y := a.x+4*rng.NormFloat64(), a.y+4*rng.NormFloat64()
			if h > a.leaves && h < a.leaves+3 {
				x += 700 * min(1, h-a.leaves)
			}
			r := b.at(fmt.Sprint("t", i+1), x, y)
			r.Tenant, r.Received = "x", b.now
			r.Temp, r.Ambient, r.Activity, r.Attached = ptr(30.0), ptr(15.0), ptr(0.2+1.5*rng.Float64()), ptr(h < a.cut || h > a.cut+1)
			if h > a.dies {
				r.Temp, r.Activity = ptr(15.5), ptr(0.02)
			}
			out = append(out, r)
		}
	}
	return out
}

// runLife lets an engine live through readings, killed before each of the cuts, and
// returns every event that was told, each once.
func runLife(tb *rapid.T, readings []iot.Reading, cuts map[int]bool) []string {
	var animals []iot.Animal
	for i := range 4 {
		animals = append(animals, iot.Animal{ID: fmt.Sprint("a", i+1), HerdID: "h", Species: "cattle", Sex: "f", Born: start.AddDate(-3, 0, 0), TagID: fmt.Sprint("t", i+1)})
	}
	store, saved, memory := &iottest.Store{}, &seriestest.Memory{}, &remembered{}
	ctx := context.Background()
	if err := store.AddHerd(ctx, iot.Herd{ID: "h", Tenant: "x", Species: "cattle", Fence: pasture(500), CreatedAt: start}, animals, nil); err != nil {
		tb.Fatal(err)
	}
	now := start
	told := make(map[string]bool)
	boot := func(first bool) *watch.Engine {
		e := watch.New(watch.Config{Herds: store, Series: saved, Species: kinds, Memory: memory, Now: func() time.Time { return now },
			Raise: func(_ context.Context, e iot.Event) error {
				if e.Kind == iot.Silence || e.Kind == iot.GatewaySilent {
					return nil // a house that was deaf gives every tag its whole limit again
				}
				told[fmt.Sprint(e.At.Format(time.RFC3339), " ", e.Kind, " ", e.Subject, " ", e.Cleared)] = true
				return nil
			}})
		if first {
			if err := e.Reload(ctx, "x", "h"); err != nil {
				tb.Fatal(err)
			}
		} else if err := e.Restore(ctx); err != nil {
			tb.Fatal(err)
		}
		e.Tick(ctx, now)
		return e
	}
	e := boot(true)
	if err := e.Close(ctx); err != nil {
		tb.Fatal(err)
	}
	for i, r := range readings {
		now = r.Received
		if err := saved.Write(ctx, []iot.Reading{r}); err != nil {
			tb.Fatal(err)
		}
		if cuts[i] {
			e = boot(false) // killed between the save and the watch
			continue
		}
		e.Observe([]iot.Reading{r})
		if i%7 == 0 {
			e.Tick(ctx, now)
		}
	}
	return slices.Sorted(maps.Keys(told))
}

// TestKilledAtAnyMoment: whenever the process dies, what is told in all is the same.
func TestKilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	events := 0
	rapid.Check(t, func(t *rapid.T) {
		readings := life(rapid.Uint64Range(0, 40).Draw(t, "seed"))
		cuts := make(map[int]bool)
		for _, c := range rapid.SliceOfN(rapid.IntRange(0, len(readings)-1), 1, 6).Draw(t, "cuts") {
			cuts[c] = true
		}
		whole, cut := runLife(t, readings, nil), runLife(t, readings, cuts)
		events += len(whole)
		if !slices.Equal(whole, cut) {
			t.Fatalf("without a cut:\n%v\nwith cuts:\n%v", whole, cut)
		}
	})
	if events == 0 {
		t.Error("nothing ever happened")
	}
}

// TestMemoryIsEverything: a state that is written and read again is written the same.
func TestMemoryIsEverything(t *testing.T) {
	t.Parallel()
	b := newBench(t, 4)
	memory := &remembered{}
	b.memory = memory
	b.boot(false)
	for _, r := range life(3) {
		b.now = r.Received
		b.hear(r)
	}
	if err := b.engine.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	first := slices.Clone(memory.state["x/h"])
	b.told()
	b.boot(true)
	b.want("")
	b.pass(time.Second)
	b.hear(iot.Reading{Tag: "nobody", At: b.now})
	if err := b.engine.Reload(t.Context(), "x", "h"); err != nil { // marks it changed
		t.Fatal(err)
	}
	if err := b.engine.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if second := memory.state["x/h"]; len(first) < 100 || !slices.Equal(first, second) {
		t.Errorf("%d bytes come back as %d other ones", len(first), len(second))
	}
}

// TestBrokenMemory is no reason not to start: the herd is built from its readings.
func TestBrokenMemory(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1)
	memory := &remembered{}
	b.memory = memory
	b.boot(false)
	b.hear(b.at("t1", 400, 0))
	b.pass(time.Minute)
	b.hear(b.at("t1", 640, 0))
	b.want("fence_exit a1 opened")
	if err := b.engine.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func([]byte) []byte{
		"cut":      func(s []byte) []byte { return s[:len(s)/2] },
		"changed":  func(s []byte) []byte { s[20]++; return s },
		"a letter": func([]byte) []byte { return []byte("x") },
	} {
		good := slices.Clone(memory.state["x/h"])
		memory.state["x/h"] = spoil(slices.Clone(good))
		b.boot(true)
		b.status(1, watch.StatusOutside)
		if name == "" {
			t.Error("unreachable")
		}
		memory.state["x/h"] = good
	}
	b.told()
	b.boot(true)
	b.status(1, watch.StatusOutside)
	b.tick()
	b.want("") // it was told before, and the memory knows
}

// deaf is a series store that does not answer.
type deaf struct {
	*seriestest.Memory
	down bool
}

func (d *deaf) Since(ctx context.Context, tenant string, from map[string]time.Time, each func(string, []iot.Reading) error) error {
	if d.down {
		return series.ErrUnavailable
	}
	return d.Memory.Since(ctx, tenant, from, each)
}

func TestStartWithoutTheSeriesStore(t *testing.T) {
	t.Parallel()
	b := newBench(t, 2)
	b.hear(b.at("t1", 400, 0))
	b.pass(time.Minute)
	store := &deaf{Memory: b.series, down: true}
	b.reads = store
	b.boot(true)
	b.status(1, watch.StatusNoData)
	b.tick()
	b.status(1, watch.StatusNoData)
	store.down = false
	b.tick()
	b.status(1, watch.StatusInside)
}

// TestSlowDesk: while an alert waits for its database, readings are taken all the same.
func TestSlowDesk(t *testing.T) {
	t.Parallel()
	b := newBench(t, 2)
	asked, answer := make(chan struct{}, 10), make(chan struct{})
	e := watch.New(watch.Config{Herds: b.store, Series: b.series, Species: kinds, Now: func() time.Time { return start },
		Raise: func(context.Context, iot.Event) error {
			asked <- struct{}{}
			<-answer
			return nil
		}})
	if err := e.Reload(t.Context(), "x", "h"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var run sync.WaitGroup
	run.Go(func() {
		if err := e.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	observe := func(at time.Time, attached bool) {
		r := b.at("t1", 0, 0)
		r.Tenant, r.At, r.Received, r.Attached = "x", at, at, &attached
		e.Observe([]iot.Reading{r})
	}
	for !e.Running() {
		runtime.Gosched()
	}
	observe(start, false) // the tag is cut
	<-asked
	for i := range 100 {
		observe(start.Add(time.Duration(i+1)*time.Second), false) // returns, though nobody has answered
	}
	close(answer)
	cancel()
	run.Wait()
}

func FuzzMemory(f *testing.F) {
	memory := &remembered{}
	e := watch.New(watch.Config{Species: kinds, Memory: memory, Series: &seriestest.Memory{}, Now: func() time.Time { return start },
		Herds: herdOf(4)})
	if err := e.Reload(context.Background(), "x", "h"); err != nil {
		f.Fatal(err)
	}
	e.Observe(life(3))
	if err := e.Close(context.Background()); err != nil {
		f.Fatal(err)
	}
	good := memory.state["x/h"]
	f.Add(good[4 : len(good)-4])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, body []byte) {
		m := &remembered{state: map[string][]byte{"x/h": watch.Seal(body)}}
		e := watch.New(watch.Config{Species: kinds, Memory: m, Series: &seriestest.Memory{}, Now: func() time.Time { return start }, Herds: herdOf(4)})
		if err := e.Restore(t.Context()); err != nil {
			t.Fatal(err)
		}
		e.Tick(t.Context(), start.Add(time.Hour))
		e.Observe(life(4)[:50])
		if _, err := e.States(t.Context(), "x", "h"); err != nil {
			t.Fatal(err)
		}
	})
}

func herdOf(n int) *iottest.Store {
	s := &iottest.Store{}
	var animals []iot.Animal
	for i := range n {
		animals = append(animals, iot.Animal{ID: fmt.Sprint("a", i+1), HerdID: "h", Species: "cattle", Sex: "f", Born: start.AddDate(-3, 0, 0), TagID: fmt.Sprint("t", i+1)})
	}
	_ = s.AddHerd(context.Background(), iot.Herd{ID: "h", Tenant: "x", Species: "cattle", Fence: pasture(500), CreatedAt: start}, animals, nil) // never fails
	return s
}
