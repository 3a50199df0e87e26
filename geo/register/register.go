// Package register reads land-register files into plots: Shapefile, GeoPackage,
// GeoJSON, KML and FlatGeobuf through OGR, and CSV tables with WKT, in any
// coordinate system that PROJ knows, in GCJ-02 and in BD-09.
//
// Nothing is dropped: every feature of a file becomes a plot, or one plot for each
// of its parts, or a refusal that names it and says why. What was put right in a
// file or a boundary is named too.
package register

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/crop"
)

// What can be wrong with a land-register file.
var (
	ErrFile         = fault.New(fault.Invalid, "register.file", "the file cannot be read as a map layer; send GeoJSON, GeoPackage, KML, a CSV with WKT, or a Shapefile zipped with its .dbf, .shx and .prj")
	ErrNoCRS        = fault.New(fault.Invalid, "register.no_crs", "the file does not say its coordinate system; add the .prj file, or save it again with its system, or say it with --crs")
	ErrNoCRSZone    = fault.New(fault.Invalid, "register.no_crs_zone", "the file does not say its coordinate system; its numbers look like zone {zone} of three-degree belts: if they are CGCS2000, add the .prj file or say --crs {crs}")
	ErrNoCRSDegrees = fault.New(fault.Invalid, "register.no_crs_degrees", "the file does not say its coordinate system; its numbers look like degrees: say --crs EPSG:4490, EPSG:4326, gcj02 or bd09")
	ErrCRS          = fault.New(fault.Invalid, "register.crs", "there is no coordinate system {crs}; say an EPSG code such as EPSG:4490 or EPSG:4526, gcj02 or bd09")
	ErrZone         = fault.New(fault.Invalid, "register.zone", "the coordinates lie in zone {zone}, the file says zone {want}; say the right system with --crs")
	ErrEmpty        = fault.New(fault.Invalid, "register.empty", "the file has no features")
	ErrNoColumn     = fault.New(fault.Invalid, "register.no_column", "the table has no column with the boundary as WKT; name it wkt, there are {columns}")
	ErrNoShape      = fault.New(fault.Invalid, "register.no_shape", "the feature has no shape, or one that cannot be read; draw it again")
	ErrShape        = fault.New(fault.Invalid, "register.shape", "the feature is of the type {type}; a plot is one polygon")
	ErrParts        = fault.New(fault.Invalid, "register.parts", "the feature has {n} separate parts; register each as a plot of its own")
	ErrPlace        = fault.New(fault.Invalid, "register.place", "the coordinates cannot be turned into longitude and latitude; is the coordinate system of the file right?")
	ErrDuplicate    = fault.New(fault.Conflict, "register.duplicate", "the same boundary of the same holder is in the file already, as feature {first}")
)

// Options say how a file is read; the zero value takes it at its word.
type Options struct {
	CRS   string // what [System] understands, instead of what the file says
	Split bool   // make a plot of each part of a feature with several parts
}

// Result accounts for a file: Plots plus Refusals are Features plus Extra.
type Result struct {
	Features int
	Extra    int // parts beyond the first one of features that were split
	Plots    []geo.Plot
	Numbers  []int // of the feature of each plot
	Refusals []Refusal
	Repairs  []Repair
	Notes    []Note
	CRS      string
	Encoding Encoding
}

// Refusal is a feature, or a part of one, that did not become a plot.
type Refusal struct {
	Feature int    `json:"feature"`        // number in the file, from 1
	Part    int    `json:"part,omitempty"` // of a split feature, from 1
	Name    string `json:"name,omitempty"`
	Why     string `json:"why"`
	Err     error  `json:"-"`
}

// Repair is a plot whose boundary was put right.
type Repair struct {
	Feature int    `json:"feature"`
	Part    int    `json:"part,omitempty"`
	Name    string `json:"name,omitempty"`
	geo.Mended
}

// Read reads plots from the bytes of a file. name is its name: its ending tells
// the format (".zip" for a zipped Shapefile), and it is kept as the source.
// Plots come back validated, in WGS84, in the order of the file, with area and
// source but without id; features = plots + refusals.
func Read(r io.Reader, name string) ([]geo.Plot, []Refusal, error) {
	res, err := Load(r, name, Options{})
	return res.Plots, res.Refusals, err
}

// Load is [Read] with options and the whole account.
func Load(r io.Reader, name string, opt Options) (Result, error) {
	dir, err := os.MkdirTemp("", "furrow-register-*")
	if err != nil {
		return Result{}, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	name = filepath.Base(filepath.FromSlash(strings.ReplaceAll(name, `\`, "/")))
	path := filepath.Join(dir, "upload"+strings.ToLower(filepath.Ext(name)))
	f, err := os.Create(path)
	if err != nil {
		return Result{}, err
	}
	_, err = io.Copy(f, r)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return Result{}, err
	}
	return read(path, name, opt)
}

// ReadFile reads plots from a file, see [Read]. A Shapefile may be given by its
// .shp, with the others beside it.
func ReadFile(path string) ([]geo.Plot, []Refusal, error) {
	res, err := LoadFile(path, Options{})
	return res.Plots, res.Refusals, err
}

// LoadFile is [ReadFile] with options and the whole account.
func LoadFile(path string, opt Options) (Result, error) { return read(path, filepath.Base(path), opt) }

// atFile puts the name of the file before an error.
func atFile(err error, name string) error {
	var e *fault.Error
	if errors.As(err, &e) {
		return e.At("%s", name)
	}
	return err
}

// reading is a file on its way to plots.
type reading struct {
	Result
	finder
	mover
	source  string
	first   map[string][]held // boundaries seen
	pending []pending
}

// held is the feature of a boundary, and its holder: "" where the file names none.
type held struct {
	feature int
	holder  string
}

// pending is a claimed area whose unit only the whole file can tell.
type pending struct {
	plot int
	claim
}

func read(path, name string, opt Options) (Result, error) {
	file, err := OpenAs(path, opt.CRS)
	if err != nil {
		return Result{}, atFile(err, name) // not the name of a temporary file
	}
	keys := map[string]bool{}
	for _, ft := range file.Features {
		for k := range ft.Fields {
			keys[k] = true
		}
	}
	list := make([]string, 0, len(keys))
	for k := range keys {
		list = append(list, k)
	}
	m, err := newMover(file.CRS)
	if err != nil {
		return Result{}, atFile(err, name)
	}
	defer m.close()
	r := reading{
		Result: Result{Features: len(file.Features), Refusals: []Refusal{}, Notes: file.Notes, CRS: file.CRS, Encoding: file.Encoding},
		finder: find(list), mover: m, source: "import:" + name, first: map[string][]held{},
	}
	for _, ft := range file.Features {
		r.feature(ft, opt.Split)
	}
	r.settleClaims()
	return r.Result, nil
}

func (r *reading) feature(ft Feature, split bool) {
	name := r.field(ft, "name")
	switch {
	case ft.Err != nil:
		r.refuse(ft.Number, 0, name, ft.Err)
		return
	case len(ft.Shape) > 1 && !split:
		r.refuse(ft.Number, 0, name, ErrParts.With("n", len(ft.Shape)))
		return
	case len(ft.Shape) > 1:
		r.Extra += len(ft.Shape) - 1
	}
	for i, poly := range ft.Shape {
		part, title := 0, cmp.Or(name, fmt.Sprint(ft.Number))
		if len(ft.Shape) > 1 {
			part = i + 1
			title = fmt.Sprintf("%s-%d", title, part)
		}
		if err := r.plot(ft, part, title, poly); err != nil {
			r.refuse(ft.Number, part, cmp.Or(name, title), err)
		}
	}
}

func (r *reading) refuse(number, part int, name string, err error) {
	r.Refusals = append(r.Refusals, Refusal{Feature: number, Part: part, Name: name, Why: err.Error(), Err: err})
}

// plot adds the plot of one polygon, or says why there is none.
func (r *reading) plot(ft Feature, part int, name string, poly orb.Polygon) error {
	poly, err := r.toWGS84(poly)
	if err != nil {
		return err
	}
	valid, mends, err := geo.RepairPolygon(poly)
	if err != nil {
		return err
	}
	// The same land under another holder is no slip: overlaps are to show it.
	outline, holder := outlineKey(valid), cmp.Or(r.field(ft, "owner_id"), r.field(ft, "owner"))
	for _, other := range r.first[outline] {
		if holder == "" || other.holder == "" || other.holder == holder {
			return ErrDuplicate.With("first", other.feature)
		}
	}
	r.first[outline] = append(r.first[outline], held{ft.Number, holder})
	for _, m := range mends {
		r.Repairs = append(r.Repairs, Repair{Feature: ft.Number, Part: part, Name: name, Mended: m})
	}
	p := geo.Plot{
		Name: name, OwnerName: r.field(ft, "owner"), OwnerID: r.field(ft, "owner_id"),
		Region: r.field(ft, "region"), Crop: r.field(ft, "crop"),
		Polygon: valid, AreaM2: geo.AreaM2(valid), SourceCRS: r.CRS, Source: r.source,
	}
	// What is claimed for a feature as a whole is claimed for none of its parts.
	if c, ok := r.claimed(ft); ok && part == 0 {
		p.ClaimedM2 = c.value * c.unit
		if c.unit == 0 {
			r.pending = append(r.pending, pending{len(r.Plots), c})
		}
	}
	r.Plots, r.Numbers = append(r.Plots, p), append(r.Numbers, ft.Number)
	return nil
}

// settleClaims gives a unit to the columns that do not say theirs. Where the
// numbers fit none, nothing is claimed.
func (r *reading) settleClaims() {
	for i, c := range r.areas {
		var ratios []float64
		for _, p := range r.pending {
			if p.column == i {
				ratios = append(ratios, p.value/r.Plots[p.plot].AreaM2)
			}
		}
		if len(ratios) == 0 {
			continue
		}
		unit := unitOf(ratios)
		for _, p := range r.pending {
			if p.column == i {
				r.Plots[p.plot].ClaimedM2 = p.value * unit
			}
		}
		detail := fmt.Sprintf("column %s does not say its unit; its numbers fit the drawn areas as %s", c.key, map[float64]string{1: "m²", geo.M2PerMu: "mu", 10000: "ha"}[unit])
		if unit == 0 {
			detail = fmt.Sprintf("column %s does not say its unit, and its numbers fit the drawn areas in none: it was left out", c.key)
		}
		r.Notes = append(r.Notes, Note{What: "unit", Detail: detail})
	}
}

// NameCrops turns declared crops into codes of the catalogue; words that it does not
// know are left out with a note.
func (r *Result) NameCrops(c *crop.Catalogue) {
	codes := map[string]string{}
	for _, k := range c.Crops() {
		for _, w := range []string{k.Code, k.Zh, k.En} {
			codes[strings.ToLower(w)] = k.Code
		}
	}
	var unknown []string
	for i := range r.Plots {
		word := r.Plots[i].Crop
		code, ok := codes[strings.ToLower(word)]
		if !ok && word != "" && !slices.Contains(unknown, word) {
			unknown = append(unknown, word)
		}
		r.Plots[i].Crop = code
	}
	for _, w := range unknown {
		r.Notes = append(r.Notes, Note{What: "crop", Detail: fmt.Sprintf("the catalogue has no crop %q: it was left out", w)})
	}
}

// outlineKey is the same for valid polygons with the same corners, wherever their
// rings begin.
func outlineKey(p orb.Polygon) string {
	var key []byte
	for _, ring := range p {
		open := ring[:len(ring)-1]
		start := 0
		for i, q := range open {
			if cmp.Or(cmp.Compare(q[0], open[start][0]), cmp.Compare(q[1], open[start][1])) < 0 {
				start = i
			}
		}
		for _, q := range slices.Concat(open[start:], open[:start]) {
			key = binary.LittleEndian.AppendUint64(key, math.Float64bits(q[0]))
			key = binary.LittleEndian.AppendUint64(key, math.Float64bits(q[1]))
		}
		key = append(key, '|')
	}
	return string(key)
}
