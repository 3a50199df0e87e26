package flow_test

import (
	"fmt"
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
