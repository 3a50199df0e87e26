package series_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/geo/series"
	"github.com/furrowcredit/furrow/internal/realdata"
)

func ExampleWhittaker() {
	x := []float64{0, 1, 2, 3, 4, 5}
	y := []float64{0.2, 0.3, 0, 0.6, 0.7, 0.75} // the third is hidden by a cloud
	w := []float64{1, 1, 0, 1, 1, 1}
	z, err := series.Whittaker(x, y, w, 1)
	fmt.Printf("%.2f %v\n", z, err)
	// Output: [0.19 0.32 0.46 0.58 0.68 0.77] <nil>
}

type golden struct {
	Y     []float64 `json:"y"`
	W     []float64 `json:"w"`
	Fixed []float64 `json:"z_ws2d"`
	V     []float64 `json:"z_ws2dvc"`
	VOpt  float64   `json:"sopt_ws2dvc"`
	VP    []float64 `json:"z_ws2dvcp"`
	VPOpt float64   `json:"sopt_ws2dvcp"`
	P     []float64 `json:"z_ws2dp"`
	Lag1  float64   `json:"lag1corr"`
}

func modis(tb testing.TB) (g golden, x []float64) {
	tb.Helper()
	b, err := os.ReadFile(filepath.Join(realdata.Dir(tb, "geo", "whittaker"), "MXD_testdata.json"))
	if err != nil {
		tb.Fatal(err)
	}
	if err := json.Unmarshal(b, &g); err != nil {
		tb.Fatal(err)
	}
	x = make([]float64, len(g.Y))
	for i := range x {
		x[i] = float64(i)
	}
	return g, x
}

func TestWhittakerAgreesWithReference(t *testing.T) {
	t.Parallel()
	g, x := modis(t)
	var s series.Smoother
	z := make([]float64, len(g.Y))

	if err := s.Fixed(z, x, g.Y, g.W, 10); err != nil {
		t.Fatal(err)
	}
	near(t, "fixed", z, g.Fixed)

	l, err := s.VCurve(z, x, g.Y, g.W, series.VGrid(), 0)
	if err != nil || math.Abs(l-g.VOpt) > 1e-5 {
		t.Errorf("V-curve chose %v (%v), want %v", l, err, g.VOpt)
	}
	near(t, "V-curve", z, g.V)

	l, err = s.VCurve(z, x, g.Y, g.W, series.VGrid(), 0.9)
	if err != nil || math.Abs(l-g.VPOpt) > 1e-5 {
		t.Errorf("asymmetric V-curve chose %v (%v), want %v", l, err, g.VPOpt)
	}
	near(t, "asymmetric V-curve", z, g.VP)

	if err := s.Envelope(z, x, g.Y, g.W, g.VPOpt, 0.9); err != nil {
		t.Fatal(err)
	}
	near(t, "envelope", z, g.P)

	if r := series.Lag1(g.Y, g.W); math.Abs(r-g.Lag1) > 1e-5 {
		t.Errorf("lag-1 correlation %v, want %v", r, g.Lag1)
	}
}

func near(t *testing.T, what string, got, want []float64) {
	t.Helper()
	for i := range want {
		if math.Abs(got[i]-want[i]) > 1e-5 {
			t.Errorf("%s: point %d is %v, want %v", what, i, got[i], want[i])
			return
		}
	}
}

func TestWhittakerRefuses(t *testing.T) {
	t.Parallel()
	one := []float64{1, 1, 1}
	for name, c := range map[string]struct {
		x, y, w []float64
		lambda  float64
		want    error
	}{
		"unequal":     {one, one, one[:2], 1, series.ErrLength},
		"not rising":  {[]float64{0, 1, 1}, one, one, 1, series.ErrOrder},
		"NaN place":   {[]float64{0, math.NaN(), 2}, one, one, 1, series.ErrOrder},
		"one weight":  {[]float64{0, 1, 2}, one, []float64{0, 1, 0}, 1, series.ErrFew},
		"zero lambda": {[]float64{0, 1, 2}, one, one, 0, series.ErrLambda},
		"huge lambda": {[]float64{0, 1, 2}, one, one, 1e16, series.ErrLambda},
		"NaN lambda":  {[]float64{0, 1, 2}, one, one, math.NaN(), series.ErrLambda},
	} {
		if _, err := series.Whittaker(c.x, c.y, c.w, c.lambda); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// A straight line costs nothing in either term, at any spacing and any weight.
func TestWhittakerKeepsLines(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(3, 60).Draw(t, "n")
		a, b := rapid.Float64Range(-1, 1).Draw(t, "a"), rapid.Float64Range(-0.1, 0.1).Draw(t, "b")
		lambda := rapid.Float64Range(0.01, 1000).Draw(t, "lambda")
		x, y, w := make([]float64, n), make([]float64, n), make([]float64, n)
		at := 0.0
		for i := range x {
			at += rapid.Float64Range(0.2, 5).Draw(t, "gap")
			x[i], y[i], w[i] = at, a+b*at, float64(rapid.IntRange(0, 1).Draw(t, "w"))
			if w[i] == 0 {
				y[i] = math.NaN() // what has no weight must not matter
			}
		}
		w[0], w[n-1], y[0], y[n-1] = 1, 1, a+b*x[0], a+b*x[n-1]
		z, err := series.Whittaker(x, y, w, lambda)
		if err != nil {
			t.Fatal(err)
		}
		for i := range z {
			if math.Abs(z[i]-(a+b*x[i])) > 1e-6 {
				t.Fatalf("point %d is %v, want %v", i, z[i], a+b*x[i])
			}
		}
	})
}

func sq(v float64) float64 { return v * v }

func TestSmootherDoesNotAllocate(t *testing.T) {
	g := golden{Y: make([]float64, 68), W: make([]float64, 68)}
	x, z := make([]float64, 68), make([]float64, 68)
	for i := range x {
		x[i], g.Y[i], g.W[i] = float64(i), math.Sin(float64(i)), 1
	}
	var s series.Smoother
	if n := testing.AllocsPerRun(10, func() { _ = s.Envelope(z, x, g.Y, g.W, 10, 0.9) }); n > 0 {
		t.Errorf("%v allocations a series", n)
	}
	if n := testing.AllocsPerRun(10, func() { _, _ = s.Batch(z, x, g.Y, g.W, 10) }); n > 0 {
		t.Errorf("%v allocations a batch", n)
	}
	var f series.Filler
	if n := testing.AllocsPerRun(10, func() { _ = f.Fill(z, x, g.Y, g.W) }); n > 0 {
		t.Errorf("%v allocations an estimate", n)
	}
}

func BenchmarkWhittaker(b *testing.B) {
	n := 68
	x, y, w, z := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range x {
		x[i], y[i], w[i] = float64(i), math.Sin(float64(i)/5), 1
	}
	var s series.Smoother
	for name, run := range map[string]func() error{
		"fixed":    func() error { return s.Fixed(z, x, y, w, 10) },
		"envelope": func() error { return s.Envelope(z, x, y, w, 10, 0.9) },
		"vcurve":   func() error { _, err := s.VCurve(z, x, y, w, series.VGrid(), 0); return err },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := run(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "series/s")
		})
	}
}
