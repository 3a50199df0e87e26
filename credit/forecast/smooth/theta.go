package smooth

import (
	"math"

	"github.com/furrowcredit/furrow/credit/forecast/optimum"
)

// Theta is the theta method in its dynamic form (Fiorucci and others 2016), which
// with theta 2 and lines of the whole series is the standard one. The season is
// taken out first when the test finds one.
type Theta struct {
	Alpha, Theta, Level float64
	dynamic             bool
	a, b                float64 // the line of the whole series
	season              []float64
	shares              bool
}

// FitTheta is the standard method of Assimakopoulos and Nikolopoulos (2000): half the
// line, half the exponentially smoothed line of twice the curvature.
func FitTheta(y []float64, m int) *Theta {
	return fitTheta(y, m, false)
}

// FitDynamicTheta also fits theta, and its lines are those of the values so far.
func FitDynamicTheta(y []float64, m int) *Theta {
	return fitTheta(y, m, true)
}

func fitTheta(y []float64, m int, dynamic bool) *Theta {
	if len(y) < 3 {
		return nil
	}
	f := &Theta{dynamic: dynamic, Theta: 2}
	z := y
	if Seasonal(y, m) {
		f.shares = Positive(y)
		f.season = Season(y, m, f.shares)
		z = Adjust(y, f.season, f.shares)
	}
	f.a, f.b = Line(z)
	x := []float64{0, 0, z[0] / 2}
	if !dynamic {
		x = []float64{0, z[0] / 2}
	}
	scale := math.Abs(Mean(z)) + tiny
	set := func(x []float64) {
		f.Alpha = 0.001 + 0.998*logistic(x[0])
		f.Level = x[len(x)-1] * scale
		if dynamic {
			f.Theta = 1 + math.Exp(math.Min(x[1], 20))
		}
	}
	x[len(x)-1] /= scale
	best, _ := optimum.Minimise(func(x []float64) float64 {
		set(x)
		return f.squares(z)
	}, x, optimum.Options{Step: 0.5, Tolerance: 1e-7, Most: 150 * len(x)})
	set(best)
	return f
}

// running is the state of the method after t values.
type running struct {
	level, mean, a, b float64
	power             float64 // (1-alpha)^t
	t                 int
}

// next is the forecast of the next value.
func (f *Theta) next(s *running, a, b float64) float64 {
	return s.level + (1-1/f.Theta)*(a*s.power+b*(1-s.power*(1-f.Alpha))/f.Alpha)
}

func (f *Theta) squares(z []float64) float64 {
	s := f.begin()
	var sum float64
	for i, v := range z {
		e := v - f.next(&s, s.a, s.b)
		if !f.dynamic || i >= 2 { // the first lines are no lines yet
			sum += e * e
		}
		f.take(&s, v)
	}
	return sum
}

func (f *Theta) begin() running {
	s := running{level: f.Level, power: 1}
	if !f.dynamic {
		s.a, s.b = f.a, f.b
	}
	return s
}

// take moves the state over one value.
func (f *Theta) take(s *running, v float64) {
	s.t++
	t := float64(s.t)
	s.level += f.Alpha * (v - s.level)
	s.power *= 1 - f.Alpha
	if !f.dynamic {
		return
	}
	before := s.mean
	s.mean += (v - s.mean) / t
	if s.t == 1 {
		s.a, s.b = v, 0
		return
	}
	s.b = ((t-2)*s.b + 6*(v-before)/t) / (t + 1)
	s.a = s.mean - s.b*(t+1)/2
}

// From writes the forecasts made after the first t values of y.
func (f *Theta) From(y []float64, t int, out []float64) {
	s := f.begin()
	m := len(f.season)
	for i, v := range y[:t] {
		if m > 0 && f.shares {
			v /= f.season[i%m]
		} else if m > 0 {
			v -= f.season[i%m]
		}
		f.take(&s, v)
	}
	for h := range out {
		v := f.next(&s, s.a, s.b)
		f.ahead(&s, v)
		out[h] = v
		if m > 0 && f.shares {
			out[h] *= f.season[(t+h)%m]
		} else if m > 0 {
			out[h] += f.season[(t+h)%m]
		}
	}
}

// ahead moves the state over a value that was itself forecast.
func (f *Theta) ahead(s *running, v float64) {
	a, b := s.a, s.b
	f.take(s, v)
	if f.dynamic && s.t <= 2 {
		s.a, s.b = a, b
	}
}

// Name of the method.
func (f *Theta) Name() string {
	if f.dynamic {
		return "dynamic theta"
	}
	return "theta"
}
