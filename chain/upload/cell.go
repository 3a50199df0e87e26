package upload

import (
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/sheet"
)

// What can be wrong in a cell.
var (
	errRequired    = fault.New(fault.Invalid, "cell.required", "fill in this cell")
	errTooLong     = fault.New(fault.Invalid, "cell.too_long", "shorten the text to {max} characters")
	errExcel       = fault.New(fault.Invalid, "cell.excel_error", "the cell holds the spreadsheet error {value}; mend its formula")
	errRounded     = fault.New(fault.Invalid, "cell.rounded", "the spreadsheet turned this into a rounded number; format the column as text and type it again")
	errAmount      = fault.New(fault.Invalid, "cell.amount", "write an amount such as 1234.56 or 1,234.56")
	errDecimals    = fault.New(fault.Invalid, "cell.amount_decimals", "an amount has at most two decimals of a yuan")
	errNotPositive = fault.New(fault.Invalid, "cell.amount_not_positive", "the amount must be more than zero; leave out reversals")
	errZero        = fault.New(fault.Invalid, "cell.amount_zero", "the amount must not be zero; write what is taken back with a minus")
	errHuge        = fault.New(fault.Invalid, "cell.amount_too_large", "the amount is more than 100 billion yuan; check the unit")
	errQuantity    = fault.New(fault.Invalid, "cell.quantity", "write a quantity such as 12.5; its unit goes into a column of its own")
	errDate        = fault.New(fault.Invalid, "cell.date", "write the date as 2026-02-28")
	errNoSuchDay   = fault.New(fault.Invalid, "cell.date_not_exist", "there is no such day: {date}")
	errOld         = fault.New(fault.Invalid, "cell.date_old", "the date is before {first}; check the year")
	errFuture      = fault.New(fault.Invalid, "cell.date_future", "the date lies in the future; check the year")
	errCode        = fault.New(fault.Invalid, "cell.uscc", "this is not a valid credit code of 18 characters; compare it with the business licence")
	errCodeDoubt   = fault.New(fault.Invalid, "cell.uscc_suspicious", "the check character of this credit code is unusual; it was taken, please verify it")
	errIndustry    = fault.New(fault.Invalid, "cell.industry_code", "write an industry code of GB/T 4754 such as A0111 or 1310")
	errRole        = fault.New(fault.Invalid, "cell.role", "write 供应商 (supplier) or 经销商 (dealer)")
	errType        = fault.New(fault.Invalid, "cell.invoice_type", "write the type as 专票, 普票, 数电专票 or 数电普票")
	errStatus      = fault.New(fault.Invalid, "cell.invoice_status", "write the state of the invoice as 正常 (valid), 红冲 (taken back) or 作废 (void)")
	errDigital     = fault.New(fault.Invalid, "cell.invoice_digital", "a fully digital invoice has a number of 20 digits and no code; it was taken, please verify it")
)

const (
	maxText = 200
	maxFen  = money.Fen(10_000_000_000_000) // 100 billion yuan: more is a mistake of unit
)

// text folds full-width letters and digits, trims and joins white space. It keeps
// the Chinese punctuation of names.
func text(s string) string {
	if tidy(s) {
		return s
	}
	return strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		switch {
		case r >= '０' && r <= '９', r >= 'Ａ' && r <= 'Ｚ', r >= 'ａ' && r <= 'ｚ':
			return r - 0xFEE0
		case r == '\ufeff', r == '\u200b', r == '\u200c', r == '\u200d', r == 0:
			return -1
		}
		return r
	}, s)), " ")
}

// tidy says that text would not change s: no white space, nothing of full width, no
// invisible mark. The bytes that lead such characters are few.
func tidy(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c <= ' ', c == 0xc2, c == 0xe1, c == 0xe2, c == 0xe3, c == 0xef, c == 0x7f:
			return false
		}
	}
	return utf8.ValidString(s)
}

var (
	scientific = regexp.MustCompile(`^\d(\.\d+)?[eE]\+?\d{2,3}$`)
	plain      = regexp.MustCompile(`^\d{1,20}(\.\d{1,24})?([eE][+-]?\d{1,2})?$`)
	grouped    = regexp.MustCompile(`^(\d{1,3}(,\d{3})+|\d{1,4}(,\d{4})+)(\.\d{1,6})?$`)
	industry   = regexp.MustCompile(`^([A-T]\d{0,4}|\d{2,4})$`)
)

// rounded says whether a long number was cut to 15 digits by the spreadsheet.
func rounded(s string) bool {
	return len(s) >= 4 && strings.ContainsAny(s, "eE") && scientific.MatchString(s)
}

// units of amounts, in fen. The longer ones stand before their ends.
var units = []struct {
	word string
	fen  int64
}{{"百万", 100_000_000}, {"千万", 1_000_000_000}, {"亿", 10_000_000_000}, {"万", 1_000_000}, {"千", 100_000}}

// parseAmount reads an amount that is more than zero.
func parseAmount(s string, unit int64) (money.Fen, error) {
	v, err := parseMoney(s, unit)
	if err == nil && v <= 0 {
		return 0, errNotPositive
	}
	return v, err
}

// parseMoney reads yuan with thousands separators, currency signs and units such as 元
// and 万元, minus in front or brackets around. unit is what the header counts in, in fen;
// a unit in the cell goes before it.
func parseMoney(s string, unit int64) (money.Fen, error) {
	if v, ok := digitsOnly(s); ok && unit == 100 {
		return v, nil
	}
	t := strings.ToUpper(strings.Join(strings.Fields(norm.NFKC.String(s)), ""))
	negative := false
	if inner, ok := strings.CutPrefix(t, "("); ok && strings.HasSuffix(inner, ")") {
		t, negative = strings.TrimSuffix(inner, ")"), true
	}
	signed := func() {
		for _, minus := range []string{"-", "−", "﹣"} {
			if rest, ok := strings.CutPrefix(t, minus); ok && !negative {
				t, negative = rest, true
			}
		}
	}
	signed()
	for _, sign := range []string{"人民币", "RMB", "CNY", "¥", "￥"} {
		t = strings.TrimPrefix(t, sign)
	}
	signed()
	t = strings.TrimPrefix(strings.TrimPrefix(t, "¥"), "+")
	t = strings.TrimSuffix(strings.TrimSuffix(t, "整"), "正")
	if yuan := strings.TrimSuffix(strings.TrimSuffix(t, "元"), "圆"); yuan != t {
		t, unit = yuan, 100
	}
	for _, u := range units {
		if rest, ok := strings.CutSuffix(t, u.word); ok {
			t, unit = rest, u.fen
			break
		}
	}
	if grouped.MatchString(t) {
		t = strings.ReplaceAll(t, ",", "")
	}
	if !plain.MatchString(t) {
		return 0, errAmount
	}
	v, ok := new(big.Rat).SetString(t)
	if !ok {
		return 0, errAmount
	}
	v.Mul(v, new(big.Rat).SetInt64(unit))
	if v.Cmp(new(big.Rat).SetInt64(int64(maxFen))) > 0 {
		return 0, errHuge
	}
	fen := new(big.Int).Quo(new(big.Int).Add(new(big.Int).Lsh(v.Num(), 1), v.Denom()), new(big.Int).Lsh(v.Denom(), 1))
	off := new(big.Rat).Sub(v, new(big.Rat).SetInt(fen))
	// A spreadsheet stores 1234.56 as 1234.5599999999999: noise far below a fen.
	if off.Abs(off).Cmp(big.NewRat(1, 10_000)) > 0 {
		return 0, errDecimals
	}
	if negative {
		return -money.Fen(fen.Int64()), nil
	}
	return money.Fen(fen.Int64()), nil
}

// digitsOnly reads what most amounts are: at most twelve digits, perhaps with commas
// between thousands, and at most two decimals.
func digitsOnly(s string) (money.Fen, bool) {
	whole, cents, dot := strings.Cut(s, ".")
	if len(s) == 0 || len(whole) == 0 || len(whole) > 15 || len(cents) > 2 || dot && cents == "" {
		return 0, false
	}
	n, digits, commas := int64(0), 0, 0
	for i := range len(whole) {
		switch c := whole[i]; {
		case c >= '0' && c <= '9':
			n = 10*n + int64(c-'0')
			digits++
		case c == ',' && i > 0 && (len(whole)-i)%4 == 0:
			commas++
		default:
			return 0, false
		}
	}
	if digits > 10 || commas > 0 && commas != (len(whole)-1)/4 {
		return 0, false
	}
	n *= 100
	for i := range len(cents) {
		c := cents[i]
		if c < '0' || c > '9' {
			return 0, false
		}
		if i == 0 {
			n += 10 * int64(c-'0')
		} else {
			n += int64(c - '0')
		}
	}
	return money.Fen(n), true
}

// parseQuantity reads a number with thousands separators.
func parseQuantity(s string) (float64, error) {
	t := strings.Join(strings.Fields(norm.NFKC.String(s)), "")
	negative := false
	if rest, ok := strings.CutPrefix(t, "-"); ok {
		t, negative = rest, true
	}
	if grouped.MatchString(t) {
		t = strings.ReplaceAll(t, ",", "")
	}
	if !plain.MatchString(t) {
		return 0, errQuantity
	}
	v, err := strconv.ParseFloat(t, 64)
	if err != nil || v > 1e15 {
		return 0, errQuantity
	}
	if negative {
		v = -v
	}
	return v, nil
}

// parseDate reads a day as sheet.Day does.
func parseDate(s string, from1904 bool, today time.Time) (string, error) {
	return parseDay(s, from1904, "2000-01-01", today.AddDate(0, 0, 1).Format(time.DateOnly)) // a day of grace for clocks ahead
}

// parseDay reads a day between two others, both included.
func parseDay(s string, from1904 bool, first, last string) (string, error) {
	t := strings.TrimSpace(norm.NFKC.String(s))
	day, ok := sheet.Day(t, from1904)
	switch {
	case !ok:
		return "", errDate
	case day.IsZero():
		return "", errNoSuchDay.With("date", t)
	}
	out := t
	if len(t) != 10 || t[4] != '-' || t[7] != '-' {
		out = day.Format(time.DateOnly)
	}
	switch {
	case out < first:
		return "", errOld.With("first", first)
	case out > last:
		return "", errFuture
	}
	return out, nil
}

// parseRole tells whether a party is a dealer: it buys from the anchor.
func parseRole(s string) (dealer bool, err error) {
	switch strings.ToLower(s) {
	case "供应商", "供货商", "供方", "上游", "supplier", "vendor":
		return false, nil
	case "经销商", "分销商", "代理商", "客户", "采购商", "下游", "dealer", "distributor", "customer":
		return true, nil
	}
	return false, errRole
}

// parseType reads what the tax bureau, accounting programs and people call the types of
// invoices.
func parseType(s string) (chain.InvoiceType, error) {
	t := strings.ToLower(norm.NFKC.String(s))
	digital := strings.Contains(t, "数电") || strings.Contains(t, "全电") || strings.Contains(t, "数字化") || strings.Contains(t, "电子发票(") || strings.HasPrefix(t, "digital")
	switch {
	case strings.Contains(t, "专") || strings.Contains(t, "special"):
		if digital {
			return chain.DigitalSpecialInvoice, nil
		}
		return chain.SpecialInvoice, nil
	case strings.Contains(t, "普") || strings.Contains(t, "general") || strings.Contains(t, "卷"):
		if digital {
			return chain.DigitalGeneralInvoice, nil
		}
		return chain.GeneralInvoice, nil
	}
	return "", errType
}

// parseStatus says whether an invoice was cancelled. One that was taken back counts, and
// so does the red-letter invoice that takes it back.
func parseStatus(s string) (void bool, err error) {
	switch t := strings.ToLower(s); {
	case strings.Contains(t, "作废"), strings.Contains(t, "失效"), t == "void", t == "cancelled", t == "canceled":
		return true, nil
	case strings.Contains(t, "正常"), strings.Contains(t, "红"), strings.Contains(t, "有效"), strings.Contains(t, "蓝"), t == "normal", t == "valid", t == "ok":
		return false, nil
	}
	return false, errStatus
}

// parseNames takes a list of names apart.
func parseNames(s string) []string {
	var out []string
	for _, name := range strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(";；、,，/|\n", r) }) {
		if name = strings.TrimSpace(name); name != "" {
			out = append(out, name)
		}
	}
	return out
}
