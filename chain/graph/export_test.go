package graph

import (
	"encoding/binary"
	"hash/crc32"
)

// Mend makes the sums of a damaged file right where its table allows.
func Mend(b []byte) {
	if len(b) < headerSize {
		return
	}
	le := binary.LittleEndian
	for i := range sections {
		e := b[tableAt+i*entrySize:]
		if at, size := le.Uint64(e), le.Uint64(e[8:]); at <= uint64(len(b)) && size <= uint64(len(b))-at {
			le.PutUint32(e[16:], crc32.Checksum(b[at:at+size], castagnoli))
		}
	}
	le.PutUint32(b[headerSize-4:], crc32.Checksum(b[:headerSize-4], castagnoli))
}
