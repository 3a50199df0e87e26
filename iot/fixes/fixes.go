// Package fixes reads files of positions and of fences: the CSV and GeoJSON of
// docs/formats/fixes.md, gzipped or not.
package fixes

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geojson"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/iot"
)

// What can be wrong with a file.
var (
	ErrFile   = fault.New(fault.Invalid, "fixes.file", "the file cannot be read: {why}")
	ErrColumn = fault.New(fault.Invalid, "fixes.column", "the file needs a column {column}; it has {has}")
	ErrValue  = fault.New(fault.Invalid, "fixes.value", "the value {value} of column {column} is not usable: {why}")
	ErrFence  = fault.New(fault.Invalid, "fixes.fence", "the fence is not usable: {why}")
)

// Fix is one row.
type Fix struct {
	Tag      string
	At       time.Time
	P        orb.Point // degrees, or metres where the file has x and y
	Accuracy float64   // m; 0 when the file does not say
	Speed    float64   // m/s, as the receiver measured it; 0 when the file does not say
	Line     int
	Row      []string // as in the file; valid until the next fix
}

// Reader reads fixes one by one.
type Reader struct {
	name   string
	csv    *csv.Reader
	header []string
	col    [len(columns)]int // as in columns; -1 where there is none
	scale  [2]float64        // of accuracy and speed, to m and m/s
	local  bool
}

// The names that a column may have, in lower case: tag, time, x, y, accuracy, speed.
var columns = [6][]string{
	{"tag", "calftag", "animal", "device", "id"},
	{"time", "datetime", "timestamp", "date", "ts"},
	{"lon", "longitude", "lng", "x"},
	{"lat", "latitude", "y"},
	{"acc_m", "accuracy", "accuracy_m", logger},
	{"speed_mps"},
}

// absent tells whether a cell says that there is no value.
func absent(cell string) bool {
	switch strings.ToLower(strings.TrimSpace(cell)) {
	case "", "na", "nan", "null", "-":
		return true
	}
	return false
}

// logger is the column by which the files of i-gotU loggers are known: the estimated
// horizontal error in cm. Their column Speed is in m/h.
const logger = "ehpe"

// NewReader reads the header. ErrColumn names what is missing.
func NewReader(r io.Reader, name string) (*Reader, error) {
	c := csv.NewReader(bufio.NewReaderSize(r, 1<<16))
	c.ReuseRecord = true
	header, err := c.Read()
	if err != nil {
		return nil, fault.CSV(ErrFile, name, err)
	}
	f := &Reader{name: name, csv: c, header: append([]string(nil), header...), scale: [2]float64{1, 1}}
	f.header[0] = strings.TrimPrefix(f.header[0], "\uFEFF")
	for i, names := range columns {
		f.col[i] = f.find(names...)
		if f.col[i] < 0 && i < 4 {
			return nil, ErrColumn.With("column", strings.Join(names, " or ")).With("has", strings.Join(f.header, ", ")).At("%s:1", name)
		}
	}
	f.local = strings.EqualFold(strings.TrimSpace(f.header[f.col[2]]), "x")
	if i := f.find(logger); i >= 0 && i == f.col[4] {
		f.scale[0] = 0.01
		if f.col[5] < 0 {
			f.col[5], f.scale[1] = f.find("speed"), 1.0/3600
		}
	}
	return f, nil
}

// find is the first column that has one of the names, or -1.
func (f *Reader) find(names ...string) int {
	for _, n := range names {
		for i, h := range f.header {
			if strings.EqualFold(strings.TrimSpace(h), n) {
				return i
			}
		}
	}
	return -1
}

// Header is the columns of the file.
func (f *Reader) Header() []string { return f.header }

// Local tells whether positions are metres (x, y) and not degrees.
func (f *Reader) Local() bool { return f.local }

// Next returns the next fix, or io.EOF.
func (f *Reader) Next() (Fix, error) {
	row, err := f.csv.Read()
	if errors.Is(err, io.EOF) {
		return Fix{}, io.EOF
	}
	if err != nil {
		return Fix{}, fault.CSV(ErrFile, f.name, err)
	}
	fix := Fix{Tag: row[f.col[0]], Row: row}
	fix.Line, _ = f.csv.FieldPos(0)
	bad := func(i int, why string) error {
		line, column := f.csv.FieldPos(f.col[i])
		return ErrValue.With("value", strconv.Quote(row[f.col[i]])).With("column", f.header[f.col[i]]).With("why", why).At("%s:%d:%d", f.name, line, column)
	}
	if fix.Tag == "" {
		return Fix{}, bad(0, "it is empty")
	}
	var ok bool
	if fix.At, ok = iot.ParseTime(row[f.col[1]]); !ok {
		return Fix{}, bad(1, "write it as 2026-05-31T08:00:00Z or as Unix milliseconds")
	}
	for i, limit := range [2]float64{180, 90} {
		if !f.local && absent(row[f.col[2+i]]) {
			fix.P = orb.Point{} // as other receivers write it that had no fix
			break
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(row[f.col[2+i]]), 64)
		if f.local {
			limit = 1e7
		}
		if err != nil || !(math.Abs(v) <= limit) {
			return Fix{}, bad(2+i, fmt.Sprintf("it must be a number between -%v and %v", limit, limit))
		}
		fix.P[i] = v
	}
	for i, to := range [2]*float64{&fix.Accuracy, &fix.Speed} {
		c := f.col[4+i]
		if c < 0 || absent(row[c]) {
			continue
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(row[c]), 64)
		if err != nil || !(v >= 0 && v <= math.MaxFloat32) {
			return Fix{}, bad(4+i, "it must be a number, 0 or more")
		}
		*to = v * f.scale[i]
	}
	return fix, nil
}

// Open opens a file and unpacks it when its name ends in .gz. ErrFile.
func Open(name string) (io.ReadCloser, error) {
	f, err := os.Open(name)
	if err != nil {
		why := err
		var p *fs.PathError
		if errors.As(err, &p) {
			why = p.Err
		}
		return nil, ErrFile.With("why", why).At("%s", name)
	}
	if !strings.HasSuffix(name, ".gz") {
		return f, nil
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, errors.Join(ErrFile.With("why", err).At("%s", name), f.Close())
	}
	return &zipped{z, f}, nil
}

type zipped struct {
	*gzip.Reader
	file *os.File
}

func (z *zipped) Close() error { return errors.Join(z.Reader.Close(), z.file.Close()) }

// ReadFence reads a fence of one or several pens: the polygons of a GeoJSON file, or a
// CSV of corners in order (x, y or lon, lat). Where the CSV has the columns object and
// pen, only rows whose object is "fence" count, and of them those of the pen; pen ""
// takes them all. Every ring is closed. ErrFence, ErrFile, ErrColumn, ErrValue.
func ReadFence(r io.Reader, name, pen string) (orb.MultiPolygon, error) {
	bad := func(why string) error { return ErrFence.With("why", why).At("%s", name) }
	base := strings.TrimSuffix(strings.ToLower(name), ".gz")
	var pens orb.MultiPolygon
	if strings.HasSuffix(base, ".csv") {
		var err error
		if pens, err = readCorners(r, name, pen); err != nil {
			return nil, err
		}
		if len(pens) == 0 && pen != "" {
			return nil, bad(fmt.Sprintf("it has no pen %q", pen))
		}
	} else {
		body, err := io.ReadAll(io.LimitReader(r, 64<<20))
		if err != nil {
			return nil, ErrFile.With("why", err).At("%s", name)
		}
		if pens, err = polygons(body); err != nil {
			return nil, bad(err.Error())
		}
	}
	if len(pens) == 0 {
		return nil, bad("it has no polygon")
	}
	for _, p := range pens {
		for i, ring := range p {
			if n := len(ring); n > 0 && ring[0] != ring[n-1] {
				ring = append(ring, ring[0])
				p[i] = ring
			}
			if len(ring) < 4 {
				return nil, bad("it needs at least three corners")
			}
			for _, c := range ring {
				if math.IsNaN(c[0]+c[1]) || math.IsInf(c[0]+c[1], 0) {
					return nil, bad("a corner is not a number")
				}
			}
		}
	}
	return pens, nil
}

// polygons takes those of a GeoJSON geometry, feature or collection.
func polygons(body []byte) (orb.MultiPolygon, error) {
	var geometries []orb.Geometry
	if c, err := geojson.UnmarshalFeatureCollection(body); err == nil {
		for _, f := range c.Features {
			geometries = append(geometries, f.Geometry)
		}
	} else if f, err := geojson.UnmarshalFeature(body); err == nil {
		geometries = append(geometries, f.Geometry)
	} else if g, err := geojson.UnmarshalGeometry(body); err == nil {
		geometries = append(geometries, g.Geometry())
	} else {
		return nil, errors.New("it is not GeoJSON")
	}
	var out orb.MultiPolygon
	for _, g := range geometries {
		switch g := g.(type) {
		case orb.Polygon:
			out = append(out, g)
		case orb.MultiPolygon:
			out = append(out, g...)
		}
	}
	return slices.DeleteFunc(out, func(p orb.Polygon) bool { return len(p) == 0 }), nil
}

// readCorners reads the ring of each pen, in the order in which the file names them.
func readCorners(r io.Reader, name, pen string) (orb.MultiPolygon, error) {
	c := csv.NewReader(r)
	header, err := c.Read()
	if err != nil {
		return nil, fault.CSV(ErrFile, name, err)
	}
	header[0] = strings.TrimPrefix(header[0], "\uFEFF")
	col := func(names ...string) int {
		for _, n := range names {
			for i, h := range header {
				if strings.EqualFold(strings.TrimSpace(h), n) {
					return i
				}
			}
		}
		return -1
	}
	x, y, object, penCol := col(columns[2]...), col(columns[3]...), col("object"), col("pen")
	for at, names := range map[int][]string{0: columns[2], 1: columns[3]} {
		if [2]int{x, y}[at] < 0 {
			return nil, ErrColumn.With("column", strings.Join(names, " or ")).With("has", strings.Join(header, ", ")).At("%s:1", name)
		}
	}
	var pens orb.MultiPolygon
	at := map[string]int{}
	for {
		row, err := c.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fault.CSV(ErrFile, name, err)
		}
		if object >= 0 && !strings.EqualFold(row[object], "fence") {
			continue
		}
		own := ""
		if penCol >= 0 {
			if own = row[penCol]; pen != "" && own != pen {
				continue
			}
		}
		var p orb.Point
		for i, j := range [2]int{x, y} {
			if p[i], err = strconv.ParseFloat(strings.TrimSpace(row[j]), 64); err != nil {
				line, column := c.FieldPos(j)
				return nil, ErrValue.With("value", strconv.Quote(row[j])).With("column", header[j]).With("why", "it must be a number").At("%s:%d:%d", name, line, column)
			}
		}
		i, known := at[own]
		if !known {
			i = len(pens)
			at[own], pens = i, append(pens, orb.Polygon{nil})
		}
		pens[i][0] = append(pens[i][0], p)
	}
	return pens, nil
}
