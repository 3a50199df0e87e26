package feature_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/feature"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/money"
)

var taken = time.Date(2026, 7, 20, 4, 0, 0, 0, time.UTC)

// Every field of Facts has one entry that tells all about it, in the order of the fields.
func TestCatalogueAgreesWithFacts(t *testing.T) {
	t.Parallel()
	var fields []string
	typ := reflect.TypeFor[feature.Facts]()
	for i := range typ.NumField() {
		if f := typ.Field(i); f.IsExported() {
			fields = append(fields, f.Tag.Get("expr"))
		}
	}
	var names []string
	for _, f := range feature.List() {
		names = append(names, f.Name)
		if f.Unit == "" || f.Source == "" || f.Formula == "" || f.EN == "" || f.ZH == "" || f.Direction < -1 || f.Direction > 1 {
			t.Errorf("%s is not told in full: %+v", f.Name, f)
		}
		if f.Actionable && f.Direction == 0 && f.Unit != feature.Yes {
			t.Errorf("%s can be changed, but nobody says which way", f.Name)
		}
	}
	if !slices.Equal(fields, names) {
		t.Errorf("fields\n%v\nentries\n%v", fields, names)
	}
}

// A value set through the catalogue is read back from the field of that name, and no other.
func TestEntriesReachTheirFields(t *testing.T) {
	t.Parallel()
	typ := reflect.TypeFor[feature.Facts]()
	for _, f := range feature.List() {
		if k := f.Kind(); k == reflect.String || k == reflect.Slice {
			continue
		}
		var x feature.Facts
		f.SetNum(&x, 1)
		for i := range typ.NumField() {
			field := typ.Field(i)
			if mine := field.Tag.Get("expr") == f.Name; mine == reflect.ValueOf(x).Field(i).IsZero() && field.IsExported() {
				t.Errorf("%s set field %s: %v", f.Name, field.Name, x)
			}
		}
		if f.Num(&x) != 1 {
			t.Errorf("%s reads %g", f.Name, f.Num(&x))
		}
	}
}

func TestMissingIsToldFromZero(t *testing.T) {
	t.Parallel()
	empty := feature.Gather(credit.Evidence{TakenAt: taken}, feature.Terms{})
	full := feature.Gather(credit.Evidence{
		TakenAt: taken, Bureau: &credit.Bureau{At: taken}, Exposure: &credit.Exposures{},
		Crop: &geo.CropReport{Status: geo.Unknown}, Herd: &iot.HerdReport{Status: "known"},
		Bank: &credit.Bank{At: taken, Months: []credit.BankMonth{{Month: "2026-06"}}},
	}, feature.Terms{})
	for _, name := range []string{"overdue_now", "household_debts", "returned", "bureau_age", "verified_share", "inflow_variation"} {
		read, ok := feature.Lookup(name)
		if !ok || !read(&empty).IsMissing() {
			t.Errorf("%s of nothing is %v", name, read(&empty))
		}
		if v, ok := read(&full).Number(); !ok || v != 0 {
			t.Errorf("%s of an empty part is %v", name, read(&full))
		}
	}
	for _, name := range []string{"confidence", "worth_low", "clear_age", "count_high", "sales_growth", "age", "region"} {
		if read, _ := feature.Lookup(name); !read(&full).IsMissing() {
			t.Errorf("%s is %v", name, read(&full))
		}
	}
	if _, ok := feature.Lookup("alerts"); ok {
		t.Error("a list is no input of a model")
	}
	if _, ok := feature.Lookup("wealth"); ok {
		t.Error("wealth is no feature")
	}
}

func TestBankAndForecast(t *testing.T) {
	t.Parallel()
	f := feature.Gather(credit.Evidence{
		TakenAt: taken, TermMonths: 2,
		Bank: &credit.Bank{At: taken.AddDate(0, 0, -3), Months: []credit.BankMonth{
			{Month: "2026-05", In: 100, Out: 50, Low: 7}, {Month: "2026-06", In: 300, Out: 150, Low: -2, Returned: 1},
			{Month: "2026-07", In: 9_000, Low: -900, Returned: 9}, // not whole yet
		}},
		Turnover: &credit.Turnover{Status: "known", History: 30, Months: []credit.TurnoverMonth{
			{Month: "2026-06", Middle: 1_000, Low: 1_000}, // past
			{Month: "2026-07", Middle: 40, Low: 30}, {Month: "2026-08", Middle: 20, Low: -5}, {Month: "2026-09", Middle: 60, Low: 50},
		}},
	}, feature.Terms{})
	// Shortfalls 10, 20, 10: 120 − √(½·40² + ½·600), and 60 − √(½·30² + ½·500), rounded down.
	got := []int{f.BankMonths, f.Inflow, f.Inflow12m, f.Outflow, f.LowBalance, f.Returned, f.BankAge,
		f.ForecastMonths, f.ForecastLow12m, f.ForecastMiddle12m, f.ForecastLowTerm, f.ForecastMiddleTerm, f.ForecastWeakest}
	if want := []int{2, 200, 400, 100, -2, 1, 3, 3, 86, 120, 33, 60, 20}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if f.InflowVariation != 0.5 {
		t.Errorf("variation %g", f.InflowVariation)
	}
}

// What happens after the decision changes nothing of it, or is refused.
func TestNothingLaterCounts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ev := credit.Evidence{TakenAt: taken, TermMonths: 6}
		seen := taken.AddDate(0, 0, -rapid.IntRange(0, 90).Draw(t, "seen"))
		ev.Crop = &geo.CropReport{Status: geo.Known, LastClear: &seen}
		ev.Bank = &credit.Bank{At: seen}
		for i := range rapid.IntRange(1, 30).Draw(t, "months") {
			ev.Bank.Months = append(ev.Bank.Months, credit.BankMonth{
				Month: taken.AddDate(0, i-30, 0).Format("2006-01"), In: money.Fen(rapid.IntRange(0, 1e9).Draw(t, "in")),
			})
		}
		before := feature.Gather(ev, feature.Terms{})
		if err := feature.Check(&ev); err != nil {
			t.Fatal(err)
		}
		for i := range rapid.IntRange(1, 5).Draw(t, "later months") {
			ev.Bank.Months = append(ev.Bank.Months, credit.BankMonth{Month: taken.AddDate(0, i, 0).Format("2006-01"), In: 1 << 40, Returned: 9})
		}
		if after := feature.Gather(ev, feature.Terms{}); !reflect.DeepEqual(before, after) {
			t.Fatalf("months to come changed the facts:\n%+v\n%+v", before, after)
		}
		later := taken.Add(feature.Skew + time.Duration(rapid.Int64Range(1, 1<<50).Draw(t, "later")))
		change := rapid.SampledFrom([]func(){
			func() { ev.Crop.LastClear = &later },
			func() { ev.Bank.At = later },
			func() { ev.Bureau = &credit.Bureau{At: later} },
			func() { ev.Herd = &iot.HerdReport{LastHeard: &later} },
			func() { ev.Sources = []credit.Source{{Part: "turnover", At: &later}} },
			func() { ev.Consents = []credit.Consent{{GivenAt: later}} },
		}).Draw(t, "part")
		change()
		if err := feature.Check(&ev); err == nil || !strings.Contains(err.Error(), "take the evidence again") {
			t.Fatalf("a part of %s passes for evidence of %s: %v", later, taken, err)
		}
	})
}
