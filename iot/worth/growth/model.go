package growth

import (
	"math"

	"github.com/furrowcredit/furrow/internal/linear"
)

// Point is one weighing at an age. Ages of one model share a unit.
type Point struct {
	Age   float64
	Kg    float64
	Error float64 // standard deviation of this weighing beside Spread.Noise, as a share
}

// Spread says how animals depart from the curve of their population, as standard
// deviations of the logarithm of weight (0.1 is about 10 %).
type Spread struct {
	Level  float64 // of animals of one herd: for good
	Wander float64 // of spells of better and worse growth
	Length float64 // of such a spell, in units of age
	Noise  float64 // of one weighing: the scale, gut fill, water
}

// cov is the covariance of an animal's true departures at two ages: a constant
// level and a Matérn process of order 3/2, whose paths have a slope, so that an
// animal on a good spell is expected to stay on it for a while.
func (s Spread) cov(x, y float64) float64 {
	d := math.Sqrt(3) * math.Abs(x-y) / s.Length
	return s.Level*s.Level + s.Wander*s.Wander*(1+d)*math.Exp(-d)
}

// Model is the curve of a population, as the logarithm of kg by age, and the
// spread of animals around it.
type Model struct {
	Mean   func(age float64) float64
	Spread Spread
}

// most is how many of an animal's latest weighings are used. The cost grows with
// their cube, and older ones say nothing beside them.
const most = 60

// odd is how many standard deviations from what its other weighings tell make a
// weighing implausible: a typing error or another animal on the scale.
const odd = 4.5

// animal is one animal's history, solved: what is needed to predict from it.
type animal struct {
	ages   []float64
	factor [][]float64 // Cholesky factor of the covariance of the weighings
	gap    []float64   // covariance⁻¹ · (log weight - mean)
}

// solve weighs a history. A nil animal has no weighing.
func (m Model) solve(history []Point) *animal {
	if len(history) > most {
		history = history[len(history)-most:]
	}
	n := len(history)
	if n == 0 {
		return nil
	}
	a := &animal{make([]float64, n), linear.Square(n), make([]float64, n)}
	for i, p := range history {
		a.ages[i], a.gap[i] = p.Age, math.Log(p.Kg)-m.Mean(p.Age)
		for j := 0; j <= i; j++ {
			a.factor[i][j] = m.Spread.cov(a.ages[i], a.ages[j])
		}
		a.factor[i][i] += m.Spread.Noise*m.Spread.Noise + p.Error*p.Error + 1e-10
	}
	if !linear.Cholesky(a.factor) {
		return nil
	}
	linear.Forward(a.factor, a.gap)
	linear.Backward(a.factor, a.gap)
	return a
}

// Forecast is what an animal weighs at an age, on the scale of logarithms.
type Forecast struct {
	Log   float64 // logarithm of kg
	SD    float64 // standard deviation of the true weight's logarithm around it
	Share float64 // how much of an error of the population's curve is left in it: 1 without weighings
}

// Kg is the forecast weight: the median, which is also the best guess by relative error.
func (f Forecast) Kg() float64 { return math.Exp(f.Log) }

// Forecast predicts the true weight at an age from the animal's own weighings, in
// the order of age and already free of implausible ones. It is the best linear
// unbiased prediction: with no weighing the population's curve, with many nearly
// the animal's own path; the further from the weighings, the wider.
func (m Model) Forecast(history []Point, age float64) Forecast {
	f, _, _ := m.predict(history, age)
	return f
}

// predict also returns the solved history and the weight of each of its gaps.
func (m Model) predict(history []Point, age float64) (f Forecast, a *animal, weights []float64) {
	f = Forecast{Log: m.Mean(age), Share: 1}
	v := m.Spread.cov(age, age)
	if a = m.solve(history); a != nil {
		weights = make([]float64, len(a.ages))
		for i, x := range a.ages {
			weights[i] = m.Spread.cov(age, x)
		}
		f.Log += linear.Dot(weights, a.gap)
		linear.Forward(a.factor, weights)
		v -= linear.Dot(weights, weights)
		linear.Backward(a.factor, weights)
		for _, w := range weights {
			f.Share -= w
		}
	}
	f.SD = math.Sqrt(max(0, v))
	return f, a, weights
}

// Plausible tells which weighings agree with the curve and with one another. A
// weighing more than 4.5 standard deviations from what the others predict is not;
// the worst is taken out first and the rest are judged again.
func (m Model) Plausible(history []Point) []bool {
	good := make([]bool, len(history))
	for i, p := range history {
		good[i] = p.Kg > 0
	}
	for {
		at := make([]int, 0, len(history))
		used := make([]Point, 0, len(history))
		for i := max(0, len(history)-most); i < len(history); i++ {
			if good[i] {
				at, used = append(at, i), append(used, history[i])
			}
		}
		worst, far := -1, odd
		if a := m.solve(used); a != nil {
			for i := range used {
				// [K⁻¹r]ᵢ / √[K⁻¹]ᵢᵢ is the standardised error of predicting i from the rest.
				e := make([]float64, len(used))
				e[i] = 1
				linear.Forward(a.factor, e)
				if z := math.Abs(a.gap[i]) / math.Sqrt(linear.Dot(e, e)); z > far {
					worst, far = at[i], z
				}
			}
		}
		if worst < 0 {
			return good
		}
		good[worst] = false
	}
}

// Bias is what the weighings of many animals say of the population's curve: by how
// much its logarithm is off for their herd, given that it may be off by prior (a
// standard deviation), and the standard deviation that is left.
func (m Model) Bias(histories [][]Point, prior float64) (off, left float64) {
	if prior <= 0 {
		return 0, 0
	}
	information, sum := 1/(prior*prior), 0.0
	for _, h := range histories {
		a := m.solve(h)
		if a == nil {
			continue
		}
		ones := make([]float64, len(a.ages))
		for i := range ones {
			ones[i] = 1
			sum += a.gap[i]
		}
		linear.Forward(a.factor, ones)
		information += linear.Dot(ones, ones)
	}
	return sum / information, 1 / math.Sqrt(information)
}
