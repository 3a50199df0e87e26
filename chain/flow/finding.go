package flow

import (
	"cmp"
	"context"
	"slices"
	"time"
	"unique"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/flow/fraud"
	"github.com/furrowcredit/furrow/money"
)

// maxInside bounds the documents within rings that are held at once. Circles close within
// weeks, so that of a larger ring the newest documents tell what goes on now.
const maxInside = 500_000

// Findings looks through all documents of the tenant. Critical ones come first. It
// holds the documents of one seller at a time, and beside them the newest maxInside on
// which a circle may run and those that were promised to funders.
func (n *Network) Findings(ctx context.Context, tenant string) ([]chain.Finding, error) {
	related, err := n.relationsOf(ctx, tenant)
	if err != nil {
		return nil, err
	}
	rings, err := n.graph.Rings(ctx, tenant)
	if err != nil {
		return nil, err
	}
	s := &scan{rules: n.rules, today: day(n.now()), ring: map[string]int{}, behind: map[string]bool{}, newest: newest{}, most: maxInside}
	for i, ring := range rings {
		for _, id := range ring {
			s.ring[id] = i + 1
		}
	}
	s.newest.want(related.all)
	if err := n.store.DocumentsBySeller(ctx, tenant, s.seller); err != nil {
		return nil, err
	}
	out, err := n.reused(ctx, tenant, s)
	if err != nil {
		return nil, err
	}
	twice, err := n.elsewhere(ctx, tenant, s.promised)
	if err != nil {
		return nil, err
	}
	out = append(out, twice...)
	out = append(out, s.withdrawn...)
	s.thin(s.most)
	out = append(out, fraud.Circles(s.inside, n.rules.Fraud)...)
	out = append(out, fraud.CashReturned(s.inside, func(id string) bool { return s.behind[id] }, n.rules.Fraud)...)
	out = append(out, withTrade(related.all, s.newest)...)
	for some := range slices.Chunk(s.large, 1000) {
		firms, err := n.store.FirmsByID(ctx, tenant, some)
		if err != nil {
			return nil, err
		}
		for _, f := range firms {
			docs, err := n.store.Documents(ctx, tenant, f.ID, chain.Invoice)
			if err != nil {
				return nil, err
			}
			out = append(out, n.overCapacity(f, docs, s.today)...)
		}
	}
	return append(out, s.unmatched...), nil
}

// scan is what a look through the documents, seller by seller, leaves behind.
type scan struct {
	rules Rules
	today time.Time
	ring  map[string]int // the strongly connected component of each firm on one, from 1

	reused, withdrawn, unmatched []chain.Finding

	inside   []chain.Document // invoices and payments within a ring, the newest of them
	most     int              // of those
	since    string           // the day of the oldest that is still kept; "" keeps all
	behind   map[string]bool  // of those, the payments behind which an invoice stands
	promised []chain.Document // to funders
	large    []string         // sellers that sold so much that it may be too much
	newest   newest
}

// seller looks through the documents of one seller.
func (s *scan) seller(docs []chain.Document) error {
	docs = slices.DeleteFunc(docs, alone)
	if len(docs) == 0 {
		return nil
	}
	m := Match(docs, s.rules, s.today)
	s.reused = append(s.reused, fraud.Reused(docs)...)
	s.withdrawn = append(s.withdrawn, fraud.Withdrawn(docs)...)
	s.unmatched = append(s.unmatched, Unmatched(m, s.rules)...)
	paid := m.behind()
	var year money.Fen
	byMonth := map[string]money.Fen{}
	for _, d := range docs {
		if c := s.ring[d.SellerID]; c > 0 && c == s.ring[d.BuyerID] && !d.Void && d.Amount > 0 && (d.Kind == chain.Invoice || d.Kind == chain.Payment) {
			s.keep(d, paid(d.ID))
		}
		if d.Kind == chain.Invoice && d.Amount > 0 {
			if d.Funder != "" {
				s.promised = append(s.promised, d)
			}
			if !d.Void && len(d.Date) >= 7 {
				year += d.Amount
				byMonth[d.Date[:7]] += d.Amount
			}
		}
		s.newest.add(d)
	}
	large := year >= s.rules.Fraud.CapitalAmount
	for _, sold := range byMonth {
		large = large || sold >= s.rules.Fraud.JumpMin
	}
	if large {
		s.large = append(s.large, docs[0].SellerID)
	}
	return nil
}

// keep takes a document within a ring. What many documents have in common is kept once.
func (s *scan) keep(d chain.Document, paid bool) {
	if d.Date < s.since {
		return
	}
	d.Key = ""
	for _, text := range []*string{&d.Tenant, &d.SellerID, &d.BuyerID, &d.Goods, &d.Date, &d.UploadID, &d.AnchorID, &d.Funder, &d.ContractNo, &d.OrderNo, &d.Due, &d.Unit} {
		*text = unique.Make(*text).Value()
	}
	s.inside = append(s.inside, d)
	if paid {
		s.behind[d.ID] = true
	}
	if len(s.inside) > s.most+s.most/4 {
		s.thin(s.most)
	}
}

// thin leaves the newest documents, in whatever order they came.
func (s *scan) thin(most int) {
	if len(s.inside) <= most {
		return
	}
	slices.SortFunc(s.inside, func(a, b chain.Document) int {
		return cmp.Or(cmp.Compare(b.Date, a.Date), cmp.Compare(a.ID, b.ID))
	})
	for _, d := range s.inside[most:] {
		delete(s.behind, d.ID)
	}
	clear(s.inside[most:])
	s.inside = s.inside[:most]
	s.since = s.inside[most-1].Date
}

// reused adds to the invoices that one seller used twice the numbers that several sellers
// promised, with all documents that have one.
func (n *Network) reused(ctx context.Context, tenant string, s *scan) ([]chain.Finding, error) {
	shared := func(found []chain.Finding) []chain.Finding {
		return slices.DeleteFunc(found, func(f chain.Finding) bool { return f.Evidence["sellers"] == "" })
	}
	among := shared(fraud.Reused(s.promised))
	if len(among) == 0 {
		return s.reused, nil
	}
	sellers, number := map[string]bool{}, map[string]bool{}
	for _, f := range among {
		for _, d := range f.Documents {
			sellers[d.SellerID], number[numberKey(d.Number)] = true, true
		}
	}
	var docs []chain.Document
	for id := range sellers {
		all, err := n.store.Documents(ctx, tenant, id, chain.Invoice)
		if err != nil {
			return nil, err
		}
		docs = append(docs, slices.DeleteFunc(all, func(d chain.Document) bool { return d.SellerID != id || alone(d) || !number[numberKey(d.Number)] })...)
	}
	slices.SortFunc(docs, func(a, b chain.Document) int { return cmp.Or(cmp.Compare(a.Date, b.Date), cmp.Compare(a.ID, b.ID)) })
	among = shared(fraud.Reused(docs))
	told := map[string]bool{}
	for _, f := range among {
		for _, d := range f.Documents {
			told[d.ID] = true
		}
	}
	one := slices.DeleteFunc(s.reused, func(f chain.Finding) bool { return told[f.Documents[0].ID] })
	return append(among, one...), nil
}

// newest keeps the newest documents of pairs of seller and buyer.
type newest map[[2]string][]chain.Document

// shownOfPair is how many documents show that two firms trade.
const shownOfPair = 3

// want says that the pairs of findings about firms are asked for.
func (n newest) want(found []chain.Finding) {
	for _, f := range found {
		last := f.FirmIDs[len(f.FirmIDs)-1]
		for _, id := range f.FirmIDs[:len(f.FirmIDs)-1] {
			n[[2]string{id, last}] = nil
		}
	}
}

func (n newest) add(d chain.Document) {
	k := [2]string{d.SellerID, d.BuyerID}
	some, wanted := n[k]
	if !wanted {
		return
	}
	at, _ := slices.BinarySearchFunc(some, d, func(a, b chain.Document) int {
		return cmp.Or(cmp.Compare(b.Date, a.Date), cmp.Compare(a.ID, b.ID))
	})
	if at < shownOfPair {
		some = slices.Insert(some, at, d)
		n[k] = some[:min(len(some), shownOfPair)]
	}
}

// newestOf keeps those that findings ask for.
func newestOf(found []chain.Finding, docs []chain.Document) newest {
	n := newest{}
	n.want(found)
	for _, d := range docs {
		n.add(d)
	}
	return n
}

// withTrade gives findings about firms the newest documents between them.
func withTrade(found []chain.Finding, docs newest) []chain.Finding {
	out := make([]chain.Finding, len(found))
	for i, f := range found {
		f.Documents = []chain.Document{}
		last := f.FirmIDs[len(f.FirmIDs)-1]
		for _, id := range f.FirmIDs[:len(f.FirmIDs)-1] {
			f.Documents = append(f.Documents, docs[[2]string{id, last}]...)
		}
		out[i] = f
	}
	return out
}
