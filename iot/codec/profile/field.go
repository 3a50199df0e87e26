// Package profile says how devices that do not speak the house's own format name and
// pack what they measure: the fields of a reading, and the device profiles of the
// catalogue (docs/formats/profiles.md).
package profile

import (
	"math"
	"strconv"
	"time"

	"github.com/furrowcredit/furrow/iot"
)

// Field is one field of a reading as it travels. Its number is the field's key in
// compact CBOR, so numbers are never given anew.
type Field uint8

// The fields.
const (
	Tag        Field = 1
	Time       Field = 2 // Unix ms
	Lon        Field = 3
	Lat        Field = 4
	Accuracy   Field = 5
	Temp       Field = 6
	Ambient    Field = 7
	Activity   Field = 8
	Attached   Field = 9
	Battery    Field = 10
	Seq        Field = 11
	Lying      Field = 12
	Grazing    Field = 13
	Walking    Field = 14
	Ruminating Field = 15
	Weight     Field = 16
	Heads      Field = 17
	Motion     Field = 18
	fields           = 19
)

// maxExact is the largest whole number that every JSON reader keeps exact.
const maxExact = 1 << 53

// week is the longest time between two readings that behaviour may be told of, in s.
const week = 604_800

// table has the name and the bounds of each field that is a number; tag and motion
// are none.
var table = [fields]struct {
	name      string
	low, high float64
	whole     bool
}{
	Tag:        {name: "tag"},
	Time:       {"ts", -maxExact, maxExact, true},
	Lon:        {"lon", -180, 180, false},
	Lat:        {"lat", -90, 90, false},
	Accuracy:   {"acc_m", 0, 1e6, false},
	Temp:       {"temp_c", -90, 120, false},
	Ambient:    {"ambient_c", -90, 90, false},
	Activity:   {"activity", 0, 1000, false},
	Attached:   {"attached", 0, 1, false},
	Battery:    {"battery_v", 0, 60, false},
	Seq:        {"seq", -maxExact, maxExact, true},
	Lying:      {"lying_s", 0, week, false},
	Grazing:    {"grazing_s", 0, week, false},
	Walking:    {"walking_s", 0, week, false},
	Ruminating: {"ruminating_s", 0, week, false},
	Weight:     {"weight_kg", 0, 5000, false},
	Heads:      {"heads", 0, 10_000_000, true},
	Motion:     {name: "motion"},
}

// String is the field's name in Furrow JSON.
func (f Field) String() string {
	if f < fields {
		return table[f].name
	}
	return ""
}

// Whole tells whether the field takes whole numbers only.
func (f Field) Whole() bool { return table[f].whole }

var byName = func() map[string]Field {
	m := make(map[string]Field, fields)
	for f := Tag; f < fields; f++ {
		m[table[f].name] = f
	}
	return m
}()

// ByName finds a field by its name in Furrow JSON; 0 when there is none.
func ByName(name string) Field { return byName[name] }

// ByNumber finds a field by its key in compact CBOR; 0 when there is none.
func ByNumber(n uint64) Field {
	if n >= fields {
		return 0
	}
	return Field(n)
}

// measurable tells whether a profile may fill the field with a number.
func (f Field) measurable() bool { return f != 0 && f != Tag && f != Motion && f < fields }

// Fits tells whether x is within the field's bounds, and whole where it must be.
func (f Field) Fits(x float64) bool {
	t := &table[f]
	return x >= t.low && x <= t.high && (!t.whole || x == math.Trunc(x))
}

// Problem says what is wrong with x for the field; "" nothing.
func (f Field) Problem(x float64) string {
	t := &table[f]
	switch {
	case f.Fits(x):
		return ""
	case t.whole && (t.high == maxExact || x >= t.low && x <= t.high):
		return "it must be a whole number"
	}
	return "it must be between " + strconv.FormatFloat(t.low, 'f', -1, 64) + " and " + strconv.FormatFloat(t.high, 'f', -1, 64)
}

// Set puts x, which must fit, into the reading.
func (f Field) Set(r *iot.Reading, x float64) {
	switch f {
	case Time:
		r.At = time.UnixMilli(int64(x)).UTC()
	case Lon:
		r.Lon = &x
	case Lat:
		r.Lat = &x
	case Accuracy:
		r.Accuracy = &x
	case Temp:
		r.Temp = &x
	case Ambient:
		r.Ambient = &x
	case Activity:
		r.Activity = &x
	case Attached:
		on := x != 0
		r.Attached = &on
	case Battery:
		r.Battery = &x
	case Seq:
		n := int64(x)
		r.Seq = &n
	case Lying:
		r.Lying = &x
	case Grazing:
		r.Grazing = &x
	case Walking:
		r.Walking = &x
	case Ruminating:
		r.Ruminating = &x
	case Weight:
		r.Weight = &x
	case Heads:
		n := int64(x)
		r.Heads = &n
	default: // a tag or motion is no number
	}
}

// Limits of a burst of raw acceleration.
const (
	MaxSamples      = 3000
	MinHz           = 1
	MaxHz           = 200
	MaxAcceleration = 160 // m/s², either way, on each axis
)

// MotionProblem says what is wrong with a burst; "" nothing.
func MotionProblem(m *iot.Motion) string {
	switch {
	case !(m.Hz >= MinHz && m.Hz <= MaxHz):
		return "hz must be between 1 and 200"
	case len(m.XYZ) == 0:
		return "xyz must have at least one sample"
	case len(m.XYZ) > MaxSamples:
		return "xyz may have at most 3000 samples"
	}
	for _, s := range m.XYZ {
		for _, a := range s {
			if !(a >= -MaxAcceleration && a <= MaxAcceleration) {
				return "an acceleration must be between -160 and 160"
			}
		}
	}
	return ""
}
