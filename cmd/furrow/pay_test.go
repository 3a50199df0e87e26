package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/furrowcredit/furrow/credit/pay"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/store/storetest"
)

// A statement with nothing new agrees with empty books; a fee that nobody knows waits for
// a person and makes the answer no; what is no statement is refused at its place.
func TestPayReconcile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	dsn := "sqlite:" + filepath.Join(dir, "furrow.db")
	storetest.Open(t, dsn)
	day, err := money.ParseDate("2026-05-31")
	if err != nil {
		t.Fatal(err)
	}
	file := func(name string, lines ...pay.Line) string {
		rows := []string{strings.Join(pay.Header(), ",")}
		for _, l := range lines {
			rows = append(rows, strings.Join(l.Cells(), ","))
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(strings.Join(rows, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	fee := pay.Line{Date: day, Direction: pay.Out, Amount: 3500, Ref: "FEE1", Party: "bank", Memo: "fee"}
	dollars := file("dollars.csv", fee)
	b, err := os.ReadFile(dollars)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dollars, bytes.ReplaceAll(b, []byte("CNY"), []byte("USD")), 0o600); err != nil {
		t.Fatal(err)
	}
	furrow := func(args ...string) (int, string) {
		var out, errs bytes.Buffer
		code := run(context.Background(), append([]string{"pay", "reconcile"}, args...), stdio{nil, &out, &errs})
		return code, out.String() + errs.String()
	}
	quiet, new := file("quiet.csv"), file("new.csv", fee)
	for name, x := range map[string]struct {
		code int
		says string
		args []string
	}{
		"nothing new":  {0, "0 lines, 0 orders, 0 agree", []string{"--statement", quiet, "--day", "2026-05-31"}},
		"a fee":        {1, `ref "FEE1"`, []string{"--statement", new, "--day", "2026-05-31"}},
		"no file":      {2, "--statement", []string{"--day", "2026-05-31"}},
		"a lost file":  {2, "lost.csv", []string{"--statement", filepath.Join(dir, "lost.csv"), "--day", "2026-05-31"}},
		"29 February":  {2, "2027-02-29", []string{"--statement", new, "--day", "2027-02-29"}},
		"another day":  {2, "new.csv", []string{"--statement", new, "--day", "2026-05-30"}},
		"in dollars":   {2, "dollars.csv", []string{"--statement", dollars, "--day", "2026-05-31"}},
		"a word more":  {2, "poem", []string{"--statement", new, "--day", "2026-05-31", "poem"}},
		"another bank": {0, "0 lines", []string{"--statement", quiet, "--day", "2026-05-31", "--tenant", "other"}},
	} {
		if code, out := furrow(append(x.args, "--db", dsn)...); code != x.code || !strings.Contains(out, x.says) {
			t.Errorf("%s: %d %s", name, code, out)
		}
	}
	code, out := furrow("--statement", new, "--day", "2026-05-31", "--db", dsn, "--json")
	var answer struct {
		OK     bool
		Report pay.Report
	}
	if err := json.Unmarshal([]byte(out), &answer); err != nil || code != 1 || answer.OK || answer.Report.Lines != 1 || answer.Report.Open() != 1 {
		t.Errorf("as JSON: %d %s %v", code, out, err)
	}
}
