package herd_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/worth"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/herd"
	"github.com/furrowcredit/furrow/store/storetest"
)

func TestWeighings(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, s := t.Context(), herd.New(db)
		h := iot.Herd{ID: ident.New(), Tenant: "a", OwnerID: "u1", Name: "x", Species: "cattle", Fence: square(), CreatedAt: now}
		one, two := animal(h.ID, "215252600000011", ""), animal(h.ID, "215252600000012", "")
		if err := s.AddHerd(ctx, h, []iot.Animal{one, two}, nil); err != nil {
			t.Fatal(err)
		}
		w := func(a iot.Animal, days int, kg float64, method string) iot.Weighing {
			return iot.Weighing{Tenant: "a", AnimalID: a.ID, At: now.Add(time.Duration(days) * 24 * time.Hour), Kg: kg, Method: method}
		}
		first := []iot.Weighing{w(one, 30, 321.5, worth.Scale), w(one, 0, 300, worth.Scale), w(two, 1, 280.123, worth.Tape)}
		if err := s.AddWeighings(ctx, "a", first); err != nil {
			t.Fatal(err)
		}
		// The same weighings again, one of them with another weight, change nothing; an
		// implausible one is kept; another method at the same time is another weighing.
		again := append(slices.Clone(first[:2]), w(two, 1, 999, worth.Tape), w(one, 30, 9000, worth.WalkOver))
		if err := s.AddWeighings(ctx, "a", again); err != nil {
			t.Fatal(err)
		}
		many := []string{two.ID, "nobody", one.ID}
		for i := range 2500 {
			many = append(many, fmt.Sprint("x", i))
		}
		got, err := s.Weighings(ctx, "a", many)
		want := map[string][]iot.Weighing{one.ID: {first[1], first[0], again[3]}, two.ID: {first[2]}}
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Error(err, d)
		}
		if got, err := s.Weighings(ctx, "b", many); err != nil || len(got) != 0 {
			t.Errorf("another tenant sees %v, %v", got, err)
		}
		if got, err := s.Weighings(ctx, "a", nil); err != nil || len(got) != 0 {
			t.Errorf("of no animals: %v, %v", got, err)
		}
		// A bad one takes the good ones beside it along.
		if err := s.AddWeighings(ctx, "a", []iot.Weighing{w(one, 60, 340, worth.Scale), w(iot.Animal{ID: "nobody"}, 60, 1, worth.Scale)}); err == nil {
			t.Error("an animal that is not there was weighed")
		}
		if got, err := s.Weighings(ctx, "a", []string{one.ID}); err != nil || len(got[one.ID]) != 3 {
			t.Errorf("%v, %v", got, err)
		}
	})
}
