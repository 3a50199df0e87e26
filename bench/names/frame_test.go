package names

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/internal/benchtable"
)

// book holds what the benchmarks of the run found.
var book benchtable.Book

func TestMain(m *testing.M) { os.Exit(book.Run(m)) }

func mib(n int64) string { return fmt.Sprintf("%d MiB", n>>20) }

func perName(d time.Duration, n int) string {
	return fmt.Sprintf("%.2f µs", float64(d.Microseconds())/float64(n))
}
