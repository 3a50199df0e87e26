package model

import (
	"math"
	"slices"

	"github.com/furrowcredit/furrow/geo/crop/learn"
	"github.com/furrowcredit/furrow/geo/crop/sample"
)

// Frame is how a series with any dates and gaps becomes features: the bands that
// are wanted, the grid of dates, and what stands for a band without any value.
type Frame struct {
	Bands []string    `json:"bands"`
	Grid  Grid        `json:"grid"`
	Usual [][]float64 `json:"usual"` // mean of each band on each date
	// Middle and Spread are mean and standard deviation of each band over all dates.
	Middle []float64 `json:"middle"`
	Spread []float64 `json:"spread"`
}

// fitFrame learns a frame from samples with some value.
func fitFrame(set *sample.Set) Frame {
	f := Frame{Bands: slices.Clone(set.Bands), Grid: fitGrid(set)}
	steps := len(f.Grid.Offset)
	line := make([]float64, steps)
	for b := range f.Bands {
		mean, n := make([]float64, steps), 0.0
		var sum, square float64
		for i := range set.Samples {
			s := &set.Samples[i]
			if f.Grid.resample(s.Days, s.Values[b], f.Grid.zero(s.Start, s.End), line) == 0 && math.IsNaN(line[0]) {
				continue
			}
			n++
			for k, v := range line {
				mean[k] += v
				sum += v
				square += v * v
			}
		}
		for k := range mean {
			mean[k] = float64(float32(mean[k] / max(n, 1)))
		}
		f.Usual = append(f.Usual, mean)
		n = max(1, n*float64(steps))
		f.Middle = append(f.Middle, sum/n)
		f.Spread = append(f.Spread, max(1e-6, math.Sqrt(max(0, square/n-sum*sum/n/n))))
	}
	return f
}

// columns gives where each band of the frame stands among bands, -1 where it does
// not.
func (f *Frame) columns(bands []string) []int {
	at := make([]int, len(f.Bands))
	for i, b := range f.Bands {
		at[i] = slices.Index(bands, b)
	}
	return at
}

// season makes the features of a series whose bands stand at the given columns. seen
// is the mean share of the grid's dates at which they were seen, 0 without any value.
func (f *Frame) season(s *sample.Sample, columns []int) (out season, seen float64) {
	steps := len(f.Grid.Offset)
	out.plain = make([]float64, len(f.Bands)*steps)
	share := make([]float64, len(f.Bands))
	blank, zero := true, f.Grid.zero(s.Start, s.End)
	for b, c := range columns {
		line := out.plain[b*steps : (b+1)*steps]
		if c >= 0 {
			share[b] = f.Grid.resample(s.Days, s.Values[c], zero, line)
		}
		if c < 0 || math.IsNaN(line[0]) {
			copy(line, f.Usual[b])
		} else {
			blank = false
		}
		for k, v := range line { // as a model file keeps it
			line[k] = float64(float32(v))
		}
		seen += share[b] / float64(len(f.Bands))
	}
	if blank {
		return season{}, 0
	}
	out.seen, out.rich = share, f.rich(out.plain, share)
	return out, seen
}

// matrices makes the features of many series.
func (f *Frame) matrices(set *sample.Set) (plain, seen, richer *learn.Matrix) {
	steps := len(f.Grid.Offset)
	plain = learn.NewMatrix(len(set.Samples), len(f.Bands)*steps)
	richer = learn.NewMatrix(len(set.Samples), f.richCols())
	seen = learn.NewMatrix(len(set.Samples), len(f.Bands))
	at := f.columns(set.Bands)
	for i := range set.Samples {
		s, _ := f.season(&set.Samples[i], at)
		copy(plain.Row(i), s.plain)
		copy(seen.Row(i), s.seen)
		copy(richer.Row(i), s.rich)
	}
	return plain, seen, richer
}
