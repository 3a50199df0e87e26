package wal

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/snappy"
)

// entry is one as InfluxDB writes it.
func entry(kind byte, text string) []byte {
	data := snappy.Encode(nil, []byte(text))
	return append(binary.BigEndian.AppendUint32([]byte{kind}, uint32(len(data))), data...)
}

func TestMend(t *testing.T) {
	t.Parallel()
	good := bytes.Join([][]byte{entry(1, strings.Repeat("water ", 1000)), entry(2, "grass"), entry(3, "")}, nil)
	next := entry(1, "temperature")
	spoilt := bytes.Clone(next)
	spoilt[head] = 200 // the length that the data say they have
	for name, tt := range map[string]struct {
		tail []byte
		why  string
	}{
		"whole":                {nil, ""},
		"a head cut short":     {next[:3], "ends in its head"},
		"only a head":          {next[:head], "has 0 of its"},
		"data cut short":       {next[:len(next)-1], "has 12 of its 13"},
		"a hole":               {append(make([]byte, 48), next...), "kind of entry 0"},
		"spoilt data":          {append(spoilt, next...), "corrupt"},
		"a length of gigabyte": {[]byte{1, 0xff, 0xff, 0xff, 0xff, 0, 0}, "has 2 of its"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			shard := filepath.Join(dir, "furrow", "autogen", "7")
			// The segment before the last is not written on: InfluxDB mends it itself.
			before := append(bytes.Clone(good), 1, 2, 3)
			for path, b := range map[string][]byte{"_00001.wal": before, "_00002.wal": append(bytes.Clone(good), tt.tail...), "notes.txt": tt.tail} {
				if err := os.MkdirAll(shard, 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(shard, path), b, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			cuts, logs, err := Mend(dir)
			if err != nil || logs != 1 {
				t.Fatalf("%d logs, %v", logs, err)
			}
			var want []Cut
			last := filepath.Join(shard, "_00002.wal")
			if tt.why != "" {
				want = []Cut{{Path: last, Whole: int64(len(good)), Torn: int64(len(tt.tail))}}
				if len(cuts) != 1 || !strings.Contains(cuts[0].Why, tt.why) {
					t.Fatalf("cut %+v, want why %q", cuts, tt.why)
				}
				cuts[0].Why = ""
			}
			if d := cmp.Diff(want, cuts); d != "" {
				t.Error(d)
			}
			for path, want := range map[string][]byte{"_00001.wal": before, "_00002.wal": good, "notes.txt": tt.tail} {
				if got, err := os.ReadFile(filepath.Join(shard, path)); err != nil || !bytes.Equal(got, want) {
					t.Errorf("%s has %d bytes, want %d: %v", path, len(got), len(want), err)
				}
			}
			if again, _, err := Mend(dir); err != nil || len(again) > 0 {
				t.Errorf("the second time: %+v %v", again, err)
			}
		})
	}
}

// Before its first start InfluxDB has no log.
func TestMendNothing(t *testing.T) {
	t.Parallel()
	if cuts, logs, err := Mend(filepath.Join(t.TempDir(), "absent")); err != nil || logs != 0 || cuts != nil {
		t.Errorf("%v %d %v", cuts, logs, err)
	}
}

func FuzzMeasure(f *testing.F) {
	whole := append(entry(1, "water water water"), entry(3, "")...)
	f.Add(whole)
	f.Add(whole[:len(whole)-1])
	f.Add(append(make([]byte, 9), whole...))
	f.Add([]byte{2, 0, 0, 0, 6, 0xff, 0xff, 0xff, 0xff, 0x0f, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		n, torn, err := measure(bytes.NewReader(b), int64(len(b)))
		if err != nil || n < 0 || n > int64(len(b)) || (torn == nil) != (n == int64(len(b))) {
			t.Fatalf("%d of %d: %v, %v", n, len(b), torn, err)
		}
		again, torn, err := measure(bytes.NewReader(b[:n]), n)
		if again != n || torn != nil || err != nil {
			t.Fatalf("what is whole is not: %d of %d: %v, %v", again, n, torn, err)
		}
	})
}
