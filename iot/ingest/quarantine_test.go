package ingest_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/ingest"
	"github.com/furrowcredit/furrow/iot/iottest"
	"github.com/furrowcredit/furrow/iot/series/seriestest"
)

// TestMadDevices fill neither the disk nor the list: what is kept of one a minute and a
// day, and of all a day, has an end, while everything is counted and acknowledged.
func TestMadDevices(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	store := &iottest.Store{}
	p := ingest.New(ingest.Config{Herds: store, Series: &seriestest.Memory{}, Now: func() time.Time { return at }})
	defer p.Drain()
	big := make([]byte, 20<<10)
	total := 0
	send := func(device string, n int) (kept int64) {
		t.Helper()
		before := p.Counters.Quarantined.Load()
		for range n {
			total++
			d := iot.Device{ID: device, Tenant: "x", Kind: iot.TagDevice}
			if err := p.Submit(t.Context(), "furrow/v1/x/"+device+"/telemetry", d, big, at); err != nil {
				t.Fatal(err)
			}
		}
		return p.Counters.Quarantined.Load() - before
	}
	if kept := send("t0", 700); kept != 600 {
		t.Errorf("in a minute %d were kept of one device", kept)
	}
	day := int64(600)
	for range 5 {
		at = at.Add(time.Minute)
		day += send("t0", 600)
	}
	if mb := day * 16 >> 10; mb < 30 || mb > 32 {
		t.Errorf("in a day %d MB were kept of one device", mb)
	}
	for i := range 12 {
		at = at.Add(time.Minute)
		for range 4 {
			at = at.Add(time.Minute)
			day += send(fmt.Sprint("u", i), 600)
		}
	}
	if mb := day * 16 >> 10; mb < 240 || mb > 256 {
		t.Errorf("in a day %d MB were kept of all", mb)
	}
	if n := p.Counters.Dropped.Load() + p.Counters.Quarantined.Load(); n != int64(total) || p.Counters.Reasons()["reading.payload"] != n {
		t.Errorf("of %d refused %d are accounted for: %v", total, n, p.Counters.Reasons())
	}
	at = at.Add(24 * time.Hour)
	if kept := send("t0", 1); kept != 1 {
		t.Error("nothing was kept on the next day")
	}
	if got, err := store.Quarantined(t.Context(), "x", 0); err != nil || len(got) != int(p.Counters.Quarantined.Load()) {
		t.Error(len(got), err)
	}
}
