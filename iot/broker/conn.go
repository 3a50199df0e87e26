package broker

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"math"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/furrowcredit/furrow/iot/ingest"
)

// window is how many messages of one connection may wait for their
// acknowledgement; then it is not read until some are done.
const window = 4096

// What a connection may cost: an idle one keeps a buffer, and nobody knows yet who is
// signing in.
const (
	bufferSize   = 4 << 10
	maxSignIn    = 16 << 10 // bytes of a CONNECT with its last will
	signInWithin = 15 * time.Second
)

var errSignIn = errors.New("a sign-in of such a size is no device's")

// listener remembers its open connections, to close them all at the end.
type listener struct {
	net.Listener
	ctx   context.Context //nolint:containedctx // of Run; net.Listener's methods take none
	mu    sync.Mutex
	open  map[*conn]struct{}
	ended bool
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return nil, errors.Join(net.ErrClosed, nc.Close())
	}
	c := &conn{Conn: nc, from: l, receipts: ingest.NewReceipts(nc, window)}
	c.done, c.end = context.WithCancel(l.ctx)
	_ = nc.SetDeadline(time.Now().Add(signInWithin)) // mochi sets it anew after the sign-in
	l.open[c] = struct{}{}
	return c, nil
}

func (l *listener) closeAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	_ = l.Close() // mochi closes it again; neither needs the answer
	for c := range l.open {
		_ = c.Conn.Close()
	}
}

// conn is a device's connection. Messages of QoS 0 and 1 of a signed-in device go
// from its buffer straight to the pipeline, many before the first is acknowledged;
// mochi reads the rest, and may write at the same time: each Write is a whole packet.
type conn struct {
	net.Conn
	from    *listener
	session atomic.Pointer[session]
	// receipts acknowledge what the pipeline has saved.
	receipts *ingest.Receipts

	// Of the reading goroutine.
	in        []byte // read and not yet used: in[r:w]
	r, w      int
	pass      int // bytes that follow and are mochi's
	keepalive time.Duration
	until     time.Time

	// done ends with the connection, and with it the wait for a store: whoever comes
	// again and again while it is down must not leave a waiter behind each time.
	done context.Context //nolint:containedctx // net.Conn's methods take none
	end  context.CancelFunc
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.from.mu.Lock()
	delete(c.from.open, c)
	c.from.mu.Unlock()
	err := c.Conn.Close()
	c.end()
	c.receipts.Close()
	return err
}

// certificate returns the name in the client certificate that TLS has verified.
func (c *conn) certificate() (string, bool) {
	t, ok := c.Conn.(*tls.Conn)
	if !ok {
		return "", false
	}
	state := t.ConnectionState()
	if len(state.VerifiedChains) == 0 {
		return "", false
	}
	return state.PeerCertificates[0].Subject.CommonName, true
}

// SetDeadline implements net.Conn. mochi calls it before each packet, with a zero
// time when the device asked for no keep-alive.
func (c *conn) SetDeadline(t time.Time) error {
	c.keepalive = 0
	if !t.IsZero() {
		c.keepalive = time.Until(t)
	}
	return c.extend(t)
}

// extend sets the deadline unless it is nearly the same already.
func (c *conn) extend(t time.Time) error {
	if d := t.Sub(c.until); d >= 0 && d < 100*time.Millisecond && !t.IsZero() {
		return nil
	}
	c.until = t
	return c.Conn.SetDeadline(t)
}

// Read implements net.Conn for mochi: it gives what mochi shall handle, and takes
// the messages that pass meanwhile.
func (c *conn) Read(p []byte) (int, error) {
	for {
		if c.pass > 0 && c.w > c.r {
			n := copy(p, c.in[c.r:c.r+min(c.w-c.r, c.pass)])
			c.r, c.pass = c.r+n, c.pass-n
			return n, nil
		}
		need := 1
		if c.pass == 0 {
			var err error
			if need, err = c.next(); err != nil {
				return 0, err
			}
			if need == 0 {
				continue
			}
		}
		if err := c.fill(need); err != nil {
			return 0, err
		}
	}
}

// next deals with the packet at the start of the buffer. It returns how many bytes
// the buffer must hold for that, or 0 when it is done.
func (c *conn) next() (int, error) {
	b := c.in[c.r:c.w]
	if len(b) < 2 {
		return 2, nil
	}
	remaining, n := length(b[1:])
	switch {
	case n == 0 && len(b) < 5:
		return len(b) + 1, nil
	case n == 0:
		c.pass = math.MaxInt // malformed: mochi ends the connection
		return 0, nil
	}
	total := 1 + n + remaining
	s := c.session.Load()
	if s == nil && total > maxSignIn {
		return 0, errSignIn
	}
	if s == nil || b[0]>>4 != packets.Publish || total > maxPacket {
		c.pass = total
		return 0, nil
	}
	if len(b) < total {
		return total, nil
	}
	m, ok := parsePublish(b[0], b[1+n:total], s.v5)
	if !ok {
		c.pass = total
		return 0, nil
	}
	topic := s.last.Topic
	if string(m.topic) != topic { // no copy while it stays the same
		topic = string(m.topic)
	}
	if err := c.publish(s, topic, m.payload, m.qos, m.id); err != nil {
		return 0, err
	}
	c.r += total
	return 0, nil
}

// length reads MQTT's variable byte integer; 0 bytes when it does not end.
func length(b []byte) (value, bytes int) {
	for i := 0; i < len(b) && i < 4; i++ {
		value |= int(b[i]&0x7f) << (7 * i)
		if b[i]&0x80 == 0 {
			return value, i + 1
		}
	}
	return 0, 0
}

// publication is a PUBLISH of QoS 0 or 1.
type publication struct {
	topic, payload []byte
	qos            byte
	id             uint16
}

// parsePublish reads a PUBLISH after its length; false for what mochi shall judge:
// QoS 2, topic aliases, malformed packets.
func parsePublish(first byte, b []byte, v5 bool) (publication, bool) {
	m := publication{qos: first >> 1 & 3}
	if m.qos > 1 || len(b) < 2 {
		return m, false
	}
	n := 2 + int(binary.BigEndian.Uint16(b))
	if n == 2 || len(b) < n {
		return m, false
	}
	m.topic, b = b[2:n], b[n:]
	if m.qos == 1 {
		if len(b) < 2 {
			return m, false
		}
		m.id, b = binary.BigEndian.Uint16(b), b[2:]
		if m.id == 0 {
			return m, false
		}
	}
	if v5 {
		size, n := length(b)
		if n == 0 || size > 0 && size > len(b)-n {
			return m, false
		}
		if size > 0 && hasAlias(b[n:n+size]) {
			return m, false
		}
		b = b[n+size:]
	}
	m.payload = b
	return m, true
}

// hasAlias tells whether the properties hold a topic alias, or cannot be read.
func hasAlias(b []byte) bool {
	text := func(at int) int { // bytes of a two-byte length and its text
		if at+2 > len(b) {
			return len(b) + 1
		}
		return 2 + int(binary.BigEndian.Uint16(b[at:]))
	}
	for at := 0; at < len(b); {
		switch b[at] {
		case 0x01: // payload format
			at += 2
		case 0x02: // message expiry
			at += 5
		case 0x03, 0x08, 0x09: // content type, response topic, correlation data
			at += 1 + text(at+1)
		case 0x26: // user property
			key := text(at + 1)
			at += 1 + key + text(at+1+key)
		default:
			return true
		}
		if at > len(b) {
			return true
		}
	}
	return false
}

// fill reads until the buffer holds need bytes.
func (c *conn) fill(need int) error {
	switch {
	case c.r == c.w:
		c.r, c.w = 0, 0
		if len(c.in) > bufferSize && need <= bufferSize || c.in == nil {
			c.in = make([]byte, bufferSize)
		}
	case c.r+need > len(c.in):
		c.w = copy(c.in, c.in[c.r:c.w])
		c.r = 0
	}
	if need > len(c.in) {
		grown := make([]byte, max(need, 2*bufferSize))
		c.w = copy(grown, c.in[c.r:c.w])
		c.r, c.in = 0, grown
	}
	for c.w-c.r < need {
		if c.keepalive > 0 {
			if err := c.extend(time.Now().Add(c.keepalive)); err != nil {
				return err
			}
		}
		n, err := c.Conn.Read(c.in[c.w:])
		c.w += n
		if err != nil && c.w-c.r < need {
			return err
		}
	}
	return nil
}

// publish takes a message of QoS 0 or 1. An error ends the connection without an
// acknowledgement, so that the device sends the message again.
func (c *conn) publish(s *session, topic string, payload []byte, qos byte, id uint16) error {
	h := s.hook
	m, err := s.message(topic, payload)
	var verdict error
	switch {
	case errors.Is(err, errRevoked):
		h.cfg.Log.Warn("a device that may publish no more was disconnected", "tenant", s.device.Tenant, "device", s.device.ID)
		return err
	case err != nil:
		// MQTT 5 says so; before, a refused message is acknowledged like any other.
		if err := h.refuse(c.done, s, m, err); err != nil {
			h.again(c.done, s, err)
			return err
		}
		if verdict = nil; s.v5 {
			verdict = ingest.ErrRefused
		}
	}
	if qos == 0 {
		if err == nil {
			if err = h.cfg.Pipeline.Take(c.done, m, 0, nil); err != nil {
				h.again(c.done, s, err)
			}
			return err
		}
		return nil
	}
	if err := c.receipts.Acquire(c.done); err != nil {
		return err
	}
	if err != nil {
		err = h.cfg.Pipeline.Pass(c.done, id, c.receipts, verdict)
	} else {
		err = h.cfg.Pipeline.Take(c.done, m, id, c.receipts)
	}
	if err != nil {
		h.again(c.done, s, err)
	}
	return err
}
