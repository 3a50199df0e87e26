package train

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/furrowcredit/furrow/credit/score/bin"
	"github.com/furrowcredit/furrow/credit/score/fold"
	"github.com/furrowcredit/furrow/credit/score/frame"
)

// How a scorecard is binned.
const (
	prebins    = 24
	mostBins   = 10
	leastShare = 0.02
	woeRows    = 10 // rows of the base rate in the weight of evidence of a bin
)

// What the inner folds choose from: the ridge on the coefficients, in rows of curvature,
// and the log likelihood that one more bin must bring.
var (
	ridges = []float64{1, 5, 25, 100, 400}
	perBin = []float64{0, 0.5, 1, 3}
)

// card is a scorecard before it is written: the weights of evidence of each bin and a
// coefficient for each column.
type card struct {
	design *design
	woe    [][]float64
	coef   []float64
	base   float64
}

// fitScorecard bins each column optimally, takes the weight of evidence of each bin and
// fits a logistic regression of them under a ridge that the inner folds choose. No
// coefficient may turn a column's evidence round.
func fitScorecard(ctx context.Context, f *frame.Frame, bad []bool, folds []fold.Fold, cfg Config) (*fitted, error) {
	whole, err := newDesign(f, bad, cfg.Monotone, prebins, cfg.Seed)
	if err != nil {
		return nil, err
	}
	loss, oof := make([][]float64, len(ridges)*len(perBin)), make([][]float64, len(ridges)*len(perBin))
	for k := range loss {
		loss[k], oof[k] = make([]float64, len(bad)), make([]float64, len(bad))
	}
	err = eachIndex(ctx, len(folds)*len(perBin), func(ctx context.Context, i int) error {
		part, b := folds[i/len(perBin)], i%len(perBin)
		c := newCard(whole, part.Train, perBin[b])
		for k, ridge := range ridges {
			if err := ctx.Err(); err != nil {
				return err
			}
			c.fit(part.Train, ridge)
			for j, s := range c.additive().scores(c.design, part.Test) {
				r := part.Test[j]
				oof[b*len(ridges)+k][r], loss[b*len(ridges)+k][r] = s, rowLoss(s, whole.bad[r])
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	best := 0
	for k := range loss {
		if mean(loss[k]) < mean(loss[best]) {
			best = k
		}
	}
	all := make([]int, len(bad))
	for i := range all {
		all[i] = i
	}
	ridge, penalty := ridges[best%len(ridges)], perBin[best/len(ridges)]
	c := newCard(whole, all, penalty)
	c.fit(all, ridge)
	return &fitted{design: c.design, model: c.additive(), oof: oof[best], chosen: map[string]float64{"ridge": ridge, "bin_penalty": penalty}}, nil
}

// newCard bins the columns by the outcome of rows.
func newCard(d *design, rows []int, penalty float64) *card {
	c := &card{design: &design{bad: d.bad}}
	var all bin.Cell
	for _, r := range rows {
		all.Bad += d.bad[r]
		all.Good += 1 - d.bad[r]
	}
	c.base = math.Log((all.Bad + 0.5) / (all.Good + 0.5))
	for j := range d.feats {
		f := d.feats[j].merged(rows, d.bad, all, penalty)
		cells := make([]bin.Cell, f.bins)
		for _, r := range rows {
			cells[f.codes[r]].Bad += d.bad[r]
			cells[f.codes[r]].Good += 1 - d.bad[r]
		}
		woe := make([]float64, f.bins)
		base := all.Bad / (all.Bad + all.Good)
		for k, x := range cells {
			b, g := (x.Bad+woeRows*base)/all.Bad, (x.Good+woeRows*(1-base))/all.Good
			woe[k] = math.Log(b / g)
		}
		if f.ordered > 0 && f.spec.Kind != frame.Category {
			w := make([]float64, f.bins)
			for k, x := range cells {
				w[k] = x.Bad + x.Good
			}
			order(woe[:f.ordered], w[:f.ordered], f.monotone)
		}
		c.design.feats = append(c.design.feats, f)
		c.woe = append(c.woe, woe)
	}
	c.coef = make([]float64, len(c.woe))
	return c
}

// merged joins the bins of a feature optimally: neighbours along an order, categories in
// the order of their shares of bad rows.
func (f *feature) merged(rows []int, bad []float64, all bin.Cell, penalty float64) feature {
	cells := make([]bin.Cell, f.bins)
	for _, r := range rows {
		cells[f.codes[r]].Bad += bad[r]
		cells[f.codes[r]].Good += 1 - bad[r]
	}
	n := all.Bad + all.Good
	lim := bin.Limits{Bins: mostBins, Share: leastShare, Penalty: penalty}
	out := feature{spec: f.spec, monotone: f.monotone, codes: make([]uint16, len(f.codes))}
	place := make([]uint16, f.bins)
	if f.spec.Kind == frame.Category {
		f.mergeGroups(&out, cells, place, n, lim)
	} else {
		trend := map[int]bin.Trend{0: bin.Auto, 1: bin.Ascending, -1: bin.Descending}[f.monotone]
		cuts := bin.Merge(cells[:f.ordered], trend, lim)
		out.spec.Edges = nil
		at := 0
		for k := range f.ordered {
			if at < len(cuts) && k == cuts[at] {
				out.spec.Edges = append(out.spec.Edges, f.spec.Edges[k-1])
				at++
			}
			place[k] = uint16(at) //nolint:gosec // few bins
		}
		out.ordered = len(cuts) + 1
		for k := f.ordered; k < f.bins; k++ {
			place[k] = uint16(out.ordered + k - f.ordered) //nolint:gosec // few bins
		}
	}
	out.bins = out.spec.Len()
	for r, c := range f.codes {
		out.codes[r] = place[c]
	}
	return out
}

func (f *feature) mergeGroups(out *feature, cells []bin.Cell, place []uint16, n float64, lim bin.Limits) {
	groups := len(f.spec.Groups)
	order := make([]int, groups)
	for g := range order {
		order[g] = g
	}
	if f.ordered == 0 {
		// A rare group's share says little: it is drawn towards that of all.
		var all bin.Cell
		for _, c := range cells {
			all.Good += c.Good
			all.Bad += c.Bad
		}
		share := func(c bin.Cell) float64 {
			return (c.Bad + woeRows*all.Bad/n) / (c.Bad + c.Good + woeRows)
		}
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(share(cells[a]), share(cells[b])) })
	}
	sorted := make([]bin.Cell, groups)
	for i, g := range order {
		sorted[i] = cells[g]
	}
	out.spec.Groups = nil
	cuts := bin.Merge(sorted, bin.Free, lim)
	at := 0
	for i, g := range order {
		if i == 0 || at < len(cuts) && i == cuts[at] {
			if i > 0 {
				at++
			}
			out.spec.Groups = append(out.spec.Groups, nil)
		}
		out.spec.Groups[at] = append(out.spec.Groups[at], f.spec.Groups[g]...)
		place[g] = uint16(at) //nolint:gosec // few bins
	}
	for _, v := range out.spec.Groups {
		slices.Sort(v)
	}
	for k := groups; k < f.bins; k++ {
		place[k] = uint16(len(out.spec.Groups) + k - groups) //nolint:gosec // few bins
	}
}

// fit finds the coefficients by coordinate descent with Newton steps.
func (c *card) fit(rows []int, ridge float64) {
	d := c.design
	score, y := c.additive().scores(d, rows), d.outcome(rows)
	for range 100 {
		var g, h float64
		for i, s := range score {
			p := sigmoid(s)
			g += y[i] - p
			h += p * (1 - p)
		}
		moved := g / (h + 1e-9)
		c.base += moved
		for i := range score {
			score[i] += moved
		}
		moved = math.Abs(moved)
		for j := range d.feats {
			f := &d.feats[j]
			gb, hb := make([]float64, f.bins), make([]float64, f.bins)
			slopes(f.codes, rows, score, y, gb, hb)
			g, h = -ridge*c.coef[j], ridge
			for k, w := range c.woe[j] {
				g += gb[k] * w
				h += hb[k] * w * w
			}
			step := max(g/h, -c.coef[j]) // evidence keeps its sign
			c.coef[j] += step
			moved = max(moved, math.Abs(step))
			for i, r := range rows {
				score[i] += step * c.woe[j][f.codes[r]]
			}
		}
		if moved < 1e-4 {
			return
		}
	}
}

func (c *card) additive() *additive {
	a := &additive{base: c.base}
	for j, woe := range c.woe {
		e, v := make([]float64, len(woe)), make([]float64, len(woe))
		n := make([]float64, len(woe))
		bads := make([]float64, len(woe))
		for r, k := range c.design.feats[j].codes {
			n[k]++
			bads[k] += c.design.bad[r]
		}
		for k, w := range woe {
			e[k] = c.coef[j] * w
			// The variance of a log odds of a binomial, by the delta method.
			v[k] = c.coef[j] * c.coef[j] * (1/(bads[k]+0.5) + 1/(n[k]-bads[k]+0.5))
		}
		a.effects, a.vars = append(a.effects, e), append(a.vars, v)
	}
	return a
}
