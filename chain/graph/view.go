package graph

import (
	"cmp"
	"slices"
)

// Change is a link as it is now, by the ids of its firms. It takes the place of all
// links from From to To; Removed says that there is none any more.
type Change struct {
	From, To string
	Trade
	Removed bool
}

// View is a snapshot with changes laid over it. It reads like a graph and never
// changes: Apply returns another one, which shares what is the same. So readers keep
// the view they have without locks, and one writer publishes the next, in an
// atomic.Pointer[View] for instance.
type View struct {
	*Graph
	base     *Snapshot
	extra    *Index // ids of the firms that the snapshot lacks, from base.Len() on
	revision int64
}

// NewView is a view without changes.
func NewView(s *Snapshot) *View {
	return &View{Graph: s.Graph, base: s, extra: NewIndex(), revision: s.Revision}
}

// Find returns the node of a firm, and false when the graph lacks it.
func (w *View) Find(id string) (uint32, bool) {
	if v, ok := w.base.Find(id); ok {
		return v, ok
	}
	v, ok := w.extra.Find(id)
	return v + uint32(w.base.Len()), ok
}

func (w *View) add(id string) uint32 { return uint32(w.base.Len()) + w.extra.Add(id) }

// ID returns the id of the firm at a node.
func (w *View) ID(v uint32) string {
	if n := uint32(w.base.Len()); v >= n {
		return w.extra.Key(v - n)
	}
	return w.base.ID(v)
}

// Revision is that of the books up to which the view holds.
func (w *View) Revision() int64 { return w.revision }

// Changed is how many nodes the changes touch: when it is a good part of Len it is
// time to Merge.
func (w *View) Changed() int {
	if w.out.patch == nil {
		return 0
	}
	return len(w.out.patch.rows) + len(w.in.patch.rows)
}

// Apply returns the view after changes; the last one of a link counts. Firms that are
// new get the next nodes. It costs time and memory in proportion to what is changed
// since the snapshot.
func (w *View) Apply(changes []Change, revision int64) *View {
	next := &View{base: w.base, extra: w.extra.clone(), revision: revision}
	type pair struct{ from, to uint32 }
	last := make(map[pair]int, len(changes))
	for i, c := range changes {
		from, fromKnown := next.Find(c.From)
		to, toKnown := next.Find(c.To)
		if c.Removed && (!fromKnown || !toKnown) {
			continue // nobody becomes a firm by a link that is no more
		}
		if !fromKnown {
			from = next.add(c.From)
		}
		if !toKnown {
			to = next.add(c.To)
		}
		last[pair{from, to}] = i
	}
	out, in := make([]edit, 0, len(last)), make([]edit, 0, len(last))
	for p, i := range last {
		out = append(out, edit{p.from, p.to, changes[i].Trade, changes[i].Removed})
		in = append(in, edit{p.to, p.from, changes[i].Trade, changes[i].Removed})
	}
	g := *w.Graph
	n := w.base.Len() + next.extra.Len()
	var more int
	g.out.patch, more = w.patched(&w.out, out, n, w.OutTrade)
	g.in.patch, _ = w.patched(&w.in, in, n, w.InTrade)
	g.out.patch.edges = w.Size() + more
	g.in.patch.edges = g.out.patch.edges
	next.Graph = &g
	return next
}

// Merge rebuilds the view into a snapshot of its own. Nodes keep their numbers.
func (w *View) Merge() *Snapshot {
	links := make([]Link, 0, w.Size())
	index := NewIndex()
	for v := range uint32(w.Len()) {
		index.Add(w.ID(v))
		for i, to := range w.Out(v) {
			links = append(links, Link{v, to, w.OutTrade(v, i)})
		}
	}
	return &Snapshot{Graph: BuildLinks(w.Len(), links), Index: index, Revision: w.revision}
}

// patch has the rows of one direction that changes touched. It is never written
// after it is made.
type patch struct {
	touched      []uint64 // bit set of the nodes in rows
	rows         map[uint32]row
	nodes, edges int
}

type row struct {
	to     []uint32
	trades []Trade
}

func (p *patch) has(v uint32) bool { return p.touched[v/64]>>(v%64)&1 == 1 }

func (p *patch) of(r *rows, v uint32) []uint32 {
	switch {
	case p.has(v):
		return p.rows[v].to
	case int(v)+1 < len(r.start):
		return r.to[r.start[v]:r.start[v+1]]
	}
	return nil // a new firm without links in this direction
}

func (p *patch) trade(r *rows, v uint32, i int, base func(uint32) Trade) Trade {
	if p.has(v) {
		return p.rows[v].trades[i]
	}
	return base(r.start[v] + uint32(i))
}

// edit is a change of one row: the link to a neighbour.
type edit struct {
	row, to uint32
	trade   Trade
	removed bool
}

// patched lays edits over the rows of one direction and says by how many edges they
// grew.
func (w *View) patched(r *rows, edits []edit, n int, trade func(uint32, int) Trade) (*patch, int) {
	old := r.patch
	p := &patch{touched: make([]uint64, (n+63)/64), rows: map[uint32]row{}, nodes: n}
	if old != nil {
		copy(p.touched, old.touched)
		p.rows = make(map[uint32]row, len(old.rows)+len(edits))
		for v, x := range old.rows {
			p.rows[v] = x
		}
	}
	slices.SortFunc(edits, func(a, b edit) int { return cmp.Or(cmp.Compare(a.row, b.row), cmp.Compare(a.to, b.to)) })
	more := 0
	for len(edits) > 0 {
		v, k := edits[0].row, 1
		for k < len(edits) && edits[k].row == v {
			k++
		}
		var was []uint32
		if int(v) < w.Len() {
			was = r.of(v)
		}
		now := merge(was, edits[:k], func(i int) Trade { return trade(v, i) })
		more += len(now.to) - len(was)
		p.rows[v] = now
		p.touched[v/64] |= 1 << (v % 64)
		edits = edits[k:]
	}
	return p, more
}

// merge lays the edits of a row, which ascend, over its neighbours.
func merge(was []uint32, edits []edit, trade func(int) Trade) row {
	out := row{make([]uint32, 0, len(was)+len(edits)), make([]Trade, 0, len(was)+len(edits))}
	i := 0
	keep := func(limit uint32, all bool) {
		for ; i < len(was) && (all || was[i] < limit); i++ {
			out.to, out.trades = append(out.to, was[i]), append(out.trades, trade(i))
		}
	}
	for _, e := range edits {
		keep(e.to, false)
		for i < len(was) && was[i] == e.to {
			i++
		}
		if !e.removed {
			out.to, out.trades = append(out.to, e.to), append(out.trades, e.trade)
		}
	}
	keep(0, true)
	return out
}
