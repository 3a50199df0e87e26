// Package sheet reads and writes the tables that people keep in spreadsheets: XLSX, and
// CSV in UTF-8, UTF-16, GBK or GB18030. It knows nothing of what they say.
//
// Open streams the rows of a file of any size within bounds; Read takes a small one
// whole. Both look at what a file holds, whatever its name says, and neither unfolds a
// hostile one beyond its bounds.
package sheet

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/furrowcredit/furrow/fault"
)

// What can be wrong with a file as a whole.
var (
	ErrTooLarge    = fault.New(fault.TooLarge, "sheet.too_large", "the file is larger than {mib} MiB; split it")
	ErrTooManyRows = fault.New(fault.TooLarge, "sheet.too_many_rows", "the file has more than {max} rows; split it")
	ErrUnpacks     = fault.New(fault.TooLarge, "sheet.unpacks", "the file unpacks to more than {mib} MiB; save it as CSV or split it")
	ErrLongLine    = fault.New(fault.TooLarge, "sheet.long_line", "line {line} is longer than {kib} KiB; this is not a table with a row on each line")
	ErrEmpty       = fault.New(fault.Invalid, "sheet.empty", "the file has no rows below its header")
	ErrFormat      = fault.New(fault.Invalid, "sheet.format", "this is not an XLSX or CSV file; save it as .xlsx and send it again")
	ErrNotText     = fault.New(fault.Invalid, "sheet.not_text", "this is a spreadsheet; save it as CSV UTF-8")
	ErrOldExcel    = fault.New(fault.Invalid, "sheet.old_excel", "this is an old .xls file or it has a password; save it as .xlsx without one and send it again")
	ErrDamaged     = fault.New(fault.Invalid, "sheet.damaged", "the file is damaged; save it again and send it again")
	ErrEncoding    = fault.New(fault.Invalid, "sheet.encoding", "line {line} is neither UTF-8 nor GBK; save the file as .xlsx or as CSV UTF-8")
	ErrMixed       = fault.New(fault.Invalid, "sheet.mixed_encodings", "line {line} is in {second} and the lines before it in {first}; save the file as .xlsx or as CSV UTF-8")
	ErrQuotes      = fault.New(fault.Invalid, "sheet.quotes", "line {line} has a stray quotation mark; save the file as .xlsx or mend the line")
	ErrMerged      = fault.New(fault.Invalid, "sheet.merged", "the cells {range} are merged; split them and fill in every row")
)

// Bounds of every file.
const (
	MaxBytes   = 20 << 20 // of a file that Read takes
	MaxRows    = 50_000
	maxShared  = 384 << 20 // bytes of the texts that an XLSX keeps for all its cells
	maxStrings = 16 << 20  // of those texts
	maxColumns = 64        // further ones are not read
	HeaderRows = 10        // titles above the header that are skipped
)

// Limits bounds a file: bytes of a CSV, bytes of an XLSX and what each of its parts may
// unpack to, and rows below the header.
type Limits struct {
	CSV, XLSX, Unpacked int64
	Rows                int
}

// Small are the limits of Read.
func Small() Limits { return Limits{CSV: MaxBytes, XLSX: MaxBytes, Unpacked: 40 << 20, Rows: MaxRows} }

// Large are the limits of files that are streamed: a million rows.
func Large() Limits {
	return Limits{CSV: 256 << 20, XLSX: 128 << 20, Unpacked: 3 << 30, Rows: 1_000_000}
}

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

// Split returns ErrMerged when cells below a row of Rows are merged: nobody knows whether
// their text is of every row or of the first.
func (t *Table) Split(row int) error { return split(t.Merged, t.Rows[row].Number) }

func split(merged []Merged, from int) error {
	for _, m := range merged {
		if m.LastRow >= from {
			return ErrMerged.With("range", m.Range).At("%s", m.Range)
		}
	}
	return nil
}

// Reader streams the rows of a sheet.
type Reader struct {
	From1904 bool // days are counted from 1904
	Total    int  // rows that the file seems to have, 0 when it does not say

	rows   rows
	limits Limits
	head   []Row // the first rows, read ahead
	given  int   // of head
	kept   int
	err    error // what reading ahead met
}

// rows is one sheet of a file.
type rows interface {
	next() (Row, error) // io.EOF behind the last one
	close() error
}

// Open takes a file apart. Of a workbook it takes the first visible sheet whose first
// HeaderRows + 1 rows accept wants; without such a sheet the first one, so that the caller
// can say what it lacks. The Reader reads from r and must be closed.
func Open(r io.ReaderAt, size int64, limits Limits, accept func(head *Table) bool) (*Reader, error) {
	start := make([]byte, min(size, 4096))
	if _, err := r.ReadAt(start, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, ErrDamaged.Because(err)
	}
	packed := bytes.HasPrefix(start, []byte("PK\x03\x04"))
	limit := limits.CSV
	if packed {
		limit = limits.XLSX
	}
	switch {
	case size > limit:
		return nil, ErrTooLarge.With("mib", limit>>20)
	case packed:
		return openXLSX(r, size, limits, accept)
	case bytes.HasPrefix(start, []byte("\xd0\xcf\x11\xe0")):
		return nil, ErrOldExcel
	}
	rows, err := openCSV(r, size)
	if err != nil {
		return nil, err
	}
	out := &Reader{rows: rows, limits: limits, Total: rows.total}
	return out, out.ahead()
}

func openXLSX(r io.ReaderAt, size int64, limits Limits, accept func(*Table) bool) (*Reader, error) {
	book, err := openWorkbook(r, size, limits)
	if err != nil {
		return nil, err
	}
	var first *Reader
	for _, s := range book.sheets {
		rows, err := book.open(s)
		if err != nil {
			return nil, closing(first, err)
		}
		next := &Reader{rows: rows, limits: limits, Total: rows.total, From1904: book.from1904}
		if err := next.ahead(); err != nil {
			return nil, closing(first, closing(next, err))
		}
		if accept(next.Head()) {
			return next, closing(first, nil)
		}
		if first == nil {
			first = next
		} else if err := next.Close(); err != nil {
			return nil, closing(first, err)
		}
	}
	if first == nil {
		return nil, ErrEmpty
	}
	return first, nil
}

func closing(r *Reader, err error) error {
	if r == nil {
		return err
	}
	return errors.Join(err, r.Close())
}

// ahead reads the rows that hold the header.
func (r *Reader) ahead() error {
	for len(r.head) <= HeaderRows {
		row, err := r.read()
		if errors.Is(err, io.EOF) {
			r.err = err
			break
		}
		if err != nil {
			return err
		}
		row.Cells = append([]string(nil), row.Cells...)
		r.head = append(r.head, row)
	}
	if len(r.head) == 0 {
		if _, ok := r.rows.(*csvRows); ok {
			return ErrEmpty
		}
	}
	return nil
}

// Head returns the first rows, HeaderRows + 1 at most.
func (r *Reader) Head() *Table { return &Table{Rows: r.head, From1904: r.From1904} }

// Next returns the next row that has anything in it, the first ones included; io.EOF
// behind the last one. Its cells hold until the next call.
func (r *Reader) Next() (Row, error) {
	if r.given < len(r.head) {
		r.given++
		return r.head[r.given-1], nil
	}
	if r.err != nil {
		return Row{}, r.err
	}
	return r.read()
}

func (r *Reader) read() (Row, error) {
	for {
		row, err := r.rows.next()
		if err != nil {
			return Row{}, err
		}
		last := -1
		for i, c := range row.Cells {
			if strings.TrimSpace(c) != "" {
				last = i
			}
		}
		if last < 0 {
			continue
		}
		if r.kept++; r.kept > r.limits.Rows+HeaderRows {
			return Row{}, ErrTooManyRows.With("max", r.limits.Rows)
		}
		row.Cells = row.Cells[:last+1]
		return row, nil
	}
}

// Split returns ErrMerged when cells in or below a row are merged. It knows all of them
// after the last row was read.
func (r *Reader) Split(number int) error {
	if s, ok := r.rows.(*sheetRows); ok {
		return split(s.merged, number)
	}
	return nil
}

// Close ends the reading.
func (r *Reader) Close() error { return r.rows.close() }

// All takes every visible sheet of a small workbook whole.
func All(book []byte) (tables []*Table, err error) {
	if len(book) > MaxBytes {
		return nil, ErrTooLarge.With("mib", MaxBytes>>20)
	}
	b, err := openWorkbook(bytes.NewReader(book), int64(len(book)), Small())
	if err != nil {
		return nil, err
	}
	for _, s := range b.sheets {
		rows, err := b.open(s)
		if err != nil {
			return nil, err
		}
		t, err := whole(&Reader{rows: rows, limits: Small(), From1904: b.from1904})
		if err = errors.Join(err, rows.close()); err != nil {
			return nil, err
		}
		tables = append(tables, t)
	}
	return tables, nil
}

// Read takes a small file whole, as Open does.
func Read(body []byte, accept func(*Table) bool) (*Table, error) {
	switch {
	case len(body) > MaxBytes:
		return nil, ErrTooLarge.With("mib", MaxBytes>>20)
	case len(bytes.TrimSpace(body)) == 0:
		return nil, ErrEmpty
	}
	r, err := Open(bytes.NewReader(body), int64(len(body)), Small(), accept)
	if err != nil {
		return nil, err
	}
	defer r.Close() //nolint:errcheck // it was only read
	return whole(r)
}

func whole(r *Reader) (*Table, error) {
	t := &Table{From1904: r.From1904}
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			if s, ok := r.rows.(*sheetRows); ok {
				t.Merged = s.merged
			}
			return t, nil
		}
		if err != nil {
			return nil, err
		}
		row.Cells = append([]string(nil), row.Cells...)
		t.Rows = append(t.Rows, row)
	}
}
