package party

import (
	"context"
	"errors"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/ident"
)

// ErrAmbiguous is returned when a name fits several firms equally well.
var ErrAmbiguous = fault.New(fault.Conflict, "firm.ambiguous",
	"{count} firms are called {name}; give the credit code to say which one")

// Registry finds firms that are known already; a chain.Store is one.
type Registry interface {
	FirmByUSCC(ctx context.Context, tenant, uscc string) (chain.Party, error)
	FirmByName(ctx context.Context, tenant, nameKey string) ([]chain.Party, error)
}

// Resolver finds or makes the firm that a row means and remembers its answers,
// so that one file asks for each firm once and makes each new firm once.
// It is for one file and one goroutine.
type Resolver struct {
	reg    Registry
	tenant string
	byCode map[string]*chain.Party
	byName map[string][]*chain.Party
	byID   map[string]*chain.Party // so that one firm is one value, however it was found
	dirty  map[string]bool
	order  []*chain.Party
}

// NewResolver makes a resolver over the firms of a tenant.
func NewResolver(reg Registry, tenant string) *Resolver {
	return &Resolver{
		reg: reg, tenant: tenant,
		byCode: map[string]*chain.Party{}, byName: map[string][]*chain.Party{},
		byID: map[string]*chain.Party{}, dirty: map[string]bool{},
	}
}

// Resolve returns the firm of a credit code, else the only firm of the
// normalised name, else a new one. The code may be "" and must be clean. A firm
// that was known by name alone is given the code. It abstains with ErrAmbiguous.
func (r *Resolver) Resolve(ctx context.Context, uscc, name string) (chain.Party, error) {
	if uscc != "" {
		p, err := r.code(ctx, uscc)
		if err != nil || p != nil {
			return deref(p), err
		}
	}
	same, err := r.name(ctx, Normalise(name))
	if err != nil {
		return chain.Party{}, err
	}
	if uscc == "" {
		switch len(same) {
		case 0:
			return *r.add(uscc, name), nil
		case 1:
			return *same[0], nil
		}
		return chain.Party{}, ErrAmbiguous.With("count", len(same)).With("name", name)
	}
	var nameless []*chain.Party
	for _, p := range same {
		if p.USCC == "" {
			nameless = append(nameless, p)
		}
	}
	switch len(nameless) {
	case 0: // nobody, or namesakes with other codes: the code says it is another firm
		return *r.add(uscc, name), nil
	case 1:
		p := nameless[0]
		p.USCC = uscc
		r.byCode[uscc] = p
		r.touch(p)
		return *p, nil
	}
	return chain.Party{}, ErrAmbiguous.With("count", len(nameless)).With("name", name)
}

// Update changes a firm that Resolve returned, and remembers that it changed.
func (r *Resolver) Update(id string, change func(*chain.Party) bool) {
	if p := r.byID[id]; p != nil && change(p) {
		r.touch(p)
	}
}

// Touched returns the firms that are new or changed, in the order of their rows.
func (r *Resolver) Touched() []chain.Party {
	out := make([]chain.Party, len(r.order))
	for i, p := range r.order {
		out[i] = *p
	}
	return out
}

func (r *Resolver) code(ctx context.Context, uscc string) (*chain.Party, error) {
	if p, ok := r.byCode[uscc]; ok {
		return p, nil
	}
	found, err := r.reg.FirmByUSCC(ctx, r.tenant, uscc)
	if errors.Is(err, chain.ErrFirmNotFound) {
		r.byCode[uscc] = nil
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	p := r.one(found)
	r.byCode[uscc] = p
	return p, nil
}

func (r *Resolver) name(ctx context.Context, key string) ([]*chain.Party, error) {
	if same, ok := r.byName[key]; ok {
		return same, nil
	}
	found, err := r.reg.FirmByName(ctx, r.tenant, key)
	if err != nil && !errors.Is(err, chain.ErrFirmNotFound) {
		return nil, err
	}
	same := []*chain.Party{}
	for _, p := range found {
		same = append(same, r.one(p))
	}
	r.byName[key] = same
	return same, nil
}

func (r *Resolver) one(p chain.Party) *chain.Party {
	if known := r.byID[p.ID]; known != nil {
		return known
	}
	r.byID[p.ID] = &p
	return &p
}

func (r *Resolver) add(uscc, name string) *chain.Party {
	p := &chain.Party{ID: ident.New(), Tenant: r.tenant, USCC: uscc, Name: name, NameKey: Normalise(name)}
	r.byID[p.ID] = p
	r.byName[p.NameKey] = append(r.byName[p.NameKey], p)
	if uscc != "" {
		r.byCode[uscc] = p
	}
	r.touch(p)
	return p
}

func (r *Resolver) touch(p *chain.Party) {
	if !r.dirty[p.ID] {
		r.dirty[p.ID] = true
		r.order = append(r.order, p)
	}
}

func deref(p *chain.Party) chain.Party {
	if p == nil {
		return chain.Party{}
	}
	return *p
}

// Known returns the firm of a clean credit code, or chain.ErrFirmNotFound.
func (r *Resolver) Known(ctx context.Context, uscc string) (chain.Party, error) {
	p, err := r.code(ctx, uscc)
	if err == nil && p == nil {
		err = chain.ErrFirmNotFound
	}
	return deref(p), err
}
