// Package season makes a growing season of one satellite tile as large as real ones
// are: dates with four bands of 10 m and a scene classification of 20 m, stored as
// Sentinel-2 comes (uint16, deflate with predictor, blocks of 1024), and the parcels
// on it. It is for measuring speed and memory; what grows on the fields is plain.
package season

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/airbusgeo/godal"
	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/geo/scene"
)

// Config says how large the tile is.
type Config struct {
	Dir   string
	Side  int // pixels of 10 m, even; a Sentinel-2 tile has 10980
	Files int // dates that are stored; a season repeats them
	Dates int // dates of the season
}

const (
	pixel  = 10.0 // m
	fieldW = 40   // pixels from field to field
	fieldH = 25
	every  = 6 // one field in so many is a parcel
)

// bands are the four of 10 m, with what they see of bare soil and of full green,
// stored numbers.
var bands = []struct {
	key         string
	soil, green float64
}{{"blue", 850, 250}, {"green", 1180, 540}, {"red", 1500, 290}, {"nir", 2350, 4700}}

func (c Config) grid(metres float64) scene.Grid {
	n := int(float64(c.Side) * pixel / metres)
	return scene.Grid{CRS: "EPSG:32650", Transform: [6]float64{399960, metres, 0, 4000020, 0, -metres}, Width: n, Height: n}
}

func (c Config) file(date int, band string) string {
	return filepath.Join(c.Dir, fmt.Sprintf("%d_%d_%s.tif", c.Side, date, band))
}

// Items are the dates of the season, five days apart. Dates that share their files
// are still opened and decoded each for itself.
func (c Config) Items() []scene.Item {
	fine, coarse := c.grid(pixel), c.grid(2*pixel)
	blank := 0.0
	out := make([]scene.Item, c.Dates)
	for d := range out {
		at := time.Date(2024, 4, 1, 3, 0, 0, 0, time.UTC).AddDate(0, 0, 5*d)
		it := scene.Item{ID: "T50SMA_" + at.Format("20060102"), Time: at, Grid: fine, Bands: map[string]scene.Band{}}
		for _, b := range bands {
			it.Bands[b.key] = scene.Band{
				Key: b.key, File: c.file(d%c.Files, b.key), Index: 1, Kind: scene.Optical,
				Scale: 1e-4, NoData: &blank, DataType: "uint16", Grid: fine,
			}
		}
		it.Bands["scl"] = scene.Band{
			Key: "scl", File: c.file(d%c.Files, "scl"), Index: 1, Kind: scene.Mask,
			Scale: 1, DataType: "uint8", Grid: coarse, Classes: scene.SCL(),
		}
		out[d] = it
	}
	return out
}

// Parcels are fields of the tile in WGS84, four-cornered and a little askew.
func (c Config) Parcels() ([]orb.Polygon, error) {
	rng := rand.New(rand.NewPCG(11, 11))
	g := c.grid(pixel)
	var out []orb.Polygon
	for y := 0; y+fieldH <= c.Side; y += fieldH {
		for x := 0; x+fieldW <= c.Side; x += fieldW {
			if (x/fieldW+7*(y/fieldH))%every != 0 {
				continue
			}
			var ring orb.Ring
			for _, p := range [][2]float64{{2, 2}, {2, fieldH - 2}, {fieldW - 2, fieldH - 2}, {fieldW - 2, 2}} {
				ring = append(ring, g.World(float64(x)+p[0]+2*rng.Float64()-1, float64(y)+p[1]+2*rng.Float64()-1))
			}
			p, err := scene.ToWGS84(g.CRS, orb.Polygon{append(ring, ring[0])})
			if err != nil {
				return nil, err
			}
			out = append(out, p)
		}
	}
	return out, nil
}

// Write makes the files that are missing. The same Config makes the same bytes.
func (c Config) Write(ctx context.Context) error {
	if err := os.MkdirAll(c.Dir, 0o750); err != nil {
		return err
	}
	scene.RegisterDrivers()
	for d := range c.Files {
		for k, b := range bands {
			if err := c.make(ctx, c.file(d, b.key), godal.UInt16, c.grid(pixel), func(y int, line []uint16) {
				c.reflectance(d, k, y, line)
			}); err != nil {
				return err
			}
		}
		if err := c.make(ctx, c.file(d, "scl"), godal.Byte, c.grid(2*pixel), func(y int, line []uint16) {
			c.classes(d, y, line)
		}); err != nil {
			return err
		}
	}
	return nil
}

// make writes a raster line by line, and gives it its name when it is whole.
func (c Config) make(ctx context.Context, path string, kind godal.DataType, g scene.Grid, line func(y int, out []uint16)) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	options := []string{"TILED=YES", "BLOCKXSIZE=1024", "BLOCKYSIZE=1024", "COMPRESS=DEFLATE", "ZLEVEL=6", "BIGTIFF=IF_SAFER"}
	if kind == godal.UInt16 {
		options = append(options, "PREDICTOR=2")
	}
	draft := path + ".part"
	ds, err := godal.Create(godal.GTiff, draft, 1, kind, g.Width, g.Height, godal.CreationOption(options...))
	if err != nil {
		return err
	}
	sr, err := godal.NewSpatialRef(g.CRS)
	if err != nil {
		return errors.Join(err, ds.Close())
	}
	defer sr.Close()
	if err := errors.Join(ds.SetSpatialRef(sr), ds.SetGeoTransform(g.Transform)); err != nil {
		return errors.Join(err, ds.Close())
	}
	const rows = 1024
	buf := make([]uint16, g.Width*rows)
	for y := 0; y < g.Height; y += rows {
		h := min(rows, g.Height-y)
		for j := range h {
			line(y+j, buf[j*g.Width:(j+1)*g.Width])
		}
		if err := errors.Join(ctx.Err(), ds.Write(0, y, buf[:h*g.Width], g.Width, h)); err != nil {
			return errors.Join(err, ds.Close())
		}
	}
	if err := ds.Close(); err != nil {
		return err
	}
	return os.Rename(draft, path)
}

// reflectance fills a line: a field is as green as its sowing says, with the noise
// of the sensor and of the soil.
func (c Config) reflectance(date, band, y int, line []uint16) {
	b := bands[band]
	rng := rand.New(rand.NewPCG(uint64(date*8+band), uint64(y)))
	var noise uint64
	for x := range line {
		if x%8 == 0 {
			noise = rng.Uint64()
		}
		field := uint64(x/fieldW)*2654435761 ^ uint64(y/fieldH)*40503
		cover := float64((field>>3+uint64(date)*29)%100) / 100
		line[x] = uint16(b.soil + (b.green-b.soil)*cover + float64(noise&0x3f))
		noise >>= 8
	}
}

// classes fills a line of the scene classification: round clouds over a fifth of
// the tile, vegetation below.
func (c Config) classes(date, y int, line []uint16) {
	const cell = 500 // pixels of 20 m from cloud to cloud
	rng := rand.New(rand.NewPCG(uint64(date), uint64(y/cell)))
	for x0 := 0; x0 < len(line); x0 += cell {
		cx, cy, r := 120+260*rng.Float64(), 120+260*rng.Float64(), 180*rng.Float64()+40
		for x := x0; x < min(x0+cell, len(line)); x++ {
			line[x] = 4
			if math.Hypot(float64(x-x0)-cx, float64(y%cell)-cy) < r {
				line[x] = 9
			}
		}
	}
}
