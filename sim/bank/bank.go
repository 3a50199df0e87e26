// Package bank is a sandbox bank: it moves no money, but answers like a rail that can be
// slow, refuse, or lose an answer. It is for the demo and for tests.
package bank

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/furrowcredit/furrow/credit/pay"
)

// Bank is a rail that remembers its orders, in a journal where one is given.
type Bank struct {
	// Answer decides what becomes of an order, and whether the payer gets to know: with
	// lost the order is carried out and the answer lost. nil settles all. Set it before
	// the first order.
	Answer func(o pay.Order) (r pay.Receipt, lost bool)

	mu      sync.Mutex
	done    map[string]pay.Receipt
	journal *os.File
	now     func() time.Time
}

var _ pay.Rail = (*Bank)(nil)

// Magic is an Answer that can be asked for trouble, as the sandboxes of real banks
// can: an amount that ends in 13 fen is refused, one that ends in 14 is paid and the
// answer lost.
func Magic(o pay.Order) (r pay.Receipt, lost bool) {
	switch o.Amount % 100 {
	case 13:
		return pay.Receipt{Outcome: pay.Failed, Reason: "the payee's account is closed"}, false
	case 14:
		return pay.Receipt{Outcome: pay.Settled}, true
	}
	return pay.Receipt{Outcome: pay.Settled}, false
}

// errLost is what a payer sees when the answer is lost.
var errLost = errors.New("bank: connection lost")

// New returns a bank that forgets with the process.
func New(now func() time.Time) *Bank {
	return &Bank{done: map[string]pay.Receipt{}, now: now}
}

// Open returns a bank that keeps its orders in the file path, one JSON a line.
func Open(path string, now func() time.Time) (*Bank, error) {
	b := New(now)
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("bank: %w", err)
	}
	for line := range bytes.Lines(old) {
		var r pay.Receipt
		// A torn last line is an order that was never confirmed to anybody.
		if json.Unmarshal(line, &r) == nil && r.OrderID != "" {
			b.done[r.OrderID] = r
		}
	}
	if b.journal, err = os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600); err != nil {
		return nil, fmt.Errorf("bank: %w", err)
	}
	if len(old) > 0 && old[len(old)-1] != '\n' {
		if _, err := b.journal.Write([]byte{'\n'}); err != nil {
			return nil, errors.Join(fmt.Errorf("bank: %w", err), b.Close())
		}
	}
	return b, nil
}

// Close closes the journal.
func (b *Bank) Close() error {
	if b.journal == nil {
		return nil
	}
	return b.journal.Close()
}

// Send implements pay.Rail.
func (b *Bank) Send(ctx context.Context, o pay.Order) (pay.Receipt, error) {
	if err := ctx.Err(); err != nil {
		return pay.Receipt{}, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if r, known := b.done[o.ID]; known {
		return r, nil
	}
	r, lost := pay.Receipt{Outcome: pay.Settled}, false
	if b.Answer != nil {
		r, lost = b.Answer(o)
	}
	r.OrderID, r.At = o.ID, b.now().UTC()
	if r.Outcome == pay.Settled && r.Ref == "" {
		r.Ref = "SB" + strings.ToUpper(strings.ReplaceAll(o.ID, "-", ""))
	}
	if b.journal != nil {
		line, err := json.Marshal(r)
		if err != nil {
			return pay.Receipt{}, err
		}
		if _, err := b.journal.Write(append(line, '\n')); err != nil {
			return pay.Receipt{}, fmt.Errorf("bank: %w", err)
		}
		if err := b.journal.Sync(); err != nil {
			return pay.Receipt{}, fmt.Errorf("bank: %w", err)
		}
	}
	b.done[o.ID] = r
	if lost {
		return pay.Receipt{}, errLost
	}
	return r, nil
}

// Query implements pay.Rail.
func (b *Bank) Query(ctx context.Context, orderID string) (pay.Receipt, error) {
	if err := ctx.Err(); err != nil {
		return pay.Receipt{}, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	r, known := b.done[orderID]
	if !known {
		return pay.Receipt{}, pay.ErrUnseen
	}
	return r, nil
}
