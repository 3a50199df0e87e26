// Package decision measures decisions over HTTP that are kept on disk before they are
// answered, and deciding about everybody again.
package decision

import (
	"os"
	"testing"

	"github.com/furrowcredit/furrow/internal/benchtable"
)

// book holds what the benchmarks of the run found.
var book benchtable.Book

func TestMain(m *testing.M) { os.Exit(book.Run(m)) }
