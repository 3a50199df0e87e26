package scene_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/airbusgeo/godal"
	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/geo/scene"
)

// grid is one of UTM zone 50 with square pixels.
func grid(x, y, metres float64, w, h int) scene.Grid {
	return scene.Grid{CRS: "EPSG:32650", Transform: [6]float64{x, metres, 0, y, 0, -metres}, Width: w, Height: h}
}

// rasterFile makes a GeoTIFF of one band.
func rasterFile[T uint8 | uint16 | float32](t testing.TB, g scene.Grid, v []T) string {
	t.Helper()
	scene.RegisterDrivers()
	path := filepath.Join(t.TempDir(), "band.tif")
	kind := map[any]godal.DataType{uint8(0): godal.Byte, uint16(0): godal.UInt16, float32(0): godal.Float32}[any(T(0))]
	ds, err := godal.Create(godal.GTiff, path, 1, kind, g.Width, g.Height, godal.CreationOption("TILED=YES", "BLOCKXSIZE=16", "BLOCKYSIZE=16"))
	if err != nil {
		t.Fatal(err)
	}
	sr, err := godal.NewSpatialRef(g.CRS)
	if err != nil {
		t.Fatal(err)
	}
	defer sr.Close()
	for _, err := range []error{ds.SetSpatialRef(sr), ds.SetGeoTransform(g.Transform), ds.Write(0, 0, v, g.Width, g.Height), ds.Close()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// handItem puts bands together as a scanner of folders would.
func handItem(bands ...scene.Band) (*scene.Catalogue, scene.Item) {
	it := scene.Item{ID: "s", Time: time.Date(2024, 7, 1, 0, 0, 0, 0, time.UTC), Bands: map[string]scene.Band{}, Grid: bands[0].Grid}
	for _, b := range bands {
		it.Bands[b.Key] = b
	}
	return scene.New([]scene.Item{it}), it
}

func TestBandsOfSeveralGridsLieOnOne(t *testing.T) {
	t.Parallel()
	fine := grid(500000, 4000000, 10, 12, 12)
	ramp := func(w, h int) []float32 {
		v := make([]float32, w*h)
		for i := range v {
			v[i] = float32(i%w) + 10*float32(i/w)
		}
		return v
	}
	nan := float32(math.NaN())
	holes := ramp(6, 6)
	holes[0], holes[8] = nan, nan
	for _, c := range []struct {
		name string
		grid scene.Grid
		v    []float32
		want func(x, y int) float64
	}{
		{"20 m under 10 m repeats", grid(500000, 4000000, 20, 6, 6), ramp(6, 6), func(x, y int) float64 {
			return float64(x/2) + 10*float64(y/2)
		}},
		{"60 m under 10 m repeats", grid(500000, 4000000, 60, 2, 2), ramp(2, 2), func(x, y int) float64 {
			return float64(x/6) + 10*float64(y/6)
		}},
		{"half a pixel off: the mean of the four below, the edge has no half", grid(500005, 3999995, 10, 12, 12), ramp(12, 12), func(x, y int) float64 {
			if x == 0 && y == 0 {
				return math.NaN() // a quarter of it is seen
			}
			u, v := max(0, float64(x)-0.5), max(0, float64(y)-0.5)
			return u + 10*v
		}},
		{"20 m and half a coarse pixel off", grid(499990, 4000010, 20, 7, 7), ramp(7, 7), func(x, y int) float64 {
			return float64((x+1)/2) + 10*float64((y+1)/2)
		}},
		{"holes stay holes", grid(500000, 4000000, 20, 6, 6), holes, func(x, y int) float64 {
			if x/2 == 0 && y/2 == 0 || x/2 == 2 && y/2 == 1 {
				return math.NaN()
			}
			return float64(x/2) + 10*float64(y/2)
		}},
		{"smaller than the scene", grid(500040, 3999960, 20, 2, 2), ramp(2, 2), func(x, y int) float64 {
			if x < 4 || x >= 8 || y < 4 || y >= 8 {
				return math.NaN()
			}
			return float64((x-4)/2) + 10*float64((y-4)/2)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cat, it := handItem(
				scene.Band{Key: "nir", File: rasterFile(t, fine, ramp(12, 12)), Index: 1, Kind: scene.Optical, Scale: 1, DataType: "float32", Grid: fine},
				scene.Band{Key: "swir16", File: rasterFile(t, c.grid, c.v), Index: 1, Kind: scene.Optical, Scale: 2, Offset: 1, DataType: "float32", Grid: c.grid},
			)
			r, err := cat.Reader(it, []string{"swir16", "nir"})
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			for _, w := range []scene.Window{{W: 12, H: 12}, {X: 3, Y: 5, W: 6, H: 4}, {X: 11, Y: 0, W: 1, H: 12}} {
				b, err := r.Read(context.Background(), w)
				if err != nil {
					t.Fatal(err)
				}
				for k, got := range b.Bands[0] {
					x, y := w.X+k%w.W, w.Y+k/w.W
					want := 2*c.want(x, y) + 1
					if !(math.Abs(got-want) < 1e-5) && !(math.IsNaN(got) && math.IsNaN(want)) {
						t.Errorf("window %v, pixel %d,%d: %v, want %v", w, x, y, got, want)
					}
					if nir := b.Bands[1][k]; nir != float64(x)+10*float64(y) {
						t.Errorf("the band of the grid itself at %d,%d: %v", x, y, nir)
					}
				}
			}
		})
	}
}

func TestRadarIsAveragedAsPower(t *testing.T) {
	t.Parallel()
	fine, off := grid(500000, 4000000, 10, 4, 2), grid(499995, 4000000, 10, 5, 2)
	db := []float32{-20, -10, -20, -10, -20, -20, -10, -20, -10, -20}
	cat, it := handItem(
		scene.Band{Key: "elevation", File: rasterFile(t, fine, make([]float32, 8)), Index: 1, Kind: scene.Other, Scale: 1, DataType: "float32", Grid: fine},
		scene.Band{Key: "vv", File: rasterFile(t, off, db), Index: 1, Kind: scene.Radar, Scale: 1, DataType: "float32", Grid: off},
	)
	r, err := cat.Reader(it, []string{"vv"})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := r.Read(context.Background(), scene.Window{W: 4, H: 2})
	if err != nil {
		t.Fatal(err)
	}
	want := 10 * math.Log10((0.1+0.01)/2)
	for i, v := range b.Bands[0] {
		if math.Abs(v-want) > 1e-6 {
			t.Errorf("pixel %d: %v dB, want %v", i, v, want)
		}
	}
}

// Clouds must grow by the distance on the ground, the same whether the scene is
// read at once or in pieces, and only over what is clear.
func TestCloudsGrow(t *testing.T) {
	t.Parallel()
	fine, coarse := grid(500000, 4000000, 10, 128, 96), grid(500000, 4000000, 20, 64, 48)
	rng := rand.New(rand.NewPCG(7, 7))
	scl := make([]uint8, 64*48)
	for i := range scl {
		switch p := rng.Float64(); {
		case p < 0.004:
			scl[i] = 9
		case p < 0.03:
			scl[i] = 11
		case p < 0.05:
			scl[i] = 0
		default:
			scl[i] = 4
		}
	}
	for _, metres := range []float64{0, 5, 20, 45, 130} {
		cat, it := handItem(
			scene.Band{Key: "red", File: rasterFile(t, fine, make([]uint16, 128*96)), Index: 1, Kind: scene.Optical, Scale: 1, DataType: "uint16", Grid: fine},
			scene.Band{Key: "scl", File: rasterFile(t, coarse, scl), Index: 1, Kind: scene.Mask, Scale: 1, DataType: "uint8", Grid: coarse, Classes: scene.SCL(), Dilate: metres},
		)
		want := make([]scene.Class, len(scl))
		for i := range scl {
			want[i] = it.Bands["scl"].ClassAt(float64(scl[i]))
			for j := range scl {
				dx, dy := 20*float64(i%64-j%64), 20*float64(i/64-j/64)
				// UTM stretches by four in ten thousand here; 20 m still mean one pixel of 20 m.
				if scl[j] == 9 && want[i] == scene.Clear && math.Hypot(dx, dy) <= metres*1.004 {
					want[i] = scene.Cloud
				}
			}
		}
		r, err := cat.Reader(it, []string{"red"})
		if err != nil {
			t.Fatal(err)
		}
		for _, side := range []int{128, 32, 19} {
			for y := 0; y < 96; y += side {
				for x := 0; x < 128; x += side {
					w := scene.Window{X: x, Y: y, W: min(side, 128-x), H: min(side, 96-y)}
					b, err := r.Read(context.Background(), w)
					if err != nil {
						t.Fatal(err)
					}
					for k, got := range b.Class {
						px, py := x+k%w.W, y+k/w.W
						if c := want[py/2*64+px/2]; got != c {
							t.Fatalf("%v m, pieces of %d, pixel %d,%d: %v, want %v", metres, side, px, py, got, c)
						}
					}
				}
			}
		}
		r.Close()
	}
}

func TestBandInAnotherSystemIsRefused(t *testing.T) {
	t.Parallel()
	here, there := grid(500000, 4000000, 10, 4, 4), grid(500000, 4000000, 10, 4, 4)
	there.CRS = "EPSG:32649"
	cat, it := handItem(
		scene.Band{Key: "red", File: rasterFile(t, here, make([]uint16, 16)), Index: 1, Scale: 1, DataType: "uint16", Grid: here},
		scene.Band{Key: "nir", File: rasterFile(t, there, make([]uint16, 16)), Index: 1, Scale: 1, DataType: "uint16", Grid: there},
	)
	if _, err := cat.Reader(it, []string{"red", "nir"}); !errors.Is(err, scene.ErrGrid) || !strings.Contains(err.Error(), "EPSG:32649") {
		t.Errorf("two zones in one scene: %v", err)
	}
}

func TestPlacesBeyondTheSystemAreNaN(t *testing.T) {
	t.Parallel()
	g := grid(500000, 4000000, 10, 4, 4)
	got, err := g.ToPixels(scene.WGS84, []orb.MultiPolygon{
		{{{{117, 36.1}, {117.1, 36.1}, {117.1, 36.2}, {117, 36.1}}}},
		{{{{-153, 95}, {-153.1, 95}, {-153, 96}, {-153, 95}}}},
		{},
	})
	if err != nil {
		t.Fatal(err)
	}
	if p := got[0][0][0][0]; math.IsNaN(p[0]) || math.Abs(p[0]) > 10 {
		t.Errorf("the middle of the zone: %v", p)
	}
	if p := got[1][0][0][0]; !math.IsNaN(p[0]) {
		t.Errorf("beyond the pole: %v", p)
	}
	if w, h, err := g.PixelMetres(); err != nil || math.Abs(w-10/0.9996) > 1e-3 || math.Abs(h-10/0.9996) > 1e-3 {
		t.Errorf("a pixel of the middle of the zone is %v x %v m, %v", w, h, err)
	}
}
