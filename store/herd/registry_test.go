package herd_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/iottest"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/herd"
	"github.com/furrowcredit/furrow/store/storetest"
)

// verdict is "" of what was taken, or the kind of the refusal: which of two clashes is
// named first is nobody's concern.
func verdict(err error) string {
	if kind := fault.Kind(err); kind != nil {
		return kind.Error()
	}
	if err != nil {
		return "broken: " + err.Error()
	}
	return ""
}

func cn(n int) iot.AnimalID {
	return iot.AnimalID{Scheme: iot.SchemeCN67, Code: fmt.Sprintf("2152526%08d", n)}
}

// anyEvent draws something that may befall one of the animals, wherever in time.
func anyEvent(t *rapid.T, n int, animals, herds []string, past []iot.LifeEvent) iot.LifeEvent {
	e := iot.LifeEvent{
		ID: fmt.Sprintf("e%02d-%d", rapid.IntRange(0, 99).Draw(t, "order"), n), AnimalID: rapid.SampledFrom(animals).Draw(t, "animal"), Recorded: now, Source: "operator", By: "u",
		Kind: rapid.SampledFrom([]iot.LifeKind{
			iot.Arrival, iot.Departure, iot.Death, iot.Move, iot.TagOn, iot.TagOn, iot.TagOn, iot.TagLost, iot.Identified, iot.Service, iot.Pregnancy, iot.Calving, iot.Correction,
		}).Draw(t, "kind"),
		At: now.AddDate(0, 0, rapid.IntRange(-2, 12).Draw(t, "day")),
	}
	switch e.Kind {
	case iot.Arrival, iot.Move:
		e.HerdID = rapid.SampledFrom(append([]string{"", "nowhere"}, herds...)).Draw(t, "herd")
		e.PenID = rapid.SampledFrom([]string{"", "", "p1", "p9"}).Draw(t, "pen")
	case iot.TagOn, iot.TagLost:
		e.TagID = fmt.Sprint("t", rapid.IntRange(0, 3).Draw(t, "tag"))
	case iot.Identified:
		id := cn(rapid.IntRange(1, 6).Draw(t, "code"))
		if rapid.Bool().Draw(t, "radio") {
			id = iot.AnimalID{Scheme: iot.SchemeEUI, Code: fmt.Sprintf("70b3d57ed000000%d", rapid.IntRange(1, 2).Draw(t, "eui"))}
		}
		e.Identity = &id
	case iot.Correction:
		if len(past) > 0 {
			e.Corrects = rapid.SampledFrom(past).Draw(t, "wrong").ID
		}
	default:
	}
	return e
}

// TestLives holds, for any sequence of events, that the database and the memory decide
// alike; that what an animal is follows from its events whatever order they came in;
// that a tag has one wearer at a time, a code one animal for ever, an animal one pledge.
func TestLives(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s := herd.New(db)
		rapid.Check(t, func(t *rapid.T) { checkLives(t, s) })
	})
}

func checkLives(t *rapid.T, s *herd.Store) {
	ctx, tenant := context.Background(), ident.New()
	both := []iot.Registry{s, &iottest.Store{}}
	herds, animals := []string{"h1", "h2"}, []string{"c1", "c2", "c3"}
	for i, id := range herds {
		h := iot.Herd{ID: id, Tenant: tenant, Name: id, OwnerID: "u", Species: "cattle", Fence: square(), Pens: []iot.Pen{{ID: "p1", Name: "one", Area: square()}}, CreatedAt: now}
		var list []iot.Animal
		for j, a := range animals {
			if j%2 == i {
				list = append(list, iot.Animal{ID: a, HerdID: id, Identity: cn(j + 1), Species: "cattle", Sex: "f", TagID: fmt.Sprint("t", j)})
			}
		}
		for _, r := range both {
			if err := r.AddHerd(ctx, h, list, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	var past []iot.LifeEvent
	n := 0 // numbers of events, in the order in which they are told
	for range rapid.IntRange(1, 14).Draw(t, "steps") {
		if rapid.IntRange(0, 4).Draw(t, "pledge") == 0 {
			ref, id := fmt.Sprint("a", rapid.IntRange(1, 3).Draw(t, "ref")), rapid.SampledFrom(animals).Draw(t, "pledged")
			release := rapid.Bool().Draw(t, "release")
			var got []string
			for _, r := range both {
				err := r.Pledge(ctx, tenant, ref, []string{id}, now)
				if release {
					err = errors.Join(err, r.Release(ctx, tenant, ref, now))
				}
				got = append(got, verdict(err))
			}
			if got[0] != got[1] {
				t.Fatalf("pledge %s of %s: %s in the database, %s in memory", ref, id, got[0], got[1])
			}
			continue
		}
		var events []iot.LifeEvent
		for range rapid.IntRange(1, 2).Draw(t, "together") {
			n++
			events = append(events, anyEvent(t, n, animals, herds, past))
		}
		var got []string
		for _, r := range both {
			_, err := r.Record(ctx, tenant, iot.Change{Events: events})
			got = append(got, verdict(err))
		}
		if got[0] != got[1] {
			t.Fatalf("%+v: %q in the database, %q in memory", events, got[0], got[1])
		}
		if got[0] == "" {
			past = append(past, events...)
		}
	}
	invariants(t, both, tenant, animals)
}

func invariants(t *rapid.T, both []iot.Registry, tenant string, animals []string) {
	ctx, s := context.Background(), both[0]
	owner := map[iot.AnimalID]string{}
	for _, id := range animals {
		l, err := s.Life(ctx, tenant, id)
		if err != nil {
			t.Fatal(err)
		}
		a, err := s.Animal(ctx, tenant, id)
		if err != nil || gocmp.Diff(l.Animal, a) != "" {
			t.Fatalf("the stored state is not that of the events: %v %s", err, gocmp.Diff(l.Animal, a))
		}
		if m, _ := both[1].Life(ctx, tenant, id); gocmp.Diff(l, m) != "" {
			t.Fatalf("the lives differ: %s", gocmp.Diff(l, m))
		}
		if again, err := iot.Derive(a, rapid.Permutation(l.Events).Draw(t, "order")); err != nil || gocmp.Diff(l, again) != "" {
			t.Fatalf("another order makes another life: %v %s", err, gocmp.Diff(l, again))
		}
		if !a.Here() && a.TagID != "" {
			t.Fatalf("%s is %s and keeps its tag", a.ID, a.Status)
		}
		for _, x := range l.Identifiers {
			if other, ok := owner[x.AnimalID]; ok && other != id && iot.Forever(x.Scheme) {
				t.Fatalf("%s was given to two animals", x.Code)
			}
			owner[x.AnimalID] = id
		}
	}
	for n := range 4 {
		tag := fmt.Sprint("t", n)
		worn, err := s.Wearers(ctx, tenant, tag)
		if err != nil {
			t.Fatal(err)
		}
		for i := 1; i < len(worn); i++ {
			if to := worn[i-1].To; to == nil || to.After(worn[i].From) {
				t.Fatalf("%s is worn by two at once: %+v", tag, worn)
			}
		}
		for d := -2; d < 13; d++ {
			at := now.AddDate(0, 0, d)
			i := slices.IndexFunc(worn, func(w iot.Wearing) bool { return w.Holds(at) })
			want := ""
			if i >= 0 {
				want = worn[i].Animal
			}
			if got, err := s.WearerAt(ctx, tenant, tag, at); got != want || (want == "") != errors.Is(err, iot.ErrAnimalNotFound) {
				t.Fatalf("%s on %s: %s %v, want %s", tag, at, got, err, want)
			}
		}
	}
	for _, h := range []string{"h1", "h2"} {
		got, err := s.Handed(ctx, tenant, h)
		want, _ := both[1].Handed(ctx, tenant, h)
		if err != nil || gocmp.Diff(want, got) != "" {
			t.Fatalf("tags of %s that were worn before: %v %s", h, err, gocmp.Diff(want, got))
		}
		from, to := now.AddDate(0, 0, 2), now.AddDate(0, 0, 6)
		lives, err := s.Lives(ctx, tenant, h, from, to)
		all, _ := both[1].Lives(ctx, tenant, h, from, to)
		if err != nil || gocmp.Diff(all, lives) != "" {
			t.Fatalf("lives that passed %s: %v %s", h, err, gocmp.Diff(all, lives))
		}
	}
	var all [2][]iot.Pledge
	for i, r := range both {
		p, err := r.Pledges(ctx, tenant, animals)
		if err != nil {
			t.Fatal(err)
		}
		slices.SortFunc(p, func(a, b iot.Pledge) int {
			return cmp.Or(cmp.Compare(a.AnimalID, b.AnimalID), cmp.Compare(a.Ref, b.Ref))
		})
		all[i] = p
	}
	standing := map[string]int{}
	for _, p := range all[0] {
		if p.Until == nil {
			standing[p.AnimalID]++
		}
		if standing[p.AnimalID] > 1 {
			t.Fatalf("%s is pledged twice", p.AnimalID)
		}
	}
	if len(all[0]) != len(all[1]) {
		t.Fatalf("%d pledges in the database, %d in memory", len(all[0]), len(all[1]))
	}
}

func TestRegistry(t *testing.T) {
	t.Parallel()
	body := func(t *testing.T, r iot.Registry) {
		ctx := context.Background()
		s := iot.Herds{Store: r, Now: func() time.Time { return now }}
		var cut []string
		s.Revoked = func(tenant, device string) { cut = append(cut, tenant+"/"+device) }
		h, _, err := s.Register(ctx, "a", iot.Herd{OwnerID: "u", OwnerName: "巴特尔", Name: "one", Species: "cattle", Fence: square(), Region: "152526",
			Pens: []iot.Pen{{Name: "北圈", Area: square()}}}, []iot.Animal{{Identity: cn(1), Sex: "f", TagID: "t1"}}, []string{"g1"})
		if err != nil {
			t.Fatal(err)
		}
		animals, err := r.Animals(ctx, "a", h.ID)
		if err != nil || len(animals) != 1 {
			t.Fatal(animals, err)
		}
		cow, pen := animals[0].ID, h.Pens[0].ID

		t.Run("herds change", func(t *testing.T) {
			name, none := " two ", []iot.Pen{}
			got, err := s.Change(ctx, "a", h.ID, iot.Patch{Name: &name})
			if err != nil || got.Name != "two" || got.Region != "152526" || len(got.Pens) != 1 || got.Pens[0].ID != pen {
				t.Errorf("%+v %v", got, err)
			}
			if stored, err := r.Herd(ctx, "a", h.ID); err != nil || gocmp.Diff(got, stored) != "" {
				t.Error(err, gocmp.Diff(got, stored))
			}
			_, err = s.Report(ctx, "a", "", "op", "operator", []iot.LifeEvent{{AnimalID: cow, Kind: iot.Move, PenID: pen, At: now}})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Change(ctx, "a", h.ID, iot.Patch{Pens: &none}); !errors.Is(err, iot.ErrPenInUse) {
				t.Errorf("the pen of an animal goes: %v", err)
			}
			if _, err := s.Change(ctx, "b", h.ID, iot.Patch{Name: &name}); !errors.Is(err, iot.ErrHerdNotFound) {
				t.Error(err)
			}
			far := "990101"
			for _, p := range []iot.Patch{{Region: &far}, {Pens: &[]iot.Pen{{Name: "x"}}}, {Pens: &[]iot.Pen{{Name: " ", Area: square()}}}, {Fence: square()[:0]}} {
				if _, err := s.Change(ctx, "a", h.ID, p); !errors.Is(err, fault.Invalid) {
					t.Errorf("%+v: %v", p, err)
				}
			}
		})
		t.Run("a lost tag is replaced and its readings stay the animal's", func(t *testing.T) {
			if _, err := s.Enrol(ctx, "a", h.ID, now, "op", "operator", nil, []iot.Device{{ID: "t2", Kind: iot.TagDevice}}); err != nil {
				t.Fatal(err)
			}
			later := now.Add(time.Minute)
			if _, err := s.Report(ctx, "a", "", "op", "operator", []iot.LifeEvent{{AnimalID: cow, Kind: iot.TagOn, TagID: "t2", Reason: "broken", At: later}}); err != nil {
				t.Fatal(err)
			}
			for tag, want := range map[string]string{"t1": cow, "t2": ""} {
				if got, _ := r.WearerAt(ctx, "a", tag, now); got != want {
					t.Errorf("%s before: %q", tag, got)
				}
			}
			l, err := r.Life(ctx, "a", cow)
			if err != nil || len(l.Tags) != 2 || l.Tags[0].Reason != "broken" || l.Tags[0].By != "op" || !l.Tags[0].To.Equal(later) || l.Animal.TagID != "t2" {
				t.Errorf("%+v %v", l.Tags, err)
			}
			if a, err := r.AnimalsByCode(ctx, "a", []iot.AnimalID{cn(1), cn(7)}); err != nil || len(a) != 1 || a[cn(1)].ID != cow {
				t.Errorf("%+v %v", a, err)
			}
		})
		t.Run("a code is never given again", func(t *testing.T) {
			id := cn(2)
			if _, err := s.Report(ctx, "a", "", "op", "operator", []iot.LifeEvent{{AnimalID: cow, Kind: iot.Identified, Identity: &id, Reason: "lost", At: now}}); err != nil {
				t.Fatal(err)
			}
			_, err := s.Enrol(ctx, "a", h.ID, now, "op", "operator", []iot.Newcomer{{Animal: iot.Animal{Identity: cn(1)}}}, nil)
			var f *fault.Error
			if !errors.Is(err, iot.ErrCodeUsed) || !errors.As(err, &f) || f.Args["until"] != "2026-06-01" {
				t.Errorf("%v", err)
			}
		})
		t.Run("calves", func(t *testing.T) {
			if _, err := s.Report(ctx, "a", "u", "u", "farmer", []iot.LifeEvent{
				{AnimalID: cow, Kind: iot.Service, At: now.AddDate(0, -9, 0)}, {AnimalID: cow, Kind: iot.Pregnancy, At: now},
			}); err != nil {
				t.Fatal(err)
			}
			if a, _ := r.Animal(ctx, "a", cow); !a.Bred.Equal(now.AddDate(0, -9, 0)) {
				t.Errorf("bred %s", a.Bred)
			}
			if _, err := s.Born(ctx, "a", "u", "u", now, iot.Newcomer{Animal: iot.Animal{Sex: "f"}, Dam: cow}); !errors.Is(err, iot.ErrBirthKey) {
				t.Errorf("a calf without code, tag and key: %v", err)
			}
			calf, err := s.Born(ctx, "a", "u", "u", now, iot.Newcomer{Animal: iot.Animal{Sex: "f"}, Dam: cow, Key: "calf of today"})
			if err != nil {
				t.Fatal(err)
			}
			if l, err := r.Life(ctx, "a", calf.ID); err != nil || l.Dam != cow || l.Animal.HerdID != h.ID || !l.Animal.Born.Equal(now) {
				t.Errorf("%+v %v", l, err)
			}
			if a, _ := r.Animal(ctx, "a", cow); !a.Bred.IsZero() {
				t.Error("still bred after the calving")
			}
			for _, key := range []string{"calf of today", "its twin"} {
				got, err := s.Born(ctx, "a", "u", "u", now, iot.Newcomer{Animal: iot.Animal{Sex: "f"}, Dam: cow, Key: key})
				if err != nil || (got.ID == calf.ID) != (key == "calf of today") {
					t.Errorf("%s: %+v %v", key, got, err)
				}
			}
			if _, err := s.Born(ctx, "a", "u", "u", now, iot.Newcomer{Animal: iot.Animal{Sex: "m"}, Dam: cow, Key: "its twin"}); !errors.Is(err, iot.ErrBirthReused) {
				t.Errorf("another calf under the same key: %v", err)
			}
			if _, err := s.Born(ctx, "a", "somebody", "u", now, iot.Newcomer{Dam: cow}); !errors.Is(err, iot.ErrAnimalNotFound) {
				t.Errorf("a calf of another's cow: %v", err)
			}
		})
		t.Run("the dead keep no tag, and nothing befalls them", func(t *testing.T) {
			died := now.Add(2 * time.Minute)
			herds, err := s.Report(ctx, "a", "u", "u", "farmer", []iot.LifeEvent{{AnimalID: cow, Kind: iot.Death, Reason: "missing", At: died}})
			if err != nil || !slices.Equal(herds, []string{h.ID}) {
				t.Fatal(herds, err)
			}
			if a, _ := r.Animal(ctx, "a", cow); a.Status != iot.Dead || a.TagID != "" || a.PenID != "" || a.Here() {
				t.Errorf("%+v", a)
			}
			if _, err := s.Report(ctx, "a", "", "op", "operator", []iot.LifeEvent{{AnimalID: cow, Kind: iot.Move, At: died.Add(time.Minute)}}); !errors.Is(err, iot.ErrLifeDead) {
				t.Error(err)
			}
			if _, err := s.Enrol(ctx, "a", h.ID, died, "op", "operator", []iot.Newcomer{{Animal: iot.Animal{Identity: cn(5), TagID: "t2"}}}, nil); err != nil {
				t.Errorf("the freed tag cannot be worn: %v", err)
			}
			l, _ := r.Life(ctx, "a", cow)
			i := slices.IndexFunc(l.Events, func(e iot.LifeEvent) bool { return e.Kind == iot.Death })
			undo := []iot.LifeEvent{{AnimalID: cow, Kind: iot.Correction, Corrects: l.Events[i].ID, At: now}}
			if _, err := s.Report(ctx, "a", "", "op", "operator", undo); !errors.Is(err, iot.ErrTagTaken) {
				t.Errorf("the animal is alive again with a tag that another wears: %v", err)
			}
		})
		t.Run("devices", func(t *testing.T) { devices(t, r, &s, h, &cut) })
	}
	t.Run("memory", func(t *testing.T) { t.Parallel(); body(t, &iottest.Store{}) })
	storetest.Each(t, func(t *testing.T, db *store.DB) { body(t, herd.New(db)) })
}

// devices: claim codes are for one device, one time, and not to be guessed.
func devices(t *testing.T, r iot.Registry, s *iot.Herds, h iot.Herd, cut *[]string) {
	ctx := context.Background()
	box, err := s.AddDevices(ctx, "a", []iot.Device{{ID: "c1", Kind: iot.Camera, Profile: "p"}, {ID: "c2", Kind: iot.TagDevice}, {ID: "net", Kind: iot.Network}})
	if err != nil || box[2].Credential == nil || box[0].Code == "" || box[0].Code == box[1].Code {
		t.Fatalf("%+v %v", box, err)
	}
	if _, err := s.AddDevices(ctx, "a", []iot.Device{{ID: "new", Kind: iot.TagDevice}, {ID: "c1", Kind: iot.TagDevice}}); !errors.Is(err, iot.ErrDeviceTaken) {
		t.Errorf("%v", err)
	}
	if d, err := r.Unclaimed(ctx, "a"); err != nil || len(d) != 2 || d[0].ID != "c1" {
		t.Errorf("%+v %v", d, err)
	}
	if d, err := r.DeviceBySecret(ctx, iot.HashSecret(box[2].Credential.Secret)); err != nil || d.ID != "net" || d.HerdID != "" || d.Tenant != "a" {
		t.Errorf("%+v %v", d, err)
	}
	if _, err := r.DeviceBySecret(ctx, ""); !errors.Is(err, iot.ErrDeviceNotFound) {
		t.Errorf("a device without a secret signs in: %v", err)
	}
	if _, err := s.Claim(ctx, "a", "u", h.ID, "", "c1", box[1].Code, ""); !errors.Is(err, iot.ErrClaim) {
		t.Errorf("the code of another device: %v", err)
	}
	if _, err := s.Claim(ctx, "a", "somebody", h.ID, "", "c1", box[0].Code, ""); !errors.Is(err, iot.ErrHerdNotFound) {
		t.Errorf("into another's herd: %v", err)
	}
	cred, err := s.Claim(ctx, "a", "u", h.ID, h.Pens[0].ID, "c1", " "+box[0].Code+" ", "")
	if err != nil {
		t.Fatal(err)
	}
	if d, err := r.DeviceBySecret(ctx, iot.HashSecret(cred.Secret)); err != nil || d.ID != "c1" || d.HerdID != h.ID || d.PenID != h.Pens[0].ID || d.Profile != "p" {
		t.Errorf("%+v %v", d, err)
	}
	if _, err := s.Claim(ctx, "a", "u", h.ID, "", "c1", box[0].Code, ""); !errors.Is(err, iot.ErrClaim) {
		t.Errorf("a used code: %v", err)
	}
	again, err := s.Rotate(ctx, "a", "c1")
	if _, old := r.DeviceBySecret(ctx, iot.HashSecret(cred.Secret)); err != nil || again.Secret == cred.Secret || !errors.Is(old, iot.ErrDeviceNotFound) {
		t.Errorf("the old secret still opens: %v %v", err, old)
	}
	if err := s.Revoke(ctx, "a", "c1"); err != nil {
		t.Fatal(err)
	}
	if _, err := r.DeviceBySecret(ctx, iot.HashSecret(again.Secret)); !errors.Is(err, iot.ErrDeviceNotFound) {
		t.Errorf("a revoked device signs in: %v", err)
	}
	if !slices.Equal(*cut, []string{"a/c1", "a/c1"}) {
		t.Errorf("the broker was told %v", *cut)
	}
	if _, err := s.Rotate(ctx, "a", "c1"); !errors.Is(err, iot.ErrRevoked) {
		t.Errorf("%v", err)
	}
	renewed, err := s.RenewClaim(ctx, "a", "c1")
	if err != nil {
		t.Fatal(err)
	}
	if lost, err := s.AddDevices(ctx, "a", []iot.Device{{ID: "c3", Kind: iot.TagDevice}}); err != nil {
		t.Error(err)
	} else if err := s.Revoke(ctx, "a", "c3"); err != nil {
		t.Error(err)
	} else if _, err := s.Claim(ctx, "a", "", h.ID, "", "c3", lost[0].Code, ""); !errors.Is(err, iot.ErrClaim) {
		t.Errorf("a box that was stolen, and revoked before anybody claimed it: %v", err)
	}
	// Guessing is stopped, for the device and for the person.
	for i := range 6 {
		_, err := s.Claim(ctx, "a", "u", h.ID, "", fmt.Sprint("nothing", i), iot.NewClaimCode(), "")
		if want := map[bool]error{true: iot.ErrClaim, false: iot.ErrClaimTooMany}[i < 3]; !errors.Is(err, want) {
			t.Errorf("guess %d: %v", i, err)
		}
	}
	if _, err := s.Claim(ctx, "a", "u", h.ID, "", "c1", renewed.Code, ""); !errors.Is(err, iot.ErrClaimTooMany) {
		t.Errorf("%v", err)
	}
	s.Now = func() time.Time { return now.Add(iot.ClaimWindow) }
	if _, err := s.Claim(ctx, "a", "u", h.ID, "", "c1", renewed.Code, ""); err != nil {
		t.Errorf("after the wait: %v", err)
	}
	s.Now = func() time.Time { return now.Add(2 * iot.ClaimFor) }
	if _, err := s.Claim(ctx, "a", "u", h.ID, "", "c2", box[1].Code, ""); !errors.Is(err, iot.ErrClaim) {
		t.Errorf("an old code: %v", err)
	}
}
