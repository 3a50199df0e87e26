package zonal_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/clip"
	"github.com/paulmach/orb/planar"
	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/geo/zonal"
)

func ExampleNewCover() {
	// A triangle over a grid of 3 × 2 pixels.
	triangle := orb.MultiPolygon{{{{0, 0}, {3, 0}, {0, 1.5}, {0, 0}}}}
	c := zonal.NewCover(triangle, 3, 2)
	for _, r := range c.Runs {
		fmt.Printf("row %d, columns %d to %d: %.4f\n", r.Y, r.X, r.X+r.N-1, r.W)
	}
	fmt.Printf("%.2f pixels, %d full\n", c.In, c.Full)
	// Output:
	// row 0, columns 0 to 0: 1.0000
	// row 0, columns 1 to 1: 0.7500
	// row 0, columns 2 to 2: 0.2500
	// row 1, columns 0 to 0: 0.2500
	// 2.25 pixels, 1 full
}

// dense spreads the runs over the grid, and fails when a pixel comes twice.
func dense(t *rapid.T, c zonal.Cover, w, h int) []float64 {
	out := make([]float64, w*h)
	for _, r := range c.Runs {
		for i := range r.N {
			k := int(r.Y)*w + int(r.X+i)
			if out[k] != 0 {
				t.Fatalf("pixel %d,%d comes twice", r.X+i, r.Y)
			}
			out[k] = r.W
		}
	}
	return out
}

func TestCoverEqualsClipping(t *testing.T) {
	t.Parallel()
	const w, h = 12, 9
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(4, 24).Draw(t, "corners")
		// Around a middle, with turns that keep the ring simple; partly off the grid,
		// and often with corners exactly on pixel edges.
		cx, cy := rapid.Float64Range(-2, w+2).Draw(t, "x"), rapid.Float64Range(-2, h+2).Draw(t, "y")
		round := rapid.Bool().Draw(t, "corners on pixel edges")
		ring := make(orb.Ring, 0, n+1)
		for i := range n {
			r := rapid.Float64Range(0.3, 8).Draw(t, "radius")
			phi := 2 * math.Pi * float64(i) / float64(n)
			p := orb.Point{cx + r*math.Cos(phi), cy + r*math.Sin(phi)}
			if round && n < 7 {
				p = orb.Point{math.Round(p[0]), math.Round(p[1])}
			}
			ring = append(ring, p)
		}
		ring = append(ring, ring[0])
		if rapid.Bool().Draw(t, "reversed") {
			ring.Reverse()
		}
		want := make([]float64, w*h)
		var sum float64
		for y := range h {
			for x := range w {
				px := orb.Bound{Min: orb.Point{float64(x), float64(y)}, Max: orb.Point{float64(x + 1), float64(y + 1)}}
				if part := clip.Ring(px, ring.Clone()); part != nil {
					want[y*w+x] = math.Abs(planar.Area(part))
				}
				sum += want[y*w+x]
			}
		}
		if round && n < 7 && !simple(ring) {
			t.Skip("rounding made a knot")
		}
		c := zonal.NewCover(orb.MultiPolygon{{ring}}, w, h)
		got := dense(t, c, w, h)
		full := 0
		for k := range want {
			if math.Abs(got[k]-want[k]) > 1e-8 {
				t.Fatalf("pixel %d,%d: %v, want %v", k%w, k/w, got[k], want[k])
			}
			if want[k] > 1-1e-9 {
				full++
			}
		}
		if math.Abs(c.In-sum) > 1e-7 || c.Full != full {
			t.Fatalf("In %v of %v, Full %d of %d", c.In, sum, c.Full, full)
		}
		if area := math.Abs(planar.Area(ring)); math.Abs(c.Area-area) > 1e-9*area {
			t.Fatalf("Area %v, want %v", c.Area, area)
		}
	})
}

// simple says whether no two edges of the ring that are not neighbours meet.
func simple(r orb.Ring) bool {
	n := len(r) - 1
	cross := func(a, b, c orb.Point) float64 { return (b[0]-a[0])*(c[1]-a[1]) - (b[1]-a[1])*(c[0]-a[0]) }
	for i := range n {
		for j := i + 1; j < n; j++ {
			a, b, c, d := r[i], r[i+1], r[j], r[j+1]
			if a == b || c == d {
				return false
			}
			if j == i+1 || i == 0 && j == n-1 {
				if cross(a, b, c) == 0 && cross(a, b, d) == 0 {
					return false
				}
				continue
			}
			if cross(a, b, c)*cross(a, b, d) <= 0 && cross(c, d, a)*cross(c, d, b) <= 0 {
				return false
			}
		}
	}
	return true
}

func TestCoverOfHolesAndParts(t *testing.T) {
	t.Parallel()
	square := func(x, y, side float64) orb.Ring {
		return orb.Ring{{x, y}, {x + side, y}, {x + side, y + side}, {x, y + side}, {x, y}}
	}
	for _, c := range []struct {
		name     string
		shape    orb.MultiPolygon
		in, area float64
		full     int
	}{
		{"a square", orb.MultiPolygon{{square(1, 1, 4)}}, 16, 16, 16},
		{"a square between pixels", orb.MultiPolygon{{square(1.5, 1.5, 4)}}, 16, 16, 9},
		{"smaller than a pixel", orb.MultiPolygon{{square(3.25, 3.25, 0.5)}}, 0.25, 0.25, 0},
		{"a hole, whatever its direction", orb.MultiPolygon{{square(1, 1, 4), square(2, 2, 1)}}, 15, 15, 15},
		{"two parts", orb.MultiPolygon{{square(0, 0, 2)}, {square(6, 6, 2)}}, 8, 8, 8},
		{"half outside", orb.MultiPolygon{{square(-2, 4, 4)}}, 8, 16, 8},
		{"beyond every side", orb.MultiPolygon{{square(-5, -5, 100)}}, 100, 10000, 100},
		{"outside", orb.MultiPolygon{{square(20, 20, 4)}}, 0, 16, 0},
		{"nothing", nil, 0, 0, 0},
		{"an empty ring", orb.MultiPolygon{{{}}}, 0, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := zonal.NewCover(c.shape, 10, 10)
			if math.Abs(got.In-c.in) > 1e-12 || math.Abs(got.Area-c.area) > 1e-9 || got.Full != c.full {
				t.Errorf("In %v, Area %v, Full %d; want %v, %v, %d", got.In, got.Area, got.Full, c.in, c.area, c.full)
			}
		})
	}
}

// Numbers beyond every whole number must not keep the loop over rows busy for ever.
func TestCoverOfPlacesFarAway(t *testing.T) {
	t.Parallel()
	for _, far := range []float64{1e10, 1e19, 1e100, -1e19, -1e100} {
		for _, ring := range []orb.Ring{
			{{2, far}, {8, far}, {8, 2 * far}, {2, 2 * far}, {2, far}},
			{{far, 2}, {far, 8}, {2 * far, 8}, {2 * far, 2}, {far, 2}},
		} {
			if c := zonal.NewCover(orb.MultiPolygon{{ring}}, 10, 10); len(c.Runs) > 0 || c.In != 0 {
				t.Errorf("%v: %+v", ring, c)
			}
		}
	}
}
