package policy

import (
	"math"
	"strconv"

	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/feature"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/money"
)

// What the engine itself says, of products and of policies that fail. Their codes belong
// to no file.
var builtin = map[string]text{
	"policy.error": {
		"This policy cannot be worked out for this evidence ({why}); a loan officer decides.",
		"规则无法对这份证据作出判断（{why}），由客户经理决定。",
	},
	"limit.evidence":  {"The evidence itself carries {yuan} yuan.", "按证据本身可贷 {yuan} 元。"},
	"limit.household": {"One household may owe {most} yuan on this product; {yuan} yuan are left.", "本产品每户贷款合计不超过 {most} 元，还可贷 {yuan} 元。"},
	"limit.group":     {"One group may owe {most} yuan in all; {yuan} yuan are left.", "同一联保或关联集团合计不超过 {most} 元，还可贷 {yuan} 元。"},
	"limit.anchor":    {"On trade with one anchor {most} yuan are lent in all; {yuan} yuan are left.", "同一核心企业项下合计不超过 {most} 元，还可贷 {yuan} 元。"},
	"limit.product":   {"Of this product {most} yuan are lent in all; {yuan} yuan are left.", "本产品总额度 {most} 元，还可贷 {yuan} 元。"},
	"limit.region":    {"In this county {most} yuan are lent in all; {yuan} yuan are left.", "本县贷款总额度 {most} 元，还可贷 {yuan} 元。"},
	"limit.total":     {"The house lends {most} yuan in all; {yuan} yuan are left.", "全行总额度 {most} 元，还可贷 {yuan} 元。"},
	"limit.law": {
		"The law allows {most} yuan for one household ({article}); {yuan} yuan are left.",
		"法规规定每户不超过 {most} 元（{article}），还可贷 {yuan} 元。",
	},
	"limit.no_consent": {
		"You took back your consent to credit decisions; nothing more can be drawn until you give it again.",
		"您撤回了对信贷审批的同意；重新同意之前不能再提款。",
	},
	"limit.term_law": {
		"The law allows {months} months for this kind of loan ({article}).",
		"法规规定这类贷款期限不超过 {months} 个月（{article}）。",
	},
	"product.who": {
		"This product is not for this applicant: {condition}.", "申请人不符合本产品的条件：{condition}。",
	},
	"product.who_unknown": {
		"It is not known whether this product is for this applicant ({condition}); a loan officer asks.",
		"不清楚申请人是否符合本产品的条件（{condition}），由客户经理核实。",
	},
	"evidence.missing": {
		"This product needs evidence that is not there: {part} ({why}); a loan officer looks at it.",
		"缺少本产品需要的证据：{part}（{why}），由客户经理核实。",
	},
	"evidence.old": {
		"The evidence {part} is {days} days old; this product takes {most} at the most. A loan officer looks at it.",
		"证据 {part} 已有 {days} 天，本产品要求不超过 {most} 天，由客户经理核实。",
	},
	"evidence.unsure": {
		"The evidence {part} is too uncertain for this product; a loan officer looks at it.",
		"证据 {part} 把握不够，由客户经理核实。",
	},
	"turnover.outside": {
		"The forecast of sales rests to {percent} % on {surroundings}: tried on the firm's own past, that came {gain} % nearer.",
		"营收预测有 {percent}% 参考{surroundings}：用企业过去的月份检验，误差小 {gain}%。",
	},
	"turnover.season": {
		"The forecast of sales takes the season of the firm's industry: tried on the firm's own past, that came {gain} % nearer.",
		"营收预测采用所在行业的淡旺季：用企业过去的月份检验，误差小 {gain}%。",
	},
	"turnover.alone": {
		"The forecast of sales rests on the firm's own months: tried on its past, its industry and its anchors came no nearer.",
		"营收预测只用企业自己的月份：用过去的月份检验，参考行业和核心企业没有更准。",
	},
	"raise.fact": {
		"If {fact} were {to} instead of {from}, the limit could be {yuan} yuan.",
		"如果{fact}从 {from} 变为 {to}，额度可达 {yuan} 元。",
	},
}

// inside are the words for codes in the arguments of these texts, by argument.
var inside = map[string]map[string]text{
	"fact": func() map[string]text {
		out := map[string]text{}
		for _, f := range feature.List() {
			out[f.Name] = text{EN: f.EN, ZH: f.ZH}
		}
		return out
	}(),
	"part": {
		"crop": {"the satellite report", "卫星报告"}, "herd": {"the herd report", "畜群报告"}, "standing": {"the chain evidence", "产业链资料"},
		"bureau": {"the credit bureau report", "征信报告"}, "bank": {"the bank statement", "银行流水"},
		"turnover": {"the forecast of sales", "营收预测"}, "exposure": {"what is lent around the applicant", "关联敞口"},
	},
	"surroundings": {
		"industry": {"the growth of its industry", "行业走势"}, "anchors": {"what its anchors buy", "核心企业的采购量"},
		"both": {"the growth of its industry and what its anchors buy", "行业走势和核心企业的采购量"},
	},
	"condition": {
		"kind": {"person or firm", "申请人类型"}, "region": {"the county", "所在县"}, "industry": {"the industry", "所属行业"}, "age": {"the age", "年龄"},
		"anchor_tier": {"how near the anchor is", "与核心企业的层级"}, "anchor_months": {"how long it has traded with the anchor", "与核心企业的交易时长"},
	},
	"why": {
		"unknown": {"it is not known why", "原因不明"}, "formula": {"the limit of the product rests on it", "产品额度以此为准"},
		"not_uploaded": {"not uploaded", "未上传"}, "no_consent": {"no consent", "未授权"}, "too_short": {"the history is too short", "历史太短"},
		"household": {"of the household", "家庭"}, "group": {"of the group", "联保或关联集团"}, "anchor": {"of the anchor", "核心企业"},
		"product": {"of the product", "本产品"}, "region": {"of the county", "本县"}, "total": {"of the house", "全行"},
	},
	"article": func() map[string]text {
		out := map[string]text{}
		for _, r := range []product.Regulation{product.Consumer, product.Productive, product.FarmerMicro, product.PovertyRelief} {
			a := r.Bound().Article
			out[a["en"]] = text{EN: a["en"], ZH: a["zh-CN"]}
		}
		return out
	}(),
}

// builtinTold are the texts of builtin made ready.
var builtinTold = func() map[string]*told {
	out := make(map[string]*told, len(builtin))
	for code, t := range builtin {
		out[code] = &told{code: code, text: segments(t.EN)}
	}
	return out
}()

// named makes an item with arguments given as names and values in turn.
func (r *run) named(code, effect string, args ...string) item {
	t := builtinTold[code]
	it := item{reason: credit.Reason{Code: code, Effect: effect}, from: len(r.pieces)}
	for i := 0; i+1 < len(args); i += 2 {
		at := len(r.buf)
		r.buf = append(r.buf, args[i+1]...)
		r.pieces = append(r.pieces, piece{args[i], [2]int{at, len(r.buf)}})
	}
	it.to = len(r.pieces)
	r.message(t, &it)
	return it
}

// product applies the terms of the product that are no formula: who may borrow, what
// evidence it needs, and the term that the law allows.
func (r *run) product(ev *credit.Evidence, prod *product.Product) {
	if fit, condition := prod.Who.Fit(ev.Applicant); fit != product.Fits {
		effect, code := Refuse, "product.who"
		if fit == product.FitUnknown {
			effect, code = Refer, "product.who_unknown"
		}
		r.reason(r.named(code, effect, "condition", condition))
	}
	if w := &prod.Who; w.AnchorTier > 0 || w.AnchorMonths > 0 {
		switch {
		case !r.HasStanding: // what is missing refers below
		case w.AnchorTier > 0 && (r.AnchorTier == 0 || r.AnchorTier > w.AnchorTier):
			r.reason(r.named("product.who", Refuse, "condition", "anchor_tier"))
		case r.AnchorMonths < w.AnchorMonths:
			r.reason(r.named("product.who", Refuse, "condition", "anchor_months"))
		}
	}
	for i := range prod.Evidence {
		r.need(&prod.Evidence[i])
	}
	if t := ev.Turnover; t != nil && t.Outside != nil && prod.Reads("turnover") {
		r.foretold(t.Outside)
	}
	b := prod.Regulation.Bound()
	most := b.Months
	if prod.Method == loan.Bullet && b.BulletMonths > 0 && (most == 0 || b.BulletMonths < most) {
		most = b.BulletMonths
	}
	if most > 0 && ev.TermMonths > most {
		r.reason(r.named("limit.term_law", Refuse, "months", strconv.Itoa(most), "article", b.Article["en"]))
	}
}

// foretold says what the forecast of sales leans on.
func (r *run) foretold(o *credit.TurnoverOutside) {
	gain := "0"
	if o.Alone > 0 {
		gain = strconv.Itoa(int(math.Round(100 * (1 - o.Error/o.Alone))))
	}
	if o.Industry || o.Anchors {
		on := "both"
		switch {
		case !o.Anchors:
			on = "industry"
		case !o.Industry:
			on = "anchors"
		}
		r.reason(r.named("turnover.outside", Info, "percent", strconv.Itoa(int(math.Round(100*o.Weight))), "surroundings", on, "gain", gain))
	}
	if o.Season {
		r.reason(r.named("turnover.season", Info, "gain", gain))
	}
	if !o.Industry && !o.Anchors && !o.Season {
		r.reason(r.named("turnover.alone", Info))
	}
}

func (r *run) need(n *product.Need) {
	f := &r.Facts
	var there bool
	var age int
	var unsure float64
	var why string
	switch n.Part {
	case "crop":
		there, age, unsure, why = f.HasCrop, f.CropAge, f.CropUncertainty, f.CropMissing
	case "herd":
		there, age, unsure, why = f.HasHerd, f.HerdAge, f.HerdUncertainty, f.HerdMissing
	case "standing":
		there, age, unsure, why = f.HasStanding, f.StandingAge, f.StandingUncertainty, f.StandingMissing
	case "bureau":
		there, age, unsure, why = f.HasBureau, f.BureauAge, f.BureauUncertainty, f.BureauMissing
	case "bank":
		there, age, unsure, why = f.HasBank, f.BankAge, f.BankUncertainty, f.BankMissing
	case "turnover":
		there, age, unsure, why = f.HasForecast, f.TurnoverAge, f.TurnoverUncertainty, f.TurnoverMissing
	default:
		return
	}
	if n.Optional && !there { // the sources say why
		return
	}
	effect := Refer
	if n.Optional {
		effect = Info
	}
	switch {
	case !there:
		if why == "" {
			why = "unknown"
		}
		r.reason(r.named("evidence.missing", effect, "part", n.Part, "why", why))
	case n.MaxAgeDays > 0 && age > n.MaxAgeDays:
		r.reason(r.named("evidence.old", effect, "part", n.Part, "days", strconv.Itoa(age), "most", strconv.Itoa(n.MaxAgeDays)))
	case 1-unsure < n.MinConfidence:
		r.reason(r.named("evidence.unsure", effect, "part", n.Part))
	}
}

// exposure is what is lent on a side of the applicant already, counted one way.
func (r *run) exposure(on string, counts product.Counts) (owed money.Fen, known bool) {
	f := &r.Facts
	known = f.HasExposure
	if counts == product.CreditGranted {
		switch on {
		case "household":
			return money.Fen(max(f.HouseholdGranted, f.Debts)), known
		case "group":
			return money.Fen(f.GroupGranted), known
		case "anchor":
			return money.Fen(f.AnchorGranted), known
		case "product":
			return money.Fen(f.ProductGranted), known
		case "region":
			return money.Fen(f.RegionGranted), known
		default:
			return money.Fen(f.TotalGranted), known
		}
	}
	switch on {
	case "household":
		return money.Fen(max(f.HouseholdDebt, f.Debts)), known
	case "group":
		return money.Fen(f.GroupDebt), known
	case "anchor":
		return money.Fen(f.AnchorDebt), known
	case "product":
		return money.Fen(f.ProductDebt), known
	case "region":
		return money.Fen(f.RegionDebt), known
	default:
		return money.Fen(f.TotalDebt), known
	}
}

// bounds puts the product's caps and the law's beside the policy's own.
func (r *run) bounds(p *Policy, prod *product.Product, limit money.Fen) money.Fen {
	for i := range prod.Caps {
		c := &prod.Caps[i]
		owed, known := r.exposure(c.On, c.Counted())
		if !known {
			r.reason(r.named("evidence.missing", Refer, "part", "exposure", "why", c.On))
			continue
		}
		limit = r.atMost(p, limit, c.MaxFen, owed, capCodes[c.On], "")
	}
	if b := prod.Regulation.Bound(); b.HouseholdFen > 0 {
		owed, known := r.exposure("household", b.Counts)
		if !known {
			owed = money.Fen(r.Debts)
		}
		limit = r.atMost(p, limit, b.HouseholdFen, owed, "limit.law", b.Article["en"])
	}
	return limit
}

var capCodes = map[string]string{
	"household": "limit.household", "group": "limit.group", "anchor": "limit.anchor",
	"product": "limit.product", "region": "limit.region", "total": "limit.total",
}

func (r *run) atMost(p *Policy, limit, bound, owed money.Fen, code, article string) money.Fen {
	most := max(0, bound-owed)
	it := item{reason: credit.Reason{Code: code, Effect: Lower, Amount: min(0, most-limit)}, from: len(r.pieces)}
	it.shared = p.capArgs(code, bound, article)
	at := len(r.buf)
	r.buf = appendYuan(r.buf, bound)
	mid := len(r.buf)
	r.buf = appendYuan(r.buf, most)
	end := len(r.buf)
	r.pieces = append(r.pieces, piece{"most", [2]int{at, mid}}, piece{"yuan", [2]int{mid, end}})
	if article != "" {
		r.buf = append(r.buf, article...)
		r.pieces = append(r.pieces, piece{"article", [2]int{end, len(r.buf)}})
	}
	it.to = len(r.pieces)
	r.message(builtinTold[code], &it)
	r.allow(it, most)
	if most < limit {
		r.limits = append(r.limits, it)
		return most
	}
	return limit
}

// capKey is a cap of a product or the law.
type capKey struct {
	code string
	most money.Fen
}

// capArgs are the arguments of a cap, which are the same for every decision on a product.
func (p *Policy) capArgs(code string, most money.Fen, article string) map[string]string {
	key := capKey{code, most}
	p.capMu.RLock()
	args := p.capTold[key]
	p.capMu.RUnlock()
	if args != nil {
		return args
	}
	args = map[string]string{"most": most.String()}
	if article != "" {
		args["article"] = article
	}
	p.capMu.Lock()
	defer p.capMu.Unlock()
	if p.capTold == nil || len(p.capTold) > 1000 {
		p.capTold = map[capKey]map[string]string{}
	}
	p.capTold[key] = args
	return args
}
