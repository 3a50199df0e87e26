package growth_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/growth"
	"github.com/furrowcredit/furrow/geo/series"
)

func date(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

var from, to = date("2026-04-01"), date("2026-10-31")

// field is a field of maize: a rise in June, full leaves in August, bare in October.
// Vigour scales what stands above the soil.
func field(vigour, noise float64, seed uint64) growth.Field {
	r := rand.New(rand.NewPCG(seed, 1))
	f := growth.Field{Region: "410725", Crop: "maize"}
	var obs []geo.Observation
	for t := from; !t.After(to); t = t.AddDate(0, 0, 8) {
		rise := t.Sub(date("2026-06-01")).Hours() / 24 / 50
		fall := date("2026-10-05").Sub(t).Hours() / 24 / 30
		v := 0.15 + 0.65*vigour*max(0, min(1, rise, fall)) + noise*r.NormFloat64()
		o := geo.Observation{Date: t.Add(3 * time.Hour), NDVI: v, Valid: true, Coverage: 1}
		obs = append(obs, o)
		f.Sights = append(f.Sights, series.Sight{Observation: o})
	}
	c, err := series.Fit(obs, from, to)
	if err != nil {
		panic(err)
	}
	f.Curve = c
	return f
}

// cut takes away what was seen after a day.
func cut(f growth.Field, last time.Time) growth.Field {
	var obs []geo.Observation
	f.Sights = slices.DeleteFunc(slices.Clone(f.Sights), func(s series.Sight) bool { return s.Date.After(last) })
	for _, s := range f.Sights {
		obs = append(obs, s.Observation)
	}
	c, err := series.Fit(obs, from, to)
	if err != nil {
		panic(err)
	}
	f.Curve = c
	return f
}

// Fields of known vigour come out in their order; the best and the poorest are told
// from the middle, and every interval holds its grade.
func TestCompareRanksByVigour(t *testing.T) {
	t.Parallel()
	var fields []growth.Field
	for i := range 41 {
		fields = append(fields, field(0.6+0.02*float64(i), 0.01, uint64(i)))
	}
	got := growth.Compare(fields)
	for i, g := range got {
		if want := 100 * float64(i) / 40; math.Abs(g.Percentile-want) > 6 {
			t.Errorf("field %d: percentile %.1f, want about %.1f", i, g.Percentile, want)
		}
		if g.Peers != 40 || g.Reason != "" || g.Grade < g.GradeLow || g.Grade > g.GradeHigh || g.GradeLow < 1 || g.GradeHigh > 5 {
			t.Errorf("field %d: %+v", i, g)
		}
		for _, p := range g.Points {
			if p.Low > p.Middle || p.Middle > p.High || p.Percentile < 0 || p.Percentile > 100 {
				t.Errorf("field %d: %+v", i, p)
			}
		}
	}
	if got[0].Grade != 1 || got[20].Grade != 3 || got[40].Grade != 5 {
		t.Errorf("grades of the poorest, the middle and the best: %d, %d, %d", got[0].Grade, got[20].Grade, got[40].Grade)
	}
	if got[20].GradeLow == 1 || got[20].GradeHigh == 5 {
		t.Errorf("the middle field may be anything: %d..%d", got[20].GradeLow, got[20].GradeHigh)
	}
}

// Where fields hardly differ, the grade must say that it could be another: over many
// draws of noise the interval holds the true grade nearly always.
func TestCompareKnowsItsUncertainty(t *testing.T) {
	t.Parallel()
	held, all := 0, 0
	for draw := range uint64(8) {
		var fields []growth.Field
		for i := range 31 {
			fields = append(fields, field(0.9+0.004*float64(i), 0.03, draw*100+uint64(i)))
		}
		for i, g := range growth.Compare(fields) {
			truth := 1
			for _, c := range []int{3, 9, 21, 27} { // 10, 30, 70, 90 % of 30 peers
				if i >= c {
					truth++
				}
			}
			all++
			if truth >= g.GradeLow && truth <= g.GradeHigh {
				held++
			}
		}
	}
	if share := float64(held) / float64(all); share < 0.9 {
		t.Errorf("the interval holds the true grade in %.0f %% of %d cases", share*100, all)
	}
}

func TestCompareSaysWhyNot(t *testing.T) {
	t.Parallel()
	crowd := func(n int) []growth.Field {
		var fs []growth.Field
		for i := range n {
			fs = append(fs, field(1, 0.01, uint64(i)))
		}
		return fs
	}
	with := func(n int, f growth.Field) []growth.Field { return append([]growth.Field{f}, crowd(n)...) }
	unknown, cycles, blind := field(1, 0, 1), field(1, 0, 1), field(1, 0, 1)
	unknown.Crop, cycles.OwnTimes, blind.Curve = "", true, nil
	elsewhere, other := field(1, 0, 1), field(1, 0, 1)
	elsewhere.Region, other.Crop = "410726", "cotton"
	early := crowd(9)
	for i := range early {
		early[i] = cut(early[i], date("2026-05-30"))
	}
	for name, c := range map[string]struct {
		fields []growth.Field
		reason string
		points bool
	}{
		"enough":         {crowd(9), "", true},
		"one short":      {crowd(8), growth.FewPeers, false},
		"unknown crop":   {with(12, unknown), growth.NoCrop, false},
		"nothing seen":   {with(12, blind), growth.NoCrop, false},
		"cut at will":    {with(12, cycles), growth.OwnTimes, false},
		"another county": {with(12, elsewhere), growth.FewPeers, false},
		"another crop":   {with(12, other), growth.FewPeers, false},
		"not yet up":     {early, growth.NotUp, true},
	} {
		got := growth.Compare(c.fields)
		if len(got) != len(c.fields) {
			t.Fatalf("%s: %d answers of %d fields", name, len(got), len(c.fields))
		}
		g := got[0]
		if g.Reason != c.reason || (g.Grade > 0) != (c.reason == "") || (len(g.Points) > 0) != c.points || g.Points == nil || g.Past == nil {
			t.Errorf("%s: %+v", name, g)
		}
	}
}

// A field that ripens a fortnight early is not poor: the grade is that of the last
// date on which the peers stood full.
func TestCompareIsNotMisledByRipening(t *testing.T) {
	t.Parallel()
	var fields []growth.Field
	for i := range 20 {
		fields = append(fields, field(0.9+0.005*float64(i), 0.005, uint64(i)))
	}
	early := field(1.05, 0.005, 99)
	var obs []geo.Observation
	for i := range early.Sights {
		s := &early.Sights[i]
		if s.Date.After(date("2026-09-10")) {
			s.NDVI = max(0.15, s.NDVI-0.3)
		}
		obs = append(obs, s.Observation)
	}
	c, err := series.Fit(obs, from, to)
	if err != nil {
		t.Fatal(err)
	}
	early.Curve = c
	g := growth.Compare(append(fields, early))[20]
	if g.Grade < 4 {
		t.Errorf("grade %d at percentile %.0f", g.Grade, g.Percentile)
	}
}

// A greener field never ranks lower, and who joins far away changes nothing.
func TestCompareProperties(t *testing.T) {
	t.Parallel()
	var crowd []growth.Field
	for i := range 15 {
		crowd = append(crowd, field(0.8+0.03*float64(i), 0.01, uint64(i)))
	}
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.Float64Range(0.3, 1.3).Draw(t, "vigour")
		b := a + rapid.Float64Range(0, 0.5).Draw(t, "more")
		poor := growth.Compare(append(slices.Clone(crowd), field(a, 0, 1)))[15]
		good := growth.Compare(append(slices.Clone(crowd), field(b, 0, 1)))[15]
		if good.Percentile < poor.Percentile || good.Grade < poor.Grade {
			t.Fatalf("vigour %.2f has grade %d (%.0f), %.2f has %d (%.0f)", a, poor.Grade, poor.Percentile, b, good.Grade, good.Percentile)
		}
		far := field(a, 0, 7)
		far.Region = "650102"
		if with := growth.Compare(append(slices.Clone(crowd), field(a, 0, 1), far))[15]; with.Percentile != poor.Percentile {
			t.Fatal("a field of another county moved the rank")
		}
	})
}

func TestPast(t *testing.T) {
	t.Parallel()
	now := field(1, 0, 1)
	shifted := func(vigour float64, back int) growth.Year {
		f := field(vigour, 0, 1)
		c := *f.Curve
		c.Start = c.Start.AddDate(-back, 0, 0)
		return growth.Year{Back: back, Curve: &c}
	}
	blind := shifted(1, 3)
	blind.Curve.InGap = slices.Repeat([]bool{true}, len(blind.Curve.NDVI))
	got := growth.Past(now.Curve, 2026, date("2026-06-01"), date("2026-09-01"), []growth.Year{shifted(0.8, 2), shifted(1.1, 1), blind})
	if len(got) != 2 || got[0].Year != 2025 || got[1].Year != 2024 {
		t.Fatalf("%+v", got)
	}
	if got[0].Change >= 0 || got[1].Change <= 0.05 || math.Abs(got[1].PeakNDVI-0.67) > 0.03 {
		t.Errorf("%+v", got)
	}
}

func ExampleCompare() {
	var fields []growth.Field
	for i := range 20 {
		fields = append(fields, field(0.7+0.02*float64(i), 0, 1))
	}
	g := growth.Compare(fields)[19]
	fmt.Println(g.Grade, g.Percentile, g.Peers)
	// Output: 5 100 19
}
