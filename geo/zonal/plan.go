package zonal

import (
	"cmp"
	"runtime"
	"slices"

	"github.com/paulmach/orb"
	"golang.org/x/sync/errgroup"

	"github.com/furrowcredit/furrow/geo/scene"
)

// Plan is where polygons lie on a grid, ready for every raster that shares it. It
// is immutable and safe for concurrent use.
type Plan struct {
	grid   scene.Grid
	covers []Cover   // without runs: those are in the tiles
	whole  []float64 // area of each polygon before its edge was taken off, in pixels
	tiles  []tile
}

// tileSize is the side of the tiles in which rasters are read, in pixels: it divides
// the usual block sizes, and a tile fits the cache of a processor's core. Tiles
// go by squares of super pixels, so that the greater blocks are not decoded twice.
const (
	tileSize = 256
	super    = 1024
)

// tile is a window with what polygons cover of it.
type tile struct {
	window scene.Window
	pieces []piece
}

// piece is a polygon in a tile.
type piece struct {
	plot  int32
	spans []span
	parts []float64 // covered parts of the pixels that are not full, span by span
}

// span is pixels of one row: partly covered ones, full ones, partly covered ones.
type span struct {
	x, y       int32 // of the first pixel, on the grid
	n          int16 // pixels
	full, tail int16 // the full pixels lie at full ≤ i < tail
}

// Place finds the covered part of every pixel of a grid by polygons given in crs,
// an "EPSG:n" code or WKT. Polygons may lie outside, wholly or in part; one with a
// point that the grid's system cannot hold lies outside. The error is an unknown
// system.
func Place(g scene.Grid, crs string, shapes []orb.MultiPolygon) (*Plan, error) {
	return PlaceInner(g, crs, shapes, 0)
}

// PlaceInner is [Place] of polygons without their edge: only what lies at least
// innerM metres inside of them counts.
func PlaceInner(g scene.Grid, crs string, shapes []orb.MultiPolygon, innerM float64) (*Plan, error) {
	pixels, err := g.ToPixels(crs, shapes)
	if err != nil {
		return nil, err
	}
	p := &Plan{grid: g, covers: make([]Cover, len(shapes)), whole: make([]float64, len(shapes))}
	for i, mp := range pixels {
		p.whole[i] = area(mp)
	}
	if innerM > 0 {
		if pixels, err = shrink(g, pixels, innerM); err != nil {
			return nil, err
		}
	}
	// Every worker covers a run of polygons; their pieces follow each other in each
	// tile, so that sums do not depend on the number of workers.
	workers := max(1, min(runtime.GOMAXPROCS(0), len(shapes)/64))
	parts := make([][]tile, workers)
	var group errgroup.Group
	for w := range workers {
		from, to := w*len(shapes)/workers, (w+1)*len(shapes)/workers
		group.Go(func() error {
			parts[w] = p.cover(pixels, from, to)
			return nil
		})
	}
	_ = group.Wait() // covering cannot fail
	for id := range parts[0] {
		var t tile
		for w := range workers {
			if t.window = union(t.window, parts[w][id].window); w == 0 {
				t.pieces = parts[w][id].pieces
			} else {
				t.pieces = append(t.pieces, parts[w][id].pieces...)
			}
		}
		if len(t.pieces) > 0 {
			p.tiles = append(p.tiles, t)
		}
	}
	slices.SortFunc(p.tiles, func(a, b tile) int {
		return cmp.Or(
			cmp.Compare(a.window.Y/super, b.window.Y/super), cmp.Compare(a.window.X/super, b.window.X/super),
			cmp.Compare(a.window.Y/tileSize, b.window.Y/tileSize), cmp.Compare(a.window.X, b.window.X))
	})
	return p, nil
}

// Len is the number of polygons.
func (p *Plan) Len() int { return len(p.covers) }

// cover covers the polygons from ≤ i < to. It returns every tile of the grid.
func (p *Plan) cover(pixels []orb.MultiPolygon, from, to int) []tile {
	g := p.grid
	across := (g.Width + tileSize - 1) / tileSize
	tiles := make([]tile, across*((g.Height+tileSize-1)/tileSize))
	var c coverer
	drafts := map[int32]*draft{} // of one polygon, by tile
	var used []int32
	for i := from; i < to; i++ {
		cover := c.cover(pixels[i], g.Width, g.Height)
		var d *draft
		last := int32(-1)
		for _, r := range cover.Runs {
			for r.N > 0 {
				col := r.X / tileSize
				n := min(r.N, (col+1)*tileSize-r.X)
				if id := r.Y/tileSize*int32(across) + col; id != last {
					if d = drafts[id]; d == nil {
						d = &draft{}
						drafts[id] = d
					}
					if len(d.spans) == 0 {
						used = append(used, id)
					}
					last = id
				}
				d.add(r.X, r.Y, n, r.W)
				r.X, r.N = r.X+n, r.N-n
			}
		}
		for _, id := range used {
			d := drafts[id]
			tiles[id].window = union(tiles[id].window, d.window())
			tiles[id].pieces = append(tiles[id].pieces, piece{int32(i), slices.Clone(d.spans), slices.Clone(d.parts)})
			d.spans, d.parts = d.spans[:0], d.parts[:0]
		}
		used = used[:0]
		cover.Runs = nil
		p.covers[i] = cover
	}
	return tiles
}

// draft is a piece that is being made.
type draft struct {
	spans []span
	parts []float64
}

// add adds n pixels that are covered by w, to the right of or below the others.
func (d *draft) add(x, y, n int32, w float64) {
	var s *span
	if k := len(d.spans) - 1; k >= 0 {
		s = &d.spans[k]
	}
	isFull := w == 1
	if s == nil || s.y != y || s.x+int32(s.n) != x || isFull && s.tail > s.full && s.tail < s.n {
		d.spans = append(d.spans, span{x: x, y: y})
		s = &d.spans[len(d.spans)-1]
	}
	switch {
	case !isFull:
		for range n {
			d.parts = append(d.parts, w)
		}
		if s.full == s.tail { // no full ones yet
			s.full, s.tail = s.n+int16(n), s.n+int16(n)
		}
		s.n += int16(n)
	default:
		s.n += int16(n)
		s.tail = s.n
	}
}

// window is the rectangle around the spans.
func (d *draft) window() scene.Window {
	first, last := d.spans[0], d.spans[len(d.spans)-1]
	x0, x1 := first.x, first.x
	for _, s := range d.spans {
		x0, x1 = min(x0, s.x), max(x1, s.x+int32(s.n))
	}
	return scene.Window{X: int(x0), Y: int(first.y), W: int(x1 - x0), H: int(last.y - first.y + 1)}
}

func union(a, b scene.Window) scene.Window {
	if a.W == 0 {
		return b
	}
	if b.W == 0 {
		return a
	}
	x, y := min(a.X, b.X), min(a.Y, b.Y)
	return scene.Window{X: x, Y: y, W: max(a.X+a.W, b.X+b.W) - x, H: max(a.Y+a.H, b.Y+b.H) - y}
}

// shares cuts the tiles into n runs of about the same number of pixels to read.
func (p *Plan) shares(n int) [][]tile {
	total := 0
	for _, t := range p.tiles {
		total += t.window.W * t.window.H
	}
	out := make([][]tile, n)
	from, sum := 0, 0
	for k := range n {
		to := from
		for to < len(p.tiles) && (k == n-1 || sum < total*(k+1)/n) {
			sum += p.tiles[to].window.W * p.tiles[to].window.H
			to++
		}
		out[k] = p.tiles[from:to]
		from = to
	}
	return out
}
