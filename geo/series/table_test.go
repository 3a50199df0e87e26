package series_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/geo/series"
)

func TestReadTable(t *testing.T) {
	t.Parallel()
	in := "series_id,date,value,weight\nb,2026-01-11,0.4,1\na,2026-01-01,0.1,0.5\nb,2026-01-01,,1\nb,2026-01-21,0.6,\n"
	table, err := series.ReadTable(strings.NewReader(in), "f.csv", false)
	if err != nil {
		t.Fatal(err)
	}
	if len(table) != 2 || table[0].ID != "b" || len(table[0].Rows) != 3 || table[0].Rows[0].Weight != 0 || table[0].Rows[2].Weight != 1 {
		t.Fatalf("%+v", table)
	}
	if err := series.SmoothTable(table, 10, 0); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := series.WriteTable(&out, table, false); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"series_id,date,value,weight,smooth\nb,2026-01-01,,0,0.2", "a,2026-01-01,0.1,0.5,\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

// Spreadsheets put a mark before the text, and a wrong year is still a year.
func TestReadsTablesOfSpreadsheetsAndLongSpans(t *testing.T) {
	t.Parallel()
	in := "\ufeffseries_id,date,value\na,0001-01-01,1\na,2024-01-01,2\na,9999-12-31,3\n"
	table, err := series.ReadTable(strings.NewReader(in), "f.csv", false)
	if err != nil {
		t.Fatal(err)
	}
	if err := series.SmoothTable(table, 1, 0); err != nil {
		t.Fatal(err)
	}
	// In units of the middle gap the three stand 0, 0.25 and 1.25 apart: a line is near.
	for i, r := range table[0].Rows {
		if math.IsNaN(r.Smooth) || math.Abs(r.Smooth-r.Value) > 0.7 {
			t.Errorf("row %d is smoothed to %g", i, r.Smooth)
		}
	}
	if err := series.FillTable(table); !errors.Is(err, series.ErrSpan) || !strings.Contains(err.Error(), "series a") || !strings.Contains(err.Error(), "3652058") {
		t.Errorf("a span of ten thousand years gave %v", err)
	}
}

func TestReadTableRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in    string
		want  error
		place string
	}{
		"empty":               {"", series.ErrTable, "f.csv:1"},
		"no column":           {"series_id,day,value\n", series.ErrColumn, "f.csv:1"},
		"30 Feb":              {"series_id,date,value\na,2026-02-30,1\n", series.ErrCell, "f.csv:2:3"},
		"word":                {"series_id,date,value\na,2026-02-20,much\n", series.ErrCell, "f.csv:2:14"},
		"weight":              {"series_id,date,value,weight\na,2026-02-20,1,-1\n", series.ErrCell, "f.csv:2:16"},
		"short":               {"series_id,date,value\na,2026-02-20\n", series.ErrTable, "f.csv:2:"},
		"twice":               {"series_id,date,value\na,2026-02-20,1\na,2026-02-20,1\n", series.ErrRepeat, "f.csv:3:1"},
		"twice, out of order": {"series_id,date,value\na,2026-02-21,1\nb,2026-02-20,1\na,2026-02-20,1\na,2026-02-21,1\n", series.ErrRepeat, "f.csv:5:1"},
		"fill value":          {"series_id,date,value\na,2026-02-20,9.96921e36\n", series.ErrCell, "f.csv:2:14"},
	} {
		_, err := series.ReadTable(strings.NewReader(c.in), "f.csv", false)
		if !errors.Is(err, c.want) || !strings.HasPrefix(err.Error(), c.place) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSmoothTableAgreesWithReference(t *testing.T) {
	t.Parallel()
	g, _ := modis(t)
	n := series.Named{ID: "modis"}
	for i, y := range g.Y {
		n.Rows = append(n.Rows, series.Row{Date: date("2002-07-04").AddDate(0, 0, 8*i), Value: y, Weight: g.W[i]})
	}
	table := []series.Named{n}
	if err := series.SmoothTable(table, 0, 0.9); err != nil {
		t.Fatal(err)
	}
	if math.Abs(table[0].Lambda-g.VPOpt) > 1e-5 {
		t.Errorf("lambda %v, want %v", table[0].Lambda, g.VPOpt)
	}
	for i, r := range table[0].Rows {
		if math.Abs(r.Smooth-g.VP[i]) > 1e-5 {
			t.Fatalf("row %d: %v, want %v", i, r.Smooth, g.VP[i])
		}
	}
}

func FuzzReadTable(f *testing.F) {
	f.Add("series_id,date,value,weight\na,2026-01-01,0.1,1\na,2026-01-11,,\n")
	f.Add("date,value,series_id\n2026-01-01,NaN,\"x\ny\"\n")
	f.Fuzz(func(t *testing.T, in string) {
		table, err := series.ReadTable(strings.NewReader(in), "fuzz", true)
		if err != nil {
			return
		}
		if err := series.SmoothTable(table, 10, 0); err != nil {
			t.Fatal(err)
		}
		if err := series.FillTable(table); err != nil && !errors.Is(err, series.ErrSpan) {
			t.Fatal(err)
		}
		if err := series.WriteTable(new(bytes.Buffer), table, true); err != nil {
			t.Fatal(err)
		}
	})
}

func TestFillTable(t *testing.T) {
	t.Parallel()
	in := "series_id,date,value,weight\na,2026-01-01,0.2,\na,2026-01-11,0.2,1\na,2026-01-11,0.5,2\na,2026-02-10,,\na,2026-02-25,0.6,\nb,2026-01-01,0.2,\n"
	if _, err := series.ReadTable(strings.NewReader(in), "f.csv", false); !errors.Is(err, series.ErrRepeat) {
		t.Errorf("two rows of a day: %v", err)
	}
	table, err := series.ReadTable(strings.NewReader(in), "f.csv", true)
	if err != nil {
		t.Fatal(err)
	}
	if err := series.FillTable(table); err != nil {
		t.Fatal(err)
	}
	a, b := table[0].Rows, table[1].Rows
	if len(a) != 4 || math.Abs(a[1].Value-0.4) > 1e-12 || a[1].Weight != 3 {
		t.Errorf("the rows of a day are not merged: %+v", a)
	}
	if !(a[2].Smooth > 0.3 && a[2].Smooth < 0.7) || a[2].InGap {
		t.Errorf("the missing value is %+v", a[2])
	}
	if !math.IsNaN(b[0].Smooth) || b[0].InGap {
		t.Errorf("one value makes no curve: %+v", b[0])
	}
	var out bytes.Buffer
	if err := series.WriteTable(&out, table, true); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(out.String(), "series_id,date,value,weight,smooth,in_gap\na,2026-01-01,0.2,1,") || !strings.HasSuffix(out.String(), "b,2026-01-01,0.2,1,,0\n") {
		t.Errorf("got %s", out.String())
	}
}

// Series that share their days are smoothed side by side; the curves must be those of
// each alone.
func TestSmoothTableSideBySide(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 4))
	day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	made := func(id, n, step int) series.Named {
		s := series.Named{ID: fmt.Sprint(id)}
		for i := range n {
			s.Rows = append(s.Rows, series.Row{Date: day.AddDate(0, 0, i*step), Value: rng.Float64(), Weight: rng.Float64()})
		}
		return s
	}
	var table, alone []series.Named
	for id := range 40 {
		s := made(id, 5+id/11*9, 3+id%7/6)
		if id == 9 { // one look has no curve
			for i := range s.Rows[1:] {
				s.Rows[i+1].Weight = 0
			}
		}
		table = append(table, s)
		alone = append(alone, series.Named{ID: s.ID, Rows: slices.Clone(s.Rows)})
	}
	if err := series.SmoothTable(table, 10, 0); err != nil {
		t.Fatal(err)
	}
	for k := range alone {
		if err := series.SmoothTable(alone[k:k+1], 10, 0); err != nil {
			t.Fatal(err)
		}
		if table[k].Lambda != alone[k].Lambda || (k == 9) != (table[k].Lambda == 0) {
			t.Errorf("series %d: lambda %v, alone %v", k, table[k].Lambda, alone[k].Lambda)
		}
		for i, r := range table[k].Rows {
			if a := alone[k].Rows[i].Smooth; r.Smooth != a && !(math.IsNaN(r.Smooth) && math.IsNaN(a)) {
				t.Fatalf("series %d, row %d: %v, alone %v", k, i, r.Smooth, a)
			}
		}
	}
}
