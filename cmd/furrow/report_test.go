package main

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/crop"
	"github.com/furrowcredit/furrow/geo/report"
	"github.com/furrowcredit/furrow/internal/realdata"
)

func TestPlotReport(t *testing.T) {
	t.Parallel()
	data, dir := realdata.Dir(t, "geo", "eolearn"), t.TempDir()
	if _, _, err := call(t, runSceneIndex, data, "--out", dir); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "reports")
	fields := filepath.Join(data, "lulc_vector.gpkg")
	text, _, err := call(t, runPlotReport, "--scenes", dir, "--plot", fields, "--season-start", "2016-07-01", "--season-end", "2017-09-30", "--out", out, "--html", "--lang", "en", "--json")
	if err != nil && !errors.Is(err, errNo) {
		t.Fatal(err)
	}
	var got struct {
		Features, Plots int
		Refusals        []struct{ Why string }
		Reports         []geo.CropReport
	}
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	if got.Features != 88 || got.Plots+len(got.Refusals) != 88 || len(got.Reports) != got.Plots {
		t.Errorf("%d features, %d plots, %d refusals, %d reports", got.Features, got.Plots, len(got.Refusals), len(got.Reports))
	}
	for _, ending := range []string{"json", "html"} {
		files, err := filepath.Glob(filepath.Join(out, "*."+ending))
		if err != nil || len(files) != got.Plots {
			t.Errorf("%d files of %s for %d plots", len(files), ending, got.Plots)
		}
	}
}

// A declared crop is found by its code or either name; one that is not found is told,
// for nothing is held against it.
func TestPlotReportTellsUnknownCrops(t *testing.T) {
	t.Parallel()
	var features []string
	for i, name := range []string{"cotton", " 棉花 ", "COTTON", "稻田", "稻田", ""} {
		x := 87 + float64(i)/100
		features = append(features, fmt.Sprintf(`{"type":"Feature","properties":{"declared":%q},"geometry":{"type":"Polygon","coordinates":[[[%g,44],[%g,44],[%g,44.001],[%g,44]]]}}`, name, x, x+0.001, x+0.001, x))
	}
	path := filepath.Join(t.TempDir(), "fields.geojson")
	if err := os.WriteFile(path, []byte(`{"type":"FeatureCollection","features":[`+strings.Join(features, ",")+`]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	crops, err := openCrops("")
	if err != nil {
		t.Fatal(err)
	}
	plots, unknown, _, err := readPlots(path, "declared", crops)
	if err != nil || len(plots) != 6 {
		t.Fatal(len(plots), err)
	}
	for i, want := range []string{"cotton", "cotton", "cotton", "", "", ""} {
		if plots[i].Crop != want {
			t.Errorf("plot %d declares %q, want %q", i, plots[i].Crop, want)
		}
	}
	if len(unknown) != 1 || unknown["稻田"] != 2 {
		t.Errorf("unknown are %v", unknown)
	}
}

// A model trained on fields nearby names the crops; one of another country leaves
// them to the rules, which say so.
func TestPlotReportByModel(t *testing.T) {
	t.Parallel()
	data, dir := realdata.Dir(t, "geo", "eolearn"), t.TempDir()
	if _, _, err := call(t, runSceneIndex, data, "--out", dir); err != nil {
		t.Fatal(err)
	}
	train := func(name string, lon, lat float64) string {
		var b strings.Builder
		b.WriteString("sample_id,label,lon,lat,start,end,step,date,NDVI\n")
		for i := range 60 {
			label, peak := "spring_maize", 7.0
			if i%2 == 0 {
				label, peak = "winter_wheat", 4.5
			}
			for k := range 12 {
				bump := math.Exp(-math.Pow(float64(k)+1-peak-0.01*float64(i%7), 2) / 3)
				fmt.Fprintf(&b, "%d,%s,%g,%g,2017-01-01,2017-12-31,%d,2017-%02d-15,%.3f\n", i+1, label, lon+0.001*float64(i), lat, k+1, k+1, 0.2+0.6*bump)
			}
		}
		csv, out := filepath.Join(dir, name+".csv"), filepath.Join(dir, name+".model")
		if err := os.WriteFile(csv, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := call(t, runCropTrain, "--samples", csv, "--out", out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	fields := filepath.Join(data, "lulc_vector.gpkg")
	reports := func(model string) []geo.CropReport {
		text, _, err := call(t, runPlotReport, "--scenes", dir, "--plot", fields, "--season-start", "2017-01-01", "--season-end", "2017-12-31", "--model", model, "--json")
		if err != nil && !errors.Is(err, errNo) {
			t.Fatal(err)
		}
		var got struct{ Reports []geo.CropReport }
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Fatal(err)
		}
		return got.Reports
	}
	near, far := reports(train("near", 14.5, 45.9)), reports(train("far", 115, 35))
	led := 0
	for i, r := range near {
		if strings.HasPrefix(r.Method, "model/") {
			led++
			if r.Crop != "" && r.Crop != "spring_maize" && r.Crop != "winter_wheat" {
				t.Errorf("plot %s: the model never learnt %q", r.PlotID, r.Crop)
			}
		}
		r = far[i]
		if r.Method != crop.Method || r.Status == geo.Known || r.Crop != "" && !strings.Contains(r.Reason, report.RulesOnly) {
			t.Errorf("plot %s far from the model: %s %q by %s", r.PlotID, r.Status, r.Reason, r.Method)
		}
	}
	if led == 0 {
		t.Error("the model named nothing")
	}
	if _, _, err := call(t, runPlotReport, "--scenes", dir, "--plot", fields, "--model", fields); !errors.Is(err, fault.Invalid) {
		t.Errorf("a land register for a model: %v", err)
	}
}

func TestPlotReportRefuses(t *testing.T) {
	t.Parallel()
	data, dir := realdata.Dir(t, "geo", "eolearn"), t.TempDir()
	if _, _, err := call(t, runSceneIndex, data, "--out", dir); err != nil {
		t.Fatal(err)
	}
	fields := filepath.Join(data, "lulc_vector.gpkg")
	for name, args := range map[string][]string{
		"nothing":         {},
		"no catalogue":    {"--scenes", t.TempDir(), "--plot", fields},
		"30 February":     {"--scenes", dir, "--plot", fields, "--season-start", "2016-02-30"},
		"end first":       {"--scenes", dir, "--plot", fields, "--season-start", "2017-05-01", "--season-end", "2017-04-01"},
		"page without":    {"--scenes", dir, "--plot", fields, "--html"},
		"language":        {"--scenes", dir, "--plot", fields, "--lang", "fr"},
		"column":          {"--scenes", dir, "--plot", fields, "--declared", "nothing_like_it"},
		"no plots":        {"--scenes", dir, "--plot", filepath.Join(dir, "catalog.json")},
		"catalogue files": {"--scenes", dir, "--plot", fields, "--catalog", filepath.Join(dir, "none")},
	} {
		if _, _, err := call(t, runPlotReport, args...); !errors.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSeriesSmooth(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in := filepath.Join(dir, "in.csv.gz")
	f, err := os.Create(in)
	if err != nil {
		t.Fatal(err)
	}
	z := gzip.NewWriter(f)
	if _, err := z.Write([]byte("series_id,date,value,weight\na,2026-01-01,0.2,1\na,2026-01-11,0.5,1\na,2026-01-21,,1\na,2026-01-31,0.6,1\nb,2026-01-01,0.4,1\n")); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(z.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	for _, lambda := range []string{"10", "auto"} {
		out := filepath.Join(dir, lambda+".csv")
		text, _, err := call(t, runSeriesSmooth, "--in", in, "--out", out, "--lambda", lambda, "--json")
		if err != nil || !strings.Contains(text, `"series": 2`) || !strings.Contains(text, `"too_short": 1`) {
			t.Errorf("%s, %v", text, err)
		}
		if rows := readTable(t, out); len(rows) != 6 || rows[3][4] == "" || rows[5][4] != "" {
			t.Errorf("lambda %s: %v", lambda, rows)
		}
	}
	for name, args := range map[string][]string{
		"no file":  {"--in", filepath.Join(dir, "none.csv")},
		"lambda":   {"--in", in, "--lambda", "-1"},
		"p":        {"--in", in, "--p", "1"},
		"no input": {},
	} {
		if _, _, err := call(t, runSeriesSmooth, args...); !errors.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
