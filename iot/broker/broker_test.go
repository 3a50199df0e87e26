package broker_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"go.uber.org/goleak"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/broker"
	"github.com/furrowcredit/furrow/iot/codec"
	"github.com/furrowcredit/furrow/iot/ingest"
	"github.com/furrowcredit/furrow/iot/iottest"
	"github.com/furrowcredit/furrow/iot/series"
	"github.com/furrowcredit/furrow/iot/series/seriestest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// house is a running broker with two tags of tenant x, t0 and t1.
type house struct {
	t        *testing.T
	herds    *iottest.Store
	series   *seriestest.Memory
	pipeline *ingest.Pipeline
	broker   *broker.Broker
	url      string
	stop     func()
	mu       sync.Mutex
	raised   []iot.Event
}

func open(t *testing.T, store *seriestest.Memory) *house { return openTLS(t, store, nil) }

func openTLS(t *testing.T, store *seriestest.Memory, secure *tls.Config) *house {
	t.Helper()
	return openHouse(t, store, &iottest.Store{}, secure)
}

func openHouse(t *testing.T, store *seriestest.Memory, herds *iottest.Store, secure *tls.Config) *house {
	t.Helper()
	h := &house{t: t, herds: herds, series: store}
	var devices []iot.Device
	for id, kind := range map[string]iot.DeviceKind{"t0": iot.TagDevice, "t1": iot.TagDevice, "revoked": iot.TagDevice, "g0": iot.Gateway, "g1": iot.Gateway} {
		devices = append(devices, iot.Device{ID: id, Tenant: "x", Kind: kind, HerdID: "h", SecretHash: iot.HashSecret("secret-" + id), Revoked: id == "revoked"})
	}
	if err := h.herds.AddHerd(t.Context(), iot.Herd{ID: "h", Tenant: "x"}, nil, devices); err != nil {
		t.Fatal(err)
	}
	h.pipeline = ingest.New(ingest.Config{Herds: h.herds, Series: store, Now: time.Now,
		Raise: func(_ context.Context, e iot.Event) error {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.raised = append(h.raised, e)
			return nil
		}})
	b := broker.New(broker.Config{Addr: "127.0.0.1:0", TLS: secure, Herds: h.herds, Pipeline: h.pipeline, Now: time.Now})
	if err := b.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.broker = b
	h.url = "tcp://" + b.Addr()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	h.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(10 * time.Second):
			t.Error("the broker does not stop")
		}
		h.pipeline.Drain()
	})
	t.Cleanup(h.stop)
	return h
}

func (h *house) events() []iot.Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.raised)
}

func (h *house) options(user, password string) *mqtt.ClientOptions {
	return mqtt.NewClientOptions().AddBroker(h.url).SetClientID(user).SetUsername(user).SetPassword(password).
		SetAutoReconnect(false).SetConnectTimeout(5 * time.Second)
}

func (h *house) connect(o *mqtt.ClientOptions) mqtt.Client {
	h.t.Helper()
	c := mqtt.NewClient(o)
	if tok := c.Connect(); tok.Wait() && tok.Error() != nil {
		h.t.Fatal(tok.Error())
	}
	h.t.Cleanup(func() { c.Disconnect(50) })
	return c
}

func TestPublish(t *testing.T) {
	t.Parallel()
	h := open(t, &seriestest.Memory{})
	c := h.connect(h.options("x/t0", "secret-t0"))
	for qos := range byte(3) {
		at := time.Now().Add(time.Duration(qos) * time.Second)
		tok := c.Publish(codec.TopicOf("x", "t0"), qos, qos == 1, codec.Append(nil, iot.Reading{At: at}))
		if !tok.WaitTimeout(5*time.Second) || tok.Error() != nil {
			t.Fatalf("QoS %d: %v", qos, tok.Error())
		}
		if n, _ := h.series.Count(t.Context(), "x", "t0"); qos > 0 && n != int64(qos)+1 {
			t.Errorf("QoS %d was acknowledged with %d readings saved", qos, n)
		}
	}
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	h := open(t, &seriestest.Memory{})
	for _, c := range []struct {
		user, password string
		ok             bool
	}{
		{"x/t0", "secret-t0", true}, {"x/t0", "secret-t1", false}, {"x/t0", "", false}, {"t0", "secret-t0", false},
		{"y/t0", "secret-t0", false}, {"x/none", "", false}, {"x/revoked", "secret-revoked", false}, {"", "", false},
		{"secret-t0", "", true}, {"secret-t0", "x", false}, {"secret-revoked", "", false}, {"nobody", "", false}, {"x/", "", false}, {"/t0", "secret-t0", false},
	} {
		client := mqtt.NewClient(h.options(c.user, c.password).SetClientID("c-" + c.user + c.password))
		tok := client.Connect()
		if tok.Wait(); (tok.Error() == nil) != c.ok {
			t.Errorf("%q with %q: %v", c.user, c.password, tok.Error())
		}
		client.Disconnect(10)
	}
}

func TestNobodyListensIn(t *testing.T) {
	t.Parallel()
	h := open(t, &seriestest.Memory{})
	c := h.connect(h.options("x/t0", "secret-t0"))
	sub := c.Subscribe("furrow/#", 1, nil).(*mqtt.SubscribeToken)
	if sub.WaitTimeout(5*time.Second) && sub.Error() == nil && sub.Result()["furrow/#"] != 0x80 {
		t.Errorf("a device may read: %v", sub.Result())
	}
}

func TestClientIDIsNotAKey(t *testing.T) {
	t.Parallel()
	h := open(t, &seriestest.Memory{})
	c := h.connect(h.options("x/t0", "secret-t0").SetClientID("same"))
	thief := mqtt.NewClient(h.options("x/t1", "secret-t1").SetClientID("same"))
	if tok := thief.Connect(); tok.Wait() && tok.Error() == nil {
		t.Error("another device took the session")
	}
	thief.Disconnect(10)
	if !c.IsConnectionOpen() {
		t.Error("the owner of the session was thrown out")
	}
}

// TestNoAckWithoutDisk wants silence, not a PUBACK, while the store is down, and
// that the same message is taken when it is back.
func TestNoAckWithoutDisk(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	down := true
	h := open(t, &seriestest.Memory{Fail: func() error {
		mu.Lock()
		defer mu.Unlock()
		if down {
			return series.ErrUnavailable
		}
		return nil
	}})
	c := h.connect(h.options("x/t0", "secret-t0"))
	tok := c.Publish(codec.TopicOf("x", "t0"), 1, false, codec.Append(nil, iot.Reading{At: time.Now()}))
	if tok.WaitTimeout(150 * time.Millisecond) {
		t.Fatal("acknowledged while the store was down")
	}
	mu.Lock()
	down = false
	mu.Unlock()
	if !tok.WaitTimeout(10*time.Second) || tok.Error() != nil {
		t.Fatal("not acknowledged after the store came back:", tok.Error())
	}
	if n, _ := h.series.Count(t.Context(), "x", "t0"); n != 1 {
		t.Errorf("%d readings saved", n)
	}
}

// TestStopDuringOutage wants the broker to end although a message waits.
func TestStopDuringOutage(t *testing.T) {
	t.Parallel()
	h := open(t, &seriestest.Memory{Fail: func() error { return series.ErrUnavailable }})
	c := h.connect(h.options("x/t0", "secret-t0"))
	tok := c.Publish(codec.TopicOf("x", "t0"), 1, false, codec.Append(nil, iot.Reading{At: time.Now()}))
	for h.pipeline.Counters.Retries.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	h.stop()
	if tok.WaitTimeout(50*time.Millisecond) && tok.Error() == nil {
		t.Error("acknowledged although nothing was saved")
	}
}

func TestPortTaken(t *testing.T) {
	t.Parallel()
	h := open(t, &seriestest.Memory{})
	b := broker.New(broker.Config{Addr: h.url[len("tcp://"):], Now: time.Now})
	if err := b.Run(t.Context()); !errors.Is(err, broker.ErrPortTaken) {
		t.Error(err)
	}
}

func TestJunkOnThePort(t *testing.T) {
	t.Parallel()
	h := open(t, &seriestest.Memory{})
	c := h.connect(h.options("x/t0", "secret-t0"))
	for i, junk := range []string{"", "null", "{", "\xff\xfe", fmt.Sprintf(`{"ts":%d,"lon":"x","lat":1}`, time.Now().UnixMilli())} {
		tok := c.Publish(codec.TopicOf("x", "t0"), 1, false, junk)
		if !tok.WaitTimeout(5*time.Second) || tok.Error() != nil {
			t.Fatalf("junk %d: %v", i, tok.Error())
		}
	}
	if q, _ := h.herds.Quarantined(t.Context(), "x", 0); len(q) != 5 {
		t.Errorf("%d payloads in quarantine, want 5", len(q))
	}
}
