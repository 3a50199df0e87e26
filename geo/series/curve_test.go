package series_test

import (
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/series"
)

func date(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

// bumps gives observations every step days of Gaussian growing seasons.
func bumps(start, end time.Time, step int, peaks ...string) []geo.Observation {
	var obs []geo.Observation
	for t := start; !t.After(end); t = t.AddDate(0, 0, step) {
		v := 0.15
		for _, p := range peaks {
			v += 0.6 * math.Exp(-sq(t.Sub(date(p)).Hours()/24/28))
		}
		obs = append(obs, geo.Observation{Date: t, NDVI: v, Coverage: 1, Valid: true})
	}
	return obs
}

func ExampleSeasons() {
	start, end := date("2025-10-01"), date("2026-10-31")
	obs := bumps(start, end, 10, "2026-04-20", "2026-08-20") // wheat, then maize
	curve, err := series.Fit(obs, start, end)
	if err != nil {
		panic(err)
	}
	for _, s := range series.Seasons(curve) {
		fmt.Printf("%s to %s, peak %.2f on %s\n", s.Start.Format(time.DateOnly), s.End.Format(time.DateOnly), s.PeakNDVI, s.Peak.Format(time.DateOnly))
	}
	// Output:
	// 2026-03-16 to 2026-05-24, peak 0.75 on 2026-04-20
	// 2026-07-17 to 2026-09-24, peak 0.75 on 2026-08-20
}

func TestFitMarksGaps(t *testing.T) {
	t.Parallel()
	start, end := date("2020-11-01"), date("2021-10-01")
	obs := bumps(start, end, 30, "2021-06-15")
	for i := range obs {
		if m := obs[i].Date.Month(); m == time.December || m == time.January {
			obs[i] = geo.Observation{Date: obs[i].Date, Reason: "nodata"}
		}
	}
	c, err := series.Fit(obs, start, end)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := c.At(date("2020-12-31")); ok {
		t.Error("the empty months must be a gap")
	}
	if v, ok := c.At(date("2021-06-15")); !ok || v < 0.6 {
		t.Errorf("June is %v, %v", v, ok)
	}
	for _, p := range c.Points(5) {
		if p.InGap && (p.NDVI < 0.14 || p.NDVI > 0.2) {
			t.Errorf("%s: a gap must be crossed between its banks, not at %v", p.Date, p.NDVI)
		}
	}
	s := series.Seasons(c)
	if len(s) != 1 || s[0].Peak == nil || math.Abs(s[0].Peak.Sub(date("2021-06-15")).Hours()/24) > 8 {
		t.Errorf("seasons %+v", s)
	}
}

func TestSeasonsAtTheRim(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		start, end             string
		start1, peak1, end1, o bool
	}{
		"whole":            {"2026-01-01", "2026-12-31", true, true, true, false},
		"starts at peak":   {"2026-07-01", "2026-12-31", false, false, true, false},
		"starts too late":  {"2026-06-05", "2026-12-31", true, true, true, false},
		"ends while green": {"2026-01-01", "2026-06-20", true, false, false, true},
		"ends ripening":    {"2026-01-01", "2026-07-20", true, true, false, true},
	} {
		obs := bumps(date(c.start), date(c.end), 5, "2026-07-01")
		curve, err := series.Fit(obs, date(c.start), date(c.end))
		if err != nil {
			t.Fatal(err)
		}
		s := series.Seasons(curve)
		if len(s) != 1 {
			t.Fatalf("%s: %d seasons", name, len(s))
		}
		if (s[0].Start != nil) != c.start1 || (s[0].Peak != nil) != c.peak1 || (s[0].End != nil) != c.end1 || s[0].Open != c.o {
			t.Errorf("%s: %+v", name, s[0])
		}
	}
}

func TestFitRefusesTooFew(t *testing.T) {
	t.Parallel()
	start := date("2026-01-01")
	obs := []geo.Observation{{Date: start, NDVI: 0.3, Coverage: 1, Valid: true}, {Date: start.AddDate(0, 0, 9), Reason: "cloud"}}
	if _, err := series.Fit(obs, start, start.AddDate(0, 1, 0)); !errors.Is(err, series.ErrFew) {
		t.Errorf("got %v", err)
	}
	for _, years := range []int{101, 7974} { // a misspelt year
		if _, err := series.Fit(obs, start, start.AddDate(years, 0, 0)); !errors.Is(err, series.ErrSpan) {
			t.Errorf("%d years gave %v", years, err)
		}
	}
}

// Whatever is observed, the curve has a value a day and the seasons are in order.
func TestSeasonsOrdered(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		start := date("2026-01-01")
		n := rapid.IntRange(2, 60).Draw(t, "n")
		var obs []geo.Observation
		at := start
		for range n {
			at = at.AddDate(0, 0, rapid.IntRange(0, 40).Draw(t, "gap"))
			obs = append(obs, geo.Observation{Date: at, NDVI: rapid.Float64Range(-0.3, 1).Draw(t, "v"), Coverage: rapid.Float64Range(0, 1).Draw(t, "cover"), Valid: rapid.Bool().Draw(t, "valid")})
		}
		c, err := series.Fit(obs, start, at)
		if err != nil {
			return
		}
		var last time.Time
		for _, s := range series.Seasons(c) {
			for _, d := range []*time.Time{s.Start, s.Peak, s.End} {
				if d == nil {
					continue
				}
				if d.Before(last) {
					t.Fatalf("dates run backwards: %+v", s)
				}
				last = *d
			}
		}
	})
}
