package register

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	"github.com/furrowcredit/furrow/fault"
)

// What can be wrong with a file as a whole.
var (
	ErrTooLarge    = fault.New(fault.TooLarge, "import.too_large", "the file is larger than {mib} MiB; split it")
	ErrTooManyRows = fault.New(fault.TooLarge, "import.too_many_rows", "the file has more than {max} rows; split it")
	ErrTooWide     = fault.New(fault.TooLarge, "import.too_wide", "the rows are too wide; delete what stands far to the right of the table")
	ErrEmpty       = fault.New(fault.Invalid, "import.empty", "the file has no rows below its header")
	ErrFormat      = fault.New(fault.Invalid, "import.format", "this is no XLSX, CSV or ICAR JSON file; save it as .xlsx and send it again")
	ErrOldExcel    = fault.New(fault.Invalid, "import.old_excel", "this is an old .xls file or it has a password; save it as .xlsx without one and send it again")
	ErrDamaged     = fault.New(fault.Invalid, "import.damaged", "the file is damaged; save it again and send it again")
	ErrEncoding    = fault.New(fault.Invalid, "import.encoding", "the text is neither UTF-8 nor GBK; save the file as .xlsx or as CSV UTF-8")
	ErrQuotes      = fault.New(fault.Invalid, "import.quotes", "line {line} has a stray quotation mark; save the file as .xlsx or mend the line")
	ErrHeader      = fault.New(fault.Invalid, "import.header", "no column says {columns}; use the template")
	ErrHeaderTwice = fault.New(fault.Invalid, "import.header_twice", "the columns {first} and {second} mean the same; keep one")
)

const (
	maxBytes    = 20 << 20
	maxUnzip    = 40 << 20
	maxInMemory = 4 << 20 // larger parts of an XLSX are read from temporary files
	maxRows     = 50_000
	maxCells    = 4_000_000 // empty ones to the left of a value included
	maxColumns  = 64        // further ones are not read
	headerRows  = 10        // titles above the header that are skipped
)

// table is a sheet: its rows in order, each with its number in the spreadsheet.
type table struct {
	rows     []row
	from1904 bool
}

type row struct {
	number int // 1 is the first row of the sheet
	cells  []string
}

// readTable takes a file apart by what it holds, whatever its name says. Of a workbook
// it takes the first visible sheet that accept wants, or the first one.
func readTable(body []byte, accept func(*table) bool) (*table, error) {
	switch {
	case len(body) > maxBytes:
		return nil, ErrTooLarge.With("mib", maxBytes>>20)
	case len(bytes.TrimSpace(body)) == 0:
		return nil, ErrEmpty
	case bytes.HasPrefix(body, []byte("PK\x03\x04")):
		return readXLSX(body, accept)
	case bytes.HasPrefix(body, []byte("\xd0\xcf\x11\xe0")):
		return nil, ErrOldExcel
	}
	return readCSV(body)
}

func readXLSX(body []byte, accept func(*table) bool) (*table, error) {
	if _, err := zip.NewReader(bytes.NewReader(body), int64(len(body))); err != nil {
		return nil, ErrDamaged.Because(err)
	}
	f, err := excelize.OpenReader(bytes.NewReader(body), excelize.Options{
		RawCellValue: true, UnzipSizeLimit: maxUnzip, UnzipXMLSizeLimit: maxInMemory,
	})
	if errors.Is(err, excelize.ErrWorkbookFileFormat) {
		return nil, ErrFormat.Because(err)
	}
	if err != nil {
		return nil, ErrDamaged.Because(err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	var first *table
	for _, sheet := range f.GetSheetList() {
		if shown, err := f.GetSheetVisible(sheet); err != nil || !shown {
			continue
		}
		t, err := readSheet(f, sheet)
		if err != nil {
			return nil, err
		}
		if accept(t) {
			return t, nil
		}
		if first == nil {
			first = t
		}
	}
	if first == nil {
		return nil, ErrEmpty
	}
	return first, nil
}

func readSheet(f *excelize.File, sheet string) (*table, error) {
	t := &table{}
	if props, err := f.GetWorkbookProps(); err == nil && props.Date1904 != nil {
		t.from1904 = *props.Date1904
	}
	rows, err := f.Rows(sheet)
	if err != nil {
		return nil, ErrDamaged.Because(err)
	}
	defer rows.Close() //nolint:errcheck // it was only read
	width := 0
	for number := 1; rows.Next(); number++ {
		cells, err := rows.Columns()
		if err != nil {
			return nil, ErrDamaged.Because(err)
		}
		// A cell in the last column makes a row of 16,384 cells out of 40 bytes.
		if width += len(cells); width > maxCells {
			return nil, ErrTooWide
		}
		if err := t.add(number, cells); err != nil {
			return nil, err
		}
	}
	if err := rows.Error(); err != nil {
		return nil, ErrDamaged.Because(err)
	}
	return t, nil
}

// add keeps a row that has anything in it.
func (t *table) add(number int, cells []string) error {
	last := -1
	for i, c := range cells {
		if strings.TrimSpace(c) != "" {
			last = i
		}
	}
	if last < 0 {
		return nil
	}
	if len(t.rows) == maxRows+headerRows {
		return ErrTooManyRows.With("max", maxRows)
	}
	t.rows = append(t.rows, row{number, append([]string(nil), cells[:min(last+1, maxColumns)]...)})
	return nil
}

func readCSV(body []byte) (*table, error) {
	body, err := decode(body)
	if err != nil {
		return nil, err
	}
	r := csv.NewReader(bytes.NewReader(body))
	r.Comma, r.FieldsPerRecord, r.ReuseRecord = comma(body), -1, true
	t := &table{}
	// A spreadsheet shows a row for each record and each empty line, which the reader
	// skips; a quoted cell may span lines.
	number, nextLine := 0, 1
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return t, nil
		}
		if err != nil {
			var bad *csv.ParseError
			if errors.As(err, &bad) {
				return nil, ErrQuotes.With("line", bad.Line).Because(err)
			}
			return nil, ErrDamaged.Because(err)
		}
		line, _ := r.FieldPos(0)
		number += line - nextLine + 1
		nextLine = line + 1
		for _, c := range cells {
			nextLine += strings.Count(c, "\n")
		}
		if err := t.add(number, cells); err != nil {
			return nil, err
		}
	}
}

// decode brings text to UTF-8: by its byte order mark, else UTF-8 where it is valid,
// else GB18030, which contains GBK.
func decode(body []byte) ([]byte, error) {
	switch {
	case bytes.HasPrefix(body, []byte("\xef\xbb\xbf")):
		body = body[3:]
	case bytes.HasPrefix(body, []byte("\xff\xfe")), bytes.HasPrefix(body, []byte("\xfe\xff")):
		out, err := unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder().Bytes(body)
		if err != nil {
			return nil, ErrEncoding.Because(err)
		}
		body = out
	}
	if !utf8.Valid(body) {
		out, err := simplifiedchinese.GB18030.NewDecoder().Bytes(body)
		if err != nil || bytes.ContainsRune(out, utf8.RuneError) {
			return nil, ErrEncoding
		}
		body = out
	}
	if bytes.IndexByte(body, 0) >= 0 {
		return nil, ErrFormat
	}
	return body, nil
}

// comma is the separator that the first line uses most.
func comma(body []byte) rune {
	line, _, _ := bytes.Cut(body, []byte("\n"))
	best, most := ',', bytes.Count(line, []byte(","))
	for _, c := range "\t;" {
		if n := bytes.Count(line, []byte(string(c))); n > most {
			best, most = c, n
		}
	}
	return best
}

// sheet writes rows of text into the only sheet of a new XLSX, the first row bold. All
// cells are text, so that long numbers stay whole.
func sheet(name string, rows [][]string) ([]byte, error) {
	f := excelize.NewFile()
	defer f.Close() //nolint:errcheck // it lives in memory only
	if err := f.SetSheetName("Sheet1", name); err != nil {
		return nil, err
	}
	plain, err := f.NewStyle(&excelize.Style{NumFmt: 49}) // "@"
	if err != nil {
		return nil, err
	}
	bold, err := f.NewStyle(&excelize.Style{NumFmt: 49, Font: &excelize.Font{Bold: true}})
	if err != nil {
		return nil, err
	}
	for i, r := range rows {
		for j, v := range r {
			cell, err := excelize.CoordinatesToCellName(j+1, i+1)
			if err != nil {
				return nil, err
			}
			if err := errors.Join(f.SetCellStr(name, cell, v), f.SetCellStyle(name, cell, cell, map[bool]int{true: bold, false: plain}[i == 0])); err != nil {
				return nil, err
			}
		}
	}
	last, err := excelize.ColumnNumberToName(max(1, len(rows[0])))
	if err != nil {
		return nil, err
	}
	if err := errors.Join(f.SetColWidth(name, "A", last, 20), f.SetColStyle(name, "A:"+last, plain)); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := f.Write(&out); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
