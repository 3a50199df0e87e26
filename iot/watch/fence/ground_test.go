package fence_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/paulmach/orb"
	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/iot/watch/fence"
)

// round is a ring of n corners with a radius that wanders.
func round(n int, x, y, radius float64, rng *rand.Rand) orb.Ring {
	r := make(orb.Ring, n+1)
	for i := range n {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / float64(n))
		far := radius * (0.7 + 0.3*rng.Float64())
		r[i] = orb.Point{x + far*cos, y + far*sin}
	}
	r[n] = r[0]
	return r
}

// plainly is the signed distance to a polygon, side by side.
func plainly(p orb.Polygon, at orb.Point) float64 {
	inside, least := false, math.Inf(1)
	for _, r := range p {
		for i := 1; i < len(r); i++ {
			a, b := r[i-1], r[i]
			if (a[1] > at[1]) != (b[1] > at[1]) && at[0] < (b[0]-a[0])*(at[1]-a[1])/(b[1]-a[1])+a[0] {
				inside = !inside
			}
			dx, dy := b[0]-a[0], b[1]-a[1]
			t := math.Max(0, math.Min(1, ((at[0]-a[0])*dx+(at[1]-a[1])*dy)/(dx*dx+dy*dy)))
			least = math.Min(least, math.Hypot(at[0]-a[0]-t*dx, at[1]-a[1]-t*dy))
		}
	}
	if inside {
		return -least
	}
	return least
}

// TestDistance: the boxes leave nothing out, with holes and with several polygons.
func TestDistance(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		pasture := orb.Polygon{round(3+rng.IntN(300), 0, 0, 500, rng), round(3+rng.IntN(40), 50, 50, 100, rng)}
		yard := orb.Polygon{round(3+rng.IntN(50), 900*rng.Float64(), 0, 200, rng)}
		g := fence.NewLocal(pasture, yard)
		for range 50 {
			at := orb.Point{3000 * (rng.Float64() - 0.5), 3000 * (rng.Float64() - 0.5)}
			a, b := plainly(pasture, at), plainly(yard, at)
			if got, want := g.Distance(at), math.Min(a, b); math.Abs(got-want) > 1e-6 {
				t.Fatalf("%v is %g m away, not %g", at, want, got)
			}
			i, depth, ok := g.Of(at)
			if ok != (a <= 0 || b <= 0) || ok && math.Abs(depth+math.Min(a, b)) > 1e-6 || ok && (i == 0) != (a <= b) {
				t.Fatalf("%v: in polygon %d, %g m deep, %v; distances %g, %g", at, i, depth, ok, a, b)
			}
		}
	})
}

func ExampleGround() {
	pasture := orb.Polygon{
		{{0, 0}, {100, 0}, {100, 100}, {0, 100}, {0, 0}},
		{{40, 40}, {60, 40}, {60, 60}, {40, 60}, {40, 40}}, // a pond
	}
	yard := orb.Polygon{{{100, 0}, {130, 0}, {130, 30}, {100, 30}, {100, 0}}}
	g := fence.NewLocal(pasture, yard)
	for _, p := range []orb.Point{{20, 50}, {50, 50}, {115, 15}, {150, 15}} {
		fmt.Printf("%v: %.0f m\n", p, g.Distance(p))
	}
	// Output:
	// [20 50]: -20 m
	// [50 50]: 10 m
	// [115 15]: -15 m
	// [150 15]: 20 m
}

func TestNoGround(t *testing.T) {
	t.Parallel()
	for _, g := range []*fence.Ground{fence.New(), fence.New(orb.Polygon{}), fence.New(nil, orb.Polygon{{}})} {
		if !g.Empty() || !math.IsInf(g.Distance(orb.Point{1, 2}), 1) {
			t.Error("no polygon is somewhere")
		}
	}
}

// BenchmarkDistance is the cost of one fix against a fence of a thousand corners.
func BenchmarkDistance(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	polygon := orb.Polygon{round(1000, 0, 0, 1000, rng)}
	points := make([]orb.Point, 1024)
	for i := range points {
		points[i] = orb.Point{2400 * (rng.Float64() - 0.5), 2400 * (rng.Float64() - 0.5)}
	}
	g := fence.NewLocal(polygon)
	b.Run("boxes", func(b *testing.B) {
		for i := range b.N {
			g.Distance(points[i%len(points)])
		}
	})
	b.Run("plain", func(b *testing.B) {
		for i := range b.N {
			plainly(polygon, points[i%len(points)])
		}
	})
}
