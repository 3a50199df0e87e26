// Package realdata finds the real data that some tests need. The data is not part
// of the repository: it lies in ../shared/data beside it, or where FURROW_DATA says.
package realdata

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Dir returns the folder of the data set named by its path elements. Without the
// data the test is skipped with a line that says so; under CI=true it fails, so
// that a missing folder never looks like a passing test.
func Dir(tb testing.TB, elem ...string) string {
	tb.Helper()
	root := os.Getenv("FURROW_DATA")
	if root == "" {
		_, file, _, _ := runtime.Caller(0)
		root = filepath.Join(filepath.Dir(file), "..", "..", "..", "shared", "data")
	}
	dir := filepath.Join(append([]string{root}, elem...)...)
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("CI") == "true" {
			tb.Fatalf("real data is missing: %s (set FURROW_DATA)", dir)
		}
		tb.Skipf("needs real data at %s; set FURROW_DATA to its folder", dir)
	}
	return dir
}
