package county_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/crop"
	"github.com/furrowcredit/furrow/geo/report"
	"github.com/furrowcredit/furrow/geo/scene"
	"github.com/furrowcredit/furrow/geo/scene/index"
	"github.com/furrowcredit/furrow/sim/county"
)

func at(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t.Add(12 * time.Hour)
}

// TestTruth makes a county, lets the product look at it, and holds its answers
// against the truth: the crop of at least 96 % of the plots that were seen, every
// area within 1 %, every incident, and none that did not happen.
func TestTruth(t *testing.T) {
	t.Parallel()
	fsys, err := catalog.Open("")
	if err != nil {
		t.Fatal(err)
	}
	crops, err := crop.Load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	for _, cfg := range []county.Config{
		{Seed: 20260, Now: at("2026-11-21")}, // the demo
		{Seed: 7, Now: at("2027-11-03")},
		{Seed: 10, Now: at("2027-01-15")},
	} {
		c, err := county.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		cat := scenesOf(t, c)
		var plots []geo.Plot
		for _, p := range c.Plots {
			plots = append(plots, geo.Plot{ID: p.Key, Polygon: p.Polygon, Crop: p.Declared, Region: county.Region})
		}
		maker := report.New(cat, crops, func() time.Time { return cfg.Now })
		for name, season := range map[string]geo.Season{
			"all scenes": c.Season,
			"13 months":  {Start: cfg.Now.AddDate(-1, -1, 0), End: cfg.Now}, // as the server judges
		} {
			reports, err := maker.Make(t.Context(), plots, season)
			if err != nil {
				t.Fatal(err)
			}
			judge(t, fmt.Sprintf("seed %d, %s", cfg.Seed, name), c.Plots, reports)
		}
	}
}

func judge(t *testing.T, name string, plots []county.Plot, reports []geo.CropReport) {
	t.Helper()
	seen, right := 0, 0
	for i, r := range reports {
		p := plots[i]
		if r.PlotID != p.Key {
			t.Fatalf("report %d is of %s, want %s", i, r.PlotID, p.Key)
		}
		if d := math.Abs(r.AreaM2/p.AreaM2 - 1); d > 0.01 {
			t.Errorf("%s: area is off by %.2f %%", p.Key, d*100)
		}
		if r.ClearDates >= 12 && r.FullPixels >= 8 {
			seen++
			if r.Crop == p.Crop {
				right++
			}
		}
		var planted, found []geo.HazardKind
		for _, h := range p.Incidents {
			planted = append(planted, h.Kind)
		}
		for _, h := range r.Hazards {
			found = append(found, h.Kind)
			for _, q := range p.Incidents {
				if q.Kind == h.Kind && (h.Start.After(q.End) || h.End.Before(q.Start)) {
					t.Errorf("%s: %s was found from %s to %s, it was from %s to %s", p.Key, h.Kind, h.Start, h.End, q.Start, q.End)
				}
			}
		}
		if !slices.Equal(planted, found) {
			t.Errorf("%s, %s (%s, taken for %s): planted %v, found %v %v", name, p.Key, p.Crop, r.Crop, planted, found, r.Hazards)
		}
	}
	share := float64(right) / float64(seen)
	t.Logf("%s: crop right on %d of %d seen plots (%.1f %%)", name, right, seen, share*100)
	if seen < 400 || share < 0.96 {
		t.Errorf("%s: crop right on %.1f %% of %d seen plots", name, share*100, seen)
	}
}

// TestTruthInOtherSeasons asks in the middle of the year, with crops on the field and
// ripening: hardly any crop may be wrong with confidence, and the confidence that is
// stated is no more than what comes true.
func TestTruthInOtherSeasons(t *testing.T) {
	t.Parallel()
	fsys, err := catalog.Open("")
	if err != nil {
		t.Fatal(err)
	}
	crops, err := crop.Load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	type bin struct{ n, right, sure float64 }
	var bins [10]bin
	for _, now := range []string{"2027-02-20", "2026-05-20", "2026-08-20"} {
		c, err := county.New(county.Config{Seed: 21, Now: at(now)})
		if err != nil {
			t.Fatal(err)
		}
		cat := scenesOf(t, c)
		var plots []geo.Plot
		for _, p := range c.Plots {
			plots = append(plots, geo.Plot{ID: p.Key, Polygon: p.Polygon, Region: county.Region})
		}
		reports, err := report.New(cat, crops, func() time.Time { return at(now) }).Make(t.Context(), plots, c.Season)
		if err != nil {
			t.Fatal(err)
		}
		right, wrong := 0, 0
		for i, r := range reports {
			if r.Crop == "" {
				continue
			}
			b := &bins[min(9, int(r.Confidence*10))]
			b.n, b.sure = b.n+1, b.sure+r.Confidence
			switch {
			case r.Crop == c.Plots[i].Crop:
				right++
				b.right++
			case r.Confidence > 0.6:
				wrong++
			}
		}
		n := float64(len(reports))
		t.Logf("%s: right %.1f %%, wrong with confidence %.1f %%", now, 100*float64(right)/n, 100*float64(wrong)/n)
		if float64(wrong) > 0.03*n || float64(right) < 0.9*n {
			t.Errorf("%s: %d of %d plots are right, %d wrong with confidence", now, right, len(reports), wrong)
		}
	}
	for i, b := range bins {
		if b.n >= 20 && b.right/b.n < b.sure/b.n-0.05 {
			t.Errorf("confidence about %.1f: %.0f answers, stated %.2f, came true %.2f", float64(i)/10, b.n, b.sure/b.n, b.right/b.n)
		}
	}
}

// The county's shape: what the demo promises.
func TestNew(t *testing.T) {
	t.Parallel()
	for _, now := range []string{"2026-11-21", "2026-03-10", "2026-07-01", "2028-02-29"} {
		c, err := county.New(county.Config{Seed: 3, Now: at(now)})
		if err != nil {
			t.Fatal(err)
		}
		crops, incidents, doubles := map[string]int{}, map[geo.HazardKind]int{}, 0
		for _, p := range c.Plots {
			crops[p.Crop]++
			for _, i := range p.Incidents {
				incidents[i.Kind]++
			}
			if p.Overlaps != "" {
				doubles++
			}
			if _, err := geo.ValidatePolygon(p.Polygon); err != nil {
				t.Errorf("%s: %v", p.Key, err)
			}
		}
		delete(crops, crop.Fallow)
		if len(c.Plots) < 400 || len(crops) != 8 || len(c.Dates) < 36 || doubles != 2 {
			t.Errorf("%s: %d plots of %d crops, %d dates, %d overlapping", now, len(c.Plots), len(crops), len(c.Dates), doubles)
		}
		if incidents[geo.Flood] < 2 || incidents[geo.Drought] < 5 || incidents[geo.EarlyHarvest] != 1 || incidents[geo.NeverSown] != 1 {
			t.Errorf("%s: incidents %v", now, incidents)
		}
		if last := c.Dates[len(c.Dates)-1]; at(now).Sub(last) > 11*24*time.Hour {
			t.Errorf("%s: the last scene is of %s", now, last)
		}
	}
}

func TestNewIsDeterministic(t *testing.T) {
	t.Parallel()
	var text [2]bytes.Buffer
	var all [2]*county.County
	for i := range text {
		c, err := county.New(county.Config{Seed: 5, Now: at("2026-11-21")})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.WriteTruth(&text[i]); err != nil {
			t.Fatal(err)
		}
		all[i] = c
	}
	if !bytes.Equal(text[0].Bytes(), text[1].Bytes()) {
		t.Error("the same seed gave two counties")
	}
	var back county.County
	if err := json.Unmarshal(text[0].Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(all[0].Plots, back.Plots, cmpopts.EquateApprox(0, 1e-9)); d != "" {
		t.Errorf("the truth does not read back: %s", d)
	}
}

// Scenes are readable by anyone's GDAL as cloud-optimised files, and small.
func TestScenesAreSmall(t *testing.T) {
	t.Parallel()
	c, err := county.New(county.Config{Seed: 20260, Now: at("2026-11-21")})
	if err != nil {
		t.Fatal(err)
	}
	c.Dates = c.Dates[:2]
	dir := t.TempDir()
	calls := 0
	if err := c.WriteScenes(t.Context(), dir, func(done, total int) {
		if calls++; done != calls || total != 2 {
			t.Errorf("progress %d of %d", done, total)
		}
	}); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.tif"))
	if err != nil || len(files) != 6 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	var bytes int64
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			t.Fatal(err)
		}
		bytes += info.Size()
	}
	if perDate := bytes / 2; perDate > 150<<20/41 {
		t.Errorf("%d bytes a date", perDate)
	}
}

// scenesOf is the catalogue of the county's scenes; every one must be taken.
func scenesOf(t *testing.T, c *county.County) *scene.Catalogue {
	t.Helper()
	dir := t.TempDir()
	if err := c.WriteScenes(t.Context(), dir, nil); err != nil {
		t.Fatal(err)
	}
	res, err := index.Run(t.Context(), index.Config{Dir: dir})
	if err != nil || res.Items != len(c.Dates) || len(res.Refused)+len(res.Ignored) > 0 {
		t.Fatalf("index: %+v, %v", res, err)
	}
	cat, err := scene.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return cat
}
