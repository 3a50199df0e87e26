// Package telemetry is the embedded series store: readings on disk when Write
// returns, in a journal that is compacted into chunks of columns.
//
// A write is appended to the journal with one fsync and entered into the head, the
// index in memory of what the journal holds. A full head is frozen, and while the
// next one fills, its readings go tag by tag and day by day into chunks of a SQLite
// file; then its part of the journal is removed. Chunks are written in transactions
// of some milliseconds, and writers wait for none of them. Compacting again what is
// in chunks already changes nothing, because writing a reading again does not; so a
// crash at any moment needs no more than to read the journal again.
//
// Reads merge chunks and heads by device time. docs/formats/telemetry.md describes
// the files.
package telemetry

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"modernc.org/sqlite" // also registers "sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/internal/filelock"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/series"
)

// ErrInUse is returned for a file that another process, or this one, has open.
var ErrInUse = fault.New(fault.Conflict, "series.in_use",
	"the telemetry file {path} is in use: stop the program that has it open first")

// ErrTooLarge is returned for a write that the journal cannot hold in one piece.
var ErrTooLarge = fault.New(fault.Invalid, "series.too_large", "a write of {readings} readings is too large: write fewer at once")

//go:embed schema.sql
var schema string

// The bounds of a head. Two of them are in memory at most, with some 60 bytes a
// reading and 150 a tag.
const (
	headReadings = 512 << 10
	headBytes    = 32 << 20
)

// Store implements series.Store.
type Store struct {
	path        string
	lock        *filelock.Lock
	write, read *sql.DB
	prepared    [statements]*sql.Stmt // of write
	find        *sql.Stmt             // of read
	full        func(*head) bool      // whether a head is to be compacted
	days        calendar
	closing     context.Context
	close       context.CancelFunc
	work        sync.WaitGroup

	// The locks, in the order in which they are taken.
	compacting sync.Mutex // who compacts, deletes or expires

	writing sync.Mutex // who writes
	journal journal
	frame   []byte
	block   blockWriter

	// chunks is held for reading while a read looks at chunks and heads, and for
	// writing while a commit moves readings from one to the other.
	chunks sync.RWMutex
	tags   map[key]*tagEntry

	heads        sync.RWMutex
	live, frozen *head
	drained      chan struct{} // closed when compacting the frozen head ends
	failed       error         // why it is still there
}

// tagEntry is the directory's entry of one tag: the number of its series and the
// days of its chunks; on the last one there surely is one.
type tagEntry struct {
	id          int64
	first, last int64
}

var _ series.Store = (*Store)(nil)

// Open opens or creates the store at path, with files beside it whose names begin
// with path. ErrInUse; series.ErrUnavailable when the place cannot be written. A file
// of the first layout, a row a reading, is rewritten before Open returns.
func Open(ctx context.Context, path string) (*Store, error) {
	return open(ctx, path, func(h *head) bool { return len(h.entries) >= headReadings || h.bytes >= headBytes })
}

func open(ctx context.Context, path string, full func(*head) bool) (_ *Store, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return nil, series.ErrUnavailable.Because(err)
	}
	s := &Store{path: path, full: full, journal: journal{path: path, create: createFile}, live: newHead()}
	s.closing, s.close = context.WithCancel(context.WithoutCancel(ctx))
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if s.lock, err = lockFile(path); err != nil {
		return nil, err
	}
	old, err := setAside(ctx, path)
	if err != nil {
		return nil, err
	}
	if s.write, err = sql.Open("sqlite", dsn(path, "immediate")); err != nil {
		return nil, fmt.Errorf("store: telemetry: %w", err)
	}
	s.write.SetMaxOpenConns(1)
	if s.read, err = sql.Open("sqlite", dsn(path, "deferred")); err != nil {
		return nil, fmt.Errorf("store: telemetry: %w", err)
	}
	s.read.SetMaxOpenConns(readers)
	s.read.SetMaxIdleConns(readers)
	if s.days, err = begin(ctx, s.write); err != nil {
		return nil, wrap(err)
	}
	if err := s.prepare(ctx); err != nil {
		return nil, err
	}
	if err := s.loadTags(ctx); err != nil {
		return nil, err
	}
	if s.live.segments, err = s.journal.recover(s.live.replay); err != nil {
		return nil, unavailable(err)
	}
	if old != "" {
		if err := s.migrate(ctx, old); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// begin makes the tables of a new file, and tells by which calendar the file counts.
func begin(ctx context.Context, db *sql.DB) (calendar, error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return utc, err
	}
	defer tx.Rollback() // a no-op after Commit
	var tables, east int64
	if err := tx.QueryRowContext(ctx, `select count(*) from sqlite_schema`).Scan(&tables); err != nil {
		return utc, err
	}
	if _, err := tx.ExecContext(ctx, schema); err != nil {
		return utc, err
	}
	if tables == 0 {
		if _, err := tx.ExecContext(ctx, fmt.Sprintf(`pragma user_version = %d`, beijing)); err != nil {
			return utc, err
		}
	}
	if err := tx.QueryRowContext(ctx, `pragma user_version`).Scan(&east); err != nil {
		return utc, err
	}
	return calendar(east), tx.Commit()
}

// readers is how many reads look at the database at once.
const readers = 4

// lockFile keeps a second process out, whose head would not hold what this one
// writes.
func lockFile(path string) (*filelock.Lock, error) {
	l, err := filelock.Take(path + ".lock")
	switch {
	case errors.Is(err, filelock.ErrHeld):
		return nil, ErrInUse.With("path", path).Because(err)
	case err != nil:
		return nil, series.ErrUnavailable.Because(err)
	}
	return l, nil
}

// dsn asks for synchronous FULL: with WAL it is what makes a commit survive the loss
// of power; for secure_delete, which overwrites what is deleted; and for large pages,
// of which chunks of some kilobytes waste less.
func dsn(path, lock string) string {
	q := url.Values{"_txlock": {lock}, "_pragma": {
		"busy_timeout(10000)", "page_size(16384)", "journal_mode(WAL)", "synchronous(FULL)", "secure_delete(ON)", "temp_store(MEMORY)", "cache_size(-4000)",
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

// unavailable is for errors of files, all of which may pass but damage.
func unavailable(err error) error {
	if err == nil || errors.Is(err, errDamaged) {
		return err
	}
	return series.ErrUnavailable.Because(err)
}

func (s *Store) loadTags(ctx context.Context) error {
	s.tags = make(map[key]*tagEntry)
	rows, err := s.write.QueryContext(ctx, `select id, tenant, name, first, last from tag`)
	if err != nil {
		return wrap(err)
	}
	defer func() { _ = rows.Close() }() // what matters is rows.Err
	for rows.Next() {
		var k key
		var t tagEntry
		if err := rows.Scan(&t.id, &k.tenant, &k.tag, &t.first, &t.last); err != nil {
			return wrap(err)
		}
		s.tags[k] = &t
	}
	return wrap(rows.Err())
}

// Close implements series.Store. What is in the journal only stays there until the
// store is opened again.
func (s *Store) Close() error {
	s.close()
	s.writing.Lock() // who writes ends that; whoever comes after is refused
	defer s.writing.Unlock()
	s.work.Wait()
	errs := []error{s.journal.end()}
	for _, stmt := range append(s.prepared[:], s.find) {
		if stmt != nil {
			errs = append(errs, stmt.Close())
		}
	}
	for _, db := range []*sql.DB{s.read, s.write} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Release())
	}
	return errors.Join(errs...)
}

// Write implements series.Store: one frame of the journal, whole or not at all.
func (s *Store) Write(ctx context.Context, readings []iot.Reading) error {
	if len(readings) == 0 {
		return nil
	}
	for i := range readings {
		if err := series.Check(&readings[i]); err != nil {
			return err
		}
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.closing.Err(); err != nil { // another process may have the files by now
		return series.ErrUnavailable.Because(err)
	}
	if err := s.room(ctx); err != nil {
		return err
	}
	s.block.reset()
	var p point
	for i := range readings {
		r := &readings[i]
		flatten(&p, r)
		s.block.add(key{r.Tenant, r.Tag}, &p)
	}
	s.frame = s.block.finish(append(s.frame[:0], make([]byte, frameHead)...))
	if len(s.frame) > mostFrame {
		return ErrTooLarge.With("readings", len(readings))
	}
	created, err := s.journal.append(s.frame)
	if created != "" {
		s.heads.Lock()
		s.live.segments = append(s.live.segments, created)
		s.heads.Unlock()
	}
	if err != nil {
		return unavailable(err)
	}
	body := slices.Clone(s.frame[frameHead:])
	b, err := openBlock(body)
	if err != nil {
		return err
	}
	s.heads.Lock()
	s.live.add(b, len(body), readings, s.block.offsets)
	full := s.full(s.live) && s.frozen == nil
	if full {
		err = s.freeze()
	}
	s.heads.Unlock()
	if full {
		s.work.Go(s.compact)
	}
	if err != nil {
		return unavailable(err)
	}
	return nil
}

// room waits while both heads are full.
func (s *Store) room(ctx context.Context) error {
	s.heads.RLock()
	wait, drained := s.frozen != nil && s.full(s.live), s.drained
	s.heads.RUnlock()
	if !wait {
		return nil
	}
	select {
	case <-drained:
	case <-ctx.Done():
		return series.ErrUnavailable.Because(ctx.Err())
	}
	s.heads.Lock()
	defer s.heads.Unlock()
	if s.frozen == nil {
		return nil
	}
	// Compacting failed: a full disk, likely. Try again, and let the caller do so too.
	s.drained = make(chan struct{})
	s.work.Go(s.compact)
	return series.ErrUnavailable.Because(s.failed)
}

// freeze makes the live head the frozen one. Both writing and heads are held.
func (s *Store) freeze() error {
	s.frozen, s.live = s.live, newHead()
	s.drained = make(chan struct{})
	return s.journal.end()
}
