package contagion

import (
	"encoding/csv"
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/sheet"
)

// What can be wrong with a file.
var (
	ErrFile   = fault.New(fault.Invalid, "contagion.file", "the file cannot be read: {why}")
	ErrColumn = fault.New(fault.Invalid, "contagion.column", "the file needs a column {column}; it has {has}")
	ErrCell   = fault.New(fault.Invalid, "contagion.cell", "the value {value} of column {column} is not usable: {why}")
)

// Source is one file, as sheet.Text takes it; the name is for messages.
type Source struct {
	Name string
	R    io.Reader
}

// maxCell is the longest cell, in bytes: longer ones are no codes or amounts.
const maxCell = 1000

// table reads CSV by the names of its columns.
type table struct {
	name   string
	csv    *csv.Reader
	header []string
	row    []string
}

func newTable(s Source) (*table, error) {
	text, err := sheet.Text(s.R)
	if err != nil {
		return nil, ErrFile.With("why", err.Error()).At("%s", s.Name)
	}
	t := &table{name: s.Name, csv: csv.NewReader(text)}
	t.csv.ReuseRecord = true
	head, err := t.csv.Read()
	if err != nil {
		return nil, fault.CSV(ErrFile, s.Name, err)
	}
	for _, h := range head {
		t.header = append(t.header, strings.ToLower(strings.TrimSpace(h)))
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

// find returns the place of the first of the names that is a column, or -1.
func (t *table) find(names ...string) int {
	for _, n := range names {
		if i := slices.Index(t.header, n); i >= 0 {
			return i
		}
	}
	return -1
}

// need refuses a file without columns: pairs of a name and a place.
func (t *table) need(pairs ...any) error {
	for k := 0; k < len(pairs); k += 2 {
		if pairs[k+1].(int) < 0 {
			return ErrColumn.With("column", pairs[k]).With("has", strings.Join(t.header, ", ")).At("%s:1", t.name)
		}
	}
	return nil
}

// cell is the text of a column, "" without it; it is only good until the next row.
func (t *table) cell(c int) string {
	if c < 0 {
		return ""
	}
	return strings.TrimSpace(t.row[c])
}

// place is where a cell stands: file:line:column.
func (t *table) place(c int) [2]int {
	line, at := t.csv.FieldPos(max(c, 0))
	return [2]int{line, at}
}

func (t *table) bad(c int, why string) error {
	value := t.cell(c)
	if len(value) > 60 {
		value = strings.ToValidUTF8(value[:60], "") + "..."
	}
	return t.at(c, ErrCell.With("value", strconv.Quote(value)).With("column", t.header[c]).With("why", why))
}

func (t *table) at(c int, err *fault.Error) error {
	p := t.place(c)
	return err.At("%s:%d:%d", t.name, p[0], p[1])
}

// id is a code that must be there.
func (t *table) id(c int) (string, error) {
	s := t.cell(c)
	switch {
	case s == "":
		return "", t.bad(c, "it is empty")
	case len(s) > maxCell:
		return "", t.bad(c, "it is too long")
	}
	return s, nil
}

// number is 0 or more; an empty cell is 0.
func (t *table) number(c int) (float64, error) { return t.float(c, 0) }

func (t *table) float(c int, least float64) (float64, error) {
	s := t.cell(c)
	if s == "" {
		return 0, nil
	}
	v, err := strconv.ParseFloat(s, 64)
	switch {
	case err != nil || math.IsNaN(v) || math.IsInf(v, 0):
		return 0, t.bad(c, "write a number such as 1200.50")
	case v < least:
		return 0, t.bad(c, "it must not be negative")
	}
	return v, nil
}

// essential reads yes or no, or the words of Need.
func (t *table) essential(c int) (Need, error) {
	switch strings.ToLower(t.cell(c)) {
	case "essential", "yes", "true", "1":
		return Essential, nil
	case "non_essential", "non-essential", "no", "false", "0":
		return Useful, nil
	case "negligible", "none":
		return Negligible, nil
	}
	return 0, t.bad(c, "write essential, non_essential or negligible; yes and no mean the first two")
}

// kind reads the classes of Diem et al.'s programs: 2 essential, 1 not, 0 negligible.
func (t *table) kind(c int) (Need, error) {
	switch t.cell(c) {
	case "2":
		return Essential, nil
	case "1":
		return Useful, nil
	case "0":
		return Negligible, nil
	}
	return 0, t.bad(c, "write 2 for essential, 1 for non-essential, 0 for negligible")
}
