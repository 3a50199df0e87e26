package telemetry_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/series"
	"github.com/furrowcredit/furrow/iot/series/seriestest"
	"github.com/furrowcredit/furrow/store/telemetry"
)

func open(tb testing.TB, path string) *telemetry.Store {
	tb.Helper()
	s, err := telemetry.Open(context.Background(), path)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func small(tb testing.TB, path string, n int) *telemetry.Store {
	tb.Helper()
	s, err := telemetry.OpenSmall(context.Background(), path, n)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func ptr[T any](v T) *T { return &v }

func TestStore(t *testing.T) {
	t.Parallel()
	seriestest.Run(t, func(t *testing.T) series.Store { return open(t, filepath.Join(t.TempDir(), "telemetry.db")) })
}

// TestStoreOfChunks runs the suite while heads are compacted all the time.
func TestStoreOfChunks(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 7} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			seriestest.Run(t, func(t *testing.T) series.Store { return small(t, filepath.Join(t.TempDir(), "telemetry.db"), n) })
		})
	}
}

var day0 = time.Date(2026, 5, 31, 16, 0, 0, 0, time.UTC) // midnight in Beijing

// anyReading draws readings that meet each other: few tags, few times, some fields.
func anyReading(t *rapid.T) iot.Reading {
	at := day0.Add(time.Duration(rapid.IntRange(0, 400).Draw(t, "at")) * 17 * time.Minute)
	if rapid.Bool().Draw(t, "odd") {
		at = at.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "ms")) * time.Millisecond)
	}
	r := iot.Reading{Tenant: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "tenant"), Tag: rapid.SampledFrom([]string{"t1", "t2", "t3"}).Draw(t, "tag"),
		At: at, Received: at.Add(time.Duration(rapid.IntRange(-1000, 100_000).Draw(t, "late")) * time.Millisecond),
		Gateway: rapid.SampledFrom([]string{"", "g1", "g2"}).Draw(t, "gateway"), Source: rapid.SampledFrom([]string{"", "json"}).Draw(t, "source")}
	number := rapid.OneOf(rapid.Custom(func(t *rapid.T) float64 { return float64(rapid.IntRange(-400, 400).Draw(t, "tenths")) / 10 }),
		rapid.Float64Range(-math.MaxFloat64, math.MaxFloat64))
	for _, f := range []**float64{&r.Lon, &r.Lat, &r.Temp, &r.Activity, &r.Lying, &r.Weight} {
		if rapid.Bool().Draw(t, "has") {
			*f = ptr(number.Draw(t, "value"))
		}
	}
	if rapid.Bool().Draw(t, "has") {
		r.Seq = ptr(rapid.Int64().Draw(t, "seq"))
		r.Attached = ptr(rapid.Bool().Draw(t, "attached"))
		r.Heads = ptr(rapid.Int64Range(0, 1000).Draw(t, "heads"))
	}
	return r
}

// TestLikeMemory writes, deletes, expires, compacts and reopens at random; the
// store must always answer like the one in memory.
func TestLikeMemory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		ctx := context.Background()
		n++
		path := filepath.Join(dir, fmt.Sprint(n), "telemetry.db")
		limit := rapid.IntRange(1, 40).Draw(t, "head")
		reopen := func() *telemetry.Store {
			s, err := telemetry.OpenSmall(ctx, path, limit)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		s, model := reopen(), &seriestest.Memory{}
		defer func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if err := os.RemoveAll(filepath.Dir(path)); err != nil {
				t.Error(err)
			}
		}()
		both := func(f func(series.Store) error) {
			if err := errors.Join(f(s), f(model)); err != nil {
				t.Fatal(err)
			}
		}
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			switch rapid.IntRange(0, 12).Draw(t, "step") {
			case 0:
				both(func(s series.Store) error { return s.Delete(ctx, "a", "t1") })
			case 1:
				before := day0.AddDate(0, 0, rapid.IntRange(0, 3).Draw(t, "day"))
				both(func(s series.Store) error { return s.Expire(ctx, before) })
			case 2:
				if err := s.Compact(ctx); err != nil {
					t.Fatal(err)
				}
			case 3:
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				s = reopen()
			default:
				batch := rapid.SliceOfN(rapid.Custom(anyReading), 1, 20).Draw(t, "batch")
				both(func(s series.Store) error { return s.Write(ctx, batch) })
			}
		}
		alike(t, s, model)
	})
}

// alike compares all that two stores answer of the tenants a and b.
func alike(t *rapid.T, s, model series.Store) {
	ctx := context.Background()
	tags := []string{"t1", "t2", "t3", "none"}
	for _, tenant := range []string{"a", "b"} {
		for _, tag := range append(tags, "") {
			got, err := s.Count(ctx, tenant, tag)
			want, _ := model.Count(ctx, tenant, tag)
			if err != nil || got != want {
				t.Fatalf("%s/%s counts %d, %v; want %d", tenant, tag, got, err, want)
			}
		}
		from, to := day0.Add(time.Duration(rapid.IntRange(0, 100).Draw(t, "from"))*time.Hour), day0.Add(time.Duration(rapid.IntRange(0, 130).Draw(t, "to"))*time.Hour)
		limit := rapid.IntRange(0, 5).Draw(t, "limit")
		for _, tag := range tags {
			got, err := s.Range(ctx, tenant, tag, from, to, limit)
			want, _ := model.Range(ctx, tenant, tag, from, to, limit)
			same(t, "range", err, want, got)
		}
		latest, err := s.Latest(ctx, tenant, tags)
		want, _ := model.Latest(ctx, tenant, tags)
		same(t, "latest", err, want, latest)
		since := func(s series.Store) (map[string][]iot.Reading, error) {
			out := make(map[string][]iot.Reading)
			return out, s.Since(ctx, tenant, map[string]time.Time{"t1": from, "t2": to, "none": from}, func(tag string, r []iot.Reading) error {
				out[tag] = append(out[tag], r...)
				return nil
			})
		}
		gotSince, err := since(s)
		wantSince, _ := since(model)
		same(t, "since", err, wantSince, gotSince)
		for _, m := range []series.Measure{series.Temp, series.Heads} {
			step := time.Duration(rapid.IntRange(1, 3000).Draw(t, "step")) * time.Minute
			got, err := s.Windows(ctx, tenant, tags, m, from, to, step)
			want, _ := model.Windows(ctx, tenant, tags, m, from, to, step)
			same(t, "windows", err, want, got)
		}
	}
}

func same(t *rapid.T, what string, err error, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got, cmp.Comparer(func(a, b []iot.Reading) bool {
		return len(a) == len(b) && (len(a) == 0 || cmp.Equal(a[0], b[0]) && cmp.Equal(a[1:], b[1:]))
	})); err != nil || d != "" {
		t.Fatal(what, err, d)
	}
}

// TestForgetsWholly writes a marker into all readings of one tag, among those of
// others, and looks for it in every file after the tag is deleted.
func TestForgetsWholly(t *testing.T) {
	t.Parallel()
	const marker = "gateway-of-the-deleted"
	for _, head := range []int{50, 1000, 1 << 20} {
		t.Run(fmt.Sprint(head), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s := small(t, filepath.Join(dir, "telemetry.db"), head)
			defer s.Close()
			for hour := range 24 * 5 {
				var batch []iot.Reading
				for tag := range 60 {
					r := iot.Reading{Tenant: "a", Tag: fmt.Sprint("tag-", tag), At: day0.Add(time.Duration(hour) * time.Hour), Received: day0,
						Gateway: "g", Temp: ptr(float64(hour*tag) / 7)}
					if tag == 17 {
						r.Tag, r.Gateway = "deleted-tag", marker
					}
					batch = append(batch, r)
				}
				if err := s.Write(t.Context(), batch); err != nil {
					t.Fatal(err)
				}
			}
			if found := holding(t, dir, marker); len(found) == 0 {
				t.Fatal("the marker cannot be found at all, so the test proves nothing")
			}
			if err := s.Delete(t.Context(), "a", "deleted-tag"); err != nil {
				t.Fatal(err)
			}
			for _, text := range []string{marker, "deleted-tag"} {
				if found := holding(t, dir, text); len(found) > 0 {
					t.Errorf("%s is left in %v", text, found)
				}
			}
			if n, err := s.Count(t.Context(), "a", ""); err != nil || n != 59*24*5 {
				t.Errorf("%d readings of others are left (%v), want %d", n, err, 59*24*5)
			}
		})
	}
}

// holding are the files below dir that hold a text.
func holding(t *testing.T, dir, text string) (found []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(filepath.Join(dir, path))
		if errors.Is(err, fs.ErrNotExist) {
			return nil // compacted meanwhile
		}
		if bytes.Contains(b, []byte(text)) {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestOneProcessAtATime(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "telemetry.db")
	s := open(t, path)
	if _, err := telemetry.Open(t.Context(), path); !errors.Is(err, telemetry.ErrInUse) {
		t.Error("opened twice:", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := open(t, path).Close(); err != nil {
		t.Error(err)
	}
}
