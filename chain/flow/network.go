package flow

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/flow/fraud"
	"github.com/furrowcredit/furrow/chain/industry"
	"github.com/furrowcredit/furrow/money"
)

// maxRing bounds the firms of a ring whose documents are read for one of them.
const maxRing = 500

// Graph tells where a firm stands among those of its tenant; network.Network is one.
type Graph interface {
	// Anchors returns the anchors that a firm's sales lead to, nearest first;
	// chain.ErrFirmNotFound.
	Anchors(ctx context.Context, tenant, firmID string) ([]chain.AnchorReach, error)
	// Ring returns the strongly connected component of a firm, itself included,
	// nothing when it is alone in it; chain.ErrFirmNotFound.
	Ring(ctx context.Context, tenant, firmID string) ([]string, error)
	// Rings returns all of them that have more than one firm.
	Rings(ctx context.Context, tenant string) ([][]string, error)
}

// Network answers questions about the firms of a tenant from what is in the books.
// It is safe for concurrent use.
type Network struct {
	graph Graph
	store chain.Store
	now   func() time.Time
	rules Rules

	members    *Members            // nil: other funders are not asked
	industries *industry.Catalogue // nil: firms have no industry

	mu      sync.Mutex
	related map[string]*relations // by tenant
	levels  map[string]*place
}

// maxKept bounds the tenants whose relations are in memory.
const maxKept = 16

// NewNetwork returns a network with the default rules over the books and their graph.
func NewNetwork(store chain.Store, g Graph, now func() time.Time) *Network {
	return &Network{graph: g, store: store, now: now, rules: DefaultRules(), related: map[string]*relations{}, levels: map[string]*place{}}
}

// shares says of each anchor that a firm's sales lead to how much of them does:
// what counts for one further down is what the firm sold to those of its buyers that
// lead there. Documents of the future count for nothing. The order is that of tiers,
// then of amounts.
func shares(reach []chain.AnchorReach, sales []chain.Document, today time.Time) []chain.AnchorShare {
	last := today.Format(time.DateOnly)
	sales = slices.DeleteFunc(slices.Clone(sales), func(d chain.Document) bool { return d.Void || d.Date > last || len(d.Date) != len(last) })
	invoiced, months := invoicedTo(sales), map[string]map[string]bool{}
	for _, d := range sales {
		if months[d.BuyerID] == nil {
			months[d.BuyerID] = map[string]bool{}
		}
		months[d.BuyerID][d.Date[:7]] = true
	}
	var total money.Fen
	for _, amount := range invoiced {
		total += amount
	}
	out := make([]chain.AnchorShare, 0, len(reach))
	for _, r := range reach {
		a := chain.AnchorShare{AnchorID: r.AnchorID, Name: r.Name, Tier: r.Tier}
		via := map[string]bool{}
		for _, buyer := range r.Buyers {
			a.Invoiced += invoiced[buyer]
			for m := range months[buyer] {
				via[m] = true
			}
		}
		a.Months = len(via)
		if total > 0 { // what other buyers gave back does not make this one more than all
			a.Share = min(max(float64(a.Invoiced)/float64(total), 0), 1)
		}
		out = append(out, a)
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
		if key := invoiceKey(&d); !seen[key] {
			seen[key] = true
			out[d.BuyerID] += d.Amount
		}
	}
	return out
}

// invoiceKey tells an invoice of one seller from the others.
func invoiceKey(d *chain.Document) string {
	number := numberKey(d.Number)
	if number == "" {
		return d.ID
	}
	return d.BuyerID + "\x00" + numberKey(d.Code) + "\x00" + number
}
