// Package fraud finds patterns of fraud in trade documents and registers: invoices
// that serve twice, trade and money that go in a circle, one hand on both sides,
// more invoices than a firm can have sold. Each finding shows its documents.
package fraud

import (
	"slices"
	"strconv"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/money"
)

// Rules are the thresholds; docs/formats/flow.md has the reason of each.
type Rules struct {
	CircleHops     int     // longest circle of sales looked for
	CircleDays     int     // it closes within so many days
	CirclePermille int64   // its amounts are this close to the first
	CircleGoods    float64 // and its goods alike (goods.Dice), where they are named
	BlankPermille  int64   // amounts are this close where they are not
	MutualShare    float64 // a circle of two firms that name no goods is this part of what they sell each other

	CashHops         int       // longest way of money looked for
	CashDays         int       // it is back within so many days
	CashKeptPermille int64     // those on the way keep at most this part
	CashMin          money.Fen // smaller sums are looked at by nobody

	SharedBy       int     // a phone or address of more firms than this is an agency's
	FalseDiscovery float64 // names of persons count while at most this part of the hits is chance

	JumpTimes     float64   // a month so many times the largest of the year before is a jump
	JumpMonths    int       // months of history without which nothing is a jump
	JumpMin       money.Fen // and at least this much
	InputTimes    float64   // and purchases fell to one part in so many of what such sales use to need
	CapitalTimes  int64     // sales of 12 months by registered capital
	CapitalAmount money.Fen // and at least this much
}

// DefaultRules are the thresholds that the house starts with.
func DefaultRules() Rules {
	return Rules{
		CircleHops: 5, CircleDays: 60, CirclePermille: 100, CircleGoods: 0.6, BlankPermille: 50, MutualShare: 0.3,
		CashHops: 3, CashDays: 30, CashKeptPermille: 100, CashMin: 1_000_000,
		SharedBy: 5, FalseDiscovery: 0.1,
		JumpTimes: 5, JumpMonths: 12, JumpMin: 50_000_000, InputTimes: 2,
		CapitalTimes: 300, CapitalAmount: 3_000_000_000,
	}
}

// valid keeps the invoices, or other documents, that count: of a kind, not cancelled,
// of a positive amount and a readable date, each number of a pair once.
func valid(docs []chain.Document, kind chain.DocKind) []leg {
	type id struct{ seller, buyer, number, code string }
	seen := map[id]int{}
	var out []leg
	for i := range docs {
		d := &docs[i]
		if d.Kind != kind || d.Void || d.Amount <= 0 || d.SellerID == d.BuyerID {
			continue
		}
		day, err := money.ParseDate(d.Date)
		if err != nil {
			continue
		}
		l := leg{doc: d, from: d.SellerID, to: d.BuyerID, day: int(day), amount: d.Amount}
		if n := chain.NumberKey(d.Number); n != "" {
			k := id{d.SellerID, d.BuyerID, n, chain.NumberKey(d.Code)}
			if at, twice := seen[k]; twice {
				if d.ID < out[at].doc.ID {
					out[at] = l
				}
				continue
			}
			seen[k] = len(out)
		}
		out = append(out, l)
	}
	return out
}

func distinct(s []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(s)))
}

// near says whether a is within permille of b.
func near(a, b money.Fen, permille int64) bool {
	return int64(max(a-b, b-a)) <= int64(b)/1000*permille+int64(b)%1000*permille/1000
}

func ratio(x float64) string { return strconv.FormatFloat(x, 'f', 2, 64) }
