package boundary

import (
	"math"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"
	"github.com/paulmach/orb/simplify"

	"github.com/furrowcredit/furrow/geo/scene"
)

// How an outline is drawn, in pixels.
const (
	slack    = 0.5 // by which the line may leave the true one
	smallest = minPixels
	nearby   = 3 // how far from a pixel on the edge the field itself is looked at
	beside   = 2 // and what lies beside it
)

// outline draws the line around a piece of land in WGS84. On the edge, pixels show a
// bit of the field and a bit of what lies beside it: how much of each follows from
// where they stand between the two, and the line runs where that is one half.
func (v *view) outline(piece []int32) (orb.Polygon, error) {
	inside := v.filled(piece)
	share := v.shares(inside)
	rings := contours(share, v.window.W, v.window.H)
	var outer orb.Ring
	for _, r := range rings {
		if r.Orientation() == orb.CW && (outer == nil || math.Abs(planar.Area(r)) > math.Abs(planar.Area(outer))) {
			outer = r
		}
	}
	if outer == nil || math.Abs(planar.Area(outer)) < smallest {
		return nil, ErrSmall
	}
	out := orb.Polygon{smooth(outer)}
	for _, r := range rings {
		if r.Orientation() == orb.CCW && math.Abs(planar.Area(r)) >= smallest && planar.RingContains(out[0], r[0]) {
			out = append(out, smooth(r))
		}
	}
	for _, ring := range out {
		for i, p := range ring {
			ring[i] = v.grid.World(p[0]+float64(v.window.X), p[1]+float64(v.window.Y))
		}
	}
	if v.grid.CRS == scene.WGS84 {
		return out, nil
	}
	return scene.ToWGS84(v.grid.CRS, out)
}

// smooth takes the corners off a ring that the pixels made. It begins at the corner
// farthest from the middle: a corner of the field, most likely.
func smooth(r orb.Ring) orb.Ring {
	middle, _ := planar.CentroidArea(r)
	far, open := 0, r[:len(r)-1]
	for i, p := range open {
		if planar.DistanceSquared(p, middle) > planar.DistanceSquared(open[far], middle) {
			far = i
		}
	}
	turned := append(append(orb.Ring{}, open[far:]...), open[:far+1]...)
	out := simplify.DouglasPeucker(slack).Ring(turned)
	if len(out) < 4 {
		return r
	}
	return out
}

// filled marks the pixels of a piece, with holes that are too small to be anything.
func (v *view) filled(piece []int32) []bool {
	w, h := v.window.W, v.window.H
	inside, done := make([]bool, w*h), make([]bool, w*h)
	for _, i := range piece {
		inside[i], done[i] = true, true
	}
	for start := range done {
		if done[start] {
			continue
		}
		// The whole of what is not inside, from one pixel on.
		open, hole := false, []int32{int32(start)}
		done[start] = true
		for k := 0; k < len(hole); k++ {
			i := int(hole[k])
			x, y := i%w, i/w
			open = open || x == 0 || y == 0 || x == w-1 || y == h-1
			for _, n := range [4][2]int{{x + 1, y}, {x - 1, y}, {x, y + 1}, {x, y - 1}} {
				if n[0] < 0 || n[0] >= w || n[1] < 0 || n[1] >= h {
					continue
				}
				if j := n[1]*w + n[0]; !done[j] {
					done[j] = true
					hole = append(hole, int32(j))
				}
			}
		}
		if !open && len(hole) < smallest {
			for _, i := range hole {
				inside[i] = true
			}
		}
	}
	return inside
}

// shares says of every pixel how much of it is the field, 0..1.
func (v *view) shares(inside []bool) []float64 {
	w, h := v.window.W, v.window.H
	around := func(i, reach int, visit func(j int)) {
		x, y := i%w, i/w
		for ny := max(0, y-reach); ny <= min(h-1, y+reach); ny++ {
			for nx := max(0, x-reach); nx <= min(w-1, x+reach); nx++ {
				visit(ny*w + nx)
			}
		}
	}
	share, edge := make([]float64, w*h), make([]bool, w*h)
	for i := range share {
		if inside[i] {
			share[i] = 1
		}
		around(i, 1, func(j int) { edge[i] = edge[i] || inside[i] != inside[j] })
	}
	for i := range share {
		if !edge[i] {
			continue
		}
		var core []int
		around(i, nearby, func(j int) {
			if inside[j] && !edge[j] {
				core = append(core, j)
			}
		})
		if len(core) == 0 {
			continue // too narrow to know what the field alone looks like
		}
		field := v.mean(core)
		// What lies beside it may be as narrow as a path: the pixel that is least like
		// the field shows the most of it.
		other, far := -1, 0.0
		around(i, beside, func(j int) {
			if inside[j] && !edge[j] {
				return
			}
			var d float64
			for l, layer := range v.layers {
				x := layer[j] - field[l]
				d += x * x
			}
			if d > far {
				other, far = j, d
			}
		})
		if other < 0 {
			continue
		}
		var along, length float64
		for l, layer := range v.layers {
			d := field[l] - layer[other]
			along += (layer[i] - layer[other]) * d
			length += d * d
		}
		share[i] = max(0, min(1, along/length))
	}
	return share
}

// mean is the mean of pixels in every layer.
func (v *view) mean(pixels []int) []float64 {
	out := make([]float64, len(v.layers))
	for l, layer := range v.layers {
		for _, i := range pixels {
			out[l] += layer[i]
		}
		out[l] /= float64(len(pixels))
	}
	return out
}
