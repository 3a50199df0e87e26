package reference

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/industry"
)

// Nominal is the share of revenue that the public chain writes beside goods of a
// registered scope of which it knows no revenue.
const Nominal = 0.001

// offsets mark rows of the books that are no goods: what segments owe each other and
// what was not shared out.
var offsets = []string{"抵销", "抵消", "抵减", "平衡项目", "调整项目", "未分配", "分部间", "其他业务"}

// Offset says whether the name of a product is a row of the books and no goods.
func Offset(product string) bool {
	return slices.ContainsFunc(offsets, func(w string) bool { return strings.Contains(product, w) })
}

// Defects counts what is wrong with a chain that was taken, but for the records that
// were refused.
type Defects struct {
	Offsets     int `json:"offsets"`              // companies' rows of the books that are no goods
	Nominal     int `json:"nominal"`              // shares of revenue that only stand for a registered scope
	SeveralCuts int `json:"several_cuts"`         // companies whose shares add up to more than 1.1: their revenue is cut more than one way
	NoProducts  int `json:"no_products"`          // companies without any product
	TwoCycles   int `json:"two_cycles"`           // pairs of products that need each other
	FoodNeeds   int `json:"food_needs,omitempty"` // needs of a food: recipes; told with a catalogue of industries
	Needs       int `json:"needs"`                // all
}

// Defects looks through the chain. industries tells foods; nil counts none.
func (c *Chain) Defects(industries *industry.Catalogue) Defects {
	var d Defects
	sum, makes := map[int64]float64{}, map[int64]bool{}
	needs := map[[2]int64]bool{}
	for _, e := range c.edges {
		switch e.Rel {
		case chain.RefMakes:
			makes[e.From] = true
			switch {
			case Offset(c.nodes[c.byID[e.To]].Name):
				d.Offsets++
			case e.Weight == Nominal:
				d.Nominal++
			default:
				sum[e.From] += e.Weight
			}
		case chain.RefNeeds:
			d.Needs++
			if needs[[2]int64{e.To, e.From}] {
				d.TwoCycles++
			}
			needs[[2]int64{e.From, e.To}] = true
		default:
		}
	}
	for _, s := range sum {
		if s > 1.1 {
			d.SeveralCuts++
		}
	}
	for _, n := range c.nodes {
		if n.Kind == chain.RefCompany && !makes[n.ID] {
			d.NoProducts++
		}
	}
	if industries != nil {
		p := newPlaces(c, industries)
		for pair := range needs {
			if p.food(pair[1]) {
				d.FoodNeeds++
			}
		}
	}
	return d
}

// Shares returns what a company makes with shares of revenue that add up to 1, the
// largest first. Rows of the books are left out. Revenue that is cut several ways is
// normalised by the sum over all cuts: the file does not say which row is of which.
// Goods of a registered scope keep the nominal share and do not count in the sum.
func (c *Chain) Shares(company int64) []Neighbour {
	var out []Neighbour
	sum := 0.0
	for _, p := range c.Products(company) {
		if Offset(p.Name) {
			continue
		}
		if p.Weight > Nominal {
			sum += p.Weight
		}
		out = append(out, p)
	}
	for i := range out {
		if out[i].Weight > Nominal {
			out[i].Weight /= sum
		}
	}
	return out
}

// Candidate is a supply relation that the reference chain makes likely. It is no
// fact: nobody has seen the two trade.
type Candidate struct {
	SupplierID    int64    `json:"-"`
	BuyerID       int64    `json:"-"`
	SupplierCode  string   `json:"supplier_code"`
	Supplier      string   `json:"supplier"`
	BuyerCode     string   `json:"buyer_code"`
	Buyer         string   `json:"buyer"`
	Material      string   `json:"material"` // that the supplier makes
	Product       string   `json:"product"`  // of the buyer, that needs it
	SupplierShare float64  `json:"supplier_share"`
	BuyerShare    float64  `json:"buyer_share"`
	Evidence      string   `json:"evidence"` // "needs": the chain says so; "nodes": the catalogue of industries does
	Nodes         []string `json:"nodes"`    // of material and product, where they have one
	Confidence    float64  `json:"confidence"`
	Reasons       []string `json:"reasons"`
}

// Candidates finds them. It is for one goroutine.
type Candidates struct {
	c      *Chain
	p      *places
	makers map[int64][]maker
	onNode map[string][]maker // makers of the products of a node
}

type maker struct {
	company int64
	product int64
	share   float64
}

// NewCandidates prepares the search. industries, which may be nil, bears candidates
// out, or speaks against them.
func NewCandidates(c *Chain, industries *industry.Catalogue) *Candidates {
	out := &Candidates{c: c, p: newPlaces(c, industries), makers: map[int64][]maker{}, onNode: map[string][]maker{}}
	for _, n := range c.nodes {
		if n.Kind != chain.RefCompany {
			continue
		}
		for _, p := range c.Shares(n.ID) {
			m := maker{n.ID, p.ID, p.Weight}
			out.makers[p.ID] = append(out.makers[p.ID], m)
			if node := out.p.node(p.ID); node != "" && p.Weight > Nominal {
				out.onNode[node] = append(out.onNode[node], m)
			}
		}
	}
	return out
}

// Suppliers returns the candidates for a buyer, the likeliest first, one for each
// supplier: the material that makes it likeliest.
func (x *Candidates) Suppliers(buyer int64) []Candidate {
	best := map[int64]Candidate{}
	x.each(buyer, true, func(c Candidate) {
		if old, ok := best[c.SupplierID]; !ok || c.Confidence > old.Confidence {
			best[c.SupplierID] = c
		}
	})
	out := make([]Candidate, 0, len(best))
	for _, c := range best {
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(b.Confidence, a.Confidence), cmp.Compare(a.SupplierCode, b.SupplierCode))
	})
	return out
}

// Needs calls f with each candidate that rests on a need of the chain.
func (x *Candidates) Needs(f func(Candidate)) {
	for _, n := range x.c.nodes {
		if n.Kind == chain.RefCompany {
			x.each(n.ID, false, f)
		}
	}
}

func (x *Candidates) each(buyer int64, nodes bool, f func(Candidate)) {
	at, ok := x.c.byID[buyer]
	if !ok || x.c.nodes[at].Kind != chain.RefCompany {
		return
	}
	for _, product := range x.c.Shares(buyer) {
		for _, material := range x.c.Upstream(product.ID) {
			for _, m := range x.makers[material.ID] {
				if m.company != buyer {
					f(x.candidate(m, buyer, product, "needs"))
				}
			}
		}
		if !nodes || x.p.industries == nil || product.Weight <= Nominal {
			continue
		}
		for _, node := range x.p.industries.Suppliers(x.p.node(product.ID)) {
			for _, m := range x.onNode[node] {
				if m.company != buyer {
					f(x.candidate(m, buyer, product, "nodes"))
				}
			}
		}
	}
}

// Of a candidate. The likelihoods are judgements, not counts: no list of who really
// supplies whom is public.
const (
	needLikely  = 0.35 // somebody who makes a material supplies one of the firms that need it
	nodeLikely  = 0.2  // the same by the catalogue's nodes
	agreeFactor = 1.5  // the catalogue says the same
	foodFactor  = 0.2  // a recipe's ingredient outside of the food trade
	scopeFactor = 0.3  // either side only has it in its registered scope
	manyMakers  = 20   // makers among whom one supplier is nothing special
)

// candidate weighs one pair. The confidence is the likelihood of its evidence, times
// the root of either side's share, less with many makers to choose from.
func (x *Candidates) candidate(m maker, buyer int64, product Neighbour, evidence string) Candidate {
	s, b := x.c.nodes[x.c.byID[m.company]], x.c.nodes[x.c.byID[buyer]]
	out := Candidate{
		SupplierID: s.ID, BuyerID: b.ID, SupplierCode: s.Key, Supplier: s.Name, BuyerCode: b.Key, Buyer: b.Name,
		Material: x.c.nodes[x.c.byID[m.product]].Name, Product: product.Name, SupplierShare: round(m.share), BuyerShare: round(product.Weight),
		Evidence: evidence, Nodes: []string{x.p.node(m.product), x.p.node(product.ID)}, Reasons: []string{evidence},
	}
	v := nodeLikely
	rivals := len(x.onNode[out.Nodes[0]])
	if evidence == "needs" {
		v, rivals = needLikely, len(x.makers[m.product])
		if x.p.industries != nil && x.p.industries.Feeds(out.Nodes[0], out.Nodes[1]) {
			v *= agreeFactor
			out.Reasons = append(out.Reasons, "nodes")
		}
	}
	v *= 0.5 + 0.5*math.Sqrt(min(m.share, 1)*min(product.Weight, 1))
	if m.share <= Nominal || product.Weight <= Nominal {
		v *= scopeFactor
		out.Reasons = append(out.Reasons, "scope_only")
	}
	if x.p.food(m.product) && !x.p.food(product.ID) {
		v *= foodFactor
		out.Reasons = append(out.Reasons, "food_ingredient")
	}
	if rivals > manyMakers {
		v *= math.Sqrt(manyMakers / float64(rivals))
		out.Reasons = append(out.Reasons, "many_makers")
	}
	out.Confidence = round(v)
	return out
}

// places finds and keeps the catalogue's node of each product.
type places struct {
	c          *Chain
	industries *industry.Catalogue
	matcher    *industry.Matcher
	nodes      []industry.Node
	kept       map[int64]string
}

func newPlaces(c *Chain, industries *industry.Catalogue) *places {
	p := &places{c: c, industries: industries, kept: map[int64]string{}}
	if industries != nil {
		p.matcher, p.nodes = industries.Matcher(), industries.Nodes()
	}
	return p
}

// plain is how strong a word must be for a product to stand on its node.
const plain = 0.45

// node is the node of a product, "" when its name does not say one clearly.
func (p *places) node(product int64) string {
	if p.industries == nil {
		return ""
	}
	if id, ok := p.kept[product]; ok {
		return id
	}
	id, strength := "", plain
	if at, ok := p.c.byID[product]; ok {
		for _, h := range p.matcher.Match(p.c.nodes[at].Name) {
			if h.Node >= 0 && h.Strength > strength {
				id, strength = p.nodes[h.Node].ID, h.Strength
			}
		}
	}
	p.kept[product] = id
	return id
}

func (p *places) food(product int64) bool {
	return strings.HasPrefix(p.node(product), "agrifood.")
}

// Mount places a company on the catalogue's nodes by its products.
func (c *Chain) Mount(m *industry.Matcher, company int64) industry.Placement {
	var f industry.Firm
	for _, p := range c.Shares(company) {
		f.Products = append(f.Products, industry.Item{Text: p.Name, Weight: p.Weight})
	}
	if at, ok := c.byID[company]; ok {
		f.Name = c.nodes[at].Name
	}
	return m.Place(f)
}

func round(v float64) float64 { return math.Round(v*1000) / 1000 }
