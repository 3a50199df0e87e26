package watch_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/contagion"
	"github.com/furrowcredit/furrow/credit/watch"
	"github.com/furrowcredit/furrow/money"
)

// books are firms and links in memory.
type books struct {
	chain.Store
	firms map[string]chain.Party
	links []chain.Link
}

func (b books) FirmsByID(_ context.Context, _ string, ids []string) ([]chain.Party, error) {
	var out []chain.Party
	for _, id := range ids {
		if p, ok := b.firms[id]; ok {
			out = append(out, p)
		}
	}
	return out, nil
}

func (b books) AllLinks(_ context.Context, _ string, f func(chain.Link) error) error {
	for _, l := range b.links {
		if err := f(l); err != nil {
			return err
		}
	}
	return nil
}

func link(seller, buyer string, yuan int64, last string) chain.Link {
	return chain.Link{SellerID: seller, BuyerID: buyer, Invoices: 1, Invoiced: money.Fen(yuan * 100), FirstDate: "2026-01-01", LastDate: last}
}

// TestShockOfMergedFirms: the one that is struck and the debtors count for the firms that
// they were found to be, and a date that is still to come takes nothing off a link.
func TestShockOfMergedFirms(t *testing.T) {
	t.Parallel()
	b := books{firms: map[string]chain.Party{}, links: []chain.Link{
		link("farm", "mill", 1_000, "2026-05-01"), link("mill", "shop", 2_000, "2999-01-01"), link("farm", "farm", 9_000, "2026-05-01"),
		link("other", "shop", 2_000, "2026-05-01"),
	}}
	for _, id := range []string{"farm", "mill", "shop", "other"} {
		b.firms[id] = chain.Party{ID: id, Name: "firm " + id}
	}
	b.firms["farm-old"] = chain.Party{ID: "farm-old", Name: "old", MergedInto: "farm"}
	b.firms["mill-old"] = chain.Party{ID: "mill-old", Name: "old", MergedInto: "mill"}
	s := watch.Shocks{
		Firms: b, Now: func() time.Time { return time.Date(2026, 5, 20, 0, 0, 0, 0, time.UTC) },
		Loans: func(context.Context, string) ([]contagion.Exposure, error) {
			return []contagion.Exposure{{LoanID: "l1", FirmID: "mill-old", Outstanding: 100_00}, {LoanID: "l2", FirmID: "gone", Outstanding: 100_00}}, nil
		},
	}
	r, err := s.Run(t.Context(), "t", []contagion.Shock{{FirmID: "farm-old", Part: 1}}, false)
	if err != nil {
		t.Fatal(err)
	}
	if r.Struck[0].FirmID != "farm" || len(r.Endangered.Loans) != 1 || r.Endangered.Loans[0].FirmID != "mill" || r.Endangered.Loans[0].Name == "" || len(r.Endangered.Unknown) != 1 {
		t.Errorf("%+v", r)
	}
	lost := map[string]float64{}
	for _, h := range r.Hits {
		lost[h.FirmID] = h.Loss.Loss
	}
	// The shop loses the mill's goods: half of what it buys.
	if lost["mill"] < 0.9 || lost["shop"] < 0.4 {
		t.Errorf("%v", lost)
	}
	if _, err := s.Run(t.Context(), "t", []contagion.Shock{{FirmID: "nobody", Part: 1}}, false); err == nil {
		t.Error("a firm without trade was struck")
	}
}

func BenchmarkShock(b *testing.B) {
	const firms, links = 100_000, 500_000
	w := books{firms: map[string]chain.Party{}}
	id := func(i int) string { return fmt.Sprintf("f%06d", i%firms) }
	for i := range firms {
		w.firms[id(i)] = chain.Party{ID: id(i), Name: id(i)}
	}
	for i := range links {
		w.links = append(w.links, link(id(i*7919), id(i*i%1_000_003/10), int64(1+i%900), "2026-05-01"))
	}
	s := watch.Shocks{Firms: w, Now: time.Now, Loans: func(context.Context, string) ([]contagion.Exposure, error) { return nil, nil }}
	for b.Loop() {
		if _, err := s.Run(b.Context(), "t", []contagion.Shock{{FirmID: id(10), Part: 1}}, false); err != nil {
			b.Fatal(err)
		}
	}
}
