package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const smallPolicy = `name: small
version: "1"
format: 2
subject: plot
tables:
  - name: t
    hit: unique
    inputs: [queries_6m]
    outputs: {bp: bp}
    rows:
      - [missing, 5000]
      - ["< 3", 10000]
      - [">= 3", 8000]
limit:
  base: {code: b, fen: asked, en: "{yuan}", zh: "{yuan}"}
  factors:
    - {code: q, bp: t, en: "{percent}", zh: "{percent}"}
  round_fen: 100
`

// A policy is checked with places, extends those of the catalogue, and is tried on cases.
func TestPolicyCheckAndTest(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	small := write("small.yaml", smallPolicy)
	over := write("over.yaml", "name: mine\nversion: '1'\nextends: plot\nthresholds:\n  - {name: large, type: fen, rows: [{value: 1}]}\n")
	if code, out, errs := tool(t, "policy", "check", small, over); code != 0 || !strings.Contains(out, "fine: mine@1:") {
		t.Fatalf("%d %s %s", code, out, errs)
	}
	overlap := write("overlap.yaml", strings.Replace(smallPolicy, `">= 3"`, `">= 2"`, 1))
	code, out, _ := tool(t, "policy", "check", overlap, "--json")
	var got struct {
		Fine  bool
		Files []struct {
			Problems []struct {
				File         string
				Line, Column int
				Message      string
			}
		}
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err, out)
	}
	if p := got.Files[0].Problems; code != 1 || got.Fine || len(p) != 1 || p[0].Line != 13 || !strings.Contains(p[0].Message, "rows 2 and 3 overlap") {
		t.Errorf("%d %+v", code, got)
	}
	cases := write("small.cases", "cases:\n  - {name: few, facts: {asked: 1000, queries_6m: 2}, want: {outcome: offer, limit_fen: 1000}}\n"+
		"  - {name: many, facts: {asked: 1000, queries_6m: 3}, want: {limit_fen: 900}}\n")
	if code, out, _ := tool(t, "policy", "test", small, "--cases", cases); code != 1 || !strings.Contains(out, "many: limit 8.00, not 9.00") {
		t.Errorf("%d %s", code, out)
	}
	write("small.cases", "cases:\n  - {name: few, facts: {asked: 1000, queries_6m: 2}, want: {outcome: offer, limit_fen: 1000}}\n")
	if code, out, errs := tool(t, "policy", "test", small, "--cases", cases); code != 0 || !strings.Contains(out, "1 cases, 1 as expected") {
		t.Errorf("%d %s %s", code, out, errs)
	}
	if code, _, _ := tool(t, "policy", "check", filepath.Join(dir, "none.yaml")); code != 2 {
		t.Errorf("a file that is not there: %d", code)
	}
}
