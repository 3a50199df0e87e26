package scene

import (
	"bytes"
	"embed"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// LayoutFile is the name of the sidecar that describes a folder of rasters.
const LayoutFile = "furrow-scenes.json"

//go:embed layouts/*.json
var layouts embed.FS

// Layout describes how a folder names its rasters and what lies in them. See
// docs/formats/scene-folder.md.
type Layout struct {
	Collection string       `json:"collection"`
	Title      string       `json:"title,omitempty"`
	Files      []LayoutRule `json:"files"`
}

// LayoutRule describes the files of one name pattern.
type LayoutRule struct {
	Pattern    string       `json:"pattern"`              // "S2_{tile}_{date}.tif"; {band} for one band a file; * for any letters
	Collection string       `json:"collection,omitempty"` // when it differs from the layout's
	Bands      []LayoutBand `json:"bands,omitempty"`      // in the order of the file, or by match; absent: as the files describe them
	Dates      string       `json:"dates,omitempty"`      // CSV beside the file: one row a band of a stack, columns idx and timestamp
	re         *regexp.Regexp
}

// LayoutBand describes one band of a file, or all bands whose description fits
// Match. What it leaves out comes from the file and from the custom of the name.
type LayoutBand struct {
	Match     string    `json:"match,omitempty"` // pattern with * against the description in the file
	Name      string    `json:"name,omitempty"`
	Key       string    `json:"key,omitempty"` // STAC common name
	Kind      Kind      `json:"kind,omitempty"`
	Scale     *float64  `json:"scale,omitempty"`
	Offset    *float64  `json:"offset,omitempty"`
	NoData    *float64  `json:"nodata,omitempty"`
	Transform Transform `json:"transform,omitempty"`
	Mask      string    `json:"mask,omitempty"` // "scl", "cloud", "valid"
	Skip      bool      `json:"skip,omitempty"`
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
	if !plainName.MatchString(l.Collection) {
		return Layout{}, ErrLayout.With("why", "collection must be a name of letters, digits, - and _")
	}
	if len(l.Files) == 0 {
		return Layout{}, ErrLayout.With("why", "files is empty")
	}
	for i := range l.Files {
		if err := l.Files[i].prepare(l.Collection); err != nil {
			return Layout{}, ErrLayout.At("files[%d]", i).With("why", err.Error())
		}
	}
	return l, nil
}

var plainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*$`)

var placeholders = map[string]string{
	"date": `(?P<date>\d{8}T\d{6}|\d{4}-\d{2}-\d{2}T\d{2}:?\d{2}:?\d{2}|\d{4}-\d{2}-\d{2}|\d{8})`,
	"band": `(?P<band>[A-Za-z0-9]+)`,
	"tile": `(?P<tile>[A-Za-z0-9]+)`,
}

var placeholder = regexp.MustCompile(`\{[a-z]*\}|\*`)

func (r *LayoutRule) prepare(collection string) error {
	if r.Collection == "" {
		r.Collection = collection
	}
	if !plainName.MatchString(r.Collection) {
		return errors.New("collection must be a name of letters, digits, - and _")
	}
	var re strings.Builder
	re.WriteString("^")
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
		case name == "*":
			re.WriteString(`[^/]*`)
		case !ok:
			return fmt.Errorf("pattern %q: use {date}, {band}, {tile} or *", r.Pattern)
		case seen[name]:
			return fmt.Errorf("pattern %q has {%s} twice", r.Pattern, name)
		default:
			seen[name] = true
			re.WriteString(expr)
		}
		rest = rest[at[1]:]
	}
	re.WriteString(regexp.QuoteMeta(rest) + "$")
	if seen["date"] == (r.Dates != "") {
		return fmt.Errorf("pattern %q: give either {date} in it or a dates file", r.Pattern)
	}
	if r.Dates != "" && len(r.Bands) != 1 {
		return errors.New("a stack with a dates file needs exactly one entry in bands, which tells what all of them are")
	}
	if seen["band"] && len(r.Bands) > 0 && slices.ContainsFunc(r.Bands, func(b LayoutBand) bool { return b.Match == "" }) {
		return errors.New("with {band} in the pattern, bands must be chosen by match")
	}
	matched := 0
	for _, b := range r.Bands {
		if b.Match != "" {
			matched++
		}
		if b.Mask != "" {
			if _, ok := maskByName(b.Mask); !ok {
				return fmt.Errorf("mask %q is unknown; use scl, cloud or valid", b.Mask)
			}
		}
		if b.Transform != Linear && b.Transform != Decibel {
			return fmt.Errorf("transform %q is unknown; use %q", b.Transform, Decibel)
		}
		switch b.Kind {
		case "", Optical, Derived, Radar, Mask, Other:
		default:
			return fmt.Errorf("kind %q is unknown", b.Kind)
		}
	}
	if matched != 0 && matched != len(r.Bands) {
		return errors.New("bands must all be in the order of the file or all have match")
	}
	var err error
	r.re, err = regexp.Compile(re.String())
	return err
}

// match reads the parts of a name, which is slash-separated and relative.
func (r *LayoutRule) match(name string) (date, tile, band string, ok bool) {
	m := r.re.FindStringSubmatch(name)
	if m == nil {
		return "", "", "", false
	}
	for i, n := range r.re.SubexpNames() {
		switch n {
		case "date":
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
	time.RFC3339, "2006-01-02 15:04:05",
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

// LayoutNames lists the built-in layouts, in the order in which they are tried.
func LayoutNames() []string { return []string{"worldcereal", "eolearn", "furrow"} }

// builtinLayout reads a layout of the binary.
func builtinLayout(name string) (Layout, error) {
	if !slices.Contains(LayoutNames(), name) {
		return Layout{}, ErrLayout.With("why", fmt.Sprintf("there is no layout %q; use auto, %s, or a path to a %s", name, strings.Join(LayoutNames(), ", "), LayoutFile))
	}
	body, err := layouts.ReadFile("layouts/" + name + ".json")
	if err != nil {
		return Layout{}, err
	}
	return ParseLayout(body)
}

// band builds the description of one band of a file. position counts from 0,
// named is the {band} of the file name, if any. ok is false for bands to leave out.
func (r *LayoutRule) band(position int, named string, in RasterBand) (b Band, ok bool, err error) {
	var l LayoutBand
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
			return Band{}, false, nil
		}
		l = r.Bands[position]
	default:
		for _, c := range r.Bands {
			if fit, _ := path.Match(c.Match, name); fit {
				l = c
				break
			}
		}
	}
	if l.Skip {
		return Band{}, false, nil
	}
	if l.Name != "" {
		name = l.Name
	}
	if name == "" {
		return Band{}, false, ErrLayout.With("why", fmt.Sprintf("band %d has no description in the file and no name in the layout", position+1))
	}
	custom := bandByName(name)
	b = Band{
		Key: l.Key, Name: name, Kind: l.Kind, Transform: l.Transform, DataType: in.DataType,
		Scale: in.Scale, Offset: in.Offset, NoData: in.NoData,
	}
	if b.Key == "" {
		b.Key = custom.key
	}
	if b.Kind == "" {
		b.Kind = custom.kind
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
	mask := l.Mask
	if mask == "" && b.Kind == Mask {
		mask = maskOf[b.Key]
	}
	if mask != "" {
		b.Kind = Mask
		b.Classes, _ = maskByName(mask)
	}
	integer := !strings.HasPrefix(in.DataType, "float")
	switch {
	case b.Kind == Mask && b.Classes == nil:
		return Band{}, false, ErrLayout.With("why", "band "+name+" is a mask of unknown classes; say mask scl, cloud or valid")
	case b.Kind == Optical && integer && !in.HasScale && (l.Scale == nil || l.Offset == nil):
		return Band{}, false, ErrNoScale.With("band", name)
	}
	return b, true, nil
}
