// Package flow compares the flows of trade: what was ordered, delivered, invoiced
// and paid must tell one story. It says what share of the invoices is proven, which
// invoices are used twice and where goods are sold in a circle, and derives from
// that the standing of a firm in its chain.
package flow

import (
	"cmp"
	"slices"
	"time"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/money"
)

// Rules are the tolerances of matching. Days are calendar days.
type Rules struct {
	TolerancePermille int64 // amounts this close are the same amount
	OrderDays         int   // an order comes at most so long before its invoice
	DeliveryDays      int   // a delivery lies within so many days of its invoice
	PaymentDays       int   // a payment comes at most so long after its invoice; until then it is not missed
	CircleHops        int   // longest circle looked for
	CircleDays        int   // a circle closes within so many days
	CirclePermille    int64 // amounts in a circle are this close to the first
}

// DefaultRules are the tolerances that the house starts with.
func DefaultRules() Rules {
	return Rules{
		TolerancePermille: 20, OrderDays: 180, DeliveryDays: 60, PaymentDays: 120,
		CircleHops: 5, CircleDays: 60, CirclePermille: 100,
	}
}

// Proof says which flows stand behind an invoice. NotDue means that the payment is
// not there but may still come within Rules.PaymentDays.
type Proof struct {
	Invoice                  chain.Document
	Order, Delivery, Payment bool
	NotDue                   bool
}

// Proven says whether all flows that can be expected by now are there.
func (p Proof) Proven() bool { return p.Order && p.Delivery && (p.Payment || p.NotDue) }

// Match finds the order, the delivery and the payment of each invoice among the
// documents of any firms. A document proves an invoice of the same seller and buyer
// when it names the same order and what it is worth is not used up by earlier
// invoices, or when it names no order and amount and dates fit; each is used once.
// An invoice that is in the books twice is judged once. today is a calendar date.
func Match(docs []chain.Document, rules Rules, today time.Time) []Proof {
	type pair struct{ seller, buyer string }
	byPair := map[pair]*ledger{}
	var order []pair
	for _, d := range docs {
		k := pair{d.SellerID, d.BuyerID}
		if byPair[k] == nil {
			byPair[k] = &ledger{}
			order = append(order, k)
		}
		byPair[k].add(d)
	}
	var out []Proof
	for _, k := range order {
		out = append(out, byPair[k].match(rules, today)...)
	}
	return out
}

// ProvenShare is the part of the invoiced amount that is proven, 0 for no invoice.
func ProvenShare(proofs []Proof) float64 {
	var proven, all money.Fen
	for _, p := range proofs {
		all += p.Invoice.Amount
		if p.Proven() {
			proven += p.Invoice.Amount
		}
	}
	if all == 0 {
		return 0
	}
	return float64(proven) / float64(all)
}

// ledger is the trade of one seller with one buyer.
type ledger struct {
	invoices                     []chain.Document
	orders, deliveries, payments []chain.Document
}

func (l *ledger) add(d chain.Document) {
	switch d.Kind {
	case chain.Invoice:
		l.invoices = append(l.invoices, d)
	case chain.Order:
		l.orders = append(l.orders, d)
	case chain.Delivery:
		l.deliveries = append(l.deliveries, d)
	case chain.Payment:
		l.payments = append(l.payments, d)
	case chain.Suppliers:
	}
}

func (l *ledger) match(rules Rules, today time.Time) []Proof {
	invoices := once(l.invoices)
	orders := newPool(once(l.orders), func(d chain.Document) string { return chain.NumberKey(d.Number) })
	named := func(d chain.Document) string { return chain.NumberKey(d.OrderNo) }
	deliveries, payments := newPool(once(l.deliveries), named), newPool(once(l.payments), named)
	out := make([]Proof, len(invoices))
	for i, inv := range invoices {
		out[i] = Proof{
			Invoice:  inv,
			Order:    orders.take(inv, rules, -rules.OrderDays, 15),
			Delivery: deliveries.take(inv, rules, -rules.DeliveryDays, rules.DeliveryDays),
			Payment:  payments.take(inv, rules, -rules.OrderDays, rules.PaymentDays),
			NotDue:   between(inv.Date, today.Format(time.DateOnly)) <= rules.PaymentDays,
		}
	}
	return out
}

// pool is the documents of one flow, used up as invoices claim them.
type pool struct {
	worth map[string]money.Fen // left of each named order
	loose []chain.Document     // those that name no order
	used  []bool
}

func newPool(docs []chain.Document, order func(chain.Document) string) *pool {
	p := &pool{worth: map[string]money.Fen{}}
	for _, d := range docs {
		if k := order(d); k != "" {
			p.worth[k] += d.Amount
		}
		if order(d) == "" || d.Kind == chain.Order {
			p.loose = append(p.loose, d)
		}
	}
	p.used = make([]bool, len(p.loose))
	return p
}

// take claims what proves inv: by its order number, else by amount and a date
// from first to last days after the invoice's.
func (p *pool) take(inv chain.Document, rules Rules, first, last int) bool {
	if k := chain.NumberKey(inv.OrderNo); k != "" {
		if left, ok := p.worth[k]; ok {
			if left < inv.Amount && !near(left, inv.Amount, rules.TolerancePermille) {
				return false
			}
			p.worth[k] = max(left-inv.Amount, 0)
			return true
		}
	}
	for i, d := range p.loose {
		days := between(inv.Date, d.Date)
		if p.used[i] || days < first || days > last || !near(d.Amount, inv.Amount, rules.TolerancePermille) {
			continue
		}
		if d.Kind == chain.Order { // the same order must not be claimed by name as well
			k := chain.NumberKey(d.Number)
			if p.worth[k] < d.Amount {
				continue
			}
			p.worth[k] = 0
		}
		p.used[i] = true
		return true
	}
	return false
}

// once sorts by date and drops what is there a second time under its number.
func once(docs []chain.Document) []chain.Document {
	slices.SortStableFunc(docs, func(a, b chain.Document) int {
		return cmp.Or(cmp.Compare(a.Date, b.Date), cmp.Compare(chain.NumberKey(a.Number), chain.NumberKey(b.Number)))
	})
	seen := map[string]bool{}
	return slices.DeleteFunc(docs, func(d chain.Document) bool {
		k := chain.NumberKey(d.Number)
		twice := seen[k]
		seen[k] = true
		return twice
	})
}

// near says whether a is within permille of b.
func near(a, b money.Fen, permille int64) bool {
	return int64(max(a-b, b-a)) <= int64(b)/1000*permille+int64(b)%1000*permille/1000
}

// between counts the days from a to b, dates as "2026-05-31". An unreadable date
// lies out of every window.
func between(a, b string) int {
	x, errX := time.Parse(time.DateOnly, a)
	y, errY := time.Parse(time.DateOnly, b)
	if errX != nil || errY != nil {
		return 1 << 30
	}
	return int(y.Sub(x).Hours() / 24)
}
