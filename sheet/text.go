package sheet

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"io"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// Text gives a file of lines in UTF-8 while it is read, for files too long to look at
// first: unpacked when it is gzip, without its byte order mark, GBK and GB18030 decoded.
// Its first 64 KiB tell the encoding, else the first line with Chinese characters. A line
// in another one, a spreadsheet and a damaged file are errors of Read.
func Text(r io.Reader) (io.Reader, error) {
	in := bufio.NewReaderSize(r, 1<<18)
	head, _ := in.Peek(4) // a shorter file has shorter marks
	if bytes.HasPrefix(head, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, ErrDamaged.Because(err)
		}
		in = bufio.NewReaderSize(z, 1<<18)
		head, _ = in.Peek(4)
	}
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return nil, ErrNotText
	case bytes.HasPrefix(head, []byte("\xd0\xcf\x11\xe0")):
		return nil, ErrOldExcel
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")):
		return &decoded{r: transform.NewReader(in, unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder()), line: 1}, nil
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		_, _ = in.Discard(3) // they are in the buffer
	}
	t := &text{in: in, known: -1}
	head, _ = in.Peek(1 << 16)
	for whole := true; whole && t.known < 0; { // the last line may be cut
		var line []byte
		line, head, whole = bytes.Cut(head, []byte("\n"))
		if kind, sure, ok := classify(line); whole && sure && ok {
			t.known = int(kind)
		}
	}
	return t, nil
}

// text decodes lines.
type text struct {
	in    *bufio.Reader
	known int // encoding, -1 before it is known
	lines int
	now   []byte // what is left of the line
	whole []byte // a line longer than the buffer of in
	err   error
}

// Read implements io.Reader.
func (t *text) Read(p []byte) (n int, err error) {
	for n < len(p) && t.err == nil {
		if len(t.now) == 0 {
			t.now, t.err = t.line()
		}
		k := copy(p[n:], t.now)
		n, t.now = n+k, t.now[k:]
	}
	if n > 0 || len(p) == 0 {
		return n, nil
	}
	return 0, t.err
}

// line returns the next line with its end, in UTF-8.
func (t *text) line() ([]byte, error) {
	line, err := t.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		t.whole = append(t.whole[:0], line...)
		for errors.Is(err, bufio.ErrBufferFull) && len(t.whole) <= maxLine {
			line, err = t.in.ReadSlice('\n')
			t.whole = append(t.whole, line...)
		}
		line = t.whole
	}
	t.lines++
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return nil, ErrLongLine.With("line", t.lines).With("kib", maxLine>>10)
	case errors.Is(err, io.EOF) && len(line) == 0:
		return nil, io.EOF
	case err != nil && !errors.Is(err, io.EOF):
		return nil, ErrDamaged.Because(err)
	case bytes.IndexByte(line, 0) >= 0:
		return nil, ErrFormat
	case ascii(line):
		return line, nil
	}
	return t.decode(line)
}

func ascii(line []byte) bool {
	for _, c := range line {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

func (t *text) decode(line []byte) ([]byte, error) {
	kind, sure, ok := classify(line)
	if !ok {
		return nil, ErrEncoding.With("line", t.lines)
	}
	if sure && t.known >= 0 && t.known != int(kind) {
		return nil, ErrMixed.With("line", t.lines).With("second", kind).With("first", encoding(t.known))
	}
	if sure {
		t.known = int(kind)
	}
	if t.known != int(gbText) {
		return line, nil
	}
	out, err := simplifiedchinese.GB18030.NewDecoder().Bytes(line)
	if err != nil || bytes.ContainsRune(out, '\uFFFD') {
		return nil, ErrEncoding.With("line", t.lines)
	}
	return out, nil
}
