package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/codec"
	"github.com/furrowcredit/furrow/iot/ingest"
	"github.com/furrowcredit/furrow/iot/iottest"
	"github.com/furrowcredit/furrow/iot/series/seriestest"
)

func mosquitto(t *testing.T) string {
	t.Helper()
	url := os.Getenv("FURROW_TEST_MOSQUITTO")
	if url == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("Mosquitto is missing: set FURROW_TEST_MOSQUITTO")
		}
		t.Skip("needs a Mosquitto; set FURROW_TEST_MOSQUITTO (scripts/services start)")
	}
	return url
}

// herdOf registers n tags and a tenant of their own, because the broker is shared.
func herdOf(t *testing.T, n int) (string, *iottest.Store) {
	t.Helper()
	tenant, s := ident.New(), &iottest.Store{}
	var devices []iot.Device
	for i := range n {
		devices = append(devices, iot.Device{ID: fmt.Sprint("t", i), Tenant: tenant, Kind: iot.TagDevice, HerdID: "h"})
	}
	if err := s.AddHerd(t.Context(), iot.Herd{ID: "h", Tenant: tenant}, nil, devices); err != nil {
		t.Fatal(err)
	}
	return tenant, s
}

func publisher(t *testing.T, url string) mqtt.Client {
	t.Helper()
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(url).SetClientID(ident.New()).SetConnectTimeout(5 * time.Second))
	if tok := c.Connect(); tok.Wait() && tok.Error() != nil {
		t.Fatal(tok.Error())
	}
	t.Cleanup(func() { c.Disconnect(100) })
	return c
}

// reader is one Subscribe with its stop.
type reader struct {
	stop func()
	done chan error
}

func subscribe(t *testing.T, cfg ingest.SubscribeConfig, p *ingest.Pipeline) reader {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ready := make(chan struct{}, 10)
	cfg.Ready = func() { ready <- struct{}{} }
	r := reader{stop: cancel, done: make(chan error, 1)}
	go func() { r.done <- ingest.Subscribe(ctx, cfg, p) }()
	select {
	case <-ready:
	case err := <-r.done:
		cancel()
		t.Fatal("the subscription ended:", err)
	case <-time.After(20 * time.Second):
		cancel()
		t.Fatal("no subscription")
	}
	return r
}

func (r reader) end(t *testing.T) {
	t.Helper()
	r.stop()
	select {
	case err := <-r.done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the subscription does not end")
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for !ok() {
		select {
		case <-deadline:
			t.Fatal("not in time: ", what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// TestExternalBroker stops the reader in the middle of 400 messages. What was not
// saved was not acknowledged, so the broker sends it to the next reader of the session.
func TestExternalBroker(t *testing.T) {
	t.Parallel()
	url := mosquitto(t)
	const tags, each = 20, 20
	tenant, herds := herdOf(t, tags)
	store := &seriestest.Memory{}
	cfg := ingest.SubscribeConfig{URL: url, ClientID: "furrow-test-" + tenant}
	pipeline := func() *ingest.Pipeline {
		return ingest.New(ingest.Config{Herds: herds, Series: store, Now: time.Now})
	}
	p := pipeline()
	r := subscribe(t, cfg, p)
	pub := publisher(t, url)
	var wg sync.WaitGroup
	at := time.Now().Add(-time.Hour)
	wg.Go(func() {
		for i := range each {
			for j := range tags {
				payload := codec.Append(nil, iot.Reading{At: at.Add(time.Duration(i) * time.Second)})
				if tok := pub.Publish(codec.TopicOf(tenant, fmt.Sprint("t", j)), 1, false, payload); tok.Wait() && tok.Error() != nil {
					t.Error(tok.Error())
				}
			}
		}
	})
	eventually(t, "some messages", func() bool { return p.Counters.Readings.Load() > tags*each/4 })
	r.end(t)
	wg.Wait() // the rest is published while nobody reads
	p.Drain()
	if n, _ := store.Count(t.Context(), tenant, ""); n >= tags*each {
		t.Fatal("the reader was stopped too late to test anything")
	}
	second := pipeline()
	r = subscribe(t, cfg, second)
	eventually(t, "the rest", func() bool { n, _ := store.Count(t.Context(), tenant, ""); return n == tags*each })
	r.end(t)
	second.Drain()
	unsubscribe(t, cfg)
}

// unsubscribe ends the kept session, so that the broker of the tests forgets it.
func unsubscribe(t *testing.T, cfg ingest.SubscribeConfig) {
	t.Helper()
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(cfg.URL).SetClientID(cfg.ClientID).SetCleanSession(true))
	if tok := c.Connect(); tok.Wait() && tok.Error() != nil {
		t.Error(tok.Error())
	}
	c.Disconnect(100)
}

func TestSharedSubscription(t *testing.T) {
	t.Parallel()
	url := mosquitto(t)
	const tags = 40
	tenant, herds := herdOf(t, tags)
	store := &seriestest.Memory{}
	var pipelines [2]*ingest.Pipeline
	for i := range pipelines {
		pipelines[i] = ingest.New(ingest.Config{Herds: herds, Series: store, Now: time.Now})
		cfg := ingest.SubscribeConfig{URL: url, ClientID: fmt.Sprintf("furrow-test-%s-%d", tenant, i), Share: "g" + tenant}
		r := subscribe(t, cfg, pipelines[i])
		defer func() { r.end(t); pipelines[i].Drain(); unsubscribe(t, cfg) }()
	}
	pub := publisher(t, url)
	// Other tests' messages pass through the group too, so the shares are not even: a
	// round may all go to one reader, but not round after round.
	a, b := &pipelines[0].Counters, &pipelines[1].Counters
	start := time.Now().Add(-time.Hour)
	rounds := 0
	for rounds < 50 && (a.Readings.Load() == 0 || b.Readings.Load() == 0) {
		rounds++
		for j := range tags {
			payload := codec.Append(nil, iot.Reading{At: start.Add(time.Duration(rounds) * time.Second)})
			if tok := pub.Publish(codec.TopicOf(tenant, fmt.Sprint("t", j)), 1, false, payload); tok.Wait() && tok.Error() != nil {
				t.Fatal(tok.Error())
			}
		}
		eventually(t, "all messages", func() bool { n, _ := store.Count(t.Context(), tenant, ""); return n == int64(rounds*tags) })
	}
	if a.Readings.Load() == 0 || b.Readings.Load() == 0 {
		t.Errorf("one reader took all: %d and %d", a.Readings.Load(), b.Readings.Load())
	}
	if took := a.Readings.Load() + b.Readings.Load(); took != int64(rounds*tags) {
		t.Errorf("the two readers took %d of %d messages", took, rounds*tags)
	}
}

func TestStrangersOnTheBroker(t *testing.T) {
	t.Parallel()
	url := mosquitto(t)
	tenant, herds := herdOf(t, 1)
	p := ingest.New(ingest.Config{Herds: herds, Series: &seriestest.Memory{}, Now: time.Now})
	cfg := ingest.SubscribeConfig{URL: url, ClientID: "furrow-test-" + tenant}
	r := subscribe(t, cfg, p)
	defer func() { r.end(t); p.Drain(); unsubscribe(t, cfg) }()
	pub := publisher(t, url)
	pub.Publish(codec.TopicOf(tenant, "stranger"), 1, false, codec.Append(nil, iot.Reading{At: time.Now()}))
	eventually(t, "the quarantine", func() bool {
		q, _ := herds.Quarantined(t.Context(), tenant, 0)
		return len(q) == 1 && q[0].Code == "reading.unknown_device"
	})
}

func TestBrokerNotThere(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- ingest.Subscribe(ctx, ingest.SubscribeConfig{URL: "tcp://127.0.0.1:1", ClientID: "x"}, ingest.New(ingest.Config{Now: time.Now}))
	}()
	select {
	case err := <-done:
		t.Error("gave up at once:", err)
	case <-time.After(100 * time.Millisecond):
	}
	cancel()
	if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
