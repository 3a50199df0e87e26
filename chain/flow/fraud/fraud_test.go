package fraud_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/flow/fraud"
	"github.com/furrowcredit/furrow/money"
)

func doc(kind chain.DocKind, number, seller, buyer string, yuan int64, date string) chain.Document {
	return chain.Document{
		ID: string(kind) + "/" + number + "/" + seller + "/" + buyer, Kind: kind, Number: number, SellerID: seller, BuyerID: buyer,
		Amount: money.Fen(yuan * 100), Date: date,
	}
}

func to(d chain.Document, funder string) chain.Document {
	d.Funder = funder
	d.ID += "/" + funder
	return d
}

func ExampleCircles() {
	found := fraud.Circles([]chain.Document{
		doc(chain.Invoice, "1", "a", "b", 100_000, "2026-03-01"),
		doc(chain.Invoice, "2", "b", "c", 101_000, "2026-03-05"),
		doc(chain.Invoice, "3", "c", "a", 102_000, "2026-03-11"),
		doc(chain.Invoice, "4", "c", "d", 102_000, "2026-03-11"),
	}, fraud.DefaultRules())
	for _, f := range found {
		fmt.Println(f.Kind, f.FirmIDs, f.Evidence["days"], "days")
	}
	// Output:
	// circular_trade [a b c] 10 days
}

func TestReused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		docs []chain.Document
		want int
	}{
		"clean":                       {[]chain.Document{doc(chain.Invoice, "1", "s", "b", 10, "2026-01-01"), doc(chain.Invoice, "2", "s", "c", 10, "2026-01-01")}, 0},
		"same number, other seller":   {[]chain.Document{doc(chain.Invoice, "1", "s", "b", 10, "2026-01-01"), doc(chain.Invoice, "1", "x", "b", 10, "2026-01-01")}, 0},
		"two buyers":                  {[]chain.Document{doc(chain.Invoice, "No.1", "s", "b", 10, "2026-01-01"), doc(chain.Invoice, "ｎｏ 1", "s", "c", 10, "2026-01-01")}, 1},
		"two funders":                 {[]chain.Document{to(doc(chain.Invoice, "1", "s", "b", 10, "2026-01-01"), "X"), to(doc(chain.Invoice, "1", "s", "b", 10, "2026-01-01"), "Y")}, 1},
		"funder told later":           {[]chain.Document{doc(chain.Invoice, "1", "s", "b", 10, "2026-01-01"), to(doc(chain.Invoice, "1", "s", "b", 10, "2026-01-01"), "Y")}, 0},
		"orders repeat their numbers": {[]chain.Document{doc(chain.Order, "1", "s", "b", 10, "2026-01-01"), doc(chain.Order, "1", "s", "c", 10, "2026-01-01")}, 0},
	} {
		if got := fraud.Reused(c.docs); len(got) != c.want {
			t.Errorf("%s: %d findings, want %d", name, len(got), c.want)
		}
	}
}

func TestCircles(t *testing.T) {
	t.Parallel()
	ring := func(dates [3]string, amounts [3]int64) []chain.Document {
		return []chain.Document{
			doc(chain.Invoice, "1", "a", "b", amounts[0], dates[0]),
			doc(chain.Invoice, "2", "b", "c", amounts[1], dates[1]),
			doc(chain.Invoice, "3", "c", "a", amounts[2], dates[2]),
		}
	}
	dates, amounts := [3]string{"2026-03-01", "2026-03-08", "2026-03-20"}, [3]int64{1000, 1020, 990}
	for name, c := range map[string]struct {
		docs []chain.Document
		want int
	}{
		"circle":           {ring(dates, amounts), 1},
		"starts elsewhere": {ring([3]string{"2026-03-08", "2026-03-20", "2026-03-01"}, amounts), 1},
		"back in time":     {ring([3]string{"2026-03-20", "2026-03-08", "2026-03-01"}, amounts), 0},
		"too slow":         {ring([3]string{"2026-01-01", "2026-03-08", "2026-03-20"}, amounts), 0},
		"other amounts":    {ring(dates, [3]int64{1000, 1020, 500}), 0},
		"twice round is one finding": {append(ring(dates, amounts), func() []chain.Document {
			again := ring([3]string{"2026-04-01", "2026-04-08", "2026-04-20"}, amounts)
			for i := range again {
				again[i].ID += "x"
			}
			return again
		}()...), 1},
		"six hops": {[]chain.Document{
			doc(chain.Invoice, "1", "a", "b", 100, "2026-03-01"), doc(chain.Invoice, "2", "b", "c", 100, "2026-03-02"),
			doc(chain.Invoice, "3", "c", "d", 100, "2026-03-03"), doc(chain.Invoice, "4", "d", "e", 100, "2026-03-04"),
			doc(chain.Invoice, "5", "e", "f", 100, "2026-03-05"), doc(chain.Invoice, "6", "f", "a", 100, "2026-03-06"),
		}, 0},
		"chain": {[]chain.Document{
			doc(chain.Invoice, "1", "a", "b", 100, "2026-03-01"), doc(chain.Invoice, "2", "b", "c", 100, "2026-03-02"),
			doc(chain.Invoice, "3", "a", "c", 100, "2026-03-03"),
		}, 0},
	} {
		if got := fraud.Circles(c.docs, fraud.DefaultRules()); len(got) != c.want {
			t.Errorf("%s: %d findings, want %d", name, len(got), c.want)
		}
	}
}

// TestNoCircleWithoutOne: sales that only go down a fixed order of firms have none.
func TestNoCircleWithoutOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var docs []chain.Document
		for i := range rapid.IntRange(0, 40).Draw(t, "n") {
			a, b := rapid.IntRange(0, 5).Draw(t, "a"), rapid.IntRange(0, 5).Draw(t, "b")
			if a != b {
				docs = append(docs, doc(chain.Invoice, fmt.Sprint(i), fmt.Sprint(min(a, b)), fmt.Sprint(max(a, b)), 100, "2026-03-01"))
			}
		}
		if got := fraud.Circles(docs, fraud.DefaultRules()); len(got) > 0 {
			t.Fatalf("%v", got)
		}
	})
}

func TestCirclesOfDenseTradeEnd(t *testing.T) {
	t.Parallel()
	var docs []chain.Document
	for i := range 60 {
		for j := range 60 {
			if i != j {
				docs = append(docs, doc(chain.Invoice, fmt.Sprint(i, ".", j), fmt.Sprint(i), fmt.Sprint(j), 100, "2026-03-01"))
			}
		}
	}
	done := make(chan int)
	go func() { done <- len(fraud.Circles(docs, fraud.DefaultRules())) }()
	select {
	case n := <-done:
		if n == 0 {
			t.Error("found none")
		}
	case <-time.After(30 * time.Second):
		t.Fatal("still searching")
	}
}

func with(d chain.Document, edits ...func(*chain.Document)) chain.Document {
	for _, e := range edits {
		e(&d)
	}
	return d
}

func goods(s string) func(*chain.Document) { return func(d *chain.Document) { d.Goods = s } }

func code(s string) func(*chain.Document) {
	return func(d *chain.Document) { d.Code, d.ID = s, d.ID+s }
}

func TestReusedNumbers(t *testing.T) {
	t.Parallel()
	inv := func(number, seller, buyer string, edits ...func(*chain.Document)) chain.Document {
		return with(doc(chain.Invoice, number, seller, buyer, 1000, "2026-01-01"), edits...)
	}
	const long = "26992000000000000017"
	for name, c := range map[string]struct {
		docs []chain.Document
		want int
	}{
		"same paper number, other code":              {[]chain.Document{to(inv("00000001", "s", "b", code("4400211130")), "X"), to(inv("00000001", "s", "c", code("4400211140")), "Y")}, 0},
		"same paper number and code":                 {[]chain.Document{to(inv("00000001", "s", "b", code("4400211130")), "X"), to(inv("00000001", "s", "b", code("4400211130")), "Y")}, 1},
		"one funder leaves the code out":             {[]chain.Document{to(inv("00000001", "s", "b", code("4400211130")), "X"), to(inv("00000001", "s", "b"), "Y")}, 1},
		"code written before the number":             {[]chain.Document{to(inv("440021113000000001", "s", "b", code("4400211130")), "X"), to(inv("00000001", "s", "b", code("4400211130")), "Y")}, 1},
		"digital number of two sellers, two funders": {[]chain.Document{to(inv(long, "s", "b"), "X"), to(inv(long, "z", "c"), "Y")}, 1},
		"digital number of two sellers, no funder":   {[]chain.Document{inv(long, "s", "b"), inv(long, "z", "c")}, 0},
		"one funder in two hands":                    {[]chain.Document{to(inv("7", "s", "b"), "甲（保理）"), to(inv("7", "s", "b"), "甲(保理)")}, 0},
		"equal invoices of one day are two":          {[]chain.Document{to(inv("8", "s", "b"), "X"), to(inv("9", "s", "b"), "Y")}, 0},
		"no number":                                  {[]chain.Document{to(inv("", "s", "b"), "X"), to(inv("", "s", "c"), "Y")}, 0},
	} {
		if got := fraud.Reused(c.docs); len(got) != c.want {
			t.Errorf("%s: %d findings, want %d", name, len(got), c.want)
		}
	}
}

func TestWithdrawn(t *testing.T) {
	t.Parallel()
	promised := to(doc(chain.Invoice, "1", "s", "b", 1000, "2026-01-01"), "X")
	red := func(yuan int64, names string) chain.Document {
		return with(doc(chain.Invoice, "R", "s", "b", -yuan, "2026-01-20"), func(d *chain.Document) { d.InvoiceNo = names })
	}
	cancelled := func(d *chain.Document) { d.Void = true }
	for name, c := range map[string]struct {
		docs []chain.Document
		want string
	}{
		"clean":                   {[]chain.Document{promised, doc(chain.Invoice, "2", "s", "b", 1000, "2026-01-02")}, ""},
		"cancelled":               {[]chain.Document{with(promised, cancelled)}, "void"},
		"cancelled in a copy":     {[]chain.Document{promised, with(doc(chain.Invoice, "1", "s", "b", 1000, "2026-01-01"), cancelled)}, "void"},
		"taken back":              {[]chain.Document{promised, red(1000, "1")}, "red_letter"},
		"taken back in part":      {[]chain.Document{promised, red(300, "1")}, ""},
		"another one taken back":  {[]chain.Document{promised, red(1000, "2")}, ""},
		"cancelled, not promised": {[]chain.Document{with(doc(chain.Invoice, "1", "s", "b", 1000, "2026-01-01"), cancelled)}, ""},
	} {
		got := fraud.Withdrawn(c.docs)
		if c.want == "" && len(got) > 0 || c.want != "" && (len(got) != 1 || got[0].Evidence["how"] != c.want || len(got[0].Documents) == 0) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestCirclesAndMutualTrade(t *testing.T) {
	t.Parallel()
	inv := func(n, s, b string, yuan int64, date, what string) chain.Document {
		return with(doc(chain.Invoice, n, s, b, yuan, date), goods(what))
	}
	var mutual []chain.Document // feed for pigs, all year, of amounts alike
	for i := range 12 {
		day := time.Date(2025, time.Month(1+i), 3, 0, 0, 0, 0, time.UTC)
		mutual = append(mutual, inv(fmt.Sprint("F", i), "mill", "farm", 50_000, day.Format(time.DateOnly), "豆粕饲料"),
			inv(fmt.Sprint("P", i), "farm", "mill", 50_500, day.AddDate(0, 0, 9).Format(time.DateOnly), "生猪"))
	}
	for name, c := range map[string]struct {
		docs []chain.Document
		want int
	}{
		"mutual trade of different goods":     {mutual, 0},
		"the same goods there and back":       {[]chain.Document{inv("1", "a", "b", 1000, "2026-03-01", "大豆油"), inv("2", "b", "a", 1050, "2026-03-08", "*食用油*大豆油 5L")}, 1},
		"goods of one side not named, far":    {[]chain.Document{inv("1", "a", "b", 1000, "2026-03-01", "大豆油"), inv("2", "b", "a", 1090, "2026-03-08", "")}, 0},
		"one coincidence in much other trade": {append([]chain.Document{inv("1", "a", "b", 1000, "2026-03-01", ""), inv("2", "b", "a", 1010, "2026-03-08", "")}, inv("3", "a", "b", 9000, "2025-03-01", ""), inv("4", "b", "a", 7000, "2024-03-01", "")), 0},
		"a firm that supplies itself":         {[]chain.Document{inv("1", "a", "a", 1000, "2026-03-01", ""), inv("2", "a", "a", 1000, "2026-03-02", "")}, 0},
		"cancelled":                           {[]chain.Document{inv("1", "a", "b", 1000, "2026-03-01", "油"), with(inv("2", "b", "a", 1000, "2026-03-08", "油"), func(d *chain.Document) { d.Void = true })}, 0},
		"no date":                             {[]chain.Document{inv("1", "a", "b", 1000, "", "油"), inv("2", "b", "a", 1000, "?", "油")}, 0},
	} {
		if got := fraud.Circles(c.docs, fraud.DefaultRules()); len(got) != c.want {
			t.Errorf("%s: %d findings, want %d: %+v", name, len(got), c.want, got)
		}
	}
}

// TestCirclesAreThose of the definition, on all ways through small books.
func TestCirclesAreThoseOfTheDefinition(t *testing.T) {
	t.Parallel()
	rules := fraud.DefaultRules()
	rapid.Check(t, func(t *rapid.T) {
		var docs []chain.Document
		for i := range rapid.IntRange(0, 12).Draw(t, "n") {
			a, b := rapid.IntRange(0, 4).Draw(t, "a"), rapid.IntRange(0, 4).Draw(t, "b")
			d := doc(chain.Invoice, fmt.Sprint(i), fmt.Sprint(a), fmt.Sprint(b), rapid.SampledFrom([]int64{1000, 1090, 2000}).Draw(t, "yuan"), "")
			d.Date = time.Date(2026, 1, rapid.IntRange(1, 80).Draw(t, "day"), 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
			docs = append(docs, with(d, goods("油")))
		}
		want := map[string]bool{} // firms on a circle
		var walk func(path []chain.Document)
		walk = func(path []chain.Document) {
			first, last := path[0], path[len(path)-1]
			for _, d := range docs {
				ratio := float64(d.Amount) / float64(first.Amount)
				days := func(x string) int { v, _ := money.ParseDate(x); return int(v) }
				if d.SellerID != last.BuyerID || d.SellerID == d.BuyerID || d.ID == last.ID || d.Date < last.Date || days(d.Date)-days(first.Date) > rules.CircleDays || ratio < 0.9 || ratio > 1.1 {
					continue
				}
				seen := false
				for _, p := range path {
					seen = seen || p.SellerID == d.BuyerID && d.BuyerID != first.SellerID
				}
				switch {
				case seen:
				case d.BuyerID == first.SellerID:
					for _, p := range append(path, d) {
						want[p.SellerID] = true
					}
				case len(path)+1 < rules.CircleHops:
					walk(append(path[:len(path):len(path)], d))
				}
			}
		}
		for _, d := range docs {
			if d.SellerID != d.BuyerID {
				walk([]chain.Document{d})
			}
		}
		got := map[string]bool{}
		for _, f := range fraud.Circles(docs, rules) {
			for _, id := range f.FirmIDs {
				got[id] = true
			}
		}
		if len(got) != len(want) {
			t.Fatalf("firms on circles %v, want %v", got, want)
		}
		for id := range want {
			if !got[id] {
				t.Fatalf("%s is not found", id)
			}
		}
	})
}

func TestCashReturned(t *testing.T) {
	t.Parallel()
	pay := func(n, from, to string, yuan int64, date string) chain.Document {
		return doc(chain.Payment, n, to, from, yuan, date)
	}
	for name, c := range map[string]struct {
		docs   []chain.Document
		behind []string // payments for an invoice
		want   int
	}{
		"straight back":               {[]chain.Document{pay("1", "a", "b", 100_000, "2026-03-01"), pay("2", "b", "a", 98_000, "2026-03-05")}, []string{"1"}, 1},
		"back by a third, less a fee": {[]chain.Document{pay("1", "a", "b", 100_000, "2026-03-01"), pay("2", "b", "c", 96_000, "2026-03-05"), pay("3", "c", "a", 94_000, "2026-03-09")}, []string{"1"}, 1},
		"both ways for goods":         {[]chain.Document{pay("1", "a", "b", 100_000, "2026-03-01"), pay("2", "b", "a", 98_000, "2026-03-05")}, []string{"1", "2"}, 0},
		"too late":                    {[]chain.Document{pay("1", "a", "b", 100_000, "2026-03-01"), pay("2", "b", "a", 98_000, "2026-05-05")}, nil, 0},
		"before":                      {[]chain.Document{pay("1", "a", "b", 98_000, "2026-03-05"), pay("2", "b", "a", 150_000, "2026-03-01")}, nil, 0},
		"half of it":                  {[]chain.Document{pay("1", "a", "b", 100_000, "2026-03-01"), pay("2", "b", "a", 50_000, "2026-03-05")}, nil, 0},
		"small change":                {[]chain.Document{pay("1", "a", "b", 900, "2026-03-01"), pay("2", "b", "a", 900, "2026-03-05")}, nil, 0},
		"a refund is not a return":    {[]chain.Document{pay("1", "a", "b", 100_000, "2026-03-01"), pay("2", "a", "b", -100_000, "2026-03-05")}, nil, 0},
	} {
		behind := map[string]bool{}
		for _, d := range c.docs {
			for _, n := range c.behind {
				behind[d.ID] = behind[d.ID] || d.Number == n
			}
		}
		got := fraud.CashReturned(c.docs, func(id string) bool { return behind[id] }, fraud.DefaultRules())
		if len(got) != c.want {
			t.Errorf("%s: %d findings, want %d", name, len(got), c.want)
		}
		for _, f := range got {
			if len(f.Documents) != len(c.docs) || f.Kind != chain.CashReturned {
				t.Errorf("%s: %+v", name, f)
			}
		}
	}
}

func TestRelated(t *testing.T) {
	t.Parallel()
	sells := []fraud.Pair{{SellerID: "s", BuyerID: "b"}}
	firm := func(id string, edit func(*chain.Party)) chain.Party {
		p := chain.Party{ID: id, Name: "青穗" + id + "公司"}
		edit(&p)
		return p
	}
	both := func(edit func(*chain.Party)) []chain.Party { return []chain.Party{firm("s", edit), firm("b", edit)} }
	crowd := func(n int, edit func(*chain.Party)) []chain.Party {
		var out []chain.Party
		for i := range n {
			out = append(out, firm(fmt.Sprint("x", i), edit))
		}
		return out
	}
	phone := func(s string) func(*chain.Party) { return func(p *chain.Party) { p.Phone = s } }
	address := func(s string) func(*chain.Party) { return func(p *chain.Party) { p.Address = s } }
	person := func(s string) func(*chain.Party) { return func(p *chain.Party) { p.LegalRep = s } }
	owned := func(s string) func(*chain.Party) { return func(p *chain.Party) { p.Controller = s } }
	cat := func(l ...[]chain.Party) (out []chain.Party) {
		for _, x := range l {
			out = append(out, x...)
		}
		return out
	}
	for name, c := range map[string]struct {
		firms []chain.Party
		pairs []fraud.Pair
		ties  string
	}{
		"nothing known":                   {both(func(*chain.Party) {}), sells, ""},
		"blank and dummy fields":          {both(func(p *chain.Party) { p.Phone, p.LegalRep, p.Address, p.Controller = "0000-0000000", "无", "-", " " }), sells, ""},
		"one phone, written in two ways":  {[]chain.Party{firm("s", phone("+86 139-0000-0001")), firm("b", phone("１３９００００００１"))}, sells, ""},
		"one phone":                       {[]chain.Party{firm("s", phone("+86 139-0000-0001")), firm("b", phone("１３９０００００００１"))}, sells, "phone"},
		"one house":                       {both(address("青穗县云垄镇12号")), sells, "address"},
		"one town":                        {both(address("青穗县云垄镇")), sells, ""},
		"an agency's address":             {cat(both(address("青穗县政务大道1号")), crowd(10_000, address("青穗县政务大道 1号"))), sells, ""},
		"one representative":              {cat(both(person("司马清禾")), crowd(500, func(*chain.Party) {})), sells, "person"},
		"namesakes where names are few":   {cat(both(person("王伟")), crowd(100, person("王伟"))), sells, ""},
		"representative controls buyer":   {[]chain.Party{firm("s", person("司马清禾")), firm("b", owned("司马清禾"))}, sells, "person"},
		"one firm over both":              {both(owned("青穗控股集团有限公司")), sells, "controller"},
		"seller is the buyer's parent":    {[]chain.Party{firm("s", func(*chain.Party) {}), firm("b", owned("青穗s公司"))}, sells, "controller"},
		"grandparent":                     {[]chain.Party{firm("s", func(*chain.Party) {}), firm("m", owned("s")), firm("b", owned("m"))}, sells, "controller"},
		"ownership in a cycle":            {[]chain.Party{firm("s", owned("b")), firm("b", owned("c")), firm("c", owned("s")), firm("d", owned("d"))}, sells, "controller"},
		"related, but they do not trade":  {both(phone("13900000001")), nil, ""},
		"two suppliers of one buyer":      {[]chain.Party{firm("s", phone("13900000001")), firm("z", phone("13900000001")), firm("b", func(*chain.Party) {})}, append(sells, fraud.Pair{SellerID: "z", BuyerID: "b"}), "phone"},
		"two suppliers of different ones": {[]chain.Party{firm("s", phone("13900000001")), firm("z", phone("13900000001")), firm("b", func(*chain.Party) {}), firm("c", func(*chain.Party) {})}, append(sells, fraud.Pair{SellerID: "z", BuyerID: "c"}), ""},
		"a firm that supplies itself":     {[]chain.Party{firm("s", phone("13900000001"))}, []fraud.Pair{{SellerID: "s", BuyerID: "s"}}, ""},
	} {
		got := fraud.Related(c.firms, c.pairs, fraud.DefaultRules())
		switch {
		case c.ties == "" && len(got) > 0, c.ties != "" && (len(got) != 1 || got[0].Evidence["ties"] != c.ties):
			t.Errorf("%s: %+v, want %q", name, got, c.ties)
		}
	}
}

func TestCapacity(t *testing.T) {
	t.Parallel()
	months := func(n int, edit func(i int, m *chain.TradeMonth)) []chain.TradeMonth {
		out := make([]chain.TradeMonth, n)
		for i := range out {
			out[i] = chain.TradeMonth{Month: time.Date(2024, time.Month(6+i), 1, 0, 0, 0, 0, time.UTC).Format("2006-01"), Sales: 20_000_000, Purchases: 15_000_000}
			edit(i, &out[i])
		}
		return out
	}
	jump := func(sales, purchases money.Fen) func(int, *chain.TradeMonth) {
		return func(i int, m *chain.TradeMonth) {
			if i == 22 {
				m.Sales, m.Purchases = sales, purchases
			}
		}
	}
	for name, c := range map[string]struct {
		months  []chain.TradeMonth
		capital money.Fen
		against string
	}{
		"steady":                     {months(24, jump(22_000_000, 15_000_000)), 100_000_000, ""},
		"jump without purchases":     {months(24, jump(200_000_000, 15_000_000)), 0, "purchases"},
		"jump with purchases":        {months(24, jump(200_000_000, 150_000_000)), 0, ""},
		"purchases not in the books": {months(24, func(i int, m *chain.TradeMonth) { jump(200_000_000, 0)(i, m); m.Purchases = 0 }), 0, "history"},
		"harvest of every year": {months(24, func(i int, m *chain.TradeMonth) {
			*m = chain.TradeMonth{Month: m.Month, Sales: 1_000_000}
			if i%12 == 4 {
				m.Sales = 300_000_000
			}
		}), 0, ""},
		"a young firm that grows": {months(8, func(i int, m *chain.TradeMonth) { m.Sales = money.Fen(20_000_000 << i) }), 0, ""},
		"the month that is not over": {months(24, func(i int, m *chain.TradeMonth) {
			if i == 23 {
				m.Sales, m.Purchases, m.Partial = 200_000_000, 0, true
			}
		}), 0, ""},
		"far beyond its capital": {months(24, func(_ int, m *chain.TradeMonth) { m.Sales = 500_000_000 }), 10_000_000, "capital"},
		"capital not known":      {months(24, func(_ int, m *chain.TradeMonth) { m.Sales = 500_000_000 }), 0, ""},
		"nothing":                {nil, 10_000_000, ""},
	} {
		got := fraud.Capacity("s", c.months, c.capital, fraud.DefaultRules())
		if c.against == "" && len(got) > 0 || c.against != "" && (len(got) != 1 || got[0].Evidence["against"] != c.against) {
			t.Errorf("%s: %+v, want %q", name, got, c.against)
		}
	}
}
