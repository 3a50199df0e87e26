package profile

import (
	"bytes"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/furrowcredit/furrow/money"
)

// The columns that are read.
const (
	colFirm = iota
	colNumber
	colDate
	colOther
	colAmount
	colTax
	colGross
	colStatus
	colSide
	colCode
	colCount
)

// headers are the names of the columns, without signs and case. Those of the other
// side tell by themselves who wrote the invoice.
var headers = map[string]int{
	"firm": colFirm, "企业代号": colFirm, "企业": colFirm, "企业名称": colFirm, "公司": colFirm, "firmid": colFirm,
	"invoiceno": colNumber, "发票号码": colNumber, "发票号": colNumber, "number": colNumber,
	"invoicecode": colCode, "发票代码": colCode, "code": colCode,
	"date": colDate, "开票日期": colDate, "日期": colDate, "invoicedate": colDate,
	"counterparty": colOther, "对方单位代号": colOther, "对方": colOther, "交易对手": colOther,
	"amount": colAmount, "金额": colAmount, "不含税金额": colAmount,
	"tax": colTax, "税额": colTax,
	"gross": colGross, "价税合计": colGross, "total": colGross,
	"status": colStatus, "发票状态": colStatus, "状态": colStatus,
	"side": colSide, "direction": colSide, "方向": colSide, "进销项": colSide, "进销": colSide,
}

var (
	buyers  = []string{"buyer", "购方单位代号", "购方", "购方名称", "购买方", "购买方名称"}
	sellers = []string{"seller", "销方单位代号", "销方", "销方名称", "销售方", "销售方名称"}
)

// scanner reads the rows of one file into a part.
type scanner struct {
	p     *part
	comma byte
	at    [colCount]int // place of each column, -1 for none
	need  int           // places that a row must have
	out   bool
	known bool // the side is the same for the file

	cells [][]byte
	last  []byte // firm of the row before
	rows  *[]Invoice
}

func newScanner(header, name string, p *part) (*scanner, error) {
	s := &scanner{p: p, comma: ','}
	for _, c := range []byte{'\t', ';'} {
		if strings.Count(header, string(c)) > strings.Count(header, string(s.comma)) {
			s.comma = c
		}
	}
	for i := range s.at {
		s.at[i] = -1
	}
	s.split([]byte(header))
	hasBuyer, hasSeller := -1, -1
	for i, cell := range s.cells {
		key := headerKey(string(cell))
		if c, ok := headers[key]; ok && s.at[c] < 0 {
			s.at[c] = i
		}
		for _, n := range buyers {
			if key == n {
				hasBuyer = i
			}
		}
		for _, n := range sellers {
			if key == n {
				hasSeller = i
			}
		}
	}
	s.side(name, hasBuyer, hasSeller)
	for c, what := range map[int]string{colFirm: "firm", colDate: "date", colOther: "counterparty"} {
		if s.at[c] < 0 {
			return nil, ErrHeader.With("file", name).With("column", what)
		}
	}
	if s.at[colGross] < 0 && s.at[colAmount] < 0 {
		return nil, ErrHeader.With("file", name).With("column", "amount")
	}
	if !s.known && s.at[colSide] < 0 {
		return nil, ErrSide.With("file", name)
	}
	for _, i := range s.at {
		s.need = max(s.need, i+1)
	}
	switch {
	case !s.known:
		p.file.Side = "both"
	case s.out:
		p.file.Side = "out"
	default:
		p.file.Side = "in"
	}
	return s, nil
}

// side tells who wrote the invoices of a file: its column of buyers or sellers does,
// else its name.
func (s *scanner) side(name string, buyer, seller int) {
	switch {
	case s.at[colSide] >= 0:
	case s.at[colOther] < 0 && buyer >= 0 && seller < 0:
		s.at[colOther], s.out, s.known = buyer, true, true
	case s.at[colOther] < 0 && seller >= 0 && buyer < 0:
		s.at[colOther], s.known = seller, true
	default:
		words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return r < 'a' || r > 'z' })
		out, in := strings.Contains(name, "销项"), strings.Contains(name, "进项")
		for _, w := range words {
			out, in = out || w == "out" || w == "sales", in || w == "in" || w == "purchases"
		}
		s.out, s.known = out, out != in
	}
}

func headerKey(s string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" _-*()（）/\t\u3000", r) {
			return -1
		}
		return r
	}, strings.ToLower(norm.NFKC.String(s)))
}

// split parts a row into cells; cells in quotes are rare and taken out of them.
func (s *scanner) split(line []byte) {
	s.cells = s.cells[:0]
	if bytes.IndexByte(line, '"') >= 0 {
		s.splitQuoted(line)
		return
	}
	for {
		i := bytes.IndexByte(line, s.comma)
		if i < 0 {
			s.cells = append(s.cells, line)
			return
		}
		s.cells = append(s.cells, line[:i])
		line = line[i+1:]
	}
}

func (s *scanner) splitQuoted(line []byte) {
	var cell []byte
	quoted := false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case quoted && c == '"' && i+1 < len(line) && line[i+1] == '"':
			cell = append(cell, '"')
			i++
		case c == '"':
			quoted = !quoted
		case c == s.comma && !quoted:
			s.cells = append(s.cells, cell)
			cell = nil
		default:
			cell = append(cell, c)
		}
	}
	s.cells = append(s.cells, cell)
}

// row takes one row into the book, or counts why not.
func (s *scanner) row(line []byte, n int) {
	s.split(line)
	if len(s.cells) == 1 && len(bytes.TrimSpace(line)) == 0 {
		return
	}
	f := &s.p.file
	f.In++
	firm, inv, why := s.read()
	if why != "" {
		r := f.Refused[why]
		if r.Rows++; r.Rows == 1 {
			r.Line = n
		}
		f.Refused[why] = r
		return
	}
	f.Out++
	if s.rows == nil || !bytes.Equal(firm, s.last) {
		s.last = append(s.last[:0], firm...)
		if s.rows = s.p.firms[string(firm)]; s.rows == nil {
			s.rows = new([]Invoice)
			s.p.firms[string(firm)] = s.rows
		}
	}
	*s.rows = append(*s.rows, inv)
}

func (s *scanner) read() (firm []byte, inv Invoice, why string) {
	if len(s.cells) < s.need {
		return nil, inv, "columns"
	}
	cell := func(c int) []byte {
		if s.at[c] < 0 {
			return nil
		}
		return bytes.TrimSpace(s.cells[s.at[c]])
	}
	if firm = cell(colFirm); len(firm) == 0 {
		return nil, inv, "firm"
	}
	other := cell(colOther)
	if len(other) == 0 {
		return nil, inv, "counterparty"
	}
	var ok bool
	if inv.Day, ok = parseDay(cell(colDate)); !ok {
		return nil, inv, "date"
	}
	if inv.Amount, ok = s.amount(&inv, cell); !ok {
		return nil, inv, "amount"
	}
	if inv.Void, ok = parseVoid(cell(colStatus)); !ok {
		return nil, inv, "status"
	}
	if inv.Out = s.out; !s.known {
		if inv.Out, ok = parseSide(cell(colSide)); !ok {
			return nil, inv, "status"
		}
	}
	inv.Other = hash(offset, other)
	inv.ID = inv.Other
	if no := cell(colNumber); len(no) > 0 {
		inv.ID = hash(hash(inv.ID, cell(colCode)), no)
		inv.ID = mix(mix(inv.ID, uint64(inv.Amount)), uint64(b2i(inv.Void))) //nolint:gosec // bits of a hash
	} else { // nothing tells two such rows apart but where they stand
		inv.ID = mix(mix(inv.ID, uint64(s.p.file.In)), hash(offset, []byte(s.p.file.File))) //nolint:gosec // as above
	}
	return firm, inv, ""
}

// amount is the gross, or the net and the tax.
func (s *scanner) amount(inv *Invoice, cell func(int) []byte) (money.Fen, bool) {
	if c := cell(colTax); len(c) > 0 {
		tax, ok := parseFen(c)
		if !ok {
			return 0, false
		}
		inv.Tax = tax
	}
	if c := cell(colGross); len(c) > 0 {
		return parseFen(c)
	}
	net, ok := parseFen(cell(colAmount))
	return net + inv.Tax, ok
}

// FNV-1a, 64 bits: two of a million counterparties fall together once in 40 million files.
const (
	offset uint64 = 14695981039346656037
	prime  uint64 = 1099511628211
)

func hash(h uint64, b []byte) uint64 {
	for _, c := range b {
		h = (h ^ uint64(c)) * prime
	}
	return (h ^ 0xff) * prime
}

func mix(h, v uint64) uint64 {
	for range 8 {
		h = (h ^ v&0xff) * prime
		v >>= 8
	}
	return h
}

// maxFen bounds an invoice at 10 billion yuan: beyond is a slip of the pen.
const maxFen = 1_000_000_000_000

// parseFen reads "-1,234.5", rounded half to even where there is more than a fen.
func parseFen(b []byte) (money.Fen, bool) {
	i, negative := 0, false
	for i < len(b) && (b[i] == '-' || b[i] == '+' || b[i] == 0xc2 && i+1 < len(b) && b[i+1] == 0xa5) {
		switch b[i] {
		case 0xc2: // ¥
			i++
		case '-':
			negative = true
		}
		i++
	}
	var v int64
	digits, places := 0, -1 // places after the point
	over, half, rest := false, false, false
	for ; i < len(b); i++ {
		c := b[i]
		switch {
		case c >= '0' && c <= '9':
			digits++
			switch {
			case places == 2 && !over:
				over = true
				half, rest = c >= '5', c != '5' && c > '5'
			case over:
				rest = rest || half && c != '0'
			default:
				if v = v*10 + int64(c-'0'); places >= 0 {
					places++
				}
				if v > maxFen*100 {
					return 0, false
				}
			}
		case c == '.' && places < 0:
			places = 0
		case c == ',' && places < 0 && digits > 0:
		default:
			return 0, false
		}
	}
	if digits == 0 {
		return 0, false
	}
	for p := max(places, 0); p < 2; p++ {
		v *= 10
	}
	if half && (rest || v%2 == 1) {
		v++
	}
	if v > maxFen {
		return 0, false
	}
	if negative {
		v = -v
	}
	return money.Fen(v), true
}

// parseDay reads "2017-07-18", "2017/7/18", "2017.7.18", "2017年7月18日", each with or
// without a time behind a space or T, and "20170718".
func parseDay(b []byte) (money.Date, bool) {
	if i := bytes.IndexAny(b, " T"); i >= 8 {
		b = b[:i]
	}
	var part [3]int
	n, digits := 0, 0
	if len(b) == 8 && bytes.IndexFunc(b, func(r rune) bool { return r < '0' || r > '9' }) < 0 {
		for i, c := range b {
			k := max(0, i/2-1)
			part[k] = part[k]*10 + int(c-'0')
		}
		return makeDay(part)
	}
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case c >= '0' && c <= '9':
			if digits++; digits > 4 {
				return 0, false
			}
			part[n] = part[n]*10 + int(c-'0')
		case c == '-', c == '/', c == '.':
			n, digits = n+1, 0
		case bytes.HasPrefix(b[i:], []byte("年")), bytes.HasPrefix(b[i:], []byte("月")):
			n, digits = n+1, 0
			i += 2
		case bytes.Equal(b[i:], []byte("日")) && n == 2:
			return makeDay(part)
		default:
			return 0, false
		}
		if n > 2 {
			return 0, false
		}
	}
	if n != 2 {
		return 0, false
	}
	return makeDay(part)
}

func makeDay(part [3]int) (money.Date, bool) {
	y, m, d := part[0], part[1], part[2]
	if y < 1990 || y > 2200 || m < 1 || m > 12 || d < 1 || d > 31 || d > 28 && d > daysIn(y, m) {
		return 0, false
	}
	// Days since 1970-01-01 of the proleptic Gregorian calendar, counting years from March.
	if m <= 2 {
		y--
		m += 12
	}
	return money.Date(365*y + y/4 - y/100 + y/400 + (153*(m-3)+2)/5 + d - 1 - 719468), true //nolint:gosec // a few thousand years
}

func daysIn(y, m int) int { return time.Date(y, time.Month(m+1), 0, 0, 0, 0, 0, time.UTC).Day() }

// parseVoid reads the status of an invoice; without one it is valid.
func parseVoid(b []byte) (void, ok bool) {
	switch strings.ToLower(string(b)) {
	case "", "valid", "有效发票", "有效", "正常", "红冲", "负数发票", "已开具":
		return false, true
	case "void", "作废发票", "作废", "已作废", "cancelled":
		return true, true
	default:
		return false, false
	}
}

func parseSide(b []byte) (out, ok bool) {
	switch strings.ToLower(string(b)) {
	case "out", "销项", "销", "sales", "output":
		return true, true
	case "in", "进项", "进", "purchases", "input":
		return false, true
	default:
		return false, false
	}
}
