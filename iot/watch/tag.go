package watch

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/species"
	"github.com/furrowcredit/furrow/iot/watch/fence"
)

// The matters of a tag, by index.
const (
	exitMatter = iota
	stillMatter
	offMatter
	silenceMatter
	matters
)

var matterKinds = [matters]iot.EventKind{iot.FenceExit, iot.Stillness, iot.TagOff, iot.Silence}

// matter is one thing that is or is not the case, and what of it was told.
type matter struct {
	open   bool
	event  iot.Event // of the opening, last update or end
	state  telling
	toldAt time.Time // event time of what was told last
	renew  bool      // the event is an update that is due
}

type telling byte

const (
	neverTold telling = iota // after a restart nobody knows what was told
	toldOpen
	toldClosed
)

// renewal is how often an open exit is told again, with where the animal is now.
// Other matters do not change while they last: told again, they would only reopen
// what a person has looked at and closed.
const renewal = 10 * time.Minute

// set says whether the matter is the case at a time; event builds what to tell of
// it, and is called only when there is something to tell.
func (m *matter) set(open bool, at time.Time, event func() iot.Event) {
	switch {
	case open && m.open:
		if m.state == toldOpen && (m.event.Kind != iot.FenceExit || at.Sub(m.toldAt) < renewal) {
			return
		}
	case open == m.open && m.state != neverTold:
		return
	case open == m.open && !at.After(m.event.At):
		return
	}
	m.renew = open && m.open
	m.open, m.event = open, event()
	m.event.Cleared = !open
}

func (m *matter) due() (bool, iot.Event) {
	if m.event.Kind == "" {
		return false, iot.Event{}
	}
	told := m.state == toldOpen && m.open || m.state == toldClosed && !m.open
	if told && !m.renew {
		return false, iot.Event{}
	}
	e := m.event
	e.Evidence = maps.Clone(e.Evidence)
	return true, e
}

func (m *matter) told(e iot.Event) {
	m.state, m.toldAt, m.renew = toldOpen, e.At, false
	if e.Cleared {
		m.state = toldClosed
	}
}

// rhythmSize is how many intervals make a tag's rhythm.
const rhythmSize = 15

// tag is what the watch knows of one animal and the tag it wears.
type tag struct {
	herd    *herd
	animal  iot.Animal
	w       species.Watch
	margins fence.Margins

	heard          bool
	at, received   time.Time // of the newest reading by device time; received of any
	gateway        string
	intervals      [rhythmSize]float32 // s, a ring
	beats          int
	temp, activity *float64
	battery        *float64

	gate     fence.Gate
	presence fence.Presence
	fix      time.Time // device time of the last believed fix
	lon, lat float64

	stillSince time.Time // the last sign of life by acceleration, or the first reading
	quietCount int       // readings without a burst since
	bursts     int       // in a row
	tempAt     time.Time // of the last temperature
	cold       int       // readings in a row at the air's temperature
	own        float64   // usual tag temperature on the living animal, °C; NaN while unknown
	activeAt   time.Time // of the last reading that had an activity
	still      bool

	off     bool // the tag says it is not attached
	on      int  // readings in a row that say it is
	silent  bool // set by listen
	outage  bool // silent together with its gateway
	matters [matters]matter
}

// newTag returns a tag nothing is known of. A fresh one has no open matters; of
// others nobody knows after a restart.
func newTag(w species.Watch, fresh bool) *tag {
	t := &tag{w: w, gate: fence.Gate{}, own: math.NaN()}
	if fresh {
		for i := range t.matters {
			t.matters[i].state = toldClosed
		}
	}
	return t
}

// take takes one reading and tells whether it brought a believed position.
func (t *tag) take(r *iot.Reading) (moved bool) {
	if r.Received.After(t.received) {
		t.received = r.Received
	}
	if t.heard && !r.At.After(t.at) {
		return false // late: what it tells is over
	}
	if t.heard {
		t.intervals[t.beats%rhythmSize] = float32(r.At.Sub(t.at).Seconds())
		t.beats++
	} else {
		t.stillSince = r.At
	}
	t.heard, t.at, t.gateway = true, r.At, r.Gateway
	t.silent, t.outage = false, false
	if r.Battery != nil {
		t.battery = r.Battery
	}
	moved = t.move(r)
	t.attach(r)
	t.live(r)
	t.settle()
	return moved
}

func (t *tag) move(r *iot.Reading) bool {
	p, ok := position(r)
	if !ok {
		return false
	}
	fix := fence.Fix{At: r.At, P: t.herd.ground.Plane().Metres(p)}
	if r.Accuracy != nil {
		fix.Accuracy = *r.Accuracy
	}
	if !t.gate.Step(fix, &t.w).Believed() {
		return false
	}
	t.fix, t.lon, t.lat = r.At, p[0], p[1]
	for _, b := range t.gate.Behind() {
		t.presence.Step(t.herd.ground.Distance(b.P), b.Accuracy, t.margins)
	}
	t.presence.Step(t.herd.ground.Distance(fix.P), fix.Accuracy, t.margins)
	return true
}

// attachedAgain is how many readings must say that a tag is on the animal again.
const attachedAgain = 3

func (t *tag) attach(r *iot.Reading) {
	switch {
	case r.Attached == nil:
	case !*r.Attached:
		t.off, t.on = true, 0 // at once: whoever cuts a tag may smash it next
	default:
		if t.on++; t.on >= attachedAgain {
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
func (t *tag) live(r *iot.Reading) {
	if r.Temp != nil {
		t.temp, t.tempAt = r.Temp, r.At
		cold := false
		if r.Ambient != nil {
			cold = math.Abs(*r.Temp-*r.Ambient) <= t.w.AmbientWithin
		} else if !math.IsNaN(t.own) {
			cold = t.own-*r.Temp >= cooled
		}
		if t.cold++; !cold {
			t.cold = 0
		}
	}
	if r.Activity == nil {
		return
	}
	t.activity = r.Activity
	gap := r.At.Sub(t.activeAt)
	t.activeAt = r.At
	if *r.Activity > t.w.Burst {
		t.bursts++
		// One burst may be a bird on a carcass: to be alive again takes two.
		if !t.still || t.bursts >= 2 {
			t.still, t.stillSince, t.quietCount = false, r.At, 0
		}
		if r.Temp != nil && !t.still {
			if math.IsNaN(t.own) {
				t.own = *r.Temp
			}
			t.own += 0.05 * (*r.Temp - t.own)
		}
		return
	}
	t.bursts = 0
	t.quietCount++
	if gap > t.w.Still()/2 && !t.still {
		t.stillSince, t.quietCount = r.At, 1 // nobody knows what it did meanwhile
	}
	quiet := r.At.Sub(t.stillSince)
	if quiet >= t.w.Still() && t.quietCount >= stillReadings &&
		(t.cold >= coldReadings || !t.tempAt.After(t.stillSince) && quiet >= 2*t.w.Still()) {
		t.still = true
	}
}

// settle says what is the case after a reading.
func (t *tag) settle() {
	t.set(exitMatter, t.presence.Place() == fence.Outside)
	t.set(stillMatter, t.still && !t.off) // a tag that is off tells nothing of its animal
	t.set(offMatter, t.off)
	t.set(silenceMatter, t.silent && !t.outage)
}

func (t *tag) set(i int, open bool) {
	t.matters[i].set(open, t.at, func() iot.Event { return t.event(matterKinds[i]) })
}

func (t *tag) label() string {
	if t.animal.Identity.Code != "" {
		return t.animal.Identity.Code
	}
	return t.animal.TagID
}

// event builds the event of a matter with its evidence in plain text.
func (t *tag) event(kind iot.EventKind) iot.Event {
	severity := "warning"
	if kind == iot.FenceExit || kind == iot.TagOff {
		severity = "critical" // somebody may be taking it away
	}
	e := iot.Event{Tenant: t.herd.Tenant, Kind: kind, HerdID: t.herd.ID, Subject: t.animal.ID, Label: t.label(),
		At: t.at, Severity: severity, Evidence: map[string]string{"tag": t.animal.TagID}}
	number := func(name string, v float64, decimals int) {
		e.Evidence[name] = strconv.FormatFloat(v, 'f', decimals, 64)
	}
	switch kind {
	case iot.FenceExit:
		if last := t.gate.Last; !last.At.IsZero() {
			number("distance_m", t.herd.ground.Distance(last.P), 0)
			number("margin_m", t.margins.Out, 0)
			number("accuracy_m", last.Accuracy, 0)
			number("lon", t.lon, 6)
			number("lat", t.lat, 6)
		}
	case iot.Stillness:
		number("still_hours", t.at.Sub(t.stillSince).Hours(), 1)
		if t.temp != nil {
			number("temp_c", *t.temp, 1)
		}
	case iot.Silence:
		e.Evidence["last_heard"] = t.at.UTC().Format(time.RFC3339)
		number("usual_minutes", t.median().Minutes(), 1)
		number("limit_minutes", t.limit().Minutes(), 0)
	case iot.TagOff:
		e.Evidence["attached"] = strconv.FormatBool(!t.off)
	case iot.GatewaySilent, iot.Impostor: // not of a tag
	}
	return e
}

// median is the tag's usual interval; 0 while it is not known.
func (t *tag) median() time.Duration {
	n := min(t.beats, rhythmSize)
	if n == 0 {
		return 0
	}
	s := t.intervals
	slices.Sort(s[:n])
	return time.Duration(float64(s[n/2]) * float64(time.Second))
}

// limit is how long the tag may be silent, against its own rhythm.
func (t *tag) limit() time.Duration {
	return max(time.Duration(t.w.SilenceFactor*float64(t.median())), t.w.Quiet())
}

// backlogGuard is how long nothing may have come from a tag before its device time
// counts: while an outage's backlog pours in, old times are no silence.
const backlogGuard = 2 * time.Minute

// quiet tells whether the tag has been silent for longer than it ever is.
func (t *tag) quiet(now time.Time) bool {
	return t.heard && now.Sub(t.at) > t.limit() && now.Sub(t.received) > backlogGuard
}
