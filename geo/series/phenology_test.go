package series_test

import (
	"encoding/csv"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/series"
	"github.com/furrowcredit/furrow/internal/realdata"
)

// grown is a crop with known dates: bare until it emerges, a slow start, a plateau,
// ripening to half of its height, and the day of the cut.
type grown struct{ sown, cut time.Time }

func (g grown) ndvi(t time.Time) float64 {
	age, left := t.Sub(g.sown).Hours()/24, g.cut.Sub(t).Hours()/24
	if age < 10 || left <= 0 {
		return 0
	}
	rise := 1 / (1 + math.Exp(-(age-40)/8))
	ripe := 0.5 + 0.5/(1+math.Exp(-(left-22)/5))
	return 0.65 * rise * ripe
}

// seen gives looks every step days with noise, clouds that the mask found and
// clouds that it missed.
func seen(random *rand.Rand, start, end time.Time, step int, cloudy, missed float64, crops ...grown) []geo.Observation {
	var obs []geo.Observation
	for t := start.AddDate(0, 0, random.IntN(step)); !t.After(end); t = t.AddDate(0, 0, step) {
		v := 0.16 + 0.02*random.NormFloat64()
		for _, c := range crops {
			v += c.ndvi(t)
		}
		o := geo.Observation{Date: t, NDVI: v, Coverage: 1, Valid: true}
		switch p := random.Float64(); {
		case p < cloudy:
			o = geo.Observation{Date: t, Reason: "cloud"}
		case p < cloudy+missed:
			o.NDVI = min(v, 0.1)
		}
		obs = append(obs, o)
	}
	return obs
}

func daysOff(a, b time.Time) float64 { return a.Sub(b).Hours() / 24 }

// Sowing and harvest of known date: how far off, and whether the days that are
// given hold the truth.
func TestSowingAndHarvestDates(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name           string
		crops          []grown
		step           int
		cloudy, missed float64
		cutMAE, sowMAE float64 // days
		found          float64 // share of crops that get a harvest date
	}{
		{"one crop, every 5 days", []grown{{date("2026-05-01"), date("2026-09-20")}}, 5, 0.3, 0, 5, 10, 0.95},
		{"one crop, every 5 days, half cloudy, clouds missed", []grown{{date("2026-05-01"), date("2026-09-20")}}, 5, 0.5, 0.05, 8, 12, 0.88},
		{"one crop, every 10 days", []grown{{date("2026-05-01"), date("2026-09-20")}}, 10, 0.3, 0, 8, 12, 0.9},
		{"two crops", []grown{{date("2026-03-01"), date("2026-06-10")}, {date("2026-06-18"), date("2026-10-01")}}, 5, 0.4, 0.03, 7, 12, 0.9},
		{"cut early, while green", []grown{{date("2026-05-01"), date("2026-07-20")}}, 5, 0.4, 0.03, 7, 12, 0.9},
	} {
		random := rand.New(rand.NewPCG(3, 0))
		const fields = 100
		var cut, cutHits, cutN, sow, sowHits, sowN, right float64
		for range fields {
			start, end := date("2026-01-01"), date("2026-12-31")
			curve, err := series.Fit(seen(random, start, end, c.step, c.cloudy, c.missed, c.crops...), start, end)
			if err != nil {
				t.Fatal(err)
			}
			seasons := series.Seasons(curve)
			if len(seasons) != len(c.crops) {
				continue
			}
			right++
			for i, s := range seasons {
				if h := s.Harvested; h != nil {
					cut += math.Abs(daysOff(h.Date, c.crops[i].cut))
					cutHits += truth(!h.From.After(c.crops[i].cut) && !h.To.Before(c.crops[i].cut))
					cutN++
				}
				if w := s.Sown; w != nil {
					sow += math.Abs(daysOff(w.Date, c.crops[i].sown))
					sowHits += truth(!w.From.After(c.crops[i].sown) && !w.To.Before(c.crops[i].sown))
					sowN++
				}
			}
		}
		all := float64(fields * len(c.crops))
		t.Logf("%s: seasons right in %.0f of %d; harvest off by %.1f days, %.0f %% within, %.0f %% found; sowing off by %.1f days, %.0f %% within, %.0f %% found",
			c.name, right, fields, cut/cutN, 100*cutHits/cutN, 100*cutN/all, sow/sowN, 100*sowHits/sowN, 100*sowN/all)
		if right < c.found*fields || cut/cutN > c.cutMAE || cutHits < 0.85*cutN || cutN < c.found*all || sow/sowN > c.sowMAE || sowHits < 0.9*sowN {
			t.Errorf("%s: not as promised", c.name)
		}
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// A look on the way names the stage; what was not seen stays unnamed.
func TestStage(t *testing.T) {
	t.Parallel()
	crop := grown{date("2026-05-01"), date("2026-09-20")}
	for last, want := range map[string]geo.Stage{
		"2026-06-06": geo.StageEmerging,
		"2026-06-20": geo.StageGrowing,
		"2026-07-30": geo.StagePeak,
		"2026-08-12": geo.StagePeak,
		"2026-09-10": geo.StageRipening,
		"2026-10-10": geo.StageHarvested,
		"2026-12-20": geo.StageHarvested,
	} {
		start, end := date("2026-03-01"), date(last)
		curve, err := series.Fit(seen(rand.New(rand.NewPCG(5, 0)), start, end, 5, 0.2, 0, crop), start, end)
		if err != nil {
			t.Fatal(err)
		}
		if got := series.Phenology(series.Seasons(curve)).Stage; got != want {
			t.Errorf("%s: %q, want %q", last, got, want)
		}
	}
}

func TestPhenologySaysOnlyWhatWasSeen(t *testing.T) {
	t.Parallel()
	start, end := date("2026-01-01"), date("2026-12-31")
	crop := grown{date("2026-05-01"), date("2026-09-20")}
	looks := func(keep func(time.Time) bool) geo.Phenology {
		obs := slices.DeleteFunc(seen(rand.New(rand.NewPCG(5, 0)), start, end, 5, 0, 0, crop), func(o geo.Observation) bool { return !keep(o.Date) })
		curve, err := series.Fit(obs, start, end)
		if err != nil {
			t.Fatal(err)
		}
		return series.Phenology(series.Seasons(curve))
	}
	if p := looks(func(t time.Time) bool { return t.Before(date("2026-09-01")) }); p.Harvested != nil || p.End != nil || p.Sown == nil {
		t.Errorf("uncut: %+v", p)
	}
	if p := looks(func(t time.Time) bool { return t.Before(date("2026-08-20")) || t.After(date("2026-11-10")) }); p.Harvested != nil {
		t.Errorf("cut under 80 days of cloud: %+v", p.Harvested)
	}
	if p := looks(func(t time.Time) bool { return t.After(date("2026-07-01")) }); p.Sown != nil || p.Start != nil || p.Harvested == nil {
		t.Errorf("first seen green: %+v", p)
	}
	// Trees lose a part of their green, but nothing was sown under them.
	var trees []geo.Observation
	for d := start; d.Before(end); d = d.AddDate(0, 0, 5) {
		trees = append(trees, geo.Observation{Date: d, NDVI: 0.6 - 0.2*math.Cos(2*math.Pi*daysOff(d, start)/365), Coverage: 1, Valid: true})
	}
	curve, err := series.Fit(trees, start, end)
	if err != nil {
		t.Fatal(err)
	}
	if p := series.Phenology(series.Seasons(curve)); p.Sown != nil || p.Seasons != 1 {
		t.Errorf("trees: %+v", p)
	}
}

// mod13 gives the NDVI of a MODIS site whose quality flag is good or marginal.
func mod13(t *testing.T, site string) []geo.Observation {
	t.Helper()
	f, err := os.Open(filepath.Join(realdata.Dir(t, "geo", "phenofit"), "MOD13A1_10sites.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	col := map[string]int{}
	for i, h := range rows[0] {
		col[h] = i
	}
	var obs []geo.Observation
	for _, r := range rows[1:] {
		if r[col["site"]] != site {
			continue
		}
		v, err := strconv.ParseFloat(r[col["NDVI"]], 64)
		if err != nil {
			continue // a composite without value
		}
		q := r[col["SummaryQA"]]
		composite := date(r[col["date"]])
		// The composite takes its look on one of 16 days and says on which.
		if doy, err := strconv.Atoi(r[col["DayOfYear"]]); err == nil {
			look := time.Date(composite.Year(), 1, doy, 0, 0, 0, 0, time.UTC)
			if look.Before(composite) {
				look = look.AddDate(1, 0, 0)
			}
			composite = look
		}
		o := geo.Observation{Date: composite, NDVI: v / 1e4, Valid: q == "0" || q == "1", Coverage: 1}
		if q == "1" {
			o.Coverage = 0.5
		}
		obs = append(obs, o)
	}
	return obs
}

// Real cropland, 500 m, 17 years: one or two seasons a year, and the same dates
// when a fifth of the looks is missing.
func TestSeasonsOfRealCropland(t *testing.T) {
	t.Parallel()
	obs := mod13(t, "CH-Oe2")
	start, end := date("2001-01-01"), date("2016-12-31")
	full, err := series.Fit(obs, start, end)
	if err != nil {
		t.Fatal(err)
	}
	seasons := series.Seasons(full)
	perYear := map[int]int{}
	for _, s := range seasons {
		if s.Peak != nil {
			perYear[s.Peak.Year()]++
		}
	}
	sure := 0
	for y := 2001; y <= 2016; y++ {
		sure += int(truth(perYear[y] == 1 || perYear[y] == 2))
	}
	if sure < 15 { // a pixel of 500 m mixes crops, which may fill each other's gaps
		t.Errorf("seasons by year %v", perYear)
	}
	random := rand.New(rand.NewPCG(8, 0))
	var kept, total int
	var off []float64
	for range 5 {
		part := slices.DeleteFunc(slices.Clone(obs), func(geo.Observation) bool { return random.IntN(5) == 0 })
		curve, err := series.Fit(part, start, end)
		if err != nil {
			t.Fatal(err)
		}
		again := series.Seasons(curve)
		for _, s := range seasons {
			if s.Start == nil {
				continue
			}
			total++
			best := math.Inf(1)
			for _, a := range again {
				if a.Start != nil {
					best = min(best, math.Abs(daysOff(*a.Start, *s.Start)))
				}
			}
			if best <= 30 {
				kept++
				off = append(off, best)
			}
		}
	}
	slices.Sort(off)
	t.Logf("CH-Oe2: seasons by year %v; with a fifth of the looks missing %d of %d are found again, start off by %.0f days (median), %.0f (90 %%)", perYear, kept, total, off[len(off)/2], off[len(off)*9/10])
	if float64(kept) < 0.8*float64(total) || off[len(off)/2] > 4 || off[len(off)*9/10] > 14 {
		t.Errorf("unstable: %d of %d, %v", kept, total, off)
	}
}
