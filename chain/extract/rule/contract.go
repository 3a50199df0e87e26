package rule

import (
	"strings"
	"unicode/utf8"

	"github.com/furrowcredit/furrow/chain/extract"
)

// role is the part a party of a contract plays.
type role uint8

const (
	noRole role = iota
	buyer
	seller
)

// partyLabel is a word before the name of a party.
type partyLabel struct {
	word  string
	party byte // 'A' or 'B' of 甲方 and 乙方, 0 of the others
	role  role
}

// partyLabels, longer before what they end with.
var partyLabels = []partyLabel{
	{"甲方", 'A', noRole}, {"乙方", 'B', noRole},
	{"买受人", 0, buyer}, {"购买方", 0, buyer}, {"购货方", 0, buyer}, {"采购方", 0, buyer}, {"订货方", 0, buyer}, {"定作方", 0, buyer},
	{"定作人", 0, buyer}, {"委托方", 0, buyer}, {"委托人", 0, buyer}, {"发包方", 0, buyer}, {"发包人", 0, buyer}, {"收货方", 0, buyer}, {"承租方", 0, buyer},
	{"买方", 0, buyer}, {"需方", 0, buyer}, {"购方", 0, buyer},
	{"出卖人", 0, seller}, {"销售方", 0, seller}, {"销货方", 0, seller}, {"供货方", 0, seller}, {"供应方", 0, seller}, {"承揽方", 0, seller},
	{"承揽人", 0, seller}, {"受托方", 0, seller}, {"受托人", 0, seller}, {"承包方", 0, seller}, {"承包人", 0, seller}, {"出租方", 0, seller},
	{"卖方", 0, seller}, {"供方", 0, seller}, {"销方", 0, seller},
}

// signer is one party of a contract as its text names it.
type signer struct {
	name  string
	party byte
	role  role
	at    span // label and name
}

// contract finds the two parties of a contract, who of them sells, and its terms.
func contract(d extract.Document, o *extract.Outcome) []extract.Fact {
	signers := signersOf(d)
	if len(signers) < 2 {
		return nil
	}
	a, b := signers[0], signers[1]
	f := extract.Fact{Extractor: Name, Version: Version, Confidence: 0.95, Relation: extract.Supply}
	if a.role == noRole && b.role != noRole {
		a.role = buyer + seller - b.role
	} else if b.role == noRole && a.role != noRole {
		b.role = buyer + seller - a.role
	}
	title := titleOf(d.Text)
	if a.role == noRole {
		a.role, f.Confidence = roleOf(d.Text, title, a.party)
	}
	switch {
	case a.role == b.role && a.role != noRole: // two buyers are no trade between them
		o.Found++
		o.Drop("same_role")
		return nil
	case a.role == noRole:
		f.Relation, f.Head, f.Tail, f.Confidence = extract.Contract, a.name, b.name, 0.85
	case a.role == seller:
		f.Head, f.Tail = a.name, b.name
	default:
		f.Head, f.Tail = b.name, a.name
	}
	for _, w := range []string{"终止协议", "解除协议", "终止合同", "解除合同", "作废"} {
		if strings.Contains(title, w) {
			o.Found++
			o.Drop("negated")
			return nil
		}
	}
	for _, w := range []string{"意向", "草案", "草稿", "模板", "范本", "拟"} {
		if strings.Contains(title, w) {
			f.Planned = true
			f.Confidence *= plannedFactor
			break
		}
	}
	f.Qualifiers = terms(d.Text)
	quote := span{min(a.at.start, b.at.start), max(a.at.end, b.at.end)}
	if quote.end-quote.start > 3000 { // far apart, as in tables of signatures
		quote = b.at
	}
	f.Start, f.End, f.Quote = quote.start, quote.end, d.Text[quote.start:quote.end]
	return []extract.Fact{f}
}

// signersOf finds the first name of each party, at most two.
func signersOf(d extract.Document) []signer {
	var out []signer
	text := d.Text
	for i := 0; i < len(text); {
		l, n := labelAt(text, i)
		if n == 0 {
			_, size := utf8.DecodeRuneInString(text[i:])
			i += size
			continue
		}
		s := signer{party: l.party, role: l.role, at: span{start: i}}
		at := i + n
		i = at
		rest := text[at:]
		if open, size := utf8.DecodeRuneInString(strings.TrimLeft(rest, " ")); strings.ContainsRune("（(〈<【[", open) {
			size += len(rest) - len(strings.TrimLeft(rest, " "))
			end := strings.IndexAny(rest, "）)〉>】]")
			if end < 0 || end > 60 {
				continue
			}
			for _, other := range partyLabels {
				if other.role != noRole && strings.Contains(rest[size:end], other.word) {
					s.role = other.role
					break
				}
			}
			_, closing := utf8.DecodeRuneInString(rest[end:])
			at += end + closing
			rest = text[at:]
		}
		trimmed := strings.TrimLeft(rest, " \t　")
		if r, size := utf8.DecodeRuneInString(trimmed); r == ':' || r == '：' {
			trimmed = strings.TrimLeft(trimmed[size:], " \t　_")
		} else if !strings.HasPrefix(rest, "\t") {
			continue // "甲方应当": not a heading
		}
		at = len(text) - len(trimmed)
		name := firmHere(d, trimmed)
		if name == "" {
			continue
		}
		s.name, s.at.end = name, at+len(name)
		i = s.at.end
		if !seen(out, s) {
			if out = append(out, s); len(out) == 2 {
				return out
			}
		}
	}
	return out
}

func labelAt(text string, i int) (partyLabel, int) {
	for _, l := range partyLabels {
		if strings.HasPrefix(text[i:], l.word) {
			return l, len(l.word)
		}
	}
	return partyLabel{}, 0
}

func seen(list []signer, s signer) bool {
	for _, other := range list {
		if other.name == s.name || (s.party != 0 && other.party == s.party) || (s.party == 0 && other.party == 0 && s.role == other.role) {
			return true
		}
	}
	return false
}

// firmHere reads the name at the beginning of a text: one of the known names, or what
// stands before the end of the line, a bracket that explains it, or the next column.
func firmHere(d extract.Document, text string) string {
	for _, name := range d.Names {
		if name != "" && strings.HasPrefix(text, name) {
			return name
		}
	}
	if len(d.Names) > 0 {
		return ""
	}
	end := strings.IndexAny(text, "\n\r\t，,。；;")
	if end < 0 {
		end = len(text)
	}
	name := text[:end]
	if i := strings.Index(name, "  "); i >= 0 {
		name = name[:i]
	}
	for _, w := range []string{"（以下", "(以下", "（下称", "(下称", "（简称", "(简称", "（盖章", "(盖章", "（公章", "(公章", "（签章", "(签章", "地址", "法定代表人", "统一社会信用代码", "乙方", "甲方"} {
		if i := strings.Index(name, w); i >= 0 {
			name = name[:i]
		}
	}
	name = strings.TrimSpace(strings.Trim(name, "_＿ 　"))
	if n := utf8.RuneCountInString(name); n < 4 || n > 40 || strings.Contains(name, "__") {
		return ""
	}
	return name
}

// titleOf is the first lines of a contract.
func titleOf(text string) string {
	n, end := 0, 0
	for end < len(text) && n < 3 {
		i := strings.IndexByte(text[end:], '\n')
		if i < 0 {
			end = len(text)
			break
		}
		if strings.TrimSpace(text[end:end+i]) != "" {
			n++
		}
		end += i + 1
	}
	return text[:min(end, 400)]
}

// roleOf finds out whether party A buys or sells from what the text says the parties do,
// else from the title of the contract.
func roleOf(text, title string, party byte) (role, float64) {
	if party == 0 {
		return noRole, 0
	}
	buys := []string{"向乙方采购", "向乙方购买", "向乙方订购", "委托乙方", "购买乙方", "采购乙方", "从乙方采购", "从乙方购买"}
	sells := []string{"向乙方供应", "向乙方销售", "向乙方供货", "向乙方出售", "向乙方提供", "向乙方交付", "卖给乙方", "销售给乙方", "供应给乙方"}
	swap := strings.NewReplacer("乙方", "甲方")
	verdict := noRole
	judge := func(r role) bool {
		if verdict != noRole && verdict != r {
			verdict = noRole
			return false // it says both: a frame contract both ways
		}
		verdict = r
		return true
	}
	for _, s := range sentences(text) {
		said := text[s.start:s.end]
		var r role
		switch {
		case containsAny(said, buys) || containsAny(said, replaceAll(swap, sells)):
			r = buyer
		case containsAny(said, sells) || containsAny(said, replaceAll(swap, buys)):
			r = seller
		default:
			continue
		}
		if !judge(r) {
			return noRole, 0
		}
	}
	if verdict != noRole {
		if party == 'B' {
			verdict = buyer + seller - verdict
		}
		return verdict, 0.85
	}
	// A bank would not lend on this: usage differs, so a person has to look.
	switch {
	case strings.Contains(title, "采购合同") || strings.Contains(title, "采购协议") || strings.Contains(title, "订货合同"):
		verdict = buyer
	case strings.Contains(title, "销售合同") || strings.Contains(title, "销售协议"):
		verdict = seller
	default:
		return noRole, 0
	}
	if party == 'B' {
		verdict = buyer + seller - verdict
	}
	return verdict, 0.6
}

func containsAny(text string, words []string) bool {
	for _, w := range words {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}

func replaceAll(r *strings.Replacer, words []string) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = r.Replace(w)
	}
	return out
}

// terms reads what a contract says after the usual words.
func terms(text string) extract.Qualifiers {
	var q extract.Qualifiers
	for _, key := range []string{"合同总金额", "合同总价", "合同金额", "合同价款", "总价款", "总金额", "价税合计", "合计金额", "货款总额", "合同价", "总价", "合计", "总计"} {
		for at := 0; q.Amount == 0; {
			i := strings.Index(text[at:], key)
			if i < 0 {
				break
			}
			at += i + len(key)
			said := upTo(text[at:], 90, "。\n")
			if list := amounts(said); len(list) > 0 {
				q.Amount, q.Currency = list[0].fen, list[0].currency
			}
		}
	}
	q.Number = value(text, "合同编号", "协议编号", "合同号", "编号")
	q.Product = value(text, "货物名称", "产品名称", "商品名称", "标的物", "品名", "标的")
	q.Term = value(text, "合同期限", "合同有效期", "有效期", "履行期限", "合作期限", "交货期限", "交货时间", "期限")
	for _, key := range []string{"签订日期", "签订时间", "签约日期", "签署日期", "签约时间", "签订于"} {
		if i := strings.Index(text, key); i >= 0 && q.Date == "" {
			q.Date = day(upTo(text[i+len(key):], 60, "\n"))
		}
	}
	if q.Date == "" { // the date beside the signatures is the last one
		all := lines(text)
		for i := len(all) - 1; i >= 0 && i >= len(all)-8 && q.Date == ""; i-- {
			q.Date = day(text[all[i].at.start:all[i].at.end])
		}
	}
	return q
}

// value is what stands after one of the keys and a colon, on the same line.
func value(text string, keys ...string) string {
	for _, key := range keys {
		for at := 0; ; {
			i := strings.Index(text[at:], key)
			if i < 0 {
				break
			}
			at += i + len(key)
			rest := strings.TrimLeft(text[at:], " 　")
			r, size := utf8.DecodeRuneInString(rest)
			if r != ':' && r != '：' && r != '\t' {
				continue
			}
			said := upTo(strings.TrimLeft(rest[size:], " 　\t"), 120, "\n\t，。；;")
			if j := strings.Index(said, "  "); j >= 0 {
				said = said[:j]
			}
			if said = strings.Trim(said, " 　_"); said != "" {
				return said
			}
		}
	}
	return ""
}

// upTo cuts a text at the first of the marks, or after about n bytes at a whole rune.
func upTo(text string, n int, marks string) string {
	if i := strings.IndexAny(text, marks); i >= 0 {
		text = text[:i]
	}
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}
