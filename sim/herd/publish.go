package herd

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"golang.org/x/sync/errgroup"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/codec"
)

// Link is how devices reach the product.
type Link struct {
	URL         string                    // of the broker, tcp://host:port
	Credentials map[string]iot.Credential // by device
	Progress    func(done, total int)     // may be nil
}

// Keys sorts credentials by device.
func Keys(lists ...[]iot.Credential) map[string]iot.Credential {
	m := make(map[string]iot.Credential)
	for _, l := range lists {
		for _, c := range l {
			m[c.DeviceID] = c
		}
	}
	return m
}

// device is one MQTT connection that keeps trying until its message is acknowledged.
type device struct {
	url    string
	cred   iot.Credential
	topic  string
	client mqtt.Client
}

func (l Link) device(id string) (*device, error) {
	cred, ok := l.Credentials[id]
	if !ok {
		return nil, fmt.Errorf("herd: no credential for device %s", id)
	}
	tenant, _, ok := strings.Cut(cred.Username, "/")
	if !ok {
		return nil, fmt.Errorf("herd: the user name %q of device %s has no tenant", cred.Username, id)
	}
	return &device{url: l.URL, cred: cred, topic: codec.TopicOf(tenant, id)}, nil
}

// send publishes at QoS 1 and returns when the message is acknowledged. While the
// broker is away it tries again, as a gateway does that keeps its readings.
func (d *device) send(ctx context.Context, payload []byte) error {
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		err := d.try(ctx, payload)
		if err == nil || ctx.Err() != nil {
			return ctx.Err()
		}
		if errors.Is(err, errRefused) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait/2 + rand.N(wait)):
		}
	}
}

var errRefused = errors.New("herd: the broker refuses the device's credentials")

func (d *device) try(ctx context.Context, payload []byte) error {
	if d.client == nil || !d.client.IsConnectionOpen() {
		d.close()
		d.client = mqtt.NewClient(mqtt.NewClientOptions().AddBroker(d.url).SetClientID(d.cred.Username).
			SetUsername(d.cred.Username).SetPassword(d.cred.Secret).SetAutoReconnect(false).SetConnectTimeout(5 * time.Second))
		token := d.client.Connect().(*mqtt.ConnectToken)
		if err := wait(ctx, token); err != nil {
			if code := token.ReturnCode(); code == 4 || code == 5 {
				return errRefused
			}
			return err
		}
	}
	err := wait(ctx, d.client.Publish(d.topic, 1, false, payload))
	if err != nil {
		d.close() // its answer may still come: a new connection starts clean
	}
	return err
}

func (d *device) close() {
	if d.client != nil {
		d.client.Disconnect(50)
		d.client = nil
	}
}

// ackLimit is how long a device waits for its PUBACK before it connects anew.
const ackLimit = 30 * time.Second

func wait(ctx context.Context, t mqtt.Token) error {
	timer := time.NewTimer(ackLimit)
	defer timer.Stop()
	select {
	case <-t.Done():
		return t.Error()
	case <-timer.C:
		return errors.New("herd: no answer of the broker")
	case <-ctx.Done():
		return ctx.Err()
	}
}

// moments are the times of the past at which tags sent.
func (c *County) moments() []time.Time {
	var all []time.Time
	for t := c.epoch.Add(-History); t.Before(c.epoch); {
		all = append(all, t)
		if t.Before(c.epoch.Add(-denseFor)) {
			t = t.Add(sparse)
		} else {
			t = t.Add(dense)
		}
	}
	return all
}

// Backfill publishes the past: what the gateways kept for two days before the epoch.
// It returns when everything is acknowledged.
func (c *County) Backfill(ctx context.Context, link Link) error {
	moments := c.moments()
	var mu sync.Mutex
	done, total := 0, 0
	g, ctx := errgroup.WithContext(ctx)
	for i := range c.Ranches {
		r := &c.Ranches[i]
		for _, gateway := range r.Gateways {
			total += len(moments)
			d, err := link.device(gateway)
			if err != nil {
				return err
			}
			g.Go(func() error {
				defer d.close()
				for _, at := range moments {
					if payload := c.heard(r, gateway, at, func(int) bool { return true }); payload != nil {
						if err := d.send(ctx, payload); err != nil {
							return err
						}
					}
					mu.Lock()
					done++
					if link.Progress != nil {
						link.Progress(done, total)
					}
					mu.Unlock()
				}
				return nil
			})
		}
	}
	return g.Wait()
}

// heard is the message of what a gateway hears at a moment from the tags that speak
// then; nil when it hears none.
func (c *County) heard(r *Ranch, gateway string, at time.Time, speaks func(n int) bool) []byte {
	var readings []iot.Reading
	for n := range r.beasts {
		if r.beasts[n].gateway != gateway || !speaks(n) {
			continue
		}
		// Tags have their own clocks, up to two seconds apart.
		own := at.Add(time.Duration(r.beasts[n].seed%2000) * time.Millisecond)
		if reading, _, ok := c.Reading(r.beasts[n].tag, own); ok {
			readings = append(readings, reading)
		}
	}
	if len(readings) == 0 {
		return nil
	}
	return codec.AppendAll(nil, readings)
}

// Live publishes from now on until ctx ends, each tag once in every interval, spread
// evenly over it. now is the clock of the world; it returns ctx's error never, and
// others only when a device is refused.
func (c *County) Live(ctx context.Context, link Link, interval time.Duration, now func() time.Time) error {
	const slots = 30
	g, ctx := errgroup.WithContext(ctx)
	for i := range c.Ranches {
		r := &c.Ranches[i]
		for _, gateway := range r.Gateways {
			d, err := link.device(gateway)
			if err != nil {
				return err
			}
			g.Go(func() error {
				defer d.close()
				ticker := time.NewTicker(max(interval/slots, time.Millisecond))
				defer ticker.Stop()
				for slot := 0; ; slot = (slot + 1) % slots {
					select {
					case <-ctx.Done():
						return nil
					case <-ticker.C:
					}
					// The own clocks of heard run up to two seconds ahead.
					payload := c.heard(r, gateway, now().Add(-2*time.Second), func(n int) bool { return n%slots == slot })
					if payload == nil {
						continue
					}
					if err := d.send(ctx, payload); err != nil && ctx.Err() == nil {
						return err
					}
				}
			})
		}
	}
	return g.Wait()
}
