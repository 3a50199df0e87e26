package species_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/iot/species"
)

func builtin(tb testing.TB) string {
	tb.Helper()
	files, err := catalog.Open("")
	if err != nil {
		tb.Fatal(err)
	}
	b, err := fs.ReadFile(files, species.File)
	if err != nil {
		tb.Fatal(err)
	}
	return string(b)
}

func load(text string) (*species.Catalogue, error) {
	return species.Load(fstest.MapFS{species.File: {Data: []byte(text)}})
}

func TestBuiltin(t *testing.T) {
	t.Parallel()
	c, err := load(builtin(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.All()) != 2 || !c.Known("cattle") || !c.Known("sheep") || c.Known("yak") {
		t.Errorf("%+v", c.All())
	}
	cattle, _ := c.Get("cattle")
	if cattle.Name["zh-CN"] != "牛" || cattle.Watch.Still() != 5*time.Hour || cattle.Watch.Quiet() != 10*time.Minute {
		t.Errorf("%+v", cattle)
	}
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	good := builtin(t)
	for name, c := range map[string]struct{ old, new, says string }{
		"no YAML":            {good, "\tx", "yaml"},
		"no species":         {good, "version: 1\n", "no species"},
		"another version":    {"version: 1", "version: 2", "version 2"},
		"unknown field":      {"mortality_bp", "mortality", "mortality"},
		"no Chinese name":    {"zh-CN: 牛, ", "", "name"},
		"twice":              {"code: sheep", "code: cattle", "twice"},
		"negative price":     {"fen_per_kg: 2600", "fen_per_kg: -1", "fen_per_kg"},
		"haircut over 100 %": {"haircut_bp: 2000", "haircut_bp: 20000", "haircut_bp"},
		"NaN":                {"burst: 0.5", "burst: .nan", "burst"},
		"margins crossed":    {"margin_max_m: 30", "margin_max_m: 1", "margin_max_m"},
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

func FuzzLoad(f *testing.F) {
	f.Add(builtin(f))
	f.Add("version: 1\nspecies: [{code: x}]")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := load(text)
		if err != nil {
			return
		}
		for _, s := range c.All() {
			if !(s.Watch.MaxSpeed >= 1) || s.Price.FenPerKg <= 0 || s.HaircutBP > 10_000 {
				t.Errorf("accepted %+v", s)
			}
		}
	})
}
