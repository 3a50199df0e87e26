package herd_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/herd"
	"github.com/furrowcredit/furrow/store/storetest"
)

var now = time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)

func square() orb.Polygon {
	return orb.Polygon{{{113.2, 31.5}, {113.21, 31.5}, {113.21, 31.51}, {113.2, 31.51}, {113.2, 31.5}}}
}

func animal(herd, code, tag string) iot.Animal {
	return iot.Animal{ID: ident.New(), HerdID: herd, Identity: iot.AnimalID{Scheme: "cn-67", Code: code}, Species: "cattle", Sex: "f",
		Born: now.AddDate(-2, 0, 0), TagID: tag, Status: iot.Alive}
}

func TestHerds(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, s := context.Background(), herd.New(db)
		h := iot.Herd{ID: ident.New(), Tenant: "a", OwnerID: "u1", OwnerName: "巴特尔", Name: "一号牧场", Species: "cattle", Fence: square(), CreatedAt: now}
		animals := []iot.Animal{animal(h.ID, "215252600000001", "t1"), animal(h.ID, "215252600000002", "")}
		animals[1].Born = time.Time{}
		devices := []iot.Device{
			{ID: "g1", Tenant: "a", Kind: iot.Gateway, HerdID: h.ID, SecretHash: "x", CreatedAt: now},
			{ID: "t1", Tenant: "a", Kind: iot.TagDevice, HerdID: h.ID, SecretHash: "y", CreatedAt: now},
		}
		if err := s.AddHerd(ctx, h, animals, devices); err != nil {
			t.Fatal(err)
		}
		got, err := s.Herd(ctx, "a", h.ID)
		if err != nil || cmp.Diff(h, got) != "" {
			t.Error(err, cmp.Diff(h, got))
		}
		gotAnimals, err := s.Animals(ctx, "a", h.ID)
		if err != nil || cmp.Diff(animals, gotAnimals) != "" {
			t.Error(err, cmp.Diff(animals, gotAnimals))
		}
		gotDevices, err := s.Devices(ctx, "a", h.ID)
		if err != nil || cmp.Diff(devices, gotDevices) != "" {
			t.Error(err, cmp.Diff(devices, gotDevices))
		}
		if err := s.Revoke(ctx, "a", "g1"); err != nil {
			t.Error(err)
		}
		if d, err := s.Device(ctx, "a", "g1"); err != nil || !d.Revoked {
			t.Error("the revoked device came back as", d, err)
		}

		t.Run("all or none", func(t *testing.T) {
			for name, c := range map[string]struct {
				animals []iot.Animal
				devices []iot.Device
				want    error
			}{
				"animal": {[]iot.Animal{animal("h2", "215252600000003", "t3"), animal("h2", "215252600000001", "t4")}, nil, iot.ErrAnimalTaken},
				"tag":    {[]iot.Animal{animal("h2", "215252600000003", "t1")}, nil, iot.ErrTagTaken},
				"device": {nil, []iot.Device{{ID: "g1", Tenant: "a", Kind: iot.Gateway, HerdID: "h2", CreatedAt: now}}, iot.ErrDeviceTaken},
			} {
				err := s.AddHerd(ctx, iot.Herd{ID: "h2", Tenant: "a", Name: "x", Fence: square(), CreatedAt: now}, c.animals, c.devices)
				if !errors.Is(err, c.want) || !errors.Is(err, fault.Conflict) {
					t.Errorf("%s: %v, want %v", name, err, c.want)
				}
				if _, err := s.Herd(ctx, "a", "h2"); !errors.Is(err, iot.ErrHerdNotFound) {
					t.Errorf("%s: half of the herd was saved: %v", name, err)
				}
			}
		})
		t.Run("tenants never see each other", func(t *testing.T) {
			if _, err := s.Herd(ctx, "b", h.ID); !errors.Is(err, iot.ErrHerdNotFound) {
				t.Error(err)
			}
			if _, err := s.Device(ctx, "b", "t1"); !errors.Is(err, iot.ErrDeviceNotFound) {
				t.Error(err)
			}
			if err := s.Revoke(ctx, "b", "t1"); !errors.Is(err, iot.ErrDeviceNotFound) {
				t.Error(err)
			}
			// The same animal and device numbers are free in another tenant.
			other := h
			other.Tenant, other.OwnerID = "b", "u2"
			if err := s.AddHerd(ctx, other, animals, []iot.Device{{ID: "g1", Tenant: "b", Kind: iot.Gateway, HerdID: h.ID, CreatedAt: now}}); err != nil {
				t.Fatal(err)
			}
			hs, err := s.Herds(ctx, "b", "")
			if err != nil || len(hs) != 1 || hs[0].Tenant != "b" {
				t.Error(hs, err)
			}
			if hs, err := s.Herds(ctx, "a", "u2"); err != nil || len(hs) != 0 {
				t.Error(hs, err)
			}
			if hs, err := s.AllHerds(ctx); err != nil || len(hs) != 2 {
				t.Error(len(hs), err)
			}
		})
		t.Run("quarantine", func(t *testing.T) {
			for i, payload := range []string{"first", "second \x00\xff", ""} {
				q := iot.Quarantined{ID: ident.New(), Tenant: "a", Topic: "x\x00\xff", Device: "g1", Code: "reading.payload",
					Reason: "because", Args: map[string]string{"ts": "now\x00"}, Payload: append([]byte(nil), payload...), Received: now.Add(time.Duration(i) * time.Second)}
				if err := s.Quarantine(ctx, q); err != nil {
					t.Fatal(err)
				}
			}
			got, err := s.Quarantined(ctx, "a", 0)
			if err != nil || len(got) != 3 || len(got[0].Payload) != 0 || string(got[1].Payload) != "second \x00\xff" || got[1].Args["ts"] != "now\x00" || !got[2].Received.Equal(now) {
				t.Error(got, err)
			}
			if got, err := s.Quarantined(ctx, "b", 0); err != nil || len(got) != 0 {
				t.Error(got, err)
			}
		})
	})
}
