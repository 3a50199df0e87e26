// Package graph is an immutable directed graph in compressed sparse rows: two
// arrays a direction, uint32 ids, 8 bytes an edge and 8 bytes a node. It is built
// once from links and then read by any number of goroutines.
package graph

// Edge goes from a seller to a buyer.
type Edge struct{ From, To uint32 }

// Direction says which way a walk follows the edges.
type Direction int

// Directions of a walk: downstream follows the edges, upstream goes against them.
const (
	Downstream Direction = iota
	Upstream
	Both
)

// Graph is an immutable directed graph over the ids 0..Len()-1.
type Graph struct {
	out, in rows
}

type rows struct {
	start []uint32 // start[v]..start[v+1] are the places of v's neighbours in to
	to    []uint32
}

// Build makes a graph of n nodes. Edges keep their order; an edge given twice is
// there twice. It panics when an edge names a node outside 0..n-1, as an index would.
func Build(n int, edges []Edge) *Graph {
	return &Graph{
		out: pack(n, edges, func(e Edge) (uint32, uint32) { return e.From, e.To }),
		in:  pack(n, edges, func(e Edge) (uint32, uint32) { return e.To, e.From }),
	}
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

// Len is the number of nodes, Size the number of edges.
func (g *Graph) Len() int { return len(g.out.start) - 1 }

// Size is the number of edges.
func (g *Graph) Size() int { return len(g.out.to) }

// Out returns whom v sells to; the slice is the graph's own and must not be changed.
func (g *Graph) Out(v uint32) []uint32 { return g.out.of(v) }

// In returns who sells to v; the slice is the graph's own and must not be changed.
func (g *Graph) In(v uint32) []uint32 { return g.in.of(v) }

func (r rows) of(v uint32) []uint32 { return r.to[r.start[v]:r.start[v+1]] }

// Step is a node that a walk reached and the fewest hops it took.
type Step struct {
	ID   uint32
	Hops int
}

// Walk visits what is within hops of the seeds, nearest first, the seeds
// themselves included at 0. It stops early when visit returns false.
func (g *Graph) Walk(seeds []uint32, hops int, dir Direction, visit func(Step) bool) {
	seen := make([]uint64, (g.Len()+63)/64)
	var queue []uint32
	push := func(v uint32) {
		if seen[v/64]>>(v%64)&1 == 0 {
			seen[v/64] |= 1 << (v % 64)
			queue = append(queue, v)
		}
	}
	for _, v := range seeds {
		push(v)
	}
	for depth, head := 0, 0; head < len(queue); depth++ {
		for end := len(queue); head < end; head++ {
			v := queue[head]
			if !visit(Step{v, depth}) {
				return
			}
			if depth == hops {
				continue
			}
			if dir != Upstream {
				for _, w := range g.Out(v) {
					push(w)
				}
			}
			if dir != Downstream {
				for _, w := range g.In(v) {
					push(w)
				}
			}
		}
	}
}

// Neighbours returns what is within hops of the seeds, nearest first.
func (g *Graph) Neighbours(seeds []uint32, hops int, dir Direction) []Step {
	var out []Step
	g.Walk(seeds, hops, dir, func(s Step) bool {
		out = append(out, s)
		return true
	})
	return out
}

// Reach counts what is within hops of v, v not counted.
func (g *Graph) Reach(v uint32, hops int, dir Direction) int {
	n := -1
	g.Walk([]uint32{v}, hops, dir, func(Step) bool { n++; return true })
	return n
}

// Components returns the strongly connected components (Tarjan 1972, without
// recursion), a component before those that lead to it.
func (g *Graph) Components() [][]uint32 {
	const unseen = 0
	n := g.Len()
	index := make([]uint32, n) // 1 + order of discovery; unseen when 0
	low := make([]uint32, n)
	done := make([]bool, n)
	at := make([]uint32, n) // how many of v's out-edges are walked
	var stack, path []uint32
	var out [][]uint32
	next := uint32(1)
	enter := func(v uint32) {
		index[v], low[v] = next, next
		next++
		stack, path = append(stack, v), append(path, v)
	}
	for root := range uint32(n) {
		if index[root] != unseen {
			continue
		}
		enter(root)
		for len(path) > 0 {
			v := path[len(path)-1]
			if to := g.Out(v); int(at[v]) < len(to) {
				w := to[at[v]]
				at[v]++
				switch {
				case index[w] == unseen:
					enter(w)
				case !done[w]:
					low[v] = min(low[v], index[w])
				}
				continue
			}
			path = path[:len(path)-1]
			if len(path) > 0 {
				up := path[len(path)-1]
				low[up] = min(low[up], low[v])
			}
			if low[v] != index[v] {
				continue
			}
			var c []uint32
			for {
				w := stack[len(stack)-1]
				stack = stack[:len(stack)-1]
				done[w] = true
				c = append(c, w)
				if w == v {
					break
				}
			}
			out = append(out, c)
		}
	}
	return out
}

// Index gives the ids 0, 1, 2, ... to keys in the order in which they come. It is
// for building; reading from many goroutines afterwards is safe.
type Index struct {
	ids  map[string]uint32
	keys []string
}

// NewIndex returns an empty index.
func NewIndex() *Index { return &Index{ids: map[string]uint32{}} }

// Add returns the id of key, a new one when key is new.
func (x *Index) Add(key string) uint32 {
	id, ok := x.ids[key]
	if !ok {
		id = uint32(len(x.keys))
		x.ids[key] = id
		x.keys = append(x.keys, key)
	}
	return id
}

// Find returns the id of key, and false when it has none.
func (x *Index) Find(key string) (uint32, bool) {
	id, ok := x.ids[key]
	return id, ok
}

// Key returns the key of id.
func (x *Index) Key(id uint32) string { return x.keys[id] }

// Len is the number of keys.
func (x *Index) Len() int { return len(x.keys) }
