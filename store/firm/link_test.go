package firm_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/chaintest"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/firm"
	"github.com/furrowcredit/furrow/store/storetest"
)

func TestStoreOfTrade(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) { chaintest.Exercise(t, firm.New(db)) })
}

// TestBrokenOffCommit: a commit whose process died is taken back by the next one, and
// nobody sees its documents meanwhile.
func TestBrokenOffCommit(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s, ctx := firm.New(db), t.Context()
		if err := s.SaveFirms(ctx, []chain.Party{party("a", "", "甲"), party("b", "", "乙")}); err != nil {
			t.Fatal(err)
		}
		upload := func(id string) chain.Upload {
			revision, err := s.Revision(ctx, "t")
			if err != nil {
				t.Fatal(err)
			}
			u := chain.Upload{ID: id, Tenant: "t", AnchorID: "a", Kind: chain.Order, State: chain.UploadChecked, Revision: revision, CreatedAt: now, TouchedAt: now}
			if err := s.AddUpload(ctx, u); err != nil {
				t.Fatal(err)
			}
			u.State = chain.UploadCommitted
			return u
		}
		// What a dead process leaves: the state, and some documents.
		u := upload("dead")
		if _, err := db.Exec(ctx, `update trade_upload set state = 'committing' where id = 'dead'`); err != nil {
			t.Fatal(err)
		}
		_, err := db.Exec(ctx, `insert into trade_document (id, tenant, kind, number, number_key, variant, order_no, contract_no, contract_key, invoice_no,
			seller_id, buyer_id, amount, tax, goods, quantity, unit, code, type, day, due, void, upload_id, anchor_id, funder)
			values ('x', 't', 'orders', '1', '1', '', '', '', '', '', 'b', 'a', 5, 0, '', 0, '', '', '', '2026-01-01', '', false, 'dead', 'a', '')`)
		if err != nil {
			t.Fatal(err)
		}
		if docs, err := s.Documents(ctx, "t", "b", ""); err != nil || len(docs) != 0 {
			t.Errorf("seen: %v %v", err, docs)
		}
		next := upload("next")
		d := chain.Document{ID: "y", Tenant: "t", Kind: chain.Order, Number: "1", SellerID: "b", BuyerID: "a", Amount: 7, Date: "2026-01-02"}
		known, err := s.CommitUpload(ctx, next, func(yield func(chain.Document, error) bool) { yield(d, nil) }, func() []chain.Party { return nil }, nil, func(int) {})
		if err != nil || known != 0 {
			t.Fatalf("%v, %d known: the dead commit stood in the way", err, known)
		}
		if kept, err := s.Upload(ctx, "t", u.ID); err != nil || kept.State != chain.UploadChecked {
			t.Errorf("%v: the dead one is %s", err, kept.State)
		}
		links, err := s.Links(ctx, "t", "a")
		if err != nil || len(links) != 1 || links[0].Ordered != 7 {
			t.Errorf("%v %+v", err, links)
		}
	})
}

// TestLinksOfMergedFirms: links count for the survivor, a number that both firms brought
// counts once, and who follows the changes sees a merge and its end.
func TestLinksOfMergedFirms(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s, ctx := firm.New(db), t.Context()
		if err := s.SaveFirms(ctx, []chain.Party{party("a", "", "甲"), party("b", "", "乙"), party("c", "", "乙厂")}); err != nil {
			t.Fatal(err)
		}
		revision, err := s.Revision(ctx, "t")
		if err != nil {
			t.Fatal(err)
		}
		u := chain.Upload{ID: "u", Tenant: "t", AnchorID: "a", Kind: chain.Invoice, State: chain.UploadChecked, Revision: revision, CreatedAt: now, TouchedAt: now}
		if err := s.AddUpload(ctx, u); err != nil {
			t.Fatal(err)
		}
		u.State = chain.UploadCommitted
		_, err = s.CommitUpload(ctx, u, func(yield func(chain.Document, error) bool) {
			_ = yield(chain.Document{ID: "1", Kind: chain.Invoice, Number: "I1", SellerID: "b", BuyerID: "a", Amount: 100, Date: "2026-01-01"}, nil) &&
				yield(chain.Document{ID: "2", Kind: chain.Invoice, Number: "I1", SellerID: "c", BuyerID: "a", Amount: 100, Date: "2026-01-01"}, nil) &&
				yield(chain.Document{ID: "3", Kind: chain.Invoice, Number: "I2", SellerID: "c", BuyerID: "a", Amount: 7, Date: "2026-01-02"}, nil)
		}, func() []chain.Party { return nil }, nil, func(int) {})
		if err != nil {
			t.Fatal(err)
		}
		amounts := func(since int64) (all, changed map[string]money.Fen, at int64) {
			all, changed = map[string]money.Fen{}, map[string]money.Fen{}
			keep := func(into map[string]money.Fen) func(chain.Link) error {
				return func(l chain.Link) error {
					if _, twice := into[l.SellerID+l.BuyerID]; twice {
						t.Errorf("%s>%s comes twice", l.SellerID, l.BuyerID)
					}
					into[l.SellerID+l.BuyerID] = l.Invoiced
					return nil
				}
			}
			err := s.AllLinks(ctx, "t", keep(all))
			if err == nil {
				at, err = s.ChangedLinks(ctx, "t", since, keep(changed))
			}
			if err != nil {
				t.Fatal(err)
			}
			return all, changed, at
		}
		apart := map[string]money.Fen{"ba": 100, "ca": 107}
		all, _, at := amounts(0)
		if d := cmp.Diff(apart, all); d != "" {
			t.Error(d)
		}
		merge := func(survivor string) {
			err := db.Tx(ctx, func(tx *store.Tx) error { return firm.Remerge(ctx, tx, "t", []string{"b", "c"}, "c", survivor) })
			if err != nil {
				t.Fatal(err)
			}
		}
		merge("b")
		all, changed, at := amounts(at)
		if d := cmp.Diff(map[string]money.Fen{"ba": 107}, all); d != "" {
			t.Error("merged: ", d)
		}
		if d := cmp.Diff(map[string]money.Fen{"ba": 107, "ca": 0}, changed); d != "" {
			t.Error("changed by the merge: ", d)
		}
		for _, id := range []string{"b", "c"} {
			links, err := s.Links(ctx, "t", id)
			if err != nil || len(links) != 1 || links[0].SellerID != "b" || links[0].Invoices != 2 {
				t.Errorf("links of %s: %v %+v", id, err, links)
			}
			docs, err := s.Documents(ctx, "t", id, chain.Invoice)
			if err != nil || len(docs) != 3 || docs[2].SellerID != "b" {
				t.Errorf("documents of %s: %v %+v", id, err, docs)
			}
		}
		merge("c")
		if all, changed, _ = amounts(at); cmp.Diff(apart, all)+cmp.Diff(apart, changed) != "" {
			t.Errorf("split again: %v, changed %v", all, changed)
		}
	})
}
