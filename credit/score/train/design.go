package train

import (
	"math"
	"slices"

	"github.com/furrowcredit/furrow/credit/score/bin"
	"github.com/furrowcredit/furrow/credit/score/fold"
	"github.com/furrowcredit/furrow/credit/score/frame"
)

// feature is a column cut into bins, or a pair of them. The first ordered bins stand in
// an order.
type feature struct {
	spec     bin.Spec
	codes    []uint16
	bins     int
	ordered  int
	monotone int   // of the risk along the order: +1 never falls, -1 never rises
	pair     *pair // not nil for a pair, which has no spec
}

// design is a table cut into bins, with the outcome of each row.
type design struct {
	feats []feature
	bad   []float64
}

// How finely columns are cut. The models smooth over bins, so that more of them cost
// time rather than truth.
const (
	fineBins    = 32
	mostLevels  = 64  // of a category with a bin of their own
	rateGroups  = 16  // of a category of more levels
	rateWeight  = 20  // rows that the base rate counts as, in the rate of a level
	rowsPerBin  = 200 // of the table, one bin has at least so large a part
	leastPerBin = 5
)

// newDesign cuts the columns of a table.
func newDesign(f *frame.Frame, bad []bool, monotone map[string]int, bins int, seed uint64) (*design, error) {
	d := &design{bad: numbers(bad)}
	opt := bin.Fine{Bins: bins, MinRows: max(leastPerBin, f.Rows/rowsPerBin)}
	for i := range f.Columns {
		c := &f.Columns[i]
		ft := feature{}
		switch {
		case c.Kind != frame.Category:
			ft.spec = bin.Numbers(c, opt)
			ft.codes, ft.ordered = ft.spec.Codes(c), ft.spec.Ordered()
			ft.monotone = -monotone[c.Name] // more points, less risk
		case len(c.Levels) > mostLevels:
			folds, err := fold.Stratified(bad, min(5, count(bad), len(bad)-count(bad)), seed)
			if err != nil {
				return nil, err
			}
			ft.spec, ft.codes = bin.Rates(c, bad, folds, rateGroups, rateWeight)
			ft.ordered = len(ft.spec.Groups)
		default:
			ft.spec = bin.Levels(c, bin.Fine{Bins: mostLevels, MinRows: opt.MinRows})
			ft.codes = ft.spec.Codes(c)
		}
		ft.bins = ft.spec.Len()
		d.feats = append(d.feats, ft)
	}
	return d, nil
}

func numbers(bad []bool) []float64 {
	y := make([]float64, len(bad))
	for i, b := range bad {
		if b {
			y[i] = 1
		}
	}
	return y
}

func count(bad []bool) (n int) {
	for _, b := range bad {
		if b {
			n++
		}
	}
	return n
}

// additive is a model of log odds: a base, and an effect for each bin of each feature.
type additive struct {
	base    float64
	effects [][]float64
	vars    [][]float64 // of the effects, where the fit tells
}

func newAdditive(d *design, rows []int) *additive {
	a, bad := &additive{}, 0.5
	for _, r := range rows {
		bad += d.bad[r]
	}
	p := bad / (float64(len(rows)) + 1)
	a.base = math.Log(p / (1 - p))
	for i := range d.feats {
		a.effects = append(a.effects, make([]float64, d.feats[i].bins))
		a.vars = append(a.vars, make([]float64, d.feats[i].bins))
	}
	return a
}

func (a *additive) clone() *additive {
	c := &additive{base: a.base}
	for i := range a.effects {
		c.effects = append(c.effects, slices.Clone(a.effects[i]))
		c.vars = append(c.vars, slices.Clone(a.vars[i]))
	}
	return c
}

// mix is w of a and the rest of b, which have the same features.
func mix(a, b *additive, w float64) *additive {
	c := a.clone()
	c.base = w*a.base + (1-w)*b.base
	for j := range c.effects {
		for k := range c.effects[j] {
			c.effects[j][k] = w*a.effects[j][k] + (1-w)*b.effects[j][k]
			c.vars[j][k] = max(a.vars[j][k], b.vars[j][k])
		}
	}
	return c
}

// average is the mean of models of the same features.
func average(all []*additive) *additive {
	c := all[0].clone()
	for i, a := range all[1:] {
		c = mix(c, a, float64(i+1)/float64(i+2))
	}
	return c
}

// scores are the log odds of rows, feature by feature for the cache's sake.
func (a *additive) scores(d *design, rows []int) []float64 {
	out := make([]float64, len(rows))
	for i := range out {
		out[i] = a.base
	}
	for j := range a.effects {
		codes, e := d.feats[j].codes, a.effects[j]
		for i, r := range rows {
			out[i] += e[codes[r]]
		}
	}
	return out
}

func (d *design) outcome(rows []int) []float64 {
	y := make([]float64, len(rows))
	for i, r := range rows {
		y[i] = d.bad[r]
	}
	return y
}

// logistic is a table of the logistic function: training asks for it a billion times, and
// straight lines between 2^13 places are exact to 1e-7.
var logistic = func() (t [1<<13 + 2]float64) {
	for i := range t {
		t[i] = 1 / (1 + math.Exp(widest-float64(i)*step))
	}
	return t
}()

const (
	widest = 16.0
	step   = 2 * widest / (1 << 13)
)

func sigmoid(x float64) float64 {
	if !(x > -widest && x < widest) {
		return 1 / (1 + math.Exp(-x))
	}
	at := (x + widest) / step
	i := int(at)
	t := at - float64(i)
	return logistic[i] + t*(logistic[i+1]-logistic[i])
}

// rowLoss is the negative log likelihood of log odds; y is 1 for a bad row.
func rowLoss(score, y float64) float64 {
	if y > 0 {
		score = -score
	}
	if score > 30 {
		return score
	}
	return math.Log1p(math.Exp(score))
}

// logLoss is the mean of it.
func logLoss(score, y []float64) float64 {
	sum := 0.0
	for i, s := range score {
		sum += rowLoss(s, y[i])
	}
	return sum / float64(len(score))
}

// slopes gathers the gradient and the curvature of the log likelihood by bin.
func slopes(codes []uint16, rows []int, score, y, g, h []float64) {
	clear(g)
	clear(h)
	for i, r := range rows {
		p := sigmoid(score[i])
		c := codes[r]
		g[c] += y[i] - p
		h[c] += p * (1 - p)
	}
}

// rebase takes a Newton step on the base.
func (a *additive) rebase(score, y []float64) float64 {
	var g, h float64
	for i, s := range score {
		p := sigmoid(s)
		g += y[i] - p
		h += p * (1 - p)
	}
	step := g / (h + 1e-9)
	a.base += step
	for i := range score {
		score[i] += step
	}
	return math.Abs(step)
}

// order makes effects along an order rise or fall as declared: pool adjacent violators,
// with weights (Ayer et al. 1955).
func order(effect, weight []float64, direction int) {
	if direction == 0 || len(effect) < 2 {
		return
	}
	type block struct {
		v, w float64
		n    int
	}
	var stack []block
	for i, e := range effect {
		b := block{e * float64(direction), weight[i] + 1e-9, 1}
		for len(stack) > 0 && stack[len(stack)-1].v > b.v {
			top := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			b = block{(top.v*top.w + b.v*b.w) / (top.w + b.w), top.w + b.w, top.n + b.n}
		}
		stack = append(stack, b)
	}
	at := 0
	for _, b := range stack {
		for range b.n {
			effect[at] = b.v * float64(direction)
			at++
		}
	}
}
