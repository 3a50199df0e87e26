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
	mostBins   = 10
	leastShare = 0.02
	woeRows    = 10 // rows of the base rate in the weight of evidence of a bin
)

// What the inner folds choose from: the ridge on the coefficients, in rows of curvature,
// and the log likelihood that one more bin must bring.
var (
	ridges = []float64{2, 20, 200}
	perBin = []float64{0, 0.5, 2}
)

// card is a scorecard before it is written: the weights of evidence of each bin and a
// coefficient for each column.
type card struct {
	design *design
	place  [][]uint16 // bin of the card by bin of the design that it was made from
	woe    [][]float64
	coef   []float64
	base   float64
}

// cards are the scorecards of the inner folds and of all rows, under the ridge and the
// penalty that serve rows best that they have not seen.
type cards struct {
	inner  []*card
	whole  *card
	oof    []float64
	chosen map[string]float64
}

// fitCards bins each column optimally, takes the weight of evidence of each bin and fits
// a logistic regression of them. No coefficient may turn a column's evidence round.
func fitCards(ctx context.Context, d *design, folds []fold.Fold) (*cards, error) {
	type try struct {
		oof, loss []float64
		cards     []*card
	}
	n := len(d.bad)
	tries := make([]try, len(ridges)*len(perBin))
	for k := range tries {
		tries[k] = try{make([]float64, n), make([]float64, n), make([]*card, len(folds))}
	}
	err := eachIndex(ctx, len(folds)*len(perBin), func(ctx context.Context, i int) error {
		at, b := i/len(perBin), i%len(perBin)
		part := folds[at]
		c := newCard(d, part.Train, perBin[b])
		for k, ridge := range ridges {
			if err := ctx.Err(); err != nil {
				return err
			}
			c.fit(part.Train, ridge)
			t := &tries[b*len(ridges)+k]
			for j, s := range c.additive().scores(c.design, part.Test) {
				r := part.Test[j]
				t.oof[r], t.loss[r] = s, rowLoss(s, d.bad[r])
			}
			t.cards[at] = c.clone()
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	best := 0
	for k := range tries {
		if mean(tries[k].loss) < mean(tries[best].loss) {
			best = k
		}
	}
	ridge, penalty := ridges[best%len(ridges)], perBin[best/len(ridges)]
	whole := newCard(d, every(n), penalty)
	whole.fit(every(n), ridge)
	return &cards{tries[best].cards, whole, tries[best].oof, map[string]float64{"ridge": ridge, "bin_penalty": penalty}}, nil
}

func fitScorecard(ctx context.Context, d *design, folds []fold.Fold) (*fitted, error) {
	c, err := fitCards(ctx, d, folds)
	if err != nil {
		return nil, err
	}
	return &fitted{design: c.whole.design, model: c.whole.additive(), oof: c.oof, chosen: c.chosen}, nil
}

// clone keeps the coefficients, which fit changes.
func (c *card) clone() *card {
	out := *c
	out.coef = slices.Clone(c.coef)
	return &out
}

// fine is the card as effects of the bins that it was made from.
func (c *card) fine() *additive {
	a := c.additive()
	for j, place := range c.place {
		e, v := make([]float64, len(place)), make([]float64, len(place))
		for k, at := range place {
			e[k], v[k] = a.effects[j][at], a.vars[j][at]
		}
		a.effects[j], a.vars[j] = e, v
	}
	return a
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
		f, place := d.feats[j].merged(rows, d.bad, all, penalty)
		c.place = append(c.place, place)
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
func (f *feature) merged(rows []int, bad []float64, all bin.Cell, penalty float64) (feature, []uint16) {
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
	return out, place
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
