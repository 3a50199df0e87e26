package watch

import (
	"context"
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
func (t *tag) state(now time.Time) iot.AnimalState {
	s := iot.AnimalState{AnimalID: t.animal.ID, Code: t.animal.Identity.Code, TagID: t.animal.TagID,
		Temp: t.temp, Activity: t.activity, Battery: t.battery}
	if t.heard {
		at := t.at
		s.LastHeard = &at
	}
	if !t.fix.IsZero() {
		fix, lon, lat := t.fix, t.lon, t.lat
		s.LastFix, s.Lon, s.Lat = &fix, &lon, &lat
	}
	switch place := t.presence.Place(); {
	case t.animal.TagID == "":
		s.Status, s.Reason = StatusNoData, "no_tag"
	case !t.heard:
		s.Status, s.Reason = StatusNoData, "never_heard"
	case t.off:
		s.Status, s.Reason = StatusUnverified, string(iot.TagOff)
	case t.still:
		s.Status, s.Reason = StatusUnverified, string(iot.Stillness)
	case place == fence.Outside:
		s.Status, s.Reason = StatusOutside, string(iot.FenceExit)
	case t.outage:
		s.Status, s.Reason = StatusSilent, string(iot.GatewaySilent)
	case t.silent || t.quiet(now):
		s.Status, s.Reason = StatusSilent, string(iot.Silence)
	case place == fence.NeverEntered:
		s.Status = StatusNeverEntered
	case place == fence.Nowhere:
		s.Status, s.Reason = StatusUnverified, "no_position"
	default:
		s.Status = StatusInside
	}
	return s
}

// States returns what is believed of each animal of a herd, in the order of
// registration. iot.ErrHerdNotFound.
func (e *Engine) States(ctx context.Context, tenant, herdID string) ([]iot.AnimalState, error) {
	h, err := e.find(ctx, tenant, herdID)
	if err != nil {
		return nil, err
	}
	now := e.cfg.Now()
	e.mu.RLock()
	defer e.mu.RUnlock()
	out := make([]iot.AnimalState, len(h.animals))
	for i, t := range h.animals {
		out[i] = t.state(now)
	}
	return out, nil
}

// Method names the method and its version in reports.
const Method = "tags/1, " + worth.Method

// enoughHeard is the share of the herd that must be heard for a report to be known.
const enoughHeard = 0.8

// Report sums up a herd: how many animals the tags verify, and what those are worth.
// The counts add up to Registered. iot.ErrHerdNotFound.
func (e *Engine) Report(ctx context.Context, tenant, herdID string) (iot.HerdReport, error) {
	h, err := e.find(ctx, tenant, herdID)
	if err != nil {
		return iot.HerdReport{}, err
	}
	now := e.cfg.Now().UTC()
	r := iot.HerdReport{HerdID: h.ID, Species: h.Species, Method: Method, MadeAt: now}
	var verified []iot.Animal
	e.mu.RLock()
	for _, t := range h.animals {
		r.Registered++
		s := t.state(now)
		switch s.Status {
		case StatusInside:
			r.Verified++
			verified = append(verified, t.animal)
		case StatusOutside, StatusNeverEntered:
			r.Outside++
		case StatusSilent:
			r.Silent++
		case StatusUnverified:
			r.Unverified++
		default:
			r.NoData++
		}
		if s.LastHeard != nil && (r.LastHeard == nil || s.LastHeard.After(*r.LastHeard)) {
			r.LastHeard = s.LastHeard
		}
	}
	e.mu.RUnlock()

	v, err := worth.Of(e.cfg.Species, worth.Input{Animals: verified, Region: h.Region, At: now})
	if err != nil {
		return iot.HerdReport{}, err
	}
	r.Value, r.ValueLow, r.ValueHigh, r.Terms = v.Middle, v.Low, v.High, v.Terms
	switch heard := r.Registered - r.NoData - r.Silent; {
	case heard == 0:
		r.Status, r.Reason = "unknown", "nothing_heard"
	case float64(heard) < enoughHeard*float64(r.Registered):
		r.Status, r.Reason = "low_confidence", "tags_silent"
	default:
		r.Status = "known"
	}
	return r, nil
}
