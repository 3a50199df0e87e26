package rule

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/furrowcredit/furrow/chain/extract"
	"github.com/furrowcredit/furrow/money"
)

// line is a line of a text and its cells: parted by tabs, by bars, or by two spaces and
// more, as pdftotext -layout leaves them.
type line struct {
	at    span
	cells []cell
}

type cell struct {
	at   span
	text string // without white space around it
}

// lines parts a text.
func lines(text string) []line {
	var out []line
	for start := 0; start < len(text); {
		end := strings.IndexByte(text[start:], '\n')
		if end < 0 {
			end = len(text)
		} else {
			end += start
		}
		if l := (line{at: span{start, end}, cells: cells(text, start, end)}); len(l.cells) > 0 {
			out = append(out, l)
		}
		start = end + 1
	}
	return out
}

func cells(text string, start, end int) []cell {
	tabs := strings.ContainsAny(text[start:end], "\t|│｜")
	var out []cell
	add := func(from, to int) {
		t := strings.TrimSpace(text[from:to])
		if t != "" {
			from += strings.Index(text[from:to], t)
			out = append(out, cell{span{from, from + len(t)}, t})
		} else if tabs {
			out = append(out, cell{span{from, from}, ""})
		}
	}
	from := start
	for i := start; i < end; {
		r, size := utf8.DecodeRuneInString(text[i:end])
		switch {
		case tabs && (r == '\t' || r == '|' || r == '│' || r == '｜'):
			add(from, i)
			from = i + size
		case !tabs && strings.HasPrefix(text[i:end], "  "):
			add(from, i)
			for i < end && (text[i] == ' ' || text[i] == '\r') {
				i++
			}
			from = i
			continue
		}
		i += size
	}
	add(from, end)
	for len(out) > 0 && out[len(out)-1].text == "" {
		out = out[:len(out)-1]
	}
	if tabs && len(out) > 0 && allEmpty(out) {
		return nil
	}
	return out
}

func allEmpty(list []cell) bool {
	for _, c := range list {
		if c.text != "" {
			return false
		}
	}
	return true
}

// side is on which side of the reporting firm the firms of a table stand.
type side uint8

const (
	noSide side = iota
	customers
	suppliers
)

// heading is what the lines above a table said.
type heading struct {
	side side
	unit float64 // yuan
	year string
}

// header is the meaning of the columns of a table; -1 is a column it lacks.
type header struct {
	name, amount, share, goods int
	width                      int
	heading
}

// tables finds tables of main customers and suppliers.
func tables(d extract.Document, o *extract.Outcome) []extract.Fact {
	if !strings.Contains(d.Text, "客户") && !strings.Contains(d.Text, "供应商") && !strings.Contains(d.Text, "经销商") && !strings.Contains(d.Text, "供货商") {
		return nil
	}
	all := lines(d.Text)
	subject := d.Subject
	if subject == "" {
		subject = subjectOf(d.Text, all)
	}
	var (
		out  []extract.Fact
		over heading
		head *header
	)
	for _, l := range all {
		text := d.Text[l.at.start:l.at.end]
		if h := readHeader(l, over); h != nil {
			head = h
			continue
		}
		if len(l.cells) < 2 || head == nil {
			over.read(text)
			if len(l.cells) < 2 && !continues(l) {
				head = nil
			}
			continue
		}
		row, reason := head.row(l)
		if reason == "" && subject == "" {
			reason = "no_subject"
		}
		switch reason {
		case "":
		case "end":
			head, over.side = nil, noSide
			continue
		case "other":
			continue
		default:
			o.Found++
			o.Drop(reason)
			continue
		}
		f := extract.Fact{
			Head: subject, Relation: extract.Supply, Tail: row.name, Confidence: row.confidence, Extractor: Name, Version: Version,
			Qualifiers: extract.Qualifiers{Amount: row.amount, Share: row.share, Product: row.goods, Date: head.year},
		}
		if head.side == suppliers {
			f.Head, f.Tail = f.Tail, f.Head
		}
		if f.Qualifiers.Amount != 0 {
			f.Qualifiers.Currency = "CNY"
		}
		quote := strings.TrimSpace(text)
		f.Start = l.at.start + strings.Index(text, quote)
		f.End, f.Quote = f.Start+len(quote), quote
		out = append(out, f)
	}
	return out
}

// continues tells whether a line of one cell may be part of a row that a page broke.
func continues(l line) bool {
	return !strings.ContainsAny(l.cells[0].text, "。：:；") && utf8.RuneCountInString(l.cells[0].text) <= 12
}

// read takes what a line says about the table below it.
func (h *heading) read(text string) {
	c, s := strings.LastIndex(text, "客户"), strings.LastIndex(text, "供应商")
	c = max(c, strings.LastIndex(text, "经销商"))
	s = max(s, strings.LastIndex(text, "供货商"))
	switch {
	case c > s:
		h.side = customers
	case s > c:
		h.side = suppliers
	}
	if i := strings.Index(text, "单位"); i >= 0 {
		if u := unitOf(text[i:]); u != 0 {
			h.unit = u
		}
	}
	if y := yearOf(text); y != "" {
		h.year = y
	}
}

func unitOf(text string) float64 {
	for _, u := range units {
		if strings.Contains(text, u.word) && strings.HasSuffix(u.word, "元") {
			if u.word == "元" && strings.Contains(text, "万元") {
				return 1e4
			}
			return u.yuan
		}
	}
	return 0
}

func yearOf(text string) string {
	i := strings.Index(text, "年")
	if i >= 4 {
		if y, n := digits(text[i-4:], 4); n == 4 && y >= 1990 && y <= 2100 {
			return text[i-4 : i]
		}
	}
	return ""
}

// readHeader reads the header of a table: a column of names and one of amounts or shares.
func readHeader(l line, over heading) *header {
	if len(l.cells) < 2 {
		return nil
	}
	h := &header{name: -1, amount: -1, share: -1, goods: -1, width: len(l.cells), heading: over}
	for i, c := range l.cells {
		t := strings.Join(strings.Fields(c.text), "")
		switch {
		case utf8.RuneCountInString(t) > 24 || strings.ContainsFunc(t, unicode.IsDigit):
			continue
		case strings.Contains(t, "比例") || strings.Contains(t, "占比") || strings.Contains(t, "比重"):
			if h.share < 0 {
				h.share = i
			}
		case strings.Contains(t, "金额") || strings.Contains(t, "销售额") || strings.Contains(t, "采购额") || strings.Contains(t, "收入"):
			if h.amount < 0 {
				h.amount = i
				if u := unitOf(t); u != 0 {
					h.unit = u
				}
			}
		case strings.Contains(t, "内容") || strings.Contains(t, "产品") || strings.Contains(t, "品种") || strings.Contains(t, "货物"):
			h.goods = i
		case h.name >= 0 || strings.Contains(t, "序号") || strings.Contains(t, "关系"):
		case strings.Contains(t, "客户") || strings.Contains(t, "经销商") || strings.Contains(t, "购货单位"):
			h.name, h.side = i, customers
		case strings.Contains(t, "供应商") || strings.Contains(t, "供货商") || strings.Contains(t, "供货单位"):
			h.name, h.side = i, suppliers
		case strings.HasSuffix(t, "名称") || t == "单位" || t == "公司":
			h.name = i
		}
	}
	if h.name < 0 || h.side == noSide || (h.amount < 0 && h.share < 0) {
		return nil
	}
	if h.unit == 0 {
		h.unit = 1
	}
	return h
}

type tableRow struct {
	name, goods string
	amount      money.Fen
	share       float64
	confidence  float64
}

// row reads one row; reason says why it is none: "end" of the table, "other" for sums and
// the rest, or a reason that is counted.
func (h *header) row(l line) (tableRow, string) {
	r := tableRow{confidence: 0.92}
	name := h.name
	if len(l.cells) != h.width || name >= len(l.cells) {
		// Columns moved: the name is the first cell that is not a number.
		name = -1
		for i, c := range l.cells {
			if !numeric(c.text) && c.text != "" {
				name = i
				break
			}
		}
		if name < 0 {
			return r, "other"
		}
		r.confidence = 0.82
	}
	r.name = strings.Join(strings.Fields(l.cells[name].text), " ")
	for _, c := range l.cells {
		switch strings.Join(strings.Fields(c.text), "") {
		case "合计", "总计", "小计":
			return r, "end"
		}
	}
	switch {
	case r.name == "" || strings.HasPrefix(r.name, "其他") || strings.HasPrefix(r.name, "其它"):
		return r, "other"
	case anonymous(r.name):
		return r, "anonymous"
	case numeric(r.name) || utf8.RuneCountInString(r.name) > 40 || strings.ContainsAny(r.name, "。；："):
		return r, "other"
	}
	if !hasEnding(r.name) {
		r.confidence -= 0.2 // a short name, or no firm at all
	}
	for i, c := range l.cells {
		if i == name {
			continue
		}
		value, n := number(strings.TrimLeft(c.text, "¥￥ "))
		rest := strings.TrimSpace(strings.TrimLeft(c.text, "¥￥ ")[n:])
		switch {
		case n == 0:
			if i == h.goods && len(l.cells) == h.width {
				r.goods = c.text
			}
		case strings.HasPrefix(rest, "%") || strings.HasPrefix(rest, "％") || (i == h.share && len(l.cells) == h.width && rest == ""):
			if value <= 100 && r.share == 0 {
				r.share = float64(int64(value*1e6+0.5)) / 1e8
			}
		case r.amount == 0 && i > name && (i == h.amount || len(l.cells) != h.width):
			factor := h.unit
			for _, u := range units {
				if rest == u.word {
					factor = u.yuan
				}
			}
			if fen := value * factor * 100; fen < 1e17 {
				r.amount = money.Fen(fen + 0.5)
			}
		}
	}
	if r.amount == 0 && r.share == 0 {
		return r, "other"
	}
	return r, ""
}

func numeric(text string) bool {
	if text == "" {
		return false
	}
	for _, r := range text {
		if !unicode.IsDigit(r) && !strings.ContainsRune(",.%％，.-¥￥ ()（）", r) {
			return false
		}
	}
	return true
}

// anonymous tells names that hide the firm: 客户一, 供应商A, 第一名, 单位1.
func anonymous(name string) bool {
	rest := name
	for _, p := range []string{"第", "客户", "供应商", "经销商", "单位", "公司", "某"} {
		rest = strings.TrimPrefix(rest, p)
	}
	if rest == name {
		return false
	}
	rest = strings.Trim(rest, "名大客户供应商单位公司")
	return utf8.RuneCountInString(rest) <= 2
}

func hasEnding(name string) bool {
	for _, e := range endings {
		if strings.HasSuffix(name, e) {
			return true
		}
	}
	return false
}

// subjectOf finds the firm that a report is about: after 公司名称 and the like, else the
// firm that its first lines name.
func subjectOf(text string, all []line) string {
	for i, l := range all {
		if i == 40 {
			break
		}
		said := text[l.at.start:l.at.end]
		for _, key := range []string{"公司名称", "企业名称", "编制单位", "填报单位", "报告单位"} {
			if j := strings.Index(said, key); j >= 0 {
				if list := discover(said[j+len(key):]); len(list) > 0 {
					return list[0].name
				}
			}
		}
	}
	for i, l := range all {
		if i == 8 || len(l.cells) > 1 {
			break
		}
		if list := discover(text[l.at.start:l.at.end]); len(list) > 0 {
			return list[0].name
		}
	}
	return ""
}
