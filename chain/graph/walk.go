package graph

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
