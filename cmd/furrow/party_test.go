package main

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/furrowcredit/furrow/sheet"
)

func TestPartyMatch(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	registry := file("registry.csv", "\ufeffid,name,former_names,uscc\n1,安徽青穗农业科技股份有限公司,,91350900587527783P\n"+
		"2,江苏禾丰粮油有限公司,丰禾粮站；老丰禾,\n3,山东禾丰种业有限公司,,\n")
	in := file("in.csv", "variant,canonical,kind\n青穗农业,安徽青穗农业科技股份有限公司,short\n禾丰,江苏禾丰粮油有限公司,short\n"+
		"老丰禾,江苏禾丰粮油有限公司,former\n,山东禾丰种业有限公司,blank\n")
	out := filepath.Join(dir, "out.csv")
	code, text, errs := tool(t, "party", "match", "--registry", registry, "--in", in, "--out", out, "--json")
	var got struct {
		Top1, Precision *float64
		Abstained       *int
		Kinds           map[string]struct{ Names, Abstained int }
	}
	if err := json.Unmarshal([]byte(text), &got); err != nil || code != 0 {
		t.Fatal(code, err, errs)
	}
	if *got.Top1 != 0.75 || *got.Precision != 1 || *got.Abstained != 2 || got.Kinds["short"].Names != 2 || got.Kinds["short"].Abstained != 1 {
		t.Error(text)
	}
	f, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) != 5 {
		t.Fatal(err, rows)
	}
	if strings.Join(rows[0], ",") != "variant,canonical,score,reason,candidate,second,id,uscc" {
		t.Error(rows[0])
	}
	for i, want := range [][3]string{{"安徽青穗农业科技股份有限公司", "", "91350900587527783P"}, {"", "tie", ""}, {"江苏禾丰粮油有限公司", "", ""}, {"", "blank", ""}} {
		if got := [3]string{rows[i+1][1], rows[i+1][3], rows[i+1][7]}; got != want {
			t.Errorf("%v, want %v", rows[i+1], want)
		}
	}
}

func TestPartyMatchRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.csv")
	if err := os.WriteFile(bad, []byte("firm\n甲\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{},
		{"--registry", bad, "--in", bad},
		{"--registry", filepath.Join(dir, "absent.csv"), "--in", bad, "--out", filepath.Join(dir, "o.csv")},
		{"--registry", bad, "--in", bad, "--out", filepath.Join(dir, "o.csv")},
	} {
		if code, _, errs := tool(t, append([]string{"party", "match"}, args...)...); code != 2 || errs == "" {
			t.Errorf("%v: %d %q", args, code, errs)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "o.csv")); err == nil {
		t.Error("a refused match leaves a file")
	}
}

// TestPartyMatchSheets: a workbook with a title and Chinese headers, and a table in GBK,
// are read like CSV.
func TestPartyMatchSheets(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	book, err := sheet.Write("企业", [][]string{{"二〇二六年企业名录"}, {"序号", "企业名称", "统一社会信用代码"}, {"1", "安徽青穗农业科技股份有限公司", "91350900587527783P"}, {"2", "江苏禾丰粮油有限公司", ""}})
	if err != nil {
		t.Fatal(err)
	}
	asked, err := simplifiedchinese.GBK.NewEncoder().String("名称\r\n青穗农业\r\n禾丰粮油\r\n")
	if err != nil {
		t.Fatal(err)
	}
	registry, in, out := filepath.Join(dir, "r.xlsx"), filepath.Join(dir, "in.csv"), filepath.Join(dir, "out.csv")
	if err := errors.Join(os.WriteFile(registry, book, 0o600), os.WriteFile(in, []byte(asked), 0o600)); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := tool(t, "party", "match", "--registry", registry, "--in", in, "--out", out); code != 0 {
		t.Fatal(errs)
	}
	got, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"青穗农业,安徽青穗农业科技股份有限公司,", ",91350900587527783P\n", "禾丰粮油,江苏禾丰粮油有限公司,"} {
		if !strings.Contains(string(got), want) {
			t.Errorf("%s lacks %q", got, want)
		}
	}
	// Packed, they say the same.
	for _, path := range []string{registry, in} {
		plain, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		if _, err := z.Write(plain); err != nil || z.Close() != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path+".gz", packed.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if code, _, errs := tool(t, "party", "match", "--registry", registry+".gz", "--in", in+".gz", "--out", out); code != 0 {
		t.Fatal(errs)
	}
	if again, err := os.ReadFile(out); err != nil || !bytes.Equal(again, got) {
		t.Errorf("packed: %v %s", err, again)
	}
	if err := os.WriteFile(in+".gz", []byte("not packed"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := tool(t, "party", "match", "--registry", registry, "--in", in+".gz", "--out", out); code != 2 || !strings.Contains(errs, "in.csv.gz") {
		t.Errorf("%d %s", code, errs)
	}
}
