package store

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"time"
)

// Gather has what many goroutines ask for done in few steps: while one step is under
// way, those who come wait and go together in the next one. It is a group commit when
// the step is a transaction. Nobody waits longer than the step under way, or than
// [Gather.Apart] says, and nobody alone waits at all.
type Gather[T, R any] struct {
	most  int
	do    func(ctx context.Context, items []T) ([]R, error)
	apart time.Duration

	mu      sync.Mutex
	busy    bool
	waiting []*asked[T, R]
	began   time.Time // of the last step
	last    int       // how many it did
}

type asked[T, R any] struct {
	item   T
	result R
	err    error
	leads  bool      // it was told to run the next step
	turn   chan bool // true: run the next step; false: done
}

// NewGather returns a Gather whose steps do takes, of at most so many items, and gives a
// result for each in their order. A step of several items that fails is done again item
// by item, so that each gets its own error: do must leave nothing behind when it fails.
func NewGather[T, R any](most int, do func(ctx context.Context, items []T) ([]R, error)) *Gather[T, R] {
	return &Gather[T, R]{most: most, do: do}
}

// Apart has the steps begin no closer together than d while several ask at once. What a
// step costs whatever it carries is paid less often, and each waits up to d for it. It is
// called before the first Do, and gives g.
func (g *Gather[T, R]) Apart(d time.Duration) *Gather[T, R] {
	g.apart = d
	return g
}

// Do has item done with others. When ctx ends before its step begins, the item is not
// done at all; a step that has begun is waited for.
func (g *Gather[T, R]) Do(ctx context.Context, item T) (R, error) {
	a := &asked[T, R]{item: item, turn: make(chan bool, 1)}
	g.mu.Lock()
	g.waiting = append(g.waiting, a)
	lead := !g.busy
	if lead {
		g.busy, a.leads = true, true
	}
	g.mu.Unlock()
	if !lead {
		select {
		case lead = <-a.turn:
		case <-ctx.Done():
			if g.leave(a) {
				return a.result, ctx.Err()
			}
			lead = <-a.turn
		}
	}
	if lead {
		g.step(ctx)
	}
	return a.result, a.err
}

// leave takes a back while its step has not begun.
func (g *Gather[T, R]) leave(a *asked[T, R]) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(g.waiting, a)
	if i < 0 {
		return false
	}
	g.waiting = slices.Delete(g.waiting, i, i+1)
	if a.leads {
		g.next()
	}
	return true
}

// next has the first of those who wait run a step. g.mu is held.
func (g *Gather[T, R]) next() {
	if g.busy = len(g.waiting) > 0; g.busy {
		g.waiting[0].leads = true
		g.waiting[0].turn <- true
	}
}

// early is how long a step that could begin now is to wait for more.
func (g *Gather[T, R]) early() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	if max(g.last, len(g.waiting)) == 1 || len(g.waiting) >= g.most {
		return 0
	}
	return g.apart - time.Since(g.began)
}

// step does what waits, the caller's own item among it.
func (g *Gather[T, R]) step(ctx context.Context) {
	if g.apart > 0 {
		runtime.Gosched() // those who are about to ask come along; without any it takes no time
		if d := g.early(); d > 0 {
			<-time.After(d)
		}
	}
	g.mu.Lock()
	n := min(len(g.waiting), g.most)
	g.began, g.last = time.Now(), n
	step := g.waiting[:n:n]
	g.waiting = slices.Clone(g.waiting[n:])
	g.mu.Unlock()
	defer func() {
		g.mu.Lock()
		g.next()
		g.mu.Unlock()
		for _, a := range step {
			if !a.leads {
				a.turn <- false
			}
		}
	}()
	// The others' work does not end with this caller's request.
	ctx = context.WithoutCancel(ctx)
	items := make([]T, n)
	for i, a := range step {
		items[i] = a.item
	}
	results, err := g.do(ctx, items)
	for i, a := range step {
		switch {
		case err == nil:
			a.result = results[i]
		case n == 1:
			a.err = err
		default:
			alone, err := g.do(ctx, items[i:i+1])
			if a.err = err; err == nil {
				a.result = alone[0]
			}
		}
	}
}
