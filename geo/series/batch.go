package series

import "math"

// width is how many series [Smoother.Batch] smooths in one pass. Each row of the
// decomposition waits for the division of the row before; with four series side by
// side the processor divides for one while it computes the others.
const width = 4

// rows are the factors and the half-solved value of one row of every lane.
type rows struct{ l1, l2, u [width]float64 }

// Batch smooths many series over the same positions x. The matrices y, w and z are
// series-major: series k takes the elements k·len(x) up to (k+1)·len(x). The curves
// are those of [Smoother.Fixed]; a series with fewer than two weighted values has
// none, is filled with NaN and counted in few. A Smoother that has seen the length
// before allocates nothing. It returns ErrLength, ErrOrder or ErrLambda.
func (s *Smoother) Batch(z, x, y, w []float64, lambda float64) (few int, err error) {
	n := len(x)
	if n == 0 || len(y)%n != 0 || len(w) != len(y) || len(z) != len(y) {
		if len(y)+len(w)+len(z)+n == 0 {
			return 0, nil
		}
		return 0, ErrLength
	}
	if err := checkLambda(lambda); err != nil {
		return 0, err
	}
	if err := s.penalise(x); err != nil {
		return 0, err
	}
	if cap(s.lanes) < n {
		s.lanes = make([]rows, n)
	}
	s.lanes = s.lanes[:n]
	// λP is the same for all.
	for i := range n {
		s.c[i] *= lambda
		s.d[i] *= lambda
		s.e[i] *= lambda
	}
	at := 0
	for ; at+width*n <= len(y); at += width * n {
		s.solveLanes(z[at:at+width*n], y[at:at+width*n], w[at:at+width*n])
	}
	for ; at < len(y); at += n {
		s.solve(z[at:at+n], y[at:at+n], w[at:at+n], 1)
	}
	for at = 0; at < len(y); at += n {
		if live(w[at:at+n]) < 2 {
			few++
			for i := at; i < at+n; i++ {
				z[i] = math.NaN()
			}
		}
	}
	return few, nil
}

// solveLanes is solve for width series at once; the bands hold λP already. Lanes
// are a, b, g and h; for the names of each lane's state see solve.
func (s *Smoother) solveLanes(z, y, w []float64) {
	n := len(s.lanes)
	c, d, e, f := s.c[:n], s.d[:n], s.e[:n], s.lanes[:n]
	y0, y1, y2, y3 := y[:n], y[n:][:n], y[2*n:][:n], y[3*n:][:n]
	w0, w1, w2, w3 := w[:n], w[n:][:n], w[2*n:][:n], w[3*n:][:n]
	var ao, a1, a2, a3, aq, ap float64
	var bo, b1, b2, b3, bq, bp float64
	var gf, g1, g2, g3, gq, gp float64
	var ho, h1, h2, h3, hq, hp float64
	var e1, e2 float64
	for i := range n {
		ci, di, ei := c[i], d[i], e[i]

		aw, ay := weighed(w0[i], y0[i])
		ar := 1 / (aw + ci - a1*ao - a3*e2)
		au := ay - a1*aq - a3*ap
		ao = di - ao*a2
		a1, a2, a3 = ao*ar, ei*ar, a2
		aq, ap = au, aq

		bw, by := weighed(w1[i], y1[i])
		br := 1 / (bw + ci - b1*bo - b3*e2)
		bu := by - b1*bq - b3*bp
		bo = di - bo*b2
		b1, b2, b3 = bo*br, ei*br, b2
		bq, bp = bu, bq

		gw, gy := weighed(w2[i], y2[i])
		gr := 1 / (gw + ci - g1*gf - g3*e2)
		gu := gy - g1*gq - g3*gp
		gf = di - gf*g2
		g1, g2, g3 = gf*gr, ei*gr, g2
		gq, gp = gu, gq

		hw, hy := weighed(w3[i], y3[i])
		hr := 1 / (hw + ci - h1*ho - h3*e2)
		hu := hy - h1*hq - h3*hp
		ho = di - ho*h2
		h1, h2, h3 = ho*hr, ei*hr, h2
		hq, hp = hu, hq

		e2, e1 = e1, ei
		r := &f[i]
		r.l1 = [width]float64{a1, b1, g1, h1}
		r.l2 = [width]float64{a2, b2, g2, h2}
		r.u = [width]float64{aq * ar, bq * br, gq * gr, hq * hr}
	}
	z0, z1, z2, z3 := z[:n], z[n:][:n], z[2*n:][:n], z[3*n:][:n]
	ap, aq, bp, bq, gp, gq, hp, hq = 0, 0, 0, 0, 0, 0, 0, 0
	for i := n - 1; i >= 0; i-- {
		r := &f[i]
		aq, ap = r.u[0]-r.l1[0]*aq-r.l2[0]*ap, aq
		bq, bp = r.u[1]-r.l1[1]*bq-r.l2[1]*bp, bq
		gq, gp = r.u[2]-r.l1[2]*gq-r.l2[2]*gp, gq
		hq, hp = r.u[3]-r.l1[3]*hq-r.l2[3]*hp, hq
		z0[i], z1[i], z2[i], z3[i] = aq, bq, gq, hq
	}
}

// weighed gives the weight, zero for one that is negative or NaN, and weight times
// value, zero where there is no weight, so that a missing value may be NaN. It
// masks bits: clouds come at random, and a wrongly guessed branch costs more.
func weighed(w, y float64) (float64, float64) {
	const infinity = 0x7ff << 52
	b := int64(math.Float64bits(w))
	mask := uint64((-b & (b - infinity - 1)) >> 63) // all ones for 0 < w <= ∞
	return math.Float64frombits(uint64(b) & mask), math.Float64frombits(math.Float64bits(w*y) & mask)
}
