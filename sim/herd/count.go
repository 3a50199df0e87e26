package herd

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/furrowcredit/furrow/iot"
)

// Counter is a camera of a pen, or a gate of the whole herd.
type Counter struct {
	ID   string
	Kind iot.DeviceKind
	Pen  int // index of the herd's pens; -1 the whole herd
}

// What counters miss and see twice. A camera misses more in one picture than in the
// next; a person who walks through a pen misses one head in a hundred.
const (
	cameraSees  = 0.82
	cameraWidth = 40.0 // pseudo-counts of the beta distribution of a picture's recall
	cameraTwice = 0.01
	gateSees    = 0.97
	personSees  = 0.99
)

// pictures is how far apart the pictures of the past are.
const pictures = 3 * time.Hour

// Bodies is how many animals really stand in a pen (-1: all) at a time, whatever tags say.
func (r *Ranch) Bodies(pen int, at time.Time) int {
	n := 0
	for i := range r.beasts {
		b := &r.beasts[i]
		here := pen < 0 || b.pen == pen
		away := !b.leaves.IsZero() && at.Sub(b.leaves) > 5*time.Minute
		if here && !away && !b.bucket && b.body == nil {
			n++
		}
	}
	return n
}

// Count is what a counter counts at a time: a picture of a camera, or what passed a gate
// in the hour before. False when the gate is shut, which it is but for two hours a day.
func (r *Ranch) Count(k Counter, at time.Time) (h iot.Headcount, ok bool) {
	at = at.UTC().Truncate(time.Minute)
	rng := rand.New(rand.NewPCG(r.seed+uint64(k.Pen+2), uint64(at.Unix())))
	bodies := r.Bodies(k.Pen, at)
	if k.Kind == iot.Gate {
		hour := at.Add(8 * time.Hour).Hour()
		if at.Minute() != 0 || hour != 7 && hour != 19 {
			return h, false
		}
		h = iot.Headcount{Device: k.ID, Kind: iot.ByGate, From: at.Add(-time.Hour), To: at, Seen: binomial(rng, bodies, gateSees)}
		if hour == 7 {
			h.Out = h.Seen
		}
		return h, true
	}
	recall := min(0.99, cameraSees+math.Sqrt(cameraSees*(1-cameraSees)/(cameraWidth+1))*rng.NormFloat64())
	seen := binomial(rng, bodies, recall)
	h = iot.Headcount{Device: k.ID, Kind: iot.ByCamera, From: at, To: at, Seen: seen + binomial(rng, seen, cameraTwice)}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", k.ID, at.Unix())) // of a picture that the camera keeps
	h.Picture = hex.EncodeToString(sum[:])
	return h, true
}

// Walk is what a person counted who went through a pen.
type Walk struct {
	Pen  int
	At   time.Time
	Seen int
}

// Walks are the counts that the officer made, of one pen after the other: all pens six
// days before the epoch, and again just before it.
func (c *County) Walks(ranch int) []Walk {
	const each = 7 * time.Minute
	r, before := &c.Ranches[ranch], 0
	for i := range ranch {
		before += len(c.Ranches[i].Herd.Pens)
	}
	var out []Walk
	for _, end := range [...]time.Time{c.epoch.Add(-6 * 24 * time.Hour), c.epoch} {
		for pen := range r.Herd.Pens {
			at := end.Add(-time.Duration(before+pen+1) * each).UTC().Truncate(time.Second)
			rng := rand.New(rand.NewPCG(r.seed+uint64(pen+2), uint64(at.UnixMilli())+1))
			out = append(out, Walk{pen, at, binomial(rng, r.Bodies(pen, at), personSees)})
		}
	}
	return out
}

func binomial(rng *rand.Rand, n int, p float64) int {
	k := 0
	for range n {
		if rng.Float64() < p {
			k++
		}
	}
	return k
}

// Weighing is one weight of an animal, as a ranch writes it down.
type Weighing struct {
	Code string
	At   time.Time
	Kg   float64
}

// weighed is how many animals of a ranch stood on its scale, twice.
const weighed = 40

// Weighings are the weights that a ranch wrote down: of the cattle farm and the sheep
// farm some animals, two months ago and last week.
func (r *Ranch) Weighings(epoch time.Time) []Weighing {
	var out []Weighing
	for n := 0; n < min(weighed, len(r.Animals)); n++ {
		a := r.Animals[n]
		if a.Heads > 0 {
			return nil
		}
		rng := rand.New(rand.NewPCG(r.beasts[n].seed, 2))
		own := 1 + 0.06*rng.NormFloat64()
		for _, days := range [...]int{63, 6} {
			at := epoch.AddDate(0, 0, -days).UTC().Truncate(24 * time.Hour)
			months := at.Sub(a.Born).Hours() / 24 / 30.44
			if months < 3 {
				continue
			}
			kg := grown(a, months) * own * (1 + 0.02*rng.NormFloat64())
			out = append(out, Weighing{a.Identity.Code, at, math.Round(kg*2) / 2})
		}
	}
	return out
}

// grown is a mean weight in kg. It is the simulator's own: Gompertz curves that end at
// what the species' adults weigh.
func grown(a iot.Animal, months float64) float64 {
	adult, b, k := 600.0, 2.85, 0.11
	if a.Sex != "f" {
		adult = 740
	}
	if a.Species == "sheep" {
		adult, b, k = 50, 2.8, 0.28
		if a.Sex != "f" {
			adult = 66
		}
	}
	return adult * math.Exp(-b*math.Exp(-k*months))
}
