package register_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/airbusgeo/godal"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/register"
	"github.com/furrowcredit/furrow/geo/scene"
	"github.com/furrowcredit/furrow/internal/realdata"
)

const mixed = `{"type": "FeatureCollection", "features": [
	{"type": "Feature", "properties": {"DKMC": "东地", "CBFMC": "张三", "crop": "wheat"},
	 "geometry": {"type": "Polygon", "coordinates": [[[114, 34.7], [114.002, 34.7], [114.002, 34.702], [114, 34.702], [114, 34.7]]]}},
	{"type": "Feature", "properties": {"name": "with heights"},
	 "geometry": {"type": "Polygon", "coordinates": [[[114.01, 34.7, 80], [114.012, 34.7, 80], [114.012, 34.702, 81], [114.01, 34.7, 80]]]}},
	{"type": "Feature", "properties": {"name": "one part"},
	 "geometry": {"type": "MultiPolygon", "coordinates": [[[[114.02, 34.7], [114.022, 34.7], [114.022, 34.702], [114.02, 34.7]]]]}},
	{"type": "Feature", "properties": {"name": "two parts"},
	 "geometry": {"type": "MultiPolygon", "coordinates": [[[[114.03, 34.7], [114.032, 34.7], [114.032, 34.702], [114.03, 34.7]]], [[[114.04, 34.7], [114.042, 34.7], [114.042, 34.702], [114.04, 34.7]]]]}},
	{"type": "Feature", "properties": {"name": "knot"},
	 "geometry": {"type": "Polygon", "coordinates": [[[114, 34.71], [114.002, 34.712], [114.002, 34.71], [114, 34.712], [114, 34.71]]]}},
	{"type": "Feature", "properties": {"name": "point"}, "geometry": {"type": "Point", "coordinates": [114, 34.7]}},
	{"type": "Feature", "properties": {"name": "nothing"}, "geometry": null},
	{"type": "Feature", "properties": {"name": "3 m²"},
	 "geometry": {"type": "Polygon", "coordinates": [[[114, 34.7], [114.00002, 34.7], [114.00002, 34.70002], [114, 34.7]]]}},
	{"type": "Feature", "properties": {"name": "again"},
	 "geometry": {"type": "Polygon", "coordinates": [[[114, 34.7], [114, 34.702], [114.002, 34.702], [114.002, 34.7], [114, 34.7]]]}}
]}`

func TestEveryFeatureIsAccountedFor(t *testing.T) {
	t.Parallel()
	plots, refusals, err := register.Read(strings.NewReader(mixed), `C:\land\东村.geojson`)
	if err != nil {
		t.Fatal(err)
	}
	want := map[int]error{
		4: register.ErrParts, 5: geo.ErrSelfCrossing, 6: register.ErrShape, 7: register.ErrNoShape, 8: geo.ErrTooSmall, 9: register.ErrDuplicate,
	}
	if len(plots) != 3 || len(refusals) != len(want) {
		t.Fatalf("%d plots, refusals %+v", len(plots), refusals)
	}
	for _, r := range refusals {
		if !errors.Is(r.Err, want[r.Feature]) || r.Why == "" || r.Name == "" {
			t.Errorf("feature %d: %+v, want %v", r.Feature, r, want[r.Feature])
		}
	}
	p := plots[0]
	if p.Name != "东地" || p.OwnerName != "张三" || p.Crop != "wheat" || p.Source != "import:东村.geojson" || p.SourceCRS != "EPSG:4326" || math.Abs(p.Mu()-61) > 0.1 {
		t.Errorf("%+v", p)
	}
}

// shapefile writes a Shapefile in a Chinese system with GBK attributes and without
// a word about its encoding, as land offices send them, and zips it.
func shapefile(t *testing.T, epsg int, withPrj bool) []byte {
	t.Helper()
	scene.RegisterDrivers()
	dir := t.TempDir()
	path := filepath.Join(dir, "dk.shp")
	ds, err := godal.CreateVector(godal.Shapefile, path)
	if err != nil {
		t.Fatal(err)
	}
	sr, err := godal.NewSpatialRefFromEPSG(epsg)
	if err != nil {
		t.Fatal(err)
	}
	defer sr.Close()
	layer, err := ds.CreateLayer("dk", sr, godal.GTPolygon, godal.NewFieldDefinition("DKMC", godal.FTString), godal.NewFieldDefinition("CBFMC", godal.FTString))
	if err != nil {
		t.Fatal(err)
	}
	// 200 m by 100 m in zone 38 of the three-degree belts.
	g, err := godal.NewGeometryFromWKT("POLYGON((38500000 3840000, 38500200 3840000, 38500200 3840100, 38500000 3840100, 38500000 3840000))", sr)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	f, err := layer.NewFeature(g)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for name, value := range map[string]string{"DKMC": "AAAA", "CBFMC": "BBBB"} {
		if err := f.SetFieldValue(f.Fields()[name], value); err != nil {
			t.Fatal(err)
		}
	}
	if err := layer.UpdateFeature(f); err != nil {
		t.Fatal(err)
	}
	if err := ds.Close(); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, ext := range []string{"shp", "shx", "dbf", "prj"} {
		body, err := os.ReadFile(filepath.Join(dir, "dk."+ext))
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case ext == "prj" && !withPrj:
			continue
		case ext == "dbf": // put the Chinese in by hand, byte for byte
			for from, to := range map[string]string{"AAAA": "南湾", "BBBB": "李四"} {
				gbk, err := simplifiedchinese.GBK.NewEncoder().String(to)
				if err != nil {
					t.Fatal(err)
				}
				body = bytes.Replace(body, []byte(from), []byte(gbk), 1)
			}
			body[29] = 0 // no language driver
		}
		w, err := z.Create("dk." + ext)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(body); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestShapefileInGBKAndCGCS2000(t *testing.T) {
	t.Parallel()
	plots, refusals, err := register.Read(bytes.NewReader(shapefile(t, 4526, true)), "dk.zip")
	if err != nil || len(plots) != 1 || len(refusals) != 0 {
		t.Fatalf("%v, %v, %v", plots, refusals, err)
	}
	p := plots[0]
	if p.Name != "南湾" || p.OwnerName != "李四" || p.SourceCRS != "EPSG:4526" {
		t.Errorf("%+v", p)
	}
	if c := p.Polygon.Bound().Center(); math.Abs(c[0]-114.001) > 0.001 || math.Abs(c[1]-34.68) > 0.01 {
		t.Errorf("the plot lies at %v", c)
	}
	if math.Abs(p.AreaM2-20000) > 10 {
		t.Errorf("%v m² of 20000", p.AreaM2)
	}
}

func TestFilesThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, file string
		body       []byte
		want       error
	}{
		{"no map at all", "a.geojson", []byte("hello"), register.ErrFile},
		{"cut short", "a.geojson", []byte(mixed[:len(mixed)/2]), register.ErrFile},
		{"cut short", "a.gpkg", []byte("SQLite format 3\x00garbage"), register.ErrFile},
		{"empty", "a.geojson", nil, register.ErrFile},
		{"no features", "a.geojson", []byte(`{"type": "FeatureCollection", "features": []}`), register.ErrEmpty},
		{"no system", "dk.zip", shapefile(t, 4526, false), register.ErrNoCRS},
		{"a file that points to another", "a.vrt", []byte(`<OGRVRTDataSource><OGRVRTLayer name="x"><SrcDataSource>/etc/passwd</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>`), register.ErrFile},
		{"a broken zip", "dk.zip", []byte("PK"), register.ErrFile},
	} {
		t.Run(c.name+" "+c.file, func(t *testing.T) {
			t.Parallel()
			_, _, err := register.Read(bytes.NewReader(c.body), c.file)
			if !errors.Is(err, c.want) || !errors.Is(err, fault.Invalid) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if !strings.Contains(err.Error(), c.file) || strings.HasPrefix(err.Error(), os.TempDir()) {
				t.Errorf("the message does not name the file as the person knows it: %v", err)
			}
		})
	}
}

func TestRealLandRegister(t *testing.T) {
	t.Parallel()
	path := filepath.Join(realdata.Dir(t, "geo", "eolearn"), "lulc_vector.gpkg")
	plots, refusals, err := register.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(plots)+len(refusals) != 88 || len(plots) < 60 {
		t.Errorf("%d plots and %d refusals of 88 features", len(plots), len(refusals))
	}
	for _, r := range refusals {
		t.Log(r.Feature, r.Why)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(mixed))
	f.Add([]byte(`{"type": "Polygon", "coordinates": [[[114, 34.7], [114.002, 34.7], [114.002, 34.702], [114, 34.7]]]}`))
	f.Add([]byte(`{"type": "Feature", "properties": null, "geometry": {"type": "Polygon", "coordinates": []}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		plots, refusals, err := register.Read(bytes.NewReader(body), "fuzz.geojson")
		if err != nil {
			if !errors.Is(err, fault.Invalid) {
				t.Errorf("not a fault that a person can act on: %v", err)
			}
			return
		}
		if len(plots)+len(refusals) == 0 {
			t.Error("a file without features passed")
		}
		for _, p := range plots {
			if _, err := geo.ValidatePolygon(p.Polygon); err != nil || p.AreaM2 < geo.MinPlotM2 {
				t.Errorf("a plot that is not valid came out: %v, %+v", err, p)
			}
		}
	})
}
