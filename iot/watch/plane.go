package watch

import (
	"math"

	"github.com/paulmach/orb"
)

// Plane is the local tangent plane at an origin: metres east and north of it. Over
// the few kilometres of a pasture it is true to centimetres.
type Plane struct {
	Origin orb.Point // WGS84 longitude, latitude
	east   float64   // m per degree of longitude
	north  float64   // m per degree of latitude
}

// NewPlane returns the plane at origin, from the radii of curvature of the WGS84
// ellipsoid: N = a/√(1-e²sin²φ), M = a(1-e²)/(1-e²sin²φ)^1.5.
func NewPlane(origin orb.Point) Plane {
	const a, e2, rad = 6378137.0, 6.69437999014e-3, math.Pi / 180
	sin, cos := math.Sincos(origin[1] * rad)
	w := 1 - e2*sin*sin
	return Plane{Origin: origin, east: a / math.Sqrt(w) * cos * rad, north: a * (1 - e2) / (w * math.Sqrt(w)) * rad}
}

// Metres maps longitude, latitude to metres east, north of the origin.
func (p Plane) Metres(c orb.Point) orb.Point {
	return orb.Point{math.Remainder(c[0]-p.Origin[0], 360) * p.east, (c[1] - p.Origin[1]) * p.north}
}

// Degrees maps metres east, north back to longitude, latitude.
func (p Plane) Degrees(m orb.Point) orb.Point {
	return orb.Point{p.Origin[0] + m[0]/p.east, p.Origin[1] + m[1]/p.north}
}

// Fence is a fence in metres. Holes are forbidden ground inside.
type Fence struct {
	plane Plane
	rings []orb.Ring
	size  float64
}

// NewFence makes a fence of WGS84 coordinates.
func NewFence(p orb.Polygon) *Fence {
	if len(p) == 0 || len(p[0]) == 0 {
		return &Fence{}
	}
	plane := NewPlane(p[0].Bound().Center())
	local := make(orb.Polygon, len(p))
	for i, r := range p {
		local[i] = make(orb.Ring, len(r))
		for j, c := range r {
			local[i][j] = plane.Metres(c)
		}
	}
	f := NewLocalFence(local)
	f.plane = plane
	return f
}

// NewLocalFence makes a fence of coordinates that are metres already.
func NewLocalFence(p orb.Polygon) *Fence {
	f := &Fence{rings: p}
	if len(p) > 0 {
		area := 0.0 // shoelace
		for i := 1; i < len(p[0]); i++ {
			a, b := p[0][i-1], p[0][i]
			area += a[0]*b[1] - b[0]*a[1]
		}
		f.size = math.Sqrt(math.Abs(area) / 2)
	}
	return f
}

// Plane is the plane of a fence made by NewFence.
func (f *Fence) Plane() Plane { return f.plane }

// Size is the root of the fenced area in m.
func (f *Fence) Size() float64 { return f.size }

// Distance is how far p (in metres) is outside the fence; inside it is negative.
func (f *Fence) Distance(p orb.Point) float64 {
	inside, least := false, math.Inf(1)
	for _, r := range f.rings {
		for i := 1; i < len(r); i++ {
			a, b := r[i-1], r[i]
			if (a[1] > p[1]) != (b[1] > p[1]) && p[0] < (b[0]-a[0])*(p[1]-a[1])/(b[1]-a[1])+a[0] {
				inside = !inside
			}
			dx, dy := b[0]-a[0], b[1]-a[1]
			t := 0.0
			if l := dx*dx + dy*dy; l > 0 {
				t = max(0, min(1, ((p[0]-a[0])*dx+(p[1]-a[1])*dy)/l))
			}
			least = min(least, math.Hypot(p[0]-a[0]-t*dx, p[1]-a[1]-t*dy))
		}
	}
	if inside {
		return -least
	}
	return least
}
