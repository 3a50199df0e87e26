// Package fleet plays gateways that publish their tags' readings over MQTT 3.1.1 at
// QoS 1, at a cost far below that of any broker: plain sockets, many messages to a
// write. A gateway keeps a message until its PUBACK has come and sends it again
// over the next connection otherwise, as docs/formats/reading-json.md asks.
package fleet

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/furrowcredit/furrow/iot"
)

// Config says who publishes what. The values of a reading follow from its number
// alone, so that whoever has the Config can tell what must be stored.
type Config struct {
	Addr     string           `json:"addr"` // host:port of the broker
	Tenant   string           `json:"tenant"`
	Gateways []iot.Credential `json:"gateways"`
	Tags     int              `json:"tags"`     // of each gateway
	Messages int              `json:"messages"` // of each gateway, one reading each
	Window   int              `json:"window"`   // messages of a gateway on the way
	First    time.Time        `json:"first"`    // time of the first round of readings
	Step     time.Duration    `json:"step"`     // between two readings of a tag
	Rate     float64          `json:"rate"`     // messages a second of all gateways; 0 as fast as they are acknowledged
	// Steps makes the tags' clocks jump: every so many rounds to another error of up
	// to two hours either way; 0 leaves them right.
	Steps int `json:"steps"`
}

// TagName is what the nth tag of the fleet is called.
func TagName(n int) string { return fmt.Sprintf("t%05d", n) }

// Reading is the nth reading of gateway g: its tags speak in turn.
func (c Config) Reading(g, n int) iot.Reading {
	tag, round := n%c.Tags, n/c.Tags
	lon, lat, temp, activity := c.values(g*c.Tags+tag, round)
	return iot.Reading{
		Tenant: c.Tenant, Gateway: c.Gateways[g].DeviceID, Tag: TagName(g*c.Tags + tag), At: c.at(tag, round),
		Lon: &lon, Lat: &lat, Temp: &temp, Activity: &activity,
	}
}

// at spreads the tags of a gateway over the step. Between two jumps of the clocks the
// milliseconds differ, so that no two readings of a tag have one time.
func (c Config) at(tag, round int) time.Time {
	t := c.First.Add(time.Duration(round) * c.Step)
	if c.Steps > 0 {
		k := uint64(round / c.Steps)                                                                    //nolint:gosec // a small count
		t = t.Add(time.Duration(int64(mix(k)%240)-120)*time.Minute + time.Duration(k)*time.Millisecond) //nolint:gosec // small counts
	} else {
		t = t.Add(time.Duration(tag) * c.Step / time.Duration(c.Tags))
	}
	return t.Truncate(time.Millisecond).UTC()
}

// values are those of an animal that wanders about its place inside [Fence], with
// the noise of a GPS receiver, a daily wave of the ear's temperature and activity.
func (c Config) values(tag, round int) (lon, lat, temp, activity float64) {
	r := mix(uint64(tag)<<32 | uint64(round)) //nolint:gosec // small counts
	noise := func() float64 {
		r = mix(r)
		return float64(r>>11)/(1<<53) - 0.5
	}
	home := mix(uint64(tag)) //nolint:gosec // a small count
	x, y := float64(home&1023)/1024, float64(home>>10&1023)/1024
	day := math.Sin(2 * math.Pi * (float64(round)*c.Step.Hours()/24 + x))
	round6 := func(v float64) float64 { return math.Round(v*1e6) / 1e6 }
	return round6(114.402 + 0.006*x + 0.0008*day + 0.00008*noise()), round6(35.002 + 0.006*y + 0.0008*day + 0.00008*noise()),
		math.Round((31+2*day+0.4*noise())*10) / 10, math.Round((0.9+0.6*day+0.5*noise())*100) / 100
}

func mix(x uint64) uint64 { // splitmix64
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// appendPayload writes a reading as Furrow JSON of fixed width: 98 bytes for five
// digits of tags.
func (c Config) appendPayload(dst []byte, g, n int) []byte {
	tag, round := n%c.Tags, n/c.Tags
	lon, lat, temp, activity := c.values(g*c.Tags+tag, round)
	dst = append(dst, `{"tag":"`...)
	dst = append(dst, TagName(g*c.Tags+tag)...)
	dst = append(dst, `","ts":`...)
	dst = strconv.AppendInt(dst, c.at(tag, round).UnixMilli(), 10)
	dst = append(dst, `,"lon":`...)
	dst = strconv.AppendFloat(dst, lon, 'f', 6, 64)
	dst = append(dst, `,"lat":`...)
	dst = strconv.AppendFloat(dst, lat, 'f', 6, 64)
	dst = append(dst, `,"temp_c":`...)
	dst = strconv.AppendFloat(dst, temp, 'f', 1, 64)
	dst = append(dst, `,"activity":`...)
	dst = strconv.AppendFloat(dst, activity, 'f', 2, 64)
	return append(dst, '}')
}

// Fleet is a Config that runs.
type Fleet struct {
	cfg      Config
	gateways []*gateway
	began    atomic.Pointer[time.Time]
}

// New returns a fleet that has not published yet.
func New(cfg Config) *Fleet {
	f := &Fleet{cfg: cfg}
	for g := range cfg.Gateways {
		f.gateways = append(f.gateways, &gateway{cfg: &f.cfg, g: g, topic: "furrow/v1/" + cfg.Tenant + "/" + cfg.Gateways[g].DeviceID + "/telemetry",
			flights: make([]flight, cfg.Messages), limit: cfg.Messages})
	}
	return f
}

// Result is how a run went.
type Result struct {
	Began   time.Time `json:"began"`
	Ended   time.Time `json:"ended"` // the last PUBACK
	Acked   int64     `json:"acked"`
	Again   int64     `json:"again"` // sent more than once
	Dropped int64     `json:"dropped_connections"`
}

// Run publishes until all is acknowledged or ctx ends.
func (f *Fleet) Run(ctx context.Context) (Result, error) {
	began := time.Now()
	f.began.Store(&began)
	var all sync.WaitGroup
	for _, g := range f.gateways {
		all.Go(func() { g.run(ctx, began) })
	}
	all.Wait()
	out := f.Result()
	var want int64
	for _, g := range f.gateways {
		want += int64(g.limit)
	}
	if out.Acked < want {
		return out, fmt.Errorf("fleet: %d of %d messages were acknowledged: %w", out.Acked, want, errors.Join(ctx.Err(), f.gateways[0].lastError()))
	}
	return out, nil
}

// Result is how it went so far.
func (f *Fleet) Result() Result {
	out := Result{Ended: time.Now()}
	if began := f.began.Load(); began != nil {
		out.Began = *began
	}
	for _, g := range f.gateways {
		out.Acked += g.count.Load()
		out.Again += g.again.Load()
		out.Dropped += g.dropped.Load()
	}
	return out
}

// Finish lets the gateways send no message that they have not sent before; Run ends
// when those are acknowledged.
func (f *Fleet) Finish() {
	for _, g := range f.gateways {
		g.mu.Lock()
		g.limit = g.sent
		g.mu.Unlock()
	}
}

// Flight is when a message was sent for the last time and when it was acknowledged;
// zero when it was not.
type Flight struct{ Sent, Acked time.Time }

// Flights are those of the messages of gateway g, by number. Call it when Run has ended.
func (f *Fleet) Flights(g int) []Flight {
	w := f.gateways[g]
	w.mu.Lock()
	defer w.mu.Unlock()
	out := make([]Flight, w.sent)
	for n := range out {
		out[n].Sent = time.Unix(0, w.flights[n].sent)
		if at := w.flights[n].acked; at != 0 {
			out[n].Acked = time.Unix(0, at)
		}
	}
	return out
}

// flight is a Flight in Unix nanoseconds, 0 when it was not.
type flight struct{ sent, acked int64 }

// gateway is one publisher.
type gateway struct {
	cfg   *Config
	g     int
	topic string

	count, again, dropped atomic.Int64

	mu      sync.Mutex
	flights []flight
	limit   int // messages there are
	sent    int // how far it has ever come
	base    int // all before are acknowledged
	flying  int // sent over this connection and not acknowledged
	err     error
}

func (w *gateway) lastError() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

func (w *gateway) run(ctx context.Context, began time.Time) {
	for ctx.Err() == nil {
		err := w.session(ctx, began)
		if err == nil {
			return
		}
		w.dropped.Add(1)
		w.mu.Lock()
		w.err = err
		w.mu.Unlock()
		timer := time.NewTimer(50*time.Millisecond + rand.N(100*time.Millisecond))
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
}

// What is waited for, at most: a connection, and a sign of life of a broker that owes one.
const (
	dialWait = 5 * time.Second
	ackWait  = 20 * time.Second
)

var errRefused = errors.New("fleet: the broker refuses the connection")

// session publishes over one connection; nil when nothing is left.
func (w *gateway) session(ctx context.Context, began time.Time) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	conn, err := (&net.Dialer{Timeout: dialWait}).DialContext(ctx, "tcp", w.cfg.Addr)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // a second time, mostly
	context.AfterFunc(ctx, func() { _ = conn.Close() })
	if err := w.signIn(conn); err != nil {
		return err
	}
	w.mu.Lock()
	w.flying = 0
	from := w.base
	w.mu.Unlock()
	woken := make(chan struct{}, 1)
	failed := make(chan error, 1)
	go func() { failed <- w.listen(conn, woken) }()
	return w.write(ctx, conn, from, began, woken, failed)
}

// signIn sends CONNECT and reads CONNACK.
func (w *gateway) signIn(conn net.Conn) error {
	cred := w.cfg.Gateways[w.g]
	body := append([]byte{0, 4, 'M', 'Q', 'T', 'T', 4, 0xC2, 0, 0}, text(cred.DeviceID)...) // clean session, user, password; no keep-alive
	body = append(append(body, text(cred.Username)...), text(cred.Secret)...)
	if err := conn.SetDeadline(time.Now().Add(dialWait)); err != nil {
		return err
	}
	if _, err := conn.Write(append(header(nil, 0x10, len(body)), body...)); err != nil {
		return err
	}
	var ack [4]byte
	for n := 0; n < len(ack); {
		k, err := conn.Read(ack[n:])
		if n += k; err != nil {
			return err
		}
	}
	if ack[0] != 0x20 || ack[3] != 0 {
		return fmt.Errorf("%w: code %d", errRefused, ack[3])
	}
	return conn.SetDeadline(time.Time{})
}

func text(s string) []byte { return append([]byte{byte(len(s) >> 8), byte(len(s))}, s...) }

func header(dst []byte, kind byte, length int) []byte {
	dst = append(dst, kind)
	for ; length > 127; length >>= 7 {
		dst = append(dst, byte(length)|128)
	}
	return append(dst, byte(length))
}

// ids is how many packet numbers are in use; a window is far smaller.
const ids = 1 << 15

// write sends what is not acknowledged, many messages at a time, and returns nil
// when all is.
func (w *gateway) write(ctx context.Context, conn net.Conn, next int, began time.Time, woken <-chan struct{}, failed <-chan error) error {
	var buf, payload []byte
	for {
		w.mu.Lock()
		if w.base == w.limit {
			w.mu.Unlock()
			return nil
		}
		free := w.cfg.Window - w.flying
		due := w.due(began)
		buf = buf[:0]
		// A write of a few messages costs as much as one of many.
		if free >= w.cfg.Window/4 {
			now := time.Now().UnixNano()
			for ; free > 0 && next < min(w.limit, due) && next < w.base+ids; next++ {
				if w.flights[next].acked != 0 {
					continue
				}
				if next < w.sent {
					w.again.Add(1)
				}
				w.flights[next].sent = now
				payload = w.cfg.appendPayload(payload[:0], w.g, next)
				buf = w.publish(buf, next, payload)
				free--
				w.flying++
			}
			w.sent = max(w.sent, next)
		}
		w.mu.Unlock()
		if len(buf) > 0 {
			if _, err := conn.Write(buf); err != nil {
				return err
			}
			continue
		}
		wait := ackWait
		if due < w.cfg.Messages && w.cfg.Rate > 0 {
			wait = 5 * time.Millisecond
		}
		timer := time.NewTimer(wait)
		select {
		case <-woken:
		case err := <-failed:
			timer.Stop()
			return err
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
			if wait == ackWait {
				return errors.New("fleet: no answer of the broker")
			}
		}
		timer.Stop()
	}
}

// due is how many messages the gateway should have sent by now.
func (w *gateway) due(began time.Time) int {
	if w.cfg.Rate <= 0 {
		return w.cfg.Messages
	}
	return int(time.Since(began).Seconds() * w.cfg.Rate / float64(len(w.cfg.Gateways)))
}

func (w *gateway) publish(dst []byte, n int, payload []byte) []byte {
	dst = header(dst, 0x32, 2+len(w.topic)+2+len(payload)) // PUBLISH, QoS 1
	dst = append(dst, byte(len(w.topic)>>8), byte(len(w.topic)))
	dst = append(dst, w.topic...)
	id := n%ids + 1
	dst = append(dst, byte(id>>8), byte(id))
	return append(dst, payload...)
}

// listen reads PUBACKs until the connection ends.
func (w *gateway) listen(conn net.Conn, woken chan<- struct{}) error {
	buf, have := make([]byte, 4096), 0
	for {
		n, err := conn.Read(buf[have:])
		if err != nil {
			return err
		}
		have += n
		at, now := 0, time.Now().UnixNano()
		w.mu.Lock()
		for ; at+4 <= have; at += 4 {
			if buf[at] != 0x40 || buf[at+1] != 2 {
				w.mu.Unlock()
				return fmt.Errorf("fleet: the broker sent %x instead of a PUBACK", buf[at:at+4])
			}
			w.ack(int(buf[at+2])<<8|int(buf[at+3]), now)
		}
		w.mu.Unlock()
		have = copy(buf, buf[at:have])
		select {
		case woken <- struct{}{}:
		default:
		}
	}
}

// ack takes a PUBACK; the message is the one of its number at or after base.
func (w *gateway) ack(id int, now int64) {
	n := w.base + ((id-1-w.base)%ids+ids)%ids
	if n >= w.sent || w.flights[n].acked != 0 {
		return
	}
	w.flights[n].acked = now
	w.flying--
	w.count.Add(1)
	for w.base < len(w.flights) && w.flights[w.base].acked != 0 {
		w.base++
	}
}
