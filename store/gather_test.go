package store_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/furrowcredit/furrow/store"
)

func TestGatherTogether(t *testing.T) {
	t.Parallel()
	var steps, doing atomic.Int32
	first := make(chan struct{})
	g := store.NewGather(100, func(_ context.Context, items []int) ([]int, error) {
		if doing.Add(1) != 1 {
			t.Error("two steps at once")
		}
		defer doing.Add(-1)
		if steps.Add(1) == 1 {
			<-first // the others come meanwhile
		}
		out := make([]int, len(items))
		for i, x := range items {
			out[i] = x * x
		}
		return out, nil
	})
	const n = 250
	var wait sync.WaitGroup
	for i := range n {
		wait.Go(func() {
			got, err := g.Do(t.Context(), i)
			if err != nil || got != i*i {
				t.Errorf("%d gives %d, %v", i, got, err)
			}
		})
	}
	for g.Waiting() < n-1 {
		runtime.Gosched()
	}
	close(first)
	wait.Wait()
	if steps.Load() != 4 { // one alone, then 100, 100 and 49
		t.Errorf("%d steps", steps.Load())
	}
}

func TestGatherGivesEachItsOwnError(t *testing.T) {
	t.Parallel()
	odd := errors.New("odd")
	first := make(chan struct{})
	var once sync.Once
	g := store.NewGather(100, func(_ context.Context, items []int) ([]int, error) {
		once.Do(func() { <-first })
		for _, x := range items {
			if x%2 == 1 {
				return nil, odd
			}
		}
		return items, nil
	})
	var wait sync.WaitGroup
	for i := range 9 {
		wait.Go(func() {
			got, err := g.Do(t.Context(), i)
			if i%2 == 1 && !errors.Is(err, odd) || i%2 == 0 && (err != nil || got != i) {
				t.Errorf("%d gives %d, %v", i, got, err)
			}
		})
	}
	for g.Waiting() < 8 {
		runtime.Gosched()
	}
	close(first)
	wait.Wait()
}

// Those who gave up are not done, and hold up nobody, also when they were to lead.
func TestGatherLetsPeopleLeave(t *testing.T) {
	t.Parallel()
	var done sync.Map
	gate := make(chan struct{})
	g := store.NewGather(1, func(_ context.Context, items []int) ([]int, error) {
		<-gate
		done.Store(items[0], true)
		return items, nil
	})
	ctx, cancel := context.WithCancel(t.Context())
	var stay, left sync.WaitGroup
	stay.Go(func() {
		if _, err := g.Do(t.Context(), 0); err != nil {
			t.Error(err)
		}
	})
	for g.Waiting() != 0 || !g.Busy() {
		runtime.Gosched()
	}
	for i := 1; i < 20; i++ {
		left.Go(func() {
			if _, err := g.Do(ctx, i); !errors.Is(err, context.Canceled) {
				t.Errorf("%d: %v", i, err)
			}
		})
	}
	for g.Waiting() < 19 {
		runtime.Gosched()
	}
	stay.Go(func() {
		if _, err := g.Do(t.Context(), 20); err != nil {
			t.Error(err)
		}
	})
	for g.Waiting() < 20 {
		runtime.Gosched()
	}
	cancel()
	left.Wait()
	close(gate)
	stay.Wait()
	for i := range 21 {
		if _, ok := done.Load(i); ok != (i == 0 || i == 20) {
			t.Errorf("%d done: %v", i, ok)
		}
	}
}

// With steps apart a crowd goes in few steps, of which nobody waits for more than one, and
// one who asks alone again and again waits for none.
func TestGatherApart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const apart = 5 * time.Millisecond
		var steps int
		g := store.NewGather(100, func(_ context.Context, items []int) ([]int, error) {
			steps++
			time.Sleep(100 * time.Microsecond)
			return items, nil
		}).Apart(apart)
		begin := time.Now()
		for i := range 50 {
			if _, err := g.Do(t.Context(), i); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(begin); steps != 50 || took != 50*100*time.Microsecond {
			t.Errorf("one alone: %d steps in %s", steps, took)
		}
		steps, begin = 0, time.Now()
		var wait sync.WaitGroup
		for i := range 1000 { // in 50 ms
			wait.Go(func() {
				time.Sleep(time.Duration(i) * 50 * time.Microsecond)
				asked := time.Now()
				if _, err := g.Do(t.Context(), i); err != nil {
					t.Error(err)
				}
				if took := time.Since(asked); took > apart+200*time.Microsecond {
					t.Errorf("%d took %s", i, took)
				}
			})
		}
		wait.Wait()
		if steps > 15 {
			t.Errorf("%d steps for a crowd in %s", steps, time.Since(begin))
		}
	})
}
