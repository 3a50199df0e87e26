package sheet

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"path"
	"strconv"
	"strings"
	"unicode/utf16"
)

// Bounds of a workbook.
const (
	maxDirectory = 4 << 20 // of the archive
	maxBook      = 4 << 20 // of the parts that list the sheets
	maxRow       = 1 << 20 // rows of a sheet, as spreadsheets have it
	maxMerged    = 1000    // ranges that are named
)

// workbook is an XLSX whose sheets can be read one after the other.
type workbook struct {
	archive  *zip.Reader
	limits   Limits
	sheets   []sheetPart // visible ones
	from1904 bool
	shared   sharedStrings
}

type sheetPart struct{ name, path string }

func openWorkbook(r io.ReaderAt, size int64, limits Limits) (*workbook, error) {
	if err := checkDirectory(r, size); err != nil {
		return nil, err
	}
	archive, err := zip.NewReader(r, size)
	if err != nil {
		return nil, ErrDamaged.Because(err)
	}
	b := &workbook{archive: archive, limits: limits}
	if b.find("xl/workbook.xml") == nil {
		return nil, ErrFormat
	}
	if err := b.readBook(); err != nil {
		return nil, err
	}
	return b, b.readShared()
}

// checkDirectory refuses an archive whose directory would fill the memory.
func checkDirectory(r io.ReaderAt, size int64) error {
	tail := make([]byte, min(size, 22+65_535))
	if _, err := r.ReadAt(tail, size-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		return ErrDamaged.Because(err)
	}
	i := bytes.LastIndex(tail, []byte("PK\x05\x06"))
	if i < 0 || i+22 > len(tail) {
		return ErrDamaged
	}
	d := tail[i+12:]
	if n := int64(d[0]) | int64(d[1])<<8 | int64(d[2])<<16 | int64(d[3])<<24; n > maxDirectory {
		return ErrDamaged
	}
	return nil
}

func (b *workbook) find(name string) *zip.File {
	for _, f := range b.archive.File {
		if strings.EqualFold(strings.ReplaceAll(f.Name, `\`, "/"), name) {
			return f
		}
	}
	return nil
}

// part opens a part that may unpack to so many bytes.
func (b *workbook) part(name string, limit int64) (io.ReadCloser, error) {
	f := b.find(name)
	if f == nil {
		return nil, ErrDamaged
	}
	if f.UncompressedSize64 > uint64(limit) {
		return nil, ErrUnpacks.With("mib", limit>>20)
	}
	r, err := f.Open()
	if err != nil {
		return nil, ErrDamaged.Because(err)
	}
	return &bounded{r, limit, limit}, nil
}

// bounded refuses more bytes than the archive said or than are allowed.
type bounded struct {
	io.ReadCloser
	left, limit int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, ErrUnpacks.With("mib", b.limit>>20)
	}
	return n, err
}

// unpacked gives what went wrong while unpacking a code.
func unpacked(err error) error {
	if errors.Is(err, ErrUnpacks) {
		return err
	}
	return ErrDamaged.Because(err)
}

// tags hands on the tags of a small part.
func (b *workbook) tags(name string, f func(tag)) error {
	r, err := b.part(name, maxBook)
	if err != nil {
		return err
	}
	defer r.Close() //nolint:errcheck // it was only read
	for x := newScanner(r); ; {
		t, err := x.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		f(t)
	}
}

// readBook lists the visible sheets with their parts.
func (b *workbook) readBook() error {
	var ids []string
	err := b.tags("xl/workbook.xml", func(t tag) {
		switch {
		case t.end:
		case string(t.name) == "workbookPr":
			v := string(t.attr("date1904"))
			b.from1904 = v == "1" || v == "true"
		case string(t.name) == "sheet":
			if state := t.attr("state"); len(state) == 0 || string(state) == "visible" {
				name := append([]byte(nil), t.attr("name")...)
				b.sheets = append(b.sheets, sheetPart{name: string(name[:unescape(name)])})
				ids = append(ids, string(t.attr("id")))
			}
		}
	})
	if err != nil {
		return err
	}
	targets := map[string]string{}
	err = b.tags("xl/_rels/workbook.xml.rels", func(t tag) {
		if string(t.name) == "Relationship" {
			target := append([]byte(nil), t.attr("Target")...)
			targets[string(t.attr("Id"))] = string(target[:unescape(target)])
		}
	})
	if err != nil {
		return err
	}
	for i, id := range ids {
		target := targets[id]
		if target == "" {
			return ErrDamaged
		}
		if !strings.HasPrefix(target, "/") {
			target = path.Join("xl", target)
		}
		b.sheets[i].path = strings.TrimPrefix(target, "/")
	}
	return nil
}

// sharedStrings are the texts that cells name by number: one string cut at ends.
type sharedStrings struct {
	text string
	ends []uint32
}

func (s *sharedStrings) at(i int) (string, bool) {
	if i < 0 || i >= len(s.ends) {
		return "", false
	}
	start := uint32(0)
	if i > 0 {
		start = s.ends[i-1]
	}
	return s.text[start:s.ends[i]], true
}

func (b *workbook) readShared() error {
	if b.find("xl/sharedStrings.xml") == nil {
		return nil
	}
	limit := min(b.limits.Unpacked, maxShared)
	r, err := b.part("xl/sharedStrings.xml", limit)
	if err != nil {
		return err
	}
	defer r.Close() //nolint:errcheck // it was only read
	var (
		x    = newScanner(r)
		text strings.Builder
		one  []byte
	)
	for {
		t, err := x.next()
		if errors.Is(err, io.EOF) {
			b.shared.text = text.String()
			return nil
		}
		if err != nil {
			return err
		}
		if string(t.name) != "si" || t.end {
			continue
		}
		if one = one[:0]; !t.empty {
			if one, err = x.runs(one, "si"); err != nil {
				return err
			}
		}
		if len(b.shared.ends) == maxStrings {
			return ErrUnpacks.With("mib", limit>>20)
		}
		text.Write(one)
		b.shared.ends = append(b.shared.ends, uint32(text.Len())) //nolint:gosec // below maxShared
	}
}

// runs joins the texts of <t> up to the end of the element of that name, without how
// they are to be pronounced.
func (x *scanner) runs(dst []byte, until string) ([]byte, error) {
	start, spoken := len(dst), false
	for {
		t, err := x.next()
		if err != nil {
			return dst, noEnd(err)
		}
		switch name := string(t.name); {
		case name == until && t.end:
			return append(dst[:start], unstring(dst[start:])...), nil
		case name == "rPh":
			spoken = !t.end && !t.empty
		case name == "t" && !t.end && !t.empty && !spoken:
			if dst, err = x.text(dst); err != nil {
				return dst, err
			}
			if len(dst)-start > maxCell {
				return dst, ErrDamaged
			}
		}
	}
}

func noEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return ErrDamaged
	}
	return err
}

// unstring decodes the _x000D_ of spreadsheets, which write characters so that XML does
// not allow.
func unstring(s []byte) []byte {
	if !bytes.Contains(s, []byte("_x")) {
		return s
	}
	var out []byte
	for i := 0; i < len(s); {
		if i+7 <= len(s) && s[i] == '_' && s[i+1] == 'x' && s[i+6] == '_' {
			if n, err := strconv.ParseUint(string(s[i+2:i+6]), 16, 16); err == nil && !utf16.IsSurrogate(rune(n)) {
				out = append(out, string(rune(n))...)
				i += 7
				continue
			}
		}
		out = append(out, s[i])
		i++
	}
	return out
}

// sheetRows reads the rows of one sheet.
type sheetRows struct {
	part   io.ReadCloser
	x      *scanner
	shared *sharedStrings
	total  int // rows, as the sheet says; 0 when it does not
	number int // of the row before
	merged []Merged
	ended  bool

	text  []byte // of the cells of the row that lie in the sheet itself
	spans []span
	cells []string
}

// span is where a cell's text lies: in text, or it is shared.
type span struct {
	start, end int
	shared     string
}

func (b *workbook) open(s sheetPart) (*sheetRows, error) {
	part, err := b.part(s.path, b.limits.Unpacked)
	if err != nil {
		return nil, err
	}
	r := &sheetRows{part: part, x: newScanner(part), shared: &b.shared}
	for {
		t, err := r.x.next()
		if err != nil {
			return nil, errors.Join(noEnd(err), part.Close())
		}
		switch {
		case string(t.name) == "dimension":
			if _, last, ok := strings.Cut(string(t.attr("ref")), ":"); ok {
				_, r.total = coordinates([]byte(last))
				r.total = min(r.total, maxRow)
			}
		case string(t.name) == "sheetData" && !t.end:
			r.ended = t.empty
			return r, nil
		}
	}
}

func (r *sheetRows) close() error { return r.part.Close() }

// next returns the next row that the sheet has; io.EOF behind the last one, when merged
// is complete. The cells hold until the next call, their texts for ever.
func (r *sheetRows) next() (Row, error) {
	for !r.ended {
		t, err := r.x.next()
		if err != nil {
			return Row{}, noEnd(err)
		}
		switch {
		case string(t.name) == "sheetData" && t.end:
			r.ended = true
		case string(t.name) == "row" && !t.end:
			number := r.number + 1
			if n := t.attr("r"); n != nil {
				number = digits(n)
			}
			if number <= r.number || number > maxRow {
				return Row{}, ErrDamaged
			}
			r.number = number
			if t.empty {
				continue
			}
			if err := r.row(); err != nil {
				return Row{}, err
			}
			return Row{Number: number, Cells: r.cells}, nil
		}
	}
	return Row{}, r.tail()
}

// tail reads what comes after the rows.
func (r *sheetRows) tail() error {
	for {
		t, err := r.x.next()
		if err != nil {
			return err // io.EOF, with the archive's checksum right
		}
		if string(t.name) != "mergeCell" || t.end || len(r.merged) == maxMerged {
			continue
		}
		ref := string(t.attr("ref"))
		_, last, ok := strings.Cut(ref, ":")
		if !ok {
			continue // one cell
		}
		col, row := coordinates([]byte(last))
		if col < 0 || row < 1 {
			return ErrDamaged
		}
		r.merged = append(r.merged, Merged{ref, row})
	}
}

func (r *sheetRows) row() error {
	r.text, r.spans = r.text[:0], r.spans[:0]
	column := -1
	for {
		t, err := r.x.next()
		if err != nil {
			return noEnd(err)
		}
		switch {
		case string(t.name) == "row" && t.end:
			r.finish()
			return nil
		case string(t.name) == "c" && !t.end:
			column++
			if ref := t.attr("r"); ref != nil {
				col, _ := coordinates(ref)
				if col < 0 {
					return ErrDamaged
				}
				column = col
			}
			if t.empty {
				continue
			}
			s, err := r.cell(kindOf(t.attr("t")))
			if err != nil {
				return err
			}
			if column < maxColumns {
				for len(r.spans) <= column {
					r.spans = append(r.spans, span{})
				}
				r.spans[column] = s
			}
		}
	}
}

// finish makes one string of the row's own texts and cuts it into cells.
func (r *sheetRows) finish() {
	all := string(r.text)
	r.cells = r.cells[:0]
	for _, s := range r.spans {
		if s.end > s.start {
			r.cells = append(r.cells, all[s.start:s.end])
		} else {
			r.cells = append(r.cells, s.shared)
		}
	}
}

type cellKind int

const (
	plainCell cellKind = iota
	sharedCell
	inlineCell
	textCell // the text of a formula
)

func kindOf(t []byte) cellKind {
	switch string(t) {
	case "s":
		return sharedCell
	case "inlineStr":
		return inlineCell
	case "str":
		return textCell
	}
	return plainCell
}

// Uncalculated is the text of a formula whose value the file does not hold: a program
// wrote it that does not calculate, and empty would be a guess.
const Uncalculated = "#UNCALCULATED!"

// cell reads a cell up to its end.
func (r *sheetRows) cell(kind cellKind) (span, error) {
	s := span{start: len(r.text), end: len(r.text)}
	formula, value := false, false
	for {
		t, err := r.x.next()
		if err != nil {
			return s, noEnd(err)
		}
		switch {
		case string(t.name) == "c" && t.end && formula && !value:
			r.text = append(r.text[:s.start], Uncalculated...)
			s.end = len(r.text)
			return s, nil
		case string(t.name) == "c" && t.end:
			return r.resolve(s, kind)
		case string(t.name) == "f" && !t.end:
			formula = true
		case string(t.name) == "v" && t.empty:
			value = true
		case t.end || t.empty:
		case string(t.name) == "is":
			if r.text, err = r.x.runs(r.text[:s.start], "is"); err != nil {
				return s, err
			}
			s.end, value = len(r.text), true
		case string(t.name) == "v" && kind != inlineCell:
			if r.text, err = r.x.text(r.text[:s.start]); err != nil {
				return s, err
			}
			s.end, value = len(r.text), true
		}
	}
}

func (r *sheetRows) resolve(s span, kind cellKind) (span, error) {
	switch {
	case kind == textCell:
		r.text = append(r.text[:s.start], unstring(r.text[s.start:])...)
		s.end = len(r.text)
	case kind == sharedCell && s.end > s.start:
		text, ok := r.shared.at(digits(bytes.TrimSpace(r.text[s.start:])))
		if !ok {
			return s, ErrDamaged
		}
		r.text, s.end, s.shared = r.text[:s.start], s.start, text
	}
	return s, nil
}

// digits reads a number of at most nine digits, else -1.
func digits(s []byte) int {
	if len(s) == 0 || len(s) > 9 {
		return -1
	}
	n := 0
	for _, c := range s {
		if c < '0' || c > '9' {
			return -1
		}
		n = 10*n + int(c-'0')
	}
	return n
}

// coordinates takes "C7" apart: column 2, row 7. The column is -1 for what is no cell.
func coordinates(ref []byte) (column, row int) {
	i, n := 0, 0
	for i < len(ref) && i < 3 && ref[i] >= 'A' && ref[i] <= 'Z' {
		n = 26*n + int(ref[i]-'A') + 1
		i++
	}
	if row = digits(ref[i:]); n == 0 || row < 1 {
		return -1, -1
	}
	return n - 1, row
}

// CellName is the name of a cell, such as "C7" for column 2 of row 7.
func CellName(column, row int) string {
	var letters []byte
	for column++; column > 0; column = (column - 1) / 26 {
		letters = append([]byte{byte('A' + (column-1)%26)}, letters...)
	}
	return string(letters) + strconv.Itoa(row)
}
