package zonal

import (
	"math"

	"github.com/furrowcredit/furrow/geo/scene"
)

// sums gathers weighted values. Values are counted from the first one, so that
// the squares keep their digits whatever the size of the values.
type sums struct {
	w, v, vv, origin float64
	power            float64 // of decibels
	low, high        float64
}

// start takes the first value.
func (s *sums) start(v float64) { s.origin, s.low, s.high = v, v, v }

func (s *sums) add(w, v float64) {
	if s.w == 0 {
		s.start(v)
	}
	d := v - s.origin
	s.w += w
	s.v += w * d
	s.vv += w * d * d
	if v < s.low {
		s.low = v
	}
	if v > s.high {
		s.high = v
	}
}

// reading says how stored numbers are summed.
type reading[T scene.Number] struct {
	nodata    T // a number that counts nothing
	hasNoData bool
	meanOnly  bool // squares, minimum and maximum are not asked for
}

// span adds the values of a span, of which NaN and nodata count nothing. parts are
// the covered parts of its pixels that are not full.
func (r *reading[T]) span(s *sums, sp span, parts []float64, v []T) {
	head, tail := int(sp.full), int(sp.tail)
	r.some(s, parts[:head], v[:head])
	if full := v[head:tail]; len(full) > 0 {
		r.full(s, full)
	}
	r.some(s, parts[head:head+len(v)-tail], v[tail:])
}

// some adds values of partly covered pixels.
func (r *reading[T]) some(s *sums, parts []float64, v []T) {
	for s.w == 0 && len(v) > 0 {
		r.one(s, parts[0], v[0])
		parts, v = parts[1:], v[1:]
	}
	parts = parts[:len(v)]
	origin, low, high := s.origin, s.low, s.high
	var weight, sum, square float64
	for i, x := range v {
		f := float64(x)
		d := f - origin
		if math.IsNaN(d) || r.hasNoData && x == r.nodata {
			continue
		}
		weight += parts[i]
		d *= parts[i]
		sum += d
		if r.meanOnly {
			continue
		}
		square += d * (f - origin)
		if f < low {
			low = f
		}
		if f > high {
			high = f
		}
	}
	s.w += weight
	s.v += sum
	s.vv += square
	s.low, s.high = low, high
}

// full adds values of full pixels, four at a time while all of them count.
func (r *reading[T]) full(s *sums, v []T) {
	for s.w == 0 && len(v) > 0 {
		r.one(s, 1, v[0])
		v = v[1:]
	}
	origin, low, high := s.origin, s.low, s.high
	n := 0
	var sum, square float64
	for len(v) > 0 {
		if len(v) >= 4 && !r.hasNoData {
			v0, v1, v2, v3 := float64(v[0]), float64(v[1]), float64(v[2]), float64(v[3])
			d0, d1, d2, d3 := v0-origin, v1-origin, v2-origin, v3-origin
			if four := (d0 + d1) + (d2 + d3); !math.IsNaN(four) {
				v = v[4:]
				n += 4
				sum += four
				if r.meanOnly {
					continue
				}
				square += (d0*d0 + d1*d1) + (d2*d2 + d3*d3)
				low, high = least(low, v0, v1, v2, v3), most(high, v0, v1, v2, v3)
				continue
			}
		}
		x := v[0]
		v = v[1:]
		f := float64(x)
		d := f - origin
		if math.IsNaN(d) || r.hasNoData && x == r.nodata {
			continue
		}
		n++
		sum += d
		square += d * d
		if f < low {
			low = f
		}
		if f > high {
			high = f
		}
	}
	s.w += float64(n)
	s.v += sum
	s.vv += square
	s.low, s.high = low, high
}

func (r *reading[T]) one(s *sums, w float64, x T) {
	if f := float64(x); !math.IsNaN(f) && (!r.hasNoData || x != r.nodata) {
		s.add(w, f)
	}
}

// least is the least of numbers of which none is NaN, in half the time of min.
func least(low, a, b, c, d float64) float64 {
	if b < a {
		a = b
	}
	if d < c {
		c = d
	}
	if c < a {
		a = c
	}
	if a < low {
		return a
	}
	return low
}

// most is the greatest.
func most(high, a, b, c, d float64) float64 {
	if b > a {
		a = b
	}
	if d > c {
		c = d
	}
	if c > a {
		a = c
	}
	if a > high {
		return a
	}
	return high
}

// powers adds the power of decibels.
func (s *sums) powers(sp span, parts, db []float64) {
	for i, x := range db {
		if math.IsNaN(x) {
			continue
		}
		s.power += sp.weight(i, parts) * scene.FromDB(x)
	}
}

// weight is the covered part of the i-th pixel.
func (sp span) weight(i int, parts []float64) float64 {
	switch {
	case i < int(sp.full):
		return parts[i]
	case i < int(sp.tail):
		return 1
	}
	return parts[i-int(sp.tail-sp.full)]
}

// partial is the number of pixels that are not full.
func (sp span) partial() int { return int(sp.n - (sp.tail - sp.full)) }

// merge adds what another tile says, by the rule for two groups of Chan, Golub and
// LeVeque (1983), here with the sums about each group's origin.
func (s *sums) merge(o *sums) {
	if o.w == 0 {
		return
	}
	if s.w == 0 {
		*s = *o
		return
	}
	d := o.origin - s.origin
	s.vv += o.vv + 2*d*o.v + d*d*o.w
	s.v += o.v + d*o.w
	s.w += o.w
	s.power += o.power
	s.low, s.high = min(s.low, o.low), max(s.high, o.high)
}

func (s *sums) mean() float64 { return s.origin + s.v/s.w }

func (s *sums) stdDev() float64 {
	m := s.v / s.w
	return math.Sqrt(max(0, s.vv/s.w-m*m))
}
