package geo

import (
	"cmp"
	"errors"
	"math"
	"slices"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"
)

// Mend is something that was put right in a boundary.
type Mend string

// The mends.
const (
	MendClosed       Mend = "closed"        // a ring did not end where it began
	MendCorners      Mend = "corners"       // a corner stood there twice, or in a line back upon itself
	MendRings        Mend = "rings"         // the outline was not the first ring
	MendSelfCrossing Mend = "self_crossing" // a small knot was cut off
)

// Mended says what was put right where.
type Mended struct {
	What Mend    `json:"what"`
	At   string  `json:"at,omitempty"`      // "longitude, latitude"
	M2   float64 `json:"lost_m2,omitempty"` // area that was cut off
}

// knotShare is the part of a boundary's area that may be cut off with its knots. A
// slip of the hand or of rounding is smaller; what is larger changes the plot, and
// only its holder knows how it was meant.
const knotShare = 0.01

// RepairPolygon is [ValidatePolygon] for boundaries that come from files: what can
// be put right without changing the plot is put right and named. Rings are closed,
// repeated corners and spikes dropped, the outline put first, and knots cut off
// where all of them together are less than a hundredth of the plot. Everything else
// is the error of [ValidatePolygon].
func RepairPolygon(p orb.Polygon) (orb.Polygon, []Mended, error) {
	var mends []Mended
	rings := make(orb.Polygon, 0, len(p))
	for i, r := range p {
		if len(r) > maxCorners {
			return nil, nil, ErrCorners.With("max", maxCorners)
		}
		if len(r) > 0 && r[0] != r[len(r)-1] {
			mends = append(mends, Mended{What: MendClosed, At: place(r[0])})
		}
		if k := repeated(r); k > 0 {
			mends = append(mends, Mended{What: MendCorners, At: place(r[k])})
		}
		clean, err := cleanRing(r)
		if err != nil && i > 0 && errors.Is(err, ErrRing) {
			mends = append(mends, Mended{What: MendRings})
			continue // a hole without an inside
		}
		if err != nil {
			return nil, nil, err
		}
		rings = append(rings, clean)
	}
	if outer := outline(rings); outer > 0 {
		mends = append(mends, Mended{What: MendRings, At: place(rings[outer][0])})
		rings[0], rings[outer] = rings[outer], rings[0]
	}
	valid, err := ValidatePolygon(rings)
	if err == nil || !errors.Is(err, ErrSelfCrossing) {
		return valid, mends, err
	}
	kept := rings[:0]
	for _, r := range rings {
		mended, how, ok := untie(r)
		if !ok {
			return nil, nil, err
		}
		mends = append(mends, how...)
		if mended != nil {
			kept = append(kept, mended)
		}
	}
	if valid, again := ValidatePolygon(kept); again == nil {
		return valid, mends, nil
	}
	return nil, nil, err
}

// repeated gives the first corner that equals the one before it, 0 for none.
func repeated(r orb.Ring) int {
	for i := 1; i < len(r); i++ {
		if r[i] == r[i-1] {
			return i
		}
	}
	return 0
}

// outline is the ring that holds all others.
func outline(rings orb.Polygon) int {
	best := 0
	for i, r := range rings {
		if i > 0 && math.Abs(ringAreaM2(r)) > math.Abs(ringAreaM2(rings[best])) && planar.RingContains(r, rings[best][0]) {
			best = i
		}
	}
	return best
}

// untie cuts the knots off a ring. It is not ok when they are too large or too
// many; the ring is nil when it was nothing but a line.
func untie(r orb.Ring) (out orb.Ring, mends []Mended, ok bool) {
	const most = 200 // cuts: a ring with more is a scribble
	todo := []orb.Ring{r}
	var loops []orb.Ring
	var at orb.Point
	for cuts := 0; len(todo) > 0; {
		ring := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		s, t, x, found := crossingSides(orb.Polygon{ring})
		if !found {
			loops = append(loops, ring)
			continue
		}
		if cuts++; cuts > most {
			return nil, nil, false
		}
		at = x
		if s.i > t.i {
			s, t = t, s
		}
		n := len(ring) - 1
		var inner, rest orb.Ring
		if s.neighbours(t) { // a spike: its tip goes
			tip := t.i
			if s.i == 0 && t.i == s.last && t.i > 1 {
				tip = 0
			}
			rest = slices.Delete(slices.Clone(ring[:n]), tip, tip+1)
		} else { // the corners between the two edges, and all others
			inner = append(orb.Ring{x}, ring[s.i+1:t.i+1]...)
			rest = append(slices.Clone(ring[:s.i+1]), x)
			rest = append(rest, ring[t.i+1:n]...)
		}
		for _, part := range []orb.Ring{inner, rest} {
			if clean, err := cleanRing(part); err == nil {
				todo = append(todo, clean)
			}
		}
	}
	slices.SortStableFunc(loops, func(a, b orb.Ring) int {
		return cmp.Compare(math.Abs(ringAreaM2(b)), math.Abs(ringAreaM2(a)))
	})
	if len(loops) == 0 {
		return nil, []Mended{{What: MendCorners, At: place(r[0])}}, true
	}
	var lost float64
	for _, l := range loops[1:] {
		lost += math.Abs(ringAreaM2(l))
	}
	if lost > knotShare*math.Abs(ringAreaM2(loops[0])) {
		return nil, nil, false
	}
	switch {
	case lost >= 0.01:
		mends = append(mends, Mended{What: MendSelfCrossing, At: place(at), M2: math.Round(lost*100) / 100})
	case len(loops[0]) != len(r):
		mends = append(mends, Mended{What: MendCorners, At: place(at)})
	}
	return loops[0], mends, true
}
