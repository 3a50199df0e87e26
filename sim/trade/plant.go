package trade

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/money"
)

// sell makes the trade of an anchor with a dealer, who pays within a month.
func (k *maker) sell(anchor, dealer int) {
	f := k.all[dealer]
	before := len(k.rows)
	for m := range Months {
		month := k.end.AddDate(0, 0, -30*(Months-m)+1)
		part := 1 + 0.15*math.Sin(2*math.Pi*float64(month.YearDay())/365)
		if f.Profile == Growing {
			part *= 0.7 + 0.6*float64(m)/Months
		}
		yuan := f.monthly * part * (0.85 + 0.3*k.r.Float64())
		k.deal(anchor, dealer, anchor, money.Fen(yuan*100), month.AddDate(0, 0, k.r.IntN(28)), 15+k.r.IntN(15), f.Goods)
	}
	k.frame(fmt.Sprintf("JX-%04d-%d", dealer, anchor), before)
}

// relate gives a supplier of the first anchor and one of its dealers the same phone,
// address and representative, and returns their places among all firms.
func (t *Trade) relate() [2]int {
	s := slices.IndexFunc(t.Firms, func(f Firm) bool {
		return f.Tier == 1 && f.Profile == Steady && len(f.Anchors) == 1 && f.Anchors[0] == 0 && f.Industry == "粮油"
	})
	if s < 0 { // no mill among them: any supplier will do
		s = slices.IndexFunc(t.Firms, func(f Firm) bool {
			return f.Tier == 1 && f.Profile == Steady && len(f.Anchors) == 1 && f.Anchors[0] == 0
		})
	}
	d := slices.IndexFunc(t.Dealers, func(f Firm) bool { return f.Anchors[0] == 0 })
	seller, buyer := &t.Firms[s], &t.Dealers[d]
	seller.Profile, buyer.Profile = Kin, Kin
	buyer.Phone, buyer.Address, buyer.LegalRep = seller.Phone, seller.Address, seller.LegalRep
	return [2]int{len(t.Anchors) + s, len(t.Anchors) + len(t.Firms) + d}
}

// inOneHand makes a few sales between the two that are related: all is on paper, and
// yet they are no proof of a market.
func (k *maker) inOneHand(kin [2]int) Related {
	out := Related{Firms: []string{k.all[kin[0]].USCC, k.all[kin[1]].USCC}}
	before := len(k.rows)
	for m := range 3 {
		k.deal(kin[0], kin[1], 0, money.Fen(18_600_000+2_000_000*m), k.end.AddDate(0, 0, -120+30*m), 10, k.all[kin[0]].Goods)
	}
	for _, x := range k.rows[before:] {
		if x.kind == chain.Invoice {
			out.Invoices = append(out.Invoices, x.number)
		}
	}
	return out
}

// Ways to write a firm that are not its name.
const (
	short       = "short"
	bare        = "bare"
	former      = "former"
	traditional = "traditional"
)

// rename has the documents of one deal of some suppliers write them otherwise, and
// without a code: for short, without the place, by a name that they had before,
// in traditional characters. The last needs nobody's help.
func (t *Trade) rename(k *maker) []Alias {
	ways := []string{short, short, bare, former, traditional}
	var out []Alias
	for i := len(t.Firms) - 1; i >= 0 && len(out) < len(ways); i-- {
		f, way := t.Firms[i], ways[len(out)]
		// What a firm was called before both anchors must trade with it to tell.
		if f.Profile != Steady || f.Tier != 1 || (len(f.Anchors) == 2) != (way == former) || strings.Contains(f.Name, "第") {
			continue
		}
		a := Alias{USCC: f.USCC, Name: t.written(f, way), Way: way, Twin: way != traditional}
		if k.alias(len(t.Anchors)+i, a.Name) {
			out = append(out, a)
		}
	}
	return out
}

// written is a firm's name in another way.
func (t *Trade) written(f Firm, way string) string {
	rest := strings.TrimPrefix(f.Name, County)
	trade := strings.Index(rest, f.Industry)
	switch way {
	case short:
		return rest[:trade] + f.Industry
	case bare:
		return rest
	case former:
		return County + "大" + rest[:trade] + "商店"
	default:
		return inTraditional.Replace(f.Name)
	}
}

// inTraditional writes the words of the county's names in traditional characters.
var inTraditional = strings.NewReplacer("县", "縣", "粮", "糧", "购", "購", "销", "銷", "种", "種", "业", "業", "农", "農", "专", "專",
	"饲", "飼", "养", "養", "链", "鏈", "机", "機", "资", "資", "经", "經", "营", "營", "装", "裝", "丰", "豐", "垄", "壟", "麦", "麥", "岭", "嶺", "泽", "澤", "岗", "崗", "湾", "灣")

// alias writes the seller of one deal with the first anchor that it trades with otherwise,
// on every paper of it. It says whether there is such a deal.
func (k *maker) alias(seller int, name string) bool {
	anchor := k.all[seller].Anchors[0]
	order := ""
	for _, x := range k.rows { // the newest that was paid: it has all papers
		if x.seller == seller && x.buyer == anchor && x.kind == chain.Payment && x.order > order {
			order = x.order
		}
	}
	if order == "" {
		return false
	}
	for i := range k.rows {
		if x := &k.rows[i]; x.seller == seller && x.order == order && x.kind != chain.Contract {
			x.alias, x.contract = name, ""
		}
	}
	return true
}
