package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/codec"
	"github.com/furrowcredit/furrow/iot/ingest"
	"github.com/furrowcredit/furrow/iot/iottest"
	"github.com/furrowcredit/furrow/iot/series"
	"github.com/furrowcredit/furrow/iot/series/seriestest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var now = time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)

func register(tb testing.TB) *iottest.Store {
	tb.Helper()
	s := &iottest.Store{}
	device := func(id, herd string, kind iot.DeviceKind) iot.Device {
		return iot.Device{ID: id, Tenant: "x", Kind: kind, HerdID: herd, SecretHash: iot.HashSecret("secret-" + id)}
	}
	devices := []iot.Device{device("g1", "h", iot.Gateway), device("other", "h2", iot.TagDevice)}
	for i := range 300 {
		devices = append(devices, device(fmt.Sprint("t", i), "h", iot.TagDevice))
	}
	if err := s.AddHerd(context.Background(), iot.Herd{ID: "h", Tenant: "x"}, nil, devices); err != nil {
		tb.Fatal(err)
	}
	return s
}

func get(tb testing.TB, s *iottest.Store, id string) iot.Device {
	tb.Helper()
	d, err := s.Device(context.Background(), "x", id)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

func ms(t time.Time) string { return fmt.Sprint(t.UnixMilli()) }

func TestSubmit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, device, payload string
		readings              int64
		quarantined           []string // codes, newest first
		impostor              bool
	}{
		{"a tag needs no name", "t1", `{"ts":` + ms(now) + `}`, 1, nil, false},
		{"a tag with its name", "t1", `{"tag":"t1","ts":` + ms(now) + `}`, 1, nil, false},
		{"a gateway for its tags", "g1", `[{"tag":"t1","ts":` + ms(now) + `},{"tag":"t2","ts":` + ms(now) + `}]`, 2, nil, false},
		{"a tag as another", "t1", `{"tag":"t2","ts":` + ms(now) + `}`, 0, []string{"reading.foreign_tag"}, true},
		{"a gateway for another herd's tag", "g1", `[{"tag":"other","ts":` + ms(now) + `},{"tag":"t2","ts":` + ms(now) + `}]`, 1, []string{"reading.foreign_tag"}, true},
		{"a gateway for a gateway", "g1", `{"tag":"g1","ts":` + ms(now) + `}`, 0, []string{"reading.foreign_tag"}, true},
		{"a gateway for nobody", "g1", `{"ts":` + ms(now) + `}`, 0, []string{"reading.no_tag"}, false},
		{"a tag nobody knows", "g1", `{"tag":"stray","ts":` + ms(now) + `}`, 0, []string{"reading.unknown_tag"}, false},
		{"40 days ahead", "t1", `{"ts":` + ms(now.AddDate(0, 0, 40)) + `}`, 0, []string{"reading.future"}, false},
		{"6 minutes ahead", "t1", `{"ts":` + ms(now.Add(6*time.Minute)) + `}`, 0, []string{"reading.future"}, false},
		{"4 minutes ahead", "t1", `{"ts":` + ms(now.Add(4*time.Minute)) + `}`, 1, nil, false},
		{"31 days ago", "t1", `{"ts":` + ms(now.AddDate(0, 0, -31)) + `}`, 0, []string{"reading.too_old"}, false},
		{"29 days ago", "t1", `{"ts":` + ms(now.AddDate(0, 0, -29)) + `}`, 1, nil, false},
		{"1970", "t1", `{"ts":0}`, 0, []string{"reading.too_old"}, false},
		{"no JSON", "t1", "\x00\x01\x02", 0, []string{"reading.payload"}, false},
		{"one bad of three", "g1", `[{"tag":"t1","ts":` + ms(now) + `},{"tag":"t2","ts":` + ms(now) + `,"lon":999,"lat":0},{"tag":"t3"}]`, 1, []string{"reading.no_time", "reading.field"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			herds, store := register(t), &seriestest.Memory{}
			var raised []iot.Event
			p := ingest.New(ingest.Config{Herds: herds, Series: store, Now: func() time.Time { return now },
				Raise: func(_ context.Context, e iot.Event) error { raised = append(raised, e); return nil }})
			if err := p.Submit(t.Context(), codec.TopicOf("x", c.device), get(t, herds, c.device), []byte(c.payload), now); err != nil {
				t.Fatal(err)
			}
			if n, _ := store.Count(t.Context(), "x", ""); n != c.readings || p.Counters.Readings.Load() != n {
				t.Errorf("%d readings saved, want %d", n, c.readings)
			}
			q, _ := herds.Quarantined(t.Context(), "x", 0)
			var codes []string
			for _, q := range q {
				codes = append(codes, q.Code)
				if len(q.Payload) == 0 || q.Reason == "" || q.Device != c.device || !q.Received.Equal(now) {
					t.Errorf("quarantined as %+v", q)
				}
			}
			if strings.Join(codes, " ") != strings.Join(c.quarantined, " ") || p.Counters.Quarantined.Load() != int64(len(codes)) {
				t.Errorf("quarantined %v, want %v", codes, c.quarantined)
			}
			if (len(raised) == 1 && raised[0].Kind == iot.Impostor && raised[0].Subject == c.device) != c.impostor {
				t.Errorf("raised %+v", raised)
			}
		})
	}
}

func TestReadingKeepsItsSource(t *testing.T) {
	t.Parallel()
	herds, store := register(t), &seriestest.Memory{}
	p := ingest.New(ingest.Config{Herds: herds, Series: store, Now: func() time.Time { return now }})
	if err := p.Submit(t.Context(), "", get(t, herds, "g1"), []byte(`{"tag":"t1","ts":`+ms(now.Add(-time.Hour))+`}`), now); err != nil {
		t.Fatal(err)
	}
	got, _ := store.Latest(t.Context(), "x", []string{"t1"})
	if r := got["t1"]; r.Gateway != "g1" || !r.Received.Equal(now) || !r.At.Equal(now.Add(-time.Hour)) {
		t.Errorf("%+v", r)
	}
}

// slow is a store that counts its writes and waits for each.
type slow struct {
	seriestest.Memory
	writes atomic.Int64
	gate   chan struct{}
}

func (s *slow) Write(ctx context.Context, r []iot.Reading) error {
	s.writes.Add(1)
	<-s.gate
	return s.Memory.Write(ctx, r)
}

func TestManyShareOneWrite(t *testing.T) {
	t.Parallel()
	herds, store := register(t), &slow{gate: make(chan struct{})}
	observed := 0
	p := ingest.New(ingest.Config{Herds: herds, Series: store, Now: func() time.Time { return now },
		Observe: func(r []iot.Reading) { observed += len(r) }})
	const n = 300
	var wg sync.WaitGroup
	var started, answered atomic.Int64
	for i := range n {
		d := get(t, herds, fmt.Sprint("t", i))
		wg.Go(func() {
			started.Add(1)
			if err := p.Submit(context.Background(), "", d, []byte(`{"ts":`+ms(now)+`}`), now); err != nil {
				t.Error(err)
			}
			answered.Add(1)
		})
	}
	for store.writes.Load() == 0 || started.Load() < n {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(50 * time.Millisecond) // let the last ones queue behind the first write
	if answered.Load() != 0 {
		t.Error("answered before the write was done")
	}
	close(store.gate)
	wg.Wait()
	p.Drain()
	if w := store.writes.Load(); w > n/2 {
		t.Errorf("%d messages took %d writes", n, w)
	}
	if c, _ := store.Count(t.Context(), "x", ""); c != n || observed != n {
		t.Errorf("%d saved, %d observed, want %d", c, observed, n)
	}
}

func TestStoreDownThenUp(t *testing.T) {
	t.Parallel()
	herds := register(t)
	var fails atomic.Int64
	store := &seriestest.Memory{Fail: func() error {
		if fails.Add(1) <= 2 {
			return series.ErrUnavailable
		}
		return nil
	}}
	p := ingest.New(ingest.Config{Herds: herds, Series: store, Now: func() time.Time { return now }})
	if err := p.Submit(t.Context(), "", get(t, herds, "t1"), []byte(`{"ts":`+ms(now)+`}`), now); err != nil {
		t.Fatal(err)
	}
	if n, _ := store.Count(t.Context(), "x", ""); n != 1 || p.Counters.Retries.Load() != 2 {
		t.Errorf("%d saved after %d retries", n, p.Counters.Retries.Load())
	}
}

func TestStoreDownUntilTheEnd(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ payload string }{"reading": {`{"ts":` + ms(now) + `}`}, "quarantine": {`x`}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			herds := register(t)
			d := get(t, herds, "t1")
			ctx, cancel := context.WithCancel(t.Context())
			down := func() error { cancel(); return series.ErrUnavailable }
			herds.Fail = down
			p := ingest.New(ingest.Config{Herds: herds, Series: &seriestest.Memory{Fail: down}, Now: func() time.Time { return now }})
			if err := p.Submit(ctx, "", d, []byte(c.payload), now); !errors.Is(err, fault.Unavailable) {
				t.Errorf("answered %v although nothing was kept", err)
			}
			if p.Counters.Messages.Load() != 0 {
				t.Error("counted as taken")
			}
			p.Drain()
		})
	}
}

func TestNewTagIsKnownSoon(t *testing.T) {
	t.Parallel()
	herds := register(t)
	clock := now
	p := ingest.New(ingest.Config{Herds: herds, Series: &seriestest.Memory{}, Now: func() time.Time { return clock }})
	send := func() {
		t.Helper()
		if err := p.Submit(t.Context(), "", get(t, herds, "g1"), []byte(`{"tag":"new","ts":`+ms(now)+`}`), clock); err != nil {
			t.Fatal(err)
		}
	}
	send()
	if err := herds.AddHerd(t.Context(), iot.Herd{ID: "h", Tenant: "x"}, nil, []iot.Device{{ID: "new", Tenant: "x", Kind: iot.TagDevice, HerdID: "h"}}); err != nil {
		t.Fatal(err)
	}
	clock = clock.Add(3 * time.Second)
	send()
	if p.Counters.Quarantined.Load() != 1 || p.Counters.Readings.Load() != 1 {
		t.Errorf("%d quarantined, %d saved", p.Counters.Quarantined.Load(), p.Counters.Readings.Load())
	}
}

// TestMadDevice wants every junk message acknowledged and counted, and only some kept.
func TestMadDevice(t *testing.T) {
	t.Parallel()
	herds := register(t)
	told := 0
	p := ingest.New(ingest.Config{Herds: herds, Series: &seriestest.Memory{}, Now: func() time.Time { return now },
		Raise: func(context.Context, iot.Event) error { told++; return nil }})
	d := get(t, herds, "t1")
	for range 2000 {
		if err := p.Submit(t.Context(), "", d, []byte(`{"tag":"t2","ts":`+ms(now)+`}`), now); err != nil {
			t.Fatal(err)
		}
	}
	q, _ := herds.Quarantined(t.Context(), "x", 0)
	c := &p.Counters
	if c.Messages.Load() != 2000 || c.Impostors.Load() != 2000 || c.Quarantined.Load()+c.Dropped.Load() != 2000 || len(q) != 600 || told != 6 {
		t.Errorf("%d taken, %d kept, %d told", c.Messages.Load(), len(q), told)
	}
}

func BenchmarkSubmit(b *testing.B) {
	herds := register(b)
	p := ingest.New(ingest.Config{Herds: herds, Series: &discard{}, Now: func() time.Time { return now }})
	d := get(b, herds, "t1")
	payload := []byte(`{"ts":` + ms(now) + `,"lon":113.2,"lat":31.5,"temp_c":30.1,"activity":0.4}`)
	b.SetParallelism(100)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := p.Submit(context.Background(), "", d, payload, now); err != nil {
				b.Error(err)
			}
		}
	})
}

type discard struct{ seriestest.Memory }

func (*discard) Write(context.Context, []iot.Reading) error { return nil }
