package firm_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/flow"
	"github.com/furrowcredit/furrow/chain/network"
	"github.com/furrowcredit/furrow/chain/reference"
	"github.com/furrowcredit/furrow/chain/upload"
	"github.com/furrowcredit/furrow/internal/realdata"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/firm"
	"github.com/furrowcredit/furrow/store/storetest"
)

var now = time.Date(2026, 5, 20, 8, 0, 0, 0, time.UTC)

func party(id, uscc, name string) chain.Party {
	return chain.Party{ID: id, Tenant: "t", USCC: uscc, Name: name, CreatedAt: now}
}

func ids(firms []chain.Party) []string {
	out := []string{}
	for _, p := range firms {
		out = append(out, p.ID)
	}
	return out
}

func TestFirms(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s, ctx := firm.New(db), t.Context()
		anchor := party("a", "91990000MA0TEMPE3R", "青穗（粮油）集团")
		anchor.AnchorOf, anchor.OwnerID, anchor.Phone, anchor.LegalRep, anchor.Region, anchor.Industry = true, "u", "1", "王", "青穗县", "粮油"
		foreign := party("z", "91990000MA0TEMPE3R", "青穗粮油集团")
		foreign.Tenant = "other"
		if err := s.SaveFirms(ctx, []chain.Party{anchor, party("b", "", "ABC 100%有机_厂"), party("c", "", "abc100%有机_厂"), foreign}); err != nil {
			t.Fatal(err)
		}
		anchor.NameKey = "青穗粮油集团"
		got, err := s.Firm(ctx, "t", "a")
		if d := cmp.Diff(anchor, got); err != nil || d != "" {
			t.Error(err, d)
		}
		for _, id := range []string{"z", "nobody"} {
			if _, err := s.Firm(ctx, "t", id); !errors.Is(err, chain.ErrFirmNotFound) {
				t.Errorf("%s: %v", id, err)
			}
		}
		if got, err := s.FirmByUSCC(ctx, "t", "91990000MA0TEMPE3R"); err != nil || got.ID != "a" {
			t.Error(err, got)
		}
		if _, err := s.FirmByUSCC(ctx, "t", ""); !errors.Is(err, chain.ErrFirmNotFound) {
			t.Error("an empty code names a firm:", err)
		}
		if got, err := s.FirmByName(ctx, "t", "abc100%有机_厂"); err != nil || len(got) != 2 {
			t.Error(err, got)
		}
		if _, err := s.FirmByName(ctx, "t", "absent"); !errors.Is(err, chain.ErrFirmNotFound) {
			t.Error(err)
		}
		known := party("k", "91350900587527783P", "云岭茶业有限公司")
		known.FormerNames, known.ShortNames, known.Capital, known.Founded = []string{"岭上茶厂", "ABC 100%有机_厂"}, []string{"云岭"}, 500_00, "2011-03-09"
		known.Controller, known.Address, known.IndustryCode, known.Scope = "李", "青穗县一号", "C1530", "茶叶加工"
		if err := s.SaveFirms(ctx, []chain.Party{party("k", "", "云岭"), known}); err != nil {
			t.Fatal(err)
		}
		known.NameKey = "云岭茶业有限公司"
		if got, err := s.Firm(ctx, "t", "k"); err != nil || cmp.Diff(known, got) != "" {
			t.Error(err, cmp.Diff(known, got))
		}
		named, err := s.FirmsByName(ctx, "t", []string{"云岭", "abc100%有机_厂", "岭上茶厂", "", "absent"})
		if err != nil || fmt.Sprint(ids(named["云岭"]), ids(named["abc100%有机_厂"]), ids(named["岭上茶厂"]), len(named)) != "[k] [b c k] [k] 3" {
			t.Error(err, named)
		}
		coded, err := s.FirmsByUSCC(ctx, "t", []string{"91350900587527783P", "", "91990000MA0TEMPE3R", "nobody"})
		if err != nil || len(coded) != 2 || coded["91350900587527783P"].ID != "k" || coded["91990000MA0TEMPE3R"].ID != "a" {
			t.Error(err, coded)
		}
		known.FormerNames, known.ShortNames = nil, nil
		known.USCC = ""
		if err := s.SaveFirms(ctx, []chain.Party{known}); err != nil {
			t.Fatal(err)
		}
		if named, err = s.FirmsByName(ctx, "t", []string{"云岭", "岭上茶厂"}); err != nil || len(named) != 0 {
			t.Error("names that were taken away still find the firm", err, named)
		}
		for name, c := range map[string]struct {
			f    chain.PartyFilter
			want string
		}{
			"all":     {chain.PartyFilter{}, "[a b c k]"},
			"page":    {chain.PartyFilter{After: "a", Limit: 1}, "[b]"},
			"anchors": {chain.PartyFilter{Anchors: true}, "[a]"},
			"owner":   {chain.PartyFilter{OwnerID: "u"}, "[a]"},
			"name":    {chain.PartyFilter{Query: "ＡＢＣ"}, "[b c]"},
			"percent": {chain.PartyFilter{Query: "0%有"}, "[b c]"},
			"literal": {chain.PartyFilter{Query: "0_有"}, "[]"},
			"code":    {chain.PartyFilter{Query: "ma0temp"}, "[a]"},
		} {
			firms, err := s.Firms(ctx, "t", c.f)
			if err != nil {
				t.Fatal(err)
			}
			if fmt.Sprint(ids(firms)) != c.want {
				t.Errorf("%s: %v, want %s", name, ids(firms), c.want)
			}
		}
		err = s.SaveFirms(ctx, []chain.Party{party("d", "", "new"), party("e", "91990000MA0TEMPE3R", "thief")})
		if !errors.Is(err, chain.ErrFirmTaken) {
			t.Error(err)
		}
		if _, err := s.Firm(ctx, "t", "d"); !errors.Is(err, chain.ErrFirmNotFound) {
			t.Error("half of the firms were saved")
		}
		b := party("b", "91350900587527783P", "renamed")
		b.Tenant = "other" // a firm of one tenant cannot be changed from another
		if err := s.SaveFirms(ctx, []chain.Party{b}); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Firm(ctx, "t", "b"); err != nil || got.Name != "ABC 100%有机_厂" {
			t.Error(err, got)
		}
	})
}

// TestUploadToStanding takes the whole way: check, commit, sums, standing, undo.
func TestUploadToStanding(t *testing.T) {
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
			if err != nil {
				t.Fatal(err)
			}
			u, err = desk.Commit(ctx, who, u.ID, true)
			if err != nil {
				t.Fatal(err)
			}
			return u
		}
		orders, deliveries, invoices, payments := "订单号,卖方,金额,订单日期\n", "送货单号,订单号,卖方,金额,收货日期\n", "发票号码,订单号,卖方,金额,开票日期,融资机构\n", "流水号,订单号,卖方,金额,付款日期\n"
		for m := range 12 {
			day := time.Date(2025, time.Month(6+m), 3, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
			orders += fmt.Sprintf("PO%d,丰岭厂,1000,%s\n", m, day)
			deliveries += fmt.Sprintf("D%d,PO%d,丰岭厂,1000,%s\n", m, m, day)
			invoices += fmt.Sprintf("I%d,PO%d,丰岭厂,1000,%s,\n", m, m, day)
			payments += fmt.Sprintf("P%d,PO%d,丰岭厂,1000,%s\n", m, m, day)
		}
		first := put(chain.Suppliers, "供应商名称,法人\n丰岭厂,王禾\n")
		put(chain.Order, orders)
		put(chain.Delivery, deliveries)
		invoiced := put(chain.Invoice, invoices+"I0,PO0,丰岭厂,1000,2025-06-03,甲保理\nI0,PO0,丰岭厂,1000,2025-06-03,乙银行\nI99,,丰岭厂,坏,2025-06-03,\n")
		put(chain.Payment, payments)
		if invoiced.Good != 14 || invoiced.Bad != 1 || len(invoiced.Errors) != 1 {
			t.Errorf("%+v", invoiced)
		}
		firms, err := s.FirmByName(ctx, "t", "丰岭厂")
		if err != nil || len(firms) != 1 || firms[0].LegalRep != "王禾" {
			t.Fatal(err, firms)
		}
		mill := firms[0].ID
		links, err := s.Links(ctx, "t", mill)
		want := []chain.Link{{SellerID: mill, BuyerID: "anchor", Seller: "丰岭厂", Buyer: "青穗集团", Orders: 12, Deliveries: 12, Invoices: 12, Payments: 12,
			Ordered: 1_200_000, Invoiced: 1_200_000, Paid: 1_200_000, FirstDate: "2025-06-03", LastDate: "2026-05-03"}}
		if d := cmp.Diff(want, links); err != nil || d != "" {
			t.Error(err, d)
		}
		var all []chain.Link
		if err := s.AllLinks(ctx, "t", func(l chain.Link) error { all = append(all, l); return nil }); err != nil || !slices.Equal(all, links) {
			t.Error(err, all)
		}
		flows := flow.NewNetwork(s, network.New(s, network.Options{Now: clock}), clock)
		st, err := flows.Standing(ctx, "t", mill)
		if err != nil || st.Invoiced12m != 1_200_000 || st.Proven != 1 || st.Reason != "invoice_reused" || len(st.Anchors) != 1 || st.Anchors[0].Months != 12 {
			t.Errorf("%v %+v", err, st)
		}
		found, err := flows.Findings(ctx, "t")
		if err != nil || len(found) != 1 || len(found[0].Documents) != 3 {
			t.Errorf("%v %+v", err, found)
		}
		kept, err := s.Upload(ctx, "t", invoiced.ID)
		if err != nil || kept.State != chain.UploadCommitted || kept.DoneAt == nil || len(kept.Errors) != 1 || kept.Errors[0].Cell != "D16" || false {
			t.Errorf("%v %+v", err, kept)
		}
		if _, err := s.Upload(ctx, "other", invoiced.ID); !errors.Is(err, chain.ErrUploadNotFound) {
			t.Error(err)
		}
		again := put(chain.Invoice, invoices)
		if again.Known != 12 || again.Good != 0 {
			t.Errorf("the same rows again: %+v", again)
		}
		if _, err := desk.Undo(ctx, who, invoiced.ID); !errors.Is(err, chain.ErrUploadNeeded) {
			t.Errorf("undone although a later upload brought its rows again: %v", err)
		}
		if _, err := desk.Undo(ctx, who, again.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := desk.Undo(ctx, who, invoiced.ID); err != nil {
			t.Fatal(err)
		}
		docs, err := s.Documents(ctx, "t", mill, chain.Invoice)
		if err != nil || len(docs) != 0 {
			t.Error(err, docs)
		}
		if err := s.UndoUpload(ctx, kept); !errors.Is(err, chain.ErrUploadState) {
			t.Error("undone twice:", err)
		}
		if _, err := desk.Undo(ctx, who, first.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Firm(ctx, "t", mill); err != nil {
			t.Error("a firm with trade is gone:", err)
		}
		list, err := s.Uploads(ctx, "t", chain.UploadFilter{AnchorID: "anchor"})
		if err != nil || len(list) != 6 || list[0].ID != again.ID {
			t.Error(err, len(list))
		}
		if list, err := s.Uploads(ctx, "other", chain.UploadFilter{}); err != nil || len(list) != 0 {
			t.Error(err, list)
		}
	})
}

// TestCommitsRace: the same upload committed by many at once is written once.
func TestCommitsRace(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s, ctx := firm.New(db), t.Context()
		anchor := party("anchor", "", "青穗集团")
		anchor.AnchorOf = true
		if err := s.SaveFirms(ctx, []chain.Party{anchor}); err != nil {
			t.Fatal(err)
		}
		desk := upload.New(upload.Config{Store: s, Now: func() time.Time { return now }})
		who := upload.Who{Tenant: "t", AnchorID: "anchor"}
		u, err := desk.Check(ctx, who, chain.Order, "x.csv", []byte("订单号,卖方,金额,订单日期\nPO1,丰岭厂,1000,2026-01-01\n"))
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() {
				if got, err := desk.Commit(ctx, who, u.ID, false); err != nil || got.State != chain.UploadCommitted {
					t.Errorf("%v %+v", err, got)
				}
			})
		}
		wg.Wait()
		firms, err := s.Firms(ctx, "t", chain.PartyFilter{})
		if err != nil || len(firms) != 2 {
			t.Error(err, firms)
		}
	})
}

// TestUploadsRace: uploads that name the same new firm at once make it once, and
// those that bring the same row bring it once.
func TestUploadsRace(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s, ctx := firm.New(db), t.Context()
		anchor := party("anchor", "", "青穗集团")
		anchor.AnchorOf = true
		if err := s.SaveFirms(ctx, []chain.Party{anchor}); err != nil {
			t.Fatal(err)
		}
		desk := upload.New(upload.Config{Store: s, Now: func() time.Time { return now }})
		who := upload.Who{Tenant: "t", AnchorID: "anchor"}
		var wg sync.WaitGroup
		good := make([]int, 6)
		for i := range good {
			u, err := desk.Check(ctx, who, chain.Order, "x.csv", fmt.Appendf(nil, "订单号,卖方,金额,订单日期\nPO0,丰岭厂,1000,2026-01-01\nPO%d,丰岭厂,1000,2026-01-01\n", i+1))
			if err != nil {
				t.Fatal(err)
			}
			wg.Go(func() {
				got, err := desk.Commit(ctx, who, u.ID, false)
				if err != nil {
					t.Error(err)
				}
				good[i] = got.Good
			})
		}
		wg.Wait()
		firms, err := s.FirmByName(ctx, "t", "丰岭厂")
		if err != nil || len(firms) != 1 {
			t.Fatal(err, firms)
		}
		docs, err := s.Documents(ctx, "t", firms[0].ID, chain.Order)
		if err != nil || len(docs) != 7 {
			t.Errorf("%v: %d documents", err, len(docs))
		}
		slices.Sort(good)
		if !slices.Equal(good, []int{1, 1, 1, 1, 1, 2}) {
			t.Errorf("good rows %v", good)
		}
	})
}

func TestReference(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s, ctx := firm.New(db), t.Context()
		sources, closeAll, err := reference.Files(realdata.Dir(t, "chain"))
		defer closeAll()
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		service := reference.Service{Store: s}
		steps := 0
		report, err := service.Import(ctx, "t", sources, func(string, int) { steps++ })
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d nodes and %d edges in %s", db.Kind(), report.Nodes, report.Edges, time.Since(start).Round(time.Millisecond))
		nodes, edges, err := s.ReferenceSize(ctx, "t")
		if err != nil || nodes != report.Nodes || edges != report.Edges || steps == 0 {
			t.Errorf("%v: kept %d and %d of %d and %d", err, nodes, edges, report.Nodes, report.Edges)
		}
		places, err := service.Places(ctx, "t", "贵州茅台酒股份有限公司", "面粉", "没有这个")
		if err != nil || len(places) < 2 {
			t.Fatal(err, places)
		}
		if p := places[0]; p.Node.Kind != chain.RefCompany || len(p.Products) == 0 || p.Products[0].Weight < p.Products[len(p.Products)-1].Weight {
			t.Errorf("%+v", p)
		}
		if p := places[1]; p.Node.Name != "面粉" || len(p.Downstream) != 50 || len(p.Makers) == 0 || len(p.Upstream) == 0 {
			t.Errorf("%+v", p)
		}
		if places, err := service.Places(ctx, "other", "面粉"); err != nil || len(places) != 0 {
			t.Errorf("another tenant sees %v %v", places, err)
		}
		// A new import replaces the old one.
		if err := s.SaveReference(ctx, "t", []chain.RefNode{{ID: 1, Kind: chain.RefProduct, Key: "a", Name: "a"}}, nil, nil); err != nil {
			t.Fatal(err)
		}
		if nodes, edges, err := s.ReferenceSize(ctx, "t"); err != nil || nodes != 1 || edges != 0 {
			t.Error(err, nodes, edges)
		}
	})
}
