package party

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Normalise makes the key by which names are compared and searched: half width,
// lower case, without white space, brackets and the dots that typists add or
// leave out. Two spellings of one name get one key; two names keep two.
func Normalise(name string) string {
	s := strings.ToLower(strip(norm.NFKC.String(name)))
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("()[]{}<>〔〕【】「」『』〈〉《》“”\"'‘’·・•.,、。,", r) {
			return -1
		}
		return r
	}, s)
}

// strip takes out white space, control and invisible format characters.
func strip(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, s)
}

// Name is a firm's name in the four slots of Chinese naming rules.
type Name struct {
	Region string `json:"region"` // 行政区划: "山东省寿光市"
	Core   string `json:"core"`   // 字号: what tells it from others
	Trade  string `json:"trade"`  // 行业: "农业科技"
	Form   string `json:"form"`   // 组织形式: "有限公司"
}

// Split parts a name by the usual order region, core, trade, form. What cannot
// be told apart stays in Core, which is empty only for an empty name.
func Split(name string) Name {
	rest := Normalise(name)
	var n Name
	for _, form := range forms {
		if core, ok := strings.CutSuffix(rest, form); ok && core != "" {
			rest, n.Form = core, form
			break
		}
	}
	n.Region, rest = cutRegion(rest)
	for range 4 { // no real name strings more words of trade together
		for _, trade := range trades {
			core, ok := strings.CutSuffix(rest, trade)
			if ok && len([]rune(core)) >= 2 {
				rest, n.Trade = core, trade+n.Trade
				break
			}
		}
	}
	n.Core = rest
	return n
}

// cutRegion takes a province and the places below it from the front, always
// leaving two characters for the core.
func cutRegion(s string) (region, rest string) {
	rest = s
	take := func(n int) {
		r := []rune(rest)
		region, rest = region+string(r[:n]), string(r[n:])
	}
	for _, p := range provinces {
		if tail, ok := strings.CutPrefix(rest, p); ok && len([]rune(tail)) >= 2 {
			take(len([]rune(p)))
			for _, unit := range []string{"壮族自治区", "回族自治区", "维吾尔自治区", "自治区", "省", "市"} {
				if strings.HasPrefix(rest, unit) {
					take(len([]rune(unit)))
					break
				}
			}
			break
		}
	}
	for range 3 { // prefecture, county, town
		r := []rune(rest)
		cut := 0
		for i := 2; i < min(len(r)-1, 6); i++ {
			if strings.ContainsRune("市县区州旗盟", r[i]) {
				cut = i + 1
				break
			}
		}
		if cut == 0 || len(r)-cut < 2 {
			break
		}
		take(cut)
	}
	return region, rest
}

var provinces = []string{
	"黑龙江", "内蒙古", "北京", "天津", "河北", "山西", "辽宁", "吉林", "上海", "江苏", "浙江",
	"安徽", "福建", "江西", "山东", "河南", "湖北", "湖南", "广东", "广西", "海南", "重庆",
	"四川", "贵州", "云南", "西藏", "陕西", "甘肃", "青海", "宁夏", "新疆", "香港", "澳门", "台湾", "中国",
}

// forms are legal forms, longer before their endings.
var forms = []string{
	"集团股份有限公司", "集团有限责任公司", "集团有限公司", "控股有限公司", "股份有限公司", "有限责任公司",
	"有限公司", "股份公司", "农民专业合作社联合社", "农民专业合作社", "专业合作社", "合作社", "家庭农场",
	"合伙企业有限合伙", "有限合伙", "普通合伙", "分公司", "总公司", "公司", "经营部", "商行", "门市部", "加工厂", "总厂", "厂",
}

// trades are words of the line of business that end a name before its form.
var trades = []string{
	"农业", "农牧业", "畜牧业", "畜牧", "养殖", "种植", "种业", "粮油", "粮食", "食品", "饲料", "乳业", "肉业", "果业",
	"蔬菜", "农产品", "农机", "农资", "化肥", "生物", "科技", "技术", "工业", "实业", "贸易", "商贸", "物流", "运输",
	"仓储", "包装", "印刷", "机械", "设备", "制造", "智能", "装备", "电子", "电气", "信息", "软件", "网络", "材料", "新材料", "化工",
	"医药", "药业", "制药", "建材", "建筑", "工程", "汽车", "零部件", "能源", "电力", "环保", "服务", "管理", "投资", "发展",
	"开发", "加工", "购销", "销售", "经营", "冷链", "配送", "供应链",
}
