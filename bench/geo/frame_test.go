package geobench

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/internal/benchtable"
)

// line is one comparison of the table. Rates are in Unit per second of processor
// time: the greater the better.
type line struct {
	What   string
	Unit   string
	Ours   float64
	Peer   string  // who is compared
	Theirs float64 // 0 where there is nobody to compare with
	Least  float64 // promised ratio Ours/Theirs; 0 = for information
	Note   string  // memory, differences
}

func (l line) ratio() float64 { return l.Ours / l.Theirs }

// table gathers the lines of all benchmarks of the run.
var table []line

// report adds a line to the table, and fails the benchmark that breaks its promise.
func report(b *testing.B, l line) {
	b.Helper()
	table = append(table, l)
	b.ReportMetric(l.Ours, l.Unit+"/core-s")
	if l.Theirs == 0 {
		return
	}
	if l.Least > 0 && l.ratio() < l.Least {
		b.Errorf("%s: %.2f times %s, promised %.2f", l.What, l.ratio(), l.Peer, l.Least)
	}
}

// printed is the table in words.
func printed() *benchtable.Book {
	var book benchtable.Book
	t := book.Page("Rates in a second of processor time", "ours", "peer or limit", "theirs", "ratio", "note")
	for _, l := range table {
		r, ratio, theirs := benchtable.Row{What: l.What}, "", ""
		if l.Theirs > 0 {
			ratio, theirs = fmt.Sprintf("%.2f", l.ratio()), rate(l.Theirs, l.Unit)
		}
		if l.Least > 0 {
			r.Target, r.Missed = fmt.Sprintf("%.2f times", l.Least), l.Theirs > 0 && l.ratio() < l.Least
		}
		r.Values = []string{rate(l.Ours, l.Unit), l.Peer, theirs, ratio, l.Note}
		t.Rows = append(t.Rows, r)
	}
	return &book
}

func rate(v float64, unit string) string {
	switch {
	case v >= 1e6:
		return fmt.Sprintf("%.2f M %s/s", v/1e6, unit)
	case v >= 1e4:
		return fmt.Sprintf("%.1f k %s/s", v/1e3, unit)
	}
	return fmt.Sprintf("%.4g %s/s", v, unit)
}

// usage is what a piece of work took.
type usage struct {
	CPU  time.Duration // user and system, all threads
	User time.Duration // of CPU, outside of the kernel
	Wall time.Duration
	Peak int64  // bytes in memory at most; of children only
	Out  []byte // standard output
}

func (u usage) cores() float64 { return u.CPU.Seconds() / u.Wall.Seconds() }

// best runs the works in turn, n times each, and keeps of each the run with the
// least processor time.
func best(n int, works ...func() usage) []usage {
	out := make([]usage, len(works))
	for i := range n {
		for k, w := range works {
			if u := w(); i == 0 || u.CPU < out[k].CPU {
				out[k] = u
			}
		}
	}
	return out
}

// inside measures work in this process.
func inside(work func()) usage {
	cpu, start := benchtable.CPU(), time.Now()
	work()
	return usage{CPU: benchtable.CPU() - cpu, Wall: time.Since(start)}
}

// command measures a program.
func command(b *testing.B, cmd *exec.Cmd) usage {
	b.Helper()
	var out, bad bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &bad
	start := time.Now()
	if err := cmd.Run(); err != nil {
		b.Fatalf("%v: %v\n%s", cmd.Args, err, bad.String())
	}
	return usage{
		CPU:  cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(),
		User: cmd.ProcessState.UserTime(), Wall: time.Since(start), Out: out.Bytes(), Peak: peak(bad.String()),
	}
}

// peak finds what [child] says of its memory at most, in bytes. The kernel's count
// for a process that has ended would hold that of its parent as well.
func peak(said string) int64 {
	_, rest, _ := strings.Cut(said, "VmHWM:")
	var kib int64
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		return 0
	}
	return kib << 10
}

// children are works that run in a process of their own, by name.
var children = map[string]func(ctx context.Context, args []string) error{
	"zonal": childZonal, "vector": childVector, "decode": childDecode,
	"make": childMake, "sample": childSample, "bare": childBare,
}

const childEnv = "FURROW_BENCH_CHILD"

// child measures one of the children, start of its process included.
func child(b *testing.B, name string, args ...string) usage {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), childEnv+"="+name)
	return command(b, cmd)
}

func TestMain(m *testing.M) {
	if name := os.Getenv(childEnv); name != "" {
		if err := children[name](context.Background(), os.Args[1:]); err != nil {
			_, _ = fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if status, err := os.ReadFile("/proc/self/status"); err == nil {
			_, _ = os.Stderr.Write(status)
		}
		return
	}
	code := m.Run()
	if len(table) > 0 {
		if err := printed().Print(os.Stdout); err != nil {
			_, _ = fmt.Fprintln(os.Stderr, err)
		}
	}
	os.Exit(code)
}

// installed says where a peer's program is; its absence is told once.
func installed(b *testing.B, name string) (path string, ok bool) {
	b.Helper()
	path, err := exec.LookPath(name)
	if err != nil && !slices.Contains(absent, name) {
		absent = append(absent, name)
		b.Logf("%s is not installed: left out", name)
	}
	return path, err == nil
}

var absent []string
