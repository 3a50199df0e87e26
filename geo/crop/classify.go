package crop

import (
	"math"
	"sort"
	"time"

	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/series"
)

// Method names the classifier and its version; it travels with every answer.
const Method = "rules/2"

// Why the classifier abstains.
const (
	FewDates   = "few_clear_dates" // fewer than 6 clear dates
	NoCalendar = "no_calendar"     // no region of the catalogue holds the plot
	FitsNone   = "fits_no_crop"    // the curve fits no crop of the region
	Unclear    = "unclear_crop"    // several crops fit alike
)

const (
	minDates       = 6
	minProbability = 0.5
	minConfidence  = 0.4
	groupFrom      = 0.6 // of a group's crops together, to name the group's generic crop
	goodCost       = 2.0 // what a good fit of one season may cost
	nextCost       = 0.7 // and of each further season
	fitScale       = 8.0
	fallowScale    = 1.0

	// MostSure is the confidence that the rules never exceed. They have met no field
	// of the region: a map of rice in 21 provinces by curves and calendars reached an
	// accuracy of 0.85 (Earth System Science Data 15, 3203, 2023), and no more is
	// claimed here, however well a curve fits.
	MostSure = 0.85

	// A season below this NDVI is weeds, stubble or winter growth, no crop.
	minorPeak = 0.42
	bareNDVI  = 0.35

	dateCap     = 8.0  // most that one wrong date costs
	seasonCap   = 10.0 // cost of a season that the crop does not explain
	unseenCost  = 6.0  // cost of a season that should have been seen
	waterCost   = 4.5  // flooding seen without need, or needed and not seen
	yellowCost  = 3.0
	otherCost   = 9.0 // of "something else"
	otherShare  = 0.03
	fallowShare = 0.04

	lookDays  = 20.0 // looks nearer to each other than this tell partly the same
	lookSigma = 0.07
	lookCap   = 3.0
	lookShare = 0.5 // of the cost of looks that counts: the seasons tell part of it already

	wetNDVI      = 0.08 // below what soil shows
	floodLook    = 0.3  // share of the plot under water
	bareEnd      = 0.28 // of the curve, below which no crop stands
	wetShare     = 0.5  // of the plot under water that makes a paddy
	flowerYellow = 0.07 // NDYI beyond that of leaves, which flowers of rapeseed show
)

// Evidence is what is known of one plot in one season.
type Evidence struct {
	Region     string // of the catalogue; "" where none holds the plot
	County     string // GB/T 2260 code, for what its province grows; may be ""
	Start, End time.Time
	Sights     []series.Sight // by date, valid or not
}

// clear gives the valid looks within the season; what lies outside has no day of its curve.
func (ev Evidence) clear() []series.Sight {
	seen := make([]series.Sight, 0, len(ev.Sights))
	end := ev.End.UTC().Truncate(24*time.Hour).AddDate(0, 0, 1)
	for _, s := range ev.Sights {
		if s.Valid && !s.Date.Before(ev.Start.UTC().Truncate(24*time.Hour)) && s.Date.Before(end) {
			seen = append(seen, s)
		}
	}
	return seen
}

// Match is a season of the plot and the part of the crop that explains it.
type Match struct {
	Part   Part
	Season series.Season
	Year   int // of the peak
}

// Answer is the crop, or why there is none.
type Answer struct {
	Crop       string // code, [Fallow], or "" when unsure
	Confidence float64
	Guesses    []geo.CropGuess // most probable first
	Unsure     string          // one of the reasons above, with Crop ""
	Matches    []Match         // of the answer's crop
	Curve      *series.Curve   // nil when fewer than two dates are clear
	Seasons    []series.Season
	Untrained  bool // by rules alone, without a model trained on fields of the region
}

// candidate is one crop held against the evidence.
type candidate struct {
	code        string
	share       float64
	cost        float64
	probability float64
	matches     []Match
}

// Classify holds the looks and the seasons of the plot against every crop of its
// region. Each date outside its window, each season without explanation, each look
// that the crop would not show, and each sign of water, flower or winter green that
// does not belong costs; usual crops start better. Costs become probabilities as
// log-likelihoods do, among the crops, fallow and "something else".
//
// Where no crop is likely enough but those of one group are together, the generic
// crop of the group is the answer: trees look alike from above.
func (c *Catalogue) Classify(ev Evidence) Answer {
	a := Answer{Untrained: true}
	seen := ev.clear()
	curve, err := series.Fit(dryObservations(seen), ev.Start, ev.End)
	if err != nil {
		a.Unsure = FewDates
		return a
	}
	a.Curve, a.Seasons = curve, series.Seasons(curve)
	switch {
	case len(seen) < minDates:
		a.Unsure = FewDates
		return a
	case ev.Region == "":
		a.Unsure = NoCalendar
		return a
	}
	e := newScale(curve, a.Seasons, seen)
	list := c.candidates(e, ev)
	for _, k := range list {
		if k.code != "" && k.probability >= 0.005 && len(a.Guesses) < 5 {
			a.Guesses = append(a.Guesses, geo.CropGuess{Crop: k.code, Probability: thousandth(k.probability)})
		}
	}
	top := list[0]
	if g, ok := c.generic(e, ev, list); ok {
		top = g
	}
	sure := top.probability * e.fit(top)
	switch {
	case !(top.probability >= minProbability): // NaN as well: an answer has a crop or a reason
		a.Unsure = Unclear
	case top.code == "" || sure < minConfidence:
		a.Unsure = FitsNone
	default:
		a.Crop, a.Matches = top.code, top.matches
		a.Confidence = thousandth(min(MostSure, sure*min(1, float64(len(seen))/10)))
	}
	return a
}

func thousandth(v float64) float64 { return math.Round(v*1000) / 1000 }

// candidates gives every crop of the place, fallow and "something else" with its
// probability, most probable first.
func (c *Catalogue) candidates(e *scale, ev Evidence) []candidate {
	list := []candidate{
		{code: Fallow, share: fallowShare, cost: e.fallowCost()},
		{share: otherShare, cost: otherCost},
	}
	shares := c.Shares(ev.County, ev.Region)
	for _, k := range c.crops {
		if share := shares[k.Code]; share > 0 {
			cost, matches := e.cost(k, c.Parts(k.Code, ev.Region))
			list = append(list, candidate{code: k.Code, share: share, cost: cost, matches: matches})
		}
	}
	best := math.Inf(-1)
	for i := range list {
		list[i].probability = math.Log(list[i].share) - list[i].cost
		best = max(best, list[i].probability)
	}
	sum := 0.0
	for i := range list {
		list[i].probability = math.Exp(list[i].probability - best)
		sum += list[i].probability
	}
	for i := range list {
		list[i].probability /= sum
	}
	sort.SliceStable(list, func(i, j int) bool { return list[i].probability > list[j].probability })
	return list
}

// generic gives the crop that stands for a group when only the group is sure. The
// second answer is false when one crop is likely enough by itself, or no group is.
func (c *Catalogue) generic(e *scale, ev Evidence, list []candidate) (candidate, bool) {
	if list[0].probability >= groupFrom {
		return candidate{}, false
	}
	for _, g := range c.groups {
		if g.Generic == "" {
			continue
		}
		out := candidate{code: g.Generic, cost: math.Inf(1)}
		for _, k := range list {
			if i, ok := c.byCode[k.code]; ok && c.crops[i].Group == g.Code {
				out.probability += k.probability
				out.cost = min(out.cost, k.cost)
			}
		}
		if parts := c.Parts(g.Generic, ev.Region); out.probability >= groupFrom && len(parts) > 0 {
			_, out.matches = e.cost(c.crops[c.byCode[g.Generic]], parts)
			return out, true
		}
	}
	return candidate{}, false
}

// fit says how far a candidate explains what was seen, 0..1: better than the others
// is not yet good, a poor fit lowers the confidence. A low curve that is nearly a
// crop is no clear fallow.
func (e *scale) fit(k candidate) float64 {
	if k.code == Fallow {
		return math.Exp(-k.cost / fallowScale)
	}
	good := goodCost + nextCost*float64(max(0, len(e.major)-1))
	return math.Exp(-max(0, k.cost-good) / fitScale)
}

// dryObservations leaves out a passing flood over a standing crop: green before
// and green again at once after, it says nothing of the crop's calendar.
func dryObservations(seen []series.Sight) []geo.Observation {
	out := make([]geo.Observation, 0, len(seen))
	const near = 25 * 24 * time.Hour
	for i := 0; i < len(seen); {
		j := i
		for j < len(seen) && seen[j].Water >= floodLook {
			j++
		}
		if j == i {
			out = append(out, seen[i].Observation)
			i++
			continue
		}
		passing := i > 0 && j < len(seen) &&
			seen[i-1].NDVI > minorPeak && seen[i].Date.Sub(seen[i-1].Date) <= near &&
			seen[j].NDVI > bareNDVI && seen[j].Date.Sub(seen[j-1].Date) <= near
		for ; i < j; i++ {
			if !passing {
				out = append(out, seen[i].Observation)
			}
		}
	}
	return out
}
