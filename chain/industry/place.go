package industry

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/party"
	"github.com/furrowcredit/furrow/money"
)

// Method names the version of the mounting rule.
const Method = "chain.industry/1"

// Source is where evidence about a firm's trade comes from.
type Source string

// Sources, the most telling first.
const (
	Goods    Source = "goods"    // what its sales invoices, orders and deliveries name
	Products Source = "products" // what it is said to make
	Code     Source = "code"     // its industry code of GB/T 4754
	Name     Source = "name"     // the words of trade in its name
	Scope    Source = "scope"    // what it may trade in, as registered
)

// reliance is how far a source alone can be believed: a registered scope lists what
// a firm might do one day, a name what it once set out to do.
var reliance = map[Source]float64{Goods: 0.95, Products: 0.9, Code: 0.8, Name: 0.7, Scope: 0.5}

// weight is how much a source counts in the firm's shares beside the others.
var weight = map[Source]float64{Goods: 4, Products: 3, Code: 1, Name: 1, Scope: 0.5}

// Item is a text and how much it counts, such as the amount invoiced for it; a
// Weight of 0 or less counts as 1.
type Item struct {
	Text   string
	Weight float64
}

// Firm is the evidence about a firm. Empty fields say nothing.
type Firm struct {
	Name     string
	Codes    []string // of GB/T 4754: "C3670", "3670" or "C36"
	Scope    string
	Goods    []Item
	Products []Item
}

// FirmOf is the evidence that a party's registration gives.
func FirmOf(p chain.Party) Firm {
	f := Firm{Name: p.Name, Scope: p.Scope}
	if p.IndustryCode != "" {
		f.Codes = []string{p.IndustryCode}
	}
	if p.Industry != "" {
		f.Scope = p.Industry + "；" + f.Scope
	}
	return f
}

// GoodsSold sums the goods of a seller's documents. Invoices speak when there are
// any: an order and its invoice are one trade.
func GoodsSold(firmID string, docs []chain.Document) []Item {
	for _, kinds := range [][]chain.DocKind{{chain.Invoice}, {chain.Order, chain.Delivery, chain.Contract}} {
		sum := map[string]money.Fen{}
		var order []string
		for _, d := range docs {
			if d.BuyerID == firmID || d.Goods == "" || d.Void || d.Amount <= 0 && d.Kind == chain.Invoice || !slices.Contains(kinds, d.Kind) {
				continue
			}
			if _, ok := sum[d.Goods]; !ok {
				order = append(order, d.Goods)
			}
			sum[d.Goods] += d.Amount
		}
		if len(order) == 0 {
			continue
		}
		out := make([]Item, len(order))
		for i, g := range order {
			out[i] = Item{Text: g, Weight: float64(sum[g])}
		}
		return out
	}
	return nil
}

// MountReason is one piece of evidence for a mount.
type MountReason struct {
	Source Source  `json:"source"`
	Text   string  `json:"text"`  // as it was given
	Word   string  `json:"word"`  // that was found in it, or the code
	Share  float64 `json:"share"` // of the source's weight
}

// Mount is a firm's place on a node.
type Mount struct {
	Node       string        `json:"node"`
	Zh         string        `json:"zh"`
	En         string        `json:"en"`
	Stage      Stage         `json:"stage"`
	Share      float64       `json:"share"`      // of what the firm does, as far as it is known
	Confidence float64       `json:"confidence"` // 0..1 that it belongs there
	Reasons    []MountReason `json:"reasons"`
}

// DirectionShare is how much of what a firm does belongs to a direction.
type DirectionShare struct {
	Direction string  `json:"direction"`
	Zh        string  `json:"zh"`
	Share     float64 `json:"share"`
}

// Placement is where a firm stands: nothing when nothing speaks.
type Placement struct {
	Directions []DirectionShare `json:"directions"` // largest first
	Mounts     []Mount          `json:"mounts"`     // surest first
	Method     string           `json:"method"`
}

// Bounds of a placement.
const (
	maxMounts     = 8
	maxReasons    = 5
	minConfidence = 0.2 // below that it is no answer
	minShare      = 0.02
	halfShare     = 0.1 // a share of a source that makes it half as sure as all of it would
	manyNodes     = 12  // an industry code of more nodes tells a direction only
)

// clue is one hit of one text.
type clue struct {
	Hit
	source Source
	text   string
	amount float64 // share of the source's weight
}

// Place mounts a firm. It is the matcher's so that a batch of firms shares memory.
func (m *Matcher) Place(f Firm) Placement {
	var clues []clue
	clues = m.texts(clues, Goods, f.Goods)
	clues = m.texts(clues, Products, f.Products)
	clues = m.texts(clues, Scope, scopeItems(f.Scope))
	if f.Name != "" {
		n := party.Split(f.Name)
		clues = m.texts(clues, Name, []Item{{Text: cmp.Or(n.Trade, n.Core)}})
	}
	clues = m.codes(clues, f.Codes)
	out := Placement{Directions: []DirectionShare{}, Mounts: []Mount{}, Method: Method}
	if len(clues) == 0 {
		return out
	}
	share := m.directions(clues)
	resolve(clues, share)
	share = m.directions(clues)
	for i, d := range m.c.directions {
		if share[i] >= minShare {
			out.Directions = append(out.Directions, DirectionShare{d.Code, d.Zh, round(share[i])})
		}
	}
	slices.SortStableFunc(out.Directions, func(a, b DirectionShare) int { return cmp.Compare(b.Share, a.Share) })
	out.Mounts = m.mounts(clues, share)
	return out
}

// Place is Place of a fresh matcher.
func (c *Catalogue) Place(f Firm) Placement { return c.Matcher().Place(f) }

// scopeItems parts a registered scope. It lists the main trade first, so that each
// item counts a little less than the one before.
func scopeItems(scope string) []Item {
	var out []Item
	for i, s := range strings.FieldsFunc(scope, func(r rune) bool { return strings.ContainsRune("、；;，,。：:", r) }) {
		if i == maxPieces {
			break
		}
		out = append(out, Item{s, 1 / (1 + float64(i)/3)})
	}
	return out
}

// texts adds the clues of a source. Texts that say nothing count too: they are what
// the firm also does.
func (m *Matcher) texts(clues []clue, source Source, items []Item) []clue {
	total := 0.0
	for _, it := range items {
		total += amount(it)
	}
	for _, it := range items {
		share := amount(it) / total
		apart := len(clues) << 16 // senses of different texts
		for _, h := range m.Match(it.Text) {
			h.sense += apart
			clues = append(clues, clue{h, source, it.Text, share})
		}
	}
	return clues
}

func amount(it Item) float64 {
	if it.Weight > 0 && !math.IsInf(it.Weight, 0) {
		return it.Weight
	}
	return 1
}

// codes adds what industry codes say: the nodes of the code, or of the wider group
// in which it is.
func (m *Matcher) codes(clues []clue, codes []string) []clue {
	for _, code := range codes {
		nodes, exact := m.c.ofCode(code)
		seen := map[int]bool{}
		for _, i := range nodes {
			h := Hit{Node: i, Word: code, Strength: 0.9 / float64(len(nodes)), direction: m.c.direction[i], sense: -1}
			if !exact {
				h.Strength /= 2
			}
			if len(nodes) > manyNodes {
				if seen[h.direction] {
					continue
				}
				seen[h.direction] = true
				h.Node, h.Strength = -1, 0.5
			}
			clues = append(clues, clue{h, Code, code, 1 / float64(len(codes))})
		}
	}
	return clues
}

// ofCode finds the nodes of an industry code, written with or without its letter.
func (c *Catalogue) ofCode(code string) (nodes []int, exact bool) {
	code = strings.ToUpper(party.Clean(code))
	if code == "" {
		return nil, false
	}
	if code[0] >= '0' && code[0] <= '9' {
		for letter := 'A'; letter <= 'T'; letter++ {
			if len(c.byCode[string(letter)+code[:min(2, len(code))]]) > 0 {
				code = string(letter) + code
				break
			}
		}
	}
	for k := len(code); k >= 3; k-- {
		if nodes := c.byCode[code[:k]]; len(nodes) > 0 {
			return nodes, k == len(code)
		}
	}
	return nil, false
}

// directions is how the evidence spreads over the directions, each source by its
// weight; the shares add up to 1.
func (m *Matcher) directions(clues []clue) []float64 {
	out := make([]float64, len(m.c.directions))
	total := 0.0
	for _, c := range clues {
		v := weight[c.source] * c.amount * c.Strength
		out[c.direction] += v
		total += v
	}
	if total > 0 {
		for i := range out {
			out[i] /= total
		}
	}
	return out
}

// resolve shares out words of several nodes anew: more to the directions for which
// the rest of the evidence speaks.
func resolve(clues []clue, share []float64) {
	for i := 0; i < len(clues); {
		j := i + 1
		for j < len(clues) && clues[j].sense == clues[i].sense && clues[j].source == clues[i].source {
			j++
		}
		rivals := clues[i:j]
		i = j
		if len(rivals) == 1 {
			continue
		}
		total, sum := 0.0, 0.0
		for _, c := range rivals {
			total += c.Strength
			sum += share[c.direction] * share[c.direction]
		}
		if sum == 0 {
			continue
		}
		for k := range rivals {
			s := share[rivals[k].direction]
			rivals[k].Strength = total * s * s / sum
		}
	}
}

// mounts gathers the clues node by node.
//
// The confidence of a node is that of independent witnesses, one a source:
// 1 - Π (1 - reliance · strength · s/(s+halfShare)), where strength is the mean of
// the source's words for the node and s their share of the source; it is lowered
// when the rest of the evidence points to other directions.
func (m *Matcher) mounts(clues []clue, share []float64) []Mount {
	type witness struct{ amount, strength float64 }
	type gathered struct {
		by      map[Source]*witness
		weight  float64
		reasons []clue
	}
	nodes := map[int]*gathered{}
	total := 0.0
	for _, c := range clues {
		v := weight[c.source] * c.amount * c.Strength
		if c.Node < 0 || c.Strength == 0 {
			continue
		}
		total += v
		g := nodes[c.Node]
		if g == nil {
			g = &gathered{by: map[Source]*witness{}}
			nodes[c.Node] = g
		}
		w := g.by[c.source]
		if w == nil {
			w = &witness{}
			g.by[c.source] = w
		}
		w.amount += c.amount
		w.strength += c.amount * c.Strength
		g.weight += v
		g.reasons = append(g.reasons, c)
	}
	out := []Mount{}
	for i, g := range nodes {
		doubt := 1.0
		for source, w := range g.by {
			doubt *= 1 - reliance[source]*min(1, w.strength/w.amount)*w.amount/(w.amount+halfShare)*(1+halfShare)
		}
		n := m.c.nodes[i]
		mount := Mount{
			Node: n.ID, Zh: n.Zh, En: n.En, Stage: n.Stage, Share: round(g.weight / total),
			Confidence: round((1 - max(0, doubt)) * (0.5 + 0.5*share[m.c.direction[i]])),
		}
		if mount.Confidence < minConfidence || mount.Share < minShare {
			continue
		}
		slices.SortStableFunc(g.reasons, func(a, b clue) int {
			return cmp.Compare(weight[b.source]*b.amount*b.Strength, weight[a.source]*a.amount*a.Strength)
		})
		for _, c := range g.reasons[:min(maxReasons, len(g.reasons))] {
			mount.Reasons = append(mount.Reasons, MountReason{c.source, short(c.text), c.Word, round(c.amount)})
		}
		out = append(out, mount)
	}
	slices.SortFunc(out, func(a, b Mount) int {
		return cmp.Or(cmp.Compare(b.Confidence, a.Confidence), cmp.Compare(b.Share, a.Share), cmp.Compare(a.Node, b.Node))
	})
	return out[:min(maxMounts, len(out))]
}

func short(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}

func round(v float64) float64 { return math.Round(v*1000) / 1000 }
