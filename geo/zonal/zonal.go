// Package zonal measures parcels on rasters: means, deviations and shares with
// the exact covered part of every pixel as its weight.
//
// [NewCover] finds the covered parts, [Sample] measures many plots on many scenes
// in one pass over each, [Plan.Stats] measures polygons on plain rasters.
package zonal

import (
	"cmp"
	"context"
	"math"
	"runtime"
	"slices"

	"github.com/paulmach/orb"
	"golang.org/x/sync/errgroup"

	"github.com/furrowcredit/furrow/geo/scene"
)

// Spec says what to measure.
type Spec struct {
	Quantities []Quantity
	Workers    int // scenes read at the same time; 0 means one for each processor
}

// Cell is one quantity on one plot and scene. With Share 0 nothing was seen and
// Mean and StdDev are NaN, so that a forgotten check shows.
type Cell struct {
	Mean   float64 // weighted by the covered part of each pixel
	StdDev float64 // population standard deviation with the same weights
	Count  float64 // pixels that counted, covered parts summed
	Share  float64 // Count as a share of the whole plot, 0..1
}

// PlotSample is one plot on one scene. Clear, Snow, Cloud and NoData are shares of
// the plot and add up to 1. NoData holds what lies outside the scene and what the
// optical bands asked for leave blank; Inside tells the two apart.
type PlotSample struct {
	Inside float64 // share of the plot within the scene
	Clear  float64
	Snow   float64
	Cloud  float64
	NoData float64
	Full   int    // pixels wholly inside the plot, on the scene's finest grid
	Cells  []Cell // in the order of Spec.Quantities
}

// ItemSample is one scene: either Err says why it could not be read, naming the
// file, or Plots holds one entry for each plot, in their order.
type ItemSample struct {
	Item  scene.Item
	Err   error
	Plots []PlotSample
}

// Sample measures plots (WGS84) on items of a catalogue. It returns one entry for
// each item, in their order. An unreadable item is an entry with Err; the others
// go on. A quantity whose bands an item lacks has Share 0 there. The error is that
// of ctx, or of plots that no system can place.
//
// Every raster is read once for all plots, in tiles, by one goroutine with its own
// dataset: memory is bounded by Workers tiles and the answer.
func Sample(ctx context.Context, cat *scene.Catalogue, items []scene.Item, plots []orb.Polygon, spec Spec) ([]ItemSample, error) {
	shapes := make([]orb.MultiPolygon, len(plots))
	for i, p := range plots {
		shapes[i] = orb.MultiPolygon{p}
	}
	plans := map[scene.Grid]*Plan{}
	planErr := map[scene.Grid]error{}
	for _, it := range items {
		if _, ok := plans[it.Grid]; ok {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		plans[it.Grid], planErr[it.Grid] = Place(it.Grid, scene.WGS84, shapes)
	}
	out := make([]ItemSample, len(items))
	group, ctx := errgroup.WithContext(ctx)
	workers := spec.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	group.SetLimit(workers)
	for i, it := range items {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			out[i] = ItemSample{Item: it, Err: planErr[it.Grid]}
			if out[i].Err != nil {
				return nil
			}
			out[i].Plots, out[i].Err = sampleItem(ctx, cat, it, plans[it.Grid], spec.Quantities)
			return ctx.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return out, nil
}

// tileSize is the side of the tiles in which rasters are read, in pixels: a
// multiple of the usual block sizes, small enough for a dozen bands in memory.
const tileSize = 512

// Plan is where polygons lie on a grid, ready for every raster that shares it. It
// is immutable and safe for concurrent use.
type Plan struct {
	grid   scene.Grid
	covers []Cover // without runs: those are in the tiles
	tiles  []tile
}

type tile struct {
	window scene.Window
	parts  []part
}

// part is a run of a plot, cut at the edges of the tile.
type part struct {
	plot int32
	run  Run
}

// Place finds the covered part of every pixel of a grid by polygons given in crs,
// an "EPSG:n" code or WKT. Polygons may lie outside, wholly or in part.
func Place(g scene.Grid, crs string, shapes []orb.MultiPolygon) (*Plan, error) {
	pixels, err := g.ToPixels(crs, shapes)
	if err != nil {
		return nil, err
	}
	p := &Plan{grid: g, covers: make([]Cover, len(shapes))}
	across := (g.Width + tileSize - 1) / tileSize
	byTile := map[int][]part{}
	for i, mp := range pixels {
		c := NewCover(mp, g.Width, g.Height)
		for _, r := range c.Runs {
			for r.N > 0 {
				col := int(r.X) / tileSize
				n := min(r.N, int32((col+1)*tileSize)-r.X)
				id := int(r.Y)/tileSize*across + col
				byTile[id] = append(byTile[id], part{int32(i), Run{r.Y, r.X, n, r.W}})
				r.X, r.N = r.X+n, r.N-n
			}
		}
		c.Runs = nil
		p.covers[i] = c
	}
	for id, parts := range byTile {
		x, y := id%across*tileSize, id/across*tileSize
		p.tiles = append(p.tiles, tile{tight(scene.Window{
			X: x, Y: y, W: min(tileSize, g.Width-x), H: min(tileSize, g.Height-y),
		}, parts), parts})
	}
	slices.SortFunc(p.tiles, func(a, b tile) int {
		return cmp.Or(cmp.Compare(a.window.Y, b.window.Y), cmp.Compare(a.window.X, b.window.X))
	})
	return p, nil
}

// tight shrinks the window to the rows and columns that the parts need.
func tight(w scene.Window, parts []part) scene.Window {
	x0, y0, x1, y1 := w.X+w.W, w.Y+w.H, w.X, w.Y
	for _, p := range parts {
		x0, x1 = min(x0, int(p.run.X)), max(x1, int(p.run.X+p.run.N))
		y0, y1 = min(y0, int(p.run.Y)), max(y1, int(p.run.Y)+1)
	}
	return scene.Window{X: x0, Y: y0, W: x1 - x0, H: y1 - y0}
}

// sums gathers weighted values. Values are counted from the first one, so that
// the squares keep their digits whatever the size of the values.
type sums struct {
	w, v, vv, origin float64
	low, high        float64
}

func (s *sums) add(w, v float64) {
	if s.w == 0 {
		s.origin, s.low, s.high = v, v, v
	}
	d := v - s.origin
	s.w += w
	s.v += w * d
	s.vv += w * d * d
	s.low, s.high = min(s.low, v), max(s.high, v)
}

func (s *sums) mean() float64 { return s.origin + s.v/s.w }

func (s *sums) stdDev() float64 {
	m := s.v / s.w
	return math.Sqrt(max(0, s.vv/s.w-m*m))
}

// measure is a quantity bound to the bands of an item.
type measure struct {
	form   Form
	at     []int // place of each band in the block
	hidden bool  // clouds hide one of the bands
}

// bind chooses the form of each quantity that the item can serve; of is nil where
// there is none.
func bind(it scene.Item, qs []Quantity) (ms []measure, bands []string) {
	ms = make([]measure, len(qs))
	for i, q := range qs {
		k := slices.IndexFunc(q.Forms, func(f Form) bool { return it.Has(f.Bands...) })
		if k < 0 {
			continue
		}
		ms[i].form = q.Forms[k]
		for _, b := range q.Forms[k].Bands {
			at := slices.Index(bands, b)
			if at < 0 {
				at = len(bands)
				bands = append(bands, b)
			}
			ms[i].at = append(ms[i].at, at)
			ms[i].hidden = ms[i].hidden || it.Bands[b].Kind.Hidden()
		}
	}
	return ms, bands
}

func sampleItem(ctx context.Context, cat *scene.Catalogue, it scene.Item, p *Plan, qs []Quantity) ([]PlotSample, error) {
	ms, bands := bind(it, qs)
	r, err := cat.Reader(it, bands)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var optical []int
	widest := 0
	for i, b := range bands {
		if it.Bands[b].Kind.Hidden() {
			optical = append(optical, i)
		}
	}
	for _, m := range ms {
		widest = max(widest, len(m.at))
	}
	cells := make([]sums, len(p.covers)*len(ms))
	classes := make([][scene.NoData + 1]float64, len(p.covers))
	v := make([]float64, widest)
	for _, t := range p.tiles {
		block, err := r.Read(ctx, t.window)
		if err != nil {
			return nil, err
		}
		for _, pt := range t.parts {
			k := (int(pt.run.Y)-t.window.Y)*t.window.W + int(pt.run.X) - t.window.X
			row := cells[int(pt.plot)*len(ms) : (int(pt.plot)+1)*len(ms)]
			for end := k + int(pt.run.N); k < end; k++ {
				class := block.Class[k]
				if class == scene.Clear {
					for _, b := range optical {
						if math.IsNaN(block.Bands[b][k]) {
							class = scene.NoData
							break
						}
					}
				}
				classes[pt.plot][class] += pt.run.W
				for q := range ms {
					m := &ms[q]
					if m.form.Of == nil || m.hidden && block.Class[k] != scene.Clear {
						continue
					}
					if x := m.value(v, block.Bands, k); !math.IsNaN(x) {
						row[q].add(pt.run.W, x)
					}
				}
			}
		}
	}
	return finish(p, ms, cells, classes), nil
}

// value computes the quantity at pixel k, NaN where a band says nothing.
func (m *measure) value(v []float64, bands [][]float64, k int) float64 {
	for i, b := range m.at {
		x := bands[b][k]
		if math.IsNaN(x) {
			return x
		}
		v[i] = x
	}
	return m.form.Of(v[:len(m.at)])
}

func finish(p *Plan, ms []measure, cells []sums, classes [][scene.NoData + 1]float64) []PlotSample {
	out := make([]PlotSample, len(p.covers))
	all := make([]Cell, len(cells))
	for i, c := range p.covers {
		s := &out[i]
		s.Full = c.Full
		s.Cells = all[i*len(ms) : (i+1)*len(ms) : (i+1)*len(ms)]
		for q := range s.Cells {
			sum := &cells[i*len(ms)+q]
			if sum.w == 0 {
				s.Cells[q] = Cell{Mean: math.NaN(), StdDev: math.NaN()}
				continue
			}
			s.Cells[q] = Cell{Mean: sum.mean(), StdDev: sum.stdDev(), Count: sum.w, Share: share(sum.w, c.Area)}
		}
		s.Inside = share(c.In, c.Area)
		s.Clear = share(classes[i][scene.Clear], c.Area)
		s.Snow = share(classes[i][scene.Snow], c.Area)
		s.Cloud = share(classes[i][scene.Cloud], c.Area)
		s.NoData = max(0, 1-s.Clear-s.Snow-s.Cloud)
	}
	return out
}

// share is part of whole within 0..1, free of the rounding of the sums.
func share(part, whole float64) float64 {
	if whole <= 0 {
		return 0
	}
	s := part / whole
	switch {
	case s > 1-snap:
		return 1
	case s < snap:
		return 0
	}
	return s
}
