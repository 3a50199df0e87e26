package scene

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geojson"

	"github.com/furrowcredit/furrow/geo/scene/stac"
)

var errGridChanged = errors.New("the file has another grid than the catalogue says; index the folder again")

// stacGrid writes a grid in the words of the projection extension.
func stacGrid(g Grid) stac.Grid {
	t := g.Transform
	out := stac.Grid{Shape: []int{g.Height, g.Width}, Transform: []float64{t[1], t[2], t[0], t[4], t[5], t[3]}}
	if code, ok := strings.CutPrefix(g.CRS, "EPSG:"); ok {
		if n, err := strconv.Atoi(code); err == nil {
			out.EPSG = &n
			return out
		}
	}
	out.WKT = g.CRS
	return out
}

// gridOf reads the projection of an asset, with the item's where the asset has none.
func gridOf(asset, item stac.Grid) (Grid, error) {
	s := asset.Within(item)
	if len(s.Shape) != 2 || len(s.Transform) < 6 {
		return Grid{}, errors.New("proj:shape or proj:transform is missing")
	}
	t := s.Transform
	g := Grid{CRS: s.CRS(), Width: s.Shape[1], Height: s.Shape[0], Transform: [6]float64{t[2], t[0], t[1], t[5], t[3], t[4]}}
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
		var cat stac.Catalog
		if err := json.Unmarshal(body, &cat); err != nil {
			return ErrCatalogue.At("%s", path).Because(err)
		}
		for _, l := range cat.Links {
			if l.Rel != "child" && l.Rel != "item" {
				continue
			}
			target := Path(l.Href, filepath.Dir(path))
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

// Path is the name under which GDAL and the file system find an href: web and
// object-store addresses become names of GDAL's virtual file systems, relative
// paths lie below dir.
func Path(href, dir string) string {
	switch {
	case strings.HasPrefix(href, "http://"), strings.HasPrefix(href, "https://"):
		return "/vsicurl/" + href
	case strings.HasPrefix(href, "s3://"):
		return "/vsis3/" + strings.TrimPrefix(href, "s3://")
	case strings.HasPrefix(href, "/vsi"), layered.MatchString(href):
		return href
	}
	file := filepath.FromSlash(strings.TrimPrefix(href, "file://"))
	if file == "" || filepath.IsAbs(file) {
		return file
	}
	return filepath.Join(dir, file)
}

// Href is the address of a file that [Path] named: the inverse for what is not on
// this machine. Local files come back as they are.
func Href(file string) string {
	if url, ok := strings.CutPrefix(file, "/vsicurl/"); ok {
		return url
	}
	if key, ok := strings.CutPrefix(file, "/vsis3/"); ok {
		return "s3://" + key
	}
	return file
}

// ParseItem reads a STAC item. Relative asset links are resolved against dir.
func ParseItem(body []byte, dir string) (Item, error) {
	var s stac.Item
	if err := json.NewDecoder(bytes.NewReader(body)).Decode(&s); err != nil {
		return Item{}, err
	}
	return ItemOf(s, dir)
}

// ItemOf reads a decoded STAC item. Relative asset links are resolved against dir.
// Without one polygon as geometry, the outline is that of its grid. Pictures for eyes are left aside; where a band is there several times, the finest
// pixels are taken, then the file that is not JPEG 2000. [ErrNoScale], [ErrOffset]
// and [ErrEightBit] say which band must not be taken for reflectance.
func ItemOf(s stac.Item, dir string) (Item, error) {
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
	it := Item{
		ID: s.ID, Collection: s.Collection, Time: when.UTC(), DataShare: 1, Bands: map[string]Band{},
		Orbit: orbitOf(s.Properties),
	}
	if s.Properties.Cloud != nil {
		it.CloudShare = *s.Properties.Cloud / 100
	}
	if s.Properties.DataShare != nil {
		it.DataShare = *s.Properties.DataShare
	}
	if s.Geometry != nil {
		if p, ok := s.Geometry.Geometry().(orb.Polygon); ok && len(p) > 0 && len(p[0]) >= 4 {
			it.Footprint = p
		}
	}
	for _, l := range s.Links {
		if l.Rel == "successor-version" && s.Properties.Deprecated {
			it.SupersededBy = strings.TrimSuffix(path.Base(l.Href), ".json")
		}
	}
	for _, key := range slices.Sorted(maps.Keys(s.Assets)) {
		a := s.Assets[key]
		if len(a.EO) == 0 && len(a.Raster) == 0 && len(a.Bands) == 0 || a.Picture() {
			continue // thumbnails, metadata
		}
		if err := it.addAsset(key, a, s.Properties, dir); err != nil {
			return Item{}, fmt.Errorf("asset %s: %w", key, err)
		}
	}
	if len(it.Bands) == 0 {
		return Item{}, errors.New("no asset names its bands in eo:bands, raster:bands or bands")
	}
	if b, ok := it.Bands["nir08"]; ok && !it.Has("nir") {
		b.Key = "nir"
		it.Bands["nir"] = b // the narrow band stands for the broad one, as on Landsat
	}
	for _, k := range slices.Sorted(maps.Keys(it.Bands)) {
		if b := it.Bands[k]; b.Kind == Optical && b.DataType == "uint8" {
			return Item{}, ErrEightBit.At("%s", Href(b.File)).With("band", b.Name)
		}
	}
	if err := it.Settle(); err != nil {
		return Item{}, err
	}
	if it.Footprint == nil {
		var err error
		if it.Footprint, err = it.Grid.Footprint(); err != nil {
			return Item{}, err
		}
	}
	return it, nil
}

func orbitOf(p stac.Properties) string {
	if p.Orbit == nil {
		return ""
	}
	return strings.TrimSpace(p.OrbitState + " " + strconv.Itoa(*p.Orbit))
}

func (it *Item) addAsset(key string, a stac.Asset, p stac.Properties, dir string) error {
	g, err := gridOf(a.Grid, p.Grid)
	if err != nil {
		return err
	}
	file := Path(a.Href, dir)
	if file == "" {
		return errors.New("href is missing")
	}
	names, layers := a.Both()
	here := map[string]bool{}
	for i := range names {
		b := Band{File: file, Index: i + 1, Grid: g, Name: names[i].Name, Key: names[i].Common, Kind: Kind(names[i].Kind)}
		if b.Name == "" {
			b.Name = key
		}
		if names[i].Index > 0 {
			b.Index = names[i].Index
		}
		if err := b.describe(layers[i], p); err != nil {
			return err
		}
		if here[b.Key] {
			return fmt.Errorf("band %s is there twice", b.Key)
		}
		here[b.Key] = true
		if other, taken := it.Bands[b.Key]; !taken || b.betterThan(other) {
			it.Bands[b.Key] = b
		}
	}
	return nil
}

// describe fills in what the raster extension says of a band.
func (b *Band) describe(r stac.Raster, p stac.Properties) error {
	known := BandByName(b.Name)
	if b.Key == "" {
		b.Key = known.Key
	}
	b.DataType, b.Transform, b.Threshold, b.Dilate = r.DataType, Transform(r.Transform), r.Threshold, r.Dilate
	b.Scale = 1
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
	switch b.Transform {
	case Linear, Decibel:
	default:
		return fmt.Errorf("unknown transform %q", b.Transform)
	}
	for _, c := range r.Classes {
		name := c.Name
		if name == "" {
			name = c.Description
		}
		b.Classes = append(b.Classes, ClassOf{c.Value, name, ClassByName(name)})
	}
	for _, f := range r.Bitfields {
		if f.Length < 1 || f.Offset < 0 || f.Length > maxBits || f.Offset+f.Length > maxBits {
			return fmt.Errorf("the bits %d to %d of %s are outside of a number of %d bits", f.Offset, f.Offset+f.Length-1, b.Name, maxBits)
		}
		b.Bits = append(b.Bits, bitClasses(f)...)
	}
	switch {
	case len(b.Classes)+len(b.Bits) > 0 || b.Threshold > 0:
		b.Kind = Mask
	case b.Kind == "":
		b.Kind = BandByName(b.Key).Kind
		if b.Kind == Other {
			b.Kind = known.Kind
		}
	}
	switch {
	case b.Kind == Mask && len(b.Classes)+len(b.Bits) == 0 && b.Threshold <= 0:
		if b.Classes, _ = MaskByName(known.Mask); b.Classes == nil {
			return fmt.Errorf("mask %s has no classes", b.Name)
		}
	case b.Kind == Optical && r.Scale == nil && r.Offset == nil && !strings.HasPrefix(r.DataType, "float"):
		return ErrNoScale.With("band", b.Name)
	case b.Kind == Optical && p.Shifted():
		b.Offset = 0
	case b.Kind == Optical && r.Offset == nil && p.Baseline >= "04.00":
		return ErrOffset.With("product", "of this item").With("baseline", p.Baseline).With("element", "offset of band "+b.Name)
	case b.Kind == Radar && b.Transform == Linear && r.Unit == "" && known.Kind == Radar:
		return fmt.Errorf("nothing says whether the backscatter of %s is dB, power or amplitude; state unit or furrow:transform", b.Name)
	}
	return nil
}

// betterThan chooses among files of the same band.
func (b Band) betterThan(c Band) bool {
	if eight := b.DataType == "uint8"; b.Kind == Optical && eight != (c.DataType == "uint8") {
		return !eight
	}
	if p, q := b.Grid.PixelM2(), c.Grid.PixelM2(); p != q {
		return p < q
	}
	return isJP2(c.File) && !isJP2(b.File)
}

func isJP2(file string) bool { return strings.EqualFold(path.Ext(file), ".jp2") }

// bitClasses turns a field of bits into the values of it that are not clear.
func bitClasses(f stac.Bitfield) []BitClass {
	var out []BitClass
	for _, c := range f.Classes {
		name := c.Name
		if name == "" {
			name = c.Description
		}
		class := ClassByName(name)
		if f.Length == 1 && c.Value == 1 { // the field says what its bit means: "cloud_shadow"
			class = max(class, ClassByName(f.Name))
		}
		if denial.MatchString(name) {
			class = Clear
		}
		if f.Name != "" {
			name = f.Name + ":" + name
		}
		out = append(out, BitClass{f.Offset, f.Length, c.Value, name, class})
	}
	return out
}

// Settle chooses the item's grid: the finest of its bands. All bands must lie in
// one system, or no pixel of one could be set against a pixel of the other.
func (it *Item) Settle() error {
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

// STAC is the item as a document; href tells how the item names a file.
func (it Item) STAC(href func(file string) string) stac.Item {
	cloud, data := math.Round(it.CloudShare*1e6)/1e4, math.Round(it.DataShare*1e6)/1e6
	when := it.Time
	bound := it.Footprint.Bound()
	out := stac.Item{
		Type: "Feature", Version: stac.Version, Extensions: stac.Extensions, ID: it.ID, Collection: it.Collection,
		Geometry: geojson.NewGeometry(it.Footprint),
		Bbox:     []float64{bound.Min[0], bound.Min[1], bound.Max[0], bound.Max[1]},
		Properties: stac.Properties{
			Datetime: &when, DataShare: &data, Grid: stacGrid(it.Grid),
		},
		Links: []stac.Link{
			{Rel: "root", Href: "../catalog.json", Type: "application/json"},
			{Rel: "parent", Href: "collection.json", Type: "application/json"},
			{Rel: "collection", Href: "collection.json", Type: "application/json"},
		},
		Assets: map[string]stac.Asset{},
	}
	if it.SupersededBy != "" {
		out.Properties.Deprecated = true
		out.Links = append(out.Links, stac.Link{Rel: "successor-version", Href: it.SupersededBy + ".json", Type: "application/geo+json"})
	}
	if state, number, ok := strings.Cut(it.Orbit, " "); ok {
		if n, err := strconv.Atoi(number); err == nil {
			out.Properties.Orbit, out.Properties.OrbitState = &n, state
		}
	}
	if len(it.Masks()) > 0 {
		out.Properties.Cloud = &cloud
	}
	byFile := map[string][]Band{}
	for _, k := range slices.Sorted(maps.Keys(it.Bands)) {
		b := it.Bands[k]
		byFile[b.File] = append(byFile[b.File], b)
	}
	for file, bands := range byFile {
		slices.SortStableFunc(bands, func(a, b Band) int { return a.Index - b.Index })
		key := bands[0].Key
		if len(byFile) == 1 && len(bands) > 1 {
			key = "data"
		}
		a := stac.Asset{Href: href(file), Type: "image/tiff; application=geotiff", Grid: stacGrid(bands[0].Grid), Roles: []string{"data"}}
		if isJP2(file) {
			a.Type = "image/jp2"
		}
		for i, b := range bands {
			eo, r := b.stac()
			if b.Index != i+1 {
				eo.Index = b.Index
			}
			if b.Kind == Mask && len(bands) == 1 {
				a.Roles = []string{"data-mask"}
			}
			a.EO, a.Raster = append(a.EO, eo), append(a.Raster, r)
		}
		out.Assets[key] = a
	}
	return out
}

func (b Band) stac() (stac.EO, stac.Raster) {
	eo := stac.EO{Name: b.Name, Common: b.Key, Kind: string(b.Kind)}
	r := stac.Raster{
		DataType: b.DataType, Scale: &b.Scale, Offset: &b.Offset, Transform: string(b.Transform),
		Threshold: b.Threshold, Dilate: b.Dilate,
	}
	if b.NoData != nil {
		nd := stac.Number(*b.NoData)
		r.NoData = &nd
	}
	if b.Kind == Radar {
		r.Unit = "dB"
	}
	for _, c := range b.Classes {
		r.Classes = append(r.Classes, stac.Class{Value: c.Value, Name: c.Name})
	}
	for _, c := range b.Bits {
		same := slices.IndexFunc(r.Bitfields, func(f stac.Bitfield) bool { return f.Offset == c.Bit && f.Length == c.Width })
		if same < 0 {
			same = len(r.Bitfields)
			r.Bitfields = append(r.Bitfields, stac.Bitfield{Offset: c.Bit, Length: c.Width})
		}
		r.Bitfields[same].Classes = append(r.Bitfields[same].Classes, stac.Class{Value: c.Value, Name: c.Name})
	}
	return eo, r
}
