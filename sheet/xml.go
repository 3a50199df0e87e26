package sheet

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"unicode/utf8"
)

// Bounds of what a hostile part may make the scanner keep.
const (
	xmlWindow = 256 << 10 // no honest tag is longer
	maxCell   = 256 << 10 // bytes of a cell's text; spreadsheets take 32,767 characters
)

// scanner walks through the tags of a well-formed XML part without building anything. It
// knows no entities but the five of XML and numbers, and refuses document types.
type scanner struct {
	r        io.Reader
	buf      []byte
	pos, end int
	done     bool
}

func newScanner(r io.Reader) *scanner { return &scanner{r: r, buf: make([]byte, xmlWindow)} }

// tag is a start or an end of an element. Its slices hold until the next call.
type tag struct {
	name  []byte // without its prefix
	attrs []byte
	end   bool // </name>
	empty bool // <name/>
}

// fill reads more; false at the end of the part.
func (x *scanner) fill() (bool, error) {
	if x.done {
		return false, nil
	}
	if x.pos > 0 {
		copy(x.buf, x.buf[x.pos:x.end])
		x.end -= x.pos
		x.pos = 0
	}
	if x.end == len(x.buf) {
		return false, ErrDamaged
	}
	n, err := x.r.Read(x.buf[x.end:])
	x.end += n
	if errors.Is(err, io.EOF) {
		x.done = true
		return n > 0, nil
	}
	if err != nil {
		return false, unpacked(err)
	}
	return true, nil
}

// find returns the place of sep at or after pos+from, relative to pos; -1 at the end.
func (x *scanner) find(sep string, from int) (int, error) {
	for {
		if from < x.end-x.pos {
			if i := bytes.Index(x.buf[x.pos+from:x.end], []byte(sep)); i >= 0 {
				return from + i, nil
			}
		}
		from = max(from, x.end-x.pos-len(sep)+1)
		more, err := x.fill()
		if err != nil {
			return -1, err
		}
		if !more {
			return -1, nil
		}
	}
}

// skipTo moves behind the next sep without keeping what lies before.
func (x *scanner) skipTo(sep string) error {
	for {
		if i := bytes.Index(x.buf[x.pos:x.end], []byte(sep)); i >= 0 {
			x.pos += i + len(sep)
			return nil
		}
		x.pos = max(x.pos, x.end-len(sep)+1)
		more, err := x.fill()
		if err != nil {
			return err
		}
		if !more {
			return ErrDamaged
		}
	}
}

// next returns the next tag; io.EOF behind the last one.
func (x *scanner) next() (tag, error) {
	for {
		// Text between tags that nobody asked for is dropped.
		for {
			if i := bytes.IndexByte(x.buf[x.pos:x.end], '<'); i >= 0 {
				x.pos += i
				break
			}
			x.pos = x.end
			more, err := x.fill()
			if err != nil {
				return tag{}, err
			}
			if !more {
				return tag{}, io.EOF
			}
		}
		special, err := x.special(nil)
		if err != nil {
			return tag{}, err
		}
		if !special {
			return x.element()
		}
	}
}

// special passes over what begins at pos with <! or <?. The text of a CDATA section is
// added to into, if that is given.
func (x *scanner) special(into *[]byte) (bool, error) {
	for x.end-x.pos < 9 {
		more, err := x.fill()
		if err != nil {
			return false, err
		}
		if !more {
			break
		}
	}
	head := x.buf[x.pos:x.end]
	switch {
	case bytes.HasPrefix(head, []byte("<?")):
		return true, x.skipTo("?>")
	case bytes.HasPrefix(head, []byte("<!--")):
		x.pos += 4
		return true, x.skipTo("-->")
	case bytes.HasPrefix(head, []byte("<![CDATA[")):
		x.pos += 9
		if into == nil {
			return true, x.skipTo("]]>")
		}
		i, err := x.find("]]>", 0)
		if err != nil {
			return true, err
		}
		if i < 0 {
			return true, ErrDamaged
		}
		*into = append(*into, x.buf[x.pos:x.pos+i]...)
		x.pos += i + 3
		return true, nil
	case bytes.HasPrefix(head, []byte("<!")):
		return true, ErrDamaged // a document type: nothing honest has one
	}
	return false, nil
}

// element reads the tag at pos.
func (x *scanner) element() (tag, error) {
	i, err := x.closing()
	if err != nil {
		return tag{}, err
	}
	inside := x.buf[x.pos+1 : x.pos+i]
	x.pos += i + 1
	var t tag
	if t.end = len(inside) > 0 && inside[0] == '/'; t.end {
		inside = inside[1:]
	} else if t.empty = len(inside) > 0 && inside[len(inside)-1] == '/'; t.empty {
		inside = inside[:len(inside)-1]
	}
	t.name = inside
	for j, c := range inside {
		if c == ' ' || c == '\t' || c == '\r' || c == '\n' {
			t.name, t.attrs = inside[:j], inside[j+1:]
			break
		}
	}
	if j := bytes.IndexByte(t.name, ':'); j >= 0 {
		t.name = t.name[j+1:]
	}
	if len(t.name) == 0 {
		return tag{}, ErrDamaged
	}
	return t, nil
}

// closing returns the place, from pos on, of the > that ends the tag at pos: not one in
// the value of an attribute. It looks at each byte once.
func (x *scanner) closing() (int, error) {
	var quote byte
	for i := 1; ; {
		for ; i < x.end-x.pos; i++ {
			switch c := x.buf[x.pos+i]; {
			case quote != 0:
				if c == quote {
					quote = 0
				}
			case c == '>':
				return i, nil
			case c == '"' || c == '\'':
				quote = c
			}
		}
		more, err := x.fill()
		if err != nil {
			return 0, err
		}
		if !more {
			return 0, ErrDamaged
		}
	}
}

// attr returns the value of the attribute of that name, without its prefix, as it is
// written.
func (t tag) attr(name string) []byte {
	s := t.attrs
	for {
		i := bytes.IndexByte(s, '=')
		if i < 0 {
			return nil
		}
		key := bytes.TrimSpace(s[:i])
		if j := bytes.IndexByte(key, ':'); j >= 0 {
			key = key[j+1:]
		}
		s = bytes.TrimLeft(s[i+1:], " \t\r\n")
		if len(s) == 0 || s[0] != '"' && s[0] != '\'' {
			return nil
		}
		j := bytes.IndexByte(s[1:], s[0])
		if j < 0 {
			return nil
		}
		if string(key) == name {
			return s[1 : 1+j]
		}
		s = s[j+2:]
	}
}

// text adds the text at pos up to the next tag to dst.
func (x *scanner) text(dst []byte) ([]byte, error) {
	start := len(dst)
	for {
		raw := len(dst)
		for {
			i := bytes.IndexByte(x.buf[x.pos:x.end], '<')
			if i >= 0 {
				dst = append(dst, x.buf[x.pos:x.pos+i]...)
				x.pos += i
				break
			}
			dst = append(dst, x.buf[x.pos:x.end]...)
			x.pos = x.end
			if len(dst)-start > maxCell {
				return dst, ErrDamaged
			}
			more, err := x.fill()
			if err != nil {
				return dst, err
			}
			if !more {
				return dst, ErrDamaged
			}
		}
		dst = dst[:raw+unescape(dst[raw:])]
		if len(dst)-start > maxCell {
			return dst, ErrDamaged
		}
		special, err := x.special(&dst)
		if err != nil || !special {
			return dst, err
		}
	}
}

// unescape replaces the entities of s in place and returns its new length. What is no
// entity stays as it is. Ends of lines become \n, as XML has it.
func unescape(s []byte) int {
	i := bytes.IndexAny(s, "&\r")
	if i < 0 {
		return len(s)
	}
	n := i
	for i < len(s) {
		switch c := s[i]; c {
		case '\r':
			s[n] = '\n'
			n++
			i++
			if i < len(s) && s[i] == '\n' {
				i++
			}
			continue
		case '&':
			if j := bytes.IndexByte(s[i:min(len(s), i+12)], ';'); j > 0 {
				if r := entity(string(s[i+1 : i+j])); r >= 0 {
					n += utf8.EncodeRune(s[n:n+utf8.RuneLen(r)], r)
					i += j + 1
					continue
				}
			}
		}
		s[n] = s[i]
		n++
		i++
	}
	return n
}

// entity returns the character that an entity stands for, else -1.
func entity(name string) rune {
	switch name {
	case "amp":
		return '&'
	case "lt":
		return '<'
	case "gt":
		return '>'
	case "quot":
		return '"'
	case "apos":
		return '\''
	}
	if len(name) < 2 || name[0] != '#' {
		return -1
	}
	base, digits := 10, name[1:]
	if digits[0] == 'x' {
		base, digits = 16, digits[1:]
	}
	n, err := strconv.ParseUint(digits, base, 32)
	if err != nil || n == 0 || !utf8.ValidRune(rune(n)) || n > utf8.MaxRune {
		return -1
	}
	return rune(n)
}
