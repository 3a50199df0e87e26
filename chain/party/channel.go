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
}

// always makes the choice at the start of a word independent of the word before.
func always(c choice) [2]choice { return [2]choice{c, c} }

// brief is how short names are made: the region and whole words go for next to
// nothing, and the ends of words; what was dropped in a word hardly ever comes back.
var brief = channel{
	habits: [slots]habit{
		inRegion: {always(choice{1.9, 0.02}), [2]choice{{0.2, 1.5}, {3, 0.02}}},
		inDoubt:  {always(choice{0.4, 1.2}), [2]choice{{0.1, 1.8}, {3, 0.05}}},
		inCore:   {always(choice{0.05, 3}), [2]choice{{0.05, 2}, {3, 0.05}}},
		inTrade:  {within: [2]choice{{0.3, 1.3}, {3, 0.05}}}, // the start is weighed by the word, see letter.keep
		inForm:   {within: [2]choice{{0.1, 1.5}, {3, 0.05}}},
	},
	inserting: 4, sibling: 8,
}

// formal is how a name with its legal form is written: in whole, maybe without the
// region or with another word for the form, and with a slip of the pen.
var formal = channel{
	habits: [slots]habit{
		inRegion: {always(choice{0.2, 1.5}), [2]choice{{0.05, 3}, {0.1, 0.05}}},
		inDoubt:  {always(choice{0.1, 5}), [2]choice{{0.05, 4.5}, {0.1, 3}}},
		inCore:   {always(choice{0.05, 6}), [2]choice{{0.05, 4.5}, {0.1, 4}}},
		inTrade:  {always(choice{0.1, 4}), [2]choice{{0.05, 4}, {0.1, 2.5}}},
		inForm:   {always(choice{0.1, 1}), [2]choice{{0.05, 1.5}, {0.1, 0.05}}},
	},
	inserting: 6, sibling: 4,
}

const (
	leaving  = 0.02 // a word of trade or form is left out of a short name
	swapping = 5.0  // two neighbours changed places
	lettered = 1.5  // a place by its single character, such as 皖
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
	places  []string
}

func newFull(folded string) full {
	p, w := split(folded), common()
	f := full{places: p.places}
	add := func(r []rune, s slot, starts []int) {
		for i, c := range r {
			f.letters = append(f.letters, letter{r: c, slot: s, start: slices.Contains(starts, i)})
		}
	}
	core := inCore
	for r := p.region; len(r) > 0; {
		n, s := prefix(w.places, r, w.longest.place, 0), inRegion
		if n == 0 {
			n = len(r)
		} else if at := w.places[string(r[:n])][0]; at.wide || at.bare && len(at.code) == 6 && len(f.letters) == 0 {
			s, core = inDoubt, inDoubt
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
	add(own[:head], core, []int{0})
	add(own[head:], inTrade, w.starts(own[head:]))
	add(p.trade, inTrade, w.starts(p.trade))
	add(p.form, inForm, formStarts(p.form))
	return f
}

// weigh sets what it costs a short name to have a word of trade or form: one of as
// many as there are.
func (f *full) weigh() {
	var starts []int
	f.words(func(from, _ int) { starts = append(starts, from) })
	for _, i := range starts {
		f.letters[i].keep = math.Log(float64(len(starts)))
	}
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
		for at := i + 2; n > 3 && at < i+n; at += 2 {
			out = append(out, at)
		}
		i += n
	}
	return out
}

// formStarts returns where the words of a legal form start: 集团, 股份, 有限, 公司.
func formStarts(form []rune) (out []int) {
	for i := 0; i < len(form); i++ {
		if i == 0 || slices.Contains([]rune("集控股有责公合"), form[i]) {
			out = append(out, i)
		}
	}
	return out
}

// reader reads names against full ones. It is for one goroutine.
type reader struct {
	now, next, over [][2]float64 // cost by characters of the full name read, and whether the last was dropped
}

// cost reads v, whose characters cost own when they are not in letters, as a noise of
// letters; it gives up with never above limit.
func (rd *reader) cost(ch *channel, v []rune, own []float64, letters []letter, limit float64) float64 {
	n := len(letters)
	rd.now, rd.next, rd.over = blank(rd.now, n+1), blank(rd.next, n+1), blank(rd.over, n+1)
	rd.now[0][kept] = 0
	for i := 0; ; i++ {
		best := never
		for j := range n + 1 {
			k, d := rd.now[j][kept], rd.now[j][dropped]
			at := min(k, d)
			if at >= limit {
				continue
			}
			if j < n {
				l := &letters[j]
				c := &ch.habits[l.slot].within
				if l.start {
					c = &ch.habits[l.slot].start
				}
				if l.start && l.slot >= inTrade && ch == &brief {
					c = &[2]choice{{l.keep, leaving}, {l.keep, leaving}}
					if l.slot == inForm && j > 0 && letters[j-1].slot == inForm {
						c[kept].keep = 0.5 // 集团股份, 股份公司
					}
				}
				drop := min(k+c[kept].drop, d+c[dropped].drop)
				rd.now[j+1][dropped] = min(rd.now[j+1][dropped], drop)
				if i < len(v) && v[i] == l.r {
					keep := min(k+c[kept].keep, d+c[dropped].keep)
					rd.next[j+1][kept] = min(rd.next[j+1][kept], keep)
					best = min(best, keep)
				}
				if i+1 < len(v) && j+1 < n && v[i] == letters[j+1].r && v[i+1] == l.r && v[i] != v[i+1] {
					rd.over[j+2][kept] = min(rd.over[j+2][kept], at+swapping)
					best = min(best, at+swapping)
				}
			}
			if i < len(v) {
				c := ch.inserting + own[i]
				rd.next[j][kept] = min(rd.next[j][kept], k+c)
				rd.next[j][dropped] = min(rd.next[j][dropped], d+c)
				best = min(best, at+c)
			}
		}
		if i == len(v) {
			return min(rd.now[n][kept], rd.now[n][dropped])
		}
		if best >= limit && !slices.ContainsFunc(rd.next, func(c [2]float64) bool { return c[kept] < limit || c[dropped] < limit }) {
			return never
		}
		rd.now, rd.next, rd.over = rd.next, rd.over, rd.now
		rd.over = blank(rd.over, n+1)
	}
}

// stranger returns what v costs as the name of another firm that shares the brand of
// the full name: its characters in the core are there already, the others are its own.
func (rd *reader) stranger(v []rune, own []float64, letters []letter) float64 {
	n := len(letters)
	rd.now, rd.next = blank(rd.now, n+1), blank(rd.next, n+1)
	for j := range n + 1 {
		rd.now[j][kept] = 0
	}
	for i := range v {
		low := never
		for j := range n + 1 {
			rd.next[j][kept] = min(low, rd.now[j][kept]+own[i])
			if j > 0 && v[i] == letters[j-1].r && (letters[j-1].slot == inCore || letters[j-1].slot == inDoubt) {
				rd.next[j][kept] = min(rd.next[j][kept], rd.now[j-1][kept])
			}
			low = min(low, rd.next[j][kept])
		}
		rd.now, rd.next = rd.next, rd.now
	}
	return rd.now[n][kept]
}

func blank(a [][2]float64, n int) [][2]float64 {
	if cap(a) < n {
		a = make([][2]float64, n)
	}
	a = a[:n]
	for i := range a {
		a[i] = [2]float64{never, never}
	}
	return a
}
