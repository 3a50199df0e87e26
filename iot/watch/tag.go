package watch

import (
	"math"
	"time"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/species"
	"github.com/furrowcredit/furrow/iot/watch/double"
	"github.com/furrowcredit/furrow/iot/watch/fence"
	"github.com/furrowcredit/furrow/iot/watch/vital"
)

// rhythmSize is how many intervals make a tag's rhythm.
const rhythmSize = 15

// member is an animal of a herd; what is known of its tag comes with the first reading.
type member struct {
	iot.Animal
	herd  *herd
	w     *species.Watch
	since int64 // Unix ms: readings of its tag before are another animal's; 0 none are
	track *track
}

// track is what the watch knows of the tag that one animal wears: some hundred bytes,
// whatever comes. Times are Unix milliseconds, numbers that are not known NaN.
type track struct {
	*member
	margins fence.Margins

	at, received            int64 // of the newest reading by device time; received of any
	intervals               [rhythmSize]float32
	beats                   uint8
	via                     [2]passage // the gateways that heard it last
	temp, activity, battery float32

	gate     fence.Gate
	presence fence.Presence
	spot     fence.Spot
	fixes    bool    // any was believed
	scatter  float32 // m, of fixes at rest, from the fixes themselves
	pen      uint16  // where it is: 1 the first pen; 0 none
	penNext  uint16
	penTimes uint8
	pace     float32 // m/s, of the last time it was carried
	carried  int64   // when

	stillSince int64 // the last sign of life by acceleration, or the first reading
	quietCount uint16
	bursts     uint8   // in a row
	tempAt     int64   // of the last temperature
	cold       uint8   // readings in a row at the air's temperature
	own        float32 // usual tag temperature on the living animal, °C
	activeAt   int64   // of the last reading that had an activity
	blurred    bool    // the air is as warm as the animal
	still      bool
	dead       bool // a person says so

	coldSince int64      // when it took the air's temperature
	coldMoves uint16     // bursts and ways since
	coldAt    [2]float32 // m, where it was

	off    bool  // the tag says it is not attached
	on     uint8 // readings in a row that say it is
	silent bool  // set by listen
	outage bool  // silent together with its gateway
	lost   bool  // silent, and nobody knows yet which of both
	left   int64 // when its gateway said that it hears it no longer; 0 it did not. Not kept over a restart

	body   vital.Body
	anchor [2]float32 // m, where it last came to after a way
	pairs  []pairing
	places *double.Places

	heldSince int64 // received, of the first of old readings that are not judged yet; 0 none
	unknown   uint16
	matters   []matter
}

// passage is one way to the house.
type passage struct {
	gateway uint16 // index of the herd's gateways
	at      int64
}

// pairing is another tag that may be on the same body.
type pairing struct {
	other *track
	pair  double.Pair
}

var nan32 = float32(math.NaN())

// newTrack returns a track nothing is known of.
func newTrack(m *member) *track {
	t := &track{member: m, temp: nan32, activity: nan32, battery: nan32, own: nan32, pace: nan32, body: vital.New()}
	t.margins = fence.NewMargins(*m.w, m.herd.ground)
	return t
}

func unix(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// house tells whether the tag stands for a whole house of poultry: it has no place of
// its own and no body.
func (m *member) house() bool { return m.Heads > 0 }

// stale is how old a reading may be on arrival before it counts as history.
const stale = time.Hour

// take takes one reading and tells whether it brought a believed position.
func (t *track) take(r *iot.Reading) (moved bool) {
	received := r.Received.UnixMilli()
	t.received = max(t.received, received)
	at := r.At.UnixMilli()
	if t.at != 0 && at <= t.at {
		return false // late: what it tells is over
	}
	since := 0.0
	if t.wasHeard() {
		since = float64(at-t.at) / 1000
		t.intervals[t.beats%rhythmSize] = float32(since)
		if t.beats++; t.beats == 2*rhythmSize {
			t.beats = rhythmSize // full, and in step with the ring
		}
	} else {
		t.stillSince = at
	}
	t.at = at
	t.hear(r.Gateway)
	t.silent, t.outage, t.lost = false, false, false
	if received > t.left {
		t.left = 0
	}
	if r.Battery != nil {
		t.battery = float32(*r.Battery)
	}
	if r.Temp != nil {
		t.temp = float32(*r.Temp)
	}
	if !t.house() {
		moved = t.move(r)
		t.attach(r)
		t.live(r)
		t.carry(r)
		t.breathe(r, since)
	}
	t.herd.dirty = true
	t.judge(received-at > stale.Milliseconds())
	return moved
}

// heldMost is how long old readings may pour in before what they tell is told anyway.
const heldMost = 10 * time.Minute

// judge says what is the case after a reading. History that comes late, after an
// outage, is judged when it has come to its end: what was over meanwhile is no alarm.
func (t *track) judge(history bool) {
	h := t.herd
	if history {
		if t.heldSince == 0 {
			t.heldSince = t.received
		}
		if t.received-t.heldSince < heldMost.Milliseconds() {
			h.wake(t.received + backlogGuard.Milliseconds())
			return
		}
	}
	t.heldSince = 0
	t.settle()
	h.wake(t.received + t.w.Quiet().Milliseconds())
}

// settle says what is the case.
func (t *track) settle() {
	if len(t.matters) == 0 && t.unknown == 0 && !t.off && !t.still && t.presence.Place() != fence.Outside &&
		t.coldSince == 0 && t.places == nil && len(t.pairs) == 0 && !t.body.Fever() && !t.body.Oestrus() && !t.body.Idle() {
		return
	}
	t.set(exitMatter, t.presence.Place() == fence.Outside)
	foreign := t.foreign()
	worn := !t.off && !foreign // a tag that is off, or on something else, tells nothing of its animal
	t.set(stillMatter, t.still && !t.off)
	t.set(offMatter, t.off)
	t.set(silenceMatter, t.silent && !t.outage)
	t.set(carrierMatter, foreign)
	t.set(feverMatter, worn && t.body.Fever())
	t.set(oestrusMatter, worn && t.body.Oestrus())
	t.set(idleMatter, worn && t.body.Idle())
	t.set(pairMatter, t.twin() != nil)
	t.set(placesMatter, t.places != nil && t.places.Open)
}

// fixOf is where a reading says the tag is.
func (t *track) fixOf(r *iot.Reading) (f fence.Fix, ok bool) {
	if r.Lon == nil || r.Lat == nil {
		return fence.Fix{}, false
	}
	p := orb.Point{*r.Lon, *r.Lat}
	if fence.IsZero(p) {
		return fence.Fix{}, false
	}
	f = fence.Fix{At: r.At, P: t.herd.ground.Plane().Metres(p)}
	if r.Accuracy != nil {
		f.Accuracy = *r.Accuracy
	}
	return f, true
}

func (t *track) move(r *iot.Reading) bool {
	f, ok := t.fixOf(r)
	if !ok {
		return false
	}
	before := t.gate.Last
	why := t.gate.Step(f, t.w)
	t.copied(f, before, why)
	if !why.Believed() {
		return false
	}
	if why == fence.Carried {
		if s := f.At.Sub(before.At).Seconds(); s > 0 {
			t.pace, t.carried = float32(math.Hypot(f.P[0]-before.P[0], f.P[1]-before.P[1])/s), r.At.UnixMilli()
		}
	}
	t.fixes = true
	t.spot.Add(f.P, why == fence.Carried)
	g := t.herd.ground
	for _, b := range t.gate.Behind() {
		t.presence.Step(g.Distance(b.P), b.Accuracy, t.margins)
	}
	t.presence.Step(g.Distance(f.P), f.Accuracy, t.margins)
	t.enter(f.P)
	t.spread(before, f)
	t.meet(before, f)
	return true
}

// enter follows the animal from pen to pen: it is in another one after as many fixes
// in a row as make an exit, or at once when it is deep inside.
func (t *track) enter(p orb.Point) {
	if t.herd.pens == nil {
		return
	}
	next := uint16(0)
	i, depth, ok := t.herd.pens.Of(p)
	if ok {
		next = uint16(i + 1)
	}
	switch {
	case next == t.pen:
		t.penTimes = 0
		return
	case next != t.penNext:
		t.penNext, t.penTimes = next, 0
	}
	if t.penTimes++; int(t.penTimes) >= t.w.Confirmations || depth > t.margins.Out {
		t.pen, t.penTimes = next, 0
	}
}

// spread learns how far fixes of the resting animal lie apart: the lower quartile of
// the steps, because most cattle rest for more than half of the day. Of a normal
// scatter the median step is 1.67 sigma.
func (t *track) spread(a, b fence.Fix) {
	if a.At.IsZero() || b.At.Sub(a.At) > 10*time.Minute {
		return
	}
	step := float32(math.Hypot(b.P[0]-a.P[0], b.P[1]-a.P[1]))
	pace := 0.05 * max(t.scatter, 0.1)
	if step < t.scatter {
		t.scatter -= pace * 0.75
	} else {
		t.scatter += pace * 0.25
	}
}

// sigma is the error of a fix in m: what the tag says, or what its fixes say.
func (t *track) sigma(f fence.Fix) float64 {
	if f.Accuracy > 0 {
		return f.Accuracy
	}
	return max(0.5, float64(t.scatter)/1.67)
}

// copied looks for a second place of the same code.
func (t *track) copied(f, before fence.Fix, why fence.Reason) {
	switch {
	case t.places != nil:
		if why != fence.Inaccurate && !t.places.Step(f, t.w) {
			t.places = nil
		}
	case why == fence.Speed && !before.At.IsZero():
		t.places = double.NewPlaces(before, f)
	}
}

// attachedAgain is how many readings must say that a tag is on the animal again.
const attachedAgain = 3

func (t *track) attach(r *iot.Reading) {
	switch {
	case r.Attached == nil:
	case !*r.Attached:
		t.off, t.on = true, 0 // at once: whoever cuts a tag may smash it next
	default:
		if t.on = min(t.on+1, 254); t.on >= attachedAgain {
			t.off = false
		}
	}
}

// Stillness needs this many readings without a burst and at the air's temperature.
const (
	stillReadings = 6
	coldReadings  = 3
	cooled        = 6.0 // °C below the tag's own usual temperature, where the air's is not known
)

// live looks for signs of life. Resting and a dead animal look the same for an hour;
// only both together, no burst for hours and the temperature of the air, speak for
// death or a lost tag.
func (t *track) live(r *iot.Reading) {
	if r.Temp != nil {
		t.tempAt = t.at
		var cold bool
		if r.Ambient != nil {
			// In air that is as warm as the living ear, or while nobody knows how warm
			// that is, the temperature tells nothing.
			t.blurred = !(float64(t.own)-*r.Ambient >= t.w.AmbientWithin)
			cold = !t.blurred && math.Abs(*r.Temp-*r.Ambient) <= t.w.AmbientWithin
		} else {
			t.blurred = false
			cold = float64(t.own)-*r.Temp >= cooled // false while own is NaN
		}
		if t.cold = min(t.cold+1, 254); !cold {
			t.cold = 0
		}
	}
	if r.Activity == nil {
		return
	}
	t.activity = float32(*r.Activity)
	gap := t.at - t.activeAt
	t.activeAt = t.at
	still := t.w.Still().Milliseconds()
	if *r.Activity > t.w.Burst {
		t.bursts = min(t.bursts+1, 254)
		// One burst may be a bird on a carcass: to be alive again takes two. Where a
		// person has seen it dead, none are enough.
		if !t.still || t.bursts >= 2 && !t.dead {
			t.still, t.stillSince, t.quietCount = false, t.at, 0
		}
		if r.Temp != nil && !t.still && t.cold == 0 {
			if math.IsNaN(float64(t.own)) {
				t.own = float32(*r.Temp)
			}
			t.own += 0.05 * (float32(*r.Temp) - t.own)
		}
		return
	}
	t.bursts = 0
	t.quietCount = min(t.quietCount+1, math.MaxUint16-1)
	if gap > still/2 && !t.still {
		t.stillSince, t.quietCount = t.at, 1 // nobody knows what it did meanwhile
	}
	quiet := t.at - t.stillSince
	if quiet >= still && t.quietCount >= stillReadings &&
		(t.cold >= coldReadings || (t.blurred || t.tempAt <= t.stillSince) && quiet >= 2*still) {
		t.still = true
	}
}

// A tag on something else shows that it moves this often while it is cold.
const (
	foreignMoves = 6
	foreignWay   = 50.0 // m: a way, beyond what errors of receivers are
)

// carry looks for a tag that moves at the temperature of the air. Where living ears are
// as warm as the air, nothing can be told.
func (t *track) carry(r *iot.Reading) {
	if r.Temp == nil {
		return
	}
	own := t.body.Usual(r.At, t.herd.lon)
	if math.IsNaN(own) {
		own = float64(t.own)
	}
	if t.cold == 0 || !(own-*r.Temp >= t.w.AmbientWithin) {
		t.coldSince, t.coldMoves = 0, 0
		return
	}
	here := t.gate.Last.P
	if t.coldSince == 0 {
		t.coldSince, t.coldMoves, t.coldAt = t.at, 0, [2]float32{float32(here[0]), float32(here[1])}
	}
	way := math.Hypot(here[0]-float64(t.coldAt[0]), here[1]-float64(t.coldAt[1]))
	far := way > foreignWay+3*t.sigma(t.gate.Last)
	if far {
		t.coldAt = [2]float32{float32(here[0]), float32(here[1])}
	}
	if far || r.Activity != nil && *r.Activity > t.w.Burst {
		t.coldMoves = min(t.coldMoves+1, math.MaxUint16-1)
	}
}

// foreign tells whether the tag is on something that is not its animal.
func (t *track) foreign() bool {
	return t.coldSince != 0 && t.cold >= coldReadings && t.coldMoves >= foreignMoves &&
		float64(t.at-t.coldSince) >= t.w.CarrierHours*3.6e6
}

// breathe hands the reading to the animal's baselines. A tag that is off, or as cold as
// the air, tells nothing of the body.
func (t *track) breathe(r *iot.Reading, since float64) {
	if t.off || t.still || t.coldSince != 0 && t.cold >= coldReadings {
		return
	}
	s := vital.Sample{At: r.At, Temp: math.NaN(), Activity: math.NaN(), Busy: math.NaN(), Since: since}
	behaviour := vital.ByActivity
	if r.Temp != nil {
		s.Temp = *r.Temp
	}
	if r.Activity != nil {
		s.Activity = *r.Activity
	}
	switch {
	case r.Ruminating != nil:
		s.Busy, behaviour = *r.Ruminating, vital.ByRumination
	case r.Grazing != nil:
		s.Busy, behaviour = *r.Grazing, vital.ByGrazing
	case math.IsNaN(s.Temp) && math.IsNaN(s.Activity):
		return
	}
	t.body.Take(s, behaviour, &t.herd.vital, len(t.herd.heard), t.herd.lon, t.fertile(r.At), t.w)
}

// fertile tells whether the animal may come on heat.
func (t *track) fertile(at time.Time) bool {
	return t.Sex == "f" && t.w.BreedingMonths > 0 && t.Bred.IsZero() && !t.Born.IsZero() &&
		at.Sub(t.Born).Hours() >= t.w.BreedingMonths*30.4*24
}

// wasHeard tells whether the tag was ever heard; a track may also be all that a person
// said of its animal.
func (t *track) wasHeard() bool { return t.via[0].at != 0 }

// hear remembers the way that the reading came.
func (t *track) hear(id string) {
	h := t.herd
	i := h.gatewayOf(id)
	g := &h.gateways[i]
	if g.newest = max(g.newest, t.at); t.received > g.died {
		g.died = 0
	}
	if t.via[0].at != 0 && t.via[0].gateway != i {
		t.via[1] = t.via[0]
	}
	t.via[0] = passage{i, t.at}
}

// median is the tag's usual interval; 0 while it is not known.
func (t *track) median() time.Duration {
	n := min(int(t.beats), rhythmSize)
	if n == 0 {
		return 0
	}
	var s [rhythmSize]float32
	for i, x := range t.intervals[:n] {
		j := i
		for ; j > 0 && s[j-1] > x; j-- {
			s[j] = s[j-1]
		}
		s[j] = x
	}
	return time.Duration(float64(s[n/2]) * float64(time.Second))
}

// limit is how long the tag may be silent, against its own rhythm.
func (t *track) limit() time.Duration {
	return max(time.Duration(t.w.SilenceFactor*float64(t.median())), t.w.Quiet())
}
