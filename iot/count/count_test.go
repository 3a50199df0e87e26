package count_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/count"
	"github.com/furrowcredit/furrow/iot/series"
)

// A pen of cattle: 150 tags were heard beside the water, the camera saw 120 animals,
// 96 of them with a tag that was read.
func ExampleChapman() {
	n, sd := count.Chapman(150, 120, 96)
	fmt.Printf("%.0f animals, standard deviation %.1f\n", n, sd)
	// Output: 187 animals, standard deviation 5.1
}

func at(hours float64) time.Time { return now.Add(time.Duration(-hours * float64(time.Hour))) }

func person(hours float64, seen int) iot.Headcount {
	return iot.Headcount{HerdID: "h", Device: "vet", Kind: iot.ByPerson, From: at(hours), To: at(hours), Seen: seen}
}

func camera(device string, hours float64, seen int) iot.Headcount {
	return iot.Headcount{HerdID: "h", Device: device, Kind: iot.ByCamera, From: at(hours), To: at(hours), Seen: seen}
}

func pen(id string, h iot.Headcount) iot.Headcount {
	h.PenID = id
	return h
}

func gate(hours float64, seen, out int) iot.Headcount {
	return iot.Headcount{HerdID: "h", Device: "gate", Kind: iot.ByGate, From: at(hours), To: at(hours - 0.1), Seen: seen, Out: out}
}

func herdOf(n int, pen string) []count.Member {
	return slices.Repeat([]count.Member{{PenID: pen, Heard: true, Inside: true}}, n)
}

func TestReconcile(t *testing.T) {
	t.Parallel()
	type want struct {
		status, reason string
		low, high      [2]int // between
	}
	for name, c := range map[string]struct {
		e    count.Evidence
		want want
	}{
		"nobody counted": {count.Evidence{Members: herdOf(100, "")}, want{"unknown", count.NoCounts, [2]int{0, 0}, [2]int{0, 0}}},
		"a person counted": {count.Evidence{Members: herdOf(100, ""), Counts: []iot.Headcount{person(5, 100)}},
			want{"known", "", [2]int{90, 100}, [2]int{100, 110}}},
		"a person counted last month": {count.Evidence{Members: herdOf(100, ""), Counts: []iot.Headcount{person(700, 100)}},
			want{"low_confidence", count.CountsOld, [2]int{90, 100}, [2]int{100, 110}}},
		"a camera nobody compared says little": {count.Evidence{Members: herdOf(100, ""), Counts: []iot.Headcount{camera("a", 2, 75), camera("a", 5, 76)}},
			want{"known", "", [2]int{60, 80}, [2]int{130, 400}}},
		"a camera that was compared says more": {count.Evidence{Members: herdOf(100, ""), Counts: []iot.Headcount{
			camera("a", 600, 74), person(600, 100), camera("a", 624, 77), person(624, 100), camera("a", 648, 75), person(648, 100),
			camera("a", 2, 75), camera("a", 5, 76)}},
			want{"known", "", [2]int{75, 98}, [2]int{102, 130}}},
		"a bucket of tags: the compared camera sees half of them": {count.Evidence{Members: herdOf(100, ""), Counts: []iot.Headcount{
			camera("a", 600, 74), person(600, 100), camera("a", 624, 77), person(624, 100), camera("a", 648, 75), person(648, 100),
			camera("a", 2, 38), camera("a", 5, 37), camera("a", 8, 39)}},
			want{"known", "", [2]int{30, 48}, [2]int{52, 80}}},
		"many animals without a tag": {count.Evidence{Members: herdOf(40, ""), Counts: []iot.Headcount{person(5, 100)}},
			want{"known", "", [2]int{90, 100}, [2]int{100, 110}}},
		"one camera of three lies": {count.Evidence{Members: herdOf(50, ""), Counts: []iot.Headcount{
			camera("a", 600, 40), camera("b", 600, 45), camera("liar", 600, 40), person(600, 50),
			camera("a", 624, 41), camera("b", 624, 46), camera("liar", 624, 40), person(624, 50),
			camera("a", 648, 40), camera("b", 648, 44), camera("liar", 648, 41), person(648, 50),
			camera("a", 2, 40), camera("b", 2, 45), camera("liar", 2, 160),
			camera("a", 5, 39), camera("b", 5, 44), camera("liar", 5, 161), camera("a", 8, 40), camera("b", 8, 45), camera("liar", 8, 158)}},
			want{"low_confidence", count.Disagree, [2]int{40, 50}, [2]int{50, 65}}},
		"a dark camera does not outvote a person": {count.Evidence{Members: herdOf(100, ""), Counts: []iot.Headcount{
			camera("a", 50, 0), person(5, 100), camera("a", 5, 0), camera("a", 2, 0)}},
			want{"low_confidence", count.Disagree, [2]int{90, 100}, [2]int{100, 110}}},
		"a camera that saw them and sees none any more is believed": {count.Evidence{Members: herdOf(100, ""), Counts: []iot.Headcount{
			camera("a", 50, 75), person(50, 100), camera("a", 26, 0), camera("a", 14, 0), camera("a", 2, 0)}},
			want{"low_confidence", count.Disagree, [2]int{0, 80}, [2]int{0, 400}}},
		"a camera alone with empty pictures is believed: tags may lie there": {count.Evidence{Members: herdOf(100, ""), Counts: []iot.Headcount{
			camera("a", 5, 0), camera("a", 2, 0)}},
			want{"known", "", [2]int{0, 0}, [2]int{0, 400}}},
		"pens add up": {count.Evidence{Members: append(herdOf(30, "p1"), herdOf(20, "p2")...), Pens: []string{"p1", "p2"},
			Counts: []iot.Headcount{pen("p1", person(5, 30)), pen("p2", person(5, 20))}},
			want{"known", "", [2]int{44, 50}, [2]int{50, 58}}},
		"a pen nobody counted may hold all of its animals or none": {count.Evidence{Members: append(herdOf(30, "p1"), herdOf(20, "p2")...),
			Pens: []string{"p1", "p2"}, Counts: []iot.Headcount{pen("p1", person(5, 30))}},
			want{"low_confidence", count.PensUncounted, [2]int{26, 30}, [2]int{50, 56}}},
		"six calves were born since": {count.Evidence{Members: herdOf(56, ""), Counts: []iot.Headcount{person(50, 50)},
			Changes: slices.Repeat([]count.Change{{At: at(10), Delta: 1}}, 6)},
			want{"known", "", [2]int{50, 56}, [2]int{56, 62}}},
		"tags matched": {count.Evidence{Members: herdOf(150, ""), Counts: []iot.Headcount{matched(2, 120, 96), matched(5, 118, 94)},
			Heard: func(string, time.Time, time.Time) int { return 150 }},
			want{"known", "", [2]int{100, 178}, [2]int{184, 215}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, _ := count.DefaultConfig().Reconcile(c.e, now)
			if got.Status != c.want.status || got.Reason != c.want.reason {
				t.Errorf("%s %s, want %s %s", got.Status, got.Reason, c.want.status, c.want.reason)
			}
			if w := c.want; got.Low < w.low[0] || got.Low > w.low[1] || got.High < w.high[0] || got.High > w.high[1] {
				t.Errorf("%+v, want low within %v and high within %v", got, w.low, w.high)
			}
			if got.Estimate < float64(got.Low) || got.Estimate > float64(got.High) || got.Tags != len(c.e.Members) {
				t.Errorf("%+v", got)
			}
		})
	}
}

func matched(hours float64, seen, m int) iot.Headcount {
	h := camera("a", hours, seen)
	h.Matched = &m
	return h
}

// A picture more of the same window is no count more, whoever sends it how often.
func TestPicturesOfOneWindowAreOneCount(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		seen := rapid.IntRange(0, 200).Draw(t, "seen")
		pictures := rapid.IntRange(1, 20).Draw(t, "pictures")
		one, _ := count.DefaultConfig().Reconcile(count.Evidence{Counts: []iot.Headcount{camera("a", 2, seen)}}, now)
		var many []iot.Headcount
		for k := range pictures {
			h := camera("a", 2, seen)
			h.From = h.From.Add(time.Duration(k) * time.Minute)
			h.To, h.Picture = h.From, fmt.Sprint(k)
			many = append(many, h)
		}
		got, _ := count.DefaultConfig().Reconcile(count.Evidence{Counts: many}, now)
		got.LastAt, one.LastAt = nil, nil
		if d := cmp.Diff(one, got); d != "" {
			t.Fatal(d)
		}
	})
}

// Animals that pass a gate to and fro are not more animals.
func TestAGateCountsWhatMovedAndNotWhoWentToAndFro(t *testing.T) {
	t.Parallel()
	_, calm := count.DefaultConfig().Reconcile(count.Evidence{Counts: []iot.Headcount{gate(9, 60, 60), gate(1, 60, 0)}}, now)
	_, busy := count.DefaultConfig().Reconcile(count.Evidence{Counts: []iot.Headcount{
		gate(9, 60, 60), gate(6, 40, 20), gate(5, 30, 15), gate(4, 10, 5), gate(1, 60, 0)}}, now)
	if calm[0].Seen != 60 || busy[0].Seen != 60 || calm[0].High != busy[0].High || calm[0].Low > 60 {
		t.Errorf("calm %+v, busy %+v", calm[0], busy[0])
	}
}

func TestReconcileIsTheSameInAnyOrder(t *testing.T) {
	t.Parallel()
	counts := []iot.Headcount{camera("a", 600, 40), person(600, 50), camera("a", 2, 40), camera("b", 2, 45), camera("a", 5, 39), person(30, 49), gate(3, 50, 50)}
	want, wantPens := count.DefaultConfig().Reconcile(count.Evidence{Counts: slices.Clone(counts), Members: herdOf(50, "")}, now)
	slices.Reverse(counts)
	got, gotPens := count.DefaultConfig().Reconcile(count.Evidence{Counts: counts, Members: herdOf(50, "")}, now)
	if d := cmp.Diff(want, got) + cmp.Diff(wantPens, gotPens); d != "" {
		t.Error(d)
	}
}

// memory is a count.Store and count.Readings for tests.
type memory struct {
	counts []iot.Headcount
	heard  map[string][]time.Time
}

func (m *memory) AddHeadcounts(_ context.Context, counts []iot.Headcount) error {
	for _, h := range counts {
		if !slices.ContainsFunc(m.counts, func(o iot.Headcount) bool {
			return o.Device == h.Device && o.From.Equal(h.From) && o.To.Equal(h.To) && o.Picture == h.Picture
		}) {
			m.counts = append(m.counts, h)
		}
	}
	return nil
}

func (m *memory) Headcounts(_ context.Context, _, herd string, kind iot.CountKind, from, to time.Time) ([]iot.Headcount, error) {
	var out []iot.Headcount
	for _, h := range m.counts {
		if h.HerdID == herd && (kind == "" || h.Kind == kind) && !h.To.Before(from) && h.To.Before(to) {
			out = append(out, h)
		}
	}
	slices.SortFunc(out, func(a, b iot.Headcount) int { return a.To.Compare(b.To) })
	return out, nil
}

func (m *memory) Windows(_ context.Context, _ string, tags []string, _ series.Measure, from, to time.Time, step time.Duration) (map[string][]series.Window, error) {
	out := map[string][]series.Window{}
	for _, tag := range tags {
		for _, at := range m.heard[tag] {
			if !at.Before(from) && at.Before(to) {
				out[tag] = series.Add(out[tag], from, step, at, 0)
			}
		}
	}
	return out, nil
}

// The tags of a herd go on reporting from inside the fence while the animals leave:
// the bank must be told once, and again when the count is right again.
func TestShortCountsAreRaisedAndCleared(t *testing.T) {
	t.Parallel()
	ctx, m := context.Background(), &memory{heard: map[string][]time.Time{}}
	var events []iot.Event
	refuse := true
	s := &count.Service{Store: m, Readings: m, Now: func() time.Time { return now }, Raise: func(_ context.Context, e iot.Event) error {
		if refuse {
			refuse = false
			return errors.New("busy")
		}
		events = append(events, e)
		return nil
	}}
	h := iot.Herd{ID: "h", Tenant: "t", Name: "一号牧场"}
	var animals []iot.Animal
	var states []iot.AnimalState
	for i := range 100 {
		id := fmt.Sprint(i)
		animals = append(animals, iot.Animal{ID: id, HerdID: "h", TagID: "t" + id})
		states = append(states, iot.AnimalState{AnimalID: id, Status: "inside", LastHeard: &now})
	}
	animals = append(animals, iot.Animal{ID: "dead", Status: iot.Dead, TagID: "x"})
	if err := s.AddHeadcounts(ctx, []iot.Headcount{person(5, 60)}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Review(ctx, h, animals, states, now); err == nil {
		t.Error("a refused event was forgotten")
	}
	sum, _, err := s.Review(ctx, h, animals, states, now)
	if err != nil || sum.Tags != 100 || sum.High > 70 {
		t.Fatal(err, sum)
	}
	m.counts = nil
	if err := s.AddHeadcounts(ctx, []iot.Headcount{person(1, 101)}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, _, err := s.Review(ctx, h, animals, states, now); err != nil {
			t.Fatal(err)
		}
	}
	if len(events) != 2 || events[0].Kind != iot.CountShort || events[0].Cleared || !events[1].Cleared || events[0].Severity != "critical" {
		t.Fatalf("%+v", events)
	}
	if e := events[0].Evidence; e["tags"] != "100" || e["seen"] != "60" || e["high"] == "" || e["windows"] != "1" {
		t.Errorf("%v", e)
	}
}

// A camera is compared with the people who counted beside it weeks ago, and only
// these weeks are read.
func TestOldComparisonsAreFound(t *testing.T) {
	t.Parallel()
	ctx, m := context.Background(), &memory{}
	s := &count.Service{Store: m, Now: func() time.Time { return now }}
	recent := []iot.Headcount{camera("a", 2, 75), camera("a", 5, 76)}
	if err := s.AddHeadcounts(ctx, recent); err != nil {
		t.Fatal(err)
	}
	alone, _, err := s.Estimate(ctx, iot.Herd{ID: "h"}, nil, nil, now)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.AddHeadcounts(ctx, []iot.Headcount{camera("a", 600, 74), person(600, 100), camera("a", 624, 77), person(624, 100), camera("a", 648, 75), person(648, 100)}); err != nil {
		t.Fatal(err)
	}
	compared, pens, err := s.Estimate(ctx, iot.Herd{ID: "h"}, nil, nil, now)
	if err != nil || compared.Windows != 2 || compared.High-compared.Low > (alone.High-alone.Low)/2 {
		t.Errorf("%v: alone %+v, compared %+v", err, alone, compared)
	}
	if d := pens[0].Devices[0]; d.Ratio < 0.7 || d.Ratio > 0.8 {
		t.Errorf("a camera that shows three of four: %+v", d)
	}
}

// Matches are set against the tags that were heard about the count, in its pen.
func TestMatchesUseTheTagsHeardThen(t *testing.T) {
	t.Parallel()
	ctx, m := context.Background(), &memory{heard: map[string][]time.Time{}}
	s := &count.Service{Store: m, Readings: m, Now: func() time.Time { return now }}
	var animals []iot.Animal
	for i := range 60 {
		id := fmt.Sprint(i)
		a := iot.Animal{ID: id, HerdID: "h", TagID: "t" + id, PenID: "p1"}
		if i >= 40 {
			a.PenID = "p2"
		}
		// The slowest speak once an hour, and not just when the camera looks; what was
		// heard a day before or after says nothing.
		m.heard[a.TagID] = []time.Time{at(29), at(5 - 0.9 + float64(i%20)/10), at(-1)}
		if i < 10 {
			m.heard[a.TagID] = []time.Time{at(29), at(-1)} // lost, or in another place
		}
		animals = append(animals, a)
	}
	if err := s.AddHeadcounts(ctx, []iot.Headcount{pen("p1", matched(5, 30, 24))}); err != nil {
		t.Fatal(err)
	}
	_, pens, err := s.Estimate(ctx, iot.Herd{ID: "h"}, animals, nil, now)
	if err != nil || len(pens) != 1 {
		t.Fatal(err, pens)
	}
	if e, _ := count.Chapman(30, 30, 24); pens[0].Estimate < e-7 || pens[0].Estimate > e+7 {
		t.Errorf("%+v, Chapman says %.0f", pens[0], e)
	}
}

func TestBadCountsAreRefusedWhole(t *testing.T) {
	t.Parallel()
	m := &memory{}
	s := &count.Service{Store: m, Now: func() time.Time { return now }}
	for name, change := range map[string]func(h *iot.Headcount){
		"device":   func(h *iot.Headcount) { h.Device = "" },
		"kind":     func(h *iot.Headcount) { h.Kind = "drone" },
		"window":   func(h *iot.Headcount) { h.To = h.From.Add(-time.Second) },
		"day":      func(h *iot.Headcount) { h.To = h.From.Add(25 * time.Hour) },
		"negative": func(h *iot.Headcount) { h.Seen = -1 },
		"out":      func(h *iot.Headcount) { h.Out = 1 },
		"matched":  func(h *iot.Headcount) { more := h.Seen + 1; h.Matched = &more },
		"picture":  func(h *iot.Headcount) { h.Picture = strings.Repeat("Z", 64) },
	} {
		bad := camera("a", 2, 5)
		change(&bad)
		if err := s.AddHeadcounts(context.Background(), []iot.Headcount{camera("a", 1, 5), bad}); !errors.Is(err, count.ErrCount) || len(m.counts) > 0 {
			t.Errorf("%s: %v, saved %d", name, err, len(m.counts))
		}
	}
}

// Large counts are reckoned in another way; nothing may jump where it begins.
func TestLargeCountsAreReckonedAlike(t *testing.T) {
	t.Parallel()
	for name, of := range map[string]func(seen int) []iot.Headcount{
		"camera": func(seen int) []iot.Headcount {
			return []iot.Headcount{camera("a", 2, seen), camera("a", 5, seen), camera("a", 8, seen)}
		},
		"person": func(seen int) []iot.Headcount { return []iot.Headcount{person(5, seen)} },
		"compared": func(seen int) []iot.Headcount {
			return []iot.Headcount{camera("a", 600, seen), person(600, 250), camera("a", 630, seen), person(630, 250), camera("a", 2, seen)}
		},
	} {
		small, _ := count.DefaultConfig().Reconcile(count.Evidence{Counts: of(199)}, now)
		large, _ := count.DefaultConfig().Reconcile(count.Evidence{Counts: of(200)}, now)
		for _, pair := range [][2]float64{{float64(small.Low), float64(large.Low)}, {small.Estimate, large.Estimate}, {float64(small.High), float64(large.High)}} {
			if pair[1] < 0.93*pair[0] || pair[1] > 1.07*pair[0] {
				t.Errorf("%s: %+v, one more %+v", name, small, large)
			}
		}
	}
}

// Large herds are thought of in steps; a step must not make no animals at all likelier
// than they are.
func TestIntervalsGrowWithTheHerd(t *testing.T) {
	t.Parallel()
	for name, of := range map[string]func(seen int) []iot.Headcount{
		"person":  func(seen int) []iot.Headcount { return []iot.Headcount{person(5, seen)} },
		"cameras": func(seen int) []iot.Headcount { return []iot.Headcount{camera("a", 2, seen), camera("b", 5, seen)} },
		"gate":    func(seen int) []iot.Headcount { return []iot.Headcount{gate(5, seen, 0), gate(3, seen, seen)} },
	} {
		last := iot.HerdCount{}
		for _, n := range []int{0, 1, 5, 20, 80, 300, 1000, 5000, 20_000} {
			got, _ := count.DefaultConfig().Reconcile(count.Evidence{Counts: of(n), Members: herdOf(n, "")}, now)
			if got.Low < last.Low || got.High <= last.High && n > 0 || float64(got.Low) > got.Estimate || got.Estimate > float64(got.High) {
				t.Errorf("%s: of %d seen %d, %.0f, %d, after %d, %.0f, %d", name, n, got.Low, got.Estimate, got.High, last.Low, last.Estimate, last.High)
			}
			if n >= 20 && got.Low < 2*n/5 {
				t.Errorf("%s saw %d and may have seen %d", name, n, got.Low)
			}
			last = got
		}
	}
}

// A herd of three thousand with three cameras that count every hour.
func BenchmarkReconcile(b *testing.B) {
	var counts []iot.Headcount
	for k := range 72 {
		for i, c := range []string{"a", "b", "c"} {
			counts = append(counts, camera(c, float64(k), 2000+100*i+k%17))
		}
	}
	e := count.Evidence{Counts: counts, Members: herdOf(3000, "")}
	for b.Loop() {
		count.DefaultConfig().Reconcile(e, now)
	}
}
