package watch

import (
	"math"
	"slices"
	"time"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/iot/watch/double"
	"github.com/furrowcredit/furrow/iot/watch/fence"
)

const (
	maxPairs = 3                // others that a tag is compared with at once
	meetWay  = 15.0             // m: a way after which a tag looks who came along
	meetTime = 10 * time.Minute // between two that came along
)

// meet compares a tag that moved from a to b with those that may be on the same body,
// and after a way looks for others that came along.
func (t *track) meet(a, b fence.Fix) {
	if a.At.IsZero() {
		t.anchor = [2]float32{float32(b.P[0]), float32(b.P[1])}
		return
	}
	kept := t.pairs[:0]
	for i := range t.pairs {
		if t.compare(&t.pairs[i], a, b) {
			kept = append(kept, t.pairs[i])
		}
	}
	clear(t.pairs[len(kept):])
	t.pairs = kept
	way := math.Hypot(b.P[0]-float64(t.anchor[0]), b.P[1]-float64(t.anchor[1]))
	if way < meetWay+3*t.sigma(b) {
		return
	}
	h := t.herd
	if old, ok := double.CellOf(orb.Point{float64(t.anchor[0]), float64(t.anchor[1])}); ok && h.grid[old] == t {
		delete(h.grid, old)
	}
	t.anchor = [2]float32{float32(b.P[0]), float32(b.P[1])}
	here, ok := double.CellOf(b.P)
	if !ok {
		return
	}
	for _, c := range here.Around() {
		o := h.grid[c]
		if o == nil || o == t || b.At.Sub(o.gate.Last.At).Abs() > meetTime {
			continue
		}
		if t.ID < o.ID {
			t.follow(o, b.At)
		} else {
			o.follow(t, b.At)
		}
	}
	if h.grid == nil {
		h.grid = make(map[double.Cell]*track)
	}
	h.grid[here] = t
}

// follow starts to compare another tag. Of two tags the one whose animal has the
// smaller id does it.
func (t *track) follow(o *track, now time.Time) {
	if slices.ContainsFunc(t.pairs, func(p pairing) bool { return p.other == o }) {
		return
	}
	if t.pairs == nil {
		t.pairs = make([]pairing, 0, maxPairs)
	}
	if len(t.pairs) == maxPairs {
		stale := func(p pairing) bool { return p.pair.Stale(now) }
		if t.pairs = slices.DeleteFunc(t.pairs, stale); len(t.pairs) == maxPairs {
			return
		}
	}
	t.pairs = append(t.pairs, pairing{o, double.NewPair(now)})
}

// compare takes the moment of the other's last fix, when it lies on the way of this
// tag: there this tag is on the line between its own two fixes. It tells whether the
// two can still be one body.
func (t *track) compare(p *pairing, a, b fence.Fix) bool {
	o := p.other.gate.Last
	if p.other.herd != t.herd || b.At.Sub(o.At) > 24*time.Hour {
		return false
	}
	if o.At.Before(a.At) || o.At.After(b.At) {
		return true
	}
	dt := b.At.Sub(a.At).Seconds()
	if dt <= 0 || dt > 1800 {
		return true
	}
	k := o.At.Sub(a.At).Seconds() / dt
	dx, dy := b.P[0]-a.P[0], b.P[1]-a.P[1]
	at := orb.Point{a.P[0] + k*dx, a.P[1] + k*dy}
	// An animal does not walk straight: in the middle of a way it may be a sixth of
	// the way beside the line.
	bend := 4 * k * (1 - k) * math.Hypot(dx, dy) / 6
	return p.pair.Step(o.At, at, o.P, math.Hypot(t.sigma(b), bend), p.other.sigma(o))
}

// twin is the other tag on the same body, or nil.
func (t *track) twin() *pairing {
	told := t.matter(pairMatter) != nil
	for i := range t.pairs {
		if p := &t.pairs[i]; p.pair.One() || told && p.pair.Still() {
			return p
		}
	}
	return nil
}
