// Package vital keeps each animal's own baselines of temperature, activity and
// behaviour by the time of day, and judges its hours against them and against what
// the whole herd does at the same time. An ear is about 29 °C warm and follows the
// weather, so nothing here has an absolute limit.
//
// Everything is streaming: some 350 bytes an animal, one step an hour of device time.
package vital

import (
	"math"
	"time"

	"github.com/furrowcredit/furrow/iot/species"
	"github.com/furrowcredit/furrow/iot/watch/snap"
)

const (
	bins      = 8   // of three hours of the sun's day, each with its own baseline
	learned   = 9   // hours of a bin that make a baseline: three days
	memory    = 21  // hours of a bin that a baseline remembers: a week
	frozen    = 120 // the same while the animal is not itself, so that a new tag's scale is learned some day
	weekHours = 168
	fewHours  = 120  // of behaviour before a week's mean is one
	dayHours  = 18   // heard of 24, before they make a day
	some      = 5    // animals that make a herd's deviation
	clip      = 2.0  // °C or log units: one animal's hour counts no more in a mean
	quiet     = 0.05 // m/s², of a tag at rest: keeps the logarithm of no activity finite
	sure      = 4.0  // mean absolute deviations of an hour; 3.2 sigma of a normal scatter
)

// Sample is what one reading says of the animal's body. Absent values are NaN.
type Sample struct {
	At       time.Time
	Temp     float64 // °C
	Activity float64 // m/s², 5 s standard deviation of the acceleration norm
	Busy     float64 // s of rumination, or grazing, since the reading before
	Since    float64 // s since the reading before; 0 unknown
}

// Herd is how a herd deviates from its animals' baselines, hour by hour: the weather, a
// move, a day in the stable. What a gateway kept while it was away is judged against the
// hour that it is of.
type Herd struct {
	hours [kept]hour
}

const (
	kept   = 48 // hours
	lately = 4  // hours of which a mean is made, each counting e times less than the next
)

type hour struct {
	at                   int32 // since 1970
	temp, activity, busy mean  // of °C, log units and log units
}

type mean struct{ sum, weight float32 }

// of is an hour, a new one in the place of the one two days before; nil for one that is gone.
func (h *Herd) of(at int32) *hour {
	x := &h.hours[at%kept]
	if at > x.at {
		*x = hour{at: at}
	}
	if at < x.at {
		return nil
	}
	return x
}

// The means of an hour.
func temp(x *hour) *mean     { return &x.temp }
func activity(x *hour) *mean { return &x.activity }
func busy(x *hour) *mean     { return &x.busy }

// value is the mean of the last hours and how many values it rests on.
func (h *Herd) value(what func(*hour) *mean, at int32) (v, weight float64) {
	var all mean
	k := float32(1)
	for i := range min(lately, at+1) {
		if x := &h.hours[(at-i)%kept]; x.at == at-i {
			m := what(x)
			all.sum += k * m.sum
			all.weight += k * m.weight
		}
		k /= math.E
	}
	if all.weight < 1e-3 {
		return 0, 0
	}
	return float64(all.sum / all.weight), float64(all.weight)
}

// add counts a value, but no farther from the mean than one animal may pull it: the
// weather may take all of them anywhere.
func (h *Herd) add(what func(*hour) *mean, v float64, at int32) {
	x := h.of(at)
	if x == nil {
		return
	}
	if now, weight := h.value(what, at); weight >= some {
		v = max(now-clip, min(now+clip, v))
	}
	m := what(x)
	m.sum += float32(v)
	m.weight++
}

// beside is how an animal of n deviates from the others in an hour. others is false where
// there are too few of them to tell the weather.
func (h *Herd) beside(what func(*hour) *mean, own float64, n int, at int32) (deviation float64, others bool) {
	all, weight := h.value(what, at)
	if n < some || weight == 0 {
		return own, false
	}
	return (own - all) * float64(n) / float64(n-1), true
}

// Code writes or reads the herd.
func (h *Herd) Code(c *snap.Coder) {
	for i := range h.hours {
		x := &h.hours[i]
		snap.Small(c, &x.at)
		x.at = max(x.at, 0)
		for _, m := range [...]*mean{&x.temp, &x.activity, &x.busy} {
			c.Float(&m.sum)
			c.Float(&m.weight)
		}
	}
}

// Body is one animal's baselines and how it is.
type Body struct {
	temp, active       [bins]float32 // °C, and log activity
	tempN, activeN     [bins]uint8   // hours they rest on, up to 255
	noise, activeNoise float32       // mean absolute size of fervour and drive

	hour                int32 // the one that is going on, since 1970; 0 none yet
	tempSum, activeSum  float32
	busySum, busyOf     float32 // s
	tempHeard, actHeard uint16

	hot, heat      uint8   // hours of what looks like fever, and in a row of oestrus
	fervour        float32 // mean of the deviations of some hours, °C
	warmth, drive  float32
	fever, oestrus bool

	day       [24]float32 // busy share of an hour; -1 not heard
	week      float32
	weekN     uint16
	ratio     float32
	idle      bool
	behaviour uint8 // what busy is made of
}

// New returns a body nothing is known of.
func New() Body {
	b := Body{ratio: 1}
	for i := range b.day {
		b.day[i] = -1
	}
	return b
}

// Code writes or reads the body.
func (b *Body) Code(c *snap.Coder) {
	for i := range bins {
		c.Float(&b.temp[i])
		c.Float(&b.active[i])
		snap.Small(c, &b.tempN[i])
		snap.Small(c, &b.activeN[i])
	}
	for _, v := range []*float32{&b.noise, &b.activeNoise, &b.tempSum, &b.activeSum, &b.busySum, &b.busyOf, &b.warmth, &b.drive, &b.fervour,
		&b.week, &b.ratio} {
		c.Float(v)
	}
	for i := range b.day {
		c.Float(&b.day[i])
	}
	snap.Small(c, &b.hour)
	b.hour = max(b.hour, 0)
	for _, v := range []*uint16{&b.tempHeard, &b.actHeard, &b.weekN} {
		snap.Small(c, v)
	}
	for _, v := range []*uint8{&b.hot, &b.heat, &b.behaviour} {
		snap.Small(c, v)
	}
	for _, v := range []*bool{&b.fever, &b.oestrus, &b.idle} {
		c.Bool(v)
	}
}

// Fever tells whether the animal has been too warm for hours.
func (b *Body) Fever() bool { return b.fever }

// Oestrus tells whether activity and temperature together look like oestrus.
func (b *Body) Oestrus() bool { return b.oestrus }

// Idle tells whether the last day fell far short of the week.
func (b *Body) Idle() bool { return b.idle }

// Judged tells whether the animal has a baseline of its own.
func (b *Body) Judged() bool {
	if b.weekN >= fewHours {
		return true
	}
	n := 0
	for _, k := range b.tempN {
		if k >= learned {
			n++
		}
	}
	return n > bins/2
}

// Usual is the animal's usual temperature at a time of day; NaN while it is not known.
func (b *Body) Usual(at time.Time, lon float64) float64 {
	if i := bin(at.Unix()/3600, lon); b.tempN[i] >= learned {
		return float64(b.temp[i])
	}
	return math.NaN()
}

// Numbers are what the judgement rests on.
type Numbers struct {
	Rise   float64 // °C above the own baseline and the herd, mean of some hours
	Hours  int     // for which that was too much
	Active float64 // share above the own baseline and the herd
	Ratio  float64 // of the last day to the week
}

// Numbers returns what the present judgement rests on.
func (b *Body) Numbers() Numbers {
	return Numbers{float64(b.fervour), int(b.hot), math.Expm1(float64(b.drive)), float64(b.ratio)}
}

// bin is the part of the sun's day at a longitude.
func bin(hour int64, lon float64) int {
	h := (hour + int64(math.Round(lon/15))) % 24
	if h < 0 {
		h += 24
	}
	return int(h) * bins / 24
}

// What busy is made of.
const (
	ByActivity uint8 = iota
	ByRumination
	ByGrazing
)

// Take takes a sample; they must come in the order of time. n is how many animals
// share the herd, fertile whether oestrus is looked for. It tells whether an hour
// was judged.
func (b *Body) Take(s Sample, behaviour uint8, h *Herd, n int, lon float64, fertile bool, w *species.Watch) (judged bool) {
	at := s.At.Unix()
	hour := int32(at / 3600)
	if hour <= 0 {
		return false // no time at all
	}
	if b.hour != 0 && hour > b.hour {
		b.judge(h, n, lon, fertile, w)
		for k := b.hour + 1; k < hour && k <= b.hour+24; k++ {
			b.day[k%24] = -1
		}
		if hour-b.hour > 3 {
			b.hot, b.heat, b.fervour = 0, 0, 0 // nobody knows how it was meanwhile
		}
		judged = true
	}
	b.hour = hour
	i := bin(int64(hour), lon)
	if !math.IsNaN(s.Temp) && b.tempHeard < math.MaxUint16 {
		b.tempHeard++
		b.tempSum += float32(s.Temp)
		if b.tempN[i] >= learned {
			h.add(temp, s.Temp-float64(b.temp[i]), hour)
		}
	}
	if !math.IsNaN(s.Activity) && b.actHeard < math.MaxUint16 {
		b.actHeard++
		b.activeSum += float32(s.Activity)
	}
	if behaviour > b.behaviour {
		b.behaviour, b.week, b.weekN, b.busySum, b.busyOf = behaviour, 0, 0, 0, 0 // the better measure, from the start
	}
	if behaviour == b.behaviour && behaviour != ByActivity && s.Since > 0 && s.Since <= 7200 && !math.IsNaN(s.Busy) {
		b.busySum += float32(min(s.Busy, s.Since))
		b.busyOf += float32(s.Since)
	}
	return judged
}

// judge ends the hour.
func (b *Body) judge(h *Herd, n int, lon float64, fertile bool, w *species.Watch) {
	i := bin(int64(b.hour), lon)
	warm, warmKnown := b.warm(i, h, n, w)
	drive, driveKnown := b.driven(i, h, n)
	b.day[b.hour%24] = -1
	switch {
	case b.behaviour != ByActivity && b.busyOf > 0:
		b.day[b.hour%24] = b.busySum / b.busyOf
	case b.behaviour == ByActivity && b.actHeard > 0:
		b.day[b.hour%24] = b.activeSum / float32(b.actHeard)
	}
	b.tempSum, b.tempHeard, b.activeSum, b.actHeard, b.busySum, b.busyOf = 0, 0, 0, 0, 0, 0
	b.rest(h, n, w)

	if !warmKnown || !driveKnown {
		b.warmth, b.drive, b.heat = b.warmth*0.75, b.drive*0.75, 0
		return
	}
	b.warmth += float32(warm-float64(b.warmth)) / 4
	b.drive += float32(drive-float64(b.drive)) / 4
	need := max(math.Log1p(w.OestrusActivity), 2*float64(b.activeNoise))
	switch on := float64(b.drive) >= need && float64(b.warmth) >= w.OestrusRise; {
	case !fertile:
		b.heat, b.oestrus = 0, false
	case on:
		if b.heat < 255 {
			b.heat++
		}
		b.oestrus = b.oestrus || b.heat >= 3 && !b.fever
	default:
		b.heat = 0
		if float64(b.drive) < need/2 || float64(b.warmth) < w.OestrusRise/2 {
			b.oestrus = false
		}
	}
}

// warm judges the hour's temperature and learns from it.
func (b *Body) warm(i int, h *Herd, n int, w *species.Watch) (deviation float64, known bool) {
	if b.tempHeard == 0 {
		return 0, false
	}
	m := float64(b.tempSum) / float64(b.tempHeard)
	if b.tempN[i] < learned {
		learn(&b.temp[i], &b.tempN[i], m, memory)
		return 0, false
	}
	own := m - float64(b.temp[i])
	deviation, others := h.beside(temp, own, n, b.hour)
	b.fervour += float32((deviation - float64(b.fervour)) / w.FeverHours)
	limit := max(w.FeverRise, sure*float64(b.noise))
	if !others {
		limit *= 1.5 // no herd to tell the weather from a fever
	}
	switch mean := float64(b.fervour); {
	case mean >= limit:
		b.hot = min(b.hot+1, 254)
		b.fever = b.fever || !b.oestrus && math.Expm1(float64(b.drive)) < w.OestrusActivity
	case mean < limit/2:
		b.hot, b.fever = 0, false
	}
	pace := memory
	if b.hot > 0 || b.fever {
		pace = frozen
	} else {
		b.noise += float32(math.Abs(float64(b.fervour))-float64(b.noise)) / 96
	}
	learn(&b.temp[i], &b.tempN[i], float64(b.temp[i])+max(-clip, min(clip, own)), pace)
	return deviation, true
}

// driven judges the hour's activity, in log units, and learns from it.
func (b *Body) driven(i int, h *Herd, n int) (deviation float64, known bool) {
	if b.actHeard == 0 {
		return 0, false
	}
	m := math.Log(float64(b.activeSum)/float64(b.actHeard) + quiet)
	known = b.activeN[i] >= learned
	if known {
		own := m - float64(b.active[i])
		h.add(activity, own, b.hour)
		deviation, _ = h.beside(activity, own, n, b.hour)
		b.activeNoise += float32(math.Abs(float64(b.drive))-float64(b.activeNoise)) / 96
		m = float64(b.active[i]) + max(-clip, min(clip, own))
	}
	learn(&b.active[i], &b.activeN[i], m, memory)
	return deviation, known
}

func learn(base *float32, n *uint8, v float64, pace int) {
	if *n < 255 {
		*n++
	}
	*base += float32((v - float64(*base)) / float64(min(int(*n), pace)))
}

// rest compares the last 24 hours with the week.
func (b *Body) rest(h *Herd, n int, w *species.Watch) {
	sum, heard := float32(0), 0
	for _, v := range b.day {
		if v >= 0 {
			sum += v
			heard++
		}
	}
	if heard < dayHours {
		return
	}
	day := sum / float32(heard)
	if b.weekN >= fewHours && b.week > 0 {
		b.ratio = day / b.week
		h.add(busy, math.Log(max(float64(b.ratio), 0.1)), b.hour)
		relative, _ := h.beside(busy, math.Log(max(float64(b.ratio), 0.01)), n, b.hour)
		switch {
		case float64(b.ratio) < 1-w.IdleDrop && math.Exp(relative) < 1-w.IdleDrop/2:
			b.idle = true
		case float64(b.ratio) > 1-w.IdleDrop/2:
			b.idle = false
		}
	}
	if b.weekN < math.MaxUint16 {
		b.weekN++
	}
	pace := float32(min(b.weekN, weekHours))
	if b.idle {
		pace = 4 * weekHours
	}
	b.week += (day - b.week) / pace
}
