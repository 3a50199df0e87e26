package flow_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/flow"
	"github.com/furrowcredit/furrow/money"
)

type edit func(*chain.Document)

func named(order, contract, invoice string) edit {
	return func(d *chain.Document) { d.OrderNo, d.ContractNo, d.InvoiceNo = order, contract, invoice }
}

func of2(d chain.Document, edits ...edit) chain.Document {
	for _, e := range edits {
		e(&d)
	}
	return d
}

func goodsOf(s string) edit { return func(d *chain.Document) { d.Goods = s } }

var void edit = func(d *chain.Document) { d.Void = true }

func ExampleMatch() {
	m := flow.Match([]chain.Document{
		of2(doc(chain.Contract, "HT1", "mill", "anchor", 50_000, "2026-01-02"), goodsOf("面粉")),
		of2(doc(chain.Delivery, "D1", "mill", "anchor", 6_000, "2026-02-03"), named("", "HT1", "")),
		of2(doc(chain.Delivery, "D2", "mill", "anchor", 4_000, "2026-02-09"), named("", "HT1", "")),
		of2(doc(chain.Invoice, "FP1", "mill", "anchor", 10_000, "2026-02-10"), named("", "HT1", "")),
		of2(doc(chain.Payment, "FK1", "mill", "anchor", 10_000, "2026-03-30"), named("", "", "FP1")),
	}, flow.DefaultRules(), today)
	for _, parts := range m.Proofs[0].Parts {
		for _, p := range parts {
			fmt.Println(p.Document.Number, p.Amount, p.By)
		}
	}
	fmt.Println("proven:", m.Proofs[0].Proven())
	// Output:
	// HT1 10000.00 contract_no
	// D1 6000.00 contract_no
	// D2 4000.00 contract_no
	// FK1 10000.00 invoice_no
	// proven: true
}

// story writes a matching as lines "invoice net: flow document amount basis".
func story(m flow.Matching) []string {
	var out []string
	for i := range m.Proofs {
		p := &m.Proofs[i]
		var b strings.Builder
		fmt.Fprintf(&b, "%s %d:", p.Invoice.Number, int64(p.Net)/100)
		for f, letter := range "OLMC" {
			for _, part := range p.Parts[f] {
				fmt.Fprintf(&b, " %c%s=%d/%s", letter, part.Document.Number, int64(part.Amount)/100, part.By)
			}
			if p.Has(flow.Flow(f)) {
				fmt.Fprintf(&b, " %c!", letter)
			}
		}
		out = append(out, b.String())
	}
	return out
}

func TestMatchByKind(t *testing.T) {
	t.Parallel()
	const s, b = "seller", "buyer"
	inv := func(n string, yuan int64, date string, e ...edit) chain.Document {
		return of2(doc(chain.Invoice, n, s, b, yuan, date), e...)
	}
	pay := func(n string, yuan int64, date string, e ...edit) chain.Document {
		return of2(doc(chain.Payment, n, s, b, yuan, date), e...)
	}
	ship := func(n string, yuan int64, date string, e ...edit) chain.Document {
		return of2(doc(chain.Delivery, n, s, b, yuan, date), e...)
	}
	order := func(n string, yuan int64, date string, e ...edit) chain.Document {
		return of2(doc(chain.Order, n, s, b, yuan, date), e...)
	}
	for name, c := range map[string]struct {
		docs []chain.Document
		want []string
	}{
		"one payment names several invoices": {
			[]chain.Document{inv("I1", 300, "2026-01-01"), inv("I2", 700, "2026-01-09"), pay("P", 1000, "2026-02-01", named("", "", "I1、I2"))},
			[]string{"I1 300: MP=300/invoice_no M!", "I2 700: MP=700/invoice_no M!"},
		},
		"several payments name one invoice": {
			[]chain.Document{inv("I1", 1000, "2026-01-01"), pay("P1", 400, "2026-02-01", named("", "", "I1")), pay("P2", 600, "2026-03-01", named("", "", "I1"))},
			[]string{"I1 1000: MP1=400/invoice_no MP2=600/invoice_no M!"},
		},
		"part paid is not paid": {
			[]chain.Document{inv("I1", 1000, "2026-01-01"), pay("P1", 400, "2026-02-01", named("", "", "I1"))},
			[]string{"I1 1000: MP1=400/invoice_no"},
		},
		"a payment for an invoice that is not here pays no other": {
			[]chain.Document{inv("I1", 1000, "2026-01-01"), pay("P1", 1000, "2026-02-01", named("", "", "I0"))},
			[]string{"I1 1000:"},
		},
		"a statement of the month without names": {
			[]chain.Document{
				ship("D1", 310, "2026-01-03"), ship("D2", 420, "2026-01-12"), ship("D3", 270, "2026-01-25"), inv("I1", 1000, "2026-01-31"),
				pay("P1", 1000, "2026-03-01"),
			},
			[]string{"I1 1000: LD3=270/sum LD2=420/sum LD1=310/sum L! MP1=1000/amount M!"},
		},
		"one transfer for three invoices without names": {
			[]chain.Document{inv("I1", 310, "2026-01-03"), inv("I2", 420, "2026-01-12"), inv("I3", 270, "2026-01-25"), pay("P1", 1000, "2026-02-10")},
			[]string{"I1 310: MP1=310/sum M!", "I2 420: MP1=420/sum M!", "I3 270: MP1=270/sum M!"},
		},
		"a round sum on account pays the oldest": {
			[]chain.Document{inv("I1", 310, "2026-01-03"), inv("I2", 420, "2026-01-12"), pay("P1", 500, "2026-02-10")},
			[]string{"I1 310: MP1=310/account M!", "I2 420: MP1=190/account"},
		},
		"a frame contract over two orders": {
			[]chain.Document{
				of2(doc(chain.Contract, "HT9", s, b, 1000, "2025-12-01")),
				order("PO1", 600, "2026-01-01", named("", "HT9", "")), order("PO2", 300, "2026-01-05", named("", "HT9", "")),
				inv("I1", 600, "2026-02-01", named("PO1", "", "")), inv("I2", 300, "2026-02-01", named("", "HT9", "")), inv("I3", 300, "2026-02-03", named("", "HT9", "")),
			},
			[]string{"I1 600: OPO1=600/order_no O!", "I2 300: OPO2=300/contract_no O!", "I3 300: OHT9=100/contract_no"},
		},
		"a frame without an amount": {
			[]chain.Document{
				of2(doc(chain.Contract, "HT9", s, b, 0, "2025-12-01")),
				inv("I1", 600, "2026-02-01", named("", "HT9", "")), inv("I2", 600, "2026-02-01"),
			},
			[]string{"I1 600: OHT9=600/contract_no O!", "I2 600:"},
		},
		"other goods are no evidence, blank ones neither": {
			[]chain.Document{
				inv("I1", 1000, "2026-01-10", goodsOf("*谷物加工品*面粉")), ship("D1", 1000, "2026-01-08", goodsOf("纸箱")), ship("D2", 1000, "2026-01-09", goodsOf("面粉 25kg")),
			},
			[]string{"I1 1000: LD2=1000/amount L!"},
		},
		"another order's delivery is not taken": {
			[]chain.Document{inv("I1", 1000, "2026-01-10", named("PO1", "", "")), ship("D1", 1000, "2026-01-08", named("PO2", "", ""))},
			[]string{"I1 1000:"},
		},
		"void counts for nothing": {
			[]chain.Document{inv("I1", 1000, "2026-01-10", void), inv("I2", 1000, "2026-01-11"), pay("P", 1000, "2026-02-01")},
			[]string{"I2 1000: MP=1000/amount M!"},
		},
		"red-letter by name": {
			[]chain.Document{inv("I1", 1000, "2026-01-10"), inv("I2", 1000, "2026-01-11"), inv("R", -1000, "2026-01-20", named("", "", "I1")), pay("P", 1000, "2026-02-01")},
			[]string{"I1 0: O! L! M! C!", "I2 1000: MP=1000/amount M!"},
		},
		"red-letter in part": {
			[]chain.Document{inv("I1", 1000, "2026-01-10"), inv("R", -200, "2026-01-20"), pay("P", 800, "2026-02-01")},
			[]string{"I1 800: MP=800/amount M!"},
		},
		"a refund lowers the payment": {
			[]chain.Document{inv("I1", 1000, "2026-01-10"), pay("P", 1000, "2026-02-01"), pay("R", -1000, "2026-02-05")},
			[]string{"I1 1000:"},
		},
		"the buyer confirms": {
			[]chain.Document{inv("I1", 1000, "2026-01-10"), of2(doc(chain.Confirmation, "C", s, b, 1000, "2026-01-20"), named("", "", "I1"))},
			[]string{"I1 1000: CC=1000/invoice_no C!"},
		},
		"twice in the books": {
			[]chain.Document{to(inv("I1", 1000, "2026-01-10"), "X"), to(inv("I1", 1000, "2026-01-10"), "Y"), pay("P", 1000, "2026-02-01")},
			[]string{"I1 1000: MP=1000/amount M!"},
		},
		"one number of two books of paper invoices": {
			[]chain.Document{
				inv("00123456", 1000, "2026-01-10", func(d *chain.Document) { d.Code, d.ID = "4400211130", "a" }),
				inv("00123456", 500, "2026-01-11", func(d *chain.Document) { d.Code, d.ID = "4400211140", "b" }),
			},
			[]string{"00123456 1000:", "00123456 500:"},
		},
		"no number is no twin": {
			[]chain.Document{inv("", 1000, "2026-01-10"), of2(inv("", 500, "2026-01-10"), func(d *chain.Document) { d.ID = "x" })},
			[]string{" 500:", " 1000:"},
		},
		"no date, no window": {
			[]chain.Document{inv("I1", 1000, ""), pay("P", 1000, "2026-02-01"), inv("I2", 700, "2026-01-01"), pay("Q", 700, "soon")},
			[]string{"I1 1000:", "I2 700: MP=700/account M!"},
		},
	} {
		if d := cmp.Diff(c.want, story(flow.Match(c.docs, flow.DefaultRules(), today))); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// trades draws documents of a few pairs that hang together, more or less.
func trades(t *rapid.T) []chain.Document {
	var docs []chain.Document
	kinds := []chain.DocKind{chain.Invoice, chain.Invoice, chain.Order, chain.Contract, chain.Delivery, chain.Payment, chain.Confirmation}
	number := func(label string) string {
		n := rapid.IntRange(-8, 5).Draw(t, label)
		if n < 0 {
			return ""
		}
		return fmt.Sprint("N", n)
	}
	for i := range rapid.IntRange(0, 30).Draw(t, "n") {
		kind := rapid.SampledFrom(kinds).Draw(t, "kind")
		n := number("number")
		if n == "" {
			n = fmt.Sprint("X", i)
		}
		d := doc(kind, n, "s", rapid.SampledFrom([]string{"b", "c"}).Draw(t, "buyer"), rapid.Int64Range(-3, 9).Draw(t, "amount")*500, "")
		d.ID = fmt.Sprint(i)
		d.Date = time.Date(2025, 12, rapid.IntRange(1, 60).Draw(t, "day"), 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
		d.OrderNo, d.ContractNo, d.InvoiceNo = number("order"), number("contract"), number("invoice")
		d.Goods = rapid.SampledFrom([]string{"", "面粉", "高筋面粉", "玉米"}).Draw(t, "goods")
		d.Void = rapid.IntRange(0, 9).Draw(t, "void") == 0
		docs = append(docs, d)
	}
	return docs
}

func TestMatchKeepsToAmounts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		docs := trades(t)
		m := flow.Match(docs, flow.DefaultRules(), today)
		used := map[string]money.Fen{}
		for i := range m.Proofs {
			p := &m.Proofs[i]
			if p.Net < 0 || p.Net > p.Invoice.Amount || p.Invoice.Void {
				t.Fatalf("net %s of %+v", p.Net, p.Invoice)
			}
			back := p.Net
			for _, b := range p.Back {
				back += b.Amount
				used[b.Document.ID] += b.Amount
			}
			if back != p.Invoice.Amount {
				t.Fatalf("%s and what was taken back make %s of %s", p.Net, back, p.Invoice.Amount)
			}
			for f := range p.Parts {
				var got money.Fen
				for _, part := range p.Parts[f] {
					if part.Amount <= 0 || part.Document.SellerID != p.Invoice.SellerID || part.Document.BuyerID != p.Invoice.BuyerID || part.Document.Void {
						t.Fatalf("%+v proves %+v", part, p.Invoice)
					}
					got += part.Amount
					used[part.Document.ID] += part.Amount
				}
				if got > p.Net {
					t.Fatalf("flow %d gives %s to %s", f, got, p.Net)
				}
			}
		}
		for _, d := range docs {
			amount := max(d.Amount, -d.Amount)
			if used[d.ID] > amount && (d.Kind != chain.Contract || d.Amount != 0) {
				t.Fatalf("%s of %s is used for %+v", used[d.ID], amount, d)
			}
		}
		s := flow.Shares(m.Proofs, nil)
		for _, v := range []float64{s.Trade, s.Logistics, s.Money, s.Credit, s.NotDue, s.Proven, s.AllFive} {
			if !(v >= 0 && v <= 1) {
				t.Fatalf("share %v in %+v", v, s)
			}
		}
	})
}

func TestMatchDoesNotDependOnOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		docs := trades(t)
		want := story(flow.Match(slices.Clone(docs), flow.DefaultRules(), today))
		gaps := flow.Match(slices.Clone(docs), flow.DefaultRules(), today).Gaps
		other := slices.Clone(docs)
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1)) //nolint:gosec // repeatable on purpose
		r.Shuffle(len(other), func(i, j int) { other[i], other[j] = other[j], other[i] })
		m := flow.Match(other, flow.DefaultRules(), today)
		if d := cmp.Diff(want, story(m)); d != "" {
			t.Fatal(d)
		}
		if len(gaps) != len(m.Gaps) {
			t.Fatalf("%d gaps, then %d", len(gaps), len(m.Gaps))
		}
		for i := range gaps {
			if gaps[i].Kind != m.Gaps[i].Kind || gaps[i].Amount != m.Gaps[i].Amount || gaps[i].Document.ID != m.Gaps[i].Document.ID {
				t.Fatalf("gap %d: %+v, then %+v", i, gaps[i], m.Gaps[i])
			}
		}
	})
}

func TestUnmatched(t *testing.T) {
	t.Parallel()
	const s, b = "seller", "buyer"
	var clean []chain.Document
	for i := range 12 {
		date := time.Date(2025, time.Month(6+i), 1, 0, 0, 0, 0, time.UTC)
		n := fmt.Sprint(i)
		at := func(days int) string { return date.AddDate(0, 0, days).Format(time.DateOnly) }
		clean = append(clean, doc(chain.Order, "PO"+n, s, b, 50_000, at(0)), of(doc(chain.Delivery, "D"+n, s, b, 50_000, at(5)), "PO"+n),
			of(doc(chain.Invoice, "I"+n, s, b, 50_000, at(8)), "PO"+n), of(doc(chain.Payment, "P"+n, s, b, 50_000, at(60)), "PO"+n))
	}
	without := func(kind chain.DocKind, n int) []chain.Document {
		return slices.DeleteFunc(slices.Clone(clean), func(d chain.Document) bool {
			if d.Kind == kind && d.Date > "2025-08-15" && n > 0 {
				n--
				return true
			}
			return false
		})
	}
	for name, c := range map[string]struct {
		docs []chain.Document
		want []string
	}{
		"clean":                                {clean, nil},
		"four papers gone astray":              {without(chain.Delivery, 4), nil},
		"no delivery kept in these books":      {slices.DeleteFunc(slices.Clone(clean), func(d chain.Document) bool { return d.Kind == chain.Delivery }), nil},
		"invoices without deliveries":          {without(chain.Delivery, 5), []string{"invoice_without_delivery 5 250000.00"}},
		"invoices without payments":            {without(chain.Payment, 7), []string{"invoice_without_payment 5 250000.00"}},
		"deliveries and payments, no invoices": {without(chain.Invoice, 6), []string{"delivery_without_invoice 6 300000.00"}},
	} {
		rules := flow.DefaultRules()
		var got []string
		for _, f := range flow.Unmatched(flow.Match(c.docs, rules, today.AddDate(0, 3, 0)), rules) {
			got = append(got, strings.Join([]string{f.Evidence["gap"], f.Evidence["documents"], f.Evidence["amount"]}, " "))
			if f.Kind != chain.UnmatchedFlow || len(f.Documents) == 0 || f.Severity != chain.Warning || len(f.FirmIDs) != 2 {
				t.Errorf("%s: %+v", name, f)
			}
		}
		slices.Sort(got)
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// TestHotPairEnds: tens of thousands of like invoices of one pair, as a utility
// writes them, cost no square.
func TestHotPairEnds(t *testing.T) {
	t.Parallel()
	var docs []chain.Document
	for i := range 40_000 {
		day := time.Date(2025, 1, 1+i%360, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
		amount := int64(100)
		if i%2 == 0 {
			amount = int64(100 + i%977)
		}
		docs = append(docs, doc(chain.Invoice, fmt.Sprint("I", i), "s", "b", amount, day), doc(chain.Payment, fmt.Sprint("P", i), "s", "b", amount+int64(i%3), day))
		if i%5 == 0 {
			docs = append(docs, doc(chain.Delivery, fmt.Sprint("D", i), "s", "b", 7*amount, day), doc(chain.Invoice, fmt.Sprint("R", i), "s", "b", -amount, day))
		}
	}
	start := time.Now()
	m := flow.Match(docs, flow.DefaultRules(), today)
	if took := time.Since(start); len(m.Proofs) != 40_000 || took > 30*time.Second {
		t.Errorf("%d proofs in %s", len(m.Proofs), took)
	}
}

func BenchmarkMatch(b *testing.B) {
	var docs []chain.Document
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // repeatable on purpose
	for i := 0; len(docs) < 1_100_000; i++ {
		seller, buyer := fmt.Sprint("s", r.IntN(20_000)), fmt.Sprint("b", int(float64(5_000)*r.Float64()*r.Float64()*r.Float64()))
		day := time.Date(2024, 1, 1+r.IntN(700), 0, 0, 0, 0, time.UTC)
		at := func(n int) string { return day.AddDate(0, 0, n).Format(time.DateOnly) }
		amount := int64(1000 + r.IntN(100_000))
		order := ""
		if i%2 == 0 {
			order = fmt.Sprint("PO", i)
			docs = append(docs, doc(chain.Order, order, seller, buyer, amount, at(-20)))
		}
		docs = append(docs, of(doc(chain.Delivery, fmt.Sprint("D", i), seller, buyer, amount, at(-3)), order),
			of(doc(chain.Invoice, fmt.Sprint("I", i), seller, buyer, amount, at(0)), order), of(doc(chain.Payment, fmt.Sprint("P", i), seller, buyer, amount, at(60)), order))
	}
	for b.Loop() {
		m := flow.Match(docs, flow.DefaultRules(), today)
		b.ReportMetric(flow.Shares(m.Proofs, nil).Proven, "proven")
	}
}

func to(d chain.Document, funder string) chain.Document {
	d.Funder = funder
	d.ID += "/" + funder
	return d
}
