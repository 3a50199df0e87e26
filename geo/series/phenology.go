package series

import (
	"time"

	"github.com/furrowcredit/furrow/geo"
)

const (
	// swing is the least rise and fall that makes a growing season. Parcel noise
	// is about 0.02, weeds on fallow land move by about 0.1.
	swing = 0.15
	// threshold is the share of the amplitude at which a season starts and ends.
	threshold = 0.2
)

// Season is one rise and fall of the curve. Dates are nil when that part of the
// season lies outside the curve or inside a gap.
type Season struct {
	Start, Peak, End *time.Time
	PeakNDVI         float64
	Left, Right      float64 // the low NDVI before and after
	Open             bool    // still growing or ripening when the curve ends
}

// Seasons finds the growing seasons of a curve: tops that rise or fall by at
// least 0.15 NDVI, with start and end where the curve crosses 20 % of the
// amplitude of that side (threshold method). A top at the rim of the curve may
// be only the rim, so it has no Peak.
func Seasons(c *Curve) []Season {
	turns := turningPoints(c.NDVI)
	var out []Season
	for k, t := range turns {
		if !t.top {
			continue
		}
		left, right := 0, len(c.NDVI)-1
		if k > 0 {
			left = turns[k-1].i
		}
		if k+1 < len(turns) {
			right = turns[k+1].i
		}
		out = append(out, c.season(left, t.i, right))
	}
	return out
}

func (c *Curve) season(left, top, right int) Season {
	last := len(c.NDVI) - 1
	s := Season{PeakNDVI: c.NDVI[top], Left: c.NDVI[left], Right: c.NDVI[right]}
	rise, fall := s.PeakNDVI-s.Left, s.PeakNDVI-s.Right
	if (rise >= swing || top >= edgeDays) && (fall >= swing || last-top >= edgeDays) {
		s.Peak = c.when(top)
	}
	if rise >= swing {
		i := left
		for level := s.Left + threshold*rise; c.NDVI[i] < level; {
			i++
		}
		s.Start = c.when(i)
	}
	// A curve that ends on its way down, well above where it began, is not over.
	s.Open = fall < swing || last-right < edgeDays && rise >= swing && s.Right > s.Left+threshold*rise
	if !s.Open {
		i := right
		for level := s.Right + threshold*fall; c.NDVI[i] < level; {
			i--
		}
		s.End = c.when(i)
	}
	return s
}

// edgeDays is how near to the rim of the curve an extreme may just be the rim.
const edgeDays = 10

// when gives the day of index i unless it lies in a gap.
func (c *Curve) when(i int) *time.Time {
	if c.InGap[i] {
		return nil
	}
	t := c.Date(i)
	return &t
}

// Phenology gives the main season, the one of the highest peak, and counts the
// seasons whose peak was seen.
func Phenology(seasons []Season) geo.Phenology {
	var p geo.Phenology
	best := -1
	for i, s := range seasons {
		if s.Peak == nil {
			continue
		}
		p.Seasons++
		if best < 0 || s.PeakNDVI > seasons[best].PeakNDVI {
			best = i
		}
	}
	if best >= 0 {
		s := seasons[best]
		p.Start, p.Peak, p.End, p.PeakNDVI = s.Start, s.Peak, s.End, s.PeakNDVI
	}
	return p
}

type turn struct {
	i   int
	top bool
}

// turningPoints gives the alternating lows and tops of v between which v moves by
// at least swing, the extremes of an unfinished move included. A series that
// moves less has none.
func turningPoints(v []float64) []turn {
	var out []turn
	lo, hi, dir := 0, 0, 0 // dir: 1 rising, -1 falling, 0 not yet known
	for i := range v {
		if v[i] < v[lo] {
			lo = i
		}
		if v[i] > v[hi] {
			hi = i
		}
		switch {
		case dir >= 0 && v[hi]-v[i] >= swing:
			out = append(out, turn{hi, true})
			dir, lo, hi = -1, i, i
		case dir <= 0 && v[i]-v[lo] >= swing:
			out = append(out, turn{lo, false})
			dir, lo, hi = 1, i, i
		}
	}
	switch dir {
	case 1:
		out = append(out, turn{hi, true})
	case -1:
		out = append(out, turn{lo, false})
	}
	return out
}
