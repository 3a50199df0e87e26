package party

import (
	"context"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/ident"
)

// ErrAmbiguous is returned when a name fits several firms equally well.
var ErrAmbiguous = fault.New(fault.Conflict, "firm.ambiguous",
	"{count} firms are called {name}; give the credit code to say which one")

// ErrNameless is returned for a row that says neither code nor name: two blanks are
// not one firm.
var ErrNameless = fault.New(fault.Invalid, "firm.nameless", "give the name of the firm or its credit code")

// Registry finds firms that are known already; a chain.Store is one.
type Registry interface {
	// FirmsByUSCC returns the firms of those codes that are known, by code.
	FirmsByUSCC(ctx context.Context, tenant string, codes []string) (map[string]chain.Party, error)
	// FirmsByName returns, by key (Normalise), the firms that are or were called so,
	// or are for short.
	FirmsByName(ctx context.Context, tenant string, nameKeys []string) (map[string][]chain.Party, error)
}

// Resolver finds or makes the firm that a row means and remembers its answers,
// so that one file asks for each firm once and makes each new firm once.
// It is for one file and one goroutine.
//
// A firm that was found to be another is returned as it is, so that its documents
// stay its own when that is undone; chain.Party.Survivor says whom it counts for.
type Resolver struct {
	reg    Registry
	tenant string
	byCode map[string]*chain.Party // nil: nobody has it
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

// Prefetch asks for many clean codes and names at once; Resolve then needs no
// question of its own for them. Blanks are ignored.
func (r *Resolver) Prefetch(ctx context.Context, codes, names []string) error {
	var missing []string
	asked := map[string]bool{}
	for _, code := range codes {
		if _, known := r.byCode[code]; code != "" && !known && !asked[code] {
			asked[code] = true
			missing = append(missing, code)
		}
	}
	if len(missing) > 0 {
		found, err := r.reg.FirmsByUSCC(ctx, r.tenant, missing)
		if err != nil {
			return err
		}
		for _, code := range missing {
			r.byCode[code] = nil
			if p, ok := found[code]; ok {
				r.byCode[code] = r.one(p)
			}
		}
	}
	missing, asked = nil, map[string]bool{}
	for _, name := range names {
		key := Normalise(name)
		if _, known := r.byName[key]; key != "" && !known && !asked[key] {
			asked[key] = true
			missing = append(missing, key)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	found, err := r.reg.FirmsByName(ctx, r.tenant, missing)
	if err != nil {
		return err
	}
	for _, key := range missing {
		same := make([]*chain.Party, 0, len(found[key]))
		for _, p := range found[key] {
			same = append(same, r.one(p))
		}
		r.byName[key] = same
	}
	return nil
}

// Resolve returns the firm of a credit code, else the only firm of the
// normalised name, else a new one. The code may be "" and must be clean. A firm
// that was known by name alone is given the code. Whoever is called so today goes
// before those who were, or are for short; firms that were found to be one count
// as one. It abstains with ErrAmbiguous, and returns ErrNameless for two blanks.
func (r *Resolver) Resolve(ctx context.Context, uscc, name string) (chain.Party, error) {
	key := Normalise(name)
	if uscc == "" && key == "" {
		return chain.Party{}, ErrNameless
	}
	if uscc != "" {
		p, err := r.code(ctx, uscc)
		if err != nil || p != nil {
			return deref(p), err
		}
	}
	same, err := r.name(ctx, key)
	if err != nil {
		return chain.Party{}, err
	}
	if uscc != "" {
		// Namesakes with other codes are other firms.
		same = keep(same, func(p *chain.Party) bool { return p.USCC == "" })
	}
	if called := keep(same, func(p *chain.Party) bool { return p.NameKey == key }); len(called) > 0 {
		same = called
	}
	p, ok := agreed(same)
	switch {
	case !ok:
		return chain.Party{}, ErrAmbiguous.With("count", len(same)).With("name", name)
	case p == nil:
		return *r.add(uscc, name), nil
	case uscc != "":
		p.USCC = uscc
		r.byCode[uscc] = p
		r.touch(p)
	}
	return *p, nil
}

// agreed returns the one firm that all of same count for, nil when there are none.
// Of several it is the survivor itself if that is among them, else the first.
func agreed(same []*chain.Party) (p *chain.Party, ok bool) {
	for _, q := range same {
		switch {
		case p == nil:
			p = q
		case p.Survivor() != q.Survivor():
			return nil, false
		case q.MergedInto == "":
			p = q
		}
	}
	return p, true
}

func keep(firms []*chain.Party, ok func(*chain.Party) bool) []*chain.Party {
	var out []*chain.Party
	for _, p := range firms {
		if ok(p) {
			out = append(out, p)
		}
	}
	return out
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
	err := r.Prefetch(ctx, []string{uscc}, nil)
	return r.byCode[uscc], err
}

func (r *Resolver) name(ctx context.Context, key string) ([]*chain.Party, error) {
	err := r.Prefetch(ctx, nil, []string{key})
	return r.byName[key], err
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
	if p.NameKey != "" {
		r.byName[p.NameKey] = append(r.byName[p.NameKey], p)
	}
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
