package report_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"image/jpeg"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/crop"
	"github.com/furrowcredit/furrow/geo/crop/model"
	"github.com/furrowcredit/furrow/geo/report"
	"github.com/furrowcredit/furrow/geo/scene"
	"github.com/furrowcredit/furrow/geo/series"
)

// The land of these tests: 4 by 4 fields of 130 m, 25 mu, each in a cell of 150 m.
const cell = 15

func land(tb testing.TB) []geo.Plot {
	tb.Helper()
	var plots []geo.Plot
	for i := range 16 {
		plots = append(plots, square(tb, fmt.Sprint(i), float64(i%4)*150+10, float64(i/4)*150+10, 130))
	}
	return plots
}

// grow writes scenes of the land: of gives the NDVI of a field on a day, and where
// within its cell it is asked for.
func grow(tb testing.TB, dir string, from, to time.Time, step int, of func(field int, t time.Time, col int) float64) {
	tb.Helper()
	scene.RegisterDrivers()
	for t := from; t.Before(to); t = t.AddDate(0, 0, step) {
		frame{"T1", 32650, 257000, 3878000, side, side}.fill(tb, dir, t, func(col, row int) float64 {
			return of(row/cell*4+col/cell, t, col%cell)
		})
	}
}

// of scales what stands above the soil.
func of(vigour, v float64) float64 { return 0.15 + vigour*(v-0.15) }

// Fields of rising vigour are graded, ranked and valued in that order, and the curve
// has the band of its peers beside it.
func TestMakeBesidePeers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	noise := rand.New(rand.NewPCG(1, 2))
	grow(t, dir, season.Start, season.End, 10, func(f int, d time.Time, _ int) float64 {
		return of(0.85+0.02*float64(f), cotton(d)) + 0.01*noise.NormFloat64()
	})
	got, err := report.New(open(t, dir), crops(t), now).Make(t.Context(), land(t), season)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range got {
		g, w := r.Growth, r.Worth
		if r.Crop != "cotton" || g == nil || g.Peers != 15 || len(g.Points) < 30 || w == nil || w.Crop != "cotton" {
			t.Fatalf("field %d: %s %q, growth %+v, worth %+v", i, r.Crop, r.Reason, g, w)
		}
		if want := 100 * float64(i) / 15; math.Abs(g.Percentile-want) > 7 {
			t.Errorf("field %d: percentile %.0f, want about %.0f", i, g.Percentile, want)
		}
		if i > 0 && (w.Index < got[i-1].Worth.Index || w.Low < got[i-1].Worth.Low) {
			t.Errorf("field %d is worth less than a poorer one: %+v", i, w)
		}
		if y := w.YieldKgPerMu; y[0] > 0.8*y[1] || y[2] < 1.2*y[1] || w.Prudent > w.Low {
			t.Errorf("field %d: %+v", i, w)
		}
	}
	if got[0].Growth.Grade != 1 || got[15].Growth.Grade != 5 || math.Abs(got[8].Worth.Index-1) > 0.05 {
		t.Errorf("grades %d and %d, index in the middle %.2f", got[0].Growth.Grade, got[15].Growth.Grade, got[8].Worth.Index)
	}
	alone, err := report.New(open(t, dir), crops(t), now).Make(t.Context(), land(t)[:1], season)
	if err != nil || alone[0].Growth.Grade != 0 || alone[0].Growth.Reason != "few_peers" {
		t.Errorf("alone: %+v, %v", alone[0].Growth, err)
	}
}

// Scenes of earlier years are the plot's own past; a year with another crop is none.
func TestMakeBesideThePast(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	vigour := map[int]float64{2023: 1, 2024: 0.75, 2025: 0, 2026: 0.9}
	grow(t, dir, date("2022-11-05"), season.End, 15, func(_ int, d time.Time, _ int) float64 {
		year := d.AddDate(0, 1, 25).Year()
		if year == 2025 {
			return wheatMaize(d.AddDate(1, 0, 0))
		}
		return of(vigour[year], cotton(d.AddDate(2026-year, 0, 0)))
	})
	cat := open(t, dir)
	r := one(t, report.New(cat, crops(t), now), land(t)[5])
	if r.Crop != "cotton" || r.TotalDates > 26 {
		t.Fatalf("%s %q, %d dates", r.Crop, r.Reason, r.TotalDates)
	}
	past := r.Growth.Past
	if len(past) != 2 || past[0].Year != 2024 || past[1].Year != 2023 || past[0].Change < 0.03 || past[1].Change > -0.03 || past[1].PeakNDVI < past[0].PeakNDVI+0.1 {
		t.Errorf("%+v", past)
	}
	first := geo.Season{Start: date("2022-11-01"), End: date("2023-11-10")}
	got, err := report.New(cat, crops(t), now).Make(t.Context(), land(t)[5:6], first)
	if err != nil || len(got[0].Growth.Past) != 0 {
		t.Errorf("the first year has a past: %+v, %v", got[0].Growth.Past, err)
	}
}

// wheatMaize is winter wheat till June, then maize till the end of September.
func wheatMaize(t time.Time) float64 {
	bump := func(a, b, c, d string) float64 {
		days := func(x, y time.Time) float64 { return y.Sub(x).Hours() / 24 }
		return max(0, min(1, days(date(a), t)/days(date(a), date(b)), days(t, date(d))/days(date(c), date(d))))
	}
	return 0.18 + max(0.62*bump("2026-02-20", "2026-04-10", "2026-05-08", "2026-06-08"), 0.64*bump("2026-06-20", "2026-07-28", "2026-08-25", "2026-10-01"), 0.15*bump("2025-10-20", "2025-11-25", "2026-02-25", "2026-04-01"))
}

// What is claimed is held against what was seen.
func TestMakeChecksTheArea(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	type look func(d time.Time, col int) float64
	flat := func(v float64) look { return func(time.Time, int) float64 { return v } }
	crop := func(d time.Time, _ int) float64 { return cotton(d) }
	cases := []struct {
		what     string
		declared string
		claimed  float64 // of the drawn area
		see      look
		want     []geo.AreaFinding
		planted  float64 // NaN: not measured
	}{
		{"as declared", "cotton", 1, crop, nil, 1},
		{"nothing claimed", "", 0, crop, nil, 1},
		{"a little more", "cotton", 1.04, crop, nil, 1},
		{"a fifth more", "cotton", 1.2, crop, []geo.AreaFinding{geo.ClaimedMore}, 1},
		{"half sown", "cotton", 1, func(d time.Time, col int) float64 {
			if col >= 8 { // columns 1 to 13 are the field
				return 0.2
			}
			return cotton(d)
		}, []geo.AreaFinding{geo.PartPlanted}, 7. / 13},
		{"trees", "cotton", 1, flat(0.75), []geo.AreaFinding{geo.NotCropland}, math.NaN()},
		{"trees, nothing declared", "", 1, flat(0.75), nil, math.NaN()},
		{"green all year, cut at any time", "alfalfa", 1, flat(0.75), nil, math.NaN()},
		{"a pond", "", 1, flat(-0.5), []geo.AreaFinding{geo.NotCropland}, math.NaN()},
		{"a yard", "cotton", 1, flat(0.12), []geo.AreaFinding{geo.NotCropland}, math.NaN()},
		{"another crop", "cotton", 1, func(d time.Time, _ int) float64 { return wheatMaize(d) }, []geo.AreaFinding{geo.WrongCrop}, 1},
		{"part of a rotation", "summer_maize", 1, func(d time.Time, _ int) float64 { return wheatMaize(d) }, nil, 1},
	}
	grow(t, dir, season.Start, season.End, 10, func(f int, d time.Time, col int) float64 {
		if f >= len(cases) {
			return 0.25
		}
		return cases[f].see(d, col)
	})
	plots := land(t)[:len(cases)]
	for i, c := range cases {
		plots[i].Crop, plots[i].ClaimedM2 = c.declared, c.claimed*plots[i].AreaM2
	}
	got, err := report.New(open(t, dir), crops(t), now).Make(t.Context(), plots, season)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range cases {
		a := got[i].Area
		if !slices.Equal(a.Findings, c.want) || a.Known == math.IsNaN(c.planted) || a.Known && math.Abs(a.PlantedShare-c.planted) > 0.02 {
			t.Errorf("%s: %+v (crop %q %q), want %v and %.2f", c.what, a, got[i].Crop, got[i].Reason, c.want, c.planted)
		}
		if math.Abs(a.PlantedMu-a.PlantedShare*got[i].Mu) > 1e-3 || math.Abs(a.ClaimedMu-c.claimed*got[i].Mu) > 1e-3 {
			t.Errorf("%s: %+v", c.what, a)
		}
	}
}

// Of a rotation the crop is valued that stands now, else the one harvested last, and
// what befell the other does not count.
func TestMakeValuesTheLastHarvest(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	grow(t, dir, season.Start, season.End, 8, func(_ int, d time.Time, _ int) float64 { return wheatMaize(d) })
	cat := open(t, dir)
	for _, c := range []struct {
		end      string
		crop     string
		standing bool
	}{
		{"2026-05-15", "winter_wheat", true},
		{"2026-06-28", "winter_wheat", false},
		{"2026-08-30", "summer_maize", true},
		{"2026-11-08", "summer_maize", false},
	} {
		p := land(t)[3]
		p.Crop = "wheat_maize"
		got, err := report.New(cat, crops(t), now).Make(t.Context(), []geo.Plot{p}, geo.Season{Start: season.Start, End: date(c.end)})
		if err != nil {
			t.Fatal(err)
		}
		w := got[0].Worth
		if w == nil || w.Crop != c.crop || w.Standing != c.standing {
			t.Errorf("till %s: crop %q %q, worth %+v", c.end, got[0].Crop, got[0].Reason, w)
		}
	}
}

// learnt is a model that answers the same everywhere west of a line.
type learnt struct {
	east    float64
	guesses []geo.CropGuess
	unsure  string
	err     error
}

func (l learnt) Method() string           { return "forest/7" }
func (l learnt) Covers(at orb.Point) bool { return at[0] < l.east }
func (l learnt) Classify([]series.Sight, time.Time, time.Time) ([]geo.CropGuess, string, error) {
	return l.guesses, l.unsure, l.err
}

// The model's answer leads where it covers the plot; elsewhere the rules answer, with
// low confidence, and say so.
func TestMakeWithModel(t *testing.T) {
	t.Parallel()
	cat := scenes(t, clear)
	plot := square(t, "a", 100, 100, 200)
	guess := func(code string, p float64) []geo.CropGuess { return []geo.CropGuess{{Crop: code, Probability: p}} }
	for name, c := range map[string]struct {
		model      learnt
		status     geo.Status
		reason     string
		crop       string
		method     string
		worth      bool
		confidence float64
	}{
		"sure":              {learnt{180, guess("cotton", 0.93), "", nil}, geo.Known, "", "cotton", "forest/7", true, 0.93},
		"another crop":      {learnt{180, guess("rice", 0.9), "", nil}, geo.Known, "", "rice", "forest/7", true, 0.9},
		"a crop of its own": {learnt{180, guess("ginseng", 0.9), "", nil}, geo.Known, "", "ginseng", "forest/7", false, 0.9},
		"likely":            {learnt{180, guess("cotton", 0.55), "", nil}, geo.LowConfidence, report.Doubtful, "cotton", "forest/7", true, 0.55},
		"unsure":            {learnt{180, guess("cotton", 0.4), "unclear_crop", nil}, geo.Unknown, "unclear_crop", "", "forest/7", false, 0},
		"other bands":       {learnt{180, nil, "", model.ErrBands.With("bands", "vh")}, geo.LowConfidence, report.RulesOnly, "cotton", crop.Method, true, 0},
		"not made for here": {learnt{-180, nil, "", nil}, geo.LowConfidence, report.RulesOnly, "cotton", crop.Method, true, 0},
	} {
		r := one(t, report.New(cat, crops(t), now, report.WithModel("forest/7", c.model)), plot)
		if r.Status != c.status || !slices.Contains(append(strings.Split(r.Reason, ","), ""), c.reason) || r.Crop != c.crop || r.Method != c.method || (r.Worth != nil) != c.worth {
			t.Errorf("%s: %s %q %q by %s, worth %v", name, r.Status, r.Reason, r.Crop, r.Method, r.Worth)
		}
		if c.confidence > 0 && r.Confidence != c.confidence {
			t.Errorf("%s: confidence %v", name, r.Confidence)
		}
		if len(c.model.guesses) > 0 && !slices.Equal(r.Guesses, c.model.guesses) {
			t.Errorf("%s: guesses %v", name, r.Guesses)
		}
	}
	rules := one(t, report.New(cat, crops(t), now), plot)
	away := one(t, report.New(cat, crops(t), now, report.WithModel("forest/7", learnt{east: -180})), plot)
	if away.Status != geo.LowConfidence || rules.Status != geo.LowConfidence || rules.Doubts() != 0 {
		t.Errorf("the rules answer %s %q, and where a model covers other places %s %q", rules.Status, rules.Reason, away.Status, away.Reason)
	}
	broken := errors.New("a damaged model")
	if _, err := report.New(cat, crops(t), now, report.WithModel("forest/7", learnt{180, nil, "", broken})).Make(t.Context(), []geo.Plot{plot}, season); !errors.Is(err, broken) {
		t.Errorf("the model's error is hidden: %v", err)
	}
}

// The page shows a hazard before and after, in itself.
func TestHTMLShowsBeforeAndAfter(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	grow(t, dir, date("2026-07-01"), date("2026-08-10"), 10, func(int, time.Time, int) float64 { return 0.7 })
	p := land(t)[6]
	m := report.New(open(t, dir), crops(t), now)
	r := geo.CropReport{Season: season, Status: geo.Known, Hazards: []geo.Hazard{{Kind: geo.Flood, Before: "scenes_T1_20260711", After: "scenes_T1_20260721"}}}
	pictures := func() int {
		var page bytes.Buffer
		if err := m.HTML(t.Context(), &page, p, r, "en"); err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, part := range strings.Split(page.String(), `src="data:image/jpeg;base64,`)[1:] {
			text, _, _ := strings.Cut(part, `"`)
			body, err := base64.StdEncoding.DecodeString(html.UnescapeString(text))
			if err != nil {
				t.Fatal(err)
			}
			img, err := jpeg.Decode(bytes.NewReader(body))
			if err != nil || img.Bounds().Dx() != 240 {
				t.Fatal(err)
			}
			r, g, b, _ := img.At(120, 120).RGBA()
			if r == g && g == b { // grey is nothing
				t.Errorf("nothing is drawn in the middle of the picture")
			}
			n++
		}
		return n
	}
	if n := pictures(); n != 2 {
		t.Errorf("%d pictures", n)
	}
	r.Hazards[0].After = "gone"
	if n := pictures(); n != 1 {
		t.Errorf("%d pictures, one scene is gone", n)
	}
}
