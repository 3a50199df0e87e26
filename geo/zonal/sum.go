package zonal

import "math"

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
	s.low, s.high = min(s.low, v), max(s.high, v)
}

// span adds the values of a span, of which NaN count nothing. parts are the
// covered parts of its pixels that are not full.
func (s *sums) span(sp span, parts, v []float64) {
	head, tail := int(sp.full), int(sp.tail)
	for i, x := range v[:head] {
		if !math.IsNaN(x) {
			s.add(parts[i], x)
		}
	}
	s.full(v[head:tail])
	for i, x := range v[tail:] {
		if !math.IsNaN(x) {
			s.add(parts[head+i], x)
		}
	}
}

// full adds values of full pixels.
func (s *sums) full(v []float64) {
	for s.w == 0 && len(v) > 0 {
		if !math.IsNaN(v[0]) {
			s.add(1, v[0])
		}
		v = v[1:]
	}
	origin, low, high := s.origin, s.low, s.high
	var n int
	var sum, square float64
	for _, x := range v {
		if x < low {
			low = x
		}
		if x > high {
			high = x
		}
		d := x - origin
		if math.IsNaN(d) {
			continue
		}
		n++
		sum += d
		square += d * d
	}
	s.w += float64(n)
	s.v += sum
	s.vv += square
	s.low, s.high = low, high
}

// powers adds the power of decibels.
func (s *sums) powers(sp span, parts, db []float64, toPower func(float64) float64) {
	for i, x := range db {
		if math.IsNaN(x) {
			continue
		}
		s.power += sp.weight(i, parts) * toPower(x)
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
