package upload_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/sheet"
)

// swap replaces one part of an XLSX.
func swap(t testing.TB, body []byte, part, text string) []byte {
	t.Helper()
	in, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	write := func(name string, r io.Reader) {
		w, err := z.Create(name)
		if err == nil {
			_, err = io.Copy(w, r)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range in.File {
		if f.Name == part {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		write(f.Name, r)
	}
	write(part, strings.NewReader(text))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// swapZeros replaces one part of an XLSX by so many MiB of zeros.
func swapZeros(t testing.TB, body []byte, part string, mib int) []byte {
	t.Helper()
	var out bytes.Buffer
	in, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(&out)
	for _, f := range in.File {
		if err := z.Copy(f); err != nil {
			t.Fatal(err)
		}
	}
	w, err := z.Create(part)
	for range mib {
		if err == nil {
			_, err = w.Write(make([]byte, 1<<20))
		}
	}
	if err := errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestSmallHostileFiles is not parallel because it measures memory: what unfolds to far more than its size is stopped early.
func TestSmallHostileFiles(t *testing.T) {
	base := workbook(t, []string{"订单号", "供应商名称", "金额", "订单日期"}, []string{"PO1", "甲厂", "10", "2026-01-01"})
	const open = `<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>` +
		`<row r="1"><c r="A1" t="inlineStr"><is><t>订单号</t></is></c><c r="B1" t="inlineStr"><is><t>供应商名称</t></is></c>` +
		`<c r="C1" t="inlineStr"><is><t>金额</t></is></c><c r="D1" t="inlineStr"><is><t>订单日期</t></is></c></row>`
	var wide strings.Builder
	for i := 2; i < 50_000; i++ {
		fmt.Fprintf(&wide, `<row r="%d"><c r="XFD%d"><v>1</v></c></row>`, i, i)
	}
	strs := `<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">` + strings.Repeat(`<si><t/></si>`, 2_800_000) + `</sst>`
	for _, c := range []struct {
		name, part, text string
		want             error
	}{
		{"wide rows", "xl/worksheets/sheet1.xml", open + wide.String() + `</sheetData></worksheet>`, sheet.ErrEmpty},
		{"a cell far down", "xl/worksheets/sheet1.xml", open + `<row r="1048576"><c r="A1048576"><v>1</v></c></row></sheetData></worksheet>`, nil},
		{"endless rows", "xl/worksheets/sheet1.xml", open + strings.Repeat(`<row><c><v>1</v></c></row>`, 60_000) + `</sheetData></worksheet>`, nil},
		{"empty strings", "xl/sharedStrings.xml", strs, nil},
	} {
		s, _ := desk(t)
		body := swap(t, base, c.part, c.text)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := s.Check(t.Context(), who, chain.Order, c.name, body)
		runtime.ReadMemStats(&after)
		if c.want == nil && err != nil || !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
		spent := (after.TotalAlloc - before.TotalAlloc) >> 20
		t.Logf("%s: %d bytes, %d MiB allocated", c.name, len(body), spent)
		if spent > 200 {
			t.Errorf("%s: a file of %d bytes made it allocate %d MiB", c.name, len(body), spent)
		}
	}
}
