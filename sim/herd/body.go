package herd

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/iot"
)

// Reading is what the tag sends at a time, and the gateway that hears it; since is how
// long ago it sent before. False when nothing is heard of it.
func (c *County) Reading(tag string, at time.Time, since time.Duration) (r iot.Reading, gateway string, ok bool) {
	b := c.byTag[tag]
	if b == nil || !b.deaf.IsZero() && !at.Before(b.deaf) {
		return iot.Reading{}, "", false
	}
	at = at.UTC().Truncate(time.Millisecond)
	rng := rand.New(rand.NewPCG(b.seed, uint64(at.UnixMilli())))
	r = iot.Reading{Tag: b.tag, At: at}
	seq := at.Unix()
	r.Seq = &seq
	if b.heads > 0 {
		b.house(&r, c.epoch, rng)
		return r, b.gateway, true
	}

	accuracy := 3 + 4*rng.ExpFloat64()
	p := b.place(at)
	p = orb.Point{p[0] + accuracy*rng.NormFloat64()*0.7, p[1] + accuracy*rng.NormFloat64()*0.7}
	p = b.ranch.fence.Plane().Degrees(p)
	r.Lon, r.Lat, r.Accuracy = rounded(p[0], 1e7), rounded(p[1], 1e7), rounded(accuracy, 10)

	now := air(at)
	r.Temp, r.Ambient = rounded(b.ear(at, rng), 100), rounded(now+0.2*rng.NormFloat64(), 100)
	b.behave(&r, at, since, rng)
	attached := b.cut.IsZero() || at.Before(b.cut)
	r.Attached = &attached
	r.Battery = rounded(3.62-0.02*rng.Float64(), 100)
	return r, b.gateway, true
}

// What a fever and a heat do to an ear, °C. An ear follows the weather; at oestrus it
// was 0.76 °C warmer (Front. Anim. Sci. 2023, 1149085), fevers go to 2.5 °C.
const (
	feverRise = 1.9
	heatRise  = 0.9
)

// ear is the temperature of the tag, °C.
func (b *beast) ear(at time.Time, rng *rand.Rand) float64 {
	now := air(at)
	ear := now + b.warmth*(37.5-now) + 0.4*rng.NormFloat64()
	if b.fever.has(at) {
		ear += feverRise
	}
	if b.heat.has(at) {
		ear += heatRise
	}
	cold, hours := b.stopped(at), 2.0
	if cold.IsZero() && b.dog(at) {
		cold, hours = b.carried, 0.7 // outside of the coat
	}
	if !cold.IsZero() {
		ear = now + b.warmth*(37.5-air(cold))*math.Exp(-at.Sub(cold).Hours()/hours) + 0.1*rng.NormFloat64()
	}
	return ear
}

// dog tells whether the tag hangs on a dog.
func (b *beast) dog(at time.Time) bool { return !b.carried.IsZero() && !at.Before(b.carried) }

// behave adds how the tag was shaken at the moment, and what it made of the time since
// its last message.
func (b *beast) behave(r *iot.Reading, at time.Time, since time.Duration, rng *rand.Rand) {
	share := awakeShare(at)
	activity := min(0.05+0.12*rng.ExpFloat64(), 0.4)
	switch {
	case !b.stopped(at).IsZero():
		activity = 0.01 + 0.01*rng.Float64()
	case b.dog(at):
		activity = 0.1 + 2*rng.Float64()
	case b.heat.has(at): // restless by day and night
		activity = (0.8 + 1.4*rng.Float64()) * 2
	case b.awake(at):
		activity = 0.8 + 1.4*rng.Float64()
	}
	if b.fever.has(at) {
		activity *= 0.8
	}
	r.Activity = rounded(activity, 1000)

	// Of an hour a cow ruminates the more the less she grazes, about eight hours a day.
	ruminates, grazes, walks := 0.55-0.5*share, 0.9*share, 0.08*share
	switch {
	case !b.stopped(at).IsZero():
		ruminates, grazes, walks = 0, 0, 0
	case b.dog(at):
		ruminates, grazes, walks = 0, 0, 0.3
	case b.fever.has(at):
		ruminates, grazes = 0.85*ruminates, 0.8*grazes
	case b.heat.has(at):
		ruminates, walks = 0.85*ruminates, walks+0.15
	}
	s := since.Seconds()
	walks, grazes = walks*s, grazes*s*(0.85+0.3*rng.Float64())
	grazes = min(grazes, s-walks)
	r.Ruminating, r.Grazing, r.Walking = rounded(ruminates*s*(0.85+0.3*rng.Float64()), 1), rounded(grazes, 1), rounded(walks, 1)
	r.Lying = rounded(max(0, s-*r.Grazing-*r.Walking)*0.85, 1)
}

// house is what the sensor of a house of poultry tells: birds that are left, their mean
// weight on the scale in the litter, and the air.
func (b *beast) house(r *iot.Reading, epoch time.Time, rng *rand.Rand) {
	age := r.At.Sub(epoch).Hours()/24 + 26
	lost := 0.0007 * age * float64(b.heads) * (1 + float64(b.seed%100)/400)
	heads := int64(float64(b.heads) - lost)
	// Cobb 700, both sexes: the means of the curves in catalogue species.yaml.
	kg := 7.66 * math.Exp(-5.2*math.Exp(-0.041*age))
	r.Heads, r.Weight = &heads, rounded(kg*(1+0.01*rng.NormFloat64()), 1000)
	r.Temp = rounded(24+0.15*(air(r.At)-16)+0.3*rng.NormFloat64(), 100)
	r.Ambient = rounded(air(r.At)+0.2*rng.NormFloat64(), 100)
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

// place is where the tag is, in m from the middle of its ranch.
func (b *beast) place(at time.Time) orb.Point {
	if b.body != nil {
		return b.body.place(at)
	}
	if b.bucket {
		return b.ranch.bin(b.pen)
	}
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

// bin is where the bucket of tags of a pen stands.
func (r *Ranch) bin(pen int) orb.Point {
	return r.fence.Plane().Metres(r.Herd.Pens[pen].Area.Bound().Center())
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
	return rand.New(rand.NewPCG(b.seed, uint64(bout))).Float64() < awakeShare(at)
}

// awakeShare is the part of a time of day in which animals graze, most at noon.
func awakeShare(at time.Time) float64 {
	return 0.45 - 0.3*math.Cos(2*math.Pi*(float64(at.Unix())/3600+8)/24)
}

// air is the temperature of a mild day, °C.
func air(at time.Time) float64 {
	return 16 - 7*math.Cos(2*math.Pi*(float64(at.Unix())/3600+8-2)/24)
}

func rounded(v, scale float64) *float64 {
	v = math.Round(v*scale) / scale
	return &v
}
