package frame

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/furrowcredit/furrow/credit/score"
	"github.com/furrowcredit/furrow/fault"
)

// maxRows and maxColumns bound a table: more is a mistake, or too much for one machine.
const (
	maxRows    = 20_000_000
	maxColumns = 4096
)

// Open reads a table from a CSV file, packed with gzip when the name ends in .gz.
func Open(name string) (*Frame, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, ErrTable.With("why", err.Error())
	}
	defer func() { _ = f.Close() }()
	var r io.Reader = bufio.NewReaderSize(f, 1<<18)
	if strings.HasSuffix(name, ".gz") {
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, ErrTable.At("%s", name).With("why", err.Error())
		}
		defer func() { _ = z.Close() }()
		r = z
	}
	return Read(r, name)
}

// Read reads a table from CSV with a head, with commas, semicolons or tabs, in UTF-8 or
// GB18030; name is for the places of errors. Cells that are empty, NA, N/A, NaN, null, ?
// or a dot are missing. A column is one of numbers when all other cells are, or all but
// one in two hundred while there are many different ones; one of dates when all are
// days; and else of categories.
func Read(r io.Reader, name string) (*Frame, error) {
	buf := bufio.NewReaderSize(r, 1<<16)
	head, err := buf.Peek(1 << 16)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, ErrTable.At("%s", name).With("why", err.Error())
	}
	if bytes.HasPrefix(head, []byte("\xef\xbb\xbf")) {
		_, _ = buf.Discard(3)
		head = head[3:]
	}
	var text io.Reader = buf
	if !valid(head) {
		text = simplifiedchinese.GB18030.NewDecoder().Reader(buf)
	}
	rd := csv.NewReader(text)
	rd.Comma, rd.ReuseRecord = separator(head), true
	return read(rd, name)
}

// valid tells UTF-8, of which the last letter may be cut.
func valid(b []byte) bool {
	for n := 0; n < utf8.UTFMax && len(b) > 0; n++ {
		if utf8.Valid(b) {
			return true
		}
		b = b[:len(b)-1]
	}
	return utf8.Valid(b)
}

func separator(head []byte) rune {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	best, most := ',', 0
	for _, c := range []rune{',', ';', '\t'} {
		if n := bytes.Count(line, []byte(string(c))); n > most {
			best, most = c, n
		}
	}
	return best
}

func read(rd *csv.Reader, name string) (*Frame, error) {
	fail := func(format string, args ...any) error {
		return ErrTable.At("%s", name).With("why", fmt.Sprintf(format, args...))
	}
	names, err := rd.Read()
	if err != nil {
		return nil, fault.CSV(ErrTable, name, err)
	}
	if len(names) > maxColumns {
		return nil, fail("it has %d columns, at most %d are taken", len(names), maxColumns)
	}
	cols := make([]*builder, len(names))
	seen := map[string]bool{}
	for i, n := range names {
		line, column := rd.FieldPos(i)
		n = strings.TrimSpace(n)
		switch {
		case n == "" && i == 0: // an index that a tool wrote without a name
			n = "#"
		case n == "":
			return nil, ErrTable.At("%s:%d:%d", name, line, column).With("why", "a column has no name")
		}
		if seen[n] {
			return nil, ErrTable.At("%s:%d:%d", name, line, column).With("why", "two columns are named "+n)
		}
		seen[n] = true
		cols[i] = newBuilder(strings.Clone(n))
	}
	f := &Frame{}
	for {
		row, err := rd.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fault.CSV(ErrTable, name, err)
		}
		if f.Rows++; f.Rows > maxRows {
			return nil, fail("it has more than %d rows", maxRows)
		}
		for i, cell := range row {
			cols[i].add(cell)
		}
	}
	if f.Rows == 0 {
		return nil, fail("it has a head and no rows")
	}
	for _, b := range cols {
		f.Columns = append(f.Columns, b.column())
	}
	return f, nil
}

// IsMissing tells the cells that say that nothing is known.
func IsMissing(cell string) bool {
	switch len(cell) {
	case 0:
		return true
	case 1:
		return cell == "?" || cell == "."
	case 2, 3, 4:
		return strings.EqualFold(cell, "NA") || strings.EqualFold(cell, "NaN") || strings.EqualFold(cell, "N/A") ||
			strings.EqualFold(cell, "null") || strings.EqualFold(cell, "#N/A")
	}
	return false
}

// builder gathers a column before its kind is known: places in a dictionary while the
// values are few, bare numbers when they are many and all numbers.
type builder struct {
	name   string
	codes  []int32
	levels []string
	places map[string]int32
	nums   []float64 // instead of codes, when not nil
}

// many is how many different cells make a column of numbers give up its dictionary.
const many = 1 << 14

func newBuilder(name string) *builder {
	return &builder{name: name, places: map[string]int32{}}
}

func (b *builder) add(cell string) {
	cell = strings.TrimSpace(cell)
	if b.nums != nil {
		switch v, ok := score.ParseNumber(cell); {
		case ok:
			b.nums = append(b.nums, v)
			return
		case IsMissing(cell):
			b.nums = append(b.nums, math.NaN())
			return
		}
		b.words()
	}
	if IsMissing(cell) {
		b.codes = append(b.codes, -1)
		return
	}
	at, ok := b.places[cell]
	if !ok {
		at = int32(len(b.levels)) //nolint:gosec // bounded by maxRows
		cell = strings.Clone(cell)
		b.places[cell] = at
		b.levels = append(b.levels, cell)
	}
	b.codes = append(b.codes, at)
	if !ok && len(b.levels) == many {
		b.bare()
	}
}

// bare turns places into numbers, if all are.
func (b *builder) bare() {
	v := make([]float64, len(b.levels))
	for i, s := range b.levels {
		var ok bool
		if v[i], ok = score.ParseNumber(s); !ok {
			return
		}
	}
	b.nums = spread(v, b.codes)
	b.codes, b.levels, b.places = nil, nil, nil
}

func spread(v []float64, codes []int32) []float64 {
	nums := make([]float64, len(codes))
	for i, c := range codes {
		if nums[i] = math.NaN(); c >= 0 {
			nums[i] = v[c]
		}
	}
	return nums
}

// words goes back from numbers to a dictionary, when a cell is none after all.
func (b *builder) words() {
	nums := b.nums
	*b = *newBuilder(b.name)
	for _, v := range nums {
		if math.IsNaN(v) {
			b.codes = append(b.codes, -1)
			continue
		}
		s := score.Num(v).String()
		at, ok := b.places[s]
		if !ok {
			at = int32(len(b.levels)) //nolint:gosec // bounded by maxRows
			b.places[s] = at
			b.levels = append(b.levels, s)
		}
		b.codes = append(b.codes, at)
	}
}

func (b *builder) column() Column {
	if b.nums != nil {
		return Column{Name: b.name, Kind: Number, Num: b.nums}
	}
	if c, ok := b.as(Number, score.ParseNumber, 200); ok {
		return c
	}
	if c, ok := b.as(Date, score.ParseDay, 0); ok {
		return c
	}
	c := Column{Name: b.name, Kind: Category}
	order := make([]int32, len(b.levels))
	for i := range order {
		order[i] = int32(i) //nolint:gosec // bounded by maxRows
	}
	slices.SortFunc(order, func(i, j int32) int { return cmp.Compare(b.levels[i], b.levels[j]) })
	place := make([]int32, len(order))
	for to, from := range order {
		c.Levels = append(c.Levels, b.levels[from])
		place[from] = int32(to) //nolint:gosec // bounded by maxRows
	}
	c.Code = b.codes
	for i, k := range c.Code {
		if k >= 0 {
			c.Code[i] = place[k]
		}
	}
	return c
}

// as reads the column by parse. One cell in so many may be unreadable (0: none may), if
// more than 50 different ones are not.
func (b *builder) as(kind Kind, parse func(string) (float64, bool), oneIn int) (Column, bool) {
	v, good := make([]float64, len(b.levels)), 0
	for i, s := range b.levels {
		var ok bool
		if v[i], ok = parse(s); ok {
			good++
		} else {
			v[i] = math.NaN()
		}
	}
	if good < len(b.levels) && (oneIn == 0 || good <= 50) || good == 0 && len(b.levels) > 0 {
		return Column{}, false
	}
	c := Column{Name: b.name, Kind: kind}
	known := 0
	for _, k := range b.codes {
		if k >= 0 {
			known++
			if math.IsNaN(v[k]) {
				c.Strays++
			}
		}
	}
	if c.Strays*max(oneIn, 1) > known {
		return Column{}, false
	}
	c.Num = spread(v, b.codes)
	return c, true
}

// Join adds the columns of another table to f: the rows where its key has the value of
// f's key. Rows of f without a partner are left out; a key that stands twice in other is
// an error. It gives how many rows found no partner.
func (f *Frame) Join(other *Frame, key, otherKey string) (*Frame, int, error) {
	a, err := f.Column(key)
	if err != nil {
		return nil, 0, err
	}
	b, err := other.Column(otherKey)
	if err != nil {
		return nil, 0, err
	}
	place := make(map[string]int, other.Rows)
	for r := range other.Rows {
		if b.IsMissing(r) {
			continue
		}
		k := b.Text(r)
		if _, twice := place[k]; twice {
			return nil, 0, ErrKey.With("column", otherKey).With("why", k+" stands twice")
		}
		place[k] = r
	}
	var left, right []int
	for r := range f.Rows {
		if to, ok := place[a.Text(r)]; ok && !a.IsMissing(r) {
			left, right = append(left, r), append(right, to)
		}
	}
	if len(left) == 0 {
		return nil, 0, ErrKey.With("column", key).With("why", "no row of one has a partner in the other")
	}
	out := f.Take(left)
	for _, c := range other.Take(right).Columns {
		if c.Name == otherKey {
			continue
		}
		if _, err := f.Column(c.Name); err == nil {
			return nil, 0, ErrKey.With("column", key).With("why", "both have a column "+c.Name)
		}
		out.Columns = append(out.Columns, c)
	}
	return out, f.Rows - len(left), nil
}

// Days gives the column as days, where it is one of dates.
func (c *Column) Days() (first, last time.Time, ok bool) {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, v := range c.Num {
		if !math.IsNaN(v) {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	if c.Kind != Date || lo > hi {
		return first, last, false
	}
	return time.Unix(int64(lo)*86400, 0).UTC(), time.Unix(int64(hi)*86400, 0).UTC(), true
}
