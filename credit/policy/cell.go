package policy

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// cell is the test of one column in one row: what the value may be.
type cell struct {
	any     bool // also what is missing
	missing bool
	ranges  []span   // of numbers, ascending and apart
	words   []string // of texts, sorted; with not, all others
	not     bool
	yes, no bool
}

// span is a range of numbers. Of whole numbers both ends belong to it.
type span struct {
	lo, hi         float64
	loOpen, hiOpen bool
}

func (s span) has(v float64) bool {
	return (v > s.lo || v == s.lo && !s.loOpen) && (v < s.hi || v == s.hi && !s.hiOpen)
}

func (s span) empty() bool { return s.lo > s.hi || s.lo == s.hi && (s.loOpen || s.hiOpen) }

func (s span) String() string {
	open, end := "[", "]"
	if s.loOpen || math.IsInf(s.lo, -1) {
		open = "("
	}
	if s.hiOpen || math.IsInf(s.hi, 1) {
		end = ")"
	}
	if s.lo == s.hi {
		return strconv.FormatFloat(s.lo, 'g', -1, 64)
	}
	return open + strconv.FormatFloat(s.lo, 'g', -1, 64) + ".." + strconv.FormatFloat(s.hi, 'g', -1, 64) + end
}

// probe is the value of a column for one decision.
type probe struct {
	missing bool
	flag    bool
	num     float64
	text    string
}

func (c *cell) holds(kind reflect.Kind, v *probe) bool {
	if c.any {
		return true
	}
	if v.missing {
		return c.missing
	}
	switch kind {
	case reflect.Bool:
		return v.flag && c.yes || !v.flag && c.no
	case reflect.String:
		for _, w := range c.words {
			if w == v.text {
				return !c.not
			}
		}
		return c.not
	default:
		for i := range c.ranges {
			if c.ranges[i].has(v.num) {
				return true
			}
		}
		return false
	}
}

// parseCell reads a test: "-" or nothing for any value, "missing", a literal, a
// comparison, a range [a..b), several with commas between, or not(...) of them. A test is
// false of what is missing unless it says missing.
func parseCell(text string, kind reflect.Kind) (cell, error) {
	text = strings.TrimSpace(text)
	if text == "-" || text == "" {
		return cell{any: true}, nil
	}
	var c cell
	inner, negated := text, false
	if rest, ok := strings.CutPrefix(text, "not"); ok && strings.HasPrefix(strings.TrimSpace(rest), "(") && strings.HasSuffix(rest, ")") {
		rest = strings.TrimSpace(rest)
		inner, negated = rest[1:len(rest)-1], true
	}
	parts, err := split(inner)
	if err != nil {
		return c, err
	}
	for _, p := range parts {
		if p == "missing" {
			c.missing = true
			continue
		}
		switch kind {
		case reflect.Bool:
			err = c.addFlag(p)
		case reflect.String:
			err = c.addWord(p)
		default:
			err = c.addRange(p)
		}
		if err != nil {
			return c, err
		}
	}
	c.join(kind)
	if negated {
		c.negate(kind)
	}
	return c, nil
}

// split cuts at commas that stand outside quotes and brackets.
func split(s string) (out []string, err error) {
	start, quote := 0, byte(0)
	depth := 0
	for i := range len(s) {
		switch ch := s[i]; {
		case quote != 0:
			if ch == quote {
				quote = 0
			}
		case ch == '"' || ch == '\'':
			quote = ch
		case ch == '[' || ch == '(':
			depth++
		case ch == ']' || ch == ')':
			depth--
		case ch == ',' && depth == 0:
			out = append(out, strings.TrimSpace(s[start:i]))
			start = i + 1
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("%s: a quotation mark is not closed", s)
	}
	out = append(out, strings.TrimSpace(s[start:]))
	if slices.Contains(out, "") {
		return nil, fmt.Errorf("%q has an empty test", s)
	}
	return out, nil
}

func (c *cell) addFlag(p string) error {
	switch p {
	case "true":
		c.yes = true
	case "false":
		c.no = true
	default:
		return fmt.Errorf("%s is neither true nor false", p)
	}
	return nil
}

func (c *cell) addWord(p string) error {
	if q := p[0]; q == '"' || q == '\'' {
		if len(p) < 2 || p[len(p)-1] != q {
			return fmt.Errorf("%s is no text in quotation marks", p)
		}
		c.words = append(c.words, p[1:len(p)-1])
		return nil
	}
	for _, r := range p {
		if strings.ContainsRune("<>=!()[]\"'", r) || r == ' ' {
			return fmt.Errorf("%s is no test of a text: write texts in quotation marks", p)
		}
	}
	c.words = append(c.words, p)
	return nil
}

func (c *cell) addRange(p string) error {
	all := span{math.Inf(-1), math.Inf(1), false, false}
	var op string
	for _, o := range []string{"<=", ">=", "!=", "==", "<", ">", "="} {
		if strings.HasPrefix(p, o) {
			op = o
			break
		}
	}
	if op != "" {
		v, err := literal(p[len(op):])
		if err != nil {
			return err
		}
		s := all
		switch op {
		case "<", "<=":
			s.hi, s.hiOpen = v, op == "<"
		case ">", ">=":
			s.lo, s.loOpen = v, op == ">"
		case "!=":
			c.ranges = append(c.ranges, span{s.lo, v, false, true}, span{v, s.hi, true, false})
			return nil
		default:
			s = span{v, v, false, false}
		}
		c.ranges = append(c.ranges, s)
		return nil
	}
	if len(p) > 1 && (p[0] == '[' || p[0] == '(') {
		end := p[len(p)-1]
		lo, hi, ok := strings.Cut(p[1:len(p)-1], "..")
		if !ok || end != ']' && end != ')' {
			return fmt.Errorf("%s is no range such as [0.5..0.8)", p)
		}
		a, err := literal(lo)
		if err != nil {
			return err
		}
		b, err := literal(hi)
		if err != nil {
			return err
		}
		s := span{a, b, p[0] == '(', end == ')'}
		if s.empty() {
			return fmt.Errorf("the range %s holds nothing", p)
		}
		c.ranges = append(c.ranges, s)
		return nil
	}
	v, err := literal(p)
	if err != nil {
		return err
	}
	c.ranges = append(c.ranges, span{v, v, false, false})
	return nil
}

func literal(s string) (float64, error) {
	v, err := strconv.ParseFloat(strings.ReplaceAll(strings.TrimSpace(s), "_", ""), 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, fmt.Errorf("%s is no number", strings.TrimSpace(s))
	}
	return v, nil
}

// join brings the tests of a cell into one form, so that cells can be compared.
func (c *cell) join(kind reflect.Kind) {
	slices.Sort(c.words)
	c.words = slices.Compact(c.words)
	if kind == reflect.Int {
		for i := range c.ranges {
			c.ranges[i] = whole(c.ranges[i])
		}
		c.ranges = slices.DeleteFunc(c.ranges, span.empty)
	}
	slices.SortFunc(c.ranges, func(a, b span) int {
		switch {
		case a.lo < b.lo, a.lo == b.lo && !a.loOpen && b.loOpen:
			return -1
		case a.lo == b.lo && a.loOpen == b.loOpen:
			return 0
		}
		return 1
	})
	out := c.ranges[:0]
	for _, s := range c.ranges {
		if n := len(out); n > 0 && touches(out[n-1], s, kind) {
			if last := &out[n-1]; s.hi > last.hi || s.hi == last.hi && !s.hiOpen {
				last.hi, last.hiOpen = s.hi, s.hiOpen
			}
			continue
		}
		out = append(out, s)
	}
	c.ranges = out
}

// whole is a range of whole numbers with both ends in it.
func whole(s span) span {
	if lo := math.Ceil(s.lo); lo > s.lo {
		s.lo = lo
	} else if s.loOpen {
		s.lo++
	}
	if hi := math.Floor(s.hi); hi < s.hi {
		s.hi = hi
	} else if s.hiOpen {
		s.hi--
	}
	s.loOpen, s.hiOpen = false, false
	return s
}

func touches(a, b span, kind reflect.Kind) bool {
	if kind == reflect.Int {
		return b.lo <= a.hi+1
	}
	return b.lo < a.hi || b.lo == a.hi && (!b.loOpen || !a.hiOpen)
}

// negate makes the cell hold what it did not, of what is known, and of what is missing
// when it named that not.
func (c *cell) negate(kind reflect.Kind) {
	if c.missing && len(c.ranges) == 0 && len(c.words) == 0 && !c.yes && !c.no { // not(missing)
		c.missing = false
		switch kind {
		case reflect.Bool:
			c.yes, c.no = true, true
		case reflect.String:
			c.not = true
		default:
			c.ranges = []span{{math.Inf(-1), math.Inf(1), false, false}}
		}
		return
	}
	c.missing = false // a test on what is missing is false, its negation too
	switch kind {
	case reflect.Bool:
		c.yes, c.no = !c.yes, !c.no
	case reflect.String:
		c.not = true
	default:
		c.ranges = outside(c.ranges, kind)
	}
}

// outside are the ranges between and around.
func outside(in []span, kind reflect.Kind) (out []span) {
	rest := span{math.Inf(-1), math.Inf(1), false, false}
	for _, s := range in {
		gap := span{rest.lo, s.lo, rest.loOpen, !s.loOpen}
		if kind == reflect.Int {
			gap = whole(gap)
		}
		if !gap.empty() && !math.IsInf(s.lo, -1) {
			out = append(out, gap)
		}
		rest = span{s.hi, math.Inf(1), !s.hiOpen, false}
	}
	if kind == reflect.Int {
		rest = whole(rest)
	}
	if !rest.empty() && !math.IsInf(rest.lo, 1) {
		out = append(out, rest)
	}
	return out
}
