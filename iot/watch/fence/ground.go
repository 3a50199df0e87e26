package fence

import (
	"math"

	"github.com/paulmach/orb"
)

// blockSides is how many sides of a ring share one bounding box.
const blockSides = 16

// Ground is what an animal may stand on, in metres: one polygon or several together.
// Holes are forbidden, unless another of the polygons covers them.
type Ground struct {
	plane    Plane
	polygons []polygon
	size     float64
}

// polygon is its sides, in blocks of neighbours.
type polygon struct {
	bound  orb.Bound
	blocks []block
}

type block struct {
	bound orb.Bound
	sides []side
}

type side struct{ a, b orb.Point }

// New makes the ground of WGS84 polygons. Empty ones are left out.
func New(polygons ...orb.Polygon) *Ground {
	var whole orb.Bound
	some := false
	for _, p := range polygons {
		if len(p) == 0 || len(p[0]) == 0 {
			continue
		}
		if b := p[0].Bound(); some {
			whole = whole.Union(b)
		} else {
			whole, some = b, true
		}
	}
	if !some {
		return &Ground{}
	}
	plane := NewPlane(whole.Center())
	local := make([]orb.Polygon, len(polygons))
	for i, p := range polygons {
		local[i] = make(orb.Polygon, len(p))
		for j, r := range p {
			local[i][j] = make(orb.Ring, len(r))
			for k, c := range r {
				local[i][j][k] = plane.Metres(c)
			}
		}
	}
	g := NewLocal(local...)
	g.plane = plane
	return g
}

// NewLocal makes the ground of polygons that are in metres already.
func NewLocal(polygons ...orb.Polygon) *Ground {
	g := &Ground{polygons: make([]polygon, len(polygons))}
	for i, p := range polygons {
		if len(p) == 0 || len(p[0]) == 0 {
			continue
		}
		g.polygons[i].bound = p[0].Bound()
		for _, r := range p {
			g.polygons[i].add(r)
		}
		g.size = max(g.size, math.Sqrt(math.Abs(shoelace(p[0]))))
	}
	return g
}

func shoelace(r orb.Ring) float64 {
	area := 0.0
	for i := 1; i < len(r); i++ {
		a, b := r[i-1], r[i]
		area += a[0]*b[1] - b[0]*a[1]
	}
	return area / 2
}

func (p *polygon) add(r orb.Ring) {
	for from := 1; from < len(r); from += blockSides {
		to := min(from+blockSides, len(r))
		b := block{bound: orb.Bound{Min: r[from-1], Max: r[from-1]}, sides: make([]side, 0, to-from)}
		for i := from; i < to; i++ {
			b.sides = append(b.sides, side{r[i-1], r[i]})
			b.bound = b.bound.Extend(r[i])
		}
		p.blocks = append(p.blocks, b)
	}
}

// Part is the ground of the polygons from the i-th on, in the same plane.
func (g *Ground) Part(i int) *Ground {
	return &Ground{plane: g.plane, polygons: g.polygons[i:], size: g.size}
}

// Plane is the plane of a ground made by New.
func (g *Ground) Plane() Plane { return g.plane }

// Empty tells whether there is no ground, so that nobody can leave it.
func (g *Ground) Empty() bool { return g.size == 0 }

// Size is the root of the area of the largest polygon in m.
func (g *Ground) Size() float64 { return g.size }

// Distance is how far p (in metres) is outside the ground; inside it is negative,
// the depth in the polygon that holds p deepest.
func (g *Ground) Distance(p orb.Point) float64 {
	least := math.Inf(1)
	for i := range g.polygons {
		least = min(least, g.polygons[i].distance(p, least))
	}
	return least
}

// Of returns which of the polygons, by index, holds p deepest, how deep in m, and
// whether any does.
func (g *Ground) Of(p orb.Point) (i int, depth float64, ok bool) {
	least := 0.0
	for j := range g.polygons {
		if !g.polygons[j].bound.Contains(p) {
			continue
		}
		if d := g.polygons[j].distance(p, math.Inf(1)); d <= least {
			i, least, ok = j, d, true
		}
	}
	return i, -least, ok
}

// In is how far p is outside polygon i; inside it is negative.
func (g *Ground) In(i int, p orb.Point) float64 { return g.polygons[i].distance(p, math.Inf(1)) }

// distance is the signed distance to the polygon, or anything above most when it is
// farther outside than most.
func (q *polygon) distance(p orb.Point, most float64) float64 {
	if len(q.blocks) == 0 {
		return math.Inf(1)
	}
	if most > 0 {
		if d := apart(q.bound, p); d > most*most {
			return math.Inf(1)
		}
	}
	// The nearest block first: its distance rules out nearly all others.
	first, near := 0, math.Inf(1)
	inside := false
	for i := range q.blocks {
		b := &q.blocks[i]
		if d := apart(b.bound, p); d < near {
			first, near = i, d
		}
		if b.bound.Min[1] <= p[1] && p[1] <= b.bound.Max[1] && p[0] <= b.bound.Max[0] && b.crossed(p) {
			inside = !inside
		}
	}
	least := q.blocks[first].nearest(p, math.Inf(1))
	for i := range q.blocks {
		if i != first && apart(q.blocks[i].bound, p) < least {
			least = q.blocks[i].nearest(p, least)
		}
	}
	if inside {
		return -math.Sqrt(least)
	}
	return math.Sqrt(least)
}

// apart is the squared distance of a point from a box; 0 inside it.
func apart(b orb.Bound, p orb.Point) float64 {
	dx := max(b.Min[0]-p[0], 0, p[0]-b.Max[0])
	dy := max(b.Min[1]-p[1], 0, p[1]-b.Max[1])
	return dx*dx + dy*dy
}

// crossed tells whether a ray from p to the east crosses the block's sides an odd
// number of times.
func (b *block) crossed(p orb.Point) (odd bool) {
	for _, s := range b.sides {
		if (s.a[1] > p[1]) != (s.b[1] > p[1]) && p[0] < (s.b[0]-s.a[0])*(p[1]-s.a[1])/(s.b[1]-s.a[1])+s.a[0] {
			odd = !odd
		}
	}
	return odd
}

// nearest is the squared distance to the nearest of the block's sides, or least.
func (b *block) nearest(p orb.Point, least float64) float64 {
	for _, s := range b.sides {
		dx, dy := s.b[0]-s.a[0], s.b[1]-s.a[1]
		x, y := p[0]-s.a[0], p[1]-s.a[1]
		if l := dx*dx + dy*dy; l > 0 {
			t := max(0, min(1, (x*dx+y*dy)/l))
			x, y = x-t*dx, y-t*dy
		}
		least = min(least, x*x+y*y)
	}
	return least
}
