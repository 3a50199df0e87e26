package contagion

import (
	"math"
	"slices"
)

// patience is after how many rounds a wave leaps instead of stepping.
const patience = 12

// Bounds of a leap.
const (
	leapSteps = 100   // of BiCGSTAB
	leapSlack = 1e-12 // by which a solution may be out of 0..1, for rounding
)

// leap is the memory of leaps: the rows of the linear system over the touched firms,
// 80 bytes a firm.
type leap struct {
	firms   []uint32  // touched, in order of place
	lo, hi  []uint32  // of each row: the links that decide, lo = hi where the shock does
	z       []float64 // by firm: what is multiplied
	weight  []float64 // by row: what partners feel of a unit of its loss
	partial []float64

	x, r, r0, p, v, s, t []float64
}

// leap replaces many rounds by one solution of a linear system. Firms in a circle pass
// a loss around for hundreds of rounds that shrink by a constant factor. With the
// inputs that decide now and today's market shares held fast, the rounds are linear,
// and no firm loses more in their limit than in the true one: deciding inputs are a
// maximum and market shares only grow. So it is safe to go on from there.
//
// The system is solved by BiCGSTAB (van der Vorst 1992) from the losses at hand. When
// it does not converge, or leaves 0..1, nothing changes and the rounds go on.
func (w *wave) leap(strikes []strike, params Params) {
	if w.jump == nil {
		w.jump = &leap{z: make([]float64, w.net.Len())}
	}
	l := w.jump
	l.rows(w, strikes)
	ok := l.solve(w, params.tolerance()/10, params.Workers)
	for _, i := range l.firms {
		l.z[i] = 0
	}
	w.changed = w.changed[:0]
	for row, i := range l.firms {
		if ok && l.x[row] > w.loss[i] {
			w.grow(i, min(l.x[row], 1), w.first[i])
		}
		w.changed = append(w.changed, i) // also what was due before the leap
	}
}

// rows chooses for each touched firm the links that decide its loss now.
func (l *leap) rows(w *wave, strikes []strike) {
	n := len(w.touched)
	l.firms = append(l.firms[:0], w.touched...)
	slices.Sort(l.firms)
	l.lo, l.hi = slices.Grow(l.lo[:0], n)[:n], slices.Grow(l.hi[:0], n)[:n]
	for _, v := range []*[]float64{&l.weight, &l.x, &l.r, &l.r0, &l.p, &l.v, &l.s, &l.t} {
		*v = slices.Grow((*v)[:0], n)[:n]
	}
	for row, i := range l.firms {
		var brought float64
		if w.dir == upstream {
			l.lo[row], l.hi[row] = w.net.out.start[i], w.net.out.start[i+1]
			l.weight[row], brought = 1, w.brought(i)
		} else {
			l.lo[row], l.hi[row], brought = w.deciding(i)
			l.weight[row] = w.net.marketShare(i, w.lost[w.net.sector[i]])
		}
		if k, struck := slices.BinarySearchFunc(strikes, i, func(s strike, i uint32) int { return int(s.firm) - int(i) }); struck && strikes[k].part >= brought {
			l.lo[row], l.hi[row] = 0, 0
		}
		l.x[row] = w.loss[i]
	}
}

// deciding finds the group of inputs that lacks most.
func (w *wave) deciding(i uint32) (lo, hi uint32, worst float64) {
	in := &w.net.in
	for a := in.start[i]; a < in.start[i+1]; {
		b, sum := a, 0.0
		for ; b < in.start[i+1] && (b == a || in.to[b]&newGroup == 0); b++ {
			sum += in.share[b] * w.felt[in.to[b]&idMask]
		}
		if sum > worst {
			lo, hi, worst = a, b, sum
		}
		a = b
	}
	return lo, hi, worst
}

// product sets out = (I - A) x.
func (l *leap) product(out, x []float64, links *rows, workers int) {
	for row, i := range l.firms {
		l.z[i] = l.weight[row] * x[row]
	}
	inParts((len(x)+chunk-1)/chunk, workers, func(c int) {
		for row := c * chunk; row < min(len(x), (c+1)*chunk); row++ {
			sum := x[row]
			for k := l.lo[row]; k < l.hi[row]; k++ {
				sum -= links.share[k] * l.z[links.to[k]&idMask]
			}
			out[row] = sum
		}
	})
}

// sum adds f over all rows, part by part in a fixed order.
func (l *leap) sum(workers int, f func(lo, hi int) float64) float64 {
	n := len(l.firms)
	l.partial = slices.Grow(l.partial[:0], (n+chunk-1)/chunk)[:(n+chunk-1)/chunk]
	inParts(len(l.partial), workers, func(c int) { l.partial[c] = f(c*chunk, min(n, (c+1)*chunk)) })
	total := 0.0
	for _, s := range l.partial {
		total += s
	}
	return total
}

func dot(a, b []float64) (sum float64) {
	for i, v := range a {
		sum += v * b[i]
	}
	return sum
}

// solve finds x with (I - A) x = b, where b is what keeps the struck firms at their
// loss, to a residual of at most small in every row.
func (l *leap) solve(w *wave, small float64, workers int) bool {
	links := &w.net.out
	if w.dir == downstream {
		links = &w.net.in
	}
	l.product(l.r, l.x, links, workers)
	for row := range l.r {
		if l.lo[row] == l.hi[row] {
			l.r[row] = 0
		} else {
			l.r[row] = -l.r[row]
		}
		l.r0[row], l.p[row] = l.r[row], l.r[row]
	}
	rho := l.sum(workers, func(lo, hi int) float64 { return dot(l.r[lo:hi], l.r[lo:hi]) })
	for range leapSteps {
		l.product(l.v, l.p, links, workers)
		alpha := rho / l.sum(workers, func(lo, hi int) float64 { return dot(l.r0[lo:hi], l.v[lo:hi]) })
		l.sum(workers, func(lo, hi int) float64 {
			for i := lo; i < hi; i++ {
				l.s[i] = l.r[i] - alpha*l.v[i]
			}
			return 0
		})
		l.product(l.t, l.s, links, workers)
		tt := l.sum(workers, func(lo, hi int) float64 { return dot(l.t[lo:hi], l.t[lo:hi]) })
		omega := part(l.sum(workers, func(lo, hi int) float64 { return dot(l.t[lo:hi], l.s[lo:hi]) }), tt)
		next := l.sum(workers, func(lo, hi int) float64 {
			for i := lo; i < hi; i++ {
				l.x[i] += alpha*l.p[i] + omega*l.s[i]
				l.r[i] = l.s[i] - omega*l.t[i]
			}
			return dot(l.r0[lo:hi], l.r[lo:hi])
		})
		if off := largest(l.r); off <= small {
			return l.plausible()
		} else if math.IsNaN(off) || omega == 0 {
			return false
		}
		beta := next / rho * alpha / omega
		rho = next
		l.sum(workers, func(lo, hi int) float64 {
			for i := lo; i < hi; i++ {
				l.p[i] = l.r[i] + beta*(l.p[i]-omega*l.v[i])
			}
			return 0
		})
	}
	return false
}

func largest(v []float64) float64 {
	most := 0.0
	for _, x := range v {
		most = max(most, math.Abs(x)) // NaN stays
	}
	return most
}

// plausible says whether the solution is a loss everywhere.
func (l *leap) plausible() bool {
	for _, x := range l.x {
		if !(x >= -leapSlack && x <= 1+leapSlack) {
			return false
		}
	}
	return true
}
