package network

import (
	"cmp"
	"context"
	"slices"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/graph"
)

const (
	maxNodes    = 200 // more nobody can read in one picture
	reachHops   = 3   // an anchor further down the chain says little about a firm
	maxPaths    = 20
	maxPathHops = 6
)

// Neighbourhood returns the firms within hops of trade of a firm, in either
// direction, nearest first, and the links between them, largest first. hops is
// kept within 1 and 3. It returns chain.ErrFirmNotFound.
func (n *Network) Neighbourhood(ctx context.Context, tenantID, firmID string, hops int) (chain.Neighbourhood, error) {
	out := chain.Neighbourhood{Nodes: []chain.NodeView{}, Links: []chain.Link{}}
	s, firm, v, linked, err := n.find(ctx, tenantID, firmID)
	if err != nil {
		return out, err
	}
	defer s.base.release()
	if !linked {
		out.Nodes = append(out.Nodes, chain.NodeView{ID: firm.ID, Name: firm.Name, Anchor: firm.AnchorOf, Tier: -1})
		return out, nil
	}
	var nodes []uint32
	s.Walk([]uint32{v}, min(max(hops, 1), reachHops), graph.Both, func(step graph.Step) bool {
		if out.Cut = len(nodes) == maxNodes; out.Cut {
			return false
		}
		nodes = append(nodes, step.ID)
		return true
	})
	if out.Nodes, err = n.views(ctx, tenantID, s, nodes); err != nil {
		return out, err
	}
	out.Links, err = n.among(ctx, tenantID, s, nodes)
	return out, err
}

// views names nodes, in their order.
func (n *Network) views(ctx context.Context, tenantID string, s *state, nodes []uint32) ([]chain.NodeView, error) {
	ids := make([]string, len(nodes))
	for i, v := range nodes {
		ids[i] = s.ID(v)
	}
	name, err := n.names(ctx, tenantID, s, nodes)
	if err != nil {
		return nil, err
	}
	tiers := s.tiers()
	out := make([]chain.NodeView, len(nodes))
	for i, v := range nodes {
		out[i] = chain.NodeView{ID: ids[i], Name: name[ids[i]], Anchor: s.anchors[v], Tier: -1}
		if t := tiers[v]; t != none {
			out[i].Tier = int(t)
		}
	}
	return out, nil
}

// names returns the names of nodes by the ids of their firms.
func (n *Network) names(ctx context.Context, tenantID string, s *state, nodes []uint32) (map[string]string, error) {
	ids := make([]string, len(nodes))
	for i, v := range nodes {
		ids[i] = s.ID(v)
	}
	firms, err := n.store.FirmsByID(ctx, tenantID, ids)
	name := make(map[string]string, len(firms))
	for _, f := range firms {
		name[f.ID] = f.Name
	}
	return name, err
}

// among reads the links between nodes, each from the books of that end which has
// the fewer, so that a hub is never read for its spokes.
func (n *Network) among(ctx context.Context, tenantID string, s *state, nodes []uint32) ([]chain.Link, error) {
	in := make(map[uint32]bool, len(nodes))
	for _, v := range nodes {
		in[v] = true
	}
	degree := func(v uint32) int { return len(s.Out(v)) + len(s.In(v)) }
	type pair struct{ from, to uint32 }
	want, ask := map[pair]bool{}, map[uint32]bool{}
	for _, v := range nodes {
		visit := func(w uint32, p pair) {
			if !in[w] || want[p] {
				return
			}
			want[p] = true
			if dv, dw := degree(v), degree(w); dv < dw || dv == dw && v < w {
				ask[v] = true
			} else {
				ask[w] = true
			}
		}
		if degree(v) > 4*maxNodes { // its spokes find it
			for _, w := range nodes {
				if _, ok := s.Trade(v, w); ok {
					visit(w, pair{v, w})
				}
				if _, ok := s.Trade(w, v); ok {
					visit(w, pair{w, v})
				}
			}
			continue
		}
		for _, w := range s.Out(v) {
			visit(w, pair{v, w})
		}
		for _, w := range s.In(v) {
			visit(w, pair{w, v})
		}
	}
	out := []chain.Link{}
	for _, v := range nodes {
		if !ask[v] {
			continue
		}
		links, err := n.store.Links(ctx, tenantID, s.ID(v))
		if err != nil {
			return nil, err
		}
		for _, l := range links {
			from, ok1 := s.Find(l.SellerID)
			to, ok2 := s.Find(l.BuyerID)
			if p := (pair{from, to}); ok1 && ok2 && want[p] {
				delete(want, p)
				out = append(out, l)
			}
		}
	}
	slices.SortFunc(out, func(a, b chain.Link) int {
		return cmp.Or(cmp.Compare(b.Invoiced, a.Invoiced), cmp.Compare(a.SellerID, b.SellerID), cmp.Compare(a.BuyerID, b.BuyerID))
	})
	return out, nil
}

// Hop is one link of a way, from the seller to the buyer.
type Hop struct {
	Seller     string  `json:"seller"` // names
	Buyer      string  `json:"buyer"`
	SellerID   string  `json:"seller_id"`
	BuyerID    string  `json:"buyer_id"`
	Proof      Proof   `json:"proof"`
	Confidence float64 `json:"confidence"`
}

// Way is a chain of links between two firms.
type Way struct {
	Hops       []Hop   `json:"hops"`
	Confidence float64 `json:"confidence"` // product of that of its links
}

// Paths returns up to limit ways between two firms of at most hops links, shorter
// ones first. Links are followed in either direction; each hop says who sold. It
// returns chain.ErrFirmNotFound.
func (n *Network) Paths(ctx context.Context, tenantID, from, to string, hops, limit int) ([]Way, error) {
	goal, err := n.store.Firm(ctx, tenantID, to)
	if err != nil {
		return nil, err
	}
	s, _, v, linked, err := n.find(ctx, tenantID, from)
	if err != nil {
		return nil, err
	}
	defer s.base.release()
	w, reached := s.Find(goal.Survivor())
	out := []Way{}
	if !linked || !reached || v == w {
		return out, nil
	}
	sums := newTotals(s)
	larger := func(a, b uint32) (seller, buyer uint32, t graph.Trade) {
		t, ok := s.Trade(a, b)
		if back, there := s.Trade(b, a); there && (!ok || back.Amount > t.Amount) {
			return b, a, back
		}
		return a, b, t
	}
	for _, p := range s.Paths(v, w, min(max(hops, 1), maxPathHops), min(max(limit, 1), maxPaths), graph.Both) {
		way, err := n.way(ctx, tenantID, sums, p, larger)
		if err != nil {
			return nil, err
		}
		out = append(out, way)
	}
	return out, nil
}

// way tells of a path, of whose steps link says who sold to whom.
func (n *Network) way(ctx context.Context, tenantID string, sums *totals, path []uint32, link func(a, b uint32) (seller, buyer uint32, t graph.Trade)) (Way, error) {
	s := sums.s
	name, err := n.names(ctx, tenantID, s, path)
	if err != nil {
		return Way{}, err
	}
	out := Way{Hops: []Hop{}, Confidence: 1}
	for i := range path[1:] {
		seller, buyer, t := link(path[i], path[i+1])
		c, from, to := n.judge().confidence(t), s.ID(seller), s.ID(buyer)
		out.Hops = append(out.Hops, Hop{Seller: name[from], Buyer: name[to], SellerID: from, BuyerID: to, Proof: sums.proof(seller, buyer, t), Confidence: round(c)})
		out.Confidence *= c
	}
	out.Confidence = round(out.Confidence)
	return out, nil
}
