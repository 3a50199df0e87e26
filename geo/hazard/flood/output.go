package flood

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/airbusgeo/godal"

	"github.com/furrowcredit/furrow/geo/scene"
)

// output writes a mask beside its place and moves it there when it is whole.
type output struct {
	path, part string
	ds         *godal.Dataset
}

// create begins the mask; with no path, writing does nothing.
func create(cfg Config, g scene.Grid) (*output, error) {
	o := &output{path: cfg.Out}
	if cfg.Out == "" {
		return o, nil
	}
	for _, in := range []string{cfg.S1, cfg.S2, cfg.S1Before, cfg.Permanent, cfg.Clouds, cfg.Truth} {
		if in != "" && sameFile(in, cfg.Out) {
			return nil, ErrOutput.At("%s", cfg.Out).With("why", "it is one of the images read")
		}
	}
	dir, name := filepath.Split(cfg.Out)
	f, err := os.CreateTemp(filepath.Join(".", dir), "."+name+".*.part")
	if filepath.IsAbs(dir) {
		f, err = os.CreateTemp(dir, "."+name+".*.part")
	}
	if err != nil {
		return nil, ErrOutput.At("%s", cfg.Out).With("why", "its folder cannot be written to").Because(err)
	}
	o.part = f.Name()
	if err := errors.Join(f.Close(), o.begin(g)); err != nil {
		o.discard()
		return nil, ErrOutput.At("%s", cfg.Out).With("why", "GDAL refused").Because(err)
	}
	return o, nil
}

func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	y, err2 := os.Stat(b)
	return err == nil && err2 == nil && os.SameFile(x, y)
}

func (o *output) begin(g scene.Grid) (err error) {
	if o.ds, err = godal.Create(godal.GTiff, o.part, 1, godal.Byte, g.Width, g.Height,
		godal.CreationOption("COMPRESS=DEFLATE", "TILED=YES"), godal.ErrLogger(scene.Failures)); err != nil {
		return err
	}
	ref, err := godal.NewSpatialRef(g.CRS)
	if err != nil {
		return err
	}
	defer ref.Close()
	return errors.Join(o.ds.SetSpatialRef(ref), o.ds.SetGeoTransform(g.Transform), o.ds.Bands()[0].SetNoData(NoData))
}

func (o *output) write(w scene.Window, mask []byte) error {
	if o.ds == nil {
		return nil
	}
	if err := o.ds.Bands()[0].Write(w.X, w.Y, mask, w.W, w.H); err != nil {
		return ErrOutput.At("%s", o.path).With("why", "writing stopped half-way").Because(err)
	}
	return nil
}

// finish closes the mask and puts it in its place.
func (o *output) finish() error {
	if o.ds == nil {
		return nil
	}
	err := o.ds.Close()
	o.ds = nil
	if err == nil {
		err = os.Chmod(o.part, 0o644) // as any file; a temporary one is private
	}
	if err == nil {
		err = os.Rename(o.part, o.path)
	}
	if err != nil {
		return ErrOutput.At("%s", o.path).With("why", "it could not be completed").Because(err)
	}
	return nil
}

// discard removes what is not finished.
func (o *output) discard() {
	if o.ds != nil {
		_ = o.ds.Close()
		o.ds = nil
	}
	if o.part != "" {
		_ = os.Remove(o.part)
	}
}
