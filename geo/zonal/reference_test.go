package zonal_test

import (
	"context"
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/geo/register"
	"github.com/furrowcredit/furrow/geo/scene"
	"github.com/furrowcredit/furrow/geo/zonal"
	"github.com/furrowcredit/furrow/internal/realdata"
)

// The statistics of 582 real parcels, computed with exact coverage by another
// program, must come out the same.
func TestStatsEqualReference(t *testing.T) {
	t.Parallel()
	dir := realdata.Dir(t, "geo", "zonal")
	file, err := register.Open(filepath.Join(dir, "parcels_utm.gpkg"))
	if err != nil {
		t.Fatal(err)
	}
	shapes := make([]orb.MultiPolygon, len(file.Features))
	at := map[string]int{}
	for i, f := range file.Features {
		shapes[i] = f.Shape
		at[f.Fields["id"]] = i
	}
	r, err := scene.OpenRaster(filepath.Join(dir, "ndvi_1.tif"))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	plan, err := zonal.Place(r.Grid, file.CRS, shapes)
	if err != nil {
		t.Fatal(err)
	}
	got, err := plan.Stats(context.Background(), r, 1)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join(dir, "exactextract_ref_582.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows)-1 != len(got) {
		t.Fatalf("%d parcels, %d in the reference", len(got), len(rows)-1)
	}
	var worst [5]float64
	for _, row := range rows[1:] {
		s := got[at[row[0]]]
		for k, v := range []float64{s.Mean, s.Count, s.StdDev, s.Min, s.Max} {
			want, err := strconv.ParseFloat(row[k+1], 64)
			if err != nil {
				t.Fatal(err)
			}
			d := math.Abs(v-want) / math.Abs(want)
			worst[k] = max(worst[k], d)
			if d > 1e-6 || math.IsNaN(d) {
				t.Errorf("parcel %s, %s: got %v, want %v", row[0], rows[0][k+1], v, want)
			}
		}
	}
	t.Logf("worst relative differences of mean, count, stdev, min, max: %.1e", worst)
}
