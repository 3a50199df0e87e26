package register

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/airbusgeo/godal"

	"github.com/furrowcredit/furrow/geo/scene"
)

// shapes are the headers of the column with the boundary as WKT.
var shapes = []string{"wkt", "geom", "geometry", "the_geom", "shape", "polygon", "边界", "地块边界", "坐标", "坐标串", "图形", "几何", "空间坐标", "四至坐标"}

func isTable(path string) bool {
	ext := strings.ToLower(filepath.Ext(path))
	return ext == ".csv" || ext == ".tsv" || ext == ".txt"
}

// readTable reads a CSV file whose first row names the columns and one of whose
// columns holds WKT: by its header, else by what stands in it. The separator may be
// a comma, a semicolon or a tab.
func (f *File) readTable(path string) error {
	body, err := os.ReadFile(path)
	if err != nil {
		return ErrFile.At("%s", path).Because(err)
	}
	f.Encoding = decide("", func(yield func(string) bool) { yield(string(body)) })
	text := strings.TrimPrefix(f.Encoding.text(string(body)), "\uFEFF")
	if err := f.parseTable(text); err != nil {
		return atFile(err, path)
	}
	return nil
}

func (f *File) parseTable(text string) error {
	head, _, _ := strings.Cut(text, "\n")
	r := csv.NewReader(bytes.NewReader([]byte(text)))
	r.FieldsPerRecord, r.LazyQuotes = -1, true
	r.Comma = ','
	for _, c := range ";\t" {
		if strings.Count(head, string(c)) > strings.Count(head, string(r.Comma)) {
			r.Comma = c
		}
	}
	names, err := r.Read()
	if errors.Is(err, io.EOF) {
		return ErrEmpty
	}
	if err != nil {
		return ErrFile.Because(err)
	}
	for i := range names {
		names[i] = strings.TrimSpace(names[i])
	}
	at := shapeColumn(names)
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return ErrFile.Because(err)
		}
		if at < 0 {
			if at = wktIn(row); at < 0 {
				return ErrNoColumn.With("columns", strings.Join(names, ", "))
			}
		}
		ft := Feature{Number: len(f.Features) + 1, Fields: map[string]string{}}
		for i, v := range row {
			if i != at && i < len(names) {
				ft.Fields[names[i]] = strings.TrimSpace(v)
			}
		}
		if at < len(row) {
			f.placeWKT(&ft, row[at])
		} else {
			ft.Err = ErrNoShape
		}
		f.Features = append(f.Features, ft)
	}
}

func shapeColumn(names []string) int {
	for _, want := range shapes {
		for i, n := range names {
			if name, _ := header(n); name == want {
				return i
			}
		}
	}
	return -1
}

// wktIn finds the first cell that looks like a polygon in WKT.
func wktIn(row []string) int {
	for i, v := range row {
		v = strings.ToUpper(strings.TrimSpace(v))
		if strings.HasPrefix(v, "SRID=") || strings.HasPrefix(v, "POLYGON") || strings.HasPrefix(v, "MULTIPOLYGON") {
			return i
		}
	}
	return -1
}

// placeWKT reads WKT, with "SRID=n;" before it or without. All rows must agree in
// their system.
func (f *File) placeWKT(ft *Feature, wkt string) {
	wkt = strings.TrimSpace(wkt)
	if len(wkt) > 5 && strings.EqualFold(wkt[:5], "SRID=") {
		srid, rest, _ := strings.Cut(wkt[5:], ";")
		n, err := strconv.Atoi(strings.TrimSpace(srid))
		crs := fmt.Sprintf("EPSG:%d", n)
		switch {
		case err != nil:
			ft.Err = ErrNoShape.Because(fmt.Errorf("%q is no number of a system", srid))
			return
		case f.CRS == "":
			f.CRS = crs
		case f.CRS != crs:
			ft.Err = ErrNoShape.Because(fmt.Errorf("it lies in %s, the rows before it in %s", crs, f.CRS))
			return
		}
		wkt = rest
	}
	if wkt == "" {
		ft.Err = ErrNoShape
		return
	}
	scene.RegisterDrivers()
	g, err := godal.NewGeometryFromWKT(wkt, nil, godal.ErrLogger(scene.Failures))
	if err != nil {
		ft.Err = ErrNoShape.Because(err)
		return
	}
	defer g.Close()
	ft.place(g)
}
