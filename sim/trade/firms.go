package trade

import (
	"fmt"
	"math/rand/v2"

	"github.com/furrowcredit/furrow/chain/party"
)

// County is the made-up place of all firms; no place in China is called so, so no
// firm here can be a real one.
const County = "青穗县"

// Profile is how a firm trades.
type Profile string

// Profiles.
const (
	Steady  Profile = "steady"
	Growing Profile = "growing"
	Young   Profile = "young"   // began to trade four months ago
	Stopped Profile = "stopped" // sold nothing in the last five months
	Ring    Profile = "ring"    // takes part in the circular trade
	Reuser  Profile = "reuser"  // bills one invoice to both anchors
	Listed  Profile = "listed"  // named as a supplier, without any document
	Kin     Profile = "kin"     // a supplier and a dealer in one hand
)

// Firm is a made-up firm.
type Firm struct {
	USCC     string  `json:"uscc"`
	Name     string  `json:"name"`
	LegalRep string  `json:"legal_rep"`
	Phone    string  `json:"phone"`
	Address  string  `json:"address"`
	Region   string  `json:"region"`
	Industry string  `json:"industry"`
	Goods    string  `json:"goods"`
	Tier     int     `json:"tier"`    // 0 an anchor, 1 sells to one, 2 sells to a firm of tier 1
	Anchors  []int   `json:"anchors"` // places in Trade.Anchors
	Profile  Profile `json:"profile"`
	Buyers   []int   `json:"-"` // of tier 2: places in Trade.Firms
	monthly  float64 // yuan of an ordinary month
}

// line is a line of business.
type line struct{ trade, goods, form string }

var lines = []line{
	{"粮油", "面粉", "有限公司"}, {"粮食购销", "玉米", "有限公司"}, {"种植", "小麦", "农民专业合作社"}, {"蔬菜", "番茄", "农民专业合作社"},
	{"饲料", "豆粕饲料", "有限公司"}, {"养殖", "生猪", "农民专业合作社"}, {"乳业", "鲜牛奶", "有限公司"}, {"畜牧", "肉牛", "有限公司"},
	{"包装", "纸箱", "有限公司"}, {"冷链", "冷藏运输服务", "有限公司"}, {"农机", "农机配件", "商行"}, {"农资", "复合肥", "经营部"},
	{"果业", "苹果", "农民专业合作社"}, {"食品", "淀粉", "有限公司"}, {"物流", "公路运输服务", "有限公司"}, {"种业", "大豆种子", "有限公司"},
}

var (
	coreA    = []string{"禾", "丰", "垄", "畦", "麦", "稷", "黍", "菽", "芃", "畴", "耘", "苗", "穰", "秾", "稔"}
	coreB    = []string{"岭", "川", "源", "泽", "野", "塬", "畈", "圃", "渡", "坪", "湾", "沃", "溪", "岗"}
	surnames = []string{"王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙", "胡", "朱", "高", "林", "何", "郭", "马", "罗"}
	givens   = []string{"建国", "桂兰", "志强", "秀英", "永福", "海燕", "德胜", "春梅", "长河", "玉珍", "宝山", "小禾", "新民", "金凤", "大川"}
)

// firms makes the two anchors and n small firms: six tenths sell to the first
// anchor, more than a quarter to the second, a few to both, and every fifth firm is
// a tier further up.
func firms(r *rand.Rand, n int) (anchors, small []Firm) {
	anchors = []Firm{
		{Name: County + "云垄粮油食品集团有限公司", Industry: "粮油加工", Goods: "粮油"},
		{Name: County + "临溪牧业食品集团股份有限公司", Industry: "肉乳加工", Goods: "肉乳"},
	}
	for i := range anchors {
		anchors[i].complete(r, i)
	}
	cores := r.Perm(len(coreA) * len(coreB))
	second := n * 4 / 5 // tier 2 from here on
	small = make([]Firm, n)
	for i := range small {
		l := lines[r.IntN(len(lines))]
		c := cores[i%len(cores)]
		f := Firm{
			Name:     County + coreA[c/len(coreB)] + coreB[c%len(coreB)] + l.trade + l.form,
			Industry: l.trade, Goods: l.goods, Tier: 1, Profile: Steady,
			monthly: 20_000 * float64(1+r.IntN(20)) * (0.8 + 0.4*r.Float64()),
		}
		if i >= len(cores) { // more firms than cores: number them
			f.Name = fmt.Sprintf("%s%s%s第%d%s%s", County, coreA[c/len(coreB)], coreB[c%len(coreB)], i/len(cores)+1, l.trade, l.form)
		}
		switch {
		case i >= second:
			f.Tier = 2
			f.monthly /= 4
			f.Buyers = []int{r.IntN(second)}
			if other := r.IntN(second); other != f.Buyers[0] && i%3 == 0 {
				f.Buyers = append(f.Buyers, other)
			}
		case i%20 == 4:
			f.Anchors = []int{0, 1}
		case i < n/2:
			f.Anchors = []int{0}
		default:
			f.Anchors = []int{1}
		}
		switch {
		case i%10 == 3:
			f.Profile = Growing
		case i%17 == 6:
			f.Profile = Young
		case i%23 == 9:
			f.Profile = Stopped
		case i%29 == 11 && f.Tier == 1:
			f.Profile = Listed
		}
		f.complete(r, len(anchors)+i)
		small[i] = f
	}
	return anchors, small
}

// wares are what the anchors sell on.
var wares = [][]string{{"小麦粉", "食用植物油", "挂面"}, {"冷鲜牛肉", "巴氏鲜奶", "全脂奶粉"}}

var dealerTrades = []line{
	{trade: "商贸", form: "有限公司"}, {trade: "粮油食品批发", form: "商行"}, {trade: "供应链", form: "有限公司"}, {trade: "副食品经销", form: "经营部"},
}

// dealers makes n firms that buy from the anchors in turn; the first of them is number
// first among all firms. Their cores are those of the small firms turned round.
func dealers(r *rand.Rand, anchors []Firm, first, n int) []Firm {
	cores := r.Perm(len(coreA) * len(coreB))
	out := make([]Firm, n)
	for i := range out {
		c, l, a := cores[i], dealerTrades[r.IntN(len(dealerTrades))], i%len(anchors)
		f := Firm{
			Name:     County + coreB[c%len(coreB)] + coreA[c/len(coreB)] + l.trade + l.form,
			Industry: "批发零售", Goods: wares[a][r.IntN(len(wares[a]))], Tier: 1, Anchors: []int{a}, Profile: Steady,
			monthly: 100_000 * float64(3+r.IntN(12)),
		}
		if i%4 == 2 {
			f.Profile = Growing
		}
		f.complete(r, first+i)
		out[i] = f
	}
	return out
}

// complete fills in what every firm has. No place has the region code 990100, so
// the credit codes are valid and nobody's.
func (f *Firm) complete(r *rand.Rand, n int) {
	org := fmt.Sprintf("MA%06d", 370_001+n)
	body := "91990100" + org + string(party.OrgCheckChar(org))
	f.USCC = body + string(party.CheckChar(body))
	f.LegalRep = surnames[r.IntN(len(surnames))] + givens[r.IntN(len(givens))]
	f.Phone = fmt.Sprintf("0999-555%04d", n)
	f.Address = fmt.Sprintf("%s粮站路 %d 号", County, n+1)
	f.Region = County
}
