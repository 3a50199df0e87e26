package party

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Entry is a firm of a registry: its name and the other names it goes by.
type Entry struct {
	Name   string
	Others []string // former and short names
}

// Match is what a name was found to mean.
type Match struct {
	// Best is the likeliest entry whatever its score, or -1 when nothing shares a
	// character with the name; Second comes after it, or is -1.
	Best, Second int
	// Score is the probability that the name means Best, against all others of the
	// registry and firms that are not in it.
	Score float64
	// Accepted says that Score reaches the threshold; else Reason says why not.
	Accepted bool
	Reason   string // "blank", "unknown", "tie", "unsure"
}

// Threshold is the least probability at which a match is taken for the same firm.
const Threshold = 0.9

// Index finds the firm that a name means among the firms of a registry. It is
// read-only after it is made and safe for concurrent use; each goroutine takes a
// Matcher of its own.
type Index struct {
	firms    []int32 // name → entry
	fulls    []full
	keys     map[string][]int32 // normalised name → names
	postings map[rune][]int32   // character → names, ascending
	weight   map[rune]float64   // -log of the share of names that have the character
	rarity   map[rune]float64   // -log of the share among the characters of cores
	entries  int
}

// NewIndex reads a registry.
func NewIndex(entries []Entry) *Index {
	x := &Index{
		keys: map[string][]int32{}, postings: map[rune][]int32{}, weight: map[rune]float64{}, rarity: map[rune]float64{},
		entries: len(entries),
	}
	var names []entryName
	v := vocabulary{}
	for i, e := range entries {
		for _, name := range append([]string{e.Name}, e.Others...) {
			if key := Normalise(name); key != "" {
				names = append(names, entryName{int32(i), key, split(fold(name))})
				v.add(&names[len(names)-1].parts)
			}
		}
	}
	for i := range names {
		x.add(&names[i], v)
	}
	x.weigh()
	return x
}

// entryName is a name of an entry, split.
type entryName struct {
	entry int32
	key   string
	parts parts
}

func (x *Index) add(n *entryName, v vocabulary) {
	at := int32(len(x.firms))
	x.firms = append(x.firms, n.entry)
	f := newFull(&n.parts, v)
	f.weigh()
	x.fulls = append(x.fulls, f)
	x.keys[n.key] = append(x.keys[n.key], at)
	for i, l := range f.letters {
		if !slices.ContainsFunc(f.letters[:i], func(o letter) bool { return o.r == l.r }) {
			x.postings[l.r] = append(x.postings[l.r], at)
		}
		if l.slot == inCore {
			x.rarity[l.r]++
		}
	}
}

// weigh turns counts into costs. What was never seen counts as half a time.
func (x *Index) weigh() {
	total := 1.0
	for _, n := range x.rarity {
		total += n
	}
	for r, n := range x.rarity {
		x.rarity[r] = -math.Log(n / total)
	}
	x.rarity[0] = -math.Log(0.5 / total)
	for r, names := range x.postings {
		x.weight[r] = -math.Log(float64(len(names)) / float64(len(x.firms)+1))
	}
}

// Matcher asks an index. It is for one goroutine.
type Matcher struct {
	*Index
	reader reader
	seen   []float64 // by name: weight of the characters it shares
	has    []uint64  // by name: which of the first 64 characters asked it has
	found  []int32
	except int32 // entry that is passed over, or nobody
}

const nobody = -1

// Matcher returns a new matcher.
func (x *Index) Matcher() *Matcher {
	return &Matcher{Index: x, seen: make([]float64, len(x.fulls)), has: make([]uint64, len(x.fulls)), except: nobody}
}

// Readings is how many names of a registry are read against the asked one in full.
const Readings = 400

// Match finds the entry that name means, or says why it cannot tell.
func (m *Matcher) Match(name string) Match {
	a := m.find(name)
	return a.judge(m.entries)
}

// candidate is an entry with the cost of the likeliest reading.
type candidate struct {
	entry  int32
	cost   float64
	length int  // of the name that was read
	taken  bool // it goes by another short name
}

// answer is what was found for a name, before it is judged.
type answer struct {
	key, brief string
	same       []int32 // entries that are called so
	candidates []candidate
	own        float64 // what the name costs as that of a firm nobody knows
	other      float64 // and as that of another firm with the brand of the likeliest
}

func (m *Matcher) find(name string) answer {
	a := answer{key: Normalise(name), other: never}
	if a.key == "" {
		return a
	}
	if a.same = m.distinct(m.keys[a.key]); len(a.same) > 0 {
		return a
	}
	q := m.ask(name)
	a.own = q.own
	found := map[int32]candidate{}
	best, likely := never, int32(-1)
	for _, at := range m.candidates(q.index()) {
		if m.firms[at] == m.except {
			continue
		}
		c := m.read(q, at, best+12)
		if c >= never {
			continue
		}
		one := candidate{entry: m.firms[at], cost: c, length: len(m.fulls[at].letters)}
		if old, ok := found[one.entry]; !ok || byCost(one, old) < 0 {
			found[one.entry] = one
		}
		if c < best {
			best, likely = c, at
		}
	}
	for _, c := range found {
		a.candidates = append(a.candidates, c)
	}
	slices.SortFunc(a.candidates, byCost)
	a.brief = briefKey(name)
	if likely >= 0 {
		for _, w := range q.ways {
			if w.code == nil {
				a.other = min(a.other, w.cost+q.ch.sibling+m.reader.stranger(w.v, w.own, m.fulls[likely].letters))
			}
		}
	}
	return a
}

// byCost puts the likeliest first; of equals the shortest name, which is nearest.
func byCost(a, b candidate) int {
	if d := a.cost - b.cost; math.Abs(d) > 1e-9 {
		return cmp.Compare(d, 0)
	}
	return cmp.Or(cmp.Compare(a.length, b.length), cmp.Compare(a.entry, b.entry))
}

// distinct returns the entries of names, each once.
func (m *Matcher) distinct(names []int32) []int32 {
	var out []int32
	for _, at := range names {
		if m.firms[at] != m.except && !slices.Contains(out, m.firms[at]) {
			out = append(out, m.firms[at])
		}
	}
	return out
}

// question is a name that is asked for, in the readings that it may have.
type question struct {
	ways   []way
	places []string
	ch     *channel
	own    float64 // what the name costs as that of a firm nobody knows
}

// way is one reading: characters, what each costs when it is not in a full name,
// what the reading itself costs, and the place that it has in one letter, with its codes.
type way struct {
	v      []rune
	own    []float64
	bits   []uint64 // of v, see Matcher.has; 0 is not looked for
	cost   float64
	letter rune
	code   []string
	aged   bool // a mark of shares that were listed long ago was taken off
}

func (q *question) letters() []rune {
	var out []rune
	for _, w := range q.ways {
		for _, r := range w.v {
			if !slices.Contains(out, r) {
				out = append(out, r)
			}
		}
	}
	return out
}

// index finds the characters of the ways among all letters asked.
func (q *question) index() []rune {
	letters := q.letters()
	for i := range q.ways {
		w := &q.ways[i]
		w.bits = make([]uint64, len(w.v))
		for j, r := range w.v {
			w.bits[j] = 1 << slices.Index(letters, r)
		}
	}
	return letters
}

// lacks returns what the characters that a full name does not have cost at least.
func (w *way) lacks(has uint64, inserting float64) (cost float64) {
	for i, bit := range w.bits {
		if bit != 0 && has&bit == 0 {
			cost += inserting + w.own[i]
		}
	}
	return cost
}

func (m *Matcher) ask(name string) *question {
	w, folded := common(), fold(name)
	p := split(folded)
	q := &question{places: p.places, ch: &brief}
	switch p.class {
	case "limited", "stock", "cooperative", "partnership", "branch":
		q.ch = &formal
	}
	plain := way{v: p.runes(), own: m.price(&p)}
	for _, c := range plain.own {
		q.own += c
	}
	q.ways = append(q.ways, plain)
	if bare, aged := unmark(w, folded); bare != folded {
		bp := split(bare)
		q.ways = append(q.ways, way{v: bp.runes(), own: m.price(&bp), cost: 1, aged: aged})
	}
	for _, known := range q.ways {
		if len(known.v) < 2 || len(known.v) > 8 {
			continue
		}
		if codes := w.letters[known.v[0]]; codes != nil {
			q.ways = append(q.ways, way{v: known.v[1:], own: known.own[1:], cost: known.cost, letter: known.v[0], code: codes, aged: known.aged})
		}
		if n := len(known.v); n >= 4 && n <= 6 && p.class == "" { // 智慧松德 for 松德智慧
			turned := way{v: append(slices.Clone(known.v[n-2:]), known.v[:n-2]...), cost: known.cost + moved, aged: known.aged}
			turned.own = append(slices.Clone(known.own[n-2:]), known.own[:n-2]...)
			q.ways = append(q.ways, turned)
		}
	}
	return q
}

// price returns what each character costs when nothing explains it. A region, a word
// of trade and a form are picked whole, so they are cheap; a core is spelled.
func (m *Matcher) price(p *parts) []float64 {
	out := make([]float64, 0, 16)
	spread := func(r []rune, cost float64) {
		for range r {
			out = append(out, cost/float64(len(r)))
		}
	}
	spread(p.region, 3)
	head := common().coreHead(p.core)
	if common().onlyTrade(p.core) {
		head = 0
	}
	for _, r := range p.core[:head] {
		out = append(out, m.rare(r))
	}
	spread(p.core[head:], 2*float64(len(p.core)-head))
	spread(p.trade, 2*float64(len(p.trade)))
	spread(p.form, 2)
	return out
}

func (m *Matcher) rare(r rune) float64 {
	if c, ok := m.rarity[r]; ok && r != 0 {
		return c
	}
	return m.rarity[0]
}

// unmark takes the marks of an exchange off a short name, and says whether they are of
// shares that were listed long ago: *ST昌鱼 is 昌鱼, 粤高速A 粤高速.
func unmark(w *words, folded string) (bare string, aged bool) {
	for _, mark := range w.before {
		if tail, ok := strings.CutPrefix(folded, mark); ok && chinese(tail, 2) {
			if r, _ := utf8.DecodeRuneInString(tail); unicode.Is(unicode.Han, r) {
				folded, aged = tail, w.aged[mark]
				break
			}
		}
	}
	for _, mark := range w.after {
		if head, ok := strings.CutSuffix(folded, mark); ok && chinese(head, 2) {
			return head, aged || w.aged[mark]
		}
	}
	return folded, aged
}

// chinese says that s has at least n Chinese characters.
func chinese(s string, n int) bool {
	for _, r := range s {
		if unicode.Is(unicode.Han, r) {
			n--
		}
	}
	return n <= 0
}

// candidates returns the names that share most with the letters, rare ones first.
func (m *Matcher) candidates(letters []rune) []int32 {
	for _, at := range m.found {
		m.seen[at], m.has[at] = 0, 0
	}
	m.found = m.found[:0]
	for i, r := range letters {
		w, bit := m.weight[r], uint64(1)<<min(i, 64)
		for _, at := range m.postings[r] {
			if m.seen[at] == 0 {
				m.found = append(m.found, at)
			}
			m.seen[at] += w
			m.has[at] |= bit
		}
	}
	out := m.most()
	slices.SortFunc(out, func(a, b int32) int {
		return cmp.Or(cmp.Compare(m.seen[b], m.seen[a]), cmp.Compare(len(m.fulls[a].letters), len(m.fulls[b].letters)), cmp.Compare(a, b))
	})
	return out[:min(len(out), Readings)]
}

// most returns the found names that may be among the Readings that share most: sorting
// all that share a common character would cost more than reading those.
func (m *Matcher) most() (out []int32) {
	var counts [256]int
	bucket := func(at int32) int { return min(int(2*m.seen[at]), len(counts)-1) }
	for _, at := range m.found {
		counts[bucket(at)]++
	}
	least := len(counts) - 1
	for n := counts[least]; least > 0 && n < Readings; n += counts[least] {
		least--
	}
	for _, at := range m.found {
		if bucket(at) >= least {
			out = append(out, at)
		}
	}
	return out
}

// read returns the cost of the likeliest reading of a question as a full name.
func (m *Matcher) read(q *question, at int32, limit float64) float64 {
	f, best := &m.fulls[at], never
	for i := range q.ways {
		w := &q.ways[i]
		from, extra := 0, w.cost
		if w.aged {
			extra += f.aged
		}
		if extra+w.lacks(m.has[at], q.ch.inserting) >= limit {
			continue
		}
		if w.code != nil {
			if !lieIn(w.code, f.places) {
				continue
			}
			from, extra = f.region, extra+lettered
			if !f.named(w) {
				extra += nearby
			}
		}
		best = min(best, extra+m.reader.cost(q.ch, w.v, w.own, f, from, limit))
	}
	if f.unlisted {
		best += q.ch.unlisted
	}
	if apart(q.places, f.places) {
		best += foreign
	}
	return best
}

// named says that a full name names the very place of a letter, or one that is written
// with it: 湘 is Hunan before it is one of its cities, but for 湘潭.
func (f *full) named(w *way) bool {
	return slices.ContainsFunc(w.code, func(c string) bool { return slices.Contains(f.places, c) }) ||
		slices.ContainsFunc(f.letters[:f.region], func(l letter) bool { return l.r == w.letter })
}

// lieIn says that one of the codes and one of the places lie in each other.
func lieIn(codes, places []string) bool {
	for _, a := range codes {
		for _, b := range places {
			if b != "" && (strings.HasPrefix(a, b) || strings.HasPrefix(b, a)) {
				return true
			}
		}
	}
	return false
}

// apart says that both name places and none lies in one of the other's.
func apart(a, b []string) bool {
	inside := func(codes []string) bool {
		return slices.ContainsFunc(codes, func(c string) bool { return c != "" })
	}
	return inside(a) && inside(b) && !lieIn(a, b)
}

// absent is how probable it is that a name means nobody of the registry.
const absent = 0.05

// judge turns costs into probabilities.
func (a *answer) judge(entries int) Match {
	if a.key == "" {
		return Match{Best: -1, Second: -1, Reason: "blank"}
	}
	if len(a.same) > 0 {
		out := Match{Best: int(a.same[0]), Second: -1, Score: 1 / float64(len(a.same)), Accepted: len(a.same) == 1}
		if len(a.same) > 1 {
			out.Second, out.Reason = int(a.same[1]), "tie"
		}
		return out
	}
	if len(a.candidates) == 0 {
		return Match{Best: -1, Second: -1, Reason: "unknown"}
	}
	best, out := a.candidates[0].cost, Match{Best: int(a.candidates[0].entry), Second: -1}
	gap := never
	if len(a.candidates) > 1 {
		out.Second, gap = int(a.candidates[1].entry), a.candidates[1].cost-best
	}
	nobody := min(a.own-math.Log(absent)-math.Log(float64(entries)), a.other)
	sum := math.Exp(best-a.own+math.Log(absent)+math.Log(float64(entries))) + math.Exp(best-a.other)
	for _, c := range a.candidates {
		sum += math.Exp(best - c.cost)
	}
	out.Score = 1 / sum
	switch {
	case out.Score >= Threshold:
		out.Accepted = true
	case nobody < best:
		out.Reason = "unknown"
	case gap < 1:
		out.Reason = "tie"
	default:
		out.Reason = "unsure"
	}
	return out
}
