// Package bank is a sandbox bank: it moves no money, but answers like a rail that can be
// slow, refuse, lose an answer or give two. It is for the demo and for tests.
package bank

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/furrowcredit/furrow/credit/pay"
	"github.com/furrowcredit/furrow/money"
)

// Bank is a rail that remembers its orders, in a journal where one is given.
type Bank struct {
	// Answer decides what becomes of an order, and whether the payer gets to know: with
	// lost the order is carried out and the answer lost. nil settles all. Set it, or
	// Conduct, before the first order.
	Answer func(o pay.Order) (r pay.Receipt, lost bool)
	// Conduct decides how an order is treated, in place of Answer.
	Conduct func(o pay.Order) Conduct

	mu      sync.Mutex
	done    map[string]*movement
	arrived map[string]int // sends of orders that were dropped
	journal *os.File
	now     func() time.Time
}

// movement is an order that was carried out or refused, one line of the journal.
type movement struct {
	pay.Receipt
	Order *pay.Order `json:"order,omitempty"`
	told  int        // answers given
}

var _ pay.Rail = (*Bank)(nil)

// Magic is an Answer that can be asked for trouble, as the sandboxes of real banks
// can: an amount that ends in 13 fen is refused, one that ends in 14 is paid and the
// answer lost. See [Trouble] for more.
func Magic(o pay.Order) (r pay.Receipt, lost bool) {
	switch o.Amount % 100 {
	case 13:
		return pay.Receipt{Outcome: pay.Failed, Reason: closed}, false
	case 14:
		return pay.Receipt{Outcome: pay.Settled}, true
	}
	return pay.Receipt{Outcome: pay.Settled}, false
}

// errLost is what a payer sees when the answer is lost.
var errLost = errors.New("bank: connection lost")

// errReused is returned for an order that comes again with other content.
var errReused = errors.New("bank: an order of this number has other content")

// New returns a bank that forgets with the process.
func New(now func() time.Time) *Bank {
	return &Bank{done: map[string]*movement{}, arrived: map[string]int{}, now: now}
}

// Open returns a bank that keeps its orders in the file path, one JSON a line.
func Open(path string, now func() time.Time) (*Bank, error) {
	b := New(now)
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("bank: %w", err)
	}
	for line := range bytes.Lines(old) {
		var m movement
		// A torn last line is an order that was never confirmed to anybody.
		if json.Unmarshal(line, &m) == nil && m.OrderID != "" {
			b.done[m.OrderID] = &m
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

// conduct is how an order is treated, and what becomes of it.
func (b *Bank) conduct(o pay.Order) (Conduct, pay.Receipt) {
	r := pay.Receipt{Outcome: pay.Settled}
	var c Conduct
	switch {
	case b.Conduct != nil:
		if c = b.Conduct(o); c.Refuse != "" {
			r = pay.Receipt{Outcome: pay.Failed, Reason: c.Refuse}
		}
	case b.Answer != nil:
		r, c.Lost = b.Answer(o)
	}
	return c, r
}

// Send implements pay.Rail.
func (b *Bank) Send(ctx context.Context, o pay.Order) (pay.Receipt, error) {
	if err := ctx.Err(); err != nil {
		return pay.Receipt{}, err
	}
	r, c, fresh, err := b.take(o)
	if err != nil {
		return pay.Receipt{}, err
	}
	if fresh && c.Delay > 0 {
		t := time.NewTimer(c.Delay)
		defer t.Stop()
		select {
		case <-ctx.Done():
			return pay.Receipt{}, ctx.Err()
		case <-t.C:
		}
	}
	if fresh && c.Lost {
		return pay.Receipt{}, errLost
	}
	return r, nil
}

// take carries an order out, once. fresh says that it is the send that did it.
func (b *Bank) take(o pay.Order) (r pay.Receipt, c Conduct, fresh bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c, r = b.conduct(o)
	if m, known := b.done[o.ID]; known {
		if m.Order != nil && *m.Order != o {
			return r, c, false, errReused
		}
		return b.tell(m, c), c, false, nil
	}
	if b.arrived[o.ID]++; b.arrived[o.ID] <= c.Drop {
		return r, c, false, errLost
	}
	r.OrderID, r.At = o.ID, b.now().UTC()
	if r.Outcome == pay.Settled && r.Ref == "" {
		r.Ref = "SB" + strings.ToUpper(strings.ReplaceAll(o.ID, "-", ""))
	}
	m := &movement{Receipt: r, Order: &o}
	if err := b.write(m); err != nil {
		return pay.Receipt{}, c, false, err
	}
	b.done[o.ID] = m
	return b.tell(m, c), c, true, nil
}

func (b *Bank) write(m *movement) error {
	if b.journal == nil {
		return nil
	}
	line, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if _, err := b.journal.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("bank: %w", err)
	}
	if err := b.journal.Sync(); err != nil {
		return fmt.Errorf("bank: %w", err)
	}
	return nil
}

// tell is one more answer about an order.
func (b *Bank) tell(m *movement, c Conduct) pay.Receipt {
	m.told++
	if m.told <= c.Hold {
		return pay.Receipt{OrderID: m.OrderID, Outcome: pay.Unknown}
	}
	return m.Receipt
}

// Query implements pay.Rail.
func (b *Bank) Query(ctx context.Context, orderID string) (pay.Receipt, error) {
	if err := ctx.Err(); err != nil {
		return pay.Receipt{}, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	m, known := b.done[orderID]
	if !known {
		return pay.Receipt{}, pay.ErrUnseen
	}
	var c Conduct
	if m.Order != nil {
		c, _ = b.conduct(*m.Order)
	}
	return b.tell(m, c), nil
}

// Tellings are what the bank tells by itself of an order: nothing, its outcome, or its
// outcome and something else behind it.
func (b *Bank) Tellings(orderID string) []pay.Receipt {
	b.mu.Lock()
	defer b.mu.Unlock()
	m, known := b.done[orderID]
	if !known {
		return nil
	}
	var c Conduct
	if m.Order != nil {
		c, _ = b.conduct(*m.Order)
	}
	if !c.Twice {
		return []pay.Receipt{m.Receipt}
	}
	second := m.Receipt
	if c.Contradict {
		second.Outcome, second.Reason = pay.Failed, "returned by the payee's bank"
		if m.Outcome == pay.Failed {
			second.Outcome, second.Reason = pay.Settled, ""
		}
	}
	return []pay.Receipt{m.Receipt, second}
}

// Moved is the money that went out and came in, each order counted once.
func (b *Bank) Moved() (out, in money.Fen) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.done {
		switch {
		case m.Outcome != pay.Settled || m.Order == nil:
		case m.Order.Direction == pay.In:
			in += m.Order.Amount
		default:
			out += m.Order.Amount
		}
	}
	return out, in
}

// Statement is the file of a day: what moved, in the order of time, for
// [pay.ParseStatement].
func (b *Bank) Statement(_ context.Context, day money.Date) ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var moved []*movement
	for _, m := range b.done {
		if m.Outcome == pay.Settled && m.Order != nil && money.DateOf(m.At) == day {
			moved = append(moved, m)
		}
	}
	slices.SortFunc(moved, func(x, y *movement) int { return cmp.Or(x.At.Compare(y.At), cmp.Compare(x.OrderID, y.OrderID)) })
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	err := w.Write(pay.Header())
	for _, m := range moved {
		err = errors.Join(err, w.Write(pay.Line{
			Date: day, Direction: m.Order.Direction, Amount: m.Order.Amount, OrderID: m.OrderID, Ref: m.Ref, Party: m.Order.PartyName, Memo: m.Order.Purpose,
		}.Cells()))
	}
	w.Flush()
	return out.Bytes(), errors.Join(err, w.Error())
}
