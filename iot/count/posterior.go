package count

import (
	"math"
	"time"

	"github.com/furrowcredit/furrow/iot"
)

// Beta is a distribution of a share; its mean is A/(A+B).
type Beta struct {
	A, B float64
}

// Priors are what is believed of a kind of counter before it was ever compared.
type Priors struct {
	Recall map[iot.CountKind]Beta // share of the animals that a count shows
	// Double are rates of double counts per animal seen, and Weight how likely each
	// of them is.
	Double []float64
	Weight map[iot.CountKind][]float64
	// Spread is how firmly the recall of one window sticks to the device's, three
	// values that are equally likely: the sum of the parameters of the beta
	// distribution it is drawn from. Were it known, the scatter of counts alone
	// would seem to tell the recall, and wrongly where the guess is wrong.
	Spread map[iot.CountKind][3]float64
	// Wild is the chance that a single window has nothing to do with the herd, Liar
	// that a whole device has not, where others counted as well.
	Wild, Liar float64
	// Loose is the chance that the tags heard are not worn by the animals that are
	// counted, whatever the matches say.
	Loose float64
	// Read is the share of the tags heard that sit on an animal of the pen and are
	// read beside the counter: not dropped and still sending, not missed.
	Read Beta
}

// DefaultPriors are for counters nobody has compared yet.
//
// Cameras and gates: Beta(3, 1), mean 0.75, 95 % from 0.29 to 0.99. Published
// detectors of livestock from the air find 0.60 (cows) to 0.75 (sheep) of the
// animals; animals hide behind each other, and a gate is not passed by all.
// People: mean 0.98. Double counts: up to a tenth, of people seldom more than one in
// fifty (recounting overestimates in surveys of cattle from the air, CSIRO Wildlife
// Research WR22097).
// Read: Beta(57, 3), mean 0.95: cattle lose 4 to 10 % of their tags a year (SRUC,
// FWI, CCIA), those that fall off are heard until the watch finds them still, and
// readers miss some.
func DefaultPriors() Priors {
	return Priors{
		Recall: map[iot.CountKind]Beta{iot.ByCamera: {3, 1}, iot.ByGate: {3, 1}, iot.ByPerson: {98, 2}},
		Double: []float64{0, 0.02, 0.05, 0.10},
		Weight: map[iot.CountKind][]float64{iot.ByCamera: {0.4, 0.25, 0.2, 0.15}, iot.ByGate: {0.4, 0.25, 0.2, 0.15}, iot.ByPerson: {0.75, 0.2, 0.05, 0}},
		Spread: map[iot.CountKind][3]float64{iot.ByCamera: {6, 25, 100}, iot.ByGate: {6, 25, 100}, iot.ByPerson: {100, 200, 400}},
		Wild:   0.01,
		Liar:   0.02,
		Loose:  0.05,
		Read:   Beta{57, 3},
	}
}

// window is what one device counted in one pen at one time, once: pictures of the
// same window are not counts of their own.
type window struct {
	pen      string
	device   string
	kind     iot.CountKind
	from, to time.Time
	seen     int
	matched  int // -1 unknown
	tags     int // heard then; -1 unknown
}

// The grid of recalls and spreads of a counter.
const (
	levels = 16
	shares = 3 * levels
)

// recalls are the middles of levels of equal probability of the prior.
func recalls(b Beta) [levels]float64 {
	var out [levels]float64
	const steps = 4000
	var total float64
	density := make([]float64, steps)
	for i := range density {
		x := (float64(i) + 0.5) / steps
		density[i] = math.Exp((b.A-1)*math.Log(x) + (b.B-1)*math.Log1p(-x))
		total += density[i]
	}
	sum, at := 0.0, 0
	for i, d := range density {
		sum += d
		for at < levels && sum >= (float64(at)+0.5)/levels*total {
			out[at] = (float64(i) + 0.5) / steps
			at++
		}
	}
	return out
}

// counter is what is believed of one device: a weight for each recall with its
// spread, and rate of double counts.
type counter struct {
	recall [shares]float64
	spread [shares]float64
	weight [][shares]float64 // by rate of double counts
}

func newCounter(p *Priors, kind iot.CountKind) *counter {
	c := &counter{weight: make([][shares]float64, len(p.Double))}
	for i, mu := range recalls(p.Recall[kind]) {
		for k, spread := range p.Spread[kind] {
			c.recall[3*i+k], c.spread[3*i+k] = mu, spread
		}
	}
	for d := range c.weight {
		for i := range c.weight[d] {
			c.weight[d][i] = p.Weight[kind][d] / shares
		}
	}
	return c
}

// mean is the expected recall, and ratio the expected count per animal.
func (c *counter) mean(p *Priors) (recall, ratio float64) {
	var total float64
	for d := range c.weight {
		for i, w := range c.weight[d] {
			total += w
			recall += w * c.recall[i]
			ratio += w * c.recall[i] * (1 + p.Double[d])
		}
	}
	return recall / total, ratio / total
}

// doubles is the chance of each number of double counts among seen, for each rate.
func doubles(p *Priors, seen int) [][]float64 {
	most := p.Double[len(p.Double)-1] * float64(seen)
	deep := min(int(most+4*math.Sqrt(most)+2), seen+1)
	out := make([][]float64, len(p.Double))
	for d, rate := range p.Double {
		out[d] = make([]float64, deep)
		mean := rate * float64(seen)
		v := math.Exp(-mean)
		for k := range out[d] {
			out[d][k] = v
			v *= mean / float64(k+1)
		}
	}
	return out
}

// chances fills out[d][i] with the chance that n animals are counted as seen, for
// each rate of double counts and recall: the animals shown are beta-binomial around
// the recall, double counts on top are Poisson.
func (c *counter) chances(p *Priors, double [][]float64, seen, n int, out [][shares]float64) {
	if seen >= many {
		c.smooth(p, seen, n, out)
		return
	}
	first, last := min(seen, n), seen-len(double[0])+1
	k := float64(first)
	ways := choose(n, first)
	var even [3]float64
	for i := range even {
		even[i] = lgamma(c.spread[i]) - lgamma(float64(n)+c.spread[i])
	}
	for i, mu := range c.recall {
		for d := range out {
			out[d][i] = 0
		}
		if first < last {
			continue
		}
		a, b := mu*c.spread[i], (1-mu)*c.spread[i]
		v := math.Exp(ways + even[i%3] + lgamma(k+a) + lgamma(float64(n)-k+b) - lgamma(a) - lgamma(b))
		for shown := first; shown >= last; shown-- {
			for d := range double {
				out[d][i] += v * double[d][seen-shown]
			}
			x := float64(shown)
			v *= x * (float64(n) - x + b) / ((float64(n) - x + 1) * (x - 1 + a))
		}
	}
}

// many is the count from which on single animals are not reckoned with one by one.
const many = 200

// smooth is chances of large counts: the share seen/n is taken for beta-distributed
// with the same mean and variance.
func (c *counter) smooth(p *Priors, seen, n int, out [][shares]float64) {
	const twice = 0.03 // a middling rate of double counts: they add little to the variance
	s, size := float64(seen), float64(n)
	logX, logRest := make([]float64, len(p.Double)), make([]float64, len(p.Double))
	for d, rate := range p.Double {
		clear(out[d][:])
		x := s / (size * (1 + rate))
		if x < 1 {
			logX[d], logRest[d] = math.Log(x), math.Log1p(-x)
		}
	}
	if n == 0 {
		return
	}
	for i, mu := range c.recall {
		even := mu * (1 - mu)
		variance := even*(1+(size-1)/(c.spread[i]+1))/size + twice*mu/size
		k := math.Max(even/variance-1, 0.1)
		a, b := mu*k, (1-mu)*k
		norm := lgamma(k) - lgamma(a) - lgamma(b) - math.Log(size)
		for d := range p.Double {
			if logRest[d] < 0 {
				out[d][i] = math.Exp(norm+(a-1)*logX[d]+(b-1)*logRest[d]) / (1 + p.Double[d])
			}
		}
	}
}

func lgamma(x float64) float64 {
	v, _ := math.Lgamma(x)
	return v
}

// compare learns from a window in which another counter, believed to be nearly
// exact, counted exact animals.
func (c *counter) compare(p *Priors, seen, exact int) {
	out := make([][shares]float64, len(p.Double))
	sum := make([][shares]float64, len(p.Double))
	near := 0.0
	double := doubles(p, seen)
	for off := -2; off <= 2; off++ { // people miscount a little, too
		n := exact + int(math.Round(float64(off)*math.Max(1, 0.01*float64(exact))))
		if n < 0 {
			continue
		}
		w := math.Exp(-float64(off*off) / 2)
		near += w
		c.chances(p, double, seen, n, out)
		for d := range sum {
			for i := range sum[d] {
				sum[d][i] += w * out[d][i]
			}
		}
	}
	total, wild := 0.0, p.Wild/float64(exact+seen+1)
	for d := range sum {
		for i := range sum[d] {
			c.weight[d][i] *= (1-p.Wild)*sum[d][i]/near + wild
			total += c.weight[d][i]
		}
	}
	for d := range c.weight {
		for i := range c.weight[d] {
			c.weight[d][i] /= total
		}
	}
}

// grid is the numbers of animals that are thought of.
type grid struct {
	step int
	size int
}

// points is the largest grid; beyond it numbers are looked at in steps.
const points = 400

func newGrid(most int) grid {
	g := grid{step: 1 + most/points}
	g.size = most/g.step + 1
	return g
}

func (g grid) at(i int) int { return i * g.step }

// prior is the weight beforehand of the numbers that a point stands for: 1/(n+1) for
// each of them, which prefers no scale.
func (g grid) prior(i int) float64 {
	sum := 0.0
	for n := g.at(i); n < g.at(i+1); n++ {
		sum += 1 / float64(n+1)
	}
	return sum
}

// likelihood is the logarithm of the chance of all windows of one device, for each
// number of animals now; shift tells how many more there were at a window's time.
// liar is the logarithm of the chance of the same counts by a device that lies.
func likelihood(p *Priors, c *counter, ws []window, g grid, shift func(time.Time) int) (out []float64, liar float64) {
	out = make([]float64, g.size)
	most := float64(g.at(g.size-1) + 1)
	double := make([][][]float64, len(ws))
	for j, w := range ws {
		if w.seen < many {
			double[j] = doubles(p, w.seen)
		}
		liar -= math.Log(math.Max(most, float64(w.seen+1)))
		if w.recaptures() {
			liar -= math.Log(float64(w.seen + 1))
		}
	}
	chance, product := make([][shares]float64, len(p.Double)), make([][shares]float64, len(p.Double))
	read := make([]matching, len(p.Double))
	ways := newWays(g.at(g.size - 1))
	for i := range out {
		copy(product, c.weight)
		for d := range read {
			read[d] = newMatching(p)
		}
		scale := 0.0
		for j, w := range ws {
			n := max(g.at(i)+shift(w.from), 0)
			c.chances(p, double[j], w.seen, n, chance)
			wild := p.Wild / math.Max(most, float64(w.seen+1))
			peak := 0.0
			for d := range product {
				for k := range product[d] {
					product[d][k] *= (1-p.Wild)*chance[d][k] + wild
					peak = math.Max(peak, product[d][k])
				}
			}
			if peak > 0 && peak < 1e-100 { // keep far from underflow
				for d := range product {
					for k := range product[d] {
						product[d][k] *= 1e100
					}
				}
				scale -= 100 * math.Ln10
			}
			if w.recaptures() {
				ways.recapture(p, w, n, read)
			}
		}
		sum := 0.0
		for d := range product {
			var counts, matches float64
			for _, v := range product[d] {
				counts += v
			}
			for _, v := range read[d] {
				matches += v
			}
			sum += counts * matches
		}
		out[i] = math.Log(sum+1e-300) + scale
	}
	return out, liar
}

// recaptures tells whether a window says how many of its animals wore a tag.
func (w *window) recaptures() bool { return w.matched >= 0 && w.tags >= 0 }

// fifths is the number of shares of tags read on the grid, and of shares of animals
// that wear one should the tags heard not be worn by these animals.
const fifths = 5

// matching holds, for one rate of double counts, the chance of the matches so far:
// first for each share of the tags read, then for each share of animals with a tag.
type matching [2 * fifths]float64

func newMatching(p *Priors) (m matching) {
	for k := range fifths {
		m[k], m[fifths+k] = (1-p.Loose)/fifths, p.Loose/fifths
	}
	return m
}

// recapture multiplies in the chance that matched of the animals seen wear a tag
// heard, among n animals, with the double counts taken off. Where tags are worn it
// is hypergeometric, and n is no less than the tags; where they are not (a bucket of
// tags) matches say nothing of n.
func (l ways) recapture(p *Priors, w window, n int, out []matching) {
	mean := p.Read.A / (p.Read.A + p.Read.B)
	sd := math.Sqrt(mean * (1 - mean) / (p.Read.A + p.Read.B + 1))
	middles := [fifths]float64{-1.282, -0.524, 0, 0.524, 1.282} // of equal probability of the normal
	for d, rate := range p.Double {
		twice := float64(w.seen) * rate / (1 + rate)
		offs := []float64{-1.22, 0, 1.22} // three points keep a normal's variance
		if twice == 0 {
			offs = offs[1:2]
		}
		var chance [2 * fifths]float64
		for _, off := range offs {
			shown := int(math.Round(float64(w.seen) - math.Max(0, twice+off*math.Sqrt(twice))))
			for k, z := range middles {
				marked := int(math.Round(math.Min(1, mean+z*sd) * float64(w.tags)))
				chance[k] += l.hypergeometric(n, marked, min(shown, n), w.matched)
				chance[fifths+k] += l.binomial(min(1, 0.8+0.05*float64(k)), shown, w.matched)
			}
		}
		for k, v := range chance {
			out[d][k] *= (1-p.Wild)*v/float64(len(offs)) + p.Wild/float64(w.seen+1)
		}
	}
}

// binomial is the chance of k of n at a share.
func (l ways) binomial(share float64, n, k int) float64 {
	if k > n || k < n && share == 1 {
		return 0
	}
	v := l.choose(n, k) + float64(k)*math.Log(share)
	if k < n {
		v += float64(n-k) * math.Log1p(-share)
	}
	return math.Exp(v)
}

// hypergeometric is the chance that matched of seen animals are among the marked
// ones of n.
func (l ways) hypergeometric(n, marked, seen, matched int) float64 {
	if marked > n || matched > marked || matched > seen || seen-matched > n-marked {
		return 0
	}
	return math.Exp(l.choose(marked, matched) + l.choose(n-marked, seen-matched) - l.choose(n, seen))
}

// ways holds logarithms of factorials: a likelihood asks for the same ones a million
// times.
type ways []float64

func newWays(most int) ways {
	l := make(ways, most+1)
	for n := range l {
		l[n] = lgamma(float64(n) + 1)
	}
	return l
}

func (l ways) factorial(n int) float64 {
	if n < len(l) {
		return l[n]
	}
	return lgamma(float64(n) + 1)
}

func (l ways) choose(n, k int) float64 { return l.factorial(n) - l.factorial(k) - l.factorial(n-k) }

// choose is the logarithm of the number of ways to take k of n.
func choose(n, k int) float64 {
	return lgamma(float64(n)+1) - lgamma(float64(k)+1) - lgamma(float64(n-k)+1)
}

// posterior is the probability of each number of animals of a grid.
type posterior struct {
	grid
	p []float64
}

// normalise makes probabilities of log likelihoods with the prior of the grid.
func normalise(g grid, log []float64) posterior {
	out := posterior{g, make([]float64, g.size)}
	most := math.Inf(-1)
	for i := range log {
		log[i] += math.Log(g.prior(i))
		most = math.Max(most, log[i])
	}
	total := 0.0
	for i, l := range log {
		out.p[i] = math.Exp(l - most)
		total += out.p[i]
	}
	for i := range out.p {
		out.p[i] /= total
	}
	return out
}

// sure is the level of the interval whose upper bound raises an alarm: 0.999 to one side.
const sure = 0.998

// interval is the median and the equal-tailed interval of a level.
func (q posterior) interval(level float64) (median float64, low, high int) {
	tail := (1 - level) / 2
	sum := 0.0
	found := [3]bool{}
	for i, p := range q.p {
		sum += p
		if !found[0] && sum > tail {
			found[0], low = true, q.at(i)
		}
		if !found[1] && sum >= 0.5 {
			found[1], median = true, float64(q.at(i))
		}
		if !found[2] && sum >= 1-tail {
			found[2], high = true, q.at(i)+q.step-1
		}
	}
	return median, low, high
}

// sum is the posterior of the animals of two pens together.
func (q posterior) sum(o posterior) posterior {
	most := q.at(q.size-1) + o.at(o.size-1)
	g := newGrid(most)
	out := posterior{g, make([]float64, g.size)}
	for i, a := range q.p {
		if a < 1e-12 {
			continue
		}
		for j, b := range o.p {
			at := (q.at(i) + o.at(j) + g.step/2) / g.step
			out.p[min(at, g.size-1)] += a * b
		}
	}
	return out
}
