package fund

import (
	"math/bits"

	"github.com/furrowcredit/furrow/money"
)

// Allocate divides amount over parties by weights, exactly: the shares sum to amount and
// each is within a fen or so of amount × weight / Σ weights. It is the method of Webster:
// fen after fen goes to the party with the largest weight / (2 × share + 1), the first of
// them on a tie. With two parties that is the largest remainder; with more it has what the
// largest remainder lacks: when the amount grows no share shrinks, so that nobody gives
// back a fen because the borrower paid one. A negative amount gives the opposite of the
// positive one. Weights are not negative; without any above zero the first gets all.
func Allocate(weights []int64, amount money.Fen) []money.Fen {
	out := make([]money.Fen, len(weights))
	if len(weights) == 0 || amount == 0 {
		return out
	}
	n := uint64(amount)
	if amount < 0 {
		n = -n
	}
	var sum uint64
	for _, w := range weights {
		sum += uint64(max(w, 0))
	}
	if sum == 0 {
		out[0] = amount
		return out
	}
	shares := make([]uint64, len(weights))
	var given uint64
	for i, w := range weights {
		shares[i] = nearest(n, uint64(max(w, 0)), sum)
		given += shares[i]
	}
	for ; given < n; given++ {
		shares[next(weights, shares)]++
	}
	for ; given > n; given-- {
		shares[last(weights, shares)]--
	}
	for i, s := range shares {
		out[i] = money.Fen(s)
		if amount < 0 {
			out[i] = -out[i]
		}
	}
	return out
}

// nearest is n × w / sum, halves up. w is at most sum, so that the quotient fits.
func nearest(n, w, sum uint64) uint64 {
	hi, lo := bits.Mul64(n, w)
	q, r := bits.Div64(hi, lo, sum)
	if r >= sum-r {
		q++
	}
	return q
}

// next is who gets one fen more: the largest weight / (2 share + 1), first on a tie.
func next(weights []int64, shares []uint64) int {
	best := -1
	for i, w := range weights {
		if w > 0 && (best < 0 || above(w, 2*shares[i]+1, weights[best], 2*shares[best]+1)) {
			best = i
		}
	}
	return best
}

// last is who got the last fen: the smallest weight / (2 share - 1), last on a tie.
func last(weights []int64, shares []uint64) int {
	worst := -1
	for i, w := range weights {
		if shares[i] > 0 && (worst < 0 || !above(w, 2*shares[i]-1, weights[worst], 2*shares[worst]-1)) {
			worst = i
		}
	}
	return worst
}

// above says whether a/x > b/y.
func above(a int64, x uint64, b int64, y uint64) bool {
	hi, lo := bits.Mul64(uint64(a), y)
	hi2, lo2 := bits.Mul64(uint64(b), x)
	return hi > hi2 || hi == hi2 && lo > lo2
}

// Split is what each party gets of a movement that takes a running total from before to
// after: its share of the total after, less its share before. So every row sums to the
// whole, many small payments divide as one large one does, and a total that returns to
// where it was restores every party.
func Split(weights []int64, before, after money.Fen) []money.Fen {
	out := Allocate(weights, after)
	for i, was := range Allocate(weights, before) {
		out[i] -= was
	}
	return out
}
