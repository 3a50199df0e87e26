package herd_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/herd"
	"github.com/furrowcredit/furrow/store/storetest"
)

// TestExpire removes what is older, of all tenants and beyond what one statement takes,
// and not what is as old as the limit.
func TestExpire(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, s := t.Context(), herd.New(db)
		if _, err := db.Exec(ctx, `with recursive n(i) as (select 1 union all select i + 1 from n where i < 4500)
			insert into quarantine (tenant, id, topic, device, code, reason, args, payload, received_at)
			select 'a', 'old' || cast(i as text), '', 'g', 'reading.payload', '', 'null', $1, $2 from n`,
			[]byte("x"), store.Millis(now.Add(-time.Millisecond))); err != nil {
			t.Fatal(err)
		}
		for i, tenant := range []string{"a", "b"} {
			for _, at := range []time.Time{now.Add(-time.Hour), now, now.Add(time.Hour)} {
				if err := s.Quarantine(ctx, iot.Quarantined{ID: ident.New(), Tenant: tenant, Device: "g", Code: "reading.payload", Received: at}); err != nil {
					t.Fatal(err)
				}
				c := iot.Headcount{ID: ident.New(), Tenant: tenant, HerdID: "h", Device: fmt.Sprint("cam", i), Kind: iot.ByCamera, From: at.Add(-time.Minute), To: at, Seen: 3}
				if err := s.AddHeadcounts(ctx, []iot.Headcount{c}); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := s.ExpireQuarantined(ctx, now); err != nil {
			t.Fatal(err)
		}
		if err := s.ExpireHeadcounts(ctx, now); err != nil {
			t.Fatal(err)
		}
		for _, tenant := range []string{"a", "b"} {
			q, err := s.Quarantined(ctx, tenant, 0)
			if err != nil || len(q) != 2 || !q[1].Received.Equal(now) {
				t.Errorf("of tenant %s %d messages are left, %v", tenant, len(q), err)
			}
			c, err := s.Headcounts(ctx, tenant, "h", "", now.AddDate(-1, 0, 0), now.AddDate(1, 0, 0))
			if err != nil || len(c) != 2 || !c[0].To.Equal(now) {
				t.Errorf("of tenant %s %d counts are left, %v", tenant, len(c), err)
			}
		}
	})
}
