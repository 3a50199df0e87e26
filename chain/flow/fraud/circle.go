package fraud

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/flow/goods"
	"github.com/furrowcredit/furrow/chain/graph"
	"github.com/furrowcredit/furrow/money"
)

// leg is one step of a way: a sale from seller to buyer, or money from who pays.
type leg struct {
	doc      *chain.Document
	from, to string
	day      int
	amount   money.Fen
	goods    string
}

// Bounds of the search: real trade has small components, and a hostile one must not
// stop the house. Every leg has its share, so that none starves the others.
const (
	maxSteps   = 4_000_000 // of a component
	minSteps   = 400       // of a leg
	circlesPer = 3         // findings after which a firm is known to be on circles
	maxCircles = 10_000    // in all: more than anybody looks at
)

// search finds circles: legs from firm to firm, each no earlier than the one before,
// that end where they began within days and hops. fits compares a leg with the first.
type search struct {
	hops, days int
	fits       func(first, next *leg) bool
	keep       func(path []*leg) bool // nil keeps all
}

// circle is the legs of all circles through the same firms.
type circle struct {
	firms []string
	legs  []*leg
	part  bool // the search was cut short
}

// run finds the circles among legs. Only firms of one strongly connected component
// can be on one, so only those are searched. The order of the legs changes nothing.
func (s search) run(legs []leg) []circle {
	slices.SortFunc(legs, func(a, b leg) int {
		return cmp.Or(cmp.Compare(a.day, b.day), cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to), cmp.Compare(a.amount, b.amount), cmp.Compare(a.doc.Number, b.doc.Number), cmp.Compare(a.doc.ID, b.doc.ID))
	})
	x := graph.NewIndex()
	edges := make([]graph.Edge, len(legs))
	for i := range legs {
		edges[i] = graph.Edge{From: x.Add(legs[i].from), To: x.Add(legs[i].to)}
	}
	component := make([]int, x.Len())
	var inside [][]*leg
	for _, c := range graph.Build(x.Len(), edges).Components() {
		if len(c) < 2 {
			continue
		}
		inside = append(inside, nil)
		for _, v := range c {
			component[v] = len(inside)
		}
	}
	for i := range legs {
		if c := component[edges[i].From]; c > 0 && c == component[edges[i].To] {
			inside[c-1] = append(inside[c-1], &legs[i])
		}
	}
	var out []circle
	for _, legs := range inside {
		if out = append(out, s.component(legs, maxCircles-len(out))...); len(out) >= maxCircles {
			break
		}
	}
	slices.SortStableFunc(out, func(a, b circle) int { return cmp.Compare(a.legs[0].day, b.legs[0].day) })
	return out
}

// component finds at most so many circles.
func (s search) component(legs []*leg, most int) []circle {
	next := map[string][]*leg{}
	for _, l := range legs {
		next[l.from] = append(next[l.from], l)
	}
	var (
		found = map[string]*circle{}
		order []*circle
		in    = map[*circle]map[*leg]bool{}
		on    = map[string]int{} // circles by firm
		path  []*leg
		steps int
		part  bool
		walk  func()
	)
	note := func() {
		firms := make([]string, len(path))
		known := true
		for i, l := range path {
			firms[i] = l.from
			known = known && on[l.from] >= circlesPer
		}
		key := strings.Join(slices.Sorted(slices.Values(firms)), "\x00")
		c := found[key]
		if c == nil {
			if known || len(order) >= most {
				part = true
				return
			}
			c = &circle{firms: firms}
			found[key], in[c] = c, map[*leg]bool{}
			order = append(order, c)
			for _, f := range firms {
				on[f]++
			}
		}
		for _, l := range path {
			if !in[c][l] {
				in[c][l] = true
				c.legs = append(c.legs, l)
			}
		}
	}
	walk = func() {
		start, last := path[0], path[len(path)-1]
		list := next[last.to]
		at, _ := slices.BinarySearchFunc(list, last.day, func(l *leg, day int) int { return cmp.Compare(l.day, day) })
		for _, l := range list[at:] {
			if l.day-start.day > s.days {
				return
			}
			if steps--; steps < 0 {
				part = true
				return
			}
			closes := l.to == start.from
			if !closes && len(path)+1 >= s.hops || !s.fits(start, l) || l == last || slices.ContainsFunc(path, func(p *leg) bool { return p.from == l.to && !closes }) {
				continue
			}
			path = append(path, l)
			if !closes {
				walk()
			} else if s.keep == nil || s.keep(path) {
				note()
			}
			path = path[:len(path)-1]
		}
	}
	each := max(minSteps, maxSteps/len(legs))
	for _, l := range legs {
		path, steps = append(path[:0], l), each
		walk()
	}
	out := make([]circle, len(order))
	for i, c := range order {
		slices.SortStableFunc(c.legs, func(a, b *leg) int { return cmp.Compare(a.day, b.day) })
		c.part = part
		out[i] = *c
	}
	return out
}

// finding shows a circle.
func (c circle) finding(kind chain.FindingKind) chain.Finding {
	f := chain.Finding{Kind: kind, Severity: chain.Critical, FirmIDs: c.firms}
	for _, l := range c.legs {
		f.Documents = append(f.Documents, *l.doc)
	}
	first, last := c.legs[0], c.legs[len(c.legs)-1]
	f.Evidence = map[string]string{
		"firms": strconv.Itoa(len(c.firms)), "documents": strconv.Itoa(len(c.legs)), "first_date": first.doc.Date, "last_date": last.doc.Date,
		"days": strconv.Itoa(last.day - first.day), "amount": first.amount.String(),
	}
	if c.part {
		f.Evidence["searched"] = "part"
	}
	return f
}

// Circles finds trade in a circle: invoices from firm to firm, each no earlier than
// the one before, of a similar amount and of goods that are not known to be others,
// that end where they began within Rules.CircleDays and Rules.CircleHops. Without the
// goods the amounts must be closer. Two firms
// that sell each other goods nobody names are on one only when that is much of what
// they trade. Circles through the same firms are one finding.
func Circles(docs []chain.Document, rules Rules) []chain.Finding {
	legs := valid(docs, chain.Invoice)
	keys := map[string]string{}
	mutual := map[[2]string]money.Fen{}
	for i := range legs {
		d := legs[i].doc
		if _, ok := keys[d.Goods]; !ok {
			keys[d.Goods] = goods.Key(d.Goods)
		}
		legs[i].goods = keys[d.Goods]
		mutual[sides(&legs[i])] += d.Amount
	}
	alike := map[[2]string]bool{}
	same := func(a, b string) bool {
		if a == "" || b == "" || a == b {
			return true
		}
		fit, known := alike[[2]string{a, b}]
		if !known {
			fit = goods.Dice(a, b) >= rules.CircleGoods
			alike[[2]string{a, b}] = fit
		}
		return fit
	}
	s := search{
		hops: rules.CircleHops, days: rules.CircleDays,
		fits: func(first, l *leg) bool {
			permille := rules.CirclePermille
			if first.goods == "" || l.goods == "" {
				permille = rules.BlankPermille
			}
			return near(l.amount, first.amount, permille) && same(first.goods, l.goods)
		},
	}
	var out []chain.Finding
	for _, c := range s.run(legs) {
		if len(c.firms) == 2 && slices.ContainsFunc(c.legs, func(l *leg) bool { return l.goods == "" }) {
			var round money.Fen
			for _, l := range c.legs {
				round += l.amount
			}
			if float64(round) < rules.MutualShare*float64(mutual[sides(c.legs[0])]) {
				continue
			}
		}
		f := c.finding(chain.CircularTrade)
		f.Evidence["invoices"] = f.Evidence["documents"]
		delete(f.Evidence, "documents")
		out = append(out, f)
	}
	return out
}

// sides are the two firms of a leg in one order.
func sides(l *leg) [2]string { return [2]string{min(l.from, l.to), max(l.from, l.to)} }

// CashReturned finds payments that come back to who made them, straight or by way
// of others, within Rules.CashDays, less what those on the way keep. behind says
// whether an invoice stands behind a payment, by its id: money that goes round for
// goods on every step is mutual trade, and Circles looks at that.
func CashReturned(docs []chain.Document, behind func(id string) bool, rules Rules) []chain.Finding {
	legs := valid(docs, chain.Payment)
	for i := range legs {
		legs[i].from, legs[i].to = legs[i].to, legs[i].from // the buyer pays
	}
	legs = slices.DeleteFunc(legs, func(l leg) bool { return l.amount < rules.CashMin })
	s := search{
		hops: rules.CashHops, days: rules.CashDays,
		fits: func(first, l *leg) bool {
			return l.amount <= first.amount+first.amount/50 && l.amount >= first.amount-first.amount/1000*money.Fen(rules.CashKeptPermille)
		},
		keep: func(path []*leg) bool {
			return slices.ContainsFunc(path, func(l *leg) bool { return !behind(l.doc.ID) })
		},
	}
	var out []chain.Finding
	for _, c := range s.run(legs) {
		f := c.finding(chain.CashReturned)
		f.Severity = chain.Warning
		bare := 0
		for _, l := range c.legs {
			if !behind(l.doc.ID) {
				bare++
			}
		}
		f.Evidence["without_invoice"] = strconv.Itoa(bare)
		out = append(out, f)
	}
	return out
}
