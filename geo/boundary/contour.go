package boundary

import "github.com/paulmach/orb"

// contours draws the lines along which values given at the middles of pixels are one
// half, by marching squares with linear interpolation. High values lie to the left of
// the rings as the image shows them, so that rings around high values are clockwise
// by their coordinates, whose y points down, and rings around holes are not. Beyond
// the window everything counts as 0.
func contours(values []float64, w, h int) []orb.Ring {
	at := func(x, y int) float64 {
		if x < 0 || y < 0 || x >= w || y >= h {
			return 0
		}
		return values[y*w+x]
	}
	// A line crosses the side between two middles; sides are named by the west or
	// north one of the two.
	type side struct {
		x, y  int
		south bool // to the neighbour in the south, else in the east
	}
	place := func(s side) orb.Point {
		a, dx, dy := at(s.x, s.y), 1.0, 0.0
		b := at(s.x+1, s.y)
		if s.south {
			b, dx, dy = at(s.x, s.y+1), 0, 1
		}
		t := (0.5 - a) / (b - a)
		return orb.Point{float64(s.x) + 0.5 + t*dx, float64(s.y) + 0.5 + t*dy}
	}
	next := map[side]side{}
	var order []side
	link := func(a, b side) {
		next[a] = b
		order = append(order, a)
	}
	for y := -1; y < h; y++ {
		for x := -1; x < w; x++ {
			nw, ne, se, sw := at(x, y) >= 0.5, at(x+1, y) >= 0.5, at(x+1, y+1) >= 0.5, at(x, y+1) >= 0.5
			n, e, s, wst := side{x, y, false}, side{x + 1, y, true}, side{x, y + 1, false}, side{x, y, true}
			code := 0
			for i, in := range [4]bool{nw, ne, se, sw} {
				if in {
					code |= 1 << i
				}
			}
			switch code {
			case 1:
				link(wst, n)
			case 2:
				link(n, e)
			case 3:
				link(wst, e)
			case 4:
				link(e, s)
			case 6:
				link(n, s)
			case 7:
				link(wst, s)
			case 8:
				link(s, wst)
			case 9:
				link(s, n)
			case 11:
				link(s, e)
			case 12:
				link(e, wst)
			case 13:
				link(e, n)
			case 14:
				link(n, wst)
			case 5, 10: // two corners: joined when the middle is high
				joined := at(x, y)+at(x+1, y)+at(x+1, y+1)+at(x, y+1) >= 2
				switch {
				case code == 5 && joined:
					link(e, n)
					link(wst, s)
				case code == 5:
					link(wst, n)
					link(e, s)
				case joined:
					link(n, wst)
					link(s, e)
				default:
					link(n, e)
					link(s, wst)
				}
			}
		}
	}
	var rings []orb.Ring
	done := map[side]bool{}
	for _, first := range order {
		if done[first] {
			continue
		}
		var ring orb.Ring
		for s := first; !done[s]; s = next[s] {
			done[s] = true
			if p := place(s); len(ring) == 0 || p != ring[len(ring)-1] {
				ring = append(ring, p)
			}
		}
		if len(ring) >= 3 {
			rings = append(rings, append(ring, ring[0]))
		}
	}
	return rings
}
