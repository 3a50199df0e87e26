package pay

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/text/width"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/sheet"
)

// What can be wrong with a bank's statement.
var (
	ErrColumns = fault.New(fault.Invalid, "pay.statement_columns",
		"the statement has no column {missing}; its header needs date, direction and amount (or paid out and paid in), and order number or bank reference")
	ErrCellDate      = fault.New(fault.Invalid, "pay.cell_date", "write the date as 2026-05-31; this is {value}")
	ErrCellCurrency  = fault.New(fault.Invalid, "pay.cell_currency", "only CNY is kept here; this is {value}")
	ErrCellNumber    = fault.New(fault.Invalid, "pay.cell_number", "a number has at most 64 characters; this is {value}")
	ErrCellNoNumber  = fault.New(fault.Invalid, "pay.cell_no_number", "a movement needs an order number or the bank's reference")
	ErrCellDirection = fault.New(fault.Invalid, "pay.cell_direction", "write out or in, 借 or 贷, 支 or 收; this is {value}")
	ErrCellSides     = fault.New(fault.Invalid, "pay.cell_sides", "one of paid out and paid in has an amount, the other none")
	ErrCellAmount    = fault.New(fault.Invalid, "pay.cell_amount", "write yuan with at most two decimals, such as 1234.56; this is {value}")
	ErrCellZero      = fault.New(fault.Invalid, "pay.cell_zero", "an amount is above zero; the direction says which way; this is {value}")
	ErrDay           = fault.New(fault.Invalid, "pay.statement_day", "this line is of {date}; give a statement of {day} alone")
)

// Line is one movement on the bank's statement.
type Line struct {
	Row       int        `json:"row"` // in the file; 1 is the first
	Date      money.Date `json:"date"`
	Direction Direction  `json:"direction"`
	Amount    money.Fen  `json:"amount"`
	OrderID   string     `json:"order_id,omitempty"` // the number under which we sent it
	Ref       string     `json:"ref,omitempty"`      // the bank's own
	Party     string     `json:"party,omitempty"`
	Memo      string     `json:"memo,omitempty"`
}

// Signed is the amount as our account moved.
func (l Line) Signed() money.Fen { return signed(l.Direction, l.Amount) }

func signed(d Direction, a money.Fen) money.Fen {
	if d == Out {
		return -a
	}
	return a
}

// statementColumns are the fields of a statement, by what banks call them.
var statementColumns = map[string][]string{
	"date":      {"date", "交易日期", "日期", "记账日期", "入账日期"},
	"direction": {"direction", "收付方向", "借贷标志", "借贷", "收支", "交易方向"},
	"amount":    {"amount", "金额", "交易金额", "发生额"},
	"out":       {"paidout", "借方发生额", "借方金额", "支出", "支出金额"},
	"in":        {"paidin", "贷方发生额", "贷方金额", "收入", "收入金额"},
	"currency":  {"currency", "币种", "货币"},
	"order":     {"orderid", "ordernumber", "商户订单号", "订单号", "付款单号", "客户流水号"},
	"ref":       {"ref", "bankreference", "银行流水号", "交易流水号", "流水号"},
	"party":     {"party", "对方户名", "对方名称", "对方"},
	"memo":      {"memo", "摘要", "附言", "用途"},
}

func fold(s string) string {
	s = strings.ToLower(width.Narrow.String(strings.TrimSpace(s)))
	if i := strings.IndexAny(s, "(["); i > 0 { // the unit behind the name
		s = s[:i]
	}
	return strings.NewReplacer(" ", "", "_", "", "-", "").Replace(s)
}

// header finds the columns of a row; missing names what a statement cannot do without.
func header(cells []string) (at map[string]int, missing string) {
	at = map[string]int{}
	for i, c := range cells {
		for field, names := range statementColumns {
			if _, known := at[field]; !known && slices.Contains(names, fold(c)) {
				at[field] = i
			}
		}
	}
	has := func(f string) bool { _, ok := at[f]; return ok }
	switch {
	case !has("date"):
		missing = "date"
	case (!has("amount") || !has("direction")) && (!has("out") || !has("in")):
		missing = "amount"
	case !has("order") && !has("ref"):
		missing = "order number"
	}
	return at, missing
}

// ParseStatement reads a bank's statement of one day, CSV (UTF-8, GBK) or XLSX. A day with
// no movement is a header alone. It returns every cell that is wrong, joined, each with its
// place; ErrColumns; and the errors of package sheet.
func ParseStatement(name string, body []byte, day money.Date) ([]Line, []error) {
	found := func(t *sheet.Table) (row int, at map[string]int, missing string) {
		missing = "date"
		for i, r := range t.Rows[:min(len(t.Rows), sheet.HeaderRows+1)] {
			a, lacks := header(r.Cells)
			if lacks == "" {
				return i, a, ""
			}
			if len(a) > 2 {
				missing = lacks
			}
		}
		return 0, nil, missing
	}
	t, err := sheet.Read(body, func(t *sheet.Table) bool { _, _, m := found(t); return m == "" })
	if errors.Is(err, sheet.ErrEmpty) {
		if first, _, _ := strings.Cut(strings.TrimPrefix(string(body), "\ufeff"), "\n"); named(first) {
			return []Line{}, nil
		}
	}
	if err != nil {
		return nil, []error{err}
	}
	top, at, missing := found(t)
	if missing != "" {
		return nil, []error{ErrColumns.At("%s", name).With("missing", missing)}
	}
	if err := t.Split(top); err != nil {
		return nil, []error{err}
	}
	p := statementReader{name: name, at: at, day: day}
	lines := []Line{}
	for _, r := range t.Rows[top+1:] {
		before := len(p.errs)
		if l := p.line(r, t.From1904); len(p.errs) == before {
			lines = append(lines, l)
		}
	}
	if len(p.errs) > 0 {
		return nil, p.errs
	}
	return lines, nil
}

// named says whether a line of CSV is the header of a statement.
func named(line string) bool {
	_, missing := header(strings.Split(strings.TrimSpace(line), ","))
	return missing == ""
}

type statementReader struct {
	name string
	at   map[string]int
	day  money.Date
	errs []error
}

const maxStatementErrors = 200

func (p *statementReader) wrong(row int, field string, err *fault.Error) {
	if len(p.errs) < maxStatementErrors {
		p.errs = append(p.errs, err.At("%s:%s", p.name, sheet.CellName(p.at[field], row)))
	}
}

func (p *statementReader) cell(r sheet.Row, field string) string {
	i, ok := p.at[field]
	if !ok || i >= len(r.Cells) {
		return ""
	}
	return strings.TrimSpace(width.Narrow.String(r.Cells[i]))
}

func (p *statementReader) line(r sheet.Row, from1904 bool) Line {
	bad := func(field string, err *fault.Error) {
		p.wrong(r.Number, field, err.With("value", short(p.cell(r, field))))
	}
	l := Line{
		Row: r.Number, OrderID: p.cell(r, "order"), Ref: p.cell(r, "ref"), Party: short(p.cell(r, "party")), Memo: short(p.cell(r, "memo")),
	}
	if at, ok := sheet.Day(p.cell(r, "date"), from1904); !ok || at.IsZero() {
		bad("date", ErrCellDate)
	} else if l.Date = money.NewDate(at.Year(), at.Month(), at.Day()); l.Date != p.day {
		p.wrong(r.Number, "date", ErrDay.With("date", l.Date).With("day", p.day))
	}
	switch strings.ToUpper(p.cell(r, "currency")) {
	case "", "CNY", "RMB", "156", "人民币", "人民币元":
	default:
		bad("currency", ErrCellCurrency)
	}
	p.amount(r, &l, bad)
	if len(l.OrderID) > 64 || len(l.Ref) > 64 {
		bad("order", ErrCellNumber)
	} else if l.OrderID == "" && l.Ref == "" {
		field := "order"
		if _, ok := p.at[field]; !ok {
			field = "ref"
		}
		bad(field, ErrCellNoNumber)
	}
	return l
}

func (p *statementReader) amount(r sheet.Row, l *Line, bad func(field string, err *fault.Error)) {
	field := "amount"
	if _, one := p.at["amount"]; one && p.cell(r, "direction") != "" {
		switch strings.ToLower(p.cell(r, "direction")) {
		case "out", "d", "debit", "借", "支", "付", "支出", "付款":
			l.Direction = Out
		case "in", "c", "credit", "贷", "收", "收入", "收款":
			l.Direction = In
		default:
			bad("direction", ErrCellDirection)
			return
		}
	} else if _, two := p.at["out"]; two {
		out, in := p.cell(r, "out"), p.cell(r, "in")
		zero := func(s string) bool { return strings.Trim(s, "0.-") == "" }
		switch {
		case zero(out) == zero(in):
			bad("out", ErrCellSides)
			return
		case zero(in):
			l.Direction, field = Out, "out"
		default:
			l.Direction, field = In, "in"
		}
	} else {
		bad("direction", ErrCellDirection)
		return
	}
	amount, err := money.ParseFen(plain(p.cell(r, field)))
	switch {
	case err != nil:
		bad(field, ErrCellAmount)
	case amount <= 0:
		bad(field, ErrCellZero)
	}
	l.Amount = amount
}

// plain takes the currency sign and well-placed separators of thousands off an amount.
func plain(s string) string {
	s = strings.TrimPrefix(strings.TrimPrefix(s, "¥"), "￥")
	groups := strings.Split(s, ",")
	for i, g := range groups {
		whole, _, _ := strings.Cut(g, ".")
		if i > 0 && len(whole) != 3 || i == 0 && len(groups) > 1 && (len(whole) == 0 || len(whole) > 3) {
			return s
		}
	}
	return strings.Join(groups, "")
}

// Header is the first row of the statements that we write, in the order of [Line.Cells].
func Header() []string {
	return []string{"date", "direction", "amount", "currency", "order_id", "ref", "party", "memo"}
}

// Cells are those of a line in a statement.
func (l Line) Cells() []string {
	return []string{l.Date.String(), string(l.Direction), fmt.Sprint(l.Amount), "CNY", l.OrderID, l.Ref, l.Party, l.Memo}
}
