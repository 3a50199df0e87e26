package main

import (
	"archive/zip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestHostileFilesAreRefusedEarly is not parallel because it measures memory: files that
// are too large, or unpack to too much, cost no more than looking at them.
func TestHostileFilesAreRefusedEarly(t *testing.T) {
	dir := t.TempDir()
	large, bomb := filepath.Join(dir, "large.xlsx"), filepath.Join(dir, "bomb.xlsx")
	if err := os.WriteFile(large, []byte("PK\x03\x04"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(large, 200<<20); err != nil {
		t.Fatal(err)
	}
	writeBomb(t, bomb)
	out := filepath.Join(dir, "out")
	for _, file := range []string{large, bomb} {
		for _, args := range [][]string{
			{"party", "check", "--in", file},
			{"party", "match", "--registry", file, "--in", file, "--out", out},
			{"chain", "identify", "--anchor", "青穗", "--invoices", file},
			{"chain", "extract", file},
			{"chain", "profile", "--invoices", file},
			{"chain", "contagion", "--links", file, "--each"},
		} {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			code, _, errs := tool(t, args...)
			runtime.ReadMemStats(&after)
			if spent := (after.TotalAlloc - before.TotalAlloc) >> 20; code != 2 || !strings.Contains(errs, filepath.Base(file)) || spent > 100 {
				t.Errorf("%v: %d after %d MiB: %s", args, code, spent, errs)
			}
		}
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("something was written")
	}
}

// writeBomb writes a workbook whose only sheet says that it unpacks to 8 GiB.
func writeBomb(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(f)
	for name, text := range map[string]string{
		"[Content_Types].xml":        `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>`,
		"xl/workbook.xml":            `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="s" sheetId="1" r:id="a"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="a" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`,
	} {
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write([]byte(text))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	w, err := z.CreateRaw(&zip.FileHeader{Name: "xl/worksheets/sheet1.xml", Method: zip.Deflate, CompressedSize64: 2, UncompressedSize64: 8 << 30})
	if err == nil {
		_, err = w.Write([]byte{3, 0}) // an empty stream: the size is a promise
	}
	if err != nil || z.Close() != nil || f.Close() != nil {
		t.Fatal(err)
	}
}

// TestStrangeTables: what people send by mistake is refused with its place, or taken for
// what it is.
func TestStrangeTables(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const head, gbk = "发票号码,卖方名称,买方名称,金额,开票日期\n", "\xc7\xe0\xcb\xeb" // 青穗
	links, graph, out := file("links.csv", "supplier,buyer,amount\nA,B,5\nB,C,3\n"), filepath.Join(dir, "g"), filepath.Join(dir, "o.csv")
	one := file("one.csv", "name,variant\n穗,穗\n青穗农业有限公司,青\n")
	for name, c := range map[string]struct {
		code int
		says string
		args []string
	}{
		"a column missing":   {2, "nocol.csv", []string{"chain", "identify", "--anchor", "禾丰", "--invoices", file("nocol.csv", "发票号码,卖方名称,买方名称,开票日期\n1,青穗,禾丰,2026-01-02\n")}},
		"mixed encodings":    {2, "mixed.csv: line 3", []string{"chain", "identify", "--anchor", "禾丰", "--invoices", file("mixed.csv", head+"1,青穗,禾丰,5,2026-01-02\n2,"+gbk+",b,5,2026-01-02\n")}},
		"mixed relations":    {2, "line 3", []string{"chain", "import", file("r.csv", "seller,buyer\n青穗,禾丰\n"+gbk+",b\n"), "--out", graph}},
		"mixed names":        {2, "line 3", []string{"party", "match", "--registry", file("n.csv", "name\n青穗农业\n"+gbk+"\n"), "--in", one, "--out", out}},
		"mixed invoices":     {2, "line 3", []string{"chain", "profile", "--invoices", file("invoices_out.csv", "firm,date,counterparty,amount\n青穗,2026-01-02,禾丰,1\n"+gbk+",2026-01-02,b,1\n")}},
		"only refused rows":  {1, "2 refused", []string{"chain", "import", file("s.csv", "seller,buyer\nA,A\n,B\n"), "--out", graph}},
		"a negative invoice": {0, "2 documents", []string{"chain", "identify", "--anchor", "禾丰", "--invoices", file("neg.csv", head+"1,青穗,禾丰,-5,2026-01-02\n2,青穗,禾丰,50,2026-01-02\n")}},
		"a negative link":    {2, "neg2.csv:2:5", []string{"chain", "contagion", "--links", file("neg2.csv", "supplier,buyer,amount\nA,B,-5\n"), "--each"}},
		"supplies itself":    {1, "0 firms", []string{"chain", "identify", "--anchor", "青穗", "--invoices", file("self.csv", head+"1,青穗,青穗,5,2026-01-02\n")}},
		"a link to itself":   {2, "self2.csv:2:3", []string{"chain", "contagion", "--links", file("self2.csv", "supplier,buyer,amount\nA,A,5\n"), "--each"}},
		"owners in a circle": {2, "own.csv:2:3", []string{"chain", "contagion", "--links", links, "--firms", file("own.csv", "id,owner\nA,B\nB,C\nC,A\n"), "--shock", "A"}},
		"one character":      {0, "accepted 1", []string{"party", "match", "--registry", one, "--in", one, "--out", out}},
		"codes of a table":   {1, "invalid", []string{"party", "check", "--in", file("codes.csv", "名称,统一社会信用代码\n青穗,91350900587527783P\n禾丰,1\n")}},
	} {
		code, text, errs := tool(t, c.args...)
		if code != c.code || !strings.Contains(text+errs, c.says) {
			t.Errorf("%s: %d, want %d with %q: %s%s", name, code, c.code, c.says, text, errs)
		}
	}
	if _, err := os.Stat(graph); err == nil {
		t.Error("a refused table leaves a graph")
	}
	if code, _, errs := tool(t, "chain", "--help"); code != 0 || !strings.Contains(errs, "furrow chain reach") || strings.Contains(errs, "furrow party") {
		t.Errorf("the help of a group: %d %s", code, errs)
	}
}
