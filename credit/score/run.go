package score

import (
	"math"
	"slices"
)

// input is a column made ready: edges for a binary search, maps for the rest.
type input struct {
	edges    []float64 // ends of the intervals but the last
	special  []float64 // sorted, with the bin of each beside
	bins     []uint16  // of special
	groups   map[string]uint16
	numbers  map[float64]uint16 // a category's values that are numbers, so that no text is made of a number
	category bool
	date     bool
	other    int
	missing  int
	points   []int
	variance []float64
	best     int
}

func newInput(f *Input) input {
	in := input{category: f.Kind == Category, date: f.Kind == Date, best: math.MinInt, other: -1}
	if in.category {
		in.groups, in.numbers = make(map[string]uint16), make(map[float64]uint16)
	}
	type code struct {
		v   float64
		bin uint16
	}
	var codes []code
	for i := range f.Bins {
		b := &f.Bins[i]
		in.points = append(in.points, b.Points)
		in.variance = append(in.variance, b.SE*b.SE)
		in.best = max(in.best, b.Points)
		switch {
		case b.Missing:
			in.missing = i
		case b.Other:
			in.other = i
		case b.Below != nil:
			in.edges = append(in.edges, *b.Below)
		}
		for _, v := range b.Special {
			codes = append(codes, code{v, uint16(i)})
		}
		for _, v := range b.Values {
			in.groups[v] = uint16(i)
			if n, ok := ParseNumber(v); ok {
				in.numbers[n] = uint16(i)
			}
		}
	}
	slices.SortFunc(codes, func(a, b code) int {
		if a.v < b.v {
			return -1
		}
		return 1
	})
	for _, c := range codes {
		in.special, in.bins = append(in.special, c.v), append(in.bins, c.bin)
	}
	return in
}

// bin finds the bin of a value. A text where a number is needed is read as one if it
// can be, and is missing otherwise; a category that nobody saw is other.
func (in *input) bin(v *Value) int {
	if v.kind == missing {
		return in.missing
	}
	if in.category {
		if v.kind == number {
			if b, ok := in.numbers[v.num]; ok {
				return int(b)
			}
			return in.other
		}
		if b, ok := in.groups[v.text]; ok {
			return int(b)
		}
		if x, ok := ParseNumber(v.text); ok { // 007 is 7, where a table's numbers were many
			if b, ok := in.numbers[x]; ok {
				return int(b)
			}
		}
		return in.other
	}
	x := v.num
	if v.kind == text {
		var ok bool
		if in.date {
			x, ok = ParseDay(v.text)
		} else {
			x, ok = ParseNumber(v.text)
		}
		if !ok {
			return in.missing
		}
	}
	for i, s := range in.special {
		if s == x {
			return int(in.bins[i])
		}
	}
	lo, hi := 0, len(in.edges)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if x < in.edges[mid] {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo
}

// pair is a table made ready.
type pair struct {
	a, b           int
	groupA, groupB []int
	points         [][]int
}

func newPair(f *Pair) pair {
	return pair{a: f.A, b: f.B, groupA: f.GroupA, groupB: f.GroupB, points: f.Points}
}

// z90 is the normal quantile of a two-sided interval of 90 %.
const z90 = 1.6448536269514722

// Score scores a row, whose values stand in the order of Inputs; values beyond the
// row's end are missing. It allocates nothing once out has room for the parts.
func (m *Model) Score(row []Value, out *Result) {
	parts := out.Parts[:0]
	points, variance := m.file.Base, m.file.BaseSE*m.file.BaseSE
	for i := range m.inputs {
		in := &m.inputs[i]
		b := in.missing
		if i < len(row) {
			b = in.bin(&row[i])
		}
		points += in.points[b]
		variance += in.variance[b]
		parts = append(parts, Part{Input: i, Bin: b, Lost: float64(in.best - in.points[b])})
	}
	for i := range m.pairs {
		p := &m.pairs[i]
		got := p.points[p.groupA[parts[p.a].Bin]][p.groupB[parts[p.b].Bin]]
		points += got
		// Against nothing, which is what an ordinary row has from a pair: against the best cells of
		// many pairs, which no row has together, every input would seem to cost something.
		half := float64(got) / 2
		parts[p.a].Lost -= half
		parts[p.b].Lost -= half
	}
	// Insertion, for parts are few; equal ones stay in the order of the inputs.
	for i := 1; i < len(parts); i++ {
		p, j := parts[i], i
		for ; j > 0 && p.Lost > parts[j-1].Lost; j-- {
			parts[j] = parts[j-1]
		}
		parts[j] = p
	}
	out.Points, out.Parts = points, parts
	spread := z90 * math.Sqrt(variance) * m.curve.factor
	out.PD = m.curve.at(float64(points))
	out.Low = m.curve.at(float64(points) + spread)
	out.High = m.curve.at(float64(points) - spread)
}

// Bin is the bin of one input that a value falls into.
func (m *Model) Bin(in int, v Value) int { return m.inputs[in].bin(&v) }

// curve turns points into a probability.
type curve struct {
	points, logit []float64
	factor        float64
}

func newCurve(knots []Knot, s Scale) curve {
	c := curve{factor: s.Factor()}
	for _, k := range knots {
		c.points = append(c.points, k.Points)
		c.logit = append(c.logit, math.Log(k.PD/(1-k.PD)))
	}
	return c
}

func (c *curve) at(points float64) float64 {
	last := len(c.points) - 1
	var l float64
	switch {
	case points <= c.points[0]:
		l = c.logit[0] + (c.points[0]-points)/c.factor
	case points >= c.points[last]:
		l = c.logit[last] - (points-c.points[last])/c.factor
	default:
		i, _ := slices.BinarySearch(c.points, points)
		t := (points - c.points[i-1]) / (c.points[i] - c.points[i-1])
		l = c.logit[i-1] + t*(c.logit[i]-c.logit[i-1])
	}
	return 1 / (1 + math.Exp(-l))
}
