// Package frame holds a table of facts by columns, as models are trained on it, and
// reads it from CSV: the kind of each column is found from its cells.
package frame

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"slices"
	"time"

	"github.com/furrowcredit/furrow/credit/score"
	"github.com/furrowcredit/furrow/fault"
)

// What can be wrong with a table.
var (
	ErrTable  = fault.New(fault.Invalid, "score.table", "the table cannot be read: {why}")
	ErrColumn = fault.New(fault.Invalid, "score.column", "the table has no column {column}; its columns are: {columns}")
	ErrTarget = fault.New(fault.Invalid, "score.target", "column {column} is no outcome: {why}")
	ErrKey    = fault.New(fault.Invalid, "score.key", "the tables cannot be joined on {column}: {why}")
)

// Kind is what a column holds.
type Kind uint8

// The kinds of columns.
const (
	Number Kind = iota
	Category
	Date // days since 1970-01-01 in Num
)

// String names a kind as models do.
func (k Kind) String() string {
	switch k {
	case Category:
		return score.Category
	case Date:
		return score.Date
	default:
		return score.Number
	}
}

// Column is a column of a table. Num holds the numbers, not-a-number where nothing is
// known; Code holds the place in Levels of a category, -1 where nothing is known.
type Column struct {
	Name   string
	Kind   Kind
	Num    []float64
	Code   []int32
	Levels []string
	Strays int // cells of a column of numbers that are none, and count as missing
}

// Frame is a table by columns.
type Frame struct {
	Rows    int
	Columns []Column
}

// Column finds a column by its name.
func (f *Frame) Column(name string) (*Column, error) {
	for i := range f.Columns {
		if f.Columns[i].Name == name {
			return &f.Columns[i], nil
		}
	}
	names := ""
	for i := range f.Columns {
		if i > 0 {
			names += ", "
		}
		if names += f.Columns[i].Name; len(names) > 600 {
			names += ", …"
			break
		}
	}
	return nil, ErrColumn.With("column", name).With("columns", names)
}

// IsMissing tells whether nothing is known in a row.
func (c *Column) IsMissing(row int) bool {
	if c.Kind == Category {
		return c.Code[row] < 0
	}
	return math.IsNaN(c.Num[row])
}

// Value is the cell of a row as a model takes it.
func (c *Column) Value(row int) score.Value {
	switch {
	case c.IsMissing(row):
		return score.Missing
	case c.Kind == Category:
		return score.Text(c.Levels[c.Code[row]])
	default:
		return score.Num(c.Num[row])
	}
}

// Text is the cell of a row as a person reads it.
func (c *Column) Text(row int) string {
	if c.Kind == Date && !c.IsMissing(row) {
		return time.Unix(int64(c.Num[row])*86400, 0).UTC().Format(time.DateOnly)
	}
	return c.Value(row).String()
}

// Distinct counts the different values that are known.
func (c *Column) Distinct() int {
	if c.Kind == Category {
		return len(c.Levels)
	}
	v := make([]float64, 0, len(c.Num))
	for _, x := range c.Num {
		if !math.IsNaN(x) {
			v = append(v, x)
		}
	}
	slices.Sort(v)
	return len(slices.Compact(v))
}

// Take gives the rows of a table, in the order asked for.
func (f *Frame) Take(rows []int) *Frame {
	out := &Frame{Rows: len(rows)}
	for i := range f.Columns {
		c := f.Columns[i]
		if c.Kind == Category {
			code := make([]int32, len(rows))
			for k, r := range rows {
				code[k] = c.Code[r]
			}
			c.Code = code
		} else {
			num := make([]float64, len(rows))
			for k, r := range rows {
				num[k] = c.Num[r]
			}
			c.Num = num
		}
		out.Columns = append(out.Columns, c)
	}
	return out
}

// Drop gives the table without columns; each must be there.
func (f *Frame) Drop(names ...string) (*Frame, error) {
	for _, n := range names {
		if _, err := f.Column(n); err != nil {
			return nil, err
		}
	}
	out := &Frame{Rows: f.Rows}
	for _, c := range f.Columns {
		if !slices.Contains(names, c.Name) {
			out.Columns = append(out.Columns, c)
		}
	}
	return out, nil
}

// Hash is the SHA-256 of names, kinds and cells, in hexadecimal.
func (f *Frame) Hash() string {
	h := sha256.New()
	var b [8]byte
	put := func(v uint64) {
		binary.LittleEndian.PutUint64(b[:], v)
		_, _ = h.Write(b[:])
	}
	put(uint64(f.Rows))
	for i := range f.Columns {
		c := &f.Columns[i]
		put(uint64(len(c.Name)))
		_, _ = h.Write([]byte(c.Name))
		put(uint64(c.Kind))
		for r := range f.Rows {
			if c.Kind == Category {
				s := c.Value(r).String()
				put(uint64(len(s)))
				_, _ = h.Write([]byte(s))
			} else {
				put(math.Float64bits(c.Num[r]))
			}
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Outcome is the target of a table: bad or not, by row.
type Outcome struct {
	Column string
	Value  string // the value that means bad
	Bad    []bool
}

// Outcome reads the target: the column has two values and none missing; bad is the one
// named, else 1, true, yes, bad, default and their like; it is an error when neither tells.
func (f *Frame) Outcome(column, bad string) (Outcome, error) {
	c, err := f.Column(column)
	if err != nil {
		return Outcome{}, err
	}
	fail := func(why string) (Outcome, error) {
		return Outcome{}, ErrTarget.With("column", column).With("why", why)
	}
	seen := map[string]int{}
	texts := make([]string, f.Rows)
	for r := range f.Rows {
		if c.IsMissing(r) {
			return fail("row " + score.Num(float64(r+1)).String() + " has none")
		}
		texts[r] = c.Text(r)
		if seen[texts[r]]++; len(seen) > 2 && bad == "" {
			return fail("it has more than two values; name the bad one")
		}
	}
	if bad == "" {
		for v := range seen {
			if isBad(v) {
				if bad != "" {
					return fail("both of its values sound bad; name the bad one")
				}
				bad = v
			}
		}
	} else if n, ok := score.ParseNumber(bad); ok && c.Kind == Number {
		bad = score.Num(n).String()
	}
	switch {
	case len(seen) < 2:
		return fail("it has one value only, and a model needs good rows and bad ones")
	case bad == "":
		return fail("which of its values is the bad one? name it")
	case seen[bad] == 0:
		return fail("no row has the bad value " + bad)
	}
	o := Outcome{Column: column, Value: bad, Bad: make([]bool, f.Rows)}
	for r, t := range texts {
		o.Bad[r] = t == bad
	}
	return o, nil
}

func isBad(v string) bool {
	return slices.Contains([]string{
		"1", "bad", "Bad", "BAD", "true", "True", "TRUE", "yes", "Yes", "YES", "Y", "y",
		"default", "Default", "defaulted", "CHGOFF", "是", "违约", "坏", "逾期",
	}, v)
}

// Only gives the table with these columns, in the order of the table; each must be there.
func (f *Frame) Only(names ...string) (*Frame, error) {
	out := &Frame{Rows: f.Rows}
	for _, n := range names {
		if _, err := f.Column(n); err != nil {
			return nil, err
		}
	}
	for _, c := range f.Columns {
		if slices.Contains(names, c.Name) {
			out.Columns = append(out.Columns, c)
		}
	}
	return out, nil
}
