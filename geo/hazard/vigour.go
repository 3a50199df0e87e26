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

// A sudden loss: from one clear look to the next, and it stays.
const (
	denseNDVI   = 0.5 // of the crop before; a thinner one moves by itself
	lossShare   = 0.7 // of the NDVI before, to which it falls at least
	lossStays   = 0.8 // under which it stays
	lossBack    = 0.9 // a look back above it tells of a cloud
	lossGap     = 20  // days between the looks before and after, at most
	lossLooks   = 2   // more looks that must confirm it
	lossWatch   = 30  // days in which they must come
	beforePeak  = 45  // days before the usual peak from which a crop only grows
	ripensFrom  = 25  // days before the usual harvest from which it ripens
	floodEffect = 70  // days that a flood explains what follows
	headDays    = 10  // before the usual peak, when cereals have headed
)

// sudden finds losses of vigour that come from one look to the next, stay, and lie
// before the crop ripens. A loss that is known already gets the date as evidence.
func sudden(p Plot, known []geo.Hazard) []geo.Hazard {
	if !p.agreed() {
		return known
	}
	seen := slices.DeleteFunc(slices.Clone(p.Sights), func(s series.Sight) bool { return !s.Valid })
	for _, m := range p.Answer.Matches {
		if m.Part.Kind != crop.Annual {
			continue
		}
		usual, _ := m.Part.When.Harvest.In(m.Year)
		peak, _ := m.Part.When.Peak.In(m.Year)
		from, to := peak.AddDate(0, 0, -beforePeak), usual.AddDate(0, 0, -ripensFrom)
		for i := 1; i < len(seen); i++ {
			if seen[i-1].Date.Before(from) || seen[i].Date.After(to) {
				continue
			}
			h, ok := lossAt(seen, i, usual)
			if !ok || p.explained(known, h.Start, h.End) {
				continue
			}
			if k := slices.IndexFunc(known, func(x geo.Hazard) bool {
				return (x.Kind == geo.VigourLoss || x.Kind == geo.Drought) && !x.Start.After(h.End.AddDate(0, 0, lossWatch)) && !x.End.Before(h.Start)
			}); k >= 0 {
				known[k].Evidence["fell"] = h.Evidence["fell"]
				if known[k].Kind == geo.VigourLoss {
					known[k].Candidates = candidates(m, h.Start, true)
				}
			} else {
				h.Evidence["crop"] = m.Part.Code
				h.Candidates = candidates(m, h.Start, true)
				known = append(known, h)
			}
			break
		}
	}
	return known
}

// lossAt judges the step between clear looks i-1 and i.
func lossAt(seen []series.Sight, i int, harvest time.Time) (geo.Hazard, bool) {
	a, b := seen[i-1], seen[i]
	if a.NDVI < denseNDVI || b.NDVI > lossShare*a.NDVI || zero(b.Water) >= dryShare || !within(a.Date, b.Date, lossGap) {
		return geo.Hazard{}, false
	}
	end, stays := b, 0
	for _, s := range seen[i+1:] {
		if !within(s.Date, b.Date, lossWatch) || !s.Date.Before(harvest.AddDate(0, 0, -earlyDays)) {
			break
		}
		if s.NDVI >= lossBack*a.NDVI {
			return geo.Hazard{}, false
		}
		if s.NDVI <= lossStays*a.NDVI {
			end = s
			stays++
		}
	}
	if stays < lossLooks {
		return geo.Hazard{}, false
	}
	h := geo.Hazard{
		Kind: geo.VigourLoss, Start: b.Date, End: end.Date, Share: 1, Confidence: min(0.8, 0.5+0.1*float64(stays)), Before: a.Scene, After: b.Scene,
		Evidence: map[string]string{"fell": fmt.Sprintf("%.2f (%s) → %.2f (%s)", a.NDVI, a.Date.Format(time.DateOnly), b.NDVI, b.Date.Format(time.DateOnly))},
	}
	if rise := b.Bare - a.Bare; rise >= abandonedShare { // NaN is not
		h.Share = math.Round(min(1, rise)*100) / 100
	}
	return h, true
}

// explained says whether another finding is why a crop lost vigour in a span: a
// flood in the ten weeks before, a cut, a sowing that failed, a part left bare.
func (p Plot) explained(known []geo.Hazard, from, to time.Time) bool {
	return near(known, geo.Flood, from.AddDate(0, 0, -floodEffect), to) || near(known, geo.EarlyHarvest, from.AddDate(0, 0, -10), to) ||
		near(known, geo.NeverSown, from, to) || near(known, geo.Abandoned, from, to)
}

// candidates names what may have cost a crop its vigour on a day, likeliest first.
// None is ever certain: no ground truth stands behind them, only season and stage.
// Hail falls from April to September; cereals lodge once they have headed; frost
// strikes in spring and early autumn; pests and diseases come at any time.
func candidates(m crop.Match, t time.Time, sudden bool) []string {
	var out []string
	day := t.YearDay()
	peak, _ := m.Part.When.Peak.In(m.Year)
	if sudden && t.Month() >= time.April && t.Month() <= time.September {
		out = append(out, "hail")
	}
	if sudden && slices.Contains([]string{"wheat", "rice", "maize", "coarse_grain"}, m.Part.Group) && !t.Before(peak.AddDate(0, 0, -headDays)) {
		out = append(out, "lodging")
	}
	out = append(out, "pest")
	if day >= 60 && day <= 130 || day >= 258 && day <= 304 { // March to 10 May; 15 September to October
		out = append(out, "frost")
	}
	return out
}

// suspects are the candidates of a slow loss on a day.
func (p Plot) suspects(t time.Time) []string {
	for _, m := range p.Answer.Matches {
		from, _ := m.Part.When.Green.In(m.Year)
		_, to := m.Part.When.Harvest.In(m.Year)
		if !t.Before(from) && !t.After(to) {
			return candidates(m, t, false)
		}
	}
	return []string{"pest"}
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
		h := geo.Hazard{Kind: geo.VigourLoss, Start: *s.Start, End: *s.End, Share: 1, Confidence: 0.5, Candidates: p.suspects(*s.Start), Evidence: map[string]string{
			"crop":  m.Part.Code,
			"peak":  fmt.Sprintf("%.2f", s.PeakNDVI),
			"usual": fmt.Sprintf("%.2f–%.2f", m.Part.PeakNDVI[0], m.Part.PeakNDVI[1]),
		}}
		h.Before = p.scene(p.Sights[0].Date, h.Start, true, nil)
		if s.Peak != nil {
			h.After = p.scene(*s.Peak, h.End, false, nil)
		}
		return h, true
	}
	return geo.Hazard{}, false
}
