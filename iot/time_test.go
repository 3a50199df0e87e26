package iot_test

import (
	"testing"
	"time"

	"github.com/furrowcredit/furrow/iot"
)

func TestParseTime(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	for s, want := range map[string]time.Time{
		"2026-06-01T12:00:00Z":      noon,
		"2026-06-01T20:00:00+08:00": noon,
		" 2026-06-01T12:00:00 ":     noon,
		"2026-06-01 12:00:00":       noon,
		"2026-06-01 12:00:00.1":     noon.Add(100 * time.Millisecond),
		"2026-06-01T12:00:00.25":    noon.Add(250 * time.Millisecond),
		"1780315200000":             noon,
		"":                          {},
		"0":                         {},
		"-1":                        {},
		"100000000000000":           {}, // after the year 5000: no milliseconds
		"178031520000000000000":     {},
		"2026-06-01":                {},
		"2026-02-30T12:00:00Z":      {},
		"2026-06-01 25:00:00":       {},
		"01/06/2026 12:00:00":       {},
	} {
		at, ok := iot.ParseTime(s)
		if ok != !want.IsZero() || ok && !at.Equal(want) {
			t.Errorf("%q is %v, %v", s, at, ok)
		}
	}
}
