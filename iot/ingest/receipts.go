package ingest

import (
	"context"
	"errors"
	"net"
	"sync"
)

// ErrRefused is the verdict that MQTT 5 answers with 0x87, not authorized.
var ErrRefused = errors.New("not authorized")

// The PUBACK packets.
const (
	puback        = 0x40
	notAuthorized = 0x87
)

// Receipts is the Source of a connection: it writes the PUBACKs of a commit together,
// and never waits for a peer that does not read them. After a failure it closes the
// connection, so that the peer sends again what was not acknowledged.
type Receipts struct {
	conn   net.Conn
	window int
	unread int // bytes that may wait for a peer to read
	room   chan struct{}

	mu      sync.Mutex
	acks    []byte // to be written
	spare   []byte
	unacked int
	waiting bool // Acquire waits for room
	touched bool // Flush will follow
	failed  bool
	hungUp  bool
	closed  bool
	writing bool
	writer  sync.WaitGroup
}

// NewReceipts returns the receipts of a connection of which at most window messages
// may wait for theirs.
func NewReceipts(conn net.Conn, window int) *Receipts {
	return &Receipts{conn: conn, window: window, unread: 16 * window, room: make(chan struct{}, 1)}
}

// Acquire waits until one more message may wait. It returns only the error of ctx.
func (r *Receipts) Acquire(ctx context.Context) error {
	r.mu.Lock()
	for r.unacked >= r.window {
		r.waiting = true
		r.mu.Unlock()
		select {
		case <-r.room:
		case <-ctx.Done():
			return ctx.Err()
		}
		r.mu.Lock()
	}
	r.unacked++
	r.mu.Unlock()
	return nil
}

// Done implements Source.
func (r *Receipts) Done(id uint16, err error) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.unacked--
	if r.waiting {
		r.waiting = false
		select {
		case r.room <- struct{}{}:
		default:
		}
	}
	switch {
	case r.failed: // after one that must come again, all that follow come again, in order
	case len(r.acks) >= r.unread: // the peer goes on sending and reads nothing
		r.failed = true
	case err == nil:
		r.acks = append(r.acks, puback, 2, byte(id>>8), byte(id))
	case errors.Is(err, ErrRefused):
		r.acks = append(r.acks, puback, 3, byte(id>>8), byte(id), notAuthorized)
	default:
		r.failed = true
	}
	first := !r.touched
	r.touched = true
	return first
}

// Flush implements Source.
func (r *Receipts) Flush() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.touched = false
	if r.failed && !r.hungUp {
		r.hungUp = true
		r.writer.Go(func() { _ = r.conn.Close() }) // TLS says goodbye, which may wait for the peer
	}
	if r.writing || r.closed || r.failed || len(r.acks) == 0 {
		return
	}
	r.writing = true
	r.writer.Go(r.write)
}

// write writes what there is until there is no more.
func (r *Receipts) write() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.acks) > 0 && !r.failed && !r.closed {
		out := r.acks
		r.acks, r.spare = r.spare[:0], nil
		r.mu.Unlock()
		_, err := r.conn.Write(out)
		r.mu.Lock()
		r.spare = out[:0]
		if err != nil {
			r.failed = true
			_ = r.conn.Close()
		}
	}
	r.writing = false
}

// Close ends the writing, after the connection was closed.
func (r *Receipts) Close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.writer.Wait()
}
