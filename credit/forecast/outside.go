package forecast

import (
	"math"
	"time"

	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/forecast/smooth"
)

// history is what a firm sold in whole months, the new year taken out.
type history struct {
	rested []float64
	last   time.Time
}

// until is the history as it was after the first n months.
func (h history) until(n int) history {
	return history{h.rested[:n], h.last.AddDate(0, n-len(h.rested), 0)}
}

// without divides a season out.
func (h history) without(season func(time.Time) float64) []float64 {
	out := make([]float64, len(h.rested))
	for i, v := range h.rested {
		out[i] = v / season(h.last.AddDate(0, i+1-len(h.rested), 0))
	}
	return out
}

// others are the series of a firm's surroundings.
type others struct {
	industry []IndexPoint
	anchors  []AnchorSeries
}

// leaning says what of the others a forecast uses.
type leaning struct{ industry, anchors, season bool }

// Bounds of the back-test.
const (
	backOrigins = 12 // the last ones
	backMonths  = 3  // foretold from each
	fewestBack  = 4  // whole months that the first origin has behind it
	// better is the part by which the mean error must fall: with less, luck among the ways
	// that are tried would decide.
	better = 0.05
)

// lean tries on the firm's own past whether the others would have helped: from up to
// twelve origins everything is fitted anew to what was known by then, and up to three
// months are foretold, on the firm's months alone and with each way to lean on the
// others. What has the smallest mean absolute error is used when that is at least 5 %
// smaller than alone; else nothing of the others counts. tried is nil when nothing is
// known of them.
func lean(h history, o others) (use leaning, tried *credit.TurnoverOutside) {
	ways := o.ways(h)
	if len(ways) == 0 {
		return leaning{}, nil
	}
	ways = append([]leaning{{}}, ways...)
	sums := make([]float64, len(ways))
	var origins int
	var level, measured float64
	for n := max(fewestBack, len(h.rested)-backOrigins); n < len(h.rested); n++ {
		past := h.until(n)
		if smooth.Mean(past.rested[max(0, n-12):]) <= 0 {
			continue
		}
		origins++
		months := min(backMonths, len(h.rested)-n)
		for i, ahead := range o.tryAll(past, ways, months) {
			for k, v := range ahead {
				sums[i] += math.Abs(h.rested[n+k] - v)
			}
		}
		for k := range months {
			level += math.Abs(h.rested[n+k])
			measured++
		}
	}
	tried = &credit.TurnoverOutside{Origins: origins}
	if level == 0 {
		return leaning{}, tried
	}
	best := 0
	for i, s := range sums {
		if s < sums[best] {
			best = i
		}
	}
	if sums[best] > (1-better)*sums[0] {
		best = 0
	}
	use = ways[best]
	round := func(v float64) float64 { return math.Round(v/level*1e4) / 1e4 }
	tried.Alone, tried.Error = round(sums[0]), round(sums[best])
	tried.Industry, tried.Anchors, tried.Season = use.industry, use.anchors, use.season
	return use, tried
}

// ways are those that the series allow.
func (o others) ways(h history) []leaning {
	industry := indexOf(o.industry, h.last) != nil
	anchors := false
	for _, a := range o.anchors {
		anchors = anchors || a.Share > 0 && indexOf(a.Months, h.last) != nil
	}
	season := o.season(h) != nil
	var out []leaning
	for _, w := range []leaning{{industry: true}, {anchors: true}, {industry: true, anchors: true}, {season: true},
		{industry: true, season: true}, {anchors: true, season: true}, {industry: true, anchors: true, season: true}} {
		if (!w.industry || industry) && (!w.anchors || anchors) && (!w.season || season) {
			out = append(out, w)
		}
	}
	return out
}

// tryAll foretells the months after a history in each way, as sales without the new year.
func (o others) tryAll(h history, ways []leaning, months int) [][]float64 {
	borrowed := o.season(h)
	var own [2][]float64 // without and with the borrowed season
	out := make([][]float64, len(ways))
	for i, w := range ways {
		season, k := func(time.Time) float64 { return 1 }, 0
		if w.season && borrowed != nil {
			season, k = borrowed, 1
		}
		if own[k] == nil {
			own[k] = Fit(h.without(season), 12).Ahead(months)
		}
		v := o.growth(h, w, season, months)
		for j, m := range own[k] {
			out[i] = append(out[i], v.blend(h, m, j)*season(h.last.AddDate(0, j+1, 0)))
		}
	}
	return out
}

// season is that of the industry for a firm whose own three years are not there; nil
// when it has none.
func (o others) season(h history) func(time.Time) float64 {
	if len(h.rested) >= 36 {
		return nil
	}
	x := indexOf(o.industry, h.last)
	if x == nil || !smooth.Positive(x.values) || !smooth.Seasonal(x.values, 12) {
		return nil
	}
	shares := smooth.Season(x.values, 12, true)
	return func(month time.Time) float64 { return math.Max(0.05, shares[((steps(x.first, month))%12+12)%12]) }
}

// view is what others' growth says of the firm: levels by month to come, and how
// much of the usual weight the view deserves. A nil one says nothing.
type view struct {
	level  []float64
	weight float64
}

// own is the weight of the firm's own forecast.
func (v *view) own(h history) float64 {
	if v == nil {
		return 1
	}
	n := float64(len(h.rested))
	return n / (n + trustMonths*v.weight)
}

// blend puts the view of the month after the next i beside the firm's own forecast of it.
func (v *view) blend(h history, own float64, i int) float64 {
	if v == nil {
		return own
	}
	w := v.own(h)
	return w*own + (1-w)*v.level[i]
}

// growth carries the firm's mean level of the last year forward with the growth of
// its anchors and its industry, in the firm's own season. It is nil when neither is known.
func (o others) growth(h history, w leaning, season func(time.Time) float64, horizon int) *view {
	if !w.industry && !w.anchors {
		return nil
	}
	own := h.without(season)
	level := smooth.Mean(own[max(0, len(own)-12):])
	v := &view{level: make([]float64, horizon)}
	addGrowth := func(points []IndexPoint, share float64) {
		g := growthOf(points, h.last, min(12, len(own)), horizon)
		if g == nil || !(share > 0) {
			return
		}
		v.weight += share
		for i := range g {
			v.level[i] += share * g[i] * level
		}
	}
	left := 1.0
	if w.anchors {
		for _, a := range o.anchors {
			share := math.Min(left, a.Share)
			addGrowth(a.Months, share)
			if share > 0 {
				left -= share
			}
		}
	}
	if w.industry {
		addGrowth(o.industry, left)
	}
	if v.weight == 0 {
		return nil
	}
	shape := ownSeason(own)
	for i := range v.level {
		v.level[i] = shape(v.level[i]/v.weight, len(own)+i)
	}
	return v
}
