package register

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/airbusgeo/godal"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/wkb"
	"github.com/paulmach/orb/geojson"

	"github.com/furrowcredit/furrow/geo/scene"
)

// drivers are the formats that OGR reads for us. Formats that can point to other
// files or addresses, such as OGR's virtual ones, stay out: files come from strangers.
var drivers = []string{"GeoJSON", "GPKG", "ESRI Shapefile", "KML", "LIBKML", "FlatGeobuf"}

// Feature is one feature of a file in the file's own system. Err says why its
// shape cannot be used; Shape is empty then.
type Feature struct {
	Number int // from 1, over all layers
	Fields map[string]string
	Shape  orb.MultiPolygon
	Err    error
}

// File is a vector file as it is.
type File struct {
	CRS      string // "EPSG:4326" or other code, [GCJ02], [BD09], or WKT
	Encoding Encoding
	Features []Feature
	Notes    []Note // what had to be put right in the file as a whole
}

// Note is something that was put right in a whole file: "encoding", "axes", "zone",
// "unit", "crop".
type Note struct {
	What   string `json:"what"`
	Detail string `json:"detail"`
}

// Open reads all features of a vector file, as its own system says. [ErrFile] when
// it is none, [ErrNoCRS] when it does not say where it lies, [ErrEmpty] without
// features.
func Open(path string) (File, error) { return OpenAs(path, "") }

// OpenAs is [Open] for a file that lies in another system than it says: crs is what
// [System] understands, "" the file's own. [ErrCRS] when there is no such system,
// [ErrZone] when the coordinates contradict it.
func OpenAs(path, crs string) (File, error) {
	var f File
	var err error
	if crs != "" {
		if crs, err = System(crs); err != nil {
			return File{}, err
		}
	}
	if isTable(path) {
		err = f.readTable(path)
	} else {
		err = f.readLayers(path, crs == "")
	}
	if err != nil {
		return File{}, err
	}
	if len(f.Features) == 0 {
		return File{}, ErrEmpty.At("%s", path)
	}
	if crs != "" {
		f.CRS = crs
	}
	if f.CRS == "" {
		err = f.noCRS()
	} else {
		err = f.settle()
	}
	if err != nil {
		return File{}, atFile(err, path)
	}
	return f, nil
}

// readLayers reads a file through OGR. With own, layers must agree in their system.
func (f *File) readLayers(path string, own bool) error {
	name := path
	switch strings.ToLower(filepath.Ext(path)) {
	case ".zip":
		name = "/vsizip/" + path
	case ".gz":
		name = "/vsigzip/" + path
	}
	// Without recoding, OGR hands over the bytes of a Shapefile as they are: many
	// are GBK and do not say so.
	ds, err := scene.OpenDataset(name, godal.VectorOnly(), godal.Drivers(drivers...), godal.DriverOpenOption("ENCODING="))
	if err != nil {
		return ErrFile.At("%s", path).Because(err)
	}
	defer func() { _ = ds.Close() }()
	says := declared(path)
	for _, layer := range ds.Layers() {
		n, err := layer.FeatureCount()
		if err != nil {
			return ErrFile.At("%s", path).Because(err)
		}
		crs := ""
		if sr := layer.SpatialRef(); sr != nil {
			crs = scene.RefName(sr)
			sr.Close()
		}
		before := len(f.Features)
		for {
			ft := layer.NextFeature()
			if ft == nil {
				break
			}
			f.Features = append(f.Features, feature(ft, len(f.Features)+1))
			ft.Close()
		}
		features := f.Features[before:]
		if len(features) < n {
			return ErrFile.At("%s", path).Because(fmt.Errorf("it promises %d features and holds %d: it is cut short", n, len(features)))
		}
		f.decode(features, says[strings.ToLower(layer.Name())])
		switch {
		case n == 0:
			continue
		case own && before > 0 && f.CRS != crs:
			return ErrFile.At("%s", path).Because(errors.New("its layers lie in different coordinate systems; send one layer at a time"))
		}
		f.CRS = crs
	}
	return nil
}

// decode turns the bytes of fields into text.
func (f *File) decode(features []Feature, said Encoding) {
	e := decide(said, func(yield func(string) bool) {
		for _, ft := range features {
			for k, v := range ft.Fields {
				if !yield(v) || !yield(k) {
					return
				}
			}
		}
	})
	if f.Encoding == "" || e != UTF8 {
		f.Encoding = e
	}
	if said != "" && e != said {
		f.Notes = append(f.Notes, Note{What: "encoding", Detail: fmt.Sprintf("the file says %s and is %s", said, e)})
	}
	names := map[string]string{} // columns repeat
	for i := range features {
		out := make(map[string]string, len(features[i].Fields))
		for k, v := range features[i].Fields {
			name, ok := names[k]
			if !ok {
				name = strings.TrimSpace(e.text(k))
				names[k] = name
			}
			out[name] = strings.TrimSpace(e.text(v))
		}
		features[i].Fields = out
	}
}

func feature(f *godal.Feature, number int) Feature {
	out := Feature{Number: number, Fields: map[string]string{}}
	for name, v := range f.Fields() {
		if v.IsSet() {
			out.Fields[name] = v.String()
		}
	}
	out.place(f.Geometry())
	return out
}

// place fills the shape, or says why there is none.
func (ft *Feature) place(g *godal.Geometry) {
	shape, err := shapeOf(g)
	if err != nil {
		ft.Err = ErrNoShape.Because(err)
		return
	}
	switch s := shape.(type) {
	case orb.Polygon:
		ft.Shape = orb.MultiPolygon{s}
	case orb.MultiPolygon:
		ft.Shape = s
	default:
		ft.Err = ErrShape.With("type", shape.GeoJSONType())
		return
	}
	ft.Shape = slices.DeleteFunc(ft.Shape, func(p orb.Polygon) bool { return len(p) == 0 || len(p[0]) == 0 })
	if len(ft.Shape) == 0 {
		ft.Shape, ft.Err = nil, ErrNoShape
	}
}

// shapeOf reads a geometry; one that is absent fails in WKB. WKB keeps every digit;
// where it has heights or measures, which orb does not read, GeoJSON with all
// digits serves.
func shapeOf(g *godal.Geometry) (orb.Geometry, error) {
	body, err := g.WKB()
	if err != nil {
		return nil, err
	}
	if shape, err := wkb.Unmarshal(body); err == nil {
		return shape, nil
	}
	text, err := g.GeoJSON(godal.SignificantDigits(17))
	if err != nil {
		return nil, err
	}
	var shape geojson.Geometry
	if err := json.Unmarshal([]byte(text), &shape); err != nil {
		return nil, err
	}
	if shape.Geometry() == nil {
		return nil, errors.New("it has no coordinates")
	}
	return shape.Geometry(), nil
}
