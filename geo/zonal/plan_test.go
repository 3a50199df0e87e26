package zonal_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/airbusgeo/godal"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/scene"
	"github.com/furrowcredit/furrow/geo/zonal"
)

func zone(epsg string, x, y float64, w, h int) scene.Grid {
	return scene.Grid{CRS: epsg, Transform: [6]float64{x, 10, 0, y, 0, -10}, Width: w, Height: h}
}

// rasterFile writes bands as a tiled and compressed GeoTIFF.
func rasterFile[T uint8 | uint16 | float32](t testing.TB, g scene.Grid, nodata *float64, bands ...[]T) string {
	t.Helper()
	scene.RegisterDrivers()
	path := filepath.Join(t.TempDir(), "raster.tif")
	kind := map[any]godal.DataType{uint8(0): godal.Byte, uint16(0): godal.UInt16, float32(0): godal.Float32}[any(T(0))]
	ds, err := godal.Create(godal.GTiff, path, len(bands), kind, g.Width, g.Height,
		godal.CreationOption("TILED=YES", "BLOCKXSIZE=64", "BLOCKYSIZE=64", "COMPRESS=DEFLATE"))
	if err != nil {
		t.Fatal(err)
	}
	sr, err := godal.NewSpatialRef(g.CRS)
	if err != nil {
		t.Fatal(err)
	}
	defer sr.Close()
	errs := []error{ds.SetSpatialRef(sr), ds.SetGeoTransform(g.Transform)}
	for i, v := range bands {
		if nodata != nil {
			errs = append(errs, ds.Bands()[i].SetNoData(*nodata))
		}
		errs = append(errs, ds.Bands()[i].Write(0, 0, v, g.Width, g.Height))
	}
	if err := errors.Join(append(errs, ds.Close())...); err != nil {
		t.Fatal(err)
	}
	return path
}

func noise(n int, seed uint64) []float32 {
	rng := rand.New(rand.NewPCG(seed, 1))
	v := make([]float32, n)
	for i := range v {
		if v[i] = rng.Float32(); rng.Float64() < 0.02 {
			v[i] = float32(math.NaN())
		}
	}
	return v
}

// rectangle is in metres of a grid, from its upper left corner.
func rectangle(g scene.Grid, x, y, w, h float64) orb.MultiPolygon {
	return outline(g, orb.Ring{{x, y}, {x + w, y}, {x + w, y + h}, {x, y + h}})
}

func outline(g scene.Grid, r orb.Ring) orb.MultiPolygon {
	out := make(orb.Ring, 0, len(r)+1)
	for _, p := range append(r, r[0]) {
		out = append(out, orb.Point{g.Transform[0] + p[0], g.Transform[3] - p[1]})
	}
	return orb.MultiPolygon{{out}}
}

// Many rasters and bands at once must give what each gives alone, in every type,
// with nodata and NaN in one file.
func TestMeasureEqualsBandByBand(t *testing.T) {
	t.Parallel()
	g := zone("EPSG:32650", 500000, 4000000, 700, 600)
	n := g.Width * g.Height
	gone := 7.0
	bytes, words := make([]uint8, n), make([]uint16, n)
	floats := noise(n, 3)
	for i := range bytes {
		bytes[i], words[i] = uint8(i%11), uint16(i%9)
		if i%13 == 0 {
			floats[i] = 7
		}
	}
	small := zone("EPSG:32650", 500300, 3999700, 300, 300)
	paths := []string{
		rasterFile(t, g, nil, noise(n, 1), noise(n, 2)), rasterFile(t, g, &gone, bytes), rasterFile(t, g, &gone, words),
		rasterFile(t, g, &gone, floats), rasterFile(t, small, nil, noise(300*300, 4)),
	}
	var shapes []orb.MultiPolygon
	rng := rand.New(rand.NewPCG(5, 5))
	for range 150 {
		shapes = append(shapes, rectangle(g, 7400*rng.Float64()-200, 6400*rng.Float64()-200, 900*rng.Float64(), 900*rng.Float64()))
	}
	got, err := zonal.Measure(ctx, paths, zonal.Shapes{CRS: g.CRS, Shapes: shapes})
	if err != nil {
		t.Fatal(err)
	}
	quick, err := zonal.Measure(ctx, paths, zonal.Shapes{CRS: g.CRS, Shapes: shapes, MeanOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	for i, path := range paths {
		r, err := scene.OpenRaster(path)
		if err != nil {
			t.Fatal(err)
		}
		whole := make([]float64, r.Grid.Width*r.Grid.Height)
		for b := range r.Bands {
			if err := r.Read(b+1, scene.Window{W: r.Grid.Width, H: r.Grid.Height}, whole); err != nil {
				t.Fatal(err)
			}
			want := make([]zonal.Stat, len(shapes))
			for k, s := range shapes {
				want[k] = pixelByPixel(t, r.Grid, whole, r.Bands[b].NoData, s)
			}
			same := cmp.Options{cmpopts.EquateNaNs(), cmpopts.EquateApprox(1e-9, 1e-9)}
			if d := cmp.Diff(want, got[i].Stats[b], same); d != "" {
				t.Fatalf("raster %d, band %d: %s", i, b+1, d)
			}
			for k, s := range quick[i].Stats[b] {
				if !cmp.Equal([]float64{s.Mean, s.Count}, []float64{want[k].Mean, want[k].Count}, same) {
					t.Fatalf("raster %d, band %d, polygon %d: %+v, want %+v", i, b+1, k, s, want[k])
				}
			}
		}
		r.Close()
	}
}

func pixelByPixel(t *testing.T, g scene.Grid, v []float64, nodata *float64, shape orb.MultiPolygon) zonal.Stat {
	t.Helper()
	p, err := g.ToPixels(g.CRS, []orb.MultiPolygon{shape})
	if err != nil {
		t.Fatal(err)
	}
	var w, sum, square float64
	low, high := math.Inf(1), math.Inf(-1)
	for _, run := range zonal.NewCover(p[0], g.Width, g.Height).Runs {
		for x := run.X; x < run.X+run.N; x++ {
			f := v[int(run.Y)*g.Width+int(x)]
			if math.IsNaN(f) || nodata != nil && f == *nodata {
				continue
			}
			w, sum, square = w+run.W, sum+run.W*f, square+run.W*f*f
			low, high = min(low, f), max(high, f)
		}
	}
	if w == 0 {
		nan := math.NaN()
		return zonal.Stat{Mean: nan, StdDev: nan, Min: nan, Max: nan}
	}
	mean := sum / w
	return zonal.Stat{Count: w, Mean: mean, StdDev: math.Sqrt(max(0, square/w-mean*mean)), Min: low, Max: high}
}

func TestInnerEdge(t *testing.T) {
	t.Parallel()
	utm := zone("EPSG:32650", 500000, 4000000, 60, 60)
	// The middle of zone 50 shrinks lengths by the factor 0.9996.
	d := 5 * 0.9996
	degrees := scene.Grid{CRS: scene.WGS84, Transform: [6]float64{117, 0.0001, 0, 36.15, 0, -0.0001}, Width: 60, Height: 60}
	ell := outline(utm, orb.Ring{{100, 100}, {300, 100}, {300, 200}, {200, 200}, {200, 300}, {100, 300}})
	for _, c := range []struct {
		name  string
		grid  scene.Grid
		shape orb.MultiPolygon
		want  float64 // m²
		full  int
	}{
		{"a square on the pixels", utm, rectangle(utm, 100, 100, 100, 100), (100 - 2*d) * (100 - 2*d), 64},
		// The corner that points inwards is rounded: a quarter circle more than the two strips.
		{"an L", utm, ell, 2*(200-2*d)*(100-2*d) - (100-2*d)*(100-2*d) + d*d*(1-math.Pi/4), 2*18*8 - 64},
		{"a strip of 9 m vanishes", utm, rectangle(utm, 100, 100, 9, 300), 0, 0},
		{"a hole grows", utm, orb.MultiPolygon{{rectangle(utm, 100, 100, 300, 300)[0][0], rectangle(utm, 200, 200, 50, 50)[0][0]}}, (300-2*d)*(300-2*d) - 50*50 - 4*50*d - math.Pi*d*d, -1},
		{"a grid in degrees", degrees, orb.MultiPolygon{{{{117.001, 36.146}, {117.003, 36.146}, {117.003, 36.148}, {117.001, 36.148}, {117.001, 36.146}}}}, -1, -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := rasterFile(t, c.grid, nil, make([]float32, c.grid.Width*c.grid.Height))
			got, err := zonal.Measure(ctx, []string{path}, zonal.Shapes{CRS: c.grid.CRS, Shapes: []orb.MultiPolygon{c.shape}, InnerM: 5})
			if err != nil {
				t.Fatal(err)
			}
			area := got[0].Stats[0][0].Count * 100
			if c.grid.CRS == scene.WGS84 {
				p := c.shape[0]
				side := func(a, b orb.Point) float64 { return geo.PerimeterM(orb.Polygon{{a, b}}) / 2 }
				c.want = (side(p[0][0], p[0][1]) - 10) * (side(p[0][1], p[0][2]) - 10)
				one := orb.Point{p[0][0][0] + 0.0001, p[0][0][1] + 0.0001}
				area = got[0].Stats[0][0].Count * side(p[0][0], orb.Point{one[0], p[0][0][1]}) * side(p[0][0], orb.Point{p[0][0][0], one[1]})
			}
			if math.Abs(area-c.want) > 0.003*c.want {
				t.Errorf("%v m², want %v", area, c.want)
			}
			if c.full >= 0 {
				s := sampleOf(t, path, c.grid, c.shape[0], 5)
				if s.Full != c.full {
					t.Errorf("%d full pixels, want %d", s.Full, c.full)
				}
				whole := -ringArea(c.shape[0]) / 100
				if lost := 1 - float64(c.full)/whole; math.Abs(s.Lost-lost) > 1e-3 {
					t.Errorf("lost %v, want %v", s.Lost, lost)
				}
			}
		})
	}
}

func ringArea(p orb.Polygon) float64 {
	var sum float64
	for i, a := range p[0][:len(p[0])-1] {
		b := p[0][i+1]
		sum += (a[0]*b[1] - b[0]*a[1]) / 2
	}
	return -math.Abs(sum)
}

// sampleOf samples one polygon in the system of a raster.
func sampleOf(t *testing.T, path string, g scene.Grid, p orb.Polygon, innerM float64) zonal.PlotSample {
	t.Helper()
	plot, err := scene.ToWGS84(g.CRS, p)
	if err != nil {
		t.Fatal(err)
	}
	it := opticalItem("s", path, g, "float32")
	got, err := zonal.Sample(ctx, scene.New([]scene.Item{it}), []scene.Item{it}, []orb.Polygon{plot}, zonal.Spec{Quantities: []zonal.Quantity{zonal.Band("ndvi")}, InnerM: innerM})
	if err != nil || got[0].Err != nil {
		t.Fatal(err, got)
	}
	return got[0].Plots[0]
}

func opticalItem(id, path string, g scene.Grid, kind string) scene.Item {
	return scene.Item{ID: id, Time: time.Date(2024, 7, 1, 0, 0, 0, 0, time.UTC), Grid: g, Bands: map[string]scene.Band{
		"ndvi": {Key: "ndvi", File: path, Index: 1, Kind: scene.Derived, Scale: 1, DataType: kind, Grid: g},
	}}
}

// A plot on the border of two zones is measured in each, on its own grid.
func TestPlotAcrossTwoZones(t *testing.T) {
	t.Parallel()
	// 114° E is the border of zones 49 and 50; each scene ends there or a bit beyond.
	plot := orb.Polygon{{{113.998, 36}, {114.002, 36}, {114.002, 36.002}, {113.998, 36.002}, {113.998, 36}}}
	west, east := zone("EPSG:32649", 770000, 3989000, 100, 200), zone("EPSG:32650", 229500, 3989000, 100, 200)
	fill := func(v float32) []float32 {
		out := make([]float32, 100*200)
		for i := range out {
			out[i] = v
		}
		return out
	}
	items := []scene.Item{
		opticalItem("a", rasterFile(t, west, nil, fill(0.25)), west, "float32"),
		opticalItem("b", rasterFile(t, east, nil, fill(0.75)), east, "float32"),
	}
	far := orb.Polygon{{{-66, -36}, {-65.9, -36}, {-65.9, -35.9}, {-66, -36}}} // the other side of the earth
	got, err := zonal.Sample(ctx, scene.New(items), items, []orb.Polygon{plot, far}, zonal.Spec{Quantities: []zonal.Quantity{zonal.NDVI()}})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{0.25, 0.75} {
		if got[i].Err != nil {
			t.Fatal(got[i].Err)
		}
		p := got[i].Plots[0]
		if c := p.Cells[0]; math.Abs(c.Mean-want) > 1e-6 || c.Share < 0.4 || math.Abs(c.Share-p.Inside) > 1e-9 {
			t.Errorf("zone %d: %+v", i, p)
		}
		if p := got[i].Plots[1]; p.Inside != 0 || p.NoData != 1 || p.Full != 0 || p.Lost != 1 {
			t.Errorf("a plot on the other side of the earth: %+v", p)
		}
	}
}

func TestDamagedBlockIsNamedAndTheRestGoesOn(t *testing.T) {
	t.Parallel()
	g := zone("EPSG:32650", 500000, 4000000, 256, 256)
	bad, good := rasterFile(t, g, nil, noise(256*256, 1)), rasterFile(t, g, nil, noise(256*256, 2))
	body, err := os.ReadFile(bad)
	if err != nil {
		t.Fatal(err)
	}
	for i := len(body) / 2; i < len(body)/2+2000; i++ {
		body[i] ^= 0x5a
	}
	if err := os.WriteFile(bad, body, 0o600); err != nil {
		t.Fatal(err)
	}
	items := []scene.Item{opticalItem("a", bad, g, "float32"), opticalItem("b", good, g, "float32")}
	plot, err := scene.ToWGS84(g.CRS, rectangle(g, 20, 20, 2500, 2500)[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, workers := range []int{1, 8} {
		got, err := zonal.Sample(ctx, scene.New(items), items, []orb.Polygon{plot}, zonal.Spec{Quantities: []zonal.Quantity{zonal.NDVI()}, Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		if !errors.Is(got[0].Err, scene.ErrUnreadable) || !strings.Contains(got[0].Err.Error(), bad) || got[0].Plots != nil {
			t.Errorf("the damaged scene: %v", got[0].Err)
		}
		if got[1].Err != nil || got[1].Plots[0].Clear < 0.9 {
			t.Errorf("the good scene: %+v", got[1])
		}
	}
	if _, err := zonal.Measure(ctx, []string{good, bad}, zonal.Shapes{CRS: g.CRS, Shapes: []orb.MultiPolygon{rectangle(g, 20, 20, 2500, 2500)}}); !errors.Is(err, scene.ErrUnreadable) || !strings.Contains(err.Error(), bad) {
		t.Errorf("measured: %v", err)
	}
}

func TestSampleDoesNotDependOnWorkers(t *testing.T) {
	t.Parallel()
	g := zone("EPSG:32650", 500000, 4000000, 1500, 1200)
	it := opticalItem("a", rasterFile(t, g, nil, noise(1500*1200, 9)), g, "float32")
	var plots []orb.Polygon
	for i := range 90 {
		p, err := scene.ToWGS84(g.CRS, rectangle(g, float64(i%10)*1490, float64(i/10)*1300, 1371, 1283)[0])
		if err != nil {
			t.Fatal(err)
		}
		plots = append(plots, p)
	}
	var first []zonal.ItemSample
	for _, workers := range []int{1, 2, 7} {
		got, err := zonal.Sample(ctx, scene.New([]scene.Item{it}), []scene.Item{it}, plots, zonal.Spec{Quantities: []zonal.Quantity{zonal.NDVI()}, Workers: workers})
		if err != nil || got[0].Err != nil {
			t.Fatal(err, got[0].Err)
		}
		if first == nil {
			first = got
		} else if d := cmp.Diff(first[0].Plots, got[0].Plots); d != "" {
			t.Fatalf("%d workers: %s", workers, d)
		}
	}
}

// The mean of radar is that of the power.
func TestRadarMean(t *testing.T) {
	t.Parallel()
	g := zone("EPSG:32650", 500000, 4000000, 20, 20)
	db := make([]float32, 400)
	for i := range db {
		db[i] = -20 + 10*float32(i%2)
	}
	it := opticalItem("a", rasterFile(t, g, nil, db), g, "float32")
	it.Bands = map[string]scene.Band{"vv": {Key: "vv", File: it.Bands["ndvi"].File, Index: 1, Kind: scene.Radar, Scale: 1, DataType: "float32", Grid: g}}
	plot, err := scene.ToWGS84(g.CRS, rectangle(g, 20, 20, 160, 160)[0])
	if err != nil {
		t.Fatal(err)
	}
	got, err := zonal.Sample(ctx, scene.New([]scene.Item{it}), []scene.Item{it}, []orb.Polygon{plot}, zonal.Spec{Quantities: []zonal.Quantity{zonal.Band("vv")}})
	if err != nil || got[0].Err != nil {
		t.Fatal(err, got[0].Err)
	}
	c := got[0].Plots[0].Cells[0]
	if want := 10 * math.Log10((0.1+0.01)/2); math.Abs(c.Mean-want) > 1e-6 || math.Abs(c.StdDev-5) > 1e-6 {
		t.Errorf("%v dB ± %v, want %v ± 5", c.Mean, c.StdDev, want)
	}
}

// An outline of a million corners is covered as exactly as any, in one pass.
func TestMillionCorners(t *testing.T) {
	t.Parallel()
	const n, size = 1_000_000, 2000
	ring := make(orb.Ring, 0, n+1)
	for i := range n {
		phi := 2 * math.Pi * float64(i) / n
		r := 800 + 100*math.Sin(9*phi) + 2*math.Sin(20011*phi)
		ring = append(ring, orb.Point{1000 + r*math.Cos(phi), 1000 + r*math.Sin(phi)})
	}
	ring = append(ring, ring[0])
	c := zonal.NewCover(orb.MultiPolygon{{ring}}, size, size)
	if math.Abs(c.In-c.Area) > 1e-6*c.Area || c.Full == 0 {
		t.Errorf("covered %v of %v", c.In, c.Area)
	}
	if want := math.Pi * (800*800 + 100*100/2. + 2*2/2.); math.Abs(c.Area-want) > 1e-5*want {
		t.Errorf("area %v, want %v", c.Area, want)
	}
}
