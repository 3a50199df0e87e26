// Package smooth holds the smoothing methods of forecasting: the ETS family, complex
// exponential smoothing, theta and its optimised form, and those for series with many
// zeros. Values go in and forecasts come out; times are counted from 0 and m is the
// length of the season, 1 for none.
//
// Every fitted method can forecast from any place within the series with the weights
// that the whole gave it, so that its errors can be looked at.
package smooth

import "math"

// Positive tells whether all values are more than zero, so that shares make sense.
func Positive(y []float64) bool {
	for _, v := range y {
		if v <= 0 {
			return false
		}
	}
	return true
}

// Line is the least-squares line through the values: level at time -1 and slope.
func Line(y []float64) (level, slope float64) {
	n := float64(len(y))
	if n == 0 {
		return 0, 0
	}
	var sum, weighted float64
	for i, v := range y {
		sum += v
		weighted += v * (float64(i+1) - (n+1)/2)
	}
	if n > 1 {
		slope = weighted * 12 / (n * (n*n - 1))
	}
	return sum/n - slope*(n+1)/2, slope
}

// Autocorrelations of the lags 1 to most; all zero for a constant series.
func Autocorrelations(y []float64, most int) []float64 {
	out := make([]float64, most)
	mean := Mean(y)
	var all float64
	for _, v := range y {
		all += (v - mean) * (v - mean)
	}
	if all <= 0 {
		return out
	}
	for lag := 1; lag <= most && lag < len(y); lag++ {
		var c float64
		for i := lag; i < len(y); i++ {
			c += (y[i] - mean) * (y[i-lag] - mean)
		}
		out[lag-1] = c / all
	}
	return out
}

// Mean of values; 0 of none.
func Mean(y []float64) float64 {
	var sum float64
	for _, v := range y {
		sum += v
	}
	return sum / math.Max(1, float64(len(y)))
}

// Seasonal is the test of the M competitions: the autocorrelation at the season's lag
// stands out from Bartlett's band at 90 %, and there are three seasons.
func Seasonal(y []float64, m int) bool {
	if m < 2 || len(y) < 3*m {
		return false
	}
	r := Autocorrelations(y, m)
	var sum float64
	for _, v := range r[:m-1] {
		sum += v * v
	}
	return math.Abs(r[m-1]) > 1.645*math.Sqrt((1+2*sum)/float64(len(y)))
}

// Trend is the centred moving average over one season. Its ends are those of the
// nearest whole windows.
func Trend(y []float64, m int) []float64 {
	n := len(y)
	out := make([]float64, n)
	half := m / 2
	for t := half; t < n-half; t++ {
		var sum float64
		for i := t - half; i <= t+half; i++ {
			sum += y[i]
		}
		if m%2 == 0 {
			sum -= (y[t-half] + y[t+half]) / 2
		}
		out[t] = sum / float64(m)
	}
	for t := range half {
		if n > 2*half {
			out[t], out[n-1-t] = out[half], out[n-1-half]
		}
	}
	return out
}

// Season is the classical seasonal pattern: mean share of the trend by season when
// shares, else mean distance from it; shares average 1, distances 0. The series must
// have two seasons.
func Season(y []float64, m int, shares bool) []float64 {
	trend := Trend(y, m)
	sum, count := make([]float64, m), make([]float64, m)
	half := m / 2
	for t := half; t < len(y)-half; t++ {
		switch {
		case !shares:
			sum[t%m] += y[t] - trend[t]
		case trend[t] > 0:
			sum[t%m] += y[t] / trend[t]
		default:
			continue
		}
		count[t%m]++
	}
	neutral := 0.0
	if shares {
		neutral = 1
	}
	for i := range sum {
		if count[i] > 0 {
			sum[i] /= count[i]
		} else {
			sum[i] = neutral
		}
	}
	mean := Mean(sum)
	for i := range sum {
		switch {
		case !shares:
			sum[i] -= mean
		case mean > 0:
			sum[i] = math.Max(sum[i]/mean, 1e-3)
		}
	}
	return sum
}

// Adjust takes the season out.
func Adjust(y, season []float64, shares bool) []float64 {
	out := make([]float64, len(y))
	for t, v := range y {
		if s := season[t%len(season)]; shares {
			out[t] = v / s
		} else {
			out[t] = v - s
		}
	}
	return out
}

// Strength is the share of the seasonal pattern in what is left when the trend is
// taken out, 0 to 1 (Wang, Smith and Hyndman 2006).
func Strength(y []float64, m int) float64 {
	if m < 2 || len(y) < 2*m {
		return 0
	}
	trend, season := Trend(y, m), Season(y, m, false)
	half := m / 2
	var rest, both [2]float64 // sum and squares
	n := 0.0
	for t := half; t < len(y)-half; t++ {
		b := y[t] - trend[t]
		r := b - season[t%m]
		rest[0], rest[1] = rest[0]+r, rest[1]+r*r
		both[0], both[1] = both[0]+b, both[1]+b*b
		n++
	}
	if n < 2 {
		return 0
	}
	varRest, varBoth := rest[1]/n-rest[0]*rest[0]/n/n, both[1]/n-both[0]*both[0]/n/n
	if varBoth <= 1e-12*math.Abs(both[1]/n) || varBoth <= 0 {
		return 0
	}
	return math.Max(0, 1-varRest/varBoth)
}
