package growth

import (
	"cmp"
	"math"
	"slices"
)

// square returns an n×n matrix of zeros in one block.
func square(n int) [][]float64 {
	rows, cells := make([][]float64, n), make([]float64, n*n)
	for i := range rows {
		rows[i] = cells[i*n : (i+1)*n]
	}
	return rows
}

// cholesky replaces the lower triangle of a by its factor; false when a is not
// positive definite.
func cholesky(a [][]float64) bool {
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

// forward solves L·x = b in place.
func forward(l [][]float64, b []float64) {
	for i, row := range l {
		s := b[i]
		for k, v := range row[:i] {
			s -= v * b[k]
		}
		b[i] = s / row[i]
	}
}

// backward solves Lᵀ·x = b in place.
func backward(l [][]float64, b []float64) {
	for i := len(l) - 1; i >= 0; i-- {
		s := b[i]
		for k := i + 1; k < len(l); k++ {
			s -= l[k][i] * b[k]
		}
		b[i] = s / l[i][i]
	}
}

func dot(a, b []float64) float64 {
	s := 0.0
	for i, v := range a {
		s += v * b[i]
	}
	return s
}

// minimise is the simplex search of Nelder and Mead (1965) from x, with first
// steps of that size; the best point after at most so many rounds.
func minimise(f func([]float64) float64, x []float64, step float64, rounds int) []float64 {
	type vertex struct {
		x []float64
		v float64
	}
	n := len(x)
	s := make([]vertex, n+1)
	for i := range s {
		p := slices.Clone(x)
		if i > 0 {
			p[i-1] += step
		}
		s[i] = vertex{p, f(p)}
	}
	centre := make([]float64, n)
	from := func(a float64) vertex { // the worst vertex moved through the centre
		p := make([]float64, n)
		for j := range p {
			p[j] = centre[j] + a*(s[n].x[j]-centre[j])
		}
		return vertex{p, f(p)}
	}
	for range rounds {
		slices.SortStableFunc(s, func(a, b vertex) int { return cmp.Compare(a.v, b.v) })
		if s[n].v-s[0].v < 1e-6 {
			break
		}
		clear(centre)
		for _, v := range s[:n] {
			for j := range centre {
				centre[j] += v.x[j] / float64(n)
			}
		}
		mirrored := from(-1)
		switch {
		case mirrored.v < s[0].v:
			if far := from(-2); far.v < mirrored.v {
				mirrored = far
			}
			s[n] = mirrored
		case mirrored.v < s[n-1].v:
			s[n] = mirrored
		default:
			near := from(0.5)
			if mirrored.v < s[n].v {
				near = from(-0.5)
			}
			if near.v < min(mirrored.v, s[n].v) {
				s[n] = near
				continue
			}
			for i := 1; i <= n; i++ {
				for j := range s[i].x {
					s[i].x[j] = (s[i].x[j] + s[0].x[j]) / 2
				}
				s[i].v = f(s[i].x)
			}
		}
	}
	return slices.MinFunc(s, func(a, b vertex) int { return cmp.Compare(a.v, b.v) }).x
}
