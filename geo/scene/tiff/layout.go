package tiff

import (
	"cmp"
	"math"
)

// layout says where the blocks of an image lie and how they are stored.
type layout struct {
	sample         int // bytes of a number
	perBlock       int // numbers of a pixel that lie together
	strips         bool
	blockW, blockH int
	across, down   int // blocks
	bytes          int // of a whole block
	deflate        bool
	predictor      uint64
	offsets        []uint64
	counts         []uint64
}

const (
	predictorNone       = 1
	predictorHorizontal = 2
	predictorFloat      = 3
)

// largest is how many bytes a block may have, and all blocks that are kept.
const largest = 48 << 20

// types are the words for numbers, by TIFF's format (unsigned, signed, IEEE) and
// size in bits.
var types = map[[2]uint64]string{
	{1, 8}: "uint8", {2, 8}: "int8", {1, 16}: "uint16", {2, 16}: "int16",
	{1, 32}: "uint32", {2, 32}: "int32", {3, 32}: "float32", {3, 64}: "float64",
}

// scan reads numbers one after the other and keeps the first error.
type scan struct {
	d   *directory
	err error
}

func (s *scan) number(tag uint16, other uint64) uint64 {
	v, err := s.d.number(tag, other)
	s.err = cmp.Or(s.err, err)
	return v
}

// must notes that a tag says something else than what is plain.
func (s *scan) must(ok bool, format string, args ...any) {
	if s.err == nil && !ok {
		s.err = notPlain(format, args...)
	}
}

// describe finds out where the blocks lie.
func (f *File) describe(d *directory) error {
	s := &scan{d: d}
	w, h := s.number(tagWidth, 0), s.number(tagHeight, 0)
	bands := s.number(tagSamples, 1)
	s.must(w > 0 && h > 0 && w <= math.MaxInt32 && h <= math.MaxInt32, "%d x %d pixels", w, h)
	s.must(bands > 0 && bands <= math.MaxUint16, "%d bands", bands)
	if s.err != nil {
		return s.err
	}
	f.Width, f.Height, f.Bands = int(w), int(h), int(bands)
	if err := f.numbers(s); err != nil {
		return err
	}
	return f.blocks(s)
}

// numbers finds out how numbers are stored.
func (f *File) numbers(s *scan) error {
	bits, err := s.d.same(tagBits, f.Bands, 1)
	s.err = cmp.Or(s.err, err)
	format, err := s.d.same(tagSampleFormat, f.Bands, 1)
	s.err = cmp.Or(s.err, err)
	f.Type = types[[2]uint64{format, bits}]
	f.sample = int(bits / 8)
	s.must(f.Type != "", "numbers of format %d and %d bits", format, bits)
	for tag, plain := range map[uint16]uint64{
		tagNewSubfileType: 0, tagSubfileType: 0, tagFillOrder: 1, tagOrientation: 1, tagImageDepth: 1, tagTileDepth: 1,
	} {
		s.must(s.number(tag, plain) == plain, "tag %d", tag)
	}
	photometric := s.number(tagPhotometric, 1)
	s.must(photometric == 1 || photometric == 2, "colours of kind %d", photometric)
	extra, err := s.d.numbers(tagExtraSamples)
	s.err = cmp.Or(s.err, err)
	for _, v := range extra {
		s.must(v == 0, "an alpha band")
	}
	f.predictor = s.number(tagPredictor, predictorNone)
	switch compression := s.number(tagCompression, 1); compression {
	case 1:
		s.must(f.predictor == predictorNone, "a predictor without compression")
	case 8, 32946:
		f.deflate = true
	default:
		s.must(false, "compression %d", compression)
	}
	s.must(f.predictor >= predictorNone && f.predictor <= predictorFloat, "predictor %d", f.predictor)
	s.must(f.predictor != predictorFloat || format == 3, "the predictor for floating point on whole numbers")
	return s.err
}

// blocks finds out where the blocks lie.
func (f *File) blocks(s *scan) error {
	planar := s.number(tagPlanar, 1)
	s.must(planar == 1 || planar == 2, "planes of kind %d", planar)
	f.perBlock = f.Bands
	if planar == 2 {
		f.perBlock = 1
	}
	_, tiled := s.d.fields[tagTileWidth]
	f.strips = !tiled
	bw, bh := uint64(f.Width), min(s.number(tagRowsPerStrip, math.MaxUint32), uint64(f.Height))
	offsets, counts := uint16(tagStripOffsets), uint16(tagStripByteCounts)
	if tiled {
		bw, bh = s.number(tagTileWidth, 0), s.number(tagTileHeight, 0)
		offsets, counts = tagTileOffsets, tagTileByteCounts
	}
	pixel := uint64(f.sample) * uint64(f.perBlock)
	s.must(bw > 0 && bh > 0 && bw <= largest && bh <= largest/bw && bw*bh <= largest/max(1, pixel), "blocks of %d x %d", bw, bh)
	if s.err != nil {
		return s.err
	}
	f.blockW, f.blockH, f.bytes = int(bw), int(bh), int(bw*bh*pixel)
	f.across, f.down = (f.Width+f.blockW-1)/f.blockW, (f.Height+f.blockH-1)/f.blockH
	planes := f.Bands / f.perBlock
	if f.across > most/f.down/planes {
		return notPlain("more than %d blocks", most)
	}
	var err error
	if f.offsets, err = s.d.numbers(offsets); err != nil {
		return err
	}
	if f.counts, err = s.d.numbers(counts); err != nil {
		return err
	}
	if n := f.across * f.down * planes; len(f.offsets) != n || len(f.counts) != n {
		return notPlain("%d and %d places for %d blocks", len(f.offsets), len(f.counts), n)
	}
	if f.keep() > largest {
		return notPlain("a row of blocks has %d bytes", f.keep())
	}
	return nil
}

// missing says whether the file leaves a block out.
func (f *File) missing(id int) bool { return f.offsets[id] == 0 && f.counts[id] == 0 }
