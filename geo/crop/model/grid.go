package model

import (
	"math"
	"slices"
	"sort"

	"github.com/furrowcredit/furrow/geo/crop/sample"
)

// Grid is the dates at which a model looks at a season. Series with other dates
// are brought onto it.
type Grid struct {
	// Anchor is the day of the year, from 0, that the offsets count from; -1 when
	// the seasons of the samples begin all over the year and offsets count from
	// each sample's own start.
	Anchor int   `json:"anchor_day"`
	Offset []int `json:"offset_days"` // rising
}

const (
	yearDays = 365.25
	// anchorSpread is how many days the starts of nine in ten samples may lie from
	// their middle for the season to count as one of the calendar.
	anchorSpread = 20
	maxSteps     = 120
)

// fitGrid finds the dates of most samples: their own, where they agree to a
// quarter of a step, else even steps of the middle spacing over their seasons.
func fitGrid(set *sample.Set) Grid {
	var g Grid
	g.Anchor = anchor(set)
	lengths := map[int]int{}
	for i := range set.Samples {
		lengths[len(set.Samples[i].Days)]++
	}
	usual := 0
	for n, c := range lengths {
		if c > lengths[usual] || c == lengths[usual] && n > usual {
			usual = n
		}
	}
	var steps []int
	at := make([][]int, usual)
	var first, last []int
	for i := range set.Samples {
		s := &set.Samples[i]
		zero := g.zero(s.Start, s.End)
		first, last = append(first, s.Days[0]-zero), append(last, s.Days[len(s.Days)-1]-zero)
		for j := 1; j < len(s.Days); j++ {
			steps = append(steps, s.Days[j]-s.Days[j-1])
		}
		if len(s.Days) == usual {
			for j, d := range s.Days {
				at[j] = append(at[j], d-zero)
			}
		}
	}
	step := max(1, quantile(steps, 0.5))
	if usual <= maxSteps && 10*lengths[usual] >= 9*len(set.Samples) {
		for _, days := range at {
			g.Offset = append(g.Offset, quantile(days, 0.5))
		}
		if g.fits(set, step) {
			return g
		}
	}
	from, to := quantile(first, 0.1), quantile(last, 0.9)
	step = max(step, 1+(to-from)/maxSteps)
	g.Offset = nil
	for d := from; d <= to; d += step {
		g.Offset = append(g.Offset, d)
	}
	return g
}

// fits says whether the offsets rise and nine in ten dates of the samples stand at
// one of them.
func (g Grid) fits(set *sample.Set, step int) bool {
	for j := 1; j < len(g.Offset); j++ {
		if g.Offset[j] <= g.Offset[j-1] {
			return false
		}
	}
	near, n := 0, 0
	for i := range set.Samples {
		s := &set.Samples[i]
		zero := g.zero(s.Start, s.End)
		for j, d := range s.Days {
			n++
			if j < len(g.Offset) && 4*abs(d-zero-g.Offset[j]) <= max(step, 4) {
				near++
			}
		}
	}
	return 10*near >= 9*n
}

func abs(v int) int { return max(v, -v) }

// anchor is the circular middle of the days of the year on which seasons start.
func anchor(set *sample.Set) int {
	var x, y float64
	for i := range set.Samples {
		a := 2 * math.Pi * float64(dayOfYear(set.Samples[i].Start)) / yearDays
		x, y = x+math.Cos(a), y+math.Sin(a)
	}
	a := math.Atan2(y, x)
	if a < 0 {
		a += 2 * math.Pi
	}
	mid := int(math.Round(a*yearDays/(2*math.Pi))) % 365
	near := 0
	for i := range set.Samples {
		s := set.Samples[i].Start
		if abs(s-nearest(mid, s)) <= anchorSpread {
			near++
		}
	}
	if 10*near < 9*len(set.Samples) {
		return -1
	}
	return mid
}

func dayOfYear(day int) int { return sample.Date(day).YearDay() - 1 }

// nearest is the day next to day that is the given day of its year.
func nearest(ofYear, day int) int {
	off := ofYear - dayOfYear(day)
	switch {
	case off > 182:
		off -= 365
	case off < -182:
		off += 365
	}
	return day + off
}

// zero is the day from which offsets count for a season: of the anchor days about
// its start, the one whose dates lie best within the season.
func (g Grid) zero(start, end int) int {
	if g.Anchor < 0 {
		return start
	}
	zero := nearest(g.Anchor, start)
	if len(g.Offset) == 0 {
		return zero
	}
	within := func(z int) int {
		return min(end, z+g.Offset[len(g.Offset)-1]) - max(start, z+g.Offset[0])
	}
	best := zero
	for _, z := range []int{nearest(g.Anchor, zero-365), nearest(g.Anchor, zero+365)} {
		if within(z) > within(best) {
			best = z
		}
	}
	return best
}

// step is the middle distance of the dates in days.
func (g Grid) step() int {
	if len(g.Offset) < 2 {
		return 16
	}
	var d []int
	for i := 1; i < len(g.Offset); i++ {
		d = append(d, g.Offset[i]-g.Offset[i-1])
	}
	return max(1, quantile(d, 0.5))
}

// resample brings the values of one band onto the grid: a value within a quarter
// of a step stands for the date, otherwise the line between its neighbours does;
// before the first and after the last the series stays level. Offsets count from zero. seen is the share of
// the dates with a value within one and a half steps. Without any value it is 0 and
// out is NaN.
func (g Grid) resample(days []int, values []float64, zero int, out []float64) (seen float64) {
	step := g.step()
	var x []int
	var y []float64
	for i, d := range days {
		if !math.IsNaN(values[i]) {
			x, y = append(x, d-zero), append(y, values[i])
		}
	}
	for k, at := range g.Offset {
		if len(x) == 0 {
			out[k] = math.NaN()
			continue
		}
		r := sort.SearchInts(x, at) // first at or after
		l := r - 1
		near, gap := r, math.MaxInt
		if r < len(x) {
			gap = x[r] - at
		}
		if l >= 0 && at-x[l] < gap {
			near, gap = l, at-x[l]
		}
		switch {
		case 4*gap <= step || l < 0 || r == len(x):
			out[k] = y[near]
		default:
			t := float64(at-x[l]) / float64(x[r]-x[l])
			out[k] = y[l] + t*(y[r]-y[l])
		}
		if 2*gap <= 3*step {
			seen++
		}
	}
	return seen / float64(len(g.Offset))
}

// quantile of the values, which are sorted on the way; 0 without any.
func quantile(v []int, q float64) int {
	if len(v) == 0 {
		return 0
	}
	slices.Sort(v)
	return v[int(q*float64(len(v)-1))]
}
