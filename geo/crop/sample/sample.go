// Package sample reads labelled series of a crop, parts them into folds and
// measures answers against their labels: what a bank knows of its own fields, and
// how well a classifier does on fields that it has not seen.
package sample

import (
	"math"
	"slices"
	"sort"
	"time"

	"github.com/paulmach/orb"
)

// Set is a table of samples with the same bands.
type Set struct {
	Bands   []string
	Columns []string // that say where a sample belongs and are no bands
	Samples []Sample // in the order of their first line
	Rows    int      // lines of the table
	Sum     string   // SHA-256 of the file's text, unpacked, in hex
}

// Sample is the series of one field in one season.
type Sample struct {
	ID     string
	Label  string    // "" when not known
	At     orb.Point // longitude, latitude; NaN when not known
	Start  int       // days since 1970-01-01, as all days here
	End    int
	Days   []int       // rising
	Values [][]float64 // of each band, of each day; NaN when missing
	Groups []string    // one for each of the set's columns
}

// Day counts the days since 1970-01-01 of a calendar date.
func Day(t time.Time) int { return int(math.Floor(float64(t.Unix()) / 86400)) }

// Date is the calendar date of a day.
func Date(day int) time.Time { return time.Unix(int64(day)*86400, 0).UTC() }

// Placed says whether the sample's place is known.
func (s *Sample) Placed() bool { return !math.IsNaN(s.At[0]) && !math.IsNaN(s.At[1]) }

// Blank says whether the sample has no value at all.
func (s *Sample) Blank() bool {
	for _, band := range s.Values {
		for _, v := range band {
			if !math.IsNaN(v) {
				return false
			}
		}
	}
	return true
}

// Subset is a set of some samples, by index.
func (s *Set) Subset(index []int) *Set {
	out := *s
	out.Samples = make([]Sample, len(index))
	for i, k := range index {
		out.Samples[i] = s.Samples[k]
	}
	return &out
}

// sortDays puts every series in the order of its days; it reports a day that
// stands twice.
func (s *Sample) sortDays() (twice int, ok bool) {
	if !slices.IsSorted(s.Days) {
		order := make([]int, len(s.Days))
		for i := range order {
			order[i] = i
		}
		sort.Slice(order, func(a, b int) bool { return s.Days[order[a]] < s.Days[order[b]] })
		s.Days = pick(s.Days, order)
		for b := range s.Values {
			s.Values[b] = pick(s.Values[b], order)
		}
	}
	for i := 1; i < len(s.Days); i++ {
		if s.Days[i] == s.Days[i-1] {
			return s.Days[i], false
		}
	}
	return 0, true
}

// pick takes the elements of v by index.
func pick[T any](v []T, order []int) []T {
	out := make([]T, len(order))
	for i, k := range order {
		out[i] = v[k]
	}
	return out
}
