package firm_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/flow"
	"github.com/furrowcredit/furrow/chain/network"
	"github.com/furrowcredit/furrow/chain/upload"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/firm"
	"github.com/furrowcredit/furrow/store/storetest"
)

// TestNetworkFollowsUploads: a graph that is open while files are committed and undone
// has what one has that is built afterwards.
func TestNetworkFollowsUploads(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s, ctx := firm.New(db), t.Context()
		anchor := party("anchor", "", "青穗集团")
		anchor.AnchorOf = true
		if err := s.SaveFirms(ctx, []chain.Party{anchor}); err != nil {
			t.Fatal(err)
		}
		clock := func() time.Time { return now }
		desk := upload.New(upload.Config{Store: s, Now: clock})
		who := upload.Who{Tenant: "t", AnchorID: "anchor", UserID: "u", UserName: "采购员"}
		put := func(kind chain.DocKind, csv string) chain.Upload {
			t.Helper()
			u, err := desk.Check(ctx, who, kind, "x.csv", []byte(csv))
			if err == nil {
				u, err = desk.Commit(ctx, who, u.ID, true)
			}
			if err != nil {
				t.Fatal(err)
			}
			return u
		}
		dir := t.TempDir()
		open := network.New(s, network.Options{Now: clock, Dir: dir})
		suppliers := func(n *network.Network) []string {
			t.Helper()
			page, err := n.Suppliers(ctx, "t", "anchor", network.Filter{})
			if err != nil {
				t.Fatal(err)
			}
			out := []string{}
			for _, f := range page.Firms {
				out = append(out, f.Name)
			}
			slices.Sort(out)
			return out
		}
		same := func(want ...string) {
			t.Helper()
			for name, n := range map[string]*network.Network{"open": open, "reopened": network.New(s, network.Options{Now: clock, Dir: dir}), "new": network.New(s, network.Options{Now: clock})} {
				if got := suppliers(n); !slices.Equal(got, want) {
					t.Errorf("%s: %v, not %v", name, got, want)
				}
			}
		}
		same()
		put(chain.Suppliers, "供应商名称\n丰岭厂\n禾垄厂\n")
		same("丰岭厂", "禾垄厂")
		invoices := put(chain.Invoice, "发票号码,卖方,买方,金额,开票日期\nI1,丰岭厂,青穗集团,1000,2026-03-01\nI2,南坡厂,丰岭厂,500,2026-03-02\n")
		if invoices.Good != 2 {
			t.Fatalf("%+v", invoices)
		}
		same("丰岭厂", "南坡厂", "禾垄厂")
		if _, err := desk.Undo(ctx, who, invoices.ID); err != nil {
			t.Fatal(err)
		}
		same("丰岭厂", "禾垄厂")
	})
}

// TestStandingOfSurvivor: whoever asks for a firm or for the one that it was found to be
// hears of the trade of both, and what they sold each other counts for nothing.
func TestStandingOfSurvivor(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s, ctx := firm.New(db), t.Context()
		anchor := party("anchor", "", "青穗集团")
		anchor.AnchorOf = true
		if err := s.SaveFirms(ctx, []chain.Party{anchor}); err != nil {
			t.Fatal(err)
		}
		clock := func() time.Time { return now }
		desk := upload.New(upload.Config{Store: s, Now: clock})
		who := upload.Who{Tenant: "t", AnchorID: "anchor", UserID: "u", UserName: "采购员"}
		u, err := desk.Check(ctx, who, chain.Invoice, "x.csv", []byte("发票号码,卖方,买方,金额,开票日期\nI1,丰岭厂,青穗集团,1000,2026-03-01\n"+
			"I2,丰岭厂(旧),青穗集团,500,2026-04-02\nI3,丰岭厂,丰岭厂(旧),7000,2026-04-03\nI4,禾垄厂,丰岭厂(旧),200,2026-04-03\n"))
		if err == nil {
			_, err = desk.Commit(ctx, who, u.ID, true)
		}
		if err != nil {
			t.Fatal(err)
		}
		ids := map[string]string{}
		firms, err := s.Firms(ctx, "t", chain.PartyFilter{})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range firms {
			ids[p.Name] = p.ID
		}
		graph := network.New(s, network.Options{Now: clock})
		flows := flow.NewNetwork(s, graph, clock)
		before, err := flows.Standing(ctx, "t", ids["丰岭厂"])
		if err != nil || before.Invoiced12m != 800_000 {
			t.Fatalf("%+v %v", before, err)
		}
		if _, err := s.Merge(ctx, change(ids["丰岭厂(旧)"], ids["丰岭厂"], "u", 0.9)); err != nil {
			t.Fatal(err)
		}
		var texts []string
		for _, name := range []string{"丰岭厂", "丰岭厂(旧)"} {
			st, err := flows.Standing(ctx, "t", ids[name])
			if err != nil {
				t.Fatal(err)
			}
			if st.FirmID != ids["丰岭厂"] || st.Invoiced12m != 150_000 || st.Counterparties != 2 || len(st.Anchors) != 1 || st.Anchors[0].Share != 1 ||
				st.Anchors[0].Months != 2 || st.Figures.SupplierHHI.Value == nil {
				t.Errorf("%s: %+v", name, st)
			}
			b, err := json.Marshal(st)
			if err != nil {
				t.Fatal(err)
			}
			texts = append(texts, string(b))
		}
		if texts[0] != texts[1] {
			t.Errorf("two standings of one firm:\n%s\n%s", texts[0], texts[1])
		}
		if found, err := flows.Findings(ctx, "t"); err != nil || len(found) != 0 {
			t.Errorf("%+v %v", found, err)
		}
	})
}
