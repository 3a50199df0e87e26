package application_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/flow"
	"github.com/furrowcredit/furrow/chain/network"
	"github.com/furrowcredit/furrow/chain/party"
	"github.com/furrowcredit/furrow/chain/upload"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/firm"
	"github.com/furrowcredit/furrow/store/storetest"
)

// trade is a firm that sells to an anchor, in real books.
type trade struct {
	*bench
	books *firm.Store
	desk  *upload.Service
}

func openTrade(t *testing.T, db *store.DB) *trade {
	t.Helper()
	w := &trade{books: firm.New(db)}
	w.bench = openWith(t, db, func(b *bench, cfg *apply.Config) {
		now := b.clock.now
		cfg.Firms = w.books
		cfg.Standings = flow.NewNetwork(w.books, network.New(w.books, network.Options{Now: now}), now)
	})
	w.books.Changed = func(ctx context.Context, tenant string) {
		if err := w.apply.Touch(ctx, tenant, apply.Filter{Subject: credit.Subject{Kind: credit.FirmSubject}}, apply.NewStanding); err != nil {
			t.Error(err)
		}
	}
	w.desk = upload.New(upload.Config{Store: w.books, Now: w.clock.now})
	if err := w.books.SaveFirms(context.Background(), []chain.Party{
		{ID: "anchor", Tenant: tenant, Name: "青穗集团", AnchorOf: true}, {ID: "firm", Tenant: tenant, Name: "丰岭厂", OwnerID: farmer.UserID},
		{ID: "old", Tenant: tenant, Name: "丰岭旧厂"},
	}); err != nil {
		t.Fatal(err)
	}
	return w
}

// sold brings the documents of months of sales, by the anchor; each is proven.
func (w *trade) sold(t *testing.T, seller string, first time.Time, months int, yuan int) []string {
	t.Helper()
	ctx, who := context.Background(), upload.Who{Tenant: tenant, AnchorID: "anchor", UserID: "u", UserName: "u"}
	var ids []string
	for kind, days := range map[chain.DocKind]int{chain.Order: 0, chain.Delivery: 4, chain.Invoice: 6, chain.Payment: 20} {
		columns, err := upload.Columns(kind)
		if err != nil {
			t.Fatal(err)
		}
		rows := make([][]string, 1+months)
		for m := range months {
			day := first.AddDate(0, m, days).Format(time.DateOnly)
			order := fmt.Sprintf("%s-%s", seller, first.AddDate(0, m, 0).Format("200601"))
			of := map[string]string{"number": string(kind) + order, "order_no": "orders" + order, "seller": seller, "goods": "面粉", "amount": fmt.Sprint(yuan), "date": day}
			for _, c := range columns {
				if m == 0 {
					rows[0] = append(rows[0], c.Zh)
				}
				rows[m+1] = append(rows[m+1], of[c.Field])
			}
		}
		var b bytes.Buffer
		if err := csv.NewWriter(&b).WriteAll(rows); err != nil {
			t.Fatal(err)
		}
		u, err := w.desk.Check(ctx, who, kind, string(kind)+".csv", b.Bytes())
		if err != nil || u.Bad > 0 {
			t.Fatalf("%s: %v, %+v", kind, err, u.Errors)
		}
		if u, err = w.desk.Commit(ctx, who, u.ID, false); err != nil || u.State != chain.UploadCommitted {
			t.Fatalf("%s: %v, %s", kind, err, u.State)
		}
		ids = append(ids, u.ID)
	}
	return ids
}

// TestLimitFollowsTrade: documents that an anchor brings or takes back, and firms that are
// found to be one or two, move the limit of the firm in the same breath, down at once and up to
// what was signed; the customer is told why, and every decision replays.
func TestLimitFollowsTrade(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, w := context.Background(), openTrade(t, db)
		w.sold(t, "丰岭厂", time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC), 8, 100_000)
		latest := w.sold(t, "丰岭厂", time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC), 5, 100_000)
		req := requests["firm"]
		req.Asked = 300_000_00
		a := w.signed(t, farmer, req, "k")
		signed := a.Limit
		moved := func(what string, n int) money.Fen {
			t.Helper()
			d := w.detail(t, a.ID)
			if len(d.LimitChanges) != n {
				t.Fatalf("%s: %d changes, want %d: limit %s of %s", what, len(d.LimitChanges), n, d.Application.Limit, signed)
			}
			if n > 0 {
				c := d.LimitChanges[n-1]
				if c.Cause != apply.NewStanding || len(c.Reasons) == 0 || c.To != d.Application.Limit {
					t.Errorf("%s: %+v", what, c)
				}
				if r, err := w.apply.Replay(ctx, auditor, c.DecisionID); err != nil || !r.Same {
					t.Errorf("%s does not replay: %v", what, err)
				}
			}
			return d.Application.Limit
		}
		told := len(w.notify.states)
		for _, id := range latest { // whatever of the five flows goes, the limit never rises by it
			if _, err := w.desk.Undo(ctx, upload.Who{Tenant: tenant, AnchorID: "anchor"}, id); err != nil {
				t.Fatal(err)
			}
		}
		n := len(w.detail(t, a.ID).LimitChanges)
		low := moved("undone", n)
		if n == 0 || low >= signed || len(w.notify.states) == told {
			t.Fatalf("%s after its last five months were taken back, signed were %s", low, signed)
		}
		w.sold(t, "丰岭旧厂", time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC), 5, 100_000)
		if n := len(w.detail(t, a.ID).LimitChanges); moved("another firm's sales", n) != low {
			t.Errorf("the sales of another firm moved the limit from %s", low)
		}
		before := len(w.detail(t, a.ID).LimitChanges)
		m, err := w.books.Merge(ctx, party.Merge{Tenant: tenant, FirmID: "old", OtherID: "firm", ByID: "u", At: w.clock.now()})
		if err != nil {
			t.Fatal(err)
		}
		if got := moved("merged", before+1); got <= low || got > signed {
			t.Errorf("%s with the sales of the firm that it is, %s without, %s signed", got, low, signed)
		}
		if _, err := w.books.Undo(ctx, party.Merge{Tenant: tenant, Undoes: m.ID, ByID: "u", At: w.clock.now()}); err != nil {
			t.Fatal(err)
		}
		if got := moved("told apart", before+2); got != low {
			t.Errorf("%s after they were told apart, %s before", got, low)
		}
		// Of a limit that moved the borrower may ask a person, though the contract is signed.
		r, err := w.apply.AskReview(ctx, farmer, a.ID, "the papers of spring are missing")
		if d := w.detail(t, a.ID); err != nil || d.Application.State != apply.Signed || d.Review == nil || d.Review.ID != r.ID {
			t.Errorf("%v, %s, %+v", err, d.Application.State, d.Review)
		}
		if r, err = w.apply.CloseReview(ctx, officer, r.ID, "have them sent again"); err != nil || r.ClosedAt == nil {
			t.Error(err)
		}
		// The forecast comes from nothing but what is frozen.
		d := w.detail(t, a.ID)
		if ev := *d.Evidence; ev.Turnover == nil || ev.Surroundings == nil {
			t.Errorf("no forecast: %+v", ev.Sources)
		} else if diff := cmp.Diff(*ev.Turnover, apply.Foretold(ev)); diff != "" {
			t.Error(diff)
		}
	})
}
