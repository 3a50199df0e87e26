package hazard

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/crop"
	"github.com/furrowcredit/furrow/geo/series"
)

// Radar against the plot's own dry looks: calm water sends 5 dB less back in VV and
// is darker than any field; smooth bare soil is as dark in VV but keeps its VH,
// which over water falls as well (by 3 dB and more).
const (
	radarFall   = 5.0
	radarDark   = -17.0
	crossFall   = 3.0
	radarLooks  = 3 // dry ones that a change is held against, at least
	radarRecent = 8 // and at most, for the crop changes it as well
	sameDays    = 2 // looks of light and radar that see the same state of the ground
	traceDays   = 6 // after which a flood still leaves its trace on the crop
	trace       = 0.9
)

// flooding is a flood while its looks come in.
type flooding struct {
	geo.Hazard
	light, radar int // looks that show it
	ndviBefore   float64
}

// floods joins consecutive looks with water where there was none before.
func floods(p Plot) []geo.Hazard {
	var found []*flooding
	var open *flooding
	var before []series.Sight // dry looks
	for _, s := range p.Sights {
		light := s.Valid && !math.IsNaN(s.Water)
		var rise float64 // share of the plot under water that was dry before
		switch {
		case light:
			rise = s.Water - usualWater(before)
		case math.IsNaN(s.VV):
			continue // neither light nor radar saw the ground
		case radarWater(s, before):
			rise = 1
		}
		if rise < floodShare {
			if !light || s.Water < dryShare {
				before = append(before, s)
			}
			open = nil
			continue
		}
		if len(before) < 2 || paddy(p, s.Date) {
			continue // a pond, or the season began under water
		}
		if open == nil {
			open = startFlood(s, before)
			found = append(found, open)
		}
		open.see(s, light, rise, before)
	}
	var out []geo.Hazard
	for _, f := range found {
		if f.light+f.radar == 1 && f.light == 1 && traceless(p, f) {
			continue
		}
		f.weigh(p)
		out = append(out, f.Hazard)
	}
	return out
}

func startFlood(s series.Sight, before []series.Sight) *flooding {
	f := &flooding{Hazard: geo.Hazard{Kind: geo.Flood, Start: s.Date, Evidence: map[string]string{}}}
	f.Before, f.After = before[len(before)-1].Scene, s.Scene
	for _, b := range slices.Backward(before) {
		if b.Valid {
			f.ndviBefore = b.NDVI
			f.Evidence["water_before"] = on(zero(b.Water), b.Date)
			f.Evidence["ndvi_before"] = fmt.Sprintf("%.2f", b.NDVI)
			break
		}
	}
	return f
}

// see adds a look that shows the flood.
func (f *flooding) see(s series.Sight, light bool, rise float64, before []series.Sight) {
	f.End, f.Share = s.Date, max(f.Share, math.Round(min(1, rise)*100)/100)
	if light {
		f.light++
		f.Evidence["water"] = on(s.Water, s.Date)
		if f.light == 1 {
			f.Evidence["ndvi"] = fmt.Sprintf("%.2f", s.NDVI)
		}
		return
	}
	f.radar++
	vv, vh := radarUsual(before)
	f.Evidence["vv"], f.Evidence["vv_before"] = on(s.VV, s.Date), fmt.Sprintf("%.2f", vv)
	if !math.IsNaN(s.VH) && !math.IsNaN(vh) {
		f.Evidence["vh"], f.Evidence["vh_before"] = on(s.VH, s.Date), fmt.Sprintf("%.2f", vh)
	}
}

// weigh sets the confidence: more looks and both sensors raise it, a radar that saw
// the field as ever within two days lowers it.
func (f *flooding) weigh(p Plot) {
	switch {
	case f.light > 0 && f.radar > 0:
		f.Confidence = 0.95
	case f.light > 1 || f.radar > 2:
		f.Confidence = 0.9
	case f.radar > 1:
		f.Confidence = 0.8
	default:
		f.Confidence = 0.6
		if f.light == 1 && slices.ContainsFunc(p.Sights, func(s series.Sight) bool {
			return !s.Valid && within(s.Date, f.Start, sameDays) && !math.IsNaN(s.VV) && s.VV > radarDark
		}) {
			f.Confidence = 0.4
		}
	}
	if len(p.Answer.Matches) == 0 { // an unknown crop may be a paddy
		f.Confidence = min(f.Confidence, 0.5)
	}
}

// within says whether two times are at most so many days apart.
func within(a, b time.Time, days int) bool {
	return a.Sub(b).Abs() <= time.Duration(days)*24*time.Hour
}

// traceless says whether a flood of one look has left the crop as green as it was,
// and dry, a few days later: then it was a shadow, or no harm.
func traceless(p Plot, f *flooding) bool {
	return f.ndviBefore > grownNDVI && slices.ContainsFunc(p.Sights, func(s series.Sight) bool {
		return s.Valid && s.Date.After(f.End) && within(s.Date, f.End, traceDays) && zero(s.Water) < dryShare && s.NDVI >= trace*f.ndviBefore
	})
}

// usualWater is the share of the plot that its dry looks show under water: a ditch,
// a corner of a pond.
func usualWater(before []series.Sight) float64 {
	var v []float64
	for _, b := range before {
		if b.Valid && !math.IsNaN(b.Water) {
			v = append(v, b.Water)
		}
	}
	if len(v) == 0 {
		return 0
	}
	return median(v)
}

// radarUsual is the median of the last dry looks in VV and VH; NaN where too few.
func radarUsual(before []series.Sight) (vv, vh float64) {
	var a, b []float64
	for _, s := range slices.Backward(before) {
		if !math.IsNaN(s.VV) && len(a) < radarRecent {
			a = append(a, s.VV)
			if !math.IsNaN(s.VH) {
				b = append(b, s.VH)
			}
		}
	}
	vv, vh = math.NaN(), math.NaN()
	if len(a) >= radarLooks {
		vv = median(a)
	}
	if len(b) >= radarLooks {
		vh = median(b)
	}
	return vv, vh
}

// radarWater says whether the plot went dark to the radar against its own dry looks.
func radarWater(s series.Sight, before []series.Sight) bool {
	if math.IsNaN(s.VV) || s.VV > radarDark {
		return false
	}
	vv, vh := radarUsual(before)
	if math.IsNaN(s.VH) || math.IsNaN(vh) {
		return s.VV < vv-radarFall // NaN is not
	}
	return s.VV < vv-radarFall && s.VH < vh-crossFall
}

// paddy says whether water on that day belongs to the crop: from six weeks before
// a flooded crop greens until it covers the water.
func paddy(p Plot, t time.Time) bool {
	flooded := func(part crop.Part, year int, green *time.Time) bool {
		from, to := part.When.Sow.In(year)
		_, end := part.When.Green.In(year)
		to = later(to, end)
		if green != nil {
			from, to = earlier(from, green.AddDate(0, 0, -42)), later(to, green.AddDate(0, 0, 20))
		}
		return !t.Before(from.AddDate(0, 0, -10)) && !t.After(to.AddDate(0, 0, 10))
	}
	for _, m := range p.Answer.Matches {
		if m.Part.Flooded && flooded(m.Part, m.Year, m.Season.Start) {
			return true
		}
	}
	for _, part := range p.Declared { // the season may be cut off before it greens
		for year := t.Year(); part.Flooded && year <= t.Year()+1; year++ {
			if flooded(part, year, nil) {
				return true
			}
		}
	}
	return false
}
