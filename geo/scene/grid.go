package scene

import (
	"errors"
	"math"
	"regexp"
	"strings"

	"github.com/airbusgeo/godal"
	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/geo"
)

// WGS84 is the system of plots: longitude, latitude in degrees.
const WGS84 = "EPSG:4326"

// Grid places pixels on the earth. Grids are comparable with ==.
type Grid struct {
	CRS       string     // "EPSG:32631", or WKT where there is no code
	Transform [6]float64 // GDAL order: x = t0 + col·t1 + row·t2, y = t3 + col·t4 + row·t5
	Width     int        // pixels
	Height    int
}

// Window is a rectangle of pixels.
type Window struct{ X, Y, W, H int }

// World returns the place of a pixel coordinate in the grid's system.
func (g Grid) World(col, row float64) orb.Point {
	t := g.Transform
	return orb.Point{t[0] + col*t[1] + row*t[2], t[3] + col*t[4] + row*t[5]}
}

// Pixel returns the pixel coordinate of a place in the grid's system.
func (g Grid) Pixel(p orb.Point) (col, row float64) {
	t := g.Transform
	if t[2] == 0 && t[4] == 0 {
		return (p[0] - t[0]) / t[1], (p[1] - t[3]) / t[5]
	}
	det := t[1]*t[5] - t[2]*t[4]
	dx, dy := p[0]-t[0], p[1]-t[3]
	return (dx*t[5] - dy*t[2]) / det, (dy*t[1] - dx*t[4]) / det
}

// PixelM2 is the area of a pixel in squared units of the grid's system.
func (g Grid) PixelM2() float64 {
	t := g.Transform
	return math.Abs(t[1]*t[5] - t[2]*t[4])
}

// upright says whether rows and columns run along the axes.
func (g Grid) upright() bool { return g.Transform[2] == 0 && g.Transform[4] == 0 }

// near says whether two descriptions mean one grid: catalogues of others round
// their numbers and name systems in their own way.
func (g Grid) near(h Grid) bool {
	if g.Width != h.Width || g.Height != h.Height {
		return false
	}
	for _, c := range [][2]float64{{0, 0}, {float64(g.Width), 0}, {0, float64(g.Height)}} {
		col, row := g.Pixel(h.World(c[0], c[1]))
		if math.Abs(col-c[0]) > 0.01 || math.Abs(row-c[1]) > 0.01 {
			return false
		}
	}
	return g.CRS == h.CRS || !strings.HasPrefix(g.CRS, "EPSG:") || !strings.HasPrefix(h.CRS, "EPSG:")
}

// check finds transforms that cannot be turned round.
func (g Grid) check() error {
	if g.CRS == "" {
		return ErrGrid.With("why", "no coordinate system is stated")
	}
	if a := g.PixelM2(); a == 0 || math.IsNaN(a) || math.IsInf(a, 0) {
		return ErrGrid.With("why", "its pixels have no area")
	}
	if g.Width <= 0 || g.Height <= 0 || g.Width > 1<<30 || g.Height > 1<<30 {
		return ErrGrid.With("why", "it has no pixels")
	}
	return nil
}

// ToPixels turns polygons given in crs into pixel coordinates of the grid:
// (0,0) is the outer corner of the first pixel, whatever the direction of north.
// A point that the grid's system cannot hold, such as one on the other side of the
// earth, becomes NaN. An error means that crs or the grid's system is unknown.
func (g Grid) ToPixels(crs string, polys []orb.MultiPolygon) ([]orb.MultiPolygon, error) {
	move := func([]float64, []float64) {}
	if crs != g.CRS {
		tr, done, err := newTransform(crs, g.CRS)
		if err != nil {
			return nil, err
		}
		defer done()
		move = func(x, y []float64) { moveEach(tr, x, y) }
	}
	out := make([]orb.MultiPolygon, len(polys))
	var points []orb.Point // all of a batch, in one array
	var xs, ys []float64
	flush := func() {
		if len(points) == 0 {
			return
		}
		move(xs, ys)
		for k := range points {
			points[k][0], points[k][1] = g.Pixel(orb.Point{xs[k], ys[k]})
		}
		points, xs, ys = nil, xs[:0], ys[:0]
	}
	const batch = 1 << 16 // points moved at once
	for i, mp := range polys {
		n := 0
		for _, poly := range mp {
			for _, ring := range poly {
				n += len(ring)
			}
		}
		if len(points)+n > cap(points) {
			flush()
			points = make([]orb.Point, 0, max(n, batch))
		}
		out[i] = make(orb.MultiPolygon, len(mp))
		for j, poly := range mp {
			out[i][j] = make(orb.Polygon, len(poly))
			for k, ring := range poly {
				at := len(points)
				points = append(points, ring...)
				out[i][j][k] = orb.Ring(points[at:len(points):len(points)])
				for _, p := range ring {
					xs, ys = append(xs, p[0]), append(ys, p[1])
				}
			}
		}
	}
	flush()
	return out, nil
}

// moveEach moves points in place; those that have no place become NaN.
func moveEach(tr *godal.Transform, xs, ys []float64) {
	ok := make([]bool, len(xs))
	_ = tr.TransformEx(xs, ys, make([]float64, len(xs)), ok) // says that some failed: ok says which
	for i := range ok {
		if !ok[i] || math.IsInf(xs[i]+ys[i], 0) {
			xs[i], ys[i] = math.NaN(), math.NaN()
		}
	}
}

// PixelMetres is the width and height of the grid's middle pixel on the ground, in
// metres.
func (g Grid) PixelMetres() (w, h float64, err error) {
	s, err := g.PixelsMetres([]orb.Point{{float64(g.Width) / 2, float64(g.Height) / 2}})
	if err == nil && !(s[0][0] > 0 && s[0][1] > 0) {
		err = ErrGrid.With("why", "its middle is not on the earth")
	}
	if err != nil {
		return 0, 0, err
	}
	return s[0][0], s[0][1], nil
}

// PixelsMetres gives the width and height in metres on the ground of the pixels at
// places in pixel coordinates; NaN where there is no ground.
func (g Grid) PixelsMetres(at []orb.Point) ([][2]float64, error) {
	if len(at) == 0 {
		return nil, nil
	}
	xs, ys := make([]float64, 0, 3*len(at)), make([]float64, 0, 3*len(at))
	for _, p := range at {
		for _, q := range []orb.Point{g.World(p[0], p[1]), g.World(p[0]+1, p[1]), g.World(p[0], p[1]+1)} {
			xs, ys = append(xs, q[0]), append(ys, q[1])
		}
	}
	if g.CRS != WGS84 {
		tr, done, err := newTransform(g.CRS, WGS84)
		if err != nil {
			return nil, err
		}
		defer done()
		moveEach(tr, xs, ys)
	}
	out := make([][2]float64, len(at))
	for i := range out {
		p := func(k int) orb.Point { return orb.Point{xs[3*i+k], ys[3*i+k]} }
		// There and back again.
		out[i] = [2]float64{geo.PerimeterM(orb.Polygon{{p(0), p(1)}}) / 2, geo.PerimeterM(orb.Polygon{{p(0), p(2)}}) / 2}
	}
	return out, nil
}

// Footprint is the outline of the grid in WGS84, with points along its edges so
// that a curved edge stays true.
func (g Grid) Footprint() (orb.Polygon, error) {
	const steps = 4
	w, h := float64(g.Width), float64(g.Height)
	var xs, ys []float64
	add := func(c, r float64) {
		p := g.World(c, r)
		xs, ys = append(xs, p[0]), append(ys, p[1])
	}
	for i := range steps {
		add(0, h*float64(i)/steps)
	}
	for i := range steps {
		add(w*float64(i)/steps, h)
	}
	for i := range steps {
		add(w, h-h*float64(i)/steps)
	}
	for i := range steps {
		add(w-w*float64(i)/steps, 0)
	}
	if g.CRS != WGS84 {
		tr, done, err := newTransform(g.CRS, WGS84)
		if err != nil {
			return nil, err
		}
		defer done()
		if err := moveAll(tr, xs, ys); err != nil {
			return nil, ErrGrid.With("why", "its corners are not on the earth").Because(err)
		}
	}
	ring := make(orb.Ring, 0, len(xs)+1)
	for i := range xs {
		if math.IsNaN(xs[i]+ys[i]) || math.IsInf(xs[i]+ys[i], 0) {
			return nil, ErrGrid.With("why", "its corners are not on the earth")
		}
		ring = append(ring, orb.Point{xs[i], ys[i]})
	}
	ring = append(ring, ring[0])
	if ring.Orientation() == orb.CW {
		ring.Reverse()
	}
	return orb.Polygon{ring}, nil
}

// ToWGS84 turns a polygon given in crs into longitude and latitude.
func ToWGS84(crs string, p orb.Polygon) (orb.Polygon, error) {
	tr, done, err := newTransform(crs, WGS84)
	if err != nil {
		return nil, err
	}
	defer done()
	out := p.Clone()
	for _, ring := range out {
		if len(ring) == 0 {
			continue
		}
		xs, ys := make([]float64, len(ring)), make([]float64, len(ring))
		for i, q := range ring {
			xs[i], ys[i] = q[0], q[1]
		}
		if err := moveAll(tr, xs, ys); err != nil {
			return nil, ErrGrid.With("why", "its points are not on the earth").Because(err)
		}
		for i := range ring {
			ring[i] = orb.Point{xs[i], ys[i]}
		}
	}
	return out, nil
}

// system is a code or the head of a WKT. GDAL takes other words for the names of files
// or of addresses and opens them, and what names a system may come from strangers.
var system = regexp.MustCompile(`^(?:[A-Za-z]+:[0-9]+|\s*[A-Za-z_0-9]+\s*\[(?s:.*))$`)

// NewRef is the coordinate system of an "EPSG:n" code or of WKT.
func NewRef(name string) (*godal.SpatialRef, error) {
	if !system.MatchString(name) {
		return nil, errors.New("it is neither a code nor WKT")
	}
	RegisterDrivers()
	return godal.NewSpatialRef(name)
}

// newTransform returns the way between two systems, and a function that frees it.
func newTransform(from, to string) (tr *godal.Transform, done func(), err error) {
	src, err := NewRef(from)
	if err != nil {
		return nil, nil, ErrGrid.With("why", "unknown coordinate system "+from).Because(err)
	}
	defer src.Close()
	dst, err := NewRef(to)
	if err != nil {
		return nil, nil, ErrGrid.With("why", "unknown coordinate system "+to).Because(err)
	}
	defer dst.Close()
	tr, err = godal.NewTransform(src, dst)
	if err != nil {
		return nil, nil, ErrGrid.With("why", "no way from "+from+" to "+to).Because(err)
	}
	return tr, tr.Close, nil
}

// moveAll moves points in place, or says that one of them has no place.
func moveAll(tr *godal.Transform, x, y []float64) error {
	return tr.TransformEx(x, y, make([]float64, len(x)), nil)
}
