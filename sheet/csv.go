package sheet

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/furrowcredit/furrow/fault"
)

// maxLine bounds a line of a CSV file.
const maxLine = 1 << 20

// csvRows reads the rows of a CSV file.
type csvRows struct {
	r             *csv.Reader
	row, nextLine int
	total         int // lines
}

func openCSV(r io.ReaderAt, size int64) (*csvRows, error) {
	look, err := inspect(r, size)
	if err != nil {
		return nil, err
	}
	c := csv.NewReader(look.open(r, size))
	c.Comma = look.comma
	c.FieldsPerRecord = -1
	c.ReuseRecord = true
	return &csvRows{r: c, nextLine: 1, total: look.lines}, nil
}

func (r *csvRows) close() error { return nil }

// next returns the next row that has any cell. A spreadsheet shows a row for each record
// and each empty line, which the reader skips; a quoted cell may span lines.
func (r *csvRows) next() (Row, error) {
	cells, err := r.r.Read()
	if err != nil {
		var (
			bad   *csv.ParseError
			fault *fault.Error
		)
		switch {
		case errors.Is(err, io.EOF), errors.As(err, &fault):
			return Row{}, err
		case errors.As(err, &bad):
			return Row{}, ErrQuotes.With("line", bad.Line).Because(err)
		}
		return Row{}, ErrDamaged.Because(err)
	}
	line, _ := r.r.FieldPos(0)
	r.row += line - r.nextLine + 1
	r.nextLine = line + 1
	for _, c := range cells {
		r.nextLine += strings.Count(c, "\n")
	}
	return Row{Number: r.row, Cells: cells[:min(len(cells), maxColumns)]}, nil
}

type encoding int

const (
	utf8Text encoding = iota
	gbText
	utf16Text
)

func (e encoding) String() string { return [...]string{"UTF-8", "GBK", "UTF-16"}[e] }

// look is what a first pass over a CSV file found.
type look struct {
	encoding encoding
	skip     int64 // byte order mark
	comma    rune
	lines    int
}

// inspect tells the encoding of a text by its lines: by its byte order mark, else UTF-8
// where all lines are, else GB18030, which contains GBK. A line of UTF-8 and one of GBK
// in the same file are an error: one of them would come out as nonsense.
func inspect(r io.ReaderAt, size int64) (look, error) {
	var mark [3]byte
	n, err := r.ReadAt(mark[:min(size, 3)], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return look{}, ErrDamaged.Because(err)
	}
	out := look{comma: ','}
	switch {
	case bytes.HasPrefix(mark[:n], []byte("\xef\xbb\xbf")):
		out.skip = 3
	case bytes.HasPrefix(mark[:n], []byte("\xff\xfe")), bytes.HasPrefix(mark[:n], []byte("\xfe\xff")):
		out.encoding = utf16Text
	}
	var (
		b     = bufio.NewReaderSize(out.open(r, size), maxLine)
		first = -1 // encoding of the first line that has one for certain
	)
	if out.encoding == utf8Text {
		b = bufio.NewReaderSize(io.NewSectionReader(r, out.skip, size-out.skip), maxLine)
	}
	for found := false; ; {
		line, err := b.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			return out, ErrLongLine.With("line", out.lines+1).With("kib", maxLine>>10)
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return out, coded(err)
		}
		if len(line) > 0 {
			out.lines++
			if bytes.IndexByte(line, 0) >= 0 {
				return out, ErrFormat
			}
			if !found && out.lines <= HeaderRows {
				out.comma, found = comma(line)
			}
			kind, sure, ok := classify(line)
			if !ok {
				return out, ErrEncoding.With("line", out.lines)
			}
			if sure && first >= 0 && kind != encoding(first) {
				return out, ErrMixed.With("line", out.lines).With("second", kind).With("first", encoding(first))
			}
			if sure && first < 0 {
				first = int(kind)
			}
		}
		if err != nil {
			break
		}
	}
	if out.encoding == utf8Text && first >= 0 {
		out.encoding = encoding(first)
	}
	return out, nil
}

func coded(err error) error {
	var f *fault.Error
	if errors.As(err, &f) {
		return err
	}
	return ErrDamaged.Because(err)
}

// classify tells the encoding of a line. It is not sure of ASCII, nor of the few pairs of
// bytes that are a character in both.
func classify(line []byte) (kind encoding, sure, ok bool) {
	if utf8.Valid(line) {
		for _, c := range line {
			if c >= 0xe0 { // leads three or four bytes, as Chinese characters do
				return utf8Text, true, true
			}
		}
		return utf8Text, false, true
	}
	return gbText, true, validGB(line)
}

// validGB says whether the bytes have the shape of GB18030: pairs, and the fours with
// digits between.
func validGB(s []byte) bool {
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c < 0x80:
			i++
			continue
		case c == 0x80 || c == 0xff || i+1 >= len(s):
			return false
		}
		if t := s[i+1]; t >= 0x40 && t != 0x7f && t != 0xff {
			i += 2
			continue
		}
		if i+3 >= len(s) || s[i+1] < '0' || s[i+1] > '9' || s[i+2] < 0x81 || s[i+2] == 0xff || s[i+3] < '0' || s[i+3] > '9' {
			return false
		}
		i += 4
	}
	return true
}

// open returns the text in UTF-8.
func (l look) open(r io.ReaderAt, size int64) io.Reader {
	raw := io.NewSectionReader(r, l.skip, size-l.skip)
	switch l.encoding {
	case gbText:
		return &decoded{r: transform.NewReader(raw, simplifiedchinese.GB18030.NewDecoder()), line: 1}
	case utf16Text:
		return &decoded{r: transform.NewReader(raw, unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder()), line: 1}
	case utf8Text:
	}
	return raw
}

// decoded refuses text with characters that its encoding does not have.
type decoded struct {
	r    io.Reader
	line int
}

func (d *decoded) Read(p []byte) (int, error) {
	n, err := d.r.Read(p)
	if i := bytes.Index(p[:n], []byte("\uFFFD")); i >= 0 {
		return 0, ErrEncoding.With("line", d.line+bytes.Count(p[:i], []byte("\n")))
	}
	d.line += bytes.Count(p[:n], []byte("\n"))
	return n, err
}

// comma is the separator that a line uses most, and whether it has any.
func comma(line []byte) (rune, bool) {
	best, most := ',', bytes.Count(line, []byte(","))
	for _, c := range "\t;" {
		if n := bytes.Count(line, []byte(string(c))); n > most {
			best, most = c, n
		}
	}
	return best, most > 0
}
