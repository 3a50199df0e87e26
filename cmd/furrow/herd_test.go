package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/register"
	"github.com/furrowcredit/furrow/store/herd"
	"github.com/furrowcredit/furrow/store/storetest"
)

const animals = `耳标号,品种,性别,出生日期,设备号
215252400000011,西门塔尔牛,母,2023-05-06,E11
215252400000012,,公,2024-02-30,E12
`

func TestHerdImport(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, dsn := filepath.Join(dir, "牛.csv"), "sqlite:"+filepath.Join(dir, "furrow.db")
	if err := os.WriteFile(file, []byte(animals), 0o600); err != nil {
		t.Fatal(err)
	}
	text, _, err := call(t, runHerdImport, file)
	if !errors.Is(err, errNo) || !strings.Contains(text, "2 read: 1 animals") || !strings.Contains(text, "refused row 3, 出生日期 (D3)") {
		t.Errorf("%s %v", text, err)
	}
	if _, _, err := call(t, runHerdImport, file, "--db", dsn, "--herd", "h"); !errors.Is(err, fault.Invalid) {
		t.Errorf("a database that is not there: %v", err)
	}
	s := herd.New(storetest.Open(t, dsn))
	ring := orb.Polygon{{{116, 43}, {116.01, 43}, {116.01, 43.01}, {116, 43}}}
	if err := s.AddHerd(t.Context(), iot.Herd{ID: "h", Tenant: "bank", OwnerID: "u", Name: "n", Species: "cattle", Fence: ring, CreatedAt: time.Now()}, nil, nil); err != nil {
		t.Fatal(err)
	}
	read := func(args ...string) register.Account {
		t.Helper()
		text, _, err := call(t, runHerdImport, append([]string{file, "--db", dsn, "--herd", "h", "--json"}, args...)...)
		if !errors.Is(err, errNo) {
			t.Fatalf("a refusal makes the answer no, got %v", err)
		}
		var a register.Account
		if err := json.Unmarshal([]byte(text), &a); err != nil {
			t.Fatal(err)
		}
		return a
	}
	if a := read(); a.Saved || a.Added != 1 || a.Refused != 1 {
		t.Errorf("%+v", a)
	}
	if a := read("--skip-bad", "--dry-run"); a.Saved {
		t.Errorf("%+v", a)
	}
	if a := read("--skip-bad"); !a.Saved || len(a.Credentials) != 1 {
		t.Errorf("%+v", a)
	}
	if a := read("--skip-bad"); a.Known != 1 || a.Added != 0 {
		t.Errorf("the same file again: %+v", a)
	}
	if list, err := s.Animals(t.Context(), "bank", "h"); err != nil || len(list) != 1 || list[0].TagID != "E11" {
		t.Errorf("%+v %v", list, err)
	}
	blank := filepath.Join(dir, "blank.xlsx")
	if _, _, err := call(t, runHerdImport, blank, "--template", "animals"); err != nil {
		t.Fatal(err)
	}
	if text, _, err := call(t, runHerdImport, blank); err != nil || !strings.Contains(text, "1 read: 1 animals") {
		t.Errorf("%s %v", text, err)
	}
	for _, args := range [][]string{{}, {file, file}, {file, "--herd", "h"}, {file, "--template", "cows"}, {filepath.Join(dir, "none")}, {file, "--species", "dragon"}} {
		if _, _, err := call(t, runHerdImport, args...); !errors.Is(err, fault.Invalid) {
			t.Errorf("%v: %v", args, err)
		}
	}
}
