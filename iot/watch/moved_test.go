package watch_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/iot"
)

// befall records an event of an animal at the bench's time.
func (b *bench) befall(e iot.LifeEvent) {
	b.t.Helper()
	e.ID, e.At, e.Recorded = fmt.Sprint(e.AnimalID, e.Kind, b.now), b.now, b.now
	if _, err := b.store.Record(b.t.Context(), "x", iot.Change{Events: []iot.LifeEvent{e}}); err != nil {
		b.t.Fatal(err)
	}
}

// reload takes herds up anew, as the registry's changes do.
func (b *bench) reload(herds ...string) {
	b.t.Helper()
	for _, id := range herds {
		if err := b.engine.Reload(b.t.Context(), "x", id); err != nil {
			b.t.Fatal(err)
		}
	}
	b.tick()
}

// second registers another herd, far away.
func (b *bench) second(id string) {
	b.t.Helper()
	fence := pasture(500)
	for i := range fence[0] {
		fence[0][i][0]++
	}
	h := iot.Herd{ID: id, Tenant: "x", Species: "cattle", Fence: fence, CreatedAt: start}
	if err := b.store.AddHerd(b.t.Context(), h, nil, nil); err != nil {
		b.t.Fatal(err)
	}
	if err := b.engine.Reload(b.t.Context(), "x", id); err != nil {
		b.t.Fatal(err)
	}
}

func TestMovedAnimalIsHeardInEitherOrderOfReload(t *testing.T) {
	t.Parallel()
	for _, order := range [][]string{{"h", "h2"}, {"h2", "h"}} {
		b := newBench(t, 2)
		b.second("h2")
		b.hear(b.at("t1", 0, 0), b.at("t2", 0, 0))
		b.pass(time.Minute)
		b.befall(iot.LifeEvent{AnimalID: "a1", Kind: iot.Move, HerdID: "h2"})
		b.reload(order...)
		b.hear(b.at("t1", 0, 0))
		states, err := b.engine.States(t.Context(), "x", "h2")
		if err != nil || len(states) != 1 || states[0].Status != "never_entered" {
			t.Errorf("reloaded in order %v the animal that moved is %+v (%v), want it heard", order, states, err)
		}
	}
}

func TestMattersEndWithTheirAnimal(t *testing.T) {
	t.Parallel()
	out := func(b *bench) {
		b.hear(b.at("t1", 0, 0))
		for range 3 {
			b.pass(time.Minute)
			b.hear(b.at("t1", 560, 0))
		}
		b.want("fence_exit a1 opened")
	}
	for name, e := range map[string]iot.LifeEvent{
		"sold":      {Kind: iot.Departure, Reason: "sale"},
		"dead":      {Kind: iot.Death},
		"moved":     {Kind: iot.Move, HerdID: "h2"},
		"re-tagged": {Kind: iot.TagOn, TagID: "t9"},
		"untagged":  {Kind: iot.TagLost},
	} {
		e.AnimalID = "a1"
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, 2)
			b.second("h2")
			out(b)
			b.befall(e)
			b.reload("h")
			b.want("fence_exit a1 cleared")
		})
		t.Run(name+" while the house was down", func(t *testing.T) {
			t.Parallel()
			b := newBench(t, 2)
			b.second("h2")
			b.memory = &remembered{}
			b.boot(false)
			out(b)
			b.tick()
			b.befall(e)
			b.boot(true)
			b.tick()
			b.want("fence_exit a1 cleared")
		})
	}
}

func TestTagTellsNothingOfItsNextWearer(t *testing.T) {
	t.Parallel()
	for _, kept := range []bool{false, true} {
		b := newBench(t, 2)
		if kept {
			b.memory = &remembered{}
			b.boot(false)
		}
		b.hear(b.at("t1", 0, 0))
		b.pass(10 * time.Minute)
		b.tick()
		b.befall(iot.LifeEvent{AnimalID: "a1", Kind: iot.TagLost})
		b.befall(iot.LifeEvent{AnimalID: "a2", Kind: iot.TagOn, TagID: "t1"})
		b.reload("h")
		late := b.at("t1", 0, 0)
		late.At = b.now.Add(-time.Minute)
		b.hear(late)
		b.status(2, "no_data")
		b.boot(true)
		b.status(2, "no_data")
		b.hear(b.at("t1", 0, 0))
		b.status(2, "inside")
	}
}

func TestDeadBeforeItWasEverHeard(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1)
	b.memory = &remembered{}
	b.boot(false)
	if err := b.engine.Confirm(t.Context(), "other", "a1", false, "p"); !errors.Is(err, iot.ErrAnimalNotFound) {
		t.Errorf("another tenant confirmed a death: %v", err)
	}
	if err := b.engine.Confirm(t.Context(), "x", "a1", false, "p"); err != nil {
		t.Fatal(err)
	}
	b.want("stillness a1 opened")
	b.status(1, "unverified")
	b.pass(48 * time.Hour)
	b.tick()
	b.boot(true)
	b.tick()
	b.want("")
	b.status(1, "unverified")
}

func TestUnkeptMemoryIsKeptAtTheNextTick(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1)
	m := &remembered{}
	b.memory = m
	b.boot(false)
	b.hear(b.at("t1", 0, 0))
	m.mu.Lock()
	m.fail = true
	m.mu.Unlock()
	b.tick()
	m.mu.Lock()
	m.fail = false
	m.mu.Unlock()
	b.pass(5 * time.Second)
	b.tick()
	if _, state, err := m.LoadWatch(t.Context(), "x", "h"); err != nil || len(state) == 0 {
		t.Errorf("after a refusal nothing was kept at the next tick (%v)", err)
	}
}

func TestSeenDeadStaysDeadWithAnotherTag(t *testing.T) {
	t.Parallel()
	for _, restart := range []bool{false, true} {
		b := newBench(t, 1)
		b.memory = &remembered{}
		b.boot(false)
		b.hear(b.at("t1", 0, 0))
		if err := b.engine.Confirm(t.Context(), "x", "a1", false, "p"); err != nil {
			t.Fatal(err)
		}
		b.want("stillness a1 opened")
		b.pass(time.Minute)
		b.befall(iot.LifeEvent{AnimalID: "a1", Kind: iot.TagOn, TagID: "t2"})
		if restart {
			b.boot(true)
		} else {
			b.reload("h")
		}
		b.pass(time.Minute)
		b.hear(b.at("t2", 0, 0))
		b.status(1, "unverified")
		b.want("")
	}
}

// TestReportsWhileHerdsAreReloaded finds races between those who ask and a herd that
// is taken up anew.
func TestReportsWhileHerdsAreReloaded(t *testing.T) {
	t.Parallel()
	b := newBench(t, 50)
	var wait sync.WaitGroup
	for range 2 {
		wait.Go(func() {
			for range 50 {
				if s, err := b.engine.States(t.Context(), "x", "h"); err != nil || len(s) != 50 {
					t.Errorf("%d animals, %v", len(s), err)
				}
			}
		})
	}
	wait.Go(func() {
		for range 50 {
			if err := b.engine.Reload(t.Context(), "x", "h"); err != nil {
				t.Error(err)
			}
		}
	})
	wait.Go(func() {
		for i := range 500 {
			r := b.at(fmt.Sprint("t", i%50+1), 0, 0)
			r.Tenant, r.At = "x", start.Add(time.Duration(i)*time.Minute)
			b.engine.Observe([]iot.Reading{r})
		}
	})
	wait.Wait()
}
