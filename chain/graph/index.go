package graph

import (
	"encoding/hex"
	"slices"
)

// Index gives the ids 0, 1, 2, ... to keys in the order in which they come. The keys
// lie in one array, a UUID in 17 bytes, with a table of uint32 to find them: about 30
// bytes a firm, no pointers. Adding is for one goroutine; reading is for many.
type Index struct {
	text  []byte   // the packed keys, one after the other
	start []uint32 // key i is text[start[i]:start[i+1]]
	slots []uint32 // 1 + id, by hash, linear probing; 0 is free; a power of two long
}

// maxText is where the text of all keys must end: start has 32 bits.
const maxText = 1<<32 - 1

// NewIndex returns an empty index.
func NewIndex() *Index { return &Index{start: []uint32{0}, slots: make([]uint32, 16)} }

// Add returns the id of key, a new one when key is new. It panics when the keys
// together are longer than 4 GiB.
func (x *Index) Add(key string) uint32 {
	var buf [64]byte
	p := packKey(buf[:0], key)
	slot, id, ok := x.look(p)
	if ok {
		return id
	}
	if len(x.text)+len(p) > maxText {
		panic("graph: the ids of the firms are longer than 4 GiB together")
	}
	id = uint32(x.Len())
	x.text = append(x.text, p...)
	x.start = append(x.start, uint32(len(x.text)))
	x.slots[slot] = id + 1
	if x.Len() > len(x.slots)/4*3 {
		x.grow()
	}
	return id
}

// Find returns the id of key, and false when it has none.
func (x *Index) Find(key string) (uint32, bool) {
	var buf [64]byte
	_, id, ok := x.look(packKey(buf[:0], key))
	return id, ok
}

// Key returns the key of id.
func (x *Index) Key(id uint32) string { return unpackKey(x.packed(id)) }

// Len is the number of keys.
func (x *Index) Len() int { return len(x.start) - 1 }

func (x *Index) packed(id uint32) []byte { return x.text[x.start[id]:x.start[id+1]] }

// look returns the slot of a packed key: where it is, or where it would go.
func (x *Index) look(p []byte) (slot, id uint32, ok bool) {
	mask := uint32(len(x.slots) - 1)
	for slot = hash(p) & mask; ; slot = (slot + 1) & mask {
		s := x.slots[slot]
		if s == 0 {
			return slot, 0, false
		}
		if string(x.packed(s-1)) == string(p) {
			return slot, s - 1, true
		}
	}
}

func (x *Index) grow() {
	x.slots = make([]uint32, 2*len(x.slots))
	mask := uint32(len(x.slots) - 1)
	for id := range uint32(x.Len()) {
		slot := hash(x.packed(id)) & mask
		for x.slots[slot] != 0 {
			slot = (slot + 1) & mask
		}
		x.slots[slot] = id + 1
	}
}

func (x *Index) clone() *Index {
	return &Index{text: slices.Clone(x.text), start: slices.Clone(x.start), slots: slices.Clone(x.slots)}
}

// hash is FNV-1a of 64 bits, folded after a multiplication so that the low bits
// depend on all. It is part of the file format.
func hash(p []byte) uint32 {
	h := uint64(14695981039346656037)
	for _, b := range p {
		h = (h ^ uint64(b)) * 1099511628211
	}
	h ^= h >> 32
	h *= 0x9e3779b97f4a7c15
	return uint32(h >> 32)
}

// Forms of a packed key: its first byte.
const (
	textKey = 0 // the key as it is
	uuidKey = 1 // the 16 bytes of a UUID in lower case
)

// packKey appends the packed key to dst.
func packKey(dst []byte, key string) []byte {
	if id, ok := uuidOf(key); ok {
		return append(append(dst, uuidKey), id[:]...)
	}
	return append(append(dst, textKey), key...)
}

// uuidOf reads a UUID as this house writes it: 36 characters, lower case.
func uuidOf(s string) (id [16]byte, ok bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return id, false
	}
	k := 0
	for i := 0; i < 36; i += 2 {
		if s[i] == '-' {
			i++
		}
		hi, lo := nibble[s[i]], nibble[s[i+1]]
		if hi|lo > 15 {
			return id, false
		}
		id[k] = hi<<4 | lo
		k++
	}
	return id, true
}

// nibble is the value of a digit; 255 for what is none.
var nibble = func() (t [256]byte) {
	for i := range t {
		t[i] = 255
	}
	for i, c := range "0123456789abcdef" {
		t[c] = byte(i)
	}
	return t
}()

func unpackKey(p []byte) string {
	if len(p) != 17 || p[0] != uuidKey {
		return string(p[1:])
	}
	var s [36]byte
	hex.Encode(s[0:], p[1:5])
	hex.Encode(s[9:], p[5:7])
	hex.Encode(s[14:], p[7:9])
	hex.Encode(s[19:], p[9:11])
	hex.Encode(s[24:], p[11:17])
	s[8], s[13], s[18], s[23] = '-', '-', '-', '-'
	return string(s[:])
}
