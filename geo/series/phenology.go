package series

import (
	"math"
	"time"

	"github.com/furrowcredit/furrow/geo"
)

const (
	// swing is the least rise and fall that makes a growing season. Parcel noise
	// is about 0.02, weeds on fallow land move by about 0.1.
	swing = 0.15
	// bareNDVI is the floor of the amplitude: bare soil. Standing water lies below
	// it, but a field that goes under water ends no season by it.
	bareNDVI = 0.15
	// threshold is the share of the amplitude at which a season starts and ends.
	threshold = 0.2
	// plateau is the share of the amplitude above which a crop is in its prime.
	plateau = 0.8
	// dip is the share of the lower top, both above the plot's own lowest, that a low
	// between two tops must fall below to part them: flowers, frost and lodging dip a
	// curve, a harvest ends it.
	dip = 0.55
)

// Season is one rise and fall of the curve. Dates are nil when that part of the
// season lies outside the curve or inside a gap.
type Season struct {
	Start, Peak, End *time.Time
	Mid              *time.Time // middle of the days above 80 % of the amplitude: steadier than the peak; nil unless rise and fall were seen
	PeakNDVI         float64
	Left, Right      float64 // the low NDVI before and after
	Open             bool    // still growing or ripening when the curve ends
	// Sown and Harvested are the days within which it must have happened, by the
	// looks themselves and not by the curve between them; nil when not seen.
	Sown, Harvested *geo.DateRange
	Stage           geo.Stage // on the last clear date; "" for all but the last season
}

// Length is the days from Start to End, or false when one of them was not seen.
func (s Season) Length() (days int, ok bool) {
	if s.Start == nil || s.End == nil {
		return 0, false
	}
	return int(s.End.Sub(*s.Start).Hours() / 24), true
}

// Turned says whether the season was seen to fall after its peak. Without it the
// peak may be only a halt, such as that of winter wheat before the cold.
func (s Season) Turned() bool { return s.PeakNDVI-s.Right >= swing }

// Seasons finds the growing seasons of a curve: tops that rise or fall by at
// least 0.15 NDVI, with start and end where the curve crosses 20 % of the
// amplitude of that side (threshold method). A top at the rim of the curve may
// be only the rim, so it has no Peak.
func Seasons(c *Curve) []Season {
	land := *c
	land.NDVI = make([]float64, len(c.NDVI))
	for i, v := range c.NDVI {
		land.NDVI[i] = max(v, bareNDVI)
	}
	c = &land
	lowest := math.Inf(1)
	for i, v := range c.NDVI {
		if !c.InGap[i] {
			lowest = min(lowest, v)
		}
	}
	turns := joinDips(c.NDVI, turningPoints(c.NDVI), lowest)
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
		s := c.season(left, t.i, right)
		s.Sown, s.Harvested = c.sown(s, left, t.i), c.harvested(s, t.i, right)
		out = append(out, s)
	}
	if len(out) > 0 {
		s := &out[len(out)-1]
		s.Stage = c.stage(*s)
	}
	return out
}

func (c *Curve) season(left, top, right int) Season {
	s := Season{PeakNDVI: c.NDVI[top], Left: c.NDVI[left], Right: c.NDVI[right]}
	rise, fall := s.PeakNDVI-s.Left, s.PeakNDVI-s.Right
	if (rise >= swing || top-c.first >= edgeDays) && (fall >= swing || c.last-top >= edgeDays) {
		s.Peak = c.when(top)
	}
	if s.Peak != nil && min(rise, fall) >= swing {
		level := s.PeakNDVI - (1-plateau)*min(rise, fall)
		from, to := top, top
		for i := left; i <= right; i++ {
			if c.NDVI[i] >= level {
				from, to = min(from, i), max(to, i)
			}
		}
		mid := c.Date((from + to) / 2)
		s.Mid = &mid
	}
	if rise >= swing {
		i := top
		for level := s.Left + threshold*rise; i > left && c.NDVI[i-1] >= level; {
			i--
		}
		s.Start = c.when(i)
	}
	// A curve that ends on its way down, well above where it began, is not over.
	s.Open = fall < swing || c.last-right < edgeDays && rise >= swing && s.Right > s.Left+threshold*rise
	if !s.Open {
		i := top
		for level := s.Right + threshold*fall; i < right && c.NDVI[i+1] >= level; {
			i++
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

// Phenology gives the main season, the one of the highest peak, counts the seasons
// whose peak was seen, and says how the last season stands.
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
		p.Sown, p.Harvested = s.Sown, s.Harvested
	}
	if len(seasons) > 0 {
		p.Stage = seasons[len(seasons)-1].Stage
	}
	return p
}

// joinDips takes out the lows that only dip the curve, with the lower of their tops.
func joinDips(v []float64, turns []turn, lowest float64) []turn {
	for k := 1; k+1 < len(turns); {
		if a, b := v[turns[k-1].i], v[turns[k+1].i]; !turns[k].top && v[turns[k].i]-lowest > dip*(min(a, b)-lowest) {
			drop := k - 1 // the top before, and the low
			if a >= b {
				drop = k // the low, and the top after
			}
			turns = append(turns[:drop], turns[drop+2:]...)
			k = max(1, k-1)
			continue
		}
		k++
	}
	return turns
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
