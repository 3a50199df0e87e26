package series_test

import (
	"math"
	"path/filepath"
	"testing"

	"github.com/furrowcredit/furrow/geo/scene"
	"github.com/furrowcredit/furrow/geo/series"
	"github.com/furrowcredit/furrow/internal/realdata"
)

// All 10,100 pixels of a real stack against what the peer made of them.
func TestWhittakerAgreesOnRealStack(t *testing.T) {
	t.Parallel()
	read := func(path string) [][]float64 {
		r, err := scene.OpenRaster(path)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		w := scene.Window{W: r.Grid.Width, H: r.Grid.Height}
		out := make([][]float64, len(r.Bands))
		for b := range out {
			out[b] = make([]float64, w.W*w.H)
			if err := r.Read(b+1, w, out[b]); err != nil {
				t.Fatal(err)
			}
		}
		return out
	}
	dir := realdata.Dir(t, "geo", "eolearn")
	ndvi, valid := read(filepath.Join(dir, "ndvi_68.tif")), read(filepath.Join(dir, "is_valid_68.tif"))
	want := read(filepath.Join(realdata.Dir(t, "geo", "whittaker"), "eolearn_ndvi_ws2d_lambda10.tif"))
	n := len(ndvi)
	x, y, w, z := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	var s series.Smoother
	worst := 0.0
	for p := range ndvi[0] {
		for b := range n {
			x[b], y[b], w[b] = float64(b), ndvi[b][p], valid[b][p]
		}
		if err := s.Fixed(z, x, y, w, 10); err != nil {
			t.Fatal(err)
		}
		for b := range n {
			worst = max(worst, math.Abs(z[b]-want[b][p]))
		}
	}
	t.Logf("%d pixels, largest difference %.2g", len(ndvi[0]), worst)
	if worst > 1e-5 {
		t.Errorf("largest difference %v", worst)
	}
}
