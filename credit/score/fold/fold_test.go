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

func outcomes(n, every int) []bool {
	bad := make([]bool, n)
	for i := range bad {
		bad[i] = i%every == 0
	}
	return bad
}

func TestStratifiedFoldsHaveTheSameShare(t *testing.T) {
	t.Parallel()
	bad := outcomes(103, 4)
	folds, err := Stratified(bad, 5, 42)
	if err != nil {
		t.Fatal(err)
	}
	seen := make([]int, len(bad))
	for _, f := range folds {
		n := 0
		for _, r := range f.Test {
			seen[r]++
			n += index(bad[r])
		}
		if n < 5 || n > 6 || len(f.Test) < 20 || len(f.Test) > 21 || len(f.Train)+len(f.Test) != len(bad) {
			t.Errorf("a fold of %d rows has %d bad ones", len(f.Test), n)
		}
	}
	if slices.Min(seen) != 1 || slices.Max(seen) != 1 {
		t.Error("a row is tested twice or never")
	}
	if _, err := Stratified(outcomes(20, 10), 5, 42); err == nil {
		t.Error("5 folds were made of 2 bad rows")
	}
}

func TestGroupsStayTogether(t *testing.T) {
	t.Parallel()
	groups := make([]string, 200)
	for i := range groups {
		groups[i] = string(rune('a' + i*i%23))
	}
	folds, err := Grouped(groups, outcomes(200, 3), 4, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range folds {
		for _, r := range f.Test {
			for _, l := range f.Train {
				if groups[r] == groups[l] {
					t.Fatalf("group %s is on both sides", groups[r])
				}
			}
		}
	}
	if _, err := Grouped(groups, outcomes(200, 3), 60, 1); err == nil {
		t.Error("60 folds were made of fewer groups")
	}
}

func TestTimeOnlyLooksBack(t *testing.T) {
	t.Parallel()
	times := make([]float64, 120)
	for i := range times {
		times[i] = float64(i * 7 % 12)
	}
	folds, err := Expanding(times, outcomes(120, 5), 3)
	if err != nil || len(folds) != 3 {
		t.Fatalf("%d folds, %v", len(folds), err)
	}
	for _, f := range folds {
		first := times[f.Test[0]]
		for _, r := range f.Test {
			first = min(first, times[r])
		}
		for _, r := range f.Train {
			if times[r] >= first {
				t.Fatalf("a row of %v is learnt from before %v", times[r], first)
			}
		}
	}
	if _, err := Expanding(make([]float64, 50), outcomes(50, 5), 3); err == nil {
		t.Error("folds were made of one moment")
	}
}
