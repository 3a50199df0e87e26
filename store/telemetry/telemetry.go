// Package telemetry is the embedded series store: readings in a SQLite file of
// their own, on disk when Write returns.
package telemetry

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"modernc.org/sqlite" // also registers "sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/series"
	"github.com/furrowcredit/furrow/store"
)

//go:embed schema.sql
var schema string

// Store implements series.Store. One connection writes; others read beside it.
type Store struct {
	write, read *sql.DB
}

var _ series.Store = (*Store)(nil)

// Open opens or creates the file at path. series.ErrUnavailable when the place
// cannot be written.
func Open(ctx context.Context, path string) (*Store, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return nil, series.ErrUnavailable.Because(err)
	}
	s := &Store{}
	var err error
	if s.write, err = sql.Open("sqlite", dsn(path, "immediate")); err != nil {
		return nil, fmt.Errorf("store: telemetry: %w", err)
	}
	s.write.SetMaxOpenConns(1)
	if s.read, err = sql.Open("sqlite", dsn(path, "deferred")); err != nil {
		return nil, errors.Join(err, s.write.Close())
	}
	s.read.SetMaxOpenConns(4)
	if _, err := s.write.ExecContext(ctx, schema); err != nil {
		return nil, errors.Join(wrap(err), s.Close())
	}
	return s, nil
}

// dsn asks for synchronous FULL: with WAL it is what makes a commit survive the
// loss of power, not only of the process.
func dsn(path, lock string) string {
	q := url.Values{"_txlock": {lock}, "_pragma": {
		"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "temp_store(MEMORY)", "cache_size(-16000)",
	}}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

// wrap maps a full disk, a lock and the like to series.ErrUnavailable, by code.
func wrap(err error) error {
	var e *sqlite.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e):
		switch e.Code() & 0xff {
		case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY:
			return series.ErrUnavailable.Because(err)
		}
	case errors.Is(err, context.DeadlineExceeded):
		return series.ErrUnavailable.Because(err)
	}
	return fmt.Errorf("store: telemetry: %w", err)
}

// Close implements series.Store.
func (s *Store) Close() error { return errors.Join(s.write.Close(), s.read.Close()) }

const (
	columns   = `tenant, tag, ts, received, gateway, lon, lat, acc_m, temp_c, ambient_c, activity, attached, battery_v, seq`
	width     = 14
	rowsAtOne = 64 // rows of one statement: SQLite spends most of a small one on starting it
	// onConflict merges what only one of two writings of a reading has.
	onConflict = ` on conflict (tenant, tag, ts) do update set received = excluded.received,
		gateway = coalesce(excluded.gateway, gateway), lon = coalesce(excluded.lon, lon), lat = coalesce(excluded.lat, lat),
		acc_m = coalesce(excluded.acc_m, acc_m), temp_c = coalesce(excluded.temp_c, temp_c),
		ambient_c = coalesce(excluded.ambient_c, ambient_c), activity = coalesce(excluded.activity, activity),
		attached = coalesce(excluded.attached, attached), battery_v = coalesce(excluded.battery_v, battery_v),
		seq = coalesce(excluded.seq, seq)`
)

// insert is the statement for n rows.
func insert(n int) string {
	one := `(` + strings.TrimSuffix(strings.Repeat(`?,`, width), `,`) + `)`
	return `insert into reading (` + columns + `) values ` + strings.TrimSuffix(strings.Repeat(one+`,`, n), `,`) + onConflict
}

// Write implements series.Store: all readings in one transaction.
func (s *Store) Write(ctx context.Context, readings []iot.Reading) error {
	if len(readings) == 0 {
		return nil
	}
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return wrap(err)
	}
	defer tx.Rollback() // a no-op after Commit
	args := make([]any, 0, width*rowsAtOne)
	exec := func(part []iot.Reading, run func(args []any) error) error {
		args = args[:0]
		for i := range part {
			args = appendRow(args, &part[i])
		}
		return run(args)
	}
	if len(readings) >= rowsAtOne {
		stmt, err := tx.PrepareContext(ctx, insert(rowsAtOne))
		if err != nil {
			return wrap(err)
		}
		defer func() { _ = stmt.Close() }() // ends with the transaction
		for ; len(readings) >= rowsAtOne; readings = readings[rowsAtOne:] {
			err := exec(readings[:rowsAtOne], func(args []any) error {
				_, err := stmt.ExecContext(ctx, args...)
				return err
			})
			if err != nil {
				return wrap(err)
			}
		}
	}
	if len(readings) > 0 {
		err := exec(readings, func(args []any) error {
			_, err := tx.ExecContext(ctx, insert(len(readings)), args...)
			return err
		})
		if err != nil {
			return wrap(err)
		}
	}
	return wrap(tx.Commit())
}

func appendRow(args []any, r *iot.Reading) []any {
	args = append(args, r.Tenant, r.Tag, r.At.UnixMilli(), r.Received.UnixMilli(), sql.NullString{String: r.Gateway, Valid: r.Gateway != ""})
	for _, v := range []*float64{r.Lon, r.Lat, r.Accuracy, r.Temp, r.Ambient, r.Activity} {
		args = append(args, value(v))
	}
	return append(args, value(r.Attached), value(r.Battery), value(r.Seq))
}

// value is nil for an absent measurement.
func value[T any](v *T) any {
	if v == nil {
		return nil
	}
	return *v
}

func scan(rows *sql.Rows) (iot.Reading, error) {
	var r iot.Reading
	var ts, received int64
	var gateway sql.NullString
	err := rows.Scan(&r.Tenant, &r.Tag, &ts, &received, &gateway, &r.Lon, &r.Lat, &r.Accuracy, &r.Temp, &r.Ambient,
		&r.Activity, &r.Attached, &r.Battery, &r.Seq)
	r.At, r.Received, r.Gateway = store.Time(ts), store.Time(received), gateway.String
	return r, err
}

// Latest implements series.Store.
func (s *Store) Latest(ctx context.Context, tenant string, tags []string) (map[string]iot.Reading, error) {
	stmt, err := s.read.PrepareContext(ctx, `select `+columns+` from reading where tenant = ? and tag = ? order by ts desc limit 1`)
	if err != nil {
		return nil, wrap(err)
	}
	defer func() { _ = stmt.Close() }() // read only
	out := make(map[string]iot.Reading, len(tags))
	for _, tag := range tags {
		got, err := collect(stmt.QueryContext(ctx, tenant, tag))
		if err != nil {
			return nil, err
		}
		if len(got) > 0 {
			out[tag] = got[0]
		}
	}
	return out, nil
}

// Range implements series.Store.
func (s *Store) Range(ctx context.Context, tenant, tag string, from, to time.Time, limit int) ([]iot.Reading, error) {
	if limit <= 0 {
		limit = -1 // SQLite's "no limit"
	}
	return collect(s.read.QueryContext(ctx, `select `+columns+` from reading
		where tenant = ? and tag = ? and ts >= ? and ts < ? order by ts limit ?`,
		tenant, tag, ceilMillis(from), ceilMillis(to), limit))
}

// ceilMillis is the first whole millisecond at or after t.
func ceilMillis(t time.Time) int64 { return t.Add(time.Millisecond - 1).UnixMilli() }

// Since implements series.Store.
func (s *Store) Since(ctx context.Context, tenant string, from map[string]time.Time, each func(string, []iot.Reading) error) error {
	for _, tag := range slices.Sorted(maps.Keys(from)) {
		readings, err := s.Range(ctx, tenant, tag, from[tag], store.Time(1<<50), 0)
		if err == nil && len(readings) > 0 {
			err = each(tag, readings)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Windows implements series.Store.
func (s *Store) Windows(ctx context.Context, tenant string, tags []string, m series.Measure, from, to time.Time, step time.Duration) (map[string][]series.Window, error) {
	if !m.Valid() {
		return nil, series.ErrMeasure.With("measure", m)
	}
	out := make(map[string][]series.Window)
	for _, tag := range tags {
		readings, err := s.Range(ctx, tenant, tag, from, to, 0)
		if err != nil {
			return nil, err
		}
		for i := range readings {
			if v, ok := m.Of(&readings[i]); ok {
				out[tag] = series.Add(out[tag], from, max(step, time.Millisecond), readings[i].At, v)
			}
		}
	}
	return out, nil
}

// Expire implements series.Store.
func (s *Store) Expire(ctx context.Context, before time.Time) error {
	_, err := s.write.ExecContext(ctx, `delete from reading where ts < ?`, before.UnixMilli())
	return wrap(err)
}

// Count implements series.Store.
func (s *Store) Count(ctx context.Context, tenant, tag string) (int64, error) {
	var n int64
	err := s.read.QueryRowContext(ctx, `select count(*) from reading where tenant = ?1 and (?2 = '' or tag = ?2)`, tenant, tag).Scan(&n)
	return n, wrap(err)
}

// Delete implements series.Store.
func (s *Store) Delete(ctx context.Context, tenant, tag string) error {
	_, err := s.write.ExecContext(ctx, `delete from reading where tenant = ? and tag = ?`, tenant, tag)
	return wrap(err)
}

func collect(rows *sql.Rows, err error) ([]iot.Reading, error) {
	if err != nil {
		return nil, wrap(err)
	}
	defer func() { _ = rows.Close() }() // what matters is rows.Err
	var out []iot.Reading
	for rows.Next() {
		r, err := scan(rows)
		if err != nil {
			return nil, wrap(err)
		}
		out = append(out, r)
	}
	return out, wrap(rows.Err())
}
