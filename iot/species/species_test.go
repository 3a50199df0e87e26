package species_test

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/iot/species"
)

// builtin is a file of the built-in catalogue.
func builtin(tb testing.TB, name string) string {
	tb.Helper()
	files, err := catalog.Open("")
	if err != nil {
		tb.Fatal(err)
	}
	b, err := fs.ReadFile(files, name)
	if err != nil {
		tb.Fatal(err)
	}
	return string(b)
}

const (
	noBreeds = "version: 1\nbreeds: []\n"
	noPrices = "species,class,region,date,fen_per_kg,fen_per_head,source\n"
)

func loadAll(kinds, breeds, prices string) (*species.Catalogue, error) {
	return species.Load(fstest.MapFS{species.File: {Data: []byte(kinds)}, species.BreedFile: {Data: []byte(breeds)}, species.PriceFile: {Data: []byte(prices)}})
}

func load(text string) (*species.Catalogue, error) { return loadAll(text, noBreeds, noPrices) }

func all(tb testing.TB) *species.Catalogue {
	tb.Helper()
	c, err := loadAll(builtin(tb, species.File), builtin(tb, species.BreedFile), builtin(tb, species.PriceFile))
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func TestBuiltin(t *testing.T) {
	t.Parallel()
	c := all(t)
	if c.Known("yak") {
		t.Error("it knows yaks")
	}
	cattle, _ := c.Get("cattle")
	if cattle.Name["zh-CN"] != "牛" || cattle.Watch.Still() != 5*time.Hour || cattle.Watch.Quiet() != 10*time.Minute {
		t.Errorf("%+v", cattle)
	}
}

var update = flag.Bool("update", false, "rewrite the golden files")

// TestListing holds what the catalogue says of every species and breed: weights at
// ages that a herder can judge, classes, and the price of a day.
func TestListing(t *testing.T) {
	t.Parallel()
	c, day := all(t), time.Date(2026, 11, 1, 4, 0, 0, 0, time.UTC)
	var b strings.Builder
	kg := func(what string, s species.Species, breed, sex string) {
		fmt.Fprintf(&b, "  %-18s %s", what, sex)
		for _, months := range []float64{0, 1.5, 6, 12, 24, 60} {
			fmt.Fprintf(&b, " %8.2f", s.Curve(breed, sex).Kg(months))
		}
		b.WriteString("\n")
	}
	for _, s := range c.All() {
		fmt.Fprintf(&b, "%s %s (%s) cn-67 %q, house %t\n", s.Code, s.Name["zh-CN"], s.Name["en"], s.CN67, s.House)
		fmt.Fprintf(&b, "  %-20s %8g %8g %8g %8g %8g %8g months\n", "kg at", 0.0, 1.5, 6.0, 12.0, 24.0, 60.0)
		for _, sex := range []string{"m", "f"} {
			kg(s.Code, s, "", sex)
			for _, x := range s.Breeds {
				if curve := s.Curve(x.Code, sex); curve != s.Curve("", sex) {
					kg(x.Code, s, x.Code, sex)
				}
			}
		}
		for _, cl := range s.Classes {
			q, ok := c.Quote(s.Code, cl.Code, "", day)
			fmt.Fprintf(&b, "  class %-14s %s %q from %g to %g: %d fen/kg, %d fen a head, %s, %t\n", cl.Code, cl.Name["zh-CN"], cl.Sex, cl.From, cl.To, q.FenPerKg, q.FenPerHead, q.Date, ok)
		}
	}
	golden := filepath.Join("testdata", "listing.golden")
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), b.String()); d != "" {
		t.Error(d)
	}
}

// TestGrowth holds every curve of the catalogue against what no animal does: shrink,
// be born with nothing, or outgrow its end.
func TestGrowth(t *testing.T) {
	t.Parallel()
	for _, s := range all(t).All() {
		for _, breed := range append([]species.Breed{{}}, s.Breeds...) {
			for _, sex := range []string{"m", "f", "c", ""} {
				curve, last := s.Curve(breed.Code, sex), 0.0
				for months := range 200 {
					kg := curve.Kg(float64(months))
					if kg <= 0 || kg < last || kg > curve.A*1.0000001 {
						t.Fatalf("%s %s %q: %v kg after %v kg at %d months", s.Code, breed.Code, sex, kg, last, months)
					}
					last = kg
				}
				if newborn := curve.Kg(0); newborn > 0.16*curve.A {
					t.Errorf("%s %s %q: born with %v of %v kg", s.Code, breed.Code, sex, newborn, curve.A)
				}
			}
		}
	}
}

func TestQuote(t *testing.T) {
	t.Parallel()
	c, err := loadAll(builtin(t, species.File), noBreeds, noPrices+`cattle,,,2026-01-10,1000,,x
cattle,,,2026-03-10,1100,,x
cattle,,420000,2026-02-10,1200,,x
cattle,,421300,2026-02-01,1300,,x
cattle,,421381,2025-01-01,1400,,x
cattle,breeding_cow,,2026-02-20,,900000,x
`)
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]struct {
		class, county, day string
		kg, head           int64
		stale, ok          bool
	}{
		"country":                    {"calf", "", "2026-03-10", 1100, 0, false, true},
		"not after the day":          {"calf", "", "2026-03-09", 1000, 0, false, true},
		"province":                   {"calf", "429001", "2026-03-20", 1200, 0, false, true},
		"prefecture":                 {"calf", "421302", "2026-03-20", 1300, 0, false, true},
		"county too old":             {"calf", "421381", "2026-03-20", 1300, 0, false, true},
		"county of then":             {"calf", "421381", "2025-02-20", 1400, 0, false, true},
		"the class before the place": {"breeding_cow", "421381", "2026-03-20", 0, 900000, false, true},
		"all too old: the newest":    {"calf", "421381", "2027-03-20", 1100, 0, true, true},
		"nothing so early":           {"calf", "421381", "2024-12-31", 0, 0, false, false},
		"a county that is none":      {"calf", "42", "2026-03-20", 1100, 0, false, true},
	} {
		day, _ := time.Parse(time.DateOnly, x.day)
		q, ok := c.Quote("cattle", x.class, x.county, day)
		if int64(q.FenPerKg) != x.kg || int64(q.FenPerHead) != x.head || q.Stale != x.stale || ok != x.ok {
			t.Errorf("%s: %+v, %t", name, q, ok)
		}
	}
	// Four in the morning of the tenth in China is the evening of the ninth in London.
	if q, _ := c.Quote("cattle", "calf", "", time.Date(2026, 3, 9, 20, 0, 0, 0, time.UTC)); q.FenPerKg != 1100 {
		t.Errorf("%+v", q)
	}
}

func TestRefusesPrices(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ row, says string }{
		"species":     {"yak,,,2026-01-01,1,,x", "livestock_prices.csv:2:1"},
		"class":       {"cattle,king,,2026-01-01,1,,x", "livestock_prices.csv:2:8"},
		"region":      {"cattle,,42,2026-01-01,1,,x", "GB/T 2260"},
		"date":        {"cattle,,,2026-02-30,1,,x", "2026-02-30"},
		"no price":    {"cattle,,,2026-01-01,,,x", "not both"},
		"both prices": {"cattle,,,2026-01-01,1,1,x", "not both"},
		"yuan":        {"cattle,,,2026-01-01,26.5,,x", "26.5"},
		"negative":    {"cattle,,,2026-01-01,-1,,x", "-1"},
		"no source":   {"cattle,,,2026-01-01,1,, ", "where the price is from"},
		"short":       {"cattle,,,2026-01-01,1", "livestock_prices.csv:2"},
		"twice":       {"cattle,,,2026-01-01,1,,x\ncattle,,,2026-01-01,2,,x", "two prices"},
	} {
		_, err := loadAll(builtin(t, species.File), noBreeds, noPrices+c.row+"\n")
		if !errors.Is(err, species.ErrCatalogue) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, text := range []string{"", "species,price\n"} {
		if _, err := loadAll(builtin(t, species.File), noBreeds, text); !errors.Is(err, species.ErrCatalogue) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestRefusesBreeds(t *testing.T) {
	t.Parallel()
	good := builtin(t, species.BreedFile)
	for name, c := range map[string]struct{ old, new, says string }{
		"no YAML":         {good, "\tx", "yaml"},
		"another version": {"version: 1", "version: 2", "version 2"},
		"unknown species": {"species: dairy", "species: yak", "yak"},
		"unknown model":   {"model: brody", "model: best", "best"},
		"unknown unit":    {"unit: day", "unit: moon", "moon"},
		"newborn of none": {"b: 0.922", "b: 1.922", "b is 1.922"},
		"no source":       {"source: \"1669 - 1627 exp(-0.2237 t), bulls in nature reserves (dioxins-wild-cattle)\"", "source: \"\"", "source"},
		"twice":           {"code: hanwoo", "code: simmental", "twice"},
		"no name":         {"name: {zh-CN: 安格斯牛, en: Angus}", "name: {en: Angus}", "name"},
	} {
		_, err := loadAll(builtin(t, species.File), strings.Replace(good, c.old, c.new, 1), noPrices)
		if !errors.Is(err, species.ErrCatalogue) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	good := builtin(t, species.File)
	for name, c := range map[string]struct{ old, new, says string }{
		"no YAML":             {good, "\tx", "yaml"},
		"no species":          {good, "version: 1\n", "no species"},
		"another version":     {"version: 1", "version: 2", "version 2"},
		"unknown field":       {"haircut:", "haircuts:", "haircuts"},
		"no Chinese name":     {"zh-CN: 牛, ", "", "name"},
		"twice":               {"code: sheep", "code: cattle", "twice"},
		"haircut over 100 %":  {"haircut: {bp: 2000", "haircut: {bp: 20000", "haircut.bp"},
		"good over bad years": {"bad_bp: 300", "bad_bp: 3", "bad_bp"},
		"curve of no model":   {"model: gompertz", "model: guess", "guess"},
		"no source":           {"haircut: {bp: 2000, source: 'planning value: cost and loss of a forced sale'}", "haircut: {bp: 2000}", "haircut has no source"},
		"class for some only": {"code: fattening, name: {zh-CN: 育肥牛, en: Fattening cattle}", "code: fattening, name: {zh-CN: 育肥牛, en: Fattening cattle}, sex: m", "fit every animal"},
		"class out of order":  {"from_months: 24", "to_months: 3, from_months: 24", "in order"},
		"NaN":                 {"burst: 0.5", "burst: .nan", "burst"},
		"margins crossed":     {"margin_max_m: 30", "margin_max_m: 1", "margin_max_m"},
	} {
		_, err := load(strings.Replace(good, c.old, c.new, 1))
		if !errors.Is(err, species.ErrCatalogue) || !errors.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := species.Load(fstest.MapFS{}); !errors.Is(err, species.ErrCatalogue) {
		t.Error("no file:", err)
	}
}

func FuzzPrices(f *testing.F) {
	kinds, _, _ := strings.Cut(builtin(f, species.File), "  - code: dairy") // cattle alone, to be quick
	f.Add(builtin(f, species.PriceFile))
	f.Add(noPrices + "cattle,,,2026-01-01,1,,x\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := loadAll(kinds, noBreeds, text)
		if err != nil {
			return
		}
		q, ok := c.Quote("cattle", "calf", "421381", time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC))
		if ok && ((q.FenPerKg > 0) == (q.FenPerHead > 0) || q.Date > "2026-06-01") {
			t.Errorf("%+v", q)
		}
	})
}

func FuzzLoad(f *testing.F) {
	f.Add(builtin(f, species.File))
	f.Add("version: 1\nspecies: [{code: x}]")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := load(text)
		if err != nil {
			return
		}
		for _, s := range c.All() {
			if !(s.Watch.MaxSpeed >= 1) || s.Haircut.BP > 10_000 || s.Growth.Male.Problem() != "" || len(s.Classes) == 0 {
				t.Errorf("accepted %+v", s)
			}
		}
	})
}
