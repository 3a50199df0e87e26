package profile_test

import (
	"encoding/hex"
	"errors"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/codec/profile"
)

func ptr[T any](v T) *T { return &v }

func load(tb testing.TB) *profile.Catalogue {
	tb.Helper()
	fsys, err := catalog.Open("")
	if err != nil {
		tb.Fatal(err)
	}
	c, err := profile.Load(fsys)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func TestDecodeBytes(t *testing.T) {
	t.Parallel()
	c := load(t)
	at := time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)
	for _, k := range []struct {
		name, profile string
		port          int
		data          string
		want          iot.Reading
		err           error
	}{
		{"ear tag with a fix", "furrow-tag", 2, "6a1d3c00" + "12c8669a" + "43809948" + "05" + "0b5e" + "802a" + "b4",
			iot.Reading{At: at, Lat: ptr(31.5123354), Lon: ptr(113.250132), Accuracy: ptr(5.0), Temp: ptr(29.1),
				Activity: ptr(0.42), Attached: ptr(true), Battery: ptr(3.6)}, nil},
		{"ear tag without fix, clock or thermometer", "furrow-tag", 2, "00000000" + "80000000" + "80000000" + "ff" + "8000" + "0fff" + "00",
			iot.Reading{Attached: ptr(false)}, nil},
		{"ear tag that judges behaviour", "furrow-tag", 3, "6a1d3c00" + "fb50" + "8064" + "b4" + "003c" + "0000" + "0006" + "0012",
			iot.Reading{At: at, Temp: ptr(-12.0), Activity: ptr(1.0), Attached: ptr(true), Battery: ptr(3.6),
				Lying: ptr(600.0), Grazing: ptr(0.0), Walking: ptr(60.0), Ruminating: ptr(180.0)}, nil},
		{"half a fix", "furrow-tag", 2, "00000000" + "80000000" + "43809948" + "ff" + "8000" + "0fff" + "00", iot.Reading{}, profile.ErrBytes},
		{"latitude beyond the pole", "furrow-tag", 2, "00000000" + "7fffffff" + "43809948" + "ff" + "8000" + "0fff" + "00", iot.Reading{}, profile.ErrBytes},
		{"too short", "furrow-tag", 2, "6a1d3c00", iot.Reading{}, profile.ErrBytes},
		{"too long", "furrow-tag", 2, strings.Repeat("00", 19), iot.Reading{}, profile.ErrBytes},
		{"another port", "furrow-tag", 9, "00", iot.Reading{}, profile.ErrPort},
		{"names only", "thingsboard", 2, "00", iot.Reading{}, profile.ErrNone},
		// The example of Cayenne's own documentation: two thermometers; the last counts.
		{"Cayenne thermometers", "cayenne-lpp", 1, "03670110" + "056700ff", iot.Reading{Temp: ptr(25.5)}, nil},
		{"Cayenne position", "cayenne-lpp", 77, "0188" + "06765f" + "f2960a" + "0003e8", iot.Reading{Lat: ptr(42.3519), Lon: ptr(-87.9094)}, nil},
		{"Cayenne acceleration is no field", "cayenne-lpp", 1, "067104d2fb2e0000", iot.Reading{}, nil},
		{"Cayenne frost", "cayenne-lpp", 1, "0167ffd7", iot.Reading{Temp: ptr(-4.1)}, nil},
		{"Cayenne cut", "cayenne-lpp", 1, "0167ff", iot.Reading{}, profile.ErrBytes},
		{"Cayenne channel alone", "cayenne-lpp", 1, "01", iot.Reading{}, profile.ErrBytes},
		{"Cayenne of no such type", "cayenne-lpp", 1, "01ff00", iot.Reading{}, profile.ErrBytes},
		{"Cayenne oven", "cayenne-lpp", 1, "01677fff", iot.Reading{}, profile.ErrBytes},
		{"nothing in it", "cayenne-lpp", 1, "", iot.Reading{}, nil},
	} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			p, err := c.Profile(k.profile)
			if err != nil {
				t.Fatal(err)
			}
			data, err := hex.DecodeString(k.data)
			if err != nil {
				t.Fatal(err)
			}
			var r iot.Reading
			if err := p.Decode(k.port, data, &r); !errors.Is(err, k.err) {
				t.Fatalf("%v, want %v", err, k.err)
			}
			if d := cmp.Diff(k.want, r); k.err == nil && d != "" {
				t.Error(d)
			}
		})
	}
}

// Every type and both orders of bytes.
func TestLayouts(t *testing.T) {
	t.Parallel()
	for _, k := range []struct {
		fields, endian, data string
		want                 iot.Reading
	}{
		{`{field: temp_c, at: 1, type: i8}`, "big", "00ec", iot.Reading{Temp: ptr(-20.0)}},
		{`{field: temp_c, at: 0, type: i16, scale: 0.1}`, "little", "38ff", iot.Reading{Temp: ptr(-20.0)}},
		{`{field: temp_c, at: 0, type: i24, scale: 0.001}`, "little", "e0b1ff", iot.Reading{Temp: ptr(-20.0)}},
		{`{field: weight_kg, at: 0, type: u24, scale: 0.001}`, "big", "064af3", iot.Reading{Weight: ptr(412.403)}},
		{`{field: heads, at: 0, type: u32}`, "little", "40e20100", iot.Reading{Heads: ptr(int64(123456))}},
		{`{field: activity, at: 0, type: f32}`, "big", "3fc00000", iot.Reading{Activity: ptr(1.5)}},
		{`{field: activity, at: 0, type: f32}`, "big", "7fc00000", iot.Reading{}},
		{`{field: battery_v, at: 0, type: u8, scale: 0.1, offset: 2.5}`, "big", "0b", iot.Reading{Battery: ptr(3.6)}},
		{`{field: attached, at: 0, type: u8, bits: [3, 3], scale: -1, offset: 1}`, "big", "08", iot.Reading{Attached: ptr(false)}}, // a tamper flag
		{`{field: lying_s, at: 0, type: u32, bits: [0, 31]}`, "big", "00000e10", iot.Reading{Lying: ptr(3600.0)}},
	} {
		c, err := profile.Read([]byte(head + "    ports:\n      1:\n        endian: " + k.endian + "\n        size: " +
			string('0'+rune(len(k.data)/2)) + "\n        fields: [" + k.fields + "]\n"))
		if err != nil {
			t.Error(k.fields, err)
			continue
		}
		p, _ := c.Profile("x")
		data, _ := hex.DecodeString(k.data)
		var r iot.Reading
		if err := p.Decode(1, data, &r); err != nil {
			t.Error(k.fields, err)
		}
		if d := cmp.Diff(k.want, r); d != "" {
			t.Error(k.fields, d)
		}
	}
}

const head = "version: 1\nprofiles:\n  - code: x\n    name: {zh-CN: x, en: x}\n"

func TestKeys(t *testing.T) {
	t.Parallel()
	c, err := profile.Read([]byte(head + `    keys:
      Battery: {field: battery_v, scale: 0.001}
      "temperatureSensor.*": temp_c
      temperatureSensor.7: ambient_c
      temp_c: ambient_c
      time: {field: ts, scale: 1000}
`))
	if err != nil {
		t.Fatal(err)
	}
	p, _ := c.Profile("x")
	var r iot.Reading
	for path, x := range map[string]float64{"battery": 3612, "TemperatureSensor.1": 30, "temperatureSensor.7": 4, "time": 1.7654e9, "activity": 0.3} {
		k, ok := p.Key(path)
		if !ok {
			t.Fatal(path, "is not known")
		}
		if why := k.Set(&r, x); why != "" {
			t.Error(path, why)
		}
	}
	want := iot.Reading{At: time.Unix(1765400000, 0).UTC(), Battery: ptr(3.612), Temp: ptr(30.0), Ambient: ptr(4.0), Activity: ptr(0.3)}
	if d := cmp.Diff(want, r); d != "" {
		t.Error(d)
	}
	if k, _ := p.Key("temp_c"); k.Field != profile.Ambient {
		t.Error("a profile cannot give the house's names another meaning")
	}
	for _, path := range []string{"temperatureSensor", "temperatureSensor.1.x", "tag", "motion", ""} {
		if _, ok := p.Key(path); ok {
			t.Error(path, "is known")
		}
	}
	if why := (profile.Key{}).Set(&r, math.NaN()); why == "" {
		t.Error("no number fits")
	}
}

func TestCatalogueProblemsNameTheirLine(t *testing.T) {
	t.Parallel()
	port := "    ports:\n      1:\n        size: 4\n        fields:\n"
	for _, k := range []struct{ name, text, place, why string }{
		{"version", "version: 2\nprofiles: []\n", "profiles.yaml:1", "version 2"},
		{"unknown word", head + "    colour: red\n", "profiles.yaml", "line 5"},
		{"no name", "version: 1\nprofiles:\n  - code: x\n", "profiles.yaml:3", "name"},
		{"code", "version: 1\nprofiles:\n  - code: a/b\n    name: {zh-CN: x, en: x}\n", "profiles.yaml:3", "code"},
		{"twice", head + "  - code: x\n    name: {zh-CN: x, en: x}\n", "profiles.yaml:5", "twice"},
		{"no such field", head + "    keys:\n      a: lat\n      b: latitude\n", "profiles.yaml:7", `"latitude"`},
		{"tag as key", head + "    keys:\n      a: tag\n", "profiles.yaml:6", `"tag"`},
		{"scale", head + "    keys:\n      a: {field: lat, scale: 0}\n", "profiles.yaml:6", "scale"},
		{"unknown word of key", head + "    keys:\n      a: {field: lat, times: 0}\n", "profiles.yaml", "line 6"},
		{"twice by case", head + "    keys:\n      A: lat\n      a: lat\n", "profiles.yaml:7", "twice"},
		{"port", head + "    ports:\n      224: {size: 1, fields: [{field: temp_c, at: 0, type: i8}]}\n", "profiles.yaml:6", "223"},
		{"size", head + "    ports:\n      1:\n        size: 0\n", "profiles.yaml:7", "size"},
		{"empty port", head + "    ports:\n      1:\n", "profiles.yaml:6", "size"},
		{"beyond", head + port + "          - {field: temp_c, at: 0, type: i16}\n          - {field: activity, at: 3, type: u16}\n", "profiles.yaml:10", "beyond"},
		{"type", head + port + "          - {field: temp_c, at: 0, type: i64}\n", "profiles.yaml:9", "i64"},
		{"bits", head + port + "          - {field: temp_c, at: 0, type: u8, bits: [0, 8]}\n", "profiles.yaml:9", "0 to 7"},
		{"signed bits", head + port + "          - {field: temp_c, at: 0, type: i8, bits: [0, 3]}\n", "profiles.yaml:9", "unsigned"},
		{"half a position", head + port + "          - {field: lat, at: 0, type: i32}\n", "profiles.yaml:9", "together"},
		{"infinite", head + port + "          - {field: temp_c, at: 0, type: u8, scale: .inf}\n", "profiles.yaml:9", "scale"},
	} {
		_, err := profile.Read([]byte(k.text))
		var f *fault.Error
		if !errors.As(err, &f) || !errors.Is(err, profile.ErrCatalogue) || f.Place != k.place || !strings.Contains(err.Error(), k.why) {
			t.Errorf("%s: %v, want %s at %s", k.name, err, k.why, k.place)
		}
	}
}

// The example of docs/formats/profiles.md can be used as it stands.
func TestExampleOfThePage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../../docs/formats/profiles.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```yaml\n")
	example, _, _ := strings.Cut(rest, "```")
	c, err := profile.Read([]byte(example))
	if err != nil {
		t.Fatal(err)
	}
	p, err := c.Profile("ranch-collar")
	if err != nil {
		t.Fatal(err)
	}
	var r iot.Reading
	if err := p.Decode(2, []byte{0x9a, 0x66, 0xc8, 0x12, 0x48, 0x99, 0x80, 0x43, 72, 0x5e, 0x0b}, &r); err != nil {
		t.Fatal(err)
	}
	want := iot.Reading{Lat: ptr(31.5123354), Lon: ptr(113.250132), Battery: ptr(3.6), Temp: ptr(29.1)}
	if d := cmp.Diff(want, r); d != "" {
		t.Error(d)
	}
}

func TestNoCatalogue(t *testing.T) {
	t.Parallel()
	var c *profile.Catalogue
	if _, err := c.Profile("x"); !errors.Is(err, profile.ErrUnknown) {
		t.Error(err)
	}
	p := c.Default("thingsboard")
	if _, ok := p.Key("temp_c"); !ok {
		t.Error("without profiles the house's own names must still be known")
	}
	if err := p.Decode(1, []byte{1}, &iot.Reading{}); !errors.Is(err, profile.ErrNone) {
		t.Error(err)
	}
}

// FuzzBytes wants no panic and nothing out of bounds, whatever a tag sends.
func FuzzBytes(f *testing.F) {
	f.Add(2, []byte{0x6a, 0x1d, 0x3d, 0, 0x12, 0xc8, 0x66, 0x9a, 0x43, 0x80, 0x6d, 0x48, 5, 0x0b, 0x5e, 0x80, 0x2a, 0xb4})
	f.Add(1, []byte{3, 0x67, 1, 0x10, 5, 0x67, 0, 0xff})
	c := load(f)
	f.Fuzz(func(t *testing.T, port int, data []byte) {
		for _, code := range c.Codes() {
			p, _ := c.Profile(code)
			var r iot.Reading
			if err := p.Decode(port, data, &r); err != nil {
				if fault.Kind(err) == nil {
					t.Fatal("an error without a kind:", err)
				}
				continue
			}
			if (r.Lon == nil) != (r.Lat == nil) || r.Lon != nil && !(math.Abs(*r.Lon) <= 180 && math.Abs(*r.Lat) <= 90) {
				t.Fatal("out of bounds", *r.Lon, *r.Lat)
			}
		}
	})
}

// FuzzRead wants an error or a catalogue for any text, and never a panic.
func FuzzRead(f *testing.F) {
	f.Add([]byte(head + "    keys: {a: lat, b: {field: lon, scale: 2}}\n    ports:\n      1: {size: 1, fields: [{field: temp_c, at: 0, type: i8}]}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := profile.Read(text)
		if err != nil {
			if !errors.Is(err, profile.ErrCatalogue) {
				t.Fatal(err)
			}
			return
		}
		for _, code := range c.Codes() {
			p, _ := c.Profile(code)
			_ = p.Decode(1, []byte{1}, &iot.Reading{})
		}
	})
}
