package receivable_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/receivable"
	"github.com/furrowcredit/furrow/money"
)

func TestEligible(t *testing.T) {
	t.Parallel()
	today := day("2026-06-30")
	rules := receivable.DefaultBaseRules()
	got, err := receivable.Eligible([]receivable.Holding{
		{ObligorID: "a", Open: 60_000, Due: today + 30},
		{ObligorID: "a", Open: 10_000, Due: today - 20},
		{ObligorID: "a", Open: 5_000, Due: today - 61},
		{ObligorID: "a", Open: 7_000, Due: today + 1, Held: true},
		{ObligorID: "b", Open: 20_000, Due: today},
		{ObligorID: "c", Open: 9_000, Due: today + 5},
		{ObligorID: "c", Open: 10_000, Due: today - 100},
	}, today, nil, rules)
	if err != nil {
		t.Fatal(err)
	}
	// a and b count 70,000 and 20,000; half of 90,000 is the cap; c pays late with most.
	want := receivable.BorrowingBase{
		Open: 121_000, Age: receivable.Ageing{NotDue: 96_000, To30: 10_000, To90: 5_000, Over90: 10_000}, Eligible: 65_000, Available: 52_000,
		Obligors: []receivable.ObligorBase{
			{ObligorID: "a", Open: 82_000, Age: receivable.Ageing{NotDue: 67_000, To30: 10_000, To90: 5_000}, Held: 7_000, TooOld: 5_000, Concentrated: 25_000, Eligible: 45_000},
			{ObligorID: "b", Open: 20_000, Age: receivable.Ageing{NotDue: 20_000}, Eligible: 20_000},
			{ObligorID: "c", Open: 19_000, Age: receivable.Ageing{NotDue: 9_000, Over90: 10_000}, TooOld: 10_000, CrossAged: 9_000},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestEligibleAddsUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		today := day("2026-06-30")
		var list []receivable.Holding
		for range rapid.IntRange(0, 30).Draw(t, "n") {
			list = append(list, receivable.Holding{
				ObligorID: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "obligor"), Open: money.Fen(rapid.Int64Range(1, int64(receivable.MaxAmount)).Draw(t, "open")),
				Due: today + money.Date(rapid.IntRange(-200, 200).Draw(t, "due")), Held: rapid.Bool().Draw(t, "held"),
			})
		}
		dilution := rapid.SliceOfN(rapid.Float64Range(0, 1), 0, 12).Draw(t, "dilution")
		b, err := receivable.Eligible(list, today, dilution, receivable.DefaultBaseRules())
		if err != nil {
			t.Fatal(err)
		}
		var open, eligible money.Fen
		for _, o := range b.Obligors {
			if o.Held+o.TooOld+o.CrossAged+o.Concentrated+o.Eligible != o.Open {
				t.Fatalf("%+v", o)
			}
			open += o.Open
			eligible += o.Eligible
		}
		if open != b.Open || eligible != b.Eligible || b.Available < 0 || b.Available > b.Eligible || b.Reserve < 0 || b.Reserve > b.Eligible {
			t.Fatalf("%+v", b)
		}
	})
}

func TestDilution(t *testing.T) {
	t.Parallel()
	docs := []chain.Document{
		{Kind: chain.Invoice, SellerID: "s", Amount: 1000, Date: "2026-05-01"}, {Kind: chain.Invoice, SellerID: "s", Amount: -100, Date: "2026-05-20"},
		{Kind: chain.Invoice, SellerID: "s", Amount: 500, Date: "2026-04-01"}, {Kind: chain.Invoice, SellerID: "s", Amount: 999, Date: "2026-04-01", Void: true},
		{Kind: chain.Invoice, SellerID: "s", Amount: 1, Date: "2025-05-31"}, {Kind: chain.Invoice, SellerID: "s", Amount: 1, Date: "2026-06-01"}, // not of the twelve full months
		{Kind: chain.Invoice, SellerID: "x", Amount: 1, Date: "2026-03-01"}, {Kind: chain.Payment, SellerID: "s", Amount: 1, Date: "2026-03-01"},
	}
	got := receivable.Dilution(docs, func(id string) bool { return id == "s" }, day("2026-06-15"))
	if diff := cmp.Diff([]float64{0, 0.1}, got); diff != "" {
		t.Error(diff)
	}
}

func ExampleEligible() {
	today := day("2026-06-30")
	b, err := receivable.Eligible([]receivable.Holding{
		{ObligorID: "foodco", Open: 500_000_00, Due: today + 60},
		{ObligorID: "millco", Open: 500_000_00, Due: today + 90},
	}, today, []float64{0.02, 0.03, 0.02, 0.03}, receivable.DefaultBaseRules())
	fmt.Println(b.Eligible, b.Dilution, b.Reserve, b.Available, err)
	// Output: 1000000.00 2.886752% 28867.52 771132.48 <nil>
}
