// Package sar turns Sentinel-1 ground range images into backscatter on a map:
// calibrated sigma nought in decibels on a UTM grid.
//
// The geometry is that of the product's own tie points: good on plains and gentle
// slopes, up to some hundred metres off in mountains, since no terrain model is
// used. docs/formats/scene-folder.md says so to the user.
package sar

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strconv"

	"github.com/airbusgeo/godal"

	"github.com/furrowcredit/furrow/geo/scene"
	"github.com/furrowcredit/furrow/geo/scene/safe"
)

// Config is one polarisation to geocode.
type Config struct {
	Measurement string    // path of the image, as GDAL opens it
	Sigma       safe.LUT  // calibration
	Noise       *safe.LUT // nil: nothing is subtracted
	Out         string    // GeoTIFF to write: float32, dB, NaN where nothing was seen
	Pixel       float64   // metres
}

// rowsAtOnce bounds memory: a strip of a 26,000-pixel wide image takes some 50 MB.
const rowsAtOnce = 128

// warpMemoryMB bounds the warper's own buffers.
const warpMemoryMB = 128

// Geocode calibrates an image and lays it on the UTM grid of its middle. It works
// strip by strip and writes Out as a whole or not at all. Averages of neighbouring
// pixels are taken of power, not of decibels.
func Geocode(ctx context.Context, c Config) error {
	dir, err := os.MkdirTemp(filepath.Dir(c.Out), ".furrow-radar-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // gone or of no use any more
	src, err := scene.OpenDataset(c.Measurement, godal.RasterOnly())
	if err != nil {
		return scene.ErrUnreadable.At("%s", c.Measurement).Because(err)
	}
	defer func() { _ = src.Close() }()
	gcps := src.GCPs()
	if len(gcps) < 4 {
		return scene.ErrGrid.At("%s", c.Measurement).With("why", "it has no tie points")
	}
	power := filepath.Join(dir, "power.tif")
	if err := calibrate(ctx, c, src, gcps, power); err != nil {
		return err
	}
	mapped := filepath.Join(dir, "mapped.tif")
	if err := warp(power, mapped, utm(gcps), c.Pixel); err != nil {
		return scene.ErrUnreadable.At("%s", c.Measurement).Because(err)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	final := filepath.Join(dir, "db.tif")
	if err := decibels(ctx, mapped, final); err != nil {
		return err
	}
	return os.Rename(final, c.Out)
}

// utm is the zone of the middle of the tie points.
func utm(gcps []godal.GCP) string {
	var x, y float64
	for _, g := range gcps {
		x, y = x+g.DfGCPX, y+g.DfGCPY
	}
	x, y = x/float64(len(gcps)), y/float64(len(gcps))
	zone := min(max(int(math.Floor((x+180)/6))+1, 1), 60)
	if y < 0 {
		return "EPSG:" + strconv.Itoa(32700+zone)
	}
	return "EPSG:" + strconv.Itoa(32600+zone)
}

var tiled = godal.CreationOption("TILED=YES", "BIGTIFF=IF_SAFER", "COMPRESS=LZW")

// calibrate writes sigma nought as power in the radar's own geometry:
// (number² - noise) / value². Numbers of 0 lie beyond the swath.
func calibrate(ctx context.Context, c Config, src *godal.Dataset, gcps []godal.GCP, out string) error {
	st := src.Structure()
	dst, err := godal.Create(godal.GTiff, out, 1, godal.Float32, st.SizeX, st.SizeY, tiled)
	if err != nil {
		return err
	}
	closed := false
	defer func() {
		if !closed {
			_ = dst.Close()
		}
	}()
	band := dst.Bands()[0]
	if err := band.SetNoData(math.NaN()); err != nil {
		return err
	}
	if err := setGCPs(dst, gcps); err != nil {
		return err
	}
	in := src.Bands()[0]
	sigma, noise := make([]float64, st.SizeX), make([]float64, st.SizeX)
	numbers := make([]float32, st.SizeX*rowsAtOnce)
	for y := 0; y < st.SizeY; y += rowsAtOnce {
		if err := ctx.Err(); err != nil {
			return err
		}
		h := min(rowsAtOnce, st.SizeY-y)
		strip := numbers[:h*st.SizeX]
		if err := in.Read(0, y, strip, st.SizeX, h, godal.ErrLogger(scene.Failures)); err != nil {
			return scene.ErrUnreadable.At("%s", c.Measurement).Because(err)
		}
		for j := range h {
			c.Sigma.At(float64(y+j), sigma)
			if c.Noise != nil {
				c.Noise.At(float64(y+j), noise)
			}
			row := strip[j*st.SizeX : (j+1)*st.SizeX]
			for x, v := range row {
				if v == 0 {
					row[x] = float32(math.NaN())
					continue
				}
				// Below the noise nothing was measured but that it is dark: the floor keeps it
				// water rather than a hole.
				p := float64(v) * float64(v)
				row[x] = float32(max(p-noise[x], p*darkest) / (sigma[x] * sigma[x]))
			}
		}
		if err := band.Write(0, y, strip, st.SizeX, h); err != nil {
			return err
		}
	}
	closed = true
	return dst.Close()
}

// darkest is the share of the measured power that is left where the noise is as
// strong: 15 dB down.
const darkest = 0.03

// setGCPs gives the dataset the tie points, which are longitudes and latitudes.
func setGCPs(ds *godal.Dataset, gcps []godal.GCP) error {
	sr, err := godal.NewSpatialRef(scene.WGS84)
	if err != nil {
		return err
	}
	defer sr.Close()
	return ds.SetGCPs(gcps, godal.GCPSpatialRef(sr))
}

// warp lays the image on the grid: origin at whole pixels, bilinear, thin plate
// splines through the tie points.
func warp(from, to, crs string, pixel float64) error {
	ds, err := scene.OpenDataset(from, godal.RasterOnly())
	if err != nil {
		return err
	}
	defer func() { _ = ds.Close() }()
	px := strconv.FormatFloat(pixel, 'f', -1, 64)
	out, err := ds.Warp(to, []string{
		"-t_srs", crs, "-tr", px, px, "-tap", "-tps", "-et", "0.125", "-r", "bilinear",
		"-dstnodata", "nan", "-wm", strconv.Itoa(warpMemoryMB), "-multi", "-wo", "NUM_THREADS=" + strconv.Itoa(runtime.GOMAXPROCS(0)),
	}, godal.GTiff, tiled, godal.ErrLogger(scene.Failures))
	if err != nil {
		return err
	}
	return out.Close()
}

// decibels copies a raster of power, tile row by tile row, as 10·log10.
func decibels(ctx context.Context, from, to string) error {
	src, err := scene.OpenDataset(from, godal.RasterOnly())
	if err != nil {
		return err
	}
	defer func() { _ = src.Close() }()
	st := src.Structure()
	dst, err := godal.Create(godal.GTiff, to, 1, godal.Float32, st.SizeX, st.SizeY,
		godal.CreationOption("TILED=YES", "BIGTIFF=IF_SAFER", "COMPRESS=DEFLATE", "PREDICTOR=3"))
	if err != nil {
		return err
	}
	closed := false
	defer func() {
		if !closed {
			_ = dst.Close()
		}
	}()
	gt, err := src.GeoTransform()
	if err != nil {
		return err
	}
	if err := dst.SetGeoTransform(gt); err != nil {
		return err
	}
	sr := src.SpatialRef()
	defer sr.Close()
	if err := dst.SetSpatialRef(sr); err != nil {
		return err
	}
	if err := dst.Bands()[0].SetNoData(math.NaN()); err != nil {
		return err
	}
	const rows = 256 // of the tiles
	buf := make([]float32, st.SizeX*rows)
	seen := false
	for y := 0; y < st.SizeY; y += rows {
		if err := ctx.Err(); err != nil {
			return err
		}
		h := min(rows, st.SizeY-y)
		strip := buf[:h*st.SizeX]
		if err := src.Bands()[0].Read(0, y, strip, st.SizeX, h, godal.ErrLogger(scene.Failures)); err != nil {
			return err
		}
		for i, v := range strip {
			db := 10 * math.Log10(float64(v))
			if math.IsInf(db, 0) {
				db = math.NaN()
			}
			strip[i] = float32(db)
			seen = seen || !math.IsNaN(db)
		}
		if err := dst.Bands()[0].Write(0, y, strip, st.SizeX, h); err != nil {
			return err
		}
	}
	closed = true
	if err := dst.Close(); err != nil {
		return err
	}
	if !seen {
		return scene.ErrGrid.With("why", fmt.Sprintf("no pixel of %d × %d came to lie on the map", st.SizeX, st.SizeY))
	}
	return nil
}
