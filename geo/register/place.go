package register

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/airbusgeo/godal"
	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/datum"
	"github.com/furrowcredit/furrow/geo/scene"
)

// The shifted systems of Chinese maps, which have no EPSG code.
const (
	GCJ02 = "GCJ-02"
	BD09  = "BD-09"
)

// System reads the name of a coordinate system as people give it: "EPSG:4526",
// "4526", "cgcs2000", "wgs84", "gcj02", "bd09", or WKT. [ErrCRS] when there is none.
func System(s string) (string, error) {
	word := strings.ToLower(strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.TrimSpace(s)))
	switch word {
	case "gcj02", "gcj", "mars", "火星坐标":
		return GCJ02, nil
	case "bd09", "bd09ll", "baidu", "百度坐标":
		return BD09, nil
	case "wgs84":
		return geo.WGS84, nil
	case "cgcs2000":
		return "EPSG:4490", nil
	}
	name := strings.TrimSpace(s)
	if _, err := strconv.Atoi(name); err == nil {
		name = "EPSG:" + name
	}
	if strings.HasPrefix(strings.ToUpper(name), "EPSG:") {
		name = strings.ToUpper(name)
	}
	ref, err := scene.NewRef(name)
	if err != nil {
		return "", ErrCRS.With("crs", s).Because(err)
	}
	defer ref.Close()
	return name, nil
}

// mover takes points of a system to WGS84 in place.
type mover struct {
	move  func(x, y []float64) error
	close func()
}

func newMover(crs string) (mover, error) {
	still := func() {}
	switch crs {
	case geo.WGS84:
		return mover{func([]float64, []float64) error { return nil }, still}, nil
	case GCJ02:
		return mover{shifted(datum.FromGCJ02), still}, nil
	case BD09:
		return mover{shifted(datum.FromBD09), still}, nil
	}
	from, err := scene.NewRef(crs)
	if err != nil {
		return mover{}, ErrCRS.With("crs", crs).Because(err)
	}
	defer from.Close()
	to, err := scene.NewRef(geo.WGS84)
	if err != nil {
		return mover{}, ErrCRS.With("crs", crs).Because(err)
	}
	defer to.Close()
	tr, err := godal.NewTransform(from, to)
	if err != nil {
		return mover{}, ErrCRS.With("crs", crs).Because(err)
	}
	return mover{func(x, y []float64) error { return tr.TransformEx(x, y, make([]float64, len(x)), nil) }, tr.Close}, nil
}

func shifted(back func(orb.Point) orb.Point) func(x, y []float64) error {
	return func(x, y []float64) error {
		for i := range x {
			p := orb.Point{x[i], y[i]}
			if !datum.InChina(p) {
				return fmt.Errorf("%.6f, %.6f lies outside of China, where there is no such system", x[i], y[i])
			}
			p = back(p)
			x[i], y[i] = p[0], p[1]
		}
		return nil
	}
}

// toWGS84 is a polygon in longitude and latitude; [ErrPlace] when it cannot be.
func (m mover) toWGS84(p orb.Polygon) (orb.Polygon, error) {
	out := make(orb.Polygon, len(p))
	for i, ring := range p {
		x, y := make([]float64, len(ring)), make([]float64, len(ring))
		for k, q := range ring {
			x[k], y[k] = q[0], q[1]
		}
		if len(ring) > 0 {
			if err := m.move(x, y); err != nil {
				return nil, ErrPlace.Because(err)
			}
		}
		out[i] = make(orb.Ring, len(ring))
		for k := range ring {
			out[i][k] = orb.Point{x[k], y[k]}
		}
	}
	return out, nil
}

// belts are the Chinese systems of Gauss-Krüger belts: EPSG codes with the number
// of the zone in front of the easting, and without. All of them run from the middle
// meridian 75° to 135° east.
var belts = []struct {
	zoned, plain int // first codes
	zone         int // number of the first zone
	count        int
	width        int // degrees; zone n of 3° lies about 3n°, of 6° about 6n-3°
}{
	{4513, 4534, 25, 21, 3}, {4491, 4502, 13, 11, 6}, // CGCS2000
	{2349, 2370, 25, 21, 3}, {2327, 2338, 13, 11, 6}, // Xian 1980
	{2401, 2422, 25, 21, 3}, // Beijing 1954
}

// beltOf finds the belt of a code.
func beltOf(crs string) (belt, zone int, zoned, ok bool) {
	code, err := strconv.Atoi(strings.TrimPrefix(crs, "EPSG:"))
	if err != nil {
		return 0, 0, false, false
	}
	for i, b := range belts {
		switch {
		case code >= b.zoned && code < b.zoned+b.count:
			return i, b.zone + code - b.zoned, true, true
		case code >= b.plain && code < b.plain+b.count:
			return i, b.zone + code - b.plain, false, true
		}
	}
	return 0, 0, false, false
}

// The ranges in metres in which coordinates of China lie in such a belt.
func isNorthing(v float64) bool { return v > 1.8e6 && v < 6.1e6 }

// zoneIn is the number in front of an easting, 0 for none.
func zoneIn(easting float64) (zone int, ok bool) {
	zone = int(easting / 1e6)
	rest := easting - float64(zone)*1e6
	return zone, rest > 1e5 && rest < 9e5 && (zone == 0 || zone >= 13 && zone <= 45)
}

// settle compares the system that a file names with its numbers: in which order
// they stand, and whether the eastings carry the number of the zone. It changes
// the shapes' order where it must and returns the system in which they lie.
func (f *File) settle() error {
	var xs, ys []float64
	for _, ft := range f.Features {
		for _, p := range ft.Shape {
			xs, ys = append(xs, p[0][0][0]), append(ys, p[0][0][1])
		}
	}
	if len(xs) == 0 {
		return nil
	}
	slices.Sort(xs)
	slices.Sort(ys)
	x, y := xs[len(xs)/2], ys[len(ys)/2] // a few bad features must not speak for all
	belt, zone, zoned, inBelt := beltOf(f.CRS)
	_, yIsEasting := zoneIn(y)
	switch degrees := f.CRS == geo.WGS84 || f.CRS == "EPSG:4490" || f.CRS == GCJ02 || f.CRS == BD09; {
	case inBelt && isNorthing(x) && yIsEasting && !isNorthing(y),
		// No field lies north of 73°, and all of China lies east of it.
		degrees && y > 73 && y <= 180 && x > 0 && x < 56:
		for _, ft := range f.Features {
			for _, p := range ft.Shape {
				swap(p)
			}
		}
		x = y
		f.Notes = append(f.Notes, Note{What: "axes", Detail: "the file has north before east; both were exchanged"})
	}
	if !inBelt {
		return nil
	}
	said, ok := zoneIn(x)
	b := belts[belt]
	switch {
	case !ok:
		return nil // not in China: let the transformation judge
	case said == 0 && zoned:
		f.CRS = fmt.Sprintf("EPSG:%d", b.plain+zone-b.zone)
	case said != 0 && said != zone:
		return ErrZone.With("zone", said).With("want", zone)
	case said != 0 && !zoned:
		f.CRS = fmt.Sprintf("EPSG:%d", b.zoned+zone-b.zone)
	default:
		return nil
	}
	f.Notes = append(f.Notes, Note{What: "zone", Detail: "the eastings decide whether the number of the zone stands before them: " + f.CRS})
	return nil
}

func swap(p orb.Polygon) {
	for _, ring := range p {
		for i, q := range ring {
			ring[i] = orb.Point{q[1], q[0]}
		}
	}
}

// noCRS is the error of a file without a system, with what its numbers look like.
func (f *File) noCRS() error {
	for _, ft := range f.Features {
		for _, p := range ft.Shape {
			for _, v := range p[0][0] {
				if zone, ok := zoneIn(v); ok && zone >= 25 {
					return ErrNoCRSZone.With("zone", zone).With("crs", fmt.Sprintf("EPSG:%d", 4513+zone-25))
				}
			}
			if q := p[0][0]; math.Abs(q[0]) <= 180 && math.Abs(q[1]) <= 180 {
				return ErrNoCRSDegrees
			}
		}
	}
	return ErrNoCRS
}
