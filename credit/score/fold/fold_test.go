package fold

import (
	"slices"
	"testing"
)

// NumPy documents np.random.seed(42); np.random.permutation(10) so.
func TestShuffleIsNumPys(t *testing.T) {
	t.Parallel()
	v := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
	newTwister(42).shuffle(v)
	if want := []int{8, 1, 5, 0, 7, 2, 9, 4, 3, 6}; !slices.Equal(v, want) {
		t.Fatalf("got %v, want %v", v, want)
	}
}
