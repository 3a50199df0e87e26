// Package flow compares the flows of trade: what was agreed, delivered, invoiced,
// paid and confirmed must tell one story. It says which documents stand behind each
// invoice and what has none, and derives from that the standing of a firm in its
// chain. The sub-packages know goods by their text (goods), patterns of fraud
// (fraud) and what invoices alone tell (profile).
package flow

import (
	"cmp"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/money"
)

// Flow is one of the flows that can stand behind an invoice, itself the fifth.
type Flow int

// Flows: contracts and orders, deliveries, payments, confirmations.
const (
	Trade Flow = iota
	Logistics
	Money
	Credit
	flows
)

// Basis says by what a document was matched, surest first.
type Basis string

// Bases of a match.
const (
	ByInvoice  Basis = "invoice_no"  // it names the invoice
	ByOrder    Basis = "order_no"    // both name one order
	ByContract Basis = "contract_no" // both name one contract
	ByAmount   Basis = "amount"      // amount, date and goods fit
	BySum      Basis = "sum"         // several together make the amount
	ByAccount  Basis = "account"     // paid on account, to the oldest open invoice
)

// Part is what one document gives to an invoice.
type Part struct {
	Document *chain.Document
	Amount   money.Fen
	By       Basis
}

// Proof says which documents stand behind an invoice. Net is its amount less what
// red-letter invoices took back. NotDue means that the payment is not there but may
// still come.
type Proof struct {
	Invoice *chain.Document
	Net     money.Fen
	Back    []Part // red-letter invoices against it
	Parts   [4][]Part
	NotDue  bool

	full [flows]bool
}

// Has says whether documents of a flow stand behind the whole invoice.
func (p *Proof) Has(f Flow) bool { return p.full[f] }

// Proven says whether all flows that can be expected by now are there. A
// confirmation is not expected: few buyers give one.
func (p *Proof) Proven() bool {
	return p.full[Trade] && p.full[Logistics] && (p.full[Money] || p.NotDue)
}

// GapKind names what has no counterpart.
type GapKind string

// Kinds of gap.
const (
	InvoiceUnordered   GapKind = "invoice_without_order"
	InvoiceUndelivered GapKind = "invoice_without_delivery"
	InvoiceUnpaid      GapKind = "invoice_without_payment"
	OrderUndelivered   GapKind = "order_without_delivery"
	DeliveryUninvoiced GapKind = "delivery_without_invoice"
	PaymentUninvoiced  GapKind = "payment_without_invoice"
	BackWithoutInvoice GapKind = "red_letter_without_invoice"
)

// Gap is a document, or the part of it worth Amount, that nothing answers though it
// should by now. Days is its age.
type Gap struct {
	Kind     GapKind
	Document *chain.Document
	Amount   money.Fen
	Days     int
}

// Matching is the trade of all pairs, in the order of seller and buyer, then date.
// Void counts the cancelled invoices, which prove and need nothing.
type Matching struct {
	Proofs []Proof
	Gaps   []Gap
	Void   int
}

// Match finds what stands behind each invoice, pair by pair of seller and buyer. A
// document is matched by the numbers that it and the invoice name; one that names
// nothing of the pair by amount, date and goods, alone or several together. What it
// gives to all invoices is never more than its amount. An invoice that is in the
// books twice is judged once. The order of docs changes nothing. today is a
// calendar date; the documents must not change while the result is in use.
func Match(docs []chain.Document, rules Rules, today time.Time) Matching {
	pairs := byPair(docs)
	parts := make([]Matching, len(pairs))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	const chunk = 64
	now := money.DateOf(today)
	for at := 0; at < len(pairs); at += chunk {
		g.Go(func() error {
			for i := at; i < min(at+chunk, len(pairs)); i++ {
				parts[i] = newLedger(pairs[i], rules, now).match()
			}
			return nil
		})
	}
	_ = g.Wait() // no part fails
	out := Matching{}
	n, gaps := 0, 0
	for i := range parts {
		n, gaps = n+len(parts[i].Proofs), gaps+len(parts[i].Gaps)
	}
	out.Proofs, out.Gaps = make([]Proof, 0, n), make([]Gap, 0, gaps)
	for i := range parts {
		out.Proofs = append(out.Proofs, parts[i].Proofs...)
		out.Gaps = append(out.Gaps, parts[i].Gaps...)
		out.Void += parts[i].Void
	}
	return out
}

// byPair groups documents by seller and buyer, in the order of their ids.
func byPair(docs []chain.Document) [][]*chain.Document {
	ids := map[string]uint32{}
	id := func(s string) uint32 {
		n, ok := ids[s]
		if !ok {
			n = uint32(len(ids)) //nolint:gosec // fewer firms than fit
			ids[s] = n
		}
		return n
	}
	at := map[uint64]int{}
	var out [][]*chain.Document
	for i := range docs {
		d := &docs[i]
		if d.Kind == chain.Suppliers || d.Kind == chain.Statement {
			continue
		}
		k := uint64(id(d.SellerID))<<32 | uint64(id(d.BuyerID))
		n, ok := at[k]
		if !ok {
			n = len(out)
			at[k] = n
			out = append(out, nil)
		}
		out[n] = append(out[n], d)
	}
	slices.SortFunc(out, func(a, b []*chain.Document) int {
		return cmp.Or(cmp.Compare(a[0].SellerID, b[0].SellerID), cmp.Compare(a[0].BuyerID, b[0].BuyerID))
	})
	return out
}

// Shares sums up the flows behind the proofs that keep selects; nil takes all.
func Shares(proofs []Proof, keep func(*Proof) bool) chain.FlowShares {
	var out chain.FlowShares
	var with [flows]money.Fen
	var notDue, proven, five money.Fen
	for i := range proofs {
		p := &proofs[i]
		if keep != nil && !keep(p) {
			continue
		}
		out.Invoices++
		out.Invoiced += p.Net
		for f := range flows {
			if p.full[f] {
				with[f] += p.Net
			}
		}
		if p.NotDue && !p.full[Money] {
			notDue += p.Net
		}
		if p.Proven() {
			proven += p.Net
		}
		if p.full[Trade] && p.full[Logistics] && p.full[Money] && p.full[Credit] {
			five += p.Net
		}
	}
	share := func(part money.Fen) float64 {
		if out.Invoiced == 0 {
			return 0
		}
		return float64(part) / float64(out.Invoiced)
	}
	out.Trade, out.Logistics, out.Money, out.Credit = share(with[Trade]), share(with[Logistics]), share(with[Money]), share(with[Credit])
	out.NotDue, out.Proven, out.AllFive = share(notDue), share(proven), share(five)
	return out
}

// near says whether a is within permille of b.
func near(a, b money.Fen, permille int64) bool {
	return int64(max(a-b, b-a)) <= slack(b, permille)
}

// slack is permille of an amount, rounded down.
func slack(a money.Fen, permille int64) int64 {
	return int64(a)/1000*permille + int64(a)%1000*permille/1000
}
