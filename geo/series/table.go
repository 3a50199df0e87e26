package series

import (
	"bufio"
	"encoding/csv"
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/furrowcredit/furrow/fault"
)

// What can be wrong with a table of series. Place names file, line and column.
var (
	ErrColumn = fault.New(fault.Invalid, "series.column", "the table needs a column {column}; its first line must name series_id, date and value")
	ErrCell   = fault.New(fault.Invalid, "series.cell", "{text} is not a {want}")
	ErrTable  = fault.New(fault.Invalid, "series.table", "the file is not a CSV table: {why}")
	ErrRepeat = fault.New(fault.Invalid, "series.repeat", "series {id} has the date {date} twice; leave one, or have days merged into their mean")
)

// Row is a line of a table of series.
type Row struct {
	Date   time.Time
	Value  float64 // NaN when the cell is empty
	Weight float64 // 0 when the value is missing
	Smooth float64 // filled by SmoothTable and FillTable
	InGap  bool    // filled by FillTable: no weighted value within 20 days

	line int // of the file
}

// maxValue bounds the values: the squares of greater ones leave the range of numbers.
const maxValue = 1e12

// Named is one series of a table, in the order of its dates.
type Named struct {
	ID     string
	Rows   []Row
	Lambda float64 // filled by SmoothTable
}

// ReadTable reads CSV with the columns series_id, date (2026-05-31), value and,
// if there is one, weight (0..; without the column every value weighs 1). Series
// come in the order of their first line; name stands in the place of errors. Rows of
// one series and day are an error, or with merge become one of their weighted mean.
func ReadTable(r io.Reader, name string, merge bool) ([]Named, error) {
	buf := bufio.NewReader(r)
	if mark, err := buf.Peek(3); err == nil && string(mark) == "\ufeff" { // as spreadsheets write it
		_, _ = buf.Discard(3)
	}
	in := csv.NewReader(buf)
	in.ReuseRecord = true
	head, err := in.Read()
	if err != nil {
		return nil, fault.CSV(ErrTable, name, err)
	}
	col := map[string]int{}
	for i, h := range head {
		col[h] = i
	}
	for _, c := range []string{"series_id", "date", "value"} {
		if _, ok := col[c]; !ok {
			return nil, ErrColumn.With("column", c).At("%s:1", name)
		}
	}
	var out []Named
	index := map[string]int{}
	for {
		rec, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fault.CSV(ErrTable, name, err)
		}
		bad := func(c, want string) error {
			line, at := in.FieldPos(col[c])
			return ErrCell.With("text", strconv.Quote(rec[col[c]])).With("want", want).At("%s:%d:%d", name, line, at)
		}
		row := Row{Value: math.NaN()}
		if row.Date, err = time.Parse(time.DateOnly, rec[col["date"]]); err != nil {
			return nil, bad("date", "date such as 2026-05-31")
		}
		if s := rec[col["value"]]; s != "" {
			if row.Value, err = strconv.ParseFloat(s, 64); err != nil || math.Abs(row.Value) > maxValue {
				return nil, bad("value", "number from -1e12 to 1e12")
			}
		}
		row.Weight = 1
		if c, ok := col["weight"]; ok && rec[c] != "" {
			if row.Weight, err = strconv.ParseFloat(rec[c], 64); err != nil || !(row.Weight >= 0) || math.IsInf(row.Weight, 0) {
				return nil, bad("weight", "number of at least 0")
			}
		}
		if math.IsNaN(row.Value) {
			row.Weight = 0
		}
		id := rec[col["series_id"]]
		i, ok := index[id]
		if !ok {
			i = len(out)
			index[id] = i
			out = append(out, Named{ID: id})
		}
		row.line, _ = in.FieldPos(0)
		out[i].Rows = append(out[i].Rows, row)
	}
	for k := range out {
		s := &out[k]
		slices.SortStableFunc(s.Rows, func(a, b Row) int { return a.Date.Compare(b.Date) })
		days := s.Rows[:0]
		for _, r := range s.Rows {
			last := len(days) - 1
			switch {
			case last < 0 || !days[last].Date.Equal(r.Date):
				days = append(days, r)
			case !merge:
				return nil, ErrRepeat.With("id", s.ID).With("date", r.Date.Format(time.DateOnly)).At("%s:%d:1", name, r.line)
			default:
				days[last] = mean(days[last], r)
			}
		}
		s.Rows = days
	}
	return out, nil
}

// mean joins two rows of one day.
func mean(a, b Row) Row {
	switch {
	case b.Weight == 0:
		return a
	case a.Weight == 0:
		return b
	}
	a.Value += (b.Value - a.Value) * (b.Weight / (a.Weight + b.Weight))
	a.Weight += b.Weight
	return a
}

// SmoothTable fills Smooth and Lambda of every series. Days are counted in units
// of the series' own middle spacing, so that λ means what it means for evenly
// spaced scenes. With lambda 0 the V-curve chooses; p as in [Smoother.VCurve]. A
// series with fewer than two weighted values gets NaN, not an error: it has no
// curve, which is an answer.
func SmoothTable(table []Named, lambda, p float64) error {
	var s Smoother
	if lambda > 0 && p == 0 {
		return s.fixedTable(table, lambda)
	}
	var x, y, w, z []float64
	for k := range table {
		rows := table[k].Rows
		x = steps(x[:0], rows)
		y, w = y[:0], w[:0]
		for _, r := range rows {
			y, w = append(y, r.Value), append(w, r.Weight)
		}
		z = slices.Grow(z[:0], len(rows))[:len(rows)]
		var err error
		table[k].Lambda = lambda
		if lambda == 0 {
			grid := VGrid()
			if Lag1(y, w) <= 0.5 { // a noisy series needs more
				for i := range grid {
					grid[i] += 2
				}
			}
			table[k].Lambda, err = s.VCurve(z, x, y, w, grid, p)
		} else {
			err = s.Envelope(z, x, y, w, lambda, p)
		}
		few := errors.Is(err, ErrFew)
		if bad := new(fault.Error); !few && errors.As(err, &bad) {
			return bad.At("series %s", table[k].ID)
		}
		table[k].take(z, few)
	}
	return nil
}

// batched is how many values are smoothed at once, so that they stay in the cache.
const batched = 1 << 14

// fixedTable smooths series that share their days side by side.
func (s *Smoother) fixedTable(table []Named, lambda float64) error {
	var x, next, y, w, z []float64
	for k := 0; k < len(table); {
		x = steps(x[:0], table[k].Rows)
		n := len(x)
		y, w = y[:0], w[:0]
		end := k
		for ; end < len(table) && (end == k || len(y)+n <= batched); end++ {
			if next = steps(next[:0], table[end].Rows); !slices.Equal(next, x) {
				break
			}
			for _, r := range table[end].Rows {
				y, w = append(y, r.Value), append(w, r.Weight)
			}
		}
		z = slices.Grow(z[:0], len(y))[:len(y)]
		if n > 0 {
			_, err := s.Batch(z, x, y, w, lambda)
			if bad := new(fault.Error); errors.As(err, &bad) {
				return bad.At("series %s", table[k].ID)
			}
		}
		for i := k; i < end; i++ {
			at := (i - k) * n
			table[i].Lambda = lambda
			table[i].take(z[at:at+n], live(w[at:at+n]) < 2)
		}
		k = end
	}
	return nil
}

// take keeps the smoothed values; too few give none.
func (t *Named) take(z []float64, few bool) {
	for i := range t.Rows {
		t.Rows[i].Smooth = z[i]
		if few {
			t.Rows[i].Smooth = math.NaN()
		}
	}
	if few {
		t.Lambda = 0
	}
}

// steps are the days of rows since the first, in units of their middle spacing.
func steps(x []float64, rows []Row) []float64 {
	var gaps []float64
	for i, r := range rows {
		x = append(x, daysBetween(rows[0].Date, r.Date))
		if i > 0 {
			gaps = append(gaps, x[i]-x[i-1])
		}
	}
	if len(gaps) > 0 {
		slices.Sort(gaps)
		for i := range x {
			x[i] /= gaps[len(gaps)/2]
		}
	}
	return x
}

// daysBetween counts days. A time.Duration ends at 292 years.
func daysBetween(a, b time.Time) float64 { return float64(b.Unix()-a.Unix()) / 86400 }

// FillTable fills Smooth and InGap of every series as [Filler] does. A series with
// fewer than two weighted values gets NaN.
func FillTable(table []Named) error {
	var f Filler
	var days, y, w, z []float64
	for k := range table {
		rows := table[k].Rows
		days, y, w = days[:0], y[:0], w[:0]
		z = slices.Grow(z[:0], len(rows))[:len(rows)]
		for _, r := range rows {
			days = append(days, daysBetween(rows[0].Date, r.Date))
			y, w = append(y, r.Value), append(w, r.Weight)
		}
		err := f.Fill(z, days, y, w)
		few := errors.Is(err, ErrFew)
		if bad := new(fault.Error); !few && errors.As(err, &bad) {
			return bad.At("series %s", table[k].ID)
		}
		for i := range rows {
			rows[i].Smooth = z[i]
			if few {
				rows[i].Smooth = math.NaN()
			}
		}
		markGaps(rows)
	}
	return nil
}

func markGaps(rows []Row) {
	last := time.Time{}
	near := func(i int) {
		if rows[i].Weight > 0 {
			last = rows[i].Date
		}
		if d := rows[i].Date.Sub(last).Abs(); !last.IsZero() && d <= gapDays*24*time.Hour {
			rows[i].InGap = false
		}
	}
	for i := range rows {
		rows[i].InGap = true
		near(i)
	}
	last = time.Time{}
	for i := len(rows) - 1; i >= 0; i-- {
		near(i)
	}
}

// WriteTable writes series_id, date, value, weight, smooth and, if asked, in_gap (1
// or 0); what is not known is an empty cell.
func WriteTable(w io.Writer, table []Named, gaps bool) error {
	out := csv.NewWriter(w)
	head := []string{"series_id", "date", "value", "weight", "smooth", "in_gap"}
	columns := len(head) - 1
	if gaps {
		columns++
	}
	if err := out.Write(head[:columns]); err != nil {
		return err
	}
	for _, s := range table {
		for _, r := range s.Rows {
			gap := "0"
			if r.InGap {
				gap = "1"
			}
			line := []string{s.ID, r.Date.Format(time.DateOnly), number(r.Value), number(r.Weight), number(r.Smooth), gap}
			if err := out.Write(line[:columns]); err != nil {
				return err
			}
		}
	}
	out.Flush()
	return out.Error()
}

func number(v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}
