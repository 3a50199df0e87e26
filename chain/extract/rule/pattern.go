package rule

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// pattern is a phrase with two firms in it, in the order of the text. It is written as
// words between spaces:
//
//	1, 2      the firms
//	a|b|c     one of these words
//	a|b?      one of these words, or nothing
//	~12       up to 12 characters of the same clause
//	~~40      up to 40 characters of the same sentence
//
// A gap takes as little as it can.
type pattern []step

type step struct {
	kind  stepKind
	words []string
	max   int
}

type stepKind uint8

const (
	first stepKind = iota
	second
	words
	maybe
	gap
	wideGap
)

// compile reads a pattern; it panics on one that is not well formed, as the patterns are
// part of the program.
func compile(text string) pattern {
	var p pattern
	for _, f := range strings.Fields(text) {
		switch {
		case f == "1":
			p = append(p, step{kind: first})
		case f == "2":
			p = append(p, step{kind: second})
		case strings.HasPrefix(f, "~"):
			s := step{kind: gap}
			if f = f[1:]; strings.HasPrefix(f, "~") {
				s.kind, f = wideGap, f[1:]
			}
			n, err := strconv.Atoi(f)
			if err != nil {
				panic(fmt.Sprintf("rule: gap %q of pattern %q", f, text))
			}
			s.max = n
			p = append(p, s)
		case strings.HasSuffix(f, "?"):
			p = append(p, step{kind: maybe, words: strings.Split(f[:len(f)-1], "|")})
		default:
			p = append(p, step{kind: words, words: strings.Split(f, "|")})
		}
	}
	if len(p) == 0 || p[0].kind != first {
		panic(fmt.Sprintf("rule: pattern %q does not begin with its first firm", text))
	}
	return p
}

// span is a part of a text, in bytes.
type span struct{ start, end int }

// match looks for the pattern with its firms at a and b, a before b, in the sentence
// text; it returns where the match ends, or -1.
func (p pattern) match(text string, a, b span) int {
	return p[1:].from(text, a.end, b, false)
}

func (p pattern) from(text string, at int, b span, seen bool) int {
	if len(p) == 0 {
		return at
	}
	rest := p[1:]
	limit := len(text)
	if !seen {
		limit = b.start
	}
	switch s := p[0]; s.kind {
	case first: // compile takes it at the beginning only
		return -1
	case second:
		if seen || at != b.start {
			return -1
		}
		return rest.from(text, b.end, b, true)
	case words, maybe:
		for _, w := range s.words {
			if at+len(w) <= limit && text[at:at+len(w)] == w {
				if end := rest.from(text, at+len(w), b, seen); end >= 0 {
					return end
				}
			}
		}
		if s.kind == maybe {
			return rest.from(text, at, b, seen)
		}
		return -1
	case gap, wideGap:
		// The second firm ends the gap before it: there is one length to try.
		if !seen && len(rest) > 0 && rest[0].kind == second {
			if !fits(text[at:b.start], s) {
				return -1
			}
			return rest.from(text, b.start, b, seen)
		}
		for n := 0; ; n++ {
			if end := rest.from(text, at, b, seen); end >= 0 {
				return end
			}
			if n == s.max || at >= limit {
				return -1
			}
			r, size := utf8.DecodeRuneInString(text[at:limit])
			if s.kind == gap && clauseMark(r) {
				return -1
			}
			at += size
		}
	}
	return -1
}

// fits tells whether the text is short enough for a gap and of one clause if it must be.
func fits(text string, s step) bool {
	if len(text) > s.max*utf8.UTFMax {
		return false
	}
	n := 0
	for _, r := range text {
		if n++; n > s.max || (s.kind == gap && clauseMark(r)) {
			return false
		}
	}
	return true
}

// clauseMark parts clauses. The mark between members of a list does not.
func clauseMark(r rune) bool {
	switch r {
	case ',', '，', ';', '；', ':', '：', '。', '!', '！', '?', '？', '\n':
		return true
	}
	return false
}

// sentenceMark parts sentences.
func sentenceMark(r rune) bool {
	switch r {
	case '。', '!', '！', '?', '？', ';', '；', '\n', '\f':
		return true
	}
	return false
}

// sentences parts a text; a sentence keeps its mark.
func sentences(text string) []span {
	var out []span
	start := 0
	for i, r := range text {
		if !sentenceMark(r) {
			continue
		}
		end := i + utf8.RuneLen(r)
		if strings.TrimSpace(text[start:i]) != "" {
			out = append(out, span{start, end})
		}
		start = end
	}
	if strings.TrimSpace(text[start:]) != "" {
		out = append(out, span{start, len(text)})
	}
	return out
}

// clause widens the part [start, end) of a sentence to the clauses it touches.
func clause(text string, start, end int) span {
	for start > 0 {
		r, size := utf8.DecodeLastRuneInString(text[:start])
		if clauseMark(r) {
			break
		}
		start -= size
	}
	for end < len(text) {
		r, size := utf8.DecodeRuneInString(text[end:])
		if clauseMark(r) {
			break
		}
		end += size
	}
	return span{start, end}
}
