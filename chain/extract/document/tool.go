package document

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Limits of other programs.
const (
	toolKiB    = 1 << 20 // of address space: 1 GiB
	toolOutput = 16 << 20
)

// Missing is a program that is not there and the Debian package that brings it.
type Missing struct {
	Tool    string
	Package string
}

// Check tells which programs are missing on this machine.
func (r Reader) Check(ctx context.Context) []Missing {
	var out []Missing
	for _, p := range r.programs() {
		if _, err := exec.LookPath(p.name); err != nil {
			out = append(out, Missing{p.name, p.pkg})
		}
	}
	if langs, err := exec.CommandContext(ctx, cmp.Or(r.Tesseract, "tesseract"), "--list-langs").CombinedOutput(); err == nil &&
		!slices.Contains(strings.Fields(string(langs)), "chi_sim") {
		out = append(out, Missing{"tesseract chi_sim", "tesseract-ocr-chi-sim"})
	}
	return out
}

type program struct{ name, pkg string }

func (r Reader) programs() []program {
	return []program{
		{cmp.Or(r.PDFToText, "pdftotext"), "poppler-utils"},
		{cmp.Or(r.PDFToPPM, "pdftoppm"), "poppler-utils"},
		{cmp.Or(r.Tesseract, "tesseract"), "tesseract-ocr tesseract-ocr-chi-sim"},
	}
}

// run starts a program with limits and returns what it wrote. It returns ErrTool, ErrSlow
// or ErrTooLarge; failed carries what the program said.
func (r Reader) run(ctx context.Context, p program, args ...string) ([]byte, error) {
	path, err := exec.LookPath(p.name)
	if err != nil {
		return nil, ErrTool.With("tool", p.name).With("package", p.pkg)
	}
	timeout := cmp.Or(r.Timeout, time.Minute)
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	// The shell sets the limit of memory for itself and becomes the program.
	cmd := exec.CommandContext(limited, "/bin/sh", append([]string{"-c", `ulimit -v "$0" && exec "$@"`, strconv.Itoa(toolKiB), path}, args...)...)
	cmd.Env = append(os.Environ(), "OMP_THREAD_LIMIT=1")
	cmd.WaitDelay = time.Second
	var said bytes.Buffer
	out := &bounded{limit: toolOutput}
	cmd.Stdout, cmd.Stderr = out, &bounded{into: &said, limit: 8 << 10}
	err = cmd.Run()
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case limited.Err() != nil:
		return nil, ErrSlow.With("seconds", int(timeout.Seconds()))
	case err != nil:
		return nil, &failed{said.String(), err}
	}
	return out.buf.Bytes(), nil
}

// failed is the end of a program that did not like its input.
type failed struct {
	said  string
	cause error
}

func (e *failed) Error() string { return e.cause.Error() }
func (e *failed) Unwrap() error { return e.cause }

// bounded keeps the first bytes and takes the others without keeping them.
type bounded struct {
	buf   bytes.Buffer
	into  *bytes.Buffer
	limit int
}

func (b *bounded) Write(p []byte) (int, error) {
	to := b.into
	if to == nil {
		to = &b.buf
	}
	to.Write(p[:min(len(p), max(0, b.limit-to.Len()))])
	return len(p), nil
}

var _ io.Writer = (*bounded)(nil)

// pdf reads the text of a PDF; one without text is a scan and goes through tesseract.
func (r Reader) pdf(ctx context.Context, body []byte, rep *Report) (string, error) {
	dir, file, err := private(body, "document.pdf")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // what is left is in the temporary folder
	out, err := r.run(ctx, r.programs()[0], "-layout", "-enc", "UTF-8", "-f", "1", "-l", strconv.Itoa(maxPages+1), file, "-")
	if err != nil {
		return "", told(err)
	}
	pages := strings.SplitAfter(string(out), "\f")
	if len(pages) > maxPages+1 {
		pages = pages[:maxPages]
		rep.Notes = append(rep.Notes, fmt.Sprintf("only the first %d pages were read", maxPages))
	}
	text := strings.Join(pages, "")
	// Stamps and page numbers are text as well: a scan has next to none.
	if letters(text) >= 20 || letters(text) >= 8*max(1, len(pages)-1) {
		return text, nil
	}
	rep.Kind = "scan"
	scanned, err := r.scan(ctx, dir, file, rep)
	if err != nil {
		return "", err
	}
	return scanned, nil
}

// told makes of a failure of a program the error that the person gets.
func told(err error) error {
	var f *failed
	if !errors.As(err, &f) {
		return err
	}
	if strings.Contains(f.said, "assword") || strings.Contains(f.said, "encrypt") {
		return ErrEncrypted
	}
	return ErrDamaged.Because(err)
}

// scan rasterises the pages of a PDF one by one and reads them.
func (r Reader) scan(ctx context.Context, dir, file string, rep *Report) (string, error) {
	var b strings.Builder
	for page := 1; page <= ocrPages; page++ {
		n := strconv.Itoa(page)
		root := filepath.Join(dir, "page")
		_, err := r.run(ctx, r.programs()[1], "-r", "200", "-scale-to", "3300", "-gray", "-png", "-f", n, "-l", n, "-singlefile", file, root)
		var f *failed
		if errors.As(err, &f) && page > 1 {
			return b.String(), nil // there are no more
		}
		if err != nil {
			return "", told(err)
		}
		if _, err := os.Stat(root + ".png"); err != nil {
			return b.String(), nil
		}
		text, err := r.ocr(ctx, root+".png")
		if err != nil {
			return "", err
		}
		b.WriteString(text)
		b.WriteByte('\f')
		if err := os.Remove(root + ".png"); err != nil {
			return "", fmt.Errorf("document: %w", err)
		}
	}
	rep.Notes = append(rep.Notes, fmt.Sprintf("only the first %d pages of the scan were read", ocrPages))
	return b.String(), nil
}

// image reads a picture.
func (r Reader) image(ctx context.Context, body []byte) (string, error) {
	dir, file, err := private(body, "image")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // what is left is in the temporary folder
	return r.ocr(ctx, file)
}

// ocr reads a picture, keeping the gaps between columns. The Chinese model reads digits
// and Latin letters as well; asked for both languages at once, tesseract takes many
// Chinese characters for Latin ones. A picture with hardly any Chinese is read again in
// English.
func (r Reader) ocr(ctx context.Context, file string) (string, error) {
	text, err := r.tesseract(ctx, file, "chi_sim")
	if err != nil {
		return "", err
	}
	text = closeUp(text)
	if han := letters(text) - letters(strings.Map(notHan, text)); han*5 > letters(text) || letters(text) == 0 {
		return text, nil
	}
	return r.tesseract(ctx, file, "eng")
}

func notHan(r rune) rune {
	if unicode.Is(unicode.Han, r) {
		return -1
	}
	return r
}

func (r Reader) tesseract(ctx context.Context, file, language string) (string, error) {
	out, err := r.run(ctx, r.programs()[2], file, "stdout", "-l", language, "--psm", "6", "-c", "preserve_interword_spaces=1")
	if err != nil {
		var f *failed
		if errors.As(err, &f) && strings.Contains(f.said, "loading language") {
			return "", ErrTool.With("tool", "tesseract "+language).With("package", "tesseract-ocr-"+strings.ReplaceAll(language, "_", "-"))
		}
		return "", told(err)
	}
	return string(out), nil
}

// closeUp takes out the single spaces that tesseract puts between Chinese characters.
func closeUp(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	last := rune(0)
	for i, r := range text {
		if r == ' ' && wide(last) {
			if next, _ := utf8.DecodeRuneInString(text[i+1:]); wide(next) {
				continue
			}
		}
		b.WriteRune(r)
		last = r
	}
	return b.String()
}

func wide(r rune) bool {
	return unicode.Is(unicode.Han, r) || strings.ContainsRune("：，。、；（）“”《》￥％", r) && r != 0
}

func letters(text string) int {
	n := 0
	for _, r := range text {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			n++
		}
	}
	return n
}

// private writes a body into a folder that only this user reads.
func private(body []byte, name string) (dir, file string, err error) {
	dir, err = os.MkdirTemp("", "furrow-document-")
	if err != nil {
		return "", "", fmt.Errorf("document: %w", err)
	}
	file = filepath.Join(dir, name)
	if err := os.WriteFile(file, body, 0o600); err != nil {
		return "", "", errors.Join(fmt.Errorf("document: %w", err), os.RemoveAll(dir))
	}
	return dir, file, nil
}
