package score

import (
	"math"
	"strconv"
)

// Value is one fact of a row: a number, a text, or missing. It holds nothing on
// the heap of its own, so that rows are reused between scores.
type Value struct {
	kind kind
	num  float64
	text string
}

type kind uint8

const (
	missing kind = iota
	number
	text
)

// Missing is the fact that nobody knows; it is the zero Value.
var Missing = Value{}

// Num is a number; one that is not finite is missing.
func Num(f float64) Value {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return Missing
	}
	return Value{kind: number, num: f}
}

// Text is a category. The empty text is missing, as an empty cell of a table is.
func Text(s string) Value {
	if s == "" {
		return Missing
	}
	return Value{kind: text, text: s}
}

// IsMissing tells whether nothing is known.
func (v Value) IsMissing() bool { return v.kind == missing }

// Number gives the number, if it is one.
func (v Value) Number() (float64, bool) { return v.num, v.kind == number }

// String gives the value as a cell of a table.
func (v Value) String() string {
	switch v.kind {
	case number:
		return strconv.FormatFloat(v.num, 'g', -1, 64)
	case text:
		return v.text
	default:
		return ""
	}
}
