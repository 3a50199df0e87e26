package ingest

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"sync"
	"time"
)

// MQTT 3.1.1 packet types, as far as a reader needs them.
const (
	typeConnect    = 1
	typeConnack    = 2
	typePublish    = 3
	typeSubscribe  = 8
	typeSuback     = 9
	typePingreq    = 12
	typeDisconnect = 14
)

const (
	dialLimit  = 10 * time.Second
	keepAlive  = 30 * time.Second
	readBuffer = 64 << 10
	linkWindow = 50_000 // messages that may wait for their acknowledgement
)

// link is a connection to an external broker. One goroutine reads it; packets are
// written whole, by any.
type link struct {
	net.Conn
	in       *bufio.Reader
	receipts *Receipts
	beats    sync.WaitGroup
}

// dial connects and signs in with a session that the broker keeps. ErrBroker when
// it refuses the credentials.
func dial(ctx context.Context, cfg SubscribeConfig) (*link, error) {
	refused := ErrBroker.With("url", cfg.URL)
	u, err := url.Parse(cfg.URL)
	if err != nil {
		return nil, refused.Because(err)
	}
	secure, port := false, "1883"
	switch u.Scheme {
	case "tcp", "mqtt":
	case "ssl", "tls", "mqtts":
		secure, port = true, "8883"
	default:
		return nil, refused.Because(fmt.Errorf("the scheme %q is not tcp or ssl", u.Scheme))
	}
	addr := u.Host
	if u.Port() == "" {
		addr = net.JoinHostPort(u.Hostname(), port)
	}
	ctx, cancel := context.WithTimeout(ctx, dialLimit)
	defer cancel()
	var conn net.Conn
	if secure {
		conn, err = (&tls.Dialer{Config: cfg.TLS}).DialContext(ctx, "tcp", addr)
	} else {
		conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	}
	if err != nil {
		var unknown *tls.CertificateVerificationError
		if errors.As(err, &unknown) {
			return nil, refused.Because(err)
		}
		return nil, err
	}
	l := &link{Conn: conn, receipts: NewReceipts(conn, linkWindow)}
	l.in = bufio.NewReaderSize(reader{conn}, readBuffer)
	defer context.AfterFunc(ctx, l.hangUp)() // while signing in
	if err := l.signIn(cfg); err != nil {
		l.end()
		return nil, err
	}
	return l, nil
}

// reader gives a silent connection up; a broker answers to every beat.
type reader struct{ net.Conn }

// Read implements io.Reader.
func (r reader) Read(p []byte) (int, error) {
	if err := r.SetReadDeadline(time.Now().Add(5 * keepAlive / 2)); err != nil {
		return 0, err
	}
	return r.Conn.Read(p)
}

func (l *link) signIn(cfg SubscribeConfig) error {
	const user, password = 0x80, 0x40 // no clean session
	body := append(text(nil, "MQTT"), 4, 0)
	body = binary.BigEndian.AppendUint16(body, uint16(keepAlive/time.Second))
	body = text(body, cfg.ClientID)
	const flags = 7
	if cfg.Username != "" || cfg.Password != "" { // a password never comes alone
		body[flags] |= user
		body = text(body, cfg.Username)
	}
	if cfg.Password != "" {
		body[flags] |= password
		body = text(body, cfg.Password)
	}
	if err := l.send(typeConnect<<4, body); err != nil {
		return err
	}
	pk, err := l.read()
	if err != nil {
		return err
	}
	if pk.first>>4 != typeConnack || len(pk.body) != 2 {
		return errProtocol
	}
	switch code := pk.body[1]; code {
	case 0:
		return nil
	case 2, 4, 5: // identifier rejected, bad user name or password, not authorized
		return ErrBroker.With("url", cfg.URL).Because(fmt.Errorf("return code %d", code))
	default:
		return fmt.Errorf("the broker answers with return code %d", code)
	}
}

func (l *link) subscribe(filters []string) error {
	body := []byte{0, 1}
	for _, f := range filters {
		body = append(text(body, f), 1)
	}
	return l.send(typeSubscribe<<4|2, body)
}

// beat tells the broker now and then that the reader lives, also while it waits.
func (l *link) beat(ctx context.Context) {
	l.beats.Go(func() {
		tick := time.NewTicker(keepAlive)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if err := l.send(typePingreq<<4, nil); err != nil {
					l.hangUp()
					return
				}
			}
		}
	})
}

// send writes one packet.
func (l *link) send(first byte, body []byte) error {
	b := []byte{first}
	for n := len(body); ; n >>= 7 {
		if n < 0x80 {
			b = append(b, byte(n))
			break
		}
		b = append(b, byte(n)|0x80)
	}
	_, err := l.Write(append(b, body...))
	return err
}

func text(dst []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(dst, uint16(len(s))), s...) //nolint:gosec // names and topics are short
}

// hangUp says goodbye and closes the connection; whoever reads or writes it ends.
func (l *link) hangUp() {
	_ = l.SetWriteDeadline(time.Now().Add(time.Second))
	_ = l.send(typeDisconnect<<4, nil)
	_ = l.Close()
}

// end closes the connection and waits for those who write to it.
func (l *link) end() {
	_ = l.Close()
	l.receipts.Close()
	l.beats.Wait()
}

// packet is one MQTT packet; its body is valid until the next read.
type packet struct {
	first byte
	body  []byte
}

var errProtocol = errors.New("the broker does not speak MQTT 3.1.1")

func (l *link) read() (packet, error) {
	first, err := l.in.ReadByte()
	if err != nil {
		return packet{}, err
	}
	n, shift := 0, 0
	for {
		b, err := l.in.ReadByte()
		if err != nil {
			return packet{}, err
		}
		n |= int(b&0x7f) << shift
		if b&0x80 == 0 {
			break
		}
		if shift += 7; shift > 21 {
			return packet{}, errProtocol
		}
	}
	if n <= readBuffer { // without a copy
		b, err := l.in.Peek(n)
		if err != nil {
			return packet{}, err
		}
		_, err = l.in.Discard(n)
		return packet{first, b}, err
	}
	body := make([]byte, n)
	_, err = io.ReadFull(l.in, body)
	return packet{first, body}, err
}

// publish takes a PUBLISH apart; the id is 0 with QoS 0.
func (pk packet) publish() (topic []byte, id uint16, payload []byte, err error) {
	b := pk.body
	if len(b) < 2 {
		return nil, 0, nil, errProtocol
	}
	n := 2 + int(binary.BigEndian.Uint16(b))
	if len(b) < n {
		return nil, 0, nil, errProtocol
	}
	topic, b = b[2:n], b[n:]
	if pk.first>>1&3 > 0 {
		if len(b) < 2 {
			return nil, 0, nil, errProtocol
		}
		id, b = binary.BigEndian.Uint16(b), b[2:]
	}
	return topic, id, b, nil
}

// Line sends messages through the connection of a Subscribe: commands to edge nodes.
// Its zero value is ready for SubscribeConfig.
type Line struct {
	mu   sync.Mutex
	link *link
}

func (l *Line) set(to *link) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.link = to
}

// Publish sends a message with QoS 0, as Sparkplug's commands are. ErrOffline.
func (l *Line) Publish(topic string, payload []byte) error {
	l.mu.Lock()
	to := l.link
	l.mu.Unlock()
	if to == nil {
		return ErrOffline
	}
	if err := to.send(typePublish<<4, append(text(nil, topic), payload...)); err != nil {
		return ErrOffline.Because(err)
	}
	return nil
}
