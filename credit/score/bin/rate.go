package bin

import (
	"cmp"
	"slices"

	"github.com/furrowcredit/furrow/credit/score/fold"
	"github.com/furrowcredit/furrow/credit/score/frame"
)

// Rates gathers the many levels of a category into groups by their share of bad rows,
// drawn towards the share of all by weight rows. The groups rise in risk. A level's own
// outcome would tell too much in training, so that the codes of the training rows come
// from the shares that the other folds give; other is what is new.
func Rates(c *frame.Column, bad []bool, folds []fold.Fold, groups int, weight float64) (Spec, []uint16) {
	all := make([]int, len(c.Code))
	for i := range all {
		all[i] = i
	}
	rate, counts, base := levelRates(c, bad, all, weight)
	order := make([]int, 0, len(rate))
	for l, n := range counts {
		if n > 0 {
			order = append(order, l)
		}
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(cmp.Compare(rate[a], rate[b]), cmp.Compare(a, b)) })
	s := Spec{Name: c.Name, Kind: frame.Category}
	var ends []float64 // the highest rate of each group but the last
	known, have := 0, 0
	for _, n := range counts {
		known += n
	}
	s.Groups = [][]string{nil}
	for i, l := range order {
		g := len(s.Groups) - 1
		if len(s.Groups[g]) > 0 && g+1 < groups && have*groups >= known*(g+1) && rate[l] != rate[order[i-1]] {
			ends = append(ends, rate[order[i-1]])
			s.Groups = append(s.Groups, nil)
			g++
		}
		s.Groups[g] = append(s.Groups[g], c.Levels[l])
		have += counts[l]
	}
	for g := range s.Groups {
		slices.Sort(s.Groups[g])
	}
	codes := s.Codes(c)
	for _, f := range folds {
		others, seen, _ := levelRates(c, bad, f.Train, weight)
		for _, r := range f.Test {
			if k := c.Code[r]; k >= 0 {
				v := base
				if seen[k] > 0 {
					v = others[k]
				}
				at, _ := slices.BinarySearch(ends, v)
				codes[r] = uint16(at) //nolint:gosec // few groups
			}
		}
	}
	return s, codes
}

func levelRates(c *frame.Column, bad []bool, rows []int, weight float64) (rate []float64, counts []int, base float64) {
	counts, rate = make([]int, len(c.Levels)), make([]float64, len(c.Levels))
	n := 0
	for _, r := range rows {
		k := c.Code[r]
		if bad[r] {
			base++
		}
		n++
		if k < 0 {
			continue
		}
		counts[k]++
		if bad[r] {
			rate[k]++
		}
	}
	base /= float64(max(n, 1))
	for l := range rate {
		rate[l] = (rate[l] + weight*base) / (float64(counts[l]) + weight)
	}
	return rate, counts, base
}
