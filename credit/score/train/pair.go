package train

import (
	"cmp"
	"math"
	"slices"
)

// pair is two features together, over groups of their bins: cells, those of the left
// feature's first group first.
type pair struct {
	a, b        int
	left, right *side
	worth       float64
}

// side is a feature in its pairs.
type side struct {
	group     []int // of each bin
	n         int   // groups
	along     int   // of them stand in an order, at the front
	mono      int   // of the risk along it
	precision [][]float64
}

func (p *pair) cells() int { return p.left.n * p.right.n }

// cell is where two bins meet.
func (p *pair) cell(a, b uint16) int { return p.left.group[a]*p.right.n + p.right.group[b] }

// pairGroups is how many groups a feature has in a pair.
const pairGroups = 5

// grouping gathers the bins of a feature for pairs: intervals into groups of about equal
// weight, other bins in the order of their effects. It gives the group of each bin, how
// many groups there are, and how many of them stand in an order.
func (d *design) grouping(j int, rows []int, effect []float64) (group []int, n, ordered int) {
	f := &d.feats[j]
	weight := make([]float64, f.bins)
	for _, r := range rows {
		weight[f.codes[r]]++
	}
	group = make([]int, f.bins)
	var along, apart []int
	for k := range f.bins {
		switch {
		case k < f.ordered:
			along = append(along, k)
		case weight[k] > 0:
			apart = append(apart, k)
		}
	}
	slices.SortFunc(apart, func(a, b int) int { return cmp.Or(cmp.Compare(effect[a], effect[b]), cmp.Compare(a, b)) })
	if f.ordered == 0 {
		n = cut(group, apart, weight, 0, pairGroups)
		return group, max(n, 1), 0
	}
	n = cut(group, along, weight, 0, pairGroups)
	ordered = n
	// What has no place in the order is a group of its own when heavy; else it goes where
	// the effect is nearest.
	for _, k := range apart {
		if f.monotone != 0 || weight[k]*4*pairGroups > float64(len(rows)) {
			group[k] = n
			n++
			continue
		}
		near := 0
		for _, o := range along {
			if math.Abs(effect[o]-effect[k]) < math.Abs(effect[near]-effect[k]) {
				near = o
			}
		}
		group[k] = group[near]
	}
	return group, n, ordered
}

// cut parts bins into at most n groups, numbered from first, and gives the number after
// the last.
func cut(group, bins []int, weight []float64, first, n int) int {
	all, have, open, g := 0.0, 0.0, 0.0, first
	for _, k := range bins {
		all += weight[k]
	}
	for _, k := range bins {
		if open > 0 && g-first+1 < n && have+weight[k]/2 >= all*float64(g-first+1)/float64(n) {
			g++
			open = 0
		}
		group[k] = g
		have += weight[k]
		open += weight[k]
	}
	return g + 1
}

// sides are all features as they stand in pairs.
func (d *design) sides(rows []int, a *additive) []side {
	out := make([]side, len(a.effects))
	for j := range out {
		s := &out[j]
		s.group, s.n, s.along = d.grouping(j, rows, a.effects[j])
		s.mono = d.feats[j].monotone
		weight := make([]float64, s.n)
		for _, r := range rows {
			weight[s.group[d.feats[j].codes[r]]]++
		}
		s.precision = precision(weight, s.along)
	}
	return out
}

// rank orders all pairs by what is left to learn in their cells once the features alone
// are known: the score statistic of each cell less what chance gives it (as FAST does:
// Lou, Caruana, Gehrke and Hooker, KDD 2013).
func (d *design) rank(rows []int, a *additive) []pair {
	score := a.scores(d, rows)
	g, h := make([]float64, len(rows)), make([]float64, len(rows))
	for i, r := range rows {
		p := sigmoid(score[i])
		g[i], h[i] = d.bad[r]-p, p*(1-p)
	}
	sides := d.sides(rows, a)
	n := len(sides)
	codes := make([][]uint8, n)
	for j := range n {
		codes[j] = make([]uint8, len(rows))
		for i, r := range rows {
			codes[j][i] = uint8(sides[j].group[d.feats[j].codes[r]]) //nolint:gosec // few groups
		}
	}
	var out []pair
	cg, ch := make([]float64, 256*256), make([]float64, 256*256)
	for i := range n {
		for j := i + 1; j < n; j++ {
			p := pair{a: i, b: j, left: &sides[i], right: &sides[j]}
			if p.left.n < 2 || p.right.n < 2 {
				continue
			}
			cells := p.cells()
			clear(cg[:cells])
			clear(ch[:cells])
			ci, cj := codes[i], codes[j]
			for r := range rows {
				k := int(ci[r])*p.right.n + int(cj[r])
				cg[k] += g[r]
				ch[k] += h[r]
			}
			for k := range cells {
				p.worth += (cg[k]*cg[k] - ch[k]) / (ch[k] + usualLevel)
			}
			out = append(out, p)
		}
	}
	slices.SortStableFunc(out, func(a, b pair) int { return cmp.Compare(b.worth, a.worth) })
	return out
}

// with adds pairs to the features of a design.
func (d *design) with(pairs []pair) *design {
	out := &design{bad: d.bad, feats: slices.Clone(d.feats)}
	for i := range pairs {
		p := &pairs[i]
		f := feature{bins: p.cells(), codes: make([]uint16, len(d.bad)), pair: p}
		ca, cb := d.feats[p.a].codes, d.feats[p.b].codes
		for r := range f.codes {
			f.codes[r] = uint16(p.cell(ca[r], cb[r])) //nolint:gosec // few groups
		}
		out.feats = append(out.feats, f)
	}
	return out
}

// constrain makes a table rise or fall along the declared inputs: the mean of the least
// such table above it and the greatest below.
func (p *pair) constrain(cell []float64) {
	na, nb := p.left.n, p.right.n
	if p.left.mono != 0 {
		for b := range nb {
			level(cell, b, nb, p.left.along, p.left.mono)
		}
	}
	if p.right.mono != 0 {
		for a := range na {
			level(cell, a*nb, 1, p.right.along, p.right.mono)
		}
	}
}

func level(cell []float64, from, stride, n, direction int) {
	sign := float64(direction)
	up, down := make([]float64, n), make([]float64, n)
	for k := range n {
		v := cell[from+k*stride] * sign
		if up[k] = v; k > 0 {
			up[k] = max(v, up[k-1])
		}
	}
	for k := n - 1; k >= 0; k-- {
		v := cell[from+k*stride] * sign
		if down[k] = v; k+1 < n {
			down[k] = min(v, down[k+1])
		}
	}
	for k := range n {
		cell[from+k*stride] = sign * (up[k] + down[k]) / 2
	}
}
