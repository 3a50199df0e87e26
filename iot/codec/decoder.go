package codec

import (
	"math"
	"strconv"
	"unicode/utf8"
)

// decoder walks JSON once, without building values of what it skips. The first
// failure stays; after it every step is a no-op or harmless.
type decoder struct {
	b   []byte
	i   int
	why string
	at  int
	buf []byte // of the last text that had escapes
}

type kind byte

const (
	kindBad kind = iota
	kindNull
	kindTrue
	kindFalse
	kindNumber
	kindText
	kindOther
)

func (d *decoder) fail(why string) {
	if d.why == "" {
		d.why, d.at = why, min(d.i, len(d.b))
	}
	d.i = len(d.b)
}

func (d *decoder) peek() byte {
	if d.i < len(d.b) {
		return d.b[d.i]
	}
	return 0
}

func (d *decoder) next() byte {
	if d.i < len(d.b) {
		d.i++
		return d.b[d.i-1]
	}
	return 0
}

func (d *decoder) space() {
	for d.i < len(d.b) {
		switch d.b[d.i] {
		case ' ', '\t', '\n', '\r':
			d.i++
		default:
			return
		}
	}
}

// number reads a number, or null; any other value is skipped and reported by kind.
func (d *decoder) number() (float64, kind) {
	start := d.i
	k := d.skip(0)
	if k != kindNumber {
		return 0, k
	}
	text := d.b[start:d.i]
	// Most numbers are short decimals: read those without the general parser. Both
	// the digits and the power of ten are exact, so one division rounds correctly.
	if len(text) <= 16 {
		var n int64
		frac, dot, simple := 0, false, true
		digits := text
		if text[0] == '-' {
			digits = text[1:]
		}
		for _, c := range digits {
			switch {
			case c == '.':
				dot = true
			case c >= '0' && c <= '9':
				n = n*10 + int64(c-'0')
				if dot {
					frac++
				}
			default:
				simple = false
			}
		}
		if simple && n < 1<<53 {
			x := float64(n) / pow10[frac]
			if text[0] == '-' {
				x = -x
			}
			return x, kindNumber
		}
	}
	x, err := strconv.ParseFloat(string(text), 64)
	if err != nil { // out of range
		return math.NaN(), kindNumber
	}
	return x, kindNumber
}

var pow10 = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16}

// skip passes over one value and says what it was.
func (d *decoder) skip(depth int) kind {
	switch c := d.peek(); {
	case c == '"':
		d.text()
		return kindText
	case c == '-' || c >= '0' && c <= '9':
		return d.skipNumber()
	case c == 't':
		return d.literal("true", kindTrue)
	case c == 'f':
		return d.literal("false", kindFalse)
	case c == 'n':
		return d.literal("null", kindNull)
	case c == '{' || c == '[':
		d.skipNested(c, depth)
		return kindOther
	}
	d.fail("expected a value")
	return kindBad
}

func (d *decoder) literal(word string, k kind) kind {
	if len(d.b)-d.i < len(word) || string(d.b[d.i:d.i+len(word)]) != word {
		d.fail("expected a value")
		return kindBad
	}
	d.i += len(word)
	return k
}

func (d *decoder) digits() bool {
	start := d.i
	for c := d.peek(); c >= '0' && c <= '9'; c = d.peek() {
		d.i++
	}
	return d.i > start
}

// skipNumber follows the grammar of RFC 8259: no leading zeros, no bare point.
func (d *decoder) skipNumber() kind {
	if d.peek() == '-' {
		d.i++
	}
	ok := true
	if d.peek() == '0' {
		d.i++
	} else {
		ok = d.digits()
	}
	if d.peek() == '.' {
		d.i++
		ok = d.digits() && ok
	}
	if c := d.peek(); c == 'e' || c == 'E' {
		d.i++
		if c := d.peek(); c == '+' || c == '-' {
			d.i++
		}
		ok = d.digits() && ok
	}
	if c := d.peek(); !ok || c >= '0' && c <= '9' {
		d.fail("a number is malformed")
		return kindBad
	}
	return kindNumber
}

func (d *decoder) skipNested(open byte, depth int) {
	if depth >= maxDepth {
		d.fail("it is nested too deeply")
		return
	}
	end := byte('}')
	if open == '[' {
		end = ']'
	}
	d.i++
	d.space()
	if d.peek() == end {
		d.i++
		return
	}
	for d.why == "" {
		if open == '{' {
			d.text()
			d.space()
			if d.next() != ':' {
				d.fail("expected a colon")
			}
			d.space()
		}
		d.skip(depth + 1)
		d.space()
		c := d.next()
		if c == end {
			return
		}
		if c != ',' {
			d.fail("expected a comma")
		}
		d.space()
	}
}

// object walks the object at d.i; member must read or skip the value of each key,
// whose bytes are valid until it does.
func (d *decoder) object(member func(key []byte)) {
	d.i++
	d.space()
	if d.peek() == '}' {
		d.i++
		return
	}
	for d.why == "" {
		key := d.text()
		d.space()
		if d.next() != ':' {
			d.fail("expected a colon")
		}
		d.space()
		if d.why != "" {
			return
		}
		member(key)
		d.space()
		c := d.next()
		if c == '}' {
			return
		}
		if c != ',' {
			d.fail("expected a comma or the end of the object")
		}
		d.space()
	}
}

// array walks the list at d.i; element must read or skip each value.
func (d *decoder) array(element func()) {
	d.i++
	d.space()
	if d.peek() == ']' {
		d.i++
		return
	}
	for d.why == "" {
		element()
		d.space()
		c := d.next()
		if c == ']' {
			return
		}
		if c != ',' {
			d.fail("expected a comma or the end of the list")
		}
		d.space()
	}
}

// end fails when anything but space is left, and gives the whole payload's error.
func (d *decoder) end() error {
	d.space()
	if d.why == "" && d.i < len(d.b) {
		d.fail("there is text after the end")
	}
	if d.why != "" {
		return ErrPayload.With("why", d.why).With("at", d.at)
	}
	return nil
}

// text reads a string; the bytes are valid until the next call.
func (d *decoder) text() []byte {
	if d.next() != '"' {
		d.fail("expected a quoted name or text")
		return nil
	}
	start := d.i
	for d.i < len(d.b) {
		switch c := d.b[d.i]; {
		case c == '"':
			s := d.b[start:d.i]
			d.i++
			if !utf8.Valid(s) {
				d.fail("text is not UTF-8")
			}
			return s
		case c == '\\':
			return d.escaped(start)
		case c < 0x20:
			d.fail("a control character in a text")
			return nil
		default:
			d.i++
		}
	}
	d.fail("a text is not closed")
	return nil
}

// escaped reads the rest of a string whose first backslash is at d.i.
func (d *decoder) escaped(start int) []byte {
	from := start - 1
	for d.i < len(d.b) {
		switch c := d.b[d.i]; {
		case c == '\\':
			d.i += 2
		case c == '"':
			d.i++
			s, ok := unquote(d.buf[:0], d.b[from+1:d.i-1])
			if !ok {
				d.fail("a text has a bad escape")
				return nil
			}
			d.buf = s
			return s
		case c < 0x20:
			d.fail("a control character in a text")
			return nil
		default:
			d.i++
		}
	}
	d.fail("a text is not closed")
	return nil
}

// unquote resolves JSON escapes. Surrogates become U+FFFD:
// no name that the format knows has one.
func unquote(dst, s []byte) ([]byte, bool) {
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			dst = append(dst, s[i])
			continue
		}
		i++
		if i >= len(s) {
			return nil, false
		}
		switch s[i] {
		case '"', '\\', '/':
			dst = append(dst, s[i])
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			if i+4 >= len(s) {
				return nil, false
			}
			n, err := strconv.ParseUint(string(s[i+1:i+5]), 16, 32)
			if err != nil {
				return nil, false
			}
			i += 4
			dst = utf8.AppendRune(dst, rune(n))
		default:
			return nil, false
		}
	}
	return dst, utf8.Valid(dst)
}
