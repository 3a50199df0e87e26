package behaviour

import (
	"math"
	"math/bits"
	"slices"
)

// Rate is the sampling rate that windows are judged at, in Hz; faster bursts are
// averaged down to it.
const Rate = 10.0

// shortest is the least length of a window, in samples: a step of a walking cow
// takes more than a second, and autocorrelation needs two of them.
const shortest = 30

// gravity is the length of the moving average that tells gravity from movement:
// 11 samples, 1.1 s, about one bite or stride.
const gravity = 11

// features are the names of what a window is reduced to. All are computed from
// lengths and scalar products only, so that turning the tag on its collar or ear
// changes none of them.
var features = [...]string{
	"norm_std", "norm_spread", "norm_skew", "norm_kurtosis",
	"vertical_std", "level_share", "main_axis", "flatness",
	"jerk", "jerk_peak", "burstiness",
	"tilt_spread", "tilt_path",
	"band_0.3", "band_0.8", "band_1.5", "band_2.5", "band_4.2",
	"peak_hz", "peak_share", "entropy",
	"period", "period_s", "norm_period", "norm_period_s",
}

// Features is the number of features of a window.
const Features = len(features)

// bands are the edges of the spectral bands in Hz: sway of the head; slow steps and
// chews; bites; quick steps; shaking.
var bands = [...]float64{0.15, 0.55, 1.15, 1.95, 3.15, 5.01}

type vec [3]float64

func (a vec) dot(b vec) float64 { return a[0]*b[0] + a[1]*b[1] + a[2]*b[2] }
func (a vec) sub(b vec) vec     { return vec{a[0] - b[0], a[1] - b[1], a[2] - b[2]} }
func (a vec) scale(k float64) vec {
	return vec{a[0] * k, a[1] * k, a[2] * k}
}
func (a vec) norm() float64 { return math.Sqrt(a.dot(a)) }

// scratch holds the buffers of one window, so that judging allocates nothing.
type scratch struct {
	low, dyn       []vec
	norm, vertical []float64
	order          []float64
	power          []float64
	plane, upright []complex128
	turns          []complex128
}

func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// small keeps logarithms of still windows finite: about the noise of a sensor, m/s².
const small = 0.01

func logOf(v float64) float64 { return math.Log(v + small) }

// extract reduces a window at Rate to its features. len(w) >= shortest.
func (s *scratch) extract(w [][3]float64) (f [Features]float64) {
	n := len(w)
	s.low, s.dyn = resize(s.low, n), resize(s.dyn, n)
	s.norm, s.vertical, s.order = resize(s.norm, n), resize(s.vertical, n), resize(s.order, n)
	s.smooth(w)

	var mean vec
	for _, x := range w {
		for k := range 3 {
			mean[k] += x[k] / float64(n)
		}
	}
	up := mean.scale(1 / math.Max(mean.norm(), 1e-9))
	var total, level, jerk float64
	var cov [6]float64
	for i, x := range w {
		v := vec(x)
		s.norm[i] = v.norm()
		d := v.sub(s.low[i])
		s.dyn[i] = d
		s.vertical[i] = d.dot(up)
		e := d.dot(d)
		total += e
		level += e - s.vertical[i]*s.vertical[i]
		cov[0] += d[0] * d[0]
		cov[1] += d[1] * d[1]
		cov[2] += d[2] * d[2]
		cov[3] += d[0] * d[1]
		cov[4] += d[0] * d[2]
		cov[5] += d[1] * d[2]
		if i > 0 {
			s.order[i-1] = v.sub(vec(w[i-1])).norm()
			jerk += s.order[i-1]
		}
	}
	m, std, skew, kurt := moments(s.norm)
	l1, l2, l3 := eigenvalues(cov)
	floor := float64(n) * small * small
	steps := s.order[:n-1]
	slices.Sort(steps)
	_, vertical, _, _ := moments(s.vertical)

	f[0] = logOf(std)
	f[2], f[3] = skew, math.Log1p(kurt)
	f[4] = logOf(vertical)
	f[5] = (level + floor) / (total + 3*floor)
	f[6] = (l1 + floor) / (l1 + l2 + l3 + 3*floor)
	f[7] = (l3 + floor) / (l2 + 2*floor)
	f[8] = logOf(jerk / float64(n-1))
	f[9] = logOf(quantile(steps, 0.95)) - logOf(quantile(steps, 0.5))
	f[10] = s.burstiness()
	f[11], f[12] = s.tilt(up)
	copy(s.order, s.norm)
	slices.Sort(s.order)
	f[1] = logOf(quantile(s.order, 0.95) - quantile(s.order, 0.05))
	s.spectrum(&f)
	for i := range s.norm {
		s.norm[i] -= m
	}
	f[21], f[22] = period(n, func(lag int) float64 {
		sum := 0.0
		for i := lag; i < n; i++ {
			sum += s.dyn[i].dot(s.dyn[i-lag])
		}
		return sum
	})
	f[23], f[24] = period(n, func(lag int) float64 {
		sum := 0.0
		for i := lag; i < n; i++ {
			sum += s.norm[i] * s.norm[i-lag]
		}
		return sum
	})
	return f
}

// smooth fills low with the centred moving average, which is shorter at the ends.
func (s *scratch) smooth(w [][3]float64) {
	const half = gravity / 2
	var sum vec
	count := 0.0
	n := len(w)
	for i := -half; i < n; i++ {
		if j := i + half; j < n {
			for k := range 3 {
				sum[k] += w[j][k]
			}
			count++
		}
		if j := i - half - 1; j >= 0 {
			for k := range 3 {
				sum[k] -= w[j][k]
			}
			count--
		}
		if i >= 0 {
			s.low[i] = sum.scale(1 / count)
		}
	}
}

// burstiness is how unevenly the movement is spread over the seconds of the window:
// the standard deviation of the logarithm of their mean energies.
func (s *scratch) burstiness() float64 {
	const second = int(Rate)
	var sum, square, count float64
	for i := 0; i+second <= len(s.dyn); i += second {
		e := 0.0
		for _, d := range s.dyn[i : i+second] {
			e += d.dot(d) / float64(second)
		}
		l := math.Log(e + small*small)
		sum, square, count = sum+l, square+l*l, count+1
	}
	mean := sum / count
	return math.Sqrt(math.Max(square/count-mean*mean, 0))
}

// tilt is how far gravity's direction leaves its mean (logarithm of the root mean
// square angle) and how much it moves (logarithm of the angle per sample).
func (s *scratch) tilt(up vec) (spread, path float64) {
	var square float64
	var before vec
	for i, g := range s.low {
		g = g.scale(1 / math.Max(g.norm(), 1e-9))
		square += math.Max(2-2*g.dot(up), 0)
		if i > 0 {
			path += g.sub(before).norm()
		}
		before = g
	}
	n := float64(len(s.low))
	return math.Log(math.Sqrt(square/n) + 1e-3), math.Log(path/(n-1) + 1e-3)
}

// spectrum fills the shares of the bands, the peak and the entropy, from the power
// of the dynamic acceleration summed over the three axes.
func (s *scratch) spectrum(f *[Features]float64) {
	n := 1 << bits.Len(uint(len(s.dyn)-1))
	half := n / 2
	s.plane, s.upright = resize(s.plane, n), resize(s.upright, n)
	clear(s.plane)
	clear(s.upright)
	for i, d := range s.dyn {
		s.plane[i], s.upright[i] = complex(d[0], d[1]), complex(d[2], 0)
	}
	s.fourier(s.plane)
	s.fourier(s.upright)
	s.power = resize(s.power, half+1)
	total := 0.0
	for k := 1; k <= half; k++ {
		// Two real axes went as one complex run: their powers are the mean of the
		// two lines that mirror each other.
		s.power[k] = (square(s.plane[k])+square(s.plane[n-k]))/2 + square(s.upright[k])
		total += s.power[k]
	}
	floor := float64(len(s.dyn)*half) * small * small
	hz := Rate / float64(n)
	var in [len(bands) - 1]float64
	best, entropy := 1, 0.0
	for k := 1; k <= half; k++ {
		for b := range in {
			if v := float64(k) * hz; v >= bands[b] && v < bands[b+1] {
				in[b] += s.power[k]
			}
		}
		if s.power[k] > s.power[best] {
			best = k
		}
		if p := s.power[k] / (total + 1e-12); p > 0 {
			entropy -= p * math.Log(p)
		}
	}
	for b, v := range in {
		f[13+b] = math.Log((v + 0.01*floor) / (total + floor))
	}
	f[18] = float64(best) * hz
	// A peak of half a hertz about the strongest line, whatever the window's length.
	side := int(math.Round(0.25 / hz))
	peak := 0.0
	for k := max(best-side, 1); k <= min(best+side, half); k++ {
		peak += s.power[k]
	}
	f[19] = peak / (total + 1e-12)
	f[20] = entropy / math.Log(float64(half))
}

func square(c complex128) float64 { return real(c)*real(c) + imag(c)*imag(c) }

// fourier transforms a run whose length is a power of two, in place (Cooley and
// Tukey, 1965, Mathematics of Computation 19:297).
func (s *scratch) fourier(x []complex128) {
	n := len(x)
	if len(s.turns) != n/2 {
		s.turns = resize(s.turns, n/2)
		for i := range s.turns {
			z, c := math.Sincos(-2 * math.Pi * float64(i) / float64(n))
			s.turns[i] = complex(c, z)
		}
	}
	shift := bits.UintSize - bits.Len(uint(n-1))
	for i := range x {
		if j := int(bits.Reverse(uint(i)) >> shift); j > i {
			x[i], x[j] = x[j], x[i]
		}
	}
	for size := 2; size <= n; size *= 2 {
		for at := 0; at < n; at += size {
			for k := range size / 2 {
				a, b := x[at+k], x[at+k+size/2]*s.turns[k*(n/size)]
				x[at+k], x[at+k+size/2] = a+b, a-b
			}
		}
	}
}

// period is the highest autocorrelation at a lag of 0.4 to 2 s that is a local
// maximum, and that lag in seconds; 0 and 0 without one.
func period(n int, product func(lag int) float64) (height, lag float64) {
	const from, to = 4, 20
	zero := product(0) + 1e-12
	at := func(l int) float64 { return product(l) / zero * float64(n) / float64(n-l) }
	before, here := at(from-1), at(from)
	for l := from; l <= min(to, n-2); l++ {
		after := at(l + 1)
		if here > height && here >= before && here > after {
			height, lag = here, float64(l)/Rate
		}
		before, here = here, after
	}
	return height, lag
}

// moments are mean, standard deviation, skewness and kurtosis.
func moments(x []float64) (mean, std, skew, kurt float64) {
	n := float64(len(x))
	for _, v := range x {
		mean += v / n
	}
	var m2, m3, m4 float64
	for _, v := range x {
		d := v - mean
		m2 += d * d / n
		m3 += d * d * d / n
		m4 += d * d * d * d / n
	}
	floor := m2 + small*small
	return mean, math.Sqrt(m2), m3 / math.Pow(floor, 1.5), m4 / (floor * floor)
}

// quantile of sorted values, between neighbours.
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

// eigenvalues of a symmetric 3×3 matrix given as xx, yy, zz, xy, xz, yz, largest
// first (Smith, 1961, Communications of the ACM 4(4):168).
func eigenvalues(a [6]float64) (l1, l2, l3 float64) {
	off := a[3]*a[3] + a[4]*a[4] + a[5]*a[5]
	q := (a[0] + a[1] + a[2]) / 3
	x, y, z := a[0]-q, a[1]-q, a[2]-q
	p := math.Sqrt((x*x + y*y + z*z + 2*off) / 6)
	if p < 1e-12 {
		return q, q, q
	}
	det := x*(y*z-a[5]*a[5]) - a[3]*(a[3]*z-a[5]*a[4]) + a[4]*(a[3]*a[5]-y*a[4])
	phi := math.Acos(math.Max(-1, math.Min(1, det/(2*p*p*p)))) / 3
	l1 = q + 2*p*math.Cos(phi)
	l3 = q + 2*p*math.Cos(phi+2*math.Pi/3)
	return l1, math.Max(3*q-l1-l3, 0), math.Max(l3, 0)
}

// cut is the bounds of the windows of about length samples that a run of n samples
// falls into: all of it, in parts of equal length; none when it is too short.
func cut(n, length int) []int {
	if n < shortest {
		return nil
	}
	parts := max(1, min(int(math.Round(float64(n)/float64(length))), n/shortest))
	bounds := make([]int, parts+1)
	for i := range bounds {
		bounds[i] = i * n / parts
	}
	return bounds
}

// reach is how far the low-pass of resample looks to each side, in seconds.
const reach = 0.4

// resample takes a faster run at hz down to Rate with a windowed-sinc low-pass at
// 5 Hz (Hann window), so that faster movements do not fold back and those below
// keep their strength. Runs at Rate (within 2 %) come back as they are.
func resample(x [][3]float64, hz float64) [][3]float64 {
	if math.Abs(hz/Rate-1) <= 0.02 {
		return x
	}
	out := make([][3]float64, int(float64(len(x))*Rate/hz))
	for i := range out {
		centre := float64(i) * hz / Rate
		var sum vec
		weight := 0.0
		for j := max(int(math.Ceil(centre-reach*hz)), 0); j < len(x) && float64(j) < centre+reach*hz; j++ {
			t := (float64(j) - centre) / hz
			w := 0.5 + 0.5*math.Cos(math.Pi*t/reach)
			if a := math.Pi * Rate * t; a != 0 {
				w *= math.Sin(a) / a
			}
			for k := range 3 {
				sum[k] += w * x[j][k]
			}
			weight += w
		}
		out[i] = sum.scale(1 / weight)
	}
	return out
}
