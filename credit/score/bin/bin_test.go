package bin_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/credit/score/bin"
	"github.com/furrowcredit/furrow/credit/score/frame"
)

func ExampleMerge() {
	prebins := []bin.Cell{{Good: 40, Bad: 30}, {Good: 45, Bad: 28}, {Good: 70, Bad: 12}, {Good: 68, Bad: 14}, {Good: 90, Bad: 2}}
	fmt.Println(bin.Merge(prebins, bin.Auto, bin.Limits{Bins: 5, Share: 0.05, Penalty: 1}))
	// Output: [2 4]
}

// worth is what Merge is to make as large as it can.
func worth(cells []bin.Cell, cuts []int, lim bin.Limits) (v float64, rates []float64, share float64) {
	share = math.Inf(1)
	all := 0.0
	for _, c := range cells {
		all += c.Good + c.Bad
	}
	ends := append(slices.Clone(cuts), len(cells))
	for at, from := 0, 0; at < len(ends); at++ {
		var g, b float64
		for _, c := range cells[from:ends[at]] {
			g += c.Good
			b += c.Bad
		}
		n := g + b
		if g > 0 {
			v += g * math.Log(g/n)
		}
		if b > 0 {
			v += b * math.Log(b/n)
		}
		v -= lim.Penalty
		rates = append(rates, b/n)
		share = min(share, n/all)
		from = ends[at]
	}
	return v, rates, share
}

// Merge is compared with trying all partitions.
func TestMergeIsOptimal(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 8).Draw(t, "prebins")
		cells := make([]bin.Cell, n)
		for i := range cells {
			cells[i] = bin.Cell{Good: float64(rapid.IntRange(1, 40).Draw(t, "good")), Bad: float64(rapid.IntRange(0, 20).Draw(t, "bad"))}
		}
		trend := rapid.SampledFrom([]bin.Trend{bin.Ascending, bin.Descending, bin.Free}).Draw(t, "trend")
		lim := bin.Limits{Bins: rapid.IntRange(1, 6).Draw(t, "bins"), Share: 0.08, Penalty: 0.7}
		got, _, _ := worth(cells, bin.Merge(cells, trend, lim), lim)
		best := math.Inf(-1)
		for mask := range 1 << (n - 1) {
			var cuts []int
			for k := 1; k < n; k++ {
				if mask>>(k-1)&1 == 1 {
					cuts = append(cuts, k)
				}
			}
			v, rates, share := worth(cells, cuts, lim)
			sorted := trend == bin.Free || trend == bin.Ascending && slices.IsSorted(rates)
			if trend == bin.Descending {
				slices.Reverse(rates)
				sorted = slices.IsSorted(rates)
			}
			if len(cuts) < lim.Bins && (share >= 0.08 || len(cuts) == 0) && sorted {
				best = max(best, v)
			}
		}
		if math.Abs(got-best) > 1e-6 {
			t.Fatalf("merged to %v, the best is %v", got, best)
		}
	})
}

func TestMergeTakesAPeakOnlyWhereItPays(t *testing.T) {
	t.Parallel()
	lim := bin.Limits{Bins: 6, Share: 0.02, Penalty: 2}
	rates := func(bad ...float64) []float64 {
		cells := make([]bin.Cell, len(bad))
		for i, b := range bad {
			cells[i] = bin.Cell{Good: 200 - b, Bad: b}
		}
		_, r, _ := worth(cells, bin.Merge(cells, bin.Auto, lim), lim)
		return r
	}
	if r := rates(10, 20, 40, 80, 78, 82); !slices.IsSorted(r) {
		t.Errorf("a dip of chance was kept: %v", r)
	}
	if r := rates(10, 40, 90, 95, 40, 8); slices.IsSorted(r) || len(r) < 3 {
		t.Errorf("a clear peak was lost: %v", r)
	}
}

func TestCodesAreFoundAndNeverMixedWithAmounts(t *testing.T) {
	t.Parallel()
	c := frame.Column{Name: "months", Kind: frame.Number}
	for i := range 400 {
		c.Num = append(c.Num, float64(i%60))
	}
	for i := range 40 {
		c.Num = append(c.Num, []float64{-9, -8, math.NaN(), 9999}[i%4])
	}
	s := bin.Numbers(&c, bin.Fine{Bins: 8, MinRows: 10})
	if fmt.Sprint(s.Specials) != "[[-9] [-8] [9999]]" {
		t.Fatalf("specials %v", s.Specials)
	}
	for r, code := range s.Codes(&c) {
		interval := int(code) < s.Ordered()
		if amount := r < 400; interval != amount {
			t.Fatalf("row %d, %v, is in bin %d of %d intervals", r, c.Num[r], code, s.Ordered())
		}
	}
	for name, num := range map[string][]float64{
		"a balance that may be negative": {-3, -2.5, -1.5, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14},
		"a short scale":                  {-2, -2, -1, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8},
		"ages up to 99":                  {55, 60, 65, 70, 71, 72, 80, 81, 82, 83, 84, 85, 90, 99, 99, 99, 99, 99},
	} {
		if got := bin.Specials(&frame.Column{Kind: frame.Number, Num: num}); len(got) > 0 {
			t.Errorf("%s: %v taken for codes", name, got)
		}
	}
}

// Every value falls into the interval that says that it does.
func TestNumbersFallWhereTheyShould(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		num := rapid.SliceOfN(rapid.Float64Range(0, 1e9), 30, 300).Draw(t, "values")
		c := frame.Column{Kind: frame.Number, Num: num}
		s := bin.Numbers(&c, bin.Fine{Bins: 10, MinRows: 5})
		counts := make([]int, s.Len())
		for r, code := range s.Codes(&c) {
			counts[code]++
			k := int(code)
			if k >= s.Ordered() {
				continue
			}
			if k > 0 && num[r] < s.Edges[k-1] || k < len(s.Edges) && num[r] >= s.Edges[k] {
				t.Fatalf("%v is in bin %d of %v", num[r], k, s.Edges)
			}
		}
		for k := range s.Ordered() {
			if counts[k] < 5 {
				t.Fatalf("bin %d of %v has %d rows", k, s.Edges, counts[k])
			}
		}
	})
}
