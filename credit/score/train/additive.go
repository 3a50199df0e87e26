package train

import (
	"context"
	"maps"
	"math"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/furrowcredit/furrow/credit/score/fold"
)

// The choices that the inner folds make for the additive method.
var (
	smooths = []smooth{ // the first is the usual one
		{trust: math.Inf(1), factor: 1}, {trust: 16, factor: 1}, {trust: 2, factor: 1}, {trust: math.Inf(1), factor: 4}, {trust: math.Inf(1), factor: 20},
	}
	blends    = []float64{1, 0.75, 0.5}       // share of the smooth part beside the boosted
	cardParts = []float64{0.5, 0.75, 1, 0.25} // share of both beside the scorecard
	pairTries = []int{5, 10, usualPairs}
	cellTries = []float64{1, 3}
)

// Cycles of backfitting at most, for features and for the pairs on top of them, and how
// many pairs are found one by one when nobody says.
const (
	cycles     = 40
	pairCycles = 12
	usualPairs = 20
)

// fitted is a model of log odds and what the inner folds say of it.
type fitted struct {
	design *design
	model  *additive
	oof    []float64 // log odds of each row by a model that has not seen it
	chosen map[string]float64
}

// part of a fitting by inner folds: the state of one fold.
type inner struct {
	fold.Fold
	smooth []*additive // by the tries
	boost  *additive
	card   *additive
	main   *additive
	pairs  []pair
}

// fitAdditive fits the additive method: smooth and boosted effects of each feature and
// those of a scorecard, mixed, and a few pairs on top. Each of the three errs in its own
// way, and a mixture of tables is a table. Strengths, mix and number of pairs are those that serve rows best
// that the fit has not seen.
func fitAdditive(ctx context.Context, d *design, folds []fold.Fold, mostPairs int) (*fitted, error) {
	parts := make([]inner, len(folds))
	for i, f := range folds {
		parts[i] = inner{Fold: f, smooth: make([]*additive, len(smooths))}
	}
	err := eachIndex(ctx, len(parts), func(ctx context.Context, i int) (err error) {
		p := &parts[i]
		for k, s := range smooths {
			s.cycles = cycles
			var start *additive
			if k > 0 { // from the last one it is not far
				start = p.smooth[k-1]
			}
			if p.smooth[k], err = s.fit(ctx, d, p.Train, start, 0); err != nil {
				return err
			}
		}
		p.boost, err = usualBoost.fit(ctx, d, p.Train, p.Test)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &fitted{chosen: map[string]float64{}}
	tries := make([][]float64, len(smooths))
	for k := range smooths {
		tries[k] = unseen(d, parts, func(p *inner) *additive { return p.smooth[k] })
	}
	best := clearly(tries)
	tries = tries[:0]
	for _, w := range blends {
		tries = append(tries, unseen(d, parts, func(p *inner) *additive { return mix(p.smooth[best], p.boost, w) }))
	}
	mixed := clearly(tries)
	share := blends[mixed]
	card, err := fitCards(ctx, d, folds)
	if err != nil {
		return nil, err
	}
	for i := range parts {
		p := &parts[i]
		p.card, p.main = card.inner[i].fine(), mix(p.smooth[best], p.boost, share)
	}
	tries = tries[:0]
	for _, w := range cardParts {
		tries = append(tries, unseen(d, parts, func(p *inner) *additive { return mix(p.main, p.card, w) }))
	}
	mixed = clearly(tries)
	part := cardParts[mixed]
	out.chosen["trust"], out.chosen["penalty"], out.chosen["smooth_share"] = min(smooths[best].trust, 1e6), smooths[best].factor, share
	out.chosen["card_share"] = 1 - part
	maps.Copy(out.chosen, card.chosen)
	all := every(len(d.bad))
	s := smooths[best]
	s.cycles = cycles
	whole, err := s.fit(ctx, d, all, nil, 0)
	if err != nil {
		return nil, err
	}
	boosts := make([]*additive, len(parts))
	for i := range parts {
		boosts[i] = parts[i].boost
	}
	whole = mix(mix(whole, average(boosts), share), card.whole.fine(), part)
	for i := range parts {
		parts[i].main = mix(parts[i].main, parts[i].card, part)
	}
	out.design, out.model = d, whole
	if err := out.pairs(ctx, parts, all, mostPairs); err != nil {
		return nil, err
	}
	out.oof = make([]float64, len(d.bad))
	for i := range parts {
		p := &parts[i]
		for k, v := range p.main.scores(d.with(p.pairs), p.Test) {
			out.oof[p.Test[k]] = v
		}
	}
	return out, nil
}

// pairs adds as many pairs as help rows not seen: few that are found one by one, or all
// of them as surfaces. 0 means as many as usual, or all.
func (f *fitted) pairs(ctx context.Context, parts []inner, all []int, most int) error {
	d := f.design
	ranked := make([][]pair, len(parts))
	total := math.MaxInt
	for i := range parts {
		ranked[i] = d.rank(parts[i].Train, parts[i].main)
		total = min(total, len(ranked[i]))
	}
	type try struct {
		n      int
		how    smooth
		models []*additive
		losses []float64
	}
	fit := func(n int, how smooth) (*try, error) {
		t := &try{n: n, how: how, models: make([]*additive, len(parts))}
		t.how.trust, t.how.cycles = math.Inf(1), pairCycles
		losses := make([][]float64, len(parts))
		err := eachIndex(ctx, len(parts), func(ctx context.Context, i int) (err error) {
			p := &parts[i]
			with := d.with(ranked[i][:n])
			if t.models[i], err = t.how.fit(ctx, with, p.Train, p.main, len(d.feats)); err != nil {
				return err
			}
			for k, v := range t.models[i].scores(with, p.Test) {
				losses[i] = append(losses[i], rowLoss(v, d.bad[p.Test[k]]))
			}
			return nil
		})
		t.losses = slices.Concat(losses...)
		return t, err
	}
	tries := []*try{{losses: unseen(d, parts, func(p *inner) *additive { return p.main })}}
	losses := [][]float64{tries[0].losses}
	found := most
	if most == 0 {
		found, most = usualPairs, math.MaxInt
	}
	for _, n := range pairTries {
		for _, factor := range cellTries {
			if n > min(found, total) {
				continue
			}
			t, err := fit(n, smooth{factor: factor})
			if err != nil {
				return err
			}
			tries, losses = append(tries, t), append(losses, t.losses)
		}
	}
	best := tries[clearly(losses)]
	if total > 0 && total <= most && total*len(all) <= mostCodes {
		surfaces := func(v float64) (*try, error) { return fit(total, smooth{factor: 1, surface: v / float64(total)}) }
		unlikely := make([]float64, len(surfaceTries)) // negative log likelihood of the rows not seen
		for k, v := range surfaceTries {
			if unlikely[k] = mean(losses[0]); v > 0 {
				t, err := surfaces(v)
				if err != nil {
					return err
				}
				unlikely[k] = mean(t.losses)
			}
			unlikely[k] *= float64(len(all))
		}
		least, variance, weight := slices.Min(unlikely), 0.0, 0.0
		for k, v := range surfaceTries {
			w := math.Exp(least - unlikely[k])
			variance, weight = variance+w*v, weight+w
		}
		t, err := surfaces(variance / weight)
		if err != nil {
			return err
		}
		if mean(t.losses) < mean(best.losses) {
			best = t
		}
	}
	f.chosen["pairs"] = float64(best.n)
	if best.n == 0 {
		return nil
	}
	if best.how.surface > 0 {
		f.chosen["surface_variance"] = best.how.surface * float64(best.n)
	} else {
		f.chosen["pair_penalty"] = best.how.factor
	}
	for i := range parts {
		parts[i].main, parts[i].pairs = best.models[i], ranked[i][:best.n]
	}
	pairs := d.rank(all, f.model)
	f.design = d.with(pairs[:min(best.n, len(pairs))])
	var err error
	f.model, err = best.how.fit(ctx, f.design, all, f.model, len(d.feats))
	return err
}

// unseen are the losses of the rows that each fold has kept back.
func unseen(d *design, parts []inner, of func(*inner) *additive) []float64 {
	var out []float64
	for i := range parts {
		p := &parts[i]
		for k, v := range of(p).scores(d, p.Test) {
			out = append(out, rowLoss(v, d.bad[p.Test[k]]))
		}
	}
	return out
}

// clearly picks the try with the least loss, but leaves the first only for one that is
// better by more than two standard errors of the difference.
func clearly(tries [][]float64) int {
	best, bestMean := 0, math.Inf(1)
	for k, t := range tries {
		m := 0.0
		for i := range t {
			m += t[i] - tries[0][i]
		}
		m /= float64(len(t))
		square := 0.0
		for i := range t {
			square += (t[i] - tries[0][i] - m) * (t[i] - tries[0][i] - m)
		}
		if k > 0 && m+2*math.Sqrt(square)/float64(len(t)) >= 0 {
			continue
		}
		if m < bestMean {
			best, bestMean = k, m
		}
	}
	return best
}

// every is the places of n rows.
func every(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func mean(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / float64(max(len(v), 1))
}

// eachIndex runs n pieces of work on all processors; what they make does not depend on
// their order.
func eachIndex(ctx context.Context, n int, do func(context.Context, int) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i := range n {
		g.Go(func() error { return do(ctx, i) })
	}
	return g.Wait()
}
