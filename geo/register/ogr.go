package register

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/airbusgeo/godal"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/wkb"
	"github.com/paulmach/orb/geojson"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/furrowcredit/furrow/geo/scene"
)

// drivers are the formats that are read. Formats that can point to other files or
// addresses, such as OGR's virtual ones, stay out: files come from strangers.
var drivers = []string{"GeoJSON", "GPKG", "ESRI Shapefile", "KML", "LIBKML", "FlatGeobuf"}

// Open reads all features of a vector file through OGR. [ErrFile] when it is none,
// [ErrNoCRS] when it does not say where it lies, [ErrEmpty] without features.
func Open(path string) (File, error) {
	name := path
	switch strings.ToLower(filepath.Ext(path)) {
	case ".zip":
		name = "/vsizip/" + path
	case ".gz":
		name = "/vsigzip/" + path
	}
	// Without recoding, OGR hands over the bytes of a Shapefile as they are: many
	// are GBK and do not say so.
	ds, err := scene.OpenDataset(name, godal.VectorOnly(), godal.Drivers(drivers...), godal.ConfigOption("SHAPE_ENCODING="))
	if err != nil {
		return File{}, ErrFile.At("%s", path).Because(err)
	}
	defer func() { _ = ds.Close() }()
	var out File
	for _, layer := range ds.Layers() {
		n, err := layer.FeatureCount()
		if err != nil {
			return File{}, ErrFile.At("%s", path).Because(err)
		}
		crs := ""
		if sr := layer.SpatialRef(); sr != nil {
			crs = scene.RefName(sr)
			sr.Close()
		}
		before := len(out.Features)
		for {
			f := layer.NextFeature()
			if f == nil {
				break
			}
			out.Features = append(out.Features, feature(f, len(out.Features)+1))
			f.Close()
		}
		if got := len(out.Features) - before; got < n {
			return File{}, ErrFile.At("%s", path).Because(fmt.Errorf("it promises %d features and holds %d: it is cut short", n, got))
		}
		switch {
		case n == 0:
			continue
		case crs == "":
			return File{}, ErrNoCRS.At("%s", path)
		case out.CRS != "" && out.CRS != crs:
			return File{}, ErrFile.At("%s", path).Because(errors.New("its layers lie in different coordinate systems; send one layer at a time"))
		}
		out.CRS = crs
	}
	if len(out.Features) == 0 {
		return File{}, ErrEmpty.At("%s", path)
	}
	return out, nil
}

func feature(f *godal.Feature, number int) Feature {
	out := Feature{Number: number, Fields: map[string]string{}}
	for name, v := range f.Fields() {
		if v.IsSet() {
			out.Fields[text(name)] = strings.TrimSpace(text(v.String()))
		}
	}
	shape, err := shapeOf(f.Geometry())
	if err != nil {
		out.Err = ErrNoShape.Because(err)
		return out
	}
	switch s := shape.(type) {
	case orb.Polygon:
		out.Shape = orb.MultiPolygon{s}
	case orb.MultiPolygon:
		out.Shape = s
	default:
		out.Err = ErrShape.With("type", shape.GeoJSONType())
		return out
	}
	out.Shape = slices.DeleteFunc(out.Shape, func(p orb.Polygon) bool { return len(p) == 0 || len(p[0]) == 0 })
	if len(out.Shape) == 0 {
		out.Err = ErrNoShape
	}
	return out
}

// shapeOf reads a geometry; one that is absent fails in WKB. WKB keeps every digit; where it has heights, which orb
// does not read, GeoJSON with all digits serves.
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

// text reads bytes that are UTF-8 or, as in most Chinese Shapefiles, GBK.
func text(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	if out, err := simplifiedchinese.GB18030.NewDecoder().String(s); err == nil {
		return out
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
