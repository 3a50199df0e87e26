package growth

import (
	"cmp"
	"math"
	"slices"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/internal/linear"
)

// ErrFewWeighings is returned for a herd that says too little to fit a curve.
var ErrFewWeighings = fault.New(fault.Invalid, "growth.few_weighings",
	"there are {animals} animals with {weighings} weighings at {ages} ages; a curve needs at least 2 animals, 6 weighings and 2 ages")

// Population is a model fitted to weighed animals.
type Population struct {
	Model
	// Anchor is the Gompertz curve exp(Alpha - Beta·exp(-Rate·age)) that the mean
	// departs from where the weighings ask for it.
	Alpha, Beta, Rate float64
	// Dropped is how many weighings did not agree with the rest.
	Dropped int

	base   basis
	coef   []float64
	factor [][]float64 // Cholesky factor of the precision of coef
}

// knots is how many knots the spline of the mean has; its roughness is shrunk by
// the data, so that few animals follow the Gompertz curve and many their own way.
const knots = 6

// sampled is how many animals the spread is fitted on; the mean takes them all.
const sampled = 150

// Fit finds the curve and the spread of a population from the weighings of some of
// its animals, each in the order of age. Mean: a Gompertz curve with a penalised
// natural cubic spline over it; departures: Spread. All variances, the penalty
// among them, maximise the restricted likelihood of the logarithms of weight under
// weak priors. ErrFewWeighings.
func Fit(animals [][]Point) (*Population, error) {
	p, err := fit(animals)
	if err != nil {
		return nil, err
	}
	kept, dropped := make([][]Point, len(animals)), 0
	for i, a := range animals {
		good := p.Plausible(a)
		for j, pt := range a {
			if good[j] {
				kept[i] = append(kept[i], pt)
			} else {
				dropped++
			}
		}
	}
	if dropped == 0 {
		return p, nil
	}
	if p, err = fit(kept); err != nil {
		return nil, err
	}
	p.Dropped = dropped
	return p, nil
}

func fit(animals [][]Point) (*Population, error) {
	var all []Point
	some := 0
	for _, a := range animals {
		all = append(all, a...)
		some += min(len(a), 1)
	}
	slices.SortStableFunc(all, func(a, b Point) int { return cmp.Compare(a.Age, b.Age) })
	ages := 0
	for i, pt := range all {
		if i == 0 || pt.Age > all[i-1].Age {
			ages++
		}
	}
	if some < 2 || len(all) < 6 || ages < 2 {
		return nil, ErrFewWeighings.With("animals", some).With("weighings", len(all)).With("ages", ages)
	}
	p := &Population{}
	p.anchor(all)
	span := all[len(all)-1].Age - all[0].Age
	p.base = newBasis(all)

	parts := make([]*part, 0, len(animals))
	for _, a := range animals {
		if len(a) > 0 {
			parts = append(parts, p.part(a))
		}
	}
	sample := parts
	if len(parts) > sampled {
		sample = make([]*part, sampled)
		for i := range sample {
			sample[i] = parts[i*len(parts)/sampled]
		}
	}
	// Logarithms of noise, level, wander, length (of half the span) and of the
	// spline's standard deviation. The priors are wide: a factor of 4 either way.
	prior := []float64{math.Log(0.02), math.Log(0.1), math.Log(0.07), 0, math.Log(0.05)}
	best := minimise(func(x []float64) float64 {
		v := p.deviance(sample, spreadOf(x, span), math.Exp(x[4]))
		for i := range x {
			d := (x[i] - prior[i]) / 1.4
			v += d * d / 2
		}
		return v
	}, prior, 0.5, 200)
	p.Spread = spreadOf(best, span)
	p.deviance(parts, p.Spread, math.Exp(best[4]))
	p.Mean = p.mean
	return p, nil
}

func spreadOf(x []float64, span float64) Spread {
	return Spread{Noise: math.Exp(x[0]), Level: math.Exp(x[1]), Wander: math.Exp(x[2]), Length: math.Exp(x[3]) * span / 2}
}

// anchor fits the Gompertz curve by least squares of logarithms: linear in alpha
// and beta for each rate of a ladder.
func (p *Population) anchor(all []Point) {
	lo, hi := all[0].Age, all[len(all)-1].Age
	best := math.Inf(1)
	for step := range 81 {
		rate := 0.05 * math.Pow(400, float64(step)/80) / (hi - lo)
		var n, sx, sy, sxx, sxy, syy float64
		for _, pt := range all {
			x, y := -math.Exp(-rate*(pt.Age-lo)), math.Log(pt.Kg)
			n, sx, sy, sxx, sxy, syy = n+1, sx+x, sy+y, sxx+x*x, sxy+x*y, syy+y*y
		}
		beta := max(0, (sxy-sx*sy/n)/(sxx-sx*sx/n))
		alpha := (sy - beta*sx) / n
		if rest := syy + n*alpha*alpha + beta*beta*sxx - 2*alpha*sy - 2*beta*sxy + 2*alpha*beta*sx; rest < best {
			best = rest
			p.Alpha, p.Beta, p.Rate = alpha, beta*math.Exp(rate*lo), rate
		}
	}
}

// Curve is the logarithm of the fitted Gompertz curve alone.
func (p *Population) Curve(age float64) float64 { return p.Alpha - p.Beta*math.Exp(-p.Rate*age) }

func (p *Population) mean(age float64) float64 {
	return p.Curve(age) + linear.Dot(p.base.at(age), p.coef)
}

// part is what one animal gives to the likelihood.
type part struct {
	ages []float64
	y    []float64   // log weight above the anchor
	x    [][]float64 // columns of the basis

	// Room for the work of one look.
	k  [][]float64
	ky []float64
	kx []float64
}

func (p *Population) part(a []Point) *part {
	if len(a) > most {
		a = a[len(a)-most:]
	}
	d := &part{ages: make([]float64, len(a)), y: make([]float64, len(a)), x: make([][]float64, p.base.size()),
		k: linear.Square(len(a)), ky: make([]float64, len(a)), kx: make([]float64, len(a)*p.base.size())}
	for j := range d.x {
		d.x[j] = make([]float64, len(a))
	}
	for i, pt := range a {
		d.ages[i], d.y[i] = pt.Age, math.Log(pt.Kg)-p.Curve(pt.Age)
		for j, v := range p.base.at(pt.Age) {
			d.x[j][i] = v
		}
	}
	return d
}

// deviance is minus the logarithm of the restricted likelihood. It leaves the
// coefficients of the mean and their precision in p.
func (p *Population) deviance(parts []*part, s Spread, tau float64) float64 {
	n := p.base.size()
	a, b := linear.Square(n), make([]float64, n)
	for j := range a {
		a[j][j] = 1e-8 // level and slope are free
		if j >= free {
			a[j][j] = 1 / (tau * tau)
		}
	}
	v := float64(max(0, n-free)) * math.Log(tau)
	for _, d := range parts {
		m, k := len(d.ages), d.k
		for i, x := range d.ages {
			for j := range i + 1 {
				k[i][j] = s.cov(x, d.ages[j])
			}
			k[i][i] += s.Noise*s.Noise + 1e-10
		}
		if !linear.Cholesky(k) {
			return math.Inf(1)
		}
		y := d.ky
		copy(y, d.y)
		linear.Forward(k, y)
		v += linear.Dot(y, y) / 2
		for j := range n {
			x := d.kx[j*m : (j+1)*m]
			copy(x, d.x[j])
			linear.Forward(k, x)
			b[j] += linear.Dot(x, y)
			for i := range j + 1 {
				a[j][i] += linear.Dot(x, d.kx[i*m:(i+1)*m])
			}
		}
		for i := range k {
			v += math.Log(k[i][i])
		}
	}
	if !linear.Cholesky(a) {
		return math.Inf(1)
	}
	linear.Forward(a, b)
	v -= linear.Dot(b, b) / 2
	for j := range a {
		v += math.Log(a[j][j])
	}
	linear.Backward(a, b)
	p.coef, p.factor = b, a
	return v
}

// Forecast is Model.Forecast with the uncertainty of the fitted curve in SD.
func (p *Population) Forecast(history []Point, age float64) Forecast {
	f, a, w := p.predict(history, age)
	x := p.base.at(age)
	for i := range w {
		for j, v := range p.base.at(a.ages[i]) {
			x[j] -= w[i] * v
		}
	}
	linear.Forward(p.factor, x)
	f.SD = math.Sqrt(f.SD*f.SD + linear.Dot(x, x))
	return f
}

// basis is an orthonormal basis over the weighings of a population: level, slope,
// and the bends of a natural cubic spline (Hastie, Tibshirani, Friedman, Elements of
// Statistical Learning, 5.4).
type basis struct {
	lo, hi float64
	knots  []float64
	mix    [][]float64 // of each column: its parts along the columns before, then its length
	keep   []bool
}

// free is how many columns are not shrunk: level and slope.
const free = 2

func newBasis(all []Point) basis {
	b := basis{lo: all[0].Age, hi: all[len(all)-1].Age}
	for i := range knots {
		if at := b.scale(all[i*(len(all)-1)/(knots-1)].Age); i == 0 || at > b.knots[len(b.knots)-1]+0.02 {
			b.knots = append(b.knots, at)
		}
	}
	columns := make([][]float64, len(b.raw(b.lo)))
	for j := range columns {
		columns[j] = make([]float64, len(all))
	}
	for i, pt := range all {
		for j, v := range b.raw(pt.Age) {
			columns[j][i] = v
		}
	}
	for j, c := range columns {
		size := math.Sqrt(linear.Dot(c, c) / float64(len(c)))
		mix := make([]float64, j+1)
		for i, before := range columns[:j] {
			if !b.keep[i] {
				continue
			}
			mix[i] = linear.Dot(c, before) / float64(len(c))
			for r := range c {
				c[r] -= mix[i] * before[r]
			}
		}
		mix[j] = math.Sqrt(linear.Dot(c, c) / float64(len(c)))
		b.keep = append(b.keep, mix[j] > 1e-6*size)
		b.mix = append(b.mix, mix)
		for r := range c {
			c[r] /= mix[j]
		}
	}
	return b
}

func (b basis) scale(age float64) float64 { return 2*(age-b.lo)/(b.hi-b.lo) - 1 }

func (b basis) size() int {
	n := 0
	for _, k := range b.keep {
		if k {
			n++
		}
	}
	return n
}

// raw is the natural spline's own basis: straight beyond the outer knots.
func (b basis) raw(age float64) []float64 {
	u, n := b.scale(age), len(b.knots)
	cube := func(x float64) float64 { x = max(0, x); return x * x * x }
	bend := func(k int) float64 {
		return (cube(u-b.knots[k]) - cube(u-b.knots[n-1])) / (b.knots[n-1] - b.knots[k])
	}
	out := []float64{1, u}
	for k := range max(0, n-2) {
		out = append(out, bend(k)-bend(n-2))
	}
	return out
}

// at is the value of every column at an age.
func (b basis) at(age float64) []float64 {
	c := b.raw(age)
	out := make([]float64, 0, len(c))
	for j := range c {
		for i := range j {
			if b.keep[i] {
				c[j] -= b.mix[j][i] * c[i]
			}
		}
		c[j] /= b.mix[j][j]
		if b.keep[j] {
			out = append(out, c[j])
		}
	}
	return out
}
