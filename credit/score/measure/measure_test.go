package measure_test

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/credit/score/measure"
)

func ExampleAUC() {
	risk, bad := []float64{0.1, 0.4, 0.35, 0.8}, []bool{false, false, true, true}
	fmt.Println(measure.AUC(risk, bad), measure.KS(risk, bad))
	// Output: 0.75 0.5
}

// AUC is compared with counting all pairs, ties half; DeLong's variance with its formula.
func TestAUCCountsPairs(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(4, 30).Draw(t, "rows")
		risk, bad := make([]float64, n), make([]bool, n)
		for i := range n {
			risk[i], bad[i] = float64(rapid.IntRange(0, 8).Draw(t, "risk")), i%3 == 0
		}
		win := func(b, g int) float64 {
			switch {
			case risk[b] > risk[g]:
				return 1
			case risk[b] == risk[g]:
				return 0.5
			}
			return 0
		}
		sum, pairs := 0.0, 0.0
		of := make([]float64, n)
		count := [2]float64{}
		for b := range n {
			if bad[b] {
				count[1]++
			} else {
				count[0]++
			}
			for g := range n {
				if bad[b] && !bad[g] {
					sum += win(b, g)
					pairs++
					of[b] += win(b, g)
					of[g] += win(b, g)
				}
			}
		}
		auc, variance := measure.DeLong(risk, bad)
		if math.Abs(auc-sum/pairs) > 1e-12 {
			t.Fatalf("AUC %v, by pairs %v", auc, sum/pairs)
		}
		want := 0.0
		for i := range n {
			k := 0
			if bad[i] {
				k = 1
			}
			d := of[i]/count[1-k] - auc
			want += d * d / max(count[k]-1, 1) / count[k]
		}
		if math.Abs(variance-want) > 1e-12 {
			t.Fatalf("variance %v, by its formula %v", variance, want)
		}
	})
}

func TestStability(t *testing.T) {
	t.Parallel()
	var a, b []float64
	for i := range 1000 {
		a, b = append(a, float64(i%100)), append(b, float64((i+30)%130))
	}
	if same := measure.PSI(a, a); same > 1e-12 {
		t.Errorf("a table against itself: %v", same)
	}
	if moved := measure.PSI(a, b); moved < 0.1 {
		t.Errorf("a moved table: %v", moved)
	}
	// By hand: shares 0.5, 0.5 against 0.8, 0.2.
	if got, want := measure.Shift([]int{50, 50}, []int{80, 20}), 0.3*math.Log(1.6)-0.3*math.Log(0.4); math.Abs(got-want) > 1e-12 {
		t.Errorf("got %v, want %v", got, want)
	}
}
