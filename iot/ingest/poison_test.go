package ingest_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/codec"
	"github.com/furrowcredit/furrow/iot/ingest"
	"github.com/furrowcredit/furrow/iot/series/seriestest"
)

var errNever = fault.New(fault.Invalid, "test.never", "this is never taken")

// picky refuses what is counted.
type picky struct{}

func (picky) AddHeadcounts(context.Context, []iot.Headcount) error { return errNever }

// TestRefusedCount wants a count that its store refuses for good in quarantine: sent
// back, it would come again for ever and keep all others from being read.
func TestRefusedCount(t *testing.T) {
	t.Parallel()
	p := ingest.New(ingest.Config{Herds: register(t), Series: &seriestest.Memory{}, Counts: picky{}, Now: func() time.Time { return now }})
	camera := iot.Device{ID: "c1", Tenant: "x", Kind: iot.Camera, HerdID: "h"}
	submit(t, p, codec.CountTopicOf("x", "c1"), camera,
		`{"from":`+ms(now)+`,"to":`+ms(now)+`,"seen":12,"picture":"`+strings.Repeat("ab", 32)+`"}`)
	if r := p.Counters.Reasons(); r["test.never"] != 1 || p.Counters.Quarantined.Load() != 1 || p.Counters.Headcounts.Load() != 0 {
		t.Errorf("refused %v", r)
	}
	p.Drain()
}

// sieve refuses every batch that holds a reading of the tag t13.
type sieve struct {
	seriestest.Memory
	mu    sync.Mutex
	calls int
}

func (s *sieve) Write(ctx context.Context, readings []iot.Reading) error {
	s.mu.Lock()
	s.calls++
	s.mu.Unlock()
	for _, r := range readings {
		if r.Tag == "t13" {
			return errNever
		}
	}
	return s.Memory.Write(ctx, readings)
}

// TestRefusedReading wants a reading that the store refuses for good in quarantine,
// and those saved that came with it.
func TestRefusedReading(t *testing.T) {
	t.Parallel()
	store, herds := &sieve{}, register(t)
	seen := 0
	p := ingest.New(ingest.Config{Herds: herds, Series: store, Now: func() time.Time { return now },
		Observe: func(r []iot.Reading) { seen += len(r) }})
	g := iot.Device{ID: "g1", Tenant: "x", Kind: iot.Gateway, HerdID: "h"}
	var all []iot.Reading
	for _, tag := range []string{"t10", "t11", "t12", "t13", "t14"} {
		all = append(all, iot.Reading{Tag: tag, At: now})
	}
	submit(t, p, codec.TopicOf("x", "g1"), g, string(codec.AppendAll(nil, all)))
	p.Drain()
	n, err := store.Count(t.Context(), "x", "")
	if err != nil || n != 4 || seen != 4 || p.Counters.Readings.Load() != 4 {
		t.Errorf("%d saved, %d seen, %d counted, %v", n, seen, p.Counters.Readings.Load(), err)
	}
	kept, err := herds.Quarantined(t.Context(), "x", 0)
	if err != nil || len(kept) != 1 || kept[0].Code != "test.never" || kept[0].Device != "t13" || !strings.Contains(string(kept[0].Payload), `"t13"`) {
		t.Errorf("kept %+v, %v", kept, err)
	}
}

// moved answers for one device as if it had changed hands.
type moved struct {
	iot.Store
	mu   sync.Mutex
	herd map[string]string
}

func (s *moved) Device(ctx context.Context, tenant, id string) (iot.Device, error) {
	d, err := s.Store.Device(ctx, tenant, id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if herd := s.herd[id]; herd != "" {
		d.HerdID = herd
	}
	return d, err
}

// TestTagChangesHands wants nobody accused by what the pipeline remembers of a tag
// that was sold a minute ago.
func TestTagChangesHands(t *testing.T) {
	t.Parallel()
	herds := &moved{Store: register(t), herd: map[string]string{}}
	store, clock := &seriestest.Memory{}, now
	p := ingest.New(ingest.Config{Herds: herds, Series: store, Now: func() time.Time { return clock },
		Raise: func(_ context.Context, e iot.Event) error { t.Errorf("raised %+v", e); return nil }})
	before := iot.Device{ID: "g1", Tenant: "x", Kind: iot.Gateway, HerdID: "h"}
	submit(t, p, codec.TopicOf("x", "g1"), before, `{"tag":"t1","ts":`+ms(now)+`}`)
	herds.mu.Lock()
	herds.herd["t1"], herds.herd["g1"] = "h2", "h2"
	herds.mu.Unlock()
	clock = clock.Add(time.Minute)
	// The gateway as the broker still knows it, with the tag that moved with it; then
	// as it is now.
	submit(t, p, codec.TopicOf("x", "g1"), before, `{"tag":"t1","ts":`+ms(clock)+`}`)
	after := before
	after.HerdID = "h2"
	submit(t, p, codec.TopicOf("x", "g1"), after, `{"tag":"t1","ts":`+ms(clock.Add(time.Second))+`}`)
	p.Drain()
	if n, _ := store.Count(t.Context(), "x", "t1"); n != 3 {
		t.Errorf("%d saved, refused %v", n, p.Counters.Reasons())
	}
}
