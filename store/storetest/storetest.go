// Package storetest opens the databases that every storage test runs on: a fresh
// SQLite file and a fresh schema of a real PostgreSQL.
package storetest

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/store"
)

// Each runs body on both databases, as parallel subtests. PostgreSQL is the one of
// FURROW_TEST_POSTGRES; without it that half is skipped, and fails under CI=true.
func Each(t *testing.T, body func(t *testing.T, db *store.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		body(t, Open(t, "sqlite:"+filepath.Join(t.TempDir(), "furrow.db")))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		body(t, Open(t, Postgres(t)))
	})
}

// Open opens dsn for the length of the test.
func Open(tb testing.TB, dsn string) *store.DB {
	tb.Helper()
	db, err := store.Open(context.Background(), store.Config{DSN: dsn, MaxConns: 4})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Error(err)
		}
	})
	return db
}

// Postgres returns the address of a fresh schema that is dropped with the test.
func Postgres(tb testing.TB) string {
	tb.Helper()
	dsn := os.Getenv("FURROW_TEST_POSTGRES")
	if dsn == "" {
		if os.Getenv("CI") == "true" {
			tb.Fatal("PostgreSQL is missing: set FURROW_TEST_POSTGRES")
		}
		tb.Skip("needs a PostgreSQL; set FURROW_TEST_POSTGRES (scripts/services start)")
	}
	admin, err := sql.Open("pgx", dsn)
	if err != nil {
		tb.Fatal(err)
	}
	schema := "t" + strings.ReplaceAll(ident.New(), "-", "")
	ctx := context.Background()
	if _, err := admin.ExecContext(ctx, fmt.Sprintf(`create schema %s`, schema)); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if _, err := admin.ExecContext(ctx, fmt.Sprintf(`drop schema %s cascade`, schema)); err != nil {
			tb.Error(err)
		}
		if err := admin.Close(); err != nil {
			tb.Error(err)
		}
	})
	u, err := url.Parse(dsn)
	if err != nil {
		tb.Fatal(err)
	}
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	return u.String()
}
