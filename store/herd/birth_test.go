package herd_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/furrowcredit/furrow/iot/codec/sparkplug"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/herd"
	"github.com/furrowcredit/furrow/store/storetest"
)

func TestBirths(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, s := context.Background(), herd.New(db)
		n := func(v uint64) *uint64 { return &v }
		node := sparkplug.Birth{Group: "farm", Edge: "e1", BdSeq: n(255), At: now,
			Metrics: []sparkplug.Definition{{Name: "bdSeq", Type: sparkplug.Int64}, {Name: "Uptime", Alias: n(1 << 63), Type: sparkplug.UInt64}}}
		tag := sparkplug.Birth{Group: "farm", Edge: "e1", Device: "t1", At: now.Add(time.Second),
			Metrics: []sparkplug.Definition{{Name: "Position/Latitude", Alias: n(0), Type: sparkplug.Double}}}
		other := sparkplug.Birth{Group: "farm", Edge: "e2", BdSeq: n(0), At: now}
		for _, b := range []sparkplug.Birth{node, tag, other} {
			if err := s.SaveBirth(ctx, "a", b); err != nil {
				t.Fatal(err)
			}
		}
		want := func(tenant, edge string, want ...sparkplug.Birth) {
			t.Helper()
			got, err := s.Births(ctx, tenant, "farm", edge)
			if err != nil {
				t.Error(err)
			}
			if len(got)+len(want) > 0 && cmp.Diff(want, got) != "" {
				t.Error(cmp.Diff(want, got))
			}
		}
		want("a", "e1", node, tag)
		want("b", "e1") // another tenant's edge node of the same name
		want("a", "e3")

		tag.Metrics[0].Alias = n(7)
		if err := s.SaveBirth(ctx, "a", tag); err != nil {
			t.Error(err)
		}
		want("a", "e1", node, tag) // a device's birth replaces its own only

		node.BdSeq = n(0)
		if err := s.SaveBirth(ctx, "a", node); err != nil {
			t.Error(err)
		}
		want("a", "e1", node) // a node's birth forgets its devices'
		want("a", "e2", other)
	})
}
