package chain

import "context"

// RefKind is a kind of node of the reference chain.
type RefKind string

// Kinds of node.
const (
	RefCompany  RefKind = "company"
	RefIndustry RefKind = "industry"
	RefProduct  RefKind = "product"
)

// RefRel is a kind of edge of the reference chain.
type RefRel string

// Kinds of edge, each read "from ... to".
const (
	RefMakes    RefRel = "makes"    // company makes product; weight is its share of revenue
	RefNeeds    RefRel = "needs"    // product needs product as a material
	RefServes   RefRel = "serves"   // product goes into product
	RefHasKind  RefRel = "has_kind" // product has product as a narrower kind
	RefBelongs  RefRel = "belongs"  // company belongs to industry
	RefPartOf   RefRel = "part_of"  // industry is part of industry
	RefSupplied RefRel = "supplied" // industry is supplied by industry; weight counts observed links
)

// RefNode is a company, industry or product of the public reference chain. Key is
// unique in its kind: the stock code, the industry code or the product's name.
type RefNode struct {
	ID        int64   `json:"id"`
	Kind      RefKind `json:"kind"`
	Key       string  `json:"key"`
	Name      string  `json:"name"`
	ShortName string  `json:"short_name,omitempty"`
}

// RefEdge joins two nodes of one chain. Weight is 0 where the relation has none.
type RefEdge struct {
	Rel    RefRel  `json:"rel"`
	From   int64   `json:"from"`
	To     int64   `json:"to"`
	Weight float64 `json:"weight,omitempty"`
}

// ReferenceStore keeps the reference chain of a tenant. Implemented in store/firm.
type ReferenceStore interface {
	// SaveReference replaces the tenant's chain, all or none. Node ids are unique in
	// the chain. progress, which may be nil, hears how many of all rows are written.
	SaveReference(ctx context.Context, tenant string, nodes []RefNode, edges []RefEdge, progress func(done, total int)) error
	// ReferenceSize returns how many nodes and edges the tenant has.
	ReferenceSize(ctx context.Context, tenant string) (nodes, edges int, err error)
	// RefNodes finds nodes by the normalised form of their name, short name or key.
	RefNodes(ctx context.Context, tenant, nameKey string) ([]RefNode, error)
	// RefEdges returns the edges at any of the nodes, in either direction, at most
	// limit, and the nodes at their ends.
	RefEdges(ctx context.Context, tenant string, ids []int64, limit int) ([]RefEdge, []RefNode, error)
}
