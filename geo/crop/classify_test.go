package crop_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/crop"
	"github.com/furrowcredit/furrow/geo/series"
)

func date(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

// rise is one growing season: NDVI rises from start, stands, and falls to end.
type rise struct {
	start, full, ripe, end string
	top                    float64
}

// field looks at a made-up field every step days. Water stands between wet dates,
// flowers open between yellow dates.
type field struct {
	base        float64
	rises       []rise
	wet, yellow [2]string
	wets        [][2]string
}

var nan = math.NaN()

func (f field) sights(from, to time.Time, step int) []series.Sight {
	var out []series.Sight
	for t := from; !t.After(to); t = t.AddDate(0, 0, step) {
		v := f.base
		for _, r := range f.rises {
			a, b, c, d := date(r.start), date(r.full), date(r.ripe), date(r.end)
			k := 0.0
			switch {
			case t.Before(a) || t.After(d):
			case t.Before(b):
				k = t.Sub(a).Hours() / b.Sub(a).Hours()
			case t.Before(c):
				k = 1
			default:
				k = d.Sub(t).Hours() / d.Sub(c).Hours()
			}
			v = max(v, f.base+(r.top-f.base)*k)
		}
		s := series.Sight{Observation: geo.Observation{Date: t, NDVI: v, Coverage: 1, Valid: true}, Yellow: 0.3, VV: math.NaN(), Moisture: math.NaN()}
		for _, w := range append([][2]string{f.wet}, f.wets...) {
			if w[0] != "" && !t.Before(date(w[0])) && t.Before(date(w[1])) {
				s.Water, s.NDVI = 0.9, min(s.NDVI, 0.1)
			}
		}
		if f.yellow[0] != "" && !t.Before(date(f.yellow[0])) && t.Before(date(f.yellow[1])) {
			s.Yellow = 0.45
		}
		out = append(out, s)
	}
	return out
}

var (
	wheat = rise{"2025-11-05", "2026-04-10", "2026-05-08", "2026-06-04", 0.85}
	maize = rise{"2026-06-25", "2026-07-30", "2026-08-28", "2026-09-28", 0.84}
	paddy = rise{"2026-06-12", "2026-08-01", "2026-09-01", "2026-10-04", 0.84}
	late  = rise{"2026-07-02", "2026-08-12", "2026-09-12", "2026-10-16", 0.83}
)

func TestClassify(t *testing.T) {
	t.Parallel()
	c := builtin(t)
	from, to := date("2025-10-15"), date("2026-11-10")
	for name, k := range map[string]struct {
		field
		want, unsure string
	}{
		"wheat then maize":    {field: field{base: 0.2, rises: []rise{wheat, maize}}, want: "wheat_maize"},
		"wheat only":          {field: field{base: 0.2, rises: []rise{wheat}}, want: "winter_wheat"},
		"wheat then rice":     {field: field{base: 0.2, rises: []rise{wheat, late}, wet: [2]string{"2026-06-10", "2026-07-10"}}, want: "wheat_rice"},
		"rice":                {field: field{base: 0.2, rises: []rise{paddy}, wet: [2]string{"2026-05-18", "2026-06-20"}}, want: "rice"},
		"rice in two flights": {field: field{base: 0.2, rises: []rise{paddy}, wet: [2]string{"2026-05-25", "2026-06-15"}}, want: "rice"},
		"cotton":              {field: field{base: 0.2, rises: []rise{{"2026-05-10", "2026-07-20", "2026-09-10", "2026-10-30", 0.8}}}, want: "cotton"},
		"peanut":              {field: field{base: 0.2, rises: []rise{{"2026-05-15", "2026-07-01", "2026-08-01", "2026-09-08", 0.8}}}, want: "peanut"},
		"rapeseed":            {field: field{base: 0.2, rises: []rise{{"2025-10-15", "2026-03-15", "2026-04-25", "2026-05-22", 0.8}}, yellow: [2]string{"2026-03-20", "2026-04-12"}}, want: "rapeseed"},
		"orchard":             {field: field{base: 0.34, rises: []rise{{"2026-03-28", "2026-05-10", "2026-10-05", "2026-11-18", 0.72}}}, want: "apple"},
		"vegetables": {field: field{base: 0.2, rises: []rise{
			{"2026-03-10", "2026-04-10", "2026-04-20", "2026-05-05", 0.7}, {"2026-05-16", "2026-06-12", "2026-06-22", "2026-07-08", 0.7},
			{"2026-07-18", "2026-08-15", "2026-08-25", "2026-09-10", 0.7}, {"2026-09-18", "2026-10-12", "2026-10-22", "2026-11-05", 0.7},
		}}, want: "vegetable"},
		"fallow": {field: field{base: 0.22, rises: []rise{{"2026-05-01", "2026-07-01", "2026-09-01", "2026-11-01", 0.31}}}, want: crop.Fallow},
		// Green from January to March only: no crop of the region does that.
		"nothing known": {field: field{base: 0.2, rises: []rise{{"2025-12-20", "2026-01-10", "2026-01-25", "2026-02-10", 0.9}}}, unsure: crop.FitsNone},
	} {
		a := c.Classify(crop.Evidence{Region: "huanghuai", County: "410725", Start: from, End: to, Sights: k.sights(from, to, 9)})
		if a.Crop != k.want || a.Unsure != k.unsure {
			t.Errorf("%s: got %q (%s) %v", name, a.Crop, a.Unsure, a.Guesses)
		}
		if k.want != "" && (a.Confidence < 0.5 || a.Guesses[0].Crop != k.want) {
			t.Errorf("%s: confidence %v, guesses %v", name, a.Confidence, a.Guesses)
		}
	}
}

func TestClassifyAbstains(t *testing.T) {
	t.Parallel()
	c := builtin(t)
	from, to := date("2025-10-15"), date("2026-11-10")
	f := field{base: 0.2, rises: []rise{wheat, maize}}
	for name, k := range map[string]struct {
		region string
		sights []series.Sight
		want   string
	}{
		"no calendar":   {"", f.sights(from, to, 9), crop.NoCalendar},
		"five dates":    {"huanghuai", f.sights(from, to, 80), crop.FewDates},
		"nothing clear": {"huanghuai", nil, crop.FewDates},
	} {
		a := c.Classify(crop.Evidence{Region: k.region, Start: from, End: to, Sights: k.sights})
		if a.Crop != "" || a.Unsure != k.want || a.Confidence != 0 || len(a.Matches) > 0 {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

// Looks before and after the season say nothing of it, and have no day of its curve.
func TestClassifyPassesOverLooksOutsideTheSeason(t *testing.T) {
	t.Parallel()
	c := builtin(t)
	from, to := date("2026-01-05"), date("2026-11-10")
	f := field{base: 0.2, rises: []rise{wheat, maize}}
	all := f.sights(date("2025-01-05"), date("2027-06-10"), 9)
	var inside []series.Sight
	for _, s := range all {
		if !s.Date.Before(from) && !s.Date.After(to) {
			inside = append(inside, s)
		}
	}
	ev := crop.Evidence{Region: "huanghuai", County: "410725", Start: from, End: to, Sights: inside}
	want := c.Classify(ev)
	if ev.Sights = all; want.Crop != "wheat_maize" || len(inside) == len(all) {
		t.Fatalf("%d of %d looks: %q %v", len(inside), len(all), want.Crop, want.Guesses)
	}
	if got := c.Classify(ev); got.Crop != want.Crop || got.Confidence != want.Confidence {
		t.Errorf("%q %.3f, without the others %q %.3f", got.Crop, got.Confidence, want.Crop, want.Confidence)
	}
	if got := c.Match(ev, "wheat_maize"); len(got) != len(want.Matches) {
		t.Errorf("%d matches, want %d", len(got), len(want.Matches))
	}
	ev.End = date("9999-11-10") // a misspelt year is no blank
	if got := c.Classify(ev); got.Crop == "" && got.Unsure == "" {
		t.Errorf("neither a crop nor a reason: %+v", got)
	}
	ev.End, ev.Sights = to, all[:20]
	if got := c.Classify(ev); got.Unsure != crop.FewDates {
		t.Errorf("only looks of another year: %+v", got)
	}
}

// A flood of a few days over standing maize must not make it two crops.
func TestClassifyPassesOverFlood(t *testing.T) {
	t.Parallel()
	from, to := date("2025-10-15"), date("2026-11-10")
	f := field{base: 0.2, rises: []rise{wheat, maize}, wet: [2]string{"2026-08-01", "2026-08-14"}}
	a := builtin(t).Classify(crop.Evidence{Region: "huanghuai", Start: from, End: to, Sights: f.sights(from, to, 9)})
	if a.Crop != "wheat_maize" || len(a.Matches) != 2 {
		t.Errorf("%q with %d seasons: %v", a.Crop, len(a.Matches), a.Guesses)
	}
}

// Whatever is seen, the probabilities are probabilities and an answer has one.
func TestClassifyProbabilities(t *testing.T) {
	t.Parallel()
	c := builtin(t)
	from, to := date("2025-10-15"), date("2026-11-10")
	rapid.Check(t, func(t *rapid.T) {
		var sights []series.Sight
		for d := from; d.Before(to); d = d.AddDate(0, 0, rapid.IntRange(1, 40).Draw(t, "gap")) {
			sights = append(sights, series.Sight{
				Observation: geo.Observation{Date: d, NDVI: rapid.Float64Range(-0.3, 1).Draw(t, "ndvi"), Coverage: 1, Valid: rapid.Bool().Draw(t, "valid")},
				Water:       rapid.Float64Range(0, 1).Draw(t, "water"), Yellow: math.NaN(), Moisture: math.NaN(), VV: math.NaN(),
			})
		}
		region := rapid.SampledFrom([]string{"huanghuai", "yangtze", "northeast", "xinjiang", "europe"}).Draw(t, "region")
		a := c.Classify(crop.Evidence{Region: region, Start: from, End: to, Sights: sights})
		sum := 0.0
		for _, g := range a.Guesses {
			if !(g.Probability > 0 && g.Probability <= 1) {
				t.Fatalf("guess %+v", g)
			}
			sum += g.Probability
		}
		if sum > 1.005 || a.Confidence > crop.MostSure || (a.Crop == "") != (a.Unsure != "") || a.Crop == "" && a.Confidence != 0 || a.Confidence > 1 {
			t.Fatalf("%+v sums to %v", a, sum)
		}
	})
}
