package contagion_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/chain/contagion"
	"github.com/furrowcredit/furrow/internal/realdata"
)

// vectors are the published answers.
type vectors struct {
	Cases []struct {
		Method string    `json:"method"`
		Shock  []float64 `json:"equity_shock"`
		Final  []float64 `json:"equity_final"`
		Round1 []float64 `json:"equity_round1"`
		Rounds int       `json:"rounds"`
		Paid   []float64 `json:"payments"`
	} `json:"cases"`
	Clearing struct {
		Cases []struct {
			Name     string      `json:"name"`
			L        [][]float64 `json:"L"`
			E        []float64   `json:"e"`
			Alpha    float64     `json:"alpha"`
			Beta     float64     `json:"beta"`
			Clearing []float64   `json:"clearing"`
			Failed   []int       `json:"insolvent"`
		} `json:"cases"`
	} `json:"clearing_vectors"`
	Barucca struct {
		L     [][]float64 `json:"L"`
		Ae    []float64   `json:"ext_assets"`
		Shock float64     `json:"uniform_shock"`
		E0    []float64   `json:"equity_before"`
		Final []float64   `json:"equity_final"`
	} `json:"debtrank_barucca"`
}

func readVectors(t *testing.T) (v vectors) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(realdata.Dir(t, "chain"), "contagion_vectors.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Cases) == 0 || len(v.Clearing.Cases) == 0 || len(v.Barucca.L) == 0 {
		t.Fatal("the vectors are not what they were")
	}
	return v
}

func near(t *testing.T, what string, got, want []float64, by float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %v, want %v", what, got, want)
	}
	for i := range want {
		if !(math.Abs(got[i]-want[i]) <= by) {
			t.Errorf("%s: %v, want %v", what, got, want)
			return
		}
	}
}

// debtsOf reads a matrix: row i owes column j.
func debtsOf(l [][]float64) (list []contagion.Debt) {
	for i, row := range l {
		for j, a := range row {
			if a > 0 {
				list = append(list, contagion.Debt{Debtor: uint32(i), Creditor: uint32(j), Amount: a})
			}
		}
	}
	return list
}

// ring is the published system of three banks: A lends B, B lends C, C lends A.
func ring(shock []float64) contagion.System {
	return contagion.System{
		Assets:  []float64{10 - shock[0], 5 - shock[1], 3 - shock[2]},
		Outside: []float64{9, 4, 2},
		Debts:   []contagion.Debt{{Debtor: 1, Creditor: 0, Amount: .5}, {Debtor: 2, Creditor: 1, Amount: .5}, {Debtor: 0, Creditor: 2, Amount: .5}},
	}
}

// The published equities come from a fixed number of rounds; both the rounds and the
// limit are right.
func TestPublishedRing(t *testing.T) {
	t.Parallel()
	for _, v := range readVectors(t).Cases {
		name := fmt.Sprint(v.Method, v.Shock)
		sys := ring(v.Shock)
		var equity, first []float64
		switch v.Method {
		case "eisenberg_noe":
			// Its first round already knows what everybody owes and has.
			for to, rounds := range map[*[]float64]int{&first: 1, &equity: v.Rounds - 1} {
				res, err := contagion.ClearRounds(t.Context(), sys, contagion.NoCosts, contagion.Params{MaxRounds: rounds, Tolerance: 1e-15})
				if err != nil {
					t.Fatal(err)
				}
				*to = res.Equity
			}
			exact, err := contagion.Clear(t.Context(), sys, contagion.NoCosts)
			if err != nil {
				t.Fatal(err)
			}
			limit, err := contagion.ClearRounds(t.Context(), sys, contagion.NoCosts, contagion.Params{Tolerance: 1e-15})
			if err != nil {
				t.Fatal(err)
			}
			near(t, name+" limit", exact.Equity, limit.Equity, 1e-12)
			near(t, name+" limit", exact.Equity, v.Final, 1e-5)
		case "linear_dr":
			for to, rounds := range map[*[]float64]int{&first: 1, &equity: v.Rounds - 1} {
				res, err := contagion.DebtRank(t.Context(), []float64{1, 1, 1}, v.Shock, sys.Debts, contagion.Params{MaxRounds: rounds, Tolerance: 1e-15})
				if err != nil {
					t.Fatal(err)
				}
				*to = res.Equity
			}
		default:
			t.Fatal("a method that nobody tests:", v.Method)
		}
		near(t, name, equity, v.Final, 6e-9)
		near(t, name+" after a round", first, v.Round1, 6e-9)
		// Its payments are what is left for the ring when the outside is paid first.
		paid := make([]float64, len(equity))
		for i, e := range equity {
			paid[i] = max(0, .5+min(0, e))
		}
		near(t, name+" paid", paid, v.Paid, 6e-9)
	}
}

func TestPublishedClearingVectors(t *testing.T) {
	t.Parallel()
	for _, v := range readVectors(t).Clearing.Cases {
		sys := contagion.System{Assets: v.E, Debts: debtsOf(v.L)}
		got, err := contagion.Clear(t.Context(), sys, contagion.Costs{Assets: v.Alpha, Paid: v.Beta})
		if err != nil {
			t.Fatal(err)
		}
		near(t, v.Name, got.Paid, v.Clearing, 6e-9)
		var failed []int
		for i, f := range got.Failed {
			if f {
				failed = append(failed, i)
			}
		}
		if fmt.Sprint(failed) != fmt.Sprint(v.Failed) {
			t.Errorf("%s: %v fail, want %v", v.Name, failed, v.Failed)
		}
	}
}

func TestPublishedDebtRank(t *testing.T) {
	t.Parallel()
	v := readVectors(t).Barucca
	loss := make([]float64, len(v.Ae))
	for i, a := range v.Ae {
		loss[i] = a * v.Shock
	}
	got, err := contagion.DebtRank(t.Context(), v.E0, loss, debtsOf(v.L), contagion.Params{})
	if err != nil || !got.Converged {
		t.Fatal(err, got)
	}
	near(t, "equity", got.Equity, v.Final, 1e-12)
}

// A loss goes round three banks of equity 1 that lend each other a half:
// h = s / (1 - 1/8), then 1/2 and 1/4 of it. The single hit stops at the first bank.
func TestDebtRankOfARing(t *testing.T) {
	t.Parallel()
	sys := ring(make([]float64, 3))
	linear, err := contagion.DebtRank(t.Context(), []float64{1, 1, 1}, []float64{.5, 0, 0}, sys.Debts, contagion.Params{Tolerance: 1e-15})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "linear", linear.Stress, []float64{4. / 7, 1. / 7, 2. / 7}, 1e-12)
	once, err := contagion.SingleHit(t.Context(), []float64{1, 1, 1}, []float64{.5, 0, 0}, sys.Debts, contagion.Params{})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "single hit", once.Stress, []float64{.5625, .125, .25}, 1e-12)
	// Each has lent as much as the others, so the index is the mean of what was added.
	near(t, "index", []float64{once.Index}, []float64{(.0625 + .125 + .25) / 3}, 1e-12)
}

// In the ring of Rogers and Veraart (2013, section 5.1) debts alternate a and a+1, and
// the firms that owe the larger have assets; with costs g of both kinds and all failed,
// two neighbours solve p = g q, q = g (e + p).
func TestRingOfSix(t *testing.T) {
	t.Parallel()
	const g, e = 0.5, 0.8
	var debts []contagion.Debt
	assets := make([]float64, 6)
	for i := range 6 {
		debts = append(debts, contagion.Debt{Debtor: uint32(i), Creditor: uint32((i + 1) % 6), Amount: 2 + float64(i%2)})
		assets[i] = e * float64(i%2)
	}
	got, err := contagion.Clear(t.Context(), contagion.System{Assets: assets, Debts: debts}, contagion.Costs{Assets: g, Paid: g})
	if err != nil {
		t.Fatal(err)
	}
	q := g * e / (1 - g*g)
	near(t, "paid", got.Paid, []float64{g * q, q, g * q, q, g * q, q}, 1e-12)
	// Without costs there is enough for all but the unit that is lacking each time.
	free, err := contagion.Clear(t.Context(), contagion.System{Assets: assets, Debts: debts}, contagion.NoCosts)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "paid without costs", free.Paid, []float64{2, 2.8, 2, 2.8, 2, 2.8}, 1e-12)
}

// Three banks that owe each other a half each; whoever fails pays nothing. The first
// owes too much outside and takes the others with it.
func TestCascadeWithoutRecovery(t *testing.T) {
	t.Parallel()
	sys := contagion.System{
		Assets: []float64{.5, .625, .75}, Outside: []float64{1.5, .5, .5},
		Debts: debtsOf([][]float64{{0, .5, .5}, {.5, 0, .5}, {.5, .5, 0}}),
	}
	got, err := contagion.Clear(t.Context(), sys, contagion.Costs{})
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(got.Failed, got.Paid, got.Rounds) != "[true true true] [0 0 0] 2" {
		t.Errorf("%+v", got)
	}
}

func drawSystem(t *rapid.T) contagion.System {
	n := rapid.IntRange(1, 7).Draw(t, "firms")
	sys := contagion.System{Outside: make([]float64, n)}
	for i := range n {
		sys.Assets = append(sys.Assets, float64(rapid.IntRange(0, 12).Draw(t, "assets")))
		sys.Outside[i] = float64(rapid.IntRange(0, 3).Draw(t, "outside"))
		for j := range n {
			if i != j && rapid.Bool().Draw(t, "owes") {
				sys.Debts = append(sys.Debts, contagion.Debt{Debtor: uint32(i), Creditor: uint32(j), Amount: float64(rapid.IntRange(1, 10).Draw(t, "debt"))})
			}
		}
	}
	return sys
}

func drawCosts(t *rapid.T) contagion.Costs {
	c := rapid.SampledFrom([]float64{0, .25, .5, .9, 1})
	return contagion.Costs{Assets: c.Draw(t, "alpha"), Paid: c.Draw(t, "beta")}
}

// Nobody pays more than it owes or has; who can pay does, in full; without costs a
// failed firm hands over all that it has; and no clearing vector is greater.
func TestClearingKeepsTheLaw(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		sys, costs := drawSystem(t), drawCosts(t)
		got, err := contagion.Clear(context.Background(), sys, costs)
		if err != nil || !got.Converged {
			t.Fatal(err, got)
		}
		gets := make([]float64, len(sys.Assets))
		for _, d := range sys.Debts {
			gets[d.Creditor] += d.Amount * got.Paid[d.Debtor] / got.Owed[d.Debtor]
		}
		for i, paid := range got.Paid {
			has := sys.Assets[i] + gets[i]
			if paid < 0 || paid > got.Owed[i] || paid > has+1e-9 {
				t.Fatalf("firm %d pays %v of %v and has %v", i, paid, got.Owed[i], has)
			}
			want := got.Owed[i]
			if got.Failed[i] {
				want = costs.Assets*sys.Assets[i] + costs.Paid*gets[i]
			}
			if math.Abs(paid-want) > 1e-9 || got.Failed[i] != (has < got.Owed[i]-1e-9) {
				t.Fatalf("firm %d pays %v, must %v; failed %v", i, paid, want, got.Failed[i])
			}
		}
		above, err := contagion.ClearRounds(context.Background(), sys, costs, contagion.Params{Tolerance: 1e-14, MaxRounds: 100_000})
		if err != nil {
			t.Fatal(err)
		}
		for i := range got.Paid {
			if math.Abs(above.Paid[i]-got.Paid[i]) > 1e-7 {
				t.Fatalf("paid %v, from above %v", got.Paid, above.Paid)
			}
		}
	})
}

// More assets never make anybody pay less.
func TestAssetsHelp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		sys, costs := drawSystem(t), drawCosts(t)
		poor, err := contagion.Clear(context.Background(), sys, costs)
		if err != nil {
			t.Fatal(err)
		}
		more := append([]float64(nil), sys.Assets...)
		more[rapid.IntRange(0, len(more)-1).Draw(t, "who")] += 3
		sys.Assets = more
		rich, err := contagion.Clear(context.Background(), sys, costs)
		if err != nil {
			t.Fatal(err)
		}
		for i := range poor.Paid {
			if rich.Paid[i] < poor.Paid[i]-1e-9 {
				t.Fatalf("firm %d pays %v, with less %v", i, rich.Paid[i], poor.Paid[i])
			}
		}
	})
}

// Stress stays within 0 and 1, grows with the shock, and the single hit does no more
// than the linear spreading.
func TestStressGrowsWithTheShock(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		sys := drawSystem(t)
		n := len(sys.Assets)
		small, large := make([]float64, n), make([]float64, n)
		for i := range n {
			small[i] = rapid.Float64Range(0, 2).Draw(t, "loss")
			large[i] = small[i] + rapid.Float64Range(0, 1).Draw(t, "more")
		}
		run := func(f func(context.Context, []float64, []float64, []contagion.Debt, contagion.Params) (*contagion.Distress, error), loss []float64) *contagion.Distress {
			d, err := f(context.Background(), sys.Assets, loss, sys.Debts, contagion.Params{})
			if err != nil || !d.Converged {
				t.Fatal(err, d)
			}
			return d
		}
		less, more := run(contagion.DebtRank, small), run(contagion.DebtRank, large)
		once := run(contagion.SingleHit, small)
		for i := range n {
			if !(less.Stress[i] >= 0 && more.Stress[i] <= 1 && less.Stress[i] <= more.Stress[i]+1e-6 && once.Stress[i] <= less.Stress[i]+1e-6) {
				t.Fatalf("%v %v %v", once.Stress, less.Stress, more.Stress)
			}
		}
		if !(less.Index >= 0 && less.Index <= 1) {
			t.Fatal(less.Index)
		}
	})
}
