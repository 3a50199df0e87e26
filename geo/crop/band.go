package crop

// band is what the NDVI of a part may be on each day of a common year, whatever
// the dates within its windows. It is wide: only what no field of the crop does
// lies outside.
type band struct{ lo, hi [365]float64 }

// bareTop is the NDVI that weeds and stubble reach between crops.
const bareTop = 0.40

// newBand draws the earliest and the latest field of the calendar and takes what
// lies between: the hull of both. A field greens between the ends of its window,
// stands in its prime about the middle of the peak, and is bare after harvest.
func newBand(k Crop, cal Calendar) *band {
	b := new(band)
	floorLo, floorHi := -1.0, bareTop
	if k.Kind == Perennial {
		floorLo, floorHi = k.WinterNDVI[0]-0.06, k.WinterNDVI[1]+0.10
	}
	for i := range b.lo {
		b.lo[i], b.hi[i] = floorLo, floorHi
	}
	if k.Kind != Annual && k.Kind != Perennial {
		for i := range b.lo {
			b.lo[i], b.hi[i] = -1, 1
		}
		return b
	}
	green, peak, harvest := cal.Green, cal.Peak, cal.Harvest
	prime := 0.85 * k.PeakNDVI[0] // the least that a field shows about its peak
	base := max(floorLo, 0)
	full := min(peak.To, green.To+peak.From-green.From) // when the latest field is in its prime
	for x := green.From - 20; x <= harvest.To+15; x++ {
		d := ((x % 365) + 365) % 365
		at := float64(x)
		// The earliest and best field.
		hi := ramp(at, float64(green.From-12), float64(green.From)+0.6*float64(peak.From-green.From), floorHi, k.PeakNDVI[1]+0.05)
		hi = min(hi, ramp(at, float64(harvest.To), float64(harvest.To+15), k.PeakNDVI[1]+0.05, floorHi))
		b.hi[d] = max(b.hi[d], hi)
		// The poorest field: the latest on its way up, the earliest on its way down.
		lo := ramp(at, float64(green.To), float64(full), base, prime)
		lo = min(lo, ramp(at, float64(peak.From+10), float64(harvest.From-10), prime, base))
		b.lo[d] = max(b.lo[d], lo)
	}
	return b
}

// ramp runs from a before day from to b after day to.
func ramp(x, from, to, a, b float64) float64 {
	switch {
	case x <= from:
		return a
	case x >= to:
		return b
	default:
		return a + (b-a)*(x-from)/(to-from)
	}
}

// band gives the part's band; the catalogue has drawn it, a part made elsewhere draws its own.
func (p *Part) band() *band {
	if p.drawn == nil {
		p.drawn = newBand(p.Crop, p.When)
	}
	return p.drawn
}
