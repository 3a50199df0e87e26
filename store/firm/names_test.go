package firm_test

import (
	"testing"

	"github.com/furrowcredit/furrow/chain"
	parties "github.com/furrowcredit/furrow/chain/party"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/firm"
	"github.com/furrowcredit/furrow/store/storetest"
)

// TestRefreshNames: keys that older rules made are made anew, once.
func TestRefreshNames(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s, ctx := firm.New(db), t.Context()
		old := party("old", "", "廣豐機械廠")
		old.FormerNames = []string{"廣豐鐵鋪"}
		if err := s.SaveFirms(ctx, []chain.Party{old, party("new", "", "丰岭厂")}); err != nil {
			t.Fatal(err)
		}
		for _, q := range []string{`update firm set name_key = name where id = 'old'`, `update firm_alias set name_key = '廣豐鐵鋪'`} {
			if _, err := db.Exec(ctx, q); err != nil {
				t.Fatal(err)
			}
		}
		find := func(name string) int {
			t.Helper()
			found, err := s.FirmsByName(ctx, "t", []string{parties.Normalise(name)})
			if err != nil {
				t.Fatal(err)
			}
			return len(found[parties.Normalise(name)])
		}
		if find("广丰机械厂") != 0 {
			t.Fatal("the old key is none")
		}
		before, err := s.Revision(ctx, "t")
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []int{1, 0} {
			if n, err := s.RefreshNames(ctx); err != nil || n != want {
				t.Fatalf("%d firms had another key, want %d: %v", n, want, err)
			}
		}
		if find("广丰机械厂") != 1 || find("廣豐鐵鋪") != 1 || find("丰岭厂") != 1 {
			t.Error("not found by the new keys")
		}
		if after, err := s.Revision(ctx, "t"); err != nil || after != before+1 {
			t.Errorf("revision %d after %d: %v", after, before, err)
		}
	})
}
