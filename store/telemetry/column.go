package telemetry

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// Columns of a chunk. Whole numbers v₀, v₁, … are kept as
//
//	byte    order: 0 the numbers themselves, 1 their differences
//	varint  v₀
//	uvarint g, the greatest common divisor of all vᵢ-v₀
//	groups of 64 of uᵢ = (vᵢ-v₀)/g (order 0) or (vᵢ-vᵢ₋₁)/g (order 1), from i = 1
//
// and a group, after Lemire and Boytsov's patched frame of reference (Software:
// Practice and Experience 45, 2015, doi 10.1002/spe.2203), as
//
//	varint  least number of the group
//	byte    width w, 0 to 64
//	byte    how many exceptions
//	uᵢ-least, the low w bits of each, packed from the low end
//	exceptions: byte place in the group, uvarint of the bits above w
//
// All arithmetic is modulo 2⁶⁴, so every number comes back.
const groupSize = 64

// packInts appends the column of vals, which must not be empty. work has room for
// as many numbers and is written over.
func packInts(b []byte, vals, work []int64) []byte {
	first := vals[0]
	var g uint64
	for _, v := range vals[1:] {
		if g = gcd(g, absolute(v-first)); g == 1 {
			break
		}
	}
	g = max(g, 1)
	work = work[:len(vals)-1]
	var cost [2]int
	for order := range cost {
		residuals(work, vals, order, g)
		for i := 0; i < len(work); i += groupSize {
			cost[order] += groupCost(work[i:min(i+groupSize, len(work))])
		}
	}
	order := 1
	if cost[0] <= cost[1] {
		order = 0
		residuals(work, vals, order, g)
	}
	b = append(b, byte(order))
	b = binary.AppendVarint(b, first)
	b = binary.AppendUvarint(b, g)
	for i := 0; i < len(work); i += groupSize {
		b = packGroup(b, work[i:min(i+groupSize, len(work))])
	}
	return b
}

func residuals(to, vals []int64, order int, g uint64) {
	before := vals[0]
	for i, v := range vals[1:] {
		d := v - before
		if g > 1 {
			d /= int64(g)
		}
		to[i] = d
		if order == 1 {
			before = v
		}
	}
}

func absolute(v int64) uint64 {
	if v < 0 {
		return -uint64(v)
	}
	return uint64(v)
}

// gcd of a and b; large differences count as coprime, because the difference of two
// of them may not be a signed number any more.
func gcd(a, b uint64) uint64 {
	if b > 1<<61 {
		return 1
	}
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// width finds the cheapest width of a group, in bits, with what it costs.
func width(group []int64) (least int64, w, exceptions, cost int) {
	least = group[0]
	for _, v := range group[1:] {
		least = min(least, v)
	}
	var of [65]uint8 // numbers by length in bits
	most := 0
	for _, v := range group {
		n := bits.Len64(uint64(v - least))
		of[n]++
		most = max(most, n)
	}
	w, cost = most, most*len(group)
	above := 0
	for try := most - 1; try >= 0 && above < len(group)/4; try-- {
		above += int(of[try+1])
		c := try * len(group)
		for n := try + 1; n <= most; n++ {
			c += int(of[n]) * (8 + 8*((n-try+6)/7))
		}
		if c < cost {
			w, exceptions, cost = try, above, c
		}
	}
	return least, w, exceptions, cost + 8*(2+(bits.Len64(zigzag(least))+6)/7)
}

func groupCost(group []int64) int {
	_, _, _, cost := width(group)
	return cost
}

func packGroup(b []byte, group []int64) []byte {
	least, w, exceptions, _ := width(group)
	b = binary.AppendVarint(b, least)
	b = append(b, byte(w), byte(exceptions))
	var acc uint64
	var n int
	mask := uint64(1)<<w - 1 // all ones for 64
	if w > 0 {
		for _, v := range group {
			u := uint64(v-least) & mask
			acc |= u << n
			if n+w >= 64 {
				b = binary.LittleEndian.AppendUint64(b, acc)
				acc = u >> (64 - n) // 0 when n is 0, as shifts by 64 are
				n += w - 64
			} else {
				n += w
			}
		}
		for ; n > 0; n -= 8 {
			b = append(b, byte(acc))
			acc >>= 8
		}
	}
	if exceptions > 0 {
		for i, v := range group {
			if high := uint64(v-least) >> w; high != 0 {
				b = append(b, byte(i))
				b = binary.AppendUvarint(b, high)
			}
		}
	}
	return b
}

// unpackInts reads len(vals) numbers.
func unpackInts(r *reader, vals []int64) {
	order, first, g := r.byte(), r.varint(), r.uvarint()
	if order > 1 || len(vals) == 0 {
		r.bad = true
	}
	if r.bad {
		return
	}
	vals[0] = first
	rest := vals[1:]
	for i := 0; i < len(rest); i += groupSize {
		unpackGroup(r, rest[i:min(i+groupSize, len(rest))])
		if r.bad {
			return
		}
	}
	if order == 0 {
		for i := range rest {
			rest[i] = first + rest[i]*int64(g)
		}
		return
	}
	v := first
	for i := range rest {
		v += rest[i] * int64(g)
		rest[i] = v
	}
}

func unpackGroup(r *reader, group []int64) {
	least := r.varint()
	w, exceptions := int(r.byte()), int(r.byte())
	if w > 64 || exceptions > len(group) {
		r.bad = true
		return
	}
	packed := r.bytes(uint64((w*len(group) + 7) / 8))
	if r.bad {
		return
	}
	switch {
	case w == 0:
		for i := range group {
			group[i] = least
		}
	case w <= 56:
		mask := uint64(1)<<w - 1
		at := 0
		for i := range group {
			group[i] = least + int64(load(packed, at>>3)>>(at&7)&mask)
			at += w
		}
	default:
		mask := uint64(1)<<w - 1
		at := 0
		for i := range group {
			u := load(packed, at>>3) >> (at & 7)
			if s := at & 7; s+w > 64 {
				u |= uint64(packed[at>>3+8]) << (64 - s)
			}
			group[i] = least + int64(u&mask)
			at += w
		}
	}
	for range exceptions {
		i, high := int(r.byte()), r.uvarint()
		if i >= len(group) || w == 64 {
			r.bad = true
			return
		}
		group[i] += int64(high << w)
	}
}

// load reads eight bytes at an offset; bytes beyond the end count as zeros.
func load(b []byte, at int) uint64 {
	if at+8 <= len(b) {
		return binary.LittleEndian.Uint64(b[at:])
	}
	var u uint64
	for i := len(b) - 1; i >= at; i-- {
		u = u<<8 | uint64(b[i])
	}
	return u
}

// Numbers with a fraction are kept as whole numbers of 10⁻ᵈ where all of a column
// can be so without loss (a byte d, 0 to maxDecimals), and else as the exclusive-or of
// each with the one before, less the zeros that all of them end in (the byte
// xorFloats, a byte of how many zeros).
const (
	maxDecimals = 12
	xorFloats   = 255
)

var powers = [maxDecimals + 1]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12}

// packFloats appends the column of the bits of floats; ints and work are scratch.
func packFloats(b []byte, vals []uint64, ints, work []int64) []byte {
	ints = ints[:len(vals)]
	if d := decimals(vals, ints); d >= 0 {
		return packInts(append(b, byte(d)), ints, work)
	}
	var before, ones uint64
	for i, v := range vals {
		ints[i] = int64(v ^ before)
		ones |= v ^ before
		before = v
	}
	zeros := bits.TrailingZeros64(ones) & 63
	for i := range ints {
		ints[i] = int64(uint64(ints[i]) >> zeros)
	}
	return packInts(append(b, xorFloats, byte(zeros)), ints, work)
}

// decimals finds the fewest decimals that all values have, and writes the values in
// units of the last one; -1 when there is none.
func decimals(vals []uint64, to []int64) int {
	d := 0
	for _, v := range vals {
		f := math.Float64frombits(v)
		for {
			if _, ok := scaled(f, powers[d]); ok {
				break
			}
			if d++; d > maxDecimals {
				return -1
			}
		}
	}
	for i, v := range vals {
		n, ok := scaled(math.Float64frombits(v), powers[d])
		if !ok {
			return -1
		}
		to[i] = n
	}
	return d
}

// unpackFloats reads the bits of len(vals) floats; ints is scratch.
func unpackFloats(r *reader, vals []uint64, ints []int64) {
	ints = ints[:len(vals)]
	kind := r.byte()
	switch {
	case kind <= maxDecimals:
		unpackInts(r, ints)
		scale := powers[kind]
		for i, n := range ints {
			vals[i] = math.Float64bits(float64(n) / scale)
		}
	case kind == xorFloats:
		zeros := r.byte() & 63
		unpackInts(r, ints)
		var v uint64
		for i, n := range ints {
			v ^= uint64(n) << zeros
			vals[i] = v
		}
	default:
		r.bad = true
	}
}
