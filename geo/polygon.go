package geo

import (
	"fmt"
	"math"
	"slices"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"
)

// The sizes a plot may have. Below the smallest no satellite of 10 m sees it;
// above the largest it is a township, not a field.
const (
	MinPlotM2 = 100.0
	MaxPlotMu = 50000.0
)

// maxCorners keeps a polygon within what a person or a survey draws.
const maxCorners = 20000

// ValidatePolygon checks the boundary of a plot and returns it in the one form
// that is stored: rings closed, repeated corners dropped, outline
// counter-clockwise, holes clockwise. The errors are [ErrRing], [ErrCoordinates],
// [ErrSelfCrossing] with the place, [ErrTooSmall] and [ErrTooLarge].
func ValidatePolygon(p orb.Polygon) (orb.Polygon, error) {
	if len(p) == 0 {
		return nil, ErrRing
	}
	out := make(orb.Polygon, len(p))
	corners := 0
	for i, ring := range p {
		r, err := cleanRing(ring)
		if err != nil {
			return nil, err
		}
		if corners += len(r); corners > maxCorners {
			return nil, ErrCorners.With("max", maxCorners)
		}
		out[i] = r
	}
	if at, crosses := crossing(out); crosses {
		return nil, ErrSelfCrossing.With("at", place(at))
	}
	for i, r := range out {
		o := r.Orientation()
		if o == 0 {
			return nil, ErrRing
		}
		if (i == 0) != (o == orb.CCW) {
			r.Reverse()
		}
		// Rings that do not cross lie apart or one within the other, so that a corner
		// speaks for its ring.
		if i > 0 && (!planar.RingContains(out[0], r[0]) || insideAny(out[1:i], r)) {
			return nil, ErrHole.With("at", place(r[0]))
		}
	}
	m2 := AreaM2(out)
	switch {
	case m2 < MinPlotM2:
		return nil, ErrTooSmall.With("m2", math.Round(m2*10)/10).With("min", MinPlotM2)
	case m2 > MaxPlotMu*M2PerMu:
		return nil, ErrTooLarge.With("mu", int64(m2/M2PerMu)).With("max", int64(MaxPlotMu))
	}
	return out, nil
}

func insideAny(holes []orb.Ring, r orb.Ring) bool {
	return slices.ContainsFunc(holes, func(h orb.Ring) bool {
		return planar.RingContains(h, r[0]) || planar.RingContains(r, h[0])
	})
}

func place(p orb.Point) string { return fmt.Sprintf("%.6f, %.6f", p[0], p[1]) }

// cleanRing checks coordinates, drops repeated corners and closes the ring.
func cleanRing(r orb.Ring) (orb.Ring, error) {
	out := make(orb.Ring, 0, len(r)+1)
	for _, p := range r {
		// Written so that NaN fails too.
		if !(math.Abs(p[0]) <= 180 && math.Abs(p[1]) <= 90) {
			return nil, ErrCoordinates.With("at", place(p))
		}
		if len(out) == 0 || p != out[len(out)-1] {
			out = append(out, p)
		}
	}
	for len(out) > 1 && out[0] == out[len(out)-1] {
		out = out[:len(out)-1]
	}
	if len(out) < 3 {
		return nil, ErrRing
	}
	return append(out, out[0]), nil
}

// side is one edge of a ring.
type side struct {
	a, b    orb.Point
	ring, i int // i-th edge of the ring
	last    int // number of the ring's last edge
}

// neighbours says whether two edges share a corner by construction.
func (s side) neighbours(t side) bool {
	if s.ring != t.ring {
		return false
	}
	d := s.i - t.i
	return d == 1 || d == -1 || d == s.last || d == -s.last
}

// crossing finds two edges that meet where they should not: a knot, a touch, or
// an edge that runs back over its neighbour. Edges are swept from west to east.
func crossing(p orb.Polygon) (at orb.Point, found bool) {
	_, _, at, found = crossingSides(p)
	return at, found
}

// crossingSides gives the two edges too.
func crossingSides(p orb.Polygon) (one, two side, at orb.Point, found bool) {
	var sides []side
	for k, r := range p {
		for i := range len(r) - 1 {
			a, b := r[i], r[i+1]
			sides = append(sides, side{a, b, k, i, len(r) - 2})
		}
	}
	slices.SortStableFunc(sides, func(s, t side) int {
		if x, y := min(s.a[0], s.b[0]), min(t.a[0], t.b[0]); x < y {
			return -1
		} else if x > y {
			return 1
		}
		return 0
	})
	var open []side
	for _, s := range sides {
		west := min(s.a[0], s.b[0])
		open = slices.DeleteFunc(open, func(t side) bool { return max(t.a[0], t.b[0]) < west })
		for _, t := range open {
			if s.neighbours(t) {
				if at, found = foldsBack(s, t); found {
					return s, t, at, true
				}
				continue
			}
			if at, found = meet(s, t); found {
				return s, t, at, true
			}
		}
		open = append(open, s)
	}
	return one, two, at, false
}

// turn is positive where c lies left of the line from a to b.
func turn(a, b, c orb.Point) float64 {
	return (b[0]-a[0])*(c[1]-a[1]) - (b[1]-a[1])*(c[0]-a[0])
}

// foldsBack finds neighbouring edges that lie upon each other.
func foldsBack(s, t side) (orb.Point, bool) {
	corner, p, q := s.b, s.a, t.b
	if s.b != t.a {
		corner, p, q = s.a, s.b, t.a
	}
	if s.a == t.b && s.b == t.a {
		return corner, true
	}
	ahead := (p[0]-corner[0])*(q[0]-corner[0]) + (p[1]-corner[1])*(q[1]-corner[1])
	return corner, turn(corner, p, q) == 0 && ahead > 0
}

// meet says whether two edges have a point in common, and gives it.
func meet(s, t side) (orb.Point, bool) {
	if max(s.a[1], s.b[1]) < min(t.a[1], t.b[1]) || max(t.a[1], t.b[1]) < min(s.a[1], s.b[1]) {
		return orb.Point{}, false
	}
	d1, d2 := turn(t.a, t.b, s.a), turn(t.a, t.b, s.b)
	d3, d4 := turn(s.a, s.b, t.a), turn(s.a, s.b, t.b)
	if (d1 > 0) != (d2 > 0) && d1 != 0 && d2 != 0 && (d3 > 0) != (d4 > 0) && d3 != 0 && d4 != 0 {
		f := d1 / (d1 - d2)
		return orb.Point{s.a[0] + f*(s.b[0]-s.a[0]), s.a[1] + f*(s.b[1]-s.a[1])}, true
	}
	for _, c := range []struct {
		d       float64
		a, b, p orb.Point
	}{{d1, t.a, t.b, s.a}, {d2, t.a, t.b, s.b}, {d3, s.a, s.b, t.a}, {d4, s.a, s.b, t.b}} {
		if c.d == 0 && min(c.a[0], c.b[0]) <= c.p[0] && c.p[0] <= max(c.a[0], c.b[0]) &&
			min(c.a[1], c.b[1]) <= c.p[1] && c.p[1] <= max(c.a[1], c.b[1]) {
			return c.p, true
		}
	}
	return orb.Point{}, false
}
