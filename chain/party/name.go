package party

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Normalise makes the key by which names are compared and searched: half width,
// lower case, simplified characters, without white space, brackets and the dots that
// typists add or leave out. Two spellings of one name get one key; two names keep two.
func Normalise(name string) string {
	return strings.Map(func(r rune) rune {
		if punctuation(r) {
			return -1
		}
		return r
	}, fold(name))
}

func punctuation(r rune) bool {
	return strings.ContainsRune("()[]{}<>〔〕【】「」『』〈〉《》“”\"'‘’·・•.,、。", r)
}

// fold brings a name to half width, lower case and simplified characters, without
// white space and invisible marks.
func fold(name string) string {
	simple := common().simple
	s := strings.Map(func(r rune) rune {
		if to, ok := simple[r]; ok {
			return to
		}
		return r
	}, strings.ToLower(strip(norm.NFKC.String(name))))
	return s
}

// strip takes out white space, control and invisible format characters.
func strip(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, s)
}

// Name is a firm's name in the four slots of Chinese naming rules, normalised. The
// slots together have the characters of the key, those in brackets in another place:
// 青穗(北京)科技有限公司 has the region 北京 like 北京青穗科技有限公司.
type Name struct {
	Region string `json:"region"` // 行政区划: "山东省寿光市"
	Core   string `json:"core"`   // 字号: what tells it from others
	Trade  string `json:"trade"`  // 行业: "农业科技"
	Form   string `json:"form"`   // 组织形式: "集团有限公司"
}

// Split parts a name: region, core, trade and form in any order that the naming
// rules know. What cannot be told apart stays in Core, which is empty only for an
// empty name.
func Split(name string) Name {
	p := split(fold(name))
	return Name{Region: string(p.region), Core: string(p.core), Trade: string(p.trade), Form: string(p.form)}
}

// parts are the slots of a name with the places that its region names.
type parts struct {
	region, core, trade, form []rune
	places                    []string // codes; "" for the country
	class                     string   // of the form
}

// runes returns the slots in the usual order.
func (p *parts) runes() []rune {
	out := make([]rune, 0, len(p.region)+len(p.core)+len(p.trade)+len(p.form))
	return append(append(append(append(out, p.region...), p.core...), p.trade...), p.form...)
}

// split parts a folded name.
func split(folded string) (p parts) {
	w := common()
	rest, inner := brackets(folded)
	var tail []rune
	for _, in := range inner {
		codes := w.wholePlace(in)
		switch {
		case codes != nil:
			p.region, p.places = append(p.region, in...), append(p.places, codes...)
		default: // 集团 or 有限合伙
			tail = append(tail, in...)
		}
	}
	rest = p.cutForm(w, rest)
	p.form = append(p.form, tail...)
	if p.class == "" && len(tail) > 0 {
		p.class = w.forms[string(tail)]
	}
	rest = p.cutRegion(w, rest)
	rest = p.cutTrade(w, rest)
	p.core = rest
	if len(p.core) == 0 { // a name of nothing but a place or a form
		p.core, p.region, p.places = p.region, nil, nil
		if len(p.core) == 0 {
			p.core, p.form, p.class = p.form, nil, ""
		}
	}
	return p
}

// brackets takes out of a folded name what stands in brackets and is a place, a form
// or a standing; other brackets only lose their marks.
func brackets(folded string) (rest []rune, inner [][]rune) {
	w := common()
	all := []rune(folded)
	rest = make([]rune, 0, len(all))
	for i := 0; i < len(all); i++ {
		switch r := all[i]; {
		case r == '(' || r == '[' || r == '【' || r == '〔':
			end := i + 1
			for end < len(all) && !strings.ContainsRune(")]】〕", all[end]) {
				end++
			}
			in := all[i+1 : min(end, len(all))]
			if end < len(all) && (w.wholePlace(in) != nil || w.forms[string(in)] != "" || w.standing[string(in)]) {
				inner = append(inner, in)
				i = end
			}
		case !punctuation(r):
			rest = append(rest, r)
		}
	}
	if len(rest) == 0 { // nothing but brackets: then what they hold is the name
		for _, in := range inner {
			rest = append(rest, in...)
		}
		inner = nil
	}
	return rest, inner
}

// wholePlace returns the codes of a text that is nothing but places, else nil.
func (w *words) wholePlace(r []rune) (codes []string) {
	for len(r) > 0 {
		n := prefix(w.places, r, w.longest.place, 0)
		if n == 0 {
			return nil
		}
		codes, r = append(codes, w.places[string(r[:n])][0].code), r[n:]
	}
	return codes
}

// cutForm takes the legal form and the standing before it from the end. A branch
// keeps the form of its firm in its own: 有限公司北京分公司.
func (p *parts) cutForm(w *words, rest []rune) []rune {
	n := suffix(w.forms, rest, w.longest.form, 1)
	if n == 0 {
		return p.cutStanding(w, rest)
	}
	p.class = w.forms[string(rest[len(rest)-n:])]
	if p.class == "branch" {
		for _, form := range []string{"有限责任公司", "有限公司"} {
			if at := strings.Index(string(rest), form); at > 0 {
				n = len([]rune(string(rest)[at:]))
				break
			}
		}
	}
	p.form = append([]rune(nil), rest[len(rest)-n:]...)
	return p.cutStanding(w, rest[:len(rest)-n])
}

func (p *parts) cutStanding(w *words, rest []rune) []rune {
	for {
		n := suffix(w.standing, rest, 4, 2)
		if n == 0 {
			return rest
		}
		p.form = append(append([]rune(nil), rest[len(rest)-n:]...), p.form...)
		rest = rest[:len(rest)-n]
	}
}

// cutRegion takes places from the front and leaves at least two characters. A county
// without its rank counts only when something more than a line of business follows.
func (p *parts) cutRegion(w *words, rest []rune) []rune {
	for range 4 { // country, province, prefecture, county
		n := prefix(w.places, rest, w.longest.place, 2)
		code := ""
		if n > 0 {
			at, ok := w.inside(w.places[string(rest[:n])], p.places)
			code = at.code
			switch {
			case !ok, at.bare && len(code) == 6 && w.onlyTrade(rest[n:]):
				n = 0
			case at.bare && len(code) == 6 && len(p.region) == 0:
				code = "?" // it may as well be the core: no evidence
			}
		}
		if n == 0 {
			if n = unknownPlace(w, rest); n == 0 {
				return rest
			}
			code = "?"
		}
		if n < len(rest) && n > 1 && strings.ContainsRune("省市县", rest[n]) && len(rest)-n > 2 && !w.isTrade(rest[n:n+2]) {
			n++ // a rank that the table does not give this place
		}
		p.region = append(p.region, rest[:n]...)
		if code != "?" {
			p.places = append(p.places, code)
		}
		rest = rest[n:]
	}
	return rest
}

// inside returns the place of a name that lies in the last of the places read so far.
// A district without its rank must: 中山 and 新华 are cores like any others.
func (w *words) inside(named []place, read []string) (place, bool) {
	last := ""
	if len(read) > 0 {
		last = read[len(read)-1]
	}
	for _, at := range named {
		if last != "" && strings.HasPrefix(at.code, last) || last == "" && !at.district {
			return at, true
		}
		if !at.bare && at.code != "" && !strings.HasPrefix(at.code, last) && len(read) > 0 {
			return at, true // with its rank it is a place wherever it lies
		}
	}
	return place{}, false
}

// unknownPlace returns the length of a place that no table knows but its rank shows.
func unknownPlace(w *words, r []rune) int {
	for i := 2; i < min(len(r)-2, 5); i++ {
		if strings.ContainsRune("市县旗", r[i]) && !w.isTrade(r[i:i+2]) {
			return i + 1
		}
	}
	return 0
}

func (w *words) onlyTrade(r []rune) bool {
	for len(r) > 0 {
		n := suffix(w.trades, r, w.longest.trade, 0)
		if n == 0 {
			return false
		}
		r = r[:len(r)-n]
	}
	return true
}

// cutTrade takes words of trade from the end and leaves at least two characters.
func (p *parts) cutTrade(w *words, rest []rune) []rune {
	end := len(rest)
	for range 6 { // no real name strings more words of trade together
		n := suffix(w.trades, rest[:end], w.longest.trade, 2)
		if n == 0 {
			break
		}
		end -= n
	}
	p.trade = rest[end:]
	return rest[:end]
}
