package forecast

import (
	"context"
	"math"

	"github.com/furrowcredit/furrow/credit/forecast/smooth"
)

// Accuracy is how far one method was off, averaged over series.
type Accuracy struct {
	SMAPE float64 `json:"smape"` // per cent
	MASE  float64 `json:"mase"`
}

// Validation is the outcome of holding out the end of every series.
type Validation struct {
	Series  int `json:"series"`
	Horizon int `json:"horizon"`
	// Skipped counts series by reason: "too_short" are those without six values
	// before the horizon, "nothing_held_out" those whose end is all missing.
	Skipped map[string]int `json:"skipped"`
	// Unscaled counts series whose history never changes from season to season:
	// they have no scale and are left out of MASE.
	Unscaled      int            `json:"unscaled"`
	Frequencies   map[string]int `json:"frequencies"` // series by step
	Accuracy                     // of Furrow's combination
	Theta         Accuracy       `json:"theta"`
	Naive         Accuracy       `json:"naive"`
	SeasonalNaive Accuracy       `json:"seasonal_naive"`
	// Coverage is the share of values held out that lay in the interval.
	Coverage80 float64 `json:"coverage_80"`
	Coverage95 float64 `json:"coverage_95"`
}

// shortest is the number of values that a forecast needs.
const shortest = 6

// trial is one series with its end held out.
type trial struct {
	skip     string
	scaled   bool
	methods  [4]Accuracy // combination, theta, naive, seasonal naive
	in80     int
	in95     int
	measured int
}

// Validate holds out the last values of every series. season 0 takes the usual length
// of the frequency. It uses all processors; the outcome does not depend on them.
func Validate(ctx context.Context, series []Series, horizon, season int) (Validation, error) {
	trials := make([]trial, len(series))
	err := each(ctx, len(series), func(i int) {
		m := season
		if m == 0 {
			m = series[i].Frequency.Season()
		}
		trials[i] = try(series[i].Values, horizon, m)
	})
	if err != nil {
		return Validation{}, err
	}
	return summarise(series, trials, horizon), nil
}

// try measures one series.
func try(values []float64, horizon, m int) trial {
	n := len(values) - horizon
	if n < shortest {
		return trial{skip: "too_short"}
	}
	history := Filled(values[:n])
	var actual []float64
	var at []int
	for h, v := range values[n:] {
		if !math.IsNaN(v) {
			actual, at = append(actual, v), append(at, h)
		}
	}
	switch {
	case history == nil:
		return trial{skip: "too_short"}
	case len(actual) == 0:
		return trial{skip: "nothing_held_out"}
	}
	points := Fit(history, m).Outlook(horizon)
	middles := make([]float64, horizon)
	for h, p := range points {
		middles[h] = p.Middle
	}
	tr := trial{scaled: !math.IsNaN(MASE(history, actual, actual, m)), measured: len(actual)}
	for i, all := range [4][]float64{middles, ahead(smooth.FitTheta(history, m), history, horizon), ahead(smooth.Naive{M: 1}, history, horizon), ahead(smooth.Naive{M: m}, history, horizon)} {
		f := make([]float64, len(at))
		for j, h := range at {
			f[j] = all[h]
		}
		tr.methods[i] = Accuracy{SMAPE(actual, f), MASE(history, actual, f, m)}
	}
	for j, h := range at {
		p := points[h]
		if actual[j] >= p.Low80 && actual[j] <= p.High80 {
			tr.in80++
		}
		if actual[j] >= p.Low95 && actual[j] <= p.High95 {
			tr.in95++
		}
	}
	return tr
}

// ahead forecasts the values after the last with one method.
func ahead(m Method, y []float64, horizon int) []float64 {
	out := make([]float64, horizon)
	m.From(y, len(y), out)
	return out
}

func summarise(series []Series, trials []trial, horizon int) Validation {
	v := Validation{Horizon: horizon, Skipped: map[string]int{}, Frequencies: map[string]int{}}
	var sum [4]Accuracy
	var in80, in95, measured, scaled int
	for i := range trials {
		t := &trials[i]
		if t.skip != "" {
			v.Skipped[t.skip]++
			continue
		}
		v.Series++
		v.Frequencies[string(series[i].Frequency)]++
		in80, in95, measured = in80+t.in80, in95+t.in95, measured+t.measured
		if t.scaled {
			scaled++
		}
		for k, a := range t.methods {
			sum[k].SMAPE += a.SMAPE
			if t.scaled {
				sum[k].MASE += a.MASE
			}
		}
	}
	v.Unscaled = v.Series - scaled
	for k, to := range []*Accuracy{&v.Accuracy, &v.Theta, &v.Naive, &v.SeasonalNaive} {
		if v.Series > 0 {
			to.SMAPE = sum[k].SMAPE / float64(v.Series)
		}
		if scaled > 0 {
			to.MASE = sum[k].MASE / float64(scaled)
		}
	}
	if measured > 0 {
		v.Coverage80, v.Coverage95 = float64(in80)/float64(measured), float64(in95)/float64(measured)
	}
	return v
}
