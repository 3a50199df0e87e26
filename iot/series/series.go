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

// Measure names a number of a reading, as it is called in JSON.
type Measure string

// The measures that Window can sum up.
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
)

// Valid tells whether m is one of the measures.
func (m Measure) Valid() bool {
	switch m {
	case Temp, Ambient, Activity, Accuracy, Battery, Lying, Grazing, Walking, Ruminating, Weight, Heads:
		return true
	}
	return false
}

// Window is the summary of one measure in [Start, Start+step).
type Window struct {
	Start time.Time
	Min   float64
	Mean  float64
	Max   float64
	Count int64
}

// Store keeps readings by (tenant, tag, device time). Times are kept to the
// millisecond. All methods may be called at once from many goroutines; they return
// ErrUnavailable when the store is down.
type Store interface {
	// Write saves readings; when it returns nil they survive the death of this
	// process and of the store. A reading of the same tenant, tag and time is the
	// same reading: writing it again changes nothing, and fields that only one of
	// the two has are merged.
	Write(ctx context.Context, readings []iot.Reading) error
	// Latest returns the newest reading by device time of each tag that has any.
	Latest(ctx context.Context, tenant string, tags []string) (map[string]iot.Reading, error)
	// Range returns readings with from <= time < to, oldest first, at most limit
	// (0 means all).
	Range(ctx context.Context, tenant, tag string, from, to time.Time, limit int) ([]iot.Reading, error)
	// Window sums up a measure over [from, to) in steps that start at from; steps
	// without a value are left out. Steps are whole milliseconds.
	Window(ctx context.Context, tenant, tag string, m Measure, from, to time.Time, step time.Duration) ([]Window, error)
	// Count returns how many readings the tag has; tag "" counts the tenant's.
	Count(ctx context.Context, tenant, tag string) (int64, error)
	// Delete removes all readings of the tag.
	Delete(ctx context.Context, tenant, tag string) error
	Close() error
}
