// Package growth says how well a crop stands: beside the neighbours of the same
// crop in its county, date by date, and beside the same plot in earlier years.
//
// [Compare] ranks every plot among its peers, itself left out, and gives a grade of
// five with the grades that its uncertainty allows. [Past] holds the season so far
// against the same days of earlier years.
package growth

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/series"
)

// Why a plot has no grade.
const (
	NoCrop   = "no_crop"   // the crop is unknown, or nothing grows
	OwnTimes = "own_times" // a crop cut several times a year, each field at its own time
	FewPeers = "few_peers" // fewer than 8 fields of the crop in the county were seen with it
	NotUp    = "not_up"    // the crop did not cover the ground on any date seen
)

const (
	minPeers = 8 // as for a drought against peers
	// Half the peers must be this green before a rank speaks of growth; below, it
	// speaks of soil and weeds.
	coverNDVI = 0.4
	// While a crop rises the earlier field is the higher one, in ripening the lower, and
	// neither is the better: the peers' middle must be this part of its highest in the
	// weeks before and after, as far as they were seen.
	holdShare = 0.9
	holdDays  = 60
	minNoise  = 0.02    // of a parcel's mean NDVI when its looks agree
	z         = 1.64485 // normal quantile of an interval of 90 %
)

// cuts part the five grades, in per cent of the peers that stand lower: the poorest
// and the best tenth, a fifth on either side, the middle forty.
var cuts = [4]float64{10, 30, 70, 90}

// Field is one plot of a comparison.
type Field struct {
	Region   string         // county code
	Crop     string         // code; "" where it is not known
	OwnTimes bool           // the crop is cut at any time, so dates do not compare
	Curve    *series.Curve  // nil when too little was seen
	Sights   []series.Sight // by date
}

// Compare ranks each field among the others of its region and crop, one answer a
// field in their order. A point is given for each clear date on which at least 8
// peers have a trusted curve. The grade looks at the dates on which the peers covered
// the ground and neither rose nor ripened, those of the last 60 days that had any: the
// middle rank among them counts.
//
// GradeLow and GradeHigh are the grades at the ends of a 90 % interval of the
// percentile: Wilson's interval (1927) for a share among so many peers, and the move
// of the rank when the NDVI of the field and of its peers errs by the noise of the
// field's looks, added as squares.
func Compare(fields []Field) []geo.Growth {
	out := make([]geo.Growth, len(fields))
	groups := map[[2]string]*group{}
	for i, f := range fields {
		out[i] = geo.Growth{Points: []geo.GrowthPoint{}, Past: []geo.PastYear{}}
		switch {
		case f.Crop == "" || f.Curve == nil:
			out[i].Reason = NoCrop
		case f.OwnTimes:
			out[i].Reason = OwnTimes
		default:
			key := [2]string{f.Region, f.Crop}
			if groups[key] == nil {
				groups[key] = &group{days: map[time.Time][]float64{}}
			}
			groups[key].curves = append(groups[key].curves, f.Curve)
		}
	}
	for i, f := range fields {
		if out[i].Reason == "" {
			groups[[2]string{f.Region, f.Crop}].judge(&out[i], f)
		}
	}
	return out
}

// group is the fields of one crop in one county.
type group struct {
	curves []*series.Curve
	days   map[time.Time][]float64 // NDVI of all fields seen on a day, rising
}

func (g *group) on(day time.Time) []float64 {
	v, ok := g.days[day]
	if !ok {
		v = make([]float64, 0, len(g.curves))
		for _, c := range g.curves {
			if x, seen := c.At(day); seen {
				v = append(v, x)
			}
		}
		slices.Sort(v)
		g.days[day] = v
	}
	return v
}

// middle is the median of all fields of a day, NaN where too few were seen.
func (g *group) middle(day time.Time) float64 {
	v := g.on(day)
	if len(v) <= minPeers {
		return math.NaN()
	}
	return quantile(v, -1, 0.5)
}

// standing says whether ranks of the day speak of growth.
func (g *group) standing(day time.Time) bool {
	now := g.middle(day)
	if !(now >= coverNDVI) {
		return false
	}
	for d := 1; d <= holdDays; d++ {
		if now < holdShare*g.middle(day.AddDate(0, 0, -d)) || now < holdShare*g.middle(day.AddDate(0, 0, d)) {
			return false
		}
	}
	return true
}

// judge fills the points and the grade of f, which is one of the group.
func (g *group) judge(out *geo.Growth, f Field) {
	out.Reason = FewPeers
	var last time.Time
	var stood []time.Time // days on which ranks speak of growth
	for _, s := range f.Sights {
		day := s.Date.UTC().Truncate(24 * time.Hour)
		own, ok := f.Curve.At(day)
		if !s.Valid || !ok || day.Equal(last) {
			continue
		}
		last = day
		all := g.on(day)
		if len(all) <= minPeers {
			continue
		}
		if out.Reason == FewPeers {
			out.Reason = NotUp
		}
		at, _ := slices.BinarySearch(all, own)
		out.Points = append(out.Points, geo.GrowthPoint{
			Date: s.Date, NDVI: round(own, 4), Percentile: round(percentile(all, own, true), 1),
			Low: round(quantile(all, at, 0.25), 4), Middle: round(quantile(all, at, 0.5), 4), High: round(quantile(all, at, 0.75), 4),
		})
		if g.standing(day) {
			stood = append(stood, day)
		}
	}
	if len(stood) > 0 {
		from := stood[len(stood)-1].AddDate(0, 0, -holdDays)
		g.grade(out, f, slices.DeleteFunc(stood, func(t time.Time) bool { return t.Before(from) }))
	}
}

// grade takes the middle rank of f over some days. The noise of its curve falls with
// their number.
func (g *group) grade(out *geo.Growth, f Field, days []time.Time) {
	slip := z * math.Sqrt2 * noise(f) / math.Sqrt(float64(len(days)))
	var at, low, high, peers []float64
	for _, d := range days {
		all := g.on(d)
		own, _ := f.Curve.At(d)
		at = append(at, percentile(all, own, true))
		low, high = append(low, percentile(all, own-slip, false)), append(high, percentile(all, own+slip, false))
		peers = append(peers, float64(len(all)-1))
	}
	p, n := median(at), int(median(peers))
	from, to := wilson(p/100, n)
	out.Reason, out.Peers, out.Percentile = "", n, round(p, 1)
	out.Grade = grade(p)
	out.GradeLow = grade(p - math.Hypot(p-100*from, p-median(low)))
	out.GradeHigh = grade(p + math.Hypot(100*to-p, median(high)-p))
}

func median(v []float64) float64 {
	slices.Sort(v)
	return quantile(v, -1, 0.5)
}

// percentile is the share of the others that stand lower than v, in per cent, those
// that stand equal counted half. With self one of the equal ones is v itself.
func percentile(all []float64, v float64, self bool) float64 {
	from, _ := slices.BinarySearch(all, v)
	to, _ := slices.BinarySearchFunc(all, v, func(x, v float64) int {
		if x <= v {
			return -1
		}
		return 1
	})
	equal, n := float64(to-from), float64(len(all)-1)
	if self {
		equal--
	}
	return min(100, 100*(float64(from)+equal/2)/n)
}

// quantile interpolates the q-quantile of rising values, leaving out the one at
// skip; -1 leaves none out.
func quantile(v []float64, skip int, q float64) float64 {
	n := len(v)
	if skip >= 0 {
		n--
	}
	get := func(i int) float64 {
		if skip >= 0 && i >= skip {
			i++
		}
		return v[i]
	}
	h := q * float64(n-1)
	i := int(h)
	if i+1 >= n {
		return get(n - 1)
	}
	return get(i) + (h-float64(i))*(get(i+1)-get(i))
}

// wilson is Wilson's score interval of a share p among n (JASA 22, 1927).
func wilson(p float64, n int) (low, high float64) {
	k := float64(n)
	middle := (p + z*z/(2*k)) / (1 + z*z/k)
	half := z / (1 + z*z/k) * math.Sqrt(p*(1-p)/k+z*z/(4*k*k))
	return max(0, min(p, middle-half)), min(1, max(p, middle+half))
}

// noise is the standard deviation of the looks about the curve: 1.4826 times their
// median distance, which is σ of normal errors.
func noise(f Field) float64 {
	var off []float64
	for _, s := range f.Sights {
		if v, ok := f.Curve.At(s.Date); ok && s.Valid {
			off = append(off, math.Abs(s.NDVI-v))
		}
	}
	if len(off) == 0 {
		return minNoise
	}
	slices.Sort(off)
	return max(minNoise, 1.4826*quantile(off, -1, 0.5))
}

func grade(p float64) int {
	g := 1
	for _, c := range cuts {
		if p >= c {
			g++
		}
	}
	return g
}

func round(v float64, digits int) float64 {
	k := math.Pow10(digits)
	return math.Round(v*k) / k
}

// Year is the plot in an earlier year: Curve covers the same season, Back years ago.
type Year struct {
	Back  int
	Curve *series.Curve
}

// Past holds the days from..to of this season against the same days of earlier
// years, newest first. Days in a gap of either curve do not count; a year of which
// fewer than half of the days compare is left out. year names this season.
func Past(now *series.Curve, year int, from, to time.Time, earlier []Year) []geo.PastYear {
	out := []geo.PastYear{}
	for _, e := range earlier {
		var sum, n, days float64
		peak := math.Inf(-1)
		for day := from; !day.After(to); day = day.AddDate(0, 0, 1) {
			days++
			v, ok := now.At(day)
			then, seen := e.Curve.At(day.AddDate(-e.Back, 0, 0))
			if seen {
				peak = max(peak, then)
			}
			if ok && seen {
				n++
				sum += v - then
			}
		}
		if n > 0 && n >= days/2 {
			out = append(out, geo.PastYear{Year: year - e.Back, PeakNDVI: round(peak, 4), Change: round(sum/n, 4)})
		}
	}
	slices.SortFunc(out, func(a, b geo.PastYear) int { return cmp.Compare(b.Year, a.Year) })
	return out
}
