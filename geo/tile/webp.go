package tile

import (
	"errors"
	"fmt"
	"image"
	"io"
	"sync/atomic"

	"github.com/airbusgeo/godal"

	"github.com/furrowcredit/furrow/geo/scene"
)

var webpCount atomic.Uint64

// webp encodes a picture by GDAL's driver, without loss: legends must hold.
func webp(img *image.NRGBA) (body []byte, err error) {
	scene.RegisterDrivers()
	ds, err := godal.Create(godal.Memory, "", 4, godal.Byte, size, size)
	if err != nil {
		return nil, err
	}
	defer func() { _ = ds.Close() }()
	if err := ds.Write(0, 0, img.Pix, size, size); err != nil {
		return nil, err
	}
	if err := ds.Bands()[3].SetColorInterp(godal.CIAlpha); err != nil {
		return nil, err
	}
	name := fmt.Sprintf("/vsimem/tile-%d.webp", webpCount.Add(1))
	out, err := ds.Translate(name, []string{"-of", "WEBP", "-co", "LOSSLESS=YES"}, godal.ErrLogger(scene.Failures))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, godal.VSIUnlink(name)) }()
	if err := out.Close(); err != nil {
		return nil, err
	}
	f, err := godal.VSIOpen(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(f)
}
