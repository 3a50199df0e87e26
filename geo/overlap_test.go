package geo_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/geo"
)

// scattered makes n plots of very different sizes on a piece of land.
func scattered(n int, r *rand.Rand) []geo.Plot {
	plots := make([]geo.Plot, n)
	for i := range plots {
		w := 30 * math.Pow(40, r.Float64()*r.Float64())
		p := box(orb.Point{114 + 0.1*r.Float64(), 34.7 + 0.1*r.Float64()}, w, w*(0.3+r.Float64()))
		plots[i] = geo.Plot{ID: fmt.Sprint(i), OwnerID: fmt.Sprint(r.IntN(3)), Name: fmt.Sprint("plot ", i), OwnerName: "张三", Polygon: p, AreaM2: geo.AreaM2(p)}
	}
	return plots
}

func TestClashesAreThoseOfComparingAllPairs(t *testing.T) {
	t.Parallel()
	plots := scattered(1500, rand.New(rand.NewPCG(3, 4)))
	got, err := geo.Clashes(context.Background(), plots, 0.05)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{}
	for i, a := range plots {
		for _, b := range plots[i+1:] {
			m2 := geo.OverlapM2(a.Polygon, b.Polygon)
			if share := m2 / math.Min(a.AreaM2, b.AreaM2); a.OwnerID != b.OwnerID && m2 > 1 && share >= 0.05 {
				want[a.ID+" "+b.ID] = share
			}
		}
	}
	if len(want) < 100 || len(got) != len(want) {
		t.Fatalf("%d clashes, comparing all pairs gives %d", len(got), len(want))
	}
	last := 1.0
	for _, c := range got {
		if share := want[c.A.ID+" "+c.B.ID]; math.Abs(share-c.Share) > 1e-9 || c.Share > last {
			t.Errorf("%+v, want a share of %v, no greater than %v", c, share, last)
		}
		if c.A.OwnerName == "" || c.A.Name == "" || c.B.Name == "" {
			t.Errorf("%+v does not name the plots and their holders", c)
		}
		last = c.Share
	}
}

func TestClashesTellHoldersApart(t *testing.T) {
	t.Parallel()
	p := box(orb.Point{114, 34.7}, 200, 200)
	for _, c := range []struct {
		a, b geo.Plot
		want int
	}{
		{geo.Plot{OwnerID: "1", OwnerName: "张三"}, geo.Plot{OwnerID: "2", OwnerName: "张三"}, 1},
		{geo.Plot{OwnerID: "1"}, geo.Plot{OwnerID: "1"}, 0},
		{geo.Plot{OwnerName: "张三"}, geo.Plot{OwnerName: "张三"}, 0},
		{geo.Plot{OwnerName: "张三"}, geo.Plot{OwnerName: "李四"}, 1},
		{geo.Plot{}, geo.Plot{}, 1},
	} {
		c.a.Polygon, c.b.Polygon, c.a.AreaM2, c.b.AreaM2 = p, p, geo.AreaM2(p), geo.AreaM2(p)
		got, err := geo.Clashes(context.Background(), []geo.Plot{c.a, c.b}, 0)
		if err != nil || len(got) != c.want {
			t.Errorf("%q and %q: %+v, %v", c.a.OwnerID+c.a.OwnerName, c.b.OwnerID+c.b.OwnerName, got, err)
		}
	}
}

// BenchmarkClashes compares a million plots that lie side by side and askew like
// fields, so that the box of each meets those of its eight neighbours; one in a
// hundred is pledged twice.
func BenchmarkClashes(b *testing.B) {
	const side, n = 1000, 1_000_000
	plots := make([]geo.Plot, n)
	for i := range plots {
		x, y := 110+float64(i%side)*0.0021, 30+float64(i/side)*0.0019
		p := orb.Polygon{{{x, y}, {x + 0.002, y + 0.0003}, {x + 0.0023, y + 0.0021}, {x + 0.0003, y + 0.0018}, {x, y}}}
		if i%100 == 99 {
			p = plots[i-1].Polygon
		}
		plots[i] = geo.Plot{OwnerID: fmt.Sprint(i), Polygon: p, AreaM2: geo.AreaM2(p)}
	}
	for b.Loop() {
		got, err := geo.Clashes(context.Background(), plots, 0.01)
		if err != nil || len(got) < n/100 {
			b.Fatalf("%d, %v", len(got), err)
		}
		b.ReportMetric(float64(len(got)), "clashes")
	}
}
