package count

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/iot"
)

// What can be wrong with a file of counts or of tags heard.
var (
	ErrFile   = fault.New(fault.Invalid, "count.file", "the file cannot be read: {why}")
	ErrColumn = fault.New(fault.Invalid, "count.column", "the file needs a column {column}; it has {has}")
	ErrCell   = fault.New(fault.Invalid, "count.cell", "the value {value} of column {column} is not usable: {why}")
)

// table reads CSV by the names of its columns.
type table struct {
	name   string
	csv    *csv.Reader
	header []string
	row    []string
}

// newTable reads the header; ErrColumn names a column of needed that is missing.
func newTable(r io.Reader, name string, needed ...string) (*table, error) {
	t := &table{name: name, csv: csv.NewReader(bufio.NewReader(r))}
	t.csv.ReuseRecord = true
	head, err := t.csv.Read()
	if err != nil {
		return nil, fault.CSV(ErrFile, name, err)
	}
	for _, h := range head {
		t.header = append(t.header, strings.ToLower(strings.TrimSpace(strings.TrimPrefix(h, "\uFEFF"))))
	}
	for _, n := range needed {
		if !slices.Contains(t.header, n) {
			return nil, ErrColumn.With("column", n).With("has", strings.Join(t.header, ", ")).At("%s:1", name)
		}
	}
	return t, nil
}

// next reads a row, or returns io.EOF.
func (t *table) next() (err error) {
	t.row, err = t.csv.Read()
	if err != nil && !errors.Is(err, io.EOF) {
		return fault.CSV(ErrFile, t.name, err)
	}
	return err
}

// cell is the text of a column, "" without it.
func (t *table) cell(column string) string {
	if i := slices.Index(t.header, column); i >= 0 {
		return strings.Clone(strings.TrimSpace(t.row[i]))
	}
	return ""
}

func (t *table) bad(column, why string) error {
	i := slices.Index(t.header, column)
	line, at := t.csv.FieldPos(max(i, 0))
	return ErrCell.With("value", strconv.Quote(t.cell(column))).With("column", column).With("why", why).At("%s:%d:%d", t.name, line, at)
}

func (t *table) time(column string) (time.Time, error) {
	s := t.cell(column)
	if at, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return at.UTC(), nil
	}
	if ms, err := strconv.ParseInt(s, 10, 64); err == nil && ms > 0 && ms < 1e14 {
		return time.UnixMilli(ms).UTC(), nil
	}
	return time.Time{}, t.bad(column, "write it as 2026-05-31T08:00:00Z or as Unix milliseconds")
}

// number is nil for an empty cell.
func (t *table) number(column string) (*int, error) {
	s := t.cell(column)
	if s == "" {
		return nil, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return nil, t.bad(column, "it must be a whole number, 0 or more")
	}
	return &n, nil
}

// ReadCounts reads counts from CSV with the columns device, kind, from and seen, and
// maybe to, pen, out, matched and picture (docs/formats/count.md). ErrFile,
// ErrColumn, ErrCell and ErrCount say where.
func ReadCounts(r io.Reader, name string) ([]iot.Headcount, error) {
	t, err := newTable(r, name, "device", "kind", "from", "seen")
	if err != nil {
		return nil, err
	}
	var out []iot.Headcount
	for {
		if err := t.next(); errors.Is(err, io.EOF) {
			return out, nil
		} else if err != nil {
			return nil, err
		}
		h := iot.Headcount{HerdID: "file", PenID: t.cell("pen"), Device: t.cell("device"), Kind: iot.CountKind(t.cell("kind")), Picture: t.cell("picture")}
		if h.From, err = t.time("from"); err != nil {
			return nil, err
		}
		if h.To = h.From; t.cell("to") != "" {
			if h.To, err = t.time("to"); err != nil {
				return nil, err
			}
		}
		seen, err := t.number("seen")
		if err != nil {
			return nil, err
		}
		if seen == nil {
			return nil, t.bad("seen", "it is empty")
		}
		h.Seen = *seen
		outward, err := t.number("out")
		if err != nil {
			return nil, err
		}
		if outward != nil {
			h.Out = *outward
		}
		if h.Matched, err = t.number("matched"); err != nil {
			return nil, err
		}
		if err := Check(&h); err != nil {
			line, _ := t.csv.FieldPos(0)
			var f *fault.Error
			if errors.As(err, &f) {
				err = f.At("%s:%d", name, line)
			}
			return nil, err
		}
		out = append(out, h)
	}
}

// Heard is one time that a tag was heard.
type Heard struct {
	Tag string
	Pen string // "" nobody knows
	At  time.Time
}

// ReadHeard reads tags heard from CSV with the columns tag and time, and maybe pen.
func ReadHeard(r io.Reader, name string) ([]Heard, error) {
	t, err := newTable(r, name, "tag", "time")
	if err != nil {
		return nil, err
	}
	var out []Heard
	for {
		if err := t.next(); errors.Is(err, io.EOF) {
			return out, nil
		} else if err != nil {
			return nil, err
		}
		h := Heard{Tag: t.cell("tag"), Pen: t.cell("pen")}
		if h.Tag == "" {
			return nil, t.bad("tag", "it is empty")
		}
		if h.At, err = t.time("time"); err != nil {
			return nil, err
		}
		out = append(out, h)
	}
}

// Open opens a file; a name that ends in .gz is unpacked, and - is in. ErrFile.
func Open(name string, in io.Reader) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(in), nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, ErrFile.With("why", "it cannot be opened").At("%s", name).Because(err)
	}
	if !strings.HasSuffix(name, ".gz") {
		return f, nil
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, errors.Join(ErrFile.With("why", "it is not gzip").At("%s", name).Because(err), f.Close())
	}
	return unpacked{z, f}, nil
}

// unpacked closes the file with its reader.
type unpacked struct {
	*gzip.Reader
	file *os.File
}

// Close implements io.Closer.
func (u unpacked) Close() error { return errors.Join(u.Reader.Close(), u.file.Close()) }

// FromFiles is the evidence of counts and of tags heard. Each tag stands for an
// animal, in the pen where it was heard last; it counts as heard when it was since
// the first window that is used.
func (c Config) FromFiles(counts []iot.Headcount, heard []Heard) Evidence {
	e := Evidence{Counts: counts}
	var last time.Time
	for _, h := range counts {
		last = later(last, h.To)
		if h.PenID != "" && !slices.Contains(e.Pens, h.PenID) {
			e.Pens = append(e.Pens, h.PenID)
		}
	}
	newest := map[string]Heard{}
	var tags []string
	for _, h := range heard {
		old, known := newest[h.Tag]
		if !known {
			tags = append(tags, h.Tag)
		}
		if !known || h.At.After(old.At) {
			newest[h.Tag] = h
		}
		if h.Pen != "" && !slices.Contains(e.Pens, h.Pen) {
			e.Pens = append(e.Pens, h.Pen)
		}
	}
	for _, tag := range tags {
		h := newest[tag]
		fresh := !h.At.Before(last.Add(-c.Period))
		e.Members = append(e.Members, Member{PenID: h.Pen, Heard: fresh, Inside: fresh})
	}
	e.Heard = func(pen string, from, to time.Time) int {
		then := map[string]bool{}
		for _, h := range heard {
			if (pen == "" || h.Pen == pen || h.Pen == "") && !h.At.Before(from.Add(-slack)) && !h.At.After(to.Add(slack)) {
				then[h.Tag] = true
			}
		}
		return len(then)
	}
	return e
}
