package firm_test

import (
	"testing"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/chaintest"
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
