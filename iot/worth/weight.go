package worth

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/iot/species"
	"github.com/furrowcredit/furrow/iot/worth/growth"
)

// Weighings keeps what animals weighed. Implemented in store/herd.
type Weighings interface {
	// AddWeighings saves weighings, all or none. A weighing of the same animal, time
	// and method as one that is there changes nothing.
	AddWeighings(ctx context.Context, tenant string, weighings []iot.Weighing) error
	// Weighings returns the weighings of each of the animals in the order of time, the
	// implausible ones too. Animals without any are not in the map.
	Weighings(ctx context.Context, tenant string, animals []string) (map[string][]iot.Weighing, error)
}

// Methods of weighing, from the best.
const (
	Scale    = "scale"     // one animal, standing
	WalkOver = "walk_over" // a platform that it crosses
	Tape     = "tape"      // girth of the chest
	Estimate = "estimate"  // by eye: kept, never used
)

// tapeError is the standard deviation of a weight by girth, as a share: a planning value.
const tapeError = 0.07

// Weight is what one animal weighs, or a bird of a house on average.
type Weight struct {
	Grams     int64
	Own       float64 // standard deviation of the animal's own error, as a share
	Herd      float64 // the same of the error that it shares with its herd
	Weighings int     // of its own that it rests on
}

// herd is the curve and the spread of one species, with weights relative to the curve
// of each animal's breed and sex.
type herd struct {
	sp    species.Species
	model growth.Model
	at    time.Time
}

func newHerd(sp species.Species, at time.Time) herd {
	return herd{sp, growth.Model{Mean: func(float64) float64 { return 0 }, Spread: sp.Growth.Spread.Departure()}, at}
}

// Weights is what each animal weighs at a time, in the order of the animals. The
// weighings of the whole herd first move the curve; then each animal's own move its
// weight. Animals must be of the species.
func Weights(sp species.Species, animals []iot.Animal, weighings map[string][]iot.Weighing, at time.Time) []Weight {
	h := newHerd(sp, at)
	histories, ages := make([][]growth.Point, len(animals)), make([]float64, len(animals))
	for i, a := range animals {
		var used []iot.Weighing
		used, _ = h.usable(a, weighings[a.ID])
		histories[i], ages[i] = h.relative(a, used)
	}
	off, left := h.model.Bias(histories, sp.Growth.Spread.Herd())
	out := make([]Weight, len(animals))
	for i, a := range animals {
		f := h.model.Forecast(histories[i], ages[i])
		ratio := math.Exp(f.Log + off*f.Share)
		out[i] = Weight{
			Grams: int64(math.Round(1000 * ratio * sp.Curve(a.Breed, a.Sex).Kg(ages[i]))),
			Own:   f.SD, Herd: left * math.Abs(f.Share), Weighings: len(histories[i]),
		}
	}
	return out
}

// Plausible tells which weighings of an animal agree with the curve of its kind and
// with one another; the others are kept but not used. Estimates are not judged.
func Plausible(sp species.Species, a iot.Animal, weighings []iot.Weighing, at time.Time) []bool {
	_, good := newHerd(sp, at).usable(a, weighings)
	return good
}

// usable are the weighings until now, in the order of time, that are plausible; and of
// each that was given, whether it is.
func (h herd) usable(a iot.Animal, weighings []iot.Weighing) ([]iot.Weighing, []bool) {
	good := make([]bool, len(weighings))
	order := make([]int, 0, len(weighings))
	for i, w := range weighings {
		good[i] = w.Kg > 0 && !math.IsInf(w.Kg, 0)
		if good[i] && w.Method != Estimate && !w.At.After(h.at) {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(x, y int) int {
		return cmp.Or(weighings[x].At.Compare(weighings[y].At), cmp.Compare(weighings[x].Method, weighings[y].Method))
	})
	candidates := make([]iot.Weighing, len(order))
	for i, j := range order {
		candidates[i] = weighings[j]
	}
	points, _ := h.relative(a, candidates)
	// Against a curve that the herd may be off.
	model := h.model
	model.Spread.Level = math.Hypot(model.Spread.Level, h.sp.Growth.Spread.Herd())
	var used []iot.Weighing
	for i, ok := range model.Plausible(points) {
		if good[order[i]] = ok; ok {
			used = append(used, candidates[i])
		}
	}
	return used, good
}

// relative is each weighing as a share of the curve at its age, and the animal's age
// now. An animal whose birth nobody knows is as old as the curve says by its first
// weighing, or else as the catalogue says.
func (h herd) relative(a iot.Animal, weighings []iot.Weighing) ([]growth.Point, float64) {
	curve, now := h.sp.Curve(a.Breed, a.Sex), h.sp.Growth.UnknownMonths
	switch {
	case !a.Born.IsZero():
		now = growth.Months(a.Born, h.at)
	case len(weighings) > 0:
		now = ageOf(curve, weighings[0].Kg) + growth.Months(weighings[0].At, h.at)
	}
	points := make([]growth.Point, len(weighings))
	for i, w := range weighings {
		age := max(0, now-growth.Months(w.At, h.at))
		points[i] = growth.Point{Age: age, Kg: w.Kg / curve.Kg(age)}
		if w.Method == Tape {
			points[i].Error = tapeError
		}
	}
	return points, now
}

// ageOf is the age in months at which the curve reaches a weight, at most grown.
func ageOf(c growth.Curve, kg float64) float64 {
	low, high := 0.0, grown(c)
	for range 50 {
		if mid := (low + high) / 2; c.Kg(mid) < kg {
			low = mid
		} else {
			high = mid
		}
	}
	return low
}

// grown is the age at which the curve reaches 95 % of its end.
func grown(c growth.Curve) float64 {
	age := 1.0
	for c.Kg(age) < 0.95*c.A && age < 600 {
		age++
	}
	return age
}
