package telemetry_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/series"
	"github.com/furrowcredit/furrow/store/telemetry"
)

// TestDiskFullWhileCompacting fills the disk under the chunks, then makes room.
func TestDiskFullWhileCompacting(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=2m"); err != nil {
		t.Skip("needs the right to mount a file system:", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	s, err := telemetry.OpenSmall(t.Context(), filepath.Join(dir, "t.db"), 2000)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	start := time.UnixMilli(1780300800000).UTC()
	n := 0
	batch := func() error {
		var rs []iot.Reading
		for i := range 500 {
			at := start.Add(time.Duration(n+i) * time.Second)
			v := float64(n+i) / 3
			rs = append(rs, iot.Reading{Tenant: "x", Tag: fmt.Sprint("t", i%50, strings.Repeat("y", 20)), At: at, Received: at, Temp: &v, Activity: &v, Ambient: &v})
		}
		if err := s.Write(t.Context(), rs); err != nil {
			return err
		}
		n += 500
		return nil
	}
	failures := 0
	for n < 400_000 && failures < 20 {
		if err := batch(); err != nil {
			if !errors.Is(err, fault.Unavailable) {
				t.Fatal(err)
			}
			failures++
		}
	}
	if failures == 0 {
		t.Fatal("the disk was never full")
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, "size=200m"); err != nil {
		t.Fatal(err)
	}
	failures = 0
	for range 40 {
		if err := batch(); err != nil {
			failures++
			if !errors.Is(err, fault.Unavailable) || failures > 5 {
				t.Fatal(failures, err)
			}
		}
	}
	got, err := s.Count(t.Context(), "x", "")
	if err != nil || got != int64(n) {
		t.Errorf("%d of %d, %v", got, n, err)
	}
}

// TestEverythingAtOnce writes, deletes, expires and reads at once over heads that are
// compacted all the time. What was taken of tags that nobody deletes is there, once,
// at any moment; what was deleted never comes back.
func TestEverythingAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "t.db")
	s, err := telemetry.OpenSmall(t.Context(), path, 300)
	if err != nil {
		t.Fatal(err)
	}
	start := time.UnixMilli(1780300800000).UTC()
	const rounds, step = 150, time.Hour // six days
	var safe [2]atomic.Int64            // readings of each kept tag that are surely there
	var work, side sync.WaitGroup
	stop := make(chan struct{})
	for w := range safe {
		work.Go(func() {
			for i := range rounds {
				at := start.Add(time.Duration(i) * step)
				old := start.AddDate(0, 0, -10).Add(time.Duration(i) * time.Second)
				v := float64(i)
				rs := []iot.Reading{{Tenant: "x", Tag: fmt.Sprint("kept", w), At: at, Received: at, Temp: &v},
					{Tenant: "x", Tag: "gone", At: at, Received: at, Temp: &v}, {Tenant: "x", Tag: "old", At: old, Received: at, Temp: &v}}
				if err := s.Write(t.Context(), rs); err != nil {
					t.Error(err)
					return
				}
				safe[w].Add(1)
			}
		})
	}
	again := func(f func() error) {
		side.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := f(); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	again(func() error { return s.Delete(t.Context(), "x", "gone") })
	again(func() error { return s.Expire(t.Context(), start) })
	again(func() error { return s.Compact(t.Context()) })
	for w := range safe {
		tag := fmt.Sprint("kept", w)
		again(func() error {
			least, n := safe[w].Load(), int64(0)
			var last time.Time
			err := s.Since(t.Context(), "x", map[string]time.Time{tag: start}, func(_ string, rs []iot.Reading) error {
				for _, r := range rs {
					if !r.At.After(last) || *r.Temp != float64(r.At.Sub(start)/step) {
						return fmt.Errorf("%s after %s holds %v", r.At, last, *r.Temp)
					}
					last = r.At
					n++
				}
				return nil
			})
			if err == nil && n < least {
				err = fmt.Errorf("%d of %d since", n, least)
			}
			return err
		})
		again(func() error {
			least := safe[w].Load()
			if n, err := s.Count(t.Context(), "x", tag); err != nil || n < least {
				return fmt.Errorf("%d of %d counted: %w", n, least, err)
			}
			got, err := s.Latest(t.Context(), "x", []string{tag})
			if at := start.Add(time.Duration(least-1) * step); err == nil && least > 0 && got[tag].At.Before(at) {
				err = fmt.Errorf("latest is %s, not %s", got[tag].At, at)
			}
			return err
		})
		again(func() error {
			least, n := safe[w].Load(), int64(0)
			got, err := s.Windows(t.Context(), "x", []string{tag}, series.Temp, start, start.AddDate(0, 1, 0), 7*time.Hour)
			for _, x := range got[tag] {
				n += x.Count
			}
			if err == nil && n < least {
				err = fmt.Errorf("%d of %d in windows", n, least)
			}
			return err
		})
	}
	work.Wait()
	close(stop)
	side.Wait()
	if err := errors.Join(s.Delete(t.Context(), "x", "gone"), s.Expire(t.Context(), start), s.Close()); err != nil {
		t.Fatal(err)
	}
	if s, err = telemetry.OpenSmall(t.Context(), path, 300); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for tag, want := range map[string]int64{"kept0": rounds, "kept1": rounds, "gone": 0, "old": 0} {
		if n, err := s.Count(t.Context(), "x", tag); err != nil || n != want {
			t.Errorf("%s: %d of %d, %v", tag, n, want, err)
		}
	}
	files, err := filepath.Glob(path + "*")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if b, err := os.ReadFile(f); err != nil || bytes.Contains(b, []byte("gone")) {
			t.Errorf("%s still names the deleted tag, %v", f, err)
		}
	}
}
