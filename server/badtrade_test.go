package server_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"net/url"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/server/route"
	"github.com/furrowcredit/furrow/sheet"
)

const orderHead = "订单号,供应商名称,买方名称,金额,订单日期\n"

// inflated is an XLSX whose shared texts unpack to so many MiB of zeros.
func inflated(t testing.TB, mib int) []byte {
	t.Helper()
	book := must(sheet.Write("表", [][]string{{"订单号", "供应商名称", "金额", "订单日期"}, {"PO1", "甲厂", "10", "2026-01-01"}}))(t)
	in := must(zip.NewReader(bytes.NewReader(book), int64(len(book))))(t)
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, f := range in.File {
		if f.Name != "xl/sharedStrings.xml" {
			if err := z.Copy(f); err != nil {
				t.Fatal(err)
			}
		}
	}
	w := must(z.Create("xl/sharedStrings.xml"))(t)
	for range mib {
		must(w.Write(make([]byte, 1<<20)))(t)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestBadTradeFiles: what is no table of trade is refused in the reader's language, with
// what to do, and leaves neither rows nor files; a file that unpacks to more than it may
// costs next to no memory. It is not parallel: it sets TMPDIR and measures memory.
func TestBadTradeFiles(t *testing.T) {
	h := newHouse(t)
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	before := h.rows()
	for _, c := range []struct {
		name         string
		body         []byte
		status       int
		code, zh, en string
	}{
		{"a workbook that is too large", append([]byte("PK\x03\x04"), make([]byte, tableLimits.XLSX)...), 413, "sheet.too_large", "文件超过 1 MiB，请拆成几个文件", "larger than 1 MiB"},
		{"a zip bomb", inflated(t, 200), 413, "sheet.unpacks", "请另存为 CSV 或拆成几个文件", "unpacks"},
		{"a column missing", []byte("订单号,供应商名称,订单日期\nPO1,甲厂,2026-01-01\n"), 422, "upload.header_missing", "缺少这些列：金额", "are missing"},
		{
			"two encodings", []byte(orderHead + "PO1,甲厂,,10,2026-01-01\nPO2,\xbc\xd7\xb3\xa7,,10,2026-01-01\n"), 422, "sheet.mixed_encodings",
			"第 3 行的编码是 GBK，前面的行是 UTF-8；请另存为 .xlsx 或 CSV UTF-8", "line 3",
		},
	} {
		for lang, want := range map[string]string{"zh-CN": c.zh, "en": c.en} {
			var started, ended runtime.MemStats
			runtime.ReadMemStats(&started)
			r := h.upload("foodco", "/anchor/uploads", "订单.xlsx", c.body, map[string]string{"kind": "orders"}, "Accept-Language", lang)
			runtime.ReadMemStats(&ended)
			if p := r.problem(t); r.status != c.status || p.Code != c.code || !strings.Contains(p.Detail, want) {
				t.Errorf("%s in %s: %d %s, want %s and %q", c.name, lang, r.status, r.body, c.code, want)
			}
			if mib := (ended.TotalAlloc - started.TotalAlloc) >> 20; mib > 32 {
				t.Errorf("%s: %d bytes made it allocate %d MiB", c.name, len(c.body), mib)
			}
		}
	}
	if after := h.rows(); after != before {
		t.Errorf("a refused file left something: %s, before %s", after, before)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("files are left: %v %v", left, err)
	}
}

// TestBadTradeRows: rows that cannot be are shown at their cells in the reader's language;
// nothing is written with them, and the good ones are without them.
func TestBadTradeRows(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	before := h.rows()
	file := orderHead + "PO1,青穗包装厂,,-5,2026-01-01\nPO2,青穗包装厂,青穗包装厂,10,2026-01-01\nPO3,丰,,10,2026-01-01\n"
	u := decode[chain.Upload](h, h.upload("foodco", "/anchor/uploads", "订单.csv", []byte(file), map[string]string{"kind": "orders"}))
	if u.Rows != 3 || u.Bad != 2 || u.Good != 1 {
		t.Fatalf("checked as %+v", u)
	}
	path := "/anchor/uploads/" + u.ID
	for lang, want := range map[string][]string{
		"zh-CN": {"D2 金额必须大于零，红字冲销请不要填入", "B3 卖方和买方是同一家企业，请改正其中一方"},
		"en":    {"D2 the amount must be more than zero; leave out reversals", "B3 the seller and the buyer are the same firm; correct one of them"},
	} {
		var got []string
		page := decode[chain.Upload](h, h.do(call{Method: "GET", Path: "/api/v1" + path, Login: "foodco", Header: map[string]string{"Accept-Language": lang}}))
		for _, e := range page.Errors {
			got = append(got, e.Cell+" "+e.Msg)
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("in %s: %q, want %q", lang, got, want)
		}
	}
	if r := h.post("foodco", path+"/commit", map[string]bool{}); r.status != 409 || !strings.Contains(r.problem(t).Detail, "共 3 行，其中 2 行有错误") {
		t.Errorf("committing bad rows: %d %s", r.status, r.body)
	}
	if after := strings.ReplaceAll(h.rows(), "trade_upload 1", "trade_upload 0"); after != before {
		t.Errorf("a refused commit wrote: %s, before %s", after, before)
	}
	decode[chain.Upload](h, h.post("foodco", path+"/commit", map[string]bool{"skip_bad": true}))
	found := decode[route.List[chain.Party]](h, h.get("officer", "/officer/firms?q="+url.QueryEscape("丰")))
	names := map[string]bool{}
	for _, f := range found.Items {
		names[f.Name] = true
	}
	if !names["丰"] || !names["丰禾食品有限公司"] {
		t.Errorf("a name of one character is its own firm: %v", names)
	}
}

// TestOddOwners: firms that own each other in a circle are taken, count as one hand, and
// every page of them answers; 10,000 firms at one address are an office's, and tie nobody.
func TestOddOwners(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	commit := func(kind, file string, rows int) {
		t.Helper()
		u := decode[chain.Upload](h, h.upload("foodco", "/anchor/uploads", kind+".csv", []byte(file), map[string]string{"kind": kind}))
		for u.State == chain.UploadChecking {
			u = decode[chain.Upload](h, h.get("foodco", "/anchor/uploads/"+u.ID))
		}
		if u.Good != rows || u.Bad != 0 {
			t.Fatalf("%s: %+v", kind, u)
		}
		for u.State != chain.UploadCommitted {
			u = decode[chain.Upload](h, h.post("foodco", "/anchor/uploads/"+u.ID+"/commit", map[string]bool{}))
		}
	}
	const many = 10_000
	var crowd strings.Builder
	crowd.WriteString("供应商名称,实际控制人,地址\n甲岭粮油有限公司,乙岭粮油有限公司,\n乙岭粮油有限公司,丙岭粮油有限公司,\n丙岭粮油有限公司,甲岭粮油有限公司,\n")
	for i := range many {
		fmt.Fprintf(&crowd, "第%d粮油门市部,,青穗县穗丰路1号\n", i)
	}
	commit("suppliers", crowd.String(), many+3)
	commit("orders", orderHead+"PO1,甲岭粮油有限公司,丙岭粮油有限公司,10,2026-01-01\nPO2,第7粮油门市部,第8粮油门市部,10,2026-01-01\n", 2)
	id := func(name string) string {
		for _, f := range decode[route.List[chain.Party]](h, h.get("officer", "/officer/firms?q="+url.QueryEscape(name))).Items {
			if f.Name == name {
				return f.ID
			}
		}
		t.Fatalf("%s is not there", name)
		return ""
	}
	for _, c := range []struct {
		name string
		tied int
	}{{"甲岭粮油有限公司", 1}, {"第7粮油门市部", 0}} {
		body := h.get("officer", "/officer/firms/"+id(c.name))
		if body.status != 200 || strings.Count(string(body.body), string(chain.RelatedParties)) != c.tied {
			t.Errorf("%s: %d %s", c.name, body.status, body.body)
		}
	}
}
