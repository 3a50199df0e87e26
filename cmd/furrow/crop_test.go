package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/internal/realdata"
)

// A model trained on the fields of Mato Grosso must be written with its record and
// name the crops of the same table again, one line for every sample.
func TestCropTrainAndPredict(t *testing.T) {
	t.Parallel()
	samples := filepath.Join(realdata.Dir(t, "geo", "series"), "samples_cerrado_2classes.csv")
	dir := t.TempDir()
	path, out := filepath.Join(dir, "M.crop"), filepath.Join(dir, "P.csv")
	text, _, err := call(t, runCropTrain, "--samples", samples, "--out", path, "--method", "whitened", "--json")
	if err != nil {
		t.Fatal(err)
	}
	var trained struct {
		Record struct {
			Samples int `json:"samples"`
			Random  struct {
				Accuracy float64 `json:"overall_accuracy"`
			} `json:"random"`
			Spatial *struct{} `json:"spatial"`
		} `json:"record"`
	}
	if err := json.Unmarshal([]byte(text), &trained); err != nil {
		t.Fatal(err)
	}
	if r := trained.Record; r.Samples != 746 || r.Random.Accuracy < 0.98 || r.Spatial == nil {
		t.Errorf("the record says %+v", r)
	}
	if _, _, err := call(t, runCropPredict, "--model", path, "--samples", samples, "--out", out); err != nil {
		t.Fatal(err)
	}
	rows := readTable(t, out)
	if len(rows) != 747 || strings.Join(rows[0], ",") != "sample_id,label,probability,second,second_probability,reason" {
		t.Errorf("%d lines under %v", len(rows), rows[0])
	}
}

func TestCropValidateShowsRandomAndSpatialFigures(t *testing.T) {
	t.Parallel()
	samples := filepath.Join(realdata.Dir(t, "geo", "series"), "samples_cerrado_2classes.csv")
	for group, beside := range map[string]string{"": "spatial", "block:1deg": "random"} {
		text, _, err := call(t, runCropValidate, "--samples", samples, "--group", group, "--method", "whitened", "--json")
		if err != nil {
			t.Fatal(err)
		}
		var v map[string]any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		for _, k := range []string{"overall_accuracy", "macro_f1", "kappa", "classes", "confusion", "per_fold", "calibration", "abstention", "seconds", beside} {
			if v[k] == nil {
				t.Errorf("--group %q: no %s", group, k)
			}
		}
		if v["folds"] != 5.0 || v["samples"] != 746.0 {
			t.Errorf("--group %q: %v folds of %v samples", group, v["folds"], v["samples"])
		}
	}
}

func TestCropRulesNeedNoModel(t *testing.T) {
	t.Parallel()
	samples := filepath.Join(t.TempDir(), "F.csv")
	text := "sample_id,lon,lat,start,end,date,NDVI\n1,114.3,35.3,2025-01-01,2025-12-31,2025-01-05,\n2,0,0,2025-01-01,2025-12-31,2025-01-05,0.3\n"
	if err := os.WriteFile(samples, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, _, err := call(t, runCropPredict, "--model", "rules", "--samples", samples)
	if err != nil || !strings.Contains(out, "1,,,,,no_data\n") || strings.Count(out, "\n") != 3 {
		t.Errorf("got %q, %v", out, err)
	}
}

func TestCropRefusalsLeaveNoFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	samples, path := filepath.Join(dir, "F.csv"), filepath.Join(dir, "M.crop")
	text := "sample_id,label,date,NDVI\n1,wheat,2025-01-05,0.2\n1,wheat,2025-01-06,0.3\n"
	if err := os.WriteFile(samples, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"--samples", samples, "--out", path},
		{"--samples", filepath.Join(dir, "none.csv"), "--out", path},
		{"--samples", samples, "--out", path, "--folds", "1"},
		{"--samples", samples, "--out", path, "--group", "village"},
		{"--samples", samples},
	} {
		if _, _, err := call(t, runCropTrain, args...); !errors.Is(err, fault.Invalid) {
			t.Errorf("%v gave %v", args, err)
		}
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a refused training wrote a file")
	}
}
