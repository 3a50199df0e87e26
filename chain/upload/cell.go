package upload

import (
	"math/big"
	"regexp"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

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
	errHuge        = fault.New(fault.Invalid, "cell.amount_too_large", "the amount is more than 100 billion yuan; check the unit")
	errDate        = fault.New(fault.Invalid, "cell.date", "write the date as 2026-02-28")
	errNoSuchDay   = fault.New(fault.Invalid, "cell.date_not_exist", "there is no such day: {date}")
	errOld         = fault.New(fault.Invalid, "cell.date_old", "the date is before 2000-01-01; check the year")
	errFuture      = fault.New(fault.Invalid, "cell.date_future", "the date lies in the future; check the year")
	errCode        = fault.New(fault.Invalid, "cell.uscc", "this is not a valid credit code of 18 characters; compare it with the business licence")
	errCodeDoubt   = fault.New(fault.Invalid, "cell.uscc_suspicious", "the check character of this credit code is unusual; it was taken, please verify it")
)

const (
	maxText = 200
	maxFen  = money.Fen(10_000_000_000_000) // 100 billion yuan: more is a mistake of unit
)

// text folds full-width letters and digits, trims and joins white space. It keeps
// the Chinese punctuation of names.
func text(s string) string {
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

var (
	scientific = regexp.MustCompile(`^\d(\.\d+)?[eE]\+?\d{2,3}$`)
	plain      = regexp.MustCompile(`^\d{1,20}(\.\d{1,24})?([eE][+-]?\d{1,2})?$`)
	grouped    = regexp.MustCompile(`^(\d{1,3}(,\d{3})+|\d{1,4}(,\d{4})+)(\.\d{1,6})?$`)
)

// rounded says whether a long number was cut to 15 digits by the spreadsheet.
func rounded(s string) bool { return scientific.MatchString(s) }

// parseAmount reads yuan with thousands separators, currency signs and the units
// 元 and 万元. wan says that the header gave the unit 万元.
func parseAmount(s string, wan bool) (money.Fen, error) {
	t := strings.ToUpper(strings.Join(strings.Fields(norm.NFKC.String(s)), ""))
	negative := false
	if inner, ok := strings.CutPrefix(t, "("); ok && strings.HasSuffix(inner, ")") {
		t, negative = strings.TrimSuffix(inner, ")"), true
	}
	for _, sign := range []string{"人民币", "RMB", "CNY", "¥", "￥"} {
		t = strings.TrimPrefix(t, sign)
	}
	if rest, ok := strings.CutPrefix(t, "-"); ok {
		t, negative = rest, true
	}
	t = strings.TrimPrefix(strings.TrimPrefix(t, "¥"), "+")
	t = strings.TrimSuffix(strings.TrimSuffix(t, "整"), "正")
	t = strings.TrimSuffix(strings.TrimSuffix(t, "元"), "圆")
	if rest, ok := strings.CutSuffix(t, "万"); ok {
		t, wan = rest, true
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
	unit := int64(100)
	if wan {
		unit *= 10_000
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
	if negative || fen.Sign() <= 0 {
		return 0, errNotPositive
	}
	return money.Fen(fen.Int64()), nil
}

// parseDate reads a day as sheet.Day does.
func parseDate(s string, from1904 bool, today time.Time) (string, error) {
	t := strings.TrimSpace(norm.NFKC.String(s))
	day, ok := sheet.Day(t, from1904)
	switch {
	case !ok:
		return "", errDate
	case day.IsZero():
		return "", errNoSuchDay.With("date", t)
	case day.Year() < 2000:
		return "", errOld
	case day.After(today.AddDate(0, 0, 1)): // a day of grace for clocks ahead
		return "", errFuture
	}
	return day.Format(time.DateOnly), nil
}
