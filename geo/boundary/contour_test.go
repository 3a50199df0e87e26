package boundary

import (
	"math"
	"testing"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"
	"pgregory.net/rapid"
)

// A disc drawn by the part of each pixel that it covers is found again to a tenth of
// a pixel.
func TestContoursFollowADisc(t *testing.T) {
	t.Parallel()
	const w, h, r, fine = 24, 20, 6.3, 20
	middle := orb.Point{11.2, 9.7}
	values := make([]float64, w*h)
	for i := range values {
		for k := range fine * fine {
			p := orb.Point{float64(i%w) + (float64(k%fine)+0.5)/fine, float64(i/w) + (float64(k/fine)+0.5)/fine}
			if planar.Distance(p, middle) < r {
				values[i] += 1.0 / (fine * fine)
			}
		}
	}
	rings := contours(values, w, h)
	if len(rings) != 1 || rings[0].Orientation() != orb.CW {
		t.Fatalf("%v", rings)
	}
	for _, p := range rings[0] {
		if off := math.Abs(planar.Distance(p, middle) - r); off > 0.25 {
			t.Errorf("%v is %.3f off", p, off)
		}
	}
	if a := math.Abs(planar.Area(rings[0])); math.Abs(a/(math.Pi*r*r)-1) > 0.01 {
		t.Errorf("area %v of %v", a, math.Pi*r*r)
	}
}

// Whatever the values, every ring is closed, and the middles of pixels lie within
// as many rings as their values say.
func TestContoursPartHighFromLow(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(1, 7).Draw(t, "w"), rapid.IntRange(1, 7).Draw(t, "h")
		values := rapid.SliceOfN(rapid.SampledFrom([]float64{0, 0.1, 0.4, 0.6, 1}), w*h, w*h).Draw(t, "values")
		rings := contours(values, w, h)
		for i, v := range values {
			in := 0
			for _, r := range rings {
				if r[0] != r[len(r)-1] {
					t.Fatalf("%v is open", r)
				}
				if planar.RingContains(r, orb.Point{float64(i%w) + 0.5, float64(i/w) + 0.5}) {
					in++
				}
			}
			if (in%2 == 1) != (v >= 0.5) {
				t.Errorf("pixel %d of %v lies in %d rings", i, v, in)
			}
		}
	})
}
