package zonal_test

import (
	"context"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/geo/register"
	"github.com/furrowcredit/furrow/geo/scene"
	sceneindex "github.com/furrowcredit/furrow/geo/scene/index"
	"github.com/furrowcredit/furrow/geo/zonal"
	"github.com/furrowcredit/furrow/internal/realdata"
)

var ctx = context.Background()

func index(t testing.TB, dir string) *scene.Catalogue {
	t.Helper()
	out := t.TempDir()
	if _, err := sceneindex.Run(ctx, sceneindex.Config{Dir: dir, Out: out}); err != nil {
		t.Fatal(err)
	}
	cat, err := scene.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	return cat
}

func fields(t testing.TB) []orb.Polygon {
	t.Helper()
	plots, _, err := register.ReadFile(filepath.Join(realdata.Dir(t, "geo", "eolearn"), "lulc_vector.gpkg"))
	if err != nil {
		t.Fatal(err)
	}
	out := make([]orb.Polygon, len(plots))
	for i, p := range plots {
		out[i] = p.Polygon
	}
	return out
}

// Sampling must give what reading the whole scene and weighing every pixel gives.
func TestSampleEqualsPixelByPixel(t *testing.T) {
	t.Parallel()
	cat, plots := index(t, realdata.Dir(t, "geo", "eolearn")), fields(t)
	items := cat.Items()
	got, err := zonal.Sample(ctx, cat, items, plots, zonal.Spec{Quantities: []zonal.Quantity{
		zonal.NDVI(), zonal.MNDWI(), zonal.Where("green", []string{"ndvi"}, func(v []float64) bool { return v[0] > 0.5 }),
	}})
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(items) {
		t.Fatalf("%d scenes of %d", len(got), len(items))
	}
	for _, n := range []int{0, 1, 13, 17} { // clear, all cloud, a tenth cloud, a few clouds
		it := items[n]
		s := got[n]
		if s.Err != nil || s.Item.ID != it.ID || len(s.Plots) != len(plots) {
			t.Fatalf("%s: %v, %d plots", it.ID, s.Err, len(s.Plots))
		}
		r, err := cat.Reader(it, []string{"ndvi"})
		if err != nil {
			t.Fatal(err)
		}
		b, err := r.Read(ctx, scene.Window{W: it.Grid.Width, H: it.Grid.Height})
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range plots {
			shape, err := it.Grid.ToPixels(scene.WGS84, []orb.MultiPolygon{{p}})
			if err != nil {
				t.Fatal(err)
			}
			c := zonal.NewCover(shape[0], it.Grid.Width, it.Grid.Height)
			var w, v, green, cloud float64
			for _, run := range c.Runs {
				for x := run.X; x < run.X+run.N; x++ {
					k := int(run.Y)*it.Grid.Width + int(x)
					if b.Class[k] != scene.Clear {
						cloud += run.W
						continue
					}
					w, v = w+run.W, v+run.W*b.Bands[0][k]
					if b.Bands[0][k] > 0.5 {
						green += run.W
					}
				}
			}
			ps := s.Plots[i]
			check(t, it.ID, i, "NDVI", ps.Cells[0].Mean, v/w, 1e-5) // of reflectances here, of the file there
			check(t, it.ID, i, "share above 0.5", ps.Cells[2].Mean, green/w, 1e-9)
			check(t, it.ID, i, "pixels", ps.Cells[2].Count, w, 1e-9)
			check(t, it.ID, i, "clear", ps.Clear, w/c.Area, 1e-9)
			check(t, it.ID, i, "cloud", ps.Cloud, cloud/c.Area, 1e-9)
			check(t, it.ID, i, "all shares", ps.Clear+ps.Cloud+ps.Snow+ps.NoData, 1, 1e-9)
			if ps.Full != c.Full {
				t.Errorf("%s, plot %d: %d full pixels, want %d", it.ID, i, ps.Full, c.Full)
			}
			if water := ps.Cells[1]; (water.Share > 0) != (it.Has("swir16") && w > 0) {
				t.Errorf("%s, plot %d: MNDWI %+v", it.ID, i, water)
			}
		}
		r.Close()
	}
}

func check(t *testing.T, item string, plot int, what string, got, want, tol float64) {
	t.Helper()
	if math.IsNaN(got) && math.IsNaN(want) {
		return
	}
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s, plot %d, %s: %v, want %v", item, plot, what, got, want)
	}
}

func TestEmptyMonthHasRadarOnly(t *testing.T) {
	t.Parallel()
	cat := index(t, realdata.Dir(t, "geo", "worldcereal_cube"))
	items := cat.Items()
	b := items[0].Footprint.Bound()
	c := b.Center()
	half := orb.Polygon{{c, {b.Max[0] + 0.01, c[1]}, {b.Max[0] + 0.01, c[1] + 0.001}, {c[0], c[1] + 0.001}, c}}
	far := orb.Polygon{{{114, 34}, {114.01, 34}, {114.01, 34.01}, {114, 34}}}
	got, err := zonal.Sample(ctx, cat, items, []orb.Polygon{half, far}, zonal.Spec{Quantities: []zonal.Quantity{zonal.NDVI(), zonal.Band("vv")}})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range got {
		empty := s.Item.DataShare == 0
		p := s.Plots[0]
		if p.Inside < 0.3 || p.Inside > 0.5 {
			t.Errorf("%v of the plot is inside", p.Inside)
		}
		if ndvi := p.Cells[0]; (ndvi.Share == 0) != empty || math.IsNaN(ndvi.Mean) != empty || (p.NoData == 1) != empty {
			t.Errorf("%s: NDVI %+v, no data %v", s.Item.ID, ndvi, p.NoData)
		}
		if vv := p.Cells[1]; vv.Mean > -5 || vv.Mean < -20 || math.Abs(vv.Share-p.Inside) > 1e-9 {
			t.Errorf("%s: VV %+v", s.Item.ID, vv)
		}
		if p := s.Plots[1]; p.Inside != 0 || p.NoData != 1 || p.Cells[0].Share != 0 || p.Full != 0 {
			t.Errorf("a plot in another country: %+v", p)
		}
	}
}

func TestBadSceneIsNamedAndTheRestGoesOn(t *testing.T) {
	t.Parallel()
	src, dir := realdata.Dir(t, "geo", "worldcereal_cube"), t.TempDir()
	names := []string{"WC_2021-05-01.tif", "WC_2021-06-01.tif", "WC_2021-07-01.tif"}
	for _, n := range names {
		copyFile(t, filepath.Join(src, n), filepath.Join(dir, n))
	}
	cat := index(t, dir)
	if err := os.Truncate(filepath.Join(dir, names[1]), 50000); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, names[2])); err != nil {
		t.Fatal(err)
	}
	b := cat.Items()[0].Footprint.Bound()
	got, err := zonal.Sample(ctx, cat, cat.Items(), []orb.Polygon{b.ToPolygon()}, zonal.Spec{Quantities: []zonal.Quantity{zonal.NDVI()}})
	if err != nil {
		t.Fatal(err)
	}
	if got[0].Err != nil || got[0].Plots[0].Cells[0].Share < 0.9 {
		t.Errorf("the good scene: %+v", got[0])
	}
	for i, s := range got[1:] {
		if !errors.Is(s.Err, scene.ErrUnreadable) || !strings.Contains(s.Err.Error(), names[i+1]) || s.Plots != nil {
			t.Errorf("the bad scene %s: %v", names[i+1], s.Err)
		}
	}
	stopped, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := zonal.Sample(stopped, cat, cat.Items(), []orb.Polygon{b.ToPolygon()}, zonal.Spec{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

func BenchmarkStats(b *testing.B) {
	dir := realdata.Dir(b, "geo", "zonal")
	file, err := register.Open(filepath.Join(dir, "parcels_utm.gpkg"))
	if err != nil {
		b.Fatal(err)
	}
	shapes := make([]orb.MultiPolygon, len(file.Features))
	for i, f := range file.Features {
		shapes[i] = f.Shape
	}
	for b.Loop() {
		r, err := scene.OpenRaster(filepath.Join(dir, "ndvi_1.tif"))
		if err != nil {
			b.Fatal(err)
		}
		p, err := zonal.Place(r.Grid, file.CRS, shapes)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := p.Stats(ctx, r, 1); err != nil {
			b.Fatal(err)
		}
		r.Close()
	}
	b.ReportMetric(float64(len(shapes))*float64(b.N)/b.Elapsed().Seconds(), "parcels/s")
}

func BenchmarkCover(b *testing.B) {
	dir := realdata.Dir(b, "geo", "zonal")
	file, err := register.Open(filepath.Join(dir, "parcels_utm.gpkg"))
	if err != nil {
		b.Fatal(err)
	}
	r, err := scene.OpenRaster(filepath.Join(dir, "ndvi_1.tif"))
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	shapes := make([]orb.MultiPolygon, len(file.Features))
	for i, f := range file.Features {
		shapes[i] = f.Shape
	}
	pixels, err := r.Grid.ToPixels(file.CRS, shapes)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		for _, s := range pixels {
			zonal.NewCover(s, r.Grid.Width, r.Grid.Height)
		}
	}
	b.ReportMetric(float64(len(shapes))*float64(b.N)/b.Elapsed().Seconds(), "parcels/s")
}
