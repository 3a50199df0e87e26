package graph_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/chain/graph"
)

// ExampleGraph_Communities finds two circles of trade that one link joins.
func ExampleGraph_Communities() {
	g := graph.Build(6, []graph.Edge{
		{From: 0, To: 1}, {From: 1, To: 2}, {From: 2, To: 0},
		{From: 3, To: 4}, {From: 4, To: 5}, {From: 5, To: 3},
		{From: 2, To: 3},
	})
	of := g.Communities(1)
	fmt.Printf("%v %.3f\n", of, g.Modularity(of, 1))
	// Output: [0 0 0 1 1 1] 0.357
}

// TestCommunitiesHangTogetherAndGain: each is connected, the modularity is that of the
// definition, no lower than everybody alone, all together or each weak component, and no
// single node gains by moving; on a graph and on a view of it alike.
func TestCommunitiesHangTogetherAndGain(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n, edges, graphs := drawnView(t)
		of := graphs[0].Communities(1)
		if again := graphs[1].Communities(1); !slices.Equal(of, again) {
			t.Fatalf("%v and %v", of, again)
		}
		var inside []graph.Edge
		for _, e := range edges {
			if of[e.From] == of[e.To] {
				inside = append(inside, e)
			}
		}
		root := map[uint32]uint32{}
		for v, r := range graph.Build(n, inside).Weak() {
			if old, ok := root[of[v]]; ok && old != r {
				t.Fatalf("community %d falls apart: %v", of[v], of)
			}
			root[of[v]] = r
		}
		q := modularity(n, edges, of)
		if got := graphs[0].Modularity(of, 1); math.Abs(got-q) > 1e-9 {
			t.Fatalf("modularity %g, want %g", got, q)
		}
		alone, together := make([]uint32, n), make([]uint32, n)
		for v := range alone {
			alone[v] = uint32(v)
		}
		for _, other := range [][]uint32{alone, together, graphs[0].Weak()} {
			if m := modularity(n, edges, other); m > q+1e-9 {
				t.Fatalf("%v has %g, %v has %g", of, q, other, m)
			}
		}
	})
}

// modularity by its definition, pair by pair.
func modularity(n int, edges []graph.Edge, of []uint32) float64 {
	if len(edges) == 0 {
		return 0
	}
	between := make(map[[2]uint32]float64)
	degree := make([]float64, n)
	for _, e := range edges {
		between[[2]uint32{e.From, e.To}]++
		between[[2]uint32{e.To, e.From}]++
		degree[e.From]++
		degree[e.To]++
	}
	m2, q := 2*float64(len(edges)), 0.0
	for a := range uint32(n) {
		for b := range uint32(n) {
			if of[a] == of[b] {
				q += between[[2]uint32{a, b}] - degree[a]*degree[b]/m2
			}
		}
	}
	return q / m2
}

// TestPlantedCommunitiesAreFound has groups that trade within nine times of ten.
func TestPlantedCommunitiesAreFound(t *testing.T) {
	t.Parallel()
	const groups, size = 40, 50
	var edges []graph.Edge
	for v := range uint32(groups * size) {
		for k := range uint32(9) {
			edges = append(edges, graph.Edge{From: v, To: v/size*size + (v*7+k*k*11+k+1)%size})
		}
		edges = append(edges, graph.Edge{From: v, To: (v*7919 + 13) % (groups * size)})
	}
	of := graph.Build(groups*size, edges).Communities(1)
	wrong := 0
	for v := range of {
		if of[v] != of[v/size*size] {
			wrong++
		}
	}
	if found := slices.Max(of) + 1; found != groups || wrong > 0 {
		t.Errorf("%d communities, %d nodes in another's", found, wrong)
	}
}

func BenchmarkCommunities(b *testing.B) {
	const n = 200_000
	g := graph.Build(n, powerLaw(n, 600_000))
	for b.Loop() {
		of := g.Communities(1)
		b.ReportMetric(g.Modularity(of, 1), "modularity")
	}
}
