package telemetry_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/iot"
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
