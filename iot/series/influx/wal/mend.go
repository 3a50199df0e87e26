// Package wal mends the write-ahead log of an InfluxDB 1.8 that was killed or whose
// disk was full, before it starts again.
//
// InfluxDB opens the last segment of a shard's log for writing at its end, and only
// then finds that the last entry is torn and cuts it off. What it writes next lies
// behind a hole as long as what was cut, and its next start takes the hole for the end:
// all that it acknowledged in between is gone (tsdb/engine/tsm1 of v1.8.3, Engine.Open:
// WAL.Open comes before CacheLoader.Load). With the torn end cut off before, it opens
// the log where it ends.
package wal

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/klauspost/compress/snappy"

	"github.com/furrowcredit/furrow/fault"
)

// ErrRunning says that the log is in use.
var ErrRunning = fault.New(fault.Conflict, "wal.running", "process {pid} has the log open: stop InfluxDB first")

// Cut is a torn end that was cut off.
type Cut struct {
	Path  string `json:"path"`
	Whole int64  `json:"whole"` // bytes of whole entries, which stay
	Torn  int64  `json:"torn"`  // bytes that were cut off
	Why   string `json:"why"`
}

// Mend cuts the torn ends off the logs below dir, InfluxDB's wal-dir, and says what it
// did and how many logs there are: none before its first start. InfluxDB must not run:
// [ErrRunning] names the process that has a log open, as far as this user may see it.
func Mend(dir string) (cuts []Cut, logs int, err error) {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	last := map[string]string{} // the segment a shard writes on, by its folder
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.Type().IsRegular() && strings.HasPrefix(name, "_") && strings.HasSuffix(name, ".wal") {
			shard := filepath.Dir(path)
			last[shard] = max(last[shard], path) // numbers of five digits
		}
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	var paths []string
	for _, path := range last {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	if err := idle(paths); err != nil {
		return nil, 0, err
	}
	for _, path := range paths {
		cut, err := mend(path)
		if err != nil {
			return cuts, len(paths), err
		}
		if cut.Torn > 0 {
			cuts = append(cuts, cut)
		}
	}
	return cuts, len(paths), nil
}

func mend(path string) (_ Cut, err error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return Cut{}, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return Cut{}, err
	}
	whole, torn, err := measure(f, info.Size())
	if err != nil {
		return Cut{}, fmt.Errorf("%s: %w", path, err)
	}
	if torn == nil {
		return Cut{}, nil
	}
	if err := f.Truncate(whole); err != nil {
		return Cut{}, err
	}
	return Cut{Path: path, Whole: whole, Torn: info.Size() - whole, Why: torn.Error()}, f.Sync()
}

// head is what stands before the data of an entry: a byte for its kind and four for
// the length of the data, big-endian. The data are a block of Snappy.
const head = 5

// The kinds of entries: a write, a deletion, a deletion of a range.
const firstKind, lastKind = 1, 3

// expands is more than what a byte of Snappy can stand for: two make at most 64.
const expands = 64

// measure gives the length of the whole entries at the start of a segment of so many
// bytes, and why the next is none; torn is nil when they are all.
func measure(r io.Reader, size int64) (whole int64, torn, err error) {
	b := bufio.NewReaderSize(r, 1<<18)
	var data, plain []byte
	for whole < size {
		var h [head]byte
		if size-whole < head {
			return whole, errors.New("the entry ends in its head"), nil
		}
		if _, err := io.ReadFull(b, h[:]); err != nil {
			return 0, nil, err
		}
		n := int64(binary.BigEndian.Uint32(h[1:]))
		switch {
		case h[0] < firstKind || h[0] > lastKind:
			return whole, fmt.Errorf("there is no kind of entry %d", h[0]), nil
		case n > size-whole-head:
			return whole, fmt.Errorf("the entry has %d of its %d bytes", size-whole-head, n), nil
		}
		data = slices.Grow(data[:0], int(n))[:n]
		if _, err := io.ReadFull(b, data); err != nil {
			return 0, nil, err
		}
		long, err := snappy.DecodedLen(data)
		if err == nil && int64(long) > expands*n {
			err = snappy.ErrCorrupt
		}
		if err == nil {
			plain = slices.Grow(plain[:0], long)[:long]
			_, err = snappy.Decode(plain, data)
		}
		if err != nil {
			return whole, fmt.Errorf("the entry's data: %w", err), nil
		}
		whole += head + n
	}
	return whole, nil, nil
}

// idle refuses when a process has one of the files open. Without /proc it cannot tell.
func idle(paths []string) error {
	links, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		return err
	}
	open := map[string]string{}
	for _, l := range links {
		if to, err := os.Readlink(l); err == nil && strings.HasSuffix(to, ".wal") {
			open[to] = strings.Split(l, "/")[2]
		}
	}
	for _, path := range paths {
		resolved, err := filepath.EvalSymlinks(path)
		if err != nil {
			return err
		}
		if resolved, err = filepath.Abs(resolved); err != nil {
			return err
		}
		if pid, yes := open[resolved]; yes && pid != strconv.Itoa(os.Getpid()) {
			return ErrRunning.At("%s", path).With("pid", pid)
		}
	}
	return nil
}
