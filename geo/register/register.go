// Package register reads land-register files: whatever OGR reads (GeoJSON,
// GeoPackage, Shapefile, KML), in any coordinate system it knows, into plots.
//
// Nothing is dropped: every feature of a file becomes a plot or a refusal that
// names it and says why.
package register

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/scene"
)

// What can be wrong with a land-register file.
var (
	ErrFile      = fault.New(fault.Invalid, "register.file", "the file cannot be read as a map layer; send GeoJSON, GeoPackage, KML, or a Shapefile zipped with its .dbf, .shx and .prj")
	ErrNoCRS     = fault.New(fault.Invalid, "register.no_crs", "the file does not say its coordinate system; add the .prj file, or save it again with its system")
	ErrEmpty     = fault.New(fault.Invalid, "register.empty", "the file has no features")
	ErrNoShape   = fault.New(fault.Invalid, "register.no_shape", "the feature has no shape, or one that cannot be read; draw it again")
	ErrShape     = fault.New(fault.Invalid, "register.shape", "the feature is of the type {type}; a plot is one polygon")
	ErrParts     = fault.New(fault.Invalid, "register.parts", "the feature has {n} separate parts; register each as a plot of its own")
	ErrPlace     = fault.New(fault.Invalid, "register.place", "the coordinates cannot be turned into longitude and latitude; is the coordinate system of the file right?")
	ErrDuplicate = fault.New(fault.Conflict, "register.duplicate", "the same boundary is in the file already, as feature {first}")
)

// Refusal is a feature that did not become a plot.
type Refusal struct {
	Feature int    `json:"feature"` // number in the file, from 1
	Name    string `json:"name,omitempty"`
	Why     string `json:"why"`
	Err     error  `json:"-"`
}

// The columns in which files name what we need, in the order in which they are
// tried: ours, those of the Chinese land-contract survey (NY/T 2539), plain ones.
var columns = map[string][]string{
	"name":   {"name", "dkmc", "地块名称", "名称", "dkbm", "地块编码", "id"},
	"owner":  {"owner_name", "owner", "cbfmc", "承包方名称", "承包方", "户主"},
	"region": {"region", "xzqdm", "行政区代码"},
	"crop":   {"crop", "作物"},
}

// Read reads plots from the bytes of a file. name is its name: its ending tells
// the format (".zip" for a zipped Shapefile), and it is kept as the source.
// Plots come back validated, in WGS84, in the order of the file, with area and
// source but without id and owner; features = plots + refusals.
func Read(r io.Reader, name string) ([]geo.Plot, []Refusal, error) {
	dir, err := os.MkdirTemp("", "furrow-register-*")
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	name = filepath.Base(filepath.FromSlash(strings.ReplaceAll(name, `\`, "/")))
	path := filepath.Join(dir, "upload"+strings.ToLower(filepath.Ext(name)))
	f, err := os.Create(path)
	if err != nil {
		return nil, nil, err
	}
	_, err = io.Copy(f, r)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return nil, nil, err
	}
	return read(path, name)
}

// ReadFile reads plots from a file, see [Read]. A Shapefile may be given by its
// .shp, with the others beside it.
func ReadFile(path string) ([]geo.Plot, []Refusal, error) {
	return read(path, filepath.Base(path))
}

func read(path, name string) ([]geo.Plot, []Refusal, error) {
	file, err := Open(path)
	if err != nil {
		var e *fault.Error
		if errors.As(err, &e) {
			err = e.At("%s", name) // not the name of a temporary file
		}
		return nil, nil, err
	}
	var plots []geo.Plot
	refusals := []Refusal{}
	first := map[string]int{}
	for _, ft := range file.Features {
		p, err := plot(file, ft)
		if err == nil {
			key := fmt.Sprint(p.Polygon)
			if n, ok := first[key]; ok {
				err = ErrDuplicate.With("first", n)
			} else {
				first[key] = ft.Number
			}
		}
		if err != nil {
			refusals = append(refusals, Refusal{Feature: ft.Number, Name: field(ft, "name"), Why: err.Error(), Err: err})
			continue
		}
		p.Source = "import:" + name
		plots = append(plots, p)
	}
	return plots, refusals, nil
}

// plot turns a feature into a plot, or says why not.
func plot(file File, ft Feature) (geo.Plot, error) {
	if ft.Err != nil {
		return geo.Plot{}, ft.Err
	}
	if len(ft.Shape) != 1 {
		return geo.Plot{}, ErrParts.With("n", len(ft.Shape))
	}
	poly := ft.Shape[0]
	if file.CRS != scene.WGS84 {
		moved, err := scene.ToWGS84(file.CRS, poly)
		if err != nil {
			return geo.Plot{}, ErrPlace.Because(err)
		}
		poly = moved
	}
	valid, err := geo.ValidatePolygon(poly)
	if err != nil {
		return geo.Plot{}, err
	}
	return geo.Plot{
		Name: cmp.Or(field(ft, "name"), fmt.Sprintf("%d", ft.Number)), OwnerName: field(ft, "owner"),
		Region: field(ft, "region"), Crop: field(ft, "crop"),
		Polygon: valid, AreaM2: geo.AreaM2(valid), SourceCRS: file.CRS,
	}, nil
}

// field finds a value by the names its column may have, whatever their case.
func field(ft Feature, what string) string {
	for _, want := range columns[what] {
		for _, k := range slices.Sorted(maps.Keys(ft.Fields)) {
			if strings.EqualFold(k, want) && ft.Fields[k] != "" {
				return ft.Fields[k]
			}
		}
	}
	return ""
}

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
	CRS      string // "EPSG:4326" or other code, or WKT
	Features []Feature
}
