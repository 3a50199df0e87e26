package series

import (
	"math"

	"github.com/furrowcredit/furrow/fault"
)

// What can be wrong with a series.
var (
	ErrLength = fault.New(fault.Invalid, "series.length", "positions, values and weights must be equally many")
	ErrOrder  = fault.New(fault.Invalid, "series.order", "positions must rise strictly; merge observations of one day before smoothing")
	ErrFew    = fault.New(fault.Invalid, "series.few", "a curve needs at least two weighted observations; the series has {n}")
	ErrLambda = fault.New(fault.Invalid, "series.lambda", "lambda must be a positive number of at most 1e12, got {lambda}")
	ErrP      = fault.New(fault.Invalid, "series.p", "p must lie between 0 and 1, got {p}")
)

// Smoother smooths series one after another and keeps its working memory, so
// that smoothing a further series of like length allocates nothing. The zero
// value is ready. It is not for concurrent use.
type Smoother struct {
	c, d, e []float64 // bands of the penalty: diagonal, first and second off-diagonal
	l1, l2  []float64 // factors of the LDLᵀ decomposition
	ww, tmp []float64 // reweighted weights; a second solution
	lanes   []rows    // of Batch
}

// Whittaker smooths values y at the rising positions x (in steps, such as days
// divided by the usual revisit) with weights w ≥ 0, zero for a missing value.
// It returns ErrLength, ErrOrder, ErrFew or ErrLambda.
func Whittaker(x, y, w []float64, lambda float64) ([]float64, error) {
	z := make([]float64, len(y))
	return z, new(Smoother).Fixed(z, x, y, w, lambda)
}

// Fixed writes the smoothed series into z, which has the length of y.
func (s *Smoother) Fixed(z, x, y, w []float64, lambda float64) error {
	if err := s.prepare(z, x, y, w); err != nil {
		return err
	}
	if err := checkLambda(lambda); err != nil {
		return err
	}
	s.solve(z, y, w, lambda)
	return nil
}

// checkLambda bounds λ: beyond, the weights of the values are lost in the rounding of
// the penalty, and the curve is no straight line but nothing.
func checkLambda(lambda float64) error {
	const most = 1e12
	if !(lambda > 0 && lambda <= most) {
		return ErrLambda.With("lambda", lambda)
	}
	return nil
}

// Envelope smooths asymmetrically: points above the curve weigh p, points below
// 1−p, which for p near 1 follows the upper envelope (Eilers 2005). At most ten
// rounds are made.
func (s *Smoother) Envelope(z, x, y, w []float64, lambda, p float64) error {
	if !(p > 0 && p < 1) {
		return ErrP.With("p", p)
	}
	if err := s.Fixed(z, x, y, w, lambda); err != nil {
		return err
	}
	s.envelope(z, y, w, lambda, p)
	return nil
}

const envelopeRounds = 10

// VGrid is the usual search grid of the V-curve: log10 λ from -2 to 1 by 0.2.
func VGrid() []float64 {
	g := make([]float64, 16)
	for i := range g {
		g[i] = -2 + 0.2*float64(i)
	}
	return g
}

// VCurve chooses λ where the V-curve has its lowest point and smooths with it
// (Frasso and Eilers 2015): between neighbours of grid, which rises in log10 λ,
// it looks for the smallest move of fit and roughness in the logarithm. With
// p > 0 every curve is an [Smoother.Envelope]; with p = 0 it is plain.
func (s *Smoother) VCurve(z, x, y, w, grid []float64, p float64) (lambda float64, err error) {
	if p < 0 || p >= 1 {
		return 0, ErrP.With("p", p)
	}
	if err := s.prepare(z, x, y, w); err != nil {
		return 0, err
	}
	if len(grid) < 2 {
		return 0, ErrLength
	}
	best := math.Inf(1)
	var fit0, pen0 float64
	for i, g := range grid {
		l := math.Pow(10, g)
		s.solve(z, y, w, l)
		if p > 0 {
			s.envelope(z, y, w, l, p)
		}
		fit, pen := s.misfit(z, y, w)
		if i > 0 {
			step := g - grid[i-1]
			if v := math.Hypot(fit-fit0, pen-pen0) / (math.Ln10 * step); v < best {
				best, lambda = v, math.Pow(10, (g+grid[i-1])/2)
			}
		}
		fit0, pen0 = fit, pen
	}
	if lambda == 0 { // a perfectly straight series: every λ gives the same curve
		lambda = math.Pow(10, grid[len(grid)-1])
	}
	s.solve(z, y, w, lambda)
	if p > 0 {
		s.envelope(z, y, w, lambda, p)
	}
	return lambda, nil
}

// Lag1 is the correlation of neighbouring weighted values. Below 0.5 a series is
// noisy and the V-curve should search larger λ (0 to 3).
func Lag1(y, w []float64) float64 {
	var n, sa, sb, saa, sbb, sab float64
	for i := 1; i < len(y); i++ {
		if w[i] == 0 || w[i-1] == 0 {
			continue
		}
		a, b := y[i-1], y[i]
		n, sa, sb, saa, sbb, sab = n+1, sa+a, sb+b, saa+a*a, sbb+b*b, sab+a*b
	}
	den := math.Sqrt((n*saa - sa*sa) * (n*sbb - sb*sb))
	if !(den > 0) {
		return 0
	}
	return (n*sab - sa*sb) / den
}

func (s *Smoother) envelope(z, y, w []float64, lambda, p float64) {
	for range envelopeRounds {
		for i := range y {
			if y[i] > z[i] {
				s.ww[i] = w[i] * p
			} else {
				s.ww[i] = w[i] * (1 - p)
			}
		}
		s.solve(s.tmp, y, s.ww, lambda)
		moved := 0.0
		for i := range z {
			moved += math.Abs(s.tmp[i] - z[i])
		}
		copy(z, s.tmp)
		if moved == 0 {
			return
		}
	}
}

// misfit gives the logarithms of the squared residuals and of the roughness.
func (s *Smoother) misfit(z, y, w []float64) (fit, pen float64) {
	for i := range z {
		r := y[i] - z[i]
		if w[i] > 0 {
			fit += w[i] * r * r
		}
	}
	// zᵀPz by the bands of the penalty.
	n := len(z)
	for i := range z {
		q := s.c[i] * z[i]
		if i+1 < n {
			q += 2 * s.d[i] * z[i+1]
		}
		if i+2 < n {
			q += 2 * s.e[i] * z[i+2]
		}
		pen += z[i] * q
	}
	return math.Log(max(fit, math.SmallestNonzeroFloat64)), math.Log(max(pen, math.SmallestNonzeroFloat64))
}

// prepare checks the input and builds the penalty.
func (s *Smoother) prepare(z, x, y, w []float64) error {
	n := len(y)
	if len(x) != n || len(w) != n || len(z) != n {
		return ErrLength
	}
	if n := live(w); n < 2 {
		return ErrFew.With("n", n)
	}
	return s.penalise(x)
}

// live counts the weighted values.
func live(w []float64) (n int) {
	for _, v := range w {
		if v > 0 {
			n++
		}
	}
	return n
}

// penalise builds the bands of the penalty matrix.
func (s *Smoother) penalise(x []float64) error {
	n := len(x)
	s.grow(n)
	clear(s.c)
	clear(s.d)
	clear(s.e)
	for i := 1; i < n; i++ {
		if !(x[i] > x[i-1]) {
			return ErrOrder
		}
	}
	for i := 2; i < n; i++ {
		h0, h1 := x[i-1]-x[i-2], x[i]-x[i-1]
		h := (h0 + h1) / 2
		// z″ = a·z[i-2] + b·z[i-1] + c·z[i]
		a, b, c := 1/(h0*h), -1/(h0*h)-1/(h1*h), 1/(h1*h)
		s.c[i-2] += h * a * a
		s.c[i-1] += h * b * b
		s.c[i] += h * c * c
		s.d[i-2] += h * a * b
		s.d[i-1] += h * b * c
		s.e[i-2] += h * a * c
	}
	return nil
}

func (s *Smoother) grow(n int) {
	for _, p := range []*[]float64{&s.c, &s.d, &s.e, &s.l1, &s.l2, &s.ww, &s.tmp} {
		if cap(*p) < n {
			*p = make([]float64, n)
		}
		*p = (*p)[:n]
	}
}

// solve writes the solution of (W + λP) z = W y into z: an LDLᵀ decomposition of
// the five-banded matrix, then forward and backward substitution.
func (s *Smoother) solve(z, y, w []float64, lambda float64) {
	n := len(y)
	// The slices share one length, which spares the loop its bound checks.
	c, d, e, l1, l2 := s.c[:n], s.d[:n], s.e[:n], s.l1[:n], s.l2[:n]
	z, w = z[:n], w[:n]
	// Of the row before: the off-diagonal element, its share f1 of the pivot, the
	// share f2 of the second one, the right side q. One row further back: f3 and p.
	var off, f1, f2, f3, q, p, e1, e2 float64
	for i := range y {
		wi, wy := weighed(w[i], y[i])
		ei := lambda * e[i]
		inv := 1 / (wi + lambda*c[i] - f1*off - f3*e2)
		u := wy - f1*q - f3*p
		off = lambda*d[i] - off*f2
		f1, f2, f3 = off*inv, ei*inv, f2
		q, p = u, q
		e2, e1 = e1, ei
		l1[i], l2[i], z[i] = f1, f2, u*inv
	}
	p, q = 0, 0
	for i := n - 1; i >= 0; i-- {
		q, p = z[i]-l1[i]*q-l2[i]*p, q
		z[i] = q
	}
}
