package chainbench

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/furrowcredit/furrow/chain/graph"
	"github.com/furrowcredit/furrow/internal/benchtable"
)

const (
	anchors = 1000 // the largest buyers
	hops    = 3
	rounds  = 20 // of PageRank, where an engine lets us choose

	mostOfPlain = 1.2      // of the plain C++ program's processor time, each row
	mostMemory  = 1.2      // GiB at 21 million firms
	sameRank    = 1e-9     // how far a PageRank may be from igraph's
	bigFree     = 16 << 30 // what igraph and the page cache take at 21 million
)

// size is a graph to measure.
type size struct {
	name         string
	nodes, edges int
	turns        int
}

var allSizes = []size{{"2M", 2_000_000, 6_000_000, 5}, {"21M", 21_000_000, 60_000_000, 2}}

// answers is what an engine says: processor seconds of each question and its results.
type answers struct {
	Load   float64 `json:"load"`
	Reach  float64 `json:"reach"`
	Union  float64 `json:"union"`
	Rank   float64 `json:"rank"`
	Weak   float64 `json:"weak"`
	Strong float64 `json:"strong"`

	ReachSum         int     `json:"reach_sum"`
	UnionSum         int     `json:"union_sum"`
	RankMax          float64 `json:"rank_max"`
	Components       int     `json:"components"`
	Largest          int     `json:"largest"`
	StrongComponents int     `json:"strong_components"`
	StrongLargest    int     `json:"strong_largest"`
	PeakKiB          int64   `json:"peak_kib"`

	Near [4]float64 `json:"near"` // one firm's neighbourhood of 3 hops: median and 99th of a hundred µs, mean firms, allocations
}

// best keeps the lower time of each question.
func (a answers) best(b answers) answers {
	for _, p := range [][2]*float64{{&a.Load, &b.Load}, {&a.Reach, &b.Reach}, {&a.Union, &b.Union}, {&a.Rank, &b.Rank}, {&a.Weak, &b.Weak}, {&a.Strong, &b.Strong}} {
		*p[0] = min(*p[0], *p[1])
	}
	for i := range a.Near {
		a.Near[i] = min(a.Near[i], b.Near[i])
	}
	a.PeakKiB = max(a.PeakKiB, b.PeakKiB)
	return a
}

// peer is an engine and how to start it.
type peer struct {
	name, what string
	env        []string
	args       []string
	most       int // turns; 0 for as many as the others
}

func BenchmarkGraph(b *testing.B) {
	for _, s := range allSizes {
		chosen, free := os.Getenv("FURROW_BENCH_SIZES"), freeMemory()
		switch {
		case chosen != "" && !slices.Contains(strings.Fields(chosen), s.name):
			continue
		case chosen == "" && s.edges > 1e7 && free < bigFree:
			b.Logf("%s is left out: %d GiB of memory are free, %d are wanted", s.name, free>>30, bigFree>>30)
			continue
		}
		b.Run(s.name, func(b *testing.B) { compare(b, s) })
	}
}

func compare(b *testing.B, s size) {
	dir := b.TempDir()
	file, ranks := filepath.Join(dir, "links"), filepath.Join(dir, "ranks")
	if err := generate(file, s.nodes, s.edges); err != nil {
		b.Fatal(err)
	}
	found := map[string]answers{}
	list := peers(b, dir, file, ranks, s)
	for turn := range benchtable.Turns(b, s.turns) {
		for _, p := range list {
			if p.most > 0 && turn >= p.most {
				continue
			}
			a, err := ask(b.Context(), p.env, p.args...)
			if err != nil {
				b.Error(err)
				continue
			}
			if old, ok := found[p.name]; ok {
				a = a.best(old)
			}
			found[p.name] = a
		}
	}
	table(b, s, list, found)
	agree(b, found)
	if _, ok := found["igraph"]; ok {
		compareRanks(b, file, ranks)
	}
}

// peers compiles what is to be compiled; an engine that is not installed is left out
// with a word.
func peers(b *testing.B, dir, file, ranks string, s size) []peer {
	few := 0
	if s.edges > 1e7 {
		few = 1 // minutes each
	}
	number := strconv.Itoa
	args := []string{file, number(anchors), number(hops), number(rounds)}
	own := append([]string{os.Args[0]}, args...)
	list := []peer{
		{name: "furrow", what: "furrow", env: []string{childEnv + "=1", "GOMAXPROCS=1"}, args: own}, // as the C++ program, on one processor
		{name: "furrow-all", what: "furrow, all CPUs", env: []string{childEnv + "=1"}, args: own, most: few},
	}
	exe, err := compile(b.Context(), filepath.Join(dir, "csr"), "g++", "-O2", "-std=c++17", "csr.cpp")
	if err != nil {
		b.Fatal(err)
	}
	list = append(list, peer{name: "csr", what: "plain C++", args: append([]string{exe}, args...)})
	if exe, err = compile(b.Context(), filepath.Join(dir, "grb"), "gcc", "-O2", "graphblas.c", "-lgraphblas"); err != nil {
		b.Log("GraphBLAS is left out: ", err)
	} else {
		list = append(list, peer{name: "graphblas", what: "GraphBLAS", env: []string{"OMP_WAIT_POLICY=passive"}, args: append([]string{exe}, args...), most: few})
	}
	list = append(list, peer{name: "igraph", what: "igraph", args: []string{
		"/usr/bin/python3", filepath.Join(here(), "peer", "igraph_peer.py"), file, number(anchors), number(hops), ranks,
	}, most: cmp.Or(few, 2)})
	if only := os.Getenv("FURROW_BENCH_ENGINES"); only != "" {
		list = slices.DeleteFunc(list, func(p peer) bool { return !slices.Contains(strings.Fields(only), p.name) })
	}
	return list
}

func table(b *testing.B, s size, list []peer, found map[string]answers) {
	columns := make([]string, len(list))
	for i, p := range list {
		columns[i] = p.what
	}
	t := book.Page(fmt.Sprintf("%d firms, %d links, power law; CPU seconds, in brackets the ratio to plain C++", s.nodes, s.edges), columns...)
	own, plain := found["furrow"], found["csr"]
	questions := []struct {
		what string
		of   func(answers) float64
		must bool
	}{
		{"load", func(a answers) float64 { return a.Load }, true},
		{fmt.Sprintf("reach of %d hops, %d anchors", hops, anchors), func(a answers) float64 { return a.Reach }, true},
		{"the same as one reach", func(a answers) float64 { return a.Union }, true},
		{fmt.Sprintf("PageRank %d (igraph: to convergence)", rounds), func(a answers) float64 { return a.Rank }, true},
		{"weak components", func(a answers) float64 { return a.Weak }, true},
		{"strong components", func(a answers) float64 { return a.Strong }, false},
	}
	for _, q := range questions {
		r := benchtable.Row{What: q.what}
		for _, p := range list {
			r.Values = append(r.Values, seconds(q.of(found[p.name]), q.of(plain)))
		}
		if o, c := q.of(own), q.of(plain); q.must && o > 0 && c > 0 {
			r.Target = fmt.Sprintf("at most %.1f of plain C++", mostOfPlain)
			// A lap of a few milliseconds is at the grain of the clock.
			r.Missed = o > mostOfPlain*c+0.01
		}
		t.Add(b, r)
	}
	r := benchtable.Row{What: "peak memory, MiB"}
	for _, p := range list {
		r.Values = append(r.Values, fmt.Sprintf("%d", found[p.name].PeakKiB>>10))
	}
	if s.nodes > 1e7 {
		r.Target = fmt.Sprintf("at most %.1f GiB", mostMemory)
		r.Missed = float64(own.PeakKiB) > mostMemory*(1<<20)
	}
	t.Add(b, r)
	t.Add(b, benchtable.Row{What: "3 hops around one firm, µs: median, 99 %", Values: []string{fmt.Sprintf("%.0f, %.0f", own.Near[0], own.Near[1])}})
	t.Add(b, benchtable.Row{What: "firms found, allocations", Values: []string{fmt.Sprintf("%.0f, %.2f", own.Near[2], own.Near[3])}})
}

func seconds(v, plain float64) string {
	switch {
	case v == 0:
		return "-"
	case plain == 0:
		return fmt.Sprintf("%.3f", v)
	}
	return fmt.Sprintf("%.3f (%.2f)", v, v/plain)
}

// agree fails when two engines have different answers.
func agree(b *testing.B, found map[string]answers) {
	own, ok := found["furrow"]
	if !ok {
		return
	}
	for name, a := range found {
		if a.ReachSum != own.ReachSum || a.UnionSum != 0 && a.UnionSum != own.UnionSum || a.Components != own.Components || a.Largest != own.Largest ||
			a.StrongComponents != 0 && (a.StrongComponents != own.StrongComponents || a.StrongLargest != own.StrongLargest) {
			b.Errorf("%s answers %+v, furrow %+v", name, a, own)
		}
		if name != "igraph" && math.Abs(a.RankMax-own.RankMax) > 1e-12 {
			b.Errorf("%s: highest rank %.15g, furrow's %.15g", name, a.RankMax, own.RankMax)
		}
	}
	b.Logf("reach %d, union %d, highest rank %.6e, %d components, largest %d, %d strong ones", own.ReachSum, own.UnionSum, own.RankMax, own.Components, own.Largest, own.StrongComponents)
}

// compareRanks runs PageRank to convergence and compares every firm's with igraph's.
func compareRanks(b *testing.B, file, ranks string) {
	g, err := read(file)
	if err != nil {
		b.Fatal(err)
	}
	rank, took := g.PageRank(0.85, 500, 1e-13)
	theirs, err := os.ReadFile(ranks)
	if err != nil || len(theirs) != 8*len(rank) {
		b.Fatal(len(theirs), err)
	}
	worst := 0.0
	for v, r := range rank {
		worst = max(worst, math.Abs(r-math.Float64frombits(binary.LittleEndian.Uint64(theirs[8*v:]))))
	}
	b.Logf("PageRank to convergence: %d rounds; the largest difference to igraph's is %.2g", took, worst)
	if worst > sameRank {
		b.Errorf("a rank differs by %g from igraph's", worst)
	}
}

// generate writes a graph: the number of nodes and links in 8 bytes each, then links of
// 4 and 4 bytes. Buyers follow a power law by their id (n u³), sellers another (n u²)
// by a rank of their own.
func generate(path string, nodes, edges int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // closed below when all is well
	w := bufio.NewWriterSize(f, 1<<20)
	r := rand.New(rand.NewPCG(1, 2))
	head := binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, uint64(nodes)), uint64(edges))
	if _, err := w.Write(head); err != nil {
		return err
	}
	var b [8]byte
	n := float64(nodes)
	seller := r.Perm(nodes) // by rank
	for range edges {
		u, v := r.Float64(), r.Float64()
		binary.LittleEndian.PutUint32(b[:], uint32(seller[int(n*u*u)]))
		binary.LittleEndian.PutUint32(b[4:], uint32(n*v*v*v))
		if _, err := w.Write(b[:]); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

// read builds the graph of a file, in blocks.
func read(path string) (*graph.Graph, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // read only
	var head [16]byte
	if _, err := io.ReadFull(f, head[:]); err != nil {
		return nil, err
	}
	var bad error
	g := graph.BuildStream(int(binary.LittleEndian.Uint64(head[:])), func(yield func([]graph.Edge) bool) {
		bad = blocks(f, yield)
	})
	return g, bad
}

func blocks(f *os.File, yield func([]graph.Edge) bool) error {
	block := make([]graph.Edge, 8192)
	bytes := unsafe.Slice((*byte)(unsafe.Pointer(&block[0])), 8*len(block))
	for at := int64(16); ; {
		k, err := f.ReadAt(bytes, at)
		if k > 0 && !yield(block[:k/8]) {
			return nil
		}
		at += int64(k)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// engine is the Go side, in a process of its own.
func engine(args []string) error {
	if len(args) != 4 {
		return fmt.Errorf("%d arguments", len(args))
	}
	debug.SetGCPercent(20)
	var out answers
	at := usage()
	lap := func(to *float64) {
		now := usage()
		*to = (now - at).Seconds()
		at = now
	}
	g, err := read(args[0])
	if err != nil {
		return err
	}
	lap(&out.Load)
	list := make([]uint32, anchors)
	for i := range list {
		list[i] = uint32(i)
	}
	for _, n := range g.Reaches(list, hops, graph.Upstream) {
		out.ReachSum += n
	}
	lap(&out.Reach)
	nodes, _ := g.Walker().Tiers(list, hops, graph.Upstream)
	out.UnionSum = len(nodes) - anchors
	lap(&out.Union)
	rank, _ := g.PageRank(0.85, rounds, 0)
	out.RankMax = slices.Max(rank)
	lap(&out.Rank)
	label := g.Weak()
	lap(&out.Weak)
	out.Components, out.Largest = sizes(label)
	at = usage()
	label, out.StrongComponents = g.Strong()
	lap(&out.Strong)
	_, out.StrongLargest = sizes(label)
	out.Near = near(g)
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return err
	}
	out.PeakKiB = r.Maxrss
	return json.NewEncoder(os.Stdout).Encode(out)
}

func usage() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		panic(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

func sizes(label []uint32) (components, largest int) {
	size := make([]uint32, len(label))
	for _, c := range label {
		size[c]++
	}
	for _, n := range size {
		if n > 0 {
			components++
		}
	}
	return components, int(slices.Max(size))
}

// near walks around firms drawn by chance, in both directions.
func near(g *graph.Graph) [4]float64 {
	const walks = 200
	k := g.Walker()
	r := rand.New(rand.NewPCG(3, 4))
	took := make([]float64, walks)
	firms := 0
	for i := range took {
		v := r.Uint32N(uint32(g.Len()))
		began := time.Now()
		firms += k.Reach(v, hops, graph.Both)
		took[i] = time.Since(began).Seconds() * 1e6
	}
	allocations := testing.AllocsPerRun(100, func() { k.Reach(5, hops, graph.Both) })
	slices.Sort(took)
	return [4]float64{took[walks/2], took[walks*99/100], float64(firms) / walks, allocations}
}
