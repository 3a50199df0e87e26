// Package timeline tells what one animal did and how it was, hour by hour: the
// readings of the tags that it wore, summed up in steps.
package timeline

import (
	"context"
	"time"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/series"
	"github.com/furrowcredit/furrow/iot/species"
	"github.com/furrowcredit/furrow/iot/watch/fence"
)

// ErrSpan is returned for a time that cannot be told.
var ErrSpan = fault.New(fault.Invalid, "timeline.span", "ask for at most {days} days in steps of a minute to a day, from before to after")

// MaxSpan is the longest time that is told at once.
const MaxSpan = 92 * 24 * time.Hour

// Timeline is one animal's time. Each measure has its own steps; those without a
// value are left out.
type Timeline struct {
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Step     int       `json:"step_s"` // s
	Measures []Measure `json:"measures"`
	Track    []Spot    `json:"track"` // the last believed position of each step
}

// Measure is one number over the time.
type Measure struct {
	Name series.Measure `json:"name"`
	Bins []Bin          `json:"bins"`
}

// Bin sums up a measure in [At, At+step). The sum of what adds up, such as the
// seconds of grazing, is Mean times Count.
type Bin struct {
	At    time.Time `json:"at"`
	Min   float64   `json:"min"`
	Mean  float64   `json:"mean"`
	Max   float64   `json:"max"`
	Count int64     `json:"n"`
}

// Spot is where the animal was.
type Spot struct {
	At  time.Time `json:"at"`
	Lon float64   `json:"lon"`
	Lat float64   `json:"lat"`
}

// told are the measures of a timeline, in order.
var told = [...]series.Measure{
	series.Temp, series.Ambient, series.Activity, series.Lying, series.Grazing, series.Walking, series.Ruminating,
	series.Weight, series.Heads, series.Battery,
}

// Of tells the time from (inclusive) to to in steps that start at from. Readings
// count while the animal wore their tag; positions that no animal can reach are left
// out, as the watch leaves them out. ErrSpan; what the store returns.
func Of(ctx context.Context, store series.Store, tenant string, life iot.Life, w *species.Watch, from, to time.Time, step time.Duration) (Timeline, error) {
	if !from.Before(to) || to.Sub(from) > MaxSpan || step < time.Minute || step > 24*time.Hour {
		return Timeline{}, ErrSpan.With("days", int(MaxSpan.Hours()/24))
	}
	t := Timeline{From: from.UTC(), To: to.UTC(), Step: int(step.Seconds()), Measures: []Measure{}, Track: []Spot{}}
	var windows [len(told)][]series.Window
	for _, worn := range life.Tags {
		start, end := from, to
		if worn.From.After(start) {
			start = worn.From
		}
		if worn.To != nil && worn.To.Before(end) {
			end = *worn.To
		}
		if !start.Before(end) {
			continue
		}
		readings, err := store.Range(ctx, tenant, worn.Tag, start, end, 0)
		if err != nil {
			return Timeline{}, err
		}
		for i, m := range told {
			for j := range readings {
				if v, ok := m.Of(&readings[j]); ok {
					windows[i] = series.Add(windows[i], from, step, readings[j].At, v)
				}
			}
		}
		t.Track = track(t.Track, readings, w, from, step)
	}
	for i, m := range told {
		if len(windows[i]) == 0 {
			continue
		}
		bins := make([]Bin, len(windows[i]))
		for j, x := range windows[i] {
			bins[j] = Bin{At: x.Start.UTC(), Min: x.Min, Mean: x.Mean, Max: x.Max, Count: x.Count}
		}
		t.Measures = append(t.Measures, Measure{Name: m, Bins: bins})
	}
	return t, nil
}

// track appends the last believed position of each step.
func track(spots []Spot, readings []iot.Reading, w *species.Watch, from time.Time, step time.Duration) []Spot {
	var gate fence.Gate
	var plane fence.Plane
	first, last := true, time.Duration(-1)
	for i := range readings {
		r := &readings[i]
		if r.Lon == nil || r.Lat == nil {
			continue
		}
		p := orb.Point{*r.Lon, *r.Lat}
		if fence.IsZero(p) {
			continue
		}
		if first {
			plane, first = fence.NewPlane(p), false
		}
		fix := fence.Fix{At: r.At, P: plane.Metres(p)}
		if r.Accuracy != nil {
			fix.Accuracy = *r.Accuracy
		}
		if !gate.Step(fix, w).Believed() {
			continue
		}
		spot := Spot{At: r.At.UTC(), Lon: p[0], Lat: p[1]}
		if at := r.At.Sub(from) / step; at == last {
			spots[len(spots)-1] = spot
		} else {
			spots, last = append(spots, spot), at
		}
	}
	return spots
}
