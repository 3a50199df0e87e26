package count

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/series"
)

// ErrCount is returned for a count that cannot be.
var ErrCount = fault.New(fault.Invalid, "count.value", "the count is not usable: {why}")

// Store keeps counts. Implemented in store/herd.
type Store interface {
	// AddHeadcounts saves counts, all or none. A count of the same pen, device,
	// times and picture is the same count: saving it again changes nothing.
	AddHeadcounts(ctx context.Context, counts []iot.Headcount) error
	// Headcounts returns the counts of a herd, of one kind or of all (""), whose
	// window ends in [from, to), in the order of their ends.
	Headcounts(ctx context.Context, tenant, herd string, kind iot.CountKind, from, to time.Time) ([]iot.Headcount, error)
}

// Readings tells when tags were heard; series.Store is one.
type Readings interface {
	Windows(ctx context.Context, tenant string, tags []string, m series.Measure, from, to time.Time, step time.Duration) (map[string][]series.Window, error)
}

// Service takes counts in and sets them against the tags.
type Service struct {
	Store Store
	Now   func() time.Time
	// Readings tells which tags were heard in the windows of counts with matches;
	// without it matches are not used.
	Readings Readings
	// Lives are those of the animals that came, left or changed their pen in a time;
	// iot.Registry has it. Without it only births are known.
	Lives func(ctx context.Context, tenant, herdID string, from, to time.Time) ([]iot.Life, error)
	// Raise is told when Review finds more tags than the counts support, and when
	// that is over.
	Raise  func(ctx context.Context, e iot.Event) error
	Config *Config // nil means DefaultConfig

	mu    sync.Mutex
	short map[string]bool // by tenant and herd: what Raise was last told
}

func (s *Service) config() Config {
	if s.Config != nil {
		return *s.Config
	}
	return DefaultConfig()
}

// Limits of one count.
const (
	maxSeen   = 100_000
	maxWindow = 24 * time.Hour
)

// Check returns ErrCount for a count that cannot be.
func Check(h *iot.Headcount) error {
	bad := func(why string) error { return ErrCount.With("why", why) }
	switch {
	case h.Device == "" || h.HerdID == "":
		return bad("it names no device or no herd")
	case h.Kind != iot.ByCamera && h.Kind != iot.ByGate && h.Kind != iot.ByPerson:
		return bad("kind must be camera, gate or person")
	case h.From.IsZero() || h.To.Before(h.From) || h.To.Sub(h.From) > maxWindow:
		return bad("its window must end after it begins, within 24 hours")
	case h.Seen < 0 || h.Seen > maxSeen:
		return bad("seen must be between 0 and 100000")
	case h.Out < 0 || h.Out > h.Seen || h.Out > 0 && h.Kind != iot.ByGate:
		return bad("out must be between 0 and seen, and only gates have it")
	case h.Matched != nil && (*h.Matched < 0 || *h.Matched > h.Seen):
		return bad("matched must be between 0 and seen")
	case h.Picture != "" && !hash(h.Picture):
		return bad("picture must be the SHA-256 of the picture in 64 hexadecimal digits")
	}
	return nil
}

func hash(s string) bool {
	if len(s) != 64 {
		return false
	}
	for _, c := range s {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// AddHeadcounts saves counts, all or none; when it returns nil they are on disk. The
// same count twice changes nothing. ErrCount.
func (s *Service) AddHeadcounts(ctx context.Context, counts []iot.Headcount) error {
	in := make([]iot.Headcount, len(counts))
	for i, h := range counts {
		if err := Check(&h); err != nil {
			return err
		}
		if h.ID == "" {
			h.ID = ident.New()
		}
		if h.Received.IsZero() {
			h.Received = s.Now()
		}
		in[i] = h
	}
	return s.Store.AddHeadcounts(ctx, in)
}

// Headcounts returns the counts of a herd whose window ends in [from, to), oldest first.
func (s *Service) Headcounts(ctx context.Context, tenant, herd string, from, to time.Time) ([]iot.Headcount, error) {
	return s.Store.Headcounts(ctx, tenant, herd, "", from, to)
}

// Estimate is how many animals the counts of a herd support, and those of each pen.
func (s *Service) Estimate(ctx context.Context, h iot.Herd, animals []iot.Animal, states []iot.AnimalState, now time.Time) (iot.HerdCount, []PenCount, error) {
	cfg := s.config()
	counts, err := s.counts(ctx, cfg, h, now)
	if err != nil {
		return iot.HerdCount{}, nil, err
	}
	e := Evidence{Counts: counts}
	for _, p := range h.Pens {
		e.Pens = append(e.Pens, p.ID)
	}
	var since time.Time // the first window that is used
	if len(counts) > 0 {
		since = counts[len(counts)-1].To.Add(-cfg.Period)
	}
	e.Members = members(animals, states, since)
	e.Changes, err = s.changes(ctx, h, animals, since, now)
	if err != nil {
		return iot.HerdCount{}, nil, err
	}
	if e.Heard, err = s.heard(ctx, h.Tenant, animals, states, counts, since); err != nil {
		return iot.HerdCount{}, nil, err
	}
	sum, pens := cfg.Reconcile(e, now)
	return sum, pens, nil
}

// comparisons are how many older counts of people are looked at, newest first.
const comparisons = 20

// counts reads what an estimate needs: the last counts, and what others counted
// beside people before, but not the months of pictures between.
func (s *Service) counts(ctx context.Context, cfg Config, h iot.Herd, now time.Time) ([]iot.Headcount, error) {
	end := now.Add(time.Second)
	from := now.Add(-cfg.Old - cfg.Period)
	last, err := s.Store.Headcounts(ctx, h.Tenant, h.ID, "", from, end)
	if err == nil && len(last) == 0 {
		from = now.Add(-cfg.Learn)
		last, err = s.Store.Headcounts(ctx, h.Tenant, h.ID, "", from, end)
	}
	if err != nil || len(last) == 0 {
		return nil, err
	}
	people, err := s.Store.Headcounts(ctx, h.Tenant, h.ID, iot.ByPerson, now.Add(-cfg.Learn), from)
	if err != nil {
		return nil, err
	}
	people = people[max(len(people)-comparisons, 0):]
	seen := map[string]bool{}
	var out []iot.Headcount
	for _, p := range people {
		beside, err := s.Store.Headcounts(ctx, h.Tenant, h.ID, "", p.From.Add(-cfg.Window), p.To.Add(cfg.Window))
		if err != nil {
			return nil, err
		}
		for _, b := range beside {
			if !seen[b.ID] && b.To.Before(from) {
				seen[b.ID] = true
				out = append(out, b)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b iot.Headcount) int { return a.To.Compare(b.To) })
	return append(out, last...), nil
}

// members are the animals that are said to be there.
func members(animals []iot.Animal, states []iot.AnimalState, since time.Time) []Member {
	state := make(map[string]*iot.AnimalState, len(states))
	for i := range states {
		state[states[i].AnimalID] = &states[i]
	}
	var out []Member
	for _, a := range animals {
		if !a.Here() {
			continue
		}
		m := Member{PenID: a.PenID}
		if s := state[a.ID]; s != nil {
			m.Heard = s.LastHeard != nil && !s.LastHeard.Before(since)
			m.Inside = s.Status == "inside"
			if s.PenID != "" {
				m.PenID = s.PenID
			}
		}
		out = append(out, m)
	}
	return out
}

// changes are those of a herd after from and until to.
func (s *Service) changes(ctx context.Context, h iot.Herd, animals []iot.Animal, from, to time.Time) ([]Change, error) {
	var lives []iot.Life
	if s.Lives != nil {
		var err error
		if lives, err = s.Lives(ctx, h.Tenant, h.ID, from, to); err != nil {
			return nil, err
		}
	}
	return passages(h.ID, animals, lives, from, to), nil
}

// passages are the changes that lives tell of a herd, and the births of its other
// animals. An animal that was only taken up in the time was there before, or was born.
func passages(herd string, animals []iot.Animal, lives []iot.Life, from, to time.Time) []Change {
	var out []Change
	add := func(at time.Time, pen string, delta int) {
		if at.After(from) && !at.After(to) {
			out = append(out, Change{at, pen, delta})
		}
	}
	told := make(map[string]bool, len(lives))
	for _, l := range lives {
		told[l.Animal.ID] = true
		for _, s := range l.Stays {
			if s.HerdID != herd {
				continue
			}
			came := s.From
			if s.Taken {
				came = l.Animal.Born
			}
			add(came, s.PenID, 1)
			if s.To != nil {
				add(*s.To, s.PenID, -1)
			}
		}
	}
	for _, a := range animals {
		if a.Here() && !told[a.ID] {
			add(a.Born, a.PenID, 1)
		}
	}
	return out
}

// slack is how long before and after a count a tag may be heard to be there then: the
// slowest tags speak once an hour, and a message may be lost.
const slack = 2 * time.Hour

// presence is the hours in which a tag was heard, a bit each, and where it belongs.
type presence struct {
	pen   string
	hours []uint64
}

// heard reads once when the tags were heard about the counts with matches that are not
// older than since. It returns how many tags of a pen ("" the herd) were heard about a
// window; nil when no count has matches.
func (s *Service) heard(ctx context.Context, tenant string, animals []iot.Animal, states []iot.AnimalState, counts []iot.Headcount, since time.Time) (func(pen string, from, to time.Time) int, error) {
	var first, last time.Time
	for _, h := range counts {
		if h.Matched == nil || h.To.Before(since) {
			continue
		}
		if first.IsZero() {
			first, last = h.From, h.To
		}
		first, last = earlier(first, h.From), later(last, h.To)
	}
	if s.Readings == nil || first.IsZero() {
		return nil, nil
	}
	first = first.Add(-slack)
	hour := func(at time.Time) int { return int(at.Sub(first) / time.Hour) }
	words := hour(last.Add(slack))/64 + 1
	where := make(map[string]string, len(states))
	for _, st := range states {
		where[st.AnimalID] = st.PenID
	}
	all, byTag, tags := make([]presence, 0, len(animals)), make(map[string]int, len(animals)), make([]string, 0, len(animals))
	for _, a := range animals {
		if a.TagID == "" {
			continue
		}
		byTag[a.TagID], tags = len(all), append(tags, a.TagID)
		all = append(all, presence{cmp.Or(where[a.ID], a.PenID), make([]uint64, words)})
	}
	const together = 1000 // tags whose hours are in memory at once
	for part := range slices.Chunk(tags, together) {
		windows, err := s.Readings.Windows(ctx, tenant, part, series.Received, first, last.Add(slack), time.Hour)
		if err != nil {
			return nil, err
		}
		for tag, list := range windows {
			for _, w := range list {
				i := hour(w.Start)
				all[byTag[tag]].hours[i/64] |= 1 << (i % 64)
			}
		}
	}
	return func(pen string, from, to time.Time) int {
		low, high, n := max(hour(from.Add(-slack)), 0), min(hour(to.Add(slack)), 64*words-1), 0
		for _, p := range all {
			if pen != "" && p.pen != pen {
				continue
			}
			for i := low; i <= high; i++ {
				if p.hours[i/64]&(1<<(i%64)) != 0 {
					n++
					break
				}
			}
		}
		return n
	}, nil
}

// Review estimates a herd and tells Raise whether its tags claim more animals than
// the counts support: the tags of animals believed inside are far above the interval, or
// above a bound that is sure, because many herds are looked at again and again. An alarm
// ends within the interval.
// What Raise refuses is told again the next time.
func (s *Service) Review(ctx context.Context, h iot.Herd, animals []iot.Animal, states []iot.AnimalState, now time.Time) (iot.HerdCount, []PenCount, error) {
	sum, pens, err := s.Estimate(ctx, h, animals, states, now)
	if err != nil || s.Raise == nil || sum.Status == "unknown" || sum.Reason == CountsOld {
		return sum, pens, err
	}
	claimed := 0
	for _, m := range members(animals, states, time.Time{}) {
		if m.Inside {
			claimed++
		}
	}
	s.mu.Lock()
	was, told := s.short[h.Tenant+"/"+h.ID]
	s.mu.Unlock()
	short := claimed > sum.Most || far(claimed, sum) || was && claimed > sum.High
	if told && was == short && !short {
		return sum, pens, nil
	}
	if err := s.Raise(ctx, shortage(h, sum, claimed, !short)); err != nil {
		return sum, pens, fmt.Errorf("count: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.short == nil {
		s.short = map[string]bool{}
	}
	s.short[h.Tenant+"/"+h.ID] = short
	return sum, pens, nil
}

// far tells whether more than a tenth of the animals are missing.
func far(claimed int, c iot.HerdCount) bool { return claimed > c.High+c.High/10 }

// shortage is the event of more tags than animals, or its end.
func shortage(h iot.Herd, c iot.HerdCount, claimed int, over bool) iot.Event {
	e := iot.Event{Tenant: h.Tenant, Kind: iot.CountShort, HerdID: h.ID, Subject: h.ID, Label: h.Name, Cleared: over, Severity: "warning",
		Evidence: map[string]string{"tags": strconv.Itoa(claimed), "seen": strconv.Itoa(c.Seen), "low": strconv.Itoa(c.Low), "high": strconv.Itoa(c.High),
			"estimate": strconv.FormatFloat(c.Estimate, 'f', 0, 64), "windows": strconv.Itoa(c.Windows)}}
	if c.LastAt != nil {
		e.At = *c.LastAt
	}
	if far(claimed, c) {
		e.Severity = "critical"
	}
	return e
}
