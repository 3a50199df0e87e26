package boundary

import (
	"cmp"
	"container/heap"
	"math"
	"slices"
)

// region is a piece of land: connected pixels.
type region struct {
	pixels []int32
	sum    []float64 // of the layers
	next   []border
	turn   int // changes when the region does: edges of before are stale
}

// border is the common edge with a neighbour.
type border struct {
	region int32
	length float64 // pixels
}

// beside gives the place of a neighbour in the list, -1 for none.
func (r *region) beside(n int32) int {
	return slices.IndexFunc(r.next, func(b border) bool { return b.region == n })
}

// drop takes a neighbour off the list.
func (r *region) drop(n int32) {
	i := r.beside(n)
	r.next[i] = r.next[len(r.next)-1]
	r.next = r.next[:len(r.next)-1]
}

// join adds to the edge with a neighbour.
func (r *region) join(n int32, length float64) {
	i := r.beside(n)
	if i < 0 {
		i = len(r.next)
		r.next = append(r.next, border{region: n})
	}
	r.next[i].length += length
}

// edge is a pair of neighbours with the cost of merging them.
type edge struct {
	cost         float64
	a, b         int32
	turnA, turnB int
}

type queue []edge

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(q[i].cost, q[j].cost), cmp.Compare(q[i].a, q[j].a), cmp.Compare(q[i].b, q[j].b)) < 0
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(edge)) }
func (q *queue) Pop() any {
	old := *q
	x := old[len(old)-1]
	*q = old[:len(old)-1]
	return x
}

// merger merges neighbouring regions, the least costly pair first. The cost is that
// of the piecewise constant model of Mumford and Shah (1989) in the form of Koepfler,
// Lopez and Morel (1994): how much more the pixels differ from the mean of their
// region after the merger, for each pixel of edge that goes away,
//
//	|A||B| / (|A|+|B|) · mean squared difference of the means / length of the edge.
type merger struct {
	layers  int
	regions []*region
	queue   queue
	own     int32 // the region of the tapped pixel
}

func newMerger(v *view) *merger {
	w, h := v.window.W, v.window.H
	m := &merger{layers: len(v.layers), regions: make([]*region, w*h), own: int32(v.tap)}
	for i := range m.regions {
		r := &region{pixels: []int32{int32(i)}, sum: make([]float64, m.layers)}
		for l, layer := range v.layers {
			r.sum[l] = layer[i]
		}
		x, y := i%w, i/w
		for _, n := range [4][2]int{{x + 1, y}, {x - 1, y}, {x, y + 1}, {x, y - 1}} {
			if n[0] >= 0 && n[0] < w && n[1] >= 0 && n[1] < h {
				r.next = append(r.next, border{int32(n[1]*w + n[0]), 1})
			}
		}
		m.regions[i] = r
	}
	for i, r := range m.regions {
		for _, b := range r.next {
			if int32(i) < b.region {
				m.queue = append(m.queue, m.edge(int32(i), b.region, b.length))
			}
		}
	}
	heap.Init(&m.queue)
	return m
}

func (m *merger) edge(a, b int32, length float64) edge {
	if a > b {
		a, b = b, a
	}
	p, q := m.regions[a], m.regions[b]
	na, nb := float64(len(p.pixels)), float64(len(q.pixels))
	ia, ib := 1/na, 1/nb
	var d float64
	for l, s := range p.sum {
		x := s*ia - q.sum[l]*ib
		d += x * x
	}
	return edge{na * nb / (na + nb) * d / float64(m.layers) / length, a, b, p.turn, q.turn}
}

// step merges the next pair and says what it cost and which region went into which;
// false when one region is left. The region of the tapped pixel keeps its number.
func (m *merger) step() (into int32, cost float64, ok bool) {
	for len(m.queue) > 0 {
		e := heap.Pop(&m.queue).(edge)
		a, b := m.regions[e.a], m.regions[e.b]
		if a == nil || b == nil || a.turn != e.turnA || b.turn != e.turnB {
			continue
		}
		into, from := e.a, e.b
		if from == m.own || into != m.own && len(a.pixels) < len(b.pixels) {
			into, from = from, into
		}
		m.merge(into, from)
		return into, e.cost, true
	}
	return 0, 0, false
}

func (m *merger) merge(into, from int32) {
	a, b := m.regions[into], m.regions[from]
	a.pixels = append(a.pixels, b.pixels...)
	for l := range a.sum {
		a.sum[l] += b.sum[l]
	}
	a.drop(from)
	for _, n := range b.next {
		if n.region == into {
			continue
		}
		m.regions[n.region].drop(from)
		m.regions[n.region].join(into, n.length)
		a.join(n.region, n.length)
	}
	a.turn++
	m.regions[from] = nil
	for _, n := range a.next {
		heap.Push(&m.queue, m.edge(into, n.region, n.length))
	}
}

// stage is the region of the tapped pixel between two mergers: the first so many of
// its pixels.
type stage struct {
	pixels int
	born   float64 // greatest cost paid so far
	dies   float64 // greatest cost paid with the next merger
}

// stages follows the region of the tapped pixel up to the whole window. All its
// pixels come in the order in which it took them.
func (v *view) stages() ([]stage, []int32) {
	m, paid := newMerger(v), 0.0
	out := []stage{{pixels: 1}}
	for {
		into, cost, ok := m.step()
		if !ok {
			out[len(out)-1].dies = math.Inf(1)
			return out, m.regions[m.own].pixels
		}
		paid = math.Max(paid, cost)
		if into == m.own {
			out[len(out)-1].dies = paid
			out = append(out, stage{pixels: len(m.regions[into].pixels), born: paid})
		}
	}
}

// fringe is the part by which a piece may grow at once and still be the same piece
// with another edge.
const fringe = 0.25

// clearer is how many times harder than its own making it must be to merge a piece
// with its surroundings, for it to be suggested.
const clearer = 2

// segment is the piece of land around the tapped pixel that stays one piece longest:
// from the merger that made it to the one that makes it something else, the cost
// grows by the greatest factor f. The confidence is 1-1/f. [ErrSmall] when no piece
// is large enough, [ErrOpen] when none stands out or the land runs on beyond the
// window.
func (v *view) segment() (pixels []int32, confidence float64, err error) {
	stages, order := v.stages()
	stages = v.surrounded(stages, order)
	var best stage
	var most float64
	for i := 0; i < len(stages); {
		j := i // the last stage of the same piece
		for j+1 < len(stages) && float64(stages[j+1].pixels-stages[j].pixels) <= fringe*float64(stages[j].pixels) {
			j++
		}
		born, dies := math.Max(stages[i].born, 1), stages[j].dies
		if life := dies / born; stages[j].pixels >= minPixels && life > most {
			most, best = life, longest(stages[i:j+1])
		}
		i = j + 1
	}
	switch {
	case best.pixels == 0 && len(stages) > 0 && stages[len(stages)-1].pixels >= minPixels, best.pixels > 0 && most < clearer:
		return nil, 0, ErrOpen
	case best.pixels == 0:
		return nil, 0, ErrSmall
	}
	return order[:best.pixels], 1 - 1/most, nil
}

// surrounded are the stages in which the piece does not touch the border of the
// window: of others nobody knows how far they go.
func (v *view) surrounded(stages []stage, order []int32) []stage {
	w, h := v.window.W, v.window.H
	k := 0
	for s, st := range stages {
		for ; k < st.pixels; k++ {
			if x, y := int(order[k])%w, int(order[k])/w; x == 0 || y == 0 || x == w-1 || y == h-1 {
				return stages[:s]
			}
		}
	}
	return stages
}

// longest is the stage that lasts longest.
func longest(stages []stage) stage {
	return slices.MaxFunc(stages, func(a, b stage) int {
		return cmp.Compare(a.dies/math.Max(a.born, 1), b.dies/math.Max(b.born, 1))
	})
}
