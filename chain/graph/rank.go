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
	// What each node hands to each of its buyers, which is the rank itself where there
	// are none: nobody fetches that.
	from, free := scratch[float64](n)
	to, freeTo := scratch[float64](n)
	defer func() { free() }()
	parts := make([]part, (n+bucketSize-1)>>bucketBits)
	each(n, func(_, lo, hi int) {
		p := &parts[lo>>bucketBits]
		for v := lo; v < hi; v++ {
			from[v] = p.settle(1/float64(n), 0, len(g.out.of(uint32(v))))
		}
	})
	for took < rounds {
		took++
		base := (1-damping)/float64(n) + damping*total(parts).lost/float64(n)
		each(n, func(_, lo, hi int) { parts[lo>>bucketBits] = g.gather(from, to, base, damping, lo, hi) })
		from, to, free, freeTo = to, from, freeTo, free
		if total(parts).moved <= tolerance {
			break
		}
	}
	freeTo()
	rank = make([]float64, n)
	each(n, func(_, lo, hi int) {
		for v := lo; v < hi; v++ {
			rank[v] = from[v] * float64(max(len(g.out.of(uint32(v))), 1))
		}
	})
	return rank, took
}

// part is what a bucket of nodes adds to the sums: rank of nodes without buyers, which
// is lost unless it is handed to all, and the differences to the round before.
type part struct{ lost, moved float64 }

func total(parts []part) (sum part) {
	for _, p := range parts {
		sum.lost += p.lost
		sum.moved += p.moved
	}
	return sum
}

// settle notes the new rank of a node with k buyers.
func (p *part) settle(rank, before float64, k int) (share float64) {
	if k == 0 {
		p.lost += rank
		p.moved += math.Abs(rank - before)
		return rank
	}
	p.moved += math.Abs(rank - before*float64(k))
	return rank / float64(k)
}

// nearby is how many shares are fetched at once; they fit the first-level cache.
const nearby = 1024

// gather sums up the shares that come to each node. The shares lie all over memory and
// most nodes have few sellers, so a loop over the sellers of one node after the other
// would wait: for memory in every turn, and again after each wrong guess where a row
// ends. Here the shares of a run of edges are fetched first, which waits for many at a
// time, and then summed by node from the cache.
func (g *Graph) gather(from, to []float64, base, damping float64, lo, hi int) (p part) {
	if g.in.patch != nil {
		return g.gatherPatched(from, to, base, damping, lo, hi)
	}
	var near [nearby]float64
	start, sellers, out := g.in.start[:hi+1], g.in.to, g.out.start[:hi+1]
	at, v, sum := start[lo], lo, 0.0
	for run := at; ; run += nearby {
		stop := min(run+nearby, start[hi])
		fetch(&near, from, sellers[run:stop])
		for ; v < hi && start[v+1] <= stop; v++ {
			for ; at < start[v+1]; at++ {
				sum += near[(at-run)%nearby]
			}
			to[v] = p.settle(base+damping*sum, from[v], int(out[v+1]-out[v]))
			sum = 0
		}
		if v == hi {
			return p
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

func (g *Graph) gatherPatched(from, to []float64, base, damping float64, lo, hi int) (p part) {
	for v := lo; v < hi; v++ {
		sum := 0.0
		for _, u := range g.in.of(uint32(v)) {
			sum += from[u]
		}
		to[v] = p.settle(base+damping*sum, from[v], len(g.out.of(uint32(v))))
	}
	return p
}
