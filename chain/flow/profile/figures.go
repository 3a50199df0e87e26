// Package profile tells what invoices alone say of a firm: turnover by month, whom
// it depends on, how steady it sells, what is cancelled and taken back. It reads
// exports of invoices of any size in one pass.
package profile

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/money"
)

// Invoice is what of an invoice counts. Amount is with tax and negative for a
// red-letter one. Other tells counterparties apart, ID invoices.
type Invoice struct {
	Day    money.Date
	Out    bool // written by the firm; else received
	Void   bool
	Amount money.Fen
	Tax    money.Fen
	Other  uint64
	ID     uint64
}

// Unknown is why a figure has no value.
type Unknown string

// Reasons.
const (
	NoInvoices    Unknown = "no_invoices"    // of that side, in the time looked at
	ShortHistory  Unknown = "short_history"  // too few whole months
	NothingBefore Unknown = "nothing_before" // no sales a year before to compare with
)

// Side is the invoices that a firm wrote, or those that it received.
type Side struct {
	Invoices int       `json:"invoices"` // valid ones, red-letter ones not counted
	Void     int       `json:"void"`
	Returned int       `json:"returned"` // red-letter ones
	Amount   money.Fen `json:"amount"`   // net of what was taken back, with tax
	Tax      money.Fen `json:"tax"`
	Back     money.Fen `json:"back"` // taken back
	Partners int       `json:"partners"`
}

// VoidShare is the part of cancelled ones among all invoices.
func (s Side) VoidShare() (float64, Unknown) {
	return share(float64(s.Void), float64(s.Void+s.Invoices+s.Returned))
}

// ReturnedShare is the part of red-letter ones among the valid invoices.
func (s Side) ReturnedShare() (float64, Unknown) {
	return share(float64(s.Returned), float64(s.Invoices+s.Returned))
}

// BackShare is the part of the amount that was taken back.
func (s Side) BackShare() (float64, Unknown) { return share(float64(s.Back), float64(s.Amount+s.Back)) }

func share(part, whole float64) (float64, Unknown) {
	if whole <= 0 {
		return 0, NoInvoices
	}
	return part / whole, ""
}

// Sum adds up one side over the days from..to.
func Sum(rows []Invoice, out bool, from, to money.Date) Side {
	var s Side
	partners := map[uint64]bool{}
	for i := range rows {
		r := &rows[i]
		if r.Out != out || r.Day < from || r.Day > to {
			continue
		}
		switch {
		case r.Void:
			s.Void++
			continue
		case r.Amount < 0:
			s.Returned++
			s.Back -= r.Amount
		default:
			s.Invoices++
		}
		s.Amount, s.Tax = s.Amount+r.Amount, s.Tax+r.Tax
		partners[r.Other] = true
	}
	s.Partners = len(partners)
	return s
}

// Concentration is the Herfindahl-Hirschman index of a side's counterparties over
// the days from..to, the sum of their squared shares of the net amount, and the
// largest share. Those that sum to less than nothing count for none.
func Concentration(rows []Invoice, out bool, from, to money.Date) (hhi, top float64, why Unknown) {
	by := map[uint64]money.Fen{}
	for i := range rows {
		if r := &rows[i]; r.Out == out && !r.Void && r.Day >= from && r.Day <= to {
			by[r.Other] += r.Amount
		}
	}
	var amounts []money.Fen
	var total money.Fen
	for _, a := range by {
		if a > 0 {
			amounts = append(amounts, a)
			total += a
		}
	}
	if total <= 0 {
		return 0, 0, NoInvoices
	}
	slices.Sort(amounts) // sums of floats must not depend on the order of a map
	for _, a := range amounts {
		x := float64(a) / float64(total)
		hhi += x * x
		top = x
	}
	return min(1, hhi), top, ""
}

// Series is the trade by calendar month, oldest first and none left out, up to the
// month of asOf and at most so many months. The first month of all is Partial, as
// nobody knows when in it the books begin, and so is the last when asOf is not its
// last day. Rows later than asOf are left out.
func Series(rows []Invoice, asOf money.Date, months int) []chain.TradeMonth {
	first := asOf + 1
	for i := range rows {
		first = min(first, rows[i].Day)
	}
	if first > asOf || months < 1 {
		return []chain.TradeMonth{}
	}
	end := monthNo(asOf)
	start := max(monthNo(first), end-months+1)
	out := make([]chain.TradeMonth, end-start+1)
	for i := range out {
		out[i].Month = monthName(start + i)
	}
	out[0].Partial = start == monthNo(first)
	if monthNo(asOf+1) == end {
		out[len(out)-1].Partial = true
	}
	for i := range rows {
		r := &rows[i]
		if r.Day > asOf {
			continue
		}
		n := monthNo(r.Day) - start
		if n < 0 {
			continue
		}
		m := &out[n]
		switch {
		case r.Out && r.Void:
			m.Void++
		case r.Out:
			m.Sales += r.Amount
			if r.Amount >= 0 {
				m.Invoices++
			}
		case !r.Void:
			m.Purchases += r.Amount
		}
	}
	return out
}

// monthNo counts months since January 1970.
func monthNo(d money.Date) int {
	t := time.Unix(int64(d)*86400, 0).UTC()
	return (t.Year()-1970)*12 + int(t.Month()) - 1
}

func monthName(n int) string {
	return time.Date(1970, time.Month(n+1), 1, 0, 0, 0, 0, time.UTC).Format("2006-01")
}

// Whole drops the partial months at both ends.
func Whole(months []chain.TradeMonth) []chain.TradeMonth {
	for len(months) > 0 && months[0].Partial {
		months = months[1:]
	}
	for len(months) > 0 && months[len(months)-1].Partial {
		months = months[:len(months)-1]
	}
	return months
}

// Months that growth and variation need.
const (
	growthMonths    = 3
	variationMonths = 6
	variationLast   = 24
)

// Growth is the sales of the last months over those of the same months a year
// before, less 1: of 12 months, or of as many as have a year before them, at least
// 3. Only whole months count, so that season and half months do not look like growth.
func Growth(months []chain.TradeMonth) (float64, Unknown) {
	m := Whole(months)
	k := min(12, len(m)-12)
	if k < growthMonths {
		return 0, ShortHistory
	}
	var now, before money.Fen
	for i := range k {
		now += m[len(m)-1-i].Sales
		before += m[len(m)-13-i].Sales
	}
	if before <= 0 {
		return 0, NothingBefore
	}
	return float64(now)/float64(before) - 1, ""
}

// Variation is the standard deviation of monthly sales by their mean, over the last
// 24 whole months or as many as there are, at least 6. Months without sales count.
func Variation(months []chain.TradeMonth) (float64, Unknown) {
	m := Whole(months)
	m = m[max(0, len(m)-variationLast):]
	if len(m) < variationMonths {
		return 0, ShortHistory
	}
	var mean, square float64
	for _, x := range m {
		mean += float64(x.Sales) / float64(len(m))
	}
	if mean <= 0 {
		return 0, NoInvoices
	}
	for _, x := range m {
		d := float64(x.Sales) - mean
		square += d * d / float64(len(m))
	}
	return math.Sqrt(square) / mean, ""
}

// Median returns the value at which half of the weight is reached, 0 for none.
func Median(values []float64, weights []money.Fen) float64 {
	order := make([]int, len(values))
	var total money.Fen
	for i := range order {
		order[i] = i
		total += weights[i]
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(cmp.Compare(values[a], values[b]), cmp.Compare(a, b)) })
	var sum money.Fen
	for _, i := range order {
		if sum += weights[i]; sum*2 >= total {
			return values[i]
		}
	}
	return 0
}
