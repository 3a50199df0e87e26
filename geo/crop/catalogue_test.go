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
regions:
  - {code: r, zh: 区, en: region, counties: ["41"], bbox: [0, 0, 1, 1], prices: true}
crops:
  - code: a
    zh: 甲
    en: a
    peak_ndvi: [0.6, 0.9]
    yield_kg_per_mu: [1, 2, 3]
    price: {fen_per_kg: 100, date: "2026-01-01", source: s}
    calendar:
      - {region: r, share: 1, sow: [10-05, 11-05], green: [11-01, 03-01], peak: [04-01, 05-01], harvest: [05-25, 06-10]}
`

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	if _, err := crop.Parse([]byte(tiny)); err != nil {
		t.Fatal(err)
	}
	for name, edit := range map[string][2]string{
		"version":      {"version: 1", "version: 2"},
		"misspelt":     {"peak_ndvi", "peak_nvdi"},
		"30 February":  {"[11-01, 03-01]", "[11-01, 02-30]"},
		"yield order":  {"[1, 2, 3]", "[2, 1, 3]"},
		"no price":     {"fen_per_kg: 100", "fen_per_kg: 0"},
		"price date":   {"2026-01-01", "2026-13-01"},
		"no region":    {"region: r,", "region: q,"},
		"share":        {"share: 1", "share: 2"},
		"kind":         {"    en: a\n", "    en: a\n    kind: tree\n"},
		"fallow":       {"code: a", "code: fallow"},
		"twice":        {"crops:\n", "crops:\n  - {code: r2, zh: 乙, en: b, parts: [a]}\n"},
		"no calendar":  {"sow: [10-05, 11-05], ", ""},
		"not yaml":     {"version: 1", "version: ["},
		"region twice": {"regions:\n", "regions:\n  - {code: r, zh: 区, en: region}\n"},
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
