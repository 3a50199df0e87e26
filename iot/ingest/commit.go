package ingest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/codec"
	"github.com/furrowcredit/furrow/iot/ingest/spool"
	"github.com/furrowcredit/furrow/iot/series"
)

// maxBatch is about the most readings of one write. As many wait for the next while
// one is written; who comes then waits before Take returns.
const maxBatch = 5000

// writeLimit is how long one write may take before it counts as failed.
const writeLimit = 10 * time.Second

// batch gathers what goes to disk together.
type batch struct {
	readings []iot.Reading
	senders  []sender
	full     chan struct{} // closed when the batch is taken; nil while nobody waits for that
}

type sender struct {
	from    Source
	id      uint16
	verdict error
}

func newBatch() *batch { return &batch{} }

// Pass tells from the verdict on a message that is not taken, in its turn among
// those that are.
func (p *Pipeline) Pass(ctx context.Context, id uint16, from Source, verdict error) error {
	return p.enqueue(ctx, nil, sender{from, id, verdict})
}

// enqueue puts the readings of one message into the next batch.
func (p *Pipeline) enqueue(ctx context.Context, items []codec.Item, from sender) error {
	p.mu.Lock()
	for len(p.next.readings) >= maxBatch || len(p.next.senders) >= maxBatch {
		if p.next.full == nil {
			p.next.full = make(chan struct{})
		}
		full := p.next.full
		p.mu.Unlock()
		select {
		case <-full:
		case <-ctx.Done():
			return series.ErrUnavailable.Because(ctx.Err())
		}
		p.mu.Lock()
	}
	defer p.mu.Unlock()
	for i := range items {
		p.next.readings = append(p.next.readings, items[i].Reading)
	}
	p.next.senders = append(p.next.senders, from)
	if !p.running {
		p.running = true
		p.commits.Go(p.commit)
	}
	return nil
}

// take swaps the gathering batch for an empty one; nil when nobody waits.
func (p *Pipeline) take(done *batch) *batch {
	p.mu.Lock()
	defer p.mu.Unlock()
	if done != nil {
		clear(done.readings)
		clear(done.senders)
		done.readings, done.senders, done.full = done.readings[:0], done.senders[:0], nil
		p.spare = done
	}
	if len(p.next.senders) == 0 {
		p.running = false
		return nil
	}
	b := p.next
	if p.next = p.spare; p.next == nil {
		p.next = newBatch()
	}
	p.spare = nil
	if b.full != nil {
		close(b.full)
	}
	return b
}

// commit writes batches until nobody waits. While one batch is written the next
// one gathers, so that one fsync serves all who came meanwhile.
func (p *Pipeline) commit() {
	var touched []Source
	for b := p.take(nil); b != nil; b = p.take(b) {
		err := p.keep(b.readings)
		if refusal(err) {
			b.readings, err = p.sift(b.readings, err, p.keep)
		}
		if err == nil {
			p.Counters.Messages.Add(int64(len(b.senders)))
			p.Counters.Readings.Add(int64(len(b.readings)))
		} else {
			p.cfg.Log.Error("readings could not be saved; their senders keep them", "readings", len(b.readings), "error", err)
		}
		touched = touched[:0]
		for _, s := range b.senders {
			if s.from != nil && s.from.Done(s.id, cmp.Or(err, s.verdict)) {
				touched = append(touched, s.from)
			}
		}
		for i, s := range touched {
			s.Flush()
			touched[i] = nil
		}
		if err == nil {
			p.observe(b.readings)
		}
	}
}

// observe tells of saved readings, one call at a time.
func (p *Pipeline) observe(readings []iot.Reading) {
	if p.cfg.Observe == nil || len(readings) == 0 {
		return
	}
	p.observing.Lock()
	defer p.observing.Unlock()
	p.cfg.Observe(readings)
}

// keep brings readings to disk: to the store, or to the spool while it is down. It
// gives up only when the pipeline ends or the store refuses them. An error of which
// nobody knows the cause counts as an outage: it says nothing against the readings.
func (p *Pipeline) keep(readings []iot.Reading) error {
	if len(readings) == 0 {
		return nil
	}
	if p.down.Load() && p.spool(readings) {
		p.recover() // it may have ended between the two
		return nil
	}
	ctx := context.Background()
	started := time.Now()
	for wait := firstWait; ; wait = min(2*wait, maxWait) {
		err := p.write(ctx, readings)
		if err == nil {
			p.Counters.Batches.Add(1)
			return nil
		}
		if refusal(err) {
			return err
		}
		p.Counters.Retries.Add(1)
		if p.cfg.Spool != nil && time.Since(started) >= p.cfg.Grace && p.spool(readings) {
			if !p.down.Swap(true) {
				p.cfg.Log.Error("the telemetry store is down: readings go to the spool", "error", err)
			}
			p.recover()
			return nil
		}
		if !p.pause(ctx, wait) {
			return err
		}
	}
}

// sift saves, by ever smaller parts, what can be of readings that were refused
// together, and returns it; the others go to quarantine, each with its own reason.
// When not one can be saved it is the store that is wrong, and the first reason is
// returned.
func (p *Pipeline) sift(readings []iot.Reading, why error, write func([]iot.Reading) error) ([]iot.Reading, error) {
	type refused struct {
		reading *iot.Reading
		why     error
	}
	var bad []refused
	saved := make([]iot.Reading, 0, len(readings))
	var split func(part []iot.Reading, why error) error
	split = func(part []iot.Reading, why error) error {
		if len(part) == 1 {
			bad = append(bad, refused{&part[0], why})
			return nil
		}
		for _, half := range [][]iot.Reading{part[:len(part)/2], part[len(part)/2:]} {
			err := write(half)
			if err == nil {
				saved = append(saved, half...)
			} else if !refusal(err) {
				return err
			} else if err := split(half, err); err != nil {
				return err
			}
		}
		return nil
	}
	if err := split(readings, why); err != nil {
		return nil, err
	}
	if len(saved) == 0 {
		return nil, why
	}
	for _, b := range bad {
		r := b.reading
		m := Message{Device: iot.Device{Tenant: r.Tenant, ID: r.Tag}, Received: r.Received}
		if err := p.quarantine(context.Background(), m, codec.Append(nil, *r), b.why); err != nil {
			return nil, err
		}
	}
	return saved, nil
}

func (p *Pipeline) write(ctx context.Context, batch []iot.Reading) error {
	ctx, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	return p.cfg.Series.Write(ctx, batch)
}

// stored is a reading in the spool: with what its JSON leaves out.
type stored struct {
	Tenant string `json:"tenant"`
	iot.Reading
}

// spool appends the readings to the spool; false when it has no room.
func (p *Pipeline) spool(readings []iot.Reading) bool {
	if p.cfg.Spool == nil {
		return false
	}
	out := make([]stored, len(readings))
	for i, r := range readings {
		out[i] = stored{r.Tenant, r}
	}
	record, err := json.Marshal(out)
	if err == nil {
		err = p.cfg.Spool.Append(record)
	}
	if err != nil {
		p.cfg.Log.Error("the spool takes no readings; their senders keep them", "error", err)
		return false
	}
	p.Counters.Spooled.Add(int64(len(readings)))
	return true
}

// Down tells whether readings go to the spool, for the gauge of the metrics.
func (p *Pipeline) Down() bool { return p.down.Load() }

// recover starts to bring the spool to the store, unless that is going on.
func (p *Pipeline) recover() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.draining || p.ended {
		return
	}
	p.draining = true
	p.commits.Go(p.drainSpool)
}

// drainSpool writes what the spool holds, oldest first, until it is empty. As soon
// as the store takes a record, new readings go there again.
func (p *Pipeline) drainSpool() {
	ctx := context.Background()
	wait := firstWait
	for {
		if p.down.Load() {
			p.alarm(ctx, false)
		}
		record, err := p.cfg.Spool.Next()
		if errors.Is(err, spool.ErrEmpty) && p.alarm(ctx, true) && p.emptied() {
			return
		}
		if err == nil {
			err = p.restore(ctx, record)
		}
		if err == nil {
			if p.down.Swap(false) {
				p.cfg.Log.Info("the telemetry store is back: the spool is being written to it")
			}
			wait = firstWait
			continue
		}
		if !errors.Is(err, spool.ErrEmpty) && !errors.Is(err, fault.Unavailable) {
			p.cfg.Log.Error("the spool cannot be brought to the store; it is kept", "error", err)
			p.down.Store(false) // the store answers: what is new goes there
		}
		if !p.pause(ctx, wait) {
			p.mu.Lock()
			p.draining = false
			p.mu.Unlock()
			return
		}
		wait = min(2*wait, maxWait)
	}
}

// emptied ends the recovery unless something was spooled since Next.
func (p *Pipeline) emptied() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down.Store(false)
	if p.cfg.Spool.Bytes() > 0 {
		return false
	}
	p.draining = false
	return true
}

// restore writes one record of the spool to the store and lets the spool forget it.
func (p *Pipeline) restore(ctx context.Context, record []byte) error {
	var in []stored
	if err := json.Unmarshal(record, &in); err != nil {
		return err
	}
	readings := make([]iot.Reading, len(in))
	for i, s := range in {
		readings[i] = s.Reading
		readings[i].Tenant = s.Tenant
	}
	write := func(part []iot.Reading) error { return p.write(ctx, part) }
	err := write(readings)
	if refusal(err) {
		readings, err = p.sift(readings, err, write)
	}
	if err != nil {
		p.Counters.Retries.Add(1)
		return err
	}
	p.Counters.Batches.Add(1)
	p.Counters.Recovered.Add(int64(len(readings)))
	if p.left > 0 { // of a run before, whose watch is gone: this one has not heard of them
		p.left -= int64(len(record))
		p.observe(readings)
	}
	return p.cfg.Spool.Done()
}

// alarm opens or clears the alarm of the store's outage, once each; false when that
// must be tried again.
func (p *Pipeline) alarm(ctx context.Context, cleared bool) bool {
	if p.cfg.Raise == nil || p.raised.Load() != cleared {
		return true
	}
	e := iot.Event{Tenant: p.cfg.Tenant, Kind: iot.StoreDown, Subject: "telemetry", Label: "telemetry",
		At: p.cfg.Now().UTC(), Severity: "critical", Cleared: cleared}
	if !cleared {
		e.Evidence = map[string]string{"why": series.ErrUnavailable.Msg}
	}
	if err := p.cfg.Raise(ctx, e); err != nil {
		p.cfg.Log.Error("the outage of the telemetry store could not be reported", "error", err)
		return false
	}
	p.raised.Store(!cleared)
	return true
}

// Drain waits until nothing is being saved or observed, and gives up what a store
// that is down does not take; its senders keep it. Call it after the sources have
// stopped and before the stores are closed; the pipeline takes nothing after it.
func (p *Pipeline) Drain() {
	p.mu.Lock()
	if !p.ended {
		p.ended = true
		close(p.ending)
	}
	p.mu.Unlock()
	p.commits.Wait()
}
