package profile

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/sheet"
)

// What can be wrong with a file of invoices.
var (
	ErrFile   = fault.New(fault.Invalid, "profile.file", "{file}: {problem}")
	ErrHeader = fault.New(fault.Invalid, "profile.header", "{file}: the header has no column for the {column}; known headers are in docs/formats/flow.md")
	ErrSide   = fault.New(fault.Invalid, "profile.side", "{file}: are these invoices written or received? Name the file with out or in, 销项 or 进项, or give the other side's column as buyer (购方) or seller (销方)")
)

// Refused counts the rows of a file that could not be read, by reason, with the
// first line of each.
type Refused struct {
	Rows int `json:"rows"`
	Line int `json:"line"`
}

// File says what was read of a file: In = Out + the rows refused.
type File struct {
	File    string             `json:"file"`
	Side    string             `json:"side"` // "out" written by the firms, "in" received
	In      int                `json:"in"`
	Out     int                `json:"out"`
	Refused map[string]Refused `json:"refused"` // "columns", "firm", "counterparty", "date", "amount", "status"
}

// Book is the invoices of many firms.
type Book struct {
	Files []File
	firms map[string][]Invoice
}

// Firms lists the firms by name, numbers in it by value.
func (b *Book) Firms() []string {
	return slices.SortedFunc(maps.Keys(b.firms), func(x, y string) int {
		return cmp.Or(cmp.Compare(strings.TrimRight(x, "0123456789"), strings.TrimRight(y, "0123456789")), cmp.Compare(len(x), len(y)), cmp.Compare(x, y))
	})
}

// Invoices returns the invoices of a firm in the order in which they were read.
func (b *Book) Invoices(firm string) []Invoice { return b.firms[firm] }

// LastDay is the date of the newest invoice, 0 for none.
func (b *Book) LastDay() money.Date {
	var last money.Date
	for _, rows := range b.firms {
		for i := range rows {
			last = max(last, rows[i].Day)
		}
	}
	return last
}

// Read reads files of invoices, CSV or gzipped CSV, and those of folders whose name
// ends so and holds "invoice" or 发票. It returns ErrFile, ErrHeader and ErrSide; rows
// that cannot be read are counted in their file.
func Read(ctx context.Context, paths ...string) (*Book, error) {
	files, err := list(paths)
	if err != nil {
		return nil, err
	}
	parts := make([]*part, len(files))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for _, i := range largestFirst(files) {
		g.Go(func() error {
			var err error
			parts[i], err = readFile(ctx, files[i])
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return newBook(parts), nil
}

// ReadFrom reads one file as Read does; name tells the side when the header does not.
func ReadFrom(ctx context.Context, r io.Reader, name string) (*Book, error) {
	p, err := readFrom(ctx, r, name)
	if err != nil {
		return nil, err
	}
	return newBook([]*part{p}), nil
}

func newBook(parts []*part) *Book {
	b := &Book{firms: map[string][]Invoice{}}
	for _, p := range parts {
		b.Files = append(b.Files, p.file)
		for name, rows := range p.firms {
			if have := b.firms[name]; have == nil {
				b.firms[name] = *rows
			} else {
				b.firms[name] = append(have, *rows...)
			}
		}
	}
	return b
}

func list(paths []string) ([]string, error) {
	var files []string
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			return nil, ErrFile.With("file", p).With("problem", "it cannot be opened")
		}
		if !info.IsDir() {
			files = append(files, p)
			continue
		}
		entries, err := os.ReadDir(p)
		if err != nil {
			return nil, ErrFile.With("file", p).With("problem", "the folder cannot be read")
		}
		n := len(files)
		for _, e := range entries {
			name := strings.ToLower(e.Name())
			if plain := strings.TrimSuffix(name, ".gz"); !e.IsDir() && strings.HasSuffix(plain, ".csv") && (strings.Contains(name, "invoice") || strings.Contains(name, "发票")) {
				files = append(files, filepath.Join(p, e.Name()))
			}
		}
		if len(files) == n {
			return nil, ErrFile.With("file", p).With("problem", "the folder has no file invoice*.csv or invoice*.csv.gz; name the files")
		}
	}
	return files, nil
}

func largestFirst(files []string) []int {
	order, size := make([]int, len(files)), make([]int64, len(files))
	for i, f := range files {
		order[i] = i
		if info, err := os.Stat(f); err == nil {
			size[i] = info.Size()
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(size[b], size[a]) })
	return order
}

func readFile(ctx context.Context, path string) (*part, error) {
	f, err := os.Open(path) //nolint:gosec // the person names the file
	if err != nil {
		return nil, ErrFile.With("file", path).With("problem", "it cannot be opened")
	}
	defer func() { _ = f.Close() }()
	p, err := readFrom(ctx, f, filepath.Base(path))
	if err != nil {
		return nil, err
	}
	return p, nil
}

// part is what one file holds.
type part struct {
	file  File
	firms map[string]*[]Invoice
}

// maxLine bounds a row.
const maxLine = 1 << 20

// readFrom reads one file; name tells the side when the header does not.
func readFrom(ctx context.Context, r io.Reader, name string) (*part, error) {
	bad := func(problem string) error { return ErrFile.With("file", name).With("problem", problem) }
	text, err := sheet.Text(r)
	if err != nil {
		return nil, bad(err.Error())
	}
	ahead := newAhead(ctx, text)
	defer ahead.stop()
	in := bufio.NewReaderSize(ahead, maxLine)
	line, err := readLine(in)
	if err != nil && !errors.Is(err, io.EOF) || len(bytes.TrimSpace(line)) == 0 {
		return nil, bad("it has no header")
	}
	p := &part{file: File{File: name, Refused: map[string]Refused{}}, firms: map[string]*[]Invoice{}}
	s, err := newScanner(string(line), name, p)
	if err != nil {
		return nil, err
	}
	for n := 2; err == nil; n++ {
		if n%65536 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if line, err = readLine(in); len(line) > 0 {
			s.row(line, n)
		}
	}
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return nil, bad(fmt.Sprintf("row %d is longer than %d bytes; is it CSV?", p.file.In+2, maxLine))
	case !errors.Is(err, io.EOF):
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, bad(fmt.Sprintf("it cannot be read beyond row %d: %v", p.file.In+1, err))
	}
	return p, nil
}

// readLine reads a row without its end; a row whose cell has a line break inside
// quotes is read whole.
func readLine(in *bufio.Reader) ([]byte, error) {
	line, err := in.ReadSlice('\n')
	if bytes.Count(line, []byte{'"'})%2 == 1 && err == nil {
		whole := slices.Clone(line)
		for bytes.Count(whole, []byte{'"'})%2 == 1 && err == nil && len(whole) < maxLine {
			line, err = in.ReadSlice('\n')
			whole = append(whole, line...)
		}
		line = whole
	}
	return bytes.TrimRight(line, "\r\n"), err
}

// ahead reads in a goroutine of its own, so that unpacking, decoding and parsing share two cores.
type ahead struct {
	full, free chan []byte
	done       chan struct{}
	now, rest  []byte
	err        error
}

func newAhead(ctx context.Context, r io.Reader) *ahead {
	a := &ahead{full: make(chan []byte, 4), free: make(chan []byte, 4), done: make(chan struct{})}
	for range 4 {
		a.free <- make([]byte, 1<<18)
	}
	go func() {
		defer close(a.full)
		for {
			var buf []byte
			select {
			case buf = <-a.free:
			case <-a.done:
				return
			case <-ctx.Done():
				a.err = ctx.Err()
				return
			}
			n := 0
			var err error
			for n < cap(buf) && err == nil {
				var k int
				k, err = r.Read(buf[n:cap(buf)])
				n += k
			}
			if n > 0 {
				a.full <- buf[:n] // never blocks: there are as many places as buffers
			}
			if a.err = err; err != nil {
				return
			}
		}
	}()
	return a
}

func (a *ahead) stop() { close(a.done) }

// Read implements io.Reader.
func (a *ahead) Read(p []byte) (int, error) {
	if len(a.rest) == 0 {
		if a.now != nil {
			a.free <- a.now[:cap(a.now)]
			a.now = nil
		}
		buf, ok := <-a.full
		if !ok {
			return 0, a.err
		}
		a.now, a.rest = buf, buf
	}
	n := copy(p, a.rest)
	a.rest = a.rest[n:]
	return n, nil
}
