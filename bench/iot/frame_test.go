package iotbench

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"
)

// row is one line of the table: what was measured, its value in words, the target
// and whether it was met.
type row struct {
	What   string
	Values []string
	Target string
	Missed bool
}

// sheet is a table with its own columns.
type sheet struct {
	title   string
	columns []string
	rows    []row
}

// sheets gathers what the benchmarks of the run found.
var sheets []*sheet

// page starts a sheet.
func page(title string, columns ...string) *sheet {
	s := &sheet{title: title, columns: columns}
	sheets = append(sheets, s)
	return s
}

// add appends a row, and fails the benchmark that misses its target.
func (s *sheet) add(b *testing.B, r row) {
	b.Helper()
	s.rows = append(s.rows, r)
	if r.Missed {
		b.Errorf("%s misses its target: %s", r.What, r.Target)
	}
}

func (s *sheet) print(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(t, "\n%s\n%s\t%s\ttarget\n", s.title, "what", strings.Join(s.columns, "\t"))
	for _, r := range s.rows {
		target := r.Target
		switch {
		case r.Missed:
			target += " MISSED"
		case target != "":
			target += " ok"
		}
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\n", r.What, strings.Join(r.Values, "\t"), target)
	}
	_ = t.Flush() // standard output
}

// childEnv makes the test binary one of the children instead of the tests.
const childEnv = "FURROW_BENCH_CHILD"

// children are programs that the benchmarks run in a process of their own.
var children = map[string]func(ctx context.Context, args []string) error{
	"publish": childPublish, "consume": childConsume,
}

func TestMain(m *testing.M) {
	if name := os.Getenv(childEnv); name != "" {
		if err := children[name](context.Background(), os.Args[1:]); err != nil {
			_, _ = fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	code := m.Run()
	for _, s := range sheets {
		s.print(os.Stdout)
	}
	os.Exit(code)
}

// root is the folder of the module.
func root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}

var built struct {
	sync.Once
	exe string
	err error
}

// furrow builds the command once a run; FURROW_BENCH_EXE names one that is built already.
func furrow(b *testing.B) string {
	b.Helper()
	built.Do(func() {
		if built.exe = os.Getenv("FURROW_BENCH_EXE"); built.exe != "" {
			return
		}
		built.exe = filepath.Join(root(), ".cache", "bench", "furrow")
		cmd := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-o", built.exe, "./cmd/furrow")
		cmd.Dir = root()
		if out, err := cmd.CombinedOutput(); err != nil {
			built.err = fmt.Errorf("%w\n%s", err, out)
		}
	})
	if built.err != nil {
		b.Fatal(built.err)
	}
	return built.exe
}

// turns is how often each pipeline runs; the best turn counts.
func turns(b *testing.B) int {
	b.Helper()
	s := os.Getenv("FURROW_BENCH_TURNS")
	if s == "" {
		return 3
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		b.Fatalf("FURROW_BENCH_TURNS is %q", s)
	}
	return n
}

// until asks done every few milliseconds until it says yes; the limit fails the benchmark.
func until(b *testing.B, limit time.Duration, what string, done func() bool) {
	b.Helper()
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(limit); !done(); <-tick.C {
		if time.Now().After(end) {
			b.Fatalf("no %s after %v", what, limit)
		}
	}
}
