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
