package sheet_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"
	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/sheet"
)

// excel writes a workbook by another program's hand and says how that one reads it.
func excel(t testing.TB, fill func(f *excelize.File) error) (body []byte, want [][]string) {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	if err := fill(f); err != nil {
		t.Fatal(err)
	}
	b, err := f.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), reread(t, b.Bytes())
}

func reread(t testing.TB, body []byte) [][]string {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(body), excelize.Options{RawCellValue: true})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := f.GetRows(f.GetSheetList()[0])
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// lay spreads rows out by their numbers, as the other program gives them.
func lay(rows []sheet.Row) [][]string {
	var out [][]string
	for _, r := range rows {
		for len(out) < r.Number-1 {
			out = append(out, nil)
		}
		out = append(out, r.Cells)
	}
	return out
}

func trimmed(rows [][]string) [][]string {
	var out [][]string
	for _, r := range rows {
		for len(r) > 0 && strings.TrimSpace(r[len(r)-1]) == "" {
			r = r[:len(r)-1]
		}
		if len(r) == 0 {
			r = nil
		}
		out = append(out, r)
	}
	for len(out) > 0 && out[len(out)-1] == nil {
		out = out[:len(out)-1]
	}
	return out
}

func TestReadsWhatExcelizeReads(t *testing.T) {
	t.Parallel()
	for name, fill := range map[string]func(f *excelize.File) error{
		"kinds of cells": func(f *excelize.File) error {
			err := f.SetSheetRow("Sheet1", "B2", &[]any{"甲 & <乙>", 12.5, -3, true, time.Date(2026, 2, 28, 10, 0, 0, 0, time.UTC), 1e21, "  spaces  ", "line\nbreak", ""})
			err = errors.Join(err, f.SetCellInt("Sheet1", "K2", 2), f.SetCellFormula("Sheet1", "K2", "=1+1"), f.SetCellStr("Sheet1", "C9", "'quoted'"), f.SetCellStr("Sheet1", "A9", "_x0041_"))
			return errors.Join(err, f.SetCellRichText("Sheet1", "D9", []excelize.RichTextRun{{Text: "rich "}, {Text: "text", Font: &excelize.Font{Bold: true}}}))
		},
		"gaps": func(f *excelize.File) error {
			return errors.Join(f.SetCellStr("Sheet1", "A1", "x"), f.SetCellInt("Sheet1", "Z40", 7), f.SetCellStr("Sheet1", "B90", "y"))
		},
		"many": func(f *excelize.File) error {
			for i := range 2000 {
				if err := f.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &[]any{i, fmt.Sprint("甲", i%7), float64(i) / 3, "&amp;"}); err != nil {
					return err
				}
			}
			return nil
		},
		"streamed": func(f *excelize.File) error {
			w, err := f.NewStreamWriter("Sheet1")
			if err != nil {
				return err
			}
			return errors.Join(w.SetRow("A1", []any{"号", 1, nil, "三"}), w.SetRow("A3", []any{nil, 2.25, "\t"}), w.Flush())
		},
	} {
		body, want := excel(t, fill)
		got, err := sheet.Read(body, anyTable)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if d := cmp.Diff(trimmed(want), trimmed(lay(got.Rows))); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// TestTextsSurvive: whatever text is written is read, by this package and by another.
func TestTextsSurvive(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.StringOf(rapid.Rune()).Filter(func(s string) bool {
			return strings.TrimSpace(s) != "" && !strings.Contains(s, "\uFFFD") && len(s) < 300
		})
		rows := [][]string{{"head"}, {text.Draw(rt, "one"), text.Draw(rt, "two")}}
		body, err := sheet.Write("x", rows)
		if err != nil {
			rt.Fatal(err)
		}
		got, err := sheet.Read(body, anyTable)
		if err != nil {
			rt.Fatal(err)
		}
		if d := cmp.Diff(rows, lay(got.Rows)); d != "" {
			rt.Error(d)
		}
		for _, r := range rows[1] {
			if strings.ContainsFunc(r, func(c rune) bool { return c < ' ' || c == '_' || c >= 0xfffe && c <= 0xffff }) {
				return // the other one decodes those in its own way
			}
		}
		if d := cmp.Diff(rows, reread(t, body)); d != "" {
			rt.Error(d)
		}
	})
}

// parts replaces parts of a workbook.
func parts(t testing.TB, body []byte, with map[string]string) []byte {
	t.Helper()
	in, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, f := range in.File {
		if _, ok := with[f.Name]; ok {
			continue
		}
		if err := z.Copy(f); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range with {
		w, err := z.Create(name)
		if err == nil {
			_, err = io.WriteString(w, text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestSheetXML(t *testing.T) {
	t.Parallel()
	book, err := sheet.Write("x", [][]string{{"a"}})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		xml  string
		want [][]string
		err  error
	}{
		"prefixes and comments": {`<?xml version="1.0"?><x:worksheet><!-- <c> --><x:sheetData><x:row r="2"><x:c r="B2" t="str"><x:f>A1&gt;2</x:f><x:v>a&#x4e2d;&#25991;</x:v></x:c></x:row></x:sheetData></x:worksheet>`, [][]string{nil, {"", "a中文"}}, nil},
		"formulas": {`<worksheet><sheetData><row><c><f>1+1</f><v>2</v></c><c><f>1+1</f></c><c><f t="shared" si="0"/></c><c t="str"><f>""</f><v></v></c><c t="str"><f>""</f><v/></c></row></sheetData></worksheet>`,
			[][]string{{"2", sheet.Uncalculated, sheet.Uncalculated}}, nil},
		"cdata":                {`<worksheet><sheetData><row><c t="inlineStr"><is><t><![CDATA[a<b&amp;]]>&lt;</t></is></c></row></sheetData></worksheet>`, [][]string{{"a<b&amp;<"}}, nil},
		"quotes in attributes": {`<worksheet><sheetData><row spans="a>b" r='1'><c r="A1"><v>1</v></c></row></sheetData></worksheet>`, [][]string{{"1"}}, nil},
		"phonetic":             {`<worksheet><sheetData><row><c t="inlineStr"><is><t>东</t><rPh><t>dong</t></rPh></is></c></row></sheetData></worksheet>`, [][]string{{"东"}}, nil},
		"document type":        {`<!DOCTYPE x [<!ENTITY a "b">]><worksheet><sheetData><row><c><v>&a;</v></c></row></sheetData></worksheet>`, nil, sheet.ErrDamaged},
		"unknown entity":       {`<worksheet><sheetData><row><c><v>&nbsp;1</v></c></row></sheetData></worksheet>`, [][]string{{"&nbsp;1"}}, nil},
		"rows out of order":    {`<worksheet><sheetData><row r="2"><c><v>1</v></c></row><row r="2"><c><v>1</v></c></row></sheetData></worksheet>`, nil, sheet.ErrDamaged},
		"a row beyond all":     {`<worksheet><sheetData><row r="1048577"><c><v>1</v></c></row></sheetData></worksheet>`, nil, sheet.ErrDamaged},
		"a cell of no column":  {`<worksheet><sheetData><row><c r="12"><v>1</v></c></row></sheetData></worksheet>`, nil, sheet.ErrDamaged},
		"a text that is not":   {`<worksheet><sheetData><row><c t="s"><v>5</v></c></row></sheetData></worksheet>`, nil, sheet.ErrDamaged},
		"no end":               {`<worksheet><sheetData><row><c><v>1</v></c>`, nil, sheet.ErrDamaged},
		"a tag without end":    {`<worksheet><sheetData><row ` + strings.Repeat("x", 300<<10), nil, sheet.ErrDamaged},
		"a long cell":          {`<worksheet><sheetData><row><c><v>` + strings.Repeat("x", 300<<10) + `</v></c></row></sheetData></worksheet>`, nil, sheet.ErrDamaged},
		"no data":              {`<worksheet></worksheet>`, nil, sheet.ErrDamaged},
		"nothing in it":        {`<worksheet><sheetData/></worksheet>`, nil, nil},
	} {
		got, err := sheet.Read(parts(t, book, map[string]string{"xl/worksheets/sheet1.xml": c.xml}), anyTable)
		if !errors.Is(err, c.err) {
			t.Errorf("%s: %v, want %v", name, err, c.err)
		}
		if err == nil {
			if d := cmp.Diff(c.want, lay(got.Rows)); d != "" {
				t.Errorf("%s: %s", name, d)
			}
		}
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	var rows [][]string
	for i := range 40 {
		rows = append(rows, []string{fmt.Sprint("text ", i)})
	}
	book, err := sheet.Write("x", rows)
	if err != nil {
		t.Fatal(err)
	}
	csv := []byte(strings.Repeat("text\n", 40))
	wide := sheet.Limits{CSV: 1 << 20, XLSX: 1 << 20, Unpacked: 1 << 20, Rows: 100}
	for name, c := range map[string]struct {
		body   []byte
		change func(*sheet.Limits)
		want   error
	}{
		"all is well":                      {book, func(*sheet.Limits) {}, nil},
		"rows of a book":                   {book, func(l *sheet.Limits) { l.Rows = 20 }, sheet.ErrTooManyRows},
		"rows of a CSV":                    {csv, func(l *sheet.Limits) { l.Rows = 20 }, sheet.ErrTooManyRows},
		"bytes":                            {book, func(l *sheet.Limits) { l.XLSX = 100 }, sheet.ErrTooLarge},
		"bytes of a CSV":                   {csv, func(l *sheet.Limits) { l.CSV = 100 }, sheet.ErrTooLarge},
		"unpacked":                         {book, func(l *sheet.Limits) { l.Unpacked = 1000 }, sheet.ErrUnpacks},
		"a sheet that lies about its size": {lying(t, book), func(l *sheet.Limits) { l.Unpacked = 1000 }, sheet.ErrDamaged},
	} {
		limits := wide
		c.change(&limits)
		r, err := sheet.Open(bytes.NewReader(c.body), int64(len(c.body)), limits, anyTable)
		for err == nil {
			_, err = r.Next()
		}
		if errors.Is(err, io.EOF) {
			err = nil
		}
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// lying makes the directory say that its sheet unpacks to nothing.
func lying(t testing.TB, book []byte) []byte {
	t.Helper()
	out := bytes.Clone(book)
	const name = "xl/worksheets/sheet1.xml"
	i := bytes.LastIndex(out, []byte(name))
	if i < 46 {
		t.Fatal("the directory has no sheet")
	}
	copy(out[i-46+24:], []byte{1, 0, 0, 0})
	return out
}

func TestEncodings(t *testing.T) {
	t.Parallel()
	gb := func(s string) string {
		out, err := simplifiedchinese.GB18030.NewEncoder().String(s)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for name, c := range map[string]struct {
		body string
		want error
		says string
	}{
		"UTF-8":             {"名称,金额\n甲厂,1\n", nil, "甲厂"},
		"GBK":               {gb("名称,金额\n甲厂,1\n"), nil, "甲厂"},
		"GB18030":           {gb("名称,金额\n㐀𠀀,1\n"), nil, "㐀𠀀"},
		"GBK in UTF-8":      {"名称,金额\n" + gb("甲厂,1\n"), sheet.ErrMixed, "line 2"},
		"UTF-8 in GBK":      {gb("名称,金额\n甲厂,1\n乙厂,1\n") + "丙厂,1\n", sheet.ErrMixed, "line 4"},
		"ASCII before GBK":  {"name,amount\n1,2\n" + gb("甲厂,1\n"), nil, "甲厂"},
		"neither":           {"名称\n甲\xff\xff\n", sheet.ErrEncoding, "line 2"},
		"mark and GBK":      {"\ufeff名称\n" + gb("甲厂\n"), sheet.ErrMixed, "line 2"},
		"pairs of both":     {gb("名称\n") + "\xc2\xb5,1\n", nil, gbText(t, "\xc2\xb5")},
		"a pair of UTF-8":   {"名称\n\u00b5,1\n", nil, "\u00b5"},
		"cut in the middle": {gb("名称\n甲厂")[:8], sheet.ErrEncoding, "line 2"},
	} {
		got, err := sheet.Read([]byte(c.body), anyTable)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
			continue
		}
		said := fmt.Sprint(err)
		if err == nil {
			said = fmt.Sprint(got.Rows)
		}
		if !strings.Contains(said, c.says) {
			t.Errorf("%s: %s does not say %s", name, said, c.says)
		}
	}
}

func gbText(t testing.TB, s string) string {
	t.Helper()
	out, err := simplifiedchinese.GB18030.NewDecoder().String(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestCellName(t *testing.T) {
	t.Parallel()
	for column, want := range map[int]string{0: "A7", 25: "Z7", 26: "AA7", 701: "ZZ7", 702: "AAA7", 16383: "XFD7"} {
		if got := sheet.CellName(column, 7); got != want {
			t.Errorf("column %d is %s, want %s", column, got, want)
		}
	}
}
