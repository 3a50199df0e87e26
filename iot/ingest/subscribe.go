package ingest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/codec"
)

// ErrBroker is returned when the external broker cannot be used as configured.
var ErrBroker = fault.New(fault.Invalid, "ingest.broker",
	"the MQTT broker {url} refuses the subscription: check its address, user, password and ACL")

// ErrOffline is returned for a command while there is no connection to the broker.
var ErrOffline = fault.New(fault.Unavailable, "ingest.offline", "the MQTT broker is not connected now: try again later")

// SubscribeConfig says which external broker to read from.
type SubscribeConfig struct {
	URL      string // tcp://host:port or ssl://host:port
	ClientID string // must stay the same from run to run: the broker keeps the session by it
	Username string
	Password string
	TLS      *tls.Config // of ssl; with Certificates the broker may know the house by them
	Share    string      // group of a shared subscription; "" reads alone
	// Formats are what is read; none means Furrow JSON and CBOR, and counts.
	Formats []codec.Format
	// Tenant is whose the topics are that name none: ChirpStack's and Sparkplug's.
	Tenant string
	// Line, when set, sends messages through the same connection.
	Line *Line
	// Ready is called after each successful subscription. May be nil.
	Ready func()
	Log   *slog.Logger
}

// Filters are the topic filters that are subscribed to. Those of Sparkplug are never
// shared: the messages of an edge node must be read in their order by one process.
func (c SubscribeConfig) Filters() []string {
	formats := c.Formats
	if len(formats) == 0 {
		formats = []codec.Format{codec.JSON, codec.CBOR, codec.Counts}
	}
	var out []string
	seen := make(map[string]bool)
	for _, f := range formats {
		for _, filter := range codec.Filters(f) {
			if c.Share != "" && f != codec.Sparkplug {
				filter = "$share/" + c.Share + "/" + filter
			}
			if !seen[filter] {
				seen[filter] = true
				out = append(out, filter)
			}
		}
	}
	return out
}

// Subscribe reads all devices' messages from an external broker until ctx ends. The
// session outlives the connection, and a message is acknowledged to the broker only
// after what it holds is saved; while nothing can be saved nothing is read. Which
// device may publish on which topic is the broker's ACL. A lost broker is connected
// to again, with a growing and spread pause; Subscribe returns an error only when the
// first connection is refused for good.
func Subscribe(ctx context.Context, cfg SubscribeConfig, p *Pipeline) error {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	const first = 500 * time.Millisecond
	wait, ever := first, false
	for {
		ready := func() {
			wait, ever = first, true
			if cfg.Ready != nil {
				cfg.Ready()
			}
		}
		err := attend(ctx, cfg, p, ready)
		switch {
		case ctx.Err() != nil:
			return nil
		case !ever && errors.Is(err, fault.Invalid):
			return err
		}
		cfg.Log.Warn("the MQTT broker is not connected; trying again", "url", cfg.URL, "error", err)
		timer := time.NewTimer(wait/2 + rand.N(wait))
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
		wait = min(2*wait, time.Minute)
	}
}

// attend reads one connection until it ends.
func attend(ctx context.Context, cfg SubscribeConfig, p *Pipeline, ready func()) error {
	l, err := dial(ctx, cfg)
	if err != nil {
		return err
	}
	defer l.end()
	// A message that waits for the pipeline must not keep a lost connection alive.
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	defer context.AfterFunc(ctx, l.hangUp)()
	l.beat(ctx)
	if err := l.subscribe(cfg.Filters()); err != nil {
		return err
	}
	if cfg.Line != nil {
		cfg.Line.set(l)
		defer cfg.Line.set(nil)
	}
	known := addresses{tenant: cfg.Tenant, by: make(map[string]codec.Address)}
	for {
		pk, err := l.read()
		if err != nil {
			return err
		}
		switch pk.first >> 4 {
		case typePublish:
			if err := l.take(ctx, p, &known, pk); err != nil {
				cfg.Log.Error("a message could not be taken; the broker will send it again", "error", err)
				return err
			}
		case typeSuback:
			for _, code := range pk.body[min(2, len(pk.body)):] {
				if code != 1 { // refused, or with QoS 0 that loses without a word
					return ErrBroker.With("url", cfg.URL).Because(fmt.Errorf("a subscription with QoS 1 is answered with %#x", code))
				}
			}
			ready()
		}
	}
}

// take hands one message to the pipeline.
func (l *link) take(ctx context.Context, p *Pipeline, known *addresses, pk packet) error {
	topic, id, payload, err := pk.publish()
	if err != nil {
		return err
	}
	var from Source
	if id != 0 {
		if err := l.receipts.Acquire(ctx); err != nil {
			return err
		}
		from = l.receipts
	}
	m := Message{Payload: payload, Received: p.cfg.Now()}
	err = p.address(ctx, known, topic, &m)
	switch {
	case err == nil:
		return p.Take(ctx, m, id, from)
	case !refusal(err):
		return err
	}
	if err := p.Refuse(ctx, m, err); err != nil {
		return err
	}
	return p.Pass(ctx, id, from, nil)
}

// addresses remembers what topics say: devices publish on the same ones for ever.
type addresses struct {
	tenant string
	by     map[string]codec.Address
}

const maxAddresses = 200_000

func (k *addresses) of(topic []byte) (codec.Address, error) {
	if a, ok := k.by[string(topic)]; ok {
		return a, nil
	}
	a, err := codec.Parse(string(topic))
	if err != nil {
		return codec.Address{Topic: string(topic)}, err
	}
	if a.Tenant == "" {
		a.Tenant = k.tenant
	}
	if len(k.by) >= maxAddresses {
		clear(k.by)
	}
	k.by[a.Topic] = a
	return a, nil
}

// address finds out where and who a message is from; the topic names its device.
func (p *Pipeline) address(ctx context.Context, known *addresses, topic []byte, m *Message) (err error) {
	if m.Address, err = known.of(topic); err != nil {
		m.Device.Tenant = known.tenant
		return err
	}
	a := m.Address
	m.Device = iot.Device{Tenant: a.Tenant, ID: a.Device}
	d, err := p.devices.get(ctx, a.Tenant, a.Device, publisherFor)
	if errors.Is(err, fault.Unavailable) {
		d, err = p.lookUp(ctx, a.Tenant, a.Device, publisherFor)
	}
	switch {
	case errors.Is(err, iot.ErrDeviceNotFound), err == nil && d.Revoked:
		return ErrNoDevice.With("device", a.Device)
	case err != nil:
		return err
	}
	m.Device = d
	return nil
}
