package creditbench

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

var rows []row

func add(b *testing.B, r row) {
	b.Helper()
	rows = append(rows, r)
	if r.missed {
		b.Errorf("%s misses its target: %s", r.what, r.target)
	}
}

func printTable(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "\nA decision\nwhat\tbest round\tprocessor, mean\tallocations\tanswer\ttarget")
	for _, r := range rows {
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
	if len(rows) > 0 {
		printTable(os.Stdout)
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

// figures are what one call takes: by the clock in the best of many rounds, which are so
// short that another process seldom falls into them, and in processor time in the mean.
type figures struct {
	clock, cpu time.Duration
	allocs     float64
}

// measure calls f in rounds of about a millisecond, for half a second.
func measure(f func()) figures {
	f()
	n := 1
	for {
		start := time.Now()
		for range n {
			f()
		}
		if time.Since(start) > time.Millisecond {
			break
		}
		n *= 2
	}
	out := figures{clock: time.Hour, allocs: testing.AllocsPerRun(200, f)}
	was, rounds := cpu(), 0
	for begin := time.Now(); rounds < 100 || time.Since(begin) < 500*time.Millisecond; rounds++ {
		start := time.Now()
		for range n {
			f()
		}
		out.clock = min(out.clock, time.Since(start)/time.Duration(n))
	}
	out.cpu = (cpu() - was) / time.Duration(n*rounds)
	return out
}

func (f figures) values(answer string) []string {
	return []string{short(f.clock), short(f.cpu), fmt.Sprintf("%.0f", f.allocs), answer}
}

func short(d time.Duration) string {
	if d < 10*time.Microsecond {
		return fmt.Sprintf("%d ns", d.Nanoseconds())
	}
	return fmt.Sprintf("%.1f µs", float64(d.Nanoseconds())/1000)
}
