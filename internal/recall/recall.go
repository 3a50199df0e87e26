// Package recall remembers for a while what a slower place answered.
package recall

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Memory remembers one answer a key. When it has grown old, one caller asks again while
// the others go on with what is known: nobody waits for a question that somebody else asks
// already, until the answer is twice as old as it may be.
type Memory[V any] struct {
	// Ask gives the answer for a key; have is the last one, the zero value without any.
	Ask func(ctx context.Context, key string, have V) (V, error)
	// For is how long an answer is good.
	For time.Duration
	Now func() time.Time

	entries sync.Map // string to *entry[V]
}

type entry[V any] struct {
	asking chan struct{} // holds one: somebody asks
	known  atomic.Pointer[answer[V]]
}

type answer[V any] struct {
	value V
	at    time.Time
}

// age is how old an answer is; one that is not there, or is of the future, is too old.
func (m *Memory[V]) age(a *answer[V]) time.Duration {
	if a == nil {
		return 2 * m.For
	}
	if age := m.Now().Sub(a.at); age >= 0 {
		return age
	}
	return 2 * m.For
}

func (m *Memory[V]) entry(key string) *entry[V] {
	if e, ok := m.entries.Load(key); ok {
		return e.(*entry[V])
	}
	e, _ := m.entries.LoadOrStore(key, &entry[V]{asking: make(chan struct{}, 1)})
	return e.(*entry[V])
}

// Get gives the answer for a key, and the error of Ask, which is not remembered, or of ctx.
func (m *Memory[V]) Get(ctx context.Context, key string) (V, error) {
	var none V
	e := m.entry(key)
	known := e.known.Load()
	age := m.age(known)
	if age < m.For {
		return known.value, nil
	}
	select {
	case e.asking <- struct{}{}:
	default:
		if age < 2*m.For {
			return known.value, nil
		}
		select {
		case e.asking <- struct{}{}:
		case <-ctx.Done():
			return none, ctx.Err()
		}
	}
	defer func() { <-e.asking }()
	if known = e.known.Load(); m.age(known) < m.For {
		return known.value, nil // somebody else asked meanwhile
	}
	have := none
	if known != nil {
		have = known.value
	}
	at := m.Now()
	v, err := m.Ask(ctx, key, have)
	if err != nil {
		return none, err
	}
	e.known.Store(&answer[V]{v, at})
	return v, nil
}

// Forget has the next Get of a key ask. An answer that is on its way is forgotten as well.
func (m *Memory[V]) Forget(key string) {
	e := m.entry(key)
	e.asking <- struct{}{}
	e.known.Store(nil)
	<-e.asking
}
