package series

import (
	"math"
	"slices"

	"github.com/furrowcredit/furrow/fault"
)

// ErrSpan is returned for a series that no satellite can have made.
var ErrSpan = fault.New(fault.Invalid, "series.span", "the series spans {days} days; split it into pieces of at most {most} days")

// The candidates over which [Filler] averages, all in units of the variance of a
// plot's departures from its usual year. They are spread so widely that every
// plausible series lies between them; the series itself weighs them.
var (
	// noiseShares are the variances of one look: from parcel means under a clean
	// sky to single pixels under a poor cloud mask.
	noiseShares = [...]float64{0.005, 0.02, 0.08, 0.3, 1}
	// memoryDays are the lengths of time over which a departure persists.
	memoryDays = [...]float64{40, 80}
	// yearShares are the variances of the yearly cycle's first three harmonics: the
	// Fourier series of exp(cos φ - 1), the kernel of a smooth cycle, three times as
	// strong as the departures from it.
	yearShares = [...]float64{3 * 0.4158, 3 * 0.0999, 3 * 0.0163}
)

const (
	yearDays = 365.25
	// A cycle can be learned only from what comes again.
	cycleDays = 1.5 * yearDays
	// levelShare is the variance of the mean, so wide that it decides nothing.
	levelShare = 4.0
	// maxSpan is a hundred years.
	maxSpan = 36525
	// fillRounds reweigh low looks; further rounds move NDVI by less than 0.001.
	fillRounds = 2
	// lowFreedom are the degrees of freedom of Student's t for low looks.
	lowFreedom = 8.0
	columns    = 2 * len(yearShares)
	lanes      = columns + 2 // the values, the level, cosines and sines
)

// Filler estimates what a cloud hid. Where [Smoother] knows only that neighbours
// are alike, it also knows that a plot returns to its usual year: a value is the
// sum of a level, a yearly cycle (with at least one and a half years of looks) and
// a departure that dies away within weeks, a Matérn process of order 3/2. On the
// grid of days its penalty is Whittaker's second difference with forgetting,
//
//	Σ w·(y−c−z)² + λ·Σ (zᵢ − 2φ·zᵢ₋₁ + φ²·zᵢ₋₂)²
//
// which is Whittaker's own at φ = 1, and as quick to solve (Rasmussen and Williams
// 2006, ch. 2.7 and B; Whittaker 1923). Noise and memory are not chosen: the curves
// of a few candidates are averaged by their evidence in the series' own looks
// (marginal likelihood with the scale left free), so units do not matter. Looks far
// below the curve are weighed down as Student's t does, for a missed cloud or
// shadow lowers NDVI and nothing raises it. The zero value is ready; it keeps its
// memory and is not for concurrent use.
type Filler struct {
	// On the grid of days.
	y, w, base, sum []float64
	lever           []float64
	pivot, l1, l2   []float64
	cols, rhs       []float64 // lanes a day
	look            []int     // days with a look
}

// Fill estimates the series y, looked at on the rising days with weights w ≥ 0
// (zero for a missing value), at the same days. Looks of one day count as their
// weighted mean. See [Filler]. It returns ErrLength, ErrOrder, ErrFew or ErrSpan.
func Fill(days, y, w []float64) ([]float64, error) {
	z := make([]float64, len(y))
	return z, new(Filler).Fill(z, days, y, w)
}

// Fill writes the estimate into z, which has the length of y.
func (f *Filler) Fill(z, days, y, w []float64) error {
	n := len(y)
	if len(days) != n || len(w) != n || len(z) != n {
		return ErrLength
	}
	if n == 0 {
		return ErrFew.With("n", 0)
	}
	for i := range days {
		if i > 0 && !(days[i] >= days[i-1]) || math.IsNaN(days[i]) {
			return ErrOrder
		}
	}
	first := math.Floor(days[0])
	span := math.Floor(days[n-1]) - first
	if !(span < maxSpan) {
		return ErrSpan.With("days", int(min(span, 1e15))).With("most", maxSpan)
	}
	f.grow(int(span) + 1)
	clear(f.y)
	clear(f.base)
	for i := range y {
		if w[i] > 0 && !math.IsNaN(y[i]) {
			d := int(days[i] - first)
			f.y[d] += w[i] * y[i]
			f.base[d] += w[i]
		}
	}
	for d, w := range f.base {
		if w > 0 {
			f.y[d] /= w
		}
	}
	if err := f.estimate(noiseShares[:], fillRounds); err != nil {
		return err
	}
	for i := range z {
		z[i] = f.sum[int(days[i]-first)]
	}
	return nil
}

func (f *Filler) grow(n int) {
	for _, p := range []*[]float64{&f.y, &f.w, &f.base, &f.sum, &f.lever, &f.pivot, &f.l1, &f.l2} {
		*p = slices.Grow((*p)[:0], n)[:n]
	}
	f.cols = slices.Grow(f.cols[:0], n*lanes)[:n*lanes]
	f.rhs = slices.Grow(f.rhs[:0], n*lanes)[:n*lanes]
}

// estimate turns f.y and f.base, a value and a weight for each day, into f.sum, with
// the noises to choose from and the rounds in which low looks are weighed down.
func (f *Filler) estimate(shares []float64, rounds int) error {
	f.look = f.look[:0]
	var mean, total float64
	for d, w := range f.base {
		if w > 0 {
			f.look = append(f.look, d)
			mean += w * f.y[d]
			total += w
		}
	}
	if len(f.look) < 2 {
		return ErrFew.With("n", len(f.look))
	}
	mean /= total
	usual := total / float64(len(f.look)) // only the relation of weights counts
	for _, d := range f.look {
		f.y[d] -= mean
		f.base[d] /= usual
	}
	harmonics := 0
	if float64(f.look[len(f.look)-1]-f.look[0]) >= cycleDays {
		harmonics = len(yearShares)
	}
	f.setColumns(harmonics)
	copy(f.w, f.base)
	for round := 0; ; round++ {
		clear(f.sum)
		clear(f.lever)
		noise := f.average(shares, harmonics)
		if round == rounds {
			break
		}
		for _, d := range f.look {
			f.w[d] = f.base[d]
			// The residual this look would leave if the curve had not seen it.
			free := max(1-f.lever[d], 1e-6)
			if r := f.sum[d] - f.y[d]; r > 0 && noise > 0 {
				f.w[d] *= min(1, (lowFreedom+1)/(lowFreedom+r*r*f.base[d]/(free*noise)))
			}
		}
	}
	for d := range f.sum {
		f.sum[d] += mean
	}
	return nil
}

// average writes the mean of the candidates' curves, weighed by their evidence,
// into f.sum, their mean leverage into f.lever, and returns the mean noise.
func (f *Filler) average(shares []float64, harmonics int) (noise float64) {
	best, weight := math.Inf(1), 0.0
	for _, memory := range memoryDays {
		for _, share := range shares {
			c := newPenalty(memory, share)
			beta, surprise, variance := f.candidate(c, harmonics)
			if surprise < best { // scale down what was summed so far
				k := math.Exp(surprise - best) // 0 at the first
				for d := range f.sum {
					f.sum[d] *= k
					f.lever[d] *= k
				}
				noise *= k
				weight *= k
				best = surprise
			}
			p := math.Exp(best - surprise)
			weight += p
			noise += p * share * variance
			if p > 1e-6 {
				f.add(p, beta, harmonics)
			}
		}
	}
	for d := range f.sum {
		f.sum[d] /= weight
		f.lever[d] /= weight
	}
	return noise / weight
}

// penalty is the precision of the departures, as bands of a matrix on the grid of
// days, times the share of the noise.
type penalty struct {
	share    float64 // variance of the noise
	phi      float64 // what is left of a departure after a day
	tight    float64 // share over the variance of one day's surprise
	rho      float64 // correlation of the first two days
	logPrior float64 // of a further day: the logarithm of the day's surprise
}

func newPenalty(memory, share float64) penalty {
	phi := math.Exp(-math.Sqrt(3) / memory)
	q := phi * phi
	surprise := (1 - q) * (1 - q) * (1 - q) / (1 + q) // variance, for departures of variance 1
	return penalty{share: share, phi: phi, tight: share / surprise, rho: 2 * phi / (1 + q), logPrior: math.Log(surprise)}
}

// bands gives the diagonal and the two off-diagonals of row i of n.
func (p penalty) bands(i, n int) (c, d, e float64) {
	a, b := -2*p.phi, p.phi*p.phi
	if i >= 2 {
		c += p.tight
	}
	if i >= 1 && i+1 < n {
		c += p.tight * a * a
		d += p.tight * a
	}
	if i+2 < n {
		c += p.tight * b * b
		d += p.tight * a * b
		e += p.tight * b
	}
	if start := p.share / (1 - p.rho*p.rho); i < 2 { // the first two days by themselves
		c += start
		if i == 0 {
			d -= start * p.rho
		}
	}
	return c, d, e
}

// candidate solves one candidate. The lanes of f.rhs then hold what the departures
// make of the values and of each column; beta is what the columns take themselves,
// surprise the negative logarithm of the evidence, variance that of the departures.
func (f *Filler) candidate(p penalty, harmonics int) (beta [lanes]float64, surprise, variance float64) {
	logDet := f.factor(p)
	m := 2 + 2*harmonics
	f.substitute(m)
	// Generalised least squares with a prior on the columns: the inverse covariance
	// of the looks is (W − W·A⁻¹·W)/share.
	var g [lanes][lanes]float64
	for _, d := range f.look {
		w := f.w[d] / p.share
		col, row := f.cols[d*lanes:d*lanes+lanes], f.rhs[d*lanes:d*lanes+lanes]
		for a := range m {
			for b := range m {
				g[a][b] += w * col[a] * (col[b] - row[b])
			}
		}
	}
	quad := g[0][0]
	g[1][1] += 1 / levelShare
	logDet += math.Log(levelShare)
	for k := range harmonics {
		for _, a := range []int{2 + 2*k, 3 + 2*k} {
			g[a][a] += 1 / yearShares[k]
			logDet += math.Log(yearShares[k])
		}
	}
	// Elimination of the columns takes their part out of the quadratic form.
	for a := 1; a < m; a++ {
		logDet += math.Log(g[a][a])
		quad -= g[a][0] * g[a][0] / g[a][a]
		for b := a + 1; b < m; b++ {
			k := g[b][a] / g[a][a]
			g[b][0] -= k * g[a][0]
			for c := a + 1; c < m; c++ {
				g[b][c] -= k * g[a][c]
			}
		}
	}
	for a := m - 1; a >= 1; a-- {
		beta[a] = g[a][0]
		for b := a + 1; b < m; b++ {
			beta[a] -= g[a][b] * beta[b]
		}
		beta[a] /= g[a][a]
	}
	n := float64(len(f.look))
	quad = max(quad, math.SmallestNonzeroFloat64)
	return beta, (n*math.Log(quad) + logDet) / 2, quad / n
}

// setColumns writes the value and the columns of every day.
func (f *Filler) setColumns(harmonics int) {
	for d, y := range f.y {
		col := f.cols[d*lanes : d*lanes+lanes]
		col[0], col[1] = y, 1
		if harmonics == 0 {
			continue
		}
		s, c := math.Sincos(2 * math.Pi * float64(d) / yearDays)
		sk, ck := s, c
		for k := range harmonics {
			col[2+2*k], col[3+2*k] = ck, sk
			ck, sk = ck*c-sk*s, sk*c+ck*s
		}
	}
}

// factor decomposes W + share·P into LDLᵀ and returns the logarithm of the
// determinant of the looks' covariance.
func (f *Filler) factor(p penalty) float64 {
	n := len(f.y)
	var p1, p2, m1, m2, f1, det float64
	logDet := 0.0
	det = 1
	for i := range n {
		c, d, e := p.bands(i, n)
		v := f.w[i] + c - m1*m1*p1 - f1*f1*p2
		f.pivot[i] = v
		f.l1[i] = (d - m1*p1*m2) / v
		f.l2[i] = e / v
		p2, p1 = p1, v
		f1, m2, m1 = m2, f.l2[i], f.l1[i]
		if det *= v; det > 1e200 || det < 1e-200 {
			logDet += math.Log(det)
			det = 1
		}
	}
	logDet += math.Log(det)
	k := float64(n - len(f.look))
	// |P|: one surprise a day but for the first two, which have variance 1.
	logDet += -k*math.Log(p.share) + float64(max(0, n-2))*p.logPrior
	if n > 1 {
		logDet += math.Log(1 - p.rho*p.rho)
	}
	return logDet
}

// substitute solves for the first m lanes at once.
func (f *Filler) substitute(m int) {
	n := len(f.y)
	clear(f.rhs)
	for _, d := range f.look {
		col, row := f.cols[d*lanes:d*lanes+lanes], f.rhs[d*lanes:d*lanes+lanes]
		for a := range m {
			row[a] = f.w[d] * col[a]
		}
	}
	for i := 1; i < n; i++ {
		row := (*[lanes]float64)(f.rhs[i*lanes:])
		one := (*[lanes]float64)(f.rhs[(i-1)*lanes:])
		two := one
		b := 0.0
		if i > 1 {
			two, b = (*[lanes]float64)(f.rhs[(i-2)*lanes:]), f.l2[i-2]
		}
		a := f.l1[i-1]
		for k := range m {
			row[k] -= a*one[k] + b*two[k]
		}
	}
	for i := n - 1; i >= 0; i-- {
		row := (*[lanes]float64)(f.rhs[i*lanes:])
		one, two, a, b := row, row, 0.0, 0.0
		if i+1 < n {
			one, a = (*[lanes]float64)(f.rhs[(i+1)*lanes:]), f.l1[i]
		}
		if i+2 < n {
			two, b = (*[lanes]float64)(f.rhs[(i+2)*lanes:]), f.l2[i]
		}
		r := 1 / f.pivot[i]
		for k := range m {
			row[k] = row[k]*r - a*one[k] - b*two[k]
		}
	}
}

// add adds p times the candidate's curve and leverage.
func (f *Filler) add(p float64, beta [lanes]float64, harmonics int) {
	n := len(f.y)
	m := 2 + 2*harmonics
	// Of the inverse only the diagonal and its two neighbours are needed, which
	// follow backwards (Takahashi 1973).
	var s11, s12, s22 float64 // of rows i+1 and i+2
	for i := n - 1; i >= 0; i-- {
		a, b := f.l1[i], f.l2[i]
		if i+1 >= n {
			a = 0
		}
		if i+2 >= n {
			b = 0
		}
		s01 := -a*s11 - b*s12
		s02 := -a*s12 - b*s22
		s00 := 1/f.pivot[i] - a*s01 - b*s02
		f.lever[i] += p * min(1, f.w[i]*s00)
		s22, s12, s11 = s11, s01, s00
		col, row := f.cols[i*lanes:i*lanes+lanes], f.rhs[i*lanes:i*lanes+lanes]
		z := row[0]
		for k := 1; k < m; k++ {
			z += beta[k] * (col[k] - row[k])
		}
		f.sum[i] += p * z
	}
}
