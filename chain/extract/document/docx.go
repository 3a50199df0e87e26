package document

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// Bounds of what a ZIP unpacks to: a text of a thousand pages takes a few MiB of XML.
const (
	maxParts = 4096
	maxPart  = 48 << 20
)

// open lists the parts of an Office file by name.
func open(body []byte) (map[string]*zip.File, error) {
	z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		return nil, ErrDamaged.Because(err)
	}
	if len(z.File) > maxParts {
		return nil, ErrTooLarge.With("mib", MaxBytes>>20)
	}
	parts := make(map[string]*zip.File, len(z.File))
	for _, f := range z.File {
		parts[f.Name] = f
	}
	return parts, nil
}

// docx reads the paragraphs and tables of word/document.xml. A paragraph is a line; a row
// of a table is a line of cells parted by tabs. What was deleted with tracked changes
// does not come, what was inserted does.
func docx(part *zip.File) (string, error) {
	if part.UncompressedSize64 > maxPart {
		return "", ErrTooLarge.With("mib", MaxBytes>>20)
	}
	f, err := part.Open()
	if err != nil {
		return "", ErrDamaged.Because(err)
	}
	defer f.Close()                                    //nolint:errcheck // it was only read
	limited := &io.LimitedReader{R: f, N: maxPart + 1} // the size that the ZIP states may lie
	w := &walker{decoder: xml.NewDecoder(limited)}
	err = w.walk()
	switch {
	case limited.N == 0:
		return "", ErrTooLarge.With("mib", MaxBytes>>20)
	case err != nil:
		return "", ErrDamaged.Because(err)
	}
	return w.out.String(), nil
}

// walker goes through WordprocessingML.
type walker struct {
	decoder *xml.Decoder
	out     strings.Builder
	cells   int // depth of cells: paragraphs inside of one do not end the line
	text    int // depth of w:t
}

// maxDepth bounds nesting: honest documents stay below a few dozen.
const maxDepth = 1000

var errDeep = errors.New("nested too deeply")

func (w *walker) walk() error {
	depth := 0
	for {
		token, err := w.decoder.RawToken()
		if errors.Is(err, io.EOF) {
			if depth != 0 {
				return io.ErrUnexpectedEOF
			}
			return nil
		}
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case xml.StartElement:
			if depth++; depth > maxDepth {
				return errDeep
			}
			if t.Name.Local == "Fallback" { // says again what Choice said
				if err := w.skip(); err != nil {
					return err
				}
				depth--
				continue
			}
			w.start(t.Name.Local)
		case xml.EndElement:
			depth--
			w.end(t.Name.Local)
		case xml.CharData:
			if w.text > 0 {
				w.out.Write(t)
			}
		}
	}
}

// skip leaves out the rest of an element.
func (w *walker) skip() error {
	for depth := 1; depth > 0; {
		token, err := w.decoder.RawToken()
		if err != nil {
			return err
		}
		switch token.(type) {
		case xml.StartElement:
			depth++
		case xml.EndElement:
			depth--
		}
	}
	return nil
}

func (w *walker) start(name string) {
	switch name {
	case "t":
		w.text++
	case "tab":
		if w.cells == 0 {
			w.out.WriteByte('\t')
		} else {
			w.out.WriteByte(' ')
		}
	case "br", "cr":
		w.lineEnd()
	case "tc":
		w.cells++
	}
}

func (w *walker) end(name string) {
	switch name {
	case "t":
		w.text = max(0, w.text-1)
	case "p":
		w.lineEnd()
	case "tc":
		if w.cells = max(0, w.cells-1); w.cells == 0 {
			w.out.WriteByte('\t')
		}
	case "tr":
		if w.cells == 0 {
			w.out.WriteByte('\n')
		}
	}
}

func (w *walker) lineEnd() {
	if w.cells == 0 {
		w.out.WriteByte('\n')
	} else {
		w.out.WriteByte(' ')
	}
}
