package train

import (
	"context"
	"math"
)

// boost fits an additive logistic model by cyclic gradient boosting of little trees,
// each over one feature (Lou, Caruana and Gehrke, KDD 2012): where effects jump, it
// follows better than smooth does.
type boost struct {
	rate             float64
	leaves           int
	l2, least        float64 // least curvature of a leaf
	rounds, patience int
}

// usualBoost is slow enough for bags of five.
var usualBoost = boost{rate: 0.15, leaves: 3, l2: 5, least: 2, rounds: 400, patience: 10}

// fit learns on rows and stops when the loss on held has not fallen for a while; it gives
// the best state.
func (s boost) fit(ctx context.Context, d *design, rows, held []int) (*additive, error) {
	a := newAdditive(d, rows)
	score, y := a.scores(d, rows), d.outcome(rows)
	heldScore, heldY := a.scores(d, held), d.outcome(held)
	best, bestLoss, bestRound := a.clone(), logLoss(heldScore, heldY), 0
	for round := 1; round <= s.rounds && round-bestRound < s.patience; round++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for j := range d.feats {
			f := &d.feats[j]
			g, h := make([]float64, f.bins), make([]float64, f.bins)
			slopes(f.codes, rows, score, y, g, h)
			delta := s.tree(f, g, h)
			for k := range delta {
				a.effects[j][k] += delta[k]
			}
			for i, r := range rows {
				score[i] += delta[f.codes[r]]
			}
			for i, r := range held {
				heldScore[i] += delta[f.codes[r]]
			}
		}
		if l := logLoss(heldScore, heldY); l < bestLoss-1e-7 {
			best, bestLoss, bestRound = a.clone(), l, round
		}
	}
	return best, nil
}

// leaf is a run of bins of an order.
type leaf struct {
	from, to int
	g, h     float64
}

func (l leaf) worth(l2 float64) float64 { return l.g * l.g / (l.h + l2) }

// tree is the step of one feature: leaves along the order, each other bin by itself.
func (s boost) tree(f *feature, g, h []float64) []float64 {
	out := make([]float64, f.bins)
	for k := f.ordered; k < f.bins; k++ {
		out[k] = s.rate * g[k] / (h[k] + s.l2)
	}
	whole := leaf{to: f.ordered}
	for k := range f.ordered {
		whole.g += g[k]
		whole.h += h[k]
	}
	leaves := []leaf{whole}
	for len(leaves) < s.leaves {
		best, at := 1e-12, -1
		var left, right leaf
		for k, l := range leaves {
			if gain, a, b := s.split(f, l, g, h); gain > best {
				best, at, left, right = gain, k, a, b
			}
		}
		if at < 0 {
			break
		}
		leaves[at] = left
		leaves = append(leaves, right)
	}
	for _, l := range leaves {
		for k := l.from; k < l.to; k++ {
			out[k] = s.rate * l.g / (l.h + s.l2)
		}
	}
	return out
}

// split finds the best cut of a leaf that keeps the declared direction.
func (s boost) split(f *feature, l leaf, g, h []float64) (best float64, left, right leaf) {
	best = math.Inf(-1)
	a := leaf{from: l.from}
	for cut := l.from + 1; cut < l.to; cut++ {
		a.g += g[cut-1]
		a.h += h[cut-1]
		a.to = cut
		b := leaf{cut, l.to, l.g - a.g, l.h - a.h}
		if a.h < s.least || b.h < s.least || float64(f.monotone)*(b.g/(b.h+s.l2)-a.g/(a.h+s.l2)) < 0 {
			continue
		}
		if gain := a.worth(s.l2) + b.worth(s.l2) - l.worth(s.l2); gain > best {
			best, left, right = gain, a, b
		}
	}
	return best, left, right
}
