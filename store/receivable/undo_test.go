package receivable_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/receivable"
	"github.com/furrowcredit/furrow/chain/upload"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/firm"
	store_ "github.com/furrowcredit/furrow/store/receivable"
	"github.com/furrowcredit/furrow/store/storetest"
)

// TestUndoLeavesWhatADebtRestsOn: a file whose invoice stands under a receivable stays,
// and so does the firm that came with a file and holds a part by now.
func TestUndoLeavesWhatADebtRestsOn(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := open(t, db)
		books := firm.New(db)
		papers := store_.New(db)
		h.svc = receivable.New(receivable.Config{Store: papers, Firms: books, Papers: papers, Now: h.now})
		anchor, err := books.Firm(t.Context(), "bank", "anchor")
		if err != nil {
			t.Fatal(err)
		}
		anchor.AnchorOf = true
		if err := books.SaveFirms(t.Context(), []chain.Party{anchor}); err != nil {
			t.Fatal(err)
		}
		desk := upload.New(upload.Config{Store: books, Now: h.now})
		who := upload.Who{Tenant: "bank", AnchorID: "anchor", UserID: "u"}
		put := func(kind chain.DocKind, csv string) chain.Upload {
			t.Helper()
			u, err := desk.Check(t.Context(), who, kind, "x.csv", []byte(csv))
			if err == nil {
				u, err = desk.Commit(t.Context(), who, u.ID, false)
			}
			if err != nil {
				t.Fatal(err, u.Errors)
			}
			return u
		}
		listed := put(chain.Suppliers, "供应商名称,统一社会信用代码\n新厂,"+code(20)+"\n")
		invoices := put(chain.Invoice, "发票号码,卖方,买方,金额,开票日期\n9001,mill,anchor,1000,2026-05-01\n9002,mill,anchor,500,2026-05-02\n")
		r, err := h.propose(receivable.Proposal{CreditorID: "mill", Amount: 60_000, Documents: []receivable.Basis{{Number: "9001"}}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = desk.Undo(t.Context(), who, invoices.ID)
		if !errors.Is(err, chain.ErrUploadStands) || !strings.Contains(err.Error(), r.Number) || !strings.Contains(err.Error(), "9001") {
			t.Errorf("undone beneath a receivable: %v", err)
		}
		docs, err := books.Documents(t.Context(), "bank", "mill", chain.Invoice)
		if err != nil || len(docs) != 2 {
			t.Errorf("%d documents, %v", len(docs), err)
		}
		// The new firm comes to hold a part, so that undoing the list leaves it there.
		h.do(of("anchor"), r.ID, receivable.Command{Kind: receivable.Confirm})
		r = h.do(of("mill"), r.ID, receivable.Command{Kind: receivable.Accept})
		made, err := books.FirmByUSCC(t.Context(), "bank", code(20))
		if err != nil {
			t.Fatal(err)
		}
		h.do(of("mill"), r.ID, receivable.Command{Kind: receivable.Transfer, PartID: r.Parts[0].ID, To: made.ID})
		if _, err := desk.Undo(t.Context(), who, listed.ID); err != nil {
			t.Errorf("the list cannot be undone: %v", err)
		}
		if _, err := books.Firm(t.Context(), "bank", made.ID); err != nil {
			t.Errorf("the holder is gone: %v", err)
		}
		// A proposal that was withdrawn holds nothing.
		more := put(chain.Invoice, "发票号码,卖方,买方,金额,开票日期\n9003,mill,anchor,1000,2026-05-01\n")
		r, err = h.propose(receivable.Proposal{CreditorID: "mill", Amount: 100_000, Documents: []receivable.Basis{{Number: "9003"}}})
		if err != nil {
			t.Fatal(err)
		}
		h.do(of("anchor"), r.ID, receivable.Command{Kind: receivable.Cancel})
		if _, err := desk.Undo(t.Context(), who, more.ID); err != nil {
			t.Errorf("beneath a withdrawn proposal: %v", err)
		}
	})
}
