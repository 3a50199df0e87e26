package series

import (
	"math"
	"time"

	"github.com/furrowcredit/furrow/geo"
)

const (
	// parcelNoises are the first of noiseShares, those of a parcel's mean: the pixels
	// average, and a look that is partly clouded weighs less.
	parcelNoises = 3
	// gapDays is how far from a clear observation a curve is still trusted.
	gapDays = 20
	// Looks this far below the one before and the one after, which lie at most this
	// many days apart, are clouds that the mask missed: no field is bare and green
	// again so fast. A harvest stays low and is kept.
	cloudDrop = 0.18
	cloudDays = 25
)

// Curve is a smoothed NDVI curve, one value a day.
type Curve struct {
	Start time.Time // midnight UTC of the first day
	NDVI  []float64
	InGap []bool // no clear observation within 20 days

	first, last int // days of the first and the last observation
	looks       []look
}

// look is a day that was seen, without the missed clouds.
type look struct {
	day  int
	ndvi float64
}

// Fit estimates the valid observations between start and end, both included, on a
// daily grid as [Filler] does, weighing each by its clear share. Low looks between
// two high ones within 25 days are left out as missed clouds; other low looks keep
// their weight, for they part the crops of a year.
// Before the first and after the last valid observation the curve stays level; a
// gap is crossed in a straight line, so that no peak is invented in it. Of two
// observations of one day the clearer counts. ErrFew when fewer than two are valid,
// ErrSpan for more than a hundred years.
func Fit(obs []geo.Observation, start, end time.Time) (*Curve, error) {
	start, end = day(start), day(end)
	n := int(daysBetween(start, end)) + 1
	switch {
	case n < 3:
		return nil, ErrFew.With("n", 0)
	case n > maxSpan:
		return nil, ErrSpan.With("days", n).With("most", maxSpan)
	}
	y, w := make([]float64, n), make([]float64, n)
	live := 0
	for _, o := range obs {
		i := int(daysBetween(start, day(o.Date)))
		if !o.Valid || i < 0 || i >= n || !(o.Coverage > w[i]) {
			continue
		}
		if w[i] == 0 {
			live++
		}
		y[i], w[i] = o.NDVI, o.Coverage
	}
	if live < 2 {
		return nil, ErrFew.With("n", live)
	}
	c := &Curve{Start: start, NDVI: make([]float64, n), InGap: make([]bool, n)}
	screen(y, w)
	for i, v := range y {
		if w[i] > 0 {
			c.looks = append(c.looks, look{i, v})
		}
	}
	var f Filler
	f.grow(n)
	copy(f.y, y)
	copy(f.base, w)
	if err := f.estimate(noiseShares[:parcelNoises], 0); err != nil {
		return nil, err
	}
	copy(c.NDVI, f.sum)
	c.bridge(w)
	return c, nil
}

// screen takes the weight off missed clouds: of all looks between two that lie at
// most cloudDays apart and both far above them. w is the weight of every day.
func screen(y, w []float64) {
	var seen []int
	for i := range w {
		if w[i] > 0 {
			seen = append(seen, i)
		}
	}
	for k, a := range seen {
		top := math.Inf(-1) // of the looks between
		for j := k + 1; j < len(seen) && seen[j]-a <= cloudDays && top < y[a]-cloudDrop; j++ {
			i := seen[j]
			if min(y[a], y[i])-top > cloudDrop {
				for _, b := range seen[k+1 : j] {
					w[b] = 0
				}
			}
			top = max(top, y[i])
		}
	}
}

// bridge marks the days far from an observation and straightens the curve there.
func (c *Curve) bridge(w []float64) {
	n, last := len(w), -1
	for i := range n {
		if w[i] == 0 {
			continue
		}
		switch {
		case last < 0:
			c.first = i
			for j := range i {
				c.NDVI[j], c.InGap[j] = c.NDVI[i], i-j > gapDays
			}
		case i-last > 2*gapDays:
			a, b := last+gapDays, i-gapDays // trusted days on both banks
			va, vb := c.NDVI[a], c.NDVI[b]
			// What a spline does beyond the banks' own observations is not evidence.
			lo, hi := min(c.NDVI[last], c.NDVI[i]), max(c.NDVI[last], c.NDVI[i])
			va, vb = clamp(va, lo, hi), clamp(vb, lo, hi)
			for j := last + 1; j < i; j++ {
				switch {
				case j <= a:
					c.NDVI[j] = clamp(c.NDVI[j], lo, hi)
				case j >= b:
					c.NDVI[j] = clamp(c.NDVI[j], lo, hi)
				default:
					c.NDVI[j] = va + (vb-va)*float64(j-a)/float64(b-a)
					c.InGap[j] = true
				}
			}
		}
		last = i
	}
	c.last = last
	for j := last + 1; j < n; j++ {
		c.NDVI[j], c.InGap[j] = c.NDVI[last], j-last > gapDays
	}
}

// At gives the curve of a day, or false outside the curve and in a gap.
func (c *Curve) At(t time.Time) (float64, bool) {
	i := c.index(t)
	if i < 0 || i >= len(c.NDVI) || c.InGap[i] {
		return 0, false
	}
	return c.NDVI[i], true
}

// Date gives the day of index i.
func (c *Curve) Date(i int) time.Time { return c.Start.AddDate(0, 0, i) }

func (c *Curve) index(t time.Time) int { return int(math.Floor(t.Sub(c.Start).Hours() / 24)) }

// Points thins the curve to every step days.
func (c *Curve) Points(step int) []geo.SmoothPoint {
	var ps []geo.SmoothPoint
	for i := 0; i < len(c.NDVI); i += step {
		ps = append(ps, geo.SmoothPoint{Date: c.Date(i), NDVI: math.Round(c.NDVI[i]*1e4) / 1e4, InGap: c.InGap[i]})
	}
	return ps
}

func clamp(v, lo, hi float64) float64 { return max(lo, min(hi, v)) }

func day(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }
