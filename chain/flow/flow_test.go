package flow_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/chaintest"
	"github.com/furrowcredit/furrow/chain/flow"
	"github.com/furrowcredit/furrow/chain/network"
	"github.com/furrowcredit/furrow/money"
)

var today = time.Date(2026, 5, 20, 9, 0, 0, 0, time.UTC)

func doc(kind chain.DocKind, number, seller, buyer string, yuan int64, date string) chain.Document {
	return chain.Document{
		ID: string(kind) + "/" + number + "/" + seller + "/" + buyer, Kind: kind, Number: number, SellerID: seller, BuyerID: buyer,
		Amount: money.Fen(yuan * 100), Date: date,
	}
}

func of(d chain.Document, order string) chain.Document { d.OrderNo = order; return d }

func TestMatch(t *testing.T) {
	t.Parallel()
	const s, b = "seller", "buyer"
	inv := doc(chain.Invoice, "I1", s, b, 1000, "2025-12-10")
	for name, c := range map[string]struct {
		docs []chain.Document
		want string // order, delivery, payment, not due
	}{
		"nothing":                         {[]chain.Document{inv}, "---"},
		"all by name":                     {[]chain.Document{of(inv, "po-1"), doc(chain.Order, "PO1", s, b, 1000, "2025-11-01"), of(doc(chain.Delivery, "D", s, b, 1000, "2025-12-01"), "PO1"), of(doc(chain.Payment, "P", s, b, 1000, "2026-01-20"), "PO 1")}, "ODP"},
		"all by value":                    {[]chain.Document{inv, doc(chain.Order, "PO1", s, b, 1010, "2025-11-01"), doc(chain.Delivery, "D", s, b, 1000, "2025-12-01"), doc(chain.Payment, "P", s, b, 995, "2026-01-20")}, "ODP"},
		"other pair":                      {[]chain.Document{inv, doc(chain.Order, "PO1", s, "x", 1000, "2025-11-01"), doc(chain.Delivery, "D", b, s, 1000, "2025-12-01")}, "---"},
		"too far off":                     {[]chain.Document{inv, doc(chain.Order, "PO1", s, b, 1030, "2025-11-01"), doc(chain.Delivery, "D", s, b, 970, "2025-12-01")}, "---"},
		"too late":                        {[]chain.Document{inv, doc(chain.Order, "PO1", s, b, 1000, "2026-02-01"), doc(chain.Payment, "P", s, b, 1000, "2026-05-01")}, "---"},
		"order too small for its invoice": {[]chain.Document{of(inv, "PO1"), doc(chain.Order, "PO1", s, b, 400, "2025-11-01")}, "---"},
		"not due yet":                     {[]chain.Document{doc(chain.Invoice, "I1", s, b, 1000, "2026-05-01")}, "--n"},
	} {
		proofs := flow.Match(c.docs, flow.DefaultRules(), today).Proofs
		if len(proofs) != 1 {
			t.Fatalf("%s: %d proofs", name, len(proofs))
		}
		p := proofs[0]
		got := []byte("---")
		for i, there := range []bool{p.Has(flow.Trade), p.Has(flow.Logistics), p.Has(flow.Money)} {
			if there {
				got[i] = "ODP"[i]
			}
		}
		if p.NotDue {
			got[2] = 'n'
		}
		if string(got) != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// TestOneDocumentProvesOneInvoice: what proves is never worth more than it says.
func TestOneDocumentProvesOneInvoice(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var docs []chain.Document
		n := rapid.IntRange(0, 12).Draw(t, "n")
		for i := range n {
			kind := rapid.SampledFrom([]chain.DocKind{chain.Invoice, chain.Order, chain.Delivery, chain.Payment}).Draw(t, "kind")
			d := doc(kind, fmt.Sprint("N", i), "s", "b", rapid.Int64Range(1, 3).Draw(t, "amount")*1000, "2025-12-10")
			if rapid.Bool().Draw(t, "named") {
				d.OrderNo = fmt.Sprint("N", rapid.IntRange(0, 12).Draw(t, "order"))
			}
			docs = append(docs, d)
		}
		var paid, delivered, claimedP, claimedD money.Fen
		for _, d := range docs {
			switch d.Kind {
			case chain.Payment:
				paid += d.Amount
			case chain.Delivery:
				delivered += d.Amount
			default:
			}
		}
		proofs := flow.Match(docs, flow.DefaultRules(), today).Proofs
		for i := range proofs {
			p := &proofs[i]
			if p.Has(flow.Money) {
				claimedP += p.Invoice.Amount
			}
			if p.Has(flow.Logistics) {
				claimedD += p.Invoice.Amount
			}
		}
		if claimedP > paid || claimedD > delivered {
			t.Fatalf("%s proves %s, %s proves %s", paid, claimedP, delivered, claimedD)
		}
		if share := flow.Shares(proofs, nil).Proven; share < 0 || share > 1 || math.IsNaN(share) {
			t.Fatalf("share %v", share)
		}
	})
}

// flows answers from books in memory as of a time.
func flows(m *chaintest.Memory, at time.Time) *flow.Network {
	now := func() time.Time { return at }
	return flow.NewNetwork(m, network.New(m, network.Options{Now: now}), now)
}

func books(t *testing.T) (*flow.Network, *chaintest.Memory) {
	t.Helper()
	m := &chaintest.Memory{}
	if err := m.SaveFirms(t.Context(), []chain.Party{
		{ID: "anchor", Tenant: "t", Name: "anchor", AnchorOf: true}, {ID: "stranger", Tenant: "t", Name: "stranger"},
		{ID: "foreign", Tenant: "other", Name: "foreign"},
	}); err != nil {
		t.Fatal(err)
	}
	for i := range 12 {
		date := time.Date(2025, time.Month(6+i), 5, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
		n := fmt.Sprint(i)
		m.Add("t",
			doc(chain.Order, "PO"+n, "mill", "anchor", 10_000, date),
			of(doc(chain.Delivery, "D"+n, "mill", "anchor", 10_000, date), "PO"+n),
			of(doc(chain.Invoice, "I"+n, "mill", "anchor", 10_000, date), "PO"+n),
			of(doc(chain.Payment, "P"+n, "mill", "anchor", 10_000, date), "PO"+n),
			doc(chain.Invoice, "F"+n, "farm", "mill", 3_000, date),
			doc(chain.Invoice, "X"+n, "farm", "shop", 1_000, date),
		)
	}
	m.Add("t", chain.Document{ID: "listed", Kind: chain.Suppliers, SellerID: "listed", BuyerID: "anchor", Date: "2020-01-01"})
	return flows(m, today), m
}

func TestStanding(t *testing.T) {
	t.Parallel()
	n, _ := books(t)
	ctx := t.Context()
	s, err := n.Standing(ctx, "t", "mill")
	if err != nil {
		t.Fatal(err)
	}
	monthly := slices.Repeat([]money.Fen{1_000_000}, 12)
	want := chain.Standing{
		FirmID: "mill", Status: "known", Invoiced12m: 12_000_000, Monthly: monthly, Proven: 1, Counterparties: 2, Confidence: 1,
		Anchors:  []chain.AnchorShare{{AnchorID: "anchor", Name: "anchor", Tier: 1, Invoiced: 12_000_000, Share: 1, Months: 12}},
		Findings: []chain.Finding{}, Method: flow.Method, MadeAt: today,
	}
	core := s
	core.Series, core.Figures, core.Flows, core.ConfidenceReasons = nil, chain.StandingFigures{}, chain.FlowShares{}, nil
	if d := cmp.Diff(want, core); d != "" {
		t.Error(d)
	}
	s, err = n.Standing(ctx, "t", "farm")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]chain.AnchorShare{{AnchorID: "anchor", Name: "anchor", Tier: 2, Invoiced: 3_600_000, Share: 0.75, Months: 12}}, s.Anchors); d != "" {
		t.Error(d)
	}
	if s.Status != "known" || s.Proven != 0 || s.Counterparties != 2 || s.Confidence != 0.6 {
		t.Errorf("%+v", s)
	}
	for id, reason := range map[string]string{"stranger": "no_documents", "listed": "listed_only"} {
		s, err := n.Standing(ctx, "t", id)
		if err != nil {
			t.Fatal(err)
		}
		if s.Status != "unknown" || s.Reason != reason || s.Confidence != 0 || len(s.Monthly) != 12 {
			t.Errorf("%s: %+v", id, s)
		}
	}
	for _, id := range []string{"foreign", "nobody"} {
		if _, err := n.Standing(ctx, "t", id); !errors.Is(err, chain.ErrFirmNotFound) {
			t.Errorf("%s: %v", id, err)
		}
	}
}

func TestOldTradeIsUnknown(t *testing.T) {
	t.Parallel()
	m := &chaintest.Memory{}
	m.Add("t", doc(chain.Invoice, "1", "s", "b", 10, "2024-01-05"))
	s, err := flows(m, today).Standing(t.Context(), "t", "s")
	if err != nil || s.Status != "unknown" || s.Reason != "no_recent_invoices" {
		t.Errorf("%v %+v", err, s)
	}
}

// TestMonthsAreWhole: every day of the last year counts in exactly one month,
// whatever day it is today.
func TestMonthsAreWhole(t *testing.T) {
	t.Parallel()
	for _, now := range []time.Time{today, time.Date(2026, 3, 31, 3, 0, 0, 0, time.UTC), time.Date(2024, 2, 29, 3, 0, 0, 0, time.UTC)} {
		m := &chaintest.Memory{}
		days := 0
		for d := now.AddDate(-1, 0, 1); !d.After(now); d = d.AddDate(0, 0, 1) {
			m.Add("t", doc(chain.Invoice, d.Format(time.DateOnly), "s", "b", 1, d.Format(time.DateOnly)))
			days++
		}
		s, err := flows(m, now).Standing(t.Context(), "t", "s")
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range s.Monthly {
			if v < 28*100 || v > 31*100 {
				t.Errorf("%s: a month of %s days", now.Format(time.DateOnly), v)
			}
		}
		if s.Invoiced12m != money.Fen(days*100) && s.Invoiced12m != money.Fen((days-1)*100) {
			t.Errorf("%s: %s of %d days", now.Format(time.DateOnly), s.Invoiced12m, days)
		}
	}
}

func TestFindingsLowerTheStanding(t *testing.T) {
	t.Parallel()
	n, m := books(t)
	m.Add("t",
		doc(chain.Invoice, "C1", "mill", "ring", 50_000, "2026-04-01"),
		doc(chain.Invoice, "C2", "ring", "mill", 50_500, "2026-04-09"),
		doc(chain.Invoice, "I3", "mill", "shop", 10_000, "2025-09-05"),
	)
	found, err := n.Findings(t.Context(), "t")
	if err != nil {
		t.Fatal(err)
	}
	var kinds []chain.FindingKind
	for _, f := range found {
		kinds = append(kinds, f.Kind)
		if len(f.Documents) != 2 || f.Severity != "critical" {
			t.Errorf("%+v", f)
		}
	}
	if d := cmp.Diff([]chain.FindingKind{chain.InvoiceReused, chain.CircularTrade}, kinds); d != "" {
		t.Error(d)
	}
	for id, want := range map[string]int{"mill": 2, "ring": 1, "shop": 0, "farm": 0} {
		s, err := n.Standing(t.Context(), "t", id)
		if err != nil {
			t.Fatal(err)
		}
		if len(s.Findings) != want {
			t.Errorf("%s has %d findings, want %d", id, len(s.Findings), want)
		}
		if id == "mill" && (s.Status != "low_confidence" || s.Reason != "invoice_reused") {
			t.Errorf("mill: %s %s", s.Status, s.Reason)
		}
	}
}
