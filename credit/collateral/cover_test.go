package collateral_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/credit/collateral"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/money"
)

// Three cows of 10,000 yuan stand behind 18,000: at 140 % of what is owed two may not stay
// alone before 3,714.29 are repaid.
func ExampleFirstRepay() {
	cow := func(id string) collateral.Asset {
		return collateral.Asset{ID: id, Status: collateral.Held, AdvanceBP: 7000, Value: collateral.Valuation{Known: true, Low: 1_000_000}}
	}
	p := collateral.Pool{
		Terms:  collateral.CoverTerms{ReleaseBP: 14_000, CallBP: 8000, CureBP: 9000},
		Assets: []collateral.Asset{cow("a"), cow("b"), cow("c")},
	}
	fmt.Println(collateral.FirstRepay(p, 1_800_000, []string{"a"}))
	fmt.Println(len(collateral.Releasable(p, 1_800_000-371_429)))
	// Output:
	// 3714.29
	// 1
}

func TestHerdValueIsDividedToTheFen(t *testing.T) {
	t.Parallel()
	r := iot.HerdReport{Status: "known", Value: 1_000_000, ValueLow: 800_001, ValueHigh: 1_200_000, MadeAt: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)}
	list := []collateral.HerdAnimal{
		{Animal: iot.Animal{ID: "a"}, Verified: true, Weight: 300},
		{Animal: iot.Animal{ID: "b"}, Verified: true, Weight: 100},
		{Animal: iot.Animal{ID: "c"}, Verified: true},
		{Animal: iot.Animal{ID: "silent"}, Weight: 300},
		{Animal: iot.Animal{ID: "dead", Status: iot.Dead}},
		{Animal: iot.Animal{ID: "gone", Status: iot.OffFarm}},
	}
	got := collateral.OfHerd(r, list)
	var low money.Fen
	for id, v := range got {
		low += v.Low
		if v.Low > v.Middle || v.Middle > v.High || !v.Known {
			t.Errorf("%s: %+v", id, v)
		}
	}
	if low > 800_001 || low < 800_000 || got["a"].Low < 2*got["b"].Low {
		t.Errorf("%d in all, %+v", low, got)
	}
	for id, reason := range map[string]string{"silent": collateral.NotSeen, "dead": collateral.Died, "gone": collateral.Gone} {
		if v := got[id]; v.Low != 0 || v.Reason != reason {
			t.Errorf("%s: %+v", id, v)
		}
	}
	r.Status, r.Reason = "unknown", "nothing_heard"
	if v := collateral.OfHerd(r, list)["a"]; v.Known || v.Reason != "nothing_heard" {
		t.Errorf("of a herd that nobody heard: %+v", v)
	}
}

func TestCropValue(t *testing.T) {
	t.Parallel()
	worth := &geo.Worth{Low: 100, Middle: 150, High: 200}
	for name, c := range map[string]struct {
		report geo.CropReport
		known  bool
		low    money.Fen
		reason string
	}{
		"whole":       {geo.CropReport{Status: geo.Known, Worth: worth}, true, 100, ""},
		"cut early":   {geo.CropReport{Status: geo.Known, Worth: worth, Hazards: []geo.Hazard{{Kind: geo.EarlyHarvest}}}, true, 0, collateral.CutEarly},
		"never sown":  {geo.CropReport{Status: geo.Known, Worth: worth, Hazards: []geo.Hazard{{Kind: geo.NeverSown}}}, true, 0, collateral.NotSown},
		"flooded":     {geo.CropReport{Status: geo.Known, Worth: worth, Hazards: []geo.Hazard{{Kind: geo.Flood}}}, true, 100, ""},
		"not valued":  {geo.CropReport{Status: geo.Known}, false, 0, collateral.NoWorth},
		"not visible": {geo.CropReport{Status: geo.Unknown, Reason: "clouded"}, false, 0, "clouded"},
	} {
		if v := collateral.OfCrop(c.report); v.Known != c.known || v.Low != c.low || v.Reason != c.reason {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

func TestRulesAreChecked(t *testing.T) {
	t.Parallel()
	files, err := catalog.Open("")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := collateral.LoadRules(files); err != nil {
		t.Fatal(err)
	}
	good := "advance_bp: {crop: 7000, animal: 6000, receivable: 8000, surety: 10000}\ncall_bp: 8000\ncure_bp: 9000\ncure_days: 10\nescalate_days: [5]\nfiling_warn_days: 30\nfunder: x\n"
	for old, bad := range map[string]string{
		"crop: 7000": "crop: 0", "surety: 10000": "moon: 1", "call_bp: 8000": "call_bp: 9500", "cure_days: 10": "cure_days: 0", "[5]": "[9, 5]",
		"funder: x": "second_person: [call]\nfunder: x", "filing_warn_days: 30": "filing_warn_days: many",
		"cure_days: 10\nescalate_days": "cure_days: 10\ncure_day: 3\nescalate_days",
	} {
		_, err := collateral.LoadRules(fstest.MapFS{collateral.RuleFile: {Data: []byte(strings.Replace(good, old, bad, 1))}})
		if !errors.Is(err, collateral.ErrFile) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if _, err := collateral.LoadRules(fstest.MapFS{collateral.RuleFile: {Data: []byte(good)}}); err != nil {
		t.Error(err)
	}
}

// A spreadsheet does not run what a borrower wrote.
func TestExportIsPlainText(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	p := collateral.Pool{ApplicationID: "a", UserName: "=1+1", Assets: []collateral.Asset{{ID: "x", Kind: collateral.Crop, Label: "地,块", Status: collateral.Held}}}
	if err := collateral.WriteCSV(&b, []collateral.Answer{{Pool: p}}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), `a,'=1+1,,x,crop,"地,块"`) || strings.Count(b.String(), "\n") != 2 {
		t.Errorf("%s", b.String())
	}
}
