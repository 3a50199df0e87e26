package contagion

import (
	"context"
	"math"
	"slices"

	"github.com/furrowcredit/furrow/chain/graph"
)

// System is who owes whom. Lists are by firm; all amounts are of one unit.
type System struct {
	Assets  []float64 // what a firm has from outside of the system, 0 or more
	Outside []float64 // what it owes outside, ranking with its debts; nil for nothing
	Debts   []Debt
}

// Costs are what is left of assets when a firm fails: of those from outside and of
// what its debtors pay, each 0 to 1. Without costs (1, 1) clearing is Eisenberg and
// Noe's; with (0, 0) a failed firm pays nothing.
type Costs struct{ Assets, Paid float64 }

// NoCosts leaves all.
var NoCosts = Costs{1, 1}

// Clearing is who pays how much. Lists are by firm.
type Clearing struct {
	Owed      []float64 // to everybody, outside included
	Paid      []float64 // of that
	Equity    []float64 // assets and what debtors pay, less what is owed; below 0 when it fails
	Failed    []bool
	Rounds    int
	Converged bool
}

// rounding is the part of a debt by which the assets may fall short of it unnoticed,
// for sums of floating-point numbers.
const rounding = 1e-12

// clearing is the work of one clearing.
type clearing struct {
	*Clearing
	sys   System
	costs Costs
	in    rows // debtors of each firm with the part of their payments that it gets
	gets  []float64
}

func newClearing(sys System, costs Costs) (*clearing, error) {
	n := len(sys.Assets)
	if sys.Outside == nil {
		sys.Outside = make([]float64, n)
	}
	if err := checkDebts(n, sys.Debts); err != nil {
		return nil, err
	}
	if err := checkAll(n, sys.Assets, "assets", 0); err != nil {
		return nil, err
	}
	if err := checkAll(n, sys.Outside, "debts outside", 0); err != nil {
		return nil, err
	}
	for _, c := range []float64{costs.Assets, costs.Paid} {
		if !(c >= 0 && c <= 1) {
			return nil, ErrAmount.With("value", c).With("what", "what default costs leave").With("why", "give 0 to 1")
		}
	}
	c := &clearing{sys: sys, costs: costs, gets: make([]float64, n), Clearing: &Clearing{
		Owed: slices.Clone(sys.Outside), Equity: make([]float64, n), Failed: make([]bool, n), Converged: true,
	}}
	for _, d := range sys.Debts {
		c.Owed[d.Debtor] += d.Amount
	}
	c.in = pack(n, sys.Debts, func(d Debt) (uint32, uint32, float64) { return d.Creditor, d.Debtor, d.Amount })
	for k, debtor := range c.in.to {
		c.in.share[k] = part(c.in.share[k], c.Owed[debtor])
	}
	c.Paid = slices.Clone(c.Owed)
	return c, nil
}

// Clear finds the greatest clearing vector by the algorithm GA of Rogers and Veraart
// (2013): everybody pays in full; who cannot, fails; the payments of those who failed
// solve a linear system; that may make others fail, and so on. It returns ErrFirm,
// ErrSelf, ErrAmount or ctx's error.
func Clear(ctx context.Context, sys System, costs Costs) (*Clearing, error) {
	c, err := newClearing(sys, costs)
	if err != nil {
		return nil, err
	}
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		c.collect()
		if !c.fail() {
			return c.close(), nil
		}
		c.Rounds++
		c.Converged = c.solve() && c.Converged
	}
}

// ClearRounds pays in rounds: in each, everybody pays from what the round before
// brought (Picard iteration from full payment). The limit is the greatest clearing
// vector; after MaxRounds it is what has come through by then.
func ClearRounds(ctx context.Context, sys System, costs Costs, p Params) (*Clearing, error) {
	c, err := newClearing(sys, costs)
	if err != nil {
		return nil, err
	}
	for c.Converged = false; !c.Converged && c.Rounds < p.rounds(); {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		c.Rounds++
		c.collect()
		c.fail()
		c.Converged = true
		for i := range c.Paid {
			if !c.Failed[i] {
				continue
			}
			pays := costs.Assets*sys.Assets[i] + costs.Paid*c.gets[i]
			if c.Paid[i]-pays > p.tolerance()*c.Owed[i] {
				c.Converged = false
			}
			c.Paid[i] = min(c.Paid[i], pays)
		}
	}
	c.collect()
	return c.close(), nil
}

// collect adds up what debtors pay to each firm.
func (c *clearing) collect() {
	for i := range c.gets {
		c.gets[i] = c.got(uint32(i))
	}
}

func (c *clearing) got(i uint32) float64 {
	from, share := c.in.of(i)
	sum := 0.0
	for k, j := range from {
		sum += share[k] * c.Paid[j]
	}
	return sum
}

// fail marks those who cannot pay in full and says whether there are new ones.
func (c *clearing) fail() (some bool) {
	for i, owed := range c.Owed {
		if !c.Failed[i] && c.sys.Assets[i]+c.gets[i] < owed*(1-rounding) {
			c.Failed[i], some = true, true
		}
	}
	return some
}

func (c *clearing) close() *Clearing {
	for i := range c.Equity {
		c.Equity[i] = c.sys.Assets[i] + c.gets[i] - c.Owed[i]
	}
	return c.Clearing
}

// solve finds what the failed firms pay when all others pay in full, circle by circle
// of firms that owe each other, debtors first.
func (c *clearing) solve() (converged bool) {
	place := make([]uint32, len(c.Owed)) // 1 + place among the failed
	var failed []uint32
	for i, f := range c.Failed {
		if f {
			failed = append(failed, uint32(i))
			place[i] = uint32(len(failed))
		}
	}
	var edges []graph.Edge
	for k, i := range failed {
		from, _ := c.in.of(i)
		for _, j := range from {
			if place[j] > 0 {
				edges = append(edges, graph.Edge{From: uint32(k), To: place[j] - 1})
			}
		}
	}
	converged = true
	for _, circle := range graph.Build(len(failed), edges).Components() {
		for k, v := range circle {
			circle[k] = failed[v]
		}
		slices.Sort(circle)
		switch {
		case len(circle) == 1:
			c.Paid[circle[0]] = c.pays(circle[0])
		case len(circle) > maxDense || !c.eliminate(circle):
			converged = c.relax(circle) && converged
		}
	}
	return converged
}

func (c *clearing) pays(i uint32) float64 {
	return min(c.Owed[i], c.costs.Assets*c.sys.Assets[i]+c.costs.Paid*c.got(i))
}

// maxDense is the size up to which a circle is solved by elimination.
const maxDense = 256

// eliminate solves a circle by Gaussian elimination with pivots; false when the system
// is singular.
func (c *clearing) eliminate(circle []uint32) bool {
	n := len(circle)
	a := make([][]float64, n)
	for row, i := range circle {
		a[row] = make([]float64, n+1)
		a[row][row] = 1
		a[row][n] = c.costs.Assets * c.sys.Assets[i]
		from, share := c.in.of(i)
		for k, j := range from {
			if at, ok := slices.BinarySearch(circle, j); ok {
				a[row][at] -= c.costs.Paid * share[k]
			} else {
				a[row][n] += c.costs.Paid * share[k] * c.Paid[j]
			}
		}
	}
	for k := range n {
		best := k
		for r := k + 1; r < n; r++ {
			if math.Abs(a[r][k]) > math.Abs(a[best][k]) {
				best = r
			}
		}
		if math.Abs(a[best][k]) < 1e-13 {
			return false
		}
		a[k], a[best] = a[best], a[k]
		for r := k + 1; r < n; r++ {
			f := a[r][k] / a[k][k]
			if f == 0 {
				continue
			}
			for col := k; col <= n; col++ {
				a[r][col] -= f * a[k][col]
			}
		}
	}
	for k := n - 1; k >= 0; k-- {
		v := a[k][n]
		for col := k + 1; col < n; col++ {
			v -= a[k][col] * a[col][n]
		}
		a[k][n] = v / a[k][k]
	}
	for row, i := range circle {
		c.Paid[i] = max(0, min(c.Owed[i], a[row][n]))
	}
	return true
}

// relax lowers the payments of a large circle in turn until they stand still.
func (c *clearing) relax(circle []uint32) bool {
	for range defaultRounds {
		most := 0.0
		for _, i := range circle {
			pays := c.pays(i)
			most = max(most, (c.Paid[i]-pays)/c.Owed[i])
			c.Paid[i] = min(c.Paid[i], pays)
		}
		if most <= rounding {
			return true
		}
	}
	return false
}
