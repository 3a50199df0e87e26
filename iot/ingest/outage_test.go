package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/codec"
	"github.com/furrowcredit/furrow/iot/ingest"
	"github.com/furrowcredit/furrow/iot/ingest/spool"
	"github.com/furrowcredit/furrow/iot/series"
	"github.com/furrowcredit/furrow/iot/series/seriestest"
)

// outage is a pipeline whose store can be taken down.
type outage struct {
	*ingest.Pipeline
	down     atomic.Bool
	store    *seriestest.Memory
	spool    *spool.Spool
	mu       sync.Mutex
	events   []string
	order    []string // of writes: the tags' times
	observed int
}

func openSpool(t *testing.T, dir string, most int64) *spool.Spool {
	t.Helper()
	s, err := spool.Open(dir, most)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ordered is a store that remembers the order of what it took.
type ordered struct {
	*seriestest.Memory
	o *outage
}

func (s ordered) Write(ctx context.Context, r []iot.Reading) error {
	if err := s.Memory.Write(ctx, r); err != nil {
		return err
	}
	s.o.mu.Lock()
	defer s.o.mu.Unlock()
	for _, r := range r {
		s.o.order = append(s.o.order, r.At.Format("15:04:05"))
	}
	return nil
}

func newOutage(t *testing.T, dir string, most int64) *outage {
	t.Helper()
	o := &outage{spool: openSpool(t, dir, most)}
	o.store = &seriestest.Memory{Fail: func() error {
		if o.down.Load() {
			return series.ErrUnavailable
		}
		return nil
	}}
	o.run(t)
	return o
}

func (o *outage) run(t *testing.T) {
	t.Helper()
	o.Pipeline = ingest.New(ingest.Config{Herds: register(t), Series: ordered{o.store, o}, Spool: o.spool, Grace: time.Millisecond, Tenant: "bank",
		Now: func() time.Time { return now },
		Observe: func(r []iot.Reading) {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.observed += len(r)
		},
		Raise: func(_ context.Context, e iot.Event) error {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.events = append(o.events, fmt.Sprint(e.Tenant, " ", e.Kind, " ", e.Cleared))
			return nil
		}})
}

// send submits a reading of the nth second.
func (o *outage) send(ctx context.Context, n int) error {
	return o.Submit(ctx, codec.TopicOf("x", "t1"), iot.Device{ID: "t1", Tenant: "x", Kind: iot.TagDevice},
		[]byte(`{"ts":`+ms(now.Add(time.Duration(n-300)*time.Second))+`,"temp_c":30}`), now)
}

func (o *outage) count(t *testing.T) int64 {
	t.Helper()
	n, err := o.store.Count(t.Context(), "x", "t1")
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (o *outage) told() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]string(nil), o.events...)
}

func TestSpool(t *testing.T) {
	t.Parallel()
	o := newOutage(t, t.TempDir(), 1<<20)
	if err := o.send(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	o.down.Store(true)
	for i := 1; i <= 20; i++ {
		if err := o.send(t.Context(), i); err != nil {
			t.Fatal("not taken while the store is down:", err)
		}
	}
	if o.count(t) != 1 || !o.Down() || o.Counters.Spooled.Load() != 20 || o.spool.Bytes() == 0 {
		t.Errorf("%d in the store, %d spooled, down %v", o.count(t), o.Counters.Spooled.Load(), o.Down())
	}
	eventually(t, "the watch sees what is spooled", func() bool { o.mu.Lock(); defer o.mu.Unlock(); return o.observed == 21 })
	eventually(t, "the alarm", func() bool { return len(o.told()) == 1 })
	o.down.Store(false)
	eventually(t, "the recovery", func() bool { return o.count(t) == 21 && o.spool.Bytes() == 0 && !o.Down() })
	eventually(t, "the end of the alarm", func() bool { return len(o.told()) == 2 })
	if e := o.told(); e[0] != "bank store_down false" || e[1] != "bank store_down true" {
		t.Errorf("told %v", e)
	}
	if err := o.send(t.Context(), 21); err != nil || o.count(t) != 22 || o.Counters.Recovered.Load() != 20 {
		t.Errorf("%v: %d in the store, %d recovered", err, o.count(t), o.Counters.Recovered.Load())
	}
	o.Drain()
	for i, at := range o.order {
		if i > 0 && at <= o.order[i-1] {
			t.Fatalf("written out of order: %v", o.order)
		}
	}
	readings, err := o.store.Range(t.Context(), "x", "t1", now.Add(-time.Hour), now, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range readings {
		if r.Temp == nil || *r.Temp != 30 || r.Source != "json" || !r.Received.Equal(now) {
			t.Fatalf("the spool has changed a reading: %+v", r)
		}
	}
}

// TestSpoolOutlivesTheProcess ends the process while the store is down: the next one
// brings what was acknowledged to the store, beside what comes anew.
func TestSpoolOutlivesTheProcess(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "spool")
	o := newOutage(t, dir, 1<<20)
	o.down.Store(true)
	for i := range 30 {
		if err := o.send(t.Context(), i); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the alarm", func() bool { return len(o.told()) == 1 })
	o.Drain()
	if err := o.spool.Close(); err != nil {
		t.Fatal(err)
	}
	o.spool = openSpool(t, dir, 1<<20)
	defer o.spool.Close()
	o.observed = 0
	o.run(t)
	if err := o.send(t.Context(), 30); err != nil {
		t.Fatal(err)
	}
	if len(o.told()) != 1 {
		t.Errorf("the alarm was told again: %v", o.told())
	}
	o.down.Store(false)
	eventually(t, "the recovery", func() bool { return o.count(t) == 31 && o.spool.Bytes() == 0 })
	eventually(t, "the end of the alarm", func() bool { e := o.told(); return len(e) == 2 && e[1] == "bank store_down true" })
	o.Drain()
	if o.observed < 31 {
		t.Errorf("the watch was told of %d readings: it slept through those that were left", o.observed)
	}
}

// TestSpoolFull wants no acknowledgement when there is no room, and nothing lost when
// there is again.
func TestSpoolFull(t *testing.T) {
	t.Parallel()
	o := newOutage(t, t.TempDir(), 2000)
	o.down.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	taken := 0
	for ; taken < 1000; taken++ {
		if err := o.send(ctx, taken); err != nil {
			if !errors.Is(err, fault.Unavailable) {
				t.Error(err)
			}
			break
		}
	}
	if taken == 0 || taken > 20 || o.spool.Bytes() > 2000 {
		t.Errorf("%d taken into %d bytes", taken, o.spool.Bytes())
	}
	o.down.Store(false)
	for i := taken; i < 50; i++ {
		if err := o.send(t.Context(), i); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "everything in the store", func() bool { return o.count(t) == 50 })
	o.Drain()
}

// TestShortOutage does not reach the spool, and raises nothing.
func TestShortOutage(t *testing.T) {
	t.Parallel()
	var fails atomic.Int64
	s := openSpool(t, t.TempDir(), 1<<20)
	defer s.Close()
	p := ingest.New(ingest.Config{Herds: register(t), Spool: s, Now: func() time.Time { return now },
		Series: &seriestest.Memory{Fail: func() error {
			if fails.Add(1) == 1 {
				return series.ErrUnavailable
			}
			return nil
		}},
		Raise: func(_ context.Context, e iot.Event) error { t.Error("raised", e); return nil }})
	if err := p.Submit(t.Context(), codec.TopicOf("x", "t1"), iot.Device{ID: "t1", Tenant: "x", Kind: iot.TagDevice}, []byte(`{"ts":`+ms(now)+`}`), now); err != nil {
		t.Fatal(err)
	}
	p.Drain()
	if p.Counters.Spooled.Load() != 0 || p.Counters.Retries.Load() != 1 {
		t.Errorf("%d spooled after %d retries", p.Counters.Spooled.Load(), p.Counters.Retries.Load())
	}
}

// TestDrainGivesUp wants the end not to wait for a store that does not come back.
func TestDrainGivesUp(t *testing.T) {
	t.Parallel()
	var tried sync.Once
	first := make(chan struct{})
	p := ingest.New(ingest.Config{Herds: register(t), Now: func() time.Time { return now },
		Series: &seriestest.Memory{Fail: func() error { tried.Do(func() { close(first) }); return series.ErrUnavailable }}})
	done := make(chan error, 1)
	go func() {
		done <- p.Submit(context.Background(), codec.TopicOf("x", "t1"), iot.Device{ID: "t1", Tenant: "x", Kind: iot.TagDevice}, []byte(`{"ts":`+ms(now)+`}`), now)
	}()
	<-first
	p.Drain()
	if err := <-done; !errors.Is(err, fault.Unavailable) {
		t.Error("acknowledged:", err)
	}
}
