package receivable

import (
	"math/bits"
	"slices"

	"github.com/furrowcredit/furrow/money"
)

// ProRata divides amount by weights, which are not negative, so that the shares sum to
// amount exactly and none exceeds its weight while amount is at most their sum. Each
// gets the floor of amount × weight / sum; the fen that are left go to the largest
// remainders, on a tie to the earlier one (the method of Hare and Niemeyer). Without
// any weight, or with amount 0, all shares are 0.
func ProRata(amount money.Fen, weights []money.Fen) []money.Fen {
	shares := make([]money.Fen, len(weights))
	var total uint64
	for _, w := range weights {
		total += uint64(w)
	}
	if total == 0 || amount <= 0 {
		return shares
	}
	order := make([]int, len(weights))
	rest := make([]uint64, len(weights))
	left := amount
	for i, w := range weights {
		hi, lo := bits.Mul64(uint64(amount), uint64(w))
		q, r := bits.Div64(hi, lo, total) // hi < total, because w <= total and amount < 2^63
		shares[i], rest[i], order[i] = money.Fen(q), r, i
		left -= money.Fen(q)
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case rest[a] > rest[b]:
			return -1
		case rest[a] < rest[b]:
			return 1
		}
		return 0
	})
	for _, i := range order[:left] {
		shares[i]++
	}
	return shares
}

// shares divides a payment over what is open, in the order of the parts.
func (r Receivable) shares(amount money.Fen) []Share {
	var open []Part
	var weights []money.Fen
	for _, p := range r.Parts {
		if p.Open() > 0 {
			open, weights = append(open, p), append(weights, p.Open())
		}
	}
	var out []Share
	for i, part := range ProRata(amount, weights) {
		if part == 0 {
			continue
		}
		s := Share{PartID: open[i].ID, HolderID: open[i].HolderID, ToHolder: part}
		if h := open[i].Hold; h != nil && h.Kind == Pledged {
			s.Funder, s.ToFunder = h.Funder, min(part, h.Owed)
			s.ToHolder -= s.ToFunder
		}
		out = append(out, s)
	}
	return out
}
