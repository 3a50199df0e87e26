package geobench

import (
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"github.com/furrowcredit/furrow/bench/geo/textbook"
	"github.com/furrowcredit/furrow/geo/scene"
	"github.com/furrowcredit/furrow/geo/series"
	"github.com/furrowcredit/furrow/internal/realdata"
)

const (
	// whittakerRate is what vam.whittaker's C code does of 68 steps with a fixed λ,
	// in series per core-second, called from Python on two cores of this class.
	whittakerRate  = 231_000
	whittakerTurns = 120
)

// BenchmarkWhittaker smooths a real stack of 68 dates, 10,100 pixels of Sentinel-2,
// with λ = 10 and compares with what vam.whittaker made of it.
func BenchmarkWhittaker(b *testing.B) {
	dir := realdata.Dir(b, "geo", "eolearn")
	ndvi, valid := seriesMajor(b, filepath.Join(dir, "ndvi_68.tif")), seriesMajor(b, filepath.Join(dir, "is_valid_68.tif"))
	want := seriesMajor(b, filepath.Join(realdata.Dir(b, "geo", "whittaker"), "eolearn_ndvi_ws2d_lambda10.tif"))
	n := ndvi.steps
	x := make([]float64, n)
	for i := range x {
		x[i] = float64(i)
	}
	ours, single, plain := make([]float64, len(ndvi.v)), make([]float64, len(ndvi.v)), make([]float64, len(ndvi.v))
	var s series.Smoother
	u := best(whittakerTurns,
		func() usage {
			return inside(func() {
				if _, err := s.Batch(ours, x, ndvi.v, valid.v, 10); err != nil {
					b.Fatal(err)
				}
			})
		},
		func() usage { return inside(func() { textbook.Whittaker(plain, ndvi.v, valid.v, n, 10) }) },
		func() usage {
			return inside(func() {
				for at := 0; at < len(single); at += n {
					if err := s.Fixed(single[at:at+n], x, ndvi.v[at:at+n], valid.v[at:at+n], 10); err != nil {
						b.Fatal(err)
					}
				}
			})
		},
	)
	pixels := float64(len(ours) / n)
	rate := func(k int) float64 { return pixels / u[k].CPU.Seconds() }
	note := fmt.Sprintf("largest difference from vam.whittaker %.1g (plain C %.1g)", distance(b, ours, want.v), distance(b, plain, want.v))
	report(b, line{What: "Whittaker, 68 steps, many series at once", Unit: "series", Ours: rate(0), Peer: "vam.whittaker, published rate", Theirs: whittakerRate, Least: 4, Note: note})
	report(b, line{What: "Whittaker, 68 steps, many series at once", Unit: "series", Ours: rate(0), Peer: "plain C -O2, after Eilers 2003", Theirs: rate(1), Least: 1.25})
	report(b, line{What: "Whittaker, 68 steps, one by one", Unit: "series", Ours: rate(2), Peer: "plain C -O2, after Eilers 2003", Theirs: rate(1)})
}

// BenchmarkFill takes the estimator that the plots' curves use: slower, for it
// weighs ten candidates a series, and three times over.
func BenchmarkFill(b *testing.B) {
	dir := realdata.Dir(b, "geo", "eolearn")
	ndvi, valid := seriesMajor(b, filepath.Join(dir, "ndvi_68.tif")), seriesMajor(b, filepath.Join(dir, "is_valid_68.tif"))
	n := ndvi.steps
	days, z := make([]float64, n), make([]float64, n)
	for i := range days {
		days[i] = float64(i) * 13
	}
	const pixels = 200
	var f series.Filler
	u := best(3, func() usage {
		return inside(func() {
			for p := range pixels {
				if err := f.Fill(z, days, ndvi.v[p*n:p*n+n], valid.v[p*n:p*n+n]); err != nil {
					b.Fatal(err)
				}
			}
		})
	})
	report(b, line{What: "Fill, 68 looks in 2.4 years", Unit: "series", Ours: pixels / u[0].CPU.Seconds()})
}

// matrix holds series one after another.
type matrix struct {
	v     []float64
	steps int
}

func seriesMajor(b *testing.B, path string) matrix {
	b.Helper()
	r, err := scene.OpenRaster(path)
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	w := scene.Window{W: r.Grid.Width, H: r.Grid.Height}
	m := matrix{steps: len(r.Bands), v: make([]float64, len(r.Bands)*w.W*w.H)}
	band := make([]float64, w.W*w.H)
	for k := range m.steps {
		if err := r.Read(k+1, w, band); err != nil {
			b.Fatal(err)
		}
		for p, v := range band {
			m.v[p*m.steps+k] = v
		}
	}
	return m
}

// distance is the largest difference of two results, which must stay below 1e-5.
func distance(b *testing.B, got, want []float64) float64 {
	b.Helper()
	worst := 0.0
	for i := range want {
		if d := math.Abs(got[i] - want[i]); !(d <= worst) {
			worst = d
		}
	}
	if !(worst < 1e-5) {
		b.Fatalf("largest difference %v", worst)
	}
	return worst
}
