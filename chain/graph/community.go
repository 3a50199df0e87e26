package graph

import "slices"

// Communities puts every node into a community of nodes that trade with each other more
// than chance would have it, and returns the number of each node's community; they are
// numbered by their smallest nodes. Links count without their direction.
//
// It is Leiden (Traag, Waltman and van Eck 2019), which maximises modularity (Newman
// 2006) at the resolution given; 1 is the usual one, more makes smaller communities.
// Louvain may leave communities whose members are not even connected, and label
// propagation depends on chance; Leiden's refinement step keeps every community in one
// piece, at about the same cost. Instead of drawing lots, nodes move in their order, to
// the best community, and to the lowest of equals: the result is always the same.
func (g *Graph) Communities(resolution float64) []uint32 {
	w := g.weighted()
	n := len(w.self)
	of := make([]uint32, n) // community of each original node
	for v := range of {
		of[v] = uint32(v)
	}
	start := identity(n) // of the nodes of w
	for {
		parts, count := w.move(start, resolution)
		fine, pieces := w.refine(parts, resolution)
		if pieces == n || count == n {
			for v := range of {
				of[v] = parts[of[v]]
			}
			return renumbered(of)
		}
		for v := range of {
			of[v] = fine[of[v]]
		}
		// The pieces become nodes that begin in the communities they were found in.
		start = make([]uint32, pieces)
		for v, p := range fine {
			start[p] = parts[v]
		}
		w = w.joined(fine, pieces)
		n = pieces
	}
}

// Modularity is how much more of the links lies within the communities than chance
// would have there, of 1.
func (g *Graph) Modularity(of []uint32, resolution float64) float64 {
	w := g.weighted()
	if w.total == 0 {
		return 0
	}
	within, degree := 0.0, make([]float64, len(of)+1)
	for v := range w.self {
		within += 2 * w.self[v]
		degree[of[v]] += w.degree[v]
		for e := w.start[v]; e < w.start[v+1]; e++ {
			if of[w.to[e]] == of[v] {
				within += w.weight[e]
			}
		}
	}
	q := within / w.total
	for _, d := range degree {
		q -= resolution * d / w.total * d / w.total
	}
	return q
}

// weighted is an undirected graph: each link stands in both its rows, one of a node to
// itself in self.
type weighted struct {
	start  []int
	to     []uint32
	weight []float64
	self   []float64
	degree []float64 // weights of the row, and twice self
	total  float64   // of degree: twice the weight of all links
}

func (g *Graph) weighted() *weighted {
	n := g.Len()
	w := &weighted{start: make([]int, n+1), self: make([]float64, n), degree: make([]float64, n)}
	w.to = make([]uint32, 0, 2*g.Size())
	w.weight = make([]float64, 0, 2*g.Size())
	var row []uint32
	for v := range uint32(n) {
		row = append(append(row[:0], g.out.of(v)...), g.in.of(v)...)
		slices.Sort(row)
		for _, u := range row {
			last := len(w.to) - 1
			switch {
			case u == v:
				w.self[v] += 0.5 // it stands in both rows
			case last >= w.start[v] && w.to[last] == u:
				w.weight[last]++
			default:
				w.to, w.weight = append(w.to, u), append(w.weight, 1)
			}
		}
		w.start[v+1] = len(w.to)
	}
	w.sum()
	return w
}

func (w *weighted) sum() {
	for v := range w.self {
		w.degree[v] = 2 * w.self[v]
		for _, x := range w.weight[w.start[v]:w.start[v+1]] {
			w.degree[v] += x
		}
		w.total += w.degree[v]
	}
}

func identity(n int) []uint32 {
	out := make([]uint32, n)
	for v := range out {
		out[v] = uint32(v)
	}
	return out
}

// around adds up the weights from a node to each community near it.
type around struct {
	weight []float64
	near   []uint32
}

func (a *around) of(w *weighted, v uint32, part []uint32) {
	for _, c := range a.near {
		a.weight[c] = 0
	}
	a.near = a.near[:0]
	for e := w.start[v]; e < w.start[v+1]; e++ {
		c := part[w.to[e]]
		if a.weight[c] == 0 {
			a.near = append(a.near, c)
		}
		a.weight[c] += w.weight[e]
	}
}

// move lets nodes go where modularity gains most, those first whose neighbours moved
// last, until nobody wants to. It returns communities numbered from 0.
func (w *weighted) move(start []uint32, resolution float64) (part []uint32, count int) {
	n := len(w.self)
	part = slices.Clone(start)
	degree, size := make([]float64, n), make([]int, n)
	for v, c := range part {
		degree[c] += w.degree[v]
		size[c]++
	}
	var empty []uint32 // a community nobody is in: where a node may go alone
	for c := n - 1; c >= 0; c-- {
		if size[c] == 0 {
			empty = append(empty, uint32(c))
		}
	}
	queue, waiting := identity(n), make([]bool, n)
	for v := range waiting {
		waiting[v] = true
	}
	near := around{weight: make([]float64, n)}
	for len(queue) > 0 {
		v := queue[0]
		queue = queue[1:]
		waiting[v] = false
		near.of(w, v, part)
		from := part[v]
		degree[from] -= w.degree[v]
		gain := func(c uint32) float64 { return near.weight[c] - resolution*w.degree[v]*degree[c]/w.total }
		best, most := from, gain(from)
		for _, c := range near.near {
			if x := gain(c); x > most+1e-12 || x > most-1e-12 && c < best && best != from {
				best, most = c, x
			}
		}
		if most < -1e-12 && size[from] > 1 && len(empty) > 0 {
			best = empty[len(empty)-1]
			empty = empty[:len(empty)-1]
		}
		degree[best] += w.degree[v]
		if best == from {
			continue
		}
		size[best]++
		if size[from]--; size[from] == 0 {
			empty = append(empty, from)
		}
		part[v] = best
		for _, u := range w.to[w.start[v]:w.start[v+1]] {
			if !waiting[u] && part[u] != best {
				waiting[u] = true
				queue = append(queue, u)
			}
		}
	}
	return dense(part, n)
}

// refine splits every community into pieces that hang together: each node begins alone,
// and one that is still alone and well tied to its community joins the best piece there.
func (w *weighted) refine(part []uint32, resolution float64) (fine []uint32, pieces int) {
	n := len(w.self)
	fine = identity(n)
	whole := make([]float64, n)                               // degree of each community
	degree, tie := slices.Clone(w.degree), make([]float64, n) // of each piece; its weight to the rest of its community
	single := make([]bool, n)
	for v := range fine {
		single[v] = true
		whole[part[v]] += w.degree[v]
		for e := w.start[v]; e < w.start[v+1]; e++ {
			if part[w.to[e]] == part[v] {
				tie[v] += w.weight[e]
			}
		}
	}
	tied := func(p uint32, c uint32) bool {
		return tie[p] >= resolution*degree[p]*(whole[c]-degree[p])/w.total-1e-12
	}
	near := around{weight: make([]float64, n)}
	for v := range uint32(n) {
		c := part[v]
		if !single[v] || !tied(v, c) {
			continue
		}
		near.of(w, v, fine)
		best, most := v, 0.0
		for _, p := range near.near {
			if part[p] != c || p == v || !tied(p, c) { // a piece has the number of one of its nodes
				continue
			}
			if x := near.weight[p] - resolution*w.degree[v]*degree[p]/w.total; x > most+1e-12 || x > most-1e-12 && best != v && p < best {
				best, most = p, x
			}
		}
		if best == v {
			continue
		}
		fine[v] = best
		single[v], single[best] = false, false
		tie[best] += tie[v] - 2*near.weight[best]
		degree[best] += w.degree[v]
		degree[v] = 0
	}
	return dense(fine, n)
}

// joined makes one node of each piece.
func (w *weighted) joined(fine []uint32, pieces int) *weighted {
	members := pieceMembers(fine, pieces)
	out := &weighted{start: make([]int, pieces+1), self: make([]float64, pieces), degree: make([]float64, pieces)}
	near := around{weight: make([]float64, pieces)}
	for p := range pieces {
		for _, v := range members[p] {
			out.self[p] += w.self[v]
			for e := w.start[v]; e < w.start[v+1]; e++ {
				q := fine[w.to[e]]
				if near.weight[q] == 0 {
					near.near = append(near.near, q)
				}
				near.weight[q] += w.weight[e]
			}
		}
		slices.Sort(near.near)
		for _, q := range near.near {
			if int(q) == p {
				out.self[p] += near.weight[q] / 2
			} else {
				out.to, out.weight = append(out.to, q), append(out.weight, near.weight[q])
			}
			near.weight[q] = 0
		}
		near.near = near.near[:0]
		out.start[p+1] = len(out.to)
	}
	out.sum()
	return out
}

func pieceMembers(fine []uint32, pieces int) [][]uint32 {
	size := make([]int, pieces+1)
	for _, p := range fine {
		size[p+1]++
	}
	all := make([]uint32, len(fine))
	members := make([][]uint32, pieces)
	for p := range pieces {
		size[p+1] += size[p]
		members[p] = all[size[p]:size[p]:size[p+1]]
	}
	for v, p := range fine {
		members[p] = append(members[p], uint32(v))
	}
	return members
}

// dense renumbers labels below n from 0 in the order in which they come.
func dense(label []uint32, n int) ([]uint32, int) {
	number := make([]uint32, n) // 1 + the new one
	next := uint32(0)
	for v, c := range label {
		if number[c] == 0 {
			next++
			number[c] = next
		}
		label[v] = number[c] - 1
	}
	return label, int(next)
}

func renumbered(of []uint32) []uint32 {
	out, _ := dense(of, len(of))
	return out
}
