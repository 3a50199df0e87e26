package iot_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/iottest"
)

var now = time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)

func square() orb.Polygon {
	return orb.Polygon{{{113.2, 31.5}, {113.21, 31.5}, {113.21, 31.51}, {113.2, 31.51}, {113.2, 31.5}}}
}

func cow(n int) iot.Animal {
	return iot.Animal{Identity: iot.AnimalID{Scheme: iot.SchemeCN67, Code: fmt.Sprintf("2410725%08d", n)}, Born: now.AddDate(-2, 0, 0), TagID: fmt.Sprint("t", n)}
}

func herd() iot.Herd {
	return iot.Herd{OwnerID: "u", OwnerName: "巴特尔", Name: " 一号 ", Species: "cattle", Fence: square()}
}

func TestRegister(t *testing.T) {
	t.Parallel()
	store := &iottest.Store{}
	s := iot.Herds{Store: store, Now: func() time.Time { return now }}
	untagged := cow(3)
	untagged.TagID = ""
	h, creds, err := s.Register(t.Context(), "x", herd(), []iot.Animal{cow(1), cow(2), untagged}, []string{"g1"})
	if err != nil {
		t.Fatal(err)
	}
	if h.ID == "" || h.Name != "一号" || h.Tenant != "x" || !h.CreatedAt.Equal(now) {
		t.Errorf("%+v", h)
	}
	if len(creds) != 3 || creds[0].DeviceID != "g1" || creds[0].Kind != iot.Gateway || creds[0].Username != "x/g1" || creds[1].Kind != iot.TagDevice {
		t.Fatalf("%+v", creds)
	}
	for _, c := range creds {
		d, err := store.Device(t.Context(), "x", c.DeviceID)
		if err != nil || d.HerdID != h.ID || d.SecretHash == c.Secret || len(c.Secret) < 40 {
			t.Errorf("%+v, %v", d, err)
		}
		if !d.Authentic(c.Secret) || d.Authentic(c.Secret+"x") || d.Authentic("") {
			t.Error("the secret does not decide")
		}
		if d.Revoked = true; d.Authentic(c.Secret) {
			t.Error("a revoked device is let in")
		}
	}
	if creds[0].Secret == creds[1].Secret {
		t.Error("two devices have the same secret")
	}
	if animals, _ := store.Animals(t.Context(), "x", h.ID); len(animals) != 3 || animals[0].HerdID != h.ID || animals[0].Species != "cattle" {
		t.Errorf("%+v", animals)
	}
}

func TestRegisterRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(h *iot.Herd, animals *[]iot.Animal, gateways *[]string)
		want   error
	}{
		"no name":           {func(h *iot.Herd, _ *[]iot.Animal, _ *[]string) { h.Name = "  " }, iot.ErrHerdName},
		"no owner":          {func(h *iot.Herd, _ *[]iot.Animal, _ *[]string) { h.OwnerID = "" }, iot.ErrHerdName},
		"unknown species":   {func(h *iot.Herd, _ *[]iot.Animal, _ *[]string) { h.Species = "yak" }, iot.ErrHerdSpecies},
		"animal of another": {func(_ *iot.Herd, a *[]iot.Animal, _ *[]string) { (*a)[0].Species = "sheep" }, iot.ErrCodeSpecies},
		"no animals":        {func(_ *iot.Herd, a *[]iot.Animal, _ *[]string) { *a = nil }, iot.ErrHerdEmpty},
		"too many animals":  {func(_ *iot.Herd, a *[]iot.Animal, _ *[]string) { *a = make([]iot.Animal, iot.MaxHerd+1) }, iot.ErrHerdTooBig},
		"no fence":          {func(h *iot.Herd, _ *[]iot.Animal, _ *[]string) { h.Fence = nil }, iot.ErrFence},
		"open fence":        {func(h *iot.Herd, _ *[]iot.Animal, _ *[]string) { h.Fence = orb.Polygon{h.Fence[0][:4]} }, iot.ErrFence},
		"fence of NaN":      {func(h *iot.Herd, _ *[]iot.Animal, _ *[]string) { h.Fence[0][1][0] = math.NaN() }, iot.ErrFencePlace},
		"fence beyond":      {func(h *iot.Herd, _ *[]iot.Animal, _ *[]string) { h.Fence[0][1][0] = 190 }, iot.ErrFencePlace},
		"bow tie": {func(h *iot.Herd, _ *[]iot.Animal, _ *[]string) {
			h.Fence[0][1], h.Fence[0][2] = h.Fence[0][2], h.Fence[0][1]
		}, iot.ErrFenceCross},
		"same animal twice": {func(_ *iot.Herd, a *[]iot.Animal, _ *[]string) { (*a)[1].Identity = (*a)[0].Identity }, iot.ErrTwice},
		"same tag twice":    {func(_ *iot.Herd, a *[]iot.Animal, _ *[]string) { (*a)[1].TagID = (*a)[0].TagID }, iot.ErrTwice},
		"tag is a gateway":  {func(_ *iot.Herd, a *[]iot.Animal, g *[]string) { *g = []string{(*a)[0].TagID} }, iot.ErrTwice},
		"gateway with a /":  {func(_ *iot.Herd, _ *[]iot.Animal, g *[]string) { *g = []string{"a/b"} }, iot.ErrDeviceID},
		"gateway with a +":  {func(_ *iot.Herd, _ *[]iot.Animal, g *[]string) { *g = []string{"+"} }, iot.ErrDeviceID},
		"born tomorrow":     {func(_ *iot.Herd, a *[]iot.Animal, _ *[]string) { (*a)[0].Born = now.AddDate(0, 0, 1) }, iot.ErrBorn},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := &iottest.Store{}
			s := iot.Herds{Store: store, Now: func() time.Time { return now }, Known: func(s string) bool { return s == "cattle" || s == "sheep" }}
			h, animals, gateways := herd(), []iot.Animal{cow(1), cow(2)}, []string{"g1"}
			c.change(&h, &animals, &gateways)
			_, creds, err := s.Register(context.Background(), "x", h, animals, gateways)
			if !errors.Is(err, c.want) || fault.Kind(err) == nil || creds != nil {
				t.Errorf("%v, want %v", err, c.want)
			}
			if all, _ := store.AllHerds(t.Context()); len(all) != 0 {
				t.Error("saved all the same")
			}
		})
	}
}

func TestAnimalID(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		scheme, code, species string
		want                  error
	}{
		{"cn-67", "241072500000001", "cattle", nil},
		{"cn-67", "341072500000001", "sheep", nil},
		{"cn-67", "741072500000001", "pig", nil},
		{"cn-67", "241072500000001", "", nil},
		{"cn-67", "241072500000001", "sheep", iot.ErrCodeSpecies},
		{"cn-67", "541072500000001", "", iot.ErrCodeSpecies},
		{"cn-67", "241072500000000", "", iot.ErrCodeSequence},
		{"cn-67", "201072500000001", "", iot.ErrCodeCounty},
		{"cn-67", "24107250000001", "", iot.ErrCodeDigits},
		{"cn-67", "24107250000000１", "", iot.ErrCodeDigits},
		{"cn-67", "24107250000000a", "", iot.ErrCodeDigits},
		{"iso-11784", "156000000000001", "cattle", nil},
		{"iso-11784", "156274877906943", "", nil},
		{"iso-11784", "156274877906944", "", iot.ErrCodeISO}, // 2^38
		{"iso-11784", "999000000000001", "", iot.ErrCodeISO},
		{"iso-11784", "982000000000001", "", nil},
		{"", "156000000000001", "", iot.ErrScheme},
	} {
		if err := (iot.AnimalID{Scheme: c.scheme, Code: c.code}).Validate(c.species); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s %s of %q: %v, want %v", c.scheme, c.code, c.species, err, c.want)
		}
	}
}

// TestFenceOfAnyConvexShape registers regular polygons, and refuses each after two
// of its corners that are no neighbours are swapped.
func TestFenceOfAnyConvexShape(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(5, 40).Draw(t, "corners")
		ring := make(orb.Ring, n+1)
		for i := range n {
			sin, cos := math.Sincos(2 * math.Pi * float64(i) / float64(n))
			ring[i] = orb.Point{113 + 0.01*cos, 31 + 0.01*sin}
		}
		ring[n] = ring[0]
		h := herd()
		h.Fence = orb.Polygon{ring}
		s := iot.Herds{Store: &iottest.Store{}, Now: func() time.Time { return now }}
		if _, _, err := s.Register(context.Background(), "x", h, []iot.Animal{cow(1)}, nil); err != nil {
			t.Fatal(err)
		}
		i := rapid.IntRange(1, n-3).Draw(t, "i")
		ring[i], ring[i+2] = ring[i+2], ring[i]
		if _, _, err := s.Register(context.Background(), "x", h, []iot.Animal{cow(2)}, nil); !errors.Is(err, iot.ErrFenceCross) {
			t.Fatalf("a knot at corner %d of %d: %v", i, n, err)
		}
	})
}

func TestProfilesAreOfTheCatalogue(t *testing.T) {
	t.Parallel()
	unknown := errors.New("no such profile")
	s := iot.Herds{Store: &iottest.Store{}, Now: func() time.Time { return time.Unix(1e9, 0) }, Profile: func(code string) error {
		if code == "collar" {
			return nil
		}
		return unknown
	}}
	h := iot.Herd{ID: "h", Tenant: "t", Species: "cattle"}
	if err := s.Store.AddHerd(t.Context(), h, nil, nil); err != nil {
		t.Fatal(err)
	}
	for profile, want := range map[string]error{"": nil, "collar": nil, "coller": unknown} {
		for _, kind := range []iot.DeviceKind{iot.TagDevice, iot.Camera, iot.Network} {
			d := iot.Device{ID: profile + "-" + string(kind), Kind: kind, Profile: profile}
			if _, err := s.AddDevices(t.Context(), "t", []iot.Device{d}); !errors.Is(err, want) {
				t.Errorf("a box with a %s of profile %q: %v", kind, profile, err)
			}
			d.ID += "-2"
			if kind == iot.Network {
				continue
			}
			if _, err := s.Enrol(t.Context(), "t", "h", time.Unix(1e9, 0), "u", "operator", nil, []iot.Device{d}); !errors.Is(err, want) {
				t.Errorf("a %s of profile %q in a herd: %v", kind, profile, err)
			}
		}
	}
}
