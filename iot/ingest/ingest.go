// Package ingest takes messages from MQTT and keeps their readings and counts: a
// message is acknowledged to its sender only after what it holds is on disk, and
// what cannot be used is kept in quarantine with the reason.
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
	"github.com/furrowcredit/furrow/iot/ingest/spool"
	"github.com/furrowcredit/furrow/iot/series"
)

// Why a reading or a count goes to quarantine, beside the reasons of codec.
var (
	ErrTooOld     = fault.New(fault.Invalid, "reading.too_old", "the device time {ts} is more than 30 days ago: set the tag's clock")
	ErrFuture     = fault.New(fault.Invalid, "reading.future", "the device time {ts} is more than 5 minutes ahead: set the tag's clock")
	ErrNoDevice   = fault.New(fault.Forbidden, "reading.unknown_device", "the device {device} is not registered")
	ErrNoTag      = fault.New(fault.Invalid, "reading.no_tag", "a gateway must say which tag it heard")
	ErrUnknownTag = fault.New(fault.Invalid, "reading.unknown_tag", "the tag {tag} is not registered")
	ErrForeignTag = fault.New(fault.Forbidden, "reading.foreign_tag", "the device {device} may not publish for {tag}")
	ErrCountsOnly = fault.New(fault.Forbidden, "reading.counts_only", "the device {device} counts heads: it may publish counts only")
	ErrNoCounts   = fault.New(fault.Forbidden, "reading.no_counts", "this house keeps no counts")
)

// The times that a device may send, against the house's clock.
const (
	MaxAge   = 30 * 24 * time.Hour
	MaxAhead = 5 * time.Minute
)

// Counts keeps what cameras and gates counted. A count that it has already changes
// nothing.
type Counts interface {
	AddHeadcounts(ctx context.Context, counts []iot.Headcount) error
}

// Config wires a Pipeline.
type Config struct {
	Herds  iot.Store
	Series series.Store
	Counts Counts // nil refuses counts
	// House decodes the payloads; nil takes one without profiles. The pipeline answers
	// its questions about devices, unless it has another who does.
	House *codec.House
	// Judge turns the raw acceleration of a reading into what the animal did; it must
	// be safe for many goroutines. May be nil.
	Judge func(*iot.Reading)
	// Spool takes readings while Series is down; nil leaves them with their senders.
	Spool *spool.Spool
	// Grace is how long Series may be down before its readings go to the spool; 0 is 2 s.
	Grace time.Duration
	// Observe is told of readings after they are saved, one call at a time, in the
	// order of saving, and of those that the run before left in the spool when they
	// reach Series; it must not keep the slice. May be nil.
	Observe func([]iot.Reading)
	// Raise is told of devices that publish as others, and of the store's outages.
	// May be nil.
	Raise  func(ctx context.Context, e iot.Event) error
	Tenant string // whose alarm an outage of the store is
	Now    func() time.Time
	Log    *slog.Logger
}

// Counters count what went through since the start.
type Counters struct {
	Messages    atomic.Int64 // taken and acknowledged
	Readings    atomic.Int64 // saved, or in the spool
	Headcounts  atomic.Int64 // saved
	Quarantined atomic.Int64
	Dropped     atomic.Int64 // refused payloads beyond what is kept of one device
	Impostors   atomic.Int64
	Batches     atomic.Int64 // writes to the series store
	Retries     atomic.Int64 // of failed writes
	Spooled     atomic.Int64 // readings that went to the spool
	Recovered   atomic.Int64 // readings that went from the spool to the store

	mu      sync.Mutex
	reasons map[string]int64
}

// Reasons counts what was refused by the code of its reason, kept or not.
func (c *Counters) Reasons() map[string]int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make(map[string]int64, len(c.reasons))
	for code, n := range c.reasons {
		out[code] = n
	}
	return out
}

func (c *Counters) refuse(code string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reasons == nil {
		c.reasons = make(map[string]int64)
	}
	c.reasons[code]++
}

// Pipeline checks messages and saves their readings in shared batches.
type Pipeline struct {
	Counters Counters

	cfg     Config
	devices deviceCache
	refused quota // payloads kept of a device
	blamed  quota // reports of it
	// Bytes kept a day of a device, and of all.
	ofDevice, ofHouse quota
	clock             clock
	scratch           sync.Pool // of *[]codec.Item

	mu       sync.Mutex
	next     *batch
	spare    *batch
	running  bool
	draining bool
	ending   chan struct{} // closed by Drain: nothing is tried again after it
	ended    bool
	commits  sync.WaitGroup

	observing sync.Mutex
	left      int64 // bytes at most that the run before left in the spool; of the recovery

	down   atomic.Bool // readings go to the spool
	raised atomic.Bool // the alarm of it is open
}

// New returns a pipeline. It holds no goroutine while nothing waits to be saved.
// What a spool still holds of the run before is taken to the store at once.
func New(cfg Config) *Pipeline {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.House == nil {
		cfg.House = &codec.House{}
	}
	if cfg.Grace == 0 {
		cfg.Grace = 2 * time.Second
	}
	p := &Pipeline{cfg: cfg, next: newBatch(), ending: make(chan struct{})}
	p.refused = quota{most: keptPerMinute, unit: time.Minute}
	p.blamed = quota{most: toldPerMinute, unit: time.Minute}
	p.ofDevice = quota{most: deviceBytes, unit: 24 * time.Hour}
	p.ofHouse = quota{most: houseBytes, unit: 24 * time.Hour}
	p.scratch.New = func() any { return new([]codec.Item) }
	p.devices.init(cfg.Herds, cfg.Now)
	if cfg.House.Device == nil {
		cfg.House.Device = func(ctx context.Context, tenant, id string) (iot.Device, error) {
			return p.devices.get(ctx, tenant, id, tagFor)
		}
	}
	if cfg.Now != nil {
		p.clock.start(cfg.Now())
	}
	if cfg.Spool != nil && cfg.Spool.Bytes() > 0 {
		p.down.Store(true)
		p.raised.Store(true) // by the run before; it clears when the spool is empty
		p.left = cfg.Spool.Bytes()
		p.recover()
	}
	return p
}

// Device returns a registered device of the tenant; iot.ErrDeviceNotFound. Answers
// may be some seconds old, and have no secret.
func (p *Pipeline) Device(ctx context.Context, tenant, id string) (iot.Device, error) {
	return p.devices.get(ctx, tenant, id, publisherFor)
}

// Forget makes the next message of the device ask for its rights again. Call it when
// they have changed.
func (p *Pipeline) Forget(tenant, id string) { p.devices.forget(tenant, id) }

// Message is one MQTT message and who sent it.
type Message struct {
	Address  codec.Address
	Device   iot.Device
	Payload  []byte // not kept
	Received time.Time
}

// Source is who waits for the fate of messages: a connection.
type Source interface {
	// Done tells that everything of message id is on disk (nil), or why not: then it
	// must be sent again. Messages are told of in the order of Take. When it returns
	// true, Flush follows after the last Done of the commit. Neither may block.
	Done(id uint16, err error) (flush bool)
	Flush()
}

// Take takes one message and returns when its readings wait for the next write; from
// is told of it later, exactly once, unless Take returns an error. It blocks while
// more is waiting than one write takes. Messages of one sender must come one after
// another; their order stays. While a store is down it tries again until ctx ends;
// then it returns the store's error, and the sender must send again. from may be nil.
func (p *Pipeline) Take(ctx context.Context, m Message, id uint16, from Source) error {
	m.Received = m.Received.UTC().Truncate(time.Millisecond)
	scratch := p.scratch.Get().(*[]codec.Item) //nolint:forcetypeassert // it holds nothing else
	var err error
	items := (*scratch)[:0]
	defer func() {
		clear(items)
		*scratch = items[:0]
		p.scratch.Put(scratch)
	}()
	items, err = p.decode(ctx, m, items)
	switch {
	case err == nil:
	case !refusal(err):
		return err
	default:
		items = items[:0]
		if err := p.quarantine(ctx, m, m.Payload, err); err != nil {
			return err
		}
	}
	good := items[:0]
	var counts []iot.Headcount
	for i := range items {
		it := &items[i]
		err := it.Err
		switch {
		case err != nil:
		case it.Count != nil:
			if err = p.admitCount(m, it.Count); err == nil {
				counts = append(counts, *it.Count)
				continue
			}
		default:
			if err = p.admit(ctx, m, &it.Reading); err == nil {
				if len(good) != i {
					good = append(good, *it)
				} else {
					good = items[:i+1]
				}
				continue
			}
		}
		if !refusal(err) {
			return err
		}
		if err := p.quarantine(ctx, m, it.Raw, err); err != nil {
			return err
		}
	}
	if len(counts) > 0 {
		err := p.retry(ctx, func() error { return p.cfg.Counts.AddHeadcounts(ctx, counts) })
		switch {
		case err == nil:
			p.Counters.Headcounts.Add(int64(len(counts)))
		case !refusal(err):
			return err
		default: // all or none of a message; it must not come again for ever
			if err := p.quarantine(ctx, m, m.Payload, err); err != nil {
				return err
			}
		}
	}
	return p.enqueue(ctx, good, sender{from: from, id: id})
}

// decode reads the payload, again and again while what it needs for that is
// unavailable.
func (p *Pipeline) decode(ctx context.Context, m Message, dst []codec.Item) ([]codec.Item, error) {
	for wait := firstWait; ; wait = min(2*wait, maxWait) {
		items, err := p.cfg.House.Decode(ctx, m.Address, m.Device, m.Payload, m.Received, dst[:0])
		if err == nil || !errors.Is(err, fault.Unavailable) || !p.pause(ctx, wait) {
			return items, err
		}
		p.Counters.Retries.Add(1)
	}
}

// refusal tells whether err refuses the input, and not this try.
func refusal(err error) bool {
	return fault.Kind(err) != nil && !errors.Is(err, fault.Unavailable)
}

// Submit takes one message and waits until it can be acknowledged.
func (p *Pipeline) Submit(ctx context.Context, topic string, device iot.Device, payload []byte, received time.Time) error {
	address, err := codec.Parse(topic)
	if err != nil {
		address = codec.Address{Topic: topic, Format: codec.JSON, Tenant: device.Tenant, Device: device.ID}
	}
	return p.SubmitMessage(ctx, Message{Address: address, Device: device, Payload: payload, Received: received})
}

// SubmitMessage is Submit of a message whose address is known.
func (p *Pipeline) SubmitMessage(ctx context.Context, m Message) error {
	w := make(waiter, 1)
	if err := p.Take(ctx, m, 0, w); err != nil {
		return err
	}
	select {
	case err := <-w:
		return err
	case <-ctx.Done():
		select {
		case err := <-w:
			return err
		default:
			return series.ErrUnavailable.Because(ctx.Err())
		}
	}
}

// waiter is the Source of one message.
type waiter chan error

// Done implements Source.
func (w waiter) Done(_ uint16, err error) bool { w <- err; return false }

// Flush implements Source.
func (w waiter) Flush() {}

// admit completes a reading and checks its time and whether the device may send it.
func (p *Pipeline) admit(ctx context.Context, m Message, r *iot.Reading) error {
	r.Tenant, r.Received = m.Device.Tenant, m.Received
	if r.Source == "" {
		r.Source = string(m.Address.Format)
	}
	if err := p.may(ctx, m.Device, r); err != nil {
		return err
	}
	if err := p.clock.check(r.At, m.Received); err != nil {
		return err
	}
	if r.Motion != nil && p.cfg.Judge != nil {
		p.cfg.Judge(r)
	}
	r.Motion = nil
	return series.Check(r) // one reading that no store can hold must not hold up the others
}

// may checks that the device may speak for the reading's tag.
func (p *Pipeline) may(ctx context.Context, device iot.Device, r *iot.Reading) error {
	switch device.Kind {
	case iot.Camera, iot.Gate:
		return ErrCountsOnly.With("device", device.ID)
	case iot.Gateway, iot.Network:
	default:
		if r.Tag == "" {
			r.Tag = device.ID
		}
		if r.Tag != device.ID {
			p.Impostor(ctx, device, r.Tag)
			return ErrForeignTag.With("device", device.ID).With("tag", r.Tag)
		}
		return nil
	}
	if r.Tag == "" {
		return ErrNoTag
	}
	if device.Kind == iot.Gateway {
		r.Gateway = device.ID
	}
	err := p.speaksFor(ctx, device, r.Tag, tagFor)
	if refusal(err) { // by what may be minutes old: tags and gateways change hands
		if d, err := p.lookUp(ctx, device.Tenant, device.ID, unknownFor); err == nil {
			device.HerdID = d.HerdID
		}
		err = p.speaksFor(ctx, device, r.Tag, unknownFor)
	}
	if errors.Is(err, ErrForeignTag) {
		p.Impostor(ctx, device, r.Tag)
	}
	return err
}

// speaksFor checks that a gateway or a network server may publish for a tag, by what
// was true at most within ago. ErrUnknownTag, ErrForeignTag.
func (p *Pipeline) speaksFor(ctx context.Context, device iot.Device, id string, within time.Duration) error {
	tag, err := p.devices.get(ctx, device.Tenant, id, within)
	if errors.Is(err, fault.Unavailable) {
		tag, err = p.lookUp(ctx, device.Tenant, id, within)
	}
	switch {
	case errors.Is(err, iot.ErrDeviceNotFound), err == nil && tag.Revoked:
		return ErrUnknownTag.With("tag", id)
	case err != nil:
		return err
	case tag.Kind != iot.TagDevice, device.Kind == iot.Gateway && (tag.HerdID != device.HerdID || device.HerdID == ""):
		return ErrForeignTag.With("device", device.ID).With("tag", id)
	}
	return nil
}

// lookUp asks for a device until there is an answer or ctx ends.
func (p *Pipeline) lookUp(ctx context.Context, tenant, id string, within time.Duration) (d iot.Device, err error) {
	err = p.retry(ctx, func() (err error) {
		d, err = p.devices.get(ctx, tenant, id, within)
		return err
	})
	return d, err
}

// admitCount checks the window of a count; codec has checked its device.
func (p *Pipeline) admitCount(m Message, c *iot.Headcount) error {
	if p.cfg.Counts == nil {
		return ErrNoCounts
	}
	c.Received = m.Received
	if err := p.clock.check(c.From, m.Received); err != nil {
		return err
	}
	return p.clock.check(c.To, m.Received)
}

// clock judges device times. The house's own clock may be set while it runs, and
// nobody knows whether it was right before or is now: then a time is taken that is
// plausible by either.
type clock struct {
	wall    time.Time // at the start
	running time.Time // the same moment, by the machine's monotonic clock
}

func (c *clock) start(now time.Time) { c.wall, c.running = now, time.Now() }

func (c *clock) check(at, received time.Time) error {
	if !at.Before(received.Add(-MaxAge)) && !at.After(received.Add(MaxAhead)) {
		return nil
	}
	other := c.wall.Add(time.Since(c.running))
	switch early, late := at.Before(other.Add(-MaxAge)), at.After(other.Add(MaxAhead)); {
	case at.Before(received) && early:
		return ErrTooOld.With("ts", at.Format(time.RFC3339))
	case at.After(received) && late:
		return ErrFuture.With("ts", at.Format(time.RFC3339))
	}
	return nil
}

// Impostor reports that device tried to publish as someone else.
func (p *Pipeline) Impostor(ctx context.Context, device iot.Device, as string) {
	p.Counters.Impostors.Add(1)
	p.cfg.Log.Warn("a device published as another", "tenant", device.Tenant, "device", device.ID, "as", as)
	if p.cfg.Raise == nil || !p.blamed.take(deviceKey{device.Tenant, device.ID}, 1, p.cfg.Now()) {
		return
	}
	err := p.cfg.Raise(ctx, iot.Event{Tenant: device.Tenant, Kind: iot.Impostor, HerdID: device.HerdID,
		Subject: device.ID, Label: device.ID, At: p.cfg.Now().UTC(), Severity: "critical",
		Evidence: map[string]string{"device": device.ID, "as": as}})
	if err != nil {
		p.cfg.Log.Error("an impostor could not be reported", "device", device.ID, "error", err)
	}
}

// Refuse keeps the payload of a message in quarantine, whole.
func (p *Pipeline) Refuse(ctx context.Context, m Message, why error) error {
	return p.quarantine(ctx, m, m.Payload, why)
}

// quarantine keeps a refused payload; of a device that sends nothing else, some.
func (p *Pipeline) quarantine(ctx context.Context, m Message, raw []byte, why error) error {
	q := iot.Quarantined{Tenant: m.Device.Tenant, Topic: m.Address.Topic, Device: m.Device.ID,
		Code: "reading.refused", Reason: why.Error(), Received: m.Received}
	var f *fault.Error
	if errors.As(why, &f) {
		q.Code, q.Args = f.Code, f.Args
	}
	p.Counters.refuse(q.Code)
	raw = raw[:min(len(raw), maxKept)]
	from, size := deviceKey{m.Device.Tenant, m.Device.ID}, rowBytes+len(raw)
	if !p.refused.take(from, 1, m.Received) || !p.ofDevice.take(from, size, m.Received) || !p.ofHouse.take(deviceKey{}, size, m.Received) {
		p.Counters.Dropped.Add(1)
		return nil
	}
	q.ID, q.Payload = ident.New(), append([]byte(nil), raw...)
	if err := p.retry(ctx, func() error { return p.cfg.Herds.Quarantine(ctx, q) }); err != nil {
		return err
	}
	p.Counters.Quarantined.Add(1)
	return nil
}

// What a device that has gone mad may cost: bytes kept of one payload, payloads
// kept and reports made of it in a minute, bytes kept of it in a day, and of all devices.
const (
	maxKept       = 16 << 10
	keptPerMinute = 600
	toldPerMinute = 6
	deviceBytes   = 32 << 20
	houseBytes    = 256 << 20
	rowBytes      = 512 // of a payload's place in the database, about
)

// retry repeats f while what it needs is unavailable, until ctx ends.
func (p *Pipeline) retry(ctx context.Context, f func() error) error {
	for wait := firstWait; ; wait = min(2*wait, maxWait) {
		err := f()
		if err == nil || !errors.Is(err, fault.Unavailable) {
			return err
		}
		p.Counters.Retries.Add(1)
		if !p.pause(ctx, wait) {
			return err
		}
	}
}

// The pauses between tries.
const (
	firstWait = 50 * time.Millisecond
	maxWait   = 5 * time.Second
)

// pause waits, spread so that waiters do not return all at once; false when ctx or
// the pipeline ends.
func (p *Pipeline) pause(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait/2 + rand.N(wait))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-p.ending:
		return false
	case <-timer.C:
		return true
	}
}
