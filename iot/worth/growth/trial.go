package growth

import (
	"cmp"
	"math"
	"slices"

	"github.com/furrowcredit/furrow/fault"
)

// Weighed is one animal's weighings, by age in months.
type Weighed struct {
	Animal string
	Points []Point
}

// Trial is how well the last weighing of each animal is foretold.
type Trial struct {
	MAPE        float64      `json:"mape"`       // mean error of the last weighing, as a share of it
	Median      float64      `json:"median_ape"` // share
	RMSE        float64      `json:"rmse_kg"`
	Tested      int          `json:"tested"` // animals with a weighing before their last
	Animals     int          `json:"animals"`
	Weighings   int          `json:"weighings"`
	Folds       int          `json:"folds"`
	Level       float64      `json:"interval_level"`    // 0.9
	Coverage    float64      `json:"interval_coverage"` // share of the last weighings inside their interval
	Implausible int          `json:"implausible"`       // weighings that were not used
	Peers       Peers        `json:"peers"`
	Horizons    []Horizon    `json:"by_horizon"`
	Forecasts   []LastWeight `json:"forecasts,omitempty"`
}

// Peers are the errors of simpler ways on the same weighings, as shares. Their curve
// is the Gompertz curve of the same other animals.
type Peers struct {
	Curve  float64 `json:"curve_unscaled"`
	Scaled float64 `json:"curve_scaled_by_last_3"`
	Last   float64 `json:"last_weight"` // carried forward
}

// Horizon is the error of the last weighing foretold from the weighings of at least
// From months before it; the newest of those lies less than To months before.
type Horizon struct {
	From     float64 `json:"from_months"`
	To       float64 `json:"to_months"`
	N        int     `json:"n"`
	MAPE     float64 `json:"mape"`
	Coverage float64 `json:"interval_coverage"`
}

// LastWeight is one forecast and what became of it.
type LastWeight struct {
	Animal   string  `json:"animal"`
	Age      float64 `json:"age_months"`
	Ahead    float64 `json:"ahead_months"` // since the weighing before
	Used     int     `json:"weighings_used"`
	Kg       float64 `json:"kg"`
	Forecast float64 `json:"forecast_kg"`
	Low      float64 `json:"low_kg"`
	High     float64 `json:"high_kg"`
	Error    float64 `json:"error"` // of the forecast as a share of the weight, signed
}

// Level is the probability of the intervals of a trial.
const Level = 0.9

// quantile of Level's two-sided interval of the normal distribution.
const quantile = 1.6449

// horizons are the bounds of the classes, in months.
var horizons = []float64{0, 1, 2, 3, 6, 9, 12, 18, math.Inf(1)}

// cutoffs is how many horizons of one animal are tried.
const cutoffs = 12

// ErrOnce is returned where no animal has a weighing before its last one.
var ErrOnce = fault.New(fault.Invalid, "growth.once", "no animal was weighed at two ages: there is nothing to foretell from")

// Try foretells the last weighing of each animal from its earlier ones, with the
// curve and the spread fitted on other animals: the animals are dealt into folds in
// the order of their names, and each fold is foretold by a fit of the rest.
// ErrFewWeighings when the rest of a fold is too small; ErrOnce.
func Try(animals []Weighed, folds int) (Trial, error) {
	animals = slices.Clone(animals)
	slices.SortFunc(animals, func(a, b Weighed) int { return cmp.Compare(a.Animal, b.Animal) })
	folds = max(2, min(folds, len(animals)))
	t := Trial{Animals: len(animals), Folds: folds, Level: Level, Forecasts: []LastWeight{}}
	for _, a := range animals {
		t.Weighings += len(a.Points)
	}
	var peers [3][]float64
	ahead := make([]tally, len(horizons)-1)
	for fold := range folds {
		var rest [][]Point
		for i, a := range animals {
			if i%folds != fold {
				rest = append(rest, a.Points)
			}
		}
		p, err := Fit(rest)
		if err != nil {
			return Trial{}, err
		}
		for i := fold; i < len(animals); i += folds {
			a := animals[i]
			if len(a.Points) < 2 {
				continue
			}
			n := len(a.Points) - 1
			w, odd := p.last(a, n)
			t.Implausible += odd
			t.Forecasts = append(t.Forecasts, w)
			for j, e := range p.peers(a.Points) {
				peers[j] = append(peers[j], e)
			}
			for used := n; used > max(0, n-cutoffs); used-- {
				w, _ := p.last(a, used)
				at, _ := slices.BinarySearchFunc(horizons[1:], w.Ahead, func(bound, x float64) int {
					if bound > x {
						return 1
					}
					return -1
				})
				ahead[min(at, len(ahead)-1)].add(w)
			}
		}
	}
	if len(t.Forecasts) == 0 {
		return Trial{}, ErrOnce
	}
	slices.SortFunc(t.Forecasts, func(a, b LastWeight) int { return cmp.Compare(a.Animal, b.Animal) })
	t.sum(peers, ahead)
	return t, nil
}

// tally counts forecasts of one kind.
type tally struct {
	errors []float64
	inside int
	square float64
}

func (c *tally) add(w LastWeight) {
	c.errors = append(c.errors, math.Abs(w.Error))
	c.square += (w.Forecast - w.Kg) * (w.Forecast - w.Kg)
	if w.Kg >= w.Low && w.Kg <= w.High {
		c.inside++
	}
}

func (c *tally) coverage() float64 { return float64(c.inside) / float64(max(1, len(c.errors))) }

func (t *Trial) sum(peers [3][]float64, ahead []tally) {
	var all tally
	for _, w := range t.Forecasts {
		all.add(w)
	}
	t.Tested = len(t.Forecasts)
	t.MAPE, t.Coverage = mean(all.errors), all.coverage()
	t.RMSE = math.Sqrt(all.square / float64(max(1, t.Tested)))
	slices.Sort(all.errors)
	if n := len(all.errors); n > 0 {
		t.Median = (all.errors[n/2] + all.errors[(n-1)/2]) / 2
	}
	t.Peers = Peers{mean(peers[0]), mean(peers[1]), mean(peers[2])}
	t.Horizons = []Horizon{}
	for i, c := range ahead {
		if len(c.errors) == 0 {
			continue
		}
		to := horizons[i+1]
		if math.IsInf(to, 1) {
			to = 0 // no bound; JSON has no infinity
		}
		t.Horizons = append(t.Horizons, Horizon{horizons[i], to, len(c.errors), mean(c.errors), c.coverage()})
	}
}

func mean(v []float64) float64 {
	s := 0.0
	for _, x := range v {
		s += x
	}
	return s / float64(max(1, len(v)))
}

// last foretells the last weighing from the first so many, and says how many of
// those were not plausible.
func (p *Population) last(a Weighed, used int) (w LastWeight, odd int) {
	target, history := a.Points[len(a.Points)-1], make([]Point, 0, used)
	for i, good := range p.Plausible(a.Points[:used]) {
		if good {
			history = append(history, a.Points[i])
		} else {
			odd++
		}
	}
	f := p.Forecast(history, target.Age)
	within := quantile * math.Hypot(f.SD, p.Spread.Noise)
	return LastWeight{
		Animal: a.Animal, Age: target.Age, Ahead: target.Age - a.Points[used-1].Age, Used: len(history), Kg: target.Kg,
		Forecast: f.Kg(), Low: math.Exp(f.Log - within), High: math.Exp(f.Log + within), Error: (f.Kg() - target.Kg) / target.Kg,
	}, odd
}

// peers are the errors of the curve alone, of the curve scaled by the mean ratio of
// the last three weights to it, and of the last weight carried forward.
func (p *Population) peers(points []Point) [3]float64 {
	target, earlier := points[len(points)-1], points[:len(points)-1]
	ratio, from := 0.0, earlier[max(0, len(earlier)-3):]
	for _, pt := range from {
		ratio += pt.Kg / math.Exp(p.Curve(pt.Age)) / float64(len(from))
	}
	curve := math.Exp(p.Curve(target.Age))
	var out [3]float64
	for i, kg := range []float64{curve, curve * ratio, earlier[len(earlier)-1].Kg} {
		out[i] = math.Abs(kg-target.Kg) / target.Kg
	}
	return out
}
