// Package spool keeps records in files while the place where they belong is down:
// what Append has returned nil for survives the death of the process and of the
// machine, comes out in its order, and never takes more than a bound.
//
// A folder holds segments, <number>.spool, of records: length and CRC-32C of the
// bytes (4 bytes each, little-endian), then the bytes.
package spool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/internal/filelock"
	"github.com/furrowcredit/furrow/internal/fsync"
)

// What can be wrong.
var (
	ErrFull = fault.New(fault.Unavailable, "spool.full",
		"the spool has reached its bound of {max} bytes: bring the telemetry store back, or allow more with --spool-max")
	ErrDisk = fault.New(fault.Unavailable, "spool.disk", "the spool in {dir} cannot be written: make room on the disk")
	ErrOpen = fault.New(fault.Invalid, "spool.open", "the spool folder {dir} cannot be used: choose another data folder or let this program write there")
	ErrBusy = fault.New(fault.Conflict, "spool.busy", "the spool folder {dir} is used by another process: give each its own data folder")
)

// ErrEmpty is returned by Next when every record is done.
var ErrEmpty = errors.New("the spool is empty")

const (
	header      = 8
	segmentSize = 16 << 20
	maxRecord   = 64 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Spool is a queue of records in a folder. Its methods may be called from many
// goroutines; only one may use Next and Done.
type Spool struct {
	dir string
	max int64

	mu       sync.Mutex
	lock     *filelock.Lock
	segments []segment // oldest first
	out      *os.File  // end of the last segment; nil before the first Append
	bytes    int64
	in       *os.File // the first segment, while it is read
	at       int64    // of the record that Next gave
	after    int64
	damaged  int
}

// segment is one file; good counts the bytes that hold whole records or damage
// between such.
type segment struct {
	number uint64
	good   int64
	holes  bool // has damage between its records
}

// Open opens the spool in dir, making the folder, with room for max bytes. A record
// whose writing was cut off is cut away: nobody was told that it is safe.
// ErrOpen, ErrBusy.
func Open(dir string, most int64) (*Spool, error) {
	s := &Spool{dir: dir, max: most}
	if err := s.open(); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Spool) open() error {
	refused := ErrOpen.With("dir", s.dir)
	if err := os.MkdirAll(s.dir, 0o750); err != nil {
		return refused.Because(err)
	}
	lock, err := filelock.Take(filepath.Join(s.dir, "lock"))
	switch {
	case errors.Is(err, filelock.ErrHeld):
		return ErrBusy.With("dir", s.dir)
	case err != nil:
		return refused.Because(err)
	}
	s.lock = lock
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return refused.Because(err)
	}
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".spool")
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(name, 16, 64)
		if err != nil {
			continue
		}
		g, err := s.inspect(n)
		if err != nil {
			return refused.Because(err)
		}
		if g.good == 0 {
			if err := os.Remove(s.path(n)); err != nil {
				return refused.Because(err)
			}
			continue
		}
		s.segments = append(s.segments, g)
		s.bytes += g.good
	}
	slices.SortFunc(s.segments, func(a, b segment) int { return int(a.number - b.number) }) //nolint:gosec // small differences
	return nil
}

func (s *Spool) path(n uint64) string { return filepath.Join(s.dir, fmt.Sprintf("%016x.spool", n)) }

// inspect reads a segment through and cuts off what was not written to the end.
func (s *Spool) inspect(n uint64) (segment, error) {
	f, err := os.OpenFile(s.path(n), os.O_RDWR, 0)
	if err != nil {
		return segment{}, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return segment{}, err
	}
	g := segment{number: n}
	for at := int64(0); at < info.Size(); {
		_, next, err := read(f, at, info.Size())
		switch {
		case err == nil:
			g.good = next
		case errors.Is(err, errHole):
			g.holes = true // what follows may be whole
		default:
			next = info.Size()
		}
		at = next
	}
	if g.good < info.Size() {
		if err := errors.Join(f.Truncate(g.good), f.Sync()); err != nil {
			return segment{}, err
		}
	}
	return g, nil
}

var (
	errTorn = errors.New("a record is not whole")
	errHole = errors.New("a record is damaged")
)

// read returns the record at an offset and where the next one starts. errHole when
// its bytes are damaged but its length leaves room for the next; errTorn when
// nothing can follow.
func read(f io.ReaderAt, at, size int64) ([]byte, int64, error) {
	var h [header]byte
	if at+header > size {
		return nil, size, errTorn
	}
	if _, err := f.ReadAt(h[:], at); err != nil {
		return nil, size, err
	}
	n := int64(binary.LittleEndian.Uint32(h[:]))
	next := at + header + n
	if n == 0 || n > maxRecord || next > size {
		return nil, size, errTorn
	}
	b := make([]byte, n)
	if _, err := f.ReadAt(b, at+header); err != nil {
		return nil, size, err
	}
	if crc32.Checksum(b, castagnoli) != binary.LittleEndian.Uint32(h[4:]) {
		return nil, next, errHole
	}
	return b, next, nil
}

// Append adds a record; when it returns nil the record is on disk. ErrFull, ErrDisk:
// then nothing of it is kept.
func (s *Spool) Append(record []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	size := int64(header + len(record))
	if len(record) == 0 || len(record) > maxRecord || s.bytes+size > s.max {
		return ErrFull.With("max", s.max)
	}
	failed := ErrDisk.With("dir", s.dir)
	if s.out == nil || s.segments[len(s.segments)-1].good >= segmentSize {
		if err := s.extend(); err != nil {
			return failed.Because(err)
		}
	}
	g := &s.segments[len(s.segments)-1]
	b := make([]byte, size)
	binary.LittleEndian.PutUint32(b, uint32(len(record))) //nolint:gosec // bounded above
	binary.LittleEndian.PutUint32(b[4:], crc32.Checksum(record, castagnoli))
	copy(b[header:], record)
	_, err := s.out.WriteAt(b, g.good)
	if err == nil {
		err = s.out.Sync()
	}
	if err != nil {
		// After a failed fsync nobody knows what is on disk: this file gets no more.
		err = errors.Join(err, s.out.Truncate(g.good), s.out.Close())
		s.out = nil
		if g.good == 0 && s.in == nil {
			err = errors.Join(err, os.Remove(s.path(g.number)))
			s.segments = s.segments[:len(s.segments)-1]
		}
		return failed.Because(err)
	}
	g.good += size
	s.bytes += size
	return nil
}

// extend starts a new segment.
func (s *Spool) extend() error {
	n := uint64(1)
	if len(s.segments) > 0 {
		n = s.segments[len(s.segments)-1].number + 1
	}
	f, err := os.OpenFile(s.path(n), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := fsync.Dir(s.dir); err != nil {
		return errors.Join(err, f.Close(), os.Remove(s.path(n)))
	}
	if s.out != nil {
		_ = s.out.Close() // every record in it is synced
	}
	s.out = f
	s.segments = append(s.segments, segment{number: n})
	return nil
}

// Next returns the oldest record that is not done; ErrEmpty when there is none. It
// returns the same one until Done. A damaged record is passed over and counted; its
// file is kept as <number>.bad.
func (s *Spool) Next() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.segments) > 0 {
		g := &s.segments[0]
		if s.at >= g.good {
			if len(s.segments) == 1 && g.good == 0 {
				return nil, ErrEmpty
			}
			if err := s.drop(); err != nil {
				return nil, err
			}
			continue
		}
		if s.in == nil {
			f, err := os.Open(s.path(g.number))
			if err != nil {
				return nil, ErrDisk.With("dir", s.dir).Because(err)
			}
			s.in = f
		}
		record, next, err := read(s.in, s.at, g.good)
		switch {
		case err == nil:
			s.after = next
			return record, nil
		case errors.Is(err, errHole), errors.Is(err, errTorn):
			g.holes, s.damaged, s.at = true, s.damaged+1, next
		default:
			return nil, ErrDisk.With("dir", s.dir).Because(err)
		}
	}
	return nil, ErrEmpty
}

// Done forgets the record that Next gave; its file goes when all of it is done.
func (s *Spool) Done() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at = max(s.at, s.after)
	if len(s.segments) > 0 && s.at >= s.segments[0].good {
		return s.drop()
	}
	return nil
}

// drop removes the first segment. What fails here only brings records once more
// after a restart.
func (s *Spool) drop() error {
	g := s.segments[0]
	if s.in != nil {
		_ = s.in.Close()
		s.in = nil
	}
	if len(s.segments) == 1 && s.out != nil {
		_ = s.out.Close() // every record in it is synced
		s.out = nil
	}
	s.segments = slices.Delete(s.segments, 0, 1)
	s.bytes -= g.good
	s.at, s.after = 0, 0
	var err error
	if g.holes {
		err = os.Rename(s.path(g.number), strings.TrimSuffix(s.path(g.number), ".spool")+".bad")
	} else {
		err = os.Remove(s.path(g.number))
	}
	if err != nil {
		return ErrDisk.With("dir", s.dir).Because(err)
	}
	return nil
}

// Bytes is what the spool holds on disk.
func (s *Spool) Bytes() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bytes
}

// Damaged is how many records were passed over because they could not be read.
func (s *Spool) Damaged() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.damaged
}

// Close lets another process open the folder.
func (s *Spool) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	for _, f := range []*os.File{s.out, s.in} {
		if f != nil {
			err = errors.Join(err, f.Close())
		}
	}
	if s.lock != nil {
		err = errors.Join(err, s.lock.Release())
	}
	s.out, s.in, s.lock = nil, nil, nil
	return err
}
