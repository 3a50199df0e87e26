package watch

import (
	"context"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/watch/fence"
	"github.com/furrowcredit/furrow/iot/worth"
)

// Statuses of an animal.
const (
	StatusInside       = "inside"
	StatusOutside      = "outside"
	StatusNeverEntered = "never_entered"
	StatusSilent       = "silent"
	StatusUnverified   = "unverified"
	StatusNoData       = "no_data"
)

// state is what is believed of the animal now. What speaks loudest against it wins.
func (m *member) state(now time.Time) iot.AnimalState {
	s := iot.AnimalState{AnimalID: m.ID, Code: m.Identity.Code, TagID: m.TagID}
	t := m.track
	switch {
	case m.TagID == "":
		s.Status, s.Reason = StatusNoData, "no_tag"
		return s
	case t == nil:
		s.Status, s.Reason = StatusNoData, "never_heard"
		return s
	}
	if t.wasHeard() {
		at := unix(t.at)
		s.LastHeard = &at
	}
	s.Temp, s.Activity, s.Battery = number(t.temp), number(t.activity), number(t.battery)
	if t.fixes {
		fix, place := t.gate.Last.At, m.herd.ground.Plane().Degrees(t.spot.At())
		s.LastFix, s.Lon, s.Lat = &fix, &place[0], &place[1]
		if t.pen > 0 {
			s.PenID = m.herd.Pens[t.pen-1].ID
		}
	}
	s.Status, s.Reason = t.status(now)
	for i := range t.matters {
		if k := string(kinds[t.matters[i].kind]); k != s.Reason {
			s.Signs = append(s.Signs, k)
		}
	}
	slices.Sort(s.Signs)
	return s
}

func (t *track) status(now time.Time) (status, reason string) {
	place := t.presence.Place()
	switch {
	case t.off:
		return StatusUnverified, string(iot.TagOff)
	case t.still:
		return StatusUnverified, string(iot.Stillness)
	case t.matter(carrierMatter) != nil:
		return StatusUnverified, string(iot.Carrier)
	case t.matter(placesMatter) != nil:
		return StatusUnverified, string(iot.TwoPlaces)
	case place == fence.Outside:
		return StatusOutside, string(iot.FenceExit)
	case t.outage:
		return StatusSilent, string(iot.GatewaySilent)
	case t.silent || t.quiet(now.UnixMilli()):
		return StatusSilent, string(iot.Silence)
	case t.matter(pairMatter) != nil: // of the two tags one counts, and this is the other
		return StatusUnverified, string(iot.TwoTags)
	case t.house() || t.herd.ground.Empty():
		return StatusInside, "" // it has no fence to be outside of
	case place == fence.NeverEntered:
		return StatusNeverEntered, ""
	case place == fence.Nowhere:
		return StatusUnverified, "no_position"
	}
	return StatusInside, ""
}

// number is a kept number as it came, or nil: 29.4 stays 29.4, though it is kept in
// half the bits.
func number(v float32) *float64 {
	f, err := strconv.ParseFloat(strconv.FormatFloat(float64(v), 'g', -1, 32), 64)
	if err != nil || math.IsNaN(f) {
		return nil
	}
	return &f
}

// Watched is what the watch believes of one herd now.
type Watched struct {
	Animals   []iot.Animal      // that are watched, in the order of registration
	States    []iot.AnimalState // of each of them
	Health    iot.HerdHealth
	Integrity iot.Integrity // Impostors is not the watch's: who publishes as others is known on arrival
	LastHeard *time.Time
}

// Watched returns what is believed of a herd now. iot.ErrHerdNotFound.
func (e *Engine) Watched(ctx context.Context, tenant, herdID string) (Watched, error) {
	h, err := e.lock(ctx, tenant, herdID)
	if err != nil {
		return Watched{}, err
	}
	defer h.mu.Unlock()
	now := e.cfg.Now()
	w := Watched{Animals: make([]iot.Animal, len(h.members)), States: make([]iot.AnimalState, len(h.members))}
	newest := int64(0)
	for i := range h.members {
		m := &h.members[i]
		w.Animals[i], w.States[i] = m.Animal, m.state(now)
		if m.track == nil {
			continue
		}
		if m.track.wasHeard() {
			newest = max(newest, m.track.at)
		}
		m.track.sum(&w.Health, &w.Integrity)
		if w.States[i].Status == StatusSilent {
			w.Integrity.Silent++
		}
	}
	if newest != 0 {
		at := unix(newest)
		w.LastHeard = &at
	}
	return w, nil
}

// sum adds an animal to what is said of its herd.
func (t *track) sum(health *iot.HerdHealth, integrity *iot.Integrity) {
	if t.body.Judged() {
		health.Judged++
	}
	for i := range t.matters {
		switch t.matters[i].kind {
		case feverMatter:
			health.Fever++
		case oestrusMatter:
			health.Oestrus++
		case stillMatter:
			health.Still++
		case idleMatter:
			health.Idle++
		case offMatter:
			integrity.TagOff++
		case carrierMatter:
			integrity.Carrier++
		case pairMatter:
			integrity.TwoTags++
		case placesMatter:
			integrity.TwoPlaces++
		case exitMatter, silenceMatter: // counted by status
		}
	}
}

// States returns what is believed of each animal of a herd, in the order of
// registration. iot.ErrHerdNotFound.
func (e *Engine) States(ctx context.Context, tenant, herdID string) ([]iot.AnimalState, error) {
	w, err := e.Watched(ctx, tenant, herdID)
	return w.States, err
}

// State returns what is believed of one animal now; false of one that is not watched,
// dead or gone. iot.ErrHerdNotFound.
func (e *Engine) State(ctx context.Context, tenant, herdID, animalID string) (iot.AnimalState, bool, error) {
	h, err := e.lock(ctx, tenant, herdID)
	if err != nil {
		return iot.AnimalState{}, false, err
	}
	defer h.mu.Unlock()
	i := slices.IndexFunc(h.members, func(m member) bool { return m.ID == animalID })
	if i < 0 {
		return iot.AnimalState{}, false, nil
	}
	return h.members[i].state(e.cfg.Now()), true, nil
}

// Method names the method and its version in reports.
const Method = "tags/1, " + worth.Method
