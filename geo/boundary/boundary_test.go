package boundary_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/airbusgeo/godal"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/boundary"
	"github.com/furrowcredit/furrow/geo/register"
	"github.com/furrowcredit/furrow/geo/scene"
	"github.com/furrowcredit/furrow/geo/scene/index"
	"github.com/furrowcredit/furrow/internal/realdata"
)

const (
	side  = 120 // pixels of the made land
	west  = 500000.0
	north = 3900000.0
)

var (
	first = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	all   = geo.Season{Start: first, End: first.AddDate(1, 0, 0)}
)

// made is land with fields, in pixels of 10 m from the upper left.
type made struct {
	fields []orb.Ring
	dates  int
	clouds func(date, x, y int) bool
}

// cover is the part of each pixel that each field covers.
func (m made) cover() [][]float64 {
	const fine = 5
	out := make([][]float64, len(m.fields))
	for f, ring := range m.fields {
		out[f] = make([]float64, side*side)
		b := ring.Bound()
		for y := max(0, int(b.Min[1])); y <= min(side-1, int(b.Max[1])); y++ {
			for x := max(0, int(b.Min[0])); x <= min(side-1, int(b.Max[0])); x++ {
				for k := range fine * fine {
					p := orb.Point{float64(x) + (float64(k%fine)+0.5)/fine, float64(y) + (float64(k/fine)+0.5)/fine}
					if planar.RingContains(ring, p) {
						out[f][y*side+x] += 1.0 / (fine * fine)
					}
				}
			}
		}
	}
	return out
}

// ndvi is what the pixels show: the fields, each with its own peak, and bare land
// between them.
func (m made) ndvi(cover [][]float64, date int, noise *rand.Rand) []float64 {
	out := make([]float64, side*side)
	for i := range out {
		out[i] = 0.15 + 0.012*noise.NormFloat64()
		for f := range m.fields {
			peak := 3 + 5*float64(f%4)/3 // of ten dates
			grown := 0.25 + 0.5*math.Exp(-math.Pow((float64(date)*10/float64(m.dates)-peak)/2.2, 2))
			out[i] += cover[f][i] * (grown - 0.15)
		}
	}
	return out
}

func (m made) catalogue(t testing.TB) func() *scene.Catalogue {
	t.Helper()
	scene.RegisterDrivers()
	dir := t.TempDir()
	ref, err := godal.NewSpatialRefFromEPSG(32650)
	if err != nil {
		t.Fatal(err)
	}
	defer ref.Close()
	write := func(name string, kind godal.DataType, values any) {
		ds, err := godal.Create(godal.GTiff, filepath.Join(dir, name), 1, kind, side, side)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(ds.SetSpatialRef(ref), ds.SetGeoTransform([6]float64{west, 10, 0, north, 0, -10}), ds.Bands()[0].Write(0, 0, values, side, side), ds.Close()); err != nil {
			t.Fatal(err)
		}
	}
	noise, cover := rand.New(rand.NewPCG(1, 2)), m.cover()
	for d := range m.dates {
		day := first.AddDate(0, 0, d*15).Format("20060102")
		values, mask := m.ndvi(cover, d, noise), make([]uint8, side*side)
		for i := range mask {
			if m.clouds != nil && m.clouds(d, i%side, i/side) {
				mask[i], values[i] = 1, 0.05
			}
		}
		write("ndvi_"+day+".tif", godal.Float32, values)
		write("cloud_"+day+".tif", godal.Byte, mask)
	}
	layout := `{"collection": "made", "title": "made", "files": [
		{"pattern": "ndvi_{date}.tif", "bands": [{"name": "NDVI"}]},
		{"pattern": "cloud_{date}.tif", "bands": [{"name": "cloud", "mask": "cloud"}]}]}`
	if err := os.WriteFile(filepath.Join(dir, "furrow-scenes.json"), []byte(layout), 0o600); err != nil {
		t.Fatal(err)
	}
	return opened(t, dir, dir)
}

func opened(t testing.TB, dir, out string) func() *scene.Catalogue {
	t.Helper()
	if _, err := index.Run(context.Background(), index.Config{Dir: dir, Out: out}); err != nil {
		t.Fatal(err)
	}
	cat, err := scene.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	return func() *scene.Catalogue { return cat }
}

// place is a pixel coordinate in WGS84.
func place(t testing.TB, x, y float64) orb.Point {
	t.Helper()
	d := 1e-6
	p, err := scene.ToWGS84("EPSG:32650", orb.Polygon{{{west + x*10, north - y*10}, {west + x*10 + d, north - y*10}, {west + x*10, north - y*10 + d}}})
	if err != nil {
		t.Fatal(err)
	}
	return p[0][0]
}

// strips are four fields with bent edges, a path of 8 m between them.
func strips() []orb.Ring {
	var out []orb.Ring
	for i := range 4 {
		x := 30 + float64(i)*15
		out = append(out, orb.Ring{{x + 3, 40}, {x + 17, 42}, {x + 17.2, 60}, {x + 14.2, 78}, {x, 76}, {x + 2.5, 58}, {x + 3, 40}})
	}
	return out
}

func share(a, b orb.Polygon) float64 {
	both := geo.OverlapM2(a, b)
	return both / (geo.AreaM2(a) + geo.AreaM2(b) - both)
}

func TestSuggestFindsTheField(t *testing.T) {
	t.Parallel()
	fields := strips()
	passing := func(date, x, _ int) bool { return date%5 == 1 && x < 20+date }
	f := boundary.New(made{fields: fields, dates: 12, clouds: passing}.catalogue(t))
	for i, ring := range fields {
		var truth orb.Ring
		for _, p := range ring {
			truth = append(truth, place(t, p[0], p[1]))
		}
		for _, tap := range []orb.Point{{0.5, 0.5}, {0.3, 0.7}, {0.7, 0.25}} { // within the field's box
			b := ring.Bound()
			x, y := b.Min[0]+tap[0]*(b.Max[0]-b.Min[0]), b.Min[1]+tap[1]*(b.Max[1]-b.Min[1])
			got, err := f.Suggest(context.Background(), place(t, x, y), all)
			if err != nil {
				t.Errorf("field %d at %v: %v", i, tap, err)
				continue
			}
			if iou := share(got.Polygon, orb.Polygon{truth}); iou < 0.93 {
				t.Errorf("field %d at %v: %.3f of the union, %v", i, tap, iou, got.Polygon)
			}
			if n := len(got.Polygon[0]); n > 16 || got.Confidence < 0.8 || len(got.Dates) < 4 || math.Abs(got.Mu*geo.M2PerMu-got.AreaM2) > 1 {
				t.Errorf("field %d at %v: %d corners, %+v", i, tap, n, got)
			}
		}
	}
	// The same question, the same answer.
	at := place(t, 40, 60)
	a, err := f.Suggest(context.Background(), at, all)
	b, again := f.Suggest(context.Background(), at, all)
	if err != nil || again != nil || !a.Polygon.Equal(b.Polygon) {
		t.Errorf("%v and %v (%v, %v)", a.Polygon, b.Polygon, err, again)
	}
}

func TestNoSuggestionSaysWhy(t *testing.T) {
	t.Parallel()
	whole := orb.Ring{{-5, -5}, {side + 5, -5}, {side + 5, side + 5}, {-5, side + 5}, {-5, -5}}
	tiny := orb.Ring{{59, 59}, {61, 59}, {61, 61}, {59, 61}, {59, 59}}
	for _, c := range []struct {
		name string
		land made
		at   orb.Point
		want error
	}{
		{"beyond the images", made{fields: strips(), dates: 6}, place(t, -40, 50), boundary.ErrOutside},
		{"no place", made{fields: strips(), dates: 6}, orb.Point{math.NaN(), 95}, boundary.ErrPlace},
		{"cloud on all dates", made{fields: strips(), dates: 8, clouds: func(d, _, _ int) bool { return d > 2 }}, place(t, 40, 60), boundary.ErrCloud},
		{"cloud over the place", made{fields: strips(), dates: 8, clouds: func(_, x, y int) bool { return x > 30 && x < 50 && y > 50 && y < 70 }}, place(t, 40, 60), boundary.ErrCloud},
		{"a bare place", made{fields: strips(), dates: 8}, place(t, 110, 20), boundary.ErrBare},
		{"one field without end", made{fields: []orb.Ring{whole}, dates: 8}, place(t, 60, 60), boundary.ErrOpen},
		{"a bed", made{fields: []orb.Ring{tiny}, dates: 8}, place(t, 60, 60), boundary.ErrSmall},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := boundary.New(c.land.catalogue(t)).Suggest(context.Background(), c.at, all)
			if !errors.Is(err, c.want) {
				t.Errorf("%+v, %v; want %v", got, err, c.want)
			}
		})
	}
}

// A file that went bad after the catalogue was written is named, and the others serve.
func TestBadFilesAreNamed(t *testing.T) {
	t.Parallel()
	cat := made{fields: strips(), dates: 8}.catalogue(t)
	bad := cat().Items()[3]
	if err := os.WriteFile(bad.Bands["ndvi"].File, []byte("II*"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := boundary.New(cat).Suggest(context.Background(), place(t, 40, 60), all)
	if err != nil || !slices.Equal(got.Unreadable, []string{bad.ID}) || len(got.Dates) != 7 {
		t.Errorf("%+v, %v", got, err)
	}
}

// On real images every tap is answered, by a valid boundary that holds the place or
// by a reason. How near the boundaries come to the mapped pieces of land use is
// logged; those are no fields: one in two is smaller than 30 pixels.
func TestRealImages(t *testing.T) {
	t.Parallel()
	data := realdata.Dir(t, "geo", "eolearn")
	f := boundary.New(opened(t, data, t.TempDir()))
	plots, _, err := register.ReadFile(filepath.Join(data, "lulc_vector.gpkg"))
	if err != nil {
		t.Fatal(err)
	}
	season := geo.Season{Start: time.Date(2016, 10, 1, 0, 0, 0, 0, time.UTC), End: time.Date(2017, 12, 31, 0, 0, 0, 0, time.UTC)}
	var ious, large []float64
	why := map[string]int{}
	for _, p := range plots {
		at, _ := planar.CentroidArea(p.Polygon)
		if !planar.PolygonContains(p.Polygon, at) {
			why["the middle lies outside"]++
			continue
		}
		got, err := f.Suggest(context.Background(), at, season)
		var e *fault.Error
		switch {
		case errors.As(err, &e):
			why[e.Code]++
			continue
		case err != nil:
			t.Fatal(err)
		}
		if valid, err := geo.ValidatePolygon(got.Polygon); err != nil || !valid.Equal(got.Polygon) || !planar.PolygonContains(valid, at) || !(got.Confidence >= 0.5 && got.Confidence <= 1) {
			t.Errorf("%+v: %v", got, err)
		}
		iou := share(got.Polygon, p.Polygon)
		ious = append(ious, iou)
		if p.AreaM2 > 10000 {
			large = append(large, iou)
		}
	}
	t.Logf("%d plots: IoU %s; of those above 1 ha: %s; no suggestion: %v", len(plots), spread(ious), spread(large), why)
	if len(ious) < 20 {
		t.Errorf("only %d suggestions of %d", len(ious), len(plots))
	}
}

func spread(v []float64) string {
	if len(v) == 0 {
		return "none"
	}
	slices.Sort(v)
	return fmt.Sprintf("n %d, quarter %.2f, median %.2f, three quarters %.2f", len(v), v[len(v)/4], v[len(v)/2], v[len(v)*3/4])
}
