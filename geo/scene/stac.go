package scene

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geojson"
)

var errGridChanged = errors.New("the file has another grid than the catalogue says; index the folder again")

const stacVersion = "1.0.0"

// stacExtensions are the schemas that our items follow; docs/formats/stac.md says
// which of their fields are written.
var stacExtensions = []string{
	"https://stac-extensions.github.io/eo/v1.1.0/schema.json",
	"https://stac-extensions.github.io/raster/v1.1.0/schema.json",
	"https://stac-extensions.github.io/projection/v1.1.0/schema.json",
	"https://stac-extensions.github.io/classification/v1.1.0/schema.json",
}

type stacLink struct {
	Rel  string `json:"rel"`
	Href string `json:"href"`
	Type string `json:"type,omitempty"`
}

// stacCatalog is a catalog or a collection.
type stacCatalog struct {
	Type        string      `json:"type"`
	Version     string      `json:"stac_version"`
	ID          string      `json:"id"`
	Title       string      `json:"title,omitempty"`
	Description string      `json:"description"`
	License     string      `json:"license,omitempty"`
	Extent      *stacExtent `json:"extent,omitempty"`
	Links       []stacLink  `json:"links"`
}

type stacExtent struct {
	Spatial struct {
		Bbox [][4]float64 `json:"bbox"`
	} `json:"spatial"`
	Temporal struct {
		Interval [][2]string `json:"interval"`
	} `json:"temporal"`
}

type stacItem struct {
	Type       string               `json:"type"`
	Version    string               `json:"stac_version"`
	Extensions []string             `json:"stac_extensions,omitempty"`
	ID         string               `json:"id"`
	Collection string               `json:"collection,omitempty"`
	Geometry   *geojson.Geometry    `json:"geometry"`
	Bbox       []float64            `json:"bbox,omitempty"`
	Properties stacProperties       `json:"properties"`
	Links      []stacLink           `json:"links"`
	Assets     map[string]stacAsset `json:"assets"`
}

type stacProperties struct {
	Datetime  *time.Time `json:"datetime"`
	Start     *time.Time `json:"start_datetime,omitempty"`
	Cloud     *float64   `json:"eo:cloud_cover,omitempty"` // per cent of the pixels that hold data
	DataShare *float64   `json:"furrow:data_share,omitempty"`
	stacGrid
}

// stacGrid is the projection extension, on an item or on an asset.
type stacGrid struct {
	EPSG      *int      `json:"proj:epsg,omitempty"`
	WKT       string    `json:"proj:wkt2,omitempty"`
	Shape     []int     `json:"proj:shape,omitempty"`     // height, width
	Transform []float64 `json:"proj:transform,omitempty"` // x = t0·col + t1·row + t2, y = t3·col + t4·row + t5
}

type stacAsset struct {
	Href    string       `json:"href"`
	Type    string       `json:"type,omitempty"`
	Roles   []string     `json:"roles,omitempty"`
	EO      []stacEO     `json:"eo:bands,omitempty"`
	Raster  []stacRaster `json:"raster:bands,omitempty"`
	Classes []stacClass  `json:"classification:classes,omitempty"`
	stacGrid
}

type stacEO struct {
	Name   string `json:"name"`
	Common string `json:"common_name,omitempty"`
	Kind   Kind   `json:"furrow:kind,omitempty"`
	Index  int    `json:"furrow:band_index,omitempty"` // band in the file; absent: place in the list
}

type stacRaster struct {
	DataType  string      `json:"data_type,omitempty"`
	NoData    *stacNumber `json:"nodata,omitempty"`
	Scale     *float64    `json:"scale,omitempty"`
	Offset    *float64    `json:"offset,omitempty"`
	Unit      string      `json:"unit,omitempty"`
	Transform Transform   `json:"furrow:transform,omitempty"`
	Classes   []stacClass `json:"classification:classes,omitempty"`
}

type stacClass struct {
	Value       int    `json:"value"`
	Name        string `json:"name,omitempty"`
	Description string `json:"description,omitempty"`
}

// stacNumber is a number that may be "nan", "inf" or "-inf", as the raster
// extension writes what JSON has no number for.
type stacNumber float64

// MarshalJSON implements json.Marshaler.
func (n stacNumber) MarshalJSON() ([]byte, error) {
	f := float64(n)
	switch {
	case math.IsNaN(f):
		return []byte(`"nan"`), nil
	case math.IsInf(f, 1):
		return []byte(`"inf"`), nil
	case math.IsInf(f, -1):
		return []byte(`"-inf"`), nil
	}
	return json.Marshal(f)
}

// UnmarshalJSON implements json.Unmarshaler.
func (n *stacNumber) UnmarshalJSON(b []byte) error {
	s := strings.Trim(string(b), `"`)
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return fmt.Errorf("nodata %s is not a number", b)
	}
	*n = stacNumber(f)
	return nil
}

func toStacGrid(g Grid) stacGrid {
	t := g.Transform
	out := stacGrid{Shape: []int{g.Height, g.Width}, Transform: []float64{t[1], t[2], t[0], t[4], t[5], t[3]}}
	if code, ok := strings.CutPrefix(g.CRS, "EPSG:"); ok {
		if n, err := strconv.Atoi(code); err == nil {
			out.EPSG = &n
			return out
		}
	}
	out.WKT = g.CRS
	return out
}

// grid reads the projection of an asset, with the item's where the asset has none.
func (s stacGrid) grid(parent stacGrid) (Grid, error) {
	if s.EPSG == nil && s.WKT == "" {
		s.EPSG, s.WKT = parent.EPSG, parent.WKT
	}
	if s.Shape == nil {
		s.Shape = parent.Shape
	}
	if s.Transform == nil {
		s.Transform = parent.Transform
	}
	if len(s.Shape) != 2 || len(s.Transform) < 6 {
		return Grid{}, errors.New("proj:shape or proj:transform is missing")
	}
	t := s.Transform
	g := Grid{CRS: s.WKT, Width: s.Shape[1], Height: s.Shape[0], Transform: [6]float64{t[2], t[0], t[1], t[5], t[3], t[4]}}
	if s.EPSG != nil {
		g.CRS = "EPSG:" + strconv.Itoa(*s.EPSG)
	}
	return g, g.check()
}

// Open reads the catalogue of a folder: catalog.json, its collections and their
// items. Pixels are not touched. A link to a missing or unreadable file is
// [ErrCatalogue] with its name; where the folder has no catalogue at all the error
// is fs.ErrNotExist too.
func Open(dir string) (*Catalogue, error) {
	var items []Item
	seen := map[string]bool{}
	var walk func(path string) error
	walk = func(path string) error {
		if seen[path] {
			return nil
		}
		seen[path] = true
		body, err := readPage(path)
		if err != nil {
			return err
		}
		var cat stacCatalog
		if err := json.Unmarshal(body, &cat); err != nil {
			return ErrCatalogue.At("%s", path).Because(err)
		}
		for _, l := range cat.Links {
			if l.Rel != "child" && l.Rel != "item" {
				continue
			}
			target := filepath.Join(filepath.Dir(path), filepath.FromSlash(l.Href))
			if filepath.IsAbs(l.Href) {
				target = l.Href
			}
			if l.Rel == "child" {
				if err := walk(target); err != nil {
					return err
				}
				continue
			}
			if seen[target] {
				continue
			}
			seen[target] = true
			body, err := readPage(target)
			if err != nil {
				return err
			}
			it, err := ParseItem(body, filepath.Dir(target))
			if err != nil {
				return ErrCatalogue.At("%s", target).Because(err)
			}
			items = append(items, it)
		}
		return nil
	}
	root := filepath.Join(dir, "catalog.json")
	if _, err := os.Stat(root); err != nil {
		return nil, ErrCatalogue.At("%s", dir).Because(fmt.Errorf("it has no catalog.json: %w", err))
	}
	if err := walk(root); err != nil {
		return nil, err
	}
	c := New(items)
	c.dir = dir
	if len(c.byID) != len(items) {
		return nil, ErrCatalogue.At("%s", dir).Because(errors.New("two items have the same id"))
	}
	return c, nil
}

// readPage reads a file of a catalogue. A missing part is no fs.ErrNotExist: a
// catalogue with holes must not look like none.
func readPage(path string) ([]byte, error) {
	body, err := os.ReadFile(path)
	if err != nil {
		return nil, ErrCatalogue.At("%s", path).Because(errors.New(err.Error()))
	}
	return body, nil
}

// ParseItem reads a STAC item. Relative asset links are resolved against dir.
func ParseItem(body []byte, dir string) (Item, error) {
	var s stacItem
	if err := json.NewDecoder(bytes.NewReader(body)).Decode(&s); err != nil {
		return Item{}, err
	}
	when := s.Properties.Datetime
	if when == nil {
		when = s.Properties.Start
	}
	switch {
	case s.Type != "Feature" || s.ID == "":
		return Item{}, errors.New("it is not a STAC item: type must be Feature, id must be given")
	case when == nil:
		return Item{}, errors.New("properties.datetime is missing")
	}
	it := Item{ID: s.ID, Collection: s.Collection, Time: when.UTC(), DataShare: 1, Bands: map[string]Band{}}
	if s.Properties.Cloud != nil {
		it.CloudShare = *s.Properties.Cloud / 100
	}
	if s.Properties.DataShare != nil {
		it.DataShare = *s.Properties.DataShare
	}
	if s.Geometry != nil {
		if p, ok := s.Geometry.Geometry().(orb.Polygon); ok {
			it.Footprint = p
		}
	}
	for _, key := range slices.Sorted(maps.Keys(s.Assets)) {
		a := s.Assets[key]
		if len(a.EO) == 0 && len(a.Raster) == 0 {
			continue // thumbnails, metadata
		}
		if err := it.addAsset(key, a, s.Properties.stacGrid, dir); err != nil {
			return Item{}, fmt.Errorf("asset %s: %w", key, err)
		}
	}
	if len(it.Bands) == 0 {
		return Item{}, errors.New("no asset names its bands in eo:bands or raster:bands")
	}
	if err := it.settle(); err != nil {
		return Item{}, err
	}
	return it, nil
}

func (it *Item) addAsset(key string, a stacAsset, parent stacGrid, dir string) error {
	g, err := a.grid(parent)
	if err != nil {
		return err
	}
	file := filepath.FromSlash(strings.TrimPrefix(a.Href, "file://"))
	if file == "" {
		return errors.New("href is missing")
	}
	if !filepath.IsAbs(file) {
		file = filepath.Join(dir, file)
	}
	for i := range max(len(a.EO), len(a.Raster)) {
		b := Band{File: file, Index: i + 1, Scale: 1, Grid: g, Name: key}
		if i < len(a.EO) {
			e := a.EO[i]
			b.Name, b.Key, b.Kind = e.Name, e.Common, e.Kind
			if e.Index > 0 {
				b.Index = e.Index
			}
		}
		classes := a.Classes
		if i < len(a.Raster) {
			r := a.Raster[i]
			b.DataType, b.Transform = r.DataType, r.Transform
			if r.Scale != nil {
				b.Scale = *r.Scale
			}
			if r.Offset != nil {
				b.Offset = *r.Offset
			}
			if r.NoData != nil {
				nd := float64(*r.NoData)
				b.NoData = &nd
			}
			if len(r.Classes) > 0 {
				classes = r.Classes
			}
		}
		if b.Transform != Linear && b.Transform != Decibel {
			return fmt.Errorf("unknown transform %q", b.Transform)
		}
		known := bandByName(b.Name)
		if b.Key == "" {
			b.Key = known.key
		}
		for _, c := range classes {
			name := c.Name
			if name == "" {
				name = c.Description
			}
			b.Classes = append(b.Classes, ClassOf{c.Value, name, classByName(name)})
		}
		switch {
		case len(b.Classes) > 0:
			b.Kind = Mask
		case b.Kind == "":
			b.Kind = known.kind
		}
		if b.Kind == Mask && len(b.Classes) == 0 {
			return fmt.Errorf("mask %s has no classes", b.Name)
		}
		if _, taken := it.Bands[b.Key]; taken {
			return fmt.Errorf("band %s is there twice", b.Key)
		}
		it.Bands[b.Key] = b
	}
	return nil
}

// settle chooses the item's grid: the finest of its bands. All bands must lie in
// one system, or no pixel of one could be set against a pixel of the other.
func (it *Item) settle() error {
	first := true
	for _, k := range slices.Sorted(maps.Keys(it.Bands)) {
		g := it.Bands[k].Grid
		switch {
		case first:
			it.Grid, first = g, false
		case g.CRS != it.Grid.CRS:
			return fmt.Errorf("its bands lie in different systems (%s is in another one)", k)
		case g != it.Grid && (!g.upright() || !it.Grid.upright()):
			return fmt.Errorf("its bands lie on different turned grids (%s)", k)
		case g.PixelM2() < it.Grid.PixelM2():
			it.Grid = g
		}
	}
	return nil
}

// stac is the item as JSON; href tells how the item names a file.
func (it Item) stac(href func(file string) string) stacItem {
	cloud, data := math.Round(it.CloudShare*1e6)/1e4, math.Round(it.DataShare*1e6)/1e6
	when := it.Time
	bound := it.Footprint.Bound()
	out := stacItem{
		Type: "Feature", Version: stacVersion, Extensions: stacExtensions, ID: it.ID, Collection: it.Collection,
		Geometry: geojson.NewGeometry(it.Footprint),
		Bbox:     []float64{bound.Min[0], bound.Min[1], bound.Max[0], bound.Max[1]},
		Properties: stacProperties{
			Datetime: &when, DataShare: &data, stacGrid: toStacGrid(it.Grid),
		},
		Links: []stacLink{
			{Rel: "root", Href: "../catalog.json", Type: "application/json"},
			{Rel: "parent", Href: "collection.json", Type: "application/json"},
			{Rel: "collection", Href: "collection.json", Type: "application/json"},
		},
		Assets: map[string]stacAsset{},
	}
	if len(it.Masks()) > 0 {
		out.Properties.Cloud = &cloud
	}
	byFile := map[string][]Band{}
	for _, b := range it.Bands {
		byFile[b.File] = append(byFile[b.File], b)
	}
	for file, bands := range byFile {
		slices.SortFunc(bands, func(a, b Band) int { return a.Index - b.Index })
		a := stacAsset{Href: href(file), Type: "image/tiff; application=geotiff", stacGrid: toStacGrid(bands[0].Grid)}
		role := "data"
		for i, b := range bands {
			eo := stacEO{Name: b.Name, Common: b.Key, Kind: b.Kind}
			if b.Index != i+1 {
				eo.Index = b.Index
			}
			r := stacRaster{DataType: b.DataType, Scale: &b.Scale, Offset: &b.Offset, Transform: b.Transform}
			if b.NoData != nil {
				nd := stacNumber(*b.NoData)
				r.NoData = &nd
			}
			if b.Kind == Radar {
				r.Unit = "dB"
			}
			for _, c := range b.Classes {
				r.Classes = append(r.Classes, stacClass{Value: c.Value, Name: c.Name})
			}
			if b.Kind == Mask && len(bands) == 1 {
				role = "data-mask"
			}
			a.EO, a.Raster = append(a.EO, eo), append(a.Raster, r)
		}
		a.Roles = []string{role}
		key := "data"
		if len(byFile) > 1 || len(bands) == 1 {
			key = bands[0].Key
		}
		out.Assets[key] = a
	}
	return out
}
