package tiff_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/airbusgeo/godal"
	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/geo/scene"
	"github.com/furrowcredit/furrow/geo/scene/tiff"
)

// sort is a type of numbers, as GDAL and this package name it.
type sort struct {
	word string
	gdal godal.DataType
	make func(n int) any
	some func(r *rand.Rand, v any)
}

func sortOf[T tiff.Number](word string, gdal godal.DataType) sort {
	return sort{word, gdal, func(n int) any { return make([]T, n) }, func(r *rand.Rand, v any) {
		cells := v.([]T)
		for i := range cells { // smooth with some noise and some anything, as DEFLATE meets it
			cells[i] = T(100 + i%17 + r.IntN(3))
			if r.IntN(50) == 0 {
				cells[i] = T(r.IntN(120))
			}
		}
	}}
}

var sorts = []sort{
	sortOf[uint8]("uint8", godal.Byte), sortOf[uint16]("uint16", godal.UInt16), sortOf[int16]("int16", godal.Int16),
	sortOf[uint32]("uint32", godal.UInt32), sortOf[int32]("int32", godal.Int32),
	sortOf[float32]("float32", godal.Float32), sortOf[float64]("float64", godal.Float64),
}

// picture is a file that GDAL writes.
type picture struct {
	sort
	w, h, bands int
	options     []string
	sparse      bool
	nodata      *float64
}

// write writes random numbers and gives the name of the file.
func (p picture) write(t rapid.TB, path string, seed uint64) {
	t.Helper()
	scene.RegisterDrivers()
	ds, err := godal.Create(godal.GTiff, path, p.bands, p.gdal, p.w, p.h, godal.CreationOption(p.options...))
	if err != nil {
		t.Fatal(err)
	}
	if p.nodata != nil {
		if err := ds.SetNoData(*p.nodata); err != nil {
			t.Fatal(err)
		}
	}
	w, h := p.w, p.h
	if p.sparse { // what is never written is left out
		w, h = max(1, w/3), max(1, h/3)
	}
	r := rand.New(rand.NewPCG(seed, 1))
	for _, b := range ds.Bands() {
		v := p.make(w * h)
		p.some(r, v)
		if err := b.Write(0, 0, v, w, h); err != nil {
			t.Fatal(err)
		}
	}
	if err := ds.Close(); err != nil {
		t.Fatal(err)
	}
}

func drawPicture(t *rapid.T) picture {
	p := picture{
		sort: rapid.SampledFrom(sorts).Draw(t, "type"),
		w:    rapid.IntRange(1, 90).Draw(t, "width"), h: rapid.IntRange(1, 90).Draw(t, "height"),
		bands:  rapid.IntRange(1, 3).Draw(t, "bands"),
		sparse: rapid.Bool().Draw(t, "sparse"),
	}
	p.options = append(p.options, "INTERLEAVE="+rapid.SampledFrom([]string{"PIXEL", "BAND"}).Draw(t, "interleave"), "PHOTOMETRIC=MINISBLACK", "ALPHA=UNSPECIFIED")
	if rapid.Bool().Draw(t, "tiled") {
		side := rapid.SampledFrom([]int{16, 32, 48})
		p.options = append(p.options, "TILED=YES", fmt.Sprintf("BLOCKXSIZE=%d", side.Draw(t, "tile width")), fmt.Sprintf("BLOCKYSIZE=%d", side.Draw(t, "tile height")))
	} else {
		p.options = append(p.options, fmt.Sprintf("BLOCKYSIZE=%d", rapid.IntRange(1, 40).Draw(t, "rows")))
	}
	if rapid.Bool().Draw(t, "deflate") {
		predictors := []int{1, 2}
		if p.word == "float32" || p.word == "float64" {
			predictors = []int{1, 2, 3}
		}
		if p.word == "float64" {
			predictors = []int{1, 3}
		}
		p.options = append(p.options, "COMPRESS=DEFLATE", fmt.Sprintf("PREDICTOR=%d", rapid.SampledFrom(predictors).Draw(t, "predictor")))
	}
	if p.sparse {
		p.options = append(p.options, "SPARSE_OK=TRUE")
	}
	if rapid.Bool().Draw(t, "big") {
		p.options = append(p.options, "BIGTIFF=YES")
	}
	if rapid.Bool().Draw(t, "has nodata") {
		nodata := float64(rapid.IntRange(0, 120).Draw(t, "nodata"))
		p.nodata = &nodata
	}
	return p
}

func TestPixelsAreThoseOfGDAL(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		p := drawPicture(t)
		path := filepath.Join(dir, "a.tif")
		p.write(t, path, rapid.Uint64().Draw(t, "seed"))
		ds, err := godal.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = ds.Close() }()
		f, err := tiff.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if f.Width != p.w || f.Height != p.h || f.Bands != p.bands || f.Type != p.word {
			t.Fatalf("%d x %d x %d of %s", f.Width, f.Height, f.Bands, f.Type)
		}
		for range 8 {
			x, y := rapid.IntRange(0, p.w-1).Draw(t, "x"), rapid.IntRange(0, p.h-1).Draw(t, "y")
			w, h := rapid.IntRange(1, p.w-x).Draw(t, "w"), rapid.IntRange(1, p.h-y).Draw(t, "h")
			band := rapid.IntRange(1, p.bands).Draw(t, "band")
			want, got := p.make(w*h), p.make(w*h)
			if err := ds.Bands()[band-1].Read(x, y, want, w, h); err != nil {
				t.Fatal(err)
			}
			if err := f.Read(band, x, y, w, h, p.nodata, got); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("window %d,%d %dx%d of band %d:\n%v\nwant\n%v", x, y, w, h, band, got, want)
			}
		}
	})
}

// Any bits are pixels: not-a-number, infinities, whatever lies in between.
func TestFloatsKeepTheirBits(t *testing.T) {
	t.Parallel()
	scene.RegisterDrivers()
	const w, h = 333, 70
	r := rand.New(rand.NewPCG(1, 2))
	v := make([]float32, w*h)
	for i := range v {
		v[i] = math.Float32frombits(r.Uint32())
	}
	for _, options := range [][]string{{"PREDICTOR=1"}, {"PREDICTOR=2"}, {"PREDICTOR=3"}, {"PREDICTOR=3", "TILED=YES"}} {
		path := filepath.Join(t.TempDir(), "bits.tif")
		ds, err := godal.Create(godal.GTiff, path, 1, godal.Float32, w, h, godal.CreationOption(append(options, "COMPRESS=DEFLATE")...))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(ds.Write(0, 0, v, w, h), ds.Close()); err != nil {
			t.Fatal(err)
		}
		f, err := tiff.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		got := make([]float32, w*h)
		if err := f.Read(1, 0, 0, w, h, nil, got); err != nil {
			t.Fatal(err)
		}
		for i, g := range got {
			if math.Float32bits(g) != math.Float32bits(v[i]) {
				t.Fatalf("%v: pixel %d is %x, want %x", options, i, math.Float32bits(g), math.Float32bits(v[i]))
			}
		}
	}
}

func TestOtherFilesAreLeftToGDAL(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	plain := picture{sort: sorts[1], w: 40, h: 30, bands: 1}
	for name, options := range map[string][]string{
		"LZW": {"COMPRESS=LZW"}, "big-endian": {"ENDIANNESS=BIG"}, "12 bits": {"NBITS=12"},
		"white is zero": {"PHOTOMETRIC=MINISWHITE"},
	} {
		p := plain
		p.options = options
		path := filepath.Join(dir, name+".tif")
		p.write(t, path, 1)
		if _, err := tiff.Open(path); !errors.Is(err, tiff.ErrNotPlain) {
			t.Errorf("%s: %v", name, err)
		}
	}
	alpha := picture{sort: sorts[0], w: 9, h: 9, bands: 4, options: []string{"PHOTOMETRIC=RGB", "ALPHA=YES"}}
	alpha.write(t, filepath.Join(dir, "alpha.tif"), 1)
	if _, err := tiff.Open(filepath.Join(dir, "alpha.tif")); !errors.Is(err, tiff.ErrNotPlain) {
		t.Errorf("alpha: %v", err)
	}
	if _, err := tiff.Open(dir); !errors.Is(err, tiff.ErrNotPlain) {
		t.Errorf("a folder: %v", err)
	}
}

func TestWindowsAndBuffersThatDoNotFit(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.tif")
	picture{sort: sorts[1], w: 40, h: 30, bands: 2}.write(t, path, 1)
	f, err := tiff.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	buf := make([]uint16, 1200)
	for _, c := range []struct {
		band, x, y, w, h int
		buf              any
	}{
		{0, 0, 0, 1, 1, buf},
		{3, 0, 0, 1, 1, buf},
		{1, -1, 0, 1, 1, buf},
		{1, 0, 0, 41, 1, buf},
		{1, 39, 0, 2, 1, buf},
		{1, 0, 0, 0, 1, buf},
		{1, 0, 30, 1, 1, buf},
		{1, 0, 0, math.MaxInt, math.MaxInt, buf},
		{1, 0, 0, 40, 30, buf[:1199]},
		{1, 0, 0, 40, 30, make([]int16, 1200)},
		{1, 0, 0, 40, 30, nil},
	} {
		if err := f.Read(c.band, c.x, c.y, c.w, c.h, nil, c.buf); !errors.Is(err, tiff.ErrNotPlain) {
			t.Errorf("%d: %d,%d %dx%d: %v", c.band, c.x, c.y, c.w, c.h, err)
		}
	}
	if err := f.Read(2, 0, 0, 40, 30, nil, buf); err != nil {
		t.Error(err)
	}
}

// The checksum of zlib misses some changes; what passes is what GDAL reads as well.
func TestDamagedBlocksAreLeftToGDAL(t *testing.T) {
	t.Parallel()
	const side = 64
	path := filepath.Join(t.TempDir(), "a.tif")
	picture{sort: sorts[5], w: side, h: side, bands: 1, options: []string{"COMPRESS=DEFLATE", "PREDICTOR=3", "TILED=YES", "BLOCKXSIZE=64", "BLOCKYSIZE=64"}}.write(t, path, 1)
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	read := func(body []byte) ([]float32, error) {
		f, err := tiff.Parse(bytes.NewReader(body), int64(len(body)))
		if err != nil {
			return nil, err
		}
		defer f.Close()
		v := make([]float32, side*side)
		return v, f.Read(1, 0, 0, side, side, nil, v)
	}
	if _, err := read(body); err != nil {
		t.Fatal(err)
	}
	noticed, changes := 0, 0
	for at := len(body) - 1; at > len(body)/4; at -= 3 {
		if _, err := read(body[:at]); !errors.Is(err, tiff.ErrNotPlain) {
			t.Fatalf("cut at %d: %v", at, err)
		}
		changes++
		bad := bytes.Clone(body)
		bad[at] ^= 0x10
		got, err := read(bad)
		if errors.Is(err, tiff.ErrNotPlain) {
			noticed++
			continue
		}
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		want := make([]float32, side*side)
		if ds, err := godal.Open(path); err != nil {
			t.Errorf("byte %d: GDAL sees what this package does not: %v", at, err)
		} else if err := errors.Join(ds.Bands()[0].Read(0, 0, want, side, side), ds.Close()); err != nil {
			t.Errorf("byte %d: GDAL sees what this package does not: %v", at, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("byte %d: other pixels than GDAL's", at)
		}
	}
	if noticed < changes*99/100 {
		t.Errorf("%d of %d changes noticed", noticed, changes)
	}
}

// FuzzRead holds that no bytes make the reader fail in another way than it says, nor
// take much memory.
func FuzzRead(f *testing.F) {
	scene.RegisterDrivers()
	for i, p := range []picture{
		{sort: sorts[0], w: 20, h: 20, bands: 1},
		{sort: sorts[1], w: 20, h: 20, bands: 2, options: []string{"COMPRESS=DEFLATE", "PREDICTOR=2"}},
		{sort: sorts[5], w: 20, h: 20, bands: 1, options: []string{"COMPRESS=DEFLATE", "PREDICTOR=3", "TILED=YES", "BLOCKXSIZE=16", "BLOCKYSIZE=16", "BIGTIFF=YES"}},
		{sort: sorts[6], w: 20, h: 20, bands: 3, sparse: true, options: []string{"COMPRESS=DEFLATE", "INTERLEAVE=BAND", "SPARSE_OK=TRUE"}},
	} {
		path := filepath.Join(f.TempDir(), "seed.tif")
		p.write(f, path, uint64(i))
		body, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Add(binary.LittleEndian.AppendUint32([]byte("II*\x00"), 8))
	f.Fuzz(func(t *testing.T, body []byte) {
		file, err := tiff.Parse(bytes.NewReader(body), int64(len(body)))
		if err != nil {
			if !errors.Is(err, tiff.ErrNotPlain) {
				t.Fatal(err)
			}
			return
		}
		defer file.Close()
		w, h := min(file.Width, 40), min(file.Height, 40)
		for _, s := range append(sorts, sortOf[int8]("int8", godal.Byte)) {
			if s.word != file.Type {
				continue
			}
			for band := 1; band <= min(file.Bands, 3); band++ {
				for _, at := range [][2]int{{0, 0}, {file.Width - w, file.Height - h}} {
					if err := file.Read(band, at[0], at[1], w, h, nil, s.make(w*h)); err != nil && !errors.Is(err, tiff.ErrNotPlain) {
						t.Fatal(err)
					}
				}
			}
		}
	})
}
