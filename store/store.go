// Package store holds every SQL statement of the project: here the database, its
// migrations, transactions and the few things in which SQLite and PostgreSQL
// differ; in the sub-packages one implementation of each domain's Store.
//
// One SQL text serves both databases: $1..$n placeholders, bigint, text and
// boolean columns, times as Unix milliseconds, money as fen.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/fault"
)

// ErrDSN is returned for a database address that is not understood.
var ErrDSN = fault.New(fault.Invalid, "store.dsn",
	"write the database as sqlite:FILE or postgres://USER:PASSWORD@HOST:PORT/NAME")

// ErrUnavailable wraps what a database says when it cannot be reached or is full.
var ErrUnavailable = fault.New(fault.Unavailable, "store.unavailable", "the database does not answer; try again shortly")

// Config says which database.
type Config struct {
	// DSN is "sqlite:FILE" or "postgres://...".
	DSN string
	// MaxConns bounds the connections that read; 0 means 8.
	MaxConns int
}

// Queryer is what the implementations need of a database or a transaction.
type Queryer interface {
	Query(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRow(ctx context.Context, query string, args ...any) *sql.Row
	Exec(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// DB is an open, migrated database. SQLite has one writing connection and a pool
// that reads beside it (WAL); PostgreSQL has one pool.
type DB struct {
	dialect dialect
	read    *sql.DB
	write   *sql.DB
	path    string        // of the SQLite file, or ""
	log     *checkpointer // of SQLite
	turns   turns
}

var _ Queryer = (*DB)(nil)

// Open connects, migrates and returns the database.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	db, err := connect(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if err := db.migrate(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func connect(ctx context.Context, cfg Config) (*DB, error) {
	conns := cfg.MaxConns
	if conns == 0 {
		conns = 8
	}
	db := &DB{}
	var err error
	switch {
	case strings.HasPrefix(cfg.DSN, "sqlite:"):
		db.dialect = sqliteDialect{}
		db.path = strings.TrimPrefix(cfg.DSN, "sqlite:")
		if err := os.MkdirAll(filepath.Dir(db.path), 0o750); err != nil {
			return nil, fmt.Errorf("store: %w", err)
		}
		if db.write, err = openSQLite(sqliteDSN(db.path, "immediate")); err != nil {
			return nil, fmt.Errorf("store: %w", err)
		}
		db.write.SetMaxOpenConns(1)
		if db.read, err = openSQLite(sqliteDSN(db.path, "deferred")); err != nil {
			return nil, errors.Join(err, db.write.Close())
		}
		db.log = newCheckpointer(db.read)
	case strings.HasPrefix(cfg.DSN, "postgres://"), strings.HasPrefix(cfg.DSN, "postgresql://"):
		if _, err := url.Parse(cfg.DSN); err != nil {
			return nil, ErrDSN
		}
		db.dialect = postgresDialect{}
		if db.write, err = sql.Open("pgx", cfg.DSN); err != nil {
			return nil, ErrDSN.Because(err)
		}
		db.read = db.write
	default:
		return nil, ErrDSN
	}
	db.read.SetMaxOpenConns(conns)
	db.read.SetMaxIdleConns(conns)
	db.read.SetConnMaxIdleTime(5 * time.Minute)
	if err := db.write.PingContext(ctx); err != nil {
		return nil, errors.Join(ErrUnavailable.Because(err), db.Close())
	}
	return db, nil
}

// sqliteDSN sets busy_timeout before all else, because the other pragmas may wait.
func sqliteDSN(path, lock string) string {
	q := url.Values{"_txlock": {lock}, "_pragma": {
		"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(ON)", "temp_store(MEMORY)", "cache_size(-16000)",
		fmt.Sprintf("wal_autocheckpoint(%d)", longPages),
	}}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

// Close ends all connections.
func (db *DB) Close() error {
	db.log.Close()
	err := db.write.Close()
	if db.read != nil && db.read != db.write {
		err = errors.Join(err, db.read.Close())
	}
	return err
}

// Ping says whether the database answers.
func (db *DB) Ping(ctx context.Context) error {
	if err := db.read.PingContext(ctx); err != nil {
		return ErrUnavailable.Because(err)
	}
	return nil
}

// Kind is "sqlite" or "postgres".
func (db *DB) Kind() string { return db.dialect.name() }

// Path is the SQLite file, or "" for PostgreSQL.
func (db *DB) Path() string { return db.path }

// Pool is the connection pool that writes, for the job queue's own tables.
func (db *DB) Pool() *sql.DB { return db.write }

// Query runs a SELECT on the reading pool.
func (db *DB) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	rows, err := db.read.QueryContext(ctx, query, args...)
	return rows, db.dialect.wrap(err)
}

// QueryRow runs a SELECT of at most one row on the reading pool. A statement that
// writes and returns a row belongs into Tx.
func (db *DB) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	return db.read.QueryRowContext(ctx, query, args...)
}

// Exec runs one writing statement.
func (db *DB) Exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	res, err := db.write.ExecContext(ctx, query, args...)
	db.log.committed()
	return res, db.dialect.wrap(err)
}

// Tx is a writing transaction.
type Tx struct {
	tx      *sql.Tx
	dialect dialect
}

var _ Queryer = (*Tx)(nil)

// Query runs a SELECT in the transaction.
func (tx *Tx) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	rows, err := tx.tx.QueryContext(ctx, query, args...)
	return rows, tx.dialect.wrap(err)
}

// QueryRow runs a statement that returns at most one row in the transaction.
func (tx *Tx) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	return tx.tx.QueryRowContext(ctx, query, args...)
}

// Exec runs a writing statement in the transaction.
func (tx *Tx) Exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	res, err := tx.tx.ExecContext(ctx, query, args...)
	return res, tx.dialect.wrap(err)
}

// Tx runs f in a writing transaction and commits when f returns nil. It is
// serialisable on both databases: SQLite has one writer, PostgreSQL repeats f when
// it reports a serialisation failure, so f must not keep anything of a failed try.
func (db *DB) Tx(ctx context.Context, f func(tx *Tx) error) error {
	return db.tx(ctx, db.dialect.isolation(), f)
}

// TxRows is [DB.Tx] for a transaction that reads nothing but rows which it also writes: of
// one state of them, and repeated when a rival wrote one. A serialisable transaction is
// undone as well when others worked on neighbouring rows in a way that could matter to one
// that reads them, which new rows always are.
func (db *DB) TxRows(ctx context.Context, f func(tx *Tx) error) error {
	return db.tx(ctx, db.dialect.rowIsolation(), f)
}

func (db *DB) tx(ctx context.Context, isolation sql.IsolationLevel, f func(tx *Tx) error) error {
	const tries = 20
	for try := 1; ; try++ {
		err := db.once(ctx, isolation, f)
		if err == nil || try == tries || !db.dialect.retry(err) {
			return err
		}
		// Spread the rivals, so that they do not collide again.
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(rand.N(time.Duration(try) * 4 * time.Millisecond)):
		}
	}
}

func (db *DB) once(ctx context.Context, isolation sql.IsolationLevel, f func(tx *Tx) error) error {
	tx, err := db.write.BeginTx(ctx, &sql.TxOptions{Isolation: isolation})
	if err != nil {
		return db.dialect.wrap(err)
	}
	defer tx.Rollback() // a no-op after Commit
	if err := f(&Tx{tx, db.dialect}); err != nil {
		return err
	}
	err = tx.Commit()
	db.log.committed()
	return db.dialect.wrap(err)
}

// Conflict says whether err is a broken unique, primary or foreign key.
func Conflict(err error) bool { return errors.Is(err, errConflict) }

var errConflict = errors.New("constraint")

// Row is what *sql.Row and *sql.Rows share.
type Row interface{ Scan(dest ...any) error }

// Collect runs a query and scans every row; without rows the list is empty, not nil.
func Collect[T any](ctx context.Context, q Queryer, scan func(Row) (T, error), query string, args ...any) ([]T, error) {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // what matters is rows.Err
	out := []T{}
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// In appends values to args and returns their list for SQL: "($3, $4)".
func In[T ~string](args []any, values []T) (list string, _ []any) {
	marks := make([]string, len(values))
	for i, v := range values {
		args = append(args, string(v))
		marks[i] = fmt.Sprintf("$%d", len(args))
	}
	return "(" + strings.Join(marks, ", ") + ")", args
}

// Millis is t as stored: Unix milliseconds.
func Millis(t time.Time) int64 { return t.UnixMilli() }

// Time is a stored time in UTC.
func Time(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// NullMillis is t as stored in a column that may be NULL.
func NullMillis(t *time.Time) sql.NullInt64 {
	if t == nil {
		return sql.NullInt64{}
	}
	return sql.NullInt64{Int64: t.UnixMilli(), Valid: true}
}

// NullTime is a stored time that may be NULL.
func NullTime(ms sql.NullInt64) *time.Time {
	if !ms.Valid {
		return nil
	}
	t := Time(ms.Int64)
	return &t
}
