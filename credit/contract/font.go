package contract

import (
	"encoding/binary"
	"fmt"
	"os"
	"strings"

	"github.com/furrowcredit/furrow/fault"
)

// What can be wrong with a font.
var (
	ErrNoFont = fault.New(fault.Unavailable, "contract.no_font", "contracts need a Chinese and a Latin font: install the Debian packages "+FontPackages+", or name TrueType files in "+FontEnv)
	ErrFont   = fault.New(fault.Invalid, "contract.font", "the font {file} cannot be used: {why}")
)

// FontPackages are Debian's packages of the fonts that are looked for first, under the
// Apache License 2.0 and the licence of Bitstream Vera. FontEnv names other files, with
// colons between them.
const (
	FontPackages = "fonts-droid-fallback fonts-dejavu-core"
	FontEnv      = "FURROW_CONTRACT_FONT"
)

// fontFiles is where TrueType fonts with Chinese glyphs lie, and latinFiles those with the
// letters and digits that some of the former lack. Collections (.ttc) and fonts with
// PostScript outlines (.otf) cannot be embedded in part.
var (
	fontFiles = []string{
		"/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
		"/usr/share/fonts/truetype/lxgw-wenkai/LXGWWenKai-Regular.ttf",
		"/usr/share/fonts/truetype/arphic-gbsn00lp/gbsn00lp.ttf",
		"/usr/share/fonts/google-droid-sans-fonts/DroidSansFallbackFull.ttf",
	}
	latinFiles = []string{
		"/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
		"/usr/share/fonts/truetype/noto/NotoSans-Regular.ttf",
		"/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf",
		"/usr/share/fonts/dejavu-sans-fonts/DejaVuSans.ttf",
	}
)

// Font is what contracts are set in: for each character the first of its faces that has
// it. It may be used by many at once.
type Font struct{ faces []face }

type face struct {
	file  string
	body  []byte
	spans []span
}

// span is a range of characters that a face has, both ends in it.
type span struct{ from, to rune }

// FindFont reads the files of a list with colons, or with "" those that Debian's packages
// put in their places. ErrNoFont, ErrFont.
func FindFont(list string) (*Font, error) {
	if list != "" {
		return readFiles(strings.Split(list, ":"))
	}
	var found []string
	for _, files := range [][]string{fontFiles, latinFiles} {
		for _, name := range files {
			if _, err := os.Stat(name); err == nil {
				found = append(found, name)
				break
			}
		}
	}
	if len(found) == 0 {
		return nil, ErrNoFont
	}
	f, err := readFiles(found)
	if err != nil {
		return nil, ErrNoFont.Because(err)
	}
	return f, nil
}

func readFiles(files []string) (*Font, error) {
	bodies := make([][]byte, len(files))
	for i, name := range files {
		var err error
		if bodies[i], err = os.ReadFile(name); err != nil {
			return nil, ErrFont.With("file", name).With("why", "it cannot be read").Because(err)
		}
	}
	return ReadFont(files, bodies)
}

// ReadFont takes TrueType fonts, the first choice first; the names are for errors only.
// ErrFont, also when they lack the characters of every contract.
func ReadFont(names []string, bodies [][]byte) (*Font, error) {
	f := &Font{}
	for i, body := range bodies {
		if why := refuse(body); why != "" {
			return nil, ErrFont.With("file", names[i]).With("why", why)
		}
		f.faces = append(f.faces, face{names[i], body, characters(table(body, "cmap"))})
	}
	for _, r := range "中文合同《》〔〕，。Aa0,.%[]+" {
		if f.face(r) < 0 {
			return nil, ErrFont.With("file", strings.Join(names, ":")).With("why", "it lacks "+string(r))
		}
	}
	return f, nil
}

// refuse says why a file is no TrueType font that can be cut down; "" when it is one.
func refuse(body []byte) string {
	switch {
	case len(body) < 12:
		return "it is too short"
	case string(body[:4]) == "ttcf" || string(body[:4]) == "OTTO":
		return "it is a collection or has PostScript outlines; take a TrueType file (.ttf)"
	case string(body[:4]) != "\x00\x01\x00\x00" && string(body[:4]) != "true":
		return "it is no TrueType file"
	case table(body, "glyf") == nil:
		return "it has no outlines"
	}
	return ""
}

// Files lists where the font came from.
func (f *Font) Files() []string {
	out := make([]string, len(f.faces))
	for i, x := range f.faces {
		out[i] = x.file
	}
	return out
}

// face is the number of the first face that has r, or -1.
func (f *Font) face(r rune) int {
	for i := range f.faces {
		if f.faces[i].has(r) {
			return i
		}
	}
	return -1
}

// has says whether there is a glyph for r that a PDF can show.
func (f *face) has(r rune) bool {
	if r > 0xFFFF { // codes of two bytes
		return false
	}
	lo, hi := 0, len(f.spans)
	for lo < hi {
		mid := (lo + hi) / 2
		switch s := f.spans[mid]; {
		case r < s.from:
			hi = mid
		case r > s.to:
			lo = mid + 1
		default:
			return true
		}
	}
	return false
}

// shown is text with every character that the font lacks as its code, [U+20BB7], so that a
// rare name is not silently another one.
func (f *Font) shown(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\t' || r == '\n' || f.face(r) >= 0:
			b.WriteRune(r)
		default:
			b.WriteString("[U+" + hexRune(r) + "]")
		}
	}
	return b.String()
}

func hexRune(r rune) string { return fmt.Sprintf("%04X", r) }

// table finds a table of a TrueType file; nil when it is not there or does not fit.
func table(body []byte, tag string) []byte {
	n := int(binary.BigEndian.Uint16(body[4:]))
	for i := range n {
		at := 12 + 16*i
		if at+16 > len(body) {
			return nil
		}
		if string(body[at:at+4]) != tag {
			continue
		}
		from, size := uint64(binary.BigEndian.Uint32(body[at+8:])), uint64(binary.BigEndian.Uint32(body[at+12:]))
		if from+size > uint64(len(body)) {
			return nil
		}
		return body[from : from+size]
	}
	return nil
}

// characters reads the format 4 subtable of a cmap for Unicode: the ranges of the Basic
// Multilingual Plane, in order (OpenType specification, "cmap").
func characters(cmap []byte) []span {
	if len(cmap) < 4 {
		return nil
	}
	n := int(binary.BigEndian.Uint16(cmap[2:]))
	for i := range n {
		at := 4 + 8*i
		if at+8 > len(cmap) {
			return nil
		}
		platform, encoding := binary.BigEndian.Uint16(cmap[at:]), binary.BigEndian.Uint16(cmap[at+2:])
		from := uint64(binary.BigEndian.Uint32(cmap[at+4:]))
		unicode := platform == 0 || platform == 3 && encoding == 1
		if !unicode || from+14 > uint64(len(cmap)) {
			continue
		}
		if sub := cmap[from:]; binary.BigEndian.Uint16(sub) == 4 {
			return segments(sub)
		}
	}
	return nil
}

func segments(sub []byte) []span {
	n := int(binary.BigEndian.Uint16(sub[6:])) / 2
	if len(sub) < 16+8*n {
		return nil
	}
	word := func(at int) int { return int(binary.BigEndian.Uint16(sub[at:])) }
	var out []span
	for i := range n {
		end, start := rune(word(14+2*i)), rune(word(16+2*n+2*i))
		delta, offset := word(16+4*n+2*i), word(16+6*n+2*i)
		for r := start; r <= end && r < 0xFFFF; r++ {
			glyph := (int(r) + delta) & 0xFFFF
			if offset != 0 {
				at := 16 + 6*n + 2*i + offset + 2*int(r-start)
				if at+2 > len(sub) {
					break
				}
				if glyph = word(at); glyph != 0 {
					glyph = (glyph + delta) & 0xFFFF
				}
			}
			if glyph == 0 {
				continue
			}
			if k := len(out) - 1; k >= 0 && out[k].to == r-1 {
				out[k].to = r
			} else if k < 0 || r > out[k].to {
				out = append(out, span{r, r})
			}
		}
	}
	return out
}
