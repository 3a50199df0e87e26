package graph

import "runtime"

// Step is a node that a walk reached, the fewest hops it took and the node from
// which it was reached first (a seed from itself).
type Step struct {
	ID   uint32
	Hops int
	From uint32
}

// Walker walks a graph again and again: what it remembers of a walk (a bit a node, and
// what was reached) is used for the next, so that a walk costs what it reaches and not
// the size of the graph. It is for one goroutine.
type Walker struct {
	g     *Graph
	seen  []uint64 // bit set
	queue []uint32 // what was reached, nearest first
	from  []uint32 // from where, when asked
	early uint32   // keeps what is read ahead of its use
}

// Walker returns a walker on g.
func (g *Graph) Walker() *Walker {
	return &Walker{g: g, seen: make([]uint64, (g.Len()+63)/64)}
}

// Walk visits what is within hops of the seeds, nearest first, the seeds
// themselves included at 0. It stops early when visit returns false.
func (k *Walker) Walk(seeds []uint32, hops int, dir Direction, visit func(Step) bool) {
	k.begin(seeds)
	defer k.end()
	k.from = append(k.from[:0], k.queue...)
	for depth, head := 0, 0; head < len(k.queue); depth++ {
		for end := len(k.queue); head < end; head++ {
			v := k.queue[head]
			if !visit(Step{v, depth, k.from[head]}) {
				return
			}
			if depth == hops {
				continue
			}
			if dir != Upstream {
				k.push(k.g.out.of(v))
			}
			if dir != Downstream {
				k.push(k.g.in.of(v))
			}
			for len(k.from) < len(k.queue) {
				k.from = append(k.from, v)
			}
		}
	}
}

// Tiers returns what is within hops of the seeds, nearest first, and where each tier
// ends: tier h is nodes[ends[h-1]:ends[h]], the seeds are tier 0. Both slices are the
// walker's own until its next walk.
func (k *Walker) Tiers(seeds []uint32, hops int, dir Direction) (nodes []uint32, ends []int) {
	k.begin(seeds)
	defer k.end()
	ends = append(ends, len(k.queue))
	for head := 0; len(ends) <= hops && head < len(k.queue); {
		end := len(k.queue)
		k.expand(head, end, dir)
		if head = end; len(k.queue) > head {
			ends = append(ends, len(k.queue))
		}
	}
	return k.queue, ends
}

// ahead is for how many nodes memory is read before it is wanted. Rows lie all over
// memory, and a loop that takes them one by one waits for each: no processor can guess
// past the ends of rows and which neighbours were seen. Those of several at a time it
// waits for together.
const ahead = 32

// expand queues what is a hop from the nodes head..end-1 of the queue.
func (k *Walker) expand(head, end int, dir Direction) {
	var near [2 * ahead][]uint32
	for head < end {
		n := 0
		for _, v := range k.queue[head:min(head+ahead, end)] {
			if dir != Upstream {
				near[n] = k.g.out.of(v)
				n++
			}
			if dir != Downstream {
				near[n] = k.g.in.of(v)
				n++
			}
			head++
		}
		for _, row := range near[:n] {
			if len(row) > 0 {
				k.early ^= row[0]
			}
		}
		for _, row := range near[:n] {
			k.push(row)
		}
	}
}

// Reach counts what is within hops of v, v not counted.
func (k *Walker) Reach(v uint32, hops int, dir Direction) int {
	nodes, _ := k.Tiers([]uint32{v}, hops, dir)
	return len(nodes) - 1
}

func (k *Walker) begin(seeds []uint32) {
	k.queue = k.queue[:0]
	k.push(seeds)
}

// push queues those nodes that were not seen.
func (k *Walker) push(nodes []uint32) {
	at := len(k.queue)
	if cap(k.queue)-at < len(nodes) {
		// Twice as long at least; unlike append, make leaves pages alone that are new.
		k.queue = append(make([]uint32, 0, at+max(at, len(nodes))), k.queue...)
	}
	seen, queue := k.seen, k.queue[:at+len(nodes)]
	for _, v := range nodes {
		word, bit := &seen[v/64], uint64(1)<<(v%64)
		if *word&bit == 0 {
			*word |= bit
			queue[at] = v
			at++
		}
	}
	k.queue = queue[:at]
}

// end forgets what was seen, by the cheaper way.
func (k *Walker) end() {
	if len(k.queue) > len(k.seen) {
		clear(k.seen)
		return
	}
	for _, v := range k.queue {
		k.seen[v/64] = 0
	}
}

// Walk visits what is within hops of the seeds, as Walker.Walk does.
func (g *Graph) Walk(seeds []uint32, hops int, dir Direction, visit func(Step) bool) {
	g.Walker().Walk(seeds, hops, dir, visit)
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
	return g.Walker().Reach(v, hops, dir)
}

// Reaches is Reach for each of many nodes, on all processors.
func (g *Graph) Reaches(nodes []uint32, hops int, dir Direction) []int {
	out := make([]int, len(nodes))
	walkers := make([]*Walker, runtime.GOMAXPROCS(0))
	parallelBy(len(walkers), len(nodes), func(worker, i int) {
		if walkers[worker] == nil {
			walkers[worker] = g.Walker()
		}
		out[i] = walkers[worker].Reach(nodes[i], hops, dir)
	})
	return out
}
