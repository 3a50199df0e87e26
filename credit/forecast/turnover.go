package forecast

import (
	"math"
	"slices"
	"time"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/forecast/smooth"
	"github.com/furrowcredit/furrow/money"
)

// IndexPoint is the level of something in a month: an industry's index, or what an
// anchor buys in all. Its unit does not matter.
type IndexPoint struct {
	Month string // "2026-05"
	Value float64
}

// AnchorSeries is what an anchor buys in all, with the share of the firm's sales that
// go to it.
type AnchorSeries struct {
	Share  float64 // 0 to 1
	Months []IndexPoint
}

// Reasons for no forecast.
const (
	TooShort = "too_short" // fewer than six whole months
	NoSales  = "no_sales"  // none in the last twelve months, or as much was taken back
)

// fewestMonths is how many whole months a forecast needs.
const fewestMonths = 6

// trustMonths is the length of a history that weighs as much as what is known from
// outside.
const trustMonths = 6

// method is the name under which forecasts are kept.
const method = "water-level@2"

// Turnover forecasts the sales of a firm by months after the last whole one: from
// its own history, and where that would have told its own past months better, from the
// forecast growth of its industry and of its anchors' purchases and from the season of
// its industry; see [lean]. The shorter the history, the more the growth of others
// counts: with n whole months the firm's own forecast weighs n/(n+6). Within the rest,
// anchors weigh by the share of sales that go to them and the industry takes what they
// leave.
//
// Months that are not whole are left out. The Chinese new year is taken out before
// and put back after.
func Turnover(own []chain.TradeMonth, industry []IndexPoint, anchors []AnchorSeries, horizon int) credit.Turnover {
	months, values := whole(own)
	t := credit.Turnover{Status: "unknown", History: len(values), Method: method, Months: []credit.TurnoverMonth{}}
	if len(values) < fewestMonths {
		t.Reason = TooShort
		return t
	}
	if smooth.Mean(values[max(0, len(values)-12):]) <= 0 {
		t.Reason = NoSales
		return t
	}
	h := history{rested: make([]float64, len(values)), last: months[len(months)-1]}
	for i, v := range values {
		h.rested[i] = v / working(months[i])
	}
	from := others{industry, anchors}
	w, tried := lean(h, from)
	season := func(time.Time) float64 { return 1 }
	if w.season {
		season = from.season(h)
	}
	points := Fit(h.without(season), 12).Outlook(horizon)
	v := from.growth(h, w, season, horizon)
	t.Status, t.Outside = "known", tried
	if tried != nil {
		tried.Weight = math.Round((1-v.own(h))*1e4) / 1e4
	}
	for i, p := range points {
		month := h.last.AddDate(0, i+1, 0)
		factor := season(month) * working(month)
		middle := v.blend(h, p.Middle, i)
		below, above := p.Middle-p.Low80, p.High80-p.Middle
		t.Months = append(t.Months, credit.TurnoverMonth{
			Month:  month.Format("2006-01"),
			Middle: fen(middle * factor),
			Low:    fen(math.Max(math.Min(0, p.Low80), middle-below) * factor),
			High:   fen((middle + above) * factor),
		})
	}
	return t
}

// whole drops months that are not whole at both ends, and gives the rest without
// gaps: a month that is not there had no sales.
func whole(own []chain.TradeMonth) (months []time.Time, values []float64) {
	own = slices.Clone(own)
	slices.SortStableFunc(own, func(a, b chain.TradeMonth) int { return compare(a.Month, b.Month) })
	for len(own) > 0 && own[0].Partial {
		own = own[1:]
	}
	for len(own) > 0 && own[len(own)-1].Partial {
		own = own[:len(own)-1]
	}
	for _, m := range own {
		at, err := time.Parse("2006-01", m.Month)
		if err != nil {
			continue
		}
		if n := len(months); n > 0 {
			if !at.After(months[n-1]) {
				values[n-1] += float64(m.Sales)
				continue
			}
			for next := months[n-1].AddDate(0, 1, 0); next.Before(at); next = next.AddDate(0, 1, 0) {
				months, values = append(months, next), append(values, 0)
			}
		}
		months, values = append(months, at), append(values, float64(m.Sales))
	}
	return months, values
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// fen rounds an amount to fen, half to even; what no amount can hold becomes the
// largest.
func fen(v float64) money.Fen {
	const most = 9e18
	return money.Fen(math.RoundToEven(math.Max(-most, math.Min(most, v))))
}

// index is an outside series on the calendar.
type index struct {
	first  time.Time
	values []float64 // without the new year
}

// indexOf puts points in order, up to a month; missing ones are drawn from line to
// line. It is nil when fewer than a year is there, or any value is negative.
func indexOf(points []IndexPoint, last time.Time) *index {
	at := map[time.Time]float64{}
	var first, end time.Time
	for _, p := range points {
		month, err := time.Parse("2006-01", p.Month)
		if err != nil || month.After(last) || !(p.Value >= 0) || math.IsInf(p.Value, 0) {
			continue
		}
		if _, ok := at[month]; !ok && (len(at) == 0 || month.Before(first)) {
			first = month
		}
		if month.After(end) {
			end = month
		}
		at[month] = p.Value
	}
	if len(at) < 12 {
		return nil
	}
	x := &index{first: first}
	for month := first; !month.After(end); month = month.AddDate(0, 1, 0) {
		v, ok := at[month]
		if !ok {
			v = math.NaN()
		}
		x.values = append(x.values, v/working(month))
	}
	x.values = Filled(x.values)
	if smooth.Mean(x.values) <= 0 {
		return nil
	}
	return x
}

// steps counts months.
func steps(from, to time.Time) int {
	return (to.Year()-from.Year())*12 + int(to.Month()) - int(from.Month())
}

// ownSeason puts the season of a history of three years and more, if it has one, on
// a level.
func ownSeason(own []float64) func(level float64, at int) float64 {
	if !smooth.Seasonal(own, 12) {
		return func(level float64, _ int) float64 { return level }
	}
	shares := smooth.Positive(own)
	season := smooth.Season(own, 12, shares)
	return func(level float64, at int) float64 {
		if shares {
			return level * season[at%12]
		}
		return level + season[at%12]
	}
}

// growthOf is the forecast of an index without its season, by its mean over the last
// months before; at most threefold and at least a third.
func growthOf(points []IndexPoint, last time.Time, months, horizon int) []float64 {
	x := indexOf(points, last)
	if x == nil {
		return nil
	}
	y := x.values
	if smooth.Seasonal(y, 12) && smooth.Positive(y) {
		y = smooth.Adjust(y, smooth.Season(y, 12, true), true)
	}
	late := max(0, steps(x.first, last)-len(y)+1) // months that the index lags behind
	base := smooth.Mean(y[max(0, len(y)-months+late):])
	if late >= months || base <= 0 {
		return nil
	}
	out := Fit(y, 1).Ahead(horizon + late)[late:]
	for h := range out {
		out[h] = math.Max(1.0/3, math.Min(3, out[h]/base))
	}
	return out
}
