package forecast

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
)

// What can be wrong with a table of series. The place is file, line and column.
var (
	ErrFile      = fault.New(fault.Invalid, "forecast.file", "the table cannot be read: {why}")
	ErrColumn    = fault.New(fault.Invalid, "forecast.column", "the table needs a column {column}; its first line has {has}")
	ErrValue     = fault.New(fault.Invalid, "forecast.value", "{value} in column {column} cannot be used: {why}")
	ErrDuplicate = fault.New(fault.Invalid, "forecast.duplicate", "series {series} has {date} already, on line {line}; leave one of them out")
	ErrSteps     = fault.New(fault.Invalid, "forecast.steps", "the dates of series {series} are not days, weeks, months, quarters or years: {why}")
	ErrGap       = fault.New(fault.Invalid, "forecast.gap", "series {series} has nothing for {count} steps before {date}; write the values, or say with --gaps what they are")
)

// Gaps says what steps between the first and the last of a series are that the table
// does not have.
type Gaps string

// Ways with gaps.
const (
	GapsMissing Gaps = "missing" // not known: drawn from line to line for fitting, never measured against
	GapsZero    Gaps = "zero"    // nothing happened
	GapsRefused Gaps = "refuse"  // a mistake
)

// Series is one series of a table. Missing values are not a number.
type Series struct {
	ID        string
	Frequency Frequency
	Last      money.Date
	Values    []float64
}

// The names of the three columns, in lower case.
var columns = [3][]string{{"series_id", "unique_id", "series", "id"}, {"date", "ds", "month", "time"}, {"value", "y"}}

// observation is one row.
type observation struct {
	day   money.Date
	line  int32
	value float64
}

// ReadFile reads a table, gzipped when its name ends in .gz; "-" is from.
func ReadFile(path string, from io.Reader, gaps Gaps) ([]Series, error) {
	if path == "-" {
		return Read(from, "stdin", gaps)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, ErrFile.With("why", err.Error())
	}
	defer func() { _ = f.Close() }() // read only
	var r io.Reader = f
	if strings.HasSuffix(strings.ToLower(path), ".gz") {
		z, err := gzip.NewReader(f)
		if err != nil {
			return nil, ErrFile.With("why", err.Error()).At("%s", path)
		}
		r = z
	}
	return Read(r, path, gaps)
}

// Read reads CSV with the columns series_id, date (2026-05-31, 2026-05 or 2026) and
// value, in any order of rows. Series come in the order of their first rows.
func Read(r io.Reader, name string, gaps Gaps) ([]Series, error) {
	t := table{name: name, at: map[string]int{}}
	if err := t.read(r); err != nil {
		return nil, err
	}
	out := make([]Series, len(t.ids))
	for i := range t.ids {
		s, err := t.series(i, gaps)
		if err != nil {
			return nil, err
		}
		out[i] = s
		t.rows[i] = nil
	}
	return out, nil
}

type table struct {
	name string
	ids  []string
	at   map[string]int
	rows [][]observation
}

func (t *table) read(from io.Reader) error {
	c := csv.NewReader(bufio.NewReaderSize(from, 1<<16))
	c.ReuseRecord = true
	header, err := c.Read()
	if err != nil {
		return fault.CSV(ErrFile, t.name, err)
	}
	col, err := t.header(header)
	if err != nil {
		return err
	}
	names := [3]string{header[col[0]], header[col[1]], header[col[2]]}
	current := -1
	for {
		row, err := c.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fault.CSV(ErrFile, t.name, err)
		}
		bad := func(i int, why string) error {
			line, column := c.FieldPos(col[i])
			return ErrValue.With("value", strconv.Quote(row[col[i]])).With("column", names[i]).With("why", why).At("%s:%d:%d", t.name, line, column)
		}
		id := strings.TrimSpace(row[col[0]])
		if id == "" {
			return bad(0, "it is empty")
		}
		day, ok := parseDay(row[col[1]])
		if !ok {
			return bad(1, "write it like 2026-05-31 or 2026-05")
		}
		value, missing, why := parseValue(row[col[2]])
		if why != "" {
			return bad(2, why)
		}
		if missing {
			value = math.NaN()
		}
		if current < 0 || t.ids[current] != id {
			current = t.place(id)
		}
		line, _ := c.FieldPos(0)
		t.rows[current] = append(t.rows[current], observation{day, int32(min(line, math.MaxInt32)), value})
	}
	if len(t.ids) == 0 {
		return ErrFile.With("why", "it has no rows").At("%s", t.name)
	}
	return nil
}

func (t *table) header(header []string) (col [3]int, err error) {
	header[0] = strings.TrimPrefix(header[0], "\uFEFF")
	for i, names := range columns {
		col[i] = slices.IndexFunc(header, func(h string) bool {
			return slices.Contains(names, strings.ToLower(strings.TrimSpace(h)))
		})
		if col[i] < 0 {
			return col, ErrColumn.With("column", names[0]).With("has", strings.Join(header, ", ")).At("%s:1:1", t.name)
		}
	}
	return col, nil
}

func (t *table) place(id string) int {
	i, ok := t.at[id]
	if !ok {
		i = len(t.ids)
		id = strings.Clone(id)
		t.at[id] = i
		t.ids, t.rows = append(t.ids, id), append(t.rows, nil)
	}
	return i
}

// parseDay takes a year, a month or a day; a time of day after it is left out.
func parseDay(s string) (money.Date, bool) {
	s = strings.TrimSpace(s)
	switch len(s) {
	case 4:
		s += "-01-01"
	case 7:
		s += "-01"
	default:
		if len(s) > 10 && (s[10] == 'T' || s[10] == ' ') {
			s = s[:10]
		}
	}
	if len(s) != 10 {
		return 0, false
	}
	d, err := money.ParseDate(s)
	return d, err == nil
}

// parseValue takes a decimal number; an empty cell, NA and NaN are missing.
func parseValue(s string) (v float64, missing bool, why string) {
	s = strings.TrimSpace(s)
	switch strings.ToLower(s) {
	case "", "na", "nan", "null":
		return 0, true, ""
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(v) {
		return 0, false, "it must be a number"
	}
	if math.Abs(v) > 1e18 {
		return 0, false, "it is too large"
	}
	return v, false, ""
}

// series puts the rows of one series in their steps.
func (t *table) series(i int, gaps Gaps) (Series, error) {
	rows := t.rows[i]
	slices.SortStableFunc(rows, func(a, b observation) int { return int(a.day) - int(b.day) })
	days := make([]money.Date, len(rows))
	for j, r := range rows {
		if j > 0 && r.day == rows[j-1].day {
			return Series{}, t.twice(i, r, rows[j-1])
		}
		days[j] = r.day
	}
	steps := func(why string, r observation) error {
		return ErrSteps.With("series", t.ids[i]).With("why", why).At("%s:%d", t.name, r.line)
	}
	s := Series{ID: t.ids[i], Frequency: Monthly, Last: days[len(days)-1]}
	if len(rows) > 1 {
		f, ok := frequencyOf(days)
		if !ok {
			return s, steps("the distances between them differ too much", rows[1])
		}
		s.Frequency = f
	}
	first := s.Frequency.step(days[0], days[0])
	span := s.Frequency.step(s.Last, days[0]) - first + 1
	if span > 3*len(rows)+24 {
		return s, steps("most of them are not there", rows[len(rows)-1])
	}
	s.Values = make([]float64, 0, span)
	for j, r := range rows {
		at := s.Frequency.step(r.day, days[0]) - first
		switch gap := at - len(s.Values); {
		case gap < 0:
			return s, t.twice(i, r, rows[j-1])
		case gap > 0 && gaps == GapsRefused:
			return s, ErrGap.With("series", s.ID).With("count", gap).With("date", r.day).At("%s:%d", t.name, r.line)
		case gap > 0:
			fill := math.NaN()
			if gaps == GapsZero {
				fill = 0
			}
			s.Values = append(s.Values, slices.Repeat([]float64{fill}, gap)...)
		}
		s.Values = append(s.Values, r.value)
	}
	return s, nil
}

func (t *table) twice(i int, a, b observation) error {
	if a.line < b.line {
		a, b = b, a
	}
	return ErrDuplicate.With("series", t.ids[i]).With("date", a.day).With("line", b.line).At("%s:%d", t.name, a.line)
}

// Filled draws straight lines over missing values; the ends take the nearest. It is
// nil when nothing is there.
func Filled(y []float64) []float64 {
	out := slices.Clone(y)
	last := -1
	for i, v := range y {
		if math.IsNaN(v) {
			continue
		}
		for j := last + 1; j < i; j++ {
			if last < 0 {
				out[j] = v
			} else {
				out[j] = y[last] + (v-y[last])*float64(j-last)/float64(i-last)
			}
		}
		last = i
	}
	if last < 0 {
		return nil
	}
	for j := last + 1; j < len(y); j++ {
		out[j] = y[last]
	}
	return out
}
