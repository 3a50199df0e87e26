package graph

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"path/filepath"
	"syscall"
	"unsafe"

	"golang.org/x/sync/errgroup"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/internal/fsync"
)

// What can be wrong with a file of a graph.
var (
	ErrForeign = fault.New(fault.Invalid, "graph.foreign", "this is not a graph file of furrow; make one with `furrow chain import --out FILE`")
	ErrVersion = fault.New(fault.Invalid, "graph.version", "this graph file has version {version}, but this program reads version {ours}; make the file again with `furrow chain import --out FILE`")
	ErrDamaged = fault.New(fault.Invalid, "graph.damaged", "this graph file is damaged ({why}); make it again with `furrow chain import --out FILE`")
)

// Snapshot is a graph, the ids of its firms (the key of node v is the id of the firm)
// and the revision of the books up to which it holds.
type Snapshot struct {
	*Graph
	Index    *Index
	Revision int64

	mapped []byte // of Open
}

// Find returns the node of a firm, and false when the graph lacks it.
func (s *Snapshot) Find(id string) (uint32, bool) { return s.Index.Find(id) }

// ID returns the id of the firm at a node.
func (s *Snapshot) ID(v uint32) string { return s.Index.Key(v) }

const (
	magic      = "FURGRAPH"
	version    = 1
	headerSize = 512
	align      = 64 // sections begin on cache lines
	entrySize  = 32 // of the table of sections
	tableAt    = 64
)

// Sections of a file, in their order. Those of the trades are empty in a graph that
// was built of edges.
const (
	secOutStart = iota
	secOutTo
	secInStart
	secInTo
	secPlace
	secKinds
	secCount
	secAmount
	secFirst
	secLast
	secText
	secKeyStart
	secSlots
	sections
)

var sectionNames = [sections]string{
	"out start", "out to", "in start", "in to", "place", "kinds", "count", "amount", "first", "last", "text", "key start", "slots",
}

// section is an entry of the table: where the bytes lie and their CRC-32C.
type section struct {
	offset, size uint64
	sum          uint32
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// columns are the bytes of a snapshot as they are in memory, which is as in the file.
func (s *Snapshot) columns() [sections][]byte {
	g, x := s.Graph, s.Index
	return [sections][]byte{
		raw(g.out.start), raw(g.out.to), raw(g.in.start), raw(g.in.to), raw(g.place),
		g.trades.kinds, raw(g.trades.count), raw(g.trades.amount), raw(g.trades.first), raw(g.trades.last),
		x.text, raw(x.start), raw(x.slots),
	}
}

// Write saves the snapshot, all or nothing: another file of that name stays as it is
// until the new one is whole and on disk.
func (s *Snapshot) Write(path string) (err error) {
	if s.Index.Len() != s.Len() {
		return fmt.Errorf("graph: %d ids for %d nodes", s.Index.Len(), s.Len())
	}
	if err := littleEndian(); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".part*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close(), os.Remove(f.Name()))
		}
	}()
	if err := s.write(f); err != nil {
		return err
	}
	if err := errors.Join(f.Chmod(0o644), f.Sync()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return fsync.Dir(filepath.Dir(path))
}

func (s *Snapshot) write(f *os.File) error {
	var table [sections]section
	w := bufio.NewWriterSize(f, 1<<20)
	at := uint64(0)
	pad := func(to uint64) error {
		_, err := w.Write(make([]byte, to-at))
		at = to
		return err
	}
	if err := pad(headerSize); err != nil {
		return err
	}
	for i, b := range s.columns() {
		table[i] = section{at, uint64(len(b)), crc32.Checksum(b, castagnoli)}
		if _, err := w.Write(b); err != nil {
			return err
		}
		at += uint64(len(b))
		if err := pad((at + align - 1) / align * align); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := f.WriteAt(s.header(table), 0)
	return err
}

func (s *Snapshot) header(table [sections]section) []byte {
	h := make([]byte, headerSize)
	le := binary.LittleEndian
	copy(h, magic)
	le.PutUint32(h[8:], version)
	le.PutUint32(h[12:], sections)
	le.PutUint64(h[16:], uint64(s.Len()))
	le.PutUint64(h[24:], uint64(s.Size()))
	le.PutUint64(h[32:], uint64(s.Revision)) //nolint:gosec // the same 64 bits
	for i, t := range table {
		e := h[tableAt+i*entrySize:]
		le.PutUint64(e, t.offset)
		le.PutUint64(e[8:], t.size)
		le.PutUint32(e[16:], t.sum)
	}
	le.PutUint32(h[headerSize-4:], crc32.Checksum(h[:headerSize-4], castagnoli))
	return h
}

// Open maps the file of a snapshot into memory after it has verified every byte. It
// returns ErrForeign, ErrVersion or ErrDamaged for a file that is not a whole one.
func Open(path string) (*Snapshot, error) {
	if err := littleEndian(); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // read only; the mapping stays
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	h, err := readHeader(f, info.Size())
	if err != nil {
		return nil, at(err, path)
	}
	if err := h.verify(f); err != nil {
		return nil, at(err, path)
	}
	mapped, err := syscall.Mmap(int(f.Fd()), 0, int(info.Size()), syscall.PROT_READ, syscall.MAP_SHARED) //nolint:gosec // a descriptor is small
	if err != nil {
		return nil, fmt.Errorf("mapping %s: %w", path, err)
	}
	return h.snapshot(mapped), nil
}

func at(err error, path string) error {
	var f *fault.Error
	if errors.As(err, &f) {
		return f.At("%s", path)
	}
	return fmt.Errorf("%s: %w", path, err)
}

// Close unmaps the file. Nobody may read the snapshot, or a view of it, any more. It
// does nothing for a snapshot that was not opened.
func (s *Snapshot) Close() error {
	if s.mapped == nil {
		return nil
	}
	m := s.mapped
	s.mapped, s.Graph, s.Index = nil, nil, nil
	return syscall.Munmap(m)
}

// header is what the head of a file says.
type header struct {
	nodes, edges uint64
	revision     int64
	table        [sections]section
}

func readHeader(r io.ReaderAt, size int64) (header, error) {
	var h header
	b := make([]byte, headerSize)
	if _, err := r.ReadAt(b, 0); err != nil && !errors.Is(err, io.EOF) {
		return h, err
	}
	le := binary.LittleEndian
	switch {
	case string(b[:len(magic)]) != magic:
		return h, ErrForeign
	case le.Uint32(b[8:]) != version:
		return h, ErrVersion.With("version", le.Uint32(b[8:])).With("ours", version)
	case size < headerSize:
		return h, ErrDamaged.With("why", "it ends within its head")
	case le.Uint32(b[headerSize-4:]) != crc32.Checksum(b[:headerSize-4], castagnoli) || le.Uint32(b[12:]) != sections:
		return h, ErrDamaged.With("why", "its head")
	}
	h.nodes, h.edges, h.revision = le.Uint64(b[16:]), le.Uint64(b[24:]), int64(le.Uint64(b[32:])) //nolint:gosec // the same 64 bits
	if h.nodes > math.MaxUint32-1 || h.edges > math.MaxUint32 {
		return h, ErrDamaged.With("why", "more nodes or edges than there can be")
	}
	for i := range h.table {
		e := b[tableAt+i*entrySize:]
		h.table[i] = section{le.Uint64(e), le.Uint64(e[8:]), le.Uint32(e[16:])}
	}
	return h, h.check(uint64(size)) //nolint:gosec // a size is not negative
}

// check compares the places of the sections with the counts and the length of the file.
func (h *header) check(size uint64) error {
	at := uint64(headerSize)
	for i, s := range h.table {
		if s.offset != at || s.size > size-min(size, at) {
			return ErrDamaged.With("why", "it ends within section "+sectionNames[i])
		}
		want := s.size
		switch i {
		case secOutStart, secInStart, secKeyStart:
			want = 4 * (h.nodes + 1)
		case secOutTo, secInTo:
			want = 4 * h.edges
		case secPlace, secCount, secFirst, secLast, secKinds, secAmount:
			want = 0
			if h.table[secPlace].size > 0 {
				want = h.edges * [sections]uint64{secPlace: 4, secKinds: 1, secCount: 4, secAmount: 8, secFirst: 4, secLast: 4}[i]
			}
		case secText:
			if s.size > maxText {
				want = 0
			}
		case secSlots:
			if s.size < 4 || s.size&(s.size-1) != 0 || s.size/4 <= h.nodes {
				want = 4 * (h.nodes + 1)
			}
		}
		if s.size != want {
			return ErrDamaged.With("why", "the length of section "+sectionNames[i])
		}
		at = (at + s.size + align - 1) / align * align
	}
	if at != size {
		return ErrDamaged.With("why", "its length")
	}
	return nil
}

// verify reads every section once, without mapping it: the sums must agree, and the
// numbers must be places that exist, so that no reader can leave the arrays.
func (h *header) verify(r io.ReaderAt) error {
	var g errgroup.Group
	g.SetLimit(4)
	for i, s := range h.table {
		g.Go(func() error { return h.verifySection(io.NewSectionReader(r, int64(s.offset), int64(s.size)), i) }) //nolint:gosec // checked against the size
	}
	return g.Wait()
}

func (h *header) verifySection(r io.Reader, i int) error {
	damaged := ErrDamaged.With("why", "section "+sectionNames[i])
	sum := uint32(0)
	look := h.look(i)
	for buf := make([]byte, min(1<<18, h.table[i].size)); ; {
		k, err := io.ReadFull(r, buf)
		sum = crc32.Update(sum, castagnoli, buf[:k])
		if look != nil && !look.take(cast[uint32](buf[:k])) {
			return damaged
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || len(buf) == 0 {
			break
		}
		if err != nil {
			return err
		}
	}
	if sum != h.table[i].sum || look != nil && !look.end() {
		return damaged
	}
	return nil
}

// look is the rule for the numbers of a section; nil where every number is right.
func (h *header) look(i int) inspection {
	switch i {
	case secOutStart, secInStart:
		return &ascent{last: h.edges}
	case secKeyStart:
		return &ascent{last: h.table[secText].size, step: 1}
	case secOutTo, secInTo:
		return &bound{below: h.nodes}
	case secPlace:
		return &bound{below: h.edges}
	case secSlots:
		return &fill{below: h.nodes + 1, want: h.nodes}
	}
	return nil
}

type inspection interface {
	take([]uint32) bool // false: wrong
	end() bool
}

// ascent is 0, then numbers that grow by at least step, up to last.
type ascent struct {
	at, last, step uint64
	begun          bool
}

func (a *ascent) take(b []uint32) bool {
	for _, v := range b {
		if !a.begun {
			a.begun = true
			if v != 0 {
				return false
			}
			continue
		}
		if uint64(v) < a.at+a.step {
			return false
		}
		a.at = uint64(v)
	}
	return true
}

func (a *ascent) end() bool { return a.begun && a.at == a.last }

// bound is numbers below a limit.
type bound struct{ below uint64 }

func (b *bound) take(list []uint32) bool {
	for _, v := range list {
		if uint64(v) >= b.below {
			return false
		}
	}
	return true
}

func (b *bound) end() bool { return true }

// fill is numbers below a limit of which so many are not 0.
type fill struct{ below, used, want uint64 }

func (f *fill) take(list []uint32) bool {
	for _, v := range list {
		if uint64(v) >= f.below {
			return false
		}
		if v != 0 {
			f.used++
		}
	}
	return true
}

func (f *fill) end() bool { return f.used == f.want }

func (h *header) snapshot(mapped []byte) *Snapshot {
	sec := func(i int) []byte {
		s := h.table[i]
		return mapped[s.offset : s.offset+s.size : s.offset+s.size]
	}
	return &Snapshot{
		Graph: &Graph{
			out:   rows{start: cast[uint32](sec(secOutStart)), to: cast[uint32](sec(secOutTo))},
			in:    rows{start: cast[uint32](sec(secInStart)), to: cast[uint32](sec(secInTo))},
			place: cast[uint32](sec(secPlace)),
			trades: trades{
				kinds: sec(secKinds), count: cast[uint32](sec(secCount)), amount: cast[int64](sec(secAmount)),
				first: cast[int32](sec(secFirst)), last: cast[int32](sec(secLast)),
			},
		},
		Index:    &Index{text: sec(secText), start: cast[uint32](sec(secKeyStart)), slots: cast[uint32](sec(secSlots))},
		Revision: h.revision,
		mapped:   mapped,
	}
}

// raw and cast read numbers as bytes and bytes as numbers, in place. The file is
// little endian, and so is every machine on which this package opens one.
func raw[T uint32 | int32 | int64](v []T) []byte {
	if len(v) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&v[0])), len(v)*int(unsafe.Sizeof(v[0])))
}

func cast[T uint32 | int32 | int64](b []byte) []T {
	var zero T
	if len(b) < int(unsafe.Sizeof(zero)) {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&b[0])), len(b)/int(unsafe.Sizeof(zero)))
}

func littleEndian() error {
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		return errors.New("graph files need a little-endian machine")
	}
	return nil
}
