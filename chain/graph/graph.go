// Package graph is an immutable directed graph in compressed sparse rows: two
// arrays a direction, uint32 ids, 8 bytes an edge and 8 bytes a node. It is built
// once from links and then read by any number of goroutines.
//
// What is known of a link (documents, amount, dates) lies in arrays of its own, so
// that a walk never touches it. A Snapshot is a graph with the ids of its firms in
// one file, mapped into memory; a View lays changes over a snapshot and reads the
// same way.
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

// Graph is an immutable directed graph over the ids 0..Len()-1. Neighbours ascend.
type Graph struct {
	out, in rows
	trades  trades   // of the out-edges, in their order; empty when built of edges
	place   []uint32 // place[i] is the out-edge that in-edge i is; empty like trades
}

// rows are the neighbours of every node in one direction. patch, when there, has
// those nodes whose neighbours a View changed.
type rows struct {
	start []uint32 // start[v]..start[v+1] are the places of v's neighbours in to
	to    []uint32
	patch *patch
}

// of is small enough to be inlined into the loops of the algorithms.
func (r *rows) of(v uint32) []uint32 {
	if r.patch != nil {
		return r.patch.of(r, v)
	}
	return r.to[r.start[v]:r.start[v+1]]
}

// Len is the number of nodes.
func (g *Graph) Len() int {
	if p := g.out.patch; p != nil {
		return p.nodes
	}
	return max(len(g.out.start)-1, 0)
}

// Size is the number of edges.
func (g *Graph) Size() int {
	if p := g.out.patch; p != nil {
		return p.edges
	}
	return len(g.out.to)
}

// Out returns whom v sells to; the slice is the graph's own and must not be changed.
func (g *Graph) Out(v uint32) []uint32 { return g.out.of(v) }

// In returns who sells to v; the slice is the graph's own and must not be changed.
func (g *Graph) In(v uint32) []uint32 { return g.in.of(v) }
