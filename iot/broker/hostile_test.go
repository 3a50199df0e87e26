package broker_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/codec"
	"github.com/furrowcredit/furrow/iot/iottest"
	"github.com/furrowcredit/furrow/iot/series"
	"github.com/furrowcredit/furrow/iot/series/seriestest"
)

func appendText(dst []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(dst, uint16(len(s))), s...)
}

// dial connects without MQTT.
func (h *house) dial() *net.TCPConn {
	h.t.Helper()
	c, err := net.Dial("tcp", h.broker.Addr())
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		h.t.Fatal(err)
	}
	return c.(*net.TCPConn) //nolint:forcetypeassert // it is TCP
}

// write sends one packet.
func (h *house) write(c net.Conn, first byte, body []byte) {
	h.t.Helper()
	packet := binary.AppendUvarint([]byte{first}, uint64(len(body))) // MQTT's lengths are these
	if _, err := c.Write(append(packet, body...)); err != nil {
		h.t.Fatal(err)
	}
}

func connectBody(id string) []byte {
	body := append(appendText(nil, "MQTT"), 4, 0xc0, 0, 0) // user and password, session kept, no keep-alive
	return appendText(appendText(appendText(body, id), "x/"+id), "secret-"+id)
}

// TestHugeSignIn wants no memory spent on who has not said who he is.
func TestHugeSignIn(t *testing.T) {
	t.Parallel()
	h := open(t, &seriestest.Memory{})
	c := h.dial()
	if _, err := c.Write(append([]byte{0x10}, binary.AppendUvarint(nil, 500_000)...)); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(make([]byte, 16)); err != io.EOF { //nolint:errorlint // never wrapped
		t.Errorf("read %d bytes, %v: the broker waits for all of it", n, err)
	}
}

// TestGoneBeforeTheAnswer lets a device hang up while it is looked up: nothing of it
// may stay.
func TestGoneBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	entered, leave := make(chan struct{}), make(chan struct{})
	h := openHouse(t, &seriestest.Memory{}, &iottest.Store{Fail: func() error {
		entered <- struct{}{}
		<-leave
		return nil
	}}, nil)
	c := h.dial()
	h.write(c, 0x10, connectBody("t0"))
	<-entered
	if err := c.SetLinger(0); err != nil { // the peer's next write fails
		t.Fatal(err)
	}
	_ = c.Close()
	close(leave)
	h.stop() // waits for all connections
	if n := h.broker.Connections(); n != 0 {
		t.Errorf("%d devices are taken for connected", n)
	}
}

// TestManyClientIDs lets one device come under ever new names and ask for its session
// to be kept: what holds nothing is not kept.
func TestManyClientIDs(t *testing.T) {
	t.Parallel()
	h := open(t, &seriestest.Memory{})
	for i := range 20 {
		o := h.options("x/t0", "secret-t0").SetClientID(fmt.Sprint("id-", i)).SetCleanSession(false)
		h.connect(o).Disconnect(50)
	}
	h.stop()
	if n := h.broker.Sessions(); n != 0 {
		t.Errorf("%d sessions are kept", n)
	}
}

// TestWaiterEndsWithItsConnection lets a gateway publish while nobody can be looked
// up, and disconnects it: whoever comes again and again must leave no waiter behind.
func TestWaiterEndsWithItsConnection(t *testing.T) {
	t.Parallel()
	var down atomic.Bool
	asked := make(chan struct{}, 100)
	h := openHouse(t, &seriestest.Memory{}, &iottest.Store{Fail: func() error {
		if !down.Load() {
			return nil
		}
		asked <- struct{}{}
		return series.ErrUnavailable
	}}, nil)
	c := h.dial()
	h.write(c, 0x10, connectBody("g0"))
	if _, err := io.ReadFull(c, make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
	down.Store(true)
	body := append(appendText(nil, codec.TopicOf("x", "g0")), 0, 1)
	h.write(c, 0x32, codec.Append(body, iot.Reading{Tag: "t0", At: time.Now()}))
	for range 3 {
		<-asked
	}
	h.broker.Disconnect("x", "g0")
	for end := time.Now().Add(5 * time.Second); h.broker.Connections() > 0; {
		if time.Now().After(end) {
			t.Fatal("the message still waits")
		}
		<-time.After(time.Millisecond)
	}
}
