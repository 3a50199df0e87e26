package watch

import (
	"encoding/binary"
	"hash/crc32"
)

// Seal puts the present version before a state and the right checksum behind it.
func Seal(body []byte) []byte {
	b := append(binary.LittleEndian.AppendUint32(nil, version), body...)
	return binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
}

// Running tells whether Run has started.
func (e *Engine) Running() bool { return e.running.Load() }
