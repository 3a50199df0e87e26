package flow

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/industry"
	"github.com/furrowcredit/furrow/money"
)

// SurroundingsMethod names the version of levels: it is frozen into decisions.
const SurroundingsMethod = "chain.surroundings/1"

// Bounds of surroundings.
const (
	// fewestFirms stand behind each month of an industry's level: of fewer one could be
	// read from the others.
	fewestFirms = 6
	mostFirms   = 500 // of a node, the first in the order of their ids
	mostAnchors = 3
	leastShare  = 0.05 // of a firm's sales that make an anchor count
	peak        = 4.0  // times its own mean that a firm's month counts at most
)

// Around has the levels of industries made by the nodes of a catalogue. It is called
// before the network is used.
func (n *Network) Around(c *industry.Catalogue) { n.industries = c }

// levels are those of a tenant at one revision and month. They never change once made.
type levels struct {
	revision int64
	month    string
	nodeOf   map[string]string // firms' surest nodes
	nodes    map[string]chain.IndustryLevel
	anchors  map[string]chain.Level
}

// place is where a tenant's levels are kept; its lock lets one make them while others wait.
type place struct {
	mu  sync.Mutex
	now *levels
}

// Surroundings says what moves around a firm that stands so: the proven sales of its
// industry, and what its anchors buy, in whole months up to now. The sales of the firm
// itself are one of many in the level of its industry.
func (n *Network) Surroundings(ctx context.Context, tenant string, s chain.Standing) (chain.Surroundings, error) {
	out := chain.Surroundings{FirmID: s.FirmID, Anchors: []chain.AnchorLevel{}, Method: SurroundingsMethod, MadeAt: n.now().UTC()}
	l, err := n.levelsOf(ctx, tenant)
	if err != nil {
		return out, err
	}
	node, placed := l.nodeOf[s.FirmID]
	switch level, ok := l.near(node, n.industries); {
	case !placed:
		out.Reason = "no_node"
	case !ok:
		out.Reason = "few_firms"
	default:
		out.Industry = &level
	}
	for _, a := range s.Anchors {
		if level, ok := l.anchors[a.AnchorID]; ok && a.Share >= leastShare {
			out.Anchors = append(out.Anchors, chain.AnchorLevel{AnchorID: a.AnchorID, Name: a.Name, Share: a.Share, Level: level})
		}
	}
	slices.SortStableFunc(out.Anchors, func(a, b chain.AnchorLevel) int {
		return cmp.Or(cmp.Compare(b.Share, a.Share), cmp.Compare(a.AnchorID, b.AnchorID))
	})
	out.Anchors = out.Anchors[:min(len(out.Anchors), mostAnchors)]
	return out, nil
}

// near is the level of a node, or of its sub-chain.
func (l *levels) near(node string, c *industry.Catalogue) (chain.IndustryLevel, bool) {
	if level, ok := l.nodes[node]; ok {
		return level, true
	}
	if c == nil {
		return chain.IndustryLevel{}, false
	}
	x, _ := c.Node(node)
	level, ok := l.nodes[x.Chain]
	return level, ok
}

// levelsOf returns the levels as the books are now: the kept ones while they and the
// month are the same.
func (n *Network) levelsOf(ctx context.Context, tenant string) (*levels, error) {
	n.mu.Lock()
	p := n.levels[tenant]
	if p == nil {
		if len(n.levels) >= maxKept {
			clear(n.levels)
		}
		p = &place{}
		n.levels[tenant] = p
	}
	n.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	revision, err := n.store.Revision(ctx, tenant)
	if err != nil {
		return nil, err
	}
	today := day(n.now())
	month := today.Format("2006-01")
	if p.now != nil && p.now.revision == revision && p.now.month == month {
		return p.now, nil
	}
	made, err := n.makeLevels(ctx, tenant, today)
	if err != nil {
		return nil, err
	}
	made.revision, made.month = revision, month
	p.now = made
	return made, nil
}

// makeLevels reads the whole books of a tenant once.
func (n *Network) makeLevels(ctx context.Context, tenant string, today time.Time) (*levels, error) {
	firms := map[string]chain.Party{}
	for after := ""; ; {
		page, err := n.store.Firms(ctx, tenant, chain.PartyFilter{After: after, Limit: 1000})
		if err != nil {
			return nil, err
		}
		for _, p := range page {
			firms[p.ID] = p
		}
		if len(page) < 1000 {
			break
		}
		after = page[len(page)-1].ID
	}
	m := maker{today: today, firms: firms, panels: map[string][]run{}, bought: map[string]map[string]money.Fen{}, nodeOf: map[string]string{}, rules: n.rules}
	if n.industries != nil {
		m.match, m.industries = n.industries.Matcher(), n.industries
	}
	if err := n.store.DocumentsBySeller(ctx, tenant, func(docs []chain.Document) error { m.seller(docs); return ctx.Err() }); err != nil {
		return nil, err
	}
	out := &levels{nodeOf: m.nodeOf, nodes: map[string]chain.IndustryLevel{}, anchors: map[string]chain.Level{}}
	for node, runs := range m.panels {
		if level, ok := common(runs); ok {
			x := chain.IndustryLevel{Node: node, Firms: len(runs), Level: level}
			x.Zh, x.En = title(n.industries, node)
			out.nodes[node] = x
		}
	}
	for id, months := range m.bought {
		if level, ok := bought(months, today); ok {
			out.anchors[id] = level
		}
	}
	return out, nil
}

// title is what a node or a sub-chain is called.
func title(c *industry.Catalogue, id string) (zh, en string) {
	if x, ok := c.Node(id); ok {
		return x.Zh, x.En
	}
	for _, x := range c.Chains("") {
		if x.ID == id {
			return x.Zh, x.En
		}
	}
	return id, id
}

// maker gathers what levels are made of, one seller after the other.
type maker struct {
	today      time.Time
	firms      map[string]chain.Party
	match      *industry.Matcher
	industries *industry.Catalogue
	rules      Rules
	panels     map[string][]run                // of nodes and sub-chains
	bought     map[string]map[string]money.Fen // by anchor and month
	nodeOf     map[string]string
}

func (m *maker) seller(docs []chain.Document) {
	docs = slices.DeleteFunc(docs, alone)
	if len(docs) == 0 {
		return
	}
	id := docs[0].SellerID
	last, seen := m.today.Format(time.DateOnly), map[string]bool{}
	for i := range docs {
		d := &docs[i]
		if d.Kind != chain.Invoice || d.Void || d.Date > last || len(d.Date) != len(last) || !m.firms[d.BuyerID].AnchorOf {
			continue
		}
		if key := invoiceKey(d); !seen[key] {
			seen[key] = true
			of := m.bought[d.BuyerID]
			if of == nil {
				of = map[string]money.Fen{}
				m.bought[d.BuyerID] = of
			}
			of[d.Date[:7]] += d.Amount
		}
	}
	if m.match == nil {
		return
	}
	f := industry.FirmOf(m.firms[id])
	f.Goods = industry.GoodsSold(id, docs)
	mounts := m.match.Place(f).Mounts
	if len(mounts) == 0 {
		return
	}
	node := mounts[0].Node
	m.nodeOf[id] = node
	x, _ := m.industries.Node(node)
	wanted := func(panel string) bool { return len(m.panels[panel]) < mostFirms }
	if !wanted(node) && !wanted(x.Chain) {
		return
	}
	r, ok := runOf(series(rows(docs, id), Match(docs, m.rules, m.today).Proofs, m.today))
	for _, panel := range []string{node, x.Chain} {
		if ok && wanted(panel) {
			m.panels[panel] = append(m.panels[panel], r)
		}
	}
}

// run is what one firm sold in months without a gap, its mean being 1.
type run struct {
	first  int // month since the year 0
	values []float64
}

// runOf takes the whole months of a series from the first to the last with proven
// sales; of half a year or more.
func runOf(series []chain.TradeMonth) (run, bool) {
	var out run
	var sum float64
	for i := range series {
		v := math.Max(0, float64(series[i].Verified))
		if series[i].Partial || v == 0 && len(out.values) == 0 {
			continue
		}
		if len(out.values) == 0 {
			out.first = monthNumber(series[i].Month)
		}
		out.values = append(out.values, v)
		sum += v
	}
	for len(out.values) > 0 && out.values[len(out.values)-1] == 0 {
		out.values = out.values[:len(out.values)-1]
	}
	if len(out.values) < 6 {
		return run{}, false
	}
	mean := sum / float64(len(out.values))
	for i := range out.values {
		out.values[i] = math.Min(peak, out.values[i]/mean)
	}
	return out, true
}

// common fits to runs what they share: each is its own scale times one level a month,
// by the alternating sums that solve the Poisson likelihood of such a table. A firm that
// comes or goes moves nothing by that. Months before the last ones in which
// [fewestFirms] are there without a gap are left out; a year is needed.
func common(runs []run) (chain.Level, bool) {
	if len(runs) == 0 {
		return chain.Level{}, false
	}
	from, to := math.MaxInt, 0
	for _, r := range runs {
		from, to = min(from, r.first), max(to, r.first+len(r.values))
	}
	there := make([]int, to-from)
	for _, r := range runs {
		for i := range r.values {
			there[r.first-from+i]++
		}
	}
	end := len(there)
	for end > 0 && there[end-1] < fewestFirms {
		end--
	}
	start := end
	for start > 0 && there[start-1] >= fewestFirms {
		start--
	}
	if end-start < 12 {
		return chain.Level{}, false
	}
	level, scale := make([]float64, len(there)), make([]float64, len(runs))
	for i := range scale {
		scale[i] = 1
	}
	const rounds = 20
	for range rounds {
		sum, by := make([]float64, len(there)), make([]float64, len(there))
		for i, r := range runs {
			for t, v := range r.values {
				sum[r.first-from+t] += v
				by[r.first-from+t] += scale[i]
			}
		}
		for t := range level {
			level[t] = 0
			if by[t] > 0 {
				level[t] = sum[t] / by[t]
			}
		}
		for i, r := range runs {
			var own, all float64
			for t, v := range r.values {
				own, all = own+v, all+level[r.first-from+t]
			}
			if all > 0 {
				scale[i] = own / all
			}
		}
	}
	return levelOf(from+start, level[start:end])
}

// bought is the level of the whole months of amounts, the first one left out: nobody
// knows whether it is whole.
func bought(months map[string]money.Fen, today time.Time) (chain.Level, bool) {
	end := today.Year()*12 + int(today.Month()) - 1
	first := end
	for m := range months {
		first = min(first, monthNumber(m))
	}
	start := max(first+1, end-seriesMonths)
	if end-start < 12 {
		return chain.Level{}, false
	}
	values := make([]float64, end-start)
	for i := range values {
		values[i] = math.Max(0, float64(months[monthName(start+i)]))
	}
	return levelOf(start, values)
}

// levelOf brings the mean of values to 1, four digits kept.
func levelOf(first int, values []float64) (chain.Level, bool) {
	var sum float64
	for _, v := range values {
		sum += v
	}
	if !(sum > 0) {
		return chain.Level{}, false
	}
	out := chain.Level{First: monthName(first), Values: make([]float64, len(values))}
	for i, v := range values {
		out.Values[i] = math.Round(v/sum*float64(len(values))*1e4) / 1e4
	}
	return out, true
}

func monthNumber(m string) int {
	at, err := time.Parse("2006-01", m)
	if err != nil {
		return math.MaxInt / 2
	}
	return at.Year()*12 + int(at.Month()) - 1
}

func monthName(n int) string {
	return time.Date(n/12, time.Month(n%12+1), 1, 0, 0, 0, 0, time.UTC).Format("2006-01")
}
