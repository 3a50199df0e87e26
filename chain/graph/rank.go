package graph

import "math"

// PageRank gives every node its share of attention: a reader who follows links from
// seller to buyer and begins anew anywhere with probability 1-damping is there so
// often (Brin and Page 1998). A node without buyers sends its reader anywhere. The
// shares sum to 1. It goes on until no more than tolerance is moved in a round (the sum
// of the differences), and for so many rounds at most, and says how many it took.
//
// The result does not depend on the number of processors: every node's sum is made in
// the order of its sellers, and the sums over all nodes bucket by bucket.
func (g *Graph) PageRank(damping float64, rounds int, tolerance float64) (rank []float64, took int) {
	n := g.Len()
	if n == 0 {
		return nil, 0
	}
	share, free := scratch[float64](n) // of each node to each of its buyers
	defer free()
	rank = make([]float64, n)
	for v := range rank {
		rank[v] = 1 / float64(n)
	}
	lost, moved := make([]float64, (n+bucketSize-1)>>bucketBits), make([]float64, (n+bucketSize-1)>>bucketBits)
	for took < rounds {
		took++
		each(n, func(_, lo, hi int) { lost[lo>>bucketBits] = g.spread(rank, share, lo, hi) })
		base := (1-damping)/float64(n) + damping*total(lost)/float64(n)
		each(n, func(_, lo, hi int) { moved[lo>>bucketBits] = g.gather(rank, share, base, damping, lo, hi) })
		if total(moved) <= tolerance {
			break
		}
	}
	return rank, took
}

func total(parts []float64) (sum float64) {
	for _, x := range parts {
		sum += x
	}
	return sum
}

// spread divides each rank among the node's buyers and returns the rank of those that
// have none.
func (g *Graph) spread(rank, share []float64, lo, hi int) (lost float64) {
	for v := lo; v < hi; v++ {
		if k := len(g.out.of(uint32(v))); k > 0 {
			share[v] = rank[v] / float64(k)
		} else {
			share[v] = 0
			lost += rank[v]
		}
	}
	return lost
}

// nearby is how many shares are fetched at once; they fit the first-level cache.
const nearby = 1024

// gather sums up the shares that come to each node. The shares lie all over memory and
// most nodes have few sellers, so a loop over the sellers of one node after the other
// would wait: for memory in every turn, and again after each wrong guess where a row
// ends. Here the shares of a run of edges are fetched first, which waits for many at a
// time, and then summed by node from the cache.
func (g *Graph) gather(rank, share []float64, base, damping float64, lo, hi int) (moved float64) {
	if g.in.patch != nil {
		return g.gatherPatched(rank, share, base, damping, lo, hi)
	}
	var near [nearby]float64
	start, to := g.in.start[:hi+1], g.in.to
	at, v, sum := start[lo], lo, 0.0
	for run := at; ; run += nearby {
		stop := min(run+nearby, start[hi])
		fetch(&near, share, to[run:stop])
		for ; v < hi && start[v+1] <= stop; v++ {
			for ; at < start[v+1]; at++ {
				sum += near[(at-run)%nearby]
			}
			r := base + damping*sum
			moved += math.Abs(r - rank[v])
			rank[v], sum = r, 0
		}
		if v == hi {
			return moved
		}
		for ; at < stop; at++ {
			sum += near[(at-run)%nearby]
		}
	}
}

// fetch sets near[i] to share[of[i]], four at a time.
func fetch(near *[nearby]float64, share []float64, of []uint32) {
	i := 0
	for ; i+4 <= len(of); i += 4 {
		from, to := of[i:i+4:i+4], near[i:i+4:i+4]
		to[0], to[1], to[2], to[3] = share[from[0]], share[from[1]], share[from[2]], share[from[3]]
	}
	for ; i < len(of); i++ {
		near[i] = share[of[i]]
	}
}

func (g *Graph) gatherPatched(rank, share []float64, base, damping float64, lo, hi int) (moved float64) {
	for v := lo; v < hi; v++ {
		sum := 0.0
		for _, u := range g.in.of(uint32(v)) {
			sum += share[u]
		}
		r := base + damping*sum
		moved += math.Abs(r - rank[v])
		rank[v] = r
	}
	return moved
}
