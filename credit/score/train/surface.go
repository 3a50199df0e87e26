package train

import (
	"math"

	"github.com/furrowcredit/furrow/internal/linear"
)

// surfaces are all pairs at once, each a smooth random surface of the same small
// variance: what two features say together beyond what each says alone is often spread
// thinly over all pairs, so that few found one by one leave most of it, and add the
// chance of having been found. The covariance of two cells of a pair is the product of
// those of their groups, of which each is centred, as in an analysis of variance of
// Gaussian processes (Durrande, Ginsbourger, Roustant and Carraro, Journal of
// Multivariate Analysis 115, 2013).

// The variances of all surfaces together that are tried, in squared log odds: their mean is
// taken, each weighed by the likelihood of rows that it has not seen, for the best of them is
// often so by chance. Of codes of cells, rows by pairs, there are only so many: where rows
// are more, pairs can be found one by one, and this would only cost time.
var surfaceTries = []float64{0, 0.1, 0.3, 0.6}

const (
	mostCodes = 5_000_000
	nugget    = 0.01 // of a group's variance is its own
)

// precision is the inverse of the covariance of the groups of a feature: of those in an
// order it falls by e over all rows, others have nothing in common. The mean over the
// rows is taken out, for that is the effect of the other feature alone.
func precision(weight []float64, along int) [][]float64 {
	n := len(weight)
	all, ordered := 0.0, 0.0
	place := make([]float64, along)
	for k, w := range weight {
		if k < along {
			place[k] = ordered + w/2
			ordered += w
		}
		all += w
	}
	c := linear.Square(n)
	for i := range n {
		c[i][i] = 1
		for j := range min(i, along) {
			if i < along {
				c[i][j] = math.Exp(-math.Abs(place[i]-place[j]) / max(ordered, 1))
				c[j][i] = c[i][j]
			}
		}
	}
	mean, whole, variance := make([]float64, n), 0.0, 0.0
	for i := range n {
		mean[i] = linear.Dot(c[i], weight) / all
		whole += mean[i] * weight[i] / all
	}
	for i := range n {
		for j := range n {
			c[i][j] += whole - mean[i] - mean[j]
		}
		variance += c[i][i] * weight[i] / all
	}
	for i := range n {
		for j := range n {
			c[i][j] /= variance + nugget
		}
		c[i][i] += nugget
	}
	inverse := linear.Square(n)
	linear.Cholesky(c)
	for i := range n {
		inverse[i][i] = 1
		linear.Forward(c, inverse[i])
		linear.Backward(c, inverse[i])
	}
	return inverse
}

// surface takes a Newton step on the cells of a pair under their common prior: it solves
// (H + strength Q) delta = g - strength Q cell, Q the precision.
func (p *pair) surface(cell, g, h []float64, strength float64) {
	n, nb := len(cell), p.right.n
	a := linear.Square(n)
	for i := range n {
		qa, qb := p.left.precision[i/nb], p.right.precision[i%nb]
		for j := range n {
			a[i][j] = strength * qa[j/nb] * qb[j%nb]
		}
		g[i] -= linear.Dot(a[i], cell)
		a[i][i] += h[i]
	}
	linear.Cholesky(a)
	linear.Forward(a, g)
	linear.Backward(a, g)
	for i, step := range g {
		cell[i] += max(-longest, min(longest, step))
	}
}
