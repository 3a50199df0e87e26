package names

import (
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"
)

// row is one line of the table.
type row struct {
	what   string
	values []string
	target string
	missed bool
}

// sheet is a table with its own columns.
type sheet struct {
	title   string
	columns []string
	rows    []row
}

var sheets []*sheet

func page(title string, columns ...string) *sheet {
	s := &sheet{title: title, columns: columns}
	sheets = append(sheets, s)
	return s
}

func (s *sheet) add(b *testing.B, r row) {
	b.Helper()
	s.rows = append(s.rows, r)
	if r.missed {
		b.Errorf("%s misses its target: %s", r.what, r.target)
	}
}

func (s *sheet) print(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(t, "\n%s\n%s\t%s\ttarget\n", s.title, "what", strings.Join(s.columns, "\t"))
	for _, r := range s.rows {
		mark := r.target
		if mark != "" && !r.missed {
			mark += " met"
		} else if r.missed {
			mark += " MISSED"
		}
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\n", r.what, strings.Join(r.values, "\t"), mark)
	}
	_ = t.Flush()
}

func TestMain(m *testing.M) {
	code := m.Run()
	for _, s := range sheets {
		s.print(os.Stdout)
	}
	os.Exit(code)
}

// cpu is what the process has computed so far, user and system: on a shared machine
// it says more than the clock.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// resident is the most memory that the process has had, in bytes.
func resident() int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return u.Maxrss * 1024
}

func mib(n int64) string { return fmt.Sprintf("%d MiB", n>>20) }

func perName(d time.Duration, n int) string {
	return fmt.Sprintf("%.2f µs", float64(d.Microseconds())/float64(n))
}
