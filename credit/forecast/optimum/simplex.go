// Package optimum finds the least value of a function of few unknowns without
// derivatives: the simplex method of Nelder and Mead (1965), with the coefficients of
// Lagarias and others (1998). It is deterministic.
package optimum

import "math"

// Options bound a search. The zero value gives 100 evaluations an unknown and a
// tolerance of 1e-6.
type Options struct {
	Step      float64 // edge of the first simplex; 0 is 0.5
	Tolerance float64 // relative spread of values at which the search ends
	Most      int     // evaluations at most
}

// Minimise starts at x and returns the best place found and its value. Values that
// are not finite count as worse than any other. It does not keep x.
func Minimise(f func(x []float64) float64, x []float64, o Options) (best []float64, value float64) {
	n := len(x)
	if o.Step == 0 {
		o.Step = 0.5
	}
	if o.Tolerance == 0 {
		o.Tolerance = 1e-6
	}
	if o.Most == 0 {
		o.Most = 100 * n
	}
	s := newSimplex(f, n)
	s.start(x, o.Step)
	for s.calls < o.Most && n > 0 {
		s.sort()
		if spread := s.value[n] - s.value[0]; spread <= o.Tolerance*(math.Abs(s.value[0])+o.Tolerance) {
			break
		}
		s.improve()
	}
	s.sort()
	return s.at[0], s.value[0]
}

// simplex is n+1 corners with their values.
type simplex struct {
	f      func([]float64) float64
	calls  int
	at     [][]float64
	value  []float64
	centre []float64
	try    [2][]float64
}

func newSimplex(f func([]float64) float64, n int) *simplex {
	room := make([]float64, (n+4)*n)
	take := func() []float64 {
		var x []float64
		x, room = room[:n:n], room[n:]
		return x
	}
	s := &simplex{f: f, at: make([][]float64, n+1), value: make([]float64, n+1)}
	for i := range s.at {
		s.at[i] = take()
	}
	s.centre, s.try[0], s.try[1] = take(), take(), take()
	return s
}

func (s *simplex) eval(x []float64) float64 {
	s.calls++
	if v := s.f(x); !math.IsNaN(v) && !math.IsInf(v, 0) {
		return v
	}
	return math.MaxFloat64
}

func (s *simplex) start(x []float64, step float64) {
	for i := range s.at {
		copy(s.at[i], x)
		if i > 0 {
			s.at[i][i-1] += step
		}
		s.value[i] = s.eval(s.at[i])
	}
}

// sort orders the corners by value; equal ones keep their order.
func (s *simplex) sort() {
	for i := 1; i < len(s.value); i++ {
		for j := i; j > 0 && s.value[j] < s.value[j-1]; j-- {
			s.value[j], s.value[j-1] = s.value[j-1], s.value[j]
			s.at[j], s.at[j-1] = s.at[j-1], s.at[j]
		}
	}
}

// improve replaces the worst corner, or draws all towards the best one.
func (s *simplex) improve() {
	n := len(s.centre)
	worst := s.at[n]
	for j := range s.centre {
		s.centre[j] = 0
		for i := range n {
			s.centre[j] += s.at[i][j] / float64(n)
		}
	}
	along := func(to []float64, by float64) float64 {
		for j := range to {
			to[j] = s.centre[j] + by*(worst[j]-s.centre[j])
		}
		return s.eval(to)
	}
	reflected := along(s.try[0], -1)
	switch {
	case reflected < s.value[0]:
		if expanded := along(s.try[1], -2); expanded < reflected {
			s.replace(1, expanded)
		} else {
			s.replace(0, reflected)
		}
	case reflected < s.value[n-1]:
		s.replace(0, reflected)
	case reflected < s.value[n]:
		if outside := along(s.try[1], -0.5); outside <= reflected {
			s.replace(1, outside)
		} else {
			s.shrink()
		}
	default:
		if inside := along(s.try[1], 0.5); inside < s.value[n] {
			s.replace(1, inside)
		} else {
			s.shrink()
		}
	}
}

func (s *simplex) replace(with int, value float64) {
	n := len(s.centre)
	s.at[n], s.try[with] = s.try[with], s.at[n]
	s.value[n] = value
}

func (s *simplex) shrink() {
	for i := 1; i < len(s.at); i++ {
		for j := range s.at[i] {
			s.at[i][j] = s.at[0][j] + 0.5*(s.at[i][j]-s.at[0][j])
		}
		s.value[i] = s.eval(s.at[i])
	}
}
