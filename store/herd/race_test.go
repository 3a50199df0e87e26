package herd_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/herd"
	"github.com/furrowcredit/furrow/store/storetest"
)

// TestRivals: of many who want the same at once one gets it, and the others are told
// why they do not.
func TestRivals(t *testing.T) {
	t.Parallel()
	const rivals, rounds = 6, 5
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, r := t.Context(), herd.New(db)
		s := iot.Herds{Store: r, Now: func() time.Time { return now }}
		var list []iot.Animal
		for i := range rivals {
			list = append(list, iot.Animal{Identity: cn(i + 1), Sex: "f"})
		}
		h, _, err := s.Register(ctx, "a", iot.Herd{OwnerID: "u", Name: "one", Species: "cattle", Fence: square()}, list, nil)
		if err != nil {
			t.Fatal(err)
		}
		animals, err := r.Animals(ctx, "a", h.ID)
		if err != nil {
			t.Fatal(err)
		}
		all := make([]string, rivals)
		for i, a := range animals {
			all[i] = a.ID
		}
		race := func(what string, refusal error, one func(i int) error) {
			t.Helper()
			got := make([]error, rivals)
			var wait sync.WaitGroup
			for i := range rivals {
				wait.Go(func() { got[i] = one(i) })
			}
			wait.Wait()
			won := 0
			for _, err := range got {
				if err == nil {
					won++
				} else if !errors.Is(err, refusal) {
					t.Errorf("%s: %v, want %v", what, err, refusal)
				}
			}
			if won != 1 {
				t.Errorf("%s: %d won", what, won)
			}
		}
		for round := range rounds {
			race("a pledge", iot.ErrPledged, func(i int) error {
				return r.Pledge(ctx, "a", fmt.Sprint("loan", round, i), all, now)
			})
			for i := range rivals {
				if err := r.Release(ctx, "a", fmt.Sprint("loan", round, i), now); err != nil {
					t.Fatal(err)
				}
			}
			tag := fmt.Sprint("t", round)
			race("a tag", iot.ErrTagTaken, func(i int) error {
				_, err := r.Record(ctx, "a", iot.Change{Events: []iot.LifeEvent{{ID: ident.New(), AnimalID: all[i], Kind: iot.TagOn, TagID: tag, At: now, Recorded: now}}})
				return err
			})
			race("a code", iot.ErrAnimalTaken, func(int) error {
				_, err := s.Enrol(ctx, "a", h.ID, now, "u", "operator", []iot.Newcomer{{Animal: iot.Animal{Identity: cn(100 + round)}}}, nil)
				return err
			})
			race("a device number", iot.ErrDeviceTaken, func(int) error {
				_, err := s.AddDevices(ctx, "a", []iot.Device{{ID: fmt.Sprint("d", round), Kind: iot.TagDevice}})
				return err
			})
			box, err := s.AddDevices(ctx, "a", []iot.Device{{ID: fmt.Sprint("c", round), Kind: iot.Camera}})
			if err != nil {
				t.Fatal(err)
			}
			race("a claim code", iot.ErrClaim, func(int) error {
				_, err := s.Claim(ctx, "a", "", h.ID, "", box[0].DeviceID, box[0].Code, "")
				if errors.Is(err, iot.ErrClaimTooMany) {
					return iot.ErrClaim
				}
				return err
			})
			s.Now = func() time.Time { return now.Add(time.Duration(round+1) * 2 * iot.ClaimWindow) }
		}
	})
}
