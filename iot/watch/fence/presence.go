package fence

import "github.com/furrowcredit/furrow/iot/species"

// Place is what Presence believes.
type Place byte

// The places. NeverEntered is outside since the first fix.
const (
	Nowhere Place = iota // no fix yet
	Inside
	Outside
	NeverEntered
)

// Margins are the distances in m that decide about a fence.
type Margins struct {
	Out   float64 // beyond it a fix speaks for outside
	Sure  float64 // beyond it one fix is enough
	Times int     // fixes in a row otherwise
}

// NewMargins returns the margins of a fence: a share of its size between a least
// and a most, so that the scatter of small pens and of wide pastures is both covered.
func NewMargins(w species.Watch, g *Ground) Margins {
	out := min(max(w.MarginShare*g.Size(), w.MarginMin), w.MarginMax)
	return Margins{Out: out, Sure: out + w.Sure, Times: w.Confirmations}
}

// Presence follows one animal in and out of its fence, with hysteresis: to count as
// outside it must be beyond the margin, to count as back inside it must be inside
// the line; what lies between changes nothing.
type Presence struct {
	place   Place
	out, in uint8
}

// PresenceAt is the presence of an animal whose place is known from elsewhere.
func PresenceAt(p Place) Presence { return Presence{place: p} }

// Place is where the animal is believed to be.
func (p *Presence) Place() Place { return p.place }

// Step takes the signed distance of a believed fix and its accuracy, both in m, and
// tells whether the animal's place changed.
func (p *Presence) Step(distance, accuracy float64, m Margins) bool {
	before := p.place
	switch far := distance - accuracy; {
	case far > m.Out:
		p.out, p.in = next(p.out), 0
		if int(p.out) >= m.Times || far > m.Sure {
			switch p.place {
			case Inside:
				p.place = Outside
			case Nowhere:
				p.place = NeverEntered
			case Outside, NeverEntered:
			}
		}
	case distance <= 0:
		p.out, p.in = 0, next(p.in)
		if p.place == Nowhere || p.place == NeverEntered || int(p.in) >= m.Times || distance < -m.Out {
			p.place = Inside
		}
	default:
		p.out, p.in = 0, 0
		if p.place == Nowhere {
			p.place = Inside // at the fence is as good as inside until it says otherwise
		}
	}
	return p.place != before
}

// next counts on, and stays at the end.
func next(n uint8) uint8 {
	if n < 255 {
		n++
	}
	return n
}
