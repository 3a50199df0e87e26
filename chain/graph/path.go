package graph

import "slices"

// Paths returns up to limit paths between two nodes of at most so many hops that
// visit no node twice, the shorter ones first. The path of a node to itself is the node.
//
// It looks for paths of one length after the other, until there are enough, by the
// distance that is left (Hart, Nilsson and Raphael 1968): walks from both ends that
// meet (Pohl 1971) give the distances of the nodes between, and then no step is taken
// that cannot arrive in time. So a hub beyond the nearest paths is not looked into.
func (g *Graph) Paths(from, to uint32, hops, limit int, dir Direction) [][]uint32 {
	if limit <= 0 || hops < 0 {
		return nil
	}
	if from == to {
		return [][]uint32{{from}}
	}
	m := g.meet(from, to, dir)
	var out [][]uint32
	for length := 1; length <= min(hops, maxPathHops, g.Len()-1) && len(out) < limit && m.further(); length++ {
		left := m.distances(length)
		if left[from] == 0 {
			continue
		}
		s := pathSearch{g: g, to: to, left: left, dir: dir, open: make([][]partial, length+1)}
		s.push(partial{from, -1, 0})
		out = s.run(limit)
	}
	return out
}

// run returns up to limit paths of the lengths that are open.
func (s *pathSearch) run(limit int) [][]uint32 {
	var out [][]uint32
	for length := range s.open {
		for len(s.open[length]) > 0 && len(out) < limit && s.steps < maxPathSteps {
			last := len(s.open[length]) - 1
			p := s.open[length][last]
			s.open[length] = s.open[length][:last]
			if p.node == s.to {
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

// front is a walk from one end: what it reached, nearest first.
type front struct {
	dir   Direction
	nodes []uint32
	ends  []int   // tier h is nodes[ends[h-1]:ends[h]]
	dist  []uint8 // 1 + hops of each node; 0 when not reached
	next  int     // neighbours of the last tier: what the next one costs
}

// meeting is a walk from either end of a path, which together go as far as the path
// that is looked for.
type meeting struct {
	g    *Graph
	a, b front // b walks against dir
}

func (g *Graph) meet(from, to uint32, dir Direction) *meeting {
	back := map[Direction]Direction{Downstream: Upstream, Upstream: Downstream, Both: Both}[dir]
	start := func(v uint32, dir Direction) front {
		f := front{dir: dir, nodes: []uint32{v}, ends: []int{1}, dist: make([]uint8, g.Len())}
		f.dist[v] = 1
		f.next = g.degree(v, dir)
		return f
	}
	return &meeting{g: g, a: start(from, dir), b: start(to, back)}
}

func (g *Graph) degree(v uint32, dir Direction) int {
	n := 0
	if dir != Upstream {
		n = len(g.Out(v))
	}
	if dir != Downstream {
		n += len(g.In(v))
	}
	return n
}

// each calls f for every neighbour of v, one that is neighbour twice two times.
func (g *Graph) each(v uint32, dir Direction, f func(w uint32)) {
	if dir != Upstream {
		for _, w := range g.Out(v) {
			f(w)
		}
	}
	if dir != Downstream {
		for _, w := range g.In(v) {
			f(w)
		}
	}
}

// further lets the walk whose next tier is the cheaper go one hop on. It says false
// when one of them saw all that it can reach, and that is not the other end.
func (m *meeting) further() bool {
	for _, f := range []*front{&m.a, &m.b} {
		other := &m.a
		if f == other {
			other = &m.b
		}
		if n := len(f.ends); n > 1 && f.ends[n-1] == f.ends[n-2] && f.dist[other.nodes[0]] == 0 {
			return false
		}
	}
	f := &m.a
	if m.b.next < m.a.next {
		f = &m.b
	}
	from := 0
	if n := len(f.ends); n > 1 {
		from = f.ends[n-2]
	}
	f.next = 0
	for _, v := range f.nodes[from:f.ends[len(f.ends)-1]] {
		m.g.each(v, f.dir, func(w uint32) {
			if f.dist[w] == 0 {
				f.dist[w] = uint8(len(f.ends) + 1) //nolint:gosec // maxPathHops bounds it
				f.nodes = append(f.nodes, w)
				f.next += m.g.degree(w, f.dir)
			}
		})
	}
	f.ends = append(f.ends, len(f.nodes))
	return true
}

// distances has 1 + the hops that are left to the goal for every node on a path of at
// most so many hops; 0 for the others, or more than fits.
//
// Such a path is within the reach of a at its first nodes and within that of b at the
// rest. So what b does not know is next to a node that has one hop less left, and one
// of those that a went on from.
func (m *meeting) distances(length int) []uint8 {
	tiers := len(m.a.ends) - 1
	if tiers == 0 {
		return m.b.dist
	}
	left := append([]uint8(nil), m.b.dist...)
	inner := m.a.nodes[:m.a.ends[tiers-1]] // their neighbours are known
	for hops := len(m.b.ends); hops <= length; hops++ {
		for _, v := range inner {
			if left[v] != 0 || int(m.a.dist[v])-1+hops > length {
				continue
			}
			m.g.each(v, m.a.dir, func(w uint32) {
				if int(left[w]) == hops { // hops-1 are left from there
					left[v] = uint8(hops + 1) //nolint:gosec // maxPathHops bounds it
				}
			})
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
	s.g.each(p.node, s.dir, func(w uint32) {
		s.steps++
		if left := int(s.left[w]); left > 0 && int(p.hops)+left < len(s.open) {
			next = append(next, w)
		}
	})
	slices.Sort(next)
	next = slices.Compact(next)
	for _, w := range slices.Backward(next) {
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
