package party

import (
	"math"
	"slices"
)

// A name is taken as the noise of a full name: whoever writes it keeps some
// characters in their order, drops others, and now and then adds, swaps or mistypes
// one. The cost of a reading is its negative log probability in nats. The figures
// below are round ones: how ready people are to leave out each slot of a name.

// slot is where in a full name a character stands.
type slot uint8

const (
	inRegion slot = iota
	inHome        // a place that is the brand: 青岛食品
	inDoubt       // a county without its rank, a group, or the core after them
	inCore
	inTrade
	inForm
	slots
)

const (
	kept = iota
	dropped
)

// choice is the cost of keeping and of dropping a character.
type choice struct{ keep, drop float64 }

// habit is the choice at the start of a word and within it, by what was done to the
// character before.
type habit struct{ start, within [2]choice }

// channel is a way of writing names.
type channel struct {
	habits    [slots]habit
	inserting float64 // a character that the full name does not have, besides its own rarity
	sibling   float64 // it is another firm that shares the brand
	unlisted  float64 // it is no company limited by shares, the firms that go by short names
	// picking says that words of trade and form are picked by their readiness; none
	// is what it costs to have none, by the length of the core.
	picking bool
	none    [5]float64
}

// always makes the choice at the start of a word independent of the word before.
func always(c choice) [2]choice { return [2]choice{c, c} }

// brief is how short names are made: the region and whole words go for next to
// nothing, and the ends of words; what was dropped in a word hardly ever comes back.
var brief = channel{
	habits: [slots]habit{
		inRegion: {always(choice{1.9, 0.02}), [2]choice{{0.2, 1.5}, {3, 0.02}}},
		inHome:   {always(choice{0.4, 1.2}), [2]choice{{0.1, 1.8}, {3, 0.05}}},
		inDoubt:  {always(choice{0.4, 1.2}), [2]choice{{0.1, 1.8}, {3, 0.05}}},
		inCore:   {always(choice{0.05, 3}), [2]choice{{0.05, 3}, {2.5, 0.05}}},
		inTrade:  {within: [2]choice{{0.3, 2}, {3, 0.05}}}, // the start is weighed by the word, see letter.keep
		inForm:   {within: [2]choice{{0.1, 1.5}, {3, 0.05}}},
	},
	inserting: 6, sibling: 8,
	unlisted: 0.3, picking: true, none: [5]float64{2: 3, 3: 1, 4: 0.3},
}

// formal is how a name with its legal form is written: in whole, maybe without the
// region or with another word for the form, and with a slip of the pen.
var formal = channel{
	habits: [slots]habit{
		inRegion: {always(choice{0.2, 1.5}), [2]choice{{0.05, 3}, {0.1, 0.05}}},
		inHome:   {always(choice{0.2, 1.5}), [2]choice{{0.05, 3}, {0.1, 0.05}}},
		inDoubt:  {always(choice{0.1, 5}), [2]choice{{0.05, 4.5}, {0.1, 3}}},
		inCore:   {always(choice{0.05, 4.5}), [2]choice{{0.05, 4.5}, {0.1, 4}}},
		inTrade:  {always(choice{0.1, 4}), [2]choice{{0.05, 4}, {0.1, 2.5}}},
		inForm:   {always(choice{0.1, 1}), [2]choice{{0.05, 1.5}, {0.1, 0.05}}},
	},
	inserting: 6, sibling: 4,
}

const (
	leaving  = 0.02 // a word of trade or form is left out of a short name
	another  = 0.7  // it has a second one
	swapping = 5.0  // two neighbours changed places
	lettered = 1.5  // a place by its single character, such as 皖
	nearby   = 0.7  // more, when the firm names another place, in that one or around it
	moved    = 3.0  // the end of a short name written first
	foreign  = 6.0  // both name a place, and neither lies in the other
	never    = math.MaxFloat64 / 4
)

// letter is one character of a full name.
type letter struct {
	r     rune
	slot  slot
	start bool // of a word
	// keep is what it costs a short name to have this word of trade or form: it has
	// room for one of them, and takes any.
	keep float64
}

// full is a name as others are read against it.
type full struct {
	letters []letter
	region  int // how many of them are the region
	brand   int // length of the core, 4 at most
	places  []string
	// unlisted says that it is no company limited by shares.
	unlisted bool
	aged     float64 // what a mark of shares listed long ago costs it, against other names
}

func newFull(p *parts, v vocabulary) full {
	w := common()
	f := full{places: p.places, unlisted: p.class != "stock"}
	add := func(r []rune, s slot, starts []int) {
		for i, c := range r {
			f.letters = append(f.letters, letter{r: c, slot: s, start: slices.Contains(starts, i)})
		}
	}
	core := inCore
	plain := len(p.core) > 0 && w.onlyTrade(p.core) // 青岛食品: the place is the brand
	for r := p.region; len(r) > 0; {
		n, s := prefix(w.places, r, w.longest.place, 0), inRegion
		if n == 0 {
			n = len(r)
		} else if at := w.places[string(r[:n])][0]; at.wide || at.bare && len(at.code) == 6 && len(f.letters) == 0 {
			s, core = inDoubt, inDoubt
		}
		if plain {
			s, core = inHome, inTrade
		}
		add(r[:n], s, []int{0})
		r = r[n:]
	}
	f.region = len(f.letters)
	own := p.core
	if group := groupEnd(own); group > 0 {
		add(own[:group], inDoubt, []int{0})
		own, core = own[group:], inDoubt
	}
	head := w.coreHead(own)
	if head == 2 {
		head = v.head(own)
	}
	if core == inTrade {
		head = 0
	}
	add(own[:head], core, []int{0})
	add(own[head:], inTrade, w.starts(own[head:]))
	add(p.trade, inTrade, w.starts(p.trade))
	add(p.form, inForm, formStarts(p.form))
	return f
}

// weigh sets what it costs a short name to have a word of trade or form: one of them
// is picked by its weight among all that there are.
func (f *full) weigh() {
	w, sum := common(), 0.0
	f.words(func(from, to int) {
		weight := w.ready(f.letters[from:to])
		f.dress(w, from, to)
		f.letters[from].keep = -math.Log(weight)
		sum += weight
	})
	f.words(func(from, _ int) { f.letters[from].keep += math.Log(sum) })
	for _, l := range f.letters {
		if l.slot == inCore || l.slot == inDoubt || l.slot == inHome {
			f.brand++
		}
	}
	f.brand = min(f.brand, 4)
}

// What is known of the years of a name, in nats: firms under special treatment, about to
// leave the exchange or with shares for foreigners were mostly listed in the 1990s, when
// names had 实业, 发展 or a group after their form, and hardly ever say 科技 or 智能.
const (
	ofOldFashion   = -1.0
	ofYoungFashion = 0.8
)

// dress sets what a mark of long ago costs a firm that has the word: the oldest word counts.
func (f *full) dress(w *words, from, to int) {
	var word [4]rune
	n := 0
	for _, l := range f.letters[from:min(to, from+len(word))] {
		word[n] = l.r
		n++
	}
	fashion := w.fashion[string(word[:n])]
	switch {
	case fashion == "old", f.letters[from].slot == inForm && from > 0 && word[0] == '集' && f.letters[from-1].r == '司':
		f.aged = ofOldFashion
	case fashion == "young" && f.aged == 0:
		f.aged = ofYoungFashion
	}
}

// How ready a word of trade or form is to stand in a short name, against the others of
// the full one. Round figures, near the odds in the short names of 1,153 listed firms: a bank
// says what it is, and a maker of paper may say so or that it is a company by shares; that it
// makes, develops or deals tells little, and is left out.
const (
	ofFinance = 1.7
	ofTrade   = 0.8 // and of words that no table knows
	ofGeneral = 0.35
	ofGroup   = 0.25
	ofShares  = 0.2
	ofLimited = 0.003 // 有限, 公司
)

// ready returns the readiness of a word.
func (w *words) ready(word []letter) float64 {
	r := make([]rune, len(word))
	for i := range word {
		r[i] = word[i].r
	}
	switch class := w.trades[string(r)]; {
	case word[0].slot == inForm && slices.Contains([]rune("集控"), r[0]):
		return ofGroup
	case word[0].slot == inForm && slices.Contains([]rune("有责公"), r[0]):
		return ofLimited
	case word[0].slot == inForm:
		return ofShares
	case class == "finance":
		return ofFinance
	case class == "general":
		return ofGeneral
	}
	return ofTrade
}

// words calls each with the places of each word of trade and form.
func (f *full) words(each func(from, to int)) {
	for i := 0; i < len(f.letters); i++ {
		if f.letters[i].slot < inTrade {
			continue
		}
		end := i + 1
		for end < len(f.letters) && !f.letters[end].start {
			end++
		}
		each(i, end)
		i = end - 1
	}
}

// groupEnd returns the length of the group that a core starts with: 横店集团东磁.
func groupEnd(core []rune) int {
	for i := 2; i+4 <= len(core); i++ {
		if core[i] == '集' && core[i+1] == '团' {
			return i + 2
		}
	}
	return 0
}

// coreHead returns how much of a core is the word that people remember: up to three
// characters are; of more, what stands before a known word of trade, else two.
func (w *words) coreHead(core []rune) int {
	if len(core) <= 3 {
		return len(core)
	}
	for i := 2; i <= min(4, len(core)-2); i++ {
		if prefix(w.trades, core[i:], w.longest.trade, 0) > 0 {
			return i
		}
	}
	return 2
}

// vocabulary counts the pairs of characters that stand behind the brands of a registry.
type vocabulary map[[2]rune]int

func (v vocabulary) add(p *parts) {
	tail := append(slices.Clone(p.core), p.trade...)
	for i := 2; i+1 < len(tail); i++ {
		v[[2]rune{tail[i], tail[i+1]}]++
	}
}

// head returns where a core of two or three characters ends: before the pair that
// stands behind more brands.
func (v vocabulary) head(core []rune) int {
	if len(core) < 5 {
		return min(2, len(core))
	}
	two, three := v[[2]rune{core[2], core[3]}], v[[2]rune{core[3], core[4]}]
	if three > two && three > 2 {
		return 3
	}
	return 2
}

// starts returns where the words of a line of business start: the longest known ones
// from the front, what no table knows by twos; long ones are compounds of twos.
func (w *words) starts(r []rune) (out []int) {
	for i := 0; i < len(r); {
		n := prefix(w.trades, r[i:], w.longest.trade, 0)
		if n == 0 {
			n = 2
			if left := len(r) - i; left == 3 {
				n = 3
			}
		}
		out = append(out, i)
		for at := i; n > 3 && at < i+n; {
			if at > i {
				out = append(out, at)
			}
			left := i + n - at
			part := prefix(w.trades, r[at:i+n], min(left, n-1), 0)
			if part == 0 || left-part == 1 {
				part = 2
				if left == 3 {
					part = 3
				}
			}
			at += part
		}
		i += n
	}
	return out
}

// formStarts returns where the words of a legal form start: 集团, 股份, 有限, 公司.
func formStarts(form []rune) (out []int) {
	for i := 0; i < len(form); i++ {
		if i == 0 || slices.Contains([]rune("集控股有责公合"), form[i]) && (form[i] != '股' || form[i-1] != '控') {
			out = append(out, i)
		}
	}
	return out
}

// reader reads names against full ones. It is for one goroutine.
type reader struct {
	now, next, over []state // cost by characters of the full name read
}

// state is the cost by whether a word of trade or form was kept, and whether the last
// character was dropped.
type state [2][2]float64

func (s *state) least() float64 { return min(s[0][0], s[0][1], s[1][0], s[1][1]) }

func lower(a *float64, b float64) {
	if b < *a {
		*a = b
	}
}

// cost reads v, whose characters cost own when they are not in f from a place on, as a
// noise of it; it gives up with never above limit.
func (rd *reader) cost(ch *channel, v []rune, own []float64, f *full, from int, limit float64) float64 {
	letters := f.letters[from:]
	n := len(letters)
	rd.now, rd.next, rd.over = blank(rd.now, n+1), blank(rd.next, n+1), blank(rd.over, n+1)
	rd.now[0][0][kept] = 0
	for i := 0; ; i++ {
		more := i < len(v)
		for j := range n + 1 {
			at := rd.now[j].least()
			if at >= limit {
				continue
			}
			if j < n {
				rd.take(ch, letters, j, more && v[i] == letters[j].r, limit)
				if i+1 < len(v) && j+1 < n && v[i] == letters[j+1].r && v[i+1] == letters[j].r && v[i] != v[i+1] {
					lower(&rd.over[j+2][1][kept], at+swapping)
				}
			}
			if more {
				c := ch.inserting + own[i]
				for had := range 2 {
					lower(&rd.next[j][had][kept], rd.now[j][had][kept]+c)
					lower(&rd.next[j][had][dropped], rd.now[j][had][dropped]+c)
				}
			}
		}
		if !more {
			end := rd.now[n]
			return min(ch.none[f.brand]+min(end[0][kept], end[0][dropped]), end[1][kept], end[1][dropped])
		}
		within := func(s state) bool { return s.least() < limit }
		if !slices.ContainsFunc(rd.next, within) && !slices.ContainsFunc(rd.over, within) {
			return never
		}
		rd.now, rd.next, rd.over = rd.next, rd.over, rd.now
		rd.over = blank(rd.over, n+1)
	}
}

// take drops the character of the full name at j, or keeps it when it is there.
func (rd *reader) take(ch *channel, letters []letter, j int, there bool, limit float64) {
	l := &letters[j]
	c := &ch.habits[l.slot].within
	if l.start {
		c = &ch.habits[l.slot].start
	}
	for had, now := range rd.now[j] {
		if min(now[kept], now[dropped]) >= limit {
			continue
		}
		then := had
		if ch.picking && l.start && l.slot >= inTrade {
			keep := l.keep
			if had > 0 {
				keep += another
			}
			c = &[2]choice{{keep, leaving}, {keep, leaving}}
			if l.slot == inForm && j > 0 && letters[j-1].slot == inForm {
				c[kept].keep = 0.5 // 集团股份, 股份公司
			}
			then = 1
		}
		lower(&rd.now[j+1][had][dropped], min(now[kept]+c[kept].drop, now[dropped]+c[dropped].drop))
		if there {
			lower(&rd.next[j+1][then][kept], min(now[kept]+c[kept].keep, now[dropped]+c[dropped].keep))
		}
	}
}

// stranger returns what v costs as the name of another firm that shares the brand of
// the full name: its characters in the core are there already, the others are its own.
func (rd *reader) stranger(v []rune, own []float64, letters []letter) float64 {
	n := len(letters)
	rd.now, rd.next = blank(rd.now, n+1), blank(rd.next, n+1)
	for j := range n + 1 {
		rd.now[j][0][0] = 0
	}
	for i := range v {
		low := never
		for j := range n + 1 {
			rd.next[j][0][0] = min(low, rd.now[j][0][0]+own[i])
			if j > 0 && v[i] == letters[j-1].r && (letters[j-1].slot == inCore || letters[j-1].slot == inDoubt) {
				rd.next[j][0][0] = min(rd.next[j][0][0], rd.now[j-1][0][0])
			}
			low = min(low, rd.next[j][0][0])
		}
		rd.now, rd.next = rd.next, rd.now
	}
	return rd.now[n][0][0]
}

func blank(a []state, n int) []state {
	if cap(a) < n {
		a = make([]state, n)
	}
	a = a[:n]
	for i := range a {
		a[i] = state{{never, never}, {never, never}}
	}
	return a
}
