package graph

import "slices"

// Paths returns up to limit paths between two nodes of at most so many hops that
// visit no node twice, the shorter ones first. The path of a node to itself is the node.
//
// It is a search by the distance that is left (Hart, Nilsson and Raphael 1968): one
// walk back from the goal gives the distances, and then no step is taken that cannot
// arrive in time.
func (g *Graph) Paths(from, to uint32, hops, limit int, dir Direction) [][]uint32 {
	left := g.distances(to, min(hops, maxPathHops), dir)
	if left[from] == 0 || limit <= 0 {
		return nil
	}
	s := pathSearch{g: g, to: to, left: left, dir: dir, open: make([][]partial, min(hops, maxPathHops)+1)}
	s.push(partial{from, -1, 0})
	var out [][]uint32
	for length := range s.open {
		for len(s.open[length]) > 0 && len(out) < limit && s.steps < maxPathSteps {
			last := len(s.open[length]) - 1
			p := s.open[length][last]
			s.open[length] = s.open[length][:last]
			if p.node == to {
				out = append(out, s.path(p))
			} else {
				s.extend(p)
			}
		}
	}
	return out
}

// More hops are no relation any more, and a search that takes so many steps only
// meets ways that close on themselves.
const (
	maxPathHops  = 254
	maxPathSteps = 20_000_000
)

// distances has 1 + the hops that are left to the goal for every node; 0 for those
// from which it is too far.
func (g *Graph) distances(to uint32, hops int, dir Direction) []uint8 {
	left := make([]uint8, g.Len())
	back := map[Direction]Direction{Downstream: Upstream, Upstream: Downstream, Both: Both}[dir]
	nodes, ends := g.Walker().Tiers([]uint32{to}, hops, back)
	at := 0
	for tier, end := range ends {
		for ; at < end; at++ {
			left[nodes[at]] = uint8(tier + 1)
		}
	}
	return left
}

// partial is the beginning of a path: its last node and the partial before.
type partial struct {
	node   uint32
	before int32 // in taken; -1 for none
	hops   int32
}

type pathSearch struct {
	g     *Graph
	to    uint32
	left  []uint8
	dir   Direction
	taken []partial   // those that were extended
	open  [][]partial // by the length of the shortest path that each may become
	steps int
}

func (s *pathSearch) push(p partial) {
	if left := int(s.left[p.node]); left > 0 {
		if length := int(p.hops) + left - 1; length < len(s.open) {
			s.open[length] = append(s.open[length], p)
		}
	}
}

// extend pushes what comes after p, so that the smallest node comes out first.
func (s *pathSearch) extend(p partial) {
	s.taken = append(s.taken, p)
	before := int32(len(s.taken) - 1) //nolint:gosec // maxPathSteps bounds it
	var next []uint32
	if s.dir != Upstream {
		next = append(next, s.g.Out(p.node)...)
	}
	if s.dir != Downstream {
		next = append(next, s.g.In(p.node)...)
	}
	slices.Sort(next)
	next = slices.Compact(next)
	for _, w := range slices.Backward(next) {
		s.steps++
		if !s.visits(before, w) {
			s.push(partial{w, before, p.hops + 1})
		}
	}
}

func (s *pathSearch) visits(at int32, v uint32) bool {
	for ; at >= 0; at = s.taken[at].before {
		if s.taken[at].node == v {
			return true
		}
	}
	return false
}

func (s *pathSearch) path(p partial) []uint32 {
	out := []uint32{p.node}
	for at := p.before; at >= 0; at = s.taken[at].before {
		out = append(out, s.taken[at].node)
	}
	slices.Reverse(out)
	return out
}
