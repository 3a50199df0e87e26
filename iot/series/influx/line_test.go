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
	const short = `reading,tag_id=t\,1\=x,tenant=a\ b received=1866465281047527429i,lon=-113.5,attached=f,seq=7i 1780000000123` + "\n"
	if got := string(appendLine(nil, &r, 5)); got != short {
		t.Errorf("%s; want\n%s", got, short)
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
