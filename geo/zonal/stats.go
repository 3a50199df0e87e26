package zonal

import (
	"context"
	"math"

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

// Stats measures the polygons of the plan on band (from 1) of a raster. Numbers
// are taken as physical values by the scale and offset the file states; nodata
// and NaN do not count. The answer has one entry for each polygon, in order.
func (p *Plan) Stats(ctx context.Context, r *scene.Raster, band int) ([]Stat, error) {
	if r.Grid != p.grid {
		return nil, ErrGrid.At("%s", r.Path)
	}
	if band < 1 || band > len(r.Bands) {
		return nil, scene.ErrNoBand.At("%s", r.Path).With("band", band)
	}
	info := r.Bands[band-1]
	nodata := math.NaN()
	if info.NoData != nil {
		nodata = *info.NoData
	}
	cells := make([]sums, len(p.covers))
	var buf []float64
	for _, t := range p.tiles {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n := t.window.W * t.window.H
		if cap(buf) < n {
			buf = make([]float64, n)
		}
		buf = buf[:n]
		if err := r.Read(band, t.window, buf); err != nil {
			return nil, err
		}
		for _, pt := range t.parts {
			k := (int(pt.run.Y)-t.window.Y)*t.window.W + int(pt.run.X) - t.window.X
			s := &cells[pt.plot]
			for _, v := range buf[k : k+int(pt.run.N)] {
				if v == nodata || math.IsNaN(v) {
					continue
				}
				s.add(pt.run.W, v*info.Scale+info.Offset)
			}
		}
	}
	out := make([]Stat, len(cells))
	for i := range cells {
		s := &cells[i]
		if s.w == 0 {
			nan := math.NaN()
			out[i] = Stat{0, nan, nan, nan, nan}
			continue
		}
		out[i] = Stat{Count: s.w, Mean: s.mean(), StdDev: s.stdDev(), Min: s.low, Max: s.high}
	}
	return out, nil
}
