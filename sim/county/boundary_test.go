package county_test

import (
	"slices"
	"testing"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"

	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/boundary"
	"github.com/furrowcredit/furrow/geo/scene"
	"github.com/furrowcredit/furrow/sim/county"
)

// TestBoundary points at fields of the county, at their middle and off it, and
// compares what is suggested with the truth.
func TestBoundary(t *testing.T) {
	t.Parallel()
	c, err := county.New(county.Config{Seed: 20260, Now: at("2026-11-21")})
	if err != nil {
		t.Fatal(err)
	}
	cat := scenesOf(t, c)
	finder := boundary.New(func() *scene.Catalogue { return cat })
	var ious []float64
	for k, p := range c.Plots {
		if k%14 != 0 || p.Overlaps != "" {
			continue
		}
		place, _ := planar.CentroidArea(p.Polygon)
		if corner := p.Polygon[0][k%8]; k%28 == 0 { // a third of the way to a corner
			place = orb.Point{place[0] + (corner[0]-place[0])/3, place[1] + (corner[1]-place[1])/3}
		}
		got, err := finder.Suggest(t.Context(), place, c.Season)
		if err != nil {
			t.Logf("%s: %v", p.Key, err)
			ious = append(ious, 0)
			continue
		}
		both := geo.OverlapM2(got.Polygon, p.Polygon)
		ious = append(ious, both/(got.AreaM2+geo.AreaM2(p.Polygon)-both))
	}
	slices.Sort(ious)
	n := len(ious)
	t.Logf("%d taps: IoU tenth %.3f, quarter %.3f, median %.3f, three quarters %.3f", n, ious[n/10], ious[n/4], ious[n/2], ious[n*3/4])
	if ious[n/2] < 0.85 {
		t.Errorf("median IoU %.3f, want 0.85", ious[n/2])
	}
}
