package county

import (
	"math"
	"math/rand/v2"
	"time"
)

// growth is how one field grows: a sum of leaf-area courses through the year.
type growth struct {
	courses []course
	floor   float64 // leaf area that is always there: trees, grass between rows
	most    float64 // greatest cover that leaves can reach, 1 but for rows of trees
	paddy   [2]float64
	flower  [2]float64 // days of yellow flowers
	vigour  float64
}

// course is one rise and fall of leaf area: it rises from a to b, stays till c
// and falls till d, in days from 1 January of the year of d.
type course struct{ a, b, c, d, lai float64 }

// md is the day of the year of a month and day.
func md(month time.Month, d int) float64 {
	return float64(time.Date(2025, month, d, 0, 0, 0, 0, time.UTC).YearDay() - 1)
}

// newGrowth draws the course of a field. Dates move together by up to 12 days and
// each phase by a few more; vigour differs by a tenth.
func newGrowth(r *rand.Rand, crop string) growth {
	late := max(-shift, min(shift, r.NormFloat64()*5.5))
	vigour := max(0.8, min(1.2, 1+r.NormFloat64()*0.07))
	at := func(month time.Month, d int) float64 { return md(month, d) + late + r.NormFloat64()*1.5 }
	g := growth{most: 1, vigour: vigour}
	wheat := func(end float64) {
		g.courses = append(g.courses,
			course{md(time.October, 26) - 365 + late, md(time.December, 8) - 365 + late, at(time.March, 30), at(time.April, 20), 0.75},
			course{at(time.February, 18), at(time.April, 10), at(time.May, 4), end, 4.4})
	}
	switch crop {
	case "wheat_maize":
		wheat(at(time.June, 4))
		g.courses = append(g.courses, course{at(time.June, 19), at(time.July, 30), at(time.August, 24), at(time.September, 27), 4.3})
	case "wheat_rice":
		wheat(at(time.June, 2))
		g.paddy = [2]float64{at(time.June, 8), at(time.July, 8)}
		g.courses = append(g.courses, course{g.paddy[0] + 16, at(time.August, 14), at(time.September, 10), at(time.October, 15), 4.8})
	case "rice":
		g.paddy = [2]float64{at(time.May, 16), at(time.June, 20)}
		g.courses = append(g.courses, course{g.paddy[0] + 20, at(time.August, 2), at(time.August, 30), at(time.October, 2), 5})
	case "cotton":
		g.courses = append(g.courses, course{at(time.May, 3), at(time.July, 24), at(time.September, 6), at(time.October, 30), 3.5})
	case "peanut":
		g.courses = append(g.courses, course{at(time.May, 10), at(time.July, 2), at(time.July, 30), at(time.September, 7), 3.7})
	case "rapeseed":
		g.courses = append(g.courses,
			course{md(time.October, 4) - 365 + late, md(time.November, 22) - 365 + late, at(time.March, 8), at(time.April, 2), 1},
			course{at(time.February, 10), at(time.March, 20), at(time.April, 22), at(time.May, 21), 3.9},
			course{at(time.June, 20), at(time.July, 25), at(time.September, 1), at(time.October, 15), 0.2})
		g.flower = [2]float64{at(time.March, 20), at(time.April, 14)}
	case "apple":
		g.floor, g.most = 0.3, 0.82
		g.courses = append(g.courses, course{at(time.March, 26), at(time.May, 8), at(time.October, 2), at(time.November, 18), 3})
	case "vegetable":
		for t := md(time.March, 6) + late; t+58 < md(time.November, 20); t += 66 + r.NormFloat64()*3 {
			g.courses = append(g.courses, course{t + 4, t + 34, t + 44, t + 56, 2.4 + r.NormFloat64()*0.25})
		}
	default: // weeds
		g.courses = append(g.courses, course{at(time.May, 15), at(time.July, 20), at(time.September, 1), at(time.November, 1), 0.2})
	}
	return g
}

// leaf gives the leaf area index on a day of the year.
func (g growth) leaf(doy float64) float64 {
	lai := g.floor
	for _, c := range g.courses {
		best := 0.0
		for _, year := range []float64{-365, 0, 365} {
			x := doy - year
			var v float64
			switch {
			case x <= c.a || x >= c.d:
			case x < c.b:
				v = smooth((x - c.a) / (c.b - c.a))
			case x <= c.c:
				v = 1
			default:
				v = 1 - math.Pow((x-c.c)/(c.d-c.c), 1.7)
			}
			best = max(best, v)
		}
		lai += c.lai * best
	}
	return lai * g.vigour
}

func smooth(t float64) float64 { return t * t * (3 - 2*t) }

// in says how far into a span of days of the year the day is: 0 outside, rising
// over five days to 1 and falling again.
func in(span [2]float64, doy float64) float64 {
	if span[1] == 0 {
		return 0
	}
	return max(0, min(1, (doy-span[0])/5+0.4, (span[1]-doy)/8+0.4))
}

// state is what a field looks like on a day.
type state struct {
	cover  float64 // by green leaves
	water  float64 // standing water, before leaves cover it
	yellow float64 // share of the leaves under flowers
	dry    float64 // 0..1 loss of leaf water
	stub   float64 // share of the ground under straw
}

// on gives the state of a field on a date, with all that befell it.
func (f field) on(c *County, t time.Time) state {
	doy := float64(t.YearDay() - 1)
	lai := f.grow.leaf(doy)
	s := state{water: in(f.grow.paddy, doy)}
	for _, k := range f.grow.courses { // straw for six weeks after a harvest
		if since := doy - k.d; k.lai > 1 && since > 0 && since < 45 {
			s.stub = max(s.stub, 0.8*(1-since/45))
		}
	}
	if z := c.zones["flood"]; f.flood {
		switch {
		case t.After(z.to):
			lai *= 0.62 + 0.1*min(1, t.Sub(z.to).Hours()/24/30)
		case !t.Before(z.from):
			s.water, lai = f.wet, lai*0.06
		}
	}
	if z := c.zones["drought"]; f.dry && t.After(z.from) && t.Before(z.to.AddDate(0, 0, 60)) {
		// It comes on over three weeks; rain afterwards fills the leaves that are left.
		k := min(1, t.Sub(z.from).Hours()/24/21)
		lai *= 1 - 0.56*k
		s.dry = 0.8 * k * max(0, 1-max(0, t.Sub(z.to).Hours()/24)/40)
	}
	if z := f.cut; !z.IsZero() && t.After(z) && t.Before(z.AddDate(0, 0, 70)) {
		lai, s.stub = 0.1, 0.8
	}
	s.cover = f.grow.most * (1 - math.Exp(-0.55*lai))
	s.yellow = 0.55 * in(f.grow.flower, doy)
	return s
}
