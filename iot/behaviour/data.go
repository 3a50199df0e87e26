package behaviour

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
	"time"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/iot"
)

// What can be wrong with a file of acceleration.
var (
	ErrFile   = fault.New(fault.Invalid, "behaviour.file", "the file cannot be read: {why}")
	ErrColumn = fault.New(fault.Invalid, "behaviour.column", "the file needs a column {column}; it has {has}")
	ErrValue  = fault.New(fault.Invalid, "behaviour.value", "the value {value} of column {column} is not usable: {why}")
)

// Segment is a run of acceleration without a gap, of one animal doing one thing.
type Segment struct {
	ID    string // of the file; "" when it has no such column
	Group string // the animal
	Label string // what it did, as the file calls it; "" unknown
	Start time.Time
	Hz    float64
	XYZ   [][3]float64 // m/s², gravity included
}

// Seconds is the length of the segment.
func (s *Segment) Seconds() float64 { return float64(len(s.XYZ)) / s.Hz }

// Open reads a file of docs/formats/acceleration.md; a name that ends in .gz is
// unpacked, and - is in. group names the column of the animal. ErrFile, ErrColumn
// and ErrValue say where.
func Open(name, group string, in io.Reader) ([]Segment, error) {
	if name == "-" {
		return Read(in, "stdin", group)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, ErrFile.With("why", "it cannot be opened").At("%s", name).Because(err)
	}
	defer func() { _ = f.Close() }() // read only
	var r io.Reader = f
	if strings.HasSuffix(name, ".gz") {
		z, err := gzip.NewReader(bufio.NewReader(f))
		if err != nil {
			return nil, ErrFile.With("why", "it is not gzip").At("%s", name).Because(err)
		}
		r = z
	}
	return Read(r, name, group)
}

// The columns of a file; the first five must be there.
const (
	colTime = iota
	colX
	colY
	colZ
	colGroup
	colLabel
	colSegment
	columns
)

// run is a segment that is being read.
type run struct {
	Segment
	at []time.Time
}

// Read reads segments from CSV with the columns time, ax, ay, az and the group's,
// and behaviour and segment where it has them. A new segment begins where one of
// group, behaviour and segment changes, or time leaves a gap.
func Read(r io.Reader, name, group string) ([]Segment, error) {
	c := csv.NewReader(bufio.NewReaderSize(r, 1<<16))
	c.ReuseRecord = true
	header, err := c.Read()
	if err != nil {
		return nil, fault.CSV(ErrFile, name, err)
	}
	header = slices.Clone(header)
	col, err := findColumns(header, group, name)
	if err != nil {
		return nil, err
	}
	var runs []run
	field := func(row []string, k int) string {
		if col[k] < 0 {
			return ""
		}
		return row[col[k]]
	}
	for {
		row, err := c.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fault.CSV(ErrFile, name, err)
		}
		bad := func(k int, why string) error {
			line, column := c.FieldPos(col[k])
			return ErrValue.With("value", strconv.Quote(row[col[k]])).With("column", header[col[k]]).With("why", why).At("%s:%d:%d", name, line, column)
		}
		if field(row, colGroup) == "" {
			return nil, bad(colGroup, "it is empty")
		}
		at, ok := iot.ParseTime(row[col[colTime]])
		if !ok {
			return nil, bad(colTime, "write it as 2024-05-15 13:30:48.1, as RFC 3339 or as Unix milliseconds")
		}
		var x [3]float64
		for k := range x {
			v, err := strconv.ParseFloat(strings.TrimSpace(row[col[colX+k]]), 64)
			if err != nil || !(math.Abs(v) <= maxG) {
				return nil, bad(colX+k, "it must be an acceleration in m/s² of at most 400")
			}
			x[k] = v
		}
		last := len(runs) - 1
		if last < 0 || runs[last].ID != field(row, colSegment) || runs[last].Group != field(row, colGroup) || runs[last].Label != field(row, colLabel) {
			runs = append(runs, run{Segment: Segment{ID: strings.Clone(field(row, colSegment)), Group: strings.Clone(field(row, colGroup)),
				Label: strings.Clone(field(row, colLabel))}})
			last++
		} else if !at.After(runs[last].at[len(runs[last].at)-1]) {
			return nil, bad(colTime, "it is not after the row before")
		}
		runs[last].XYZ = append(runs[last].XYZ, x)
		runs[last].at = append(runs[last].at, at)
	}
	if len(runs) == 0 {
		return nil, ErrFile.With("why", "it has no rows").At("%s", name)
	}
	return settle(runs, name)
}

// maxG is the largest acceleration a livestock tag measures, 40 g in m/s².
const maxG = 400

func findColumns(header []string, group, name string) (col [columns]int, err error) {
	header[0] = strings.TrimPrefix(header[0], "\uFEFF")
	for k, want := range [columns]string{"time", "ax", "ay", "az", group, "behaviour", "segment"} {
		col[k] = slices.IndexFunc(header, func(h string) bool { return strings.EqualFold(strings.TrimSpace(h), want) })
		if col[k] < 0 && k <= colGroup {
			return col, ErrColumn.With("column", want).With("has", strings.Join(header, ", ")).At("%s:1", name)
		}
	}
	return col, nil
}

// settle finds the sampling rate of the file, the median step of its rows, and
// parts runs at gaps of more than a step and a half.
func settle(runs []run, name string) ([]Segment, error) {
	var steps []float64
	for _, r := range runs {
		for i := 1; i < len(r.at); i++ {
			steps = append(steps, r.at[i].Sub(r.at[i-1]).Seconds())
		}
	}
	if len(steps) == 0 {
		return nil, ErrFile.With("why", "no two rows follow each other").At("%s", name)
	}
	slices.Sort(steps)
	step := steps[len(steps)/2]
	if hz := 1 / step; hz < minHz || hz > maxHz {
		return nil, ErrFile.With("why", "its rows follow each other at "+strconv.FormatFloat(hz, 'g', 4, 64)+" Hz; 9.8 to 1000 can be judged").At("%s", name)
	}
	var out []Segment
	for _, r := range runs {
		from := 0
		for i := 1; i <= len(r.at); i++ {
			if i < len(r.at) && r.at[i].Sub(r.at[i-1]).Seconds() <= 1.5*step {
				continue
			}
			s := r.Segment
			s.Start, s.Hz, s.XYZ = r.at[from], 1/step, r.XYZ[from:i:i]
			out = append(out, s)
			from = i
		}
	}
	return out, nil
}
