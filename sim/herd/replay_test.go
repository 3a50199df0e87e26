package herd_test

import (
	"context"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/internal/realdata"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/broker"
	"github.com/furrowcredit/furrow/iot/ingest"
	"github.com/furrowcredit/furrow/iot/iottest"
	"github.com/furrowcredit/furrow/iot/series/seriestest"
	"github.com/furrowcredit/furrow/iot/species"
	"github.com/furrowcredit/furrow/iot/watch"
	"github.com/furrowcredit/furrow/sim/herd"
)

// TestReplayRealPen publishes the 83,855 real fixes of 20 steers over MQTT, as fast
// as the machine goes, while the watch listens for silence: 20 animals are inside
// at the end, and nothing was told of any.
func TestReplayRealPen(t *testing.T) {
	t.Parallel()
	dir := realdata.Dir(t, "iot")
	tracks, err := herd.ReadTracks(filepath.Join(dir, "rtls_calves.csv.gz"), filepath.Join(dir, "rtls_pen_objects.csv"), "14", orb.Point{114.4, 35.02})
	if err != nil {
		t.Fatal(err)
	}
	files, err := catalog.Open("")
	if err != nil {
		t.Fatal(err)
	}
	kinds, err := species.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var told []iot.Event
	herds, store := &iottest.Store{}, &seriestest.Memory{}
	engine := watch.New(watch.Config{Herds: herds, Series: store, Species: kinds, Now: time.Now, Raise: func(_ context.Context, e iot.Event) error {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, e)
		return nil
	}})
	ranch := tracks.Ranch("14号栏", "cattle", time.Now().AddDate(-1, 0, 0))
	ranch.Herd.OwnerID = "u"
	register := iot.Herds{Store: herds, Known: kinds.Known, Now: time.Now}
	saved, creds, err := register.Register(t.Context(), "x", ranch.Herd, ranch.Animals, ranch.Gateways)
	if err != nil {
		t.Fatal(err)
	}
	if err := engine.Reload(t.Context(), "x", saved.ID); err != nil {
		t.Fatal(err)
	}
	p := ingest.New(ingest.Config{Herds: herds, Series: store, Observe: engine.Observe, Now: time.Now})
	b := broker.New(broker.Config{Addr: "127.0.0.1:0", Herds: herds, Pipeline: p, Now: time.Now})
	if err := b.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := b.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	defer func() { cancel(); wg.Wait() }()

	steps := 0
	link := herd.Link{URL: "tcp://" + b.Addr(), Credentials: herd.Keys(creds), Progress: func(int, int) {
		if steps++; steps%50 == 0 {
			engine.Tick(ctx, time.Now())
		}
	}}
	if err := tracks.Replay(t.Context(), link, 1e5, time.Now); err != nil {
		t.Fatal(err)
	}
	p.Drain()
	engine.Tick(ctx, time.Now())
	if n, _ := store.Count(ctx, "x", ""); n < 83_800 || p.Counters.Quarantined.Load() != 0 {
		t.Errorf("%d readings kept, %d in quarantine", n, p.Counters.Quarantined.Load())
	}
	w, err := engine.Watched(ctx, "x", saved.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, state := range w.States {
		if state.Status != watch.StatusInside {
			t.Errorf("%s is %s", state.Code, state.Status)
		}
	}
	if len(w.States) != 20 {
		t.Errorf("%d animals", len(w.States))
	}
	if len(told) != 0 {
		t.Errorf("told %v", told)
	}
}
