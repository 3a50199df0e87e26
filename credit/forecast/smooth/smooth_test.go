package smooth_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/furrowcredit/furrow/credit/forecast/smooth"
)

func ExampleSeason() {
	y := []float64{8, 10, 12, 10, 8, 10, 12, 10, 8, 10, 12, 10}
	fmt.Printf("%.2f\n%.2f\n", smooth.Season(y, 4, true), smooth.Season(y, 4, false))
	// Output:
	// [0.80 1.00 1.20 1.00]
	// [-2.00 0.00 2.00 0.00]
}

// The standard theta method is simple smoothing with half the slope of the line as
// drift (Hyndman and Billah 2003): one step ahead of the next the forecasts of a line
// rise by half its slope.
func TestThetaDriftsByHalfTheSlope(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	y := make([]float64, 80)
	for i := range y {
		y[i] = 100 + 2*float64(i) + r.NormFloat64()
	}
	_, slope := smooth.Line(y)
	out := make([]float64, 5)
	smooth.FitTheta(y, 1).From(y, len(y), out)
	for h := 1; h < len(out); h++ {
		if math.Abs(out[h]-out[h-1]-slope/2) > 0.02 {
			t.Errorf("lead %d rises by %.3f, half the slope is %.3f", h+1, out[h]-out[h-1], slope/2)
		}
	}
}

type method interface {
	From(y []float64, t int, out []float64)
	Name() string
}

// Every method that knows seasons carries a plain one on.
func TestMethodsCarryASeasonOn(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(7, 2))
	at := func(i int) float64 { return 100 * (1 + 0.3*math.Sin(2*math.Pi*float64(i)/12)) }
	y := make([]float64, 84)
	for i := range y {
		y[i] = at(i) * (1 + 0.01*r.NormFloat64())
	}
	for _, m := range []method{smooth.FitETS(y, 12), smooth.FitCES(y, 12), smooth.FitTheta(y, 12), smooth.FitDynamicTheta(y, 12), smooth.Naive{M: 12}} {
		out := make([]float64, 12)
		m.From(y, len(y), out)
		for h, v := range out {
			if math.Abs(v/at(len(y)+h)-1) > 0.06 {
				t.Errorf("%s, lead %d: %.1f, want %.1f", m.Name(), h+1, v, at(len(y)+h))
			}
		}
	}
}

func TestETSChoosesTheKind(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(8, 2))
	level, growing := make([]float64, 120), make([]float64, 120)
	for i := range level {
		level[i] = 50 + r.NormFloat64()
		growing[i] = (50 + 2*float64(i)) * (1 + 0.4*math.Sin(2*math.Pi*float64(i)/12)) * (1 + 0.01*r.NormFloat64())
	}
	if k := smooth.FitETS(level, 12).Kind; k.Trend != 'N' || k.Season != 'N' {
		t.Errorf("a level is %s", k)
	}
	if k := smooth.FitETS(growing, 12).Kind; k.Trend != 'A' || k.Season != 'M' {
		t.Errorf("a growing season is %s", k)
	}
}

// A firm that stopped is foretold less and less.
func TestCrostonForgets(t *testing.T) {
	t.Parallel()
	y := []float64{0, 0, 30, 0, 0, 0, 30, 0, 0, 30, 0, 0}
	m := smooth.FitCroston(y)
	now, later := make([]float64, 1), make([]float64, 1)
	m.From(y, 10, now)
	m.From(y, 12, later)
	if !(later[0] < now[0] && later[0] > 0) {
		t.Errorf("%.2f then %.2f", now[0], later[0])
	}
	if smooth.FitCroston(make([]float64, 9)) != nil {
		t.Error("zeros have a size")
	}
}
