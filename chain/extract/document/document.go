// Package document reads the text out of files: PDF through pdftotext, scans and images
// through tesseract, DOCX, XLSX and plain text by itself. Other programs run with limits
// of time and memory on a private copy of the file.
package document

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	"github.com/furrowcredit/furrow/chain/extract"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/sheet"
)

// What can be wrong with a file.
var (
	ErrTooLarge  = fault.New(fault.TooLarge, "document.too_large", "the document is larger than {mib} MiB, or unpacks to more; send its pages in parts")
	ErrEmpty     = fault.New(fault.Invalid, "document.empty", "the document is empty")
	ErrFormat    = fault.New(fault.Invalid, "document.format", "this is no PDF, DOCX, XLSX, image or text; save it as PDF and send it again")
	ErrOldWord   = fault.New(fault.Invalid, "document.old_office", "this is an old .doc or .xls file or it has a password; save it as .docx or .pdf without one and send it again")
	ErrEncrypted = fault.New(fault.Invalid, "document.encrypted", "the PDF has a password; save it without one and send it again")
	ErrDamaged   = fault.New(fault.Invalid, "document.damaged", "the document is damaged; save it again and send it again")
	ErrSlow      = fault.New(fault.Invalid, "document.slow", "reading the document took longer than {seconds} s; send its pages in parts")
	ErrTool      = fault.New(fault.Unavailable, "document.tool_missing", "{tool} is missing; install the Debian package {package} (scripts/install run)")
)

// Bounds of a document.
const (
	MaxBytes = 64 << 20 // of a file
	maxText  = 4 << 20  // what is longer is cut, and a note says so
	maxPages = 500
	ocrPages = 30 // pages of a scan; a page takes a second or two
)

// Reader reads documents. The zero value uses the programs of the PATH.
type Reader struct {
	// Programs by other names or places than pdftotext, pdftoppm and tesseract.
	PDFToText, PDFToPPM, Tesseract string
	// Timeout bounds each run of a program; 0 means one minute.
	Timeout time.Duration
}

// Report says how a document was read.
type Report struct {
	Kind  string   `json:"kind"` // pdf, scan, image, docx, xlsx, text
	Notes []string `json:"notes,omitempty"`
}

// Read takes the text out of a file, by what it holds and not by its name.
func (r Reader) Read(ctx context.Context, name string, body []byte) (extract.Document, Report, error) {
	sum := sha256.Sum256(body)
	d := extract.Document{Name: name, SHA256: hex.EncodeToString(sum[:])}
	var (
		rep Report
		err error
	)
	switch {
	case len(body) > MaxBytes:
		return d, rep, ErrTooLarge.With("mib", MaxBytes>>20)
	case len(bytes.TrimSpace(body)) == 0:
		return d, rep, ErrEmpty
	case bytes.HasPrefix(body, []byte("%PDF")):
		rep.Kind = "pdf"
		d.Text, err = r.pdf(ctx, body, &rep)
	case image(body):
		rep.Kind = "image"
		d.Text, err = r.image(ctx, body)
	case bytes.HasPrefix(body, []byte("\xd0\xcf\x11\xe0")):
		err = ErrOldWord
	case bytes.HasPrefix(body, []byte("PK\x03\x04")):
		d.Text, err = office(body, &rep)
	default:
		rep.Kind = "text"
		d.Text, err = plain(body)
	}
	if err != nil {
		return d, rep, err
	}
	d.Text = clean(d.Text)
	d.Scanned = rep.Kind == "scan" || rep.Kind == "image"
	if len(d.Text) > maxText {
		cut := maxText
		for !utf8.RuneStart(d.Text[cut]) {
			cut--
		}
		d.Text = d.Text[:cut]
		rep.Notes = append(rep.Notes, "text cut after 4 MiB")
	}
	return d, rep, nil
}

func image(body []byte) bool {
	for _, magic := range []string{"\x89PNG\r\n", "\xff\xd8\xff", "II*\x00", "MM\x00*", "BM"} {
		if bytes.HasPrefix(body, []byte(magic)) && (magic != "BM" || bytes.IndexByte(body[:min(len(body), 64)], 0) >= 0) {
			return true
		}
	}
	return false
}

// office reads a DOCX or a workbook.
func office(body []byte, rep *Report) (string, error) {
	parts, err := open(body)
	if err != nil {
		return "", err
	}
	if part := parts["word/document.xml"]; part != nil {
		rep.Kind = "docx"
		return docx(part)
	}
	if parts["xl/workbook.xml"] == nil {
		return "", ErrFormat
	}
	rep.Kind = "xlsx"
	tables, err := sheet.All(body)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, t := range tables {
		for _, row := range t.Rows {
			for i, c := range row.Cells {
				if i > 0 {
					b.WriteByte('\t')
				}
				b.WriteString(strings.Join(strings.Fields(c), " "))
			}
			b.WriteByte('\n')
		}
		b.WriteByte('\n')
	}
	return b.String(), nil
}

// plain brings text to UTF-8: by its byte order mark, else UTF-8 where it is valid, else
// GB18030, which contains GBK.
func plain(body []byte) (string, error) {
	switch {
	case bytes.HasPrefix(body, []byte("\xef\xbb\xbf")):
		body = body[3:]
	case bytes.HasPrefix(body, []byte("\xff\xfe")), bytes.HasPrefix(body, []byte("\xfe\xff")):
		out, err := unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder().Bytes(body)
		if err != nil {
			return "", ErrFormat.Because(err)
		}
		body = out
	}
	if !utf8.Valid(body) {
		out, err := simplifiedchinese.GB18030.NewDecoder().Bytes(body)
		if err != nil || bytes.ContainsRune(out, utf8.RuneError) {
			return "", ErrFormat
		}
		body = out
	}
	if bytes.IndexByte(body, 0) >= 0 {
		return "", ErrFormat
	}
	return string(body), nil
}

// clean makes text valid UTF-8 with plain line ends and without control characters,
// except tabs and the form feeds between pages.
func clean(text string) string {
	text = strings.ToValidUTF8(text, "")
	text = strings.ReplaceAll(text, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\r':
			return '\n'
		case r == '\u00a0' || r == '\u3000':
			return ' '
		case r == '\n' || r == '\t' || r == '\f':
			return r
		case r < ' ' || r == 0x7f || r == '\u200b' || r == '\ufeff':
			return -1
		}
		return r
	}, text)
}
