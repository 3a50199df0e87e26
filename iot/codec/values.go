package codec

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/codec/profile"
)

// ErrNoMeasure refuses a message of which nothing is known.
var ErrNoMeasure = fault.New(fault.Invalid, "reading.no_measure", "none of its values is known: map {keys} in the device's profile")

// maxKeys is the most unknown keys that an error names.
const maxKeys = 10

// found gathers one reading out of values that a device named in its own way.
type found struct {
	reading iot.Reading
	err     error    // the first value that does not fit
	known   bool     // a value was known, be it absent
	strange []string // keys that were not
}

// put takes the value of a key.
func (f *found) put(p *profile.Profile, path string, x float64, k kind) {
	key, ok := p.Key(path)
	if !ok {
		if len(f.strange) < maxKeys && len(path) <= 64 {
			f.strange = append(f.strange, path)
		}
		return
	}
	f.known = true
	var why string
	switch {
	case k == kindNull:
		return
	case key.Field == profile.Attached && k != kindTrue && k != kindFalse && k != kindNumber:
		why = "it must be true or false"
	case key.Field != profile.Attached && k != kindNumber:
		why = "it must be a number"
	default:
		if k == kindTrue {
			x = 1
		}
		why = key.Set(&f.reading, x)
	}
	if why != "" && f.err == nil {
		f.err = ErrField.With("field", path).With("why", why)
	}
}

// check is the error of the reading as a whole.
func (f *found) check() error {
	switch {
	case f.err != nil:
		return f.err
	case !f.known && len(f.strange) > 0:
		slices.Sort(f.strange)
		return ErrNoMeasure.With("keys", strings.Join(f.strange, ", "))
	case (f.reading.Lon == nil) != (f.reading.Lat == nil):
		return ErrField.With("field", "lon").With("why", "lon and lat go together")
	}
	return nil
}

// values reads the value at d.i, at path, and those nested in it.
func (d *decoder) values(f *found, p *profile.Profile, path string, depth int) {
	switch c := d.peek(); {
	case c == '{' && depth < maxDepth:
		d.object(func(key []byte) {
			below := string(key)
			if path != "" {
				below = path + "." + below
			}
			d.values(f, p, below, depth+1)
		})
	case c == '-' || c >= '0' && c <= '9':
		x, k := d.number()
		f.put(p, path, x, k)
	default:
		f.put(p, path, math.NaN(), d.skip(depth))
	}
}

// joiner joins what one message says of one tag at one time: stores keep one
// reading of it.
type joiner struct {
	dst   []Item
	start int
	at    map[joinKey]int
}

type joinKey struct {
	tag string
	ms  int64
}

func join(dst []Item) *joiner { return &joiner{dst: dst, start: len(dst), at: map[joinKey]int{}} }

func (j *joiner) len() int { return len(j.dst) - j.start }

func (j *joiner) add(it Item) {
	if it.Err != nil {
		j.dst = append(j.dst, it)
		return
	}
	key := joinKey{it.Reading.Tag, it.Reading.At.UnixMilli()}
	if i, ok := j.at[key]; ok {
		overlay(&j.dst[i].Reading, &it.Reading)
		return
	}
	j.at[key] = len(j.dst)
	j.dst = append(j.dst, it)
}

// overlay puts what from has measured over to.
func overlay(to, from *iot.Reading) {
	over(&to.Lon, from.Lon)
	over(&to.Lat, from.Lat)
	over(&to.Accuracy, from.Accuracy)
	over(&to.Temp, from.Temp)
	over(&to.Ambient, from.Ambient)
	over(&to.Activity, from.Activity)
	over(&to.Attached, from.Attached)
	over(&to.Battery, from.Battery)
	over(&to.Seq, from.Seq)
	over(&to.Lying, from.Lying)
	over(&to.Grazing, from.Grazing)
	over(&to.Walking, from.Walking)
	over(&to.Ruminating, from.Ruminating)
	over(&to.Weight, from.Weight)
	over(&to.Heads, from.Heads)
	over(&to.Motion, from.Motion)
}

func over[T any](to **T, from *T) {
	if from != nil {
		*to = from
	}
}

// milli is a time as readings keep it.
func milli(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }
