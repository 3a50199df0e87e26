package upload

import (
	"context"
	"errors"
	"strings"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/party"
)

// mention is how rows name a firm.
type mention struct{ code, name string }

// firms finds the firms that rows mention, each mention once.
type firms struct {
	l      *layout
	anchor chain.Party
	res    *party.Resolver
	found  map[mention]*answer
	byName map[string]string // name key → firm, to see namesakes
}

type answer struct {
	firm    chain.Party
	renamed bool // the code belongs to a firm of another name
	err     error
}

func newFirms(l *layout, anchor chain.Party, store chain.Store) *firms {
	return &firms{l: l, anchor: anchor, res: party.NewResolver(store, anchor.Tenant), found: map[mention]*answer{}, byName: map[string]string{}}
}

// sides are the fields that name the seller and the buyer.
var sides = [2]string{"seller", "buyer"}

// prefetch asks for all firms of some rows at once.
func (f *firms) prefetch(ctx context.Context, rows []row) error {
	var codes, names []string
	for _, r := range rows {
		if r.bad {
			continue
		}
		for _, side := range sides {
			m := mention{f.l.get(r.cells, side+"_uscc"), f.l.get(r.cells, side)}
			if f.found[m] == nil && m != (mention{}) {
				codes, names = append(codes, m.code), append(names, m.name)
			}
		}
	}
	return f.res.Prefetch(ctx, codes, names)
}

// resolve sets the sides of a document. The side that the row does not name is the
// anchor; of a list of parties, dealers buy.
func (f *firms) resolve(ctx context.Context, r *row, d *chain.Document) error {
	ids, named := [2]*string{&d.SellerID, &d.BuyerID}, 0
	for i, side := range sides {
		column, ok := f.l.field[side]
		if !ok {
			continue
		}
		m := mention{f.l.get(r.cells, side+"_uscc"), f.l.get(r.cells, side)}
		if m == (mention{}) {
			continue
		}
		named++
		a, err := f.answer(ctx, m)
		if err != nil {
			return err
		}
		switch {
		case a.err != nil:
			if m.name == "" {
				column = f.l.field[side+"_uscc"]
			}
			f.l.fail(r, column, a.err)
			continue
		case a.renamed:
			f.l.warn(r, column, errRenamed.With("name", a.firm.Name))
		}
		*ids[i] = a.firm.ID
	}
	switch {
	case r.bad:
	case named == 0:
		f.l.fail(r, f.l.field["seller"], errNobody.With("anchor", f.anchor.Name))
	case d.SellerID == d.BuyerID:
		f.l.fail(r, f.l.field["seller"], errSelf)
	case f.l.kind == chain.Suppliers && f.l.get(r.cells, "role") == dealerRole:
		d.SellerID, d.BuyerID = d.BuyerID, d.SellerID
	}
	return nil
}

// answer finds the firm of a mention; what the row does wrong is in the answer.
func (f *firms) answer(ctx context.Context, m mention) (*answer, error) {
	if a := f.found[m]; a != nil {
		return a, nil
	}
	m = mention{strings.Clone(m.code), strings.Clone(m.name)} // it outlives the rows
	a := &answer{}
	a.firm, a.err = f.firm(ctx, m)
	if a.err != nil && !errors.Is(a.err, party.ErrAmbiguous) && !errors.Is(a.err, party.ErrNameless) && !errors.Is(a.err, errRequired) {
		return nil, a.err
	}
	key := party.Normalise(m.name)
	a.renamed = a.err == nil && m.name != "" && m.code != "" && a.firm.NameKey != key
	if a.err == nil && key != "" {
		// A second firm of one name makes the name alone ambiguous from here on.
		if other := f.byName[key]; other != "" && other != a.firm.ID {
			clear(f.found)
		}
		f.byName[key] = a.firm.ID
	}
	f.found[m] = a
	return a, nil
}

// firm finds the firm of a mention; a code without a name must be known already.
func (f *firms) firm(ctx context.Context, m mention) (chain.Party, error) {
	if m.name == "" {
		if m.code == f.anchor.USCC {
			return f.anchor, nil
		}
		p, err := f.res.Known(ctx, m.code)
		if errors.Is(err, chain.ErrFirmNotFound) {
			return p, errRequired // who this is: the name cell
		}
		return p, err
	}
	if m.code == "" && party.Normalise(m.name) == f.anchor.NameKey {
		return f.anchor, nil
	}
	return f.res.Resolve(ctx, m.code, m.name)
}

// listed fills in what a row of a list of parties tells.
func (f *firms) listed(r row, d chain.Document) {
	if f.l.kind != chain.Suppliers {
		return
	}
	id := d.SellerID
	if id == f.anchor.ID {
		id = d.BuyerID
	}
	f.res.Update(id, func(p *chain.Party) bool { return f.l.fillIn(p, r.cells) })
}
