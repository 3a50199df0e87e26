package forecast

import (
	"math"
	"slices"
	"strings"

	"github.com/furrowcredit/furrow/credit/forecast/arima"
	"github.com/furrowcredit/furrow/credit/forecast/smooth"
)

// Method is a fitted method. From writes the forecasts that it makes after the first
// t values of the series that it was fitted to, with the weights of the whole.
type Method interface {
	From(y []float64, t int, out []float64)
	Name() string
}

// Ensemble is several methods fitted to one series. Its forecast is the middle one of
// theirs, or the mean of the two middle ones. The median of ETS, CES, ARIMA and dynamic
// theta came sixth of 61 in the M4 competition (Petropoulos and Svetunkov 2020); the
// standard theta method is the fifth here.
type Ensemble struct {
	Members []Method
	y       []float64 // in units of scale
	scale   float64
	m       int
	floor   bool // never below zero
}

// intermittent is the share of zeros from which methods for rare values are used.
const intermittent = 0.4

// Fit fits every method that suits the series; m is the length of its season, 1 for
// none. The values must be finite. With nothing but equal values the only member is
// the naive method.
func Fit(y []float64, m int) *Ensemble {
	e := &Ensemble{m: max(1, m), scale: 1}
	var sum float64
	zeros, least := 0, math.Inf(1)
	for _, v := range y {
		sum += math.Abs(v) / float64(len(y))
		least = min(least, v)
		if v == 0 {
			zeros++
		}
	}
	if sum > 0 {
		e.scale = sum
	}
	e.y = make([]float64, len(y))
	for i, v := range y {
		e.y[i] = v / e.scale
	}
	e.floor = least >= 0
	seasonal := smooth.Seasonal(e.y, e.m)
	switch {
	case constant(y):
		e.add(smooth.Naive{M: 1})
	case float64(zeros) >= intermittent*float64(len(y)) && !seasonal:
		add(e, smooth.FitCroston(e.y))
		add(e, smooth.FitETS(e.y, 1))
		add(e, smooth.FitDynamicTheta(e.y, 1))
	default:
		add(e, smooth.FitETS(e.y, e.m))
		add(e, smooth.FitCES(e.y, e.m))
		add(e, smooth.FitTheta(e.y, e.m))
		add(e, smooth.FitDynamicTheta(e.y, e.m))
		add(e, arima.Fit(e.y, e.m))
	}
	if len(e.Members) == 0 {
		e.add(smooth.Naive{M: 1})
	}
	return e
}

func constant(y []float64) bool {
	for _, v := range y {
		if v != y[0] {
			return false
		}
	}
	return true
}

// add adds a method unless it could not be fitted.
func add[M any, P interface {
	*M
	Method
}](e *Ensemble, m P) {
	if m != nil {
		e.add(m)
	}
}

func (e *Ensemble) add(m Method) { e.Members = append(e.Members, m) }

// Ahead forecasts the values after the last.
func (e *Ensemble) Ahead(horizon int) []float64 {
	out := e.from(len(e.y), horizon)
	for h := range out {
		out[h] *= e.scale
	}
	return out
}

// from forecasts after the first t values, in units of scale.
func (e *Ensemble) from(t, horizon int) []float64 {
	all := make([][]float64, len(e.Members))
	for i, m := range e.Members {
		all[i] = make([]float64, horizon)
		m.From(e.y, t, all[i])
	}
	out, row := make([]float64, horizon), make([]float64, 0, len(all))
	for h := range out {
		row = row[:0]
		for _, a := range all {
			if v := a[h]; !math.IsNaN(v) && !math.IsInf(v, 0) {
				row = append(row, v)
			}
		}
		out[h] = middle(row)
		if e.floor {
			out[h] = math.Max(0, out[h])
		}
	}
	return out
}

// middle is the median; 0 of nothing. It sorts its argument.
func middle(x []float64) float64 {
	if len(x) == 0 {
		return 0
	}
	slices.Sort(x)
	return (x[(len(x)-1)/2] + x[len(x)/2]) / 2
}

// Name tells the members.
func (e *Ensemble) Name() string {
	names := make([]string, len(e.Members))
	for i, m := range e.Members {
		names[i] = m.Name()
	}
	if len(names) == 1 {
		return names[0]
	}
	return "median of " + strings.Join(names, ", ")
}
