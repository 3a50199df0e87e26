package register_test

import (
	"archive/zip"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/airbusgeo/godal"
	"github.com/paulmach/orb"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/datum"
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

// shp says what the Shapefile of a test is like.
type shp struct {
	epsg   int     // of its .prj, 0 for none
	x, y   float64 // south-west corner, the default in zone 38 of three-degree belts
	cpg    string  // "" for none
	driver byte    // language driver id of the table
	encode func(string) (string, error)
}

// shapefile writes a Shapefile with one field of 200 m by 100 m, its attributes in
// GBK and without a word about it unless told otherwise, as land offices send them,
// and zips it.
func shapefile(t *testing.T, o shp) []byte {
	t.Helper()
	scene.RegisterDrivers()
	dir := t.TempDir()
	path := filepath.Join(dir, "dk.shp")
	ds, err := godal.CreateVector(godal.Shapefile, path)
	if err != nil {
		t.Fatal(err)
	}
	sr, err := godal.NewSpatialRefFromEPSG(cmp.Or(o.epsg, 4526))
	if err != nil {
		t.Fatal(err)
	}
	defer sr.Close()
	layer, err := ds.CreateLayer("dk", sr, godal.GTPolygon, godal.NewFieldDefinition("DKMC", godal.FTString), godal.NewFieldDefinition("CBFMC", godal.FTString))
	if err != nil {
		t.Fatal(err)
	}
	x, y := cmp.Or(o.x, 38500000), cmp.Or(o.y, 3840000)
	g, err := godal.NewGeometryFromWKT(fmt.Sprintf("POLYGON((%[1]f %[2]f, %[3]f %[2]f, %[3]f %[4]f, %[1]f %[4]f, %[1]f %[2]f))", x, y, x+200, y+100), sr)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	f, err := layer.NewFeature(g)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for name, value := range map[string]string{"DKMC": "AAAAAAAA", "CBFMC": "BBBBBBBB"} {
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
	if o.encode == nil {
		o.encode = simplifiedchinese.GBK.NewEncoder().String
	}
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	add := func(name string, body []byte) {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(body); err != nil {
			t.Fatal(err)
		}
	}
	for _, ext := range []string{"shp", "shx", "dbf", "prj"} {
		body, err := os.ReadFile(filepath.Join(dir, "dk."+ext))
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case ext == "prj" && o.epsg == 0:
			continue
		case ext == "dbf": // put the Chinese in by hand, byte for byte
			for from, to := range map[string]string{"AAAAAAAA": "南湾", "BBBBBBBB": "李四"} {
				text, err := o.encode(to)
				if err != nil {
					t.Fatal(err)
				}
				body = bytes.Replace(body, []byte(from), []byte(text + "        ")[:8], 1)
			}
			body[29] = o.driver
		}
		add("dk."+ext, body)
	}
	if o.cpg != "" {
		add("dk.cpg", []byte(o.cpg))
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestEncodings(t *testing.T) {
	t.Parallel()
	utf8 := func(s string) (string, error) { return s, nil }
	big5 := traditionalchinese.Big5.NewEncoder().String
	for _, c := range []struct {
		name  string
		o     shp
		want  register.Encoding
		notes int
	}{
		{"GBK that says nothing", shp{}, register.GBK, 0},
		{"GBK by .cpg", shp{cpg: "GBK"}, register.GBK, 0},
		{"GBK by code page", shp{cpg: "936\n"}, register.GBK, 0},
		{"GBK by language driver", shp{driver: 0x4D}, register.GBK, 0},
		{"GBK with a western language driver", shp{driver: 0x57}, register.GBK, 0},
		{"GBK that says UTF-8", shp{cpg: "UTF-8"}, register.GBK, 1},
		{"UTF-8 by .cpg", shp{cpg: "utf-8", encode: utf8}, register.UTF8, 0},
		{"UTF-8 that says nothing", shp{encode: utf8}, register.UTF8, 0},
		{"Big5 by .cpg", shp{cpg: "950", encode: big5}, register.Big5, 0},
		{"Big5 by language driver", shp{driver: 0x78, encode: big5}, register.Big5, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			want := [2]string{"南湾", "李四"}
			c.o.epsg = 4526
			if c.want == register.Big5 { // which has no 湾
				c.o.encode = func(string) (string, error) { return big5("東園") }
				want = [2]string{"東園", "東園"}
			}
			res, err := register.Load(bytes.NewReader(shapefile(t, c.o)), "dk.zip", register.Options{})
			if err != nil || len(res.Plots) != 1 {
				t.Fatalf("%+v, %v", res, err)
			}
			if p := res.Plots[0]; res.Encoding != c.want || [2]string{p.Name, p.OwnerName} != want || len(res.Notes) != c.notes {
				t.Errorf("%s %q %q %+v, want %s %q", res.Encoding, p.Name, p.OwnerName, res.Notes, c.want, want)
			}
		})
	}
}

func TestSystems(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		o    shp
		crs  string
		want string
		err  error
		note string
	}{
		{"zone in the easting", shp{epsg: 4526}, "", "EPSG:4526", nil, ""},
		{"middle meridian", shp{epsg: 4547, x: 500000}, "", "EPSG:4547", nil, ""},
		{"the .prj has no zone, the easting has", shp{epsg: 4547}, "", "EPSG:4526", nil, "zone"},
		{"the .prj has a zone, the easting has none", shp{epsg: 4526, x: 500000}, "", "EPSG:4547", nil, "zone"},
		{"six-degree belt", shp{epsg: 4498, x: 20224930, y: 3843000}, "", "EPSG:4498", nil, ""},
		{"north before east", shp{epsg: 4526, x: 3840000, y: 38500000}, "", "EPSG:4526", nil, "axes"},
		{"another zone", shp{epsg: 4526, x: 39500000}, "", "", register.ErrZone, ""},
		{"told", shp{}, "EPSG:4526", "EPSG:4526", nil, ""},
		{"told by its number", shp{}, "4526", "EPSG:4526", nil, ""},
		{"told otherwise", shp{epsg: 4527}, "4526", "EPSG:4526", nil, ""},
		{"no such system", shp{}, "EPSG:999999", "", register.ErrCRS, ""},
		{"no name of a system", shp{}, "/etc/passwd", "", register.ErrCRS, ""},
		{"not told", shp{x: 300000}, "", "", register.ErrNoCRS, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			res, err := register.Load(bytes.NewReader(shapefile(t, c.o)), "dk.zip", register.Options{CRS: c.crs})
			if !errors.Is(err, c.err) || (err == nil) != (c.err == nil) {
				t.Fatalf("%v, want %v", err, c.err)
			}
			if err != nil {
				return
			}
			if len(res.Plots) != 1 {
				t.Fatalf("%+v", res)
			}
			p := res.Plots[0]
			if p.SourceCRS != c.want || c.note == "" != (len(res.Notes) == 0) || c.note != "" && res.Notes[0].What != c.note {
				t.Errorf("%s, %+v, want %s", p.SourceCRS, res.Notes, c.want)
			}
			at := p.Polygon.Bound().Center()
			if math.Abs(at[0]-114.001) > 0.02 || math.Abs(at[1]-34.68) > 0.02 || math.Abs(p.AreaM2-20000) > 60 {
				t.Errorf("the plot lies at %v and has %v m²", at, p.AreaM2)
			}
		})
	}
}

// A field drawn on a public map lies hundreds of metres off until it is put back.
func TestShiftedSystems(t *testing.T) {
	t.Parallel()
	want := orb.Point{114.001, 34.701}
	for crs, shift := range map[string]func(orb.Point) orb.Point{"gcj02": datum.ToGCJ02, "BD-09": datum.ToBD09} {
		p := shift(want)
		body := fmt.Sprintf("name,wkt\nA,\"POLYGON((%[1]f %[2]f,%[3]f %[2]f,%[3]f %[4]f,%[1]f %[2]f))\"\nabroad,\"POLYGON((2 48,2.002 48,2.002 48.002,2 48))\"\n", p[0], p[1], p[0]+0.002, p[1]+0.002)
		res, err := register.Load(strings.NewReader(body), "a.csv", register.Options{CRS: crs})
		if err != nil || len(res.Plots) != 1 || len(res.Refusals) != 1 || !errors.Is(res.Refusals[0].Err, register.ErrPlace) {
			t.Fatalf("%s: %+v, %v", crs, res, err)
		}
		if got := res.Plots[0].Polygon[0][0]; math.Hypot(got[0]-want[0], got[1]-want[1]) > 1e-6 || res.Plots[0].SourceCRS == geo.WGS84 {
			t.Errorf("%s: %v, want %v, of %s", crs, got, want, res.Plots[0].SourceCRS)
		}
	}
}

func TestTables(t *testing.T) {
	t.Parallel()
	const wkt = "POLYGON((114 34.7,114.002 34.7,114.002 34.702,114 34.702,114 34.7))" // 60.98 mu
	gbk, err := simplifiedchinese.GBK.NewEncoder().String("地块名称,承包方名称,合同面积（亩）,边界\n东地,张三,58.5,\"" + wkt + "\"\n")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, body, crs string
		want            geo.Plot
		err             error
	}{
		{"plain", "name,owner,wkt\n东地,张三,\"" + wkt + "\"\n", "4490", geo.Plot{Name: "东地", OwnerName: "张三"}, nil},
		{"Chinese headers in GBK", gbk, "4490", geo.Plot{Name: "东地", OwnerName: "张三", ClaimedM2: 58.5 * geo.M2PerMu}, nil},
		{"byte-order mark and semicolons", "\uFEFF地块名称;坐标;户主;承包方编码\n东地;" + wkt + ";张三;410122001\n", "4490", geo.Plot{Name: "东地", OwnerName: "张三", OwnerID: "410122001"}, nil},
		{"tabs, and a column that only holds WKT", "name\twhere\n东地\t" + wkt + "\n", "4490", geo.Plot{Name: "东地"}, nil},
		{"heights and a system in the cell", "name,geom\n东地,\"SRID=4490;POLYGON Z((114 34.7 80,114.002 34.7 80,114.002 34.702 81,114 34.702 80,114 34.7 80))\"\n", "", geo.Plot{Name: "东地"}, nil},
		{"units in the header", "name,面积(公顷),wkt\n东地,3.9,\"" + wkt + "\"\n", "4490", geo.Plot{Name: "东地", ClaimedM2: 39000}, nil},
		{"units in the cell", "name,承包面积,wkt\n东地,５９.２亩,\"" + wkt + "\"\n", "4490", geo.Plot{Name: "东地", ClaimedM2: 59.2 * geo.M2PerMu}, nil},
		{"units by the size", "name,合同面积,wkt\n东地,57,\"" + wkt + "\"\n", "4490", geo.Plot{Name: "东地", ClaimedM2: 57 * geo.M2PerMu}, nil},
		{"no unit fits", "name,面积,wkt\n东地,500,\"" + wkt + "\"\n", "4490", geo.Plot{Name: "东地"}, nil},
		{"the contract before the survey", "name,scmj,htmjm,作物,wkt\n东地,40000,57,wheat,\"" + wkt + "\"\n", "4490", geo.Plot{Name: "东地", Crop: "wheat", ClaimedM2: 57 * geo.M2PerMu}, nil},
		{"no system", "name,wkt\n东地,\"" + wkt + "\"\n", "", geo.Plot{}, register.ErrNoCRSDegrees},
		{"no boundary", "name,wkd\n东地,x\n", "4490", geo.Plot{}, register.ErrNoColumn},
		{"only a header", "name,wkt\n", "4490", geo.Plot{}, register.ErrEmpty},
		{"empty", "", "4490", geo.Plot{}, register.ErrEmpty},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			res, err := register.Load(strings.NewReader(c.body), "a.csv", register.Options{CRS: c.crs})
			if !errors.Is(err, c.err) || (err == nil) != (c.err == nil) {
				t.Fatalf("%v, want %v", err, c.err)
			}
			if err != nil {
				return
			}
			if len(res.Plots) != 1 {
				t.Fatalf("%+v", res)
			}
			p := res.Plots[0]
			if math.Abs(p.Mu()-60.98) > 0.01 || p.SourceCRS != "EPSG:4490" || math.Abs(p.ClaimedM2-c.want.ClaimedM2) > 1e-6 {
				t.Errorf("%+v: %v mu, %v m² claimed, want %v", p, p.Mu(), p.ClaimedM2, c.want.ClaimedM2)
			}
			if p.Name != c.want.Name || p.OwnerName != c.want.OwnerName || p.OwnerID != c.want.OwnerID || p.Crop != c.want.Crop {
				t.Errorf("%+v, want %+v", p, c.want)
			}
		})
	}
}

// Features with several parts become several plots when asked, and the account
// still closes.
func TestSplitAndRepair(t *testing.T) {
	t.Parallel()
	res, err := register.Load(strings.NewReader(mixed), "a.geojson", register.Options{Split: true})
	if err != nil {
		t.Fatal(err)
	}
	if res.Features != 9 || res.Extra != 1 || len(res.Plots)+len(res.Refusals) != res.Features+res.Extra || len(res.Numbers) != len(res.Plots) {
		t.Fatalf("%+v", res)
	}
	if a, b := res.Plots[3], res.Plots[4]; a.Name != "two parts-1" || b.Name != "two parts-2" || res.Numbers[4] != 4 {
		t.Errorf("%+v %+v", a, b)
	}
	knot := "name,wkt\nA,\"POLYGON((114 34.7,114.002 34.7,114.002 34.702,114 34.702,114.00002 34.70002,114.00004 34.6999,114 34.7))\"\n"
	res, err = register.Load(strings.NewReader(knot), "a.csv", register.Options{CRS: "4490"})
	if err != nil || len(res.Plots) != 1 || len(res.Repairs) != 1 {
		t.Fatalf("%+v, %v", res, err)
	}
	if m := res.Repairs[0]; m.What != geo.MendSelfCrossing || m.Name != "A" || m.Feature != 1 || m.M2 <= 0 || m.M2 > 0.01*res.Plots[0].AreaM2 {
		t.Errorf("%+v", m)
	}
}

func TestShapefileInGBKAndCGCS2000(t *testing.T) {
	t.Parallel()
	plots, refusals, err := register.Read(bytes.NewReader(shapefile(t, shp{epsg: 4526})), "dk.zip")
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
		{"no system", "dk.zip", shapefile(t, shp{}), register.ErrNoCRSZone},
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

func FuzzTable(f *testing.F) {
	f.Add([]byte("name,wkt\nA,\"POLYGON((114 34.7,114.002 34.7,114.002 34.702,114 34.7))\"\n"))
	f.Add([]byte("坐标;面积(亩)\nSRID=4490;POLYGON((0 0,1 1,1 0,0 0));3\n"))
	f.Add([]byte("a\tb\nMULTIPOLYGON(((1 2,3 4,5 6,1 2)))\t\"\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		res, err := register.Load(bytes.NewReader(body), "fuzz.csv", register.Options{CRS: "EPSG:4490", Split: true})
		if err != nil {
			if !errors.Is(err, fault.Invalid) {
				t.Errorf("not a fault that a person can act on: %v", err)
			}
			return
		}
		if len(res.Plots)+len(res.Refusals) != res.Features+res.Extra {
			t.Errorf("%d plots and %d refusals of %d features and %d parts", len(res.Plots), len(res.Refusals), res.Features, res.Extra)
		}
	})
}

func FuzzSystem(f *testing.F) {
	for _, s := range []string{"4526", "EPSG:4490", "gcj02", "GEOGCS[\"x\"]", "EPSG:", "-1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if _, err := register.System(s); err != nil && !errors.Is(err, register.ErrCRS) {
			t.Error(err)
		}
	})
}
