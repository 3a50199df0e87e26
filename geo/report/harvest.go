package report

import (
	"slices"
	"time"

	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/crop"
	"github.com/furrowcredit/furrow/geo/growth"
	"github.com/furrowcredit/furrow/geo/series"
	"github.com/furrowcredit/furrow/geo/worth"
	"github.com/furrowcredit/furrow/money"
)

const (
	historyYears = 10 // a drought index wants ten years, and nothing needs more
	curveLooks   = 6  // clear looks that make a curve of an earlier year
	sownBefore   = 20 // days before the greening in which a hazard concerns the crop
	cutAfter     = 15 // days after its end
	sowSlack     = 15 // days by which a sowing may lie outside its calendar
	longestRise  = 90 // days from greening to peak where the greening was not seen
)

// harvest is the crop of a plot that is valued: the one that stands now or, when
// none does, the one that was harvested last.
type harvest struct {
	match    crop.Match
	standing bool
	from, to time.Time // days of the season that were seen
	window   float64   // mean NDVI about the peak
	whole    bool      // whether that window was seen
}

// latest gives the harvest of the latest season whose peak was seen; nil without one.
func latest(d *draft) *harvest {
	a := d.ev.Answer
	if len(a.Matches) == 0 || d.LastClear == nil {
		return nil
	}
	h := &harvest{match: slices.MaxFunc(a.Matches, func(x, y crop.Match) int { return x.Season.Peak.Compare(*y.Season.Peak) })}
	s, last := h.match.Season, *d.LastClear
	h.from, h.to = s.Peak.AddDate(0, 0, -longestRise), last
	if s.Start != nil {
		h.from = *s.Start
	}
	if s.End != nil {
		h.to = *s.End
	}
	// A season whose end lies under clouds is over when the calendar says so.
	_, cut := h.match.Part.When.Harvest.In(h.match.Year)
	h.standing = s.Open || s.End == nil && last.Before(cut)
	h.window, h.whole = worth.Window(a.Curve, *s.Peak, last)
	return h
}

// timing tells the season of the harvest in question instead of the fullest one.
// Spring green-up looks like emergence, so a sowing is told only where the crop is
// sown, and about when the calendar has it sown.
func timing(all geo.Phenology, h *harvest) geo.Phenology {
	if h == nil {
		return all
	}
	p := series.Phenology([]series.Season{h.match.Season})
	p.PeakNDVI, p.Seasons, p.Stage = round(p.PeakNDVI), all.Seasons, all.Stage
	if p.Sown != nil {
		from, to := h.match.Part.When.Sow.In(h.match.Year)
		sown := h.match.Part.Kind == crop.Annual && !p.Sown.To.Before(from.AddDate(0, 0, -sowSlack)) && !p.Sown.From.After(to.AddDate(0, 0, sowSlack))
		if !sown {
			p.Sown = nil
		}
	}
	return p
}

// past compares the season with the plot's own earlier years of the same crop.
func (m *Maker) past(d *draft) {
	a, h := d.ev.Answer, d.harvest
	if h == nil || len(d.ev.History) == 0 {
		return
	}
	all := slices.Concat(d.ev.History, d.ev.Sights)
	var years []growth.Year
	for back := 1; back <= historyYears; back++ {
		from, to := d.Season.Start.AddDate(-back, 0, 0), d.Season.End.AddDate(-back, 0, 0)
		ev := crop.Evidence{Region: d.region.Code, County: d.plot.Region, Start: from, End: to}
		seen := 0
		for _, s := range all {
			if !s.Date.Before(from) && !s.Date.After(to) {
				ev.Sights = append(ev.Sights, s)
				seen += int(truth(s.Valid))
			}
		}
		if seen < curveLooks {
			continue
		}
		then := m.crops.Classify(ev)
		if then.Curve == nil || then.Crop != "" && m.otherCrop(then.Crop, a.Crop) {
			continue
		}
		years = append(years, growth.Year{Back: back, Curve: then.Curve})
	}
	d.Growth.Past = growth.Past(a.Curve, h.match.Season.Peak.Year(), h.from, h.to, years)
}

// value fills the worth of all plots, each against the others with the same harvest.
func (m *Maker) value(drafts []*draft) {
	type key struct {
		region, crop string
		year         int
	}
	of := func(d *draft) key { return key{d.plot.Region, d.harvest.match.Part.Code, d.harvest.match.Year} }
	groups := map[key][]*draft{}
	for _, d := range drafts {
		if h := d.harvest; h != nil && h.whole {
			groups[of(d)] = append(groups[of(d)], d)
		}
	}
	for _, d := range drafts {
		h := d.harvest
		if h == nil {
			continue
		}
		part := h.match.Part
		d.Vigour = round(h.match.Season.PeakNDVI / ((part.PeakNDVI[0] + part.PeakNDVI[1]) / 2))
		if !d.region.Prices {
			continue
		}
		var windows, peaks []float64
		if h.whole {
			for _, p := range groups[of(d)] {
				if p != d {
					windows, peaks = append(windows, p.harvest.window), append(peaks, p.harvest.match.Season.PeakNDVI)
				}
			}
		}
		s := worth.Stand{AreaM2: d.AreaM2, Peak: *h.match.Season.Peak, Standing: h.standing, Hazards: h.struck(d.Hazards)}
		s.RemainingFen = h.remaining(m.asOf(d))
		s.Yields, _ = m.crops.Source(part.YieldSource)
		s.Costs, _ = m.crops.Source(part.Cost.Source)
		s.Index, s.Peers = worth.Index(h.window, h.match.Season.PeakNDVI, windows, peaks, part.PeakNDVI)
		if w, ok := worth.Value(part.Crop, s); ok {
			d.Worth = &w
		}
	}
}

// asOf is the day on which a report judges: today, or the end of a season gone by.
func (m *Maker) asOf(d *draft) time.Time {
	if now := m.now(); now.Before(d.Season.End) {
		return now
	}
	return d.Season.End
}

// remaining is what a mu still costs until the harvest is sold, at the high end. A
// crop that stands longer than its calendar still has to be brought in.
func (h *harvest) remaining(day time.Time) money.Fen {
	if !h.standing {
		return 0
	}
	part := h.match.Part
	return max(part.RemainingCostOn(day, h.match.Year)[2], part.RemainingCost(geo.StageRipening)[2])
}

// struck gives the hazards that concern the harvest: those that overlap its season,
// a cut after its peak, and a sowing that failed while it should have stood.
func (h *harvest) struck(all []geo.Hazard) []geo.Hazard {
	from, to, peak := h.from.AddDate(0, 0, -sownBefore), h.to.AddDate(0, 0, cutAfter), *h.match.Season.Peak
	var out []geo.Hazard
	for _, x := range all {
		hit := !x.Start.After(to) && !x.End.Before(from)
		switch x.Kind {
		case geo.EarlyHarvest:
			hit = hit && !x.Start.Before(peak)
		case geo.NeverSown:
			hit = !x.Start.After(peak) && !x.End.Before(peak)
		default: // any overlap
		}
		if hit {
			out = append(out, x)
		}
	}
	return out
}
