package flow

import (
	"strconv"
	"time"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/money"
)

// month returns the first and the last day of the calendar month that lies so many
// months from that of day.
func month(day, months int) (first, last int) {
	t := time.Unix(int64(day)*86400, 0).UTC()
	start := time.Date(t.Year(), t.Month()+time.Month(months), 1, 0, 0, 0, 0, time.UTC)
	return int(start.Unix() / 86400), int(start.AddDate(0, 1, 0).Unix()/86400) - 1
}

// findGaps lists what nothing answers. A flow that the pair has no document of is
// not kept in these books, so nothing of it is missed. What is older than the books
// by less than a window may answer to something before them, and is not missed either.
func (l *ledger) findGaps(proofs []Proof) {
	miss := func(kind GapKind, e *entry, amount money.Fen, days int) {
		if amount > 0 && e.day != noDay && l.age(e) > days {
			l.gaps = append(l.gaps, Gap{kind, e.doc, amount, l.age(e)})
		}
	}
	begins := func(list []*entry, days int) int { // from when a counterpart must be in the books
		for _, e := range list {
			if e.day != noDay {
				return e.day + days
			}
		}
		return l.today + 1
	}
	for f, kind := range []GapKind{InvoiceUnordered, InvoiceUndelivered, InvoiceUnpaid} {
		_, late := l.window(Flow(f))
		from := begins(l.pools[f], 0)
		for i, e := range l.invoices {
			if e.left > 0 && !proofs[i].full[f] && e.day >= from && (Flow(f) != Money || !proofs[i].NotDue) {
				miss(kind, e, l.open[f][i], late)
			}
		}
	}
	from := begins(l.invoices, 0)
	for _, e := range l.pools[Logistics] {
		if e.day >= from+l.rules.DeliveryDays {
			miss(DeliveryUninvoiced, e, e.left, l.rules.DeliveryDays)
		}
	}
	for _, e := range l.pools[Money] {
		if e.day >= from+l.rules.PaymentDays {
			miss(PaymentUninvoiced, e, e.left, l.rules.OrderDays)
		}
	}
	l.undelivered()
}

// undelivered finds orders that no delivery names and no delivered invoice used.
func (l *ledger) undelivered() {
	if len(l.pools[Logistics]) == 0 {
		return
	}
	named := map[string]bool{}
	for _, e := range l.pools[Logistics] {
		for _, k := range e.order {
			named[k] = true
		}
	}
	// Deliveries without an order number answer orders by value alone: then only what
	// no invoice used is missed.
	for _, e := range l.pools[Trade] {
		if e.doc.Kind != chain.Order || e.number == "" || named[e.number] || e.left != e.doc.Amount || e.day == noDay {
			continue
		}
		if age := l.age(e); age > l.rules.OrderDays && e.day >= l.pools[Logistics][0].day {
			l.gaps = append(l.gaps, Gap{OrderUndelivered, e.doc, e.left, age})
		}
	}
}

// maxShown bounds the documents that a finding lists; its evidence counts all.
const maxShown = 20

// Unmatched makes findings of the gaps that are material: of one pair and kind, more
// in number, amount and part of the pair's invoices than Rules let pass. Only gaps of
// the 12 months before today count.
func Unmatched(m Matching, rules Rules) []chain.Finding {
	type key struct {
		seller, buyer string
		kind          GapKind
	}
	whole := map[[2]string]money.Fen{}
	for i := range m.Proofs {
		d := m.Proofs[i].Invoice
		whole[[2]string{d.SellerID, d.BuyerID}] += m.Proofs[i].Net
	}
	found := map[key][]Gap{}
	var order []key
	for _, g := range m.Gaps {
		if g.Days > 365 || g.Kind == BackWithoutInvoice {
			continue
		}
		k := key{g.Document.SellerID, g.Document.BuyerID, g.Kind}
		if len(found[k]) == 0 {
			order = append(order, k)
		}
		found[k] = append(found[k], g)
	}
	var out []chain.Finding
	for _, k := range order {
		var total money.Fen
		oldest := 0
		for _, g := range found[k] {
			total += g.Amount
			oldest = max(oldest, g.Days)
		}
		invoiced := whole[[2]string{k.seller, k.buyer}]
		if len(found[k]) < rules.GapDocuments || total < rules.GapAmount || int64(total) < slack(invoiced, rules.GapPermille) {
			continue
		}
		f := chain.Finding{
			Kind: chain.UnmatchedFlow, Severity: chain.Warning, FirmIDs: []string{k.seller, k.buyer},
			Evidence: map[string]string{
				"gap": string(k.kind), "documents": strconv.Itoa(len(found[k])), "amount": total.String(),
				"oldest_days": strconv.Itoa(oldest), "invoiced": invoiced.String(),
			},
		}
		for _, g := range found[k][:min(maxShown, len(found[k]))] {
			f.Documents = append(f.Documents, *g.Document)
		}
		out = append(out, f)
	}
	return out
}
