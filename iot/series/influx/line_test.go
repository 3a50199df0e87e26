package influx

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/iot"
)

func TestNumbersReadBackToTheBit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.OneOf(rapid.Float64(), rapid.Float64Range(-200, 200),
			rapid.Custom(func(t *rapid.T) float64 { return float64(rapid.IntRange(-2e9, 2e9).Draw(t, "n")) / 1e7 }),
			rapid.SampledFrom([]float64{0, math.Copysign(0, -1), 0.1 + 0.2, 1e-7, 1e-8, 9.007199254740993e8, 9007199254740993, math.MaxFloat64, 5e-324})).Draw(t, "value")
		text := string(appendNumber(nil, v))
		if got, err := strconv.ParseFloat(text, 64); err != nil || math.Float64bits(got) != math.Float64bits(v) {
			t.Fatalf("%v was written as %s", v, text)
		}
		if short := strconv.FormatFloat(v, 'f', -1, 64); !strings.ContainsAny(text, "e") && len(text) > len(short) {
			t.Fatalf("%s is longer than %s", text, short)
		}
	})
}

func TestLine(t *testing.T) {
	t.Parallel()
	lon, seq, off := -113.5, int64(7), false
	r := iot.Reading{Tenant: "a b", Tag: `t,1=x`, At: time.UnixMilli(1780000000123), Received: time.UnixMilli(1780000000999),
		Gateway: `g"1\2`, Source: "json", Lon: &lon, Attached: &off, Seq: &seq}
	const want = `reading,tag_id=t\,1\=x,tenant=a\ b received=1780000000999i,gateway="g\"1\\2",source="json",lon=-113.5,attached=f,seq=7i 1780000000123` + "\n"
	if got := string(appendLine(nil, &r, 0)); got != want {
		t.Errorf("%s; want\n%s", got, want)
	}
	lat := 35.5
	placed := r
	placed.Lat = &lat
	const place = `reading,tag_id=t\,1\=x,tenant=a\ b received=1866465281047527429i,place=1428076627175000000i,attached=f,seq=7i 1780000000123` + "\n"
	if got := string(appendLine(nil, &placed, 5)); got != place {
		t.Errorf("%s; want\n%s", got, place)
	}
	const short = `reading,tag_id=t\,1\=x,tenant=a\ b received=1866465281047527429i,lon=-113.5,attached=f,seq=7i 1780000000123` + "\n"
	if got := string(appendLine(nil, &r, 5)); got != short {
		t.Errorf("%s; want\n%s", got, short)
	}
}

func TestPlacesReadBackToTheBit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		degrees := func(most int64, name string) float64 {
			return rapid.OneOf(rapid.Float64Range(-float64(most), float64(most)),
				rapid.Custom(func(t *rapid.T) float64 { return float64(rapid.Int64Range(-most*1e7, most*1e7).Draw(t, name)) / 1e7 }),
				rapid.SampledFrom([]float64{0, math.Copysign(0, -1), float64(most), -float64(most), float64(most) + 1e-7, 1e-8})).Draw(t, name)
		}
		lon, lat := degrees(180, "lon"), degrees(90, "lat")
		place, ok := packPlace(&iot.Reading{Lon: &lon, Lat: &lat})
		if !ok {
			return
		}
		x, y := unpackPlace(place)
		if place < 0 || math.Float64bits(x) != math.Float64bits(lon) || math.Float64bits(y) != math.Float64bits(lat) {
			t.Fatalf("%v, %v came back as %v, %v", lon, lat, x, y)
		}
	})
	for _, c := range []struct {
		lon, lat float64
		packed   bool
	}{
		{114.401234, 35.021234, true}, {-180, -90, true}, {180, 90, true}, {-113.5, 0, true}, {0.0000001, -0.0000001, true},
		{114.40123456, 35, false}, {35, 90.5, false}, {181, 35, false}, {math.Copysign(0, -1), 1, false},
	} {
		if _, ok := packPlace(&iot.Reading{Lon: &c.lon, Lat: &c.lat}); ok != c.packed {
			t.Errorf("%v, %v: packed %v, want %v", c.lon, c.lat, ok, c.packed)
		}
	}
}

func BenchmarkLine(b *testing.B) {
	lon, lat, temp, act := 114.401234, 35.021234, 29.1, 0.57
	r := iot.Reading{Tenant: "county", Tag: "tag-00001", At: time.UnixMilli(1780000000123), Received: time.UnixMilli(1780000000999),
		Source: "json", Lon: &lon, Lat: &lat, Temp: &temp, Activity: &act}
	var line []byte
	for b.Loop() {
		line = appendLine(line[:0], &r, 5)
	}
}
