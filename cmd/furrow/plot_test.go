package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/register"
	"github.com/furrowcredit/furrow/internal/realdata"
	"github.com/furrowcredit/furrow/store/storetest"
)

const landRegister = `地块名称,承包方名称,承包方编码,合同面积(亩),作物,边界
东地,张三,001,60.5,冬小麦,"POLYGON((114 34.7,114.002 34.7,114.002 34.702,114 34.702,114 34.7))"
西地,李四,002,61,maize,"POLYGON((114.001 34.7,114.003 34.7,114.003 34.702,114.001 34.702,114.001 34.7))"
两块,李四,002,,不知道,"MULTIPOLYGON(((114.01 34.7,114.012 34.7,114.012 34.702,114.01 34.7)),((114.02 34.7,114.022 34.7,114.022 34.702,114.02 34.7)))"
结,王五,003,,,"POLYGON((114.1 34.7,114.102 34.702,114.102 34.7,114.1 34.702,114.1 34.7))"
`

func TestPlotImportIntoTheRegister(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, dsn := filepath.Join(dir, "土地.csv"), "sqlite:"+filepath.Join(dir, "furrow.db")
	if err := os.WriteFile(file, []byte(landRegister), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := call(t, runPlotImport, file, "--crs", "4490", "--db", dsn); !errors.Is(err, fault.Invalid) {
		t.Fatalf("a database that is not there: %v", err)
	}
	storetest.Open(t, dsn)
	type account struct {
		Features, Plots, Saved int
		Extra                  int     `json:"extra_parts"`
		Claimed                float64 `json:"claimed_mu"`
		Refusals               []struct {
			Feature int
			Why     string
		}
		Notes []struct{ What string }
	}
	read := func(args ...string) account {
		t.Helper()
		text, _, err := call(t, runPlotImport, args...)
		if !errors.Is(err, errNo) {
			t.Fatalf("refusals make the answer no, got %v", err)
		}
		var a account
		if err := json.Unmarshal([]byte(text), &a); err != nil {
			t.Fatal(err)
		}
		if a.Plots+len(a.Refusals) != a.Features+a.Extra {
			t.Errorf("the account does not close: %+v", a)
		}
		return a
	}
	if a := read(file, "--crs", "4490", "--json"); a.Plots != 4 || a.Saved != 0 || a.Extra != 1 || a.Claimed != 121.5 || len(a.Notes) != 1 || a.Notes[0].What != "crop" {
		t.Errorf("without --db: %+v", a)
	}
	if a := read(file, "--crs", "4490", "--db", dsn, "--json"); a.Saved != 4 || a.Plots != 4 {
		t.Errorf("saving: %+v", a)
	}
	if a := read(file, "--crs", "4490", "--db", dsn, "--json"); a.Saved != 0 || len(a.Refusals) != 5 || !strings.Contains(a.Refusals[0].Why, "东地") {
		t.Errorf("saving again: %+v", a)
	}
	for _, args := range [][]string{{"--db", dsn}, {file, "--crs", "4490"}} {
		text, _, err := call(t, runPlotOverlaps, append(args, "--json")...)
		if !errors.Is(err, errNo) {
			t.Fatalf("%v: overlaps make the answer no, got %v", args, err)
		}
		var got struct{ Overlaps []geo.Clash }
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Fatal(err)
		}
		if c := got.Overlaps; len(c) != 1 || c[0].A.OwnerName != "张三" || c[0].B.OwnerName != "李四" || c[0].Share < 0.49 || c[0].Share > 0.51 {
			t.Errorf("%v: %+v", args, c)
		}
	}
}

// The very same boundary under two holders is the plainest double pledge, and what is
// no plot is accounted for.
func TestPlotOverlapsOfOneBoundary(t *testing.T) {
	t.Parallel()
	const wkt = `"SRID=4490;POLYGON((114 34.7,114.002 34.7,114.002 34.702,114 34.702,114 34.7))"`
	file := filepath.Join(t.TempDir(), "a.csv")
	if err := os.WriteFile(file, []byte("name,owner,wkt\n东地,张三,"+wkt+"\n东地,李四,"+wkt+"\n东地,张三,"+wkt+"\n坏地,王五,x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	text, _, err := call(t, runPlotOverlaps, file, "--json")
	if !errors.Is(err, errNo) {
		t.Fatalf("got %v", err)
	}
	var got struct {
		Features, Plots int
		Refusals        []register.Refusal
		Overlaps        []geo.Clash
	}
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	if got.Features != 4 || got.Plots != 2 || len(got.Refusals) != 2 || len(got.Overlaps) != 1 || got.Overlaps[0].Share < 0.999 {
		t.Errorf("%s", text)
	}
}

func TestPlotSuggest(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, _, err := call(t, runSceneIndex, realdata.Dir(t, "geo", "eolearn"), "--out", dir); err != nil {
		t.Fatal(err)
	}
	for at, want := range map[string]error{"0,0": fault.NotFound, "here": fault.Invalid, "14.58": fault.Invalid} {
		if _, _, err := call(t, runPlotSuggest, "--scenes", dir, "--at", at); !errors.Is(err, want) {
			t.Errorf("%s: %v", at, err)
		}
	}
}
