package geo

import (
	"math"
	"slices"

	"github.com/paulmach/orb"
)

// OverlapM2 is the area in m² that two valid polygons share, exact up to rounding.
//
// Both are drawn on an equal-area plane. The plane is cut into horizontal slabs at
// every corner and at every place where an edge of one crosses an edge of the
// other. Within a slab no edges cross, so the shared width changes evenly and its
// value at half height times the height of the slab is exact.
func OverlapM2(a, b orb.Polygon) float64 {
	if len(a) == 0 || len(b) == 0 || !a.Bound().Intersects(b.Bound()) {
		return 0
	}
	pl := planeAt(a.Bound().Center())
	ea, eb := planeEdges(pl, a), planeEdges(pl, b)
	if len(ea) == 0 || len(eb) == 0 {
		return 0
	}
	low := max(lowest(ea), lowest(eb))
	high := min(highest(ea), highest(eb))
	if low >= high {
		return 0
	}
	cuts := []float64{low, high}
	for _, e := range append(slices.Clone(ea), eb...) {
		cuts = append(cuts, e.y0, e.y1)
	}
	for _, s := range ea {
		for _, t := range eb {
			if y, ok := s.crosses(t); ok {
				cuts = append(cuts, y)
			}
		}
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	var sum float64
	var xa, xb []float64
	for i := 1; i < len(cuts); i++ {
		y0, y1 := cuts[i-1], cuts[i]
		if y0 < low || y1 > high {
			continue
		}
		mid := (y0 + y1) / 2
		xa, xb = cut(ea, mid, xa[:0]), cut(eb, mid, xb[:0])
		sum += commonWidth(xa, xb) * (y1 - y0)
	}
	return sum
}

// planeEdge runs upwards, y0 < y1.
type planeEdge struct{ x0, y0, x1, y1 float64 }

func (e planeEdge) x(y float64) float64 { return e.x0 + (e.x1-e.x0)*(y-e.y0)/(e.y1-e.y0) }

// crosses gives the height at which two edges cross.
func (e planeEdge) crosses(f planeEdge) (y float64, ok bool) {
	lo, hi := max(e.y0, f.y0), min(e.y1, f.y1)
	if lo >= hi {
		return 0, false
	}
	d0, d1 := e.x(lo)-f.x(lo), e.x(hi)-f.x(hi)
	if d0 == 0 || d1 == 0 || (d0 > 0) == (d1 > 0) {
		return 0, false
	}
	return lo + (hi-lo)*d0/(d0-d1), true
}

func planeEdges(pl plane, p orb.Polygon) []planeEdge {
	var out []planeEdge
	for _, r := range p {
		for i := range r {
			a, b := pl.project(r[i]), pl.project(r[(i+1)%len(r)])
			if a[1] > b[1] {
				a, b = b, a
			}
			if a[1] < b[1] {
				out = append(out, planeEdge{a[0], a[1], b[0], b[1]})
			}
		}
	}
	return out
}

func lowest(es []planeEdge) float64 {
	y := math.Inf(1)
	for _, e := range es {
		y = min(y, e.y0)
	}
	return y
}

func highest(es []planeEdge) float64 {
	y := math.Inf(-1)
	for _, e := range es {
		y = max(y, e.y1)
	}
	return y
}

// cut gives the places, from west to east, where a line at height y enters and
// leaves the polygon.
func cut(es []planeEdge, y float64, xs []float64) []float64 {
	for _, e := range es {
		if e.y0 < y && y < e.y1 {
			xs = append(xs, e.x(y))
		}
	}
	slices.Sort(xs)
	return xs
}

// commonWidth is the length that two sorted lists of enter, leave, enter, ...
// have in common.
func commonWidth(a, b []float64) float64 {
	var sum float64
	for i, j := 0, 0; i+1 < len(a) && j+1 < len(b); {
		if lo, hi := max(a[i], b[j]), min(a[i+1], b[j+1]); lo < hi {
			sum += hi - lo
		}
		if a[i+1] < b[j+1] {
			i += 2
		} else {
			j += 2
		}
	}
	return sum
}
