package firm_test

import (
	"slices"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/chain"
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
