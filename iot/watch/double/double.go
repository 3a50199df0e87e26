// Package double finds tags that do not tell of one animal each: one code that is heard
// in two places (a copied tag), and two tags that move as one body.
package double

import (
	"math"
	"time"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/iot/species"
	"github.com/furrowcredit/furrow/iot/watch/fence"
	"github.com/furrowcredit/furrow/iot/watch/snap"
)

// Places follows one code in two places at once. A receiver's error jumps away and
// comes back once; a copied tag is heard here and there by turns, and each place goes
// on at an animal's pace from where it was.
type Places struct {
	at       [2]fence.Fix
	n        [2]uint16 // fixes in a row of turns
	last     uint8     // the place heard last
	switches uint16
	Open     bool
}

const (
	turns      = 6 // from one place to the other
	fixesEach  = 3
	farApart   = 300.0 // m, beyond what errors of receivers reach for long
	forgetting = 6 * time.Hour
)

// NewPlaces starts with the place a tag was believed to be and one that is too far
// from it.
func NewPlaces(here, there fence.Fix) *Places {
	return &Places{at: [2]fence.Fix{here, there}, n: [2]uint16{1, 1}, last: 1}
}

// Step takes a fix, believed or not, and tells whether there is still anything to
// follow.
func (p *Places) Step(f fence.Fix, w *species.Watch) bool {
	if !f.At.After(p.at[p.last].At) {
		return true // late, or twice
	}
	var i uint8
	switch here, there := fence.Reachable(p.at[0], f, w), fence.Reachable(p.at[1], f, w); {
	case here && there:
		// Near both, or a long time passed: where it is now is its only place.
		return false
	case here:
		i = 0
	case there:
		i = 1
	default:
		// A third place: on a lorry, or another error. The place heard longest ago goes.
		p.switches, p.Open = 0, false
		i = 1 - p.last
		p.n[i], p.n[p.last] = 0, 1
	}
	if i != p.last {
		p.switches++
	}
	p.at[i], p.last = f, i
	if p.n[i] < math.MaxUint16 {
		p.n[i]++
	}
	if f.At.Sub(p.at[1-i].At) > forgetting {
		return false
	}
	if p.switches >= turns && p.n[0] >= fixesEach && p.n[1] >= fixesEach && p.Apart() >= farApart {
		p.Open = true
	}
	return true
}

// Apart is how far the places are from each other, in m.
func (p *Places) Apart() float64 {
	return math.Hypot(p.at[1].P[0]-p.at[0].P[0], p.at[1].P[1]-p.at[0].P[1])
}

// Turns is how often the code was heard in the other place than before.
func (p *Places) Turns() int { return int(p.switches) }

// Move puts the places into another plane.
func (p *Places) Move(to func(orb.Point) orb.Point) {
	for i := range p.at {
		p.at[i].P = to(p.at[i].P)
	}
}

// Code writes or reads the places.
func (p *Places) Code(c *snap.Coder) {
	for i := range p.at {
		p.at[i].Code(c)
		snap.Small(c, &p.n[i])
	}
	snap.Small(c, &p.last)
	p.last &= 1
	snap.Small(c, &p.switches)
	c.Bool(&p.Open)
}

// Pair judges whether two tags move as one body, from moments at which both places
// are known.
type Pair struct {
	last          [2]orb.Point
	since, at     int64 // Unix s, of the first moment, 0 before it, and of the last
	n, apart      uint16
	aa, bb, ab, e float32 // sums of squares and products of the ways, m², and of their errors
	gaps, room    float32 // sums of the squared distances, m², and of what one body's would be
}

// What two tags on one body do (references: less than 2 m apart and correlated above
// 0.99 for 24 h). Ways shorter than a few times the error say nothing.
const (
	nearness    = 2.0 // m
	correlation = 0.99
	long        = 24 * time.Hour
	moves       = 24   // ways both went
	strays      = 0.05 // moments at which one may be an error of the receiver
	wayMin      = 10.0 // m
	slack       = 1.2  // of the mean squared distance, for errors that tags understate
)

// NewPair starts to look for moments.
func NewPair(now time.Time) Pair { return Pair{at: now.Unix()} }

// Stale tells whether too little is known to say anything, and there was no moment for an
// hour: the two are not heard at the same time any more.
func (p *Pair) Stale(now time.Time) bool { return p.n < moves && now.Unix()-p.at > 3600 }

// Step takes a moment with both places and the error of each, 1 sigma in m. It returns
// false when the two are clearly two bodies.
func (p *Pair) Step(at time.Time, a, b orb.Point, errA, errB float64) bool {
	sigma2 := errA*errA + errB*errB
	gap := sq(a, b)
	if p.at = at.Unix(); p.since == 0 {
		p.last, p.since = [2]orb.Point{a, b}, p.at
	}
	p.gaps += float32(min(gap, square(nearness+6*math.Sqrt(sigma2))))
	p.room += float32(square(nearness) + 2*sigma2)
	// Beyond 2 m and three sigma of both errors together they are apart.
	if gap > square(nearness+3*math.Sqrt(sigma2)) {
		p.apart++
		return float64(p.apart) <= 2+strays*float64(p.n)
	}
	wayA, wayB := sub(a, p.last[0]), sub(b, p.last[1])
	least := square(max(wayMin, 3*math.Sqrt(sigma2)))
	if wayA[0]*wayA[0]+wayA[1]*wayA[1] < least && wayB[0]*wayB[0]+wayB[1]*wayB[1] < least {
		return true // resting: neighbours rest side by side too
	}
	p.last = [2]orb.Point{a, b}
	if p.n < math.MaxUint16 {
		p.n++
	}
	p.aa += float32(wayA[0]*wayA[0] + wayA[1]*wayA[1])
	p.bb += float32(wayB[0]*wayB[0] + wayB[1]*wayB[1])
	p.ab += float32(wayA[0]*wayB[0] + wayA[1]*wayB[1])
	p.e += float32(2 * sigma2) // of both coordinates at both ends, for each: 2·2·σ²/2
	return true
}

// Correlation is that of the ways, after what the receivers' errors take away from it
// (Spearman's correction for attenuation).
func (p *Pair) Correlation() float64 {
	aa, bb := float64(p.aa-p.e), float64(p.bb-p.e)
	if aa <= 0 || bb <= 0 {
		return 0
	}
	return min(1, float64(p.ab)/math.Sqrt(aa*bb))
}

// One tells whether the two have moved as one body for long enough: also on average
// they must be no farther apart than errors put two tags of one body, because
// companions that keep some metres apart are within the errors at any one moment.
func (p *Pair) One() bool {
	return time.Duration(p.at-p.since)*time.Second >= long && p.n >= moves && p.Correlation() > correlation && p.gaps < slack*p.room
}

// Still tells whether the two that were one may still be: less is asked, so that a
// matter does not come and go.
func (p *Pair) Still() bool { return p.Correlation() > correlation-0.03 && p.gaps < 1.5*slack*p.room }

// Moves is how many ways both went, Hours over how long.
func (p *Pair) Moves() int { return int(p.n) }

// Hours is how long the two have been followed.
func (p *Pair) Hours() float64 {
	if p.since == 0 {
		return 0
	}
	return float64(p.at-p.since) / 3600
}

// Move puts the pair into another plane.
func (p *Pair) Move(to func(orb.Point) orb.Point) {
	for i := range p.last {
		p.last[i] = to(p.last[i])
	}
}

// Code writes or reads the pair.
func (p *Pair) Code(c *snap.Coder) {
	for i := range p.last {
		c.Double(&p.last[i][0])
		c.Double(&p.last[i][1])
	}
	c.Int(&p.since)
	c.Int(&p.at)
	snap.Small(c, &p.n)
	snap.Small(c, &p.apart)
	for _, v := range []*float32{&p.aa, &p.bb, &p.ab, &p.e, &p.gaps, &p.room} {
		c.Float(v)
	}
}

func sub(a, b orb.Point) orb.Point { return orb.Point{a[0] - b[0], a[1] - b[1]} }

func sq(a, b orb.Point) float64 { d := sub(a, b); return d[0]*d[0] + d[1]*d[1] }

func square(x float64) float64 { return x * x }

// Cell is a square of the ground in which movers may meet.
type Cell [2]int32

const cellSize = 8.0 // m

// CellOf is the cell of a point in m; ok is false where the numbers end.
func CellOf(p orb.Point) (c Cell, ok bool) {
	x, y := math.Floor(p[0]/cellSize), math.Floor(p[1]/cellSize)
	if !(math.Abs(x) < math.MaxInt32-1 && math.Abs(y) < math.MaxInt32-1) {
		return Cell{}, false
	}
	return Cell{int32(x), int32(y)}, true
}

// Around is the cell and its eight neighbours.
func (c Cell) Around() [9]Cell {
	var out [9]Cell
	for i := range out {
		out[i] = Cell{c[0] + int32(i%3) - 1, c[1] + int32(i/3) - 1}
	}
	return out
}
