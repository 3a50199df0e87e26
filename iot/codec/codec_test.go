package codec_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/codec"
)

func ptr[T any](v T) *T { return &v }

var at = time.UnixMilli(1764000000123).UTC()

func TestDecode(t *testing.T) {
	t.Parallel()
	full := iot.Reading{Tag: "t-1", At: at, Lon: ptr(113.25), Lat: ptr(-3.5e-1), Accuracy: ptr(4.0), Temp: ptr(29.1),
		Ambient: ptr(-12.5), Activity: ptr(0.42), Attached: ptr(false), Battery: ptr(3.6), Seq: ptr(int64(77)),
		Lying: ptr(120.0), Grazing: ptr(60.5), Walking: ptr(0.0), Ruminating: ptr(604800.0), Weight: ptr(412.5), Heads: ptr(int64(9800)),
		Motion: &iot.Motion{Hz: 10, XYZ: [][3]float64{{0.1, -9.8, 2}, {160, -160, 0}}}}
	for _, c := range []struct {
		name, in string
		want     []iot.Reading
		err      error
	}{
		{"one", `{"tag":"t-1","ts":1764000000123,"lon":113.25,"lat":-3.5e-1,"acc_m":4,"temp_c":29.1,"ambient_c":-12.5,"activity":0.42,"attached":false,"battery_v":3.6,"seq":77,"lying_s":120,"grazing_s":60.5,"walking_s":0,"ruminating_s":604800,"weight_kg":412.5,"heads":9800,"motion":{"hz":10,"xyz":[[0.1,-9.8,2],[160,-160,0]],"x":[1]}}`, []iot.Reading{full}, nil},
		{"list", ` [ {"ts":1764000000123} , {"ts":1764000000123,"tag":"b"} ] `, []iot.Reading{{At: at}, {At: at, Tag: "b"}}, nil},
		{"empty list", `[]`, nil, nil},
		{"unknown fields", `{"x":{"a":[1,null,"\u00e9\n"]},"ts":1764000000123,"y":[],"z":{}}`, []iot.Reading{{At: at}}, nil},
		{"null is absent", `{"ts":1764000000123,"lon":null,"lat":null,"temp_c":null,"attached":null,"seq":null,"tag":null,"heads":null,"motion":null,"weight_kg":null}`, []iot.Reading{{At: at}}, nil},
		{"escaped key", `{"t\u0073":1764000000123}`, []iot.Reading{{At: at}}, nil},
		{"last of twice", `{"ts":1,"ts":1764000000123}`, []iot.Reading{{At: at}}, nil},
		{"no object", `3`, nil, codec.ErrPayload},
		{"nothing", ``, nil, codec.ErrPayload},
		{"cut", `[{"ts":1764000000123},`, nil, codec.ErrPayload},
		{"cut in object", `{"ts":17`, nil, codec.ErrPayload},
		{"tail", `{"ts":1764000000123}x`, nil, codec.ErrPayload},
		{"no comma", `[{"ts":1} {"ts":2}]`, nil, codec.ErrPayload},
		{"leading zero", `{"ts":0123}`, nil, codec.ErrPayload},
		{"NaN", `{"ts":1764000000123,"temp_c":NaN}`, nil, codec.ErrPayload},
		{"bare point", `{"ts":1.}`, nil, codec.ErrPayload},
		{"control character", "{\"t\ns\":1}", nil, codec.ErrPayload},
		{"deep", `{"x":` + strings.Repeat("[", 50) + strings.Repeat("]", 50) + `,"ts":1}`, nil, codec.ErrPayload},
		{"long", strings.Repeat(" ", codec.MaxBytes+1), nil, codec.ErrPayload},
		{"many", "[" + strings.Repeat(`{"ts":1},`, codec.MaxReadings) + `{"ts":1}]`, nil, codec.ErrTooMany},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			items, err := codec.Decode([]byte(c.in), nil)
			if !errors.Is(err, c.err) {
				t.Fatalf("error %v, want %v", err, c.err)
			}
			var got []iot.Reading
			for _, it := range items {
				if it.Err != nil {
					t.Fatalf("refused %s: %v", it.Raw, it.Err)
				}
				if it.Reading.Source != "json" {
					t.Errorf("source %q", it.Reading.Source)
				}
				it.Reading.Source = ""
				got = append(got, it.Reading)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestDecodeRefusesOneReadingOnly(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, bad string
		err       error
	}{
		{"no time", `{"tag":"a"}`, codec.ErrNoTime},
		{"time as text", `{"ts":"2026-01-01"}`, codec.ErrField},
		{"time with fraction", `{"ts":1.5}`, codec.ErrField},
		{"longitude", `{"ts":1,"lon":180.5,"lat":1}`, codec.ErrField},
		{"latitude", `{"ts":1,"lon":1,"lat":-90.01}`, codec.ErrField},
		{"only longitude", `{"ts":1,"lon":1}`, codec.ErrField},
		{"infinite", `{"ts":1,"temp_c":1e999}`, codec.ErrField},
		{"negative accuracy", `{"ts":1,"acc_m":-1}`, codec.ErrField},
		{"activity as text", `{"ts":1,"activity":"0.4"}`, codec.ErrField},
		{"attached as number", `{"ts":1,"attached":1}`, codec.ErrField},
		{"tag with slash", `{"ts":1,"tag":"a/b"}`, codec.ErrField},
		{"tag as number", `{"ts":1,"tag":12}`, codec.ErrField},
		{"more than a week of lying", `{"ts":1,"lying_s":604801}`, codec.ErrField},
		{"negative grazing", `{"ts":1,"grazing_s":-1}`, codec.ErrField},
		{"five tonnes", `{"ts":1,"weight_kg":5000.1}`, codec.ErrField},
		{"half a head", `{"ts":1,"heads":0.5}`, codec.ErrField},
		{"too many heads", `{"ts":1,"heads":10000001}`, codec.ErrField},
		{"motion as list", `{"ts":1,"motion":[1,2]}`, codec.ErrField},
		{"motion without rate", `{"ts":1,"motion":{"xyz":[[1,2,3]]}}`, codec.ErrField},
		{"motion too quick", `{"ts":1,"motion":{"hz":201,"xyz":[[1,2,3]]}}`, codec.ErrField},
		{"motion without samples", `{"ts":1,"motion":{"hz":10,"xyz":[]}}`, codec.ErrField},
		{"motion of two axes", `{"ts":1,"motion":{"hz":10,"xyz":[[1,2]]}}`, codec.ErrField},
		{"motion of four axes", `{"ts":1,"motion":{"hz":10,"xyz":[[1,2,3,4]]}}`, codec.ErrField},
		{"motion of text", `{"ts":1,"motion":{"hz":10,"xyz":[["1",2,3]]}}`, codec.ErrField},
		{"motion without end", `{"ts":1,"motion":{"hz":10,"xyz":[[1,2,161]]}}`, codec.ErrField},
		{"motion too long", `{"ts":1,"motion":{"hz":10,"xyz":[` + strings.Repeat("[0,0,9.8],", 3000) + `[0,0,9.8]]}}`, codec.ErrField},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			items, err := codec.Decode([]byte(`[{"ts":5},`+c.bad+`,{"ts":6}]`), nil)
			if err != nil || len(items) != 3 {
				t.Fatalf("%d items, %v", len(items), err)
			}
			if items[0].Err != nil || items[2].Err != nil {
				t.Errorf("the neighbours were refused: %v, %v", items[0].Err, items[2].Err)
			}
			if !errors.Is(items[1].Err, c.err) || string(items[1].Raw) != c.bad {
				t.Errorf("%s: %v, want %v", items[1].Raw, items[1].Err, c.err)
			}
		})
	}
}

func TestTopic(t *testing.T) {
	t.Parallel()
	if tenant, device, err := codec.Topic(codec.TopicOf("bank", "g-1")); tenant != "bank" || device != "g-1" || err != nil {
		t.Error(tenant, device, err)
	}
	for _, bad := range []string{"", "furrow/v1/a/telemetry", "furrow/v1//d/telemetry", "furrow/v1/a/b/c/telemetry", "x/v1/a/b/telemetry", "furrow/v1/a/+/telemetry", "furrow/v1/a/b/other"} {
		if _, _, err := codec.Topic(bad); !errors.Is(err, codec.ErrTopic) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		maybe := func(label string, low, high float64) *float64 {
			if !rapid.Bool().Draw(t, label+"?") {
				return nil
			}
			return ptr(rapid.Float64Range(low, high).Draw(t, label))
		}
		r := iot.Reading{Tag: rapid.StringMatching(`[a-zA-Z0-9._:-]{1,64}`).Draw(t, "tag"),
			At:       time.UnixMilli(rapid.Int64Range(0, 1<<45).Draw(t, "ts")).UTC(),
			Accuracy: maybe("acc", 0, 1e6), Temp: maybe("temp", -90, 120), Ambient: maybe("ambient", -90, 90),
			Activity: maybe("activity", 0, 1000), Battery: maybe("battery", 0, 60),
			Lying: maybe("lying", 0, 604800), Grazing: maybe("grazing", 0, 604800), Walking: maybe("walking", 0, 604800),
			Ruminating: maybe("ruminating", 0, 604800), Weight: maybe("weight", 0, 5000)}
		if rapid.Bool().Draw(t, "fix") {
			r.Lon, r.Lat = ptr(rapid.Float64Range(-180, 180).Draw(t, "lon")), ptr(rapid.Float64Range(-90, 90).Draw(t, "lat"))
		}
		if rapid.Bool().Draw(t, "attached?") {
			r.Attached = ptr(rapid.Bool().Draw(t, "attached"))
		}
		if rapid.Bool().Draw(t, "motion?") {
			axis := rapid.Float64Range(-160, 160)
			r.Motion = &iot.Motion{Hz: rapid.Float64Range(1, 200).Draw(t, "hz"), XYZ: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) [3]float64 {
				return [3]float64{axis.Draw(t, "x"), axis.Draw(t, "y"), axis.Draw(t, "z")}
			}), 1, 20).Draw(t, "xyz")}
		}
		if rapid.Bool().Draw(t, "heads?") {
			r.Heads, r.Seq = ptr(rapid.Int64Range(0, 1e7).Draw(t, "heads")), ptr(rapid.Int64Range(-1<<53, 1<<53).Draw(t, "seq"))
		}
		h := new(codec.House)
		for source, payload := range map[string][]byte{
			"json": codec.AppendAll(nil, []iot.Reading{r, r}),
			"cbor": codec.AppendAllCBOR(nil, []iot.Reading{r, r}),
		} {
			r.Source = source
			items, err := h.Decode(context.Background(), codec.Address{Format: codec.JSON}, iot.Device{}, payload, at, nil)
			if err != nil || len(items) != 2 || items[0].Err != nil {
				t.Fatal(source, items, err)
			}
			if d := cmp.Diff(r, items[1].Reading); d != "" {
				t.Error(source, d)
			}
		}
	})
}

// FuzzDecode wants no panic, no reading out of bounds, and never an acceptance of
// what encoding/json refuses.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"tag":"t","ts":1764000000123,"lon":113.25,"lat":31.5}`))
	f.Add([]byte(`[{"ts":1,"x":{"a":[1,2,"\u0041"]}},{"ts":2}]`))
	f.Add([]byte(`{"ts":1e3,"attached":true,"seq":-0}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		items, err := codec.Decode(in, nil)
		if err != nil {
			return
		}
		if !json.Valid(in) {
			t.Fatalf("accepted invalid JSON %q", in)
		}
		for _, it := range items {
			if r := it.Reading; it.Err == nil {
				for _, v := range []*float64{r.Lon, r.Lat, r.Temp, r.Ambient, r.Accuracy, r.Activity, r.Battery} {
					if v != nil && (math.IsNaN(*v) || math.Abs(*v) > 1e6) {
						t.Fatalf("out of bounds: %v", *v)
					}
				}
			}
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	in := []byte(`{"tag":"t-000123","ts":1764000000123,"lon":113.251234,"lat":31.512345,"acc_m":4.5,"temp_c":29.1,"activity":0.42,"attached":true,"battery_v":3.61}`)
	b.ReportAllocs()
	var items []codec.Item
	for b.Loop() {
		items, _ = codec.Decode(in, items[:0])
	}
}

func BenchmarkDecodeEncodingJSON(b *testing.B) {
	in := []byte(`{"tag":"t-000123","ts":1764000000123,"lon":113.251234,"lat":31.512345,"acc_m":4.5,"temp_c":29.1,"activity":0.42,"attached":true,"battery_v":3.61}`)
	type wire struct {
		Tag      string   `json:"tag"`
		TS       int64    `json:"ts"`
		Lon      *float64 `json:"lon"`
		Lat      *float64 `json:"lat"`
		Acc      *float64 `json:"acc_m"`
		Temp     *float64 `json:"temp_c"`
		Activity *float64 `json:"activity"`
		Attached *bool    `json:"attached"`
		Battery  *float64 `json:"battery_v"`
	}
	b.ReportAllocs()
	for b.Loop() {
		var w wire
		if err := json.Unmarshal(in, &w); err != nil {
			b.Fatal(err)
		}
	}
}

func ExampleDecode() {
	items, _ := codec.Decode([]byte(`[{"tag":"t-7","ts":1764000000000,"temp_c":29.5},{"tag":"t-8"}]`), nil)
	fmt.Println(items[0].Reading.Tag, *items[0].Reading.Temp)
	fmt.Println(items[1].Err)
	// Output:
	// t-7 29.5
	// the reading has no device time: send ts in Unix milliseconds
}
