package crop

import (
	"math"
	"slices"
	"sort"
	"time"

	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/series"
)

// Method names the classifier and its version; it travels with every answer.
const Method = "rules/1"

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
	goodCost       = 2.0 // what a good fit may cost
	fitScale       = 6.0

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

	wetShare   = 0.5  // of the plot under water that makes a paddy
	yellowNDYI = 0.40 // leaves reach about 0.36, flowers of rapeseed more
)

// Evidence is what is known of one plot in one season.
type Evidence struct {
	Region     string // of the catalogue; "" where none holds the plot
	Start, End time.Time
	Sights     []series.Sight // by date, valid or not
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
}

// Classify holds the seasons of the plot against every crop of its region. Each
// date outside its window, each season without explanation and each sign of
// water, flower or winter green that does not belong costs; usual crops start
// better. Costs become probabilities as log-likelihoods do, among the crops,
// fallow and "something else".
func (c *Catalogue) Classify(ev Evidence) Answer {
	var a Answer
	seen := make([]series.Sight, 0, len(ev.Sights))
	for _, s := range ev.Sights {
		if s.Valid {
			seen = append(seen, s)
		}
	}
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
	type candidate struct {
		code    string
		log     float64
		cost    float64
		matches []Match
	}
	fallow := e.fallowCost()
	list := []candidate{
		{Fallow, math.Log(fallowShare) - fallow, fallow, nil},
		{"", math.Log(otherShare) - otherCost, 0, nil},
	}
	for _, k := range c.crops {
		if share := k.share(ev.Region); share > 0 {
			cost, matches := e.cost(k, c.Parts(k.Code, ev.Region))
			list = append(list, candidate{k.Code, math.Log(share) - cost, cost, matches})
		}
	}
	sort.SliceStable(list, func(i, j int) bool { return list[i].log > list[j].log })
	var sum float64
	for _, k := range list {
		sum += math.Exp(k.log - list[0].log)
	}
	for _, k := range list {
		p := math.Exp(k.log-list[0].log) / sum
		if k.code != "" && p >= 0.005 && len(a.Guesses) < 5 {
			a.Guesses = append(a.Guesses, geo.CropGuess{Crop: k.code, Probability: math.Round(p*1000) / 1000})
		}
	}
	top := list[0]
	p := 1 / sum
	// Better than the others is not yet good: a poor fit lowers the confidence.
	fit := math.Exp(-max(0, top.cost-goodCost) / fitScale)
	switch {
	case p < minProbability:
		a.Unsure = Unclear
	case top.code == "" || p*fit < minConfidence:
		a.Unsure = FitsNone
	default:
		a.Crop, a.Matches = top.code, top.matches
		a.Confidence = math.Round(p*fit*min(1, float64(len(seen))/10)*1000) / 1000
	}
	return a
}

// dryObservations leaves out a passing flood over a standing crop: green before
// and green again at once after, it says nothing of the crop's calendar.
func dryObservations(seen []series.Sight) []geo.Observation {
	out := make([]geo.Observation, 0, len(seen))
	const near = 25 * 24 * time.Hour
	for i := 0; i < len(seen); {
		j := i
		for j < len(seen) && seen[j].Water >= 0.3 {
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

// scale is the evidence of a plot, ready to be held against crops.
type scale struct {
	curve     *series.Curve
	seen      []series.Sight
	major     []series.Season
	sigma     float64 // days by which a date may err
	low, high float64 // of the curve outside gaps
	years     float64
}

func newScale(curve *series.Curve, seasons []series.Season, seen []series.Sight) scale {
	e := scale{curve: curve, seen: seen, low: math.Inf(1), high: math.Inf(-1), years: float64(len(curve.NDVI)) / 365}
	for i, v := range curve.NDVI {
		if !curve.InGap[i] {
			e.low, e.high = min(e.low, v), max(e.high, v)
		}
	}
	for _, s := range seasons {
		if s.PeakNDVI >= minorPeak {
			e.major = append(e.major, s)
		}
	}
	var gaps []float64
	for i := 1; i < len(seen); i++ {
		gaps = append(gaps, days(seen[i].Date.Sub(seen[i-1].Date)))
	}
	slices.Sort(gaps)
	e.sigma = 6 + gaps[len(gaps)/2]/4
	return e
}

func days(d time.Duration) float64 { return d.Hours() / 24 }

func (e scale) fallowCost() float64 { return beyond(e.high, 0, bareNDVI-0.02, 0.05, 20) }

// beyond is the cost of a value outside of lo..hi, that of a normal error.
func beyond(v, lo, hi, sigma, most float64) float64 {
	d := max(lo-v, v-hi, 0) / sigma
	return min(d*d/2, most)
}

func (e scale) cost(k Crop, parts []Part) (float64, []Match) {
	switch k.Kind {
	case Cycles:
		return e.cyclesCost(parts[0]), e.each(parts[0])
	case Evergreen:
		// It explains many curves, so it must fit well.
		return 1 + beyond(e.low, k.WinterNDVI[0], k.WinterNDVI[1], 0.03, 20) + beyond(e.high, k.PeakNDVI[0], k.PeakNDVI[1], 0.06, 6), e.each(parts[0])
	case Perennial:
		cost, matches := e.calendarCost(parts)
		return cost + beyond(e.low, k.WinterNDVI[0], k.WinterNDVI[1], 0.04, 6), matches
	default:
		cost, matches := e.calendarCost(parts)
		return cost + beyond(e.low, -1, 0.32, 0.05, 6), matches
	}
}

// each explains every season by the one part.
func (e scale) each(p Part) []Match {
	var out []Match
	for _, s := range e.major {
		if s.Peak != nil {
			out = append(out, Match{p, s, s.Peak.Year()})
		}
	}
	return out
}

func (e scale) cyclesCost(p Part) float64 {
	n := 0.0
	cost := 2.0 // it explains many curves, so it must fit well
	for _, s := range e.major {
		if s.Peak == nil || !s.Turned() {
			continue
		}
		n++
		if s.Start != nil && s.End != nil {
			cost += beyond(days(s.End.Sub(*s.Start)), 20, 95, 12, 4)
		}
		cost += beyond(s.PeakNDVI, p.PeakNDVI[0], p.PeakNDVI[1], 0.07, 2)
	}
	return cost + beyond(n, float64(p.Cycles[0])*min(1, e.years), float64(p.Cycles[1])*max(1, e.years), 0.45, 12)
}

func (e scale) calendarCost(parts []Part) (cost float64, matches []Match) {
	type slot struct{ part, year int }
	explained := map[slot]bool{}
	for _, s := range e.major {
		best, by := seasonCap, []slot(nil)
		for _, year := range e.yearsOf(s) {
			for i, p := range parts {
				if c := e.seasonCost(s, p, year); c < best {
					best, by = c, []slot{{i, year}}
				}
			}
			if len(parts) == 2 {
				if c := e.joinedCost(s, parts[0], parts[1], year); c < best {
					best, by = c, []slot{{0, year}, {1, year}}
				}
			}
		}
		cost += best
		if len(by) == 0 || !proves(s, parts[by[0].part], by[0].year) {
			continue
		}
		for _, k := range by {
			if explained[k] { // the same crop cannot peak twice in a year
				cost += seasonCap / 2
			}
			explained[k] = true
		}
		if s.Peak == nil {
			continue
		}
		m := Match{parts[by[0].part], s, by[0].year}
		if from, _ := parts[by[len(by)-1].part].When.Green.In(m.Year); s.Peak.After(from) {
			m.Part = parts[by[len(by)-1].part]
		}
		matches = append(matches, m)
	}
	for i, p := range parts {
		for year := e.curve.Start.Year(); year <= e.curve.Date(len(e.curve.NDVI)-1).Year(); year++ {
			if !explained[slot{i, year}] && e.wouldShow(p, year) {
				cost += unseenCost
			}
		}
	}
	if len(explained) == 0 { // nothing of the crop was seen at all
		cost += seasonCap
	}
	return cost, matches
}

// proves says whether a season shows that the crop grew, not only that something
// rises: it has come down again, or it has reached the time of the crop's peak.
func proves(s series.Season, p Part, year int) bool {
	if s.End != nil || s.Peak != nil && s.Turned() {
		return true
	}
	from, to := p.When.Peak.In(year)
	return s.Peak != nil && s.Peak.After(from.AddDate(0, 0, -10)) && s.Peak.Before(to.AddDate(0, 0, 20))
}

// joinedCost is the misfit of a season that is the whole of a rotation, because
// clouds hid the weeks between its two crops.
func (e scale) joinedCost(s series.Season, a, b Part, year int) float64 {
	if s.Start == nil || s.End == nil {
		return math.Inf(1)
	}
	cost := 1.0
	from, to := a.When.Green.In(year)
	cost += beyond(days(s.Start.Sub(from)), 0, days(to.Sub(from)), e.sigma, dateCap)
	from, to = b.When.Harvest.In(year)
	cost += beyond(days(s.End.Sub(from)), -10, days(to.Sub(from)), e.sigma, dateCap)
	_, from = a.When.Harvest.In(year)
	to, _ = b.When.Green.In(year)
	for _, o := range e.seen { // green when it should be bare
		if o.Date.After(from.AddDate(0, 0, -8)) && o.Date.Before(to.AddDate(0, 0, 8)) && o.NDVI > 0.5 {
			cost += 2
		}
	}
	return cost
}

func (e scale) yearsOf(s series.Season) []int {
	for _, t := range []*time.Time{s.Peak, s.End, s.Start} {
		if t != nil {
			return []int{t.Year() - 1, t.Year(), t.Year() + 1}
		}
	}
	return nil
}

// wouldShow says whether the season of p could not have been missed: the ground
// was seen bare in the weeks of its peak, or those weeks lie well inside the curve
// and were looked at.
func (e scale) wouldShow(p Part, year int) bool {
	from, to := p.When.Peak.In(year)
	for _, s := range e.seen {
		if s.NDVI < bareNDVI && s.Date.After(from) && s.Date.Before(to) {
			return true
		}
	}
	last := e.curve.Date(len(e.curve.NDVI) - 1)
	if from.AddDate(0, 0, -20).Before(e.curve.Start) || to.AddDate(0, 0, 20).After(last) {
		return false
	}
	return e.looks(from.AddDate(0, 0, -10), to.AddDate(0, 0, 10)) >= 2
}

func (e scale) looks(from, to time.Time) (n int) {
	for _, s := range e.seen {
		if !s.Date.Before(from) && !s.Date.After(to) {
			n++
		}
	}
	return n
}

// seasonCost is the misfit of a season to the calendar of a part in a year.
func (e scale) seasonCost(s series.Season, p Part, year int) float64 {
	var cost float64
	date := func(t *time.Time, from, to time.Time, weight float64) {
		if t != nil {
			cost += weight * beyond(days(t.Sub(from)), 0, days(to.Sub(from)), e.sigma, dateCap)
		}
	}
	from, to := p.When.Green.In(year)
	date(s.Start, from, to, 1)
	risen := min(cost, 1) + 0.5 // if it is only the rise of a crop to come, or weeds
	if s.Peak == nil && s.End == nil {
		return risen
	}
	from, to = p.When.Peak.In(year)
	// Stress takes the top off a season and moves its prime; its middle stays. The
	// kinder of both counts.
	if mid := s.Mid; mid != nil {
		c := beyond(days(mid.Sub(from)), 0, days(to.Sub(from)), e.sigma, dateCap)
		if s.Start != nil && s.End != nil {
			half := days(s.Start.Sub(from)) + days(s.End.Sub(*s.Start))/2
			c = min(c, 0.5+beyond(half, 0, days(to.Sub(from)), e.sigma, dateCap))
		}
		cost += c
	}
	// The curve falls below a fifth before the field is cut, or with it.
	from, to = p.When.Harvest.In(year)
	date(s.End, from.AddDate(0, 0, -10), to, 0.7)
	cost += beyond(s.PeakNDVI, p.PeakNDVI[0], p.PeakNDVI[1], 0.08, 2)
	cost += e.waterCost(s, p) + e.yellowCost(s, p)
	if !s.Turned() {
		return min(cost, risen)
	}
	return cost
}

// waterCost looks for standing water in the weeks about the greening, while leaves
// do not cover it yet.
func (e scale) waterCost(s series.Season, p Part) float64 {
	green := s.Start
	if green == nil {
		return 0
	}
	from, to := green.AddDate(0, 0, -40), green.AddDate(0, 0, 15)
	n, wet := 0, 0.0
	for _, o := range e.seen {
		if !math.IsNaN(o.Water) && o.NDVI < minorPeak && !o.Date.Before(from) && !o.Date.After(to) {
			n++
			wet = max(wet, o.Water)
		}
	}
	switch {
	case p.Flooded && wet >= wetShare, !p.Flooded && wet < wetShare:
		return 0
	case p.Flooded && n < 2:
		return 0.5
	default:
		return waterCost
	}
}

// yellowCost looks for flowers of rapeseed, which open before the pods are greenest.
func (e scale) yellowCost(s series.Season, p Part) float64 {
	if s.Mid == nil {
		return 0
	}
	n, most := 0, math.Inf(-1)
	for _, o := range e.seen {
		if d := days(o.Date.Sub(*s.Mid)); d >= -45 && d <= 25 && !math.IsNaN(o.Yellow) {
			n++
			most = max(most, o.Yellow)
		}
	}
	switch seen := most >= yellowNDYI; {
	case seen == p.Yellow || n == 0:
		return 0
	case !seen && n < 3:
		return yellowCost / 3
	default:
		return yellowCost
	}
}
