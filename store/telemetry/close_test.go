package telemetry_test

import (
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/store/telemetry"
)

// TestWriteAfterClose wants nothing taken any more: another process may have the files
// by then, and would not know of it.
func TestWriteAfterClose(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "t.db")
	s, err := telemetry.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	var writers sync.WaitGroup
	taken := make([]int64, 4)
	for w := range taken {
		writers.Go(func() {
			for at := time.UnixMilli(1780300800000); ; at = at.Add(time.Second) {
				err := s.Write(t.Context(), []iot.Reading{{Tenant: "x", Tag: string(rune('a' + w)), At: at, Received: at}})
				if errors.Is(err, fault.Unavailable) {
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				if taken[w]++; taken[w] > 5000 {
					t.Error("it is taken after the end")
					return
				}
			}
		})
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	again, err := telemetry.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	writers.Wait()
	for w, want := range taken {
		if n, err := again.Count(t.Context(), "x", string(rune('a'+w))); err != nil || n != want {
			t.Errorf("%d of %d are there, %v", n, want, err)
		}
	}
}
