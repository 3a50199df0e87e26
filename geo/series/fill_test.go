package series_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/geo/series"
)

func ExampleFill() {
	days := []float64{0, 10, 20, 30, 45, 60, 70, 80}
	ndvi := []float64{0.20, 0.26, 0.38, 0, 0.68, 0.72, 0.66, 0.52} // the fourth is hidden by a cloud
	weight := []float64{1, 1, 1, 0, 1, 1, 1, 1}
	z, err := series.Fill(days, ndvi, weight)
	fmt.Printf("%.2f %v\n", z[3], err)
	// Output: 0.51 <nil>
}

// years gives three years of a field looked at every ten days, with its truth.
func years(random *rand.Rand, noise float64) (days, truth, y, w []float64) {
	for d := 0.0; d < 3*365; d += 10 {
		v := 0.2 + 0.55*math.Exp(-sq((math.Mod(d, 365)-190)/45)) + 0.02*math.Sin(d/400)
		days, truth, w = append(days, d), append(truth, v), append(w, 1)
		y = append(y, v+noise*random.NormFloat64())
	}
	return days, truth, y, w
}

// A tenth of the looks are missed clouds, singly and in pairs: the estimate must
// pass over them and lose little where there are none.
func TestFillPassesOverMissedClouds(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 0))
	rms := func(a, b []float64) float64 {
		s := 0.0
		for i := range a {
			s += sq(a[i] - b[i])
		}
		return math.Sqrt(s / float64(len(a)))
	}
	var clean, clouded, plain float64
	const fields = 40
	for range fields {
		days, truth, y, w := years(random, 0.03)
		z, err := series.Fill(days, y, w)
		if err != nil {
			t.Fatal(err)
		}
		clean += rms(z, truth) / fields
		for i := 5; i < len(y); i += 20 { // one in twenty alone, one in twenty beside another
			y[i] = min(y[i], 0.05)
			if k := i + 7; i%40 > 20 && k+1 < len(y) {
				y[k], y[k+1] = min(y[k], 0.05), min(y[k+1], 0.08)
			}
		}
		if z, err = series.Fill(days, y, w); err != nil {
			t.Fatal(err)
		}
		clouded += rms(z, truth) / fields
		if z, err = series.Whittaker(days, y, w, 3000); err != nil {
			t.Fatal(err)
		}
		plain += rms(z, truth) / fields
	}
	t.Logf("error without missed clouds %.3f, with %.3f; Whittaker with %.3f", clean, clouded, plain)
	if clean > 0.025 || clouded > 0.05 || clouded > 0.8*plain {
		t.Errorf("error %.3f without, %.3f with missed clouds; Whittaker %.3f", clean, clouded, plain)
	}
}

// Units and zero do not matter: a·y + b gives a·z + b, for a > 0.
func TestFillHasNoUnits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 40).Draw(t, "n")
		a, b := rapid.Float64Range(0.01, 1e4).Draw(t, "a"), rapid.Float64Range(-100, 100).Draw(t, "b")
		days, y, w, y2 := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
		at := 0.0
		for i := range days {
			at += float64(rapid.IntRange(0, 60).Draw(t, "gap"))
			days[i], w[i] = at, float64(rapid.IntRange(0, 2).Draw(t, "w"))
			y[i] = float64(rapid.IntRange(0, 100).Draw(t, "y")) / 100
			y2[i] = a*y[i] + b
		}
		z, err := series.Fill(days, y, w)
		z2, err2 := series.Fill(days, y2, w)
		if (err == nil) != (err2 == nil) {
			t.Fatal(err, err2)
		}
		if err != nil {
			return
		}
		for i := range z {
			if d := math.Abs(z2[i] - (a*z[i] + b)); !(d <= 1e-5*(a+math.Abs(b))) {
				t.Fatalf("day %v: %v, want %v", days[i], z2[i], a*z[i]+b)
			}
			if !(z[i] > -1 && z[i] < 2) {
				t.Fatalf("day %v: %v runs away", days[i], z[i])
			}
		}
	})
}

// Far from every look the estimate returns to the usual, where a spline would run
// off along its last slope.
func TestFillReturnsToTheUsual(t *testing.T) {
	t.Parallel()
	z, err := series.Fill([]float64{0, 10, 20, 30, 400}, []float64{0.2, 0.3, 0.4, 0.5, 0}, []float64{1, 1, 1, 1, 0})
	if err != nil {
		t.Fatal(err)
	}
	if z[4] < 0.25 || z[4] > 0.5 {
		t.Errorf("a year later %v", z[4])
	}
}

func TestFillRefuses(t *testing.T) {
	t.Parallel()
	one, nan := []float64{1, 1}, math.NaN()
	for name, c := range map[string]struct {
		days, y, w []float64
		want       error
	}{
		"unequal":    {[]float64{0, 1}, one, one[:1], series.ErrLength},
		"empty":      {nil, nil, nil, series.ErrFew},
		"one":        {[]float64{0}, one[:1], one[:1], series.ErrFew},
		"all cloud":  {[]float64{0, 1}, one, []float64{0, 0}, series.ErrFew},
		"NaN only":   {[]float64{0, 1}, []float64{1, nan}, one, series.ErrFew},
		"one day":    {[]float64{3, 3}, one, one, series.ErrFew},
		"backwards":  {[]float64{1, 0}, one, one, series.ErrOrder},
		"NaN day":    {[]float64{0, nan}, one, one, series.ErrOrder},
		"ages":       {[]float64{0, 1e6}, one, one, series.ErrSpan},
		"unbounded":  {[]float64{0, math.Inf(1)}, one, one, series.ErrSpan},
		"from never": {[]float64{math.Inf(-1), 0}, one, one, series.ErrSpan},
	} {
		if _, err := series.Fill(c.days, c.y, c.w); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// Another sensor, ten sites from tundra to crops: hidden looks of MODIS are found
// better than by plain smoothing with whichever λ they would choose themselves.
func TestFillFindsHiddenLooksOfAnotherSensor(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(9, 0))
	lambdas := []float64{0.5, 1, 2, 5, 10, 30}
	plain := make([]float64, len(lambdas))
	var ours, count float64
	for _, site := range []string{"AT-Neu", "AU-How", "CA-NS6", "CH-Oe2", "CN-Cha", "CZ-wet", "DE-Obe", "IT-Col", "US-KS2", "ZA-Kru"} {
		var index, days, y, w, truth []float64
		for i, o := range mod13(t, site) {
			d := o.Date.Sub(date("2000-01-01")).Hours() / 24
			if i > 0 && d <= days[len(days)-1] {
				continue // the same look in two composites
			}
			index, days, truth = append(index, float64(len(index))), append(days, d), append(truth, o.NDVI)
			w = append(w, 0)
			if o.Valid {
				w[len(w)-1] = o.Coverage
			}
		}
		var hidden []int
		y = append(y, truth...)
		for i := range w {
			if w[i] == 1 && random.IntN(5) == 0 {
				hidden = append(hidden, i)
				y[i], w[i] = math.NaN(), 0
			}
		}
		add := func(sum *float64, z []float64, err error) {
			if err != nil {
				t.Fatal(err)
			}
			for _, i := range hidden {
				*sum += sq(z[i] - truth[i])
			}
		}
		z, err := series.Fill(days, y, w)
		add(&ours, z, err)
		for k, l := range lambdas {
			z, err := series.Whittaker(index, y, w, l)
			add(&plain[k], z, err)
		}
		count += float64(len(hidden))
	}
	best := math.Sqrt(slices.Min(plain) / count)
	rmse := math.Sqrt(ours / count)
	t.Logf("%.0f hidden looks: RMSE %.4f; plain with the best λ %.4f", count, rmse, best)
	if count < 400 || rmse > 0.9*best {
		t.Errorf("RMSE %.4f of %.0f looks, plain %.4f", rmse, count, best)
	}
}
