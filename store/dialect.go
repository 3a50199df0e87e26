package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib" // registers "pgx"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// dialect is everything in which the two databases differ.
type dialect interface {
	name() string
	// wrap maps driver errors by code: broken keys to errConflict, a database that
	// cannot be reached or written to ErrUnavailable.
	wrap(err error) error
	// retry says whether a transaction that failed with err should be tried again.
	retry(err error) bool
	isolation() sql.IsolationLevel
	// rowIsolation finds rivals by the rows that they write.
	rowIsolation() sql.IsolationLevel
	// snapshot is a transaction that reads one state and writes nothing.
	snapshot() *sql.TxOptions
	// blob is the column type of bytes, in migrations written {{blob}}.
	blob() string
	// json is the type to read a column of JSON text by, in migrations written {{json}}.
	json() string
	// rows is how many rows of so many columns a bulk insert puts into one statement.
	rows(columns int) int
	// mark is the n-th parameter of a bulk insert, in which each occurs once.
	mark(n int) string
	// lock keeps a second process from migrating at the same time.
	lock(ctx context.Context, tx *sql.Tx) error
}

type sqliteDialect struct{}

func (sqliteDialect) name() string                  { return "sqlite" }
func (sqliteDialect) blob() string                  { return "blob" }
func (sqliteDialect) json() string                  { return "text" }
func (sqliteDialect) isolation() sql.IsolationLevel { return sql.LevelDefault }

func (sqliteDialect) rowIsolation() sql.IsolationLevel { return sql.LevelDefault }

func (sqliteDialect) retry(error) bool { return false }

// mark has no number: the driver would look up the name of each parameter of each row.
func (sqliteDialect) mark(int) string { return "?" }

// rows of a few saves the way through the driver; more were measured no faster.
func (sqliteDialect) rows(columns int) int { return max(1, 200/columns) }

// lock has nothing to do: BEGIN IMMEDIATE holds the only writer.
func (sqliteDialect) lock(context.Context, *sql.Tx) error { return nil }

func (sqliteDialect) wrap(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_CONSTRAINT:
		return fmt.Errorf("%w: %w", errConflict, err)
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY:
		return ErrUnavailable.Because(err)
	}
	return err
}

type postgresDialect struct{}

func (postgresDialect) name() string                  { return "postgres" }
func (postgresDialect) blob() string                  { return "bytea" }
func (postgresDialect) json() string                  { return "json" }
func (postgresDialect) isolation() sql.IsolationLevel { return sql.LevelSerializable }

func (postgresDialect) rowIsolation() sql.IsolationLevel { return sql.LevelRepeatableRead }

func (postgresDialect) mark(n int) string { return "$" + strconv.Itoa(n) }

// rows stays far below the 65,535 parameters of a statement.
func (postgresDialect) rows(columns int) int { return max(1, 12_000/columns) }

func (postgresDialect) lock(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, `select pg_advisory_xact_lock(7281947)`)
	return err
}

func (postgresDialect) wrap(err error) error {
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) {
		return ErrUnavailable.Because(err)
	}
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return err
	}
	switch {
	case strings.HasPrefix(e.Code, "23"): // integrity constraint violation
		return fmt.Errorf("%w: %w", errConflict, err)
	case strings.HasPrefix(e.Code, "08"), strings.HasPrefix(e.Code, "53"), strings.HasPrefix(e.Code, "57P"):
		return ErrUnavailable.Because(err) // connection, resources, shutdown
	}
	return err
}

func (postgresDialect) retry(err error) bool {
	var e *pgconn.PgError
	// serialization_failure, deadlock_detected.
	return errors.As(err, &e) && (e.Code == "40001" || e.Code == "40P01")
}
