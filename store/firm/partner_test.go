package firm_test

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/firm"
	"github.com/furrowcredit/furrow/store/storetest"
)

// addTrade commits documents.
func addTrade(tb testing.TB, s *firm.Store, id string, docs ...chain.Document) chain.Upload {
	tb.Helper()
	revision, err := s.Revision(tb.Context(), "t")
	if err != nil {
		tb.Fatal(err)
	}
	u := chain.Upload{ID: id, Tenant: "t", AnchorID: "anchor", Kind: chain.Invoice, State: chain.UploadChecked, CreatedAt: now, TouchedAt: now, Revision: revision}
	if err := s.AddUpload(tb.Context(), u); err != nil {
		tb.Fatal(err)
	}
	u.State, u.DoneAt = chain.UploadCommitted, &now
	feed := func(yield func(chain.Document, error) bool) {
		for i, d := range docs {
			d.ID, d.Tenant = fmt.Sprintf("%s-%05d", id, i), "t"
			if !yield(d, nil) {
				return
			}
		}
	}
	if _, err := s.CommitUpload(tb.Context(), u, feed, func() []chain.Party { return nil }, nil, func(int) {}); err != nil {
		tb.Fatal(err)
	}
	return u
}

func invoice(number, seller, buyer string, amount money.Fen, day string) chain.Document {
	return chain.Document{Kind: chain.Invoice, Number: number, SellerID: seller, BuyerID: buyer, Amount: amount, Date: day}
}

// walk reads all pages.
func walk(t *testing.T, s *firm.Store, f chain.PartnerFilter) (all []chain.Partner, last chain.PartnerPage) {
	t.Helper()
	for {
		page, err := s.Partners(t.Context(), "t", f)
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Partners) > f.Limit {
			t.Fatalf("%d partners on a page of %d", len(page.Partners), f.Limit)
		}
		all = append(all, page.Partners...)
		if f.After = page.Next; f.After == "" {
			return all, page
		}
	}
}

func idsOf(partners []chain.Partner) []string {
	out := []string{}
	for _, p := range partners {
		out = append(out, p.Firm.ID)
	}
	return out
}

// TestPartners: page by page, in every order, partners are what the links of the firm say.
func TestPartners(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s, ctx := firm.New(db), t.Context()
		firms := []chain.Party{party("anchor", "", "青穗集团"), party("shop", "", "穗香商店")}
		var docs []chain.Document
		for i := range 23 {
			id := fmt.Sprintf("s%02d", i)
			firms = append(firms, party(id, fmt.Sprintf("9141000%02d", i), fmt.Sprintf("丰岭%c厂", 'A'+i)))
			// Several invoice the same, so that a page ends between them.
			docs = append(docs, invoice("N"+id, id, "anchor", money.Fen(1000*(i/4+1)), fmt.Sprintf("2025-%02d-01", i%5+1)))
		}
		docs = append(docs,
			invoice("", "s03", "anchor", 777, "2024-12-31"),
			invoice("X1", "anchor", "shop", 5000, "2025-06-01"), // it sells too
			invoice("X2", "s01", "shop", 6000, "2025-06-01"),    // that is not the anchor's
			chain.Document{Kind: chain.Suppliers, Number: "", SellerID: "s22", BuyerID: "anchor", Date: "2025-01-01"},
		)
		docs = slices.DeleteFunc(docs, func(d chain.Document) bool { return d.Kind == chain.Invoice && d.SellerID == "s22" }) // on the list alone
		if err := s.SaveFirms(ctx, firms); err != nil {
			t.Fatal(err)
		}
		addTrade(t, s, "u1", docs...)
		check := func() {
			t.Helper()
			links, err := s.Links(ctx, "t", "anchor")
			if err != nil {
				t.Fatal(err)
			}
			want, sum := map[string]chain.Link{}, money.Fen(0)
			for _, l := range links {
				if l.BuyerID == "anchor" {
					want[l.SellerID] = l
					sum += l.Invoiced
				}
			}
			for _, sort := range []chain.PartnerSort{chain.ByInvoiced, chain.ByName, chain.ByTenure} {
				got, page := walk(t, s, chain.PartnerFilter{FirmID: "anchor", Sort: sort, Limit: 5})
				if len(got) != len(want) || page.Total != len(want) || page.Invoiced < sum {
					t.Errorf("%s: %d partners of %d, total %d, invoiced %d of %d", sort, len(got), len(want), page.Total, page.Invoiced, sum)
				}
				for _, p := range got {
					if p.Link != want[p.Firm.ID] || p.Firm.Name != p.Link.Seller {
						t.Errorf("%s: %+v, want %+v", sort, p, want[p.Firm.ID])
					}
				}
				inOrder := slices.IsSortedFunc(got, func(a, b chain.Partner) int {
					switch sort {
					case chain.ByName:
						return cmp.Compare(a.Firm.Name, b.Firm.Name)
					case chain.ByTenure:
						return cmp.Or(cmp.Compare(cmp.Or(a.Link.FirstDate, "9"), cmp.Or(b.Link.FirstDate, "9")), cmp.Compare(a.Firm.ID, b.Firm.ID))
					case chain.ByInvoiced:
					}
					return cmp.Or(cmp.Compare(b.Link.Invoiced, a.Link.Invoiced), cmp.Compare(a.Firm.ID, b.Firm.ID))
				})
				if !inOrder {
					t.Errorf("%s: not in order: %v", sort, idsOf(got))
				}
			}
		}
		check()
		for query, want := range map[string][]string{
			"岭 ｅ 厂": {"s04"}, "914100012": {"s12"}, "00012": {}, "穗香": {}, "%": {}, "厂": nil,
		} {
			got, page := walk(t, s, chain.PartnerFilter{FirmID: "anchor", Query: query, Limit: 100})
			if want != nil && !slices.Equal(idsOf(got), want) || page.Total != len(got) || page.Invoiced == 0 {
				t.Errorf("%q: %v, total %d", query, idsOf(got), page.Total)
			}
		}
		if got, _ := walk(t, s, chain.PartnerFilter{FirmID: "anchor", Buyers: true, Limit: 5}); !slices.Equal(idsOf(got), []string{"shop"}) || got[0].Link.Buyer != "穗香商店" {
			t.Errorf("buyers %+v", got)
		}
		if got, page := walk(t, s, chain.PartnerFilter{FirmID: "nobody", Limit: 5}); len(got) != 0 || page.Total != 0 {
			t.Errorf("partners of nobody: %v", got)
		}
		for _, after := range []string{"x", "name:s01:丰", "invoiced:s01:many"} {
			if _, err := s.Partners(ctx, "t", chain.PartnerFilter{FirmID: "anchor", Sort: chain.ByInvoiced, After: after}); !errors.Is(err, chain.ErrPartnersAfter) {
				t.Errorf("%q: %v", after, err)
			}
		}
		if page, err := s.Partners(ctx, "other", chain.PartnerFilter{FirmID: "anchor"}); err != nil || len(page.Partners) != 0 {
			t.Errorf("another tenant sees %v %v", page, err)
		}
		// Two that report one invoice are found to be one.
		addTrade(t, s, "u2", invoice("Ns05", "s06", "anchor", 2000, "2025-02-01"))
		for _, pair := range [][2]string{{"s06", "s05"}, {"s07", "s05"}, {"s08", "shop"}} {
			if _, err := s.Merge(ctx, change(pair[0], pair[1], "u", 1)); err != nil {
				t.Fatal(err)
			}
		}
		check()
	})
}

// BenchmarkPartners lists the first page of an anchor with 20,000 suppliers.
func BenchmarkPartners(b *testing.B) {
	s := firm.New(storetest.Open(b, "sqlite:"+filepath.Join(b.TempDir(), "furrow.db")))
	benchPartners(b, s)
}

// BenchmarkPartnersPostgres is the same on PostgreSQL.
func BenchmarkPartnersPostgres(b *testing.B) {
	benchPartners(b, firm.New(storetest.Open(b, storetest.Postgres(b))))
}

func benchPartners(b *testing.B, s *firm.Store) {
	b.Helper()
	const n = 20_000
	firms, docs := []chain.Party{party("anchor", "", "青穗集团")}, make([]chain.Document, n)
	for i := range n {
		id := fmt.Sprintf("s%05d", i)
		firms = append(firms, party(id, "", fmt.Sprintf("丰岭第%d厂", i)))
		docs[i] = invoice("N"+id, id, "anchor", money.Fen(1000+i*7919%n), now.Add(-time.Duration(i%900)*24*time.Hour).Format(time.DateOnly))
	}
	if err := s.SaveFirms(b.Context(), firms); err != nil {
		b.Fatal(err)
	}
	addTrade(b, s, "u1", docs...)
	for _, f := range []chain.PartnerFilter{
		{Sort: chain.ByInvoiced}, {Sort: chain.ByName}, {Sort: chain.ByTenure}, {Sort: chain.ByInvoiced, Query: "1234"},
		{Sort: chain.ByInvoiced, After: "invoiced:s00001:3000"},
	} {
		f.FirmID, f.Limit = "anchor", 50
		b.Run(fmt.Sprintf("%s,query=%s,after=%t", f.Sort, f.Query, f.After != ""), func(b *testing.B) {
			for b.Loop() {
				if page, err := s.Partners(b.Context(), "t", f); err != nil || len(page.Partners) == 0 {
					b.Fatal(err)
				}
			}
		})
	}
}
