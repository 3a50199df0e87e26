package store_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/storetest"
)

func TestDB(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		if _, err := db.Exec(ctx, `create table counter (id text primary key, n bigint not null)`); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec(ctx, `insert into counter (id, n) values ($1, $2)`, "a", 0); err != nil {
			t.Fatal(err)
		}

		t.Run("a repeated key is a conflict", func(t *testing.T) {
			_, err := db.Exec(ctx, `insert into counter (id, n) values ($1, $2)`, "a", 1)
			if !store.Conflict(err) {
				t.Fatalf("got %v, want a conflict", err)
			}
		})
		t.Run("a failed transaction leaves nothing", func(t *testing.T) {
			boom := errors.New("boom")
			err := db.Tx(ctx, func(tx *store.Tx) error {
				if _, err := tx.Exec(ctx, `insert into counter (id, n) values ('b', 1)`); err != nil {
					return err
				}
				return boom
			})
			if !errors.Is(err, boom) {
				t.Fatalf("got %v", err)
			}
			var n int
			if err := db.QueryRow(ctx, `select count(*) from counter`).Scan(&n); err != nil || n != 1 {
				t.Fatalf("count %d, %v", n, err)
			}
		})
		for name, tx := range map[string]func(f func(tx *store.Tx) error) error{
			"serialisable": func(f func(tx *store.Tx) error) error { return db.Tx(ctx, f) },
			"rows":         func(f func(tx *store.Tx) error) error { return db.TxRows(ctx, f) },
		} {
			t.Run("concurrent read-modify-write loses no update/"+name, func(t *testing.T) { count(t, db, name, tx) })
		}
		t.Run("who takes turns does nothing twice", func(t *testing.T) {
			var tries atomic.Int64
			count(t, db, "turns", func(f func(tx *store.Tx) error) error {
				return db.TxInTurn(ctx, []string{"counter", "other", "counter"}, func(tx *store.Tx) error {
					tries.Add(1)
					return f(tx)
				})
			})
			if tries.Load() != counters*counts {
				t.Errorf("%d tries for %d", tries.Load(), counters*counts)
			}
		})
		t.Run("who goes away while others have their turn does nothing", func(t *testing.T) {
			err := db.TxInTurn(ctx, []string{"a", "b"}, func(*store.Tx) error {
				gone, cancel := context.WithCancel(ctx)
				cancel()
				return db.TxInTurn(gone, []string{"b"}, func(*store.Tx) error { t.Error("it ran"); return nil })
			})
			if !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			ran := false
			if err := db.TxInTurn(ctx, []string{"b", "a"}, func(*store.Tx) error { ran = true; return nil }); err != nil || !ran {
				t.Errorf("the line is closed: %v", err)
			}
		})
	})
}

const counters, counts = 4, 5

// count has several add to one row at once, each reading it before.
func count(t *testing.T, db *store.DB, row string, tx func(f func(tx *store.Tx) error) error) {
	t.Helper()
	ctx := context.Background()
	if _, err := db.Exec(ctx, `insert into counter (id, n) values ($1, 0)`, row); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range counters {
		wg.Go(func() {
			for range counts {
				err := tx(func(tx *store.Tx) error {
					var n int
					if err := tx.QueryRow(ctx, `select n from counter where id = $1`, row).Scan(&n); err != nil {
						return err
					}
					_, err := tx.Exec(ctx, `update counter set n = $1 where id = $2`, n+1, row)
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	var n int
	if err := db.QueryRow(ctx, `select n from counter where id = $1`, row).Scan(&n); err != nil || n != counters*counts {
		t.Fatalf("n is %d, want %d (%v)", n, counters*counts, err)
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		dsn  string
		want error
	}{
		"no scheme":           {"furrow.db", store.ErrDSN},
		"a folder in its way": {"sqlite:" + t.TempDir(), fault.Unavailable},
		"nobody at the port":  {"postgres://x@127.0.0.1:1/x?connect_timeout=2", fault.Unavailable},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			if _, err := store.Open(ctx, store.Config{DSN: tt.dsn}); !errors.Is(err, tt.want) {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestOpenTwiceMigratesOnce(t *testing.T) {
	t.Parallel()
	dsn := "sqlite:" + t.TempDir() + "/furrow.db"
	first := storetest.Open(t, dsn)
	storetest.Open(t, dsn)
	pending, err := store.Pending(context.Background(), store.Config{DSN: dsn})
	if err != nil || len(pending) > 0 {
		t.Fatalf("pending %v, %v", pending, err)
	}
	if first.Kind() != "sqlite" {
		t.Fatal(first.Kind())
	}
}
