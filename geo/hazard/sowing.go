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

// A part that is left: bare on so many looks in the days about the peak.
const (
	abandonedFrom  = 30
	abandonedTo    = 15
	abandonedLooks = 3
	abandonedShare = 0.2 // less may be a track, a shed, a pond
	soilNDVI       = 0.2
	grownNDVI      = 0.3 // above it plants cover some of the ground
)

// earlyHarvests finds seasons that end in bare soil long before the usual harvest.
func earlyHarvests(p Plot, known []geo.Hazard) []geo.Hazard {
	var out []geo.Hazard
	for _, m := range p.Answer.Matches {
		s := m.Season
		if !p.agreed() || m.Part.Kind != crop.Annual || s.Peak == nil || s.End == nil || s.Right > bareNDVI || s.PeakNDVI-s.Right < 0.3 {
			continue
		}
		usual, _ := m.Part.When.Harvest.In(m.Year)
		if !s.End.Before(usual.AddDate(0, 0, -earlyDays)) || near(known, geo.Flood, *s.Peak, s.End.AddDate(0, 0, 10)) {
			continue
		}
		bare := 0
		for _, o := range p.Sights {
			if o.Valid && o.Date.After(*s.End) && o.Date.Before(s.End.AddDate(0, 0, 45)) && o.NDVI < bareNDVI {
				bare++
			}
		}
		if bare < 2 {
			continue
		}
		h := geo.Hazard{Kind: geo.EarlyHarvest, Start: *s.End, End: usual, Share: 1, Confidence: min(0.95, 0.6+0.1*float64(bare)), Evidence: map[string]string{
			"crop":          m.Part.Code,
			"peak":          on(s.PeakNDVI, *s.Peak),
			"bare_looks":    fmt.Sprint(bare),
			"usual_harvest": usual.Format(time.DateOnly),
		}}
		h.Before = p.scene(*s.Peak, *s.End, true, func(o series.Sight) bool { return o.NDVI >= bareNDVI })
		h.After = p.scene(s.End.AddDate(0, 0, -5), s.End.AddDate(0, 0, 45), false, func(o series.Sight) bool { return o.NDVI < bareNDVI })
		out = append(out, h)
	}
	return out
}

// neverSown holds the declared crop against what was seen in the weeks when it
// should cover the ground.
func neverSown(p Plot) (geo.Hazard, bool) {
	h := geo.Hazard{Kind: geo.NeverSown, Share: 1}
	looks, greenest, green := 0, math.Inf(-1), ""
	if len(p.Sights) == 0 {
		return h, false
	}
	first, last := p.Sights[0].Date, p.Sights[len(p.Sights)-1].Date
	for _, part := range p.Declared {
		if part.Kind != crop.Annual {
			return h, false
		}
		for year := first.Year(); year <= last.Year()+1; year++ {
			_, from := part.When.Green.In(year)
			to, _ := part.When.Harvest.In(year)
			from, to = from.AddDate(0, 0, 15), to.AddDate(0, 0, -15)
			n := 0
			for _, s := range p.Sights {
				if s.Valid && zero(s.Water) < floodShare && !s.Date.Before(from) && !s.Date.After(to) {
					n++
					if s.NDVI > greenest {
						greenest, green = s.NDVI, s.Scene
					}
				}
			}
			if n < 3 {
				continue
			}
			looks += n
			sow, _ := part.When.Sow.In(year)
			if h.Start.IsZero() || sow.Before(h.Start) {
				h.Start = sow
			}
			h.End = later(h.End, to)
		}
	}
	if looks == 0 || greenest >= bareNDVI {
		return h, false
	}
	h.Confidence = min(0.95, 0.6+0.05*float64(looks))
	h.Evidence = map[string]string{
		"greenest": fmt.Sprintf("%.2f (%d)", greenest, looks),
	}
	h.Before, h.After = p.scene(first, h.Start, true, nil), green
	return h, true
}

// abandoned finds a part of the plot that stays bare from the weeks before the peak
// of the crop on while the rest of it grows. The share is what never greened: the
// least bare share of those looks.
func abandoned(p Plot, known []geo.Hazard) []geo.Hazard {
	var out []geo.Hazard
	for _, peak := range p.peaks() {
		from, to := peak.AddDate(0, 0, -abandonedFrom), peak.AddDate(0, 0, abandonedTo)
		if near(known, geo.Flood, from.AddDate(0, 0, -70), to) || near(known, geo.NeverSown, from, to) || near(known, geo.EarlyHarvest, from, to) {
			continue
		}
		least, growing := 1.0, math.Inf(-1)
		var looks []series.Sight
		for _, s := range p.Sights {
			if !s.Valid || math.IsNaN(s.Bare) || s.Date.Before(from) || s.Date.After(to) {
				continue
			}
			looks = append(looks, s)
			least = min(least, s.Bare)
			if s.Bare < 1 { // what is bare shows soil
				growing = max(growing, (s.NDVI-s.Bare*soilNDVI)/(1-s.Bare))
			}
		}
		if len(looks) < abandonedLooks || least < abandonedShare || least > 1-abandonedShare || growing < grownNDVI+0.2 {
			continue
		}
		first, last := looks[0], looks[len(looks)-1]
		out = append(out, geo.Hazard{
			Kind: geo.Abandoned, Start: first.Date, End: last.Date, Share: math.Round(least*100) / 100,
			Confidence: min(0.85, 0.4+0.1*float64(len(looks))), Before: p.scene(p.Sights[0].Date, first.Date, true, nil), After: first.Scene,
			Evidence: map[string]string{
				"bare_share": fmt.Sprintf("%.2f (%d)", least, len(looks)),
				"rest_ndvi":  fmt.Sprintf("%.2f", growing),
			},
		})
	}
	return out
}

// peaks are the days about which annual crops of the plot cover the ground: those
// seen or, where no crop was recognised, those of the declared crop's calendar.
func (p Plot) peaks() []time.Time {
	var out []time.Time
	for _, m := range p.Answer.Matches {
		if m.Part.Kind == crop.Annual && m.Season.Peak != nil {
			out = append(out, *m.Season.Peak)
		}
	}
	if p.Answer.Crop != "" || len(p.Sights) == 0 {
		return out
	}
	for _, part := range p.Declared {
		for year := p.Sights[0].Date.Year(); part.Kind == crop.Annual && year <= p.Sights[len(p.Sights)-1].Date.Year(); year++ {
			from, to := part.When.Peak.In(year)
			out = append(out, from.Add(to.Sub(from)/2))
		}
	}
	slices.SortFunc(out, time.Time.Compare)
	return out
}
