package chainbench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/furrowcredit/furrow/internal/benchtable"
)

// book holds what the benchmarks of the run found.
var book benchtable.Book

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
	os.Exit(book.Run(m))
}

// here is the folder of this package.
func here() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(file)
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
