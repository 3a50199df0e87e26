package industry

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/furrowcredit/furrow/chain/party"
)

// Hit is a node that a text speaks of.
type Hit struct {
	Node     int     // place in Nodes, -1 when only the direction is told
	Word     string  // as found
	Strength float64 // 0..1: 1 when the word is the thing itself and means one node

	direction int
	sense     int // hits of one word share a sense: they are rivals
}

// Strengths of a word by its place in the text.
const (
	headStrength     = 1.0
	tailStrength     = 0.9  // at the end, but for a tail such as 销售
	openStrength     = 0.4  // something unknown follows: 锂电池 in 锂电池外观检验
	modifierStrength = 0.25 // another word follows: 汽车 in 汽车线束
	remarkStrength   = 0.5  // in brackets or as the tax class of an invoice item
)

// Matcher finds nodes in texts. It is for one goroutine; a Catalogue hands out any
// number of them.
type Matcher struct {
	c     *Catalogue
	s     scanner
	runes []rune
	hits  []Hit
	sense int
}

// Matcher returns a matcher over the catalogue's words.
func (c *Catalogue) Matcher() *Matcher { return &Matcher{c: c, s: scanner{t: c.words}} }

// Match returns what a text such as "*汽车零部件*铝合金轮毂 17寸" speaks of. A list
// parted by marks is taken piece by piece. The slice is the matcher's own until the
// next call.
func (m *Matcher) Match(text string) []Hit {
	m.hits, m.sense = m.hits[:0], 1
	class, rest := taxClass(text)
	if class != "" {
		m.piece(class, remarkStrength)
	}
	pieces := 0
	for rest != "" {
		piece, more, strength := nextPiece(rest)
		if rest = more; piece != "" && pieces < maxPieces {
			m.piece(piece, strength)
			pieces++
		}
	}
	if len(m.hits) == 0 { // perhaps traditional characters
		if s := party.Normalise(text); !strings.HasPrefix(text, s) {
			m.piece(s, 1)
		}
	}
	return m.hits
}

// maxPieces bounds a text that is no name of goods.
const maxPieces = 64

// taxClass parts the short name of the tax class from the goods of a Chinese
// invoice: "*谷物*玉米" is 谷物 and 玉米.
func taxClass(text string) (class, rest string) {
	s, ok := strings.CutPrefix(text, "*")
	if !ok {
		return "", text
	}
	class, rest, ok = strings.Cut(s, "*")
	if !ok {
		return "", s
	}
	return class, rest
}

// nextPiece cuts the first item of a list. What stands in brackets is a remark.
func nextPiece(s string) (piece, rest string, weight float64) {
	for i, r := range s {
		switch r {
		case '(', '（', '[', '【', '〔':
			if i > 0 {
				return s[:i], s[i:], 1
			}
			open := len(string(r))
			if j := strings.IndexAny(s[open:], ")）]】〕"); j >= 0 {
				inside := s[open : open+j]
				after := s[open+j:]
				_, size := utf8.DecodeRuneInString(after)
				return inside, after[size:], remarkStrength
			}
			return s[open:], "", remarkStrength
		case '、', '，', ',', '；', ';', '/', '\n', '|', '+', '＋', '。', '：', ':':
			return s[:i], s[i+len(string(r)):], 1
		}
	}
	return s, "", 1
}

// piece adds the hits of one item.
func (m *Matcher) piece(s string, weight float64) {
	m.runes = foldInto(m.runes[:0], s)
	text := m.runes
	if len(text) > maxText {
		text = text[:maxText]
	}
	strength := headStrength
	spans := m.s.scan(text)
	for len(spans) == 0 || spans[len(spans)-1].to < len(text) {
		cut, ok := cutTail(text)
		if !ok {
			break
		}
		text, strength = cut, tailStrength
		spans = m.s.scan(text)
	}
	for i, f := range spans {
		how := strength
		switch {
		case i < len(spans)-1:
			how = modifierStrength
		case f.to < len(text) && !specification(text[f.to:]):
			how = openStrength
		}
		m.add(text, f, how*weight)
	}
}

// maxText bounds a name of goods in letters; a page of text is none.
const maxText = 96

// specification says whether what follows a name is only a size or a model.
func specification(text []rune) bool {
	for _, r := range text {
		if r >= 0x370 && !strings.ContainsRune("寸号型规格毫米厘度吨克升瓦伏安支只个套件箱包袋级", r) {
			return false
		}
	}
	return true
}

// add takes the nodes of a word, but for those that words around it rule out.
func (m *Matcher) add(text []rune, f span, strength float64) {
	targets := m.c.words.targets[f.state]
	first := len(m.hits)
	for _, to := range targets {
		if to.node >= 0 && m.excluded(text, f, to.node) {
			continue
		}
		m.hits = append(m.hits, Hit{Node: to.node, direction: to.direction, sense: m.sense})
	}
	n := len(m.hits) - first
	if n == 0 {
		return
	}
	word := string(text[f.from:f.to])
	for i := first; i < len(m.hits); i++ {
		m.hits[i].Word, m.hits[i].Strength = word, strength/float64(n)
	}
	m.sense++
}

func (m *Matcher) excluded(text []rune, f span, node int) bool {
	for _, w := range m.c.without[node] {
		if contains(text[:f.from], w) || contains(text[f.to:], w) {
			return true
		}
	}
	return false
}

func contains(text, word []rune) bool {
	for i := 0; i+len(word) <= len(text); i++ {
		if slices.Equal(text[i:i+len(word)], word) {
			return true
		}
	}
	return false
}
