package arima_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/furrowcredit/furrow/credit/forecast/arima"
)

// A long first-order series: the next value is foretold near its share of the last.
func TestFitFindsAnAutoregression(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 3))
	y := make([]float64, 600)
	for i := 1; i < len(y); i++ {
		y[i] = 0.7*y[i-1] + r.NormFloat64()
	}
	m := arima.Fit(y, 1)
	out := make([]float64, 40)
	m.From(y, len(y), out)
	if last := y[len(y)-1]; math.Abs(out[0]-0.7*last) > 0.25 || math.Abs(out[39]) > 0.4 {
		t.Errorf("%s: after %.2f comes %.2f, far ahead %.2f", m.Name(), last, out[0], out[39])
	}
}

// A season on a line is carried on as it is.
func TestFitCarriesASeasonOn(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(4, 4))
	at := func(i int) float64 { return 50 + 0.3*float64(i) + 10*math.Sin(2*math.Pi*float64(i)/12) }
	y := make([]float64, 96)
	for i := range y {
		y[i] = at(i) + 0.3*r.NormFloat64()
	}
	m := arima.Fit(y, 12)
	out := make([]float64, 18)
	m.From(y, len(y), out)
	for h, v := range out {
		if math.Abs(v-at(len(y)+h)) > 2.5 {
			t.Errorf("%s, lead %d: %.2f, want %.2f", m.Name(), h+1, v, at(len(y)+h))
		}
	}
	if !strings.Contains(m.Name(), "[12]") {
		t.Errorf("no season in %s", m.Name())
	}
}

func TestFitOfAWalkKeepsTheLastValue(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 5))
	y := make([]float64, 200)
	for i := 1; i < len(y); i++ {
		y[i] = y[i-1] + r.NormFloat64()
	}
	m := arima.Fit(y, 1)
	out := make([]float64, 1)
	m.From(y, len(y), out)
	if m.Order.D != 1 || math.Abs(out[0]-y[199]) > 1 {
		t.Errorf("%s: %.2f after %.2f", m.Name(), out[0], y[199])
	}
	if arima.Fit(y[:5], 1) != nil {
		t.Error("five values make a model")
	}
}
