package crop

import (
	"math"
	"slices"
	"time"

	"github.com/furrowcredit/furrow/geo/series"
)

// scale is the evidence of a plot, ready to be held against crops. Times are days
// from the start of the curve; NaN where a date was not seen.
type scale struct {
	curve     *series.Curve
	looks     []look
	major     []season
	sigma     float64 // days by which a date may err
	low, high float64 // of the curve outside gaps
	years     float64
	length    float64 // days of the curve
	firstYear int     // the calendar year of january[0], the one before the curve starts
	january   []float64
	offset    int // day of the year on which the curve starts
}

// look is one clear observation.
type look struct {
	day, ndvi, water, yellow float64
	weight                   float64 // looks close to each other tell the same
}

// season is a growing season in days of the curve, with the signs seen about it.
type season struct {
	series.Season
	start, peak, mid, end float64
	cutLeft, cutRight     bool    // it stood when the looks began, or stands as they end
	from, to              float64 // the days that belong to it, as far as they were seen
	wetLooks              int     // at the ground before leaves cover it
	wet                   float64 // most water among them
	yellow                float64 // most yellow of the green looks, beyond that of leaves
}

func newScale(curve *series.Curve, seasons []series.Season, seen []series.Sight) *scale {
	e := &scale{
		curve: curve, low: math.Inf(1), high: math.Inf(-1),
		years: float64(len(curve.NDVI)) / 365, length: float64(len(curve.NDVI)),
		firstYear: curve.Start.Year() - 1, offset: curve.Start.YearDay() - 1,
	}
	for i, v := range curve.NDVI {
		if !curve.InGap[i] {
			e.low, e.high = min(e.low, v), max(e.high, v)
		}
	}
	for y := e.firstYear; y <= curve.Date(len(curve.NDVI)-1).Year()+2; y++ {
		e.january = append(e.january, days(time.Date(y, time.January, 1, 0, 0, 0, 0, time.UTC).Sub(curve.Start)))
	}
	var gaps []float64
	for i, s := range seen {
		l := look{day: days(s.Date.Sub(curve.Start)), ndvi: s.NDVI, water: s.Water, yellow: s.Yellow, weight: 1}
		if i > 0 {
			gap := l.day - e.looks[i-1].day
			gaps = append(gaps, gap)
			l.weight = min(1, gap/lookDays)
		}
		e.looks = append(e.looks, l)
	}
	slices.Sort(gaps)
	e.sigma = 6 + gaps[len(gaps)/2]/4
	for i, s := range seasons {
		if s.PeakNDVI >= minorPeak {
			k := e.signs(s)
			k.cutLeft = i == 0 && s.Start == nil && s.Left > minorPeak
			k.cutRight = i == len(seasons)-1 && s.End == nil && s.Right > minorPeak
			e.major = append(e.major, k)
		}
	}
	return e
}

func days(d time.Duration) float64 { return d.Hours() / 24 }

// signs puts a season in days and looks for standing water in the weeks about the
// greening, while leaves do not cover it yet, and for flowers while it is green.
func (e *scale) signs(s series.Season) season {
	at := func(t *time.Time) float64 {
		if t == nil {
			return math.NaN()
		}
		return days(t.Sub(e.curve.Start))
	}
	k := season{Season: s, start: at(s.Start), peak: at(s.Peak), mid: at(s.Mid), end: at(s.End), yellow: math.Inf(-1)}
	k.from, k.to = k.start, k.end
	switch {
	case s.Start == nil:
		k.from = math.Inf(-1)
	case s.Mid != nil: // flowers dip the curve, which may look like a start
		k.from = min(k.start, k.mid-45)
	}
	if s.End == nil {
		k.to = math.Inf(1)
	}
	k.end = e.bareFrom(k)
	for _, l := range e.looks {
		if l.day >= k.start-40 && l.day <= k.start+15 && l.ndvi < minorPeak {
			k.wetLooks++
			k.wet = max(k.wet, l.wetness())
		}
		if l.flowers() && l.day >= k.from && l.day <= k.to {
			k.yellow = max(k.yellow, l.yellow-leafYellow(l.ndvi))
		}
	}
	return k
}

// wetness is the share of the plot under water; where the bands that show it are
// missing, an NDVI that no soil has stands for a plot under water.
func (l look) wetness() float64 {
	switch {
	case !math.IsNaN(l.water):
		return l.water
	case l.ndvi < wetNDVI:
		return 1
	default:
		return 0
	}
}

// bareFrom is the end of a season, but no later than the day on which the ground is
// bare: the water of the next crop lowers the curve further, long after the harvest.
func (e *scale) bareFrom(s season) float64 {
	if s.End == nil {
		return s.end
	}
	to := int(s.end)
	top := max(0, int(max(s.from, 0)))
	for i := top; i <= to && i < len(e.curve.NDVI); i++ {
		if e.curve.NDVI[i] > e.curve.NDVI[top] {
			top = i
		}
	}
	for i := top; i < to; i++ {
		if e.curve.NDVI[i] < bareEnd {
			return float64(i)
		}
	}
	return s.end
}

// flowers says whether the look would show flowers: green enough to have some.
func (l look) flowers() bool { return l.ndvi > 0.5 && !math.IsNaN(l.yellow) }

// leafYellow is the NDYI of leaves over soil at an NDVI: a line between bare soil,
// about 0.16, and closed leaves, about 0.36.
func leafYellow(ndvi float64) float64 { return 0.16 + 0.20*(ndvi-0.20)/0.68 }

// when gives a window around the peak of a year in days of the curve.
func (e *scale) when(w Window, year int) (from, to float64) {
	jan := e.january[year-e.firstYear]
	return jan + float64(w.From), jan + float64(w.To)
}

func (e *scale) fallowCost() float64 { return beyond(e.high, 0, bareNDVI-0.02, 0.03, 20) }

// beyond is the cost of a value outside of lo..hi, that of a normal error. A value
// that was not seen costs nothing.
func beyond(v, lo, hi, sigma, most float64) float64 {
	d := max(lo-v, v-hi) / sigma
	if !(d > 0) {
		return 0
	}
	return min(d*d/2, most)
}

func (e *scale) cost(k Crop, parts []Part) (float64, []Match) {
	switch k.Kind {
	case Cycles:
		return e.cyclesCost(parts[0]), e.each(parts[0])
	case Evergreen:
		// It explains many curves, so it must fit well.
		return 1 + beyond(e.low, k.WinterNDVI[0], k.WinterNDVI[1], 0.03, 20) + beyond(e.high, k.PeakNDVI[0], k.PeakNDVI[1], 0.06, 6), e.each(parts[0])
	case Covered:
		return 1 + beyond(e.low, k.WinterNDVI[0], k.WinterNDVI[1], 0.04, 20) + beyond(e.high, k.PeakNDVI[0], k.PeakNDVI[1], 0.04, 20) +
			beyond(e.high-e.low, 0, 0.25, 0.04, 10), e.each(parts[0])
	case Perennial:
		cost, matches := e.calendarCost(parts)
		return cost + beyond(e.low, k.WinterNDVI[0], k.WinterNDVI[1], 0.04, 6), matches
	default:
		cost, matches := e.calendarCost(parts)
		return cost + beyond(e.low, -1, 0.32, 0.05, 6), matches
	}
}

// each explains every season by the one part.
func (e *scale) each(p Part) []Match {
	var out []Match
	for _, s := range e.major {
		if s.Peak != nil {
			out = append(out, Match{p, s.Season, s.Peak.Year()})
		}
	}
	return out
}

func (e *scale) cyclesCost(p Part) float64 {
	n := 0.0
	cost := 2.0 // it explains many curves, so it must fit well
	for _, s := range e.major {
		if s.Peak == nil || !s.Turned() {
			continue
		}
		n++
		cost += beyond(s.end-s.start, 20, 95, 12, 4)
		cost += beyond(s.PeakNDVI, p.PeakNDVI[0], p.PeakNDVI[1], 0.07, 2)
	}
	return cost + beyond(n, float64(p.Cycles[0])*min(1, e.years), float64(p.Cycles[1])*max(1, e.years), 0.45, 12)
}

// slot is one part of a rotation in one year.
type slot struct{ part, year int }

func (e *scale) calendarCost(parts []Part) (cost float64, matches []Match) {
	var explained []slot
	for k := range e.major {
		s := &e.major[k]
		best, by := e.explain(s, parts)
		cost += best
		if len(by) == 0 || !e.proves(s, parts[by[0].part], by[0].year) {
			continue
		}
		for _, k := range by {
			if slices.Contains(explained, k) { // the same crop cannot peak twice in a year
				cost += seasonCap / 2
			}
			explained = append(explained, k)
		}
		if s.Peak == nil {
			continue
		}
		m := Match{parts[by[0].part], s.Season, by[0].year}
		if from, _ := e.when(parts[by[len(by)-1].part].When.Green, m.Year); s.peak > from {
			m.Part = parts[by[len(by)-1].part]
		}
		matches = append(matches, m)
	}
	for i, p := range parts {
		for year := e.firstYear + 1; e.january[year-e.firstYear] < e.length; year++ {
			if !slices.Contains(explained, slot{i, year}) && e.wouldShow(p, year) {
				cost += unseenCost
			}
		}
	}
	if len(explained) == 0 { // nothing of the crop was seen at all
		cost += seasonCap
	}
	return cost + lookShare*e.looksCost(parts), matches
}

// explain finds the part, or the two parts, whose calendar fits a season best.
func (e *scale) explain(s *season, parts []Part) (float64, []slot) {
	best, by := seasonCap, []slot(nil)
	anchor := s.peak
	for _, t := range []float64{s.end, s.start} {
		if math.IsNaN(anchor) {
			anchor = t
		}
	}
	if math.IsNaN(anchor) {
		return best, nil
	}
	here := 0
	for here+1 < len(e.january) && e.january[here+1] <= anchor {
		here++
	}
	for year := max(0, here-1) + e.firstYear; year <= min(len(e.january)-1, here+1)+e.firstYear; year++ {
		for i := range parts {
			if c := e.seasonCost(s, &parts[i], year); c < best {
				best, by = c, []slot{{i, year}}
			}
			if i > 0 {
				if c := e.joinedCost(s, &parts[i-1], &parts[i], year); c < best {
					best, by = c, []slot{{i - 1, year}, {i, year}}
				}
			}
		}
	}
	return best, by
}

// proves says whether a season shows that the crop grew, not only that something
// rises: it has come down again, or it has reached the time of the crop's peak.
func (e *scale) proves(s *season, p Part, year int) bool {
	if s.End != nil || s.Peak != nil && s.Turned() {
		return true
	}
	from, to := e.when(p.When.Peak, year)
	if s.Open && e.greenBetween(max(from, s.from), to) { // it stands, and stood at the time of the peak
		return true
	}
	return s.peak > from-10 && s.peak < to+20
}

// greenBetween says whether a crop covered the ground between two days, ten of them
// at least.
func (e *scale) greenBetween(from, to float64) bool {
	a, b := int(max(from, 0)), int(min(to, e.length-1))
	if b-a < 10 {
		return false
	}
	sum := 0.0
	for _, v := range e.curve.NDVI[a:b] {
		sum += v
	}
	return sum/float64(b-a) >= minorPeak
}

// joinedCost is the misfit of a season that is the whole of a rotation, because
// clouds hid the weeks between its two crops.
func (e *scale) joinedCost(s *season, a, b *Part, year int) float64 {
	if s.Start == nil || s.End == nil {
		return math.Inf(1)
	}
	cost := 1.0
	from, to := e.when(a.When.Green, year)
	cost += beyond(s.start, from, to, e.sigma, dateCap)
	from, to = e.when(b.When.Harvest, year)
	cost += beyond(s.end, from-10, to, e.sigma, dateCap)
	_, from = e.when(a.When.Harvest, year)
	to, _ = e.when(b.When.Green, year)
	for _, l := range e.looks { // green when it should be bare
		if l.day > from-8 && l.day < to+8 && l.ndvi > 0.5 {
			cost += 2
		}
	}
	return cost
}

// wouldShow says whether the season of p could not have been missed: the ground
// was seen bare in the weeks of its peak, or those weeks lie well inside the curve
// and were looked at.
func (e *scale) wouldShow(p Part, year int) bool {
	from, to := e.when(p.When.Peak, year)
	near := 0
	for _, l := range e.looks {
		if l.ndvi < bareNDVI && l.day > from && l.day < to {
			return true
		}
		if l.day >= from-10 && l.day <= to+10 {
			near++
		}
	}
	return from-20 >= 0 && to+20 <= e.length-1 && near >= 2
}

// seasonCost is the misfit of a season to the calendar of a part in a year.
func (e *scale) seasonCost(s *season, p *Part, year int) float64 {
	from, to := e.when(p.When.Green, year)
	cost := beyond(s.start, from, to, e.sigma, dateCap)
	if s.cutLeft { // it had greened by then
		cost += beyond(e.looks[0].day, from, math.Inf(1), e.sigma, dateCap)
	}
	signs := waterMisfit(s, p) + e.yellowMisfit(s, p, year)
	risen := min(cost, 1) + 0.5 + signs // if it is only the rise of a crop to come, or weeds
	_, last := e.when(p.When.Harvest, year)
	if s.cutRight { // it had not ended by then
		late := beyond(e.looks[len(e.looks)-1].day, math.Inf(-1), last, e.sigma, dateCap)
		cost, risen = cost+late, risen+late
	}
	if s.Peak == nil && s.End == nil {
		return risen
	}
	from, to = e.when(p.When.Peak, year)
	// Stress takes the top off a season and moves its prime; its middle stays. The
	// kinder of both counts.
	if s.Mid != nil {
		c := beyond(s.mid, from, to, e.sigma, dateCap)
		switch {
		case s.Start != nil && s.End != nil:
			c = min(c, 0.5+beyond((s.start+s.end)/2, from, to, e.sigma, dateCap))
		case s.Start != nil && s.cutRight: // its middle is yet to come, or later than this
			c = min(c, 0.5+beyond((s.start+e.looks[len(e.looks)-1].day)/2, math.Inf(-1), to, e.sigma, dateCap))
		}
		cost += c
	}
	// The curve falls below a fifth before the field is cut, or with it.
	from, to = e.when(p.When.Harvest, year)
	cost += 0.7 * beyond(s.end, from-10, to, e.sigma, dateCap)
	if s.Peak != nil {
		cost += beyond(s.PeakNDVI, p.PeakNDVI[0], p.PeakNDVI[1], 0.08, 2)
	}
	cost += signs
	if !s.Turned() {
		return min(cost, risen)
	}
	return cost
}

// waterMisfit is the cost of standing water without need, or needed and not seen.
func waterMisfit(s *season, p *Part) float64 {
	switch wet := s.wet >= wetShare; {
	case s.Start == nil, p.Flooded == wet:
		return 0
	case p.Flooded && s.wetLooks < 2:
		return 0.5
	default:
		return waterCost
	}
}

// yellowMisfit is the cost of yellow flowers that do not belong, or that do not
// show although the season was looked at when it should flower: in the weeks before
// its middle or, where that was not seen, in those of the calendar.
func (e *scale) yellowMisfit(s *season, p *Part, year int) float64 {
	seen := s.yellow >= flowerYellow
	switch {
	case seen == p.Yellow:
		return 0
	case seen:
		return yellowCost
	}
	from, to := s.mid-25, s.mid+12
	if s.Mid == nil {
		from, to = e.when(p.When.Peak, year)
	}
	n := 0
	for _, l := range e.looks {
		if l.flowers() && l.day >= max(from, s.from) && l.day <= min(to, s.to) {
			n++
		}
	}
	return yellowCost * min(1, float64(n)/4)
}

// looksCost holds every clear look against what the crops of the year may look
// like on that day: bare before it greens, green at its peak.
func (e *scale) looksCost(parts []Part) float64 {
	var cost float64
	bands := make([]*band, len(parts))
	for i := range parts {
		bands[i] = parts[i].band()
	}
	for _, l := range e.looks {
		if l.water >= floodLook { // water tells nothing of what stands in it
			continue
		}
		lo, hi := -1.0, bareTop
		day := (e.offset + int(l.day)) % 365
		for _, b := range bands {
			lo, hi = max(lo, b.lo[day]), max(hi, b.hi[day])
		}
		cost += l.weight * beyond(l.ndvi, lo, hi, lookSigma, lookCap)
	}
	return cost
}
