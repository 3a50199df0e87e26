package scene_test

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/airbusgeo/godal"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/geo/scene"
	"github.com/furrowcredit/furrow/geo/scene/index"
	"github.com/furrowcredit/furrow/internal/realdata"
)

var ctx = context.Background()

// layer is one band of a test raster.
type layer struct {
	name          string
	scale, offset float64 // both 0: not stated
	nodata        float64 // NaN: none
	values        func(x, y int) float64
}

func flat(v float64) func(x, y int) float64 { return func(int, int) float64 { return v } }

// write makes a GeoTIFF of w × h pixels of the size px in UTM zone 50N.
func write(t *testing.T, path string, w, h int, px float64, dtype godal.DataType, layers ...layer) {
	t.Helper()
	scene.RegisterDrivers()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	ds, err := godal.Create(godal.GTiff, path, len(layers), dtype, w, h, godal.CreationOption("TILED=YES", "BLOCKXSIZE=64", "BLOCKYSIZE=64"))
	if err != nil {
		t.Fatal(err)
	}
	sr, err := godal.NewSpatialRefFromEPSG(32650)
	if err != nil {
		t.Fatal(err)
	}
	defer sr.Close()
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	must(ds.SetSpatialRef(sr))
	must(ds.SetGeoTransform([6]float64{500000, px, 0, 4000000, 0, -px}))
	for i, l := range layers {
		b := ds.Bands()[i]
		must(b.SetDescription(l.name))
		if l.scale != 0 {
			must(b.SetScaleOffset(l.scale, l.offset))
		}
		if !math.IsNaN(l.nodata) {
			must(b.SetNoData(l.nodata))
		}
		buf := make([]float64, w*h)
		for k := range buf {
			buf[k] = l.values(k%w, k/w)
		}
		must(b.Write(0, 0, buf, w, h))
	}
	must(ds.Close())
}

func open(t *testing.T, cfg index.Config) (*scene.Catalogue, index.Result) {
	t.Helper()
	res, err := index.Run(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Out == "" {
		cfg.Out = cfg.Dir
	}
	cat, err := scene.Open(cfg.Out)
	if err != nil {
		t.Fatal(err)
	}
	return cat, res
}

func read(t *testing.T, cat *scene.Catalogue, id string, w scene.Window, bands ...string) scene.Block {
	t.Helper()
	it, err := cat.Item(id)
	if err != nil {
		t.Fatal(err)
	}
	r, err := cat.Reader(it, bands)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := r.Read(ctx, w)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.IsNaN(got) != math.IsNaN(want) || math.Abs(got-want) > 1e-9 {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestPlainConvention(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	nan := math.NaN()
	// 10 m bands in one file, the 20 m classification and radar in others.
	write(t, filepath.Join(dir, "T1_20260411.tif"), 100, 80, 10, godal.UInt16,
		layer{"B04", 1e-4, -0.1, 0, func(x, y int) float64 {
			if x == 5 && y == 6 {
				return 0
			}
			return 2000
		}},
		layer{"B08", 1e-4, -0.1, 0, flat(5000)})
	write(t, filepath.Join(dir, "T1_20260411_SCL.tif"), 50, 40, 20, godal.Byte,
		layer{"", 0, 0, nan, func(x, y int) float64 {
			return map[int]float64{0: 9, 1: 11, 2: 3, 3: 6, 4: 77}[x]*b2f(x < 5) + 4*b2f(x >= 5)
		}})
	write(t, filepath.Join(dir, "T1_20260412_VV.tif"), 100, 80, 10, godal.Float32, layer{"", 0, 0, nan, flat(-11.5)})
	cat, res := open(t, index.Config{Dir: dir})
	if res.Items != 2 || res.Used != 3 || res.Layout != "furrow" || len(res.Refused)+len(res.Ignored) != 0 {
		t.Fatalf("%+v", res)
	}
	it := cat.Items()[0]
	if it.ID != "scenes_T1_20260411" || !it.Time.Equal(time.Date(2026, 4, 11, 0, 0, 0, 0, time.UTC)) || !it.Has("red", "nir", "scl") {
		t.Errorf("item %s at %v with %v", it.ID, it.Time, it.Bands)
	}
	if it.Grid.Transform[1] != 10 || it.Grid.CRS != "EPSG:32650" {
		t.Errorf("the finest grid is 10 m: %+v", it.Grid)
	}
	if !it.Footprint.Bound().Contains(orb.Point{117.003, 36.142}) {
		t.Errorf("footprint %v", it.Footprint.Bound())
	}
	near(t, "cloud share", math.Round(it.CloudShare*1e3)/1e3, 0.041) // 2 of 49 columns that hold data
	b := read(t, cat, it.ID, scene.Window{X: 0, Y: 6, W: 12, H: 2}, "red", "nir")
	near(t, "red", b.Bands[0][0], 0.1)
	near(t, "nir", b.Bands[1][0], 0.4)
	near(t, "nodata of red", b.Bands[0][5], nan)
	want := []scene.Class{scene.Cloud, scene.Cloud, scene.Snow, scene.Snow, scene.Cloud, scene.Cloud, scene.Clear, scene.Clear, scene.NoData, scene.NoData, scene.Clear, scene.Clear}
	for i, c := range want {
		if b.Class[i] != c {
			t.Errorf("pixel %d is of class %d, want %d", i, b.Class[i], c)
		}
	}
	near(t, "radar", read(t, cat, "scenes_T1_20260412", scene.Window{X: 99, Y: 79, W: 1, H: 1}, "vv").Bands[0][0], -11.5)
}

func b2f(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func TestSidecar(t *testing.T) {
	t.Parallel()
	dir, out := t.TempDir(), t.TempDir()
	nan := math.NaN()
	two := []layer{{"", 0, 0, nan, flat(1500)}, {"", 0, 0, nan, flat(4000)}}
	write(t, filepath.Join(dir, "2026", "a_2026-04-11T03:05:41.tif"), 10, 10, 10, godal.UInt16, two...)
	write(t, filepath.Join(dir, "2026", "a_2026-02-30.tif"), 10, 10, 10, godal.UInt16, two...)
	write(t, filepath.Join(dir, "clouds.tif"), 10, 10, 10, godal.Byte,
		layer{"", 0, 0, nan, flat(0)}, layer{"", 0, 0, nan, func(x, _ int) float64 { return b2f(x < 4) }})
	write(t, filepath.Join(dir, "s1", "b_20260411.tif"), 10, 10, 10, godal.UInt16, layer{"X-VV", 0, 0, nan, flat(10000)})
	write(t, filepath.Join(dir, "other.tif"), 10, 10, 10, godal.Byte, layer{"", 0, 0, nan, flat(0)})
	must(t, os.WriteFile(filepath.Join(dir, "dates.csv"), []byte("idx,timestamp\n1,2026-01-01\n2,2026-04-11T03:05:41\n"), 0o644))
	must(t, os.WriteFile(filepath.Join(dir, index.LayoutFile), []byte(`{
		"collection": "county",
		"files": [
			{"pattern": "*/a_{date}.tif", "bands": [
				{"name": "B04", "scale": 0.0001, "offset": 0},
				{"name": "B08", "scale": 0.0001, "offset": -0.1, "nodata": 0}]},
			{"pattern": "clouds.tif", "dates": "dates.csv", "bands": [{"name": "CLM"}]},
			{"pattern": "s1/b_{date}.tif", "collection": "county-s1", "bands": [{"match": "X-*", "name": "VV", "transform": "db20", "scale": 1, "offset": -83}]}
		]}`), 0o644))
	cat, res := open(t, index.Config{Dir: dir, Out: out})
	if res.Files != 5 || res.Items != 2 || len(res.Ignored) != 1 {
		t.Errorf("%+v", res)
	}
	// The date that does not exist, and the cloud mask of a day without a scene.
	var why []string
	for _, r := range res.Refused {
		why = append(why, r.Why)
	}
	if all := strings.Join(why, "\n"); !strings.Contains(all, `"2026-02-30" is not a date`) || !strings.Contains(all, "2026/a_2026-02-30.tif") || !strings.Contains(all, "nothing to look at") {
		t.Errorf("refused: %s", all)
	}
	b := read(t, cat, "county_20260411T030541", scene.Window{W: 10, H: 1}, "red", "nir")
	near(t, "red", b.Bands[0][0], 0.15)
	near(t, "nir", b.Bands[1][0], 0.3)
	if b.Class[3] != scene.Cloud || b.Class[4] != scene.Clear {
		t.Errorf("the second band of the stack masks this day: %v", b.Class[:10])
	}
	near(t, "dB", read(t, cat, "county-s1_20260411", scene.Window{W: 1, H: 1}, "vv").Bands[0][0], 20*4-83)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestIndexRefusesWithReasons(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	t.Run("integers without scale", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		write(t, filepath.Join(dir, "T1_20260411.tif"), 10, 10, 10, godal.UInt16, layer{"B04", 0, 0, nan, flat(1)})
		if _, err := index.Run(ctx, index.Config{Dir: dir}); !errors.Is(err, scene.ErrNoScale) {
			t.Errorf("got %v", err)
		}
		if _, err := os.Stat(filepath.Join(dir, "catalog.json")); err == nil {
			t.Error("a catalogue of nothing was written")
		}
	})
	t.Run("cut short", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		noise := func(x, y int) float64 { return float64((x*7919 + y*104729) % 251) }
		for _, day := range []string{"11", "12", "13"} {
			write(t, filepath.Join(dir, "T1_202604"+day+".tif"), 200, 200, 10, godal.Float32, layer{"NDVI", 0, 0, nan, noise})
		}
		must(t, os.Truncate(filepath.Join(dir, "T1_20260411.tif"), 100000))
		must(t, os.Truncate(filepath.Join(dir, "T1_20260412.tif"), 60))
		_, res := open(t, index.Config{Dir: dir})
		if res.Items != 1 || res.Used != 1 || len(res.Refused) != 2 {
			t.Fatalf("%+v", res)
		}
		for i, r := range res.Refused {
			if !errors.Is(r.Err, scene.ErrUnreadable) || !strings.Contains(r.Why, r.File) {
				t.Errorf("refusal %d does not name the file: %v", i, r)
			}
		}
	})
	t.Run("different systems in one scene", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		write(t, filepath.Join(dir, "T1_20260411_NDVI.tif"), 10, 10, 10, godal.Float32, layer{"", 0, 0, nan, flat(1)})
		write(t, filepath.Join(dir, "T1_20260411_VV.tif"), 10, 10, 10, godal.Float32, layer{"", 0, 0, nan, flat(1)})
		ds, err := godal.Open(filepath.Join(dir, "T1_20260411_VV.tif"), godal.Update())
		must(t, err)
		sr, err := godal.NewSpatialRefFromEPSG(32651)
		must(t, err)
		must(t, ds.SetSpatialRef(sr))
		must(t, ds.Close())
		sr.Close()
		if _, err := index.Run(ctx, index.Config{Dir: dir}); !errors.Is(err, scene.ErrGrid) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("nowhere to write", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		path := filepath.Join(dir, "T1_20260411.tif")
		write(t, path, 10, 10, 10, godal.Float32, layer{"NDVI", 0, 0, nan, flat(1)})
		if _, err := index.Run(ctx, index.Config{Dir: dir, Out: filepath.Join(path, "out")}); !errors.Is(err, index.ErrOut) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a band twice", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		write(t, filepath.Join(dir, "T1_20260411.tif"), 10, 10, 10, godal.Float32, layer{"NDVI", 0, 0, nan, flat(1)})
		write(t, filepath.Join(dir, "T1_20260411_NDVI.tif"), 10, 10, 10, godal.Float32, layer{"", 0, 0, nan, flat(1)})
		_, res := open(t, index.Config{Dir: dir})
		if len(res.Refused) != 1 || !strings.Contains(res.Refused[0].Why, "already given") {
			t.Errorf("%+v", res)
		}
	})
}

func TestReadFailsLoudly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "T1_20260411.tif")
	write(t, path, 200, 200, 10, godal.Float32, layer{"NDVI", 0, 0, math.NaN(), func(x, y int) float64 { return float64(x * y) }})
	cat, _ := open(t, index.Config{Dir: dir})
	it := cat.Items()[0]
	if _, err := cat.Reader(it, []string{"red"}); !errors.Is(err, scene.ErrNoBand) {
		t.Errorf("a band that is not there: %v", err)
	}
	must(t, os.Truncate(path, 100000))
	r, err := cat.Reader(it, []string{"ndvi"})
	if err == nil {
		defer r.Close()
		_, err = r.Read(ctx, scene.Window{W: 200, H: 200})
	}
	if !errors.Is(err, scene.ErrUnreadable) || !strings.Contains(err.Error(), path) {
		t.Errorf("a file cut short after indexing: %v", err)
	}
	write(t, path, 100, 200, 10, godal.Float32, layer{"NDVI", 0, 0, math.NaN(), flat(1)})
	if _, err := cat.Reader(it, []string{"ndvi"}); !errors.Is(err, scene.ErrCatalogue) {
		t.Errorf("a file that became another one: %v", err)
	}
	must(t, os.Remove(path))
	if _, err := cat.Reader(it, []string{"ndvi"}); !errors.Is(err, scene.ErrUnreadable) {
		t.Errorf("a file that is gone: %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, catalog, item, say string }{
		{"no catalogue", "", "", "catalog.json"},
		{"not JSON", "{", "", "unexpected end"},
		{"missing item", `{"links": [{"rel": "item", "href": "item.json"}]}`, "", "item.json"},
		{"item without date", `{"links": [{"rel": "item", "href": "item.json"}]}`, `{"type": "Feature", "id": "x", "properties": {}}`, "datetime"},
		{"item without bands", `{"links": [{"rel": "item", "href": "item.json"}]}`, `{"type": "Feature", "id": "x", "properties": {"datetime": "2026-04-11T00:00:00Z"}}`, "eo:bands"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if c.catalog != "" {
				must(t, os.WriteFile(filepath.Join(dir, "catalog.json"), []byte(c.catalog), 0o644))
			}
			if c.item != "" {
				must(t, os.WriteFile(filepath.Join(dir, "item.json"), []byte(c.item), 0o644))
			}
			_, err := scene.Open(dir)
			if !errors.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.say) {
				t.Errorf("got %v, want something about %q", err, c.say)
			}
			if errors.Is(err, fs.ErrNotExist) != (c.catalog == "") {
				t.Errorf("a broken catalogue must not look like none: %v", err)
			}
		})
	}
}

func TestFolderCanBeMoved(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	dir := filepath.Join(parent, "a")
	write(t, filepath.Join(dir, "T1_20260411.tif"), 10, 10, 10, godal.Float32, layer{"NDVI", 0, 0, math.NaN(), flat(0.5)})
	open(t, index.Config{Dir: dir})
	must(t, os.Rename(dir, filepath.Join(parent, "b")))
	cat, err := scene.Open(filepath.Join(parent, "b"))
	must(t, err)
	near(t, "ndvi", read(t, cat, "scenes_T1_20260411", scene.Window{W: 1, H: 1}, "ndvi").Bands[0][0], 0.5)
}

func TestRealFolders(t *testing.T) {
	t.Parallel()
	t.Run("worldcereal", func(t *testing.T) {
		t.Parallel()
		cat, res := open(t, index.Config{Dir: realdata.Dir(t, "geo", "worldcereal_cube"), Out: t.TempDir()})
		if res.Items != 12 || res.Used != 12 || len(res.Refused) != 0 {
			t.Errorf("%+v", res)
		}
		empty := 0
		for _, it := range cat.Items() {
			if it.DataShare == 0 {
				empty++
			}
		}
		if empty != 2 {
			t.Errorf("%d months without Sentinel-2, want 2", empty)
		}
		b := read(t, cat, "worldcereal_20210501", scene.Window{X: 50, Y: 50, W: 1, H: 1}, "blue", "nir", "vh", "vv", "precipitation")
		near(t, "blue", b.Bands[0][0], 0.0257)
		near(t, "VH", b.Bands[2][0], 20*math.Log10(2761)-83)
		near(t, "VV", b.Bands[3][0], 20*math.Log10(4323)-83)
		b = read(t, cat, "worldcereal_20201201", scene.Window{X: 50, Y: 50, W: 1, H: 1}, "red", "vh")
		near(t, "red of an empty month", b.Bands[0][0], math.NaN())
		near(t, "VH of an empty month", b.Bands[1][0], 20*math.Log10(3203)-83)
	})
	t.Run("eolearn", func(t *testing.T) {
		t.Parallel()
		cat, res := open(t, index.Config{Dir: realdata.Dir(t, "geo", "eolearn"), Out: t.TempDir(), Layout: "eolearn"})
		if res.Items != 68 || res.Used != 74 || len(res.Refused) != 0 || len(res.Ignored) != 5 {
			t.Errorf("%+v", res)
		}
		for id, cloud := range map[string]float64{"eolearn_20150731T100009": 1, "eolearn_20150711T100008": 0} {
			it, err := cat.Item(id)
			must(t, err)
			near(t, "cloud share of "+id, it.CloudShare, cloud)
		}
		if n := len(cat.Between(time.Date(2016, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2016, 12, 31, 0, 0, 0, 0, time.UTC))); n != 21 {
			t.Errorf("%d scenes in 2016", n)
		}
		// The ready-made index and the one of the bands are the same.
		b := read(t, cat, "eolearn_20150711T100008", scene.Window{W: 100, H: 101}, "ndvi", "nir", "red")
		for i, v := range b.Bands[0] {
			if n, r := b.Bands[1][i], b.Bands[2][i]; math.Abs(v-(n-r)/(n+r)) > 1e-6 {
				t.Fatalf("pixel %d: NDVI %v, of bands %v", i, v, (n-r)/(n+r))
			}
		}
	})
}

func TestCatalogueIsSTAC(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	open(t, index.Config{Dir: realdata.Dir(t, "geo", "eolearn"), Out: out})
	body, err := os.ReadFile(filepath.Join(out, "eolearn", "eolearn_20150711T100008.json"))
	must(t, err)
	var item map[string]any
	must(t, json.Unmarshal(body, &item))
	for _, k := range []string{"type", "stac_version", "stac_extensions", "id", "geometry", "bbox", "properties", "links", "assets", "collection"} {
		if item[k] == nil {
			t.Errorf("the item has no %s", k)
		}
	}
	for _, say := range []string{`"furrow:band_index"`, `"classification:classes"`, `"proj:epsg": 32633`, `"eo:cloud_cover": 0`, `"data-mask"`, `"common_name": "red"`} {
		if strings.Contains(string(body), say) == (say == `"furrow:band_index"`) {
			t.Errorf("the item of the first date and %s", say)
		}
	}
}

// Catalogues of others may state no outline, or several parts of one.
func TestOutlineComesFromTheGridWhereNoneIsStated(t *testing.T) {
	t.Parallel()
	for _, geometry := range []string{`null`, `{"type":"Polygon","coordinates":[]}`, `{"type":"Polygon","coordinates":[[]]}`,
		`{"type":"MultiPolygon","coordinates":[[[[117,36],[117.1,36],[117.1,36.1],[117,36]]]]}`} {
		it, err := scene.ParseItem([]byte(`{"type":"Feature","id":"a","properties":{"datetime":"2026-04-11T00:00:00Z"},"geometry":`+geometry+`,"assets":{"a":{"href":"a.tif",
			"eo:bands":[{"name":"ndvi"}],"proj:epsg":4326,"proj:shape":[10,10],"proj:transform":[0.01,0,117,0,-0.01,36]}}}`), "dir")
		if err != nil || !planar.PolygonContains(it.Footprint, orb.Point{117.05, 35.95}) {
			t.Errorf("%s: %v, %v", geometry, it.Footprint, err)
		}
	}
}

// GDAL takes what is no system for a file or an address and opens it.
func TestNamesOfSystemsAreNotOpened(t *testing.T) {
	t.Parallel()
	wkt := filepath.Join(t.TempDir(), "wkt[") // with a good system in it
	ref, err := scene.NewRef("EPSG:32650")
	if err != nil {
		t.Fatal(err)
	}
	defer ref.Close()
	text, err := ref.WKT()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(wkt, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", wkt, "http://127.0.0.1:1/x", "http://127.0.0.1:1/[", "/vsicurl/http://127.0.0.1:1/x[1]"} {
		ref, err := scene.NewRef(name)
		if err == nil {
			ref.Close()
		}
		if err == nil || !strings.Contains(err.Error(), "neither a code nor WKT") {
			t.Errorf("%q: %v", name, err)
		}
	}
	again, err := scene.NewRef(text)
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
}

func FuzzParseItem(f *testing.F) {
	f.Add([]byte(`{"type":"Feature","id":"a","properties":{"datetime":"2026-04-11T00:00:00Z","proj:epsg":32650,"proj:shape":[10,10],"proj:transform":[10,0,0,0,-10,0]},
		"geometry":{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]},
		"assets":{"a":{"href":"a.tif","eo:bands":[{"name":"B04"},{"name":"SCL","furrow:band_index":4}],
		"raster:bands":[{"data_type":"uint16","scale":0.0001,"offset":-0.1,"nodata":"nan"},{"classification:classes":[{"value":9,"name":"cloud"}]}]}}}`))
	f.Add([]byte(`{"type":"Feature","id":"a","properties":{"datetime":null},"geometry":null,"assets":{}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		it, err := scene.ParseItem(body, "dir")
		if err == nil && (it.ID == "" || it.Time.IsZero() && it.Time.Year() != 1 || len(it.Bands) == 0 || it.Grid.Width <= 0) {
			t.Errorf("half an item came out of %s: %+v", body, it)
		}
	})
}
