package contagion_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/chain/contagion"
)

// naive reckons the index straight from the formulas of Diem et al. 2022 with dense
// matrices, all firms in every round.
func naive(firms []contagion.Firm, links []contagion.Link, shocks map[int]float64) (down, up []float64, settled bool) {
	n := len(firms)
	amount := make([][]float64, n)
	need := make([][]contagion.Need, n)
	for i := range n {
		amount[i], need[i] = make([]float64, n), make([]contagion.Need, n)
	}
	for _, l := range links {
		amount[l.Supplier][l.Buyer] += l.Amount
		need[l.Supplier][l.Buyer] = l.Need
	}
	sold, bought := make([]float64, n), make([]float64, n)
	for i := range n {
		for j := range n {
			sold[i] += amount[i][j]
			bought[j] += amount[i][j]
		}
		sold[i] = max(sold[i], firms[i].Size)
	}
	hd, hu := make([]float64, n), make([]float64, n)
	for i := range n {
		hd[i], hu[i] = 1-shocks[i], 1-shocks[i]
	}
	for range 4000 {
		settled = true
		nd, nu := make([]float64, n), make([]float64, n)
		for i := range n {
			nd[i], nu[i] = 1-shocks[i], 1
			groups, given := map[string]float64{}, map[string]float64{}
			for j := range n {
				if need[j][i] == contagion.Essential {
					given[firms[j].Sector] += amount[j][i]
				}
			}
			rest := 0.0
			for j := range n {
				if amount[j][i] == 0 {
					continue
				}
				left := 0.0
				for k := range n {
					if firms[k].Sector == firms[j].Sector {
						left += sold[k] * hd[k]
					}
				}
				market := 1.0
				if sold[j] < left {
					market = sold[j] / left
				}
				switch need[j][i] {
				case contagion.Essential:
					groups[firms[j].Sector] += market * amount[j][i] / given[firms[j].Sector] * (1 - hd[j])
				case contagion.Useful:
					rest += market * amount[j][i] / bought[i] * (1 - hd[j])
				case contagion.Negligible:
				}
			}
			for _, g := range groups {
				nd[i] = min(nd[i], 1-g)
			}
			nd[i] = max(0, min(nd[i], 1-rest))
			for j := range n {
				if amount[i][j] > 0 {
					nu[i] -= amount[i][j] / sold[i] * (1 - hu[j])
				}
			}
			nu[i] = max(0, min(nu[i], 1-shocks[i]))
			settled = settled && hd[i]-nd[i] < 1e-12 && hu[i]-nu[i] < 1e-12
		}
		if hd, hu = nd, nu; settled {
			break
		}
	}
	down, up = make([]float64, n), make([]float64, n)
	for i := range n {
		down[i], up[i] = 1-hd[i], 1-hu[i]
	}
	return down, up, settled
}

func drawNetwork(t *rapid.T) ([]contagion.Firm, []contagion.Link) {
	n := rapid.IntRange(2, 7).Draw(t, "firms")
	firms := make([]contagion.Firm, n)
	for i := range firms {
		firms[i] = contagion.Firm{
			ID: fmt.Sprint("f", i), Sector: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "sector"),
			Size: rapid.SampledFrom([]float64{0, 0, 3, 50}).Draw(t, "size"),
		}
	}
	var links []contagion.Link
	for i := range n {
		for j := range n {
			if i != j && rapid.IntRange(0, 2).Draw(t, "link") == 0 {
				links = append(links, contagion.Link{
					Supplier: uint32(i), Buyer: uint32(j), Amount: float64(rapid.IntRange(1, 20).Draw(t, "amount")),
					Need: contagion.Need(rapid.IntRange(0, 2).Draw(t, "need")),
				})
			}
		}
	}
	return firms, links
}

// The sparse waves find what the formulas say, for any network and any shocks.
func TestWavesAgreeWithTheFormulas(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		firms, links := drawNetwork(t)
		net, err := contagion.NewNetwork(firms, links)
		if err != nil {
			t.Fatal(err)
		}
		hit := map[int]float64{}
		var shocks []contagion.Shock
		for range rapid.IntRange(1, 3).Draw(t, "shocks") {
			i := rapid.IntRange(0, len(firms)-1).Draw(t, "firm")
			part := float64(rapid.IntRange(1, 10).Draw(t, "tenths")) / 10
			hit[i] = max(hit[i], part)
			shocks = append(shocks, contagion.Shock{FirmID: firms[i].ID, Part: part})
		}
		res, err := net.Run(context.Background(), shocks, contagion.Params{Tolerance: 1e-13})
		if err != nil {
			t.Fatal(err)
		}
		down, up, settled := naive(firms, links, hit)
		for i, f := range firms {
			l, err := res.Of(f.ID)
			if err != nil {
				t.Fatal(err)
			}
			// The formulas alone creep for ever round closed circles.
			if settled && res.Converged && (math.Abs(l.Downstream-down[i]) > 1e-6 || math.Abs(l.Upstream-up[i]) > 1e-6) {
				t.Fatalf("%s: down %v up %v, want %v %v", f.ID, l.Downstream, l.Upstream, down[i], up[i])
			}
			checkCause(t, l, hit[i])
		}
		if !(res.Part >= 0 && res.Part <= 1) {
			t.Fatalf("index %v", res.Part)
		}
	})
}

func checkCause(t *rapid.T, l contagion.Loss, hit float64) {
	c := l.Cause
	switch {
	case l.Loss == 0:
		if len(c.Path) > 0 {
			t.Fatalf("a cause of nothing: %+v", l)
		}
	case hit > 0:
		if c.Kind != contagion.Struck || len(c.Path) != 1 {
			t.Fatalf("a struck firm: %+v", l)
		}
	default:
		if len(c.Path) < 2 || c.Path[len(c.Path)-1] != l.FirmID || c.Path[len(c.Path)-2] != c.From || c.Part <= 0 || c.Part > l.Loss+1e-9 {
			t.Fatalf("no way back: %+v", l)
		}
		seen := map[string]bool{}
		for _, id := range c.Path {
			if seen[id] {
				t.Fatalf("a way in a circle: %+v", l)
			}
			seen[id] = true
		}
	}
}

// A larger shock never does less, to anybody.
func TestLossesGrowWithTheShock(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		firms, links := drawNetwork(t)
		net, err := contagion.NewNetwork(firms, links)
		if err != nil {
			t.Fatal(err)
		}
		small := rapid.Float64Range(0.01, 1).Draw(t, "small")
		large := rapid.Float64Range(small, 1).Draw(t, "large")
		shocks := func(part float64) []contagion.Shock { return []contagion.Shock{{FirmID: firms[0].ID, Part: part}} }
		less, err := net.Run(context.Background(), shocks(small), contagion.Params{})
		if err != nil {
			t.Fatal(err)
		}
		more, err := net.Run(context.Background(), append(shocks(large), contagion.Shock{FirmID: firms[1].ID, Part: 0.5}), contagion.Params{})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range firms {
			a, _ := less.Of(f.ID)
			b, _ := more.Of(f.ID)
			if a.Loss > b.Loss+1e-6 {
				t.Fatalf("%s loses %v of the smaller shock, %v of the larger", f.ID, a.Loss, b.Loss)
			}
		}
	})
}

// Two, three, eight workers and one give the same bytes, sparse or dense.
func TestWorkersDoNotMatter(t *testing.T) {
	t.Parallel()
	firms, links := large(20_000, 80_000)
	net, err := contagion.NewNetwork(firms, links)
	if err != nil {
		t.Fatal(err)
	}
	shocks := []contagion.Shock{{FirmID: "0", Part: 1}, {FirmID: "7", Part: 0.5}}
	var want []contagion.Loss
	for _, workers := range []int{1, 2, 8} {
		res, err := net.Run(t.Context(), shocks, contagion.Params{Workers: workers})
		if err != nil || !res.Converged || res.Firms < 1000 {
			t.Fatal(err, res)
		}
		got := res.Losses(0, 500)
		if want == nil {
			want = got
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("%d workers: %s", workers, d)
		}
		all := res.Losses(0, 0)
		if len(all) != res.Firms {
			t.Fatalf("%d of %d firms are listed", len(all), res.Firms)
		}
		if d := cmp.Diff(got, all[:500]); d != "" {
			t.Fatalf("the first 500 of all: %s", d)
		}
	}
}

// large is a network with few firms that buy much and many that buy little.
func large(n, m int) ([]contagion.Firm, []contagion.Link) {
	rng := rand.New(rand.NewPCG(1, 2))
	firms := make([]contagion.Firm, n)
	for i := range firms {
		firms[i] = contagion.Firm{ID: fmt.Sprint(i), Sector: fmt.Sprintf("s%03d", rng.IntN(300))}
	}
	links := make([]contagion.Link, 0, m)
	for len(links) < m {
		u := rng.Float64()
		v := rng.Float64()
		l := contagion.Link{
			Supplier: uint32(float64(n) * v * v), Buyer: uint32(float64(n) * u * u * u),
			Amount: math.Exp(2 * rng.NormFloat64()), Need: contagion.Need(rng.IntN(3)),
		}
		if l.Supplier != l.Buyer {
			links = append(links, l)
		}
	}
	return firms, links
}

// Two firms that pass 99 % of every loss back and forth: the limit x = 0.01 + 0.99² x
// is reached in few rounds, and not by stopping early. Both ways.
func TestCirclesAreSolvedAtOnce(t *testing.T) {
	t.Parallel()
	firms := []contagion.Firm{{ID: "A"}, {ID: "B"}, {ID: "X"}, {ID: "Y"}}
	link := func(a, b uint32, amount float64) contagion.Link {
		return contagion.Link{Supplier: a, Buyer: b, Amount: amount, Need: contagion.Useful}
	}
	sales, err := contagion.NewNetwork(firms, []contagion.Link{link(0, 1, 99), link(1, 0, 99), link(0, 2, 1), link(1, 3, 1)})
	if err != nil {
		t.Fatal(err)
	}
	inputs, err := contagion.NewNetwork(firms, []contagion.Link{link(0, 1, 99), link(1, 0, 99), link(2, 0, 1), link(3, 1, 1)})
	if err != nil {
		t.Fatal(err)
	}
	for name, net := range map[string]*contagion.Network{"orders": sales, "inputs": inputs} {
		res, err := net.Run(t.Context(), []contagion.Shock{{FirmID: "X", Part: 1}}, contagion.Params{})
		if err != nil || !res.Converged || res.Rounds > 40 {
			t.Fatal(name, err, res)
		}
		a, _ := res.Of("A")
		b, _ := res.Of("B")
		want := 0.01 / (1 - 0.99*0.99)
		if math.Abs(a.Loss-want) > 1e-9 || math.Abs(b.Loss-0.99*want) > 1e-9 {
			t.Errorf("%s: %v %v, want %v", name, a.Loss, b.Loss, want)
		}
	}
}
