package zonal

import (
	"context"
	"math"
	"runtime"

	"github.com/paulmach/orb"
	"golang.org/x/sync/errgroup"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/geo/scene"
)

// Stat is the statistics of one polygon on one band. Count is the covered parts
// of the pixels with data, summed; with Count 0 all the others are NaN.
type Stat struct {
	Count, Mean, StdDev, Min, Max float64
}

// ErrGrid says that a raster does not lie on the grid that the plan was made for.
var ErrGrid = fault.New(fault.Invalid, "zonal.grid", "the raster lies on another grid than the others")

// Shapes are polygons in one coordinate system, and what is wanted of them.
type Shapes struct {
	CRS      string // an "EPSG:n" code or WKT
	Shapes   []orb.MultiPolygon
	InnerM   float64 // metres that their edges lose before they are measured
	MeanOnly bool    // StdDev, Min and Max are not wanted, and NaN
}

// RasterStats is what [Measure] found on one raster.
type RasterStats struct {
	Path  string
	Bands []scene.RasterBand
	Stats [][]Stat // by band, then polygon
}

// Measure measures polygons on every band of raster files, on all processors. The
// polygons are placed once on each grid, however many rasters share it; of the
// rasters only the blocks that polygons touch are decoded, once for all bands.
// Numbers are taken as physical values by the scale and offset the file states;
// nodata and NaN do not count. The error names the file.
func Measure(ctx context.Context, paths []string, s Shapes) ([]RasterStats, error) {
	out := make([]RasterStats, len(paths))
	plans := map[scene.Grid]*Plan{}
	at := make([]*Plan, len(paths))
	for i, path := range paths {
		r, err := scene.OpenRaster(path)
		if err != nil {
			return nil, err
		}
		r.Close()
		if plans[r.Grid] == nil {
			if plans[r.Grid], err = PlaceInner(r.Grid, s.CRS, s.Shapes, s.InnerM); err != nil {
				return nil, err
			}
		}
		at[i] = plans[r.Grid]
		out[i] = RasterStats{Path: path, Bands: r.Bands}
	}
	workers := runtime.GOMAXPROCS(0)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	cells := make([][]pieceSums, len(paths))
	split := (workers + len(paths) - 1) / max(1, len(paths))
	for i, path := range paths {
		shares := at[i].shares(split)
		parts := make([]pieceSums, len(shares))
		cells[i] = parts
		for k, tiles := range shares {
			group.Go(func() error {
				r, err := scene.OpenRaster(path)
				if err != nil {
					return err
				}
				defer r.Close()
				if r.Grid != at[i].grid {
					return ErrGrid.At("%s", path)
				}
				parts[k], err = sumTiles(ctx, r, tiles, 1, len(r.Bands), s.MeanOnly)
				return err
			})
		}
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for i := range out {
		all := at[i].merge(len(out[i].Bands), cells[i], at[i].shares(split))
		for b, info := range out[i].Bands {
			out[i].Stats = append(out[i].Stats, stats(all[b*at[i].Len():(b+1)*at[i].Len()], info, s.MeanOnly))
		}
	}
	return out, nil
}

// Stats measures the polygons of the plan on band (from 1) of an opened raster, as
// [Measure] does. The answer has one entry for each polygon, in order.
func (p *Plan) Stats(ctx context.Context, r *scene.Raster, band int) ([]Stat, error) {
	if r.Grid != p.grid {
		return nil, ErrGrid.At("%s", r.Path)
	}
	if band < 1 || band > len(r.Bands) {
		return nil, scene.ErrNoBand.At("%s", r.Path).With("band", band)
	}
	got, err := sumTiles(ctx, r, p.tiles, band, band, false)
	if err != nil {
		return nil, err
	}
	return stats(p.merge(1, []pieceSums{got}, [][]tile{p.tiles}), r.Bands[band-1], false), nil
}

// pieceSums are the sums of tiles: tile by tile, piece by piece, band by band.
type pieceSums []sums

// sumTiles sums the stored numbers of the bands first to last.
func sumTiles(ctx context.Context, r *scene.Raster, tiles []tile, first, last int, meanOnly bool) (pieceSums, error) {
	n := 0
	for _, t := range tiles {
		n += len(t.pieces)
	}
	bands := last - first + 1
	out := make(pieceSums, n*bands)
	var pixels scene.Pixels
	at := 0
	for _, t := range tiles {
		for b := range bands {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if err := r.Load(first+b, t.window, &pixels); err != nil {
				return nil, err
			}
			sumTile(out[at*bands+b:], bands, t, &pixels, r.Bands[first+b-1].NoData, meanOnly)
		}
		at += len(t.pieces)
	}
	return out, nil
}

// sumTile sums the pixels of a tile. The sums of its pieces lie stride apart.
func sumTile(out []sums, stride int, t tile, pixels *scene.Pixels, nodata *float64, meanOnly bool) {
	switch cells := pixels.Cells().(type) {
	case []uint8:
		sumCells(out, stride, t, cells, nodata, meanOnly)
	case []int8:
		sumCells(out, stride, t, cells, nodata, meanOnly)
	case []uint16:
		sumCells(out, stride, t, cells, nodata, meanOnly)
	case []int16:
		sumCells(out, stride, t, cells, nodata, meanOnly)
	case []uint32:
		sumCells(out, stride, t, cells, nodata, meanOnly)
	case []int32:
		sumCells(out, stride, t, cells, nodata, meanOnly)
	case []float32:
		sumCells(out, stride, t, cells, nodata, meanOnly)
	case []float64:
		sumCells(out, stride, t, cells, nodata, meanOnly)
	}
}

func sumCells[T scene.Number](out []sums, stride int, t tile, cells []T, nodata *float64, meanOnly bool) {
	r := reading[T]{meanOnly: meanOnly}
	if nodata != nil {
		// A number that the type cannot hold marks no pixel.
		r.nodata = T(*nodata)
		r.hasNoData = float64(r.nodata) == *nodata
	}
	x0, y0, w := int32(t.window.X), int32(t.window.Y), t.window.W
	for k := range t.pieces {
		p := &t.pieces[k]
		parts := p.parts
		var s sums
		for _, sp := range p.spans {
			at := int(sp.y-y0)*w + int(sp.x-x0)
			r.span(&s, sp, parts, cells[at:at+int(sp.n)])
			parts = parts[sp.partial():]
		}
		out[k*stride] = s
	}
}

// merge brings the sums of the shares together: band by band, polygon by polygon.
func (p *Plan) merge(bands int, parts []pieceSums, shares [][]tile) []sums {
	out := make([]sums, bands*len(p.covers))
	for k, tiles := range shares {
		at := 0
		for _, t := range tiles {
			for _, pc := range t.pieces {
				for b := range bands {
					out[b*len(p.covers)+int(pc.plot)].merge(&parts[k][at])
					at++
				}
			}
		}
	}
	return out
}

// stats turns the sums of stored numbers into statistics of physical values.
func stats(cells []sums, info scene.RasterBand, meanOnly bool) []Stat {
	out := make([]Stat, len(cells))
	for i := range cells {
		s := &cells[i]
		if s.w == 0 {
			nan := math.NaN()
			out[i] = Stat{0, nan, nan, nan, nan}
			continue
		}
		low, high := s.low*info.Scale+info.Offset, s.high*info.Scale+info.Offset
		out[i] = Stat{
			Count: s.w, Mean: s.mean()*info.Scale + info.Offset, StdDev: s.stdDev() * math.Abs(info.Scale),
			Min: min(low, high), Max: max(low, high),
		}
		if meanOnly {
			out[i].StdDev, out[i].Min, out[i].Max = math.NaN(), math.NaN(), math.NaN()
		}
	}
	return out
}
