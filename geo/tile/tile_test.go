package tile_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/png"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/airbusgeo/godal"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/maptile"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/geo/scene"
	"github.com/furrowcredit/furrow/geo/scene/index"
	"github.com/furrowcredit/furrow/geo/tile"
	"github.com/furrowcredit/furrow/internal/realdata"
)

func open(t *testing.T, name string) *scene.Catalogue {
	t.Helper()
	out := t.TempDir()
	if _, err := index.Run(context.Background(), index.Config{Dir: realdata.Dir(t, "geo", name), Out: out}); err != nil {
		t.Fatal(err)
	}
	cat, err := scene.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	return cat
}

func draw(t *testing.T, r *tile.Renderer, layer tile.Layer, item string, at orb.Point, zoom int) image.Image {
	t.Helper()
	m := maptile.At(at, maptile.Zoom(zoom))
	body, err := r.Draw(context.Background(), tile.Request{Layer: layer, Item: item, Z: zoom, X: int(m.X), Y: int(m.Y)})
	if err != nil {
		t.Fatal(err)
	}
	return decode(t, body)
}

func decode(t *testing.T, body []byte) image.Image {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if img.Bounds() != image.Rect(0, 0, 256, 256) {
		t.Fatalf("the tile is %v", img.Bounds())
	}
	return img
}

// opaque is the share of pixels that show something.
func opaque(img image.Image) float64 {
	n := 0
	for y := range 256 {
		for x := range 256 {
			if _, _, _, a := img.At(x, y).RGBA(); a > 0 {
				n++
			}
		}
	}
	return float64(n) / 256 / 256
}

func TestTiles(t *testing.T) {
	t.Parallel()
	cat := open(t, "eolearn")
	r := tile.New(tile.Config{Scenes: cat, Now: time.Now})
	middle := cat.Items()[0].Footprint.Bound().Center()
	for _, c := range []struct {
		name      string
		layer     tile.Layer
		item      string
		at        orb.Point
		zoom      int
		low, high float64 // of the tile that is painted
	}{
		{"true colour", tile.TrueColor, "eolearn_20150711T100008", middle, 17, 1, 1},
		{"ndvi of bands", tile.NDVI, "eolearn_20150711T100008", middle, 17, 1, 1},
		{"ndvi ready-made", tile.NDVI, "eolearn_20160804T100613", middle, 17, 1, 1},
		{"all cloud is marked, not blank", tile.NDVI, "eolearn_20150731T100009", middle, 17, 1, 1},
		{"from afar", tile.NDVI, "eolearn_20150711T100008", middle, 13, 0.05, 0.2},
		{"elsewhere", tile.TrueColor, "eolearn_20150711T100008", orb.Point{114, 34}, 12, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := opaque(draw(t, r, c.layer, c.item, c.at, c.zoom)); got < c.low || got > c.high {
				t.Errorf("%.3f of the tile is painted, want %v to %v", got, c.low, c.high)
			}
		})
	}
	t.Run("vegetation is green in true colour and teal in NDVI", func(t *testing.T) {
		t.Parallel()
		red, green, _, _ := draw(t, r, tile.TrueColor, "eolearn_20150711T100008", middle, 17).At(128, 128).RGBA()
		if green <= red {
			t.Errorf("red %d, green %d in July", red, green)
		}
		red, green, _, _ = draw(t, r, tile.NDVI, "eolearn_20150711T100008", middle, 17).At(128, 128).RGBA()
		if green <= red {
			t.Errorf("red %d, green %d on the NDVI ramp in July", red, green)
		}
	})
	t.Run("drawn at the same time", func(t *testing.T) {
		t.Parallel()
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				m := maptile.At(middle, maptile.Zoom(14+i%4))
				if _, err := r.Draw(context.Background(), tile.Request{Layer: tile.NDVI, Item: cat.Items()[i].ID, Z: int(m.Z), X: int(m.X), Y: int(m.Y)}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	})
	t.Run("refusals", func(t *testing.T) {
		t.Parallel()
		for _, c := range []struct {
			layer   tile.Layer
			item    string
			z, x, y int
			want    error
		}{
			{tile.Crop, "eolearn_20150711T100008", 3, 0, 0, tile.ErrLayer}, // no plots are known
			{"infrared", "eolearn_20150711T100008", 3, 0, 0, tile.ErrLayer},
			{tile.NDVI, "none", 3, 0, 0, scene.ErrNoItem},
			{tile.NDVI, "eolearn_20150711T100008", 3, 8, 0, tile.ErrTile},
			{tile.NDVI, "eolearn_20150711T100008", 40, 0, 0, tile.ErrTile},
			{tile.NDVI, "eolearn_20150711T100008", -1, 0, 0, fault.Invalid},
			{tile.TrueColor, "eolearn_20160804T100613", 3, 0, 0, scene.ErrNoBand},
		} {
			if _, err := r.Draw(context.Background(), tile.Request{Layer: c.layer, Item: c.item, Z: c.z, X: c.x, Y: c.y}); !errors.Is(err, c.want) {
				t.Errorf("%+v: %v", c, err)
			}
		}
	})
}

func TestEmptyMonthIsTransparent(t *testing.T) {
	t.Parallel()
	cat := open(t, "worldcereal_cube")
	middle := cat.Items()[0].Footprint.Bound().Center()
	r := tile.New(tile.Config{Scenes: cat, Now: time.Now})
	if got := opaque(draw(t, r, tile.TrueColor, "worldcereal_20201201", middle, 16)); got != 0 {
		t.Errorf("%.3f of a month without data is painted", got)
	}
	if got := opaque(draw(t, r, tile.TrueColor, "worldcereal_20210601", middle, 17)); got != 1 {
		t.Errorf("%.3f of a clear month is painted", got)
	}
}

// Tiles of one file that are drawn at the same time must not disturb each other: two
// threads in one GDAL dataset read garbage now and then.
func TestTilesAtOnce(t *testing.T) {
	t.Parallel()
	cat := noise(t)
	const zoom = 15
	it := cat.Items()[0]
	m := maptile.At(it.Footprint.Bound().Center(), zoom)
	for range 15 {
		r := tile.New(tile.Config{Scenes: cat, Now: time.Now}) // nothing is remembered
		var all sync.WaitGroup
		for i := range 16 {
			all.Go(func() {
				layer := []tile.Layer{tile.TrueColor, tile.NDVI}[i%2]
				if _, err := r.Draw(context.Background(), tile.Request{Layer: layer, Item: it.ID, Z: zoom, X: int(m.X) - 2 + i%4, Y: int(m.Y) - 2 + i/4}); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
}

// noise is a catalogue of one scene of four compressed bands, 1024 pixels a side.
func noise(t *testing.T) *scene.Catalogue {
	t.Helper()
	scene.RegisterDrivers()
	dir, side := t.TempDir(), 1024
	ds, err := godal.Create(godal.GTiff, filepath.Join(dir, "T_20260411.tif"), 4, godal.UInt16, side, side,
		godal.CreationOption("TILED=YES", "COMPRESS=DEFLATE"))
	if err != nil {
		t.Fatal(err)
	}
	utm, err := godal.NewSpatialRefFromEPSG(32650)
	if err != nil {
		t.Fatal(err)
	}
	defer utm.Close()
	if err := errors.Join(ds.SetSpatialRef(utm), ds.SetGeoTransform([6]float64{255000, 10, 0, 3880000, 0, -10})); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for i, name := range []string{"B02", "B03", "B04", "B08"} {
		pixels := make([]uint16, side*side)
		for k := range pixels {
			pixels[k] = uint16(1000 + rng.IntN(4000))
		}
		b := ds.Bands()[i]
		if err := errors.Join(b.SetDescription(name), b.SetScaleOffset(1e-4, 0), b.Write(0, 0, pixels, side, side)); err != nil {
			t.Fatal(err)
		}
	}
	if err := ds.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := index.Run(context.Background(), index.Config{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	cat, err := scene.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return cat
}

func BenchmarkDraw(b *testing.B) {
	out := b.TempDir()
	if _, err := index.Run(context.Background(), index.Config{Dir: realdata.Dir(b, "geo", "worldcereal_cube"), Out: out}); err != nil {
		b.Fatal(err)
	}
	cat, err := scene.Open(out)
	if err != nil {
		b.Fatal(err)
	}
	m := maptile.At(cat.Items()[0].Footprint.Bound().Center(), 16)
	for b.Loop() {
		if _, err := tile.New(tile.Config{Scenes: cat, Now: time.Now}).Draw(context.Background(), tile.Request{Layer: tile.TrueColor, Item: "worldcereal_20210601", Z: 16, X: int(m.X), Y: int(m.Y)}); err != nil {
			b.Fatal(err)
		}
	}
}
