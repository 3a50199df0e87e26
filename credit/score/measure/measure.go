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

// DeLong is the AUC and its variance (DeLong, DeLong and Clarke-Pearson, Biometrics 44, 1988).
func DeLong(risk []float64, bad []bool) (auc, variance float64) {
	auc = AUC(risk, bad)
	order := byRisk(risk)
	n := [2]float64{}
	for _, b := range bad {
		n[which(b)]++
	}
	// The placement of each row among those of the other class.
	var below, square [2]float64
	for i := 0; i < len(order); {
		j, here := i, [2]float64{}
		for ; j < len(order) && risk[order[j]] == risk[order[i]]; j++ {
			here[which(bad[order[j]])]++
		}
		v := (below[0] + here[0]/2) / n[0] // of a bad row: good ones below
		u := 1 - (below[1]+here[1]/2)/n[1] // of a good row: bad ones above
		square[1] += here[1] * (v - auc) * (v - auc)
		square[0] += here[0] * (u - auc) * (u - auc)
		below[0] += here[0]
		below[1] += here[1]
		i = j
	}
	return auc, square[1]/max(n[1]-1, 1)/n[1] + square[0]/max(n[0]-1, 1)/n[0]
}

// PSI is the population stability index of b against a, over tenths of a.
func PSI(a, b []float64) float64 {
	sorted := slices.Clone(a)
	slices.Sort(sorted)
	var cuts []float64
	for k := 1; k < 10; k++ {
		if c := sorted[k*len(sorted)/10]; len(cuts) == 0 || c > cuts[len(cuts)-1] {
			cuts = append(cuts, c)
		}
	}
	count := func(v []float64) []int {
		out := make([]int, len(cuts)+1)
		for _, x := range v {
			at, same := slices.BinarySearch(cuts, x)
			if same {
				at++
			}
			out[at]++
		}
		return out
	}
	return Shift(count(a), count(b))
}

// Shift is the same index of rows counted in the same bins; a bin without rows counts
// half a row, so that the index stays finite.
func Shift(a, b []int) float64 {
	na, nb := 0.0, 0.0
	for i := range a {
		na += float64(a[i])
		nb += float64(b[i])
	}
	sum := 0.0
	for i := range a {
		if a[i] == 0 && b[i] == 0 {
			continue
		}
		p, q := max(float64(a[i]), 0.5)/na, max(float64(b[i]), 0.5)/nb
		sum += (q - p) * math.Log(q/p)
	}
	return sum
}

// Thin keeps about n points of a curve, the ends among them.
func Thin(p []Point, n int) []Point {
	if len(p) <= n {
		return p
	}
	out := make([]Point, 0, n)
	for k := range n {
		out = append(out, p[k*(len(p)-1)/(n-1)])
	}
	return out
}
