package rule

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"

	"github.com/furrowcredit/furrow/money"
)

// amount is a sum of money with its place in the text.
type amount struct {
	fen      money.Fen
	currency string
	at       span
}

// units of yuan, longer before their endings.
var units = []struct {
	word string
	yuan float64
}{{"亿元", 1e8}, {"万元", 1e4}, {"千元", 1e3}, {"百万元", 1e6}, {"亿", 1e8}, {"万", 1e4}, {"元", 1}, {"圆", 1}}

var currencies = []struct{ word, code string }{
	{"人民币", "CNY"}, {"美元", "USD"}, {"港元", "HKD"}, {"港币", "HKD"}, {"欧元", "EUR"}, {"日元", "JPY"}, {"英镑", "GBP"},
}

// amounts finds sums of money: a number with 元, or with 万, 亿 and a currency, or after
// a sign of one. Numbers of other things (万吨) are left alone.
func amounts(text string) []amount {
	var out []amount
	for i := 0; i < len(text); {
		value, n := number(text[i:])
		if n == 0 {
			_, size := utf8.DecodeRuneInString(text[i:])
			i += size
			continue
		}
		end := i + n
		sign := strings.HasSuffix(text[:i], "¥") || strings.HasSuffix(text[:i], "￥") || strings.HasSuffix(text[:i], "人民币")
		rest := strings.TrimLeft(text[end:], " ")
		factor, unit := 1.0, ""
		for _, u := range units {
			if strings.HasPrefix(rest, u.word) {
				factor, unit = u.yuan, u.word
				rest = rest[len(u.word):]
				break
			}
		}
		currency := "CNY"
		for _, c := range currencies {
			if strings.HasPrefix(rest, c.word) {
				currency, rest = c.code, rest[len(c.word):]
				unit = "元"
				break
			}
		}
		if sign || strings.HasSuffix(unit, "元") || strings.HasSuffix(unit, "圆") {
			// Amounts beyond what all firms together turn over are no amounts.
			if fen := math.Round(value * factor * 100); fen > 0 && fen < 1e17 {
				out = append(out, amount{money.Fen(fen), currency, span{i, len(text) - len(rest)}})
			}
		}
		i = max(end, len(text)-len(rest))
	}
	return out
}

// number reads digits with separators and a point from the front of a text, in half or
// full width; n is 0 when there is none.
func number(text string) (value float64, n int) {
	var b []byte
	dot := false
	for n < len(text) && len(b) < 24 {
		r, size := utf8.DecodeRuneInString(text[n:])
		if f := width.LookupRune(r).Folded(); f != 0 {
			r = f
		}
		next, _ := utf8.DecodeRuneInString(text[n+size:])
		switch {
		case r >= '0' && r <= '9':
			b = append(b, byte(r))
		case r == ',' && len(b) > 0 && unicode.IsDigit(next):
		case r == '.' && len(b) > 0 && !dot && unicode.IsDigit(next):
			b, dot = append(b, '.'), true
		default:
			size = 0
		}
		if size == 0 {
			break
		}
		n += size
	}
	if len(b) == 0 {
		return 0, 0
	}
	value, err := strconv.ParseFloat(string(b), 64)
	if err != nil {
		return 0, 0
	}
	return value, n
}

// share finds the first percentage of a text, as a part of one; 0 when there is none.
func share(text string) float64 {
	for i := 0; i < len(text); {
		value, n := number(text[i:])
		if n == 0 {
			_, size := utf8.DecodeRuneInString(text[i:])
			i += size
			continue
		}
		rest := strings.TrimLeft(text[i+n:], " ")
		if (strings.HasPrefix(rest, "%") || strings.HasPrefix(rest, "％")) && value <= 100 {
			return math.Round(value*1e6) / 1e8
		}
		i += n
	}
	return 0
}

// day finds the first date of a text: 2026年5月31日, 2026-5-31, 2026/05/31, 2026.5.31,
// 2026年5月; "" when there is none.
func day(text string) string {
	for i := 0; i < len(text); {
		y, n := digits(text[i:], 4)
		if n == 0 {
			_, size := utf8.DecodeRuneInString(text[i:])
			i += size
			continue
		}
		rest := text[i+n:]
		i += n
		if n != 4 || y < 1990 || y > 2100 {
			continue
		}
		if d := dayAfter(y, rest); d != "" {
			return d
		}
	}
	return ""
}

func dayAfter(y int, rest string) string {
	rest = strings.TrimLeft(rest, " ")
	var mark string
	for _, m := range []string{"年", "-", "/", "."} {
		if strings.HasPrefix(rest, m) {
			mark = m
		}
	}
	if mark == "" {
		return ""
	}
	rest = strings.TrimLeft(rest[len(mark):], " ")
	m, n := digits(rest, 2)
	if n == 0 || m < 1 || m > 12 {
		return ""
	}
	rest = strings.TrimLeft(rest[n:], " ")
	after := mark
	if mark == "年" {
		after = "月"
	}
	rest, ok := strings.CutPrefix(rest, after)
	d, n := digits(strings.TrimLeft(rest, " "), 2)
	if !ok || n == 0 {
		if mark == "年" && ok {
			return fmt.Sprintf("%04d-%02d", y, m)
		}
		return ""
	}
	t := time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
	if t.Day() != d {
		return ""
	}
	return t.Format(time.DateOnly)
}

// digits reads up to most ASCII digits; n is how many there were.
func digits(text string, most int) (value, n int) {
	for n < len(text) && n < most && text[n] >= '0' && text[n] <= '9' {
		value = value*10 + int(text[n]-'0')
		n++
	}
	return value, n
}
