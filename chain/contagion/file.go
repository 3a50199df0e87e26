package contagion

import (
	"errors"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/furrowcredit/furrow/money"
)

// Register numbers firms by their id. The zero value is empty.
type Register struct {
	Firms []Firm
	byID  map[string]uint32
}

func (r *Register) add(f Firm) (uint32, bool) {
	if i, ok := r.byID[f.ID]; ok {
		return i, false
	}
	if r.byID == nil {
		r.byID = map[string]uint32{}
	}
	i := uint32(len(r.Firms))
	f.ID, f.Sector = strings.Clone(f.ID), strings.Clone(f.Sector)
	r.byID[f.ID] = i
	r.Firms = append(r.Firms, f)
	return i, true
}

// Find returns the place of a firm.
func (r *Register) Find(id string) (uint32, bool) {
	i, ok := r.byID[id]
	return i, ok
}

// ReadFirms reads a CSV with the columns id, and maybe sector, size and owner. Errors
// (ErrFile, ErrColumn, ErrCell, ErrTwice, ErrFirm, ErrOwners) name the place.
func ReadFirms(s Source) (*Register, error) {
	t, err := newTable(s)
	if err != nil {
		return nil, err
	}
	id, sector, size, owner := t.find("id", "firm_id"), t.find("sector"), t.find("size"), t.find("owner")
	if err := t.need("id", id); err != nil {
		return nil, err
	}
	r := &Register{}
	var owned [][2]int
	for {
		if err := t.next(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		f := Firm{Sector: t.cell(sector), Owner: strings.Clone(t.cell(owner))}
		if f.ID, err = t.id(id); err != nil {
			return nil, err
		}
		if f.Size, err = t.number(size); err != nil {
			return nil, err
		}
		if _, ok := r.add(f); !ok {
			return nil, t.at(id, ErrTwice.With("id", f.ID))
		}
		owned = append(owned, t.place(owner))
	}
	if at, bad := checkOwners(r.Firms, r.byID); bad != nil {
		return nil, bad.At("%s:%d:%d", s.Name, owned[at][0], owned[at][1])
	}
	return r, nil
}

// linkColumns are the places of the columns of links.
type linkColumns struct {
	supplier, buyer, amount, essential, kind int
	sectors                                  [2]int // of supplier and buyer
}

// ReadLinks reads a CSV of links with the columns supplier, buyer and amount, and maybe
// essential (or type) and the sectors of both. Needs that it does not tell come from
// inputs. Without a register (nil) the firms are those of the links; with one, a firm
// that is not in it is ErrFirm. Errors name the place.
func ReadLinks(s Source, reg *Register, inputs *Inputs) (*Register, []Link, error) {
	t, err := newTable(s)
	if err != nil {
		return nil, nil, err
	}
	c := linkColumns{
		supplier: t.find("supplier", "seller"), buyer: t.find("buyer", "customer"), amount: t.find("amount", "weight"),
		essential: t.find("essential"), kind: t.find("type"),
		sectors: [2]int{t.find("supplier_sector", "suppliernace"), t.find("buyer_sector", "customernace")},
	}
	if err := t.need("supplier", c.supplier, "buyer", c.buyer, "amount", c.amount); err != nil {
		return nil, nil, err
	}
	open := reg == nil
	if open {
		reg = &Register{}
	}
	var links []Link
	for {
		if err := t.next(); errors.Is(err, io.EOF) {
			return reg, links, nil
		} else if err != nil {
			return nil, nil, err
		}
		l, err := c.link(t, reg, open, inputs)
		if err != nil {
			return nil, nil, err
		}
		links = append(links, l)
	}
}

func (c *linkColumns) link(t *table, reg *Register, open bool, inputs *Inputs) (l Link, err error) {
	var ends [2]uint32
	for k, at := range [2]int{c.supplier, c.buyer} {
		if ends[k], err = t.firm(at, c.sectors[k], reg, open); err != nil {
			return l, err
		}
	}
	l.Supplier, l.Buyer = ends[0], ends[1]
	if l.Supplier == l.Buyer {
		return l, t.at(c.buyer, ErrSelf.With("id", t.cell(c.buyer)))
	}
	if t.cell(c.amount) == "" {
		return l, t.bad(c.amount, "it is empty")
	}
	if l.Amount, err = t.number(c.amount); err != nil {
		return l, err
	}
	switch {
	case t.cell(c.essential) != "":
		l.Need, err = t.essential(c.essential)
	case t.cell(c.kind) != "":
		l.Need, err = t.kind(c.kind)
	default:
		l.Need = inputs.Need(reg.Firms[l.Supplier].Sector, reg.Firms[l.Buyer].Sector)
	}
	return l, err
}

// firm finds or, when the register is open, adds the firm of a cell.
func (t *table) firm(c, sectorColumn int, reg *Register, open bool) (uint32, error) {
	id, err := t.id(c)
	if err != nil {
		return 0, err
	}
	sector := t.cell(sectorColumn)
	i, ok := reg.Find(id)
	switch {
	case !ok && !open:
		return 0, t.at(c, ErrFirm.With("id", id))
	case !ok:
		i, _ = reg.add(Firm{ID: id, Sector: sector})
	case reg.Firms[i].Sector == "":
		reg.Firms[i].Sector = strings.Clone(sector)
	case sector != "" && sector != reg.Firms[i].Sector:
		return 0, t.bad(sectorColumn, "the firm "+id+" is in sector "+reg.Firms[i].Sector+" elsewhere")
	}
	return i, nil
}

// Balances are what firms have and owe outside of the debts that are read with them.
type Balances struct {
	*Register
	External, Outside []float64
	Equity            []float64 // nil when the file does not tell
}

// ReadBalances reads a CSV with the columns id and external, and maybe outside and
// equity. Errors name the place.
func ReadBalances(s Source) (*Balances, error) {
	t, err := newTable(s)
	if err != nil {
		return nil, err
	}
	id, external, outside, equity := t.find("id", "firm_id"), t.find("external"), t.find("outside"), t.find("equity")
	if err := t.need("id", id, "external", external); err != nil {
		return nil, err
	}
	b := &Balances{Register: &Register{}}
	for {
		if err := t.next(); errors.Is(err, io.EOF) {
			return b, nil
		} else if err != nil {
			return nil, err
		}
		firm, err := t.id(id)
		if err != nil {
			return nil, err
		}
		if _, ok := b.add(Firm{ID: firm}); !ok {
			return nil, t.at(id, ErrTwice.With("id", firm))
		}
		for _, read := range []struct {
			column int
			to     *[]float64
			least  float64
		}{{external, &b.External, 0}, {outside, &b.Outside, 0}, {equity, &b.Equity, math.Inf(-1)}} {
			if read.column < 0 && read.to == &b.Equity {
				continue
			}
			v := 0.0
			if read.column >= 0 {
				if v, err = t.float(read.column, read.least); err != nil {
					return nil, err
				}
			}
			*read.to = append(*read.to, v)
		}
	}
}

// ReadDebts reads a CSV with the columns debtor, creditor and amount; the firms must be
// in the register. Errors name the place.
func ReadDebts(s Source, reg *Register) ([]Debt, error) {
	t, err := newTable(s)
	if err != nil {
		return nil, err
	}
	debtor, creditor, amount := t.find("debtor"), t.find("creditor"), t.find("amount")
	if err := t.need("debtor", debtor, "creditor", creditor, "amount", amount); err != nil {
		return nil, err
	}
	var list []Debt
	for {
		if err := t.next(); errors.Is(err, io.EOF) {
			return list, nil
		} else if err != nil {
			return nil, err
		}
		var d Debt
		if d.Debtor, err = t.firm(debtor, -1, reg, false); err != nil {
			return nil, err
		}
		if d.Creditor, err = t.firm(creditor, -1, reg, false); err != nil {
			return nil, err
		}
		if d.Debtor == d.Creditor {
			return nil, t.at(creditor, ErrSelf.With("id", t.cell(creditor)))
		}
		if t.cell(amount) == "" {
			return nil, t.bad(amount, "it is empty")
		}
		if d.Amount, err = t.number(amount); err != nil {
			return nil, err
		}
		list = append(list, d)
	}
}

// ReadLoans reads a CSV with the columns loan, firm and outstanding, in yuan. Errors
// name the place.
func ReadLoans(s Source) ([]Exposure, error) {
	t, err := newTable(s)
	if err != nil {
		return nil, err
	}
	loan, firm, outstanding := t.find("loan", "loan_id"), t.find("firm", "firm_id"), t.find("outstanding")
	if err := t.need("loan", loan, "firm", firm, "outstanding", outstanding); err != nil {
		return nil, err
	}
	var list []Exposure
	for {
		if err := t.next(); errors.Is(err, io.EOF) {
			return list, nil
		} else if err != nil {
			return nil, err
		}
		var e Exposure
		if e.LoanID, err = t.id(loan); err != nil {
			return nil, err
		}
		if e.FirmID, err = t.id(firm); err != nil {
			return nil, err
		}
		if e.Outstanding, err = money.ParseFen(t.cell(outstanding)); err != nil || e.Outstanding < 0 {
			return nil, t.bad(outstanding, "write yuan such as 1200.50, 0 or more")
		}
		e.LoanID, e.FirmID = strings.Clone(e.LoanID), strings.Clone(e.FirmID)
		list = append(list, e)
	}
}

// Worth is the equity of each firm: what the file tells, else what it has from outside
// and its debtors less what it owes.
func (b *Balances) Worth(debts []Debt) []float64 {
	if b.Equity != nil {
		return slices.Clone(b.Equity)
	}
	out := make([]float64, len(b.Firms))
	for i := range out {
		out[i] = b.External[i] - b.Outside[i]
	}
	for _, d := range debts {
		out[d.Creditor] += d.Amount
		out[d.Debtor] -= d.Amount
	}
	return out
}

// Losses are the parts of the amounts, by firm, that shocks take: of assets or of
// equity. It returns ErrFirm or ErrShock.
func (b *Balances) Losses(of []float64, shocks []Shock) ([]float64, error) {
	out := make([]float64, len(b.Firms))
	for _, s := range shocks {
		i, ok := b.Find(s.FirmID)
		if !ok {
			return nil, ErrFirm.With("id", s.FirmID)
		}
		if !(s.Part > 0 && s.Part <= 1) {
			return nil, ErrShock.With("value", s.Part)
		}
		out[i] = max(out[i], s.Part*max(of[i], 0))
	}
	return out, nil
}
