package telemetry

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/bits"
	"slices"
)

// A chunk holds readings of one tag and one UTC day in columns, oldest first:
//
//	version byte 1
//	uvarint n, how many readings
//	columns: byte number, uvarint length, then
//	    byte 0 when every reading has it; or 1 and a bit for each reading, packed
//	    from the low end
//	    the numbers of those that have it, as packInts or packFloats write them
//	4 bytes CRC-32C of all before, little-endian
//
// Columns that no reading has are left out. Those of texts begin with the texts, as
// uvarint count and each as uvarint length and bytes, and number them.
const chunkVersion = 1

// Numbers of the columns; those of measurements follow.
const (
	columnAt       = iota
	columnReceived // less the device time
	columnGateway
	columnSource
	columnFields
)

// mostPoints bounds a chunk.
const mostPoints = 4096

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// chunkWriter builds chunks and is used again for the next.
type chunkWriter struct {
	ints, work []int64
	bits       []uint64
	column     []byte
}

// start begins a column that every reading has.
func (w *chunkWriter) start() []byte {
	w.column = append(w.column[:0], 0)
	return w.column
}

// append writes the chunk of 1 to mostPoints settled points.
func (w *chunkWriter) append(b []byte, points []point) []byte {
	n := len(points)
	if cap(w.ints) < n {
		w.ints, w.work, w.bits = make([]int64, mostPoints), make([]int64, mostPoints), make([]uint64, mostPoints)
	}
	start := len(b)
	b = append(b, chunkVersion)
	b = binary.AppendUvarint(b, uint64(n))
	ints := w.ints[:n]
	for i := range points {
		ints[i] = points[i].at
	}
	b = appendColumn(b, columnAt, packInts(w.start(), ints, w.work))
	for i := range points {
		ints[i] = points[i].received - points[i].at
	}
	b = appendColumn(b, columnReceived, packInts(w.start(), ints, w.work))
	b = w.texts(b, columnGateway, points, func(p *point) string { return p.gateway })
	b = w.texts(b, columnSource, points, func(p *point) string { return p.source })
	all, some := ^uint32(0), uint32(0)
	for i := range points {
		all &= points[i].has
		some |= points[i].has
	}
	for has := some; has != 0; has &= has - 1 {
		f := bits.TrailingZeros32(has)
		column := w.start()
		vals := w.bits[:0]
		if all&(1<<f) == 0 {
			column = appendPresence(column, points, f)
		}
		for i := range points {
			if points[i].has&(1<<f) != 0 {
				vals = append(vals, points[i].val[f])
			}
		}
		if f < floats {
			column = packFloats(column, vals, w.ints, w.work)
		} else {
			ints := w.ints[:len(vals)]
			for i, v := range vals {
				ints[i] = int64(v)
			}
			column = packInts(column, ints, w.work)
		}
		b = appendColumn(b, columnFields+f, column)
		w.column = column
	}
	return appendSum(b, start)
}

// appendSum ends a chunk that begins at start.
func appendSum(b []byte, start int) []byte {
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli))
}

func appendColumn(b []byte, number int, column []byte) []byte {
	b = append(b, byte(number))
	b = binary.AppendUvarint(b, uint64(len(column)))
	return append(b, column...)
}

// appendPresence replaces the byte 0 of a column by the bits of who has field f.
func appendPresence(column []byte, points []point, f int) []byte {
	column[0] = 1
	var acc byte
	for i := range points {
		acc |= byte(points[i].has>>f&1) << (i & 7)
		if i&7 == 7 || i == len(points)-1 {
			column = append(column, acc)
			acc = 0
		}
	}
	return column
}

// texts appends a column of texts; those that are "" count as a text too.
func (w *chunkWriter) texts(b []byte, number int, points []point, of func(*point) string) []byte {
	var texts []string
	ints := w.ints[:len(points)]
	last := 0
	for i := range points {
		s := of(&points[i])
		if len(texts) == 0 || texts[last] != s {
			last = 0
			for last < len(texts) && texts[last] != s {
				last++
			}
			if last == len(texts) {
				texts = append(texts, s)
			}
		}
		ints[i] = int64(last)
	}
	if len(texts) == 1 && texts[0] == "" {
		return b
	}
	column := w.start()
	column = binary.AppendUvarint(column, uint64(len(texts)))
	for _, s := range texts {
		column = binary.AppendUvarint(column, uint64(len(s)))
		column = append(column, s...)
	}
	column = packInts(column, ints, w.work)
	w.column = column
	return appendColumn(b, number, column)
}

// chunk is a chunk whose columns are found but not yet read.
type chunk struct {
	n       int
	columns [columnFields + fields][]byte
}

// openChunk checks the bytes of a chunk. It keeps body.
func openChunk(body []byte) (chunk, error) {
	if len(body) < 4 || crc32.Checksum(body[:len(body)-4], castagnoli) != binary.LittleEndian.Uint32(body[len(body)-4:]) {
		return chunk{}, fmt.Errorf("%w: the checksum of a chunk is wrong", errDamaged)
	}
	r := reader{b: body[:len(body)-4]}
	version, n := r.byte(), r.uvarint()
	c := chunk{n: int(n)}
	if r.bad || version != chunkVersion || n == 0 || n > mostPoints {
		return chunk{}, fmt.Errorf("%w: a chunk begins with version %d, %d readings", errDamaged, version, n)
	}
	for len(r.b) > 0 {
		number := r.byte()
		column := r.bytes(r.uvarint())
		if r.bad || int(number) >= len(c.columns) {
			return chunk{}, fmt.Errorf("%w: a chunk has column %d", errDamaged, number)
		}
		c.columns[number] = column
	}
	if c.columns[columnAt] == nil || c.columns[columnReceived] == nil {
		return chunk{}, fmt.Errorf("%w: a chunk has no times", errDamaged)
	}
	return c, nil
}

// chunkReader reads columns and is used again for the next.
type chunkReader struct {
	ints []int64
	bits []uint64
}

func (d *chunkReader) grow() {
	if d.ints == nil {
		d.ints, d.bits = make([]int64, mostPoints), make([]uint64, mostPoints)
	}
}

// times reads the device times into a slice that the next call writes over.
func (d *chunkReader) times(c *chunk) ([]int64, error) {
	d.grow()
	return d.whole(c, columnAt)
}

func (d *chunkReader) whole(c *chunk, number int) ([]int64, error) {
	r := reader{b: c.columns[number]}
	if r.byte() != 0 {
		r.bad = true
	}
	ints := d.ints[:c.n]
	unpackInts(&r, ints)
	if r.bad {
		return nil, fmt.Errorf("%w: column %d of a chunk", errDamaged, number)
	}
	return ints, nil
}

// field reads field f: the bits of its values, and a bit for each reading that tells
// whether it has one (nil: all do). ok is false when none has.
func (d *chunkReader) field(c *chunk, f int) (vals []uint64, present []byte, ok bool, err error) {
	d.grow()
	column := c.columns[columnFields+f]
	if column == nil {
		return nil, nil, false, nil
	}
	r := reader{b: column}
	n := c.n
	switch r.byte() {
	case 0:
	case 1:
		present = r.bytes(uint64(c.n+7) / 8)
		n = 0
		for i, b := range present {
			if left := c.n - 8*i; left < 8 {
				b &= 1<<left - 1
			}
			n += bits.OnesCount8(b)
		}
	default:
		r.bad = true
	}
	vals = d.bits[:n]
	if f < floats {
		unpackFloats(&r, vals, d.ints[:n])
	} else {
		ints := d.ints[:n]
		unpackInts(&r, ints)
		for i, v := range ints {
			vals[i] = uint64(v)
		}
	}
	if r.bad {
		return nil, nil, false, fmt.Errorf("%w: column %d of a chunk", errDamaged, columnFields+f)
	}
	return vals, present, true, nil
}

// points appends the readings of a chunk with from <= time < end.
func (d *chunkReader) points(to []point, c *chunk, from, end int64) ([]point, error) {
	times, err := d.times(c)
	if err != nil {
		return to, err
	}
	skip, _ := slices.BinarySearch(times, from)
	stop, _ := slices.BinarySearch(times, end)
	if skip >= stop {
		return to, nil
	}
	first, n := len(to), stop-skip
	to = slices.Grow(to, n)[:first+n]
	points := to[first:]
	for i := range points {
		points[i] = point{at: times[skip+i]}
	}
	late, err := d.whole(c, columnReceived)
	if err != nil {
		return to, err
	}
	for i := range points {
		points[i].received = points[i].at + late[skip+i]
	}
	if err := d.texts(c, columnGateway, skip, stop, func(i int, s string) { points[i].gateway = s }); err != nil {
		return to, err
	}
	if err := d.texts(c, columnSource, skip, stop, func(i int, s string) { points[i].source = s }); err != nil {
		return to, err
	}
	for f := range fields {
		vals, present, ok, err := d.field(c, f)
		if err != nil {
			return to, err
		}
		if !ok {
			continue
		}
		if present == nil {
			for i := range points {
				points[i].set(f, vals[skip+i])
			}
			continue
		}
		n := 0
		for i := range stop {
			if present[i>>3]>>(i&7)&1 != 0 {
				if i >= skip {
					points[i-skip].set(f, vals[n])
				}
				n++
			}
		}
	}
	return to, nil
}

// texts tells the part of a column of texts from skip to stop.
func (d *chunkReader) texts(c *chunk, number, skip, stop int, set func(i int, s string)) error {
	column := c.columns[number]
	if column == nil {
		return nil
	}
	r := reader{b: column}
	kind, n := r.byte(), r.uvarint()
	if kind != 0 || n > uint64(len(r.b)) {
		return fmt.Errorf("%w: column %d of a chunk", errDamaged, number)
	}
	texts := make([]string, n)
	for i := range texts {
		texts[i] = string(r.bytes(r.uvarint()))
	}
	ints := d.ints[:c.n]
	unpackInts(&r, ints)
	for i, t := range ints[skip:stop] {
		if r.bad || t < 0 || t >= int64(n) {
			return fmt.Errorf("%w: column %d of a chunk", errDamaged, number)
		}
		set(i, texts[t])
	}
	return nil
}
