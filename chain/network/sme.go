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
	node       uint32
	tier       int
	amount     int64   // of all links that lead nearer
	confidence float64 // of the surest way
	next       uint32  // the firm one tier nearer on it
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
	found := walk.found
	tier := found[:0:0]
	tried := 0
	for from := 0; from < len(found); {
		to := from
		for to < len(found) && found[to].tier == found[from].tier {
			to++
		}
		tier, from = append(tier[:0], found[from:to]...), to
		tier = slices.DeleteFunc(tier, func(r reached) bool { return s.anchors[r.node] || r.node == anchor })
		out.Tiers = append(out.Tiers, len(tier))
		if out.Next != "" || len(tier) == 0 || tier[0].tier < after.tier {
			continue
		}
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
		if out.Next == "" && len(out.Firms) >= limit && from < len(found) {
			out.Next = cursor{tier: found[from-1].tier + 1, amount: math.MaxInt64}.String()
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

// reach finds who trades towards a firm, tier by tier. A firm belongs to the nearest
// tier from which a link of enough trade leads to it; a firm that trades with itself
// is no reason.
func (n *Network) reach(s *state, anchor uint32, dir graph.Direction, hops int, least int64) search {
	rows, trade := s.In, s.InTrade
	if dir == graph.Downstream {
		rows, trade = s.Out, s.OutTrade
	}
	at, judge := s.slate(), n.judge()
	at[anchor] = 1
	found := []reached{{node: anchor, confidence: 1}}
	for from, tier := 0, 1; tier <= hops && from < len(found); tier++ {
		for end := len(found); from < end; from++ {
			w := found[from].node
			for i, v := range rows(w) {
				t := trade(w, i)
				if v == w || t.Amount < least {
					continue
				}
				if at[v] == 0 {
					found = append(found, reached{node: v, tier: tier})
					at[v] = int32(len(found)) //nolint:gosec // nodes fit 32 bits
				}
				if r := &found[at[v]-1]; r.tier == tier {
					r.amount += max(t.Amount, 0)
					if c := judge.confidence(t) * found[from].confidence; c > r.confidence {
						r.confidence, r.next = c, w
					}
				}
			}
		}
	}
	return search{dir: dir, least: least, found: found[1:], all: found, at: at, s: s}
}

// search is what reach found, nearest first. It must be closed.
type search struct {
	dir   graph.Direction
	least int64
	found []reached
	all   []reached // the anchor before them
	at    []int32   // 1 + place in all of each node; 0 when not found
	s     *state
}

// tierOf is the tier of a firm: 0 of the anchor, beyond all of those not found.
func (w search) tierOf(v uint32) int {
	if k := w.at[v]; k > 0 {
		return w.all[k-1].tier
	}
	return maxHops + 1
}

// close gives the slate back, wiped.
func (w search) close() {
	for _, r := range w.all {
		w.at[r.node] = 0
	}
	w.s.slates.Put(&w.at)
}

// slate is a number for each node, all 0.
func (s *state) slate() []int32 {
	if p, ok := s.slates.Get().(*[]int32); ok {
		return *p
	}
	return make([]int32, s.Len())
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
func (n *Network) smes(ctx context.Context, tenantID string, s *state, walk search, page []reached) ([]SME, error) {
	ids := make([]string, len(page))
	for i, r := range page {
		ids[i] = s.ID(r.node)
	}
	nearer := s.nearer(walk, page)
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
	names, err := n.views(ctx, tenantID, s, distinct(others))
	if err != nil {
		return nil, err
	}
	name := map[string]string{}
	for _, v := range names {
		name[v.ID] = v.Name
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
		sme.Confidence, sme.Reasons = round(r.confidence), n.reasons(sme)
		out = append(out, sme)
	}
	return out, nil
}

func distinct(v []uint32) []uint32 {
	slices.Sort(v)
	return slices.Compact(v)
}

// led is a link that leads a firm nearer to the anchor.
type led struct {
	node  uint32
	trade graph.Trade
	proof Proof
}

// nearer finds the links of each firm of a page that lead one tier nearer: that of
// the surest way first, then the largest.
func (s *state) nearer(walk search, page []reached) [][]led {
	out := make([][]led, len(page))
	for i, r := range page {
		rows, trade := s.Out(r.node), s.OutTrade
		if walk.dir == graph.Downstream {
			rows, trade = s.In(r.node), s.InTrade
		}
		var kept []led
		for j, w := range rows {
			if t := trade(r.node, j); w != r.node && t.Amount >= walk.least && walk.tierOf(w) == r.tier-1 {
				kept = append(kept, led{node: w, trade: t})
			}
		}
		slices.SortStableFunc(kept, func(a, b led) int {
			return cmp.Or(cmp.Compare(rank(a, r), rank(b, r)), cmp.Compare(b.trade.Amount, a.trade.Amount))
		})
		kept = kept[:min(len(kept), maxProofs)]
		for k, l := range kept {
			seller, buyer := r.node, l.node
			if walk.dir == graph.Downstream {
				seller, buyer = buyer, seller
			}
			kept[k].proof = s.proof(seller, buyer, l.trade)
		}
		out[i] = kept
	}
	return out
}

// rank puts the link of the surest way before the others.
func rank(l led, r reached) int {
	if l.node == r.next {
		return 0
	}
	return 1
}

// proof says what is known of a link and how much it means to either end.
func (s *state) proof(seller, buyer uint32, t graph.Trade) Proof {
	p := Proof{Kinds: []chain.DocKind{}, Documents: int(t.Count), Amount: money.Fen(t.Amount), First: graph.Date(t.First), Last: graph.Date(t.Last), Months: months(t)}
	for i, kind := range [...]chain.DocKind{chain.Contract, chain.Order, chain.Delivery, chain.Invoice, chain.Payment, chain.Confirmation} {
		if t.Kinds>>i&1 == 1 {
			p.Kinds = append(p.Kinds, kind)
		}
	}
	var bought, sold int64
	for i := range s.In(buyer) {
		bought += max(s.InTrade(buyer, i).Amount, 0)
	}
	for i := range s.Out(seller) {
		sold += max(s.OutTrade(seller, i).Amount, 0)
	}
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
