package receipt

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/extract"
	"github.com/furrowcredit/furrow/chain/party"
	"github.com/furrowcredit/furrow/money"
)

// Name and Version are what the facts of this package carry.
const (
	Name    = "invoice"
	Version = "1"
)

// Invoice is what an invoice of value added tax says. A field that was not found is zero.
type Invoice struct {
	Type      chain.InvoiceType `json:"type,omitempty"`
	Code      string            `json:"code,omitempty"`
	Number    string            `json:"number,omitempty"`
	Date      string            `json:"date,omitempty"`
	Seller    string            `json:"seller,omitempty"`
	SellerTax string            `json:"seller_tax_id,omitempty"`
	Buyer     string            `json:"buyer,omitempty"`
	BuyerTax  string            `json:"buyer_tax_id,omitempty"`
	Amount    money.Fen         `json:"amount,omitempty"` // without tax
	Tax       money.Fen         `json:"tax,omitempty"`
	Total     money.Fen         `json:"total,omitempty"` // with tax
	Goods     string            `json:"goods,omitempty"`
	Red       bool              `json:"red,omitempty"` // takes another invoice back
	Check     string            `json:"check_code,omitempty"`
	// Doubts are what does not agree: total, seller_tax_id, buyer_tax_id, number.
	Doubts []string `json:"doubts,omitempty"`
}

var (
	invoiceWord = regexp.MustCompile(`发票号码|发票代码|价税合计|增值税|电子发票`)
	numberField = regexp.MustCompile(`发票号码[:\s]*(\d{8,20})`)
	bareNumber  = regexp.MustCompile(`(?:^|\s)N[oO0º°]\.?[:\s]*(\d{8})(?:\s|$)`)
	codeField   = regexp.MustCompile(`发票代码[:\s]*(\d{10,12})`)
	dayField    = regexp.MustCompile(`开票日期[:\s]*(\d{4}) ?[年\-/.] ?(\d{1,2}) ?[月\-/.] ?(\d{1,2})`)
	checkField  = regexp.MustCompile(`校\s*验\s*码[:\s]*([\d ]{20,26})`)
	smallTotal  = regexp.MustCompile(`小写[)\s]*[:\s]*[¥￥Y]?\s*(-?\d[\d,]*\.\d{2})`)
	totalField  = regexp.MustCompile(`价税合计[^\n]*?[¥￥]\s*(-?\d[\d,]*\.\d{2})`)
	sumField    = regexp.MustCompile(`合\s*计[^\n]*?[¥￥]\s*(-?\d[\d,]*\.\d{2})(?:[^\n]*?[¥￥]\s*(-?\d[\d,]*\.\d{2}|\*+))?`)
	goodsField  = regexp.MustCompile(`\*([^*\s\d]{1,12})\*([^\s*\d][^\s*]{0,20})`)
	nameField   = regexp.MustCompile(`名\s*称[:\s]+([^\n]{2,80})`)
	taxField    = regexp.MustCompile(`(?:纳税人识别号|统一社会信用代码/纳税人识别号|统一社会信用代码)[:\s/]*([0-9A-Z]{15,20})`)
	sideWord    = regexp.MustCompile(`购\s*买\s*方|购\s*方|购\s*货\s*单\s*位|销\s*售\s*方|销\s*方|销\s*货\s*单\s*位`)
)

// IsInvoice tells whether a text is likely one.
func IsInvoice(text string) bool {
	return len(invoiceWord.FindAllString(fold(text), 3)) >= 2
}

// fold brings a text to half width, so that one pattern reads both.
func fold(text string) string { return norm.NFKC.String(text) }

// ReadInvoice reads the fields of an invoice from its text.
func ReadInvoice(text string) Invoice {
	// NFKC makes a full-width sign of yuan ordinary; the money signs stay two.
	text = fold(text)
	var v Invoice
	v.Number = group(numberField, text)
	if v.Number == "" {
		v.Number = group(bareNumber, text)
	}
	v.Code = group(codeField, text)
	if m := dayField.FindStringSubmatch(text); m != nil {
		v.Date = dayOf(m[1], m[2], m[3])
	}
	v.Check = strings.ReplaceAll(group(checkField, text), " ", "")
	v.Type = typeOf(text, v.Number, v.Code)
	v.Red = strings.Contains(text, "红字") || strings.Contains(text, "销项负数")
	v.sums(text)
	v.parties(text)
	if m := goodsField.FindStringSubmatch(text); m != nil {
		v.Goods = m[2]
	}
	v.doubt()
	return v
}

func group(r *regexp.Regexp, text string) string {
	if m := r.FindStringSubmatch(text); m != nil {
		return strings.TrimSpace(m[1])
	}
	return ""
}

// typeOf tells the type by the heading; fully digital ones have 20 digits and no code.
func typeOf(text, number, code string) chain.InvoiceType {
	special := strings.Contains(text, "专用发票")
	general := strings.Contains(text, "普通发票") || strings.Contains(text, "(普通)")
	digital := len(number) == 20 || (code == "" && strings.Contains(text, "电子发票"))
	switch {
	case special && digital:
		return chain.DigitalSpecialInvoice
	case special:
		return chain.SpecialInvoice
	case general && digital:
		return chain.DigitalGeneralInvoice
	case general:
		return chain.GeneralInvoice
	}
	return ""
}

func fen(text string) money.Fen {
	f, err := money.ParseFen(strings.ReplaceAll(text, ",", ""))
	if err != nil {
		return 0
	}
	return f
}

// sums reads the amounts. Of amount, tax and total two give the third.
func (v *Invoice) sums(text string) {
	total := group(smallTotal, text)
	if total == "" {
		total = group(totalField, text)
	}
	v.Total = fen(total)
	for _, line := range strings.Split(text, "\n") {
		if strings.Contains(line, "价税合计") {
			continue
		}
		if m := sumField.FindStringSubmatch(line); m != nil {
			v.Amount, v.Tax = fen(m[1]), fen(m[2])
			break
		}
	}
	switch {
	case v.Total == 0:
		v.Total = v.Amount + v.Tax
	case v.Amount == 0 && v.Tax != 0:
		v.Amount = v.Total - v.Tax
	}
}

// parties reads buyer and seller. A name belongs to the side whose word stands before it
// on the line or above it; without such words the first name is the buyer's, as the
// form has it.
func (v *Invoice) parties(text string) {
	type found struct {
		value string
		side  byte
	}
	var names, taxes []found
	side := byte(0)
	for _, line := range strings.Split(text, "\n") {
		words := sideWord.FindAllStringIndex(line, -1)
		sideAt := func(at int) byte {
			s := side
			for _, w := range words {
				if w[0] <= at {
					s = 'B'
					if strings.HasPrefix(line[w[0]:], "销") {
						s = 'S'
					}
				}
			}
			return s
		}
		for _, part := range split(line, nameField) {
			if name := cutName(part.text); name != "" {
				names = append(names, found{name, sideAt(part.at)})
			}
		}
		for _, m := range taxField.FindAllStringSubmatchIndex(line, -1) {
			taxes = append(taxes, found{line[m[2]:m[3]], sideAt(m[0])})
		}
		side = sideAt(len(line))
		if strings.Contains(line, "合计") || strings.Contains(line, "货物或应税劳务") || strings.Contains(line, "项目名称") {
			side = 0 // the goods part the two sides
		}
	}
	pick := func(list []found) (buyer, seller string) {
		for _, f := range list {
			switch {
			case f.side == 'B' && buyer == "":
				buyer = f.value
			case f.side == 'S' && seller == "":
				seller = f.value
			}
		}
		if buyer == "" && seller == "" || len(list) == 2 && (buyer == "" || seller == "") {
			// Two columns under one heading, or no headings at all: buyer first.
			if len(list) >= 2 {
				return list[0].value, list[1].value
			}
		}
		return buyer, seller
	}
	v.Buyer, v.Seller = pick(names)
	v.BuyerTax, v.SellerTax = pick(taxes)
}

type piece struct {
	text string
	at   int
}

// split cuts a line at each 名称, so that two columns are two names.
func split(line string, field *regexp.Regexp) []piece {
	var out []piece
	for at := 0; at < len(line); {
		m := field.FindStringSubmatchIndex(line[at:])
		if m == nil {
			break
		}
		start := at + m[2]
		end := at + m[3]
		if next := nameWord.FindStringIndex(line[start:end]); next != nil {
			end = start + next[0]
		}
		out = append(out, piece{line[start:end], at + m[0]})
		at = end
	}
	return out
}

var nameWord = regexp.MustCompile(`名\s*称\s*:|[销购]\s*[售买]?\s*方?(信\s*息)?\s+名`)

func cutName(text string) string {
	text = strings.TrimSpace(text)
	if i := strings.Index(text, "  "); i >= 0 {
		text = text[:i]
	}
	for _, w := range []string{"密", "纳税人", "统一社会", "地址", "规格", "单位", "数量", "销", "购"} {
		if i := strings.Index(text, " "+w); i >= 0 {
			text = text[:i]
		}
	}
	text = strings.Trim(text, " :|")
	if n := utf8.RuneCountInString(text); n < 2 || n > 60 || strings.HasPrefix(text, "规格") {
		return ""
	}
	return text
}

// doubt lists what does not agree.
func (v *Invoice) doubt() {
	if v.Amount != 0 && v.Total != 0 && v.Amount+v.Tax != v.Total {
		v.Doubts = append(v.Doubts, "total")
	}
	for _, c := range []struct{ code, doubt string }{{v.SellerTax, "seller_tax_id"}, {v.BuyerTax, "buyer_tax_id"}} {
		if len(c.code) == 18 && party.Check(c.code).Status == party.Bad {
			v.Doubts = append(v.Doubts, c.doubt)
		}
	}
	if n := len(v.Number); n != 0 && n != 8 && n != 20 {
		v.Doubts = append(v.Doubts, "number")
	}
}

// Fact is the supply that the invoice proves; ok is false when seller, buyer or total is
// missing. It quotes the number of the invoice, or its total.
func (v Invoice) Fact(text string) (extract.Fact, bool) {
	if v.Seller == "" || v.Buyer == "" || v.Total == 0 {
		return extract.Fact{}, false
	}
	f := extract.Fact{
		Head: v.Seller, Relation: extract.Supply, Tail: v.Buyer, Confidence: 0.97, Extractor: Name, Version: Version,
		Qualifiers: extract.Qualifiers{Amount: v.Total, Currency: "CNY", Date: v.Date, Product: v.Goods, Number: v.Number},
	}
	if len(v.Doubts) > 0 {
		f.Confidence = 0.6
	}
	start, end := strings.Index(text, v.Seller), strings.Index(text, v.Buyer)
	if start < 0 || end < 0 { // the text is in full width and the names are not
		return extract.Fact{}, false
	}
	if start > end {
		start, end = end, start+len(v.Seller)
	} else {
		end += len(v.Buyer)
	}
	f.Start, f.End, f.Quote = start, end, text[start:end]
	return f, true
}
