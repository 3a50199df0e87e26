package flow

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/graph"
	"github.com/furrowcredit/furrow/money"
)

// Method names the version of the standing: it is frozen into decisions.
const Method = "chain.standing/1"

const (
	reachHops = 3   // an anchor further down the chain says little about a firm
	maxNodes  = 200 // more nobody can read in one picture
)

// Network answers questions about the firms of a tenant from what is in the books.
// It is safe for concurrent use.
type Network struct {
	store chain.Store
	now   func() time.Time
	rules Rules

	mu   sync.Mutex
	kept map[string]*snapshot // by tenant
}

// NewNetwork returns a network with the default rules.
func NewNetwork(store chain.Store, now func() time.Time) *Network {
	return &Network{store: store, now: now, rules: DefaultRules(), kept: map[string]*snapshot{}}
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
func (n *Network) snapshot(ctx context.Context, tenant string) (*snapshot, error) {
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

func (n *Network) build(ctx context.Context, tenant string) (*snapshot, error) {
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
func (n *Network) anchors(ctx context.Context, tenant string) ([]chain.Party, error) {
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
func (n *Network) Neighbourhood(ctx context.Context, tenant, firmID string, hops int) (chain.Neighbourhood, error) {
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

// Findings looks through all invoices of the tenant.
func (n *Network) Findings(ctx context.Context, tenant string) ([]chain.Finding, error) {
	var invoices []chain.Document
	err := n.store.AllDocuments(ctx, tenant, chain.Invoice, func(d chain.Document) error {
		invoices = append(invoices, d)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return append(Reused(invoices), Circles(invoices, n.rules)...), nil
}

// Standing says what the chain knows about a firm. It returns chain.ErrFirmNotFound;
// a firm that nobody names stands as "unknown" with the reason, never as a guess.
func (n *Network) Standing(ctx context.Context, tenant, firmID string) (chain.Standing, error) {
	if _, err := n.store.Firm(ctx, tenant, firmID); err != nil {
		return chain.Standing{}, err
	}
	docs, err := n.store.Documents(ctx, tenant, firmID, "")
	if err != nil {
		return chain.Standing{}, err
	}
	now := n.now().UTC()
	out := chain.Standing{
		FirmID: firmID, Status: "unknown", Method: Method, MadeAt: now,
		Anchors: []chain.AnchorShare{}, Monthly: make([]money.Fen, 12), Findings: []chain.Finding{},
	}
	s, err := n.snapshot(ctx, tenant)
	if err != nil {
		return out, err
	}
	self, linked := s.index.Find(firmID)
	if len(docs) == 0 {
		out.Reason = "no_documents"
		if linked {
			out.Reason = "listed_only" // an anchor names it as a supplier, without any trade
			out.Anchors = s.shares(self, nil)
		}
		return out, nil
	}
	out.Counterparties = counterparties(docs, firmID)
	sales := docs[:0:0]
	for _, d := range docs {
		if d.SellerID == firmID {
			sales = append(sales, d)
		}
	}
	today := day(now)
	proofs := Match(sales, n.rules, today)
	recent := proofs[:0:0]
	for _, p := range proofs {
		if m := monthsAgo(p.Invoice.Date, today); m >= 0 && m < 12 {
			out.Monthly[11-m] += p.Invoice.Amount
			out.Invoiced12m += p.Invoice.Amount
			recent = append(recent, p)
		}
	}
	out.Proven = ProvenShare(recent)
	out.Anchors = s.shares(self, sales)
	if out.Findings, err = n.findingsOf(ctx, tenant, firmID, s, sales); err != nil {
		return out, err
	}
	out.Confidence = confidence(recent, sales, out.Proven, today)
	switch {
	case len(recent) == 0:
		out.Reason = "no_recent_invoices"
	case out.Confidence < 0.5:
		out.Status, out.Reason = "low_confidence", "thin_evidence"
	case len(out.Findings) > 0:
		out.Status, out.Reason = "low_confidence", string(out.Findings[0].Kind)
	default:
		out.Status = "known"
	}
	return out, nil
}

// shares lists the anchors that a firm's sales lead to within reachHops, nearest
// and largest first. What counts for an anchor further down is the firm's sales to
// those of its buyers that lead there.
func (s *snapshot) shares(self uint32, sales []chain.Document) []chain.AnchorShare {
	invoiced, months := map[string]money.Fen{}, map[string]map[string]bool{}
	var total money.Fen
	seen := map[string]bool{}
	for _, d := range sales {
		if months[d.BuyerID] == nil {
			months[d.BuyerID] = map[string]bool{}
		}
		months[d.BuyerID][d.Date[:min(7, len(d.Date))]] = true
		if key := d.BuyerID + "\x00" + chain.NumberKey(d.Number); d.Kind == chain.Invoice && !seen[key] {
			seen[key] = true
			invoiced[d.BuyerID] += d.Amount
			total += d.Amount
		}
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

// findingsOf finds what weighs on one firm. For reuse the invoices that it wrote
// suffice, since its buyers are victims; a circle can only run through the firms of its strongly connected component.
func (n *Network) findingsOf(ctx context.Context, tenant, firmID string, s *snapshot, sales []chain.Document) ([]chain.Finding, error) {
	out := append([]chain.Finding{}, Reused(sales)...)
	self, ok := s.index.Find(firmID)
	if !ok {
		return out, nil
	}
	members, seen := map[string]bool{}, map[string]bool{}
	for _, v := range s.ring[self] {
		members[s.index.Key(v)] = true
	}
	var inside []chain.Document
	for id := range members {
		docs, err := n.store.Documents(ctx, tenant, id, chain.Invoice)
		if err != nil {
			return nil, err
		}
		for _, d := range docs {
			if members[d.SellerID] && members[d.BuyerID] && !seen[d.ID] {
				seen[d.ID] = true
				inside = append(inside, d)
			}
		}
	}
	for _, f := range Circles(inside, n.rules) {
		if slices.Contains(f.FirmIDs, firmID) {
			out = append(out, f)
		}
	}
	return out, nil
}

// confidence is 0..1: four tenths for proven flows, three for a year of trade,
// three for a dozen invoices, halved when the last sale is over 90 days old.
func confidence(recent []Proof, sales []chain.Document, proven float64, today time.Time) float64 {
	months := map[string]bool{}
	last := ""
	for _, d := range sales {
		months[d.Date[:min(7, len(d.Date))]] = true
		last = max(last, d.Date)
	}
	c := 0.4*proven + 0.3*min(1, float64(len(months))/12) + 0.3*min(1, float64(len(recent))/12)
	if between(last, today.Format(time.DateOnly)) > 90 {
		c /= 2
	}
	return math.Round(c*1000) / 1000
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
