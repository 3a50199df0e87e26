package flow_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/chaintest"
)

// TestStandingSaysWhatItRestsOn: each figure has its value, or why not, and its documents.
func TestStandingSaysWhatItRestsOn(t *testing.T) {
	t.Parallel()
	m := &chaintest.Memory{}
	if err := m.SaveFirms(t.Context(), []chain.Party{{ID: "anchor", Tenant: "t", Name: "anchor", AnchorOf: true}}); err != nil {
		t.Fatal(err)
	}
	up := func(upload string) edit { return func(d *chain.Document) { d.UploadID = upload } }
	for i := range 30 {
		day := time.Date(2023, time.Month(12+i), 4, 0, 0, 0, 0, time.UTC)
		n, yuan, buyer := fmt.Sprint(i), int64(8_000), "anchor"
		if i >= 18 {
			yuan = 10_000
		}
		if i%4 == 3 {
			buyer = "shop"
		}
		at := func(days int) string { return day.AddDate(0, 0, days).Format(time.DateOnly) }
		inv := of2(doc(chain.Invoice, "I"+n, "mill", buyer, yuan, at(0)), up("u"+n), func(d *chain.Document) { d.Due = at(30) })
		m.Add("t", inv, of2(doc(chain.Invoice, "W"+n, "farm", "mill", yuan/2, at(0)), up("u"+n)))
		if pay := day.AddDate(0, 0, 40); pay.Before(today) {
			m.Add("t", of2(doc(chain.Payment, "P"+n, "mill", buyer, yuan, at(40)), named("", "", "I"+n), up("p")))
		}
	}
	m.Add("t",
		of2(doc(chain.Invoice, "R", "mill", "anchor", -1_000, "2026-02-20"), named("", "", "I26")),
		of2(doc(chain.Invoice, "V", "mill", "anchor", 9_000, "2026-02-21"), void),
	)
	s, err := flows(m, today).Standing(t.Context(), "t", "mill")
	if err != nil {
		t.Fatal(err)
	}
	known := func(f chain.Figure) string {
		if f.Value == nil {
			return f.Reason
		}
		return fmt.Sprintf("%.4g of %d in %d from %s to %s", *f.Value, f.Documents, f.Uploads, f.From, f.To)
	}
	got := map[string]string{
		"dependence": known(s.Figures.Dependence), "tenure": known(s.Figures.Tenure), "growth": known(s.Figures.Growth), "buyers": known(s.Figures.BuyerHHI),
		"suppliers": known(s.Figures.SupplierHHI), "days": known(s.Figures.PaymentDays), "overdue": known(s.Figures.OverdueDays),
		"back": known(s.Figures.ReturnShare), "returned": known(s.Figures.ReturnedCount), "void": known(s.Figures.VoidShare),
	}
	want := map[string]string{
		"dependence": "0.7643 of 32 in 30 from 2023-12-04 to 2026-05-04", "tenure": "29 of 91 in 31 from 2023-12-04 to 2026-05-14",
		"growth": "0.2188 of 32 in 30 from 2023-12-04 to 2026-05-04", "buyers": "0.6229 of 14 in 12 from 2025-06-04 to 2026-05-04",
		"suppliers": "1 of 12 in 12 from 2025-06-04 to 2026-05-04", "days": "40 of 11 in 1 from 2025-07-14 to 2026-05-14",
		"overdue": "10 of 11 in 1 from 2025-07-14 to 2026-05-14", "back": "0.0083 of 14 in 12 from 2025-06-04 to 2026-05-04",
		"returned": "0.0769 of 14 in 12 from 2025-06-04 to 2026-05-04", "void": "0.0714 of 14 in 12 from 2025-06-04 to 2026-05-04",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if len(s.Series) != 30 || !s.Series[0].Partial || !s.Series[29].Partial || s.Series[26] != (chain.TradeMonth{Month: "2026-02", Sales: 900_000, Purchases: 500_000, Invoices: 1, Void: 1}) {
		t.Errorf("%+v", s.Series)
	}
	if s.Flows.Money < 0.8 || s.Flows.NotDue == 0 || s.Flows.Trade != 0 || s.Invoiced12m != 11_900_000 {
		t.Errorf("%+v %s", s.Flows, s.Invoiced12m)
	}
	if d := cmp.Diff([]string{"flows_unproven"}, s.ConfidenceReasons); d != "" {
		t.Error(d)
	}
	young, err := flows(m, time.Date(2024, 2, 20, 0, 0, 0, 0, time.UTC)).Standing(t.Context(), "t", "shop")
	if err != nil || young.Figures.Growth.Value != nil || young.Figures.Growth.Reason == "" || young.Figures.BuyerHHI.Reason != "no_invoices" {
		t.Errorf("%+v %v", young.Figures, err)
	}
}

// TestRelatedAndReturnedInStanding: what only the register and the payments tell.
func TestRelatedAndReturnedInStanding(t *testing.T) {
	t.Parallel()
	n, m := books(t)
	if err := m.SaveFirms(t.Context(), []chain.Party{
		{ID: "farm", Tenant: "t", Name: "farm", Phone: "0999-5550007"}, {ID: "shop", Tenant: "t", Name: "shop", Phone: "09995550007"},
	}); err != nil {
		t.Fatal(err)
	}
	m.Add("t",
		doc(chain.Payment, "Z1", "mill", "farm", 30_000, "2026-04-01"), // farm pays the mill, which sold it nothing
		doc(chain.Payment, "Z2", "farm", "mill", 30_000, "2026-04-06"),
	)
	for id, want := range map[string][]chain.FindingKind{
		"farm": {chain.CashReturned, chain.RelatedParties}, "shop": {chain.RelatedParties}, "mill": {chain.CashReturned}, "anchor": nil,
	} {
		s, err := n.Standing(t.Context(), "t", id)
		if err != nil {
			t.Fatal(err)
		}
		var got []chain.FindingKind
		for _, f := range s.Findings {
			got = append(got, f.Kind)
			if len(f.Documents) == 0 || f.Severity != chain.Warning {
				t.Errorf("%s: %+v", id, f)
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", id, d)
		}
	}
}

// TestTenureIsMonthsWithTrade: two invoices three years apart, a cancelled one and one of
// the future are no tenure of three years.
func TestTenureIsMonthsWithTrade(t *testing.T) {
	t.Parallel()
	m := &chaintest.Memory{}
	if err := m.SaveFirms(t.Context(), []chain.Party{{ID: "anchor", Tenant: "t", Name: "anchor", AnchorOf: true}}); err != nil {
		t.Fatal(err)
	}
	m.Add("t",
		doc(chain.Invoice, "1", "mill", "anchor", 100, "2023-02-03"), doc(chain.Invoice, "2", "mill", "anchor", 300, "2026-05-03"),
		doc(chain.Invoice, "2", "mill", "anchor", 300, "2026-05-03"), doc(chain.Invoice, "3", "mill", "shop", 600, "2026-05-03"),
		of2(doc(chain.Invoice, "4", "mill", "anchor", 900, "2026-03-03"), void), doc(chain.Invoice, "5", "mill", "anchor", 9_000, "2999-01-01"),
		doc(chain.Invoice, "6", "mill", "mill", 500, "2026-04-03"), doc(chain.Invoice, "7", "mill", "gone", -100, "2026-04-04"),
	)
	s, err := flows(m, today).Standing(t.Context(), "t", "mill")
	if err != nil {
		t.Fatal(err)
	}
	want := []chain.AnchorShare{{AnchorID: "anchor", Name: "anchor", Tier: 1, Invoiced: 40_000, Share: 4.0 / 9, Months: 2}}
	if d := cmp.Diff(want, s.Anchors); d != "" {
		t.Error(d)
	}
	if s.Counterparties != 3 || s.Invoiced12m != 80_000 {
		t.Errorf("%d counterparties, %s", s.Counterparties, s.Invoiced12m)
	}
	if s.Confidence > 0.4 {
		t.Errorf("%g sure of two months of trade", s.Confidence)
	}
}

// TestFindingsAcrossSellers: what only shows beside the documents of others is found though
// the sellers are read one by one, and each thing once.
func TestFindingsAcrossSellers(t *testing.T) {
	t.Parallel()
	n, m := books(t)
	if err := m.SaveFirms(t.Context(), []chain.Party{
		{ID: "farm", Tenant: "t", Name: "farm", Phone: "0999-5550007"}, {ID: "shop", Tenant: "t", Name: "shop", Phone: "09995550007"},
	}); err != nil {
		t.Fatal(err)
	}
	promised := func(funder string) edit { return func(d *chain.Document) { d.Funder = funder } }
	const digital = "25112000000012345678"
	m.Add("t",
		of2(doc(chain.Invoice, digital, "mill", "anchor", 9_000, "2026-04-01"), promised("甲保理")),
		of2(doc(chain.Invoice, digital, "farm", "shop", 9_000, "2026-04-02"), promised("乙银行")),
		of2(doc(chain.Invoice, "W1", "mill", "anchor", 800, "2026-04-02"), promised("甲保理"), void),
		doc(chain.Invoice, "C1", "x1", "x2", 50_000, "2026-04-01"), doc(chain.Invoice, "C2", "x2", "x3", 50_500, "2026-04-09"),
		doc(chain.Invoice, "C3", "x3", "x1", 50_200, "2026-04-12"), doc(chain.Invoice, "S1", "x1", "x1", 50_200, "2026-04-12"),
		doc(chain.Payment, "Z1", "x1", "x2", 30_000, "2026-04-01"), doc(chain.Payment, "Z2", "x2", "x1", 30_000, "2026-04-06"),
	)
	for i := range 30 { // a firm that jumps
		yuan := int64(60_000)
		if i == 28 {
			yuan = 900_000
		}
		m.Add("t", doc(chain.Invoice, fmt.Sprint("J", i), "jumper", "anchor", yuan, time.Date(2023, time.Month(12+i), 4, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)))
	}
	found, err := n.Findings(t.Context(), "t")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range found {
		got = append(got, fmt.Sprint(f.Kind, f.FirmIDs, len(f.Documents)))
	}
	want := []string{
		"invoice_reused[farm mill anchor shop] 2", "invoice_withdrawn[anchor mill] 1", "circular_trade[x1 x2 x3] 3",
		"cash_returned[x2 x1] 2", "related_parties[farm shop] 3", "over_capacity[jumper] 1",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestSameBooksSameBytes: neither the order in which documents came nor a graph that
// followed them instead of being built at the end changes what is said.
func TestSameBooksSameBytes(t *testing.T) {
	t.Parallel()
	w := honest(5, 120)
	var want string
	for try := range 2 {
		m := &chaintest.Memory{}
		firms := slices.Clone(w.firms)
		for i := range firms {
			firms[i].Tenant, firms[i].AnchorOf = "t", i < 6
		}
		if err := m.SaveFirms(t.Context(), firms); err != nil {
			t.Fatal(err)
		}
		n := flows(m, today)
		docs := slices.Clone(w.docs[:min(len(w.docs), 3_000)])
		r := rand.New(rand.NewPCG(uint64(try), 1))
		r.Shuffle(len(docs), func(i, j int) { docs[i], docs[j] = docs[j], docs[i] })
		for at := 0; at < len(docs); at += 1 + len(docs)/3 {
			m.Add("t", docs[at:min(at+1+len(docs)/3, len(docs))]...)
			if _, err := n.Standing(t.Context(), "t", firms[0].ID); err != nil {
				t.Fatal(err)
			}
		}
		var all []any
		found, err := n.Findings(t.Context(), "t")
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found)
		for _, p := range firms[:8] {
			s, err := n.Standing(t.Context(), "t", p.ID)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, s)
		}
		b, err := json.Marshal(all)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(b); try == 0 {
			want = got
		} else if got != want {
			t.Fatalf("try %d says something else: %s", try, cmp.Diff(want, got))
		}
	}
}

// TestHostileBooks: whatever stands in the books, a standing is an answer in numbers.
func TestHostileBooks(t *testing.T) {
	t.Parallel()
	m := &chaintest.Memory{}
	firms := []chain.Party{{ID: "a", Tenant: "t", AnchorOf: true}, {ID: "blank", Tenant: "t", Address: "青穗县政务大道1号"}}
	for i := range 3_000 {
		firms = append(firms, chain.Party{ID: fmt.Sprint("f", i), Tenant: "t", Name: fmt.Sprint("f", i), Address: "青穗县政务大道1号", Phone: "0999-5550001", LegalRep: "王禾"})
		m.Add("t", doc(chain.Invoice, fmt.Sprint("I", i), fmt.Sprint("f", i), "a", 1_000, "2026-05-01"))
	}
	if err := m.SaveFirms(t.Context(), firms); err != nil {
		t.Fatal(err)
	}
	m.Add("t",
		doc(chain.Invoice, "1", "blank", "blank", 100, "2026-05-01"), doc(chain.Invoice, "2", "blank", "a", 0, "2026-05-01"),
		doc(chain.Invoice, "3", "blank", "a", -500, "2026-05-01"), doc(chain.Invoice, "4", "blank", "a", 900, "9999-12-31"),
		doc(chain.Invoice, "5", "blank", "f1", 90_000_000_000_000, "2026-05-01"), doc(chain.Invoice, "", "blank", "a", 7, ""),
		doc(chain.Payment, "6", "blank", "a", -90, "0001-01-01"), doc(chain.Order, "7", "blank", "a", -90, "2026-13-45"),
	)
	for i := range 300 { // a clique of circles
		m.Add("t", doc(chain.Invoice, fmt.Sprint("K", i), fmt.Sprint("f", i%17), fmt.Sprint("f", (i*7+3)%17), 20_000, "2026-05-02"))
	}
	n := flows(m, today)
	for _, id := range []string{"blank", "a", "f1", "f3"} {
		s, err := n.Standing(t.Context(), "t", id)
		if err != nil {
			t.Fatal(id, err)
		}
		if _, err := json.Marshal(s); err != nil {
			t.Error(id, err)
		}
		for _, a := range s.Anchors {
			if !(a.Share >= 0 && a.Share <= 1) {
				t.Errorf("%s: share %g", id, a.Share)
			}
		}
		if !(s.Proven >= 0 && s.Proven <= 1 && s.Confidence >= 0 && s.Confidence <= 1) {
			t.Errorf("%s: %+v", id, s)
		}
		for _, f := range s.Findings {
			if f.Kind == chain.RelatedParties {
				t.Errorf("%s: an agency's address ties nobody: %+v", id, f)
			}
		}
	}
	if _, err := n.Findings(t.Context(), "t"); err != nil {
		t.Error(err)
	}
}
