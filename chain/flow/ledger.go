package flow

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/flow/goods"
	"github.com/furrowcredit/furrow/money"
)

// noDay is the date of a document whose date cannot be read: out of every window.
const noDay = math.MinInt32 / 2

// frame is the room of a contract that names no amount.
const frame = money.Fen(math.MaxInt64 / 8)

// entry is a document while its pair is matched. left is what of it is not used: of
// an invoice, what red-letter ones left of it.
type entry struct {
	doc     *chain.Document
	day     int
	left    money.Fen
	number  string
	goods   int      // place in ledger.texts, 0 for blank
	invoice []string // numbers that it names
	order   []string
	frame   []string // contracts
	claimed bool     // it names something that an invoice of the pair has too
}

// ledger is the trade of one seller with one buyer.
type ledger struct {
	rules    Rules
	today    int
	invoices []*entry
	pools    [flows][]*entry
	void     int
	gaps     []Gap
	parts    [flows][][]Part // by invoice
	open     [flows][]money.Fen
	back     [][]Part

	texts []string // distinct goods; 0 is blank
	alike map[[2]int]bool
}

func newLedger(docs []*chain.Document, rules Rules, today money.Date) *ledger {
	l := &ledger{rules: rules, today: int(today), texts: []string{""}, alike: map[[2]int]bool{}}
	entries := l.read(docs)
	kinds := map[chain.DocKind][]*entry{}
	for i := range entries {
		k := entries[i].doc.Kind
		kinds[k] = append(kinds[k], &entries[i])
	}
	live := func(k chain.DocKind) []*entry {
		return slices.DeleteFunc(once(kinds[k]), func(e *entry) bool {
			if e.doc.Void && k == chain.Invoice {
				l.void++
			}
			return e.doc.Void
		})
	}
	var backs []*entry
	l.invoices, backs = split(live(chain.Invoice))
	l.back = make([][]Part, len(l.invoices))
	l.takeBack(l.invoices, backs, l.back, true)
	contracts, orders := live(chain.Contract), live(chain.Order)
	orders = l.settle(orders)
	l.pools[Trade] = slices.Concat(frames(contracts, orders), orders)
	slices.SortStableFunc(l.pools[Trade], func(a, b *entry) int { return cmp.Compare(a.day, b.day) })
	l.pools[Logistics] = l.settle(live(chain.Delivery))
	l.pools[Money] = l.settle(live(chain.Payment))
	l.pools[Credit] = l.settle(live(chain.Confirmation))
	return l
}

// read makes the entries in an order that depends on nothing but the documents.
func (l *ledger) read(docs []*chain.Document) []entry {
	slices.SortFunc(docs, func(a, b *chain.Document) int {
		return cmp.Or(cmp.Compare(a.Date, b.Date), cmp.Compare(a.Number, b.Number), cmp.Compare(a.Amount, b.Amount), cmp.Compare(a.ID, b.ID),
			cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.OrderNo, b.OrderNo), cmp.Compare(a.InvoiceNo, b.InvoiceNo),
			cmp.Compare(a.ContractNo, b.ContractNo), cmp.Compare(a.Goods, b.Goods), cmp.Compare(a.Funder, b.Funder))
	})
	known := map[string]int{"": 0}
	keys := map[string]int{"": 0}
	out := make([]entry, len(docs))
	for i, d := range docs {
		day := noDay
		if at, err := money.ParseDate(d.Date); err == nil {
			day = int(at)
		}
		text, ok := known[d.Goods]
		if !ok {
			key := goods.Key(d.Goods)
			if text, ok = keys[key]; !ok {
				text = len(l.texts)
				keys[key], l.texts = text, append(l.texts, key)
			}
			known[d.Goods] = text
		}
		out[i] = entry{
			doc: d, day: day, left: d.Amount, number: numberKey(d.Number), goods: text,
			invoice: numbers(d.InvoiceNo), order: numbers(d.OrderNo), frame: numbers(d.ContractNo),
		}
	}
	return out
}

// numberKey is chain.NumberKey, quick for numbers that are plain already.
func numberKey(s string) string {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'A' || c > 'Z') {
			return chain.NumberKey(s)
		}
	}
	return s
}

// numbers reads a cell that names one document or several: "FP1、FP2".
func numbers(s string) []string {
	if s == "" {
		return nil
	}
	var out []string
	for _, part := range strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(",;，；、\n", r) }) {
		if k := numberKey(part); k != "" && !slices.Contains(out, k) {
			out = append(out, k)
		}
	}
	return out
}

// once drops what is there a second time under its number. Numbers of paper
// invoices are one only together with their code; a missing code tells nothing. A
// document that is cancelled in one copy is cancelled.
func once(in []*entry) []*entry {
	seen := map[string][]*entry{}
	coded := slices.Clone(in)
	slices.SortStableFunc(coded, func(a, b *entry) int { return cmp.Compare(min(1, len(b.doc.Code)), min(1, len(a.doc.Code))) })
	drop := map[*entry]bool{}
	for _, e := range coded {
		if e.number == "" {
			continue
		}
		same := slices.IndexFunc(seen[e.number], func(o *entry) bool {
			return e.doc.Code == "" || numberKey(o.doc.Code) == numberKey(e.doc.Code)
		})
		if same < 0 {
			seen[e.number] = append(seen[e.number], e)
			continue
		}
		if o := seen[e.number][same]; e.doc.Void && !o.doc.Void {
			seen[e.number][same], e = e, o
		}
		drop[e] = true
	}
	return slices.DeleteFunc(in, func(e *entry) bool { return drop[e] })
}

// split parts documents from those that take some back.
func split(in []*entry) (plus, minus []*entry) {
	for _, e := range in {
		switch {
		case e.left > 0:
			plus = append(plus, e)
		case e.left < 0:
			minus = append(minus, e)
		}
	}
	return plus, minus
}

// settle takes refunds, returns and cancellations off what they are against.
func (l *ledger) settle(in []*entry) []*entry {
	plus, minus := split(in)
	l.takeBack(plus, minus, nil, false)
	return slices.DeleteFunc(plus, func(e *entry) bool { return e.left == 0 })
}

// takeBack lowers what minus is against: what it names, else the newest document
// before it of exactly its amount, else the newest ones before it. notes, when not
// nil, is told by place in plus; what finds nothing is a gap when gap is set.
func (l *ledger) takeBack(plus, minus []*entry, notes [][]Part, gap bool) {
	if len(minus) == 0 {
		return
	}
	named, exact := map[string][]int{}, map[money.Fen][]int{}
	for i, e := range plus {
		exact[e.left] = append(exact[e.left], i)
		for _, k := range e.names(notes != nil) {
			named[k] = append(named[k], i)
		}
	}
	older := newSkip(len(plus))
	for _, m := range minus {
		need := -m.left
		take := func(i int, by Basis) {
			e := plus[i]
			got := min(need, e.left)
			if got == 0 || by != ByInvoice && !l.goodsFit(e, m) {
				return
			}
			e.left -= got
			need -= got
			if notes != nil {
				notes[i] = append(notes[i], Part{m.doc, got, by})
			}
		}
		says := m.invoice
		if notes == nil {
			says = m.names(false)
		}
		for _, k := range says {
			for _, i := range named[k] {
				take(i, ByInvoice)
			}
		}
		if notes != nil && len(says) > 0 { // it says what it is against, and nothing else
			if need > 0 && gap {
				l.gaps = append(l.gaps, Gap{BackWithoutInvoice, m.doc, need, l.age(m)})
			}
			continue
		}
		if same := exact[need]; need == -m.left {
			last := upTo(same, plus, m.day)
			for _, i := range slices.Backward(same[max(0, last-maxTries):last]) {
				if plus[i].left == need && l.goodsFit(plus[i], m) {
					take(i, ByAmount)
					break
				}
			}
		}
		last, _ := slices.BinarySearchFunc(plus, m.day+1, func(e *entry, day int) int { return cmp.Compare(e.day, day) })
		for i, tries := older.before(last-1), 0; i >= 0 && need > 0 && tries < maxTries && plus[i].day >= m.day-backDays; i, tries = older.before(i-1), tries+1 {
			take(i, ByAccount)
			if plus[i].left == 0 {
				older.drop(i)
			}
		}
		if need > 0 && gap {
			l.gaps = append(l.gaps, Gap{BackWithoutInvoice, m.doc, need, l.age(m)})
		}
	}
}

// Bounds of a search: a hot pair must not cost the square of its documents.
const (
	maxTries = 64
	backDays = 365 // goods are not taken back later without naming the invoice
)

// upTo counts the places in list whose document is not after day.
func upTo(list []int, of []*entry, day int) int {
	n, _ := slices.BinarySearchFunc(list, day+1, func(i, day int) int { return cmp.Compare(of[i].day, day) })
	return n
}

// names lists the numbers by which a document is taken back: an invoice by its own,
// all others by what they name too.
func (e *entry) names(self bool) []string {
	if self {
		if e.number == "" {
			return nil
		}
		return []string{e.number}
	}
	return slices.Concat(e.invoice, e.order)
}

// frames returns the contracts with what is left of them beside their orders; one
// without an amount is a frame for all that name it.
func frames(contracts, orders []*entry) []*entry {
	byNumber := map[string]*entry{}
	for _, c := range contracts {
		if c.left == 0 {
			c.left = frame
		}
		for _, k := range c.own() {
			if byNumber[k] == nil {
				byNumber[k] = c
			}
		}
	}
	for _, o := range orders {
		for _, k := range o.frame {
			if c := byNumber[k]; c != nil && c.left < frame {
				c.left = max(0, c.left-o.left)
				break
			}
		}
	}
	return slices.DeleteFunc(contracts, func(c *entry) bool { return c.left <= 0 })
}

// own are the numbers that an order or contract goes by.
func (e *entry) own() []string {
	out := make([]string, 0, 2)
	if e.number != "" {
		out = append(out, e.number)
	}
	if e.doc.Kind == chain.Contract {
		out = append(out, e.frame...)
	}
	return out
}

// goodsFit says whether two documents can be of the same goods: those that do not
// say tell nothing against it.
func (l *ledger) goodsFit(a, b *entry) bool {
	x, y := min(a.goods, b.goods), max(a.goods, b.goods)
	if x == 0 || x == y || l.texts[x] == "" || l.texts[y] == "" {
		return true
	}
	fit, known := l.alike[[2]int{x, y}]
	if !known {
		fit = goods.Overlap(l.texts[x], l.texts[y]) >= l.rules.GoodsOverlap
		l.alike[[2]int{x, y}] = fit
	}
	return fit
}

func (l *ledger) age(e *entry) int {
	if e.day == noDay {
		return 0
	}
	return l.today - e.day
}

// skip finds the nearest element that is not dropped, in all but constant time
// (union-find with path halving).
type skip struct{ prev, next []int32 }

func newSkip(n int) *skip {
	s := &skip{make([]int32, n+1), make([]int32, n+1)}
	for i := range n + 1 {
		s.prev[i], s.next[i] = int32(i), int32(i) //nolint:gosec // fewer documents than fit
	}
	return s
}

func (s *skip) drop(i int) {
	s.prev[i+1] = int32(i) //nolint:gosec // as above
	s.next[i] = int32(i + 1)
}

// before returns the last element up to i, -1 for none.
func (s *skip) before(i int) int { return find(s.prev, i+1) - 1 }

// after returns the first element from i, the number of elements for none.
func (s *skip) after(i int) int { return find(s.next, i) }

func find(p []int32, i int) int {
	for int(p[i]) != i {
		p[i] = p[p[i]]
		i = int(p[i])
	}
	return i
}
