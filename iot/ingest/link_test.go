package ingest_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/codec"
	"github.com/furrowcredit/furrow/iot/ingest"
	"github.com/furrowcredit/furrow/iot/iottest"
	"github.com/furrowcredit/furrow/iot/series/seriestest"
)

// FuzzLink is a broker that sends any bytes after the sign-in: the reader goes on
// or leaves, and comes to an end.
func FuzzLink(f *testing.F) {
	reading := codec.Append(nil, iot.Reading{At: time.Now()})
	topic := codec.TopicOf("x", "t1")
	body := append(binary.BigEndian.AppendUint16(nil, uint16(len(topic))), topic...)
	body = append(append(body, 0, 1), reading...)
	f.Add(append([]byte{0x90, 3, 0, 1, 1, 0x32, byte(len(body))}, body...))
	f.Add([]byte{0x90, 3, 0, 1, 0x80})
	f.Add([]byte{0x32, 0xff, 0xff, 0xff, 0x7f})
	f.Add([]byte{0x32, 0xff, 0xff, 0xff, 0xff})
	f.Add([]byte{0x32, 2, 0xff, 0xff, 0x30, 0, 0x90, 0, 0xd0, 0})
	f.Fuzz(func(t *testing.T, sent []byte) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ctx, stop := context.WithCancel(context.Background())
		defer stop()
		served := make(chan struct{})
		go func() {
			defer close(served)
			defer stop() // one connection is enough
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			b := make([]byte, 1024)
			_, _ = c.Read(b)
			_, _ = c.Write(append([]byte{0x20, 2, 0, 0}, sent...))
			_ = c.(*net.TCPConn).CloseWrite() //nolint:forcetypeassert // it is TCP
			for err == nil {
				_, err = c.Read(b)
			}
		}()
		herds := &iottest.Store{}
		p := ingest.New(ingest.Config{Herds: herds, Series: &seriestest.Memory{}, Now: time.Now})
		done := make(chan error, 1)
		go func() {
			done <- ingest.Subscribe(ctx, ingest.SubscribeConfig{URL: fmt.Sprint("tcp://", l.Addr()), ClientID: "x"}, p)
		}()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			t.Error("the reader does not end")
		}
		_ = l.Close()
		<-served
		p.Drain()
	})
}
