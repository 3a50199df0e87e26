package rule

import (
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"
)

// mention is a place where a firm is named; name is the one the fact gives, which for a
// short name that the text has explained is the full one.
type mention struct {
	at   span
	name string
}

// endings of the names of firms, longer before their own endings.
var endings = []string{
	"股份有限公司", "有限责任公司", "有限公司", "集团公司", "专业合作社联合社", "专业合作社", "合作联社", "合作社", "家庭农场", "分公司", "总公司",
	"股份公司", "集团", "公司", "商行", "经营部", "批发部", "加工厂", "养殖场", "总厂",
}

// openers are words that stand before a name and are not of it.
var openers = []string{
	"以及", "并与", "并向", "分别", "根据", "按照", "由于", "通过", "其中", "此外", "同时", "近日", "日前", "今日", "昨日", "目前", "公告称", "公告", "截至",
	"全资子公司", "控股子公司", "控股股东", "子公司", "大股东", "供应商", "客户", "经销商", "买方", "卖方", "甲方", "乙方", "需方", "供方",
	"采购方", "供货方", "销售方", "购买方", "委托方", "受托方", "上市公司", "本公司", "我公司", "我司", "公司",
	"与", "和", "同", "向", "从", "由", "为", "给", "对", "被", "是", "将", "把", "及", "跟", "于", "在", "了", "的", "以", "让", "系", "其", "该", "据", "因", "自", "至", "到", "有", "并", "也", "还", "已", "又", "曾", "经",
	"拟", "未能", "尚未", "没有", "计划", "有望", "可能", "正", "正在", "或", "或将", "等",
}

// verbs end what stands before a name in a clause without a pause.
var verbs = []string{
	"签订", "签署", "牵手", "携手", "联手", "联姻", "联袂", "结盟", "增持", "入股", "并购", "订购", "选用", "终止", "否认", "拒绝", "解除", "采购", "供应", "供货", "销售", "提供", "收购", "购买", "委托", "中标", "承建", "承接", "合作", "交付", "出售", "转让", "持有", "控股", "参股", "收到", "包括", "达成",
}

// places that begin names; a name that has one inside of it begins there.
var places = []string{
	"北京", "天津", "河北", "山西", "内蒙古", "辽宁", "吉林", "黑龙江", "上海", "江苏", "浙江", "安徽", "福建", "江西", "山东", "河南", "湖北", "湖南",
	"广东", "广西", "海南", "重庆", "四川", "贵州", "云南", "西藏", "陕西", "甘肃", "青海", "宁夏", "新疆", "香港", "澳门", "台湾", "中国",
}

// known finds the given names in a text, the longest one first where they overlap.
func known(text string, names []string) []mention {
	ordered := append([]string(nil), names...)
	sort.SliceStable(ordered, func(i, j int) bool { return len(ordered[i]) > len(ordered[j]) })
	var out []mention
	for _, name := range ordered {
		if name == "" {
			continue
		}
		for from := 0; ; {
			i := strings.Index(text[from:], name)
			if i < 0 {
				break
			}
			at := span{from + i, from + i + len(name)}
			from = at.end
			if !overlaps(out, at) {
				out = append(out, mention{at, name})
			}
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].at.start < out[j].at.start })
	return out
}

func overlaps(list []mention, at span) bool {
	for _, m := range list {
		if at.start < m.at.end && m.at.start < at.end {
			return true
		}
	}
	return false
}

// discover finds names of firms by their endings, and the short names that the text
// explains: 青穗农业有限公司（以下简称“青穗农业”）.
func discover(text string) []mention {
	var out []mention
	short := map[string]string{}
	floor := 0 // a name does not reach over the one before it
	for at := 0; at < len(text); {
		end, ok := nextEnding(text, at)
		if !ok {
			break
		}
		at = end
		start := nameStart(text, floor, end)
		if start < 0 {
			continue
		}
		m := mention{span{start, end}, text[start:end]}
		out = append(out, m)
		floor = end
		if alias := explained(text[end:]); alias != "" {
			short[alias] = m.name
		}
	}
	for i, m := range out { // "青穗与临溪公司": the short name of another is not of this one
		for alias, name := range short {
			if rest := m.at.start + len(alias); name != m.name && strings.HasPrefix(m.name, alias) {
				if start := trimOpeners(text, rest, m.at.end); start > rest {
					out[i] = mention{span{start, m.at.end}, text[start:m.at.end]}
				}
			}
		}
	}
	for alias, name := range short {
		for from := 0; ; {
			i := strings.Index(text[from:], alias)
			if i < 0 {
				break
			}
			at := span{from + i, from + i + len(alias)}
			from = at.end
			if !overlaps(out, at) {
				out = append(out, mention{at, name})
			}
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].at.start < out[j].at.start })
	return out
}

// nextEnding finds where the next name from at ends.
func nextEnding(text string, at int) (end int, ok bool) {
	first := len(text)
	for _, e := range endings {
		if i := strings.Index(text[at:min(len(text), first+len(e))], e); i >= 0 && at+i < first {
			first, end, ok = at+i, at+i+len(e), true
		}
	}
	if !ok {
		return 0, false
	}
	// 集团有限公司, 集团（临溪）有限公司: the name goes on.
	rest := text[end:]
	if open, size := utf8.DecodeRuneInString(rest); open == '（' || open == '(' {
		if i := strings.IndexAny(rest, "）)"); i > 0 && i < 24 {
			_, closing := utf8.DecodeRuneInString(rest[i:])
			if beginsWith(rest[i+closing:], endings...) && !strings.Contains(rest[size:i], "称") {
				rest = rest[i+closing:]
			}
		}
	}
	for _, e := range endings {
		if after, found := strings.CutPrefix(rest, e); found {
			return len(text) - len(after), true
		}
	}
	// 有限公司临溪分公司: a place may stand before it, nothing else.
	if i := strings.Index(text[end:min(len(text), end+len("某某某某分公司"))], "分公司"); i > 0 && !strings.ContainsFunc(text[end:end+i], notHan) &&
		!containsAny(text[end:end+i], verbs) && !containsAny(text[end:end+i], openers) {
		return end + i + len("分公司"), true
	}
	return end, true
}

// nameStart finds where the name that ends at end begins; -1 when it is none.
func nameStart(text string, floor, end int) int {
	start, runes := end, 0
	for start > floor && runes < 40 {
		r, size := utf8.DecodeLastRuneInString(text[:start])
		if !nameRune(r) {
			break
		}
		start -= size
		runes++
	}
	// A bracket that was not opened inside the name is none of it.
	for {
		i := strings.IndexAny(text[start:end], "）)")
		j := strings.IndexAny(text[start:end], "（(")
		if i < 0 || (j >= 0 && j < i) {
			break
		}
		_, size := utf8.DecodeRuneInString(text[start+i:])
		start += i + size
	}
	for _, v := range verbs {
		if i := strings.LastIndex(text[start:end], v); i >= 0 && start+i+len(v)+12 <= end {
			start += i + len(v)
		}
	}
	start = trimOpeners(text, start, end)
	best := start
	for _, p := range places {
		if i := strings.LastIndex(text[best:end], p); i > 0 && !insideBrackets(text[best:end], i) && end-(best+i) > len(p)+len("有限公司") &&
			endsInOpener(text[best:best+i]) {
			best += i
		}
	}
	start = best
	name := strings.TrimLeft(text[start:end], "（()）·-&0123456789年月日第. \t")
	start = end - len(name)
	core := coreOf(name)
	if utf8.RuneCountInString(core) < 2 || pronoun(core) {
		return -1
	}
	return start
}

// coreOf is a name without its ending.
func coreOf(name string) string {
	for _, e := range endings {
		if core, ok := strings.CutSuffix(name, e); ok {
			return core
		}
	}
	return name
}

// endsInOpener tells whether what stands before a place in a name is not of the name.
func endsInOpener(before string) bool {
	for _, o := range openers {
		if strings.HasSuffix(before, o) {
			return true
		}
	}
	for _, v := range verbs {
		if strings.HasSuffix(before, v) {
			return true
		}
	}
	return false
}

func insideBrackets(text string, i int) bool {
	open := strings.LastIndexAny(text[:i], "（(")
	return open >= 0 && !strings.ContainsAny(text[open:i], "）)")
}

func trimOpeners(text string, start, end int) int {
	for again := true; again; {
		again = false
		for _, o := range openers {
			if strings.HasPrefix(text[start:end], o) && utf8.RuneCountInString(coreOf(text[start+len(o):end])) >= 2 {
				start += len(o)
				again = true
			}
		}
	}
	return start
}

func notHan(r rune) bool { return !unicode.Is(unicode.Han, r) }

func nameRune(r rune) bool {
	switch r {
	case '（', '）', '(', ')', '·', '-', '&':
		return true
	}
	return unicode.Is(unicode.Han, r) || (r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r)))
}

// pronoun tells whether what is left of a name means "this firm" and names none.
func pronoun(core string) bool {
	switch core {
	case "本", "我", "贵", "该", "上市", "有限", "股份", "责任", "两家", "多家", "这家", "一家", "标的", "目标", "控股", "全资", "合资", "关联", "上述", "其他", "各":
		return true
	}
	return strings.HasSuffix(core, "家") || strings.HasSuffix(core, "子")
}

// explained reads the short name in brackets after a name.
func explained(rest string) string {
	open, size := utf8.DecodeRuneInString(rest)
	if open != '（' && open != '(' {
		return ""
	}
	inside := rest[size:]
	if i := strings.IndexAny(inside, "）)"); i >= 0 && i < 90 {
		inside = inside[:i]
	} else {
		return ""
	}
	i := -1
	for _, w := range []string{"简称", "下称", "以下称"} {
		if j := strings.Index(inside, w); j >= 0 && j+len(w) > i {
			i = j + len(w)
		}
	}
	if i < 0 {
		return ""
	}
	alias := strings.Trim(inside[i:], "为“”\"'‘’「」『』：: ")
	if n := utf8.RuneCountInString(alias); n < 2 || n > 12 || pronoun(alias) || alias == "公司" || alias == "本公司" || strings.ContainsFunc(alias, clauseMark) {
		return ""
	}
	return alias
}
