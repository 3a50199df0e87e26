package cases

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/furrowcredit/furrow/internal/realdata"
)

// TestProductTerms reads the names of the published products and compares what they say with
// the terms that the same cases give.
func TestProductTerms(t *testing.T) {
	t.Parallel()
	f, err := os.Open(filepath.Join(realdata.Dir(t, "credit"), "schedules_all.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	list, err := Read(f.Name(), f)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for i := range list {
		p := list[i].Params
		if p == nil || p.Product == "" || seen[p.Product] {
			continue
		}
		seen[p.Product] = true
		got, want := (&Params{Product: p.Product, Rate: p.Rate, Strategy: p.Strategy, Terms: productTerms(p.Product)}), &Params{Product: p.Product, Rate: p.Rate, Strategy: p.Strategy, Terms: p.Terms}
		a, err := got.terms()
		if err != nil {
			t.Fatal(err)
		}
		b, err := want.terms()
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(a, b) {
			t.Errorf("%s: %+v, want %+v", p.Product, a, b)
		}
	}
	if len(seen) < 20 {
		t.Errorf("%d products", len(seen))
	}
}

// TestProductTermsByName reads what names of products say that no published case has.
func TestProductTermsByName(t *testing.T) {
	t.Parallel()
	one := 1
	for name, want := range map[string]Product{
		"LP2_DOWNPAYMENT_ADVANCED_PAYMENT_ALLOCATION": {DownPayment: "25", Schedule: "PROGRESSIVE", Processing: "HORIZONTAL", Multiple: &one},
		"LP2_DOWNPAYMENT_INTEREST_AUTO":               {DownPayment: "25", AutoDown: true, Schedule: "CUMULATIVE", Multiple: &one},
		"LP2_DOWNPAYMENT_ADV_PMT_ALLOC_FIXED_LENGTH": {DownPayment: "25", Schedule: "PROGRESSIVE", Processing: "HORIZONTAL", Length: 90,
			Credit: map[string][]string{"CHARGEBACK": {"PENALTY", "FEE", "INTEREST", "PRINCIPAL"}}},
	} {
		want.DaysInYear, want.DaysInMonth = "ACTUAL", "ACTUAL"
		if got := productTerms(name); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}
