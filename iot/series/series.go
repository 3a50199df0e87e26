// Package series says what a time-series store of readings must do. store/telemetry
// keeps them in a file of its own, series/influx in InfluxDB; seriestest is the
// suite that both pass.
package series

import (
	"context"
	"time"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/iot"
)

// ErrUnavailable is returned when the store cannot take or give readings now; the
// same call may succeed later.
var ErrUnavailable = fault.New(fault.Unavailable, "series.unavailable",
	"the telemetry store does not answer: check that it runs and has room, then try again")

// ErrMeasure is returned for a measure that readings do not have.
var ErrMeasure = fault.New(fault.Invalid, "series.measure", "there is no measure {measure}")

// ErrTime is returned for a reading whose device time no store can hold.
var ErrTime = fault.New(fault.Invalid, "series.time", "the device time {ts} lies outside the years 1970 to 2140: set the tag's clock")

// ErrNumber is returned for a reading with a measurement that is no number.
var ErrNumber = fault.New(fault.Invalid, "series.number", "a measurement of {tag} is infinite or not a number")

// Measure names a number of a reading, as it is called in JSON.
type Measure string

// The measures that Windows can sum up.
const (
	Temp     Measure = "temp_c"
	Ambient  Measure = "ambient_c"
	Activity Measure = "activity"
	Accuracy Measure = "acc_m"
	Battery  Measure = "battery_v"

	Lying      Measure = "lying_s"
	Grazing    Measure = "grazing_s"
	Walking    Measure = "walking_s"
	Ruminating Measure = "ruminating_s"
	Weight     Measure = "weight_kg"
	Heads      Measure = "heads"

	// Received is when the house took the reading, in Unix ms. Every reading has it, so
	// its count is how many there are.
	Received Measure = "received"
)

// Valid tells whether m is one of the measures.
func (m Measure) Valid() bool {
	switch m {
	case Temp, Ambient, Activity, Accuracy, Battery, Lying, Grazing, Walking, Ruminating, Weight, Heads, Received:
		return true
	}
	return false
}

// Of returns the measure's value in r, and false when r has none.
func (m Measure) Of(r *iot.Reading) (float64, bool) {
	var v *float64
	switch m {
	case Temp:
		v = r.Temp
	case Ambient:
		v = r.Ambient
	case Activity:
		v = r.Activity
	case Accuracy:
		v = r.Accuracy
	case Battery:
		v = r.Battery
	case Lying:
		v = r.Lying
	case Grazing:
		v = r.Grazing
	case Walking:
		v = r.Walking
	case Ruminating:
		v = r.Ruminating
	case Weight:
		v = r.Weight
	case Received:
		return float64(r.Received.UnixMilli()), true
	case Heads:
		if r.Heads != nil {
			return float64(*r.Heads), true
		}
	}
	if v == nil {
		return 0, false
	}
	return *v, true
}

// Window is the summary of one measure in [Start, Start+step).
type Window struct {
	Start time.Time
	Min   float64
	Mean  float64
	Max   float64
	Count int64
}

// Add takes a value at a time into the windows of one tag, which start at from;
// values come in order of time.
func Add(windows []Window, from time.Time, step time.Duration, at time.Time, v float64) []Window {
	start := from.Add(at.Sub(from) / step * step)
	if n := len(windows); n == 0 || !windows[n-1].Start.Equal(start) {
		windows = append(windows, Window{Start: start, Min: v, Max: v})
	}
	w := &windows[len(windows)-1]
	w.Min, w.Max = min(w.Min, v), max(w.Max, v)
	w.Count++
	w.Mean += (v - w.Mean) / float64(w.Count)
	return windows
}

// Check returns ErrTime or ErrNumber for a reading that no store can hold.
func Check(r *iot.Reading) error {
	if ms := r.At.UnixMilli(); ms < 0 || ms >= end {
		return ErrTime.With("ts", r.At.UTC().Format(time.RFC3339))
	}
	for _, v := range [...]*float64{r.Lon, r.Lat, r.Accuracy, r.Temp, r.Ambient, r.Activity, r.Battery, r.Lying, r.Grazing, r.Walking,
		r.Ruminating, r.Weight} {
		if v != nil && *v-*v != 0 { // not a number, or infinite
			return ErrNumber.With("tag", r.Tag)
		}
	}
	return nil
}

// end is the first millisecond that cannot be stored.
const end = 5364662400000 // 2140-01-01

// Store keeps readings by (tenant, tag, device time). Times are kept to the
// millisecond. All methods may be called at once from many goroutines; they return
// ErrUnavailable when the store is down.
type Store interface {
	// Write saves readings; when it returns nil they survive the death of this
	// process and of the store. A reading of the same tenant, tag and time is the
	// same reading: writing it again changes nothing, and fields that only one of
	// the two has are merged. ErrTime and
	// ErrNumber refuse the whole batch.
	Write(ctx context.Context, readings []iot.Reading) error
	// Latest returns the newest reading by device time of each tag that has any.
	Latest(ctx context.Context, tenant string, tags []string) (map[string]iot.Reading, error)
	// Range returns readings with from <= time < to, oldest first, at most limit
	// (0 means all).
	Range(ctx context.Context, tenant, tag string, from, to time.Time, limit int) ([]iot.Reading, error)
	// Since tells each of the readings of many tags, of every tag those at or after
	// its own time: tags in order of their names, readings oldest first, those of
	// one tag in one call or several. An error of each ends it and is returned.
	Since(ctx context.Context, tenant string, from map[string]time.Time, each func(tag string, readings []iot.Reading) error) error
	// Windows sums up a measure of many tags over [from, to) in steps that start at
	// from; steps without a value and tags without a step are left out. Steps are
	// whole milliseconds. ErrMeasure.
	Windows(ctx context.Context, tenant string, tags []string, m Measure, from, to time.Time, step time.Duration) (map[string][]Window, error)
	// Count returns how many readings the tag has; tag "" counts the tenant's.
	Count(ctx context.Context, tenant, tag string) (int64, error)
	// Delete removes all readings of the tag, for privacy: when it returns nil they
	// cannot be read again, and the embedded store's files hold nothing of them.
	Delete(ctx context.Context, tenant, tag string) error
	// Expire removes the readings of all tenants that are older than before, for
	// retention. It may leave those of before's own day to a later call.
	Expire(ctx context.Context, before time.Time) error
	Close() error
}
