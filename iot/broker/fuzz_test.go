package broker_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/broker"
	"github.com/furrowcredit/furrow/iot/codec"
	"github.com/furrowcredit/furrow/iot/ingest"
	"github.com/furrowcredit/furrow/iot/iottest"
	"github.com/furrowcredit/furrow/iot/series/seriestest"
)

// FuzzConnection lets a signed-in device send any bytes: the broker may end its
// connection, and goes on to serve another; nothing is saved in another's name.
func FuzzConnection(f *testing.F) {
	herds, store := &iottest.Store{}, &seriestest.Memory{}
	devices := []iot.Device{{ID: "t0", Tenant: "x", Kind: iot.TagDevice, HerdID: "h", SecretHash: iot.HashSecret("s")},
		{ID: "t1", Tenant: "x", Kind: iot.TagDevice, HerdID: "h", SecretHash: iot.HashSecret("s")}}
	if err := herds.AddHerd(context.Background(), iot.Herd{ID: "h", Tenant: "x"}, nil, devices); err != nil {
		f.Fatal(err)
	}
	p := ingest.New(ingest.Config{Herds: herds, Series: store, Now: time.Now})
	b := broker.New(broker.Config{Addr: "127.0.0.1:0", Herds: herds, Pipeline: p, Now: time.Now})
	if err := b.Listen(context.Background()); err != nil {
		f.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	f.Cleanup(func() { cancel(); <-done; p.Drain() })

	start := time.Now().Add(-time.Hour)
	reading := codec.Append(nil, iot.Reading{At: start})
	publish := func(first byte, topic string, parts ...[]byte) []byte {
		body := text(topic)
		for _, p := range parts {
			body = append(body, p...)
		}
		return packet(first, body)
	}
	f.Add(byte(4), publish(0x32, codec.TopicOf("x", "t0"), []byte{0, 1}, reading))
	f.Add(byte(4), publish(0x30, codec.TopicOf("x", "t0"), reading))
	f.Add(byte(4), publish(0x34, codec.TopicOf("x", "t0"), []byte{0, 1}, reading))
	f.Add(byte(5), publish(0x32, codec.TopicOf("x", "t1"), []byte{0, 1, 0}, reading))
	f.Add(byte(5), publish(0x32, codec.TopicOf("x", "t0"), []byte{0, 1, 7, 0x26, 0, 1, 'a', 0, 1, 'b'}, reading))
	f.Add(byte(5), publish(0x32, "", []byte{0, 1, 3, 0x23, 0, 1}, reading))
	f.Add(byte(4), []byte{0x32, 0xff, 0xff, 0xff, 0xff, 0x01})
	f.Add(byte(4), []byte{0x32, 0x80, 0x80, 0x80, 0x01, 0})
	f.Add(byte(4), []byte{0xc0, 0, 0xd8, 0xd8, 0xd8, 0xd8, 0xd8, 't', 'r', 'y'})
	f.Add(byte(4), []byte{0x32, 0, 0xc0, 0, 0xe0, 0, 0x10, 0})
	f.Add(byte(4), append([]byte{0x82, 7, 0, 1}, append(text("#"), 1)...))
	n := 0
	f.Fuzz(func(t *testing.T, level byte, sent []byte) {
		if level != 5 {
			level = 4
		}
		c, r := dial(t, b.Addr(), level, "x/t0", "s")
		_, _ = c.Write(append(sent, 0xc0, 0)) // a ping at the end
		_ = c.(*net.TCPConn).CloseWrite()
		_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
		if _, err := io.Copy(io.Discard, r); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("the broker neither answers nor ends the connection")
		}
		n++
		other, answers := dial(t, b.Addr(), 4, "x/t1", "s")
		body := append(text(codec.TopicOf("x", "t1")), 0, 9)
		if _, err := other.Write(packet(0x32, codec.Append(body, iot.Reading{At: start.Add(time.Duration(n) * time.Millisecond)}))); err != nil {
			t.Fatal(err)
		}
		if first, ack := receive(t, answers); first != 0x40 || ack[1] != 9 {
			t.Errorf("another device got %x %x", first, ack)
		}
		if saved, _ := store.Count(t.Context(), "x", "t1"); saved != int64(n) {
			t.Errorf("%d readings saved for the other device, which sent %d", saved, n)
		}
	})
}
