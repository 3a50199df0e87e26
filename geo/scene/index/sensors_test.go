package index_test

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/airbusgeo/godal"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/geo/scene"
	"github.com/furrowcredit/furrow/geo/scene/index"
	"github.com/furrowcredit/furrow/internal/realdata"
)

func builtin(t testing.TB) index.Sensors {
	t.Helper()
	fsys, err := catalog.Open("")
	must(t, err)
	s, err := index.LoadSensors(fsys)
	must(t, err)
	return s
}

// put writes a small GeoTIFF of one band in UTM zone 50N.
func put(t testing.TB, dir, name string, pixel float64, dtype godal.DataType, values func(x, y int) float64) {
	t.Helper()
	writeRaster(t, raster{filepath.Join(dir, name), int(300 / pixel), pixel, dtype, 32650, [2]float64{500000, 4000000}, []func(x, y int) float64{values}})
}

func TestLandsat(t *testing.T) {
	t.Parallel()
	dir, out := t.TempDir(), t.TempDir()
	eight, seven := "LC08_L2SP_123032_20200415_20200822_02_T1", "LE07_L2SP_123032_20200407_20200823_02_T1"
	qa := func(x, _ int) float64 {
		// Clear, fill, dilated cloud, cirrus, cloud, shadow, snow, water; the confidences in the upper bits.
		return []float64{21824, 1, 21826, 54596, 22280, 23888, 30048, 21952, 21824, 21824}[x]
	}
	for _, name := range []string{eight + "/" + eight, seven} {
		for _, band := range []string{"B1", "B3", "B4", "B5", "B7"} {
			put(t, dir, name+"_SR_"+band+".TIF", 30, godal.UInt16, flat(map[string]float64{"B4": 10000, "B3": 9000, "B5": 18000}[band]))
		}
		put(t, dir, name+"_QA_PIXEL.TIF", 30, godal.UInt16, qa)
		put(t, dir, name+"_SR_QA_AEROSOL.TIF", 30, godal.Byte, flat(0))
	}
	cat, res := run(t, index.Config{Dir: dir, Out: out})
	if res.Items != 2 || res.Used != 12 || len(res.Ignored) != 2 || len(res.Refused) != 0 || res.Layout != "landsat-c2-l2" {
		t.Fatalf("%+v", res)
	}
	b := read(t, cat, "landsat-c2-l2_123032_20200415", scene.Window{W: 10, H: 1}, "red", "nir")
	near(t, "red of Landsat 8", b.Bands[0][0], 10000*0.0000275-0.2)
	near(t, "nir of Landsat 8", b.Bands[1][0], 18000*0.0000275-0.2)
	want := []scene.Class{scene.Clear, scene.NoData, scene.Cloud, scene.Cloud, scene.Cloud, scene.Cloud, scene.Snow, scene.Clear, scene.Clear, scene.Clear}
	for i, c := range want {
		if b.Class[i] != c {
			t.Errorf("quality %v is class %d, want %d", qa(i, 0), b.Class[i], c)
		}
	}
	b = read(t, cat, "landsat-c2-l2_123032_20200407", scene.Window{W: 1, H: 1}, "red", "nir")
	near(t, "red of Landsat 7", b.Bands[0][0], 9000*0.0000275-0.2)
	near(t, "nir of Landsat 7", b.Bands[1][0], 10000*0.0000275-0.2)
}

func TestMODIS(t *testing.T) {
	t.Parallel()
	dir, out := t.TempDir(), t.TempDir()
	nan := math.NaN()
	put(t, dir, "vi/MOD13Q1.061__250m_16_days_NDVI_doy2020129_aid0001.tif", 50, godal.Int16, func(x, _ int) float64 { return []float64{7000, -3000, -500, 1000, 1000, 1000}[x] })
	put(t, dir, "vi/MOD13Q1.061__250m_16_days_pixel_reliability_doy2020129_aid0001.tif", 50, godal.Byte, func(x, _ int) float64 { return []float64{0, 0, 1, 2, 3, 255}[x] })
	put(t, dir, "MOD09A1.A2020129.h27v05.061.2020326142114_sur_refl_b01.tif", 50, godal.Int16, flat(1234))
	put(t, dir, "MOD09A1.A2020129.h27v05.061.2020326142114_sur_refl_state_500m.tif", 50, godal.UInt16, func(x, _ int) float64 {
		return []float64{0, 1, 3, 4, 1 << 12, 65535}[x]
	})
	cat, res := run(t, index.Config{Dir: dir, Out: out})
	if res.Items != 2 || res.Used != 4 || len(res.Refused) != 0 || res.Layout != "modis-vi,modis-reflectance" {
		t.Fatalf("%+v", res)
	}
	vi := cat.Between(time.Date(2020, 5, 8, 0, 0, 0, 0, time.UTC), time.Date(2020, 5, 8, 0, 0, 0, 0, time.UTC))
	if len(vi) != 2 {
		t.Fatalf("day 129 of 2020 is 8 May: %v", cat.Items())
	}
	b := read(t, cat, "modis-vi_20200508", scene.Window{W: 6, H: 1}, "ndvi")
	for i, want := range []float64{0.7, nan, -0.05} {
		near(t, "ndvi", b.Bands[0][i], want)
	}
	for i, want := range []scene.Class{scene.Clear, scene.Clear, scene.Clear, scene.Snow, scene.Cloud, scene.NoData} {
		if b.Class[i] != want {
			t.Errorf("reliability of column %d is class %d, want %d", i, b.Class[i], want)
		}
	}
	b = read(t, cat, "modis-reflectance_h27v05_20200508", scene.Window{W: 6, H: 1}, "red")
	near(t, "red", b.Bands[0][0], 0.1234)
	for i, want := range []scene.Class{scene.Clear, scene.Cloud, scene.Clear, scene.Cloud, scene.Snow, scene.NoData} {
		if b.Class[i] != want {
			t.Errorf("state of column %d is class %d, want %d", i, b.Class[i], want)
		}
	}
}

// A container's layers are told by their names; netCDF stands for HDF4, which GDAL
// reads in the same way but cannot write.
func TestLayersOfAContainer(t *testing.T) {
	t.Parallel()
	dir, out := t.TempDir(), t.TempDir()
	scene.RegisterDrivers()
	mem, err := godal.Create(godal.Memory, "", 2, godal.Int16, 6, 6)
	must(t, err)
	sr, err := godal.NewSpatialRefFromEPSG(32650)
	must(t, err)
	defer sr.Close()
	must(t, mem.SetSpatialRef(sr))
	must(t, mem.SetGeoTransform([6]float64{500000, 50, 0, 4000000, 0, -50}))
	must(t, mem.Bands()[1].Fill(6000, 0))
	nc, err := mem.Translate(filepath.Join(dir, "VI_20200508.nc"), []string{"-of", "netCDF"}, godal.ErrLogger(scene.Failures))
	must(t, err)
	must(t, nc.Close())
	must(t, mem.Close())
	sidecar := `{"collection": "vi", "files": [{"pattern": "VI_{date}.nc", "bands": [
		{"match": "Band2", "name": "NDVI", "scale": 0.0001, "offset": 0}, {"match": "*", "skip": true}]}]}`
	must(t, os.WriteFile(filepath.Join(dir, index.LayoutFile), []byte(sidecar), 0o644))
	cat, res := run(t, index.Config{Dir: dir, Out: out})
	if res.Items != 1 || len(res.Refused) != 0 {
		t.Fatalf("%+v", res)
	}
	near(t, "ndvi", read(t, cat, "vi_20200508", scene.Window{W: 1, H: 1}, "ndvi").Bands[0][0], 0.6)
}

func TestPicturesAreNotReflectance(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, dir, "T1_20260411_B04.tif", 10, godal.Byte, flat(90))
	if _, err := index.Run(t.Context(), index.Config{Dir: dir}); !errors.Is(err, scene.ErrEightBit) || !strings.Contains(err.Error(), "T1_20260411_B04.tif") {
		t.Errorf("got %v", err)
	}
}

func TestMasksOfASidecar(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, dir, "a_20260411_NDVI.tif", 10, godal.Float32, flat(0.5))
	put(t, dir, "a_20260411_CLP.tif", 10, godal.Byte, func(x, _ int) float64 { return float64(x) })
	put(t, dir, "a_20260411_VALID.tif", 10, godal.Byte, func(_, y int) float64 { return map[bool]float64{true: 1}[y < 5] })
	sidecar := func(threshold string) string {
		return `{"collection": "a", "files": [{"pattern": "{tile}_{date}_{band}.tif", "bands": [
		{"match": "NDVI"}, {"match": "CLP", "threshold": ` + threshold + `, "dilate_m": 25}, {"match": "VALID", "name": "IS_VALID"}]}]}`
	}
	must(t, os.WriteFile(filepath.Join(dir, index.LayoutFile), []byte(sidecar("20")), 0o644))
	cat, _ := run(t, index.Config{Dir: dir})
	b := read(t, cat, "a_a_20260411", scene.Window{W: 30, H: 6}, "ndvi")
	for x, want := range map[int]scene.Class{17: scene.Clear, 18: scene.Cloud, 20: scene.Cloud, 29: scene.Cloud} {
		if b.Class[x] != want {
			t.Errorf("column %d is %v: a probability of 20 grows by two pixels", x, b.Class[x])
		}
	}
	if b.Class[5*30] != scene.Cloud {
		t.Error("what IS_VALID rejects is not dropped")
	}
	must(t, os.WriteFile(filepath.Join(dir, index.LayoutFile), []byte(sidecar("-1")), 0o644))
	if _, err := index.Run(t.Context(), index.Config{Dir: dir}); !errors.Is(err, index.ErrLayout) {
		t.Errorf("a threshold below 0: %v", err)
	}
}

// A real pair of Sentinel-1 and Sentinel-2 chips whose names tell no date.
func TestFloodChips(t *testing.T) {
	t.Parallel()
	sidecar := filepath.Join(t.TempDir(), "flood.json")
	must(t, os.WriteFile(sidecar, []byte(`{"collection": "flood", "files": [
		{"pattern": "spain_S1Hand.tif", "date": "2019-09-18", "bands": [{"name": "VV"}, {"name": "VH"}]},
		{"pattern": "spain_S2Hand.tif", "date": "2019-09-17", "bands": [
			{"name": "B01", "scale": 0.0001, "offset": 0}, {"name": "B02", "scale": 0.0001, "offset": 0},
			{"name": "B03", "scale": 0.0001, "offset": 0}, {"name": "B04", "scale": 0.0001, "offset": 0}]}]}`), 0o644))
	cat, res := run(t, index.Config{Dir: realdata.Dir(t, "geo", "flood"), Out: t.TempDir(), Layout: sidecar})
	if res.Items != 2 || len(res.Refused) != 0 {
		t.Fatalf("%+v", res)
	}
	it := cat.Items()[1]
	b := read(t, cat, it.ID, scene.Window{W: it.Grid.Width, H: it.Grid.Height}, "vv")
	var sum, n float64
	for _, v := range b.Bands[0] {
		if !math.IsNaN(v) {
			sum, n = sum+v, n+1
		}
	}
	if mean := sum / n; mean < -16 || mean > -8 { // water at -15.6, land at -9.1 dB
		t.Errorf("mean VV %.1f dB of %v pixels", mean, n)
	}
}

func TestSensorsName(t *testing.T) {
	t.Parallel()
	for _, s := range builtin(t) {
		for _, r := range s.Files {
			for _, b := range r.Bands {
				if !b.Skip && b.Kind == scene.Optical && (b.Scale == nil || b.Offset == nil || b.NoData == nil) {
					t.Errorf("%s, %s: band %s does not say scale, offset and nodata", s.Name, r.Pattern, b.Match)
				}
			}
		}
	}
	for _, c := range []struct{ text, say string }{
		{"version: 2", "version"},
		{"version: 1\nsensors: [{name: a, collection: a, files: [{pattern: '{date}.tif'}]}]", "source"},
		{"version: 1\nsensors: [{name: a, source: b, collection: a, files: [{pattern: '{date}.tif', bands: [{ofset: 1}]}]}]", "ofset"},
		{"version: 1\nsensors: [{name: a, source: b, collection: a, files: [{pattern: '{date}.tif', bands: [{name: q, bits: [{bit: 40, class: cloud}]}]}]}]", "32 bits"},
		{"version: 1\nsensors: [{name: a, source: b, collection: a, files: [{pattern: '{date}.tif', bands: [{name: q, bits: [{bit: 4, class: hail}]}]}]}]", "hail"},
		{"version: 1\nsensors: [{name: a, source: b, collection: a, files: [{pattern: '{date}.tif', bands: [{name: q, classes: [{value: 4, class: clear, name: cloudy}]}]}]}]", "contradicts"},
	} {
		if _, err := index.ParseSensors([]byte(c.text)); !errors.Is(err, index.ErrSensors) || !strings.Contains(err.Error(), c.say) {
			t.Errorf("%s: got %v", c.text, err)
		}
	}
}

func FuzzParseLayout(f *testing.F) {
	f.Add([]byte(`{"collection": "a", "files": [{"pattern": "**/S?_{tile}_{date}.tif", "bands": [{"name": "B02", "scale": 0.0001, "offset": -0.1}]}]}`))
	f.Add([]byte(`{"collection": "a", "files": [{"pattern": "*{date}{date}"}]}`))
	f.Add([]byte(`{"collection": "a", "files": [{"pattern": "{doy}", "bands": [{"name": "QA", "bits": [{"bit": 31, "width": 9, "class": "cloud"}]}]}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if _, err := index.ParseLayout(body); err != nil && !errors.Is(err, fault.Invalid) {
			t.Errorf("not a fault that a person can act on: %v", err)
		}
	})
}

func FuzzParseSensors(f *testing.F) {
	fsys, err := catalog.Open("")
	must(f, err)
	file, err := fsys.Open("sensors.yaml")
	must(f, err)
	body := make([]byte, 1<<16)
	n, err := file.Read(body)
	must(f, err)
	f.Add(body[:n])
	f.Add([]byte("version: 1\nmasks: {a: &a {bits: [{bit: 1, class: cloud}]}}\nsensors: [{<<: *a}]"))
	f.Fuzz(func(t *testing.T, body []byte) {
		if _, err := index.ParseSensors(body); err != nil && !errors.Is(err, fault.Invalid) {
			t.Errorf("not a fault that a person can act on: %v", err)
		}
	})
}
