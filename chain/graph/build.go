package graph

import (
	"cmp"
	"iter"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"
)

// Build makes a graph of n nodes. An edge given twice is there twice. It panics when
// an edge names a node outside 0..n-1, as an index would.
func Build(n int, edges []Edge) *Graph {
	return BuildStream(n, func(yield func([]Edge) bool) { yield(edges) })
}

// BuildStream is Build for edges that are not all in memory: blocks is gone through
// twice and must give the same edges both times.
func BuildStream(n int, blocks iter.Seq[[]Edge]) *Graph {
	out := pack(n, blocks)
	each(n, func(_, lo, hi int) { out.sort(lo, hi) })
	return &Graph{out: out, in: pack(n, out.turned)}
}

// BuildLinks makes a graph of n nodes that knows the trade of every link. A link
// given twice is there twice, in the order given. It panics like Build.
func BuildLinks(n int, links []Link) *Graph {
	out := pack(n, func(yield func([]Edge) bool) { // the rows are places in links at first
		buf := make([]Edge, 0, blockSize)
		for i := range links {
			buf = append(buf, Edge{links[i].From, uint32(i)})
			if len(buf) == cap(buf) || i+1 == len(links) {
				if !yield(buf) {
					return
				}
				buf = buf[:0]
			}
		}
	})
	g := &Graph{out: out, trades: makeTrades(len(links))}
	each(n, func(_, lo, hi int) {
		for v := lo; v < hi; v++ {
			row := out.of(uint32(v))
			slices.SortFunc(row, func(a, b uint32) int { return cmp.Or(cmp.Compare(links[a].To, links[b].To), cmp.Compare(a, b)) })
			for k, i := range row {
				g.trades.set(int(out.start[v])+k, links[i].Trade)
				row[k] = links[i].To
			}
		}
	})
	g.in = pack(n, out.turned)
	g.number()
	return g
}

// number fills place: which out-edge each in-edge is.
func (g *Graph) number() {
	g.place = make([]uint32, len(g.in.to))
	next := slices.Clone(g.in.start)
	for e, w := range g.out.to {
		g.place[next[w]] = uint32(e)
		next[w]++
	}
}

// A bucket is so many nodes that their places fit the second-level cache; a block is
// the edges handed on at once.
const (
	bucketBits = 16
	bucketSize = 1 << bucketBits
	blockSize  = 4096
)

// pack sorts edges by From, those of one node in the order given. A plain counting
// sort writes all over the array; here the edges go to buckets of neighbouring nodes
// first, one stream of writes each, and are counted and placed bucket by bucket.
func pack(n int, blocks iter.Seq[[]Edge]) rows {
	next := make([]int, n>>bucketBits+2)
	for block := range blocks {
		for _, e := range block {
			if int(e.From) >= n {
				panic("graph: an edge of a node that is not there")
			}
			next[e.From>>bucketBits+1]++
		}
	}
	for b := 1; b < len(next); b++ {
		next[b] += next[b-1]
	}
	m := next[len(next)-1]
	if m > math.MaxUint32 {
		panic("graph: more than 4,294,967,295 edges")
	}
	near, free := scratch[Edge](m)
	defer free()
	for block := range blocks {
		for _, e := range block {
			b := e.From >> bucketBits
			near[next[b]] = e
			next[b]++ // from the beginning of the bucket to its end
		}
	}
	r := rows{start: make([]uint32, n+1), to: make([]uint32, m)}
	r.start[n] = uint32(m)
	counts := make([][bucketSize]uint32, runtime.GOMAXPROCS(0))
	each(n, func(worker, lo, hi int) {
		first := 0
		if b := lo >> bucketBits; b > 0 {
			first = next[b-1]
		}
		r.place(near[first:next[lo>>bucketBits]], lo, hi, uint32(first), &counts[worker])
	})
	return r
}

// place sorts the edges of the nodes lo..hi-1 into the rows from first on.
func (r *rows) place(edges []Edge, lo, hi int, first uint32, count *[bucketSize]uint32) {
	clear(count[:])
	for _, e := range edges {
		count[e.From%bucketSize]++
	}
	at := first
	for i := range hi - lo {
		r.start[lo+i] = at
		count[i], at = at, at+count[i]
	}
	for _, e := range edges {
		i := e.From % bucketSize
		r.to[count[i]] = e.To
		count[i]++
	}
}

// sort makes the rows of the nodes lo..hi-1 ascend.
func (r *rows) sort(lo, hi int) {
	for v := lo; v < hi; v++ {
		row := r.to[r.start[v]:r.start[v+1]]
		if len(row) > 24 {
			slices.Sort(row)
			continue
		}
		for i := 1; i < len(row); i++ {
			x, k := row[i], i
			for ; k > 0 && row[k-1] > x; k-- {
				row[k] = row[k-1]
			}
			row[k] = x
		}
	}
}

// turned gives the edges of the other direction, in blocks, in the order of their To.
func (r *rows) turned(yield func([]Edge) bool) {
	buf := make([]Edge, 0, blockSize)
	for v := range uint32(len(r.start) - 1) {
		for _, w := range r.to[r.start[v]:r.start[v+1]] {
			if buf = append(buf, Edge{w, v}); len(buf) == cap(buf) {
				if !yield(buf) {
					return
				}
				buf = buf[:0]
			}
		}
	}
	yield(buf)
}

// each hands the nodes out in buckets, to as many goroutines as there are processors.
// Who gets which is chance, so a bucket may only write what is its own.
func each(n int, work func(worker, lo, hi int)) {
	workers := min(runtime.GOMAXPROCS(0), (n+bucketSize-1)>>bucketBits)
	var next atomic.Int64
	run := func(worker int) {
		for {
			lo := int(next.Add(bucketSize)) - bucketSize
			if lo >= n {
				return
			}
			work(worker, lo, min(lo+bucketSize, n))
		}
	}
	var wait sync.WaitGroup
	for w := 1; w < workers; w++ {
		wait.Go(func() { run(w) })
	}
	run(0)
	wait.Wait()
}

// scratch is memory that goes back to the system by free, not when the collector
// comes round: a build must not leave its size behind.
func scratch[T any](n int) (mem []T, free func()) {
	var zero T
	size := n * int(unsafe.Sizeof(zero))
	if size >= 1<<22 {
		if b, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE); err == nil {
			_ = syscall.Madvise(b, syscall.MADV_HUGEPAGE) // fewer misses of the page table; it works without
			return unsafe.Slice((*T)(unsafe.Pointer(&b[0])), n), func() { _ = syscall.Munmap(b) } // nothing is left to do
		}
	}
	return make([]T, n), func() {}
}
