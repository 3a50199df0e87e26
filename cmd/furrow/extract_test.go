package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/furrowcredit/furrow/internal/realdata"
)

func TestChainExtractMeasures(t *testing.T) {
	t.Parallel()
	dir := realdata.Dir(t, "chain")
	type count struct {
		Precision, Recall, F1 float64
		Predicted             int
	}
	var got struct {
		Sentences int
		Relations struct {
			Supply    count
			Relations map[string]count
		}
		Fields struct{ All count }
	}
	code, out, errs := tool(t, "chain", "extract", "--in", filepath.Join(dir, "finre.jsonl"), filepath.Join(dir, "sroie.jsonl"), "--json")
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != 0 {
		t.Fatal(code, err, errs)
	}
	if s := got.Relations.Supply; s.Precision < 0.86 || s.Recall < 0.2 || got.Sentences < 10_000 || len(got.Relations.Relations) != 6 {
		t.Errorf("%+v", got)
	}
	if got.Fields.All.F1 < 0.87 {
		t.Errorf("receipts: %+v", got.Fields)
	}
}

func TestChainExtractReadsDocuments(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a.txt":        "采购合同\n甲方（需方）：青穗粮油有限公司\n乙方（供方）：禾垄种业有限公司\n合同金额：12万元\n",
		"b.txt":        "发票号码：26372000000012345678\n电子发票（普通发票）\n购买方 名称：青穗粮油有限公司\n销售方 名称：禾垄种业有限公司\n价税合计 （小写）¥100.00\n",
		"c.txt":        "HIJAU MART SDN BHD\nNO 5, JALAN PADI,\n43000 KAJANG\nRECEIPT\n05/03/2018\nTOTAL 9.00\nCASH 10.00\nCHANGE 1.00\n",
		"bad.pdf":      "PK\x03\x04",
		".hidden/d.md": "甲",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	facts := filepath.Join(t.TempDir(), "facts.jsonl")
	code, out, errs := tool(t, "chain", "extract", dir, "--out", facts, "--json")
	var got struct {
		Documents int
		Files     []struct{ Name, Kind, Error string }
		Facts     []struct{ Head, Relation, Tail, Quote string }
		Receipts  []struct{ Total string }
		Invoices  []struct{ Number string }
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != 1 {
		t.Fatal(code, err, errs)
	}
	if got.Documents != 3 || len(got.Files) != 4 || len(got.Facts) != 2 || len(got.Receipts) != 1 || len(got.Invoices) != 1 || got.Files[2].Error == "" && got.Files[3].Error == "" {
		t.Errorf("%+v", got)
	}
	if f := got.Facts[0]; f.Head != "禾垄种业有限公司" || f.Tail != "青穗粮油有限公司" || f.Relation != "supply" {
		t.Errorf("%+v", f)
	}
	if raw, err := os.ReadFile(facts); err != nil || strings.Count(string(raw), "\n") != 4 {
		t.Error(err, string(raw))
	}
	code, out, _ = tool(t, "chain", "extract", filepath.Join(dir, "a.txt"))
	if code != 0 || !strings.Contains(out, "禾垄种业有限公司 supply 青穗粮油有限公司 (0.95)") {
		t.Error(code, out)
	}
}

func TestChainExtractRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.jsonl")
	if err := os.WriteFile(bad, []byte("{\"text\":\"a\",\"head\":\"b\",\"tail\":\"c\"}\n{\"text\":1}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string][]string{
		"name a file":   {},
		"absent":        {filepath.Join(dir, "absent")},
		"no files":      {t.TempDir()},
		"bad.jsonl:2":   {bad},
		"--kind":        {bad, "--kind", "poem"},
		"--extractor":   {bad, "--extractor", "oracle"},
		"address":       {bad, "--extractor", "endpoint", "--endpoint", "ftp://x", "--model", "m"},
		"--price-in":    {bad, "--extractor", "endpoint", "--endpoint", "http://x/v1", "--model", "m", "--yuan-per-day", "5"},
		"such as 12.50": {bad, "--extractor", "endpoint", "--endpoint", "http://x/v1", "--model", "m", "--yuan-per-day", "five"},
	} {
		if code, _, errs := tool(t, append([]string{"chain", "extract"}, args...)...); code != 2 || !strings.Contains(errs, want) {
			t.Errorf("%v: %d %s", args, code, errs)
		}
	}
}
