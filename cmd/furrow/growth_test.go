package main

import (
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/furrowcredit/furrow/internal/realdata"
)

func TestHerdGrowthRealWeights(t *testing.T) {
	t.Parallel()
	dir := realdata.Dir(t, "iot")
	code, out, errs := shell(t, "", "herd", "growth", "--weights", filepath.Join(dir, "weight_hanwoo1.csv"), "--weights", filepath.Join(dir, "weight_hanwoo2.csv"), "--json")
	var got struct {
		MAPE      float64 `json:"mape"`
		Animals   int     `json:"animals"`
		Tested    int     `json:"tested"`
		Weighings int     `json:"weighings"`
		Coverage  float64 `json:"interval_coverage"`
		Peers     struct {
			Scaled float64 `json:"curve_scaled_by_last_3"`
		} `json:"peers"`
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != 0 {
		t.Fatal(code, err, errs)
	}
	if got.Animals != 43 || got.Tested != 43 || got.Weighings != 460 || got.MAPE > 0.029 || got.MAPE > got.Peers.Scaled || got.Coverage < 0.8 {
		t.Errorf("%+v", got)
	}
}

// weights is a made-up herd on Gompertz curves of its own, in a table with the given
// columns, at ages in the unit of the column.
func weights(header string, perMonth float64) string {
	var b strings.Builder
	b.WriteString(header + "\n")
	for i := range 12 {
		for j := range 8 {
			months := 4 + 3*float64(j)
			kg := 700 * (1 + 0.02*float64(i-6)) * math.Exp(-2.9*math.Exp(-0.1*months))
			fmt.Fprintf(&b, "%d,%.4f,%.1f\n", i, months*perMonth, kg)
		}
	}
	return b.String()
}

func TestHerdGrowth(t *testing.T) {
	t.Parallel()
	var first string
	for _, c := range []struct {
		file, header string
		perMonth     float64
	}{
		{"w.csv", "animal,age_months,weight_kg", 1},
		{"w.csv.gz", "Animal,Month,Weight", 1},
		{"w.csv", "\uFEFFeartag,age_days,kg", 365.2425 / 12},
		{"w.csv", "耳标,月龄,体重", 1},
	} {
		code, out, errs := shell(t, "", "herd", "growth", "--weights", write(t, c.file, weights(c.header, c.perMonth)), "--forecasts")
		if code != 0 || !strings.Contains(out, "96 weighings of 12 animals") {
			t.Fatal(c, code, out, errs)
		}
		var mape float64
		if i := strings.Index(out, "mean error "); i < 0 {
			t.Fatal(out)
		} else if _, err := fmt.Sscanf(out[i:], "mean error %f", &mape); err != nil || mape > 1 {
			t.Error(c, err, mape)
		}
		// The unit of the age changes nothing.
		if first == "" {
			first = out
		} else if c.perMonth == 1 && out != first {
			t.Errorf("%+v: %s", c, out)
		}
	}
}

func TestHerdGrowthRefuses(t *testing.T) {
	t.Parallel()
	good := weights("animal,month,weight", 1)
	for name, c := range map[string]struct {
		in   string
		args []string
		says string
	}{
		"no file":        {"", nil, "--weights"},
		"missing file":   {"", []string{"--weights", "none.csv"}, "none.csv"},
		"empty":          {"", []string{"--weights", "-"}, "empty"},
		"no weight":      {"animal,month\n1,2\n", []string{"--weights", "-"}, "weight"},
		"no age":         {"animal,weight\n1,2\n", []string{"--weights", "-"}, "age_months"},
		"bad weight":     {good + "1,5,heavy\n", []string{"--weights", "-"}, "stdin:98:5"},
		"negative":       {good + "1,5,-3\n", []string{"--weights", "-"}, "above 0"},
		"no animal":      {good + ",5,300\n", []string{"--weights", "-"}, "stdin:98:1"},
		"short row":      {good + "1,5\n", []string{"--weights", "-"}, "stdin:98"},
		"few":            {"animal,month,weight\n1,2,50\n1,3,60\n2,2,50\n", []string{"--weights", "-"}, "at least"},
		"folds":          {good, []string{"--weights", "-", "--folds", "1"}, "--folds"},
		"unit":           {good, []string{"--weights", "-", "--unit", "moon"}, "--unit"},
		"another word":   {good, []string{"--weights", "-", "more"}, "--weights"},
		"endless ages":   {good + "1,1e300,300\n", []string{"--weights", "-"}, "100 years"},
		"not a number":   {good + "1,NaN1,300\n", []string{"--weights", "-"}, "NaN1"},
		"endless weight": {good + "1,5,1e300\n", []string{"--weights", "-"}, "1e300"},
	} {
		code, out, errs := shell(t, c.in, append([]string{"herd", "growth"}, c.args...)...)
		if code != 2 || out != "" || !strings.Contains(errs, c.says) {
			t.Errorf("%s: %d %q %q", name, code, out, errs)
		}
	}
	// Rows without a weight are counted, not refused.
	if code, out, errs := shell(t, good+"1,30,NA\n1,31,\n", "herd", "growth", "--weights", "-", "--json"); code != 0 || !strings.Contains(out, `"rows_without_weight": 2`) {
		t.Error(code, out, errs)
	}
}
