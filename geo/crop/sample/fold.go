package sample

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/furrowcredit/furrow/fault"
)

// What can be wrong with a wish for folds.
var (
	ErrFolds  = fault.New(fault.Invalid, "samples.folds", "{folds} folds cannot be made of {n} {what}; ask for 2 or more and at most that many")
	ErrPlaces = fault.New(fault.Invalid, "samples.places", "blocks need the lon and lat of every sample; sample {id} has none")
	ErrBlock  = fault.New(fault.Invalid, "samples.block", "a block is 0.01 to 45 degrees wide, got {deg}")
	ErrGroup  = fault.New(fault.Invalid, "samples.group", "the samples have no column {column}; theirs are: {columns}")
)

// Random parts samples into folds so that every label is spread evenly, in an
// order drawn with seed. It gives the fold of each sample.
func Random(labels []string, folds int, seed uint64) ([]int, error) {
	if folds < 2 || folds > len(labels) {
		return nil, ErrFolds.With("folds", folds).With("n", len(labels)).With("what", "samples")
	}
	r := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // folds must be repeatable, not secret
	order := r.Perm(len(labels))
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(labels[a], labels[b]) })
	out := make([]int, len(labels))
	for i, k := range order {
		out[k] = i % folds
	}
	return out, nil
}

// Grouped parts samples into folds so that those of one group stay together, the
// largest group first into the smallest fold; seed orders groups of one size. With
// folds 0, or no more groups than folds, every group is a fold of its own.
func Grouped(groups []string, folds int, seed uint64) (fold []int, names []string, err error) {
	size := map[string]int{}
	for _, g := range groups {
		if size[g]++; size[g] == 1 {
			names = append(names, g)
		}
	}
	if len(names) < 2 || folds < 0 || folds == 1 {
		return nil, nil, ErrFolds.With("folds", folds).With("n", len(names)).With("what", "groups")
	}
	slices.Sort(names)
	of := map[string]int{}
	if folds == 0 || len(names) <= folds {
		for i, g := range names {
			of[g] = i
		}
	} else {
		of = pack(names, size, folds, seed)
		names = nil
	}
	fold = make([]int, len(groups))
	for i, g := range groups {
		fold[i] = of[g]
	}
	return fold, names, nil
}

// pack puts each group, the largest first, into the fold that has least.
func pack(names []string, size map[string]int, folds int, seed uint64) map[string]int {
	r := rand.New(rand.NewPCG(seed, 2)) //nolint:gosec // folds must be repeatable, not secret
	order := slices.Clone(names)
	r.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	slices.SortStableFunc(order, func(a, b string) int { return cmp.Compare(size[b], size[a]) })
	of, full := map[string]int{}, make([]int, folds)
	for _, g := range order {
		least := 0
		for f := range full {
			if full[f] < full[least] {
				least = f
			}
		}
		of[g] = least
		full[least] += size[g]
	}
	return of
}

// Blocks names the square of deg degrees in which each sample lies. It returns
// ErrPlaces when the place of a sample is not known, and ErrBlock.
func (s *Set) Blocks(deg float64) ([]string, error) {
	if !(deg >= 0.01 && deg <= 45) {
		return nil, ErrBlock.With("deg", deg)
	}
	out := make([]string, len(s.Samples))
	for i := range s.Samples {
		k := &s.Samples[i]
		if !k.Placed() {
			return nil, ErrPlaces.With("id", k.ID)
		}
		out[i] = fmt.Sprintf("%d,%d", int(math.Floor(k.At[0]/deg)), int(math.Floor(k.At[1]/deg)))
	}
	return out, nil
}

// Column gives the group of each sample, or ErrGroup.
func (s *Set) Column(name string) ([]string, error) {
	c := slices.Index(s.Columns, name)
	if c < 0 {
		return nil, ErrGroup.With("column", name).With("columns", fmt.Sprint(s.Columns))
	}
	out := make([]string, len(s.Samples))
	for i := range s.Samples {
		out[i] = s.Samples[i].Groups[c]
	}
	return out, nil
}
