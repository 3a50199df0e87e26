// Package datum takes places between WGS84 and the two shifted systems of Chinese
// maps: GCJ-02, in which public maps of China are drawn, and BD-09, which Baidu puts
// upon it. Points are longitude, latitude in degrees.
//
// The shift has no official publication; the formulae are those that have been
// known from map software since 2013 and that everybody uses. They agree with the
// maps to about a metre, and the way back inverts them to less than 1e-9 degrees.
package datum

import (
	"math"

	"github.com/paulmach/orb"
)

// The ellipsoid of Krasovsky 1940, by which the shift in metres becomes degrees.
const (
	radius       = 6378245.0 // m
	eccentricity = 0.00669342162296594323
)

// InChina says whether a place lies in the box in which the systems are shifted;
// elsewhere they are WGS84.
func InChina(p orb.Point) bool {
	return p[0] >= 72.004 && p[0] <= 137.8347 && p[1] >= 0.8293 && p[1] <= 55.8271
}

// ToGCJ02 takes a WGS84 place to GCJ-02. Places outside of China stay.
func ToGCJ02(p orb.Point) orb.Point {
	if !InChina(p) {
		return p
	}
	x, y := p[0]-105, p[1]-35
	wave := func(v, a, f, b, g float64) float64 {
		return (a*math.Sin(v*f*math.Pi) + b*math.Sin(v*g*math.Pi)) * 2 / 3
	}
	root := math.Sqrt(math.Abs(x))
	ripple := wave(x, 20, 6, 20, 2)
	east := 300 + x + 2*y + 0.1*x*x + 0.1*x*y + 0.1*root + ripple + wave(x, 20, 1, 40, 1.0/3) + wave(x, 150, 1.0/12, 300, 1.0/30)
	north := -100 + 2*x + 3*y + 0.2*y*y + 0.1*x*y + 0.2*root + ripple + wave(y, 20, 1, 40, 1.0/3) + wave(y, 160, 1.0/12, 320, 1.0/30)
	sin, cos := math.Sincos(p[1] * math.Pi / 180)
	w := 1 - eccentricity*sin*sin
	return orb.Point{
		p[0] + east*180/(radius/math.Sqrt(w)*cos*math.Pi),
		p[1] + north*180/(radius*(1-eccentricity)/(w*math.Sqrt(w))*math.Pi),
	}
}

// FromGCJ02 takes a GCJ-02 place to WGS84.
func FromGCJ02(p orb.Point) orb.Point { return invert(ToGCJ02, p) }

// ToBD09 takes a WGS84 place to BD-09. Places outside of China stay.
func ToBD09(p orb.Point) orb.Point {
	if !InChina(p) {
		return p
	}
	g := ToGCJ02(p)
	const turn = math.Pi * 3000 / 180
	z := math.Hypot(g[0], g[1]) + 0.00002*math.Sin(g[1]*turn)
	theta := math.Atan2(g[1], g[0]) + 0.000003*math.Cos(g[0]*turn)
	return orb.Point{z*math.Cos(theta) + 0.0065, z*math.Sin(theta) + 0.006}
}

// FromBD09 takes a BD-09 place to WGS84.
func FromBD09(p orb.Point) orb.Point { return invert(ToBD09, p) }

// invert finds the place that to takes to p. The shift changes slowly, by less than
// a hundredth from one place to the next, so that each step of the iteration gains
// two digits.
func invert(to func(orb.Point) orb.Point, p orb.Point) orb.Point {
	if !InChina(p) {
		return p
	}
	q := p
	for range 20 {
		t := to(q)
		dx, dy := p[0]-t[0], p[1]-t[1]
		q[0], q[1] = q[0]+dx, q[1]+dy
		if math.Abs(dx)+math.Abs(dy) < 1e-11 {
			break
		}
	}
	return q
}
