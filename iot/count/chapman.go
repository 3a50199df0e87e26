package count

import "math"

// Chapman is the estimate of a population of which marked wear a mark, from a
// sample of seen animals of which matched wear one, and its standard deviation
// (Chapman, 1951, University of California Publications in Statistics 1:131; the
// variance is Seber's, 1970, Biometrika 57:313). matched is at most marked and seen.
func Chapman(marked, seen, matched int) (estimate, deviation float64) {
	m, s, k := float64(marked), float64(seen), float64(matched)
	estimate = (m+1)*(s+1)/(k+1) - 1
	variance := (m + 1) * (s + 1) * (m - k) * (s - k) / ((k + 1) * (k + 1) * (k + 2))
	return estimate, math.Sqrt(math.Max(variance, 0))
}
