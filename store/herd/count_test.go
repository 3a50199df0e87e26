package herd_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/herd"
	"github.com/furrowcredit/furrow/store/storetest"
)

func TestHeadcounts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, s := context.Background(), herd.New(db)
		one := func(tenant, device string, at time.Time, seen int) iot.Headcount {
			return iot.Headcount{ID: ident.New(), Tenant: tenant, HerdID: "h", Device: device, Kind: iot.ByCamera, From: at, To: at, Seen: seen,
				Picture: strings.Repeat("a", 64), Received: now}
		}
		m := 7
		gate := one("t", "gate", now.Add(-time.Hour), 12)
		gate.Kind, gate.PenID, gate.Out, gate.Matched, gate.Picture, gate.To = iot.ByGate, "p1", 5, &m, "", now.Add(-time.Minute)
		first, other := one("t", "cam", now.Add(-time.Hour), 40), one("u", "cam", now.Add(-time.Hour), 41)
		if err := s.AddHeadcounts(ctx, []iot.Headcount{gate, first, other}); err != nil {
			t.Fatal(err)
		}
		again := first
		again.ID, again.Seen = ident.New(), 99
		if err := s.AddHeadcounts(ctx, []iot.Headcount{again, first, gate}); err != nil {
			t.Fatal(err)
		}
		got, err := s.Headcounts(ctx, "t", "h", "", now.Add(-2*time.Hour), now)
		if d := cmp.Diff([]iot.Headcount{first, gate}, got); err != nil || d != "" {
			t.Error(err, d)
		}
		if got, err := s.Headcounts(ctx, "t", "h", "", now.Add(-time.Hour).Add(time.Millisecond), now.Add(-time.Minute)); err != nil || len(got) != 0 {
			t.Error("windows that end outside came back", err, got)
		}
		if got, err := s.Headcounts(ctx, "t", "other", "", now.Add(-2*time.Hour), now); err != nil || len(got) != 0 {
			t.Error("another herd's counts came back", err, got)
		}
		if got, err := s.Headcounts(ctx, "t", "h", iot.ByGate, now.Add(-2*time.Hour), now); err != nil || len(got) != 1 || got[0].ID != gate.ID {
			t.Error("of the gate alone came", err, got)
		}
		// A camera that sends another picture of the same window sends the same count.
		recoded := first
		recoded.Picture, recoded.Seen = strings.Repeat("b", 64), 50
		if err := s.AddHeadcounts(ctx, []iot.Headcount{one("t", "cam2", now, 2), recoded}); err != nil {
			t.Fatal(err)
		}
		got, err = s.Headcounts(ctx, "t", "h", iot.ByCamera, now.Add(-2*time.Hour), now.Add(time.Hour))
		if err != nil || len(got) != 2 || got[0].Seen != first.Seen || got[1].Device != "cam2" {
			t.Error("after a second picture of one window came", err, got)
		}
	})
}
