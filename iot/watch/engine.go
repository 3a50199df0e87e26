// Package watch follows every tag as its readings come and says what befalls the
// herd: an animal outside its fence, one that may be dead, feverish, on heat or idle;
// a tag cut off, on something else, copied, or one of two on an animal; a tag or a
// whole gateway gone silent. It speaks once when a matter opens and once when it ends,
// and keeps about a kilobyte of each tag that is heard.
//
// Sub-packages are the methods: fence (positions), vital (baselines), double (tags that
// do not stand for one animal), snap (how its memory is written).
package watch

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/series"
	"github.com/furrowcredit/furrow/iot/species"
	"github.com/furrowcredit/furrow/iot/watch/double"
	"github.com/furrowcredit/furrow/iot/watch/fence"
	"github.com/furrowcredit/furrow/iot/watch/vital"
)

// Config wires an Engine.
type Config struct {
	Herds   iot.Store
	Series  series.Store
	Species *species.Catalogue
	// Memory keeps what the watch knows over a restart. Without it the last hours or
	// days of readings are read again. May be nil.
	Memory Memory
	// Raise is told of each event; what it refuses is told again at the next Tick.
	// Telling it twice must be harmless: after a crash it may be. May be nil.
	Raise func(ctx context.Context, e iot.Event) error
	// Open returns the kinds of events that are open of each subject of a herd, so that
	// after a start without memory only those are told to be over. Without it every
	// animal is told to be well once. May be nil.
	Open func(ctx context.Context, tenant, herdID string) (map[string][]iot.EventKind, error)
	// OnMove is told of each believed position; it must not block. May be nil.
	OnMove func(herdID string, s iot.AnimalState)
	Now    func() time.Time
	Log    *slog.Logger
}

// Engine watches all herds. Its methods may be called from many goroutines.
type Engine struct {
	cfg     Config
	started int64 // Unix ms

	loading sync.Mutex // one herd at a time is taken up
	running atomic.Bool
	bell    chan struct{} // rings when events wait

	mu    sync.RWMutex // guards the maps, not what is in them
	herds map[key]*herd
	tags  map[string]map[string]*member // by tenant and tag

	due struct {
		sync.Mutex
		herds map[*herd]struct{} // with events that wait
	}
}

type key struct{ tenant, id string }

// herd is a herd with what its fence and species mean for the watch.
type herd struct {
	iot.Herd
	ground *fence.Ground
	pens   *fence.Ground // in the ground's plane; nil without pens
	lon    float64       // of its middle

	telling sync.Mutex // one delivery of its events at a time

	mu       sync.Mutex // guards all below
	members  []member
	heard    []*track
	gateways []gateway
	vital    vital.Herd
	grid     map[double.Cell]*track
	outbox   outbox
	next     int64             // when to look for silence, Unix ms; 0 never
	blank    bool              // the memory does not know what was told of it
	told     map[string]uint16 // of a blank herd: what is open of each animal, by kind; nil when nobody knows
	building bool              // from its readings alone
	blind    bool              // the series store did not answer when it was taken up
	dirty    bool              // changed since it was saved
	replaced bool              // taken up anew: what is known of it is elsewhere
	urgent   bool              // something was told since
	saved    int64             // Unix ms
}

// New returns an engine that knows no herd yet; see Restore and Reload.
func New(cfg Config) *Engine {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	e := &Engine{cfg: cfg, started: cfg.Now().UnixMilli(), bell: make(chan struct{}, 1),
		herds: make(map[key]*herd), tags: make(map[string]map[string]*member)}
	e.due.herds = make(map[*herd]struct{})
	return e
}

// Restore takes up every herd and brings it to where the saved readings leave it. A
// series store that does not answer does not stop it: those herds catch up later.
func (e *Engine) Restore(ctx context.Context) error {
	herds, err := e.cfg.Herds.AllHerds(ctx)
	if err != nil {
		return err
	}
	for _, h := range herds {
		if err := e.load(ctx, h, true); err != nil {
			return err
		}
	}
	return nil
}

// Reload takes up a herd that was registered or changed. What is known of its tags
// stays, of each animal that wears the same tag as before.
func (e *Engine) Reload(ctx context.Context, tenant, herdID string) error {
	h, err := e.cfg.Herds.Herd(ctx, tenant, herdID)
	if err != nil {
		return err
	}
	return e.load(ctx, h, false)
}

func (e *Engine) load(ctx context.Context, ih iot.Herd, restore bool) error {
	e.loading.Lock()
	defer e.loading.Unlock()
	animals, err := e.cfg.Herds.Animals(ctx, ih.Tenant, ih.ID)
	if err != nil {
		return err
	}
	handed, err := e.cfg.Herds.Handed(ctx, ih.Tenant, ih.ID)
	if err != nil {
		return err
	}
	h, err := e.build(ih, animals, handed)
	if err != nil {
		return err
	}
	k := key{ih.Tenant, ih.ID}
	e.mu.RLock()
	old := e.herds[k]
	e.mu.RUnlock()
	switch {
	case old != nil:
	case restore:
		if err := e.recall(ctx, h); err != nil {
			return err
		}
	default:
		h.dirty, h.urgent = true, true // a memory that it is new: nothing was told of it
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if old != nil {
		old.mu.Lock()
		defer old.mu.Unlock()
		h.inherit(old)
		for i := range old.members {
			// Another herd may have taken the animal with its tag up already.
			if tag := old.members[i].TagID; e.tags[ih.Tenant][tag] == &old.members[i] {
				delete(e.tags[ih.Tenant], tag)
			}
		}
	}
	e.herds[k] = h
	if len(h.outbox.events) > 0 {
		e.ring(h)
	}
	tags := e.tags[ih.Tenant]
	if tags == nil {
		tags = make(map[string]*member, len(h.members))
		e.tags[ih.Tenant] = tags
	}
	for i := range h.members {
		if m := &h.members[i]; m.TagID != "" {
			tags[m.TagID] = m
		}
	}
	return nil
}

// build makes the herd of its registration; handed tells since when a tag that was
// another animal's is its present wearer's. Animals that are dead or gone are not
// watched.
func (e *Engine) build(ih iot.Herd, animals []iot.Animal, handed map[string]time.Time) (*herd, error) {
	polygons := []orb.Polygon{ih.Fence}
	for _, p := range ih.Pens {
		polygons = append(polygons, p.Area)
	}
	h := &herd{Herd: ih, ground: fence.New(polygons...)}
	h.lon = h.ground.Plane().Origin[0]
	if len(ih.Pens) > 0 {
		h.pens = h.ground.Part(1)
	}
	h.members = make([]member, 0, len(animals))
	byCode := make(map[string]*species.Species)
	for _, a := range animals {
		sp := byCode[a.Species]
		if sp == nil {
			s, ok := e.cfg.Species.Get(a.Species)
			if !ok {
				return nil, iot.ErrHerdSpecies.With("species", a.Species)
			}
			sp = &s
			byCode[a.Species] = sp
		}
		if !a.Here() {
			continue
		}
		a.HerdID, a.Species = ih.ID, sp.Code // one text for all
		m := member{Animal: a, herd: h, w: &sp.Watch}
		if at, ok := handed[a.TagID]; ok {
			m.since = at.UnixMilli()
		}
		h.members = append(h.members, m)
	}
	return h, nil
}

// inherit takes over what was known of the herd as it was registered before.
func (h *herd) inherit(old *herd) {
	h.gateways, h.vital, h.outbox, h.next, h.blank, h.told, h.blind, h.saved = old.gateways, old.vital, old.outbox, old.next, old.blank, old.told, old.blind, old.saved
	h.dirty, h.urgent = true, old.urgent
	old.outbox, old.replaced = outbox{}, true
	before := make(map[string]*track, len(old.heard))
	for _, t := range old.heard {
		before[t.ID+"\n"+t.TagID] = t
	}
	from, to := old.ground.Plane(), h.ground.Plane()
	for i := range h.members {
		m := &h.members[i]
		t := before[m.ID+"\n"+m.TagID]
		if t == nil {
			continue
		}
		delete(before, m.ID+"\n"+m.TagID)
		t.member, m.track = m, t
		t.margins = fence.NewMargins(*m.w, h.ground)
		if from != to {
			t.replane(func(p orb.Point) orb.Point { return to.Metres(from.Degrees(p)) })
		}
		if int(t.pen) > len(h.Pens) || t.pen > 0 && h.Pens[t.pen-1].ID != old.Pens[t.pen-1].ID {
			t.pen = 0
		}
		h.heard = append(h.heard, t)
	}
	for _, t := range h.heard {
		t.pairs = slices.DeleteFunc(t.pairs, func(p pairing) bool { return p.other.herd != h })
	}
	byID := h.byID()
	for _, t := range old.heard {
		if before[t.ID+"\n"+t.TagID] != nil {
			h.part(t, byID[t.ID])
		}
	}
}

func (h *herd) byID() map[string]*member {
	out := make(map[string]*member, len(h.members))
	for i := range h.members {
		out[h.members[i].ID] = &h.members[i]
	}
	return out
}

// part ends what was the case of a tag that its animal wears no longer; m is the animal
// as it is now, or nil when it has left the herd. That a person has seen it dead stays,
// whatever tag it is given.
func (h *herd) part(t *track, m *member) {
	stays := t.dead && m != nil && m.track == nil
	if stays {
		m.track = newTrack(m)
		m.track.at, m.track.stillSince, m.track.dead, m.track.still = t.at, t.stillSince, true, true
		h.heard = append(h.heard, m.track)
	}
	for _, v := range t.matters {
		if stays && v.kind == stillMatter {
			m.track.matters = append(m.track.matters, v)
			continue
		}
		e := t.event(kinds[v.kind])
		e.Cleared = true
		h.outbox.add(e)
		h.urgent = true
	}
}

// replane puts all places of a track into another plane.
func (t *track) replane(to func(orb.Point) orb.Point) {
	t.gate.Move(to)
	t.spot.Move(to)
	if t.places != nil {
		t.places.Move(to)
	}
	for i := range t.pairs {
		t.pairs[i].pair.Move(to)
	}
	for _, p := range []*[2]float32{&t.anchor, &t.coldAt} {
		q := to(orb.Point{float64(p[0]), float64(p[1])})
		*p = [2]float32{float32(q[0]), float32(q[1])}
	}
}

// Observe takes readings that are saved, in any order. Readings that are older than
// what is known of their tag change nothing: they neither raise nor clear. Events are
// told by Run, or before Observe returns while Run does not.
func (e *Engine) Observe(readings []iot.Reading) {
	var moves []move
	now := e.cfg.Now()
	e.mu.RLock()
	for i := 0; i < len(readings); {
		m := e.tags[readings[i].Tenant][readings[i].Tag]
		if m == nil {
			i++ // registered a moment ago, or not worn by an animal
			continue
		}
		h := m.herd
		h.mu.Lock()
		for m != nil && m.herd == h {
			if h.take(m, &readings[i]) && e.cfg.OnMove != nil {
				moves = append(moves, move{h.ID, m.state(now)})
			}
			if i++; i == len(readings) {
				break
			}
			m = e.tags[readings[i].Tenant][readings[i].Tag]
		}
		waiting := len(h.outbox.events) > 0
		h.mu.Unlock()
		if waiting {
			e.ring(h)
		}
	}
	e.mu.RUnlock()
	for _, m := range moves {
		e.cfg.OnMove(m.herd, m.state)
	}
	if !e.running.Load() {
		e.tellAll(context.Background()) // the readings are saved: what they mean must be told
	}
}

type move struct {
	herd  string
	state iot.AnimalState
}

// take hands a reading to its track, which comes with the first one.
func (h *herd) take(m *member, r *iot.Reading) (moved bool) {
	if r.At.UnixMilli() < m.since {
		return false // of another animal
	}
	if m.track == nil {
		m.track = newTrack(m)
		if h.blank {
			m.track.unknown = h.doubts(m.ID)
		}
		h.heard = append(h.heard, m.track)
	}
	return m.track.take(r)
}

// doubts are the matters of an animal that may have been told before the start.
func (h *herd) doubts(animalID string) uint16 {
	if h.told == nil {
		return unsure
	}
	return h.told[animalID]
}

// ring says that a herd has events to tell.
func (e *Engine) ring(h *herd) {
	e.due.Lock()
	e.due.herds[h] = struct{}{}
	e.due.Unlock()
	select {
	case e.bell <- struct{}{}:
	default:
	}
}

// tellAll tells what waits.
func (e *Engine) tellAll(ctx context.Context) {
	e.due.Lock()
	herds := make([]*herd, 0, len(e.due.herds))
	for h := range e.due.herds {
		herds = append(herds, h)
	}
	clear(e.due.herds)
	e.due.Unlock()
	slices.SortFunc(herds, func(a, b *herd) int { return a.CreatedAt.Compare(b.CreatedAt) })
	for _, h := range herds {
		e.deliver(ctx, h)
	}
}

// every is how often Run looks for silence.
const every = 5 * time.Second

// Run tells events as they come and calls Tick until ctx ends.
func (e *Engine) Run(ctx context.Context) error {
	e.running.Store(true)
	defer e.running.Store(false)
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	var ticks sync.WaitGroup // beside the telling, so that neither waits for the other
	defer ticks.Wait()
	ticks.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				e.Tick(ctx, e.cfg.Now())
			}
		}
	})
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-e.bell:
			e.tellAll(ctx)
		}
	}
}

// Tick looks for silence, tells what could not be told before, lets herds catch up
// that were taken up blind, and saves what changed; Run calls it every few seconds.
func (e *Engine) Tick(ctx context.Context, now time.Time) {
	ms := now.UnixMilli()
	var changed []*herd
	e.mu.RLock()
	for _, h := range e.herds {
		h.mu.Lock()
		h.listen(ms, e.started)
		if len(h.outbox.events) > 0 || h.blind || e.saves(h, ms) {
			changed = append(changed, h)
		}
		h.mu.Unlock()
	}
	e.mu.RUnlock()
	slices.SortFunc(changed, func(a, b *herd) int { return a.CreatedAt.Compare(b.CreatedAt) })
	for _, h := range changed {
		e.deliver(ctx, h)
		if h.blind {
			e.catchUp(ctx, h)
		}
		h.mu.Lock()
		save := e.saves(h, ms)
		h.mu.Unlock()
		if save {
			e.save(ctx, h, now)
		}
	}
}

// find returns a herd, and takes it up first when the engine does not know it.
func (e *Engine) find(ctx context.Context, tenant, herdID string) (*herd, error) {
	for range 2 {
		e.mu.RLock()
		h := e.herds[key{tenant, herdID}]
		e.mu.RUnlock()
		if h != nil {
			return h, nil
		}
		if err := e.Reload(ctx, tenant, herdID); err != nil {
			return nil, err
		}
	}
	return nil, errors.New("watch: a herd was taken up and is not there") // cannot happen
}

// lock is find; the herd is locked and stays the one that is known until it is unlocked.
func (e *Engine) lock(ctx context.Context, tenant, herdID string) (*herd, error) {
	for {
		h, err := e.find(ctx, tenant, herdID)
		if err != nil {
			return nil, err
		}
		h.mu.Lock()
		if !h.replaced {
			return h, nil
		}
		h.mu.Unlock()
	}
}

// Confirm takes what a person saw of an animal that may be dead. Alive ends the matter
// until new hours speak for it; dead keeps the animal unverified, whatever its tag
// tells, until somebody says otherwise or the registry takes it away.
// iot.ErrAnimalNotFound when the tenant's watch has no such animal.
func (e *Engine) Confirm(ctx context.Context, tenant, animalID string, alive bool, by string) error {
	h, err := e.confirm(tenant, animalID, alive, by)
	if err != nil {
		return err
	}
	e.deliver(ctx, h)
	e.save(ctx, h, e.cfg.Now())
	return nil
}

func (e *Engine) confirm(tenant, animalID string, alive bool, by string) (*herd, error) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	for k, h := range e.herds {
		if k.tenant != tenant {
			continue
		}
		i := slices.IndexFunc(h.members, func(m member) bool { return m.ID == animalID })
		if i < 0 {
			continue
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		m := &h.members[i]
		if m.track == nil {
			m.track = newTrack(m)
			m.track.at = e.cfg.Now().UnixMilli() - 1 // any reading from now on is news
			m.track.stillSince = m.track.at
			h.heard = append(h.heard, m.track)
		}
		m.track.seen(alive, by)
		return h, nil
	}
	return nil, iot.ErrAnimalNotFound
}

// seen takes what a person saw.
func (t *track) seen(alive bool, by string) {
	t.dead, t.still = !alive, !alive
	if alive {
		t.stillSince, t.quietCount, t.bursts, t.cold = t.at, 0, 0, 0
	}
	n := len(t.herd.outbox.events)
	t.set(stillMatter, t.still)
	for i := n; i < len(t.herd.outbox.events); i++ {
		ev := t.herd.outbox.events[i].Evidence
		ev["confirmed_by"] = by
		ev["confirmed"] = map[bool]string{true: "alive", false: "dead"}[alive]
	}
	t.herd.dirty, t.herd.urgent = true, true
}
