package tiff

import (
	"encoding/binary"
	"unsafe"
)

// accumulate undoes the horizontal differencing of a row of numbers of size bytes,
// of which stride make a pixel. Sums wrap around.
func accumulate(row []byte, size, stride int) {
	switch size {
	case 1:
		sumBytes(row, stride)
	case 2:
		sum(view[uint16](row), stride)
	case 4:
		sum(view[uint32](row), stride)
	case 8:
		sum(view[uint64](row), stride)
	}
}

// view takes bytes for numbers.
func view[T uint16 | uint32 | uint64](b []byte) []T {
	var one T
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/int(unsafe.Sizeof(one)))
}

func sum[T uint16 | uint32 | uint64](v []T, stride int) {
	if stride == 1 {
		var s T
		for i, d := range v {
			s += d
			v[i] = s
		}
		return
	}
	for i := stride; i < len(v); i++ {
		v[i] += v[i-stride]
	}
}

// sumBytes is sum of bytes, eight at a time where they follow each other: the even
// and the odd ones take 16 bits each, and a product with ones sums them up.
func sumBytes(v []byte, stride int) {
	if stride > 1 {
		for i := stride; i < len(v); i++ {
			v[i] += v[i-stride]
		}
		return
	}
	const low, ones = 0x00FF00FF00FF00FF, 0x0001000100010001
	var before uint64
	for ; len(v) >= 8; v = v[8:] {
		x := binary.LittleEndian.Uint64(v)
		even, odd := (x&low)*ones, (x>>8&low)*ones
		both, start := even+odd, before&0xFF*ones
		binary.LittleEndian.PutUint64(v, (even+odd<<16+start)&low|(both+start)&low<<8)
		before += both >> 48
	}
	s := byte(before)
	for i, d := range v {
		s += d
		v[i] = s
	}
}

// join undoes the predictor of floating point numbers for a row: bytes are summed
// up, and lie by significance, the highest of all numbers of the row first.
func join(to, row []byte, size, stride int) {
	sumBytes(row, stride)
	n := len(row) / size
	if size == 4 {
		out, b0, b1, b2, b3 := view[uint32](to)[:n], row[:n], row[n:][:n], row[2*n:][:n], row[3*n:][:n]
		for i := range out {
			out[i] = uint32(b0[i])<<24 | uint32(b1[i])<<16 | uint32(b2[i])<<8 | uint32(b3[i])
		}
		return
	}
	out := view[uint64](to)
	for i := range out {
		var v uint64
		for k := i; k < len(row); k += n {
			v = v<<8 | uint64(row[k])
		}
		out[i] = v
	}
}
