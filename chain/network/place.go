package network

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/graph"
	"github.com/furrowcredit/furrow/chain/industry"
)

// AnchorWay is an anchor that a firm's trade leads to.
type AnchorWay struct {
	AnchorID   string  `json:"anchor_id"`
	Name       string  `json:"name"`
	Role       string  `json:"role"` // "supplier" sells towards it, "dealer" buys from it
	Tier       int     `json:"tier"` // 1 trades with the anchor itself
	Way        Way     `json:"way"`  // the surest
	Confidence float64 `json:"confidence"`
}

// FirmPlace is where a firm stands in its chains.
type FirmPlace struct {
	FirmID     string                    `json:"firm_id"`
	Name       string                    `json:"name"`
	Anchors    []AnchorWay               `json:"anchors"` // nearest and surest first
	Mounts     []industry.Mount          `json:"mounts"`
	Directions []industry.DirectionShare `json:"directions"`
	Method     string                    `json:"method"`
}

// Place says where a firm stands: the anchors within three hops of trade, with the
// way to each, and the nodes of the industry chains. It returns
// chain.ErrFirmNotFound.
func (n *Network) Place(ctx context.Context, tenantID, firmID string) (FirmPlace, error) {
	out := FirmPlace{Anchors: []AnchorWay{}, Mounts: []industry.Mount{}, Directions: []industry.DirectionShare{}, Method: Method}
	s, firm, v, linked, err := n.find(ctx, tenantID, firmID)
	if err != nil {
		return out, err
	}
	defer s.base.release()
	out.FirmID, out.Name = firm.ID, firm.Name
	if linked {
		for _, side := range []struct {
			role string
			dir  graph.Direction
		}{{"supplier", graph.Downstream}, {"dealer", graph.Upstream}} {
			ways, err := n.anchorWays(ctx, tenantID, s, v, side.role, side.dir)
			if err != nil {
				return out, err
			}
			out.Anchors = append(out.Anchors, ways...)
		}
		slices.SortStableFunc(out.Anchors, func(a, b AnchorWay) int {
			return cmp.Or(cmp.Compare(a.Tier, b.Tier), cmp.Compare(b.Confidence, a.Confidence), cmp.Compare(a.AnchorID, b.AnchorID))
		})
	}
	p, err := n.placement(ctx, tenantID, firm)
	if err != nil {
		return out, err
	}
	out.Mounts, out.Directions = p.Mounts, p.Directions
	return out, nil
}

// anchorWays finds the anchors on one side of a firm.
func (n *Network) anchorWays(ctx context.Context, tenantID string, s *state, v uint32, role string, dir graph.Direction) ([]AnchorWay, error) {
	walk := n.reach(s, v, dir, reachHops, 0)
	defer walk.close()
	var out []AnchorWay
	for _, a := range slices.Sorted(maps.Keys(s.anchors)) {
		if walk.at[a] < 2 { // not reached, or the firm itself
			continue
		}
		path := walk.way(a)
		way, err := n.directed(ctx, tenantID, walk, path)
		if err != nil {
			return nil, err
		}
		id := s.ID(a)
		out = append(out, AnchorWay{AnchorID: id, Name: s.names[id], Role: role, Tier: len(way.Hops), Way: way, Confidence: way.Confidence})
	}
	return out, nil
}

// directed tells of a path of a search, all of whose links go one way.
func (n *Network) directed(ctx context.Context, tenantID string, walk *search, path []uint32) (Way, error) {
	return n.way(ctx, tenantID, walk.sums, path, func(a, b uint32) (seller, buyer uint32, t graph.Trade) {
		if walk.dir == graph.Upstream {
			a, b = b, a
		}
		t, _ = walk.s.Trade(a, b)
		return a, b, t
	})
}

// mounts is the nodes of a firm.
func (n *Network) mounts(ctx context.Context, tenantID string, firm chain.Party) ([]industry.Mount, error) {
	p, err := n.placement(ctx, tenantID, firm)
	return p.Mounts, err
}

// placement mounts a firm by its registration and by the goods that it sells,
// weighed by their amounts.
func (n *Network) placement(ctx context.Context, tenantID string, firm chain.Party) (industry.Placement, error) {
	if n.opt.Industries == nil || firm.ID == "" {
		return industry.Placement{Directions: []industry.DirectionShare{}, Mounts: []industry.Mount{}}, nil
	}
	docs, err := n.store.Documents(ctx, tenantID, firm.ID, "")
	if err != nil {
		return industry.Placement{}, err
	}
	f := industry.FirmOf(firm)
	f.Goods = industry.GoodsSold(firm.ID, docs)
	return n.opt.Industries.Place(f), nil
}

// Anchors returns the anchors that a firm's sales lead to within three hops, nearest
// first, each with the firm's own buyers from which the nearest ways go on. It returns
// chain.ErrFirmNotFound.
func (n *Network) Anchors(ctx context.Context, tenantID, firmID string) ([]chain.AnchorReach, error) {
	s, _, v, linked, err := n.find(ctx, tenantID, firmID)
	if err != nil {
		return nil, err
	}
	defer s.base.release()
	out := []chain.AnchorReach{}
	if !linked {
		return out, nil
	}
	at := map[uint32]int{}
	walker := s.Walker()
	for _, buyer := range s.Out(v) {
		if buyer == v {
			continue // what it sells itself leads nowhere
		}
		id := s.ID(buyer)
		walker.Walk([]uint32{buyer}, reachHops-1, graph.Downstream, func(step graph.Step) bool {
			if !s.anchors[step.ID] || step.ID == v {
				return true
			}
			i, known := at[step.ID]
			if !known {
				i = len(out)
				at[step.ID] = i
				anchor := s.ID(step.ID)
				out = append(out, chain.AnchorReach{AnchorID: anchor, Name: s.names[anchor], Tier: step.Hops + 1})
			}
			if r := &out[i]; step.Hops+1 < r.Tier { // a nearer way counts alone
				r.Tier, r.Buyers = step.Hops+1, []string{id}
			} else if step.Hops+1 == r.Tier {
				r.Buyers = append(r.Buyers, id)
			}
			return true
		})
	}
	for i := range out {
		slices.Sort(out[i].Buyers)
	}
	slices.SortFunc(out, func(a, b chain.AnchorReach) int {
		return cmp.Or(cmp.Compare(a.Tier, b.Tier), cmp.Compare(a.AnchorID, b.AnchorID))
	})
	return out, nil
}
