// Package snap writes and reads the watch's memory: small fixed-width values one after
// the other, with a checksum. One function describes a structure for both ways.
package snap

import (
	"encoding/binary"
	"hash/crc32"
	"math"
	"time"

	"github.com/furrowcredit/furrow/fault"
)

// ErrBad is returned for memory that is cut, changed or of another version.
var ErrBad = fault.New(fault.Invalid, "watch.memory", "the watch's memory cannot be read: {why}")

// Coder writes values, or reads them into the same places. After a value that is not
// there it reads zeros; Close tells.
type Coder struct {
	buf   []byte
	read  bool
	short bool
}

// Writer returns a coder that writes after a mark of the version.
func Writer(version uint32) *Coder {
	return &Coder{buf: binary.LittleEndian.AppendUint32(nil, version)}
}

// Reader returns a coder of what a Writer wrote; ErrBad.
func Reader(b []byte, version uint32) (*Coder, error) {
	if len(b) < 8 {
		return nil, ErrBad.With("why", "it is cut short")
	}
	body, sum := b[:len(b)-4], binary.LittleEndian.Uint32(b[len(b)-4:])
	if crc32.ChecksumIEEE(body) != sum {
		return nil, ErrBad.With("why", "its checksum is wrong")
	}
	if v := binary.LittleEndian.Uint32(body); v != version {
		return nil, ErrBad.With("why", "it was written by another version of the program")
	}
	return &Coder{buf: body[4:], read: true}, nil
}

// Reading tells which way the coder goes.
func (c *Coder) Reading() bool { return c.read }

// Bytes ends a writer and returns what it wrote.
func (c *Coder) Bytes() []byte {
	return binary.LittleEndian.AppendUint32(c.buf, crc32.ChecksumIEEE(c.buf))
}

// Close ends a reader: ErrBad when something is missing or left over.
func (c *Coder) Close() error {
	switch {
	case c.short:
		return ErrBad.With("why", "it is cut short")
	case len(c.buf) > 0:
		return ErrBad.With("why", "it is too long")
	}
	return nil
}

// take cuts n bytes off; nil when they are not there.
func (c *Coder) take(n int) []byte {
	if n > len(c.buf) {
		c.short, c.buf = true, nil
		return nil
	}
	b := c.buf[:n]
	c.buf = c.buf[n:]
	return b
}

// Int codes a signed number.
func (c *Coder) Int(v *int64) {
	if !c.read {
		c.buf = binary.AppendVarint(c.buf, *v)
		return
	}
	n, size := binary.Varint(c.buf)
	if size <= 0 {
		c.take(len(c.buf) + 1)
		*v = 0
		return
	}
	c.buf = c.buf[size:]
	*v = n
}

// Small codes whole numbers of any width; a value that does not fit reads as ErrBad.
func Small[T ~uint8 | ~uint16 | ~uint32 | ~int32 | ~int](c *Coder, v *T) {
	n := int64(*v)
	c.Int(&n)
	*v = T(n)
	if int64(*v) != n {
		*v, c.short = 0, true
	}
}

// Count codes a length and returns it; what is read is at most the bytes that are
// left, so that a wrong one cannot ask for much memory.
func (c *Coder) Count(n int) int {
	v := int64(n)
	c.Int(&v)
	if c.read && (v < 0 || v > int64(len(c.buf))) {
		c.take(len(c.buf) + 1)
		return 0
	}
	return int(v)
}

// Float codes a float32.
func (c *Coder) Float(v *float32) {
	if !c.read {
		c.buf = binary.LittleEndian.AppendUint32(c.buf, math.Float32bits(*v))
		return
	}
	*v = 0
	if b := c.take(4); b != nil {
		*v = math.Float32frombits(binary.LittleEndian.Uint32(b))
	}
}

// Double codes a float64.
func (c *Coder) Double(v *float64) {
	if !c.read {
		c.buf = binary.LittleEndian.AppendUint64(c.buf, math.Float64bits(*v))
		return
	}
	*v = 0
	if b := c.take(8); b != nil {
		*v = math.Float64frombits(binary.LittleEndian.Uint64(b))
	}
}

// Bool codes a truth.
func (c *Coder) Bool(v *bool) {
	var b uint8
	if *v {
		b = 1
	}
	Small(c, &b)
	*v = b == 1
}

// Text codes a string.
func (c *Coder) Text(v *string) {
	n := c.Count(len(*v))
	if !c.read {
		c.buf = append(c.buf, *v...)
		return
	}
	*v = string(c.take(n))
}

// Time codes a time to the millisecond; the zero time stays zero.
func (c *Coder) Time(v *time.Time) {
	var ms int64
	if !v.IsZero() {
		ms = v.UnixMilli()
	}
	c.Int(&ms)
	if c.read {
		*v = time.Time{}
		if ms != 0 {
			*v = time.UnixMilli(ms).UTC()
		}
	}
}
