package report_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/airbusgeo/godal"
	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/crop"
	"github.com/furrowcredit/furrow/geo/crop/model"
	"github.com/furrowcredit/furrow/geo/growth"
	"github.com/furrowcredit/furrow/geo/register"
	"github.com/furrowcredit/furrow/geo/report"
	"github.com/furrowcredit/furrow/geo/scene"
	"github.com/furrowcredit/furrow/geo/scene/index"
	"github.com/furrowcredit/furrow/internal/realdata"
)

var update = flag.Bool("update", false, "write the golden pages anew")

// builtin is read once; a catalogue does not change.
var builtin = sync.OnceValues(func() (*crop.Catalogue, error) {
	fsys, err := catalog.Open("")
	if err != nil {
		return nil, err
	}
	return crop.Load(fsys)
})

func crops(tb testing.TB) *crop.Catalogue {
	tb.Helper()
	c, err := builtin()
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func date(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

const side = 60 // pixels of 10 m

// scenes writes a folder of made-up scenes: bare till April, one crop in summer.
// sky gives the class of the whole scene of a date.
func scenes(tb testing.TB, sky func(t time.Time) uint8) *scene.Catalogue {
	tb.Helper()
	scene.RegisterDrivers()
	dir := tb.TempDir()
	for t := date("2025-11-01"); t.Before(date("2026-11-10")); t = t.AddDate(0, 0, 10) {
		v := cotton(t)
		write(tb, filepath.Join(dir, "T1_"+t.Format("20060102")+".tif"), map[string]float64{"B04": 0.1, "B08": 0.1 * (1 + v) / (1 - v)})
		write(tb, filepath.Join(dir, "T1_"+t.Format("20060102")+"_SCL.tif"), map[string]float64{"SCL": float64(sky(t))})
	}
	if _, err := index.Run(tb.Context(), index.Config{Dir: dir}); err != nil {
		tb.Fatal(err)
	}
	cat, err := scene.Open(dir)
	if err != nil {
		tb.Fatal(err)
	}
	return cat
}

var greens, stands, opens, picked = date("2026-05-10"), date("2026-07-20"), date("2026-09-10"), date("2026-10-30")

// cotton rises from May to July, stands until September and is picked in October.
func cotton(t time.Time) float64 {
	rise := t.Sub(greens).Hours() / stands.Sub(greens).Hours()
	fall := picked.Sub(t).Hours() / picked.Sub(opens).Hours()
	return 0.2 + 0.6*max(0, min(1, rise, fall))
}

func write(tb testing.TB, name string, bands map[string]float64) {
	tb.Helper()
	check := func(err error) {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
	}
	kind, keys := godal.Float32, []string{"B04", "B08"}
	if _, ok := bands["SCL"]; ok {
		kind, keys = godal.Byte, []string{"SCL"}
	}
	ds, err := godal.Create(godal.GTiff, name, len(keys), kind, side, side)
	check(err)
	ref, err := godal.NewSpatialRefFromEPSG(32650)
	check(err)
	defer ref.Close()
	check(ds.SetSpatialRef(ref))
	check(ds.SetGeoTransform([6]float64{257000, 10, 0, 3878000, 0, -10}))
	for i, b := range ds.Bands() {
		check(b.SetDescription(keys[i]))
		check(b.Fill(bands[keys[i]], 0))
	}
	check(ds.Close())
}

// square is a plot of so many metres a side, dx and dy metres into the scenes.
func square(tb testing.TB, id string, dx, dy, metres float64) geo.Plot {
	tb.Helper()
	x, y := 257000+dx, 3878000-dy
	ring := orb.Ring{{x, y - metres}, {x + metres, y - metres}, {x + metres, y}, {x, y}, {x, y - metres}}
	p, err := scene.ToWGS84("EPSG:32650", orb.Polygon{ring})
	if err != nil {
		tb.Fatal(err)
	}
	return geo.Plot{ID: id, Name: "东柳村1号地", OwnerName: "王小麦", Polygon: p, Region: "410725", AreaM2: geo.AreaM2(p)}
}

var (
	season = geo.Season{Name: "2026", Start: date("2025-11-01"), End: date("2026-11-10")}
	clear  = func(time.Time) uint8 { return 4 }
	now    = func() time.Time { return date("2026-11-21") }
)

// Every plot that goes in comes out in its place, judged or with a reason.
func TestMake(t *testing.T) {
	t.Parallel()
	outside := square(t, "outside", 5000, 0, 100)
	broken := square(t, "broken", 100, 100, 100)
	broken.Polygon = orb.Polygon{{{1, math.NaN()}, {2, 2}, {3, 3}, {1, 1}}}
	narrow := square(t, "narrow", 103, 103, 100)
	strip, err := scene.ToWGS84("EPSG:32650", orb.Polygon{{{257100, 3877700}, {257114, 3877686}, {257314, 3877886}, {257300, 3877900}, {257100, 3877700}}})
	if err != nil {
		t.Fatal(err)
	}
	narrow.Polygon, narrow.AreaM2 = strip, geo.AreaM2(strip)
	plots := []geo.Plot{
		square(t, "good", 100, 100, 200), outside, square(t, "tiny", 103, 103, 25), broken,
		square(t, "small", 100, 100, 60), {ID: "empty"}, square(t, "good again", 100, 100, 200), narrow,
	}
	m := report.New(scenes(t, clear), crops(t), now)
	got, err := m.Make(t.Context(), plots, season)
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		status geo.Status
		reason string
		crop   string
	}{
		{geo.LowConfidence, report.RulesOnly, "cotton"}, {geo.Unknown, report.NoScenes, ""}, {geo.Unknown, report.FewPixels, ""},
		{geo.Unknown, report.Boundary, ""}, {geo.LowConfidence, report.SmallPlot + "," + report.RulesOnly, "cotton"}, {geo.Unknown, report.Boundary, ""},
		{geo.LowConfidence, report.RulesOnly, "cotton"}, {geo.Unknown, report.Edges, ""},
	}
	if len(got) != len(plots) {
		t.Fatalf("%d reports of %d plots", len(got), len(plots))
	}
	for i, r := range got {
		w := want[i]
		if r.PlotID != plots[i].ID || r.Status != w.status || r.Reason != w.reason || r.Crop != w.crop {
			t.Errorf("%s: %s %q %q, want %+v", plots[i].ID, r.Status, r.Reason, r.Crop, w)
		}
		if (r.Crop == "") != (r.Status == geo.Unknown) || (r.Worth != nil) != (r.Crop != "") {
			t.Errorf("%s: status %s, crop %q, worth %v do not go together", r.PlotID, r.Status, r.Crop, r.Worth)
		}
		if !r.MadeAt.Equal(now()) || r.Method != crop.Method {
			t.Errorf("%s: made at %s by %s", r.PlotID, r.MadeAt, r.Method)
		}
	}
	r := got[0]
	if math.Abs(r.Mu-60) > 0.1 || r.FullPixels != 400 || r.ClearDates != r.TotalDates || r.TotalDates != 38 || len(r.Hazards) > 0 {
		t.Errorf("good plot: %.2f mu, %d full pixels, %d of %d clear, hazards %v", r.Mu, r.FullPixels, r.ClearDates, r.TotalDates, r.Hazards)
	}
	if p := r.Phenology; p.Peak == nil || p.Peak.Before(date("2026-07-15")) || p.Peak.After(date("2026-09-15")) || p.Seasons != 1 {
		t.Errorf("phenology %+v", p)
	}
	if small := got[4]; small.Confidence >= r.Confidence {
		t.Errorf("a small plot is as sure as a large one: %v, %v", small.Confidence, r.Confidence)
	}
}

// A plot under cloud is unknown, and its dates are gaps that say why, not zeros.
func TestMakeUnderCloud(t *testing.T) {
	t.Parallel()
	m := report.New(scenes(t, func(d time.Time) uint8 {
		switch {
		case d.Month() == time.January:
			return 11
		case d.Month() == time.February:
			return 0
		}
		return 9
	}), crops(t), now)
	got, err := m.Make(t.Context(), []geo.Plot{square(t, "a", 100, 100, 200)}, season)
	if err != nil {
		t.Fatal(err)
	}
	r := got[0]
	if r.Status != geo.Unknown || r.Reason != crop.FewDates || r.Crop != "" || r.LastClear != nil || r.ClearDates != 0 || len(r.Curve) != 0 {
		t.Errorf("%+v", r)
	}
	reasons := map[string]int{}
	for _, o := range r.Observations {
		if o.Valid || o.NDVI != 0 {
			t.Errorf("%s: %+v", o.Date, o)
		}
		reasons[o.Reason]++
	}
	if reasons["snow"] != 3 || reasons["nodata"] != 2 || reasons["cloud"] != 33 {
		t.Errorf("reasons %v", reasons)
	}
}

func TestMakeHearsCancel(t *testing.T) {
	t.Parallel()
	m := report.New(scenes(t, clear), crops(t), now)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.Make(ctx, []geo.Plot{square(t, "a", 100, 100, 200)}, season); err == nil {
		t.Error("a cancelled run gave reports")
	}
}

// The page needs nothing else, says everything in either language, and breaks its
// curve in gaps. Compare with testdata; -update writes it anew.
func TestHTML(t *testing.T) {
	t.Parallel()
	m := report.New(scenes(t, func(d time.Time) uint8 {
		if d.Month() == time.March || d.Month() == time.April {
			return 9
		}
		return 4
	}), crops(t), now)
	p := square(t, "plot-1", 100, 100, 200)
	p.Name = `东柳村 <script>alert("1")</script> 号地`
	p.Crop = "cotton"
	reports, err := m.Make(t.Context(), []geo.Plot{p}, season)
	if err != nil {
		t.Fatal(err)
	}
	r := reports[0]
	r.Hazards = []geo.Hazard{{
		Kind: geo.Flood, Start: date("2026-07-18"), End: date("2026-07-28"), Share: 0.8, Confidence: 0.9,
		Evidence: map[string]string{"water": "0.80 (2026-07-28)", "crop": "cotton"},
		Before:   "T1_20260708", After: "T1_20260718",
	}, {
		Kind: geo.VigourLoss, Start: date("2026-08-20"), End: date("2026-09-10"), Share: 0.4, Confidence: 0.5,
		Candidates: []string{"pest", "hail"},
	}}
	r.Phenology.Sown = &geo.DateRange{Date: date("2026-05-02"), From: date("2026-04-27"), To: date("2026-05-09")}
	r.Phenology.Stage = geo.StageRipening
	r.Growth.Grade, r.Growth.GradeLow, r.Growth.GradeHigh, r.Growth.Percentile, r.Growth.Peers, r.Growth.Reason = 4, 3, 5, 78.3, 41, ""
	for _, o := range r.Observations {
		if v := o.NDVI; o.Valid {
			r.Growth.Points = append(r.Growth.Points, geo.GrowthPoint{Date: o.Date, NDVI: v, Percentile: 78.3, Low: v - 0.08, Middle: v - 0.03, High: v - 0.005})
		}
	}
	r.Growth.Past = []geo.PastYear{{Year: 2025, PeakNDVI: 0.74, Change: 0.05}, {Year: 2024, PeakNDVI: 0.8, Change: -0.01}}
	r.Area.ClaimedMu = 70
	r.Area.Findings = []geo.AreaFinding{geo.ClaimedMore}
	for _, lang := range []string{"zh-CN", "en"} {
		var page bytes.Buffer
		if err := m.HTML(t.Context(), &page, p, r, lang); err != nil {
			t.Fatal(err)
		}
		text := page.String()
		for _, bad := range []string{"http://", "https://", "<script", "src=", "@import", "NaN"} {
			if strings.Contains(text, bad) {
				t.Errorf("%s: the page holds %q", lang, bad)
			}
		}
		if _, path, _ := strings.Cut(text, `<path d="`); strings.Count(path, "M") < 2 {
			t.Errorf("%s: the curve is not broken in the gap", lang)
		}
		golden := filepath.Join("testdata", "report."+lang+".html")
		if *update {
			if err := os.MkdirAll("testdata", 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(golden, page.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if text != string(want) {
			t.Errorf("%s: the page differs from %s; look at it and run with -update", lang, golden)
		}
	}
}

// Every code that a report may hold has words in both languages.
func TestHTMLHasWordsForAll(t *testing.T) {
	t.Parallel()
	m := report.New(scene.New(nil), crops(t), now)
	r := geo.CropReport{Season: season, Status: geo.LowConfidence, Growth: &geo.Growth{}, Area: &geo.AreaCheck{}}
	reasons := []string{
		report.NoScenes, report.FewPixels, report.Edges, report.Boundary, report.SmallPlot, report.Doubtful, report.Clouded, report.RulesOnly, model.NoData,
		crop.FewDates, crop.NoCalendar, crop.FitsNone, crop.Unclear,
	}
	r.Reason = strings.Join(reasons, ",")
	r.Area.Findings = []geo.AreaFinding{geo.ClaimedMore, geo.PartPlanted, geo.NotCropland, geo.WrongCrop}
	evidence := map[string]string{"vci_class": "very_severe"}
	for _, k := range []string{
		"water", "water_before", "ndvi", "ndvi_before", "vv", "vv_before", "vh", "vh_before", "peak", "usual", "usual_harvest", "bare_looks", "greenest",
		"against_peers", "leaf_water", "method", "vci", "own_years", "history_years", "bare_share", "rest_ndvi", "fell",
	} {
		evidence[k] = "1"
	}
	for _, k := range []geo.HazardKind{geo.Flood, geo.Drought, geo.VigourLoss, geo.EarlyHarvest, geo.NeverSown, geo.Abandoned} {
		r.Hazards = append(r.Hazards, geo.Hazard{Kind: k, Evidence: evidence, Candidates: []string{"pest", "hail", "lodging", "frost"}})
	}
	stages := []geo.Stage{geo.StageBare, geo.StageEmerging, geo.StageGrowing, geo.StagePeak, geo.StageRipening, geo.StageHarvested}
	growths := []string{growth.NoCrop, growth.OwnTimes, growth.FewPeers, growth.NotUp}
	for i, stage := range stages {
		r.Phenology.Stage, r.Phenology.Seasons, r.Growth.Reason = stage, 1, growths[i%len(growths)]
		r.LastClear = &season.End
		for _, lang := range []string{"zh-CN", "en"} {
			var page bytes.Buffer
			if err := m.HTML(t.Context(), &page, geo.Plot{}, r, lang); err != nil {
				t.Fatal(err)
			}
			_, body, _ := strings.Cut(page.String(), "<body>")
			for _, code := range slices.Concat(reasons, growths, slices.Collect(maps.Keys(evidence)), []string{"very_severe", "claimed_more", "part_planted", "not_cropland", "wrong_crop", "vigour_loss", "never_sown"}) {
				if strings.Contains(code, "_") && strings.Contains(body, code) {
					t.Errorf("%s: %q stands bare on the page", lang, code)
				}
			}
			if lang == "zh-CN" && (strings.Contains(body, "lodging") || strings.Contains(body, ">"+string(stage)+"<")) {
				t.Errorf("the Chinese page speaks English of stage %s", stage)
			}
		}
	}
}

// Real scenes: the year of Belgian composites with two empty months, and the
// fields of one square kilometre in Slovenia.
func TestRealScenes(t *testing.T) {
	t.Parallel()
	index := func(name string) *scene.Catalogue {
		out := t.TempDir()
		if _, err := index.Run(t.Context(), index.Config{Dir: realdata.Dir(t, "geo", name), Out: out}); err != nil {
			t.Fatal(err)
		}
		cat, err := scene.Open(out)
		if err != nil {
			t.Fatal(err)
		}
		return cat
	}
	t.Run("worldcereal", func(t *testing.T) {
		cat := index("worldcereal_cube")
		var plots []geo.Plot
		for i := range 25 {
			x, y := 664030+float64(i%5)*200, 5612090-float64(i/5)*200
			poly, err := scene.ToWGS84("EPSG:32631", orb.Polygon{{{x, y - 140}, {x + 140, y - 140}, {x + 140, y}, {x, y}, {x, y - 140}}})
			if err != nil {
				t.Fatal(err)
			}
			plots = append(plots, geo.Plot{ID: fmt.Sprint(i), Polygon: poly})
		}
		year := geo.Season{Start: date("2020-11-01"), End: date("2021-10-31")}
		got, err := report.New(cat, crops(t), now).Make(t.Context(), plots, year)
		if err != nil || len(got) != len(plots) {
			t.Fatal(len(got), err)
		}
		for _, r := range got {
			if r.TotalDates != 12 || r.ClearDates != 10 {
				t.Errorf("plot %s: %d of %d dates are clear", r.PlotID, r.ClearDates, r.TotalDates)
			}
			for _, o := range r.Observations {
				empty := o.Date.Format("2006-01") == "2020-12" || o.Date.Format("2006-01") == "2021-01"
				if o.Valid == empty || empty && o.Reason != "nodata" {
					t.Errorf("plot %s: %+v", r.PlotID, o)
				}
			}
			gap := 0
			for _, p := range r.Curve {
				if p.InGap {
					gap++
				}
			}
			if gap < 5 {
				t.Errorf("plot %s: only %d points of the curve are in the gap", r.PlotID, gap)
			}
			if r.Worth != nil {
				t.Errorf("plot %s: Chinese yields and prices were carried to Belgium", r.PlotID)
			}
		}
	})
	t.Run("eolearn", func(t *testing.T) {
		cat := index("eolearn")
		plots, refusals, err := register.ReadFile(filepath.Join(realdata.Dir(t, "geo", "eolearn"), "lulc_vector.gpkg"))
		if err != nil || len(plots)+len(refusals) != 88 {
			t.Fatal(len(plots), len(refusals), err)
		}
		got, err := report.New(cat, crops(t), now).Make(t.Context(), plots, geo.Season{Start: date("2015-07-01"), End: date("2017-12-31")})
		if err != nil || len(got) != len(plots) {
			t.Fatal(len(got), err)
		}
		for i, r := range got { // 68 scenes, two of one day
			if r.TotalDates > 67 || r.FullPixels >= 8 && r.TotalDates != 67 {
				t.Errorf("plot %d: %d dates", i, r.TotalDates)
			}
			for _, o := range r.Observations {
				if d := o.Date.Format(time.DateOnly); (d == "2015-07-31" || d == "2015-08-20") && o.Valid {
					t.Errorf("plot %d was seen through the clouds of %s", i, d)
				}
			}
			if (r.Crop == "") != (r.Status == geo.Unknown) || r.Status != geo.Known && r.Reason == "" {
				t.Errorf("plot %d: %s, crop %q, reason %q", i, r.Status, r.Crop, r.Reason)
			}
		}
	})
}

// One damaged scene is a missing date; the others go on.
func TestMakeWithDamagedScene(t *testing.T) {
	t.Parallel()
	cat := scenes(t, clear)
	it := cat.Items()[10]
	if err := os.Truncate(it.Bands["red"].File, 200); err != nil {
		t.Fatal(err)
	}
	got, err := report.New(cat, crops(t), now).Make(t.Context(), []geo.Plot{square(t, "a", 100, 100, 200)}, season)
	if err != nil {
		t.Fatal(err)
	}
	if o := got[0].Observations[10]; o.Valid || o.Reason != "missing_scene" || got[0].Crop != "cotton" {
		t.Errorf("%+v, crop %q", o, got[0].Crop)
	}
}
