package network

import (
	"cmp"
	"slices"

	"github.com/furrowcredit/furrow/chain/graph"
)

// search is what a firm's trade reaches, tier by tier. Amounts and confidences are
// reckoned only of what is asked for. It must be closed, and is for one goroutine.
type search struct {
	s     *state
	dir   graph.Direction
	least int64 // links of less trade are not followed
	judge judge
	nodes []uint32 // nearest first, the origin before all
	ends  []int    // tier h is nodes[ends[h-1]:ends[h]]
	at    []uint8  // 1 + tier of each node; 0 when not found
	sure  map[uint32]lead
	sums  *totals
}

// lead is the surest of the nearest ways from a firm to the origin.
type lead struct {
	confidence float64
	next       uint32 // the firm one tier nearer on it
}

// reach finds who trades towards a firm. A firm belongs to the nearest tier from
// which a link of enough trade leads to it; a firm that trades with itself is no reason.
func (n *Network) reach(s *state, origin uint32, dir graph.Direction, hops int, least int64) *search {
	rows, trade := s.In, s.InTrade
	if dir == graph.Downstream {
		rows, trade = s.Out, s.OutTrade
	}
	w := &search{
		s: s, dir: dir, least: least, judge: n.judge(), nodes: []uint32{origin}, ends: []int{1}, at: s.slate(),
		sure: map[uint32]lead{origin: {confidence: 1}}, sums: newTotals(s),
	}
	w.at[origin] = 1
	for from, tier := 0, uint8(1); int(tier) <= hops && from < len(w.nodes); tier++ {
		for end := len(w.nodes); from < end; from++ {
			v := w.nodes[from]
			for i, u := range rows(v) {
				if w.at[u] == 0 && (least <= 0 || trade(v, i).Amount >= least) {
					w.at[u] = tier + 1
					w.nodes = append(w.nodes, u)
				}
			}
		}
		if len(w.nodes) > from {
			w.ends = append(w.ends, len(w.nodes))
		}
	}
	return w
}

// tiers is how many tiers there are.
func (w *search) tiers() int { return len(w.ends) - 1 }

func (w *search) tier(k int) []uint32 { return w.nodes[w.ends[k-1]:w.ends[k]] }

// firms counts the firms of a tier that are no anchors.
func (w *search) firms(k int) int {
	n := len(w.tier(k))
	for a := range w.s.anchors {
		if int(w.at[a]) == k+1 {
			n--
		}
	}
	return n
}

// weighed returns the firms of a tier that are no anchors, with their amounts.
func (w *search) weighed(k int) []reached {
	out := make([]reached, 0, len(w.tier(k)))
	for _, v := range w.tier(k) {
		if w.s.anchors[v] {
			continue
		}
		r := reached{node: v, tier: k}
		w.links(v, func(_ uint32, t graph.Trade) { r.amount += max(t.Amount, 0) })
		out = append(out, r)
	}
	return out
}

// links tells of the links of a firm that lead one tier nearer.
func (w *search) links(v uint32, f func(to uint32, t graph.Trade)) {
	rows, trade := w.s.Out, w.s.OutTrade
	if w.dir == graph.Downstream {
		rows, trade = w.s.In, w.s.InTrade
	}
	nearer := w.at[v] - 1
	for i, u := range rows(v) {
		if w.at[u] != nearer {
			continue
		}
		if t := trade(v, i); w.least <= 0 || t.Amount >= w.least {
			f(u, t)
		}
	}
}

// surest returns the surest way of a firm that was found: of several as sure ones that
// of the larger trade, then that to the smaller id.
func (w *search) surest(v uint32) lead {
	if s, ok := w.sure[v]; ok {
		return s
	}
	var best lead
	var amount int64
	w.links(v, func(u uint32, t graph.Trade) {
		c := w.judge.confidence(t) * w.surest(u).confidence
		if c > best.confidence || c == best.confidence && (t.Amount > amount || t.Amount == amount && w.s.ID(u) < w.s.ID(best.next)) {
			best, amount = lead{c, u}, t.Amount
		}
	})
	w.sure[v] = best
	return best
}

// way returns the nodes of the surest way from the origin to a firm.
func (w *search) way(v uint32) []uint32 {
	path := []uint32{v}
	for w.at[v] > 1 {
		v = w.surest(v).next
		path = append(path, v)
	}
	slices.Reverse(path)
	return path
}

// close gives the slate back, wiped.
func (w *search) close() {
	for _, v := range w.nodes {
		w.at[v] = 0
	}
	w.s.slates.Put(&w.at)
}

// slate is a number for each node, all 0.
func (s *state) slate() []uint8 {
	if p, ok := s.slates.Get().(*[]uint8); ok {
		return *p
	}
	return make([]uint8, s.Len())
}

// led is a link that leads a firm nearer to the origin.
type led struct {
	node  uint32
	trade graph.Trade
	proof Proof
}

// nearer finds the links of a firm that lead one tier nearer: that of the surest way
// first, then the largest.
func (w *search) nearer(r reached) []led {
	first := w.surest(r.node).next
	var kept []led
	w.links(r.node, func(u uint32, t graph.Trade) { kept = append(kept, led{node: u, trade: t}) })
	rank := func(l led) int {
		if l.node == first {
			return 0
		}
		return 1
	}
	slices.SortFunc(kept, func(a, b led) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(b.trade.Amount, a.trade.Amount), cmp.Compare(w.s.ID(a.node), w.s.ID(b.node)))
	})
	kept = kept[:min(len(kept), maxProofs)]
	for k, l := range kept {
		seller, buyer := r.node, l.node
		if w.dir == graph.Downstream {
			seller, buyer = buyer, seller
		}
		kept[k].proof = w.sums.proof(seller, buyer, l.trade)
	}
	return kept
}
