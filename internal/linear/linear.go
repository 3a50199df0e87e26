// Package linear solves systems of a few dozen equations whose matrix is symmetric and
// positive definite.
package linear

import "math"

// Square returns an n×n matrix of zeros in one block.
func Square(n int) [][]float64 {
	rows, cells := make([][]float64, n), make([]float64, n*n)
	for i := range rows {
		rows[i] = cells[i*n : (i+1)*n]
	}
	return rows
}

// Cholesky replaces the lower triangle of a by its factor; false when a is not
// positive definite.
func Cholesky(a [][]float64) bool {
	for i, row := range a {
		for j := 0; j <= i; j++ {
			s := row[j]
			for k, v := range a[j][:j] {
				s -= row[k] * v
			}
			if i != j {
				row[j] = s / a[j][j]
				continue
			}
			if !(s > 0) {
				return false
			}
			row[i] = math.Sqrt(s)
		}
	}
	return true
}

// Forward solves L·x = b in place.
func Forward(l [][]float64, b []float64) {
	for i, row := range l {
		s := b[i]
		for k, v := range row[:i] {
			s -= v * b[k]
		}
		b[i] = s / row[i]
	}
}

// Backward solves Lᵀ·x = b in place.
func Backward(l [][]float64, b []float64) {
	for i := len(l) - 1; i >= 0; i-- {
		s := b[i]
		for k := i + 1; k < len(l); k++ {
			s -= l[k][i] * b[k]
		}
		b[i] = s / l[i][i]
	}
}

// Dot is the sum of products; b is at least as long as a.
func Dot(a, b []float64) float64 {
	s := 0.0
	for i, v := range a {
		s += v * b[i]
	}
	return s
}
