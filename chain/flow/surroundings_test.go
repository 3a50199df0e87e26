package flow_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/chaintest"
	"github.com/furrowcredit/furrow/chain/industry"
	"github.com/furrowcredit/furrow/money"
)

// tyres are firms that sell tyre cord to an anchor, their sales growing 3 % a month, each
// on its own scale; the later ones joined later. Every sale is proven.
func tyres(t *testing.T, firms int, at time.Time) *chaintest.Memory {
	t.Helper()
	m := &chaintest.Memory{}
	all := []chain.Party{{ID: "anchor", Tenant: "t", Name: "anchor", AnchorOf: true}}
	for i := range firms {
		all = append(all, chain.Party{ID: fmt.Sprint("f", i), Tenant: "t", Name: fmt.Sprint("f", i)})
	}
	if err := m.SaveFirms(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	for i := range firms {
		for month := i; month < 24; month++ {
			day := time.Date(2024, time.Month(1+month), 10, 0, 0, 0, 0, time.UTC)
			amount := money.Fen(float64(1_000_000*(i+1)) * math.Pow(1.03, float64(month)))
			for _, kind := range []chain.DocKind{chain.Order, chain.Delivery, chain.Invoice, chain.Payment} {
				m.Add("t", chain.Document{
					ID: fmt.Sprint(kind, i, "-", month), Kind: kind, Number: fmt.Sprint(i, "-", month), OrderNo: fmt.Sprint(i, "-", month), InvoiceNo: fmt.Sprint(i, "-", month),
					SellerID: fmt.Sprint("f", i), BuyerID: "anchor", Amount: amount, Goods: "帘子布", Date: day.Format(time.DateOnly),
				})
			}
		}
	}
	return m
}

func TestSurroundings(t *testing.T) {
	t.Parallel()
	files, err := catalog.Open("")
	if err != nil {
		t.Fatal(err)
	}
	nodes, err := industry.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2025, 10, 15, 4, 0, 0, 0, time.UTC)
	of := func(firms int, id string) chain.Surroundings {
		n := flows(tyres(t, firms, at), at)
		n.Around(nodes)
		s, err := n.Standing(t.Context(), "t", id)
		if err != nil {
			t.Fatal(err)
		}
		x, err := n.Surroundings(t.Context(), "t", s)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	grows := func(what string, l chain.Level, first, last string) {
		end, _ := time.Parse("2006-01", l.First)
		if got := end.AddDate(0, len(l.Values)-1, 0).Format("2006-01"); l.First != first || got != last {
			t.Errorf("%s from %s to %s, want %s to %s", what, l.First, got, first, last)
		}
		var sum float64
		for i, v := range l.Values {
			sum += v
			if i > 0 && math.Abs(v/l.Values[i-1]-1.03) > 0.001 {
				t.Errorf("%s, month %d: %v after %v, not 3 %% more", what, i, v, l.Values[i-1])
			}
		}
		if mean := sum / float64(len(l.Values)); math.Abs(mean-1) > 0.001 {
			t.Errorf("%s has the mean %v", what, mean)
		}
	}
	// Documents of November and December are later than now; six firms are there from
	// the first whole month of the sixth on, and none is scaled up by joining late.
	x := of(7, "f0")
	if x.Industry == nil || x.Industry.Firms != 7 || x.Industry.En == "" || x.Reason != "" {
		t.Fatalf("%+v", x)
	}
	grows("industry", x.Industry.Level, "2024-07", "2025-09")
	if len(x.Anchors) != 1 || x.Anchors[0].AnchorID != "anchor" || x.Anchors[0].Share != 1 {
		t.Fatalf("%+v", x.Anchors)
	}
	if l := x.Anchors[0].Level; l.First != "2024-02" || len(l.Values) != 20 || !slices.IsSorted(l.Values) {
		t.Errorf("the anchor bought %+v", l)
	}
	if x := of(5, "f0"); x.Industry != nil || x.Reason != "few_firms" {
		t.Errorf("of five firms one can be read from the others: %+v", x.Industry)
	}
	if x := of(7, "anchor"); x.Industry != nil || x.Reason != "no_node" {
		t.Errorf("who sells nothing has no industry: %+v", x)
	}
}

// New documents make new levels, in the same process.
func TestSurroundingsFollowTheBooks(t *testing.T) {
	t.Parallel()
	at := time.Date(2025, 10, 15, 4, 0, 0, 0, time.UTC)
	m := tyres(t, 2, at)
	n := flows(m, at)
	last := func() float64 {
		x, err := n.Surroundings(t.Context(), "t", chain.Standing{FirmID: "f0", Anchors: []chain.AnchorShare{{AnchorID: "anchor", Share: 1}}})
		if err != nil {
			t.Fatal(err)
		}
		return x.Anchors[0].Values[len(x.Anchors[0].Values)-1]
	}
	before := last()
	m.Add("t", chain.Document{ID: "more", Kind: chain.Invoice, Number: "more", SellerID: "f1", BuyerID: "anchor", Amount: 1e9, Date: "2025-09-20"})
	if after := last(); after <= before {
		t.Errorf("the last month stays at %v after a large invoice, %v", before, after)
	}
}
