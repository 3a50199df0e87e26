// Package arima fits seasonal ARIMA models of small orders, chosen step by step by
// the corrected Akaike criterion (Hyndman and Khandakar 2008). The likelihood is that
// of unconditional least squares with values before the first one cast backwards (Box
// and Jenkins), which needs no state space and is quick.
package arima

import (
	"fmt"
	"math"

	"github.com/furrowcredit/furrow/credit/forecast/optimum"
	"github.com/furrowcredit/furrow/credit/forecast/smooth"
)

// Order is (P,D,Q)(SP,SD,SQ)[M], with a constant or without.
type Order struct {
	P, D, Q    int
	SP, SD, SQ int
	M          int
	Constant   bool
}

// String is the usual name.
func (o Order) String() string {
	s := fmt.Sprintf("ARIMA(%d,%d,%d)", o.P, o.D, o.Q)
	if o.M > 1 && o.SP+o.SD+o.SQ > 0 {
		s += fmt.Sprintf("(%d,%d,%d)[%d]", o.SP, o.SD, o.SQ, o.M)
	}
	if o.Constant {
		s += " with constant"
	}
	return s
}

// Bounds of the search.
const (
	mostOrder    = 3
	mostSeasonal = 1
	mostTogether = 5
	mostModels   = 18
)

// term is one coefficient of an expanded polynomial.
type term struct {
	lag int
	by  float64
}

// Model is a fitted one.
type Model struct {
	Order Order
	Log   bool // of the logarithms of the values
	mean  float64
	ar    []term // w_t = sum by * w_{t-lag} + e_t + sum by * e_{t-lag}
	ma    []term
	aicc  float64
}

// Fit chooses and fits. It is nil when there are fewer than eight values, or when no
// model can be told from another.
func Fit(y []float64, m int) *Model {
	if len(y) < 8 {
		return nil
	}
	z, logs := y, false
	if smooth.Positive(y) {
		if l := logarithms(y); growsWithLevel(y, l, m) {
			z, logs = l, true
		}
	}
	s := search{m: m, done: map[Order]*Model{}}
	s.difference(z)
	best := s.run()
	if best == nil {
		return nil
	}
	best.Log = logs
	return best
}

func logarithms(y []float64) []float64 {
	out := make([]float64, len(y))
	for i, v := range y {
		out[i] = math.Log(v)
	}
	return out
}

// growsWithLevel tells whether logarithms describe the changes of the series better:
// the likelihood of differences as normal, brought to the same unit.
func growsWithLevel(y, l []float64, m int) bool {
	lag := 1
	if m > 1 && len(y) >= 3*m && smooth.Strength(l, m) > strong {
		lag = m
	}
	spread := func(x []float64) float64 {
		d := differences(x, lag)
		if lag > 1 {
			d = differences(d, 1)
		}
		mean, sum := smooth.Mean(d), 0.0
		for _, v := range d {
			sum += (v - mean) * (v - mean)
		}
		return math.Log(sum/float64(len(d)) + 1e-12)
	}
	return spread(l)+2*smooth.Mean(l) < spread(y)
}

// strong is the seasonal strength from which a seasonal difference is taken.
const strong = 0.64

func differences(y []float64, lag int) []float64 {
	if len(y) <= lag {
		return nil
	}
	out := make([]float64, len(y)-lag)
	for i := range out {
		out[i] = y[i+lag] - y[i]
	}
	return out
}

// search goes from model to better model.
type search struct {
	m    int
	base Order // the differences
	w    []float64
	done map[Order]*Model
	best *Model
	room workspace
}

// difference decides how often to take differences: by seasonal strength, then by
// the test of Kwiatkowski and others for a level that stays.
func (s *search) difference(y []float64) {
	s.base.M = s.m
	s.w = y
	if s.m > 1 && len(y) >= 3*s.m && smooth.Strength(y, s.m) > strong {
		s.base.SD = 1
		s.w = differences(y, s.m)
	}
	for s.base.D < 2 && s.base.D+s.base.SD < 2 && len(s.w) > 8 && wanders(s.w) {
		s.base.D++
		s.w = differences(s.w, 1)
	}
}

// wanders is the KPSS test at 5 %: the level does not stay.
func wanders(y []float64) bool {
	n := len(y)
	lags := int(3 * math.Sqrt(float64(n)) / 13)
	mean, sum := smooth.Mean(y), 0.0
	e := make([]float64, n)
	var walk float64
	for i, v := range y {
		e[i] = v - mean
		sum += e[i]
		walk += sum * sum
	}
	var long float64
	for lag := 0; lag <= lags; lag++ {
		var c float64
		for i := lag; i < n; i++ {
			c += e[i] * e[i-lag]
		}
		weight := 2 * (1 - float64(lag)/float64(lags+1))
		if lag == 0 {
			weight = 1
		}
		long += weight * c
	}
	nn := float64(n)
	return long > 0 && walk/(nn*nn)/(long/nn) > 0.463
}

// run starts from four models and then changes one order at a time.
func (s *search) run() *Model {
	constant := s.base.D+s.base.SD < 2
	sp := 0
	if s.m > 1 && len(s.w) >= 2*s.m {
		sp = 1
	}
	for _, o := range [][4]int{{2, 2, sp, sp}, {0, 0, 0, 0}, {1, 0, sp, 0}, {0, 1, 0, sp}} {
		s.try(o[0], o[1], o[2], o[3], constant)
	}
	if constant {
		s.try(0, 0, 0, 0, false)
	}
	for s.best != nil && len(s.done) < mostModels {
		before := s.best
		o := before.Order
		for _, d := range [][4]int{{0, 0, -1, 0}, {0, 0, 0, -1}, {0, 0, 1, 0}, {0, 0, 0, 1}, {-1, 0, 0, 0}, {0, -1, 0, 0}, {1, 0, 0, 0}, {0, 1, 0, 0}, {-1, -1, 0, 0}, {1, 1, 0, 0}} {
			s.try(o.P+d[0], o.Q+d[1], o.SP+d[2], o.SQ+d[3], o.Constant)
		}
		if constant {
			s.try(o.P, o.Q, o.SP, o.SQ, !o.Constant)
		}
		if s.best == before {
			break
		}
	}
	return s.best
}

// try fits one model unless it was tried or is out of bounds.
func (s *search) try(p, q, sp, sq int, constant bool) {
	o := s.base
	o.P, o.Q, o.SP, o.SQ, o.Constant = p, q, sp, sq, constant
	if min(p, q, sp, sq) < 0 || max(p, q) > mostOrder || max(sp, sq) > mostSeasonal || p+q+sp+sq > mostTogether || len(s.done) >= mostModels {
		return
	}
	if sp+sq > 0 && (s.m < 2 || len(s.w) < 2*s.m) {
		return
	}
	if _, ok := s.done[o]; ok {
		return
	}
	m := s.fit(o)
	s.done[o] = m
	if m != nil && (s.best == nil || m.aicc < s.best.aicc) {
		s.best = m
	}
}

// fit finds the coefficients of one order. Its unknowns are partial autocorrelations
// (Jones 1980), so that every model is stationary and invertible.
func (s *search) fit(o Order) *Model {
	coefficients := o.P + o.Q + o.SP + o.SQ
	x := make([]float64, coefficients, coefficients+1)
	for i := range x {
		x[i] = 0.1
	}
	mean := 0.0
	if o.Constant {
		mean = smooth.Mean(s.w)
		x = append(x, 0)
	}
	spread := 0.0
	for _, v := range s.w {
		spread += (v - mean) * (v - mean)
	}
	n := len(s.w)
	spread = math.Sqrt(spread / float64(n))
	unknowns := float64(len(x) + 1)
	left := float64(n) - unknowns - 1
	if left <= 0 {
		return nil
	}
	if spread < 1e-12 {
		x = x[:0]
	}
	m := &Model{Order: o, mean: mean}
	best, cost := optimum.Minimise(func(x []float64) float64 {
		m.set(x, mean, spread, &s.room)
		return float64(n) * math.Log(s.room.squares(m, s.w)/float64(n)+1e-12)
	}, x, optimum.Options{Step: 0.3, Tolerance: 1e-5, Most: 40*len(x) + 1})
	m.set(best, mean, spread, &s.room)
	m.ar, m.ma = append([]term(nil), m.ar...), append([]term(nil), m.ma...)
	m.aicc = cost + 2*unknowns + 2*unknowns*(unknowns+1)/left
	return m
}

// set expands unknowns into the terms of the model; the terms live in the workspace.
func (m *Model) set(x []float64, mean, spread float64, room *workspace) {
	o := m.Order
	if len(x) == 0 {
		m.ar, m.ma = nil, nil
		return
	}
	take := func(n int) []float64 {
		part := x[:n]
		x = x[n:]
		return part
	}
	var ar, sar, ma, sma [mostOrder]float64
	unit(take(o.P), ar[:])
	unit(take(o.SP), sar[:])
	unit(take(o.Q), ma[:])
	unit(take(o.SQ), sma[:])
	m.ar = expand(room.ar[:0], ar[:o.P], sar[:o.SP], o.M, -1)
	// An invertible moving average is a stationary autoregression with other signs.
	for i := range ma {
		ma[i], sma[i] = -ma[i], -sma[i]
	}
	m.ma = expand(room.ma[:0], ma[:o.Q], sma[:o.SQ], o.M, 1)
	room.ar, room.ma = m.ar, m.ma
	m.mean = mean
	if o.Constant {
		m.mean += spread * x[0]
	}
}

// unit turns unbounded numbers into the coefficients of a stationary autoregression.
func unit(x, out []float64) {
	var work [mostOrder]float64
	for i, v := range x {
		r := 0.99 * math.Tanh(v)
		out[i] = r
		for j := range i {
			work[j] = out[j] - r*out[i-1-j]
		}
		copy(out[:i], work[:i])
	}
}

// expand multiplies a polynomial with its seasonal one: cross terms have the given
// sign, as (1 - aB)(1 - AB^m) has +aA on the left and so -aA on the right.
func expand(out []term, plain, seasonal []float64, m int, cross float64) []term {
	for i, a := range plain {
		out = append(out, term{i + 1, a})
	}
	for j, b := range seasonal {
		out = append(out, term{(j + 1) * m, b})
		for i, a := range plain {
			out = append(out, term{(j+1)*m + i + 1, cross * a * b})
		}
	}
	return out
}

// workspace is memory that fits share.
type workspace struct {
	w, e   []float64
	ar, ma []term
}

// reach is how many values before the first are cast.
func (m *Model) reach() int {
	o := m.Order
	return min(o.P+o.Q+o.M*(o.SP+o.SQ)+2, 2*o.M+8)
}

// squares is the sum of squared residuals, those of the values cast backwards too.
func (r *workspace) squares(m *Model, w []float64) float64 {
	back := m.reach()
	r.residuals(m, w, back)
	var sum float64
	for _, e := range r.e[:back+len(w)] {
		sum += e * e
	}
	return sum
}

// residuals fills r.w with back cast values and the series, less the mean, and r.e
// with their residuals.
func (r *workspace) residuals(m *Model, w []float64, back int) {
	n := len(w)
	if len(r.w) < n+back {
		r.w, r.e = make([]float64, n+back), make([]float64, n+back)
	}
	all, e := r.w[:n+back], r.e[:n+back]
	for i, v := range w {
		all[back+i] = v - m.mean
	}
	// Backwards: the reversed series has the same coefficients.
	for t := n + back - 1; t >= 0; t-- {
		var f float64
		for _, a := range m.ar {
			if t+a.lag < len(all) {
				f += a.by * all[t+a.lag]
			}
		}
		for _, b := range m.ma {
			if t+b.lag < len(all) {
				f += b.by * e[t+b.lag]
			}
		}
		if t < back {
			all[t], e[t] = f, 0
		} else {
			e[t] = all[t] - f
		}
	}
	for t := range all {
		var f float64
		for _, a := range m.ar {
			if t >= a.lag {
				f += a.by * all[t-a.lag]
			}
		}
		for _, b := range m.ma {
			if t >= b.lag {
				f += b.by * e[t-b.lag]
			}
		}
		e[t] = all[t] - f
	}
}

// From writes the forecasts made after the first t values of y.
func (m *Model) From(y []float64, t int, out []float64) {
	z := y[:t]
	if m.Log {
		z = logarithms(z)
	}
	levels := [][]float64{z}
	lags := []int{}
	if m.Order.SD > 0 {
		lags = append(lags, m.Order.M)
	}
	for range m.Order.D {
		lags = append(lags, 1)
	}
	for _, lag := range lags {
		levels = append(levels, differences(levels[len(levels)-1], lag))
	}
	ahead := m.ahead(levels[len(levels)-1], len(out))
	for i := len(lags) - 1; i >= 0; i-- {
		ahead = integrate(levels[i], ahead, lags[i])
	}
	for h, v := range ahead {
		if m.Log {
			v = math.Exp(v)
		}
		out[h] = v
	}
}

// ahead forecasts the differenced series.
func (m *Model) ahead(w []float64, horizon int) []float64 {
	back := m.reach()
	var r workspace
	r.residuals(m, w, back)
	n := back + len(w)
	all, e := make([]float64, n+horizon), make([]float64, n+horizon)
	copy(all, r.w[:n])
	copy(e, r.e[:n])
	for t := n; t < len(all); t++ {
		for _, a := range m.ar {
			if t >= a.lag {
				all[t] += a.by * all[t-a.lag]
			}
		}
		for _, b := range m.ma {
			if t >= b.lag {
				all[t] += b.by * e[t-b.lag]
			}
		}
	}
	out := all[n:]
	for i := range out {
		out[i] += m.mean
	}
	return out
}

// integrate undoes differences of a lag.
func integrate(y, ahead []float64, lag int) []float64 {
	n := len(y)
	all := append(append(make([]float64, 0, n+len(ahead)), y...), ahead...)
	for t := n; t < len(all); t++ {
		if t >= lag {
			all[t] += all[t-lag]
		}
	}
	return all[n:]
}

// Name is the order.
func (m *Model) Name() string {
	if m.Log {
		return "log " + m.Order.String()
	}
	return m.Order.String()
}
