// Package goods compares what documents call the goods: an invoice says
// "*谷物加工品*面粉 25kg", the delivery "面粉". Nothing is the same as blank.
package goods

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Key makes the text by which goods are compared: half width, lower case, without
// the tax category between asterisks, letters only. Digits and what follows them in
// Latin letters are packs and sizes, which every paper writes in its own way.
func Key(s string) string {
	if s == "" {
		return ""
	}
	s = norm.NFKC.String(s)
	if strings.HasPrefix(s, "*") {
		if i := strings.IndexByte(s[1:], '*'); i >= 0 && strings.Trim(s[i+2:], "* ") != "" {
			s = s[i+2:]
		}
	}
	var b strings.Builder
	size := false // within a pack or size
	for _, r := range s {
		switch {
		case unicode.IsDigit(r):
			size = true
		case size && (r == '.' || r == '*' || r < 0x80 && unicode.IsLetter(r)):
		case unicode.IsLetter(r):
			size = false
			b.WriteRune(unicode.ToLower(r))
		default:
			size = false
		}
	}
	return b.String()
}

// Overlap is the part of the shorter key's letter pairs that the longer one has,
// 0..1: "面粉" and "高筋面粉" overlap wholly. It is 0 when either is blank.
func Overlap(a, b string) float64 {
	shared, x, y := pairs(a, b)
	if shared == 0 {
		return 0
	}
	return float64(shared) / float64(min(x, y))
}

// Dice is twice the shared letter pairs by the pairs of both, 0..1: 1 only of equal
// keys. It is 0 when either is blank.
func Dice(a, b string) float64 {
	shared, x, y := pairs(a, b)
	if shared == 0 {
		return 0
	}
	return 2 * float64(shared) / float64(x+y)
}

// pairs counts the pairs of neighbouring letters that both keys have, and those of
// each; a key of one letter is a pair of its own.
func pairs(a, b string) (shared, x, y int) {
	if a == "" || b == "" {
		return 0, 0, 0
	}
	of := func(s string) [][2]rune {
		r := []rune(s)
		if len(r) == 1 {
			return [][2]rune{{r[0]}}
		}
		out := make([][2]rune, len(r)-1)
		for i := range out {
			out[i] = [2]rune{r[i], r[i+1]}
		}
		return out
	}
	p, q := of(a), of(b)
	left := make(map[[2]rune]int, len(p))
	for _, k := range p {
		left[k]++
	}
	for _, k := range q {
		if left[k] > 0 {
			left[k]--
			shared++
		}
	}
	return shared, len(p), len(q)
}
