package decision

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/app"
	"github.com/furrowcredit/furrow/credit/quote"
	"github.com/furrowcredit/furrow/internal/benchtable"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/storetest"
)

// BenchmarkEverybody decides about FURROW_BENCH_BORROWERS (100,000 unless told; 1,700,000
// for the promise) from their stored evidence, and says how long 1.7 million would take.
// Reading all of it without deciding is the limit beside it.
func BenchmarkEverybody(b *testing.B) {
	n := 100_000
	if s := os.Getenv("FURROW_BENCH_BORROWERS"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil || n < 1 {
			b.Fatalf("FURROW_BENCH_BORROWERS is %q", s)
		}
	}
	const promised = 1_700_000
	t := book.Page(fmt.Sprintf("%d borrowers decided about from stored evidence", n), "time", "CPU", "1.7 million", "decided")
	for b.Loop() {
		for _, kind := range []string{"sqlite", "postgres"} {
			dsn := "sqlite:" + filepath.Join(b.TempDir(), "furrow.db")
			if kind == "postgres" {
				dsn = storetest.Postgres(b)
			}
			db, err := store.Open(b.Context(), store.Config{DSN: dsn})
			if err != nil {
				b.Fatal(err)
			}
			fill(b, db, n)
			begin, spent, read := time.Now(), benchtable.CPU(), 0
			rows, err := db.Query(b.Context(), `select evidence from snapshot order by id`)
			if err != nil {
				b.Fatal(err)
			}
			for rows.Next() {
				var body string
				if err := rows.Scan(&body); err != nil {
					b.Fatal(err)
				}
				read += len(body)
			}
			if err := rows.Err(); err != nil {
				b.Fatal(err)
			}
			wall := time.Since(begin)
			t.Add(b, benchtable.Row{What: kind + ": reading it all", Values: []string{seconds(wall), seconds(benchtable.CPU() - spent), "", fmt.Sprintf("%d MB", read/1_000_000)}})
			if err := db.Close(); err != nil {
				b.Fatal(err)
			}
			begin, spent = time.Now(), benchtable.CPU()
			run, err := app.Redecide(b.Context(), dsn, app.RedecideRequest{Tenant: tenant}, func(quote.Run) {})
			if err != nil {
				b.Fatal(err)
			}
			wall = time.Since(begin)
			whole := time.Duration(float64(wall) * promised / float64(n))
			t.Add(b, benchtable.Row{
				What: kind + ": deciding", Values: []string{seconds(wall), seconds(benchtable.CPU() - spent), seconds(whole), strconv.FormatInt(run.Done-run.Failed, 10)},
				Target: "1.7 million in 10 minutes", Missed: whole > 10*time.Minute || run.Done != int64(n) || run.Failed > 0,
			})
		}
	}
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }
