package series_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/geo/series"
)

// Many at once are the same curves as one by one, whatever is missing.
func TestBatchEqualsFixed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n, k := rapid.IntRange(1, 30).Draw(t, "n"), rapid.IntRange(0, 11).Draw(t, "k")
		lambda := rapid.Float64Range(0.01, 1000).Draw(t, "lambda")
		x, at := make([]float64, n), 0.0
		for i := range x {
			at += rapid.Float64Range(0.2, 5).Draw(t, "gap")
			x[i] = at
		}
		y, w, z, one := make([]float64, k*n), make([]float64, k*n), make([]float64, k*n), make([]float64, n)
		for i := range y {
			y[i] = rapid.Float64Range(-1, 1).Draw(t, "y")
			w[i] = rapid.SampledFrom([]float64{0, 0.5, 1, 1, 2, -1, math.NaN()}).Draw(t, "w")
			if !(w[i] > 0) {
				y[i] = math.NaN()
			}
		}
		var s series.Smoother
		few, err := s.Batch(z, x, y, w, lambda)
		if err != nil {
			t.Fatal(err)
		}
		for at := 0; at < len(y); at += n {
			err := s.Fixed(one, x, y[at:at+n], w[at:at+n], lambda)
			if errors.Is(err, series.ErrFew) {
				few--
				for i := range one {
					one[i] = math.NaN()
				}
			} else if err != nil {
				t.Fatal(err)
			}
			for i, v := range one {
				if got := z[at+i]; got != v && !(math.IsNaN(v) && math.IsNaN(got)) {
					t.Fatalf("series %d, row %d: %v, alone %v", at/n, i, got, v)
				}
			}
		}
		if few != 0 {
			t.Fatalf("%d more series without curve than one by one", few)
		}
	})
}

func TestBatchRefuses(t *testing.T) {
	t.Parallel()
	one := []float64{1, 1, 1, 1}
	for name, c := range map[string]struct {
		z, x, y, w []float64
		lambda     float64
		want       error
	}{
		"nothing":     {nil, nil, nil, nil, 1, nil},
		"no dates":    {one, nil, one, one, 1, series.ErrLength},
		"a half":      {one[:3], []float64{0, 1}, one[:3], one[:3], 1, series.ErrLength},
		"weights":     {one, []float64{0, 1}, one, one[:2], 1, series.ErrLength},
		"not rising":  {one, []float64{1, 1}, one, one, 1, series.ErrOrder},
		"zero lambda": {one, []float64{0, 1}, one, one, 0, series.ErrLambda},
	} {
		if _, err := new(series.Smoother).Batch(c.z, c.x, c.y, c.w, c.lambda); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func BenchmarkBatch(b *testing.B) {
	const n, k = 68, 1000
	random := rand.New(rand.NewPCG(1, 0))
	x, y, w, z := make([]float64, n), make([]float64, n*k), make([]float64, n*k), make([]float64, n*k)
	for i := range x {
		x[i] = float64(i)
	}
	for i := range y {
		y[i], w[i] = random.Float64(), float64(random.IntN(2))
	}
	var s series.Smoother
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Batch(z, x, y, w, 10); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(k*float64(b.N)/b.Elapsed().Seconds(), "series/s")
}
