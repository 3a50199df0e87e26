package firm_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/extract"
	"github.com/furrowcredit/furrow/chain/extract/rule"
	"github.com/furrowcredit/furrow/chain/network"
	parties "github.com/furrowcredit/furrow/chain/party"
	"github.com/furrowcredit/furrow/chain/upload"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/firm"
	"github.com/furrowcredit/furrow/store/storetest"
)

// named resolves the names it has; all others are new.
type named map[string]extract.Match

func (n named) Resolve(_ context.Context, _, name string) (extract.Match, error) {
	if m, ok := n[name]; ok {
		return m, nil
	}
	return extract.Match{Status: extract.New}, nil
}

func TestClaims(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s, ctx := firm.New(db), t.Context()
		doc := extract.Document{Name: "news.txt", SHA256: "abc", Text: "甲禾粮油有限公司向乙丰面业有限公司采购小麦。甲禾粮油有限公司向丙谷米业有限公司采购大米。甲禾粮油有限公司向丁穗农场有限公司采购玉米。甲禾粮油有限公司向甲禾粮油总公司采购杂粮。"}
		known := named{
			"甲禾粮油有限公司": {Status: extract.Known, FirmID: "a", Score: 1}, "乙丰面业有限公司": {Status: extract.Known, FirmID: "b", Score: 0.99},
			"丁穗农场有限公司": {Status: extract.Ambiguous, Score: 0.6}, "甲禾粮油总公司": {Status: extract.Known, FirmID: "a", Score: 1},
		}
		if err := s.SaveFirms(ctx, []chain.Party{party("a", "", "甲禾粮油有限公司"), party("b", "", "乙丰面业有限公司"), party("c", "", "丙谷米业有限公司")}); err != nil {
			t.Fatal(err)
		}
		claims := func() ([]extract.Claim, extract.Outcome) {
			facts, o, err := rule.New().Extract(ctx, doc)
			if err != nil {
				t.Fatal(err)
			}
			out, err := extract.Claims(ctx, known, "t", doc, facts, &o, now)
			if err != nil {
				t.Fatal(err)
			}
			return out, o
		}
		first, o := claims()
		if len(first) != 3 || o.Dropped["self"] != 1 || first[0].State != extract.Accepted || first[1].Reason != "head_new" || first[2].Reason != "head_ambiguous" {
			t.Fatalf("%+v %+v", first, o)
		}
		if added, err := s.SaveClaims(ctx, first); err != nil || added != 3 {
			t.Fatal(added, err)
		}
		got, err := s.Claims(ctx, "t", extract.ClaimFilter{})
		if d := cmp.Diff(first, got); err != nil || d != "" {
			t.Error(err, d)
		}
		if other, err := s.Claims(ctx, "other", extract.ClaimFilter{}); err != nil || len(other) != 0 {
			t.Error("another tenant sees", other, err)
		}
		if _, err := s.Claim(ctx, "other", first[0].ID); !errors.Is(err, extract.ErrFactNotFound) {
			t.Error(err)
		}
		for name, c := range map[string]struct {
			f    extract.ClaimFilter
			want int
		}{
			"pending": {extract.ClaimFilter{State: extract.Pending}, 2}, "firm": {extract.ClaimFilter{FirmID: "b"}, 1},
			"page": {extract.ClaimFilter{After: first[0].ID, Limit: 1}, 1},
		} {
			if got, err := s.Claims(ctx, "t", c.f); err != nil || len(got) != c.want {
				t.Errorf("%s: %d %v", name, len(got), err)
			}
		}

		pending := first[1]
		accept := extract.Decision{State: extract.Accepted, By: "u", At: now.Add(time.Hour)}
		if _, err := s.DecideClaim(ctx, "t", pending.ID, accept); !errors.Is(err, extract.ErrFactUnnamed) {
			t.Error(err)
		}
		accept.HeadID = "a"
		if _, err := s.DecideClaim(ctx, "t", pending.ID, accept); !errors.Is(err, extract.ErrFactSelf) {
			t.Error(err)
		}
		accept.HeadID = "nobody"
		if _, err := s.DecideClaim(ctx, "t", pending.ID, accept); !errors.Is(err, chain.ErrFirmNotFound) {
			t.Error(err)
		}
		accept.HeadID = "c"
		decided, err := s.DecideClaim(ctx, "t", pending.ID, accept)
		if err != nil || decided.State != extract.Accepted || decided.HeadID != "c" || decided.DecidedBy != "u" {
			t.Error(decided, err)
		}
		if again, err := s.Claim(ctx, "t", pending.ID); err != nil || !cmp.Equal(again, decided) {
			t.Error(again, err)
		}
		if _, err := s.DecideClaim(ctx, "t", pending.ID, accept); !errors.Is(err, extract.ErrFactDecided) {
			t.Error(err)
		}
		if _, err := s.DecideClaim(ctx, "t", "absent", accept); !errors.Is(err, extract.ErrFactNotFound) {
			t.Error(err)
		}

		// The same document again, with new ids, changes nothing.
		second, _ := claims()
		if added, err := s.SaveClaims(ctx, second); err != nil || added != 0 {
			t.Error(added, err)
		}
		if again, err := s.Claim(ctx, "t", pending.ID); err != nil || !cmp.Equal(again, decided) {
			t.Error("a decision was lost:", again, err)
		}
	})
}

func TestOneOfTwoDecides(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s, ctx := firm.New(db), t.Context()
		if err := s.SaveFirms(ctx, []chain.Party{party("a", "", "甲"), party("b", "", "乙")}); err != nil {
			t.Fatal(err)
		}
		c := extract.Claim{ID: "1", Tenant: "t", Key: "k", HeadID: "a", TailID: "b", State: extract.Pending, CreatedAt: now, Fact: extract.Fact{Head: "甲", Relation: extract.Supply, Tail: "乙"}}
		if _, err := s.SaveClaims(ctx, []extract.Claim{c}); err != nil {
			t.Fatal(err)
		}
		var won atomic.Int32
		var group sync.WaitGroup
		for _, state := range []extract.State{extract.Accepted, extract.Rejected, extract.Accepted, extract.Rejected} {
			group.Go(func() {
				_, err := s.DecideClaim(ctx, "t", "1", extract.Decision{State: state, By: string(state), At: now})
				switch {
				case err == nil:
					won.Add(1)
				case !errors.Is(err, extract.ErrFactDecided):
					t.Error(err)
				}
			})
		}
		group.Wait()
		if won.Load() != 1 {
			t.Errorf("%d decided", won.Load())
		}
	})
}

// TestFactsAreLinks: the graph has what accepted facts say for as long as they stand.
func TestFactsAreLinks(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s, ctx := firm.New(db), t.Context()
		anchor := party("anchor", "", "青穗集团")
		anchor.AnchorOf = true
		if err := s.SaveFirms(ctx, []chain.Party{anchor, party("a", "", "丰岭厂"), party("b", "", "禾垄厂"), party("twin", "", "丰岭食品厂")}); err != nil {
			t.Fatal(err)
		}
		clock := func() time.Time { return now }
		open := network.New(s, network.Options{Now: clock})
		suppliers := func(want ...string) {
			t.Helper()
			for name, n := range map[string]*network.Network{"open": open, "new": network.New(s, network.Options{Now: clock})} {
				page, err := n.Suppliers(ctx, "t", "anchor", network.Filter{})
				got := []string{}
				for _, f := range page.Firms {
					got = append(got, f.Name)
				}
				slices.Sort(got)
				if err != nil || !slices.Equal(got, want) {
					t.Errorf("%s: %v %v, not %v", name, got, err, want)
				}
			}
		}
		claim := func(id, head string, r extract.Relation, state extract.State) extract.Claim {
			return extract.Claim{ID: id, Tenant: "t", Key: id, HeadID: head, TailID: "anchor", State: state, CreatedAt: now, Fact: extract.Fact{Head: head, Relation: r, Tail: "青穗集团"}}
		}
		decide := func(id string, state extract.State) {
			t.Helper()
			if _, err := s.DecideClaim(ctx, "t", id, extract.Decision{State: state, By: "u", At: now}); err != nil {
				t.Fatal(err)
			}
		}
		suppliers()
		added, err := s.SaveClaims(ctx, []extract.Claim{
			claim("sure", "a", extract.Supply, extract.Accepted), claim("waits", "b", extract.Supply, extract.Pending), claim("shares", "b", extract.Trade, extract.Accepted),
		})
		if err != nil || added != 3 {
			t.Fatal(added, err)
		}
		suppliers("丰岭厂")
		decide("waits", extract.Accepted)
		suppliers("丰岭厂", "禾垄厂")
		links, err := s.Links(ctx, "t", "b")
		if want := []chain.Link{{SellerID: "b", BuyerID: "anchor", Seller: "禾垄厂", Buyer: "青穗集团"}}; err != nil || !cmp.Equal(links, want) {
			t.Error(links, err)
		}
		if docs, err := s.Documents(ctx, "t", "b", ""); err != nil || len(docs) != 0 {
			t.Error("a statement passes for trade:", docs, err)
		}
		if _, err := s.DecideClaim(ctx, "t", "waits", extract.Decision{State: extract.Rejected, By: "u", At: now}); !errors.Is(err, extract.ErrFactDecided) {
			t.Error(err)
		}
		decide("waits", extract.Pending)
		suppliers("丰岭厂")
		if _, err := s.DecideClaim(ctx, "t", "waits", extract.Decision{State: extract.Pending}); !errors.Is(err, extract.ErrFactOpen) {
			t.Error(err)
		}
		decide("waits", extract.Rejected)
		suppliers("丰岭厂")

		// A list that names the same pair stays when the fact goes, and the other way round.
		desk := upload.New(upload.Config{Store: s, Now: clock})
		who := upload.Who{Tenant: "t", AnchorID: "anchor", UserID: "u", UserName: "采购员"}
		list, err := desk.Check(ctx, who, chain.Suppliers, "x.csv", []byte("供应商名称\n丰岭厂\n禾垄厂\n"))
		if err == nil {
			_, err = desk.Commit(ctx, who, list.ID, true)
		}
		if err != nil {
			t.Fatal(err)
		}
		decide("sure", extract.Pending)
		suppliers("丰岭厂", "禾垄厂")
		decide("sure", extract.Accepted)
		if _, err := desk.Undo(ctx, who, list.ID); err != nil {
			t.Fatal(err)
		}
		suppliers("丰岭厂")

		// Firms that are found to be one have the facts of each.
		m, err := s.Merge(ctx, parties.Merge{Tenant: "t", FirmID: "a", OtherID: "twin", ByID: "u", ByName: "u", At: now, Why: "更名"})
		if err != nil {
			t.Fatal(err)
		}
		suppliers("丰岭食品厂")
		if of, err := s.Claims(ctx, "t", extract.ClaimFilter{FirmID: "twin"}); err != nil || len(of) != 1 || of[0].ID != "sure" {
			t.Error(of, err)
		}
		if _, err := s.SaveClaims(ctx, []extract.Claim{{ID: "self", Tenant: "t", Key: "self", HeadID: "a", TailID: "twin", State: extract.Pending, CreatedAt: now}}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.DecideClaim(ctx, "t", "self", extract.Decision{State: extract.Accepted, By: "u", At: now}); !errors.Is(err, extract.ErrFactSelf) {
			t.Error(err)
		}
		if _, err := s.Undo(ctx, parties.Merge{Tenant: "t", Undoes: m.ID, ByID: "u", ByName: "u", At: now, Why: "误认"}); err != nil {
			t.Fatal(err)
		}
		suppliers("丰岭厂")
	})
}
