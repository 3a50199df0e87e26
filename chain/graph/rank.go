package graph

import "math"

// PageRank gives every node its share of attention: a reader who follows links from
// seller to buyer and begins anew anywhere with probability 1-damping is there so
// often (Brin and Page 1998). A node without buyers sends its reader anywhere. The
// shares sum to 1. It goes on for so many rounds, or until no more than tolerance is moved
// in one (the sum of the differences) where that is above 0, and says how many it took.
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
	lost, moved := make([]float64, (n+bucketSize-1)>>bucketBits), make([]float64, (n+bucketSize-1)>>bucketBits)
	each(n, func(_, lo, hi int) {
		for v := lo; v < hi; v++ {
			var gone float64
			from[v], gone = divide(1/float64(n), len(g.out.of(uint32(v))))
			lost[lo>>bucketBits] += gone
		}
	})
	for took < rounds {
		took++
		base := (1-damping)/float64(n) + damping*total(lost)/float64(n)
		each(n, func(_, lo, hi int) { lost[lo>>bucketBits] = g.gather(from, to, base, damping, lo, hi) })
		from, to, free, freeTo = to, from, freeTo, free
		if tolerance > 0 {
			each(n, func(_, lo, hi int) { moved[lo>>bucketBits] = g.moved(from, to, lo, hi) })
			if total(moved) <= tolerance {
				break
			}
		}
	}
	freeTo()
	rank = large[float64](n)
	each(n, func(_, lo, hi int) {
		for v := lo; v < hi; v++ {
			rank[v] = from[v] * float64(max(len(g.out.of(uint32(v))), 1))
		}
	})
	return rank, took
}

func total(parts []float64) (sum float64) {
	for _, x := range parts {
		sum += x
	}
	return sum
}

// divide is what a node of a rank hands to each of its k buyers. The rank of one that
// has none is lost unless it is handed to all.
func divide(rank float64, k int) (share, lost float64) {
	if k == 0 {
		return rank, rank
	}
	return rank / float64(k), 0
}

// moved is by how much the ranks behind two rounds of shares differ.
func (g *Graph) moved(a, b []float64, lo, hi int) (sum float64) {
	for v := lo; v < hi; v++ {
		sum += math.Abs(a[v]-b[v]) * float64(max(len(g.out.of(uint32(v))), 1))
	}
	return sum
}

// nearby is how many shares are fetched at once; their sums fit the first-level cache.
const nearby = 1024

// gather sums up the shares that come to each node. The shares lie all over memory and
// most nodes have few sellers, so a loop over the sellers of one node after the other
// would wait: for memory in every turn, and again after each wrong guess where a row
// ends. Here the shares of a run of edges are fetched and summed up one after the other,
// which waits for many at a time, and what comes to a node is the difference between two
// of these sums. It is right to some 1e-16 of what a run of edges carries.
func (g *Graph) gather(from, to []float64, base, damping float64, lo, hi int) (lost float64) {
	if g.in.patch != nil {
		return g.gatherPatched(from, to, base, damping, lo, hi)
	}
	var upTo [nearby + 1]float64 // the first i shares of the run
	start, sellers, out := g.in.start[:hi+1], g.in.to, g.out.start[:hi+1]
	begun, v := 0.0, lo // what came to v in earlier runs
	for run := start[lo]; ; run += nearby {
		stop := min(run+nearby, start[hi])
		fetch(&upTo, from, sellers[run:stop])
		sum := 0.0 // of the run before v
		for ; v < hi && start[v+1] <= stop; v++ {
			all := upTo[start[v+1]-run]
			share, gone := divide(base+damping*(begun+all-sum), int(out[v+1]-out[v]))
			to[v] = share
			lost += gone
			sum, begun = all, 0
		}
		if v == hi {
			return lost
		}
		begun += upTo[stop-run] - sum
	}
}

// fetch sets upTo[i] to the sum of the first i shares.
func fetch(upTo *[nearby + 1]float64, share []float64, of []uint32) {
	sum := 0.0
	for i, v := range of[:min(len(of), nearby)] {
		sum += share[v]
		upTo[i+1] = sum
	}
}

func (g *Graph) gatherPatched(from, to []float64, base, damping float64, lo, hi int) (lost float64) {
	for v := lo; v < hi; v++ {
		sum := 0.0
		for _, u := range g.in.of(uint32(v)) {
			sum += from[u]
		}
		share, gone := divide(base+damping*sum, len(g.out.of(uint32(v))))
		to[v] = share
		lost += gone
	}
	return lost
}
