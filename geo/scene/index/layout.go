package index

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/geo/scene"
)

// What can be wrong with a folder of scenes.
var (
	ErrLayout   = fault.New(fault.Invalid, "scene.layout", "the layout cannot be used: {why}")
	ErrNoLayout = fault.New(fault.Invalid, "scene.no_layout", "no file matches a known layout; describe yours in furrow-scenes.json")
	ErrOut      = fault.New(fault.Invalid, "scene.out", "the catalogue cannot be written there; choose another folder with --out")
	ErrSensors  = fault.New(fault.Invalid, "scene.sensors", "the catalogue of sensors is wrong: {why}")
)

// LayoutFile is the name of the sidecar that describes a folder of rasters.
const LayoutFile = "furrow-scenes.json"

// Layout describes how a folder names its rasters and what lies in them. See
// docs/formats/scene-folder.md.
type Layout struct {
	Name       string `json:"-" yaml:"name"`
	Collection string `json:"collection" yaml:"collection"`
	Title      string `json:"title,omitempty" yaml:"title"`
	Source     string `json:"source,omitempty" yaml:"source"` // where the facts come from
	Files      []Rule `json:"files" yaml:"files"`
}

// Rule describes the files of one name pattern.
type Rule struct {
	Pattern    string     `json:"pattern" yaml:"pattern"`                 // "S2_{tile}_{date}.tif"; {band} for one band a file; * ? **/ for any letters, one, any folders
	Collection string     `json:"collection,omitempty" yaml:"collection"` // when it differs from the layout's
	Bands      []BandRule `json:"bands,omitempty" yaml:"bands"`           // in the order of the file, or by match; absent: as the files describe them
	Dates      string     `json:"dates,omitempty" yaml:"dates"`           // CSV beside the file: one row a band of a stack, columns idx and timestamp
	Date       string     `json:"date,omitempty" yaml:"date"`             // of all its files, when their names tell none
	re         *regexp.Regexp
}

// BandRule describes one band of a file, or all bands whose description fits
// Match. What it leaves out comes from the file and from the custom of the name.
type BandRule struct {
	Match     string          `json:"match,omitempty" yaml:"match"` // pattern with * against the description in the file
	Name      string          `json:"name,omitempty" yaml:"name"`
	Key       string          `json:"key,omitempty" yaml:"key"` // STAC common name
	Kind      scene.Kind      `json:"kind,omitempty" yaml:"kind"`
	Scale     *float64        `json:"scale,omitempty" yaml:"scale"`
	Offset    *float64        `json:"offset,omitempty" yaml:"offset"`
	NoData    *float64        `json:"nodata,omitempty" yaml:"nodata"`
	Transform scene.Transform `json:"transform,omitempty" yaml:"transform"`
	Mask      string          `json:"mask,omitempty" yaml:"mask"` // "scl", "cloud", "valid"
	Classes   []ClassRule     `json:"classes,omitempty" yaml:"classes"`
	Bits      []BitRule       `json:"bits,omitempty" yaml:"bits"`
	Threshold float64         `json:"threshold,omitempty" yaml:"threshold"` // numbers from here on are cloud
	Dilate    float64         `json:"dilate_m,omitempty" yaml:"dilate_m"`   // metres
	Skip      bool            `json:"skip,omitempty" yaml:"skip"`
}

// ClassRule gives one value of a mask its class: "clear", "snow", "cloud", "no_data".
type ClassRule struct {
	Value int    `json:"value" yaml:"value"`
	Class string `json:"class" yaml:"class"`
	Name  string `json:"name,omitempty" yaml:"name"`
}

// BitRule gives a value of a field of bits its class. Left out are a width of 1 and
// a value of 1.
type BitRule struct {
	Bit   int    `json:"bit" yaml:"bit"`
	Width int    `json:"width,omitempty" yaml:"width"`
	Value *int   `json:"value,omitempty" yaml:"value"`
	Class string `json:"class" yaml:"class"`
	Name  string `json:"name,omitempty" yaml:"name"`
}

// ParseLayout reads a sidecar and checks it. Unknown fields are errors: a
// misspelt "ofset" must not pass silently.
func ParseLayout(body []byte) (Layout, error) {
	var l Layout
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&l); err != nil {
		return Layout{}, ErrLayout.With("why", err.Error())
	}
	if dec.More() {
		return Layout{}, ErrLayout.With("why", "there is text after the object")
	}
	return l, l.prepare()
}

// prepare checks a layout and makes its patterns ready.
func (l *Layout) prepare() error {
	if !plainName.MatchString(l.Collection) {
		return ErrLayout.With("why", "collection must be a name of letters, digits, - and _")
	}
	if len(l.Files) == 0 {
		return ErrLayout.With("why", "files is empty")
	}
	for i := range l.Files {
		if err := l.Files[i].prepare(l.Collection); err != nil {
			return ErrLayout.At("files[%d]", i).With("why", err.Error())
		}
	}
	return nil
}

var plainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*$`)

var placeholders = map[string]string{
	"doy":  `(?P<doy>\d{7})`,
	"date": `(?P<date>\d{8}T\d{6}|\d{4}-\d{2}-\d{2}T\d{2}:?\d{2}:?\d{2}|\d{4}-\d{2}-\d{2}|\d{8})`,
	"band": `(?P<band>[A-Za-z0-9]+)`,
	"tile": `(?P<tile>[A-Za-z0-9]+)`,
}

var placeholder = regexp.MustCompile(`\{[a-z]*\}|\*\*/|\*|\?`)

func (r *Rule) prepare(collection string) error {
	if r.Collection == "" {
		r.Collection = collection
	}
	if !plainName.MatchString(r.Collection) {
		return errors.New("collection must be a name of letters, digits, - and _")
	}
	var re strings.Builder
	re.WriteString("(?i)^")
	rest := r.Pattern
	seen := map[string]bool{}
	for {
		at := placeholder.FindStringIndex(rest)
		if at == nil {
			break
		}
		re.WriteString(regexp.QuoteMeta(rest[:at[0]]))
		name := strings.Trim(rest[at[0]:at[1]], "{}")
		switch expr, ok := placeholders[name]; {
		case name == "**/":
			re.WriteString(`(?:.*/)?`)
		case name == "*":
			re.WriteString(`[^/]*`)
		case name == "?":
			re.WriteString(`[^/]`)
		case !ok:
			return fmt.Errorf("pattern %q: use {date}, {doy}, {band}, {tile}, *, ? or **/", r.Pattern)
		case seen[name]:
			return fmt.Errorf("pattern %q has {%s} twice", r.Pattern, name)
		default:
			seen[name] = true
			re.WriteString(expr)
		}
		rest = rest[at[1]:]
	}
	re.WriteString(regexp.QuoteMeta(rest) + "$")
	ways := 0
	for _, given := range []bool{seen["date"], seen["doy"], r.Dates != "", r.Date != ""} {
		if given {
			ways++
		}
	}
	if ways != 1 {
		return fmt.Errorf("pattern %q: give either {date} or {doy} in it, a date or a dates file", r.Pattern)
	}
	if r.Date != "" {
		if _, err := parseDate(r.Date); err != nil {
			return err
		}
	}
	if r.Dates != "" && len(r.Bands) != 1 {
		return errors.New("a stack with a dates file needs exactly one entry in bands, which tells what all of them are")
	}
	if seen["band"] && len(r.Bands) > 0 && slices.ContainsFunc(r.Bands, func(b BandRule) bool { return b.Match == "" }) {
		return errors.New("with {band} in the pattern, bands must be chosen by match")
	}
	matched := 0
	for _, b := range r.Bands {
		if b.Match != "" {
			matched++
		}
		if err := b.check(); err != nil {
			return err
		}
	}
	if matched != 0 && matched != len(r.Bands) {
		return errors.New("bands must all be in the order of the file or all have match")
	}
	var err error
	r.re, err = regexp.Compile(re.String())
	return err
}

// check finds words that no band can have.
func (b BandRule) check() error {
	if b.Mask != "" {
		if _, ok := scene.MaskByName(b.Mask); !ok {
			return fmt.Errorf("mask %q is unknown; use scl, cloud or valid", b.Mask)
		}
	}
	switch b.Transform {
	case scene.Linear, scene.Decibel:
	default:
		return fmt.Errorf("transform %q is unknown; use %q", b.Transform, scene.Decibel)
	}
	switch b.Kind {
	case "", scene.Optical, scene.Derived, scene.Radar, scene.Mask, scene.Other:
	default:
		return fmt.Errorf("kind %q is unknown", b.Kind)
	}
	if _, err := path.Match(b.Match, ""); err != nil {
		return fmt.Errorf("match %q is no pattern", b.Match)
	}
	if b.Dilate < 0 || b.Dilate > 10000 || math.IsNaN(b.Dilate) {
		return errors.New("dilate_m must be 0 to 10000 metres")
	}
	if b.Threshold < 0 || math.IsNaN(b.Threshold) {
		return errors.New("threshold must be a number above 0")
	}
	_, _, err := b.classes()
	return err
}

var classWords = map[string]scene.Class{"clear": scene.Clear, "snow": scene.Snow, "cloud": scene.Cloud, "no_data": scene.NoData}

// classes reads the values and bits of a mask. Names begin with the word of their
// class, so that the catalogue is read back to the same classes.
func (b BandRule) classes() (values []scene.ClassOf, bits []scene.BitClass, err error) {
	read := func(class, name string) (scene.Class, string, error) {
		c, ok := classWords[class]
		if !ok {
			return 0, "", fmt.Errorf("class %q is unknown; use clear, snow, cloud or no_data", class)
		}
		if name == "" {
			name = class
		}
		if scene.ClassByName(name) != c {
			name = class + ": " + name
		}
		if scene.ClassByName(name) != c {
			return 0, "", fmt.Errorf("the name %q contradicts the class %s; choose another name", name, class)
		}
		return c, name, nil
	}
	for _, v := range b.Classes {
		c, name, err := read(v.Class, v.Name)
		if err != nil {
			return nil, nil, err
		}
		values = append(values, scene.ClassOf{Value: v.Value, Name: name, Class: c})
	}
	for _, v := range b.Bits {
		c, name, err := read(v.Class, v.Name)
		if err != nil {
			return nil, nil, err
		}
		out := scene.BitClass{Bit: v.Bit, Width: max(v.Width, 1), Value: 1, Name: name, Class: c}
		if v.Value != nil {
			out.Value = *v.Value
		}
		if out.Bit < 0 || v.Width < 0 || out.Bit > 31 || out.Width > 32-out.Bit || out.Value < 0 || out.Value>>out.Width != 0 {
			return nil, nil, fmt.Errorf("bit %d, width %d cannot hold %d in 32 bits", v.Bit, v.Width, out.Value)
		}
		bits = append(bits, out)
	}
	return values, bits, nil
}

// match reads the parts of a name, which is slash-separated and relative.
func (r *Rule) match(name string) (date, tile, band string, ok bool) {
	m := r.re.FindStringSubmatch(name)
	if m == nil {
		return "", "", "", false
	}
	date = r.Date
	for i, n := range r.re.SubexpNames() {
		switch n {
		case "date", "doy":
			date = m[i]
		case "tile":
			tile = m[i]
		case "band":
			band = m[i]
		}
	}
	return date, tile, band, true
}

// dateLayouts are the ways a date may be written in a name or a dates file.
var dateLayouts = []string{
	"20060102T150405", "2006-01-02T15:04:05", "2006-01-02T150405", "2006-01-02", "20060102",
	time.RFC3339, "2006-01-02 15:04:05", "2006002",
}

func parseDate(s string) (time.Time, error) {
	for _, l := range dateLayouts {
		if t, err := time.Parse(l, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, ErrLayout.With("why", fmt.Sprintf("%q is not a date of the calendar", s))
}

// parseDates reads the CSV of a stack: the time of every band, by its number.
// Columns are found by name: idx (or band), timestamp (or date, datetime).
func parseDates(r io.Reader) (map[int]time.Time, error) {
	c := csv.NewReader(r)
	c.FieldsPerRecord = -1
	rows, err := c.ReadAll()
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, errors.New("it is empty")
	}
	find := func(names ...string) int {
		return slices.IndexFunc(rows[0], func(h string) bool {
			return slices.Contains(names, strings.ToLower(strings.TrimSpace(h)))
		})
	}
	idx, at := find("idx", "band", "index"), find("timestamp", "date", "datetime")
	if idx < 0 || at < 0 {
		return nil, errors.New("it needs the columns idx and timestamp")
	}
	out := map[int]time.Time{}
	for i, row := range rows[1:] {
		if len(row) <= max(idx, at) {
			return nil, fmt.Errorf("line %d is too short", i+2)
		}
		n, err := strconv.Atoi(strings.TrimSpace(row[idx]))
		if err != nil || n < 1 {
			return nil, fmt.Errorf("line %d: %q is not a band number", i+2, row[idx])
		}
		t, err := parseDate(strings.TrimSpace(row[at]))
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+2, err)
		}
		if _, ok := out[n]; ok {
			return nil, fmt.Errorf("line %d: band %d is there twice", i+2, n)
		}
		out[n] = t
	}
	return out, nil
}

// band builds the description of one band of a file. position counts from 0,
// named is the {band} of the file name, if any. ok is false for bands to leave out.
func (r *Rule) band(position int, named string, in scene.RasterBand) (b scene.Band, ok bool, err error) {
	var l BandRule
	name := in.Description
	if named != "" {
		name = named
	}
	switch {
	case r.Dates != "":
		l = r.Bands[0]
		name = l.Name
	case len(r.Bands) > 0 && r.Bands[0].Match == "":
		if position >= len(r.Bands) {
			return scene.Band{}, false, nil
		}
		l = r.Bands[position]
	default:
		for _, c := range r.Bands {
			if fit, _ := path.Match(strings.ToLower(c.Match), strings.ToLower(name)); fit {
				l = c
				break
			}
		}
	}
	if l.Skip {
		return scene.Band{}, false, nil
	}
	if l.Name != "" {
		name = l.Name
	}
	if name == "" {
		return scene.Band{}, false, ErrLayout.With("why", fmt.Sprintf("band %d has no description in the file and no name in the layout", position+1))
	}
	custom := scene.BandByName(name)
	b = scene.Band{
		Key: l.Key, Name: name, Kind: l.Kind, Transform: l.Transform, DataType: in.DataType,
		Scale: in.Scale, Offset: in.Offset, NoData: in.NoData,
	}
	if b.Key == "" {
		b.Key = custom.Key
	}
	if b.Kind == "" {
		b.Kind = custom.Kind
	}
	if l.Scale != nil {
		b.Scale = *l.Scale
	}
	if l.Offset != nil {
		b.Offset = *l.Offset
	}
	if l.NoData != nil {
		b.NoData = l.NoData
	}
	if b.Classes, b.Bits, err = l.classes(); err != nil {
		return scene.Band{}, false, ErrLayout.With("why", err.Error())
	}
	b.Threshold, b.Dilate = l.Threshold, l.Dilate
	defined := len(b.Classes)+len(b.Bits) > 0 || b.Threshold > 0
	switch mask := cmp.Or(l.Mask, custom.Mask); {
	case defined:
		b.Kind = scene.Mask
	case l.Mask != "" || b.Kind == scene.Mask && mask != "":
		b.Kind = scene.Mask
		b.Classes, defined = scene.MaskByName(mask)
	}
	integer := !strings.HasPrefix(in.DataType, "float")
	switch {
	case b.Kind == scene.Mask && !defined:
		return scene.Band{}, false, ErrLayout.With("why", "band "+name+" is a mask of unknown classes; say mask scl, cloud or valid, or list classes, bits or a threshold")
	case b.Kind == scene.Optical && in.DataType == "uint8":
		return scene.Band{}, false, scene.ErrEightBit.With("band", name)
	case b.Kind == scene.Optical && integer && !in.HasScale && (l.Scale == nil || l.Offset == nil):
		return scene.Band{}, false, scene.ErrNoScale.With("band", name)
	}
	return b, true, nil
}
