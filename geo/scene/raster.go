package scene

import (
	"cmp"
	"errors"
	"os"
	"strings"
	"sync"

	"github.com/airbusgeo/godal"

	"github.com/furrowcredit/furrow/geo/scene/tiff"
)

// RegisterDrivers loads GDAL's drivers, once. GDAL keeps them for the whole process
// and asks that they be loaded before the first use, from one goroutine.
//
// GDAL would also keep decoded blocks up to a twentieth of the machine's memory.
// Windows are read so that a block serves its neighbours soon or never, so a fixed
// cache is enough; whoever sets GDAL_CACHEMAX has the last word.
var RegisterDrivers = sync.OnceFunc(func() {
	if _, set := os.LookupEnv("GDAL_CACHEMAX"); !set {
		_ = os.Setenv("GDAL_CACHEMAX", "256MB") // fails for malformed names only
	}
	godal.RegisterAll()
})

// Failures is an error handler for GDAL calls that lets warnings pass: many good
// files carry one about some tag.
func Failures(ec godal.ErrorCategory, _ int, msg string) error {
	if ec < godal.CE_Failure {
		return nil
	}
	return errors.New(msg)
}

// OpenDataset opens a file with GDAL. Where GDAL complains and opens it all the
// same, the file is closed again and the complaint is the error.
func OpenDataset(path string, options ...godal.OpenOption) (*godal.Dataset, error) {
	RegisterDrivers()
	var complaint error
	note := func(ec godal.ErrorCategory, code int, msg string) error {
		if err := Failures(ec, code, msg); err != nil && complaint == nil {
			complaint = err
		}
		return nil // an error here would lose the dataset, and its file would stay open
	}
	ds, err := godal.Open(path, append(options, godal.ErrLogger(note))...)
	if err == nil && complaint != nil {
		_ = ds.Close()
	}
	return ds, cmp.Or(complaint, err)
}

// Raster is an opened raster file. It is not safe for concurrent use: every
// goroutine opens its own.
type Raster struct {
	Path  string
	Grid  Grid
	Bands []RasterBand
	ds    *godal.Dataset
	bands []godal.Band
	plain *tiff.File // reads the pixels of plain files, faster than GDAL
	tried bool       // to open plain
}

// RasterBand is what a file says of one of its bands.
type RasterBand struct {
	Description string
	DataType    string // STAC word
	NoData      *float64
	Scale       float64 // 1 when the file states none
	Offset      float64
	HasScale    bool // the file states scale or offset
}

// OpenRaster opens a raster file and reads what it says of itself. Anything GDAL
// cannot read or warns of is [ErrUnreadable] with the file's name.
func OpenRaster(path string) (*Raster, error) {
	ds, err := OpenDataset(path, godal.RasterOnly())
	if err != nil {
		return nil, ErrUnreadable.At("%s", path).Because(err)
	}
	r := &Raster{Path: path, ds: ds, bands: ds.Bands()}
	st := ds.Structure()
	r.Grid.Width, r.Grid.Height = st.SizeX, st.SizeY
	if r.Grid.Transform, err = ds.GeoTransform(); err != nil {
		r.Close()
		return nil, ErrGrid.At("%s", path).With("why", "no geotransform").Because(err)
	}
	r.Grid.CRS = crsName(ds)
	if err := r.Grid.check(); err != nil {
		r.Close()
		return nil, ErrGrid.At("%s", path).With("why", "it states no coordinate system or has no pixels").Because(err)
	}
	for _, b := range r.bands {
		s := b.Structure()
		rb := RasterBand{
			Description: b.Description(), DataType: dataType(s.DataType),
			Scale: s.Scale, Offset: s.Offset, HasScale: s.Scale != 1 || s.Offset != 0,
		}
		if nd, ok := b.NoData(); ok {
			if rb.DataType == "float32" { // stated with more digits than the pixels hold
				nd = float64(float32(nd))
			}
			rb.NoData = &nd
		}
		r.Bands = append(r.Bands, rb)
	}
	return r, nil
}

// Close frees the file.
func (r *Raster) Close() {
	if r.ds != nil {
		_ = r.ds.Close() // opened for reading: nothing can be lost
		r.ds = nil
	}
	if r.plain != nil {
		r.plain.Close()
		r.plain = nil
	}
}

// Read fills buf with the stored numbers of band (from 1) in the window, row by
// row. buf must hold W·H numbers.
func (r *Raster) Read(band int, w Window, buf any) error {
	if band < 1 || band > len(r.bands) {
		return ErrNoBand.At("%s", r.Path).With("band", band)
	}
	if r.quick(band, w, buf) {
		return nil
	}
	if err := r.bands[band-1].Read(w.X, w.Y, buf, w.W, w.H, godal.ErrLogger(Failures)); err != nil {
		return ErrUnreadable.At("%s", r.Path).Because(err)
	}
	return nil
}

// quick reads a window without GDAL where the file is plain and sound, and says
// whether it did.
func (r *Raster) quick(band int, w Window, buf any) bool {
	if !r.tried {
		r.tried = true
		r.plain = r.openPlain()
	}
	b := r.Bands[band-1]
	return r.plain != nil && r.plain.Type == b.DataType && r.plain.Read(band, w.X, w.Y, w.W, w.H, b.NoData, buf) == nil
}

// openPlain opens the file without GDAL. What both of them see must agree.
func (r *Raster) openPlain() *tiff.File {
	if r.ds == nil || r.ds.Driver().ShortName() != string(godal.GTiff) {
		return nil
	}
	f, err := tiff.Open(r.Path)
	if err != nil {
		return nil
	}
	if f.Width != r.Grid.Width || f.Height != r.Grid.Height || f.Bands != len(r.Bands) {
		f.Close()
		return nil
	}
	return f
}

// Load reads a window of band (from 1) in the type in which the file stores it.
func (r *Raster) Load(band int, w Window, p *Pixels) error {
	if band < 1 || band > len(r.bands) {
		return ErrNoBand.At("%s", r.Path).With("band", band)
	}
	if kind := r.Bands[band-1].DataType; p.cells == nil || p.kind != kind {
		p.cells, p.kind = newCells(kind), kind
	}
	p.Window, p.cells = w, p.cells.resize(w.W*w.H)
	return r.Read(band, w, p.cells.buffer())
}

// crsName is the EPSG code of the dataset's system, or its WKT.
func crsName(ds *godal.Dataset) string {
	sr := ds.SpatialRef()
	if sr == nil {
		return ""
	}
	defer sr.Close()
	return RefName(sr)
}

// RefName is the EPSG code of a coordinate system, or its WKT where it has none;
// empty when there is no system.
func RefName(sr *godal.SpatialRef) string {
	wkt, err := sr.WKT() // asked first: it alone fails quietly where there is no system
	if err != nil || wkt == "" {
		return ""
	}
	if sr.AuthorityName("") == "EPSG" {
		return "EPSG:" + sr.AuthorityCode("")
	}
	return wkt
}

// dataType gives the word of STAC's raster extension.
func dataType(t godal.DataType) string {
	if t == godal.Byte {
		return "uint8"
	}
	return strings.ToLower(t.String())
}
