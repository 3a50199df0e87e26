package worth_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/crop"
	"github.com/furrowcredit/furrow/geo/series"
	"github.com/furrowcredit/furrow/geo/worth"
	"github.com/furrowcredit/furrow/money"
)

var (
	maize = crop.Crop{Code: "maize", Yield: [3]float64{400, 500, 650}, Price: crop.Price{Fen: 225, Date: "2026-10-15", Source: "county office"}}
	peak  = time.Date(2026, 8, 10, 0, 0, 0, 0, time.UTC)
	late  = peak.AddDate(0, 1, 0)
)

func usual(mu float64) worth.Stand {
	return worth.Stand{AreaM2: mu * geo.M2PerMu, Index: 1, Peers: true, Peak: peak, Standing: true}
}

func TestValue(t *testing.T) {
	t.Parallel()
	w, ok := worth.Value(maize, usual(10))
	if !ok || w.YieldKgPerMu != [3]float64{400, 500, 650} || w.Middle != 1125000 || w.Low != 900000 || w.High != 1462500 || w.Prudent != w.Low {
		t.Errorf("%+v", w)
	}
	if w.Crop != "maize" || !w.Standing || w.Index != 1 {
		t.Errorf("%+v does not say what it values", w)
	}
	if !strings.Contains(w.Basis, "county office") || strings.Contains(w.Basis, "≈") {
		t.Errorf("basis %q does not name its source", w.Basis)
	}
	alone := usual(10)
	alone.Peers = false
	if got, _ := worth.Value(maize, alone); got.Low >= w.Low || got.Middle != w.Middle {
		t.Errorf("without peers the range is no wider: %+v", got)
	}
	owing := usual(10)
	owing.RemainingFen = 20000 // 200 yuan a mu
	owing.Yields, owing.Costs = crop.Source{Text: "yearbook"}, crop.Source{Text: "survey", Estimate: true}
	if got, _ := worth.Value(maize, owing); got.Basis != "maize: 400–500–650 kg/mu (yearbook) × 1.00 × 1.00; 2.25/kg, 2026-10-15, county office; − ≈ 200.00/mu (survey)" {
		t.Errorf("basis %q", got.Basis)
	}
	if got, _ := worth.Value(maize, owing); got.RemainingCost != 200000 || got.Prudent != got.Low-200000 || got.Low != w.Low {
		t.Errorf("remaining cost: %+v", got)
	}
	owing.RemainingFen = 1e6
	if got, _ := worth.Value(maize, owing); got.Prudent != 0 {
		t.Errorf("a crop that costs more than it brings has prudent worth %d", got.Prudent)
	}
	for _, k := range []geo.HazardKind{geo.NeverSown, geo.EarlyHarvest} {
		gone := usual(10)
		gone.Hazards = []geo.Hazard{{Kind: k, Share: 1}}
		if _, ok := worth.Value(maize, gone); ok {
			t.Errorf("%s leaves nothing standing", k)
		}
	}
}

// What befell the plot before its peak is in the index; it lowers the low case only.
func TestValueLessWhatBefell(t *testing.T) {
	t.Parallel()
	w, _ := worth.Value(maize, usual(10))
	for _, c := range []struct {
		kind        geo.HazardKind
		end         time.Time
		low, middle float64 // of the usual
	}{
		{geo.Flood, late, 0, 0.5},
		{geo.Flood, peak.AddDate(0, 0, -30), 0, 1},
		{geo.Drought, late, 0.3, 0.65},
		{geo.Drought, peak, 0.3, 1},
		{geo.VigourLoss, late, 0.6, 0.8},
		{geo.Abandoned, late, 0, 0},
	} {
		s := usual(10)
		s.Hazards = []geo.Hazard{{Kind: c.kind, End: c.end, Share: 1}}
		got, ok := worth.Value(maize, s)
		if !ok || math.Abs(float64(got.Low)-c.low*float64(w.Low)) > 1e4 || math.Abs(float64(got.Middle)-c.middle*float64(w.Middle)) > 1e4 {
			t.Errorf("%s till %s: %d of %d, %d of %d", c.kind, c.end.Format(time.DateOnly), got.Low, w.Low, got.Middle, w.Middle)
		}
	}
}

func TestValueProperties(t *testing.T) {
	t.Parallel()
	kinds := []geo.HazardKind{geo.Flood, geo.Drought, geo.VigourLoss, geo.Abandoned}
	rapid.Check(t, func(t *rapid.T) {
		hazard := func(name string) geo.Hazard {
			return geo.Hazard{
				Kind: rapid.SampledFrom(kinds).Draw(t, name), Share: rapid.Float64Range(0, 1).Draw(t, name+" share"),
				End: peak.AddDate(0, 0, rapid.IntRange(-60, 60).Draw(t, name+" end")),
			}
		}
		s := worth.Stand{
			AreaM2: rapid.Float64Range(60, 3e6).Draw(t, "area"), Index: rapid.Float64Range(0, 2).Draw(t, "index"),
			Peers: rapid.Bool().Draw(t, "peers"), Peak: peak, RemainingFen: money.Fen(rapid.Int64Range(0, 2e5).Draw(t, "cost")),
		}
		for range rapid.IntRange(0, 3).Draw(t, "hazards") {
			s.Hazards = append(s.Hazards, hazard("kind"))
		}
		k := maize
		k.Price.Fen = money.Fen(rapid.Int64Range(1, 1e6).Draw(t, "price"))
		w, ok := worth.Value(k, s)
		y := w.YieldKgPerMu
		if !ok || w.Low < 0 || w.Low > w.Middle || w.Middle > w.High || w.Prudent < 0 || w.Prudent > w.Low {
			t.Fatalf("%+v", w)
		}
		if y[0] > 0.8*y[1]+1e-9 || y[2] < 1.2*y[1]-1e-9 {
			t.Fatalf("the range %v is narrower than 20 %%", y)
		}
		atMost := func(what string, a, b geo.Worth) {
			if a.Low > b.Low || a.Middle > b.Middle || a.High > b.High {
				t.Fatalf("%s is worth less: %+v, %+v", what, a, b)
			}
		}
		more := s
		more.AreaM2 *= rapid.Float64Range(1, 5).Draw(t, "times")
		wide, _ := worth.Value(k, more)
		atMost("more land", w, wide)
		more = s
		more.Index += rapid.Float64Range(0, 1).Draw(t, "greener")
		green, _ := worth.Value(k, more)
		atMost("a greener crop", w, green)
		if green.Prudent < w.Prudent {
			t.Fatal("a greener crop has less prudent worth")
		}
		more = s
		more.Hazards = append(slices.Clone(s.Hazards), hazard("another"))
		struck, _ := worth.Value(k, more)
		atMost("an unstruck crop", struck, w)
		dear := s
		dear.RemainingFen++
		if owing, _ := worth.Value(k, dear); owing.Prudent > w.Prudent {
			t.Fatal("a dearer crop has more prudent worth")
		}
	})
}

func TestIndex(t *testing.T) {
	t.Parallel()
	many := func(v float64) []float64 { return slices.Repeat([]float64{v}, 9) }
	for name, c := range map[string]struct {
		window, peak     float64
		peers, peerPeaks []float64
		want             float64
		by               bool
	}{
		"as its peers":              {0.75, 0.8, many(0.75), many(0.8), 1, true},
		"half of them":              {0.45, 0.5, many(0.75), many(0.8), 0.5, true},
		"greener":                   {0.81, 0.9, many(0.75), many(0.8), 1.1, true},
		"as its poor peers":         {0.4, 0.425, many(0.4), many(0.425), 0.5, true},
		"no peers, usual":           {0.75, 0.8, nil, nil, 1, false},
		"no peers, half bare":       {0.4, 0.475, many(0.7)[:7], many(0.8)[:7], 0.5, false},
		"peers of bare soil do not": {0.75, 0.8, many(0.1), many(0.12), 1, false},
	} {
		got, by := worth.Index(c.window, c.peak, c.peers, c.peerPeaks, [2]float64{0.7, 0.9})
		if math.Abs(got-c.want) > 1e-9 || by != c.by {
			t.Errorf("%s: %.3f, %v", name, got, by)
		}
	}
}

func TestWindow(t *testing.T) {
	t.Parallel()
	c := &series.Curve{Start: peak.AddDate(0, 0, -50), NDVI: slices.Repeat([]float64{0.8}, 101), InGap: make([]bool, 101)}
	if v, ok := worth.Window(c, peak, late); !ok || math.Abs(v-0.8) > 1e-9 {
		t.Errorf("%v, %v", v, ok)
	}
	if _, ok := worth.Window(c, peak, peak.AddDate(0, 0, -5)); ok {
		t.Error("days that are not yet seen make a window")
	}
	for i := 35; i < 60; i++ {
		c.InGap[i] = true
	}
	if _, ok := worth.Window(c, peak, late); ok {
		t.Error("a gap makes a window")
	}
}

func ExampleValue() {
	k := crop.Crop{Code: "maize", Yield: [3]float64{400, 500, 650}, Price: crop.Price{Fen: 225, Date: "2026-10-15", Source: "county office"}}
	w, _ := worth.Value(k, worth.Stand{AreaM2: 10 * geo.M2PerMu, Index: 0.9, Peers: true, Standing: true, RemainingFen: 12000})
	fmt.Println(w.YieldKgPerMu, w.Low, w.Prudent)
	// Output: [360 450 585] 8100.00 6900.00
}
