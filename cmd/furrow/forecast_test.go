package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/furrowcredit/furrow/credit/forecast"
)

// months is a table of two wavy series, one of them too short to hold much out.
func months(n int) string {
	var b strings.Builder
	b.WriteString("series_id,date,value\n")
	for i := range n {
		v := 1000 + 5*float64(i) + 200*math.Sin(2*math.Pi*float64(i)/12) + 10*float64(i*i%7)
		fmt.Fprintf(&b, "wave,%d-%02d,%.1f\n", 2018+i/12, i%12+1, v)
		if i < 8 {
			fmt.Fprintf(&b, "young,%d-%02d,%.1f\n", 2018+i/12, i%12+1, v)
		}
	}
	return b.String()
}

func TestForecastValidate(t *testing.T) {
	t.Parallel()
	code, out, errs := shell(t, months(84), "forecast", "validate", "--series", "-", "--horizon", "6", "--json")
	var v forecast.Validation
	if err := json.Unmarshal([]byte(out), &v); err != nil || code != 0 {
		t.Fatal(code, err, errs)
	}
	if v.Series != 1 || v.Skipped["too_short"] != 1 || v.SMAPE <= 0 || v.SMAPE > 5 || v.SMAPE > v.Naive.SMAPE || v.MASE > v.SeasonalNaive.MASE {
		t.Errorf("%+v", v)
	}
	if code, out, errs := shell(t, months(84), "forecast", "validate", "--series", "-", "--horizon", "6"); code != 0 || !strings.Contains(out, "theta") || !strings.Contains(out, "left out as too_short: 1") {
		t.Error(code, out, errs)
	}
}

func TestForecastRun(t *testing.T) {
	t.Parallel()
	to := filepath.Join(t.TempDir(), "out.csv")
	code, _, errs := shell(t, months(40), "forecast", "run", "--series", "-", "--horizon", "3", "--out", to)
	if code != 0 {
		t.Fatal(code, errs)
	}
	b, err := os.ReadFile(to)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	if len(lines) != 7 || !strings.HasPrefix(lines[1], "wave,2021-05-01,") || !strings.HasPrefix(lines[4], "young,2018-09-01,") {
		t.Errorf("%q", lines)
	}
}

func TestForecastRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in   string
		args []string
		want string
	}{
		"no horizon":   {months(40), []string{"validate", "--series", "-"}, "--horizon is 1 to 1000"},
		"no table":     {"", []string{"validate", "--horizon", "6"}, "give --series"},
		"unknown gaps": {months(40), []string{"run", "--series", "-", "--horizon", "6", "--gaps", "maybe"}, "--gaps is missing, zero or refuse"},
		"bad value":    {months(3) + "wave,2019-01,x\n", []string{"run", "--series", "-", "--horizon", "6"}, "stdin:8:14: \"x\" in column value"},
		"no file":      {"", []string{"run", "--series", "/nowhere.csv", "--horizon", "6"}, "the table cannot be read"},
	} {
		if code, _, errs := shell(t, c.in, append([]string{"forecast"}, c.args...)...); code != 2 || !strings.Contains(errs, c.want) {
			t.Errorf("%s: code %d, %s", name, code, errs)
		}
	}
}
