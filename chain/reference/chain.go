package reference

import (
	"cmp"
	"context"
	"slices"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/party"
)

// Chain is the reference chain, or the part of it around some nodes. It is
// immutable once made and safe for concurrent reading.
type Chain struct {
	nodes      []chain.RefNode
	edges      []chain.RefEdge
	byKey      map[end]int64
	industries map[string]string // name → code
	byID       map[int64]int     // place in nodes
	byName     map[string][]int64
	at         map[int64][]int // places in edges of the edges at a node
}

// Neighbour is a node beside another. Weight adds up the edges that lead there.
type Neighbour struct {
	chain.RefNode
	Rel    chain.RefRel `json:"rel"`
	Weight float64      `json:"weight,omitempty"`
	Via    string       `json:"via,omitempty"` // the own product through which it is reached
}

func newChain() *Chain {
	return &Chain{byKey: map[end]int64{}, industries: map[string]string{}}
}

// add gives a node its id, which counts from 1; false when its key is there.
func (c *Chain) add(n chain.RefNode) bool {
	k := end{n.Kind, n.Key}
	if _, ok := c.byKey[k]; ok {
		return false
	}
	n.ID = int64(len(c.nodes) + 1)
	c.byKey[k] = n.ID
	if n.Kind == chain.RefIndustry {
		if _, ok := c.industries[n.Name]; !ok {
			c.industries[n.Name] = n.Key
		}
	}
	c.nodes = append(c.nodes, n)
	return true
}

func (c *Chain) index() {
	c.byID, c.byName, c.at = make(map[int64]int, len(c.nodes)), make(map[string][]int64, len(c.nodes)), make(map[int64][]int, len(c.nodes))
	for i, n := range c.nodes {
		c.byID[n.ID] = i
		for _, key := range distinct(party.Normalise(n.Name), party.Normalise(n.ShortName), party.Normalise(n.Key)) {
			c.byName[key] = append(c.byName[key], n.ID)
		}
	}
	for i, e := range c.edges {
		c.at[e.From] = append(c.at[e.From], i)
		c.at[e.To] = append(c.at[e.To], i)
	}
}

func distinct(keys ...string) []string {
	slices.Sort(keys)
	return slices.DeleteFunc(slices.Compact(keys), func(s string) bool { return s == "" })
}

// New makes a chain of nodes and edges, such as a store returns.
func New(nodes []chain.RefNode, edges []chain.RefEdge) *Chain {
	c := newChain()
	c.nodes, c.edges = nodes, edges
	c.index()
	return c
}

// Find returns the nodes of a name, short name, stock or industry code, however it
// is typed; those of exactly this name come first.
func (c *Chain) Find(name string) []chain.RefNode {
	var out []chain.RefNode
	for _, id := range c.byName[party.Normalise(name)] {
		out = append(out, c.nodes[c.byID[id]])
	}
	slices.SortStableFunc(out, func(a, b chain.RefNode) int {
		return cmp.Compare(inexact(a, name), inexact(b, name))
	})
	return out
}

func inexact(n chain.RefNode, name string) int {
	if name == n.Name || name == n.Key || name == n.ShortName {
		return 0
	}
	return 1
}

// Products returns what a company makes, the largest share of revenue first.
func (c *Chain) Products(company int64) []Neighbour {
	return c.neighbours(company, func(e chain.RefEdge) (int64, bool) { return e.To, e.Rel == chain.RefMakes && e.From == company })
}

// Makers returns the companies that make a product, largest share of their revenue first.
func (c *Chain) Makers(product int64) []Neighbour {
	return c.neighbours(product, func(e chain.RefEdge) (int64, bool) { return e.From, e.Rel == chain.RefMakes && e.To == product })
}

// Upstream returns what a product needs, what supplies an industry, or for a
// company what its products need.
func (c *Chain) Upstream(id int64) []Neighbour {
	return c.along(id, func(e chain.RefEdge, id int64) (int64, bool) {
		switch e.Rel {
		case chain.RefNeeds, chain.RefSupplied:
			return e.To, e.From == id
		case chain.RefServes:
			return e.From, e.To == id
		default:
			return 0, false
		}
	})
}

// Downstream returns what a product goes into, which industries one supplies, or
// for a company what its products go into.
func (c *Chain) Downstream(id int64) []Neighbour {
	return c.along(id, func(e chain.RefEdge, id int64) (int64, bool) {
		switch e.Rel {
		case chain.RefNeeds, chain.RefSupplied:
			return e.From, e.To == id
		case chain.RefServes:
			return e.To, e.From == id
		default:
			return 0, false
		}
	})
}

// along looks from a node, or for a company from each of its products.
func (c *Chain) along(id int64, other func(chain.RefEdge, int64) (int64, bool)) []Neighbour {
	i, ok := c.byID[id]
	if !ok {
		return nil
	}
	if c.nodes[i].Kind != chain.RefCompany {
		return c.neighbours(id, func(e chain.RefEdge) (int64, bool) { return other(e, id) })
	}
	var out []Neighbour
	seen := map[int64]bool{}
	for _, p := range c.Products(id) {
		for _, n := range c.neighbours(p.ID, func(e chain.RefEdge) (int64, bool) { return other(e, p.ID) }) {
			if !seen[n.ID] {
				seen[n.ID] = true
				n.Via = p.Name
				out = append(out, n)
			}
		}
	}
	return out
}

func (c *Chain) neighbours(id int64, other func(chain.RefEdge) (int64, bool)) []Neighbour {
	var out []Neighbour
	for _, i := range c.at[id] {
		e := c.edges[i]
		to, ok := other(e)
		if !ok {
			continue
		}
		if j, ok := c.byID[to]; ok {
			out = append(out, Neighbour{RefNode: c.nodes[j], Rel: e.Rel, Weight: e.Weight})
		}
	}
	slices.SortStableFunc(out, func(a, b Neighbour) int {
		return cmp.Or(cmp.Compare(b.Weight, a.Weight), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// Place gathers what is around a node, at most 50 of each.
func (c *Chain) Place(n chain.RefNode) Place {
	p := Place{Node: n, Upstream: first(c.Upstream(n.ID)), Downstream: first(c.Downstream(n.ID)), Products: []Neighbour{}, Makers: []Neighbour{}}
	switch n.Kind {
	case chain.RefCompany:
		p.Products = first(c.Products(n.ID))
	case chain.RefProduct:
		p.Makers = first(c.Makers(n.ID))
	case chain.RefIndustry:
	}
	return p
}

// Place says where something stands in the reference chain.
type Place struct {
	Node       chain.RefNode `json:"node"`
	Products   []Neighbour   `json:"products"` // of a company
	Makers     []Neighbour   `json:"makers"`   // of a product
	Upstream   []Neighbour   `json:"upstream"`
	Downstream []Neighbour   `json:"downstream"`
}

// Service keeps the reference chain of tenants and answers from it.
type Service struct{ Store chain.ReferenceStore }

// Import reads the sources and replaces the tenant's chain, all or none. progress,
// which may be nil, hears the file or "save" and the records done.
func (s Service) Import(ctx context.Context, tenant string, sources []Source, progress func(step string, done int)) (Report, error) {
	c, report, err := Import(ctx, sources, progress)
	if err != nil {
		return report, err
	}
	return report, s.Store.SaveReference(ctx, tenant, c.nodes, c.edges, func(done, _ int) {
		if progress != nil {
			progress("save", done)
		}
	})
}

// Bounds of an answer: beyond them nobody reads.
const (
	maxNames = 20
	maxEdges = 2000
	maxShown = 50
)

// Places looks up the names, such as a firm's own name and the goods that it sells.
// A name that the chain does not know is left out.
func (s Service) Places(ctx context.Context, tenant string, names ...string) ([]Place, error) {
	var found []chain.RefNode
	for _, name := range names[:min(len(names), maxNames)] {
		nodes, err := s.Store.RefNodes(ctx, tenant, party.Normalise(name))
		if err != nil {
			return nil, err
		}
		for _, n := range nodes {
			if !slices.Contains(found, n) {
				found = append(found, n)
			}
		}
	}
	out := []Place{}
	for _, n := range found {
		edges, nodes, err := s.Store.RefEdges(ctx, tenant, []int64{n.ID}, maxEdges)
		if err != nil {
			return nil, err
		}
		if n.Kind == chain.RefCompany { // its place is that of its products
			var products []int64
			for _, p := range New(nodes, edges).Products(n.ID) {
				products = append(products, p.ID)
			}
			more, ends, err := s.Store.RefEdges(ctx, tenant, products, maxEdges)
			if err != nil {
				return nil, err
			}
			edges, nodes = merge(edges, more), merge(nodes, ends)
		}
		out = append(out, New(nodes, edges).Place(n))
	}
	return out, nil
}

func first(n []Neighbour) []Neighbour { return append([]Neighbour{}, n[:min(len(n), maxShown)]...) }

func merge[T comparable](a, b []T) []T {
	seen := make(map[T]bool, len(a))
	for _, v := range a {
		seen[v] = true
	}
	for _, v := range b {
		if !seen[v] {
			a = append(a, v)
		}
	}
	return a
}
