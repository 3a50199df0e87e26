package graph

import (
	"cmp"
	"slices"
)

func find(row []uint32, v uint32) (int, bool) { return slices.BinarySearch(row, v) }

// Build makes a graph of n nodes. An edge given twice is there twice. It panics when
// an edge names a node outside 0..n-1, as an index would.
func Build(n int, edges []Edge) *Graph {
	in := pack(n, edges, func(e Edge) (uint32, uint32) { return e.To, e.From })
	out := turn(n, in)
	return &Graph{out: out, in: turn(n, out)}
}

// pack is a counting sort in two passes over the edges. start is one longer than
// usual while filling, so that it ends up shifted into place without a copy.
func pack(n int, edges []Edge, ends func(Edge) (from, to uint32)) rows {
	start := make([]uint32, n+2)
	for _, e := range edges {
		from, _ := ends(e)
		start[from+2]++
	}
	for v := 2; v < len(start); v++ {
		start[v] += start[v-1]
	}
	to := make([]uint32, len(edges))
	for _, e := range edges {
		from, t := ends(e)
		to[start[from+1]] = t
		start[from+1]++
	}
	return rows{start: start[:n+1], to: to}
}

// turn gives the rows of the other direction; theirs ascend.
func turn(n int, r rows) rows {
	start := make([]uint32, n+2)
	for _, w := range r.to {
		start[w+2]++
	}
	for v := 2; v < len(start); v++ {
		start[v] += start[v-1]
	}
	to := make([]uint32, len(r.to))
	for v := range uint32(n) {
		for _, w := range r.of(v) {
			to[start[w+1]] = v
			start[w+1]++
		}
	}
	return rows{start: start[:n+1], to: to}
}

// BuildLinks makes a graph of n nodes that knows the trade of every link. A link
// given twice is there twice, in the order given. It panics like Build.
func BuildLinks(n int, links []Link) *Graph {
	order := make([]uint32, len(links))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(a, b uint32) int {
		x, y := &links[a], &links[b]
		return cmp.Or(cmp.Compare(x.From, y.From), cmp.Compare(x.To, y.To), cmp.Compare(a, b))
	})
	out := rows{start: make([]uint32, n+1), to: make([]uint32, len(links))}
	t := makeTrades(len(links))
	for e, i := range order {
		out.start[links[i].From+1]++
		out.to[e] = links[i].To
		t.set(e, links[i].Trade)
	}
	for v := range n {
		out.start[v+1] += out.start[v]
	}
	g := &Graph{out: out, in: turn(n, out), trades: t, place: order}
	g.number()
	return g
}

// number fills place: which out-edge each in-edge is.
func (g *Graph) number() {
	next := slices.Clone(g.in.start)
	for e, w := range g.out.to {
		g.place[next[w]] = uint32(e)
		next[w]++
	}
}
