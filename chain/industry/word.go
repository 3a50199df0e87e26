package industry

import (
	"slices"
	"strings"
)

// fold brings a text to the letters by which words are found: half width, lower
// case, without white space and marks. It is party.Normalise without the tables, at
// a tenth of its cost.
func fold(s string) []rune { return foldInto(make([]rune, 0, len(s)/2+1), s) }

func foldInto(out []rune, s string) []rune {
	for _, r := range s {
		if r >= 0xFF01 && r <= 0xFF5E { // full width
			r -= 0xFEE0
		}
		switch {
		case r >= 'A' && r <= 'Z':
			out = append(out, r+'a'-'A')
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r >= 0x370 && r < 0x2000, r >= 0x2E80 && r < 0x3000, r >= 0x3040 && r < 0xFF00:
			out = append(out, r)
		}
	}
	return out
}

// target is what a word speaks of: a node, or only a direction when node is -1.
type target struct{ direction, node int }

// trie finds words in texts. Edges are one sorted array of (state, letter) packed
// into one integer, with the first letter looked up directly.
type trie struct {
	first   map[rune]uint32
	build   map[uint64]uint32
	keys    []uint64
	states  []uint32
	start   []uint32 // edges of a state are keys[start[s]:start[s+1]]
	targets [][]target
}

func newTrie() *trie {
	return &trie{first: map[rune]uint32{}, build: map[uint64]uint32{}, targets: [][]target{nil}}
}

func (t *trie) add(word string, to target) {
	state := uint32(0)
	for _, r := range fold(word) {
		key := uint64(state)<<32 | uint64(r)
		next, ok := t.build[key]
		if !ok {
			next = uint32(len(t.targets)) //nolint:gosec // far fewer words than that
			t.build[key] = next
			t.targets = append(t.targets, nil)
			if state == 0 {
				t.first[r] = next
			}
		}
		state = next
	}
	if !slices.Contains(t.targets[state], to) {
		t.targets[state] = append(t.targets[state], to)
	}
}

// seal lays the edges out for reading. A word that names a node and also speaks of
// a direction means the node.
func (t *trie) seal() {
	t.keys = make([]uint64, 0, len(t.build))
	for k := range t.build {
		t.keys = append(t.keys, k)
	}
	slices.Sort(t.keys)
	t.states = make([]uint32, len(t.keys))
	t.start = make([]uint32, len(t.targets)+1)
	for i, k := range t.keys {
		t.states[i] = t.build[k]
		t.start[k>>32+1]++
	}
	for i := 1; i < len(t.start); i++ {
		t.start[i] += t.start[i-1]
	}
	t.build = nil
	for i, targets := range t.targets {
		if slices.ContainsFunc(targets, func(x target) bool { return x.node >= 0 }) {
			t.targets[i] = slices.DeleteFunc(targets, func(x target) bool { return x.node < 0 })
		}
	}
}

func (t *trie) next(state uint32, r rune) (uint32, bool) {
	if state == 0 {
		s, ok := t.first[r]
		return s, ok
	}
	lo, hi := t.start[state], t.start[state+1]
	for ; lo < hi; lo++ { // few letters follow another
		if l := rune(t.keys[lo] & 0xFFFFFFFF); l == r {
			return t.states[lo], true
		} else if l > r {
			break
		}
	}
	return 0, false
}

// span is a word found at text[from:to].
type span struct {
	from, to int
	state    uint32
}

// scan finds the words of a text that lie side by side: the longest word at its end,
// which in Chinese is what the thing is, and before that those that cover most, long
// words before short ones. A word of one letter counts only as the whole text.
type scanner struct {
	t     *trie
	found []span
	best  []int
	back  []int
}

func (s *scanner) scan(text []rune) []span {
	s.found = s.found[:0]
	n := len(text)
	head := -1
	for i := range text {
		state := uint32(0)
		for j := i; j < n; j++ {
			next, ok := s.t.next(state, text[j])
			if !ok {
				break
			}
			state = next
			if len(s.t.targets[state]) == 0 || (j == i && n > 1) {
				continue
			}
			if !letters(text, i, j+1) {
				continue
			}
			s.found = append(s.found, span{i, j + 1, state})
			if j+1 == n && head < 0 { // starts ascend: the first to end here is the longest
				head = len(s.found) - 1
			}
		}
	}
	if len(s.found) == 0 {
		return nil
	}
	end := n
	var out []span
	if head >= 0 {
		out, end = append(out, s.found[head]), s.found[head].from
	}
	return append(s.cover(end), out...)
}

// letters refuses a piece of a longer run of Latin letters or digits: "abs" is no
// word of "absorber".
func letters(text []rune, from, to int) bool {
	latin := func(i int) bool {
		return i >= 0 && i < len(text) && (text[i] >= 'a' && text[i] <= 'z')
	}
	return (!latin(from) || !latin(from-1)) && (!latin(to-1) || !latin(to))
}

// cover picks the words within text[:end] whose squared lengths add up to most.
func (s *scanner) cover(end int) []span {
	s.best = append(s.best[:0], make([]int, end+1)...)
	s.back = append(s.back[:0], make([]int, end+1)...)
	for i := range s.back {
		s.back[i] = -1
	}
	for to := 1; to <= end; to++ {
		s.best[to] = s.best[to-1]
		for i, f := range s.found {
			if f.to != to {
				continue
			}
			if v := s.best[f.from] + (f.to-f.from)*(f.to-f.from); v > s.best[to] {
				s.best[to], s.back[to] = v, i
			}
		}
	}
	var out []span
	for at := end; at > 0; {
		i := s.back[at]
		if i < 0 {
			at--
			continue
		}
		out = append(out, s.found[i])
		at = s.found[i].from
	}
	slices.Reverse(out)
	return out
}

// tails say that something is sold, made or counted, not what it is.
var tails = func() [][]rune {
	var out [][]rune
	for _, t := range strings.Fields("销售收入 销售 业务收入 业务 收入 产品 系列产品 系列 制品业 制造业 制造 生产 加工 贸易 类产品 类 等 行业 分部 板块 项目 其他 及其他 及配件 及零部件 及相关产品 相关产品 内销 外销 出口 国内 国外 批发 零售 批发零售 采购 购销 开发 研发 有限公司") {
		out = append(out, []rune(t))
	}
	slices.SortStableFunc(out, func(a, b []rune) int { return len(b) - len(a) })
	return out
}()

// cutTail strips one such tail, and nothing when only that would be left.
func cutTail(text []rune) ([]rune, bool) {
	for _, t := range tails {
		if n := len(text) - len(t); n >= 2 && slices.Equal(text[n:], t) {
			return text[:n], true
		}
	}
	return text, false
}
