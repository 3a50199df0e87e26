// Package herd simulates the animals of the demo county: three ranches whose tags
// are heard by gateways, and a poultry farm, which publish over real MQTT connections.
// What befalls them is known: one animal leaves its fence, one dies, one runs a fever,
// one is on heat; a tag is cut off, one sits on a dog, two hang on one body, twenty lie
// in a bucket; a gateway falls silent. Cameras and a gate count, and miss some.
//
// Where an animal is and what its tag measures are functions of the seed and the
// time alone, so that the simulation can stop and go on at any moment. Nothing in
// it is real: there is no public series of dying or stolen animals to learn from.
package herd

import (
	"encoding/json"
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

// The demo's past: sparse readings, long enough for each animal's own baselines and a
// week's mean, then denser ones up to now.
const (
	History  = 9 * 24 * time.Hour
	sparse   = 30 * time.Minute
	dense    = 2 * time.Minute
	denseFor = 2 * time.Hour
)

// Incident is one thing that really happened.
type Incident struct {
	Kind    iot.EventKind `json:"kind"`    // the event that should be told of it
	Ranch   string        `json:"ranch"`   // name of the herd
	Subject string        `json:"subject"` // tag, gateway, or the herd itself
	Code    string        `json:"code,omitempty"`
	Other   string        `json:"other,omitempty"` // code of the other animal of two that one body stands for
	At      time.Time     `json:"at"`
	Until   *time.Time    `json:"until,omitempty"` // when it is over; absent: it stays
}

// Ranch is one herd to register, with its devices.
type Ranch struct {
	Herd     iot.Herd // its pens have no ids yet
	Animals  []iot.Animal
	Gateways []string
	Counters []Counter
	beasts   []beast
	fence    *fence.Ground
	seed     uint64
}

// County is all ranches with their truth.
type County struct {
	Ranches   []Ranch
	Incidents []Incident

	epoch time.Time
	byTag map[string]*beast
}

// MarshalJSON writes the truth: docs/formats/demo-county.md.
func (c *County) MarshalJSON() ([]byte, error) {
	type ranch struct {
		Name    string `json:"name"`
		Tags    int    `json:"tags"`
		Bodies  int    `json:"bodies"` // animals that are really there; houses of poultry
		Counted bool   `json:"counted"`
	}
	out := struct {
		Ranches   []ranch    `json:"ranches"`
		Incidents []Incident `json:"incidents"`
	}{Incidents: c.Incidents}
	for i := range c.Ranches {
		r := &c.Ranches[i]
		out.Ranches = append(out.Ranches, ranch{r.Herd.Name, len(r.Animals), r.Bodies(-1, c.epoch), len(r.Counters) > 0})
	}
	return json.Marshal(out)
}

// beast is one simulated animal, or a house of poultry.
type beast struct {
	tag, gateway string
	ranch        *Ranch
	pen          int
	seed         uint64
	late         time.Duration // of its own clock, which is up to two seconds apart
	home         orb.Point     // m from the ranch's middle
	walk         [6]wave
	warmth       float64 // of its ear over the air, share
	heads        int     // of a house of poultry
	body         *beast  // of a second tag: the beast on which it hangs
	leaves, dies, cut,
	carried, deaf time.Time // zero: never; carried is when a dog took the tag, deaf when its gateway falls silent
	fever, heat span
	bucket      bool // there is no such animal: its tag lies with others, kept warm and shaken
}

// span is a time in which something is the case.
type span struct{ from, to time.Time }

func (s span) has(at time.Time) bool { return !at.Before(s.from) && at.Before(s.to) }

type wave struct{ east, north, period, phase float64 }

// kind is one ranch to draw.
type kind struct {
	name, prefix, species, breed, digit string
	heads, gateways                     int
	east, north, radius                 float64 // m from the origin; mean radius of the fence
	pens                                []string
	gate                                bool // one counts the whole herd, beside the cameras of the pens
}

// ranches of the demo: 300 tagged animals, and three houses of chickens.
var ranches = []kind{
	{"北坡牛场", "A", "cattle", "simmental", "2", 110, 2, 0, 0, 700, []string{"西圈", "东圈"}, false},
	{"河滩牧场", "B", "cattle", "luxi", "2", 90, 2, 2600, 600, 620, []string{"西圈", "东圈"}, false},
	{"南岗羊场", "C", "sheep", "hu", "3", 100, 2, 1200, -2300, 560, []string{"西圈", "东圈"}, true},
	{"东洼鸡场", "D", "broiler", "", "", 3, 1, 3600, -1700, 160, nil, false},
}

// Houses is how many birds each house of the poultry farm began with.
const Houses = 12_000

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
	for i, k := range ranches {
		r := &c.Ranches[i]
		r.seed = rng.Uint64()
		r.lay(k, county.Degrees(orb.Point{k.east, k.north}), rng)
		r.beasts = make([]beast, k.heads)
		for n := range k.heads {
			b := &r.beasts[n]
			b.tag, b.gateway, b.ranch = fmt.Sprintf("%s-%03d", k.prefix, n+1), r.Gateways[n%k.gateways], r
			b.pen = n * len(k.pens) / k.heads
			b.draw(rng, k)
			r.Animals = append(r.Animals, b.animal(k, n, i, cfg.Epoch, rng))
			c.byTag[b.tag] = b
		}
	}
	c.plant(cfg)
	return c
}

// lay draws the ground of a ranch around its middle: the fence and the pens within.
func (r *Ranch) lay(k kind, middle orb.Point, rng *rand.Rand) {
	plane := fence.NewPlane(middle)
	const corners = 9
	ring := make(orb.Ring, corners+1)
	for j := range corners {
		radius := k.radius * (0.85 + 0.3*rng.Float64())
		sin, cos := math.Sincos(2 * math.Pi * float64(j) / corners)
		ring[j] = plane.Degrees(orb.Point{radius * cos, radius * sin})
	}
	ring[corners] = ring[0]
	r.Herd = iot.Herd{Name: k.name, Species: k.species, Region: "410725", Fence: orb.Polygon{ring}}
	for i, name := range k.pens {
		x, y, w, h := k.penAt(i)
		var ring orb.Ring
		for _, c := range []orb.Point{{-1, -1}, {1, -1}, {1, 1}, {-1, 1}, {-1, -1}} {
			ring = append(ring, plane.Degrees(orb.Point{x + c[0]*w, y + c[1]*h}))
		}
		r.Herd.Pens = append(r.Herd.Pens, iot.Pen{Name: name, Area: orb.Polygon{ring}})
		r.Counters = append(r.Counters, Counter{ID: fmt.Sprintf("cam-%s%d", strings.ToLower(k.prefix), i+1), Kind: iot.Camera, Pen: i})
	}
	if k.gate {
		r.Counters = append(r.Counters, Counter{ID: "gate-" + strings.ToLower(k.prefix) + "1", Kind: iot.Gate, Pen: -1})
	}
	r.fence = fence.New(r.Herd.Fence)
	for g := range k.gateways {
		r.Gateways = append(r.Gateways, fmt.Sprintf("gw-%s%d", strings.ToLower(k.prefix), g+1))
	}
}

// least is the least radius of the fence, m.
func (k kind) least() float64 { return 0.85 * math.Cos(math.Pi/9) * k.radius }

// penAt is the middle and half the sides of a pen, m: two lie side by side.
func (k kind) penAt(i int) (x, y, width, height float64) {
	side := float64(2*i - 1)
	return side * 0.42 * k.least(), 0, 0.40 * k.least(), 0.46 * k.least()
}

// rim is how far from the rim of its pen an animal keeps, m: receivers err.
const rim = 30

func (b *beast) draw(rng *rand.Rand, k kind) {
	b.seed = rng.Uint64()
	b.late = time.Duration(b.seed%2000) * time.Millisecond
	b.warmth = 0.68 + 0.06*rng.Float64()
	if len(k.pens) == 0 {
		b.heads = Houses
		return
	}
	x, y, w, h := k.penAt(b.pen)
	room := min(w, h) - rim
	sin, cos := math.Sincos(2 * math.Pi * rng.Float64())
	away := 0.3 * room * math.Sqrt(rng.Float64())
	b.home = orb.Point{x + away*cos, y + away*sin}
	reach := 0.7 * room / float64(len(b.walk))
	for i := range b.walk {
		sin, cos := math.Sincos(2 * math.Pi * rng.Float64())
		b.walk[i] = wave{reach * cos, reach * sin, 1500 * math.Pow(2.1, float64(i)) * (0.8 + 0.4*rng.Float64()), 2 * math.Pi * rng.Float64()}
	}
}

// animal is what is registered of the beast.
func (b *beast) animal(k kind, n, ranch int, epoch time.Time, rng *rand.Rand) iot.Animal {
	day := func(days int) time.Time { return epoch.AddDate(0, 0, -days).UTC().Truncate(24 * time.Hour) }
	a := iot.Animal{Species: k.species, Breed: k.breed, TagID: b.tag, Heads: b.heads}
	if b.heads > 0 {
		a.Identity = iot.AnimalID{Scheme: iot.SchemeEUI, Code: fmt.Sprintf("a84041ffff0000%02x", n+1)} // of the sensor: birds have no codes
		a.Born = day(24 + n)
		return a
	}
	a.Identity = iot.AnimalID{Scheme: iot.SchemeCN67, Code: fmt.Sprintf("%s410725%02d%06d", k.digit, ranch+1, n+1)}
	months, grown, carries := 8+rng.IntN(52), 24, 283
	if k.species == "sheep" {
		months, grown, carries = 4+rng.IntN(40), 12, 150
	}
	a.Born = epoch.AddDate(0, -months, -rng.IntN(28)).UTC().Truncate(24 * time.Hour)
	switch a.Sex = "f"; {
	case rng.Float64() < 0.3:
		if a.Sex = "m"; rng.Float64() < 0.7 {
			a.Sex = "c"
		}
	case months > grown+2 && rng.Float64() < 0.6:
		a.Bred = day(20 + rng.IntN(carries-60))
	}
	return a
}

// plant sets the incidents.
func (c *County) plant(cfg Config) {
	after := func(d time.Duration) time.Time { return cfg.Epoch.Add(d) }
	note := func(kind iot.EventKind, r *Ranch, n int, at time.Time) *Incident {
		c.Incidents = append(c.Incidents, Incident{Kind: kind, Ranch: r.Herd.Name, Subject: r.beasts[n].tag, Code: r.Animals[n].Identity.Code, At: at})
		return &c.Incidents[len(c.Incidents)-1]
	}
	a, b, s := &c.Ranches[0], &c.Ranches[1], &c.Ranches[2]

	thief := &a.beasts[16]
	thief.leaves = after(cfg.Leaves)
	note(iot.FenceExit, a, 16, thief.leaves)
	dead := &a.beasts[41]
	dead.dies = after(-14 * time.Hour)
	note(iot.Stillness, a, 41, dead.dies)
	for _, x := range []struct {
		kind iot.EventKind
		n    int
		span span
		of   func(b *beast) *span
	}{
		{iot.Fever, 73, span{after(-11 * time.Hour), after(62 * time.Hour)}, func(b *beast) *span { return &b.fever }},
		{iot.Oestrus, 90, span{after(-9 * time.Hour), after(9 * time.Hour)}, func(b *beast) *span { return &b.heat }},
	} {
		*x.of(&a.beasts[x.n]) = x.span
		cow := &a.Animals[x.n]
		cow.Sex, cow.Bred, cow.Born = "f", time.Time{}, cfg.Epoch.AddDate(0, -40, 0).UTC().Truncate(24*time.Hour)
		if x.kind == iot.Fever { // she is in calf, so that nobody takes her for on heat
			cow.Bred = cfg.Epoch.AddDate(0, -4, 0).UTC().Truncate(24 * time.Hour)
		}
		note(x.kind, a, x.n, x.span.from).Until = &x.span.to
	}

	cut := &b.beasts[22]
	cut.cut = after(-3 * time.Hour)
	note(iot.TagOff, b, 22, cut.cut)
	taken := &b.beasts[60]
	taken.carried = after(-10 * time.Hour)
	note(iot.Carrier, b, 60, taken.carried)
	// Both tags are heard by one gateway; the second one's clock is a little later.
	one, second := &b.beasts[70], &b.beasts[72]
	second.body, second.late = one, one.late+300*time.Millisecond
	note(iot.TwoTags, b, 70, after(-History)).Other = b.Animals[72].Identity.Code
	for n := 24; n < 44; n++ {
		b.beasts[n].bucket = true
	}
	c.Incidents = append(c.Incidents, Incident{Kind: iot.CountShort, Ranch: b.Herd.Name, Subject: b.Herd.Name, At: after(-History)})

	deaf := after(-90 * time.Minute)
	for i := range s.beasts {
		if s.beasts[i].gateway == s.Gateways[1] {
			s.beasts[i].deaf = deaf
		}
	}
	c.Incidents = append(c.Incidents, Incident{Kind: iot.GatewaySilent, Ranch: s.Herd.Name, Subject: s.Gateways[1], At: deaf})
}
