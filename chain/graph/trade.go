package graph

import (
	"slices"
	"time"

	"github.com/furrowcredit/furrow/chain"
)

// Kinds of evidence for a link, the bits of Trade.Kinds.
const (
	Contracts uint8 = 1 << iota
	Orders
	Deliveries
	Invoices
	Payments
	Confirmations
)

// Trade is what is known of a link. The zero Trade is a link that somebody only
// named.
type Trade struct {
	Kinds       uint8  // set of the kinds of documents
	Count       uint32 // documents
	Amount      int64  // fen: invoiced, else ordered
	First, Last int32  // days since 1970-01-01; 0 when not known
}

// Link is an edge and its trade.
type Link struct {
	From, To uint32
	Trade
}

// TradeOf sums up a link of the books.
func TradeOf(l chain.Link) Trade {
	t := Trade{First: Day(l.FirstDate), Last: Day(l.LastDate), Amount: int64(l.Invoiced)}
	if l.Invoices == 0 {
		t.Amount = int64(l.Ordered)
	}
	for i, n := range [...]int{l.Contracts, l.Orders, l.Deliveries, l.Invoices, l.Payments, l.Confirmations} {
		if n > 0 {
			t.Kinds |= 1 << i
			t.Count += uint32(n)
		}
	}
	return t
}

// Add is the trade of two records of the same link.
func (t Trade) Add(o Trade) Trade {
	switch {
	case t.First == 0:
		t.First = o.First
	case o.First != 0:
		t.First = min(t.First, o.First)
	}
	return Trade{t.Kinds | o.Kinds, t.Count + o.Count, t.Amount + o.Amount, t.First, max(t.Last, o.Last)}
}

// Day is the number of days from 1970-01-01 to a date such as "2026-05-31"; 0 for
// anything that is not a date.
func Day(date string) int32 {
	t, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return 0
	}
	return int32(t.Unix() / 86400) //nolint:gosec // years of four digits fit
}

// Date is the date of a number of days; "" for 0.
func Date(day int32) string {
	if day == 0 {
		return ""
	}
	return time.Unix(int64(day)*86400, 0).UTC().Format(time.DateOnly)
}

// trades has one entry an edge in each column.
type trades struct {
	kinds       []uint8
	count       []uint32
	amount      []int64
	first, last []int32
}

func makeTrades(m int) trades {
	return trades{make([]uint8, m), make([]uint32, m), make([]int64, m), make([]int32, m), make([]int32, m)}
}

func (t *trades) set(e int, v Trade) {
	t.kinds[e], t.count[e], t.amount[e], t.first[e], t.last[e] = v.Kinds, v.Count, v.Amount, v.First, v.Last
}

func (t *trades) at(e uint32) Trade {
	if len(t.kinds) == 0 {
		return Trade{}
	}
	return Trade{t.kinds[e], t.count[e], t.amount[e], t.first[e], t.last[e]}
}

// OutTrade is the trade of the link from v to Out(v)[i]; the zero Trade in a graph
// that was built of edges.
func (g *Graph) OutTrade(v uint32, i int) Trade {
	if p := g.out.patch; p != nil {
		return p.trade(&g.out, v, i, g.trades.at)
	}
	return g.trades.at(g.out.start[v] + uint32(i))
}

// InTrade is the trade of the link from In(v)[i] to v.
func (g *Graph) InTrade(v uint32, i int) Trade {
	if p := g.in.patch; p != nil {
		return p.trade(&g.in, v, i, g.inTrade)
	}
	return g.inTrade(g.in.start[v] + uint32(i))
}

func (g *Graph) inTrade(e uint32) Trade {
	if len(g.place) == 0 {
		return Trade{}
	}
	return g.trades.at(g.place[e])
}

// Trade is the trade of the link from one firm to another, summed when it is there
// more than once, and false when there is none.
func (g *Graph) Trade(from, to uint32) (Trade, bool) {
	row := g.Out(from)
	i, found := slices.BinarySearch(row, to)
	if !found {
		return Trade{}, false
	}
	sum := g.OutTrade(from, i)
	for i++; i < len(row) && row[i] == to; i++ {
		sum = sum.Add(g.OutTrade(from, i))
	}
	return sum, true
}
