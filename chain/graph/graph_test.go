package graph_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/chain/graph"
)

func ExampleGraph_Neighbours() {
	x := graph.NewIndex()
	mill, farm, brand := x.Add("mill"), x.Add("farm"), x.Add("brand")
	g := graph.Build(x.Len(), []graph.Edge{{From: farm, To: mill}, {From: mill, To: brand}})
	for _, s := range g.Neighbours([]uint32{brand}, 2, graph.Upstream) {
		fmt.Println(s.Hops, x.Key(s.ID))
	}
	// Output:
	// 0 brand
	// 1 mill
	// 2 farm
}

func drawn(t *rapid.T) (int, []graph.Edge) {
	n := rapid.IntRange(1, 12).Draw(t, "n")
	node := rapid.Uint32Range(0, uint32(n-1))
	edges := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) graph.Edge {
		return graph.Edge{From: node.Draw(t, "from"), To: node.Draw(t, "to")}
	}), 0, 30).Draw(t, "edges")
	return n, edges
}

func TestRowsHoldEveryEdge(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n, edges := drawn(t)
		g := graph.Build(n, edges)
		if g.Len() != n || g.Size() != len(edges) {
			t.Fatalf("got %d nodes and %d edges, want %d and %d", g.Len(), g.Size(), n, len(edges))
		}
		for v := range uint32(n) {
			var out, in []uint32
			for _, e := range edges {
				if e.From == v {
					out = append(out, e.To)
				}
				if e.To == v {
					in = append(in, e.From)
				}
			}
			slices.Sort(out)
			slices.Sort(in)
			if !slices.Equal(out, g.Out(v)) || !slices.Equal(in, g.In(v)) {
				t.Fatalf("node %d: out %v in %v, want %v %v", v, g.Out(v), g.In(v), out, in)
			}
		}
	})
}

// TestWalkEqualsRelaxation compares with distances relaxed to a fixed point.
func TestWalkEqualsRelaxation(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n, edges := drawn(t)
		g := graph.Build(n, edges)
		seed := rapid.Uint32Range(0, uint32(n-1)).Draw(t, "seed")
		hops := rapid.IntRange(0, 5).Draw(t, "hops")
		dir := rapid.SampledFrom([]graph.Direction{graph.Downstream, graph.Upstream, graph.Both}).Draw(t, "dir")
		want := map[uint32]int{seed: 0}
		for range n {
			for _, e := range edges {
				relax := func(a, b uint32) {
					if d, ok := want[a]; ok && d < hops {
						if old, ok := want[b]; !ok || d+1 < old {
							want[b] = d + 1
						}
					}
				}
				if dir != graph.Upstream {
					relax(e.From, e.To)
				}
				if dir != graph.Downstream {
					relax(e.To, e.From)
				}
			}
		}
		got, last := map[uint32]int{}, 0
		for _, s := range g.Neighbours([]uint32{seed}, hops, dir) {
			if s.Hops < last {
				t.Fatalf("%v comes after %d hops", s, last)
			}
			got[s.ID], last = s.Hops, s.Hops
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatal(d)
		}
		if r := g.Reach(seed, hops, dir); r != len(want)-1 {
			t.Fatalf("reach %d, want %d", r, len(want)-1)
		}
	})
}

// TestComponentsAreMutualReach compares with reach in both directions.
func TestComponentsAreMutualReach(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n, edges := drawn(t)
		g := graph.Build(n, edges)
		reach := make([]map[uint32]bool, n)
		for v := range uint32(n) {
			reach[v] = map[uint32]bool{}
			for _, s := range g.Neighbours([]uint32{v}, n, graph.Downstream) {
				reach[v][s.ID] = true
			}
		}
		of, count := map[uint32]int{}, 0
		for i, c := range g.Components() {
			for _, v := range c {
				of[v] = i
				count++
			}
		}
		if count != n || len(of) != n {
			t.Fatalf("%d places for %d nodes", count, n)
		}
		for a := range uint32(n) {
			for b := range uint32(n) {
				if (of[a] == of[b]) != (reach[a][b] && reach[b][a]) {
					t.Fatalf("%d and %d: together %v", a, b, of[a] == of[b])
				}
				if reach[a][b] && of[a] < of[b] {
					t.Fatalf("%d leads to %d but comes first", a, b)
				}
			}
		}
	})
}

func TestComponentsOfALongChainNeedNoStack(t *testing.T) {
	t.Parallel()
	const n = 500_000
	edges := make([]graph.Edge, n)
	for v := range uint32(n) {
		edges[v] = graph.Edge{From: v, To: (v + 1) % n}
	}
	if c := graph.Build(n, edges).Components(); len(c) != 1 || len(c[0]) != n {
		t.Fatalf("%d components", len(c))
	}
}

func powerLaw(n, m int) []graph.Edge {
	r := rand.New(rand.NewPCG(1, 2))
	edges := make([]graph.Edge, m)
	for i := range edges {
		u, v := r.Float64(), r.Float64()
		edges[i] = graph.Edge{From: uint32(float64(n) * u), To: uint32(float64(n) * v * v * v)}
	}
	return edges
}

func BenchmarkBuild(b *testing.B) {
	edges := powerLaw(200_000, 600_000)
	b.ReportAllocs()
	for b.Loop() {
		graph.Build(200_000, edges)
	}
}

func BenchmarkReach3(b *testing.B) {
	g := graph.Build(200_000, powerLaw(200_000, 600_000))
	v := uint32(0)
	for b.Loop() {
		g.Reach(v%1000, 3, graph.Upstream)
		v++
	}
}

func BenchmarkComponents(b *testing.B) {
	g := graph.Build(200_000, powerLaw(200_000, 600_000))
	for b.Loop() {
		g.Components()
	}
}
