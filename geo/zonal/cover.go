package zonal

import (
	"math"
	"slices"

	"github.com/paulmach/orb"
)

// Run is N neighbouring pixels of one row that a polygon covers to the same part.
type Run struct {
	Y, X, N int32
	W       float64 // covered part of each pixel, 0 < W ≤ 1
}

// Cover is the exact covered part of every pixel that a polygon touches.
type Cover struct {
	Runs []Run   // by row, then column; only pixels of the grid
	In   float64 // covered pixels inside the grid, fractions summed
	Area float64 // area of the whole polygon in pixels, also outside the grid
	Full int     // pixels wholly inside the polygon
}

// snap takes rounding noise off the sums: a pixel this near to full is full.
const snap = 1e-9

// NewCover computes the covered part of every pixel of a width × height grid by
// polygons in pixel coordinates (pixel (0,0) spans 0..1).
//
// The method is the accumulation of signed areas row by row, as font rasterizers
// do it: every edge adds, to the pixels it crosses, the area on its right, and a
// running sum along the row yields the covered parts. It is exact for valid
// polygons, touches each edge once in each row, and needs no clipping of a
// polygon by a pixel. Orientation of rings does not matter: the first ring of a
// polygon counts as outline, the others as holes.
//
// A point that is not a number leaves the cover empty.
func NewCover(mp orb.MultiPolygon, width, height int) Cover {
	var c coverer
	return c.cover(mp, width, height)
}

// coverer keeps the memory of one cover for the next, whose runs overwrite its own.
type coverer struct {
	edges, active []edge
	runs          []Run
	sum           []float64
}

func (c *coverer) cover(mp orb.MultiPolygon, width, height int) Cover {
	var out Cover
	x0, x1 := c.trace(mp, &out)
	if math.IsNaN(out.Area) || math.IsInf(out.Area, 0) {
		return Cover{}
	}
	// The sentinel column on the right takes what lies outside.
	left, right := max(0, int(math.Floor(max(x0, -1)))), int(math.Ceil(min(x1, float64(width))))
	if len(c.edges) == 0 || left >= right {
		return out
	}
	out.Runs = c.runs[:0]
	if n := right - left + 2; cap(c.sum) < n {
		c.sum = make([]float64, n)
	}
	row := accumulator{left: left, right: right, sum: c.sum[:right-left+2]}
	bottom := c.edges[0].y1
	for i := range c.edges {
		bottom = max(bottom, c.edges[i].y1)
	}
	active := c.active[:0]
	next := 0
	for y := int(min(max(0, math.Floor(c.edges[0].y0)), float64(height))); y < height && float64(y) < bottom; y++ {
		top, low := float64(y), float64(y+1)
		for next < len(c.edges) && c.edges[next].y0 < low {
			if c.edges[next].y1 > top {
				active = append(active, c.edges[next])
			}
			next++
		}
		keep := active[:0]
		for i := range active {
			e := &active[i]
			if e.y1 <= top {
				continue
			}
			row.add(e, max(e.y0, top), min(e.y1, low))
			if e.y1 > low {
				keep = append(keep, *e)
			}
		}
		active = keep
		row.flush(int32(y), &out)
	}
	c.active, c.runs = active[:0], out.Runs
	return out
}

// trace collects the edges from top to bottom, and the area. It returns the span of
// columns.
func (c *coverer) trace(mp orb.MultiPolygon, out *Cover) (x0, x1 float64) {
	c.edges = c.edges[:0]
	x0, x1 = math.Inf(1), math.Inf(-1)
	for _, poly := range mp {
		for i, ring := range poly {
			a := signedArea(ring)
			sign := 1.0
			if (a < 0) != (i > 0) { // outlines count positive, holes negative
				sign = -1
			}
			out.Area += a * sign
			for k, p := range ring {
				q := ring[0]
				if k+1 < len(ring) {
					q = ring[k+1]
				}
				x0, x1 = min(x0, p[0]), max(x1, p[0])
				if p[1] != q[1] {
					c.edges = append(c.edges, newEdge(p, q, sign))
				}
			}
		}
	}
	slices.SortFunc(c.edges, func(a, b edge) int {
		switch {
		case a.y0 < b.y0:
			return -1
		case a.y0 > b.y0:
			return 1
		}
		return 0
	})
	return x0, x1
}

// area is the area of polygons in pixels, holes taken off.
func area(mp orb.MultiPolygon) float64 {
	var sum float64
	for _, poly := range mp {
		for i, ring := range poly {
			if a := math.Abs(signedArea(ring)); i == 0 {
				sum += a
			} else {
				sum -= a
			}
		}
	}
	if math.IsNaN(sum) || math.IsInf(sum, 0) {
		return 0
	}
	return sum
}

// edge runs downwards from y0 to y1; dir is +1 or -1 by its first direction.
type edge struct{ x0, y0, y1, slope, dir float64 }

func newEdge(p, q orb.Point, dir float64) edge {
	if p[1] > q[1] {
		p, q, dir = q, p, -dir
	}
	return edge{x0: p[0], y0: p[1], y1: q[1], slope: (q[0] - p[0]) / (q[1] - p[1]), dir: -dir}
}

func (e *edge) x(y float64) float64 { return e.x0 + (y-e.y0)*e.slope }

func signedArea(r orb.Ring) float64 {
	if len(r) == 0 {
		return 0
	}
	var s float64
	o, p := r[0], r[len(r)-1] // relative to a corner: keeps digits for polygons far from zero
	for _, q := range r {
		s += (p[0]-o[0])*(q[1]-o[1]) - (q[0]-o[0])*(p[1]-o[1])
		p = q
	}
	return s / 2
}

// accumulator is one row of pixels from left to right; sum[i] is the change of
// the covered part from pixel left+i-1 to left+i.
type accumulator struct {
	left, right int
	sum         []float64
}

// add adds the piece of e between y0 and y1, which lie in one row.
func (a *accumulator) add(e *edge, y0, y1 float64) {
	xa, xb := e.x(y0), e.x(y1)
	dy := (y1 - y0) * e.dir
	if xa > xb {
		xa, xb = xb, xa
	}
	lo, hi := float64(a.left), float64(a.right)
	if xb <= lo {
		a.sum[0] += dy
		return
	}
	if xa >= hi {
		return
	}
	c, last := int(math.Floor(xa)), int(math.Floor(xb))
	if c == last && c >= a.left {
		a.put(c, dy, (xa+xb)/2)
		return
	}
	perX := dy / (xb - xa)
	if xa < lo { // what lies left of the grid covers the row from its start
		a.sum[0] += perX * (lo - xa)
		xa, c = lo, a.left
	}
	xb = min(xb, hi)
	for x := xa; x < xb; c++ {
		to := min(float64(c+1), xb)
		a.put(c, perX*(to-x), (x+to)/2)
		x = to
	}
}

// put adds dy in column c, at mean place x.
func (a *accumulator) put(c int, dy, x float64) {
	right := dy * (x - float64(c))
	i := c - a.left
	a.sum[i] += dy - right
	a.sum[i+1] += right
}

// flush turns the row into runs and empties it.
func (a *accumulator) flush(y int32, c *Cover) {
	var cover float64
	open := false // the last run is one of full pixels that can grow
	for i := range a.right - a.left {
		if a.sum[i] != 0 {
			cover += a.sum[i]
			a.sum[i] = 0
		}
		w := cover
		switch {
		case w < snap:
			open = false
			continue
		case w > 1-snap:
			c.In++
			c.Full++
			if open {
				c.Runs[len(c.Runs)-1].N++
				continue
			}
			w, open = 1, true
		default:
			c.In += w
			open = false
		}
		c.Runs = append(c.Runs, Run{Y: y, X: int32(a.left + i), N: 1, W: w})
	}
	clear(a.sum[a.right-a.left:])
}
