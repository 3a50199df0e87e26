package upload

import (
	"context"
	"errors"
	"github.com/furrowcredit/furrow/sheet"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/party"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
)

// What can be wrong in a row.
var (
	errNobody   = fault.New(fault.Invalid, "row.no_partner", "name the seller or the buyer; the other side is {anchor}")
	errSelf     = fault.New(fault.Invalid, "row.same_firm", "the seller and the buyer are the same firm")
	errTwice    = fault.New(fault.Invalid, "row.twice", "row {row} has the same number and firms but another amount")
	errDiffers  = fault.New(fault.Invalid, "row.differs", "this number is in the books with the amount {amount}; undo the earlier upload to change it")
	errRenamed  = fault.New(fault.Invalid, "row.name_differs", "this credit code belongs to {name} in the books; the row was taken for that firm")
	errNoNumber = fault.New(fault.Invalid, "row.number", "a number needs letters or digits")
)

// layout says where the columns of a kind stand in a table.
type layout struct {
	kind    chain.DocKind
	columns []Column
	at      map[string]int // field → column index
	header  []string
	row     int  // place in table.rows of the header
	wan     bool // amounts are in units of 10,000 yuan
}

// find looks for the header among the first rows. Of several candidates the row
// that names most columns wins.
func find(t *sheet.Table, kind chain.DocKind, columns []Column) (layout, error) {
	best := layout{kind: kind, columns: columns}
	var bestErr error = sheet.ErrEmpty
	for i := range min(len(t.Rows), sheet.HeaderRows) {
		l, err := match(t.Rows[i].Cells, columns)
		if len(l.at) > len(best.at) || i == 0 {
			l.kind, l.columns, l.row = kind, columns, i
			best, bestErr = l, err
		}
	}
	if bestErr != nil {
		return best, bestErr
	}
	if best.row == len(t.Rows)-1 {
		return best, sheet.ErrEmpty
	}
	return best, t.Split(best.row)
}

func match(header []string, columns []Column) (layout, error) {
	fields := map[string]string{}
	// A header means the column that is called so before one that has it as an alias.
	for _, c := range columns {
		for _, name := range c.Aliases {
			k, _ := headerKey(name)
			if fields[k] == "" {
				fields[k] = c.Field
			}
		}
	}
	for _, c := range columns {
		for _, name := range []string{c.Zh, c.En, c.Field} {
			k, _ := headerKey(name)
			fields[k] = c.Field
		}
	}
	l := layout{at: map[string]int{}, header: make([]string, len(header))}
	var err error
	for i, h := range header {
		l.header[i] = text(h)
		k, wan := headerKey(h)
		field := fields[k]
		if field == "" {
			continue
		}
		if old, ok := l.at[field]; ok {
			if err == nil {
				err = ErrHeaderTwice.With("first", l.header[old]).With("second", l.header[i])
			}
			continue
		}
		l.at[field] = i
		if field == "amount" {
			l.wan = wan
		}
	}
	var missing []string
	for _, c := range columns {
		if _, ok := l.at[c.Field]; c.Required && !ok {
			missing = append(missing, c.Zh)
		}
	}
	if len(missing) > 0 {
		err = ErrHeader.With("columns", strings.Join(missing, ", "))
	}
	return l, err
}

// row is one row of the data on its way into the books.
type row struct {
	number int
	value  map[string]string // cleaned, by field
	amount money.Fen
	errs   []chain.RowError
}

func (r *row) bad() bool {
	for _, e := range r.errs {
		if !e.Warning {
			return true
		}
	}
	return false
}

// read cleans and checks the cells of a row, each by itself.
func (l *layout) read(t sheet.Row, from1904 bool, today time.Time) *row {
	r := &row{number: t.Number, value: map[string]string{}}
	for _, c := range l.columns {
		raw := l.raw(t, c.Field)
		clean := text(raw)
		switch {
		case strings.HasPrefix(clean, "#") && strings.Trim(clean, "#ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/!?_") == "" && len(clean) > 2:
			l.fail(r, c.Field, raw, errExcel.With("value", clean))
		case clean == "":
			if c.Required {
				l.fail(r, c.Field, raw, errRequired)
			}
		case c.Kind == amountCell:
			var err error
			if r.amount, err = parseAmount(clean, l.wan); err != nil {
				l.fail(r, c.Field, raw, err)
			}
		case c.Kind == dateCell:
			day, err := parseDate(clean, from1904, today)
			if err != nil {
				l.fail(r, c.Field, raw, err)
			}
			r.value[c.Field] = day
		case (c.Kind == codeCell || c.Field == "number" || c.Field == "order_no") && rounded(clean):
			l.fail(r, c.Field, raw, errRounded)
		case c.Kind == codeCell:
			v := party.Check(clean)
			r.value[c.Field] = v.Code
			switch v.Status {
			case party.Bad:
				l.fail(r, c.Field, raw, errCode)
			case party.Suspicious:
				l.warn(r, c.Field, raw, errCodeDoubt)
			case party.Valid:
			}
		case len([]rune(clean)) > maxText:
			l.fail(r, c.Field, raw, errTooLong.With("max", maxText))
		case c.Field == "number" && chain.NumberKey(clean) == "":
			l.fail(r, c.Field, raw, errNoNumber)
		default:
			r.value[c.Field] = clean
		}
	}
	return r
}

func (l *layout) raw(t sheet.Row, field string) string {
	if i, ok := l.at[field]; ok && i < len(t.Cells) {
		return t.Cells[i]
	}
	return ""
}

func (l *layout) fail(r *row, field, raw string, err error) { l.note(r, field, raw, err, false) }
func (l *layout) warn(r *row, field, raw string, err error) { l.note(r, field, raw, err, true) }

// note turns an error with a code into a remark on a cell, or on the whole row
// where the file has no such column.
func (l *layout) note(r *row, field, raw string, err error, warning bool) {
	e := chain.RowError{Row: r.number, Warning: warning}
	var f *fault.Error
	if errors.As(err, &f) {
		e.Code, e.Msg, e.Args = f.Code, f.Msg, f.Args
	}
	if i, ok := l.at[field]; ok {
		e.Column = l.header[i]
		e.Cell, _ = excelize.CoordinatesToCellName(i+1, r.number)
		e.Value = clip(text(raw))
	}
	r.errs = append(r.errs, e)
}

func clip(s string) string {
	if r := []rune(s); len(r) > 80 {
		return string(r[:80]) + "…"
	}
	return s
}

// document resolves the firms of a row that is good so far. The side that the row
// does not name is the anchor.
func (l *layout) document(ctx context.Context, r *row, t sheet.Row, res *party.Resolver, anchor chain.Party) (chain.Document, error) {
	d := chain.Document{
		Tenant: anchor.Tenant, Kind: l.kind, AnchorID: anchor.ID, Number: r.value["number"], OrderNo: r.value["order_no"],
		Amount: r.amount, Goods: r.value["goods"], Date: r.value["date"], Funder: r.value["funder"],
		SellerID: anchor.ID, BuyerID: anchor.ID,
	}
	named := 0
	for _, side := range []struct {
		field string
		id    *string
	}{{"seller", &d.SellerID}, {"buyer", &d.BuyerID}} {
		name, code := r.value[side.field], r.value[side.field+"_uscc"]
		if name == "" && code == "" {
			continue
		}
		named++
		field := side.field
		if name == "" {
			field += "_uscc"
		}
		p, err := l.firm(ctx, res, code, name, anchor)
		if errors.Is(err, party.ErrAmbiguous) || errors.Is(err, errRequired) {
			l.fail(r, field, l.raw(t, field), err)
			continue
		}
		if err != nil {
			return d, err
		}
		if name != "" && code != "" && p.NameKey != party.Normalise(name) {
			l.warn(r, field, l.raw(t, field), errRenamed.With("name", p.Name))
		}
		*side.id = p.ID
	}
	switch {
	case r.bad():
	case named == 0:
		l.fail(r, "seller", l.raw(t, "seller"), errNobody.With("anchor", anchor.Name))
	case d.SellerID == d.BuyerID:
		l.fail(r, "seller", l.raw(t, "seller"), errSelf)
	}
	if l.kind == chain.Suppliers && !r.bad() {
		res.Update(d.SellerID, func(p *chain.Party) bool { return fillIn(p, r.value) })
	}
	return d, nil
}

// firm finds the firm of a row; a code without a name must be known already.
func (l *layout) firm(ctx context.Context, res *party.Resolver, code, name string, anchor chain.Party) (chain.Party, error) {
	if name == "" {
		if code == anchor.USCC {
			return anchor, nil
		}
		p, err := res.Known(ctx, code)
		if errors.Is(err, chain.ErrFirmNotFound) {
			return p, errRequired // who this is: the name cell
		}
		return p, err
	}
	if code == "" && party.Normalise(name) == anchor.NameKey {
		return anchor, nil
	}
	return res.Resolve(ctx, code, name)
}

// fillIn adds what a supplier list tells and the books do not know yet.
func fillIn(p *chain.Party, value map[string]string) bool {
	changed := false
	for field, into := range map[string]*string{"legal_rep": &p.LegalRep, "phone": &p.Phone, "region": &p.Region, "industry": &p.Industry} {
		if *into == "" && value[field] != "" {
			*into, changed = value[field], true
		}
	}
	return changed
}
