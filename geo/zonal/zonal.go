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
	"sync/atomic"

	"github.com/paulmach/orb"
	"golang.org/x/sync/errgroup"

	"github.com/furrowcredit/furrow/geo/scene"
)

// Spec says what to measure.
type Spec struct {
	Quantities []Quantity
	InnerM     float64 // metres that the edges of plots lose before they are measured
	Workers    int     // scenes read at the same time; 0 means one for each processor
}

// Cell is one quantity on one plot and scene. With Share 0 nothing was seen and
// Mean and StdDev are NaN, so that a forgotten check shows.
type Cell struct {
	Mean   float64 // weighted by the covered part of each pixel; of radar: the dB of the mean power
	StdDev float64 // population standard deviation with the same weights; of the dB themselves for radar
	Count  float64 // pixels that counted, covered parts summed
	Share  float64 // Count as a share of the whole plot, 0..1
}

// PlotSample is one plot on one scene. Clear, Snow, Cloud and NoData are shares of
// what is measured of the plot and add up to 1. NoData holds what lies outside the
// scene and what the optical bands asked for leave blank; Inside tells the two apart.
type PlotSample struct {
	Inside float64 // share of the plot within the scene
	Clear  float64
	Snow   float64
	Cloud  float64
	NoData float64
	Full   int     // pixels wholly inside what is measured of the plot, on the scene's finest grid
	Lost   float64 // share of the whole plot that lies in no such pixel: on its edge, in what Spec.InnerM takes off, outside the scene
	Cells  []Cell  // in the order of Spec.Quantities
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
// dataset: memory is bounded by Workers tiles and the answer. Where there are fewer
// scenes than workers, several share a scene; the answer does not depend on it.
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
		plans[it.Grid], planErr[it.Grid] = PlaceInner(it.Grid, scene.WGS84, shapes, spec.InnerM)
	}
	out := make([]ItemSample, len(items))
	group, ctx := errgroup.WithContext(ctx)
	workers := spec.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	group.SetLimit(workers)
	split := (workers + len(items) - 1) / max(1, len(items))
	for i, it := range items {
		out[i] = ItemSample{Item: it, Err: planErr[it.Grid]}
		if out[i].Err != nil {
			continue
		}
		s := &sampling{plan: plans[it.Grid], parts: plans[it.Grid].shares(split)}
		s.measures, s.bands = bind(it, spec.Quantities)
		s.sums, s.errs = make([]tileSums, split), make([]error, split)
		s.left.Store(int32(split))
		for k := range s.parts {
			group.Go(func() error {
				if err := ctx.Err(); err != nil {
					return err
				}
				s.sums[k], s.errs[k] = s.read(ctx, cat, it, s.parts[k])
				if err := ctx.Err(); err != nil {
					return err
				}
				if s.left.Add(-1) == 0 { // the last one brings the shares together
					if out[i].Err = cmp.Or(s.errs...); out[i].Err == nil {
						out[i].Plots = s.finish()
					}
					s.sums = nil
				}
				return nil
			})
		}
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return out, nil
}

// sampling is the work on one item.
type sampling struct {
	plan     *Plan
	measures []measure
	bands    []string
	parts    [][]tile
	sums     []tileSums // of each part
	errs     []error
	left     atomic.Int32
}

// tileSums are the sums of tiles, tile by tile, piece by piece.
type tileSums struct {
	cells   []sums                      // measure by measure
	classes [][scene.NoData + 1]float64 // covered parts by class
}

// measure is a quantity bound to the bands of an item.
type measure struct {
	form   Form
	at     []int // place of each band in the block; nil where the item cannot serve it
	hidden bool  // clouds hide one of the bands
	power  bool  // decibels, whose mean is that of the power
}

// bind chooses the form of each quantity that the item can serve.
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
			ms[i].power = ms[i].form.Of == nil && it.Bands[b].Kind == scene.Radar
		}
	}
	return ms, bands
}

// rows are the values of a span.
type rows struct {
	class  [tileSize]scene.Class
	value  [tileSize]float64
	bands  [][tileSize]float64
	inputs []float64
	clear  bool // the whole span is
}

// read sums the tiles of an item.
func (s *sampling) read(ctx context.Context, cat *scene.Catalogue, it scene.Item, tiles []tile) (tileSums, error) {
	r, err := cat.Reader(it, s.bands)
	if err != nil {
		return tileSums{}, err
	}
	defer r.Close()
	var optical []int
	for i, b := range s.bands {
		if it.Bands[b].Kind.Hidden() {
			optical = append(optical, i)
		}
	}
	widest, pieces := 0, 0
	for _, m := range s.measures {
		widest = max(widest, len(m.at))
	}
	for _, t := range tiles {
		pieces += len(t.pieces)
	}
	out := tileSums{make([]sums, pieces*len(s.measures)), make([][scene.NoData + 1]float64, pieces)}
	row := rows{bands: make([][tileSize]float64, len(s.bands)), inputs: make([]float64, widest)}
	at := 0
	for _, t := range tiles {
		if err := r.Load(ctx, t.window); err != nil {
			return tileSums{}, err
		}
		for _, p := range t.pieces {
			cells := out.cells[at*len(s.measures) : (at+1)*len(s.measures)]
			parts := p.parts
			for _, sp := range p.spans {
				row.load(r, sp)
				for i := range s.measures {
					row.sum(&cells[i], &s.measures[i], sp, parts)
				}
				row.count(&out.classes[at], optical, sp, parts)
				parts = parts[sp.partial():]
			}
			at++
		}
	}
	return out, nil
}

// load takes a span from the reader.
func (row *rows) load(r *scene.Reader, sp span) {
	for i := range row.bands {
		r.Values(i, int(sp.x), int(sp.y), row.bands[i][:sp.n])
	}
	row.clear = true
	if !r.Masked() {
		clear(row.class[:sp.n])
		return
	}
	r.Classes(int(sp.x), int(sp.y), row.class[:sp.n])
	for _, c := range row.class[:sp.n] {
		if c != scene.Clear {
			row.clear = false
			return
		}
	}
}

// sum adds what the span says of a measure.
func (row *rows) sum(to *sums, m *measure, sp span, parts []float64) {
	if m.at == nil {
		return
	}
	n := int(sp.n)
	v := row.value[:n]
	switch {
	case m.form.Of == nil:
		copy(v, row.bands[m.at[0]][:n])
	case m.form.difference:
		b := row.bands[m.at[1]][:n]
		for i, x := range row.bands[m.at[0]][:n] {
			s := x + b[i]
			if s > 0 {
				v[i] = (x - b[i]) / s
			} else {
				v[i] = math.NaN()
			}
		}
	default:
		for k := range v {
			v[k] = m.value(row, k)
		}
	}
	if m.hidden && !row.clear {
		for i, c := range row.class[:n] {
			if c != scene.Clear {
				v[i] = math.NaN()
			}
		}
	}
	var physical reading[float64]
	physical.span(to, sp, parts, v)
	if m.power {
		to.powers(sp, parts, v)
	}
}

// value computes the quantity at a pixel, NaN where a band says nothing.
func (m *measure) value(row *rows, k int) float64 {
	in := row.inputs[:len(m.at)]
	for i, b := range m.at {
		in[i] = row.bands[b][k]
		if math.IsNaN(in[i]) {
			return in[i]
		}
	}
	return m.form.Of(in)
}

// count adds the classes of the span; a clear pixel that an optical band leaves
// blank holds no data.
func (row *rows) count(to *[scene.NoData + 1]float64, optical []int, sp span, parts []float64) {
	for _, b := range optical {
		for i, x := range row.bands[b][:sp.n] {
			if math.IsNaN(x) && row.class[i] == scene.Clear {
				row.class[i], row.clear = scene.NoData, false
			}
		}
	}
	if row.clear {
		to[scene.Clear] += float64(sp.tail - sp.full)
		for _, w := range parts[:sp.partial()] {
			to[scene.Clear] += w
		}
		return
	}
	for i, c := range row.class[:sp.n] {
		to[c] += sp.weight(i, parts)
	}
}

// finish brings the parts together and turns sums into shares and means.
func (s *sampling) finish() []PlotSample {
	p, n := s.plan, len(s.measures)
	cells := make([]sums, p.Len()*n)
	classes := make([][scene.NoData + 1]float64, p.Len())
	for k, tiles := range s.parts {
		at := 0
		for _, t := range tiles {
			for _, pc := range t.pieces {
				for q := range n {
					cells[int(pc.plot)*n+q].merge(&s.sums[k].cells[at*n+q])
				}
				for c, w := range s.sums[k].classes[at] {
					classes[pc.plot][c] += w
				}
				at++
			}
		}
	}
	out := make([]PlotSample, p.Len())
	all := make([]Cell, len(cells))
	for i, c := range p.covers {
		o := &out[i]
		o.Full = c.Full
		o.Lost = 1 - share(float64(c.Full), p.whole[i])
		o.Cells = all[i*n : (i+1)*n : (i+1)*n]
		for q := range o.Cells {
			o.Cells[q] = s.measures[q].cell(&cells[i*n+q], c.Area)
		}
		o.Inside = share(c.In, c.Area)
		o.Clear = share(classes[i][scene.Clear], c.Area)
		o.Snow = share(classes[i][scene.Snow], c.Area)
		o.Cloud = share(classes[i][scene.Cloud], c.Area)
		o.NoData = max(0, 1-o.Clear-o.Snow-o.Cloud)
	}
	return out
}

func (m *measure) cell(s *sums, area float64) Cell {
	if s.w == 0 {
		return Cell{Mean: math.NaN(), StdDev: math.NaN()}
	}
	c := Cell{Mean: s.mean(), StdDev: s.stdDev(), Count: s.w, Share: share(s.w, area)}
	if m.power {
		c.Mean = scene.ToDB(s.power / s.w)
	}
	return c
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
