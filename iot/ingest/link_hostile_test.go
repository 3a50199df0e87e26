package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/iot/ingest"
	"github.com/furrowcredit/furrow/iot/iottest"
	"github.com/furrowcredit/furrow/iot/series/seriestest"
)

// brokerOf answers one connection after another with the same bytes after the
// sign-in, and hands over what the first CONNECT was.
func brokerOf(t *testing.T, sent []byte) (url string, connect <-chan []byte) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	first := make(chan []byte, 1)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			b := make([]byte, 1024)
			n, _ := c.Read(b)
			select {
			case first <- slices.Clone(b[:n]):
			default:
			}
			_, _ = c.Write(append([]byte{0x20, 2, 0, 0}, sent...))
			for err == nil {
				_, err = c.Read(b)
			}
			_ = c.Close()
		}
	}()
	return fmt.Sprint("tcp://", l.Addr()), first
}

// TestGrantedLess wants a broker refused that delivers with QoS 0 what was asked for
// with QoS 1: it would lose messages without a word.
func TestGrantedLess(t *testing.T) {
	t.Parallel()
	for _, codes := range [][]byte{{1, 0}, {1, 0x80}} {
		url, _ := brokerOf(t, append([]byte{0x90, 4, 0, 1}, codes...))
		p := ingest.New(ingest.Config{Herds: &iottest.Store{}, Series: &seriestest.Memory{}, Now: time.Now})
		ctx, stop := context.WithTimeout(t.Context(), 5*time.Second)
		err := ingest.Subscribe(ctx, ingest.SubscribeConfig{URL: url, ClientID: "x"}, p)
		stop()
		if !errors.Is(err, ingest.ErrBroker) {
			t.Errorf("codes %x: %v", codes, err)
		}
		p.Drain()
	}
}

// TestPasswordAlone wants a user name in the CONNECT whenever there is a password, as
// MQTT 3.1.1 demands (3.1.2-22).
func TestPasswordAlone(t *testing.T) {
	t.Parallel()
	url, connect := brokerOf(t, []byte{0x90, 4, 0, 1, 0x80, 0x80})
	p := ingest.New(ingest.Config{Herds: &iottest.Store{}, Series: &seriestest.Memory{}, Now: time.Now})
	_ = ingest.Subscribe(t.Context(), ingest.SubscribeConfig{URL: url, ClientID: "x", Password: "p"}, p)
	if b := <-connect; len(b) < 10 || b[9] != 0xc0 {
		t.Errorf("CONNECT % x", b)
	}
	p.Drain()
}
