package contagion

import (
	"context"
	"math"
	"slices"
)

// Debt is what a debtor owes a creditor: places in the list of firms.
type Debt struct {
	Debtor, Creditor uint32
	Amount           float64
}

// debts are a firm's debts in compressed rows: to is the creditor, share the amount.
func debts(n int, list []Debt) rows {
	return pack(n, list, func(d Debt) (uint32, uint32, float64) { return d.Debtor, d.Creditor, d.Amount })
}

func checkDebts(n int, list []Debt) error {
	for _, d := range list {
		switch {
		case int(d.Debtor) >= n || int(d.Creditor) >= n:
			return ErrFirm.With("id", max(d.Debtor, d.Creditor))
		case d.Debtor == d.Creditor:
			return ErrSelf.With("id", d.Creditor)
		case !(d.Amount >= 0) || math.IsInf(d.Amount, 0):
			return ErrAmount.With("value", d.Amount).With("what", "a debt").With("why", "give 0 or more")
		}
	}
	return nil
}

// checkAll refuses numbers that are not finite or below least.
func checkAll(n int, list []float64, what string, least float64) error {
	if len(list) != n {
		return ErrAmount.With("value", len(list)).With("what", "the number of "+what).With("why", "give one for each firm")
	}
	for _, v := range list {
		if !(v >= least) || math.IsInf(v, 0) {
			return ErrAmount.With("value", v).With("what", what).With("why", "give a number, 0 or more")
		}
	}
	return nil
}

// Distress is what DebtRank finds. Lists are by firm.
type Distress struct {
	Stress    []float64 // part of the equity lost, 0 to 1
	Equity    []float64 // after the shock; below 0 when more than all of it is lost
	Index     float64   // of the economic value of all firms, what the spreading adds to the shock itself
	Rounds    int
	Converged bool
}

// DebtRank spreads losses of equity (Bardoscia et al. 2015, linear):
//
//	h_i(t+1) = min(1, h_i(t) + sum_j L_ij (h_j(t) - h_j(t-1))),  L_ij = A_ij / E_i(0)
//
// where A_ij is what j owes i. equity is E(0) by firm; loss is what the shock takes of
// it, in the unit of the debts, and may exceed it. A firm without equity is lost from
// the first loss on. It returns ErrFirm, ErrSelf, ErrAmount or ctx's error.
func DebtRank(ctx context.Context, equity, loss []float64, list []Debt, p Params) (*Distress, error) {
	return debtRank(ctx, equity, loss, list, p, false)
}

// SingleHit spreads losses of equity by the original DebtRank (Battiston et al. 2012):
// as the linear one with L_ij at most 1, but each firm passes on only once, in the
// round after it was first hit, what it had lost by then.
func SingleHit(ctx context.Context, equity, loss []float64, list []Debt, p Params) (*Distress, error) {
	return debtRank(ctx, equity, loss, list, p, true)
}

func debtRank(ctx context.Context, equity, loss []float64, list []Debt, p Params, once bool) (*Distress, error) {
	n := len(equity)
	if err := checkDebts(n, list); err != nil {
		return nil, err
	}
	if err := checkAll(n, equity, "equity", math.Inf(-1)); err != nil {
		return nil, err
	}
	if err := checkAll(n, loss, "losses", 0); err != nil {
		return nil, err
	}
	d := &Distress{Stress: make([]float64, n), Equity: slices.Clone(equity)}
	lent := debts(n, list)
	for k, i := range lent.to { // L of the formula, once
		lent.share[k] = stress(lent.share[k], equity[i])
		if once {
			lent.share[k] = min(lent.share[k], 1)
		}
	}
	told := make([]float64, n)  // what the creditors know of a firm's stress
	taken := make([]float64, n) // sum of L_ij h_j and the shock, not capped
	var front, hit []uint32
	for i, l := range loss {
		if l > 0 {
			taken[i] = stress(l, equity[i])
			d.Stress[i] = min(1, taken[i])
			front = append(front, uint32(i))
		}
	}
	struck := slices.Clone(d.Stress)
	waiting := make([]bool, n)
	for len(front) > 0 && d.Rounds < p.rounds() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		d.Rounds++
		hit = hit[:0]
		for _, j := range front {
			grown := d.Stress[j] - told[j]
			told[j] = d.Stress[j]
			to, leverage := lent.of(j)
			for k, i := range to {
				if taken[i] += leverage[k] * grown; !waiting[i] {
					waiting[i] = true
					hit = append(hit, i)
				}
			}
		}
		// Only now may stress change: a round sees the values of the one before. Firms
		// are taken in their order, which is how they lie in memory.
		if len(hit) < n/16 {
			slices.Sort(hit)
		} else {
			hit = hit[:0]
			for i, w := range waiting {
				if w {
					hit = append(hit, uint32(i))
				}
			}
		}
		front = front[:0]
		for _, i := range hit {
			waiting[i] = false
			d.Stress[i] = min(1, taken[i])
			if grown := d.Stress[i] - told[i]; grown > p.tolerance() && (!once || told[i] == 0) {
				front = append(front, i)
			}
		}
	}
	d.Converged = len(front) == 0
	d.settle(loss, struck, told, list)
	return d, nil
}

// stress is a loss in parts of equity; without equity any loss is all.
func stress(loss, equity float64) float64 {
	switch {
	case loss <= 0:
		return 0
	case equity > 0:
		return loss / equity
	}
	return math.Inf(1)
}

// settle writes off what creditors know to be lost, and weighs the stress by what firms have lent, as the
// index of Battiston et al. does; where nobody has lent, by equity.
func (d *Distress) settle(loss, struck, told []float64, list []Debt) {
	value := make([]float64, len(loss))
	for _, b := range list {
		d.Equity[b.Creditor] -= b.Amount * told[b.Debtor]
		value[b.Creditor] += b.Amount
	}
	all, sum := 0.0, 0.0
	for i := range loss {
		d.Equity[i] -= loss[i]
		all += value[i]
		sum += value[i] * (d.Stress[i] - struck[i])
	}
	d.Index = part(sum, all)
}
