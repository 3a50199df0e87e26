package tiff

/*
#cgo LDFLAGS: -ldeflate
#cgo noescape libdeflate_zlib_decompress
#cgo nocallback libdeflate_zlib_decompress
#include <libdeflate.h>
*/
import "C"

import (
	"errors"
	"unsafe"
)

// stream inflates zlib streams. The zero value is ready.
type stream struct {
	d *C.struct_libdeflate_decompressor
}

var errMemory = errors.New("no memory to inflate")

// inflate fills to with the stream in from. A stream that is damaged, or of another
// length than to, is not plain.
func (s *stream) inflate(to, from []byte) error {
	if s.d == nil {
		if s.d = C.libdeflate_alloc_decompressor(); s.d == nil {
			return errMemory
		}
	}
	if len(to) == 0 || len(from) == 0 {
		return notPlain("an empty block")
	}
	code := C.libdeflate_zlib_decompress(s.d,
		unsafe.Pointer(unsafe.SliceData(from)), C.size_t(len(from)),
		unsafe.Pointer(unsafe.SliceData(to)), C.size_t(len(to)), nil)
	if code != C.LIBDEFLATE_SUCCESS {
		return notPlain("a block does not inflate to %d bytes", len(to))
	}
	return nil
}

func (s *stream) free() {
	C.libdeflate_free_decompressor(s.d)
	s.d = nil
}
