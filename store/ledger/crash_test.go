package ledger_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/store"
	ledgerstore "github.com/furrowcredit/furrow/store/ledger"
	"github.com/furrowcredit/furrow/store/storetest"
)

const crashEnv = "FURROW_TEST_LEDGER_POSTS"

func TestMain(m *testing.M) {
	if dsn := os.Getenv(crashEnv); dsn != "" {
		os.Exit(postUntilKilled(dsn))
	}
	os.Exit(m.Run())
}

const crashEntries, crashCallers = 400, 8

// postUntilKilled is the process that is killed: it posts the same entries each time, by
// several callers, and says each key once it has the answer.
func postUntilKilled(dsn string) int {
	db, err := store.Open(context.Background(), store.Config{DSN: dsn})
	if err != nil {
		fmt.Println("failed:", err)
		return 1
	}
	book := ledger.New(ledgerstore.New(db), chart, time.Now)
	var said sync.Mutex
	var wg sync.WaitGroup
	for c := range crashCallers {
		wg.Go(func() {
			for i := c; i < crashEntries; i += crashCallers {
				e, err := book.Post(context.Background(), two(fmt.Sprint("k", i), "cash", "borrower_credit", 1))
				if err == nil && i%10 == 0 {
					_, err = book.Hold(context.Background(), two(fmt.Sprint("h", i), "borrower_credit", "cash", 1), time.Time{})
				}
				said.Lock()
				if err != nil {
					fmt.Println("failed:", err)
				} else if !e.Existed {
					fmt.Println("posted", e.Key, e.Seq)
				}
				said.Unlock()
			}
		})
	}
	wg.Wait()
	fmt.Println("done")
	return 0
}

// A process is killed in the middle of its postings, again and again: whatever it had an
// answer for is in the book, once and at the place that it was told.
func TestKilled(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"sqlite", "postgres"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			dsn := "sqlite:" + filepath.Join(t.TempDir(), "f.db")
			if kind == "postgres" {
				dsn = storetest.Postgres(t)
			}
			db := storetest.Open(t, dsn) // migrated before the first is killed
			acknowledged := map[string]string{}
			kills, done := 0, false
			for after := 20; !done; after += 35 {
				done = runAndKill(t, dsn, after, acknowledged)
				if !done {
					kills++
				}
			}
			if kills < 3 || len(acknowledged) < crashEntries/2 {
				t.Errorf("killed %d times, %d acknowledged", kills, len(acknowledged))
			}
			checkKilled(t, db, acknowledged)
		})
	}
}

// runAndKill runs the process, kills it after so many answers, and says whether it came
// to its end instead.
func runAndKill(t *testing.T, dsn string, after int, acknowledged map[string]string) bool {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$") //nolint:gosec // the test itself
	cmd.Env = append(os.Environ(), crashEnv+"="+dsn)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done, n := false, 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		switch word {
		case "posted":
			key, seq, _ := strings.Cut(rest, " ")
			if old, twice := acknowledged[key]; twice {
				t.Errorf("%s was posted as %s and as %s", key, old, seq)
			}
			acknowledged[key] = seq
			if n++; n == after {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		case "done":
			done = true
		default:
			t.Error(lines.Text())
		}
	}
	_ = cmd.Wait() // it was killed
	return done
}

func checkKilled(t *testing.T, db *store.DB, acknowledged map[string]string) {
	t.Helper()
	book, ctx := open(t, db), context.Background()
	audit, err := book.Verify(ctx, "a")
	if err != nil || !audit.OK() || audit.Entries != crashEntries+crashEntries/10 || audit.Holds != crashEntries/10 {
		t.Errorf("%+v %v", audit, err)
	}
	if b, err := book.Held(ctx, "a", "borrower_credit", "x"); err != nil || b.Amount != -crashEntries || b.HeldDebits != crashEntries/10 {
		t.Errorf("%+v %v", b, err)
	}
	for key, seq := range acknowledged {
		e, err := book.Entry(ctx, "a", key)
		if err != nil || fmt.Sprint(e.Seq) != seq {
			t.Errorf("%s was acknowledged as %s and is %d, %v", key, seq, e.Seq, err)
		}
	}
}
