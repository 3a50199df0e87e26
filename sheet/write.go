package sheet

import (
	"archive/zip"
	"bufio"
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Writer writes an XLSX of one sheet row by row, in a memory that does not grow. All
// cells are text, so that long numbers stay whole; the first row is the header.
type Writer struct {
	archive *zip.Writer
	out     *bufio.Writer
	row     int
	line    []byte
}

// The parts of a workbook beside its sheet. Style 1 is text, style 2 bold text.
var bookParts = []struct{ name, text string }{
	{"[Content_Types].xml", `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">` +
		`<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
		`<Default Extension="xml" ContentType="application/xml"/>` +
		`<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>` +
		`<Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>` +
		`<Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/></Types>`},
	{"_rels/.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` +
		`<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`},
	{"xl/_rels/workbook.xml.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` +
		`<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/>` +
		`<Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>`},
	{"xl/styles.xml", `<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">` +
		`<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts>` +
		`<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>` +
		`<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>` +
		`<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>` +
		`<cellXfs count="3"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>` +
		`<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>` +
		`<xf numFmtId="49" fontId="1" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyFont="1"/></cellXfs></styleSheet>`},
}

const xmlHead = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"

// NewWriter starts a workbook whose sheet has that name and so many wide columns.
func NewWriter(w io.Writer, name string, columns int) (*Writer, error) {
	z := zip.NewWriter(w)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
	book := `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">` +
		`<sheets><sheet name="` + string(escape(nil, name)) + `" sheetId="1" r:id="rId1"/></sheets></workbook>`
	for _, p := range append(bookParts[:len(bookParts):len(bookParts)], struct{ name, text string }{"xl/workbook.xml", book}) {
		part, err := z.Create(p.name)
		if err == nil {
			_, err = io.WriteString(part, xmlHead+p.text)
		}
		if err != nil {
			return nil, fmt.Errorf("sheet: %w", err)
		}
	}
	part, err := z.Create("xl/worksheets/sheet1.xml")
	if err != nil {
		return nil, fmt.Errorf("sheet: %w", err)
	}
	out := &Writer{archive: z, out: bufio.NewWriterSize(part, 64<<10)}
	_, err = fmt.Fprintf(out.out, xmlHead+`<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">`+
		`<cols><col min="1" max="%d" width="22" customWidth="1"/></cols><sheetData>`, max(columns, 1))
	return out, err
}

// Row writes the next row. A row without text is left out, but counts.
func (w *Writer) Row(cells []string) error {
	w.row++
	w.line = append(w.line[:0], `<row r="`...)
	w.line = strconv.AppendInt(w.line, int64(w.row), 10)
	w.line = append(w.line, `">`...)
	some := false
	for i, c := range cells {
		if c == "" {
			continue
		}
		some = true
		w.line = append(w.line, `<c r="`...)
		w.line = append(w.line, CellName(i, w.row)...)
		if w.row == 1 {
			w.line = append(w.line, `" s="2" t="inlineStr"><is><t xml:space="preserve">`...)
		} else {
			w.line = append(w.line, `" s="1" t="inlineStr"><is><t xml:space="preserve">`...)
		}
		w.line = escape(w.line, c)
		w.line = append(w.line, `</t></is></c>`...)
	}
	if !some {
		return nil
	}
	w.line = append(w.line, `</row>`...)
	if _, err := w.out.Write(w.line); err != nil {
		return fmt.Errorf("sheet: %w", err)
	}
	return nil
}

// Close completes the workbook; it does not close what it was written to.
func (w *Writer) Close() error {
	_, err := w.out.WriteString(`</sheetData></worksheet>`)
	if err == nil {
		err = w.out.Flush()
	}
	if err == nil {
		err = w.archive.Close()
	}
	if err != nil {
		return fmt.Errorf("sheet: %w", err)
	}
	return nil
}

// escape adds s as XML text. Characters that XML does not allow are written as
// spreadsheets do, and so is what would be read as such a one.
func escape(dst []byte, s string) []byte {
	for i, r := range s {
		switch {
		case r == '&':
			dst = append(dst, "&amp;"...)
		case r == '<':
			dst = append(dst, "&lt;"...)
		case r == '>':
			dst = append(dst, "&gt;"...)
		case r == '"':
			dst = append(dst, "&quot;"...)
		case r == '\r':
			dst = append(dst, "_x000D_"...)
		case r < ' ' && r != '\t' && r != '\n', r == 0xfffe, r == 0xffff:
			dst = fmt.Appendf(dst, "_x%04X_", r)
		case r == '_' && len(s) >= i+7 && s[i+1] == 'x' && s[i+6] == '_':
			dst = append(dst, "_x005F_"...)
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst
}

// Write makes an XLSX whose only sheet has these rows, the first one as its header.
func Write(name string, rows [][]string) ([]byte, error) {
	var out bytes.Buffer
	columns := 0
	if len(rows) > 0 {
		columns = len(rows[0])
	}
	w, err := NewWriter(&out, strings.TrimSpace(name), columns)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		if err := w.Row(row); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
