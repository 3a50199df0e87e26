// Package watch follows every tag as its readings come and says what befalls the
// herd: an animal outside its fence, one that may be dead, a tag cut off, a tag or
// a whole gateway gone silent. It speaks once when a matter opens and once when it
// ends, forgets nothing it needs over a restart, and keeps a few hundred bytes a tag.
package watch

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/series"
	"github.com/furrowcredit/furrow/iot/species"
	"github.com/furrowcredit/furrow/iot/watch/fence"
)

// Config wires an Engine.
type Config struct {
	Herds   iot.Store
	Series  series.Store
	Species *species.Catalogue
	// Raise is told of each event; what it refuses is told again at the next Tick.
	// Telling it twice must be harmless. May be nil.
	Raise func(ctx context.Context, e iot.Event) error
	// OnMove is told of each believed position; it must not block. May be nil.
	OnMove func(herdID string, s iot.AnimalState)
	Now    func() time.Time
	Log    *slog.Logger
}

// Engine watches all herds. Its methods may be called from many goroutines.
type Engine struct {
	cfg     Config
	started time.Time

	// work makes one Observe or Tick at a time, events included, so that the order
	// of events is the order of what they tell.
	work sync.Mutex

	mu    sync.RWMutex // guards the state below
	herds map[key]*herd
	tags  map[key]*tag
}

type key struct{ tenant, id string }

// herd is a herd with what its fence and species mean for the watch.
type herd struct {
	iot.Herd
	ground   *fence.Ground
	animals  []*tag
	gateways map[string]*matter
	fresh    bool // nothing was told of it before this engine
}

// New returns an engine that knows no herd yet; see Restore and Reload.
func New(cfg Config) *Engine {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Engine{cfg: cfg, started: cfg.Now().Truncate(time.Millisecond), herds: make(map[key]*herd), tags: make(map[key]*tag)}
}

// Restore loads every herd and reads the last hours of each tag again, so that the
// watch believes after a restart what it believed before. It tells nobody; matters
// that are open are told again with the next reading or Tick.
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

// Reload takes up a herd that was registered or changed.
func (e *Engine) Reload(ctx context.Context, tenant, herdID string) error {
	h, err := e.cfg.Herds.Herd(ctx, tenant, herdID)
	if err != nil {
		return err
	}
	return e.load(ctx, h, false)
}

func (e *Engine) load(ctx context.Context, ih iot.Herd, restore bool) error {
	animals, err := e.cfg.Herds.Animals(ctx, ih.Tenant, ih.ID)
	if err != nil {
		return err
	}
	e.work.Lock()
	defer e.work.Unlock()
	h := &herd{Herd: ih, ground: fence.New(ih.Fence), gateways: make(map[string]*matter), fresh: !restore}
	e.mu.RLock()
	if old := e.herds[key{ih.Tenant, ih.ID}]; old != nil {
		h.gateways, h.fresh = old.gateways, old.fresh
	}
	known := make(map[string]*tag, len(animals))
	for _, a := range animals {
		if t := e.tags[key{ih.Tenant, a.TagID}]; t != nil && t.animal.ID == a.ID {
			known[a.ID] = t
		}
	}
	e.mu.RUnlock()

	for _, a := range animals {
		sp, ok := e.cfg.Species.Get(a.Species)
		if !ok {
			return iot.ErrHerdSpecies.With("species", a.Species)
		}
		t := known[a.ID]
		if t == nil {
			t = newTag(sp.Watch, !restore)
			t.herd, t.animal, t.margins = h, a, fence.NewMargins(sp.Watch, h.ground)
			if restore && a.TagID != "" {
				if err := e.replay(ctx, h, t); err != nil {
					return err
				}
			}
		}
		h.animals = append(h.animals, t)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if old := e.herds[key{ih.Tenant, ih.ID}]; old != nil {
		for _, t := range old.animals {
			delete(e.tags, key{ih.Tenant, t.animal.TagID})
		}
	}
	e.herds[key{ih.Tenant, ih.ID}] = h
	for i, t := range h.animals {
		t.herd, t.animal, t.margins = h, animals[i], fence.NewMargins(t.w, h.ground)
		if t.animal.TagID != "" {
			e.tags[key{ih.Tenant, t.animal.TagID}] = t
		}
	}
	return nil
}

// replay brings a tag to where its stored readings leave it.
func (e *Engine) replay(ctx context.Context, h *herd, t *tag) error {
	now := e.cfg.Now()
	s, tenant, id := e.cfg.Series, h.Tenant, t.animal.TagID
	end := now.Add(time.Hour)
	recent, err := s.Range(ctx, tenant, id, now.Add(-t.w.Still()-time.Hour), end, 0)
	if err != nil {
		return err
	}
	if len(recent) == 0 {
		last, err := s.Latest(ctx, tenant, []string{id})
		if err != nil {
			return err
		}
		for _, r := range last {
			recent = append(recent, r)
		}
	}
	var seen [matters]bool
	for i := range recent {
		t.take(&recent[i])
		for j := range t.matters {
			seen[j] = seen[j] || t.matters[j].open
		}
	}
	if t.presence.Place() == fence.NeverEntered {
		// It may have been inside before the hours that were read again.
		early, err := s.Range(ctx, tenant, id, now.Add(-30*24*time.Hour), end, 200)
		if err != nil {
			return err
		}
		for i := range early {
			if p, ok := position(&early[i]); ok && h.ground.Distance(h.ground.Plane().Metres(p)) <= 0 {
				t.presence = fence.PresenceAt(fence.Outside)
				t.settle()
				break
			}
		}
	}
	for j := range t.matters {
		if m := &t.matters[j]; !seen[j] && !m.open {
			m.event = iot.Event{} // nothing to tell until the tag is heard again
		}
	}
	return nil
}

// position is where a reading says the tag is, in degrees.
func position(r *iot.Reading) (orb.Point, bool) {
	if r.Lon == nil || r.Lat == nil {
		return orb.Point{}, false
	}
	p := orb.Point{*r.Lon, *r.Lat}
	return p, !fence.IsZero(p)
}

// Observe takes readings that are saved, in any order. Readings that are older than
// what is known of their tag change nothing: they neither raise nor clear.
func (e *Engine) Observe(readings []iot.Reading) {
	e.work.Lock()
	defer e.work.Unlock()
	type move struct {
		h *herd
		s iot.AnimalState
	}
	var moves []move
	touched := make([]*tag, 0, len(readings))
	now := e.cfg.Now()
	e.mu.Lock()
	for i := range readings {
		t := e.tags[key{readings[i].Tenant, readings[i].Tag}]
		if t == nil {
			continue // registered a moment ago, or not worn by an animal
		}
		moved := t.take(&readings[i])
		if len(touched) == 0 || touched[len(touched)-1] != t {
			touched = append(touched, t)
		}
		if moved && e.cfg.OnMove != nil {
			moves = append(moves, move{t.herd, t.state(now)})
		}
	}
	e.mu.Unlock()
	ctx := context.Background() // the readings are saved: what they mean must be told
	for _, t := range touched {
		e.tell(ctx, t)
	}
	for _, m := range moves {
		e.cfg.OnMove(m.h.ID, m.s)
	}
}

// tell raises what changed of one tag. The caller holds work.
func (e *Engine) tell(ctx context.Context, t *tag) {
	for i := range t.matters {
		e.raise(ctx, &t.matters[i])
	}
}

// raise tells a matter that is due, and remembers that it was told.
func (e *Engine) raise(ctx context.Context, m *matter) {
	e.mu.RLock()
	due, event := m.due()
	e.mu.RUnlock()
	if !due {
		return
	}
	if e.cfg.Raise != nil {
		if err := e.cfg.Raise(ctx, event); err != nil {
			e.cfg.Log.Error("an event could not be told; it is kept and told again", "kind", event.Kind, "subject", event.Subject, "error", err)
			return
		}
	}
	e.mu.Lock()
	m.told(event)
	e.mu.Unlock()
}

// every is how often Run looks for silence.
const every = 5 * time.Second

// Run calls Tick until ctx ends.
func (e *Engine) Run(ctx context.Context) error {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			e.Tick(ctx, e.cfg.Now())
		}
	}
}

// Tick looks for silence and tells what could not be told before; Run calls it
// every few seconds.
func (e *Engine) Tick(ctx context.Context, now time.Time) {
	e.work.Lock()
	defer e.work.Unlock()
	e.mu.Lock()
	herds := make([]*herd, 0, len(e.herds))
	for _, h := range e.herds {
		e.listen(h, now)
		herds = append(herds, h)
	}
	e.mu.Unlock()
	slices.SortFunc(herds, func(a, b *herd) int { return a.CreatedAt.Compare(b.CreatedAt) })
	for _, h := range herds {
		for _, m := range h.gateways {
			e.raise(ctx, m)
		}
		for _, t := range h.animals {
			e.tell(ctx, t)
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
