// Package benchtable prints what benchmarks found: tables of their own columns, with the
// targets that were promised and whether they were met.
package benchtable

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"
)

// Row is one line of a table: what was measured, its values in words, the target and
// whether it was missed.
type Row struct {
	What   string
	Values []string
	Target string // "" where nothing is promised
	Missed bool
}

// Table has its own columns.
type Table struct {
	title   string
	columns []string
	// Rows are what Add appended; those that were judged elsewhere are appended as they are.
	Rows []Row
}

// Add appends a row, and fails the benchmark that misses its target.
func (t *Table) Add(tb testing.TB, r Row) {
	tb.Helper()
	t.Rows = append(t.Rows, r)
	if r.Missed {
		tb.Errorf("%s misses its target: %s", r.What, r.Target)
	}
}

// Book gathers the tables of a run. It is for one goroutine.
type Book struct{ tables []*Table }

// Page starts a table.
func (b *Book) Page(title string, columns ...string) *Table {
	t := &Table{title: title, columns: columns}
	b.tables = append(b.tables, t)
	return t
}

// Print writes all tables, in the order in which they were started.
func (b *Book) Print(w io.Writer) error {
	for _, t := range b.tables {
		if err := t.print(w); err != nil {
			return err
		}
	}
	return nil
}

func (t *Table) print(w io.Writer) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(out, "\n%s\n%s\t%s\ttarget\n", t.title, "what", strings.Join(t.columns, "\t")) // Flush tells
	for _, r := range t.Rows {
		target := r.Target
		switch {
		case r.Missed:
			target += " MISSED"
		case target != "":
			target += " ok"
		}
		_, _ = fmt.Fprintf(out, "%s\t%s\t%s\n", r.What, strings.Join(r.Values, "\t"), target)
	}
	return out.Flush()
}

// Run runs the benchmarks of a package, prints what they found and returns the code to
// exit with.
func (b *Book) Run(m *testing.M) int {
	code := m.Run()
	if err := b.Print(os.Stdout); err != nil {
		return 1
	}
	return code
}

// CPU is what this process has computed so far, user and system, all threads: on a shared
// machine it says more than the clock.
func CPU() time.Duration {
	u := usage()
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// Resident is the most memory that this process has had, in bytes.
func Resident() int64 { return usage().Maxrss << 10 }

func usage() (u syscall.Rusage) {
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // it fails only for another who or a bad address
	return u
}

// Turns is how often each rival runs, of which the best turn counts; FURROW_BENCH_TURNS
// says otherwise.
func Turns(tb testing.TB, otherwise int) int {
	tb.Helper()
	s := os.Getenv("FURROW_BENCH_TURNS")
	if s == "" {
		return otherwise
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		tb.Fatalf("FURROW_BENCH_TURNS is %q", s)
	}
	return n
}
