package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/furrowcredit/furrow/internal/realdata"
)

// tool runs a command as a shell would.
func tool(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(t.Context(), args, stdio{strings.NewReader(""), &o, &e})
	return code, o.String(), e.String()
}

func TestPartyCheck(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"91350900587527783P"}, 0, "valid"},
		{[]string{"91350100M0001TGQXM"}, 0, "suspicious"},
		{[]string{"91350900587527783P", "91350900587527784P"}, 1, "invalid"},
		{nil, 2, ""},
		{[]string{"--nonsense"}, 2, ""},
	} {
		code, out, _ := tool(t, append([]string{"party", "check"}, c.args...)...)
		if code != c.code || !strings.Contains(out, c.want) {
			t.Errorf("%v: %d %q", c.args, code, out)
		}
	}
	_, out, _ := tool(t, "party", "check", "--json", "91350900587527783P", "x")
	var got struct{ Valid, Invalid int }
	if err := json.Unmarshal([]byte(out), &got); err != nil || got.Valid != 1 || got.Invalid != 1 {
		t.Errorf("%v %s", err, out)
	}
}

// TestKnownCodes: the real codes and numbers are judged as their file says, and a wrong
// answer in a file is counted.
func TestKnownCodes(t *testing.T) {
	t.Parallel()
	code, out, errs := tool(t, "party", "check", "--in", filepath.Join(realdata.Dir(t, "credit"), "cn_ids.json"))
	if code != 0 || !strings.HasSuffix(out, "19 of 19 as the file says\n") {
		t.Error(code, out, errs)
	}
	wrong := filepath.Join(t.TempDir(), "wrong.json")
	if err := os.WriteFile(wrong, []byte(`{"uscc": {"valid": ["91350900587527784P"], "invalid": ["x"]}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out, _ := tool(t, "party", "check", "--in", wrong); code != 1 || !strings.Contains(out, "1 of 2 as") || strings.Count(out, "WRONG") != 1 {
		t.Error(code, out)
	}
}

// TestFoldersForFiles: who names a folder where a file is wanted is told so.
func TestFoldersForFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, args := range [][]string{
		{"chain", "contagion", "--links", dir, "--each"},
		{"chain", "identify", "--anchor", "x", "--invoices", dir},
		{"party", "check", "--in", dir},
	} {
		if code, _, errs := tool(t, args...); code != 2 || !strings.Contains(errs, dir) || !strings.Contains(errs, "it is a folder; name one file") {
			t.Errorf("%v: %d %s", args, code, errs)
		}
	}
}

// TestNobodyIdentified: no firm at all comes with what is missing and what to give.
func TestNobodyIdentified(t *testing.T) {
	t.Parallel()
	code, out, errs := tool(t, "chain", "identify", "--reference", realdata.Dir(t, "chain"), "--anchor", "邵阳维克液压股份有限公司")
	if code != 1 || out != "0 firms\n" || !strings.Contains(errs, "--invoices") {
		t.Error(code, out, errs)
	}
}

func TestChainImport(t *testing.T) {
	t.Parallel()
	code, out, errs := tool(t, "chain", "import", realdata.Dir(t, "chain"), "--json", "--refusals", "--find", "面粉")
	var got struct {
		In, Out, Nodes int
		Refused        map[string]int
		Refusals       []struct{ File string }
		Places         []struct{ Downstream []any }
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != 0 {
		t.Fatal(code, err, errs)
	}
	if got.In != got.Out+len(got.Refusals) || got.Nodes == 0 || got.Refused["weight_not_positive"] == 0 || len(got.Places) == 0 || len(got.Places[0].Downstream) == 0 {
		t.Errorf("in %d out %d refusals %d %v", got.In, got.Out, len(got.Refusals), got.Refused)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "ckg_product.jsonl")
	if err := os.WriteFile(file, []byte("{\"name\":\"a\"}\n{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out, _ := tool(t, "chain", "import", file, "--refusals"); code != 0 || !strings.Contains(out, "ckg_product.jsonl:2: missing_field") {
		t.Error(code, out)
	}
	for _, bad := range [][]string{{}, {filepath.Join(dir, "absent")}, {t.TempDir()}} {
		if code, _, errs := tool(t, append([]string{"chain", "import"}, bad...)...); code != 2 || errs == "" {
			t.Errorf("%v: %d %s", bad, code, errs)
		}
	}
}
