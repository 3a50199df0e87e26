package watch

import (
	"cmp"
	"context"
	"errors"
	"hash/fnv"
	"slices"
	"time"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/species"
	"github.com/furrowcredit/furrow/iot/watch/double"
	"github.com/furrowcredit/furrow/iot/watch/fence"
	"github.com/furrowcredit/furrow/iot/watch/snap"
	"github.com/furrowcredit/furrow/iot/watch/vital"
)

// Memory keeps what the watch knows of each herd over a restart. Implemented in
// store/herd.
type Memory interface {
	// SaveWatch keeps the state of a herd in place of the one before.
	SaveWatch(ctx context.Context, tenant, herdID string, at time.Time, state []byte) error
	// LoadWatch returns what was saved last, and no state when nothing was.
	LoadWatch(ctx context.Context, tenant, herdID string) (at time.Time, state []byte, err error)
}

// version of the state. Another one is not read: the herd is built from readings.
const version = 2

const (
	saveEvery = 10 * time.Minute // a herd that changed
	saveSoon  = time.Minute      // one that told something; sooner when it is small
	small     = 500              // tags
)

// saves tells whether it is time to save a herd. The caller holds h.mu.
func (e *Engine) saves(h *herd, now int64) bool {
	if e.cfg.Memory == nil || !h.dirty {
		return false
	}
	age := now - h.saved
	switch {
	case h.urgent && len(h.heard) <= small:
		return true
	case h.urgent:
		return age >= saveSoon.Milliseconds()
	case h.saved == 0:
		// Spread, so that not all herds of a house come at once.
		sum := fnv.New32a()
		_, _ = sum.Write([]byte(h.ID)) // never fails
		return now-e.started >= int64(sum.Sum32())%saveEvery.Milliseconds()
	}
	return age >= saveEvery.Milliseconds()
}

// save keeps a herd's state; one that cannot be kept is tried again at the next Tick.
func (e *Engine) save(ctx context.Context, h *herd, now time.Time) {
	if e.cfg.Memory == nil {
		return
	}
	h.mu.Lock()
	if h.replaced {
		h.mu.Unlock()
		return
	}
	state, urgent, saved := h.encode(), h.urgent, h.saved
	h.dirty, h.urgent, h.saved = false, false, now.UnixMilli()
	h.mu.Unlock()
	if err := e.cfg.Memory.SaveWatch(ctx, h.Tenant, h.ID, now, state); err != nil {
		e.cfg.Log.Error("the watch's memory of a herd could not be kept", "herd", h.ID, "error", err)
		h.mu.Lock()
		h.dirty, h.urgent, h.saved = true, h.urgent || urgent, saved
		h.mu.Unlock()
	}
}

// Close saves what changed. Call it after Run has ended.
func (e *Engine) Close(ctx context.Context) error {
	e.mu.RLock()
	herds := make([]*herd, 0, len(e.herds))
	for _, h := range e.herds {
		herds = append(herds, h)
	}
	e.mu.RUnlock()
	for _, h := range herds {
		e.deliver(ctx, h)
		h.mu.Lock()
		dirty := h.dirty
		h.mu.Unlock()
		if dirty {
			e.save(ctx, h, e.cfg.Now())
		}
	}
	return ctx.Err()
}

// encode writes the herd's state. The caller holds h.mu.
func (h *herd) encode() []byte {
	c := snap.Writer(version)
	h.code(c)
	return c.Bytes()
}

// decode reads a state into a herd of the same registration: of animals that wear
// the same tag as then. snap.ErrBad; then the herd is as it was.
func (h *herd) decode(state []byte) error {
	fresh := &herd{Herd: h.Herd, ground: h.ground, pens: h.pens, lon: h.lon, members: slices.Clone(h.members)}
	for i := range fresh.members {
		fresh.members[i].herd = fresh
	}
	c, err := snap.Reader(state, version)
	if err != nil {
		return err
	}
	fresh.code(c)
	if err := c.Close(); err != nil {
		return err
	}
	h.members, h.heard, h.gateways, h.vital, h.outbox, h.next = fresh.members, fresh.heard, fresh.gateways, fresh.vital, fresh.outbox, 1
	h.dirty, h.urgent = fresh.urgent, fresh.urgent
	for i := range h.members {
		h.members[i].herd = h
		if t := h.members[i].track; t != nil {
			t.member = &h.members[i]
		}
	}
	return nil
}

// code writes or reads the herd.
func (h *herd) code(c *snap.Coder) {
	origin := h.ground.Plane().Origin
	c.Double(&origin[0])
	c.Double(&origin[1])
	n := c.Count(len(h.gateways))
	if c.Reading() {
		h.gateways = make([]gateway, n)
	}
	for i := range h.gateways {
		g := &h.gateways[i]
		c.Text(&g.id)
		c.Int(&g.newest)
		g.codeOpen(c)
		c.Bool(&g.unknown)
	}
	h.vital.Code(c)
	h.outbox.code(c)
	for i := range h.outbox.events {
		h.outbox.events[i].Tenant, h.outbox.events[i].HerdID = h.Tenant, h.ID
	}
	if !c.Reading() {
		c.Count(len(h.heard))
		for _, t := range h.heard {
			c.Text(&t.ID)
			c.Text(&t.TagID)
			t.code(c)
		}
		h.codePairs(c, nil)
		return
	}
	byID := h.byID()
	var gone []*track
	then := fence.NewPlane(origin)
	for range c.Count(0) {
		var id, tag string
		c.Text(&id)
		c.Text(&tag)
		m := byID[id]
		if m == nil || m.TagID != tag || m.track != nil {
			m = &member{Animal: iot.Animal{ID: id, TagID: tag}, herd: h, w: &species.Watch{}} // gone meanwhile: read over it
		}
		t := newTrack(m)
		t.code(c)
		known := func(p passage) bool { return p.at == 0 || int(p.gateway) < len(h.gateways) }
		if !known(t.via[0]) || !known(t.via[1]) || t.at == 0 {
			continue
		}
		if then != h.ground.Plane() {
			t.replane(func(p orb.Point) orb.Point { return h.ground.Plane().Metres(then.Degrees(p)) })
		}
		if int(t.pen) > len(h.Pens) {
			t.pen = 0
		}
		if byID[id] == m {
			m.track = t
			h.heard = append(h.heard, t)
		} else {
			gone = append(gone, t)
		}
	}
	h.codePairs(c, byID)
	for _, t := range gone {
		h.part(t, byID[t.ID])
	}
}

// codeOpen writes or reads whether the gateway is silent, and since when it is offline
// by its will: a second bit, which older memory never has, says that the time follows.
func (g *gateway) codeOpen(c *snap.Coder) {
	const open, dead = 1, 2
	var bits uint8
	if g.open {
		bits |= open
	}
	if g.died != 0 {
		bits |= dead
	}
	snap.Small(c, &bits)
	if g.open = bits&open != 0; bits&dead != 0 {
		c.Int(&g.died)
	}
}

// codePairs writes or reads which tags are compared with each other; byID finds their
// animals again.
func (h *herd) codePairs(c *snap.Coder, byID map[string]*member) {
	if !c.Reading() {
		for _, t := range h.heard {
			for i := range t.pairs {
				p := &t.pairs[i]
				c.Text(&t.ID)
				c.Text(&p.other.ID)
				p.pair.Code(c)
			}
		}
		var end string
		c.Text(&end)
		return
	}
	for {
		var a, b string
		var p double.Pair
		if c.Text(&a); a == "" {
			return
		}
		c.Text(&b)
		p.Code(c)
		m, o := byID[a], byID[b]
		if m != nil && o != nil && m.track != nil && o.track != nil && m != o && len(m.track.pairs) < maxPairs {
			m.track.pairs = append(m.track.pairs, pairing{o.track, p})
		}
	}
}

// code writes or reads the track.
func (t *track) code(c *snap.Coder) {
	for _, v := range []*int64{&t.at, &t.received, &t.via[0].at, &t.via[1].at, &t.carried, &t.stillSince, &t.tempAt, &t.activeAt,
		&t.coldSince, &t.heldSince} {
		c.Int(v)
	}
	for _, v := range []*uint16{&t.via[0].gateway, &t.via[1].gateway, &t.pen, &t.penNext, &t.quietCount, &t.coldMoves, &t.unknown} {
		snap.Small(c, v)
	}
	for _, v := range []*uint8{&t.beats, &t.penTimes, &t.bursts, &t.cold, &t.on} {
		snap.Small(c, v)
	}
	for _, v := range []*float32{&t.temp, &t.activity, &t.battery, &t.scatter, &t.pace, &t.own, &t.coldAt[0], &t.coldAt[1], &t.anchor[0], &t.anchor[1]} {
		c.Float(v)
	}
	for _, v := range []*bool{&t.fixes, &t.blurred, &t.still, &t.dead, &t.off, &t.silent, &t.outage} {
		c.Bool(v)
	}
	t.beats = min(t.beats, 2*rhythmSize-1)
	for i := range min(int(t.beats), rhythmSize) {
		c.Float(&t.intervals[i])
	}
	t.gate.Code(c)
	t.presence.Code(c)
	t.spot.Code(c)
	t.body.Code(c)
	has := t.places != nil
	if c.Bool(&has); has {
		if t.places == nil {
			t.places = &double.Places{}
		}
		t.places.Code(c)
	}
	n := c.Count(len(t.matters))
	if c.Reading() {
		t.matters = make([]matter, n)
	}
	for i := range t.matters {
		m := &t.matters[i]
		snap.Small(c, &m.kind)
		c.Int(&m.since)
		c.Int(&m.toldAt)
	}
	t.matters = slices.DeleteFunc(t.matters, func(m matter) bool { return int(m.kind) >= len(kinds) })
	if len(t.matters) == 0 {
		t.matters = nil
	}
}

// recall brings a herd that is taken up at the start to where its saved state and
// the readings since leave it. What the series store cannot tell now comes later.
func (e *Engine) recall(ctx context.Context, h *herd) error {
	if e.cfg.Memory != nil {
		_, state, err := e.cfg.Memory.LoadWatch(ctx, h.Tenant, h.ID)
		if err != nil {
			return err
		}
		if len(state) > 0 {
			if err = h.decode(state); err == nil {
				return e.replay(ctx, h)
			}
			e.cfg.Log.Warn("the watch's memory of a herd is built again from its readings", "herd", h.ID, "error", err)
		}
	}
	if e.cfg.Open != nil {
		open, err := e.cfg.Open(ctx, h.Tenant, h.ID)
		if err != nil {
			return err
		}
		h.told = make(map[string]uint16, len(open))
		for subject, of := range open {
			for k, name := range kinds {
				if slices.Contains(of, name) {
					h.told[subject] |= 1 << k
				}
			}
		}
	}
	h.blank, h.building = true, true
	defer func() { h.building = false }()
	return e.rebuild(ctx, h)
}

// down tells whether the store may answer later, and then leaves the herd blind.
func (e *Engine) down(h *herd, err error) error {
	if err == nil || !errors.Is(err, fault.Unavailable) {
		return err
	}
	e.cfg.Log.Warn("the watch starts without the latest readings of a herd: the series store does not answer", "herd", h.ID, "error", err)
	h.blind = true
	return nil
}

// replay hands a herd the readings since its state was saved, in the order in which
// they had come.
func (e *Engine) replay(ctx context.Context, h *herd) error {
	from := make(map[string]time.Time, len(h.members))
	never := e.cfg.Now().Add(-history)
	for i := range h.members {
		m := &h.members[i]
		switch {
		case m.TagID == "":
		case m.track == nil:
			from[m.TagID] = m.from(never)
		default:
			from[m.TagID] = m.from(unix(m.track.at + 1))
		}
	}
	var readings []iot.Reading
	err := e.cfg.Series.Since(ctx, h.Tenant, from, func(_ string, r []iot.Reading) error {
		readings = append(readings, r...)
		return nil
	})
	if err != nil {
		return e.down(h, err)
	}
	slices.SortStableFunc(readings, func(a, b iot.Reading) int {
		return cmp.Or(a.Received.Compare(b.Received), a.At.Compare(b.At), cmp.Compare(a.Tag, b.Tag))
	})
	byTag := make(map[string]*member, len(h.members))
	for i := range h.members {
		byTag[h.members[i].TagID] = &h.members[i]
	}
	for i := range readings {
		if m := byTag[readings[i].Tag]; m != nil {
			h.take(m, &readings[i])
		}
	}
	return nil
}

// How far back readings are read again.
const (
	history = 30 * 24 * time.Hour // the oldest that the house takes
	build   = 8 * 24 * time.Hour  // of a small herd without a state: a week of baselines
)

// from is the earliest that the tag's readings since at are this animal's.
func (m *member) from(at time.Time) time.Time {
	if since := unix(m.since); since.After(at) {
		return since
	}
	return at
}

// rebuild makes a herd's state from its readings alone. Large herds get fewer days, so
// that a start stays short; their baselines are learned anew.
func (e *Engine) rebuild(ctx context.Context, h *herd) error {
	least := 24 * time.Hour
	for i := range h.members {
		least = max(least, h.members[i].w.Still()+time.Hour)
	}
	window := max(least, min(build, build*small/time.Duration(max(1, len(h.members)))))
	now := e.cfg.Now()
	from := make(map[string]time.Time, len(h.members))
	byTag := make(map[string]*member, len(h.members))
	for i := range h.members {
		if m := &h.members[i]; m.TagID != "" {
			from[m.TagID], byTag[m.TagID] = m.from(now.Add(-window)), m
		}
	}
	if len(from) == 0 {
		return nil
	}
	err := e.cfg.Series.Since(ctx, h.Tenant, from, func(tag string, readings []iot.Reading) error {
		for i := range readings {
			h.take(byTag[tag], &readings[i])
		}
		delete(from, tag)
		return nil
	})
	if err == nil {
		err = e.remember(ctx, h, from, byTag, now)
	}
	h.outbox.last() // what is over was told, or is of no use now
	h.vital = vital.Herd{}
	return e.down(h, err)
}

// remember looks further back for tags that were not heard in the window: their last
// reading, and whether one that is outside has ever been inside.
func (e *Engine) remember(ctx context.Context, h *herd, silent map[string]time.Time, byTag map[string]*member, now time.Time) error {
	last, err := e.cfg.Series.Latest(ctx, h.Tenant, sortedKeys(silent))
	if err != nil {
		return err
	}
	for _, tag := range sortedKeys(last) {
		r := last[tag]
		h.take(byTag[tag], &r)
	}
	for _, t := range h.heard {
		if t.presence.Place() != fence.NeverEntered {
			continue
		}
		early, err := e.cfg.Series.Range(ctx, h.Tenant, t.TagID, t.from(now.Add(-history)), now.Add(time.Hour), 200)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(early, func(r iot.Reading) bool {
			f, ok := t.fixOf(&r)
			return ok && h.ground.Distance(f.P) <= 0
		}) {
			t.presence = fence.PresenceAt(fence.Outside)
			t.settle()
		}
	}
	return nil
}

// catchUp hands a herd that was taken up blind what it missed. Readings that came
// since are newer; of their tags the gap stays.
func (e *Engine) catchUp(ctx context.Context, h *herd) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.replaced {
		return
	}
	h.blind = false
	if err := e.replay(ctx, h); err != nil {
		h.blind = true
		e.cfg.Log.Warn("a herd could not catch up yet", "herd", h.ID, "error", err)
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
