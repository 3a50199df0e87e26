package store

import (
	"context"
	"slices"
	"sync"
)

// turns are the lines in which transactions wait that all change the same row.
type turns struct {
	mu    sync.Mutex
	lines map[string]chan struct{}
}

// take waits for the turn in a line and returns what ends it.
func (t *turns) take(ctx context.Context, line string) (done func(), err error) {
	t.mu.Lock()
	if t.lines == nil {
		t.lines = map[string]chan struct{}{}
	}
	l := t.lines[line]
	if l == nil {
		l = make(chan struct{}, 1)
		t.lines[line] = l
	}
	t.mu.Unlock()
	select {
	case l <- struct{}{}:
		return func() { <-l }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// TxInTurn is [DB.Tx] for a transaction that changes a row, such as the head of a chain,
// that every other of its lines changes too. Side by side all of them but one would do
// their work in vain on PostgreSQL, again and again; so those of one process go one after
// another, in the order in which they came, and hold no connection while they wait. Rivals
// in other processes are found out by the database. The lines are few: they are kept.
func (db *DB) TxInTurn(ctx context.Context, lines []string, f func(tx *Tx) error) error {
	// In one order, so that two transactions cannot wait for each other.
	for _, line := range slices.Compact(slices.Sorted(slices.Values(lines))) {
		done, err := db.turns.take(ctx, line)
		if err != nil {
			return err
		}
		defer done()
	}
	return db.Tx(ctx, f)
}
