package timeline_test

import (
	"errors"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/series"
	"github.com/furrowcredit/furrow/iot/series/seriestest"
	"github.com/furrowcredit/furrow/iot/species"
	"github.com/furrowcredit/furrow/iot/timeline"
)

var (
	noon  = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	watch = species.Watch{MaxSpeed: 10, MaxAccuracy: 100}
)

func ptr(v float64) *float64 { return &v }

// TestTimeline follows an animal over a new tag: what the old one measures afterwards
// is not the animal's any more.
func TestTimeline(t *testing.T) {
	t.Parallel()
	store := &seriestest.Memory{}
	changed := noon.Add(90 * time.Minute)
	var readings []iot.Reading
	put := func(tag string, minute int, temp, lon float64) {
		readings = append(readings, iot.Reading{Tenant: "x", Tag: tag, At: noon.Add(time.Duration(minute) * time.Minute),
			Temp: ptr(temp), Lon: ptr(lon), Lat: ptr(35), Grazing: ptr(300)})
	}
	for m := 0; m < 180; m += 10 {
		put("old", m, 30, 114)
		put("new", m, 32, 114.0002)
	}
	put("new", 125, 32, 115) // 90 km in five minutes: an error
	if err := store.Write(t.Context(), readings); err != nil {
		t.Fatal(err)
	}
	life := iot.Life{Tags: []iot.Wearing{{Tag: "old", From: noon.Add(-time.Hour), To: &changed}, {Tag: "new", From: changed}}}
	got, err := timeline.Of(t.Context(), store, "x", life, &watch, noon, noon.Add(3*time.Hour), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	of := func(m series.Measure) []timeline.Bin {
		for _, x := range got.Measures {
			if x.Name == m {
				return x.Bins
			}
		}
		return nil
	}
	temp := of(series.Temp)
	if len(temp) != 3 || temp[0].Mean != 30 || temp[0].Count != 6 || temp[1].Mean != 31 || temp[1].Min != 30 || temp[1].Max != 32 || temp[2].Mean != 32 {
		t.Errorf("temperature %+v", temp)
	}
	if g := of(series.Grazing); len(g) != 3 || g[0].Mean*float64(g[0].Count) != 1800 {
		t.Errorf("grazing %+v", g)
	}
	if a := of(series.Activity); a != nil {
		t.Errorf("activity out of nothing: %+v", a)
	}
	if len(got.Track) != 4 || got.Track[2].Lon != 114.0002 || got.Track[3].Lon != 114.0002 {
		t.Errorf("track %+v", got.Track)
	}
}

func TestSpan(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		to   time.Time
		step time.Duration
	}{
		{"backwards", noon.Add(-time.Hour), time.Hour},
		{"nothing", noon, time.Hour},
		{"a year", noon.AddDate(1, 0, 0), time.Hour},
		{"steps of a second", noon.Add(time.Hour), time.Second},
		{"steps of a week", noon.Add(time.Hour), 168 * time.Hour},
	} {
		if _, err := timeline.Of(t.Context(), &seriestest.Memory{}, "x", iot.Life{}, &watch, noon, c.to, c.step); !errors.Is(err, timeline.ErrSpan) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
