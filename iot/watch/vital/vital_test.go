package vital_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/iot/species"
	"github.com/furrowcredit/furrow/iot/watch/vital"
)

// TestBacklog has one hot day take every ear with it. What a slow gateway brings of that day
// is judged against the others' hot day, and not against the cool one on which it arrives;
// the cow that was ill on the hot day is still found.
func TestBacklog(t *testing.T) {
	t.Parallel()
	const (
		cows = 40
		days = 8
		hot  = 6 // the day
	)
	rng := rand.New(rand.NewPCG(1, 2))
	begin := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	w := &species.Watch{FeverHours: 6, FeverRise: 0.8, OestrusRise: 0.2, OestrusActivity: 1, IdleDrop: 0.3}
	var herd vital.Herd
	bodies := make([]vital.Body, cows)
	fevers := make([]bool, cows)
	own := make([]float64, cows)
	for i := range bodies {
		bodies[i], own[i] = vital.New(), 29+rng.NormFloat64()
	}
	hear := func(cow, hour int) {
		warm := own[cow] + math.Sin(float64(hour)*math.Pi/12)/2
		if hour/24 == hot {
			warm += 2.5
			if cow == cows-1 {
				warm += 2
			}
		}
		b := &bodies[cow]
		for m := range 12 {
			at := begin.Add(time.Duration(hour)*time.Hour + time.Duration(m)*5*time.Minute)
			b.Take(vital.Sample{At: at, Temp: warm + 0.2*rng.NormFloat64(), Activity: 1, Busy: math.NaN()}, vital.ByActivity, &herd, cows, 115, false, w)
		}
		fevers[cow] = fevers[cow] || b.Fever()
	}
	for hour := range 24 * days {
		for cow := range cows / 2 {
			hear(cow, hour)
		}
		late := hour
		if hour >= 24*(hot-1) {
			late -= 24 // since then the other half's gateway is a day behind
		}
		if hour/24 == hot-1 {
			continue
		}
		for cow := cows / 2; cow < cows; cow++ {
			hear(cow, late)
		}
	}
	for cow, fever := range fevers {
		if ill := cow == cows-1; fever != ill {
			t.Errorf("cow %d: fever %v, want %v", cow, fever, ill)
		}
	}
}
