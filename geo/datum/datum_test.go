package datum_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/paulmach/orb"
	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/geo/datum"
)

// Places whose shift is published with the open implementations.
func TestKnownPlaces(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ wgs, gcj orb.Point }{
		{orb.Point{121.5272106, 31.1774276}, orb.Point{121.531541859215, 31.17530398364597}},
		{orb.Point{113.912316, 22.543847}, orb.Point{113.9171764808363, 22.540796131694766}},
		{orb.Point{116.377817, 39.911954}, orb.Point{116.38404722455657, 39.91334545536069}},
	} {
		got := datum.ToGCJ02(c.wgs)
		if math.Abs(got[0]-c.gcj[0]) > 1e-6 || math.Abs(got[1]-c.gcj[1]) > 1e-6 {
			t.Errorf("%v: %v, want %v", c.wgs, got, c.gcj)
		}
	}
}

func TestOutsideOfChinaNothingShifts(t *testing.T) {
	t.Parallel()
	for _, p := range []orb.Point{{2.35, 48.86}, {151.2, -33.9}, {0, 0}} {
		for name, f := range map[string]func(orb.Point) orb.Point{"ToGCJ02": datum.ToGCJ02, "FromGCJ02": datum.FromGCJ02, "ToBD09": datum.ToBD09, "FromBD09": datum.FromBD09} {
			if got := f(p); got != p {
				t.Errorf("%s(%v) = %v", name, p, got)
			}
		}
	}
}

func TestThereAndBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := orb.Point{rapid.Float64Range(73.5, 135).Draw(t, "lon"), rapid.Float64Range(18, 53.5).Draw(t, "lat")}
		for _, back := range []orb.Point{datum.FromGCJ02(datum.ToGCJ02(p)), datum.FromBD09(datum.ToBD09(p))} {
			if d := math.Hypot(back[0]-p[0], back[1]-p[1]); d > 1e-9 {
				t.Errorf("%v comes back as %v, %g degrees away", p, back, d)
			}
		}
		if g := datum.ToGCJ02(p); math.Hypot(g[0]-p[0], g[1]-p[1]) > 0.02 {
			t.Errorf("%v moves to %v, further than the shift is", p, g)
		}
	})
}

func ExampleFromGCJ02() {
	p := datum.FromGCJ02(orb.Point{116.404, 39.915})
	fmt.Printf("%.5f %.5f\n", p[0], p[1])
	// Output: 116.39776 39.91360
}
