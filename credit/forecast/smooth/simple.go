package smooth

// Naive repeats the value of one season before, or the last one when m is 1.
type Naive struct{ M int }

// From writes the forecasts made after the first t values of y.
func (f Naive) From(y []float64, t int, out []float64) {
	m := f.M
	if t < m {
		m = 1
	}
	for h := range out {
		if h < m {
			out[h] = y[t-m+h]
		} else {
			out[h] = out[h-m]
		}
	}
}

// Name of the method.
func (f Naive) Name() string {
	if f.M > 1 {
		return "seasonal naive"
	}
	return "naive"
}

// Croston is the method of Teunter, Syntetos and Babai (2011) for series in which
// most values are zero: the chance of a value and its size are smoothed apart, and
// the chance falls while nothing comes, so that a firm that stopped is seen to have.
type Croston struct{ Size, Chance float64 }

// FitCroston tries nine pairs of weights and keeps that with the smallest squares.
// It is nil when nothing but zeros is there.
func FitCroston(y []float64) *Croston {
	some := false
	for _, v := range y {
		some = some || v != 0
	}
	if !some {
		return nil
	}
	best, least := Croston{}, 0.0
	for i, size := range []float64{0.05, 0.1, 0.2} {
		for j, chance := range []float64{0.02, 0.05, 0.1} {
			f := Croston{size, chance}
			s := f.begin(y)
			var sum float64
			for _, v := range y {
				e := v - s.size*s.chance
				sum += e * e
				f.take(&s, v)
			}
			if i+j == 0 || sum < least {
				best, least = f, sum
			}
		}
	}
	return &best
}

type demand struct{ size, chance float64 }

// begin takes the mean size and the share of values that are not zero.
func (f *Croston) begin(y []float64) demand {
	var sum, n float64
	for _, v := range y {
		if v != 0 {
			sum += v
			n++
		}
	}
	if n == 0 {
		return demand{}
	}
	return demand{sum / n, n / float64(len(y))}
}

func (f *Croston) take(s *demand, v float64) {
	if v != 0 {
		s.chance += f.Chance * (1 - s.chance)
		s.size += f.Size * (v - s.size)
	} else {
		s.chance -= f.Chance * s.chance
	}
}

// From writes the forecasts made after the first t values of y.
func (f *Croston) From(y []float64, t int, out []float64) {
	s := f.begin(y[:t])
	for _, v := range y[:t] {
		f.take(&s, v)
	}
	for h := range out {
		out[h] = s.size * s.chance
	}
}

// Name of the method.
func (f *Croston) Name() string { return "TSB" }
