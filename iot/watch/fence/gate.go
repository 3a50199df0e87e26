package fence

import (
	"math"
	"time"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/iot/species"
)

// Fix is one position in metres. Accuracy is 1 sigma in m, 0 when the tag does not
// say. Speed is what the receiver measured over the ground in m/s, 0 when it does not.
type Fix struct {
	At       time.Time
	P        orb.Point
	Accuracy float64
	Speed    float64
}

// Reason says why a fix was not believed, or that it was not the animal's own doing.
type Reason string

// The reasons of a Gate, and Zero for callers that still have degrees.
const (
	Kept       Reason = ""
	Carried    Reason = "carried"    // it is there, but no animal goes so fast by itself: driven, or on a vehicle
	Zero       Reason = "zero"       // 0, 0: the receiver had no fix
	Duplicate  Reason = "duplicate"  // a second fix of the same time
	Late       Reason = "late"       // older than one that was seen
	Inaccurate Reason = "inaccurate" // the tag itself says so
	Speed      Reason = "speed"      // no animal moves so fast
)

// Believed tells whether the tag is held to be there.
func (r Reason) Believed() bool { return r == Kept || r == Carried }

// IsZero tells whether a receiver without a fix wrote 0, 0.
func IsZero(c orb.Point) bool { return math.Abs(c[0]) < 1e-6 && math.Abs(c[1]) < 1e-6 }

const (
	unknownAccuracy = 10.0             // m, of a tag that does not say: an ordinary receiver outdoors
	vehicleSpeed    = 40.0             // m/s: what may carry an animal away
	sprint          = 20 * time.Second // how long an animal keeps its highest speed
	drive           = time.Minute      // how long one that is driven keeps it
	driveShare      = 0.3              // of its highest speed, for longer
	agreeing        = 3                // fixes that agree with each other against the last believed one
	independent     = time.Minute      // between fixes whose errors have nothing to do with each other
)

// Gate cleans the fixes of one tag, one by one in the order they come. Its memory
// is three fixes.
type Gate struct {
	Last    Fix               // the last believed fix; its time is zero when there is none
	waiting [agreeing - 1]Fix // fixes that were too fast and agree with each other
	n       uint8             // of them
	carried bool              // the last believed fix was
	behind  uint8             // how many of waiting the last Step made believed
}

// Step says whether to believe the fix. One that an animal reaches only when driven is
// believed, as Carried. One that is too far for that is not, unless three in a row agree with each other: then the
// animal is there, on a lorry or driven, or the last one was wrong. Two are enough when
// they are a minute apart and agree at an animal's own pace. Behind has those before.
// A receiver that itself measures a vehicle's speed is believed at once.
func (g *Gate) Step(f Fix, w *species.Watch) Reason {
	g.behind = 0
	switch {
	case f.Accuracy > w.MaxAccuracy:
		return Inaccurate
	case g.Last.At.IsZero():
		return g.believe(f, false) // nothing says yet how it came there
	case f.At.Equal(g.Last.At):
		return Duplicate
	case f.At.Before(g.Last.At):
		return Late
	case f.Speed <= w.MaxSpeed && Reachable(g.Last, f, w):
		if g.n > 0 && apart2(g.waiting[g.n-1].P, f.P) < apart2(g.Last.P, f.P) {
			g.behind = g.n // those that waited were right
		}
		return g.believe(f, false)
	case f.Speed <= w.MaxSpeed && runnable(g.Last, f, w):
		g.believe(f, false) // at once: somebody may be driving it off
		return Carried
	case (g.carried || f.Speed > w.MaxSpeed) && drivable(g.Last, f):
		return g.believe(f, true)
	case g.n > 0 && !f.At.After(g.waiting[g.n-1].At):
		return Late
	case g.n > 0 && f.At.Sub(g.waiting[g.n-1].At) >= independent && Reachable(g.waiting[g.n-1], f, w):
		g.behind = g.n
		return g.believe(f, false) // it stays there: only the way there was too fast
	case g.n > 0 && !drivable(g.waiting[g.n-1], f):
		g.n = 0
	}
	if int(g.n) < len(g.waiting) {
		g.waiting[g.n] = f
		g.n++
		return Speed
	}
	g.behind = g.n
	return g.believe(f, true)
}

func (g *Gate) believe(f Fix, carried bool) Reason {
	g.Last, g.n, g.carried = f, 0, carried
	if carried {
		return Carried
	}
	return Kept
}

// Behind is the fixes that the last Step made believed beside its own, oldest first;
// valid until the next Step.
func (g *Gate) Behind() []Fix {
	return g.waiting[:g.behind]
}

// Reachable tells whether an animal can come from a to b by itself: at its highest
// speed for some seconds, then at a walk.
func Reachable(a, b Fix, w *species.Watch) bool {
	dt := b.At.Sub(a.At)
	return within(a, b, w.MaxSpeed*min(dt, sprint).Seconds()+w.Walk*max(0, dt-sprint).Seconds())
}

// runnable tells whether an animal that is driven hard can come from a to b: no one
// does for pleasure, so a track of its own ways leaves such a fix out.
func runnable(a, b Fix, w *species.Watch) bool {
	dt := b.At.Sub(a.At)
	return within(a, b, w.MaxSpeed*(min(dt, drive).Seconds()+driveShare*max(0, dt-drive).Seconds()))
}

// drivable tells whether a vehicle can bring something from a to b.
func drivable(a, b Fix) bool { return within(a, b, vehicleSpeed*b.At.Sub(a.At).Seconds()) }

func within(a, b Fix, reach float64) bool {
	for _, acc := range [...]float64{a.Accuracy, b.Accuracy} {
		if acc == 0 {
			acc = unknownAccuracy
		}
		reach += acc
	}
	return apart2(a.P, b.P) <= reach*reach
}

// apart2 is a squared distance in m².
func apart2(a, b orb.Point) float64 {
	dx, dy := b[0]-a[0], b[1]-a[1]
	return dx*dx + dy*dy
}
