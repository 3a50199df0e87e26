package telemetry

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/series"
)

// The measurements of a reading, in the order of their numbers in logs and chunks.
// A number never changes its meaning; new ones are added at the end.
const (
	lon = iota
	lat
	accuracy
	temp
	ambient
	activity
	battery
	lying
	grazing
	walking
	ruminating
	weight
	floats // how many numbers with a fraction
	seq    = iota - 1
	heads
	attached
	fields // how many in all
)

// point is a reading as the store works on it: flat, without its tag. val holds the
// bits of floats, and whole numbers as they are; has tells which are there.
type point struct {
	at, received    int64 // Unix ms
	has             uint32
	val             [fields]uint64
	gateway, source string
}

func (p *point) set(field int, v uint64) {
	p.val[field] = v
	p.has |= 1 << field
}

// receipt stands for the time of receipt where a field is meant: every point has it.
const receipt = -1

// measured is the field of a measure.
func measured(m series.Measure) int {
	return map[series.Measure]int{series.Temp: temp, series.Ambient: ambient, series.Activity: activity,
		series.Accuracy: accuracy, series.Battery: battery, series.Lying: lying, series.Grazing: grazing,
		series.Walking: walking, series.Ruminating: ruminating, series.Weight: weight, series.Heads: heads,
		series.Received: receipt}[m]
}

// number is the value of a field as a number.
func number(field int, v uint64) float64 {
	if field < floats {
		return math.Float64frombits(v)
	}
	return float64(int64(v))
}

// flatten makes a point of a reading.
func flatten(p *point, r *iot.Reading) {
	*p = point{at: r.At.UnixMilli(), received: r.Received.UnixMilli(), gateway: r.Gateway, source: r.Source}
	for i, v := range [floats]*float64{r.Lon, r.Lat, r.Accuracy, r.Temp, r.Ambient, r.Activity, r.Battery, r.Lying, r.Grazing,
		r.Walking, r.Ruminating, r.Weight} {
		if v != nil {
			p.set(i, math.Float64bits(*v))
		}
	}
	if r.Seq != nil {
		p.set(seq, uint64(*r.Seq))
	}
	if r.Heads != nil {
		p.set(heads, uint64(*r.Heads))
	}
	if r.Attached != nil {
		p.set(attached, 0)
		if *r.Attached {
			p.set(attached, 1)
		}
	}
}

// readings makes readings of points. Their values share a few arrays.
func readings(tenant, tag string, points []point) []iot.Reading {
	out := make([]iot.Reading, len(points))
	var n int
	for i := range points {
		for has := points[i].has; has != 0; has &= has - 1 {
			n++
		}
	}
	values := make([]float64, 0, n)
	ints := make([]int64, 0, min(n, 2*len(points)))
	float := func(v uint64) *float64 {
		values = append(values, math.Float64frombits(v))
		return &values[len(values)-1]
	}
	whole := func(v uint64) *int64 {
		ints = append(ints, int64(v))
		return &ints[len(ints)-1]
	}
	for i := range points {
		p, r := &points[i], &out[i]
		r.Tenant, r.Tag, r.Gateway, r.Source = tenant, tag, p.gateway, p.source
		r.At, r.Received = time.UnixMilli(p.at).UTC(), time.UnixMilli(p.received).UTC()
		for f, to := range [floats]**float64{&r.Lon, &r.Lat, &r.Accuracy, &r.Temp, &r.Ambient, &r.Activity, &r.Battery, &r.Lying,
			&r.Grazing, &r.Walking, &r.Ruminating, &r.Weight} {
			if p.has&(1<<f) != 0 {
				*to = float(p.val[f])
			}
		}
		if p.has&(1<<seq) != 0 {
			r.Seq = whole(p.val[seq])
		}
		if p.has&(1<<heads) != 0 {
			r.Heads = whole(p.val[heads])
		}
		if p.has&(1<<attached) != 0 {
			v := p.val[attached] != 0
			r.Attached = &v
		}
	}
	return out
}

// merge takes into p what a later writing of the same reading says.
func (p *point) merge(later *point) {
	p.received = later.received
	p.gateway = cmp.Or(later.gateway, p.gateway)
	p.source = cmp.Or(later.source, p.source)
	for f := range fields {
		if later.has&(1<<f) != 0 {
			p.set(f, later.val[f])
		}
	}
}

// settle brings points, given in the order of their writing, into the order of time
// with one point a time.
func settle(points []point) []point {
	sorted := true
	for i := 1; i < len(points) && sorted; i++ {
		sorted = points[i-1].at < points[i].at
	}
	if sorted {
		return points
	}
	slices.SortStableFunc(points, func(a, b point) int { return cmp.Compare(a.at, b.at) })
	n := 0
	for i := 1; i < len(points); i++ {
		if points[i].at == points[n].at {
			points[n].merge(&points[i])
			continue
		}
		n++
		points[n] = points[i]
	}
	return points[:n+1]
}

// A day is the unit in which readings lie together.
const dayMillis = 24 * 60 * 60 * 1000

// calendar says when days begin: so many milliseconds before they do in UTC. It belongs
// to a file for as long as that lives.
type calendar int64

const (
	utc     calendar = 0                  // of files of old
	beijing calendar = 8 * 60 * 60 * 1000 // what people ask for is then one day, and not parts of two
)

// day numbers the day of a moment, from that of 1970-01-01 on.
func (c calendar) day(ms int64) int64 {
	ms += int64(c)
	d := ms / dayMillis
	if ms%dayMillis < 0 {
		d--
	}
	return d
}

// begin is the moment when a day begins.
func (c calendar) begin(day int64) int64 { return day*dayMillis - int64(c) }

// key names a series of readings.
type key struct{ tenant, tag string }

func (k key) compare(o key) int {
	return cmp.Or(strings.Compare(k.tenant, o.tenant), strings.Compare(k.tag, o.tag))
}
