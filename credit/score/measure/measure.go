// Package measure tells how good probabilities of default are: how well they part bad
// rows from good ones, and how near they come to what happened.
package measure

import (
	"cmp"
	"math"
	"slices"
)

// AUC is the chance that a bad row has a higher risk than a good one; ties count half.
// It is not-a-number when one class is empty.
func AUC(risk []float64, bad []bool) float64 {
	order := byRisk(risk)
	var below, ranks, n float64 // good rows below; Mann and Whitney's sum; bad rows
	for i := 0; i < len(order); {
		j, g, b := i, 0.0, 0.0
		for ; j < len(order) && risk[order[j]] == risk[order[i]]; j++ {
			if bad[order[j]] {
				b++
			} else {
				g++
			}
		}
		ranks += b * (below + g/2)
		below += g
		n += b
		i = j
	}
	return ranks / (n * below)
}

// byRisk orders rows from the lowest risk.
func byRisk(risk []float64) []int {
	order := make([]int, len(risk))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(risk[a], risk[b]) })
	return order
}

// KS is the largest distance between the distributions of risk of bad and good rows.
func KS(risk []float64, bad []bool) float64 {
	best := 0.0
	for _, p := range ROC(risk, bad) {
		best = max(best, p.True-p.False)
	}
	return best
}

// Point is a point of the receiver operating characteristic: of all bad and of all good
// rows, the shares with at least a risk.
type Point struct{ False, True, Risk float64 }

// ROC is the curve from (0, 0) to (1, 1), a point for each different risk.
func ROC(risk []float64, bad []bool) []Point {
	order := byRisk(risk)
	n := [2]float64{}
	for _, b := range bad {
		n[which(b)]++
	}
	out, have := []Point{{0, 0, math.Inf(1)}}, [2]float64{}
	for i := len(order) - 1; i >= 0; i-- {
		have[which(bad[order[i]])]++
		if i == 0 || risk[order[i-1]] != risk[order[i]] {
			out = append(out, Point{have[0] / n[0], have[1] / n[1], risk[order[i]]})
		}
	}
	return out
}

func which(bad bool) int {
	if bad {
		return 1
	}
	return 0
}

// Brier is the mean squared distance between probability and outcome.
func Brier(pd []float64, bad []bool) float64 {
	sum := 0.0
	for i, p := range pd {
		d := p - float64(which(bad[i]))
		sum += d * d
	}
	return sum / float64(len(pd))
}

// LogLoss is the mean negative log likelihood.
func LogLoss(pd []float64, bad []bool) float64 {
	sum := 0.0
	for i, p := range pd {
		if !bad[i] {
			p = 1 - p
		}
		sum -= math.Log(max(p, 1e-15))
	}
	return sum / float64(len(pd))
}

// Mean and Deviation are of the folds' figures; the deviation is that of a sample.
func Mean(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}

// Deviation is the standard deviation of a sample; 0 of one figure.
func Deviation(v []float64) float64 {
	if len(v) < 2 {
		return 0
	}
	m, sum := Mean(v), 0.0
	for _, x := range v {
		sum += (x - m) * (x - m)
	}
	return math.Sqrt(sum / float64(len(v)-1))
}
