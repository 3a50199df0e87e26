package model_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/geo/crop/model"
	"github.com/furrowcredit/furrow/geo/crop/sample"
	"github.com/furrowcredit/furrow/internal/realdata"
)

// centralAsia joins the parcels' surveyed crops with their series: the eleven most
// frequent crops, complete rows, 2015 and later, in the long layout. Dates are the
// days of the year on which the 16-day composites begin.
func centralAsia(t testing.TB) *sample.Set {
	dir := realdata.Dir(t, "geo", "cawa")
	label, region, year := parcels(t, filepath.Join(dir, "cawa_parcels.geojson"))
	count := map[string]int{}
	for _, l := range label {
		count[l]++
	}
	crops := make([]string, 0, len(count))
	for l := range count {
		crops = append(crops, l)
	}
	slices.SortFunc(crops, func(a, b string) int { return count[b] - count[a] })
	crops = crops[:11]

	f, err := os.Open(filepath.Join(dir, "cawa_ndvi_8435.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	col := map[string]int{}
	var steps []int
	for i, h := range rows[0] {
		col[h] = i
		if strings.HasPrefix(h, "ndvi_doy") {
			steps = append(steps, i)
		}
	}
	var long strings.Builder
	long.WriteString("sample_id,label,lon,lat,start,end,step,date,NDVI,region_year\n")
	for _, r := range rows[1:] {
		id := r[col["sample_id"]]
		complete := !slices.ContainsFunc(steps, func(i int) bool { return r[i] == "" || r[i] == "NA" })
		if !complete || year[id] < 2015 || !slices.Contains(crops, label[id]) {
			continue
		}
		jan := time.Date(year[id], time.January, 1, 0, 0, 0, 0, time.UTC)
		for k, i := range steps {
			doy, _ := strconv.Atoi(strings.TrimPrefix(rows[0][i], "ndvi_doy"))
			fmt.Fprintf(&long, "%s,%s,%s,%s,%s,%s,%d,%s,%s,%s_%d\n", id, label[id], r[col["lon"]], r[col["lat"]],
				jan.Format(time.DateOnly), jan.AddDate(1, 0, -1).Format(time.DateOnly), k+1,
				jan.AddDate(0, 0, doy-1).Format(time.DateOnly), r[i], region[id], year[id])
		}
	}
	set, err := sample.Read(strings.NewReader(long.String()), "cawa.csv", sample.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Samples) != 2277 {
		t.Fatalf("the join has %d samples", len(set.Samples))
	}
	return set
}

func parcels(t testing.TB, path string) (label, region map[string]string, year map[string]int) {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Features []struct {
			Properties struct {
				ID     int    `json:"sample_id"`
				Region string `json:"region"`
				Year   string `json:"year"`
				Label  string `json:"label_1"`
			} `json:"properties"`
		} `json:"features"`
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	label, region, year = map[string]string{}, map[string]string{}, map[string]int{}
	for _, f := range file.Features {
		id := strconv.Itoa(f.Properties.ID)
		label[id], region[id] = f.Properties.Label, f.Properties.Region
		year[id], _ = strconv.Atoi(f.Properties.Year)
	}
	return label, region, year
}

func openSeries(t testing.TB, name string) *sample.Set {
	set, err := sample.Open(filepath.Join(realdata.Dir(t, "geo", "series"), name), sample.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// The default method must be at least this accurate on fields that it has not seen,
// by random folds and, where regions are left out, in places that it has not seen.
func TestAccuracyOnUnseenFields(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		set   func(testing.TB) *sample.Set
		group string
		least float64
	}{
		{"Mato Grosso, NDVI, random", func(t testing.TB) *sample.Set { return openSeries(t, "samples_modis_ndvi.csv") }, "", 0.91},
		{"Cerrado, NDVI and EVI, random", func(t testing.TB) *sample.Set { return openSeries(t, "samples_cerrado_2classes.csv") }, "", 0.989},
		{"Central Asia, random", centralAsia, "", 0.85},
		{"Central Asia, region and year left out", centralAsia, "region_year", 0.70},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, err := model.Validate(context.Background(), c.set(t), model.Config{Group: c.group, Folds: 5, Seed: 42})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("accuracy %.4f, macro F1 %.3f, kappa %.3f, ECE %.3f", r.Accuracy, r.MacroF1, r.Kappa, r.Calibration.ECE)
			if r.Accuracy < c.least {
				t.Errorf("accuracy is %.4f, want at least %g", r.Accuracy, c.least)
			}
		})
	}
}
