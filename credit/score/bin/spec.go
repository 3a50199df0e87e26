// Package bin cuts columns into bins: finely, for models that smooth or boost over
// them, and optimally, for scorecards. Special values and missing ones have bins of
// their own and are never mixed with amounts.
package bin

import (
	"cmp"
	"math"
	"slices"

	"github.com/furrowcredit/furrow/credit/score"
	"github.com/furrowcredit/furrow/credit/score/frame"
)

// Spec says which bin a cell falls into: for numbers and dates first the intervals in
// ascending order, then special values, then missing; for categories groups, then other,
// then missing.
type Spec struct {
	Name     string
	Kind     frame.Kind
	Edges    []float64   // ends of the intervals but the last
	Specials [][]float64 // values of each special bin
	Groups   [][]string  // values of each group
}

// Ordered is how many bins stand in an order: the intervals of a number.
func (s *Spec) Ordered() int {
	if s.Kind == frame.Category {
		return 0
	}
	return len(s.Edges) + 1
}

// Len is how many bins there are.
func (s *Spec) Len() int {
	if s.Kind == frame.Category {
		return len(s.Groups) + 2
	}
	return len(s.Edges) + 1 + len(s.Specials) + 1
}

// Missing is the bin of missing values.
func (s *Spec) Missing() int { return s.Len() - 1 }

// Codes gives the bin of each row of a column.
func (s *Spec) Codes(c *frame.Column) []uint16 {
	out := make([]uint16, len(c.Num)+len(c.Code))
	lost := uint16(s.Missing())
	if s.Kind != frame.Category {
		if c.Kind == frame.Category { // a column of numbers that holds none here
			for i, k := range c.Code {
				out[i] = lost
				if k >= 0 {
					if v, ok := score.ParseNumber(c.Levels[k]); ok {
						out[i] = s.number(v)
					}
				}
			}
			return out
		}
		for i, v := range c.Num {
			if out[i] = lost; !math.IsNaN(v) {
				out[i] = s.number(v)
			}
		}
		return out
	}
	group := make(map[string]uint16)
	for g, values := range s.Groups {
		for _, v := range values {
			group[v] = uint16(g)
		}
	}
	other := lost - 1
	if c.Kind != frame.Category {
		for i, v := range c.Num {
			if out[i] = lost; !math.IsNaN(v) {
				if g, ok := group[score.Num(v).String()]; ok {
					out[i] = g
				} else {
					out[i] = other
				}
			}
		}
		return out
	}
	place := make([]uint16, len(c.Levels))
	for l, v := range c.Levels {
		if g, ok := group[v]; ok {
			place[l] = g
		} else {
			place[l] = other
		}
	}
	for i, k := range c.Code {
		if out[i] = lost; k >= 0 {
			out[i] = place[k]
		}
	}
	return out
}

func (s *Spec) number(v float64) uint16 {
	for i, special := range s.Specials {
		if slices.Contains(special, v) {
			return uint16(len(s.Edges) + 1 + i)
		}
	}
	at, same := slices.BinarySearch(s.Edges, v)
	if same {
		at++
	}
	return uint16(at)
}

// Fine says how finely to cut.
type Fine struct {
	Bins    int // intervals at most
	MinRows int // rows of an interval or a group at least
}

// Numbers cuts the numbers of a column into intervals of about equally many rows; a
// value that many rows share has an interval to itself. Codes found by Specials are cut
// out first.
func Numbers(c *frame.Column, opt Fine) Spec {
	s := Spec{Name: c.Name, Kind: c.Kind}
	values, counts := tally(c.Num)
	special := specials(values, counts)
	for _, v := range special {
		s.Specials = append(s.Specials, []float64{v})
	}
	rows, keep := 0, 0
	for i, v := range values {
		if !slices.Contains(special, v) {
			values[keep], counts[keep] = v, counts[i]
			rows += counts[i]
			keep++
		}
	}
	values, counts = values[:keep], counts[:keep]
	want := max(float64(opt.MinRows), float64(rows)/float64(opt.Bins))
	have := 0
	for i := 0; i+1 < len(values); i++ {
		have += counts[i]
		rows -= counts[i]
		// Before a value that fills an interval by itself, close what is open.
		big := float64(counts[i+1]) >= want && have >= opt.MinRows
		if (float64(have) >= want || big) && rows >= opt.MinRows {
			s.Edges = append(s.Edges, between(values[i], values[i+1]))
			have = 0
		}
	}
	return s
}

// between is the shortest decimal number that parts a from b: a < cut ≤ b.
func between(a, b float64) float64 {
	mid := a + (b-a)/2
	if !(a < mid && mid < b) {
		return b
	}
	for digits := 0; digits < 17; digits++ {
		scale := math.Pow(10, math.Floor(math.Log10(b-a))-float64(digits))
		if cut := math.Round(mid/scale) * scale; cut > a && cut <= b {
			return round(cut)
		}
	}
	return mid
}

// round takes the dust of binary fractions off a number.
func round(v float64) float64 {
	if v == 0 {
		return 0
	}
	scale := math.Pow(10, 14-math.Floor(math.Log10(math.Abs(v))))
	if r := math.Round(v*scale) / scale; !math.IsInf(r, 0) && !math.IsNaN(r) {
		return r
	}
	return v
}

func tally(num []float64) (values []float64, counts []int) {
	v := make([]float64, 0, len(num))
	for _, x := range num {
		if !math.IsNaN(x) {
			v = append(v, x)
		}
	}
	slices.Sort(v)
	for i, x := range v {
		if i == 0 || x != v[i-1] {
			values, counts = append(values, x), append(counts, 0)
		}
		counts[len(counts)-1]++
	}
	return values, counts
}

// Specials finds values of a column that are codes rather than amounts. Two kinds are
// known by their looks: a few whole numbers below zero where everything else is zero or
// more and varied (-9 for 'no record'), and a repeated 9, 99, 999… far above the rest.
func Specials(c *frame.Column) []float64 {
	if c.Kind != frame.Number {
		return nil
	}
	return specials(tally(c.Num))
}

const (
	fewCodes   = 5  // more different values below zero are amounts
	varied     = 12 // fewer different values are a scale, whose steps are in order
	farAbove   = 2.0
	codeRepeat = 5
)

func specials(values []float64, counts []int) (out []float64) {
	below, _ := slices.BinarySearch(values, 0)
	if below > 0 && below <= fewCodes && len(values)-below >= varied {
		codes := true
		for i, v := range values[:below] {
			codes = codes && v == math.Trunc(v) && v >= -99999 && counts[i] >= 2
		}
		// Minus 1, minus 2 of a scale that goes on without a gap are steps.
		if codes {
			out = append(out, values[:below]...)
		}
	}
	if n := len(values); n > varied {
		top, next := values[n-1], values[n-2]
		if nines(top) && counts[n-1] >= codeRepeat && top > farAbove*max(next, 1) {
			out = append(out, top)
		}
	}
	return out
}

// nines tells 99, 999, 9999 and so on.
func nines(v float64) bool {
	for n := 99.0; n <= 1e12; n = n*10 + 9 {
		if v == n {
			return true
		}
	}
	return false
}

// Levels gives each category of enough rows a group of its own; the rest are other.
// Groups stand in the order of their names.
func Levels(c *frame.Column, opt Fine) Spec {
	s := Spec{Name: c.Name, Kind: frame.Category}
	counts := make([]int, len(c.Levels))
	for _, k := range c.Code {
		if k >= 0 {
			counts[k]++
		}
	}
	order := make([]int, 0, len(counts))
	for l, n := range counts {
		if n >= opt.MinRows && n > 0 {
			order = append(order, l)
		}
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b)) })
	order = order[:min(len(order), opt.Bins)]
	slices.Sort(order)
	for _, l := range order {
		s.Groups = append(s.Groups, []string{c.Levels[l]})
	}
	return s
}
