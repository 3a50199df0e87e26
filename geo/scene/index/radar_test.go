package index_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/airbusgeo/godal"
	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/geo/scene"
	"github.com/furrowcredit/furrow/geo/scene/index"
)

const radarName = "S1A_IW_GRDH_1SDV_20200115T220000_20200115T220025_030820_038950_ABCD"

// radarSize is the image's width and height in its own pixels, of 10 m.
const radarSize = 400

// writeRadar lays a synthetic GRD product around 119 degrees east, 36 north: VV of
// 300 with a dark square, VH of 100, thermal noise in VH. The image lies turned by
// 12 degrees, as a descending pass does. noise is a table in the older words.
func writeRadar(t *testing.T, dir string) string {
	t.Helper()
	scene.RegisterDrivers()
	root := filepath.Join(dir, radarName+".SAFE")
	for _, d := range []string{"measurement", "annotation/calibration"} {
		must(t, os.MkdirAll(filepath.Join(root, d), 0o755))
	}
	put := func(name, text string) { must(t, os.WriteFile(filepath.Join(root, name), []byte(text), 0o644)) }
	put("manifest.safe", `<?xml version="1.0"?><xfdu:XFDU xmlns:xfdu="urn:ccsds:schema:xfdu:1"><metadataSection>
		<safe:startTime xmlns:safe="http://www.esa.int/safe/sentinel-1.0">2020-01-15T22:00:00.123456</safe:startTime>
		<safe:relativeOrbitNumber type="start" xmlns:safe="x">47</safe:relativeOrbitNumber><safe:relativeOrbitNumber type="stop" xmlns:safe="x">47</safe:relativeOrbitNumber>
		<s1:pass xmlns:s1="y">DESCENDING</s1:pass></metadataSection></xfdu:XFDU>`)
	for i, pol := range []string{"vv", "vh"} {
		stem := fmt.Sprintf("s1a-iw-grd-%s-20200115t220000-20200115t220025-030820-038950-%03d", pol, i+1)
		var vectors, noise strings.Builder
		for _, line := range []int{-50, 100, 450} {
			// The calibration grows from 200 to 600 over the columns, and by a tenth over 400 lines.
			k := 1 + 0.1*float64(line)/400
			fmt.Fprintf(&vectors, `<calibrationVector><azimuthTime>2020</azimuthTime><line>%d</line><pixel count="3">0 200 400</pixel>
				<sigmaNought count="3">%g %g %g</sigmaNought><betaNought count="3">1 1 1</betaNought></calibrationVector>`, line, 200*k, 400*k, 600*k)
			fmt.Fprintf(&noise, `<noiseVector><line>%d</line><pixel count="2">0 400</pixel><noiseLut count="2">2000 2000</noiseLut></noiseVector>`, line)
		}
		put("annotation/calibration/calibration-"+stem+".xml", `<calibration><calibrationVectorList count="3">`+vectors.String()+`</calibrationVectorList></calibration>`)
		if pol == "vh" {
			put("annotation/calibration/noise-"+stem+".xml", `<noise><noiseVectorList>`+noise.String()+`</noiseVectorList></noise>`)
		}
		ds, err := godal.Create(godal.GTiff, filepath.Join(root, "measurement", stem+".tiff"), 1, godal.UInt16, radarSize, radarSize)
		must(t, err)
		var gcps []godal.GCP
		for r := 0; r <= 4; r++ {
			for c := 0; c <= 4; c++ {
				x, y := float64(c)*100, float64(r)*100
				lon, lat := radarPlace(x, y)
				gcps = append(gcps, godal.GCP{PszId: fmt.Sprint(len(gcps)), DfGCPPixel: x, DfGCPLine: y, DfGCPX: lon, DfGCPY: lat})
			}
		}
		sr, err := godal.NewSpatialRef(scene.WGS84)
		must(t, err)
		must(t, ds.SetGCPs(gcps, godal.GCPSpatialRef(sr)))
		sr.Close()
		buf := make([]uint16, radarSize*radarSize)
		for k := range buf {
			x, y := k%radarSize, k/radarSize
			switch {
			case x < 10: // border noise was cut
			case pol == "vh":
				buf[k] = 100
			case x >= 100 && x < 200 && y >= 100 && y < 200:
				buf[k] = 60
			default:
				buf[k] = 300
			}
		}
		must(t, ds.Bands()[0].Write(0, 0, buf, radarSize, radarSize))
		must(t, ds.Close())
	}
	return root
}

// radarPlace is where a pixel of the image lies: longitude and latitude.
func radarPlace(x, y float64) (lon, lat float64) {
	sin, cos := math.Sincos(12 * math.Pi / 180)
	e, n := 10*(x*cos-y*sin), -10*(x*sin+y*cos)
	return 119 + e/90150, 36 + n/110960 // metres in a degree at 36 north
}

func TestSentinel1(t *testing.T) {
	t.Parallel()
	dir, out := t.TempDir(), t.TempDir()
	writeRadar(t, dir)
	cat, res := run(t, index.Config{Dir: dir, Out: out})
	if res.Items != 1 || res.Used != 2 || len(res.Refused) != 0 || res.Layout != "sentinel-1" {
		t.Fatalf("%+v", res)
	}
	it := cat.Items()[0]
	if it.Orbit != "descending 47" || it.Grid.CRS != "EPSG:32650" || it.Grid.Transform[1] != 10 || it.Time.Format("2006-01-02T15:04:05") != "2020-01-15T22:00:00" {
		t.Errorf("%+v", it)
	}
	// What the numbers mean, at a pixel of the image: (number² - noise) / calibration².
	db := func(number, noise, x, y float64) float64 {
		a := (200 + x) * (1 + 0.1*y/400)
		return 10 * math.Log10((number*number-noise)/(a*a))
	}
	r, err := cat.Reader(it, []string{"vv", "vh"})
	must(t, err)
	defer r.Close()
	at := func(x, y float64) (vv, vh float64) {
		lon, lat := radarPlace(x+0.5, y+0.5)
		point := orb.Point{lon, lat}
		on, err := it.Grid.ToPixels(scene.WGS84, []orb.MultiPolygon{{{{point, point, point, point}}}})
		must(t, err)
		c, row := on[0][0][0][0][0], on[0][0][0][0][1]
		b, err := r.Read(t.Context(), scene.Window{X: int(c), Y: int(row), W: 1, H: 1})
		must(t, err)
		return b.Bands[0][0], b.Bands[1][0]
	}
	for _, c := range []struct{ x, y, number float64 }{{50, 50, 300}, {150, 150, 60}, {105, 195, 60}, {95, 150, 300}, {350, 380, 300}} {
		vv, vh := at(c.x, c.y)
		if want := db(c.number, 0, c.x, c.y); math.Abs(vv-want) > 0.05 {
			t.Errorf("VV at %v,%v is %.3f dB, want %.3f", c.x, c.y, vv, want)
		}
		if want := db(100, 2000, c.x, c.y); math.Abs(vh-want) > 0.05 {
			t.Errorf("VH at %v,%v is %.3f dB, want %.3f", c.x, c.y, vh, want)
		}
	}
	if vv, _ := at(3, 100); !math.IsNaN(vv) {
		t.Errorf("the cut border holds %v", vv)
	}
	// What was geocoded stays: a second run makes the same catalogue and no new file.
	before := files(t, filepath.Join(out, "sentinel-1-grd"))
	run(t, index.Config{Dir: dir, Out: out})
	if after := files(t, filepath.Join(out, "sentinel-1-grd")); after != before || !strings.Contains(before, "_vv_") {
		t.Errorf("%s became %s", before, after)
	}
}

// files lists a folder with times and sizes.
func files(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	var out strings.Builder
	for _, e := range entries {
		info, err := e.Info()
		must(t, err)
		if filepath.Ext(e.Name()) == ".tif" {
			fmt.Fprintln(&out, e.Name(), info.Size(), info.ModTime().UnixNano())
		} else if !strings.HasSuffix(e.Name(), ".json") {
			t.Errorf("left behind: %s", e.Name())
		}
	}
	return out.String()
}

func TestSentinel1Refusals(t *testing.T) {
	t.Parallel()
	stem := "s1a-iw-grd-vh-20200115t220000-20200115t220025-030820-038950-002"
	for _, c := range []struct {
		name, file string
		cut        int64
		say        string
	}{
		{"no calibration", "annotation/calibration/calibration-" + stem + ".xml", -1, "calibration-" + stem},
		{"calibration cut short", "annotation/calibration/calibration-" + stem + ".xml", 300, "damaged"},
		{"image cut short", "measurement/" + stem + ".tiff", 100000, "measurement/" + stem + ".tiff"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir, out := t.TempDir(), t.TempDir()
			root := writeRadar(t, dir)
			if c.cut < 0 {
				must(t, os.Remove(filepath.Join(root, c.file)))
			} else {
				must(t, os.Truncate(filepath.Join(root, c.file), c.cut))
			}
			cat, res := run(t, index.Config{Dir: dir, Out: out})
			if len(res.Refused) != 1 || !strings.Contains(res.Refused[0].Why, c.say) {
				t.Fatalf("%+v", res)
			}
			if it := cat.Items()[0]; !it.Has("vv") || it.Has("vh") {
				t.Errorf("the good polarisation goes on alone: %v", it.Bands)
			}
		})
	}
}
