package watch

import (
	"math"
	"time"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/iot/species"
)

// Fix is one position in metres. Accuracy is 1 sigma in m, 0 when the tag does not say.
type Fix struct {
	At       time.Time
	P        orb.Point
	Accuracy float64
}

// Reason says why a fix was not believed; "" means it was.
type Reason string

// The reasons of a Gate, and Zero for callers that still have degrees.
const (
	Kept       Reason = ""
	Zero       Reason = "zero"       // 0, 0: the receiver had no fix
	Duplicate  Reason = "duplicate"  // a second fix of the same time
	Late       Reason = "late"       // older than one that was seen
	Inaccurate Reason = "inaccurate" // the tag itself says so
	Speed      Reason = "speed"      // no animal moves so fast
)

// IsZero tells whether a receiver without a fix wrote 0, 0.
func IsZero(c orb.Point) bool { return math.Abs(c[0]) < 1e-6 && math.Abs(c[1]) < 1e-6 }

const (
	unknownAccuracy = 10.0             // m, of a tag that does not say: an ordinary receiver outdoors
	vehicleSpeed    = 40.0             // m/s: what may carry an animal away
	sprint          = 60 * time.Second // how long an animal keeps its highest speed
	sustainedShare  = 0.3              // of the highest speed, for longer
	agree           = 3                // fixes that agree with each other against the last believed one
)

// Gate cleans the fixes of one tag, one by one in the order they come. Its memory
// is two fixes.
type Gate struct {
	w     species.Watch
	last  Fix
	other Fix // the last fix that was too fast
	agree int // how many such fixes in a row agree with each other
}

// NewGate returns the gate of one tag.
func NewGate(w species.Watch) Gate { return Gate{w: w} }

// Last is the last believed fix; its time is zero when there is none.
func (g *Gate) Last() Fix { return g.last }

// Step says whether to believe the fix. One that is too far from the last believed
// one for an animal is not, unless three in a row agree with each other: then the
// animal is there, perhaps on a lorry, or the last one was wrong.
func (g *Gate) Step(f Fix) Reason {
	switch {
	case f.Accuracy > g.w.MaxAccuracy:
		return Inaccurate
	case g.last.At.IsZero():
		g.last = f
		return Kept
	case f.At.Equal(g.last.At):
		return Duplicate
	case f.At.Before(g.last.At):
		return Late
	case reachable(g.last, f, g.w.MaxSpeed, g.w.MaxSpeed*sustainedShare):
		g.last, g.agree = f, 0
		return Kept
	}
	switch {
	case g.agree > 0 && !f.At.After(g.other.At):
		return Late
	case g.agree > 0 && reachable(g.other, f, vehicleSpeed, vehicleSpeed):
		g.agree++
	default:
		g.agree = 1
	}
	g.other = f
	if g.agree < agree {
		return Speed
	}
	g.last, g.agree = f, 0
	return Kept
}

// reachable tells whether something can come from a to b in time: fast for a
// minute, then at the sustained speed.
func reachable(a, b Fix, fast, sustained float64) bool {
	dt := b.At.Sub(a.At)
	reach := fast*min(dt, sprint).Seconds() + sustained*max(0, dt-sprint).Seconds()
	for _, acc := range [...]float64{a.Accuracy, b.Accuracy} {
		if acc == 0 {
			acc = unknownAccuracy
		}
		reach += acc
	}
	return math.Hypot(b.P[0]-a.P[0], b.P[1]-a.P[1]) <= reach
}
