package series

import (
	"time"

	"github.com/furrowcredit/furrow/geo"
)

const (
	// harvestError is what the best harvest dates from space still err by: 6.5 days
	// on average from radar coherence at a look every 12 days (Kavats et al. 2019).
	harvestError = 7
	// lostDays is how far apart two looks may be to still date what lies between.
	lostDays = 60
	// Days from sowing until the canopy has a fifth of its height: 5 to 20 days to
	// emergence and as long again to the third or fourth leaf. An estimate.
	sownLeast, sownUsual, sownMost = 10, 25, 40
	// sparseNDVI is the most green that a field may carry and still be sown.
	sparseNDVI = 0.3
	// fullNDVI is what most field crops reach; one that climbs below may still be young.
	fullNDVI = 0.7
	// stillRising is the daily rise of NDVI over a fortnight above which a crop at the
	// rim of the curve has not come to its top.
	stillRising, fortnight = 0.003, 14
)

// harvested dates the end of a season between the last look that saw the crop and
// the first that saw it gone, below a fifth of the fall, for good.
func (c *Curve) harvested(s Season, top, right int) *geo.DateRange {
	fall := s.PeakNDVI - s.Right
	if s.Open || fall < swing {
		return nil
	}
	level := s.Right + threshold*fall
	high, low := -1, -1
	for _, l := range c.looks {
		switch {
		case l.day > right+edgeDays:
		case l.ndvi >= level:
			if l.day <= right {
				high, low = l.day, -1
			}
		case low < 0 && l.day > top:
			low = l.day
		}
	}
	if high < 0 || low < 0 || low-high > lostDays {
		return nil
	}
	mid := (high + low) / 2
	return c.within(mid, min(high, mid-harvestError), max(low, mid+harvestError))
}

// sown dates the sowing by the greening: between the last look that saw the land
// bare and the first that saw a crop of a fifth of its height, less the days that a
// crop needs to come so far. Land that was not bare before was not sown.
func (c *Curve) sown(s Season, left, top int) *geo.DateRange {
	rise := s.PeakNDVI - s.Left
	if rise < swing || s.Left > sparseNDVI {
		return nil
	}
	level := s.Left + threshold*rise
	low, high := -1, -1
	for _, l := range c.looks {
		if l.day < left-edgeDays || l.day > top {
			continue
		}
		if l.ndvi < level {
			low, high = l.day, -1
		} else if high < 0 {
			high = l.day
		}
	}
	if high < 0 { // the first look that saw it green is the top's own
		for _, l := range c.looks {
			if l.day > top {
				high = l.day
				break
			}
		}
	}
	if low < 0 || high < 0 || high-low > lostDays {
		return nil
	}
	return c.within((low+high)/2-sownUsual, low-sownMost, high-sownLeast)
}

func (c *Curve) within(day, from, to int) *geo.DateRange {
	return &geo.DateRange{Date: c.Date(day), From: c.Date(from), To: c.Date(to)}
}

// stage says how the last season stands on the last clear date.
func (c *Curve) stage(s Season) geo.Stage {
	now := c.NDVI[c.last]
	amplitude := s.PeakNDVI - min(s.Left, s.Right)
	before := func(t *time.Time) bool { return t != nil && c.Date(c.last).Before(*t) }
	switch {
	case before(s.Start):
		return geo.StageBare
	case !s.Open && s.PeakNDVI-now > plateauLost*amplitude && !before(s.End):
		return geo.StageHarvested
	case c.rising(s):
		if now-s.Left < (max(s.PeakNDVI, fullNDVI)-s.Left)/2 {
			return geo.StageEmerging
		}
		return geo.StageGrowing
	case s.PeakNDVI-now <= peakShare*amplitude:
		return geo.StagePeak
	}
	return geo.StageRipening
}

const (
	peakShare   = 0.1 // of the amplitude, below the peak
	plateauLost = 0.5 // a crop that stands above half of its amplitude is not harvested
)

// rising says whether the curve still climbs towards its top when it ends.
func (c *Curve) rising(s Season) bool {
	if s.Turned() {
		return false
	}
	from := max(0, c.last-fortnight)
	if s.PeakNDVI-c.NDVI[c.last] > peakShare*(s.PeakNDVI-s.Left) {
		return false
	}
	return c.last > from && (c.NDVI[c.last]-c.NDVI[from])/float64(c.last-from) > stillRising
}
