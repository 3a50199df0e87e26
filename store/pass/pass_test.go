package pass_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/pass"
	"github.com/furrowcredit/furrow/store/storetest"
)

func TestPasses(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, s, now := context.Background(), pass.New(db), time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
		ids := make([]string, 1200)
		for i := range ids {
			ids[i] = fmt.Sprintf("scene-%04d", i)
		}
		fresh := func(tenant string) []string {
			t.Helper()
			got, err := s.NewScenes(ctx, tenant, ids)
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		if got := fresh("bank"); !slices.Equal(got, ids) {
			t.Fatalf("%d of %d scenes are new at first", len(got), len(ids))
		}
		for range 2 { // marking again changes nothing
			if err := s.Passed(ctx, "bank", ids[:1100], now); err != nil {
				t.Fatal(err)
			}
		}
		if got := fresh("bank"); !slices.Equal(got, ids[1100:]) {
			t.Errorf("%d scenes are new after 1100 were passed", len(got))
		}
		if got := fresh("other"); len(got) != len(ids) {
			t.Errorf("another tenant has %d new scenes", len(got))
		}
		if got, err := s.Tenants(ctx); err != nil || len(got) != 0 {
			t.Errorf("tenants without a plot: %v, %v", got, err)
		}
	})
}
