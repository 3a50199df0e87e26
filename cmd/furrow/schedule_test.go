package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const smallCases = `{"cases": [{"id": "a", "title": "t", "kind": "servicing", "params": null, "events": [
	{"type": "create_default_loan", "date": "2023-03-05"}, {"type": "disburse", "date": "2023-03-05", "amount": 1000.0},
	{"type": "expect_totals", "totals": {"due": 1000.0}}, {"type": "expect_totals", "totals": {"due": AMOUNT}}]}]}`

// Cases are replayed: 0 when all rows are equal, 1 when one is not, 2 for what is no file
// of cases.
func TestScheduleRun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := write("good.json", strings.Replace(smallCases, "AMOUNT", "1000.0", 1))
	wrong := write("wrong.json", strings.Replace(smallCases, "AMOUNT", "999.99", 1))
	if code, out, errs := tool(t, "schedule", "run", good); code != 0 || !strings.Contains(out, "all: 2 of 2 rows") {
		t.Fatalf("%d %s %s", code, out, errs)
	}
	code, out, errs := tool(t, "schedule", "run", wrong, "--json")
	var report struct {
		Matched  int `json:"rows_matched"`
		Expected int `json:"rows_expected"`
		Cases    []struct {
			ID          string           `json:"id"`
			Differences []map[string]any `json:"differences"`
		} `json:"cases"`
	}
	if err := json.Unmarshal([]byte(out), &report); err != nil || code != 1 {
		t.Fatalf("%d %v %s %s", code, err, out, errs)
	}
	if report.Matched != 1 || report.Expected != 2 || report.Cases[0].Differences[0]["why"] != "due: 1000.00, expected 999.99" {
		t.Errorf("the report is %+v", report)
	}
	if code, out, _ := tool(t, "schedule", "run", wrong); code != 1 || !strings.Contains(out, "event 3, totals row 0: due: 1000.00, expected 999.99") {
		t.Errorf("%d %s", code, out)
	}
	for _, args := range [][]string{{"schedule", "run"}, {"schedule", "run", write("no.json", "{}")}, {"schedule", "run", filepath.Join(dir, "none")}, {"schedule", "run", good, "--id", "b"}} {
		if code, out, _ := tool(t, args...); code != 2 {
			t.Errorf("%v: %d %s", args, code, out)
		}
	}
}
