package index

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/furrowcredit/furrow/geo/scene"
	"github.com/furrowcredit/furrow/geo/scene/safe"
	"github.com/furrowcredit/furrow/geo/scene/sar"
)

// radarCollection is also the folder beside the catalogue into which radar is
// geocoded.
const radarCollection = "sentinel-1-grd"

// radarPixel is the pixel size of geocoded radar in metres, that of GRDH products.
const radarPixel = 10

// radar adds a Sentinel-1 product: each polarisation is calibrated and geocoded into
// a file beside the catalogue, unless that was done before.
func (ix *indexer) radar(ctx context.Context, p product, fsys fs.FS, prefix string) error {
	meta, err := safe.OpenRadar(fsys)
	if err != nil {
		ix.refuse(p.name, err)
		return nil
	}
	id := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(p.abs), ".zip"), ".SAFE")
	if ix.items[id] != nil {
		ix.refuse(p.name, safe.ErrProduct.With("why", "the folder holds the product "+id+" twice; remove one"))
		return nil
	}
	bands := map[string]scene.Band{}
	for _, im := range meta.Images {
		name := path.Join(p.name, im.Measurement)
		ix.files[name] = true
		b, err := ix.radarBand(ctx, id, im, fsys, prefix)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			ix.refuse(name, err)
			continue
		}
		bands[b.Key] = b
	}
	if len(bands) > 0 {
		ix.items[id] = &scene.Item{ID: id, Collection: radarCollection, Time: meta.Start, Orbit: meta.Orbit, Bands: bands}
		ix.used["sentinel-1"] = true
	}
	return nil
}

func (ix *indexer) radarBand(ctx context.Context, id string, im safe.RadarImage, fsys fs.FS, prefix string) (scene.Band, error) {
	c := sar.Config{Measurement: path.Join(prefix, im.Measurement), Pixel: radarPixel}
	hash := sha256.New()
	read := func(name string, parse func(body string) error) error {
		body, err := fs.ReadFile(fsys, name)
		if err != nil {
			return safe.ErrProduct.With("why", name+" is missing").Because(err)
		}
		hash.Write(body)
		if err := parse(string(body)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	}
	err := read(im.Calibration, func(body string) (err error) {
		c.Sigma, err = safe.ParseCalibration(strings.NewReader(body))
		return err
	})
	if err == nil && im.Noise != "" {
		err = read(im.Noise, func(body string) error {
			noise, err := safe.ParseNoise(strings.NewReader(body))
			c.Noise = &noise
			return err
		})
	}
	if err != nil {
		return scene.Band{}, err
	}
	info, err := fs.Stat(fsys, im.Measurement)
	if err != nil {
		return scene.Band{}, scene.ErrUnreadable.At("%s", im.Measurement).Because(err)
	}
	// The name tells from what the file was made, so that a changed product is made anew.
	_, _ = fmt.Fprintf(hash, "%s %d", im.Measurement, info.Size())
	dir, err := filepath.Abs(filepath.Join(ix.cfg.Out, radarCollection))
	if err != nil {
		return scene.Band{}, ErrOut.At("%s", ix.cfg.Out).Because(err)
	}
	c.Out = filepath.Join(dir, fmt.Sprintf("%s_%s_%s.tif", id, im.Polarisation, hex.EncodeToString(hash.Sum(nil)[:4])))
	if _, err := os.Stat(c.Out); err != nil {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return scene.Band{}, ErrOut.At("%s", ix.cfg.Out).Because(err)
		}
		if err := sar.Geocode(ctx, c); err != nil {
			return scene.Band{}, err
		}
	}
	layers, err := layersIn(c.Out)
	if err != nil {
		return scene.Band{}, err
	}
	return scene.Band{
		Key: im.Polarisation, Name: strings.ToUpper(im.Polarisation), File: c.Out, Index: 1, Kind: scene.Radar, Scale: 1,
		NoData: layers[0].NoData, DataType: layers[0].DataType, Grid: layers[0].grid,
	}, nil
}
