package hazard

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/crop"
)

// behind compares every plot with the plots of its crop: a field that stays far
// below the middle of its peers for weeks has lost vigour, and where its leaves
// hold less water than those of peers as green as it, drought is the reason.
func behind(plots []Plot, out [][]geo.Hazard) {
	groups := map[string][]int{}
	for i, p := range plots {
		a := p.Answer
		if a.Curve == nil || len(a.Matches) == 0 || !p.agreed() {
			continue
		}
		// Fields cut several times a year, each at its own time, are no peers.
		if k := a.Matches[0].Part.Kind; k != crop.Cycles && k != crop.Evergreen {
			groups[a.Crop] = append(groups[a.Crop], i)
		}
	}
	for name, members := range groups {
		if len(members) < minPeers {
			continue
		}
		g := newGroup(plots, members)
		for _, i := range members {
			if h, ok := g.find(plots[i], out[i]); ok {
				out[i] = append(out[i], h)
			}
		}
		// A field too stressed to be recognised for sure is held against the crop that its
		// holder states.
		for i, p := range plots {
			a := p.Answer
			if a.Curve == nil || p.Crop != name || a.Crop == name || a.Crop == crop.Fallow || likeliest(a) > sure {
				continue
			}
			if h, ok := g.find(p, out[i]); ok {
				h.Confidence *= doubt
				out[i] = append(out[i], h)
			}
		}
	}
}

// likeliest is the probability of the single crop that fits best. Where several that
// are alike share the answer, its confidence is that of all of them together.
func likeliest(a crop.Answer) float64 {
	if len(a.Guesses) == 0 {
		return a.Confidence
	}
	return a.Guesses[0].Probability
}

// group is what the plots of one crop do together.
type group struct {
	start time.Time
	usual []float64 // by day: lowest of the peers' middle within peerShift days; NaN where too few were seen
	// Leaf water of the peers as a line over their NDVI.
	a, b  float64
	moist bool
}

func newGroup(plots []Plot, members []int) group {
	g := group{start: plots[members[0]].Answer.Curve.Start}
	n := len(plots[members[0]].Answer.Curve.NDVI)
	middle := make([]float64, n)
	v := make([]float64, 0, len(members))
	for d := range n {
		v = v[:0]
		for _, i := range members {
			if c := plots[i].Answer.Curve; d < len(c.NDVI) && !c.InGap[d] {
				v = append(v, c.NDVI[d])
			}
		}
		middle[d] = math.NaN()
		if len(v) >= minPeers {
			middle[d] = median(v)
		}
	}
	g.usual = make([]float64, n)
	for d := range n {
		// A day at the rim, or beside a gap, has no neighbours to vouch for it.
		if d < peerShift || d+peerShift >= n {
			g.usual[d] = math.NaN()
			continue
		}
		g.usual[d] = slices.Min(middle[d-peerShift : d+peerShift+1])
	}
	var k, sx, sy, sxx, sxy float64
	for _, i := range members {
		for _, s := range plots[i].Sights {
			if s.Valid && s.NDVI > 0.3 && zero(s.Water) < dryShare && !math.IsNaN(s.Moisture) {
				k, sx, sy, sxx, sxy = k+1, sx+s.NDVI, sy+s.Moisture, sxx+s.NDVI*s.NDVI, sxy+s.NDVI*s.Moisture
			}
		}
	}
	if den := k*sxx - sx*sx; k >= 5*minPeers && den > 1e-6*k*k {
		g.b = (k*sxy - sx*sy) / den
		g.a = (sy - g.b*sx) / k
		g.moist = true
	}
	return g
}

// find gives the longest span that a plot stayed behind its peers.
func (g group) find(p Plot, known []geo.Hazard) (geo.Hazard, bool) {
	c := p.Answer.Curve
	from, to := 0, 0 // the longest run so far, to is past its end
	for d := 0; d < len(c.NDVI) && d < len(g.usual); {
		e := d
		for e < len(c.NDVI) && e < len(g.usual) && !c.InGap[e] && g.usual[e] >= peerNDVI && c.NDVI[e] < peerShare*g.usual[e] {
			e++
		}
		if e-d > to-from && !p.explained(known, g.start.AddDate(0, 0, d), g.start.AddDate(0, 0, e)) {
			from, to = d, e
		}
		d = e + 1
	}
	if to-from < behindDays {
		return geo.Hazard{}, false
	}
	h := geo.Hazard{Kind: geo.VigourLoss, Start: c.Date(from), End: c.Date(to - 1), Share: 1}
	var looks, ratio, water float64
	for _, s := range p.Sights {
		if !s.Valid || s.Date.Before(h.Start) || s.Date.After(h.End.AddDate(0, 0, 1)) {
			continue
		}
		d := int(s.Date.Sub(g.start).Hours() / 24)
		if d >= len(g.usual) || !(g.usual[d] > 0) {
			continue
		}
		looks++
		ratio += s.NDVI / g.usual[d]
		if g.moist && !math.IsNaN(s.Moisture) {
			water += s.Moisture - (g.a + g.b*s.NDVI)
		}
	}
	if looks < 2 || ratio/looks >= peerShare {
		return geo.Hazard{}, false
	}
	h.Evidence = map[string]string{
		"method":        "NDVI",
		"against_peers": fmt.Sprintf("%.2f (%.0f)", ratio/looks, looks),
	}
	h.Before = p.scene(p.Sights[0].Date, h.Start.Add(-1), true, nil)
	h.After = p.scene(h.Start, h.End.AddDate(0, 0, 1), false, nil)
	h.Confidence = min(0.9, 0.5+0.1*looks)
	if g.moist {
		h.Evidence["leaf_water"] = fmt.Sprintf("%+.2f", water/looks)
		if water/looks < -dryMoisture {
			// Leaves of one season against those of neighbours: less than an index of years.
			h.Kind, h.Confidence = geo.Drought, min(peerDoubt, h.Confidence-0.1)
			h.Evidence["method"] = "NDVI, NDMI"
			return h, true
		}
	}
	h.Candidates = p.suspects(h.Start)
	return h, true
}
