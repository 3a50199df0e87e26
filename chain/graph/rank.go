package graph

import "math"

// PageRank gives every node its share of attention: a reader who follows links from
// seller to buyer and begins anew anywhere with probability 1-damping is there so
// often (Brin and Page 1998). A node without buyers sends its reader anywhere. The
// shares sum to 1. It goes on until no more than tolerance is moved in a round (the sum
// of the differences), and for so many rounds at most, and says how many it took.
//
// The result does not depend on the number of processors: every node's sum is made in
// the order of its sellers, and the sums over all nodes in an order that the graph sets.
func (g *Graph) PageRank(damping float64, rounds int, tolerance float64) (rank []float64, took int) {
	n := g.Len()
	if n == 0 {
		return nil, 0
	}
	p := newPropagation(g)
	defer p.free()
	for v := range p.rank {
		p.rank[v] = 1 / float64(n)
	}
	moved := make([]float64, len(p.bins))
	for took < rounds {
		took++
		base := (1-damping)/float64(n) + damping*p.round()/float64(n)
		each(n, func(_, lo, hi int) { moved[lo>>bucketBits] = p.settle(lo, hi, base, damping) })
		if total(moved) <= tolerance {
			break
		}
	}
	return p.rank, took
}

func total(parts []float64) (sum float64) {
	for _, x := range parts {
		sum += x
	}
	return sum
}

// propagation hands on rank by blocking (Beamer, Asanović and Patterson 2017). To fetch
// the share of each seller, or to add to each buyer, is a wait for memory an edge. Here
// the shares of a quarter of the edges are written down by the bucket of their buyer,
// one stream of writes each, and then added up bucket by bucket in the cache.
type propagation struct {
	g       *Graph
	rank    []float64
	sum     []float64 // padded to whole buckets
	parts   []sellers
	bins    []struct{} // one a bucket
	share   []float64  // what is written down ...
	buyer   []uint16   // ... and for whom, within the bucket
	release []func()
}

// sellers is a run of nodes, and where their first share for each bucket is written.
type sellers struct {
	lo, hi uint32
	at     []uint32
	lost   float64 // rank of those without buyers
}

const (
	quarters = 4 // runs of edges that are written down and added up, one after the other
	split    = 4 // parts of such a run, for the processors
)

func newPropagation(g *Graph) *propagation {
	n, m := g.Len(), g.Size()
	buckets := (n + bucketSize - 1) >> bucketBits
	p := &propagation{g: g, rank: make([]float64, n), bins: make([]struct{}, buckets)}
	p.sum = scratched[float64](p, buckets<<bucketBits)
	part, edges := sellers{at: make([]uint32, buckets)}, 0
	for v := range uint32(n) {
		row := g.out.of(v)
		for _, w := range row {
			part.at[w>>bucketBits]++
		}
		if edges += len(row); edges >= m/(quarters*split)+1 || int(v) == n-1 {
			part.hi = v + 1
			p.parts = append(p.parts, part)
			part, edges = sellers{lo: v + 1, at: make([]uint32, buckets)}, 0
		}
	}
	most := uint32(0)
	for i := 0; i < len(p.parts); i += split {
		at := uint32(0)
		for b := range buckets {
			for k := range p.run(i) {
				part := &p.parts[i+k]
				part.at[b], at = at, at+part.at[b]
			}
		}
		most = max(most, at)
	}
	p.share = scratched[float64](p, int(most))
	p.buyer = scratched[uint16](p, int(most))
	return p
}

func scratched[T any](p *propagation, n int) []T {
	mem, free := scratch[T](n)
	p.release = append(p.release, free)
	return mem
}

func (p *propagation) free() {
	for _, f := range p.release {
		f()
	}
}

// run is the parts that are written down together with part i, the first of them.
func (p *propagation) run(i int) []sellers { return p.parts[i:min(i+split, len(p.parts))] }

// round adds every node's shares to the sums of its buyers and returns what is lost at
// nodes that have none.
func (p *propagation) round() (lost float64) {
	for i := 0; i < len(p.parts); i += split {
		run := p.run(i)
		ends := make([][]uint32, len(run))
		parallel(len(run), func(k int) { ends[k] = p.write(&run[k]) })
		parallel(len(p.bins), func(b int) { p.add(b, run[0].at[b], ends[len(run)-1][b]) })
		for k := range run {
			lost += run[k].lost
		}
	}
	return lost
}

// write notes the shares of some sellers and returns where it stopped for each bucket.
func (p *propagation) write(s *sellers) []uint32 {
	next := append([]uint32(nil), s.at...)
	share, buyer := p.share, p.buyer[:len(p.share)]
	s.lost = 0
	for v := s.lo; v < s.hi; v++ {
		row := p.g.out.of(v)
		if len(row) == 0 {
			s.lost += p.rank[v]
			continue
		}
		x := p.rank[v] / float64(len(row))
		for _, w := range row {
			at := &next[w>>bucketBits]
			share[*at], buyer[*at] = x, uint16(w)
			*at++
		}
	}
	return next
}

// add adds what was noted for a bucket, in the order of the sellers.
func (p *propagation) add(bucket int, from, to uint32) {
	sum := (*[bucketSize]float64)(p.sum[bucket<<bucketBits:])
	share := p.share[from:to]
	for i, w := range p.buyer[from:to][:len(share)] {
		sum[w] += share[i]
	}
}

// settle makes new ranks of the sums and returns by how much they moved.
func (p *propagation) settle(lo, hi int, base, damping float64) (moved float64) {
	sum := p.sum[lo:hi]
	for i, x := range sum {
		r := base + damping*x
		moved += math.Abs(r - p.rank[lo+i])
		p.rank[lo+i], sum[i] = r, 0
	}
	return moved
}
