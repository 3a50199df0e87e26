package rule

import (
	"strings"

	"github.com/furrowcredit/furrow/chain/extract"
)

// phrase is a way in which a sentence joins two firms.
type phrase struct {
	pattern    pattern
	relation   extract.Relation
	head       int // 1 or 2: which firm of the pattern is the fact's head; 0 when both are alike
	confidence float64
	not        []string // words that may not stand between the beginning and the end of the match
	through    bool     // these words may not stand in the rest of the clause either
	product    bool     // what follows the match names the goods
	alone      bool     // the first firm may not be a later member of a list: "与1、2", "和1与2"
	whole      bool     // the second firm may not be followed by words that make it another ("2的子公司")
	lead       []string // words of which one stands right before the first firm
	part       []string // words that may not follow the second firm closely: only a part of it is meant
}

// money and shares are what is not goods: a loan is not a supply.
var capital = []string{
	"股", "权益", "债", "贷款", "借款", "资金", "资产", "授信", "增发", "发行", "担保", "基金", "额度", "融资", "注资", "增资",
	"收入", "利润", "诉", "方案", "要约", "收购", "协议转让", "委派", "信托", "理财", "保险", "现金", "补偿", "赔",
}

// deals are contracts about firms themselves: they tell nothing of trade between them.
var deals = []string{"股权", "股份", "认购", "增资", "重组", "收购", "债权", "债务", "借款", "贷款"}

// kin are words by which a firm beside them is meant and not the firm itself.
var kin = []string{"子公司", "股东", "分公司", "下属", "旗下", "孙公司", "实际控制人", "母公司", "附属", "关联", "参股", "主管部门", "合资公司"}

// phrases are the rules. Confidence is how often a rule of its kind is right where it
// was tried on news of listed firms, and less where it has been tried little.
func phrases() []phrase {
	and := " ~~40 与|和|同|跟|及 ~4 2 "
	list := []phrase{
		// Two firms sign.
		{pattern: compile("1 ~24 与|和|同|跟 ~4 2 ~24 签署|签订|签约|签下|签定|签了|签成|签"), relation: extract.Contract, confidence: 0.9, not: append(deals, kin...), alone: true, whole: true, through: true},
		{pattern: compile("1 ~4 与|和|同|跟 2 ~20 达成 ~12 协议|合同|订单|意向|备忘录"), relation: extract.Contract, confidence: 0.8, not: append(deals, kin...), alone: true, whole: true},

		// Two firms work together.
		{pattern: compile("1" + and + "公司|集团|双方|之间|方面? ~12 合作|战略联盟|战略伙伴|结盟|联姻|携手|牵手|联手"), relation: extract.Cooperation, confidence: 0.88, not: []string{"签", "合作社", "合作银行", "合作公司", "商谈", "洽谈", "谈"}, alone: true},
		{pattern: compile("1 的|之间的? ~4 合作 ~~8 2"), relation: extract.Cooperation, confidence: 0.85, not: append([]string{"签", "谈", "合作社", "合作银行", "、", "和", "与"}, kin...), lead: []string{"与", "和", "同", "跟"}},
		{pattern: compile("1 ~2 与|和|同|跟|、|及 ~2 2 ~6 共同 推出|打造|开发|研发|建设|发布|举办|建立|运营"), relation: extract.Cooperation, confidence: 0.85, not: kin, alone: true},
		{pattern: compile("1 ~8 选择|引入|选定|引进 ~4 2 ~4 作为|为 ~8 合作|伙伴"), relation: extract.Cooperation, confidence: 0.85, not: append([]string{"投资"}, kin...)},
		{pattern: compile("1 ~6 牵手|携手|联手|联姻|联袂|结盟 ~4 2"), relation: extract.Cooperation, confidence: 0.9, not: kin},
		{pattern: compile("1 ~2 与|和|同|跟|、|及 ~2 2 ~3 联合 推出|发布|打造|开发|举办|研发|研制|主办|运营"), relation: extract.Cooperation, confidence: 0.85, not: kin, alone: true},
		{pattern: compile("1 ~8 是|为|成为|作为|系 2 ~12 合作伙伴|合作方|合作商|战略伙伴"), relation: extract.Cooperation, confidence: 0.85, not: kin},

		// One delivers to the other.
		{pattern: compile("1 ~10 向 2 ~4 供应|供货|供给|交付|发货|交货|销售|出售|提供"), relation: extract.Supply, head: 1, confidence: 0.84, not: capital, product: true, through: true},
		{pattern: compile("1 ~10 向|从 2 ~8 采购|订购|购买|购入|购进|进货|订货|定购|预订"), relation: extract.Supply, head: 2, confidence: 0.84, not: capital, product: true, through: true},
		{pattern: compile("1 ~6 为|给 2 ~8 供货|供应|配套|代工|生产|加工|供给"), relation: extract.Supply, head: 1, confidence: 0.84, not: capital, product: true, through: true},
		{pattern: compile("1 将|把 ~16 销售给|出售给|供应给|卖给|供给|交付给|交付 2"), relation: extract.Supply, head: 1, confidence: 0.82, not: capital},
		{pattern: compile("1 ~4 由 2 ~6 供应|供货|供给|代工|生产|加工"), relation: extract.Supply, head: 2, confidence: 0.82, not: capital, product: true, through: true},
		{pattern: compile("1 ~6 是|为|系|成为|作为 2 ~12 供应商|供货商|供方|代工厂|原料商|配套商|服务商"), relation: extract.Supply, head: 1, confidence: 0.9, not: append([]string{"客户", "、"}, kin...)},
		{pattern: compile("1 ~6 是|为|系|成为|作为 2 ~12 客户|经销商|代理商|分销商|采购商|买家|加盟商"), relation: extract.Supply, head: 2, confidence: 0.9, not: append([]string{"供应商", "供货商", "、"}, kin...)},
		{pattern: compile("1 的? 主要|最大|第一大|重要|核心|长期? ~3 供应商|供货商 是|为|有|包括|包含|：? 2"), relation: extract.Supply, head: 2, confidence: 0.84, not: kin},
		{pattern: compile("1 的? 主要|最大|第一大|重要|核心|长期? ~3 客户|经销商|代理商|分销商 是|为|有|包括|包含|：? 2"), relation: extract.Supply, head: 1, confidence: 0.84, not: kin},
		{pattern: compile("1 ~10 采购|订购|选用|采用|订了|购买|预订 ~6 2 的|生产的|制造的|供应的"), relation: extract.Supply, head: 2, confidence: 0.75, not: append([]string{"商标", "技术", "品牌"}, capital...), product: true, through: true},
		{pattern: compile("1 ~6 委托 2 加工|生产|代工|制造|运输|承运|仓储|施工|建设|设计"), relation: extract.Supply, head: 2, confidence: 0.85, product: true, through: true},
		{pattern: compile("1 ~6 中标|承接|承建|承揽 了? ~2 2 ~16 项目|工程|采购|标段|订单"), relation: extract.Supply, head: 1, confidence: 0.8, not: append([]string{"股权", "挂牌"}, kin...)},
		{pattern: compile("1 ~6 收到|获得|拿下|接到 ~3 2 ~10 订单|采购订单|中标通知书"), relation: extract.Supply, head: 1, confidence: 0.84, not: kin},

		// One sells the other an asset.
		{pattern: compile("1 ~24 收购|购买|购入|买下|竞得|摘牌 ~2 2 公司|集团|股份? ~2 所持|持有|所拥有|手中"), relation: extract.Trade, head: 2, confidence: 0.85, not: []string{"大股东", "发行"}},
		{pattern: compile("1 ~16 从 2 ~6 收购|购买|购入|买下|受让|购得|买入"), relation: extract.Trade, head: 2, confidence: 0.8, not: kin},
		{pattern: compile("1 ~10 向 2 ~4 出售|转让|卖出|收购|购买 ~10 资产|业务|股权|股份|房产|土地"), relation: extract.Trade, head: 1, confidence: 0.7, not: []string{"发行", "增发", "募集"}},
		{pattern: compile("1 ~16 收购|购买 2 旗下 ~14 业务|资产|工厂|部门|大楼"), relation: extract.Trade, head: 2, confidence: 0.7},

		// One owns the other.
		{pattern: compile("1 ~8 收购|并购|吸收合并|全资收购|控股收购 了? ~2 2"), relation: extract.Acquire, head: 1, confidence: 0.75, not: append([]string{"手中", "手里"}, kin...), whole: true, part: []string{"业务", "项目", "部分", "资产", "工厂", "%", "％", "股份", "所", "拥有"}},
		{pattern: compile("1 ~4 被 2 ~4 收购|并购|吸收合并"), relation: extract.Acquire, head: 2, confidence: 0.8, not: kin},
		{pattern: compile("1 ~6 持有|持股|增持|入股 了? ~2 2"), relation: extract.Hold, head: 1, confidence: 0.7, not: kin},
		{pattern: compile("1 ~4 是|为|系 2 ~4 全资|控股|参股 ~2 子公司|公司"), relation: extract.Hold, head: 2, confidence: 0.85},
	}
	return list
}

// negations make a phrase say the opposite; plans make it a wish. Both are looked for in
// the clauses that the match touches, outside the names of the firms.
var (
	negations = []string{
		"未能", "未与", "未就", "未和", "没有", "没与", "尚未", "并未", "从未", "不存在", "否认", "拒绝", "终止", "停止", "中止", "解除",
		"取消", "不再", "不会", "无意", "撤回", "撤销", "搁浅", "告吹", "破裂", "流产", "失败", "未果", "叫停", "不予", "未签", "不实", "无业务",
	}
	plans = []string{
		"拟", "计划", "有望", "传闻", "据传", "盛传", "传出", "被传", "传将", "或将", "可能", "若", "如果", "一旦", "洽谈", "商谈", "谈判",
		"磋商", "寻求", "希望", "有意", "意欲", "考虑", "打算", "准备", "能否", "是否", "建议", "争取", "疑似",
	}
)

// mood says whether the clauses around a match deny it or only plan it. names are the
// places of the firms, whose characters do not count.
func mood(text string, around span, names []span) (negated, planned bool) {
	var b strings.Builder
	at := around.start
	for _, n := range names {
		if n.start < at || n.end > around.end {
			continue
		}
		b.WriteString(text[at:n.start])
		b.WriteByte(' ')
		at = n.end
	}
	b.WriteString(text[at:around.end])
	said := b.String()
	for _, w := range negations {
		if strings.Contains(said, w) {
			return true, false
		}
	}
	for _, w := range plans {
		if strings.Contains(said, w) {
			return false, true
		}
	}
	return false, false
}
