package smooth

import (
	"math"

	"github.com/furrowcredit/furrow/credit/forecast/optimum"
)

// Kind is one exponential smoothing model by its parts: A adds, M multiplies, N is
// absent. Trends only add, and may be damped.
type Kind struct {
	Error, Trend, Season byte
	Damped               bool
}

// String is the usual name, "ETS(M,Ad,M)".
func (k Kind) String() string {
	t := string(k.Trend)
	if k.Damped {
		t += "d"
	}
	return "ETS(" + string(k.Error) + "," + t + "," + string(k.Season) + ")"
}

// unknowns counts smoothing weights, states to start from and the variance.
func (k Kind) unknowns(m int) int {
	n := 3 // alpha, level, variance
	if k.Trend == 'A' {
		n += 2
	}
	if k.Damped {
		n++
	}
	if k.Season != 'N' {
		n += m // gamma and m-1 seasons
	}
	return n
}

// kinds are the models that may be chosen from. Models whose error adds while the
// season multiplies are unstable and left out, as in Hyndman and others (2008).
func kinds(positive, seasonal bool) []Kind {
	errs := []byte{'A'}
	if positive {
		errs = []byte{'A', 'M'}
	}
	seasons := []byte{'N'}
	if seasonal {
		seasons = []byte{'N', 'A', 'M'}
	}
	var out []Kind
	for _, e := range errs {
		for _, s := range seasons {
			if s == 'M' && e == 'A' {
				continue
			}
			out = append(out, Kind{e, 'N', s, false}, Kind{e, 'A', s, false}, Kind{e, 'A', s, true})
		}
	}
	return out
}

// weights are the smoothing weights.
type weights struct{ alpha, beta, gamma, phi float64 }

// ets is one fitted model.
type ets struct {
	kind  Kind
	m     int
	w     weights
	start state // before the first value
	aicc  float64
}

// state is level, slope and the seasons; season[i] is that of the time i mod m.
type state struct {
	level, slope float64
	season       []float64
}

// step takes the value at time t, and returns the forecast that the state had of it.
// The state is that of Hyndman and others (2008), tables 2.2 and 2.3.
func (k Kind) step(s *state, w *weights, y float64, at int) (forecast float64) {
	trend := w.phi * s.slope
	base := s.level + trend
	forecast = base
	switch k.Season {
	case 'A':
		forecast += s.season[at]
	case 'M':
		forecast *= s.season[at]
	}
	e := y - forecast
	switch k.Season {
	case 'M':
		season := s.season[at]
		if math.Abs(season) < tiny || math.Abs(base) < tiny {
			return math.NaN()
		}
		s.level = base + w.alpha*e/season
		s.slope = trend + w.beta*e/season
		s.season[at] += w.gamma * e / base
	default:
		s.level = base + w.alpha*e
		s.slope = trend + w.beta*e
		if k.Season == 'A' {
			s.season[at] += w.gamma * e
		}
	}
	return forecast
}

const tiny = 1e-9

// etsFitter holds what fits of several kinds to one series share.
type etsFitter struct {
	y       []float64
	m       int
	add     state // first guesses, by kind of season
	mul     state
	none    state
	scratch []float64
}

// guess is the state that the filter starts from before it has seen any weight.
func (f *etsFitter) guess(k Kind, backwards bool) state {
	from := &f.none
	switch k.Season {
	case 'A':
		from = &f.add
	case 'M':
		from = &f.mul
	}
	s := state{level: from.level, season: f.scratch[:len(from.season)]}
	copy(s.season, from.season)
	if k.Trend == 'A' {
		s.slope = from.slope
	} else {
		s.level += from.slope * float64(len(f.y)) / 2
	}
	if backwards {
		s.level += s.slope * float64(len(f.y)+1)
		s.slope = -s.slope
	}
	return s
}

// begin is the state before the first value, found by filtering backwards from the
// last: the values themselves say where the series began.
func (f *etsFitter) begin(k Kind, w *weights) state {
	s := f.guess(k, true)
	for t := len(f.y) - 1; t >= 0; t-- {
		k.step(&s, w, f.y[t], t%f.m)
	}
	s.slope = -s.slope
	return s
}

// cost is minus twice the log-likelihood, less constants.
func (f *etsFitter) cost(k Kind, w *weights) float64 {
	s := f.begin(k, w)
	var squares, logs float64
	at := 0
	for _, y := range f.y {
		forecast := k.step(&s, w, y, at)
		e := y - forecast
		if k.Error == 'M' {
			if forecast < tiny {
				return math.Inf(1)
			}
			e /= forecast
			logs += math.Log(forecast)
		}
		squares += e * e
		if at++; at == f.m {
			at = 0
		}
	}
	n := float64(len(f.y))
	return n*math.Log(squares/n+1e-12) + 2*logs
}

// unpack maps unbounded numbers into the usual region: 0 < beta < alpha < 1, 0 <
// gamma < 1 - alpha, 0.8 < phi < 0.98.
func (k Kind) unpack(x []float64) weights {
	w := weights{alpha: 1e-4 + 0.9998*logistic(x[0]), phi: 1}
	i := 1
	if k.Trend == 'A' {
		w.beta = w.alpha * logistic(x[i])
		i++
	}
	if k.Season != 'N' {
		w.gamma = (1 - w.alpha) * logistic(x[i])
		i++
	}
	if k.Damped {
		w.phi = 0.8 + 0.18*logistic(x[i])
	}
	return w
}

func (k Kind) first() []float64 {
	x := []float64{-1}
	if k.Trend == 'A' {
		x = append(x, -2)
	}
	if k.Season != 'N' {
		x = append(x, -2.5)
	}
	if k.Damped {
		x = append(x, 1.5)
	}
	return x
}

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// fit finds the weights of one kind.
func (f *etsFitter) fit(k Kind) ets {
	x, cost := optimum.Minimise(func(x []float64) float64 {
		w := k.unpack(x)
		return f.cost(k, &w)
	}, k.first(), optimum.Options{Step: 1, Tolerance: 1e-5, Most: 60 * len(k.first())})
	w := k.unpack(x)
	start := f.begin(k, &w)
	start.season = append([]float64(nil), start.season...)
	return ets{k, f.m, w, start, aicc(cost, k.unknowns(f.m), len(f.y))}
}

// aicc is Akaike's criterion with Sugiura's correction; without enough values it is
// infinite.
func aicc(cost float64, unknowns, n int) float64 {
	k := float64(unknowns)
	left := float64(n) - k - 1
	if left <= 0 || cost >= math.MaxFloat64 {
		return math.Inf(1)
	}
	return cost + 2*k + 2*k*(k+1)/left
}

// from writes the forecasts that the model makes after t values.
func (e *ets) from(y []float64, t int, out []float64) {
	s := state{e.start.level, e.start.slope, append([]float64(nil), e.start.season...)}
	for i, v := range y[:t] {
		e.kind.step(&s, &e.w, v, i%e.m)
	}
	damp, trend := e.w.phi, 0.0
	for h := range out {
		trend += damp * s.slope
		damp *= e.w.phi
		out[h] = s.level + trend
		switch e.kind.Season {
		case 'A':
			out[h] += s.season[(t+h)%e.m]
		case 'M':
			out[h] *= s.season[(t+h)%e.m]
		}
	}
}

// ETS is exponential smoothing of the kind that the corrected Akaike criterion
// prefers.
type ETS struct {
	Kind Kind
	fit  ets
}

// FitETS fits all kinds that suit the series: seasonal ones when m is more than 1 and
// there are two seasons and more, multiplying ones when all values are positive. It
// is nil when there are fewer than four values.
func FitETS(y []float64, m int) *ETS {
	if len(y) < 4 {
		return nil
	}
	seasonal := m > 1 && len(y) >= 2*m+3
	f := newETSFitter(y, m, seasonal)
	best := ets{aicc: math.Inf(1)}
	for i, k := range kinds(Positive(y), seasonal) {
		if e := f.fit(k); e.aicc < best.aicc || i == 0 {
			best = e
		}
	}
	return &ETS{best.kind, best}
}

func newETSFitter(y []float64, m int, seasonal bool) *etsFitter {
	f := &etsFitter{y: y, m: 1, scratch: make([]float64, m)}
	f.none.level, f.none.slope = Line(y)
	if !seasonal {
		return f
	}
	f.m = m
	f.add.season = Season(y, m, false)
	f.add.level, f.add.slope = Line(Adjust(y, f.add.season, false))
	if Positive(y) {
		f.mul.season = Season(y, m, true)
		f.mul.level, f.mul.slope = Line(Adjust(y, f.mul.season, true))
	}
	return f
}

// From writes the forecasts made after the first t values of y.
func (e *ETS) From(y []float64, t int, out []float64) { e.fit.from(y, t, out) }

// Name is the kind.
func (e *ETS) Name() string { return e.Kind.String() }
