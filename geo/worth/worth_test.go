package worth_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/crop"
	"github.com/furrowcredit/furrow/geo/worth"
	"github.com/furrowcredit/furrow/money"
)

var maize = crop.Crop{Code: "maize", Yield: [3]float64{400, 500, 650}, Price: crop.Price{Fen: 225, Date: "2026-10-15", Source: "county office"}}

func TestValue(t *testing.T) {
	t.Parallel()
	w, ok := worth.Value(maize, 10*geo.M2PerMu, 1, nil)
	if !ok || w.YieldKgPerMu != [3]float64{400, 500, 650} || w.Middle != 1125000 || w.Low != 900000 || w.High != 1462500 {
		t.Errorf("%+v", w)
	}
	if !strings.Contains(w.Basis, "county office") || strings.Contains(w.Basis, "≈") {
		t.Errorf("basis %q does not name its source", w.Basis)
	}
	flooded, _ := worth.Value(maize, 10*geo.M2PerMu, 1, []geo.Hazard{{Kind: geo.Flood, Share: 1}})
	if flooded.Low != 0 || flooded.Middle != w.Middle/2 {
		t.Errorf("flooded: %+v", flooded)
	}
	for _, k := range []geo.HazardKind{geo.NeverSown, geo.EarlyHarvest} {
		if _, ok := worth.Value(maize, 1e4, 1, []geo.Hazard{{Kind: k, Share: 1}}); ok {
			t.Errorf("%s leaves nothing standing", k)
		}
	}
}

func TestValueIsARange(t *testing.T) {
	t.Parallel()
	kinds := []geo.HazardKind{geo.Flood, geo.Drought, geo.VigourLoss}
	rapid.Check(t, func(t *rapid.T) {
		area := rapid.Float64Range(60, 3e6).Draw(t, "area")
		vigour := rapid.Float64Range(0, 2).Draw(t, "vigour")
		var hs []geo.Hazard
		for range rapid.IntRange(0, 3).Draw(t, "hazards") {
			hs = append(hs, geo.Hazard{Kind: rapid.SampledFrom(kinds).Draw(t, "kind"), Share: rapid.Float64Range(0, 1).Draw(t, "share")})
		}
		k := maize
		k.Price.Fen = money.Fen(rapid.Int64Range(1, 1e6).Draw(t, "price"))
		w, ok := worth.Value(k, area, vigour, hs)
		if !ok || w.Low < 0 || w.Low > w.Middle || w.Middle > w.High {
			t.Fatalf("%+v", w)
		}
		more, _ := worth.Value(k, area*2, vigour, hs)
		if more.Middle < w.Middle {
			t.Fatal("twice the land is worth less")
		}
	})
}
