package behaviour

import "math"

// example is a window to learn from.
type example struct {
	x      []float64
	class  int
	weight float64
}

// logistic is a multinomial logistic regression; the last class is the reference.
// coef[c] are the coefficients of class c, its constant last.
type logistic [][]float64

// steps of Newton's method; it takes about eight.
const newtonSteps = 50

// fit maximises the weighted likelihood less ridge/2 times the squares of the
// coefficients (not of the constants), by Newton's method with halved steps.
func fit(examples []example, classes int, ridge float64) logistic {
	d := len(examples[0].x) + 1
	free := classes - 1
	beta := make([]float64, free*d)
	value := objective(examples, beta, classes, ridge)
	grad, hess := make([]float64, free*d), make([]float64, free*d*free*d)
	p := make([]float64, classes)
	for range newtonSteps {
		for i := range grad {
			grad[i] = 0
		}
		for i := range hess {
			hess[i] = 0
		}
		coef := rows(beta, free)
		for _, e := range examples {
			probabilities(coef, e.x, p)
			for c := range free {
				r := e.weight * p[c]
				if e.class == c {
					r -= e.weight
				}
				axpy(grad[c*d:], e.x, r)
				for k := c; k < free; k++ {
					w := -e.weight * p[c] * p[k]
					if k == c {
						w += e.weight * p[c]
					}
					outer(hess, free*d, c*d, k*d, e.x, w)
				}
			}
		}
		mirror(hess, free*d, d)
		for i := range beta {
			lambda := ridge
			if i%d == d-1 {
				lambda = 1e-9
			}
			grad[i] += lambda * beta[i]
			hess[i*free*d+i] += lambda
		}
		step := solve(hess, grad)
		slope := 0.0
		for i := range step {
			slope += step[i] * grad[i]
		}
		share, next := 1.0, make([]float64, len(beta))
		var v float64
		for ; share > 1e-6; share /= 2 {
			for i := range beta {
				next[i] = beta[i] - share*step[i]
			}
			if v = objective(examples, next, classes, ridge); v <= value-1e-4*share*slope {
				break
			}
		}
		done := value-v < 1e-9*(1+math.Abs(value))
		if v < value {
			beta, value = next, v
		}
		if done {
			break
		}
	}
	return rows(beta, free)
}

// rows are views of the coefficients of each class.
func rows(beta []float64, free int) logistic {
	d := len(beta) / free
	out := make(logistic, free)
	for c := range out {
		out[c] = beta[c*d : (c+1)*d : (c+1)*d]
	}
	return out
}

func axpy(to, x []float64, k float64) {
	for i, v := range x {
		to[i] += k * v
	}
	to[len(x)] += k
}

// outer adds w·x·xᵀ, x with a one behind it, to the block of h at (row, col). Only
// the upper half of the block is written: mirror does the rest once.
func outer(h []float64, width, row, col int, x []float64, w float64) {
	d := len(x)
	for i, v := range x {
		v *= w
		to := h[(row+i)*width+col+i : (row+i)*width+col+d+1]
		for j, u := range x[i:] {
			to[j] += v * u
		}
		to[d-i] += v
	}
	h[(row+d)*width+col+d] += w
}

// mirror copies the upper half of every block of size d to its lower half.
func mirror(h []float64, width, d int) {
	for row := 0; row < width; row += d {
		for col := row; col < width; col += d {
			for i := range d {
				for j := range i {
					h[(row+i)*width+col+j] = h[(row+j)*width+col+i]
				}
			}
		}
	}
}

func objective(examples []example, beta []float64, classes int, ridge float64) float64 {
	d := len(examples[0].x) + 1
	p := make([]float64, classes)
	coef := rows(beta, classes-1)
	sum := 0.0
	for _, e := range examples {
		probabilities(coef, e.x, p)
		sum -= e.weight * math.Log(math.Max(p[e.class], 1e-300))
	}
	for i, b := range beta {
		if i%d != d-1 {
			sum += ridge / 2 * b * b
		}
	}
	return sum
}

// probabilities fills p with the softmax of the scores; the last class scores 0.
func probabilities(coef logistic, x, p []float64) {
	most := 0.0
	for c, b := range coef {
		s := b[len(x)]
		for i, v := range x {
			s += b[i] * v
		}
		p[c] = s
		most = math.Max(most, s)
	}
	p[len(coef)] = 0
	sum := 0.0
	for c := range p {
		p[c] = math.Exp(p[c] - most)
		sum += p[c]
	}
	for c := range p {
		p[c] /= sum
	}
}

// solve returns h⁻¹·g of a symmetric positive definite h whose upper half is
// filled, by Cholesky; h is spent.
func solve(h, g []float64) []float64 {
	n := len(g)
	for j := range n {
		for k := range j {
			f := h[k*n+j]
			for i := j; i < n; i++ {
				h[j*n+i] -= f * h[k*n+i]
			}
		}
		root := math.Sqrt(math.Max(h[j*n+j], 1e-12))
		for i := j; i < n; i++ {
			h[j*n+i] /= root
		}
	}
	x := make([]float64, n)
	for i := range n {
		s := g[i]
		for k := range i {
			s -= h[k*n+i] * x[k]
		}
		x[i] = s / h[i*n+i]
	}
	for i := n - 1; i >= 0; i-- {
		s := x[i]
		for k := i + 1; k < n; k++ {
			s -= h[i*n+k] * x[k]
		}
		x[i] = s / h[i*n+i]
	}
	return x
}
