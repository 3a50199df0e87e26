// Package stac holds the documents of a SpatioTemporal Asset Catalog as plain
// structs: catalogs, collections and items with the fields of the extensions that
// furrow reads and writes. docs/formats/stac.md lists them. Items of version 1.0
// (eo:bands, raster:bands) and of 1.1 (bands) are both read; 1.0 is written.
package stac

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paulmach/orb/geojson"
)

// Version is what is written.
const Version = "1.0.0"

// Extensions are the schemas that written items follow.
var Extensions = []string{
	"https://stac-extensions.github.io/eo/v1.1.0/schema.json",
	"https://stac-extensions.github.io/raster/v1.1.0/schema.json",
	"https://stac-extensions.github.io/projection/v1.1.0/schema.json",
	"https://stac-extensions.github.io/classification/v1.1.0/schema.json",
}

// Link leads to another document.
type Link struct {
	Rel    string          `json:"rel"`
	Href   string          `json:"href"`
	Type   string          `json:"type,omitempty"`
	Method string          `json:"method,omitempty"` // of an API's next link: GET unless stated
	Body   json.RawMessage `json:"body,omitempty"`   // to send with POST
	Merge  bool            `json:"merge,omitempty"`  // Body is laid over the body that was sent before
}

// Catalog is a catalog or a collection.
type Catalog struct {
	Type        string  `json:"type"`
	Version     string  `json:"stac_version"`
	ID          string  `json:"id"`
	Title       string  `json:"title,omitempty"`
	Description string  `json:"description"`
	License     string  `json:"license,omitempty"`
	Extent      *Extent `json:"extent,omitempty"`
	Links       []Link  `json:"links"`
}

// Extent is where and when a collection has items.
type Extent struct {
	Spatial struct {
		Bbox [][4]float64 `json:"bbox"`
	} `json:"spatial"`
	Temporal struct {
		Interval [][2]string `json:"interval"`
	} `json:"temporal"`
}

// Item is what a satellite saw at one time.
type Item struct {
	Type       string            `json:"type"`
	Version    string            `json:"stac_version"`
	Extensions []string          `json:"stac_extensions,omitempty"`
	ID         string            `json:"id"`
	Collection string            `json:"collection,omitempty"`
	Geometry   *geojson.Geometry `json:"geometry"`
	Bbox       []float64         `json:"bbox,omitempty"`
	Properties Properties        `json:"properties"`
	Links      []Link            `json:"links"`
	Assets     map[string]Asset  `json:"assets"`
}

// Properties of an item.
type Properties struct {
	Datetime   *time.Time `json:"datetime"`
	Start      *time.Time `json:"start_datetime,omitempty"`
	Cloud      *float64   `json:"eo:cloud_cover,omitempty"` // per cent of the pixels that hold data
	DataShare  *float64   `json:"furrow:data_share,omitempty"`
	Deprecated bool       `json:"deprecated,omitempty"` // version extension: a better item is there
	// OffsetApplied says that the numbers were shifted already and that the offset
	// in raster:bands must not be applied again.
	OffsetApplied *bool  `json:"earthsearch:boa_offset_applied,omitempty"`
	OldApplied    *bool  `json:"sentinel:boa_offset_applied,omitempty"` // its older name
	Baseline      string `json:"s2:processing_baseline,omitempty"`
	Tile          string `json:"grid:code,omitempty"` // "MGRS-31UFS"
	Orbit         *int   `json:"sat:relative_orbit,omitempty"`
	OrbitState    string `json:"sat:orbit_state,omitempty"` // "ascending", "descending"
	Grid
}

// Shifted says whether the item states that the Sentinel-2 offset is in its numbers.
func (p Properties) Shifted() bool {
	return p.OffsetApplied != nil && *p.OffsetApplied || p.OldApplied != nil && *p.OldApplied
}

// Grid is the projection extension, on an item or on an asset.
type Grid struct {
	Code      string    `json:"proj:code,omitempty"` // "EPSG:32650", version 2 of the extension
	EPSG      *int      `json:"proj:epsg,omitempty"`
	WKT       string    `json:"proj:wkt2,omitempty"`
	Shape     []int     `json:"proj:shape,omitempty"`     // height, width
	Transform []float64 `json:"proj:transform,omitempty"` // x = t0·col + t1·row + t2, y = t3·col + t4·row + t5
}

// CRS is the code or the WKT of the system, "" when none is stated.
func (g Grid) CRS() string {
	switch {
	case g.Code != "":
		return g.Code
	case g.EPSG != nil:
		return "EPSG:" + strconv.Itoa(*g.EPSG)
	}
	return g.WKT
}

// Within takes from the item what the asset does not say.
func (g Grid) Within(item Grid) Grid {
	if g.CRS() == "" {
		g.Code, g.EPSG, g.WKT = item.Code, item.EPSG, item.WKT
	}
	if g.Shape == nil {
		g.Shape = item.Shape
	}
	if g.Transform == nil {
		g.Transform = item.Transform
	}
	return g
}

// Asset is a file of an item.
type Asset struct {
	Href      string     `json:"href"`
	Type      string     `json:"type,omitempty"`
	Title     string     `json:"title,omitempty"`
	Roles     []string   `json:"roles,omitempty"`
	EO        []EO       `json:"eo:bands,omitempty"`
	Raster    []Raster   `json:"raster:bands,omitempty"`
	Bands     []Band     `json:"bands,omitempty"` // STAC 1.1
	Classes   []Class    `json:"classification:classes,omitempty"`
	Bitfields []Bitfield `json:"classification:bitfields,omitempty"`
	// STAC 1.1 lets what all bands share stand on the asset.
	DataType string   `json:"data_type,omitempty"`
	NoData   *Number  `json:"nodata,omitempty"`
	Scale    *float64 `json:"raster:scale,omitempty"`
	Offset   *float64 `json:"raster:offset,omitempty"`
	Grid
}

// Picture says whether the asset is for eyes only: a quick look, a true colour
// composite, a preview.
func (a Asset) Picture() bool {
	return slices.ContainsFunc(a.Roles, func(r string) bool {
		return r == "visual" || r == "overview" || r == "thumbnail"
	})
}

// EO is a band in the words of the eo extension.
type EO struct {
	Name   string `json:"name"`
	Common string `json:"common_name,omitempty"`
	Kind   string `json:"furrow:kind,omitempty"`
	Index  int    `json:"furrow:band_index,omitempty"` // band in the file; absent: place in the list
}

// Raster is a band in the words of the raster extension.
type Raster struct {
	DataType  string     `json:"data_type,omitempty"`
	NoData    *Number    `json:"nodata,omitempty"`
	Scale     *float64   `json:"scale,omitempty"`
	Offset    *float64   `json:"offset,omitempty"`
	Unit      string     `json:"unit,omitempty"`
	Transform string     `json:"furrow:transform,omitempty"`
	Threshold float64    `json:"furrow:threshold,omitempty"`
	Dilate    float64    `json:"furrow:dilate_m,omitempty"`
	Classes   []Class    `json:"classification:classes,omitempty"`
	Bitfields []Bitfield `json:"classification:bitfields,omitempty"`
}

// Band is a band of STAC 1.1.
type Band struct {
	Name      string     `json:"name,omitempty"`
	Common    string     `json:"eo:common_name,omitempty"`
	DataType  string     `json:"data_type,omitempty"`
	NoData    *Number    `json:"nodata,omitempty"`
	Scale     *float64   `json:"raster:scale,omitempty"`
	Offset    *float64   `json:"raster:offset,omitempty"`
	Classes   []Class    `json:"classification:classes,omitempty"`
	Bitfields []Bitfield `json:"classification:bitfields,omitempty"`
}

// Class is a value that has a meaning.
type Class struct {
	Value       int    `json:"value"`
	Name        string `json:"name,omitempty"`
	Description string `json:"description,omitempty"`
}

// Bitfield is a run of bits that has a meaning.
type Bitfield struct {
	Name        string  `json:"name,omitempty"`
	Description string  `json:"description,omitempty"`
	Offset      int     `json:"offset"`
	Length      int     `json:"length"`
	Classes     []Class `json:"classes"`
}

// Both returns the bands of an asset in the words of both extensions, in parallel
// and of the same length, whatever version it was written in. Empty means that the
// asset names no bands.
func (a Asset) Both() ([]EO, []Raster) {
	n := max(len(a.EO), len(a.Raster), len(a.Bands))
	eo, ra := make([]EO, n), make([]Raster, n)
	copy(eo, a.EO)
	copy(ra, a.Raster)
	for i, b := range a.Bands {
		if eo[i].Name == "" {
			eo[i].Name = b.Name
		}
		if eo[i].Common == "" {
			eo[i].Common = b.Common
		}
		r := &ra[i]
		if r.DataType == "" {
			r.DataType = b.DataType
		}
		r.NoData, r.Scale, r.Offset = first(r.NoData, b.NoData), first(r.Scale, b.Scale), first(r.Offset, b.Offset)
		r.Classes = append(r.Classes, b.Classes...)
		r.Bitfields = append(r.Bitfields, b.Bitfields...)
	}
	for i := range ra {
		r := &ra[i]
		if r.DataType == "" {
			r.DataType = a.DataType
		}
		r.NoData, r.Scale, r.Offset = first(r.NoData, a.NoData), first(r.Scale, a.Scale), first(r.Offset, a.Offset)
		if len(r.Classes) == 0 {
			r.Classes = a.Classes
		}
		if len(r.Bitfields) == 0 {
			r.Bitfields = a.Bitfields
		}
	}
	return eo, ra
}

func first[T any](a, b *T) *T {
	if a != nil {
		return a
	}
	return b
}

// Number is a number that may be "nan", "inf" or "-inf", as the raster extension
// writes what JSON has no number for.
type Number float64

// MarshalJSON implements json.Marshaler.
func (n Number) MarshalJSON() ([]byte, error) {
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
func (n *Number) UnmarshalJSON(b []byte) error {
	s := strings.Trim(string(b), `"`)
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return fmt.Errorf("nodata %s is not a number", b)
	}
	*n = Number(f)
	return nil
}
