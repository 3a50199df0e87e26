package telemetry

import (
	"encoding/binary"
	"errors"
	"math"
	"math/bits"
)

// errDamaged is returned for bytes that this package did not write.
var errDamaged = errors.New("the stored bytes are damaged")

// A block holds the readings of one Write, a row each, in the order they came:
//
//	version byte 1
//	uvarint rows
//	varint  base time, Unix ms
//	uvarint texts, then each as uvarint length and bytes
//	rows
//
// and a row, which can be read by itself when the head of its block is known:
//
//	uvarint length of the tag, tag
//	uvarint number of the tenant's text
//	varint  device time - base; varint received - device time
//	uvarint what it has: bit f of measurement f, bit 15 gateway, bit 16 source
//	uvarint numbers of the texts of gateway and source, if it has them
//	the measurements: whole numbers as varints; fractions as the uvarint 2z of the
//	zigzag z of v·10⁷ (positions) or v·10⁴, where that gives v back exactly, and
//	else the byte 1 and the eight bytes of v
const blockVersion = 1

const (
	hasGateway = 1 << 15
	hasSource  = 1 << 16
)

// scales are the powers of ten of the measurements in rows.
var scales = [floats]float64{lon: 1e7, lat: 1e7, accuracy: 1e4, temp: 1e4, ambient: 1e4, activity: 1e4, battery: 1e4,
	lying: 1e4, grazing: 1e4, walking: 1e4, ruminating: 1e4, weight: 1e4}

// blockWriter builds blocks and is used again for the next.
type blockWriter struct {
	texts []string
	index map[string]int
	last  [3]int // texts of the row before: tenant, gateway, source
	rows  []byte
	base  int64
	n     int
	// offsets are where the rows begin.
	offsets []uint32
}

func (w *blockWriter) reset() {
	w.texts, w.rows, w.offsets, w.n = w.texts[:0], w.rows[:0], w.offsets[:0], 0
	w.last = [3]int{-1, -1, -1}
	if w.index == nil {
		w.index = make(map[string]int)
	}
	clear(w.index)
}

// text gives the number of a text; those of the row before are found at once.
func (w *blockWriter) text(role int, s string) uint64 {
	if i := w.last[role]; i >= 0 && w.texts[i] == s {
		return uint64(i)
	}
	i, ok := w.index[s]
	if !ok {
		i = len(w.texts)
		w.texts = append(w.texts, s)
		w.index[s] = i
	}
	w.last[role] = i
	return uint64(i)
}

func (w *blockWriter) add(k key, p *point) {
	if w.n == 0 {
		w.base = p.at
	}
	w.n++
	w.offsets = append(w.offsets, uint32(len(w.rows)))
	b := w.rows
	b = binary.AppendUvarint(b, uint64(len(k.tag)))
	b = append(b, k.tag...)
	b = binary.AppendUvarint(b, w.text(0, k.tenant))
	b = binary.AppendVarint(b, p.at-w.base)
	b = binary.AppendVarint(b, p.received-p.at)
	has := uint64(p.has)
	if p.gateway != "" {
		has |= hasGateway
	}
	if p.source != "" {
		has |= hasSource
	}
	b = binary.AppendUvarint(b, has)
	if p.gateway != "" {
		b = binary.AppendUvarint(b, w.text(1, p.gateway))
	}
	if p.source != "" {
		b = binary.AppendUvarint(b, w.text(2, p.source))
	}
	for has := p.has; has != 0; has &= has - 1 {
		f := bits.TrailingZeros32(has)
		if f >= floats {
			b = binary.AppendVarint(b, int64(p.val[f]))
			continue
		}
		if n, ok := scaled(math.Float64frombits(p.val[f]), scales[f]); ok {
			b = binary.AppendUvarint(b, zigzag(n)<<1)
			continue
		}
		b = append(b, 1)
		b = binary.LittleEndian.AppendUint64(b, p.val[f])
	}
	w.rows = b
}

// scaled is v as a whole number of 1/scale, when that is v exactly.
func scaled(v, scale float64) (int64, bool) {
	x := v * scale
	if !(math.Abs(x) < 1<<51) {
		return 0, false
	}
	n := int64(math.Round(x))
	return n, math.Float64bits(float64(n)/scale) == math.Float64bits(v)
}

func zigzag(n int64) uint64   { return uint64(n<<1) ^ uint64(n>>63) }
func unzigzag(u uint64) int64 { return int64(u>>1) ^ -int64(u&1) }

// finish appends the block to b.
func (w *blockWriter) finish(b []byte) []byte {
	b = append(b, blockVersion)
	b = binary.AppendUvarint(b, uint64(w.n))
	b = binary.AppendVarint(b, w.base)
	b = binary.AppendUvarint(b, uint64(len(w.texts)))
	for _, s := range w.texts {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	return append(b, w.rows...)
}

// block is a block whose head is read.
type block struct {
	n     int
	base  int64
	texts []string
	rows  []byte
}

// reader takes values off bytes; after the first error it gives zeros.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) varint() int64 { return unzigzag(r.uvarint()) }

func (r *reader) bytes(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.bad, r.b = true, nil
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) byte() byte {
	if b := r.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) uint64() uint64 {
	if b := r.bytes(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// openBlock reads the head of a block. It keeps body.
func openBlock(body []byte) (block, error) {
	r := reader{b: body}
	version, n := r.byte(), r.uvarint()
	out := block{n: int(n), base: r.varint()}
	texts := r.uvarint()
	if r.bad || version != blockVersion || n > uint64(len(body)) || texts > uint64(len(body)) {
		return block{}, errDamaged
	}
	out.texts = make([]string, texts)
	for i := range out.texts {
		out.texts[i] = string(r.bytes(r.uvarint()))
	}
	if r.bad {
		return block{}, errDamaged
	}
	out.rows = r.b
	return out, nil
}

func (b *block) text(r *reader) string {
	i := r.uvarint()
	if i >= uint64(len(b.texts)) {
		r.bad = true
		return ""
	}
	return b.texts[i]
}

// row reads the row at an offset of rows, and gives the offset of the next. Its tag
// lies in the block.
func (b *block) row(offset int, p *point) (tenant string, tag []byte, next int, err error) {
	if offset < 0 || offset > len(b.rows) {
		return "", nil, 0, errDamaged
	}
	r := reader{b: b.rows[offset:]}
	tag = r.bytes(r.uvarint())
	tenant = b.text(&r)
	p.at = b.base + r.varint()
	p.received = p.at + r.varint()
	has := r.uvarint()
	p.has, p.gateway, p.source = uint32(has&(1<<fields-1)), "", ""
	if has&hasGateway != 0 {
		p.gateway = b.text(&r)
	}
	if has&hasSource != 0 {
		p.source = b.text(&r)
	}
	for has := p.has; has != 0; has &= has - 1 {
		f := bits.TrailingZeros32(has)
		if f >= floats {
			p.val[f] = uint64(r.varint())
			continue
		}
		if u := r.uvarint(); u&1 == 0 {
			p.val[f] = math.Float64bits(float64(unzigzag(u>>1)) / scales[f])
		} else {
			p.val[f] = r.uint64()
		}
	}
	if r.bad || has >= 1<<17 {
		return "", nil, 0, errDamaged
	}
	return tenant, tag, len(b.rows) - len(r.b), nil
}
