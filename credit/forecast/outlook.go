package forecast

import (
	"math"
	"slices"
)

// Point is one time to come: the middle forecast and the intervals that hold 80 and
// 95 % of what happens.
type Point struct {
	Middle float64 `json:"middle"`
	Low80  float64 `json:"low_80"`
	High80 float64 `json:"high_80"`
	Low95  float64 `json:"low_95"`
	High95 float64 `json:"high_95"`
}

// Bounds of the search for past errors.
const (
	mostOrigins = 36
	fewestSeen  = 4 // values that an origin must have behind it
)

// normal deviates of the two intervals.
const (
	deviate80 = 1.2816
	deviate95 = 1.9600
)

// Outlook forecasts with intervals. They come from the errors that the fitted methods
// would have made from up to 36 origins within the history, as shares of the level
// where nothing is below zero. Errors of all leads are brought to one by a variance
// that grows in a straight line with the lead; the quantiles are half-way between
// theirs and the normal's when there are few, and widened for the weights that the
// history had to give.
func (e *Ensemble) Outlook(horizon int) []Point {
	middles := e.from(len(e.y), horizon)
	s := e.spread(horizon)
	out := make([]Point, horizon)
	for h, mid := range middles {
		unit := s.unit(mid) * math.Sqrt(1+s.growth*float64(h))
		bound := func(by float64) float64 {
			v := mid + by*unit
			if e.floor {
				v = math.Max(0, v)
			}
			return v * e.scale
		}
		out[h] = Point{mid * e.scale, bound(-s.q80), bound(s.q80), bound(-s.q95), bound(s.q95)}
	}
	return out
}

// spread is how wide the past errors were.
type spread struct {
	shares   bool
	growth   float64 // of the variance by lead, in variances of the first
	q80, q95 float64 // of errors at the first lead, in units
}

// unit is what errors at a forecast are measured in.
func (s *spread) unit(forecast float64) float64 {
	if !s.shares {
		return 1
	}
	return math.Abs(forecast) + levelShare
}

// levelShare keeps the unit from vanishing with the forecast; 1 is the mean of the
// history.
const levelShare = 0.25

func (e *Ensemble) spread(horizon int) spread {
	s := spread{shares: e.floor}
	n := len(e.y)
	first := max(fewestSeen, n-mostOrigins, min(2*e.m, n/2))
	type miss struct {
		lead int
		size float64
	}
	var misses []miss
	var squares, count []float64
	for t := first; t < n; t++ {
		ahead := e.from(t, min(horizon, n-t))
		for h, f := range ahead {
			size := (e.y[t+h] - f) / s.unit(f)
			misses = append(misses, miss{h, math.Abs(size)})
			if h == len(squares) {
				squares, count = append(squares, 0), append(count, 0)
			}
			squares[h] += size * size
			count[h]++
		}
	}
	if len(misses) == 0 {
		return s
	}
	s.growth = growth(squares, count, float64(n-first))
	var sum float64
	sizes := make([]float64, len(misses))
	for i, m := range misses {
		sizes[i] = m.size / math.Sqrt(1+s.growth*float64(m.lead))
		sum += sizes[i] * sizes[i]
	}
	slices.Sort(sizes)
	sigma := math.Sqrt(sum / float64(len(sizes)))
	origins := float64(n - first)
	trust := origins / (origins + 20)
	wide := widening(float64(n))
	at := func(share, deviate float64) float64 {
		own := sizes[min(len(sizes)-1, int(share*float64(len(sizes))))]
		return wide * (trust*own + (1-trust)*deviate*sigma)
	}
	s.q80, s.q95 = at(0.80, deviate80), heavyTails*at(0.95, deviate95)
	s.q95 = math.Max(s.q95, s.q80)
	return s
}

// heavyTails widens the outer interval: rare breaks are seldom among the errors of one
// short history.
const heavyTails = 1.15

// widening makes up for errors being measured with weights that have seen them. It
// tends to 1 for long histories.
func widening(n float64) float64 { return 1.1 + 8/n }

// growth is the slope of the variance by lead, by that of the first lead, from least
// squares through the variances with their counts as weights, as if twenty more
// origins had shown the usual one. It is at most that of a random walk.
func growth(squares, count []float64, origins float64) float64 {
	var w, x, y, xx, xy float64
	for h, c := range count {
		v, at := squares[h]/c, float64(h)
		w, x, y, xx, xy = w+c, x+c*at, y+c*v, xx+c*at*at, xy+c*at*v
	}
	own := usualGrowth
	if d := w*xx - x*x; d > 0 && y > 0 {
		slope := (w*xy - x*y) / d
		switch base := (y - slope*x) / w; {
		case slope <= 0:
			own = 0
		case base <= 0:
			own = 1
		default:
			own = math.Min(1, slope/base)
		}
	}
	return (own*origins + usualGrowth*20) / (origins + 20)
}

// usualGrowth is that of a level which takes about a third of each change.
const usualGrowth = 0.12
