package store_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/furrowcredit/furrow/store"
)

// A statement that is kept serves a text again, also while its own rows are being read,
// after it failed, and after the schema has changed beneath it.
func TestStatementsAreKept(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db, err := store.Open(ctx, store.Config{DSN: "sqlite:" + filepath.Join(t.TempDir(), "kept.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	exec := func(q store.Queryer, text string, args ...any) {
		t.Helper()
		if _, err := q.Exec(ctx, text, args...); err != nil {
			t.Fatalf("%.60s: %v", text, err)
		}
	}
	exec(db, `create table tree (id bigint primary key, parent bigint not null)`)
	for i := range 40 {
		exec(db, `insert into tree (id, parent) values ($1, $2)`, i+1, (i+1)/2)
	}
	if _, err := db.Exec(ctx, `insert into tree (id, parent) values ($1, $2)`, 1, 0); !store.Conflict(err) {
		t.Errorf("a key that is taken: %v", err)
	}
	exec(db, `insert into tree (id, parent) values ($1, $2)`, 41, 20)
	err = db.Tx(ctx, func(tx *store.Tx) error {
		var below func(id int) (int, error)
		below = func(id int) (int, error) {
			rows, err := tx.Query(ctx, `select id from tree where parent = $1 order by id`, id)
			if err != nil {
				return 0, err
			}
			defer rows.Close()
			n := 1
			for rows.Next() {
				var child int
				if err := rows.Scan(&child); err != nil {
					return 0, err
				}
				m, err := below(child)
				if err != nil {
					return 0, err
				}
				n += m
			}
			return n, rows.Err()
		}
		n, err := below(1)
		if n != 41 {
			t.Errorf("%d nodes by the same statement in itself", n)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	exec(db, `alter table tree add column name text not null default 'x'`)
	for i := range 600 { // more than are kept
		var n int
		if err := db.QueryRow(ctx, fmt.Sprintf(`select count(*) + %d from tree where name = $1`, i), "x").Scan(&n); err != nil || n != 41+i {
			t.Fatalf("%d: %d, %v", i, n, err)
		}
	}
	long := `select count(*) from tree where name <> '` + strings.Repeat("y", 20_000) + `'`
	for range 2 {
		var n int
		if err := db.QueryRow(ctx, long).Scan(&n); err != nil || n != 41 {
			t.Errorf("a long text: %d, %v", n, err)
		}
	}
}
