package geo

import (
	"math"

	"github.com/paulmach/orb"
)

// The WGS84 ellipsoid.
const (
	wgs84A = 6378137.0         // equatorial radius, m
	wgs84F = 1 / 298.257223563 // flattening
)

var (
	wgs84E2    = wgs84F * (2 - wgs84F) // squared eccentricity
	wgs84E     = math.Sqrt(wgs84E2)
	authalicQP = authalicQ(1)                     // at the pole
	authalicR2 = wgs84A * wgs84A * authalicQP / 2 // squared radius of the sphere of equal area, m²
)

const rad = math.Pi / 180

// authalicQ is the function q of Snyder, Map Projections: A Working Manual (USGS
// 1987), eq. 3-12: the area between the equator and a latitude, up to a factor.
func authalicQ(sinLat float64) float64 {
	es := wgs84E * sinLat
	return (1 - wgs84E2) * (sinLat/(1-es*es) + math.Atanh(es)/wgs84E)
}

// AreaM2 is the geodesic area of a polygon on the WGS84 ellipsoid in m², holes
// taken off. Latitudes are moved to the sphere of equal area (authalic latitude,
// Snyder 1987, eq. 3-11) and the spherical excess is summed edge by edge
// (Bevis and Cambareri 1987). The orientation of rings does not matter.
func AreaM2(p orb.Polygon) float64 {
	var sum float64
	for i, ring := range p {
		a := math.Abs(ringAreaM2(ring))
		if i > 0 {
			a = -a
		}
		sum += a
	}
	return math.Max(0, sum)
}

// ringAreaM2 is positive for rings that run counter-clockwise.
func ringAreaM2(r orb.Ring) float64 {
	if len(r) < 3 {
		return 0
	}
	var excess float64
	lon, t := authalicHalfTan(r[len(r)-1])
	for _, p := range r {
		nextLon, nextT := authalicHalfTan(p)
		d := math.Remainder(nextLon-lon, 2*math.Pi)
		excess -= 2 * math.Atan2(math.Tan(d/2)*(t+nextT), 1+t*nextT)
		lon, t = nextLon, nextT
	}
	return excess * authalicR2
}

// authalicHalfTan gives the longitude in radians and the tangent of half the
// authalic latitude.
func authalicHalfTan(p orb.Point) (lon, t float64) {
	sin, cos := authalic(p[1])
	return p[0] * rad, sin / (1 + cos)
}

// PerimeterM is the length of all rings of a polygon in metres, by the radii of
// curvature at the middle of each edge: right to a millionth on edges of fields.
func PerimeterM(p orb.Polygon) float64 {
	var sum float64
	for _, ring := range p {
		for i := range ring {
			sum += edgeM(ring[i], ring[(i+1)%len(ring)])
		}
	}
	return sum
}

func edgeM(a, b orb.Point) float64 {
	lat := (a[1] + b[1]) / 2 * rad
	w := 1 - wgs84E2*math.Sin(lat)*math.Sin(lat)
	prime := wgs84A / math.Sqrt(w)
	meridian := prime * (1 - wgs84E2) / w
	dx := math.Remainder(b[0]-a[0], 360) * rad * prime * math.Cos(lat)
	dy := (b[1] - a[1]) * rad * meridian
	return math.Hypot(dx, dy)
}

// plane is an equal-area plane around a place: the azimuthal projection of Lambert
// on the sphere of equal area (Snyder 1987, eq. 24-2 to 24-4). Areas in it are true,
// and near its middle geodesics are straight.
type plane struct{ lon, sin, cos float64 }

func planeAt(p orb.Point) plane {
	sin, cos := authalic(p[1])
	return plane{lon: p[0], sin: sin, cos: cos}
}

// authalic gives sine and cosine of the authalic latitude.
func authalic(lat float64) (sin, cos float64) {
	sin = max(-1, min(1, authalicQ(math.Sin(lat*rad))/authalicQP))
	return sin, math.Sqrt(1 - sin*sin)
}

// project gives metres east and north of the middle.
func (pl plane) project(p orb.Point) orb.Point {
	sin, cos := authalic(p[1])
	dSin, dCos := math.Sincos((p[0] - pl.lon) * rad)
	k := math.Sqrt(2 * authalicR2 / (1 + pl.sin*sin + pl.cos*cos*dCos))
	return orb.Point{k * cos * dSin, k * (pl.cos*sin - pl.sin*cos*dCos)}
}
