package sample

import (
	"bufio"
	"compress/gzip"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/fault"
)

// What can be wrong with a table of samples. The place names file, line and column.
var (
	ErrFile   = fault.New(fault.Invalid, "samples.file", "the file cannot be read: {why}")
	ErrTable  = fault.New(fault.Invalid, "samples.table", "the file is not a CSV table: {why}")
	ErrColumn = fault.New(fault.Invalid, "samples.column", "the first line needs the column {column}; it must name sample_id, date and at least one band such as NDVI")
	ErrCell   = fault.New(fault.Invalid, "samples.cell", "{text} is not {want}")
	ErrVaries = fault.New(fault.Invalid, "samples.varies", "sample {id} has {text} here and {before} further up; {column} must stay the same within a sample")
	ErrText   = fault.New(fault.Invalid, "samples.text", "the text is not UTF-8; save the table as CSV in UTF-8")
	ErrRepeat = fault.New(fault.Invalid, "samples.repeat", "sample {id} has the date {date} twice; leave one")
)

// MaxBands bounds the columns of a table, so that a wrong separator or a table of
// another kind is refused before it fills the memory.
const MaxBands = 256

// MaxValue bounds the values of a band: greater ones stand for missing in some
// formats, and their squares leave the range of numbers.
const MaxValue = 1e9

// The columns that are neither bands nor groups.
const (
	colID = iota
	colLabel
	colLon
	colLat
	colStart
	colEnd
	colStep
	colDate
)

var known = []string{"sample_id", "label", "lon", "lat", "start", "end", "step", "date"}

// Options says what columns are when their cells leave a doubt. The zero value
// lets the cells decide.
type Options struct {
	Bands  []string // are bands; a table may lack them
	Groups []string // say where a sample belongs; the table must have them
}

// Open reads a table from a file, packed when its name ends in .gz.
func Open(path string, opt Options) (*Set, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, ErrFile.With("why", "it does not exist or may not be opened").At("%s", path).Because(err)
	}
	defer func() { _ = f.Close() }()
	var r io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		z, err := gzip.NewReader(bufio.NewReader(f))
		if err != nil {
			return nil, ErrFile.With("why", "it is named .gz and is no gzip file").At("%s", path).Because(err)
		}
		r = z
	}
	return Read(r, path, opt)
}

// Read reads CSV in the long layout, one line for each sample and date: sample_id,
// date and bands, with label, lon, lat, start, end and step where known, in any
// order. Lines of a sample need not stand together. Every other column is a band
// when its cells are numbers or empty and it changes within some sample; else it
// says where a sample belongs. An empty cell or NaN of a band is a missing value.
// It returns ErrFile, ErrTable, ErrText, ErrColumn, ErrCell, ErrVaries or ErrRepeat
// with name as the file of the place.
func Read(r io.Reader, name string, opt Options) (*Set, error) {
	hash := sha256.New()
	in := bufio.NewReader(io.TeeReader(r, hash))
	if b, err := in.Peek(3); err == nil && string(b) == "\ufeff" {
		_, _ = in.Discard(3)
	}
	t := &table{name: name, in: csv.NewReader(in), index: map[string]int{}}
	t.in.ReuseRecord = true
	if err := t.header(opt); err != nil {
		return nil, err
	}
	for {
		rec, err := t.in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fault.CSV(ErrTable, t.name, err)
		}
		if err := t.row(rec); err != nil {
			return nil, err
		}
	}
	set, err := t.finish()
	if err != nil {
		return nil, err
	}
	set.Sum = hex.EncodeToString(hash.Sum(nil))
	return set, nil
}

// table is a file being read.
type table struct {
	name    string
	in      *csv.Reader
	at      [8]int // column of each known name, or -1
	extra   []column
	index   map[string]int // of samples by id
	samples []Sample
	lines   [][]int32 // where each date of a sample stands
	rows    int
}

// column is one that is not known by name. Its cells decide what it is.
type column struct {
	name          string
	at            int
	band, group   bool // decided by the options
	numbers, text int  // how many cells hold a number and something else
	wrong         spot // the first cell that is no value of a band
	varied        spot // the first that differs within its sample
}

// spot is a cell that may turn out to be wrong.
type spot struct {
	line, col        int
	id, text, before string
}

func (t *table) header(opt Options) error {
	head, err := t.in.Read()
	if err != nil {
		return fault.CSV(ErrTable, t.name, err)
	}
	for i := range t.at {
		t.at[i] = -1
	}
	twice := map[string]bool{}
	for i, h := range head {
		h = strings.TrimSpace(h)
		_, col := t.in.FieldPos(i)
		if !utf8.ValidString(h) {
			return ErrText.At("%s:1:%d", t.name, col)
		}
		if h == "" || twice[h] {
			return ErrTable.With("why", "every column needs a name of its own").At("%s:1:%d", t.name, col)
		}
		twice[h] = true
		if k := slices.Index(known, h); k >= 0 {
			t.at[k] = i
			continue
		}
		t.extra = append(t.extra, column{name: h, at: i, band: slices.Contains(opt.Bands, h), group: slices.Contains(opt.Groups, h)})
	}
	for _, k := range []int{colID, colDate} {
		if t.at[k] < 0 {
			return ErrColumn.With("column", known[k]).At("%s:1:1", t.name)
		}
	}
	for _, g := range opt.Groups {
		if !twice[g] {
			return ErrColumn.With("column", g).At("%s:1:1", t.name)
		}
	}
	if len(t.extra) > MaxBands {
		return ErrTable.With("why", "it has more than "+strconv.Itoa(MaxBands)+" bands").At("%s:1:1", t.name)
	}
	return nil
}

func (t *table) bad(rec []string, at int, want string) error {
	line, col := t.in.FieldPos(at)
	return ErrCell.With("text", strconv.Quote(rec[at])).With("want", want).At("%s:%d:%d", t.name, line, col)
}

func (t *table) cell(rec []string, k int) string {
	if t.at[k] < 0 {
		return ""
	}
	return strings.TrimSpace(rec[t.at[k]])
}

func (t *table) row(rec []string) error {
	for k, c := range rec {
		if !utf8.ValidString(c) {
			line, col := t.in.FieldPos(k)
			return ErrText.At("%s:%d:%d", t.name, line, col)
		}
	}
	id := t.cell(rec, colID)
	if id == "" {
		return t.bad(rec, t.at[colID], "the id of a sample")
	}
	i, old := t.index[id]
	if !old {
		i = len(t.samples)
		s, err := t.open(rec)
		if err != nil {
			return err
		}
		t.index[s.ID] = i
		t.samples, t.lines = append(t.samples, s), append(t.lines, nil)
	} else if err := t.same(rec, &t.samples[i]); err != nil {
		return err
	}
	day, err := t.day(rec, colDate)
	if err != nil {
		return err
	}
	s := &t.samples[i]
	s.Days = append(s.Days, day)
	line, _ := t.in.FieldPos(0)
	t.lines[i] = append(t.lines[i], int32(min(line, math.MaxInt32))) //nolint:gosec // bounded
	for k := range t.extra {
		t.value(rec, k, s)
	}
	t.rows++
	return nil
}

// open begins a sample with what stays the same within it.
func (t *table) open(rec []string) (Sample, error) {
	s := Sample{
		ID: strings.Clone(t.cell(rec, colID)), Label: strings.Clone(t.cell(rec, colLabel)),
		Values: make([][]float64, len(t.extra)), Groups: make([]string, len(t.extra)),
	}
	var err error
	if s.At, err = t.place(rec); err != nil {
		return s, err
	}
	if s.Start, err = t.day(rec, colStart); err != nil {
		return s, err
	}
	if s.End, err = t.day(rec, colEnd); err != nil {
		return s, err
	}
	if s.Start != noDay && s.End != noDay && s.End < s.Start {
		return s, t.bad(rec, t.at[colEnd], "a date on or after start")
	}
	return s, nil
}

func (t *table) place(rec []string) (p orb.Point, err error) {
	if p[0], err = t.degrees(rec, colLon, 180, "a longitude from -180 to 180"); err != nil {
		return p, err
	}
	p[1], err = t.degrees(rec, colLat, 90, "a latitude from -90 to 90")
	return p, err
}

func (t *table) degrees(rec []string, k int, most float64, want string) (float64, error) {
	c := t.cell(rec, k)
	if c == "" {
		return math.NaN(), nil
	}
	v, err := strconv.ParseFloat(c, 64)
	if err != nil || math.IsInf(v, 0) || math.Abs(v) > most {
		return 0, t.bad(rec, t.at[k], want)
	}
	return v, nil
}

// same holds a further line of a sample against its first.
func (t *table) same(rec []string, s *Sample) error {
	if c := t.cell(rec, colLabel); c != s.Label {
		return t.varies(rec, colLabel, s.ID, s.Label)
	}
	for i, before := range []int{s.Start, s.End} {
		d, err := t.day(rec, colStart+i)
		if err != nil {
			return err
		}
		if d != before {
			return t.varies(rec, colStart+i, s.ID, dateText(before))
		}
	}
	p, err := t.place(rec)
	if err != nil {
		return err
	}
	for k, before := range s.At {
		if p[k] != before && !(math.IsNaN(p[k]) && math.IsNaN(before)) {
			return t.varies(rec, colLon+k, s.ID, strconv.FormatFloat(before, 'g', -1, 64))
		}
	}
	return nil
}

func (t *table) varies(rec []string, k int, id, before string) error {
	line, col := t.in.FieldPos(t.at[k])
	return t.variesAt(known[k], spot{line, col, id, rec[t.at[k]], before})
}

func (t *table) variesAt(column string, s spot) error {
	return ErrVaries.With("column", column).With("id", s.id).With("text", strconv.Quote(s.text)).
		With("before", strconv.Quote(s.before)).At("%s:%d:%d", t.name, s.line, s.col)
}

// noDay stands for a date that is not given.
const noDay = math.MinInt

func dateText(day int) string {
	if day == noDay {
		return ""
	}
	return Date(day).Format(time.DateOnly)
}

// day reads a date; start and end may be empty or missing.
func (t *table) day(rec []string, k int) (int, error) {
	c := t.cell(rec, k)
	if c == "" && k != colDate {
		return noDay, nil
	}
	d, err := time.Parse(time.DateOnly, c)
	if err != nil {
		return 0, t.bad(rec, t.at[k], "a date such as 2026-05-31")
	}
	return Day(d), nil
}

// value takes the cell of an extra column for the newest day of a sample.
func (t *table) value(rec []string, k int, s *Sample) {
	c := &t.extra[k]
	text := strings.TrimSpace(rec[c.at])
	line, col := t.in.FieldPos(c.at)
	if len(s.Days) == 1 {
		s.Groups[k] = strings.Clone(text)
	} else if c.varied.line == 0 && text != s.Groups[k] {
		c.varied = spot{line, col, s.ID, strings.Clone(text), s.Groups[k]}
	}
	v := math.NaN()
	if text != "" && text != "NA" { // R writes NA where nothing is known
		var err error
		v, err = strconv.ParseFloat(text, 64)
		switch {
		case err != nil && !errors.Is(err, strconv.ErrRange):
			c.text++
		case !math.IsNaN(v):
			c.numbers++
		}
		if (err != nil || math.Abs(v) > MaxValue) && c.wrong.line == 0 {
			c.wrong = spot{line, col, s.ID, strings.Clone(text), ""}
		}
		if err != nil {
			v = math.NaN()
		}
	}
	s.Values[k] = append(s.Values[k], v)
}

// isBand decides what a column is. A table without a second date of any sample
// cannot show a change; there every number is a band.
func (t *table) isBand(c *column) (bool, error) {
	single := t.rows == len(t.samples)
	switch {
	case c.group || !c.band && c.text > c.numbers:
		if c.varied.line > 0 {
			return false, t.variesAt(c.name, c.varied)
		}
		return false, nil
	case c.band || c.varied.line > 0 || c.numbers+c.text == 0 || single && c.wrong.line == 0:
		if c.wrong.line > 0 {
			return false, ErrCell.With("text", strconv.Quote(c.wrong.text)).With("want", "a number from -1e9 to 1e9").
				At("%s:%d:%d", t.name, c.wrong.line, c.wrong.col)
		}
		return true, nil
	default:
		return false, nil
	}
}

// finish tells bands from groups and puts the series in order.
func (t *table) finish() (*Set, error) {
	if t.rows == 0 {
		return nil, ErrTable.With("why", "it has no lines under its header").At("%s:2:1", t.name)
	}
	set := &Set{Samples: t.samples, Rows: t.rows}
	var bands, groups []int
	for k := range t.extra {
		c := &t.extra[k]
		band, err := t.isBand(c)
		switch {
		case err != nil:
			return nil, err
		case band:
			bands, set.Bands = append(bands, k), append(set.Bands, c.name)
		default:
			groups, set.Columns = append(groups, k), append(set.Columns, c.name)
		}
	}
	if len(bands) == 0 {
		return nil, ErrColumn.With("column", "of a band").At("%s:1:1", t.name)
	}
	for i := range set.Samples {
		s := &set.Samples[i]
		s.Values, s.Groups = pick(s.Values, bands), pick(s.Groups, groups)
		asRead := s.Days
		if day, ok := s.sortDays(); !ok {
			first := slices.Index(asRead, day)
			second := first + 1 + slices.Index(asRead[first+1:], day)
			return nil, ErrRepeat.With("id", s.ID).With("date", dateText(day)).At("%s:%d:1", t.name, t.lines[i][second])
		}
		if s.Start == noDay {
			s.Start = s.Days[0]
		}
		if s.End == noDay {
			s.End = max(s.Start, s.Days[len(s.Days)-1])
		}
	}
	return set, nil
}
