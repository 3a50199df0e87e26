package optimum_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/furrowcredit/furrow/credit/forecast/optimum"
)

func ExampleMinimise() {
	valley := func(x []float64) float64 { // Rosenbrock's: least at 1, 1
		return 100*(x[1]-x[0]*x[0])*(x[1]-x[0]*x[0]) + (1-x[0])*(1-x[0])
	}
	at, _ := optimum.Minimise(valley, []float64{-1.2, 1}, optimum.Options{Tolerance: 1e-12, Most: 1000})
	fmt.Printf("%.3f %.3f\n", at[0], at[1])
	// Output: 1.000 1.000
}

func TestMinimiseLeavesForbiddenGround(t *testing.T) {
	t.Parallel()
	f := func(x []float64) float64 {
		if x[0] <= 0 {
			return math.NaN()
		}
		return x[0] - math.Log(x[0]) + (x[1]-3)*(x[1]-3)
	}
	at, v := optimum.Minimise(f, []float64{0.2, -4}, optimum.Options{Tolerance: 1e-10, Most: 500})
	if math.Abs(at[0]-1) > 1e-3 || math.Abs(at[1]-3) > 1e-3 || math.Abs(v-1) > 1e-5 {
		t.Errorf("least %v at %v, want 1 at 1, 3", v, at)
	}
}

func TestMinimiseKeepsItsBudget(t *testing.T) {
	t.Parallel()
	calls := 0
	optimum.Minimise(func(x []float64) float64 { calls++; return -float64(calls) }, []float64{0, 0, 0}, optimum.Options{Most: 50})
	if calls < 50 || calls > 60 {
		t.Errorf("%d evaluations for a budget of 50", calls)
	}
}
