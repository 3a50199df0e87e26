package forecast

import "math"

// SMAPE is the symmetric mean absolute percentage error as the M4 competition
// defines it: the mean of 200 |y-f| / (|y|+|f|), with 0 where both are 0.
func SMAPE(actual, forecast []float64) float64 {
	var sum float64
	for i, y := range actual {
		if d := math.Abs(y) + math.Abs(forecast[i]); d > 0 {
			sum += 200 * math.Abs(y-forecast[i]) / d
		}
	}
	return sum / float64(len(actual))
}

// MASE is the mean absolute scaled error of Hyndman and Koehler (2006) as M4 uses it:
// the mean absolute error by that of the seasonal naive method within the history. It
// is not a number when the history never changes from season to season.
func MASE(history, actual, forecast []float64, m int) float64 {
	var scale, sum float64
	for i := m; i < len(history); i++ {
		scale += math.Abs(history[i] - history[i-m])
	}
	scale /= float64(len(history) - m)
	if len(history) <= m || scale <= 0 {
		return math.NaN()
	}
	for i, y := range actual {
		sum += math.Abs(y - forecast[i])
	}
	return sum / float64(len(actual)) / scale
}
