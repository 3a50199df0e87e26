package train

import (
	"context"
	"math"
)

// smooth fits an additive logistic model by cyclic Newton boosting: feature after
// feature, it takes a penalised Newton step on the effects of the bins. Neighbouring bins
// of an order are drawn towards each other, other bins towards nothing. How strongly is
// found for each feature by itself: the penalty is the prior of a random effect, whose
// variance is the mean square of what was found over its degrees of freedom (Schall,
// Biometrika 78, 1991; Wood and Fasiolo, Biometrics 73, 2017). On few rows that estimate
// is rough, so that it counts beside trust degrees of freedom of the usual strength.
type smooth struct {
	trust   float64 // +Inf keeps to the usual strength
	factor  float64 // on all penalties
	cycles  int
	surface float64 // variance of each pair as a smooth surface; 0 draws each cell to nothing by itself
}

// The usual strengths, in inverse variances of log odds: steps between neighbouring bins
// of 0.14, categories of 0.22, cells of a pair of 0.13.
const (
	usualStep  = 50
	usualLevel = 20
	usualCell  = 60
	levelling  = 0.05 // of the strength along an order also draws its bins towards nothing
	longest    = 2.0  // step of an effect at once, in log odds
)

func (f *feature) usual() float64 {
	if f.pair != nil {
		return usualCell
	}
	return usualLevel
}

// fit fits the features from first on; the others keep what start says.
func (s smooth) fit(ctx context.Context, d *design, rows []int, start *additive, first int) (*additive, error) {
	a := start
	if a == nil {
		a = newAdditive(d, rows)
	} else {
		a = a.clone()
	}
	for j := len(a.effects); j < len(d.feats); j++ {
		a.effects = append(a.effects, make([]float64, d.feats[j].bins))
		a.vars = append(a.vars, make([]float64, d.feats[j].bins))
	}
	score, y := a.scores(d, rows), d.outcome(rows)
	along, apart := make([]float64, len(d.feats)), make([]float64, len(d.feats))
	for j := range d.feats {
		along[j], apart[j] = usualStep, d.feats[j].usual()
	}
	for cycle := range s.cycles {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		moved := a.rebase(score, y)
		for j := first; j < len(d.feats); j++ {
			f := &d.feats[j]
			g, h := make([]float64, f.bins), make([]float64, f.bins)
			slopes(f.codes, rows, score, y, g, h)
			was := append([]float64(nil), a.effects[j]...)
			b := block{f: f, effect: a.effects[j], h: h, along: along[j] * s.factor, apart: apart[j] * s.factor}
			if f.pair != nil && s.surface > 0 {
				f.pair.surface(a.effects[j], g, h, 1/s.surface)
			} else {
				b.step(g)
			}
			f.constrain(a.effects[j], h)
			for k, e := range a.effects[j] {
				was[k] = e - was[k]
				moved = max(moved, math.Abs(was[k]))
			}
			for i, r := range rows {
				score[i] += was[f.codes[r]]
			}
			copy(a.vars[j], b.inverse)
			if cycle >= 2 && !math.IsInf(s.trust, 1) {
				along[j], apart[j] = b.strengths(s.trust)
			}
		}
		if moved < 2e-3 {
			break
		}
	}
	return a, nil
}

// constrain makes the effects of a feature keep the declared directions.
func (f *feature) constrain(effect, weight []float64) {
	if f.pair != nil {
		f.pair.constrain(effect)
		return
	}
	order(effect[:f.ordered], weight[:f.ordered], f.monotone)
}

// block is the penalised Newton step of one feature.
type block struct {
	f            *feature
	effect, h    []float64
	along, apart float64
	inverse      []float64 // diagonal of the inverse of curvature and penalty
}

// step solves (H + P) delta = g - P effect: tridiagonal along the order, diagonal apart.
func (b *block) step(g []float64) {
	n, ordered := len(b.effect), b.f.ordered
	diag, off, rhs := make([]float64, n), make([]float64, n), make([]float64, n)
	for k := range n {
		p := b.apart
		if k < ordered {
			p = b.along * levelling
		}
		diag[k] = b.h[k] + p + 1e-9
		rhs[k] = g[k] - p*b.effect[k]
	}
	for k := 0; k+1 < ordered; k++ {
		d := b.effect[k+1] - b.effect[k]
		diag[k] += b.along
		diag[k+1] += b.along
		off[k] = -b.along
		rhs[k] += b.along * d
		rhs[k+1] -= b.along * d
	}
	// Thomas's algorithm down, and the same from below: together they give the diagonal
	// of the inverse.
	down, up := append([]float64(nil), diag...), append([]float64(nil), diag...)
	for k := 1; k < n; k++ {
		w := off[k-1] / down[k-1]
		down[k] -= w * off[k-1]
		rhs[k] -= w * rhs[k-1]
	}
	for k := n - 2; k >= 0; k-- {
		up[k] -= off[k] * off[k] / up[k+1]
	}
	b.inverse = make([]float64, n)
	next := 0.0
	for k := n - 1; k >= 0; k-- {
		b.inverse[k] = 1 / (down[k] + up[k] - diag[k])
		delta := (rhs[k] - off[k]*next) / down[k]
		next = max(-longest, min(longest, delta))
		b.effect[k] += next
	}
}

// strengths are the penalties that the effects themselves speak for.
func (b *block) strengths(trust float64) (along, apart float64) {
	var freeAlong, squareAlong, freeApart, squareApart float64
	for k, e := range b.effect {
		switch free := b.h[k] * b.inverse[k]; {
		case k < b.f.ordered:
			freeAlong += free
			squareAlong += levelling * e * e
			if k+1 < b.f.ordered {
				d := b.effect[k+1] - e
				squareAlong += d * d
			}
		case b.h[k] > 0:
			freeApart += free
			squareApart += e * e
		}
	}
	usual := b.f.usual()
	bound := func(v float64) float64 { return max(0.5, min(1e5, v)) }
	return bound((freeAlong + trust) / (squareAlong + trust/usualStep + 1e-9)),
		bound((freeApart + trust) / (squareApart + trust/usual + 1e-9))
}
