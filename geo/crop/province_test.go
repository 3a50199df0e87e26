package crop_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/airbusgeo/godal"
	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/crop"
	"github.com/furrowcredit/furrow/geo/series"
	"github.com/furrowcredit/furrow/internal/realdata"
	"github.com/furrowcredit/furrow/money"
)

// What everybody knows of a province: crops that are at home there, and crops that
// are not grown there at all.
var known = map[string]struct{ has, hasNot string }{
	"11": {"wheat_maize spring_maize", "tea sugarcane early_rice double_rice"},
	"12": {"wheat_maize rice", "tea sugarcane citrus double_rice"},
	"13": {"wheat_maize spring_maize", "tea sugarcane citrus double_rice"},
	"14": {"spring_maize millet winter_wheat", "tea sugarcane citrus double_rice"},
	"15": {"spring_maize spring_wheat sunflower soybean", "winter_wheat tea sugarcane citrus double_rice"},
	"21": {"spring_maize rice peanut", "winter_wheat tea sugarcane citrus double_rice"},
	"22": {"spring_maize rice soybean", "winter_wheat tea sugarcane citrus double_rice"},
	"23": {"spring_maize soybean rice spring_wheat", "winter_wheat wheat_maize tea sugarcane citrus double_rice cotton"},
	"31": {"rice vegetable", "sugarcane spring_wheat cotton"},
	"32": {"wheat_rice rapeseed_rice", "sugarcane spring_wheat"},
	"33": {"rice tea citrus rapeseed_rice", "spring_wheat sugar_beet cotton"},
	"34": {"wheat_rice wheat_maize wheat_soybean rapeseed_rice", "sugarcane spring_wheat sugar_beet"},
	"35": {"tea rice vegetable citrus", "winter_wheat spring_wheat cotton sugar_beet"},
	"36": {"double_rice rice rapeseed_rice citrus", "spring_wheat sugar_beet wheat_maize"},
	"37": {"wheat_maize peanut vegetable apple greenhouse", "sugarcane citrus double_rice"},
	"41": {"wheat_maize wheat_peanut wheat_rice", "sugarcane citrus double_rice spring_wheat"},
	"42": {"rapeseed_rice wheat_rice rice", "spring_wheat sugar_beet sugarcane"},
	"43": {"double_rice rapeseed_rice citrus", "spring_wheat sugar_beet wheat_maize"},
	"44": {"double_rice vegetable tropical_fruit", "winter_wheat spring_wheat cotton sugar_beet"},
	"45": {"sugarcane double_rice citrus", "winter_wheat spring_wheat cotton sugar_beet"},
	"46": {"tropical_fruit vegetable double_rice", "winter_wheat apple cotton rapeseed"},
	"50": {"rice spring_maize vegetable", "spring_wheat cotton sugar_beet"},
	"51": {"rapeseed_rice wheat_rice rice citrus", "cotton sugar_beet"},
	"52": {"spring_maize rice tobacco tea", "cotton spring_wheat sugar_beet"},
	"53": {"spring_maize tobacco tea sugarcane", "cotton spring_wheat sugar_beet"},
	"54": {"barley winter_wheat", "rice cotton sugarcane wheat_maize"},
	"61": {"wheat_maize apple spring_maize", "sugarcane double_rice"},
	"62": {"spring_maize potato winter_wheat spring_wheat", "sugarcane double_rice tea citrus"},
	"63": {"barley spring_rapeseed spring_wheat", "winter_wheat rice cotton sugarcane"},
	"64": {"spring_maize rice grape", "sugarcane double_rice tea cotton"},
	"65": {"cotton winter_wheat spring_maize orchard grape", "sugarcane double_rice tea citrus"},
}

func TestProvinces(t *testing.T) {
	t.Parallel()
	c := builtin(t)
	if n := len(c.Provinces()); n != 31 {
		t.Errorf("%d provinces", n)
	}
	for _, p := range c.Provinces() {
		want, ok := known[p.Code]
		if !ok {
			t.Errorf("%s %s is no province of the mainland", p.Code, p.En)
			continue
		}
		grown := map[string]float64{}
		for _, a := range p.Parts {
			sum := 0.0
			for code, s := range a.Shares {
				sum += s
				grown[code] += s
				if parts := c.Parts(code, a.Region); len(parts) == 0 {
					t.Errorf("%s: %s has no calendar in %s", p.En, code, a.Region)
				}
			}
			if sum < 0.8 {
				t.Errorf("%s, %s: the crops make only %.2f of the fields", p.En, a.Region, sum)
			}
		}
		for _, code := range strings.Fields(want.has) {
			if grown[code] < 0.02 && code != "spring_wheat" {
				t.Errorf("%s grows %s, the catalogue says %.3f", p.En, code, grown[code])
			}
		}
		for _, code := range strings.Fields(want.hasNot) {
			if grown[code] > 0 {
				t.Errorf("%s grows no %s, the catalogue says %.3f", p.En, code, grown[code])
			}
		}
	}
}

func TestShares(t *testing.T) {
	t.Parallel()
	c := builtin(t)
	for name, k := range map[string]struct {
		county, region, crop string
		from, to             float64
	}{
		"of the province":                    {"410725", "huanghuai", "wheat_maize", 0.3, 0.5},
		"of a part":                          {"131000", "huanghuai", "wheat_maize", 0.3, 0.6},
		"the other part":                     {"130700", "loess", "spring_maize", 0.3, 0.6},
		"not named in the province":          {"110100", "huanghuai", "wheat_rice", 0.001, 0.02},
		"no county: the region":              {"", "huanghuai", "wheat_maize", 0.3, 0.5},
		"a county elsewhere does not matter": {"440100", "huanghuai", "wheat_maize", 0.3, 0.5},
		"not grown there":                    {"230100", "northeast_cold", "winter_wheat", 0, 0},
	} {
		if s := c.Shares(k.county, k.region)[k.crop]; s < k.from || s > k.to {
			t.Errorf("%s: %v, want %v to %v", name, s, k.from, k.to)
		}
	}
	if s := c.Shares("410725", "atlantis"); s != nil {
		t.Error(s)
	}
}

// Every group and kind of field that a lender asks for is in the catalogue, each
// with figures that name their source.
func TestCatalogueIsWhole(t *testing.T) {
	t.Parallel()
	c := builtin(t)
	groups := map[string]int{}
	for _, k := range c.Crops() {
		groups[k.Group]++
		if len(k.Parts) > 0 {
			continue
		}
		for _, code := range []string{k.YieldSource, k.Cost.Source, k.CalendarSource} {
			if s, ok := c.Source(code); !ok || s.Text == "" {
				t.Errorf("%s: source %q", k.Code, code)
			}
		}
		if strings.Contains(k.Price.Source, "估计") != k.Price.Estimate {
			t.Errorf("%s: the price says %q, estimate %v", k.Code, k.Price.Source, k.Price.Estimate)
		}
	}
	if len(groups) < 15 || len(c.Crops())-groups["rotation"] < 24 {
		t.Errorf("%d groups, %d crops", len(groups), len(c.Crops())-groups["rotation"])
	}
	for _, code := range strings.Fields("early_rice rice late_rice winter_wheat spring_wheat spring_maize summer_maize soybean cotton rapeseed peanut potato sugar_beet sugarcane vegetable greenhouse carrot tea citrus apple grape blueberry orchard alfalfa") {
		if _, err := c.Crop(code); err != nil {
			t.Error(err)
		}
	}
	// Minimum purchase prices are public facts.
	for code, fen := range map[string]int64{"winter_wheat": 238, "early_rice": 254, "late_rice": 258} {
		if k, err := c.Crop(code); err != nil || int64(k.Price.Fen) != fen || k.Price.Estimate {
			t.Errorf("%s: %+v, %v", code, k.Price, err)
		}
	}
	if p := c.Parts("cotton", "xinjiang")[0]; p.Yield[1] != 387 || p.Price.Fen != 720 {
		t.Errorf("cotton of Xinjiang: %+v, %+v", p.Yield, p.Price)
	}
}

// The calendars of winter cereals agree with a model-based map of half a degree.
// Its start is nearer to emergence than to sowing, and its mountains are late.
func TestWinterCerealCalendar(t *testing.T) {
	t.Parallel()
	c := builtin(t)
	dir := realdata.Dir(t, "geo", "crop_calendar")
	godal.RegisterAll()
	read := func(name string, at orb.Point) int {
		ds, err := godal.Open(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		defer ds.Close()
		g, err := ds.GeoTransform()
		if err != nil {
			t.Fatal(err)
		}
		v := make([]int16, 1)
		if err := ds.Read(int((at[0]-g[0])/g[1]), int((at[1]-g[3])/g[5]), v, 1, 1); err != nil {
			t.Fatal(err)
		}
		return int(v[0])
	}
	for county, at := range map[string]orb.Point{
		"110100": {116.4, 39.9}, "130100": {114.5, 38}, "130400": {114.5, 36.6}, "370700": {119.1, 36.7}, "410100": {113.6, 34.8},
		"320300": {117.2, 34.3}, "341200": {115.8, 32.9}, "320100": {118.8, 32}, "340100": {117.2, 31.8}, "420100": {114.3, 30.6},
		"510100": {104, 30.7}, "500100": {106.5, 29.6}, "530100": {102.7, 25}, "520100": {106.7, 26.6},
		"652900": {80.3, 41.2}, "653100": {76, 39.5}, "650100": {87.6, 43.8}, "540100": {91.1, 29.6}, "140100": {112.5, 37.8}, "610800": {109.7, 38.3},
	} {
		r, _ := c.Region(county, orb.Point{})
		parts := c.Parts("winter_wheat", r.Code)
		if len(parts) == 0 {
			t.Errorf("%s: no winter wheat in %s", county, r.Code)
			continue
		}
		sow, end := read("ftw_wc_sos.tif", at)-365-1, read("ftw_wc_eos.tif", at)-1
		w := parts[0].When
		if sow < w.Sow.From-10 || sow > w.Sow.To+45 {
			t.Errorf("%s (%s): sown on day %d, the catalogue says %d to %d", county, r.Code, sow, w.Sow.From, w.Sow.To)
		}
		if end < w.Harvest.From-30 || end > w.Harvest.To+30 {
			t.Errorf("%s (%s): ripe on day %d, the catalogue says %d to %d", county, r.Code, end, w.Harvest.From, w.Harvest.To)
		}
	}
}

// by draws a field that keeps to the middle of the calendar of a crop.
func by(c *crop.Catalogue, code, region string, year int) field {
	day := func(n int) string {
		return time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, n).Format(time.DateOnly)
	}
	f := field{base: 0.2}
	for _, p := range c.Parts(code, region) {
		w := p.When
		top := (p.PeakNDVI[0] + p.PeakNDVI[1]) / 2
		switch p.Kind {
		case crop.Evergreen, crop.Covered:
			f.base = (p.WinterNDVI[0] + p.WinterNDVI[1]) / 2
			f.rises = append(f.rises, rise{day(90), day(150), day(240), day(320), min(top, f.base+0.2)})
			continue
		case crop.Cycles:
			step := 330 / (p.Cycles[0] + 1)
			for k := range p.Cycles[0] + 1 {
				a := 30 + k*step
				f.rises = append(f.rises, rise{day(a), day(a + step*2/5), day(a + step/2), day(a + step*4/5), top})
			}
			continue
		case crop.Perennial:
			f.base = (p.WinterNDVI[0] + p.WinterNDVI[1]) / 2
		case crop.Annual:
		}
		// A fifth of the rise is at greening, the middle of the prime at the peak.
		green, peak, harvest := w.Green.Mid(), w.Peak.Mid(), w.Harvest.Mid()
		half := min((peak-green)/3, (harvest-peak)/3)
		f.rises = append(f.rises, rise{day(green - (peak-green)/8), day(peak - half), day(peak + half), day(harvest), top})
		if p.Flooded {
			f.wets = append(f.wets, [2]string{day(green - 25), day(green + 2)})
		}
		if p.Yellow {
			f.yellow = [2]string{day(peak - 12), day(peak + 12)}
		}
	}
	return f
}

// In every region, a field that keeps to the calendar of a main crop is taken for
// that crop or its group, or nothing is said; it is hardly ever taken for another
// crop with confidence. Crops of one calendar, such as maize and millet, cannot be
// told apart: there the usual one is named, so fields count by their share. This proves the calendars tell the crops of a region apart,
// not that real fields keep to them.
func TestEveryRegionTellsItsCropsApart(t *testing.T) {
	t.Parallel()
	c := builtin(t)
	from, to := date("2025-09-01"), date("2027-01-10")
	var n int
	var all, right, silent, wrong float64 // by the share of the fields
	var bad []string
	for _, p := range c.Provinces() {
		for _, a := range p.Parts {
			county := p.Code + "0100"
			if len(a.Counties) > 0 {
				county = (a.Counties[0] + "0100")[:6]
			}
			for _, k := range c.Crops() {
				share := a.Shares[k.Code]
				if share < 0.05 {
					continue
				}
				f := by(c, k.Code, a.Region, 2026)
				for i := range f.rises { // last year's crop, as far as it is seen
					f.rises = append(f.rises, f.rises[i].plus(-365), f.rises[i].plus(365))
				}
				sights := f.sights(from, to, 9)
				ans := c.Classify(crop.Evidence{Region: a.Region, County: county, Start: from, End: to, Sights: sights})
				n++
				all += share
				other, err := c.Crop(ans.Crop)
				switch {
				case ans.Crop == k.Code:
					right += share
				case ans.Crop == "" || ans.Confidence <= 0.6 || err == nil && other.Group == k.Group && other.Code == "orchard":
					silent += share
				default:
					wrong += share
					bad = append(bad, fmt.Sprintf("%s %s %s>%s %.2f", p.Code, a.Region, k.Code, ans.Crop, ans.Confidence))
				}
			}
		}
	}
	slices.Sort(bad)
	t.Logf("%d fields: %.3f right, %.3f unsure, %.3f wrong with confidence: %v", n, right/all, silent/all, wrong/all, bad)
	if n < 200 || wrong > 0.05*all || right < 0.8*all {
		t.Errorf("of %d fields %.3f are right and %.3f wrong with confidence", n, right/all, wrong/all)
	}
}

func (r rise) plus(days int) rise {
	move := func(s string) string { return date(s).AddDate(0, 0, days).Format(time.DateOnly) }
	return rise{move(r.start), move(r.full), move(r.ripe), move(r.end), r.top}
}

// Evergreen trees look alike: the group is named, not one of its crops.
func TestGroupWhereOnlyTheGroupIsSure(t *testing.T) {
	t.Parallel()
	c := builtin(t)
	from, to := date("2025-10-15"), date("2026-11-10")
	f := field{base: 0.62, rises: []rise{{"2026-03-20", "2026-05-20", "2026-09-20", "2026-11-20", 0.8}}}
	a := c.Classify(crop.Evidence{Region: "south", County: "450100", Start: from, End: to, Sights: f.sights(from, to, 9)})
	if a.Crop != "orchard" || !a.Untrained || a.Confidence < 0.6 || a.Guesses[0].Crop == "orchard" {
		t.Errorf("%q %.2f %v", a.Crop, a.Confidence, a.Guesses)
	}
}

func TestRemainingCost(t *testing.T) {
	t.Parallel()
	c := builtin(t)
	stages := []geo.Stage{geo.StageBare, geo.StageEmerging, geo.StageGrowing, geo.StagePeak, geo.StageRipening, geo.StageHarvested}
	for _, k := range c.Crops() {
		if len(k.Parts) > 0 {
			continue
		}
		last := k.Cost.Fen
		for i, s := range stages {
			left := k.RemainingCost(s)
			for j := range left {
				if left[j] < 0 || left[j] > last[j] || j > 0 && left[j] < left[j-1] {
					t.Errorf("%s, %s: %v after %v", k.Code, s, left, last)
				}
			}
			if i == 0 && left != k.Cost.Fen {
				t.Errorf("%s: before sowing %v of %v is left", k.Code, left, k.Cost.Fen)
			}
			last = left
		}
		if last[2] != 0 {
			t.Errorf("%s: %v is left after the harvest", k.Code, last)
		}
	}
	wheat := c.Parts("winter_wheat", "huanghuai")[0]
	for day, want := range map[string]int64{
		"2025-09-01": 75000, // before sowing: all
		"2025-10-21": 33600, // just sown: 45 % less four days of growth
		"2026-04-20": 9000,  // at the peak: 12 %
		"2026-06-03": 7512,  // the day before the harvest: a tenth
		"2026-06-20": 0,
	} {
		if got := wheat.RemainingCostOn(date(day), 2026)[1]; int64(got) < want-300 || int64(got) > want+300 {
			t.Errorf("%s: %v fen a mu, want about %d", day, got, want)
		}
	}
}

// What is left is never understated, not by a fen on any day.
func TestRemainingCostIsRoundedUp(t *testing.T) {
	t.Parallel()
	wheat := builtin(t).Parts("winter_wheat", "huanghuai")[0]
	wheat.Cost.Fen = [3]money.Fen{1_000_000, 1_000_000, 1_000_000}
	sow, harvest := wheat.When.Sow.Mid(), wheat.When.Harvest.Mid()
	last := wheat.RemainingCostOn(date("2026-01-01").AddDate(0, 0, sow), 2026)[1]
	for day := sow + 1; day < harvest; day++ {
		left := wheat.RemainingCostOn(date("2026-01-01").AddDate(0, 0, day), 2026)[1]
		from, a, to, b := sow, wheat.Cost.Spent[0], wheat.When.Peak.Mid(), wheat.Cost.Spent[1]
		if day >= to {
			from, a, to, b = to, b, harvest, wheat.Cost.Spent[2]
		}
		exact := 1_000_000 * (1 - a - (b-a)*float64(day-from)/float64(to-from))
		if float64(left) < exact-0.01 || left > last {
			t.Fatalf("on day %d %d fen are left of %.1f, %d the day before", day, left, exact, last)
		}
		last = left
	}
}

// A look without the bands that show water still tells a paddy: NDVI falls below
// what soil shows.
func TestPaddyWithoutWaterBands(t *testing.T) {
	t.Parallel()
	c := builtin(t)
	from, to := date("2025-10-15"), date("2026-11-10")
	sights := field{base: 0.2, rises: []rise{paddy}, wets: [][2]string{{"2026-05-18", "2026-06-20"}}}.sights(from, to, 9)
	blind := slices.Clone(sights)
	for i := range blind {
		if blind[i].Water > 0.5 {
			blind[i].NDVI = -0.1
		}
		blind[i].Water, blind[i].Yellow = nan, nan
	}
	for name, s := range map[string][]series.Sight{"with": sights, "without": blind} {
		a := c.Classify(crop.Evidence{Region: "huanghuai", County: "410725", Start: from, End: to, Sights: s})
		if a.Crop != "rice" {
			t.Errorf("%s: %q %v", name, a.Crop, a.Guesses)
		}
	}
}
