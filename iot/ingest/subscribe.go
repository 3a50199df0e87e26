package ingest

import (
	"context"
	"crypto/tls"
	"errors"
	"hash/fnv"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/codec"
)

// ErrBroker is returned when the external broker cannot be used as configured.
var ErrBroker = fault.New(fault.Invalid, "ingest.broker",
	"the MQTT broker {url} refuses the subscription: check its address, user, password and ACL")

// SubscribeConfig says which external broker to read from.
type SubscribeConfig struct {
	URL      string // tcp://host:port or ssl://host:port
	ClientID string // must stay the same from run to run: the broker keeps the session by it
	Username string
	Password string
	TLS      *tls.Config
	Share    string // group of a shared subscription; "" reads alone
	// Ready is called after each successful subscription. May be nil.
	Ready func()
	Log   *slog.Logger
}

// Filter is the topic filter that is subscribed to.
func (c SubscribeConfig) Filter() string {
	const all = "furrow/v1/+/+/telemetry"
	if c.Share == "" {
		return all
	}
	return "$share/" + c.Share + "/" + all
}

// lanes is how many messages are in work at once; the messages of one topic always
// take the same lane, so that their order stays.
const (
	lanes     = 64
	laneDepth = 256
)

// Subscribe reads all devices' messages from an external broker until ctx ends. The
// session outlives the connection, and a message is acknowledged to the broker only
// after it is saved. Which device may publish on which topic is the broker's ACL.
// A lost broker is connected to again, with a growing and spread pause; Subscribe
// returns an error only when the first connection is refused for good.
func Subscribe(ctx context.Context, cfg SubscribeConfig, p *Pipeline) error {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	ctx, stop := context.WithCancel(ctx)
	var workers sync.WaitGroup
	defer workers.Wait()
	defer stop()

	var lane [lanes]chan mqtt.Message
	for i := range lane {
		lane[i] = make(chan mqtt.Message, laneDepth)
		workers.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case m := <-lane[i]:
					if err := p.takeTopic(ctx, m.Topic(), m.Payload()); err != nil {
						if ctx.Err() == nil {
							cfg.Log.Error("a message could not be taken; the broker will send it again", "topic", m.Topic(), "error", err)
						}
						continue // without an Ack it comes again with the next connection
					}
					m.Ack()
				}
			}
		})
	}
	handle := func(_ mqtt.Client, m mqtt.Message) {
		h := fnv.New32a()
		_, _ = h.Write([]byte(m.Topic()))
		select {
		case lane[h.Sum32()%lanes] <- m:
		case <-ctx.Done():
		}
	}

	const first = 500 * time.Millisecond
	wait, ever := first, false
	for {
		lost := make(chan error, 1)
		client, err := connect(ctx, cfg, handle, lost)
		switch {
		case err == nil:
			wait, ever = first, true
			if cfg.Ready != nil {
				cfg.Ready()
			}
			select {
			case <-ctx.Done():
				client.Disconnect(250)
				return nil
			case err = <-lost:
				cfg.Log.Warn("the connection to the MQTT broker was lost", "url", cfg.URL, "error", err)
			}
		case ctx.Err() != nil:
			return nil
		case !ever && errors.Is(err, fault.Invalid):
			return err
		default:
			cfg.Log.Warn("the MQTT broker does not answer; trying again", "url", cfg.URL, "error", err)
		}
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

// connect makes a new client for each connection: an Ack of an older one then goes
// nowhere, instead of acknowledging another message that now has its number.
func connect(ctx context.Context, cfg SubscribeConfig, handle mqtt.MessageHandler, lost chan<- error) (mqtt.Client, error) {
	opts := mqtt.NewClientOptions().AddBroker(cfg.URL).SetClientID(cfg.ClientID).
		SetUsername(cfg.Username).SetPassword(cfg.Password).
		SetCleanSession(false).SetAutoAckDisabled(true).SetOrderMatters(true).
		SetAutoReconnect(false).SetConnectRetry(false).SetConnectTimeout(10 * time.Second).
		SetKeepAlive(30 * time.Second).SetPingTimeout(30 * time.Second).
		SetDefaultPublishHandler(handle). // also for messages that arrive before the subscription is confirmed
		SetConnectionLostHandler(func(_ mqtt.Client, err error) { lost <- err })
	if cfg.TLS != nil {
		opts.SetTLSConfig(cfg.TLS)
	}
	client := mqtt.NewClient(opts)
	wait := func(t mqtt.Token) error {
		select {
		case <-t.Done():
			return t.Error()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	refused := ErrBroker.With("url", cfg.URL)
	token := client.Connect().(*mqtt.ConnectToken)
	if err := wait(token); err != nil {
		client.Disconnect(0)
		switch token.ReturnCode() {
		case 2, 4, 5: // identifier rejected, bad user name or password, not authorized
			return nil, refused.Because(err)
		}
		return nil, err
	}
	sub := client.Subscribe(cfg.Filter(), 1, nil).(*mqtt.SubscribeToken)
	if err := wait(sub); err != nil {
		client.Disconnect(0)
		return nil, err
	}
	for _, code := range sub.Result() {
		if code > 2 {
			client.Disconnect(0)
			return nil, refused
		}
	}
	return client, nil
}

// takeTopic saves one message of the external broker; the topic names its device.
func (p *Pipeline) takeTopic(ctx context.Context, topic string, payload []byte) error {
	received := p.cfg.Now()
	m := Message{Payload: payload, Received: received, Address: codec.Address{Topic: topic}}
	tenant, id, err := codec.Topic(topic)
	if err != nil {
		return p.quarantine(ctx, m, payload, err)
	}
	device, err := p.lookUp(ctx, tenant, id, publisherFor)
	m.Device = iot.Device{Tenant: tenant, ID: id}
	switch {
	case errors.Is(err, iot.ErrDeviceNotFound), err == nil && device.Revoked:
		return p.quarantine(ctx, m, payload, ErrNoDevice.With("device", id))
	case err != nil:
		return err
	}
	return p.Submit(ctx, topic, device, payload, received)
}
