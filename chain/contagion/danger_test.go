package contagion_test

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/chain/contagion"
	"github.com/furrowcredit/furrow/money"
)

// A grower sells to a mill, the mill to a bakery and to nobody else; the bakery stops.
func mill(tb testing.TB) *contagion.Network {
	tb.Helper()
	net, err := contagion.NewNetwork(
		[]contagion.Firm{{ID: "grower", Sector: "A01"}, {ID: "mill", Sector: "C13"}, {ID: "bakery", Sector: "C14"}, {ID: "shop", Sector: "F52"}, {ID: "bank", Sector: "J66"}},
		[]contagion.Link{
			{Supplier: 0, Buyer: 1, Amount: 300, Need: contagion.Essential},
			{Supplier: 0, Buyer: 3, Amount: 100, Need: contagion.Useful},
			{Supplier: 1, Buyer: 2, Amount: 500, Need: contagion.Essential},
			{Supplier: 2, Buyer: 3, Amount: 900, Need: contagion.Useful},
		})
	if err != nil {
		tb.Fatal(err)
	}
	return net
}

func ExampleNetwork_Run() {
	firms := []contagion.Firm{{ID: "grower", Sector: "A01"}, {ID: "mill", Sector: "C13"}, {ID: "bakery", Sector: "C14"}, {ID: "shop", Sector: "F52"}}
	net, err := contagion.NewNetwork(firms, []contagion.Link{
		{Supplier: 0, Buyer: 1, Amount: 300, Need: contagion.Essential},
		{Supplier: 0, Buyer: 3, Amount: 100, Need: contagion.Useful},
		{Supplier: 1, Buyer: 2, Amount: 500, Need: contagion.Essential},
		{Supplier: 2, Buyer: 3, Amount: 900, Need: contagion.Useful},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	res, err := net.Run(context.Background(), []contagion.Shock{{FirmID: "bakery", Part: 0.5}}, contagion.Params{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.3f of all output\n", res.Part)
	for _, l := range res.Losses(0.01, 0) {
		fmt.Printf("%-6s %.3f %s %v\n", l.FirmID, l.Loss, l.Cause.Kind, l.Cause.Path)
	}
	// Output:
	// 0.472 of all output
	// bakery 0.500 shock [bakery]
	// mill   0.500 demand [bakery mill]
	// shop   0.450 supply [bakery shop]
	// grower 0.375 demand [bakery mill grower]
}

func ExampleClear() {
	// A owes B 10 and has 6; B owes C 8 and has 1.
	c, err := contagion.Clear(context.Background(), contagion.System{
		Assets: []float64{6, 1, 0},
		Debts:  []contagion.Debt{{Debtor: 0, Creditor: 1, Amount: 10}, {Debtor: 1, Creditor: 2, Amount: 8}},
	}, contagion.NoCosts)
	fmt.Println(c.Paid, c.Failed, err)
	// Output: [6 7 0] [true true false] <nil>
}

func ExampleDebtRank() {
	// B has lent A 2 and C has lent B 3; A loses half of its equity of 1.
	d, err := contagion.DebtRank(context.Background(), []float64{1, 4, 6}, []float64{0.5, 0, 0},
		[]contagion.Debt{{Debtor: 0, Creditor: 1, Amount: 2}, {Debtor: 1, Creditor: 2, Amount: 3}}, contagion.Params{})
	fmt.Println(d.Stress, d.Equity, err)
	// Output: [0.5 0.25 0.125] [0.5 3 5.25] <nil>
}

func ExampleStopPaying() {
	u, err := contagion.StopPaying(context.Background(), []contagion.Receivable{
		{DebtorID: "anchor", CreditorID: "maker", Amount: 100_000_00},
		{DebtorID: "maker", CreditorID: "grower", Amount: 30_000_00},
	}, map[string]money.Fen{"maker": 10_000_00}, []contagion.Shock{{FirmID: "anchor", Part: 0.9}}, contagion.NoCosts)
	for _, s := range u.Firms {
		fmt.Println(s.FirmID, "lacks", s.Lost, "leaves", s.Unpaid, s.Cause.Path)
	}
	fmt.Println(err)
	// Output:
	// maker lacks 90000.00 leaves 10000.00 [anchor maker]
	// grower lacks 10000.00 leaves 0.00 [anchor maker grower]
	// anchor lacks 0.00 leaves 90000.00 [anchor]
	// <nil>
}

// A bank sees which loans hang on the bakery, by how much, and why.
func TestAnchorEndangersLoans(t *testing.T) {
	t.Parallel()
	res, err := mill(t).Run(t.Context(), []contagion.Shock{{FirmID: "bakery", Part: 1}}, contagion.Params{})
	if err != nil {
		t.Fatal(err)
	}
	e := res.Endangered([]contagion.Exposure{
		{LoanID: "L1", FirmID: "grower", Outstanding: 1000_01}, {LoanID: "L2", FirmID: "mill", Outstanding: 500_00},
		{LoanID: "L3", FirmID: "bank", Outstanding: 900_00}, {LoanID: "L4", FirmID: "nobody", Outstanding: 1},
		{LoanID: "L5", FirmID: "mill", Outstanding: 200_00},
	}, 0.05)
	if e.Hit != 750_01+500_00+200_00 || e.Outstanding != 1700_01 || fmt.Sprint(e.Unknown) != "[L4]" || len(e.Loans) != 3 {
		t.Errorf("%+v", e)
	}
	facts := contagion.Facts("bakery", e)
	want := []contagion.Fact{
		{FirmID: "grower", LoanIDs: []string{"L1"}, Severity: "critical", Loss: .75, Hit: 750_01, Evidence: map[string]string{
			"shock": "bakery", "loss": "0.7500", "cause": "demand", "from": "mill", "path": "bakery > mill > grower", "loans": "L1", "outstanding": "1000.01", "hit": "750.01",
		}},
		{FirmID: "mill", LoanIDs: []string{"L2", "L5"}, Severity: "critical", Loss: 1, Hit: 700_00, Evidence: map[string]string{
			"shock": "bakery", "loss": "1.0000", "cause": "demand", "from": "bakery", "path": "bakery > mill", "loans": "L2, L5", "outstanding": "700.00", "hit": "700.00",
		}},
	}
	if d := cmp.Diff(want, facts); d != "" {
		t.Error(d)
	}
	if small := res.Endangered([]contagion.Exposure{{LoanID: "L1", FirmID: "grower", Outstanding: 1}}, 0.8); len(small.Loans) != 0 || len(small.Unknown) != 0 {
		t.Errorf("%+v", small)
	}
	for _, shock := range []contagion.Shock{{FirmID: "x", Part: 1}, {FirmID: "mill"}, {FirmID: "mill", Part: 1.1}, {FirmID: "mill", Part: math.NaN()}} {
		if _, err := mill(t).Run(t.Context(), []contagion.Shock{shock}, contagion.Params{}); err == nil {
			t.Errorf("%+v is taken", shock)
		}
	}
}

// A firm whose cash is not known passes on what it loses beyond what it keeps.
func TestUnknownCashPassesLossesOn(t *testing.T) {
	t.Parallel()
	list := []contagion.Receivable{
		{DebtorID: "anchor", CreditorID: "keeper", Amount: 100}, {DebtorID: "keeper", CreditorID: "last", Amount: 60},
		{DebtorID: "anchor", CreditorID: "through", Amount: 50}, {DebtorID: "through", CreditorID: "last", Amount: 70},
	}
	u, err := contagion.StopPaying(t.Context(), list, nil, []contagion.Shock{{FirmID: "anchor", Part: 1}}, contagion.NoCosts)
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, s := range u.Firms {
		got += fmt.Sprintln(s.FirmID, s.Due, s.Received, s.Owed, s.Paid, s.Cause.Kind, s.Cause.From)
	}
	want := "last 1.30 0.20 0.00 0.00 payment keeper\nkeeper 1.00 0.00 0.60 0.00 payment anchor\nthrough 0.50 0.00 0.70 0.20 payment anchor\nanchor 0.00 0.00 1.50 0.00 shock \n"
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	e := u.Endangered([]contagion.Exposure{{LoanID: "L", FirmID: "last", Outstanding: 130}, {LoanID: "M", FirmID: "other", Outstanding: 5}, {LoanID: "N", FirmID: "anchor", Outstanding: 7}}, 0.1)
	if len(e.Loans) != 2 || e.Loans[0].LoanID != "L" || e.Loans[0].Hit != 110 || e.Loans[1].Hit != 7 {
		t.Errorf("%+v", e)
	}
}

// No fen is lost or made: what creditors lose is what debtors leave unpaid, within
// half a fen for each rounding, and nobody pays more than it owes.
func TestUnpaidBalances(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 8).Draw(t, "firms")
		id := func(i int) string { return fmt.Sprint("f", i) }
		var list []contagion.Receivable
		for range rapid.IntRange(1, 20).Draw(t, "receivables") {
			a, b := rapid.IntRange(0, n-1).Draw(t, "debtor"), rapid.IntRange(0, n-2).Draw(t, "creditor")
			if b >= a {
				b++
			}
			list = append(list, contagion.Receivable{DebtorID: id(a), CreditorID: id(b), Amount: money.Fen(rapid.Int64Range(0, 1_000_000).Draw(t, "amount"))})
		}
		cash := map[string]money.Fen{}
		for i := range n {
			if rapid.Bool().Draw(t, "known") {
				cash[id(i)] = money.Fen(rapid.Int64Range(0, 500_000).Draw(t, "cash"))
			}
		}
		shocks := []contagion.Shock{{FirmID: list[0].DebtorID, Part: rapid.Float64Range(0.01, 1).Draw(t, "part")}}
		u, err := contagion.StopPaying(context.Background(), list, cash, shocks, drawCosts(t))
		if err != nil {
			t.Fatal(err)
		}
		var lost, unpaid money.Fen
		for _, s := range u.Firms {
			lost, unpaid = lost+s.Lost, unpaid+s.Unpaid
			if s.Received < 0 || s.Received > s.Due || s.Paid < 0 || s.Paid > s.Owed || s.Lost != s.Due-s.Received {
				t.Fatalf("%+v", s)
			}
		}
		if d := lost - unpaid; lost != u.Lost || d > money.Fen(2*n) || d < -money.Fen(2*n) {
			t.Fatalf("%v is lost and %v is unpaid", lost, unpaid)
		}
	})
}
