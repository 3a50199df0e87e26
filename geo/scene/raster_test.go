package scene_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/airbusgeo/godal"

	"github.com/furrowcredit/furrow/geo/scene"
)

// Plain files are read without GDAL, all others with it: nobody can tell from the
// pixels.
func TestRasterReadsWhatGDALReads(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	g := grid(500000, 4000000, 10, 50, 40)
	v := make([]uint16, 50*40)
	for i := range v {
		v[i] = uint16(i * 31 % 4096)
	}
	write := func(name string, options ...string) string {
		path := filepath.Join(dir, name)
		ds, err := godal.Create(godal.GTiff, path, 1, godal.UInt16, g.Width, g.Height, godal.CreationOption(options...))
		if err != nil {
			t.Fatal(err)
		}
		sr, err := godal.NewSpatialRef(g.CRS)
		if err != nil {
			t.Fatal(err)
		}
		defer sr.Close()
		// The upper rows only: a sparse file leaves out the blocks below.
		if err := errors.Join(ds.SetSpatialRef(sr), ds.SetGeoTransform(g.Transform), ds.Write(0, 0, v[:50*16], 50, 16), ds.Close()); err != nil {
			t.Fatal(err)
		}
		return path
	}
	scene.RegisterDrivers()
	tiles := []string{"TILED=YES", "BLOCKXSIZE=16", "BLOCKYSIZE=16"}
	sparse := append(slices.Clone(tiles), "SPARSE_OK=TRUE", "COMPRESS=DEFLATE", "PREDICTOR=2")
	blank := write("blank.tif", sparse...)
	sidecar := `<PAMDataset><PAMRasterBand band="1"><NoDataValue>77</NoDataValue></PAMRasterBand></PAMDataset>`
	if err := os.WriteFile(blank+".aux.xml", []byte(sidecar), 0o600); err != nil {
		t.Fatal(err)
	}
	plain := write("plain.tif", append(tiles, "COMPRESS=DEFLATE", "PREDICTOR=2")...)
	ds, err := godal.Open(plain)
	if err != nil {
		t.Fatal(err)
	}
	virtual, err := ds.Translate(filepath.Join(dir, "virtual.vrt"), []string{"-of", "VRT"})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(virtual.Close(), ds.Close()); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{
		plain, blank, write("sparse.tif", sparse...), write("strips.tif"), write("lzw.tif", "COMPRESS=LZW"),
		filepath.Join(dir, "virtual.vrt"),
	} {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			ds, err := godal.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = ds.Close() }()
			r, err := scene.OpenRaster(path)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			var p scene.Pixels
			for _, w := range []scene.Window{{W: 50, H: 40}, {X: 3, Y: 5, W: 40, H: 30}, {X: 49, Y: 39, W: 1, H: 1}, {X: 16, Y: 16, W: 16, H: 16}} {
				want := make([]uint16, w.W*w.H)
				if err := ds.Bands()[0].Read(w.X, w.Y, want, w.W, w.H); err != nil {
					t.Fatal(err)
				}
				if err := r.Load(1, w, &p); err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(p.Cells().([]uint16), want) {
					t.Errorf("window %v: %v, want %v", w, p.Cells(), want)
				}
				other := make([]float64, w.W*w.H) // not the type of the file
				if err := r.Read(1, w, other); err != nil {
					t.Fatal(err)
				}
				for i, x := range other {
					if x != float64(want[i]) {
						t.Fatalf("window %v as float64: pixel %d is %v, want %v", w, i, x, want[i])
					}
				}
			}
		})
	}
}

func TestDamagedBlockIsUnreadableByName(t *testing.T) {
	t.Parallel()
	path := rasterFile(t, grid(500000, 4000000, 10, 64, 64), make([]float32, 64*64))
	scene.RegisterDrivers()
	ds, err := godal.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	packed := filepath.Join(t.TempDir(), "packed.tif")
	out, err := ds.Translate(packed, []string{"-co", "COMPRESS=DEFLATE", "-co", "TILED=YES"})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(out.Close(), ds.Close()); err != nil {
		t.Fatal(err)
	}
	body, err := os.ReadFile(packed)
	if err != nil {
		t.Fatal(err)
	}
	for i := len(body) - 40; i < len(body); i++ { // in the stream of the last block
		body[i] ^= 0x55
	}
	if err := os.WriteFile(packed, body, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := scene.OpenRaster(packed)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var p scene.Pixels
	err = r.Load(1, scene.Window{W: 64, H: 64}, &p)
	if !errors.Is(err, scene.ErrUnreadable) || !strings.Contains(err.Error(), packed) {
		t.Errorf("%v, want unreadable, with the file's name", err)
	}
}
