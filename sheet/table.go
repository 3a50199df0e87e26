// Package sheet reads and writes the tables that people keep in spreadsheets: XLSX, and
// CSV in UTF-8, UTF-16, GBK or GB18030. It knows nothing of what they say.
package sheet

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
	ErrTooLarge    = fault.New(fault.TooLarge, "sheet.too_large", "the file is larger than {mib} MiB; split it")
	ErrTooManyRows = fault.New(fault.TooLarge, "sheet.too_many_rows", "the file has more than {max} rows; split it")
	ErrTooWide     = fault.New(fault.TooLarge, "sheet.too_wide", "the rows are too wide; delete what stands far to the right of the table")
	ErrEmpty       = fault.New(fault.Invalid, "sheet.empty", "the file has no rows below its header")
	ErrFormat      = fault.New(fault.Invalid, "sheet.format", "this is not an XLSX or CSV file; save it as .xlsx and send it again")
	ErrOldExcel    = fault.New(fault.Invalid, "sheet.old_excel", "this is an old .xls file or it has a password; save it as .xlsx without one and send it again")
	ErrDamaged     = fault.New(fault.Invalid, "sheet.damaged", "the file is damaged; save it again and send it again")
	ErrEncoding    = fault.New(fault.Invalid, "sheet.encoding", "the text is neither UTF-8 nor GBK; save the file as .xlsx or as CSV UTF-8")
	ErrQuotes      = fault.New(fault.Invalid, "sheet.quotes", "line {line} has a stray quotation mark; save the file as .xlsx or mend the line")
	ErrMerged      = fault.New(fault.Invalid, "sheet.merged", "the cells {range} are merged; split them and fill in every row")
)

// Bounds of a file.
const (
	MaxBytes    = 20 << 20
	maxUnzip    = 40 << 20 // an honest sheet of MaxRows unpacks to far less
	maxInMemory = 4 << 20  // larger parts of an XLSX are read from temporary files
	MaxRows     = 50_000
	maxCells    = 4_000_000 // empty ones to the left of a value included
	maxColumns  = 64        // further ones are not read
	HeaderRows  = 10        // titles above the header that are skipped
)

// Table is a sheet: the rows in order, each with its number in the spreadsheet.
type Table struct {
	Rows     []Row
	Merged   []Merged
	From1904 bool // days are counted from 1904
}

// Row is one row that has anything in it.
type Row struct {
	Number int // 1 is the first row of the sheet
	Cells  []string
}

// Merged is a range of cells that are one.
type Merged struct {
	Range   string // "A3:A5"
	LastRow int
}

// Read takes a file apart by what it holds, whatever its name says. Of a workbook it
// takes the first visible sheet that accept wants; without such a sheet the first one,
// so that the caller can say what it lacks. It returns the errors above.
func Read(body []byte, accept func(*Table) bool) (*Table, error) {
	switch {
	case len(body) > MaxBytes:
		return nil, ErrTooLarge.With("mib", MaxBytes>>20)
	case len(bytes.TrimSpace(body)) == 0:
		return nil, ErrEmpty
	case bytes.HasPrefix(body, []byte("PK\x03\x04")):
		return readXLSX(body, accept)
	case bytes.HasPrefix(body, []byte("\xd0\xcf\x11\xe0")):
		return nil, ErrOldExcel
	}
	return readCSV(body)
}

func readXLSX(body []byte, accept func(*Table) bool) (*Table, error) {
	archive, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		return nil, ErrDamaged.Because(err)
	}
	f, err := excelize.OpenReader(bytes.NewReader(body), excelize.Options{
		RawCellValue: true, UnzipSizeLimit: maxUnzip, UnzipXMLSizeLimit: maxInMemory,
	})
	if err != nil {
		if errors.Is(err, excelize.ErrWorkbookFileFormat) {
			return nil, ErrFormat.Because(err)
		}
		return nil, ErrDamaged.Because(err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	var first *Table
	for _, sheet := range f.GetSheetList() {
		if shown, err := f.GetSheetVisible(sheet); err != nil || !shown {
			continue
		}
		t, err := readSheet(f, sheet)
		if err != nil {
			return nil, err
		}
		if accept(t) {
			t.Merged, err = merged(archive, sheet)
			return t, err
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

func readSheet(f *excelize.File, sheet string) (*Table, error) {
	t := &Table{}
	if props, err := f.GetWorkbookProps(); err == nil && props.Date1904 != nil {
		t.From1904 = *props.Date1904
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
func (t *Table) add(number int, cells []string) error {
	last := -1
	for i, c := range cells {
		if strings.TrimSpace(c) != "" {
			last = i
		}
	}
	if last < 0 {
		return nil
	}
	if len(t.Rows) == MaxRows+HeaderRows {
		return ErrTooManyRows.With("max", MaxRows)
	}
	t.Rows = append(t.Rows, Row{number, append([]string(nil), cells[:min(last+1, maxColumns)]...)})
	return nil
}

func readCSV(body []byte) (*Table, error) {
	body, err := decode(body)
	if err != nil {
		return nil, err
	}
	r := csv.NewReader(bytes.NewReader(body))
	r.Comma = comma(body)
	r.FieldsPerRecord = -1
	r.ReuseRecord = true
	t := &Table{}
	// A spreadsheet shows a row for each record and each empty line, which the
	// reader skips; a quoted cell may span lines.
	row, nextLine := 0, 1
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
		row += line - nextLine + 1
		nextLine = line + 1
		for _, c := range cells {
			nextLine += strings.Count(c, "\n")
		}
		if err := t.add(row, cells); err != nil {
			return nil, err
		}
	}
}

// decode brings the text to UTF-8: by its byte order mark, else UTF-8 where it is
// valid, else GB18030, which contains GBK.
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
