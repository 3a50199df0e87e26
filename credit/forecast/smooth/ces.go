package smooth

import (
	"math"

	"github.com/furrowcredit/furrow/credit/forecast/optimum"
)

// CES is complex exponential smoothing (Svetunkov, Kourentzes and Ord 2022): the
// value and what is not seen of the series are one complex number, so that one model
// covers level and trend without telling them apart.
type CES struct {
	season byte // 'N' none, 'P' real seasons, 'F' complex seasons
	m      int
	w      [4]float64
	level  [2]float64   // before the first value
	start  [][2]float64 // seasons before the first value
	aicc   float64
}

// FitCES chooses between no season, real and complex seasons by the corrected Akaike
// criterion. It is nil when there are fewer than six values.
func FitCES(y []float64, m int) *CES {
	if len(y) < 6 {
		return nil
	}
	best := fitCES(y, 1, 'N')
	if m > 1 && len(y) >= 2*m+5 {
		for _, kind := range []byte{'P', 'F'} {
			if c := fitCES(y, m, kind); c.aicc < best.aicc {
				best = c
			}
		}
	}
	return best
}

// ring is the running state.
type ring struct {
	level  [2]float64
	season [][2]float64
}

// step takes the value of a time, and returns the forecast the state had of it.
func (c *CES) step(s *ring, y float64, at int) float64 {
	a0, a1 := c.w[0], c.w[1]
	forecast := s.level[0]
	if c.season != 'N' {
		forecast += s.season[at][0]
	}
	e := y - forecast
	l := s.level
	s.level[0] = l[0] - (1-a1)*l[1] + (a0-a1)*e
	s.level[1] = l[0] + (1-a0)*l[1] + (a0+a1)*e
	switch c.season {
	case 'P':
		s.season[at][0] += c.w[2] * e
	case 'F':
		b0, b1 := c.w[2], c.w[3]
		v := s.season[at]
		s.season[at][0] = v[0] - (1-b1)*v[1] + (b0-b1)*e
		s.season[at][1] = v[0] + (1-b0)*v[1] + (b0+b1)*e
	}
	return forecast
}

// stable tells whether the influence of old values dies out: the eigenvalues of the
// discounting matrix lie within the unit circle.
func stable(w0, w1 float64) bool {
	// D = F - g w' = [[1-(w0-w1), -(1-w1)], [1-(w0+w1), 1-w0]]
	a, b, c, d := 1-(w0-w1), -(1 - w1), 1-(w0+w1), 1-w0
	trace, det := a+d, a*d-b*c
	return math.Abs(det) < 1 && math.Abs(trace) < 1+det
}

func fitCES(y []float64, m int, kind byte) *CES {
	c := &CES{season: kind, m: m}
	first := ring{season: make([][2]float64, m)}
	z := y
	if kind != 'N' {
		pattern := Season(y, m, false)
		z = Adjust(y, pattern, false)
		for i, v := range pattern {
			first.season[i] = [2]float64{v, v / 1.1}
		}
	}
	end := Mean(z[max(0, len(z)-max(m, 10)):])
	first.level = [2]float64{end, end / 1.1}
	scratch := make([][2]float64, m)
	n := float64(len(y))
	// Backwards from the end for the state to start from, then forwards.
	begin := func() ring {
		s := ring{first.level, scratch}
		copy(s.season, first.season)
		for t := len(y) - 1; t >= 0; t-- {
			c.step(&s, y[t], t%m)
		}
		return s
	}
	unknowns := map[byte]int{'N': 2, 'P': 3, 'F': 4}[kind]
	x, cost := optimum.Minimise(func(x []float64) float64 {
		copy(c.w[:], x)
		if !c.allowed() {
			return math.Inf(1)
		}
		s := begin()
		var squares float64
		at := 0
		for _, v := range y {
			e := v - c.step(&s, v, at)
			squares += e * e
			if at++; at == m {
				at = 0
			}
		}
		return n * math.Log(squares/n+1e-12)
	}, []float64{1.3, 1, map[byte]float64{'P': 0.1, 'F': 1.3}[kind], 1}[:unknowns], optimum.Options{Step: 0.1, Tolerance: 1e-5, Most: 60 * unknowns})
	copy(c.w[:], x)
	s := begin()
	c.level, c.start = s.level, append([][2]float64(nil), s.season...)
	states := map[byte]int{'N': 2, 'P': m + 1, 'F': 2*m + 1}[kind]
	c.aicc = aicc(cost, unknowns+states+1, len(y))
	return c
}

func (c *CES) allowed() bool {
	switch c.season {
	case 'P':
		if c.w[2] < 0 || c.w[2] > 1 {
			return false
		}
	case 'F':
		if !stable(c.w[2], c.w[3]) {
			return false
		}
	}
	return stable(c.w[0], c.w[1])
}

// From writes the forecasts made after the first t values of y.
func (c *CES) From(y []float64, t int, out []float64) {
	s := ring{c.level, append([][2]float64(nil), c.start...)}
	for i, v := range y[:t] {
		c.step(&s, v, i%c.m)
	}
	for h := range out {
		at := (t + h) % c.m
		out[h] = s.level[0]
		if c.season != 'N' {
			out[h] += s.season[at][0]
		}
		c.step(&s, out[h], at)
	}
}

// Name of the method.
func (c *CES) Name() string { return "CES(" + string(c.season) + ")" }
