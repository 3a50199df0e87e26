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
	asking sync.Mutex
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
	e, _ := m.entries.LoadOrStore(key, new(entry[V]))
	return e.(*entry[V])
}

// Get gives the answer for a key, and the error of Ask. An error is not remembered.
func (m *Memory[V]) Get(ctx context.Context, key string) (V, error) {
	e := m.entry(key)
	known := e.known.Load()
	switch age := m.age(known); {
	case age < m.For:
		return known.value, nil
	case age >= 2*m.For:
		e.asking.Lock()
	case !e.asking.TryLock():
		return known.value, nil
	}
	defer e.asking.Unlock()
	if known = e.known.Load(); m.age(known) < m.For {
		return known.value, nil // somebody else asked meanwhile
	}
	var have V
	if known != nil {
		have = known.value
	}
	at := m.Now()
	v, err := m.Ask(ctx, key, have)
	if err != nil {
		var none V
		return none, err
	}
	e.known.Store(&answer[V]{v, at})
	return v, nil
}

// Forget has the next Get of a key ask. An answer that is on its way is forgotten as well.
func (m *Memory[V]) Forget(key string) {
	e := m.entry(key)
	e.asking.Lock()
	defer e.asking.Unlock()
	e.known.Store(nil)
}
