// Package fence judges positions: which fixes to believe, where an animal stands and
// whether it has left its ground. It is plain geometry in metres, holds no clock and
// keeps a few hundred bytes a tag.
package fence

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
