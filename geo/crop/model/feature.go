package model

import (
	"math"
	"slices"
)

// Plain features are the values of all bands on the grid, band by band. Rich ones
// add what tells crops apart when the season comes early or late or the field is
// greener than usual: means over windows, differences between dates and between
// bands, and the values in order of size, which know no date at all.
var (
	windows = []int{2, 3, 4, 6}
	lags    = []int{1, 2, 3}
)

// mostPaired is how many bands are still held against each other.
const mostPaired = 6

// feature says where one comes from: the band, and the grid dates from..to-1; the
// ordered values have all dates.
type feature struct{ band, from, to int }

// season is one series as the methods see it.
type season struct {
	plain, rich []float64
	seen        []float64 // share of the dates on which each band was seen
}

// richFeatures lists the rich features of bands series with steps dates in the
// order of rich.
func richFeatures(bands, steps int) []feature {
	var out []feature
	for b := range bands {
		for i := range steps {
			out = append(out, feature{b, i, i + 1})
		}
		for _, k := range windows {
			for i := range steps - k + 1 {
				out = append(out, feature{b, i, i + k})
			}
		}
		for _, k := range lags {
			for i := range steps - k {
				out = append(out, feature{b, i, i + k + 1})
			}
		}
		for range partners(b, bands) {
			for i := range steps {
				out = append(out, feature{b, i, i + 1})
			}
		}
		for range 2 * steps { // in order: values and differences; the share seen
			out = append(out, feature{b, 0, steps})
		}
	}
	return out
}

// partners is how many bands after band b it is held against.
func partners(b, bands int) int {
	if bands > mostPaired {
		return 0
	}
	return bands - 1 - b
}

// rich works the rich features of one series out of its plain ones and the share
// of dates on which each band was seen.
func (f *Frame) rich(plain, seen []float64) []float64 {
	bands := len(seen)
	steps := len(plain) / bands
	out := make([]float64, 0, f.richCols())
	for b := range bands {
		v := plain[b*steps : (b+1)*steps]
		out = append(out, v...)
		for _, k := range windows {
			sum := 0.0
			for i, x := range v {
				if sum += x; i >= k {
					sum -= v[i-k]
				}
				if i >= k-1 {
					out = append(out, sum/float64(k))
				}
			}
		}
		for _, k := range lags {
			for i := k; i < steps; i++ {
				out = append(out, v[i]-v[i-k])
			}
		}
		for c := b + 1; c <= b+partners(b, bands); c++ { // in units of their own spread
			for i, x := range plain[c*steps : (c+1)*steps] {
				out = append(out, (v[i]-f.Middle[b])/f.Spread[b]-(x-f.Middle[c])/f.Spread[c])
			}
		}
		n := len(out)
		out = append(out, v...)
		slices.Sort(out[n:])
		n = len(out)
		for i := 1; i < steps; i++ {
			out = append(out, v[i]-v[i-1])
		}
		slices.Sort(out[n:])
		out = append(out, seen[b])
	}
	return out
}

// Importance is how much the trees of a model lean on each date and band, of 1.
type Importance struct {
	Bands map[string]float64 `json:"bands"`
	Dates []float64          `json:"dates"` // of the grid
}

// importance shares the weight of each rich feature among its dates.
func importance(weight []float64, bands []string, steps int) Importance {
	im := Importance{Bands: map[string]float64{}, Dates: make([]float64, steps)}
	for i, f := range richFeatures(len(bands), steps) {
		im.Bands[bands[f.band]] += weight[i]
		for d := f.from; d < f.to; d++ {
			im.Dates[d] += weight[i] / float64(f.to-f.from)
		}
	}
	for b, v := range im.Bands {
		im.Bands[b] = math.Round(v*1e4) / 1e4
	}
	for d, v := range im.Dates {
		im.Dates[d] = math.Round(v*1e4) / 1e4
	}
	return im
}
