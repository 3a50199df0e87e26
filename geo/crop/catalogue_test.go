package crop_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/geo/crop"
)

func builtin(tb testing.TB) *crop.Catalogue {
	tb.Helper()
	fsys, err := catalog.Open("")
	if err != nil {
		tb.Fatal(err)
	}
	c, err := crop.Load(fsys)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func TestBuiltinCatalogue(t *testing.T) {
	t.Parallel()
	c := builtin(t)
	if n := len(c.Crops()); n < 20 {
		t.Errorf("only %d crops", n)
	}
	if got := c.Name("wheat_maize", "zh-CN") + c.Name("wheat_maize", "en") + c.Name(crop.Fallow, "zh-CN") + c.Name("x", "en"); got != "冬小麦—夏玉米winter wheat, then summer maize休耕（无作物）x" {
		t.Error(got)
	}
	parts := c.Parts("wheat_maize", "huanghuai")
	if len(parts) != 2 || parts[0].Code != "winter_wheat" {
		t.Fatalf("parts %+v", parts)
	}
	from, to := parts[0].When.Sow.In(2026)
	if from.Format("2006-01-02") != "2025-10-05" || to.Format("2006-01-02") != "2025-11-05" {
		t.Errorf("winter wheat that peaks in 2026 is sown from %s to %s", from, to)
	}
	if _, err := c.Crop("cannabis"); !errors.Is(err, crop.ErrNoCrop) {
		t.Error(err)
	}
}

func TestRegion(t *testing.T) {
	t.Parallel()
	c := builtin(t)
	for name, k := range map[string]struct {
		county string
		at     orb.Point
		want   string
	}{
		"by code":     {"410725", orb.Point{0, 0}, "huanghuai"},
		"longer code": {"341200", orb.Point{0, 0}, "huanghuai"},
		"short code":  {"340800", orb.Point{0, 0}, "yangtze"},
		"by place":    {"", orb.Point{4.5, 51}, "europe"},
		"nowhere":     {"", orb.Point{-60, -15}, ""},
	} {
		if got, _ := c.Region(k.county, k.at); got.Code != k.want {
			t.Errorf("%s: %q, want %q", name, got.Code, k.want)
		}
	}
}

const tiny = `version: 1
sources:
  - {code: s, text: somewhere}
groups:
  - {code: g, zh: 组, en: group, generic: a}
regions:
  - {code: r, zh: 区, en: region, boxes: [[0, 0, 1, 1]], prices: true}
provinces:
  - {code: "41", zh: 省, en: province, parts: [{region: r, cropland_kha: 10, shares: {a: 0.5}}]}
crops:
  - code: a
    zh: 甲
    en: a
    group: g
    peak_ndvi: [0.6, 0.9]
    yield_kg_per_mu: [1, 2, 3]
    yield_source: s
    cost: {fen_per_mu: [1, 2, 3], spent: [0.5, 0.8, 0.9], source: s}
    price: {fen_per_kg: 100, date: "2026-01-01", source: s}
    calendar_source: s
    calendar:
      - {region: r, sow: [10-05, 11-05], green: [11-01, 03-01], peak: [04-01, 05-01], harvest: [05-25, 06-10]}
`

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	if _, err := crop.Parse([]byte(tiny)); err != nil {
		t.Fatal(err)
	}
	for name, edit := range map[string][2]string{
		"version":           {"version: 1", "version: 2"},
		"misspelt":          {"peak_ndvi", "peak_nvdi"},
		"30 February":       {"[11-01, 03-01]", "[11-01, 02-30]"},
		"yield order":       {"[1, 2, 3]", "[2, 1, 3]"},
		"no price":          {"fen_per_kg: 100", "fen_per_kg: 0"},
		"price date":        {"2026-01-01", "2026-13-01"},
		"yield source":      {"yield_source: s", "yield_source: q"},
		"calendar source":   {"calendar_source: s", "calendar_source: q"},
		"cost":              {"fen_per_mu: [1, 2, 3]", "fen_per_mu: [1, 3, 2]"},
		"cost spent":        {"[0.5, 0.8, 0.9]", "[0.5, 0.8, 1.9]"},
		"cost source":       {"spent: [0.5, 0.8, 0.9], source: s", "spent: [0.5, 0.8, 0.9]"},
		"no region":         {"- {region: r, sow", "- {region: q, sow"},
		"province's region": {"[{region: r, ", "[{region: q, "},
		"share":             {"{a: 0.5}", "{a: 1.5}"},
		"share of nothing":  {"{a: 0.5}", "{b: 0.5}"},
		"province code":     {"code: \"41\"", "code: \"4x\""},
		"cropland":          {"cropland_kha: 10", "cropland_kha: -1"},
		"county elsewhere":  {"[{region: r, ", "[{region: r, counties: [\"4201\"], "},
		"group":             {"group: g", "group: h"},
		"generic":           {"generic: a", "generic: b"},
		"box":               {"[[0, 0, 1, 1]]", "[[0, 1, 1, 0]]"},
		"figures of region": {"harvest: [05-25, 06-10]", "harvest: [05-25, 06-10], yield_kg_per_mu: [3, 2, 1]"},
		"kind":              {"    group: g\n", "    group: g\n    kind: tree\n"},
		"fallow":            {"  - code: a", "  - code: fallow"},
		"part below":        {"crops:\n", "crops:\n  - {code: r2, zh: 乙, en: b, group: g, parts: [a]}\n"},
		"no calendar":       {"sow: [10-05, 11-05], ", ""},
		"not yaml":          {"version: 1", "version: ["},
		"region twice":      {"regions:\n", "regions:\n  - {code: r, zh: 区, en: region}\n"},
	} {
		text := strings.Replace(tiny, edit[0], edit[1], 1)
		if text == tiny {
			t.Fatalf("%s: nothing was changed", name)
		}
		if _, err := crop.Parse([]byte(text)); !errors.Is(err, crop.ErrCatalogue) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := crop.Load(fstest.MapFS{}); !errors.Is(err, crop.ErrCatalogue) || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(tiny))
	b, err := os.ReadFile("../../catalog/crops.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := crop.Parse(text)
		if err != nil {
			if !errors.Is(err, crop.ErrCatalogue) {
				t.Fatalf("an error without a code: %v", err)
			}
			return
		}
		for _, k := range c.Crops() {
			c.Parts(k.Code, "r")
			c.Name(k.Code, "zh-CN")
		}
	})
}
