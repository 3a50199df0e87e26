package fleet_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/furrowcredit/furrow/bench/iot/fleet"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/codec"
)

// broker is an MQTT broker that hangs up after every few messages, before it has
// acknowledged the last ones.
type broker struct {
	testing.TB
	every int
	mu    sync.Mutex
	got   map[string]int // payloads, and how often they came
}

func (b *broker) serve(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			b.session(conn)
		}()
	}
}

func (b *broker) session(conn net.Conn) {
	r := bufio.NewReader(conn)
	if kind, _ := packet(r); kind != 0x10 {
		return
	}
	_, _ = conn.Write([]byte{0x20, 2, 0, 0})
	for n := 1; ; n++ {
		kind, body := packet(r)
		if kind != 0x32 {
			return
		}
		topic := int(binary.BigEndian.Uint16(body))
		b.mu.Lock()
		b.got[string(body[4+topic:])]++
		b.mu.Unlock()
		if n%b.every == 0 {
			return // without an acknowledgement
		}
		_, _ = conn.Write(append([]byte{0x40, 2}, body[2+topic:4+topic]...))
	}
}

func packet(r *bufio.Reader) (kind byte, body []byte) {
	kind, err := r.ReadByte()
	if err != nil {
		return 0, nil
	}
	n, err := binary.ReadUvarint(r) // MQTT's length is one, of at most four bytes
	if err != nil {
		return 0, nil
	}
	body = make([]byte, n)
	if _, err := io.ReadFull(r, body); err != nil {
		return 0, nil
	}
	return kind, body
}

func config(addr string) fleet.Config {
	return fleet.Config{
		Addr: addr, Tenant: "bank", Gateways: []iot.Credential{{DeviceID: "gw0", Username: "bank/gw0", Secret: "s"}, {DeviceID: "gw1", Username: "bank/gw1", Secret: "s"}},
		Tags: 5, Messages: 100, Window: 10, First: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC), Step: time.Minute,
	}
}

// What was not acknowledged is sent again until it is, and what comes is what
// Reading says.
func TestRun(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	b := &broker{TB: t, every: 30, got: map[string]int{}}
	go b.serve(l)
	cfg := config(l.Addr().String())
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	f := fleet.New(cfg)
	out, err := f.Run(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if out.Acked != 200 || out.Dropped == 0 || out.Again == 0 {
		t.Errorf("it went like %+v", out)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.got) != 200 {
		t.Errorf("%d different messages came, want 200", len(b.got))
	}
	want := map[string]iot.Reading{}
	for g := range cfg.Gateways {
		for n := range cfg.Messages {
			r := cfg.Reading(g, n)
			want[r.Tag+r.At.String()] = r
			if flight := f.Flights(g)[n]; flight.Sent.Before(out.Began) || flight.Acked.IsZero() {
				t.Errorf("message %d of %d was sent at %v and acknowledged at %v", n, g, flight.Sent, flight.Acked)
			}
		}
	}
	for payload := range b.got {
		if len(payload) != 98 {
			t.Fatalf("%d bytes: %s", len(payload), payload)
		}
		items, err := codec.Decode([]byte(payload), nil)
		if err != nil || len(items) != 1 || items[0].Err != nil {
			t.Fatalf("%s: %v", payload, err)
		}
		got := items[0].Reading
		expect := want[got.Tag+got.At.UTC().String()]
		got.Source, got.At, expect.Tenant, expect.Gateway = "", got.At.UTC(), "", ""
		if d := cmp.Diff(expect, got); d != "" {
			t.Fatal(d)
		}
	}
}

// With jumping clocks no tag says the same time twice, though it goes back.
func TestSteps(t *testing.T) {
	t.Parallel()
	cfg := config("")
	cfg.Step, cfg.Steps = time.Second, 20
	seen, back := map[time.Time]bool{}, false
	var last time.Time
	for n := 0; n < 100_000; n += cfg.Tags {
		at := cfg.Reading(0, n).At
		if seen[at] {
			t.Fatalf("%v is said twice", at)
		}
		seen[at], back, last = true, back || at.Before(last), at
	}
	if !back {
		t.Error("the clock never goes back")
	}
}

func TestFinish(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	b := &broker{TB: t, every: 1 << 30, got: map[string]int{}}
	go b.serve(l)
	cfg := config(l.Addr().String())
	cfg.Messages, cfg.Rate = 1<<20, 1000
	f := fleet.New(cfg)
	ended := make(chan error, 1)
	go func() {
		_, err := f.Run(t.Context())
		ended <- err
	}()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for f.Result().Acked < 50 {
		<-tick.C
	}
	f.Finish()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if n := f.Result().Acked; n < 50 || n == 2<<20 {
		t.Errorf("%d are acknowledged", n)
	}
}
