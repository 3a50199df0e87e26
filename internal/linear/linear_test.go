package linear_test

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/internal/linear"
)

func Example() {
	a := linear.Square(2) // 4x + 2y = 10, 2x + 3y = 9
	a[0][0], a[0][1], a[1][0], a[1][1] = 4, 2, 2, 3
	x := []float64{10, 9}
	fmt.Println(linear.Cholesky(a))
	linear.Forward(a, x)
	linear.Backward(a, x)
	fmt.Printf("%.2f\n", x)
	// Output:
	// true
	// [1.50 2.00]
}

// What a matrix makes of a vector is solved back to the vector.
func TestSolves(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "n")
		entry := rapid.Float64Range(-1, 1)
		factor, a := linear.Square(n), linear.Square(n)
		for i := range n {
			for j := range n {
				factor[i][j] = entry.Draw(t, "entry")
			}
		}
		for i := range n {
			for j := range n {
				a[i][j] = linear.Dot(factor[i], factor[j])
			}
			a[i][i] += 0.5
		}
		x := rapid.SliceOfN(entry, n, n).Draw(t, "x")
		b := make([]float64, n)
		for i := range n {
			b[i] = linear.Dot(a[i], x)
		}
		if !linear.Cholesky(a) {
			t.Fatal("a positive definite matrix has no factor")
		}
		linear.Forward(a, b)
		linear.Backward(a, b)
		for i := range n {
			if math.Abs(b[i]-x[i]) > 1e-9 {
				t.Fatalf("got %v, want %v", b, x)
			}
		}
	})
}

func TestNoFactor(t *testing.T) {
	t.Parallel()
	a := linear.Square(2)
	a[0][0], a[1][0], a[1][1] = 1, 2, 1
	if linear.Cholesky(a) {
		t.Error("a matrix that is not positive definite has a factor")
	}
}
