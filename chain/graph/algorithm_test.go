package graph_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/chain/graph"
)

// ExampleGraph_PageRank ranks a brand that two farms reach through one mill.
func ExampleGraph_PageRank() {
	x := graph.NewIndex()
	farm, other, mill, brand := x.Add("farm"), x.Add("other farm"), x.Add("mill"), x.Add("brand")
	g := graph.Build(x.Len(), []graph.Edge{{From: farm, To: mill}, {From: other, To: mill}, {From: mill, To: brand}})
	rank, _ := g.PageRank(0.85, 100, 1e-12)
	for v, r := range rank {
		fmt.Printf("%s %.3f\n", x.Key(uint32(v)), r)
	}
	// Output:
	// farm 0.125
	// other farm 0.125
	// mill 0.338
	// brand 0.412
}

func ExampleGraph_Paths() {
	x := graph.NewIndex()
	farm, mill, shop, brand := x.Add("farm"), x.Add("mill"), x.Add("shop"), x.Add("brand")
	g := graph.Build(x.Len(), []graph.Edge{{From: farm, To: mill}, {From: mill, To: brand}, {From: mill, To: shop}, {From: shop, To: brand}, {From: farm, To: brand}})
	for _, path := range g.Paths(farm, brand, 3, 10, graph.Downstream) {
		for i, v := range path {
			fmt.Print(strings.Repeat(" > ", min(i, 1)), x.Key(v))
		}
		fmt.Println()
	}
	// Output:
	// farm > brand
	// farm > mill > brand
	// farm > mill > shop > brand
}

func ExampleGraph_Weak() {
	g := graph.Build(5, []graph.Edge{{From: 1, To: 0}, {From: 3, To: 4}})
	fmt.Println(g.Weak())
	// Output: [0 0 2 3 3]
}

// drawnView is a graph as it is and the same graph as a view with changes over the
// first half of its edges: every algorithm must agree on both.
func drawnView(t *rapid.T) (n int, edges []graph.Edge, both []*graph.Graph) {
	n, edges = drawn(t)
	slices.SortFunc(edges, cmp2)
	edges = slices.Compact(edges) // a view has a link once
	x := graph.NewIndex()
	for v := range n {
		x.Add(fmt.Sprint(v))
	}
	cut := rapid.IntRange(0, len(edges)).Draw(t, "cut")
	view := graph.NewView(&graph.Snapshot{Graph: graph.Build(n, edges[:cut]), Index: x})
	var changes []graph.Change
	for _, e := range edges[cut:] {
		changes = append(changes, graph.Change{From: fmt.Sprint(e.From), To: fmt.Sprint(e.To)})
	}
	return n, edges, []*graph.Graph{graph.Build(n, edges), view.Apply(changes, 1).Graph}
}

func cmp2(a, b graph.Edge) int {
	return slices.Compare([]uint32{a.From, a.To}, []uint32{b.From, b.To})
}

func TestPageRankEqualsTheDefinition(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n, edges, graphs := drawnView(t)
		const d, rounds = 0.85, 30
		out := make([]float64, n)
		for _, e := range edges {
			out[e.From]++
		}
		want := make([]float64, n)
		for v := range want {
			want[v] = 1 / float64(n)
		}
		for range rounds {
			next := make([]float64, n)
			lost := 0.0
			for v := range want {
				if out[v] == 0 {
					lost += want[v]
				}
			}
			for v := range next {
				next[v] = (1-d)/float64(n) + d*lost/float64(n)
			}
			for _, e := range edges {
				next[e.To] += d * want[e.From] / out[e.From]
			}
			want = next
		}
		for _, g := range graphs {
			got, took := g.PageRank(d, rounds, 0)
			sum := 0.0
			for v := range got {
				sum += got[v]
				if math.Abs(got[v]-want[v]) > 1e-12 {
					t.Fatalf("node %d: %g, want %g", v, got[v], want[v])
				}
			}
			if math.Abs(sum-1) > 1e-12 || took > rounds {
				t.Fatalf("sum %g after %d rounds", sum, took)
			}
			fixed, _ := g.PageRank(d, 1000, 1e-14)
			again, _ := g.PageRank(d, 1000, 1e-14)
			if !slices.Equal(fixed, again) {
				t.Fatal("two runs differ")
			}
		}
	})
}

func TestWeakEqualsRelabelling(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n, edges, graphs := drawnView(t)
		want := make([]uint32, n)
		for v := range want {
			want[v] = uint32(v)
		}
		for range n {
			for _, e := range edges {
				low := min(want[e.From], want[e.To])
				want[e.From], want[e.To] = low, low
			}
		}
		for _, g := range graphs {
			if d := cmp.Diff(want, g.Weak()); d != "" {
				t.Fatal(d)
			}
		}
	})
}

func TestPathsEqualExhaustion(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n, edges, graphs := drawnView(t)
		node := rapid.Uint32Range(0, uint32(n-1))
		from, to := node.Draw(t, "from"), node.Draw(t, "to")
		hops := rapid.IntRange(0, 4).Draw(t, "hops")
		dir := rapid.SampledFrom([]graph.Direction{graph.Downstream, graph.Upstream, graph.Both}).Draw(t, "dir")
		next := map[uint32][]uint32{}
		for _, e := range edges {
			if dir != graph.Upstream {
				next[e.From] = append(next[e.From], e.To)
			}
			if dir != graph.Downstream {
				next[e.To] = append(next[e.To], e.From)
			}
		}
		want := map[string]bool{}
		var walk func(path []uint32)
		walk = func(path []uint32) {
			last := path[len(path)-1]
			if last == to {
				want[fmt.Sprint(path)] = true
				return
			}
			if len(path) > hops {
				return
			}
			for _, w := range next[last] {
				if !slices.Contains(path, w) {
					walk(append(slices.Clone(path), w))
				}
			}
		}
		walk([]uint32{from})
		for _, g := range graphs {
			got, length := map[string]bool{}, 0
			for _, p := range g.Paths(from, to, hops, 1000, dir) {
				if len(p) < length {
					t.Fatalf("%v comes after a longer one", p)
				}
				length = len(p)
				got[fmt.Sprint(p)] = true
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Fatal(d)
			}
			if few := g.Paths(from, to, hops, 1, dir); len(few) != min(len(want), 1) {
				t.Fatalf("%d paths, want one", len(few))
			}
		}
	})
}

func TestWalkerForgetsWhatItSaw(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n, _, graphs := drawnView(t)
		for _, g := range graphs {
			k := g.Walker()
			for range 5 {
				seeds := rapid.SliceOfN(rapid.Uint32Range(0, uint32(n-1)), 0, 3).Draw(t, "seeds")
				hops := rapid.IntRange(0, 4).Draw(t, "hops")
				nodes, ends := k.Tiers(seeds, hops, graph.Upstream)
				var want []uint32
				tiers := map[int]int{}
				for _, s := range g.Neighbours(seeds, hops, graph.Upstream) {
					want = append(want, s.ID)
					tiers[s.Hops] = len(want)
					if s.Hops > 0 && !slices.Contains(g.Out(s.ID), s.From) {
						t.Fatalf("%+v was not reached from there", s)
					}
				}
				if !slices.Equal(nodes, want) {
					t.Fatalf("%v, want %v", nodes, want)
				}
				for tier, end := range ends {
					if len(want) > 0 && tiers[tier] != end {
						t.Fatalf("tier %d ends at %d, want %d", tier, end, tiers[tier])
					}
				}
			}
		}
		all := make([]uint32, n)
		for v := range all {
			all[v] = uint32(v)
		}
		for v, reach := range graphs[0].Reaches(all, 2, graph.Both) {
			if want := graphs[1].Reach(uint32(v), 2, graph.Both); reach != want {
				t.Fatalf("node %d reaches %d, want %d", v, reach, want)
			}
		}
	})
}

// TestLargeGraphsAreBuiltAlike goes over several buckets, with hubs.
func TestLargeGraphsAreBuiltAlike(t *testing.T) {
	t.Parallel()
	const n = 200_000
	edges := powerLaw(n, 600_000)
	g := graph.Build(n, edges)
	links := make([]graph.Link, len(edges))
	for i, e := range edges {
		links[i] = graph.Link{From: e.From, To: e.To, Trade: graph.Trade{Amount: int64(e.From)<<32 | int64(e.To)}}
	}
	h := graph.BuildLinks(n, links)
	slices.SortFunc(edges, cmp2)
	at := 0
	for v := range uint32(n) {
		for i, w := range g.Out(v) {
			if edges[at] != (graph.Edge{From: v, To: w}) || h.Out(v)[i] != w || h.OutTrade(v, i).Amount != int64(v)<<32|int64(w) {
				t.Fatalf("edge %d is %v", at, edges[at])
			}
			at++
		}
		if !slices.Equal(g.In(v), h.In(v)) || !slices.IsSorted(g.In(v)) {
			t.Fatalf("sellers of %d differ", v)
		}
		for i, u := range h.In(v) {
			if h.InTrade(v, i).Amount != int64(u)<<32|int64(v) {
				t.Fatalf("trade of %d to %d is another's", u, v)
			}
		}
	}
	if at != len(edges) {
		t.Fatalf("%d edges", at)
	}
}

func BenchmarkWalk(b *testing.B) {
	const n = 200_000
	k := graph.Build(n, powerLaw(n, 600_000)).Walker()
	v := uint32(0)
	b.ReportAllocs()
	for b.Loop() {
		k.Reach(v*7919%n, 2, graph.Downstream)
		v++
	}
}

func BenchmarkPageRank(b *testing.B) {
	const n = 200_000
	g := graph.Build(n, powerLaw(n, 600_000))
	for b.Loop() {
		g.PageRank(0.85, 20, 0)
	}
}
