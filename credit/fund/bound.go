package fund

import (
	"slices"

	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/money"
)

// articles of the rules that bound shared loans: the notice 银保监办发〔2021〕24号 on
// internet loans of commercial banks, and the regulation on financing guarantee companies
// (State Council Order 683 of 2017).
var articles = map[string]map[string]string{
	"share": {
		"zh-CN": "《关于进一步规范商业银行互联网贷款业务的通知》（银保监办发〔2021〕24号）第二条：单笔贷款中合作方的出资比例不得低于30%",
		"en":    "notice 银保监办发〔2021〕24号 on internet loans, article 2: a partner gives at least 30 % of each loan",
	},
	"partner": {
		"zh-CN": "《关于进一步规范商业银行互联网贷款业务的通知》（银保监办发〔2021〕24号）第三条：与单一合作方（含其关联方）发放的本行贷款余额不得超过本行一级资本净额的25%",
		"en":    "notice 银保监办发〔2021〕24号 on internet loans, article 3: with one partner and its related parties at most 25 % of net tier-1 capital",
	},
	"joint": {
		"zh-CN": "《关于进一步规范商业银行互联网贷款业务的通知》（银保监办发〔2021〕24号）第四条：与全部合作机构共同出资发放的互联网贷款余额不得超过本行全部贷款余额的50%",
		"en":    "notice 银保监办发〔2021〕24号 on internet loans, article 4: all joint internet loans at most 50 % of all loans",
	},
	"liability": {
		"zh-CN": "《融资担保公司监督管理条例》第十五条：担保责任余额不得超过其净资产的10倍",
		"en":    "Regulation on financing guarantee companies, article 15: liability at most 10 times net assets",
	},
	"debtor": {
		"zh-CN": "《融资担保公司监督管理条例》第十六条：对同一被担保人的担保责任余额不得超过其净资产的10%",
		"en":    "Regulation on financing guarantee companies, article 16: for one debtor at most 10 % of net assets",
	},
	"related": {
		"zh-CN": "《融资担保公司监督管理条例》第十六条：对同一被担保人及其关联方的担保责任余额不得超过其净资产的15%",
		"en":    "Regulation on financing guarantee companies, article 16: for one debtor and its related parties at most 15 % of net assets",
	},
}

// BoundUse is one rule and how far it is used.
type BoundUse struct {
	Code    string            `json:"code" enum:"share,partner,joint,liability,debtor,related"`
	Party   string            `json:"party"`            // funder that it binds; "" is the bank
	Debtor  string            `json:"debtor,omitempty"` // of those on one debtor, the one with the most
	Used    money.Fen         `json:"used"`
	Max     money.Fen         `json:"max"`
	UsedBP  int64             `json:"used_bp"` // of Max
	Article map[string]string `json:"article"`
	AsOf    string            `json:"as_of"` // date and source of the figures behind Max
	Source  string            `json:"source"`
}

// Exposure is what shared loans stand at, those included whose money is on its way.
type Exposure struct {
	// Own is the bank's part of joint internet loans, by partner and in all.
	Own map[string]money.Fen
	All money.Fen
	// Liability of each guarantor, by debtor.
	Liability map[string]map[string]money.Fen
}

// with adds a loan to e.
func (e Exposure) with(t SharingTerms) Exposure {
	out := Exposure{Own: map[string]money.Fen{}, All: e.All, Liability: map[string]map[string]money.Fen{}}
	for k, v := range e.Own {
		out.Own[k] = v
	}
	for g, by := range e.Liability {
		out.Liability[g] = map[string]money.Fen{}
		for d, v := range by {
			out.Liability[g][d] = v
		}
	}
	if t.Internet && t.Joint() {
		own := t.OwnPart()
		out.All += own
		for _, p := range t.Parties[1:] {
			out.Own[p.Code] += own
		}
	}
	if g := t.Guarantor; g != nil {
		if out.Liability[g.Code] == nil {
			out.Liability[g.Code] = map[string]money.Fen{}
		}
		out.Liability[g.Code][t.Debtor] += Liability(t.Principal, g.ShareBP)
	}
	return out
}

// Liability is a guarantor's part of what is owed, rounded up.
func Liability(owed money.Fen, shareBP int64) money.Fen {
	return owed/10_000*money.Fen(shareBP) + (owed%10_000*money.Fen(shareBP)+9_999)/10_000
}

// Bounds gives every rule with its utilisation. related tells who belongs to a debtor, the
// debtor included; nil knows of nobody.
func (c *Catalogue) Bounds(e Exposure, related func(debtor string) []string) []BoundUse {
	return c.bounds(e, related, "")
}

// bounds with those on one debtor for the debtor that is named, if any.
func (c *Catalogue) bounds(e Exposure, related func(string) []string, debtor string) []BoundUse {
	out := []BoundUse{}
	add := func(code, party, debtor string, used, limit money.Fen, asOf, source string) {
		b := BoundUse{Code: code, Party: party, Debtor: debtor, Used: used, Max: limit, Article: articles[code], AsOf: asOf, Source: source}
		if bp, err := money.Mul(used, whole, int64(max(1, limit))); err == nil {
			b.UsedBP = int64(bp)
		}
		out = append(out, b)
	}
	if k := c.Capital; k != nil {
		groups := map[string]bool{}
		for _, f := range c.Funders {
			if f.Kind != Partner && f.Kind != Trust {
				continue
			}
			var used money.Fen
			for _, o := range c.Funders { // related parties are one
				if o.Code == f.Code || f.Group != "" && o.Group == f.Group {
					used += e.Own[o.Code]
				}
			}
			if f.Group == "" || !groups[f.Group] {
				add("partner", f.Code, "", used, k.Tier1NetFen/4, k.AsOf, k.Source)
			}
			groups[f.Group] = true
		}
		add("joint", "", "", e.All, k.LoansFen/2, k.AsOf, k.Source)
	}
	for _, f := range c.Funders {
		if f.Kind != Guarantor {
			continue
		}
		total, worst, most, group, mostGroup := f.OtherFen, "", money.Fen(0), "", money.Fen(0)
		for _, d := range sorted(e.Liability[f.Code]) {
			v := e.Liability[f.Code][d]
			total += v
			if debtor != "" && d != debtor {
				continue
			}
			if v > most {
				worst, most = d, v
			}
			var sum money.Fen
			for _, x := range relatives(related, d) {
				sum += e.Liability[f.Code][x]
			}
			if sum > mostGroup {
				group, mostGroup = d, sum
			}
		}
		add("liability", f.Code, "", total, f.NetAssetsFen*money.Fen(f.Multiple), f.AsOf, f.Source)
		add("debtor", f.Code, worst, most, f.NetAssetsFen/10, f.AsOf, f.Source)
		add("related", f.Code, group, mostGroup, f.NetAssetsFen/100*15, f.AsOf, f.Source)
	}
	return out
}

func sorted(by map[string]money.Fen) []string {
	out := make([]string, 0, len(by))
	for k := range by {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func relatives(related func(string) []string, debtor string) []string {
	out := []string{debtor}
	if related == nil {
		return out
	}
	for _, x := range related(debtor) {
		if !slices.Contains(out, x) {
			out = append(out, x)
		}
	}
	return out
}

// Admit says whether a loan on terms t may be drawn on top of e: ErrShare, ErrBound. A
// rule that the loan does not add to never stops it, however full it is.
func (c *Catalogue) Admit(t SharingTerms, e Exposure, related func(debtor string) []string) error {
	if t.Internet && t.Joint() {
		var partners int64
		for _, p := range t.Parties[1:] {
			partners += p.Shares.Principal
		}
		if partners < product.PartnerShareBP {
			return ErrShare.With("party", t.Parties[1].Code).With("bp", partners).With("article", articles["share"]["zh-CN"])
		}
	}
	before := c.bounds(e, related, t.Debtor)
	for _, b := range c.bounds(e.with(t), related, t.Debtor) {
		if b.Used <= b.Max {
			continue
		}
		i := slices.IndexFunc(before, func(x BoundUse) bool { return x.Code == b.Code && x.Party == b.Party })
		if before[i].Used < b.Used {
			who := b.Party
			if who == "" {
				who = c.own()
			}
			return ErrBound.With("party", who).With("used", b.Used).With("max", b.Max).With("article", b.Article["zh-CN"])
		}
	}
	return nil
}
