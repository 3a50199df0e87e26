package codec_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/codec"
	"github.com/furrowcredit/furrow/iot/codec/profile"
	"github.com/furrowcredit/furrow/iot/codec/sparkplug"
)

var received = time.UnixMilli(1780300800500).UTC() // 2026-06-01T08:00:00.5Z

// house has the built-in profiles and knows the devices by their number.
func house(tb testing.TB, devices ...iot.Device) *codec.House {
	tb.Helper()
	fsys, err := catalog.Open("")
	if err != nil {
		tb.Fatal(err)
	}
	profiles, err := profile.Load(fsys)
	if err != nil {
		tb.Fatal(err)
	}
	return &codec.House{Profiles: profiles, Device: func(_ context.Context, tenant, id string) (iot.Device, error) {
		for _, d := range devices {
			if d.Tenant == tenant && d.ID == id {
				return d, nil
			}
		}
		return iot.Device{}, iot.ErrDeviceNotFound
	}}
}

// decode runs one message through the house.
func decode(tb testing.TB, h *codec.House, topic string, device iot.Device, payload string) ([]codec.Item, error) {
	tb.Helper()
	a, err := codec.Parse(topic)
	if err != nil {
		tb.Fatal(err)
	}
	return h.Decode(tb.Context(), a, device, []byte(payload), received, nil)
}

// readings are the usable ones; the first refusal is the error.
func readings(tb testing.TB, items []codec.Item, err error) ([]iot.Reading, error) {
	tb.Helper()
	var out []iot.Reading
	for _, it := range items {
		if it.Err != nil {
			if len(it.Raw) == 0 {
				tb.Error("a refusal without its part of the payload:", it.Err)
			}
			if err == nil {
				err = it.Err
			}
			continue
		}
		out = append(out, it.Reading)
	}
	return out, err
}

type formatCase struct {
	name, topic, payload string
	device               iot.Device
	want                 []iot.Reading
	err                  error
}

func (c formatCase) run(t *testing.T, h *codec.House) {
	t.Run(c.name, func(t *testing.T) {
		t.Parallel()
		if c.device.ID == "" {
			c.device = iot.Device{ID: "t1", Tenant: "bank", Kind: iot.TagDevice}
		}
		items, err := decode(t, h, c.topic, c.device, c.payload)
		got, err := readings(t, items, err)
		if !errors.Is(err, c.err) {
			t.Errorf("error %v, want %v", err, c.err)
		}
		if err != nil && fault.Kind(err) == nil {
			t.Error("an error without a kind:", err)
		}
		if d := cmp.Diff(c.want, got, cmpopts.IgnoreFields(iot.Reading{}, "Source"), cmpopts.EquateEmpty()); d != "" {
			t.Error(d)
		}
		for _, r := range got {
			if a, _ := codec.Parse(c.topic); r.Source != string(a.Format) {
				t.Errorf("source %q of %s", r.Source, a.Format)
			}
		}
	})
}

func TestThingsBoard(t *testing.T) {
	t.Parallel()
	h := house(t, iot.Device{ID: "A", Tenant: "bank", Profile: "furrow-tag"}, iot.Device{ID: "B", Tenant: "bank"},
		iot.Device{ID: "C", Tenant: "bank", Profile: "gone"})
	ts := time.UnixMilli(1780300000000).UTC()
	gateway := iot.Device{ID: "g1", Tenant: "bank", Kind: iot.Gateway}
	const me, gw = "v1/devices/me/telemetry", "v1/gateway/telemetry"
	for _, c := range []formatCase{
		{name: "without a time", topic: me, payload: `{"latitude": 31.5, "longitude": 113.25, "temperature": 29.5, "model": "x", "voltage": 3.61}`,
			want: []iot.Reading{{At: received, Lat: ptr(31.5), Lon: ptr(113.25), Temp: ptr(29.5), Battery: ptr(3.61)}}},
		{name: "our own names", topic: "v2/t", payload: `{"ts": 1780300000000, "temp_c": 29.5, "attached": true, "heads": 40}`,
			want: []iot.Reading{{At: ts, Temp: ptr(29.5), Attached: ptr(true), Heads: ptr(int64(40))}}},
		{name: "with a time", topic: "furrow/v1/bank/t1/thingsboard", payload: `{"ts":1780300000000,"values":{"Temperature":29.5,"pos":{"x":1}}}`,
			want: []iot.Reading{{At: ts, Temp: ptr(29.5)}}},
		{name: "values before the time", topic: me, payload: `{"values":{"temperature":29.5},"ts":1780300000000}`,
			want: []iot.Reading{{At: ts, Temp: ptr(29.5)}}},
		{name: "pieces without a time are one reading", topic: me, payload: `[{"latitude":31.5,"longitude":113.25},{"temperature":29.5}]`,
			want: []iot.Reading{{At: received, Lat: ptr(31.5), Lon: ptr(113.25), Temp: ptr(29.5)}}},
		{name: "several times", topic: me, payload: `[{"ts":1780300000000,"values":{"temperature":1}},{"ts":1780300001000,"values":{"temperature":2}}]`,
			want: []iot.Reading{{At: ts, Temp: ptr(1.0)}, {At: ts.Add(time.Second), Temp: ptr(2.0)}}},
		{name: "alive", topic: me, payload: `{}`, want: []iot.Reading{{At: received}}},
		{name: "nothing", topic: me, payload: `[]`},
		{name: "nothing known", topic: me, payload: `{"humidity": 61}`, err: codec.ErrNoMeasure},
		{name: "text for a number", topic: me, payload: `[{"ts":1780300000000,"values":{"temperature":"29.5"}},{"ts":1780300001000,"values":{"temperature":2}}]`,
			want: []iot.Reading{{At: ts.Add(time.Second), Temp: ptr(2.0)}}, err: codec.ErrField},
		{name: "object for a number", topic: me, payload: `{"temperature":[1]}`, err: codec.ErrField},
		{name: "beyond the pole", topic: me, payload: `{"latitude":91,"longitude":1}`, err: codec.ErrField},
		{name: "half a position", topic: me, payload: `{"latitude":31}`, err: codec.ErrField},
		{name: "time as text", topic: me, payload: `{"ts":"now","values":{"temperature":1}}`, err: codec.ErrField},
		{name: "time that is none", topic: me, payload: `{"ts":1.5,"values":{"temperature":1}}`, err: codec.ErrField},
		{name: "NaN", topic: me, payload: `{"temperature":NaN}`, err: codec.ErrPayload},
		{name: "overflow", topic: me, payload: `{"temperature":1e999}`, err: codec.ErrField},
		{name: "not UTF-8", topic: me, payload: "{\"temp\xff\":1}", err: codec.ErrPayload},
		{name: "number", topic: me, payload: `3`, err: codec.ErrPayload},
		{name: "list of numbers", topic: me, payload: `[3]`, err: codec.ErrPayload},
		{name: "deep", topic: me, payload: strings.Repeat(`{"a":`, 60) + "1" + strings.Repeat("}", 60), err: codec.ErrPayload},
		{name: "huge", topic: me, payload: `{"a":"` + strings.Repeat("x", codec.MaxBytes) + `"}`, err: codec.ErrPayload},
		{name: "too many", topic: me, payload: "[" + strings.Repeat(`{"ts":1,"values":{"temperature":91e9}},`, codec.MaxReadings) + `{}]`, err: codec.ErrTooMany},

		{name: "gateway", topic: gw, device: gateway, payload: `{"A":[{"ts":1780300000000,"values":{"batteryLevel":50}},{"ts":1780300001000,"values":{"temp_c":2}}],"B":[{"temperature":3}]}`,
			want: []iot.Reading{{Tag: "A", At: ts, Battery: ptr(3.3)}, {Tag: "A", At: ts.Add(time.Second), Temp: ptr(2.0)}, {Tag: "B", At: received, Temp: ptr(3.0)}}},
		{name: "gateway of one object", topic: "furrow/v1/bank/g1/thingsboard/gateway", device: gateway, payload: `{"B":{"temperature":3}}`,
			want: []iot.Reading{{Tag: "B", At: received, Temp: ptr(3.0)}}},
		{name: "gateway with a stranger", topic: gw, device: gateway, payload: `{"Cow 7":[{"temperature":3}],"Z":[{"temperature":3}]}`,
			want: []iot.Reading{{Tag: "Z", At: received, Temp: ptr(3.0)}}, err: codec.ErrField},
		{name: "gateway without devices", topic: gw, device: gateway, payload: `[{"temperature":3}]`, err: codec.ErrPayload},
		{name: "profile that is gone", topic: gw, device: gateway, payload: `{"C":[{"temperature":3}]}`, err: profile.ErrUnknown},
	} {
		c.run(t, h)
	}
}

func TestDevicesCannotBeAsked(t *testing.T) {
	t.Parallel()
	h := house(t)
	down := fault.New(fault.Unavailable, "store.unavailable", "down")
	h.Device = func(context.Context, string, string) (iot.Device, error) { return iot.Device{}, down }
	items, err := decode(t, h, "v1/gateway/telemetry", iot.Device{ID: "g", Kind: iot.Gateway}, `{"A":[{"temp_c":1}]}`)
	if !errors.Is(err, fault.Unavailable) || len(items) != 0 {
		t.Error("a store that is down must not refuse the payload:", items, err)
	}
}

func golden(tb testing.TB, name string) string {
	tb.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	return string(b)
}

func TestChirpStack(t *testing.T) {
	t.Parallel()
	const eui = "70b3d57ed0061f2a"
	h := house(t, iot.Device{ID: eui, Tenant: "bank", Profile: "furrow-tag"})
	network := iot.Device{ID: "lns", Tenant: "bank", Kind: iot.Network}
	lpp := iot.Device{ID: eui, Tenant: "bank", Kind: iot.TagDevice, Profile: "cayenne-lpp"}
	bare := iot.Device{ID: "lns", Tenant: "other", Kind: iot.Network}
	topic := func(event string) string { return "application/a-1/device/" + strings.ToUpper(eui) + "/event/" + event }
	heard := time.Date(2026, 6, 1, 8, 0, 0, 123_000_000, time.UTC)
	fix := iot.Reading{Tag: eui, At: time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC), Gateway: "0016c001f153a14c", Lat: ptr(31.5123354), Lon: ptr(113.250132),
		Accuracy: ptr(5.0), Temp: ptr(29.1), Activity: ptr(0.42), Attached: ptr(true), Battery: ptr(3.6), Seq: ptr(int64(1287))}
	for _, c := range []formatCase{
		{name: "bytes of a profile", topic: topic("up"), device: network, payload: golden(t, "chirpstack-up.json"), want: []iot.Reading{fix}},
		{name: "bytes of Cayenne LPP", topic: topic("up"), device: lpp, payload: `{"time":"2026-06-01T08:00:00.123456789+00:00","fPort":5,"data":"A2cBEA=="}`,
			want: []iot.Reading{{Tag: eui, At: heard, Temp: ptr(27.2)}}},
		{name: "decoded by ChirpStack", topic: topic("up"), device: bare,
			payload: `{"time":"2026-06-01T10:00:00.123+02:00","fCnt":3,"fPort":5,"data":"A2cBEA==","object":{"temperatureSensor":{"3":27.2},"gpsLocation":{"1":{"latitude":31.5,"longitude":113.25,"altitude":20}}},"rxInfo":[]}`,
			want:    []iot.Reading{{Tag: eui, At: heard, Temp: ptr(27.2), Lat: ptr(31.5), Lon: ptr(113.25), Seq: ptr(int64(3))}}},
		{name: "the gateway's time", topic: topic("up"), device: lpp,
			payload: `{"data":"A2cBEA==","rxInfo":[{"gatewayId":"aa","rssi":-90,"nsTime":"2026-06-01T08:00:07Z","gwTime":"2026-06-01T08:00:00.123Z"},{"gatewayId":"bb","rssi":-91,"gwTime":"2026-06-01T08:00:05Z"}]}`,
			want:    []iot.Reading{{Tag: eui, At: heard, Gateway: "aa", Temp: ptr(27.2)}}},
		{name: "no time at all", topic: topic("up"), device: lpp, payload: `{"data":"A2cBEA=="}`, want: []iot.Reading{{Tag: eui, At: received, Temp: ptr(27.2)}}},
		{name: "a frame without bytes is a sign of life", topic: topic("up"), device: bare, payload: `{"time":"2026-06-01T08:00:00.123Z","fCnt":4}`,
			want: []iot.Reading{{Tag: eui, At: heard, Seq: ptr(int64(4))}}},
		{name: "an empty object is none", topic: topic("up"), device: lpp, payload: `{"object":{},"data":"A2cBEA=="}`, want: []iot.Reading{{Tag: eui, At: received, Temp: ptr(27.2)}}},
		{name: "bytes of nobody", topic: topic("up"), device: bare, payload: `{"fPort":2,"data":"AAAA"}`, err: profile.ErrNone},
		{name: "bytes of another port", topic: topic("up"), device: network, payload: `{"fPort":9,"data":"AAAA"}`, err: profile.ErrPort},
		{name: "bytes of another length", topic: topic("up"), device: network, payload: `{"fPort":2,"data":"AAAA"}`, err: profile.ErrBytes},
		{name: "object of nobody", topic: topic("up"), device: bare, payload: `{"object":{"soil":{"moisture":3}}}`, err: codec.ErrNoMeasure},
		{name: "another device", topic: topic("up"), device: lpp, payload: `{"deviceInfo":{"devEui":"0102030405060708"},"data":"A2cBEA=="}`, err: codec.ErrField},
		{name: "no base64", topic: topic("up"), device: lpp, payload: `{"data":"%"}`, err: codec.ErrField},
		{name: "no time", topic: topic("up"), device: lpp, payload: `{"time":"yesterday","data":"A2cBEA=="}`, err: codec.ErrField},
		{name: "time before all tags", topic: topic("up"), device: lpp, payload: `{"time":"0001-01-01T00:00:00Z","data":"A2cBEA=="}`, err: codec.ErrField},
		{name: "port", topic: topic("up"), device: lpp, payload: `{"fPort":256,"data":"A2cBEA=="}`, err: codec.ErrField},
		{name: "counter as text", topic: topic("up"), device: lpp, payload: `{"fCnt":"1","data":"A2cBEA=="}`, err: codec.ErrField},
		{name: "protobuf", topic: topic("up"), device: lpp, payload: "\x0a\x24abc", err: codec.ErrPayload},
		{name: "list", topic: topic("up"), device: lpp, payload: `[]`, err: codec.ErrPayload},
		{name: "deep", topic: topic("up"), device: lpp, payload: `{"object":` + strings.Repeat(`{"a":`, 60) + "1" + strings.Repeat("}", 61), err: codec.ErrPayload},

		{name: "battery", topic: topic("status"), device: network, payload: `{"deviceInfo":{"devEui":"` + eui + `"},"time":"2026-06-01T08:00:00.123Z","margin":10,"batteryLevel":75.5}`,
			want: []iot.Reading{{Tag: eui, At: heard, Battery: ptr(75.5*0.006 + 3)}}},
		{name: "battery in unknown volts", topic: topic("status"), device: lpp, payload: `{"time":"2026-06-01T08:00:00.123Z","margin":10,"batteryLevel":75.5}`},
		{name: "battery that is not measured", topic: topic("status"), device: network, payload: `{"batteryLevelUnavailable":true,"batteryLevel":0}`},
		{name: "location", topic: topic("location"), device: network, payload: `{"time":"2026-06-01T08:00:00.123Z","location":{"latitude":31.5,"longitude":113.25,"altitude":1,"source":"GEO_RESOLVER_TDOA","accuracy":120}}`,
			want: []iot.Reading{{Tag: eui, At: heard, Lat: ptr(31.5), Lon: ptr(113.25), Accuracy: ptr(120.0)}}},
		{name: "location of unknown accuracy", topic: topic("location"), device: network, payload: `{"time":"2026-06-01T08:00:00.123Z","location":{"latitude":31.5,"longitude":113.25,"accuracy":0}}`,
			want: []iot.Reading{{Tag: eui, At: heard, Lat: ptr(31.5), Lon: ptr(113.25)}}},
		{name: "join", topic: topic("join"), device: network, payload: `{"devAddr":"00189440"}`},
		{name: "ack", topic: topic("ack"), device: network, payload: `{}`},
		{name: "txack", topic: topic("txack"), device: network, payload: `{}`},
		{name: "log", topic: topic("log"), device: network, payload: `{}`},
	} {
		c.run(t, h)
	}
	// A redelivery lands on the same tag and time, which is one reading of the store.
	again, err := decode(t, h, topic("up"), network, golden(t, "chirpstack-up.json"))
	if err != nil || len(again) != 1 || !again[0].Reading.At.Equal(fix.At) {
		t.Error(again, err)
	}
}

func TestCounts(t *testing.T) {
	t.Parallel()
	const topic = "furrow/v1/bank/c1/count"
	picture := strings.Repeat("0a", 32)
	camera := iot.Device{ID: "c1", Tenant: "bank", Kind: iot.Camera, HerdID: "h1", PenID: "p1"}
	gate := iot.Device{ID: "c1", Tenant: "bank", Kind: iot.Gate, HerdID: "h1"}
	from, to := time.UnixMilli(1780300000000).UTC(), time.UnixMilli(1780300600000).UTC()
	count := iot.Headcount{Tenant: "bank", HerdID: "h1", PenID: "p1", Device: "c1", Kind: iot.ByCamera, From: from, To: to, Seen: 41, Matched: ptr(37), Picture: picture, Received: received}
	passed := iot.Headcount{Tenant: "bank", HerdID: "h1", PenID: "yard", Device: "c1", Kind: iot.ByGate, From: from, To: from, Seen: 3, Out: 2, Received: received}
	for _, c := range []struct {
		name    string
		device  iot.Device
		payload string
		want    []iot.Headcount
		err     error
		field   string
	}{
		{"picture", camera, `{"from":1780300000000,"to":1780300600000,"seen":41,"matched":37,"picture":"` + strings.ToUpper(picture) + `","model":"m"}`, []iot.Headcount{count}, nil, ""},
		{"passages", gate, `[{"from":1780300000000,"to":1780300000000,"seen":3,"out":2,"matched":null,"pen":"yard","picture":null}]`, []iot.Headcount{passed}, nil, ""},
		{"encoded", camera, string(codec.AppendCount(nil, count)), []iot.Headcount{count}, nil, ""},
		{"tag", iot.Device{ID: "t1", Kind: iot.TagDevice, HerdID: "h1"}, `{}`, nil, codec.ErrCountDevice, ""},
		{"unclaimed", iot.Device{ID: "c1", Kind: iot.Camera}, `{}`, nil, codec.ErrCountHerd, ""},
		{"no picture", camera, `{"from":1,"to":1,"seen":1}`, nil, codec.ErrField, "picture"},
		{"no hash", camera, `{"from":1,"to":1,"seen":1,"picture":"abc"}`, nil, codec.ErrField, "picture"},
		{"picture as number", camera, `{"from":1,"to":1,"seen":1,"picture":1}`, nil, codec.ErrField, "picture"},
		{"no from", gate, `{"to":1,"seen":1}`, nil, codec.ErrField, "from"},
		{"no to", gate, `{"from":1,"seen":1}`, nil, codec.ErrField, "to"},
		{"no seen", gate, `{"from":1,"to":1}`, nil, codec.ErrField, "seen"},
		{"backwards", gate, `{"from":2,"to":1,"seen":1}`, nil, codec.ErrField, "to"},
		{"two days", gate, `{"from":0,"to":172800000,"seen":1}`, nil, codec.ErrField, "to"},
		{"negative", gate, `{"from":1,"to":1,"seen":-1}`, nil, codec.ErrField, "seen"},
		{"half a head", gate, `{"from":1,"to":1,"seen":1.5}`, nil, codec.ErrField, "seen"},
		{"overflow", gate, `{"from":1,"to":1,"seen":1e999}`, nil, codec.ErrField, "seen"},
		{"million", gate, `{"from":1,"to":1,"seen":1000001}`, nil, codec.ErrField, "seen"},
		{"text", gate, `{"from":"1","to":1,"seen":1}`, nil, codec.ErrField, "from"},
		{"more out than seen", gate, `{"from":1,"to":1,"seen":1,"out":2}`, nil, codec.ErrField, "out"},
		{"camera that sees out", camera, `{"from":1,"to":1,"seen":1,"out":1,"picture":"` + picture + `"}`, nil, codec.ErrField, "out"},
		{"more matched than seen", gate, `{"from":1,"to":1,"seen":1,"matched":2}`, nil, codec.ErrField, "matched"},
		{"long pen", gate, `{"from":1,"to":1,"seen":1,"pen":"` + strings.Repeat("x", 65) + `"}`, nil, codec.ErrField, "pen"},
		{"no JSON", gate, `{"from":1,`, nil, codec.ErrPayload, ""},
		{"number", gate, `7`, nil, codec.ErrPayload, ""},
		{"too many", gate, "[" + strings.Repeat("{},", codec.MaxReadings) + "{}]", nil, codec.ErrTooMany, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			items, err := decode(t, new(codec.House), topic, c.device, c.payload)
			var got []iot.Headcount
			for _, it := range items {
				if it.Err != nil {
					err = it.Err
					continue
				}
				got = append(got, *it.Count)
			}
			if !errors.Is(err, c.err) {
				t.Fatalf("error %v, want %v", err, c.err)
			}
			var f *fault.Error
			if c.field != "" && (!errors.As(err, &f) || f.Args["field"] != c.field) {
				t.Errorf("%v does not name %s", err, c.field)
			}
			if d := cmp.Diff(c.want, got, cmpopts.IgnoreFields(iot.Headcount{}, "ID")); d != "" {
				t.Error(d)
			}
		})
	}
	t.Run("a redelivery is the same count", func(t *testing.T) {
		t.Parallel()
		id := func(payload string) string {
			items, err := decode(t, new(codec.House), topic, gate, payload)
			if err != nil || items[0].Err != nil {
				t.Fatal(items, err)
			}
			return items[0].Count.ID
		}
		first := id(`{"from":1,"to":2,"seen":1}`)
		if first == "" || first != id(` {"seen":1,"to":2,"from":1}`) || first == id(`{"from":1,"to":3,"seen":1}`) {
			t.Error("the id of a count does not name its device and window")
		}
	})
}

func ExampleHouse_Decode() {
	h := &codec.House{} // no device profiles: only the house's own names are known
	a, _ := codec.Parse("v1/devices/me/telemetry")
	device := iot.Device{ID: "A-017", Tenant: "bank", Kind: iot.TagDevice}
	items, _ := h.Decode(context.Background(), a, device, []byte(`{"ts":1780300800000,"values":{"temp_c":29.5}}`), time.Now(), nil)
	fmt.Println(items[0].Reading.At.Format(time.RFC3339), *items[0].Reading.Temp, items[0].Reading.Source)
	_, err := h.Decode(context.Background(), a, device, []byte(`{"ts":1780300800000,`), time.Now(), nil)
	fmt.Println(err)
	// Output:
	// 2026-06-01T08:00:00Z 29.5 thingsboard
	// the payload cannot be read: expected a quoted name or text at byte 20
}

// inBounds fails on a reading or count that no format may let through.
func inBounds(t *testing.T, items []codec.Item) {
	t.Helper()
	if len(items) > codec.MaxReadings+1 {
		t.Fatal(len(items), "items")
	}
	for _, it := range items {
		if it.Err != nil {
			if fault.Kind(it.Err) == nil {
				t.Fatal("an error without a kind:", it.Err)
			}
			continue
		}
		if c := it.Count; c != nil {
			if c.Seen < 0 || c.Seen > codec.MaxSeen || c.Out > c.Seen || c.To.Before(c.From) || c.ID == "" {
				t.Fatalf("count %+v", c)
			}
			continue
		}
		r := it.Reading
		if (r.Lon == nil) != (r.Lat == nil) || r.Lon != nil && !(math.Abs(*r.Lon) <= 180 && math.Abs(*r.Lat) <= 90) {
			t.Fatalf("position %v %v", r.Lon, r.Lat)
		}
		for f, v := range map[profile.Field]*float64{profile.Temp: r.Temp, profile.Ambient: r.Ambient, profile.Accuracy: r.Accuracy, profile.Activity: r.Activity,
			profile.Battery: r.Battery, profile.Lying: r.Lying, profile.Grazing: r.Grazing, profile.Walking: r.Walking, profile.Ruminating: r.Ruminating, profile.Weight: r.Weight} {
			if v != nil && !f.Fits(*v) {
				t.Fatalf("%s is %v", f, *v)
			}
		}
		if r.Heads != nil && !profile.Heads.Fits(float64(*r.Heads)) || r.Motion != nil && profile.MotionProblem(r.Motion) != "" {
			t.Fatalf("heads %v, motion %v", r.Heads, r.Motion)
		}
		if r.At.IsZero() || r.Source == "" || r.Tag != "" && !iot.ValidDeviceID(r.Tag) || r.Gateway != "" && !iot.ValidDeviceID(r.Gateway) {
			t.Fatalf("reading %+v", r)
		}
		// What came in can be sent on as the house's own formats.
		if back, err := codec.Decode(codec.Append(nil, r), nil); err != nil || back[0].Err != nil {
			t.Fatalf("%s cannot be read again: %v %v", codec.Append(nil, r), err, back)
		}
	}
}

func fuzzFormat(f *testing.F, topics []string, device iot.Device) {
	h := house(f, iot.Device{ID: "70b3d57ed0061f2a", Tenant: "bank", Profile: "furrow-tag"})
	device.Tenant = "bank"
	f.Fuzz(func(t *testing.T, payload []byte) {
		for _, topic := range topics {
			a, err := codec.Parse(topic)
			if err != nil {
				t.Fatal(err)
			}
			items, err := h.Decode(t.Context(), a, device, payload, received, nil)
			if err != nil && (fault.Kind(err) == nil || len(items) > 0) {
				t.Fatal(items, err)
			}
			inBounds(t, items)
		}
	})
}

func FuzzThingsBoard(f *testing.F) {
	f.Add([]byte(`[{"ts":1780300000000,"values":{"temperature":1,"latitude":31.5,"longitude":2}},{"a":{"b":[1]}}]`))
	f.Add([]byte(`{"A":[{"ts":1780300000000,"values":{"batteryLevel":50}}]}`))
	f.Add([]byte(`{"device":"A"}`))
	fuzzFormat(f, []string{"v1/devices/me/telemetry", "v1/gateway/telemetry", "v1/gateway/disconnect", "furrow/v1/bank/g1/status"}, iot.Device{ID: "g1", Kind: iot.Gateway})
}

func FuzzChirpStack(f *testing.F) {
	f.Add([]byte(golden(f, "chirpstack-up.json")))
	f.Add([]byte(`{"object":{"temperatureSensor":{"3":27.2},"gpsLocation":{"1":{"latitude":31.5,"longitude":113.25}}}}`))
	f.Add([]byte(`{"batteryLevel":75.5,"location":{"latitude":31.5,"longitude":113.25,"accuracy":1}}`))
	const t = "application/a/device/70b3d57ed0061f2a/event/"
	fuzzFormat(f, []string{t + "up", t + "status", t + "location", t + "log"}, iot.Device{ID: "lns", Kind: iot.Network})
}

func FuzzCounts(f *testing.F) {
	f.Add([]byte(`[{"from":1780300000000,"to":1780300000000,"seen":3,"out":2,"matched":null,"pen":"yard","picture":null}]`))
	fuzzFormat(f, []string{"furrow/v1/bank/c1/count"}, iot.Device{ID: "c1", Kind: iot.Gate, HerdID: "h1"})
}

func FuzzCBOR(f *testing.F) {
	f.Add(codec.AppendAllCBOR(nil, []iot.Reading{{Tag: "t", At: received, Lon: ptr(1.5), Lat: ptr(2.0), Motion: &iot.Motion{Hz: 10, XYZ: [][3]float64{{1, 2, 3}}}}}))
	f.Add([]byte{0xa1, 0x62, 't', 's', 1})
	f.Add([]byte{0x9f, 0xff})
	f.Add([]byte{0xa2, 2, 1, 0xc1, 0xf9, 0x3c, 0})
	fuzzFormat(f, []string{"furrow/v1/bank/c1/telemetry"}, iot.Device{ID: "c1", Kind: iot.TagDevice})
}

// BenchmarkFormats reads one position, temperature, activity and battery of one tag
// in each format.
func BenchmarkFormats(b *testing.B) {
	const eui = "70b3d57ed0061f2a"
	h := house(b, iot.Device{ID: eui, Tenant: "bank", Profile: "furrow-tag"})
	gateway := iot.Device{ID: "g1", Tenant: "bank", Kind: iot.Gateway}
	reading := iot.Reading{Tag: "t-000123", At: received, Lon: ptr(113.251234), Lat: ptr(31.512345), Temp: ptr(29.1), Activity: ptr(0.42), Battery: ptr(3.61)}
	definition := []sparkplug.Metric{named("lon", 1, sparkplug.Double, 1), named("lat", 2, sparkplug.Double, 1), named("temp_c", 3, sparkplug.Float, 1),
		named("activity", 4, sparkplug.Float, 1), named("battery_v", 5, sparkplug.Float, 1)}
	birth := sparkplug.Append(nil, sparkplug.Payload{Time: received, Metrics: definition})
	data := sparkplug.Append(nil, sparkplug.Payload{Time: received, Metrics: []sparkplug.Metric{alias(1, sparkplug.Double, 113.251234), alias(2, sparkplug.Double, 31.512345),
		alias(3, sparkplug.Float, 29.1), alias(4, sparkplug.Float, 0.42), alias(5, sparkplug.Float, 3.61)}})
	for _, c := range []struct {
		name, topic string
		payload     []byte
	}{
		{"json", "furrow/v1/bank/g1/telemetry", codec.Append(nil, reading)},
		{"cbor", "furrow/v1/bank/g1/telemetry", codec.AppendCBOR(nil, reading)},
		{"thingsboard", "v1/gateway/telemetry", []byte(`{"t-000123":[{"ts":1780300800500,"values":{"longitude":113.251234,"latitude":31.512345,"temperature":29.1,"activity":0.42,"voltage":3.61}}]}`)},
		{"chirpstack", "application/a/device/" + eui + "/event/up", []byte(golden(b, "chirpstack-up.json"))},
		{"sparkplug birth", "spBv1.0/farm/DBIRTH/g1/t-000123", birth},
		{"sparkplug", "spBv1.0/farm/DDATA/g1/t-000123", data},
	} {
		b.Run(c.name, func(b *testing.B) {
			a, err := codec.Parse(c.topic)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(c.payload)))
			b.ReportAllocs()
			var items []codec.Item
			for b.Loop() {
				items, err = h.Decode(b.Context(), a, gateway, c.payload, received, items[:0])
				if err != nil || len(items) != 1 || items[0].Err != nil {
					b.Fatal(items, err)
				}
			}
		})
	}
}
