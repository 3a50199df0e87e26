package upload

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/party"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/sheet"
)

// What can be wrong in a row.
var (
	errNobody   = fault.New(fault.Invalid, "row.no_partner", "name the seller or the buyer; the other side is {anchor}")
	errSelf     = fault.New(fault.Invalid, "row.same_firm", "the seller and the buyer are the same firm; correct one of them")
	errTwice    = fault.New(fault.Invalid, "row.twice", "row {row} has the same number and firms but another amount")
	errDiffers  = fault.New(fault.Invalid, "row.differs", "this number is in the books with the amount {amount}; undo the earlier upload to change it")
	errRenamed  = fault.New(fault.Invalid, "row.name_differs", "this credit code belongs to {name} in the books; the row was taken for that firm")
	errNoNumber = fault.New(fault.Invalid, "row.number", "a number needs letters or digits")
	errRedSign  = fault.New(fault.Invalid, "row.red_sign", "an invoice that takes another one back has a negative amount")
	errRedOf    = fault.New(fault.Invalid, "row.red_of", "name the invoice that this negative one takes back; it was taken without")
	errTax      = fault.New(fault.Invalid, "cell.tax", "the tax has the sign of the amount and is less than it; the amount includes it")
)

// layout says where the columns of a kind stand in a table.
type layout struct {
	kind    chain.DocKind
	columns []Column
	field   map[string]int // field → place in columns
	at      []int          // place in columns → place in the table, -1 when absent
	header  []string
	row     int     // place in the first rows of the header
	unit    []int64 // of amounts by place in columns, in fen

	from1904             bool
	tomorrow, inTenYears string
	codes                map[string]party.Verdict
}

func newLayout(kind chain.DocKind, columns []Column, now time.Time) layout {
	l := layout{
		kind: kind, columns: columns, field: map[string]int{}, at: make([]int, len(columns)), unit: make([]int64, len(columns)),
		// A day of grace for clocks ahead.
		tomorrow: now.AddDate(0, 0, 1).Format(time.DateOnly), inTenYears: now.AddDate(10, 0, 0).Format(time.DateOnly),
		codes: map[string]party.Verdict{},
	}
	for i, c := range columns {
		l.field[c.Field] = i
		l.at[i], l.unit[i] = -1, 100
	}
	return l
}

// find looks for the header among the first rows. Of several candidates the row
// that names most columns wins.
func find(t *sheet.Table, kind chain.DocKind, columns []Column, now time.Time) (layout, error) {
	best, most := newLayout(kind, columns, now), -1
	var bestErr error = sheet.ErrEmpty
	for i := range min(len(t.Rows), sheet.HeaderRows) {
		l := newLayout(kind, columns, now)
		n, err := l.match(t.Rows[i].Cells)
		if n > most {
			l.row, l.from1904 = i, t.From1904
			best, bestErr, most = l, err, n
		}
	}
	if bestErr == nil && best.row == len(t.Rows)-1 {
		bestErr = sheet.ErrEmpty
	}
	return best, bestErr
}

// named says whether any column was found.
func (l *layout) named() bool {
	for _, at := range l.at {
		if at >= 0 {
			return true
		}
	}
	return false
}

// match lays the columns over a header and returns how many it names.
func (l *layout) match(header []string) (n int, err error) {
	fields := map[string]int{}
	// A header means the column that is called so before one that has it as an alias.
	for i, c := range l.columns {
		for _, name := range c.Aliases {
			k, _ := headerKey(name)
			if _, taken := fields[k]; !taken {
				fields[k] = i
			}
		}
	}
	for i, c := range l.columns {
		for _, name := range []string{c.Zh, c.En, c.Field} {
			k, _ := headerKey(name)
			fields[k] = i
		}
	}
	l.header = make([]string, len(header))
	for j, h := range header {
		l.header[j] = text(h)
		k, unit := headerKey(h)
		i, ok := fields[k]
		if !ok || k == "" {
			continue
		}
		if old := l.at[i]; old >= 0 {
			if err == nil {
				err = ErrHeaderTwice.With("first", l.header[old]).With("second", l.header[j])
			}
			continue
		}
		n++
		if l.at[i] = j; unit > 0 {
			l.unit[i] = unit
		}
	}
	var missing []string
	for i, c := range l.columns {
		if c.Required && l.at[i] < 0 {
			missing = append(missing, c.Zh)
		}
	}
	if len(missing) > 0 {
		err = ErrHeader.With("columns", strings.Join(missing, ", "))
	}
	return n, err
}

// row is one row of the data on its way into the books.
type row struct {
	number int
	raw    []string
	cells  []string // cleaned, by place in columns: amounts in fen, days as 2026-02-28
	errs   []chain.RowError
	bad    bool
}

// read cleans and checks the cells of a row, each by itself and then together. raw
// must not change after.
func (l *layout) read(number int, raw []string) row {
	r := row{number: number, raw: raw, cells: make([]string, len(l.columns))}
	for i := range l.columns {
		at := l.at[i]
		if at < 0 || at >= len(raw) || raw[at] == "" {
			if l.columns[i].Required {
				l.fail(&r, i, errRequired)
			}
			continue
		}
		l.cell(&r, i, text(raw[at]))
	}
	if l.kind == chain.Invoice && !r.bad {
		l.invoice(&r)
	}
	return r
}

// cell cleans the cell of column i.
func (l *layout) cell(r *row, i int, clean string) {
	c := l.columns[i]
	var err error
	switch {
	case clean == "":
		if c.Required {
			l.fail(r, i, errRequired)
		}
		return
	case clean[0] == '#' && len(clean) > 2 && strings.Trim(clean, "#ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/!?_") == "":
		l.fail(r, i, errExcel.With("value", clean))
		return
	}
	switch c.Kind {
	case amountCell, signedCell, taxCell:
		var v money.Fen
		if v, err = parseMoney(clean, l.unit[i]); err == nil {
			err = l.sign(r, c.Kind, v)
		}
		clean = strconv.FormatInt(int64(v), 10)
	case quantityCell:
		var v float64
		v, err = parseQuantity(clean)
		clean = strconv.FormatFloat(v, 'g', -1, 64)
	case dateCell:
		clean, err = parseDay(clean, l.from1904, "2000-01-01", l.tomorrow)
	case dueCell:
		clean, err = parseDay(clean, l.from1904, "2000-01-01", l.inTenYears)
	case foundedCell:
		clean, err = parseDay(clean, l.from1904, "1800-01-01", l.tomorrow)
	case codeCell:
		clean = l.code(r, i, clean)
	case numberCell:
		switch {
		case rounded(clean):
			err = errRounded
		case len(clean) > maxText && len([]rune(clean)) > maxText:
			err = errTooLong.With("max", maxText)
		case chain.NumberKey(clean) == "":
			err = errNoNumber
		}
	case roleCell:
		var dealer bool
		if dealer, err = parseRole(clean); dealer {
			clean = dealerRole
		}
	case typeCell:
		var t chain.InvoiceType
		t, err = parseType(clean)
		clean = string(t)
	case statusCell:
		var void bool
		if void, err = parseStatus(clean); void {
			clean = voidStatus
		}
	case industryCell:
		if clean = strings.ToUpper(clean); !industry.MatchString(clean) {
			err = errIndustry
		}
	case longCell:
		err = tooLong(clean, 10*maxText)
	case textCell, phoneCell:
		err = tooLong(clean, maxText)
	}
	if err != nil {
		l.fail(r, i, err)
		return
	}
	r.cells[i] = clean
}

// What the cleaned cells of roles and states say when it is not the usual.
const (
	dealerRole = "dealer"
	voidStatus = "void"
)

func tooLong(s string, limit int) error {
	if len(s) > limit && len([]rune(s)) > limit {
		return errTooLong.With("max", limit)
	}
	return nil
}

// sign says whether a column may hold the amount. A cancelled invoice is often written
// with nothing.
func (l *layout) sign(r *row, kind cellKind, v money.Fen) error {
	switch {
	case kind == amountCell && v <= 0:
		return errNotPositive
	case kind == signedCell && v == 0:
		if i, ok := l.field["status"]; ok && l.at[i] >= 0 && l.at[i] < len(r.raw) {
			if void, err := parseStatus(text(r.raw[l.at[i]])); err == nil && void {
				return nil
			}
		}
		return errZero
	}
	return nil
}

func (l *layout) code(r *row, i int, clean string) string {
	if rounded(clean) {
		l.fail(r, i, errRounded)
		return ""
	}
	v, known := l.codes[clean]
	if !known {
		v = party.Check(clean)
		if len(l.codes) > 100_000 {
			clear(l.codes)
		}
		l.codes[strings.Clone(clean)] = v
	}
	switch v.Status {
	case party.Bad:
		l.fail(r, i, errCode)
		return ""
	case party.Suspicious:
		l.warn(r, i, errCodeDoubt)
	case party.Valid:
	}
	return v.Code
}

// invoice checks what the cells of an invoice say together.
func (l *layout) invoice(r *row) {
	amount, tax, original := l.fen(r.cells, "amount"), l.fen(r.cells, "tax"), l.get(r.cells, "invoice_no")
	void := l.get(r.cells, "status") == voidStatus
	switch {
	case void:
	case tax != 0 && ((tax > 0) != (amount > 0) || max(tax, -tax) >= max(amount, -amount)):
		l.fail(r, l.field["tax"], errTax)
	case amount > 0 && original != "":
		l.fail(r, l.field["amount"], errRedSign)
	case amount < 0 && original == "":
		l.warn(r, l.field["amount"], errRedOf)
	}
	switch chain.InvoiceType(l.get(r.cells, "type")) {
	case chain.DigitalSpecialInvoice, chain.DigitalGeneralInvoice:
		if len(chain.NumberKey(l.get(r.cells, "number"))) != 20 || l.get(r.cells, "code") != "" {
			l.warn(r, l.field["number"], errDigital)
		}
	case chain.SpecialInvoice, chain.GeneralInvoice:
	}
}

// get returns the cleaned cell of a field, "" when the kind has none.
func (l *layout) get(cells []string, field string) string {
	if i, ok := l.field[field]; ok {
		return cells[i]
	}
	return ""
}

func (l *layout) fen(cells []string, field string) money.Fen {
	n, _ := strconv.ParseInt(l.get(cells, field), 10, 64) // "" is none
	return money.Fen(n)
}

func (l *layout) fail(r *row, column int, err error) {
	r.bad = true
	l.note(r, column, err, false)
}

func (l *layout) warn(r *row, column int, err error) { l.note(r, column, err, true) }

// note turns an error with a code into a remark on a cell, or on the whole row
// where the file has no such column.
func (l *layout) note(r *row, column int, err error, warning bool) {
	e := chain.RowError{Row: r.number, Warning: warning}
	var f *fault.Error
	if errors.As(err, &f) {
		e.Code, e.Msg, e.Args = f.Code, f.Msg, f.Args
	}
	if at := l.at[column]; at >= 0 {
		e.Column = l.header[at]
		e.Cell = sheet.CellName(at, r.number)
		if at < len(r.raw) {
			e.Value = clip(text(r.raw[at]))
		}
	}
	r.errs = append(r.errs, e)
}

func clip(s string) string {
	if len(s) <= 80 {
		return s
	}
	if r := []rune(s); len(r) > 80 {
		return string(r[:80]) + "…"
	}
	return s
}

// document makes a document of cleaned cells, between the anchor and nobody yet.
func (l *layout) document(cells []string, anchor chain.Party) chain.Document {
	quantity, _ := strconv.ParseFloat(l.get(cells, "quantity"), 64) // "" is none
	return chain.Document{
		Tenant: anchor.Tenant, Kind: l.kind, AnchorID: anchor.ID, SellerID: anchor.ID, BuyerID: anchor.ID,
		Number: l.get(cells, "number"), OrderNo: l.get(cells, "order_no"), ContractNo: l.get(cells, "contract_no"), InvoiceNo: l.get(cells, "invoice_no"),
		Amount: l.fen(cells, "amount"), Tax: l.fen(cells, "tax"), Goods: l.get(cells, "goods"), Quantity: quantity, Unit: l.get(cells, "unit"),
		Code: l.get(cells, "code"), Type: chain.InvoiceType(l.get(cells, "type")), Date: l.get(cells, "date"), Due: l.get(cells, "due"),
		Void: l.get(cells, "status") == voidStatus, Funder: l.get(cells, "funder"),
	}
}

// fillIn adds what a list of parties tells and the books do not know yet.
func (l *layout) fillIn(p *chain.Party, cells []string) bool {
	changed := false
	for field, into := range map[string]*string{
		"legal_rep": &p.LegalRep, "phone": &p.Phone, "region": &p.Region, "industry": &p.Industry, "controller": &p.Controller,
		"address": &p.Address, "industry_code": &p.IndustryCode, "scope": &p.Scope, "founded": &p.Founded,
	} {
		if v := l.get(cells, field); *into == "" && v != "" {
			*into, changed = v, true
		}
	}
	if v := l.fen(cells, "capital"); p.Capital == 0 && v != 0 {
		p.Capital, changed = v, true
	}
	for field, into := range map[string]*[]string{"former_names": &p.FormerNames, "short_names": &p.ShortNames} {
		if names := parseNames(l.get(cells, field)); len(*into) == 0 && len(names) > 0 {
			*into, changed = names, true
		}
	}
	return changed
}
