package chainbench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
)

// row is one line of the table: what was measured, its values in words, the target and
// whether it was met.
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

// childEnv makes the test binary the Go engine instead of the tests.
const childEnv = "FURROW_BENCH_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		if err := engine(os.Args[1:]); err != nil {
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

// here is the folder of this package.
func here() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(file)
}

// turns is how often each engine runs; the best turn counts.
func turns(b *testing.B, otherwise int) int {
	b.Helper()
	s := os.Getenv("FURROW_BENCH_TURNS")
	if s == "" {
		return otherwise
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		b.Fatalf("FURROW_BENCH_TURNS is %q", s)
	}
	return n
}

// freeMemory is what Linux says is available, in bytes.
func freeMemory() int64 {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "MemAvailable:" {
			kib, _ := strconv.ParseInt(f[1], 10, 64) // 0 when it is no number
			return kib << 10
		}
	}
	return 0
}

// compile makes a program of a peer; an error says what is missing.
func compile(ctx context.Context, out string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, args[0], append(args[1:], "-o", out)...)
	cmd.Dir = filepath.Join(here(), "peer")
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%v: %w\n%s", args, err, text)
	}
	return out, nil
}

// ask runs an engine and reads its answers.
func ask(ctx context.Context, env []string, args ...string) (out answers, err error) {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(os.Environ(), env...)
	var said, bad bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &bad
	if err := cmd.Run(); err != nil {
		return out, fmt.Errorf("%s: %w: %s", args[0], err, bad.String())
	}
	return out, json.Unmarshal(said.Bytes(), &out)
}
