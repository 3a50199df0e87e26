package network

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/graph"
	"github.com/furrowcredit/furrow/chain/industry"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
)

// What can be wrong with a search.
var (
	ErrAfter = fault.New(fault.Invalid, "network.after", "the place {after} to go on from is not one that a page gave")
	ErrNode  = fault.New(fault.Invalid, "network.node", "there is no node {node} in the catalogue of industry chains")
)

// Bounds of a search.
const (
	maxHops    = 6
	maxPage    = 200
	maxMounted = 1000 // firms that are mounted for one page of a node
	maxProofs  = 5
)

// Filter narrows a search; zero fields do not.
type Filter struct {
	Hops      int       // tiers, 1 to 6; 0 means 3
	MinAmount money.Fen // links of less trade are not followed
	Node      string    // only firms mounted on this node, or on one of this sub-chain or direction
	After     string    // Page.Next of the page before
	Limit     int       // 0 means 50; at most 200
}

// Proof is the trade on a link.
type Proof struct {
	Kinds     []chain.DocKind `json:"kinds"` // of documents; none when a list only names it
	Documents int             `json:"documents"`
	Amount    money.Fen       `json:"amount"` // invoiced, else ordered
	First     string          `json:"first,omitempty"`
	Last      string          `json:"last,omitempty"`
	Months    int             `json:"months"`    // from the first document to the last, both counted
	OfBuyer   float64         `json:"of_buyer"`  // share of the buyer's purchases
	OfSeller  float64         `json:"of_seller"` // share of the seller's sales
}

// SMELink is a link that leads a small firm to an anchor.
type SMELink struct {
	FirmID string `json:"firm_id"` // the firm one tier nearer
	Name   string `json:"name"`
	Proof
}

// SME is a small firm around an anchor.
type SME struct {
	FirmID     string           `json:"firm_id"`
	Name       string           `json:"name"`
	USCC       string           `json:"uscc"`
	Tier       int              `json:"tier"` // 1 trades with the anchor itself
	Amount     money.Fen        `json:"amount"`
	Links      []SMELink        `json:"links"` // that lead nearer, largest first, at most 5
	Months     int              `json:"months"`
	Confidence float64          `json:"confidence"`
	Reasons    []string         `json:"reasons"`
	Mounts     []industry.Mount `json:"mounts"`
}

// SMEPage is a part of the small firms of an anchor: by tier, then by amount.
type SMEPage struct {
	Firms []SME  `json:"firms"`
	Tiers []int  `json:"tiers"` // how many firms each tier has
	Next  string `json:"next,omitempty"`
}

// Suppliers returns the small firms that supply an anchor, tier by tier, with the
// links that prove it. It returns chain.ErrFirmNotFound, ErrAfter and ErrNode.
func (n *Network) Suppliers(ctx context.Context, tenantID, anchorID string, f Filter) (SMEPage, error) {
	return n.around(ctx, tenantID, anchorID, graph.Upstream, f)
}

// Dealers returns the small firms that an anchor supplies. Errors as Suppliers.
func (n *Network) Dealers(ctx context.Context, tenantID, anchorID string, f Filter) (SMEPage, error) {
	return n.around(ctx, tenantID, anchorID, graph.Downstream, f)
}

// reached is a firm that a search found.
type reached struct {
	node   uint32
	tier   int
	amount int64 // of all links that lead nearer
}

func (n *Network) around(ctx context.Context, tenantID, anchorID string, dir graph.Direction, f Filter) (SMEPage, error) {
	out := SMEPage{Firms: []SME{}, Tiers: []int{}}
	after, err := parseCursor(f.After)
	if err != nil {
		return out, err
	}
	if f.Node != "" && !n.knows(f.Node) {
		return out, ErrNode.With("node", f.Node)
	}
	s, _, anchor, linked, err := n.find(ctx, tenantID, anchorID)
	if err != nil {
		return out, err
	}
	defer s.base.release()
	if !linked {
		return out, nil
	}
	limit := min(cmp.Or(max(f.Limit, 0), 50), maxPage)
	walk := n.reach(s, anchor, dir, min(cmp.Or(max(f.Hops, 0), 3), maxHops), int64(f.MinAmount))
	defer walk.close()
	tried := 0
	for k := range walk.tiers() {
		firms := walk.firms(k + 1)
		out.Tiers = append(out.Tiers, firms)
		if out.Next != "" || firms == 0 || k+1 < after.tier {
			continue
		}
		tier := walk.weighed(k + 1)
		for len(out.Firms) < limit && out.Next == "" {
			want := limit - len(out.Firms) + 1
			page := s.first(tier, after, want)
			more := len(page) == want
			if more {
				page = page[:want-1]
			}
			smes, err := n.smes(ctx, tenantID, s, walk, page)
			if err != nil {
				return out, err
			}
			for _, sme := range smes {
				if f.Node == "" || on(sme.Mounts, f.Node) {
					out.Firms = append(out.Firms, sme)
				}
			}
			tried += len(page)
			if len(page) > 0 {
				last := page[len(page)-1]
				after = cursor{last.tier, last.amount, s.ID(last.node)}
			}
			if !more {
				break
			}
			if tried >= maxMounted || len(out.Firms) >= limit {
				out.Next = after.String()
			}
		}
		if out.Next == "" && len(out.Firms) >= limit && k+1 < walk.tiers() {
			out.Next = cursor{tier: k + 2, amount: math.MaxInt64}.String()
		}
	}
	return out, nil
}

func (n *Network) knows(node string) bool {
	if n.opt.Industries == nil {
		return false
	}
	return slices.ContainsFunc(n.opt.Industries.Nodes(), func(x industry.Node) bool { return within(x.ID, node) })
}

func within(node, of string) bool { return node == of || strings.HasPrefix(node, of+".") }

func on(mounts []industry.Mount, node string) bool {
	return slices.ContainsFunc(mounts, func(m industry.Mount) bool { return within(m.Node, node) })
}

// cursor is a place in the order of a search: tier, then amount falling, then id.
type cursor struct {
	tier   int
	amount int64
	id     string
}

func (c cursor) String() string { return fmt.Sprintf("%d.%d.%s", c.tier, c.amount, c.id) }

func parseCursor(s string) (cursor, error) {
	if s == "" {
		return cursor{amount: math.MaxInt64}, nil
	}
	tier, rest, _ := strings.Cut(s, ".")
	amount, id, ok := strings.Cut(rest, ".")
	t, err1 := strconv.Atoi(tier)
	a, err2 := strconv.ParseInt(amount, 10, 64)
	if !ok || err1 != nil || err2 != nil || t < 1 || t > maxHops+1 {
		return cursor{}, ErrAfter.With("after", s)
	}
	return cursor{t, a, id}, nil
}

// first returns the first so many firms of a tier after a place, in order. It keeps
// only those in a heap: a hub's ten thousand suppliers are not sorted for one page.
func (s *state) first(tier []reached, after cursor, limit int) []reached {
	type keyed struct {
		reached
		id string
	}
	less := func(a, b keyed) int {
		return cmp.Or(cmp.Compare(b.amount, a.amount), cmp.Compare(a.id, b.id))
	}
	var kept []keyed
	for _, r := range tier {
		k := keyed{reached: r}
		if r.tier == after.tier && r.amount > after.amount {
			continue
		}
		if len(kept) == limit && k.amount < kept[0].amount {
			continue
		}
		k.id = s.ID(r.node)
		if r.tier == after.tier && r.amount == after.amount && k.id <= after.id {
			continue
		}
		if len(kept) < limit {
			kept = append(kept, k)
			for i := len(kept) - 1; i > 0 && less(kept[(i-1)/2], kept[i]) < 0; i = (i - 1) / 2 {
				kept[i], kept[(i-1)/2] = kept[(i-1)/2], kept[i]
			}
			continue
		}
		if less(k, kept[0]) >= 0 {
			continue
		}
		kept[0] = k
		for i := 0; ; {
			c := 2*i + 1
			if c+1 < len(kept) && less(kept[c], kept[c+1]) < 0 {
				c++
			}
			if c >= len(kept) || less(kept[i], kept[c]) >= 0 {
				break
			}
			kept[i], kept[c] = kept[c], kept[i]
			i = c
		}
	}
	slices.SortFunc(kept, less)
	out := make([]reached, len(kept))
	for i, k := range kept {
		out[i] = k.reached
	}
	return out
}

// smes tells all about the firms of a page.
func (n *Network) smes(ctx context.Context, tenantID string, s *state, walk *search, page []reached) ([]SME, error) {
	ids := make([]string, len(page))
	for i, r := range page {
		ids[i] = s.ID(r.node)
	}
	nearer := make([][]led, len(page))
	for i, r := range page {
		nearer[i] = walk.nearer(r)
	}
	var others []uint32
	for _, links := range nearer {
		for _, l := range links {
			others = append(others, l.node)
		}
	}
	firms, err := n.store.FirmsByID(ctx, tenantID, ids)
	if err != nil {
		return nil, err
	}
	name, err := n.names(ctx, tenantID, s, distinct(others))
	if err != nil {
		return nil, err
	}
	party := map[string]chain.Party{}
	for _, f := range firms {
		party[f.ID] = f
	}
	out := make([]SME, 0, len(page))
	for i, r := range page {
		p := party[ids[i]]
		sme := SME{FirmID: ids[i], Name: p.Name, USCC: p.USCC, Tier: r.tier, Amount: money.Fen(r.amount), Links: []SMELink{}, Mounts: []industry.Mount{}}
		for _, l := range nearer[i] {
			id := s.ID(l.node)
			sme.Links = append(sme.Links, SMELink{FirmID: id, Name: name[id], Proof: l.proof})
			sme.Months = max(sme.Months, l.proof.Months)
		}
		if sme.Mounts, err = n.mounts(ctx, tenantID, p); err != nil {
			return nil, err
		}
		sme.Confidence, sme.Reasons = round(walk.surest(r.node).confidence), n.reasons(sme)
		out = append(out, sme)
	}
	return out, nil
}

func distinct(v []uint32) []uint32 {
	slices.Sort(v)
	return slices.Compact(v)
}

// totals are what firms bought and sold in all, as far as they were asked for: a hub of
// ten thousand links is summed once an answer.
type totals struct {
	s            *state
	bought, sold map[uint32]int64
}

func newTotals(s *state) *totals { return &totals{s, map[uint32]int64{}, map[uint32]int64{}} }

func (m *totals) of(v uint32, known map[uint32]int64, rows func(uint32) []uint32, trade func(uint32, int) graph.Trade) int64 {
	sum, ok := known[v]
	if !ok {
		for i, w := range rows(v) {
			if w != v {
				sum += max(trade(v, i).Amount, 0)
			}
		}
		known[v] = sum
	}
	return sum
}

// proof says what is known of a link and how much it means to either end.
func (m *totals) proof(seller, buyer uint32, t graph.Trade) Proof {
	p := Proof{Kinds: []chain.DocKind{}, Documents: int(t.Count), Amount: money.Fen(t.Amount), First: graph.Date(t.First), Last: graph.Date(t.Last), Months: months(t)}
	for i, kind := range [...]chain.DocKind{chain.Contract, chain.Order, chain.Delivery, chain.Invoice, chain.Payment, chain.Confirmation} {
		if t.Kinds>>i&1 == 1 {
			p.Kinds = append(p.Kinds, kind)
		}
	}
	bought, sold := m.of(buyer, m.bought, m.s.In, m.s.InTrade), m.of(seller, m.sold, m.s.Out, m.s.OutTrade)
	p.OfBuyer, p.OfSeller = share(t.Amount, bought), share(t.Amount, sold)
	return p
}

func share(part, of int64) float64 {
	if part <= 0 || of <= 0 {
		return 0
	}
	return round(float64(part) / float64(of))
}

// months counts the calendar months from the first document to the last.
func months(t graph.Trade) int {
	if t.First == 0 || t.Last < t.First {
		return 0
	}
	a, b := time.Unix(int64(t.First)*86400, 0).UTC(), time.Unix(int64(t.Last)*86400, 0).UTC()
	return (b.Year()-a.Year())*12 + int(b.Month()-a.Month()) + 1
}

// witness is how far a kind of document alone bears a link out: what the buyer
// signs or pays more than what the seller writes.
var witness = [...]float64{0.3, 0.35, 0.45, 0.5, 0.6, 0.7} // contract, order, delivery, invoice, payment, confirmation

const (
	namedOnly = 0.2  // a list says so
	surest    = 0.98 // papers can be forged
	manyDocs  = 6    // fewer documents are worth less, one seven tenths
	oldDays   = 365
	oldFactor = 0.6
)

// confidence is 0..1 that the trade of a link is real and goes on: 1 - Π(1 - w) over
// its kinds of documents, less when they are few or old.
func (j judge) confidence(t graph.Trade) float64 {
	if t.Kinds == 0 {
		return namedOnly
	}
	doubt := 1.0
	for i, w := range witness {
		if t.Kinds>>i&1 == 1 {
			doubt *= 1 - w
		}
	}
	c := min(surest, 1-doubt) * (0.7 + 0.3*min(1, float64(t.Count)/manyDocs))
	if j.old(t.Last) {
		c *= oldFactor
	}
	return c
}

// judge weighs links as of a day: it is the last day that is old.
type judge int64

func (n *Network) judge() judge { return judge(n.opt.Now().Unix()/86400 - oldDays - 1) }

// old says whether the last document is of more than a year ago.
func (j judge) old(last int32) bool { return last != 0 && int64(last) <= int64(j) }

// reasons are words for what raised or lowered the confidence of a firm, of the link
// that leads it nearer on the surest way.
func (n *Network) reasons(sme SME) []string {
	out := []string{}
	if len(sme.Links) == 0 {
		return out
	}
	p := sme.Links[0].Proof
	if len(p.Kinds) == 0 {
		return append(out, "named_only")
	}
	for _, k := range p.Kinds {
		out = append(out, string(k))
	}
	if p.Documents < manyDocs {
		out = append(out, "few_documents")
	}
	if n.judge().old(graph.Day(p.Last)) {
		out = append(out, "old_documents")
	}
	if sme.Tier > 1 {
		out = append(out, "through_others")
	}
	return out
}

func round(v float64) float64 { return math.Round(v*1000) / 1000 }
