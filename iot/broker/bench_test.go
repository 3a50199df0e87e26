package broker_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/broker"
	"github.com/furrowcredit/furrow/iot/codec"
	"github.com/furrowcredit/furrow/iot/ingest"
	"github.com/furrowcredit/furrow/iot/iottest"
	"github.com/furrowcredit/furrow/iot/series/seriestest"
)

// discard is a store that takes as long as a small fsync.
type discard struct{ seriestest.Memory }

func (*discard) Write(context.Context, []iot.Reading) error {
	time.Sleep(2 * time.Millisecond)
	return nil
}

// packet is an MQTT packet of a type byte and its body.
func packet(first byte, body []byte) []byte {
	b := []byte{first}
	for n := len(body); ; n >>= 7 {
		if n < 128 {
			b = append(b, byte(n))
			break
		}
		b = append(b, byte(n&127|128))
	}
	return append(b, body...)
}

func text(s string) []byte { return append([]byte{byte(len(s) >> 8), byte(len(s))}, s...) }

// dial signs a device in by hand, with MQTT level 4 or 5.
func dial(tb testing.TB, addr string, level byte, user, password string) (net.Conn, *bufio.Reader) {
	tb.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = c.Close() })
	body := append(text("MQTT"), level, 0xc2, 0, 60)
	if level == 5 {
		body = append(body, 0)
	}
	body = append(append(append(body, text("c-"+user)...), text(user)...), text(password)...)
	if _, err := c.Write(packet(0x10, body)); err != nil {
		tb.Fatal(err)
	}
	r := bufio.NewReaderSize(c, 16<<10)
	if first, body := receive(tb, r); first != 0x20 || body[1] != 0 {
		tb.Fatalf("connack %x %x", first, body)
	}
	return c, r
}

func receive(tb testing.TB, r *bufio.Reader) (byte, []byte) {
	tb.Helper()
	first, err := r.ReadByte()
	if err != nil {
		tb.Fatal(err)
	}
	n, err := binary.ReadUvarint(r) // the same as MQTT's variable byte integer
	if err != nil {
		tb.Fatal(err)
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(r, body); err != nil {
		tb.Fatal(err)
	}
	return first, body
}

// BenchmarkPublish is 8 gateways with 200 messages in flight each, of 10,000 tags.
// The CPU includes the publishers', who are as cheap as can be.
func BenchmarkPublish(b *testing.B) {
	const gateways, inflight, tags = 8, 200, 10_000
	herds := &iottest.Store{}
	devices := make(map[string]iot.Device)
	for g := range gateways {
		d := iot.Device{ID: fmt.Sprint("g", g), Tenant: "x", Kind: iot.Gateway, HerdID: fmt.Sprint("h", g), SecretHash: iot.HashSecret("s")}
		devices[d.ID] = d
	}
	for i := range tags {
		id := fmt.Sprintf("tag-%05d", i)
		devices[id] = iot.Device{ID: id, Tenant: "x", Kind: iot.TagDevice, HerdID: fmt.Sprint("h", i%gateways)}
	}
	p := ingest.New(ingest.Config{Herds: &registry{Store: herds, devices: devices}, Series: &discard{}, Now: time.Now})
	br := broker.New(broker.Config{Addr: "127.0.0.1:0", Herds: &registry{Store: herds, devices: devices}, Pipeline: p, Now: time.Now})
	if err := br.Listen(b.Context()); err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- br.Run(ctx) }()
	defer func() { cancel(); <-done; p.Drain() }()

	at := time.Now()
	var wg sync.WaitGroup
	var before, after syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &before)
	b.ResetTimer()
	for g := range gateways {
		c, r := dial(b, br.Addr(), 4, fmt.Sprint("x/g", g), "s")
		slots := make(chan struct{}, inflight)
		n := b.N/gateways + 1
		wg.Go(func() {
			topic := codec.TopicOf("x", fmt.Sprint("g", g))
			w := bufio.NewWriterSize(c, 4096)
			for i := range n {
				select {
				case slots <- struct{}{}:
				default:
					if err := w.Flush(); err != nil {
						b.Error(err)
						return
					}
					slots <- struct{}{}
				}
				tag := (i*gateways + g) % tags
				body := append(text(topic), byte(i%60000/256), byte(i%60000%256)|1)
				body = fmt.Appendf(body, `{"tag":"tag-%05d","ts":%d,"lon":113.21234,"lat":31.51234,"temp_c":30.1,"activity":0.412}`, tag, at.Add(time.Duration(i)*time.Millisecond).UnixMilli())
				if _, err := w.Write(packet(0x32, body)); err != nil {
					b.Error(err)
					return
				}
			}
			if err := w.Flush(); err != nil {
				b.Error(err)
			}
		})
		wg.Go(func() {
			var ack [4]byte
			for range n {
				if _, err := io.ReadFull(r, ack[:]); err != nil {
					b.Error(err)
					return
				}
				<-slots
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &after)
	used := time.Duration(after.Utime.Nano() - before.Utime.Nano() + after.Stime.Nano() - before.Stime.Nano())
	b.ReportMetric(float64(used.Microseconds())/float64(b.N), "cpu-µs/op")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
	b.ReportMetric(float64(p.Counters.Readings.Load())/float64(p.Counters.Batches.Load()), "readings/write")
	if p.Counters.Readings.Load() < int64(b.N) {
		b.Errorf("%d of %d saved", p.Counters.Readings.Load(), b.N)
	}
}

// registry finds devices by their number, as a database does.
type registry struct {
	*iottest.Store
	devices map[string]iot.Device
}

func (r *registry) Device(_ context.Context, _, id string) (iot.Device, error) {
	d, ok := r.devices[id]
	if !ok {
		return d, iot.ErrDeviceNotFound
	}
	return d, nil
}
