package telemetry

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/furrowcredit/furrow/internal/fsync"
)

// The journal keeps what is not yet in chunks: files beside the database, named
// <database>.log-<number>, that begin with eight bytes and then hold frames of
//
//	uint32 length of the block, uint32 CRC-32C of the block, little-endian; the block
//
// A file is written at its end only and each frame is on disk before the next one is
// begun, so a crash can spoil nothing but the last frame of a file, which nobody was
// told of.
const (
	magic      = "FURROWL1"
	frameHead  = 8
	mostFrame  = 1 << 28
	namePart   = ".log-"
	nameDigits = 10
)

// file is what the journal needs of a file; tests put a full disk in its place.
type file interface {
	Write([]byte) (int, error)
	Sync() error
	Truncate(size int64) error
	Close() error
}

func createFile(path string) (file, error) {
	return os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o640) //nolint:gosec // the caller's own data folder
}

// journal appends frames to the newest of its files.
type journal struct {
	path   string // of the database
	create func(path string) (file, error)
	next   uint64

	f    file
	size int64
}

// append writes a frame, whose first frameHead bytes are free, and returns when it is
// on disk. created is the path of a file that it began. After an error nothing of the
// frame counts, and the next call begins a new file: what a failed fsync left behind
// cannot be known.
func (j *journal) append(frame []byte) (created string, err error) {
	body := frame[frameHead:]
	if len(body) > mostFrame {
		return "", fmt.Errorf("a write of %d MB is too large; write fewer readings at once", len(body)>>20)
	}
	binary.LittleEndian.PutUint32(frame, uint32(len(body)))
	binary.LittleEndian.PutUint32(frame[4:], crc32.Checksum(body, castagnoli))
	if j.f == nil {
		if created, err = j.begin(); err != nil {
			return created, err
		}
	}
	_, err = j.f.Write(frame)
	if err == nil {
		err = j.f.Sync()
	}
	if err == nil && created != "" {
		err = fsync.Dir(filepath.Dir(j.path))
	}
	if err != nil {
		// Should the frame stay all the same, it is read again after a restart, as
		// if the caller had written it and not been told.
		err = errors.Join(err, j.f.Truncate(j.size), j.end())
		if created != "" && os.Remove(created) == nil {
			created = "" // or a disk that stays full would fill with empty files
		}
		return created, err
	}
	j.size += int64(len(frame))
	return created, nil
}

func (j *journal) begin() (path string, err error) {
	path = j.path + namePart + fmt.Sprintf("%0*d", nameDigits, j.next)
	j.next++
	if j.f, err = j.create(path); err != nil {
		j.f = nil
		return "", err
	}
	if _, err = j.f.Write([]byte(magic)); err != nil {
		return "", errors.Join(err, j.end(), os.Remove(path))
	}
	j.size = int64(len(magic))
	return path, nil
}

// end closes the file; the next append begins another.
func (j *journal) end() error {
	if j.f == nil {
		return nil
	}
	err := j.f.Close()
	j.f = nil
	return err
}

// recover reads the files of an earlier life, oldest first.
func (j *journal) recover(each func(block []byte) error) (paths []string, err error) {
	dir, base := filepath.Split(j.path)
	entries, err := os.ReadDir(filepath.Clean(dir))
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		number, ok := strings.CutPrefix(e.Name(), base+namePart)
		n, err := strconv.ParseUint(number, 10, 64)
		if !ok || err != nil {
			continue
		}
		j.next = max(j.next, n+1)
		paths = append(paths, filepath.Join(dir, e.Name()))
	}
	slices.Sort(paths)
	for _, path := range paths {
		body, err := os.ReadFile(path) //nolint:gosec // the caller's own data folder
		if err != nil {
			return nil, err
		}
		if err := frames(body, each); err != nil {
			return nil, fmt.Errorf("%s: %w: restore it from a copy, or move it away and lose the readings in it", path, err)
		}
	}
	return paths, nil
}

// frames reads the frames of a file. A last one that is not whole is left out.
func frames(b []byte, each func(block []byte) error) error {
	if len(b) < len(magic) {
		return nil // the crash came at once
	}
	if string(b[:len(magic)]) != magic {
		return fmt.Errorf("%w: it does not begin like a journal", errDamaged)
	}
	b = b[len(magic):]
	for len(b) > 0 {
		if len(b) < frameHead {
			return nil
		}
		n := binary.LittleEndian.Uint32(b)
		if n == 0 || int64(n)+frameHead > int64(len(b)) {
			if rest := bytes.TrimLeft(b, "\x00"); n == 0 && len(rest) > 0 {
				return fmt.Errorf("%w: an empty frame amid others", errDamaged)
			}
			return nil
		}
		body := b[frameHead : frameHead+n]
		if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(b[4:]) {
			if len(b) > frameHead+int(n) {
				return fmt.Errorf("%w: the checksum of a frame amid others is wrong", errDamaged)
			}
			return nil
		}
		if err := each(body); err != nil {
			return err
		}
		b = b[frameHead+n:]
	}
	return nil
}

// remove deletes files of the journal for good.
func (j *journal) remove(paths []string) error {
	for _, path := range paths {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return fsync.Dir(filepath.Dir(j.path))
}
