package store_test

import (
	"context"
	"errors"
	"sync"
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
		t.Run("concurrent read-modify-write loses no update", func(t *testing.T) {
			const workers, each = 4, 5
			var wg sync.WaitGroup
			errs := make(chan error, workers*each)
			for range workers {
				wg.Go(func() {
					for range each {
						err := db.Tx(ctx, func(tx *store.Tx) error {
							var n int
							if err := tx.QueryRow(ctx, `select n from counter where id = 'a'`).Scan(&n); err != nil {
								return err
							}
							_, err := tx.Exec(ctx, `update counter set n = $1 where id = 'a'`, n+1)
							return err
						})
						if err != nil {
							errs <- err
						}
					}
				})
			}
			wg.Wait()
			close(errs)
			for err := range errs {
				t.Error(err)
			}
			var n int
			if err := db.QueryRow(ctx, `select n from counter where id = 'a'`).Scan(&n); err != nil || n != workers*each {
				t.Fatalf("n is %d, want %d (%v)", n, workers*each, err)
			}
		})
	})
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
