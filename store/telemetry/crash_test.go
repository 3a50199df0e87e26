package telemetry_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/store/telemetry"
)

// With this variable set to "<file> <number>" the test binary writes to the file,
// from that batch on, until it is killed.
const crashEnv = "FURROW_CRASH_WRITE"

const (
	crashTags = 40
	crashHead = 700 // readings: some twenty batches
)

// crashBatch is the n-th batch: a reading of each tag, half an hour after the batch
// before, and those of the batch ten before once more.
func crashBatch(n int) (out []iot.Reading) {
	for _, i := range []int{n, n - 10} {
		for tag := range crashTags {
			if i < 0 {
				continue
			}
			at := day0.Add(time.Duration(i) * 30 * time.Minute)
			out = append(out, iot.Reading{Tenant: "a", Tag: fmt.Sprint("t", tag), At: at, Received: at, Seq: ptr(int64(i)), Temp: ptr(float64(i+tag) / 10)})
		}
	}
	return out
}

func crashWriter(where string) error {
	path, number, _ := strings.Cut(where, " ")
	n, err := strconv.Atoi(number)
	if err != nil {
		return err
	}
	s, err := telemetry.OpenSmall(context.Background(), path, crashHead)
	if err != nil {
		return err
	}
	for ; ; n++ {
		if err := s.Write(context.Background(), crashBatch(n)); err != nil {
			return err
		}
		if _, err := fmt.Println(n); err != nil {
			return err
		}
	}
}

// TestKilledWhileCompacting kills a writer at random moments, most of them within a
// compaction, which it does all the time. What it had acknowledged must be there,
// each reading once and with its values.
func TestKilledWhileCompacting(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "telemetry.db")
	rng := rand.New(rand.NewPCG(3, 5))
	next, moved := 0, 0
	for life := range 25 {
		acked := next + writeUntilKilled(t, fmt.Sprint(path, " ", next), 1+rng.IntN(30))
		s := small(t, path, crashHead)
		for tag := range crashTags {
			got, err := s.Range(t.Context(), "a", fmt.Sprint("t", tag), day0, day0.AddDate(10, 0, 0), 0)
			if err != nil {
				t.Fatal(err)
			}
			if len(got) < acked || len(got) > acked+1 { // one more may be written and not told
				t.Fatalf("life %d: tag %d has %d readings, %d were acknowledged", life, tag, len(got), acked)
			}
			for i, r := range got {
				if *r.Seq != int64(i) || *r.Temp != float64(i+tag)/10 || !r.At.Equal(day0.Add(time.Duration(i)*30*time.Minute)) {
					t.Fatalf("life %d: reading %d of tag %d is %+v", life, i, tag, r)
				}
			}
			if n, err := s.Count(t.Context(), "a", fmt.Sprint("t", tag)); err != nil || n != int64(len(got)) {
				t.Fatalf("life %d: tag %d counts %d, %v; has %d", life, tag, n, err, len(got))
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		moved += acked - next
		next = acked
	}
	if moved*crashTags < 10*crashHead {
		t.Errorf("only %d batches were written: nothing was tested", moved)
	}
}

// writeUntilKilled kills the writer after so many acknowledged batches, and tells how
// many they had become by then.
func writeUntilKilled(t *testing.T, where string, batches int) (acked int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), crashEnv+"="+where)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if acked++; acked == batches {
			_ = cmd.Process.Kill()
		}
	}
	_, _ = io.Copy(io.Discard, out)
	_ = cmd.Wait() // killed
	if acked == 0 {
		t.Fatal("the writer wrote nothing")
	}
	return acked
}
