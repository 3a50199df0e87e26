package contagionbench

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/chain/contagion"
)

// debts are three million debts of a million firms, as uneven as their trade, and what
// each firm has: own lies between a half and one and a half times what it lent or owes.
func debts(n, m int) (list []contagion.Debt, owed, own []float64) {
	_, links := network(n, m)
	rng := rand.New(rand.NewPCG(3, 4))
	lent := make([]float64, n)
	owed, own = make([]float64, n), make([]float64, n)
	for _, l := range links {
		list = append(list, contagion.Debt{Debtor: l.Buyer, Creditor: l.Supplier, Amount: l.Amount})
		lent[l.Supplier] += l.Amount
		owed[l.Buyer] += l.Amount
	}
	for i := range own {
		own[i] = (0.5 + rng.Float64()) * max(lent[i], owed[i])
	}
	return list, owed, own
}

// promised bounds the processor time of one model, building included.
const promised = 5 * time.Second

// measure reports the cost of ours and of the plain way of one model: all debts in every
// round, without what names the firms, checks the debts or solves circles exactly.
func measure(b *testing.B, what string, rounds int, difference float64, ours, wall, theirs time.Duration) {
	b.Helper()
	b.Logf("%s: %d rounds, %.2f core-s, %.2f s; plain %.2f core-s; largest difference %g",
		what, rounds, ours.Seconds(), wall.Seconds(), theirs.Seconds(), difference)
	if difference > 1e-7 || ours > promised {
		b.Errorf("%s: %v, promised %v; largest difference %g", what, ours, promised, difference)
	}
}

// BenchmarkEquity spreads the loss of an anchor's equity among a million firms.
func BenchmarkEquity(b *testing.B) {
	const n, m = 1_000_000, 3_000_000
	list, _, own := debts(n, m)
	loss := make([]float64, n)
	for _, i := range []int{0, 1, 1000} {
		loss[i] = own[i] + 1
	}
	for range b.N {
		start, clock := processor(), time.Now()
		d, err := contagion.DebtRank(b.Context(), own, loss, list, contagion.Params{})
		if err != nil || !d.Converged {
			b.Fatal(err)
		}
		ours, wall := processor()-start, time.Since(clock)
		start = processor()
		h := plainStress(list, own, loss)
		theirs, worst := processor()-start, 0.0
		for i := range h {
			worst = max(worst, math.Abs(h[i]-d.Stress[i]))
		}
		measure(b, "DebtRank", d.Rounds, worst, ours, wall, theirs)
	}
}

// plainStress is the formula of Bardoscia et al., all debts in every round.
func plainStress(list []contagion.Debt, equity, loss []float64) []float64 {
	n := len(equity)
	before, now, sum := make([]float64, n), make([]float64, n), make([]float64, n)
	for i, l := range loss {
		if l > 0 {
			sum[i] = l / equity[i]
			now[i] = min(1, sum[i])
		}
	}
	for {
		for _, d := range list {
			if grown := now[d.Debtor] - before[d.Debtor]; grown > 0 {
				sum[d.Creditor] += d.Amount / equity[d.Creditor] * grown
			}
		}
		most := 0.0
		for i := range now {
			before[i], now[i] = now[i], min(1, sum[i])
			most = max(most, now[i]-before[i])
		}
		if most <= 1e-10 {
			return now
		}
	}
}

// BenchmarkClearing pays the debts of a million firms after the anchors failed, without
// default costs (Eisenberg and Noe) and with them (Rogers and Veraart).
func BenchmarkClearing(b *testing.B) {
	const n, m = 1_000_000, 3_000_000
	list, owed, own := debts(n, m)
	assets := make([]float64, n)
	for i := range assets {
		assets[i] = 0.6 * own[i]
	}
	for _, i := range []int{0, 1, 1000} {
		assets[i] = 0
	}
	for range b.N {
		for _, c := range []struct {
			name  string
			costs contagion.Costs
		}{{"Eisenberg and Noe", contagion.NoCosts}, {"Rogers and Veraart", contagion.Costs{Assets: 0.7, Paid: 0.7}}} {
			start, clock := processor(), time.Now()
			got, err := contagion.Clear(b.Context(), contagion.System{Assets: assets, Debts: list}, c.costs)
			if err != nil || !got.Converged {
				b.Fatal(err)
			}
			ours, wall := processor()-start, time.Since(clock)
			start = processor()
			paid := plainPayments(list, owed, assets, c.costs)
			theirs, worst, failed := processor()-start, 0.0, 0
			for i := range paid {
				worst = max(worst, math.Abs(paid[i]-got.Paid[i])/max(owed[i], 1))
				if got.Failed[i] {
					failed++
				}
			}
			b.Logf("%d of %d firms fail", failed, n)
			measure(b, c.name, got.Rounds, worst, ours, wall, theirs)
		}
	}
}

// plainPayments pays in rounds, all debts in every one, from full payment downwards.
func plainPayments(list []contagion.Debt, owed, assets []float64, costs contagion.Costs) []float64 {
	paid, gets := append([]float64(nil), owed...), make([]float64, len(owed))
	for {
		clear(gets)
		for _, d := range list {
			gets[d.Creditor] += d.Amount / owed[d.Debtor] * paid[d.Debtor]
		}
		most := 0.0
		for i, o := range owed {
			if assets[i]+gets[i] >= o*(1-1e-12) {
				continue
			}
			pays := min(o, costs.Assets*assets[i]+costs.Paid*gets[i])
			most = max(most, (paid[i]-pays)/o)
			paid[i] = min(paid[i], pays)
		}
		if most <= 1e-10 {
			return paid
		}
	}
}
