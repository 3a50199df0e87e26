package sparkplug_test

import (
	"encoding/hex"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/furrowcredit/furrow/iot/codec/sparkplug"
)

var at = time.UnixMilli(1780300800000).UTC()

// The bytes of a payload, written by hand after the specification's field numbers.
func TestPayloadBytes(t *testing.T) {
	t.Parallel()
	p := sparkplug.Payload{Time: at, Seq: 3, Metrics: []sparkplug.Metric{sparkplug.NewMetric("a", sparkplug.Int32, -2, time.Time{})}}
	const want = "0880c0c991e833" + // 1: timestamp 1780300800000
		"120b" + "0a0161" + "2003" + "50feffffff0f" + // 2: metric, 1: name "a", 4: Int32, 10: two's complement of -2
		"1803" // 3: seq
	if got := hex.EncodeToString(sparkplug.Append(nil, p)); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]string{
		"cut tag":               "80",
		"cut length":            "12ff",
		"field 0":               "00",
		"metric beyond the end": "120a0a01",
		"seq 256":               "188002",
		"time as text":          "0a0161",
		"time of no calendar":   "08ffffffffffffffff7f",
		"name not UTF-8":        "12030a01ff",
		"double as varint":      "12026801",
		"endless varint":        "18ffffffffffffffffffffff",
		"group without end":     "2b",
	} {
		b, err := hex.DecodeString(in)
		if err != nil {
			t.Fatal(err)
		}
		var syntax *sparkplug.SyntaxError
		if p, err := sparkplug.Decode(b); !errors.As(err, &syntax) || syntax.At > len(b) {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
	many := make([]byte, 0, 2*sparkplug.MaxMetrics+4)
	for range sparkplug.MaxMetrics + 1 {
		many = append(many, 0x12, 0)
	}
	if _, err := sparkplug.Decode(many); err == nil {
		t.Error("so many metrics were taken")
	}
}

// FuzzDecode wants no panic, and that what was read can be written and read again.
func FuzzDecode(f *testing.F) {
	f.Add(sparkplug.Append(nil, sparkplug.Payload{Time: at, Seq: 255, Metrics: []sparkplug.Metric{
		sparkplug.NewMetric("a", sparkplug.Int8, -1, at), sparkplug.NewMetric("b", sparkplug.Double, 1.5, at), sparkplug.NewMetric("", sparkplug.Boolean, 1, at)}}))
	f.Add([]byte{0x12, 4, 0x70, 1, 0x7a, 0}) // a truth and a text in one metric
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := sparkplug.Decode(b)
		if err != nil {
			return
		}
		again, err := sparkplug.Decode(sparkplug.Append(nil, p))
		if err != nil {
			t.Fatal(err)
		}
		for i := range p.Metrics { // a null has no value, whatever stood beside it
			if m := &p.Metrics[i]; m.Null {
				*m = sparkplug.Metric{Name: m.Name, Alias: m.Alias, Time: m.Time, Type: m.Type, Historical: m.Historical, Null: true}
			}
		}
		if d := cmp.Diff(p, again, cmp.AllowUnexported(sparkplug.Metric{})); d != "" {
			t.Fatal(d)
		}
	})
}
