package geo_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/paulmach/orb"
	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/geo"
)

func TestRepairPolygon(t *testing.T) {
	t.Parallel()
	at := orb.Point{114, 34.7}
	const d = 1e-5 // about a metre
	// Points of a field of about 200 m, in metres.
	ring := func(points ...orb.Point) orb.Ring {
		for i, p := range points {
			points[i] = orb.Point{at[0] + p[0]*d, at[1] + p[1]*d}
		}
		return points
	}
	field := ring(orb.Point{0, 0}, orb.Point{200, 0}, orb.Point{200, 200}, orb.Point{0, 200}, orb.Point{0, 0})
	hole := ring(orb.Point{50, 50}, orb.Point{50, 90}, orb.Point{90, 90}, orb.Point{90, 50}, orb.Point{50, 50})
	full := geo.AreaM2(orb.Polygon{field})
	for _, c := range []struct {
		name string
		in   orb.Polygon
		want []geo.Mend
		area float64
		err  error
	}{
		{"nothing to do", orb.Polygon{field}, nil, full, nil},
		{"not closed", orb.Polygon{field[:4]}, []geo.Mend{geo.MendClosed}, full, nil},
		{"a corner twice", orb.Polygon{slices.Insert(slices.Clone(field), 1, field[1])}, []geo.Mend{geo.MendCorners}, full, nil},
		{"a spike", orb.Polygon{ring(orb.Point{0, 0}, orb.Point{200, 0}, orb.Point{300, 0}, orb.Point{200, 0}, orb.Point{200, 200}, orb.Point{0, 200}, orb.Point{0, 0})}, []geo.Mend{geo.MendCorners}, full, nil},
		{"a spike at the first corner", orb.Polygon{ring(orb.Point{300, 0}, orb.Point{200, 0}, orb.Point{200, 200}, orb.Point{0, 200}, orb.Point{0, 0}, orb.Point{200, 0}, orb.Point{300, 0})}, []geo.Mend{geo.MendCorners}, full, nil},
		{"a small knot", orb.Polygon{ring(orb.Point{0, 0}, orb.Point{200, 0}, orb.Point{200, 200}, orb.Point{0, 200}, orb.Point{0, 5}, orb.Point{4, -4}, orb.Point{0, 0})}, []geo.Mend{geo.MendSelfCrossing}, full, nil},
		{"the hole comes first", orb.Polygon{hole, field}, []geo.Mend{geo.MendRings}, full - geo.AreaM2(orb.Polygon{hole}), nil},
		{"an empty hole", orb.Polygon{field, ring(orb.Point{50, 50}, orb.Point{60, 50}, orb.Point{50, 50})}, []geo.Mend{geo.MendRings}, full, nil},
		{"a bow tie", orb.Polygon{ring(orb.Point{0, 0}, orb.Point{200, 200}, orb.Point{200, 0}, orb.Point{0, 200}, orb.Point{0, 0})}, nil, 0, geo.ErrSelfCrossing},
		{"two fields that touch", orb.Polygon{ring(orb.Point{0, 0}, orb.Point{100, 0}, orb.Point{100, 100}, orb.Point{200, 100}, orb.Point{200, 200}, orb.Point{100, 200}, orb.Point{100, 100}, orb.Point{0, 100}, orb.Point{0, 0})}, nil, 0, geo.ErrSelfCrossing},
		{"a line there and back", orb.Polygon{ring(orb.Point{0, 0}, orb.Point{100, 0}, orb.Point{200, 0}, orb.Point{100, 0}, orb.Point{0, 0})}, nil, 0, geo.ErrSelfCrossing},
		{"empty", orb.Polygon{}, nil, 0, geo.ErrRing},
		{"a million corners", orb.Polygon{make(orb.Ring, 1_000_000)}, nil, 0, geo.ErrCorners},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, mends, err := geo.RepairPolygon(c.in)
			if !errors.Is(err, c.err) || (err == nil) != (c.err == nil) {
				t.Fatalf("got %v, want %v", err, c.err)
			}
			var what []geo.Mend
			for _, m := range mends {
				what = append(what, m.What)
			}
			if err == nil && !slices.Equal(what, c.want) {
				t.Errorf("mended %+v, want %v", mends, c.want)
			}
			if math.Abs(geo.AreaM2(got)-c.area) > 0.002*c.area {
				t.Errorf("%v m², want %v", geo.AreaM2(got), c.area)
			}
		})
	}
}

// Whatever comes in, what comes out is valid, and what was valid before is the same.
func TestRepairPolygonGivesValidOnes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		point := rapid.Custom(func(t *rapid.T) orb.Point {
			return orb.Point{114 + float64(rapid.IntRange(0, 12).Draw(t, "x"))*0.0005, 34 + float64(rapid.IntRange(0, 12).Draw(t, "y"))*0.0005}
		})
		p := orb.Polygon{rapid.SliceOfN(point, 0, 14).Draw(t, "ring")}
		want, before := geo.ValidatePolygon(p)
		got, _, err := geo.RepairPolygon(p)
		switch {
		case before == nil && (err != nil || !slices.EqualFunc(got, want, func(a, b orb.Ring) bool { return a.Equal(b) })):
			t.Errorf("a valid one became %v, %v", got, err)
		case err == nil:
			if _, err := geo.ValidatePolygon(got); err != nil {
				t.Errorf("%v became %v: %v", p, got, err)
			}
		}
	})
}
