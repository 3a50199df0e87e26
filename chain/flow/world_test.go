package flow_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/flow"
	"github.com/furrowcredit/furrow/chain/flow/fraud"
	"github.com/furrowcredit/furrow/chain/flow/profile"
	"github.com/furrowcredit/furrow/money"
)

// world is honest trade of thousands of firms over two years as it comes: seasons,
// mutual trade, split invoices, returns, cancelled invoices, lost papers, payments on
// account, agencies that lend their address, namesakes.
type world struct {
	r     *rand.Rand
	firms []chain.Party
	docs  []chain.Document
	n     int
}

func honest(seed uint64, firms int) *world {
	w := &world{r: rand.New(rand.NewPCG(seed, 9))} //nolint:gosec // repeatable on purpose
	wares := []string{"面粉", "玉米", "生猪", "纸箱", "复合肥", "番茄", "鲜牛奶", "农机配件", "豆粕饲料", "苹果", "大豆种子", "冷藏运输服务"}
	surnames, given := []rune("王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧"), []rune("伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红建国春梅海燕志永福德胜长河宝山新民金凤大川小禾晨曦宇轩")
	for i := range firms {
		p := chain.Party{ID: fmt.Sprintf("f%05d", i), Name: fmt.Sprintf("青穗%d厂", i), Capital: money.Fen(1+w.r.IntN(50)) * 10_000_000}
		p.LegalRep = string([]rune{surnames[w.r.IntN(len(surnames))], given[w.r.IntN(len(given))], given[w.r.IntN(len(given))]})
		p.Controller = p.LegalRep
		p.Phone, p.Address = fmt.Sprintf("1390%07d", i), fmt.Sprintf("青穗县云垄镇第%d村民组%d号", i%90, i)
		switch {
		case i%7 == 0: // registered with an agency
			p.Phone, p.Address = "0999-5550001", "青穗县政务大道1号众创空间"
		case i%11 == 0:
			p.Phone, p.Address = "", "青穗县"
		case i%13 == 0:
			p.Phone, p.LegalRep = "00000000", "暂无"
		}
		w.firms = append(w.firms, p)
	}
	anchors := firms / 100
	for i := anchors; i < firms; i++ {
		ware := wares[i%len(wares)]
		buyers := []int{w.r.IntN(anchors)}
		if i%3 == 0 {
			buyers = append(buyers, anchors+w.r.IntN(firms-anchors))
		}
		for _, b := range buyers {
			if b != i {
				w.trade(i, b, ware, i%5)
				if i%4 == 0 { // the buyer sells something else back
					w.trade(b, i, wares[(i+5)%len(wares)], i%3)
				}
			}
		}
	}
	return w
}

func (w *world) trade(seller, buyer int, ware string, style int) {
	base := math.Exp(9 + 2.5*w.r.Float64()) // 8,000 to 100,000 yuan
	begin := time.Date(2024, 5, 1, 0, 0, 0, 0, time.UTC).AddDate(0, w.r.IntN(6), w.r.IntN(28))
	terms := 20 + w.r.IntN(70)
	for m := range 24 {
		day := begin.AddDate(0, m, w.r.IntN(10))
		if day.After(today) {
			return
		}
		size := base * (0.6 + 0.8*w.r.Float64())
		if ware == "玉米" || ware == "苹果" { // sold at harvest
			if month := day.Month(); month < 9 || month > 11 {
				continue
			}
			size *= 6
		}
		w.deal(w.firms[seller].ID, w.firms[buyer].ID, ware, money.Fen(size)*100, day, terms, style)
	}
}

func (w *world) deal(s, b, ware string, amount money.Fen, day time.Time, terms, style int) {
	w.n++
	no := w.n
	add := func(kind chain.DocKind, prefix string, amount money.Fen, days int, edits ...edit) {
		date := day.AddDate(0, 0, days)
		if date.After(today) {
			return
		}
		d := chain.Document{
			ID: fmt.Sprint(prefix, no), Kind: kind, Number: fmt.Sprintf("%s%08d", prefix, no), SellerID: s, BuyerID: b, Amount: amount,
			Goods: ware, Date: date.Format(time.DateOnly), UploadID: "u",
		}
		for _, e := range edits {
			e(&d)
		}
		w.docs = append(w.docs, d)
	}
	order := fmt.Sprintf("PO%08d", no)
	name := named(order, "", "")
	if style == 1 {
		name = named("", "", "") // papers that name nothing
	}
	add(chain.Order, "PO", amount, -15)
	if w.r.IntN(40) > 0 {
		add(chain.Delivery, "SH", amount, -3, name)
	}
	switch w.r.IntN(30) {
	case 0: // written wrong, cancelled, written again
		add(chain.Invoice, "X", amount, 0, name, void)
	case 1: // taken back in part
		add(chain.Invoice, "R", -amount/10, 9, named("", "", fmt.Sprintf("FP%08d", no)))
	}
	if w.r.IntN(10) == 0 { // split on one day into equal invoices
		add(chain.Invoice, "FP", amount/2, 0, name, func(d *chain.Document) { d.Funder = "甲保理" })
		add(chain.Invoice, "FQ", amount-amount/2, 0, name, func(d *chain.Document) { d.Funder = "乙银行" })
	} else {
		add(chain.Invoice, "FP", amount, 0, name)
	}
	switch style {
	case 2:
		add(chain.Payment, "FA", amount/2, terms/2, named("", "", "")) // in two halves, on account
		add(chain.Payment, "FB", amount-amount/2, terms, named("", "", ""))
	case 3:
		add(chain.Payment, "FK", amount, terms, named("", "", fmt.Sprintf("FP%08d,FQ%08d", no, no)))
	default:
		add(chain.Payment, "FK", amount, terms, name)
	}
}

// TestHonestTradeRaisesNothing: with the rules as shipped, thousands of honest firms
// have no finding.
func TestHonestTradeRaisesNothing(t *testing.T) {
	t.Parallel()
	for _, seed := range []uint64{1, 2} {
		w := honest(seed, 3000)
		rules := flow.DefaultRules()
		m := flow.Match(w.docs, rules, today)
		var found []chain.Finding
		found = append(found, fraud.Reused(w.docs)...)
		found = append(found, fraud.Withdrawn(w.docs)...)
		found = append(found, fraud.Circles(w.docs, rules.Fraud)...)
		behind := map[string]bool{}
		for i := range m.Proofs {
			for _, p := range m.Proofs[i].Parts[flow.Money] {
				behind[p.Document.ID] = true
			}
		}
		found = append(found, fraud.CashReturned(w.docs, func(id string) bool { return behind[id] }, rules.Fraud)...)
		var pairs []fraud.Pair
		rows := map[string][]profile.Invoice{}
		for i, d := range w.docs {
			pairs = append(pairs, fraud.Pair{SellerID: d.SellerID, BuyerID: d.BuyerID})
			if d.Kind == chain.Invoice {
				at, err := money.ParseDate(d.Date)
				if err != nil {
					t.Fatal(err)
				}
				rows[d.SellerID] = append(rows[d.SellerID], profile.Invoice{Day: at, Out: true, Void: d.Void, Amount: d.Amount, ID: uint64(i)})
				rows[d.BuyerID] = append(rows[d.BuyerID], profile.Invoice{Day: at, Void: d.Void, Amount: d.Amount, ID: uint64(i)})
			}
		}
		found = append(found, fraud.Related(w.firms, pairs, rules.Fraud)...)
		for _, p := range w.firms {
			found = append(found, fraud.Capacity(p.ID, profile.Series(rows[p.ID], money.DateOf(today), 36), p.Capital, rules.Fraud)...)
		}
		found = append(found, flow.Unmatched(m, rules)...)
		s := flow.Shares(m.Proofs, nil)
		t.Logf("seed %d: %d documents, %d firms: %+v", seed, len(w.docs), len(w.firms), s)
		if s.Proven < 0.9 || s.Trade < 0.95 {
			t.Errorf("honest trade is proven by %.3f", s.Proven)
		}
		for i, f := range found {
			if i < 10 {
				t.Errorf("%s %v %v", f.Kind, f.FirmIDs, f.Evidence)
			}
		}
		if len(found) > 0 {
			t.Errorf("%d findings", len(found))
		}
	}
}
