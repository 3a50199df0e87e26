package iot_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/iot"
)

func on(day int, kind iot.LifeKind, change ...func(*iot.LifeEvent)) iot.LifeEvent {
	e := iot.LifeEvent{ID: fmt.Sprint(kind, day), AnimalID: "cow", Kind: kind, At: now.AddDate(0, 0, day), By: "u"}
	if kind == iot.Registered || kind == iot.Birth {
		e.HerdID = "h"
	}
	for _, c := range change {
		c(&e)
	}
	return e
}

func tag(id string) func(*iot.LifeEvent)     { return func(e *iot.LifeEvent) { e.TagID = id } }
func reason(why string) func(*iot.LifeEvent) { return func(e *iot.LifeEvent) { e.Reason = why } }
func herdIs(id string) func(*iot.LifeEvent)  { return func(e *iot.LifeEvent) { e.HerdID = id } }
func pen(id string) func(*iot.LifeEvent)     { return func(e *iot.LifeEvent) { e.PenID = id } }
func takes(id string) func(*iot.LifeEvent)   { return func(e *iot.LifeEvent) { e.Corrects = id } }
func named(scheme, code string) func(*iot.LifeEvent) {
	return func(e *iot.LifeEvent) { e.Identity = &iot.AnimalID{Scheme: scheme, Code: code} }
}

func TestDerive(t *testing.T) {
	t.Parallel()
	first := on(0, iot.Registered, tag("t1"), named("cn-67", "1"), pen("p1"))
	for name, c := range map[string]struct {
		events []iot.LifeEvent
		want   iot.Animal
	}{
		"registered": {nil, iot.Animal{HerdID: "h", PenID: "p1", TagID: "t1", Status: iot.Alive, Identity: iot.AnimalID{Scheme: "cn-67", Code: "1"}}},
		"re-tagged": {
			[]iot.LifeEvent{on(3, iot.TagOn, tag("t2"), reason("lost"))},
			iot.Animal{HerdID: "h", PenID: "p1", TagID: "t2", Status: iot.Alive, Identity: iot.AnimalID{Scheme: "cn-67", Code: "1"}},
		},
		"told late: the tag before was worn before": {
			[]iot.LifeEvent{on(5, iot.TagOn, tag("t3")), on(3, iot.TagOn, tag("t2"))},
			iot.Animal{HerdID: "h", PenID: "p1", TagID: "t3", Status: iot.Alive, Identity: iot.AnimalID{Scheme: "cn-67", Code: "1"}},
		},
		"dead": {
			[]iot.LifeEvent{on(3, iot.Death, reason("missing"))},
			iot.Animal{HerdID: "h", Status: iot.Dead, Identity: iot.AnimalID{Scheme: "cn-67", Code: "1"}},
		},
		"sold and back": {
			[]iot.LifeEvent{on(3, iot.Departure), on(6, iot.Arrival, herdIs("h2"))},
			iot.Animal{HerdID: "h2", Status: iot.Alive, Identity: iot.AnimalID{Scheme: "cn-67", Code: "1"}},
		},
		"another herd has other pens": {
			[]iot.LifeEvent{on(3, iot.Move, herdIs("h2"))},
			iot.Animal{HerdID: "h2", TagID: "t1", Status: iot.Alive, Identity: iot.AnimalID{Scheme: "cn-67", Code: "1"}},
		},
		"a death that was none": {
			[]iot.LifeEvent{on(3, iot.Death), on(9, iot.Correction, takes("death3")), on(4, iot.Move, pen("p2"))},
			iot.Animal{HerdID: "h", PenID: "p2", TagID: "t1", Status: iot.Alive, Identity: iot.AnimalID{Scheme: "cn-67", Code: "1"}},
		},
		"goes by cn-67 before iso": {
			[]iot.LifeEvent{on(1, iot.Identified, named("iso-11784", "2")), on(2, iot.Identified, named("cn-67", "3"))},
			iot.Animal{HerdID: "h", PenID: "p1", TagID: "t1", Status: iot.Alive, Identity: iot.AnimalID{Scheme: "cn-67", Code: "3"}},
		},
		"a service is no pregnancy": {
			[]iot.LifeEvent{on(-60, iot.Service)},
			iot.Animal{HerdID: "h", PenID: "p1", TagID: "t1", Status: iot.Alive, Identity: iot.AnimalID{Scheme: "cn-67", Code: "1"}},
		},
		"found pregnant of its service": {
			[]iot.LifeEvent{on(-60, iot.Service), on(2, iot.Pregnancy)},
			iot.Animal{HerdID: "h", PenID: "p1", TagID: "t1", Status: iot.Alive, Identity: iot.AnimalID{Scheme: "cn-67", Code: "1"}, Bred: now.AddDate(0, 0, -60)},
		},
		"calved": {
			[]iot.LifeEvent{on(-60, iot.Service), on(2, iot.Pregnancy), on(4, iot.Calving)},
			iot.Animal{HerdID: "h", PenID: "p1", TagID: "t1", Status: iot.Alive, Identity: iot.AnimalID{Scheme: "cn-67", Code: "1"}},
		},
	} {
		l, err := iot.Derive(iot.Animal{ID: "cow", Sex: "f"}, append([]iot.LifeEvent{first}, c.events...))
		c.want.ID, c.want.Sex = "cow", "f"
		if err != nil || l.Animal != c.want {
			t.Errorf("%s: %+v %v, want %+v", name, l.Animal, err, c.want)
		}
	}
}

func TestDeriveRefuses(t *testing.T) {
	t.Parallel()
	first := on(0, iot.Registered, tag("t1"))
	for name, c := range map[string]struct {
		sex    string
		events []iot.LifeEvent
		want   error
	}{
		"before it came":         {"f", []iot.LifeEvent{on(-1, iot.Move)}, iot.ErrLifeEntry},
		"after death":            {"f", []iot.LifeEvent{on(1, iot.Death), on(2, iot.Move)}, iot.ErrLifeDead},
		"a death before a move":  {"f", []iot.LifeEvent{on(2, iot.Move), on(1, iot.Death)}, iot.ErrLifeDead},
		"died twice":             {"f", []iot.LifeEvent{on(1, iot.Death), on(2, iot.Death)}, iot.ErrLifeDead},
		"moved while gone":       {"f", []iot.LifeEvent{on(1, iot.Departure), on(2, iot.Move)}, iot.ErrLifeGone},
		"the tag it wears":       {"f", []iot.LifeEvent{on(1, iot.TagOn, tag("t1"))}, iot.ErrLifeTag},
		"no tag":                 {"f", []iot.LifeEvent{on(1, iot.TagOn)}, iot.ErrLifeTag},
		"lost another":           {"f", []iot.LifeEvent{on(1, iot.TagLost, tag("t9"))}, iot.ErrLifeTag},
		"lost twice":             {"f", []iot.LifeEvent{on(1, iot.TagLost), on(2, iot.TagLost)}, iot.ErrLifeTag},
		"born late":              {"f", []iot.LifeEvent{on(1, iot.Birth)}, iot.ErrLifeBirth},
		"a bull calves":          {"m", []iot.LifeEvent{on(1, iot.Calving)}, iot.ErrLifeSex},
		"correction of nothing":  {"f", []iot.LifeEvent{on(1, iot.Correction, takes("x"))}, iot.ErrLifeCorrection},
		"correction twice":       {"f", []iot.LifeEvent{on(1, iot.Move), on(2, iot.Correction, takes("move1")), on(3, iot.Correction, takes("move1"))}, iot.ErrLifeCorrection},
		"taken back altogether":  {"f", []iot.LifeEvent{on(1, iot.Correction, takes("registered0"))}, iot.ErrLifeEntry},
		"what is that":           {"f", []iot.LifeEvent{on(1, "flies")}, iot.ErrLifeKind},
		"before its birth":       {"f", []iot.LifeEvent{on(-900, iot.Service)}, iot.ErrLifeBeforeBorn},
		"registered to no place": {"f", []iot.LifeEvent{on(-2, iot.Arrival)}, iot.ErrLifeEntry},
	} {
		a := iot.Animal{ID: "cow", Sex: c.sex, Born: now.AddDate(-2, 0, 0)}
		if _, err := iot.Derive(a, append([]iot.LifeEvent{first}, c.events...)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// ExampleDerive shows whose readings are whose after a tag was lost.
func ExampleDerive() {
	l, _ := iot.Derive(iot.Animal{ID: "cow"}, []iot.LifeEvent{
		on(0, iot.Registered, tag("t1")), on(10, iot.TagOn, tag("t2"), reason("lost")),
	})
	for _, w := range l.Tags {
		fmt.Println(w.Tag, w.From.Format(time.DateOnly), w.To != nil, w.Reason, w.Holds(now.AddDate(0, 0, 5)))
	}
	// Output:
	// t1 2026-06-01 true lost true
	// t2 2026-06-11 false  false
}

func TestOtherSchemes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		scheme, code, species string
		want                  error
	}{
		{"iso-11784", "157000000000001", "", iot.ErrCodeISO}, // no such country
		{"iso-11784", "899000000000001", "", iot.ErrCodeISO},
		{"iso-11784", "004000000000001", "", nil},
		{"cn-67", "299072500000001", "", iot.ErrCodeCounty}, // no such province
		{"cn-67", "241002500000001", "", iot.ErrCodeCounty}, // no prefecture
		{"cn-67", "241070000000001", "", iot.ErrCodeCounty}, // no county
		{"cn-67", "241072500000001", "dairy", nil},
		{"cn-67", "341072500000001", "goat", nil},
		{"cn-67", "341072500000001", "broiler", iot.ErrCodeSpecies},
		{"cn-67", "341072500000001", "camel", nil}, // a bank's own species
		{"rfid", "E2 80 11 60 60 00 02 09", "", nil},
		{"rfid", "E2-80:11606000 0209 4B5C 1234", "", nil},
		{"rfid", "156000000000001", "", nil},
		{"rfid", "E28011606000020", "", iot.ErrCodeChip},
		{"rfid", strings.Repeat("AB", 33), "", iot.ErrCodeChip},
		{"dev-eui", "70-B3-D5-7E-D0-00-00-01", "", nil},
		{"dev-eui", "70B3D57ED000000", "", iot.ErrCodeEUI},
		{"dev-eui", "70B3D57ED000000G", "", iot.ErrCodeEUI},
	} {
		id := iot.AnimalID{Scheme: c.scheme, Code: c.code}.Normal()
		if err := id.Validate(c.species); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s %s of %q: %v, want %v", c.scheme, c.code, c.species, err, c.want)
		}
		if id.Normal() != id {
			t.Errorf("%+v has two forms", id)
		}
	}
	// One country more or less would let a mistyped code through.
	n := 0
	for c := range 1000 {
		if (iot.AnimalID{Scheme: "iso-11784", Code: fmt.Sprintf("%03d000000000001", c)}).Validate("") == nil {
			n++
		}
	}
	if n != 249+99 {
		t.Errorf("%d issuers, want the 249 countries of ISO 3166-1 and 99 makers", n)
	}
}

// TestClaimCodes: what is typed is read as it was printed, and one slip of the finger is
// always noticed.
func TestClaimCodes(t *testing.T) {
	t.Parallel()
	const letters = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
	rapid.Check(t, func(t *rapid.T) {
		code := iot.NewClaimCode()
		plain := strings.ReplaceAll(code, "-", "")
		for _, typed := range []string{code, plain, strings.ToLower(code), " " + code[:9] + " " + code[9:]} {
			if got, err := iot.ReadClaimCode(typed); err != nil || got != plain {
				t.Fatalf("%q: %s %v", typed, got, err)
			}
		}
		i := rapid.IntRange(0, 15).Draw(t, "at")
		if c := rapid.SampledFrom([]byte(letters)).Draw(t, "letter"); c != plain[i] {
			if _, err := iot.ReadClaimCode(plain[:i] + string(c) + plain[i+1:]); !errors.Is(err, iot.ErrClaimCode) {
				t.Fatalf("%s with %c at %d is taken", plain, c, i)
			}
		}
		if i < 15 && plain[i] != plain[i+1] {
			if _, err := iot.ReadClaimCode(plain[:i] + string(plain[i+1]) + string(plain[i]) + plain[i+2:]); !errors.Is(err, iot.ErrClaimCode) {
				t.Fatalf("%s with %d and %d swapped is taken", plain, i, i+1)
			}
		}
		if _, err := iot.ReadClaimCode(plain[:i]); !errors.Is(err, iot.ErrClaimCode) {
			t.Fatal("a part of a code is taken")
		}
	})
	if iot.HashClaim("a", "d", "x") == iot.HashClaim("a", "e", "x") || iot.HashClaim("a", "d", "AB-CD") != iot.HashClaim("a", "d", "ABCD") {
		t.Error("the hash does not tell devices apart, or tells dashes apart")
	}
}

func FuzzIdentity(f *testing.F) {
	f.Add("cn-67", "２１５２５２６００００００１１", "cattle")
	f.Add("rfid", "E2:80", "")
	f.Fuzz(func(t *testing.T, scheme, code, species string) {
		id := iot.AnimalID{Scheme: scheme, Code: code}.Normal()
		if id.Normal() != id {
			t.Errorf("%+v has two forms", id)
		}
		if id.Validate(species) == nil && (len(id.Code) < 15 || len(id.Code) > 64) {
			t.Errorf("%+v is taken", id)
		}
		if got, err := iot.ReadClaimCode(code); err == nil && len(got) != 16 {
			t.Errorf("%q", got)
		}
	})
}
