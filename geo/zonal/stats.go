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

// Shapes are polygons in one coordinate system, an "EPSG:n" code or WKT.
type Shapes struct {
	CRS    string
	Shapes []orb.MultiPolygon
	InnerM float64 // metres that their edges lose before they are measured
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
				parts[k], err = sumTiles(ctx, r, tiles, 1, len(r.Bands))
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
			out[i].Stats = append(out[i].Stats, stats(all[b*at[i].Len():(b+1)*at[i].Len()], info))
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
	got, err := sumTiles(ctx, r, p.tiles, band, band)
	if err != nil {
		return nil, err
	}
	return stats(p.merge(1, []pieceSums{got}, [][]tile{p.tiles}), r.Bands[band-1]), nil
}

// pieceSums are the sums of tiles: tile by tile, piece by piece, band by band.
type pieceSums []sums

// sumTiles sums the stored numbers of the bands first to last.
func sumTiles(ctx context.Context, r *scene.Raster, tiles []tile, first, last int) (pieceSums, error) {
	n := 0
	for _, t := range tiles {
		n += len(t.pieces)
	}
	bands := last - first + 1
	out := make(pieceSums, n*bands)
	var pixels scene.Pixels
	var row [tileSize]float64
	at := 0
	for _, t := range tiles {
		for b := range bands {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if err := r.Load(first+b, t.window, &pixels); err != nil {
				return nil, err
			}
			nodata := math.NaN()
			if nd := r.Bands[first+b-1].NoData; nd != nil {
				nodata = *nd
			}
			for k := range t.pieces {
				sumPiece(&out[(at+k)*bands+b], &t.pieces[k], &pixels, row[:], nodata)
			}
		}
		at += len(t.pieces)
	}
	return out, nil
}

func sumPiece(s *sums, p *piece, pixels *scene.Pixels, row []float64, nodata float64) {
	parts := p.parts
	for _, sp := range p.spans {
		v := row[:sp.n]
		pixels.Values(int(sp.x), int(sp.y), v)
		if !math.IsNaN(nodata) {
			for i, x := range v {
				if x == nodata {
					v[i] = math.NaN()
				}
			}
		}
		s.span(sp, parts, v)
		parts = parts[sp.partial():]
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
func stats(cells []sums, info scene.RasterBand) []Stat {
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
	}
	return out
}
