package iotbench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/internal/benchtable"
)

// book holds what the benchmarks of the run found.
var book benchtable.Book

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
	os.Exit(book.Run(m))
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
