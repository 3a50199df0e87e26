package policy

import (
	"math"
	"reflect"
	"slices"
	"strings"
)

// atom is a part of a column's values that no cell of the table divides.
type atom struct {
	at   probe
	text string
}

// atoms cuts a column where any of the rows changes its mind: one value stands for each
// part.
func (t *table) atoms(col int) (out []atom) {
	c := &t.columns[col]
	if c.known != nil {
		out = append(out, atom{probe{missing: true}, "missing"})
	}
	switch c.kind {
	case reflect.Bool:
		return append(out, atom{probe{flag: true}, "true"}, atom{probe{}, "false"})
	case reflect.String:
		var words []string
		for i := range t.rows {
			words = append(words, t.rows[i].cells[col].words...)
		}
		slices.Sort(words)
		for _, w := range slices.Compact(words) {
			out = append(out, atom{probe{text: w}, `"` + w + `"`})
		}
		return append(out, atom{probe{text: "\x00"}, "any other text"})
	default:
		return append(out, t.numbers(col)...)
	}
}

// numbers cuts the line of numbers at every end of a range.
func (t *table) numbers(col int) (out []atom) {
	kind := t.columns[col].kind
	var ends []float64
	for i := range t.rows {
		for _, s := range t.rows[i].cells[col].ranges {
			for _, v := range []float64{s.lo, s.hi} {
				if !math.IsInf(v, 0) {
					ends = append(ends, v)
				}
			}
		}
	}
	slices.Sort(ends)
	ends = slices.Compact(ends)
	add := func(s span) {
		if kind == reflect.Int {
			s = whole(s)
		}
		if s.empty() {
			return
		}
		v := s.lo
		switch {
		case math.IsInf(s.lo, -1) && math.IsInf(s.hi, 1):
			v = 0
		case math.IsInf(s.lo, -1):
			v = s.hi - 1
		case math.IsInf(s.hi, 1):
			v = s.lo + 1
		case s.lo != s.hi && kind != reflect.Int:
			v = s.lo + (s.hi-s.lo)/2
		}
		out = append(out, atom{probe{num: v}, s.String()})
	}
	last := math.Inf(-1)
	for _, e := range ends {
		add(span{last, e, true, true})
		add(span{e, e, false, false})
		last = e
	}
	add(span{last, math.Inf(1), true, true})
	return out
}

// meet tells whether a value can fit both cells.
func (t *table) meet(col int, a, b *cell) bool {
	for _, x := range t.parts[col] {
		if kind := t.columns[col].kind; a.holds(kind, &x.at) && b.holds(kind, &x.at) {
			return true
		}
	}
	return false
}

// overlap tells whether some evidence fits both rows.
func (t *table) overlap(a, b *row) bool {
	for col := range t.columns {
		if !t.meet(col, &a.cells[col], &b.cells[col]) {
			return false
		}
	}
	return true
}

// searchMost bounds the search for a gap: a table beyond it is said not to be searched.
const searchMost = 200_000

// gap finds values that fit no row of rows but, when within is given, that row. It
// returns their description, column by column, or done false when the table is too large.
func (t *table) gap(rows []int, within *row) (values string, found, done bool) {
	budget := searchMost
	var path []string
	var search func(col int, rows []int) bool
	search = func(col int, rows []int) bool {
		if budget--; budget < 0 {
			return false
		}
		if len(rows) == 0 {
			for c := col; c < len(t.columns); c++ {
				path = append(path, t.columns[c].name+" any")
			}
			return true
		}
		if col == len(t.columns) {
			return false
		}
		kind := t.columns[col].kind
		for i := range t.parts[col] {
			x := &t.parts[col][i]
			if within != nil && !within.cells[col].holds(kind, &x.at) {
				continue
			}
			var left []int
			for _, r := range rows {
				if t.rows[r].cells[col].holds(kind, &x.at) {
					left = append(left, r)
				}
			}
			path = append(path, t.columns[col].name+" "+x.text)
			if search(col+1, left) {
				return true
			}
			path = path[:len(path)-1]
		}
		return false
	}
	found = search(0, rows)
	return strings.Join(path, ", "), found, budget >= 0
}
