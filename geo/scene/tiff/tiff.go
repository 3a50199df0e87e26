// Package tiff reads pixels of plain GeoTIFF files faster than a general library:
// local little-endian files, classic or BigTIFF, in tiles or strips, stored as they
// are or with DEFLATE, of numbers of 8 to 64 bits.
//
// It reads blocks and nothing else. What a file says of itself, and every file or
// block that is not of this kind, stays with GDAL: [Open] and [File.Read] answer
// [ErrNotPlain] and have changed nothing, so that the caller asks GDAL instead. That
// holds for damaged files too, of which GDAL tells best what is wrong.
//
// Sources: TIFF Revision 6.0 (Adobe, 1992) for the layout, differencing in its
// section 14; Adobe Photoshop TIFF Technical Note 3 (2005) for the predictor of
// floating point numbers; the BigTIFF design (2007) for files above 4 GB; RFC 1950
// for the streams, whose checksum is proved.
package tiff

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// ErrNotPlain says that a file, or the blocks asked for, are not for this package.
var ErrNotPlain = errors.New("not a plain TIFF")

func notPlain(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrNotPlain, fmt.Sprintf(format, args...))
}

// File is an opened file. It is not safe for concurrent use.
type File struct {
	Width, Height int
	Bands         int
	Type          string // STAC word of the numbers, "uint8" to "float64"

	layout
	r      io.ReaderAt
	size   int64
	close  func() error
	stream stream
	packed []byte // a block as it lies in the file
	split  []byte // a block whose numbers are still split into bytes
	whole  []byte // a block of which nobody will ask more
	kept   kept
}

// Open opens a local file. The error is [ErrNotPlain], or that of the system.
func Open(path string) (*File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, notPlain("not a regular file")
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	f, err := Parse(file, info.Size())
	if err != nil {
		_ = file.Close() // only read
		return nil, err
	}
	f.close = file.Close
	return f, nil
}

// Parse reads the header of a file of size bytes.
func Parse(r io.ReaderAt, size int64) (*File, error) {
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		return nil, notPlain("this machine has another byte order")
	}
	d := directory{r: r, size: size}
	if err := d.read(); err != nil {
		return nil, err
	}
	f := &File{r: r, size: size}
	if err := f.describe(&d); err != nil {
		return nil, err
	}
	f.kept.limit = f.keep() / f.bytes
	return f, nil
}

// Close frees the file.
func (f *File) Close() {
	f.stream.free()
	f.kept = kept{}
	if f.close != nil {
		_ = f.close() // only read
		f.close = nil
	}
}

// Read fills buf, a slice of w·h or more numbers of the file's type, with band (from
// 1) in the window of w·h pixels at x, y, row by row. Pixels of blocks that the file
// leaves out become nodata, or zero without. After [ErrNotPlain], buf holds anything.
func (f *File) Read(band, x, y, w, h int, nodata *float64, buf any) error {
	if band < 1 || band > f.Bands || x < 0 || y < 0 || w < 1 || h < 1 || w > f.Width-x || h > f.Height-y {
		return notPlain("the window lies outside")
	}
	word, out, fill := memory(buf, nodata)
	if word != f.Type || len(out)/f.sample/w < h {
		return notPlain("the buffer does not fit %d x %d of %s", w, h, f.Type)
	}
	for by := y / f.blockH; by <= (y+h-1)/f.blockH; by++ {
		for bx := x / f.blockW; bx <= (x+w-1)/f.blockW; bx++ {
			b := f.blockAt(bx, by, band)
			part := f.common(b, x, y, w, h)
			if part.missing = f.missing(b.id); part.missing {
				if fill == nil {
					return notPlain("a block is left out")
				}
			} else {
				cells, err := f.block(b, part.all(b) && f.perBlock == 1)
				if err != nil {
					return err
				}
				part.cells = cells
			}
			f.paste(part, band, fill, out, w)
		}
	}
	return nil
}

// block is one block of the file.
type block struct {
	id         int
	x, y       int // of its first pixel
	rows       int // those the file holds
	cols, down int // pixels inside the image
}

func (f *File) blockAt(bx, by, band int) block {
	b := block{id: by*f.across + bx, x: bx * f.blockW, y: by * f.blockH, rows: f.blockH}
	if f.perBlock == 1 {
		b.id += (band - 1) * f.across * f.down
	}
	b.cols, b.down = min(f.blockW, f.Width-b.x), min(f.blockH, f.Height-b.y)
	if f.strips { // the last strip is cut, tiles are padded
		b.rows = b.down
	}
	return b
}

// part is what a block and a window have in common.
type part struct {
	missing      bool // the file leaves the block out
	cells        []byte
	fromX, fromY int // in the block
	toX, toY     int // in the window
	cols, rows   int
}

func (f *File) common(b block, x, y, w, h int) part {
	x0, y0 := max(x, b.x), max(y, b.y)
	return part{
		fromX: x0 - b.x, fromY: y0 - b.y, toX: x0 - x, toY: y0 - y,
		cols: min(x+w, b.x+b.cols) - x0, rows: min(y+h, b.y+b.down) - y0,
	}
}

// all says whether the window holds the whole block.
func (p part) all(b block) bool { return p.cols == b.cols && p.rows == b.down }

// paste copies the common part of a block to the window, w pixels wide.
func (f *File) paste(p part, band int, fill, out []byte, w int) {
	n := p.cols * f.sample
	skip := 0
	if f.perBlock > 1 {
		skip = (band - 1) * f.sample
	}
	for r := range p.rows {
		to := out[((p.toY+r)*w+p.toX)*f.sample:][:n]
		if p.missing {
			repeat(to, fill)
			continue
		}
		from := p.cells[((p.fromY+r)*f.blockW+p.fromX)*f.sample*f.perBlock+skip:]
		if f.perBlock == 1 {
			copy(to, from[:n])
		} else {
			pick(to, from, f.sample, f.sample*f.perBlock)
		}
	}
}

// repeat fills to with copies of one number.
func repeat(to, number []byte) {
	for n := copy(to, number); n < len(to); n *= 2 {
		copy(to[n:], to[:n])
	}
}

// pick takes every number of size bytes that lies step bytes after the last.
func pick(to, from []byte, size, step int) {
	for i, k := 0, 0; i < len(to); i, k = i+size, k+step {
		copy(to[i:i+size], from[k:k+size])
	}
}

// block gives the numbers of a block, those of all its bands. They are valid until
// the next call.
func (f *File) block(b block, last bool) ([]byte, error) {
	if cells, ok := f.kept.get(b.id); ok {
		return cells, nil
	}
	n := b.rows * f.blockW * f.sample * f.perBlock
	packed, err := f.load(b.id, n)
	if err != nil {
		return nil, err
	}
	to := &f.whole
	if !last && f.kept.limit > 0 {
		to = f.kept.room(b.id)
	}
	*to = grow(*to, n)
	if err := f.unpack(*to, packed, b.rows); err != nil {
		f.kept.drop(b.id)
		return nil, err
	}
	return *to, nil
}

// load reads a block of n bytes as it lies in the file. A file can make nobody
// reserve more memory than a small multiple of its size.
func (f *File) load(id, n int) ([]byte, error) {
	offset, count := f.offsets[id], f.counts[id]
	if offset == 0 || offset >= uint64(f.size) || count > uint64(f.size)-offset {
		return nil, notPlain("block %d does not lie in the file", id)
	}
	switch {
	case !f.deflate && count < uint64(n):
		return nil, notPlain("block %d is short", id)
	case !f.deflate:
		count = uint64(n)
	case uint64(n) > count*densest+densest || count > 2*uint64(n)+slack:
		return nil, notPlain("block %d has %d bytes for %d", id, count, n)
	}
	f.packed = grow(f.packed, int(count))
	if _, err := f.r.ReadAt(f.packed, int64(offset)); err != nil {
		return nil, notPlain("block %d: %v", id, err)
	}
	return f.packed, nil
}

// densest is how many times smaller DEFLATE can make data (1032, rounded up); slack
// is what small blocks may take above theirs.
const (
	densest = 1040
	slack   = 4096
)

// unpack turns a block as it lies in the file into numbers.
func (f *File) unpack(to, packed []byte, rows int) error {
	if !f.deflate {
		copy(to, packed)
		return nil
	}
	inflated := to
	if f.predictor == predictorFloat {
		f.split = grow(f.split, len(to))
		inflated = f.split
	}
	if err := f.stream.inflate(inflated, packed); err != nil {
		return err
	}
	width := len(to) / rows
	for r := range rows {
		row := inflated[r*width : (r+1)*width]
		switch f.predictor {
		case predictorHorizontal:
			accumulate(row, f.sample, f.perBlock)
		case predictorFloat:
			join(to[r*width:(r+1)*width], row, f.sample, f.perBlock)
		}
	}
	return nil
}

// grow gives a slice of n bytes, b where it is long enough.
func grow(b []byte, n int) []byte {
	if cap(b) < n {
		return make([]byte, n, max(n, 16)) // aligned for any number
	}
	return b[:n]
}
