// Package fold parts the rows of a table into those to learn from and those to be
// measured on, so that classes, groups and time are respected.
package fold

import (
	"cmp"
	"slices"

	"github.com/furrowcredit/furrow/fault"
)

// ErrFolds is a wish for folds that cannot be made.
var ErrFolds = fault.New(fault.Invalid, "score.folds", "{folds} folds cannot be made: {why}")

// Fold is a part of the rows to learn from and another to be measured on.
type Fold struct {
	Train, Test []int
}

// Stratified parts rows into folds with the same share of bad ones, shuffled by seed.
// They are the folds of scikit-learn's StratifiedKFold(folds, shuffle=True,
// random_state=seed), so that figures of others can be set beside ours.
func Stratified(bad []bool, folds int, seed uint64) ([]Fold, error) {
	n := [2]int{}
	for _, b := range bad {
		n[index(b)]++
	}
	if folds < 2 || min(n[0], n[1]) < folds {
		return nil, ErrFolds.With("folds", folds).With("why", "each needs a good row and a bad one, and there must be two folds at least")
	}
	// Classes in the order in which they first stand.
	order := [2]bool{bad[0], !bad[0]}
	share := [2][]int{make([]int, folds), make([]int, folds)}
	first := n[index(order[0])]
	for i := range bad {
		k := 0
		if i >= first {
			k = 1
		}
		share[k][i%folds]++
	}
	rng := newTwister(uint32(seed)) //nolint:gosec // the generator takes 32 bits of a seed
	of := make([]int, len(bad))
	for k, class := range order {
		var deck []int
		for f, m := range share[k] {
			for range m {
				deck = append(deck, f)
			}
		}
		rng.shuffle(deck)
		at := 0
		for i, b := range bad {
			if b == class {
				of[i] = deck[at]
				at++
			}
		}
	}
	return part(of, folds), nil
}

func index(b bool) int {
	if b {
		return 1
	}
	return 0
}

func part(of []int, folds int) []Fold {
	out := make([]Fold, folds)
	for f := range out {
		for i, k := range of {
			if k == f {
				out[f].Test = append(out[f].Test, i)
			} else {
				out[f].Train = append(out[f].Train, i)
			}
		}
	}
	return out
}

// Grouped keeps the rows of a group in one fold: groups shuffled by seed, the largest
// first, each into the fold that has the fewest bad rows and then the fewest rows.
func Grouped(groups []string, bad []bool, folds int, seed uint64) ([]Fold, error) {
	type group struct{ rows, bad, order int }
	all := map[string]*group{}
	var names []string
	for i, g := range groups {
		if all[g] == nil {
			all[g] = &group{}
			names = append(names, g)
		}
		all[g].rows++
		all[g].bad += index(bad[i])
	}
	if folds < 2 || len(names) < folds {
		return nil, ErrFolds.With("folds", folds).With("why", "there are fewer groups")
	}
	slices.Sort(names)
	order := make([]int, len(names))
	for i := range order {
		order[i] = i
	}
	newTwister(uint32(seed)).shuffle(order) //nolint:gosec // the generator takes 32 bits of a seed
	for i, k := range order {
		all[names[k]].order = i
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(all[b].rows, all[a].rows), cmp.Compare(all[a].order, all[b].order))
	})
	to := map[string]int{}
	have := make([]group, folds)
	for _, name := range names {
		g, best := all[name], 0
		for f := range have {
			less := cmp.Compare(have[f].rows, have[best].rows)
			if g.bad > 0 {
				less = cmp.Or(cmp.Compare(have[f].bad, have[best].bad), less)
			}
			if less < 0 {
				best = f
			}
		}
		to[name] = best
		have[best].rows += g.rows
		have[best].bad += g.bad
	}
	of := make([]int, len(groups))
	for i, g := range groups {
		of[i] = to[g]
	}
	out := part(of, folds)
	return out, Sound(out, bad)
}

// Expanding parts rows by time: the rows are cut into folds+1 spans of about equally
// many, rows of one moment together, and each span but the first is measured on by a
// model of all earlier ones.
func Expanding(times []float64, bad []bool, folds int) ([]Fold, error) {
	order := make([]int, len(times))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(times[a], times[b]) })
	spans := make([][]int, 1)
	for i, r := range order {
		last := len(spans) - 1
		full := i*(folds+1) >= (last+1)*len(order)
		if full && times[r] != times[order[i-1]] {
			spans = append(spans, nil)
			last++
		}
		spans[last] = append(spans[last], r)
	}
	if folds < 1 || len(spans) < 2 {
		return nil, ErrFolds.With("folds", folds).With("why", "there are too few moments in time")
	}
	var out []Fold
	var before []int
	for s, span := range spans {
		if s > 0 {
			f := Fold{Train: slices.Clone(before), Test: slices.Clone(span)}
			slices.Sort(f.Train)
			slices.Sort(f.Test)
			out = append(out, f)
		}
		before = append(before, span...)
	}
	return out, Sound(out, bad)
}

// Sound asks for good rows and bad ones on both sides of every fold.
func Sound(folds []Fold, bad []bool) error {
	for _, f := range folds {
		for _, side := range [][]int{f.Train, f.Test} {
			n := [2]int{}
			for _, r := range side {
				n[index(bad[r])]++
			}
			if min(n[0], n[1]) == 0 {
				return ErrFolds.With("folds", len(folds)).With("why", "one of them would have good rows only, or bad ones only; ask for fewer")
			}
		}
	}
	return nil
}

// twister is MT19937, with the seeding and the shuffle that NumPy's RandomState has:
// Matsumoto and Nishimura, ACM TOMACS 8(1), 1998.
type twister struct {
	state [624]uint32
	at    int
}

func newTwister(seed uint32) *twister {
	t := &twister{at: 624}
	t.state[0] = seed
	for i := 1; i < 624; i++ {
		t.state[i] = 1812433253*(t.state[i-1]^t.state[i-1]>>30) + uint32(i)
	}
	return t
}

func (t *twister) next() uint32 {
	if t.at == 624 {
		for i := range 624 {
			y := t.state[i]&0x80000000 | t.state[(i+1)%624]&0x7fffffff
			t.state[i] = t.state[(i+397)%624] ^ y>>1
			if y&1 == 1 {
				t.state[i] ^= 0x9908b0df
			}
		}
		t.at = 0
	}
	y := t.state[t.at]
	t.at++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}

// upTo draws 0 to most by throwing away what is too large.
func (t *twister) upTo(most int) int {
	mask := 1
	for mask < most {
		mask = mask<<1 | 1
	}
	for {
		if v := int(t.next()) & mask; v <= most {
			return v
		}
	}
}

func (t *twister) shuffle(v []int) {
	for i := len(v) - 1; i > 0; i-- {
		j := t.upTo(i)
		v[i], v[j] = v[j], v[i]
	}
}
