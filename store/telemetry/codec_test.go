package telemetry

import (
	"cmp"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"syscall"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/iot"
)

func TestIntsComeBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		element := rapid.SampledFrom([]*rapid.Generator[int64]{rapid.Int64(), rapid.Int64Range(-5, 300), rapid.Just(int64(7)),
			rapid.SampledFrom([]int64{math.MinInt64, math.MaxInt64, 0, 1 << 61, -1 << 61, 3 << 60})}).Draw(t, "kind")
		unit := rapid.SampledFrom([]int64{1, 1, 1000, 7, 1 << 40}).Draw(t, "unit")
		vals := rapid.SliceOfN(element, 1, 300).Draw(t, "values")
		for i := range vals {
			vals[i] *= unit
			if i > 0 && unit == 1000 {
				vals[i] += vals[i-1]
			}
		}
		r := reader{b: packInts(nil, vals, make([]int64, len(vals)))}
		got := make([]int64, len(vals))
		if unpackInts(&r, got); r.bad || len(r.b) > 0 || !reflect.DeepEqual(vals, got) {
			t.Fatalf("%v became %v, bad %v, %d bytes left", vals, got, r.bad, len(r.b))
		}
	})
}

func TestFloatsComeBackToTheBit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		element := rapid.SampledFrom([]*rapid.Generator[float64]{rapid.Float64(),
			rapid.Custom(func(t *rapid.T) float64 { return float64(rapid.IntRange(-1000, 1000).Draw(t, "n")) / 10 }),
			rapid.Custom(func(t *rapid.T) float64 { return float64(rapid.Float32().Draw(t, "f")) }),
			rapid.SampledFrom([]float64{0, math.Copysign(0, -1), 5e-324, math.MaxFloat64, 0.1 + 0.2, 1e15, 1e16})}).Draw(t, "kind")
		floats := rapid.SliceOfN(element, 1, 200).Draw(t, "values")
		vals, got := make([]uint64, len(floats)), make([]uint64, len(floats))
		for i, v := range floats {
			vals[i] = math.Float64bits(v)
		}
		work := make([]int64, len(vals))
		r := reader{b: packFloats(nil, vals, make([]int64, len(vals)), work)}
		if unpackFloats(&r, got, work); r.bad || len(r.b) > 0 || !reflect.DeepEqual(vals, got) {
			t.Fatalf("%v came back as other bits", floats)
		}
	})
}

// aDay is what a tag sends in a day.
func aDay() []point {
	rng := rand.New(rand.NewPCG(1, 2))
	points := make([]point, 288)
	for i := range points {
		p := &points[i]
		p.at = 1780000000000 + int64(i)*300_000 + int64(rng.IntN(3))*1000
		p.received, p.gateway, p.source = p.at+int64(rng.IntN(1000)), "g", "json"
		p.set(lon, math.Float64bits(float64(114_400_000+rng.IntN(200))/1e6))
		p.set(lat, math.Float64bits(float64(35_020_000+rng.IntN(200))/1e6))
		p.set(temp, math.Float64bits(float64(290+rng.IntN(10))/10))
		p.set(seq, uint64(i))
		if i%10 == 0 {
			p.set(battery, math.Float64bits(3.6))
			p.set(attached, 1)
		}
	}
	return points
}

func TestChunkOfADayIsSmall(t *testing.T) {
	t.Parallel()
	var w chunkWriter
	points := aDay()
	body := w.append(nil, points)
	if per := float64(len(body)) / float64(len(points)); per > 7 {
		t.Errorf("%.1f bytes a reading", per)
	}
	c, err := openChunk(body)
	if err != nil {
		t.Fatal(err)
	}
	var d chunkReader
	got, err := d.points(nil, &c, math.MinInt64, math.MaxInt64)
	if err != nil || !reflect.DeepEqual(points, got) {
		t.Error("other points came back", err)
	}
}

// FuzzChunk reads any bytes as a chunk, under a checksum that fits.
func FuzzChunk(f *testing.F) {
	// Seeds are short: Go tries every part of a find to make it smaller.
	var w chunkWriter
	points := aDay()[:5]
	f.Add(w.append(nil, points))
	f.Add(w.append(nil, points[:1]))
	points[3].set(weight, math.Float64bits(math.Pi))
	points[4].gateway = "h"
	f.Add(w.append(nil, points))
	// What a run needs is kept for the next: a few bytes may stand for 4096 readings.
	var d chunkReader
	var got, twice []point
	var written []byte
	f.Fuzz(func(t *testing.T, body []byte) {
		if _, err := openChunk(body); err != nil && !errors.Is(err, errDamaged) {
			t.Fatal(err)
		}
		if len(body) >= 4 {
			body = sum(body[:len(body)-4])
		}
		c, err := openChunk(body)
		if err != nil {
			return
		}
		got, err = d.points(got[:0], &c, math.MinInt64, math.MaxInt64)
		if err != nil && !errors.Is(err, errDamaged) {
			t.Fatal(err)
		}
		for f := range fields {
			_, _, _, _ = d.field(&c, f)
		}
		if err != nil || len(got) == 0 || !slices.IsSortedFunc(got, func(a, b point) int { return cmp.Compare(a.at, b.at) }) {
			return
		}
		written = w.append(written[:0], got)
		again, err := openChunk(written)
		if err != nil {
			t.Fatal(err)
		}
		if twice, err = d.points(twice[:0], &again, math.MinInt64, math.MaxInt64); err != nil || !slices.Equal(got, twice) {
			t.Fatal("what was read could not be written", err)
		}
	})
}

// FuzzFrames reads any bytes as a file of the journal.
func FuzzFrames(f *testing.F) {
	var w blockWriter
	w.reset()
	for i, p := range aDay()[:5] {
		w.add(key{"a", string(rune('a' + i))}, &p)
	}
	f.Add(w.finish(nil))
	f.Add([]byte{blockVersion, 1, 0, 0})
	f.Fuzz(func(t *testing.T, body []byte) {
		if err := frames(body, func([]byte) error { return nil }); err != nil && !errors.Is(err, errDamaged) {
			t.Fatal(err)
		}
		h := newHead()
		if err := h.replay(body); err != nil {
			if !errors.Is(err, errDamaged) {
				t.Fatal(err)
			}
			return
		}
		v := h.view()
		for _, last := range h.last {
			if _, err := v.points(nil, last); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// fullDisk takes so many bytes and no more, and may fail to sync.
type fullDisk struct {
	file
	left *int
	sync *error
}

func (f fullDisk) Write(b []byte) (int, error) {
	if len(b) > *f.left {
		n, _ := f.file.Write(b[:*f.left])
		*f.left = 0
		return n, syscall.ENOSPC
	}
	*f.left -= len(b)
	return f.file.Write(b)
}

func (f fullDisk) Sync() error { return errors.Join(*f.sync, f.file.Sync()) }

// TestDiskFull fills the disk in the middle of a frame: the write says that it may be
// tried again, leaves nothing behind, and works when there is room.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "telemetry.db")
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	left, broken := 300, error(nil)
	s.journal.create = func(path string) (file, error) {
		f, err := createFile(path)
		return fullDisk{f, &left, &broken}, err
	}
	at := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	batch := func(i int) []iot.Reading {
		out := make([]iot.Reading, 5)
		for j := range out {
			out[j] = iot.Reading{Tenant: "a", Tag: "t", At: at.Add(time.Duration(5*i+j) * time.Second), Received: at}
		}
		return out
	}
	written := 0
	for left > 0 {
		if err := s.Write(t.Context(), batch(written)); err == nil {
			written++
		} else if !errors.Is(err, fault.Unavailable) {
			t.Fatal(err)
		}
	}
	for range 3 { // still full: no file is left of each try
		if err := s.Write(t.Context(), batch(written)); !errors.Is(err, fault.Unavailable) {
			t.Fatal(err)
		}
	}
	left, broken = 1<<20, syscall.EIO
	if err := s.Write(t.Context(), batch(written)); !errors.Is(err, fault.Unavailable) {
		t.Fatal("a failed fsync:", err)
	}
	broken = nil
	check := func(want int64) {
		t.Helper()
		if n, err := s.Count(t.Context(), "a", "t"); err != nil || n != want {
			t.Errorf("%d readings, %v; want %d", n, err, want)
		}
	}
	check(int64(5 * written))
	if err := s.Write(t.Context(), batch(written)); err != nil {
		t.Fatal("there is room again:", err)
	}
	check(int64(5 * (written + 1)))
	if files, err := filepath.Glob(path + namePart + "*"); err != nil || len(files) > 2 {
		t.Error("files were left:", files, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	check(int64(5 * (written + 1)))
}

// TestCutShort ends a journal at every byte: what is whole is read, the rest left out.
func TestCutShort(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "telemetry.db")
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	var ends []int64
	at := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	for i := range 4 {
		if err := s.Write(t.Context(), []iot.Reading{{Tenant: "a", Tag: "t", At: at.Add(time.Duration(i) * time.Second), Received: at}}); err != nil {
			t.Fatal(err)
		}
		ends = append(ends, s.journal.size)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(path + namePart + "*")
	whole, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(whole) + 1 {
		want := 0
		for want < len(ends) && ends[want] <= int64(n) {
			want++
		}
		got := 0
		if err := frames(whole[:n], func([]byte) error { got++; return nil }); err != nil || got != want {
			t.Errorf("cut at %d: %d frames, %v; want %d", n, got, err, want)
		}
		zeros := append(append([]byte{}, whole[:n]...), make([]byte, 100)...)
		got = 0
		if err := frames(zeros, func([]byte) error { got++; return nil }); n >= len(magic) && want == len(ends) && (err != nil || got != want) {
			t.Errorf("zeros after %d: %d frames, %v", n, got, err)
		}
	}
	// Damage amid frames is not a crash's doing and must be told.
	whole[len(magic)+frameHead+3] ^= 1
	if err := frames(whole, func([]byte) error { return nil }); !errors.Is(err, errDamaged) {
		t.Error("a damaged frame:", err)
	}
}

func sum(b []byte) []byte {
	return appendSum(append([]byte(nil), b...), 0)
}
