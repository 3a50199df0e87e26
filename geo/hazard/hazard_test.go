package hazard_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/crop"
	"github.com/furrowcredit/furrow/geo/hazard"
	"github.com/furrowcredit/furrow/geo/series"
)

func date(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

var (
	from, to = date("2025-10-15"), date("2026-11-10")
	nan      = math.NaN()
)

// maize is NDVI of a field of wheat and maize on a day, moved by late days.
func maize(t time.Time, late int) float64 {
	bump := func(a, b, c, d string) float64 {
		h := func(s string) float64 { return t.Sub(date(s).AddDate(0, 0, late)).Hours() }
		switch {
		case h(a) < 0 || h(d) > 0:
			return 0
		case h(b) < 0:
			return h(a) / (h(a) - h(b))
		case h(c) < 0:
			return 1
		}
		return h(d) / (h(d) - h(c))
	}
	return 0.2 + 0.65*max(bump("2025-11-05", "2026-04-10", "2026-05-08", "2026-06-04"), bump("2026-06-22", "2026-07-22", "2026-09-04", "2026-09-28"))
}

// plot looks at a field every nine days; change makes it differ.
func plot(tb testing.TB, declared string, late int, change func(s *series.Sight)) hazard.Plot {
	tb.Helper()
	fsys, err := catalog.Open("")
	if err != nil {
		tb.Fatal(err)
	}
	crops, err := crop.Load(fsys)
	if err != nil {
		tb.Fatal(err)
	}
	p := hazard.Plot{Crop: declared, Declared: crops.Parts(declared, "huanghuai")}
	for t := from; !t.After(to); t = t.AddDate(0, 0, 9) {
		v := maize(t, late)
		s := series.Sight{Observation: geo.Observation{Date: t, NDVI: v, Coverage: 1, Valid: true}, Moisture: v - 0.35, Yellow: 0.3, VV: nan, VH: nan, Bare: nan}
		if change != nil {
			change(&s)
		}
		p.Sights = append(p.Sights, s)
	}
	p.Answer = crops.Classify(crop.Evidence{Region: "huanghuai", Start: from, End: to, Sights: p.Sights})
	return p
}

func between(s *series.Sight, a, b string) bool {
	return !s.Date.Before(date(a)) && s.Date.Before(date(b))
}

func kinds(hs []geo.Hazard) []geo.HazardKind {
	var out []geo.HazardKind
	for _, h := range hs {
		out = append(out, h.Kind)
	}
	return out
}

func TestFind(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		declared string
		change   func(s *series.Sight)
		want     []geo.HazardKind
	}{
		"nothing": {"wheat_maize", nil, nil},
		"flood": {"wheat_maize", func(s *series.Sight) {
			if between(s, "2026-08-01", "2026-08-14") {
				s.Water, s.NDVI = 0.7, 0.05
			}
		}, []geo.HazardKind{geo.Flood}},
		"flood seen by radar only": {"wheat_maize", func(s *series.Sight) {
			s.Water, s.VV = nan, -10
			if between(s, "2026-08-01", "2026-08-20") {
				s.Valid, s.VV = false, -19
			}
		}, []geo.HazardKind{geo.Flood}},
		"smooth soil is no water to the radar": {"wheat_maize", func(s *series.Sight) {
			s.Water, s.VV = nan, -14
			if between(s, "2026-06-05", "2026-06-25") {
				s.VV = -17.5
			}
		}, nil},
		"a pond": {"wheat_maize", func(s *series.Sight) { s.Water = 0.5 }, nil},
		"water on a tenth of it": {"wheat_maize", func(s *series.Sight) {
			if between(s, "2026-08-01", "2026-08-14") {
				s.Water = 0.1
			}
		}, nil},
		"cut green": {"wheat_maize", func(s *series.Sight) {
			if between(s, "2026-08-12", "2026-10-01") {
				s.NDVI = 0.22
			}
		}, []geo.HazardKind{geo.EarlyHarvest}},
		"a missed cloud is no harvest": {"wheat_maize", func(s *series.Sight) {
			if between(s, "2026-08-12", "2026-08-20") {
				s.NDVI = 0.22
			}
		}, nil},
		"never sown": {"cotton", func(s *series.Sight) { s.NDVI = 0.22 }, []geo.HazardKind{geo.NeverSown}},
		"another crop than declared is not never sown": {"cotton", nil, nil},
		"nothing declared, nothing sown":               {"", func(s *series.Sight) { s.NDVI = 0.22 }, nil},
		"under cloud all summer": {"cotton", func(s *series.Sight) {
			s.NDVI = 0.22
			s.Valid = s.Valid && !between(s, "2026-06-01", "2026-10-05")
		}, nil},
		"poor stand": {"wheat_maize", func(s *series.Sight) {
			if s.Date.After(date("2026-06-10")) {
				s.NDVI = 0.2 + (s.NDVI-0.2)*0.42
			}
		}, []geo.HazardKind{geo.VigourLoss}},
	} {
		p := plot(t, c.declared, 0, c.change)
		got := hazard.Find([]hazard.Plot{p})[0]
		if !slices.Equal(kinds(got), c.want) {
			t.Errorf("%s: got %v (%s), want %v", name, got, p.Answer.Crop, c.want)
		}
		for _, h := range got {
			if h.Start.After(h.End) || h.Share <= 0 || h.Share > 1 || h.Confidence <= 0 || h.Confidence > 1 || len(h.Evidence) == 0 {
				t.Errorf("%s: incomplete finding %+v", name, h)
			}
		}
	}
}

// Rice stands in water before it greens, and that is no flood; later it is.
func TestPaddyIsNoFlood(t *testing.T) {
	t.Parallel()
	rice := func(flooded bool) hazard.Plot {
		return plot(t, "rice", 0, func(s *series.Sight) {
			if s.Date.Before(date("2026-06-22")) {
				s.NDVI = 0.2
			}
			if between(s, "2026-05-15", "2026-06-25") {
				s.Water, s.NDVI = 0.9, 0
			}
			if flooded && between(s, "2026-08-05", "2026-08-20") {
				s.Water, s.NDVI = 0.9, 0
			}
		})
	}
	if got := hazard.Find([]hazard.Plot{rice(false)})[0]; len(got) > 0 {
		t.Errorf("transplanting was taken for %v", got)
	}
	if got := kinds(hazard.Find([]hazard.Plot{rice(true)})[0]); !slices.Contains(got, geo.Flood) {
		t.Errorf("a flood over rice gave %v", got)
	}
}

// Peers with dates of their own: one field falls behind with dry leaves, one with
// leaves as wet as its cover lets expect, and none of the others does.
func TestDroughtAgainstPeers(t *testing.T) {
	t.Parallel()
	var plots []hazard.Plot
	for i := range 12 {
		plots = append(plots, plot(t, "wheat_maize", i*2-12, nil))
	}
	behind := func(moisture float64) hazard.Plot {
		return plot(t, "wheat_maize", 0, func(s *series.Sight) {
			if between(s, "2026-07-20", "2026-10-10") {
				s.NDVI = 0.2 + (s.NDVI-0.2)*0.6
				s.Moisture = s.NDVI - 0.35 + moisture
			}
		})
	}
	plots = append(plots, behind(-0.1), behind(0))
	got := hazard.Find(plots)
	for i, hs := range got {
		want := []geo.HazardKind(nil)
		switch i {
		case 12:
			want = []geo.HazardKind{geo.Drought}
		case 13:
			want = []geo.HazardKind{geo.VigourLoss}
		}
		if !slices.Equal(kinds(hs), want) {
			t.Errorf("plot %d: got %v, want %v", i, hs, want)
		}
	}
	if alone := hazard.Find(plots[12:]); len(alone[0]) > 0 {
		t.Errorf("without peers nothing can be said, got %v", alone[0])
	}
}

func ExampleFind() {
	sights := []series.Sight{}
	for i := range 12 {
		s := series.Sight{Observation: geo.Observation{Date: date("2026-06-01").AddDate(0, 0, 10*i), NDVI: 0.7, Valid: true}, VV: nan, VH: nan, Bare: nan}
		if i == 6 {
			s.Water, s.NDVI = 0.8, -0.1
		}
		sights = append(sights, s)
	}
	for _, h := range hazard.Find([]hazard.Plot{{Sights: sights}})[0] {
		fmt.Println(h.Kind, h.Start.Format(time.DateOnly), h.Share)
	}
	// Output: flood 2026-07-31 0.8
}
