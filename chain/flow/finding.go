package flow

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/graph"
)

// Reused finds invoices that serve twice: one number of one seller that was
// promised to different funders, or billed to different buyers. The same row
// uploaded again, by whomever, is one invoice and no finding.
func Reused(invoices []chain.Document) []chain.Finding {
	type id struct{ seller, number string }
	groups := map[id][]chain.Document{}
	var order []id
	for _, d := range invoices {
		k := id{d.SellerID, chain.NumberKey(d.Number)}
		if d.Kind != chain.Invoice || k.number == "" {
			continue
		}
		if len(groups[k]) == 0 {
			order = append(order, k)
		}
		groups[k] = append(groups[k], d)
	}
	var out []chain.Finding
	for _, k := range order {
		docs := groups[k]
		var funders, buyers, anchors []string
		for _, d := range docs {
			buyers = append(buyers, d.BuyerID)
			anchors = append(anchors, d.AnchorID)
			if d.Funder != "" {
				funders = append(funders, d.Funder)
			}
		}
		funders, buyers, anchors = distinct(funders), distinct(buyers), distinct(anchors)
		if len(funders) < 2 && len(buyers) < 2 {
			continue
		}
		f := chain.Finding{
			Kind: chain.InvoiceReused, Severity: "critical", Documents: docs,
			FirmIDs: append([]string{k.seller}, buyers...),
			Evidence: map[string]string{
				"number": docs[0].Number, "amount": docs[0].Amount.String(), "times": strconv.Itoa(len(docs)),
				"buyers": strconv.Itoa(len(buyers)), "uploaders": strconv.Itoa(len(anchors)),
			},
		}
		if len(funders) > 0 {
			f.Evidence["funders"] = strings.Join(funders, ", ")
		}
		out = append(out, f)
	}
	return out
}

// maxSteps bounds the search in one strongly connected component: real trade
// has small ones, and a hostile one must not stop the house.
const maxSteps = 2_000_000

// Circles finds trade in a circle: invoices from firm to firm, each no earlier
// than the one before and of a similar amount, that end where they began within
// Rules.CircleDays and Rules.CircleHops. Only firms of one strongly connected
// component can be on a circle, so only those are searched. Circles through the
// same firms are one finding.
func Circles(invoices []chain.Document, rules Rules) []chain.Finding {
	x := graph.NewIndex()
	var edges []graph.Edge
	invoices = slices.DeleteFunc(slices.Clone(invoices), func(d chain.Document) bool { return d.Kind != chain.Invoice })
	for _, d := range invoices {
		edges = append(edges, graph.Edge{From: x.Add(d.SellerID), To: x.Add(d.BuyerID)})
	}
	component := make([]int, x.Len())
	large := map[int]bool{}
	for i, c := range graph.Build(x.Len(), edges).Components() {
		large[i] = len(c) > 1
		for _, v := range c {
			component[v] = i
		}
	}
	inside := map[int][]chain.Document{}
	for i, d := range invoices {
		if c := component[edges[i].From]; large[c] && c == component[edges[i].To] {
			inside[c] = append(inside[c], d)
		}
	}
	var out []chain.Finding
	for c := range len(large) {
		if large[c] {
			out = append(out, circles(inside[c], rules)...)
		}
	}
	return out
}

func circles(docs []chain.Document, rules Rules) []chain.Finding {
	slices.SortStableFunc(docs, func(a, b chain.Document) int {
		return cmp.Or(cmp.Compare(a.Date, b.Date), cmp.Compare(a.ID, b.ID))
	})
	sales := map[string][]chain.Document{}
	for _, d := range docs {
		sales[d.SellerID] = append(sales[d.SellerID], d)
	}
	var (
		found = map[string]*chain.Finding{}
		order []string
		steps int
		path  []chain.Document
		walk  func()
	)
	walk = func() {
		start, last := path[0], path[len(path)-1]
		from, _ := slices.BinarySearchFunc(sales[last.BuyerID], last.Date, func(d chain.Document, day string) int {
			return cmp.Compare(d.Date, day)
		})
		for _, d := range sales[last.BuyerID][from:] {
			steps++
			if steps > maxSteps || between(start.Date, d.Date) > rules.CircleDays {
				return
			}
			if !near(d.Amount, start.Amount, rules.CirclePermille) || slices.ContainsFunc(path, func(p chain.Document) bool {
				return p.ID == d.ID || (p.BuyerID == d.BuyerID && d.BuyerID != start.SellerID)
			}) {
				continue
			}
			path = append(path, d)
			if d.BuyerID == start.SellerID {
				note(found, &order, path)
			} else if len(path) < rules.CircleHops {
				walk()
			}
			path = path[:len(path)-1]
		}
	}
	for _, d := range docs {
		path = append(path[:0], d)
		walk()
	}
	out := make([]chain.Finding, 0, len(order))
	for _, k := range order {
		f := found[k]
		slices.SortStableFunc(f.Documents, func(a, b chain.Document) int { return cmp.Compare(a.Date, b.Date) })
		first, last := f.Documents[0].Date, f.Documents[len(f.Documents)-1].Date
		f.Evidence = map[string]string{
			"firms": strconv.Itoa(len(f.FirmIDs)), "invoices": strconv.Itoa(len(f.Documents)), "first_date": first, "last_date": last,
			"days": strconv.Itoa(between(first, last)), "amount": f.Documents[0].Amount.String(),
		}
		out = append(out, *f)
	}
	return out
}

// note adds a circle to the finding of its firms.
func note(found map[string]*chain.Finding, order *[]string, path []chain.Document) {
	firms := make([]string, len(path))
	for i, d := range path {
		firms[i] = d.SellerID
	}
	key := strings.Join(slices.Sorted(slices.Values(firms)), "\x00")
	f := found[key]
	if f == nil {
		f = &chain.Finding{Kind: chain.CircularTrade, Severity: "critical", FirmIDs: firms}
		found[key] = f
		*order = append(*order, key)
	}
	for _, d := range path {
		if !slices.ContainsFunc(f.Documents, func(o chain.Document) bool { return o.ID == d.ID }) {
			f.Documents = append(f.Documents, d)
		}
	}
}

func distinct(s []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(s)))
}
