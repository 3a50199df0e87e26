// Package herd simulates the animals of the demo county: three ranches whose tags
// are heard by gateways, which publish over a real MQTT connection. One animal
// leaves its fence, one dies, one tag is cut off and one gateway falls silent; the
// truth is known.
//
// Where an animal is and what its tag measures are functions of the seed and the
// time alone, so that the simulation can stop and go on at any moment. Nothing in
// it is real: there is no public series of dying or stolen animals to learn from.
package herd

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/watch/fence"
)

// Config says which herds to draw. The zero value of each field but Epoch is fine.
type Config struct {
	Seed   uint64
	Origin orb.Point // WGS84; the ranches lie around it
	// Epoch is the moment of the first start; incidents are set against it.
	Epoch time.Time
	// Leaves is when the animal sets out to leave, after Epoch; 0 means 15 minutes before it.
	Leaves time.Duration
}

// The demo's past: sparse readings, then denser ones up to now.
const (
	History  = 48 * time.Hour
	sparse   = 10 * time.Minute
	dense    = 2 * time.Minute
	denseFor = 2 * time.Hour
)

// Incident is one thing that really happened.
type Incident struct {
	Kind    iot.EventKind `json:"kind"`    // the event that should be told of it
	Ranch   string        `json:"ranch"`   // name of the herd
	Subject string        `json:"subject"` // tag or gateway
	Code    string        `json:"code,omitempty"`
	At      time.Time     `json:"at"`
}

// Ranch is one herd to register, with its gateways.
type Ranch struct {
	Herd     iot.Herd
	Animals  []iot.Animal
	Gateways []string
	beasts   []beast
	fence    *fence.Ground
}

// County is all ranches with their truth.
type County struct {
	Ranches   []Ranch    `json:"-"`
	Incidents []Incident `json:"incidents"`

	epoch time.Time
	byTag map[string]*beast
}

// beast is one simulated animal.
type beast struct {
	tag, gateway string
	ranch        *Ranch
	seed         uint64
	home         orb.Point // m from the ranch's middle
	walk         [6]wave
	warmth       float64 // of its ear over the air, share
	leaves, dies, cut,
	deaf time.Time // zero: never; deaf is when its gateway falls silent
}

type wave struct{ east, north, period, phase float64 }

// ranches of the demo: names, species and heads sum to 300.
var ranches = [3]struct {
	name, prefix, species, digit string
	heads, gateways              int
	east, north, radius          float64 // m from the origin; mean radius of the fence
}{
	{"北坡牛场", "A", "cattle", "2", 110, 2, 0, 0, 700},
	{"河滩牧场", "B", "cattle", "2", 90, 2, 2600, 600, 620},
	{"南岗羊场", "C", "sheep", "3", 100, 2, 1200, -2300, 560},
}

// defaultOrigin lies just east of the demo county's satellite scenes.
var defaultOrigin = orb.Point{114.40, 35.02}

// New draws the ranches.
func New(cfg Config) *County {
	if cfg.Origin == (orb.Point{}) {
		cfg.Origin = defaultOrigin
	}
	if cfg.Leaves == 0 {
		cfg.Leaves = -15 * time.Minute
	}
	c := &County{epoch: cfg.Epoch, byTag: make(map[string]*beast)}
	county := fence.NewPlane(cfg.Origin)
	rng := rand.New(rand.NewPCG(cfg.Seed, 0x68657264))
	c.Ranches = make([]Ranch, len(ranches))
	for i, kind := range ranches {
		plane := fence.NewPlane(county.Degrees(orb.Point{kind.east, kind.north}))
		const corners = 9
		ring := make(orb.Ring, corners+1)
		for j := range corners {
			radius := kind.radius * (0.85 + 0.3*rng.Float64())
			sin, cos := math.Sincos(2 * math.Pi * float64(j) / corners)
			ring[j] = plane.Degrees(orb.Point{radius * cos, radius * sin})
		}
		ring[corners] = ring[0]
		r := &c.Ranches[i]
		r.Herd = iot.Herd{Name: kind.name, Species: kind.species, Fence: orb.Polygon{ring}}
		r.fence = fence.New(r.Herd.Fence)
		for g := range kind.gateways {
			r.Gateways = append(r.Gateways, fmt.Sprintf("gw-%s%d", strings.ToLower(kind.prefix), g+1))
		}
		r.beasts = make([]beast, kind.heads)
		for n := range kind.heads {
			b := &r.beasts[n]
			b.draw(rng, kind.radius)
			b.tag, b.gateway, b.ranch = fmt.Sprintf("%s-%03d", kind.prefix, n+1), r.Gateways[n%kind.gateways], r
			sex := "f"
			if rng.Float64() < 0.3 {
				sex = "m"
			}
			months := 8 + rng.IntN(52)
			if kind.species == "sheep" {
				months = 4 + rng.IntN(40)
			}
			r.Animals = append(r.Animals, iot.Animal{
				Identity: iot.AnimalID{Scheme: iot.SchemeCN67, Code: fmt.Sprintf("%s410725%02d%06d", kind.digit, i+1, n+1)},
				Species:  kind.species, Sex: sex, Born: cfg.Epoch.AddDate(0, -months, -rng.IntN(28)).UTC().Truncate(24 * time.Hour), TagID: b.tag,
			})
			c.byTag[b.tag] = b
		}
	}
	c.plant(cfg)
	return c
}

func (b *beast) draw(rng *rand.Rand, radius float64) {
	b.seed = rng.Uint64()
	// Animals keep within about 80 % of the fence's least radius.
	room := 0.8 * 0.85 * math.Cos(math.Pi/9) * radius
	sin, cos := math.Sincos(2 * math.Pi * rng.Float64())
	away := 0.4 * room * math.Sqrt(rng.Float64())
	b.home = orb.Point{away * cos, away * sin}
	reach := 0.6 * room / float64(len(b.walk))
	for i := range b.walk {
		sin, cos := math.Sincos(2 * math.Pi * rng.Float64())
		b.walk[i] = wave{reach * cos, reach * sin, 1500 * math.Pow(2.1, float64(i)) * (0.8 + 0.4*rng.Float64()), 2 * math.Pi * rng.Float64()}
	}
	b.warmth = 0.68 + 0.06*rng.Float64()
}

// plant sets the four incidents.
func (c *County) plant(cfg Config) {
	note := func(kind iot.EventKind, r *Ranch, subject, code string, at time.Time) {
		c.Incidents = append(c.Incidents, Incident{kind, r.Herd.Name, subject, code, at})
	}
	code := func(r *Ranch, n int) string { return r.Animals[n].Identity.Code }
	a, b, s := &c.Ranches[0], &c.Ranches[1], &c.Ranches[2]

	thief := &a.beasts[16]
	thief.leaves = cfg.Epoch.Add(cfg.Leaves)
	note(iot.FenceExit, a, thief.tag, code(a, 16), thief.leaves)
	dead := &a.beasts[41]
	dead.dies = cfg.Epoch.Add(-14 * time.Hour)
	note(iot.Stillness, a, dead.tag, code(a, 41), dead.dies)
	cut := &b.beasts[22]
	cut.cut = cfg.Epoch.Add(-3 * time.Hour)
	note(iot.TagOff, b, cut.tag, code(b, 22), cut.cut)
	deaf := cfg.Epoch.Add(-90 * time.Minute)
	for i := range s.beasts {
		if s.beasts[i].gateway == s.Gateways[1] {
			s.beasts[i].deaf = deaf
		}
	}
	note(iot.GatewaySilent, s, s.Gateways[1], "", deaf)
}

// Reading is what the tag sends at a time, and the gateway that hears it; false
// when nothing is heard of it.
func (c *County) Reading(tag string, at time.Time) (r iot.Reading, gateway string, ok bool) {
	b := c.byTag[tag]
	if b == nil || !b.deaf.IsZero() && !at.Before(b.deaf) {
		return iot.Reading{}, "", false
	}
	at = at.UTC().Truncate(time.Millisecond)
	rng := rand.New(rand.NewPCG(b.seed, uint64(at.UnixMilli())))
	r = iot.Reading{Tag: b.tag, At: at}

	accuracy := 3 + 4*rng.ExpFloat64()
	p := b.place(at)
	p = orb.Point{p[0] + accuracy*rng.NormFloat64()*0.7, p[1] + accuracy*rng.NormFloat64()*0.7}
	p = b.ranch.fence.Plane().Degrees(p)
	r.Lon, r.Lat, r.Accuracy = rounded(p[0], 1e7), rounded(p[1], 1e7), rounded(accuracy, 10)

	now := air(at)
	ear := now + b.warmth*(37.5-now) + 0.4*rng.NormFloat64()
	stopped := b.stopped(at)
	if !stopped.IsZero() {
		ear = now + b.warmth*(37.5-air(stopped))*math.Exp(-at.Sub(stopped).Hours()/2) + 0.1*rng.NormFloat64()
	}
	r.Temp, r.Ambient = rounded(ear, 100), rounded(now+0.2*rng.NormFloat64(), 100)

	activity := 0.05 + 0.12*rng.ExpFloat64()
	switch {
	case !stopped.IsZero():
		activity = 0.01 + 0.01*rng.Float64()
	case b.awake(at):
		activity = 0.8 + 1.4*rng.Float64()
	default:
		activity = min(activity, 0.4)
	}
	r.Activity = rounded(activity, 1000)
	attached := b.cut.IsZero() || at.Before(b.cut)
	r.Attached = &attached
	r.Battery = rounded(3.62-0.02*rng.Float64(), 100)
	seq := at.Unix()
	r.Seq = &seq
	return r, b.gateway, true
}

// stopped is since when the tag shows no life; zero while it does.
func (b *beast) stopped(at time.Time) time.Time {
	for _, t := range [...]time.Time{b.dies, b.cut} {
		if !t.IsZero() && !at.Before(t) {
			return t
		}
	}
	return time.Time{}
}

// walkSpeed is that of the animal that is led away, m/s.
const walkSpeed = 1.6

// place is where the animal stands, in m from the middle of its ranch.
func (b *beast) place(at time.Time) orb.Point {
	if t := b.stopped(at); !t.IsZero() {
		at = t
	}
	if !b.leaves.IsZero() && at.After(b.leaves) {
		// Away from the middle through the fence, to a hollow 1.2 km off.
		from := b.graze(b.leaves)
		far := math.Hypot(from[0], from[1])
		gone := min(walkSpeed*at.Sub(b.leaves).Seconds(), 1200)
		return orb.Point{from[0] * (1 + gone/far), from[1] * (1 + gone/far)}
	}
	return b.graze(at)
}

// graze is a slow random walk: a sum of waves whose time runs by day and nearly
// stops at night.
func (b *beast) graze(at time.Time) orb.Point {
	const day = 86400.0
	s := float64(at.UnixMilli())/1000 + 8*3600 // local solar time
	s -= 0.8 * day / (2 * math.Pi) * math.Sin(2*math.Pi*s/day)
	p := b.home
	for _, w := range b.walk {
		v := math.Sin(2*math.Pi*s/w.period + w.phase)
		p[0] += w.east * v
		p[1] += w.north * v
	}
	return p
}

// awake tells whether the animal grazes in the bout of 20 minutes that at lies in.
func (b *beast) awake(at time.Time) bool {
	bout := at.Unix() / 1200
	share := 0.45 - 0.3*math.Cos(2*math.Pi*(float64(at.Unix())/3600+8)/24) // most at noon
	return rand.New(rand.NewPCG(b.seed, uint64(bout))).Float64() < share
}

// air is the temperature of a mild day, °C.
func air(at time.Time) float64 {
	return 16 - 7*math.Cos(2*math.Pi*(float64(at.Unix())/3600+8-2)/24)
}

func rounded(v, scale float64) *float64 {
	v = math.Round(v*scale) / scale
	return &v
}
