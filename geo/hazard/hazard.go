// Package hazard finds what befell a plot: flood, drought, loss of vigour, a
// harvest long before its time, a crop that was declared and never sown, a part
// that lies abandoned.
//
// Each finding carries the values it rests on and the scenes before and after.
// What normal farming explains, above all the water of a paddy before it greens
// and the harvest, is no hazard, and one odd look is none either. Why a crop lost
// vigour no satellite tells for sure: such findings name candidates.
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
	// History are the looks of earlier years, by date: what the plot itself is held
	// against. Without it there is no drought index, see [Compare].
	History []series.Sight
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
	peerDoubt   = 0.7   // greatest confidence of a drought that only peers tell of
	doubt       = 0.7   // for a field held against a crop that was not recognised on it
	sure        = 0.7   // probability of another crop above which the declared one is not compared
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
		out[i] = append(out[i], abandoned(p, out[i])...)
	}
	behind(plots, out)
	for i, p := range plots {
		out[i] = drought(p, out[i])
		out[i] = sudden(p, out[i])
		if h, ok := poor(p, out[i]); ok {
			out[i] = append(out[i], h)
		}
		slices.SortStableFunc(out[i], func(a, b geo.Hazard) int { return a.Start.Compare(b.Start) })
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

// scene is the id of the first clear look between two times, or the last one, that
// passes a test; "" when there is none.
func (p Plot) scene(from, to time.Time, last bool, ok func(series.Sight) bool) string {
	id := ""
	for _, s := range p.Sights {
		if !s.Valid || s.Date.Before(from) || s.Date.After(to) || ok != nil && !ok(s) {
			continue
		}
		if id = s.Scene; !last {
			break
		}
	}
	return id
}

// near says whether a known hazard of that kind overlaps a span.
func near(hs []geo.Hazard, kind geo.HazardKind, from, to time.Time) bool {
	return slices.ContainsFunc(hs, func(h geo.Hazard) bool {
		return h.Kind == kind && !h.Start.After(to) && !h.End.Before(from)
	})
}

func median(v []float64) float64 {
	slices.SortFunc(v, cmp.Compare)
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}
