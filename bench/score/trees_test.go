package score

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// table is columns cut into bins, of which the first ordered ones stand in an order.
type table struct {
	codes   [][]uint16
	bins    []int
	ordered []int
	bad     []bool
}

// boosting is gradient boosting of trees with a Newton step in the leaves, rows and
// columns drawn anew for each tree, stopped by rows held back.
type boosting struct {
	rate, l2, least    float64
	depth              int
	rowShare, colShare float64
	rounds, patience   int
	seed               uint64
}

type node struct {
	column, left, right int
	goes                []bool // by bin: to the left
	value               float64
}

type forest struct {
	base  float64
	trees [][]node
}

func (f *forest) logit(t *table, row int) float64 {
	s := f.base
	for _, tree := range f.trees {
		k := 0
		for tree[k].left > 0 {
			if tree[k].goes[t.codes[tree[k].column][row]] {
				k = tree[k].left
			} else {
				k = tree[k].right
			}
		}
		s += tree[k].value
	}
	return s
}

func truth(bad bool) float64 {
	if bad {
		return 1
	}
	return 0
}

func (b boosting) fit(t *table, rows, held []int) *forest {
	rng := rand.New(rand.NewPCG(b.seed, 7)) //nolint:gosec // folds must be repeatable, not secret
	share := 0.0
	for _, r := range rows {
		share += truth(t.bad[r]) / float64(len(rows))
	}
	f := &forest{base: math.Log(share / (1 - share))}
	score, g, h := make([]float64, len(t.bad)), make([]float64, len(t.bad)), make([]float64, len(t.bad))
	for i := range score {
		score[i] = f.base
	}
	best, keep := math.Inf(1), 0
	for round := 1; round <= b.rounds && round-keep <= b.patience; round++ {
		var use, columns []int
		for _, r := range rows {
			p := 1 / (1 + math.Exp(-score[r]))
			g[r], h[r] = truth(t.bad[r])-p, p*(1-p)
			if rng.Float64() < b.rowShare {
				use = append(use, r)
			}
		}
		for j := range t.codes {
			if rng.Float64() < b.colShare {
				columns = append(columns, j)
			}
		}
		if len(columns) == 0 {
			columns = append(columns, rng.IntN(len(t.codes)))
		}
		grown := &growth{boosting: b, t: t, columns: columns, g: g, h: h}
		grown.grow(use, 0)
		one := forest{trees: [][]node{grown.nodes}}
		f.trees = append(f.trees, grown.nodes)
		for _, r := range rows {
			score[r] += one.logit(t, r)
		}
		loss := 0.0
		for _, r := range held {
			score[r] += one.logit(t, r)
			s := score[r]
			if t.bad[r] {
				s = -s
			}
			loss += math.Log1p(math.Exp(s))
		}
		if loss < best {
			best, keep = loss, round
		}
	}
	f.trees = f.trees[:keep]
	return f
}

// growth grows one tree.
type growth struct {
	boosting
	t       *table
	columns []int
	g, h    []float64
	nodes   []node
}

func (w *growth) grow(rows []int, depth int) int {
	at := len(w.nodes)
	w.nodes = append(w.nodes, node{})
	var sg, sh float64
	for _, r := range rows {
		sg += w.g[r]
		sh += w.h[r]
	}
	w.nodes[at].value = w.rate * sg / (sh + w.l2)
	if depth == w.depth {
		return at
	}
	best, column, goes := 1e-9, 0, []bool(nil)
	for _, j := range w.columns {
		if gain, to := w.split(j, rows, sg, sh); gain > best {
			best, column, goes = gain, j, to
		}
	}
	if goes == nil {
		return at
	}
	var left, right []int
	for _, r := range rows {
		if goes[w.t.codes[column][r]] {
			left = append(left, r)
		} else {
			right = append(right, r)
		}
	}
	a := w.grow(left, depth+1)
	b := w.grow(right, depth+1)
	w.nodes[at].column, w.nodes[at].goes, w.nodes[at].left, w.nodes[at].right = column, goes, a, b
	return at
}

// split finds the best cut along the order, with the other bins on either side; bins
// without an order are cut along their mean gradient.
func (w *growth) split(j int, rows []int, sg, sh float64) (best float64, goes []bool) {
	bins := w.t.bins[j]
	g, h := make([]float64, bins), make([]float64, bins)
	for _, r := range rows {
		k := w.t.codes[j][r]
		g[k] += w.g[r]
		h[k] += w.h[r]
	}
	var along, apart []int
	for k := range bins {
		switch {
		case k < w.t.ordered[j]:
			along = append(along, k)
		case h[k] > 0:
			apart = append(apart, k)
		}
	}
	slices.SortStableFunc(apart, func(a, b int) int { return cmp.Compare(g[a]/(h[a]+w.l2), g[b]/(h[b]+w.l2)) })
	try := func(order, first []int) {
		var gl, hl float64
		for _, k := range first {
			gl += g[k]
			hl += h[k]
		}
		for i := 0; i+1 < len(order); i++ {
			gl += g[order[i]]
			hl += h[order[i]]
			if hl < w.least || sh-hl < w.least {
				continue
			}
			gain := gl*gl/(hl+w.l2) + (sg-gl)*(sg-gl)/(sh-hl+w.l2) - sg*sg/(sh+w.l2)
			if gain <= best {
				continue
			}
			best, goes = gain, make([]bool, bins)
			for _, k := range slices.Concat(first, order[:i+1]) {
				goes[k] = true
			}
		}
	}
	if len(along) == 0 {
		try(apart, nil)
		return best, goes
	}
	try(along, apart)
	try(slices.Concat(along, apart), nil)
	return best, goes
}
