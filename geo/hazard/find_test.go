package hazard_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/hazard"
	"github.com/furrowcredit/furrow/geo/series"
)

// scenes names the looks of a plot by their dates.
func scenes(p hazard.Plot) hazard.Plot {
	for i := range p.Sights {
		p.Sights[i].Scene = "S2_" + p.Sights[i].Date.Format("20060102")
	}
	return p
}

func one(t *testing.T, p hazard.Plot) geo.Hazard {
	t.Helper()
	got := hazard.Find([]hazard.Plot{scenes(p)})[0]
	if len(got) != 1 {
		t.Fatalf("got %+v, want one finding (crop %s)", got, p.Answer.Crop)
	}
	return got[0]
}

// Hail, lodging or a pest: the crop falls from one look to the next and stays down.
func TestSuddenLoss(t *testing.T) {
	t.Parallel()
	after := func(a, b string, left float64) func(s *series.Sight) {
		return func(s *series.Sight) {
			if between(s, a, b) {
				s.NDVI = 0.2 + (s.NDVI-0.2)*left
			}
		}
	}
	for name, c := range map[string]struct {
		change     func(s *series.Sight)
		found      bool
		candidates []string
	}{
		"in the grain of summer": {after("2026-08-01", "2026-11-30", 0.4), true, []string{"hail", "lodging", "pest"}},
		"wheat in April":         {after("2026-04-10", "2026-06-04", 0.45), true, []string{"hail", "lodging", "pest", "frost"}},
		"one low look":           {after("2026-08-01", "2026-08-08", 0.4), false, nil},
		"two low looks, clouds":  {after("2026-07-24", "2026-08-08", 0.5), false, nil},
		"a tenth less":           {after("2026-08-01", "2026-11-30", 0.9), false, nil},
		"as it ripens":           {after("2026-09-08", "2026-11-30", 0.5), false, nil},
		"winter cold": {func(s *series.Sight) {
			if between(s, "2025-12-20", "2026-02-10") {
				s.NDVI *= 0.6
			}
		}, false, nil},
		"low looks that clouds hid": {func(s *series.Sight) {
			if between(s, "2026-08-01", "2026-08-25") {
				s.NDVI, s.Valid, s.Reason = 0, false, "cloud"
			}
		}, false, nil},
	} {
		p := scenes(plot(t, "wheat_maize", 0, c.change))
		var got []geo.Hazard
		for _, h := range hazard.Find([]hazard.Plot{p})[0] {
			if h.Evidence["fell"] != "" {
				got = append(got, h)
			}
		}
		if (len(got) == 1) != c.found {
			t.Errorf("%s: got %+v (crop %s)", name, got, p.Answer.Crop)
			continue
		}
		if c.found {
			h := got[0]
			if h.Kind != geo.VigourLoss || !slices.Equal(h.Candidates, c.candidates) || h.Confidence > 0.8 || h.Before >= h.After || h.Before == "" || h.After != "S2_"+h.Start.Format("20060102") {
				t.Errorf("%s: got %+v", name, h)
			}
		}
	}
}

// The stubble of every harvest in its time is no loss, whatever the looks' spacing.
func TestHarvestIsNoLoss(t *testing.T) {
	t.Parallel()
	for late := -8; late <= 8; late += 4 {
		for every := 1; every <= 2; every++ { // nine days each
			p := plot(t, "wheat_maize", late, nil)
			i := 0
			p.Sights = slices.DeleteFunc(p.Sights, func(series.Sight) bool { i++; return i%every != 0 })
			if got := hazard.Find([]hazard.Plot{p})[0]; len(got) > 0 {
				t.Errorf("late by %d days, every %d days: %+v", late, 9*every, got)
			}
		}
	}
}

func TestAbandonedPart(t *testing.T) {
	t.Parallel()
	// From the summer's sowing on a share of the field grows nothing.
	bare := func(share float64, from string) func(s *series.Sight) {
		return func(s *series.Sight) {
			s.Bare = 0
			if s.NDVI < 0.3 {
				s.Bare = 1
			}
			if between(s, from, "2026-11-30") && s.NDVI >= 0.3 {
				s.NDVI, s.Bare = share*0.2+(1-share)*s.NDVI, share
			}
		}
	}
	h := one(t, plot(t, "wheat_maize", 0, bare(0.3, "2026-06-08")))
	if h.Kind != geo.Abandoned || math.Abs(h.Share-0.3) > 0.02 || h.After == "" || h.Before == "" || h.Evidence["bare_share"] == "" {
		t.Errorf("got %+v", h)
	}
	for name, change := range map[string]func(s *series.Sight){
		"a track of a tenth":     bare(0.1, "2026-06-08"),
		"bare after the peak":    bare(0.3, "2026-09-01"),
		"bare before the sowing": bare(0, "2026-06-08"),
	} {
		for _, h := range hazard.Find([]hazard.Plot{plot(t, "wheat_maize", 0, change)})[0] {
			if h.Kind == geo.Abandoned {
				t.Errorf("%s: got %+v", name, h)
			}
		}
	}
}

// Both sensors, one of them, and what only looks like water.
func TestFloodOfTwoSensors(t *testing.T) {
	t.Parallel()
	// looks adds a radar look the day after every optical one.
	looks := func(change func(s *series.Sight), radar func(t time.Time) (vv, vh float64)) hazard.Plot {
		p := scenes(plot(t, "wheat_maize", 0, change))
		for _, s := range slices.Clone(p.Sights) {
			r := series.Sight{Observation: geo.Observation{Date: s.Date.AddDate(0, 0, 1), Reason: "radar", Scene: "S1_" + s.Date.Format("20060102")}, Water: nan, Moisture: nan, Yellow: nan, Bare: nan}
			r.VV, r.VH = radar(r.Date)
			p.Sights = append(p.Sights, r)
		}
		slices.SortFunc(p.Sights, func(a, b series.Sight) int { return a.Date.Compare(b.Date) })
		return p
	}
	flooded := func(s *series.Sight) {
		if between(s, "2026-08-01", "2026-08-14") {
			s.Water, s.NDVI = 0.8, 0.05
		}
	}
	hidden := func(s *series.Sight) {
		if between(s, "2026-07-25", "2026-08-20") {
			s.Water, s.NDVI, s.Valid, s.Reason = nan, 0, false, "cloud"
		}
	}
	field := func(time.Time) (float64, float64) { return -10, -16 }
	over := func(vv, vh float64) func(time.Time) (float64, float64) {
		return func(t time.Time) (float64, float64) {
			if !t.Before(date("2026-08-01")) && t.Before(date("2026-08-16")) {
				return vv, vh
			}
			return field(t)
		}
	}
	type want struct {
		found          bool
		least, most    float64 // confidence
		before, after  string
		evidence, none string
	}
	for name, c := range map[string]struct {
		p hazard.Plot
		want
	}{
		"both":                     {looks(flooded, over(-19, -26)), want{true, 0.95, 0.95, "S1_20260730", "S2_20260808", "vv vh water ndvi_before", ""}},
		"radar under cloud":        {looks(hidden, over(-19, -26)), want{true, 0.6, 0.9, "S1_", "S1_2026", "vv vv_before vh vh_before", "water"}},
		"smooth soil keeps its VH": {looks(hidden, over(-19, -17)), want{}},
		"VH alone falls":           {looks(hidden, over(-12, -26)), want{}},
		"nothing":                  {looks(nil, field), want{}},
	} {
		got := hazard.Find([]hazard.Plot{c.p})[0]
		if (len(got) == 1 && got[0].Kind == geo.Flood) != c.found || len(got) > 1 {
			t.Errorf("%s: got %+v", name, got)
			continue
		}
		if !c.found {
			continue
		}
		h := got[0]
		if h.Confidence < c.least || h.Confidence > c.most || !strings.HasPrefix(h.Before, c.before) || !strings.HasPrefix(h.After, c.after) {
			t.Errorf("%s: got %+v", name, h)
		}
		for _, k := range strings.Fields(c.evidence) {
			if h.Evidence[k] == "" {
				t.Errorf("%s: no %s in %v", name, k, h.Evidence)
			}
		}
		if c.none != "" && h.Evidence[c.none] != "" {
			t.Errorf("%s: %s in %v", name, c.none, h.Evidence)
		}
	}
}

// A shadow in one look leaves no trace five days later; a flood does.
func TestOneWetLook(t *testing.T) {
	t.Parallel()
	wet := func(after float64) hazard.Plot {
		p := plot(t, "wheat_maize", 0, nil)
		k := slices.IndexFunc(p.Sights, func(s series.Sight) bool { return s.Date.After(date("2026-08-01")) })
		odd := p.Sights[k]
		odd.Date, odd.Water, odd.NDVI = odd.Date.AddDate(0, 0, -4), 0.6, 0.1
		p.Sights = slices.Insert(p.Sights, k, odd)
		p.Sights[k+1].NDVI *= after
		return p
	}
	if got := hazard.Find([]hazard.Plot{wet(1)})[0]; len(got) > 0 {
		t.Errorf("a shadow was taken for %+v", got)
	}
	h := one(t, wet(0.5))
	if h.Kind != geo.Flood || h.Confidence > 0.6 {
		t.Errorf("got %+v", h)
	}
}

// A ditch that always holds water is no part of a flood.
func TestFloodWithoutThePond(t *testing.T) {
	t.Parallel()
	h := one(t, plot(t, "wheat_maize", 0, func(s *series.Sight) {
		s.Water = 0.15
		if between(s, "2026-08-01", "2026-08-14") {
			s.Water, s.NDVI = 0.65, 0.05
		}
	}))
	if h.Kind != geo.Flood || h.Share != 0.5 {
		t.Errorf("got %+v", h)
	}
}

// grown gives a plot n earlier years whose vigour differs by up to a fifth.
func grown(p hazard.Plot, years int) hazard.Plot {
	for back := years; back >= 1; back-- {
		left := 1 - 0.05*float64(back%5)
		for t := from; t.Before(from.AddDate(1, 0, -9)); t = t.AddDate(0, 0, 9) {
			p.History = append(p.History, series.Sight{Observation: geo.Observation{
				Date: t.AddDate(-back, 0, back), NDVI: 0.2 + (maize(t, 0)-0.2)*left, Valid: true,
			}})
		}
	}
	slices.SortStableFunc(p.History, func(a, b series.Sight) int { return a.Date.Compare(b.Date) })
	return p
}

func dry(s *series.Sight) {
	if between(s, "2026-07-15", "2026-10-10") {
		s.NDVI = 0.2 + (s.NDVI-0.2)*0.6
	}
}

func TestDroughtByOwnYears(t *testing.T) {
	t.Parallel()
	p := grown(plot(t, "wheat_maize", 0, dry), 7)
	h := one(t, p)
	if h.Kind != geo.Drought || h.Evidence["vci_class"] != "very_severe" || h.Evidence["history_years"] != "7" || h.Evidence["method"] != "VCI" || h.Before == "" || h.After == "" || h.Confidence > 0.75 {
		t.Errorf("got %+v", h)
	}
	if ten := one(t, grown(plot(t, "wheat_maize", 0, dry), 10)); ten.Confidence <= h.Confidence {
		t.Errorf("ten years are no surer than seven: %v, %v", ten.Confidence, h.Confidence)
	}
	for name, q := range map[string]hazard.Plot{
		"four years are too few":   grown(plot(t, "wheat_maize", 0, dry), 4),
		"a usual year":             grown(plot(t, "wheat_maize", 0, nil), 7),
		"the worst of alike years": grown(plot(t, "wheat_maize", 0, func(s *series.Sight) { s.NDVI = 0.2 + (s.NDVI-0.2)*0.8 }), 7),
		"one bad look": grown(plot(t, "wheat_maize", 0, func(s *series.Sight) {
			if between(s, "2026-08-01", "2026-08-08") {
				dry(s)
			}
		}), 7),
		"another crop than declared": grown(plot(t, "cotton", 0, dry), 7),
	} {
		for _, h := range hazard.Find([]hazard.Plot{q})[0] {
			if h.Kind == geo.Drought {
				t.Errorf("%s: got %+v", name, h)
			}
		}
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	short := hazard.Compare(grown(plot(t, "wheat_maize", 0, dry), 4))
	if short.Reason != hazard.ShortHistory || short.Years != 4 || len(short.Points) > 0 {
		t.Errorf("four years gave %+v", short)
	}
	if none := hazard.Compare(hazard.Plot{}); none.Reason != hazard.ShortHistory || none.Years != 0 {
		t.Errorf("nothing gave %+v", none)
	}
	c := hazard.Compare(grown(plot(t, "wheat_maize", 0, nil), 6))
	if c.Reason != "" || c.Years != 6 || len(c.Points) < 20 {
		t.Fatalf("six years gave %+v", c)
	}
	for _, k := range c.Points {
		want := max(0, min(100, 100*(k.NDVI-k.Low)/(k.High-k.Low)))
		if k.VCI != want || k.Low > k.Usual || k.Usual > k.High || k.Years < 5 {
			t.Errorf("got %+v, want VCI %.1f", k, want)
		}
	}
}

// Peers that are as green with wetter leaves and the plot's own years agree; the
// peers alone leave more doubt, and say why there is no index.
func TestDroughtOfTwoMethods(t *testing.T) {
	t.Parallel()
	var plots []hazard.Plot
	for i := range 12 {
		plots = append(plots, plot(t, "wheat_maize", i*2-12, nil))
	}
	thirsty := func(moisture float64) hazard.Plot {
		return plot(t, "wheat_maize", 0, func(s *series.Sight) {
			dry(s)
			if between(s, "2026-07-15", "2026-10-10") {
				s.Moisture = s.NDVI - 0.35 + moisture
			}
		})
	}
	plots = append(plots, thirsty(-0.1), grown(thirsty(-0.1), 7), grown(thirsty(0), 7))
	got := hazard.Find(plots)
	alone, both, wet := got[12], got[13], got[14]
	if len(alone) != 1 || alone[0].Kind != geo.Drought || alone[0].Confidence > 0.7 || alone[0].Evidence["history_years"] != "0 < 5" || alone[0].Evidence["method"] != "NDVI, NDMI" {
		t.Errorf("peers alone: %+v", alone)
	}
	if len(both) != 1 || both[0].Kind != geo.Drought || both[0].Confidence <= alone[0].Confidence || both[0].Evidence["method"] != "NDVI, NDMI, VCI" || both[0].Evidence["vci"] == "" {
		t.Errorf("peers and own years: %+v", both)
	}
	if len(wet) != 1 || wet[0].Kind != geo.VigourLoss || wet[0].Evidence["vci"] == "" || len(wet[0].Candidates) == 0 {
		t.Errorf("leaves as wet as they should be: %+v", wet)
	}
}

func ExampleCompare() {
	p := hazard.Plot{Sights: []series.Sight{{Observation: geo.Observation{Date: date("2026-08-01"), NDVI: 0.48, Valid: true}}}}
	for k, v := range []float64{0.40, 0.55, 0.60, 0.70, 0.80} {
		p.History = append(p.History, series.Sight{Observation: geo.Observation{Date: date("2026-08-03").AddDate(k-5, 0, 0), NDVI: v, Valid: true}})
	}
	for _, c := range hazard.Compare(p).Points {
		fmt.Printf("VCI %.0f of %d years\n", c.VCI, c.Years)
	}
	p.History = p.History[1:]
	fmt.Println(hazard.Compare(p).Reason)
	// Output:
	// VCI 20 of 5 years
	// short_history
}

// A dry field that might be any of several other crops is held against the declared
// one, with less confidence; one that surely is another crop is not.
func TestDroughtOnADoubtfulField(t *testing.T) {
	t.Parallel()
	var plots []hazard.Plot
	for i := range 12 {
		plots = append(plots, plot(t, "wheat_maize", i*2-12, nil))
	}
	taken := func(guesses ...geo.CropGuess) hazard.Plot {
		p := plot(t, "wheat_maize", 0, func(s *series.Sight) {
			dry(s)
			if between(s, "2026-07-15", "2026-10-10") {
				s.Moisture = s.NDVI - 0.45
			}
		})
		p.Answer.Crop, p.Answer.Confidence, p.Answer.Matches, p.Answer.Guesses = "orchard", 0.85, nil, guesses
		return p
	}
	doubtful := taken(geo.CropGuess{Crop: "grape", Probability: 0.5}, geo.CropGuess{Crop: "apple", Probability: 0.35})
	surely := taken(geo.CropGuess{Crop: "apple", Probability: 0.85})
	got := hazard.Find(append(plots, doubtful, surely))
	if h := got[12]; len(h) != 1 || h[0].Kind != geo.Drought || h[0].Confidence > 0.5 {
		t.Errorf("doubtful: got %+v", h)
	}
	if h := got[13]; len(h) > 0 {
		t.Errorf("surely another crop: got %+v", h)
	}
}
