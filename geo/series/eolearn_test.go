package series_test

import (
	"encoding/csv"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/geo/scene"
	"github.com/furrowcredit/furrow/geo/series"
	"github.com/furrowcredit/furrow/internal/realdata"
)

// raster reads every band of a file.
func raster(tb testing.TB, path string) [][]float64 {
	tb.Helper()
	r, err := scene.OpenRaster(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer r.Close()
	w := scene.Window{W: r.Grid.Width, H: r.Grid.Height}
	out := make([][]float64, len(r.Bands))
	for b := range out {
		out[b] = make([]float64, w.W*w.H)
		if err := r.Read(b+1, w, out[b]); err != nil {
			tb.Fatal(err)
		}
	}
	return out
}

// eolearn gives NDVI and whether it is clear, by date and pixel, and the days.
func eolearn(tb testing.TB) (ndvi, valid [][]float64, days []float64) {
	tb.Helper()
	dir := realdata.Dir(tb, "geo", "eolearn")
	f, err := os.Open(filepath.Join(dir, "dates.csv"))
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		tb.Fatal(err)
	}
	for _, r := range rows[1:] {
		t, err := time.Parse("2006-01-02T15:04:05", r[1])
		if err != nil {
			tb.Fatal(err)
		}
		days = append(days, math.Floor(float64(t.Unix())/86400))
	}
	return raster(tb, filepath.Join(dir, "ndvi_68.tif")), raster(tb, filepath.Join(dir, "is_valid_68.tif")), days
}

// All 10,100 pixels of a real stack against what the peer made of them, one by one
// and all at once.
func TestWhittakerAgreesOnRealStack(t *testing.T) {
	t.Parallel()
	ndvi, valid, _ := eolearn(t)
	want := raster(t, filepath.Join(realdata.Dir(t, "geo", "whittaker"), "eolearn_ndvi_ws2d_lambda10.tif"))
	n, pixels := len(ndvi), len(ndvi[0])
	x, y, w, z := make([]float64, n), make([]float64, n*pixels), make([]float64, n*pixels), make([]float64, n*pixels)
	one := make([]float64, n)
	var s series.Smoother
	for b := range n {
		x[b] = float64(b)
		for p := range pixels {
			y[p*n+b], w[p*n+b] = ndvi[b][p], valid[b][p]
		}
	}
	if few, err := s.Batch(z, x, y, w, 10); few != 0 || err != nil {
		t.Fatalf("%d pixels without curve, %v", few, err)
	}
	worst := 0.0
	for p := range pixels {
		if err := s.Fixed(one, x, y[p*n:p*n+n], w[p*n:p*n+n], 10); err != nil {
			t.Fatal(err)
		}
		for b := range n {
			worst = max(worst, math.Abs(one[b]-want[b][p]), math.Abs(z[p*n+b]-want[b][p]))
		}
	}
	t.Logf("%d pixels, largest difference %.2g", pixels, worst)
	if worst > 1e-5 {
		t.Errorf("largest difference %v", worst)
	}
}

// A fifth of the clear dates is hidden from the filter and must be found again.
// Plain smoothing by the number of the scene reaches 0.113 at its best λ, which it
// could only know from the hidden dates; here nothing is chosen by them.
func TestFillFindsHiddenDates(t *testing.T) {
	t.Parallel()
	ndvi, valid, days := eolearn(t)
	n := len(days)
	index := make([]float64, n)
	for i := range index {
		index[i] = float64(i)
	}
	for _, seed := range []uint64{42, 7} {
		random := rand.New(rand.NewPCG(seed, 0))
		var f series.Filler
		var s series.Smoother
		y, w, z, plain := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
		var sum, abs, sumPlain, count float64
		for _, p := range random.Perm(len(ndvi[0]))[:1500] {
			var clearDates []int
			for i := range n {
				y[i], w[i] = ndvi[i][p], valid[i][p]
				if w[i] > 0 {
					clearDates = append(clearDates, i)
				}
			}
			random.Shuffle(len(clearDates), func(i, j int) { clearDates[i], clearDates[j] = clearDates[j], clearDates[i] })
			hidden := clearDates[:len(clearDates)/5]
			truth := make([]float64, len(hidden))
			for k, i := range hidden {
				truth[k], y[i], w[i] = y[i], math.NaN(), 0
			}
			if err := f.Fill(z, days, y, w); err != nil {
				t.Fatal(err)
			}
			if err := s.Fixed(plain, index, y, w, 2); err != nil {
				t.Fatal(err)
			}
			for k, i := range hidden {
				e := z[i] - truth[k]
				sum, abs, count = sum+e*e, abs+math.Abs(e), count+1
				sumPlain += sq(plain[i] - truth[k])
			}
		}
		rmse := math.Sqrt(sum / count)
		t.Logf("seed %d: %.0f hidden dates, RMSE %.4f, MAE %.4f; plain with the best λ %.4f", seed, count, rmse, abs/count, math.Sqrt(sumPlain/count))
		if rmse > 0.107 {
			t.Errorf("seed %d: RMSE %.4f", seed, rmse)
		}
	}
}
