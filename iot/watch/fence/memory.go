package fence

import (
	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/iot/watch/snap"
)

// Code writes or reads the fix.
func (f *Fix) Code(c *snap.Coder) {
	c.Time(&f.At)
	c.Double(&f.P[0])
	c.Double(&f.P[1])
	c.Double(&f.Accuracy)
	c.Double(&f.Speed)
}

// Code writes or reads the gate.
func (g *Gate) Code(c *snap.Coder) {
	g.Last.Code(c)
	snap.Small(c, &g.n)
	g.n = min(g.n, uint8(len(g.waiting)))
	for i := range g.n {
		g.waiting[i].Code(c)
	}
	c.Bool(&g.carried)
	g.behind = 0
}

// Move puts the gate's fixes into another plane.
func (g *Gate) Move(to func(orb.Point) orb.Point) {
	g.Last.P = to(g.Last.P)
	for i := range g.n {
		g.waiting[i].P = to(g.waiting[i].P)
	}
}

// Waiting is the newest fix that was too fast and is not believed yet; false when
// there is none.
func (g *Gate) Waiting() (Fix, bool) {
	if g.n == 0 {
		return Fix{}, false
	}
	return g.waiting[g.n-1], true
}

// Code writes or reads the presence.
func (p *Presence) Code(c *snap.Coder) {
	snap.Small(c, &p.place)
	snap.Small(c, &p.out)
	snap.Small(c, &p.in)
	if p.place > NeverEntered {
		p.place = Nowhere
	}
}

// recent is how many believed fixes make the shown position.
const recent = 5

// Spot is the shown position of a tag: the median of its last believed fixes, so that
// a resting animal does not dance on the map.
type Spot struct {
	p [recent][2]float32
	n uint8
	i uint8
}

// Add takes a believed fix; one that was carried there forgets those before.
func (s *Spot) Add(p orb.Point, carried bool) {
	if carried {
		s.n, s.i = 0, 0
	}
	s.p[s.i] = [2]float32{float32(p[0]), float32(p[1])}
	s.i = (s.i + 1) % recent
	s.n = min(s.n+1, recent)
}

// At is the median of each coordinate; of an even number the upper one of the two.
func (s *Spot) At() orb.Point {
	var out orb.Point
	for axis := range out {
		var v [recent]float32
		for i := range s.n {
			x, j := s.p[i][axis], i
			for ; j > 0 && v[j-1] > x; j-- {
				v[j] = v[j-1]
			}
			v[j] = x
		}
		out[axis] = float64(v[s.n/2])
	}
	return out
}

// Move puts the spot into another plane.
func (s *Spot) Move(to func(orb.Point) orb.Point) {
	for i := range s.n {
		p := to(orb.Point{float64(s.p[i][0]), float64(s.p[i][1])})
		s.p[i] = [2]float32{float32(p[0]), float32(p[1])}
	}
}

// Code writes or reads the spot.
func (s *Spot) Code(c *snap.Coder) {
	snap.Small(c, &s.n)
	snap.Small(c, &s.i)
	s.n, s.i = min(s.n, recent), s.i%recent
	for i := range s.n {
		c.Float(&s.p[i][0])
		c.Float(&s.p[i][1])
	}
}
