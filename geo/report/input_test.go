package report_test

import (
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/airbusgeo/godal"
	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/report"
	"github.com/furrowcredit/furrow/geo/scene"
	"github.com/furrowcredit/furrow/geo/scene/index"
)

// frame is a raster of 10 m pixels somewhere.
type frame struct {
	tile       string
	epsg       int
	x, y       float64 // upper left corner
	cols, rows int
}

// fill writes a scene of the frame; value is the NDVI of a pixel, NaN for a pixel
// that is NaN in the file, less than -1 for the nodata number. Below -0.2 it is water.
func (f frame) fill(tb testing.TB, dir string, t time.Time, value func(col, row int) float64) {
	tb.Helper()
	check := func(err error) {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
	}
	ds, err := godal.Create(godal.GTiff, filepath.Join(dir, f.tile+"_"+t.Format("20060102")+".tif"), 3, godal.Float32, f.cols, f.rows)
	check(err)
	ref, err := godal.NewSpatialRefFromEPSG(f.epsg)
	check(err)
	defer ref.Close()
	check(ds.SetSpatialRef(ref))
	check(ds.SetGeoTransform([6]float64{f.x, 10, 0, f.y, 0, -10}))
	n := f.cols * f.rows
	green, red, nir := make([]float32, n), make([]float32, n), make([]float32, n)
	for i := range red {
		v := value(i%f.cols, i/f.cols)
		green[i], red[i], nir[i] = 0.08, 0.1, float32(0.1*(1+v)/(1-v))
		if v < -1 {
			green[i], red[i], nir[i] = -9999, -9999, -9999
		}
	}
	for i, b := range ds.Bands() {
		check(b.SetDescription([]string{"B03", "B04", "B08"}[i]))
		check(b.SetNoData(-9999))
		check(b.Write(0, 0, [][]float32{green, red, nir}[i], f.cols, f.rows))
	}
	check(ds.Close())
}

// open indexes a folder.
func open(tb testing.TB, dir string) *scene.Catalogue {
	tb.Helper()
	if _, err := index.Run(tb.Context(), index.Config{Dir: dir}); err != nil {
		tb.Fatal(err)
	}
	cat, err := scene.Open(dir)
	if err != nil {
		tb.Fatal(err)
	}
	return cat
}

// dates are a year of looks, every ten days.
func dates(do func(t time.Time)) {
	for t := date("2025-11-01"); t.Before(date("2026-11-10")); t = t.AddDate(0, 0, 10) {
		do(t)
	}
}

// level is land that is the same everywhere.
func level(v float64) func(int, int) float64 { return func(int, int) float64 { return v } }

func one(tb testing.TB, m *report.Maker, p geo.Plot) geo.CropReport {
	tb.Helper()
	got, err := m.Make(tb.Context(), []geo.Plot{p}, season)
	if err != nil || len(got) != 1 {
		tb.Fatal(len(got), err)
	}
	return got[0]
}

// A plot on the border of two UTM zones is looked at once a day: by the zone that
// shows more of it, or by both where each shows a part.
func TestMakeAcrossZones(t *testing.T) {
	t.Parallel()
	scene.RegisterDrivers()
	// 120° E, 36° N: the border of zones 50 and 51.
	const west, east = 770_429.5, 229_570.5 // x of that place in both zones
	const north = 3_988_100.0
	ring := orb.Ring{{west - 150, north - 400}, {west + 150, north - 400}, {west + 150, north - 100}, {west - 150, north - 100}, {west - 150, north - 400}}
	poly, err := scene.ToWGS84("EPSG:32650", orb.Polygon{ring})
	if err != nil {
		t.Fatal(err)
	}
	if c := poly.Bound().Center(); math.Abs(c[0]-120) > 1e-4 {
		t.Fatalf("the plot lies at %v", c)
	}
	known := crops(t)
	plot := geo.Plot{ID: "border", Polygon: poly, Region: "370200"}
	for name, c := range map[string]struct {
		frames []frame
		scene  string // of every look
		full   bool   // whether the whole plot is seen
	}{
		"both show all":      {[]frame{{"T50", 32650, west - 500, north + 200, 100, 100}, {"T51", 32651, east - 500, north + 200, 100, 100}}, "", true},
		"the second does":    {[]frame{{"T50", 32650, west - 500, north + 200, 56, 100}, {"T51", 32651, east - 500, north + 200, 100, 100}}, "scenes_T51_", true},
		"each shows a part":  {[]frame{{"T50", 32650, west - 500, north + 200, 60, 100}, {"T50b", 32650, west + 100, north + 200, 60, 100}}, "scenes_T50_", true},
		"only one, a part":   {[]frame{{"T51", 32651, east - 500, north + 200, 56, 100}}, "scenes_T51_", false},
		"none shows a pixel": {[]frame{{"T51", 32651, east + 5000, north + 200, 40, 40}}, "", false},
	} {
		dir := t.TempDir()
		dates(func(d time.Time) {
			for _, f := range c.frames {
				f.fill(t, dir, d, level(cotton(d)))
			}
		})
		r := one(t, report.New(open(t, dir), known, now), plot)
		if strings.HasPrefix(name, "none") {
			if r.Status != geo.Unknown || r.Reason != report.NoScenes || r.TotalDates != 0 {
				t.Errorf("%s: %s %q, %d dates", name, r.Status, r.Reason, r.TotalDates)
			}
			continue
		}
		if r.TotalDates != 38 || r.ClearDates != 38 || r.Crop != "cotton" {
			t.Errorf("%s: %d of %d dates, crop %q %q", name, r.ClearDates, r.TotalDates, r.Crop, r.Reason)
		}
		for _, o := range r.Observations {
			if !strings.HasPrefix(o.Scene, c.scene) || c.full != (o.Coverage > 0.999) || math.Abs(o.NDVI-cotton(o.Date)) > 1e-3 {
				t.Errorf("%s: %+v", name, o)
				break
			}
		}
	}
}

// Two products of one day are one look, the clearer one.
func TestMakeCountsADayOnce(t *testing.T) {
	t.Parallel()
	scene.RegisterDrivers()
	dir := t.TempDir()
	whole := frame{"T1", 32650, 257000, 3878000, side, side}
	again := whole
	again.tile = "T2"
	dates(func(d time.Time) {
		whole.fill(t, dir, d, func(col, row int) float64 {
			if row < 20 {
				return -9
			}
			return cotton(d)
		})
		again.fill(t, dir, d, level(cotton(d)))
	})
	r := one(t, report.New(open(t, dir), crops(t), now), square(t, "a", 100, 100, 200))
	if r.TotalDates != 38 || r.ClearDates != 38 || len(r.Observations) != 38 {
		t.Errorf("%d of %d dates, %d observations", r.ClearDates, r.TotalDates, len(r.Observations))
	}
	for _, o := range r.Observations {
		if !strings.HasPrefix(o.Scene, "scenes_T2_") || o.Coverage != 1 {
			t.Errorf("%+v", o)
		}
	}
}

// NaN and the nodata number in one file are both nothing: the mean is that of the
// pixels that hold something, and the coverage says how many.
func TestMakeWithNaNAndNoData(t *testing.T) {
	t.Parallel()
	scene.RegisterDrivers()
	dir := t.TempDir()
	dates(func(d time.Time) {
		frame{"T1", 32650, 257000, 3878000, side, side}.fill(t, dir, d, func(col, row int) float64 {
			switch col % 4 {
			case 0:
				return math.NaN()
			case 1:
				return -9
			}
			return cotton(d)
		})
	})
	r := one(t, report.New(open(t, dir), crops(t), now), square(t, "a", 100, 100, 200))
	for _, o := range r.Observations {
		if !o.Valid || o.Coverage != 0.5 || math.Abs(o.NDVI-cotton(o.Date)) > 1e-3 {
			t.Errorf("%+v", o)
		}
	}
	if r.Crop != "cotton" || r.Area == nil || !r.Area.Known || r.Area.PlantedShare != 1 {
		t.Errorf("crop %q, area %+v", r.Crop, r.Area)
	}
}

// A boundary of a million points is measured as any other, in bounded time.
func TestMakeWithMillionVertices(t *testing.T) {
	t.Parallel()
	const n = 1_000_000
	ring := make(orb.Ring, 0, n+1)
	for i := range n {
		s, c := math.Sincos(2 * math.Pi * float64(i) / n)
		r := 150 + 2*math.Sin(2*math.Pi*float64(i)/100) // teeth
		ring = append(ring, orb.Point{257300 + r*c, 3877700 + r*s})
	}
	ring = append(ring, ring[0])
	poly, err := scene.ToWGS84("EPSG:32650", orb.Polygon{ring})
	if err != nil {
		t.Fatal(err)
	}
	m := report.New(scenes(t, clear), crops(t), now)
	start := time.Now()
	r := one(t, m, geo.Plot{ID: "million", Polygon: poly, Region: "410725"})
	if took := time.Since(start); took > 30*time.Second {
		t.Errorf("it took %s", took)
	}
	if want := math.Pi * (150*150 + 2) / geo.M2PerMu; math.Abs(r.Mu-want) > 0.01*want || r.ClearDates != 38 || r.Crop != "cotton" {
		t.Errorf("%.2f mu, want %.2f; %d dates, crop %q %q", r.Mu, want, r.ClearDates, r.Crop, r.Reason)
	}
}

// The limits below which a plot cannot be judged, each from both sides. Squares lie
// on the pixel grid, so that a square of n pixels holds n² full ones.
func TestMakeLimits(t *testing.T) {
	t.Parallel()
	cat := scenes(t, clear)
	box := func(id string, dx, dy, w, h float64) geo.Plot {
		p := square(t, id, dx, dy, 10)
		x, y := 257000+dx, 3878000-dy
		poly, err := scene.ToWGS84("EPSG:32650", orb.Polygon{{{x, y - h}, {x + w, y - h}, {x + w, y}, {x, y}, {x, y - h}}})
		if err != nil {
			t.Fatal(err)
		}
		p.Polygon, p.AreaM2 = poly, geo.AreaM2(poly)
		return p
	}
	for _, c := range []struct {
		what   string
		plot   geo.Plot
		inner  float64
		status geo.Status
		reason string
	}{
		{"8 full pixels", box("a", 100, 100, 40, 20), 0, geo.LowConfidence, report.SmallPlot},
		{"7 full pixels", box("a", 100, 100, 70, 10), 0, geo.Unknown, report.FewPixels},
		// One full row of 20 pixels; what lies in the rows above and below is shared.
		{"59 % lost", box("a", 100, 101, 200, 10/0.41), 0, geo.LowConfidence, report.SmallPlot},
		{"61 % lost", box("a", 100, 103, 200, 10/0.39), 0, geo.Unknown, report.Edges},
		{"7.4 mu", box("a", 100, 100, 70, 7.4*geo.M2PerMu/70), 0, geo.LowConfidence, report.SmallPlot},
		{"7.6 mu", box("a", 100, 100, 70, 7.6*geo.M2PerMu/70), 0, geo.LowConfidence, report.RulesOnly},
		// Without 5 m of edge half a pixel is lost on each side, so n pixels leave n - 2.
		{"3 by 3 remain", box("a", 100, 100, 50, 50), 5, geo.Unknown, report.Edges},
		{"6 by 6 remain", box("a", 100, 100, 80, 80), 5, geo.LowConfidence, report.RulesOnly},
		{"2 by 3 remain", box("a", 100, 100, 40, 50), 5, geo.Unknown, report.FewPixels},
		{"nothing remains", box("a", 100, 100, 300, 9), 5, geo.Unknown, report.FewPixels},
		{"outside, without edge", box("a", 5000, 100, 200, 200), 5, geo.Unknown, report.NoScenes},
	} {
		r := one(t, report.New(cat, crops(t), now, report.WithInner(c.inner)), c.plot)
		if r.Status != c.status || !strings.HasPrefix(r.Reason, c.reason) {
			t.Errorf("%s: %s %q with %d full pixels, want %s %q", c.what, r.Status, r.Reason, r.FullPixels, c.status, c.reason)
		}
		if r.Area == nil || r.Area.Known != (r.Status != geo.Unknown) {
			t.Errorf("%s: area %+v", c.what, r.Area)
		}
	}
}
