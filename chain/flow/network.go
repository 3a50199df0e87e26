package flow

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/flow/fraud"
	"github.com/furrowcredit/furrow/chain/graph"
	"github.com/furrowcredit/furrow/money"
)

const (
	reachHops = 3   // an anchor further down the chain says little about a firm
	maxRing   = 500 // firms of a ring whose documents are read for one of them
	maxNodes  = 200 // more nobody can read in one picture
)

// Graph tells where a firm stands among those of its tenant.
type Graph interface {
	// Anchors returns the anchors that a firm's sales lead to, nearest and largest
	// first; chain.ErrFirmNotFound.
	Anchors(ctx context.Context, tenant, firmID string) ([]chain.AnchorShare, error)
	// Ring returns the strongly connected component of a firm, itself included,
	// nothing when it is alone in it; chain.ErrFirmNotFound.
	Ring(ctx context.Context, tenant, firmID string) ([]string, error)
}

// Network answers questions about the firms of a tenant from what is in the books.
// It is safe for concurrent use.
type Network struct {
	*links
	graph Graph
	store chain.Store
	now   func() time.Time
	rules Rules

	mu      sync.Mutex
	related map[string]*relations // by tenant
}

// NewNetwork returns a network with the default rules that reads the links of the
// books itself.
func NewNetwork(store chain.Store, now func() time.Time) *Network {
	l := &links{store: store, kept: map[string]*snapshot{}}
	return &Network{links: l, graph: l, store: store, now: now, rules: DefaultRules(), related: map[string]*relations{}}
}

// On returns the network over another graph of the same books.
func (n *Network) On(g Graph) *Network {
	return &Network{links: n.links, graph: g, store: n.store, now: n.now, rules: n.rules, related: map[string]*relations{}}
}

// links is the graph that a network builds when it is given none.
type links struct {
	store chain.Store
	mu    sync.Mutex
	kept  map[string]*snapshot // by tenant
}

// maxKept bounds the snapshots in memory.
const maxKept = 16

// snapshot is the trade of a tenant as a graph; it never changes once made.
type snapshot struct {
	revision int64
	index    *graph.Index
	graph    *graph.Graph
	links    []chain.Link // one an edge, in the order of the build
	names    map[string]string
	anchor   map[string]bool
	tier     map[uint32]int      // sales hops to the nearest anchor
	ring     map[uint32][]uint32 // the strongly connected component of those that are not alone in one
}

// snapshot returns the trade as it is now: the kept one while the books are the same.
func (n *links) snapshot(ctx context.Context, tenant string) (*snapshot, error) {
	revision, err := n.store.Revision(ctx, tenant)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	s := n.kept[tenant]
	n.mu.Unlock()
	if s != nil && s.revision == revision {
		return s, nil
	}
	if s, err = n.build(ctx, tenant); err != nil {
		return nil, err
	}
	// A change while it was built makes the next call build again: the revision is
	// the one from before.
	s.revision = revision
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.kept) >= maxKept {
		clear(n.kept)
	}
	n.kept[tenant] = s
	return s, nil
}

func (n *links) build(ctx context.Context, tenant string) (*snapshot, error) {
	s := &snapshot{index: graph.NewIndex(), names: map[string]string{}, anchor: map[string]bool{}, tier: map[uint32]int{}, ring: map[uint32][]uint32{}}
	anchors, err := n.anchors(ctx, tenant)
	if err != nil {
		return nil, err
	}
	var seeds []uint32
	for _, a := range anchors {
		s.names[a.ID], s.anchor[a.ID] = a.Name, true
		seeds = append(seeds, s.index.Add(a.ID))
	}
	var edges []graph.Edge
	err = n.store.AllLinks(ctx, tenant, func(l chain.Link) error {
		s.names[l.SellerID], s.names[l.BuyerID] = l.Seller, l.Buyer
		edges = append(edges, graph.Edge{From: s.index.Add(l.SellerID), To: s.index.Add(l.BuyerID)})
		s.links = append(s.links, l)
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.graph = graph.Build(s.index.Len(), edges)
	s.graph.Walk(seeds, math.MaxInt, graph.Upstream, func(step graph.Step) bool {
		s.tier[step.ID] = step.Hops
		return true
	})
	for _, c := range s.graph.Components() {
		if len(c) > 1 {
			for _, v := range c {
				s.ring[v] = c
			}
		}
	}
	return s, nil
}

// anchors returns every anchor enterprise, page by page.
func (n *links) anchors(ctx context.Context, tenant string) ([]chain.Party, error) {
	var out []chain.Party
	for after := ""; ; {
		page, err := n.store.Firms(ctx, tenant, chain.PartyFilter{Anchors: true, After: after, Limit: 1000})
		if err != nil {
			return nil, err
		}
		out = append(out, page...)
		if len(page) < 1000 {
			return out, nil
		}
		after = page[len(page)-1].ID
	}
}

func (s *snapshot) view(id uint32) chain.NodeView {
	key := s.index.Key(id)
	tier, ok := s.tier[id]
	if !ok {
		tier = -1
	}
	return chain.NodeView{ID: key, Name: s.names[key], Anchor: s.anchor[key], Tier: tier}
}

// Neighbourhood returns the firms within hops of trade of a firm, in either
// direction, nearest first, and the links between them, largest first. hops is
// kept within 1 and 3. It returns chain.ErrFirmNotFound.
func (n *links) Neighbourhood(ctx context.Context, tenant, firmID string, hops int) (chain.Neighbourhood, error) {
	firm, err := n.store.Firm(ctx, tenant, firmID)
	if err != nil {
		return chain.Neighbourhood{}, err
	}
	s, err := n.snapshot(ctx, tenant)
	if err != nil {
		return chain.Neighbourhood{}, err
	}
	out := chain.Neighbourhood{Nodes: []chain.NodeView{}, Links: []chain.Link{}}
	id, ok := s.index.Find(firmID)
	if !ok {
		out.Nodes = append(out.Nodes, chain.NodeView{ID: firm.ID, Name: firm.Name, Anchor: firm.AnchorOf, Tier: -1})
		return out, nil
	}
	in := map[string]bool{}
	s.graph.Walk([]uint32{id}, min(max(hops, 1), reachHops), graph.Both, func(step graph.Step) bool {
		if out.Cut = len(out.Nodes) == maxNodes; out.Cut {
			return false
		}
		out.Nodes = append(out.Nodes, s.view(step.ID))
		in[s.index.Key(step.ID)] = true
		return true
	})
	for _, l := range s.links {
		if in[l.SellerID] && in[l.BuyerID] {
			out.Links = append(out.Links, l)
		}
	}
	return out, nil
}

// Anchors implements Graph: what counts for an anchor further down is the firm's
// sales to those of its buyers that lead there, and the months with such trade.
func (n *links) Anchors(ctx context.Context, tenant, firmID string) ([]chain.AnchorShare, error) {
	s, err := n.snapshot(ctx, tenant)
	if err != nil {
		return nil, err
	}
	docs, err := n.store.Documents(ctx, tenant, firmID, "")
	if err != nil {
		return nil, err
	}
	self, ok := s.index.Find(firmID)
	if !ok {
		return []chain.AnchorShare{}, nil
	}
	return s.shares(self, slices.DeleteFunc(docs, func(d chain.Document) bool { return d.SellerID != firmID })), nil
}

// Ring implements Graph.
func (n *links) Ring(ctx context.Context, tenant, firmID string) ([]string, error) {
	s, err := n.snapshot(ctx, tenant)
	if err != nil {
		return nil, err
	}
	self, ok := s.index.Find(firmID)
	if !ok {
		return nil, nil
	}
	var out []string
	for _, v := range s.ring[self] {
		out = append(out, s.index.Key(v))
	}
	return out, nil
}

// shares lists the anchors that a firm's sales lead to within reachHops, nearest
// and largest first.
func (s *snapshot) shares(self uint32, sales []chain.Document) []chain.AnchorShare {
	invoiced, months := map[string]money.Fen{}, map[string]map[string]bool{}
	var total money.Fen
	for _, d := range sales {
		if months[d.BuyerID] == nil {
			months[d.BuyerID] = map[string]bool{}
		}
		months[d.BuyerID][d.Date[:min(7, len(d.Date))]] = true
	}
	for buyer, amount := range invoicedTo(sales) {
		invoiced[buyer] = amount
		total += amount
	}
	byAnchor := map[string]*chain.AnchorShare{}
	via := map[string]map[string]bool{} // anchor → months of trade that leads there
	direct := slices.Compact(slices.Sorted(slices.Values(s.graph.Out(self))))
	for _, buyer := range direct {
		s.graph.Walk([]uint32{buyer}, reachHops-1, graph.Downstream, func(step graph.Step) bool {
			id := s.index.Key(step.ID)
			if !s.anchor[id] || step.ID == self {
				return true
			}
			a, tier := byAnchor[id], step.Hops+1
			if a == nil {
				a = &chain.AnchorShare{AnchorID: id, Name: s.names[id], Tier: tier}
				byAnchor[id], via[id] = a, map[string]bool{}
			}
			if tier < a.Tier { // a nearer way counts alone
				a.Tier, a.Invoiced, via[id] = tier, 0, map[string]bool{}
			}
			if tier == a.Tier {
				key := s.index.Key(buyer)
				a.Invoiced += invoiced[key]
				for m := range months[key] {
					via[id][m] = true
				}
			}
			return true
		})
	}
	out := []chain.AnchorShare{}
	for id, a := range byAnchor {
		a.Months = len(via[id])
		if total > 0 {
			a.Share = float64(a.Invoiced) / float64(total)
		}
		out = append(out, *a)
	}
	slices.SortFunc(out, func(a, b chain.AnchorShare) int {
		return cmp.Or(cmp.Compare(a.Tier, b.Tier), cmp.Compare(b.Invoiced, a.Invoiced), cmp.Compare(a.AnchorID, b.AnchorID))
	})
	return out
}

func counterparties(docs []chain.Document, firmID string) int {
	others := map[string]bool{}
	for _, d := range docs {
		others[d.SellerID], others[d.BuyerID] = true, true
	}
	delete(others, firmID)
	return len(others)
}

// day is the calendar date in China, whose books these are.
func day(t time.Time) time.Time {
	y, m, d := t.In(time.FixedZone("CST", 8*3600)).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// monthsAgo counts whole months back from today: 0 is the month that ends today,
// -1 lies in the future. Months are counted from day to day, so that the newest is
// as long as the others.
func monthsAgo(date string, today time.Time) int {
	d, err := time.Parse(time.DateOnly, date)
	if err != nil || d.After(today) {
		return -1
	}
	n := (today.Year()-d.Year())*12 + int(today.Month()-d.Month())
	// With n months back, today's day decides; the last day of a month stands for
	// all days that the month does not have.
	end := time.Date(d.Year(), d.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
	if d.Day() > min(today.Day(), end) {
		n--
	}
	return n
}

// relations are the findings about who is related to whom, which need all firms.
type relations struct {
	revision int64
	byFirm   map[string][]chain.Finding
	all      []chain.Finding
}

// relationsOf returns them as the books are now: the kept ones while they are the same.
func (n *Network) relationsOf(ctx context.Context, tenant string) (*relations, error) {
	revision, err := n.store.Revision(ctx, tenant)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	r := n.related[tenant]
	n.mu.Unlock()
	if r != nil && r.revision == revision {
		return r, nil
	}
	var firms []chain.Party
	for after := ""; ; {
		page, err := n.store.Firms(ctx, tenant, chain.PartyFilter{After: after, Limit: 1000})
		if err != nil {
			return nil, err
		}
		firms = append(firms, page...)
		if len(page) < 1000 {
			break
		}
		after = page[len(page)-1].ID
	}
	var pairs []fraud.Pair
	err = n.store.AllLinks(ctx, tenant, func(l chain.Link) error {
		pairs = append(pairs, fraud.Pair{SellerID: l.SellerID, BuyerID: l.BuyerID})
		return nil
	})
	if err != nil {
		return nil, err
	}
	r = &relations{revision: revision, all: fraud.Related(firms, pairs, n.rules.Fraud), byFirm: map[string][]chain.Finding{}}
	for _, f := range r.all {
		for _, id := range f.FirmIDs {
			r.byFirm[id] = append(r.byFirm[id], f)
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.related) >= maxKept {
		clear(n.related)
	}
	n.related[tenant] = r
	return r, nil
}

// invoicedTo sums the valid invoices by buyer, each once, whoever was promised it.
func invoicedTo(sales []chain.Document) map[string]money.Fen {
	out, seen := map[string]money.Fen{}, map[string]bool{}
	for _, d := range sales {
		if d.Kind != chain.Invoice || d.Void {
			continue
		}
		key := d.ID
		if number := numberKey(d.Number); number != "" {
			key = d.BuyerID + "\x00" + numberKey(d.Code) + "\x00" + number
		}
		if !seen[key] {
			seen[key] = true
			out[d.BuyerID] += d.Amount
		}
	}
	return out
}
