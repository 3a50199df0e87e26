// Package hazard finds what befell a plot: flood, drought, loss of vigour, a
// harvest long before its time, a crop that was declared and never sown.
//
// Each finding carries the values it rests on. What normal farming explains,
// above all the water of a paddy before it greens, is no hazard.
package hazard

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/crop"
	"github.com/furrowcredit/furrow/geo/series"
)

// Plot is what is known of one plot.
type Plot struct {
	Sights   []series.Sight // by date
	Answer   crop.Answer
	Crop     string      // code of the declared crop; "" when none is declared
	Declared []crop.Part // its seasons in the region
}

const (
	floodShare  = 0.30 // of the clear part of the plot under water
	dryShare    = 0.20 // water that a plot may show before and still not be a pond
	bareNDVI    = 0.38 // above this something grows
	earlyDays   = 12   // before the first usual day of harvest
	minPeers    = 8
	peerShift   = 12    // days by which fields of one crop may differ
	peerShare   = 0.8   // of the peers' NDVI, below which a field has fallen behind
	peerNDVI    = 0.45  // of the peers, below which nothing is compared
	behindDays  = 14    // that a field must stay behind
	dryMoisture = 0.025 // NDMI below that of peers of the same NDVI
	doubt       = 0.7   // for a field held against a crop that was not recognised on it
	sure        = 0.7   // confidence of another crop above which the declared one is not compared
	// Radar: calm water sends 5 dB less back than the field did before.
	radarFall = 5.0
	radarDark = -17.0
)

// Find gives the hazards of each plot, in their order. Plots with the same crop
// are each other's peers, so pass those of a neighbourhood together.
func Find(plots []Plot) [][]geo.Hazard {
	out := make([][]geo.Hazard, len(plots))
	for i, p := range plots {
		out[i] = append(out[i], floods(p)...)
		if h, ok := neverSown(p); ok {
			out[i] = append(out[i], h)
		}
		out[i] = append(out[i], earlyHarvests(p, out[i])...)
	}
	behind(plots, out)
	for i, p := range plots {
		if h, ok := poor(p, out[i]); ok {
			out[i] = append(out[i], h)
		}
		slices.SortStableFunc(out[i], func(a, b geo.Hazard) int { return a.Start.Compare(b.Start) })
	}
	return out
}

// floods joins consecutive clear looks with water where there was none before.
func floods(p Plot) []geo.Hazard {
	var out []geo.Hazard
	var before []series.Sight // dry looks
	open := -1
	for _, s := range p.Sights {
		var wet float64
		switch {
		case s.Valid && !math.IsNaN(s.Water):
			wet = s.Water
		case math.IsNaN(s.VV):
			continue // neither light nor radar saw the ground
		case radarWater(s, before):
			wet = 1
		}
		if wet < floodShare {
			if wet < dryShare {
				before = append(before, s)
			}
			open = -1
			continue
		}
		if len(before) < 2 || paddy(p, s.Date) {
			continue // a pond, or the season began under water
		}
		if open < 0 {
			last := before[len(before)-1]
			open = len(out)
			out = append(out, geo.Hazard{Kind: geo.Flood, Start: s.Date, Confidence: 0.7, Evidence: map[string]string{
				"water_before": on(zero(last.Water), last.Date),
				"ndvi_before":  fmt.Sprintf("%.2f", last.NDVI),
				"ndvi":         fmt.Sprintf("%.2f", s.NDVI),
			}})
		} else {
			out[open].Confidence = 0.9
		}
		h := &out[open]
		h.End, h.Share = s.Date, max(h.Share, math.Round(wet*100)/100)
		h.Evidence["water"] = on(wet, s.Date)
		if len(p.Answer.Matches) == 0 { // an unknown crop may be a paddy
			h.Confidence = 0.5
		}
	}
	return out
}

// on writes a value with its date; evidence is read in every language.
func on(v float64, t time.Time) string { return fmt.Sprintf("%.2f (%s)", v, t.Format(time.DateOnly)) }

func zero(v float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return v
}

// radarWater says whether the plot went dark to the radar against its own dry days.
func radarWater(s series.Sight, before []series.Sight) bool {
	if math.IsNaN(s.VV) || s.VV > radarDark {
		return false
	}
	var vv []float64
	for _, b := range before {
		if !math.IsNaN(b.VV) {
			vv = append(vv, b.VV)
		}
	}
	return len(vv) >= 3 && s.VV < median(vv)-radarFall
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

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// agreed says whether the crop that was recognised is the declared one, or none is
// declared. Where they differ, being unlike the crop is no hazard.
func (p Plot) agreed() bool { return p.Crop == "" || p.Crop == p.Answer.Crop }

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
		out = append(out, geo.Hazard{Kind: geo.EarlyHarvest, Start: *s.End, End: usual, Share: 1, Confidence: min(0.95, 0.6+0.1*float64(bare)), Evidence: map[string]string{
			"crop":          m.Part.Code,
			"peak":          on(s.PeakNDVI, *s.Peak),
			"bare_looks":    fmt.Sprint(bare),
			"usual_harvest": usual.Format(time.DateOnly),
		}})
	}
	return out
}

// near says whether a known hazard of that kind overlaps a span.
func near(hs []geo.Hazard, kind geo.HazardKind, from, to time.Time) bool {
	return slices.ContainsFunc(hs, func(h geo.Hazard) bool {
		return h.Kind == kind && !h.Start.After(to) && !h.End.Before(from)
	})
}

// neverSown holds the declared crop against what was seen in the weeks when it
// should cover the ground.
func neverSown(p Plot) (geo.Hazard, bool) {
	h := geo.Hazard{Kind: geo.NeverSown, Share: 1}
	looks, greenest := 0, math.Inf(-1)
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
					greenest = max(greenest, s.NDVI)
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
	return h, true
}

// poor flags a season far below what is usual for its crop, where no other
// hazard tells why.
func poor(p Plot, known []geo.Hazard) (geo.Hazard, bool) {
	for _, m := range p.Answer.Matches {
		s := m.Season
		if !p.agreed() || m.Part.Kind != crop.Annual || s.Start == nil || s.End == nil || s.PeakNDVI >= 0.75*m.Part.PeakNDVI[0] {
			continue
		}
		if slices.ContainsFunc(known, func(h geo.Hazard) bool { return !h.Start.After(*s.End) && !h.End.Before(*s.Start) }) {
			continue
		}
		return geo.Hazard{Kind: geo.VigourLoss, Start: *s.Start, End: *s.End, Share: 1, Confidence: 0.5, Evidence: map[string]string{
			"crop":  m.Part.Code,
			"peak":  fmt.Sprintf("%.2f", s.PeakNDVI),
			"usual": fmt.Sprintf("%.2f–%.2f", m.Part.PeakNDVI[0], m.Part.PeakNDVI[1]),
		}}, true
	}
	return geo.Hazard{}, false
}

func median(v []float64) float64 {
	slices.SortFunc(v, cmp.Compare)
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}
