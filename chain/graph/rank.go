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
	parts := make([]part, (n+bucketSize-1)>>bucketBits)
	each(n, func(_, lo, hi int) { parts[lo>>bucketBits] = g.spread(rank, share, lo, hi) })
	for took < rounds {
		base := (1-damping)/float64(n) + damping*total(parts).lost/float64(n)
		each(n, func(_, lo, hi int) { parts[lo>>bucketBits].moved = g.gather(rank, share, base, damping, lo, hi) })
		moved := total(parts).moved
		took++
		if took == rounds || moved <= tolerance {
			break
		}
		each(n, func(_, lo, hi int) { parts[lo>>bucketBits] = g.spread(rank, share, lo, hi) })
	}
	return rank, took
}

// part is what a bucket of nodes adds to the sums: rank of nodes without buyers, and
// the differences to the round before.
type part struct{ lost, moved float64 }

func total(parts []part) (sum part) {
	for _, p := range parts {
		sum.lost += p.lost
		sum.moved += p.moved
	}
	return sum
}

// spread divides each rank among the node's buyers.
func (g *Graph) spread(rank, share []float64, lo, hi int) (p part) {
	for v := lo; v < hi; v++ {
		if k := len(g.out.of(uint32(v))); k > 0 {
			share[v] = rank[v] / float64(k)
		} else {
			share[v] = 0
			p.lost += rank[v]
		}
	}
	return p
}

// gather sums up the shares that come to each node. The shares lie all over memory and
// most nodes have few sellers, so a loop over the sellers of one node after the other
// would wait: for memory in every turn, and again after each wrong guess where a row
// ends. Here the shares of a run of edges are fetched first, which waits for many at a
// time, and then summed by node from the cache.
func (g *Graph) gather(rank, share []float64, base, damping float64, lo, hi int) (moved float64) {
	if g.in.patch != nil {
		return g.gatherPatched(rank, share, base, damping, lo, hi)
	}
	var near [2048]float64
	start, to := g.in.start, g.in.to
	sum := 0.0
	v, end := lo, start[lo+1]
	for at, last := start[lo], start[hi]; ; {
		run := to[at:min(at+uint32(len(near)), last)]
		fetch(near[:len(run)], share, run)
		stop := at + uint32(len(run))
		for end <= stop { // rows that end within the run
			for _, x := range near[len(run)-int(stop-at) : len(run)-int(stop-end)] {
				sum += x
			}
			at = end
			r := base + damping*sum
			moved += math.Abs(r - rank[v])
			rank[v], sum = r, 0
			if v++; v == hi {
				return moved
			}
			end = start[v+1]
		}
		for _, x := range near[len(run)-int(stop-at) : len(run)] {
			sum += x
		}
		at = stop
	}
}

// fetch sets near[i] to share[of[i]].
func fetch(near, share []float64, of []uint32) {
	near = near[:len(of)]
	for i, u := range of {
		near[i] = share[u]
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
