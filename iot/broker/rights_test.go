package broker_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/broker"
	"github.com/furrowcredit/furrow/iot/codec"
	"github.com/furrowcredit/furrow/iot/iottest"
	"github.com/furrowcredit/furrow/iot/series/seriestest"
)

func (h *house) addr() string { return h.url[len("tcp://"):] }

// say publishes by hand with QoS 1.
func say(t *testing.T, c net.Conn, level byte, topic string, id uint16, payload []byte) {
	t.Helper()
	body := binary.BigEndian.AppendUint16(text(topic), id)
	if level == 5 {
		body = append(body, 0)
	}
	if _, err := c.Write(packet(0x32, append(body, payload...))); err != nil {
		t.Fatal(err)
	}
}

// TestForbiddenTopic publishes where the device may not, with a reader that would
// see it: MQTT 3.1.1 acknowledges and drops, MQTT 5 says 0x87, and both report it.
func TestForbiddenTopic(t *testing.T) {
	t.Parallel()
	reading := codec.Append(nil, iot.Reading{At: time.Now()})
	for _, c := range []struct {
		level byte
		topic string
		alert bool
	}{
		{4, codec.TopicOf("x", "t1"), true}, {5, codec.TopicOf("x", "t1"), true},
		{4, codec.TopicOf("y", "t0"), true}, {4, "furrow/v1/x/t1/command", false}, {5, "furrow/v1/x/t1/command", false},
		{4, "$SYS/broker/version", false}, {5, "anything", false},
	} {
		t.Run(fmt.Sprintf("%d %s", c.level, c.topic), func(t *testing.T) {
			t.Parallel()
			h := open(t, &seriestest.Memory{})
			got := make(chan string, 1)
			reader := h.connect(h.options("x/t1", "secret-t1"))
			if tok := reader.Subscribe("furrow/v1/x/t1/command", 1, func(_ mqtt.Client, m mqtt.Message) { got <- m.Topic() }); tok.Wait() && tok.Error() != nil {
				t.Fatal(tok.Error())
			}
			conn, r := dial(t, h.addr(), c.level, "x/t0", "secret-t0")
			if c.topic[0] != '$' { // mochi drops those without a word
				say(t, conn, c.level, c.topic, 7, reading)
				first, body := receive(t, r)
				want := []byte{0, 7}
				if c.level == 5 {
					want = append(want, 0x87)
				}
				if first != 0x40 || !bytes.Equal(body, want) {
					t.Errorf("answered %x %x, want %x", first, body, want)
				}
			}
			// The connection lives, and what the device may say is taken.
			say(t, conn, c.level, codec.TopicOf("x", "t0"), 8, reading)
			if first, body := receive(t, r); first != 0x40 || !bytes.Equal(body[:2], []byte{0, 8}) {
				t.Errorf("answered %x %x", first, body)
			}
			if err := h.broker.Command("x", "t1", "furrow/v1/x/t1/command", []byte("hello")); err != nil {
				t.Error(err)
			}
			if topic := <-got; topic != "furrow/v1/x/t1/command" || len(got) > 0 {
				t.Errorf("the reader saw %s", topic)
			}
			if n, _ := h.series.Count(t.Context(), "x", ""); n != 1 {
				t.Errorf("%d readings saved, want the device's own", n)
			}
			e := h.events()
			if alert := len(e) == 1 && e[0].Kind == iot.Impostor && e[0].Subject == "t0" && e[0].HerdID == "h"; alert != c.alert {
				t.Errorf("raised %+v", e)
			}
		})
	}
}

func TestNativeTopics(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		device, topic string
		refused       bool
	}{
		{"t0", "v1/devices/me/telemetry", false}, {"t0", "v1/gateway/telemetry", true}, {"g0", "v1/gateway/telemetry", false},
		{"t0", "v1/gateway/disconnect", true}, {"g1", "furrow/v1/x/g0/status", true},
		{"g0", "spBv1.0/farm/NDATA/g0", false}, {"g0", "spBv1.0/farm/NDATA/g1", true}, {"t0", "spBv1.0/farm/NDATA/t0", true},
		{"g0", "spBv1.0/farm/NCMD/g0", true}, {"g0", "spBv1.0/farm/DCMD/g0/t0", true}, {"g0", "spBv1.0/STATE/host", true},
		{"g0", "application/1/device/0102030405060708/event/up", true},
	} {
		t.Run(c.device+" "+c.topic, func(t *testing.T) {
			t.Parallel()
			h := open(t, &seriestest.Memory{})
			conn, r := dial(t, h.addr(), 5, "x/"+c.device, "secret-"+c.device)
			say(t, conn, 5, c.topic, 9, []byte("{}"))
			if _, body := receive(t, r); (len(body) == 3 && body[2] == 0x87) != c.refused {
				t.Errorf("answered %x, refused %v", body, c.refused)
			}
		})
	}
}

func TestSubscriptionRights(t *testing.T) {
	t.Parallel()
	h := open(t, &seriestest.Memory{})
	for _, c := range []struct {
		device, filter string
		ok             bool
	}{
		{"t0", "furrow/v1/x/t0/command", true}, {"t0", "furrow/v1/x/t1/command", false}, {"t0", "furrow/v1/x/+/command", false},
		{"t0", "furrow/v1/x/t0/#", false}, {"t0", "#", false}, {"t0", "$SYS/#", false}, {"t0", "furrow/v1/x/t0/telemetry", false},
		{"t0", "$share/g/furrow/v1/x/t0/command", false}, {"t0", "spBv1.0/farm/NCMD/t0", false},
		{"g0", "spBv1.0/farm/NCMD/g0", true}, {"g0", "spBv1.0/farm/DCMD/g0/+", true}, {"g0", "spBv1.0/+/NCMD/g0", true},
		{"g0", "spBv1.0/farm/NCMD/g1", false}, {"g0", "spBv1.0/farm/NCMD/+", false}, {"g0", "spBv1.0/farm/+/g0", false}, {"g0", "spBv1.0/farm/NDATA/g0", false},
	} {
		client := h.connect(h.options("x/"+c.device, "secret-"+c.device))
		tok := client.Subscribe(c.filter, 0, nil).(*mqtt.SubscribeToken) //nolint:forcetypeassert // paho's
		tok.Wait()
		granted := tok.Error() == nil
		for _, code := range tok.Result() {
			granted = granted && code < 0x80
		}
		if granted != c.ok {
			t.Errorf("%s on %s: %v %v", c.device, c.filter, tok.Result(), tok.Error())
		}
		client.Disconnect(10)
	}
}

// TestCommandReachesOneDevice has two gateways that listen to the same filter.
func TestCommandReachesOneDevice(t *testing.T) {
	t.Parallel()
	h := open(t, &seriestest.Memory{})
	conn, r := dial(t, h.addr(), 4, "x/g0", "secret-g0")
	if err := h.broker.Command("x", "g0", "spBv1.0/farm/NCMD/g0", []byte("rebirth")); !errors.Is(err, broker.ErrNoReader) {
		t.Error("a command for a device that does not listen:", err)
	}
	if _, err := conn.Write(packet(0x82, append([]byte{0, 1}, append(text("spBv1.0/+/NCMD/g0"), 0)...))); err != nil {
		t.Fatal(err)
	}
	if first, body := receive(t, r); first != 0x90 || body[2] != 0 {
		t.Fatalf("suback %x %x", first, body)
	}
	if err := h.broker.Command("x", "g0", "spBv1.0/farm/NCMD/g0", []byte("rebirth")); err != nil {
		t.Fatal(err)
	}
	if first, body := receive(t, r); first != 0x30 || string(body) != string(text("spBv1.0/farm/NCMD/g0"))+"rebirth" {
		t.Errorf("%x %q", first, body)
	}
	if err := h.broker.Command("x", "g1", "spBv1.0/farm/NCMD/g0", nil); !errors.Is(err, broker.ErrNoReader) {
		t.Error("another device's command was sent:", err)
	}
}

func TestRevokedWhileConnected(t *testing.T) {
	t.Parallel()
	for name, told := range map[string]bool{"told at once": true, "at the next message": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t, &seriestest.Memory{})
			conn, r := dial(t, h.addr(), 4, "x/t0", "secret-t0")
			say(t, conn, 4, codec.TopicOf("x", "t0"), 1, codec.Append(nil, iot.Reading{At: time.Now()}))
			receive(t, r)
			if h.broker.Connections() != 1 {
				t.Errorf("%d connections", h.broker.Connections())
			}
			if err := h.herds.Revoke(t.Context(), "x", "t0"); err != nil {
				t.Fatal(err)
			}
			if told {
				h.broker.Disconnect("x", "t0")
			} else {
				h.pipeline.Forget("x", "t0") // what half a minute does
				say(t, conn, 4, codec.TopicOf("x", "t0"), 2, codec.Append(nil, iot.Reading{At: time.Now().Add(time.Second)}))
			}
			_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
			if b, err := r.ReadByte(); !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) && !isReset(err) {
				t.Errorf("still connected: %x %v", b, err)
			}
			if n, _ := h.series.Count(t.Context(), "x", ""); n != 1 {
				t.Errorf("%d readings saved", n)
			}
		})
	}
}

func isReset(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && !op.Timeout()
}

func TestClientCertificate(t *testing.T) {
	t.Parallel()
	house, stranger := newAuthority(t), newAuthority(t)
	h := openTLS(t, &seriestest.Memory{}, &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{issue(t, house, "localhost")},
		ClientCAs: house.Pool, ClientAuth: tls.VerifyClientCertIfGiven})
	h.url = "ssl://" + h.addr()
	for _, c := range []struct {
		name               string
		by                 *iottest.Authority
		cn, user, password string
		ok                 bool
		topic              string
	}{
		{"the certificate is enough", house, "x/t0", "", "", true, codec.TopicOf("x", "t0")},
		{"with its own name", house, "x/t0", "x/t0", "", true, codec.TopicOf("x", "t0")},
		{"with another's name", house, "x/t0", "x/t1", "secret-t1", false, ""},
		{"of a revoked device", house, "x/revoked", "", "", false, ""},
		{"of nobody", house, "x/none", "", "", false, ""},
		{"without a tenant", house, "t0", "", "", false, ""},
		{"a secret as its name", house, "secret-t0", "", "", false, ""},
		{"of another authority", stranger, "x/t0", "", "", false, ""},
		{"no certificate, but the secret", nil, "", "x/t0", "secret-t0", true, codec.TopicOf("x", "t0")},
		{"neither", nil, "", "x/t0", "", false, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			secure := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: house.Pool}
			if c.by != nil {
				secure.Certificates = []tls.Certificate{issue(t, c.by, c.cn)}
			}
			client := mqtt.NewClient(h.options(c.user, c.password).SetClientID("c").SetTLSConfig(secure).SetConnectRetry(false))
			defer client.Disconnect(10)
			tok := client.Connect()
			if tok.Wait(); (tok.Error() == nil) != c.ok {
				t.Fatal(tok.Error())
			}
			if !c.ok {
				return
			}
			if tok := client.Publish(c.topic, 1, false, codec.Append(nil, iot.Reading{At: time.Now()})); !tok.WaitTimeout(5*time.Second) || tok.Error() != nil {
				t.Error("not taken:", tok.Error())
			}
		})
	}
	if n, _ := h.series.Count(t.Context(), "x", "t0"); n < 1 || len(h.events()) != 0 {
		t.Errorf("%d readings, raised %+v", n, h.events())
	}
}

// TestManyInFlight sends 3,000 messages before reading one acknowledgement, while the
// store is stopped: all are taken meanwhile, acknowledged in their order when it is
// back, and their readings are in it.
func TestManyInFlight(t *testing.T) {
	t.Parallel()
	gate := make(chan struct{})
	h := open(t, &seriestest.Memory{Fail: func() error { <-gate; return nil }})
	conn, r := dial(t, h.addr(), 4, "x/t0", "secret-t0")
	const n = 3000
	at := time.Now()
	w := bufio.NewWriter(conn)
	for i := range n {
		body := binary.BigEndian.AppendUint16(text(codec.TopicOf("x", "t0")), uint16(i+1))
		body = codec.Append(body, iot.Reading{At: at.Add(time.Duration(i) * time.Millisecond)})
		if _, err := w.Write(packet(0x32, body)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	close(gate)
	for i := range n {
		if first, body := receive(t, r); first != 0x40 || int(binary.BigEndian.Uint16(body)) != i+1 {
			t.Fatalf("acknowledgement %d: %x %x", i, first, body)
		}
	}
	if c, _ := h.series.Count(t.Context(), "x", "t0"); c != n {
		t.Errorf("%d saved", c)
	}
}

// TestWindow stops reading a device that has too much unacknowledged.
func TestWindow(t *testing.T) {
	t.Parallel()
	gate := make(chan struct{})
	h := open(t, &seriestest.Memory{Fail: func() error { <-gate; return nil }})
	conn, r := dial(t, h.addr(), 4, "x/t0", "secret-t0")
	const n = 40_000
	go func() {
		w := bufio.NewWriter(conn)
		at := time.Now()
		for i := range n {
			body := binary.BigEndian.AppendUint16(text(codec.TopicOf("x", "t0")), uint16(i+1))
			_, _ = w.Write(packet(0x32, codec.Append(body, iot.Reading{At: at.Add(time.Duration(i) * time.Millisecond)})))
		}
		_ = w.Flush()
	}()
	// Another device is served as far as the store allows: it waits for the same store.
	time.Sleep(100 * time.Millisecond)
	if took := h.pipeline.Counters.Messages.Load(); took != 0 {
		t.Errorf("%d acknowledged before the store answered", took)
	}
	close(gate)
	for i := range n {
		if first, body := receive(t, r); first != 0x40 || int(binary.BigEndian.Uint16(body)) != i+1 {
			t.Fatalf("acknowledgement %d: %x %x", i, first, body)
		}
	}
}

// TestPropertiesOfMQTT5 sends what MQTT 5 may put before a payload.
func TestPropertiesOfMQTT5(t *testing.T) {
	t.Parallel()
	h := open(t, &seriestest.Memory{})
	conn, r := dial(t, h.addr(), 5, "x/t0", "secret-t0")
	at := time.Now()
	for i, properties := range [][]byte{
		{}, {0x01, 1}, {0x02, 0, 0, 0, 9}, append([]byte{0x26}, append(text("k"), text("v")...)...),
		append([]byte{0x03}, text("application/json")...), append([]byte{0x08}, text("answer/here")...), {0x09, 0, 2, 1, 2},
	} {
		body := append(binary.BigEndian.AppendUint16(text(codec.TopicOf("x", "t0")), uint16(i+1)), byte(len(properties)))
		body = codec.Append(append(body, properties...), iot.Reading{At: at.Add(time.Duration(i) * time.Second)})
		if _, err := conn.Write(packet(0x32, body)); err != nil {
			t.Fatal(err)
		}
		if first, body := receive(t, r); first != 0x40 || len(body) != 2 {
			t.Errorf("%x: answered %x %x", properties, first, body)
		}
		if n, _ := h.series.Count(t.Context(), "x", "t0"); n != int64(i+1) {
			t.Errorf("%x: %d saved", properties, n)
		}
	}
	// A topic alias would be a way around the rights: the broker offers none.
	body := append(append(text(""), 0, 99), 3, 0x23, 0, 1)
	if _, err := conn.Write(packet(0x32, body)); err != nil {
		t.Fatal(err)
	}
	if first, _ := receive(t, r); first != 0xe0 {
		t.Errorf("a topic alias was answered with %x", first)
	}
}

func TestWill(t *testing.T) {
	t.Parallel()
	h := open(t, &seriestest.Memory{})
	will := func(topic string) *mqtt.ClientOptions {
		return h.options("x/t0", "secret-t0").SetBinaryWill(topic, codec.Append(nil, iot.Reading{At: time.Now()}), 1, false).SetProtocolVersion(4)
	}
	c := mqtt.NewClient(will(codec.TopicOf("x", "t1")))
	if tok := c.Connect(); tok.Wait() && tok.Error() == nil {
		t.Error("a will in another's name was taken")
	}
	c.Disconnect(0)
	if e := h.events(); len(e) != 1 || e[0].Kind != iot.Impostor {
		t.Errorf("raised %+v", e)
	}
	dying := make(chan net.Conn, 1)
	c = mqtt.NewClient(will(codec.TopicOf("x", "t0")).SetCustomOpenConnectionFn(func(u *url.URL, _ mqtt.ClientOptions) (net.Conn, error) {
		conn, err := net.Dial("tcp", u.Host)
		dying <- conn
		return conn, err
	}))
	if tok := c.Connect(); tok.Wait() && tok.Error() != nil {
		t.Fatal(tok.Error())
	}
	_ = (<-dying).Close()
	deadline := time.After(5 * time.Second)
	for n := int64(0); n == 0; n, _ = h.series.Count(context.Background(), "x", "t0") {
		select {
		case <-deadline:
			t.Fatal("the last will was not taken")
		case <-time.After(time.Millisecond):
		}
	}
	c.Disconnect(0)
}

func newAuthority(t *testing.T) *iottest.Authority {
	t.Helper()
	a, err := iottest.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func issue(t *testing.T, a *iottest.Authority, name string) tls.Certificate {
	t.Helper()
	c, err := a.Issue(name)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
