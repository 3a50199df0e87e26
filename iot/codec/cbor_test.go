package codec_test

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/codec"
)

func TestDecodeCBOR(t *testing.T) {
	t.Parallel()
	xyz := iot.Motion{Hz: 10, XYZ: [][3]float64{{0.5, -9.75, 2}}}
	for _, c := range []struct {
		name, in string
		want     []iot.Reading
		err      error
	}{
		{"names", "a2" + "627473" + "1b0000019ab697e87b" + "6674656d705f63" + "f94f45", []iot.Reading{{At: at, Temp: ptr(29.078125)}}, nil},
		{"numbers", "a4" + "01" + "63742d31" + "02" + "1b0000019ab697e87b" + "09" + "f5" + "0b" + "38c8", []iot.Reading{{Tag: "t-1", At: at, Attached: ptr(true), Seq: ptr(int64(-201))}}, nil},
		{"names and numbers", "a2" + "02" + "1b0000019ab697e87b" + "63" + "6c6f6e" + "f6", []iot.Reading{{At: at}}, nil},
		{"undefined is absent", "a2" + "02" + "1b0000019ab697e87b" + "06" + "f7", []iot.Reading{{At: at}}, nil},
		{"unknown fields", "a4" + "02" + "1b0000019ab697e87b" + "1863" + "82a10102c11a00000000" + "20" + "4101" + "6178" + "f8ff", []iot.Reading{{At: at}}, nil},
		{"list of two", "82" + "a1021b0000019ab697e87b" + "a2021b0000019ab697e87b10" + "f95e72", []iot.Reading{{At: at}, {At: at, Weight: ptr(412.5)}}, nil},
		{"empty list", "80", nil, nil},
		{"marked as CBOR", "d9d9f7" + "a1021b0000019ab697e87b", []iot.Reading{{At: at}}, nil},
		{"motion", "a2021b0000019ab697e87b12" + "a2010a028183f93800f9c8e002", []iot.Reading{{At: at, Motion: &xyz}}, nil},
		{"motion by name", "a2021b0000019ab697e87b12" + "a262687a0a6378797a8183f93800f9c8e002", []iot.Reading{{At: at, Motion: &xyz}}, nil},

		{"no time", "a0", nil, codec.ErrNoTime},
		{"twice", "a2" + "0201" + "62747301", nil, codec.ErrField},
		{"NaN", "a2" + "0201" + "06f97e00", nil, codec.ErrField},
		{"infinite", "a2" + "0201" + "06fa7f800000", nil, codec.ErrField},
		{"too large a number", "a2" + "0201" + "0b1bffffffffffffffff", nil, codec.ErrField},
		{"text for a number", "a2" + "0201" + "06623239", nil, codec.ErrField},
		{"number for a truth", "a2" + "0201" + "0901", nil, codec.ErrField},
		{"number for a tag", "a2" + "0201" + "0101", nil, codec.ErrField},
		{"tag with a slash", "a2" + "0201" + "0163612f62", nil, codec.ErrField},
		{"half a position", "a2" + "0201" + "0301", nil, codec.ErrField},
		{"motion as list", "a2" + "0201" + "1280", nil, codec.ErrField},
		{"motion of two axes", "a2" + "0201" + "12a2010a02818201" + "02", nil, codec.ErrField},

		{"map as key", "a1a00102", nil, codec.ErrPayload},
		{"indefinite map", "bf0201ff", nil, codec.ErrPayload},
		{"indefinite list", "9fff", nil, codec.ErrPayload},
		{"indefinite text", "a2" + "0201" + "017f6161ff", nil, codec.ErrPayload},
		{"reserved", "a1021c", nil, codec.ErrPayload},
		{"cut", "a1021b000001", nil, codec.ErrPayload},
		{"longer than it is", "bb7fffffffffffffff", nil, codec.ErrPayload},
		{"list longer than it is", "9a000007d0" + "a0", nil, codec.ErrPayload},
		{"too many", "9a000007d1", nil, codec.ErrTooMany},
		{"tail", "a1020100", nil, codec.ErrPayload},
		{"list of numbers", "8101", nil, codec.ErrPayload},
		{"not UTF-8", "a1" + "61ff" + "01", nil, codec.ErrPayload},
		{"deep", "a2" + "0201" + "1863" + strings.Repeat("81", 20) + "01", nil, codec.ErrPayload},
		{"deep tags", "a2" + "0201" + "1863" + strings.Repeat("c1", 20) + "01", nil, codec.ErrPayload},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			in, err := hex.DecodeString(c.in)
			if err != nil {
				t.Fatal(err)
			}
			items, err := new(codec.House).Decode(t.Context(), codec.Address{Format: codec.JSON}, iot.Device{}, in, received, nil)
			got, err := readings(t, items, err)
			if !errors.Is(err, c.err) {
				t.Fatalf("error %v, want %v", err, c.err)
			}
			for i := range got {
				if got[i].Source != "cbor" {
					t.Errorf("source %q", got[i].Source)
				}
				got[i].Source = ""
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// The bytes of the page docs/formats/cbor.md, put together by hand.
func TestCBOROfThePage(t *testing.T) {
	t.Parallel()
	in, err := hex.DecodeString("a50165412d303137021b0000019ab697e87b03fb405c99999999999a04fb4041828f5c28f5c306fa41f9999a")
	if err != nil {
		t.Fatal(err)
	}
	items, err := codec.DecodeCBOR(in, nil)
	got, err := readings(t, items, err)
	want := []iot.Reading{{Tag: "A-017", At: at, Lon: ptr(114.4), Lat: ptr(35.02), Temp: ptr(float64(float32(31.2))), Source: "cbor"}}
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Error(err, d)
	}
}

// wellFormed reads one data item of RFC 8949 with definite lengths and returns what
// follows it: a second reader, of another make.
func wellFormed(b []byte, depth int) (rest []byte, ok bool) {
	if len(b) == 0 || depth > 64 || b[0]&31 > 27 {
		return nil, false
	}
	major, n, head := b[0]>>5, uint64(b[0]&31), 1
	if n >= 24 {
		head += 1 << (n - 24)
		if len(b) < head {
			return nil, false
		}
		n = 0
		for _, c := range b[1:head] {
			n = n<<8 + uint64(c)
		}
	}
	short := b[0]&31 < 24
	rest = b[head:]
	switch {
	case major == 7:
		return rest, short || head > 2 || n >= 32
	case major < 2:
		return rest, true
	case major == 6:
		return wellFormed(rest, depth+1)
	case n > uint64(len(rest)):
		return nil, false
	case major == 3 && !utf8.Valid(rest[:n]):
		return nil, false
	case major < 4:
		return rest[n:], true
	case major == 5:
		n *= 2
	}
	for ; n > 0; n-- {
		if rest, ok = wellFormed(rest, depth+1); !ok {
			return nil, false
		}
	}
	return rest, true
}

// FuzzCBORAgainst wants that nothing is taken which another reader refuses.
func FuzzCBORAgainst(f *testing.F) {
	f.Add([]byte{0xa2, 2, 1, 0x18, 0x63, 0x82, 0xa1, 1, 2, 0xc1, 0x1a, 0, 0, 0, 0})
	f.Add([]byte{0x81, 0xa1, 0x62, 't', 's', 0xfb, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, in []byte) {
		if _, err := codec.DecodeCBOR(in, nil); err == nil {
			if rest, ok := wellFormed(in, 0); !ok || len(rest) > 0 {
				t.Fatalf("%x was taken and is not well-formed", in)
			}
		}
	})
}

func BenchmarkDecodeCBOR(b *testing.B) {
	in := codec.AppendCBOR(nil, iot.Reading{Tag: "t-000123", At: time.UnixMilli(1764000000123), Lon: ptr(113.251234), Lat: ptr(31.512345), Accuracy: ptr(4.5),
		Temp: ptr(29.1), Activity: ptr(0.42), Attached: ptr(true), Battery: ptr(3.61)})
	b.ReportMetric(float64(len(in)), "payload-B")
	b.ReportAllocs()
	var items []codec.Item
	for b.Loop() {
		items, _ = codec.DecodeCBOR(in, items[:0])
	}
}
