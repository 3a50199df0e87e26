package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/internal/realdata"
)

// call runs a tool as the command line would.
func call(t *testing.T, run func(context.Context, []string, stdio) error, args ...string) (out, errs string, err error) {
	t.Helper()
	var o, e bytes.Buffer
	err = run(context.Background(), args, stdio{strings.NewReader(""), &o, &e})
	return o.String(), e.String(), err
}

func readTable(t *testing.T, path string) [][]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestZonal(t *testing.T) {
	t.Parallel()
	dir, out := realdata.Dir(t, "geo", "zonal"), filepath.Join(t.TempDir(), "z.csv")
	raster, plots := filepath.Join(dir, "ndvi_1.tif"), filepath.Join(dir, "parcels_utm.gpkg")
	if _, _, err := call(t, runZonal, "--raster", raster, "--plots", plots, "--id", "id", "--out", out); err != nil {
		t.Fatal(err)
	}
	got, want := readTable(t, out), readTable(t, filepath.Join(dir, "exactextract_ref_582.csv"))
	if strings.Join(got[0], ",") != "id,mean,count,stdev,min,max" || len(got) != len(want) {
		t.Fatalf("header %v, %d rows of %d", got[0], len(got), len(want))
	}
	reference := map[string][]string{}
	for _, r := range want[1:] {
		reference[r[0]] = r
	}
	for _, r := range got[1:] {
		for k := 1; k < len(r); k++ {
			a, _ := strconv.ParseFloat(r[k], 64)
			b, err := strconv.ParseFloat(reference[r[0]][k], 64)
			if err != nil || math.Abs(a-b) > 1e-6*math.Abs(b) {
				t.Errorf("parcel %s, %s: %v, want %v", r[0], got[0][k], a, b)
			}
		}
	}
	text, _, err := call(t, runZonal, "--raster", raster, raster, "--plots", plots, "--id", "id", "--stats", "mean", "--out", out, "--json")
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Parcels int
		Columns []string
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil || answer.Parcels != 582 {
		t.Errorf("--json: %s, %v", text, err)
	}
	if strings.Join(answer.Columns, ",") != "id,ndvi_1_r1_mean,ndvi_1_r2_mean" {
		t.Errorf("columns of two rasters: %v", answer.Columns)
	}
}

func TestSceneIndexAndPlotImport(t *testing.T) {
	t.Parallel()
	dir, out := realdata.Dir(t, "geo", "eolearn"), t.TempDir()
	text, _, err := call(t, runSceneIndex, dir, "--out", out, "--json")
	if err != nil || !strings.Contains(text, `"items": 68`) {
		t.Errorf("%v: %s", err, text)
	}
	if _, err := os.Stat(filepath.Join(out, "catalog.json")); err != nil {
		t.Error(err)
	}
	text, _, err = call(t, runPlotImport, filepath.Join(dir, "lulc_vector.gpkg"), "--json", "--out", filepath.Join(out, "plots.geojson"))
	var answer struct{ Features, Plots, Mu float64 }
	if jerr := json.Unmarshal([]byte(text), &answer); jerr != nil || answer.Features != 88 {
		t.Errorf("%v, %v: %s", err, jerr, text)
	}
	again, _, err := call(t, runPlotImport, filepath.Join(out, "plots.geojson"), "--json")
	var back struct{ Features, Plots, Mu float64 }
	if jerr := json.Unmarshal([]byte(again), &back); jerr != nil || err != nil || back.Plots != answer.Plots || math.Abs(back.Mu-answer.Mu) > 1e-3 {
		t.Errorf("the plots read back: %v, %v, %v", back, jerr, err)
	}
}

func TestGeoToolsRefuse(t *testing.T) {
	t.Parallel()
	tmp := t.TempDir()
	text := filepath.Join(tmp, "x.tif")
	if err := os.WriteFile(text, []byte("not a raster"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		run  func(context.Context, []string, stdio) error
		args []string
		say  string
	}{
		{"no folder", runSceneIndex, nil, "give one folder"},
		{"missing folder", runSceneIndex, []string{filepath.Join(tmp, "none")}, "no such folder"},
		{"empty folder", runSceneIndex, []string{t.TempDir()}, "furrow-scenes.json"},
		{"unknown layout", runSceneIndex, []string{tmp, "--layout", "x"}, "there is no layout"},
		{"no file", runPlotImport, nil, "give one"},
		{"no vector file", runPlotImport, []string{text}, "cannot be read"},
		{"no plots", runZonal, []string{"--raster", text}, "needed"},
		{"wrong statistic", runZonal, []string{"--raster", text, "--plots", text, "--id", "id", "--stats", "median"}, "median"},
		{"unknown flag", runZonal, []string{"--rester", text}, "rester"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, _, err := call(t, c.run, c.args...)
			if !errors.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.say) {
				t.Errorf("got %v, want something about %q", err, c.say)
			}
		})
	}
}

// Without its edge every parcel is smaller, and none is missing; mean and count
// alone are those of the whole table.
func TestZonalInnerEdge(t *testing.T) {
	t.Parallel()
	dir := realdata.Dir(t, "geo", "zonal")
	table := func(args ...string) [][]string {
		out := filepath.Join(t.TempDir(), "z.csv")
		if _, _, err := call(t, runZonal, append([]string{
			"--raster", filepath.Join(dir, "ndvi_1.tif"), "--plots", filepath.Join(dir, "parcels_utm.gpkg"), "--id", "id", "--out", out,
		}, args...)...); err != nil {
			t.Fatal(err)
		}
		return readTable(t, out)
	}
	whole, few, inner := table(), table("--stats", "count,mean"), table("--inner", "5", "--stats", "count")
	if len(inner) != len(whole) {
		t.Fatalf("%d rows of %d", len(inner), len(whole))
	}
	for i := 1; i < len(whole); i++ {
		if inner[i][0] != whole[i][0] {
			t.Fatalf("row %d is of %s, not %s", i, inner[i][0], whole[i][0])
		}
		a, _ := strconv.ParseFloat(inner[i][1], 64)
		b, _ := strconv.ParseFloat(whole[i][2], 64)
		if a >= b || a < 0 {
			t.Errorf("parcel %s has %v pixels inside of %v", inner[i][0], a, b)
		}
		for k, col := range []int{2, 1} {
			x, _ := strconv.ParseFloat(few[i][k+1], 64)
			y, _ := strconv.ParseFloat(whole[i][col], 64)
			if math.Abs(x-y) > 1e-12*math.Abs(y) {
				t.Errorf("parcel %s: %v alone, %v in the table", whole[i][0], x, y)
			}
		}
	}
	if _, _, err := call(t, runZonal, "--raster", "a.tif", "--plots", "p.gpkg", "--id", "id", "--inner", "-5"); !errors.Is(err, errUsage) {
		t.Errorf("an edge of -5 m: %v", err)
	}
}
