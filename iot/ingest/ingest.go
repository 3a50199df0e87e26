// Package ingest takes messages from MQTT and keeps their readings: a message is
// acknowledged to its sender only after its readings are on disk, and what cannot
// be used is kept in quarantine with the reason.
package ingest

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/codec"
	"github.com/furrowcredit/furrow/iot/series"
)

// Why a reading goes to quarantine, beside the reasons of codec.
var (
	ErrTooOld     = fault.New(fault.Invalid, "reading.too_old", "the device time {ts} is more than 30 days ago: set the tag's clock")
	ErrFuture     = fault.New(fault.Invalid, "reading.future", "the device time {ts} is more than 5 minutes ahead: set the tag's clock")
	ErrNoDevice   = fault.New(fault.Forbidden, "reading.unknown_device", "the device {device} is not registered")
	ErrNoTag      = fault.New(fault.Invalid, "reading.no_tag", "a gateway must say which tag it heard")
	ErrUnknownTag = fault.New(fault.Invalid, "reading.unknown_tag", "the tag {tag} is not registered")
	ErrForeignTag = fault.New(fault.Forbidden, "reading.foreign_tag", "the device {device} may not publish for {tag}")
)

// The times that a device may send, against the house's clock.
const (
	MaxAge   = 30 * 24 * time.Hour
	MaxAhead = 5 * time.Minute
)

// maxBatch is the most readings of one write; more wait for the next.
const maxBatch = 5000

// Config wires a Pipeline.
type Config struct {
	Herds  iot.Store
	Series series.Store
	// Observe is told of readings after they are saved, one call at a time, in the
	// order of saving; it must not keep the slice. May be nil.
	Observe func([]iot.Reading)
	// Raise is told of devices that publish as others. May be nil.
	Raise func(ctx context.Context, e iot.Event) error
	Now   func() time.Time
	Log   *slog.Logger
}

// Counters count what went through since the start.
type Counters struct {
	Messages    atomic.Int64 // taken and acknowledged
	Readings    atomic.Int64 // saved
	Quarantined atomic.Int64
	Dropped     atomic.Int64 // refused payloads beyond what is kept of one device
	Impostors   atomic.Int64
	Batches     atomic.Int64 // writes to the series store
	Retries     atomic.Int64 // of failed writes
}

// Pipeline checks messages and saves their readings in shared batches.
type Pipeline struct {
	Counters Counters

	cfg     Config
	devices deviceCache
	refused quota
	blamed  quota

	mu      sync.Mutex
	waiting []*job
	running bool
	commits sync.WaitGroup
}

// job is one message that waits for its readings to be saved.
type job struct {
	readings []iot.Reading
	done     chan error
}

// New returns a pipeline. It holds no goroutine while nothing waits to be saved.
func New(cfg Config) *Pipeline {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	p := &Pipeline{cfg: cfg, refused: quota{most: keptPerMinute}, blamed: quota{most: toldPerMinute}}
	p.devices.init(cfg.Herds, cfg.Now)
	return p
}

// Device returns a registered device of the tenant; iot.ErrDeviceNotFound. Answers
// may be some seconds old.
func (p *Pipeline) Device(ctx context.Context, tenant, id string) (iot.Device, error) {
	return p.devices.get(ctx, tenant, id)
}

// Submit takes one message that device published on topic. It returns nil only
// when every usable reading is on disk and everything else is in quarantine, so
// the message can be acknowledged. While a store is down it tries again until ctx
// ends; then it returns the store's error, and the sender must send again.
func (p *Pipeline) Submit(ctx context.Context, topic string, device iot.Device, payload []byte, received time.Time) error {
	received = received.UTC().Truncate(time.Millisecond)
	items, err := codec.Decode(payload, nil)
	if err != nil {
		return p.taken(p.quarantine(ctx, topic, device, payload, received, err))
	}
	readings := make([]iot.Reading, 0, len(items))
	for i := range items {
		r, err := items[i].Reading, items[i].Err
		if err == nil {
			err = p.admit(ctx, device, &r, received)
		}
		switch {
		case err == nil:
			readings = append(readings, r)
		case fault.Kind(err) == nil || errors.Is(err, fault.Unavailable):
			return err
		default:
			if err := p.quarantine(ctx, topic, device, items[i].Raw, received, err); err != nil {
				return err
			}
		}
	}
	if len(readings) > 0 {
		err = p.retry(ctx, func() error { return p.save(ctx, readings) })
	}
	return p.taken(err)
}

// taken counts the message when it can be acknowledged.
func (p *Pipeline) taken(err error) error {
	if err == nil {
		p.Counters.Messages.Add(1)
	}
	return err
}

// admit completes a reading and checks its time and whether the device may send it.
func (p *Pipeline) admit(ctx context.Context, device iot.Device, r *iot.Reading, received time.Time) error {
	r.Tenant, r.Received = device.Tenant, received
	switch device.Kind {
	case iot.Gateway:
		if r.Tag == "" {
			return ErrNoTag
		}
		r.Gateway = device.ID
		var tag iot.Device
		err := p.retry(ctx, func() (err error) {
			tag, err = p.devices.get(ctx, device.Tenant, r.Tag)
			return err
		})
		if errors.Is(err, iot.ErrDeviceNotFound) {
			return ErrUnknownTag.With("tag", r.Tag)
		}
		if err != nil {
			return err
		}
		if tag.Kind != iot.TagDevice || tag.HerdID != device.HerdID {
			p.Impostor(ctx, device, r.Tag)
			return ErrForeignTag.With("device", device.ID).With("tag", r.Tag)
		}
	default:
		if r.Tag == "" {
			r.Tag = device.ID
		}
		if r.Tag != device.ID {
			p.Impostor(ctx, device, r.Tag)
			return ErrForeignTag.With("device", device.ID).With("tag", r.Tag)
		}
	}
	switch {
	case r.At.Before(received.Add(-MaxAge)):
		return ErrTooOld.With("ts", r.At.Format(time.RFC3339))
	case r.At.After(received.Add(MaxAhead)):
		return ErrFuture.With("ts", r.At.Format(time.RFC3339))
	}
	return nil
}

// Impostor reports that device tried to publish as someone else.
func (p *Pipeline) Impostor(ctx context.Context, device iot.Device, as string) {
	p.Counters.Impostors.Add(1)
	p.cfg.Log.Warn("a device published as another", "tenant", device.Tenant, "device", device.ID, "as", as)
	if p.cfg.Raise == nil || !p.blamed.take(device, p.cfg.Now()) {
		return
	}
	err := p.cfg.Raise(ctx, iot.Event{Tenant: device.Tenant, Kind: iot.Impostor, HerdID: device.HerdID,
		Subject: device.ID, Label: device.ID, At: p.cfg.Now().UTC(), Severity: "critical",
		Evidence: map[string]string{"device": device.ID, "as": as}})
	if err != nil {
		p.cfg.Log.Error("an impostor could not be reported", "device", device.ID, "error", err)
	}
}

// quarantine keeps a refused payload; of a device that sends nothing else, some.
func (p *Pipeline) quarantine(ctx context.Context, topic string, device iot.Device, raw []byte, received time.Time, why error) error {
	if !p.refused.take(device, received) {
		p.Counters.Dropped.Add(1)
		return nil
	}
	q := iot.Quarantined{ID: ident.New(), Tenant: device.Tenant, Topic: topic, Device: device.ID,
		Code: "reading.refused", Reason: why.Error(), Payload: append([]byte(nil), raw[:min(len(raw), maxKept)]...), Received: received}
	var f *fault.Error
	if errors.As(why, &f) {
		q.Code, q.Args = f.Code, f.Args
	}
	if err := p.retry(ctx, func() error { return p.cfg.Herds.Quarantine(ctx, q) }); err != nil {
		return err
	}
	p.Counters.Quarantined.Add(1)
	return nil
}

// What a device that has gone mad may cost: bytes kept of one payload, payloads
// kept and reports made of it in a minute.
const (
	maxKept       = 16 << 10
	keptPerMinute = 600
	toldPerMinute = 6
)

// retry repeats f while what it needs is unavailable, until ctx ends.
func (p *Pipeline) retry(ctx context.Context, f func() error) error {
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		err := f()
		if err == nil || !errors.Is(err, fault.Unavailable) {
			return err
		}
		p.Counters.Retries.Add(1)
		timer := time.NewTimer(wait/2 + rand.N(wait)) // spread, so that waiters do not return all at once
		select {
		case <-ctx.Done():
			timer.Stop()
			return err
		case <-timer.C:
		}
	}
}

// save puts the readings into the next batch and waits for it.
func (p *Pipeline) save(ctx context.Context, readings []iot.Reading) error {
	j := &job{readings: readings, done: make(chan error, 1)}
	p.mu.Lock()
	p.waiting = append(p.waiting, j)
	if !p.running {
		p.running = true
		ctx := context.WithoutCancel(ctx)
		p.commits.Go(func() { p.commit(ctx) })
	}
	p.mu.Unlock()
	// A batch is never given up half-way: its fate is known before the sender is answered.
	return <-j.done
}

// Drain waits until nothing is being saved or observed. Call it after the sources
// have stopped and before the stores are closed.
func (p *Pipeline) Drain() { p.commits.Wait() }

// commit writes batches until nobody waits. While one batch is written the next
// one gathers, so that one fsync serves all who came meanwhile.
func (p *Pipeline) commit(ctx context.Context) {
	var batch []iot.Reading
	for {
		p.mu.Lock()
		n, size := 0, 0
		for n < len(p.waiting) && (n == 0 || size+len(p.waiting[n].readings) <= maxBatch) {
			size += len(p.waiting[n].readings)
			n++
		}
		if n == 0 {
			p.running = false
			p.mu.Unlock()
			return
		}
		jobs := p.waiting[:n:n]
		p.waiting = p.waiting[n:]
		p.mu.Unlock()

		batch = batch[:0]
		for _, j := range jobs {
			batch = append(batch, j.readings...)
		}
		err := p.write(ctx, batch)
		if err == nil {
			p.Counters.Batches.Add(1)
			p.Counters.Readings.Add(int64(len(batch)))
		} else {
			p.cfg.Log.Error("readings could not be saved; they are kept and tried again", "readings", len(batch), "error", err)
		}
		for _, j := range jobs {
			j.done <- err
		}
		if err == nil && p.cfg.Observe != nil {
			p.cfg.Observe(batch)
		}
	}
}

// writeLimit is how long one write may take before it counts as failed.
const writeLimit = 30 * time.Second

func (p *Pipeline) write(ctx context.Context, batch []iot.Reading) error {
	ctx, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	return p.cfg.Series.Write(ctx, batch)
}
