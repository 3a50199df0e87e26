package tiff

import (
	"encoding/binary"
	"io"
)

// The tags that decide where pixels lie and how they are stored.
const (
	tagNewSubfileType  = 254
	tagSubfileType     = 255
	tagWidth           = 256
	tagHeight          = 257
	tagBits            = 258
	tagCompression     = 259
	tagPhotometric     = 262
	tagFillOrder       = 266
	tagStripOffsets    = 273
	tagOrientation     = 274
	tagSamples         = 277
	tagRowsPerStrip    = 278
	tagStripByteCounts = 279
	tagPlanar          = 284
	tagPredictor       = 317
	tagTileWidth       = 322
	tagTileHeight      = 323
	tagTileOffsets     = 324
	tagTileByteCounts  = 325
	tagExtraSamples    = 338
	tagSampleFormat    = 339
	tagImageDepth      = 32997
	tagTileDepth       = 32998
)

// most is how many blocks a file may have: a square of 2²⁰ pixels in blocks of 256.
const most = 1 << 24

// field is an entry of a directory.
type field struct {
	kind  uint16
	count uint64
	at    []byte // the value, or where it lies
}

// directory is the first directory of a file.
type directory struct {
	r      io.ReaderAt
	size   int64
	fields map[uint16]field
}

// bytes reads n bytes of the file, which must hold them.
func (d *directory) bytes(at, n uint64) ([]byte, error) {
	if at > uint64(d.size) || n > uint64(d.size)-at {
		return nil, notPlain("the directory points beyond the end")
	}
	b := make([]byte, n)
	if _, err := d.r.ReadAt(b, int64(at)); err != nil {
		return nil, notPlain("the directory cannot be read: %v", err)
	}
	return b, nil
}

// read reads the header and the entries of the first directory.
func (d *directory) read() error {
	head, err := d.bytes(0, min(16, uint64(d.size)))
	if err != nil {
		return err
	}
	le := binary.LittleEndian
	var at, n uint64
	wide := 4 // bytes of a count or an offset
	switch {
	case len(head) >= 8 && string(head[:4]) == "II*\x00":
		at = uint64(le.Uint32(head[4:]))
	case len(head) >= 16 && string(head[:8]) == "II+\x00\x08\x00\x00\x00":
		at, wide = le.Uint64(head[8:]), 8
	default:
		return notPlain("another header")
	}
	lead := uint64(2)
	if wide == 8 {
		lead = 8
	}
	b, err := d.bytes(at, lead)
	if err != nil {
		return err
	}
	if n = uint64(le.Uint16(b)); wide == 8 {
		n = le.Uint64(b)
	}
	if n > 1<<16 {
		return notPlain("%d entries", n)
	}
	entry := 4 + 2*wide
	if b, err = d.bytes(at+lead, n*uint64(entry)); err != nil {
		return err
	}
	d.fields = make(map[uint16]field, n)
	for ; len(b) > 0; b = b[entry:] {
		tag := le.Uint16(b)
		if _, twice := d.fields[tag]; twice {
			return notPlain("tag %d stands twice", tag)
		}
		f := field{kind: le.Uint16(b[2:]), count: uint64(le.Uint32(b[4:])), at: b[4+wide : entry]}
		if wide == 8 {
			f.count = le.Uint64(b[4:])
		}
		d.fields[tag] = f
	}
	return nil
}

// numbers are the whole numbers of a tag, nil where it is missing.
func (d *directory) numbers(tag uint16) ([]uint64, error) {
	f, ok := d.fields[tag]
	if !ok {
		return nil, nil
	}
	size := map[uint16]uint64{3: 2, 4: 4, 16: 8}[f.kind] // SHORT, LONG, LONG8
	if size == 0 || f.count == 0 || f.count > most {
		return nil, notPlain("tag %d has %d values of type %d", tag, f.count, f.kind)
	}
	le := binary.LittleEndian
	b := f.at
	if n := size * f.count; n > uint64(len(b)) {
		at := uint64(le.Uint32(b))
		if len(b) == 8 {
			at = le.Uint64(b)
		}
		var err error
		if b, err = d.bytes(at, n); err != nil {
			return nil, err
		}
	}
	out := make([]uint64, f.count)
	for i := range out {
		switch v := b[uint64(i)*size:]; size {
		case 2:
			out[i] = uint64(le.Uint16(v))
		case 4:
			out[i] = uint64(le.Uint32(v))
		default:
			out[i] = le.Uint64(v)
		}
	}
	return out, nil
}

// number is the one number of a tag, or other where it is missing.
func (d *directory) number(tag uint16, other uint64) (uint64, error) {
	v, err := d.numbers(tag)
	if err != nil || v == nil {
		return other, err
	}
	if len(v) != 1 {
		return 0, notPlain("tag %d has %d values", tag, len(v))
	}
	return v[0], nil
}

// same is the number that a tag repeats n times, or other where it is missing.
func (d *directory) same(tag uint16, n int, other uint64) (uint64, error) {
	v, err := d.numbers(tag)
	if err != nil || v == nil {
		return other, err
	}
	if len(v) != n {
		return 0, notPlain("tag %d has %d values for %d bands", tag, len(v), n)
	}
	for _, o := range v {
		if o != v[0] {
			return 0, notPlain("tag %d differs between bands", tag)
		}
	}
	return v[0], nil
}
