// Package report puts the evidence of one herd together: what the watch believes of
// each animal, what cameras and gates counted, and what the animals that both support
// are worth.
package report

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/count"
	"github.com/furrowcredit/furrow/iot/series"
	"github.com/furrowcredit/furrow/iot/species"
	"github.com/furrowcredit/furrow/iot/watch"
	"github.com/furrowcredit/furrow/iot/worth"
)

// Method names the methods and their versions in reports.
const Method = "tags/2, " + count.Method + ", " + worth.Method

// Maker makes the reports of herds.
type Maker struct {
	Herds     iot.Store
	Watch     *watch.Engine
	Counts    *count.Service
	Weighings worth.Weighings
	Series    series.Store
	Species   *species.Catalogue
	// Impostors counts the open alerts of devices of the herd that published as others.
	Impostors func(ctx context.Context, tenant, herdID string) (int, error)
	Now       func() time.Time

	mu     sync.Mutex
	recent map[[2]string]recent // by tenant and herd
	scaled map[[2]string]scaled
}

type recent struct {
	at  time.Time
	all Evidence
}

// Evidence is a report with what it rests on.
type Evidence struct {
	Herd    iot.Herd
	Report  iot.HerdReport
	States  []iot.AnimalState
	Animals []iot.Animal // of States, one to one
	Pens    []count.PenCount
}

// The report is of low confidence when fewer than enoughHeard of the herd are heard,
// or more than doubtful of its tags contradict themselves.
const (
	enoughHeard = 0.8
	doubtful    = 0.05
)

// Report makes the report of a herd from what is known now. The statuses of the
// animals add up to Registered. iot.ErrHerdNotFound.
func (m *Maker) Report(ctx context.Context, tenant, herdID string) (iot.HerdReport, error) {
	e, err := m.Evidence(ctx, tenant, herdID)
	return e.Report, err
}

// State tells how one animal is now; false of one that is not watched.
// iot.ErrHerdNotFound.
func (m *Maker) State(ctx context.Context, tenant, herdID, animalID string) (iot.AnimalState, bool, error) {
	return m.Watch.State(ctx, tenant, herdID, animalID)
}

// most herds are remembered at once.
const most = 10_000

// lately is how old a report may be that a page shows.
const lately = 10 * time.Second

// Recent is Report, at most some seconds old: for pages that show many herds.
func (m *Maker) Recent(ctx context.Context, tenant, herdID string) (iot.HerdReport, error) {
	key := [2]string{tenant, herdID}
	m.mu.Lock()
	r, ok := m.recent[key]
	m.mu.Unlock()
	if age := m.Now().Sub(r.at); ok && age >= 0 && age < lately {
		return r.all.Report, nil
	}
	return m.Report(ctx, tenant, herdID)
}

// Evidence makes the report of a herd and returns with it what it rests on.
// iot.ErrHerdNotFound.
func (m *Maker) Evidence(ctx context.Context, tenant, herdID string) (e Evidence, err error) {
	now := m.Now().UTC()
	if e.Herd, err = m.Herds.Herd(ctx, tenant, herdID); err != nil {
		return Evidence{}, err
	}
	seen, err := m.Watch.Watched(ctx, tenant, herdID)
	if err != nil {
		return Evidence{}, err
	}
	e.States, e.Animals = seen.States, seen.Animals
	r := iot.HerdReport{HerdID: e.Herd.ID, Species: e.Herd.Species, Method: Method, MadeAt: now, Registered: len(seen.States),
		Health: seen.Health, Integrity: seen.Integrity, LastHeard: seen.LastHeard}
	verified := tally(&r, seen)
	if r.Count, e.Pens, err = m.Counts.Estimate(ctx, e.Herd, seen.Animals, seen.States, now); err != nil {
		return Evidence{}, err
	}
	if m.Impostors != nil {
		if r.Integrity.Impostors, err = m.Impostors(ctx, tenant, herdID); err != nil {
			return Evidence{}, err
		}
	}
	value, err := m.worth(ctx, e.Herd, verified, &r, now)
	if err != nil {
		return Evidence{}, err
	}
	r.Value, r.ValueLow, r.ValueHigh, r.Terms = value.Middle, value.Low, value.High, value.Terms
	r.Status, r.Reason = confidence(&r, value)
	e.Report = r
	m.mu.Lock()
	if m.recent == nil || len(m.recent) > most {
		m.recent = make(map[[2]string]recent)
	}
	m.recent[[2]string{tenant, herdID}] = recent{now, e}
	m.mu.Unlock()
	return e, nil
}

// Review sets the counts of a herd against its tags, and tells of tags that the counts
// do not support. iot.ErrHerdNotFound.
func (m *Maker) Review(ctx context.Context, tenant, herdID string) error {
	h, err := m.Herds.Herd(ctx, tenant, herdID)
	if err != nil {
		return err
	}
	seen, err := m.Watch.Watched(ctx, tenant, herdID)
	if err != nil {
		return err
	}
	_, _, err = m.Counts.Review(ctx, h, seen.Animals, seen.States, m.Now().UTC())
	return err
}

// tally counts the statuses into r and returns the animals that the tags verify.
func tally(r *iot.HerdReport, seen watch.Watched) []iot.Animal {
	verified := make([]iot.Animal, 0, len(seen.Animals))
	for i, s := range seen.States {
		switch s.Status {
		case watch.StatusInside:
			r.Tagged++
			verified = append(verified, seen.Animals[i])
		case watch.StatusOutside, watch.StatusNeverEntered:
			r.Outside++
		case watch.StatusSilent:
			r.Silent++
		case watch.StatusUnverified:
			r.Unverified++
		default:
			r.NoData++
		}
	}
	return verified
}

// worth values the animals that tags and counts support: the counts' upper bound caps
// what is verified, their lower bound what the lower value rests on. Counts never add
// animals: what wears no tag is nobody's pledge.
func (m *Maker) worth(ctx context.Context, h iot.Herd, verified []iot.Animal, r *iot.HerdReport, now time.Time) (worth.Value, error) {
	in := worth.Input{Animals: verified, Region: h.Region, At: now}
	r.Verified = r.Tagged
	if r.Count.Status != unknown {
		high, low := min(r.Tagged, r.Count.High), min(r.Tagged, r.Count.Low)
		r.Verified, in.Cap, in.CapLow = high, &high, &low
	}
	var err error
	if in.Weighings, in.Houses, err = m.weighed(ctx, h.Tenant, h.ID, verified, now); err != nil {
		return worth.Value{}, err
	}
	return worth.Of(m.Species, in)
}

// How far back the readings of scales and the counts of heads in houses are used: most
// readings of a house have no heads, and from an older count the deaths since are taken.
const (
	scales  = 90 * 24 * time.Hour
	counted = 30 * 24 * time.Hour
)

// weighed gathers what the animals weighed: what was entered, and the days' means of
// scales that tags crossed; and the last count of heads in houses of poultry.
func (m *Maker) weighed(ctx context.Context, tenant, herdID string, animals []iot.Animal, now time.Time) (map[string][]iot.Weighing, map[string]worth.House, error) {
	ids, tags := make([]string, 0, len(animals)), make([]string, 0, len(animals))
	var housed []string
	for _, a := range animals {
		ids = append(ids, a.ID)
		if a.TagID != "" {
			tags = append(tags, a.TagID)
		}
		if a.Heads > 0 && a.TagID != "" {
			housed = append(housed, a.TagID)
		}
	}
	all, err := m.Weighings.Weighings(ctx, tenant, ids)
	if err != nil {
		return nil, nil, err
	}
	windows, err := m.crossed(ctx, tenant, herdID, tags, now)
	if err != nil {
		return nil, nil, err
	}
	var heads map[string][]series.Window
	if len(housed) > 0 {
		if heads, err = m.Series.Windows(ctx, tenant, housed, series.Heads, now.Add(-counted).Truncate(time.Hour), now.Add(time.Minute), time.Hour); err != nil {
			return nil, nil, err
		}
	}
	handed, err := m.Herds.Handed(ctx, tenant, herdID)
	if err != nil {
		return nil, nil, err
	}
	houses := make(map[string]worth.House)
	for _, a := range animals {
		since := handed[a.TagID] // what its tag told before is of another animal
		for _, w := range windows[a.TagID] {
			if w.Start.Before(since) {
				continue
			}
			at := w.Start.Add(day / 2)
			if at.After(now) {
				at = now
			}
			all[a.ID] = append(all[a.ID], iot.Weighing{Tenant: tenant, AnimalID: a.ID, At: at, Kg: w.Mean, Method: worth.WalkOver})
		}
		slices.SortStableFunc(all[a.ID], func(x, y iot.Weighing) int { return x.At.Compare(y.At) })
		if l := heads[a.TagID]; a.Heads > 0 && len(l) > 0 && !l[len(l)-1].Start.Before(since) {
			houses[a.ID] = worth.House{Heads: int64(l[len(l)-1].Min), At: l[len(l)-1].Start}
		}
	}
	return all, houses, nil
}

const day = 24 * time.Hour

// scaled is what the tags of a herd weighed on the days before a day, as it was known
// at a time: nobody reads three months of a herd again for every page.
type scaled struct {
	at, day time.Time
	asked   map[string]bool
	windows map[string][]series.Window
}

// remembered is how long; weights of the days before that come late are seen then.
const remembered = 6 * time.Hour

// crossed is the days' means of what each tag weighed.
func (m *Maker) crossed(ctx context.Context, tenant, herdID string, tags []string, now time.Time) (map[string][]series.Window, error) {
	today, key := now.Truncate(day), [2]string{tenant, herdID}
	m.mu.Lock()
	s := m.scaled[key]
	m.mu.Unlock()
	if age := now.Sub(s.at); !s.day.Equal(today) || age < 0 || age > remembered {
		s = scaled{at: now, day: today}
	}
	var fresh []string
	for _, tag := range tags {
		if !s.asked[tag] {
			fresh = append(fresh, tag)
		}
	}
	if len(fresh) > 0 {
		found, err := m.Series.Windows(ctx, tenant, fresh, series.Weight, today.Add(-scales), today, day)
		if err != nil {
			return nil, err
		}
		// A new value, because another report may read the one that is kept.
		next := scaled{at: s.at, day: s.day, asked: make(map[string]bool, len(tags)), windows: make(map[string][]series.Window, len(s.windows)+len(found))}
		maps.Copy(next.asked, s.asked)
		maps.Copy(next.windows, s.windows)
		maps.Copy(next.windows, found)
		for _, tag := range fresh {
			next.asked[tag] = true
		}
		s = next
		m.mu.Lock()
		if m.scaled == nil || len(m.scaled) > most {
			m.scaled = make(map[[2]string]scaled)
		}
		m.scaled[key] = s
		m.mu.Unlock()
	}
	out, err := m.Series.Windows(ctx, tenant, tags, series.Weight, today, now.Add(time.Minute), day)
	if err != nil {
		return nil, err
	}
	for _, tag := range tags {
		if past := s.windows[tag]; len(past) > 0 {
			out[tag] = append(slices.Clone(past), out[tag]...)
		}
	}
	return out, nil
}

// Statuses of a report.
const (
	known   = "known"
	low     = "low_confidence"
	unknown = "unknown"
)

// confidence says how far the report can be relied on: what weighs most comes first.
func confidence(r *iot.HerdReport, v worth.Value) (status, reason string) {
	heard := r.Registered - r.NoData - r.Silent
	contradict := r.Integrity.Carrier + r.Integrity.TwoTags + r.Integrity.TwoPlaces
	switch {
	case heard == 0:
		return unknown, "nothing_heard"
	case float64(heard) < enoughHeard*float64(r.Registered):
		return low, "tags_silent"
	case r.Verified < r.Tagged:
		return low, "counts_short"
	case float64(contradict) > doubtful*float64(r.Registered):
		return low, "tags_doubtful"
	case len(v.Doubts) > 0:
		return low, v.Doubts[0]
	}
	return known, ""
}
