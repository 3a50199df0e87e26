package geo_test

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geojson"
	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/internal/realdata"
)

// box is a rectangle of w × h metres, roughly, with its south-west corner at p.
func box(p orb.Point, w, h float64) orb.Polygon {
	dx, dy := w/(111320*math.Cos(p[1]*math.Pi/180)), h/110574
	return orb.Polygon{{p, {p[0] + dx, p[1]}, {p[0] + dx, p[1] + dy}, {p[0], p[1] + dy}, p}}
}

func TestAreaM2AgreesWithSurveyedParcels(t *testing.T) {
	t.Parallel()
	body, err := os.ReadFile(filepath.Join(realdata.Dir(t, "geo", "cawa"), "cawa_parcels.geojson"))
	if err != nil {
		t.Fatal(err)
	}
	fc, err := geojson.UnmarshalFeatureCollection(body)
	if err != nil {
		t.Fatal(err)
	}
	var ratios []float64
	refused := map[string]int{}
	for _, f := range fc.Features {
		var m2 float64
		mp, ok := f.Geometry.(orb.MultiPolygon)
		if !ok {
			mp = orb.MultiPolygon{f.Geometry.(orb.Polygon)}
		}
		for _, p := range mp {
			m2 += geo.AreaM2(p)
			valid, err := geo.ValidatePolygon(p)
			if err != nil {
				refused[err.Error()[:min(30, len(err.Error()))]]++
				continue
			}
			if diff := math.Abs(geo.OverlapM2(valid, valid)/geo.AreaM2(valid) - 1); diff > 1e-7 {
				t.Errorf("sample %v overlaps itself by 1 ± %g", f.Properties["sample_id"], diff)
			}
		}
		ratios = append(ratios, m2/f.Properties.MustFloat64("area"))
	}
	slices.Sort(ratios)
	n := len(ratios)
	median := ratios[n/2]
	t.Logf("%d parcels: median ratio %.7f, 1 %% %.5f, 99 %% %.5f; refused %v", n, median, ratios[n/100], ratios[n*99/100], refused)
	if math.Abs(median-1) > 1e-5 {
		t.Errorf("median ratio %v, want 1 within 1e-5", median)
	}
	if ratios[n/100] < 0.9999 || ratios[n*99/100] > 1.0001 {
		t.Errorf("98 %% of the ratios lie in %v..%v, want within 1e-4", ratios[n/100], ratios[n*99/100])
	}
}

func TestAreaM2KnownValues(t *testing.T) {
	t.Parallel()
	// A cell between two meridians and two parallels has an area in closed form
	// (Snyder 1987, eq. 3-18 integrated). Thin cells make parallels nearly geodesics.
	const a, e2 = 6378137.0, 0.0066943799901413165
	exact := func(lat0, lat1, dLon float64) float64 {
		e := math.Sqrt(e2)
		f := func(lat float64) float64 {
			s := math.Sin(lat * math.Pi / 180)
			return s/(1-e2*s*s) + math.Atanh(e*s)/e
		}
		return a * a * (1 - e2) / 2 * (f(lat1) - f(lat0)) * dLon * math.Pi / 180
	}
	for _, lat := range []float64{-60, -0.01, 0, 23.4, 39, 45.8, 71} {
		p := orb.Polygon{{{80, lat}, {80.001, lat}, {80.001, lat + 0.01}, {80, lat + 0.01}, {80, lat}}}
		if got, want := geo.AreaM2(p), exact(lat, lat+0.01, 0.001); math.Abs(got/want-1) > 1e-8 {
			t.Errorf("at %v°: %v m², want %v", lat, got, want)
		}
	}
	octant := orb.Polygon{{{0, 0}, {90, 0}, {0, 90}, {0, 0}}}
	if got := geo.AreaM2(octant); math.Abs(got/(510065621724088.5/8)-1) > 1e-12 {
		t.Errorf("an eighth of the earth is %v m²", got)
	}
}

func ExampleAreaM2() {
	field := orb.Polygon{{{114.0, 34.7}, {114.002, 34.7}, {114.002, 34.702}, {114.0, 34.702}, {114.0, 34.7}}}
	m2 := geo.AreaM2(field)
	fmt.Printf("%.0f m², %.1f mu, %.0f m around\n", m2, m2/geo.M2PerMu, geo.PerimeterM(field))
	// Output: 40655 m², 61.0 mu, 810 m around
}

func ExampleOverlapM2() {
	a := orb.Polygon{{{114.0, 34.7}, {114.002, 34.7}, {114.002, 34.702}, {114.0, 34.702}, {114.0, 34.7}}}
	b := orb.Polygon{{{114.001, 34.701}, {114.003, 34.701}, {114.003, 34.703}, {114.001, 34.703}, {114.001, 34.701}}}
	fmt.Printf("%.3f of the field\n", geo.OverlapM2(a, b)/geo.AreaM2(a))
	// Output: 0.250 of the field
}

func TestValidatePolygon(t *testing.T) {
	t.Parallel()
	at := orb.Point{114, 34.7}
	field := box(at, 200, 200)
	for _, c := range []struct {
		name string
		in   orb.Polygon
		want error
	}{
		{"a field", field, nil},
		{"not closed", orb.Polygon{field[0][:4]}, nil},
		{"clockwise", orb.Polygon{{field[0][0], field[0][3], field[0][2], field[0][1]}}, nil},
		{"corners repeated", orb.Polygon{{at, at, field[0][1], field[0][1], field[0][2], field[0][3], at, at}}, nil},
		{"with a hole", orb.Polygon{field[0], box(orb.Point{114.0005, 34.7005}, 50, 50)[0]}, nil},
		{"empty", nil, geo.ErrRing},
		{"a line", orb.Polygon{{at, {114.1, 34.7}, at}}, geo.ErrRing},
		{"flat", orb.Polygon{{at, {114.1, 34.7}, {114.2, 34.7}, at}}, geo.ErrSelfCrossing},
		{"a knot", orb.Polygon{{at, {114.002, 34.702}, {114.002, 34.7}, {114, 34.702}, at}}, geo.ErrSelfCrossing},
		{"touches itself", orb.Polygon{{at, {114.002, 34.7}, {114.001, 34.701}, {114.002, 34.702}, {114, 34.702}, {114.001, 34.701}, at}}, geo.ErrSelfCrossing},
		{"a spike", orb.Polygon{{at, {114.002, 34.7}, {114.004, 34.7}, {114.002, 34.7}, {114.002, 34.702}, at}}, geo.ErrSelfCrossing},
		{"hole outside", orb.Polygon{field[0], box(orb.Point{114.1, 34.7}, 50, 50)[0]}, geo.ErrHole},
		{"hole in a hole", orb.Polygon{field[0], box(orb.Point{114.0005, 34.7005}, 60, 60)[0], box(orb.Point{114.0006, 34.7006}, 20, 20)[0]}, geo.ErrHole},
		{"hole across the edge", orb.Polygon{field[0], box(orb.Point{113.9999, 34.7005}, 50, 50)[0]}, geo.ErrSelfCrossing},
		{"3 m²", box(at, 2, 1.5), geo.ErrTooSmall},
		{"a township", box(at, 20000, 20000), geo.ErrTooLarge},
		{"metres for degrees", orb.Polygon{{{500000, 4400000}, {500100, 4400000}, {500100, 4400100}, {500000, 4400000}}}, geo.ErrCoordinates},
		{"latitude first", orb.Polygon{{{34.7, 114}, {34.7, 114.002}, {34.702, 114.002}, {34.7, 114}}}, geo.ErrCoordinates},
		{"not a number", orb.Polygon{{{math.NaN(), 34.7}, {114, 34.7}, {114, 34.8}, {math.NaN(), 34.7}}}, geo.ErrCoordinates},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := geo.ValidatePolygon(c.in)
			if !errors.Is(err, c.want) {
				t.Fatalf("got error %v, want %v", err, c.want)
			}
			if c.want != nil {
				return
			}
			for i, r := range got {
				if !r.Closed() || (r.Orientation() == orb.CCW) != (i == 0) {
					t.Errorf("ring %d is not in its stored form: %v", i, r)
				}
			}
			again, err := geo.ValidatePolygon(got)
			if err != nil || !again.Equal(got) {
				t.Errorf("a valid polygon changed when checked again: %v, %v", again, err)
			}
		})
	}
}

func TestSelfCrossingNamesThePlace(t *testing.T) {
	t.Parallel()
	_, err := geo.ValidatePolygon(orb.Polygon{{{114, 34.7}, {114.002, 34.702}, {114.002, 34.7}, {114, 34.702}}})
	if err == nil || !strings.Contains(err.Error(), "114.001000, 34.701000") {
		t.Errorf("the knot at 114.001, 34.701 is not named: %v", err)
	}
}

// star draws a polygon around a middle: simple by construction.
func star(t *rapid.T, name string) orb.Polygon {
	n := rapid.IntRange(3, 40).Draw(t, name+" corners")
	x := rapid.Float64Range(-0.004, 0.004).Draw(t, name+" x")
	y := rapid.Float64Range(-0.004, 0.004).Draw(t, name+" y")
	ring := make(orb.Ring, 0, n+1)
	for i := range n {
		r := rapid.Float64Range(0.0005, 0.004).Draw(t, name+" radius")
		phi := (float64(i) + rapid.Float64Range(0.05, 0.95).Draw(t, name+" turn")) / float64(n) * 2 * math.Pi
		ring = append(ring, orb.Point{80 + x + r*math.Cos(phi), 40 + y + r*math.Sin(phi)})
	}
	return orb.Polygon{append(ring, ring[0])}
}

func TestOverlapProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := star(t, "a"), star(t, "b")
		if ring := a[0]; len(ring) < 5 {
			return // three corners may turn by more than half a circle
		}
		va, err := geo.ValidatePolygon(a)
		if err != nil {
			t.Skip("not simple")
		}
		vb, err := geo.ValidatePolygon(b)
		if err != nil {
			t.Skip("not simple")
		}
		areaA, areaB := geo.AreaM2(va), geo.AreaM2(vb)
		ab, ba := geo.OverlapM2(va, vb), geo.OverlapM2(vb, va)
		if math.Abs(ab-ba) > 1e-9*math.Max(areaA, areaB) {
			t.Fatalf("overlap is not symmetric: %v and %v", ab, ba)
		}
		if ab < 0 || ab > math.Min(areaA, areaB)*(1+1e-7) {
			t.Fatalf("overlap %v of %v and %v", ab, areaA, areaB)
		}
		if own := geo.OverlapM2(va, va); math.Abs(own/areaA-1) > 1e-7 {
			t.Fatalf("a polygon of %v m² overlaps itself by %v", areaA, own)
		}
		// Cutting b in two by a line through its bounding box splits the overlap.
		bd := vb.Bound()
		mid := (bd.Min[0] + bd.Max[0]) / 2
		west := orb.Polygon{{bd.Min, {mid, bd.Min[1]}, {mid, bd.Max[1]}, {bd.Min[0], bd.Max[1]}, bd.Min}}
		east := orb.Polygon{{{mid, bd.Min[1]}, {bd.Max[0], bd.Min[1]}, bd.Max, {mid, bd.Max[1]}, {mid, bd.Min[1]}}}
		if sum := geo.OverlapM2(vb, west) + geo.OverlapM2(vb, east); math.Abs(sum/areaB-1) > 1e-5 {
			t.Fatalf("two halves hold %v of %v m²", sum, areaB)
		}
	})
}

func TestAreaDoesNotDependOnStartOrDirection(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := star(t, "p")
		want := geo.AreaM2(p)
		ring := p[0][:len(p[0])-1]
		k := rapid.IntRange(0, len(ring)-1).Draw(t, "start")
		turned := append(slices.Clone(ring[k:]), ring[:k]...)
		slices.Reverse(turned)
		if got := geo.AreaM2(orb.Polygon{turned}); math.Abs(got-want) > 1e-9*want+1e-4 {
			t.Fatalf("%v, turned %v", want, got)
		}
	})
}
