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

// ErrNoCredential is returned for a device of the county that nobody registered.
var ErrNoCredential = errors.New("herd: no credential for device")

func (l Link) device(id string) (*device, error) {
	cred, ok := l.Credentials[id]
	if !ok {
		return nil, fmt.Errorf("%w %s", ErrNoCredential, id)
	}
	tenant, _, ok := strings.Cut(cred.Username, "/")
	if !ok {
		return nil, fmt.Errorf("herd: the user name %q of device %s has no tenant", cred.Username, id)
	}
	return &device{url: l.URL, cred: cred, topic: codec.TopicOf(tenant, id)}, nil
}

// counter is the connection of a camera or gate.
func (l Link) counter(id string) (*device, error) {
	d, err := l.device(id)
	if err == nil {
		tenant, _, _ := strings.Cut(d.cred.Username, "/")
		d.topic = codec.CountTopicOf(tenant, id)
	}
	return d, err
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

// moment is a time of the past at which tags sent, and how long after the one before.
type moment struct {
	at    time.Time
	since time.Duration
}

func (c *County) moments() []moment {
	var all []moment
	for t, step := c.epoch.Add(-History), sparse; t.Before(c.epoch); t = t.Add(step) {
		all = append(all, moment{t, step})
		if !t.Before(c.epoch.Add(-denseFor)) {
			step = dense
		}
	}
	return all
}

// Each calls f with all readings of the past in the order of time, a moment at a time,
// with the gateway that heard each.
func (c *County) Each(f func(at time.Time, readings []iot.Reading)) {
	for _, m := range c.moments() {
		var all []iot.Reading
		for i := range c.Ranches {
			r := &c.Ranches[i]
			for _, g := range r.Gateways {
				heard := c.heard(r, g, m, func(int) bool { return true })
				for k := range heard {
					heard[k].Gateway = g
				}
				all = append(all, heard...)
			}
		}
		f(m.at, all)
	}
}

// Pictures calls f with the counts of the past.
func (r *Ranch) Pictures(epoch time.Time, k Counter, f func(h iot.Headcount)) {
	first := epoch.Add(-History).UTC().Truncate(time.Hour)
	step := pictures
	if k.Kind == iot.Gate {
		step = time.Hour
	}
	for at := first; at.Before(epoch); at = at.Add(step) {
		if h, ok := r.Count(k, at); ok {
			f(h)
		}
	}
}

// messageMost is how many readings a gateway sends at once of what it kept: the
// product takes 2,000, in at most 512 KiB.
const messageMost = 1200

// Backfill publishes the past: what gateways, cameras and gates kept for days before
// the epoch. It returns when everything is acknowledged.
func (c *County) Backfill(ctx context.Context, link Link) error {
	moments := c.moments()
	var mu sync.Mutex
	done, total := 0, 0
	g, ctx := errgroup.WithContext(ctx)
	step := func(n int) {
		mu.Lock()
		defer mu.Unlock()
		done += n
		if link.Progress != nil {
			link.Progress(done, total)
		}
	}
	for i := range c.Ranches {
		r := &c.Ranches[i]
		total += (len(r.Gateways) + len(r.Counters)) * len(moments)
	}
	for i := range c.Ranches {
		r := &c.Ranches[i]
		for _, gateway := range r.Gateways {
			d, err := link.device(gateway)
			if err != nil {
				return err
			}
			g.Go(func() error {
				defer d.close()
				return c.keep(ctx, d, r, gateway, moments, step)
			})
		}
		for _, k := range r.Counters {
			d, err := link.counter(k.ID)
			if err != nil {
				return err
			}
			g.Go(func() error {
				defer d.close()
				payload := []byte{'['}
				r.Pictures(c.epoch, k, func(h iot.Headcount) { payload = append(codec.AppendCount(payload, h), ',') })
				payload[len(payload)-1] = ']'
				defer step(len(moments))
				return d.send(ctx, payload)
			})
		}
	}
	return g.Wait()
}

// keep sends what a gateway kept, many moments in a message.
func (c *County) keep(ctx context.Context, d *device, r *Ranch, gateway string, moments []moment, step func(int)) error {
	var kept []iot.Reading
	n := 0
	flush := func() error {
		if len(kept) > 0 {
			if err := d.send(ctx, codec.AppendAll(nil, kept)); err != nil {
				return err
			}
		}
		step(n)
		kept, n = kept[:0], 0
		return nil
	}
	for _, m := range moments {
		heard := c.heard(r, gateway, m, func(int) bool { return true })
		if len(kept)+len(heard) > messageMost {
			if err := flush(); err != nil {
				return err
			}
		}
		kept = append(kept, heard...)
		n++
	}
	return flush()
}

// heard is what a gateway hears at a moment from the tags that speak then. Tags have
// their own clocks, up to two seconds apart.
func (c *County) heard(r *Ranch, gateway string, m moment, speaks func(n int) bool) []iot.Reading {
	var readings []iot.Reading
	for n := range r.beasts {
		b := &r.beasts[n]
		if b.gateway != gateway || !speaks(n) {
			continue
		}
		if reading, _, ok := c.Reading(b.tag, m.at.Add(b.late), m.since); ok {
			readings = append(readings, reading)
		}
	}
	return readings
}

// countEvery is how often cameras of the living county take a picture.
const countEvery = 5 * time.Minute

// Live publishes from now on until ctx ends, each tag once in every interval, spread
// evenly over it, and the counts as they are made. now is the clock of the world; it
// returns ctx's error never, and others only when a device is refused.
func (c *County) Live(ctx context.Context, link Link, interval time.Duration, now func() time.Time) error {
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
				return c.speak(ctx, d, r, gateway, interval, now)
			})
		}
		for _, k := range r.Counters {
			d, err := link.counter(k.ID)
			if err != nil {
				return err
			}
			g.Go(func() error {
				defer d.close()
				return r.watch(ctx, d, k, now)
			})
		}
	}
	return g.Wait()
}

// speak sends what a gateway hears, slot by slot of the interval, until ctx ends.
func (c *County) speak(ctx context.Context, d *device, r *Ranch, gateway string, interval time.Duration, now func() time.Time) error {
	const slots = 30
	ticker := time.NewTicker(max(interval/slots, time.Millisecond))
	defer ticker.Stop()
	for slot := 0; ; slot = (slot + 1) % slots {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		// The own clocks of heard run up to two seconds and a bit ahead.
		readings := c.heard(r, gateway, moment{now().Add(-3 * time.Second), interval}, func(n int) bool { return n%slots == slot })
		if len(readings) == 0 {
			continue
		}
		if err := d.send(ctx, codec.AppendAll(nil, readings)); err != nil && ctx.Err() == nil {
			return err
		}
	}
}

// watch sends what a counter counts until ctx ends, the first at once.
func (r *Ranch) watch(ctx context.Context, d *device, k Counter, now func() time.Time) error {
	step := countEvery
	if k.Kind == iot.Gate {
		step = time.Hour
	}
	ticker := time.NewTicker(10 * time.Second)
	defer ticker.Stop()
	var last time.Time
	for {
		if at := now().UTC().Truncate(step); at.After(last) {
			last = at
			if h, ok := r.Count(k, at); ok {
				if err := d.send(ctx, codec.AppendCount(nil, h)); err != nil && ctx.Err() == nil {
					return err
				}
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}
