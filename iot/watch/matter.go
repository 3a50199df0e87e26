package watch

import (
	"context"
	"slices"
	"time"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/watch/snap"
)

// kinds are the matters of a tag; their place in the list is how they are kept.
var kinds = [...]iot.EventKind{iot.FenceExit, iot.Stillness, iot.TagOff, iot.Silence, iot.Carrier, iot.Fever,
	iot.Oestrus, iot.Idleness, iot.TwoTags, iot.TwoPlaces}

type kind uint8

const (
	exitMatter kind = iota
	stillMatter
	offMatter
	silenceMatter
	carrierMatter
	feverMatter
	oestrusMatter
	idleMatter
	pairMatter
	placesMatter

	// unsure is what is told to be over after a start without memory: what takes an
	// animal out of the count.
	unsure = 1<<exitMatter | 1<<stillMatter | 1<<offMatter | 1<<silenceMatter
)

// matter is one thing that is the case; there is none of what is not.
type matter struct {
	kind   kind
	since  int64 // device time of the opening, Unix ms
	toldAt int64 // of what was told last
}

// renewal is how often an open exit is told again, with where the animal is now.
// Other matters do not change while they last: told again, they would only reopen
// what a person has looked at and closed.
const renewal = 10 * time.Minute

func (t *track) matter(k kind) *matter {
	for i := range t.matters {
		if t.matters[i].kind == k {
			return &t.matters[i]
		}
	}
	return nil
}

// set says whether a matter is the case at the tag's time, and tells what changed.
func (t *track) set(k kind, open bool) {
	m := t.matter(k)
	switch {
	case !open && m == nil:
		if t.unknown&(1<<k) == 0 || t.herd.building {
			return
		}
		t.tell(k, false) // after a start without memory: what was told before is over
	case !open:
		t.tell(k, false)
		t.matters = slices.DeleteFunc(t.matters, func(m matter) bool { return m.kind == k })
	case m == nil:
		t.matters = append(t.matters, matter{k, t.at, t.at})
		t.tell(k, true)
	case k == exitMatter && t.at-m.toldAt >= renewal.Milliseconds():
		m.toldAt = t.at
		t.tell(k, true)
	default:
		return
	}
	t.unknown &^= 1 << k
	t.herd.dirty, t.herd.urgent = true, true
}

// tell puts an event into the outbox.
func (t *track) tell(k kind, open bool) {
	e := t.event(kinds[k])
	e.Cleared = !open
	t.herd.outbox.add(e)
}

// outbox holds the events of a herd until they are told. They leave in the order they
// came in, for each subject and kind.
type outbox struct {
	events []iot.Event
}

func (o *outbox) add(e iot.Event) { o.events = append(o.events, e) }

// last keeps of each subject and kind only what is the case now.
func (o *outbox) last() {
	type what struct {
		kind    iot.EventKind
		subject string
	}
	newest := make(map[what]int, len(o.events))
	for i, e := range o.events {
		newest[what{e.Kind, e.Subject}] = i
	}
	kept := o.events[:0]
	for i, e := range o.events {
		if newest[what{e.Kind, e.Subject}] == i {
			kept = append(kept, e)
		}
	}
	o.events = kept
}

func (o *outbox) code(c *snap.Coder) {
	n := c.Count(len(o.events))
	if c.Reading() {
		o.events = make([]iot.Event, n)
	}
	for i := range o.events {
		e := &o.events[i]
		c.Text((*string)(&e.Kind))
		c.Text(&e.Subject)
		c.Text(&e.Label)
		c.Text(&e.Severity)
		c.Time(&e.At)
		c.Bool(&e.Cleared)
		codeMap(c, &e.Evidence)
	}
}

func codeMap(c *snap.Coder, m *map[string]string) {
	n := c.Count(len(*m))
	if !c.Reading() {
		for _, k := range sortedKeys(*m) {
			v := (*m)[k]
			c.Text(&k)
			c.Text(&v)
		}
		return
	}
	*m = make(map[string]string, n)
	for range n {
		var k, v string
		c.Text(&k)
		c.Text(&v)
		(*m)[k] = v
	}
}

// deliver tells the events of a herd that wait. One that is refused stays, and so
// does all that follows of its subject and kind.
func (e *Engine) deliver(ctx context.Context, h *herd) {
	h.telling.Lock()
	defer h.telling.Unlock()
	h.mu.Lock()
	events := slices.Clone(h.outbox.events)
	h.mu.Unlock()
	if len(events) == 0 {
		return
	}
	type what struct {
		kind    iot.EventKind
		subject string
	}
	refused, told := make(map[what]bool), false
	left := make([]iot.Event, 0, len(events))
	for _, v := range events {
		w := what{v.Kind, v.Subject}
		if refused[w] || ctx.Err() != nil {
			left = append(left, v)
			continue
		}
		if e.cfg.Raise != nil {
			if err := e.cfg.Raise(ctx, v); err != nil {
				e.cfg.Log.Error("an event could not be told; it is kept and told again", "kind", v.Kind, "subject", v.Subject, "error", err)
				refused[w] = true
				left = append(left, v)
				continue
			}
		}
		told = true
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.outbox.events) < len(events) {
		return // the herd was taken up anew meanwhile, with these events: they are told again
	}
	h.outbox.events = append(left, h.outbox.events[len(events):]...)
	if len(h.outbox.events) == 0 {
		h.outbox.events = nil
	}
	h.dirty = h.dirty || told
}
