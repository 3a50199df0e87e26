package boundary

import (
	"cmp"
	"context"
	"errors"
	"math"
	"runtime"
	"slices"
	"time"

	"github.com/paulmach/orb"
	"golang.org/x/sync/errgroup"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/geo/scene"
)

// view is the land around a place on the clear dates of a season.
type view struct {
	grid   scene.Grid
	window scene.Window
	at     orb.Point
	tap    int // pixel of the window that was pointed at
	dates  []time.Time
	ndvi   [][]float64 // by date, one number a pixel
	layers [][]float64 // what pixels are compared by, each in units of its noise

	unreadable []string // scenes
}

// size is the number of pixels.
func (v *view) size() int { return v.window.W * v.window.H }

// seen is one date of the window.
type seen struct {
	at     time.Time
	clear  float64 // share
	tap    bool    // the place itself is clear
	layers [][]float64
}

// look reads the window around a place from the clearest images. [ErrCloud] when
// too few of them are clear here, the reader's errors for bad files.
func look(ctx context.Context, cat *scene.Catalogue, items []scene.Item, at orb.Point) (*view, error) {
	v := &view{grid: items[0].Grid, at: at, unreadable: []string{}}
	place, err := v.grid.ToPixels(scene.WGS84, []orb.MultiPolygon{{{{at}}}})
	if err != nil {
		return nil, err
	}
	p := place[0][0][0][0]
	half := int(math.Ceil(reach / metres(v.grid)))
	col, row := int(math.Floor(p[0])), int(math.Floor(p[1]))
	if col < 0 || row < 0 || col >= v.grid.Width || row >= v.grid.Height {
		return nil, ErrOutside
	}
	x0, y0 := max(0, col-half), max(0, row-half)
	x1, y1 := min(v.grid.Width, col+half+1), min(v.grid.Height, row+half+1)
	v.window = scene.Window{X: x0, Y: y0, W: x1 - x0, H: y1 - y0}
	v.tap = (row-y0)*v.window.W + col - x0

	items = slices.Clone(items)
	slices.SortStableFunc(items, func(a, b scene.Item) int { return cmp.Compare(a.CloudShare, b.CloudShare) })
	var used []seen
	for len(items) > 0 && len(used) < maxDates {
		some := items[:min(len(items), maxDates)]
		items = items[len(some):]
		looks, bad := make([]seen, len(some)), make([]bool, len(some))
		group, gctx := errgroup.WithContext(ctx)
		group.SetLimit(runtime.GOMAXPROCS(0))
		for i, it := range some {
			group.Go(func() (err error) {
				looks[i], err = read(gctx, cat, it, v.window, v.tap)
				if errors.Is(err, fault.Invalid) { // a bad file: the others serve
					looks[i], err = seen{}, nil
					bad[i] = true
				}
				return err
			})
		}
		if err := group.Wait(); err != nil {
			return nil, err
		}
		for i, l := range looks {
			if bad[i] {
				v.unreadable = append(v.unreadable, some[i].ID)
			}
			if l.tap && l.clear >= minClear && len(used) < maxDates {
				used = append(used, l)
			}
		}
	}
	if len(used) < minDates {
		return nil, ErrCloud.With("n", len(used)).With("want", minDates)
	}
	slices.SortFunc(used, func(a, b seen) int { return a.at.Compare(b.at) })
	v.stack(used)
	return v, nil
}

// read gives NDVI, and red and near infrared where there are such bands. Pixels
// that are not clear are NaN.
func read(ctx context.Context, cat *scene.Catalogue, it scene.Item, w scene.Window, tap int) (seen, error) {
	bands := []string{"red", "nir"}
	if !it.Has(bands...) {
		bands = []string{"ndvi"}
	}
	r, err := cat.Reader(it, bands)
	if err != nil {
		return seen{}, err
	}
	defer r.Close()
	b, err := r.Read(ctx, w)
	if err != nil {
		return seen{}, err
	}
	n := w.W * w.H
	s := seen{at: it.Time, layers: [][]float64{make([]float64, n)}}
	for range b.Bands[1:] {
		s.layers = append(s.layers, make([]float64, n))
	}
	if len(bands) == 2 {
		s.layers = append(s.layers, make([]float64, n))
	}
	looked := 0
	for i := range n {
		ndvi := b.Bands[0][i]
		if len(bands) == 2 {
			red, nir := b.Bands[0][i], b.Bands[1][i]
			ndvi = math.NaN()
			if red+nir > 0 {
				ndvi = (nir - red) / (nir + red)
			}
			s.layers[1][i], s.layers[2][i] = red, nir
		}
		s.layers[0][i] = ndvi
		if b.Class[i] != scene.Clear || math.IsNaN(ndvi) || ndvi < -1 || ndvi > 1 {
			for _, l := range s.layers {
				l[i] = math.NaN()
			}
			continue
		}
		looked++
		s.tap = s.tap || i == tap
	}
	s.clear = float64(looked) / float64(n)
	return s, nil
}

// stack puts the dates together: gaps are filled along time, and every layer is
// divided by its noise.
func (v *view) stack(used []seen) {
	for _, s := range used {
		v.dates = append(v.dates, s.at)
	}
	kinds := len(used[0].layers)
	for _, s := range used {
		kinds = min(kinds, len(s.layers))
	}
	for k := range kinds {
		series := make([][]float64, len(used))
		for d, s := range used {
			series[d] = s.layers[k]
		}
		v.fill(series)
		if k == 0 {
			v.ndvi = series
		}
		for _, layer := range series {
			if l := v.normal(layer); l != nil {
				v.layers = append(v.layers, l)
			}
		}
	}
}

// fill puts between two clear dates of a pixel what lies on the line between them,
// and the nearest one before the first and after the last. A pixel that is never
// clear takes the mean of its date.
func (v *view) fill(series [][]float64) {
	for i := range v.size() {
		last := -1
		for d := range series {
			if math.IsNaN(series[d][i]) {
				continue
			}
			for g := last + 1; g < d; g++ {
				switch t := v.dates[d].Sub(v.dates[max(last, 0)]).Seconds(); {
				case last < 0 || t <= 0:
					series[g][i] = series[d][i]
				default:
					f := v.dates[g].Sub(v.dates[last]).Seconds() / t
					series[g][i] = series[last][i] + f*(series[d][i]-series[last][i])
				}
			}
			last = d
		}
		for g := last + 1; g < len(series) && last >= 0; g++ {
			series[g][i] = series[last][i]
		}
	}
	for _, layer := range series {
		var sum, n float64
		for _, x := range layer {
			if !math.IsNaN(x) {
				sum, n = sum+x, n+1
			}
		}
		for i, x := range layer {
			if math.IsNaN(x) {
				layer[i] = sum / n
			}
		}
	}
}

// normal is a layer in units of its noise: the standard deviation of the difference
// of neighbouring pixels, from its median so that edges between fields do not
// count. It is nil for a layer that shows nothing.
func (v *view) normal(layer []float64) []float64 {
	w, h := v.window.W, v.window.H
	diffs := make([]float64, 0, 2*w*h)
	for y := range h {
		for x := range w {
			i := y*w + x
			if x+1 < w {
				diffs = append(diffs, math.Abs(layer[i+1]-layer[i]))
			}
			if y+1 < h {
				diffs = append(diffs, math.Abs(layer[i+w]-layer[i]))
			}
		}
	}
	if len(diffs) == 0 {
		return nil
	}
	slices.Sort(diffs)
	noise := diffs[len(diffs)/2] / 0.6745 / math.Sqrt2
	if noise == 0 {
		return nil
	}
	out := make([]float64, len(layer))
	for i, x := range layer {
		out[i] = x / noise
	}
	return out
}

// peak is the highest NDVI of a pixel in the season.
func (v *view) peak(i int) float64 {
	best := -1.0
	for _, layer := range v.ndvi {
		best = max(best, layer[i])
	}
	return best
}
