package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/furrowcredit/furrow/fault"
)

// A hundred tags report, and the vet counted sixty animals: the answer is no, with
// the figures.
func TestCountReconcileSaysWhenTagsClaimTooMuch(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	tags := []string{"tag,time"}
	for i := range 100 {
		tags = append(tags, fmt.Sprintf("t%d,2026-05-31T07:00:00Z", i))
	}
	write := func(name string, lines ...string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	heard := write("tags.csv", tags...)
	for seen, short := range map[int]bool{60: true, 99: false} {
		counts := write(fmt.Sprint(seen, ".csv"), "device,kind,from,seen", fmt.Sprintf("vet,person,2026-05-31T08:00:00Z,%d", seen))
		text, _, err := call(t, runCountReconcile, "--counts", counts, "--tags", heard, "--json")
		if errors.Is(err, errNo) != short || err != nil && !short {
			t.Errorf("%d seen: %v", seen, err)
		}
		var got reconciled
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Fatal(err)
		}
		if got.Tags != 100 || got.Short != short || got.Low > seen || got.High < seen || got.Status != "known" {
			t.Errorf("%d seen: %+v", seen, got)
		}
	}
	if _, _, err := call(t, runCountReconcile, "--counts", filepath.Join(dir, "none.csv"), "--tags", heard); !errors.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "none.csv") {
		t.Error(err)
	}
}
