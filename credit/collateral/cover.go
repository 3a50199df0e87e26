package collateral

import (
	"cmp"
	"math/bits"
	"slices"

	"github.com/furrowcredit/furrow/money"
)

// one is a whole in basis points.
const one = 10_000

// portion is amount × num / den rounded down, for what is not negative; den > num or the
// result fits anyway, because amounts stay below 2^60.
func portion(amount money.Fen, num, den int64) money.Fen {
	hi, lo := bits.Mul64(uint64(max(0, amount)), uint64(max(0, num)))
	if hi >= uint64(den) {
		return 1<<63 - 1
	}
	q, _ := bits.Div64(hi, lo, uint64(den))
	return money.Fen(min(q, 1<<63-1))
}

// portionUp is portion rounded up.
func portionUp(amount money.Fen, num, den int64) money.Fen {
	hi, lo := bits.Mul64(uint64(max(0, amount)), uint64(max(0, num)))
	if hi >= uint64(den) {
		return 1<<63 - 1
	}
	q, r := bits.Div64(hi, lo, uint64(den))
	if r > 0 {
		q++
	}
	return money.Fen(min(q, 1<<63-1))
}

// Cover is how a pool stands against what is owed.
type Cover struct {
	Assets  int       `json:"assets"`  // held
	Unknown int       `json:"unknown"` // of them without a value: they count for nothing
	Value   money.Fen `json:"value"`   // Σ low value less claims before ours
	Advance money.Fen `json:"advance"` // Σ of that × advance rate
	Owed    money.Fen `json:"owed"`
	// CoverBP is Advance of Owed, ValueBP is Value of Owed, in basis points rounded down;
	// absent while nothing is owed.
	CoverBP *int64 `json:"cover_bp,omitempty"`
	ValueBP *int64 `json:"value_bp,omitempty"`
	// Shortfall is what must be repaid for the cover that cures a margin call, 0 while
	// the cover is above the call level.
	Shortfall money.Fen `json:"shortfall"`
}

// Measure sets a pool against what is owed.
func Measure(p Pool, owed money.Fen) Cover {
	c := Cover{Owed: max(0, owed)}
	for _, a := range p.Assets {
		if a.Status != Held {
			continue
		}
		c.Assets++
		if !a.Value.Known {
			c.Unknown++
		}
		c.Value += a.Worth()
		c.Advance += a.Advance()
	}
	if c.Owed > 0 {
		cover, value := ratio(c.Advance, c.Owed), ratio(c.Value, c.Owed)
		c.CoverBP, c.ValueBP = &cover, &value
	}
	if p.Terms.short(c) {
		c.Shortfall = p.Terms.repay(c)
	}
	return c
}

func ratio(part, whole money.Fen) int64 {
	return int64(portion(part, one, int64(whole)))
}

// short says whether the cover is below the call level.
func (t CoverTerms) short(c Cover) bool {
	return t.CallBP > 0 && c.Owed > 0 && c.Advance < portionUp(c.Owed, t.CallBP, one)
}

// cured says whether a call that is open is met.
func (t CoverTerms) cured(c Cover) bool {
	return t.CallBP == 0 || c.Owed == 0 || c.Advance >= portionUp(c.Owed, t.CureBP, one)
}

// repay is what brings the cover up to the level that cures.
func (t CoverTerms) repay(c Cover) money.Fen {
	return max(0, c.Owed-portion(c.Advance, one, t.CureBP))
}

// add is on how much more must be lent for the same.
func (t CoverTerms) add(c Cover) money.Fen {
	return max(0, portionUp(c.Owed, t.CureBP, one)-c.Advance)
}

// FirstRepay is what must be repaid before the assets with those ids may leave: what stays
// must be worth at least ReleaseBP of what is still owed, and not call for more cover.
// Ids that the pool does not hold count for nothing.
func FirstRepay(p Pool, owed money.Fen, ids []string) money.Fen {
	after := p
	after.Assets = slices.Clone(p.Assets)
	for i := range after.Assets {
		if slices.Contains(ids, after.Assets[i].ID) {
			after.Assets[i].Status = Released
		}
	}
	return p.Terms.firstRepay(Measure(after, owed))
}

func (t CoverTerms) firstRepay(after Cover) money.Fen {
	most := portion(after.Value, one, t.ReleaseBP)
	if t.CallBP > 0 {
		most = min(most, portion(after.Advance, one, t.CallBP))
	}
	return max(0, after.Owed-most)
}

// Releasable are the assets that may leave when so much is owed: as many as can be, the
// least worth first, those of equal worth by id. It is empty when the product releases
// nothing in part.
func Releasable(p Pool, owed money.Fen) []Asset {
	out := []Asset{}
	if p.Terms.ReleaseBP == 0 || p.Closed {
		return out
	}
	held := p.Holds()
	slices.SortFunc(held, func(a, b Asset) int { return cmp.Or(cmp.Compare(a.Worth(), b.Worth()), cmp.Compare(a.ID, b.ID)) })
	c := Measure(p, owed)
	for _, a := range held {
		if !a.Value.Known { // nobody knows what would leave
			continue
		}
		next := c
		next.Value -= a.Worth()
		next.Advance -= a.Advance()
		if p.Terms.firstRepay(next) > 0 {
			break
		}
		c = next
		out = append(out, a)
	}
	return out
}

// splitProceeds gives net to the loans in their order, each up to what it owes; the rest
// is the borrower's.
func splitProceeds(net money.Fen, debts []Debt) (shares []LoanShare, excess money.Fen) {
	shares = []LoanShare{}
	for _, d := range debts {
		if x := min(net, max(0, d.Owed)); x > 0 && !d.Drawing {
			shares = append(shares, LoanShare{d.LoanID, x})
			net -= x
		}
	}
	return shares, net
}
