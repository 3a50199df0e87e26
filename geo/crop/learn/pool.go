package learn

import "math"

// Pool joins the answers of several classifiers: each is made sharper or softer by
// its temperature, the results are averaged with weights, and the average is made
// sharper or softer once more so that probabilities can be believed.
type Pool struct {
	Heat   []float64 `json:"heat"`   // temperature of each classifier
	Weight []float64 `json:"weight"` // of each classifier; they sum to 1
	Last   float64   `json:"last"`   // temperature of the average
}

// floor keeps a classifier that gave the truth no chance from deciding all.
const floor = 1e-4

// EvenPool weighs n classifiers alike and leaves their answers as they are.
func EvenPool(n int) Pool {
	p := Pool{Heat: make([]float64, n), Weight: make([]float64, n), Last: 1}
	for i := range n {
		p.Heat[i], p.Weight[i] = 1, 1/float64(n)
	}
	return p
}

// Sound says whether a pool that was read from a file can join answers.
func (p Pool) Sound() bool {
	sum := 0.0
	for _, h := range append([]float64{p.Last}, p.Heat...) {
		if !(h > 0.01 && h < 100) {
			return false
		}
	}
	for _, w := range p.Weight {
		if !(w >= 0) {
			return false
		}
		sum += w
	}
	return math.Abs(sum-1) < 1e-6
}

// FitPool finds temperatures and weights of the greatest likelihood. answers are
// the probabilities of each classifier for rows that it was not trained on, truth
// the classes of those rows. Weights are found by expectation-maximisation of a
// mixture, drawn a little towards even ones, so that few rows do not silence a
// classifier.
func FitPool(answers []*Matrix, truth []int) Pool {
	p := EvenPool(len(answers))
	if len(truth) == 0 {
		return p
	}
	hot := make([]*Matrix, len(answers))
	for m, a := range answers {
		p.Heat[m] = temperature(a, truth)
		hot[m] = NewMatrix(a.Rows, a.Cols)
		for i := range a.Rows {
			copy(hot[m].Row(i), a.Row(i))
			heat(hot[m].Row(i), p.Heat[m])
		}
	}
	const rounds, prior = 100, 5.0
	share := make([]float64, len(answers))
	for range rounds {
		for m := range share {
			share[m] = prior / float64(len(share))
		}
		for i, t := range truth {
			sum := 0.0
			for m := range hot {
				sum += p.Weight[m] * hot[m].Row(i)[t]
			}
			for m := range hot {
				share[m] += p.Weight[m] * hot[m].Row(i)[t] / sum
			}
		}
		for m := range share {
			p.Weight[m] = share[m] / (float64(len(truth)) + prior)
		}
	}
	joined := NewMatrix(answers[0].Rows, answers[0].Cols)
	rows := make([][]float64, len(hot))
	for i := range joined.Rows {
		for m := range hot {
			rows[m] = answers[m].Row(i)
		}
		p.Join(rows, joined.Row(i))
	}
	p.Last = temperature(joined, truth)
	return p
}

// Join writes the joint probabilities of one row into out.
func (p Pool) Join(answers [][]float64, out []float64) {
	clear(out)
	hot := make([]float64, len(out))
	for m, a := range answers {
		copy(hot, a)
		heat(hot, p.Heat[m])
		for k, v := range hot {
			out[k] += p.Weight[m] * v
		}
	}
	if p.Last != 1 {
		heat(out, p.Last)
	}
}

// heat raises probabilities to the power 1/t and makes them sum to 1 again.
func heat(p []float64, t float64) {
	for k, v := range p {
		p[k] = math.Log(v*(1-floor)+floor/float64(len(p))) / t
	}
	Softmax(p)
}

// temperature of the greatest likelihood, by golden section on its logarithm
// between 1/5 and 5; the likelihood has one top there.
func temperature(a *Matrix, truth []int) float64 {
	row := make([]float64, a.Cols)
	loss := func(log float64) float64 {
		t, sum := math.Exp(log), 0.0
		for i, k := range truth {
			copy(row, a.Row(i))
			heat(row, t)
			sum -= math.Log(row[k])
		}
		return sum
	}
	const golden = 0.6180339887498949
	lo, hi := -math.Log(5), math.Log(5)
	x, y := hi-golden*(hi-lo), lo+golden*(hi-lo)
	fx, fy := loss(x), loss(y)
	for hi-lo > 0.01 {
		if fx < fy {
			hi, y, fy = y, x, fx
			x = hi - golden*(hi-lo)
			fx = loss(x)
		} else {
			lo, x, fx = x, y, fy
			y = lo + golden*(hi-lo)
			fy = loss(y)
		}
	}
	return math.Exp((lo + hi) / 2)
}
