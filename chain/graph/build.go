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
	s := newSorter(n)
	defer func() { s.free() }()
	for block := range blocks {
		for _, e := range block {
			s.count(e.From)
		}
	}
	s.begin()
	for block := range blocks {
		for _, e := range block {
			s.put(e)
		}
	}
	out := s.rows()
	each(n, func(_, lo, hi int) { out.sort(lo, hi) })
	return &Graph{out: out, in: s.turn(&out)}
}

// BuildLinks makes a graph of n nodes that knows the trade of every link. A link
// given twice is there twice, in the order given. It panics like Build.
func BuildLinks(n int, links []Link) *Graph {
	s := newSorter(n)
	defer func() { s.free() }()
	for i := range links {
		s.count(links[i].From)
	}
	s.begin()
	for i := range links {
		s.put(Edge{links[i].From, uint32(i)})
	}
	out := s.rows() // of places in links, until they are sorted
	g := &Graph{trades: makeTrades(len(links))}
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
	g.out, g.in = out, s.turn(&out)
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

// A bucket is so many neighbouring nodes that their places fit the second-level cache.
const (
	bucketBits = 16
	bucketSize = 1 << bucketBits
)

// sorter sorts edges by From, those of one node in the order given. A plain counting
// sort writes all over the array; here the edges go to buckets first, one stream of
// writes each, and are counted and placed bucket by bucket. Every edge is counted, then
// every edge is put, then there are rows; then it can be used again.
type sorter struct {
	n    int
	next []uint32 // where the next edge of each bucket goes, shifted by one while counting
	near []Edge   // the edges by bucket
	free func()
}

func newSorter(n int) *sorter {
	return &sorter{n: n, next: make([]uint32, (n+bucketSize-1)>>bucketBits+1), free: func() {}}
}

func (s *sorter) count(from uint32) {
	if int(from) >= s.n {
		panic("graph: an edge of a node that is not there")
	}
	s.next[from>>bucketBits+1]++
}

func (s *sorter) begin() {
	m := uint64(0)
	for b := 1; b < len(s.next); b++ {
		m += uint64(s.next[b])
		s.next[b] += s.next[b-1]
	}
	if m > math.MaxUint32 {
		panic("graph: more than 4,294,967,295 edges")
	}
	if s.near == nil {
		s.near, s.free = scratch[Edge](int(m))
	}
}

func (s *sorter) put(e Edge) {
	at := &s.next[e.From>>bucketBits]
	s.near[*at] = e
	*at++ // from the beginning of the bucket to its end
}

func (s *sorter) rows() rows {
	r := rows{start: make([]uint32, s.n+1), to: make([]uint32, len(s.near))}
	r.start[s.n] = uint32(len(s.near))
	counts := make([][bucketSize]uint32, runtime.GOMAXPROCS(0))
	each(s.n, func(worker, lo, hi int) {
		b, first := lo>>bucketBits, uint32(0)
		if b > 0 {
			first = s.next[b-1]
		}
		r.place(s.near[first:s.next[b]], lo, hi, first, &counts[worker])
	})
	clear(s.next)
	return r
}

// turn gives the rows of the other direction; theirs ascend.
func (s *sorter) turn(r *rows) rows {
	for _, w := range r.to {
		s.count(w)
	}
	s.begin()
	for v := range uint32(s.n) {
		for _, w := range r.to[r.start[v]:r.start[v+1]] {
			s.put(Edge{w, v})
		}
	}
	return s.rows()
}

// place sorts the edges of the nodes lo..hi-1 into the rows from first on.
func (r *rows) place(edges []Edge, lo, hi int, first uint32, count *[bucketSize]uint32) {
	clear(count[:])
	for _, e := range edges {
		count[e.From%bucketSize]++
	}
	at := first
	for i := range r.start[lo:hi] {
		r.start[lo+i] = at
		count[i%bucketSize], at = at, at+count[i%bucketSize]
	}
	for _, e := range edges {
		k := &count[e.From%bucketSize]
		r.to[*k] = e.To
		*k++
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

// each hands the nodes out in buckets, to as many goroutines as there are processors.
// Who gets which is chance, so a bucket may only write what is its own.
func each(n int, work func(worker, lo, hi int)) {
	parallelBy(runtime.GOMAXPROCS(0), (n+bucketSize-1)>>bucketBits, func(worker, i int) {
		work(worker, i<<bucketBits, min((i+1)<<bucketBits, n))
	})
}

// parallelBy calls work with 0..n-1, on so many goroutines.
func parallelBy(workers, n int, work func(worker, i int)) {
	var next atomic.Int64
	run := func(worker int) {
		for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
			work(worker, i)
		}
	}
	var wait sync.WaitGroup
	for w := 1; w < min(workers, n); w++ {
		wait.Go(func() { run(w) })
	}
	run(0)
	wait.Wait()
}

// large is make on huge pages, where the system has them to give: algorithms jump all over
// such memory, and would wait for the page table as long as for what they want.
func large[T any](n int) []T {
	mem := make([]T, n)
	var zero T
	if size := n * int(unsafe.Sizeof(zero)); size >= 1<<22 {
		const page = 4096 // where large objects of the heap begin
		b := unsafe.Slice((*byte)(unsafe.Pointer(&mem[0])), size)
		_ = syscall.Madvise(b[:size&^(page-1)], syscall.MADV_HUGEPAGE) // it works without
	}
	return mem
}

// scratch is memory that goes back to the system by free, not when the collector
// comes round: a build must not leave its size behind.
func scratch[T any](n int) (mem []T, free func()) {
	var zero T
	size := n * int(unsafe.Sizeof(zero))
	if size >= 1<<22 {
		if b, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE); err == nil {
			_ = syscall.Madvise(b, syscall.MADV_HUGEPAGE)                                         // fewer misses of the page table; it works without
			return unsafe.Slice((*T)(unsafe.Pointer(&b[0])), n), func() { _ = syscall.Munmap(b) } // nothing is left to do
		}
	}
	return make([]T, n), func() {}
}
