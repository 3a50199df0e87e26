package fixes_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/iot/fixes"
	"github.com/furrowcredit/furrow/iot/watch/fence"
)

func TestColumnNames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		header string
		local  bool
	}{
		{"tag,time,lon,lat", false}, {"calftag,dateTime,x,y", true}, {"\uFEFFAnimal,DateTime,Longitude,Latitude", false},
		{" Device , TS , LNG , LAT ", false},
	} {
		r, err := fixes.NewReader(strings.NewReader(c.header+"\na,1764000000000,1.5,2.5\na,2025-11-24 16:00:00,1,2\n"), "f.csv")
		if err != nil || r.Local() != c.local {
			t.Errorf("%q: %v", c.header, err)
			continue
		}
		fix, err := r.Next()
		if err != nil || fix.Tag != "a" || fix.P[0] != 1.5 || fix.P[1] != 2.5 || fix.At.UnixMilli() != 1764000000000 || fix.Line != 2 {
			t.Errorf("%q: %+v, %v", c.header, fix, err)
		}
		if fix, err = r.Next(); err != nil || fix.At.UnixMilli() != 1764000000000 {
			t.Errorf("%q: %+v, %v", c.header, fix, err)
		}
		if _, err := r.Next(); !errors.Is(err, io.EOF) {
			t.Error(err)
		}
	}
}

func TestReadFence(t *testing.T) {
	t.Parallel()
	const ring = `[[0,0],[1,0],[1,1],[0,0]]`
	for name, c := range map[string]struct {
		file, body, pen string
		corners         string // of each pen; "": refused
	}{
		"geometry":      {"f.json", `{"type":"Polygon","coordinates":[` + ring + `]}`, "", "4"},
		"feature":       {"f.geojson", `{"type":"Feature","properties":{},"geometry":{"type":"Polygon","coordinates":[` + ring + `]}}`, "", "4"},
		"multi":         {"f.json", `{"type":"MultiPolygon","coordinates":[[` + ring + `]]}`, "", "4"},
		"collection":    {"f.json", `{"type":"FeatureCollection","features":[{"type":"Feature","properties":{},"geometry":{"type":"MultiPolygon","coordinates":[[` + ring + `],[` + ring + `]]}}]}`, "", "4 4"},
		"open ring":     {"f.csv", "x,y\n0,0\n1,0\n1,1\n", "", "4"},
		"closed ring":   {"f.csv", "lon,lat\n0,0\n1,0\n1,1\n0,0\n", "", "4"},
		"pens":          {"f.csv", "Pen,Object,x,y\n1,fence,0,0\n1,water,9,9\n1,fence,1,0\n1,fence,1,1\n2,fence,5,5\n2,fence,6,5\n2,fence,6,6\n2,fence,5,6\n", "", "4 5"},
		"a pen too few": {"f.csv", "pen,x,y\n1,0,0\n1,1,0\n1,1,1\n2,5,5\n", "", ""},
		"the other pen": {"f.csv", "pen,x,y\n1,0,0\n2,0,0\n2,1,0\n2,1,1\n2,0,1\n", "2", "5"},
		"no such pen":   {"f.csv", "pen,x,y\n1,0,0\n", "3", ""},
		"infinite":      {"f.csv", "x,y\n0,0\n1,Inf\n1,1\n", "", ""},
		"point":         {"f.json", `{"type":"Point","coordinates":[1,2]}`, "", ""},
	} {
		p, err := fixes.ReadFence(strings.NewReader(c.body), c.file, c.pen)
		var corners []string
		for _, pen := range p {
			corners = append(corners, fmt.Sprint(len(pen[0])))
		}
		if got := strings.Join(corners, " "); (err == nil) != (c.corners != "") || got != c.corners {
			t.Errorf("%s: %v, %v", name, p, err)
		}
		if err != nil && !errors.Is(err, fault.Invalid) {
			t.Errorf("%s: %v is not the caller's fault", name, err)
		}
	}
}

func FuzzReader(f *testing.F) {
	f.Add([]byte("tag,time,lon,lat\na,1,2,3\n"))
	f.Add([]byte("calftag,x,y,dateTime\n570,38.74,192.62,2018-06-01T06:00:00Z\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		r, err := fixes.NewReader(bytes.NewReader(in), "f.csv")
		for err == nil {
			var fix fixes.Fix
			if fix, err = r.Next(); err == nil && (fix.Tag == "" || math.IsNaN(fix.P[0]+fix.P[1]+fix.Accuracy)) {
				t.Fatalf("%+v", fix)
			}
		}
		if !errors.Is(err, io.EOF) && !errors.Is(err, fault.Invalid) {
			t.Fatal(err)
		}
	})
}

func FuzzReadFence(f *testing.F) {
	f.Add([]byte(`{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}`), true)
	f.Add([]byte("pen,object,x,y\n1,fence,0,0\n"), false)
	f.Fuzz(func(t *testing.T, in []byte, asJSON bool) {
		name := "f.csv"
		if asJSON {
			name = "f.json"
		}
		p, err := fixes.ReadFence(bytes.NewReader(in), name, "")
		if err == nil && (len(p) == 0 || len(p[0][0]) < 4) {
			t.Fatal(p)
		}
	})
}

func ExampleReader() {
	r, _ := fixes.NewReader(strings.NewReader("tag,time,lon,lat\nA-1,2026-06-01T08:00:00Z,113.2,31.5\nA-1,soon,113.2,31.5\n"), "fixes.csv")
	fix, _ := r.Next()
	_, err := r.Next()
	fmt.Println(fix.Tag, fix.P)
	fmt.Println(err)
	// Output:
	// A-1 [113.2 31.5]
	// fixes.csv:3:5: the value "soon" of column time is not usable: write it as 2026-05-31T08:00:00Z or as Unix milliseconds
}

// Loggers write a row without a place where they had no fix: it is a fix to leave out,
// and no reason to refuse the file.
func TestRowsWithoutAFix(t *testing.T) {
	t.Parallel()
	const rows = "tag,lon,lat,acc_m,time\n" +
		"t1,,,,2026-06-01T00:00:00Z\n" + "t1,NA,NA,NA,2026-06-01T00:01:00Z\n" + "t1,113.2,NaN,,2026-06-01T00:02:00Z\n" + "t1,113.2,31.5,-,2026-06-01T00:03:00Z\n"
	r, err := fixes.NewReader(strings.NewReader(rows), "t.csv")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		f, err := r.Next()
		if err != nil || fence.IsZero(f.P) != (i < 3) || f.Accuracy != 0 {
			t.Errorf("row %d: %+v, %v", i, f, err)
		}
	}
}
