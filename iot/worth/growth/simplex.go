package growth

import (
	"cmp"
	"slices"
)

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
